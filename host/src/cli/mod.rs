//! The command line: one file a command, wiring only.

mod check;
mod doctor;
mod exec;
mod gpu;
mod pins;
mod policy;
mod probe;
mod resume;
mod run;
mod show;
mod supervise;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use nix::sys::signal::{SigSet, Signal};

use crate::event::{Device, StudyEnd};
use crate::exit_code;
use crate::gpu::Unavailable;
use crate::journal::{ReadError, WriteError};
use crate::registry::{LockError, RegistryError};
use crate::reporter::{Human, Json, Reporter, Stream};
use crate::runner::{self, OpenError, RunError, Runner, VISIBLE_DEVICES, VisibleError, visible};
use crate::study::{PolicyComponent, Reference, Study, StudyError};
use crate::trial::ReplayError;

/// Run studies whose failures get a second chance, as a sandboxed policy decides.
#[derive(Parser)]
#[command(name = "reprieve", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print JSON lines for machines instead of text for people; errors stay text, on standard error.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run a study file to its end.
    Run(run::Args),
    /// Check a study file and its policies, print the plan, and start nothing.
    Check(check::Args),
    /// Go on with a study where it stopped.
    Resume(resume::Args),
    /// Tell what happened in a study, attempt by attempt.
    Show(show::Args),
    /// Run one command under a policy, without a study file.
    Exec(exec::Args),
    /// Tell of this machine's devices, and of who is on them.
    ///
    /// A machine without devices is no error; one whose driver fails exits with 1.
    Gpu(gpu::Args),
    /// Check what studies need of this machine, and say what to do where it falls short.
    ///
    /// Gaps are no error; it exits with 1 where it finds a fault.
    Doctor(doctor::Args),
    /// Look at a policy, try it out, share it, and ask it about the past.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Carry out one attempt. The host starts this; people need not.
    #[command(hide = true)]
    Supervise(supervise::Args),
    /// Prove the first device of `CUDA_VISIBLE_DEVICES` usable. A supervisor starts this; people need not.
    #[command(hide = true)]
    Probe(probe::Args),
}

