//! `package-lock.json` and `npm-shrinkwrap.json` → inventory.
//!
//! 1. Every entry gets a part: a package, a member of the repository, or a link to one.
//! 2. Packages need what Node finds for them.
//! 3. Members ask for what their manifests in the tree say, and so scopes start there. What the lockfile says of
//!    scopes (`dev`, `peer`, `optional`) is not read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::agree;
use super::manifest::{self, Bundled, Manifest, Override};
use super::members;
use super::source::{self, Resolved, Spec};
use super::tree::{Entry, Form, Tree, form};
use super::workspace::{self, MANIFEST};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::{self, Table};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// npm's lockfiles.
#[derive(Debug, Clone, Copy)]
pub struct PackageLock;

const LOCKFILE: &str = "package-lock.json";
const SHRINKWRAP: &str = "npm-shrinkwrap.json";

impl Format for PackageLock {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::lockfile(LOCKFILE, "lockfileVersion 1 to 3"),
                FileKind::lockfile(SHRINKWRAP, "lockfileVersion 1 to 3, and files older than that"),
                FileKind::manifest(MANIFEST, "dependencies, workspaces, overrides"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, SHRINKWRAP, MANIFEST]
    }

    /// One project for each folder with a lockfile: npm reads the shrinkwrap file where there are both.
    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let mut found: BTreeMap<RepoPath, Project> = BTreeMap::new();
        for name in [LOCKFILE, SHRINKWRAP] {
            found.extend(workspace::locked(files, &[name]).into_iter().map(|project| (project.path.clone(), project)));
        }
        Ok(found.into_values().collect())
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let path = project.lockfile.clone().unwrap_or_else(|| project.path.clone());
        let at = |error| (path.clone(), error);
        let missing = || at(Unread::NotAFile("the lockfile is not there".to_owned()));
        let (bytes, input) = view.read(&path).map_err(at)?.ok_or_else(missing)?;
        let document = json::read(&bytes, FILE_CAP).map_err(at)?;
        let root = document.table().map_err(at)?;
        let form = form(root, &document).map_err(at)?;
        let tree = match form {
            Form::Nested => Tree::of_nested(root, &document),
            Form::Both | Form::Paths => Tree::of_paths(root, &document),
        };
        let tree = tree.map_err(at)?;
        let mut draft = Draft::new();
        if form == Form::Both {
            agree::halves(&tree, &Tree::of_nested(root, &document).map_err(at)?, input, &mut draft);
        }
        let home = Home::read(&project.path, &mut view)?;
        if let Some((manifest, input)) = &home.manifest {
            members::tool(manifest, *input, &mut draft);
        }
        let mut reader = Reader {
            form,
            tree: &tree,
            input,
            overridden: home.overrides().iter().map(|each| &*each.name).collect(),
            has_workspaces: home.manifest.as_ref().is_some_and(|(manifest, _)| manifest.workspaces.is_some()),
            parts: Vec::with_capacity(tree.entries.len()),
            carriers: carriers(form, &tree),
            folders: HashMap::new(),
            standing_in: HashSet::new(),
            draft,
        };
        let members = reader.cast(project, root, &home, &mut view)?;
        reader.connect();
        for member in &members {
            reader.ask(member, &document).map_err(at)?;
        }
        let draft = reader.finish(&members);
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// A manifest of the tree, and its input.
pub(super) struct Home {
    pub manifest: Option<(Manifest, u32)>,
}

impl Home {
    /// Reads the manifest of a folder.
    pub fn read(folder: &RepoPath, view: &mut View<'_>) -> Result<Self, (RepoPath, Unread)> {
        let Some(path) = folder.join(MANIFEST) else { return Ok(Self { manifest: None }) };
        let read = view.read(&path).map_err(|error| (path.clone(), error))?;
        let parsed = read.map(|(bytes, input)| manifest::parse(&bytes).map(|manifest| (manifest, input)));
        Ok(Self { manifest: parsed.transpose().map_err(|error| (path, error))? })
    }

    fn overrides(&self) -> &[Override] {
        self.manifest.as_ref().map(|(manifest, _)| &*manifest.overrides).unwrap_or_default()
    }
}

/// The part that an entry plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A package: its number in the draft.
    Package(u32),
    /// A member of the repository itself.
    Member,
    /// A link to another entry.
    Link(u32),
}

/// A member of the repository, with its manifest.
pub(super) struct Member {
    /// Its entry; `None` for the project of a lockfile without an entry for it.
    pub entry: Option<u32>,
    pub root: usize,
    pub home: Home,
}

