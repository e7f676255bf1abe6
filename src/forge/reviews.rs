//! From facts of the forge to whose approval counts. Pure.
//!
//! Somebody's approval of a pull request counts when all of this holds, and otherwise a remark says what does not:
//!
//! 1. Their *latest decisive review* is `APPROVED`. Comments decide nothing; `CHANGES_REQUESTED`, `DISMISSED` and any
//!    state that is not known decide. Reviews are ordered by time, then as the forge lists them.
//! 2. They are a person: an account of type `User`. A review whose account is gone counts for nothing.
//! 3. They had no part in the change: neither opened the pull request, nor are author or committer of one of its commits
//!    (as the forge attributes them; `web-flow`, with which GitHub commits for others, aside), nor pushed it. Who pushed
//!    is what the forge recorded ([`pushers`]), never what git says. Where that cannot be known, nobody counts.
//! 4. They are a reviewer that the governing revision names: by login, or as an active member of a team. A team that
//!    cannot be read has no members.
//! 5. They approved it for this target branch: not before the pull request got another one, which shows another change.
//! 6. What they looked at is what is judged: their review's commit is head, or both have the same bytes and modes at every
//!    relevant path ([`same_where_relevant`]).
//!
//! Logins compare without case, as GitHub's do. Nobody can be told from their login alone: who renames an account leaves
//! the name to others, so settings should name teams.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{Activity, Commit, Review, Tree, User, plain};
use crate::model::review::{Approver, Owner, Reviewers};

/// What to do where nobody is named.
pub const NOBODY: &str = "nobody is named who may approve: write `reviewers = [\"@login\"]` in .portcullis/config.toml of \
                          the protected branch, or an owner of /.portcullis/ in CODEOWNERS";

/// The account with which GitHub commits what is done on its pages.
const WEB_FLOW: &str = "web-flow";

/// What the forge says of one pull request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The commit that is judged.
    pub head: String,
    /// Who opened it.
    pub author: Option<String>,
    /// Authors and committers of its commits.
    pub writers: Vec<String>,
    /// Who pushed it, or why that is not known.
    pub pushers: Result<Vec<String>, String>,
    /// Its reviews, as listed.
    pub reviews: Vec<Review>,
    /// When it got another target branch, if ever, or why that is not known.
    pub retargeted: Result<Option<String>, String>,
}

/// The members of teams, in lower case, or why a team cannot be read.
pub type Members = BTreeMap<Owner, Result<BTreeSet<String>, String>>;

/// What was found out about reviewed commits other than head: whether what was looked at is what is judged, else why not.
pub type Holds = BTreeMap<String, Result<(), String>>;

/// An approval that stands, of somebody who had no part in the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The login, as the forge writes it.
    pub login: String,
    /// The id of the review.
    pub review: u64,
    /// The commit that was looked at.
    pub commit: Option<String>,
}

/// Logins by what is to be said of them. Anybody may approve a public pull request, so that one line names a few.
#[derive(Default)]
struct Remarks(BTreeMap<String, Vec<String>>);

impl Remarks {
    fn add(&mut self, login: &str, why: impl Into<String>) {
        self.0.entry(why.into()).or_default().push(format!("@{}", plain(login, 100)));
    }

    fn lines(self) -> Vec<String> {
        const NAMED: usize = 5;
        let line = |(why, logins): (String, Vec<String>)| {
            let named = logins.get(..NAMED).unwrap_or(&logins).join(", ");
            let others = logins.len().saturating_sub(NAMED);
            let others = if others > 0 { format!(" and {others} more") } else { String::new() };
            format!("{named}{others}: {why}")
        };
        self.0.into_iter().map(line).collect()
    }
}

/// Rules 1 to 3 and 5: approvals that may count, sorted by login, and remarks on those that cannot.
#[must_use]
pub fn candidates(facts: &Facts) -> (Vec<Candidate>, Vec<String>) {
    let (mut candidates, mut remarks) = (Vec::new(), Remarks::default());
    for review in latest(&facts.reviews).into_values().filter(|review| review.state == "APPROVED") {
        let Some(user) = &review.user else { continue };
        let login = user.login.clone().unwrap_or_default();
        match objection(facts, user, &login, review) {
            Some(why) => remarks.add(&login, why),
            None => candidates.push(Candidate { login, review: review.id, commit: review.commit_id.clone() }),
        }
    }
    let mut remarks = remarks.lines();
    if let (false, Err(why)) = (candidates.is_empty(), &facts.pushers) {
        remarks.push(format!("no approval counts, because it is not known who pushed the change: {why}"));
        candidates.clear();
    }
    if let (false, Err(why)) = (candidates.is_empty(), &facts.retargeted) {
        remarks
            .push(format!("no approval counts, because it is not known which target branch it was given for: {why}"));
        candidates.clear();
    }
    (candidates, remarks)
}

