//! Policies in registries: pushed, pulled, locked, kept, and refused where they do not match.

use std::fs;

use insta::assert_snapshot;
use reprieve::event::{Event, StudyStarted};
use reprieve::study::{Digest, Pin};

use crate::guest;
use crate::registry::Registry;
use crate::support::{Place, Ran};

/// A policy that accepts everything, and gives this as its version: five characters.
pub(crate) fn policy(version: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
             (data (i32.const 64) "{version}")
             (func (export "reprieve:policy/guest@0.1.0#describe") (result i32)
               (i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 5))
               (i32.store (i32.const 1032) (i32.const 64)) (i32.store (i32.const 1036) (i32.const 5))
               (i32.store (i32.const 1040) (i32.const 32)) (i32.store (i32.const 1044) (i32.const 21))
               (i32.const 1024))
             (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
               (i32.store8 (i32.const 2048) (i32.const 0))
               (i32.const 2048)))"#
    );
    guest::component(&text, "guest")
}

/// A place with a cache of its own.
pub(crate) fn place() -> Place {
    let place = Place::new();
    let cache = place.path("cache").to_string_lossy().into_owned();
    place.env("XDG_CACHE_HOME", &cache)
}

/// A study of one experiment that ends well, judged by this.
fn study(reference: &str) -> String {
    format!(
        "name = \"s\"\nslots = 1\npolicy = {{ use = \"{reference}\" }}\n\
         [[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n"
    )
}

/// Pushes a policy, and says what it was pinned to.
fn push(place: &Place, version: &str, reference: &str) -> Pin {
    place.write("policy.wasm", policy(version));
    let ran = place.reprieve(&["policy", "push", "policy.wasm", reference, "--json"]);
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_value(ran.json()[0].clone()).expect("it tells a pin")
}

/// A registry with `lab/two-strikes:1.2` in it, a place with a study that names that, and what was pushed.
fn shared() -> Option<(Registry, Place, String, Pin)> {
    let registry = Registry::new()?;
    let place = place();
    let reference = registry.reference("lab/two-strikes:1.2");
    place.write("study.toml", study(&reference));
    let pin = push(&place, "1.0.0", &reference);
    Some((registry, place, reference, pin))
}

fn started(place: &Place) -> StudyStarted {
    match place.events().swap_remove(0).event {
        Event::StudyStarted(started) => started,
        event => panic!("{event:?}"),
    }
}

fn run_in(place: &Place, dir: &str) -> Ran {
    place.reprieve(&["run", "study.toml", "--dir", dir])
}

/// The copy of a component in the place's cache.
fn copy(place: &Place, pin: &Pin) -> std::path::PathBuf {
    pin.file(&place.path("cache/reprieve"))
}

/// What changes from run to run: the port.
pub(crate) fn steady(ran: &Ran) -> String {
    regex::Regex::new(r"127\.0\.0\.1:\d+")
        .expect("it is ours")
        .replace_all(&ran.to_string(), "HOST")
        .into_owned()
}

