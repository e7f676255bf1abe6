//! Which finding is said where. A finding about a change is said under that change, so that a library is one alarm and
//! not three; advisories have their own section; all others are filed by rule, by the table below.

use std::collections::{BTreeMap, BTreeSet};

use super::super::escape::clipped;
use super::super::words::{self, NAME, PATH, TEXT, is_summed_up};
use super::text::{Item, Mark, Row, Section, Tone};
use super::{entry, place, rule_name};
use crate::model::advisory::Matched;
use crate::model::change::{Change, ChangeKind};
use crate::model::finding::{Finding, Level, Origin, SubjectKind};
use crate::model::review::Reviewed;
use crate::model::verdict::{FileState, Verdict};
use crate::model::{Ecosystem, purl};

/// Findings of one rule that do not block and are said one by one without `-v`.
const FOLD: usize = 3;
/// Files not judged that are named without `-v`.
const FILES: usize = 5;

/// The sections, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    NewLibraries,
    Changes,
    Advisories,
    Lines,
    Pipeline,
    Sources,
    Gate,
    Ledger,
    Other,
}

impl Part {
    const ALL: &'static [Self] = &[
        Self::NewLibraries,
        Self::Changes,
        Self::Advisories,
        Self::Lines,
        Self::Pipeline,
        Self::Sources,
        Self::Gate,
        Self::Ledger,
        Self::Other,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::NewLibraries => "NEW LIBRARIES",
            Self::Changes => "UPGRADES AND OTHER CHANGES",
            Self::Advisories => "ADVISORIES",
            Self::Lines => "CHANGED LINES",
            Self::Pipeline => "PIPELINE",
            Self::Sources => "SOURCES AND CHECKSUMS",
            Self::Gate => "GATE AND CONFIGURATION",
            Self::Ledger => "LEDGER",
            Self::Other => "OTHER",
        }
    }
}

/// Where the rules that have a section are said. A rule that is not here is said under OTHER.
const RULES: &[(&str, Part)] = &[
    ("checksum-changed", Part::Sources),
    ("source-new", Part::Sources),
    ("vendored-bytes", Part::Sources),
    ("lockfile-disagrees", Part::Sources),
    ("submodule", Part::Sources),
    ("gate-changed", Part::Gate),
    ("package-manager-config", Part::Gate),
    ("action-unpinned", Part::Gate),
    ("waiver-stale", Part::Ledger),
];

fn part_of_rule(rule: &str) -> Part {
    RULES.iter().find(|(name, _)| *name == rule).map_or(Part::Other, |(_, part)| *part)
}

/// The findings of a verdict, filed.
struct Filed<'a> {
    verdict: &'a Verdict,
    verbose: bool,
    changes: BTreeMap<&'a str, &'a Change>,
    /// Findings under a change.
    under: BTreeMap<&'a str, Vec<&'a Finding>>,
    /// Findings said on their own.
    alone: BTreeMap<Part, Vec<&'a Finding>>,
    /// How many of a rule were folded away, by section.
    folded: BTreeMap<(Part, &'a str), usize>,
    /// Changes that are said under SOURCES AND CHECKSUMS.
    moved: BTreeSet<&'a str>,
}

/// Remarks about one pull request's reviews that are shown.
const REMARKS: usize = 8;

/// Every section that has something to say.
pub(super) fn sections(verdict: &Verdict, verbose: bool) -> Vec<Section> {
    let filed = file(verdict, verbose);
    let mut sections: Vec<Section> = Part::ALL
        .iter()
        .map(|part| Section { title: part.title(), items: filed.items(*part) })
        .chain([
            Section { title: "REVIEWS", items: reviews(verdict) },
            Section { title: "NOT JUDGED", items: not_judged(verdict, verbose) },
        ])
        .collect();
    sections.retain(|section| !section.items.is_empty());
    sections
}

