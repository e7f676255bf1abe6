//! The head of a pull request, brought into runs that strangers start with the repository's secrets.
//!
//! A `ref` or `repository` of a checkout that names the head is a sure hit. One that is made of anything but fixed text
//! and values that are known to be the repository's own (`OWN`) may name it, and is an unsure one: what steps found out,
//! what callers hand in, and numbers of which a ref may be put together.

use super::Finder;
use super::access;
use super::expression::{self, Carried, spelt};
use super::jobs::Around;
use super::read::{Pair, Step, shown};
use super::script::{self, Command};
use super::steps::{action, input, is_checkout, place};
use super::taint::Writer;
use crate::model::step::{Weak, Weakness};

/// Whether a step brings an artifact, which another run may have made.
pub(super) fn takes_artifact(step: &Step<'_>) -> bool {
    action(step).is_some_and(|name| name.contains("download-artifact"))
        || step.run.is_some_and(|run| run.text.contains("gh run download") || run.text.contains("actions/artifacts"))
}

/// Paths that name the head of a pull request, or something of it that a checkout can find it by.
fn is_head(carried: &Carried) -> bool {
    let path = spelt(&carried.path);
    // The whole event, or a member of it that is not known: the head is in it.
    if carried.is_whole
        && matches!(
            path.as_str(),
            "github" | "github.*" | "github.event" | "github.event.*" | "github.event.pull_request"
        )
    {
        return true;
    }
    let last = path.rsplit('.').next().unwrap_or_default();
    let of_head =
        path.contains(".pull_request.head") || path.contains(".head_repository") || path.contains("pull_requests");
    let names =
        ["sha", "ref", "label", "full_name", "clone_url", "ssh_url", "git_url", "html_url", "login", "*", "head"];
    path == "github.head_ref"
        // Of `synchronize`: the head's newest commit.
        || path == "github.event.after"
        || (of_head && names.contains(&last))
        || [".head.sha", ".head.ref", ".merge_commit_sha"].iter().any(|end| path.ends_with(end))
        || matches!(
            path.as_str(),
            "github.event.workflow_run.head_sha"
                | "github.event.workflow_run.head_branch"
                | "github.event.workflow_run.head_commit.id"
                | "github.event.check_suite.head_sha"
        )
}

/// Whether a text names a pull request's ref by its number.
fn is_pull_ref(text: &str) -> bool {
    text.contains("refs/pull/")
        || text.contains("pull/$")
        || text.contains("pull/${{")
        || (text.contains("pull/") && (text.ends_with("/head") || text.ends_with("/merge") || text.contains("/head:")))
}

/// Values that are the repository's own whatever the event; `**` is anything below. Under the events that strangers cause
/// with secrets, `github.sha` and `github.ref` are of the base (docs.github.com, "Events that trigger workflows").
const OWN: [&str; 18] = [
    "github.sha",
    "github.ref",
    "github.ref_name",
    "github.base_ref",
    "github.workflow_sha",
    "github.workflow_ref",
    "github.repository",
    "github.repository_id",
    "github.repository_owner",
    "github.server_url",
    "github.event_name",
    "github.event.repository.**",
    "github.event.pull_request.base.**",
    "github.event.workflow_run.repository.**",
    "github.event.release.tag_name",
    "secrets.*",
    "vars.*",
    "job.workflow_sha",
];

/// Whether a value is the repository's own.
fn is_own(carried: &Carried) -> bool {
    let path = spelt(&carried.path);
    OWN.iter().any(|own| match own.strip_suffix("**").or_else(|| own.strip_suffix('*')) {
        Some(start) => path.starts_with(start),
        None => path == *own,
    })
}

/// Whether a value is the number of a pull request, with which a ref names its head.
fn is_number(path: &str) -> bool {
    matches!(path, "github.event.number" | "github.event.pull_request.number" | "github.event.issue.number")
}

/// Whether a text puts a pull request's ref together, in whatever order its parts stand.
fn is_built_ref(text: &str) -> bool {
    text.contains("pull") && (text.contains("merge") || text.contains("head"))
}

/// Checkouts of a pull request's head where strangers start the run; whether there is one.
pub(super) fn find(finder: &mut Finder<'_>, around: &Around<'_, '_>) -> bool {
    if !access::is_privileged(&finder.events) {
        return false;
    }
    let steps = &around.job.steps;
    let mut found: Vec<(usize, u32, String, bool)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if is_checkout(step) {
            let hits = ["ref", "repository"].into_iter().filter_map(|key| {
                let text = input(step, key)?;
                let (what, is_sure) = head_in(finder, around, step, text.text, key == "ref")?;
                Some((at, text.line, format!("{what} is checked out by `with.{key}`"), is_sure))
            });
            // One for a checkout: the first that is sure, or else the first.
            let hits: Vec<_> = hits.collect();
            found.extend(hits.iter().find(|(.., is_sure)| *is_sure).or(hits.first()).cloned());
        }
        if let Some(run) = step.run {
            let env: Vec<Pair<'_>> =
                finder.document.env.iter().chain(&around.job.env).chain(&step.env).copied().collect();
            let lines = finder.lines_of(run);
            for (what, line) in fetched(&script::commands(run.text), &env) {
                found.push((at, lines.of(finder, run, line), what, true));
            }
        }
    }
    let has_head = found.iter().any(|(.., is_sure)| *is_sure);
    for (at, line, detail, is_sure) in found {
        let Some(step) = steps.get(at) else { continue };
        let runs =
            |step: &Step<'_>| step.run.is_some() || step.uses.is_some_and(|uses| uses.text.trim().starts_with("./"));
        let is_run = step.run.is_some() || steps.iter().skip(at + 1).any(runs);
        let events = access::guarded(step.condition, &around.events);
        let weak = place(Weakness::HeadCheckout, around, step, line, detail, &events);
        finder.weak.push(Weak { is_exposed: is_run && is_sure, ..weak });
    }
    has_head
}

