//! Reads a policy's settings.
//!
//! Settings are small and read once a call, so this spends nothing on speed
//! beyond what `serde_json` does by itself. The person who mistyped a setting
//! is the reader of every error here.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Reads settings into a type that derives `serde::Deserialize`, most simply
/// the policy itself. Give it `#[serde(default, deny_unknown_fields)]`: then
/// each setting has a default, and a mistyped name is refused.
///
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Patience {
///     retries: u32,
/// }
///
/// impl Default for Patience {
///     fn default() -> Self {
///         Self { retries: 3 }
///     }
/// }
///
/// # let read = reprieve_guest::from_json::<Patience>;
/// assert_eq!(read("{}").unwrap().retries, 3);
/// assert_eq!(read(r#"{"retrys": 5}"#).unwrap_err(), "unknown field `retrys`, expected `retries`");
/// assert_eq!(read(r#"{"retries": -1}"#).unwrap_err(), "`retries`: invalid value: integer `-1`, expected u32");
/// ```
///
/// # Errors
///
/// Says what is wrong, and with which setting.
pub fn from_json<T: DeserializeOwned>(settings: &str) -> Result<T, String> {
    serde_json::from_str(settings).map_err(|error| {
        let error = without_position(&error);
        match culprit::<T>(settings, &error) {
            Some(name) if !error.contains(&format!("`{name}`")) => format!("`{name}`: {error}"),
            _ => error,
        }
    })
}

/// Refuses anything but an empty object.
pub(crate) fn none(settings: &str) -> Result<(), String> {
    if settings.split_ascii_whitespace().eq(["{}"]) || settings.split_ascii_whitespace().eq(["{", "}"]) {
        return Ok(());
    }
    Err(format!("this policy has no settings, it was given `{settings}`"))
}

/// The setting that causes this error when it is read alone.
fn culprit<T: DeserializeOwned>(settings: &str, error: &str) -> Option<String> {
    let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(settings).ok()?;
    let fails_alike = |name: &String, value: &RawValue| {
        let alone = serde_json::from_str::<T>(&format!("{{\"{name}\":{value}}}"));
        alone.is_err_and(|alone| without_position(&alone) == error)
    };
    all.into_iter().find_map(|(name, value)| fails_alike(&name, &value).then_some(name))
}

/// The error without its line and column: people wrote their settings in a
/// study file, not in the JSON that the host made of it.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => text[..end].to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Two {
        first: u32,
        second: bool,
    }

    #[test]
    fn a_wrong_value_is_reported_with_the_name_of_its_setting() {
        let error = from_json::<Two>(r#"{"first": 1, "second": "yes"}"#).unwrap_err();
        assert_eq!(error, "`second`: invalid type: string \"yes\", expected a boolean");
    }

    #[test]
    fn an_unknown_setting_is_reported_with_the_known_ones() {
        let error = from_json::<Two>(r#"{"third": 1}"#).unwrap_err();
        assert_eq!(error, "unknown field `third`, expected `first` or `second`");
    }

    #[test]
    fn settings_that_are_no_object_are_refused() {
        for text in ["", "null", "3", "[", "{\"first\":"] {
            assert!(from_json::<Two>(text).is_err(), "`{text}` passed");
            assert!(none(text).is_err(), "`{text}` passed");
        }
    }

    #[test]
    fn a_policy_without_settings_takes_an_empty_object_only() {
        assert_eq!(none(" { } "), Ok(()));
        assert_eq!(none("{}"), Ok(()));
        assert!(none(r#"{"retries": 3}"#).is_err());
    }
}
