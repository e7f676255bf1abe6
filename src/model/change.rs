//! What differs between two revisions.

use super::evidence::Fact;
use super::inventory::{Scope, Scopes, Source};
use super::{Ecosystem, RepoPath};

words! {
    /// What happened to a package.
    ChangeKind {
        Added = "added", Removed = "removed", Upgraded = "upgraded", Downgraded = "downgraded", Replaced = "replaced",
        Rescoped = "rescoped",
    }
}

words! {
    /// How deep a review must be. Declared from the shallowest to the deepest.
    Depth { None = "none", Noted = "noted", Inspected = "inspected", TwoPerson = "two-person" }
}

words! {
    /// How the checksum of a name and version moved between base and head.
    ChecksumMove {
        /// Nothing to compare, or the same.
        Same = "same",
        /// Another digest for the same version and source.
        Changed = "changed",
        /// Base had one, head has none.
        Dropped = "dropped",
        /// Head's is of a weaker algorithm.
        Weakened = "weakened",
        /// Nothing that base had says that the bytes are the same: another algorithm, or files more than before.
        Rehashed = "rehashed",
    }
}

/// A package on one side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Locked version, or requirement.
    pub version: String,
    /// Whether a lockfile fixes the version.
    pub is_locked: bool,
    /// Where its bytes come from.
    pub source: Source,
    /// Digest of its bytes.
    pub checksum: Option<String>,
    /// Whether what is fetched is fixed to the byte.
    pub is_fixed: bool,
    /// What the lock entry's own address names instead.
    pub contradiction: Option<String>,
    /// Whether the lockfile says that installing it runs a script.
    pub runs_on_install: bool,
    /// Scopes that reach it.
    pub scopes: Scopes,
    /// SPDX expression, where known.
    pub license: Option<String>,
    /// File that locks it.
    pub file: RepoPath,
    /// Line there.
    pub line: u32,
}

/// How deep a review is required and which ledger entry, if any, covers the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Depth required.
    pub required: Depth,
    /// Id of the entry that covers it.
    pub cleared_by: Option<String>,
    /// Whose entry that is.
    pub cleared_by_login: Option<String>,
    /// Who covers it in head's own ledger, which does not count yet.
    pub pending_by: Option<String>,
}

/// One package that differs between base and head in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Stable id: no line numbers in it.
    pub id: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The package's ecosystem.
    pub ecosystem: Ecosystem,
    /// Its real name.
    pub name: String,
    /// The name the manifest uses, where another.
    pub alias: Option<String>,
    /// purl of the side that counts: head's, or base's for what was removed.
    pub purl: String,
    /// Whether a manifest names it.
    pub direct: bool,
    /// The strongest scope.
    pub scope: Scope,
    /// The strongest scope in which base's project had any version of the name.
    pub scope_of_name: Option<Scope>,
    /// The project's folder.
    pub project: RepoPath,
    /// The lockfile, where there is one.
    pub lockfile: Option<RepoPath>,
    /// Base's side.
    pub before: Option<Side>,
    /// Head's side.
    pub after: Option<Side>,
    /// Path from a member of the project to the package, as labels.
    pub via: Vec<String>,
    /// Manifest line that names it.
    pub declared: Option<(RepoPath, u32)>,
    /// No version of the name stood in the base project.
    pub new_library: bool,
    /// No version of the name stood in any project of base.
    pub new_to_repository: bool,
    /// The same bytes stood on base elsewhere in the repository, at an equal or stronger scope.
    pub bytes_on_base: bool,
    /// How the checksum moved.
    pub checksum: ChecksumMove,
    /// The source is new to the base project (not for what was there with the same source).
    pub source_new: bool,
    /// It newly stands in for a registry package (a patch, a replacement).
    pub stands_in: bool,
    /// Base had the name, and head takes it from elsewhere.
    pub source_changed: bool,
    /// Ids of the direct new dependencies whose closure this belongs to.
    pub under: Vec<String>,
    /// Ids of the changes in this change's own closure (direct new dependencies only).
    pub closure: Vec<String>,
    /// Name in use here that this one is a slip away from.
    pub confusable_with: Option<String>,
    /// Whether the name is within the ecosystem's grammar.
    pub name_valid: bool,
    /// Whether head clears an advisory that base's version had.
    pub fixes_advisory: bool,
    /// Evidence.
    pub facts: Vec<Fact>,
    /// Review required and given.
    pub review: Review,
}

impl Change {
    /// The side that counts: head's, or base's for what was removed.
    #[must_use]
    pub fn side(&self) -> Option<&Side> {
        self.after.as_ref().or(self.before.as_ref())
    }
}
