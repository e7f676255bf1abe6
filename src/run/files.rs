//! Changed files that concern the gate by themselves: package-manager configuration, vendored sources, submodules, the
//! gate's own folder and job, lockfiles that are gone or contradict their manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::unread::Gap;
use crate::discover::vendored::Vendored;
use crate::discover::{Concern, Concerning, FILE_CAP, unread};
use crate::ecosystem::cargo::Cargo;
use crate::ecosystem::npm::config;
use crate::ecosystem::npm::workspace::MANIFEST;
use crate::ecosystem::{Redirect, SETTINGS, Settings, matches, settings_of};
use crate::evidence::workflow::job_names;
use crate::gate;
use crate::gate::Gate;
use crate::gate::config::Config;
use crate::model::RepoPath;
use crate::model::change::{Change, ChangeKind, Side};
use crate::model::finding::{Finding, Level, SubjectKind};
use crate::model::inventory::{Inventory, Package};
use crate::model::tree::{Entry, EntryKind, Unread};
use crate::model::verdict::{CheckSkipped, Coverage, CoveredFile, FileState};
use crate::policy::engine::{Engine, Statement};
use crate::policy::pack::Rule;
use crate::run::findings::{About, build};
use crate::run::projects::Pair;
use crate::subject::{FileConcern, Kind, Subject, Value, quiet};
use crate::text::shell_word;
use crate::world::Tree;

/// What is to be said of one file.
struct Stated {
    concern: FileConcern,
    kind: SubjectKind,
    path: RepoPath,
    line: u32,
    project: Option<RepoPath>,
    detail: String,
    redirects: bool,
    lock_entry_changed: bool,
    content: String,
}

impl Stated {
    fn new(concern: FileConcern, path: &RepoPath, detail: String) -> Self {
        Self {
            concern,
            kind: if concern == FileConcern::Gate { SubjectKind::Gate } else { SubjectKind::File },
            path: path.clone(),
            line: 0,
            project: None,
            detail,
            redirects: false,
            lock_entry_changed: false,
            content: String::new(),
        }
    }

    /// Says what is newly sent where; the first of it gives the line.
    fn redirect(&mut self, first: &Redirect, moved: &[&Redirect]) {
        self.line = first.line;
        self.redirects = true;
        let each = moved.iter().map(|each| format!("{} to {}", each.from, each.to));
        self.detail = each.collect::<Vec<_>>().join("; ");
    }
}

/// Everything that the changed files ask the rules about.
pub struct Changed<'a> {
    /// Base's tree.
    pub base: &'a dyn Tree,
    /// Head's tree.
    pub head: &'a dyn Tree,
    /// Paths that differ and concern the gate.
    pub concerning: &'a [Concerning<'a>],
    /// Settings in force.
    pub config: &'a Config,
    /// Projects of both.
    pub pairs: &'a [Pair],
    /// Packages that differ.
    pub changes: &'a [Change],
}

/// Asks the rules about changed files, and notes what cannot be judged.
pub fn findings(engine: &Engine<'_>, changed: &Changed<'_>, coverage: &mut Coverage) -> Vec<Finding> {
    let mut stated = Vec::new();
    let jobs = gate_jobs(changed);
    for each in changed.concerning {
        let Some(path) = each.delta.path() else { continue };
        let (before, after) = (each.delta.before.as_ref(), each.delta.after.as_ref());
        match each.concern {
            Concern::ManagerConfig => stated.push(manager_config(changed, path, before, after)),
            Concern::Submodule => stated.push(Stated::new(FileConcern::Submodule, path, moved(before, after))),
            Concern::Gate => {
                let mut detail = gate_detail(path, before, after);
                if let (Err(broken), true) = (Gate::read(changed.head), path.is_within(&RepoPath::new(gate::FOLDER))) {
                    detail += &format!("; broken: {broken}");
                }
                stated.push(Stated::new(FileConcern::Gate, path, detail));
            }
            Concern::Workflow => stated.extend(workflow(changed, &jobs, path, before, after)),
            Concern::Unread | Concern::Dependencies if !changed.config.judges(path) => {
                coverage.checks_skipped.push(CheckSkipped {
                    check: "lockfile".to_owned(),
                    reason: format!("{path}: changed, and excluded by [projects] of the governing revision"),
                    incomplete: false,
                });
            }
            Concern::Unread => stated.extend(not_read(changed, path, after.is_some(), coverage)),
            Concern::Dependencies => {
                stated.extend(embedded(changed, path, before, after));
                stated.extend(moved_sources(changed, path, before, after));
            }
            Concern::Vendored => {}
        }
    }
    stated.extend(vendored(changed));
    stated.extend(changed.pairs.iter().flat_map(disagreements));
    stated.extend(changed.pairs.iter().filter_map(|pair| lockfile_gone(changed, pair)));
    stated.into_iter().flat_map(|each| ask(engine, each)).collect()
}

