//! Finds Go's modules and workspaces, and reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::manifest::{self, Manifest, Replace, Require, Said, Target, Work};
use super::name;
use super::sums::{self, Sums};
use super::toolchain;
use super::version::Version;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::{Files, Numbered, View};
use crate::model::checksum::of_h1;
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// A file and why it could not be read.
pub(super) type Failure = (RepoPath, Unread);

const MANIFEST: &str = "go.mod";
const SUMS: &str = "go.sum";
const WORK: &str = "go.work";
const WORK_SUMS: &str = "go.work.sum";

/// File names that concern this format.
pub(super) const FILE_NAMES: &[&str] = &[MANIFEST, SUMS, WORK, WORK_SUMS];

/// Members of the workspaces around one module, at the most: each one's `go.mod` is looked at for its path.
const MAX_MEMBERS: usize = 1_000;

/// Bytes of a package's path that is run as a tool, at the most.
const MAX_PATH: usize = 1_024;

/// The projects of a tree: every `go.mod` and every `go.sum`, and those `go.work` files that no module speaks for.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let folders = |file: &str| -> Vec<RepoPath> { files.named(file).iter().map(RepoPath::parent).collect() };
    let (modules, works) = (folders(MANIFEST), folders(WORK));
    let with_sums: HashSet<RepoPath> = folders(SUMS).into_iter().collect();
    let with_work_sums: HashSet<RepoPath> = folders(WORK_SUMS).into_iter().collect();
    let owners: HashSet<RepoPath> = modules.iter().chain(&works).cloned().collect();
    let known: HashSet<RepoPath> = modules.into_iter().filter(|folder| !is_vendored(folder, &owners)).collect();
    let mut found: BTreeMap<(RepoPath, bool), Project> = BTreeMap::new();
    for folder in known.iter().chain(with_sums.iter().filter(|folder| !is_vendored(folder, &owners))) {
        let manifest = if known.contains(folder) { folder.join(MANIFEST) } else { None };
        let lockfile = if with_sums.contains(folder) { folder.join(SUMS) } else { None };
        let project = Project { path: folder.clone(), ecosystem: Ecosystem::Go, manifest, lockfile };
        found.insert((folder.clone(), false), project);
    }
    for folder in works.into_iter().filter(|folder| !is_vendored(folder, &owners)) {
        if is_spoken_for(&folder, &known, files) {
            continue;
        }
        let lockfile = if with_work_sums.contains(&folder) { folder.join(WORK_SUMS) } else { None };
        let project = Project { path: folder.clone(), ecosystem: Ecosystem::Go, manifest: folder.join(WORK), lockfile };
        found.insert((folder, true), project);
    }
    found.into_values().collect()
}

/// Whether a folder lies in the `vendor` folder of a module or workspace, or below `node_modules`. A folder of that name
/// beside no module is none of Go's, and hides nothing.
fn is_vendored(folder: &RepoPath, owners: &HashSet<RepoPath>) -> bool {
    let mut at = folder.clone();
    while !at.is_root() {
        let parent = at.parent();
        if at.file_name() == "node_modules" || (at.file_name() == "vendor" && owners.contains(&parent)) {
            return true;
        }
        at = parent;
    }
    false
}

/// Whether every member of a workspace is a module that reads the workspace with it: one in the workspace's folder or
/// below. What cannot be read is said when it is read as a project.
fn is_spoken_for(folder: &RepoPath, modules: &HashSet<RepoPath>, files: &dyn Files) -> bool {
    let path = folder.join(WORK);
    let read = path.and_then(|path| files.read(&path).ok().flatten());
    let Some(Ok(work)) = read.map(|(bytes, _)| manifest::read_work(&bytes)) else {
        return false;
    };
    let is_reader = |member: &Said| {
        folder.join(&member.text).is_some_and(|member| member.is_within(folder) && modules.contains(&member))
    };
    !work.uses.is_empty() && work.uses.iter().all(is_reader)
}