pub(super) struct Reader<'t> {
    pub form: Form,
    pub tree: &'t Tree<'t>,
    pub input: u32,
    /// Names that the project's manifest puts something else in the place of.
    pub overridden: HashSet<&'t str>,
    /// Whether the project is a workspace.
    pub has_workspaces: bool,
    pub parts: Vec<Part>,
    /// Entries whose archives hold other packages.
    carriers: HashSet<u32>,
    /// Entries that are members: their names, and their folders.
    folders: HashMap<u32, (String, RepoPath)>,
    /// Packages from elsewhere that something asks the registry for.
    standing_in: HashSet<u32>,
    pub draft: Draft,
}

impl<'t> Reader<'t> {
    pub fn span(&self, entry: &Entry<'_>) -> Span {
        Span { input: self.input, line: entry.lines.0, end_line: entry.lines.1 }
    }

    /// Gives every entry its part, and reads the members' manifests.
    fn cast(
        &mut self,
        project: &Project,
        root: &Table<'_>,
        home: &Home,
        view: &mut View<'_>,
    ) -> Result<Vec<Member>, (RepoPath, Unread)> {
        let mut members = Vec::new();
        let own = self.tree.by_path.get("").copied();
        let manifest = home.manifest.as_ref();
        let text =
            |of: Option<&str>, key: &str| of.filter(|t| !t.is_empty()).or(root.text(key)).unwrap_or("").to_owned();
        let name = text(manifest.map(|(manifest, _)| &*manifest.name), "name");
        let version = text(manifest.map(|(manifest, _)| &*manifest.version), "version");
        let span = Span { input: self.input, line: 1, end_line: 1 };
        let number = self.draft.root(&name, &version, &project.path, span);
        members.push(Member { entry: own, root: number, home: Home { manifest: home.manifest.clone() } });
        let mut links = Vec::new();
        for (at, entry) in self.tree.entries.iter().enumerate() {
            let at = at as u32;
            if Some(at) == own {
                self.folders.insert(at, (name.clone(), project.path.clone()));
                self.parts.push(Part::Member);
                continue;
            }
            if entry.is_link {
                links.push(at);
                self.parts.push(Part::Link(at));
                continue;
            }
            if let Some(folder) = self.folder_of(entry, &project.path, view) {
                let home = Home::read(&folder, view)?;
                let manifest = home.manifest.as_ref().map(|(manifest, _)| manifest);
                let name = manifest.map(|manifest| &*manifest.name).filter(|name| !name.is_empty());
                let name = name.or_else(|| entry.table.text("name")).unwrap_or(entry.name);
                let version = manifest.map(|manifest| &*manifest.version).or_else(|| entry.table.text("version"));
                let version = version.unwrap_or_default();
                let root = self.draft.root(name, version, &folder, self.span(entry));
                if entry.resolved.is_some() || entry.table.get("integrity").is_some() {
                    let message = "is a folder of the repository in the lockfile, with what an archive has";
                    if !entry.is_installed {
                        self.draft.disagree(name, message, self.span(entry));
                    }
                }
                self.folders.insert(at, (name.to_owned(), folder));
                members.push(Member { entry: Some(at), root, home });
                self.parts.push(Part::Member);
                continue;
            }
            let mut package = self.package(at, entry);
            if let (_, Some(wrong)) = members::digest(entry.table.text("integrity")) {
                // What else an address carries is not looked at by npm.
                package.checksum = package.checksum.filter(|_| package.source.kind == SourceKind::Git);
                self.draft.disagree(entry.name, wrong, self.span(entry));
            }
            let number = self.draft.package(package);
            self.parts.push(Part::Package(number));
        }
        for link in links {
            self.link(link, &project.path);
        }
        self.unlocked_members(project, &mut members, view)?;
        Ok(members)
    }

