//! Begins a study in a new directory, or goes on with one where it stopped.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::event::{Device, Event, PolicyIdentity, Stamped, StudyEnd, StudyStarted};
use crate::failure::{Classifier, Pattern, PatternError};
use crate::journal::{self, Journal, Position, ReadError, WriteError};
use crate::launcher::Launcher;
use crate::reporter::Reporter;
use crate::shell;
use crate::state::StudyState;
use crate::study::{ExperimentId, Pin, PolicyComponent, Source, Study, StudyError};

use super::devices::{self, Taken};
use super::judges::{Judges, Named, Unloaded};
use super::timers::Timers;
use super::{Runner, clock};
use crate::policy::{LoadError, Problem, SpecError};

/// The experiments by number, beside the journal: JSON Lines.
const EXPERIMENTS_FILE: &str = "experiments.jsonl";

/// What a new study needs.
pub struct Begin {
    /// Where its journal and attempts go; made where it is not there.
    pub dir: PathBuf,
    /// The study.
    pub study: Study,
    /// Its file.
    pub source: Source,
    /// A component in place of the study's own policy.
    pub policy: Option<PolicyComponent>,
    /// What the policies that are in registries were pinned to; copies of them are in the cache.
    pub pins: Vec<Pin>,
    /// What experiments are leased.
    pub devices: Vec<Device>,
    /// Wait for devices that another study has, rather than fail.
    pub wait: bool,
}

/// How to go on with a study.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resume {
    /// Run the failed experiments again too.
    pub failed: bool,
    /// Wait for devices that another study has, rather than fail.
    pub wait: bool,
    /// Go on by the study as it was started, although its file has changed.
    pub as_started: bool,
}

/// Why a study could not be begun or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its directory cannot be made.
    #[error("cannot make the study's directory `{}`: {source}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An experiment needs more devices than there are.
    #[error("`{experiment}` needs {needed} devices, and there are {there}\nhint: {hint}")]
    TooFewDevices {
        /// Its name.
        experiment: String,
        /// How many it needs.
        needed: u32,
        /// How many the study has.
        there: usize,
        /// The way out.
        hint: String,
    },
    /// A policy does not load.
    #[error("{0}")]
    Policy(#[from] SpecError),
    /// Another study has a device.
    #[error("{0}")]
    Taken(#[from] Taken),
    /// A pattern of the study does not compile.
    #[error("{0}")]
    Pattern(#[from] PatternError),
    /// The journal cannot be written.
    #[error("{0}")]
    Write(#[from] WriteError),
    /// The journal cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// A policy refuses the settings that the study has for it, or the journal's
    /// study no longer reads as a study.
    #[error("{0}")]
    Study(#[from] StudyError),
    /// The journal's first event is not a study's start.
    #[error("the journal in `{}` does not begin with a study's start", dir.display())]
    NoStart {
        /// The study's directory.
        dir: PathBuf,
    },
    /// The study's file is not what it was.
    #[error(
        "`{}` has changed since the study was started:\n{diff}hint: `reprieve resume {} --as-started` goes on by \
         the study as it was; a changed one is run anew with `reprieve run`", path.display(), shell::path(dir)
    )]
    Changed {
        /// The study's file.
        path: PathBuf,
        /// The study's directory.
        dir: PathBuf,
        /// What has changed, as a unified diff.
        diff: String,
    },
    /// There is nothing left to do.
    #[error("the study in `{0}` is complete{2}\nhint: `reprieve show {1}` tells what happened{3}", dir.display(), shell::path(dir),
        if *any_failed { "" } else { ", and no experiment of it failed" },
        if *any_failed { format!("; `reprieve resume {} --failed` runs again what failed", shell::path(dir)) } else { String::new() })]
    Complete {
        /// Whether there is something that `--failed` would run again.
        any_failed: bool,
        /// The study's directory.
        dir: PathBuf,
    },
}

impl Runner {
    /// Finds what is wrong with a study without beginning it, and names its
    /// policies. Their compiled code is kept in `cache`, where there is one.
    ///
    /// # Errors
    ///
    /// As [`Self::begin`], before it makes the directory.
    pub fn check(
        study: &Study,
        source: &Source,
        devices: &[Device],
        policy: Option<&PolicyComponent>,
        pins: &[Pin],
        cache: Option<&Path>,
    ) -> Result<Vec<PolicyIdentity>, OpenError> {
        check_devices(study, devices)?;
        classifier(study)?;
        Ok(judges(cache, study, source, Named { instead: policy, pins, copies: cache })?.identities())
    }

