//! The one builder of findings: what a rule stated about a subject, with identity, place and controls.

use crate::gate::digest;
use crate::model::RepoPath;
use crate::model::advisory::Matched;
use crate::model::change::Change;
use crate::model::finding::{Finding, Location, Origin, SubjectKind, SubjectRef};
use crate::policy::engine::Statement;

/// What a statement is about.
#[derive(Debug, Clone)]
pub struct About {
    /// The kind of subject.
    pub kind: SubjectKind,
    /// The package, where it is about one.
    pub purl: Option<String>,
    /// The file, and line where one applies. A finding without a place would be one that nobody can act on.
    pub place: Location,
    /// The project.
    pub project: Option<RepoPath>,
    /// Id of the change.
    pub change: Option<String>,
    /// The advisory.
    pub advisory: Option<Matched>,
    /// Whether the change brought it in.
    pub origin: Option<Origin>,
    /// What tells two findings of one rule about one subject apart; empty where nothing must.
    pub detail: String,
}

impl About {
    /// About a package that differs.
    #[must_use]
    pub fn change(change: &Change) -> Self {
        let side = change.side();
        let file = side.map_or_else(|| change.project.clone(), |side| side.file.clone());
        let line = side.map_or(0, |side| side.line);
        Self {
            kind: SubjectKind::Package,
            purl: Some(change.purl.clone()),
            place: Location { file, line, end_line: line },
            project: Some(change.project.clone()),
            change: Some(change.id.clone()),
            advisory: None,
            origin: None,
            // Other bytes under the same name are another matter.
            detail: side.and_then(|side| side.checksum.clone()).unwrap_or_default(),
        }
    }

    /// About a file.
    #[must_use]
    pub fn file(kind: SubjectKind, path: &RepoPath, line: u32) -> Self {
        Self {
            kind,
            purl: None,
            place: Location { file: path.clone(), line, end_line: line },
            project: None,
            change: None,
            advisory: None,
            origin: None,
            detail: String::new(),
        }
    }
}

/// The fingerprint of what a finding is about: 16 hexadecimal digits.
#[must_use]
pub fn fingerprint(identity: &str) -> String {
    digest(identity.as_bytes()).strip_prefix("sha256:").and_then(|hex| hex.get(..16)).unwrap_or_default().to_owned()
}

/// Makes the finding. Whether it blocks is not known here: [`crate::verdict::decide`] says.
#[must_use]
pub fn build(statement: Statement, about: About) -> Finding {
    let subject = SubjectRef { kind: about.kind, purl: about.purl };
    let identity = [
        statement.rule.pack.as_str(),
        statement.rule.rule.as_str(),
        about.project.as_ref().map_or("", |p| p.as_str()),
        subject.purl.as_deref().unwrap_or_default(),
        about.place.file.as_str(),
        about.advisory.as_ref().map_or("", |a| a.id.as_str()),
        about.detail.as_str(),
    ]
    .join("\0");
    let fingerprint = fingerprint(&identity);
    let rule = statement.rule.rule;
    Finding {
        fingerprint: fingerprint.clone(),
        rule: rule.clone(),
        pack: statement.rule.pack,
        level: statement.rule.level,
        default_level: statement.rule.default_level,
        blocks: false,
        origin: about.origin,
        change: about.change,
        project: about.project,
        subject,
        location: Some(about.place),
        // Commands that a rule's text suggests name the rule itself.
        remediation: statement
            .remediation
            .replace("waive RULE", &format!("waive {rule}"))
            .replace("FINGERPRINT", &fingerprint),
        message: statement.message,
        controls: statement.rule.controls,
        advisory: about.advisory,
        waived_by: None,
        cleared_by: None,
    }
}
