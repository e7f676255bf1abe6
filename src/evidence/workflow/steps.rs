//! Weaknesses of steps.

use std::collections::HashSet;

use super::access::{self, Events};
use super::expression::{self, Carried, spelt};
use super::jobs::{self, Around};
use super::read::{Step, Text, shown};
use super::taint::{Taint, Values, Writer};
use super::{Finder, piped};
use super::{heads, left, script, secrets, sinks};
use crate::model::step::{Weak, Weakness};

/// Inputs of well-known actions that are run as a script or a command line, as their own documentation says.
const RUN_BY_ACTIONS: [(&str, &str); 12] = [
    ("actions/github-script", "script"),
    ("azure/cli", "inlinescript"),
    ("azure/powershell", "inlinescript"),
    ("appleboy/ssh-action", "script"),
    ("nick-fields/retry", "command"),
    ("nick-invision/retry", "command"),
    ("addnab/docker-run-action", "run"),
    ("mikefarah/yq", "cmd"),
    ("cloudflare/wrangler-action", "command"),
    ("reactivecircus/android-emulator-runner", "script"),
    ("gradle/gradle-build-action", "arguments"),
    ("aws-actions/aws-cdk", "args"),
];

/// The name of an action in lower case, without its version.
pub(super) fn action(step: &Step<'_>) -> Option<String> {
    let uses = step.uses?.text.trim();
    Some(uses.split_once('@').map_or(uses, |(name, _)| name).trim_end_matches('/').to_ascii_lowercase())
}

/// The text of an input, whose name knows no case.
pub(super) fn input<'n>(step: &Step<'n>, name: &str) -> Option<Text<'n>> {
    step.with.iter().find(|pair| pair.key.eq_ignore_ascii_case(name)).map(|pair| pair.value)
}

pub(super) fn is_checkout(step: &Step<'_>) -> bool {
    action(step).is_some_and(|name| name == "actions/checkout" || name.ends_with("/checkout"))
}

/// Whose action it is, where it is neither GitHub's nor the repository's own.
pub(super) fn third_party(uses: &str, owner: Option<&str>) -> Option<String> {
    let name = uses.trim().split_once('@').map_or(uses.trim(), |(name, _)| name);
    if name.starts_with("./") || name.starts_with("../") {
        return None;
    }
    let of = name.split_once('/').map_or(name, |(of, _)| of).to_ascii_lowercase();
    let is_known = matches!(of.as_str(), "actions" | "github") || owner == Some(of.as_str());
    (!is_known).then(|| shown(name))
}

/// Looks at every step of a job.
pub(super) fn of_job(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let mut takes = 0;
    let has_head = heads::find(finder, around);
    let takes_files = has_head || around.job.steps.iter().any(heads::takes_artifact);
    for step in &around.job.steps {
        let env = finder.known.add(around.number, &around.env, &step.env);
        let events = access::guarded(step.condition, &around.events);
        let mut at = At { finder, around, step, events, env, takes_files };
        at.injections();
        at.environment();
        at.scripts();
        at.secrets_printed();
        at.conditions();
        takes += usize::from(left::cache_of(step).is_some());
        let third = step.uses.and_then(|uses| third_party(uses.text, finder.owner.as_deref()));
        secrets::handed(finder, around, step, third.as_deref());
    }
    left::credentials(finder, around);
    if takes > 0 {
        left::caches(finder, around, has_head);
    }
}

/// A step under examination.
pub(super) struct At<'f, 'a, 'd, 'x> {
    pub finder: &'f mut Finder<'x>,
    pub around: &'a Around<'a, 'd>,
    pub step: &'a Step<'d>,
    events: Events,
    env: Values,
    /// Whether the job takes files that strangers made: a pull request's head, an artifact.
    takes_files: bool,
}