    /// Begins a study: everything that can be wrong with it is found before
    /// its directory is made. Nothing is started before [`Self::run`].
    ///
    /// # Errors
    ///
    /// Where a policy does not load, devices are too few, or the directory
    /// cannot be written.
    pub fn begin(
        begin: Begin,
        cache: Option<&Path>,
        program: PathBuf,
        reporter: Box<dyn Reporter>,
    ) -> Result<Self, OpenError> {
        let Begin { dir, study, source, policy, pins, devices, wait } = begin;
        check_devices(&study, &devices)?;
        let named = Named { instead: policy.as_ref(), pins: &pins, copies: cache };
        let mut judges = judges(cache, &study, &source, named)?;
        classifier(&study)?;
        let locks = devices::lock(&devices, &study.name, &dir, wait)?;
        make_directory(&dir).map_err(|source| OpenError::Directory { dir: dir.clone(), source })?;
        let dir = fs::canonicalize(&dir).map_err(|source| OpenError::Directory { dir, source })?;
        let journal = Journal::create(&dir)?;
        copy_policies(&pins, cache, &dir)
            .map_err(|source| OpenError::Directory { dir: dir.clone(), source })?;
        judges.use_copies(&pins, &dir);
        name_experiments(&dir, &study).map_err(|source| OpenError::Directory { dir: dir.clone(), source })?;
        let at = clock::wall();
        let started = StudyStarted {
            id: format!("{}-{}-{}", study.name, at.strftime("%Y%m%dT%H%M%S"), std::process::id()),
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            source,
            policy,
            pins,
            readings: devices::look(&devices, &study.nvml, None),
            devices,
            policies: judges.identities(),
        };
        let state = StudyState::new(Arc::new(study), started.devices.clone());
        Ok(Self {
            dir,
            study_id: started.id.clone(),
            state,
            journal,
            history: HashMap::new(),
            journaled: HashMap::new(),
            judges,
            cache: cache.map(Path::to_owned),
            launcher: Launcher::new(program),
            reporter,
            timers: Timers::default(),
            supervisors: HashMap::new(),
            locks,
            inputs: JoinSet::new(),
            events: vec![Event::StudyStarted(started)],
            ending: false,
        })
    }

    /// Goes on with the study in a directory, where its journal ends.
    ///
    /// # Errors
    ///
    /// Where the journal is damaged, held by another host, or complete.
    pub fn resume(
        dir: &Path,
        how: Resume,
        cache: Option<&Path>,
        program: PathBuf,
        reporter: Box<dyn Reporter>,
    ) -> Result<Self, OpenError> {
        let dir = fs::canonicalize(dir)
            .map_err(|source| ReadError::Io { path: dir.join(journal::FILE), source })?;
        let mut replay = journal::read(&dir)?;
        // From here on nobody else appends; no event has been read before.
        let journal = Journal::open(&dir)?;
        let Some((_, first)) = replay.event()? else {
            return Err(ReadError::Empty { path: dir.join(journal::FILE) }.into());
        };
        let Event::StudyStarted(started) = first.event.clone() else {
            return Err(OpenError::NoStart { dir });
        };
        if !how.as_started {
            check_unchanged(&started.source, &dir)?;
        }
        let study = Study::parse(&started.source)?;
        let named = Named { instead: started.policy.as_ref(), pins: &started.pins, copies: Some(&dir) };
        let judges = judges(cache, &study, &started.source, named)?;
        classifier(&study)?;
        let state = StudyState::new(Arc::new(study), started.devices.clone());
        let mut runner = Self {
            dir,
            study_id: started.id,
            state,
            journal,
            history: HashMap::new(),
            journaled: HashMap::new(),
            cache: cache.map(Path::to_owned),
            launcher: Launcher::new(program),
            reporter,
            timers: Timers::default(),
            supervisors: HashMap::new(),
            locks: Vec::new(),
            inputs: JoinSet::new(),
            events: Vec::new(),
            judges,
            ending: false,
        };
        runner.state.apply(&first);
        runner.reporter.replay(&first, &runner.state);
        while let Some((position, stamped)) = replay.event()? {
            runner.replay(&stamped, position);
        }
        runner.journal.cut(replay.end())?;
        let reopened: Vec<ExperimentId> = runner.state.failed().filter(|_| how.failed).collect();
        if runner.state.ended() == Some(&StudyEnd::Completed) && reopened.is_empty() {
            let any_failed = runner.state.failed().next().is_some();
            return Err(OpenError::Complete { any_failed, dir: runner.dir });
        }
        let study = &runner.state.study().name;
        runner.locks = devices::lock(runner.state.devices(), study, &runner.dir, how.wait)?;
        runner.events.push(Event::StudyResumed {
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            policies: runner.judges.identities(),
            readings: devices::look(runner.state.devices(), &runner.state.study().nvml, Some(&runner.state)),
            reopened,
        });
        Ok(runner)
    }

