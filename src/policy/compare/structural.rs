//! What lies outside the rules, compared by its structure. A difference that is not known to be a tightening counts as
//! weaker, with a sentence that says what it lets through.

use jiff::civil::Date;

use super::detectors;
use crate::gate::config::{Config, Settings};
use crate::gate::ledger::{Approval, Ledger, Waiver, WaiverSubject};
use crate::gate::{Gate, POLICIES};
use crate::model::path::RepoPath;
use crate::model::verdict::Example;

/// What the comparison found.
#[derive(Default)]
pub struct Structure {
    pub examples: Vec<Example>,
    pub notes: Vec<String>,
    /// Whether anything that decides differs.
    pub changed: bool,
}

impl Structure {
    pub(super) fn weaker(&mut self, what: String) {
        self.changed = true;
        self.examples.push(Example { rule: String::new(), what, subject: Vec::new(), base: None, head: None });
    }

    /// Notes that something differs and lets nothing more through.
    pub(super) fn differs(&mut self, differs: bool) {
        self.changed |= differs;
    }
}

pub fn compare(base: &Gate, head: &Gate) -> Structure {
    let mut found = Structure::default();
    config(&mut found, &base.config, &head.config);
    ledger(&mut found, &base.ledger, &head.ledger);
    packs(&mut found, base, head);
    found
}

/// Every field is taken apart by name: a new one does not compile before somebody says how it is compared.
fn config(found: &mut Structure, base: &Config, head: &Config) {
    let Config {
        packs,
        reviewers,
        settings,
        levels,
        level_lines: _,
        registries,
        include,
        exclude,
        exclude_lines,
        dependency_graph,
    } = base;
    found.differs(*dependency_graph != head.dependency_graph);
    if *dependency_graph && !head.dependency_graph {
        found.weaker("[forge] dependency-graph: what only the forge knows is no longer judged".to_owned());
    }
    // What packs and levels mean for each rule is compared with the rules.
    found.differs(*packs != head.packs || *levels != head.levels);
    for pack in packs.iter().filter(|pack| !head.packs.contains(pack)) {
        found.notes.push(format!("pack {pack} is no longer in use"));
    }
    reviewers_of(found, reviewers, &head.reviewers);
    settings_of(found, settings, &head.settings);
    found.differs(*registries != head.registries);
    for (ecosystem, addresses) in &head.registries {
        let known = base.mirrors(*ecosystem);
        for address in addresses.iter().filter(|address| !known.contains(address)) {
            let address = address.escape_debug();
            found.weaker(format!("[registries]: {address} newly counts as the public registry of {ecosystem}"));
        }
    }
    found.differs(*include != head.include);
    if !head.include.iter().any(|glob| glob == "**") {
        for glob in include.iter().filter(|glob| !head.include.contains(glob)) {
            let glob = glob.escape_debug();
            found.weaker(format!("[projects] include: what {glob} matches is no longer judged"));
        }
    }
    for (name, base, head) in
        [("[projects] exclude", exclude, &head.exclude), ("[lines] exclude", exclude_lines, &head.exclude_lines)]
    {
        found.differs(base != head);
        for glob in head.iter().filter(|glob| !base.contains(glob)) {
            found.weaker(format!("{name}: what {} matches is no longer judged", glob.escape_debug()));
        }
    }
}

fn reviewers_of(found: &mut Structure, base: &[String], head: &[String]) {
    found.differs(base != head);
    for reviewer in head.iter().filter(|reviewer| !base.contains(reviewer)) {
        let instead = if base.is_empty() { ", instead of the owners that CODEOWNERS names" } else { "" };
        found.weaker(format!("reviewers: {} may newly approve{instead}", reviewer.escape_debug()));
    }
    if head.is_empty() && !base.is_empty() {
        found.weaker("reviewers: the list is gone, and whoever CODEOWNERS names may approve".to_owned());
    }
}

fn settings_of(found: &mut Structure, base: &Settings, head: &Settings) {
    let Settings {
        fail_on_severity,
        min_release_age,
        allowed_licenses,
        advisories_warn_after,
        advisories_refuse_after,
        cargo_vet_criteria,
    } = base;
    // Rules read the first three; what they mean for each rule is compared with the rules.
    let tenths = |score: i64| format!("{}.{}", score / 10, score % 10);
    for (name, base, head) in [
        ("fail-on-severity", tenths(*fail_on_severity), tenths(head.fail_on_severity)),
        ("min-release-age", format!("{min_release_age} days"), format!("{} days", head.min_release_age)),
        ("allowed-licenses", said(allowed_licenses), said(&head.allowed_licenses)),
    ] {
        if base != head {
            found.differs(true);
            found.notes.push(format!("setting {name}: from {base} to {head}"));
        }
    }
    for (name, base, head, passes) in [
        ("advisories-warn-after", *advisories_warn_after, head.advisories_warn_after, "not warned about"),
        ("advisories-refuse-after", *advisories_refuse_after, head.advisories_refuse_after, "not refused"),
    ] {
        found.differs(base != head);
        if head > base {
            found
                .weaker(format!("setting {name}: advisory data that is {head} days old is {passes}; it was at {base}"));
        }
    }
    found.differs(*cargo_vet_criteria != head.cargo_vet_criteria);
    for criteria in head.cargo_vet_criteria.iter().filter(|criteria| !cargo_vet_criteria.contains(criteria)) {
        found.weaker(format!("setting cargo-vet-criteria: audits for {} newly count", criteria.escape_debug()));
    }
}

