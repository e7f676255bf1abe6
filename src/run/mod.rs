//! The pipeline itself: a request and a world → a verdict. [`check`] compares two revisions, [`audit`] judges one.

use crate::advisory::store::Layered;
use crate::gate::Broken;
use crate::model::verdict::{Override, PolicyFrom};
use crate::revision::{Base, Governing, Head};
use crate::subject::Command;
use crate::world::{RevError, World};

pub mod advisories;
pub mod audit;
pub mod check;
pub mod comparison;
pub mod files;
pub mod findings;
pub mod graph;
pub mod lines;
pub mod packages;
pub mod projects;
pub mod registries;
pub mod reviews;
pub mod steps;

/// What a run needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// What head is compared with. An audit has none.
    pub base: Base,
    /// What is judged.
    pub head: Head,
    /// What governs, where the runner's event says so. No flag does.
    pub governing: Governing,
    /// A remark on base that replaces the one on how it was found.
    pub note: Option<String>,
    /// Whose policy decides.
    pub policy_from: PolicyFrom,
    /// Whether the run decides for a pipeline.
    pub ci: bool,
    /// Flags that override what the governing revision says.
    pub overrides: Vec<Override>,
    /// Whether the advisory store was named for this run: then it must be there, asked or not.
    pub store_is_named: bool,
    /// Packs that judge besides those of the governing revision.
    pub add_packs: Vec<String>,
    /// For an audit: only these lockfiles; empty: all.
    pub lockfiles: Vec<crate::model::RepoPath>,
}

impl Request {
    /// Whether one revision is judged as it stands.
    #[must_use]
    pub fn is_audit(&self) -> bool {
        self.command == Command::Audit
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong usage, or a broken file of the user's own: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It could not decide: exit code 3.
    #[error("{0}")]
    Undecided(String),
}

impl From<RevError> for Failure {
    fn from(error: RevError) -> Self {
        match error {
            RevError::Unknown(reason) => Self::Usage(reason),
            RevError::Missing(reason) => Self::Undecided(reason),
        }
    }
}

impl From<Broken> for Failure {
    fn from(error: Broken) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<crate::model::tree::Unread> for Failure {
    fn from(error: crate::model::tree::Unread) -> Self {
        Self::Undecided(error.to_string())
    }
}

/// Advisory data, or the line that says why there is none. Without data nothing that needs it is clean.
pub type Advisories = Result<Layered, String>;

/// The day of the run.
#[must_use]
pub fn today(world: &World<'_>) -> jiff::civil::Date {
    world.now.to_zoned(jiff::tz::TimeZone::UTC).date()
}
