//! Finds projects of the Swift package manager and reads them.

use std::collections::{HashMap, HashSet};

use super::manifest::{self, Call, Manifest};
use super::name;
use super::xcode;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::{self, Document, Table, Value};
use crate::ecosystem::syntax::{malformed, toml::MAX_BYTES};
use crate::ecosystem::{FILE_CAP, Files, View, matches};
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the manifest.
pub(super) const MANIFEST: &str = "Package.swift";

/// Manifests for one version of the tools, which are read in the other one's place.
pub(super) const VERSIONED: &str = "Package@swift-*.swift";

/// The name of the lockfile.
pub(super) const LOCKFILE: &str = "Package.resolved";

const NOT_HELD: &str = "asks for a package that the lockfile does not hold";

type Failure = (RepoPath, Unread);

/// The projects of a tree: every lockfile, also inside of an Xcode project, every manifest without one or for one version
/// of the tools, and every Xcode project that refers to packages. What lies in `.build`, `SourcePackages` and `Pods` was
/// fetched.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let is_fetched = |part: &str| matches!(part, ".build" | "SourcePackages" | "Pods" | "node_modules");
    let is_own = |path: &RepoPath| !path.parts().any(is_fetched);
    let ecosystem = Ecosystem::Swift;
    let mut manifests: HashSet<RepoPath> = files.named(MANIFEST).into_iter().filter(is_own).collect();
    let mut found = Vec::new();
    for lockfile in files.named(LOCKFILE).into_iter().filter(is_own) {
        let path = lockfile.parent();
        let manifest = path.join(MANIFEST).and_then(|beside| manifests.take(&beside));
        found.push(Project { path, ecosystem, manifest, lockfile: Some(lockfile) });
    }
    let versioned = files.paths().filter(|path| matches(VERSIONED, path) && is_own(path)).cloned();
    let xcode = files.named(xcode::FILE).into_iter().filter(|path| is_own(path) && xcode::refers(files, path));
    for manifest in manifests.into_iter().chain(versioned).chain(xcode) {
        found.push(Project { path: manifest.parent(), ecosystem, manifest: Some(manifest), lockfile: None });
    }
    found.sort();
    found
}

/// What the lockfiles of a project without one of its own hold, by name; `None` where there is none.
fn held(paths: &[RepoPath], view: &mut View<'_>) -> Result<Option<HashSet<String>>, Failure> {
    let mut held = None;
    for path in paths {
        let fail = |error| (path.clone(), error);
        if let Some((bytes, input)) = view.read(path).map_err(fail)? {
            let names = pins(&bytes, input).map_err(fail)?.into_iter().map(|package| package.name.into());
            held.get_or_insert_with(HashSet::new).extend(names);
        }
    }
    Ok(held)
}

