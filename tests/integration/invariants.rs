//! What holds for every case, whatever it is about.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::diff::packages::{Standing, changes};
use portcullis::discover::Snapshot;
use portcullis::gate::Gate;
use portcullis::model::finding::SubjectKind;
use portcullis::model::tree::EntryKind;
use portcullis::model::verdict::{Coverage, Decision, FileState, Verdict};
use portcullis::policy::pack::Packs;
use portcullis::report::{Format, Look, render};
use portcullis::run::projects;
use portcullis::world::Repo;
use serde_json::Value;

use crate::support::case::{Files, allows, lines};
use crate::support::{Case, Evidence, Side, all, for_each, portcullis, same};

/// Cases with files above this size are left out where trees are rewritten.
const LARGE: usize = 1 << 20;

/// Whether a case is about size: what holds for the others holds for it, and it would take most of the time.
fn is_large(case: &Case) -> bool {
    case.trees.values().flat_map(Files::values).any(|(_, bytes)| bytes.len() > LARGE)
}

fn checks() -> Vec<Case> {
    all().iter().filter(|case| !case.is_audit() && !is_large(case)).cloned().collect()
}

#[test]
fn a_tree_against_itself_differs_in_nothing() {
    for_each(&checks(), |case| {
        for side in [Side::Base, Side::Head] {
            let twin = case.with(Side::Base, case.tree(side)).with(Side::Head, case.tree(side));
            let verdict = twin.run();
            if !allows(&verdict) || !verdict.changes.is_empty() || !verdict.findings.is_empty() || !verdict.complete {
                return Err(format!("{side:?} against itself: {} {:?}", verdict.decision, lines(&verdict)));
            }
        }
        Ok(())
    });
}

/// The check itself stops where no path differs; so the comparison is asked for every project of every tree as well.
#[test]
fn an_inventory_against_itself_differs_in_nothing() {
    for_each(all(), |case| {
        let repo = case.repo();
        for name in ["base", "head"] {
            let tree = repo.tree(&repo.resolve(name).unwrap()).unwrap();
            let Ok(gate) = Gate::read(&*tree) else { continue };
            let snapshot = Snapshot::new(&*tree).unwrap();
            for found in projects::find(&snapshot, &gate.config, &|_| true, &mut Coverage::default()) {
                let Ok(inventory) = projects::read(&snapshot, &gate.config, &found) else { continue };
                let mut standing = Standing::default();
                standing.add(&inventory);
                let differ = changes(Some(&inventory), Some(&inventory), &standing);
                same(&format!("{name}: {}", found.1.path), &differ, &Vec::new())?;
            }
        }
        Ok(())
    });
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for_each(all(), |case| {
        let first = case.run();
        let second = case.decide(case.spec.store, case.spec.ci).map_err(|e| e.to_string())?;
        for format in Format::ALL {
            let look = Look::default();
            same(format.name(), &render(*format, &first, &look), &render(*format, &second, &look))?;
        }
        Ok(())
    });
}