fn file(verdict: &Verdict, verbose: bool) -> Filed<'_> {
    let changes: BTreeMap<&str, &Change> = verdict.changes.iter().map(|c| (c.id.as_str(), c)).collect();
    let change_of = |finding: &Finding| match &finding.advisory {
        Some(_) => None,
        None => finding.change.as_deref().and_then(|id| changes.get(id).copied()),
    };
    let moved = verdict
        .findings
        .iter()
        .filter(|finding| part_of_rule(&finding.rule) == Part::Sources)
        .filter_map(|finding| change_of(finding).map(|change| change.id.as_str()))
        .collect();
    let mut filed = Filed {
        verdict,
        verbose,
        changes: BTreeMap::new(),
        under: BTreeMap::new(),
        alone: BTreeMap::new(),
        folded: BTreeMap::new(),
        moved,
    };
    let part_of = |finding: &Finding, filed: &Filed<'_>| match change_of(finding) {
        Some(change) => filed.part_of_change(change),
        None if finding.advisory.is_some() => Part::Advisories,
        None if finding.subject.kind == SubjectKind::Line => Part::Lines,
        // That the gate's own job changed is a matter of the gate.
        None if finding.subject.kind == SubjectKind::Workflow && part_of_rule(&finding.rule) == Part::Other => {
            Part::Pipeline
        }
        None => part_of_rule(&finding.rule),
    };
    let is_quiet = |finding: &Finding| {
        let is_mild = !finding.blocks && finding.level <= Level::Warn && !finding.is_answered();
        is_mild && !verbose && !is_summed_up(finding, verdict)
    };
    // What one rule repeats is said once: the same words over and over hide what differs.
    let mut said: BTreeMap<(Part, &str), usize> = BTreeMap::new();
    for finding in verdict.findings.iter().filter(|finding| is_quiet(finding)) {
        *said.entry((part_of(finding, &filed), &finding.rule)).or_default() += 1;
    }
    filed.folded = said.into_iter().filter(|(_, count)| *count > FOLD).collect();
    for finding in &verdict.findings {
        let change = change_of(finding);
        let part = part_of(finding, &filed);
        if is_quiet(finding) && filed.folded.contains_key(&(part, finding.rule.as_str())) {
            continue;
        }
        match change {
            Some(change) => filed.under.entry(&change.id).or_default().push(finding),
            None => filed.alone.entry(part).or_default().push(finding),
        }
    }
    filed.changes = changes;
    filed
}

impl<'a> Filed<'a> {
    fn part_of_change(&self, change: &Change) -> Part {
        if change.new_library {
            Part::NewLibraries
        } else if self.moved.contains(change.id.as_str()) {
            Part::Sources
        } else {
            Part::Changes
        }
    }

    fn items(&self, part: Part) -> Vec<Item> {
        let mut items = self.entries(part);
        if part == Part::Changes && (!items.is_empty() || self.verbose) {
            items.extend(self.quiet_rest());
        }
        let alone: &[&Finding] = self.alone.get(&part).map_or(&[], Vec::as_slice);
        if part == Part::Advisories {
            items.extend(self.advisories(alone));
        } else if part == Part::Lines {
            items.extend(by_place(alone).into_iter().flat_map(|said| self.line(&said)));
        } else {
            for finding in alone {
                items.extend(self.own_row(finding));
            }
        }
        for ((_, rule), count) in self.folded.iter().filter(|((of, _), _)| *of == part) {
            let text = format!("{count} of {} (-v shows them)", clipped(rule, NAME));
            items.push(Item::Line { mark: Mark::Note, text });
        }
        items
    }

    /// The changes said in a section, the loudest first.
    fn entries(&self, part: Part) -> Vec<Item> {
        let none = Vec::new();
        let mut entries: Vec<(&Change, &Vec<&Finding>)> = self
            .verdict
            .changes
            .iter()
            .filter(|change| self.part_of_change(change) == part)
            .map(|change| (change, self.under.get(change.id.as_str()).unwrap_or(&none)))
            // A library that came with another is listed there, unless something is said of it alone.
            .filter(|(change, findings)| {
                let is_head = change.new_library && (change.direct || change.under.is_empty());
                is_head || !findings.is_empty()
            })
            .collect();
        entries.sort_by_key(|(_, findings)| {
            std::cmp::Reverse(words::lead(findings).map(|finding| (finding.blocks, finding.level)))
        });
        entries
            .into_iter()
            .flat_map(|(change, findings)| entry::items(change, findings, &self.changes, self.verbose))
            .collect()
    }

    /// One line for the changes nothing is said of.
    fn quiet_rest(&self) -> Option<Item> {
        let said: BTreeSet<&str> = self.verdict.findings.iter().filter_map(|f| f.change.as_deref()).collect();
        let mut counts: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        for change in &self.verdict.changes {
            if !change.new_library && !said.contains(change.id.as_str()) {
                *counts.entry(change.kind).or_default() += 1;
            }
        }
        let text = counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ");
        (!text.is_empty()).then(|| Item::Line { mark: Mark::Note, text: format!("without a finding: {text}") })
    }

