//! Which ledger entry covers which change: a pure function of ledger, changes and date.
//!
//! An approval covers a package version by its bytes, whatever the history. Where nothing binds the bytes (a manifest
//! without a lockfile, a path), an approval without a checksum covers the purl, and is called unbound.

use jiff::civil::Date;

use super::ledger::{Approval, Bound, Ledger, Waiver, WaiverSubject};
use crate::model::advisory::AdvisoryKind;
use crate::model::change::{Change, Depth};
use crate::model::finding::Finding;
use crate::model::{Ecosystem, purl};

/// Whether an entry that ends on `expires` counts on `today`: the last day still counts.
#[must_use]
pub fn is_in_force(expires: Option<Date>, today: Date) -> bool {
    expires.is_none_or(|last| today <= last)
}

/// Whether a bound entry speaks of these bytes.
#[must_use]
pub fn binds(bound: &Bound, purl: &str, checksum: Option<&str>) -> bool {
    bound.purl == purl && bound.checksum.as_deref() == checksum
}

/// The approval in force that covers a change deeply enough.
#[must_use]
pub fn approval<'l>(ledger: &'l Ledger, change: &Change, today: Date) -> Option<&'l Approval> {
    let after = change.after.as_ref()?;
    ledger.approvals.iter().find(|entry| {
        is_in_force(entry.expires, today)
            && entry.scope.is_none_or(|scope| change.scope <= scope)
            && entry.depth >= change.review.required.min(Depth::Inspected)
            && change.review.required < Depth::TwoPerson
            && entry.packages.iter().any(|bound| binds(bound, &change.purl, after.checksum.as_deref()))
    })
}

/// Whether a waiver is written for a finding, in force or not. Malware and tampering are waived by an entry on the
/// governing revision alone: one that an approval on the forge lets count waives neither.
#[must_use]
pub fn waives(waiver: &Waiver, finding: &Finding) -> bool {
    // Only an approval on the forge clears a change to the gate itself: a waiver would waive all that comes after it.
    if finding.rule == "gate-changed" {
        return false;
    }
    let is_malware = finding.advisory.as_ref().is_some_and(|advisory| advisory.kind == AdvisoryKind::Malware);
    let is_tampering = matches!(finding.rule.as_str(), "checksum-changed" | "vendored-bytes");
    if waiver.is_new && (finding.rule == "malware" || is_malware || is_tampering) {
        return false;
    }
    // Other bytes under an old name are waived one by one: the fingerprint holds what they are.
    if is_tampering && waiver.subject != WaiverSubject::Text(finding.fingerprint.clone()) {
        return false;
    }
    let by_rule = waiver.rule == finding.rule
        || waiver.rule.split_once('/').is_some_and(|(pack, rule)| pack == finding.pack && rule == finding.rule)
        || finding.advisory.as_ref().is_some_and(|advisory| advisory.ids().any(|id| id == waiver.rule));
    let by_project = waiver.project.as_ref().is_none_or(|project| finding.project.as_ref() == Some(project));
    by_rule && by_project && by_subject(&waiver.subject, finding)
}

fn by_subject(subject: &WaiverSubject, finding: &Finding) -> bool {
    match subject {
        WaiverSubject::Text(text) => {
            *text == finding.fingerprint
                || (finding.subject.purl.is_none()
                    && finding.location.as_ref().is_some_and(|place| place.file.as_str() == text))
        }
        WaiverSubject::Package { purl: wanted, version } => {
            let Some(full) = &finding.subject.purl else { return false };
            let Ok(named) = purl::parse(full, Ecosystem::Cargo) else { return false };
            // Qualifiers name the source: a waiver for one source says nothing of another.
            if purl::without_version(full).as_ref() != Ok(wanted) {
                return false;
            }
            match (version, &named.version) {
                (None, _) => true,
                (Some(wanted), Some(actual)) => {
                    wanted == actual
                        || (semver::Version::parse(wanted).is_err()
                            && semver::VersionReq::parse(wanted).is_ok_and(|range| {
                                semver::Version::parse(actual).is_ok_and(|version| range.matches(&version))
                            }))
                }
                (Some(_), None) => false,
            }
        }
    }
}
