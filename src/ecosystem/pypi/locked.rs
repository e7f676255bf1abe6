//! What the lockfiles of Python's tools have in common: entries → packages and edges, and what the manifests ask for.
//!
//! 1. Every entry becomes a package, or a root where it is the project itself.
//! 2. Every need of an entry becomes edges to the entries that can meet it.
//! 3. Every dependency of a manifest becomes a need of its root, or a disagreement.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::filename;
use super::manifest::{self, Asked, Index, Manifest, Place, Section};
use super::reference::without_credentials;
use super::requirement::Specifiers;
use super::{normalise, poetry, unlocked};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::{self as document, Entry as Item, Table};
use crate::ecosystem::syntax::{malformed, text};
use crate::ecosystem::{FILE_CAP, Files, View};
use crate::model::checksum::{self, strength};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Scopes, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// A path and why it could not be read.
pub(super) type Failure = (RepoPath, Unread);

/// Pairs of a need and a lock entry of its name that are compared for one project.
pub(super) const MAX_COMPARED: u64 = 5_000_000;

/// Hosts of one package's files that are told, at the most.
const MAX_HOSTS: usize = 64;

/// The manifest that stands beside these lockfiles.
pub(super) const MANIFEST: &str = "pyproject.toml";

/// What a version must be, in the notation of the file that says it.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// As PEP 440 has it.
    Standard(Box<str>),
    /// As poetry has it.
    Poetry(Box<str>),
}

impl Wanted {
    /// Whether a version may meet it. What cannot be read forbids nothing: it only serves to tell entries apart.
    fn allows(&self, version: &str) -> bool {
        let answer = match self {
            Self::Standard(text) => Specifiers::parse(text).and_then(|specifiers| specifiers.satisfies(version)),
            Self::Poetry(text) => poetry::satisfies(text, version),
        };
        answer.unwrap_or(true)
    }
}

/// Something that an entry needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Need {
    /// The name, normalised.
    pub name: Box<str>,
    /// The version, where the lockfile tells it.
    pub version: Option<Box<str>>,
    /// The source, where the lockfile tells it.
    pub source: Option<Source>,
    /// What the version must be, where the lockfile repeats that.
    pub wanted: Option<Wanted>,
    /// The line.
    pub line: u32,
}

/// One entry of a lockfile.
#[derive(Debug)]
pub(super) struct Entry {
    /// What it is as a package. Spans name the line; the input's number is filled in later.
    pub package: Package,
    /// The folder, where it is a member of the project itself.
    pub member: Option<RepoPath>,
    /// What it needs.
    pub needs: Vec<Need>,
}

/// A lockfile.
#[derive(Debug, Default)]
pub(super) struct Lock {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Names, messages and lines of what contradicts itself.
    pub disagreements: Vec<(Box<str>, String, u32)>,
    /// Whether an entry must hold everything that its entries need.
    pub is_closed: bool,
}

/// The files of an entry: names or addresses, and digests.
#[derive(Debug, Default, Clone)]
pub(super) struct Archives {
    /// Names and addresses.
    pub names: Vec<Box<str>>,
    /// Digests; `None` for a file without one that can be read.
    pub digests: Vec<Option<Box<str>>>,
    /// Hosts that the files are downloaded from, as [`host`] writes them.
    pub hosts: BTreeSet<Box<str>>,
}

impl Archives {
    /// Notes a file.
    pub fn add(&mut self, name: Option<&str>, digest: Option<Box<str>>) {
        self.names.extend(name.map(Box::<str>::from));
        self.digests.push(digest);
    }

    /// Notes from where a file is downloaded: the tool asks that address, whatever index the entry names.
    pub fn at(&mut self, address: Option<&str>) {
        self.hosts.extend(address.map(|address| host(address).into()));
    }

    /// Notes that a file is taken from the disk.
    pub fn on_disk(&mut self, path: Option<&str>) {
        self.hosts.extend(path.map(|_| "a file".into()));
    }

