//! How long a remote service asked to be left alone.
//!
//! Reads the texts of errors, where the header `Retry-After` (RFC 9110,
//! section 10.2.3) ends up with most clients, and the sentences that services
//! write instead. Dates, the header's other form, are passed over: a policy
//! has no clock to compare them with.

use std::time::Duration;

use crate::Attempt;

/// What the span of time follows. A space stands for any of ` `, `-` and `_`.
const LEADS: [&str; 4] = ["retry after", "try again in", "try again after", "retry in"];

impl Attempt {
    /// How long a remote service asked to wait, if the evidence of the failure
    /// or the experiment's own report says so: "retry after 30 seconds",
    /// "Retry-After: 120", "try again in 1m30s".
    pub fn asked_to_wait(&self) -> Option<Duration> {
        let reported = self.self_report.as_ref().map(|report| report.message.as_str());
        let evidence = self.failure.as_ref().map(|failure| failure.evidence.as_str());
        [reported, evidence].into_iter().flatten().find_map(find)
    }
}

fn find(text: &str) -> Option<Duration> {
    let text = text.as_bytes();
    (0..text.len()).find_map(|start| {
        let rest = &text[start..];
        LEADS.iter().find_map(|lead| span(strip_lead(rest, lead.as_bytes())?))
    })
}

fn strip_lead<'a>(text: &'a [u8], lead: &[u8]) -> Option<&'a [u8]> {
    let same = |(have, want): (&u8, &u8)| match want {
        b' ' => b" -_".contains(have),
        _ => have.eq_ignore_ascii_case(want),
    };
    (text.len() >= lead.len() && text.iter().zip(lead).all(same)).then(|| &text[lead.len()..])
}

/// Reads `30`, `: 30`, `2.5 seconds`, `1m30s` at the start of the text.
fn span(text: &[u8]) -> Option<Duration> {
    let digits = text.iter().position(|byte| !b" :=\"'".contains(byte))?;
    let mut text = &text[digits..];
    let mut total = Duration::ZERO;
    let mut parts = 0;
    while text.first().is_some_and(u8::is_ascii_digit) {
        let (number, rest) = text.split_at(length(text, |byte| byte.is_ascii_digit() || byte == b'.'));
        let spaces = length(rest, |byte| byte == b' ');
        let (unit, after) =
            rest[spaces..].split_at(length(&rest[spaces..], |byte| byte.is_ascii_alphabetic()));
        let number: f64 = str::from_utf8(number).ok()?.trim_end_matches('.').parse().ok()?;
        let part = Duration::try_from_secs_f64(number * unit_seconds(unit)?).unwrap_or(Duration::MAX);
        total = total.saturating_add(part);
        parts += 1;
        text = after;
    }
    (parts > 0).then_some(total)
}

fn length(text: &[u8], within: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !within(*byte)).unwrap_or(text.len())
}

/// A number alone is seconds, as in the header. Any other word after it means
/// that the number is no span of time.
fn unit_seconds(unit: &[u8]) -> Option<f64> {
    match unit.to_ascii_lowercase().as_slice() {
        b"ms" | b"millisecond" | b"milliseconds" => Some(0.001),
        b"" | b"s" | b"sec" | b"secs" | b"second" | b"seconds" => Some(1.0),
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => Some(60.0),
        b"h" | b"hr" | b"hrs" | b"hour" | b"hours" => Some(3600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_texts_that_services_write_are_understood() {
        for (text, seconds) in [
            ("429 Too Many Requests, retry after 30 seconds", Some(30.0)),
            ("Retry-After: 120", Some(120.0)),
            (r#"{"retry_after": 1.5}"#, Some(1.5)),
            ("Rate limit reached. Please try again in 20s.", Some(20.0)),
            ("Please try again in 1m30s", Some(90.0)),
            ("Please try again in 250ms.", Some(0.25)),
            ("please try again after 2 minutes", Some(120.0)),
            ("Retry in 1 hour", Some(3600.0)),
            ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("will not retry after 3 attempts", None),
            ("429 Client Error: Too Many Requests", None),
            ("retry after", None),
            ("", None),
        ] {
            assert_eq!(find(text), seconds.map(Duration::from_secs_f64), "in `{text}`");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(retry after|try again in|)[ :]?[0-9.]{0,400}[ a-zA-Zé0-9.]{0,9}") {
            let _ = find(&text);
        }
    }
}
