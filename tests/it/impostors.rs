//! What answers where a registry should be, and is none or means no good.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use insta::assert_snapshot;
use reprieve::study::Digest;

use crate::sharing::{place, policy, steady};

/// A registry that answers every request by its path with this, and its reference to a policy.
fn impostor(answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let reference = format!("oci://{}/lab/two-strikes:1.2", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for mut asking in listener.incoming().map_while(Result::ok) {
            let mut request = BufReader::new(asking.try_clone().expect("a second handle")).lines();
            let first = request.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).next();
            let path = first.unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
            // Whoever asks may have heard enough.
            let _ = answer(&path, &mut asking);
        }
    });
    reference
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n";

/// More than anybody would keep.
fn endless(to: &mut TcpStream) -> io::Result<()> {
    to.write_all(OK)?;
    to.write_all(b"\r\n")?;
    loop {
        to.write_all(&[b' '; 1 << 16])?;
    }
}

#[test]
fn what_does_not_end_is_refused_and_not_kept() {
    let place = place();
    let reference = impostor(|_, to| endless(to));
    assert_snapshot!(steady(&place.reprieve(&["policy", "pull", &reference])), @r"
    exit code 2
    --- stderr
    error: `oci://HOST/lab/two-strikes:1.2` is refused: its manifest does not end after `4194304` bytes
    hint: that is no policy's; ask whoever keeps `HOST`
    ");
    let reference = impostor(|path, to| {
        if !path.contains("/manifests/") {
            return if path == "/v2/" { to.write_all(&[OK, b"\r\n"].concat()) } else { endless(to) };
        }
        let digest = Digest::of(b"");
        let manifest = format!(
            r#"{{"config":{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"{digest}","size":0}},
                "layers":[{{"mediaType":"application/wasm","digest":"{digest}","size":1000}}]}}"#
        );
        write!(to, "{}\r\n{manifest}", String::from_utf8_lossy(OK))
    });
    let ran = place.reprieve(&["policy", "pull", &reference]);
    assert!(
        ran.code == 2 && ran.stderr.contains("its component does not end after `1000` bytes\nhint: "),
        "{ran}"
    );
    assert!(!place.path("cache/reprieve/policies").exists(), "{ran}");
}

#[test]
fn what_is_no_registry_and_what_is_not_there_are_told_apart() {
    let place = place();
    place.write("policy.wasm", policy("1.0.0"));
    let reference = impostor(|_, to| {
        to.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>")
    });
    assert_snapshot!(steady(&place.reprieve(&["policy", "pull", &reference])), @r"
    exit code 2
    --- stderr
    error: `HOST` does not answer as a registry does: it answers with status `404`
    hint: look at the host and the port; if a registry is there, at the name and the tag
    ");
    let pushed = place.reprieve(&["policy", "push", "policy.wasm", &reference]);
    assert!(pushed.code == 2 && pushed.stderr.contains("does not answer as a registry does"), "{pushed}");
    let reference = impostor(|_, to| to.write_all(&[OK, b"\r\n<html>sign in to this network"].concat()));
    let ran = place.reprieve(&["policy", "pull", &reference]);
    assert!(ran.code == 2 && ran.stderr.contains("what it gives for a manifest is not JSON"), "{ran}");
    let reference = impostor(|_, to| {
        to.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"errors\":[{\"code\":\"GONE\"}]}")
    });
    let ran = place.reprieve(&["policy", "pull", &reference]);
    assert!(ran.code == 2 && ran.stderr.contains("error: there is no `oci://"), "{ran}");
    let reference = impostor(|_, to| {
        to.write_all(b"HTTP/1.1 429 Slow Down\r\nConnection: close\r\n\r\n{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}")
    });
    assert_snapshot!(steady(&place.reprieve(&["policy", "pull", &reference])), @r#"
    exit code 2
    --- stderr
    error: `HOST` refuses `oci://HOST/lab/two-strikes:1.2`: "TOOMANYREQUESTS"
    hint: try again later; where it stays, whoever keeps the registry knows more
    "#);

    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let nobody = format!("oci://{free}/lab/two-strikes:1.2");
    assert_snapshot!(steady(&place.reprieve(&["policy", "pull", &nobody])), @r"
    exit code 2
    --- stderr
    error: `oci://HOST/lab/two-strikes:1.2` cannot be reached: tcp connect error: Connection refused (os error 111)
    hint: does anything listen at `HOST`? Start the registry there, or look at the port; what is locked and has been pulled needs no registry
    ");
    let pushed = place.reprieve(&["policy", "push", "policy.wasm", &nobody]);
    assert!(pushed.code == 2 && pushed.stderr.contains("hint: does anything listen at "), "{pushed}");
}
