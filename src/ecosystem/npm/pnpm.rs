//! `pnpm-lock.yaml`.
//!
//! ```text
//! version  importer's dependency                     package's key                  edges
//! 5.x      specifiers: {a: ^1}, dependencies: {a: 1.2.3_peers}   /a/1.2.3_peers    packages
//! 6.x      dependencies: {a: {specifier: ^1, version: 1.2.3(peer@1.0.0)}}   /a@1.2.3(peer@1.0.0)   packages
//! 9.x      as 6.x                                    a@1.2.3                        snapshots: a@1.2.3(peer@1.0.0)
//! ```
//!
//! A file may hold several documents: later versions keep the packages of the tool itself in one of their own.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::manifest::{Dependency, Override, Section};
use super::members::{
    self, Failure, Member, addressed, catalogs, complaint, count, last_line, lockfile, made_for, member, name_direct,
    shown,
};
use super::source::{Spec, name_and_range, resolved};
use super::version::Version;
use super::workspace::{MANIFEST, locked, locked_by, manifests, members as matching};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::yaml::{self, Node};
use crate::ecosystem::syntax::{malformed, toml};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

#[cfg(test)]
mod tests;

/// The name of a lockfile.
const LOCKFILE: &str = "pnpm-lock.yaml";

/// Names of lockfiles that a branch has for itself (`gitBranchLockfile`): pnpm takes them before the other.
const BRANCHES: &str = "pnpm-lock.*.yaml";

/// Ranges of one name that patches are for. Where there are more, all of the name counts as patched.
const MAX_RANGES: usize = 64;

/// Documents in a lockfile, at the most: the tool's own, and the project's.
const MAX_DOCUMENTS: usize = 2;

/// The workspace's members, catalogs and overrides.
const WORKSPACE: &str = "pnpm-workspace.yaml";

/// Code that may rewrite what manifests ask for.
const HOOKS: &[&str] = &[".pnpmfile.cjs", "pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"];

/// Projects that pnpm locked.
#[derive(Debug, Clone, Copy)]
pub struct Pnpm;