/// Why a command failed, and hence its exit code.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Study(#[from] StudyError),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Run(#[from] RunError),
    #[error("{0}")]
    Journal(#[from] ReadError),
    #[error("{0}")]
    Usage(String),
    /// The driver fails.
    #[error("{0}")]
    Devices(String),
    #[error("{0}")]
    Visible(#[from] VisibleError),
    #[error("{0}")]
    Replay(#[from] ReplayError),
    #[error("{0}")]
    Registry(#[from] RegistryError),
    #[error("{0}")]
    Lock(#[from] LockError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Failed {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Study(_) | Self::Usage(_) | Self::Visible(_) | Self::Registry(_) | Self::Lock(_) => {
                exit_code::USAGE
            }
            Self::Open(error) => match error {
                OpenError::Write(WriteError::Exists { .. }) => exit_code::USAGE,
                OpenError::Write(_) | OpenError::Read(_) | OpenError::NoStart { .. } => exit_code::JOURNAL,
                OpenError::Taken(_) => exit_code::STOPPED,
                OpenError::Directory { .. }
                | OpenError::TooFewDevices { .. }
                | OpenError::Policy(_)
                | OpenError::Pattern(_)
                | OpenError::Study(_)
                | OpenError::Changed { .. }
                | OpenError::Complete { .. } => exit_code::USAGE,
            },
            Self::Replay(ReplayError::Study(_)) => exit_code::USAGE,
            Self::Replay(_) => exit_code::JOURNAL,
            Self::Run(RunError::Journal { .. } | RunError::Directory { .. } | RunError::History(_))
            | Self::Journal(_) => exit_code::JOURNAL,
            Self::Run(RunError::Signals(_)) | Self::Devices(_) | Self::Io(_) => exit_code::INTERNAL,
        }
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|mut error| {
        if let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidValue) {
            let shown = Reference::without_credentials(given).into_owned();
            error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
        }
        error.exit()
    });
    // A file-size limit is an error of the write, which is told; it ends nobody.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    // These log nothing and must start quickly.
    match &cli.command {
        Command::Supervise(args) => return supervise::run(args),
        Command::Probe(args) => return probe::run(args),
        _ => {}
    }
    // What tells of devices, tells what is wrong with them by itself.
    let quiet = matches!(cli.command, Command::Gpu(_) | Command::Doctor(_));
    log(if quiet { "warn,reprieve::gpu=off" } else { "warn" });
    let done = match &cli.command {
        Command::Run(args) => run::run(args, cli.json),
        Command::Check(args) => check::run(args, cli.json),
        Command::Resume(args) => resume::run(args, cli.json),
        Command::Show(args) => show::run(args, cli.json),
        Command::Exec(args) => exec::run(args, cli.json),
        Command::Gpu(args) => gpu::run(args, cli.json),
        Command::Doctor(args) => doctor::run(args, cli.json),
        Command::Policy(command) => policy::run(command, cli.json),
        Command::Supervise(args) => return supervise::run(args),
        Command::Probe(args) => return probe::run(args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // A reader that has seen enough, such as `head`.
        Err(Failed::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failed) => {
            let text = failed.to_string();
            let text = if text.starts_with("error") { text } else { format!("error: {text}") };
            anstream::eprintln!("{text}");
            ExitCode::from(failed.exit_code())
        }
    }
}

/// Policies' own output and the host's warnings go to standard error; more with `REPRIEVE_LOG`.
fn log(otherwise: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("REPRIEVE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(otherwise));
    // Colour only on a terminal, and never against NO_COLOR.
    let choice = anstream::AutoStream::choice(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(choice != anstream::ColorChoice::Never)
        .with_writer(std::io::stderr)
        .init();
}

/// Where compiled policies are kept, by the XDG base directory specification.
fn cache_dir() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    etcetera::choose_base_strategy().ok().map(|dirs| dirs.cache_dir().join("reprieve"))
}

/// A policy, as the command line names it. Unlike in a study, any path does.
fn component(name: &str) -> Result<PolicyComponent, String> {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    match PolicyComponent::named(name, &here) {
        Ok(component) => Ok(component),
        Err(_) if !name.contains("://") => Ok(PolicyComponent::File(here.join(name))),
        Err(error) => Err(error.to_string()),
    }
}

/// A policy's settings, as the command line gives them.
fn settings(given: &str) -> Result<serde_json::Map<String, serde_json::Value>, Failed> {
    serde_json::from_str(given).map_err(|_| {
        Failed::Usage(format!(
            "`--settings` is not a JSON object: `{given}`\nhint: for example `{{\"max_retries\": 5}}`"
        ))
    })
}

/// What a study's experiments are leased: declared slots, or those of this
/// machine's devices that the host may use.
fn devices(study: &Study) -> Result<Vec<Device>, Failed> {
    let variable = std::env::var_os(VISIBLE_DEVICES).map(|value| value.to_string_lossy().into_owned());
    let slots = |count| runner::slots(count, variable.as_deref());
    if let Some(count) = study.slots {
        return Ok(slots(count));
    }
    match crate::gpu::devices(study.nvml.library.as_deref()) {
        Ok(devices) if !devices.is_empty() => {
            let ours = variable.as_deref().map_or(Ok(devices.clone()), |names| visible(&devices, names))?;
            Ok(if ours.is_empty() { slots(1) } else { ours })
        }
        Ok(_) | Err(Unavailable::NoNvml(_)) => Ok(slots(1)),
        Err(error @ (Unavailable::Silent | Unavailable::Failed(_))) => Err(Failed::Usage(format!(
            "cannot find this machine's devices: {error}\nhint: mend the driver, or write `slots = N` to go without NVML"
        ))),
    }
}

fn reporter(dir: &std::path::Path, json: bool, stream: Stream) -> Box<dyn Reporter> {
    if json { Box::new(Json) } else { Box::new(Human::new(dir.to_owned(), stream)) }
}

/// Runs to the end, and says with which code to exit.
fn carry_on(open: impl FnOnce() -> Result<Runner, Failed>) -> Result<u8, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Watching processes needs the runtime.
    let end = runtime.block_on(async {
        let runner = open()?;
        let run = runner.run().await?;
        Ok::<_, Failed>(run)
    })?;
    Ok(match end {
        (StudyEnd::Completed, 0) => exit_code::SUCCESS,
        (StudyEnd::Completed, _) => exit_code::EXPERIMENTS_FAILED,
        (StudyEnd::Stopped(_), _) => exit_code::STOPPED,
        (StudyEnd::Interrupted(signal), _) => {
            exit_code::SIGNALLED.saturating_add(u8::try_from(signal).unwrap_or_default())
        }
    })
}