    /// Members that the project's manifest names and the lockfile does not hold.
    fn unlocked_members(
        &mut self,
        project: &Project,
        members: &mut Vec<Member>,
        view: &mut View<'_>,
    ) -> Result<(), (RepoPath, Unread)> {
        let manifest = members.first().and_then(|member| member.home.manifest.as_ref());
        let Some((manifest, _)) = manifest.filter(|(manifest, _)| manifest.workspaces.is_some()) else { return Ok(()) };
        let globs: Vec<&str> = manifest.workspaces.iter().flatten().map(|(glob, _)| &**glob).collect();
        let folders = workspace::manifests(view.files());
        let named =
            workspace::members(&globs, &project.path, &folders).map_err(|error| (project.path.clone(), error))?;
        let known: HashSet<RepoPath> =
            self.tree.entries.iter().filter_map(|entry| self.folder_of(entry, &project.path, view)).collect();
        for folder in named.into_iter().filter(|folder| !known.contains(folder)) {
            let home = Home::read(&folder, view)?;
            let Some((manifest, input)) = &home.manifest else { continue };
            let span = Span { input: *input, line: 1, end_line: 1 };
            let name = if manifest.name.is_empty() { folder.as_str() } else { &manifest.name };
            self.draft.disagree(name, "is a member that the lockfile does not hold", span);
            let root = self.draft.root(name, &manifest.version, &folder, span);
            members.push(Member { entry: None, root, home });
        }
        Ok(())
    }

    /// The folder of an entry that is a member: one in no `node_modules`, or version 1's folder with a manifest in it.
    fn folder_of(&self, entry: &Entry<'_>, base: &RepoPath, view: &View<'_>) -> Option<RepoPath> {
        if !entry.is_installed {
            return base.join(entry.key);
        }
        if self.form != Form::Nested {
            return None;
        }
        let Spec::Path(path) = Spec::of(entry.version?) else { return None };
        let folder = base.join(path)?;
        let is_folder = view.files().read(&folder.join(MANIFEST)?).is_ok_and(|file| file.is_some());
        is_folder.then_some(folder)
    }

    /// Settles what a link leads to. One that leads to no entry is a package from that folder.
    fn link(&mut self, at: u32, base: &RepoPath) {
        let Some(entry) = self.tree.entries.get(at as usize) else { return };
        let address = entry.resolved.unwrap_or_default();
        let path = match Spec::of(address) {
            Spec::Path(path) => path,
            _ => address,
        };
        let clean = RepoPath::root().join(path);
        let keys = [Some(path), clean.as_ref().map(RepoPath::as_str)];
        let target = keys.into_iter().flatten().find_map(|key| self.tree.by_path.get(key)).copied();
        let is_link = |target: &u32| matches!(self.parts.get(*target as usize), Some(Part::Link(_)));
        let part = match target.filter(|target| !is_link(target)) {
            Some(target) => Part::Link(target),
            None => {
                let span = self.span(entry);
                let name = entry.table.text("name").unwrap_or(entry.name);
                let folder = base.join(path).map_or_else(|| Cow::Borrowed(path), |f| Cow::Owned(f.to_string()));
                let mut package = Package::new(Ecosystem::Npm, name, "", span);
                (package.source, package.identity) = (Source::path(&folder), Identity::Foreign);
                self.draft.disagree(name, "is a link to a folder that the lockfile does not hold", span);
                Part::Package(self.draft.package(package))
            }
        };
        if let Some(slot) = self.parts.get_mut(at as usize) {
            *slot = part;
        }
    }

    /// What an entry says of its package.
    fn package(&self, at: u32, entry: &Entry<'_>) -> Package {
        let table = entry.table;
        let written = entry.version.unwrap_or_default();
        let (name, version, address) = match self.form {
            Form::Nested => nested(entry),
            _ => (table.text("name").unwrap_or(entry.name), written, entry.resolved.map(Cow::Borrowed)),
        };
        let mut package = Package::new(Ecosystem::Npm, name, version, self.span(entry));
        if name != entry.name {
            package.alias = Some(entry.name.into());
        }
        let integrity = table.text("integrity").and_then(checksum::of_integrity);
        package.checksum = integrity;
        if !entry.is_installed {
            (package.source, package.identity) = (Source::path(entry.key), Identity::Foreign);
        } else if let Some(address) = address.filter(|address| !address.is_empty()) {
            let Resolved { source, identity, contradiction, checksum } = source::resolved(&address, name, version);
            // What pins a git source is its commit: the archive is packed anew by each who fetches it.
            package.checksum = match source.kind {
                SourceKind::Git => checksum.or(package.checksum),
                _ => package.checksum.or(checksum),
            };
            (package.source, package.identity, package.contradiction) = (source, identity, contradiction);
        }
        if entry.version.is_none() && entry.resolved.is_none() && package.checksum.is_none() && entry.is_installed {
            // A place kept for an optional package: nothing says which version would come there.
            (package.version, package.is_locked) = ("*".into(), false);
        }
        package.runs_on_install = table.is("hasInstallScript");
        package.is_bundled = self.is_bundled(at, entry);
        package
    }