#[test]
fn every_format_carries_the_decision() {
    for_each(all(), |case| {
        let verdict = case.run();
        for format in Format::ALL {
            let text = render(*format, &verdict, &Look::default());
            match format {
                Format::Json => {
                    let json: Value = serde_json::from_str(&text).unwrap();
                    same("decision", &json["decision"].as_str(), &Some(verdict.decision.as_str()))?;
                    same("complete", &json["complete"].as_bool(), &Some(verdict.complete))?;
                    same("findings", &json["findings"].as_array().map(Vec::len), &Some(verdict.findings.len()))?;
                }
                Format::Human => {
                    let word = verdict.decision.as_str().to_uppercase();
                    if !text.lines().any(|line| line.starts_with(&word)) {
                        return Err(format!("no line of the human report begins with {word}:\n{text}"));
                    }
                    for finding in verdict.findings.iter().filter(|finding| finding.blocks) {
                        // The section of new libraries says what `library-unreviewed` would.
                        let is_section = finding.rule == "library-unreviewed" && text.contains("NEW LIBRARIES");
                        if !is_section && !text.contains(finding.rule.as_str()) {
                            return Err(format!("the human report does not name {}:\n{text}", finding.rule));
                        }
                    }
                }
                Format::Markdown => {
                    let word = verdict.decision.as_str().to_uppercase();
                    let heading = text.lines().find(|line| line.starts_with('#')).unwrap_or_default();
                    if !heading.to_uppercase().contains(&word) {
                        return Err(format!("the heading does not say {word}:\n{text}"));
                    }
                }
                Format::Sarif => {
                    let log: Value = serde_json::from_str(&text).unwrap();
                    let run = &log["runs"][0];
                    let decision = run["properties"]["decision"].as_str();
                    same("decision", &decision, &Some(verdict.decision.as_str()))?;
                    let succeeded = run["invocations"][0]["executionSuccessful"].as_bool();
                    same("executionSuccessful", &succeeded, &Some(verdict.complete))?;
                    let blocking = verdict.findings.iter().filter(|finding| finding.blocks).count();
                    let loud = run["results"].as_array().map_or(0, |all| {
                        all.iter().filter(|one| one["level"] == "error" || one["level"] == "warning").count()
                    });
                    if loud < blocking {
                        return Err(format!("{blocking} findings block, and {loud} results say so:\n{text}"));
                    }
                }
                Format::Github => {
                    let first = text.lines().next().unwrap_or_default();
                    if !first.contains(verdict.decision.as_str()) {
                        return Err(format!("the first line does not say {}:\n{text}", verdict.decision));
                    }
                }
                Format::Outputs => {
                    let line = format!("decision={}", verdict.decision);
                    let blocking = verdict.findings.iter().filter(|finding| finding.blocks).count();
                    let count = format!("findings={blocking}");
                    if !text.lines().any(|own| own == line) || !text.lines().any(|own| own == count) {
                        return Err(format!("no line {line} or {count}:\n{text}"));
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn less_evidence_never_lets_more_through() {
    for_each(all(), |case| {
        let whole = case.run();
        // A case that has no evidence of its own cannot be given less.
        let less: &[Evidence] = match case.spec.store {
            Evidence::Invented => &[Evidence::Empty, Evidence::Absent, Evidence::Stale],
            _ => &[],
        };
        for evidence in less.iter().copied() {
            let verdict = case.run_with(evidence, case.spec.ci);
            let fault = match whole.decision {
                Decision::Deny => verdict.decision < Decision::Incomplete,
                Decision::Review | Decision::Incomplete => allows(&verdict),
                // What nothing speaks against may be incomplete without evidence, but never blocked by it.
                Decision::Allow => verdict.decision == Decision::Deny,
            };
            if fault {
                return Err(format!("{} became {} with {evidence:?}", whole.decision, verdict.decision));
            }
            // Of some ecosystems no database speaks: no data could make the answer about them more than it is.
            let asked = verdict.changes.iter().any(|change| change.ecosystem.osv().is_some());
            if asked && evidence != Evidence::Stale && verdict.complete {
                return Err(format!("packages changed, and the answer is complete with {evidence:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_pipeline_is_never_laxer_than_a_person() {
    for_each(all(), |case| {
        // With another governing revision a pipeline asks another policy, which may allow more than an old one.
        if case.trees.contains_key(&Side::Governing) || is_large(case) {
            return Ok(());
        }
        let (person, pipeline) = (case.run_with(case.spec.store, false), case.run_with(case.spec.store, true));
        if pipeline.decision < person.decision {
            return Err(format!("{} for a person, {} in a pipeline", person.decision, pipeline.decision));
        }
        Ok(())
    });
}

/// The tree with every lockfile written another way.
fn rewritten(tree: &Files) -> Files {
    let mut tree = tree.clone();
    for (path, (kind, bytes)) in &mut tree {
        if path.file_name() == "Cargo.lock"
            && *kind == EntryKind::File
            && let Ok(text) = std::str::from_utf8(bytes)
            && !text.starts_with("version https")
        {
            *bytes = Arc::from(crate::support::lock::rewrite(text).into_bytes());
        }
    }
    tree
}

/// What a verdict says, lines left out.
fn essence(verdict: &Verdict) -> (Decision, bool, Vec<String>, Vec<(String, String)>) {
    let changes = verdict.changes.iter().map(|change| (change.id.clone(), change.purl.clone())).collect();
    let mut fingerprints: Vec<String> = verdict.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    fingerprints.sort();
    (verdict.decision, verdict.complete, fingerprints, changes)
}

#[test]
fn a_lockfile_written_another_way_changes_nothing() {
    for_each(all(), |case| {
        let verdict = case.run();
        if is_large(case) {
            return Ok(());
        }
        let head = case.with(Side::Head, rewritten(&case.tree(Side::Head)));
        same("head rewritten", &essence(&verdict), &essence(&head.run()))?;
        let both = head.with(Side::Base, rewritten(&case.tree(Side::Base)));
        same("both rewritten", &essence(&verdict), &essence(&both.run()))?;
        if case.is_audit() {
            return Ok(());
        }
        for side in [Side::Base, Side::Head] {
            let tree = case.tree(side);
            let twin = case.with(Side::Base, tree.clone()).with(Side::Head, rewritten(&tree)).run();
            let unread = twin.coverage.files.iter().any(|file| {
                !matches!(file.state, FileState::Read | FileState::Excluded) && file.path.file_name() != "deno.lock"
            });
            let blocks: Vec<&str> = twin.findings.iter().filter(|f| f.blocks).map(|f| f.rule.as_str()).collect();
            if !twin.changes.is_empty() || !blocks.is_empty() || (!unread && !allows(&twin)) {
                let rules = lines(&twin);
                return Err(format!("{side:?} against itself, written another way: {} {rules:?}", twin.decision));
            }
        }
        Ok(())
    });
}

#[test]
fn nothing_from_the_input_steers_the_terminal() {
    for_each(all(), |case| {
        for look in [Look::default(), Look { width: 60, verbose: 2, ..Look::default() }] {
            let text = render(Format::Human, &case.run(), &look);
            let bad = text.chars().find(|c| {
                (c.is_control() && *c != '\n')
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
                    || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
            });
            if let Some(bad) = bad {
                return Err(format!("{} is printed as it is:\n{}", bad.escape_unicode(), text.escape_debug()));
            }
        }
        Ok(())
    });
}

#[test]
fn no_evasion_is_let_through() {
    let evasions: Vec<Case> = all().iter().filter(|case| case.is_evasion()).cloned().collect();
    assert!(!evasions.is_empty());
    for_each(&evasions, |case| {
        let expected = &case.expected.decision;
        if expected == "allow" {
            return Err("an evasion cannot be expected to pass".to_owned());
        }
        for evidence in [Evidence::Invented, Evidence::Absent, Evidence::Empty] {
            if allows(&case.run_with(evidence, case.spec.ci)) {
                return Err(format!("{} is let through with {evidence:?}", case.spec.title));
            }
        }
        Ok(())
    });
}

#[test]
fn every_finding_says_what_where_and_what_to_do() {
    let packs = Packs::shipped().unwrap();
    let rules: BTreeSet<(String, String)> = packs.rules().map(|rule| (rule.pack.clone(), rule.rule.clone())).collect();
    let is_own = |pack: &str| packs.packs.iter().all(|known| known.name != pack);
    for_each(all(), |case| {
        let verdict = case.run();
        let ids: BTreeSet<&str> = verdict.changes.iter().map(|change| change.id.as_str()).collect();
        for finding in &verdict.findings {
            let fault = |what: &str| Err(format!("{}: {what}: {finding:#?}", finding.rule));
            if !is_own(&finding.pack) && !rules.contains(&(finding.pack.clone(), finding.rule.clone())) {
                return fault("no pack has the rule");
            }
            if finding.location.is_none() {
                return fault("no location");
            }
            // What a line or a step holds is quoted as it stands.
            let quotes = matches!(finding.subject.kind, SubjectKind::Line | SubjectKind::Workflow);
            for text in [&finding.message, &finding.remediation].into_iter().filter(|_| !quotes) {
                // `${BASE}` is how a file spells what nobody knows.
                let plain: String = text.split("${").flat_map(|part| part.splitn(2, '}').last()).collect();
                let text = if text.contains("${") { &plain } else { text };
                if text.trim().is_empty() || text.contains(['{', '}']) || text.contains("  ") || text.ends_with(": ") {
                    return fault("a text with a hole in it");
                }
            }
            if finding.change.as_deref().is_some_and(|id| !ids.contains(id)) {
                return fault("a change that is not there");
            }
            if finding.subject.purl.is_some() && !case.is_audit() && finding.change.is_none() {
                let stands = finding.origin.is_some_and(|origin| origin.as_str() != "introduced");
                if !stands {
                    return fault("a package that no change brought in");
                }
            }
        }
        let prints: BTreeSet<&str> = verdict.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        same("findings and fingerprints", &verdict.findings.len(), &prints.len())
    });
}

#[test]
fn fingerprints_do_not_hang_on_lines() {
    for_each(all(), |case| {
        if is_large(case) {
            return Ok(());
        }
        let mut head = case.tree(Side::Head);
        for (path, (kind, bytes)) in &mut head {
            let is_toml = path.file_name().ends_with(".toml") || path.file_name() == "Cargo.lock";
            if is_toml && *kind == EntryKind::File && !bytes.starts_with(b"version https") {
                *bytes = Arc::from([b"# one line more\n", &bytes[..]].concat());
            }
        }
        // Only files that are read as TOML move here; toolchain and gate files would be changes of their own.
        let moved: Files = case
            .tree(Side::Head)
            .into_iter()
            .map(|(path, old)| {
                let keeps =
                    !matches!(path.file_name(), "Cargo.toml" | "Cargo.lock") || path.as_str().starts_with("vendor/");
                let new = if keeps { old } else { head.get(&path).cloned().unwrap_or(old) };
                (path, new)
            })
            .collect();
        let (verdict, other) = (case.run(), case.with(Side::Head, moved).run());
        same("moved by a line", &essence(&verdict), &essence(&other))
    });
}

#[test]
fn json_keeps_to_the_published_schema() {
    let text = std::fs::read_to_string(portcullis().join("docs/schema/verdict-v1.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for_each(all(), |case| {
        let json: Value = serde_json::from_str(&render(Format::Json, &case.run(), &Look::default())).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&json).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    });
}
