//! Changes → subjects: evidence, the review they require and have, and the words of messages.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::discover::Snapshot;
use crate::evidence::vendored::{self, Crate};
use crate::gate::coverage;
use crate::gate::ledger::Ledger;
use crate::model::change::{Change, ChangeKind, ChecksumMove, Depth};
use crate::model::evidence::{Evidence, Fact, FactValue, Provenance, Reason};
use crate::model::inventory::{Package, SourceKind};
use crate::model::{Ecosystem, purl};
use crate::subject::{Attributes, Kind, STANDING, Subject, Value, quiet};
use crate::text::shell_word;

/// What was found out about a change beyond the lockfile.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether head's version gained a capability over base's; `None`: not known.
    pub capability_added: Option<bool>,
    /// Licence expression of head's version.
    pub license: Option<String>,
}

/// Gathers evidence about a change and fills in its facts and the review it requires.
pub fn gather(change: &mut Change, base: &Snapshot<'_>, head: &Snapshot<'_>) -> Known {
    let look = |snapshot: &Snapshot<'_>, side: Option<&crate::model::change::Side>| match side {
        Some(side) if change.ecosystem == Ecosystem::Cargo => {
            vendored::look_up(snapshot, &change.name, &side.version, side.source.kind)
        }
        _ => Crate::unknown(),
    };
    let installs = |side: &Option<crate::model::change::Side>| side.as_ref().is_some_and(|s| s.runs_on_install);
    let after = look(head, change.after.as_ref());
    let known = Known {
        capability_added: match change.before {
            Some(_) if installs(&change.after) && !installs(&change.before) => Some(true),
            Some(_) => after.gains_over(&look(base, change.before.as_ref())),
            None => None,
        },
        license: after.license.found().cloned(),
    };
    if change.after.is_some() {
        let flag = |name, evidence: &Evidence<bool>| Fact { name, value: convert(evidence, |b| FactValue::Flag(*b)) };
        change.facts = vec![
            Fact { name: "age-days", value: Evidence::Unavailable(Reason::Offline) },
            Fact { name: "license", value: convert(&after.license, |l| FactValue::Text(l.clone())) },
        ];
        if change.ecosystem == Ecosystem::Cargo {
            change.facts.extend([
                flag("build-script", &after.build_script),
                flag("native-code", &after.native_code),
                flag("proc-macro", &after.proc_macro),
            ]);
        }
        if let Some(side) = change.after.as_ref().filter(|side| side.runs_on_install) {
            // That a lockfile says nothing of a script proves nothing.
            let from = Provenance { source: side.file.to_string(), as_of: None };
            change.facts.push(Fact { name: "install-script", value: Evidence::Found(FactValue::Flag(true), from) });
        }
        change.facts.sort_by_key(|fact| fact.name);
    }
    let runs_code = installs(&change.after)
        || [&after.build_script, &after.native_code, &after.proc_macro]
            .iter()
            .any(|evidence| evidence.found() == Some(&true));
    if let Some(after) = &mut change.after {
        after.license.clone_from(&known.license);
    }
    let stronger = stronger_scope(change);
    change.review.required = match change.kind {
        ChangeKind::Removed => Depth::None,
        _ if (change.new_library || stronger) && runs_code => Depth::Inspected,
        _ if change.new_library || stronger => Depth::Noted,
        _ => Depth::None,
    };
    known
}

fn convert<T>(evidence: &Evidence<T>, value: impl Fn(&T) -> FactValue) -> Evidence<FactValue> {
    match evidence {
        Evidence::Found(found, from) => Evidence::Found(value(found), from.clone()),
        Evidence::Absent(from) => Evidence::Absent(from.clone()),
        Evidence::Unavailable(reason) => Evidence::Unavailable(*reason),
    }
}

fn stronger_scope(change: &Change) -> bool {
    // Of a second version beside others, what counts is how any of them was used.
    let before = change.before.as_ref().map(|side| side.scopes.strongest()).or(change.scope_of_name);
    before.zip(change.after.as_ref()).is_some_and(|(before, after)| after.scopes.strongest() > before)
}

/// Marks the approval that covers a change. `head` is head's own ledger, where it differs.
pub fn cover(change: &mut Change, ledger: &Ledger, head: Option<&Ledger>, today: Date) {
    change.review.pending_by =
        head.and_then(|head| coverage::approval(head, change, today)).map(|entry| entry.by.clone());
    let entry = coverage::approval(ledger, change, today);
    change.review.cleared_by = entry.map(|entry| entry.id.clone());
    change.review.cleared_by_login = entry.map(|entry| entry.by.clone());
}

