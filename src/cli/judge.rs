//! `check` and `audit`.

use std::path::Path;
use std::time::Instant;

use super::args::{Audit, Check, Global};
use super::forge::{self, Forge};
use super::request::{self, Destination};
use super::{Ending, Error, advisories, event, open, print, world};
use crate::forge::event::{Event, Planned, Runner};
use crate::model::RepoPath;
use crate::model::verdict::Verdict;
use crate::report;
use crate::revision::{Base, Head};
use crate::run;
use crate::subject::Command;
use crate::world::process::Programs;
use crate::world::{DependencyGraph, Env, Repo, Reviews, World, Writer, real};

pub(super) fn check(global: &Global, env: &Env, args: &Check) -> Result<Ending, Error> {
    let started = Instant::now();
    let destinations = request::destinations(&args.report.reports)?;
    if global.offline && args.forge {
        return Err(Error::Usage("--forge asks the forge, and --offline forbids that".to_owned()));
    }
    let (event, forge) = told(env, args)?;
    let plan = match event.map(|event| event.plan(&Runner::of(env))).transpose()? {
        Some(Planned::Nothing(why)) => return print(&format!("{}\n", report::escape::terminal(&why))),
        Some(Planned::Judge(plan)) => Some(plan),
        None => None,
    };
    let env = &plan.as_ref().map_or_else(|| env.clone(), |plan| event::protecting(env, plan));
    let repo = open(&global.repo, env)?;
    if let Some(plan) = &plan {
        event::hold(&*repo, plan)?;
    }
    if repo.work_dir().is_none() && (args.worktree || args.index) {
        return Err(Error::Usage("a bare repository has neither a work tree nor an index to judge".to_owned()));
    }
    let head = match &args.head {
        Some(rev) => Head::Rev(rev.clone()),
        None if args.index => Head::Index,
        // A pipeline judges what was pushed, not what earlier steps left lying about.
        None if !args.worktree && request::is_ci(env) => Head::Rev("HEAD".to_owned()),
        None if repo.work_dir().is_none() => Head::Rev("HEAD".to_owned()),
        None => Head::WorkTree,
    };
    let is_given = args.head.is_some() || args.index || args.worktree;
    match (&plan, &head) {
        (None, Head::Rev(rev)) if request::is_ci(env) => holds_what_is_checked_out(&*repo, rev)?,
        (Some(plan), given) if is_given => is_what_is_meant(&*repo, given, &plan.head)?,
        _ => {}
    }
    let base = args.base.clone().map_or(Base::Found, Base::Rev);
    let mut asked = request::request(global, env, Command::Check, base, head)?;
    if let Some(plan) = &plan {
        let (base, governing, note) = event::revisions(plan);
        asked.governing = governing;
        if !is_given {
            asked.head = Head::Rev(plan.head.clone());
        }
        if args.base.is_none() {
            (asked.base, asked.note) = (base, note);
        }
    }
    // A change to the policy is proved to let nothing more through, where the solver for that is on the path.
    let programs = Programs::new(env, repo.work_dir());
    asked.add_packs.clone_from(&args.packs.add);
    let reviews = forge.as_ref().map(Forge::reviews);
    let reviews = reviews.as_ref().map(|reviews| reviews as &dyn Reviews);
    let graph = forge.as_ref().map(Forge::graph);
    let graph = graph.as_ref().map(|graph| graph as &dyn DependencyGraph);
    let world = World { process: Some(&programs), reviews, graph, ..world(&*repo, env, global)? };
    let verdict = run::check::check(&asked, &world, &|| advisories(global, env, &*repo))?;
    let (verdict, ending) = deliver(global, env, verdict, started, &destinations)?;
    if let Some(forge) = &forge {
        for line in forge.tell(&verdict, args.comment.into(), &*repo) {
            eprintln!("portcullis: {}", report::escape::terminal(&line));
        }
    }
    Ok(ending)
}

/// What the runner says happened, and the forge, where it is to be asked. Without a forge that answers, the verdict
/// stands all the same: nothing is approved, and nothing said.
fn told(env: &Env, args: &Check) -> Result<(Option<Event>, Option<Forge>), Error> {
    let Some(event) = event::of(env)? else {
        if args.forge {
            return Err(Error::Usage(
                "--forge: no runner of GitHub Actions tells of an event here (GITHUB_ACTIONS, GITHUB_EVENT_PATH)"
                    .to_owned(),
            ));
        }
        return Ok((None, None));
    };
    if !args.forge {
        return Ok((Some(event), None));
    }
    match forge::client(env) {
        Ok(client) => {
            let event = forge::resolved(event, &client)?;
            forge::is_current(&event, &client)?;
            Ok((Some(event.clone()), Some(Forge::new(client, event))))
        }
        Err(reason) => {
            eprintln!("portcullis: the forge is not asked: {}", report::escape::terminal(&reason));
            Ok((Some(event), None))
        }
    }
}

