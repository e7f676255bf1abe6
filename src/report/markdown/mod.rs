//! For a comment on a pull request and for the summary of a job: what was decided, what blocks, the new libraries and
//! how to clear them; everything else is folded away.
//!
//! **Nothing is obeyed in it.** Names, paths and advisories come from whoever wrote the change, and GitHub obeys a lot:
//! mentions, references to issues and commits, addresses, HTML, images, formulas, emoji, alerts, footnotes. Names and
//! paths therefore stand in code spans, which CommonMark takes literally and GitHub's own filters leave out; sentences
//! keep only plain words outside code ([`escape::markdown`]). What is shown has no line break, and every line begins
//! with a word of ours, so that no block can begin in it. There are lists and no tables: GitHub's tables part cells at
//! `|` even within code spans, and parsers disagree about the backslash before one (GFM 4.10). HTML with entities
//! would be no way out: GitHub makes links of mail addresses also in a `<code>` that came as HTML.
//!
//! `sections` files and words the findings, `page` lays them out under the limits of a comment. A renderer written by
//! others reads the result in the tests. The first line is [`MARKER`], by which a comment of ours is known.

mod page;
mod sections;

use super::escape::markdown_code as code;
use super::words::{NAME, PATH, TEXT, count, counts};
use super::{Look, escape};
use crate::model::verdict::{Decision, RevisionName, Verdict};
use page::Page;
use sections::{Filed, Worded};

/// The first line of the text: invisible, and the same in every version.
pub const MARKER: &str = "<!-- portcullis:verdict -->";

/// Bytes of the page that are used up, at most, when a section ends. What one leaves over is for those below it, and
/// the sums beyond the last are for titles, cuts and the closing lines.
mod until {
    pub(super) const BLOCKING: usize = 24_000;
    pub(super) const LIBRARIES: usize = 36_000;
    pub(super) const COMMANDS: usize = 42_000;
    pub(super) const SMALL: usize = 48_000;
    pub(super) const REST: usize = 54_000;
    pub(super) const BASIS: usize = super::page::BYTES - 2_500;
}

/// Flags that overrode the governing revision and are named.
const OVERRIDES: usize = 5;

/// The verdict as GitHub's Markdown.
#[must_use]
pub fn render(verdict: &Verdict, _look: &Look) -> String {
    let filed = Filed::new(verdict);
    let mut page = Page::new(MARKER);
    page.paragraph(&headline(verdict));
    page.paragraph(&in_brief(verdict));
    if !verdict.overrides.is_empty() {
        page.paragraph(&overrides(verdict));
    }
    page.list("Not judged, and has to be", filed.missing(), until::BLOCKING);
    page.list("What blocks", filed.blocking(), until::BLOCKING);
    page.list(&filed.libraries_title(), filed.libraries(), until::LIBRARIES);
    how_to_clear(&filed, verdict.command == "check", &mut page);
    rest(verdict, &filed, &mut page);
    page.finish(&last(verdict))
}

/// The decision and its counts.
fn headline(verdict: &Verdict) -> String {
    let sign = match verdict.decision {
        Decision::Allow => "🟢",
        Decision::Review => "🟡",
        Decision::Incomplete => "🟠",
        Decision::Deny => "🔴",
    };
    let counts = counts(verdict);
    let dash = if counts.is_empty() { "" } else { " — " };
    format!("### {sign} Portcullis: {}{dash}{counts}", verdict.decision)
}

/// What changed, in one line.
fn in_brief(verdict: &Verdict) -> String {
    let mut parts = Vec::new();
    match (verdict.command, verdict.changes.len()) {
        ("audit", _) => parts.push(format!("{} audited", count(verdict.projects.len(), "project"))),
        (_, 0) => parts.push("no dependency changed".to_owned()),
        (_, n) => parts.push(format!("{} changed", count(n, "package"))),
    }
    match verdict.changes.iter().filter(|change| change.new_library).count() {
        0 => {}
        1 => parts.push("1 new library".to_owned()),
        n => parts.push(format!("{n} new libraries")),
    }
    if let Some(judged) = verdict.coverage.lines.filter(|judged| judged.files > 0) {
        parts.push(format!("{} judged", count(judged.added as usize, "line")));
    }
    parts.join(" · ")
}

