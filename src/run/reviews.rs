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
use crate::run::steps::is_of_pipeline;
use crate::world::{Matters, Tree, World};

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
    (concerns, beside): (&[Concerning<'_>], &[RepoPath]),
    coverage: &mut Coverage,
) -> Result<Option<Counted>, Failure> {
    let Some(reviews) = world.reviews else { return Ok(None) };
    let is_touched = |path: &RepoPath| path.as_str() == LEDGER;
    let has_ledger = concerns.iter().filter_map(|each| each.delta.path()).any(is_touched);
    // A head whose gate is broken brings no entries: what else is said of it is said elsewhere.
    let own = if has_ledger { Gate::read(head).map(|own| own.ledger).unwrap_or_default() } else { Ledger::default() };
    let fresh = own.beyond(&gate.ledger);
    let of_gate = |path: &RepoPath| is_of_gate(path, beside);
    let paths: BTreeSet<&RepoPath> = concerns.iter().filter_map(|each| each.delta.path()).collect();
    if fresh.is_empty() && beside.is_empty() && !paths.iter().any(|path| of_gate(path)) {
        return Ok(None);
    }
    let who = who(gate, &*world.repo.tree(&revisions.governing.rev)?);
    // A waiver of a path holds for what was there when it was approved.
    let waived: BTreeSet<&str> = fresh.waivers.iter().filter_map(|waiver| waiver.subject.as_path()).collect();
    let relevant = |path: &str| {
        let path = RepoPath::new(path);
        paths.contains(&path) || waived.contains(path.as_str()) || of_gate(&path) || concern_of_path(&path).is_some()
    };
    let of_gate_alone = |path: &str| path != LEDGER && of_gate(&RepoPath::new(path));
    let matters = Matters { relevant: &relevant, of_gate: &of_gate_alone, ledger: LEDGER };
    let since = revisions.base.commit().map(|id| id.to_string());
    let reviewed = match reviews.reviewed(since.as_deref(), &who, &matters) {
        Ok(reviewed) => reviewed,
        Err(reason) => {
            // What needs an approval has none, and is refused for that; why is said here.
            coverage.checks_skipped.push(CheckSkipped { check: "reviews".to_owned(), reason, incomplete: false });
            return Ok(None);
        }
    };
    let mut counted = Counted { ledger: gate.ledger.clone(), cleared: None, reviewed };
    counted.entries(world, &fresh);
    counted.gate(world, beside);
    Ok(Some(counted))
}

/// Who may approve, by the governing revision.
#[must_use]
pub fn who(gate: &Gate, governing: &dyn Tree) -> Reviewers {
    // The first that is there counts: one that cannot be read names nobody.
    let read = |path: &'static str| {
        let entry = governing.entry(&RepoPath::new(path)).transpose()?;
        let bytes = entry.ok().and_then(|entry| governing.read(&entry, LARGEST as u64 + 1).ok()).unwrap_or_default();
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let owners = if gate.config.reviewers.is_empty() { PLACES.into_iter().find_map(read) } else { None };
    reviewers(&gate.config.reviewers, owners.as_ref().map(|(path, text)| (*path, text.as_str())))
}

/// Whether a file can be part of the gate: its folder, its owners, the pipeline, and what the gate's own job takes from the
/// repository.
fn is_of_gate(path: &RepoPath, beside: &[RepoPath]) -> bool {
    matches!(concern_of_path(path), Some(Concern::Gate | Concern::Workflow))
        || is_of_pipeline(path)
        || beside.contains(path)
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
                // GitHub merges the texts of several: only what the pull request's own head says was approved.
                let own = step.ledger.as_deref().and_then(|text| Ledger::parse(text).ok());
                let (Some(before), Some(after), Some(own)) = (read(step.from.as_deref()), read(Some(&step.to)), own)
                else {
                    step.remarks
                        .push("its part of the ledger cannot be read, so that no entry of it counts".to_owned());
                    continue;
                };
                let mut brought = after.beyond(&before);
                brought.approvals.retain(|entry| own.approvals.iter().any(|approved| approved.says(entry)));
                brought.waivers.retain(|entry| own.waivers.iter().any(|approved| approved.says(entry)));
                brought
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
    fn gate(&mut self, world: &World<'_>, beside: &[RepoPath]) {
        let is_alone = self.reviewed.len() == 1;
        let touching: Vec<&Reviewed> =
            self.reviewed.iter().filter(|step| is_alone || touches_gate(world, step, beside)).collect();
        if touching.iter().all(|step| step.is_its_gate && !step.approvals.is_empty()) {
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
fn touches_gate(world: &World<'_>, step: &Reviewed, beside: &[RepoPath]) -> bool {
    let deltas = || {
        let (before, after) = (tree(world, step.from.as_deref()?)?, tree(world, &step.to)?);
        after.differs(&*before).ok()
    };
    let is_gates = |delta: &Delta| delta.path().is_some_and(|path| is_of_gate(path, beside));
    deltas().is_none_or(|deltas| deltas.iter().any(is_gates))
}

fn tree<'w>(world: &World<'w>, commit: &str) -> Option<Box<dyn Tree + 'w>> {
    let rev = world.repo.resolve(commit).ok()?;
    world.repo.tree(&rev).ok()
}
