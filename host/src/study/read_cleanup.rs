//! The schema of a study file's `cleanup`.

use std::time::Duration;

use super::read::STAGE_POLICY_KEYS;
use super::reader::Reader;
use super::tree::Node;
use super::{CleanupRules, Hook, PolicySpec};

const CLEANUP_KEYS: [&str; 3] = ["policy", "hooks", "unclean"];
const HOOK_KEYS: [&str; 2] = ["command", "timeout"];

/// How long a hook may take, where nothing else is said.
const HOOK_TIMEOUT: Duration = Duration::from_secs(60);

impl Reader<'_> {
    pub(super) fn cleanup(&mut self, node: &Node) -> CleanupRules {
        let table = self.table(node, "`cleanup`", &CLEANUP_KEYS);
        let policy = table.get("policy").map(|node| {
            let table = self.table(node, "`policy`", &STAGE_POLICY_KEYS);
            self.policy(&table, &PolicySpec::default())
        });
        let hooks = table.get("hooks").map_or(&[][..], |node| self.map(node, "`hooks`"));
        let hooks = hooks.iter().map(|(name, node)| (name.name.clone(), self.hook(&name.name, node)));
        let hooks = hooks.collect();
        let choices = [("quarantine", false), ("use", true)];
        let use_unclean = table.get("unclean").is_some_and(|node| self.choice(node, "`unclean`", &choices));
        CleanupRules { policy, hooks, use_unclean }
    }

    fn hook(&mut self, name: &str, node: &Node) -> Hook {
        let table = self.table(node, &format!("the hook `{name}`"), &HOOK_KEYS);
        let nodes = table.get("command").map_or(&[][..], |node| self.list(node, "`command`"));
        let command: Vec<String> = nodes.iter().map(|node| self.scalar(node, "an argument")).collect();
        if command.is_empty() {
            self.wrong(table.span, format!("the hook `{name}` has no `command`"));
        }
        let timeout = table.get("timeout").map(|node| self.duration(node, "`timeout`"));
        Hook { command, timeout: timeout.unwrap_or(HOOK_TIMEOUT) }
    }
}
