//! `pylock.toml` and `pylock.NAME.toml` (PEP 751), as uv, PDM, pip and pipenv write them.

use super::locked::{
    self, Archives, CAP, Entry, Failure, Lock, Need, Wanted, archive, package, registry, repository, strongest,
};
use super::manifest::Section;
use super::normalise;
use super::requirement::Requirement;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self as document, Table};
use crate::ecosystem::{FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Source};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the lockfile that stands for the whole project.
const LOCKFILE: &str = "pylock.toml";

/// The kinds of files.
const KINDS: &[FileKind] =
    &[FileKind::lockfile(LOCKFILE, "PEP 751, lock-version 1.x"), FileKind::lockfile("pylock.*.toml", "the same")];

/// The lockfile of PEP 751, with the `pyproject.toml` beside it.
#[derive(Debug, Clone, Copy)]
pub struct Pylock;

impl Format for Pylock {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn kinds(&self) -> &'static [FileKind] {
        KINDS
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, locked::MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, Failure> {
        Ok(locked::projects(files, crate::ecosystem::claimed(files, KINDS)))
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
        let (path, bytes, input) = locked::lockfile(project, &mut view)?;
        let own = |table: Table<'_, '_>| lock(table, &project.path);
        let lock = document::read(&bytes, CAP, own).map_err(|error| (path.clone(), error))?;
        // A lockfile with a name of its own is for a part of the project that nothing describes.
        let is_whole = path.file_name() == LOCKFILE;
        let must_hold = |section: &Section| is_whole && matches!(section, Section::Main | Section::Build);
        locked::build(project, lock, (&path, input), view, &must_hold)
    }
}

fn lock(root: Table<'_, '_>, folder: &RepoPath) -> Result<Lock, Unread> {
    match root.text("lock-version")? {
        Some(version) if is_read(version) => {}
        Some(other) => {
            return Err(Unread::Unsupported(format!("pylock.toml of lock-version {}", locked::shown(other))));
        }
        None => return Err(malformed(0, "no lock-version, which PEP 751 requires")),
    }
    if root.get("packages").is_none() {
        return Err(malformed(0, "no `packages`, which PEP 751 requires"));
    }
    let mut lock = Lock::default();
    for (table, line) in locked::tables(root, "packages")? {
        lock.entries.push(entry(table, line, folder)?);
    }
    Ok(lock)
}

/// PEP 751: a tool reads every minor version of the major version it knows.
fn is_read(version: &str) -> bool {
    let minor = version.strip_prefix("1.").unwrap_or_default();
    (1..=9).contains(&minor.len()) && minor.bytes().all(|byte| byte.is_ascii_digit())
}

fn entry(table: Table<'_, '_>, line: u32, folder: &RepoPath) -> Result<Entry, Unread> {
    let mut package = package(table, line, true)?;
    let mut archives = Archives::default();
    let mut member = None;
    let mut places = 0;
    if let Some(vcs) = table.table("vcs")? {
        places += 1;
        let address = vcs.text("url")?.or(vcs.text("path")?).unwrap_or_default();
        let system = vcs.text("type")?.unwrap_or("git");
        (package.source, package.identity) =
            repository(system, address, vcs.text("commit-id")?, vcs.text("subdirectory")?);
    }
    if let Some(directory) = table.table("directory")? {
        places += 1;
        let path = directory.text("path")?.unwrap_or_default();
        (package.source, package.identity) = (Source::path(path), Identity::Foreign);
        // The project itself, as exports list it.
        let is_whole = directory.text("subdirectory")?.unwrap_or_default().is_empty();
        member = folder.join(path).filter(|inner| is_whole && inner == folder);
    }
    if let Some(at) = table.table("archive")? {
        places += 1;
        let address = at.text("url")?.or(at.text("path")?).unwrap_or_default();
        (package.source, package.identity) = archive(address, at.text("subdirectory")?);
        add(at, &mut archives)?;
    }
    let mut files: Vec<Table<'_, '_>> = table.table("sdist")?.into_iter().collect();
    files.extend(locked::tables(table, "wheels")?.into_iter().map(|(wheel, _)| wheel));
    if !files.is_empty() {
        places += 1;
        released(table, &files, &mut package)?;
    }
    // PEP 751: the ways to say where a package comes from exclude each other. Tools differ on which they would take.
    if places > 1 {
        return Err(malformed(line, format!("`{}` comes from several places at once", package.name)));
    }
    for file in files {
        add(file, &mut archives)?;
    }
    if table.get("index").is_none() && package.source == Source::public() {
        // Nobody says whose files they are: they are those of who serves them.
        let first = archives.hosts.iter().find(|host| host.contains("://"));
        package.source = first.map_or_else(Source::public, |host| Source::registry(host));
    }
    archives.settle(&mut package);
    Ok(Entry { package, member, needs: needs(table)? })
}

/// Where the files of a release come from: its index, or the disk.
fn released(table: Table<'_, '_>, files: &[Table<'_, '_>], package: &mut Package) -> Result<(), Unread> {
    if let Some(index) = table.text("index")? {
        (package.source, package.identity) = registry(index);
        return Ok(());
    }
    for file in files {
        // Files of the disk, without an address.
        if let (None, Some(path)) = (file.text("url")?, file.text("path")?) {
            (package.source, package.identity) = (Source::path(path), Identity::Foreign);
            return Ok(());
        }
    }
    Ok(())
}

fn add(file: Table<'_, '_>, archives: &mut Archives) -> Result<(), Unread> {
    for key in ["name", "url", "path"] {
        archives.names.extend(file.text(key)?.map(Box::<str>::from));
    }
    archives.at(file.text("url")?);
    archives.on_disk(file.text("path")?);
    let digest = match file.table("hashes")? {
        Some(hashes) => strongest(hashes)?,
        None => None,
    };
    archives.add(None, digest);
    Ok(())
}

/// What a package needs: the standard's list, which names entries, and PDM's own, which names requirements.
fn needs(table: Table<'_, '_>) -> Result<Vec<Need>, Unread> {
    let mut found = Vec::new();
    for (need, line) in locked::tables(table, "dependencies")? {
        let name = need.text("name")?.unwrap_or_default();
        let version = need.text("version")?.map(Box::from);
        found.push(Need { name: normalise(name).into(), version, line, ..Need::default() });
    }
    let tool = table.table("tool")?;
    if let Some(pdm) = tool.map(|tool| tool.table("pdm")).transpose()?.flatten() {
        for (text, line) in pdm.texts("dependencies")? {
            let requirement = Requirement::parse(text).map_err(|reason| malformed(line, reason))?;
            let wanted = Some(Wanted::Standard(requirement.specifiers.text.into()));
            found.push(Need { name: normalise(requirement.name).into(), wanted, line, ..Need::default() });
        }
    }
    Ok(found)
}

/// The folders whose manifest a lockfile of this kind speaks for.
pub(super) fn spoken_for(files: &dyn Files) -> Vec<RepoPath> {
    files.named(LOCKFILE).iter().map(RepoPath::parent).collect()
}
