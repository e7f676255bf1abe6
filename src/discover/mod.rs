//! Stage 2: paths → projects, and what else concerns the gate.
//!
//! Every recognised file falls into one [`Concern`]; the table is the whole truth about what a changed path means.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ecosystem::{FORMATS, Files, claims, fold, settings_of};
use crate::model::RepoPath;
use crate::model::tree::{Delta, Entry, EntryKind, Oid, Unread};
use crate::world::Tree;

pub mod unread;
pub mod vendored;

use vendored::Vendored;

pub use crate::ecosystem::FILE_CAP;

/// Bytes of manifests that are kept for the next question, at the most.
const KEPT_CAP: usize = 32 << 20;

/// Why a path concerns the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// A manifest or lockfile that is read.
    Dependencies,
    /// A manifest or lockfile of a kind that this version does not read.
    Unread,
    /// Package-manager configuration or a toolchain file.
    ManagerConfig,
    /// Part of a vendored tree.
    Vendored,
    /// The gate's own folder, or who owns it.
    Gate,
    /// A workflow, which may hold the gate's own job.
    Workflow,
    /// Another repository, or its address.
    Submodule,
}

/// Why the entry at a path concerns the gate by its own name; `None` where it does not.
#[must_use]
pub fn concern(entry: &Entry) -> Option<Concern> {
    let path = &entry.path;
    let name = path.file_name();
    if entry.kind == EntryKind::Submodule || path.as_str() == ".gitmodules" {
        return Some(Concern::Submodule);
    }
    if path.is_within(&RepoPath::new(crate::gate::FOLDER)) || name == "CODEOWNERS" {
        return Some(Concern::Gate);
    }
    if vendored::is_mark(path) {
        return Some(Concern::Vendored);
    }
    // Before the formats that read what workflows use: these hold the gate's own job as well.
    if path.is_within(&RepoPath::new(".github/workflows")) || path.is_within(&RepoPath::new(".github/actions")) {
        return Some(Concern::Workflow);
    }
    if claims(path) {
        return Some(Concern::Dependencies);
    }
    if settings_of(path).is_some() {
        return Some(Concern::ManagerConfig);
    }
    // Case folds here: a file system that ignores case would let `cargo.LOCK` be the lockfile.
    if folded_name_is_recognised(name) {
        return Some(Concern::Dependencies);
    }
    if unread::is_unread(path) {
        return Some(Concern::Unread);
    }
    // What formats look up by name beside manifests and lockfiles (checksums, settings of a build) makes inventories too.
    FORMATS.iter().any(|format| format.looks_up().contains(&name)).then_some(Concern::Dependencies)
}

/// Why a path concerns the gate by its name alone; `None` where it does not.
#[must_use]
pub fn concern_of_path(path: &RepoPath) -> Option<Concern> {
    concern(&Entry { path: path.clone(), kind: EntryKind::File, oid: Oid([0; 20]) })
}

fn folded_name_is_recognised(name: &str) -> bool {
    let folded = fold(name);
    let mut kinds = FORMATS.iter().flat_map(|format| format.kinds());
    kinds.any(|kind| !kind.pattern.contains(['*', '/']) && fold(kind.pattern) == folded)
}

/// Files of one tree, listed once, read on demand.
pub struct Snapshot<'t> {
    tree: &'t dyn Tree,
    entries: BTreeMap<RepoPath, Entry>,
    by_name: BTreeMap<&'static str, Vec<RepoPath>>,
    read: RefCell<BTreeMap<Oid, Arc<[u8]>>>,
    kept: Cell<usize>,
}

impl<'t> Snapshot<'t> {
    /// Lists a tree.
    ///
    /// # Errors
    /// [`Unread`] where it cannot be listed.
    pub fn new(tree: &'t dyn Tree) -> Result<Self, Unread> {
        let entries: BTreeMap<_, _> = tree.list()?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        let mut by_name: BTreeMap<&'static str, Vec<RepoPath>> = BTreeMap::new();
        for name in FORMATS.iter().flat_map(|format| format.looks_up()) {
            by_name.insert(name, Vec::new());
        }
        for path in entries.keys() {
            if let Some(paths) = by_name.get_mut(path.file_name()) {
                paths.push(path.clone());
            }
        }
        Ok(Self { tree, entries, by_name, read: RefCell::default(), kept: Cell::default() })
    }

    /// Every entry, sorted by path.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry at a path.
    #[must_use]
    pub fn entry(&self, path: &RepoPath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether every input of an inventory is the same here.
    #[must_use]
    pub fn holds(&self, inputs: &[crate::model::inventory::Input]) -> bool {
        inputs.iter().all(|input| self.entry(&input.path).map(|entry| entry.oid) == input.oid)
    }

    /// Paths that one file system cannot hold both of, among recognised names: which of them a build reads is
    /// anybody's guess, so the caller makes the answer incomplete.
    #[must_use]
    pub fn collisions(&self) -> Vec<(RepoPath, RepoPath)> {
        let mut seen: BTreeMap<String, &RepoPath> = BTreeMap::new();
        let mut found = Vec::new();
        for entry in self.entries.values() {
            if concern(entry).is_none() {
                continue;
            }
            match seen.entry(fold(entry.path.as_str())) {
                std::collections::btree_map::Entry::Occupied(other) => {
                    found.push(((*other.get()).clone(), entry.path.clone()));
                }
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(&entry.path);
                }
            }
        }
        found
    }
}

