use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

mod contract {
    wasmtime::component::bindgen!({ path: "../rust/wit", world: "retry-only" });
}
use contract::reprieve::policy::types as t;

fn question(n: usize, tail: usize, class: t::FailureClass) -> (t::Experiment, Vec<t::Attempt>, t::Progress) {
    let p = |a: &str, b: &str| t::Parameter { name: a.into(), value: b.into() };
    let e = t::Experiment {
        name: "llama-3-8b/bf16/batch-32".into(),
        parameters: vec![p("model", "meta-llama/Meta-Llama-3-8B"), p("dtype", "bf16"), p("batch", "32")],
        adjustable: vec!["batch".into()],
        labels: vec![p("team", "energy")],
        devices: 1,
        seed: 7,
    };
    let a = (1..=n)
        .map(|i| t::Attempt {
            number: i as u32,
            stage: t::Stage::Measure,
            ending: t::Ending::Exited(1),
            failure: Some(t::Failure {
                class,
                evidence: "ConnectionResetError: [Errno 104] Connection reset by peer".into(),
            }),
            waited_for: 1000,
            ran_for: 60000,
            stderr_tail: "x".repeat(tail),
            stdout_tail: "y".repeat(tail),
            self_report: None,
            faults: vec![],
            memory: vec![t::DeviceMemoryUse { device: 0, baseline: 1, peak: 2, residual: 1 }],
            foreign_processes: 0,
            throttled_for: 0,
            facts: vec![],
        })
        .collect();
    (
        e,
        a,
        t::Progress { succeeded: 1, failed: 2, remaining: 3, retries: 4, failed_in_a_row: 0, elapsed: 100 },
    )
}

#[test]
fn fuel() {
    let path = std::env::var("W").unwrap();
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let t0 = std::time::Instant::now();
    let component = Component::new(&engine, &bytes).unwrap();
    println!("compile {:?} size {}", t0.elapsed(), bytes.len());
    let ty = component.component_type();
    for (n, _) in ty.imports(&engine) {
        println!("import {n}");
    }
    for (n, _) in ty.exports(&engine) {
        println!("export {n}");
    }
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    for (n, tail, class, settings) in [
        (1, 0, t::FailureClass::Network, "{}"),
        (3, 2048, t::FailureClass::Network, "{}"),
        (5, 2048, t::FailureClass::Network, "{}"),
        (3, 2048, t::FailureClass::RateLimited, "{}"),
        (
            3,
            2048,
            t::FailureClass::Network,
            r#"{"max_retries":5,"delay_seconds":2.5,"jitter":"full","retry":["network","hang"]}"#,
        ),
    ] {
        let mut store = Store::new(&engine, ());
        store.set_fuel(10_000_000).unwrap();
        let used = |store: &Store<()>| 10_000_000 - store.get_fuel().unwrap();
        let policy = contract::RetryOnly::instantiate(&mut store, &component, &linker).unwrap();
        let i = used(&store);
        policy.reprieve_policy_guest().call_configure(&mut store, settings).unwrap().unwrap();
        let c = used(&store);
        let (e, a, p) = question(n, tail, class);
        let d = policy.reprieve_policy_retry_policy().call_decide(&mut store, &e, &a, p).unwrap();
        println!(
            "n={n} {settings}: instantiate {i} configure {} decide {} total {}; {d:?}",
            c - i,
            used(&store) - c,
            used(&store)
        );
    }
}
