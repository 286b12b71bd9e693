//! What an attempt's evidence means: from an ending and output to a class.
//!
//! It reads no file, log or device, and it decides nothing: whether a failure
//! is worth another attempt is a policy's to say.
//!
//! How an output is judged:
//! 1. A study's own patterns come first, then the built-in table, line by
//!    line: in the program's own report, in standard error, in standard output.
//! 2. A cause outweighs what often follows from one (an NCCL watchdog, a
//!    `KeyError`), and that outweighs a mere notice that something ended.
//! 3. Among causes the first one wins, for the first exception of a Python
//!    chain is the innermost, and the first process to fail fails the others.
//!    A failed device wins over all, and a network's failure yields to the rest
//!    unless that is chained to it: programs survive lost connections.
//! 4. A warning, or a failure that the program says it will try again, counts
//!    when no error says anything, and then the last one does.

mod lines;
mod oom;
mod output;
mod patterns;
#[cfg(test)]
mod tests;
pub mod xid;

use regex::RegexSet;

use self::FailureClass::{
    Cancelled, Communication, Configuration, Crash, DeviceHardware, DeviceProgram, Hang, HostMemory, Storage,
    Unknown,
};
use self::output::{Found, Output};
use self::patterns::Strength;
use crate::attempt::{Ending, Failure, FailureClass, SelfReport};

/// The most characters that a failure's evidence has.
pub const EVIDENCE_CHARS: usize = 200;

/// What is known of an attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// How its process ended.
    pub ending: &'a Ending,
    /// The host itself ended it, for a limit or an interrupt.
    pub ended_by_host: bool,
    /// A person or a scheduler asked the host to end it.
    pub cancelled: bool,
    /// The end of standard output. Its last 256 KiB are read.
    pub stdout: &'a str,
    /// The end of standard error. Its last 256 KiB are read.
    pub stderr: &'a str,
    /// What the program said of its failure itself. One that is empty
    /// throughout says nothing.
    pub self_report: Option<&'a SelfReport>,
}

/// A study's own words for a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What a line that matches means.
    pub class: FailureClass,
    /// In the syntax of the `regex` crate; it is matched against one line at a
    /// time, without colours and control characters.
    pub regex: String,
}

const HINT: &str = "see https://docs.rs/regex for the syntax; it has no look-around and no back-references";

/// A study's own pattern that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{regex}` is not a regular expression: {reason}\nhint: {HINT}")]
pub struct PatternError {
    /// The pattern as it was given.
    pub regex: String,
    /// What is wrong with it.
    pub reason: regex::Error,
}

/// Tells what failed, from evidence alone: the same evidence always means the same.
#[derive(Clone, Debug)]
pub struct Classifier {
    own: RegexSet,
    classes: Vec<FailureClass>,
}

impl Classifier {
    /// A classifier that tries these patterns, in this order, before its own
    /// table.
    ///
    /// # Errors
    ///
    /// When a pattern is not a regular expression, or is too large to compile.
    pub fn new(own: &[Pattern]) -> Result<Self, PatternError> {
        for Pattern { regex, .. } in own {
            regex::Regex::new(regex).map_err(|reason| PatternError { regex: regex.clone(), reason })?;
        }
        let regexes = || own.iter().map(|pattern| &pattern.regex);
        let set = RegexSet::new(regexes()).map_err(|reason| PatternError {
            regex: regexes().map(String::as_str).collect::<Vec<_>>().join("` and `"),
            reason,
        })?;
        Ok(Self { own: set, classes: own.iter().map(|pattern| pattern.class).collect() })
    }

    /// What failed, or `None` for a success: an exit with code 0, and no
    /// report of a failure.
    pub fn classify(&self, evidence: &Evidence<'_>) -> Option<Failure> {
        let report = evidence.self_report.filter(|report| **report != SelfReport::default());
        let succeeded = matches!(evidence.ending, Ending::Exited(0)) && report.is_none();
        if evidence.cancelled && (evidence.ended_by_host || !succeeded) {
            return Some(failure(Cancelled, "cancelled"));
        }
        if succeeded {
            return None;
        }
        let report = report.map(|report| match (&*report.kind, &*report.message) {
            (kind, "") => kind.to_owned(),
            ("", message) => message.to_owned(),
            (kind, message) => format!("{kind}: {message}"),
        });
        let output = Output {
            report: report.as_deref().unwrap_or_default(),
            stderr: evidence.stderr,
            stdout: evidence.stdout,
        };
        let ended = match evidence.ending {
            Ending::Lost => return Some(failure(Unknown, "its supervisor went away before it ended")),
            Ending::NotStarted(why) => return Some(not_started(why)),
            Ending::Exited(code) => exited(*code, evidence.ended_by_host, &output),
            Ending::Signalled(signal) => signalled(*signal, evidence.ended_by_host, &output),
            Ending::TimedOut => stalled("ran past its time limit", &output),
            Ending::FellSilent => stalled("printed nothing for longer than its silence limit", &output),
        };
        Some(self.own(&output).unwrap_or(ended))
    }

