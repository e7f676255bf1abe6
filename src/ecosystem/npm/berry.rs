//! `yarn.lock` of yarn 2 and later: a YAML mapping from descriptors (`name@npm:^1.0.0, name@npm:^1.1.0`) to entries,
//! each with the locator that answers them (`resolution: "name@npm:1.2.0"`).
//!
//! What is fetched is what the locator says. The members of the workspace have entries as well, `name@workspace:folder`,
//! with their dependencies of all sections in one list: the sections are those of the manifests.
//!
//! A checksum is the SHA-512 of the archive in yarn's cache, not of what the registry serves; the key of the cache's
//! form may stand before it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::manifest::Section;
use super::members::{
    self, Failure, Forced, MAX_AMBIGUOUS, Member, Members, addressed, complaint, count, last_line, lockfile,
    name_direct, shown, workspace,
};
use super::source::{Spec, decode, name_and_range, resolved};
use super::workspace::{MANIFEST, locked};
use super::yarn::LOCKFILE;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::yaml::{self, Node};
use crate::ecosystem::syntax::{malformed, toml};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

#[cfg(test)]
mod tests;

/// The key that tells the lockfiles of yarn 2 and later, and holds their version.
const METADATA: &str = "__metadata";

/// How far into a file that key is looked for, in bytes. Yarn writes it on the fourth line.
const PREFIX: usize = 64 << 10;

/// Yarn's configuration, which holds the catalogs.
const CONFIG: &str = ".yarnrc.yml";

/// Projects that yarn 2 or later locked.
#[derive(Debug, Clone, Copy)]
pub struct Berry;

impl Format for Berry {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(LOCKFILE, "yarn 2 and later: `__metadata` versions 4 to 10")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let mut found = locked(files, &[LOCKFILE]);
        found.retain(|project| is_later(project, files));
        Ok(found)
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let ((bytes, input), path) = lockfile(project, &mut view)?;
        let root = yaml::read(&bytes, FILE_CAP).map_err(|error| (path.clone(), error))?;
        let entries = entries(&root).map_err(|error| (path, error))?;
        let mut members = workspace(project, &mut view)?;
        let is_declared: HashSet<RepoPath> = members.0.iter().map(|member| member.folder.clone()).collect();
        // The lockfile may hold members whose globs are not understood.
        let held = entries.iter().filter_map(|entry| entry.folder(&project.path));
        for folder in held.collect::<HashSet<RepoPath>>() {
            if !is_declared.contains(&folder) {
                members.0.extend(members::member(&folder, &mut view)?);
            }
        }
        let catalogs = catalogs(project, &members, &mut view)?;
        let draft = Reader::new(&entries, input, project, &members, catalogs).build(&members);
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Whether a `yarn.lock` is one of a yarn later than 1.
pub(super) fn is_later(project: &Project, files: &dyn Files) -> bool {
    let Some(Ok(Some((bytes, _)))) = project.lockfile.as_ref().map(|path| files.read(path)) else { return false };
    let prefix = bytes.get(..PREFIX).unwrap_or(&bytes);
    prefix.split(|byte| *byte == b'\n').any(|line| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let line = line.strip_prefix(b"\"").or_else(|| line.strip_prefix(b"'")).unwrap_or(line);
        line.starts_with(METADATA.as_bytes())
    })
}

/// An entry of the lockfile.
struct Entry<'n> {
    descriptors: Vec<&'n str>,
    line: u32,
    end_line: u32,
    version: &'n str,
    resolution: &'n str,
    checksum: Option<&'n str>,
    needs: Vec<(&'n str, &'n str)>,
}

impl<'n> Entry<'n> {
    /// The name and the reference of its locator, and the bindings behind `::`.
    fn locator(&self) -> (&'n str, &'n str, &'n str) {
        let (name, reference) = name_and_range(self.resolution);
        let (reference, bindings) = reference.split_once("::").unwrap_or((reference, ""));
        (name, reference, bindings)
    }

    /// The folder of a member of the workspace; `None` where it is none, or not within the repository.
    fn folder(&self, base: &RepoPath) -> Option<RepoPath> {
        base.join(self.locator().1.strip_prefix("workspace:")?)
    }
}

