//! Who can start what, and what the token may do there.
//!
//! Facts: docs.github.com, "Events that trigger workflows" (which events run in the base repository with its secrets
//! though a stranger causes them), "Securely using `pull_request_target`", "Automatic token authentication".

use std::collections::BTreeSet;

use super::expression::{self, Expression, Kind, Relation, spelt};
use super::read::{Document, Job, Permissions, Text};

/// Events that anybody can cause and that run with the repository's secrets and write access.
const PRIVILEGED: [&str; 9] = [
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
    "watch",
    "gollum",
];

/// Events of forks that run without secrets.
const OF_FORKS: [&str; 3] = ["pull_request", "pull_request_review", "pull_request_review_comment"];

/// Events, in lower case.
pub(super) type Events = BTreeSet<String>;

/// Whether one of the events lets strangers start a run with secrets.
pub(super) fn is_privileged(events: &Events) -> bool {
    PRIVILEGED.iter().any(|event| events.contains(*event))
}

/// Whether one of the events lets strangers start a run at all.
pub(super) fn is_open(events: &Events) -> bool {
    is_privileged(events) || OF_FORKS.iter().any(|event| events.contains(*event))
}

/// Events that a file names itself.
pub(super) fn events(document: &Document<'_>) -> Events {
    document.triggers.iter().map(|trigger| trigger.event.trim().to_ascii_lowercase()).collect()
}

/// The events that are left where a condition holds. What is no known guard leaves all.
pub(super) fn guarded(condition: Option<Text<'_>>, events: &Events) -> Events {
    match condition.and_then(|text| expression::condition(text.text)) {
        Some(expression) => left(&expression, events),
        None => events.clone(),
    }
}

fn left(expression: &Expression, events: &Events) -> Events {
    match expression {
        Expression::And(all) => all.iter().fold(events.clone(), |events, each| left(each, &events)),
        Expression::Or(all) => all.iter().flat_map(|each| left(each, events)).collect(),
        Expression::Not(inner) => match &**inner {
            Expression::Compare(Relation::Equal, a, b) => of_event(a, b, false, events),
            Expression::Path(path) => without_forks(&spelt(path), events),
            _ => events.clone(),
        },
        Expression::Compare(Relation::Equal, a, b) if is_own_head(a, b) => of_members(events),
        Expression::Compare(relation, a, b) => match (relation, against_literal(a, b)) {
            // Only the keyword: `fork != 'true'` compares a truth with a text, which are never equal.
            (Relation::Equal, Some((path, Kind::Bare, text))) if text == "false" => without_forks(&path, events),
            (Relation::Unequal, Some((path, Kind::Bare, text))) if text == "true" => without_forks(&path, events),
            (Relation::Equal, Some((path, Kind::Text, text))) if MEMBERS.contains(&text.as_str()) => {
                by_members(&path, events)
            }
            (Relation::Equal, Some((path, Kind::Text, text))) if is_of_event(&path, &text) => {
                events.iter().filter(|event| *event != "workflow_run").cloned().collect()
            }
            (Relation::Equal, _) => of_event(a, b, true, events),
            (Relation::Unequal, _) => of_event(a, b, false, events),
            (Relation::Other, _) => events.clone(),
        },
        Expression::Call(name, given) if name == "contains" => match listed_members(given) {
            Some(path) => by_members(&path, events),
            None => events.clone(),
        },
        _ => events.clone(),
    }
}

/// Events that strangers do not cause.
fn of_members(events: &Events) -> Events {
    let of_strangers = |event: &str| PRIVILEGED.contains(&event) || OF_FORKS.contains(&event);
    events.iter().filter(|event| !of_strangers(event)).cloned().collect()
}

/// What is left where a head is no fork's. Under an event whose payload has no such head the value is null, which is as
/// good as false: only the events that have it are kept out.
fn without_forks(path: &str, events: &Events) -> Events {
    let out: &[&str] = match path {
        "github.event.pull_request.head.repo.fork" => {
            &["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"]
        }
        "github.event.workflow_run.head_repository.fork" => &["workflow_run"],
        _ => &[],
    };
    events.iter().filter(|event| !out.contains(&event.as_str())).cloned().collect()
}

