//! `bun.lock`: JSON with comments and commas before closing brackets. `bun.lockb` is binary, and refused.
//!
//! The key of a package is its place in the tree of installed packages, name by name: `a/b` is the `b` that `a` finds
//! before any other. A value is `["name@reference", …, {dependencies}, "integrity"]`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::manifest::{self, Dependency, Section};
use super::members::{self, Member, Members, addressed, complaint, count, lockfile, name_direct, shown, workspace};
use super::source::{Spec, git, name_and_range, resolved};
use super::workspace::{MANIFEST, locked};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::{self, Document, Table, Value};
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

#[cfg(test)]
mod tests;

/// The name of a lockfile, and of one in the older, binary form.
const LOCKFILE: &str = "bun.lock";
const BINARY: &str = "bun.lockb";

/// Names in the key of a package, at the most.
const MAX_DEPTH: usize = 128;

/// Bytes of keys that are compared to find what answers dependencies, at the most.
const MAX_COMPARED: usize = 1 << 30;

/// Projects that bun locked.
#[derive(Debug, Clone, Copy)]
pub struct Bun;

impl Format for Bun {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(LOCKFILE, "0 and 1"), FileKind::lockfile(BINARY, "refused: it is binary")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, BINARY, MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(locked(files, &[LOCKFILE, BINARY]))
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let ((bytes, input), path) = lockfile(project, &mut view)?;
        if path.file_name() == BINARY {
            let reason = "a binary lockfile; `bun install --save-text-lockfile` writes it as text";
            return Err((path, Unread::Unsupported(reason.to_owned())));
        }
        let failed = |error| (path.clone(), error);
        if bytes.len() as u64 > FILE_CAP {
            let what = "the file, in bytes,".to_owned();
            return Err(failed(Unread::TooLarge { what, size: bytes.len() as u64, cap: FILE_CAP }));
        }
        let strict = strict(&bytes);
        let document = json::read(&strict, FILE_CAP).map_err(failed)?;
        let lock = Lock::of(&document, input).map_err(failed)?;
        let mut members = workspace(project, &mut view)?;
        let known: HashSet<RepoPath> = members.0.iter().map(|member| member.folder.clone()).collect();
        for held in lock.members.iter().filter_map(|held| project.path.join(held.path)) {
            if !known.contains(&held) {
                members.0.extend(members::member(&held, &mut view)?);
            }
        }
        let draft = Reader::new(&lock, project, &members).build(&members).map_err(failed)?;
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Blanks comments, and commas before closing brackets. What is left has its place unchanged.
fn strict(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut blank = |at: usize| {
        if let Some(byte) = out.get_mut(at).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    };
    let (mut at, mut comma) = (0, None);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match (byte, next) {
            (b'"', _) => {
                comma = None;
                at += 1;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
            }
            (b'/', Some(b'/')) => {
                while bytes.get(at).is_some_and(|byte| *byte != b'\n') {
                    blank(at);
                    at += 1;
                }
                continue;
            }
            (b'/', Some(b'*')) => {
                let rest = bytes.get(at + 2..).unwrap_or_default();
                // A comment without an end is left, for the reader to complain of.
                let Some(length) = rest.windows(2).position(|pair| pair == b"*/") else { break };
                (at..at + length + 4).for_each(&mut blank);
                at += length + 4;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b'}' | b']', _) => {
                if let Some(at) = comma.take() {
                    blank(at);
                }
            }
            (byte, _) if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        at += 1;
    }
    out
}

/// A member of the workspace as the lockfile has it.
struct Held<'d> {
    path: &'d str,
    name: &'d str,
    asked: Vec<Dependency>,
    line: u32,
}

/// A package of the lockfile.
struct Entry<'d> {
    key: &'d str,
    name: &'d str,
    reference: &'d str,
    items: &'d [Value<'d>],
    asked: Vec<Dependency>,
    line: u32,
}

impl<'d> Entry<'d> {
    fn info(&self) -> Option<&'d Table<'d>> {
        self.items.iter().find_map(Value::table)
    }

    /// Whether it is a version of the registry.
    fn is_version(&self) -> bool {
        super::version::Version::parse(self.reference).is_some_and(|version| version.is_full())
    }

    /// Whether it is a git repository: what follows its dependencies is the folder that it is unpacked to.
    fn is_git(&self) -> bool {
        git(self.reference).is_some()
    }

