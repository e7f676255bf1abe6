//! `uv.lock`: packages and members of the workspace, with the `pyproject.toml` of each member.
//!
//! The lockfile holds everything that its entries need, and repeats what each member's manifest asked for when it was
//! made (`[package.metadata]`). Scopes come from the manifests of the tree; what they say otherwise than the lockfile
//! is a disagreement.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::locked::{
    self, Against, Archives, CAP, Entry, Failure, Lock, Locked, Need, Part, archive, digest, package, registry,
    repository,
};
use super::manifest::{Asked, Manifest, Place, Section};
use super::normalise;
use super::requirement::{Clause, Specifiers};
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self as document, Entry as Item, Table};
use crate::ecosystem::{FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Identity, Inventory, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the lockfile.
const LOCKFILE: &str = "uv.lock";

/// The kinds of files.
const KINDS: &[FileKind] = &[
    FileKind::lockfile(LOCKFILE, "version 1, revisions 0 to 3"),
    FileKind::lockfile("*.py.lock", "the same, of a script, without a manifest"),
];

/// Members whose manifests are read for one project.
const MAX_MEMBERS: usize = 10_000;

/// uv's lockfile, with the `pyproject.toml` of every member of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Uv;

impl Format for Uv {
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
        let mut found = locked::projects(files, claimed(files, KINDS));
        // What a script asks for stands in the script.
        for project in found.iter_mut().filter(|project| project.lockfile.as_ref().is_some_and(is_script)) {
            project.manifest = None;
        }
        Ok(found)
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
        let (path, bytes, input) = locked::lockfile(project, &mut view)?;
        let at = |error| (path.clone(), error);
        let own = |table: Table<'_, '_>| lock(table, &project.path);
        let (lock, members) = document::read(&bytes, CAP, own).map_err(at)?;
        let locked = Locked::new(lock, input).map_err(at)?;
        Reading { locked, members, project, path: &path, input }.finish(view)
    }
}

/// Whether a lockfile is a script's.
fn is_script(lockfile: &RepoPath) -> bool {
    lockfile.file_name() != LOCKFILE
}

/// A requirement as the lockfile repeats it: the name, and the clauses where it is one of a registry.
type Repeated = (Box<str>, Option<BTreeSet<Box<str>>>);

/// What a lockfile says of a member of the project.
#[derive(Debug)]
struct Member {
    /// Its place among the entries.
    at: usize,
    /// Its folder.
    folder: RepoPath,
    /// What its manifest asked for, and what its groups did; `None` where the lockfile does not say.
    asked: Option<[BTreeSet<Repeated>; 2]>,
}

fn lock(root: Table<'_, '_>, folder: &RepoPath) -> Result<(Lock, Vec<Member>), Unread> {
    let Some(version) = root.get("version") else {
        return Err(malformed(0, "no version, which every uv.lock has"));
    };
    let revision = match root.get("revision") {
        Some(revision) => revision.as_integer().ok_or_else(|| revision.wrong("a number"))?,
        None => 0,
    };
    match version.as_integer() {
        // What a revision adds, readers of earlier ones may pass over (uv, "Lockfile versioning").
        Some(1) if revision >= 0 => {}
        Some(1) => return Err(Unread::Unsupported(format!("uv.lock of version 1, revision {revision}"))),
        Some(other) => return Err(Unread::Unsupported(format!("uv.lock of version {other}"))),
        None => return Err(version.wrong("a number")),
    }
    if root.get("distribution").is_some() {
        return Err(Unread::Unsupported("uv.lock with `[[distribution]]`, as uv wrote it before 0.3".to_owned()));
    }
    let mut lock = Lock { is_closed: true, ..Lock::default() };
    let mut members = Vec::new();
    let listed = Listed::read(root, folder)?;
    for (at, (table, line)) in locked::tables(root, "package")?.into_iter().enumerate() {
        let mut entry = entry(table, line, folder)?;
        entry.member = entry.member.filter(|inner| listed.holds(&entry.package.name, inner, folder));
        if let Some(folder) = entry.member.clone() {
            members.push(Member { at, folder, asked: repeated(table)? });
        }
        lock.entries.push(entry);
    }
    if members.len() > MAX_MEMBERS {
        let what = "the number of members of one workspace".to_owned();
        return Err(Unread::TooLarge { what, size: members.len() as u64, cap: MAX_MEMBERS as u64 });
    }
    Ok((lock, members))
}

