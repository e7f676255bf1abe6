//! One rule's statement about one subject.

use super::RepoPath;
use super::advisory::Matched;

words! {
    /// How strongly a rule speaks. Declared from the mildest to the strongest.
    Level { Note = "note", Warn = "warn", Review = "review", Deny = "deny" }
}

words! {
    /// Whether the change brought a match in.
    Origin { Introduced = "introduced", Inherited = "inherited", Disclosed = "disclosed", Resolved = "resolved" }
}

words! {
    /// What a finding is about.
    SubjectKind {
        Package = "package", Line = "line", Workflow = "workflow", Gate = "gate", Release = "release", File = "file",
    }
}

/// What a finding is about, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectRef {
    /// The kind.
    pub kind: SubjectKind,
    /// The package, where it is about one.
    pub purl: Option<String>,
}

/// A place in head, or in base for what is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file.
    pub file: RepoPath,
    /// First line; 0 where the file as a whole is meant.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
}

/// The ledger entry that waives a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// Id of the entry.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// When it ends; a date.
    pub expires: String,
}

/// The approval on the forge that clears a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Who approved.
    pub login: String,
    /// Id of the review.
    pub review: u64,
    /// Number of the pull request.
    pub pull: u64,
}

/// One rule's statement about one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable id: no line numbers in it.
    pub fingerprint: String,
    /// The rule.
    pub rule: String,
    /// The pack that holds the rule.
    pub pack: String,
    /// Level in force.
    pub level: Level,
    /// Level the pack gives.
    pub default_level: Level,
    /// Whether it stands in the way of the change. Set by [`crate::verdict::decide`] alone.
    pub blocks: bool,
    /// For advisories: whether the change brought it in.
    pub origin: Option<Origin>,
    /// Id of the change it is about.
    pub change: Option<String>,
    /// The project's folder, where it is about one.
    pub project: Option<RepoPath>,
    /// What it is about.
    pub subject: SubjectRef,
    /// Where it is.
    pub location: Option<Location>,
    /// What is the matter; one line.
    pub message: String,
    /// How to mend or clear it; one line.
    pub remediation: String,
    /// Clauses of frameworks that this is evidence for.
    pub controls: Vec<String>,
    /// The advisory, where it is about one.
    pub advisory: Option<Matched>,
    /// The waiver in force.
    pub waived_by: Option<Waived>,
    /// The approval that clears it.
    pub cleared_by: Option<Cleared>,
}

impl Finding {
    /// Whether somebody answers for it.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.waived_by.is_some() || self.cleared_by.is_some()
    }
}