    /// Whether an entry says that it lies in the archive of another, and there is one that carries packages and whose
    /// bytes are fixed. The project's own bundle is made of what is fetched one by one.
    fn is_bundled(&self, at: u32, entry: &Entry<'_>) -> bool {
        let key = if self.form == Form::Nested { "bundled" } else { "inBundle" };
        let says_so = entry.resolved.is_none() && entry.table.is(key);
        says_so && self.tree.above(at).any(|above| self.carriers.contains(&above))
    }

    /// Adds the edges between packages.
    fn connect(&mut self) {
        let tree = self.tree;
        let sections: &[&str] = match self.form {
            Form::Nested => &["requires"],
            _ => &["dependencies", "optionalDependencies", "peerDependencies"],
        };
        for (at, entry) in tree.entries.iter().enumerate() {
            let Some(Part::Package(from)) = self.parts.get(at).copied() else { continue };
            for section in sections {
                for member in entry.table.table(section).into_iter().flat_map(Table::members) {
                    let spec = member.value.text();
                    if let Some((target, to)) = self.find(Some(at as u32), &member.key) {
                        self.draft.edge(from, to);
                        if let Some(spec) = spec {
                            self.compare(target, to, &member.key, spec);
                        }
                    } else if let Some(to) = self.replaced(Some(at as u32), &member.key, spec, false) {
                        self.draft.edge(from, to);
                    }
                }
            }
        }
    }

    /// The entry and package that a member or package gets under a name; links are followed.
    pub fn find(&self, from: Option<u32>, name: &str) -> Option<(u32, u32)> {
        let target = self.tree.resolve(from, name)?;
        match self.follow(target) {
            (target, Some(Part::Package(to))) => Some((target, to)),
            _ => None,
        }
    }

    /// A package of the registry in whose place a folder of the repository is. Members may ask for each other by their
    /// own names.
    fn replaced(&mut self, from: Option<u32>, name: &str, spec: Option<&str>, is_member: bool) -> Option<u32> {
        let found = self.tree.resolve(from, name)?;
        let (target, Some(Part::Member)) = self.follow(found) else { return None };
        let spec = Spec::of(spec.unwrap_or_default());
        let wanted = match &spec {
            Spec::Alias(real, _) => real,
            _ => name,
        };
        let (own, folder) = self.folders.get(&target)?;
        if !spec.is_registry() || (is_member && own == wanted) {
            return None;
        }
        let span = self.tree.entries.get(found as usize).map(|entry| self.span(entry)).unwrap_or_default();
        let version = self.tree.entries.get(target as usize).and_then(|entry| entry.table.text("version"));
        // Members of a workspace have a new version with every release: what stands in stays what it is.
        let version = version.filter(|_| !self.has_workspaces && self.form != Form::Nested);
        Some(self.draft.package(members::standing_in(name, version, folder, span)))
    }

    /// An entry's part; that of its target where it is a link.
    pub fn follow(&self, entry: u32) -> (u32, Option<Part>) {
        match self.parts.get(entry as usize) {
            Some(Part::Link(target)) => (*target, self.parts.get(*target as usize).copied()),
            part => (entry, part.copied()),
        }
    }

    /// Looks whether what is found is what is asked for: a package of the registry by its own name.
    pub fn compare(&mut self, target: u32, to: u32, asked: &str, spec: &str) {
        let Some(package) = self.draft.packages().get(to as usize) else { return };
        let is_foreign = package.identity == Identity::Foreign;
        let is_other = *package.name != *asked;
        if !is_foreign && !is_other {
            return;
        }
        let spec = Spec::of(spec);
        if is_foreign && spec.is_registry() {
            self.standing_in.insert(to);
        }
        let wanted = match &spec {
            Spec::Range(_) => asked,
            Spec::Alias(name, _) => name,
            _ => return,
        };
        if *package.name == *wanted {
            return;
        }
        if self.overridden.contains(asked) {
            self.standing_in.insert(to);
        } else if let Some(entry) = self.tree.entries.get(target as usize) {
            let message = format!("is locked as {}, where {wanted} is asked for", package.label());
            let span = self.span(entry);
            self.draft.disagree(asked, message, span);
        }
    }

