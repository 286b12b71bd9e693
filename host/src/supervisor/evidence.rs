//! What an attempt's end is taken to mean: its class, its own report, its facts.
//!
//! What a failure looks like is `failure`'s; what follows it is a policy's.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, SelfReport};
use crate::failure::{Classifier, Evidence, Pattern, xid};

use super::assignment::Assignment;
use super::child::End;

/// How much of a stream's end a policy is told, and the journal keeps. The
/// attempt's directory has all of it.
const TAIL_BYTES: usize = 4 * 1024;

/// `EX_TEMPFAIL` of <sysexits.h>: a failure that passes; what failed asks to be run again.
const TEMPORARY_FAILURE: i32 = 75;

/// A self-report is a few lines; what is longer than this is not one.
const REPORT_BYTES_MAX: u64 = 64 * 1024;

/// The attempt, as far as its process tells.
pub(super) fn attempt(assignment: &Assignment, end: &End, report: &Path) -> Attempt {
    let mut facts = Vec::new();
    let said = read_report(report).unwrap_or_else(|error| {
        facts.push(Parameter { name: "self-report-error".to_owned(), value: error });
        None
    });
    if end.dropped_bytes > 0 {
        let value = end.dropped_bytes.to_string();
        facts.push(Parameter { name: "output-dropped-bytes".to_owned(), value });
    }
    let failure = match end.ending {
        // The usual end needs no table of failures.
        Ending::Exited(0) if !end.interrupted && said.is_none() => None,
        _ => classifier(assignment).classify(&Evidence {
            ending: &end.ending,
            ended_by_host: matches!(end.ending, Ending::TimedOut | Ending::FellSilent) || end.interrupted,
            cancelled: end.interrupted,
            stdout: &end.stdout,
            stderr: &end.stderr,
            self_report: said.as_ref(),
        }),
    };
    let self_report = match end.ending {
        Ending::Exited(TEMPORARY_FAILURE) => Some(heed_exit_code(said.unwrap_or_default())),
        _ => said,
    };
    Attempt {
        number: assignment.number,
        stage: assignment.stage,
        ending: end.ending.clone(),
        failure,
        waited_for: Duration::from_millis(assignment.waited_for_ms),
        ran_for: end.ran_for,
        stderr_tail: tail(&end.stderr),
        stdout_tail: tail(&end.stdout),
        self_report,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts,
    }
}

/// What exit code 75 says, it says where the report leaves that open.
fn heed_exit_code(report: SelfReport) -> SelfReport {
    let said_nothing = report.kind.is_empty() && report.message.is_empty();
    SelfReport {
        retryable: report.retryable.or(Some(true)),
        message: if said_nothing { "exit code 75 (EX_TEMPFAIL)".to_owned() } else { report.message },
        ..report
    }
}

/// A fault that the driver told of says more than what a program printed of it.
pub(super) fn heed_faults(attempt: &mut Attempt) {
    let Some(failure) = &mut attempt.failure else { return };
    let classes = || attempt.faults.iter().filter_map(|fault| Some((xid::class_of(fault.xid)?, fault)));
    let hardware = classes().find(|(class, _)| *class == FailureClass::DeviceHardware);
    let untold = matches!(failure.class, FailureClass::Unknown | FailureClass::Crash);
    if let Some((class, fault)) = hardware.or_else(|| classes().next().filter(|_| untold)) {
        let evidence = format!("Xid {} on device {}", fault.xid, fault.device);
        *failure = Failure { class, evidence };
    }
}

fn classifier(assignment: &Assignment) -> Classifier {
    let pattern = |spec: &crate::study::PatternSpec| Pattern { class: spec.class, regex: spec.regex.clone() };
    let own: Vec<Pattern> = assignment.patterns.iter().map(pattern).collect();
    Classifier::new(&own).expect("the host has checked the study's patterns")
}

fn read_report(path: &Path) -> Result<Option<SelfReport>, String> {
    // What waits for a writer, as a named pipe does, must not hold up the supervisor.
    let file = match OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err("it is no file".to_owned());
    }
    let mut text = Vec::new();
    file.take(REPORT_BYTES_MAX).read_to_end(&mut text).map_err(|error| error.to_string())?;
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
    // By names only: a list would be taken for the fields in their order.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(text).map_err(|error| error.to_string())?;
    serde_json::from_value(object.into()).map(Some).map_err(|error| error.to_string())
}

fn tail(text: &str) -> String {
    let from = text.len().saturating_sub(TAIL_BYTES);
    text[text.ceil_char_boundary(from)..].to_owned()
}