fn said(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn ledger(found: &mut Structure, base: &Ledger, head: &Ledger) {
    let same_approvals = base.approvals.len() == head.approvals.len()
        && head
            .approvals
            .iter()
            .all(|entry| base.approvals.iter().any(|old| approves(old, entry) && approves(entry, old)));
    let same_waivers = base.waivers.len() == head.waivers.len()
        && head.waivers.iter().all(|entry| base.waivers.iter().any(|old| waives(old, entry) && waives(entry, old)));
    found.differs(!same_approvals || !same_waivers);
    for entry in &head.approvals {
        // An entry may be split or joined: each package needs an old approval of its own.
        for bound in &entry.packages {
            let single = Approval { packages: vec![bound.clone()], ..entry.clone() };
            if base.approvals.iter().any(|old| approves(old, &single)) {
                continue;
            }
            let what = if base.approvals.iter().any(|old| old.packages.contains(bound)) {
                "the approval is wider or lasts longer"
            } else {
                "newly approved"
            };
            found.weaker(format!("ledger: {} is {what} ({})", bound.purl.escape_debug(), until(entry.expires)));
        }
    }
    for entry in head.waivers.iter().filter(|entry| !base.waivers.iter().any(|old| waives(old, entry))) {
        let subject = match &entry.subject {
            WaiverSubject::Package { purl, version: Some(version) } => format!("{purl}@{version}"),
            WaiverSubject::Package { purl, version: None } => format!("every version of {purl}"),
            WaiverSubject::Text(text) => text.clone(),
        };
        let project = entry.project.as_ref().map(|p| format!(" in project {p}")).unwrap_or_default();
        let line = format!("ledger: {} is newly waived for {subject}{project}", entry.rule);
        found.weaker(format!("{} ({})", line.escape_debug(), until(Some(entry.expires))));
    }
}

fn until(expires: Option<Date>) -> String {
    expires.map_or_else(|| "without end".to_owned(), |last| format!("until {last}"))
}

/// Whether the old end is no earlier.
fn lasts(old: Option<Date>, new: Option<Date>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new <= old,
    }
}

/// Whether an old approval lets through whatever a new one does.
fn approves(old: &Approval, new: &Approval) -> bool {
    // A scope limits an approval to itself and what is weaker; without one it holds everywhere.
    let scope = match (old.scope, new.scope) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new <= old,
    };
    scope
        && new.depth <= old.depth
        && lasts(old.expires, new.expires)
        && new.packages.iter().all(|bound| old.packages.contains(bound))
}

/// Whether an old waiver lets through whatever a new one does.
fn waives(old: &Waiver, new: &Waiver) -> bool {
    let subject = match (&old.subject, &new.subject) {
        (WaiverSubject::Package { purl, version: None }, WaiverSubject::Package { purl: new, .. }) => purl == new,
        (old, new) => old == new,
    };
    let project: Option<&RepoPath> = old.project.as_ref();
    let project = project.is_none() || project == new.project.as_ref();
    old.rule == new.rule && subject && project && lasts(Some(old.expires), Some(new.expires))
}

/// Detectors of the user's own packs. Ours are the same on both sides, and the rules are compared elsewhere.
fn packs(found: &mut Structure, base: &Gate, head: &Gate) {
    let of = |gate: &Gate, pack: &str| {
        let file = gate.packs.iter().find(|file| file.pack == pack && file.name == detectors::FILE);
        file.map(|file| file.text.clone())
    };
    for pack in &base.config.packs {
        if let Some(old) = of(base, pack) {
            let new = of(head, pack).filter(|_| head.config.packs.contains(pack)).unwrap_or_default();
            let place = format!("{POLICIES}/{pack}/{}", detectors::FILE);
            detectors::compare(found, &place, &old, &new);
        }
    }
    for pack in head.config.packs.iter().filter(|pack| of(base, pack).is_none()) {
        found.differs(of(head, pack).is_some());
    }
}
