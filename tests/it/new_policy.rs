//! Projects that `reprieve policy new` writes: they test themselves, they build, and what they build
//! keeps to the contract, by the commands of their own READMEs.
//!
//! What a README calls `# once` fetches a toolchain; here it is `tests/run` that has.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Place, Ran};

/// What `tests/run` installs for a language.
fn installed(language: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests").join(language)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn new(place: &Place, language: &str) -> PathBuf {
    let made = place.reprieve(&["policy", "new", "--lang", language, "night-shift"]);
    assert_eq!(made.code, 0, "{made}");
    place.path("night-shift")
}

/// The commands of a project's README, without what is done once.
fn commands(project: &Path) -> Vec<String> {
    let readme = fs::read_to_string(project.join("README.md")).expect("there is a README");
    let block = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let commands = block.expect("it has commands").lines().filter(|line| !line.ends_with("# once"));
    commands.map(str::to_owned).collect()
}

/// Does what a project's README says.
fn follow(project: &Path, environment: &[(&str, PathBuf)]) {
    let ours = Path::new(env!("CARGO_BIN_EXE_reprieve")).parent().expect("it is in a directory");
    let tools = environment.iter().find(|(name, _)| *name == "BIN").map(|(_, bin)| bin.clone());
    let path = [ours.to_owned(), tools.unwrap_or_default()].map(|dir| dir.display().to_string()).join(":");
    let path = format!("{path}:{}", std::env::var("PATH").expect("there is a path"));
    let commands = commands(project);
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let ran = Command::new("sh")
            .args(["-c", &command])
            .current_dir(project)
            .env("PATH", &path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("home/cache"))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("a shell starts");
        let said = [String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr)].concat();
        assert!(ran.status.success(), "{command}\n{said}");
        if command.starts_with("reprieve policy test") {
            assert!(
                said.contains("a batch that cannot") && said.contains("no breach of the contract"),
                "{said}"
            );
            assert!(said.contains("night-shift: "), "{said}");
            let decided = |situation: &str| {
                let line = said.lines().find_map(|line| line.strip_prefix(situation)).unwrap_or_default();
                line.trim_start().to_owned()
            };
            for passing in ["it says: worth a retry", "communication", "hang", "crash", "unknown"] {
                assert!(decided(passing).starts_with("retry in "), "{said}");
            }
            assert!(decided("it says: not worth one").starts_with("given up"), "{said}");
            tells_its_settings(project, command.split(' ').nth(3).expect("it names the component"));
        }
    }
}

/// A project's policy says what can be set, and refuses what makes no sense.
fn tells_its_settings(project: &Path, component: &str) {
    let place = Place::new();
    let component = project.join(component);
    let component = component.to_str().expect("a path of letters");
    let ran = place.reprieve(&["policy", "inspect", component]);
    let settings = ran.stdout.split_once("settings  ").unwrap_or_default().1;
    let width = "smallest_batch".len();
    for (name, default, about) in [
        ("delay_seconds", "30", "The wait before the first retry; it doubles from one to the next."),
        ("max_retries", "3", "How often a failure that can pass is tried again."),
        ("smallest_batch", "1", "The batch is not halved below this."),
    ] {
        let told = format!("  {name:width$}  {default}\n  {:width$}  {about}\n", "");
        assert!(settings.contains(&told), "{told}{ran}");
    }
    for (name, wrong) in
        [("delay_seconds", "-1"), ("max_retries", "-1"), ("max_retries", "1.5"), ("smallest_batch", "0")]
    {
        let study = format!(
            "name = \"s\"\npolicy = {{ use = \"{component}\", settings = {{ {name} = {wrong} }} }}\n\
             [[experiments]]\nname = \"a\"\nmeasure = [\"true\"]\n"
        );
        fs::write(place.path("study.toml"), study).expect("it can be written");
        let ran = place.reprieve(&["check", "study.toml"]);
        assert_eq!(ran.code, 2, "{ran}");
        // By the policy itself, in whose words its author has a say, not by its schema.
        assert!(
            ran.stderr.contains(&format!("`{name}`: ")) && ran.stderr.contains(&format!("`{wrong}`")),
            "{ran}"
        );
        assert!(ran.stderr.contains("expected") && !ran.stderr.contains("by its settings schema"), "{ran}");
    }
}

