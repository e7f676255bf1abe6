//! Which finding is said where, and in which words.
//!
//! A finding about a new library is said under that library, so that it is one alarm and not three; every other one
//! that blocks stands under what blocks. What does not block is folded away, by kind. Each list is made of closures,
//! which word an entry only where there is room for it: a change of thousands of packages costs what is shown.

use std::collections::{BTreeMap, BTreeSet};

use super::super::escape::{markdown_code as code, shell_word, shown};
use super::super::words::{self, Approval, LONGEST_PURL, NAME, PATH, UNREVIEWED, count, is_summed_up};
use super::page::Entry;
use super::{said, said_of};
use crate::model::change::{Change, ChangeKind, ChecksumMove};
use crate::model::finding::{Finding, Level, SubjectKind};
use crate::model::inventory::SourceKind;
use crate::model::review::Reviewed;
use crate::model::verdict::{Comparison, FileState, Verdict};
use crate::model::{Ecosystem, RepoPath, purl};

/// Names of a closure, controls of a finding, facts of an example that are shown.
const NAMED: usize = 6;
/// How a remedy that ends in one of our commands goes on.
const COMMAND: &str = "portcullis ";

/// The findings of a verdict, filed.
pub(super) struct Filed<'a> {
    verdict: &'a Verdict,
    changes: BTreeMap<&'a str, &'a Change>,
    /// What is said under a new library, by the id of its change, in the verdict's order.
    under: BTreeMap<&'a str, Vec<&'a Finding>>,
    /// New libraries that are said, the loudest first.
    libraries: Vec<&'a Change>,
    /// What blocks and is said on its own.
    blocking: Vec<&'a Finding>,
    /// What does not block.
    mild: Vec<&'a Finding>,
}

/// How to word one entry, when it comes to that.
pub(super) type Worded<'f> = Box<dyn FnOnce() -> Entry + 'f>;

impl<'a> Filed<'a> {
    pub(super) fn new(verdict: &'a Verdict) -> Self {
        let changes: BTreeMap<&str, &Change> = verdict.changes.iter().map(|c| (c.id.as_str(), c)).collect();
        let mut filed = Self {
            verdict,
            changes,
            under: BTreeMap::new(),
            libraries: Vec::new(),
            blocking: Vec::new(),
            mild: Vec::new(),
        };
        for finding in &verdict.findings {
            let library = filed.change(finding).filter(|change| change.new_library && finding.advisory.is_none());
            match library {
                _ if finding.is_answered() || is_summed_up(finding, verdict) => {}
                Some(change) => filed.under.entry(&change.id).or_default().push(finding),
                None if finding.blocks => filed.blocking.push(finding),
                None => filed.mild.push(finding),
            }
        }
        // A library that came with another is listed there, unless something is said of it alone.
        let mut libraries: Vec<(&Change, _)> = verdict
            .changes
            .iter()
            .filter(|change| change.new_library && change.kind != ChangeKind::Removed)
            .map(|change| (change, filed.under.get(change.id.as_str()).and_then(|findings| words::lead(findings))))
            .filter(|(change, lead)| change.direct || change.under.is_empty() || lead.is_some())
            .collect();
        libraries.sort_by_key(|(_, lead)| std::cmp::Reverse(lead.map(|finding| (finding.blocks, finding.level))));
        filed.libraries = libraries.into_iter().map(|(change, _)| change).collect();
        filed
    }