    /// Sets what the files tell of a package: digests, where each file has one (a file without is not fixed, and then
    /// neither is the package), and whether a file is another release's. Where a package comes from an address of its
    /// own, only wheels have names that speak.
    pub fn settle(self, package: &mut Package) {
        let digests: Option<Vec<Box<str>>> = self.digests.into_iter().collect();
        (package.checksum, package.files) = checksum::of_files(digests.unwrap_or_default());
        let is_released = package.identity == Identity::Public;
        let mut names = self.names.iter().filter(|file| is_released || filename::is_wheel(file));
        package.contradiction = names.find_map(|file| filename::contradiction(file, &package.name, &package.version));
        if package.checksum.is_none() && package.source.kind == SourceKind::Git {
            package.checksum = package.source.commit.as_deref().and_then(checksum::of_commit);
        }
        let is_indexed = matches!(package.source.kind, SourceKind::Public | SourceKind::Registry) && is_released;
        if is_indexed && !self.hosts.is_empty() {
            let hosts: Vec<&str> = self.hosts.iter().take(MAX_HOSTS).map(|host| &**host).collect();
            package.source.commit = Some(hosts.join(" ").into());
        }
    }
}

/// The scheme and host of an address. Tools differ in how they read an odd one, so that one is told whole.
pub(super) fn host(address: &str) -> String {
    let plain = |address: &str| {
        let (scheme, rest) = address.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let is_word =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
        let is_user = user.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_plain = !host.is_empty() && host.bytes().all(is_word) && is_user;
        (is_plain && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then(|| format!("{scheme}://{host}").to_ascii_lowercase())
    };
    plain(address).unwrap_or_else(|| shown(address))
}

/// A digest as `sha256:…`.
pub(super) fn digest(text: &str) -> Option<Box<str>> {
    let (algorithm, hex) = text.split_once(':')?;
    checksum::of_hex(algorithm, hex)
}

/// The strongest of several digests of one file, as a table of algorithms and hex.
pub(super) fn strongest(hashes: Table<'_, '_>) -> Result<Option<Box<str>>, Unread> {
    let mut best: Option<Box<str>> = None;
    for entry in hashes.entries() {
        if let Some(found) = checksum::of_hex(entry.key, entry.text()?)
            && best.as_ref().is_none_or(|best| strength(&found) > strength(best))
        {
            best = Some(found);
        }
    }
    Ok(best)
}

/// The items of a list of tables; none where the key is missing.
pub(super) fn tables<'t, 'i>(root: Table<'t, 'i>, key: &str) -> Result<Vec<(Table<'t, 'i>, u32)>, Unread> {
    let Some(list) = root.get(key) else { return Ok(Vec::new()) };
    list.items()?.map(|item: Item<'_, '_>| Ok((item.table()?, item.line))).collect()
}

/// A package of that entry's name and version. A name is required; so is a version, unless `is_versionless`.
pub(super) fn package(table: Table<'_, '_>, line: u32, is_versionless: bool) -> Result<Package, Unread> {
    let name = table.text("name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| malformed(line, "a package without a name"))?;
    let version = match table.text("version")?.filter(|version| !version.is_empty()) {
        Some(version) => version,
        None if is_versionless => "",
        None => return Err(malformed(line, format!("`{}` without a version", shown(name)))),
    };
    let span = Span { input: 0, line, end_line: line };
    Ok(Package::new(Ecosystem::PyPi, &normalise(name), version, span))
}

/// A text of a file, for messages.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// A registry; a folder that serves as one is a path.
pub(super) fn registry(address: &str) -> (Source, Identity) {
    if address.contains("://") {
        (Source::registry(&without_credentials(address)), Identity::Public)
    } else {
        (Source::path(address), Identity::Foreign)
    }
}

/// A repository. The folder in it is part of where the bytes come from; the branch or tag is not.
pub(super) fn repository(system: &str, url: &str, commit: Option<&str>, folder: Option<&str>) -> (Source, Identity) {
    let mut address = without_credentials(url);
    if let Some(folder) = folder.filter(|folder| !folder.is_empty()) {
        address = format!("{address}#subdirectory={folder}");
    }
    let source = match system {
        "git" => Source::git(&address, commit.filter(|commit| !commit.is_empty())),
        other => Source::registry(&match commit {
            Some(commit) => format!("{other}+{address}@{commit}"),
            None => format!("{other}+{address}"),
        }),
    };
    (source, Identity::Foreign)
}

/// An archive at an address of its own, or in a file.
pub(super) fn archive(url: &str, folder: Option<&str>) -> (Source, Identity) {
    let mut address = without_credentials(url.split('#').next().unwrap_or(url));
    if let Some(folder) = folder.filter(|folder| !folder.is_empty()) {
        address = format!("{address}#subdirectory={folder}");
    }
    let source = match url.split_once("://") {
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("file") => Source::registry(&address),
        _ => Source::path(&address),
    };
    (source, Identity::Foreign)
}

/// One project for each of the lockfiles, with the manifest beside it.
pub(super) fn projects(files: &dyn Files, lockfiles: impl IntoIterator<Item = RepoPath>) -> Vec<Project> {
    let manifests: HashSet<RepoPath> = files.named(MANIFEST).into_iter().collect();
    let mut found = Vec::new();
    for lockfile in lockfiles.into_iter().filter(|path| !is_installed(path)) {
        let path = lockfile.parent();
        let manifest = path.join(MANIFEST).filter(|manifest| manifests.contains(manifest));
        found.push(Project { path, ecosystem: Ecosystem::PyPi, manifest, lockfile: Some(lockfile) });
    }
    found
}

/// Whether a path lies below a folder that a package manager fills.
pub(super) fn is_installed(path: &RepoPath) -> bool {
    super::requirements::is_installed(&path.parent())
}

/// Reads a file that must be there.
pub(super) fn required(path: &RepoPath, view: &mut View<'_>) -> Result<(std::sync::Arc<[u8]>, u32), Failure> {
    match view.read(path) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err((path.clone(), Unread::NotAFile("the lockfile is not there".to_owned()))),
        Err(error) => Err((path.clone(), error)),
    }
}

/// The lockfile of a project, its bytes and its input's number.
pub(super) fn lockfile(
    project: &Project,
    view: &mut View<'_>,
) -> Result<(RepoPath, std::sync::Arc<[u8]>, u32), Failure> {
    let Some(path) = &project.lockfile else {
        return Err((project.path.clone(), Unread::NotAFile("a project without a lockfile".to_owned())));
    };
    let (bytes, input) = required(path, view)?;
    Ok((path.clone(), bytes, input))
}

/// The manifest of a folder, its input's number and path.
pub(super) fn manifest_of(folder: &RepoPath, view: &mut View<'_>) -> Result<Option<(Manifest, u32)>, Failure> {
    let Some(path) = folder.join(MANIFEST) else { return Ok(None) };
    let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else { return Ok(None) };
    let mut manifest = manifest::parse(&bytes).map_err(|error| (path.clone(), error))?;
    for listed in std::mem::take(&mut manifest.listed) {
        let Some(file) = folder.join(&listed.path) else {
            let reason = format!("lists dependencies in `{}`, which lies outside the repository", shown(&listed.path));
            return Err((path, malformed(listed.line, reason)));
        };
        let at = |error| (file.clone(), error);
        // setuptools passes over what is not there, and warns.
        let found = view.read(&file).map_err(at)?;
        let bytes = found.map(|(bytes, _)| bytes).unwrap_or_default();
        manifest.take_in(&listed, text(&bytes, document::MAX_BYTES).map_err(at)?).map_err(at)?;
    }
    Ok(Some((manifest, input)))
}

/// What an entry became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A package.
    Package(u32),
    /// A root.
    Root(usize),
}