/// The subject that a change is to the rules.
#[must_use]
pub fn subject(change: &Change, known: &Known) -> Subject {
    let mut attributes = quiet(Kind::Change);
    let side = change.side();
    attributes.extend([
        ("ecosystem", Value::word("Ecosystem", change.ecosystem.as_str())),
        ("name", Value::Text(change.name.clone())),
        ("version", Value::Text(side.map_or(String::new(), |s| s.version.clone()))),
        ("kind", Value::word("ChangeKind", change.kind.as_str())),
        ("direct", Value::Flag(change.direct)),
        ("scope", Value::word("Scope", change.scope.as_str())),
        ("strongerScope", Value::Flag(stronger_scope(change))),
        ("newLibrary", Value::Flag(change.new_library)),
        ("newToRepository", Value::Flag(change.new_to_repository)),
        ("bytesOnBase", Value::Flag(change.bytes_on_base)),
        ("covered", Value::Flag(change.review.cleared_by.is_some())),
        ("reviewRequired", Value::word("Depth", change.review.required.as_str())),
        ("checksum", Value::word("ChecksumMove", change.checksum.as_str())),
        ("sourceKind", Value::word("SourceKind", side.map_or(SourceKind::Public, |s| s.source.kind).as_str())),
        ("sourceNew", Value::Flag(change.source_new)),
        ("sourceChanged", Value::Flag(change.source_changed)),
        ("standsIn", Value::Flag(change.stands_in)),
        ("pinned", Value::Flag(side.is_none_or(|s| s.source.is_pinned()))),
        ("plainHttp", Value::Flag(side.is_some_and(|s| s.source.is_plain_http()))),
        ("fixed", Value::Flag(side.is_none_or(|s| s.is_fixed))),
        ("nameValid", Value::Flag(change.name_valid)),
        ("fixesAdvisory", Value::Flag(change.fixes_advisory)),
    ]);
    // What nobody knows offline is absent, not quiet.
    for name in ["capabilityAdded", "ageDays"] {
        attributes.remove(name);
    }
    if let Some(gained) = known.capability_added {
        attributes.insert("capabilityAdded", Value::Flag(gained));
    }
    if let Some(named) = change.after.as_ref().and_then(|side| side.contradiction.clone()) {
        attributes.insert("addressNames", Value::Text(named));
    }
    if let Some(other) = &change.confusable_with {
        attributes.insert("confusableWith", Value::Text(other.clone()));
    }
    license(&mut attributes, known.license.as_deref());
    Subject { kind: Kind::Change, attributes, words: words(change, known) }
}

fn words(change: &Change, known: &Known) -> BTreeMap<&'static str, String> {
    let side = change.side();
    let version = side.map_or("", |s| &s.version);
    let news = if change.source_changed {
        "and not from where base took it"
    } else if change.stands_in {
        "which stands in for a package of the registry"
    } else {
        "which this project did not use before"
    };
    let closure = if change.closure.is_empty() { "" } else { " --closure" };
    let depth = if change.review.required == Depth::Inspected { " --depth inspected" } else { "" };
    let waive =
        |rule: &str| format!("portcullis waive {rule} --scope {} --reason \"…\" --expires …", shell_word(&change.purl));
    BTreeMap::from([
        ("package", format!("{} {version}", change.name)),
        ("name", change.name.clone()),
        ("ecosystem", change.ecosystem.to_string()),
        ("approve", format!("portcullis approve {}{closure}{depth} --reason \"…\"", shell_word(&change.purl))),
        ("waive", waive("RULE")),
        ("source", side.map_or(String::new(), |s| source_text(&s.source))),
        ("news", news.to_owned()),
        (
            "checksum",
            match change.checksum {
                ChecksumMove::Dropped => "was dropped",
                ChecksumMove::Weakened => "is of a weaker algorithm than before",
                ChecksumMove::Rehashed => "cannot be compared with the one before",
                _ => "changed",
            }
            .to_owned(),
        ),
        (
            "answer",
            change.review.pending_by.as_ref().map_or_else(
                || "nobody answers for it".to_owned(),
                |by| format!("the approval of {by} in this change counts once it is merged, or {by} has approved the pull request"),
            ),
        ),
        ("names", side.and_then(|s| s.contradiction.clone()).unwrap_or_default()),
        ("confusable", change.confusable_with.clone().unwrap_or_default()),
        ("license", known.license.clone().unwrap_or_else(|| "is not known".to_owned())),
    ])
}

fn source_text(source: &crate::model::inventory::Source) -> String {
    if source.kind == SourceKind::Public && source.address.is_empty() {
        return "the public registry".to_owned();
    }
    if source.address.is_empty() { format!("{} (address unknown)", source.kind) } else { source.to_string() }
}

