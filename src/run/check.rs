//! `check`: what a change brings, judged by the governing revision.

use std::collections::HashSet;

use crate::detect::Detectors;
use crate::diff::packages::{Standing, changes};
use crate::discover::{Concern, Concerning, Snapshot, concerning};
use crate::ecosystem::FORMATS;
use crate::gate::Gate;
use crate::gate::coverage::is_in_force;
use crate::model::change::{Change, ChangeKind};
use crate::model::finding::{Finding, SubjectKind};
use crate::model::inventory::{Inventory, Project, Source};
use crate::model::tree::Delta;
use crate::model::verdict::{
    AdvisoryData, CheckSkipped, Comparison, Coverage, CoveredFile, FileState, LedgerData, PolicyData, PolicyFrom,
    Verdict,
};
use crate::model::{Ecosystem, RepoPath, purl};
use crate::policy::pack::{Packs, Wanted};
use crate::policy::{
    self,
    engine::{Engine, context},
};
use crate::revision::{self, Named, Revisions};
use crate::run::findings::{About, build};
use crate::run::lines::Looked;
use crate::run::projects::{Pair, pair, serve_the_excluded};
use crate::run::reviews::{self, Counted};
use crate::run::steps::Asked;
use crate::run::{Advisories, Failure, Request, advisories, comparison, files, graph, lines, packages, steps, today};
use crate::subject::{Command, EntryKind, Kind, Subject, Value, quiet};
use crate::verdict::{Fold, decide};
use crate::world::{Rev, Tree, World};

/// Judges a change.
///
/// # Errors
/// [`Failure`] where nothing can be judged at all.
pub fn check(request: &Request, world: &World<'_>, store: &dyn Fn() -> Advisories) -> Result<Verdict, Failure> {
    let (base, head) = (&request.base, &request.head);
    let mut revisions = revision::resolve(world.repo, base, head, &request.governing, request.ci)?;
    revisions.note = request.note.clone().or(revisions.note);
    let base_tree = world.repo.tree(&revisions.base.rev)?;
    let head_tree = world.repo.tree(&revisions.head.rev)?;
    let trees = (&*base_tree, &*head_tree);
    let (gate, mut policy_data, ledger) = gate(request, world, &revisions)?;
    let deltas = head_tree.differs(&*base_tree)?;
    let concerns = concerning(&deltas, &*base_tree, &*head_tree)?;
    let repository = world.env.get("GITHUB_REPOSITORY").map(String::as_str);
    let beside = steps::beside_the_gate(&gate.config, &deltas, &*base_tree, repository)?;
    let mut coverage = Coverage::default();
    let counted = match request.policy_from {
        PolicyFrom::Governing => {
            let touched = (concerns.as_slice(), beside.as_slice());
            reviews::count(world, &revisions, &gate, trees.1, touched, &mut coverage)?
        }
        _ => None,
    };
    let gate = match &counted {
        Some(counted) => Gate { ledger: counted.ledger.clone(), ..gate },
        None => gate,
    };
    let detectors = policy::detectors::load(&gate)?;
    let looked = lines::look(&detectors, &gate, &deltas, (Some(trees.0), trees.1), &mut coverage);
    let includes = !deltas.is_empty() && may_include(trees.0)?;
    let mut run = Run {
        request,
        world,
        revisions: &revisions,
        gate: &gate,
        trees,
        coverage,
        advisories: AdvisoryData::default(),
        projects: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        counted: counted.unwrap_or_default(),
    };
    if let (true, Err(reason)) = (request.store_is_named, store()) {
        run.coverage.checks_skipped.push(CheckSkipped { check: "advisories".to_owned(), reason, incomplete: true });
    }
    if concerns.is_empty() && !includes && looked.is_quiet() && beside.is_empty() {
        // Nothing to ask the rules about; broken packs and levels are still said to be broken.
        let own = gate.config.packs.iter().any(|pack| !policy::is_built_in(pack));
        if own || !gate.config.levels.is_empty() {
            Packs::load(&gate)?;
        }
    } else {
        let changed = Changed { deltas: &deltas, concerns: &concerns, includes, beside: &beside, repository };
        policy_data.comparison = run.ask(&changed, &detectors, looked, store)?;
    }
    Ok(run.verdict(policy_data, ledger))
}