    /// Notes what a member's manifest asks for.
    fn ask(&mut self, member: &Member, document: &json::Document<'_>) -> Result<(), Unread> {
        let Some((manifest, input)) = &member.home.manifest else {
            self.ask_without_manifest(member);
            return Ok(());
        };
        for dependency in &manifest.dependencies {
            let span = Span { input: *input, line: dependency.line, end_line: dependency.line };
            if let Some((target, to)) = self.find(member.entry, &dependency.name) {
                self.draft.need(member.root, to, dependency.section.scope(), Some(span));
                self.compare(target, to, &dependency.name, &dependency.spec);
            } else if let Some(to) = self.replaced(member.entry, &dependency.name, Some(&dependency.spec), true) {
                self.draft.need(member.root, to, dependency.section.scope(), Some(span));
            }
        }
        agree::member(self, member, manifest, *input, document)
    }

    /// A member whose manifest is not in the tree: what its entry lists is runtime, whichever section it is in.
    fn ask_without_manifest(&mut self, member: &Member) {
        let Some(entry) = member.entry.and_then(|at| self.tree.entries.get(at as usize)) else { return };
        let sections = manifest::Section::ALL.iter().map(|section| section.key()).chain(["requires"]);
        let tables = sections.filter_map(|key| entry.table.table(key));
        for dependency in tables.flat_map(Table::members) {
            let found = self.find(member.entry, &dependency.key).map(|(_, to)| to);
            let spec = dependency.value.text();
            if let Some(to) = found.or_else(|| self.replaced(member.entry, &dependency.key, spec, true)) {
                self.draft.need(member.root, to, crate::model::inventory::Scope::Runtime, None);
            }
        }
    }

    /// The draft, once every part is known.
    fn finish(mut self, members: &[Member]) -> Draft {
        let standing_in = std::mem::take(&mut self.standing_in);
        for number in standing_in {
            if let Some(package) = self.draft.get_mut(number) {
                package.identity = Identity::StandsIn;
            }
        }
        let own = members.first().filter(|member| member.home.manifest.is_none());
        if let Some(own) = own {
            self.draft_orphans(own.root);
        }
        self.draft
    }

    /// Without the project's manifest, what no other package needs is what it asks for.
    fn draft_orphans(&mut self, root: usize) {
        let mut needed: HashSet<u32> = HashSet::new();
        let sections = ["dependencies", "optionalDependencies", "peerDependencies", "requires"];
        for (at, entry) in self.tree.entries.iter().enumerate().filter(|(_, entry)| entry.is_installed) {
            for section in sections.iter().filter(|key| self.form == Form::Nested || **key != "requires") {
                let names = entry.table.table(section).into_iter().flat_map(Table::members);
                needed.extend(names.filter_map(|member| self.find(Some(at as u32), &member.key)).map(|(_, to)| to));
            }
        }
        for number in 0..self.draft.packages().len() as u32 {
            if !needed.contains(&number) {
                self.draft.need(root, number, crate::model::inventory::Scope::Runtime, None);
            }
        }
    }
}

/// Entries that are installed, say that they carry other packages, and are fixed by a digest. Version 1 does not say
/// who carries: there it is what has packages of its own, and is not carried itself.
fn carriers(form: Form, tree: &Tree<'_>) -> HashSet<u32> {
    let mut found = HashSet::new();
    for (at, entry) in tree.entries.iter().enumerate().filter(|(_, entry)| entry.is_installed) {
        let says_so = match form {
            Form::Nested => entry.inside.is_some() && !entry.table.is("bundled"),
            _ => match Bundled::of(entry.table) {
                Bundled::None => false,
                Bundled::All => true,
                Bundled::Names(names) => !names.is_empty(),
            },
        };
        if says_so && entry.table.text("integrity").and_then(checksum::of_integrity).is_some() {
            found.insert(at as u32);
        }
    }
    found
}

/// Name, version and address of an entry of version 1, where the version may be an alias or an address.
pub(super) fn nested<'e>(entry: &Entry<'e>) -> (&'e str, &'e str, Option<Cow<'e, str>>) {
    let (name, written) = (entry.name, entry.version.unwrap_or_default());
    let resolved = entry.resolved.map(Cow::Borrowed);
    match Spec::of(written) {
        Spec::Alias(Cow::Borrowed(real), version) => (real, version, resolved),
        Spec::Git(..) | Spec::Archive(_) | Spec::Other(_) => (name, "", Some(Cow::Borrowed(written))),
        Spec::Path(path) => (name, "", Some(Cow::Owned(format!("file:{path}")))),
        _ => (name, written, resolved),
    }
}
