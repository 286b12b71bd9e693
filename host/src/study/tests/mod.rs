//! Study files in, studies or diagnostics out.
#![expect(clippy::too_many_lines, reason = "a test lists many messages, each with its text")]

mod problems;
mod properties;
mod reading;

use super::*;
use crate::attempt::Parameter;

fn source(format: Format, text: &str) -> Source {
    let path = match format {
        Format::Toml => "/studies/night.toml",
        Format::Yaml => "/studies/night.yaml",
    };
    Source { path: path.into(), format, text: text.to_owned() }
}

fn toml(text: &str) -> Study {
    Study::parse(&source(Format::Toml, text)).unwrap_or_else(|error| panic!("{error}"))
}

fn yaml(text: &str) -> Study {
    Study::parse(&source(Format::Yaml, text)).unwrap_or_else(|error| panic!("{error}"))
}

fn names(study: &Study) -> Vec<String> {
    study.ids().map(|id| study.name_of(id)).collect()
}

fn parameter(name: &str, value: &str) -> Parameter {
    Parameter { name: name.to_owned(), value: value.to_owned() }
}