#[test]
fn a_policy_is_pushed_locked_by_its_first_use_and_pulled_as_it_was() {
    let Some((registry, place, reference, pin)) = shared() else { return };
    let checked = place.reprieve(&["check", "study.toml"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert!(checked.stdout.contains("judged by guest 1.0.0"), "{checked}");
    assert!(
        checked.stderr.contains(&format!("`{reference}` is `{}` from now on", pin.manifest)),
        "{checked}"
    );
    let lock = place.lines("reprieve.lock").join("\n");
    for locked in [&reference, pin.manifest.as_str(), pin.component.as_str()] {
        assert!(lock.contains(&format!("\"{locked}\"")), "{lock}");
    }

    let ran = place.run();
    assert!(ran.code == 0 && ran.stderr.is_empty(), "what is locked is not told again: {ran}");
    let started = started(&place);
    assert_eq!(started.policies[0].digest, pin.component.digits());
    assert_eq!(started.pins, [Pin { reference: reference.parse().expect("it is one"), ..pin.clone() }]);

    let by_digest = registry.reference(&format!("lab/two-strikes@{}", pin.manifest));
    let pulled = place.reprieve(&["policy", "pull", &by_digest, "-o", "pulled.wasm"]);
    assert!(pulled.stdout.starts_with(&format!("{by_digest}\npulled.wasm: ")), "{pulled}");
    assert_eq!(fs::read(place.path("pulled.wasm")).ok(), Some(policy("1.0.0")));
    assert_eq!(push(&place, "1.0.0", &reference), pin, "the same component has the same digest");
}

#[test]
fn a_tag_that_has_moved_is_not_followed_before_somebody_asks_for_it() {
    let Some((_registry, place, reference, old)) = shared() else { return };
    assert_eq!(run_in(&place, "first").code, 0);
    let new = push(&place, "2.0.0", &reference);
    assert_ne!(new, old);

    let ran = run_in(&place, "second");
    assert!(ran.stdout.contains("judged by guest 1.0.0"), "{ran}");
    let updated = place.reprieve(&["policy", "update"]);
    let told = format!("`{reference}` was `{}` and is `{}` from now on\n", old.manifest, new.manifest);
    assert_eq!((updated.code, &*updated.stdout), (0, &*told), "{updated}");
    let ran = run_in(&place, "third");
    assert!(ran.stdout.contains("judged by guest 2.0.0"), "{ran}");
    let updated = place.reprieve(&["policy", "update"]);
    assert_eq!(updated.stdout, format!("`{reference}` is still `{}`\n", new.manifest));
}

#[test]
fn without_a_network_what_is_locked_and_kept_just_works_and_what_is_not_is_told() {
    let Some((mut registry, place, reference, pin)) = shared() else { return };
    assert_eq!(run_in(&place, "first").code, 0);
    let by_digest = registry.reference(&format!("lab/two-strikes@{}", pin.manifest));
    registry.stop();
    let ran = run_in(&place, "second");
    assert!(ran.code == 0 && ran.stderr.is_empty(), "{ran}");
    // A digest needs no lock.
    let ran = place.reprieve(&["policy", "inspect", &by_digest]);
    assert!(ran.code == 0 && ran.stdout.contains(pin.component.digits()), "{ran}");

    let ran = place.reprieve(&["policy", "inspect", &reference]);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stderr.contains("onnection refused"), "{ran}");
    assert!(ran.stderr.contains("hint: does anything listen at `127.0.0.1:"), "{ran}");
    place.write("study.toml", study(&registry.reference("lab/other:1")));
    let ran = run_in(&place, "third");
    assert!(ran.code == 2 && !place.path("third").exists(), "{ran}");
    assert!(!place.lines("reprieve.lock").join("\n").contains("lab/other"));
}

#[test]
fn a_component_that_was_exchanged_in_the_registry_is_refused_with_both_digests() {
    let Some((registry, place, _, pin)) = shared() else { return };
    registry.tamper(pin.component.as_str(), |bytes| *bytes.last_mut().expect("it is not empty") ^= 1);
    let mut forged = policy("1.0.0");
    *forged.last_mut().expect("it is not empty") ^= 1;
    let ran = place.run();
    assert_eq!(ran.code, 2, "{ran}");
    let told = format!("its component has to be `{}` and is `{}`", pin.component, Digest::of(&forged));
    assert!(ran.stderr.contains(&told) && ran.stderr.contains("\nhint: the registry's copy"), "{ran}");
    assert!(!place.path("reprieve.lock").exists(), "what is refused is not locked");
    assert!(!copy(&place, &pin).exists() && !place.path("out").exists(), "and neither kept nor used");
}

#[test]
fn a_manifest_that_is_not_what_its_digest_says_is_refused() {
    let Some((registry, place, _, pin)) = shared() else { return };
    registry.tamper(pin.manifest.as_str(), |bytes| bytes.insert(1, b' '));
    let by_digest = registry.reference(&format!("lab/two-strikes@{}", pin.manifest));
    let ran = place.reprieve(&["policy", "pull", &by_digest]);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(
        ran.stderr.contains(&format!("its manifest has to be `{}` and is `sha256:", pin.manifest)),
        "{ran}"
    );
}

#[test]
fn a_copy_that_came_to_harm_is_pulled_anew_and_never_used() {
    let Some((mut registry, place, _, pin)) = shared() else { return };
    assert_eq!(run_in(&place, "first").code, 0);
    let harm = || fs::write(copy(&place, &pin), policy("6.6.6")).expect("it can be written");
    harm();
    let ran = run_in(&place, "second");
    assert!(ran.code == 0 && ran.stdout.contains("judged by guest 1.0.0"), "{ran}");
    let other = Digest::of(&policy("6.6.6"));
    assert!(ran.stderr.contains(&format!("should be `{}` and is `{other}`", pin.component)), "{ran}");
    assert_eq!(fs::read(copy(&place, &pin)).ok(), Some(policy("1.0.0")));

    harm();
    registry.stop();
    let ran = run_in(&place, "third");
    assert!(ran.code == 2 && !place.path("third").exists(), "{ran}");
    assert!(ran.stderr.contains(other.as_str()) && ran.stderr.contains("cannot be reached"), "{ran}");
}

#[test]
fn a_lock_that_was_tampered_with_is_refused() {
    let Some((_registry, place, _, pin)) = shared() else { return };
    assert_eq!(run_in(&place, "first").code, 0);
    let lock = place.lines("reprieve.lock").join("\n");
    let zeros = format!("sha256:{}", "0".repeat(64));

    place.write("reprieve.lock", lock.replace(pin.component.as_str(), &zeros));
    let ran = run_in(&place, "second");
    assert_eq!(ran.code, 2, "{ran}");
    let told =
        format!("the component that its manifest names has to be `{zeros}` and is `{}`", pin.component);
    assert!(
        ran.stderr.contains(&told) && ran.stderr.contains("hint: the lock does not fit together"),
        "{ran}"
    );

    place.write("reprieve.lock", lock.replace(pin.manifest.as_str(), &zeros));
    fs::remove_file(copy(&place, &pin)).expect("it is there");
    let ran = run_in(&place, "second");
    assert!(ran.code == 2 && ran.stderr.contains("there is no `oci://"), "{ran}");

    place.write("reprieve.lock", lock.replace("sha256:", "md5:"));
    let ran = run_in(&place, "second");
    assert!(
        ran.code == 2
            && ran.stderr.contains("`HERE/reprieve.lock` is no lock") | ran.stderr.contains("is no digest"),
        "{ran}"
    );
    assert!(ran.stderr.contains("\nhint: take it back from where it is kept"), "{ran}");
}

#[test]
fn what_is_no_policy_goes_neither_in_nor_out() {
    let Some(registry) = Registry::new() else { return };
    let place = place();
    let reference = registry.reference("lab/image:1");
    place.write("policy.wasm", "(component)");
    let ran = place.reprieve(&["policy", "push", "policy.wasm", &reference]);
    assert!(ran.code == 2 && ran.stderr.contains("so it is no policy"), "{ran}");

    let of = |config: &str, layer: &str, size: u64| {
        let digest = Digest::of(b"");
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
                "config":{{"mediaType":"{config}","digest":"{digest}","size":0}},
                "layers":[{{"mediaType":"{layer}","digest":"{digest}","size":{size}}}]}}"#
        )
    };
    let image = of("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar", 0);
    registry.plant("lab/image", "1", &image);
    assert_snapshot!(steady(&place.reprieve(&["policy", "pull", &reference])), @r"
    exit code 2
    --- stderr
    error: `oci://HOST/lab/image:1` is no policy: it is a `application/vnd.oci.image.config.v1+json`, and a component is a `application/vnd.wasm.config.v0+json`
    hint: `reprieve policy push` makes what can be used here
    ");
    let config = "application/vnd.wasm.config.v0+json";
    registry.plant("lab/image", "1", &of(config, "application/wasm", 1 << 40));
    let ran = place.reprieve(&["policy", "pull", &reference]);
    assert!(ran.code == 2 && ran.stderr.contains("is larger than"), "{ran}");
}

