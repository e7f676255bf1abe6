//! When two parts of a workflow say the same, and when one lets less through.

use std::collections::{BTreeMap, BTreeSet};

use super::super::expression::{self, Expression};
use super::super::read::{self, Job, Pair, Step, Text, shown};
use crate::ecosystem::syntax::yaml::{Node, Value};

/// Whether a condition always holds.
pub(super) fn always(condition: Option<Text<'_>>) -> bool {
    let Some(text) = condition else { return true };
    match expression::condition(text.text) {
        Some(Expression::Call(name, given)) => name == "always" && given.is_empty(),
        Some(Expression::Literal(_, text)) => text == "true",
        Some(Expression::Not(inner)) => matches!(&*inner, Expression::Call(name, _) if name == "cancelled"),
        _ => false,
    }
}

pub(super) fn same(a: Option<Text<'_>>, b: Option<Text<'_>>) -> bool {
    a.map(spaced) == b.map(spaced)
}

/// A condition in one spelling. White space within makes no difference; around braces it does: it makes a string, which
/// is true, of what is inside.
pub(super) fn spaced(text: Text<'_>) -> String {
    let plain = text.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_loose = text.text.contains("${{") && text.text.trim() != text.text;
    if is_loose { format!(" {plain} ") } else { plain }
}

/// Whether `continue-on-error` may be true.
pub(super) fn forgives(text: Option<Text<'_>>) -> bool {
    text.is_some_and(|text| text.text.trim() != "false")
}

type Data<'n> = BTreeMap<String, Vec<&'n str>>;

fn data<'n>(pairs: &[Pair<'n>]) -> Data<'n> {
    let mut data: Data<'_> = BTreeMap::new();
    for pair in pairs {
        data.entry(pair.key.to_ascii_lowercase()).or_default().push(pair.value.text.trim());
    }
    data
}

/// Keys whose values differ.
pub(super) fn differing(old: &[Pair<'_>], new: &[Pair<'_>]) -> Vec<String> {
    let (old, new) = (data(old), data(new));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).map(|key| shown(key)).collect()
}

/// The line of a pair of that key, or another line.
pub(super) fn line_of(pairs: &[Pair<'_>], key: &str, other: u32) -> u32 {
    pairs.iter().find(|pair| pair.key.eq_ignore_ascii_case(key)).map_or(other, |pair| pair.value.line)
}

/// How names begin of variables that steer the gate, git, the loader, the runner, or the toolchain that may build the
/// gate (The Cargo Book and The rustup book, "Environment variables": other programs, other compilers, other flags).
const STEERING: [&str; 14] = [
    "PORTCULLIS",
    "GITHUB_",
    "RUNNER_",
    "GIT_",
    "LD_",
    "DYLD_",
    "NODE_",
    "ACTIONS_",
    "XDG_",
    "CARGO",
    "RUSTUP_",
    "RUSTC",
    "RUSTFLAGS",
    "RUSTDOC",
];

/// Whether a variable of that name steers the gate, git, the shell, the loader or the toolchain.
pub(super) fn steers(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // The look of cargo's output decides nothing.
    let is_look = name.starts_with("CARGO_TERM_");
    STEERING.iter().any(|start| name.starts_with(start)) && !is_look
        || matches!(
            name.as_str(),
            "PATH"
                | "HOME"
                | "TMPDIR"
                | "TMP"
                | "TEMP"
                | "CURL_HOME"
                | "CURL_CA_BUNDLE"
                | "BASH_ENV"
                | "ENV"
                | "SHELLOPTS"
                | "BASHOPTS"
                | "PATHEXT"
                | "CI"
                | "SSL_CERT_FILE"
                | "SSL_CERT_DIR"
                | "HTTPS_PROXY"
                | "HTTP_PROXY"
                | "ALL_PROXY"
                | "NO_PROXY"
                | ""
        )
}

/// Everything that a step does, as one text.
pub(super) fn signature(step: &Step<'_>) -> String {
    let text = |text: Option<Text<'_>>| text.map(|text| text.text.trim()).unwrap_or_default().to_owned();
    format!(
        "{:?}",
        (
            text(step.uses),
            text(step.run),
            step.condition.map(spaced).unwrap_or_default(),
            text(step.shell),
            text(step.folder),
            text(step.continue_on_error),
            data(&step.with),
            data(&step.env),
        )
    )
}

/// What decides whether a job passes, as one text: its steps, what it calls, where it runs, its matrix. `if` is left out.
pub(super) fn job_signature(job: &Job<'_>) -> String {
    let steps: Vec<String> = job.steps.iter().map(signature).collect();
    let runs_on: Vec<&str> = job.runs_on.iter().map(|label| label.text.trim()).collect();
    let uses = job.uses.map(|uses| uses.text.trim());
    let matrix = job.matrix.map(scalars).unwrap_or_default();
    let (container, env, shell) = (data(&job.container), data(&job.env), data(&job.shell));
    let environment = data(&job.environment);
    format!("{:?}", (steps, uses, data(&job.with), runs_on, matrix, container, env, (shell, environment)))
}

/// Every key and scalar of a value, outer before inner, with how many stand in what.
fn scalars<'n>(node: &'n Node<'n>) -> Vec<(&'n str, usize)> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        found.push((node.text().unwrap_or_default(), node.items().len() + node.members().len()));
        found.extend(node.members().iter().map(|member| (&*member.key, 0)));
        open.extend(node.items().iter().rev());
        open.extend(node.members().iter().rev().map(|member| &member.node));
    }
    found
}

