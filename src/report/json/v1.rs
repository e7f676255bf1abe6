//! The types of `portcullis/verdict/v1`. They are the published contract and owe nothing to the model's shapes:
//! version 1 grows only by optional fields, and its enums are closed.
//!
//! A field that may be `null` is always written, except for those that came after the first release, which are left
//! out where they say nothing.

use serde::{Deserialize, Serialize};

use crate::model;

/// A closed set of words that mirrors one of the model's. The conversion is exhaustive, so that a word added to the
/// model does not reach the contract unnoticed; a test compares the spelling.
macro_rules! mirror {
    ($(#[$meta:meta])* $name:ident = $model:ty { $($variant:ident = $text:literal),+ $(,)? }
     $(and { $($extra:ident = $extra_text:literal),+ })?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $name {
            $(#[serde(rename = $text)] $variant,)+
            $($(#[serde(rename = $extra_text)] $extra,)+)?
        }

        impl From<$model> for $name {
            fn from(word: $model) -> Self {
                type Word = $model;
                match word { $(Word::$variant => Self::$variant),+ }
            }
        }
    };
}

/// A plain struct of the contract.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$fmeta])* pub $field: $type),+ }
    };
}

/// The contract's name and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum SchemaName {
    #[serde(rename = "portcullis/verdict/v1")]
    V1,
}

mirror! {
    /// The decision. When several hold, deny beats incomplete beats review beats allow.
    Decision = model::verdict::Decision {
        Allow = "allow", Review = "review", Incomplete = "incomplete", Deny = "deny",
    }
}
mirror! {
    /// Whose policy decided.
    PolicyFrom = model::verdict::PolicyFrom {
        Governing = "governing", Base = "base", Head = "head", BuiltIn = "built-in",
    }
}
mirror! {
    /// What became of a file.
    FileState = model::verdict::FileState {
        Read = "read", Unsupported = "unsupported", Failed = "failed", Excluded = "excluded", TooLarge = "too-large",
        Skipped = "skipped",
    }
}
mirror! {
    /// One package universe.
    Ecosystem = model::Ecosystem {
        Cargo = "cargo", Npm = "npm", PyPi = "pypi", Go = "go", GitHubActions = "github-actions", Maven = "maven",
        RubyGems = "rubygems", Packagist = "packagist", NuGet = "nuget", Pub = "pub", Hex = "hex", Swift = "swift",
        Conan = "conan", CocoaPods = "cocoapods", Docker = "docker", Terraform = "terraform", PreCommit = "pre-commit",
    }
}
mirror! {
    /// What happened to a package.
    ChangeKind = model::change::ChangeKind {
        Added = "added", Removed = "removed", Upgraded = "upgraded", Downgraded = "downgraded", Replaced = "replaced",
        Rescoped = "rescoped",
    }
}
mirror! {
    /// When a dependency runs.
    Scope = model::inventory::Scope { Development = "development", Build = "build", Runtime = "runtime" }
    and { Unknown = "unknown" }
}
mirror! {
    /// How deep a review must be.
    Depth = model::change::Depth { None = "none", Noted = "noted", Inspected = "inspected", TwoPerson = "two-person" }
}
mirror! {
    /// How strongly a rule speaks.
    Level = model::finding::Level { Note = "note", Warn = "warn", Review = "review", Deny = "deny" }
}
mirror! {
    /// Whether the change brought a match in.
    Origin = model::finding::Origin {
        Introduced = "introduced", Inherited = "inherited", Disclosed = "disclosed", Resolved = "resolved",
    }
}
mirror! {
    /// What a finding is about.
    SubjectKind = model::finding::SubjectKind {
        Package = "package", Line = "line", Workflow = "workflow", Gate = "gate", Release = "release", File = "file",
    }
}
mirror! {
    /// What an advisory says.
    AdvisoryKind = model::advisory::AdvisoryKind {
        Notice = "notice", Unmaintained = "unmaintained", Unsound = "unsound", Vulnerability = "vulnerability",
        Malware = "malware",
    }
}

/// Whether a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FactState {
    Found,
    Absent,
    Unavailable,
}

