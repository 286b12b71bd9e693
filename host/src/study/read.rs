//! The schema of a study file, apart from its experiments.

use std::time::Duration;

use super::error::{Problem, Problems};
use super::expand::expand;
use super::reader::{Reader, Table, unsigned};
use super::tree::{Node, Value};
use super::{
    CleanupRules, Fallback, Limits, NoPolicy, NvmlRules, Order, PatternSpec, Policies, PolicyComponent,
    PolicyLimits, PolicySpec, Source, Span, Study, StudyError, tree,
};
use crate::attempt::{FailureClass, Stage};

/// The most devices of one machine, and the most that an experiment may hold:
/// beyond any machine there is, and small enough that a slip is noticed.
pub(super) const MOST_DEVICES: u32 = 1024;

const STUDY_KEYS: [&str; 13] = [
    "name",
    "seed",
    "order",
    "repeats",
    "slots",
    "interrupt_grace",
    "policy",
    "cleanup",
    "nvml",
    "limits",
    "patterns",
    "defaults",
    "experiments",
];
pub(super) const STAGE_POLICY_KEYS: [&str; 4] = ["use", "fallback", "settings", "limits"];
const POLICY_KEYS: [&str; 7] = ["use", "fallback", "settings", "limits", "prepare", "measure", "finish"];
const POLICY_LIMIT_KEYS: [&str; 10] = [
    "fuel",
    "deadline",
    "memory_bytes",
    "table_elements",
    "instances",
    "stack_bytes",
    "hostcall_bytes",
    "answer_bytes",
    "plan_steps",
    "log_bytes",
];
const LIMIT_KEYS: [&str; 3] = ["max_attempts", "max_delay", "max_duration"];
const PATTERN_KEYS: [&str; 2] = ["class", "regex"];

/// Reads a study, or says all that is wrong with it.
pub(super) fn study(source: &Source) -> Result<Study, StudyError> {
    let mut problems = Problems::default();
    let Some(root) = tree::parse(source, &mut problems) else {
        problems.into_result(source)?;
        unreachable!("without a tree there is a problem");
    };
    let mut reader = Reader::new(source, problems);
    let study = reader.study(&root);
    reader.problems.into_result(source)?;
    Ok(study)
}

