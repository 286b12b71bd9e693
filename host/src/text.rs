//! Text of others, such as policies and registries, made fit for a terminal and a journal.

/// Escapes control characters, line breaks among them, and the marks that
/// change the direction of writing: each of them can make a line show what it
/// does not say.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let misleading = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || misleading {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for text of many lines, whose line breaks stay.
pub(crate) fn printable_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// The beginning of the text, at most so many bytes of it.
pub(crate) fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A reason as people read it: one line, and no more than so much of it.
pub(crate) fn line(text: &str) -> String {
    const REASON_BYTES: usize = 1_000;
    printable(clip(text, REASON_BYTES))
}

/// The end of the text, at most so many bytes of it.
pub(crate) fn tail(text: &str, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(bytes))..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printable_text_holds_no_control_characters(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(char::is_control));
        }

        #[test]
        fn clip_and_tail_keep_to_their_bound_and_their_end(text in any::<String>(), bytes in 0_usize..64) {
            prop_assert!(clip(&text, bytes).len() <= bytes && text.starts_with(clip(&text, bytes)));
            prop_assert!(tail(&text, bytes).len() <= bytes && text.ends_with(tail(&text, bytes)));
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(printable("a\u{1b}[2Jb\n\u{202e}c"), r"a\u{1b}[2Jb\n\u{202e}c");
        assert_eq!(printable_lines(b"a\r\nb\x07\xff"), "a\nb\\u{7}\u{fffd}");
    }
}