/// What differs, as far as rules may speak of it.
struct Changed<'a> {
    deltas: &'a [Delta],
    concerns: &'a [Concerning<'a>],
    /// Whether manifests of base may take in files of any name.
    includes: bool,
    /// What the gate's own job takes from the repository.
    beside: &'a [RepoPath],
    /// `owner/name`, where that is known.
    repository: Option<&'a str>,
}

/// The gate in force, and how it is named in the verdict.
fn gate(
    request: &Request,
    world: &World<'_>,
    revisions: &Revisions,
) -> Result<(Gate, PolicyData, LedgerData), Failure> {
    let named: Option<&Named> = match request.policy_from {
        PolicyFrom::Governing => Some(&revisions.governing),
        PolicyFrom::Base => Some(&revisions.base),
        PolicyFrom::Head => Some(&revisions.head),
        PolicyFrom::BuiltIn => None,
    };
    let gate = match named {
        Some(named) => Gate::read_adding(&*world.repo.tree(&named.rev)?, &request.add_packs)?,
        // No tree at all: the defaults alone.
        None => Gate::read_adding(&*world.repo.tree(&Rev::Empty)?, &request.add_packs)?,
    };
    let rev = named.and_then(|named| named.commit()).map(|id| id.to_string());
    let policy =
        PolicyData { from: request.policy_from, rev: rev.clone(), digest: policy_digest(&gate), comparison: None };
    let ledger = LedgerData { rev, digest: gate.ledger_digest.clone() };
    Ok((gate, policy, ledger))
}

/// Whether a tree holds manifests that may take in files of any name.
fn may_include(tree: &dyn Tree) -> Result<bool, Failure> {
    let kinds: Vec<_> = FORMATS.iter().filter(|format| format.includes()).flat_map(|format| format.kinds()).collect();
    Ok(tree.list()?.iter().any(|entry| kinds.iter().any(|kind| kind.matches(&entry.path))))
}

/// Notes paths that collide.
pub fn note_collisions(coverage: &mut Coverage, collisions: &[(RepoPath, RepoPath)]) {
    coverage.checks_skipped.extend(collisions.iter().map(|(a, b)| CheckSkipped {
        check: "tree".to_owned(),
        reason: format!("{a} and {b} are one file to a file system that ignores case: which is read?"),
        incomplete: true,
    }));
}

/// Digest of everything that decides: the program's own packs, the user's, settings and levels.
#[must_use]
pub fn policy_digest(gate: &Gate) -> String {
    let mut text = gate.digest.clone();
    for pack in policy::BUILT_IN.iter().filter(|pack| gate.config.packs.iter().any(|p| p == pack.name)) {
        text.push('\0');
        text.push_str(pack.manifest);
        text.push_str(pack.rules);
    }
    // A rule may name a detector of a pack that is not in use.
    for pack in policy::BUILT_IN {
        text.push_str(pack.detectors);
    }
    crate::gate::digest(text.as_bytes())
}

struct Run<'a> {
    request: &'a Request,
    world: &'a World<'a>,
    revisions: &'a Revisions,
    gate: &'a Gate,
    trees: (&'a dyn Tree, &'a dyn Tree),
    coverage: Coverage,
    advisories: AdvisoryData,
    projects: Vec<Project>,
    changes: Vec<Change>,
    findings: Vec<Finding>,
    counted: Counted,
}