/// Has a project's directory hold what was installed.
fn link(installed: &Path, into: &Path) {
    fs::create_dir_all(into).expect("a directory");
    for entry in fs::read_dir(installed).expect("it was installed") {
        let entry = entry.expect("an entry");
        symlink(entry.path(), into.join(entry.file_name())).expect("a link");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_rust_tests_itself_and_builds() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc starts").stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    if !sysroot.join("lib/rustlib/wasm32-wasip2").exists() {
        println!("SKIPPED: the target wasm32-wasip2 is not installed, so no policy is built");
        return;
    }
    let place = Place::new();
    let project = new(&place, "rust");
    // What has been fetched for us has to do.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("there is one");
    // What is kept of earlier runs spares building the SDK's dependencies.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-policy");
    fs::create_dir_all(&target).expect("a directory");
    symlink(&target, project.join("target")).expect("a link");
    follow(&project, &[]);
    panics(&place, &project);
}

/// A panic in a release build is told by its words, its place and the author's functions.
fn panics(place: &Place, project: &Path) {
    let function = "#[inline(never)]\nfn not_yet() -> Decision {\n    panic!(\"no answer yet\")\n}\n";
    let policy = project.join("src/lib.rs");
    let text = fs::read_to_string(&policy).expect("there is a policy");
    fs::write(&policy, text + function).expect("it can be written");
    let component = "night-shift/target/wasm32-wasip2/release/night_shift.wasm";
    let broken = ("src/lib.rs", "return Decision::Accept;", "return not_yet();");
    let told = told_of(place, project, broken, "cargo build", component, &[]);
    let (said, place) = told.split_once("(wasm").unwrap_or_default();
    assert!(said.contains("panicked at src/lib.rs:") && said.contains("no answer yet"), "{told}");
    assert!(place.contains(", in night_shift::not_yet < "), "{told}");
}

