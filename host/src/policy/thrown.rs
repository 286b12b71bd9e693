//! What a script threw, out of how the runtime of scripts in components (`componentize-qjs`) words its end.
//!
//! Knows that one runtime; what others write is left as it is.

use crate::text::printable;

/// Where in a policy's output the runtime began to word it, and the exception's message.
pub(super) fn thrown(written: &str) -> Option<(usize, String)> {
    let panic = written.rfind("panicked at crates/runtime/src/")?;
    let begin = written[..panic].rfind('\n').map_or(0, |before| before + 1);
    let (_, message) = written[panic..].split_once("Exception { message: Some(")?;
    // Both Rust's debug format and JSON escape quotes, backslashes and line breaks so.
    let message = serde_json::Deserializer::from_str(message).into_iter::<String>().next()?.ok()?;
    Some((begin, printable(&message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_runtime_s_end_the_exception_is_told() {
        let written = "said before\nthread '<unnamed>' (1) panicked at crates/runtime/src/interpreter.rs:51:31:\n\
                       Failed to call 'decide': Exception(Exception { message: Some(\"TypeError: a \\\"b\\\" \\\\ c, \
                       in policy.ts, line 51\"), stack: Some(\"    at decide (/policy.js:194:33)\\n\") })\n\
                       note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
        let (begin, message) = thrown(written).expect("it is an exception");
        assert_eq!(&written[..begin], "said before\n");
        assert_eq!(message, "TypeError: a \"b\" \\ c, in policy.ts, line 51");
        for other in [
            "",
            "thread 'main' panicked at src/lib.rs:1:1:\nException { message: Some(\"mine\")",
            "thread 'main' panicked at crates/runtime/src/call.rs:302:36:\nunknown enum case: moon",
        ] {
            assert_eq!(thrown(other), None, "{other}");
        }
    }
}
