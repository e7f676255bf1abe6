//! What the runner says happened: `GITHUB_EVENT_NAME` and the payload → [`Event`] → [`Plan`].
//!
//! 1. `payload.rs` reads the members that are known and passes over everything else.
//! 2. Each kind of event is read into its own type. Every id, reference, repository and login obeys its grammar
//!    (`grammar.rs`): they end up in refspecs, addresses and comments, and head's author chooses some of them. What is
//!    missing or of another type is a [`BadEvent`] with its place, never a guess.
//! 3. `plan.rs` says which revisions are judged, which branch is protected, what has to be fetched, and what must hold
//!    before a verdict about them is one about the event.
//!
//! Nothing here reads a file, the environment or a repository. Source of the shapes: docs.github.com, "Webhook events
//! and payloads" and "Events that trigger workflows".

mod grammar;
mod payload;
mod plan;

#[cfg(test)]
mod tests;

pub use self::grammar::{is_branch, is_login, is_reference, is_repository, is_sha};
pub use self::payload::MAX_PAYLOAD;
pub use self::plan::{Governing, Held, Must, Plan, Planned, PlannedBase, Runner};

use self::payload::{At, Node};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something about a pull request.
    Pull(Pull),
    /// Another workflow ran for a pull request, which the payload may not name.
    Run(Run),
    /// A merge queue made a group.
    MergeGroup(Group),
    /// A reference was pushed, made or deleted.
    Push(Push),
    /// Nothing changed: what stands on a reference is meant.
    Standing(Standing),
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number, from 1.
    pub number: u64,
    /// Where it is to go.
    pub base: Place,
    /// What it brings.
    pub head: Place,
    /// Who opened it. GitHub shows a deleted account as `ghost`, and so do we.
    pub author: Login,
    /// Who caused the event: of a `synchronize`, whoever pushed.
    pub sender: Login,
    /// Whether head lies in another repository than base, or its repository is gone.
    pub is_fork: bool,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// The commit on base that it became; none while it is not merged.
    pub merged: Option<String>,
    /// The short name of the repository's default branch, where the payload has it.
    pub default_branch: Option<String>,
    /// Which event brought it.
    pub trigger: Trigger,
    /// What was done: `opened`, `synchronize`, `submitted`, …
    pub action: String,
}

/// Which event is about a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `pull_request`.
    PullRequest,
    /// `pull_request_target`.
    Target,
    /// `pull_request_review`.
    Review,
    /// `workflow_run`.
    WorkflowRun,
}

/// A branch at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The short name of the branch.
    pub name: String,
    /// 40 (SHA-1) or 64 (SHA-256) hex digits in lower case.
    pub sha: String,
    /// `owner/name`; none: it is gone.
    pub repository: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The login.
    pub name: String,
    /// Whether it is anything but a person's account: an app, an organisation, a placeholder, or one that is gone.
    pub is_bot: bool,
}

/// A merge queue's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The protected branch, at the commit that the group was built on: the one before in the queue, or its tip.
    pub base: Place,
    /// What the branch is to become; on `gh-readonly-queue/…`, which GitHub alone writes.
    pub head: Place,
}

/// A push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The full name of the branch or tag.
    pub reference: String,
    /// What stood there; none: it is new.
    pub before: Option<String>,
    /// What stands there; none: it was deleted. Of an annotated tag, the tag's own id.
    pub after: Option<String>,
    /// Whether what stood there was not built upon.
    pub is_forced: bool,
    /// The short name of the default branch.
    pub default_branch: String,
    /// Who pushed, as the forge says; none for an account that is gone.
    pub pusher: Option<Login>,
}

/// A run of another workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it ran for, as GitHub records it. Where that is not the head of a pull request, nothing is resolved.
    pub head: Place,
    /// `pull_request`, `pull_request_target` or `pull_request_review`.
    pub of: String,
    /// Who caused it.
    pub actor: Login,
    /// The pull requests of this repository whose head this is. GitHub leaves them out for forks.
    pub pulls: Vec<Candidate>,
    /// The repository of the workflow, `owner/name`.
    pub repository: String,
}