pub(super) fn audit(global: &Global, env: &Env, args: &Audit) -> Result<Ending, Error> {
    let started = Instant::now();
    let destinations = request::destinations(&args.report.reports)?;
    let folder = args.path.as_deref().unwrap_or(&global.repo);
    let repo = open(folder, env)?;
    let head = match &args.rev {
        Some(rev) => Head::Rev(rev.clone()),
        None if repo.work_dir().is_none() => Head::Rev("HEAD".to_owned()),
        None => Head::WorkTree,
    };
    let mut asked = request::request(global, env, Command::Audit, Base::Found, head)?;
    asked.add_packs.clone_from(&args.packs.add);
    for file in &args.lockfiles {
        asked.lockfiles.push(inside(&*repo, file)?);
    }
    let verdict = run::audit::audit(&asked, &world(&*repo, env, global)?, &|| advisories(global, env, &*repo))?;
    deliver(global, env, verdict, started, &destinations).map(|(_, ending)| ending)
}

/// What an event is about is known, and nothing else is: what earlier steps committed, staged or left lying on top of it may
/// take back what it brings.
fn is_what_is_meant(repo: &dyn Repo, given: &Head, meant: &str) -> Result<(), Error> {
    let said = match given {
        Head::Rev(rev) if repo.resolve(rev)? == repo.resolve(meant)? => return Ok(()),
        Head::Rev(rev) => format!("--head {}", rev.escape_debug()),
        Head::Index => "--index".to_owned(),
        Head::WorkTree => "--worktree".to_owned(),
    };
    Err(Error::Usage(format!("{said} is not what the event is about: in CI flags cannot move what is judged")))
}

/// In CI without an event what is judged is what is checked out, or something that holds it: another head could hide it.
fn holds_what_is_checked_out(repo: &dyn Repo, rev: &str) -> Result<(), Error> {
    let (given, here) = (repo.resolve(rev)?, repo.resolve("HEAD")?);
    if given == here || repo.merge_base(&here, &given)? == Some(here) {
        return Ok(());
    }
    let rev = rev.escape_debug();
    Err(Error::Usage(format!("--head {rev} does not hold what is checked out: in CI flags cannot move what is judged")))
}

/// A file that was named on the command line, as a path of the repository.
fn inside(repo: &dyn Repo, file: &Path) -> Result<RepoPath, Error> {
    let fault = |reason: &str| Error::Usage(format!("--lockfile {}: {reason}", file.display()));
    let Some(tree) = repo.work_dir() else {
        return RepoPath::root().join(&file.to_string_lossy()).ok_or_else(|| fault("not a path of the repository"));
    };
    let tree = tree.canonicalize().map_err(|e| fault(&e.to_string()))?;
    // The folder is resolved and the name is not: a lockfile that is a link must be seen as one.
    let name = file.file_name().ok_or_else(|| fault("no file"))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|e| fault(&e.to_string()))?;
    let relative = folder.join(name).strip_prefix(&tree).map(|p| p.to_string_lossy().into_owned());
    relative.ok().and_then(|text| RepoPath::root().join(&text)).ok_or_else(|| fault("outside the audited folder"))
}

/// Renders the verdict where it is wanted. Reports never change the decision; one that cannot be written is an error.
fn deliver(
    global: &Global,
    env: &Env,
    mut verdict: Verdict,
    started: Instant,
    destinations: &[Destination],
) -> Result<(Verdict, Ending), Error> {
    verdict.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    for destination in destinations {
        let mut look = request::look(global, env);
        match &destination.file {
            None => {
                super::print(&report::render(destination.format, &verdict, &look))?;
            }
            Some(file) => {
                look.colour = false;
                look.width = 0;
                let text = report::render(destination.format, &verdict, &look);
                save(file, &text).map_err(|e| Error::Undecided(format!("report {}: {e}", file.display())))?;
            }
        }
    }
    let ending = Ending::Decided(verdict.decision);
    Ok((verdict, ending))
}

fn save(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::path::absolute(file)?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "no file name"));
    };
    real::FileWriter::new(folder.to_path_buf()).write(Path::new(name), text.as_bytes(), false)
}