    fn change(&self, finding: &Finding) -> Option<&'a Change> {
        finding.change.as_deref().and_then(|id| self.changes.get(id).copied())
    }

    fn of_library(&self, change: &Change) -> &[&'a Finding] {
        self.under.get(change.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Checks whose absence makes the answer incomplete.
    pub(super) fn missing(&self) -> Vec<Worded<'_>> {
        let skipped = self.verdict.coverage.checks_skipped.iter().filter(|skipped| skipped.incomplete);
        skipped.map(|skipped| worded(|| skipped_entry(&skipped.check, &skipped.reason))).collect()
    }

    pub(super) fn blocking(&self) -> Vec<Worded<'_>> {
        self.blocking.iter().map(|finding| worded(|| self.finding(finding))).collect()
    }

    pub(super) fn libraries(&self) -> Vec<Worded<'_>> {
        self.libraries.iter().map(|change| worded(|| self.library(change))).collect()
    }

    pub(super) fn libraries_title(&self) -> String {
        let blocks = |change: &&&Change| self.of_library(change).iter().any(|finding| finding.blocks);
        match self.libraries.iter().filter(blocks).count() {
            0 => "New libraries".to_owned(),
            1 => "New libraries — 1 needs clearing".to_owned(),
            n => format!("New libraries — {n} need clearing"),
        }
    }

    pub(super) fn answered(&self) -> Vec<Worded<'_>> {
        let answered = self.verdict.findings.iter().filter(|finding| finding.is_answered());
        answered.map(|finding| worded(|| self.answered_entry(finding))).collect()
    }

    /// Advisories that stood on base before, and those that head gets rid of.
    pub(super) fn standing(&self) -> Vec<Worded<'_>> {
        let is_standing = |finding: &&Finding| !finding.is_answered() && is_summed_up(finding, self.verdict);
        self.verdict
            .findings
            .iter()
            .filter(is_standing)
            .map(|finding| worded(|| self.standing_entry(finding)))
            .collect()
    }

    pub(super) fn mild(&self) -> Vec<Worded<'_>> {
        self.mild.iter().map(|finding| worded(|| self.finding(finding))).collect()
    }

    /// Changed packages that no finding speaks of and that are no new libraries.
    pub(super) fn other_changes(&self) -> Vec<Worded<'_>> {
        let said: BTreeSet<&str> = self.verdict.findings.iter().filter_map(|f| f.change.as_deref()).collect();
        let is_other = |change: &&Change| !change.new_library && !said.contains(change.id.as_str());
        let others = self.verdict.changes.iter().filter(is_other);
        others
            .map(|change| worded(|| Entry::new(format!("{} · {}", package(change), words::reach(change, code)))))
            .collect()
    }

    /// Checks that were left out without harm, and files that nobody could read.
    pub(super) fn not_judged(&self) -> Vec<Worded<'_>> {
        let coverage = &self.verdict.coverage;
        let checks = coverage.checks_skipped.iter().filter(|skipped| !skipped.incomplete);
        let checks = checks.map(|skipped| worded(|| skipped_entry(&skipped.check, &skipped.reason)));
        let is_unread = |state| matches!(state, FileState::Failed | FileState::TooLarge | FileState::Unsupported);
        let mut files: Vec<_> = coverage.files.iter().filter(|file| is_unread(file.state)).collect();
        // A file that should have been read comes before one that nobody can read.
        files.sort_by_key(|file| (file.state == FileState::Unsupported, &file.path));
        let files = files.into_iter().map(|file| {
            worded(|| {
                let reason = file.reason.as_ref().map(|reason| format!(", {}", said(reason))).unwrap_or_default();
                Entry::new(format!("{}: {}{reason}", place(&file.path, 0), file.state))
            })
        });
        checks.chain(files).collect()
    }

    /// Whether a change to the gate itself blocks.
    pub(super) fn gate_blocks(&self) -> bool {
        let is_gate = |finding: &Finding| finding.subject.kind == SubjectKind::Gate || finding.rule == "gate-changed";
        self.blocking.iter().any(|finding| is_gate(finding))
    }

    /// The commands that write what is missing into the ledger, each once: approvals, then waivers where the rule's own
    /// remedy names one.
    pub(super) fn commands(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let blocking = || self.libraries.iter().flat_map(|change| self.of_library(change)).chain(&self.blocking);
        let approvals = blocking().filter(|finding| finding.blocks).filter_map(|finding| {
            match words::approval(self.change(finding)?) {
                Approval::Missing(command, _) => Some(command),
                Approval::Nothing | Approval::Pending(_) => None,
            }
        });
        let waivers = blocking()
            .filter(|finding| finding.blocks && finding.remediation.contains("portcullis waive "))
            .map(|finding| waiver(finding));
        // Who is named decides whose approval on the forge counts for the entry.
        let commands = approvals.chain(waivers).map(|command| format!("{command} --by …"));
        commands.filter(|command| seen.insert(command.clone())).collect()
    }

    /// A finding on its own.
    fn finding(&self, finding: &Finding) -> Entry {
        let change = self.change(finding);
        let subject = match (change, &finding.subject.purl) {
            (Some(change), _) => format!("{} · {}", package(change), words::through(change, code)),
            (None, Some(purl)) => code(purl, PATH),
            (None, None) => place_of(finding),
        };
        let mut entry = Entry::new(format!("**{}** {} · {subject}", finding.level, rule(finding)));
        let is_placed = change.is_some() || finding.subject.purl.is_some();
        let at = finding.location.as_ref().filter(|_| is_placed).map(|at| format!(" · {}", place(&at.file, at.line)));
        let at = at.unwrap_or_default();
        match &finding.advisory {
            Some(matched) => {
                let facts = words::advisory(matched, false, code);
                entry.below.push(format!("{} · {facts}{at}", code(&matched.id, NAME)));
            }
            None => entry.below.push(format!("{}{at}", message(finding, change))),
        }
        // A shorter path has been said: it is the direct dependency alone.
        if let Some(change) = change.filter(|change| change.via.len() > 3) {
            entry.below.push(format!("Comes {}", words::via(&change.via, code)));
        }
        entry.below.extend(change.map(movement).unwrap_or_default());
        entry.below.extend(closing(finding));
        entry
    }

    /// A new library with its facts and all that is said of it.
    fn library(&self, change: &Change) -> Entry {
        let findings = self.of_library(change);
        let lead = words::lead(findings);
        let library = format!("{} · {}", package(change), words::reach(change, code));
        let mut entry = Entry::new(match (&change.review.cleared_by, lead.filter(|finding| finding.blocks)) {
            (_, Some(finding)) => format!("**{}** {} · {library}", finding.level, rule(finding)),
            (Some(id), None) => format!("{library} · covered by {}", code(id, NAME)),
            (None, None) if change.bytes_on_base => format!("{library} · the same bytes stand elsewhere on base"),
            (None, None) => format!("{library} · no review required"),
        });
        if findings.is_empty() && change.review.cleared_by.is_some() {
            return entry;
        }
        let facts = words::facts(change, false, code);
        if !facts.is_empty() {
            entry.below.push(format!("Facts: {facts}"));
        }
        let locked = change.side().map(|side| place(&side.file, side.line));
        match (&change.declared, locked) {
            (Some((file, line)), _) => entry.below.push(format!("Asked for in {}", place(file, *line))),
            (None, _) if change.via.len() > 2 => entry.below.push(format!("Comes {}", words::via(&change.via, code))),
            (None, Some(locked)) => entry.below.push(format!("Locked in {locked}")),
            (None, None) => {}
        }
        entry.below.extend(movement(change));
        entry.below.extend(self.closure(change));
        for finding in findings.iter().filter(|finding| finding.rule != UNREVIEWED) {
            let level = if finding.blocks { format!("**{}**", finding.level) } else { finding.level.to_string() };
            entry.below.push(format!("{level} {}: {}", rule(finding), message(finding, Some(change))));
            entry.below.extend(closing(finding));
        }
        match words::approval(change) {
            Approval::Pending(by) => entry.below.push(format!(
                "Approved by {0} in this change; counts once {0} has approved the pull request",
                code(&by, NAME)
            )),
            Approval::Missing(_, true) => entry.below.push("Two people have to look at this one".to_owned()),
            Approval::Missing(_, false) | Approval::Nothing => {}
        }
        entry
    }

    /// What else the library brought in.
    fn closure(&self, change: &Change) -> Option<String> {
        let name = |id: &String| match self.changes.get(id.as_str()) {
            Some(change) => words::name(change, code),
            None => code(id, NAME),
        };
        let mut names: Vec<String> = change.closure.iter().take(NAMED).map(name).collect();
        if change.closure.len() > NAMED {
            names.push(format!("and {} more", change.closure.len() - NAMED));
        }
        (!names.is_empty()).then(|| format!("Brings {}", names.join(", ")))
    }

    fn answered_entry(&self, finding: &Finding) -> Entry {
        let cleared = finding.cleared_by.as_ref().map(|cleared| {
            let login = code(&cleared.login, NAME);
            format!(" · approved by {login}, review {} of pull request {}", cleared.review, cleared.pull)
        });
        let by = finding.waived_by.as_ref().map(|waived| {
            let (id, owner, end) = (code(&waived.id, NAME), code(&waived.owner, NAME), code(&waived.expires, NAME));
            format!(" · waived by {owner} until {end} ({id})")
        });
        Entry::new(format!("{} · {}{}", rule(finding), self.subject(finding), cleared.or(by).unwrap_or_default()))
    }

    fn standing_entry(&self, finding: &Finding) -> Entry {
        let origin = finding.origin.map(|origin| origin.as_str()).unwrap_or_default();
        let what = finding.advisory.as_ref().map_or_else(
            || rule(finding),
            |matched| format!("{} · {}", code(&matched.id, NAME), words::advisory(matched, false, code)),
        );
        Entry::new(format!("{origin} · {} · {what}", self.subject(finding)))
    }

    fn subject(&self, finding: &Finding) -> String {
        match (self.change(finding), &finding.subject.purl) {
            (Some(change), _) => package(change),
            (None, Some(purl)) => code(purl, PATH),
            (None, None) => place_of(finding),
        }
    }
}

