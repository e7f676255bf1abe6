//! Finds cargo projects and reads them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::config::{self, Config};
use super::lockfile;
use super::manifest::{Dependency, Patch};
use super::source::is_public;
use super::workspace::{Failure, MANIFEST, Manifests, Workspace, gather, is_below};
use super::{locked, unlocked};
use crate::ecosystem::{Files, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of a lockfile.
const LOCKFILE: &str = "Cargo.lock";

/// Names of cargo's configuration files, in a folder `.cargo`.
const CONFIGS: [&str; 2] = ["config.toml", "config"];

/// Configuration files that are read for one project, with those that are not there.
const MAX_CONFIGS: usize = 4_096;

/// The file that marks the folder of a vendored package.
const VENDORED: &str = ".cargo-checksum.json";

/// File names that concern this format.
pub(super) const FILE_NAMES: &[&str] = &[LOCKFILE, MANIFEST, "config.toml", "config", VENDORED];

/// What takes the place of other packages, and where it is said.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub with: Dependency,
    /// The folder that its path leads to; `None` where it leaves the repository or there is no path.
    pub folder: Option<RepoPath>,
    /// Whether it takes the place of packages of the public registry.
    pub is_for_public: bool,
    pub input: u32,
}

/// All that is known before the lockfile is read.
pub(super) struct Context<'m> {
    pub mirrors: &'m [String],
    pub config: Config,
    pub stand_ins: Vec<StandIn>,
    pub workspace: Workspace,
}

/// The projects of a tree: every lockfile, and every manifest that no lockfile and no other manifest speaks for.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let manifests = files.named(MANIFEST);
    let vendored = Vendored::find(files);
    let with_manifest: HashSet<RepoPath> = manifests.iter().map(RepoPath::parent).collect();
    let mut found: BTreeMap<RepoPath, Project> = BTreeMap::new();
    let mut add = |folder: &RepoPath, lockfile: Option<RepoPath>| {
        let manifest = if with_manifest.contains(folder) { folder.join(MANIFEST) } else { None };
        let project = Project { path: folder.clone(), ecosystem: Ecosystem::Cargo, manifest, lockfile };
        found.insert(folder.clone(), project);
    };
    let mut reader = Manifests::new(|path| files.read(path).map(|f| f.map(|(bytes, _)| (bytes, 0))));
    let mut covered: HashSet<RepoPath> = HashSet::new();
    let cover = |folder: &RepoPath, reader: &mut Manifests<'_>, covered: &mut HashSet<RepoPath>| {
        covered.insert(folder.clone());
        // What cannot be read is said when the project is read.
        let (_, mut stand_ins) = configuration(folder, &mut View::new(files, &[])).unwrap_or_default();
        if let Ok(Some((manifest, input))) = reader.get(folder) {
            stand_ins.extend(manifest.patches.iter().map(|patch| stand_in(patch, folder, input, &[])));
        }
        let extra: Vec<RepoPath> = stand_ins.into_iter().filter_map(|stand_in| stand_in.folder).collect();
        let workspace = gather(folder, &manifests, &extra, reader).unwrap_or_default();
        covered.extend(workspace.locals.into_iter().map(|local| local.folder));
    };
    for lockfile in files.named(LOCKFILE) {
        let folder = lockfile.parent();
        if !vendored.holds(&folder, true) {
            cover(&folder, &mut reader, &mut covered);
            add(&folder, Some(lockfile));
        }
    }
    let mut rest: Vec<RepoPath> = Vec::new();
    for folder in manifests.iter().map(RepoPath::parent) {
        if covered.contains(&folder) || vendored.holds(&folder, false) {
            continue;
        }
        let is_workspace = matches!(reader.get(&folder), Ok(Some((manifest, _))) if manifest.workspace.is_some());
        if is_workspace {
            cover(&folder, &mut reader, &mut covered);
            add(&folder, None);
        } else {
            rest.push(folder);
        }
    }
    rest.retain(|folder| !covered.contains(folder));
    // Of what is left, a package that another one reaches by path belongs to that one. Where packages reach each
    // other in a circle, the first stands for all: none may vanish.
    let reached: BTreeSet<RepoPath> = rest.iter().flat_map(|folder| reached_from(folder, &mut reader)).collect();
    let (inner, outer): (Vec<_>, Vec<_>) = rest.into_iter().partition(|folder| reached.contains(folder));
    for folder in outer.iter().chain(&inner) {
        if !covered.contains(folder) {
            cover(folder, &mut reader, &mut covered);
            add(folder, None);
        }
    }
    found.into_values().collect()
}

