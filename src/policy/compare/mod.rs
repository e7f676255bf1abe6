//! `policy compare`: does a changed policy let through anything that the old one refuses?
//!
//! Rules are compared by what they refuse ([`rules`]). A rule of base that denies must be implied by rules of head that
//! deny, one that asks for a review by rules that review or deny, any other by any. Equal rules prove by folding. For
//! the rest, with the settings of each side as literals ([`bake`]), a solver either proves the implication or names a
//! subject that shows the contrary ([`prove`]); that subject is asked again of the real rules of both sides, and
//! reduced to what matters ([`replay`]). Without a solver, subjects around every value that the rules tell apart are
//! tried instead ([`sample`]), which can show that head is weaker and never that it is not.
//!
//! What lies outside the rules (reviewers, registries, excludes, ages of advisories, detectors, the ledger) is compared
//! by its structure ([`structural`]): whatever is not known to be a tightening counts as weaker.
//!
//! Facts are computed before a rule is asked, and no proof speaks about how.
//!
//! [`lint`] asks the same solver about one policy: rules that never speak, that say nothing new, or that can fail.

use std::time::Duration;

use crate::gate::Gate;
use crate::model::verdict::{Comparison, ComparisonResult};
use crate::policy::pack::Packs;
use crate::subject::{Attributes, Command, Kind};

mod bake;
mod detectors;
pub mod lint;
#[cfg(feature = "prove")]
mod prove;
#[cfg(not(feature = "prove"))]
#[path = "no_prove.rs"]
mod prove;
mod replay;
mod rules;
mod sample;
mod structural;
#[cfg(test)]
mod tests;
mod wording;

/// One of the two policies that are compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its packs, under its levels.
    pub packs: &'a Packs,
    /// Its settings and ledger.
    pub gate: &'a Gate,
}

/// A solver of logical formulas in SMT-LIB 2, as cvc5 is one.
pub trait Solver {
    /// Starts it anew, with [`ARGUMENTS`].
    ///
    /// # Errors
    /// Where there is none, or it does not start.
    fn start(&self) -> std::io::Result<Box<dyn Session>>;
}

/// A solver that runs.
pub trait Session: Send {
    /// Writes to it.
    ///
    /// # Errors
    /// Where it has ended.
    fn send(&mut self, text: &[u8]) -> std::io::Result<()>;

    /// The next line that it writes.
    ///
    /// # Errors
    /// Where it has ended, or is silent for too long.
    fn line(&mut self) -> std::io::Result<String>;
}

/// How a solver is started: with the theory of texts in full, and five seconds for each question.
pub const ARGUMENTS: &[&str] = &["--lang=smt2", "--strings-exp", "--tlimit-per=5000"];

/// What a comparison may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Time for the solver, all questions together.
    pub time: Duration,
    /// Subjects that are tried for one rule where there is no proof.
    pub samples: usize,
    /// Subjects that are tried for all rules together.
    pub all_samples: usize,
    /// Examples of rules after which no more are looked for: the answer is known.
    pub examples: usize,
}

impl Budget {
    /// For a person who waits for it.
    pub const PATIENT: Self =
        Self { time: Duration::from_secs(60), samples: 6_000, all_samples: 120_000, examples: 50 };
    /// For one part of a larger run.
    pub const BRIEF: Self = Self { time: Duration::from_secs(4), samples: 2_000, all_samples: 12_000, examples: 5 };
}

/// A solver's answer to whether something holds of every subject.
enum Answer {
    /// Proved.
    Holds,
    /// There is a subject of which it does not hold, says the solver.
    #[cfg_attr(not(feature = "prove"), expect(dead_code, reason = "only a solver refutes"))]
    Refuted(Box<Found>),
    /// Neither; why.
    Open(String),
}

/// A subject, and the run in which it occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    kind: Kind,
    attributes: Attributes,
    command: Command,
    ci: bool,
}

/// Examples that are kept; how many more there are is said.
const EXAMPLES: usize = 50;

/// Compares two policies.
#[must_use]
pub fn compare(base: Side<'_>, head: Side<'_>, solver: Option<&dyn Solver>, budget: &Budget) -> Comparison {
    let mut structure = structural::compare(base.gate, head.gate);
    let rules = rules::compare(base, head, solver, budget);
    let mut notes = std::mem::take(&mut structure.notes);
    let result = match (structure.examples.len() + rules.examples.len(), rules.open.is_empty()) {
        (1.., _) => ComparisonResult::Weaker,
        (0, false) => ComparisonResult::NotProved,
        (0, true) if structure.changed || rules.changed => ComparisonResult::NoWeaker,
        (0, true) => ComparisonResult::Unchanged,
    };
    let mut examples = rules.examples;
    examples.append(&mut structure.examples);
    if examples.len() > EXAMPLES {
        notes.push(format!("{} more examples are not shown", examples.len() - EXAMPLES));
        examples.truncate(EXAMPLES);
    }
    notes.extend(rules.open);
    notes.extend(rules.notes);
    Comparison { result, examples, notes, solver: rules.solver }
}

/// The answer where one of the sides cannot be read at all.
#[must_use]
pub fn unreadable(reason: &str) -> Comparison {
    Comparison {
        result: ComparisonResult::NotProved,
        examples: Vec::new(),
        notes: vec![reason.to_owned()],
        solver: None,
    }
}
