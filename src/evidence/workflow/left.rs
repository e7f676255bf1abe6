//! What a job leaves behind: the token of its checkout, and caches.

use super::Finder;
use super::access;
use super::jobs::Around;
use super::read::Step;
use super::steps::{action, input, is_checkout, place, third_party};
use crate::model::step::{Weak, Weakness};

/// Actions that keep a cache: the input that switches it on or off, and whether it is on without.
const CACHES: [(&str, &str, bool); 17] = [
    ("actions/cache", "", true),
    ("actions/cache/restore", "", true),
    ("actions/cache/save", "", true),
    ("swatinem/rust-cache", "", true),
    ("actions/setup-go", "cache", true),
    ("actions/setup-node", "cache", false),
    ("actions/setup-python", "cache", false),
    ("actions/setup-java", "cache", false),
    ("actions/setup-dotnet", "cache", false),
    ("astral-sh/setup-uv", "enable-cache", true),
    ("ruby/setup-ruby", "bundler-cache", false),
    ("pnpm/action-setup", "cache", false),
    ("gradle/actions/setup-gradle", "cache-disabled", true),
    ("mozilla-actions/sccache-action", "", true),
    ("hendrikmuhs/ccache-action", "", true),
    ("actions-rust-lang/setup-rust-toolchain", "cache", true),
    ("docker/build-push-action", "cache-from", false),
];

/// Actions and commands that give something to its users.
const PUBLISHING: [&str; 12] = [
    "softprops/action-gh-release",
    "ncipollo/release-action",
    "actions/create-release",
    "actions/upload-release-asset",
    "pypa/gh-action-pypi-publish",
    "rubygems/release-gem",
    "goreleaser/goreleaser-action",
    "js-devtools/npm-publish",
    "changesets/action",
    "svenstaro/upload-release-action",
    "actions/attest-build-provenance",
    "actions/deploy-pages",
];

const PUBLISHING_COMMANDS: [&str; 12] = [
    "cargo publish",
    "npm publish",
    "pnpm publish",
    "yarn publish",
    "yarn npm publish",
    "twine upload",
    "uv publish",
    "poetry publish",
    "pdm publish",
    "gh release create",
    "gh release upload",
    "gem push",
];

/// Checkouts that leave the token where the steps after them can read it.
pub(super) fn credentials(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let steps = &around.job.steps;
    let mut is_exposed = false;
    let mut found = Vec::new();
    for step in steps.iter().rev() {
        if is_checkout(step) && action(step).as_deref() == Some("actions/checkout") {
            let said = input(step, "persist-credentials").map(|text| text.text.trim());
            // The action compares with `TRUE` after folding case: everything else is false.
            if said.is_none_or(|said| said.eq_ignore_ascii_case("true") || said.contains("${{")) {
                let events = access::guarded(step.condition, &around.events);
                let detail = "the checkout leaves its token for the steps after it".to_owned();
                let line = step.uses.map_or(step.line, |uses| uses.line);
                let weak = place(Weakness::PersistedCredentials, around, step, line, detail, &events);
                let is_privileged = weak.is_privileged;
                found.push(Weak { is_exposed: is_exposed || is_privileged, ..weak });
            }
        }
        let third = step.uses.and_then(|uses| third_party(uses.text, finder.owner.as_deref()));
        is_exposed |= third.is_some() || uploads_tree(step);
    }
    found.reverse();
    finder.weak.append(&mut found);
}

/// Whether a step uploads the work tree as a whole.
fn uploads_tree(step: &Step<'_>) -> bool {
    if action(step).as_deref() != Some("actions/upload-artifact") {
        return false;
    }
    let Some(path) = input(step, "path") else { return false };
    path.text.lines().map(str::trim).any(|line| {
        matches!(line.trim_end_matches('/'), "." | "" | "*" | "**" | "./*" | "./**" | "**/*" | ".git" | "..")
            || (line.contains("github.workspace") && line.trim_end_matches('/').ends_with("}}"))
            || line == "$GITHUB_WORKSPACE"
    })
}

pub(super) fn cache_of(step: &Step<'_>) -> Option<String> {
    let name = action(step)?;
    let (_, key, is_on) = CACHES.iter().find(|(action, ..)| *action == name)?;
    let said = input(step, key).map(|text| text.text.trim().to_ascii_lowercase());
    let is_used = match said.as_deref() {
        None => *is_on,
        Some(value) if *key == "cache-disabled" => value != "true",
        Some(value) if *key == "cache-from" => value.contains("gha"),
        Some(value) => !matches!(value, "false" | "" | "no"),
    };
    is_used.then_some(name)
}

/// Whether a line of a script publishes something, and not only tries to.
fn publishes(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.contains("--dry-run"))
        .any(|line| PUBLISHING_COMMANDS.iter().any(|command| line.contains(command)))
}

/// Caches that strangers can fill, or that a release takes from.
pub(super) fn caches(finder: &mut Finder<'_>, around: &Around<'_, '_>, has_head: bool) {
    let is_privileged = access::is_privileged(&around.events) && has_head;
    let triggers = &finder.document.triggers;
    let is_release = triggers.iter().any(|trigger| {
        trigger.event == "release"
            || (trigger.event == "push"
                && trigger.filters.iter().any(|(key, _)| *key == "tags")
                && !trigger.filters.iter().any(|(key, _)| *key == "branches"))
    });
    let publishes = around.job.steps.iter().any(|step| {
        action(step).is_some_and(|name| PUBLISHING.contains(&name.as_str()))
            || step.run.is_some_and(|run| publishes(run.text))
            || (action(step).as_deref() == Some("docker/build-push-action")
                && input(step, "push").is_some_and(|text| text.text.trim() == "true"))
    });
    if !is_privileged && !is_release && !publishes {
        return;
    }
    let on_pull_request = finder.events.contains("pull_request");
    for step in &around.job.steps {
        let Some(name) = cache_of(step) else { continue };
        let detail = if is_privileged {
            format!("{name} keeps a cache of the default branch beside a pull request's files")
        } else {
            format!("a release takes what {name} kept")
        };
        let events = access::guarded(step.condition, &around.events);
        let weak = place(Weakness::CachePoisoning, around, step, step.line, detail, &events);
        finder.weak.push(Weak { is_exposed: is_privileged || on_pull_request, ..weak });
    }
}
