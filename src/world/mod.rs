//! The only way out: the repository, the clock and the environment, as a struct of capabilities.
//!
//! A run can do what its [`World`] lets it do and nothing else: no process is started but a solver, and that only where
//! the world has a [`Process`] and the policy changed; only commands that may edit the repository receive a [`Writer`],
//! only the one that updates advisories receives an [`Http`], and the forge is asked through [`Reviews`] and
//! [`DependencyGraph`] alone, which are there only where a check was told to (`--forge`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::RepoPath;
use crate::model::review::{Reviewed, Reviewers};
use crate::model::supplied::Supplied;
use crate::model::tree::{Delta, Entry, Oid, Unread};

mod disk;
pub mod folder;
pub mod git;
pub mod memory;
pub mod net;
pub mod process;
pub mod real;

/// Everything a run may reach.
pub struct World<'a> {
    /// The judged repository, or a plain folder.
    pub repo: &'a dyn Repo,
    /// The time of the run.
    pub now: jiff::Timestamp,
    /// The environment variables the run was given.
    pub env: &'a Env,
    /// Programs of the user's that may be started; none where nothing may be.
    pub process: Option<&'a dyn Process>,
    /// The reviews of the forge; none where it is not asked.
    pub reviews: Option<&'a dyn Reviews>,
    /// The dependency graph of the forge; none where it is not asked.
    pub graph: Option<&'a dyn DependencyGraph>,
}

/// What a forge knows about changed dependencies.
pub trait DependencyGraph {
    /// The packages that stand on one side of the judged change alone. `since` is the commit that it begins with.
    ///
    /// # Errors
    /// One line why they are not known.
    fn changes(&self, since: Option<&str>) -> Result<Vec<Supplied>, String>;
}

/// What a forge knows about who looked at the judged change. Only asked where something needs an approval.
pub trait Reviews {
    /// Whose approvals count, for each pull request that the judged difference is made of, in order. `since` is the
    /// commit that the difference begins with.
    ///
    /// # Errors
    /// One line why nothing can be approved.
    fn reviewed(
        &self,
        since: Option<&str>,
        reviewers: &Reviewers,
        matters: &Matters<'_>,
    ) -> Result<Vec<Reviewed>, String>;
}

/// Which paths matter to an approval.
#[derive(Clone, Copy)]
pub struct Matters<'a> {
    /// Whether a path's bytes must be those approved.
    pub relevant: &'a dyn Fn(&str) -> bool,
    /// Whether a path is part of the gate, its ledger aside.
    pub of_gate: &'a dyn Fn(&str) -> bool,
    /// The ledger's path.
    pub ledger: &'a str,
}

/// May start the one program this crate ever starts: a solver of logical formulas, which reads text and writes text.
pub trait Process: Sync {
    /// Starts the solver with these arguments; `None` where the user's path holds none.
    ///
    /// # Errors
    /// Whatever the system says.
    fn solver(&self, arguments: &[&str]) -> std::io::Result<Option<Box<dyn Dialogue>>>;
}

/// A running program that is talked to line by line. It ends with the value.
pub trait Dialogue: Send {
    /// Writes to its standard input.
    ///
    /// # Errors
    /// Where it has ended.
    fn send(&mut self, text: &[u8]) -> std::io::Result<()>;

    /// The next line of its standard output, without its end.
    ///
    /// # Errors
    /// Where it has ended, says nothing for too long, or says too much.
    fn line(&mut self) -> std::io::Result<String>;
}

/// Environment variables, captured once.
pub type Env = BTreeMap<String, String>;

/// What a person can name, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rev {
    /// A commit: its id and the time of its committer, in seconds since 1970.
    Commit {
        /// The commit.
        id: Oid,
        /// Committer time.
        time: i64,
    },
    /// What is staged.
    Index,
    /// What lies in the work tree: tracked files whatever `.gitignore` says, and untracked ones it does not name.
    WorkTree,
    /// No file at all: what a first commit is compared with.
    Empty,
}

/// Why a revision could not be had.
#[derive(Debug, thiserror::Error)]
pub enum RevError {
    /// There is no such revision: wrong usage.
    #[error("{0}")]
    Unknown(String),
    /// It should be there and is not (a shallow clone, a missing object): nothing can be decided.
    #[error("{0}")]
    Missing(String),
}

/// A repository.
pub trait Repo {
    /// Resolves a commit-ish. Branch and tag of one name are an error, never a guess.
    ///
    /// # Errors
    /// [`RevError`].
    fn resolve(&self, spec: &str) -> Result<Rev, RevError>;

    /// The best common ancestor of two revisions; `None` where they share none. The index and the work tree stand on
    /// the checked-out commit.
    ///
    /// # Errors
    /// [`RevError::Missing`] where history is cut off, with how to deepen it.
    fn merge_base(&self, a: &Rev, b: &Rev) -> Result<Option<Rev>, RevError>;

