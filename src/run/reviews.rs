//! What the forge's reviews let count: entries of the ledger that head brings, and changes to the gate itself.
//!
//! Head's own ledger counts for nothing. An entry that is new in it counts where the login in its `by` has approved, on
//! the forge, the pull request that brings it, and is somebody whom the governing revision lets approve; in a merge
//! queue, pull request by pull request. Whose approval that is, the forge says ([`crate::world::Reviews`]). It is asked
//! only where an entry is new or the gate changed, and what cannot be read approves nothing.

use std::collections::BTreeSet;

use crate::discover::{Concern, Concerning, concern_of_path};
use crate::gate::ledger::Ledger;
use crate::gate::owners::{LARGEST, PLACES, reviewers};
use crate::gate::{Gate, LEDGER};
use crate::model::RepoPath;
use crate::model::finding::Cleared;
use crate::model::review::{Reviewed, Reviewers};
use crate::model::tree::Delta;
use crate::model::verdict::{CheckSkipped, Coverage};
use crate::revision::Revisions;
use crate::run::Failure;
use crate::world::{Tree, World};

/// Remarks about entries that do not count.
const MOST_REMARKS: usize = 50;

/// What counts.
#[derive(Debug, Default)]
pub struct Counted {
    /// The governing ledger with the entries that count as well.
    pub ledger: Ledger,
    /// The approval that clears changes to the gate.
    pub cleared: Option<Cleared>,
    /// What was read.
    pub reviewed: Vec<Reviewed>,
}

/// Asks the forge, where something needs it and there is one to ask.
///
/// # Errors
/// Where the governing revision is not there.
pub fn count(
    world: &World<'_>,
    revisions: &Revisions,
    gate: &Gate,
    head: &dyn Tree,
    concerns: &[Concerning<'_>],
    coverage: &mut Coverage,
) -> Result<Option<Counted>, Failure> {
    let Some(reviews) = world.reviews else { return Ok(None) };
    let is_touched = |path: &RepoPath| path.as_str() == LEDGER;
    let has_ledger = concerns.iter().filter_map(|each| each.delta.path()).any(is_touched);
    // A head whose gate is broken brings no entries: what else is said of it is said elsewhere.
    let own = if has_ledger { Gate::read(head).map(|own| own.ledger).unwrap_or_default() } else { Ledger::default() };
    let fresh = own.beyond(&gate.ledger);
    if fresh.is_empty() && !concerns.iter().any(|each| is_of_gate(each.concern)) {
        return Ok(None);
    }
    let who = who(gate, &*world.repo.tree(&revisions.governing.rev)?);
    let paths: BTreeSet<&str> = concerns.iter().filter_map(|each| each.delta.path()).map(RepoPath::as_str).collect();
    let relevant = |path: &str| paths.contains(path) || concern_of_path(&RepoPath::new(path)).is_some();
    let since = revisions.base.commit().map(|id| id.to_string());
    let reviewed = match reviews.reviewed(since.as_deref(), &who, &relevant) {
        Ok(reviewed) => reviewed,
        Err(reason) => {
            // What needs an approval has none, and is refused for that; why is said here.
            coverage.checks_skipped.push(CheckSkipped { check: "reviews".to_owned(), reason, incomplete: false });
            return Ok(None);
        }
    };
    let mut counted = Counted { ledger: gate.ledger.clone(), cleared: None, reviewed };
    counted.entries(world, &fresh);
    counted.gate(world);
    Ok(Some(counted))
}

/// Who may approve, by the governing revision.
#[must_use]
pub fn who(gate: &Gate, governing: &dyn Tree) -> Reviewers {
    let read = |path: &'static str| {
        let entry = governing.entry(&RepoPath::new(path)).ok()??;
        let bytes = governing.read(&entry, LARGEST as u64 + 1).ok()?;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let owners = if gate.config.reviewers.is_empty() { PLACES.into_iter().find_map(read) } else { None };
    reviewers(&gate.config.reviewers, owners.as_ref().map(|(path, text)| (*path, text.as_str())))
}

/// Whether a change of this kind can be one to the gate.
const fn is_of_gate(concern: Concern) -> bool {
    matches!(concern, Concern::Gate | Concern::Workflow)
}

impl Counted {
    /// Takes in each new entry that its own author has approved.
    fn entries(&mut self, world: &World<'_>, fresh: &Ledger) {
        let is_alone = self.reviewed.len() == 1;
        for step in &mut self.reviewed {
            // What a pull request brings is all that is new; in a queue, what its own commits bring.
            let brought = if is_alone {
                fresh.clone()
            } else {
                let read = |commit: Option<&str>| Some(Gate::read(&*tree(world, commit?)?).ok()?.ledger);
                let (Some(before), Some(after)) = (read(step.from.as_deref()), read(Some(&step.to))) else {
                    step.remarks
                        .push("its part of the ledger cannot be read, so that no entry of it counts".to_owned());
                    continue;
                };
                after.beyond(&before)
            };
            let approves = |by: &str| step.approvals.iter().any(|approver| approver.login.eq_ignore_ascii_case(by));
            let mut remarks = Vec::new();
            let mut refuse = |by: &str, line: u32| {
                remarks.push(format!("line {line} of {LEDGER} does not count: {by}, its author, is not among those"));
            };
            for entry in fresh.approvals.iter().filter(|entry| brought.approvals.iter().any(|own| own.says(entry))) {
                if approves(&entry.by) {
                    self.ledger.approvals.push(crate::gate::ledger::Approval { is_new: true, ..entry.clone() });
                } else {
                    refuse(&entry.by, entry.line);
                }
            }
            for entry in fresh.waivers.iter().filter(|entry| brought.waivers.iter().any(|own| own.says(entry))) {
                if approves(&entry.by) {
                    self.ledger.waivers.push(crate::gate::ledger::Waiver { is_new: true, ..entry.clone() });
                } else {
                    refuse(&entry.by, entry.line);
                }
            }
            remarks.truncate(MOST_REMARKS);
            step.remarks.extend(remarks);
        }
    }

    /// A change to the gate is cleared where each pull request that touches it is approved.
    fn gate(&mut self, world: &World<'_>) {
        let is_alone = self.reviewed.len() == 1;
        let touching: Vec<&Reviewed> =
            self.reviewed.iter().filter(|step| is_alone || touches_gate(world, step)).collect();
        if touching.iter().all(|step| !step.approvals.is_empty()) {
            let first = touching.first().and_then(|step| Some((step, step.approvals.first()?)));
            self.cleared = first.map(|(step, approver)| Cleared {
                login: approver.login.clone(),
                review: approver.review,
                pull: step.number,
            });
        }
    }
}

/// Whether a pull request of a queue touches the gate; where that cannot be told, it does.
fn touches_gate(world: &World<'_>, step: &Reviewed) -> bool {
    let deltas = || {
        let (before, after) = (tree(world, step.from.as_deref()?)?, tree(world, &step.to)?);
        after.differs(&*before).ok()
    };
    let is_gates = |delta: &Delta| delta.path().and_then(concern_of_path).is_some_and(is_of_gate);
    deltas().is_none_or(|deltas| deltas.iter().any(is_gates))
}

fn tree<'w>(world: &World<'w>, commit: &str) -> Option<Box<dyn Tree + 'w>> {
    let rev = world.repo.resolve(commit).ok()?;
    world.repo.tree(&rev).ok()
}