/// A workspace that a module is a member of.
struct Workspace {
    folder: RepoPath,
    work: Work,
    input: u32,
    sums: Option<Numbered>,
    /// Folders of members by their module paths.
    members: HashMap<String, RepoPath>,
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let own_sums = match &project.lockfile {
        Some(path) => {
            let missing = || (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned()));
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            Some((path.clone(), found.ok_or_else(missing)?))
        }
        None => None,
    };
    let is_work = project.manifest.as_ref().is_some_and(|path| path.file_name() == WORK);
    let mut draft = Draft::new();
    if is_work {
        let Some(workspace) = workspace(&project.path, None, &mut view, &mut 0)? else {
            let path = project.manifest.clone().unwrap_or_else(RepoPath::root);
            return Err((path, Unread::NotAFile("the workspace is not there".to_owned())));
        };
        let sums = digests(own_sums.as_ref().map(|(path, file)| (path.clone(), file)).into_iter())?;
        of_workspace(&workspace, &sums, &view, &mut draft);
        return Ok(draft.finish(project, view.into_inputs()));
    }
    let Some(path) = &project.manifest else {
        let sums = digests(own_sums.as_ref().map(|(path, file)| (path.clone(), file)).into_iter())?;
        without_manifest(&sums, &mut draft);
        return Ok(draft.finish(project, view.into_inputs()));
    };
    let found = view.read(path).map_err(|error| (path.clone(), error))?;
    let missing = || (path.clone(), Unread::NotAFile("the manifest is not there".to_owned()));
    let (bytes, input) = found.ok_or_else(missing)?;
    let manifest = manifest::read(&bytes).map_err(|error| (path.clone(), error))?;
    let workspaces = workspaces(&project.path, &mut view)?;
    let own = own_sums.as_ref().map(|(path, file)| (path.clone(), file));
    let shared = workspaces.iter().filter_map(|workspace| {
        let path = workspace.folder.join(WORK_SUMS)?;
        workspace.sums.as_ref().map(|file| (path, file))
    });
    let sums = digests(own.into_iter().chain(shared))?;
    let module = Module { folder: &project.path, manifest: &manifest, input, workspaces: &workspaces, sums: &sums };
    module.draft(project.lockfile.is_some(), &mut draft);
    Ok(draft.finish(project, view.into_inputs()))
}

/// The workspaces that a module is a member of, the nearest first. The go command takes the nearest `go.work` above a
/// folder; an outer one that names the folder all the same is taken in as well, since the module is built from there too.
fn workspaces(folder: &RepoPath, view: &mut View<'_>) -> Result<Vec<Workspace>, Failure> {
    let mut found = Vec::new();
    let mut members = 0;
    let mut at = folder.clone();
    loop {
        found.extend(workspace(&at, Some(folder), view, &mut members)?);
        if at.is_root() {
            return Ok(found);
        }
        at = at.parent();
    }
}

/// The workspace of a folder, where there is one, and where it has the member that is asked for.
fn workspace(
    folder: &RepoPath,
    member: Option<&RepoPath>,
    view: &mut View<'_>,
    count: &mut usize,
) -> Result<Option<Workspace>, Failure> {
    let Some(path) = folder.join(WORK) else { return Ok(None) };
    let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else {
        return Ok(None);
    };
    let work = manifest::read_work(&bytes).map_err(|error| (path.clone(), error))?;
    let folders: Vec<RepoPath> = work.uses.iter().filter_map(|used| folder.join(&used.text)).collect();
    if member.is_some_and(|member| !folders.contains(member)) {
        return Ok(None);
    }
    *count += folders.len();
    if *count > MAX_MEMBERS {
        let what = "the workspace, in members,".to_owned();
        return Err((path, Unread::TooLarge { what, size: *count as u64, cap: MAX_MEMBERS as u64 }));
    }
    let mut members = HashMap::new();
    for each in folders {
        let Some(path) = each.join(MANIFEST) else { continue };
        let found = view.read(&path).map_err(|error| (path.clone(), error))?;
        if let Some((bytes, _)) = found
            && let Some(module) = manifest::module_of(&bytes).map_err(|error| (path, error))?
        {
            members.entry(module).or_insert(each);
        }
    }
    let sums = match folder.join(WORK_SUMS) {
        Some(path) => view.read(&path).map_err(|error| (path, error))?,
        None => None,
    };
    Ok(Some(Workspace { folder: folder.clone(), work, input, sums, members }))
}

/// Digests of several files, each with the input that holds it; the first file counts first.
type Digests<'a> = Vec<(Sums<'a>, u32)>;

fn digests<'a>(files: impl Iterator<Item = (RepoPath, &'a Numbered)>) -> Result<Digests<'a>, Failure> {
    files.map(|(path, (bytes, input))| Ok((sums::read(bytes).map_err(|error| (path, error))?, *input))).collect()
}

fn checksum(sums: &Digests<'_>, path: &str, version: &str) -> Option<Box<str>> {
    sums.iter().find_map(|(sums, _)| sums.get(path, version)?.files).and_then(of_h1)
}

fn span(input: u32, line: u32) -> Span {
    Span { input, line, end_line: line }
}

