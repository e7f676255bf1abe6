//! Weaknesses of a file as a whole and of its jobs.

use super::access::{self, Events};
use super::expression::{self, Expression, Relation, spelt};
use super::read::{Job, Pair, Permissions, Secrets, Step, Text, shown};
use super::taint::{Values, Writer};
use super::{Finder, secrets, steps};
use crate::model::step::{Weak, Weakness};

/// A job under examination.
pub(super) struct Around<'a, 'd> {
    pub job: &'a Job<'d>,
    /// Its number in the file.
    pub number: usize,
    /// Events that start it, as far as its `if` tells.
    pub events: Events,
    /// Strangers' texts in its environment.
    pub env: Values,
    /// Secrets in its environment: the variable, and the secret.
    pub secrets: Vec<Pair<'d>>,
}

/// A weakness without its place in a step.
pub(super) fn weak(weakness: Weakness, job: &str, line: u32, detail: String, events: &Events) -> Weak {
    let is_privileged = access::is_privileged(events);
    let job = shown(job);
    Weak { weakness, job, step: String::new(), line, end_line: line, detail, is_privileged, is_exposed: true }
}

/// Looks at a whole file.
pub(super) fn of_file(finder: &mut Finder<'_>) {
    let document = finder.document;
    permissions_of_file(finder);
    triggers(finder);
    let events = finder.events.clone();
    insecure_commands(finder, &document.env, "", &events);
    for (number, job) in document.jobs.iter().enumerate() {
        let env = finder.known.add(number, &finder.known.env, &job.env);
        let held = document.env.iter().chain(&job.env).copied();
        let secrets = held.filter(|pair| !secrets::secrets_in(pair.value.text).is_empty()).collect();
        let events = access::guarded(job.condition, &finder.events);
        let around = Around { job, number, events, env, secrets };
        of_job(finder, &around);
        steps::of_job(finder, &around);
    }
}

/// Events that strangers cause and that run with the repository's secrets.
fn triggers(finder: &mut Finder<'_>) {
    let document = finder.document;
    let left: Events = document.jobs.iter().flat_map(|job| access::guarded(job.condition, &finder.events)).collect();
    for trigger in &document.triggers {
        let event = trigger.event.trim().to_ascii_lowercase();
        let only: Events = [event.clone()].into();
        if access::is_privileged(&only) {
            let detail = format!("strangers can start it: {event}");
            let weak = weak(Weakness::PrivilegedTrigger, "", trigger.line, detail, &only);
            finder.weak.push(Weak { is_exposed: left.contains(&event), ..weak });
        }
    }
}

fn of_job(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let job = around.job;
    permissions_of_job(finder, around);
    runner(finder, around);
    places(finder, around);
    insecure_commands(finder, &job.env, job.id, &around.events);
    let found = actors(job.condition, &finder.events);
    finder.weak.extend(
        found.into_iter().map(|(line, detail)| weak(Weakness::SpoofableActor, job.id, line, detail, &finder.events)),
    );
    outputs(finder, around);
    called(finder, around);
}

/// Whether only other workflows start it: its token is then the caller's affair.
fn is_only_called(finder: &Finder<'_>) -> bool {
    finder.document.is_action || finder.document.triggers.iter().all(|trigger| trigger.event == "workflow_call")
}

fn permissions_of_file(finder: &mut Finder<'_>) {
    let document = finder.document;
    let silent: Vec<&Job<'_>> = document.jobs.iter().filter(|job| job.permissions == Permissions::Absent).collect();
    let events = finder.events.clone();
    if document.permissions == Permissions::Absent {
        if is_only_called(finder) || silent.is_empty() {
            return;
        }
        // One for each job: a job that gets permissions of its own makes the others no weaker than they were.
        let say = |job: &&Job<'_>| {
            let detail = "no `permissions`: the token gets whatever the repository's settings say".to_owned();
            weak(Weakness::DefaultPermissions, job.id, job.line, detail, &events)
        };
        finder.weak.extend(silent.iter().map(say));
        return;
    }
    for scope in access::granted(&document.permissions).unwrap_or_default() {
        if scope.text == "*" {
            let detail = "the token may write everything".to_owned();
            finder.weak.push(weak(Weakness::ExcessPermissions, "", scope.line, detail, &events));
        } else if silent.len() > 1 {
            let detail = format!("`{}` may be written by every job, not by the one that must", shown(scope.text));
            finder.weak.push(weak(Weakness::ExcessPermissions, "", scope.line, detail, &events));
        }
    }
}

/// Scopes that a run of strangers' making should not write.
const GRAVE: [&str; 5] = ["contents", "actions", "packages", "id-token", "deployments"];

