//! `check` and `audit`.

use std::path::Path;
use std::time::Instant;

use super::args::{Audit, Check, Global};
use super::request::{self, Destination};
use super::{Ending, Error, advisories, open, world};
use crate::model::RepoPath;
use crate::model::verdict::Verdict;
use crate::report;
use crate::revision::{Base, Head};
use crate::run;
use crate::subject::Command;
use crate::world::process::Programs;
use crate::world::{Env, Repo, World, Writer, real};

pub(super) fn check(global: &Global, env: &Env, args: &Check) -> Result<Ending, Error> {
    let started = Instant::now();
    let destinations = request::destinations(&args.report.reports)?;
    let repo = open(&global.repo, env)?;
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
    if let (true, Head::Rev(rev)) = (request::is_ci(env), &head) {
        is_checked_out(&*repo, rev)?;
    }
    let asked = request::request(global, env, Command::Check, args.base.clone().map_or(Base::Found, Base::Rev), head)?;
    // A change to the policy is proved to let nothing more through, where the solver for that is on the path.
    let programs = Programs::new(env, repo.work_dir());
    let world = World { process: Some(&programs), ..world(&*repo, env, global)? };
    let verdict = run::check::check(&asked, &world, &|| advisories(global, env, &*repo))?;
    deliver(global, env, verdict, started, &destinations)
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
    for file in &args.lockfiles {
        asked.lockfiles.push(inside(&*repo, file)?);
    }
    let verdict = run::audit::audit(&asked, &world(&*repo, env, global)?, &|| advisories(global, env, &*repo))?;
    deliver(global, env, verdict, started, &destinations)
}

/// In CI what is judged is what is checked out, or something that holds it: another head could hide it.
fn is_checked_out(repo: &dyn Repo, rev: &str) -> Result<(), Error> {
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
) -> Result<Ending, Error> {
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
    Ok(Ending::Decided(verdict.decision))
}

fn save(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::path::absolute(file)?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "no file name"));
    };
    real::FileWriter::new(folder.to_path_buf()).write(Path::new(name), text.as_bytes(), false)
}