    /// Applies what an earlier host journaled. The actions that follow were
    /// that host's; those it left unsettled follow from `StudyResumed` again.
    fn replay(&mut self, stamped: &Stamped, position: Position) {
        self.state.apply(stamped);
        self.remember(&stamped.event, position);
        self.reporter.replay(stamped, &self.state);
        match &stamped.event {
            Event::AttemptStarted(started) => {
                self.journaled.insert(started.experiment, started.supervisor.clone());
            }
            Event::AttemptEnded(ended) => {
                self.journaled.remove(&ended.experiment);
            }
            _ => {}
        }
    }
}

/// Copies what came from registries into the study's directory: it is needed
/// to the study's end, and a cache may be emptied at any time.
fn copy_policies(pins: &[Pin], cache: Option<&Path>, dir: &Path) -> io::Result<()> {
    let Some(cache) = cache else { return Ok(()) };
    for pin in pins {
        let copy = pin.file(dir);
        fs::create_dir_all(copy.parent().expect("it is in a directory"))?;
        fs::copy(pin.file(cache), copy)?;
    }
    Ok(())
}

/// Makes a directory, with those above it that are missing. Their names are as
/// durable as what will be in it when this returns.
fn make_directory(dir: &Path) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let missing = dir.ancestors().take_while(|above| !above.exists()).count();
    fs::create_dir_all(&dir)?;
    dir.ancestors().skip(1).take(missing).try_for_each(|above| File::open(above)?.sync_all())
}

/// Writes what the numbers of the journal's experiments stand for, a line each.
/// For readers: nothing here reads it back, since the journal holds the study.
fn name_experiments(dir: &Path, study: &Study) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(dir.join(EXPERIMENTS_FILE))?);
    for id in study.ids() {
        serde_json::to_writer(&mut file, &study.planned(id))?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Loads the policies. What one refuses is shown in the study's file.
fn judges(
    cache: Option<&Path>,
    study: &Study,
    source: &Source,
    named: Named<'_>,
) -> Result<Judges, OpenError> {
    Judges::load(cache, study, named).map_err(|Unloaded { error, settings_of }| match &*error {
        SpecError::Load(LoadError { problem: Problem::Settings(_), .. }) => {
            let shown = settings_of.and_then(|of| source.refused(of, &error.to_string()));
            shown.map_or(OpenError::Policy(*error), OpenError::Study)
        }
        _ => OpenError::Policy(*error),
    })
}

fn classifier(study: &Study) -> Result<Classifier, PatternError> {
    let own: Vec<Pattern> = study
        .patterns
        .iter()
        .map(|pattern| Pattern { class: pattern.class, regex: pattern.regex.clone() })
        .collect();
    Classifier::new(&own)
}

/// A file that is gone, or cannot be read, has not been changed for this study.
fn check_unchanged(source: &Source, dir: &Path) -> Result<(), OpenError> {
    let now = match fs::read_to_string(&source.path) {
        Ok(now) if now != source.text => now,
        _ => return Ok(()),
    };
    let diff = similar::TextDiff::from_lines(&source.text, &now);
    let diff = diff.unified_diff().header("as started", "now").to_string();
    Err(OpenError::Changed { path: source.path.clone(), dir: dir.to_owned(), diff })
}

fn check_devices(study: &Study, devices: &[Device]) -> Result<(), OpenError> {
    let there = devices.len();
    let Some(id) = study.ids().find(|id| study.devices_of(*id) as usize > there) else { return Ok(()) };
    let needed = study.devices_of(id);
    Err(OpenError::TooFewDevices {
        experiment: study.name_of(id),
        needed,
        there,
        hint: if study.slots.is_some() {
            format!("raise `slots` to {needed} or more")
        } else {
            format!("write `slots = {needed}` where the devices are not NVML's to find")
        },
    })
}