fn ask(engine: &Engine<'_>, stated: Stated) -> Vec<Finding> {
    let mut attributes = quiet(Kind::File);
    attributes.extend([
        ("path", Value::Text(stated.path.to_string())),
        ("concern", Value::word("FileConcern", stated.concern.as_str())),
        ("redirects", Value::Flag(stated.redirects)),
        ("lockEntryChanged", Value::Flag(stated.lock_entry_changed)),
    ]);
    let scope = match stated.concern {
        FileConcern::Vendored => "FINGERPRINT".to_owned(),
        _ => shell_word(stated.path.as_str()),
    };
    let waive = format!("portcullis waive RULE --scope {scope} --reason \"…\" --expires …");
    let words =
        BTreeMap::from([("path", stated.path.to_string()), ("detail", stated.detail.clone()), ("waive", waive)]);
    let subject = Subject { kind: Kind::File, attributes, words };
    engine
        .ask(&subject)
        .into_iter()
        .map(|statement| {
            let mut about = About::file(stated.kind, &stated.path, stated.line);
            about.project.clone_from(&stated.project);
            about.detail = format!("{}{}", stated.detail, stated.content);
            build(statement, about)
        })
        .collect()
}

/// Says that a file of a kind that is not read changed. One that is gone took what nobody read along.
fn not_read(changed: &Changed<'_>, path: &RepoPath, stands: bool, coverage: &mut Coverage) -> Option<Stated> {
    let tree = if stands { changed.head } else { changed.base };
    let kind = unread::kind(path, &|path| matches!(tree.entry(path), Ok(Some(_))))?;
    match (stands, kind.gap) {
        (true, Gap::Lockfile) => note_unread(coverage, path, kind.what),
        (true, Gap::Manifest) => {
            let detail = format!("{} are not read: what it asks for now is for a person to see", kind.what);
            return Some(Stated::new(FileConcern::NotJudged, path, detail));
        }
        (false, Gap::Lockfile) => {
            let detail = format!("it is gone; {} are not read by this version", kind.what);
            return Some(Stated::new(FileConcern::LockfileMissing, path, detail));
        }
        (false, Gap::Manifest) => {}
    }
    None
}

/// States that the version of a commit is somebody's word, and advisories hang on it.
pub fn hangs_on_claim(
    engine: &Engine<'_>,
    inventory: &Inventory,
    package: &Package,
    advisories: &[String],
) -> Vec<Finding> {
    let Some(claim) = &package.claim else { return Vec::new() };
    let path = inventory.path_of(package.span).unwrap_or(&inventory.project.path);
    let detail = format!(
        "{} is {claim} by a comment alone, and {} hangs on it: make sure that the commit is that version's",
        package.label(),
        advisories.join(", ")
    );
    let mut stated = Stated::new(FileConcern::NotJudged, path, detail);
    stated.line = package.span.line;
    stated.project = Some(inventory.project.path.clone());
    ask(engine, stated)
}

/// Asks the rules about changed files whose lines nobody could judge.
pub fn not_judged(engine: &Engine<'_>, files: &[(RepoPath, String)]) -> Vec<Finding> {
    let stated = files.iter().map(|(path, why)| Stated::new(FileConcern::NotJudged, path, why.clone()));
    stated.flat_map(|each| ask(engine, each)).collect()
}

/// States something about the gate that a reviewer has to know.
pub fn of_the_gate(engine: &Engine<'_>, path: &RepoPath, detail: String) -> Vec<Finding> {
    ask(engine, Stated::new(FileConcern::Gate, path, detail))
}