/// A pull request that a run of a workflow may have been about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its number.
    pub number: u64,
    /// Where it is to go.
    pub base: Place,
}

/// What stands on a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `schedule`, `workflow_dispatch`, `repository_dispatch`, or `workflow_run` of something else than a pull request.
    pub event: &'static str,
    /// Its branch or tag, as the payload writes it; none: the default branch.
    pub reference: Option<String>,
    /// Its commit; none: what is checked out.
    pub sha: Option<String>,
    /// The short name of the default branch. Scheduled runs may have it in the runner's environment alone.
    pub default_branch: Option<String>,
}

/// Why a payload cannot be used: one line, in which everything from the payload is escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Nothing is judged on this event: the workflow asks for what cannot be had.
    #[error(
        "event {event} is not one that is judged: use pull_request, pull_request_target, pull_request_review, \
         merge_group, push, schedule, workflow_dispatch, repository_dispatch or workflow_run"
    )]
    NotJudged {
        /// The event, escaped.
        event: String,
    },
    /// Larger than GitHub makes them.
    #[error("event {event}: the payload has {bytes} bytes, more than the {MAX_PAYLOAD} that are read")]
    TooLarge {
        /// The event.
        event: String,
        /// Its size.
        bytes: usize,
    },
    /// Not the JSON that it should be.
    #[error("event {event}: the payload cannot be read: {why}")]
    NotJson {
        /// The event.
        event: String,
        /// The parser's reason.
        why: String,
    },
    /// Something in it is missing, or is not what it should be.
    #[error("event {event}: {path} {what}")]
    Field {
        /// The event.
        event: String,
        /// Where: `pull_request.base.sha`.
        path: String,
        /// What is wrong: `is missing`.
        what: String,
    },
    /// The payload and the runner's environment contradict each other.
    #[error("event {event}: {variable} {what}")]
    Runner {
        /// The event.
        event: String,
        /// The environment variable.
        variable: &'static str,
        /// What is wrong.
        what: String,
    },
    /// Which pull request is meant has to be asked of the forge, or asked again.
    #[error("event workflow_run: {what}")]
    Unresolved {
        /// What is not known, and what helps.
        what: String,
    },
}

impl BadEvent {
    /// Whether the workflow is set up wrongly (exit code 2), rather than that nothing could be decided (3).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NotJudged { .. })
    }
}

impl Event {
    /// Reads a payload by the name of its event.
    ///
    /// # Errors
    /// [`BadEvent`].
    pub fn parse(name: &str, payload: &[u8]) -> Result<Self, BadEvent> {
        let read: fn(&At<'_>) -> Result<Self, BadEvent> = match name {
            "pull_request" => |root| pull(root, Trigger::PullRequest).map(Self::Pull),
            "pull_request_target" => |root| pull(root, Trigger::Target).map(Self::Pull),
            "pull_request_review" => |root| pull(root, Trigger::Review).map(Self::Pull),
            "merge_group" => |root| group(root).map(Self::MergeGroup),
            "push" => |root| push(root).map(Self::Push),
            "workflow_run" => workflow_run,
            "schedule" => |root| standing(root, "schedule", None).map(Self::Standing),
            "workflow_dispatch" => |root| standing(root, "workflow_dispatch", Some("ref")).map(Self::Standing),
            "repository_dispatch" => |root| standing(root, "repository_dispatch", Some("branch")).map(Self::Standing),
            _ => return Err(BadEvent::NotJudged { event: grammar::shown(name) }),
        };
        read(&At::root(name, &Node::read(name, payload)?))
    }
}