/// Which folders are members. Other ones are dependencies by path: their groups are not locked.
enum Listed {
    /// Those of these names, and the one in the lockfile's folder.
    Named(HashSet<Box<str>>),
    /// The one in the lockfile's folder.
    Alone,
    /// All: the lockfile names none, and holds none in its own folder.
    All,
}

impl Listed {
    fn read(root: Table<'_, '_>, folder: &RepoPath) -> Result<Self, Unread> {
        if let Some(manifest) = root.table("manifest")?
            && manifest.get("members").is_some()
        {
            let names = manifest.texts("members")?.into_iter().map(|(name, _)| normalise(name).into());
            return Ok(Self::Named(names.collect()));
        }
        for (table, _) in locked::tables(root, "package")? {
            if let Some(source) = table.table("source")?
                && member(source, folder)?.is_some_and(|inner| inner == *folder)
            {
                return Ok(Self::Alone);
            }
        }
        Ok(Self::All)
    }

    fn holds(&self, name: &str, inner: &RepoPath, folder: &RepoPath) -> bool {
        match self {
            Self::Named(names) => names.contains(name) || inner == folder,
            Self::Alone => inner == folder,
            Self::All => true,
        }
    }
}

fn entry(table: Table<'_, '_>, line: u32, folder: &RepoPath) -> Result<Entry, Unread> {
    let mut package = package(table, line, true)?;
    let Some(place) = table.get("source") else {
        return Err(malformed(line, format!("`{}` without a source", package.name)));
    };
    let (source, identity) = source(place)?;
    let is_registry = identity == Identity::Public;
    (package.source, package.identity) = (source, identity);
    if package.version.is_empty() && is_registry {
        return Err(malformed(line, format!("`{}` without a version", package.name)));
    }
    let member = member(place.table()?, folder)?;
    let mut archives = Archives::default();
    let mut files: Vec<Table<'_, '_>> = table.table("sdist")?.into_iter().collect();
    files.extend(locked::tables(table, "wheels")?.into_iter().map(|(wheel, _)| wheel));
    for file in files {
        for key in ["url", "path", "filename"] {
            archives.names.extend(file.text(key)?.map(Box::<str>::from));
        }
        archives.at(file.text("url")?);
        archives.on_disk(file.text("path")?);
        archives.add(None, file.text("hash")?.and_then(digest));
    }
    archives.settle(&mut package);
    Ok(Entry { package, member, needs: needs(table)? })
}

/// Where an entry comes from. The address of a repository holds its branch and its folder in the query, and its commit
/// in the fragment.
fn source(entry: Item<'_, '_>) -> Result<(Source, Identity), Unread> {
    let table = entry.table()?;
    let folder = table.text("subdirectory")?;
    if let Some(address) = table.text("registry")? {
        return Ok(registry(address));
    }
    if let Some(address) = table.text("git")? {
        let (address, commit) = address.split_once('#').map_or((address, None), |(url, commit)| (url, Some(commit)));
        let (url, query) = address.split_once('?').unwrap_or((address, ""));
        let inner = query.split('&').find_map(|part| part.strip_prefix("subdirectory="));
        return Ok(repository("git", url, commit, inner.or(folder)));
    }
    if let Some(address) = table.text("url")? {
        return Ok(archive(address, folder));
    }
    for key in ["path", "directory", "editable", "virtual"] {
        if let Some(path) = table.text(key)? {
            return Ok((Source::path(path), Identity::Foreign));
        }
    }
    Err(Unread::Unsupported(format!("line {}: a source of a kind that is not known", entry.line)))
}

/// The folder that may be a member's: an editable or virtual source within the repository.
fn member(source: Table<'_, '_>, folder: &RepoPath) -> Result<Option<RepoPath>, Unread> {
    let path = match source.text("editable")? {
        Some(path) => Some(path),
        None => source.text("virtual")?,
    };
    Ok(path.and_then(|path| folder.join(path)))
}