impl Run<'_> {
    /// Asks the rules about everything that differs. Answers how head's policy compares, where the change touches it.
    fn ask(
        &mut self,
        changed: &Changed<'_>,
        detectors: &Detectors,
        mut looked: Looked,
        store: &dyn Fn() -> Advisories,
    ) -> Result<Option<Comparison>, Failure> {
        let Changed { deltas, concerns, includes, beside, repository } = *changed;
        let hit = looked.hits.iter().map(|hit| hit.detector.to_string()).collect();
        let has_steps = deltas.iter().filter_map(Delta::path).any(steps::is_of_pipeline) || !beside.is_empty();
        let packs = Packs::load_for(self.gate, &Wanted { detectors: Some(hit), steps: has_steps })?;
        let engine = Engine::new(&packs, context(Command::Check, self.request.ci, &self.gate.config.settings));
        self.judge(&engine, deltas, concerns, includes, store)?;
        let asked = Asked { engine: &engine, detectors };
        self.findings.extend(steps::of_the_gate(asked, beside));
        let weak = steps::findings(asked, &self.gate.config, deltas, self.trees, repository)?;
        self.say_once(&weak);
        self.findings.extend(weak);
        // What is read for another reason as well is said to be unread there, and more strictly.
        looked.not_judged.retain(|(path, _)| !self.says_unread(path));
        self.findings.extend(files::not_judged(&engine, &looked.not_judged));
        self.findings.extend(lines::findings(&engine, detectors, looked));
        let governing = &self.revisions.governing.rev;
        comparison::of_change(&engine, self.world, governing, self.trees.1, deltas, &mut self.findings)
    }

    fn judge(
        &mut self,
        engine: &Engine<'_>,
        deltas: &[Delta],
        concerns: &[Concerning<'_>],
        includes: bool,
        store: &dyn Fn() -> Advisories,
    ) -> Result<(), Failure> {
        let (base_tree, head_tree) = self.trees;
        let mut pairs = Vec::new();
        let mut concerns = concerns.to_vec();
        // Package managers read more than manifests: a configuration can move a source with no lockfile changing.
        let of_projects = [Concern::Dependencies, Concern::ManagerConfig, Concern::Vendored, Concern::Workflow];
        let reads_projects = concerns.iter().any(|each| of_projects.contains(&each.concern));
        if reads_projects || includes {
            let (base, head) = (Snapshot::new(base_tree)?, Snapshot::new(head_tree)?);
            self.collisions(&base, &head);
            let every = |_: usize| true;
            let including = |format: usize| FORMATS.get(format).is_some_and(|format| format.includes());
            let wanted: &dyn Fn(usize) -> bool = if reads_projects { &every } else { &including };
            pairs = pair(&base, &head, deltas, &self.gate.config, wanted, &mut self.coverage);
            if !reads_projects {
                // Only what an included file changed is this change's.
                pairs.retain(|pair| !pair.unchanged);
            }
            let is_manifest = |each: &Concerning<'_>| matches!(each.concern, Concern::Dependencies | Concern::Unread);
            if self.gate.config.dependency_graph && concerns.iter().any(is_manifest) {
                let since = self.revisions.base.commit().map(|id| id.to_string());
                let graph = (self.world.graph, since.as_deref());
                graph::supply(graph, self.request.ci, &self.gate.config, &mut pairs, &mut self.coverage);
            }
            self.projects = pairs.iter().map(|pair| pair.project.clone()).collect();
            self.projects.sort();
            self.projects.dedup();
            self.packages(engine, &pairs, (&base, &head), store);
            self.leave_out(&mut concerns, &pairs, &[&base, &head]);
        }
        let changed = files::Changed {
            base: base_tree,
            head: head_tree,
            concerning: &concerns,
            config: &self.gate.config,
            pairs: &pairs,
            changes: &self.changes,
        };
        let found = files::findings(engine, &changed, &mut self.coverage);
        self.findings.extend(found);
        let inventories: Vec<&Inventory> = pairs.iter().filter_map(Pair::standing).collect();
        let mut found = ledger(engine, self.gate, &inventories, today(self.world), None);
        if !reads_projects {
            // What stands was not looked at: only what has expired is known.
            let today = today(self.world);
            let ends = self.gate.ledger.approvals.iter().map(|a| (a.line, a.expires));
            let ends = ends.chain(self.gate.ledger.waivers.iter().map(|w| (w.line, Some(w.expires))));
            let over: Vec<u32> = ends.filter(|(_, end)| !is_in_force(*end, today)).map(|(line, _)| line).collect();
            found.retain(|finding| finding.location.as_ref().is_some_and(|place| over.contains(&place.line)));
        }
        self.findings.extend(found);
        Ok(())
    }

    /// Whether the verdict already says of a file that it could not be read.
    fn says_unread(&self, path: &RepoPath) -> bool {
        let is_of = |reason: &str| reason.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with(':'));
        let skipped = self.coverage.checks_skipped.iter().any(|check| check.incomplete && is_of(&check.reason));
        let is_said = |finding: &Finding| {
            finding.rule == "not-judged" && finding.location.as_ref().is_some_and(|place| place.file == *path)
        };
        skipped || self.findings.iter().any(is_said)
    }

    /// Drops what says of a file only that it changed, where something else says what that does to the gate or that the
    /// file cannot be read.
    fn say_once(&mut self, said: &[Finding]) {
        self.findings.retain(|finding| {
            let is_bare = finding.location.as_ref().is_some_and(|place| place.line == 0);
            let place = |finding: &Finding| finding.location.as_ref().map(|place| place.file.clone());
            let same = |other: &Finding| {
                (&other.pack, &other.rule, place(other)) == (&finding.pack, &finding.rule, place(finding))
            };
            !(is_bare && finding.subject.kind == SubjectKind::Workflow && said.iter().any(same))
        });
    }

    /// Drops what serves nobody but excluded projects, and says so.
    fn leave_out(&mut self, concerns: &mut Vec<Concerning<'_>>, pairs: &[Pair], trees: &[&Snapshot<'_>]) {
        let config = &self.gate.config;
        concerns.retain(|each| {
            let place = match (each.concern, &each.vendored) {
                (Concern::Vendored, Some(vendored)) => Some(&vendored.place),
                (Concern::ManagerConfig, _) => each.delta.path(),
                _ => None,
            };
            let Some(place) = place.filter(|place| serve_the_excluded(place, config, pairs, trees)) else {
                return true;
            };
            self.coverage.files.push(CoveredFile {
                path: place.clone(),
                state: FileState::Excluded,
                reason: Some("serves what [projects] of the governing revision excludes".to_owned()),
            });
            false
        });
    }

    /// Two recognised paths that one file system cannot hold both of: nobody knows which one a build reads.
    fn collisions(&mut self, base: &Snapshot<'_>, head: &Snapshot<'_>) {
        let known = base.collisions();
        let new: Vec<_> = head.collisions().into_iter().filter(|pair| !known.contains(pair)).collect();
        note_collisions(&mut self.coverage, &new);
    }

    fn packages(
        &mut self,
        engine: &Engine<'_>,
        pairs: &[Pair],
        (base, head): (&Snapshot<'_>, &Snapshot<'_>),
        store: &dyn Fn() -> Advisories,
    ) {
        let mut standing = Standing::default();
        for inventory in pairs.iter().filter_map(|pair| pair.base.as_ref()) {
            standing.add(inventory);
        }
        let changed: Vec<(&Pair, Vec<Change>)> = pairs
            .iter()
            .filter(|pair| !pair.unchanged)
            .map(|pair| (pair, changes(pair.base.as_ref(), pair.head.as_ref(), &standing)))
            .collect();
        let mut ecosystems: Vec<Ecosystem> = changed.iter().flat_map(|(_, c)| c).map(|c| c.ecosystem).collect();
        ecosystems.sort();
        ecosystems.dedup();
        let advisories = if changed.is_empty() { None } else { Some(store()) };
        if let Some(advisories) = &advisories {
            let settings = &self.gate.config.settings;
            self.advisories =
                advisories::data(advisories, self.request, self.world.now, settings, &ecosystems, &mut self.coverage);
        }
        let mut matcher = advisories.as_ref().and_then(|a| a.as_ref().ok()).map(advisories::Matcher::new);
        // Beyond what approvals on the forge let count, head's ledger does not; that it holds an approval is worth saying.
        let own = Gate::read(self.trees.1).ok().map(|gate| gate.ledger).filter(|own| *own != self.gate.ledger);
        for (pair, mut changes) in changed {
            if let Some(matcher) = &mut matcher {
                self.advisories_of(engine, matcher, pair, &mut changes);
            }
            for change in &mut changes {
                let known = packages::gather(change, base, head);
                packages::cover(change, &self.gate.ledger, own.as_ref(), today(self.world));
                let statements = engine.ask(&packages::subject(change, &known));
                self.findings.extend(statements.into_iter().map(|statement| build(statement, About::change(change))));
            }
            self.changes.extend(changes);
        }
        if let Some(damage) = matcher.and_then(|matcher| matcher.damage) {
            self.coverage.checks_skipped.push(CheckSkipped {
                check: "advisories".to_owned(),
                reason: damage,
                incomplete: true,
            });
        }
    }

    fn advisories_of(
        &mut self,
        engine: &Engine<'_>,
        matcher: &mut advisories::Matcher<'_>,
        pair: &Pair,
        changes: &mut [Change],
    ) {
        let base_time = match self.revisions.base.rev {
            Rev::Commit { time, .. } => jiff::Timestamp::from_second(time).ok(),
            _ => None,
        };
        if let Some(head) = &pair.head {
            for found in advisories::matches(matcher, pair.base.as_ref(), head, base_time) {
                let change = changes.iter().find(|c| is_of(c, found.package)).map(|c| c.id.clone());
                self.findings.extend(advisories::findings(engine, head, &found, change.as_deref()));
            }
            let changed: HashSet<(&str, &str, &Source)> = changes
                .iter()
                .filter(|change| change.kind != ChangeKind::Rescoped)
                .filter_map(|change| Some((change, change.after.as_ref()?)))
                .map(|(change, after)| (&*change.name, &*after.version, &after.source))
                .collect();
            for package in &head.packages {
                let judged = changed.contains(&(&*package.name, &*package.version, &package.source));
                advisories::note_gaps(&mut self.coverage, matcher, package, judged);
                let known = |base: &Inventory| {
                    base.named(package.ecosystem, &package.name)
                        .any(|p| p.version == package.version && p.claim == package.claim)
                };
                // A claim that stood beside this commit on base was looked at when it came.
                if !pair.base.as_ref().is_some_and(known) {
                    let ids = advisories::hang_on_claim(matcher, package);
                    if !ids.is_empty() {
                        self.findings.extend(files::hangs_on_claim(engine, head, package, &ids));
                    }
                }
            }
        }
        if let Some(base) = &pair.base {
            for found in advisories::resolved(matcher, base, pair.head.as_ref()) {
                for change in changes.iter_mut().filter(|c| c.name == *found.package.name && c.after.is_some()) {
                    change.fixes_advisory = true;
                }
                let change = changes.iter().find(|c| c.name == *found.package.name).map(|c| c.id.clone());
                self.findings.extend(advisories::findings(engine, base, &found, change.as_deref()));
            }
        }
    }

    fn verdict(mut self, policy: PolicyData, ledger: LedgerData) -> Verdict {
        let folds: Vec<Fold> = self
            .changes
            .iter()
            // A direct dependency is somebody's choice and has an alarm of its own, whoever else needs it.
            .filter(|change| !change.direct && !change.under.is_empty())
            .map(|change| Fold { change: change.id.clone(), under: change.under.clone() })
            .collect();
        tidy(&mut self.coverage);
        let (ledger_in_force, cleared) = (&self.gate.ledger, self.counted.cleared.as_ref());
        let decided = decide(self.findings, &folds, ledger_in_force, cleared, today(self.world), &self.coverage);
        self.changes.sort_by(|a, b| {
            (&a.project, a.ecosystem, &a.name, &a.purl, &a.id).cmp(&(&b.project, b.ecosystem, &b.name, &b.purl, &b.id))
        });
        Verdict {
            command: Command::Check.as_str(),
            evaluated_at: self.world.now.to_string(),
            decision: decided.decision,
            complete: decided.complete,
            elapsed_ms: 0,
            base: Some(self.revisions.base.to_name()),
            head: self.revisions.head.to_name(),
            base_note: self.revisions.note.clone(),
            policy,
            ledger,
            overrides: self.request.overrides.clone(),
            advisories: self.advisories,
            projects: self.projects,
            changes: self.changes,
            findings: decided.findings,
            coverage: self.coverage,
            reviews: self.counted.reviewed,
        }
    }
}