/// The subject that a package is in an audit, where nothing changes.
#[must_use]
pub fn standing(package: &Package, license_of: Option<&str>) -> Subject {
    let mut attributes = quiet(Kind::Change);
    attributes.extend([
        ("ecosystem", Value::word("Ecosystem", package.ecosystem.as_str())),
        ("name", Value::Text(package.name.to_string())),
        ("version", Value::Text(package.version.to_string())),
        ("kind", Value::word("ChangeKind", STANDING)),
        ("direct", Value::Flag(package.direct)),
        ("scope", Value::word("Scope", package.scopes.strongest().as_str())),
        ("sourceKind", Value::word("SourceKind", package.source.kind.as_str())),
        ("standsIn", Value::Flag(package.identity == crate::model::inventory::Identity::StandsIn)),
        ("pinned", Value::Flag(package.source.is_pinned())),
        ("plainHttp", Value::Flag(package.source.is_plain_http())),
        ("fixed", Value::Flag(package.is_fixed())),
        ("nameValid", Value::Flag(crate::ecosystem::rules(package.ecosystem).is_name(&package.name))),
    ]);
    for name in ["capabilityAdded", "ageDays"] {
        attributes.remove(name);
    }
    if let Some(named) = &package.contradiction {
        attributes.insert("addressNames", Value::Text(named.to_string()));
    }
    license(&mut attributes, license_of);
    let words = BTreeMap::from([
        ("names", package.contradiction.as_deref().unwrap_or_default().to_owned()),
        ("package", format!("{} {}", package.name, package.version)),
        ("name", package.name.to_string()),
        ("ecosystem", package.ecosystem.to_string()),
        ("source", source_text(&package.source)),
        ("license", license_of.unwrap_or("is not known").to_owned()),
        (
            "waive",
            format!(
                "portcullis waive RULE --scope {} --reason \"…\" --expires …",
                shell_word(&purl::of_package(package))
            ),
        ),
    ]);
    Subject { kind: Kind::Change, attributes, words }
}

/// Alternatives of an SPDX expression, as the sets of licences each asks for.
fn license(attributes: &mut Attributes, expression: Option<&str>) {
    let Some(alternatives) = expression.and_then(alternatives) else { return };
    attributes.insert("licenseMore", Value::Flag(alternatives.len() > 3));
    for (name, licenses) in ["licenseAlt1", "licenseAlt2", "licenseAlt3"].into_iter().zip(alternatives) {
        attributes.insert(name, Value::Texts(licenses));
    }
}

/// The disjunctive normal form of an expression; `None` where it is none, or has too many alternatives to be read.
fn alternatives(expression: &str) -> Option<Vec<Vec<String>>> {
    use spdx::expression::{ExprNode, Operator};
    const MOST: usize = 64;
    // Cargo's old form separates alternatives with a slash.
    let expression = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).ok()?;
    let mut stack: Vec<Vec<Vec<String>>> = Vec::new();
    for node in expression.iter() {
        match node {
            ExprNode::Req(requirement) => stack.push(vec![vec![requirement.req.to_string()]]),
            ExprNode::Op(operator) => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                let joined = match operator {
                    Operator::Or => left.into_iter().chain(right).collect(),
                    Operator::And => {
                        if left.len().saturating_mul(right.len()) > MOST {
                            return None;
                        }
                        let both = |l: &Vec<String>, r: &Vec<String>| {
                            let mut both: Vec<String> = l.iter().chain(r).cloned().collect();
                            both.sort();
                            both.dedup();
                            both
                        };
                        left.iter().flat_map(|l| right.iter().map(move |r| both(l, r))).collect()
                    }
                };
                stack.push(joined);
            }
        }
        if stack.last().is_some_and(|top| top.len() > MOST) {
            return None;
        }
    }
    stack.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Hand-expanded.
    #[test]
    fn licence_expressions_become_alternatives() {
        let text = |e: &str| alternatives(e).map(|a| a.iter().map(|s| s.join("+")).collect::<Vec<_>>().join(" | "));
        assert_eq!(text("MIT OR Apache-2.0").as_deref(), Some("MIT | Apache-2.0"));
        assert_eq!(
            text("(MIT OR Apache-2.0) AND Unicode-3.0").as_deref(),
            Some("MIT+Unicode-3.0 | Apache-2.0+Unicode-3.0")
        );
        assert_eq!(text("MIT/Apache-2.0").as_deref(), Some("MIT | Apache-2.0"));
        assert_eq!(text("Mine"), None);
    }
}