/// The latest decisive review of each login.
fn latest(reviews: &[Review]) -> BTreeMap<String, &Review> {
    let mut sorted: Vec<_> = reviews.iter().collect();
    // Stable: equal times keep the forge's order. One without a time comes last, and then it decides.
    sorted.sort_by_key(|review| (review.submitted_at.is_none(), review.submitted_at.as_deref()));
    let mut latest = BTreeMap::new();
    for review in sorted {
        let login = review.user.as_ref().and_then(|user| user.login.as_deref());
        if let Some(login) = login
            && !matches!(review.state.as_str(), "COMMENTED" | "PENDING")
        {
            latest.insert(login.to_ascii_lowercase(), review);
        }
    }
    latest
}

/// Why an approval cannot count, whoever the reviewers are.
fn objection(facts: &Facts, user: &User, login: &str, review: &Review) -> Option<&'static str> {
    let same = |other: &String| other.eq_ignore_ascii_case(login);
    let is_person = user.kind.as_deref() == Some("User") && !login.to_ascii_lowercase().ends_with("[bot]");
    if !is_person {
        Some("approved, but is no person: programs do not count")
    } else if facts.author.as_ref().is_some_and(same) {
        Some("approved, but opened the pull request")
    } else if facts.writers.iter().any(same) {
        Some("approved, but is author or committer of one of the commits")
    } else if facts.pushers.as_ref().is_ok_and(|pushers| pushers.iter().any(same)) {
        Some("approved, but pushed to the head branch")
    } else if review.submitted_at.is_none() {
        Some("approved, but the forge does not say when")
    } else if facts.retargeted.as_ref().is_ok_and(|at| at.is_some() && review.submitted_at <= *at) {
        Some(
            "approved before the pull request got another target branch: what was shown was another change; approve again",
        )
    } else {
        None
    }
}

/// Rule 4: the candidates that are named as reviewers, and remarks on the others and on teams that cannot be read.
#[must_use]
pub fn named(candidates: Vec<Candidate>, reviewers: &Reviewers, members: &Members) -> (Vec<Candidate>, Vec<String>) {
    let mut remarks = Remarks::default();
    let is_named = |candidate: &Candidate| {
        let is_it = reviewers.owners.iter().any(|owner| match owner {
            Owner::Login(name) => name.eq_ignore_ascii_case(&candidate.login),
            Owner::Team { .. } => match members.get(owner) {
                Some(Ok(logins)) => logins.contains(&candidate.login.to_ascii_lowercase()),
                Some(Err(_)) | None => false,
            },
        });
        if !is_it {
            remarks.add(&candidate.login, "approved, but not named as a reviewer");
        }
        is_it
    };
    let named: Vec<_> = candidates.into_iter().filter(is_named).collect();
    let mut lines = remarks.lines();
    let unread = members.iter().filter_map(|(team, logins)| Some((team, logins.as_ref().err()?)));
    lines.extend(unread.map(|(team, why)| format!("{team} approves nothing: {why}")));
    (named, lines)
}

/// Rule 6: who counts, sorted by login, and remarks on those whose approval does not hold.
#[must_use]
pub fn standing(candidates: &[Candidate], head: &str, holds: &Holds) -> (Vec<Approver>, Vec<String>) {
    let (mut approvals, mut remarks) = (Vec::new(), Remarks::default());
    for candidate in candidates {
        let held = match candidate.commit.as_deref() {
            None => Err("approved a commit that the forge no longer has: approve again".to_owned()),
            Some(commit) if commit == head => Ok(()),
            Some(commit) => match holds.get(commit) {
                Some(Ok(())) => Ok(()),
                Some(Err(why)) => Err(format!("the approval does not hold: {why}: approve again")),
                None => Err("what was approved was not compared with what is judged: approve again".to_owned()),
            },
        };
        match held {
            Ok(()) => approvals.push(approver(candidate)),
            Err(why) => remarks.add(&candidate.login, why),
        }
    }
    (approvals, remarks.lines())
}

