//! The decision and everything it rests on. Reports see nothing else.

use super::RepoPath;
use super::advisory::SourceAge;
use super::change::Change;
use super::finding::{Finding, Level};
use super::inventory::Project;
use super::review::Reviewed;

words! {
    /// The decision. Declared in the order in which one beats another.
    Decision { Allow = "allow", Review = "review", Incomplete = "incomplete", Deny = "deny" }
}

words! {
    /// Whose policy decided.
    PolicyFrom { Governing = "governing", Base = "base", Head = "head", BuiltIn = "built-in" }
}

words! {
    /// What became of a file.
    FileState {
        Read = "read", Unsupported = "unsupported", Failed = "failed", Excluded = "excluded", TooLarge = "too-large",
        Skipped = "skipped",
    }
}

words! {
    /// What is known of a change to the policy.
    ComparisonResult {
        /// Nothing that decides differs.
        Unchanged = "unchanged",
        /// Head refuses whatever base refuses: proved.
        NoWeaker = "no-weaker",
        /// Something that base refuses passes in head, or what cannot be proved was not tightened.
        Weaker = "weaker",
        /// Neither was shown.
        NotProved = "not-proved",
    }
}

/// A revision as people and machines name it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevisionName {
    /// Full commit id; none for the work tree, the index and the empty tree.
    pub rev: Option<String>,
    /// `origin/main`, `work tree`, `index`, `empty tree`, or what the user typed.
    pub name: String,
}

/// One file that was considered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoveredFile {
    /// The path.
    pub path: RepoPath,
    /// What became of it.
    pub state: FileState,
    /// Why, where it was not read.
    pub reason: Option<String>,
}

/// A check that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckSkipped {
    /// The check: `advisories`, `lockfile`, `tree`, `policy`, `ledger`, or a rule id.
    pub check: String,
    /// Why, in one line.
    pub reason: String,
    /// Whether its absence makes the answer incomplete. Not part of the contract; the decision is.
    pub incomplete: bool,
}

/// Changed lines that detectors looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinesJudged {
    /// Detectors that looked.
    pub detectors: u64,
    /// Changed files that they read.
    pub files: u64,
    /// Those of them in no known language: only detectors that speak of any language looked at them.
    pub unknown_language: u64,
    /// Lines that the change adds in them; in an audit, all their lines.
    pub added: u64,
}

/// What was judged and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Files.
    pub files: Vec<CoveredFile>,
    /// Checks.
    pub checks_skipped: Vec<CheckSkipped>,
    /// Changed lines; none where no rule in use is about lines.
    pub lines: Option<LinesJudged>,
}

/// Which advisory data was used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdvisoryData {
    /// The oldest of the sources in use; none where there is no data.
    pub as_of: Option<String>,
    /// Digest of the store, `sha256:` and hex.
    pub digest: Option<String>,
    /// By ecosystem.
    pub sources: Vec<SourceAge>,
}

/// Which policy was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyData {
    /// Whose it is.
    pub from: PolicyFrom,
    /// The commit it was read from.
    pub rev: Option<String>,
    /// Digest of packs, settings and levels.
    pub digest: String,
    /// How head's policy compares with the governing one; none where the change does not touch it.
    pub comparison: Option<Comparison>,
}

/// How head's policy compares with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The outcome.
    pub result: ComparisonResult,
    /// What base refuses and head lets through.
    pub examples: Vec<Example>,
    /// What else is to be known: what was left open and why, and what stands in for a proof.
    pub notes: Vec<String>,
    /// Name and version of the solver that was asked; none where none was needed or there is none.
    pub solver: Option<String>,
}

/// Something that base refuses and head lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The rule of base as `pack/rule`; empty where no rule but a setting or the ledger is meant.
    pub rule: String,
    /// A sentence for people.
    pub what: String,
    /// The facts of the subject, by name, with those left out that do not matter.
    pub subject: Vec<(String, String)>,
    /// What base says to it.
    pub base: Option<Level>,
    /// What head says to it; none where it says nothing.
    pub head: Option<Level>,
}

/// Which ledger was used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerData {
    /// The commit it was read from.
    pub rev: Option<String>,
    /// Digest of its bytes; none where there is no ledger.
    pub digest: Option<String>,
}

/// A flag that changed what the governing revision says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Override {
    /// The flag or environment variable.
    pub flag: String,
    /// Its value.
    pub value: String,
}

/// The decision and everything it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// `check` or `audit`.
    pub command: &'static str,
    /// When it was decided; RFC 3339.
    pub evaluated_at: String,
    /// The decision.
    pub decision: Decision,
    /// Whether everything that should have been judged was.
    pub complete: bool,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Base; none for an audit.
    pub base: Option<RevisionName>,
    /// Head.
    pub head: RevisionName,
    /// A remark on how base was found, for people.
    pub base_note: Option<String>,
    /// Policy in force.
    pub policy: PolicyData,
    /// Ledger in force.
    pub ledger: LedgerData,
    /// Flags that overrode the governing revision.
    pub overrides: Vec<Override>,
    /// Advisory data in force.
    pub advisories: AdvisoryData,
    /// Projects of head, and those of base that are gone.
    pub projects: Vec<Project>,
    /// Changed packages, sorted.
    pub changes: Vec<Change>,
    /// Findings, sorted: what blocks first.
    pub findings: Vec<Finding>,
    /// What was judged and what was not.
    pub coverage: Coverage,
    /// Pull requests whose reviews were read on the forge; empty where nothing asked for them.
    pub reviews: Vec<Reviewed>,
}
