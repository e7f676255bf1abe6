//! What a revision holds: entries of an immutable tree, and the ways a file can refuse to be read.

use super::RepoPath;

/// A git object id (SHA-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub [u8; 20]);

impl std::fmt::Display for Oid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Oid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A symbolic link. Never followed: head could point it anywhere.
    Symlink,
    /// Another repository's commit.
    Submodule,
}

/// One entry of a tree. The object id stands for the content: equal ids, equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Where it stands.
    pub path: RepoPath,
    /// What it is.
    pub kind: EntryKind,
    /// The content's id.
    pub oid: Oid,
}

/// One path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The entry in base; `None` where head adds it.
    pub before: Option<Entry>,
    /// The entry in head; `None` where head removes it.
    pub after: Option<Entry>,
}

impl Delta {
    /// The path that differs.
    #[must_use]
    pub fn path(&self) -> Option<&RepoPath> {
        self.after.as_ref().or(self.before.as_ref()).map(|entry| &entry.path)
    }
}

fn at_line(line: u32) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// Why bytes could not be judged. Always said, never swallowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The file or tree passes a cap.
    #[error("{what} is {size}, over the limit of {cap}")]
    TooLarge {
        /// What was measured, with its unit.
        what: String,
        /// The measure.
        size: u64,
        /// The limit.
        cap: u64,
    },
    /// A symbolic link or LFS pointer where a file is expected, a missing blob, a path that collides with another.
    #[error("{0}")]
    NotAFile(String),
    /// The object store or file system failed.
    #[error("{0}")]
    Io(String),
    /// The bytes are not what the format promises. The line counts from 1; 0 where none applies.
    #[error("{}{reason}", at_line(*line))]
    Malformed {
        /// Line of the mistake.
        line: u32,
        /// What is wrong there.
        reason: String,
    },
    /// A form of the format that this version does not read.
    #[error("{0}")]
    Unsupported(String),
}
