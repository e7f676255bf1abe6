//! `Pipfile` and `Pipfile.lock`.
//!
//! The sections of the lockfile are what pipenv installs: `default` always, `develop` with `--dev`, any other by its
//! name. There are no edges in it, so a package has the scope of the sections that hold it; one in a section of
//! another name is runtime. What the manifest asks for in a section that lacks it has that scope as well.

use std::collections::{HashMap, HashSet};

use super::locked;
use super::poetry;
use super::reference;
use super::requirements::directly;
use super::{is_name, normalise};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::{self as document, Entry, Table};
use crate::ecosystem::syntax::{json, malformed};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Scopes, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// The only version of the lockfile there is in the wild.
const SPEC: u64 = 6;

/// Tables of a manifest that hold no packages.
const OTHERS: &[&str] = &["source", "requires", "scripts", "pipenv", "pipfile", "_meta"];

/// Locked entries of one name that a requirement is compared with, at the most.
const MAX_COMPARED: usize = 64;

/// pipenv's files.
#[derive(Debug, Clone, Copy)]
pub struct Pipenv;

impl Format for Pipenv {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::manifest("Pipfile", "all categories"), FileKind::lockfile("Pipfile.lock", "pipfile-spec 6")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["Pipfile", "Pipfile.lock"]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let beside = |path: &RepoPath, name: &str| {
            let other = path.parent().join(name)?;
            // Something unreadable there is something there.
            files.read(&other).map_or(true, |found| found.is_some()).then_some(other)
        };
        let project = |manifest: Option<RepoPath>, lockfile: Option<RepoPath>, path: RepoPath| Project {
            path,
            ecosystem: Ecosystem::PyPi,
            manifest,
            lockfile,
        };
        let is_own = |path: &RepoPath| !super::requirements::is_installed(path);
        let mut found: Vec<Project> = Vec::new();
        for path in files.named("Pipfile.lock").into_iter().filter(is_own) {
            found.push(project(beside(&path, "Pipfile"), Some(path.clone()), path.parent()));
        }
        for path in files.named("Pipfile").into_iter().filter(is_own) {
            if beside(&path, "Pipfile.lock").is_none() {
                found.push(project(Some(path.clone()), None, path.parent()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        read(project, view)
    }
}

/// One entry of a manifest.
struct Asked {
    name: Box<str>,
    /// The section of the lockfile that its category becomes.
    section: Box<str>,
    constraint: Box<str>,
    place: Option<Place>,
    index: Option<Box<str>>,
    line: u32,
}

enum Place {
    Direct(reference::Direct),
    Path(Box<str>),
}

/// A manifest: what it asks for, and names and addresses of its indexes.
#[derive(Default)]
struct Manifest {
    asked: Vec<Asked>,
    indexes: Vec<(Box<str>, Box<str>)>,
    /// The lines of the indexes.
    lines: Vec<u32>,
}

fn scope_of(section: &str) -> Scope {
    if section == "develop" { Scope::Development } else { Scope::Runtime }
}

fn manifest(root: Table<'_, '_>) -> Result<Manifest, Unread> {
    let mut found = Manifest::default();
    if let Some(sources) = root.get("source") {
        for source in sources.items()? {
            let table = source.table()?;
            let url = reference::without_credentials(table.text("url")?.unwrap_or_default());
            found.indexes.push((table.text("name")?.unwrap_or_default().into(), url.into()));
            found.lines.push(source.line);
        }
    }
    for category in root.entries().filter(|entry| !OTHERS.contains(&entry.key)) {
        let section = match category.key {
            "packages" => "default",
            "dev-packages" => "develop",
            other => other,
        };
        for entry in category.table()?.entries() {
            found.asked.push(asked(entry, section)?);
        }
    }
    Ok(found)
}

/// Names, addresses and lines of the indexes that a manifest names.
pub(super) fn indexes(root: Table<'_, '_>) -> Result<Vec<(String, String, u32)>, Unread> {
    let Some(sources) = root.get("source") else { return Ok(Vec::new()) };
    let one = |source: Entry<'_, '_>| -> Result<_, Unread> {
        let table = source.table()?;
        let url = reference::without_credentials(table.text("url")?.unwrap_or_default());
        Ok((table.text("name")?.unwrap_or_default().to_owned(), url, source.line))
    };
    sources.items()?.map(one).collect()
}

fn asked(entry: Entry<'_, '_>, section: &str) -> Result<Asked, Unread> {
    if !is_name(entry.key) {
        let shown: String = entry.key.chars().take(80).flat_map(char::escape_debug).collect();
        return Err(malformed(entry.line, format!("`{shown}` is no name of a package")));
    }
    let mut found = Asked {
        name: normalise(entry.key).into(),
        section: section.into(),
        constraint: "".into(),
        place: None,
        index: None,
        line: entry.line,
    };
    if let Some(text) = entry.as_text() {
        found.constraint = text.into();
        return Ok(found);
    }
    let table = entry.table()?;
    found.constraint = table.text("version")?.unwrap_or_default().into();
    found.index = table.text("index")?.map(Box::from);
    found.place = place(|key| table.text(key).map(|text| text.map(str::to_owned)))?;
    Ok(found)
}

/// The place that the keys `git`, `path` and `file` name.
fn place(mut get: impl FnMut(&str) -> Result<Option<String>, Unread>) -> Result<Option<Place>, Unread> {
    if let Some(git) = get("git")? {
        let named = get("ref")?;
        let direct = reference::repository(git.strip_prefix("git+").unwrap_or(&git), named.as_deref());
        return Ok(Some(Place::Direct(direct)));
    }
    let other = match get("file")? {
        Some(file) => Some(file),
        None => get("path")?,
    };
    Ok(other.map(|text| match reference::is_address(&text) {
        true => Place::Direct(reference::direct(&text)),
        false => Place::Path(text.into()),
    }))
}

/// A package at the place that is named for it.
fn placed(place: &Place, package: Package, folder: &RepoPath, is_lockfile: bool) -> Package {
    match place {
        Place::Direct(direct) => directly(direct, package, is_lockfile),
        Place::Path(path) => Package {
            source: Source::path(path),
            identity: Identity::Foreign,
            is_locked: is_lockfile && folder.join(path).is_some(),
            ..package
        },
    }
}

fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
    let mut draft = Draft::new();
    let mut wanted = Manifest::default();
    let mut input = 0;
    if let Some(path) = &project.manifest
        && let Some((bytes, number)) = view.read(path).map_err(|error| (path.clone(), error))?
    {
        input = number;
        wanted = document::read(&bytes, document::MAX_BYTES, manifest).map_err(|error| (path.clone(), error))?;
    }
    let root = draft.root("Pipfile", "", &project.path, Span { input, ..Span::default() });
    match &project.lockfile {
        Some(path) => {
            let Some((bytes, number)) = view.read(path).map_err(|error| (path.clone(), error))? else {
                return Err((path.clone(), malformed(0, "the lockfile is not there")));
            };
            let has_manifest = project.manifest.is_some();
            read_lock(&bytes, number, project, has_manifest, root, &mut draft)
                .map_err(|error| (path.clone(), error))
                .map(|found| compare(&wanted, input, root, &found, &mut draft))?;
        }
        None => unlocked(&wanted, input, project, root, &mut draft),
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// What a lockfile holds.
#[derive(Default)]
struct Known {
    /// Numbers of packages by section and name.
    packages: HashMap<(Box<str>, Box<str>), Vec<u32>>,
    /// Addresses of its indexes.
    indexes: HashSet<String>,
}

fn read_lock(
    bytes: &[u8],
    input: u32,
    project: &Project,
    has_manifest: bool,
    root: usize,
    draft: &mut Draft,
) -> Result<Known, Unread> {
    let document = json::read(bytes, FILE_CAP)?;
    let lock = document.table()?;
    let meta = lock.table("_meta").ok_or_else(|| malformed(1, "no `_meta`: no lockfile of pipenv"))?;
    let spec = meta.get("pipfile-spec").and_then(json::Value::whole);
    if spec != Some(SPEC) {
        return Err(Unread::Unsupported(format!("only `pipfile-spec` {SPEC} is read")));
    }
    let indexes: Vec<(&str, String)> = meta
        .list("sources")
        .iter()
        .filter_map(json::Value::table)
        .filter_map(|one| {
            Some((one.text("name").unwrap_or_default(), reference::without_credentials(one.text("url")?)))
        })
        .collect();
    let mut known = Known::default();
    known.indexes.extend(indexes.iter().map(|(_, url)| url.clone()));
    for section in lock.members().filter(|section| section.key != "_meta") {
        let line = document.line(section);
        let entries = section.value.table();
        let entries = entries.ok_or_else(|| malformed(line, "a section that is no object"))?;
        for member in entries.members() {
            let line = document.line(member);
            let span = Span { input, line, end_line: line };
            if !is_name(&member.key) {
                let shown: String = member.key.chars().take(80).flat_map(char::escape_debug).collect();
                return Err(malformed(line, format!("`{shown}` is no name of a package")));
            }
            let entry = member.value.table().ok_or_else(|| malformed(line, "an entry that is no object"))?;
            let name = normalise(&member.key).into_owned();
            let mut package = entry_of(&name, entry, span, project)?;
            if package.source == Source::public() {
                // Without a name of its own, an entry is of the first index.
                let index = entry.text("index");
                let named = indexes.iter().find(|(name, _)| index.is_none_or(|index| index == *name));
                match named.or_else(|| indexes.first()) {
                    Some((_, url)) => package.source = Source::registry(url),
                    None if index.is_some() => package.source = Source::registry(index.unwrap_or_default()),
                    None => {}
                }
                if let (None, Some(index)) = (named, index) {
                    draft.disagree(&name, format!("names the index `{index}`, which is not among the sources"), span);
                }
            }
            let scope = scope_of(&section.key);
            package.scopes = Scopes::of(scope);
            let number = draft.package(package);
            if !has_manifest {
                draft.need(root, number, scope, None);
            }
            known.packages.entry((section.key.as_ref().into(), name.into())).or_default().push(number);
        }
    }
    Ok(known)
}

fn entry_of(name: &str, entry: &json::Table<'_>, span: Span, project: &Project) -> Result<Package, Unread> {
    let text = |key: &str| match entry.get(key) {
        None => Ok(None),
        Some(value) => match value.text() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(malformed(span.line, format!("`{key}` is no text"))),
        },
    };
    let version = text("version")?;
    let pin = version.as_deref().map(|version| version.trim_start_matches('=').trim());
    let is_pin =
        version.as_deref().is_some_and(|version| poetry::exact(version).is_some() || version.starts_with("==="));
    let hashes = entry.list("hashes").iter().filter_map(json::Value::text);
    let digests = hashes.filter_map(|hash| hash.split_once(':')).filter_map(|(name, hex)| checksum::of_hex(name, hex));
    let (checksum, files) = checksum::of_files(digests.collect());
    let package = Package {
        checksum,
        files,
        is_locked: is_pin,
        ..Package::new(Ecosystem::PyPi, name, pin.filter(|pin| !pin.is_empty()).unwrap_or("*"), span)
    };
    match place(text)? {
        Some(place) => Ok(placed(&place, package, &project.path, true)),
        None if version.is_none() => Err(malformed(span.line, format!("`{name}` has no version and no place"))),
        None => Ok(package),
    }
}

/// Says which packages the manifest names, and what it asks for in vain.
fn compare(wanted: &Manifest, input: u32, root: usize, known: &Known, draft: &mut Draft) {
    for ((name, url), line) in wanted.indexes.iter().zip(&wanted.lines) {
        if !known.indexes.contains(&**url) {
            let span = Span { input, line: *line, end_line: *line };
            let name = if name.is_empty() { "source" } else { name };
            draft.disagree(name, format!("takes packages from {} as well", locked::shown(url)), span);
        }
    }
    for asked in &wanted.asked {
        let span = Span { input, line: asked.line, end_line: asked.line };
        let of = |section: &str| known.packages.get(&(section.into(), asked.name.clone())).map(Vec::as_slice);
        let own = of(&asked.section);
        for package in own.unwrap_or_default() {
            draft.need(root, *package, scope_of(&asked.section), Some(span));
        }
        let any = if asked.constraint.is_empty() { "*" } else { &asked.constraint };
        if own.is_none() {
            // What stands in another section than it is asked for in: locking again puts it where it is asked for.
            for package in ["default", "develop"].iter().filter_map(|other| of(other)).flatten() {
                draft.need(root, *package, scope_of(&asked.section), Some(span));
            }
        }
        let Some(found) = own.or_else(|| of("default")) else {
            draft.disagree(&asked.name, format!("asks for {any}, and the lockfile does not hold it"), span);
            continue;
        };
        let packages: Vec<&Package> =
            found.iter().take(MAX_COMPARED).filter_map(|at| draft.packages().get(*at as usize)).collect();
        let message = match &asked.place {
            Some(Place::Direct(direct)) if packages.iter().all(|p| p.source.address != direct.source.address) => {
                Some(format!("asks for {}, and the lockfile takes it from elsewhere", direct.source.address))
            }
            Some(Place::Path(path)) if packages.iter().all(|p| p.source.kind != SourceKind::Path) => {
                Some(format!("asks for the folder {}, and the lockfile takes it from elsewhere", locked::shown(path)))
            }
            Some(_) => None,
            None if packages.iter().all(|p| poetry::satisfies(any, &p.version) == Some(false)) => {
                let version = packages.first().map_or("*", |package| &package.version);
                Some(format!("asks for {any}, and the lockfile holds {version}"))
            }
            None => None,
        };
        if let Some(message) = message {
            draft.disagree(&asked.name, message, span);
        }
    }
}

/// What a manifest asks for where no lockfile answers.
fn unlocked(wanted: &Manifest, input: u32, project: &Project, root: usize, draft: &mut Draft) {
    for asked in &wanted.asked {
        let span = Span { input, line: asked.line, end_line: asked.line };
        let version = match poetry::exact(&asked.constraint) {
            Some(pin) => format!("={pin}"),
            None if asked.constraint.is_empty() => "*".to_owned(),
            None => asked.constraint.to_string(),
        };
        let package = Package { is_locked: false, ..Package::new(Ecosystem::PyPi, &asked.name, &version, span) };
        let package = match &asked.place {
            Some(place) => placed(place, package, &project.path, false),
            None => {
                let named = |name: &str| wanted.indexes.iter().find(|(known, _)| **known == *name);
                let index = match asked.index.as_deref() {
                    Some(name) => Some(named(name).map_or(name, |(_, url)| url)),
                    None => wanted.indexes.first().map(|(_, url)| &**url),
                };
                Package { source: index.map_or_else(Source::public, Source::registry), ..package }
            }
        };
        let number = draft.package(package);
        draft.need(root, number, scope_of(&asked.section), Some(span));
    }
}
