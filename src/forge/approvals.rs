//! Asks the forge for the facts that [`super::reviews`] judges, pull request by pull request.
//!
//! A pull request is itself. A merge queue's group is one pull request per entry, told apart by what GitHub alone can
//! write: the branches `gh-readonly-queue/<base>/pr-<number>-<sha>`. The walk goes from the group's commit along first
//! parents down to the commit with which the judged difference begins (which is on the protected branch; the event's own
//! base may be an earlier entry of the queue); every commit at which such a branch stands begins (looking down) that branch's pull
//! request. Each stretch must be what GitHub makes of one pull request: a merge commit whose second parent is its head,
//! one squashed commit, or as many commits with the same messages as it has (rebase). What no branch explains is an
//! error: then nothing in the group is approved.
//!
//! What cannot be read approves nothing: it becomes a remark, with the permission that is lacking. Questions are asked in
//! the order that ends soonest: without reviewers none, without an approval one.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{Client, Commit, Failed, Kind, PullRequest, Tree, is_sha};
use super::event::{Event, Group, Place, Pull, Run, Trigger};
use super::reviews::{self, Candidate, Facts, Holds, Members};
use crate::model::review::{Owner, Reviewed, Reviewers};
use crate::world::{Matters, Reviews};

/// Commits of a pull request that its own list holds (GitHub, "List commits on a pull request").
const LISTED: u64 = 250;
/// Reviewed commits that are compared with head, at the most: each is a tree of up to 7 MB.
const MOST_COMPARED: usize = 10;
/// Entries of a merge group, at the most.
const MOST_ENTRIES: usize = 100;
/// What is said where GitHub has gone on since the event.
const MOVED: &str = "the pull request has moved on since this run began: the run for its present head decides";

/// The reviews of the forge, for one event.
pub struct Approvals<'a> {
    client: &'a Client,
    event: &'a Event,
}

/// What is asked of every pull request.
struct Asked<'a> {
    reviewers: &'a Reviewers,
    matters: Matters<'a>,
    /// The commit that the judged difference begins with.
    since: Option<&'a str>,
    /// Whom the event itself names as having pushed.
    pusher: Option<&'a str>,
}

impl Reviews for Approvals<'_> {
    fn reviewed(
        &self,
        since: Option<&str>,
        reviewers: &Reviewers,
        matters: &Matters<'_>,
    ) -> Result<Vec<Reviewed>, String> {
        let asked = Asked { reviewers, matters: *matters, since, pusher: None };
        match self.event {
            Event::Pull(pull) => {
                let is_push =
                    matches!(pull.trigger, Trigger::PullRequest | Trigger::Target) && pull.action == "synchronize";
                let pusher = is_push.then_some(pull.sender.name.as_str());
                self.of_pull(pull, &Asked { pusher, ..asked }).map(|reviewed| vec![reviewed])
            }
            Event::MergeGroup(group) => self.of_group(group, &asked),
            _ => Ok(Vec::new()),
        }
    }
}

impl<'a> Approvals<'a> {
    /// The reviews that a client can read, of the pull requests of an event.
    #[must_use]
    pub fn new(client: &'a Client, event: &'a Event) -> Self {
        Self { client, event }
    }

    /// Says whether a pull request is still what its event tells of, and whether its check would count for another: GitHub
    /// knows a check by the commit and its name alone. None where all is well; an error where it cannot be read.
    ///
    /// # Errors
    /// One line.
    pub fn objection(client: &Client, pull: &Pull) -> Result<Option<String>, String> {
        let now = client.pull(pull.number).map_err(|failed| failed.line)?;
        if now.head.sha != pull.head.sha || now.base.name != pull.base.name {
            return Ok(Some(MOVED.to_owned()));
        }
        let all = client.pulls_of(&pull.head.sha).map_err(|failed| failed.line)?;
        let is_other = |other: &&PullRequest| {
            other.number != pull.number
                && other.state == "open"
                && other.head.sha == pull.head.sha
                && other.base.name != pull.base.name
        };
        Ok(all.iter().find(is_other).map(|other| {
            format!(
                "pull request {} takes the same commit to another branch, and a check of one counts for both: close one",
                other.number
            )
        }))
    }

    fn of_pull(&self, pull: &Pull, asked: &Asked<'_>) -> Result<Reviewed, String> {
        let mut reviewed = Reviewed {
            number: pull.number,
            from: Some(asked.since.unwrap_or(&pull.base.sha).to_owned()),
            to: pull.head.sha.clone(),
            is_its_gate: true,
            ..Reviewed::default()
        };
        let now = self.fill(&mut reviewed, None, asked);
        match now {
            Some(now) if now.head.sha != pull.head.sha => Err(MOVED.to_owned()),
            Some(now) if now.base.name != pull.base.name => Err(MOVED.to_owned()),
            _ => Ok(reviewed),
        }
    }