/// What of a pull request's head a text names, and whether that is sure.
fn head_in(
    finder: &Finder<'_>,
    around: &Around<'_, '_>,
    step: &Step<'_>,
    text: &str,
    is_ref: bool,
) -> Option<(String, bool)> {
    if is_ref && is_pull_ref(text) {
        return Some((format!("`{}`", shown(text)), true));
    }
    let env = finder.known.add(around.number, &around.env, &step.env);
    let mut unsure = None;
    for (_, carried) in expression::carried(text) {
        let path = spelt(&carried.path);
        if is_head(&carried) {
            return Some((format!("`{path}`"), true));
        }
        // An `env` that was set from one.
        if let Some(name) = path.strip_prefix("env.") {
            let all = finder.document.env.iter().chain(&around.job.env).chain(&step.env);
            let of_env = all.filter(|pair| pair.key.eq_ignore_ascii_case(name));
            if of_env.flat_map(|pair| expression::carried(pair.value.text)).any(|(_, carried)| is_head(&carried)) {
                return Some((format!("`{path}`"), true));
            }
        }
        let taint = finder.known.of_path(around.number, &env, &carried);
        if taint.is_some_and(|taint| taint.writer == Writer::Outsider && taint.is_sure) {
            return Some((format!("`{path}`"), true));
        }
        if is_ref && is_number(&path) && is_built_ref(text) {
            return Some((format!("the ref of a pull request by `{path}`"), true));
        }
        // What a step found out, or a caller says, may be anything; so may what nobody knows.
        let is_fixed = is_own(&carried) || is_listed(around, &path);
        if unsure.is_none() && !is_fixed {
            unsure = Some((format!("`{path}`, which may be a pull request's head,"), false));
        }
    }
    unsure
}

/// Whether a value is a member of a matrix that is written out, none of it made by an expression or naming a head.
fn is_listed(around: &Around<'_, '_>, path: &str) -> bool {
    let Some(matrix) = around.job.matrix.filter(|_| path.starts_with("matrix.")) else { return false };
    let mut open = vec![matrix];
    while let Some(node) = open.pop() {
        if node.text().is_some_and(|text| text.contains("${{") || is_pull_ref(text)) {
            return false;
        }
        open.extend(node.items());
        open.extend(node.members().iter().map(|member| &member.node));
    }
    true
}

/// Commands that bring a pull request's head into the work tree, each with its line.
fn fetched(commands: &[Command], env: &[Pair<'_>]) -> Vec<(String, u32)> {
    let holds_head = |text: &str| {
        let by_expression = |text: &str| expression::carried(text).iter().any(|(_, carried)| is_head(carried));
        let variables = script::variables(text);
        by_expression(text)
            || (!variables.is_empty()
                && env.iter().any(|pair| variables.contains(&pair.key) && by_expression(pair.value.text)))
            || variables.iter().any(|name| matches!(*name, "GITHUB_HEAD_REF"))
    };
    let mut found = Vec::new();
    for command in commands {
        let (program, given) = (command.program(), command.call().1);
        let words: Vec<&str> = given.iter().filter(|word| !word.starts_with('-')).map(String::as_str).collect();
        let is_checkout =
            matches!(program.as_str(), "gh" | "hub") && matches!(words.as_slice(), ["pr", "checkout", ..]);
        let is_git = program == "git"
            && words.iter().any(|word| {
                matches!(
                    *word,
                    "fetch" | "checkout" | "switch" | "merge" | "pull" | "clone" | "reset" | "worktree" | "cherry-pick"
                )
            })
            && given.iter().any(|word| is_pull_ref(word) || holds_head(word));
        let fetches = matches!(program.as_str(), "curl" | "wget" | "gh");
        let of_archive = |word: &String| is_pull_ref(word) || (holds_head(word) && !word.contains("api."));
        let is_archive = fetches
            && words
                .iter()
                .any(|word| ["archive", "tarball", "zipball", "codeload"].iter().any(|part| word.contains(part)))
            && given.iter().any(of_archive);
        let reads_diff = command.reads.and_then(|reads| commands.get(reads)).is_some_and(|before| {
            let words = before.words.join(" ");
            words.contains("pr diff") || words.contains(".patch") || words.contains(".diff")
        });
        let is_patch = reads_diff
            && (program == "patch" || (program == "git" && words.iter().any(|word| matches!(*word, "apply" | "am"))));
        if is_checkout || is_git || is_archive || is_patch {
            let words = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
            found.push((
                format!("the head of a pull request is brought in by `{}`", shown(&format!("{program} {words}"))),
                command.line,
            ));
        }
    }
    found
}