impl Format for Pnpm {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::lockfile(LOCKFILE, "5.x, 6.x and 9.x"),
                FileKind::lockfile(BRANCHES, "as that one: of a branch, each for itself"),
                FileKind::manifest(WORKSPACE, "members, catalogs, overrides"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, WORKSPACE, MANIFEST]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let mut found = locked(files, &[LOCKFILE]);
        let branches = claimed(files, const { &[FileKind::lockfile(BRANCHES, "")] });
        found.extend(locked_by(files, branches));
        Ok(found)
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let ((bytes, input), path) = lockfile(project, &mut view)?;
        let documents = yaml::read_all(&bytes, FILE_CAP).map_err(|error| (path.clone(), error))?;
        if documents.is_empty() {
            return Err((path, malformed(1, "an empty file")));
        }
        if documents.len() > MAX_DOCUMENTS {
            return Err((path, malformed(1, format!("more than {MAX_DOCUMENTS} documents"))));
        }
        let settings = Settings::read(project, &mut view)?;
        let mut draft = Draft::new();
        let mut parts = 0;
        let mut importers = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            members::unmerged(document).map_err(|error| (path.clone(), error))?;
            let lock = Lock::of(document, input, &mut parts).map_err(|error| (path.clone(), error))?;
            let mut reader = Reader::new(&lock, project, &settings, draft);
            reader.fill().map_err(|error| (path.clone(), error))?;
            reader.edges();
            reader.settings();
            // The packages of the tool itself come first, in a document that says nothing of the project's own.
            let is_last = at + 1 == documents.len();
            reader.importers(&mut view, &mut importers, is_last, &path)?;
            draft = reader.draft;
        }
        if let Some(root) = member(&project.path, &mut view)? {
            members::tool(&root.manifest, root.input, &mut draft);
        }
        settings.tell(importers.get(&project.path).copied(), &mut draft);
        settings.absent(project, &view, &importers, &mut draft).map_err(|error| (path, error))?;
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// What the workspace's file and the root's manifest say.
#[derive(Default)]
struct Settings {
    /// The number of the workspace's file, where it is there.
    input: Option<u32>,
    globs: Vec<String>,
    catalogs: BTreeMap<String, BTreeMap<String, String>>,
    /// Selectors of overrides and what they force.
    overrides: HashMap<String, String>,
    /// Whether there is code that may rewrite manifests.
    has_hooks: bool,
    /// Packages that pnpm itself loads before it installs anything: name, version and integrity, address, line.
    loaded: Vec<(String, String, Option<String>, u32)>,
    /// What the workspace's file sets that no lockfile holds, by its key.
    told: Vec<(&'static str, String, u32)>,
}

impl Settings {
    fn read(project: &Project, view: &mut View<'_>) -> Result<Self, Failure> {
        let mut settings = Self::default();
        if let Some(root) = member(&project.path, view)? {
            let forced = root.manifest.overrides.iter();
            settings.overrides.extend(forced.map(|each| (each.selector.to_string(), each.spec.to_string())));
        }
        // Read to be noted as an input: what it says is code.
        for path in HOOKS.iter().filter_map(|name| project.path.join(name)) {
            settings.has_hooks |= !matches!(view.read(&path), Ok(None));
        }
        let Some(path) = project.path.join(WORKSPACE) else { return Ok(settings) };
        let found = view.read(&path).map_err(|error| (path.clone(), error))?;
        let Some((bytes, input)) = found else { return Ok(settings) };
        let root = yaml::read(&bytes, toml::MAX_BYTES).and_then(|root| members::unmerged(&root).map(|()| root));
        let root = root.map_err(|error| (path, error))?;
        settings.input = Some(input);
        let globs = root.get("packages").map(Node::items).unwrap_or_default();
        settings.globs = globs.iter().filter_map(Node::text).map(str::to_owned).collect();
        settings.catalogs = catalogs(&root);
        for each in root.get("configDependencies").map(Node::members).unwrap_or_default() {
            let (text, tarball) = (each.node.text().or_else(|| each.node.text_of("integrity")), "tarball");
            let (text, tarball) = (text.unwrap_or_default().to_owned(), each.node.text_of(tarball).map(str::to_owned));
            settings.loaded.push((each.key.to_string(), text, tarball, each.line));
        }
        let said = |key| root.member(key).and_then(|each| Some((shown(each.node.text()?), each.line)));
        let mut tell = |key, message, line| settings.told.push((key, message, line));
        if let Some((path, line)) = said("pnpmfile") {
            tell("pnpmfile", format!("runs pnpm's hooks from {path}"), line);
        }
        for (path, line) in root.get("pnpmfile").map(Node::items).unwrap_or_default().iter().map(|at| (at, at.line)) {
            tell("pnpmfile", format!("runs pnpm's hooks from {}", shown(path.text().unwrap_or_default())), line);
        }
        if let Some((address, line)) = said("registry") {
            tell("registry", format!("takes packages from {address}"), line);
        }
        for each in root.get("registries").map(Node::members).unwrap_or_default() {
            let address = shown(each.node.text().unwrap_or_default());
            tell("registries", format!("takes packages of {} from {address}", shown(&each.key)), each.line);
        }
        if let Some((_, line)) = said("dangerouslyAllowAllBuilds").filter(|(text, _)| text != "false") {
            tell("dangerouslyAllowAllBuilds", "lets every package run scripts".to_owned(), line);
        }
        for each in root.get("overrides").map(Node::members).unwrap_or_default() {
            settings.overrides.extend(each.node.text().map(|with| (each.key.to_string(), with.to_owned())));
        }
        Ok(settings)
    }

    /// Tells what the workspace's file sets, and adds the packages that pnpm itself loads.
    fn tell(&self, root: Option<usize>, draft: &mut Draft) {
        let input = self.input.unwrap_or_default();
        for (key, message, line) in &self.told {
            draft.disagree(key, message.clone(), members::at(input, *line));
        }
        for (name, text, tarball, line) in &self.loaded {
            let span = members::at(input, *line);
            let at = text.find("+sha").or_else(|| text.find("+md5")).unwrap_or(text.len());
            let (version, integrity) = (text.get(..at).unwrap_or(text), text.get(at + 1..));
            // Later versions keep the integrity in the lockfile.
            let is_same = |known: &Package| *known.name == **name && *known.version == *version;
            if integrity.is_none() && tarball.is_none() && draft.packages().iter().any(is_same) {
                continue;
            }
            let mut package = Package::new(Ecosystem::Npm, name, version, span);
            if let Some(address) = tarball {
                let found = resolved(address, name, version);
                (package.source, package.contradiction) = (found.source, found.contradiction);
                package.identity =
                    if found.identity == Identity::Foreign { Identity::StandsIn } else { found.identity };
            }
            let (digest, wrong) = members::digest(integrity);
            (package.checksum, package.runs_on_install) = (digest, true);
            if let Some(wrong) = wrong {
                draft.disagree(name, wrong, span);
            }
            let package = draft.package(package);
            if let Some(root) = root {
                draft.need(root, package, Scope::Runtime, Some(span));
            }
        }
    }

