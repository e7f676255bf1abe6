//! `.portcullis/ledger.toml`: who looked at what, and who answers for what is let through.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Broken, LEDGER, digest};
use crate::model::change::Depth;
use crate::model::inventory::Scope;
use crate::model::{RepoPath, purl};
use crate::text::line_of;

/// Approvals and waivers of one revision, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Approvals.
    pub approvals: Vec<Approval>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
}

/// A person looked at these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Stable id, from the entry's content.
    pub id: String,
    /// The package and its closure; the first is the one that was named.
    pub packages: Vec<Bound>,
    /// How deep they looked.
    pub depth: Depth,
    /// The strongest scope it was given for; none: every scope.
    pub scope: Option<Scope>,
    /// The login that approves on the forge.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Option<Date>,
    /// Line of the entry.
    pub line: u32,
    /// Whether it counts by an approval on the forge, and not because it stands on the governing revision.
    pub is_new: bool,
}

/// A package version bound to its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Canonical purl.
    pub purl: String,
    /// Digest of the bytes; none for an unbound approval (a manifest without a lockfile).
    pub checksum: Option<String>,
}

/// A person answers for what is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Stable id, from the entry's content.
    pub id: String,
    /// Rule or advisory.
    pub rule: String,
    /// What it covers.
    pub subject: WaiverSubject,
    /// The project it is limited to.
    pub project: Option<RepoPath>,
    /// Who answers for it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Date,
    /// Line of the entry.
    pub line: u32,
    /// Whether it counts by an approval on the forge, and not because it stands on the governing revision.
    pub is_new: bool,
}

/// What a waiver covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverSubject {
    /// A package; the version is exact, a semver range, or any.
    Package {
        /// Canonical purl without a version; its qualifiers name the source.
        purl: String,
        /// Exact version or range.
        version: Option<String>,
    },
    /// A path, or a fingerprint.
    Text(String),
}

impl WaiverSubject {
    /// The path or fingerprint that is meant, where it is no package.
    #[must_use]
    pub fn as_path(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Package { .. } => None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    approval: Vec<Spanned<RawApproval>>,
    waiver: Vec<Spanned<RawWaiver>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBound {
    package: String,
    checksum: Option<String>,
    // Why the pair is marked; for people.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that a marked entry is valid; the mark is for its reader")]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApproval {
    package: String,
    checksum: Option<String>,
    #[serde(default)]
    closure: Vec<RawBound>,
    depth: Option<String>,
    scope: Option<String>,
    by: String,
    on: toml::value::Datetime,
    reason: String,
    expires: Option<toml::value::Datetime>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that a marked entry is valid; the mark is for its reader")]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWaiver {
    rule: String,
    subject: String,
    project: Option<String>,
    by: String,
    on: toml::value::Datetime,
    reason: String,
    expires: toml::value::Datetime,
}

impl Approval {
    /// Whether another entry says the same, wherever it stands.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        *self == Self { line: self.line, is_new: self.is_new, ..other.clone() }
    }
}

impl Waiver {
    /// Whether another entry says the same, wherever it stands.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        *self == Self { line: self.line, is_new: self.is_new, ..other.clone() }
    }
}

impl Ledger {
    /// The entries that another ledger does not have.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        let is_own = |entry: &&Approval| !other.approvals.iter().any(|known| known.says(entry));
        let approvals = self.approvals.iter().filter(is_own).cloned().collect();
        let is_own = |entry: &&Waiver| !other.waivers.iter().any(|known| known.says(entry));
        Self { approvals, waivers: self.waivers.iter().filter(is_own).cloned().collect() }
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.approvals.is_empty() && self.waivers.is_empty()
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`Broken`] with the line.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let raw: Raw = crate::text::toml(text).map_err(|e| Broken::at(LEDGER, e))?;
        let mut ledger = Self::default();
        for entry in raw.approval {
            let line = line_of(text, entry.span().start);
            let entry = approval(entry.into_inner(), line).map_err(|reason| Broken {
                file: LEDGER.to_owned(),
                line,
                reason,
            })?;
            ledger.approvals.push(entry);
        }
        for entry in raw.waiver {
            let line = line_of(text, entry.span().start);
            let entry =
                waiver(entry.into_inner(), line).map_err(|reason| Broken { file: LEDGER.to_owned(), line, reason })?;
            ledger.waivers.push(entry);
        }
        Ok(ledger)
    }
}

fn short_id(kind: &str, parts: &[&str]) -> String {
    let digest = digest(parts.join("\n").as_bytes());
    format!("{kind}-{}", digest.strip_prefix("sha256:").and_then(|hex| hex.get(..8)).unwrap_or_default())
}

fn date(value: &toml::value::Datetime) -> Result<Date, String> {
    let given = value.date.ok_or("a date is expected: 2026-11-22")?;
    Date::new(i16::try_from(given.year).unwrap_or(0), given.month as i8, given.day as i8)
        .map_err(|_| format!("`{value}` is no date"))
}

fn said(field: &str, text: String) -> Result<String, String> {
    if text.trim().is_empty() { Err(format!("`{field}` is empty")) } else { Ok(text) }
}