fn entries<'n>(root: &'n Node<'_>) -> Result<Vec<Entry<'n>>, Unread> {
    let metadata = root.member(METADATA).ok_or_else(|| malformed(1, "no `__metadata`: no lockfile of yarn"))?;
    let version = metadata.node.text_of("version").unwrap_or_default();
    if !version.parse::<u32>().is_ok_and(|version| (4..=10).contains(&version)) {
        let shown = shown(version);
        return Err(Unread::Unsupported(format!("version `{shown}` of yarn's lockfile; 4 to 10 are read")));
    }
    let mut found = Vec::with_capacity(root.members().len());
    let mut parts = 0;
    let mut seen: HashSet<&str> = HashSet::new();
    for member in root.members().iter().filter(|member| member.key != METADATA) {
        let line = member.line;
        let text = |key: &str| {
            let absent = || malformed(line, format!("an entry without a `{key}`"));
            member.node.text_of(key).ok_or_else(absent)
        };
        // A file that yarn 1 could read as well, and find other packages in.
        if let Some(other) = ["resolved", "integrity"].iter().find_map(|key| member.node.member(key)) {
            return Err(malformed(other.line, format!("`{}`, a field of yarn 1", other.key)));
        }
        let descriptors: Vec<&str> = member.key.split(',').map(str::trim).collect();
        if let Some(twice) = descriptors.iter().find(|descriptor| !seen.insert(descriptor)) {
            return Err(malformed(line, format!("the entry `{}` stands twice", shown(twice))));
        }
        let needs = member.node.get("dependencies").map(Node::members).unwrap_or_default();
        let need = |need: &'n yaml::Member<'_>| {
            let range = need.node.text().ok_or_else(|| malformed(need.line, "a dependency without a range"))?;
            Ok((&*need.key, range))
        };
        count(&mut parts, descriptors.len() + needs.len())?;
        found.push(Entry {
            descriptors,
            line,
            end_line: last_line(&member.node).max(line),
            version: text("version")?,
            resolution: text("resolution")?,
            checksum: member.node.text_of("checksum"),
            needs: needs.iter().map(need).collect::<Result<_, Unread>>()?,
        });
    }
    Ok(found)
}

/// Catalogs by name; the default one is called `default`.
type Catalogs = BTreeMap<String, BTreeMap<String, String>>;

/// The catalogs of yarn's configuration, where a manifest asks for one.
fn catalogs(project: &Project, members: &Members, view: &mut View<'_>) -> Result<Catalogs, Failure> {
    let mut asked = members.0.iter().flat_map(|member| &member.manifest.dependencies);
    if !asked.any(|asked| asked.spec.starts_with("catalog:")) {
        return Ok(Catalogs::new());
    }
    let Some(path) = project.path.join(CONFIG) else { return Ok(Catalogs::new()) };
    let Some((bytes, _)) = view.read(&path).map_err(|error| (path.clone(), error))? else {
        return Ok(Catalogs::new());
    };
    let root = yaml::read(&bytes, toml::MAX_BYTES).map_err(|error| (path, error))?;
    Ok(members::catalogs(&root))
}

/// What answers a dependency.
enum Answer {
    /// Entries of the lockfile. More than one where it cannot be told which.
    Entries(Vec<usize>),
    /// Nothing: entries of the name that are there.
    Nothing(Vec<usize>),
}

struct Reader<'e, 'n, 'm> {
    entries: &'e [Entry<'n>],
    input: u32,
    base: &'e RepoPath,
    draft: Draft,
    /// Descriptors, and what is before their bindings, → entries.
    by_descriptor: HashMap<&'n str, Vec<usize>>,
    /// Names → entries.
    by_name: HashMap<&'n str, Vec<usize>>,
    forced: HashMap<&'m str, Vec<Forced<'m>>>,
    catalogs: Catalogs,
    /// The package of each entry; none for members.
    places: Vec<Option<u32>>,
}

