//! Finds projects of Composer and reads them.

use std::collections::{HashMap, HashSet};

use super::version::{padded, satisfies};
use super::{PackagistName, declared, source};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::{self, Document, Table, Value};
use crate::ecosystem::syntax::{malformed, toml::MAX_BYTES};
use crate::ecosystem::{FILE_CAP, Files, View};
use crate::model::inventory::{Inventory, Package, Project, Scope, Scopes, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the manifest.
pub(super) const MANIFEST: &str = "composer.json";

/// The name of the lockfile.
pub(super) const LOCKFILE: &str = "composer.lock";

/// Packages that stand in for one name, at the most. Every one of them is an edge of whatever needs the name.
const MAX_PROVIDERS: usize = 64;

type Failure = (RepoPath, Unread);

/// The projects of a tree.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let ecosystem = Ecosystem::Packagist;
    let (manifests, locked) = (files.named(MANIFEST), files.named(LOCKFILE));
    let homes: HashSet<RepoPath> = manifests.iter().chain(&locked).map(RepoPath::parent).collect();
    let mut found = Vec::new();
    let mut with_lock: HashSet<RepoPath> = HashSet::new();
    let known: HashSet<&RepoPath> = manifests.iter().collect();
    for lockfile in locked.into_iter().filter(|path| !is_vendored(path, &homes)) {
        let path = lockfile.parent();
        let manifest = path.join(MANIFEST).filter(|manifest| known.contains(manifest));
        with_lock.insert(path.clone());
        found.push(Project { path, ecosystem, manifest, lockfile: Some(lockfile) });
    }
    for manifest in manifests.iter().filter(|path| !is_vendored(path, &homes)) {
        let path = manifest.parent();
        if !with_lock.contains(&path) {
            found.push(Project { path, ecosystem, manifest: Some(manifest.clone()), lockfile: None });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Whether a path lies in the `vendor` folder of a project, or among another tool's packages.
fn is_vendored(path: &RepoPath, homes: &HashSet<RepoPath>) -> bool {
    let mut at = path.parent();
    while !at.is_root() {
        let above = at.parent();
        if at.file_name() == "node_modules" || (at.file_name() == "vendor" && homes.contains(&above)) {
            return true;
        }
        at = above;
    }
    false
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    let manifest_path = project.path.join(MANIFEST).unwrap_or_else(|| RepoPath::new(MANIFEST));
    let manifest = view.read(&manifest_path).map_err(|error| (manifest_path.clone(), error))?;
    let manifest = match &manifest {
        Some((bytes, input)) => Some(wanted(bytes, *input).map_err(|error| (manifest_path.clone(), error))?),
        None => None,
    };
    let span = manifest.as_ref().map_or_else(Span::default, |m| Span { input: m.input, ..Span::default() });
    let name = manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_else(|| project.path.to_string());
    let root = draft.root(&name, "", &project.path, span);
    match &project.lockfile {
        Some(path) => {
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) =
                found.ok_or_else(|| (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())))?;
            locked(&mut draft, root, &bytes, input, manifest.as_ref()).map_err(|error| (path.clone(), error))?;
        }
        None => {
            let registry = manifest.as_ref().and_then(|manifest| manifest.declared.registry());
            for wanted in manifest.iter().flat_map(|manifest| &manifest.wanted) {
                let package = Package {
                    is_locked: false,
                    source: registry.clone().unwrap_or_else(Source::public),
                    ..Package::new(Ecosystem::Packagist, &wanted.name, &requirement(&wanted.constraint), wanted.span)
                };
                let package = draft.package(package);
                draft.need(root, package, wanted.scope, Some(wanted.span));
            }
        }
    }
    if let Some(manifest) = &manifest {
        manifest.declared.say(&mut draft, manifest.input);
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// A constraint as it is written, but for one version alone.
fn requirement(constraint: &str) -> String {
    let exact = constraint.trim().trim_start_matches('=').trim_start();
    let bare = exact.strip_prefix('v').unwrap_or(exact);
    let is_exact = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !bare.contains(".x");
    if is_exact { format!("={exact}") } else { constraint.to_owned() }
}

/// One requirement of a manifest.
struct Wanted {
    name: String,
    constraint: String,
    scope: Scope,
    span: Span,
}

/// A manifest, as far as it says what is asked for.
struct Manifest {
    name: Option<String>,
    input: u32,
    wanted: Vec<Wanted>,
    /// Names that the project says it holds itself.
    replaced: HashSet<String>,
    /// Where else packages come from, and what runs.
    declared: declared::Declared,
}

fn wanted(bytes: &[u8], input: u32) -> Result<Manifest, Unread> {
    let document = json::read(bytes, MAX_BYTES)?;
    let table = document.table()?;
    let mut wanted = Vec::new();
    for (key, scope) in [("require", Scope::Runtime), ("require-dev", Scope::Development)] {
        for (name, constraint, line) in links(&document, table, key)? {
            if name.contains('/') {
                let span = Span { input, line, end_line: line };
                wanted.push(Wanted { name: name.normalised(), constraint, scope, span });
            }
        }
    }
    let mut replaced = HashSet::new();
    for key in ["replace", "provide"] {
        replaced.extend(links(&document, table, key)?.into_iter().map(|(name, ..)| name.normalised()));
    }
    let declared = declared::read(&document, table)?;
    Ok(Manifest { name: table.text("name").map(str::to_owned), input, wanted, replaced, declared })
}

/// Names and constraints of an object such as `require`, with their lines. PHP writes an empty one as a list.
fn links(document: &Document<'_>, table: &Table<'_>, key: &str) -> Result<Vec<(String, String, u32)>, Unread> {
    let Some(member) = table.member(key) else { return Ok(Vec::new()) };
    let line = document.line(member);
    match &member.value {
        Value::Null => Ok(Vec::new()),
        Value::List(list) if list.is_empty() => Ok(Vec::new()),
        Value::Table(table) => table
            .members()
            .map(|link| {
                let line = document.line(link);
                let constraint = link.value.text().ok_or_else(|| malformed(line, "a constraint that is no text"))?;
                Ok((link.key.to_string(), constraint.to_owned(), line))
            })
            .collect(),
        _ => Err(malformed(line, format!("`{key}` is not an object"))),
    }
}

/// A lockfile's packages by the names under which others ask for them.
#[derive(Default)]
struct Names {
    own: HashMap<String, Vec<u32>>,
    provided: HashMap<String, Vec<u32>>,
}

impl Names {
    fn get(&self, name: &str) -> &[u32] {
        let found = self.own.get(name).or_else(|| self.provided.get(name));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Reads a lockfile. Its two lists are what Composer installs: `--no-dev` installs all of `packages` and nothing of
/// `packages-dev`, whatever the manifest says. So what is in `packages` is runtime, and what is in the other list is
/// for development unless the manifest's `require` leads to it.
fn locked(draft: &mut Draft, root: usize, bytes: &[u8], input: u32, manifest: Option<&Manifest>) -> Result<(), Unread> {
    let document = json::read(bytes, FILE_CAP)?;
    let table = document.table()?;
    let mut names = Names::default();
    let mut edges: Vec<(u32, String)> = Vec::new();
    for (key, scope) in [("packages", Scope::Runtime), ("packages-dev", Scope::Development)] {
        let mut seen: HashSet<String> = HashSet::new();
        let list = match table.member(key) {
            Some(member) => match &member.value {
                Value::List(list) => list.as_slice(),
                Value::Null if scope == Scope::Development => &[],
                _ => return Err(malformed(document.line(member), format!("`{key}` is not a list"))),
            },
            None if scope == Scope::Development => &[],
            None => return Err(malformed(1, "there is no list `packages`")),
        };
        for entry in list {
            let (package, needs, provides) = entry_of(&document, entry, input, scope)?;
            let (name, version, line) = (package.name.to_string(), package.version.clone(), package.span.line);
            if !seen.insert(name.clone()) {
                return Err(malformed(line, format!("the package {name:.80} stands twice in `{key}`")));
            }
            let sides = sides(entry);
            let span = package.span;
            let at = draft.package(package);
            if let Some((dist, source)) = sides {
                let message = format!("its archive is of {dist:.80}, and its source of {source:.80}");
                draft.disagree(&name, message, span);
            }
            let same = names.own.entry(name.clone()).or_default();
            if !same.is_empty() && !same.contains(&at) {
                let message = format!("stands in both lists, and not alike: here as {version:.80}");
                draft.disagree(&name, message, span);
            }
            if !same.contains(&at) {
                same.push(at);
            }
            for name in provides {
                let same = names.provided.entry(name).or_default();
                if same.len() >= MAX_PROVIDERS {
                    return Err(malformed(line, format!("more than {MAX_PROVIDERS} packages provide one name")));
                }
                same.push(at);
            }
            edges.extend(needs.into_iter().map(|need| (at, need)));
        }
    }
    let mut is_needed: HashSet<u32> = HashSet::new();
    for (from, name) in edges {
        for to in names.get(&name) {
            draft.edge(from, *to);
            is_needed.insert(*to);
        }
    }
    match manifest {
        Some(manifest) => direct(draft, root, manifest, &names),
        None => {
            for at in 0..draft.packages().len() as u32 {
                if let Some(package) = draft.get_mut(at).filter(|_| !is_needed.contains(&at)) {
                    package.direct = true;
                }
            }
        }
    }
    Ok(())
}

/// What the manifest asks for, and where the lockfile does not hold it.
fn direct(draft: &mut Draft, root: usize, manifest: &Manifest, names: &Names) {
    for wanted in &manifest.wanted {
        let found = names.get(&wanted.name);
        if found.is_empty() && !manifest.replaced.contains(&wanted.name) {
            let message = format!("asks for {:.80}, and the lockfile holds no such package", wanted.constraint);
            draft.disagree(&wanted.name, message, wanted.span);
        }
        let is_own = names.own.contains_key(&wanted.name);
        for at in found {
            let Some(package) = draft.packages().get(*at as usize) else { continue };
            let (version, is_runtime) = (package.version.clone(), package.scopes.contains(Scopes::of(Scope::Runtime)));
            if wanted.scope == Scope::Runtime && !is_runtime && is_own {
                let message = "is asked for at run time, and the lockfile holds it for development alone";
                draft.disagree(&wanted.name, message, wanted.span);
            }
            if is_own && satisfies(&version, &wanted.constraint) == Some(false) {
                let message = format!("asks for {:.80}, and the lockfile holds {version:.80}", wanted.constraint);
                draft.disagree(&wanted.name, message, wanted.span);
            }
            draft.need(root, *at, wanted.scope, Some(wanted.span));
        }
    }
}

/// The references of an entry's archive and source, where they are not one.
fn sides<'v>(entry: &'v Value<'_>) -> Option<(&'v str, &'v str)> {
    let entry = entry.table()?;
    let of = |key: &str| entry.table(key)?.text("reference").filter(|text| !text.is_empty());
    let (dist, source) = (of("dist")?, of("source")?);
    (dist != source).then_some((dist, source))
}

type Entry = (Package, Vec<String>, Vec<String>);

/// One package, the names that it needs, and the names that it stands in for.
fn entry_of(document: &Document<'_>, entry: &Value<'_>, input: u32, scope: Scope) -> Result<Entry, Unread> {
    let table = entry.table().ok_or_else(|| malformed(0, "a package that is not an object"))?;
    let lines = || table.members().map(|member| document.line(member));
    let (line, end_line) = (lines().next().unwrap_or(0), lines().next_back().unwrap_or(0));
    let text = |key: &str| table.text(key).ok_or_else(|| malformed(line, format!("a package without a {key}")));
    let (name, version) = (text("name")?.normalised(), text("version")?);
    let line = table.member("name").map_or(line, |member| document.line(member));
    let mut package = Package::new(Ecosystem::Packagist, &name, version, Span { input, line, end_line });
    package.scopes = Scopes::of(scope);
    package.claim = padded(version).map(Into::into);
    source::fill(&mut package, table);
    // Composer runs the code of its plugins while it installs.
    package.runs_on_install = matches!(table.text("type"), Some("composer-plugin" | "composer-installer"));
    let names = |key: &str| -> Result<Vec<String>, Unread> {
        Ok(links(document, table, key)?.into_iter().map(|(name, ..)| name.normalised()).collect())
    };
    let mut provides = names("replace")?;
    provides.extend(names("provide")?);
    provides.sort();
    provides.dedup();
    Ok((package, names("require")?, provides))
}