fn permissions_of_job(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let job = around.job;
    let mut found = Vec::new();
    let own = access::granted(&job.permissions).unwrap_or_default();
    if let Some(all) = own.iter().find(|scope| scope.text == "*") {
        found.push((all.line, "the token may write everything".to_owned()));
    }
    let writes = access::writes(finder.document, job).unwrap_or_default();
    if around.events.contains("pull_request_target") {
        for scope in writes.iter().filter(|scope| GRAVE.contains(&scope.text)) {
            let detail = format!("`{}` may be written on pull_request_target, which strangers start", scope.text);
            found.push((scope.line, detail));
        }
    }
    if let Some(scope) = own.iter().find(|scope| scope.text == "id-token")
        && !asks_for_identity(job)
    {
        found.push((scope.line, "`id-token` may be written, and no step asks for an identity".to_owned()));
    }
    finder.weak.extend(
        found.into_iter().map(|(line, detail)| weak(Weakness::ExcessPermissions, job.id, line, detail, &around.events)),
    );
}

/// Whether a job may use OpenID Connect: all but what is known not to.
fn asks_for_identity(job: &Job<'_>) -> bool {
    let plain =
        ["actions/checkout", "actions/cache", "actions/setup-", "actions/upload-artifact", "actions/download-artifact"];
    job.uses.is_some()
        || job.steps.iter().any(|step| match (step.uses, step.run) {
            (Some(uses), _) => !plain.iter().any(|name| uses.text.trim().to_ascii_lowercase().starts_with(name)),
            (None, Some(run)) => {
                let text = run.text.to_ascii_lowercase();
                let words = [
                    "id_token",
                    "oidc",
                    "cosign",
                    "sigstore",
                    "publish",
                    "provenance",
                    "attest",
                    "aws",
                    "gcloud",
                    "az ",
                    "vault",
                    "twine",
                    "federat",
                    "release",
                    "deploy",
                    "gem push",
                    "./",
                    "make",
                    "npm run",
                ];
                words.iter().any(|word| text.contains(word))
            }
            (None, None) => false,
        })
}

/// Strangers' text in where and by what a job is run.
fn places(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let job = around.job;
    let of_file = finder.document.shell.iter().filter(|_| around.number == 0);
    let shells = job.shell.iter().chain(of_file).map(|pair| ("defaults", pair.value));
    let containers = job.container.iter().map(|pair| (pair.key, pair.value));
    let runners = job.runs_on.iter().map(|label| ("runs-on", *label));
    let all: Vec<(&str, Text<'_>)> = shells.chain(containers).chain(runners).collect();
    for (key, text) in all {
        let taint = finder.known.text(around.number, &around.env, text.text);
        let Some(taint) = taint.filter(|taint| taint.writer == Writer::Outsider) else { continue };
        let detail = format!("`{}` is put into `{}`", taint.source, shown(key));
        let weak = weak(Weakness::TemplateInjection, job.id, text.line, detail, &around.events);
        finder.weak.push(Weak { is_exposed: taint.is_sure, ..weak });
    }
}

fn runner(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    if !access::is_open(&around.events) {
        return;
    }
    let job = around.job;
    let mut labels: Vec<Text<'_>> = Vec::new();
    let mut is_matrix = false;
    for label in &job.runs_on {
        if label.text.contains("${{") {
            is_matrix |= label.text.to_ascii_lowercase().contains("matrix");
        }
        labels.push(*label);
    }
    let mut own =
        labels.iter().find(|label| label.text.to_ascii_lowercase().contains("self-hosted")).map(|label| label.line);
    if let (None, true, Some(matrix)) = (own, is_matrix, job.matrix) {
        own = scalar_with(matrix, "self-hosted");
    }
    if let Some(line) = own {
        let detail = "the runner is self-hosted, and forks can start this".to_owned();
        return finder.weak.push(weak(Weakness::SelfHostedRunner, job.id, line, detail, &around.events));
    }
    let is_known = |label: &str| {
        let label = label.trim().to_ascii_lowercase();
        label.is_empty()
            || label.contains("${{")
            || ["ubuntu-", "windows-", "macos-"].iter().any(|os| label.starts_with(os))
    };
    let is_open = |label: &str| {
        let carried = expression::carried(label);
        carried.iter().any(|(_, carried)| {
            let path = spelt(&carried.path);
            !path.starts_with("matrix.") || job.matrix.is_none_or(|matrix| scalar_with(matrix, "${{").is_some())
        })
    };
    if let Some(label) = labels.iter().find(|label| !is_known(label.text) || is_open(label.text)) {
        let detail = format!("the runner `{}` is none of GitHub's own, and forks can start this", shown(label.text));
        let weak = weak(Weakness::SelfHostedRunner, job.id, label.line, detail, &around.events);
        finder.weak.push(Weak { is_exposed: false, ..weak });
    }
}

/// The line of a scalar that holds a word.
fn scalar_with(node: &crate::ecosystem::syntax::yaml::Node<'_>, word: &str) -> Option<u32> {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if node.text().is_some_and(|text| text.to_ascii_lowercase().contains(word)) {
            return Some(node.line);
        }
        open.extend(node.items());
        open.extend(node.members().iter().map(|member| &member.node));
    }
    None
}

