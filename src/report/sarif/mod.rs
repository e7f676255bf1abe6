//! SARIF 2.1.0, as code scanning services read it. `log` holds the types; here the verdict is turned into them.
//!
//! - **Rules** are the rules that spoke, as `pack/rule`, and for an advisory `pack/rule/ID`: a service keeps a severity
//!   for each rule, so an advisory has to be one. The verdict knows what a rule said, not how its pack describes it;
//!   so the texts are its name, its controls, and how to read on.
//! - **Levels**: see [`Loudness`]. What is waived is a note with a suppression, for services that know no suppressions.
//! - **Places** are relative to the repository's root, percent-encoded. Code scanning shows nothing without a place: a
//!   finding that has none is shown at the nearest file ([`Places`]), and its message says so.
//! - **Fingerprints** go under our own name. GitHub's (`primaryLocationLineHash`) is a hash of source lines that its
//!   upload action computes, and it warns about any other value in its place.
//! - **Resolved** advisories are left out: they are no result in head, and services would open an alert for them.
//! - **Provenance**: the standard wants a repository's address where it wants a commit, and nobody told us one; base
//!   and head are properties of the run. No time of the run is in a field that is only for well-formed ones.
//! - **Limits**: GitHub takes 25,000 results and shows 5,000. What blocks comes first; a cut is a notification.
//!
//! Texts that people read are made visible as on a terminal, and hold no links; names meant for machines stay true.

mod log;

use std::collections::BTreeMap;

use super::place::{Loudness, Places};
use super::words::{self, NAME, TEXT};
use super::{Look, escape};
use crate::model::RepoPath;
use crate::model::finding::{Finding, Origin};
use crate::model::verdict::{RevisionName, Verdict};
use log::{Level, Text};

/// Results that GitHub takes of one run.
const RESULTS: usize = 25_000;
/// Tags that GitHub takes of one rule; the description names every control.
const TAGS: usize = 20;

/// The base of every place. The name is a custom of the standard's readers; nobody has to resolve it.
const ROOT: &str = "%SRCROOT%";

/// The verdict as indented SARIF with a newline at its end.
#[must_use]
pub fn render(verdict: &Verdict, _look: &Look) -> String {
    // As in the JSON report: the types leave serde_json nothing to fail at.
    let mut text = escape::json(&serde_json::to_string_pretty(&of(verdict)).unwrap_or_default());
    text.push('\n');
    text
}

fn of(verdict: &Verdict) -> log::Log {
    let mut findings: Vec<&Finding> =
        verdict.findings.iter().filter(|finding| finding.origin != Some(Origin::Resolved)).collect();
    findings.sort_by_key(|finding| (!finding.blocks, Loudness::of(finding)));
    let cut = findings.len().saturating_sub(RESULTS);
    findings.truncate(RESULTS);
    let (rules, index) = rules(&findings);
    let places = Places::new(verdict);
    let results = findings.iter().map(|finding| outcome(finding, &index, &places)).collect();
    log::Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [log::Run {
            tool: log::Tool {
                driver: log::Driver { name: "portcullis", semantic_version: env!("CARGO_PKG_VERSION"), rules },
            },
            // The same for a check and an audit: a service compares a pull request with the branch it goes to.
            automation_details: log::AutomationDetails { id: "portcullis/" },
            invocations: [invocation(verdict, cut)],
            original_uri_base_ids: log::BaseIds {
                root: log::BaseId { description: Text { text: "The root of the repository.".to_owned() } },
            },
            column_kind: "unicodeCodePoints",
            results,
            properties: log::RunProperties {
                command: verdict.command,
                decision: verdict.decision.as_str(),
                complete: verdict.complete,
                evaluated_at: verdict.evaluated_at.clone(),
                base: verdict.base.as_ref().map(revision),
                head: revision(&verdict.head),
                policy: verdict.policy.digest.clone(),
            },
        }],
    }
}

fn revision(name: &RevisionName) -> log::Revision {
    log::Revision { rev: name.rev.clone(), name: name.name.clone() }
}

fn invocation(verdict: &Verdict, cut: usize) -> log::Invocation {
    let mut notifications: Vec<log::Notification> = verdict
        .coverage
        .checks_skipped
        .iter()
        .map(|skipped| log::Notification {
            level: if skipped.incomplete { Level::Error } else { Level::Warning },
            message: Text { text: format!("{}: {}", plain(&skipped.check, NAME), plain(&skipped.reason, TEXT)) },
        })
        .collect();
    if cut > 0 {
        let text = format!("{cut} more results are left out here; the JSON report has them all");
        notifications.push(log::Notification { level: Level::Warning, message: Text { text } });
    }
    log::Invocation { execution_successful: verdict.complete, tool_execution_notifications: notifications }
}

fn rule_id(finding: &Finding) -> String {
    match &finding.advisory {
        Some(matched) => format!("{}/{}/{}", finding.pack, finding.rule, matched.id),
        None => format!("{}/{}", finding.pack, finding.rule),
    }
}

