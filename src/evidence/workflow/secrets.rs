//! Secrets: printed, written for later steps, handed to other people's actions, handed over as a whole.

use super::Finder;
use super::access;
use super::expression::{self, Part};
use super::jobs::Around;
use super::read::{Step, shown};
use super::script::{self, Command, Inside};
use super::sinks;
use super::steps::{At, place};
use crate::model::step::{Weak, Weakness};

impl At<'_, '_, '_, '_> {
    /// Secrets that are printed, or written for later steps.
    pub fn secrets_printed(&mut self) {
        let Some(run) = self.step.run else { return };
        let held: Vec<(String, String)> = self
            .around
            .secrets
            .iter()
            .chain(&self.step.env)
            .flat_map(|pair| {
                secrets_in(pair.value.text).into_iter().map(|secret| (pair.key.to_ascii_lowercase(), secret))
            })
            .collect();
        if held.is_empty() && !run.text.contains("secrets") && !run.text.contains("github.token") {
            return;
        }
        let in_words = |text: &str| {
            let variables: Vec<String> = script::variables(text).into_iter().map(str::to_ascii_lowercase).collect();
            let of_variable = held.iter().find(|(name, _)| variables.contains(name)).map(|(_, secret)| secret.clone());
            secrets_in(text).into_iter().next().or(of_variable)
        };
        let commands = script::commands(run.text);
        let mut found: Vec<(u32, String, bool)> = Vec::new();
        for write in sinks::writes(&commands) {
            if let Some(secret) = in_words(&write.text) {
                let detail = format!("{secret} is written to {}", write.sink);
                found.push((write.line, detail, !matches!(write.sink, "GITHUB_ENV" | "GITHUB_PATH")));
            }
        }
        for (at, command) in commands.iter().enumerate() {
            if let Some(secret) = printed(&commands, at, command).and_then(|text| in_words(&text)) {
                let is_exposed = !is_token(&secret);
                found.push((command.line, format!("{secret} is printed"), is_exposed));
            }
            if !held.is_empty() && dumps(command) && !is_piped(&commands, at) {
                found.push((
                    command.line,
                    format!("`{}` prints the environment, with {}", command.program(), first(&held)),
                    true,
                ));
            }
        }
        found.dedup();
        let lines = self.finder.lines_of(run);
        for (line, detail, is_exposed) in found {
            let line = lines.of(self.finder, run, line);
            self.push(Weakness::SecretInOutput, line, detail, is_exposed);
        }
    }
}

fn first(held: &[(String, String)]) -> &str {
    held.first().map_or("", |(_, secret)| secret)
}

/// What a command prints where everybody can read it: its words, or `None` where it prints nothing or what it prints
/// goes elsewhere. Filters keep a secret as it is, or change it so that the runner no longer masks it.
fn printed(commands: &[Command], at: usize, command: &Command) -> Option<String> {
    let prints = matches!(
        command.program().as_str(),
        "echo" | "printf" | "write-host" | "write-output" | "base64" | "xxd" | "rev"
    );
    if !prints
        || !command.into.is_empty()
        || matches!(command.parent, Some((_, Inside::Substitution | Inside::Process)))
    {
        return None;
    }
    if command.words.iter().any(|word| word.contains("::add-mask::")) {
        return None;
    }
    let mut from = at;
    for _ in 0..64 {
        let Some(next) = commands.iter().skip(from + 1).take(64).position(|next| next.reads == Some(from)) else {
            break;
        };
        from += next + 1;
        let next = commands.get(from)?;
        let keeps = matches!(
            next.program().as_str(),
            "base64"
                | "rev"
                | "sed"
                | "tr"
                | "xxd"
                | "cut"
                | "fold"
                | "od"
                | "cat"
                | "tee"
                | "awk"
                | "head"
                | "tail"
                | "hexdump"
        );
        if !keeps || !next.into.is_empty() {
            return None;
        }
    }
    Some(command.words.join(" "))
}