/// A module of the public proxy, with its digest.
fn public(path: &str, version: &str, span: Span, sums: &Digests<'_>) -> Package {
    Package {
        is_locked: name::is_canonical(version),
        checksum: checksum(sums, path, version),
        ..Package::new(Ecosystem::Go, path, &canonical(version), span)
    }
}

/// A version without build metadata other than the mark for versions that are older than modules: the go command drops
/// the rest.
fn canonical(version: &str) -> String {
    match version.split_once('+') {
        Some((before, build)) if build != "incompatible" => before.to_owned(),
        _ => version.to_owned(),
    }
}

/// What takes a module's place, with the file and the folder that say so.
#[derive(Clone, Copy)]
struct StandIn<'m> {
    replace: &'m Replace,
    input: u32,
    base: &'m RepoPath,
}

/// Replacements of one file, by module path and version.
struct Replaces<'m> {
    known: HashMap<(&'m str, Option<&'m str>), StandIn<'m>>,
}

impl<'m> Replaces<'m> {
    fn new(replaces: &'m [Replace], input: u32, base: &'m RepoPath) -> Self {
        let entry =
            |replace: &'m Replace| ((&*replace.path, replace.version.as_deref()), StandIn { replace, input, base });
        Self { known: replaces.iter().map(entry).collect() }
    }

    /// A replacement of the one version counts before one of every version.
    fn of(&self, path: &str, version: &str) -> Option<StandIn<'m>> {
        self.known.get(&(path, Some(version))).or_else(|| self.known.get(&(path, None))).copied()
    }
}

/// Modules that a manifest asks for.
type Required<'m> = HashMap<&'m str, Listed<'m>>;

/// What a manifest asks for under one module path.
struct Listed<'m> {
    latest: &'m str,
    packages: Vec<u32>,
}

impl<'m> Listed<'m> {
    const fn new(latest: &'m str) -> Self {
        Self { latest, packages: Vec::new() }
    }
}

/// A module with all that speaks of it.
struct Module<'m> {
    folder: &'m RepoPath,
    manifest: &'m Manifest,
    input: u32,
    workspaces: &'m [Workspace],
    sums: &'m Digests<'m>,
}