mirror! {
    /// How head's policy compares with the governing one.
    ComparisonResult = model::verdict::ComparisonResult {
        Unchanged = "unchanged", NoWeaker = "no-weaker", Weaker = "weaker", NotProved = "not-proved",
    }
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum FactValue {
    Flag(bool),
    Number(i64),
    Text(String),
}

shape! {
    /// The decision and everything it rests on.
    Verdict {
        /// Name and version of this contract.
        schema: SchemaName,
        /// What wrote it.
        tool: Tool,
        /// `check`, `audit` or `admit`.
        command: String,
        /// When it was decided; RFC 3339.
        evaluated_at: String,
        /// The decision.
        decision: Decision,
        /// Whether everything that should have been judged was.
        complete: bool,
        /// Whether lists were cut short.
        truncated: bool,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// The environment that `admit` was asked about.
        environment: Option<String>,
        /// Base; null for an audit.
        base: Option<Revision>,
        /// Head.
        head: Revision,
        /// Policy in force.
        policy: Policy,
        /// Ledger in force.
        ledger: Ledger,
        /// Flags that overrode the governing revision.
        overrides: Vec<Override>,
        /// Advisory data in force.
        advisories: Advisories,
        /// Projects of head, and those of base that are gone.
        projects: Vec<Project>,
        /// Packages that differ between base and head.
        changes: Vec<Change>,
        /// What the rules say; what blocks comes first.
        findings: Vec<Finding>,
        /// What was judged and what was not.
        coverage: Coverage,
        /// Pull requests whose reviews were read on the forge; left out where nothing asked for them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reviews: Vec<Reviewed>,
    }
}
shape! {
    /// The program that decided.
    Tool {
        /// Its version.
        version: String,
    }
}
shape! {
    /// A revision.
    Revision {
        /// Full commit id; null for the work tree, the index and the empty tree.
        rev: Option<String>,
        /// Its name, as people write it.
        name: String,
    }
}
shape! {
    /// Which policy decided.
    Policy {
        /// Whose it is.
        from: PolicyFrom,
        /// The commit it was read from.
        rev: Option<String>,
        /// Digest of packs, settings and levels.
        digest: String,
        /// How head's policy compares with it; null where that was not asked.
        comparison: Option<Comparison>,
    }
}
shape! {
    /// What a change to the policy lets through.
    Comparison {
        /// The outcome.
        result: ComparisonResult,
        /// Examples of what the old policy refuses and the new one permits.
        examples: Vec<Example>,
        /// What else is to be known: what was left open and why, and what stands in for a proof.
        notes: Vec<String>,
        /// Name and version of the solver that was asked; null where none was.
        solver: Option<String>,
    }
}
shape! {
    /// Something that the old policy refuses and the new one permits.
    Example {
        /// The rule of the old policy as `pack/rule`; null where a setting or the ledger is meant.
        rule: Option<String>,
        /// A sentence for people.
        message: String,
        /// The facts of the subject that matter, by name.
        subject: std::collections::BTreeMap<String, String>,
        /// What the old policy says to it; null where no rule is meant.
        base: Option<Level>,
        /// What the new policy says to it; null where it says nothing.
        head: Option<Level>,
    }
}
shape! {
    /// Which ledger was used.
    Ledger {
        /// The commit it was read from.
        rev: Option<String>,
        /// Digest of its bytes; null where there is no ledger.
        digest: Option<String>,
    }
}
shape! {
    /// A flag that changed what the governing revision says.
    Override {
        /// The flag or environment variable.
        flag: String,
        /// Its value.
        value: String,
    }
}
shape! {
    /// Which advisory data was used.
    Advisories {
        /// Age of the oldest source in use; null where there is no data.
        as_of: Option<String>,
        /// Digest of the store.
        digest: Option<String>,
        /// By ecosystem.
        sources: Vec<AdvisorySource>,
    }
}
shape! {
    /// The data of one ecosystem.
    AdvisorySource {
        /// The ecosystem; one that this contract does not name is written as OSV does.
        ecosystem: String,
        /// When the data was current; RFC 3339.
        as_of: String,
        /// How many records it holds.
        records: u64,
    }
}
shape! {
    /// A directory with a manifest.
    Project {
        /// The directory, relative to the repository; `.` for the repository itself.
        path: String,
        /// The ecosystem of its manifest.
        ecosystem: Ecosystem,
        /// The manifest, relative to the project.
        manifest: Option<String>,
        /// The lockfile, relative to the project.
        lockfile: Option<String>,
    }
}
shape! {
    /// One package that differs between base and head in one project.
    Change {
        /// Stable id; no line numbers in it.
        id: String,
        /// What happened.
        kind: ChangeKind,
        /// No version of that name stood in the base project.
        new_library: bool,
        /// No version of that name stood in any project of base.
        new_to_repository: bool,
        /// The package's ecosystem.
        ecosystem: Ecosystem,
        /// Its real name, as OSV writes it.
        name: String,
        /// The name the manifest uses, where that is another.
        alias: Option<String>,
        /// Package URL of head's side, or of base's for what was removed.
        purl: String,
        /// Whether a manifest names it.
        direct: bool,
        /// The strongest scope.
        scope: Scope,
        /// The project's directory.
        project: String,
        /// The lockfile, relative to the project.
        lockfile: Option<String>,
        /// Base's side.
        before: Option<Side>,
        /// Head's side.
        after: Option<Side>,
        /// Path from a member of the project to the package.
        via: Vec<String>,
        /// Evidence.
        facts: Vec<Fact>,
        /// Review required and given.
        review: Review,
    }
}
shape! {
    /// A package on one side of a change.
    Side {
        /// Locked version, or requirement where there is no lockfile.
        version: String,
        /// Where its bytes come from.
        source: String,
        /// Digest of its bytes.
        checksum: Option<String>,
        /// Scopes that reach it, strongest first.
        scopes: Vec<Scope>,
        /// SPDX expression.
        license: Option<String>,
        /// File that locks it, relative to the project.
        file: String,
        /// Line there; null where none applies.
        line: Option<u32>,
    }
}
shape! {
    /// A fact with its source and time.
    Fact {
        /// The fact's name.
        name: String,
        /// Whether it is known.
        state: FactState,
        /// Its value; null unless found.
        value: Option<FactValue>,
        /// Where it comes from; null where unavailable.
        source: Option<String>,
        /// When the source said so; RFC 3339. Null for the judged revision's own files.
        as_of: Option<String>,
        /// Why it is unavailable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
}
shape! {
    /// Review required and given.
    Review {
        /// Depth required.
        required: Depth,
        /// Id of the ledger entry that covers the change.
        cleared_by: Option<String>,
        /// Whose entry that is; left out where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cleared_by_login: Option<String>,
    }
}
shape! {
    /// One rule's statement about one subject.
    Finding {
        /// Stable id; no line numbers in it.
        fingerprint: String,
        /// The rule.
        rule: String,
        /// The pack that holds the rule.
        pack: String,
        /// Level in force.
        level: Level,
        /// Level the pack gives.
        default_level: Level,
        /// Whether it stands in the way of the change.
        blocks: bool,
        /// For advisories: whether the change brought it in.
        origin: Option<Origin>,
        /// Id of the change it is about.
        change: Option<String>,
        /// The project's directory.
        project: Option<String>,
        /// What it is about.
        subject: Subject,
        /// The file, relative to the repository.
        file: Option<String>,
        /// First line; null where the file as a whole is meant.
        line: Option<u32>,
        /// Last line.
        end_line: Option<u32>,
        /// What is the matter.
        message: String,
        /// How to mend or clear it.
        remediation: String,
        /// Clauses of frameworks that this is evidence for.
        controls: Vec<String>,
        /// The advisory it is about.
        advisory: Option<Advisory>,
        /// The waiver in force.
        waived_by: Option<Waiver>,
        /// The approval on the forge that clears it; left out where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cleared_by: Option<Cleared>,
    }
}
shape! {
    /// An approval on the forge that clears a finding.
    Cleared {
        /// Who approved.
        login: String,
        /// Id of the review.
        review: u64,
        /// Number of the pull request.
        pull: u64,
    }
}
shape! {
    /// A pull request of the judged change, and whose approval of it counts.
    Reviewed {
        /// Its number.
        pull: u64,
        /// The commit it ends with.
        head: String,
        /// Whose approval counts.
        approvals: Vec<Approver>,
        /// Why somebody does not count, or which permission is lacking; one line each.
        remarks: Vec<String>,
    }
}
shape! {
    /// Somebody whose approval counts.
    Approver {
        /// The login.
        login: String,
        /// Id of the review.
        review: u64,
    }
}
shape! {
    /// What a finding is about.
    Subject {
        /// The kind.
        kind: SubjectKind,
        /// The package, where it is about one.
        purl: Option<String>,
    }
}
shape! {
    /// An advisory that speaks of a package.
    Advisory {
        /// Its id.
        id: String,
        /// Other names of the same thing.
        aliases: Vec<String>,
        /// What it says.
        kind: AdvisoryKind,
        /// CVSS base score from 0.0 to 10.0.
        severity: Option<f64>,
        /// The CVSS vector.
        vector: Option<String>,
        /// When it was published.
        published: Option<String>,
        /// Versions that are no longer affected, in the ecosystem's order.
        fixed: Vec<String>,
        /// A page about it.
        url: Option<String>,
    }
}
shape! {
    /// The ledger entry that waives a finding.
    Waiver {
        /// Id of the entry.
        id: String,
        /// Who answers for it.
        owner: String,
        /// When it ends; a date.
        expires: String,
    }
}
shape! {
    /// What was judged and what was not.
    Coverage {
        /// Files that were considered.
        files: Vec<CoveredFile>,
        /// Checks that could not be made.
        checks_skipped: Vec<CheckSkipped>,
        /// Changed lines that detectors looked at; left out where no rule in use is about lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<LinesJudged>,
    }
}
shape! {
    /// Changed lines that detectors looked at.
    LinesJudged {
        /// Detectors that looked.
        detectors: u64,
        /// Changed files that they read.
        files: u64,
        /// Those of them in no known language: only detectors that speak of any language looked at them.
        unknown_language: u64,
        /// Lines that the change adds in them; in an audit, all their lines.
        added: u64,
    }
}
shape! {
    /// One file that was considered.
    CoveredFile {
        /// The file, relative to the repository.
        path: String,
        /// What became of it.
        state: FileState,
        /// Why, where it was not read.
        reason: Option<String>,
    }
}
shape! {
    /// A check that could not be made.
    CheckSkipped {
        /// The check.
        check: String,
        /// Why.
        reason: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_spells_its_words_as_the_model_does() {
        fn same<M: Copy + std::fmt::Display, W: From<M> + Serialize>(words: &[M]) {
            for word in words {
                assert_eq!(serde_json::to_value(W::from(*word)).unwrap(), word.to_string());
            }
        }
        same::<_, Decision>(model::verdict::Decision::ALL);
        same::<_, PolicyFrom>(model::verdict::PolicyFrom::ALL);
        same::<_, FileState>(model::verdict::FileState::ALL);
        same::<_, Ecosystem>(model::Ecosystem::ALL);
        same::<_, ChangeKind>(model::change::ChangeKind::ALL);
        same::<_, Scope>(model::inventory::Scope::ALL);
        same::<_, Depth>(model::change::Depth::ALL);
        same::<_, Level>(model::finding::Level::ALL);
        same::<_, Origin>(model::finding::Origin::ALL);
        same::<_, SubjectKind>(model::finding::SubjectKind::ALL);
        same::<_, AdvisoryKind>(model::advisory::AdvisoryKind::ALL);
    }
}
