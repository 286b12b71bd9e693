//! `reprieve doctor`: what studies need of this machine, and the way out where it falls short.
//!
//! Changes nothing: the one file that it writes, it removes.

mod devices;
mod disk;
mod machine;

use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::exit_code;
use crate::reporter::{Versioned, words};

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where studies are to be kept.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: String,
    verdict: Verdict,
    finding: String,
    /// The way out.
    hint: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Ok,
    /// Studies run; something is less good than it could be.
    Gap,
    /// Studies will fail for it, or must not be trusted.
    Fault,
}

impl Check {
    fn ok(name: &str, finding: impl Into<String>) -> Self {
        Self { name: name.to_owned(), verdict: Verdict::Ok, finding: finding.into(), hint: None }
    }

    fn gap(name: &str, finding: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Gap, hint: Some(hint.into()), ..Self::ok(name, finding) }
    }

    fn fault(name: &str, finding: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fault, ..Self::gap(name, finding, hint) }
    }
}

/// All of them, as `--json` prints it.
#[derive(Serialize)]
struct Told<'a> {
    checks: &'a [Check],
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let checks: Vec<Check> =
        devices::checks().into_iter().chain(machine::checks()).chain(disk::checks(&args.dir)).collect();
    if json {
        Versioned::new(Told { checks: &checks }).print()?;
    } else {
        print(&checks)?;
    }
    let fault = checks.iter().any(|check| check.verdict == Verdict::Fault);
    Ok(if fault { exit_code::INTERNAL } else { exit_code::SUCCESS })
}

fn print(checks: &[Check]) -> std::io::Result<()> {
    const FAINT: Style = Style::new().dimmed();
    let mut out = anstream::stdout().lock();
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let indent = format!("\n{}", " ".repeat("fault  ".len() + width + 2));
    for Check { name, verdict, finding, hint } in checks {
        let (word, style) = match verdict {
            Verdict::Ok => ("ok", AnsiColor::Green.on_default()),
            Verdict::Gap => ("gap", AnsiColor::Yellow.on_default()),
            Verdict::Fault => ("fault", AnsiColor::Red.on_default()),
        };
        let finding = finding.replace('\n', &indent);
        writeln!(out, "{style}{word:5}{style:#}  {name:width$}  {finding}")?;
        if let Some(hint) = hint {
            writeln!(out, "{}{FAINT}hint: {}{FAINT:#}", &indent[1..], hint.replace('\n', &indent))?;
        }
    }
    let count = |wanted| checks.iter().filter(|check| check.verdict == wanted).count() as u64;
    let (gaps, faults) = (count(Verdict::Gap), count(Verdict::Fault));
    writeln!(out, "\n{}, {}", words::count(faults, "fault"), words::count(gaps, "gap"))
}