    /// The text that bun compares the archive with, by its place: `[name@version, registry, {…}, integrity]`,
    /// `[name@repository, {…}, folder, integrity]`, `[name@archive, {…}, integrity]`.
    fn integrity(&self) -> Option<&'d str> {
        let at = if self.is_version() || self.is_git() { 3 } else { 2 };
        self.items.get(at).and_then(Value::text)
    }

    /// Whether every item is of the kind that its place is for, and there is none that bun would not look at.
    fn is_whole(&self) -> bool {
        let kinds: &[bool] = match () {
            () if self.is_version() => &[true, true, false, true],
            () if self.is_git() => &[true, false, true, true],
            () => &[true, false, true],
        };
        let fits = |(item, is_text): (&Value<'_>, &bool)| {
            if *is_text { item.text().is_some() } else { item.table().is_some() }
        };
        self.items.len() <= kinds.len() && self.items.iter().zip(kinds).all(fits)
    }

    /// Whether it is a member of the workspace, or its root.
    fn is_own(&self) -> bool {
        self.reference.starts_with("workspace:") || self.reference.starts_with("root:")
    }
}

struct Lock<'d> {
    root: &'d Table<'d>,
    document: &'d Document<'d>,
    input: u32,
    members: Vec<Held<'d>>,
    entries: Vec<Entry<'d>>,
    /// What catalogs ask for, by their names and those of packages. The default one has an empty name.
    catalogs: HashMap<(&'d str, &'d str), &'d str>,
}

impl<'d> Lock<'d> {
    fn of(document: &'d Document<'d>, input: u32) -> Result<Self, Unread> {
        let root = document.table()?;
        match root.get("lockfileVersion").map(Value::whole) {
            Some(Some(0 | 1)) => {}
            Some(Some(other)) => {
                return Err(Unread::Unsupported(format!("lockfileVersion {other} of bun; 0 and 1 are read")));
            }
            _ => return Err(malformed(1, "no `lockfileVersion`: no lockfile of bun")),
        }
        let named = root.table("catalogs").into_iter().flat_map(Table::members);
        let named = named.filter_map(|each| Some((&*each.key, each.value.table()?)));
        let all = root.table("catalog").map(|catalog| ("", catalog)).into_iter().chain(named);
        let catalogs = all.flat_map(|(catalog, said)| {
            said.members().filter_map(move |each| Some(((catalog, &*each.key), each.value.text()?)))
        });
        let catalogs = catalogs.collect();
        let mut lock = Self { root, document, input, members: Vec::new(), entries: Vec::new(), catalogs };
        let mut parts = 0;
        for member in section(root, "workspaces", document)? {
            let line = document.line(member);
            let table = member.value.table().ok_or_else(|| malformed(line, "a member that is no object"))?;
            let asked = manifest::dependencies(table, document)?;
            count(&mut parts, 1 + asked.len())?;
            lock.members.push(Held { path: &member.key, name: table.text("name").unwrap_or_default(), asked, line });
        }
        for member in section(root, "packages", document)? {
            let line = document.line(member);
            let items = member.value.list().unwrap_or_default();
            let (name, reference) = items.first().and_then(Value::text).map(name_and_range).unwrap_or_default();
            if name.is_empty() || reference.is_empty() {
                return Err(malformed(line, "a package that is no list with `name@version` first"));
            }
            let depth = member.key.bytes().filter(|byte| *byte == b'/').count();
            if depth >= MAX_DEPTH {
                return Err(malformed(line, format!("a package deeper than {MAX_DEPTH} names")));
            }
            let mut entry = Entry { key: &member.key, name, reference, items, asked: Vec::new(), line };
            if !entry.is_own() && !entry.is_whole() {
                return Err(malformed(line, "a package with items that have no place in it"));
            }
            if let Some(info) = entry.info() {
                entry.asked = manifest::dependencies(info, document)?;
            }
            count(&mut parts, 1 + entry.asked.len())?;
            lock.entries.push(entry);
        }
        Ok(lock)
    }

    /// Pairs of texts of an object.
    fn pairs(&self, key: &str) -> impl Iterator<Item = (&'d str, &'d str, u32)> {
        let members = self.root.table(key).into_iter().flat_map(Table::members);
        members.filter_map(|each| Some((&*each.key, each.value.text()?, self.document.line(each))))
    }
}

fn section<'d>(
    root: &'d Table<'d>,
    key: &str,
    document: &Document<'_>,
) -> Result<std::slice::Iter<'d, json::Member<'d>>, Unread> {
    match root.member(key) {
        None => Ok([].iter()),
        Some(member) => match member.value.table() {
            Some(table) => Ok(table.members()),
            None => Err(malformed(document.line(member), format!("`{key}` is no object"))),
        },
    }
}