/// What is left where the author of something is a member: under an event whose payload has it, its author must be who
/// caused the event; elsewhere the value is null, and the condition does not hold.
fn by_members(path: &str, events: &Events) -> Events {
    let others: &[&str] = match path {
        "github.event.comment.author_association" | "github.event.review.author_association" => &[],
        "github.event.issue.author_association" => &["issue_comment"],
        "github.event.discussion.author_association" => &["discussion_comment"],
        "github.event.pull_request.author_association" => &["pull_request_review", "pull_request_review_comment"],
        _ => return events.clone(),
    };
    let members = of_members(events);
    events.iter().filter(|event| members.contains(*event) || others.contains(&event.as_str())).cloned().collect()
}

/// `github.event_name == 'x'`.
fn of_event(a: &Expression, b: &Expression, is_equal: bool, events: &Events) -> Events {
    let named = |path: &Expression, text: &Expression| match (path, text) {
        (Expression::Path(path), Expression::Literal(Kind::Text, text)) if spelt(path) == "github.event_name" => {
            Some(text.to_ascii_lowercase())
        }
        _ => None,
    };
    match named(a, b).or_else(|| named(b, a)) {
        Some(name) => events.iter().filter(|event| (**event == name) == is_equal).cloned().collect(),
        None => events.clone(),
    }
}

/// A path as text and the literal that it is compared with.
fn against_literal(a: &Expression, b: &Expression) -> Option<(String, Kind, String)> {
    match (a, b) {
        (Expression::Path(path), Expression::Literal(kind, text))
        | (Expression::Literal(kind, text), Expression::Path(path)) => {
            Some((spelt(path), *kind, text.to_ascii_lowercase()))
        }
        _ => None,
    }
}

/// The head's repository is this one. A name that is written out is no guard: head may have written its own.
fn is_own_head(a: &Expression, b: &Expression) -> bool {
    let (Expression::Path(a), Expression::Path(b)) = (a, b) else { return false };
    let (a, b) = (spelt(a), spelt(b));
    let is_head = |path: &str| {
        matches!(
            path,
            "github.event.pull_request.head.repo.full_name" | "github.event.workflow_run.head_repository.full_name"
        )
    };
    let is_own = |path: &str| matches!(path, "github.repository" | "github.event.repository.full_name");
    (is_head(&a) && is_own(&b)) || (is_head(&b) && is_own(&a))
}

/// The run that `workflow_run` follows was caused by no pull request.
fn is_of_event(path: &str, text: &str) -> bool {
    path == "github.event.workflow_run.event" && matches!(text, "push" | "schedule" | "workflow_dispatch")
}

/// Associations of those who may write (GraphQL reference, `CommentAuthorAssociation`).
const MEMBERS: [&str; 3] = ["owner", "member", "collaborator"];

/// `contains(fromJSON('["OWNER", …]'), github.event.comment.author_association)`: whose association it is.
fn listed_members(given: &[Expression]) -> Option<String> {
    let [Expression::Call(name, list), Expression::Path(path)] = given else { return None };
    let Some(Expression::Literal(Kind::Text, list)) = list.first().filter(|_| name == "fromjson") else { return None };
    let mut words = list.split(|c: char| !c.is_ascii_alphabetic() && c != '_').filter(|word| !word.is_empty());
    words.all(|word| MEMBERS.contains(&word.to_ascii_lowercase().as_str())).then(|| spelt(path))
}

/// What the token of a job may write, each with its line; `*` is everything. `None` where nothing is said.
pub(super) fn writes<'n>(document: &Document<'n>, job: &Job<'n>) -> Option<Vec<Text<'n>>> {
    granted(&job.permissions).or_else(|| granted(&document.permissions))
}

/// Scopes that a block lets be written.
pub(super) fn granted<'n>(permissions: &Permissions<'n>) -> Option<Vec<Text<'n>>> {
    match permissions {
        Permissions::Absent => None,
        // Anything but the two words for less is taken for more.
        Permissions::All(level) => {
            let is_less = matches!(level.text.trim(), "read-all" | "{}" | "none");
            Some(if is_less { Vec::new() } else { vec![Text { text: "*", line: level.line }] })
        }
        Permissions::Scopes(scopes) => {
            let is_write = |level: &str| !matches!(level.trim(), "read" | "none" | "");
            let scopes = scopes.iter().filter(|scope| is_write(scope.value.text));
            Some(scopes.map(|scope| Text { text: scope.key, line: scope.value.line }).collect())
        }
    }
}
