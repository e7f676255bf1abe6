//! `portcullis/verdict/v1`: the verdict as the published contract writes it.
//!
//! [`v1`] holds the contract's types; here the verdict is turned into them. Paths inside a project (manifest,
//! lockfile, the file of a side) are written relative to it, paths of findings and coverage relative to the repository.

#[expect(missing_docs, reason = "the words of closed sets say what they are")]
pub mod v1;

use super::{Look, escape};
use crate::model::RepoPath;
use crate::model::advisory::Matched;
use crate::model::change::{Change, Side};
use crate::model::evidence::{Evidence, Fact, FactValue};
use crate::model::finding::Finding;
use crate::model::review::{Approver, Reviewed};
use crate::model::verdict::{Comparison, RevisionName, Verdict};

/// The verdict as indented JSON with a newline at its end.
#[must_use]
pub fn render(verdict: &Verdict, _look: &Look) -> String {
    // The types hold no maps and no keys but strings, which leaves serde_json nothing to fail at; if it ever did, an
    // empty report parses as nothing, and the exit code still stands.
    let mut text = escape::json(&serde_json::to_string_pretty(&of(verdict)).unwrap_or_default());
    text.push('\n');
    text
}

/// The verdict in the contract's types.
#[must_use]
pub fn of(verdict: &Verdict) -> v1::Verdict {
    v1::Verdict {
        schema: v1::SchemaName::V1,
        tool: v1::Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
        command: verdict.command.to_owned(),
        evaluated_at: verdict.evaluated_at.clone(),
        decision: verdict.decision.into(),
        complete: verdict.complete,
        truncated: false,
        elapsed_ms: verdict.elapsed_ms,
        environment: None,
        base: verdict.base.as_ref().map(revision),
        head: revision(&verdict.head),
        policy: v1::Policy {
            from: verdict.policy.from.into(),
            rev: verdict.policy.rev.clone(),
            digest: verdict.policy.digest.clone(),
            comparison: verdict.policy.comparison.as_ref().map(comparison),
        },
        ledger: v1::Ledger { rev: verdict.ledger.rev.clone(), digest: verdict.ledger.digest.clone() },
        overrides: sorted(&verdict.overrides, |o| v1::Override { flag: o.flag.clone(), value: o.value.clone() }),
        advisories: advisories(verdict),
        projects: sorted(&verdict.projects, |project| v1::Project {
            path: project.path.to_string(),
            ecosystem: project.ecosystem.into(),
            manifest: project.manifest.as_ref().map(|path| within(path, &project.path)),
            lockfile: project.lockfile.as_ref().map(|path| within(path, &project.path)),
        }),
        changes: verdict.changes.iter().map(change).collect(),
        findings: verdict.findings.iter().map(finding).collect(),
        reviews: verdict.reviews.iter().map(reviewed).collect(),
        coverage: v1::Coverage {
            files: sorted(&verdict.coverage.files, |file| v1::CoveredFile {
                path: file.path.to_string(),
                state: file.state.into(),
                reason: file.reason.clone(),
            }),
            checks_skipped: sorted(&verdict.coverage.checks_skipped, |skipped| v1::CheckSkipped {
                check: skipped.check.clone(),
                reason: skipped.reason.clone(),
            }),
            lines: verdict.coverage.lines.map(|lines| v1::LinesJudged {
                detectors: lines.detectors,
                files: lines.files,
                unknown_language: lines.unknown_language,
                added: lines.added,
            }),
        },
    }
}

/// The items in their own order, converted: the contract promises sorted lists, whoever made them.
fn sorted<T: Ord, U>(items: &[T], convert: impl FnMut(&T) -> U) -> Vec<U> {
    let mut order: Vec<&T> = items.iter().collect();
    order.sort();
    order.into_iter().map(convert).collect()
}

fn revision(name: &RevisionName) -> v1::Revision {
    v1::Revision { rev: name.rev.clone(), name: name.name.clone() }
}

