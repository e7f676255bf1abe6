//! Finds Pub's projects and reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::constraint;
use super::lockfile::{self, Entry, path_source};
use super::manifest::{self, Asked, From, Manifest};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::{Files, View};
use crate::model::checksum::of_commit;
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, SourceKind, Span};
use crate::model::path::glob;
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

type Failure = (RepoPath, Unread);

const MANIFEST: &str = "pubspec.yaml";
const OVERRIDES: &str = "pubspec_overrides.yaml";
const LOCKFILE: &str = "pubspec.lock";

/// File names that concern this format.
pub(super) const FILE_NAMES: &[&str] = &[MANIFEST, OVERRIDES, LOCKFILE];

/// Members of a workspace, at the most, and pairs of a pattern and a folder that are compared to find them.
const MAX_MEMBERS: usize = 10_000;
const MAX_COMPARED: usize = 1_000_000;

/// Folders that Pub and others fill with packages.
const FILLED: &[&str] = &["node_modules", ".pub-cache", ".dart_tool"];

/// Every lockfile, and every manifest without one that is no member of a workspace.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let folders = |name: &str| -> Vec<RepoPath> {
        let all = files.named(name).into_iter().map(|path| path.parent());
        all.filter(|folder| !folder.parts().any(|part| FILLED.contains(&part))).collect()
    };
    let (manifests, locked) = (folders(MANIFEST), folders(LOCKFILE));
    let with_manifest: HashSet<&RepoPath> = manifests.iter().collect();
    let with_lock: HashSet<&RepoPath> = locked.iter().collect();
    let mut members: HashSet<RepoPath> = HashSet::new();
    let mut budget = MAX_COMPARED;
    for folder in &manifests {
        let read = folder.join(MANIFEST).and_then(|path| files.read(&path).ok().flatten());
        // What cannot be read is said when the project is read; until then it speaks for nobody.
        if let Some(Ok(manifest)) = read.map(|(bytes, _)| manifest::read(&bytes)) {
            let found = expand(folder, &manifest, &manifests, &mut budget).unwrap_or_default();
            members.extend(found.into_iter().flatten().filter(|member| member != folder));
        }
    }
    let mut found = BTreeMap::new();
    for folder in manifests.iter().chain(&locked) {
        let has_lock = with_lock.contains(folder);
        if !has_lock && members.contains(folder) {
            continue;
        }
        let manifest = if with_manifest.contains(folder) { folder.join(MANIFEST) } else { None };
        let lockfile = if has_lock { folder.join(LOCKFILE) } else { None };
        let project = Project { path: folder.clone(), ecosystem: Ecosystem::Pub, manifest, lockfile };
        found.insert(folder.clone(), project);
    }
    found.into_values().collect()
}

/// The folders that each line of a workspace names; none where the line leaves the repository.
fn expand(
    folder: &RepoPath,
    manifest: &Manifest,
    all: &[RepoPath],
    budget: &mut usize,
) -> Result<Vec<Vec<RepoPath>>, Unread> {
    let mut found = Vec::new();
    for (text, _) in &manifest.workspace {
        if !text.contains('*') {
            found.push(folder.join(text).into_iter().collect());
            continue;
        }
        *budget = budget.checked_sub(all.len()).ok_or_else(|| Unread::TooLarge {
            what: "patterns of workspaces times manifests".to_owned(),
            size: MAX_COMPARED as u64 + 1,
            cap: MAX_COMPARED as u64,
        })?;
        let Some(pattern) = folder.join(text) else {
            found.push(Vec::new());
            continue;
        };
        let pattern = format!("/{pattern}");
        found.push(all.iter().filter(|other| glob(&pattern, other)).cloned().collect());
    }
    Ok(found)
}

