//! Event and runner → which revisions are judged, and by whose policy.
//!
//! | event | head | base | governing |
//! |---|---|---|---|
//! | pull request | GitHub's test merge | merge base | tip of the target branch |
//! | pull request, merged | the commit on the target branch | base as the event has it | the same |
//! | merge group | the group | merge base | tip of the protected branch |
//! | push to the default branch | after | before | before: what was pushed must not govern itself |
//! | its first push | after | the empty tree | the built-in defaults |
//! | push to another branch, or a tag | after | merge base | tip of the default branch |
//! | deletion | nothing is judged | | |
//! | schedule, dispatch | what is checked out | merge base | tip of the default branch |
//!
//! The diff's base and the governing revision are two things: a merge group stands on other groups of the queue, and
//! its diff is against the protected tip all the same, since only the whole of it lands. A force push to the default
//! branch is compared with what stood there, not with the merge base: a branch that is set back to an older state
//! shows nothing against its merge base, though what was mended since is broken again. Where that commit is gone, so
//! is the policy that governed, and nothing can be decided: the plan fetches it by its id.
//!
//! Every name in a refspec obeys git's grammar, so that no refspec can be read as an option or as two.

use std::collections::BTreeMap;

use super::{BadEvent, Event, Group, Pull, Push, Run, Standing, grammar};

/// What the runner's environment says about the event. Of no use without the event: a step may set variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    /// `GITHUB_SHA`: the commit that is checked out by default.
    pub sha: Option<String>,
    /// `GITHUB_REF`: the full name of what is checked out by default.
    pub reference: Option<String>,
    /// `GITHUB_BASE_REF`: the target branch of a pull request.
    pub base: Option<String>,
}

/// What to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// To judge.
    Judge(Plan),
    /// There is nothing to judge, and this says why. The command prints it and ends with 0.
    Nothing(String),
}

/// What to judge, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The revision that is judged: a full commit id, a full reference name, or `HEAD`.
    pub head: String,
    /// What it is compared with.
    pub base: PlannedBase,
    /// The short name of the branch that is protected; none where the payload cannot say (an old kind of scheduled
    /// run): then it is the remote's default branch.
    pub protected: Option<String>,
    /// Whose policy decides.
    pub governing: Governing,
    /// What must hold in the repository before anything is judged.
    pub must: Vec<Must>,
    /// Refspecs that bring what is needed, in order; a bare commit id where the reference may have moved on. In a
    /// shallow clone their history is still to be deepened.
    pub fetch: Vec<String>,
    /// A remark for people.
    pub note: Option<String>,
}

/// What head is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedBase {
    /// The merge base with the tip of the protected branch; where head stands on that branch, its first parent.
    MergeBase,
    /// This commit.
    Commit(String),
    /// The empty tree, and why.
    Empty(String),
}

/// Whose policy, settings and ledger decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Governing {
    /// The tip of the protected branch.
    Tip,
    /// This commit, which was the tip before the event.
    Commit(String),
    /// Nothing stood there before: the built-in defaults.
    Defaults,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Must {
    /// What.
    pub held: Held,
    /// What to say where it does not.
    pub otherwise: String,
}

/// A relation of a commit to the planned head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// This commit is head's second parent.
    SecondParent(String),
    /// This commit is head or one of its ancestors.
    Ancestor(String),
}

impl Runner {
    /// Takes the three variables out of an environment. Empty ones count as absent, as the runner means them.
    #[must_use]
    pub fn of(env: &BTreeMap<String, String>) -> Self {
        let get = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
        Self { sha: get("GITHUB_SHA"), reference: get("GITHUB_REF"), base: get("GITHUB_BASE_REF") }
    }
}

impl Event {
    /// What to judge.
    ///
    /// # Errors
    /// [`BadEvent::Runner`] where environment and payload contradict each other, [`BadEvent::Unresolved`] where the
    /// payload does not say which pull request is meant (see [`Run::resolve`]).
    pub fn plan(&self, runner: &Runner) -> Result<Planned, BadEvent> {
        match self {
            Self::Pull(pull) => pull.plan(runner).map(Planned::Judge),
            Self::Run(run) => run.plan().map(Planned::Judge),
            Self::MergeGroup(group) => Ok(Planned::Judge(group.plan())),
            Self::Push(push) => push.plan(runner),
            Self::Standing(standing) => standing.plan(runner).map(Planned::Judge),
        }
    }
}