    /// Complains of members that the lockfile does not hold.
    fn absent(
        &self,
        project: &Project,
        view: &View<'_>,
        held: &HashMap<RepoPath, usize>,
        draft: &mut Draft,
    ) -> Result<(), Unread> {
        let Some(input) = self.input.filter(|_| !self.globs.is_empty()) else { return Ok(()) };
        let globs: Vec<&str> = self.globs.iter().map(String::as_str).collect();
        let locked: HashSet<RepoPath> = view.named(LOCKFILE).iter().map(RepoPath::parent).collect();
        for folder in matching(&globs, &project.path, &manifests(view.files()))? {
            if !held.contains_key(&folder) && !locked.contains(&folder) {
                let message = "is a member of the workspace, which the lockfile does not hold";
                draft.disagree(folder.as_str(), message, members::at(input, 0));
            }
        }
        Ok(())
    }
}

/// A family of versions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Five,
    Six,
    Nine,
}

/// A package of the lockfile.
struct Entry<'n> {
    key: &'n str,
    name: &'n str,
    version: &'n str,
    /// Whether the key is that of a package of a registry, and the host where it is named.
    is_registry: bool,
    host: Option<&'n str>,
    node: &'n Node<'n>,
    span: Span,
}

/// A document.
struct Lock<'n> {
    family: Family,
    root: &'n Node<'n>,
    input: u32,
    entries: Vec<Entry<'n>>,
    /// Names of patched packages, and the ranges that the patches are for.
    patched: HashMap<&'n str, Vec<&'n str>>,
    /// What catalogs ask for, by their names and those of packages.
    catalogs: HashMap<(&'n str, &'n str), &'n str>,
    /// Whether code was there that may rewrite manifests.
    has_hooks: bool,
    without_links: bool,
    /// Names that the lockfile says overrides are for.
    forced: HashSet<String>,
}

impl<'n> Lock<'n> {
    fn of(root: &'n Node<'n>, input: u32, parts: &mut usize) -> Result<Self, Unread> {
        let version = root.get("lockfileVersion").and_then(Node::text);
        let version = version.ok_or_else(|| malformed(root.line, "no `lockfileVersion`: no lockfile of pnpm"))?;
        let bare = version.strip_suffix("-inlineSpecifiers").unwrap_or(version);
        let (major, minor) = bare.split_once('.').unwrap_or((bare, "0"));
        let family = match major {
            "5" => Family::Five,
            "6" => Family::Six,
            "9" => Family::Nine,
            _ => return Err(unsupported(version)),
        };
        if minor.is_empty() || minor.len() > 3 || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unsupported(version));
        }
        let overrides = root.get("overrides").map(Node::members).unwrap_or_default();
        let name = |each: &yaml::Member<'_>| Override::new(&each.key, "", 0).name.into_string();
        let mut lock = Self {
            family,
            root,
            input,
            entries: Vec::new(),
            patched: HashMap::new(),
            catalogs: HashMap::new(),
            has_hooks: root.get("pnpmfileChecksum").is_some(),
            without_links: root.get("settings").is_some_and(|settings| settings.is("excludeLinksFromLockfile")),
            forced: overrides.iter().map(name).collect(),
        };
        for patch in root.get("patchedDependencies").map(Node::members).unwrap_or_default() {
            let (name, range) = name_and_range(&patch.key);
            lock.patched.entry(name).or_default().push(range);
        }
        for catalog in root.get("catalogs").map(Node::members).unwrap_or_default() {
            let said = catalog.node.members().iter();
            let said = said.filter_map(|each| Some((&*each.key, each.node.text_of("specifier")?)));
            lock.catalogs.extend(said.map(|(name, specifier)| ((&*catalog.key, name), specifier)));
        }
        for member in root.get("packages").map(Node::members).unwrap_or_default() {
            let node = &member.node;
            count(parts, 1 + node.members().iter().map(|each| each.node.members().len()).sum::<usize>())?;
            let span = Span { input, line: member.line, end_line: last_line(node).max(member.line) };
            lock.entries.push(entry(family, &member.key, node, span)?);
        }
        Ok(lock)
    }
}