/// Reads what an Xcode project refers to.
fn xcode_project(project: &Project, path: &RepoPath, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    let fail = |error| (path.clone(), error);
    let found = view.read(path).map_err(fail)?;
    let locks = xcode::lockfiles(&view.named(LOCKFILE), &project.path);
    let held = held(&locks, &mut view)?;
    if let Some((bytes, input)) = found {
        let span = |line: u32| Span { input, line, end_line: line };
        let root = draft.root(&project.path.to_string(), "", &project.path, span(0));
        for reference in xcode::references(&bytes).map_err(fail)? {
            let (name, span) = (name::of(&reference.address), span(reference.line));
            match &held {
                Some(held) if held.contains(&name) => {}
                Some(_) => draft.disagree(&name, NOT_HELD, span),
                None => {
                    let mut package = Package::new(Ecosystem::Swift, &name, &reference.version, span);
                    package.is_locked = false;
                    package.source = source(&reference.address, reference.commit.as_deref(), reference.is_release);
                    let package = draft.package(package);
                    draft.need(root, package, Scope::Runtime, Some(span));
                }
            }
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// Where what is asked for comes from. A release of a version is taken from its repository as from a registry: nothing
/// of it is pinned, and nothing else could be said in a library, which has no lockfile. A branch stays a branch.
fn source(address: &str, commit: Option<&str>, is_release: bool) -> Source {
    if is_release { Source::registry(address) } else { Source::git(address, commit) }
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    if let Some(path) = project.manifest.as_ref().filter(|path| path.file_name() == xcode::FILE) {
        return xcode_project(project, path, view);
    }
    let mut draft = Draft::new();
    let beside = project.path.join(MANIFEST).unwrap_or_else(|| RepoPath::new(MANIFEST));
    let manifest_path = project.manifest.clone().unwrap_or(beside);
    let bytes = view.read(&manifest_path).map_err(|error| (manifest_path.clone(), error))?;
    let manifest = match &bytes {
        Some((bytes, input)) => {
            Some((manifest::parse(bytes, MAX_BYTES).map_err(|error| (manifest_path.clone(), error))?, *input))
        }
        None => None,
    };
    let span = manifest.as_ref().map_or_else(Span::default, |(_, input)| Span { input: *input, ..Span::default() });
    let root = draft.root(&project.path.to_string(), "", &project.path, span);
    match &project.lockfile {
        Some(path) => {
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) =
                found.ok_or_else(|| (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())))?;
            let pins = pins(&bytes, input).map_err(|error| (path.clone(), error))?;
            locked(&mut draft, root, pins, manifest.as_ref());
        }
        None => {
            // The lockfile beside it is read as a project of its own: here only what it lacks is said.
            let is_versioned = matches(VERSIONED, &manifest_path);
            let beside = project.path.join(LOCKFILE).filter(|_| is_versioned);
            let held = held(beside.as_slice(), &mut view)?;
            match (&manifest, held) {
                (Some((manifest, input)), Some(held)) => {
                    for call in manifest.calls.iter().filter(|_| manifest.computes.is_none()) {
                        if let Some(name) = remote(call).filter(|name| !held.contains(name)) {
                            draft.disagree(&name, NOT_HELD, span_of(call, *input));
                        }
                    }
                }
                (Some((manifest, input)), None) => unlocked(&mut draft, root, manifest, *input),
                (None, _) => {}
            }
        }
    }
    if let Some((manifest, input)) = &manifest {
        beside_locks(&mut draft, root, manifest, &project.path, *input, project.lockfile.is_some());
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// The packages of a lockfile.
fn pins(bytes: &[u8], input: u32) -> Result<Vec<Package>, Unread> {
    let document = json::read(bytes, FILE_CAP)?;
    let table = document.table()?;
    let version = table.get("version").and_then(Value::whole);
    let holder = match version {
        Some(1) => table.table("object").ok_or_else(|| malformed(1, "there is no `object`"))?,
        Some(2 | 3) => table,
        other => {
            let shown = other.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return Err(Unread::Unsupported(format!("version {shown} of Package.resolved; 1, 2 and 3 are read")));
        }
    };
    let list = holder.get("pins").and_then(Value::list).ok_or_else(|| malformed(1, "there is no list `pins`"))?;
    let mut seen: HashSet<String> = HashSet::new();
    let mut found = Vec::new();
    for pin in list {
        let pin = pin.table().ok_or_else(|| malformed(0, "a pin that is not an object"))?;
        let package = pin_of(&document, pin, input, version == Some(1))?;
        if !seen.insert(package.name.to_string()) {
            return Err(malformed(package.span.line, format!("the package {:.80} stands twice", package.name)));
        }
        found.push(package);
    }
    Ok(found)
}

fn pin_of(document: &Document<'_>, pin: &Table<'_>, input: u32, is_first: bool) -> Result<Package, Unread> {
    let lines = || pin.members().map(|member| document.line(member));
    let (line, last) = (lines().next().unwrap_or(0), lines().next_back().unwrap_or(0));
    let text = |key: &str| pin.text(key).ok_or_else(|| malformed(line, format!("a pin without `{key}`")));
    let (identity, location, kind) = if is_first {
        let location = text("repositoryURL")?;
        let is_local = location.starts_with(['/', '.']) || location.starts_with("file:");
        (text("package")?, location, if is_local { "localSourceControl" } else { "remoteSourceControl" })
    } else {
        (text("identity")?, pin.text("location").unwrap_or_default(), text("kind")?)
    };
    let state = pin.table("state").ok_or_else(|| malformed(line, "a pin without `state`"))?;
    let in_state = |key: &str| state.text(key).filter(|text| !text.is_empty());
    let (version, revision) = (in_state("version"), in_state("revision"));
    let end = state.members().map(|member| document.line(member)).next_back().unwrap_or(0);
    let span = Span { input, line, end_line: last.max(end) };
    // Without a version, a branch or commit was asked for: the commit is all that is known.
    let shown = version.or(revision).ok_or_else(|| malformed(line, "a pin with neither version nor revision"))?;
    let mut package = Package::new(Ecosystem::Swift, "", shown, span);
    match kind {
        "remoteSourceControl" => {
            package.name = name::of(location).into();
            package.source = Source::git(location, revision);
            package.checksum = revision.and_then(of_commit);
            // What identifies a package is the end of its address; older files name the package instead.
            if !is_first && !identity.eq_ignore_ascii_case(name::identity(location)) {
                package.contradiction = Some(format!("{} {shown}", name::identity(location)).into());
            }
        }
        "localSourceControl" => {
            package.name = identity.into();
            package.source = Source::path(location);
            package.identity = Identity::Foreign;
            package.checksum = revision.and_then(of_commit);
        }
        "registry" => package.name = identity.to_ascii_lowercase().into(),
        other => return Err(malformed(line, format!("a pin of a kind that is not known: {other:.40}"))),
    }
    Ok(package)
}

/// Without edges in the file, all that is locked counts as direct, unless the manifest says which packages are.
fn locked(draft: &mut Draft, root: usize, pins: Vec<Package>, manifest: Option<&(Manifest<'_>, u32)>) {
    let is_told = manifest.is_some_and(|(manifest, _)| manifest.computes.is_none() && !manifest.calls.is_empty());
    let mut by_name: HashMap<String, u32> = HashMap::new();
    for mut package in pins {
        package.direct = !is_told;
        let name = package.name.to_string();
        by_name.insert(name, draft.package(package));
    }
    let Some((manifest, input)) = manifest else { return };
    for call in &manifest.calls {
        let span = Span { input: *input, line: call.line, end_line: call.line };
        let Some(name) = remote(call) else { continue };
        let Some(at) = by_name.get(&name) else {
            if manifest.computes.is_none() {
                draft.disagree(&name, NOT_HELD, span);
            }
            continue;
        };
        draft.need(root, *at, Scope::Runtime, Some(span));
        let version = draft.packages().get(*at as usize).map(|package| package.version.to_string()).unwrap_or_default();
        let wanted = call.get("exact").or_else(|| call.get("revision"));
        if let Some(wanted) = wanted.filter(|wanted| **wanted != *version && manifest.computes.is_none()) {
            let message = format!("asks for {wanted:.80}, and the lockfile holds {version:.80}");
            draft.disagree(&name, message, span);
        }
    }
}

/// The name of what a call asks for from elsewhere; `None` for a folder.
fn remote(call: &Call<'_>) -> Option<String> {
    let id = || call.get("id").map(str::to_ascii_lowercase);
    let url = call.get("url").filter(|url| !is_folder(url));
    url.map(name::of).or_else(id)
}

fn is_folder(url: &str) -> bool {
    url.starts_with(['/', '.', '~']) || url.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:"))
}

fn span_of(call: &Call<'_>, input: u32) -> Span {
    Span { input, line: call.line, end_line: call.line }
}

/// What no lockfile speaks of: archives of built code, and folders outside of the repository. A repository in a folder,
/// which `url` names, is locked where there is a lockfile.
fn beside_locks(
    draft: &mut Draft,
    root: usize,
    manifest: &Manifest<'_>,
    folder: &RepoPath,
    input: u32,
    is_locked: bool,
) {
    for call in &manifest.calls {
        let is_outside = |path: &&str| folder.join(path).is_none() || path.starts_with('~');
        let local = call.get("url").filter(|url| is_folder(url) && !is_locked);
        let Some(place) = call.get("path").or(local).filter(|path| is_outside(path) || local.is_some()) else {
            continue;
        };
        let span = span_of(call, input);
        let package = Package {
            is_locked: false,
            source: Source::path(place),
            identity: Identity::Foreign,
            ..Package::new(Ecosystem::Swift, &name::identity(place).to_ascii_lowercase(), "*", span)
        };
        let package = draft.package(package);
        draft.need(root, package, Scope::Runtime, Some(span));
    }
    for call in &manifest.binaries {
        let span = span_of(call, input);
        if let Some(code) = call.computed {
            draft.disagree(&short(code), "names by code where an archive of built code comes from", span);
        }
        if let Some(url) = call.get("url") {
            let checksum = call.get("checksum").and_then(|hex| of_hex("sha256", hex));
            let name = url.split_once("://").map_or(url, |(_, rest)| rest);
            let package = Package {
                is_locked: checksum.is_some(),
                source: Source::registry(url),
                checksum,
                identity: Identity::Foreign,
                ..Package::new(Ecosystem::Swift, name, "*", span)
            };
            let package = draft.package(package);
            draft.need(root, package, Scope::Runtime, Some(span));
        }
    }
}

/// A piece of code as a name, on one line.
fn short(code: &str) -> String {
    let words: Vec<&str> = code.split_whitespace().take(20).collect();
    words.join(" ").chars().take(80).collect()
}

/// What a manifest asks for where there is no lockfile.
fn unlocked(draft: &mut Draft, root: usize, manifest: &Manifest<'_>, input: u32) {
    for call in &manifest.calls {
        let span = span_of(call, input);
        if let Some(code) = call.computed {
            let message = "names a package by code, and no lockfile says which";
            draft.disagree(&short(code), message, span);
        }
        let Some(name) = remote(call) else { continue };
        let release = match (call.get("exact"), call.get("from").or_else(|| call.get("upToNextMajor")), call.range()) {
            (Some(exact), _, _) => Some(format!("={exact}")),
            (None, Some(from), _) => Some(format!("from {from}")),
            (None, None, Some((from, to))) => Some(format!("{from} to {to}")),
            (None, None, None) => call.get("upToNextMinor").map(|from| format!("from {from}")),
        };
        let revision = call.get("revision").or_else(|| call.get("branch"));
        let version = release.as_deref().or(revision).unwrap_or("*");
        let mut package = Package::new(Ecosystem::Swift, &name, version, span);
        package.is_locked = false;
        if let Some(url) = call.get("url") {
            let is_release = release.is_some() && revision.is_none();
            package.source = source(url, call.get("revision").filter(|commit| of_commit(commit).is_some()), is_release);
        }
        let package = draft.package(package);
        draft.need(root, package, Scope::Runtime, Some(span));
    }
    if let Some(line) = manifest.computes {
        let message = "computes what it asks for, and no lockfile says what that is";
        draft.disagree(MANIFEST, message, Span { input, line, end_line: line });
    }
}
