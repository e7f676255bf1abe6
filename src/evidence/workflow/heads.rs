//! The head of a pull request, brought into runs that strangers start with the repository's secrets.

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

/// Checkouts of a pull request's head where strangers start the run; whether there is one.
pub(super) fn find(finder: &mut Finder<'_>, around: &Around<'_, '_>) -> bool {
    if !access::is_privileged(&finder.events) {
        return false;
    }
    let steps = &around.job.steps;
    let mut found: Vec<(usize, u32, String, bool)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if is_checkout(step) {
            for (key, is_ref) in [("ref", true), ("repository", false)] {
                let Some(text) = input(step, key) else { continue };
                if let Some((what, is_sure)) = head_in(finder, around, step, text.text, is_ref) {
                    found.push((at, text.line, format!("{what} is checked out by `with.{key}`"), is_sure));
                    break;
                }
            }
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
        if taint.is_some_and(|taint| taint.writer == Writer::Outsider) {
            return Some((format!("`{path}`"), true));
        }
        // What a step found out, or a caller says, may be anything.
        let context = path.split('.').next().unwrap_or_default();
        if matches!(context, "steps" | "needs" | "inputs" | "env" | "matrix") && is_ref {
            return Some((format!("`{path}`, which may be a pull request's head,"), false));
        }
    }
    None
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
