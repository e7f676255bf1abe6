//! `audit`: everything that stands in one revision, no diff.
//!
//! Projects are read, judged and dropped one after the other, so memory does not grow with their number. A package is
//! asked about only where some rule could speak of it: [`is_of_interest`] says which, and a test compares the answer
//! with that of asking about all.

use crate::detect::Detectors;
use crate::discover::unread::Gap;
use crate::discover::{Concern, Snapshot, concern, unread};
use crate::ecosystem::{FORMATS, Role};
use crate::evidence::vendored;
use crate::gate::Gate;
use crate::gate::config::Settings;
use crate::model::finding::{Finding, Location, SubjectKind};
use crate::model::inventory::{Identity, Inventory, Package, Project};
use crate::model::tree::{Delta, Entry, EntryKind};
use crate::model::verdict::{
    CheckSkipped, Coverage, CoveredFile, FileState, LedgerData, PolicyData, PolicyFrom, Verdict,
};
use crate::model::{Ecosystem, RepoPath, purl};
use crate::policy;
use crate::policy::engine::{Engine, context};
use crate::policy::pack::{Packs, Wanted};
use crate::revision::{self, Named};
use crate::run::advisories::{self, Match, Matcher};
use crate::run::findings::{About, build};
use crate::run::lines::Looked;
use crate::run::registries::Registries;
use crate::run::steps::Asked;
use crate::run::{Advisories, Failure, Request, check, files, lines, packages, projects, steps, today};
use crate::subject::Command;
use crate::verdict::decide;
use crate::world::{Rev, Tree, World};

