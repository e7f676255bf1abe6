//! The forge of a check: whom it asks who approved, and what it says there.
//!
//! Nothing here changes a verdict: what cannot be read approves nothing, what cannot be said is a line on standard error.

use super::Error;
use crate::forge::approvals::{Approvals, pull_of};
use crate::forge::client::{Client, Patience};
use crate::forge::event::Event;
use crate::forge::graph::Graph;
use crate::forge::talk::{Message, Target, When, talk};
use crate::gate::Gate;
use crate::model::verdict::{Decision, Verdict};
use crate::report::github::annotations;
use crate::report::place::Loudness;
use crate::report::{self, Format, Look, words};
use crate::run::reviews;
use crate::world::{Env, Repo};

/// The forge, for one event.
pub(super) struct Forge {
    client: Client,
    event: Event,
}

/// GitHub's API where the runner names none.
const API: &str = "https://api.github.com";

/// A client for the runner's repository.
///
/// # Errors
/// One line why there is none.
pub(super) fn client(env: &Env) -> Result<Client, String> {
    let get = |name: &str| env.get(name).map(String::as_str).unwrap_or_default();
    let api = Some(get("GITHUB_API_URL")).filter(|url| !url.is_empty()).unwrap_or(API);
    Client::new(api, get("GITHUB_TOKEN"), get("GITHUB_REPOSITORY"), Patience::default())
}

/// An event with what only the forge knows of it: the pull request that another workflow ran for.
///
/// # Errors
/// What the forge does not tell: then nothing can be decided.
pub(super) fn resolved(event: Event, client: &Client) -> Result<Event, Error> {
    let Event::Run(run) = &event else { return Ok(event) };
    let nobody = || Error::Undecided("no single open pull request has the head that the workflow ran for".to_owned());
    pull_of(client, run).map_err(Error::Undecided)?.map(Event::Pull).ok_or_else(nobody)
}

/// Refuses to judge what its event no longer tells of, or what a check would count for besides. Where the forge cannot be
/// read, that is said, and the verdict rests on the event.
///
/// # Errors
/// Why nothing can be decided.
pub(super) fn is_current(event: &Event, client: &Client) -> Result<(), Error> {
    let Event::Pull(pull) = event else { return Ok(()) };
    if pull.merged.is_some() {
        return Ok(());
    }
    match Approvals::objection(client, pull) {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => Err(Error::Undecided(reason)),
        Err(reason) => {
            let reason = report::escape::terminal(&reason);
            eprintln!("portcullis: whether the pull request has moved on is not known: {reason}");
            Ok(())
        }
    }
}

impl Forge {
    pub(super) const fn new(client: Client, event: Event) -> Self {
        Self { client, event }
    }

    /// The reviews of the event's pull requests.
    pub(super) fn reviews(&self) -> Approvals<'_> {
        Approvals::new(&self.client, &self.event)
    }

    /// The dependency graph between the event's commits.
    pub(super) fn graph(&self) -> Graph<'_> {
        Graph::new(&self.client, &self.event)
    }

    /// Says the verdict. Answers a line for each thing that could not be said.
    pub(super) fn tell(&self, verdict: &Verdict, comment: When, repo: &dyn Repo) -> Vec<String> {
        let Some(target) = target(&self.event) else { return Vec::new() };
        let all = annotations(verdict);
        let is_clean =
            verdict.decision == Decision::Allow && all.iter().all(|annotation| annotation.level == Loudness::Note);
        let counts = words::counts(verdict);
        let title =
            if counts.is_empty() { verdict.decision.to_string() } else { format!("{}: {counts}", verdict.decision) };
        let reviewers = if verdict.decision == Decision::Review { reviewers(verdict, repo) } else { None };
        let message = Message {
            markdown: &report::render(Format::Markdown, verdict, &Look::default()),
            decision: verdict.decision.as_str(),
            title: &title,
            annotations: &all,
            comment,
            reviewers: reviewers.as_ref().map_or(&[], |known| known.owners.as_slice()),
            is_clean,
        };
        talk(&self.client, &target, &message)
    }
}

/// Who may approve, by the revision whose policy decided.
fn reviewers(verdict: &Verdict, repo: &dyn Repo) -> Option<crate::model::review::Reviewers> {
    let tree = repo.tree(&repo.resolve(verdict.policy.rev.as_deref()?).ok()?).ok()?;
    Some(reviews::who(&Gate::read(&*tree).ok()?, &*tree))
}

/// What carries the verdict; none where nothing of the event does.
fn target(event: &Event) -> Option<Target> {
    Some(match event {
        Event::Pull(pull) => Target { number: Some(pull.number), sha: pull.head.sha.clone() },
        Event::MergeGroup(group) => Target { number: None, sha: group.head.sha.clone() },
        Event::Push(push) => Target { number: None, sha: push.after.clone()? },
        Event::Run(_) | Event::Standing(_) => return None,
    })
}

impl From<super::args::Comment> for When {
    fn from(comment: super::args::Comment) -> Self {
        match comment {
            super::args::Comment::Always => Self::Always,
            super::args::Comment::OnFindings => Self::OnFindings,
            super::args::Comment::Never => Self::Never,
        }
    }
}
