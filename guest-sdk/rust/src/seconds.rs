//! Reads settings that are spans of time.
//!
//! Rounds nothing: a setting is as fine as a number with a fraction is.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads a setting in seconds as a span of time, and refuses a negative one.
/// One that is too long is the longest there is.
///
/// ```
/// # use std::time::Duration;
/// #[derive(Debug, serde::Deserialize)]
/// struct Patience {
///     #[serde(rename = "delay_seconds", deserialize_with = "reprieve_guest::seconds")]
///     delay: Duration,
/// }
///
/// # let read = reprieve_guest::from_json::<Patience>;
/// assert_eq!(read(r#"{"delay_seconds": 0.5}"#).unwrap().delay, Duration::from_millis(500));
/// let refusal = read(r#"{"delay_seconds": -1}"#).unwrap_err();
/// assert_eq!(refusal, "`delay_seconds`: `-1` is negative, expected 0 or more");
/// ```
///
/// # Errors
///
/// Where it is no number, or negative.
pub fn seconds<'de, D: Deserializer<'de>>(setting: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(setting)?;
    if seconds < 0.0 {
        return Err(D::Error::custom(format!("`{seconds}` is negative, expected 0 or more")));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