/// Whether two values hold the same, wherever they stand.
pub(super) fn is_equal(a: &Node<'_>, b: &Node<'_>) -> bool {
    let mut open = vec![(a, b)];
    while let Some((a, b)) = open.pop() {
        match (&a.value, &b.value) {
            (Value::Scalar(..), Value::Scalar(..)) if a.text() == b.text() => {}
            (Value::List(a), Value::List(b)) if a.len() == b.len() => open.extend(a.iter().zip(b)),
            (Value::Table(a), Value::Table(b)) if a.len() == b.len() => {
                for (a, b) in a.iter().zip(b) {
                    if a.key != b.key {
                        return false;
                    }
                    open.push((&a.node, &b.node));
                }
            }
            _ => return false,
        }
    }
    true
}

/// Types of a pull request that start a run where none are named (docs.github.com, "Events that trigger workflows").
const DEFAULT_TYPES: [&str; 3] = ["opened", "synchronize", "reopened"];

/// Filters of an event that let less through than before.
pub(super) fn narrowed(old: &read::Trigger<'_>, new: &read::Trigger<'_>) -> Vec<String> {
    let of = |trigger: &read::Trigger<'_>, key: &str| -> Option<Vec<String>> {
        let all = trigger.filters.iter().filter(|(name, _)| *name == key);
        let listed: Vec<Vec<String>> =
            all.map(|(_, list)| list.iter().map(|text| (*text).to_owned()).collect()).collect();
        (!listed.is_empty()).then(|| listed.into_iter().flatten().collect())
    };
    let keys: BTreeSet<&str> = old.filters.iter().chain(&new.filters).map(|(key, _)| *key).collect();
    let is_narrowed = |key: &&str| {
        let (before, after) = (of(old, key), of(new, key));
        if before == after {
            return false;
        }
        if key.ends_with("-ignore") {
            let before = before.unwrap_or_default();
            return after.unwrap_or_default().iter().any(|item| !before.contains(item));
        }
        let Some(after) = after else { return *key == "cron" };
        let is_pull = old.event.starts_with("pull_request");
        let before = match before {
            Some(before) => before,
            None if *key == "types" && is_pull => DEFAULT_TYPES.iter().map(|text| (*text).to_owned()).collect(),
            None if *key == "cron" => Vec::new(),
            // `tags` beside nothing lets no branch through, and the other way round.
            None => return true,
        };
        // `!` takes away what stands before it: the order matters then.
        after.iter().any(|item| item.starts_with('!')) || before.iter().any(|item| !after.contains(item))
    };
    keys.into_iter().filter(is_narrowed).map(str::to_owned).collect()
}