fn unsupported(version: &str) -> Unread {
    Unread::Unsupported(format!("lockfileVersion `{}` of pnpm; 5.x, 6.x and 9.x are read", shown(version)))
}

fn is_version(text: &str) -> bool {
    Version::parse(text).is_some_and(|version| version.is_full())
}

/// A key without what it says of peers and patches.
fn bare(key: &str) -> &str {
    key.split_once('(').map_or(key, |(bare, _)| bare)
}

/// Takes the key of a package apart, as its version writes it.
fn entry<'n>(family: Family, key: &'n str, node: &'n Node<'n>, span: Span) -> Result<Entry<'n>, Unread> {
    let is_relative = key.starts_with('/');
    let (host, rest) = match key.strip_prefix('/') {
        Some(rest) => (None, rest),
        None if family == Family::Nine => (None, key),
        None => key.split_once('/').map_or((None, key), |(host, rest)| (Some(host), rest)),
    };
    let parsed = match family {
        Family::Five => {
            let start = if rest.starts_with('@') { rest.find('/').map_or(0, |at| at + 1) } else { 0 };
            let end = rest.get(start..).and_then(|rest| rest.find('/')).map(|at| at + start);
            end.and_then(|end| {
                let version = rest.get(end + 1..)?.split('/').next()?;
                Some((rest.get(..end)?, version.split('_').next()?))
            })
        }
        _ => Some(name_and_range(bare(rest))),
    };
    let is_named = |(name, version): &(&str, &str)| !name.is_empty() && is_version(version);
    let found = parsed.filter(is_named);
    let (named, versioned) = (node.text_of("name"), node.text_of("version"));
    let reference =
        parsed.filter(|_| family == Family::Nine).filter(|(name, reference)| !name.is_empty() && !reference.is_empty());
    let name = named.or(found.or(reference).map(|(name, _)| name));
    let version = versioned.or(found.map(|(_, version)| version)).or(reference.map(|(_, version)| version));
    let (Some(name), is_read) = (name, found.is_some() || named.is_some() || reference.is_some()) else {
        return Err(malformed(span.line, format!("the key `{}` names no package", shown(key))));
    };
    if !is_read || (is_relative && found.is_none()) {
        return Err(malformed(span.line, format!("the key `{}` names no version", shown(key))));
    }
    let is_registry = found.is_some();
    Ok(Entry {
        key,
        name,
        version: version.unwrap_or(rest),
        is_registry,
        host: host.filter(|_| is_registry),
        node,
        span,
    })
}

struct Reader<'l, 's> {
    lock: &'l Lock<'l>,
    project: &'s Project,
    settings: &'s Settings,
    draft: Draft,
    /// Keys, with and without peers → packages.
    by_key: HashMap<&'l str, u32>,
    /// Folders of the members that the lockfile holds.
    own: HashSet<RepoPath>,
}

/// What answers a dependency.
enum Answer {
    Package(u32),
    /// A folder, which the lockfile has no entry of.
    Link,
    Nothing,
}

impl<'l, 's> Reader<'l, 's> {
    fn new(lock: &'l Lock<'l>, project: &'s Project, settings: &'s Settings, draft: Draft) -> Self {
        let importers = lock.root.get("importers").map(Node::members).unwrap_or_default();
        let own = importers.iter().filter_map(|importer| project.path.join(&importer.key)).collect();
        Self { lock, project, settings, draft, by_key: HashMap::new(), own }
    }