impl Module<'_> {
    fn draft(&self, has_sums: bool, draft: &mut Draft) {
        let own = self.manifest.module.as_ref();
        let name = own.map_or_else(|| self.folder.file_name(), |module| &module.text);
        let at = span(self.input, own.map_or(0, |module| module.line));
        let root = draft.root(name, "", self.folder, at);
        let (go, chosen) = (self.manifest.go.as_ref(), self.manifest.toolchain.as_ref());
        toolchain::draft((go, chosen), self.input, Some(root), draft);
        // Replacements of a workspace count before those of a module.
        let mut replaces: Vec<Replaces<'_>> =
            self.workspaces.iter().map(|w| Replaces::new(&w.work.replaces, w.input, &w.folder)).collect();
        replaces.push(Replaces::new(&self.manifest.replaces, self.input, self.folder));
        let excluded: HashSet<(&str, &str)> =
            self.manifest.excludes.iter().map(|(path, version)| (&**path, &**version)).collect();
        let mut required: Required<'_> = HashMap::new();
        for require in &self.manifest.requires {
            let declared = span(self.input, require.line);
            let package = self.require(require, &replaces, has_sums, draft);
            if !require.is_indirect {
                draft.need(root, package, Scope::Runtime, Some(declared));
            }
            if excluded.contains(&(&*require.path, &*require.version)) {
                let message = format!("asks for {}, which an `exclude` leaves out", require.version);
                draft.disagree(&require.path, message, declared);
            }
            if !name::fits(&require.path, &require.version) {
                let message = format!("asks for {}, which is not of the major version in its path", require.version);
                draft.disagree(&require.path, message, declared);
            }
            let listed = required.entry(&require.path).or_insert_with(|| Listed::new(&require.version));
            if listed.latest != require.version {
                let message = format!("asks for {} and for {}", listed.latest, require.version);
                draft.disagree(&require.path, message, declared);
            }
            if is_later(&require.version, listed.latest) {
                listed.latest = &require.version;
            }
            listed.packages.push(package);
        }
        self.tools(root, &required, draft);
        self.idle(&required, draft);
        self.unlisted(&required, draft);
        for (sums, input) in self.sums {
            contradictions(sums, *input, draft);
        }
    }

    /// A module that is asked for, or what takes its place.
    fn require(&self, require: &Require, replaces: &[Replaces<'_>], has_sums: bool, draft: &mut Draft) -> u32 {
        let at = span(self.input, require.line);
        let (path, version) = (&*require.path, &*require.version);
        // Members of a workspace are built from their folders, whatever version is asked for.
        if let Some(folder) = self.workspaces.iter().find_map(|workspace| workspace.members.get(path)) {
            return draft.package(Package {
                source: Source::path(&folder.to_string()),
                identity: Identity::StandsIn,
                ..public(path, version, at, &Vec::new())
            });
        }
        let stand_in = replaces.iter().find_map(|replaces| replaces.of(path, version));
        let Some(stand_in) = stand_in else {
            self.expect_digest(path, version, has_sums, at, draft);
            return draft.package(public(path, version, at, self.sums));
        };
        if let Target::Module(other, version) = &stand_in.replace.with {
            let at = span(stand_in.input, stand_in.replace.line);
            self.expect_digest(other, version, has_sums, at, draft);
        }
        replaced(stand_in, version, at, self.sums, draft)
    }

    /// The go command writes a digest for each module that it looks at. That of its `go.mod` is enough where no package
    /// of it is built.
    fn expect_digest(&self, path: &str, version: &str, has_sums: bool, at: Span, draft: &mut Draft) {
        let is_known = |(sums, _): &(Sums<'_>, u32)| {
            sums.get(path, version).is_some_and(|sum| sum.files.is_some() || sum.has_manifest)
        };
        if has_sums && name::is_canonical(version) && !self.sums.iter().any(is_known) {
            draft.disagree(path, format!("asks for {version}, and go.sum holds no digest of it"), at);
        }
    }

    /// Modules whose packages are run as tools. The `// indirect` beside them is a note that anybody can write, and the
    /// module's own packages may import what its tools come from: so they are build *and* runtime.
    fn tools(&self, root: usize, required: &Required<'_>, draft: &mut Draft) {
        let mut done: HashSet<&str> = HashSet::new();
        for tool in &self.manifest.tools {
            let at = span(self.input, tool.line);
            let is_own = self.manifest.module.as_ref().is_some_and(|own| is_below(&tool.text, &own.text));
            match holder(&tool.text, required) {
                Some((path, listed)) if done.insert(path) => {
                    for package in &listed.packages {
                        draft.need(root, *package, Scope::Build, Some(at));
                        draft.need(root, *package, Scope::Runtime, Some(at));
                    }
                }
                Some(_) => {}
                None if is_own || self.is_of_workspace(&tool.text) || is_standard(&tool.text) => {}
                None => draft.disagree(&tool.text, "is run as a tool, and no module that is asked for holds it", at),
            }
        }
    }

    fn is_of_workspace(&self, tool: &str) -> bool {
        self.workspaces.iter().flat_map(|workspace| workspace.members.keys()).any(|member| is_below(tool, member))
    }

    /// Replacements of modules that nothing here asks for. Another module of the workspace may ask for them, or the
    /// next change; so they are said from the start. One of a single version, of a module that is asked for in
    /// another, does nothing.
    fn idle(&self, required: &Required<'_>, draft: &mut Draft) {
        for replace in self.manifest.replaces.iter().filter(|replace| !required.contains_key(&*replace.path)) {
            let stand_in = StandIn { replace, input: self.input, base: self.folder };
            idle(stand_in, self.sums, draft);
        }
    }

    /// Before Go 1.17, `go.mod` does not list what only other modules need (Go Modules Reference, "Module graph
    /// pruning"). The digests of files in `go.sum` name what was downloaded to be built: each such version is judged,
    /// unless `go.mod` asks for the same module in that version or a later one.
    fn unlisted(&self, required: &Required<'_>, draft: &mut Draft) {
        if self.manifest.go.as_ref().is_some_and(|go| !toolchain::is_before(&go.text, 17)) {
            return;
        }
        let Some((sums, input)) = self.sums.first() else { return };
        let known: HashSet<(String, String)> =
            draft.packages().iter().map(|package| (package.name.to_string(), package.version.to_string())).collect();
        let replaced: HashSet<&str> = self.manifest.replaces.iter().map(|replace| &*replace.path).collect();
        for (path, version) in &sums.order {
            let Some(sum) = sums.get(path, version).filter(|sum| sum.files.is_some()) else { continue };
            let is_covered =
                required.get(path).is_some_and(|listed| !is_later(version, listed.latest) || replaced.contains(path));
            let is_known = known.contains(&((*path).to_owned(), (*version).to_owned()));
            if !is_covered && !is_known && *path != toolchain::MODULE {
                draft.package(public(path, version, span(*input, sum.line), self.sums));
            }
        }
    }
}