impl Run {
    /// The pull request that the run was for, from GitHub's answer about it (`GET /repos/{owner}/{repo}/pulls/{n}`).
    ///
    /// # Errors
    /// [`BadEvent`] for an answer that cannot be read, and where it is not about this head any more.
    pub fn resolve(&self, answer: &[u8]) -> Result<Pull, BadEvent> {
        let node = Node::read("workflow_run", answer)?;
        let found = pull_request(&At::root("workflow_run", &node), Trigger::WorkflowRun, &self.actor, "completed")?;
        let moved = |what: &str| BadEvent::Unresolved { what: format!("pull request {} {what}", found.number) };
        let is_here = |name: &String| name.eq_ignore_ascii_case(&self.repository);
        if !found.base.repository.as_ref().is_some_and(is_here) {
            return Err(moved("goes to another repository"));
        }
        if found.head.sha != self.head.sha {
            return Err(moved("has another head by now: run again"));
        }
        Ok(found)
    }
}

fn pull(root: &At<'_>, trigger: Trigger) -> Result<Pull, BadEvent> {
    let action = root.member("action")?.obeying(grammar::is_word, "an action")?;
    let sender = login(Some(root.member("sender")?))?;
    pull_request(&root.member("pull_request")?, trigger, &sender, &action)
}

fn pull_request(pull: &At<'_>, trigger: Trigger, sender: &Login, action: &str) -> Result<Pull, BadEvent> {
    let base = place(&pull.member("base")?)?;
    let head = place(&pull.member("head")?)?;
    let home = pull.member("base")?.member("repo")?;
    if base.repository.is_none() {
        return Err(home.bad("is null"));
    }
    let is_same = |a: &String, b: &String| a.eq_ignore_ascii_case(b);
    let is_fork = !base.repository.as_ref().zip(head.repository.as_ref()).is_some_and(|(a, b)| is_same(a, b));
    let flag = |name| pull.optional(name)?.map_or(Ok(false), |at| at.flag());
    Ok(Pull {
        number: number(&pull.member("number")?)?,
        author: login(Some(pull.member("user")?))?,
        sender: sender.clone(),
        is_fork,
        is_draft: flag("draft")?,
        merged: if flag("merged")? { Some(sha(&pull.member("merge_commit_sha")?)?) } else { None },
        default_branch: home.optional("default_branch")?.map(|at| branch(&at)).transpose()?,
        trigger,
        action: action.to_owned(),
        base,
        head,
    })
}

/// `base` or `head` of a pull request.
fn place(at: &At<'_>) -> Result<Place, BadEvent> {
    Ok(Place {
        name: branch(&at.member("ref")?)?,
        sha: sha(&at.member("sha")?)?,
        repository: at.nullable("repo")?.map(|repo| repository(&repo)).transpose()?,
    })
}

fn group(root: &At<'_>) -> Result<Group, BadEvent> {
    let repository = repository(&root.member("repository")?)?;
    let group = root.member("merge_group")?;
    let place = |reference, id| {
        let name = full_branch(&group.member(reference)?)?;
        Ok(Place { name, sha: sha(&group.member(id)?)?, repository: Some(repository.clone()) })
    };
    let (base, head): (Place, Place) = (place("base_ref", "base_sha")?, place("head_ref", "head_sha")?);
    if !head.name.starts_with("gh-readonly-queue/") {
        return Err(group.member("head_ref")?.bad("is no branch of a merge queue"));
    }
    Ok(Group { base, head })
}

fn push(root: &At<'_>) -> Result<Push, BadEvent> {
    let is_pushed = |name: &str| grammar::branch(name).is_some() || grammar::tag(name).is_some();
    let id = |name| {
        let id = root.member(name)?.obeying(grammar::is_id, "a full commit id in lower case")?;
        Ok(Some(id).filter(|id| !grammar::is_zero(id)))
    };
    let push = Push {
        reference: root.member("ref")?.obeying(is_pushed, "the full name of a branch or tag")?,
        before: id("before")?,
        after: id("after")?,
        is_forced: root.member("forced")?.flag()?,
        default_branch: branch(&root.member("repository")?.member("default_branch")?)?,
        pusher: root.optional("sender")?.map(|sender| login(Some(sender))).transpose()?,
    };
    if push.before.is_none() && push.after.is_none() {
        return Err(root.member("after")?.bad("is the id of nothing, and so is before"));
    }
    Ok(push)
}