/// A manifest of the project: its own, or a member's.
struct Local {
    folder: RepoPath,
    manifest: Manifest,
    input: u32,
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    let entries = match &project.lockfile {
        Some(path) => {
            let missing = || (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned()));
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) = found.ok_or_else(missing)?;
            Some(lockfile::read(&bytes, input, &project.path).map_err(|error| (path.clone(), error))?)
        }
        None => None,
    };
    let locals = locals(project, &mut view, &mut draft)?;
    let overrides = overrides(&locals, &mut view)?;
    // A folder of this repository with a manifest is a project of its own: its code is no library from elsewhere.
    let own = view.named(MANIFEST).into_iter().map(|path| path.parent());
    let own = own.filter(|folder| !folder.parts().any(|part| FILLED.contains(&part)));
    let own: HashSet<String> = own.map(|folder| folder.to_string()).collect();
    match entries {
        Some(entries) => locked(entries, &locals, &overrides, &own, &mut draft),
        None => unlocked(&locals, &overrides, &own, &mut draft),
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// The project's own manifest and those of its members, and of theirs.
fn locals(project: &Project, view: &mut View<'_>, draft: &mut Draft) -> Result<Vec<Local>, Failure> {
    let mut found: Vec<Local> = Vec::new();
    if project.manifest.is_none() {
        return Ok(found);
    }
    let all: Vec<RepoPath> = view.named(MANIFEST).iter().map(RepoPath::parent).collect();
    let mut seen: HashSet<RepoPath> = HashSet::from([project.path.clone()]);
    let mut work: Vec<(RepoPath, Option<(String, Span)>)> = vec![(project.path.clone(), None)];
    let mut budget = MAX_COMPARED;
    while let Some((folder, said)) = work.pop() {
        let Some(path) = folder.join(MANIFEST) else { continue };
        let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else {
            if let Some((name, span)) = said {
                draft.disagree(&name, "is a member of the workspace, and holds no pubspec.yaml", span);
            }
            continue;
        };
        let manifest = manifest::read(&bytes).map_err(|error| (path.clone(), error))?;
        let members = expand(&folder, &manifest, &all, &mut budget).map_err(|error| (path.clone(), error))?;
        for ((text, line), members) in manifest.workspace.iter().zip(members) {
            let span = span(input, *line);
            if members.is_empty() {
                draft.disagree(text, "is a member of the workspace, and leads to no folder of the repository", span);
            }
            for member in members {
                if seen.insert(member.clone()) {
                    work.push((member, Some((text.clone(), span))));
                }
            }
        }
        found.push(Local { folder, manifest, input });
        if found.len() > MAX_MEMBERS {
            let what = "the workspace, in members,".to_owned();
            return Err((path, Unread::TooLarge { what, size: found.len() as u64, cap: MAX_MEMBERS as u64 }));
        }
    }
    Ok(found)
}

fn span(input: u32, line: u32) -> Span {
    Span { input, line, end_line: line }
}

/// An override, the folder of the file that says it, and its place.
struct Override {
    asked: Asked,
    folder: RepoPath,
    at: Span,
}

/// What is overridden, by name. A `pubspec_overrides.yaml` with overrides takes the place of the section beside it.
fn overrides(locals: &[Local], view: &mut View<'_>) -> Result<HashMap<String, Override>, Failure> {
    let mut found = HashMap::new();
    for local in locals {
        let path = local.folder.join(OVERRIDES);
        let read = match &path {
            Some(path) => view.read(path).map_err(|error| (path.clone(), error))?,
            None => None,
        };
        let mut section = (local.manifest.overrides.clone(), local.input);
        if let (Some((bytes, input)), Some(path)) = (read, path) {
            let other = manifest::read(&bytes).map_err(|error| (path, error))?;
            if other.overrides.is_some() {
                section = (other.overrides, input);
            }
        }
        for asked in section.0.unwrap_or_default() {
            let at = span(section.1, asked.line);
            found.insert(asked.key.clone(), Override { asked, folder: local.folder.clone(), at });
        }
    }
    Ok(found)
}

/// Whether a package is a folder of the repository that is a project of its own.
fn is_own(package: &Package, own: &HashSet<String>) -> bool {
    package.source.kind == SourceKind::Path && own.contains(&*package.source.address)
}

/// Whether an override brings something else than another version of the same package.
fn is_elsewhere(asked: &Asked) -> bool {
    asked.from != From::Hosted(None) || asked.name.is_some()
}

/// The inventory of a lockfile.
fn locked(
    entries: Vec<Entry>,
    locals: &[Local],
    overrides: &HashMap<String, Override>,
    own: &HashSet<String>,
    draft: &mut Draft,
) {
    let mut places: HashMap<String, (Option<u32>, String)> = HashMap::new();
    let names: HashSet<&str> = locals.iter().map(|local| &*local.manifest.name).collect();
    for Entry { key, kind, package } in entries {
        let is_stand_in = overrides.get(&key).is_some_and(|o| is_elsewhere(&o.asked));
        let package = package.filter(|package| is_stand_in || !is_own(package, own));
        let place = package.map(|mut package| {
            if is_stand_in {
                package.identity = Identity::StandsIn;
            }
            package.direct = locals.is_empty();
            draft.package(package)
        });
        places.insert(key, (place, kind));
    }
    let asked_for: HashSet<&str> =
        locals.iter().flat_map(|local| &local.manifest.asked).map(|(asked, _)| &*asked.key).collect();
    // An alias is only true where a manifest asks for it.
    let mut aliases: HashSet<(&str, &str)> = HashSet::new();
    for local in locals {
        let root = draft.root(&local.manifest.name, &local.manifest.version, &local.folder, span(local.input, 0));
        for (asked, scope) in &local.manifest.asked {
            let at = span(local.input, asked.line);
            aliases.extend(asked.name.as_deref().map(|name| (&*asked.key, name)));
            let Some((place, kind)) = places.get(&asked.key) else {
                if !names.contains(&*asked.key) && asked.from != From::Sdk {
                    let message = format!("asks for {}, which the lockfile does not hold", asked.constraint);
                    draft.disagree(&asked.key, message, at);
                }
                continue;
            };
            if !overrides.contains_key(&asked.key) {
                compare(asked, *place, kind, at, draft);
            }
            if let Some(place) = place {
                draft.need(root, *place, *scope, Some(at));
            }
        }
        if locals.first().is_some_and(|first| first.folder == local.folder) {
            for (key, other) in overrides {
                aliases.extend(other.asked.name.as_deref().map(|name| (&**key, name)));
                let Some((place, kind)) = places.get(key) else {
                    // An override of what nothing needs may not be locked; one that brings other code is worth a word.
                    if matches!(other.asked.from, From::Git(..) | From::Path(_)) {
                        let message = format!(
                            "is overridden from {}, and the lockfile does not hold it",
                            other.asked.from.word()
                        );
                        draft.disagree(key, message, other.at);
                    }
                    continue;
                };
                compare(&other.asked, *place, kind, other.at, draft);
                if let Some(place) = place.filter(|_| !asked_for.contains(&**key)) {
                    draft.need(root, place, Scope::Runtime, Some(other.at));
                }
            }
        }
    }
    let wrong: Vec<(String, String, Span)> = draft
        .packages()
        .iter()
        .filter_map(|package| {
            let alias = package.alias.as_deref()?;
            let is_said = locals.is_empty() || aliases.contains(&(alias, &*package.name));
            (!is_said).then(|| (alias.to_owned(), package.name.to_string(), package.span))
        })
        .collect();
    for (alias, name, span) in wrong {
        draft.disagree(&alias, format!("is taken from the package {name}, which no manifest asks for"), span);
    }
}

/// Says where a manifest and the lockfile contradict each other.
fn compare(asked: &Asked, place: Option<u32>, kind: &str, at: Span, draft: &mut Draft) {
    if asked.from.word() != kind {
        let message = format!("asks for it from {}, and the lockfile holds it from {kind}", asked.from.word());
        draft.disagree(&asked.key, message, at);
        return;
    }
    let Some(package) = place.and_then(|place| draft.packages().get(place as usize)) else { return };
    let version = package.version.to_string();
    if let From::Hosted(Some(address)) = &asked.from
        && package.source.kind == SourceKind::Registry
        && !is_same_address(address, &package.source.address)
    {
        let message =
            format!("asks for it from {address:.200}, and the lockfile holds it from {:.200}", package.source);
        draft.disagree(&asked.key, message, at);
        return;
    }
    if let From::Git(_, Some(reference)) = &asked.from
        && of_commit(reference).is_some()
        && package.source.commit.as_deref().is_some_and(|commit| !commit.eq_ignore_ascii_case(reference))
    {
        let message = format!("asks for commit {reference}, and the lockfile holds {}", package.source);
        draft.disagree(&asked.key, message, at);
        return;
    }
    if constraint::allows(&asked.constraint, &version) == Some(false) {
        let message = format!("asks for {}, and the lockfile holds {version}", asked.constraint);
        draft.disagree(&asked.key, message, at);
    }
}

fn is_same_address(a: &str, b: &str) -> bool {
    a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// The inventory of manifests without a lockfile.
fn unlocked(locals: &[Local], overrides: &HashMap<String, Override>, own: &HashSet<String>, draft: &mut Draft) {
    let names: HashSet<&str> = locals.iter().map(|local| &*local.manifest.name).collect();
    let mut used: HashSet<&str> = HashSet::new();
    let mut first_root = None;
    for local in locals {
        let root = draft.root(&local.manifest.name, &local.manifest.version, &local.folder, span(local.input, 0));
        first_root = first_root.or(Some(root));
        for (asked, scope) in &local.manifest.asked {
            let at = span(local.input, asked.line);
            if names.contains(&*asked.key) {
                continue;
            }
            let package = match overrides.get(&asked.key) {
                Some(other) => {
                    used.insert(&other.asked.key);
                    wanted(&other.asked, &other.folder, other.at, true)
                }
                None => wanted(asked, &local.folder, at, false).filter(|package| !is_own(package, own)),
            };
            if let Some(package) = package {
                let package = draft.package(package);
                draft.need(root, package, *scope, Some(at));
            }
        }
    }
    let rest = overrides.values().filter(|other| !used.contains(&*other.asked.key));
    for other in rest.filter(|other| !names.contains(&*other.asked.key)) {
        if let (Some(package), Some(root)) = (wanted(&other.asked, &other.folder, other.at, true), first_root) {
            let package = draft.package(package);
            draft.need(root, package, Scope::Runtime, Some(other.at));
        }
    }
}

/// What a manifest asks for, with its constraint in place of a version; nothing for a package of the SDK.
fn wanted(asked: &Asked, folder: &RepoPath, at: Span, is_override: bool) -> Option<Package> {
    let (source, identity) = match &asked.from {
        From::Sdk => return None,
        From::Hosted(None) => (Source::public(), Identity::Public),
        From::Hosted(Some(address)) => (Source::registry(address), Identity::Public),
        From::Git(address, reference) => {
            let commit = reference.as_deref().filter(|reference| of_commit(reference).is_some());
            (Source::git(address, commit), Identity::Foreign)
        }
        From::Path(path) => (path_source(folder, path), Identity::Foreign),
    };
    let identity = if is_override && is_elsewhere(asked) { Identity::StandsIn } else { identity };
    let exact = if constraint::is_exact(&asked.constraint) { "=" } else { "" };
    let version = format!("{exact}{}", asked.constraint);
    let name = asked.name.as_deref().unwrap_or(&asked.key);
    Some(Package {
        alias: asked.name.as_ref().map(|_| (&*asked.key).into()),
        is_locked: false,
        source,
        identity,
        ..Package::new(Ecosystem::Pub, name, &version, at)
    })
}