    fn of_group(&self, group: &Group, asked: &Asked<'_>) -> Result<Vec<Reviewed>, String> {
        if asked.reviewers.owners.is_empty() {
            return Err(reviews::NOBODY.to_owned());
        }
        let line = |failed: Failed| format!("the merge group's pull requests cannot be told apart: {failed}");
        let queue = self.client.queue(&group.base.name).map_err(line)?;
        let since = asked.since.unwrap_or(&group.base.sha);
        let commits = self.client.compare(since, &group.head.sha).map_err(line)?;
        let mut all = Vec::new();
        for entry in entries(group, since, &queue, &commits)? {
            let pull = self.client.pull(entry.number).map_err(line)?;
            if pull.base.name != group.base.name {
                return Err(MOVED.to_owned());
            }
            self.is_made_of(&entry, &pull)?;
            let own = pull.head.sha.clone();
            let (from, to) = (Some(entry.from), entry.to);
            let mut reviewed = Reviewed { number: entry.number, from, to, ..Reviewed::default() };
            self.fill(&mut reviewed, Some(pull), asked);
            if !reviewed.approvals.is_empty() {
                self.own(&mut reviewed, &own, asked.matters);
            }
            all.push(reviewed);
        }
        Ok(all)
    }

    /// What of a stretch is the pull request's own. Names of branches may lie, and GitHub merges texts: only what its own
    /// head says was approved.
    fn own(&self, reviewed: &mut Reviewed, head: &str, matters: Matters<'_>) {
        match self.client.file(head, matters.ledger) {
            Ok(text) => reviewed.ledger = Some(text.unwrap_or_default()),
            Err(failed) => reviewed.remarks.push(format!("no entry of the ledger counts: {failed}")),
        }
        let changed = || -> Result<bool, Failed> {
            let from = reviewed.from.as_deref().unwrap_or_default();
            let (before, after, own) =
                (self.client.tree(from)?, self.client.tree(&reviewed.to)?, self.client.tree(head)?);
            Ok(reviews::is_own(&before, &after, &own, matters.of_gate))
        };
        match changed() {
            Ok(is_own) => reviewed.is_its_gate = is_own,
            Err(failed) => reviewed.remarks.push(format!("no change to the gate is cleared: {failed}")),
        }
    }

    /// Checks that a stretch of the group is what GitHub makes of this pull request.
    fn is_made_of(&self, entry: &Entry<'_>, pull: &PullRequest) -> Result<(), String> {
        if pull.state != "open" {
            return Err(format!("pull request {} of the merge group is not open", entry.number));
        }
        let unexplained = || Err(format!("the merge group's commits are not those of pull request {}", entry.number));
        match entry.commits.as_slice() {
            [commit] => match commit.parents.get(1) {
                // Squashed, or rebased as one.
                None => Ok(()),
                Some(second) if second.sha == pull.head.sha && commit.parents.len() == 2 => Ok(()),
                Some(_) => unexplained(),
            },
            rebased => {
                let own = self.client.commits(entry.number).map_err(|failed| failed.line)?;
                let message = |commit: &Commit| commit.commit.as_ref().map(|commit| commit.message.clone());
                let is_same = rebased.iter().map(|commit| message(commit)).eq(own.iter().map(message));
                let is_line = rebased.iter().all(|commit| commit.parents.len() == 1);
                if is_same && is_line { Ok(()) } else { unexplained() }
            }
        }
    }

    /// Asks for the facts and judges them. Answers the pull request where it was asked for.
    fn fill(&self, reviewed: &mut Reviewed, pull: Option<PullRequest>, asked: &Asked<'_>) -> Option<PullRequest> {
        reviewed.remarks.extend(asked.reviewers.remarks.iter().cloned());
        if asked.reviewers.owners.is_empty() {
            reviewed.remarks.push(reviews::NOBODY.to_owned());
            return pull;
        }
        match self.facts(reviewed.number, pull, asked) {
            Ok(None) => None,
            Ok(Some((facts, pull))) => {
                let (candidates, remarks) = reviews::candidates(&facts);
                reviewed.remarks.extend(remarks);
                let members = self.members(&candidates, asked.reviewers);
                let (candidates, remarks) = reviews::named(candidates, asked.reviewers, &members);
                reviewed.remarks.extend(remarks);
                let holds = self.holds(&candidates, &facts.head, asked.matters.relevant);
                let (approvals, remarks) = reviews::standing(&candidates, &facts.head, &holds);
                reviewed.approvals = approvals;
                reviewed.remarks.extend(remarks);
                Some(pull)
            }
            Err(failed) => {
                reviewed.remarks.push(format!("nothing is approved: {failed}"));
                None
            }
        }
    }