/// What an entry needs, its extras' and groups' needs included.
fn needs(table: Table<'_, '_>) -> Result<Vec<Need>, Unread> {
    let mut found = Vec::new();
    let mut add = |list: Item<'_, '_>| -> Result<(), Unread> {
        for item in list.items()? {
            let need = item.table()?;
            let Some(name) = need.text("name")? else {
                return Err(malformed(item.line, "a dependency without a name"));
            };
            let source = need.get("source").map(source).transpose()?.map(|(source, _)| source);
            let version = need.text("version")?.map(Box::from);
            found.push(Need { name: normalise(name).into(), version, source, wanted: None, line: item.line });
        }
        Ok(())
    };
    table.get("dependencies").map_or(Ok(()), &mut add)?;
    for key in ["optional-dependencies", "dev-dependencies"] {
        for list in table.table(key)?.into_iter().flat_map(Table::entries) {
            add(list)?;
        }
    }
    Ok(found)
}

/// What the lockfile says that a member's manifest asked for: itself, and its groups.
fn repeated(table: Table<'_, '_>) -> Result<Option<[BTreeSet<Repeated>; 2]>, Unread> {
    let Some(metadata) = table.table("metadata")? else { return Ok(None) };
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    let [own, groups] = &mut found;
    if let Some(list) = metadata.get("requires-dist") {
        requirements(list, own)?;
    }
    for list in metadata.table("requires-dev")?.into_iter().flat_map(Table::entries) {
        requirements(list, groups)?;
    }
    Ok(Some(found))
}

fn requirements(list: Item<'_, '_>, into: &mut BTreeSet<Repeated>) -> Result<(), Unread> {
    for item in list.items()? {
        let table = item.table()?;
        let name: Box<str> = normalise(table.text("name")?.unwrap_or_default()).into();
        let places = ["git", "url", "path", "directory", "editable", "virtual"];
        let clauses = match places.iter().any(|key| table.get(key).is_some()) {
            true => None,
            false => Some(clauses(table.text("specifier")?.unwrap_or_default())),
        };
        into.insert((name, clauses));
    }
    Ok(())
}

/// The clauses of a requirement, each in one spelling.
fn clauses(text: &str) -> BTreeSet<Box<str>> {
    let Some(specifiers) = Specifiers::parse(text) else {
        return BTreeSet::from([text.into()]);
    };
    let one = |clause: &Clause<'_>| format!("{:?} {}", clause.operator, spelt(clause.version)).into();
    specifiers.clauses.iter().map(one).collect()
}

/// A version in one spelling: its numbers and words, without zeros at the front of numbers, and with the words' short
/// forms. uv writes requirements anew.
fn spelt(version: &str) -> String {
    let version = version.trim().to_ascii_lowercase();
    let mut rest = version.strip_prefix('v').unwrap_or(&version);
    let mut parts: Vec<&str> = Vec::new();
    while let Some(first) = rest.bytes().next() {
        let same = |byte: u8| byte.is_ascii_digit() == first.is_ascii_digit() && byte.is_ascii_alphanumeric();
        let length = rest.bytes().take_while(|byte| same(*byte)).count().max(1);
        let Some((part, after)) = rest.split_at_checked(length) else { break };
        let is_word = parts.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_alphabetic()));
        match part {
            "." | "-" | "_" => {}
            _ => {
                if is_word && !first.is_ascii_digit() {
                    parts.push("0");
                }
                parts.push(match part {
                    "alpha" => "a",
                    "beta" => "b",
                    "c" | "pre" | "preview" => "rc",
                    "rev" | "r" => "post",
                    number if first.is_ascii_digit() => match number.trim_start_matches('0') {
                        "" => "0",
                        some => some,
                    },
                    other => other,
                });
            }
        }
        rest = after;
    }
    if parts.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        parts.push("0");
    }
    parts.join(".")
}

/// A lockfile and its members' manifests.
struct Reading<'p> {
    locked: Locked,
    members: Vec<Member>,
    project: &'p Project,
    path: &'p RepoPath,
    input: u32,
}

