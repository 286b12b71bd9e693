//! Who judges a study's attempts: its policies, and what stands in where one fails to answer.
//!
//! Does not bound what they answer; that is the state's, which knows the study so far.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::attempt::Stage;
use crate::decision::{Decision, PolicyFault, Question};
use crate::event::PolicyIdentity;
use crate::policy::{Engine, Limits, LoadError, Policy, Problem, SpecError};
use crate::state::FAULTS_TO_SET_ASIDE;
use crate::study::{Fallback, Pin, PolicyComponent, PolicySpec, SettingsOf, Study};

/// The loaded policies of a study, one for each stage, and the standard one.
#[derive(Clone, Debug)]
pub(super) struct Judges {
    by_stage: [Judge; 3],
}

/// What stands behind the names in a study.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// Takes the place of the study's own, as `--policy` asks for.
    pub(super) instead: Option<&'a PolicyComponent>,
    /// What of it is in registries.
    pub(super) pins: &'a [Pin],
    /// Where copies of that are: a cache, or the study's directory.
    pub(super) copies: Option<&'a Path>,
}

/// What judges the attempts at one stage.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    policy: Policy,
    /// What plans the cleanup after it.
    planner: Arc<PolicySpec>,
    fallback: Fallback,
    /// With default settings, for the fallback of that name.
    standard: Policy,
}

/// An answer, from whomever it came.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) decision: Decision,
    pub(super) by: String,
    pub(super) fault: Option<PolicyFault>,
    pub(super) fuel: u64,
    pub(super) took: Duration,
}

/// A policy that does not load.
#[derive(Debug)]
pub(super) struct Unloaded {
    pub(super) error: Box<SpecError>,
    /// Whose settings it was given, where it was given any.
    pub(super) settings_of: Option<SettingsOf>,
}

impl Judges {
    /// Loads every policy that the study names.
    pub(super) fn load(cache: Option<&Path>, study: &Study, named: Named<'_>) -> Result<Self, Unloaded> {
        let unloaded = |spec: &PolicySpec, of| {
            let settings_of = (!spec.settings.is_empty()).then_some(of);
            move |error| Unloaded { error: Box::new(error), settings_of }
        };
        let mut engines = Engines { cache: cache.map(Path::to_owned), by_stack: BTreeMap::new() };
        let by_default = PolicySpec::default();
        let standard =
            engines.load(&by_default).map_err(unloaded(&by_default, SettingsOf::Stage(Stage::Measure)))?;
        let pinned = |component: &PolicyComponent| component.pinned(named.pins, named.copies);
        let placed = |spec: &PolicySpec| PolicySpec { component: pinned(&spec.component), ..spec.clone() };
        let cleanup = study.cleanup.policy.as_ref().map(placed);
        if let Some(cleanup) = &cleanup {
            let unloaded = unloaded(cleanup, SettingsOf::Cleanup);
            let planner = engines.load(cleanup).map_err(unloaded)?;
            if !planner.info().roles.cleanup {
                let problem = Problem::NoPlanner;
                let error = LoadError { policy: planner.info().name.clone(), problem };
                return Err(Unloaded { error: Box::new(error.into()), settings_of: None });
            }
        }
        let mut judge = |stage| {
            let mut spec = placed(study.policies.of(stage));
            if let Some(component) = named.instead {
                spec.component = pinned(component);
                // They were written for the policy that it takes the place of.
                spec.settings = serde_json::Map::new();
            }
            let unloaded = unloaded(&spec, SettingsOf::Stage(stage));
            let policy = engines.load(&spec).map_err(unloaded)?;
            let fallback = spec.fallback;
            let planner = match &cleanup {
                Some(cleanup) => cleanup.clone(),
                None if policy.info().roles.cleanup => spec,
                None => PolicySpec::default(),
            };
            Ok::<_, Unloaded>(Judge {
                policy,
                planner: Arc::new(planner),
                fallback,
                standard: standard.clone(),
            })
        };
        Ok(Self { by_stage: [judge(Stage::Prepare)?, judge(Stage::Measure)?, judge(Stage::Finish)?] })
    }