    fn fill(&mut self) -> Result<(), Unread> {
        let lock = self.lock;
        for entry in &lock.entries {
            let package = self.package(entry)?;
            let package = self.draft.package(package);
            self.by_key.insert(entry.key, package);
        }
        // Of a snapshot, the part before the peers is the key of its package.
        for member in self.snapshots() {
            if self.by_key.contains_key(&*member.key) {
                continue;
            }
            let starts = member.key.match_indices('(').take(16).filter_map(|(at, _)| member.key.get(..at));
            let mut known = starts.filter_map(|start| self.by_key.get(start).copied());
            let package = match known.next() {
                Some(package) => package,
                None => {
                    let span = Span { input: lock.input, line: member.line, end_line: last_line(&member.node) };
                    let entry = entry(lock.family, bare(&member.key), &member.node, span)?;
                    self.draft.disagree(entry.name, "has a snapshot and no package in the lockfile", span);
                    self.draft.package(Package::new(Ecosystem::Npm, entry.name, entry.version, span))
                }
            };
            if member.key.contains("(patch_hash=")
                && let Some(package) = self.draft.get_mut(package)
            {
                package.identity = Identity::StandsIn;
            }
            self.by_key.insert(&member.key, package);
        }
        Ok(())
    }

    fn snapshots(&self) -> &'l [yaml::Member<'l>] {
        self.lock.root.get("snapshots").map(Node::members).unwrap_or_default()
    }

    fn package(&mut self, entry: &Entry<'_>) -> Result<Package, Unread> {
        let resolution = entry.node.get("resolution").filter(|resolution| resolution.is_table());
        let resolution = resolution.ok_or_else(|| malformed(entry.span.line, "a package without a resolution"))?;
        let mut package = Package::new(Ecosystem::Npm, entry.name, entry.version, entry.span);
        package.runs_on_install = entry.node.is("requiresBuild");
        let foreign = |package: &mut Package, source| {
            package.source = source;
            package.identity = Identity::Foreign;
        };
        let text = |key: &str| resolution.text_of(key);
        match (text("type"), text("tarball")) {
            (Some("git"), _) => {
                let commit = text("commit").filter(|commit| checksum::of_commit(commit).is_some());
                foreign(&mut package, Source::git(text("repo").unwrap_or_default(), commit));
                package.checksum = commit.and_then(checksum::of_commit);
            }
            (Some("directory"), _) => foreign(&mut package, Source::path(text("directory").unwrap_or_default())),
            (Some("binary"), _) => foreign(&mut package, Source::registry(text("url").unwrap_or_default())),
            (Some("variations"), _) => {
                let variants = resolution.get("variants").map(Node::items).unwrap_or_default();
                let each = variants.iter().filter_map(|variant| variant.get("resolution"));
                let address = each.clone().find_map(|one| one.text_of("url")).unwrap_or_default();
                foreign(&mut package, Source::registry(address));
                let digests = each.filter_map(|one| checksum::of_integrity(one.text_of("integrity")?));
                (package.checksum, package.files) = checksum::of_files(digests.collect());
            }
            (None, Some(address)) => {
                let read = if entry.is_registry { resolved } else { addressed };
                let found = read(address, entry.name, entry.version);
                package.source = found.source;
                package.identity = found.identity;
                package.contradiction = found.contradiction;
                package.checksum = found.checksum;
            }
            (None, None) if entry.is_registry => {
                package.source = entry.host.map_or_else(Source::public, Source::registry);
            }
            (None, None) => {
                // The address is in the key alone.
                let address = entry.key.split_once('@').filter(|_| self.lock.family == Family::Nine);
                let address = address.map_or(entry.key, |(_, address)| address);
                let found = addressed(bare(address), entry.name, entry.version);
                foreign(&mut package, found.source);
            }
            (Some(kind), _) => {
                let reason = format!("a resolution of the type `{}`, which is not known", shown(kind));
                return Err(malformed(resolution.line, reason));
            }
        }
        match members::digest(text("integrity")) {
            (Some(digest), _) => package.checksum = Some(digest),
            (None, Some(wrong)) => {
                package.checksum = None;
                self.draft.disagree(entry.name, wrong, entry.span);
            }
            (None, None) => {}
        }
        let is_foreign = package.identity == Identity::Foreign;
        if (is_foreign && (entry.is_registry || self.lock.forced.contains(entry.name))) || self.is_patched(entry) {
            package.identity = Identity::StandsIn;
        }
        // A key and its own fields.
        let said = self::entry(
            self.lock.family,
            entry.key,
            &Node { line: 0, value: yaml::Value::List(Vec::new()) },
            entry.span,
        )
        .ok()
        .filter(|said| said.is_registry && (said.name != entry.name || said.version != entry.version))
        .map(|said| format!("{} {}", said.name, said.version).into());
        package.contradiction = package.contradiction.or(said);
        Ok(package)
    }

    fn is_patched(&self, entry: &Entry<'_>) -> bool {
        let Some(ranges) = self.lock.patched.get(entry.name) else { return false };
        let is_in = |range: &&str| range.is_empty() || Spec::of(range).admits(entry.version) != Some(false);
        ranges.len() > MAX_RANGES || ranges.iter().any(is_in)
    }

    fn answer(&self, name: &str, reference: &str) -> Answer {
        if reference.starts_with("link:") {
            return Answer::Link;
        }
        let composed = match self.lock.family {
            Family::Five => format!("/{name}/{reference}"),
            Family::Six => format!("/{name}@{reference}"),
            Family::Nine => format!("{name}@{reference}"),
        };
        let found = self.by_key.get(&*composed).or_else(|| self.by_key.get(reference));
        found.map_or(Answer::Nothing, |package| Answer::Package(*package))
    }

    fn edges(&mut self) {
        let lock = self.lock;
        let section = match lock.family {
            Family::Nine => "snapshots",
            _ => "packages",
        };
        for member in lock.root.get(section).map(Node::members).unwrap_or_default() {
            let Some(from) = self.by_key.get(&*member.key).copied() else { continue };
            for kind in ["dependencies", "optionalDependencies"] {
                for need in member.node.get(kind).map(Node::members).unwrap_or_default() {
                    let reference = need.node.text().unwrap_or_default();
                    match self.answer(&need.key, reference) {
                        Answer::Package(to) => self.draft.edge(from, to),
                        Answer::Link => {
                            let path = reference.strip_prefix("link:").unwrap_or(reference);
                            let span = members::at(lock.input, need.line);
                            let to = self.draft.package(self.standing_in(&need.key, path, &self.project.path, span));
                            self.draft.edge(from, to);
                        }
                        Answer::Nothing => {
                            let message =
                                format!("{} {}", shown(&member.key), complaint(reference, std::iter::empty()));
                            self.draft.disagree(&need.key, message, members::at(lock.input, need.line));
                        }
                    }
                }
            }
        }
    }

    /// Compares the overrides and catalogs of the lockfile with those of the project.
    fn settings(&mut self) {
        let (lock, settings) = (self.lock, self.settings);
        let mut wrong: Vec<(&str, String, u32)> = Vec::new();
        for each in lock.root.get("overrides").map(Node::members).unwrap_or_default() {
            let with = each.node.text().unwrap_or_default();
            match settings.overrides.get(&*each.key) {
                None => wrong.push((&each.key, "is overridden by the lockfile alone".to_owned(), each.line)),
                Some(said) if said == with || said.starts_with('$') || said.starts_with("catalog:") => {}
                Some(said) => {
                    let message =
                        format!("is overridden with {}, and in the lockfile with {}", shown(said), shown(with));
                    wrong.push((&each.key, message, each.line));
                }
            }
        }
        for catalog in lock.root.get("catalogs").map(Node::members).unwrap_or_default() {
            let said = settings.catalogs.get(&*catalog.key);
            for each in catalog.node.members().iter().filter(|_| settings.input.is_some()) {
                let held = each.node.text_of("specifier").unwrap_or_default();
                match said.and_then(|said| said.get(&*each.key)) {
                    Some(said) if said == held => {}
                    Some(said) => wrong.push((&each.key, made_for(said, held), each.line)),
                    None => wrong.push((&each.key, "is in a catalog of the lockfile alone".to_owned(), each.line)),
                }
            }
        }
        for (name, message, line) in wrong {
            self.draft.disagree(name, message, members::at(lock.input, line));
        }
    }

    fn importers(
        &mut self,
        view: &mut View<'_>,
        held: &mut HashMap<RepoPath, usize>,
        is_last: bool,
        path: &RepoPath,
    ) -> Result<(), Failure> {
        let lock = self.lock;
        let mut seen = HashSet::new();
        let Some(importers) = lock.root.get("importers") else {
            let member = self.importer(".", lock.root, 1, view, held)?;
            self.missing(lock.root, member.filter(|_| is_last).as_ref());
            return Ok(());
        };
        for each in importers.members() {
            // Two spellings of one folder.
            if let Some(folder) = self.project.path.join(&each.key)
                && !seen.insert(folder)
            {
                let reason = format!("the member `{}` stands twice", shown(&each.key));
                return Err((path.clone(), malformed(each.line, reason)));
            }
            let member = self.importer(&each.key, &each.node, each.line, view, held)?;
            self.missing(&each.node, member.filter(|_| is_last).as_ref());
        }
        Ok(())
    }

    /// A member of the workspace: what its manifest asks for, by what the lockfile says that it gets.
    fn importer(
        &mut self,
        path: &str,
        node: &Node<'_>,
        line: u32,
        view: &mut View<'_>,
        held: &mut HashMap<RepoPath, usize>,
    ) -> Result<Option<Member>, Failure> {
        let span = members::at(self.lock.input, line);
        let folder = self.project.path.join(path);
        let member = match &folder {
            Some(folder) => member(folder, view)?,
            None => {
                self.draft.disagree(path, "is a member outside of the repository", span);
                None
            }
        };
        let folder = folder.unwrap_or_else(|| self.project.path.clone());
        let (name, version) = member.as_ref().map_or((path, ""), |m| (&*m.manifest.name, &*m.manifest.version));
        let root = match held.get(&folder) {
            Some(root) => *root,
            None => self.draft.root(name, version, &folder, span),
        };
        held.insert(folder.clone(), root);
        let mut asked: BTreeMap<&str, Vec<&Dependency>> = BTreeMap::new();
        for each in member.iter().flat_map(|member| &member.manifest.dependencies) {
            asked.entry(&each.name).or_default().push(each);
        }
        let specifiers: HashMap<&str, &str> = node
            .get("specifiers")
            .map(Node::members)
            .unwrap_or_default()
            .iter()
            .filter_map(|each| Some((&*each.key, each.node.text()?)))
            .collect();
        for section in SECTIONS {
            for each in node.get(section).map(Node::members).unwrap_or_default() {
                let (specifier, reference) = match each.node.text() {
                    Some(reference) => (specifiers.get(&*each.key).copied(), reference),
                    None => (each.node.text_of("specifier"), each.node.text_of("version").unwrap_or_default()),
                };
                let answer = self.answer(&each.key, reference);
                let place = members::at(self.lock.input, each.line);
                if matches!(answer, Answer::Nothing) {
                    self.draft.disagree(&each.key, complaint(reference, std::iter::empty()), place);
                }
                let is_tool = matches!(*section, "configDependencies" | "packageManagerDependencies");
                let asked = asked.get(&*each.key).map(Vec::as_slice).unwrap_or_default();
                if let (false, Some(member)) = (is_tool, &member) {
                    self.compare(&each.key, specifier, asked, member, place);
                }
                let package = match answer {
                    Answer::Package(package) => package,
                    Answer::Link => {
                        let linked = match self.linked(&each.key, reference, specifier, &folder, place) {
                            None => self.renamed(&each.key, reference, specifier, &folder, view, place)?,
                            linked => linked,
                        };
                        match linked {
                            Some(package) => self.draft.package(package),
                            None => continue,
                        }
                    }
                    Answer::Nothing => continue,
                };
                self.admit(&each.key, specifier, package, place);
                // The manifest says in which scope; a tool's own packages, and what no manifest explains, are runtime.
                for asked in asked {
                    let declared = member.as_ref().map(|member| members::at(member.input, asked.line));
                    self.draft.need(root, package, asked.section.scope(), declared);
                }
                if asked.is_empty() || is_tool {
                    self.draft.need(root, package, Scope::Runtime, None);
                }
                name_direct(&mut self.draft, package, &each.key);
            }
        }
        Ok(member)
    }

    /// A folder that a package gets in the place of another.
    fn standing_in(&self, name: &str, path: &str, from: &RepoPath, span: Span) -> Package {
        let source = |package| Package { source: Source::path(path), ..package };
        match from.join(path) {
            Some(folder) => members::standing_in(name, None, &folder, span),
            None => source(members::standing_in(name, None, &RepoPath::root(), span)),
        }
    }

    /// A member that another one gets under a name that is not its own, where it asks for a package of the registry.
    fn renamed(
        &self,
        name: &str,
        reference: &str,
        specifier: Option<&str>,
        from: &RepoPath,
        view: &mut View<'_>,
        span: Span,
    ) -> Result<Option<Package>, Failure> {
        let path = reference.strip_prefix("link:").unwrap_or(reference);
        let Some(folder) = from.join(path).filter(|folder| self.own.contains(folder)) else { return Ok(None) };
        let spec = Spec::of(self.said(name, specifier));
        let wanted = match &spec {
            Spec::Alias(real, _) => real,
            _ => name,
        };
        let target = if spec.is_registry() { member(&folder, view)? } else { return Ok(None) };
        let is_same = target.is_some_and(|target| *target.manifest.name == *wanted);
        Ok((!is_same).then(|| self.standing_in(name, path, from, span)))
    }

    /// What a specifier asks for; what the catalog says where it names one.
    fn said<'a>(&self, name: &str, specifier: Option<&'a str>) -> &'a str
    where
        'l: 'a,
    {
        let specifier = specifier.unwrap_or_default();
        let Spec::Catalog(catalog) = Spec::of(specifier) else { return specifier };
        let catalog = if catalog.is_empty() { "default" } else { catalog };
        self.lock.catalogs.get(&(catalog, name)).copied().unwrap_or_default()
    }

    /// A folder that a member links and that is no member itself.
    fn linked(
        &self,
        name: &str,
        reference: &str,
        specifier: Option<&str>,
        from: &RepoPath,
        span: Span,
    ) -> Option<Package> {
        let path = reference.strip_prefix("link:").unwrap_or(reference);
        if from.join(path).is_some_and(|folder| self.own.contains(&folder)) {
            return None;
        }
        let is_registry = Spec::of(specifier.unwrap_or_default()).is_registry();
        let identity =
            if is_registry || self.lock.forced.contains(name) { Identity::StandsIn } else { Identity::Foreign };
        let package = Package::new(Ecosystem::Npm, name, reference, span);
        Some(Package { source: Source::path(path), identity, is_locked: false, ..package })
    }

    /// Complains of what a manifest asks for and no section of its importer has.
    fn missing(&mut self, importer: &Node<'_>, member: Option<&Member>) {
        let Some(member) = member else { return };
        let sections = SECTIONS.iter().filter_map(|section| importer.get(section));
        let answered: HashSet<&str> = sections.flat_map(Node::members).map(|each| &*each.key).collect();
        for asked in member.manifest.dependencies.iter().filter(|asked| !answered.contains(&*asked.name)) {
            let is_link = matches!(Spec::of(&asked.spec), Spec::Path(_) | Spec::Workspace(_));
            let is_free = asked.section == Section::Peer || (is_link && self.lock.without_links);
            if !is_free && !self.is_rewritten(&asked.name) {
                let message = complaint(&asked.spec, std::iter::empty());
                self.draft.disagree(&asked.name, message, members::at(member.input, asked.line));
            }
        }
    }

    /// Whether an override or a hook may have changed what a manifest asks for.
    fn is_rewritten(&self, name: &str) -> bool {
        (self.settings.has_hooks && self.lock.has_hooks) || self.lock.forced.contains(name)
    }

    /// Compares what a manifest asks for with what the lockfile says that it does.
    fn compare(&mut self, name: &str, specifier: Option<&str>, asked: &[&Dependency], member: &Member, place: Span) {
        if self.is_rewritten(name) {
            return;
        }
        let Some(first) = asked.first() else {
            self.draft.disagree(name, "is locked for a member whose manifest does not ask for it", place);
            return;
        };
        let specifier = specifier.unwrap_or_default();
        if !asked.iter().any(|asked| asked.spec.trim() == specifier.trim()) {
            let message = made_for(&first.spec, specifier);
            self.draft.disagree(name, message, members::at(member.input, first.line));
        }
    }

    /// Compares what the lockfile says that a member asks for with the version that it gets.
    fn admit(&mut self, name: &str, specifier: Option<&str>, package: u32, place: Span) {
        let specifier = self.said(name, specifier);
        let Some(package) = self.draft.packages().get(package as usize).filter(|package| package.is_locked) else {
            return;
        };
        let spec = Spec::of(specifier);
        let real = match &spec {
            Spec::Alias(real, _) => real,
            _ => name,
        };
        let is_other = spec.is_registry() && real != &*package.name;
        if (is_other || spec.admits(&package.version) == Some(false)) && !self.is_rewritten(name) {
            let held = if is_other { package.label() } else { package.version.to_string() };
            let message = complaint(specifier, std::iter::once(&*held));
            self.draft.disagree(name, message, place);
        }
    }
}

/// The sections of an importer.
const SECTIONS: &[&str] =
    &["dependencies", "devDependencies", "optionalDependencies", "configDependencies", "packageManagerDependencies"];