    fn advisories(&self, findings: &[&'a Finding]) -> Vec<Item> {
        let (summed, said): (Vec<&Finding>, Vec<&Finding>) =
            findings.iter().partition(|finding| is_summed_up(finding, self.verdict));
        let mut items: Vec<Item> = said.iter().flat_map(|finding| self.advisory(finding)).collect();
        let of = |origin| summed.iter().filter(|finding| finding.origin == Some(origin)).count();
        let standing: Vec<String> = [(of(Origin::Inherited), "inherited"), (of(Origin::Disclosed), "newly disclosed")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let ids = |wanted: &[Origin]| -> String {
            let named = summed.iter().filter(|f| f.origin.is_some_and(|origin| wanted.contains(&origin)));
            let ids: Vec<String> = named.filter_map(|f| f.advisory.as_ref()).map(|a| clipped(&a.id, NAME)).collect();
            if self.verbose { format!(": {}", ids.join(", ")) } else { String::new() }
        };
        if !standing.is_empty() {
            let ids = ids(&[Origin::Inherited, Origin::Disclosed]);
            let text = format!("{}, not blocking (portcullis audit){ids}", standing.join(", "));
            items.push(Item::Line { mark: Mark::Note, text });
        }
        if of(Origin::Resolved) > 0 {
            let text = format!("{} resolved{}", of(Origin::Resolved), ids(&[Origin::Resolved]));
            items.push(Item::Line { mark: Mark::Covered, text });
        }
        items
    }

    fn advisory(&self, finding: &Finding) -> Vec<Item> {
        let Some(matched) = &finding.advisory else {
            return Vec::new();
        };
        let change = finding.change.as_deref().and_then(|id| self.changes.get(id).copied());
        let mut row = self.package_row(finding);
        if let Some(change) = change {
            row.place = words::through(change, clipped);
        }
        let mut items = vec![Item::Row(row)];
        let detail = |text, tone| Item::Detail { label: "", text, tone };
        items.push(detail(advisory_in_words(matched, self.verbose), Tone::Plain));
        if let Some(location) = &finding.location {
            items.push(detail(place(&location.file, location.line), Tone::Plain));
        }
        if let Some(change) = change.filter(|change| change.via.len() > 2) {
            items.push(detail(words::via(&change.via, clipped), Tone::Dim));
        }
        if let Some(text) = entry::answered(finding) {
            items.push(Item::Said { mark: Mark::Note, text });
        } else if matched.fixed.is_empty() {
            items.extend(entry::remedy(finding));
        }
        items
    }

    /// The row of a finding about a package, by its change or else by its purl.
    fn package_row(&self, finding: &Finding) -> Row {
        let change = finding.change.as_deref().and_then(|id| self.changes.get(id).copied());
        let (ecosystem, name) = match (change, &finding.subject.purl) {
            (Some(change), _) => (Some(change.ecosystem.as_str()), words::name(change, clipped)),
            (None, Some(text)) => match purl::parse(text, Ecosystem::Cargo).ok().filter(|_| text.starts_with("pkg:")) {
                Some(named) => {
                    let version = named.version.map(|v| format!(" {}", clipped(&v, NAME))).unwrap_or_default();
                    (Some(named.ecosystem.as_str()), format!("{}{version}", clipped(&named.name, NAME)))
                }
                None => (None, clipped(text, PATH)),
            },
            (None, None) => (None, place_of(finding)),
        };
        Row {
            mark: entry::mark(finding),
            ecosystem,
            name,
            place: finding
                .project
                .as_ref()
                .map(|p| format!("in {}", clipped(&p.to_string(), NAME)))
                .unwrap_or_default(),
            level: entry::level(finding),
            last: rule_name(finding),
        }
    }

    /// What all rules say of one line, the strongest first: one row, whatever number of packs has a rule for it.
    fn line(&self, said: &[&'a Finding]) -> Vec<Item> {
        let Some((first, rest)) = said.split_first() else { return Vec::new() };
        let mut items = self.own_row(first);
        let also: Vec<String> =
            rest.iter().map(|finding| format!("{} ({})", rule_name(finding), entry::level(finding))).collect();
        if !also.is_empty() {
            items.push(Item::Detail { label: "also", text: also.join(", "), tone: Tone::Dim });
        }
        items
    }

    /// A finding that stands on its own: about a package, or about a place.
    fn own_row(&self, finding: &Finding) -> Vec<Item> {
        if let Some(text) = entry::answered(finding) {
            let subject = finding.subject.purl.as_ref().map_or_else(|| place_of(finding), |purl| clipped(purl, PATH));
            return vec![Item::Line { mark: Mark::Note, text: format!("{subject} · {text}") }];
        }
        let is_package = finding.subject.purl.is_some();
        let row = if is_package {
            self.package_row(finding)
        } else {
            let controls = finding.controls.iter().map(|c| clipped(c, NAME)).collect::<Vec<_>>().join(", ");
            Row {
                mark: entry::mark(finding),
                ecosystem: None,
                name: place_of(finding),
                place: rule_name(finding),
                level: entry::level(finding),
                last: controls,
            }
        };
        let mut items = vec![Item::Row(row)];
        items.push(Item::Detail { label: "", text: clipped(&finding.message, TEXT), tone: Tone::Plain });
        if let Some(location) = finding.location.as_ref().filter(|_| is_package) {
            items.push(Item::Detail { label: "", text: place(&location.file, location.line), tone: Tone::Plain });
        }
        items.extend(entry::remedy(finding));
        items
    }
}

/// Findings by the lines they are about, in the order of the first of each.
fn by_place<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut at: BTreeMap<_, usize> = BTreeMap::new();
    for finding in findings {
        // What is waived is said by itself: each has its own owner and end.
        let key = (finding.location.as_ref(), finding.waived_by.as_ref().map(|_| &finding.fingerprint));
        match at.get(&key).and_then(|index| groups.get_mut(*index)) {
            Some(group) => group.push(finding),
            None => {
                at.insert(key, groups.len());
                groups.push(vec![finding]);
            }
        }
    }
    groups
}

/// Where a finding is: its line, its project, or the repository as a whole.
fn place_of(finding: &Finding) -> String {
    match (&finding.location, &finding.project) {
        (Some(location), _) => place(&location.file, location.line),
        (None, Some(project)) if !project.is_root() => clipped(project.as_str(), PATH),
        _ => "the repository".to_owned(),
    }
}

/// Id, severity and remedy of an advisory.
fn advisory_in_words(matched: &Matched, verbose: bool) -> String {
    format!("{}  {}", clipped(&matched.id, NAME), words::advisory(matched, verbose, clipped))
}

/// Whose approvals on the forge count, and why others do not.
fn reviews(verdict: &Verdict) -> Vec<Item> {
    let of = |reviewed: &Reviewed| {
        let logins: Vec<String> = reviewed.approvals.iter().map(|approver| clipped(&approver.login, NAME)).collect();
        let (mark, who) = match logins.as_slice() {
            [] => (Mark::Note, "nobody's approval counts".to_owned()),
            logins => (Mark::Covered, format!("approved by {}", logins.join(", "))),
        };
        let first = Item::Line { mark, text: format!("pull request {}: {who}", reviewed.number) };
        let remark = |remark: &String| Item::Detail { label: "", text: clipped(remark, TEXT), tone: Tone::Plain };
        std::iter::once(first).chain(reviewed.remarks.iter().take(REMARKS).map(remark)).collect::<Vec<_>>()
    };
    verdict.reviews.iter().flat_map(of).collect()
}

/// Checks that could not be made, and files that could not be read.
fn not_judged(verdict: &Verdict, verbose: bool) -> Vec<Item> {
    let coverage = &verdict.coverage;
    let mut items: Vec<Item> = coverage
        .checks_skipped
        .iter()
        .map(|skipped| Item::Line {
            mark: if skipped.incomplete { Mark::Review } else { Mark::Note },
            text: format!("{}: {}", clipped(&skipped.check, NAME), clipped(&skipped.reason, TEXT)),
        })
        .collect();
    let unread = |state| matches!(state, FileState::Failed | FileState::TooLarge | FileState::Unsupported);
    let is_said = |path: &str| {
        coverage.checks_skipped.iter().any(|s| s.reason.strip_prefix(path).is_some_and(|rest| rest.starts_with(':')))
    };
    let mut files: Vec<_> =
        coverage.files.iter().filter(|file| unread(file.state) && !is_said(file.path.as_str())).collect();
    // A file that should have been read comes before one that nobody can read.
    files.sort_by_key(|file| (file.state == FileState::Unsupported, &file.path));
    let shown = if verbose { usize::MAX } else { FILES };
    for file in files.iter().take(shown) {
        let reason = file.reason.as_ref().map(|reason| format!(", {}", clipped(reason, TEXT))).unwrap_or_default();
        let text = format!("{}: {}{reason}", place(&file.path, 0), file.state);
        items.push(Item::Line { mark: Mark::Note, text });
    }
    if files.len() > shown {
        let text = format!("{} more files (-v shows them)", files.len() - shown);
        items.push(Item::Line { mark: Mark::Note, text });
    }
    items
}