fn worded<'f>(entry: impl FnOnce() -> Entry + 'f) -> Worded<'f> {
    Box::new(entry)
}

fn skipped_entry(check: &str, reason: &str) -> Entry {
    Entry::new(format!("{}: {}", code(check, NAME), said(reason)))
}

/// Whose approvals on the forge count, and why others do not.
pub(super) fn reviews(verdict: &Verdict) -> Vec<Worded<'_>> {
    let of = |reviewed: &Reviewed| {
        let logins: Vec<String> = reviewed.approvals.iter().map(|approver| code(&approver.login, NAME)).collect();
        let who = if logins.is_empty() { "nobody's approval counts".to_owned() } else { logins.join(", ") };
        let mut entry = Entry::new(format!("Pull request {}: {who}", reviewed.number));
        entry.below.extend(reviewed.remarks.iter().take(NAMED).map(|remark| said(remark)));
        entry
    };
    verdict.reviews.iter().map(|reviewed| worded(move || of(reviewed))).collect()
}

/// How head's policy differs, with what it lets through.
pub(super) fn comparison(comparison: &Comparison) -> Vec<Worded<'_>> {
    let examples = comparison.examples.iter().map(|example| {
        worded(move || {
            let of = |level: Option<Level>| level.map_or("nothing", Level::as_str);
            let which =
                if example.rule.is_empty() { String::new() } else { format!("{} · ", code(&example.rule, NAME)) };
            let mut entry = Entry::new(format!("{which}{} → {}", of(example.base), of(example.head)));
            entry.below.push(said(&example.what));
            let facts = example.subject.iter().take(NAMED);
            let facts: Vec<String> = facts.map(|(n, v)| format!("{} = {}", code(n, NAME), code(v, NAME))).collect();
            if !facts.is_empty() {
                entry.below.push(format!("Where {}", facts.join(", ")));
            }
            entry
        })
    });
    let notes = comparison.notes.iter().map(|note| worded(|| Entry::new(format!("Note: {}", said(note)))));
    let solver =
        comparison.solver.iter().map(|solver| worded(|| Entry::new(format!("Solver: {}", code(solver, NAME)))));
    examples.chain(notes).chain(solver).collect()
}