/// How strictly a manifest is held against the lockfile.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    /// Names whose versions are not held against it: an override replaces what is asked for, or they come from a place
    /// of their own.
    pub free: &'a HashSet<Box<str>>,
    /// Names whose places are not held against it either: an override replaces them.
    pub overridden: &'a HashSet<Box<str>>,
    /// Whether the lockfile must hold what a section asks for without a marker.
    pub must_hold: &'a dyn Fn(&Section) -> bool,
}

/// An inventory of a lockfile while it is made.
#[derive(Debug)]
pub(super) struct Locked {
    pub draft: Draft,
    pub parts: Vec<Part>,
    pub entries: Vec<Entry>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    input: u32,
    budget: u64,
}

impl Locked {
    /// Packages, roots and edges of a lockfile.
    ///
    /// # Errors
    /// [`Unread::TooLarge`] where comparing needs and entries passes its bound.
    pub fn new(lock: Lock, input: u32) -> Result<Self, Unread> {
        let mut draft = Draft::new();
        let mut parts = Vec::with_capacity(lock.entries.len());
        let mut by_name: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (at, entry) in lock.entries.iter().enumerate() {
            let mut package = entry.package.clone();
            package.span.input = input;
            by_name.entry(package.name.clone()).or_default().push(at as u32);
            parts.push(match &entry.member {
                Some(folder) => Part::Root(draft.root(&package.name, &package.version, folder, package.span)),
                None => Part::Package(draft.package(package)),
            });
        }
        for (name, message, line) in lock.disagreements {
            draft.disagree(&name, message, Span { input, line, end_line: line });
        }
        let mut found = Self { draft, parts, entries: lock.entries, by_name, input, budget: MAX_COMPARED };
        found.link(lock.is_closed)?;
        Ok(found)
    }

