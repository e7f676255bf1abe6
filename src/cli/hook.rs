//! `hook install`, and what the installed pre-push hook calls.
//!
//! The hook refuses deny and incomplete. A review is printed and pushed: the pull request is where it is cleared.

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use super::args::Global;
use super::request;
use super::{Ending, Error, advisories, open, print, world};
use crate::model::verdict::Decision;
use crate::report::{self, Format};
use crate::revision::{Base, Head};
use crate::run;
use crate::subject::Command;
use crate::world::{Env, Repo, Writer, real};

const MARK: &str = "# installed by portcullis";

pub(super) fn install(global: &Global, env: &Env) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let Some(folder) = repo.hooks_dir() else {
        return Err(Error::Usage("not a git repository: there is nothing to hook".to_owned()));
    };
    let path = folder.join("pre-push");
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.contains(MARK) => {
            return Err(Error::Usage(format!(
                "{} is there already; call `portcullis hook pre-push` from it, with its standard input",
                path.display()
            )));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::Usage(format!("{}: {error}", path.display()))),
    }
    let program = std::env::current_exe()?;
    let program = program.to_string_lossy().replace('\'', "'\\''");
    // The program's own path first: a hook must not find another `portcullis` by chance, and must not vanish either.
    let script = format!(
        "#!/bin/sh\n{MARK}\nif [ -x '{program}' ]; then exec '{program}' hook pre-push \"$@\"; fi\n\
         exec portcullis hook pre-push \"$@\"\n"
    );
    std::fs::create_dir_all(&folder)?;
    real::FileWriter::new(folder).write(Path::new("pre-push"), script.as_bytes(), true)?;
    print(&format!(
        "Wrote {}. It refuses what is denied or incomplete; git push --no-verify skips it.\n",
        path.display()
    ))
}

/// Lines of git: `<local ref> <local id> <remote ref> <remote id>`.
const MOST_INPUT: u64 = 1 << 20;

pub(super) fn pre_push(global: &Global, env: &Env) -> Result<Ending, Error> {
    let started = Instant::now();
    let mut input = String::new();
    std::io::stdin().lock().take(MOST_INPUT + 1).read_to_string(&mut input)?;
    if input.len() as u64 > MOST_INPUT {
        return Err(Error::Undecided(format!("more than {MOST_INPUT} bytes of refs are pushed at once")));
    }
    let repo = open(&global.repo, env)?;
    let mut worst = Decision::Allow;
    let mut seen = Vec::new();
    for line in input.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, local, _, remote] = fields.as_slice() else {
            return Err(Error::Usage("standard input is not what git gives a pre-push hook".to_owned()));
        };
        // All zeros: a branch is deleted, and nothing is pushed.
        if local.bytes().all(|b| b == b'0') || seen.contains(local) {
            continue;
        }
        seen.push(local);
        if stands_on_remote(&*repo, local)? {
            continue;
        }
        let head = Head::Rev((*local).to_owned());
        let base = base(&*repo, local, remote)?;
        let mut asked = request::request(global, env, Command::Check, base, head)?;
        // A person stands here, whatever the environment says of itself.
        asked.ci = false;
        let mut verdict = run::check::check(&asked, &world(&*repo, env, global)?, &|| advisories(global, env, &*repo))?;
        verdict.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if verdict.decision != Decision::Allow || global.verbose > 0 {
            print(&report::render(Format::Human, &verdict, &request::look(global, env)))?;
        }
        worst = worst.max(verdict.decision);
    }
    Ok(match worst {
        Decision::Review => {
            print("portcullis: pushed; the pull request is where a review is cleared\n")?;
            Ending::Done
        }
        other => Ending::Decided(other),
    })
}

/// What a pushed commit is compared with: the merge base with the default branch, as the pull request will be; where no
/// default branch is known, what the remote has of the pushed one; and where it has nothing, the empty tree.
fn base(repo: &dyn Repo, local: &str, remote: &str) -> Result<Base, Error> {
    if repo.default_branch()?.is_some() {
        return Ok(Base::Found);
    }
    if remote.bytes().all(|b| b == b'0') {
        return Ok(Base::Empty);
    }
    // A commit that was never fetched cannot be compared with.
    let Ok(there) = repo.resolve(remote) else { return Ok(Base::Empty) };
    Ok(match repo.merge_base(&there, &repo.resolve(local)?)? {
        Some(crate::world::Rev::Commit { id, .. }) => Base::Rev(id.to_string()),
        _ => Base::Empty,
    })
}

/// Whether the remote's default branch holds the commit already: then nothing new is pushed.
fn stands_on_remote(repo: &dyn Repo, commit: &str) -> Result<bool, Error> {
    let Some((tip, _)) = repo.default_branch()? else { return Ok(false) };
    let rev = repo.resolve(commit)?;
    Ok(repo.merge_base(&tip, &rev)? == Some(rev))
}
