//! Changed files that concern the gate by themselves: package-manager configuration, vendored sources, submodules, the
//! gate's own folder and job, lockfiles that are gone or contradict their manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::{Concern, Concerning, FILE_CAP};
use crate::ecosystem::cargo::config as cargo_config;
use crate::gate;
use crate::model::RepoPath;
use crate::model::change::Change;
use crate::model::finding::{Finding, SubjectKind};
use crate::model::tree::{Entry, EntryKind, Unread};
use crate::model::verdict::{CheckSkipped, Coverage, CoveredFile, FileState};
use crate::policy::engine::Engine;
use crate::run::findings::{About, build};
use crate::run::projects::Pair;
use crate::subject::{FileConcern, Kind, Subject, Value, quiet};
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
        }
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
    /// Projects of both.
    pub pairs: &'a [Pair],
    /// Packages that differ.
    pub changes: &'a [Change],
}

/// Asks the rules about changed files, and notes what cannot be judged.
pub fn findings(engine: &Engine<'_>, changed: &Changed<'_>, coverage: &mut Coverage) -> Vec<Finding> {
    let mut stated = Vec::new();
    for each in changed.concerning {
        let Some(path) = each.delta.path() else { continue };
        let (before, after) = (each.delta.before.as_ref(), each.delta.after.as_ref());
        match each.concern {
            Concern::ManagerConfig => stated.push(manager_config(changed, path, before, after)),
            Concern::Submodule => stated.push(Stated::new(FileConcern::Submodule, path, moved(before, after))),
            Concern::Gate => stated.push(Stated::new(FileConcern::Gate, path, gate_detail(path, before, after))),
            Concern::Workflow => stated.extend(workflow(changed, path, before, after)),
            Concern::Unread(ecosystem) if after.is_some() => {
                let reason = format!("lockfiles of this kind ({ecosystem}) are not read by this version");
                coverage.checks_skipped.push(CheckSkipped {
                    check: "lockfile".to_owned(),
                    reason: format!("{path}: {reason}"),
                    incomplete: true,
                });
                let state = FileState::Unsupported;
                coverage.files.push(CoveredFile { path: path.clone(), state, reason: Some(reason) });
            }
            Concern::Dependencies | Concern::Vendored | Concern::Unread(_) => {}
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
        ("concern", Value::Word("FileConcern", stated.concern.as_str())),
        ("redirects", Value::Flag(stated.redirects)),
        ("lockEntryChanged", Value::Flag(stated.lock_entry_changed)),
    ]);
    let waive = format!("portcullis waive RULE --scope {} --reason \"…\" --expires …", stated.path);
    let words =
        BTreeMap::from([("path", stated.path.to_string()), ("detail", stated.detail.clone()), ("waive", waive)]);
    let subject = Subject { kind: Kind::File, attributes, words };
    engine
        .ask(&subject)
        .into_iter()
        .map(|statement| {
            let mut about = About::file(stated.kind, &stated.path, stated.line);
            about.project.clone_from(&stated.project);
            about.detail.clone_from(&stated.detail);
            build(statement, about)
        })
        .collect()
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
    if path.file_name().starts_with("rust-toolchain") || after.is_none() {
        return stated;
    }
    let parse = |bytes: Result<Vec<u8>, Unread>| bytes.and_then(|bytes| cargo_config::parse(&bytes));
    let old = parse(read(changed.base, before)).unwrap_or_default();
    match parse(read(changed.head, after)) {
        Ok(new) => {
            let (text, line) = redirection(&old, &new);
            if !text.is_empty() {
                (stated.detail, stated.line, stated.redirects) = (text, line, true);
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

/// Where head's configuration newly sends sources, and the line that does.
fn redirection(old: &cargo_config::Config, new: &cargo_config::Config) -> (String, u32) {
    let mut said = Vec::new();
    let mut line = 0;
    for redirect in &new.redirects {
        let known =
            old.redirects.iter().any(|o| (&o.from, o.kind, &o.to) == (&redirect.from, redirect.kind, &redirect.to));
        if !known {
            said.push(format!("{} to {}", redirect.from, redirect.to));
            line = if line == 0 { redirect.line } else { line };
        }
    }
    for (name, index) in &new.registries {
        // A registry that gets an address is a source of its own; one whose address changes takes its packages along.
        if old.registry(name).is_some_and(|was| was != &**index) {
            said.push(format!("registry {name} to {index}"));
        }
    }
    for (folder, at) in &new.paths {
        if !old.paths.iter().any(|(known, _)| known == folder) {
            said.push(format!("every package of a name found in {folder} there"));
            line = if line == 0 { *at } else { line };
        }
    }
    for (include, at) in &new.includes {
        if old.includes.iter().any(|(known, _)| known == include) {
            continue;
        }
        line = if line == 0 { *at } else { line };
        said.push(format!("whatever {include} says, which it includes"));
    }
    (said.join("; "), line)
}

fn workflow(changed: &Changed<'_>, path: &RepoPath, before: Option<&Entry>, after: Option<&Entry>) -> Option<Stated> {
    let holds_gate = |bytes: &[u8]| bytes.windows(10).any(|w| w.eq_ignore_ascii_case(b"portcullis"));
    let (old, new) = (read(changed.base, before), read(changed.head, after));
    if let Err(unread) = &new {
        return Some(Stated::new(FileConcern::NotJudged, path, unread.to_string()));
    }
    let touches = [old, new].iter().flatten().any(|bytes| holds_gate(bytes));
    touches.then(|| {
        let mut stated = Stated::new(FileConcern::Gate, path, format!("the gate's own job: {}", verb(before, after)));
        stated.kind = SubjectKind::Workflow;
        stated
    })
}

/// One statement for each vendored crate whose files differ.
fn vendored(changed: &Changed<'_>) -> Vec<Stated> {
    let mut crates: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    for each in changed.concerning {
        if let (Concern::Vendored, Some(folder)) = (each.concern, &each.vendored) {
            *crates.entry(folder).or_default() += 1;
        }
    }
    crates
        .into_iter()
        .map(|(folder, count)| {
            let name = crate_name(changed.head, folder).or_else(|| crate_name(changed.base, folder));
            let lock_entry_changed =
                name.as_ref().is_some_and(|name| changed.changes.iter().any(|change| change.name == *name));
            let files = if count == 1 { "1 file differs" } else { "files differ" };
            let count = if count == 1 { String::new() } else { format!("{count} ") };
            let lock = if lock_entry_changed { "with its lock entry" } else { "and its lock entry does not" };
            let mut stated = Stated::new(FileConcern::Vendored, folder, format!("{count}{files}, {lock}"));
            stated.lock_entry_changed = lock_entry_changed;
            stated
        })
        .collect()
}

fn crate_name(tree: &dyn Tree, folder: &RepoPath) -> Option<String> {
    let entry = tree.entry(&folder.join("Cargo.toml")?).ok()??;
    let bytes = tree.read(&entry, FILE_CAP).ok()?;
    let manifest: toml::Table = crate::text::toml(std::str::from_utf8(&bytes).ok()?).ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn disagreements(pair: &Pair) -> Vec<Stated> {
    let Some(head) = &pair.head else { return Vec::new() };
    let known: BTreeSet<(&str, &str)> =
        pair.base.iter().flat_map(|i| &i.disagreements).map(|d| (&*d.name, &*d.message)).collect();
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
