//! Output, cut into lines that can be judged one by one.
//!
//! It knows colours, progress bars, log levels and the shape of a Python
//! traceback. Which words mean which failure is not known here.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

use super::EVIDENCE_CHARS;

/// How much of a stream's end is read, in bytes: more than the host keeps.
const STREAM_BYTES: usize = 256 * 1024;
/// How much of a line's start is read, in bytes: the longest message known to
/// us, of cudarc without a driver, has 900.
const LINE_BYTES: usize = 4096;

/// A line without colours and control characters.
pub(super) struct Line<'a> {
    pub text: Cow<'a, str>,
    /// It ends a traceback that Python chained to the one before it: what the
    /// one before says is the cause, what this one says came of it.
    pub linked: bool,
    /// It ends a traceback that did not end the program.
    pub quiet: bool,
}

/// How the program itself marked a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// An error, or nothing that says otherwise.
    Error,
    /// A warning, or a failure that the program says it will try again.
    Warning,
    /// Information for a reader, no complaint.
    Info,
}

/// The lines of a text, without blank ones and without a traceback's frames.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let start = text.ceil_char_boundary(text.len().saturating_sub(STREAM_BYTES));
    let mut traceback = Traceback::default();
    // A progress bar overwrites its line with a carriage return.
    text[start..].split(['\n', '\r']).filter_map(move |raw| traceback.read(clean(raw)))
}

/// Where in a traceback the reader is.
#[derive(Default)]
struct Traceback {
    frames: Frames,
    /// The next header is chained to the traceback before.
    link_ahead: bool,
    /// The next header opens a traceback that does not end the program.
    quiet_ahead: bool,
    linked: bool,
    quiet: bool,
}

#[derive(Default)]
enum Frames {
    #[default]
    None,
    /// The header was the line before.
    Ahead,
    /// Indented from this column on, which is where a process's prefix ends.
    From(usize),
    /// Drawn in a box, by the `rich` library.
    Boxed,
}

impl Traceback {
    fn read<'a>(&mut self, text: Cow<'a, str>) -> Option<Line<'a>> {
        const LINKS: [&str; 2] =
            ["During handling of the above exception", "was the direct cause of the following exception"];
        // Python's `sys.unraisablehook`, `logging` and `atexit`; xformers
        // without Triton.
        const QUIET: [&str; 4] = [
            "Exception ignored",
            "--- Logging error ---",
            "Error in atexit._run_exitfuncs",
            "some optimizations will not be enabled",
        ];
        if text.contains("Traceback (most recent call last)") {
            self.frames = if text.contains('╭') { Frames::Boxed } else { Frames::Ahead };
            self.linked = std::mem::take(&mut self.link_ahead);
            self.quiet = std::mem::take(&mut self.quiet_ahead);
            return None;
        }
        if self.in_frames(&text) {
            return None;
        }
        if matches!(self.frames, Frames::None) {
            self.linked = false;
            self.quiet = false;
        }
        self.frames = Frames::None;
        self.link_ahead |= LINKS.iter().any(|link| text.contains(link));
        self.quiet_ahead |= QUIET.iter().any(|opener| text.contains(opener));
        (!text.trim().is_empty()).then_some(Line { text, linked: self.linked, quiet: self.quiet })
    }

    /// Whether this line is a traceback's frame, or code that one quotes.
    fn in_frames(&mut self, text: &str) -> bool {
        if let Frames::Ahead = self.frames {
            self.frames = text.find("  File \"").map_or(Frames::None, Frames::From);
        }
        match self.frames {
            Frames::From(column) => text.as_bytes().get(column).is_none_or(u8::is_ascii_whitespace),
            Frames::Boxed => text.trim_start().starts_with(['│', '╰']),
            Frames::None | Frames::Ahead => false,
        }
    }
}

/// The text without escape sequences and control characters, bounded.
pub(super) fn clean(raw: &str) -> Cow<'_, str> {
    let plain = raw.chars().all(|c| !c.is_control());
    if plain {
        return Cow::Borrowed(&raw[..raw.floor_char_boundary(LINE_BYTES)]);
    }
    let mut text = String::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next()
        && text.len() < LINE_BYTES
    {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => text.push(' '),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text.truncate(text.floor_char_boundary(LINE_BYTES));
    Cow::Owned(text)
}