    /// Edges between packages.
    fn link(&mut self, is_closed: bool) -> Result<(), Unread> {
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get_mut(at) else { continue };
            let needs = std::mem::take(&mut entry.needs);
            for need in &needs {
                let (found, is_met) = self.meet(need)?;
                if is_closed && !is_met {
                    let version = need.version.as_deref().unwrap_or_default();
                    let message = match self.entries.get(at) {
                        Some(by) if version.is_empty() => {
                            format!("{} needs it, and the lockfile does not hold it", by.package.name)
                        }
                        Some(by) => format!("{} needs {version}, and the lockfile does not hold that", by.package.name),
                        None => continue,
                    };
                    self.draft.disagree(&need.name, message, self.span(need.line));
                }
                if let Some(Part::Package(from)) = self.parts.get(at) {
                    let to = found.iter().filter_map(|to| self.parts.get(*to as usize));
                    for to in to {
                        if let Part::Package(to) = to {
                            self.draft.edge(*from, *to);
                        }
                    }
                }
            }
            if let Some(entry) = self.entries.get_mut(at) {
                entry.needs = needs;
            }
        }
        Ok(())
    }

    fn span(&self, line: u32) -> Span {
        Span { input: self.input, line, end_line: line }
    }

    /// The entries that can meet a need, and whether one does as it says. Where none fits, all of the name do: an edge
    /// too many reaches further, and one too few would hide.
    pub fn meet(&mut self, need: &Need) -> Result<(Vec<u32>, bool), Unread> {
        let named = self.by_name.get(&need.name).map(Vec::as_slice).unwrap_or_default();
        self.budget = spend(self.budget, named.len() as u64)?;
        let entries = &self.entries;
        let fits = |at: &u32| {
            let Some(Entry { package, .. }) = entries.get(*at as usize) else { return false };
            need.version.as_ref().is_none_or(|version| *version == package.version)
                && need.source.as_ref().is_none_or(|source| is_same(source, &package.source))
                && (named.len() == 1 || need.wanted.as_ref().is_none_or(|wanted| wanted.allows(&package.version)))
        };
        let fitting: Vec<u32> = named.iter().copied().filter(fits).collect();
        let is_met = !fitting.is_empty();
        Ok((if is_met { fitting } else { named.to_vec() }, is_met))
    }

    /// The entries of that name.
    pub fn named(&mut self, name: &str) -> Result<Vec<u32>, Unread> {
        let named = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        self.budget = spend(self.budget, named.len() as u64)?;
        Ok(named.to_vec())
    }

    /// Compares what a manifest asks for with what is locked, and notes the scopes. `root` is the manifest's own.
    pub fn ask(&mut self, root: usize, manifest: &Manifest, input: u32, against: Against<'_>) -> Result<(), Unread> {
        if (against.must_hold)(&Section::Build) {
            self.beside(root, manifest, input)?;
        }
        if let Some(line) = manifest.dynamic.filter(|_| (against.must_hold)(&Section::Main)) {
            let message = "computes its dependencies, and the lockfile cannot be held against them";
            self.draft.disagree(&manifest.name, message, Span { input, line, end_line: line });
        }
        for asked in manifest.needs().filter(|asked| asked.section != Section::Build) {
            // An extra of the project's own is spelt out where it stands.
            if !manifest.name.is_empty() && asked.name == manifest.name && !asked.extras.is_empty() {
                continue;
            }
            let span = Span { input, line: asked.line, end_line: asked.line };
            let named = self.named(&asked.name)?;
            if named.is_empty() {
                if (against.must_hold)(&asked.section) {
                    let message = format!("asks for {}, which the lockfile does not hold", requirement(asked));
                    self.draft.disagree(&asked.name, message, span);
                }
                continue;
            }
            let is_free = against.free.contains(&asked.name);
            let is_overridden = against.overridden.contains(&asked.name);
            let fits = |at: &u32| {
                let entry = self.entries.get(*at as usize);
                entry.is_some_and(|entry| match is_overridden || entry.member.is_some() {
                    true => true,
                    false => is_at(asked, &entry.package.source, manifest) && fits(asked, entry, is_free),
                })
            };
            let fitting: Vec<u32> = named.iter().copied().filter(fits).collect();
            if fitting.is_empty() {
                let message =
                    format!("asks for {}, and the lockfile holds {}", requirement(asked), self.versions(&named));
                self.draft.disagree(&asked.name, message, span);
            }
            let meant = if fitting.is_empty() { named } else { fitting };
            for at in meant {
                if let Some(Part::Package(package)) = self.parts.get(at as usize) {
                    self.draft.need(root, *package, asked.scope, Some(span));
                }
            }
        }
        Ok(())
    }

    /// What a manifest asks for that no lockfile holds: what builds the project and what extends the tool; and where
    /// it takes packages from that the lockfile does not name.
    fn beside(&mut self, root: usize, manifest: &Manifest, input: u32) -> Result<(), Unread> {
        let span = |line| Span { input, line, end_line: line };
        for (name, message, line) in &manifest.remarks {
            self.draft.disagree(name, message.as_str(), span(*line));
        }
        let sources = unlocked::indexes(manifest).map_err(Unread::Unsupported)?;
        for asked in manifest.needs().filter(|asked| asked.section == Section::Build) {
            unlocked::add(asked, input, manifest, &sources, root, &mut self.draft);
        }
        let known: HashSet<&str> = self.entries.iter().map(|entry| bare(&entry.package.source.address)).collect();
        let is_new = |index: &&Index| !index.is_explicit && !known.contains(bare(&index.url));
        for index in manifest.indexes.iter().filter(is_new) {
            let message = format!("takes packages from {} as well", shown(&index.url));
            self.draft.disagree(if index.name.is_empty() { "index" } else { &index.name }, message, span(index.line));
        }
        Ok(())
    }

    fn versions(&self, entries: &[u32]) -> String {
        let one = |at: &u32| {
            let package = &self.entries.get(*at as usize)?.package;
            let place = match package.source.kind {
                SourceKind::Git => " from a repository",
                SourceKind::Path => " from a folder",
                SourceKind::Registry if package.identity == Identity::Foreign => " from an address of its own",
                _ => "",
            };
            let version = if package.version.is_empty() { "no version" } else { &package.version };
            Some(format!("{version}{place}"))
        };
        let mut versions: Vec<String> = entries.iter().take(5).filter_map(one).collect();
        versions.dedup();
        versions.join(", ")
    }

    /// Without a manifest, what no other package needs is what the project asks for. Scopes are runtime then.
    pub fn guess_direct(&mut self) -> Result<(), Unread> {
        let mut needed: HashSet<u32> = HashSet::new();
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get_mut(at) else { continue };
            let needs = std::mem::take(&mut entry.needs);
            let own = self.parts.get(at).copied();
            for need in &needs {
                let (found, _) = self.meet(need)?;
                for to in found {
                    let part = self.parts.get(to as usize).copied();
                    if let (Some(Part::Package(package)), true) = (part, part != own) {
                        needed.insert(package);
                    }
                }
            }
            if let Some(entry) = self.entries.get_mut(at) {
                entry.needs = needs;
            }
        }
        for part in &self.parts {
            let Part::Package(at) = part else { continue };
            if let Some(package) = self.draft.get_mut(*at).filter(|_| !needed.contains(at)) {
                package.direct = true;
                package.scopes = Scopes::of(Scope::Runtime);
            }
        }
        Ok(())
    }

    /// The inventory.
    pub fn finish(self, project: &Project, view: View<'_>) -> Inventory {
        self.draft.finish(project, view.into_inputs())
    }
}