fn is_piped(commands: &[Command], at: usize) -> bool {
    let is_into = commands.get(at).is_some_and(|command| !command.into.is_empty() || command.parent.is_some());
    is_into || commands.iter().skip(at + 1).take(64).any(|next| next.reads == Some(at))
}

fn dumps(command: &Command) -> bool {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["env"] | ["printenv"] | ["set"] | ["export", "-p"] | ["export"])
}

/// Secrets that the expressions of a text hand over, as they are told.
pub(super) fn secrets_in(text: &str) -> Vec<String> {
    if !text.contains("${{") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, carried) in expression::carried(text) {
        let mut parts = carried.path.iter();
        match (parts.next(), parts.next()) {
            (Some(Part::Name(context)), Some(Part::Name(name))) if context == "secrets" => {
                found.push(format!("`secrets.{}`", shown(&name.to_ascii_uppercase())));
            }
            (Some(Part::Name(context)), None | Some(Part::Any)) if context == "secrets" => {
                found.push(ALL.to_owned());
            }
            (Some(Part::Name(context)), Some(Part::Name(name))) if context == "github" && name == "token" => {
                found.push("`github.token`".to_owned());
            }
            (Some(Part::Name(context)), None | Some(Part::Any)) if context == "github" && carried.is_whole => {
                found.push("`github.token`".to_owned());
            }
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    found
}

/// How the whole context is told.
const ALL: &str = "every secret";

fn is_token(secret: &str) -> bool {
    matches!(secret, "`secrets.GITHUB_TOKEN`" | "`github.token`")
}

/// Secrets that a step hands to somebody else's action, and the whole context in any hands.
pub(super) fn handed(finder: &mut Finder<'_>, around: &Around<'_, '_>, step: &Step<'_>, third: Option<&str>) {
    let mut found: Vec<(Weakness, u32, String, bool)> = Vec::new();
    let named =
        |key: &str, how: &str| if key.is_empty() { format!("`{how}`") } else { format!("`{how}.{}`", shown(key)) };
    let own = step.with.iter().map(|pair| ("with", pair)).chain(step.env.iter().map(|pair| ("env", pair)));
    let mut all_of: Vec<(u32, String)> = Vec::new();
    for (how, pair) in own {
        for secret in secrets_in(pair.value.text) {
            if secret == ALL {
                all_of.push((pair.value.line, format!("{ALL} is put into {}", named(pair.key, how))));
            }
            if let Some(third) = third {
                let detail = format!("{secret} is given to {third} by {}", named(pair.key, how));
                found.push((Weakness::SecretToThirdParty, pair.value.line, detail, !is_token(&secret)));
            }
        }
    }
    // A workflow that is called does not see the caller's environment.
    if let (Some(third), true) = (third, step.uses.is_some() && around.job.uses.is_none()) {
        for pair in around.secrets.iter().filter(|pair| !step.env.iter().any(|own| own.key == pair.key)) {
            for secret in secrets_in(pair.value.text) {
                let detail = format!("{secret} is given to {third} by `{}` of the job's environment", shown(pair.key));
                found.push((Weakness::SecretToThirdParty, pair.value.line, detail, !is_token(&secret)));
            }
        }
    }
    if let Some(run) = step.run
        && secrets_in(run.text).iter().any(|secret| secret == ALL)
    {
        all_of.push((run.line, format!("{ALL} is put into `run`")));
    }
    let first_step = around.job.steps.first().is_some_and(|first| first.number == step.number);
    let env_of_job = around.secrets.iter().filter(|_| first_step);
    for pair in env_of_job.filter(|pair| secrets_in(pair.value.text).iter().any(|secret| secret == ALL)) {
        all_of.push((pair.value.line, format!("{ALL} is put into `{}` of the job's environment", shown(pair.key))));
    }
    found.extend(all_of.into_iter().map(|(line, detail)| (Weakness::AllSecrets, line, detail, true)));
    let events = access::guarded(step.condition, &around.events);
    for (weakness, line, detail, is_exposed) in found {
        let weak = place(weakness, around, step, line, detail, &events);
        finder.weak.push(Weak { is_exposed, ..weak });
    }
}