/// What `reprieve policy test` tells of a success where a line of the policy is another.
fn told_of(
    place: &Place,
    project: &Path,
    (file, line, broken): (&str, &str, &str),
    build: &str,
    component: &str,
    environment: &[(&str, PathBuf)],
) -> String {
    let policy = project.join(file);
    let text = fs::read_to_string(&policy).expect("there is a policy");
    assert!(text.contains(line), "{text}");
    fs::write(&policy, text.replace(line, broken)).expect("it can be written");
    let commands = commands(project);
    let build = commands.iter().rfind(|command| command.starts_with(build)).expect("it is built");
    let ours = Path::new(env!("CARGO_BIN_EXE_reprieve")).parent().expect("it is in a directory");
    let path = std::env::var("PATH").expect("there is a path");
    let built = Command::new("sh")
        .args(["-c", build])
        .current_dir(project)
        .env("PATH", format!("{}:{path}", ours.display()))
        .env("CARGO_NET_OFFLINE", "true")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("a shell starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = place.reprieve(&["policy", "test", component]);
    let told = ran.stdout.lines().find_map(|line| line.strip_prefix("  a success: "));
    told.unwrap_or_else(|| panic!("{ran}")).to_owned()
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_python_tests_itself_and_builds() {
    let venv = installed("python");
    if !venv.join("bin/componentize-py").exists() {
        println!("SKIPPED: componentize-py is not installed; `tests/run` installs it");
        return;
    }
    let place = Place::new();
    let project = new(&place, "python");
    symlink(&venv, project.join("venv")).expect("a link");
    follow(&project, &[("PYTHONDONTWRITEBYTECODE", "1".into())]);
}

#[test]
fn a_project_in_javascript_tests_itself_and_builds() {
    node("javascript");
}

#[test]
fn a_project_in_typescript_tests_itself_and_builds() {
    node("typescript");
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_lua_tests_itself_and_builds() {
    if !installed("javascript").join("node_modules/fengari").exists() {
        println!("SKIPPED: fengari is not installed; `tests/run` installs it");
        return;
    }
    node("lua");
}

#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn node(language: &str) {
    let modules = installed("javascript").join("node_modules");
    if !modules.join(".bin/componentize-qjs").exists() || !modules.join(".bin/tsc").exists() {
        println!("SKIPPED: componentize-qjs or TypeScript is not installed; `tests/run` installs them");
        return;
    }
    let place = Place::new();
    let project = new(&place, language);
    link(&modules, &project.join("node_modules"));
    let guest = if language == "lua" { "../sdk/javascript" } else { "../sdk" };
    symlink(guest, project.join("node_modules/reprieve-guest")).expect("a link");
    follow(&project, &[]);
    let javascript = ("if (!failure) return accept();", "if (!failure) throw new Error(\"no answer yet\");");
    let lua = (
        "if not failure then return reprieve.accept() end",
        "if not failure then error(\"no answer yet\") end",
    );
    let (file, (line, broken), words) = match language {
        "lua" => ("policy.lua", lua, "policy.lua:38: no answer yet"),
        "typescript" => ("policy.ts", javascript, "Error: no answer yet, in policy.ts, line "),
        _ => ("policy.js", javascript, "Error: no answer yet, in policy.js, line "),
    };
    let broken = (file, line, broken);
    let told = told_of(&place, &project, broken, "npm run build", "night-shift/night-shift.wasm", &[]);
    assert!(told.contains(words), "{told}");
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_assemblyscript_tests_itself_and_builds() {
    let modules = installed("assemblyscript").join("node_modules");
    if !modules.join(".bin/asc").exists() {
        println!("SKIPPED: AssemblyScript is not installed; `tests/run` installs it");
        return;
    }
    let place = Place::new();
    let project = new(&place, "assemblyscript");
    link(&modules, &project.join("node_modules"));
    symlink("../sdk", project.join("node_modules/reprieve-assemblyscript")).expect("a link");
    follow(&project, &[]);
}

#[test]
fn a_project_in_c_tests_itself_and_builds() {
    ziglang("c");
}

#[test]
fn a_project_in_cpp_tests_itself_and_builds() {
    ziglang("cpp");
}

#[test]
fn a_project_in_zig_tests_itself_and_builds() {
    ziglang("zig");
}

fn ziglang(language: &str) {
    ziglang_with(language, &[]);
}

#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn ziglang_with(language: &str, more: &[(&str, PathBuf)]) {
    let venv = installed("zig");
    if !venv.join("bin/python-zig").exists() || Command::new("make").arg("--version").output().is_err() {
        println!("SKIPPED: ziglang, which `tests/run` installs, or make is not installed");
        return;
    }
    let place = Place::new();
    let project = new(&place, language);
    let venv = venv.canonicalize().expect("it is there");
    symlink(&venv, project.join("venv")).expect("a link");
    // What is compiled once is kept from one run of the tests to the next.
    let cache = venv.join("cache");
    let caches = [("ZIG_GLOBAL_CACHE_DIR", cache.clone()), ("ZIG_LOCAL_CACHE_DIR", cache)];
    let environment = [&caches[..], more].concat();
    follow(&project, &environment);
    if language == "zig" {
        let broken = (
            "policy.zig",
            "orelse return .accept;",
            "orelse @panic(attempts.all[attempts.all.len].stderr_tail);",
        );
        let told = told_of(&place, &project, broken, "make", "night-shift/night-shift.wasm", &environment);
        assert!(told.contains("panic: index out of bounds: index 1, len 1"), "{told}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_d_tests_itself_and_builds() {
    let installed = installed("d");
    if !installed.join("bin/ldc2").exists() || Command::new("make").arg("--version").output().is_err() {
        println!("SKIPPED: ldc2, which `tests/run` fetches, or make is not installed");
        return;
    }
    let place = Place::new();
    let project = new(&place, "d");
    follow(&project, &[("BIN", installed.canonicalize().expect("it is there").join("bin"))]);
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_nim_tests_itself_and_builds() {
    let nim = installed("nim");
    if !nim.join("bin/nim").exists() {
        println!("SKIPPED: nim is not installed; `tests/run` fetches it");
        return;
    }
    ziglang_with("nim", &[("BIN", nim.canonicalize().expect("it is there").join("bin"))]);
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn a_project_in_go_tests_itself_and_builds() {
    let installed = installed("go");
    if !installed.join("bin/go").exists() {
        println!("SKIPPED: Go is not installed; `tests/run` installs it");
        return;
    }
    let place = Place::new();
    let project = new(&place, "go");
    symlink(installed.canonicalize().expect("it is there"), project.join("venv")).expect("a link");
    let bin = installed.canonicalize().expect("it is there").join("bin");
    // It keeps what it compiles beside itself, and fetches nothing.
    let (cache, path) = (bin.join("../cache"), bin.join("../path"));
    let alone = [("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", ""), ("GOWORK", "off")];
    let alone = alone.map(|(name, value)| (name, PathBuf::from(value)));
    follow(&project, &[&alone[..], &[("GOCACHE", cache), ("GOPATH", path)]].concat());
}

#[test]
fn what_to_type_next_is_what_the_readme_says() {
    let place = Place::new();
    insta::assert_snapshot!(place.reprieve(&["policy", "new", "--lang", "python", "night_shift"]), @r"
    exit code 0
    --- stdout
    night_shift: a policy in Python; its README.md says what is what

    next:
      cd night_shift
      python3 -m venv venv && venv/bin/pip install componentize-py==0.25.1  # once
      venv/bin/python -m unittest
      venv/bin/python -m reprieve_guest build policy.py -o night_shift.wasm
      reprieve policy test night_shift.wasm --situations situations.toml
    ");
    let readme = place.lines("night_shift/README.md").join("\n");
    assert!(readme.contains("```sh\npython3 -m venv") && !readme.contains("my-policy"), "{readme}");
}

#[test]
fn what_cannot_be_made_is_told_with_the_way_out() {
    let place = Place::new();
    new(&place, "rust");
    let again =
        |name: &str, language: &str| -> Ran { place.reprieve(&["policy", "new", "--lang", language, name]) };
    insta::assert_snapshot!(again("night-shift", "rust"), @r"
    exit code 2
    --- stderr
    error: `night-shift` is there already
    hint: choose another name, or move it away
    ");
    insta::assert_snapshot!(again("../night", "rust"), @r"
    exit code 2
    --- stderr
    error: invalid value '../night' for '<NAME>': a name is letters, digits, `-` and `_`, a letter first, such as `night-shift`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(again("night", "haskell"), @r"
    exit code 2
    --- stderr
    error: invalid value 'haskell' for '--lang <LANG>'
      [possible values: rust, python, javascript, typescript, assemblyscript, lua, c, cpp, zig, d, nim, go]

    For more information, try '--help'.
    ");
    assert!(again("plus", "c++").code == 0 && place.path("plus/policy.cpp").exists());
    let reserved = "it means something to the tools that build policies; for example `night-shift` does not";
    for (name, problem) in [
        ("node_modules", reserved),
        ("match", reserved),
        ("reprieve-guest", reserved),
        (".", "a name is letters, digits"),
        (&"a".repeat(300), "a name has at most 64 characters, and this has 300"),
    ] {
        let ran = again(name, "rust");
        assert!(ran.code == 2 && ran.stderr.contains(&format!("for '<NAME>': {problem}")), "{ran}");
    }
    assert!(!place.path("night").exists());
}

/// Every file below a directory, from there.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("it reads").path()) {
        if path.is_dir() {
            files.extend(below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// A file that was added after the command was built would be missing: cargo does not watch folders.
#[test]
fn a_project_holds_the_sdk_as_it_is_in_the_tree() {
    let sdks = [
        ("rust", "rust/src", "sdk/src"),
        ("rust", "../wit", "sdk/wit"),
        ("python", "python/reprieve_guest", "reprieve_guest"),
        ("javascript", "../wit", "sdk/wit"),
        ("assemblyscript", "assemblyscript/assembly", "sdk/assembly"),
        ("lua", "../wit", "sdk/javascript/wit"),
        ("c", "c/src", "sdk/src"),
        ("zig", "zig/src", "sdk/src"),
        ("d", "d/source", "sdk/source"),
        ("nim", "nim/src", "sdk/src"),
        ("go", "go", "sdk"),
    ];
    for (language, from, to) in sdks {
        let place = Place::new();
        let project = new(&place, language);
        let from = root().join("guest-sdk").join(from);
        // Of the Go module, whose files lie beside them, what is not these.
        let not_ours = ["__pycache__", "README.md", "examples/", "template/", "_test.go"];
        let ours = |path: &&PathBuf| !not_ours.iter().any(|part| path.to_string_lossy().contains(part));
        for file in below(&from).iter().filter(ours) {
            let copy = project.join(to).join(file.strip_prefix(&from).expect("it is below"));
            let hint = "touch host/src/cli/policy/new/languages.rs";
            assert_eq!(fs::read(file).ok(), fs::read(&copy).ok(), "{}: {hint}", copy.display());
        }
    }
}