impl Reader<'_> {
    fn study(&mut self, root: &Node) -> Study {
        // An empty YAML file is a null; what it lacks says more than that.
        let table = match root.value {
            Value::Null => Table::EMPTY,
            _ => self.table(root, "a study", &STUDY_KEYS),
        };
        let name = self.study_name(&table);
        let seed = table.get("seed").map_or(0, |node| self.integer(node, "`seed`", 0..=u64::MAX));
        let orders = [
            ("sequential", Order::Sequential),
            ("interleaved", Order::Interleaved),
            ("shuffled", Order::Shuffled),
        ];
        let order =
            table.get("order").map_or(Order::Sequential, |node| self.choice(node, "`order`", &orders));
        let slots = table.get("slots").map(|node| self.integer(node, "`slots`", 1..=MOST_DEVICES));
        let grace = table.get("interrupt_grace").map(|node| self.duration(node, "`interrupt_grace`"));
        let policies = self.policies(table.get("policy"));
        let cleanup = table.get("cleanup").map_or_else(CleanupRules::default, |node| self.cleanup(node));
        let nvml = table.get("nvml").map_or_else(NvmlRules::default, |node| self.nvml(node));
        let limits = table.get("limits").map_or_else(Limits::default, |node| self.limits(node));
        let patterns = table.get("patterns").map_or_else(Vec::new, |node| self.patterns(node));
        let templates = self.templates(&table, slots);
        let cells = expand(&templates, order, seed, &mut self.problems);
        Study {
            name,
            seed,
            order,
            slots,
            interrupt_grace: grace.unwrap_or(Duration::from_secs(60)),
            policies,
            cleanup,
            nvml,
            limits,
            patterns,
            folder: self.source.folder().to_owned(),
            templates: templates.into_iter().map(|named| named.template).collect(),
            cells,
        }
    }

    fn study_name(&mut self, table: &Table<'_>) -> String {
        if table.lacks("name") {
            let problem = Problem::at(Span::default(), "the study has no `name`");
            self.problems.add(problem.hint("write `name` first in the file"));
        }
        let Some(node) = table.get("name") else { return String::new() };
        let name = self.text(node, "`name`");
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let first = name.chars().next();
        let fit = first.is_some_and(|c| c.is_ascii_alphanumeric()) && name.len() <= 100;
        if matches!(node.value, Value::Text(_)) && !(fit && name.chars().all(allowed)) {
            let message = "a study's name is made of `a` to `z`, `0` to `9`, `.`, `_` and `-`, \
                           and starts with a letter or a digit";
            let problem = Problem::at(node.span, message);
            let lower = name.to_ascii_lowercase().replace(|c: char| !allowed(c), "-");
            let proposal: String = lower.trim_start_matches(['.', '_', '-']).chars().take(100).collect();
            self.problems.add(if proposal.is_empty() {
                problem
            } else {
                problem.hint(format!("for example `{proposal}`"))
            });
        }
        name
    }

    fn policies(&mut self, node: Option<&Node>) -> Policies {
        let Some(node) = node else {
            return Policies { study: PolicySpec::default(), by_stage: [None, None, None] };
        };
        let table = self.table(node, "`policy`", &POLICY_KEYS);
        let study = self.policy(&table, &PolicySpec::default());
        let by_stage = Stage::ALL.map(|stage| {
            let node = table.get(stage.name())?;
            let table = self.table(node, &format!("`{}`", stage.name()), &STAGE_POLICY_KEYS);
            Some(self.policy(&table, &study))
        });
        Policies { study, by_stage }
    }

    /// What is left out is as in `base`, apart from the settings of another
    /// component: it would not know them.
    pub(super) fn policy(&mut self, table: &Table<'_>, base: &PolicySpec) -> PolicySpec {
        let fallbacks =
            [("standard", Fallback::Standard), ("give-up", Fallback::GiveUp), ("stop", Fallback::Stop)];
        let component = table.get("use").map(|node| self.component(node));
        let fallback = table.get("fallback").map(|node| self.choice(node, "`fallback`", &fallbacks));
        let settings = match table.get("settings") {
            Some(node) => match self.json(node) {
                serde_json::Value::Object(settings) => settings,
                _ => {
                    self.map(node, "`settings`");
                    serde_json::Map::new()
                }
            },
            None if component.as_ref().is_some_and(|component| *component != base.component) => {
                serde_json::Map::new()
            }
            None => base.settings.clone(),
        };
        PolicySpec {
            component: component.unwrap_or_else(|| base.component.clone()),
            fallback: fallback.unwrap_or(base.fallback),
            settings,
            limits: table.get("limits").map_or(base.limits, |node| self.policy_limits(node, base.limits)),
        }
    }

    fn component(&mut self, node: &Node) -> PolicyComponent {
        let name = self.text(node, "`use`");
        if !matches!(node.value, Value::Text(_)) {
            return PolicyComponent::Standard;
        }
        PolicyComponent::named(&name, self.source.folder()).unwrap_or_else(|NoPolicy { message, hint }| {
            self.problems.add(Problem::at(node.span, message).hint(hint));
            PolicyComponent::Standard
        })
    }

    fn policy_limits(&mut self, node: &Node, base: PolicyLimits) -> PolicyLimits {
        let table = self.table(node, "`limits`", &POLICY_LIMIT_KEYS);
        let mut number = |key: &str, base: Option<u64>| match table.get(key) {
            Some(node) => Some(self.integer(node, &format!("`{key}`"), 1..=u64::MAX)),
            None => base,
        };
        PolicyLimits {
            fuel: number("fuel", base.fuel),
            memory_bytes: number("memory_bytes", base.memory_bytes),
            table_elements: number("table_elements", base.table_elements),
            instances: number("instances", base.instances),
            stack_bytes: number("stack_bytes", base.stack_bytes),
            hostcall_bytes: number("hostcall_bytes", base.hostcall_bytes),
            answer_bytes: number("answer_bytes", base.answer_bytes),
            plan_steps: number("plan_steps", base.plan_steps),
            log_bytes: number("log_bytes", base.log_bytes),
            deadline: match table.get("deadline") {
                Some(node) => Some(self.duration(node, "`deadline`")),
                None => base.deadline,
            },
        }
    }

    /// A value as JSON has it.
    fn json(&mut self, node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(nodes) => nodes.iter().map(|node| self.json(node)).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, node)| (key.name.clone(), self.json(node))).collect()
            }
            Value::Number(text) => {
                let whole = unsigned(text).map(Into::into).or_else(|| Some(text.parse::<i64>().ok()?.into()));
                let float = || serde_json::Number::from_f64(text.parse().ok()?);
                let Some(number) = whole.or_else(float) else {
                    self.wrong(node.span, format!("`{text}` is no number in JSON, which settings become"));
                    return serde_json::Value::Null;
                };
                serde_json::Value::Number(number)
            }
        }
    }

    fn limits(&mut self, node: &Node) -> Limits {
        let table = self.table(node, "`limits`", &LIMIT_KEYS);
        let default = Limits::default();
        let attempts = table.get("max_attempts");
        let delay = table.get("max_delay");
        let duration = table.get("max_duration");
        Limits {
            max_attempts: attempts
                .map_or(default.max_attempts, |node| self.integer(node, "`max_attempts`", 1..=u32::MAX)),
            max_delay: delay.map_or(default.max_delay, |node| self.duration(node, "`max_delay`")),
            max_duration: duration.map(|node| self.duration(node, "`max_duration`")),
        }
    }

    fn patterns(&mut self, node: &Node) -> Vec<PatternSpec> {
        let nodes = self.list(node, "`patterns`");
        nodes.iter().map(|node| self.pattern(node)).collect()
    }

    fn pattern(&mut self, node: &Node) -> PatternSpec {
        let table = self.table(node, "a pattern", &PATTERN_KEYS);
        for key in PATTERN_KEYS.iter().filter(|key| table.lacks(key)) {
            self.wrong(table.span, format!("the pattern has no `{key}`"));
        }
        let classes = FailureClass::ALL.map(|class| (class.name(), class));
        let class = table.get("class").map(|node| self.choice(node, "`class`", &classes));
        let regex = table.get("regex").map(|node| {
            let regex = self.text(node, "`regex`");
            if let Err(error) = regex::Regex::new(&regex) {
                // The library draws the pattern with a caret of its own; the
                // reason is the last line.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.wrong(node.span, format!("`regex` is no regular expression: {reason}"));
            }
            regex
        });
        PatternSpec { class: class.unwrap_or(FailureClass::Unknown), regex: regex.unwrap_or_default() }
    }
}
