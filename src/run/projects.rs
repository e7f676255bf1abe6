//! Projects of a revision, read; and projects of two revisions, paired.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::packages::{is_moved, take_in_stand_ins};
use crate::discover::Snapshot;
use crate::ecosystem::{FORMATS, Files as _, View, settings_of};
use crate::gate::config::Config;
use crate::model::RepoPath;
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::{Delta, Unread};
use crate::model::verdict::{CheckSkipped, Coverage, CoveredFile, FileState};
use crate::run::registries::Registries;

/// Every project of a tree, of the formats that are wanted, that the settings do not exclude. What is excluded or cannot be read is noted.
#[must_use]
pub fn find(
    snapshot: &Snapshot<'_>,
    config: &Config,
    wanted: &dyn Fn(usize) -> bool,
    coverage: &mut Coverage,
) -> Vec<(usize, Project)> {
    let mut found = Vec::new();
    let mut workflows = Workflows::default();
    for (index, format) in FORMATS.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        match format.projects(snapshot) {
            Ok(projects) => {
                for project in projects {
                    let file = project.lockfile.as_ref().or(project.manifest.as_ref()).unwrap_or(&project.path);
                    if config.judges(file) || workflows.name(snapshot, &project.path) {
                        found.push((index, project));
                    } else {
                        let reason = Some("excluded by [projects] of the governing revision".to_owned());
                        coverage.files.push(CoveredFile { path: file.clone(), state: FileState::Excluded, reason });
                    }
                }
            }
            Err((path, unread)) => failed(coverage, &path, &unread, true),
        }
    }
    found
}

/// The texts of a tree's workflows, read when first asked. An excluded folder that a pipeline works in is judged: what
/// runs there runs with the pipeline's rights.
#[derive(Default)]
struct Workflows(Option<Vec<String>>);

impl Workflows {
    fn name(&mut self, snapshot: &Snapshot<'_>, folder: &RepoPath) -> bool {
        if folder.is_root() {
            return false;
        }
        let texts = self.0.get_or_insert_with(|| {
            let at = RepoPath::new(".github");
            let found = snapshot.entries().filter(|entry| entry.path.is_within(&at));
            found
                .filter_map(|entry| snapshot.read(&entry.path).ok().flatten())
                .map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned())
                .collect()
        });
        texts.iter().any(|text| text.contains(folder.as_str()))
    }
}

