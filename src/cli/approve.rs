//! `approve`: write a ledger entry for a package, bound to the bytes that the lockfile names.

use super::args::{self, Approve, Global};
use super::{Ending, Error, advisories, date, gate_file, open, print, request, who, world};
use crate::gate::coverage::is_in_force;
use crate::gate::edit::{NewApproval, approve};
use crate::gate::ledger::{Approval, Bound, Ledger};
use crate::gate::{self, LEDGER};
use crate::model::change::{Change, Depth};
use crate::model::verdict::Verdict;
use crate::model::{Ecosystem, purl};
use crate::report::escape::terminal;
use crate::revision::{Base, Head};
use crate::run;
use crate::subject::Command;
use crate::world::{Env, Writer, real};

pub(super) fn run(global: &Global, env: &Env, args: &Approve) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let (path, text) = gate_file(&*repo, LEDGER)?;
    let asked = request::request(
        global,
        env,
        Command::Check,
        args.base.clone().map_or(Base::Found, Base::Rev),
        Head::WorkTree,
    )?;
    let world = world(&*repo, env, global)?;
    let verdict = run::check::check(&asked, &world, &|| advisories(global, env, &*repo))?;
    let change = find(&verdict, &args.purl)?;
    let mut packages = vec![bound(change)?];
    if args.closure {
        for id in &change.closure {
            let Some(inner) = verdict.changes.iter().find(|c| c.id == *id) else { continue };
            let inner = bound(inner)?;
            if !packages.contains(&inner) {
                packages.push(inner);
            }
        }
    }
    let new = NewApproval {
        packages,
        depth: match args.depth {
            args::Depth::Noted => Depth::Noted,
            args::Depth::Inspected => Depth::Inspected,
        },
        scope: change.scope,
        by: who(args.by.as_ref(), env)?,
        on: run::today(&world),
        reason: args.reason.clone(),
        expires: args.expires.as_ref().map(|text| date("--expires", text)).transpose()?,
    };
    if new.reason.trim().is_empty() {
        return Err(Error::Usage("--reason is empty: say why it is here and what you saw".to_owned()));
    }
    if new.expires.is_some_and(|last| last < new.on) {
        return Err(Error::Usage("--expires: that day is over".to_owned()));
    }
    let stands = |entry: &Approval| {
        entry.by == new.by
            && entry.depth >= new.depth
            && is_in_force(entry.expires, new.on)
            && entry.scope.is_none_or(|scope| scope >= new.scope)
            && new.packages.iter().all(|bound| entry.packages.contains(bound))
    };
    if Ledger::parse(&text)?.approvals.iter().any(stands) {
        let (name, by) = (terminal(&change.name), terminal(&new.by));
        return print(&format!("{name}: an approval by {by} of these bytes stands in {LEDGER} already\n"));
    }
    let edited = approve(&text, &new)?;
    let root = repo.work_dir().unwrap_or(&path).to_path_buf();
    real::FileWriter::new(root).write(std::path::Path::new(LEDGER), edited.as_bytes(), false)?;
    let others = new.packages.len() - 1;
    let closure = if others == 0 { String::new() } else { format!(" and {others} that it brings") };
    let left = if args.closure || change.closure.is_empty() {
        String::new()
    } else {
        format!("It brings {} more that nobody answers for: --closure takes them in.\n", change.closure.len())
    };
    let unbound = new.packages.iter().filter(|bound| bound.checksum.is_none()).count();
    let unbound = if unbound == 0 {
        String::new()
    } else {
        format!("Unbound: no lockfile says which bytes {unbound} of them are, so it holds for whatever comes.\n")
    };
    print(&format!(
        "{} {}: approved by {}{closure}, in {}\n{left}{unbound}It counts once it stands on the protected branch, \
         or {by} has approved the pull request that brings it.\n",
        terminal(&change.name),
        terminal(change.side().map_or("", |side| &side.version)),
        terminal(&new.by),
        gate::LEDGER,
        by = terminal(&new.by),
    ))
}

/// The one change that a person named.
fn find<'v>(verdict: &'v Verdict, text: &str) -> Result<&'v Change, Error> {
    let named = purl::parse(text, Ecosystem::Cargo).map_err(Error::Usage)?;
    let canonical = purl::canonical(text).ok();
    let mut found: Vec<&Change> = verdict
        .changes
        .iter()
        .filter(|c| c.ecosystem == named.ecosystem && c.name == named.name)
        .filter(|c| {
            let version = c.after.as_ref().map(|after| after.version.as_str());
            version.is_some() && named.version.as_deref().is_none_or(|wanted| version == Some(wanted))
        })
        .collect();
    if found.iter().any(|c| Some(&c.purl) == canonical.as_ref()) {
        found.retain(|c| Some(&c.purl) == canonical.as_ref());
    }
    // The same bytes in two projects are one thing to look at; the one with the larger closure says more.
    found.sort_by_key(|c| (&c.purl, std::cmp::Reverse(c.closure.len())));
    found.dedup_by(|b, a| a.purl == b.purl);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::Usage(format!(
            "{}: no change of that name and version here; `portcullis check` lists what is new",
            terminal(text)
        ))),
        several => {
            let purls: Vec<&str> = several.iter().map(|c| c.purl.as_str()).collect();
            Err(Error::Usage(format!("{} is one of {}: name one", terminal(text), terminal(&purls.join(", ")))))
        }
    }
}

fn bound(change: &Change) -> Result<Bound, Error> {
    let after = change.after.as_ref();
    Ok(Bound {
        purl: purl::canonical(&change.purl).map_err(Error::Usage)?,
        checksum: after.and_then(|after| after.checksum.clone()),
    })
}
