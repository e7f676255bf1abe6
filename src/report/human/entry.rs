//! One changed package and all that is said of it: its row, where it comes from, its facts, what it brings, the
//! findings about it, and the command that approves it.

use std::collections::BTreeMap;

use super::super::escape::{clipped, shell_word};
use super::text::{Item, Mark, Row, Tone};
use super::{NAME, PATH, TEXT, place, rule_name};
use crate::model::change::{Change, ChangeKind, ChecksumMove, Depth};
use crate::model::evidence::{Evidence, Fact, FactValue, Reason};
use crate::model::finding::{Finding, Level};
use crate::model::inventory::{Scopes, SourceKind};

/// Names of a closure that are shown without `-v`.
const CLOSURE: usize = 5;
/// A package URL longer than this is no address that anyone would approve by copying it.
const LONGEST_PURL: usize = 1000;

/// The rule whose remedy is the approval shown below it.
const UNREVIEWED: &str = "library-unreviewed";

/// The sign of a finding.
pub(super) fn mark(finding: &Finding) -> Mark {
    match (finding.blocks, finding.level) {
        (false, _) => Mark::Note,
        (true, Level::Deny) => Mark::Deny,
        (true, _) => Mark::Review,
    }
}

/// The level cell of a finding.
pub(super) fn level(finding: &Finding) -> String {
    if finding.waived_by.is_some() { "waived".to_owned() } else { finding.level.to_string() }
}

/// The finding that speaks loudest; of equals the alarm about a new library, or else the first.
pub(super) fn lead<'a>(findings: &[&'a Finding]) -> Option<&'a Finding> {
    findings.iter().copied().rev().max_by_key(|finding| (finding.blocks, finding.level, finding.rule == UNREVIEWED))
}

/// Everything about one change.
pub(super) fn items(change: &Change, findings: &[&Finding], all: &BTreeMap<&str, &Change>, verbose: bool) -> Vec<Item> {
    let mut items = vec![Item::Row(row(change, findings))];
    let is_blocked = findings.iter().any(|finding| finding.blocks);
    if findings.is_empty() && change.review.cleared_by.is_some() && !verbose {
        return items;
    }
    origin(change, &mut items);
    movement(change, &mut items);
    let facts = facts(change, verbose);
    if !facts.is_empty() {
        items.push(Item::Detail { label: "facts", text: facts, tone: Tone::Plain });
    }
    if let Some(text) = closure(change, all, verbose) {
        items.push(Item::Detail { label: "closure", text, tone: Tone::Dim });
    }
    for finding in findings {
        said(finding, &mut items);
        if verbose && !finding.controls.is_empty() {
            let controls: Vec<String> = finding.controls.iter().map(|control| clipped(control, NAME)).collect();
            let text = format!("{}: {}", rule_name(finding), controls.join(", "));
            items.push(Item::Detail { label: "evidence for", text, tone: Tone::Dim });
        }
    }
    if is_blocked {
        approval(change, &mut items);
    }
    items
}

fn row(change: &Change, findings: &[&Finding]) -> Row {
    let lead = lead(findings).filter(|finding| finding.blocks || change.review.cleared_by.is_none());
    let (mark, level, last) = match (lead, &change.review.cleared_by) {
        (Some(finding), _) => (mark(finding), level(finding), rule_name(finding)),
        (None, Some(id)) => (Mark::Covered, "covered".to_owned(), format!("by {}", clipped(id, NAME))),
        (None, None) if change.bytes_on_base => {
            (Mark::Note, "note".to_owned(), "the same bytes stand elsewhere on base".to_owned())
        }
        (None, None) => (Mark::Note, "note".to_owned(), "no review required".to_owned()),
    };
    Row { mark, ecosystem: Some(change.ecosystem.as_str()), name: name(change), place: reach(change), level, last }
}

/// Name, version and, where they moved, both versions.
pub(super) fn name(change: &Change) -> String {
    let version = |side: &Option<crate::model::change::Side>| {
        side.as_ref().map(|side| {
            let unlocked = if side.is_locked { "" } else { " (not locked)" };
            format!("{}{unlocked}", clipped(&side.version, NAME))
        })
    };
    let name = clipped(&change.name, NAME);
    let name = match &change.alias {
        Some(alias) => format!("{name} (as {})", clipped(alias, NAME)),
        None => name,
    };
    match (version(&change.before), version(&change.after)) {
        (Some(before), Some(after)) if before != after => format!("{name} {before} → {after}"),
        (_, Some(one)) | (Some(one), None) => format!("{name} {one}"),
        (None, None) => name,
    }
}

