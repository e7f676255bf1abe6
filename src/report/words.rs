//! What several formats say in the same words: a changed package, its facts, an advisory, the counts of a verdict.
//!
//! The words are ours, the names in them are not: each function is given the [`Quote`] of its format, which shortens
//! and escapes one piece of text from outside.

use std::collections::BTreeMap;

use super::escape::shell_word;
use crate::model::advisory::{AdvisoryKind, Matched};
use crate::model::change::{Change, ChangeKind, Depth, Side};
use crate::model::evidence::{Evidence, Fact, FactValue, Reason};
use crate::model::finding::{Finding, Level, Origin};
use crate::model::inventory::Scopes;
use crate::model::verdict::{Decision, Verdict};

/// Escapes a piece of text from outside for a format's sink, and shortens it to so many characters.
pub type Quote = fn(&str, usize) -> String;

/// Characters of a name, of a path or address, and of a sentence that are shown.
pub const NAME: usize = 80;
/// See [`NAME`].
pub const PATH: usize = 200;
/// See [`NAME`].
pub const TEXT: usize = 500;

/// A package URL longer than this is no address that anyone would approve by copying it.
pub const LONGEST_PURL: usize = 1000;

/// The rule whose remedy is the approval shown with the library.
pub const UNREVIEWED: &str = "library-unreviewed";

/// The pack whose name goes without saying.
pub const BASELINE: &str = "baseline";

/// A number and what it counts.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Blocking findings by level, waived ones, and whether something is missing; empty where there is none of these.
#[must_use]
pub fn counts(verdict: &Verdict) -> String {
    let of = |level| verdict.findings.iter().filter(|f| f.blocks && f.level == level).count();
    let waived = verdict.findings.iter().filter(|finding| finding.waived_by.is_some()).count();
    let approved = verdict.findings.iter().filter(|finding| finding.cleared_by.is_some()).count();
    let mut said: Vec<String> = [Level::Deny, Level::Review, Level::Warn, Level::Note]
        .into_iter()
        .map(|level| (of(level), level.as_str()))
        .chain([(waived, "waived"), (approved, "approved")])
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    if !verdict.complete && verdict.decision != Decision::Incomplete {
        said.push("incomplete".to_owned());
    }
    said.join(", ")
}

/// The finding that speaks loudest; of equals the alarm about a new library, or else the first.
#[must_use]
pub fn lead<'a>(findings: &[&'a Finding]) -> Option<&'a Finding> {
    findings.iter().copied().rev().max_by_key(|finding| (finding.blocks, finding.level, finding.rule == UNREVIEWED))
}

/// Whether a finding is only counted: what was there before is the audit's business, and what is gone is good news.
#[must_use]
pub fn is_summed_up(finding: &Finding, verdict: &Verdict) -> bool {
    match finding.origin {
        Some(Origin::Resolved) => true,
        Some(Origin::Inherited | Origin::Disclosed) => {
            !finding.blocks && !finding.is_answered() && verdict.command == "check"
        }
        _ => false,
    }
}

/// The rule, with its pack unless that is the one everybody has. Not escaped.
#[must_use]
pub fn rule(finding: &Finding) -> String {
    if finding.pack == BASELINE { finding.rule.clone() } else { format!("{}/{}", finding.pack, finding.rule) }
}

/// Name, version and, where they moved, both versions.
#[must_use]
pub fn name(change: &Change, quote: Quote) -> String {
    let version = |side: &Option<Side>| {
        side.as_ref().map(|side| {
            let unlocked = if side.is_locked { "" } else { " (not locked)" };
            format!("{}{unlocked}", quote(&side.version, NAME))
        })
    };
    let name = quote(&change.name, NAME);
    let name = match &change.alias {
        Some(alias) => format!("{name} (as {})", quote(alias, NAME)),
        None => name,
    };
    match (version(&change.before), version(&change.after)) {
        (Some(before), Some(after)) if before != after => format!("{name} {before} → {after}"),
        (_, Some(one)) | (Some(one), None) => format!("{name} {one}"),
        (None, None) => name,
    }
}

/// How the project reaches the package, and in which scope.
#[must_use]
pub fn reach(change: &Change, quote: Quote) -> String {
    let how = through(change, quote);
    if change.kind == ChangeKind::Rescoped {
        let scopes =
            |side: &Option<Side>| side.as_ref().map_or_else(|| "none".to_owned(), |side| scope_words(side.scopes));
        return format!("{how} · {} → {}", scopes(&change.before), scopes(&change.after));
    }
    if change.new_library || change.kind == ChangeKind::Upgraded {
        format!("{how} · {}", change.scope)
    } else {
        format!("{how} · {}", change.kind)
    }
}

