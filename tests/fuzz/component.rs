//! Components from somewhere: harmed, malformed, or hostile. None takes the
//! host with it, and a good policy works as ever after each.

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use jiff::Timestamp;
use reprieve::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, Stage};
use reprieve::cleanup::{CleanupAction, Occasion, PlanQuestion, StepReport};
use reprieve::decision::{Progress, Question, Subject};
use reprieve::policy::{Devices, Engine, LimitOverrides, Limits, Policy, PolicySource, componentize};
use reprieve::reading::{Reading, ReadingError};
use serde_json::json;
use wasm_smith::{Config, Module};

use crate::{fuzz, guest, harm::harm};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("this machine runs policies"));

fn load(bytes: Vec<u8>) -> std::result::Result<Policy, String> {
    let limits =
        LimitOverrides { fuel: Some(100_000), deadline: Some(Duration::from_secs(30)), ..<_>::default() };
    let source = PolicySource::Bytes { name: "any".into(), bytes };
    let limits = Limits::checked(limits).expect("within the caps");
    Policy::load(&ENGINE, &source, &json!({}), limits).map_err(|error| error.to_string())
}

fn question() -> Question {
    let subject = Subject {
        name: "batch-8".into(),
        parameters: vec![Parameter { name: "batch".into(), value: "8".into() }],
        adjustable: vec!["batch".into()],
        labels: Vec::new(),
        devices: 1,
        seed: 7,
    };
    Question {
        experiment: subject,
        attempts: vec![attempt()],
        progress: Progress::default(),
        devices: Vec::new(),
        asked_at: Timestamp::UNIX_EPOCH,
    }
}

fn attempt() -> Attempt {
    Attempt {
        number: 1,
        stage: Stage::Measure,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: FailureClass::Network, evidence: "connection reset".into() }),
        waited_for: Duration::ZERO,
        ran_for: Duration::from_secs(60),
        stderr_tail: "connection reset by peer\n".into(),
        stdout_tail: String::new(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    }
}

/// Devices that can do nothing.
struct Broken;

impl Devices for Broken {
    fn read(&mut self, _: u32) -> std::result::Result<(Reading, u64), ReadingError> {
        Err(ReadingError::NotSupported)
    }

    fn perform(&mut self, _: CleanupAction) -> std::result::Result<StepReport, String> {
        Err("not here".to_owned())
    }
}

/// Loads it, and asks it all that a policy can be asked. Says how far it came.
fn try_out(bytes: Vec<u8>) -> usize {
    let policy = match load(bytes) {
        Err(refusal) => {
            assert!(!refusal.is_empty() && refusal.len() < 20_000, "{refusal}");
            return 0;
        }
        Ok(policy) => policy,
    };
    let asked = question();
    let decided = policy.decide(&asked);
    let occasion = Occasion::AfterAttempt(Box::new(attempt()));
    let experiment = asked.experiment;
    let planned =
        policy.plan(&PlanQuestion { experiment, occasion, asked_at: asked.asked_at }, Box::new(Broken));
    let faults = [decided.result.err(), planned.result.err()];
    for fault in faults.iter().flatten() {
        assert!(!fault.message.is_empty() && fault.message.len() < 2_000, "{fault:?}");
    }
    1 + faults.iter().filter(|fault| fault.is_none()).count()
}

/// Whether a good policy still decides.
fn check_the_next() {
    static GOOD: LazyLock<Policy> = LazyLock::new(|| load(guest::guest("accept")).expect("it loads"));
    assert!(GOOD.decide(&question()).result.is_ok());
}

#[test]
fn a_harmed_component_is_loaded_or_refused() {
    let standard = include_bytes!("../../host/src/policy/standard.wasm");
    let small = guest::guest("accept");
    fuzz("harmed components", 1_000, 256, |u| {
        let mut bytes = if u.ratio(1, 8).unwrap_or(false) { standard.to_vec() } else { small.clone() };
        let _ = harm(&mut bytes, &["\0asm", "(component", "\u{1}\u{60}", "reprieve:policy/guest@0.1.0"], u);
        try_out(bytes);
        check_the_next();
    });
}