struct Reader<'l, 'd> {
    lock: &'l Lock<'d>,
    base: &'l RepoPath,
    draft: Draft,
    by_key: HashMap<&'d str, usize>,
    /// The package of each entry; none for members.
    places: Vec<Option<u32>>,
    /// Entries that are members: their names, and their folders.
    folders: HashMap<usize, (String, RepoPath)>,
    /// Names that the lockfile says overrides are for.
    forced: HashSet<&'d str>,
    /// Names that the root's manifest has overrides for.
    declared: HashSet<String>,
    compared: usize,
}

impl<'l, 'd> Reader<'l, 'd> {
    fn new(lock: &'l Lock<'d>, project: &'l Project, members: &Members) -> Self {
        let overrides = members.0.first().into_iter().flat_map(|root| &root.manifest.overrides);
        Self {
            lock,
            base: &project.path,
            draft: Draft::new(),
            by_key: lock.entries.iter().enumerate().map(|(at, entry)| (entry.key, at)).collect(),
            places: Vec::new(),
            folders: folders(lock, &project.path, members),
            forced: lock.pairs("overrides").map(|(name, ..)| name).collect(),
            declared: overrides.map(|each| each.name.to_string()).collect(),
            compared: 0,
        }
    }

    fn build(mut self, members: &Members) -> Result<Draft, Unread> {
        let lock = self.lock;
        let patched: HashSet<&str> = lock.pairs("patchedDependencies").map(|(name, ..)| name).collect();
        let trusted = lock.root.list("trustedDependencies").iter().filter_map(Value::text);
        let trusted: HashSet<&str> = trusted.collect();
        for entry in &lock.entries {
            let place = if entry.is_own() {
                None
            } else {
                let mut package = self.package(entry);
                if patched.contains(&*package.label()) || patched.contains(entry.name) {
                    package.identity = Identity::StandsIn;
                }
                package.runs_on_install = trusted.contains(entry.name);
                Some(self.draft.package(package))
            };
            self.places.push(place);
        }
        let folders: HashSet<&str> = lock.members.iter().map(|held| held.path).collect();
        for entry in &lock.entries {
            let folder = entry.reference.strip_prefix("workspace:");
            if folder.is_some_and(|folder| !folders.contains(folder)) {
                let message = "is a member of the workspace in one part of the lockfile alone";
                self.draft.disagree(entry.name, message, members::at(lock.input, entry.line));
            }
        }
        for (name, _, line) in lock.pairs("overrides") {
            if !self.declared.contains(name) {
                self.draft.disagree(name, "is overridden by the lockfile alone", members::at(lock.input, line));
            }
        }
        let mut needed = HashSet::new();
        for (at, entry) in lock.entries.iter().enumerate() {
            let Some(from) = self.places.get(at).copied().flatten() else { continue };
            for asked in &entry.asked {
                let span = members::at(lock.input, asked.line);
                let is_free = asked.is_optional || asked.section == Section::Peer;
                // What a package is developed with is not installed.
                if asked.section == Section::Development {
                    continue;
                }
                match self.find(entry.key, &asked.name)? {
                    Some(found) => {
                        self.check(asked, found, span);
                        let place = self.places.get(found).copied().flatten();
                        if let Some(to) = place.or_else(|| self.replaced(asked, found, false)) {
                            self.draft.edge(from, to);
                            needed.insert(to);
                        }
                    }
                    None if is_free => {}
                    None => {
                        let message = format!("{} {}", shown(entry.key), complaint(&asked.spec, std::iter::empty()));
                        self.draft.disagree(&asked.name, message, span);
                    }
                }
            }
        }
        if let Some(root) = members.0.first() {
            members::tool(&root.manifest, root.input, &mut self.draft);
        }
        self.members(members)?;
        if members.0.is_empty() && lock.members.is_empty() {
            members::without_manifest(&mut self.draft, &needed);
        }
        Ok(self.draft)
    }