/// What is said of a policy that lets more through, where no rule in use speaks of a changed gate.
pub fn of_a_weaker_gate(path: &RepoPath, message: String) -> Finding {
    let rule = Rule {
        pack: "baseline".to_owned(),
        rule: "gate-changed".to_owned(),
        id: "gate-changed".to_owned(),
        level: Level::Review,
        default_level: Level::Review,
        title: "The gate itself changed".to_owned(),
        message: String::new(),
        remediation: String::new(),
        controls: Vec::new(),
        kind: Kind::File,
    };
    let remediation =
        "a configured reviewer approves it; what head says of the gate does not count before it is merged";
    let statement = Statement { rule, message, remediation: remediation.to_owned() };
    build(statement, About::file(SubjectKind::Gate, path, 0))
}

/// Notes a file of a kind that is not read: silence would call it clean.
pub fn note_unread(coverage: &mut Coverage, path: &RepoPath, kind: &str) {
    let reason = format!("{kind} are not read by this version");
    coverage.checks_skipped.push(CheckSkipped {
        check: "lockfile".to_owned(),
        reason: format!("{path}: {reason}"),
        incomplete: true,
    });
    coverage.files.push(CoveredFile { path: path.clone(), state: FileState::Unsupported, reason: Some(reason) });
}

fn verb(before: Option<&Entry>, after: Option<&Entry>) -> &'static str {
    match (before, after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn moved(before: Option<&Entry>, after: Option<&Entry>) -> String {
    let short = |entry: &Entry| match entry.kind {
        EntryKind::Submodule => entry.oid.to_string().chars().take(12).collect(),
        _ => "a file".to_owned(),
    };
    match (before.map(short), after.map(short)) {
        (None, Some(after)) => format!("added, at {after}"),
        (Some(before), None) => format!("removed, was at {before}"),
        (Some(before), Some(after)) => format!("from {before} to {after}"),
        (None, None) => String::new(),
    }
}

fn gate_detail(path: &RepoPath, before: Option<&Entry>, after: Option<&Entry>) -> String {
    let verb = verb(before, after);
    match path.as_str() {
        gate::LEDGER => format!("{verb}; its new entries count once they stand on the governing revision"),
        gate::CONFIG => format!("{verb}; the governing revision's settings decide about this change"),
        _ => verb.to_owned(),
    }
}

fn read(tree: &dyn Tree, entry: Option<&Entry>) -> Result<Vec<u8>, Unread> {
    entry.map_or(Ok(Vec::new()), |entry| tree.read(entry, FILE_CAP).map(|bytes| bytes.to_vec()))
}

fn manager_config(changed: &Changed<'_>, path: &RepoPath, before: Option<&Entry>, after: Option<&Entry>) -> Stated {
    let mut stated = Stated::new(FileConcern::ManagerConfig, path, verb(before, after).to_owned());
    if after.is_some_and(|entry| entry.kind != EntryKind::File) {
        stated.detail = "nobody knows what where: it is a link".to_owned();
        stated.redirects = true;
        return stated;
    }
    if after.is_none() {
        return stated;
    }
    // A file that concerns the gate by no name of its own is one that cargo's configuration includes.
    let settings = settings_of(path).unwrap_or(&Cargo);
    let redirects = |bytes: Result<Vec<u8>, Unread>| bytes.and_then(|bytes| settings.redirects(path, &bytes));
    let old = if before.is_some() { redirects(read(changed.base, before)).unwrap_or_default() } else { Vec::new() };
    match redirects(read(changed.head, after)) {
        Ok(new) => {
            let moved: Vec<&Redirect> = new.iter().filter(|each| is_moved(&old, each)).collect();
            if let Some(first) = moved.first() {
                stated.redirect(first, &moved);
            }
        }
        // What cannot be read may redirect anything.
        Err(unread) => {
            stated.detail = format!("nobody knows what where: it cannot be read ({unread})");
            stated.redirects = true;
        }
    }
    stated
}

/// Settings of a package manager that stand in a manifest and differ. In a new `package.json` they count where they
/// redirect: all else in it is new as well.
fn embedded(changed: &Changed<'_>, path: &RepoPath, before: Option<&Entry>, after: Option<&Entry>) -> Option<Stated> {
    if !config::embeds(path) {
        return None;
    }
    let of = |tree, entry| read(tree, entry).map(|bytes| config::embedded(path, &bytes)).unwrap_or_default();
    let (old, new) = (of(changed.base, before), of(changed.head, after.filter(|entry| entry.kind == EntryKind::File)));
    let moved: Vec<&Redirect> = new.redirects.iter().filter(|each| is_moved(&old.redirects, each)).collect();
    if after.is_none() || old.set == new.set || (before.is_none() && moved.is_empty() && path.file_name() == MANIFEST) {
        return None;
    }
    let mut stated = Stated::new(FileConcern::ManagerConfig, path, verb(before, after).to_owned());
    if let Some(first) = moved.first() {
        stated.redirect(first, &moved);
    }
    Some(stated)
}

/// What is to be said of a manifest that newly says where packages come from. One that is new has a lockfile that is new,
/// or none; one that cannot be read is said where its project is read.
fn moved_sources(
    changed: &Changed<'_>,
    path: &RepoPath,
    before: Option<&Entry>,
    after: Option<&Entry>,
) -> Option<Stated> {
    let (before, after) = (before?, after?);
    let says = |settings: &&&dyn Settings| settings.manifests().iter().any(|pattern| matches(pattern, path));
    let settings = SETTINGS.iter().find(says)?;
    let redirects = |tree, entry| settings.manifest_redirects(path, &read(tree, Some(entry)).ok()?).ok();
    let old = redirects(changed.base, before).unwrap_or_default();
    let spelt = |address: &str| address.trim_end_matches('/').to_ascii_lowercase();
    let mirrors: BTreeSet<String> =
        changed.config.mirrors(settings.ecosystem()).iter().map(|mirror| spelt(mirror)).collect();
    let new = redirects(changed.head, after)?;
    let moved: Vec<&Redirect> =
        new.iter().filter(|each| is_moved(&old, each) && !mirrors.contains(&spelt(&each.to))).collect();
    let mut stated = Stated::new(FileConcern::ManagerConfig, path, String::new());
    stated.redirect(moved.first()?, &moved);
    Some(stated)
}

/// Whether head's configuration newly sends a source elsewhere.
fn is_moved(old: &[Redirect], new: &Redirect) -> bool {
    let mut of_source = old.iter().filter(|each| each.from == new.from).peekable();
    (new.is_first || of_source.peek().is_some()) && !of_source.any(|each| each.to == new.to)
}

/// Whether a workflow runs the gate.
fn holds_gate(bytes: &[u8]) -> bool {
    bytes.windows(10).any(|w| w.eq_ignore_ascii_case(b"portcullis"))
}

/// Ids and names of base's jobs beside the gate. Another workflow that brings a job of such a name could answer for the
/// gate where a required check is known by its name alone.
fn gate_jobs(changed: &Changed<'_>) -> BTreeSet<String> {
    if !changed.concerning.iter().any(|each| each.concern == Concern::Workflow) {
        return BTreeSet::new();
    }
    let folder = RepoPath::new(".github/workflows");
    let entries = changed.base.list().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry.path.is_within(&folder))
        .filter_map(|entry| read(changed.base, Some(entry)).ok())
        .filter(|bytes| holds_gate(bytes))
        .flat_map(|bytes| job_names(&bytes).0)
        .collect()
}

