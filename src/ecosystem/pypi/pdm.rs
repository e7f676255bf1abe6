//! `pdm.lock`: packages, their files and needs. An entry with extras stands beside the one without.

use std::collections::HashMap;

use super::locked::{self, Archives, CAP, Entry, Failure, Lock, Need, Wanted, archive, digest, package, repository};
use super::manifest::Section;
use super::requirement::Requirement;
use super::{normalise, reference};
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self as document, Entry as Item, Table};
use crate::ecosystem::{FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Project, Source};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the lockfile.
const LOCKFILE: &str = "pdm.lock";

/// PDM's lockfile, with the `pyproject.toml` beside it.
#[derive(Debug, Clone, Copy)]
pub struct Pdm;

impl Format for Pdm {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(LOCKFILE, "lock_version 3.1 to 4.5")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, locked::MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, Failure> {
        Ok(locked::projects(files, files.named(LOCKFILE)))
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
        let (path, bytes, input) = locked::lockfile(project, &mut view)?;
        let (lock, groups) = document::read(&bytes, CAP, lock).map_err(|error| (path.clone(), error))?;
        let must_hold = |section: &Section| groups.as_ref().is_none_or(|groups| groups.hold(section));
        locked::build(project, lock, (&path, input), view, &must_hold)
    }
}

/// The groups that a lockfile says it was made for. PDM locks those that it is told to.
struct Groups(Vec<Box<str>>);

impl Groups {
    fn hold(&self, section: &Section) -> bool {
        let has = |wanted: &str| self.0.iter().any(|group| &**group == wanted || &**group == ":all");
        match section {
            Section::Main => has("default"),
            Section::Extra(name) | Section::Group(name) => has(name),
            Section::Build => true,
            Section::Override | Section::Constraint => false,
        }
    }
}

fn lock(root: Table<'_, '_>) -> Result<(Lock, Option<Groups>), Unread> {
    let metadata = root.table("metadata")?;
    let version = match metadata {
        Some(metadata) => metadata.text("lock_version")?,
        None => None,
    };
    let (Some(metadata), Some(version)) = (metadata, version) else {
        return Err(Unread::Unsupported("pdm.lock without a lock_version".to_owned()));
    };
    if !is_read(version) {
        return Err(Unread::Unsupported(format!("pdm.lock of lock_version {}", locked::shown(version))));
    }
    let groups = match metadata.get("groups") {
        Some(groups) => {
            let names: Result<Vec<Box<str>>, Unread> =
                groups.items()?.map(|item| Ok(normalise(item.text()?).into())).collect();
            Some(Groups(names?))
        }
        None => None,
    };
    let common = common(metadata)?;
    let mut lock = Lock::default();
    for (table, line) in locked::tables(root, "package")? {
        let mut package = package(table, line, false)?;
        (package.source, package.identity) = source(table)?;
        let archives = match table.get("files") {
            Some(files) => archives(files)?,
            None => common.get(&(package.name.clone(), package.version.clone())).cloned().unwrap_or_default(),
        };
        archives.settle(&mut package);
        let needs = needs(table)?;
        lock.entries.push(Entry { package, member: None, needs });
    }
    Ok((lock, groups))
}

/// 3.1, and 4.0 to 4.5 with any third number.
fn is_read(version: &str) -> bool {
    let mut parts = version.split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("3"), Some("1"), None, None) => true,
        (Some("4"), Some("0" | "1" | "2" | "3" | "4" | "5"), third, None) => third.is_none_or(is_number),
        _ => false,
    }
}

/// A list of `{ file = …, hash = … }`; `url` in place of `file` where addresses are locked.
fn archives(list: Item<'_, '_>) -> Result<Archives, Unread> {
    let mut found = Archives::default();
    for item in list.items()? {
        let table = item.table()?;
        for key in ["file", "url"] {
            found.names.extend(table.text(key)?.map(Box::<str>::from));
        }
        found.at(table.text("url")?);
        found.add(None, table.text("hash")?.and_then(digest));
    }
    Ok(found)
}

/// Files by name and version.
type Common = HashMap<(Box<str>, Box<str>), Archives>;

/// Files that versions before 4.2 keep in `[metadata.files]`, by `name version`.
fn common(metadata: Table<'_, '_>) -> Result<Common, Unread> {
    let mut found = Common::new();
    for entry in metadata.table("files")?.into_iter().flat_map(Table::entries) {
        let Some((name, version)) = entry.key.split_once(' ') else {
            return Err(malformed(entry.line, "files of something that is no `name version`"));
        };
        let name = name.split('[').next().unwrap_or(name);
        let Archives { names, digests, hosts } = archives(entry)?;
        let known = found.entry((normalise(name).into(), version.into())).or_default();
        known.names.extend(names);
        known.digests.extend(digests);
        known.hosts.extend(hosts);
    }
    Ok(found)
}

fn source(table: Table<'_, '_>) -> Result<(Source, Identity), Unread> {
    let folder = table.text("subdirectory")?;
    for system in ["git", "hg", "svn", "bzr"] {
        if let Some(url) = table.text(system)? {
            return Ok(repository(system, url, table.text("revision")?, folder));
        }
    }
    if let Some(path) = table.text("path")? {
        return Ok((Source::path(path), Identity::Foreign));
    }
    match table.text("url")? {
        Some(url) => Ok(archive(url, folder)),
        None => Ok((Source::public(), Identity::Public)),
    }
}

fn needs(table: Table<'_, '_>) -> Result<Vec<Need>, Unread> {
    let mut found = Vec::new();
    for (text, line) in table.texts("dependencies")? {
        if let Some(address) = text.trim().strip_prefix("-e ") {
            // An editable one names itself in its address.
            let name = reference::direct(address.trim()).egg;
            let name = name.ok_or_else(|| malformed(line, "an editable requirement without `#egg=` and a name"))?;
            found.push(Need { name: normalise(&name).into(), line, ..Need::default() });
            continue;
        }
        let requirement = Requirement::parse(text).map_err(|reason| malformed(line, reason))?;
        let wanted = Some(Wanted::Standard(requirement.specifiers.text.into()));
        found.push(Need { name: normalise(requirement.name).into(), wanted, line, ..Need::default() });
    }
    Ok(found)
}

/// The folders whose manifest a lockfile of this tool speaks for.
pub(super) fn spoken_for(files: &dyn Files) -> Vec<RepoPath> {
    files.named(LOCKFILE).iter().map(RepoPath::parent).collect()
}