    /// The facts of a pull request; none where nobody has approved it.
    fn facts(
        &self,
        number: u64,
        pull: Option<PullRequest>,
        asked: &Asked<'_>,
    ) -> Result<Option<(Facts, PullRequest)>, Failed> {
        let reviews = self.client.reviews(number)?;
        if !reviews.iter().any(|review| review.state == "APPROVED") {
            return Ok(None);
        }
        let pull = pull.map_or_else(|| self.client.pull(number), Ok)?;
        let commits = if pull.commits > LISTED {
            self.client.compare(&pull.base.sha, &pull.head.sha)?
        } else {
            self.client.commits(number)?
        };
        let pushers = self.pushers(&pull, &commits, asked);
        let facts = Facts {
            head: pull.head.sha.clone(),
            author: pull.user.as_ref().and_then(|user| user.login.clone()),
            writers: reviews::writers(&commits),
            pushers,
            reviews,
            retargeted: self.client.retargeted(number).map_err(|failed| failed.line),
        };
        Ok(Some((facts, pull)))
    }

    /// Who pushed the change, by the record of the repository that its head branch is in.
    fn pushers(&self, pull: &PullRequest, commits: &[Commit], asked: &Asked<'_>) -> Result<Vec<String>, String> {
        let is_whole = commits.len() as u64 >= pull.commits && commits.iter().any(|commit| commit.sha == pull.head.sha);
        if !is_whole {
            return Err("the forge does not list all of the pull request's commits".to_owned());
        }
        let Some(repository) = &pull.head.repo else {
            return Err("the repository that the change came from is gone".to_owned());
        };
        let record = self.client.activity(&repository.full_name, &pull.head.name).map_err(|failed| failed.line)?;
        let mut pushers = reviews::pushers(&record, &pull.head.sha, commits)?;
        pushers.extend(asked.pusher.map(str::to_owned));
        Ok(pushers)
    }

    /// The members of the teams that may approve, where a candidate is left whom no login names.
    fn members(&self, candidates: &[Candidate], reviewers: &Reviewers) -> Members {
        let is_login = |candidate: &Candidate| {
            let is_it =
                |owner: &Owner| matches!(owner, Owner::Login(name) if name.eq_ignore_ascii_case(&candidate.login));
            reviewers.owners.iter().any(is_it)
        };
        let mut members = Members::new();
        if candidates.iter().all(is_login) {
            return members;
        }
        for owner in &reviewers.owners {
            let Owner::Team { org, team } = owner else { continue };
            let logins = self.client.members(org, team).map_err(|failed| team_line(&failed));
            let lower = |logins: Vec<String>| logins.into_iter().map(|login| login.to_ascii_lowercase()).collect();
            members.insert(owner.clone(), logins.map(lower));
        }
        members
    }

    /// Whether what was approved is what is judged, for each commit other than head.
    fn holds(&self, candidates: &[Candidate], head: &str, relevant: &dyn Fn(&str) -> bool) -> Holds {
        let commits: BTreeSet<&str> = candidates.iter().filter_map(|candidate| candidate.commit.as_deref()).collect();
        let others: Vec<&str> = commits.into_iter().filter(|commit| *commit != head).collect();
        let mut holds = Holds::new();
        let mut own: Option<Result<Tree, Failed>> = None;
        for (at, commit) in others.into_iter().enumerate() {
            let held = if at >= MOST_COMPARED {
                Err(format!("more than {MOST_COMPARED} approved commits are not compared"))
            } else if !is_sha(commit) {
                Err("the forge names no commit for it".to_owned())
            } else {
                let own = own.get_or_insert_with(|| self.client.tree(head));
                let approved = self.client.tree(commit);
                match (approved, own) {
                    (Ok(approved), Ok(own)) => reviews::same_where_relevant(&approved, own, relevant),
                    (Err(failed), _) => Err(failed.line),
                    (_, Err(failed)) => Err(failed.line.clone()),
                }
            };
            holds.insert(commit.to_owned(), held);
        }
        holds
    }
}

