//! `policy compare` and `policy lint`.

use super::args::{Compare, Global};
use super::{Ending, Error, explain, open, print};
use crate::gate::Gate;
use crate::model::verdict::{Comparison, ComparisonResult, Decision};
use crate::policy::compare::Budget;
use crate::report::escape::terminal;
use crate::revision::{self, Base, Governing, Head};
use crate::run;
use crate::world::Env;
use crate::world::process::Programs;

/// Two policies: what the new one lets through.
pub(super) fn compare(global: &Global, env: &Env, args: &Compare) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let head = match &args.head {
        Some(rev) => Head::Rev(rev.clone()),
        None if repo.work_dir().is_none() => Head::Rev("HEAD".to_owned()),
        None => Head::WorkTree,
    };
    let ci = super::request::is_ci(env) && args.base.is_none();
    let base = args.base.clone().map_or(Base::Found, Base::Rev);
    let revisions = revision::resolve(&*repo, &base, &head, &Governing::Found, ci)?;
    let base = Gate::read(&*repo.tree(&revisions.governing.rev)?)?;
    let programs = Programs::new(env, repo.work_dir());
    let head = repo.tree(&revisions.head.rev)?;
    let found = run::comparison::compared(&base, &*head, Some(&programs), &Budget::PATIENT)?;
    // A broken policy is the user's to mend, with file and line.
    if let Some(broken) = found.notes.iter().find(|note| note.starts_with(run::comparison::UNREADABLE)) {
        return Err(Error::Usage(terminal(broken)));
    }
    let names = format!("policy of {} → {}", revisions.governing.name, revisions.head.name);
    print(&format!("{}\n{}", terminal(&names), comparison(&found)))?;
    Ok(match found.result {
        ComparisonResult::Unchanged | ComparisonResult::NoWeaker => Ending::Decided(Decision::Allow),
        ComparisonResult::Weaker => Ending::Decided(Decision::Review),
        ComparisonResult::NotProved => Ending::Undecided,
    })
}

fn comparison(found: &Comparison) -> String {
    let mut text = String::from("\n");
    for example in &found.examples {
        text += &format!("  ✗ {}\n", terminal(&example.what));
    }
    for note in &found.notes {
        text += &format!("  · {}\n", terminal(note));
    }
    let by = found.solver.as_ref().map_or(String::new(), |name| format!("  {}", terminal(name)));
    let means = match found.result {
        ComparisonResult::Unchanged => "nothing that decides differs",
        ComparisonResult::NoWeaker => "whatever base refuses, head refuses",
        ComparisonResult::Weaker => "head lets through what base refuses",
        ComparisonResult::NotProved => "neither a proof nor an example was found",
    };
    let gap = if found.examples.is_empty() && found.notes.is_empty() { "" } else { "\n" };
    text + &format!("{gap}{}  {means}{by}\n", found.result.as_str().to_uppercase())
}

/// Rules in use that are dead, redundant or can fail.
pub(super) fn lint(global: &Global, env: &Env) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let programs = Programs::new(env, repo.work_dir());
    let lint = run::comparison::linted(&explain::here(&*repo)?, Some(&programs))?;
    let mut text = String::new();
    for fault in &lint.faults {
        text += &format!("✗ {}  {}\n", terminal(&fault.rule), terminal(&fault.what));
    }
    for note in &lint.notes {
        text += &format!("· {}\n", terminal(note));
    }
    let by = lint.solver.as_ref().map_or(String::new(), |name| format!(", {}", terminal(name)));
    print(&format!("{text}{} rules, {} with a fault{by}\n", lint.rules, lint.faults.len()))?;
    Ok(Ending::Decided(if lint.faults.is_empty() { Decision::Allow } else { Decision::Deny }))
}