impl Reading<'_> {
    fn finish(mut self, mut view: View<'_>) -> Result<Inventory, Failure> {
        let must_hold: &dyn Fn(&Section) -> bool = &|_| true;
        let mut manifests: HashMap<RepoPath, (Manifest, u32)> = HashMap::new();
        let mut folders: BTreeSet<RepoPath> = self.members.iter().map(|member| member.folder.clone()).collect();
        if is_script(self.path) {
            folders.clear();
        } else {
            folders.insert(self.project.path.clone());
        }
        for folder in folders {
            if let Some(found) = locked::manifest_of(&folder, &mut view)? {
                manifests.insert(folder, found);
            }
        }
        let home = manifests.get(&self.project.path);
        // What the workspace's root overrides or places holds for every member.
        let mut common = home.map(|(manifest, _)| locked::free(manifest)).unwrap_or_default();
        let overridden = home.map(|(manifest, _)| locked::overridden(manifest)).unwrap_or_default();
        if !is_script(self.path) {
            common.extend(sources(&self.project.path, &mut view)?);
        }
        if let Some((manifest, input)) = home
            && !self.members.iter().any(|member| member.folder == self.project.path)
        {
            // A root without a package of its own: the workspace alone, and its groups.
            let span = Span { input: *input, line: manifest.line, end_line: manifest.line };
            let name = locked::name_of(manifest, self.project);
            let root = self.locked.draft.root(&name, &manifest.version, &self.project.path, span);
            if manifest.has_project {
                self.locked.draft.disagree(&name, "is not in the lockfile as a member of the project", span);
            }
            self.ask(root, manifest, *input, Against { free: &common, overridden: &overridden, must_hold })?;
        }
        if self.members.is_empty() && home.is_none() {
            self.locked.guess_direct().map_err(|error| (self.path.clone(), error))?;
        }
        for member in std::mem::take(&mut self.members) {
            let Some(Part::Root(root)) = self.locked.parts.get(member.at).copied() else { continue };
            match manifests.get(&member.folder) {
                Some((manifest, input)) => {
                    self.named(&member, manifest);
                    let mut free = locked::free(manifest);
                    free.extend(common.iter().cloned());
                    self.ask(root, manifest, *input, Against { free: &free, overridden: &overridden, must_hold })?;
                    self.compare(&member, manifest, *input, &free)?;
                    self.rest(&member, root, Some(manifest))?;
                }
                None => self.rest(&member, root, None)?,
            }
        }
        Ok(self.locked.finish(self.project, view))
    }

    fn ask(&mut self, root: usize, manifest: &Manifest, input: u32, against: Against<'_>) -> Result<(), Failure> {
        self.locked.ask(root, manifest, input, against).map_err(|error| (self.path.clone(), error))
    }

    /// Whether the member in a folder is called what its manifest says.
    fn named(&mut self, member: &Member, manifest: &Manifest) {
        let Some(entry) = self.locked.entries.get(member.at) else { return };
        let name = &entry.package.name;
        if !manifest.name.is_empty() && *name != manifest.name {
            let message = format!("is locked as the folder of {}", manifest.name);
            let span = Span { input: self.input, ..entry.package.span };
            self.locked.draft.disagree(name, message, span);
        }
    }

    /// What the lockfile says that a member needs and its manifest does not ask for. Without a manifest that is all.
    fn rest(&mut self, member: &Member, root: usize, manifest: Option<&Manifest>) -> Result<(), Failure> {
        let needs = manifest.into_iter().flat_map(Manifest::needs).filter(|asked| asked.section != Section::Build);
        let asked: HashSet<&str> = needs.map(|asked| &*asked.name).collect();
        let is_computed = manifest.is_some_and(|m| m.dynamic.is_some() || m.dynamic_extras.is_some() || !m.has_tables);
        let Some(entry) = self.locked.entries.get_mut(member.at) else { return Ok(()) };
        let (name, needs) = (entry.package.name.clone(), std::mem::take(&mut entry.needs));
        let mut told: HashSet<Box<str>> = HashSet::new();
        for need in needs.iter().filter(|need| !asked.contains(&*need.name) && need.name != name) {
            let (found, _) = self.locked.meet(need).map_err(|error| (self.path.clone(), error))?;
            for at in found {
                if let Some(Part::Package(package)) = self.locked.parts.get(at as usize).copied() {
                    self.locked.draft.need(root, package, Scope::Runtime, None);
                }
            }
            if manifest.is_some() && !is_computed && told.insert(need.name.clone()) {
                let message = format!("is locked as a dependency of {name}, whose manifest does not ask for it");
                let span = Span { input: self.input, line: need.line, end_line: need.line };
                self.locked.draft.disagree(&need.name, message, span);
            }
        }
        Ok(())
    }

    /// Where the manifest asks for a locked package otherwise than the lockfile says it did. What is not locked at all,
    /// and what is locked and not asked for, is said elsewhere.
    fn compare(
        &mut self,
        member: &Member,
        manifest: &Manifest,
        input: u32,
        free: &HashSet<Box<str>>,
    ) -> Result<(), Failure> {
        let Some([own, groups]) = &member.asked else { return Ok(()) };
        let own_names: HashSet<&str> = own.iter().map(|(name, _)| &**name).collect();
        let group_names: HashSet<&str> = groups.iter().map(|(name, _)| &**name).collect();
        let is_free = |asked: &Asked| free.contains(&asked.name) || asked.name == manifest.name;
        for asked in manifest.needs().filter(|asked| asked.section != Section::Build && !is_free(asked)) {
            let (repeated, names) = match asked.section {
                Section::Group(_) => (groups, &group_names),
                _ => (own, &own_names),
            };
            let is_repeated = repeated.contains(&(asked.name.clone(), Some(clauses(&asked.constraint))));
            let is_placed = repeated.contains(&(asked.name.clone(), None)) && asked.place == Place::Workspace;
            if is_repeated
                || is_placed
                || self.locked.named(&asked.name).map_err(|e| (self.path.clone(), e))?.is_empty()
            {
                continue;
            }
            let wanted = if asked.constraint.is_empty() { "any version" } else { &*asked.constraint };
            let message = match names.contains(&*asked.name) {
                true => {
                    format!("asks for {}, and the lockfile was made for another requirement", locked::shown(wanted))
                }
                false => {
                    format!("asks for {}, and was not asked for when the lockfile was made", locked::shown(wanted))
                }
            };
            let span = Span { input, line: asked.line, end_line: asked.line };
            self.locked.draft.disagree(&asked.name, message, span);
        }
        Ok(())
    }
}