fn approver(candidate: &Candidate) -> Approver {
    Approver { login: candidate.login.clone(), review: candidate.review }
}

/// Authors and committers of commits, as the forge attributes them.
#[must_use]
pub fn writers(commits: &[Commit]) -> Vec<String> {
    let people = commits.iter().flat_map(|commit| [&commit.author, &commit.committer]).flatten();
    let logins: BTreeSet<_> = people.filter_map(|user| user.login.clone()).filter(|login| login != WEB_FLOW).collect();
    logins.into_iter().collect()
}

/// Who brought the branch to `head`, from the forge's record of the branch (latest first) and the pull request's commits.
///
/// The record is walked back from its beginning. Everybody who moved the branch counts, until the change begins: at the
/// branch's creation, or at a push (no forced one) whose commit before is none of the pull request's. Such a push is a
/// fast-forward, so what stood before it is an ancestor of head that base has as well, and what lies further back was
/// never part of this change. After a forced push the walk goes on, because somebody's commits may have been rewritten.
///
/// # Errors
/// Why it is not known: the record does not hold head yet, or ends before the change begins.
pub fn pushers(record: &[Activity], head: &str, commits: &[Commit]) -> Result<Vec<String>, String> {
    let own: BTreeSet<&str> = commits.iter().map(|commit| commit.sha.as_str()).collect();
    let mut pushers = BTreeSet::new();
    let mut is_head_seen = false;
    for activity in record {
        is_head_seen |= activity.after == head;
        let is_moved = activity.activity_type != "branch_deletion";
        if let Some(login) = activity.actor.as_ref().and_then(|actor| actor.login.clone()).filter(|_| is_moved) {
            pushers.insert(login);
        }
        let is_start = match activity.activity_type.as_str() {
            "branch_creation" => true,
            "force_push" | "branch_deletion" => false,
            _ => !own.contains(activity.before.as_str()),
        };
        if is_head_seen && is_start {
            return Ok(pushers.into_iter().collect());
        }
    }
    Err(if is_head_seen {
        "the forge's record of the head branch does not go back to where the change begins".to_owned()
    } else {
        "the forge's record of the head branch does not hold the judged commit (yet): run again".to_owned()
    })
}

/// The files of a tree that matter, by path, with mode and bytes.
fn files<'t>(tree: &'t Tree, matters: &dyn Fn(&str) -> bool) -> BTreeMap<&'t str, (&'t str, &'t str)> {
    let entries = tree.tree.iter().filter(|entry| entry.kind != "tree" && matters(&entry.path));
    entries.map(|entry| (entry.path.as_str(), (entry.mode.as_str(), entry.sha.as_str()))).collect()
}

/// Whether two commits' trees have the same bytes and modes at every relevant path.
///
/// # Errors
/// Why not, or why it cannot be told.
pub fn same_where_relevant(approved: &Tree, head: &Tree, relevant: &dyn Fn(&str) -> bool) -> Result<(), String> {
    if approved.truncated || head.truncated {
        return Err("the repository has more files than the forge lists, so they cannot be compared".to_owned());
    }
    let (approved, head) = (files(approved, relevant), files(head, relevant));
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    paths.extend(approved.iter().filter(|(path, entry)| head.get(*path) != Some(entry)).map(|(path, _)| path));
    paths.extend(head.keys().filter(|path| !approved.contains_key(*path)));
    let Some(first) = paths.first() else { return Ok(()) };
    let others = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
    Err(format!("{}{others} changed since", plain(first, 200)))
}

/// Whether all that differs between two trees at some paths is, in the second, as in a third.
#[must_use]
pub fn is_own(before: &Tree, after: &Tree, own: &Tree, of: &dyn Fn(&str) -> bool) -> bool {
    if before.truncated || after.truncated || own.truncated {
        return false;
    }
    let (before, after, own) = (files(before, of), files(after, of), files(own, of));
    let paths: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).all(|path| after.get(path) == own.get(path))
}

#[cfg(test)]
mod tests;