impl<'e, 'n, 'm> Reader<'e, 'n, 'm> {
    fn new(
        entries: &'e [Entry<'n>],
        input: u32,
        project: &'e Project,
        members: &'m Members,
        catalogs: Catalogs,
    ) -> Self {
        let mut by_descriptor: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            for descriptor in &entry.descriptors {
                by_descriptor.entry(descriptor).or_default().push(at);
                if let Some((bare, _)) = descriptor.split_once("::") {
                    by_descriptor.entry(bare).or_default().push(at);
                }
                let named = by_name.entry(name_and_range(descriptor).0).or_default();
                if named.last() != Some(&at) {
                    named.push(at);
                }
            }
        }
        let (base, forced) = (&project.path, members.forced());
        Self { entries, input, base, draft: Draft::new(), by_descriptor, by_name, forced, catalogs, places: Vec::new() }
    }

    fn build(mut self, members: &'m Members) -> Draft {
        self.fill();
        if let Some(root) = members.0.first() {
            members::tool(&root.manifest, root.input, &mut self.draft);
        }
        let folders: HashMap<&RepoPath, &Member> = members.0.iter().map(|member| (&member.folder, member)).collect();
        let mut needed = HashSet::new();
        let mut held: HashSet<&RepoPath> = HashSet::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let own = self.places.get(at).copied().flatten();
            if own.is_none()
                && let Some(folder) = entry.folder(self.base)
            {
                match folders.get(&folder) {
                    Some(member) if held.insert(&member.folder) => self.member(member, Some(entry)),
                    Some(_) => {
                        let message = "is a member whose folder another entry has";
                        self.draft.disagree(entry.locator().0, message, self.span(entry));
                    }
                    None => self.absent(entry, &folder),
                }
                continue;
            }
            let parent = entry.locator().0;
            for (name, range) in &entry.needs {
                let found = match self.answer(parent, name, range) {
                    Answer::Entries(found) => found,
                    Answer::Nothing(found) => {
                        let message = format!("{} {}", shown(parent), self.complain(range, &found));
                        self.draft.disagree(name, message, self.span(entry));
                        found
                    }
                };
                for to in self.packages(&found) {
                    if let Some(from) = own {
                        self.draft.edge(from, to);
                    }
                    needed.insert(to);
                }
            }
        }
        for member in members.0.iter().filter(|member| !held.contains(&member.folder)) {
            let message = "is a member of the workspace, which the lockfile does not hold";
            let name = if member.manifest.name.is_empty() { member.folder.as_str() } else { &member.manifest.name };
            self.draft.disagree(name, message, members::at(member.input, 1));
            self.member(member, None);
        }
        if members.0.is_empty() && !self.places.iter().any(Option::is_none) {
            members::without_manifest(&mut self.draft, &needed);
        }
        self.draft
    }

    const fn span(&self, entry: &Entry<'_>) -> Span {
        Span { input: self.input, line: entry.line, end_line: entry.end_line }
    }

    fn packages(&self, entries: &[usize]) -> Vec<u32> {
        entries.iter().filter_map(|at| self.places.get(*at).copied().flatten()).collect()
    }

    /// Makes the packages of all entries. Yarn's own patches are no packages: what they are put on fixes the bytes.
    fn fill(&mut self) {
        let mut places = vec![None; self.entries.len()];
        let mut by_locator: HashMap<&str, u32> = HashMap::new();
        let mut patches = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            self.check(entry);
            let (name, reference, _) = entry.locator();
            if reference.starts_with("patch:") {
                patches.push(at);
                continue;
            }
            if entry.folder(self.base).is_some() {
                continue;
            }
            let package = self.package(entry, name, reference);
            let package = self.draft.package(package);
            by_locator.insert(entry.resolution.split("::").next().unwrap_or(entry.resolution), package);
            if let Some(place) = places.get_mut(at) {
                *place = Some(package);
            }
        }
        for at in patches {
            let Some(entry) = self.entries.get(at) else { continue };
            let (name, reference, _) = entry.locator();
            let Spec::Patch(inner, patch) = Spec::of(reference) else { continue };
            let inner = decode(inner);
            let under = by_locator.get(inner.split("::").next().unwrap_or(&inner)).copied();
            let is_same = under.and_then(|at| self.draft.packages().get(at as usize)).is_some_and(|under| {
                *under.name == *name && *under.version == *entry.version && under.contradiction.is_none()
            });
            let place = match under {
                Some(under) if is_same && is_builtin(patch) => under,
                _ => {
                    let package = self.package(entry, name_and_range(&inner).0, reference);
                    let package = Package {
                        source: Source::path(patch.rsplit_once('!').map_or(patch, |(_, file)| file)),
                        identity: Identity::StandsIn,
                        ..package
                    };
                    let package = self.draft.package(package);
                    if let Some(under) = under {
                        self.draft.edge(package, under);
                    }
                    package
                }
            };
            if let Some(slot) = places.get_mut(at) {
                *slot = Some(place);
            }
        }
        self.places = places;
    }

    /// Compares what an entry's descriptors ask for with the version that it holds.
    fn check(&mut self, entry: &Entry<'_>) {
        for (at, descriptor) in entry.descriptors.iter().enumerate() {
            let (name, range) = name_and_range(descriptor);
            let spec = Spec::of(range);
            let reference = entry.locator().1;
            let is_elsewhere = spec.is_registry() && range.starts_with("npm:") && !reference.starts_with("npm:");
            let real = match &spec {
                Spec::Alias(real, _) => real,
                _ => name,
            };
            // The first descriptor gives the package its name; see `package`.
            let is_other = at > 0 && spec.is_registry() && real != entry.locator().0;
            if spec.admits(entry.version) == Some(false) || is_elsewhere || is_other {
                let found = match (is_elsewhere, is_other) {
                    (true, _) => reference,
                    (_, true) => entry.resolution,
                    _ => entry.version,
                };
                self.draft.disagree(name, complaint(range, std::iter::once(found)), self.span(entry));
            }
        }
    }

    /// The package of an entry, under the name that its first descriptor asks for.
    fn package(&self, entry: &Entry<'_>, name: &str, reference: &str) -> Package {
        let descriptor = entry.descriptors.first().copied().unwrap_or_default();
        let (asked, range) = name_and_range(descriptor);
        let spec = Spec::of(range);
        let inner;
        let real = match &spec {
            Spec::Alias(real, _) => real,
            Spec::Patch(under, _) => {
                inner = decode(under);
                name_and_range(&inner).0
            }
            _ => asked,
        };
        let mut package = Package::new(Ecosystem::Npm, real, entry.version, self.span(entry));
        package.checksum = entry
            .checksum
            .and_then(|text| checksum::of_hex("sha512", text.rsplit_once('/').map_or(text, |(_, digest)| digest)));
        let bindings = entry.locator().2;
        if let Some(version) = reference.strip_prefix("npm:") {
            // Since `cacheKey` is no part of a package, two spellings of one digest are one.
            if let Some(address) = bindings.split('&').find_map(|each| each.strip_prefix("__archiveUrl=")) {
                let found = resolved(&decode(address), real, entry.version);
                package.source = found.source;
                package.identity = found.identity;
                package.contradiction = found.contradiction;
            }
            if name != real || version != entry.version {
                package.contradiction = Some(format!("{name} {version}").into());
            }
        } else if !reference.starts_with("patch:") {
            let path =
                ["link:", "portal:", "file:", "exec:", "workspace:"].iter().find_map(|p| reference.strip_prefix(p));
            let found = addressed(reference, real, entry.version);
            package.source = path.map_or(found.source, Source::path);
            package.identity = Identity::Foreign;
            package.checksum = package.checksum.or(found.checksum);
        }
        if package.identity == Identity::Foreign && (spec.is_registry() || self.forced.contains_key(asked)) {
            package.identity = Identity::StandsIn;
        }
        package
    }

    /// Entries of a descriptor, in each of the spellings that manifests and lockfiles have.
    fn exact(&self, name: &str, range: &str) -> Vec<usize> {
        for protocol in ["", "npm:", "workspace:"] {
            if let Some(found) = self.by_descriptor.get(&*format!("{name}@{protocol}{range}")) {
                return found.iter().copied().take(MAX_AMBIGUOUS).collect();
            }
        }
        Vec::new()
    }

    fn answer(&self, parent: &str, name: &str, range: &str) -> Answer {
        let plain = |range: &str| range.strip_prefix("npm:").unwrap_or(range).to_owned();
        for forced in self.forced.get(name).into_iter().flatten() {
            let is_asked = forced.range.is_none_or(|wanted| plain(wanted) == plain(range));
            if is_asked && forced.parent.is_none_or(|wanted| wanted == parent) {
                let found = self.exact(name, forced.with);
                if !found.is_empty() {
                    return Answer::Entries(found);
                }
            }
        }
        let of_name = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let of_name: Vec<usize> = of_name.iter().copied().take(MAX_AMBIGUOUS).collect();
        let mut found = self.exact(name, range);
        if let (true, Spec::Catalog(catalog)) = (found.is_empty(), Spec::of(range)) {
            let catalog = if catalog.is_empty() { "default" } else { catalog };
            let said = self.catalogs.get(catalog).and_then(|catalog| catalog.get(name));
            found = said.map(|range| self.exact(name, range)).unwrap_or_default();
            // Where no configuration says what the catalog holds, the lockfile's word stands.
            if said.is_none() {
                found.clone_from(&of_name);
            }
        }
        if found.is_empty() { Answer::Nothing(of_name) } else { Answer::Entries(found) }
    }

    fn complain(&self, range: &str, found: &[usize]) -> String {
        complaint(range, found.iter().filter_map(|at| self.entries.get(*at)).map(|entry| entry.version))
    }

    /// A member with its manifest, and its entry where there is one.
    fn member(&mut self, member: &Member, entry: Option<&Entry<'n>>) {
        let manifest = &member.manifest;
        let span = entry.map_or(members::at(member.input, 1), |entry| self.span(entry));
        let root = self.draft.root(&manifest.name, &manifest.version, &member.folder, span);
        for asked in manifest.dependencies.iter().filter(|asked| asked.section != Section::Peer) {
            let span = members::at(member.input, asked.line);
            let found = match self.answer(&manifest.name, &asked.name, &asked.spec) {
                Answer::Entries(found) => found,
                Answer::Nothing(found) => {
                    let message = self.complain(&asked.spec, &found);
                    self.draft.disagree(&asked.name, message, span);
                    found
                }
            };
            for package in self.packages(&found) {
                self.draft.need(root, package, asked.section.scope(), Some(span));
                name_direct(&mut self.draft, package, &asked.name);
            }
        }
        let asked: HashSet<&str> = manifest.dependencies.iter().map(|asked| &*asked.name).collect();
        for (name, range) in entry.into_iter().flat_map(|entry| &entry.needs).filter(|(name, _)| !asked.contains(name))
        {
            self.draft.disagree(name, "is locked for a member whose manifest does not ask for it", span);
            let (Answer::Entries(found) | Answer::Nothing(found)) = self.answer(&manifest.name, name, range);
            for package in self.packages(&found) {
                self.draft.need(root, package, Scope::Runtime, None);
            }
        }
    }

    /// A member whose manifest is not there: what the lockfile says that it needs counts as runtime.
    fn absent(&mut self, entry: &Entry<'n>, folder: &RepoPath) {
        let name = entry.locator().0;
        let root = self.draft.root(name, "", folder, self.span(entry));
        for (needed, range) in &entry.needs {
            let (Answer::Entries(found) | Answer::Nothing(found)) = self.answer(name, needed, range);
            for package in self.packages(&found) {
                self.draft.need(root, package, Scope::Runtime, None);
            }
        }
    }
}

/// Whether a patch is one that yarn brings along: `builtin<compat/fsevents>`, with flags before it.
fn is_builtin(patch: &str) -> bool {
    let patch = patch.strip_prefix("optional!").unwrap_or(patch);
    let patch = patch.strip_prefix('~').unwrap_or(patch);
    let name = patch.strip_prefix("builtin<").and_then(|rest| rest.strip_suffix('>'));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-')))
}