/// Whether configuration or vendored bytes serve nobody but what the governing revision excludes: the folder they stand
/// in is excluded as a whole, one above it too (so that `vendor/**` says nothing of who reads `vendor`), no judged
/// project lies there, and neither a pipeline nor the configuration of anything judged names it.
#[must_use]
pub fn serve_the_excluded(path: &RepoPath, config: &Config, pairs: &[Pair], trees: &[&Snapshot<'_>]) -> bool {
    let folder = path.parent();
    let above = folder.parent();
    let is_excluded = |folder: &RepoPath| folder.join("any").is_some_and(|file| !config.judges(&file));
    if folder.is_root() || !is_excluded(&folder) || !is_excluded(&above) {
        return false;
    }
    let holds = |project: &Project| project.path.is_within(&above);
    if pairs.iter().any(|pair| holds(&pair.project) || pair.base.as_ref().is_some_and(|base| holds(&base.project))) {
        return false;
    }
    !trees.iter().any(|tree| Workflows::default().name(tree, &above) || configured(tree, config, &above))
}

/// Whether a configuration that is judged names a folder.
fn configured(tree: &Snapshot<'_>, config: &Config, folder: &RepoPath) -> bool {
    let settings = tree.entries().filter(|entry| settings_of(&entry.path).is_some() && config.judges(&entry.path));
    let mut texts = settings.map(|entry| tree.read(&entry.path));
    texts.any(|read| match read {
        Ok(Some((bytes, _))) => String::from_utf8_lossy(&bytes).contains(folder.as_str()),
        Ok(None) => false,
        Err(_) => true,
    })
}

/// Reads one project.
///
/// # Errors
/// The path that could not be read, and why.
pub fn read(
    snapshot: &Snapshot<'_>,
    config: &Config,
    (format, project): &(usize, Project),
) -> Result<Inventory, (RepoPath, Unread)> {
    let Some(format) = FORMATS.get(*format) else {
        return Err((project.path.clone(), Unread::Unsupported("no format reads it".to_owned())));
    };
    format.read(project, View::new(snapshot, config.mirrors(project.ecosystem)))
}

/// Notes a file that could not be read. One that has to be leaves the answer incomplete.
pub fn failed(coverage: &mut Coverage, path: &RepoPath, unread: &Unread, incomplete: bool) {
    let state = match unread {
        Unread::TooLarge { .. } => FileState::TooLarge,
        Unread::Unsupported(_) => FileState::Unsupported,
        _ => FileState::Failed,
    };
    let reason = unread.to_string();
    coverage.files.push(CoveredFile { path: path.clone(), state, reason: Some(reason.clone()) });
    coverage.checks_skipped.push(CheckSkipped {
        check: "lockfile".to_owned(),
        reason: format!("{path}: {reason}"),
        incomplete,
    });
}

/// A project of two revisions.
pub struct Pair {
    /// The project: head's, or base's for one that is gone.
    pub project: Project,
    /// Base's inventory.
    pub base: Option<Inventory>,
    /// Head's inventory; `None` for a project that is gone.
    pub head: Option<Inventory>,
    /// Whether every file that makes it is the same on both sides: `head` is not read then, and `base` stands for it.
    pub unchanged: bool,
}

impl Pair {
    /// What stands in head.
    #[must_use]
    pub fn standing(&self) -> Option<&Inventory> {
        if self.unchanged { self.base.as_ref() } else { self.head.as_ref() }
    }
}

/// Reads and pairs the projects of two revisions. A head that cannot be read is noted; a base that cannot be read
/// makes everything in head new.
#[must_use]
pub fn pair(
    base: &Snapshot<'_>,
    head: &Snapshot<'_>,
    deltas: &[Delta],
    config: &Config,
    wanted: &dyn Fn(usize) -> bool,
    coverage: &mut Coverage,
) -> Vec<Pair> {
    let mut ignored = Coverage::default();
    let base_projects = find(base, config, wanted, &mut ignored);
    let head_projects = find(head, config, wanted, coverage);
    let mut before: Vec<(Project, Option<Inventory>)> =
        base_projects.iter().map(|found| (found.1.clone(), read(base, config, found).ok())).collect();
    let mut registries = Registries::declared(config, base);
    registries.learn(before.iter().filter_map(|(_, inventory)| inventory.as_ref()));
    for inventory in before.iter_mut().filter_map(|(_, inventory)| inventory.as_mut()) {
        registries.settle(inventory);
    }
    let moved: BTreeSet<&RepoPath> = deltas.iter().filter_map(Delta::path).collect();
    let twins = twins(&before, &head_projects);
    let mut before: Vec<Option<(Project, Option<Inventory>)>> = before.into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    let mut unpaired = Vec::new();
    for (found, twin) in head_projects.iter().zip(twins) {
        let (old, known) = match twin.and_then(|at| before.get_mut(at)).and_then(Option::take) {
            Some((project, inventory)) => (Some(project), inventory),
            None => (None, None),
        };
        if let Some(base) = &known
            && old.as_ref() == Some(&found.1)
            && head.holds(&base.inputs)
            && !manifests_move(deltas, &found.1)
        {
            pairs.push(Pair { project: found.1.clone(), base: known, head: None, unchanged: true });
            continue;
        }
        match read(head, config, found) {
            Ok(mut inventory) => {
                note_inputs(coverage, &inventory);
                registries.learn_first(&mut inventory, coverage);
                registries.settle(&mut inventory);
                if let Some(base) = &known {
                    take_in_stand_ins(base, &mut inventory);
                }
                let pair = Pair { project: found.1.clone(), base: known, head: Some(inventory), unchanged: false };
                if twin.is_some() { pairs.push(pair) } else { unpaired.push(pair) }
            }
            Err((path, unread)) => {
                // What base could not read either, and nobody touched, is not this change's to answer for.
                let own = found.1.lockfile.iter().chain(&found.1.manifest).chain([&path]);
                let stood = old.is_some() && known.is_none();
                let own: Vec<&RepoPath> = own.into_iter().collect();
                // A member's manifest is read with the project above it.
                let is_part = |path: &RepoPath| {
                    own.contains(&path) || (path.is_within(&found.1.path) && crate::ecosystem::claims(path))
                };
                let is_touched = stood && moved.iter().copied().any(is_part);
                failed(coverage, &path, &unread, is_touched || !stood);
                // Unread on this side is neither removed nor unchanged: the project is left out, and said to be.
            }
        }
    }
    let mut before: Vec<_> = before.into_iter().flatten().collect();
    // A project that moved as a whole is no change. One whose twin on the other side was not read is not one.
    for mut pair in unpaired {
        let twin = before.iter().position(|(_, inventory)| {
            inventory.as_ref().zip(pair.head.as_ref()).is_some_and(|(base, head)| is_moved(base, head))
        });
        if let Some(at) = twin {
            pair.base = before.remove(at).1;
        }
        pairs.push(pair);
    }
    for (project, inventory) in before {
        // The lockfile of a project that head could not read is not gone.
        let unread_in_head = project
            .lockfile
            .iter()
            .chain(&project.manifest)
            .any(|path| coverage.files.iter().any(|file| file.path == *path && file.state != FileState::Read));
        if let (Some(base), false) = (inventory, unread_in_head) {
            pairs.push(Pair { project, base: Some(base), head: None, unchanged: false });
        }
    }
    pairs.sort_by(|a, b| a.project.cmp(&b.project));
    pairs
}

/// For each project of head the one of base that it goes on from: the one of the same lockfile or manifest, or else,
/// where a project changed its tool, one of the same folder whose own files are gone.
fn twins(before: &[(Project, Option<Inventory>)], head: &[(usize, Project)]) -> Vec<Option<usize>> {
    let key = |p: &Project| (p.ecosystem, p.path.clone(), p.lockfile.clone().or_else(|| p.manifest.clone()));
    let known: BTreeMap<_, usize> = before.iter().enumerate().map(|(at, (project, _))| (key(project), at)).collect();
    let mut twins: Vec<Option<usize>> = head.iter().map(|(_, project)| known.get(&key(project)).copied()).collect();
    let mut taken: BTreeSet<usize> = twins.iter().flatten().copied().collect();
    for (twin, (_, project)) in twins.iter_mut().zip(head).filter(|(twin, _)| twin.is_none()) {
        let same_place = |(at, (other, _)): &(usize, &(Project, Option<Inventory>))| {
            !taken.contains(at) && (other.ecosystem, &other.path) == (project.ecosystem, &project.path)
        };
        *twin = before.iter().enumerate().find(same_place).map(|(at, _)| at);
        taken.extend(*twin);
    }
    twins
}

/// Whether a manifest came or went inside the project: globs of members may reach it without any other file changing.
fn manifests_move(deltas: &[Delta], project: &Project) -> bool {
    deltas.iter().any(|delta| {
        (delta.before.is_none() || delta.after.is_none())
            && delta.path().is_some_and(|path| path.is_within(&project.path) && crate::ecosystem::claims(path))
    })
}

/// Notes the files that made an inventory.
pub fn note_inputs(coverage: &mut Coverage, inventory: &Inventory) {
    for input in inventory.inputs.iter().filter(|input| input.oid.is_some()) {
        coverage.files.push(CoveredFile { path: input.path.clone(), state: FileState::Read, reason: None });
    }
}
