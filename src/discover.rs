//! Stage 2: paths → projects, and what else concerns the gate.
//!
//! Every recognised file falls into one [`Concern`]; the table is the whole truth about what a changed path means.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use crate::ecosystem::{FORMATS, Files};
use crate::model::tree::{Delta, Entry, EntryKind, Oid, Unread};
use crate::model::{Ecosystem, RepoPath};
use crate::world::Tree;

/// Largest dependency file that is read, in bytes.
pub const FILE_CAP: u64 = 64 << 20;

/// Bytes of manifests that are kept for the next question, at the most.
const KEPT_CAP: usize = 32 << 20;

/// Why a path concerns the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// A manifest or lockfile that is read.
    Dependencies,
    /// A lockfile of a kind that this version does not read.
    Unread(Ecosystem),
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

/// The file that cargo puts into every vendored crate, and without which it refuses the crate.
const VENDORED_MARK: &str = ".cargo-checksum.json";

/// Lockfiles that are recognised and not read: adding or changing one is incomplete, never silence.
const UNREAD: &[(&str, Ecosystem)] = &[
    ("package-lock.json", Ecosystem::Npm),
    ("npm-shrinkwrap.json", Ecosystem::Npm),
    ("yarn.lock", Ecosystem::Npm),
    ("pnpm-lock.yaml", Ecosystem::Npm),
    ("bun.lock", Ecosystem::Npm),
    ("bun.lockb", Ecosystem::Npm),
    ("deno.lock", Ecosystem::Npm),
    ("poetry.lock", Ecosystem::PyPi),
    ("uv.lock", Ecosystem::PyPi),
    ("pdm.lock", Ecosystem::PyPi),
    ("Pipfile.lock", Ecosystem::PyPi),
    ("pylock.toml", Ecosystem::PyPi),
    ("go.sum", Ecosystem::Go),
    ("gradle.lockfile", Ecosystem::Maven),
    ("Gemfile.lock", Ecosystem::RubyGems),
    ("composer.lock", Ecosystem::Packagist),
    ("packages.lock.json", Ecosystem::NuGet),
    ("pubspec.lock", Ecosystem::Pub),
    ("mix.lock", Ecosystem::Hex),
    ("Package.resolved", Ecosystem::Swift),
    ("conan.lock", Ecosystem::Conan),
    ("Podfile.lock", Ecosystem::CocoaPods),
    (".terraform.lock.hcl", Ecosystem::Terraform),
];

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
    if name == VENDORED_MARK {
        return Some(Concern::Vendored);
    }
    if FORMATS.iter().any(|format| format.claims().contains(&name)) {
        return Some(Concern::Dependencies);
    }
    if is_manager_config(path) {
        return Some(Concern::ManagerConfig);
    }
    if path.is_within(&RepoPath::new(".github/workflows")) || path.is_within(&RepoPath::new(".github/actions")) {
        return Some(Concern::Workflow);
    }
    // Case folds here: a file system that ignores case would let `cargo.LOCK` be the lockfile.
    if folded_name_is_recognised(name) {
        return Some(Concern::Dependencies);
    }
    UNREAD.iter().find(|(unread, _)| *unread == name).map(|(_, ecosystem)| Concern::Unread(*ecosystem))
}

/// Cargo's own folder with all that lies in it (configuration may include it), and toolchain files. Case folds: a file
/// system that ignores it finds `.Cargo` as well. The folder itself concerns the gate where it is a link.
fn is_manager_config(path: &RepoPath) -> bool {
    path.parts().any(|part| fold(part) == ".cargo")
        || matches!(fold(path.file_name()).as_str(), "rust-toolchain" | "rust-toolchain.toml")
}

/// Whether a path concerns the gate by its name alone.
fn concern_of_name(path: &RepoPath) -> Option<Concern> {
    concern(&Entry { path: path.clone(), kind: EntryKind::File, oid: Oid([0; 20]) })
}

fn folded_name_is_recognised(name: &str) -> bool {
    let folded = fold(name);
    FORMATS.iter().flat_map(|format| format.claims()).any(|known| fold(known) == folded)
}

/// A name as a file system that ignores case and composes Unicode would see it.
fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfkc().flat_map(char::to_lowercase).collect()
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
        for name in FORMATS.iter().flat_map(|format| format.file_names()) {
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
        if path.file_name() != "Cargo.lock" && kept < KEPT_CAP {
            self.kept.set(kept);
            self.read.borrow_mut().insert(entry.oid, bytes.clone());
        }
        Ok(Some((bytes, entry.oid)))
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
    /// The folder of the vendored crate it belongs to.
    pub vendored: Option<RepoPath>,
}

/// Deltas that concern the gate. A file concerns it as part of a vendored crate where any folder above it holds
/// cargo's mark in either tree, whatever its own name: a vendored manifest is not a project's.
///
/// # Errors
/// [`Unread`] where a tree cannot be read.
pub fn concerning<'d>(deltas: &'d [Delta], base: &dyn Tree, head: &dyn Tree) -> Result<Vec<Concerning<'d>>, Unread> {
    let mut marked: BTreeMap<RepoPath, bool> = BTreeMap::new();
    let mut found = Vec::new();
    let included = included(deltas, [base, head])?;
    for delta in deltas {
        let Some(path) = delta.path() else { continue };
        let mut vendored = None;
        let mut folder = path.parent();
        while !folder.is_root() {
            let is_marked = match marked.get(&folder) {
                Some(known) => *known,
                None => {
                    let mark = folder.join(VENDORED_MARK).unwrap_or_else(RepoPath::root);
                    let is_marked = head.entry(&mark)?.is_some() || base.entry(&mark)?.is_some();
                    marked.insert(folder.clone(), is_marked);
                    is_marked
                }
            };
            if is_marked {
                vendored = Some(folder.clone());
            }
            folder = folder.parent();
        }
        let side = |entry: &Option<Entry>| {
            let included = entry.as_ref().filter(|entry| included.contains(&entry.path));
            entry.as_ref().and_then(concern).or(included.map(|_| Concern::ManagerConfig))
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
    if deltas.iter().filter_map(Delta::path).any(|path| ends_so(path) && concern_of_name(path).is_none()) {
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