/// Takes from a budget.
///
/// # Errors
/// [`Unread::TooLarge`] where it is spent.
pub(super) fn spend(budget: u64, cost: u64) -> Result<u64, Unread> {
    budget.checked_sub(cost).ok_or_else(|| Unread::TooLarge {
        what: "needs times locked packages of one name".to_owned(),
        size: MAX_COMPARED + 1,
        cap: MAX_COMPARED,
    })
}

/// Whether two sources are the same place. Only of a repository is the commit one: for a registry it tells hosts.
fn is_same(a: &Source, b: &Source) -> bool {
    a.kind == b.kind && a.address == b.address && (a.kind != SourceKind::Git || a.commit == b.commit)
}

/// Whether an entry can be what a manifest asks for. A requirement that cannot be read asks for nothing. What is asked
/// for by version alone must not come from a repository or an address of its own, unless something places it
/// (`is_placed`).
fn fits(asked: &Asked, entry: &Entry, is_placed: bool) -> bool {
    if is_placed || entry.member.is_some() {
        return true;
    }
    let package = &entry.package;
    let is_elsewhere = package.identity == Identity::Foreign && package.source.kind != SourceKind::Path;
    !is_elsewhere && (package.version.is_empty() || asked.satisfies(&package.version).unwrap_or(true))
}

