//! For people: what blocks and why, on one screen, and nothing where there is nothing to say.
//!
//! `sections` files the findings, `entry` words one changed package, `text` lays it all out and escapes it. A verdict
//! without findings is two lines: what was compared, and the decision.

mod entry;
mod sections;
mod text;

use super::Look;
use super::escape::clipped;
use super::words::{BASELINE, NAME, PATH, TEXT, count, counts};
use crate::model::RepoPath;
use crate::model::finding::Finding;
use crate::model::verdict::{Decision, RevisionName, Verdict};
use text::{Mark, Page, Tone};

/// The verdict for a terminal.
#[must_use]
pub fn render(verdict: &Verdict, look: &Look) -> String {
    let mut page = Page::new(look);
    if look.quiet {
        blocking(verdict, &mut page);
    } else {
        header(verdict, &mut page);
        page.sections(&sections::sections(verdict, look.verbose > 0));
        page.blank();
    }
    overrides(verdict, &mut page);
    last(verdict, &mut page);
    page.finish()
}

/// What was compared.
fn header(verdict: &Verdict, page: &mut Page) {
    let head = revision(&verdict.head);
    let compared = match &verdict.base {
        Some(base) => format!("base {} → {head}", revision(base)),
        None => format!("{} of {head}", verdict.command),
    };
    let lockfiles = verdict.projects.iter().filter(|project| project.lockfile.is_some()).count();
    let text = format!(
        "portcullis {} · {compared} · {}, {}",
        env!("CARGO_PKG_VERSION"),
        count(verdict.projects.len(), "project"),
        count(lockfiles, "lockfile")
    );
    page.line(0, 2, &[(Tone::Plain, &text)]);
    if let Some(note) = &verdict.base_note {
        page.line(0, 2, &[(Tone::Dim, &clipped(note, TEXT))]);
    }
}

fn revision(name: &RevisionName) -> String {
    let label = clipped(&name.name, NAME);
    match &name.rev {
        None => label,
        Some(rev) => {
            let short: String = rev.chars().take(7).collect();
            // What the user typed may be the commit itself.
            if name.name.is_empty() || rev.starts_with(&name.name) { short } else { format!("{short} ({label})") }
        }
    }
}

/// With `-q`: what blocks and what is missing, one line each.
fn blocking(verdict: &Verdict, page: &mut Page) {
    for finding in verdict.findings.iter().filter(|finding| finding.blocks) {
        let mark = entry::mark(finding);
        let what: Vec<String> = [
            Some(rule_name(finding)),
            finding.subject.purl.as_ref().map(|purl| clipped(purl, PATH)),
            finding.advisory.as_ref().map(|advisory| clipped(&advisory.id, NAME)),
            finding.location.as_ref().map(|location| place(&location.file, location.line)),
            Some(clipped(&finding.message, TEXT)),
        ]
        .into_iter()
        .flatten()
        .collect();
        page.cut(&[(mark.tone(), &entry::level(finding)), (Tone::Plain, &what.join(" · "))]);
    }
    for skipped in verdict.coverage.checks_skipped.iter().filter(|skipped| skipped.incomplete) {
        let text = format!("{}: {}", clipped(&skipped.check, NAME), clipped(&skipped.reason, TEXT));
        page.cut(&[(Mark::Review.tone(), "not judged"), (Tone::Plain, &text)]);
    }
}

fn overrides(verdict: &Verdict, page: &mut Page) {
    if !verdict.overrides.is_empty() {
        let flags: Vec<String> = verdict
            .overrides
            .iter()
            .map(|o| format!("{} {}", clipped(&o.flag, NAME), clipped(&o.value, PATH)))
            .collect();
        page.line(0, 2, &[(Tone::Yellow, "overridden:"), (Tone::Plain, &flags.join(", "))]);
    }
}

/// The decision and what it rests on.
fn last(verdict: &Verdict, page: &mut Page) {
    let tone = match verdict.decision {
        Decision::Allow => Tone::Green,
        Decision::Review | Decision::Incomplete => Tone::Yellow,
        Decision::Deny => Tone::Red,
    };
    let mut parts = Vec::new();
    let counts = counts(verdict);
    if !counts.is_empty() {
        parts.push(counts);
    }
    match (verdict.command, verdict.changes.len()) {
        ("audit", _) => {}
        (_, 0) => parts.push("no dependency changed".to_owned()),
        (_, n) => parts.push(format!("{} changed", count(n, "package"))),
    }
    // Where no text differs there is nothing to say of lines.
    if let Some(judged) = verdict.coverage.lines.filter(|judged| judged.files > 0) {
        let lines = count(judged.added as usize, "line");
        let unknown = match judged.unknown_language {
            0 => String::new(),
            n => format!(", {} in no known language", count(n as usize, "file")),
        };
        let verb = if verdict.command == "audit" { "" } else { " added" };
        parts.push(format!("{lines}{verb}{unknown}"));
    }
    parts.push(match &verdict.advisories.as_of {
        // The day is enough here; the JSON report has the time.
        Some(time) => format!("advisories of {}", clipped(time.get(..10).unwrap_or(time), NAME)),
        // Nothing asked for data where nothing changed.
        None if verdict.changes.is_empty() && verdict.complete => "advisories not needed".to_owned(),
        None => "no advisory data".to_owned(),
    });
    let digest = &verdict.policy.digest;
    let digest: String = digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(4).collect();
    parts.push(format!("policy {digest}… {}", verdict.policy.from));
    parts.push(format!("{} ms", verdict.elapsed_ms));
    let decision = verdict.decision.as_str().to_uppercase();
    // The empty piece makes the gap after the decision two blanks wide.
    page.line(0, 2, &[(tone, &decision), (Tone::Plain, &format!(" {}", parts.join(" · ")))]);
}

/// `file:line`, or the file alone where no line applies.
fn place(file: &RepoPath, line: u32) -> String {
    let file = clipped(&file.to_string(), PATH);
    if line > 0 { format!("{file}:{line}") } else { file }
}

/// The rule, with its pack unless that is the one everybody has.
fn rule_name(finding: &Finding) -> String {
    let rule = clipped(&finding.rule, NAME);
    if finding.pack == BASELINE { rule } else { format!("{}/{rule}", clipped(&finding.pack, NAME)) }
}

#[cfg(test)]
mod tests;
