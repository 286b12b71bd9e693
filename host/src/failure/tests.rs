//! Every file in `tests/failures/` holds outputs of one class, as programs
//! print them.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    output: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    exit: Option<i32>,
    signal: Option<i32>,
    ending: Option<String>,
    #[serde(default)]
    why: String,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

impl Case {
    fn ending(&self) -> Ending {
        match (self.ending.as_deref(), self.signal) {
            (Some("timed-out"), _) => Ending::TimedOut,
            (Some("fell-silent"), _) => Ending::FellSilent,
            (Some("not-started"), _) => Ending::NotStarted(self.why.clone()),
            (Some(other), _) => panic!("`{other}` is no ending"),
            (None, Some(signal)) => Ending::Signalled(signal),
            (None, None) => Ending::Exited(self.exit.unwrap_or(1)),
        }
    }
}

/// All recorded outputs, each with its class's name, or `success`.
fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failures");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a readable entry").path();
        let class = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a readable file");
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{class}: {error}"));
        cases.extend(file.output.into_iter().map(|case| (class.clone(), case)));
    }
    cases
}

fn plain() -> Classifier {
    Classifier::new(&[]).expect("no patterns")
}

fn evidence<'a>(ending: &'a Ending, stderr: &'a str) -> Evidence<'a> {
    Evidence { ending, ended_by_host: false, cancelled: false, stdout: "", stderr, self_report: None }
}

fn report(kind: &str, message: &str) -> SelfReport {
    SelfReport { retryable: None, kind: kind.to_owned(), message: message.to_owned() }
}