impl<'d> At<'_, '_, 'd, '_> {
    pub fn push(&mut self, weakness: Weakness, line: u32, detail: String, is_exposed: bool) {
        let weak = place(weakness, self.around, self.step, line, detail, &self.events);
        self.finder.weak.push(Weak { is_exposed, ..weak });
    }

    /// Texts of this step that are run, with what they are.
    fn code(&self) -> Vec<(&'static str, Text<'d>)> {
        let mut found: Vec<(&str, Text<'_>)> = Vec::new();
        found.extend(self.step.run.map(|text| ("run", text)));
        found.extend(self.step.shell.map(|text| ("shell", text)));
        if let Some(name) = action(self.step) {
            let of_action = RUN_BY_ACTIONS.iter().filter(|(action, _)| *action == name);
            found.extend(of_action.filter_map(|(_, key)| input(self.step, key).map(|text| (*key, text))));
        }
        found
    }

    fn injections(&mut self) {
        for (sink, text) in self.code() {
            let mut seen: HashSet<String> = HashSet::new();
            for (offset, carried) in expression::carried(text.text) {
                let Some(taint) = self.finder.known.of_path(self.around.number, &self.env, &carried) else { continue };
                let weakness = match taint.writer {
                    Writer::Outsider => Weakness::TemplateInjection,
                    Writer::Insider => Weakness::InputInjection,
                };
                let detail = format!("{} is put into the text of `{sink}`", tell(&carried, &taint));
                if seen.insert(detail.clone()) {
                    let line = self.finder.line_at(text, offset);
                    self.push(weakness, line, detail, taint.is_sure);
                }
            }
        }
    }

    /// Text that is written for the runner.
    fn environment(&mut self) {
        let Some(run) = self.step.run else { return };
        if !sinks::SINKS.iter().any(|sink| run.text.contains(sink)) && !run.text.contains("::") {
            return;
        }
        let lines = self.finder.lines_of(run);
        let commands = script::commands(run.text);
        let env = self.finder.known.assigned(self.around.number, &self.env, &commands);
        for write in sinks::writes(&commands) {
            if write.sink == "GITHUB_STEP_SUMMARY" {
                continue;
            }
            let is_output = write.sink == "GITHUB_OUTPUT";
            let taint = self.finder.known.words(self.around.number, &env, &write.text);
            let line = lines.of(self.finder, run, write.line);
            match taint.filter(|taint| taint.writer == Writer::Outsider) {
                Some(taint) => {
                    let detail = format!("`{}` is written to {}", taint.source, write.sink);
                    self.push(Weakness::EnvironmentInjection, line, detail, !is_output && taint.is_sure);
                }
                None if !is_output && !write.is_fixed && self.takes_files && access::is_privileged(&self.events) => {
                    let detail = format!("what is written to {} is made while it runs", write.sink);
                    self.push(Weakness::EnvironmentInjection, line, detail, false);
                }
                None => {}
            }
        }
    }

    fn scripts(&mut self) {
        for (sink, text) in self.code() {
            if sink == "shell" || sink == "script" && action(self.step).as_deref() == Some("actions/github-script") {
                continue;
            }
            let lines = self.finder.lines_of(text);
            for (detail, line) in piped::find(text.text) {
                let line = lines.of(self.finder, text, line);
                self.push(Weakness::PipedScript, line, detail, true);
            }
        }
    }

    fn conditions(&mut self) {
        let events = self.around.events.clone();
        for (line, detail) in jobs::actors(self.step.condition, &events) {
            let weak = place(Weakness::SpoofableActor, self.around, self.step, line, detail, &events);
            self.finder.weak.push(weak);
        }
        let text = "ACTIONS_ALLOW_UNSECURE_COMMANDS";
        let by_env = jobs::insecure(&self.step.env);
        let by_run = self.step.run.filter(|run| run.text.contains(text));
        let written = by_run.is_some_and(|run| {
            sinks::writes(&script::commands(run.text)).iter().any(|write| write.text.contains(text))
        });
        if let Some(line) = by_env.or(self.step.run.filter(|_| written).map(|run| run.line)) {
            let detail = "ACTIONS_ALLOW_UNSECURE_COMMANDS lets printed text set variables and paths".to_owned();
            self.push(Weakness::InsecureCommands, line, detail, true);
        }
    }
}

/// A weakness at a step.
pub(super) fn place(
    weakness: Weakness,
    around: &Around<'_, '_>,
    step: &Step<'_>,
    line: u32,
    detail: String,
    events: &Events,
) -> Weak {
    let weak = jobs::weak(weakness, around.job.id, line, detail, events);
    Weak { step: step.label(), ..weak }
}
fn tell(carried: &Carried, taint: &Taint) -> String {
    let path = spelt(&carried.path);
    if path == taint.source { format!("`{path}`") } else { format!("`{path}`, which carries {},", taint.source) }
}