/// Judges a revision as it stands.
///
/// # Errors
/// [`Failure`] where nothing can be judged at all.
pub fn audit(request: &Request, world: &World<'_>, store: &dyn Fn() -> Advisories) -> Result<Verdict, Failure> {
    let head = revision::head(world.repo, &request.head)?;
    let tree = world.repo.tree(&head.rev)?;
    let governing = governing(request, world, &head)?;
    let gate = match &governing {
        None => Gate::read_adding(&*world.repo.tree(&Rev::Empty)?, &request.add_packs)?,
        Some(named) if *named == head => Gate::read_adding(&*tree, &request.add_packs)?,
        Some(named) => Gate::read_adding(&*world.repo.tree(&named.rev)?, &request.add_packs)?,
    };
    let snapshot = Snapshot::new(&*tree)?;
    let mut coverage = Coverage::default();
    let detectors = policy::detectors::load(&gate)?;
    let mut looked = lines(request, &gate, &detectors, &snapshot, &*tree, &mut coverage);
    if governing.as_ref().map(|named| &named.rev) != Some(&head.rev) {
        looked.distrust();
    }
    let hit = looked.hits.iter().map(|hit| hit.detector.to_string()).collect();
    let packs = Packs::load_for(&gate, &Wanted { detectors: Some(hit), steps: true })?;
    let engine = Engine::new(&packs, context(Command::Audit, request.ci, &gate.config.settings));
    check::note_collisions(&mut coverage, &snapshot.collisions());
    let mut found = projects::find(&snapshot, &gate.config, &|_| true, &mut coverage);
    unread_kinds(&snapshot, request, &gate, &found, &mut coverage);
    if !request.lockfiles.is_empty() {
        found.retain(|(_, p)| p.lockfile.iter().chain(&p.manifest).any(|file| request.lockfiles.contains(file)));
        for wanted in &request.lockfiles {
            if !found.iter().any(|(_, p)| p.lockfile.iter().chain(&p.manifest).any(|file| file == wanted)) {
                return Err(Failure::Usage(format!("{wanted}: no project has this lockfile")));
            }
        }
    }
    let advisories = store();
    let mut ecosystems: Vec<Ecosystem> = found.iter().map(|(_, project)| project.ecosystem).collect();
    ecosystems.sort();
    ecosystems.dedup();
    let settings = &gate.config.settings;
    let data = advisories::data(&advisories, request, world.now, settings, &ecosystems, &mut coverage);
    let mut auditor = Auditor {
        engine: &engine,
        settings,
        snapshot: &snapshot,
        matcher: advisories.as_ref().ok().map(Matcher::new),
        coverage,
        findings: Vec::new(),
    };
    let registries = Registries::declared(&gate.config, &snapshot);
    let mut kept = Vec::new();
    for project in &found {
        match projects::read(&snapshot, &gate.config, project) {
            Ok(mut inventory) => {
                // What stands is its own witness of which registry is the usual one.
                let mut registries = registries.clone();
                registries.learn(std::iter::once(&inventory));
                registries.settle(&mut inventory);
                auditor.project(&inventory);
                // Only a ledger asks about inventories afterwards.
                if !gate.ledger.approvals.is_empty() || !gate.ledger.waivers.is_empty() {
                    kept.push(inventory);
                }
            }
            Err((path, unread)) => projects::failed(&mut auditor.coverage, &path, &unread, true),
        }
    }
    let Auditor { matcher, mut coverage, mut findings, .. } = auditor;
    if let Some(damage) = matcher.and_then(|matcher| matcher.damage) {
        coverage.checks_skipped.push(CheckSkipped { check: "advisories".to_owned(), reason: damage, incomplete: true });
    }
    if found.is_empty() {
        // "Nothing to judge" must not pass for "nothing wrong".
        let reason = "no project was found here".to_owned();
        coverage.checks_skipped.push(CheckSkipped { check: "lockfile".to_owned(), reason, incomplete: true });
    }
    if request.lockfiles.is_empty() {
        let repository = world.env.get("GITHUB_REPOSITORY").map(String::as_str);
        findings.extend(steps::standing(
            Asked { engine: &engine, detectors: &detectors },
            &gate.config,
            &*tree,
            repository,
        )?);
    }
    findings.extend(lines::findings(&engine, &detectors, looked));
    let inventories: Vec<&Inventory> = kept.iter().collect();
    let stale = check::ledger(&engine, &gate, &inventories, today(world), Some(&findings));
    findings.extend(stale);
    check::tidy(&mut coverage);
    let decided = decide(findings, &[], &gate.ledger, None, today(world), &coverage);
    let rev = governing.and_then(|named| named.commit()).map(|id| id.to_string());
    Ok(Verdict {
        command: Command::Audit.as_str(),
        evaluated_at: world.now.to_string(),
        decision: decided.decision,
        complete: decided.complete,
        elapsed_ms: 0,
        base: None,
        head: head.to_name(),
        base_note: None,
        policy: PolicyData {
            from: request.policy_from,
            rev: rev.clone(),
            digest: check::policy_digest(&gate),
            comparison: None,
        },
        ledger: LedgerData { rev, digest: gate.ledger_digest.clone() },
        overrides: request.overrides.clone(),
        advisories: data,
        projects: found.into_iter().map(|(_, project)| project).collect(),
        changes: Vec::new(),
        findings: decided.findings,
        coverage,
        reviews: Vec::new(),
    })
}

/// Every line that stands, but for those of lockfiles, which are read as what they are, and of files that are not plain
/// text: in a check somebody brings one in, here they would be said for ever.
fn lines(
    request: &Request,
    gate: &Gate,
    detectors: &Detectors,
    snapshot: &Snapshot<'_>,
    tree: &dyn Tree,
    coverage: &mut Coverage,
) -> Looked {
    if !request.lockfiles.is_empty() {
        return Looked::default();
    }
    let is_lockfile = |path: &RepoPath| {
        let mut kinds = FORMATS.iter().flat_map(|format| format.kinds());
        kinds.any(|kind| kind.role == Role::Lockfile && kind.matches(path))
    };
    let stands = |entry: &&Entry| entry.kind == EntryKind::File && !is_lockfile(&entry.path);
    let standing = snapshot.entries().filter(stands);
    let deltas: Vec<Delta> = standing.map(|entry| Delta { before: None, after: Some(entry.clone()) }).collect();
    let mut looked = lines::look(detectors, gate, &deltas, (None, tree), coverage);
    for (path, reason) in std::mem::take(&mut looked.not_judged) {
        coverage.files.push(CoveredFile { path, state: FileState::Unsupported, reason: Some(reason) });
    }
    looked
}