/// The data and the policy behind the answer.
pub(super) fn basis(verdict: &Verdict) -> Vec<Worded<'_>> {
    let mut entries: Vec<Worded<'_>> = Vec::new();
    if let Some(note) = &verdict.base_note {
        entries.push(worded(|| Entry::new(format!("Base: {}", said(note)))));
    }
    let rev = |rev: &Option<String>| rev.as_ref().map(|r| format!(" at {}", code(r, NAME))).unwrap_or_default();
    let (policy, ledger) = (&verdict.policy, &verdict.ledger);
    entries.push(worded(move || {
        Entry::new(format!("Policy: {}{}, {}", policy.from, rev(&policy.rev), code(&policy.digest, NAME)))
    }));
    if let Some(digest) = &ledger.digest {
        entries.push(worded(move || Entry::new(format!("Ledger: {}{}", code(digest, NAME), rev(&ledger.rev)))));
    }
    if let Some(judged) = verdict.coverage.lines {
        let unknown = format!("{} in no known language", count(judged.unknown_language as usize, "file"));
        entries.push(worded(move || {
            let (lines, files) = (count(judged.added as usize, "line"), count(judged.files as usize, "file"));
            Entry::new(format!(
                "Lines: {lines} in {files}, {unknown}; {}",
                count(judged.detectors as usize, "detector")
            ))
        }));
    }
    entries.extend(verdict.advisories.sources.iter().map(|source| {
        worded(move || {
            let built_in = if source.built_in { ", built in" } else { "" };
            let (ecosystem, time) = (code(&source.ecosystem, NAME), code(&source.as_of, NAME));
            Entry::new(format!(
                "Advisories for {ecosystem}: {} of {time}{built_in}",
                count(source.records as usize, "record")
            ))
        })
    }));
    entries.push(worded(|| Entry::new(format!("Decided at {}", code(&verdict.evaluated_at, NAME)))));
    entries
}

