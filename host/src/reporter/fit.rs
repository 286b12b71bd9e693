//! Text that fits a terminal's line.
//!
//! Columns are counted as terminals do: colours have none, wide characters two.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};

/// The start of a line, with a mark where some of it is left out.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    truncate_str(text, columns, "…")
}

/// The lines that a text takes, broken between words where that can be; from
/// the second on they are indented, as far as that leaves room for words.
pub(super) fn wrap(text: &str, columns: usize, indent: usize) -> Vec<Cow<'_, str>> {
    let indent = " ".repeat(if indent > columns / 2 { 2.min(columns / 2) } else { indent });
    textwrap::wrap(
        text,
        textwrap::Options::new(columns)
            .subsequent_indent(&indent)
            .word_splitter(textwrap::WordSplitter::NoHyphenation),
    )
    .into_iter()
    // Spaces in a row that meet the end of a line would take one of their own.
    .filter(|line| text.is_empty() || !line.trim().is_empty())
    .map(|line| Cow::Owned(line.into_owned()))
    .collect()
}

/// A name without its middle where it is too long: names of one study are alike in the middle.
pub(super) fn shorten(name: &str, columns: usize) -> Cow<'_, str> {
    if measure_text_width(name) <= columns {
        return Cow::Borrowed(name);
    }
    let half = columns.saturating_sub(1) / 2;
    let start = truncate_str(name, columns.saturating_sub(1) - half, "");
    let mut end = String::new();
    for c in name.chars().rev() {
        let longer = format!("{c}{end}");
        if measure_text_width(&longer) > half {
            break;
        }
        end = longer;
    }
    Cow::Owned(format!("{start}…{end}"))
}

/// The name in exactly as many columns.
pub(super) fn pad(name: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(measure_text_width(name));
    format!("{name}{:missing$}", "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_keeps_its_ends() {
        assert_eq!(shorten("llama-70b-fp16-b128-s4096#12", 15), "llama-7…4096#12");
        assert_eq!(shorten("short", 15), "short");
        assert_eq!(shorten("長い名前の実験", 6), "長…験");
    }

    #[test]
    fn a_cut_line_keeps_its_colours_to_itself() {
        assert_eq!(cut("\u{1b}[31mfailed\u{1b}[0m: exit", 9), "\u{1b}[31mfailed\u{1b}[0m: …");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC{0,40}", columns in 1_usize..40) {
            prop_assert!(measure_text_width(&shorten(&text, columns)) <= columns);
            prop_assert!(measure_text_width(&cut(&text, columns)) <= columns);
        }

        #[test]
        fn what_is_wrapped_is_told_whole_and_is_not_wider_than_it_may_be(text in "[a-z ]{0,80}", columns in 4_usize..40) {
            let lines = wrap(&text, columns, 2);
            prop_assert!(lines.iter().all(|line| measure_text_width(line) <= columns), "{lines:?}");
            prop_assert!(lines.len() == 1 || !lines.iter().any(|line| line.trim().is_empty()), "{lines:?}");
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