/// `ACTIONS_ALLOW_UNSECURE_COMMANDS` in an environment.
pub(super) fn insecure(env: &[Pair<'_>]) -> Option<u32> {
    let is_on = |pair: &&Pair<'_>| {
        let value = pair.value.text.trim();
        pair.key.eq_ignore_ascii_case("ACTIONS_ALLOW_UNSECURE_COMMANDS")
            && (value.eq_ignore_ascii_case("true") || value.contains("${{"))
    };
    env.iter().find(is_on).map(|pair| pair.value.line)
}

fn insecure_commands(finder: &mut Finder<'_>, env: &[Pair<'_>], job: &str, events: &Events) {
    if let Some(line) = insecure(env) {
        let detail = "ACTIONS_ALLOW_UNSECURE_COMMANDS lets printed text set variables and paths".to_owned();
        finder.weak.push(weak(Weakness::InsecureCommands, job, line, detail, events));
    }
}

/// Conditions that trust `github.actor`: who did something last, not who wrote what is judged.
pub(super) fn actors(condition: Option<Text<'_>>, events: &Events) -> Vec<(u32, String)> {
    let Some(text) = condition.filter(|_| access::is_open(events)) else { return Vec::new() };
    let Some(expression) = expression::condition(text.text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut open = vec![&expression];
    while let Some(each) = open.pop() {
        match each {
            Expression::And(all) | Expression::Or(all) => open.extend(all),
            Expression::Compare(Relation::Equal, a, b) => found.extend(bot(a, b)),
            Expression::Call(name, given) if matches!(name.as_str(), "contains" | "startswith" | "endswith") => {
                if let [a, b] = given.as_slice() {
                    found.extend(bot(a, b));
                }
            }
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|detail| (text.line, detail)).collect()
}

fn bot(a: &Expression, b: &Expression) -> Option<String> {
    let (path, other) = match (a, b) {
        (Expression::Path(path), other) | (other, Expression::Path(path)) => (spelt(path), other),
        _ => return None,
    };
    let literal = match other {
        Expression::Literal(_, text) => text.clone(),
        Expression::Call(name, given) if name == "fromjson" => match given.first() {
            Some(Expression::Literal(_, text)) => text.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let is_actor = matches!(
        path.as_str(),
        "github.actor" | "github.triggering_actor" | "github.event.sender.login" | "github.actor_id"
    );
    // Ids of dependabot and renovate stand for their names.
    let is_bot = literal.to_ascii_lowercase().contains("[bot]") || matches!(literal.as_str(), "49699333" | "29139614");
    (is_actor && is_bot).then(|| format!("`{path}` is trusted to be `{}`", shown(&literal)))
}

/// Secrets in outputs of a job.
fn outputs(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    for pair in &around.job.outputs {
        for secret in secrets::secrets_in(pair.value.text) {
            let detail = format!("{secret} becomes the output `{}`", shown(pair.key));
            let weak = weak(Weakness::SecretInOutput, around.job.id, pair.value.line, detail, &around.events);
            finder.weak.push(weak);
        }
    }
}

/// What a job hands to the workflow that it calls.
fn called(finder: &mut Finder<'_>, around: &Around<'_, '_>) {
    let job = around.job;
    let Some(uses) = job.uses else { return };
    let third = steps::third_party(uses.text, finder.owner.as_deref());
    let name = shown(uses.text.split_once('@').map_or(uses.text, |(name, _)| name));
    match &job.secrets {
        Secrets::None => {}
        Secrets::Inherit(line) => {
            let detail = format!("every secret is handed to {name}");
            let weak = weak(Weakness::InheritedSecrets, job.id, *line, detail, &around.events);
            finder.weak.push(Weak { is_exposed: third.is_some(), ..weak });
        }
        Secrets::Given(pairs) => {
            let step = Step { uses: Some(uses), with: pairs.clone(), line: job.line, ..Step::default() };
            secrets::handed(finder, around, &step, third.as_deref());
        }
    }
}