/// The pull request that a run of another workflow was for. GitHub leaves its number out of the event for forks; then it
/// is looked for by its head branch. None where there is none, or more than one.
///
/// # Errors
/// One line.
pub fn pull_of(client: &Client, run: &Run) -> Result<Option<Pull>, String> {
    let number = match run.pulls.as_slice() {
        [one] => Some(one.number),
        [] => number_of(client, &run.head)?,
        _ => None,
    };
    let Some(number) = number else { return Ok(None) };
    let answer = client.pull_bytes(number).map_err(|failed| failed.line)?;
    run.resolve(&answer).map(Some).map_err(|bad| bad.to_string())
}

/// The number of the one open pull request whose head is this commit on this branch.
fn number_of(client: &Client, head: &Place) -> Result<Option<u64>, String> {
    let Some((owner, _)) = head.repository.as_deref().and_then(|name| name.split_once('/')) else {
        return Ok(None);
    };
    let pulls = client.pulls_from(owner, &head.name).map_err(|failed| failed.line)?;
    let is_it = |pull: &&PullRequest| {
        let full = pull.head.repo.as_ref().map(|repo| repo.full_name.as_str());
        pull.head.sha == head.sha
            && full.zip(head.repository.as_deref()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    let mut found = pulls.iter().filter(is_it);
    Ok(match (found.next(), found.next()) {
        (Some(pull), None) => Some(pull.number),
        _ => None,
    })
}

/// Why a team cannot be read, and what mends it.
fn team_line(failed: &Failed) -> String {
    match failed.kind {
        Kind::Forbidden | Kind::Missing => {
            "the token cannot read the team: it takes `members: read` of the organisation, \
                                            which GITHUB_TOKEN cannot have: give the step a token of a GitHub App that \
                                            has it, or name users"
                .to_owned()
        }
        _ => failed.line.clone(),
    }
}

/// A stretch of a merge group: one pull request's.
#[derive(Debug)]
struct Entry<'a> {
    number: u64,
    /// The commit before it.
    from: String,
    /// Its last commit.
    to: String,
    /// Its commits along first parents, oldest first.
    commits: Vec<&'a Commit>,
}

/// The pull request of a queue branch `pr-<number>-<sha>`, and the commit that it was made on.
fn queued(name: &str) -> Option<(u64, &str)> {
    let (number, sha) = name.rsplit('/').next()?.strip_prefix("pr-")?.split_once('-')?;
    Some((number.parse().ok()?, sha)).filter(|(_, sha)| is_sha(sha))
}

/// Splits the commits from `since` to a group's into its pull requests', oldest first.
fn entries<'a>(
    group: &Group,
    since: &str,
    queue: &[(String, String)],
    commits: &'a [Commit],
) -> Result<Vec<Entry<'a>>, String> {
    let by_sha: BTreeMap<&str, &Commit> = commits.iter().map(|commit| (commit.sha.as_str(), commit)).collect();
    let mut marks: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for (name, sha) in queue {
        if let Some(entry) = queued(name)
            && let Some((other, _)) = marks.insert(sha, entry)
            && other != entry.0
        {
            return Err(format!("two pull requests, {other} and {}, stand at one commit of the merge queue", entry.0));
        }
    }
    // The event names the group's own branch, which may be gone when this runs.
    if let Some(own) = queued(&group.head.name) {
        marks.insert(&group.head.sha, own);
    }
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let astray = || "the merge group's commits do not lead to the branch that it is for".to_owned();
    let mut at = group.head.sha.as_str();
    let mut steps = 0;
    while at != since {
        // No history has a circle; an answer could.
        steps += 1;
        let commit = by_sha.get(at).filter(|_| steps <= commits.len()).ok_or_else(astray)?;
        if let Some((number, on)) = marks.get(at) {
            if let Some(above) = entries.last_mut() {
                above.from = at.to_owned();
            }
            if entries.len() >= MOST_ENTRIES {
                return Err(format!("the merge group has more than {MOST_ENTRIES} pull requests"));
            }
            // Until a lower mark says otherwise it begins at the base.
            entries.push(Entry { number: *number, from: (*on).to_owned(), to: at.to_owned(), commits: Vec::new() });
        } else if entries.last().is_none_or(|entry| entry.from == at) {
            return Err("no branch of the merge queue explains one of the merge group's commits".to_owned());
        }
        if let Some(entry) = entries.last_mut() {
            entry.commits.push(commit);
        }
        at = commit.parents.first().map(|parent| parent.sha.as_str()).ok_or_else(astray)?;
    }
    if let Some(first) = entries.last_mut() {
        since.clone_into(&mut first.from);
    }
    entries.reverse();
    for entry in &mut entries {
        entry.commits.reverse();
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
