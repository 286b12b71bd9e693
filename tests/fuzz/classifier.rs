//! Output of all kinds, and what it is taken to mean.

use std::path::Path;

use arbitrary::{Result, Unstructured};
use reprieve::attempt::{Ending, FailureClass, SelfReport};
use reprieve::failure::{Classifier, EVIDENCE_CHARS, Evidence, Pattern};

use crate::{fuzz, harm::harm};

const WORDS: [&str; 12] = [
    "\n",
    "\r",
    "\u{1b}[31m",
    "\u{1b}]0;",
    "\u{9b}",
    "\0",
    "Traceback (most recent call last):",
    "CUDA error: ",
    "NCCL",
    "Xid (PCI:0000:01:00): 79, ",
    "\u{202e}",
    "\nDuring handling of the above exception, another",
];

/// Recorded outputs of real programs.
fn outputs() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failures");
    let files = std::fs::read_dir(folder).expect("they are there");
    let texts = files.map(|file| std::fs::read(file.expect("it reads").path()).expect("it reads"));
    // The files' own words are noise like any other.
    texts.flat_map(|text| text.split(|byte| *byte == b'[').map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

fn text(outputs: &[Vec<u8>], u: &mut Unstructured<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        bytes.extend(u.choose(outputs)?);
        harm(&mut bytes, &WORDS, u)?;
    }
    // Whoever keeps output makes text of it like this.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn ending(outputs: &[Vec<u8>], u: &mut Unstructured<'_>) -> Result<Ending> {
    Ok(match u.int_in_range(0..=5)? {
        0 => Ending::Exited(u.arbitrary::<u8>()?.into()),
        1 => Ending::Signalled(u.int_in_range(0..=70)?),
        2 => Ending::TimedOut,
        3 => Ending::FellSilent,
        4 => Ending::NotStarted(text(outputs, u)?),
        _ => Ending::Lost,
    })
}

#[test]
fn any_output_means_the_same_twice_in_one_printable_line() {
    let outputs = outputs();
    let own = [Pattern { class: FailureClass::Access, regex: r"(?i)licen[cs]e .* (ended|gone)$".to_owned() }];
    let [plain, own] = [&[][..], &own].map(|own| Classifier::new(own).expect("these are patterns"));
    fuzz("outputs", 3_000, 512, |u| {
        let mut one = || -> Result<()> {
            let (ending, stdout, stderr) = (ending(&outputs, u)?, text(&outputs, u)?, text(&outputs, u)?);
            let report = SelfReport {
                retryable: u.arbitrary()?,
                kind: text(&outputs, u)?,
                message: text(&outputs, u)?,
            };
            let evidence = Evidence {
                ending: &ending,
                ended_by_host: u.arbitrary()?,
                cancelled: u.arbitrary()?,
                stdout: &stdout,
                stderr: &stderr,
                self_report: Some(&report).filter(|_| u.arbitrary().unwrap_or(false)),
            };
            for classifier in [&plain, &own] {
                let judged = classifier.classify(&evidence);
                assert_eq!(judged, classifier.classify(&evidence));
                if let Some(failure) = judged {
                    assert!(failure.evidence.chars().count() <= EVIDENCE_CHARS, "{failure:?}");
                    assert!(!failure.evidence.chars().any(char::is_control), "{failure:?}");
                }
            }
            Ok(())
        };
        let _ = one();
    });
}
