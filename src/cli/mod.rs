//! Arguments → request → run → what was decided. One thin file for each command.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;

use crate::advisory;
use crate::advisory::store::{Layered, Store};
use crate::model::verdict::Decision;
use crate::run::{Advisories, Failure};
use crate::world::folder::PlainFolder;
use crate::world::git::GitRepo;
use crate::world::{Env, Repo, RevError, World, real};

mod advisories;
mod approve;
mod args;
mod compare;
mod event;
mod explain;
mod forge;
mod hook;
mod init;
mod judge;
mod policy;
mod progress;
mod request;
mod waive;
mod why;

use args::{Args, Command, Global, SchemaName};

/// How a command ended. What exit code that is, only `main` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did what it was asked.
    Done,
    /// It decided.
    Decided(Decision),
    /// Wrong usage or configuration.
    Usage,
    /// It could not decide.
    Undecided,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong usage or configuration.
    #[error("{0}")]
    Usage(String),
    /// It could not decide.
    #[error("{0}")]
    Undecided(String),
    /// Nobody reads what is printed any more.
    #[error("the reader went away")]
    Closed,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Usage(reason) => Self::Usage(reason),
            Failure::Undecided(reason) => Self::Undecided(reason),
        }
    }
}

impl From<RevError> for Error {
    fn from(error: RevError) -> Self {
        Failure::from(error).into()
    }
}

impl From<crate::gate::Broken> for Error {
    fn from(error: crate::gate::Broken) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Undecided(error.to_string()) }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> Ending {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let is_help = !error.use_stderr();
            // Nothing sensible is left to do where not even this can be printed.
            let _ = error.print();
            return if is_help { Ending::Done } else { Ending::Usage };
        }
    };
    let env = real::env();
    match run(&args, &env) {
        Ok(ending) => ending,
        Err(Error::Closed) => Ending::Done,
        Err(error) => {
            let line = crate::report::escape::terminal(&error.to_string());
            let _ = writeln!(std::io::stderr(), "portcullis: {line}");
            if matches!(error, Error::Usage(_)) { Ending::Usage } else { Ending::Undecided }
        }
    }
}

fn run(args: &Args, env: &Env) -> Result<Ending, Error> {
    let global = &args.global;
    match &args.command {
        Command::Check(args) => judge::check(global, env, args),
        Command::Audit(args) => judge::audit(global, env, args),
        Command::Approve(args) => approve::run(global, env, args),
        Command::Waive(args) => waive::run(global, env, args),
        Command::Why(args) => why::run(global, env, args),
        Command::Explain(args) => explain::run(global, env, args),
        Command::Init => init::run(global, env),
        Command::Hook(args::Hook::Install) => hook::install(global, env),
        Command::Hook(args::Hook::PrePush { .. }) => hook::pre_push(global, env),
        Command::Policy(args) => policy::run(global, env, args),
        Command::Advisories(args) => advisories::run(global, env, args),
        Command::Schema(args) => print(match args.name {
            SchemaName::Verdict => crate::report::schema::VERDICT_SCHEMA,
            SchemaName::Config => crate::report::schema::CONFIG_SCHEMA,
            SchemaName::Ledger => crate::report::schema::LEDGER_SCHEMA,
        }),
        Command::Completions { shell } => {
            let mut bytes = Vec::new();
            clap_complete::generate(*shell, &mut <Args as clap::CommandFactory>::command(), "portcullis", &mut bytes);
            print(&String::from_utf8_lossy(&bytes))
        }
        Command::Man => {
            let mut bytes = Vec::new();
            clap_mangen::Man::new(<Args as clap::CommandFactory>::command()).render(&mut bytes)?;
            print(&String::from_utf8_lossy(&bytes))
        }
    }
}

/// Prints a text to standard output, whole. A reader that goes away changes nothing of what was decided.
fn print(text: &str) -> Result<Ending, Error> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Ending::Done),
    }
}

/// The repository at a path, or the plain folder there.
fn open(path: &Path, env: &Env) -> Result<Box<dyn Repo>, Error> {
    if !path.is_dir() {
        return Err(Error::Usage(format!("{}: no such folder", path.display())));
    }
    match GitRepo::open(path, env)? {
        Some(repo) => Ok(Box::new(repo)),
        None => Ok(Box::new(PlainFolder::new(path.to_path_buf()))),
    }
}

/// The world of a run on a repository. It starts no process.
fn world<'a>(repo: &'a dyn Repo, env: &'a Env, global: &Global) -> Result<World<'a>, Error> {
    Ok(World { repo, now: request::now(global)?, env, process: None, reviews: None, graph: None })
}

/// The user's store: below `PORTCULLIS_CACHE`, else the platform's cache folder.
fn store_path(env: &Env) -> Option<PathBuf> {
    let set = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("PORTCULLIS_CACHE").or_else(|| {
        let home = || set("HOME");
        if cfg!(windows) {
            set("LOCALAPPDATA").map(|folder| folder.join("portcullis"))
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Caches/portcullis"))
        } else {
            set("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache"))).map(|f| f.join("portcullis"))
        }
    })?;
    Some(folder.join("advisories.store"))
}

/// Advisory data for a run: exactly the named store, or the user's over the built-in baseline.
fn advisories(global: &Global, env: &Env, repo: &dyn Repo) -> Advisories {
    if let Some(path) = &global.advisories {
        refuse_inside(path, repo)?;
        return Store::open(path).map(Layered::only).map_err(|e| e.to_string());
    }
    let users = match store_path(env) {
        Some(path) if path.exists() => {
            refuse_inside(&path, repo)?;
            Some(Store::open(&path).map_err(|e| e.to_string())?)
        }
        _ => None,
    };
    let baseline = advisory::built_in().map_err(|e| format!("built-in advisories: {e}"))?;
    Ok(Layered::with_baseline(users, baseline))
}

/// A store inside the judged tree is head's word about head.
fn refuse_inside(path: &Path, repo: &dyn Repo) -> Result<(), String> {
    let (Ok(path), Some(Ok(tree))) = (path.canonicalize(), repo.work_dir().map(Path::canonicalize)) else {
        return Ok(());
    };
    if path.starts_with(&tree) {
        return Err(format!(
            "advisory store {}: inside the judged tree, so head could have written it",
            path.display()
        ));
    }
    Ok(())
}

/// Who acts: the flag, else the forge's or the system's word.
fn who(flag: Option<&String>, env: &Env) -> Result<String, Error> {
    let set = |name: &str| env.get(name).filter(|value| !value.is_empty());
    flag.or_else(|| set("GITHUB_ACTOR"))
        .or_else(|| set("USER"))
        .cloned()
        .ok_or_else(|| Error::Usage("who are you? give --by LOGIN".to_owned()))
}

/// A date that was typed.
fn date(flag: &str, text: &str) -> Result<jiff::civil::Date, Error> {
    text.parse().map_err(|_| Error::Usage(format!("{flag} {}: write a date as in 2026-11-22", text.escape_debug())))
}

/// The work tree's own copy of a file of the gate, to be edited.
fn gate_file(repo: &dyn Repo, name: &str) -> Result<(PathBuf, String), Error> {
    let Some(tree) = repo.work_dir() else {
        return Err(Error::Usage("a bare repository has no work tree to write to".to_owned()));
    };
    let path = tree.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((path, String::new())),
        Err(error) => Err(Error::Usage(format!("{}: {error}", path.display()))),
    }
}