/// The rules that spoke, sorted, and where each stands.
fn rules(findings: &[&Finding]) -> (Vec<log::Rule>, BTreeMap<String, usize>) {
    // By id: the first finding of the rule, and the loudest level of all of them.
    let mut spoke: BTreeMap<String, (&Finding, Loudness)> = BTreeMap::new();
    for finding in findings {
        let entry = spoke.entry(rule_id(finding)).or_insert((finding, Loudness::of(finding)));
        entry.1 = entry.1.min(Loudness::of(finding));
    }
    let index = spoke.keys().enumerate().map(|(index, id)| (id.clone(), index)).collect();
    (spoke.into_iter().map(|(id, (finding, loudness))| rule(id, finding, loudness)).collect(), index)
}

fn rule(id: String, finding: &Finding, loudness: Loudness) -> log::Rule {
    let name = plain(&words::rule(finding), NAME);
    let short = match &finding.advisory {
        Some(matched) => format!("{}: {}", plain(&matched.id, NAME), words::advisory(matched, true, plain)),
        None => name.replace('-', " "),
    };
    let controls: Vec<String> = finding.controls.iter().map(|control| plain(control, NAME)).collect();
    let evidence = if controls.is_empty() { String::new() } else { format!(" Evidence for {}.", controls.join(", ")) };
    let asked = finding.advisory.as_ref().map_or(&finding.rule, |matched| &matched.id);
    let help = format!("What it means here and how to mend it: portcullis explain {}", escape::shell_word(asked));
    let tags = ["security", "supply-chain"].map(str::to_owned).into_iter().chain(controls).take(TAGS);
    log::Rule {
        id,
        short_description: Text { text: plain(&short, TEXT) },
        full_description: Text { text: plain(&format!("{short}. Rule {name}.{evidence}"), TEXT) },
        name,
        help_uri: finding.advisory.as_ref().and_then(crate::model::advisory::Matched::url),
        help: Text { text: plain(&help, TEXT) },
        default_configuration: log::Configuration { level: level(loudness) },
        properties: log::RuleProperties {
            tags: tags.collect(),
            problem_severity: match loudness {
                Loudness::Error => "error",
                Loudness::Warning => "warning",
                Loudness::Note => "recommendation",
            },
            security_severity: finding
                .advisory
                .as_ref()
                .and_then(|matched| matched.severity)
                .map(|score| format!("{score:.1}")),
        },
    }
}

fn outcome(finding: &Finding, index: &BTreeMap<String, usize>, places: &Places<'_>) -> log::Outcome {
    let place = places.of(finding);
    let id = rule_id(finding);
    let mut text = plain(&finding.message, TEXT);
    if finding.blocks && !finding.remediation.is_empty() {
        text.push_str(&format!("\n{}", plain(&finding.remediation, TEXT)));
    }
    if !place.is_its_own {
        text.push_str("\nIt has no line of its own: this is the nearest file.");
    }
    let waived = finding.waived_by.iter().map(|waived| {
        let (id, owner, end) = (plain(&waived.id, NAME), plain(&waived.owner, NAME), plain(&waived.expires, NAME));
        format!("waived by {id}, {owner}, until {end}")
    });
    let cleared = finding.cleared_by.iter().map(|cleared| {
        format!(
            "approved by {}, review {} of pull request {}",
            plain(&cleared.login, NAME),
            cleared.review,
            cleared.pull
        )
    });
    let suppressions = waived.chain(cleared).map(|justification| log::Suppression {
        kind: "external",
        status: "accepted",
        justification,
    });
    let advisory = finding.advisory.as_ref();
    log::Outcome {
        rule_index: index.get(&id).copied().unwrap_or_default(),
        rule_id: id,
        level: level(Loudness::of(finding)),
        message: Text { text },
        locations: [log::Location {
            physical_location: log::PhysicalLocation {
                artifact_location: log::ArtifactLocation { uri: uri(&place.file), uri_base_id: ROOT },
                region: log::Region { start_line: place.line, end_line: place.end_line },
            },
        }],
        partial_fingerprints: log::Fingerprints { v1: finding.fingerprint.clone() },
        suppressions: suppressions.collect(),
        properties: log::Properties {
            level: finding.level.as_str(),
            blocks: finding.blocks,
            origin: finding.origin.map(Origin::as_str),
            purl: finding.subject.purl.clone(),
            project: finding.project.as_ref().map(RepoPath::to_string),
            remediation: finding.remediation.clone(),
            controls: finding.controls.clone(),
            advisory: advisory.map(|matched| matched.id.clone()),
            aliases: advisory.map(|matched| matched.aliases.clone()).unwrap_or_default(),
            fixed: advisory.map(|matched| matched.fixed.clone()).unwrap_or_default(),
        },
    }
}

const fn level(loudness: Loudness) -> Level {
    match loudness {
        Loudness::Error => Level::Error,
        Loudness::Warning => Level::Warning,
        Loudness::Note => Level::Note,
    }
}

/// A piece of a text that people read.
fn plain(text: &str, max: usize) -> String {
    escape::sarif(&escape::shown(text, max))
}

/// A path as a relative URI reference: all but unreserved characters (RFC 3986, 2.3) is percent-encoded, so that no
/// part is taken for a scheme, a host or a query.
fn uri(path: &RepoPath) -> String {
    let mut out = String::with_capacity(path.as_str().len());
    for part in path.parts() {
        out.push_str(if out.is_empty() { "" } else { "/" });
        for byte in part.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
