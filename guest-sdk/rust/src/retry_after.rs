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
    // Most bytes start none of the leads, and are passed over at once.
    let mut starts = (0..text.len()).filter(|start| matches!(text[*start], b'r' | b'R' | b't' | b'T'));
    starts.find_map(|start| LEADS.iter().find_map(|lead| span(strip_lead(&text[start..], lead.as_bytes())?)))
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
    let mut text = &text[length(text, |byte| b" :=\"'".contains(&byte))..];
    let mut total = None;
    while text.first().is_some_and(u8::is_ascii_digit) {
        let (number, rest) = text.split_at(length(text, |byte| byte.is_ascii_digit() || byte == b'.'));
        let rest = &rest[length(rest, |byte| byte == b' ')..];
        let (unit, rest) = rest.split_at(length(rest, |byte| byte.is_ascii_alphabetic()));
        let part = Duration::from_millis(thousandths(number).saturating_mul(unit_ms(unit)?) / 1000);
        total = Some(total.unwrap_or(Duration::ZERO).saturating_add(part));
        text = rest;
    }
    total
}
fn length(text: &[u8], within: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !within(*byte)).unwrap_or(text.len())
}

/// Reads `12.34` as 12340: what a fraction has beyond three digits is cut.
/// By hand, because the standard library's way is tens of kilobytes of code.
fn thousandths(number: &[u8]) -> u64 {
    let mut parts = number.split(|byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default().iter().chain(b"000").take(3);
    whole
        .iter()
        .chain(fraction)
        .fold(0, |read: u64, digit| read.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// A number alone is seconds, as in the header. Any other word after it means
/// that the number is no span of time.
fn unit_ms(unit: &[u8]) -> Option<u64> {
    match unit.to_ascii_lowercase().as_slice() {
        b"ms" | b"millisecond" | b"milliseconds" => Some(1),
        b"" | b"s" | b"sec" | b"secs" | b"second" | b"seconds" => Some(1000),
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => Some(60_000),
        b"h" | b"hr" | b"hrs" | b"hour" | b"hours" => Some(3_600_000),
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
            ("retry after 1.23456789 s", Some(1.234)),
            ("retry after", None),
            ("", None),
        ] {
            assert_eq!(find(text), seconds.map(Duration::from_secs_f64), "in `{text}`");
        }
    }

    #[test]
    fn a_span_beyond_counting_is_a_very_long_one() {
        let asked = find("retry after 99999999999999999999 hours").unwrap();
        assert!(asked > Duration::from_secs(3600 * 24 * 365 * 1000));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(retry after|try again in|)[ :]?[0-9.]{0,400}[ a-zA-Zé0-9.]{0,9}") {
            let _ = find(&text);
        }
    }
}