    /// The first parent; `None` for a first commit. Of the index and the work tree: the checked-out commit.
    ///
    /// # Errors
    /// [`RevError::Missing`] where history is cut off, with how to deepen it.
    fn first_parent(&self, rev: &Rev) -> Result<Option<Rev>, RevError>;

    /// The tip of the remote's default branch and its short name (`origin/main`); `None` where no remote is known.
    ///
    /// # Errors
    /// [`RevError`].
    fn default_branch(&self) -> Result<Option<(Rev, String)>, RevError>;

    /// The tree of a revision.
    ///
    /// # Errors
    /// [`RevError::Missing`].
    fn tree(&self, rev: &Rev) -> Result<Box<dyn Tree + '_>, RevError>;

    /// The folder with the checked-out files; `None` for a bare repository.
    fn work_dir(&self) -> Option<&Path>;

    /// The folder for hooks; `None` for a plain folder.
    fn hooks_dir(&self) -> Option<PathBuf>;
}

/// An immutable tree. Reading it follows no link, runs no filter and obeys no attribute of the tree.
pub trait Tree {
    /// Every entry, sorted by path, folders left out.
    ///
    /// # Errors
    /// [`Unread`] where the tree cannot be listed or passes a cap.
    fn list(&self) -> Result<Vec<Entry>, Unread>;

    /// What differs from `base`, sorted by path. Equal subtrees are not walked where both are git trees.
    ///
    /// # Errors
    /// As [`Tree::list`].
    fn differs(&self, base: &dyn Tree) -> Result<Vec<Delta>, Unread> {
        Ok(merge(base.list()?, self.list()?))
    }

    /// The entry at a path.
    ///
    /// # Errors
    /// As [`Tree::list`].
    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread>;

    /// The bytes of a file, at most `cap` of them, hash-verified.
    ///
    /// # Errors
    /// [`Unread`]; a symbolic link, submodule or LFS pointer is [`Unread::NotAFile`].
    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread>;

    /// The id of the git tree, where this is one.
    fn git_tree(&self) -> Option<Oid> {
        None
    }
}

/// May change files of the user's own work tree. Only commands that edit the repository receive one.
pub trait Writer {
    /// Replaces or creates a file below the work tree, whole or not at all.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn write(&self, path: &Path, bytes: &[u8], executable: bool) -> std::io::Result<()>;
}

/// What differs between two sorted lists of entries.
#[must_use]
pub fn merge(base: Vec<Entry>, head: Vec<Entry>) -> Vec<Delta> {
    let mut deltas = Vec::new();
    let (mut base, mut head) = (base.into_iter().peekable(), head.into_iter().peekable());
    loop {
        let order = match (base.peek(), head.peek()) {
            (None, None) => return deltas,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(b), Some(h)) => b.path.cmp(&h.path),
        };
        let delta = match order {
            std::cmp::Ordering::Less => Delta { before: base.next(), after: None },
            std::cmp::Ordering::Greater => Delta { before: None, after: head.next() },
            std::cmp::Ordering::Equal => Delta { before: base.next(), after: head.next() },
        };
        if delta.before != delta.after {
            deltas.push(delta);
        }
    }
}

/// The network. A request follows no redirect to another host, and is made once: whoever asks decides about asking
/// again.
pub trait Http {
    /// Fetches an address.
    ///
    /// # Errors
    /// [`Failed`] where there is no whole answer within the caps.
    fn get(&self, get: &Get<'_>, sink: &mut dyn Sink) -> Result<Answer, Failed>;

    /// Lets time pass.
    fn wait(&self, time: std::time::Duration);
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Get<'a> {
    /// The address.
    pub url: &'a str,
    /// `If-None-Match`.
    pub etag: Option<&'a str>,
    /// `If-Modified-Since`.
    pub modified: Option<&'a str>,
    /// The bytes that are here already, and the entity tag that they have.
    pub resume: Option<(u64, &'a str)>,
    /// Bytes of the answer, at the most.
    pub cap: u64,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All of it.
    Whole,
    /// The bytes after those that are here already.
    Rest,
    /// Nothing: what is here is what there is.
    Unchanged,
    /// Nothing: what is here is not the beginning of what there is.
    Other,
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it is.
    pub state: State,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
    /// Bytes that follow, where the server says.
    pub length: Option<u64>,
    /// `Content-Type`.
    pub kind: Option<String>,
}

/// Takes the body of an answer.
pub trait Sink {
    /// The head is known.
    ///
    /// # Errors
    /// What ends the request.
    fn begin(&mut self, answer: &Answer) -> std::io::Result<()>;

    /// The next bytes.
    ///
    /// # Errors
    /// What ends the request.
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failed {
    /// One line.
    pub what: String,
    /// Whether it may pass by itself.
    pub passes: bool,
    /// When to ask again, where the server says.
    pub again: Option<std::time::Duration>,
}

impl Failed {
    /// What another try will not mend.
    pub fn lasting(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string(), passes: false, again: None }
    }

    /// What another try may mend.
    pub fn passing(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string(), passes: true, again: None }
    }
}
