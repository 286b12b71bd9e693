//! Words as one would type them to a shell, so that a hint can be copied.
//!
//! Starts none.

use std::borrow::Cow;
use std::path::Path;

/// A word, in single quotes where a shell would make something else of it
/// (POSIX.1-2017, Shell Command Language, 2.2.2).
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', "'\\''")))
    }
}

/// A path, as an argument of a command.
pub(crate) fn path(path: &Path) -> String {
    word(&path.to_string_lossy()).into_owned()
}

/// A whole command.
pub(crate) fn command(arguments: &[String]) -> String {
    arguments.iter().map(|argument| word(argument)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        #[expect(clippy::disallowed_methods, reason = "it is about what a shell does")]
        fn a_shell_reads_back_what_was_meant(words in proptest::collection::vec("[^\0]{0,12}", 1..4)) {
            let script = format!("printf '%s\\0' {}", command(&words));
            let said = Command::new("sh").args(["-c", &script]).output().expect("there is a shell").stdout;
            let expected: String = words.iter().flat_map(|word| [word, "\0"]).collect();
            prop_assert_eq!(String::from_utf8_lossy(&said), expected);
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        let words = ["reprieve", "resume", "runs/größe-1", "my runs/a", "it's", ""];
        assert_eq!(
            command(&words.map(str::to_owned)),
            r"reprieve resume runs/größe-1 'my runs/a' 'it'\''s' ''"
        );
    }
}
