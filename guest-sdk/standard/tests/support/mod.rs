//! Asks a component as a host would: a fresh instance for each question, and
//! nothing to import.

use reprieve_guest::{
    Attempt, Attempts, Decision, Ending, Experiment, Parameter, Placement, Progress, Stage, Turn,
};
use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Config, Engine, Store};

const FUEL: u64 = 100_000_000;

pub struct Sandbox {
    engine: Engine,
    component: Component,
    linker: Linker<()>,
}

impl Sandbox {
    pub fn new(bytes: &[u8]) -> Self {
        let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
        let component = Component::new(&engine, bytes).unwrap();
        let linker = Linker::new(&engine);
        Self { engine, component, linker }
    }

    pub fn imports(&self) -> Vec<String> {
        let component = self.component.component_type();
        component.imports(&self.engine).map(|(name, _)| name.to_owned()).collect()
    }

    pub fn exports(&self) -> Vec<String> {
        let component = self.component.component_type();
        component.exports(&self.engine).map(|(name, _)| name.to_owned()).collect()
    }

    /// The decision, and the fuel of instantiation, `configure` and `decide` together.
    pub fn decide(
        &self,
        settings: &str,
        experiment: &Experiment,
        attempts: &Attempts,
        progress: &Progress,
    ) -> (Val, u64) {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(FUEL).unwrap();
        let instance = self.linker.instantiate(&mut store, &self.component).unwrap();
        let configured = call(&mut store, instance, ["guest", "configure"], &[text(settings)]);
        assert_eq!(configured, Val::Result(Ok(None)));
        let question = [experiment_val(experiment), list(attempts, attempt_val), progress_val(progress)];
        let decision = call(&mut store, instance, ["retry-policy", "decide"], &question);
        (decision, FUEL - store.get_fuel().unwrap())
    }
}

fn call(
    store: &mut Store<()>,
    instance: Instance,
    [interface, function]: [&str; 2],
    arguments: &[Val],
) -> Val {
    let interface = format!("reprieve:policy/{interface}@0.1.0");
    let interface = instance.get_export_index(&mut *store, None, &interface).unwrap();
    let function = instance.get_export_index(&mut *store, Some(&interface), function).unwrap();
    let function = instance.get_func(&mut *store, function).unwrap();
    let mut answer = [Val::Bool(false)];
    function.call(store, arguments, &mut answer).unwrap();
    let [answer] = answer;
    answer
}

/// A decision as the component gives it.
pub fn decision(decision: &Decision) -> Val {
    let variant = |case: &str, payload| Val::Variant(case.to_owned(), Some(Box::new(payload)));
    match decision {
        Decision::Accept => Val::Variant("accept".to_owned(), None),
        Decision::GiveUp(why) => variant("give-up", text(why)),
        Decision::StopStudy(why) => variant("stop-study", text(why)),
        Decision::Retry(retry) => {
            let placement = match retry.placement {
                Placement::SameDevices => "same-devices",
                Placement::OtherDevices => "other-devices",
                Placement::AnyDevices => "any-devices",
            };
            let turn = if retry.turn == Turn::Last { "last" } else { "when-due" };
            let fields = [
                ("delay", Val::U64(retry.delay)),
                ("placement", Val::Enum(placement.to_owned())),
                ("turn", Val::Enum(turn.to_owned())),
                ("overrides", list(&retry.overrides, parameter_val)),
                ("reason", text(&retry.reason)),
            ];
            variant("retry", record(fields))
        }
    }
}

fn experiment_val(experiment: &Experiment) -> Val {
    record([
        ("name", text(&experiment.name)),
        ("parameters", list(&experiment.parameters, parameter_val)),
        ("adjustable", list(&experiment.adjustable, |name| text(name))),
        ("labels", list(&experiment.labels, parameter_val)),
        ("devices", Val::U32(experiment.devices)),
        ("seed", Val::U64(experiment.seed)),
    ])
}

/// What the `standard` policy does not look at, its tests do not fill.
fn attempt_val(attempt: &Attempt) -> Val {
    let Ending::Exited(code) = attempt.ending else { panic!("tests only have exits") };
    assert!(attempt.faults.is_empty() && attempt.memory.is_empty(), "tests have no device facts");
    let failure = attempt.failure.as_ref().map(|failure| {
        record([("class", Val::Enum(failure.class.name().to_owned())), ("evidence", text(&failure.evidence))])
    });
    let self_report = attempt.self_report.as_ref().map(|report| {
        record([
            ("retryable", option(report.retryable.map(Val::Bool))),
            ("kind", text(&report.kind)),
            ("message", text(&report.message)),
        ])
    });
    let stage = match attempt.stage {
        Stage::Prepare => "prepare",
        Stage::Measure => "measure",
        Stage::Finish => "finish",
    };
    record([
        ("number", Val::U32(attempt.number)),
        ("stage", Val::Enum(stage.to_owned())),
        ("ending", Val::Variant("exited".to_owned(), Some(Box::new(Val::S32(code))))),
        ("failure", option(failure)),
        ("waited-for", Val::U64(attempt.waited_for)),
        ("ran-for", Val::U64(attempt.ran_for)),
        ("stderr-tail", text(&attempt.stderr_tail)),
        ("stdout-tail", text(&attempt.stdout_tail)),
        ("self-report", option(self_report)),
        ("faults", Val::List(Vec::new())),
        ("memory", Val::List(Vec::new())),
        ("foreign-processes", Val::U32(attempt.foreign_processes)),
        ("throttled-for", Val::U64(attempt.throttled_for)),
        ("facts", list(&attempt.facts, parameter_val)),
    ])
}

fn progress_val(progress: &Progress) -> Val {
    record([
        ("succeeded", Val::U32(progress.succeeded)),
        ("failed", Val::U32(progress.failed)),
        ("remaining", Val::U32(progress.remaining)),
        ("retries", Val::U32(progress.retries)),
        ("failed-in-a-row", Val::U32(progress.failed_in_a_row)),
        ("elapsed", Val::U64(progress.elapsed)),
    ])
}

fn parameter_val(parameter: &Parameter) -> Val {
    record([("name", text(&parameter.name)), ("value", text(&parameter.value))])
}

fn record<const N: usize>(fields: [(&str, Val); N]) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn list<T>(items: &[T], item: impl Fn(&T) -> Val) -> Val {
    Val::List(items.iter().map(item).collect())
}

fn option(value: Option<Val>) -> Val {
    Val::Option(value.map(Box::new))
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}