/// The names that the workspace's root places (`tool.uv.sources`), whether or not it asks for them itself.
fn sources(folder: &RepoPath, view: &mut View<'_>) -> Result<HashSet<Box<str>>, Failure> {
    let Some(path) = folder.join(locked::MANIFEST) else { return Ok(HashSet::new()) };
    let at = |error| (path.clone(), error);
    let Some((bytes, _)) = view.read(&path).map_err(at)? else { return Ok(HashSet::new()) };
    let names = |root: Table<'_, '_>| -> Result<HashSet<Box<str>>, Unread> {
        let tool = root.table("tool")?.map(|tool| tool.table("uv")).transpose()?.flatten();
        let sources = tool.map(|uv| uv.table("sources")).transpose()?.flatten();
        Ok(sources.into_iter().flat_map(Table::entries).map(|entry| normalise(entry.key).into()).collect())
    };
    document::read(&bytes, document::MAX_BYTES, names).map_err(at)
}

/// The folders whose manifests a lockfile of this tool speaks for: its own, and those of its members below it. One that cannot
/// be read speaks for its own folder, and says why when its project is read.
pub(super) fn spoken_for(files: &dyn Files) -> Vec<RepoPath> {
    let mut found = Vec::new();
    for path in files.named(LOCKFILE) {
        let folder = path.parent();
        if let Ok(Some((bytes, _))) = files.read(&path) {
            let members = document::read(&bytes, CAP, |table| lock(table, &folder)).map(|(_, members)| members);
            // What lies outside its folder, it has no say in: another lockfile or nobody speaks for that.
            let members = members.unwrap_or_default().into_iter().map(|member| member.folder);
            found.extend(members.filter(|member| member.is_within(&folder)));
        }
        found.push(folder);
    }
    found
}