    fn package(&mut self, entry: &Entry<'_>) -> Package {
        let span = members::at(self.lock.input, entry.line);
        let mut package = Package::new(Ecosystem::Npm, entry.name, entry.reference, span);
        let path = ["link:", "file:"].iter().find_map(|scheme| entry.reference.strip_prefix(scheme));
        if let Some(path) = path {
            package.source = Source::path(path);
            package.identity = Identity::Foreign;
        } else if entry.is_version() {
            let address = entry.items.get(1).and_then(Value::text).filter(|address| !address.is_empty());
            if let Some(address) = address {
                let found = resolved(address, entry.name, entry.reference);
                package.source = found.source;
                package.contradiction = found.contradiction;
                package.checksum = found.checksum;
                // It is asked for as a package of a registry.
                package.identity =
                    if found.identity == Identity::Foreign { Identity::StandsIn } else { found.identity };
            }
        } else {
            let found = addressed(entry.reference, entry.name, entry.reference);
            package.source = found.source;
            package.checksum = found.checksum;
            package.identity = Identity::Foreign;
        }
        let own = entry.key.rsplit('/').next().unwrap_or(entry.key);
        let is_forced = self.forced.contains(entry.name) || self.forced.contains(own);
        if package.identity == Identity::Foreign && is_forced {
            package.identity = Identity::StandsIn;
        }
        match members::digest(entry.integrity()) {
            (Some(digest), _) => package.checksum = Some(digest),
            (None, Some(wrong)) => {
                package.checksum = None;
                self.draft.disagree(entry.name, wrong, span);
            }
            (None, None) => {}
        }
        package.is_bundled = entry.info().is_some_and(|info| info.is("bundled"));
        package
    }

    /// The entry that a package at a place of the tree finds under a name.
    fn find(&mut self, from: &str, name: &str) -> Result<Option<usize>, Unread> {
        let mut at = from;
        loop {
            let key = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            self.compared = self.compared.saturating_add(key.len());
            if self.compared > MAX_COMPARED {
                let what = "bytes of keys compared".to_owned();
                return Err(Unread::TooLarge { what, size: self.compared as u64, cap: MAX_COMPARED as u64 });
            }
            if let Some(found) = self.by_key.get(&*key) {
                return Ok(Some(*found));
            }
            if at.is_empty() {
                return Ok(None);
            }
            at = above(at);
        }
    }

    /// A package of the registry in whose place a folder of the repository is. Members may ask for each other by their
    /// own names.
    fn replaced(&mut self, asked: &Dependency, found: usize, is_member: bool) -> Option<u32> {
        let spec = self.said(asked);
        let wanted = match &spec {
            Spec::Alias(real, _) => real,
            _ => &*asked.name,
        };
        let (own, folder) = self.folders.get(&found)?;
        if !spec.is_registry() || (is_member && own == wanted) {
            return None;
        }
        let line = self.lock.entries.get(found).map_or(0, |entry| entry.line);
        let package = members::standing_in(&asked.name, None, folder, members::at(self.lock.input, line));
        Some(self.draft.package(package))
    }