fn overrides(verdict: &Verdict) -> String {
    let named: Vec<String> = verdict
        .overrides
        .iter()
        .take(OVERRIDES)
        .map(|o| format!("{} {}", code(&o.flag, NAME), code(&o.value, PATH)))
        .collect();
    let more = match verdict.overrides.len().saturating_sub(OVERRIDES) {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    format!("Overridden by hand: {}{more}", named.join(", "))
}

fn how_to_clear(filed: &Filed<'_>, is_change: bool, page: &mut Page) {
    let commands = filed.commands();
    if commands.is_empty() && !(is_change && filed.gate_blocks()) {
        return;
    }
    page.paragraph("**How to clear it**");
    if !commands.is_empty() {
        page.commands(&commands, until::COMMANDS);
        page.paragraph(if is_change {
            "Run on this branch, with the reviewer's login behind `--by`, and commit `.portcullis/ledger.toml`: its author may \
             do that, and whoever pushes it cannot be that reviewer. An entry counts once the reviewer it names has \
             approved this pull request, or once it stands on the protected branch."
        } else {
            "Run and commit `.portcullis/ledger.toml`. An entry counts once it stands on the protected branch."
        });
    }
    if is_change && filed.gate_blocks() {
        page.paragraph(
            "A change to the gate itself is cleared by a configured reviewer who approves this pull request.",
        );
    }
}

/// What is folded away: the small lists before the long ones, so that none pushes the others out.
fn rest(verdict: &Verdict, filed: &Filed<'_>, page: &mut Page) {
    let list = |page: &mut Page, title: &str, entries: Vec<Worded<'_>>, until| {
        page.details(&format!("{title}: {}", entries.len()), entries, until);
    };
    list(page, "Waived or approved", filed.answered(), until::SMALL);
    list(page, "Reviews", sections::reviews(verdict), until::SMALL);
    if let Some(comparison) = &verdict.policy.comparison {
        let summary = format!("Policy of this change, compared with the one in force: {}", comparison.result);
        page.details(&summary, sections::comparison(comparison), until::SMALL);
    }
    list(page, "Advisories that are not of this change", filed.standing(), until::SMALL);
    list(page, "Files and checks not judged", filed.not_judged(), until::SMALL);
    list(page, "Warnings and notes", filed.mild(), until::REST);
    list(page, "Other changes, without a finding", filed.other_changes(), until::REST);
    page.details("What this rests on", sections::basis(verdict), until::BASIS);
}

/// What was compared, by whose policy, with which data. Commits stand in code, where GitHub makes no links of them.
fn last(verdict: &Verdict) -> String {
    let head = revision(&verdict.head);
    let mut parts = vec![format!("portcullis {}", env!("CARGO_PKG_VERSION"))];
    parts.push(match &verdict.base {
        Some(base) => format!("{} → {head}", revision(base)),
        None => format!("{} of {head}", verdict.command),
    });
    let digest = verdict.policy.digest.strip_prefix("sha256:").unwrap_or(&verdict.policy.digest);
    let digest: String = digest.chars().take(12).collect();
    parts.push(format!("policy {} {}", code(&digest, NAME), verdict.policy.from));
    parts.push(match &verdict.advisories.as_of {
        // The day is enough here; the list above has the time.
        Some(time) => format!("advisories of {}", code(time.get(..10).unwrap_or(time), NAME)),
        None if verdict.changes.is_empty() && verdict.complete => "advisories not needed".to_owned(),
        None => "no advisory data".to_owned(),
    });
    parts.push(format!("{} ms", verdict.elapsed_ms));
    format!("<sub>{}</sub>", parts.join(" · "))
}

fn revision(name: &RevisionName) -> String {
    match &name.rev {
        None => code(&name.name, NAME),
        Some(rev) => {
            let short = code(&rev.chars().take(7).collect::<String>(), NAME);
            // What the user typed may be the commit itself.
            if name.name.is_empty() || rev.starts_with(&name.name) {
                short
            } else {
                format!("{short} ({})", code(&name.name, NAME))
            }
        }
    }
}

/// A sentence of a message.
fn said(text: &str) -> String {
    escape::markdown(text, TEXT)
}

/// A sentence about something with a name from outside, with the name in code wherever it stands as a word of its own:
/// a path such as `all is well and` must not read as ours.
fn said_of(text: &str, name: &str) -> String {
    // What is longer than the sentence that is shown would not be shown whole.
    if name.is_empty() || name.len() > TEXT || name.contains('`') {
        return said(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        out.push_str(before);
        let is_start = out.chars().next_back().is_none_or(|c| c == ' ' || c == '(');
        let is_end = after.chars().next().is_none_or(|c| " ,;:.)".contains(c));
        let quote = if is_start && is_end { "`" } else { "" };
        out.push_str(&format!("{quote}{name}{quote}"));
        rest = after;
    }
    out.push_str(rest);
    said(&out)
}

#[cfg(test)]
mod tests;