/// How the project reaches the package, and in which scope.
fn reach(change: &Change) -> String {
    let how = through(change);
    if change.kind == ChangeKind::Rescoped {
        let scopes = |side: &Option<crate::model::change::Side>| {
            side.as_ref().map_or_else(|| "none".to_owned(), |side| words(side.scopes))
        };
        return format!("{how} · {} → {}", scopes(&change.before), scopes(&change.after));
    }
    if change.new_library || change.kind == ChangeKind::Upgraded {
        format!("{how} · {}", change.scope)
    } else {
        format!("{how} · {}", change.kind)
    }
}

/// `direct`, or the direct dependency that leads to the package.
pub(super) fn through(change: &Change) -> String {
    // The path begins with the project's own member; what follows is the direct dependency.
    match (change.direct, change.via.get(1)) {
        (false, Some(label)) if change.via.len() > 2 => {
            let name = label.rsplit_once('@').map_or(label.as_str(), |(name, _)| name);
            format!("via {}", clipped(name, NAME))
        }
        (false, _) => "transitive".to_owned(),
        (true, _) => "direct".to_owned(),
    }
}

fn words(scopes: Scopes) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join("+")
}

/// The manifest line, the path through the graph, or the line of the lockfile.
fn origin(change: &Change, items: &mut Vec<Item>) {
    let locked = change.side().map(|side| place(&side.file, side.line));
    let (label, text) = match &change.declared {
        Some((file, line)) => ("brought in by", place(file, *line)),
        None if change.via.len() > 2 => ("brought in by", via(&change.via)),
        None => ("locked at", locked.unwrap_or_default()),
    };
    if !text.is_empty() {
        items.push(Item::Detail { label, text, tone: Tone::Plain });
    }
}

/// A path through the graph. The middle of a long one says little.
pub(super) fn via(labels: &[String]) -> String {
    let clip = |label: &String| clipped(label, NAME);
    match labels {
        [first, second, .., last_but_one, last] if labels.len() > 8 => format!(
            "via {} → {} → … ({} more) → {} → {}",
            clip(first),
            clip(second),
            labels.len() - 4,
            clip(last_but_one),
            clip(last)
        ),
        _ => format!("via {}", labels.iter().map(clip).collect::<Vec<_>>().join(" → ")),
    }
}

/// How source and checksum moved.
fn movement(change: &Change, items: &mut Vec<Item>) {
    let mut say = |label, text| items.push(Item::Detail { label, text, tone: Tone::Plain });
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.source != after.source => say(
            "source",
            format!("{} → {}", clipped(&before.source.to_string(), PATH), clipped(&after.source.to_string(), PATH)),
        ),
        (None, Some(after)) if change.source_new || after.source.kind != SourceKind::Public => {
            say("source", clipped(&after.source.to_string(), PATH));
        }
        _ => {}
    }
    if change.checksum != ChecksumMove::Same {
        let digest = |side: &Option<crate::model::change::Side>| {
            side.as_ref()
                .and_then(|side| side.checksum.as_deref())
                .map_or_else(|| "none".to_owned(), |c| clipped(c, 80))
        };
        say("checksum", format!("{} → {}", digest(&change.before), digest(&change.after)));
    }
    if let Some(other) = &change.confusable_with {
        say("looks like", clipped(other, NAME));
    }
}

/// The facts in words, found ones first, and in one short item those that could not be had.
fn facts(change: &Change, verbose: bool) -> String {
    let mut said: Vec<String> = change.facts.iter().filter_map(|fact| fact_in_words(fact, verbose)).collect();
    if !change.closure.is_empty() {
        said.push(format!("brings {} more", change.closure.len()));
    }
    let mut missing: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
    for fact in &change.facts {
        match &fact.value {
            Evidence::Unavailable(Reason::NotAsked) if !verbose => {}
            Evidence::Unavailable(reason) => missing.entry(*reason).or_default().push(fact_name(fact.name)),
            _ => {}
        }
    }
    said.extend(
        missing
            .into_iter()
            .map(|(reason, names)| format!("{} unknown ({})", names.join(", "), reason.as_str().replace('-', " "))),
    );
    said.join(" · ")
}