    /// What is asked for; what the catalog says where one is named.
    fn said<'a>(&self, asked: &'a Dependency) -> Spec<'a>
    where
        'd: 'a,
    {
        let spec = Spec::of(&asked.spec);
        let Spec::Catalog(catalog) = spec else { return spec };
        let catalog = if catalog == "default" { "" } else { catalog };
        self.lock.catalogs.get(&(catalog, &*asked.name)).map_or(spec, |said| Spec::of(said))
    }

    /// Compares what is asked for with what the lockfile gives for it.
    fn check(&mut self, asked: &Dependency, found: usize, span: Span) {
        let Some(entry) = self.lock.entries.get(found).filter(|entry| !entry.is_own()) else { return };
        let place = self.places.get(found).copied().flatten();
        let Some(package) = place.and_then(|at| self.draft.packages().get(at as usize)) else { return };
        let is_forced = self.forced.contains(&*asked.name);
        // A peer may be what it is: the tool warns, and goes on.
        if is_forced || asked.section == Section::Peer {
            return;
        }
        let spec = self.said(asked);
        let real = match &spec {
            Spec::Alias(real, _) => real,
            _ => &*asked.name,
        };
        let is_registry = matches!(package.source.kind, SourceKind::Public | SourceKind::Registry);
        let is_other = spec.is_registry() && (real != entry.name || !is_registry);
        if is_other || spec.admits(entry.reference) == Some(false) {
            let label = if is_other { package.label() } else { entry.reference.to_owned() };
            self.draft.disagree(&asked.name, complaint(&asked.spec, std::iter::once(&*label)), span);
        }
    }

    fn members(&mut self, members: &Members) -> Result<(), Unread> {
        let lock = self.lock;
        let mut left: BTreeMap<&RepoPath, &Member> = members.0.iter().map(|member| (&member.folder, member)).collect();
        for held in &lock.members {
            let folder = self.base.join(held.path);
            let member = folder.as_ref().and_then(|folder| left.remove(folder));
            if folder.is_none() {
                let message = "is a member outside of the repository";
                self.draft.disagree(held.path, message, members::at(lock.input, held.line));
            }
            let folder = folder.unwrap_or_else(|| self.base.clone());
            self.member(&folder, member, Some(held))?;
        }
        for (folder, member) in left {
            let message = "is a member of the workspace, which the lockfile does not hold";
            self.draft.disagree(folder.as_str(), message, members::at(member.input, 1));
            self.member(folder, Some(member), None)?;
        }
        Ok(())
    }

    fn member(&mut self, folder: &RepoPath, member: Option<&Member>, held: Option<&Held<'_>>) -> Result<(), Unread> {
        let lock = self.lock;
        let held_name = held.map_or("", |held| held.name);
        let (name, version) = member.map_or((held_name, ""), |m| (&*m.manifest.name, &*m.manifest.version));
        let span = match (held, member) {
            (Some(held), _) => members::at(lock.input, held.line),
            (None, member) => members::at(member.map_or(0, |member| member.input), 1),
        };
        let root = self.draft.root(name, version, folder, span);
        let place = if *folder == *self.base { "" } else { held_name };
        let own = member.map(|member| &*member.manifest.dependencies).unwrap_or_default();
        let locked = held.map(|held| &*held.asked).unwrap_or_default();
        let keyed = |asked: &[Dependency]| -> HashMap<(Box<str>, Section), Box<str>> {
            asked.iter().map(|each| ((each.name.clone(), each.section), each.spec.clone())).collect()
        };
        let (in_manifest, in_lock) = (keyed(own), keyed(locked));
        for asked in own {
            let span = members::at(member.map_or(0, |member| member.input), asked.line);
            let found = self.find(place, &asked.name)?;
            let is_free = asked.is_optional || asked.section == Section::Peer;
            let is_held = match in_lock.get(&(asked.name.clone(), asked.section)) {
                Some(held) if *held == asked.spec => true,
                Some(held) => {
                    self.draft.disagree(&asked.name, members::made_for(&asked.spec, held), span);
                    false
                }
                None => {
                    self.draft.disagree(&asked.name, complaint(&asked.spec, std::iter::empty()), span);
                    false
                }
            };
            match found {
                Some(found) => {
                    if is_held {
                        self.check(asked, found, span);
                    }
                    self.need(root, found, asked.section.scope(), Some(span), asked);
                }
                None if is_free => {}
                None => self.draft.disagree(&asked.name, complaint(&asked.spec, std::iter::empty()), span),
            }
        }
        for asked in locked.iter().filter(|asked| !in_manifest.contains_key(&(asked.name.clone(), asked.section))) {
            let span = members::at(lock.input, asked.line);
            if member.is_some() {
                let message = "is locked for a member whose manifest does not ask for it";
                self.draft.disagree(&asked.name, message, span);
            }
            if let Some(found) = self.find(place, &asked.name)? {
                self.check(asked, found, span);
                self.need(root, found, Scope::Runtime, None, asked);
            }
        }
        Ok(())
    }

    fn need(&mut self, root: usize, found: usize, scope: Scope, declared: Option<Span>, asked: &Dependency) {
        let place = self.places.get(found).copied().flatten();
        if let Some(package) = place.or_else(|| self.replaced(asked, found, true)) {
            self.draft.need(root, package, scope, declared);
            name_direct(&mut self.draft, package, &asked.name);
        }
    }
}

/// The members that entries lead to: the names that their manifests say, or the lockfile's word where there is none.
fn folders(lock: &Lock<'_>, base: &RepoPath, members: &Members) -> HashMap<usize, (String, RepoPath)> {
    let said = lock.members.iter().filter_map(|held| Some((base.join(held.path)?, held.name)));
    let mut names: HashMap<RepoPath, &str> = said.collect();
    names.extend(members.0.iter().map(|member| (member.folder.clone(), &*member.manifest.name)));
    let folder = |entry: &Entry<'_>| base.join(entry.reference.strip_prefix("workspace:").unwrap_or_default());
    let own = lock.entries.iter().enumerate().filter(|(_, entry)| entry.is_own());
    own.filter_map(|(at, entry)| {
        let folder = folder(entry)?;
        let name = names.get(&folder).copied().unwrap_or_default().to_owned();
        Some((at, (name, folder)))
    })
    .collect()
}

/// The place of the package that a place is below; empty where there is none.
fn above(place: &str) -> &str {
    let Some((above, _)) = place.rsplit_once('/') else { return "" };
    match above.rsplit_once('/') {
        Some((higher, scope)) if scope.starts_with('@') => higher,
        None if above.starts_with('@') => "",
        _ => above,
    }
}