/// The folders that a package's manifest names by path, itself left out.
fn reached_from(folder: &RepoPath, reader: &mut Manifests<'_>) -> Vec<RepoPath> {
    let Ok(Some((manifest, _))) = reader.get(folder) else {
        return Vec::new();
    };
    let paths = manifest.dependencies.iter().filter_map(|dependency| dependency.path.as_ref());
    paths.filter_map(|path| folder.join(path)).filter(|reached| reached != folder).collect()
}

/// Folders of vendored sources: packages that carry cargo's list of checksums, and folders that a configuration names.
///
/// A file that head adds must not make its own projects vanish. So a mark alone hides no lockfile, a name alone hides
/// nothing, and neither hides the repository itself or the folder that holds the configuration.
struct Vendored {
    marked: HashSet<RepoPath>,
    named: HashSet<RepoPath>,
}

impl Vendored {
    fn find(files: &dyn Files) -> Self {
        let mut marked: HashSet<RepoPath> = files.named(VENDORED).iter().map(RepoPath::parent).collect();
        marked.remove(&RepoPath::root());
        let mut named = HashSet::new();
        for name in CONFIGS {
            for path in files.named(name).into_iter().filter(|path| path.parent().file_name() == ".cargo") {
                let Ok(Some((bytes, _))) = files.read(&path) else {
                    continue;
                };
                let base = path.parent().parent();
                let folders = config::parse(&bytes).unwrap_or_default().vendored;
                named.extend(folders.iter().filter_map(|folder| base.join(folder)).filter(|f| !base.is_within(f)));
            }
        }
        Self { marked, named }
    }

    fn holds(&self, folder: &RepoPath, has_lockfile: bool) -> bool {
        is_below(folder, &self.marked) && (!has_lockfile || is_below(folder, &self.named))
    }
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mirrors = view.mirrors;
    let (config, mut stand_ins) = configuration(&project.path, &mut view)?;
    let tree = view.named(MANIFEST);
    let locked = match &project.lockfile {
        Some(path) => view.read(path).map_err(|error| (path.clone(), error))?.map(|found| (path, found)),
        None => None,
    };
    if let (Some(path), None) = (&project.lockfile, &locked) {
        return Err((path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())));
    }
    let workspace = {
        let mut reader = Manifests::new(|path| view.read(path));
        if let Some((manifest, input)) = reader.get(&project.path)? {
            stand_ins.extend(manifest.patches.iter().map(|p| stand_in(p, &project.path, input, mirrors)));
        }
        let extra: Vec<RepoPath> = stand_ins.iter().filter_map(|s| s.folder.clone()).collect();
        gather(&project.path, &tree, &extra, &mut reader)?
    };
    let context = Context { mirrors, config, stand_ins, workspace };
    let mut inventory = match locked {
        Some((path, (bytes, input))) => {
            let lock = lockfile::parse(&bytes).map_err(|error| (path.clone(), error))?;
            locked::build(project, &lock, input, &context).map_err(|error| (path.clone(), error))?
        }
        None => unlocked::build(project, &context),
    };
    inventory.inputs = view.into_inputs();
    inventory.sort();
    Ok(inventory)
}

/// Cargo's configuration for a folder: that of the folder and of every folder above it, and the files they include,
/// within the repository.
fn configuration(folder: &RepoPath, view: &mut View<'_>) -> Result<(Config, Vec<StandIn>), Failure> {
    let mut all = Config::default();
    let mut stand_ins = Vec::new();
    let mut seen: HashSet<RepoPath> = HashSet::new();
    let mut at = folder.clone();
    loop {
        let Some(home) = at.join(".cargo") else {
            return Ok((all, stand_ins));
        };
        let mut files: Vec<RepoPath> = CONFIGS.iter().filter_map(|name| home.join(name)).collect();
        while let Some(path) = files.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            if seen.len() > MAX_CONFIGS {
                let what = "the number of cargo's configuration files".to_owned();
                let (size, cap) = (seen.len() as u64, MAX_CONFIGS as u64);
                return Err((path, Unread::TooLarge { what, size, cap }));
            }
            if let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? {
                let config = config::parse(&bytes).map_err(|error| (path.clone(), error))?;
                stand_ins.extend(config.patches.iter().map(|p| stand_in(p, &at, input, view.mirrors)));
                files.extend(config.includes.iter().filter_map(|(include, _)| path.parent().join(include)));
                all.merge(config);
            }
        }
        if at.is_root() {
            return Ok((all, stand_ins));
        }
        at = at.parent();
    }
}

fn stand_in(patch: &Patch, base: &RepoPath, input: u32, mirrors: &[String]) -> StandIn {
    StandIn {
        with: patch.with.clone(),
        folder: patch.with.path.as_ref().and_then(|path| base.join(path)),
        is_for_public: *patch.source == *"crates-io" || is_public(&patch.source, mirrors),
        input,
    }
}