fn fact_name(name: &str) -> String {
    if name == "age-days" { "age".to_owned() } else { name.replace('-', " ") }
}

fn fact_in_words(fact: &Fact, verbose: bool) -> Option<String> {
    let name = fact_name(fact.name);
    let value = match &fact.value {
        Evidence::Found(value, _) => value,
        Evidence::Absent(_) => return Some(format!("no {name}")),
        Evidence::Unavailable(_) => return None,
    };
    match (fact.name, value) {
        // The closure is counted from the changes themselves.
        ("closure-size", _) => None,
        ("age-days", FactValue::Number(days)) => Some(match days {
            ..=0 => "published today".to_owned(),
            1 => "published yesterday".to_owned(),
            2..=730 => format!("published {days} days ago"),
            _ => format!("published {} years ago", days / 365),
        }),
        ("publishers", FactValue::Number(1)) => Some("1 publisher".to_owned()),
        ("publishers", FactValue::Number(n)) => Some(format!("{n} publishers")),
        ("license", FactValue::Text(text)) => Some(clipped(text, NAME)),
        (_, FactValue::Flag(true)) => Some(name),
        (_, FactValue::Flag(false)) => verbose.then(|| format!("no {name}")),
        (_, FactValue::Number(n)) => Some(format!("{name} {n}")),
        (_, FactValue::Text(text)) => Some(format!("{name} {}", clipped(text, NAME))),
    }
}

/// What else the library brought in.
fn closure(change: &Change, all: &BTreeMap<&str, &Change>, verbose: bool) -> Option<String> {
    let shown = if verbose { usize::MAX } else { CLOSURE };
    let mut names: Vec<String> = change
        .closure
        .iter()
        .take(shown)
        .map(|id| all.get(id.as_str()).map_or_else(|| clipped(id, NAME), |change| name(change)))
        .collect();
    match change.closure.len().saturating_sub(names.len()) {
        0 => {}
        more => names.push(format!("and {more} more")),
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// What one finding says. The section already says what `library-unreviewed` would.
fn said(finding: &Finding, items: &mut Vec<Item>) {
    if let Some(text) = waived(finding) {
        items.push(Item::Said { mark: Mark::Note, text });
        return;
    }
    if finding.rule == UNREVIEWED {
        return;
    }
    items.push(Item::Said {
        mark: mark(finding),
        text: format!("{} ({}): {}", rule_name(finding), finding.level, clipped(&finding.message, TEXT)),
    });
    items.extend(remedy(finding));
}

/// The line of a waived finding.
pub(super) fn waived(finding: &Finding) -> Option<String> {
    finding.waived_by.as_ref().map(|waived| {
        format!(
            "{}: waived by {}, {}, until {}",
            rule_name(finding),
            clipped(&waived.id, NAME),
            clipped(&waived.owner, NAME),
            clipped(&waived.expires, NAME)
        )
    })
}

/// How to mend what blocks.
pub(super) fn remedy(finding: &Finding) -> Option<Item> {
    (finding.blocks && !finding.remediation.is_empty()).then(|| Item::Detail {
        label: "",
        text: format!("  → {}", clipped(&finding.remediation, TEXT)),
        tone: Tone::Dim,
    })
}

/// The command that approves the change, where an approval is what is missing. What came with another library is
/// approved with that one.
fn approval(change: &Change, items: &mut Vec<Item>) {
    let is_missing = change.review.required > Depth::None && change.review.cleared_by.is_none();
    let is_listed_elsewhere = !change.direct && !change.under.is_empty();
    if !is_missing || is_listed_elsewhere || change.after.is_none() || change.purl.len() > LONGEST_PURL {
        return;
    }
    if let Some(by) = &change.review.pending_by {
        let text = format!("by {} in this change; counts once it stands on the protected branch", clipped(by, NAME));
        items.push(Item::Detail { label: "approved", text, tone: Tone::Plain });
        return;
    }
    let closure = if change.closure.is_empty() { "" } else { " --closure" };
    let depth = if change.review.required == Depth::Inspected { " --depth inspected" } else { "" };
    items.push(Item::Command {
        label: "approve",
        text: format!("portcullis approve {}{closure}{depth} --reason \"…\"", shell_word(&change.purl)),
    });
    if change.review.required == Depth::TwoPerson {
        let text = "two people have to look at this one".to_owned();
        items.push(Item::Detail { label: "depth", text, tone: Tone::Plain });
    }
}
