//! What is known against a package.

use super::Ecosystem;

words! {
    /// What an advisory says. Declared from the mildest to the worst.
    AdvisoryKind {
        Notice = "notice", Unmaintained = "unmaintained", Unsound = "unsound", Vulnerability = "vulnerability",
        Malware = "malware",
    }
}

/// A span of versions in the order of the ecosystem, as texts: from `introduced` (inclusive; `None`: from the first)
/// to `until` (`None`: without end).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// First affected version.
    pub introduced: Option<String>,
    /// Where it ends.
    pub until: Option<Bound>,
}

/// Where a range ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// The first version that is no longer affected (OSV `fixed`).
    Fixed(String),
    /// The last version that is affected (OSV `last_affected`).
    LastAffected(String),
}

/// What one advisory says of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affected {
    /// The ecosystem, under OSV's name without its suffix; every ecosystem of OSV is stored.
    pub ecosystem: String,
    /// The package's name as OSV writes it, normalised by the ecosystem's rules.
    pub name: String,
    /// Affected spans. United with `versions`.
    pub ranges: Vec<Range>,
    /// Versions named one by one.
    pub versions: Vec<String>,
    /// Versions that end a range or that the advisory calls patched, for people.
    pub fixed: Vec<String>,
    /// Affected functions, as paths, where the advisory names some.
    pub functions: Vec<String>,
}

/// One advisory: facts only, no prose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its id in its own database.
    pub id: String,
    /// Other names of the same thing.
    pub aliases: Vec<String>,
    /// When it was last changed; RFC 3339 in UTC.
    pub modified: String,
    /// When it was published; RFC 3339 in UTC, or a date.
    pub published: Option<String>,
    /// Whether it was withdrawn. Such a record matches nothing and keeps older data from bringing it back.
    pub withdrawn: bool,
    /// What it says.
    pub kind: AdvisoryKind,
    /// Categories of the RustSec database, sorted.
    pub categories: Vec<String>,
    /// CVSS vector, the newest version of CVSS where there are several.
    pub vector: Option<String>,
    /// Packages it is about.
    pub affected: Vec<Affected>,
}

/// One advisory that speaks of one judged package.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The id shown: of the alias group's records that match, the one of the best-known database.
    pub id: String,
    /// Every other name of the group, sorted.
    pub aliases: Vec<String>,
    /// What it says; the worst of the group.
    pub kind: AdvisoryKind,
    /// CVSS base score from 0.0 to 10.0, where a vector is known.
    pub severity: Option<f64>,
    /// The vector the score was computed from.
    pub vector: Option<String>,
    /// When it was published.
    pub published: Option<String>,
    /// Versions that are no longer affected, in the ecosystem's order.
    pub fixed: Vec<String>,
    /// Affected functions.
    pub functions: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
}

impl Matched {
    /// Every id of the group.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Whether two matches speak of the same thing.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.ids().any(|id| other.ids().any(|o| o == id))
    }

    /// A page about the advisory, built from its id.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let id = &self.id;
        if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        Some(match id.split_once('-').map_or("", |(database, _)| database) {
            "RUSTSEC" => format!("https://rustsec.org/advisories/{id}.html"),
            "GHSA" => format!("https://github.com/advisories/{id}"),
            _ => format!("https://osv.dev/vulnerability/{id}"),
        })
    }
}

/// An advisory that could not be fully understood, and the package it would be about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The id, or the file's name where the id could not be read.
    pub id: String,
    /// Why.
    pub reason: String,
    /// `(OSV ecosystem, name)` where these could be read.
    pub package: Option<(String, String)>,
}

/// How old the data of one ecosystem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAge {
    /// The ecosystem, as the contract writes it where it is one of ours, else as OSV does.
    pub ecosystem: String,
    /// When the data was current; RFC 3339.
    pub as_of: String,
    /// How many records it holds.
    pub records: u64,
    /// Whether the data is the one built into the program.
    pub built_in: bool,
}

/// The advisory ecosystem's name for data: without the suffix that OSV allows after a colon.
#[must_use]
pub fn bare_ecosystem(osv: &str) -> &str {
    osv.split_once(':').map_or(osv, |(bare, _)| bare)
}

/// The contract's ecosystem for OSV's name, where it has one.
#[must_use]
pub fn ecosystem_of(osv: &str) -> Option<Ecosystem> {
    Ecosystem::ALL.iter().copied().find(|e| e.osv() == Some(bare_ecosystem(osv)))
}