impl Files for Snapshot<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<(Arc<[u8]>, Oid)>, Unread> {
        let Some(entry) = self.entries.get(path) else { return Ok(None) };
        if let Some(bytes) = self.read.borrow().get(&entry.oid) {
            return Ok(Some((bytes.clone(), entry.oid)));
        }
        let bytes = self.tree.read(entry, FILE_CAP)?;
        // Manifests are asked for again and again (members, inheritance); lockfiles once. What is kept is bounded, so
        // that memory does not grow with the number of projects.
        let kept = self.kept.get() + bytes.len();
        let is_lockfile = |name: &str| name.ends_with(".lock") || name.ends_with("-lock.json");
        if !is_lockfile(path.file_name()) && kept < KEPT_CAP {
            self.kept.set(kept);
            self.read.borrow_mut().insert(entry.oid, bytes.clone());
        }
        Ok(Some((bytes, entry.oid)))
    }

    fn paths(&self) -> Box<dyn Iterator<Item = &RepoPath> + '_> {
        Box::new(self.entries.keys())
    }

    fn named(&self, file_name: &str) -> Vec<RepoPath> {
        match self.by_name.get(file_name) {
            Some(paths) => paths.clone(),
            None => self.entries.keys().filter(|path| path.file_name() == file_name).cloned().collect(),
        }
    }
}

/// A path that differs and concerns the gate.
#[derive(Debug, Clone)]
pub struct Concerning<'d> {
    /// Why.
    pub concern: Concern,
    /// What differs.
    pub delta: &'d Delta,
    /// The vendored package it belongs to.
    pub vendored: Option<Vendored>,
}

/// Deltas that concern the gate. A file concerns it as part of a vendored package where either tree says that it is
/// one's, whatever its own name: a vendored manifest is not a project's.
///
/// # Errors
/// [`Unread`] where a tree cannot be read.
pub fn concerning<'d>(deltas: &'d [Delta], base: &dyn Tree, head: &dyn Tree) -> Result<Vec<Concerning<'d>>, Unread> {
    let mut finder = vendored::Finder::new([head, base]);
    let mut found = Vec::new();
    let included = included(deltas, [base, head])?;
    for delta in deltas {
        let Some(path) = delta.path() else { continue };
        let vendored = finder.find(path)?;
        let side = |entry: &Option<Entry>| {
            let included = entry.as_ref().filter(|entry| included.contains(&entry.path));
            let by_name = entry.as_ref().and_then(concern);
            by_name.or(included.map(|_| Concern::ManagerConfig))
        };
        let concern = match &vendored {
            Some(_) => Some(Concern::Vendored),
            None => side(&delta.after).or_else(|| side(&delta.before)),
        };
        if let Some(concern) = concern {
            found.push(Concerning { concern, delta, vendored });
        }
    }
    Ok(found)
}

/// Files outside cargo's own folders that its configuration includes, in either tree: of the repository's root, and of
/// every folder above a path that differs.
fn included(deltas: &[Delta], trees: [&dyn Tree; 2]) -> Result<BTreeSet<RepoPath>, Unread> {
    let mut folders = BTreeSet::from([RepoPath::root()]);
    for path in deltas.iter().filter_map(Delta::path) {
        let mut folder = path.parent();
        while folders.insert(folder.clone()) {
            folder = folder.parent();
        }
    }
    // Cargo includes files of this ending alone. Only where one differs are the configurations below looked for.
    let ends_so = |path: &RepoPath| path.file_name().ends_with(".toml");
    if deltas.iter().filter_map(Delta::path).any(|path| ends_so(path) && concern_of_path(path).is_none()) {
        for tree in trees {
            for entry in tree.list()? {
                let folder = entry.path.parent();
                if folder.file_name() == ".cargo" {
                    folders.insert(folder.parent());
                }
            }
        }
    }
    let mut included = BTreeSet::new();
    for tree in trees {
        let mut open: Vec<RepoPath> = folders
            .iter()
            .flat_map(|folder| [".cargo/config.toml", ".cargo/config"].map(|name| folder.join(name)))
            .flatten()
            .collect();
        while let Some(path) = open.pop() {
            // What cannot be read is said where it changes, and where a project is read.
            let Some(entry) = tree.entry(&path)? else { continue };
            let Ok(bytes) = tree.read(&entry, FILE_CAP) else { continue };
            let Ok(config) = crate::ecosystem::cargo::config::parse(&bytes) else { continue };
            for (name, _) in &config.includes {
                if let Some(next) = path.parent().join(name)
                    && included.len() < MOST_INCLUDED
                    && included.insert(next.clone())
                {
                    open.push(next);
                }
            }
        }
    }
    Ok(included)
}

/// Files that configurations include, at the most.
const MOST_INCLUDED: usize = 4_096;