#[test]
fn a_component_that_is_cut_off_anywhere_is_refused() {
    let whole = guest::guest("accept");
    // What follows its last part is for debuggers.
    let refused = (0..whole.len()).filter(|cut| load(whole[..*cut].to_vec()).is_err()).count();
    assert!(refused * 10 >= whole.len() * 9, "{refused} of {}", whole.len());
    check_the_next();
}

/// The types of what a policy may import and must export.
const IMPORTS: &str = r#"
(import "reprieve:policy/nvml-status@0.1.0" "device-count" (func (result i32)))
(import "reprieve:policy/nvml-status@0.1.0" "read" (func (param i32 i32)))
(import "reprieve:policy/gpu-cleanup@0.1.0" "perform" (func (param i32 i64 i64 i32)))
(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"#;
const EXPORTS: [&str; 5] = [
    r#"(func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) unreachable)"#,
    r#"(func (export "reprieve:policy/cleanup-policy@0.1.0#plan") (param i32) (result i32) unreachable)"#,
    r#"(func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32) unreachable)"#,
    r#"(func (export "reprieve:policy/guest@0.1.0#describe") (result i32) unreachable)"#,
    r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#,
];

fn config(u: &mut Unstructured<'_>, shape: Option<String>) -> Result<Config> {
    let mut config: Config = u.arbitrary()?;
    // What wasmtime does not run where nobody asks for it would be refused at once.
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.custom_page_sizes_enabled = false;
    config.wide_arithmetic_enabled = false;
    config.memory64_enabled = false;
    config.max_memories = 1;
    config.max_instructions = config.max_instructions.max(30);
    config.module_shape = shape.map(|shape| wat::parse_str(shape).expect("it is a module"));
    Ok(config)
}

/// A guest with the contract's types whose first functions do anything, and
/// whose rest is in order.
fn hostile(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let any = *u.choose(&[1, 2, 2, 2, 3, 4, 5])?;
    let imports = if u.arbitrary()? { IMPORTS } else { "" };
    let shape = format!("(module {imports} (memory (export \"memory\") 8) {})", EXPORTS[..any].concat());
    let module = Module::new(config(u, Some(shape))?, u)?.to_bytes();
    let text = wasmprinter::print_bytes(module).expect("a module prints");
    Ok(guest::core(&text))
}

#[test]
fn a_policy_that_does_anything_at_all_ends_in_a_fault_or_an_answer() {
    let mut reached = [0_u32; 5];
    fuzz("hostile policies", 1_500, 4096, |u| {
        let Ok(module) = hostile(u) else { return };
        let far = match componentize(&module) {
            Ok(component) => 1 + try_out(component),
            Err(_) => 0,
        };
        reached[far] += 1;
        check_the_next();
    });
    let [no_component, not_loaded, neither, one, both] = reached;
    println!(
        "of these {no_component} were no component, {not_loaded} did not load; of the rest {neither} answered \
         nothing, {one} one of two questions, {both} both"
    );
}

#[test]
fn any_module_is_made_a_component_or_refused() {
    fuzz("modules of any kind", 1_500, 2048, |u| {
        let Ok(module) = config(u, None).and_then(|config| Module::new(config, u)) else { return };
        let mut module = module.to_bytes();
        if u.arbitrary().unwrap_or(false) {
            let _ = harm(&mut module, &[], u);
        }
        let refusal = match componentize(&module) {
            Ok(component) => {
                try_out(component);
                return;
            }
            Err(refusal) => refusal.to_string(),
        };
        assert!(!refusal.is_empty());
        // The same as part of a component.
        let size = u32::try_from(module.len()).expect("it is small");
        let leb: Vec<u8> =
            (0..5).map(|n| (size >> (7 * n)) as u8 & 0x7f | if n < 4 { 0x80 } else { 0 }).collect();
        let component = [b"\0asm\x0d\0\x01\0\x01".as_slice(), &leb, &module].concat();
        try_out(component);
    });
    check_the_next();
}
