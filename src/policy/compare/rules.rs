//! Rule by rule: is whatever a rule of base refuses refused by head, at the same level or a stronger one?

use std::collections::BTreeMap;

use cedar_policy::Schema;

use super::bake::{self, Baked, Premises};
use super::prove::Prover;
use super::replay::{Judge, Reality, reduce};
use super::{Answer, Budget, Found, Side, Solver, sample, wording};
use crate::gate::ledger::Ledger;
use crate::model::finding::Level;
use crate::model::verdict::Example;
use crate::policy::engine::{Statement, context};
use crate::policy::pack::{Rule, cedar_schema};
use crate::subject::{Attributes, Command};

/// What the comparison of the rules found.
#[derive(Default)]
pub struct Outcome {
    pub examples: Vec<Example>,
    /// What neither holds nor was refuted.
    pub open: Vec<String>,
    pub notes: Vec<String>,
    /// Whether any rule, setting or level differs.
    pub changed: bool,
    pub solver: Option<String>,
}

/// Rules whose name decides how they can be waived: no other rule stands in for them.
const OWN_WAIVERS: &[&str] = &["gate-changed", "checksum-changed", "vendored-bytes"];

pub fn compare(base: Side<'_>, head: Side<'_>, solver: Option<&dyn Solver>, budget: &Budget) -> Outcome {
    match Comparing::new(base, head, budget) {
        Ok(mut comparing) => comparing.run(solver),
        Err(reason) => Outcome { open: vec![reason], changed: true, ..Outcome::default() },
    }
}

/// The settings of a side, as rules see them. Command and pipeline are not settings, and stay open.
fn settings(side: Side<'_>) -> Attributes {
    context(Command::Check, false, &side.gate.config.settings)
}

/// A schema for the rules of both sides: which detectors there are depends on the packs.
fn common(base: Side<'_>, head: Side<'_>) -> Result<Schema, String> {
    let mut detectors: Vec<String> = base.packs.detectors.iter().chain(&head.packs.detectors).cloned().collect();
    detectors.sort();
    detectors.dedup();
    cedar_schema(&detectors).map_err(|broken| broken.to_string())
}

/// The weakest level that refuses as much as this one does.
const fn floor(level: Level) -> Level {
    match level {
        Level::Deny => Level::Deny,
        Level::Review => Level::Review,
        Level::Warn | Level::Note => Level::Note,
    }
}

/// Whether a rule of head can take the place of one of base. What a waiver names it no longer refuses everywhere.
fn may_stand_in(rule: &Rule, other: &Rule, ledger: &Ledger) -> bool {
    if (&rule.pack, &rule.rule) == (&other.pack, &other.rule) {
        return true;
    }
    let full = format!("{}/{}", other.pack, other.rule);
    let is_waived = ledger.waivers.iter().any(|waiver| waiver.rule == other.rule || waiver.rule == full);
    let of_own = OWN_WAIVERS.contains(&rule.rule.as_str()) && rule.rule != other.rule;
    !is_waived && !of_own
}

struct Comparing<'a> {
    base: BTreeMap<String, Baked>,
    head: BTreeMap<String, Baked>,
    premises: Premises,
    sides: (Side<'a>, Side<'a>),
    judges: (Judge<'a>, Judge<'a>),
    reality: Reality,
    /// With the detectors of both sides.
    schema: Schema,
    budget: &'a Budget,
    /// Trials that are left.
    trials: usize,
    outcome: Outcome,
}

impl<'a> Comparing<'a> {
    fn new(base: Side<'a>, head: Side<'a>, budget: &'a Budget) -> Result<Self, String> {
        let (of_base, of_head) = (settings(base), settings(head));
        let schema = common(base, head)?;
        let empty = bake::empty(&of_base).chain(bake::empty(&of_head)).collect();
        Ok(Self {
            base: bake::rules(base.packs, &of_base)?,
            head: bake::rules(head.packs, &of_head)?,
            premises: Premises::new(&empty)?,
            sides: (base, head),
            judges: (
                Judge::new(base.packs, &base.gate.config.settings),
                Judge::new(head.packs, &head.gate.config.settings),
            ),
            reality: Reality::new(&schema)?,
            schema,
            budget,
            trials: budget.all_samples,
            outcome: Outcome::default(),
        })
    }

    fn run(&mut self, solver: Option<&dyn Solver>) -> Outcome {
        let same = |a: &Baked, b: &Baked| {
            (&a.json, a.rule.level, a.rule.kind, &a.rule.rule) == (&b.json, b.rule.level, b.rule.kind, &b.rule.rule)
        };
        self.outcome.changed = self.base.len() != self.head.len()
            || self.base.iter().any(|(key, rule)| self.head.get(key).is_none_or(|other| !same(rule, other)));
        let keys: Vec<String> = self.base.values().filter(|p| !self.folds(p)).map(|p| p.key.clone()).collect();
        if keys.is_empty() {
            return std::mem::take(&mut self.outcome);
        }
        let schema = self.schema.clone();
        let mut prover = match solver.map(|solver| Prover::start(&schema, solver, self.budget)) {
            Some(Ok(prover)) => {
                self.outcome.solver = Some(prover.name().to_owned());
                Some(prover)
            }
            Some(Err(reason)) => {
                self.outcome.notes.push(format!("tested, not proved: {reason}"));
                None
            }
            None => {
                self.outcome.notes.push("tested, not proved: no solver was asked".to_owned());
                None
            }
        };
        for (at, key) in keys.iter().enumerate() {
            if self.outcome.examples.len() >= self.budget.examples {
                let left = keys.len() - at;
                self.outcome.notes.push(format!("{left} more rules differ and were not compared: the answer is known"));
                break;
            }
            self.judge(key, prover.as_mut());
        }
        if prover.is_some() {
            self.outcome.notes.push("facts are computed before a rule is asked: no proof speaks about them".to_owned());
        }
        std::mem::take(&mut self.outcome)
    }