fn is_of(change: &Change, package: &crate::model::inventory::Package) -> bool {
    change.name == *package.name
        && change
            .after
            .as_ref()
            .is_some_and(|after| after.version == *package.version && after.source == package.source)
}

/// Sorts coverage and keeps one entry a file: what failed is said, whatever else was read.
pub fn tidy(coverage: &mut Coverage) {
    coverage.files.sort_by(|a, b| {
        (&a.path, a.state == FileState::Read, a.state).cmp(&(&b.path, b.state == FileState::Read, b.state))
    });
    coverage.files.dedup_by(|b, a| a.path == b.path);
    coverage.checks_skipped.sort();
    coverage.checks_skipped.dedup();
}

/// Asks the rules about the entries of the ledger. `findings` are those of an audit, by which advisory waivers are
/// known to be in use; in a check only part of them is known, and what stands is enough.
pub fn ledger(
    engine: &Engine<'_>,
    gate: &Gate,
    inventories: &[&Inventory],
    today: jiff::civil::Date,
    findings: Option<&[Finding]>,
) -> Vec<Finding> {
    use crate::gate::coverage::{binds, waives};
    use crate::gate::ledger::WaiverSubject;
    let packages = || inventories.iter().flat_map(|inventory| &inventory.packages);
    let purls: Vec<(String, Option<&str>)> = if gate.ledger.approvals.is_empty() {
        Vec::new()
    } else {
        packages().map(|p| (purl::of_package(p), p.checksum.as_deref())).collect()
    };
    let mut found = Vec::new();
    for entry in &gate.ledger.approvals {
        let used =
            entry.packages.iter().any(|bound| purls.iter().any(|(purl, checksum)| binds(bound, purl, *checksum)));
        let expired = !is_in_force(entry.expires, today);
        let name = entry.packages.first().map_or("", |p| &p.purl);
        found.extend(ask_entry(engine, EntryKind::Approval, (expired, used), name, entry.line, &entry.id));
    }
    // As waivers match: with the source that a purl's qualifiers name.
    let stands =
        |wanted: &String| packages().any(|p| purl::without_version(&purl::of_package(p)).as_ref() == Ok(wanted));
    for entry in &gate.ledger.waivers {
        let used = match (&entry.subject, findings) {
            (_, Some(findings)) if findings.iter().any(|f| waives(entry, f)) => true,
            (WaiverSubject::Package { purl: wanted, .. }, None) => stands(wanted),
            (WaiverSubject::Package { purl: wanted, .. }, Some(_)) => {
                // Rules of a check are not asked in an audit; their waivers are in use while the package stands.
                !speaks_of_advisories(&entry.rule) && stands(wanted)
            }
            (WaiverSubject::Text(_), _) => true,
        };
        let expired = !is_in_force(Some(entry.expires), today);
        let subject = match &entry.subject {
            WaiverSubject::Package { purl, version } => {
                version.as_ref().map_or_else(|| purl.clone(), |version| format!("{purl}@{version}"))
            }
            WaiverSubject::Text(text) => text.clone(),
        };
        let name = format!("{} for {subject}", entry.rule);
        found.extend(ask_entry(engine, EntryKind::Waiver, (expired, used), &name, entry.line, &entry.id));
    }
    found
}