/// Ecosystem, name and versions.
fn package(change: &Change) -> String {
    format!("{} {}", change.ecosystem, words::name(change, code))
}

fn rule(finding: &Finding) -> String {
    code(&words::rule(finding), NAME)
}

/// What a finding says, with what it is about in code.
fn message(finding: &Finding, change: Option<&Change>) -> String {
    let file = finding.location.as_ref().map(|at| at.file.as_str());
    said_of(&finding.message, change.map(|change| change.name.as_str()).or(file).unwrap_or_default())
}

/// Remedy and controls.
fn closing(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    if finding.blocks && !finding.remediation.trim().is_empty() {
        lines.push(format!("To clear it: {}", remedy(&finding.remediation)));
    }
    if finding.blocks && !finding.controls.is_empty() {
        let named: Vec<String> = finding.controls.iter().take(NAMED).map(|control| code(control, NAME)).collect();
        let more = match finding.controls.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        lines.push(format!("Evidence for {}{more}", named.join(", ")));
    }
    lines
}

/// A remedy without the command at its end, which stands in the block of commands.
fn remedy(text: &str) -> String {
    match text.find(COMMAND).and_then(|at| text.split_at_checked(at)) {
        Some((words, _)) if !words.trim().is_empty() => {
            let words = words.trim_end();
            let words = words.strip_suffix(" or").unwrap_or(words).trim_end_matches([':', ',']);
            format!("{} (command below)", said(words))
        }
        Some(_) => "with the command below".to_owned(),
        None => said(text),
    }
}

/// The command that waives a finding: by the package where it is about one, else by the fingerprint, and so where the
/// rule's remedy says so (other bytes under an old name are waived one by one). Names that are too long to be copied
/// give way to what is ours.
fn waiver(finding: &Finding) -> String {
    let id = finding.advisory.as_ref().map(|matched| &matched.id).filter(|id| id.len() <= NAME);
    let what = id.unwrap_or(&finding.rule);
    let is_by_content = !finding.fingerprint.is_empty() && finding.remediation.contains(&finding.fingerprint);
    let scope = finding.subject.purl.as_ref().filter(|purl| !is_by_content && is_scope(purl));
    let scope = scope.unwrap_or(&finding.fingerprint);
    format!("portcullis waive {} --scope {} --reason \"…\" --expires …", shell_word(what), shell_word(scope))
}

/// Whether the ledger takes a package URL as the subject of a waiver: its version must be one of semver, or a range.
fn is_scope(text: &str) -> bool {
    let is_read = |version: &str| semver::Version::parse(version).is_ok() || semver::VersionReq::parse(version).is_ok();
    text.len() <= LONGEST_PURL
        && text.starts_with("pkg:")
        && purl::parse(text, Ecosystem::Cargo).is_ok_and(|named| named.version.is_none_or(|version| is_read(&version)))
}

/// How source and checksum moved.
fn movement(change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    let source = |side: &crate::model::change::Side| code(&side.source.to_string(), PATH);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.source != after.source => {
            lines.push(format!("Source: {} → {}", source(before), source(after)));
        }
        (None, Some(after)) if change.source_new || after.source.kind != SourceKind::Public => {
            lines.push(format!("Source: {}", source(after)));
        }
        _ => {}
    }
    if change.checksum != ChecksumMove::Same {
        let digest = |side: &Option<crate::model::change::Side>| {
            let digest = side.as_ref().and_then(|side| side.checksum.as_deref());
            digest.map_or_else(|| "none".to_owned(), |digest| code(digest, NAME))
        };
        lines.push(format!("Checksum: {} → {}", digest(&change.before), digest(&change.after)));
    }
    if let Some(other) = &change.confusable_with {
        lines.push(format!("Looks like {}", code(other, NAME)));
    }
    lines
}

/// `file:line`, or the file alone where no line applies.
fn place(file: &RepoPath, line: u32) -> String {
    let at = if line > 0 { format!(":{line}") } else { String::new() };
    code(&format!("{}{at}", shown(&file.to_string(), PATH)), 2 * PATH)
}

/// Where a finding is: its line, its project, or the repository as a whole.
fn place_of(finding: &Finding) -> String {
    match (&finding.location, &finding.project) {
        (Some(location), _) => place(&location.file, location.line),
        (None, Some(project)) if !project.is_root() => code(project.as_str(), PATH),
        _ => "the repository".to_owned(),
    }
}