/// An address of a registry without the slash that may end it.
fn bare(address: &str) -> &str {
    address.trim_end_matches('/')
}

/// Whether a locked source is the place that a manifest names for a package, where it names one.
fn is_at(asked: &Asked, source: &Source, manifest: &Manifest) -> bool {
    match &asked.place {
        Place::Registry => true,
        Place::Path(_) | Place::Workspace => source.kind == SourceKind::Path,
        Place::Index(name) => match manifest.index(name) {
            // A lockfile leaves the public registry's address out, and nothing here knows it.
            Some(index) if !source.address.is_empty() => bare(&index.url) == bare(&source.address),
            _ => true,
        },
        Place::Direct(direct) if direct.source.kind != source.kind => false,
        Place::Direct(direct) => match source.kind {
            SourceKind::Git => place_of(&direct.source.address) == place_of(&source.address),
            SourceKind::Registry if direct.source.address.starts_with("http") => {
                place_of(&direct.source.address) == place_of(&source.address)
            }
            _ => true,
        },
    }
}

/// Host and path of an address: tools spell the same repository in several ways (`git@host:path`, `….git`).
fn place_of(address: &str) -> String {
    let plain = address.split(['#', '?']).next().unwrap_or(address);
    let (rest, is_scp) = plain.split_once("://").map_or((plain, true), |(_, rest)| (rest, false));
    let (authority, path) = match rest.split_once(if is_scp { ':' } else { '/' }) {
        Some(parts) => parts,
        None => (rest, ""),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.trim_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path)).to_ascii_lowercase()
}