/// Reads past the rest of an escape sequence (ECMA-48, 5.4 and 5.6).
fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        // A control sequence ends with a byte from `@` to `~`.
        Some('[') => drop(chars.find(|c| ('@'..='~').contains(c))),
        // A command string ends with BEL, or with an escape and a backslash.
        Some(']') => {
            while let Some(c) = chars.next() {
                match c {
                    '\u{7}' => break,
                    '\u{1b}' => {
                        chars.next();
                        break;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Whether the line is a progress bar or a rule, as tqdm, pip, curl and rich draw them.
pub(super) fn is_progress(line: &str) -> bool {
    static BAR: OnceLock<Regex> = OnceLock::new();
    let bar = BAR.get_or_init(|| {
        Regex::new(r"\d%\s*(?:$|[|\[(])|\d/\d+ \[|\b(?:it/s|s/it)\b|[█-▏━╸╺⠁-⣿]").expect("a valid pattern")
    });
    !line.chars().any(char::is_alphabetic) || bar.is_match(line)
}

/// How the program marked the line: by a level, by Python's warning category,
/// or by saying that it goes on.
pub(super) fn level(line: &str) -> Level {
    static MARK: OnceLock<Regex> = OnceLock::new();
    static GOES_ON: OnceLock<Regex> = OnceLock::new();
    // The first mark decides. NCCL's WARN is its level for errors (NCCL user
    // guide, NCCL_DEBUG). A letter before a date is glog's, before a source
    // file PyTorch's and TensorFlow's.
    let mark = MARK.get_or_init(|| {
        Regex::new(concat!(
            r#"(?P<error>NCCL WARN|\b[\w.]*(?:Error|Exception)\b|\b(?i:error|fatal|critical|failed)\b"#,
            r#"|\[[EF]\] |\[E |\b[EF]\d{3,4} \d\d:|: [EF] \w+/)"#,
            r#"|(?P<warning>(?:^|[\s\[(|:"*<-])WARN(?:ING)?\b|^(?i:warning):|\b\w*Warning:|\[W\] "#,
            r#"|\[W |\bW\d{3,4} \d\d:|: W \w+/|(?i:level"?[=:]\s?"?warn))"#,
            r#"|(?P<info>(?:^|[\s\[(|:"*<-])(?:INFO|DEBUG|TRACE|NOTICE)\b|^(?i:info|debug|note):|\[I\] "#,
            r#"|\[I |\bI\d{3,4} \d\d:|: I \w+/|(?i:level"?[=:]\s?"?(?:info|debug)))"#,
        ))
        .expect("a valid pattern")
    });
    let goes_on = GOES_ON.get_or_init(|| {
        Regex::new(concat!(
            r"(?i)\bretrying\b|\bwill (?:be )?retr|\bretry loop\b|\btrying again (?:in|after)\b",
            r"|\bfall(?:ing|s|en)? ?back\b|\battempt \d+ ?(?:/|of) ?\d+\b",
            r"|\bignor(?:ed|ing)\b|\bcontinuing\b|\bskipping\b",
        ))
        .expect("a valid pattern")
    });
    let marked = mark.captures(line);
    let is = |name| marked.as_ref().is_some_and(|found| found.name(name).is_some());
    if is("info") {
        Level::Info
    } else if line.contains("Retry(total=0") {
        // The last that urllib3 says of retries, and only as a warning.
        Level::Error
    } else if is("warning") || goes_on.is_match(line) {
        Level::Warning
    } else {
        Level::Error
    }
}

/// The part of a line to show, of at most `EVIDENCE_CHARS` characters: its
/// start, or what lies before the byte `end` where the start is too far away.
pub(super) fn excerpt(line: &str, end: usize) -> String {
    let line_start = line.len() - line.trim_start().len();
    let far = line[line_start..end.max(line_start)].chars().count() > EVIDENCE_CHARS;
    if !far {
        return line.trim().chars().take(EVIDENCE_CHARS).collect::<String>().trim_end().to_owned();
    }
    // A third of the room is left for what follows.
    let before = line[..end].char_indices().rev().nth(EVIDENCE_CHARS * 2 / 3).map_or(0, |(at, _)| at);
    let shown = line[before..].trim().chars().take(EVIDENCE_CHARS - 1).collect::<String>();
    format!("…{}", shown.trim_end())
}
