//! One changed package and all that is said of it: its row, where it comes from, its facts, what it brings, the
//! findings about it, and the command that approves it.

use std::collections::BTreeMap;

use super::super::escape::clipped;
use super::super::words::{self, Approval, NAME, PATH, TEXT, UNREVIEWED};
use super::text::{Item, Mark, Row, Tone};
use super::{place, rule_name};
use crate::model::change::{Change, ChecksumMove};
use crate::model::finding::{Finding, Level};
use crate::model::inventory::SourceKind;

/// Names of a closure that are shown without `-v`.
const CLOSURE: usize = 5;
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
    match (&finding.waived_by, &finding.cleared_by) {
        (Some(_), _) => "waived".to_owned(),
        (_, Some(_)) => "approved".to_owned(),
        _ => finding.level.to_string(),
    }
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
    let facts = words::facts(change, verbose, clipped);
    if !facts.is_empty() {
        items.push(Item::Detail { label: "facts", text: facts, tone: Tone::Plain });
    }
    if let Some(text) = closure(change, all, verbose) {
        items.push(Item::Detail { label: "closure", text, tone: Tone::Dim });
    }
    for finding in findings {
        said(finding, change.new_library, &mut items);
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
    let lead = words::lead(findings).filter(|finding| finding.blocks || change.review.cleared_by.is_none());
    let (mark, level, last) = match (lead, &change.review.cleared_by) {
        (Some(finding), _) => (mark(finding), level(finding), rule_name(finding)),
        (None, Some(id)) => (Mark::Covered, "covered".to_owned(), format!("by {}", clipped(id, NAME))),
        (None, None) if change.bytes_on_base => {
            (Mark::Note, "note".to_owned(), "the same bytes stand elsewhere on base".to_owned())
        }
        (None, None) => (Mark::Note, "note".to_owned(), "no review required".to_owned()),
    };
    Row {
        mark,
        ecosystem: Some(change.ecosystem.as_str()),
        name: words::name(change, clipped),
        place: words::reach(change, clipped),
        level,
        last,
    }
}

/// The manifest line, the path through the graph, or the line of the lockfile.
fn origin(change: &Change, items: &mut Vec<Item>) {
    let locked = change.side().map(|side| place(&side.file, side.line));
    let (label, text) = match &change.declared {
        Some((file, line)) => ("brought in by", place(file, *line)),
        None if change.via.len() > 2 => ("brought in by", words::via(&change.via, clipped)),
        None => ("locked at", locked.unwrap_or_default()),
    };
    if !text.is_empty() {
        items.push(Item::Detail { label, text, tone: Tone::Plain });
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

/// What else the library brought in.
fn closure(change: &Change, all: &BTreeMap<&str, &Change>, verbose: bool) -> Option<String> {
    let shown = if verbose { usize::MAX } else { CLOSURE };
    let mut names: Vec<String> = change
        .closure
        .iter()
        .take(shown)
        .map(|id| all.get(id.as_str()).map_or_else(|| clipped(id, NAME), |change| words::name(change, clipped)))
        .collect();
    match change.closure.len().saturating_sub(names.len()) {
        0 => {}
        more => names.push(format!("and {more} more")),
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// What one finding says. Of a new library the section already says what `library-unreviewed` would.
fn said(finding: &Finding, is_new_library: bool, items: &mut Vec<Item>) {
    if let Some(text) = answered(finding) {
        items.push(Item::Said { mark: Mark::Note, text });
        return;
    }
    if finding.rule == UNREVIEWED && is_new_library {
        return;
    }
    items.push(Item::Said {
        mark: mark(finding),
        text: format!("{} ({}): {}", rule_name(finding), finding.level, clipped(&finding.message, TEXT)),
    });
    items.extend(remedy(finding));
}

/// The line of a finding that somebody answers for.
pub(super) fn answered(finding: &Finding) -> Option<String> {
    let cleared = finding.cleared_by.as_ref().map(|cleared| {
        format!(
            "{}: approved on the forge by {}, review {} of pull request {}",
            rule_name(finding),
            clipped(&cleared.login, NAME),
            cleared.review,
            cleared.pull
        )
    });
    let waived = finding.waived_by.as_ref().map(|waived| {
        format!(
            "{}: waived by {}, {}, until {}",
            rule_name(finding),
            clipped(&waived.id, NAME),
            clipped(&waived.owner, NAME),
            clipped(&waived.expires, NAME)
        )
    });
    cleared.or(waived)
}

/// How to mend what blocks.
pub(super) fn remedy(finding: &Finding) -> Option<Item> {
    (finding.blocks && !finding.remediation.is_empty()).then(|| Item::Detail {
        label: "",
        text: format!("  → {}", clipped(&finding.remediation, TEXT)),
        tone: Tone::Dim,
    })
}

/// The command that approves the change, where an approval is what is missing.
fn approval(change: &Change, items: &mut Vec<Item>) {
    match words::approval(change) {
        Approval::Nothing => {}
        Approval::Pending(by) => {
            let text = format!(
                "by {0} in this change; counts once it is merged, or {0} approves the pull request",
                clipped(&by, NAME)
            );
            items.push(Item::Detail { label: "approved", text, tone: Tone::Plain });
        }
        Approval::Missing(text, by_two) => {
            items.push(Item::Command { label: "approve", text });
            if by_two {
                let text = "two people have to look at this one".to_owned();
                items.push(Item::Detail { label: "depth", text, tone: Tone::Plain });
            }
        }
    }
}