/// `direct`, or the direct dependency that leads to the package.
#[must_use]
pub fn through(change: &Change, quote: Quote) -> String {
    // The path begins with the project's own member; what follows is the direct dependency.
    match (change.direct, change.via.get(1)) {
        (false, Some(label)) if change.via.len() > 2 => {
            let name = label.rsplit_once('@').map_or(label.as_str(), |(name, _)| name);
            format!("via {}", quote(name, NAME))
        }
        (false, _) => "transitive".to_owned(),
        (true, _) => "direct".to_owned(),
    }
}

fn scope_words(scopes: Scopes) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join("+")
}

/// A path through the graph. The middle of a long one says little.
#[must_use]
pub fn via(labels: &[String], quote: Quote) -> String {
    let clip = |label: &String| quote(label, NAME);
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

/// The facts in words, found ones first, and in one short item those that could not be had.
#[must_use]
pub fn facts(change: &Change, verbose: bool, quote: Quote) -> String {
    let mut said: Vec<String> = change.facts.iter().filter_map(|fact| fact_in_words(fact, verbose, quote)).collect();
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

fn fact_in_words(fact: &Fact, verbose: bool, quote: Quote) -> Option<String> {
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
        ("license", FactValue::Text(text)) => Some(quote(text, NAME)),
        (_, FactValue::Flag(true)) => Some(name),
        (_, FactValue::Flag(false)) => verbose.then(|| format!("no {name}")),
        (_, FactValue::Number(n)) => Some(format!("{name} {n}")),
        (_, FactValue::Text(text)) => Some(format!("{name} {}", quote(text, NAME))),
    }
}

/// Severity and remedy of an advisory; its id goes before them.
#[must_use]
pub fn advisory(matched: &Matched, verbose: bool, quote: Quote) -> String {
    let mut said = Vec::new();
    if matched.kind != AdvisoryKind::Vulnerability {
        said.push(matched.kind.to_string());
    }
    if let Some(score) = matched.severity {
        said.push(format!("{score:.1} {}", severity(score)));
    } else if matched.kind == AdvisoryKind::Vulnerability {
        said.push("severity unknown".to_owned());
    }
    let fixed: Vec<String> = matched.fixed.iter().take(4).map(|version| quote(version, NAME)).collect();
    match (fixed.is_empty(), matched.kind) {
        (false, _) => said.push(format!("fixed in {}", fixed.join(", "))),
        (true, AdvisoryKind::Vulnerability | AdvisoryKind::Unsound) => said.push("no fixed version".to_owned()),
        (true, _) => {}
    }
    if verbose && !matched.aliases.is_empty() {
        let aliases: Vec<String> = matched.aliases.iter().map(|alias| quote(alias, NAME)).collect();
        said.push(format!("also {}", aliases.join(", ")));
    }
    said.join(" · ")
}

/// The word for a CVSS base score (CVSS 3.1 and 4.0, qualitative severity rating scale).
#[must_use]
pub fn severity(score: f64) -> &'static str {
    match score {
        s if s < 4.0 => "low",
        s if s < 7.0 => "medium",
        s if s < 9.0 => "high",
        _ => "critical",
    }
}

/// What stands between a change and its approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// Nothing that an approval of this very package would mend: none is needed, it has one, or what came with another
    /// library is approved with that one.
    Nothing,
    /// Head's own ledger holds one by that person, which does not count yet. Not escaped.
    Pending(String),
    /// This command writes it; one line, for a terminal. Whether two people have to run it.
    Missing(String, bool),
}

/// The command that approves the change, where an approval is what is missing.
#[must_use]
pub fn approval(change: &Change) -> Approval {
    let is_missing = change.review.required > Depth::None && change.review.cleared_by.is_none();
    let is_listed_elsewhere = !change.direct && !change.under.is_empty();
    if !is_missing || is_listed_elsewhere || change.after.is_none() || change.purl.len() > LONGEST_PURL {
        return Approval::Nothing;
    }
    if let Some(by) = &change.review.pending_by {
        return Approval::Pending(by.clone());
    }
    let closure = if change.closure.is_empty() { "" } else { " --closure" };
    let depth = if change.review.required == Depth::Inspected { " --depth inspected" } else { "" };
    let command = format!("portcullis approve {}{closure}{depth} --reason \"…\"", shell_word(&change.purl));
    Approval::Missing(command, change.review.required == Depth::TwoPerson)
}