fn workflow_run(root: &At<'_>) -> Result<Event, BadEvent> {
    let run = root.member("workflow_run")?;
    let of = run.member("event")?.obeying(grammar::is_word, "the name of an event")?;
    let commit = sha(&run.member("head_sha")?)?;
    if !matches!(of.as_str(), "pull_request" | "pull_request_target" | "pull_request_review") {
        // A run for a tag names the tag here.
        let mut standing = standing(root, "workflow_run", None)?;
        standing.reference = run.optional("head_branch")?.map(|at| branch(&at)).transpose()?;
        standing.sha = Some(commit);
        return Ok(Event::Standing(standing));
    }
    let home = root.member("repository")?;
    let here = repository(&home)?;
    let head = Place {
        name: branch(&run.member("head_branch")?)?,
        sha: commit,
        repository: run.optional("head_repository")?.map(|at| repository(&at)).transpose()?,
    };
    let id = home.member("id")?.number()?;
    let mut pulls = Vec::new();
    for pull in run.member("pull_requests")?.list()? {
        let (base, of_pull) = (pull.member("base")?, pull.member("head")?);
        // The list may hold pull requests of other repositories, and ones that have moved on.
        if base.member("repo")?.member("id")?.number()? != id || sha(&of_pull.member("sha")?)? != head.sha {
            continue;
        }
        let base = Place {
            name: branch(&base.member("ref")?)?,
            sha: sha(&base.member("sha")?)?,
            repository: Some(here.clone()),
        };
        pulls.push(Candidate { number: number(&pull.member("number")?)?, base });
    }
    let actor = match run.optional("triggering_actor")? {
        Some(actor) => login(Some(actor))?,
        None => login(run.optional("actor")?)?,
    };
    Ok(Event::Run(Run { head, of, actor, pulls, repository: here }))
}

fn standing(root: &At<'_>, event: &'static str, reference: Option<&str>) -> Result<Standing, BadEvent> {
    let is_named = |name: &str| is_branch(name) || is_reference(name);
    let reference = reference.map(|name| root.optional(name)).transpose()?.flatten();
    let reference = reference.map(|at| at.obeying(is_named, "the name of a branch or tag")).transpose()?;
    let repository = root.optional("repository")?;
    let default_branch = repository.map(|at| at.optional("default_branch")).transpose()?.flatten();
    let default_branch = default_branch.map(|at| branch(&at)).transpose()?;
    Ok(Standing { event, reference, sha: None, default_branch })
}

fn number(at: &At<'_>) -> Result<u64, BadEvent> {
    match at.number()? {
        0 => Err(at.bad("is 0, not a number from 1")),
        number => Ok(number),
    }
}

fn sha(at: &At<'_>) -> Result<String, BadEvent> {
    at.obeying(is_sha, "a full commit id in lower case")
}

fn branch(at: &At<'_>) -> Result<String, BadEvent> {
    at.obeying(is_branch, "the name of a branch")
}

/// The short name of a branch that is named in full.
fn full_branch(at: &At<'_>) -> Result<String, BadEvent> {
    let full = at.obeying(|name| grammar::branch(name).is_some(), "the full name of a branch")?;
    Ok(grammar::branch(&full).unwrap_or_default().to_owned())
}

fn repository(at: &At<'_>) -> Result<String, BadEvent> {
    at.member("full_name")?.obeying(is_repository, "the name of a repository")
}

/// An account; one that is gone is GitHub's `ghost`.
fn login(at: Option<At<'_>>) -> Result<Login, BadEvent> {
    let Some(at) = at.filter(|at| !at.is_null()) else { return Ok(Login { name: "ghost".to_owned(), is_bot: true }) };
    let name = at.member("login")?.obeying(is_login, "a login")?;
    let is_person = at.member("type")?.text()? == "User";
    Ok(Login { is_bot: !is_person || name.ends_with("[bot]"), name })
}