/// The module that holds a package: the one with the longest path, of those that are asked for.
fn holder<'p, 'r>(package: &'p str, required: &'r Required<'_>) -> Option<(&'p str, &'r Listed<'r>)> {
    // Each step looks a whole path up: long ones are no module's.
    let mut path = Some(package).filter(|path| path.len() <= MAX_PATH)?;
    loop {
        if let Some(listed) = required.get(path) {
            return Some((path, listed));
        }
        path = path.rsplit_once('/')?.0;
    }
}

fn is_later(a: &str, b: &str) -> bool {
    match (Version::parse(a), Version::parse(b)) {
        (Some(a), Some(b)) => a.cmp_precedence(&b).is_gt(),
        _ => true,
    }
}

fn is_below(package: &str, module: &str) -> bool {
    package.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a package is of the standard library: no host is in its path.
fn is_standard(package: &str) -> bool {
    !package.split('/').next().unwrap_or_default().contains('.')
}

/// A package that something else takes the place of, asked for in a version. It keeps its name, by which advisories know
/// it. Where another version of itself takes its place, that version is what it is. Where another module does, that
/// module is a package as well, with its own name for advisories, and the address is `path@version`.
fn replaced(stand_in: StandIn<'_>, version: &str, at: Span, sums: &Digests<'_>, draft: &mut Draft) -> u32 {
    let path = &*stand_in.replace.path;
    let there = span(stand_in.input, stand_in.replace.line);
    match &stand_in.replace.with {
        Target::Folder(folder) => {
            let inside = stand_in.base.join(folder).map(|folder| folder.to_string());
            draft.package(Package {
                source: Source::path(inside.as_deref().unwrap_or(folder)),
                identity: Identity::StandsIn,
                ..public(path, version, at, &Vec::new())
            })
        }
        Target::Module(other, new) if other == path => draft.package(public(path, new, there, sums)),
        Target::Module(other, new) => {
            let other_package = Package { alias: Some(path.into()), ..public(other, new, there, sums) };
            let checksum = other_package.checksum.clone();
            let to = draft.package(other_package);
            let from = draft.package(Package {
                source: Source::registry(&format!("{other}@{new}")),
                identity: Identity::StandsIn,
                checksum,
                ..public(path, version, at, &Vec::new())
            });
            draft.edge(from, to);
            from
        }
    }
}

/// A replacement of a module that nothing asks for: its version is the one that is replaced, or unknown.
fn idle(stand_in: StandIn<'_>, sums: &Digests<'_>, draft: &mut Draft) {
    let version = stand_in.replace.version.as_deref().unwrap_or("*");
    replaced(stand_in, version, span(stand_in.input, stand_in.replace.line), sums, draft);
}

/// Two digests of one version: the go command takes the first, and fails where it meets the other.
fn contradictions(sums: &Sums<'_>, input: u32, draft: &mut Draft) {
    for (path, version) in &sums.order {
        if let Some(sum) = sums.get(path, version).filter(|sum| sum.other > 0) {
            draft.disagree(path, format!("has two digests for {version}"), span(input, sum.other));
        }
    }
}

/// A `go.sum` alone: what has a digest of its files.
fn without_manifest(sums: &Digests<'_>, draft: &mut Draft) {
    for (file, input) in sums {
        for (path, version) in &file.order {
            let Some(sum) = file.get(path, version).filter(|sum| sum.files.is_some()) else { continue };
            if *path != toolchain::MODULE {
                let package = public(path, version, span(*input, sum.line), sums);
                draft.package(Package { direct: true, ..package });
            }
        }
        contradictions(file, *input, draft);
    }
}

/// A workspace that no module reads: its toolchain, its replacements, and members that are not there.
fn of_workspace(workspace: &Workspace, sums: &Digests<'_>, view: &View<'_>, draft: &mut Draft) {
    let work = &workspace.work;
    toolchain::draft((work.go.as_ref(), work.toolchain.as_ref()), workspace.input, None, draft);
    for replace in &work.replaces {
        idle(StandIn { replace, input: workspace.input, base: &workspace.folder }, sums, draft);
    }
    let modules: HashSet<RepoPath> = view.named(MANIFEST).into_iter().collect();
    for used in &work.uses {
        let path = workspace.folder.join(&used.text);
        let message = match &path {
            None => "is used as a member, and lies outside of the repository",
            Some(folder) if folder.join(MANIFEST).is_none_or(|path| !modules.contains(&path)) => {
                "is used as a member, and holds no go.mod"
            }
            Some(_) => continue,
        };
        draft.disagree(&used.text, message, span(workspace.input, used.line));
    }
    for (sums, input) in sums {
        contradictions(sums, *input, draft);
    }
}
