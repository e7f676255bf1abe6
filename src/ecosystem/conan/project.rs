//! Finds projects of Conan and reads them.

use std::collections::{HashMap, HashSet};

use super::conanfile::{self, Wanted};
use super::lockfile;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::{FILE_CAP, Files, View};
use crate::model::inventory::{Inventory, Project, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the lockfile.
pub(super) const LOCKFILE: &str = "conan.lock";

/// The manifest that is code. Conan reads it where both are there.
pub(super) const CODE: &str = "conanfile.py";

/// The manifest that is text.
pub(super) const PLAIN: &str = "conanfile.txt";

type Failure = (RepoPath, Unread);

/// The projects of a tree.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let is_own = |path: &RepoPath| !path.parts().any(|part| part == "node_modules");
    let ecosystem = Ecosystem::Conan;
    let mut manifests: HashMap<RepoPath, RepoPath> = HashMap::new();
    for path in files.named(PLAIN).into_iter().chain(files.named(CODE)).filter(is_own) {
        manifests.insert(path.parent(), path);
    }
    let mut found = Vec::new();
    for lockfile in files.named(LOCKFILE).into_iter().filter(is_own) {
        let path = lockfile.parent();
        let manifest = manifests.remove(&path);
        found.push(Project { path, ecosystem, manifest, lockfile: Some(lockfile) });
    }
    for (path, manifest) in manifests {
        found.push(Project { path, ecosystem, manifest: Some(manifest), lockfile: None });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    let mut manifest = None;
    for name in [CODE, PLAIN] {
        let Some(path) = project.path.join(name) else { continue };
        if manifest.is_none() {
            let found = view.read(&path).map_err(|error| (path.clone(), error))?;
            manifest = found.map(|(bytes, input)| (bytes, input, path));
        }
    }
    let wanted = match &manifest {
        Some((bytes, input, path)) => {
            let is_code = path.file_name() == CODE;
            let read = if is_code { conanfile::code(bytes, MAX_BYTES) } else { conanfile::plain(bytes, MAX_BYTES) };
            Some((read.map_err(|error| (path.clone(), error))?, *input, is_code))
        }
        None => None,
    };
    let span = wanted.as_ref().map_or_else(Span::default, |(_, input, _)| Span { input: *input, ..Span::default() });
    let root = draft.root(&project.path.to_string(), "", &project.path, span);
    match &project.lockfile {
        Some(path) => {
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) =
                found.ok_or_else(|| (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())))?;
            let lock = lockfile::parse(&bytes, FILE_CAP, input).map_err(|error| (path.clone(), error))?;
            locked(&mut draft, root, lock, wanted.as_ref());
        }
        None => {
            if let Some((wanted, input, is_code)) = &wanted {
                unlocked(&mut draft, root, wanted, *input, *is_code);
            }
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

fn locked(draft: &mut Draft, root: usize, lock: lockfile::Lock, wanted: Option<&(Vec<Wanted<'_>>, u32, bool)>) {
    let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
    // Code may ask for more than it says; then, and without a manifest, nothing tells what is not direct.
    let is_told = lock.direct.is_some() || wanted.is_some_and(|(_, _, is_code)| !is_code);
    let mut places = Vec::with_capacity(lock.packages.len());
    let mut seen: HashSet<u32> = HashSet::new();
    for mut package in lock.packages {
        package.direct = !is_told;
        let name = package.name.to_string();
        let at = draft.package(package);
        places.push(at);
        if seen.insert(at) {
            by_name.entry(name).or_default().push(at);
        }
    }
    let place = |at: usize| places.get(at).copied();
    for (from, to) in lock.edges {
        if let (Some(from), Some(to)) = (place(from), place(to)) {
            draft.edge(from, to);
        }
    }
    for (at, scope) in lock.direct.into_iter().flatten() {
        if let Some(at) = place(at) {
            draft.need(root, at, scope, None);
        }
    }
    let Some((wanted, input, is_code)) = wanted else { return };
    let mut done: HashSet<&str> = HashSet::new();
    for Wanted { reference, scope, line } in wanted {
        let span = Span { input: *input, line: *line, end_line: *line };
        let found = by_name.get(reference.name).map(Vec::as_slice).unwrap_or_default();
        // One name is looked at once: a file that names it often must not cost more.
        if done.insert(reference.name) || found.len() == 1 {
            for at in found {
                draft.need(root, *at, *scope, Some(span));
            }
        }
        if *is_code {
            continue;
        }
        if found.is_empty() {
            let message = format!("asks for {:.80}, and the lockfile holds no such package", reference.version);
            draft.disagree(reference.name, message, span);
        } else if !reference.version.starts_with('[') && found.len() == 1 {
            let at = found.first().copied().unwrap_or_default();
            let held = draft.packages().get(at as usize).map(|package| package.version.clone()).unwrap_or_default();
            if *held != *reference.version {
                let message = format!("asks for {:.80}, and the lockfile holds {held:.80}", reference.version);
                draft.disagree(reference.name, message, span);
            }
        }
    }
}

/// What a manifest asks for where there is no lockfile.
fn unlocked(draft: &mut Draft, root: usize, wanted: &[Wanted<'_>], input: u32, is_code: bool) {
    for Wanted { reference, scope, line } in wanted {
        let span = Span { input, line: *line, end_line: *line };
        let mut package = reference.package(span);
        package.is_locked = false;
        if !reference.version.starts_with('[') {
            package.version = format!("={}", reference.version).into();
        }
        let package = draft.package(package);
        draft.need(root, package, *scope, Some(span));
    }
    if is_code {
        let message = "says by code what it asks for, and no lockfile says what that is";
        draft.disagree(CODE, message, Span { input, line: 1, end_line: 1 });
    }
}