#[test]
fn every_recorded_output_has_its_class() {
    let classifier = plain();
    let mut wrong = Vec::new();
    for (class, case) in cases() {
        let ending = case.ending();
        let judged =
            classifier.classify(&Evidence { stdout: &case.stdout, ..evidence(&ending, &case.stderr) });
        let judged_name = judged.as_ref().map_or("success", |failure| failure.class.name());
        if judged_name != class {
            wrong.push(format!("{class}: {}: {judged:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_class_has_recorded_outputs() {
    let cases = cases();
    let missing: Vec<_> =
        FailureClass::ALL.iter().filter(|class| cases.iter().all(|(name, _)| name != class.name())).collect();
    assert_eq!(missing, Vec::<&FailureClass>::new());
}

#[test]
fn a_reported_failure_is_one_although_the_program_exited_with_zero() {
    let report = report("RuntimeError", "CUDA out of memory. Tried to allocate 2.00 MiB");
    let ending = Ending::Exited(0);
    let judged = plain().classify(&Evidence { self_report: Some(&report), ..evidence(&ending, "") });
    assert_eq!(
        judged,
        Some(Failure {
            class: FailureClass::DeviceMemory,
            evidence: "RuntimeError: CUDA out of memory. Tried to allocate 2.00 MiB".to_owned(),
        })
    );
}

#[test]
fn an_empty_report_says_nothing() {
    let report = SelfReport::default();
    let ending = Ending::Exited(0);
    assert_eq!(plain().classify(&Evidence { self_report: Some(&report), ..evidence(&ending, "") }), None);
}

#[test]
fn a_report_is_trusted_more_than_the_output() {
    let report = report("", "429 Client Error: Too Many Requests");
    let ending = Ending::Exited(1);
    let stderr = "OSError: [Errno 28] No space left on device";
    let judged = plain().classify(&Evidence { self_report: Some(&report), ..evidence(&ending, stderr) });
    assert_eq!(judged.map(|failure| failure.class), Some(FailureClass::RateLimited));
}

#[test]
fn a_reported_wrapper_yields_to_the_cause_in_the_output() {
    let report = report("EngineDeadError", "EngineCore encountered an issue. See stack trace (above)");
    let ending = Ending::Exited(1);
    let stderr = "ERROR core.py: torch.OutOfMemoryError: CUDA out of memory.";
    let judged = plain().classify(&Evidence { self_report: Some(&report), ..evidence(&ending, stderr) });
    assert_eq!(judged.map(|failure| failure.class), Some(FailureClass::DeviceMemory));
}

#[test]
fn a_kill_by_the_host_is_not_taken_for_exhausted_memory() {
    for ending in [Ending::Signalled(9), Ending::Exited(137)] {
        let judged = plain().classify(&Evidence { ended_by_host: true, ..evidence(&ending, "") });
        assert_eq!(judged.map(|failure| failure.class), Some(FailureClass::Cancelled), "{ending:?}");
    }
}

#[test]
fn a_cancelled_attempt_stays_cancelled_whatever_it_printed() {
    let ending = Ending::Exited(1);
    let judged = plain().classify(&Evidence { cancelled: true, ..evidence(&ending, "CUDA out of memory") });
    assert_eq!(judged.map(|failure| failure.class), Some(FailureClass::Cancelled));
}

#[test]
fn an_attempt_that_finished_before_it_was_cancelled_has_succeeded() {
    let ending = Ending::Exited(0);
    assert_eq!(plain().classify(&Evidence { cancelled: true, ..evidence(&ending, "") }), None);
}

#[test]
fn a_lost_attempt_is_unknown_and_says_why() {
    let judged = plain().classify(&evidence(&Ending::Lost, "CUDA out of memory")).expect("a failure");
    assert_eq!(judged.class, FailureClass::Unknown);
    assert!(judged.evidence.contains("supervisor"), "{}", judged.evidence);
}

#[test]
fn the_evidence_names_a_signal_and_an_exit_code() {
    let said = |ending| plain().classify(&evidence(&ending, "")).expect("a failure").evidence;
    assert_eq!(said(Ending::Signalled(9)), "killed by signal 9 (SIGKILL), not by Reprieve");
    assert_eq!(said(Ending::Exited(139)), "exit code 139: signal 11 (SIGSEGV)");
    assert_eq!(said(Ending::Exited(3)), "exit code 3");
}

#[test]
fn unknown_evidence_ends_with_the_last_thing_said() {
    let judged = plain().classify(&evidence(&Ending::Exited(1), "one\nProblem: 17\n\n")).expect("a failure");
    assert_eq!(judged.evidence, "exit code 1: Problem: 17");
}

#[test]
fn the_evidence_of_a_long_line_shows_the_words_that_decided() {
    let stderr = format!("{} OSError: No space left on device, {}", "x ".repeat(400), "y ".repeat(400));
    let judged = plain().classify(&evidence(&Ending::Exited(1), &stderr)).expect("a failure");
    assert!(judged.evidence.contains("No space left on device"), "{}", judged.evidence);
    assert!(judged.evidence.chars().count() <= EVIDENCE_CHARS);
}

#[test]
fn a_study_s_own_patterns_come_before_the_table() {
    let own = [Pattern { class: FailureClass::DeviceOccupied, regex: "^lease .* lost$".to_owned() }];
    let classifier = Classifier::new(&own).expect("a valid pattern");
    let stderr = "torch.OutOfMemoryError: CUDA out of memory.\n\u{1b}[31mlease 7 lost\u{1b}[0m\n";
    let class = |ending| classifier.classify(&evidence(&ending, stderr)).map(|failure| failure.class);
    assert_eq!(class(Ending::Exited(1)), Some(FailureClass::DeviceOccupied));
    assert_eq!(class(Ending::TimedOut), Some(FailureClass::DeviceOccupied));
    assert_eq!(class(Ending::Exited(0)), None);
}

#[test]
fn a_pattern_that_is_no_expression_is_refused_by_name() {
    let own = [Pattern { class: FailureClass::Network, regex: "a(b".to_owned() }];
    let error = Classifier::new(&own).expect_err("not a pattern");
    assert_eq!(error.regex, "a(b");
    assert!(error.to_string().contains("hint: "), "{error}");
}

#[test]
fn an_xid_that_needs_a_reset_is_hardware_and_one_of_the_program_is_not() {
    assert_eq!(xid::class_of(79), Some(FailureClass::DeviceHardware));
    assert_eq!(xid::class_of(31), Some(FailureClass::DeviceProgram));
    assert_eq!(xid::class_of(45), None);
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        any::<i32>().prop_map(Ending::Exited),
        any::<i32>().prop_map(Ending::Signalled),
        Just(Ending::TimedOut),
        Just(Ending::FellSilent),
        ".*".prop_map(Ending::NotStarted),
        Just(Ending::Lost),
    ]
}

/// Output made of recorded lines and noise, with any prefix.
fn any_output() -> impl Strategy<Value = String> {
    let known: Vec<String> = cases()
        .into_iter()
        .flat_map(|(_, case)| case.stderr.lines().map(clean_of_escapes).collect::<Vec<_>>())
        .collect();
    let line = prop_oneof![4 => proptest::sample::select(known), 1 => "[^\u{1b}\u{90}-\u{9f}]{0,40}"];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

fn clean_of_escapes(line: &str) -> String {
    lines::clean(line).into_owned()
}

proptest! {
    #[test]
    fn any_evidence_is_judged_alike_twice_in_one_bounded_line(
        ending in any_ending(),
        flags in any::<(bool, bool, bool)>(),
        stdout in "(?s).{0,200}",
        stderr in any_output(),
        message in "(?s).{0,300}",
    ) {
        let report = report("Error", &message);
        let evidence = Evidence {
            ending: &ending,
            ended_by_host: flags.0,
            cancelled: flags.1,
            stdout: &stdout,
            stderr: &stderr,
            self_report: flags.2.then_some(&report),
        };
        let judged = plain().classify(&evidence);
        prop_assert_eq!(&judged, &plain().classify(&evidence));
        if let Some(failure) = judged {
            prop_assert!(failure.evidence.chars().count() <= EVIDENCE_CHARS);
            prop_assert!(!failure.evidence.chars().any(char::is_control));
        }
    }

    #[test]
    fn colours_change_nothing(
        output in any_output(),
        places in proptest::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let mut coloured = output.clone();
        for place in places {
            let at = coloured.floor_char_boundary(place.index(coloured.len() + 1));
            // Never inside another colour.
            if coloured[..at].rfind('\u{1b}').is_none_or(|escape| coloured[escape..at].contains('m')) {
                coloured.insert_str(at, "\u{1b}[1;31m");
            }
        }
        let ending = Ending::Exited(1);
        prop_assert_eq!(
            plain().classify(&evidence(&ending, &output)),
            plain().classify(&evidence(&ending, &coloured))
        );
    }
}
