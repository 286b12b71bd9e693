//! The text of a study file, and where it stands.
//!
//! Reading the file is all the input and output that `study` does.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StudyError;
use super::placeholders::literal;

/// A study file as it was read. Journaled, so that a resumed study reads the
/// same text with the same folder, whatever has become of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Absolute. Its folder is what relative paths in the study start from.
    pub path: PathBuf,
    /// How the text is to be read.
    pub format: Format,
    /// All of the file.
    pub text: String,
}

/// The languages a study file may be written in. Both say the same things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// YAML 1.2, with its core schema: `yes`, `no`, `on` and `off` are text.
    Yaml,
}

impl Source {
    /// Reads a study file. Its name tells the format: `.toml`, `.yaml` or `.yml`.
    ///
    /// # Errors
    ///
    /// Where the name has another ending, or the file cannot be read as UTF-8.
    pub fn load(path: &Path) -> Result<Self, StudyError> {
        let shown = path.display();
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Format::Toml,
            Some("yaml" | "yml") => Format::Yaml,
            _ => {
                let message = format!("cannot tell what language `{shown}` is written in");
                let hint = "a study's name ends in `.toml`, `.yaml` or `.yml`";
                return Err(StudyError::unreadable(path, message, Some(hint)));
            }
        };
        let failed = |error: std::io::Error| {
            StudyError::unreadable(path, format_args!("cannot read `{shown}`: {error}"), None)
        };
        let absolute = std::path::absolute(path).map_err(failed)?;
        // The journal is JSON, and JSON has no other text than Unicode.
        if absolute.to_str().is_none() {
            let message = format!("the path `{}` is not UTF-8", absolute.display());
            return Err(StudyError::unreadable(path, message, Some("move the study elsewhere")));
        }
        let bytes = std::fs::read(path).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("`{shown}` is not UTF-8, from byte {at} on");
            StudyError::unreadable(path, message, Some("save the file as UTF-8"))
        })?;
        Ok(Self { path: absolute, format, text })
    }

    /// The study of one experiment that runs this command, as a person would
    /// have written it. `measure` holds the stage's other keys.
    pub fn of_command(
        directory: &Path,
        command: &[String],
        settings: serde_json::Value,
        measure: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        let name = command.first().map_or("", |program| program.rsplit('/').next().unwrap_or(program));
        let mut measure = measure;
        measure.insert("command".to_owned(), command.iter().map(|arg| literal(arg)).collect());
        let text = serde_json::json!({
            "name": "exec",
            "slots": 1,
            "policy": { "settings": settings },
            "experiments": [{ "name": literal(name), "measure": measure }],
        });
        let text = serde_json::to_string_pretty(&text).expect("JSON values serialise");
        // JSON is YAML.
        Self { path: directory.join("exec.yaml"), format: Format::Yaml, text }
    }

    /// The folder that relative paths in the study start from.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}