/// Whose settings and ledger decide: in CI those of the protected branch, at a desk the revision's own. None: the
/// program's own defaults.
fn governing(request: &Request, world: &World<'_>, head: &Named) -> Result<Option<Named>, Failure> {
    Ok(match request.policy_from {
        PolicyFrom::BuiltIn => None,
        PolicyFrom::Governing if request.ci => match world.repo.default_branch()? {
            Some((rev, name)) => Some(Named { rev, name }),
            None => return Err(Failure::Undecided(revision::NO_PROTECTED.to_owned())),
        },
        _ => Some(head.clone()),
    })
}

/// Files that are recognised and not read: an audit that is silent about them would call them clean.
fn unread_kinds(
    snapshot: &Snapshot<'_>,
    request: &Request,
    gate: &Gate,
    found: &[(usize, Project)],
    coverage: &mut Coverage,
) {
    if !request.lockfiles.is_empty() {
        return;
    }
    for entry in snapshot.entries().filter(|entry| concern(entry) == Some(Concern::Unread)) {
        let stands = |path: &RepoPath| snapshot.entry(path).is_some();
        let Some(kind) = unread::kind(&entry.path, &stands) else { continue };
        // Beside a lockfile, a manifest that is not read leaves less unknown than a check of a change to it would.
        let of_folder =
            |project: &&(usize, Project)| project.1.path == entry.path.parent() && project.1.lockfile.is_some();
        if gate.config.judges(&entry.path) && (kind.gap == Gap::Lockfile || !found.iter().any(|p| of_folder(&p))) {
            files::note_unread(coverage, &entry.path, kind.what);
        }
    }
}

struct Auditor<'a> {
    engine: &'a Engine<'a>,
    settings: &'a Settings,
    snapshot: &'a Snapshot<'a>,
    matcher: Option<Matcher<'a>>,
    coverage: Coverage,
    findings: Vec<Finding>,
}

impl Auditor<'_> {
    fn project(&mut self, inventory: &Inventory) {
        projects::note_inputs(&mut self.coverage, inventory);
        self.findings.extend(files::standing(self.engine, inventory));
        if let Some(matcher) = &mut self.matcher {
            for package in &inventory.packages {
                for advisory in matcher.look_up(package).matched {
                    let found = Match { package, advisory, origin: None };
                    self.findings.extend(advisories::findings(self.engine, inventory, &found, None));
                }
                advisories::note_gaps(&mut self.coverage, matcher, package, true);
            }
        }
        for package in inventory.packages.iter().filter(|p| is_of_interest(p, self.settings)) {
            self.package(inventory, package);
        }
    }

    fn package(&mut self, inventory: &Inventory, package: &Package) {
        let license = if self.settings.allowed_licenses.is_empty() || package.ecosystem != Ecosystem::Cargo {
            None
        } else {
            let known = vendored::look_up(self.snapshot, &package.name, &package.version, package.source.kind);
            known.license.found().cloned()
        };
        let subject = packages::standing(package, license.as_deref());
        let file = inventory.path_of(package.span).cloned().unwrap_or_else(|| inventory.project.path.clone());
        for statement in self.engine.ask(&subject) {
            self.findings.push(build(
                statement,
                About {
                    kind: SubjectKind::Package,
                    purl: Some(purl::of_package(package)),
                    place: Location { file: file.clone(), line: package.span.line, end_line: package.span.end_line },
                    project: Some(inventory.project.path.clone()),
                    change: None,
                    advisory: None,
                    origin: None,
                    detail: String::new(),
                },
            ));
        }
    }
}

/// Whether some rule could speak of a standing package by itself, advisories aside.
#[must_use]
pub fn is_of_interest(package: &Package, settings: &Settings) -> bool {
    !settings.allowed_licenses.is_empty()
        || !package.source.is_pinned()
        || package.source.is_plain_http()
        || package.identity != Identity::Public
        || package.contradiction.is_some()
        || (!package.is_fixed() && package.ecosystem != Ecosystem::Cargo)
        || !crate::ecosystem::rules(package.ecosystem).is_name(&package.name)
}
