//! `waive`: write a waiver. A waiver without a reason, an owner and an end is none.

use std::path::Path;

use super::args::{Global, Waive};
use super::{Ending, Error, date, gate_file, open, print, request, who};
use crate::advisory::store::Layered;
use crate::gate::edit::{NewWaiver, waive};
use crate::gate::{Gate, LEDGER};
use crate::policy::pack::Packs;
use crate::report::escape::terminal;
use crate::world::{Env, Repo, Rev, Writer, real};

pub(super) fn run(global: &Global, env: &Env, args: &Waive) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let (path, text) = gate_file(&*repo, LEDGER)?;
    if args.rule.rsplit('/').next() == Some("gate-changed") {
        let reason = "gate-changed: a waiver would waive all that comes after it; a reviewer approves such a change";
        return Err(Error::Usage(reason.to_owned()));
    }
    known(global, env, &*repo, &args.rule)?;
    let today = request::now(global)?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let expires = date("--expires", &args.expires)?;
    if expires < today {
        return Err(Error::Usage(format!("--expires {expires}: that day is over")));
    }
    let new = NewWaiver {
        rule: args.rule.clone(),
        subject: args.scope.clone(),
        project: args.project.clone(),
        by: who(args.by.as_ref(), env)?,
        on: today,
        reason: args.reason.clone(),
        expires,
    };
    let edited = waive(&text, &new)?;
    let root = repo.work_dir().unwrap_or(&path).to_path_buf();
    real::FileWriter::new(root).write(Path::new(LEDGER), edited.as_bytes(), false)?;
    print(&format!(
        "{} for {}: waived by {} until {expires}, in {LEDGER}\nIt counts once it stands on the protected branch, or {by} has \
         approved the pull request that brings it.\n",
        terminal(&new.rule),
        terminal(&new.subject),
        terminal(&new.by),
        by = terminal(&new.by),
    ))
}

/// A waiver of a rule that does not exist would stand there for ever and do nothing.
fn known(global: &Global, env: &Env, repo: &dyn Repo, rule: &str) -> Result<(), Error> {
    let packs = Packs::load(&Gate::read(&*repo.tree(&Rev::WorkTree)?)?)?;
    if packs.rules().any(|r| r.rule == rule || format!("{}/{}", r.pack, r.rule) == rule) {
        return Ok(());
    }
    let store: Layered = super::advisories(global, env, repo).map_err(Error::Undecided)?;
    match store.id(rule) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Error::Usage(format!("{}: neither a rule nor an advisory that is known", terminal(rule)))),
        Err(error) => Err(Error::Undecided(error.to_string())),
    }
}