    /// Rules of head that may stand in for a rule of base.
    fn others<'b>(&'b self, p: &'b Baked) -> impl Iterator<Item = &'b Baked> {
        let ledger = &self.sides.1.gate.ledger;
        self.head.values().filter(move |q| {
            q.rule.kind == p.rule.kind && q.rule.level >= floor(p.rule.level) && may_stand_in(&p.rule, &q.rule, ledger)
        })
    }

    /// Whether head has the very rule.
    fn folds(&self, p: &Baked) -> bool {
        self.others(p).any(|q| q.json == p.json)
    }

    fn judge(&mut self, key: &str, prover: Option<&mut Prover<'_>>) {
        let Some(p) = self.base.get(key) else { return };
        let why = match prover {
            None => None,
            Some(prover) => match self.prove(p, prover) {
                Answer::Holds => return,
                Answer::Refuted(found) => {
                    let example = self.example(p, *found);
                    self.outcome.examples.push(example);
                    return;
                }
                Answer::Open(reason) => Some(reason),
            },
        };
        let mut mentions = p.mentions();
        if let Some(same) = self.head.get(key) {
            mentions.and(&same.mentions());
        }
        let limit = self.budget.samples.min(self.trials);
        let is_example = |found: &Found| self.slips(p, found).is_some();
        match sample::search(p.rule.kind, &mentions, limit, &self.reality, &mut |found| is_example(found)) {
            Ok(found) => {
                let example = self.example(p, found);
                self.trials -= limit;
                self.outcome.examples.push(example);
            }
            Err(tried) => {
                self.trials -= limit;
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                let line = format!("rule {key}: not proved{why}; {tried} subjects were tested and none slips through");
                self.outcome.open.push(line);
            }
        }
    }

    /// Whether everything that the rule refuses is refused by head; a refutation has been replayed.
    fn prove(&self, p: &Baked, prover: &mut Prover<'_>) -> Answer {
        self.ask(p, prover).unwrap_or_else(Answer::Open)
    }

    fn ask(&self, p: &Baked, prover: &mut Prover<'_>) -> Result<Answer, String> {
        let (kind, real) = (p.rule.kind, p.real(&self.premises)?);
        let mut matches = Answer::Open(String::new());
        if let Some(same) = self.others(p).find(|q| q.key == p.key) {
            matches = prover.implies(kind, &real, &same.plain()?);
        }
        if !matches!(matches, Answer::Holds) {
            let others = self.others(p).map(Baked::plain).collect::<Result<Vec<_>, _>>()?;
            matches = prover.covered(kind, &real, &others.iter().collect::<Vec<_>>());
        }
        for answer in [matches, prover.never_fails(kind, &real)] {
            match answer {
                Answer::Holds => {}
                Answer::Refuted(found) if self.slips(p, &found).is_some() => return Ok(Answer::Refuted(found)),
                // A rule that fails denies, which the solver does not know.
                Answer::Refuted(_) => {
                    return Err("the solver's example is refused by head: one of the rules can fail".to_owned());
                }
                Answer::Open(reason) => return Err(reason),
            }
        }
        Ok(Answer::Holds)
    }

    /// What both sides say to a subject that base refuses by this rule and head lets through.
    fn slips(&self, p: &Baked, found: &Found) -> Option<(Level, Option<Level>)> {
        let is_own =
            |statement: &&Statement| (&statement.rule.pack, &statement.rule.rule) == (&p.rule.pack, &p.rule.rule);
        let base = self.judges.0.ask(found).iter().find(is_own)?.rule.level;
        let least = floor(p.rule.level);
        if base < least {
            return None;
        }
        let ledger = &self.sides.1.gate.ledger;
        let said = self.judges.1.ask(found);
        let head = said.iter().filter(|s| may_stand_in(&p.rule, &s.rule, ledger)).map(|s| s.rule.level).max();
        head.is_none_or(|head| head < least).then_some((base, head))
    }

    fn example(&self, p: &Baked, found: Found) -> Example {
        let found = reduce(found, &self.reality, &|found| self.slips(p, found).is_some());
        let (base, head) = self.slips(p, &found).map_or((p.rule.level, None), |(base, head)| (base, head));
        let rule = format!("{}/{}", p.rule.pack, p.rule.rule);
        let packs = &self.sides.1.gate.config.packs;
        let gone = if packs.contains(&p.rule.pack) {
            String::new()
        } else {
            format!("pack {} is no longer in use: ", p.rule.pack)
        };
        let what = format!(
            "{gone}base {} by {rule}; head {}",
            wording::says(Some(base), &wording::subject(&found)),
            wording::says(head, "it"),
        );
        Example { rule, what, subject: wording::facts(&found), base: Some(base), head }
    }
}