fn speaks_of_advisories(rule: &str) -> bool {
    let rule = rule.rsplit_once('/').map_or(rule, |(_, rule)| rule);
    matches!(rule, "malware" | "advisory-introduced" | "informational-advisory")
        || rule.split_once('-').is_some_and(|(database, _)| database.bytes().all(|b| b.is_ascii_uppercase()))
}

fn ask_entry(
    engine: &Engine<'_>,
    kind: EntryKind,
    (expired, used): (bool, bool),
    name: &str,
    line: u32,
    id: &str,
) -> Vec<Finding> {
    let mut attributes = quiet(Kind::Entry);
    attributes.extend([
        ("kind", Value::word("EntryKind", kind.as_str())),
        ("expired", Value::Flag(expired)),
        ("used", Value::Flag(used)),
    ]);
    let state = match (expired, used) {
        (true, _) => "has expired",
        (_, false) => "matches nothing that stands here",
        _ => "",
    };
    let words = std::collections::BTreeMap::from([("entry", format!("{kind} of {name}")), ("state", state.to_owned())]);
    engine
        .ask(&Subject { kind: Kind::Entry, attributes, words })
        .into_iter()
        .map(|statement| {
            let mut about = About::file(SubjectKind::Gate, &RepoPath::new(crate::gate::LEDGER), line);
            about.detail = id.to_owned();
            build(statement, about)
        })
        .collect()
}