fn workflow(
    changed: &Changed<'_>,
    jobs: &BTreeSet<String>,
    path: &RepoPath,
    before: Option<&Entry>,
    after: Option<&Entry>,
) -> Option<Stated> {
    let (old, new) = (read(changed.base, before), read(changed.head, after));
    if let Err(unread) = &new {
        return Some(Stated::new(FileConcern::NotJudged, path, unread.to_string()));
    }
    let of_new = after.and(new.as_ref().ok()).map(|bytes| job_names(bytes)).unwrap_or_default();
    let is_hidden = after.is_some() && !of_new.1 && path.is_within(&RepoPath::new(".github/workflows"));
    let same_name = of_new.0.intersection(jobs).next().cloned();
    let touches = [old, new].iter().flatten().any(|bytes| holds_gate(bytes));
    let detail = if touches {
        format!("the gate's own job: {}", verb(before, after))
    } else if let Some(name) = same_name {
        format!("its job {name} has the name of one beside the gate, and could answer for it")
    } else if is_hidden && !jobs.is_empty() {
        "its jobs are written so that their names cannot be told; one could answer for the gate".to_owned()
    } else {
        return None;
    };
    let stated = Stated::new(FileConcern::Gate, path, detail);
    Some(Stated { kind: SubjectKind::Workflow, ..stated })
}

