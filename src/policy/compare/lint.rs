//! `policy lint`: rules that never speak, that say nothing another rule of their pack does not say as strongly, or that
//! can fail. Settings stay open: a rule that only some settings wake is no dead one.

use std::collections::BTreeSet;

use super::bake::{self, Baked, Premises};
use super::prove::Prover;
use super::replay::{Judge, Reality, reduce};
use super::{Answer, Budget, Found, Solver, sample, wording};
use crate::gate::config::Settings;
use crate::policy::pack::Packs;
use crate::subject::Attributes;

/// What is wrong with one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule's policy, `pack/id`.
    pub rule: String,
    /// A sentence.
    pub what: String,
}

/// What is known of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lint {
    /// Faults, by rule.
    pub faults: Vec<Fault>,
    /// What could not be settled, and what stands in for a proof.
    pub notes: Vec<String>,
    /// How many rules were looked at.
    pub rules: usize,
    /// Name and version of the solver; none where there is none.
    pub solver: Option<String>,
}

/// Looks at every rule in use.
#[must_use]
pub fn lint(packs: &Packs, settings: &Settings, solver: Option<&dyn Solver>, budget: &Budget) -> Lint {
    let mut lint = Lint::default();
    let nothing = BTreeSet::new();
    let ready = bake::rules(packs, &Attributes::new())
        .and_then(|rules| Ok((rules, Premises::new(&nothing)?, Reality::new(&packs.schema)?)));
    let (rules, premises, reality) = match ready {
        Ok(ready) => ready,
        Err(reason) => {
            lint.faults.push(Fault { rule: "policy".to_owned(), what: reason });
            return lint;
        }
    };
    let rules: Vec<Baked> = rules.into_values().collect();
    lint.rules = rules.len();
    let mut prover = match solver.map(|solver| Prover::start(&packs.schema, solver, budget)) {
        Some(Ok(prover)) => Some(prover),
        Some(Err(reason)) => {
            lint.notes.push(format!("tested, not proved: {reason}"));
            None
        }
        None => {
            lint.notes.push("tested, not proved: no solver was asked".to_owned());
            None
        }
    };
    lint.solver = prover.as_ref().map(|prover| prover.name().to_owned());
    let trial = Trial { judge: Judge::new(packs, settings), reality };
    for p in &rules {
        match &mut prover {
            Some(prover) => {
                if let Err(reason) = prove(&mut lint, p, (&rules, &premises), prover, &trial) {
                    lint.open(p, "all", &reason);
                }
            }
            None => trial.look(&mut lint, p, budget),
        }
    }
    lint
}

impl Lint {
    fn fault(&mut self, p: &Baked, what: String) {
        self.faults.push(Fault { rule: p.key.clone(), what });
    }

    fn open(&mut self, p: &Baked, question: &str, reason: &str) {
        self.notes.push(format!("rule {}: {question} is not settled ({reason})", p.key));
    }
}

fn prove(
    lint: &mut Lint,
    p: &Baked,
    (rules, premises): (&[Baked], &Premises),
    prover: &mut Prover<'_>,
    trial: &Trial<'_>,
) -> Result<(), String> {
    let (kind, real) = (p.rule.kind, p.real(premises)?);
    match prover.never_matches(kind, &real) {
        Answer::Holds => {
            lint.fault(p, "never speaks: no subject that can occur meets its conditions".to_owned());
            return Ok(());
        }
        Answer::Refuted(_) => {}
        Answer::Open(reason) => lint.open(p, "whether it ever speaks", &reason),
    }
    match prover.never_fails(kind, &real) {
        Answer::Holds => {}
        Answer::Refuted(found) => lint.fault(p, trial.failure(p, *found)),
        Answer::Open(reason) => lint.open(p, "whether it can fail", &reason),
    }
    let others: Vec<&Baked> = rules
        .iter()
        .filter(|q| q.key != p.key && q.rule.kind == kind && q.rule.pack == p.rule.pack && q.rule.level >= p.rule.level)
        .collect();
    let plain = others.iter().map(|q| q.plain()).collect::<Result<Vec<_>, _>>()?;
    match prover.covered(kind, &real, &plain.iter().collect::<Vec<_>>()) {
        Answer::Holds => {
            let by: Vec<&str> = others
                .iter()
                .zip(&plain)
                .filter(|(_, plain)| matches!(prover.implies(kind, &real, plain), Answer::Holds))
                .map(|(q, _)| q.key.as_str())
                .collect();
            let by = if by.is_empty() { "other rules together".to_owned() } else { by.join(" and ") };
            lint.fault(p, format!("is redundant: whatever it speaks about, {by} speaks about as strongly"));
        }
        Answer::Refuted(_) => {}
        Answer::Open(reason) => lint.open(p, "whether it is redundant", &reason),
    }
    Ok(())
}

/// Trying instead of proving.
struct Trial<'a> {
    judge: Judge<'a>,
    reality: Reality,
}

impl Trial<'_> {
    fn fails(&self, p: &Baked, found: &Found) -> bool {
        let of = format!("rule {} failed", p.key);
        self.judge.ask(found).iter().any(|statement| statement.message.starts_with(&of))
    }

    fn failure(&self, p: &Baked, found: Found) -> String {
        let found = reduce(found, &self.reality, &|found| self.fails(p, found));
        format!("can fail, and a rule that fails denies: {}", wording::subject(&found))
    }

    /// What trying shows: that a rule can fail. That it speaks is shown as well; that it never does is only likely.
    fn look(&self, lint: &mut Lint, p: &Baked, budget: &Budget) {
        let limit = budget.samples;
        let kind = p.rule.kind;
        if let Ok(found) = sample::search(kind, &p.mentions(), limit, &self.reality, &mut |found| self.fails(p, found))
        {
            lint.fault(p, self.failure(p, found));
        }
        let mut speaks = |found: &Found| {
            let said = self.judge.ask(found);
            said.iter().any(|s| (&s.rule.pack, &s.rule.id) == (&p.rule.pack, &p.rule.id))
        };
        if let Err(tried) = sample::search(kind, &p.mentions(), limit, &self.reality, &mut speaks) {
            lint.notes.push(format!("rule {}: spoke about none of {tried} subjects", p.key));
        }
    }
}