impl Pull {
    /// What to judge.
    ///
    /// # Errors
    /// [`BadEvent::Runner`].
    pub fn plan(&self, runner: &Runner) -> Result<Plan, BadEvent> {
        let event = self.trigger.event();
        if let Some(base) = runner.base.as_ref().filter(|base| **base != self.base.name) {
            let what =
                format!("is {}, but the payload's base is {}", grammar::shown(base), grammar::shown(&self.base.name));
            return Err(BadEvent::Runner { event: event.to_owned(), variable: "GITHUB_BASE_REF", what });
        }
        if let Some(merged) = &self.merged {
            return Ok(self.plan_merged(merged));
        }
        let mut plan = test_merge(self.number, &self.base.name, &self.head.sha);
        // Whoever may push branches chooses the policy of most of them, and a check is green for a commit, not for a
        // target: the reader is told.
        if let Some(default) = self.default_branch.as_ref().filter(|default| **default != self.base.name) {
            let (base, default) = (grammar::shown(&self.base.name), grammar::shown(default));
            plan.note = Some(format!("goes to {base}, whose policy decides, and not to the default branch {default}"));
        }
        // Where the runner is on the test merge, that very commit is meant: the reference may have moved on. Since
        // December 2025 this is never so for pull_request_target.
        let reference = format!("refs/pull/{}/merge", self.number);
        if runner.reference.as_ref() == Some(&reference)
            && let Some(sha) = &runner.sha
        {
            sha_of(event, sha)?.clone_into(&mut plan.head);
            plan.fetch = vec![branch_refspec(&self.base.name), sha.clone()];
        }
        Ok(plan)
    }

    /// Its head is part of the target branch, whose tip would let it govern itself.
    fn plan_merged(&self, merged: &str) -> Plan {
        let base = &self.base.sha;
        Plan {
            head: merged.to_owned(),
            base: PlannedBase::Commit(base.clone()),
            protected: Some(self.base.name.clone()),
            governing: Governing::Commit(base.clone()),
            must: vec![Must {
                held: Held::Ancestor(base.clone()),
                otherwise: format!(
                    "{} does not hold {base}, which pull request {} was made against",
                    merged, self.number
                ),
            }],
            fetch: vec![branch_refspec(&self.base.name), merged.to_owned(), base.clone()],
            note: Some(format!("pull request {} is merged: judged as it stands on {}", self.number, self.base.name)),
        }
    }
}

impl super::Trigger {
    /// The name of the event.
    #[must_use]
    pub fn event(self) -> &'static str {
        match self {
            Self::PullRequest => "pull_request",
            Self::Target => "pull_request_target",
            Self::Review => "pull_request_review",
            Self::WorkflowRun => "workflow_run",
        }
    }
}

impl Run {
    /// What to judge, where the payload names the one pull request that it can be about.
    ///
    /// # Errors
    /// [`BadEvent::Unresolved`].
    pub fn plan(&self) -> Result<Plan, BadEvent> {
        let what = match self.pulls.as_slice() {
            [pull] => return Ok(test_merge(pull.number, &pull.base.name, &self.head.sha)),
            [] => {
                "the payload does not name the pull request (it never does for forks): --forge asks for it".to_owned()
            }
            pulls => format!("{} pull requests have the head {}: use pull_request_target", pulls.len(), self.head.sha),
        };
        Err(BadEvent::Unresolved { what })
    }
}

/// GitHub's merge of a pull request into its target, which nobody else can write.
fn test_merge(number: u64, base: &str, head: &str) -> Plan {
    Plan {
        head: format!("refs/remotes/pull/{number}/merge"),
        base: PlannedBase::MergeBase,
        protected: Some(base.to_owned()),
        governing: Governing::Tip,
        // A descendant would not do: it could take back what this head brings.
        must: vec![Must {
            held: Held::SecondParent(head.to_owned()),
            otherwise: format!(
                "GitHub's test merge of pull request {number} is not of its head {head}: it has another head by now, \
                 or conflicts with {base}; run again"
            ),
        }],
        fetch: vec![branch_refspec(base), format!("+refs/pull/{number}/merge:refs/remotes/pull/{number}/merge")],
        note: None,
    }
}

