//! `poetry.lock`: packages, their files, sources and needs. The project itself is not in it, and neither is where
//! packages come from when that is the public registry.

use std::collections::HashMap;

use super::filename;
use super::locked::{
    self, Archives, CAP, Entry, Failure, Lock, MAX_COMPARED, Need, Wanted, archive, digest, package, registry,
    repository, spend,
};
use super::manifest::Section;
use super::normalise;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self as document, Entry as Item, Table};
use crate::ecosystem::{FileKind, Files, Format, View};
use crate::model::checksum;
use crate::model::inventory::{Identity, Inventory, Package, Project, Source};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the lockfile.
const LOCKFILE: &str = "poetry.lock";

/// Poetry's lockfile, with the `pyproject.toml` beside it.
#[derive(Debug, Clone, Copy)]
pub struct Poetry;

impl Format for Poetry {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(LOCKFILE, "without lock-version, 1.0, 1.1, 2.0, 2.1")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, locked::MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, Failure> {
        Ok(locked::projects(files, files.named(LOCKFILE)))
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
        let (path, bytes, input) = locked::lockfile(project, &mut view)?;
        let lock = document::read(&bytes, CAP, lock).map_err(|error| (path.clone(), error))?;
        locked::build(project, lock, (&path, input), view, &must_hold)
    }
}

/// Poetry locks all groups, optional ones too, and all extras.
fn must_hold(_: &Section) -> bool {
    true
}

fn lock(root: Table<'_, '_>) -> Result<Lock, Unread> {
    let Some(metadata) = root.table("metadata")? else {
        return Err(malformed(0, "no `[metadata]`, which every poetry.lock has"));
    };
    match metadata.text("lock-version")? {
        None | Some("1.0" | "1.1" | "2.0" | "2.1") => {}
        Some(other) => {
            return Err(Unread::Unsupported(format!("poetry.lock of lock-version {}", locked::shown(other))));
        }
    }
    let common = Common::read(metadata)?;
    let packages = locked::tables(root, "package")?;
    let mut versions: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
    let mut entries = Vec::with_capacity(packages.len());
    for (table, line) in packages {
        let mut package = package(table, line, false)?;
        (package.source, package.identity) = source(table, line)?;
        versions.entry(package.name.clone()).or_default().push(package.version.clone());
        let own = match table.get("files") {
            Some(files) => Some(archives(files)?),
            None => None,
        };
        entries.push((package, own, needs(table)?));
    }
    let mut budget = MAX_COMPARED;
    let mut lock = Lock::default();
    for (mut package, own, needs) in entries {
        let archives = match own {
            Some(own) => own,
            None => {
                let known = versions.get(&package.name).map(Vec::as_slice).unwrap_or_default();
                common.of(&package, known, &mut budget)?
            }
        };
        archives.settle(&mut package);
        lock.entries.push(Entry { package, member: None, needs });
    }
    Ok(lock)
}

/// A list of `{ file = …, hash = … }`.
fn archives(list: Item<'_, '_>) -> Result<Archives, Unread> {
    let mut found = Archives::default();
    for item in list.items()? {
        let table = item.table()?;
        let name = table.text("file")?.or(table.text("url")?);
        found.add(name, table.text("hash")?.and_then(digest));
    }
    Ok(found)
}

/// Files that older versions keep in one place, by name and for all versions of it together.
#[derive(Default)]
struct Common {
    files: HashMap<Box<str>, Archives>,
}

impl Common {
    fn read(metadata: Table<'_, '_>) -> Result<Self, Unread> {
        let mut found = Self::default();
        for entry in metadata.table("files")?.into_iter().flat_map(Table::entries) {
            let Archives { names, digests, .. } = archives(entry)?;
            let known = found.files.entry(normalise(entry.key).into()).or_default();
            known.names.extend(names);
            known.digests.extend(digests);
        }
        // The oldest form: digests alone, SHA-256 in hex.
        for entry in metadata.table("hashes")?.into_iter().flat_map(Table::entries) {
            let known = found.files.entry(normalise(entry.key).into()).or_default();
            for item in entry.items()? {
                let text = item.text()?;
                known.digests.push(digest(text).or_else(|| checksum::of_hex("sha256", text)));
            }
        }
        Ok(found)
    }

    /// The files of one version: all of the name, but for those that another locked version of it explains.
    fn of(&self, package: &Package, versions: &[Box<str>], budget: &mut u64) -> Result<Archives, Unread> {
        let Some(all) = self.files.get(&package.name) else { return Ok(Archives::default()) };
        if versions.len() < 2 || all.names.len() != all.digests.len() {
            *budget = spend(*budget, all.digests.len() as u64)?;
            return Ok(all.clone());
        }
        *budget = spend(*budget, (all.names.len() as u64).saturating_mul(versions.len() as u64))?;
        let is_of = |file: &str, version: &str| filename::contradiction(file, &package.name, version).is_none();
        let mut own = Archives::default();
        for (name, digest) in all.names.iter().zip(&all.digests) {
            if is_of(name, &package.version) || !versions.iter().any(|version| is_of(name, version)) {
                own.add(Some(name), digest.clone());
            }
        }
        Ok(own)
    }
}

fn source(table: Table<'_, '_>, line: u32) -> Result<(Source, Identity), Unread> {
    let Some(source) = table.table("source")? else { return Ok((Source::public(), Identity::Public)) };
    let url = source.text("url")?.unwrap_or_default();
    let folder = source.text("subdirectory")?;
    let reference = source.text("reference")?;
    match source.text("type")?.unwrap_or_default() {
        // Without a type it is a registry, as older versions wrote it.
        "legacy" | "" => Ok(registry(url)),
        "git" => {
            // Before 1.1 the reference was the commit itself.
            let full = reference.filter(|reference| checksum::of_commit(reference).is_some());
            Ok(repository("git", url, source.text("resolved_reference")?.or(full), folder))
        }
        "url" => Ok(archive(url, folder)),
        "file" | "directory" => Ok((Source::path(url), Identity::Foreign)),
        other => Err(Unread::Unsupported(format!("line {line}: a source of type `{}`", locked::shown(other)))),
    }
}

/// What a package needs, its extras' needs included.
fn needs(table: Table<'_, '_>) -> Result<Vec<Need>, Unread> {
    let mut found = Vec::new();
    for entry in table.table("dependencies")?.into_iter().flat_map(Table::entries) {
        let name: Box<str> = normalise(entry.key).into();
        if entry.is_list() {
            for item in entry.items()? {
                found.push(need(item, name.clone())?);
            }
        } else {
            found.push(need(entry, name)?);
        }
    }
    Ok(found)
}

fn need(entry: Item<'_, '_>, name: Box<str>) -> Result<Need, Unread> {
    let wanted = match entry.as_text() {
        Some(text) => Some(text),
        None => entry.table()?.text("version")?,
    };
    let wanted = wanted.map(|text| Wanted::Poetry(text.into()));
    Ok(Need { name, wanted, line: entry.line, ..Need::default() })
}

/// The folders whose manifest a lockfile of this tool speaks for.
pub(super) fn spoken_for(files: &dyn Files) -> Vec<RepoPath> {
    files.named(LOCKFILE).iter().map(RepoPath::parent).collect()
}