/// The names whose requirements and places a manifest overrides.
pub(super) fn overridden(manifest: &Manifest) -> HashSet<Box<str>> {
    let overrides = manifest.asked.iter().filter(|asked| asked.section == Section::Override);
    overrides.map(|asked| asked.name.clone()).collect()
}

/// The names that a manifest wants from a place of its own, or whose requirements it overrides.
pub(super) fn free(manifest: &Manifest) -> HashSet<Box<str>> {
    let is_free = |asked: &&Asked| {
        asked.section == Section::Override || !matches!(asked.place, Place::Registry | Place::Index(_))
    };
    // What builds a project is never locked, and so frees nothing.
    let all = manifest.asked.iter().filter(|asked| asked.section != Section::Build);
    all.filter(is_free).map(|asked| asked.name.clone()).collect()
}

/// The versions that a dependency of a manifest may have, for messages.
fn wanted(asked: &Asked) -> String {
    if asked.constraint.is_empty() { "any version".to_owned() } else { shown(&asked.constraint) }
}

/// A dependency of a manifest, for messages.
fn requirement(asked: &Asked) -> String {
    match &asked.place {
        Place::Direct(direct) => shown(&direct.source.to_string()),
        Place::Path(path) => format!("the folder {}", shown(path)),
        Place::Workspace => "a member of the workspace".to_owned(),
        Place::Index(name) => format!("{} from the index {}", wanted(asked), shown(name)),
        Place::Registry => wanted(asked),
    }
}

/// Builds the inventory of a lockfile whose one manifest stands beside it.
pub(super) fn build(
    project: &Project,
    lock: Lock,
    (path, input): (&RepoPath, u32),
    mut view: View<'_>,
    must_hold: &dyn Fn(&Section) -> bool,
) -> Result<Inventory, Failure> {
    let at = |error| (path.clone(), error);
    let mut locked = Locked::new(lock, input).map_err(at)?;
    match manifest_of(&project.path, &mut view)? {
        Some((manifest, number)) => {
            let span = Span { input: number, line: manifest.line, end_line: manifest.line };
            let root = locked.draft.root(&name_of(&manifest, project), &manifest.version, &project.path, span);
            let free = free(&manifest);
            let against = Against { free: &free, overridden: &overridden(&manifest), must_hold };
            locked.ask(root, &manifest, number, against).map_err(at)?;
        }
        None => locked.guess_direct().map_err(at)?,
    }
    Ok(locked.finish(project, view))
}

/// The name of a project's root; the folder where the manifest names none.
pub(super) fn name_of(manifest: &Manifest, project: &Project) -> String {
    if manifest.name.is_empty() { project.path.to_string() } else { manifest.name.to_string() }
}

/// The cap of a lockfile.
pub(super) const CAP: u64 = FILE_CAP;

/// The folders whose `pyproject.toml` one of these lockfiles speaks for.
#[must_use]
pub fn spoken_for(files: &dyn Files) -> HashSet<RepoPath> {
    let mut found: HashSet<RepoPath> = super::poetry_lock::spoken_for(files).into_iter().collect();
    found.extend(super::pdm::spoken_for(files));
    found.extend(super::uv::spoken_for(files));
    found.extend(super::pylock::spoken_for(files));
    found
}