/// One statement for each vendored package whose files differ.
fn vendored(changed: &Changed<'_>) -> Vec<Stated> {
    let mut packages: BTreeMap<&Vendored, usize> = BTreeMap::new();
    for each in changed.concerning {
        if let (Concern::Vendored, Some(vendored)) = (each.concern, &each.vendored) {
            *packages.entry(vendored).or_default() += 1;
        }
    }
    packages
        .into_iter()
        .map(|(vendored, count)| {
            let is_changed = |change: &Change| is_about(change, vendored) || lists(change, vendored);
            let lock_entry_changed = changed.changes.iter().any(is_changed);
            let files = if count == 1 { "1 file differs" } else { "files differ" };
            let count = if count == 1 { String::new() } else { format!("{count} ") };
            let lock = if lock_entry_changed { "with its lock entry" } else { "and its lock entry does not" };
            let mut stated = Stated::new(FileConcern::Vendored, &vendored.place, format!("{count}{files}, {lock}"));
            stated.lock_entry_changed = lock_entry_changed;
            stated.content = content_of(changed, vendored);
            stated
        })
        .collect()
}

/// What differs in a vendored package, by id: a waiver of one change to it says nothing of the next.
fn content_of(changed: &Changed<'_>, vendored: &Vendored) -> String {
    let deltas = changed.concerning.iter().filter(|each| each.vendored.as_ref() == Some(vendored));
    let after = deltas
        .map(|each| each.delta.after.as_ref().map_or(String::new(), |entry| format!("{} {}", entry.path, entry.oid)));
    gate::digest(after.collect::<Vec<_>>().join("\n").as_bytes())
}

/// Whether a change moves the lock entry of a vendored package.
fn is_about(change: &Change, vendored: &Vendored) -> bool {
    let holds = |side: &Option<Side>| {
        side.as_ref().is_some_and(|side| vendored.is(change.ecosystem, &change.name, &side.version))
    };
    change.kind != ChangeKind::Rescoped && (holds(&change.before) || holds(&change.after))
}

/// Whether a change moves the list of modules in a `vendor` folder of Go, which belongs to none of them.
fn lists(change: &Change, vendored: &Vendored) -> bool {
    change.kind != ChangeKind::Rescoped
        && change.ecosystem == vendored.ecosystem
        && vendored.package.is_none()
        && vendored.place.file_name() == "vendor"
        && change.project.is_within(&vendored.place.parent())
}

/// Asks the rules about what contradicts itself in a project as it stands.
pub fn standing(engine: &Engine<'_>, inventory: &Inventory) -> Vec<Finding> {
    disagreements_of(None, inventory).into_iter().flat_map(|each| ask(engine, each)).collect()
}

fn disagreements(pair: &Pair) -> Vec<Stated> {
    pair.head.as_ref().map(|head| disagreements_of(pair.base.as_ref(), head)).unwrap_or_default()
}

fn disagreements_of(base: Option<&Inventory>, head: &Inventory) -> Vec<Stated> {
    let known: BTreeSet<(&str, &str)> =
        base.iter().flat_map(|i| &i.disagreements).map(|d| (&*d.name, &*d.message)).collect();
    head.disagreements
        .iter()
        .filter(|d| !known.contains(&(&*d.name, &*d.message)))
        .map(|d| {
            let path = head.path_of(d.span).unwrap_or(&head.project.path);
            let mut stated = Stated::new(FileConcern::Disagreement, path, d.message.clone());
            stated.line = d.span.line;
            stated.project = Some(head.project.path.clone());
            stated
        })
        .collect()
}

fn lockfile_gone(changed: &Changed<'_>, pair: &Pair) -> Option<Stated> {
    let base = pair.base.as_ref()?;
    let (lockfile, manifest) = (base.project.lockfile.as_ref()?, base.project.manifest.as_ref()?);
    let stands = |path: &RepoPath| matches!(changed.head.entry(path), Ok(Some(_)));
    let is_moved = pair.project.path != base.project.path;
    if is_moved || stands(lockfile) || !stands(manifest) {
        return None;
    }
    let mut stated = Stated::new(FileConcern::LockfileMissing, lockfile, format!("it is gone, while {manifest} stays"));
    stated.project = Some(base.project.path.clone());
    Some(stated)
}