#[test]
fn a_component_that_is_no_policy_is_not_locked() {
    let Some((registry, place, reference, pin)) = shared() else { return };
    // It was one when it was pushed; another host may not know its contract.
    let component = b"\0asm\x0d\0\x01\0";
    let manifest = String::from_utf8(fs::read(registry.blob(pin.manifest.as_str())).expect("it is there"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest.expect("JSON")).expect("JSON");
    let mut other = manifest.clone();
    other["layers"][0]["digest"] = Digest::of(component).as_str().into();
    other["layers"][0]["size"] = component.len().into();
    registry.put("lab/two-strikes", component);
    registry.plant("lab/two-strikes", "1.2", &other.to_string());
    let ran = place.run();
    assert!(ran.code == 2 && ran.stderr.contains(&format!("policy `{reference}` exports no")), "{ran}");
    assert!(!place.path("reprieve.lock").exists(), "{ran}");
}

#[test]
fn a_policy_that_is_not_there_is_told_with_the_way_out() {
    let Some(registry) = Registry::new() else { return };
    let place = place();
    let reference = registry.reference("lab/two-strikes:1.2");
    assert_snapshot!(steady(&place.reprieve(&["policy", "inspect", &reference])), @r"
    exit code 2
    --- stderr
    error: there is no `oci://HOST/lab/two-strikes:1.2`
    hint: look at its name and its tag; `reprieve policy push` puts a policy there
    ");
    assert_snapshot!(steady(&place.reprieve(&["policy", "push", "none.wasm", &reference])), @r"
    exit code 2
    --- stderr
    error: `none.wasm` does not exist
    hint: look at the path
    ");
}

#[test]
fn what_is_pushed_is_a_file() {
    let place = place();
    let push = |file: &str| place.reprieve(&["policy", "push", file, "oci://localhost:5000/lab/x:1"]);
    assert_snapshot!(push("standard"), @r"
    exit code 2
    --- stderr
    error: `standard` is built in, so there is nothing to push
    hint: name the file of a component
    ");
    assert_snapshot!(push("oci://ghcr.io/lab/x:1"), @r"
    exit code 2
    --- stderr
    error: `oci://ghcr.io/lab/x:1` is no file
    hint: `reprieve policy pull REFERENCE -o FILE` makes one of what a registry has
    ");
}

#[test]
fn a_password_in_a_reference_is_never_told() {
    let place = place();
    place.write("policy.wasm", policy("1.0.0"));
    for reference in [
        "oci://ann:secret@ghcr.io/lab/x:1",
        "oci://ann:secret@ghcr.io:443/lab/x@sha256:12",
        "oci://ann:se/cret@ghcr.io/lab/x:1",
        "oci://ann:se@cret@ghcr.io",
        "https://ann:secret@ghcr.io/lab/x:1",
    ] {
        place.write("study.toml", study(reference));
        for arguments in [
            &["policy", "pull", reference][..],
            &["policy", "push", "policy.wasm", reference],
            &["policy", "push", reference, "oci://localhost:5000/lab/x:1"],
            &["policy", "inspect", reference],
            &["run", "study.toml", "--policy", reference],
            &["check", "study.toml"],
        ] {
            let ran = place.reprieve(arguments);
            assert_eq!(ran.code, 2, "{ran}");
            for part in ["ann", "cret"] {
                assert!(!ran.to_string().contains(part), "{ran}");
            }
        }
    }
    assert_snapshot!(place.reprieve(&["policy", "pull", "oci://ann:secret@ghcr.io/lab/x:1"]), @r"
    exit code 2
    --- stderr
    error: invalid value 'oci://…@ghcr.io/lab/x:1' for '<REFERENCE>': `oci://…@ghcr.io/lab/x:1` has credentials in it, and none may stand there
    hint: `docker login`, with the registry's host, keeps credentials that `reprieve` uses too

    For more information, try '--help'.
    ");
    place.write("study.toml", study("oci://ann:secret@ghcr.io/lab/x:1"));
    assert_snapshot!(place.reprieve(&["check", "study.toml"]), @r#"
    exit code 2
    --- stderr
    error: `oci://…@ghcr.io/lab/x:1` has credentials in it, and none may stand there
     --> HERE/study.toml:3:18
      |
    3 | policy = { use = "oci://**********@ghcr.io/lab/x:1" }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    hint: `docker login`, with the registry's host, keeps credentials that `reprieve` uses too
    "#);
}

#[test]
fn an_update_of_what_is_no_folder_tells_what_there_is() {
    let place = place();
    assert_snapshot!(place.reprieve(&["policy", "update", "nope"]), @r"
    exit code 2
    --- stderr
    error: `nope` is no folder
    hint: name the folder that has the `reprieve.lock`, and all of its tags are looked at
    ");
    let zeros = format!("sha256:{}", "0".repeat(64));
    place.write(
        "reprieve.lock",
        format!(
            "version = 1\n[[policies]]\nreference = \"oci://ghcr.io/lab/x:1\"\n\
             manifest = \"{zeros}\"\ncomponent = \"{zeros}\"\n"
        ),
    );
    let told =
        "hint: without a name all is looked at that `reprieve.lock` here has: `oci://ghcr.io/lab/x:1`\n";
    let ran = place.reprieve(&["policy", "update", "lab/x"]);
    assert!(ran.code == 2 && ran.stderr.ends_with(told), "{ran}");
}

#[test]
fn credentials_are_those_that_docker_keeps() {
    let Some(registry) = Registry::of_ann() else { return };
    let place = place();
    let reference = registry.reference("lab/two-strikes:1.2");
    place.write("policy.wasm", policy("1.0.0"));
    assert_snapshot!(steady(&place.reprieve(&["policy", "push", "policy.wasm", &reference])), @r"
    exit code 2
    --- stderr
    error: `HOST` gives no access to `oci://HOST/lab/two-strikes:1.2`: authentication required
    hint: `docker login HOST` keeps credentials that `reprieve` uses too
    ");

    let host = reference.trim_start_matches("oci://").split('/').next().expect("a host").to_owned();
    let config =
        |password: &str| format!(r#"{{"auths":{{"{host}":{{"username":"ann","password":"{password}"}}}}}}"#);
    let docker = place.path("").to_string_lossy().into_owned();
    let place = place.env("DOCKER_CONFIG", &docker);
    place.write("config.json", config("wrong"));
    let ran = place.reprieve(&["policy", "push", "policy.wasm", &reference]);
    assert!(ran.code == 2 && ran.stderr.contains("gives no access"), "{ran}");
    place.write("config.json", config("secret"));
    push(&place, "1.0.0", &reference);
    let ran = place.reprieve(&["policy", "inspect", &reference]);
    assert_eq!(ran.code, 0, "{ran}");
}

#[test]
fn a_resumed_study_goes_on_with_what_it_was_started_with() {
    let Some((mut registry, place, reference, old)) = shared() else { return };
    let waits = study(&reference)
        .replace("[\"true\"]", "{ shell = 'touch began; until [ -e end ]; do sleep 0.01; done' }");
    place.write("study.toml", waits);
    let host = place.start_run();
    place.wait_for("began");
    host.kill();
    push(&place, "2.0.0", &reference);
    assert_eq!(place.reprieve(&["policy", "update"]).code, 0);
    fs::remove_dir_all(place.path("cache")).expect("it is there");
    registry.stop();
    let host = place.start(&["resume", "out"]);
    host.says("judged by guest 1.0.0");
    host.kill();

    // Its own copy is gone too: then it takes a registry, and nothing less.
    fs::remove_file(old.file(&place.path("out"))).expect("it is there");
    let ran = place.resume();
    assert!(ran.code == 2 && ran.stderr.contains(&format!("@{}` cannot be reached", old.manifest)), "{ran}");
    registry.start();
    let host = place.start(&["resume", "out"]);
    host.says("judged by guest 1.0.0");
    assert_eq!(fs::read(old.file(&place.path("out"))).ok(), Some(policy("1.0.0")));
    place.write("end", "");
    assert_eq!(host.wait().code, 0);
}

#[test]
fn a_supervisor_plans_by_the_study_s_copy_and_by_nothing_that_took_its_place() {
    let Some(mut registry) = Registry::new() else { return };
    let place = place();
    let reference = registry.reference("lab/hooker:1");
    place.write("hooker.wasm", guest::component(include_str!("../policy/guests/hooker.wat"), "planner"));
    let ran = place.reprieve(&["policy", "push", "hooker.wasm", &reference]);
    assert_eq!(ran.code, 0, "{ran}");
    let experiment = |name: &str, shell: &str| {
        format!("[[experiments]]\nname = \"{name}\"\nmeasure = {{ shell = '{shell}' }}\n")
    };
    place.write(
        "study.toml",
        format!(
            "name = \"s\"\nslots = 1\n[cleanup]\npolicy = {{ use = \"{reference}\" }}\n\
             hooks.clocks = {{ command = [\"sh\", \"-c\", \"echo hook of $REPRIEVE_EXPERIMENT >> told\"] }}\n{}{}",
            experiment("good", "true"),
            experiment("bad", "rm -r cache; for copy in out/policies/*.wasm; do echo >> $copy; done"),
        ) + &experiment("after", "true"),
    );
    assert_eq!(place.reprieve(&["check", "study.toml"]).code, 0);
    registry.stop();
    let ran = place.run();
    assert!(ran.code == 0 && !place.path("cache/reprieve/policies").exists(), "{ran}");
    let hooks = place.lines("told");
    assert_eq!(hooks.iter().filter(|hook| *hook == "hook of good").count(), 2, "before and after: {ran}");
    assert!(!hooks.contains(&"hook of after".to_owned()), "{hooks:?}");
    assert!(ran.stdout.contains("policy fault in the cleanup's plan"), "{ran}");
    assert!(ran.stdout.contains("was pinned as `sha256:"), "{ran}");
}

#[test]
fn the_command_line_names_policies_as_studies_do() {
    let Some((_registry, place, reference, _)) = shared() else { return };
    place.write("study.toml", study("standard"));
    let ran = place.reprieve(&["check", "study.toml", "--policy", &reference]);
    assert!(ran.code == 0 && ran.stdout.contains("judged by guest 1.0.0"), "{ran}");
    let ran = place.reprieve(&["exec", "--policy", &reference, "--dir", "exec", "--", "echo", "done"]);
    assert!(ran.code == 0 && ran.stdout == "done\n", "{ran}");
    let ran = place.reprieve(&["policy", "test", &reference]);
    assert!(ran.stdout.contains("guest: "), "{ran}");
    let ran = place.reprieve(&["policy", "replay", &reference, "--study", "exec"]);
    assert!(ran.code == 0 && ran.stdout.contains("0 differences"), "{ran}");
    let ran = place.reprieve(&["run", "study.toml", "--policy", "oci://two-strikes:1.2"]);
    assert!(ran.code == 2 && ran.stderr.contains("does not begin with a registry's host\nhint: "), "{ran}");
}

#[test]
fn nothing_of_a_registry_is_touched_where_no_policy_is_in_one() {
    let place = place();
    place.write("study.toml", study("standard"));
    place.write("reprieve.lock", "not a lock");
    assert_eq!(place.run().code, 0, "a lock that is not needed is not read");
    assert!(!place.path("cache/reprieve/policies").exists());
}