    /// What the study's own patterns say.
    fn own(&self, output: &Output<'_>) -> Option<Failure> {
        if self.own.is_empty() {
            return None;
        }
        output.streams().into_iter().flat_map(lines::lines).find_map(|line| {
            let first = self.own.matches(&line.text).iter().next()?;
            Some(failure(self.classes[first], &line.text))
        })
    }
}

fn exited(code: i32, by_host: bool, output: &Output<'_>) -> Failure {
    // A shell exits with 128 + n when signal n ended its command (POSIX, 2.8.2).
    if let 129..160 = code
        && name_of(code - 128).is_some()
    {
        let mut failure = signalled(code - 128, by_host, output);
        if let Some(rest) = failure.evidence.strip_prefix("killed by ") {
            failure.evidence = format!("exit code {code}: {rest}");
        }
        return failure;
    }
    output.judge(|_| true).unwrap_or_else(|| match code {
        // sysexits.h: EX_TEMPFAIL.
        75 => {
            let said = output.unknown("exit code 75");
            if said.evidence == "exit code 75" {
                return failure(Unknown, "exit code 75: the program says that the failure will pass");
            }
            said
        }
        // coreutils.
        124 => failure(Hang, "exit code 124: `timeout` ended it"),
        // POSIX, 2.8.2.
        126 => failure(Configuration, "exit code 126: a command was found that could not be run"),
        127 => failure(Configuration, "exit code 127: a command was not found"),
        _ => output.unknown(&format!("exit code {code}")),
    })
}

fn signalled(signal: i32, by_host: bool, output: &Output<'_>) -> Failure {
    let name = name_of(signal).map(|name| format!(" ({name})")).unwrap_or_default();
    let evidence = format!("killed by signal {signal}{name}");
    if by_host {
        return failure(Cancelled, &format!("{evidence}, by Reprieve"));
    }
    // A signal is evidence itself, so neither a warning nor a launcher's note
    // of a signal says more.
    let cause = |found: &Found| !found.warned && found.strength != Strength::Symptom;
    let class = match name_of(signal) {
        Some("SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGTERM") => {
            let other = output.judge(|found| cause(found) && matches!(found.class, DeviceHardware | Hang));
            return other.unwrap_or_else(|| failure(Cancelled, &format!("{evidence}, not by Reprieve")));
        }
        Some("SIGKILL") => HostMemory,
        Some("SIGXCPU") => Hang,
        Some("SIGXFSZ") => Storage,
        Some(_) => Crash,
        None => Unknown,
    };
    output.judge(cause).unwrap_or_else(|| match class {
        HostMemory => failure(HostMemory, &format!("{evidence}, not by Reprieve")),
        class => failure(class, &evidence),
    })
}

/// Only what explains a stall counts against the limit that ended it.
fn stalled(limit: &str, output: &Output<'_>) -> Failure {
    let explains = |found: &Found| {
        !found.warned && matches!(found.class, DeviceHardware | DeviceProgram | Communication)
    };
    output.judge(explains).unwrap_or_else(|| failure(Hang, limit))
}

fn not_started(why: &str) -> Failure {
    let output = Output { report: why, stderr: "", stdout: "" };
    output.judge(|_| true).unwrap_or_else(|| failure(Configuration, why))
}

/// Linux's names of the signals that end a process and are seen in practice (signal(7)).
fn name_of(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// A failure with its evidence made fit to print: one line, bounded.
fn failure(class: FailureClass, evidence: &str) -> Failure {
    Failure { class, evidence: lines::excerpt(&lines::clean(evidence), 0) }
}