fn comparison(comparison: &Comparison) -> v1::Comparison {
    v1::Comparison {
        result: comparison.result.into(),
        examples: comparison
            .examples
            .iter()
            .map(|example| v1::Example {
                rule: Some(&example.rule).filter(|rule| !rule.is_empty()).cloned(),
                message: example.what.clone(),
                subject: example.subject.iter().cloned().collect(),
                base: example.base.map(Into::into),
                head: example.head.map(Into::into),
            })
            .collect(),
        notes: comparison.notes.clone(),
        solver: comparison.solver.clone(),
    }
}

fn advisories(verdict: &Verdict) -> v1::Advisories {
    let data = &verdict.advisories;
    let mut sources: Vec<_> = data.sources.iter().collect();
    sources.sort_by(|a, b| (&a.ecosystem, &a.as_of, a.records).cmp(&(&b.ecosystem, &b.as_of, b.records)));
    v1::Advisories {
        as_of: data.as_of.clone(),
        digest: data.digest.clone(),
        sources: sources
            .into_iter()
            .map(|source| v1::AdvisorySource {
                ecosystem: source.ecosystem.clone(),
                as_of: source.as_of.clone(),
                records: source.records,
            })
            .collect(),
    }
}

/// A path as seen from a project's folder, with `..` for what lies outside (a workspace's lockfile may).
fn within(path: &RepoPath, folder: &RepoPath) -> String {
    let shared = path.parts().zip(folder.parts()).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folder.parts().count() - shared);
    let parts: Vec<&str> = up.chain(path.parts().skip(shared)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// A line of the contract: the model writes 0 where none applies.
fn line(line: u32) -> Option<u32> {
    (line > 0).then_some(line)
}

fn change(change: &Change) -> v1::Change {
    let side = |side: &Side| v1::Side {
        version: side.version.clone(),
        source: side.source.to_string(),
        checksum: side.checksum.clone(),
        scopes: side.scopes.iter().map(v1::Scope::from).collect(),
        license: side.license.clone(),
        file: within(&side.file, &change.project),
        line: line(side.line),
    };
    v1::Change {
        id: change.id.clone(),
        kind: change.kind.into(),
        new_library: change.new_library,
        new_to_repository: change.new_to_repository,
        ecosystem: change.ecosystem.into(),
        name: change.name.clone(),
        alias: change.alias.clone(),
        purl: change.purl.clone(),
        direct: change.direct,
        scope: change.scope.into(),
        project: change.project.to_string(),
        lockfile: change.lockfile.as_ref().map(|path| within(path, &change.project)),
        before: change.before.as_ref().map(side),
        after: change.after.as_ref().map(side),
        via: change.via.clone(),
        facts: sorted(&change.facts, fact),
        review: v1::Review {
            required: change.review.required.into(),
            cleared_by: change.review.cleared_by.clone(),
            cleared_by_login: change.review.cleared_by_login.clone(),
        },
    }
}

fn fact(fact: &Fact) -> v1::Fact {
    let (state, value, provenance, reason) = match &fact.value {
        Evidence::Found(value, provenance) => (v1::FactState::Found, Some(value), Some(provenance), None),
        Evidence::Absent(provenance) => (v1::FactState::Absent, None, Some(provenance), None),
        Evidence::Unavailable(reason) => (v1::FactState::Unavailable, None, None, Some(reason.to_string())),
    };
    v1::Fact {
        name: fact.name.to_owned(),
        state,
        value: value.map(|value| match value {
            FactValue::Flag(flag) => v1::FactValue::Flag(*flag),
            FactValue::Number(number) => v1::FactValue::Number(*number),
            FactValue::Text(text) => v1::FactValue::Text(text.clone()),
        }),
        source: provenance.map(|p| p.source.clone()),
        as_of: provenance.and_then(|p| p.as_of.clone()),
        reason,
    }
}

fn finding(finding: &Finding) -> v1::Finding {
    let location = finding.location.as_ref();
    v1::Finding {
        fingerprint: finding.fingerprint.clone(),
        rule: finding.rule.clone(),
        pack: finding.pack.clone(),
        level: finding.level.into(),
        default_level: finding.default_level.into(),
        blocks: finding.blocks,
        origin: finding.origin.map(v1::Origin::from),
        change: finding.change.clone(),
        project: finding.project.as_ref().map(RepoPath::to_string),
        subject: v1::Subject { kind: finding.subject.kind.into(), purl: finding.subject.purl.clone() },
        file: location.map(|l| l.file.to_string()),
        line: location.and_then(|l| line(l.line)),
        end_line: location.and_then(|l| line(l.end_line)),
        message: finding.message.clone(),
        remediation: finding.remediation.clone(),
        controls: sorted(&finding.controls, String::clone),
        advisory: finding.advisory.as_ref().map(advisory),
        waived_by: finding.waived_by.as_ref().map(|waived| v1::Waiver {
            id: waived.id.clone(),
            owner: waived.owner.clone(),
            expires: waived.expires.clone(),
        }),
        cleared_by: finding.cleared_by.as_ref().map(|cleared| v1::Cleared {
            login: cleared.login.clone(),
            review: cleared.review,
            pull: cleared.pull,
        }),
    }
}

fn reviewed(reviewed: &Reviewed) -> v1::Reviewed {
    let approver = |approver: &Approver| v1::Approver { login: approver.login.clone(), review: approver.review };
    v1::Reviewed {
        pull: reviewed.number,
        head: reviewed.to.clone(),
        approvals: reviewed.approvals.iter().map(approver).collect(),
        remarks: reviewed.remarks.clone(),
    }
}

fn advisory(matched: &Matched) -> v1::Advisory {
    v1::Advisory {
        id: matched.id.clone(),
        aliases: sorted(&matched.aliases, String::clone),
        kind: matched.kind.into(),
        severity: matched.severity,
        vector: matched.vector.clone(),
        published: matched.published.clone(),
        fixed: matched.fixed.clone(),
        url: matched.url(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn every_verdict_comes_back_as_it_was() {
        for verdict in samples::all() {
            let text = render(&verdict, &Look::default());
            let back: v1::Verdict = serde_json::from_str(&text).unwrap();
            assert_eq!(back, of(&verdict));
        }
    }

    #[test]
    fn hostile_text_stays_data() {
        let verdict = samples::hostile(samples::HOSTILE);
        let text = render(&verdict, &Look::default());
        assert!(!text.chars().any(|c| c.is_ascii_control() && c != '\n'), "JSON escapes C0");
        let back: v1::Verdict = serde_json::from_str(&text).unwrap();
        assert_eq!(back.changes[0].name, samples::HOSTILE);
        assert_eq!(back.findings[0].message, samples::HOSTILE);
    }

    #[test]
    fn paths_lines_and_nulls_are_as_the_contract_says() {
        let value: serde_json::Value = serde_json::from_str(&render(&samples::deny(), &Look::default())).unwrap();
        let change = &value["changes"][0];
        assert_eq!(change["project"], "services/api");
        assert_eq!(change["lockfile"], "Cargo.lock");
        assert_eq!(change["after"]["file"], "Cargo.lock");
        assert_eq!(change["after"]["line"], 812);
        assert_eq!(change["before"], serde_json::Value::Null);
        assert!(value.as_object().unwrap().contains_key("environment"));
        assert_eq!(value["policy"]["comparison"], serde_json::Value::Null);
        assert_eq!(value["findings"][0]["file"], "web/package-lock.json");
        let facts = change["facts"].as_array().unwrap();
        let publisher = facts.iter().find(|fact| fact["name"] == "publisher").unwrap();
        assert_eq!(publisher["state"], "unavailable");
        assert_eq!(publisher["source"], serde_json::Value::Null);
        assert_eq!(publisher["reason"], "offline");
        assert!(facts[0].as_object().unwrap().get("reason").is_none());
    }

    #[test]
    fn a_path_is_seen_from_its_project() {
        for (path, folder, expected) in [
            ("a/b/Cargo.lock", "a/b", "Cargo.lock"),
            ("Cargo.lock", "", "Cargo.lock"),
            ("Cargo.lock", "a/b", "../../Cargo.lock"),
            ("a/bc/x", "a/b", "../bc/x"),
            ("a", "a", "."),
        ] {
            assert_eq!(within(&RepoPath::new(path), &RepoPath::new(folder)), expected);
        }
    }
}
