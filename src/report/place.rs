//! Where a finding is shown by services that show nothing without a file and a line, and how loudly.

use std::collections::BTreeMap;

use crate::model::RepoPath;
use crate::model::change::Change;
use crate::model::finding::{Finding, Level};
use crate::model::verdict::Verdict;

/// The file that a finding without any place of its own is shown at: what nobody else claims is the ledger's business,
/// for that is where it would be answered.
const LEDGER: &str = ".portcullis/ledger.toml";

/// The three loudnesses that SARIF, workflow commands and check runs all have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loudness {
    /// It is refused.
    Error,
    /// A person has to look, or should.
    Warning,
    /// For information, or no longer in the way.
    Note,
}

impl Loudness {
    /// Of a finding: deny is an error; review and warn are warnings, for a person may still say yes; all that is waived
    /// or stood on base before, and every note, is a note.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        match (finding.blocks, finding.level) {
            (_, Level::Note) => Self::Note,
            (true, Level::Deny) => Self::Error,
            (true, _) | (false, Level::Warn) if !finding.is_answered() => Self::Warning,
            _ => Self::Note,
        }
    }
}

/// A place that a service can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file; never the root, and no part of it is `.` or `..`.
    pub file: RepoPath,
    /// First line, from 1.
    pub line: u32,
    /// Last line, not before the first.
    pub end_line: u32,
    /// Whether the finding, or the change it is about, stands here. Otherwise it is the nearest file that has to do with
    /// it.
    pub is_its_own: bool,
}

/// Finds places for the findings of one verdict.
pub struct Places<'a> {
    changes: BTreeMap<&'a str, &'a Change>,
    /// The lockfile or else the manifest of the projects that have one, by folder; of several the first.
    projects: BTreeMap<&'a RepoPath, Place>,
    /// That of the first project.
    first: Option<Place>,
}

impl<'a> Places<'a> {
    /// For a verdict.
    #[must_use]
    pub fn new(verdict: &'a Verdict) -> Self {
        let mut found = Self {
            changes: verdict.changes.iter().map(|change| (change.id.as_str(), change)).collect(),
            projects: BTreeMap::new(),
            first: None,
        };
        for project in &verdict.projects {
            let file = project.lockfile.as_ref().or(project.manifest.as_ref());
            if let Some(place) = file.and_then(|file| place(file, 0, 0, false)) {
                found.first.get_or_insert_with(|| place.clone());
                found.projects.entry(&project.path).or_insert(place);
            }
        }
        found
    }

    /// The finding's own place; else the manifest line or the lockfile line of its change; else the lockfile or the
    /// manifest of its project; else the first project's; else the ledger.
    #[must_use]
    pub fn of(&self, finding: &Finding) -> Place {
        let own = finding.location.as_ref().and_then(|at| place(&at.file, at.line, at.end_line, true));
        own.or_else(|| self.of_change(finding)).or_else(|| self.of_project(finding)).unwrap_or_else(|| Place {
            file: RepoPath::new(LEDGER),
            line: 1,
            end_line: 1,
            is_its_own: false,
        })
    }

    fn of_change(&self, finding: &Finding) -> Option<Place> {
        let change = self.changes.get(finding.change.as_deref()?)?;
        let declared = change.declared.as_ref().and_then(|(file, line)| place(file, *line, *line, true));
        declared.or_else(|| change.side().and_then(|side| place(&side.file, side.line, side.line, true)))
    }

    fn of_project(&self, finding: &Finding) -> Option<Place> {
        let own = finding.project.as_ref().and_then(|project| self.projects.get(project));
        own.or(self.first.as_ref()).cloned()
    }
}

/// A place in a file, unless the path is none that a service could open: git keeps no such name, but a tree can be
/// written by hand.
fn place(file: &RepoPath, line: u32, end_line: u32, is_its_own: bool) -> Option<Place> {
    let is_clean = !file.is_root() && !file.as_str().starts_with('/') && !file.parts().any(|p| p == "." || p == "..");
    let line = line.max(1);
    is_clean.then(|| Place { file: file.clone(), line, end_line: end_line.max(line), is_its_own })
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::model::finding::Location;

    #[test]
    fn a_finding_is_shown_at_the_nearest_file() {
        let verdict = samples::deny();
        let places = Places::new(&verdict);
        let shown = |finding: &Finding| {
            let place = places.of(finding);
            format!("{}:{}-{} {}", place.file, place.line, place.end_line, place.is_its_own)
        };
        let mut finding = samples::finding("x", Level::Deny, Some(&verdict.changes[0]));
        assert_eq!(shown(&finding), "services/api/Cargo.toml:31-31 true", "the line that names it");
        let at =
            |file: &str, line, end_line| Some(Location { file: RepoPath::from_git(file.as_bytes()), line, end_line });
        finding.location = at("a/b.rs", 7, 9);
        assert_eq!(shown(&finding), "a/b.rs:7-9 true");
        finding.location = at("a/b.rs", 0, 0);
        assert_eq!(shown(&finding), "a/b.rs:1-1 true", "the file as a whole");
        (finding.location, finding.change) = (at("../../etc/passwd", 1, 1), None);
        assert_eq!(shown(&finding), "services/api/Cargo.lock:1-1 false", "its project");
        (finding.location, finding.project) = (at("//host/x", 1, 1), None);
        assert_eq!(shown(&finding), "web/package-lock.json:1-1 false", "the first project");
        let empty = Verdict { projects: Vec::new(), ..samples::clean() };
        assert_eq!(Places::new(&empty).of(&finding).file.as_str(), LEDGER);
    }

    #[test]
    fn what_does_not_block_is_no_error() {
        let mut finding = samples::finding("x", Level::Deny, None);
        assert_eq!(Loudness::of(&finding), Loudness::Error);
        finding.blocks = false;
        assert_eq!(Loudness::of(&finding), Loudness::Note);
        assert_eq!(Loudness::of(&samples::finding("x", Level::Review, None)), Loudness::Warning);
        assert_eq!(Loudness::of(&samples::finding("x", Level::Warn, None)), Loudness::Warning);
        assert_eq!(Loudness::of(&samples::finding("x", Level::Note, None)), Loudness::Note);
    }
}