impl Group {
    /// What to judge: the group as a whole, with everything before it in the queue.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let (base, head) = (&self.base, &self.head);
        Plan {
            head: head.sha.clone(),
            base: PlannedBase::MergeBase,
            protected: Some(base.name.clone()),
            governing: Governing::Tip,
            must: vec![Must {
                held: Held::Ancestor(base.sha.clone()),
                otherwise: format!("the merge group {} does not hold {}, which it was made on", head.sha, base.sha),
            }],
            fetch: vec![branch_refspec(&base.name), head.sha.clone()],
            note: None,
        }
    }
}

impl Push {
    /// What to judge.
    ///
    /// # Errors
    /// [`BadEvent::Runner`].
    pub fn plan(&self, runner: &Runner) -> Result<Planned, BadEvent> {
        let Some(after) = &self.after else {
            let name = grammar::shown(&self.reference);
            return Ok(Planned::Nothing(format!("{name} was deleted: nothing to judge")));
        };
        if let Some(reference) = runner.reference.as_ref().filter(|name| **name != self.reference) {
            let what = format!("is {}, but {} was pushed", grammar::shown(reference), grammar::shown(&self.reference));
            return Err(BadEvent::Runner { event: "push".to_owned(), variable: "GITHUB_REF", what });
        }
        let mut plan = Plan {
            head: after.clone(),
            base: PlannedBase::MergeBase,
            protected: Some(self.default_branch.clone()),
            governing: Governing::Tip,
            must: Vec::new(),
            fetch: vec![branch_refspec(&self.default_branch), after.clone()],
            note: None,
        };
        if grammar::branch(&self.reference) != Some(&self.default_branch) {
            return Ok(Planned::Judge(plan));
        }
        match &self.before {
            None => {
                let why = format!(
                    "the first push to {}: judged against the empty tree",
                    grammar::shown(&self.default_branch)
                );
                plan.base = PlannedBase::Empty(why);
                plan.governing = Governing::Defaults;
            }
            Some(before) => {
                plan.base = PlannedBase::Commit(before.clone());
                plan.governing = Governing::Commit(before.clone());
                plan.fetch.push(before.clone());
                if self.is_forced {
                    plan.note = Some(format!(
                        "a force push: compared with what stood on {}",
                        grammar::shown(&self.default_branch)
                    ));
                }
            }
        }
        Ok(Planned::Judge(plan))
    }
}

impl Standing {
    /// What to judge where a check is asked for all the same.
    ///
    /// # Errors
    /// [`BadEvent::Runner`].
    pub fn plan(&self, runner: &Runner) -> Result<Plan, BadEvent> {
        // Scheduled runs are always on the default branch, and older servers tell its name nowhere else.
        let scheduled = match &runner.reference {
            Some(reference) if self.event == "schedule" => Some(grammar::branch(reference).ok_or_else(|| {
                let what = format!("is {}, not the full name of a branch", grammar::shown(reference));
                BadEvent::Runner { event: self.event.to_owned(), variable: "GITHUB_REF", what }
            })?),
            _ => None,
        };
        let protected = self.default_branch.clone().or_else(|| scheduled.map(str::to_owned));
        let mut fetch: Vec<String> = protected.iter().map(|branch| branch_refspec(branch)).collect();
        fetch.extend(self.sha.clone());
        Ok(Plan {
            head: self.sha.clone().unwrap_or_else(|| "HEAD".to_owned()),
            base: PlannedBase::MergeBase,
            protected,
            governing: Governing::Tip,
            must: Vec::new(),
            fetch,
            note: Some(format!("event {} brings no change; portcullis audit judges all that stands", self.event)),
        })
    }
}

/// A branch of the repository, to where a clone has it.
fn branch_refspec(name: &str) -> String {
    format!("+refs/heads/{name}:refs/remotes/origin/{name}")
}

/// `GITHUB_SHA`, where it is a commit id.
fn sha_of<'a>(event: &str, sha: &'a str) -> Result<&'a str, BadEvent> {
    if super::is_sha(sha) {
        return Ok(sha);
    }
    let what = format!("is {}, not a full commit id in lower case", grammar::shown(sha));
    Err(BadEvent::Runner { event: event.to_owned(), variable: "GITHUB_SHA", what })
}
