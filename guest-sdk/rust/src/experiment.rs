//! Looking things up in an experiment.

use std::str::FromStr;

use crate::{Experiment, Parameter};

impl Experiment {
    /// The value of a parameter, as the study file writes it.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        value(&self.parameters, name)
    }

    /// The value of a parameter, or `None` where it is not there or does not read as a `T`.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.parameter(name)?.parse().ok()
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        value(&self.labels, name)
    }

    /// Whether a decision may override this parameter.
    pub fn can_adjust(&self, name: &str) -> bool {
        self.adjustable.iter().any(|adjustable| adjustable == name)
    }

    /// Adds an adjustable parameter, for unit tests.
    #[must_use]
    pub fn with_adjustable(mut self, name: &str, value: impl ToString) -> Self {
        self.adjustable.push(name.to_owned());
        self.with_parameter(name, value)
    }

    /// Adds a parameter, for unit tests.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: impl ToString) -> Self {
        self.parameters.push(Parameter { name: name.to_owned(), value: value.to_string() });
        self
    }
}

fn value<'a>(among: &'a [Parameter], name: &str) -> Option<&'a str> {
    among.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
}