    /// Has supervisors use a study's own copies of what is in registries, which
    /// are there as long as the study is.
    pub(super) fn use_copies(&mut self, pins: &[Pin], dir: &Path) {
        for judge in &mut self.by_stage {
            let planner = Arc::make_mut(&mut judge.planner);
            planner.component = planner.component.pinned(pins, Some(dir));
        }
    }

    /// The policies, each once, that of `measure` first.
    pub(super) fn identities(&self) -> Vec<PolicyIdentity> {
        let mut identities: Vec<PolicyIdentity> = Vec::new();
        for stage in [Stage::Measure, Stage::Prepare, Stage::Finish] {
            let info = self.at(stage).policy.info();
            let identity = PolicyIdentity {
                name: info.name.clone(),
                version: info.version.clone(),
                digest: info.digest.clone(),
            };
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
        identities
    }

    /// The policy that plans the cleanup after this stage: the study's own
    /// where it names one for that, else the stage's where it plans, else the
    /// standard one.
    pub(super) fn planner(&self, stage: Stage) -> &PolicySpec {
        &self.at(stage).planner
    }

    pub(super) fn at(&self, stage: Stage) -> &Judge {
        &self.by_stage[stage as usize]
    }
}

/// What of the standard policy's settings has to do with more than devices.
const BESIDE_DEVICES: [&str; 2] = ["leftovers_grace_seconds", "remove_shared_memory"];

/// Whether a planner has nothing to say where there is no device: the standard
/// one, unless it is set up to do other than it does by default.
pub(super) fn plans_for_devices_only(planner: &PolicySpec) -> bool {
    planner.component == PolicyComponent::Standard
        && BESIDE_DEVICES.iter().all(|name| !planner.settings.contains_key(*name))
}

/// Stack is an engine's to set, so there is an engine for each size that a study asks for.
struct Engines {
    cache: Option<PathBuf>,
    by_stack: BTreeMap<u64, Engine>,
}

impl Engines {
    fn load(&mut self, spec: &PolicySpec) -> Result<Policy, SpecError> {
        let stack_bytes = spec.limits.stack_bytes.unwrap_or(Limits::STACK_BYTES);
        let engine = match self.by_stack.entry(stack_bytes) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(Engine::with_stack(self.cache.clone(), stack_bytes)?),
        };
        Policy::named(engine, spec)
    }
}

impl Judge {
    /// Judges the newest attempt. Whatever the policy does, there is an answer.
    pub(super) fn judge(&self, question: &Question, set_aside: bool) -> Judgement {
        if set_aside {
            let why = format!("the policy was set aside after {FAULTS_TO_SET_ASIDE} faults in a row");
            let mut judgement = self.fall_back(question, &why, None, 0, Duration::ZERO);
            judgement.by.push_str(", the policy being set aside");
            return judgement;
        }
        let answer = self.policy.decide(question);
        match answer.result {
            Ok(decision) => Judgement {
                decision,
                by: self.policy.info().name.clone(),
                fault: None,
                fuel: answer.fuel,
                took: answer.took,
            },
            Err(fault) => {
                let why = format!("the policy did not answer: {}", fault.message);
                self.fall_back(question, &why, Some(fault), answer.fuel, answer.took)
            }
        }
    }

    fn fall_back(
        &self,
        question: &Question,
        why: &str,
        fault: Option<PolicyFault>,
        fuel: u64,
        took: Duration,
    ) -> Judgement {
        let succeeded = question.attempts.last().is_some_and(|attempt| attempt.failure.is_none());
        let (decision, by) = match self.fallback {
            Fallback::Standard => match self.standard.decide(question).result {
                Ok(decision) => (decision, self.standard.info().name.clone()),
                Err(fault) => (Decision::GiveUp(fault.message), "give-up".to_owned()),
            },
            Fallback::GiveUp if succeeded => (Decision::Accept, "give-up".to_owned()),
            Fallback::GiveUp => (Decision::GiveUp(why.to_owned()), "give-up".to_owned()),
            Fallback::Stop => (Decision::StopStudy(why.to_owned()), "stop".to_owned()),
        };
        Judgement { decision, by, fault, fuel, took }
    }
}