fn bound(package: &str, checksum: Option<String>) -> Result<Bound, String> {
    let named = purl::parse(package, crate::model::Ecosystem::Cargo)?;
    if !package.starts_with("pkg:") || named.version.is_none() {
        return Err(format!("`{}`: write a purl with a version, pkg:cargo/name@1.2.3", package.escape_debug()));
    }
    if let Some(checksum) = &checksum
        && !crate::model::checksum::is_checksum(checksum)
    {
        return Err(format!("checksum `{}`: write sha256: and 64 hex digits", checksum.escape_debug()));
    }
    Ok(Bound { purl: purl::canonical(package)?, checksum })
}

fn approval(raw: RawApproval, line: u32) -> Result<Approval, String> {
    let mut packages = vec![bound(&raw.package, raw.checksum)?];
    for each in raw.closure {
        packages.push(bound(&each.package, each.checksum)?);
    }
    let depth = match raw.depth.as_deref() {
        None | Some("noted") => Depth::Noted,
        Some("inspected") => Depth::Inspected,
        Some(other) => return Err(format!("depth `{}`: noted or inspected", other.escape_debug())),
    };
    let scope = match raw.scope {
        None => None,
        Some(word) => Some(
            Scope::from_word(&word)
                .ok_or_else(|| format!("scope `{}`: one of runtime, build, development", word.escape_debug()))?,
        ),
    };
    let (by, reason) = (said("by", raw.by)?, said("reason", raw.reason)?);
    let on = date(&raw.on)?;
    let expires = raw.expires.as_ref().map(date).transpose()?;
    let mut parts: Vec<&str> = packages.iter().flat_map(|p| [&*p.purl, p.checksum.as_deref().unwrap_or("")]).collect();
    let on_text = on.to_string();
    parts.extend([by.as_str(), on_text.as_str()]);
    let id = short_id("approval", &parts);
    Ok(Approval { id, packages, depth, scope, by, on, reason, expires, line, is_new: false })
}

fn waiver(raw: RawWaiver, line: u32) -> Result<Waiver, String> {
    let rule = said("rule", raw.rule)?;
    // A bare `pack/rule` is accepted as the rule of that pack.
    let subject = if raw.subject.starts_with("pkg:") {
        let named = purl::parse(&raw.subject, crate::model::Ecosystem::Cargo)?;
        if let Some(version) = &named.version
            && semver::Version::parse(version).is_err()
            && semver::VersionReq::parse(version).is_err()
        {
            return Err(format!("`{}` is neither a version nor a range", version.escape_debug()));
        }
        WaiverSubject::Package { purl: purl::without_version(&raw.subject)?, version: named.version }
    } else {
        WaiverSubject::Text(said("subject", raw.subject)?)
    };
    let (by, reason) = (said("by", raw.by)?, said("reason", raw.reason)?);
    let (on, expires) = (date(&raw.on)?, date(&raw.expires)?);
    let project = match raw.project {
        None => None,
        Some(text) => Some(
            RepoPath::root().join(&text).ok_or_else(|| format!("project `{}`: a path in here", text.escape_debug()))?,
        ),
    };
    let subject_text = format!("{subject:?}");
    let id = short_id("waiver", &[&rule, &subject_text, &by, &expires.to_string()]);
    Ok(Waiver { id, rule, subject, project, by, on, reason, expires, line, is_new: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The sample of PRODUCT, with digests of full length.
    const SAMPLE: &str = r#"
[[approval]]
package = "pkg:cargo/leftpad-rs@0.3.1"
checksum = "sha256:9f2c000000000000000000000000000000000000000000000000000000000000"
closure = [{ package = "pkg:cargo/pad-core@0.2.0", checksum = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }]
depth = "inspected"
by = "alice"
on = 2026-11-22
reason = "string padding for the invoice export; read all 140 lines, no I/O, no unsafe"
expires = 2027-11-22

[[waiver]]
rule = "advisory-introduced"
subject = "pkg:npm/ws@8.16.0"
project = "web"
by = "bob"
on = 2026-11-22
reason = "client side only"
expires = 2026-12-15
"#;

    #[test]
    fn the_documented_sample_reads() {
        let ledger = Ledger::parse(SAMPLE).unwrap();
        let approval = ledger.approvals.first().unwrap();
        assert_eq!((approval.packages.len(), approval.depth, approval.line), (2, Depth::Inspected, 2));
        let waiver = ledger.waivers.first().unwrap();
        assert_eq!(waiver.expires.to_string(), "2026-12-15");
        assert_eq!(waiver.line, 12);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (from, to, part) in [
            ("by = \"alice\"", "by = \" \"", "`by` is empty"),
            ("depth = \"inspected\"", "depth = \"glanced\"", "noted or inspected"),
            ("sha256:9f2c", "sha256:9F2C", "64 hex"),
            ("leftpad-rs@0.3.1", "leftpad-rs", "purl with a version"),
            ("[[waiver]]", "[[wavier]]", "unknown field"),
            ("expires = 2026-12-15", "", "missing field"),
            ("ws@8.16.0", "ws@%20nothing", "neither a version nor a range"),
        ] {
            let error = Ledger::parse(&SAMPLE.replace(from, to)).unwrap_err();
            assert!(error.reason.contains(part) && error.line > 0, "{to}: {error}");
        }
    }
}
