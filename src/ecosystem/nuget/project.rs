//! Finds NuGet's projects and reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lockfile::{self, Framework, Locked};
use super::msbuild::{self, Budget, CENTRAL, Evaluated, Failure, Item, Kind, Unresolved};
use super::version::{compare, minimum, requirement};
use super::{NuGet, listed, settings};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::{FileKind, Files, Rules as _, View, claimed};
use crate::model::inventory::{Inventory, Package, Project, Scope, Scopes, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of a lockfile.
const LOCKFILE: &str = "packages.lock.json";

/// Ends of the names of project files.
const PROJECTS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

/// Ends of the names of other files of MSBuild that can be built and hold items. Other tools use some of these names
/// as well, and a lockfile beside one is that of a real project.
const OTHERS: [&str; 13] = [
    ".proj",
    ".vcxproj",
    ".sqlproj",
    ".wixproj",
    ".msbuildproj",
    ".esproj",
    ".nfproj",
    ".ilproj",
    ".pyproj",
    ".njsproj",
    ".ccproj",
    ".sfproj",
    ".nativeproj",
];

/// Projects that refer to each other, of one project.
const MAX_PROJECTS: usize = 512;

/// Bytes that the addresses of all sources of one project may take.
const MAX_ADDRESSES: usize = 1 << 12;

fn is_project(path: &RepoPath) -> bool {
    PROJECTS.iter().any(|end| path.file_name().ends_with(end))
}

fn is_other(path: &RepoPath) -> bool {
    OTHERS.iter().any(|end| path.file_name().ends_with(end))
}

/// Whether a file looks like XML. What cannot be read does: reading it says so.
fn is_xml(path: &RepoPath, files: &dyn Files) -> bool {
    let Ok(found) = files.read(path) else { return true };
    let Some((bytes, _)) = found else { return false };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'<' | 0xfe | 0xff))
}

/// The file's name without the end that makes it a project.
fn stem(path: &RepoPath) -> &str {
    let name = path.file_name();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The project files that a lockfile speaks for, among those of its folder. A lockfile that is named after a project
/// speaks for that one; the plain one for all others.
fn spoken_for<'p>(lockfile: &RepoPath, beside: &[&'p RepoPath], locks: &HashSet<RepoPath>) -> Vec<&'p RepoPath> {
    let own = |project: &RepoPath| {
        let name = format!("packages.{}.lock.json", stem(project).replace(' ', "_"));
        project.parent().join(&name)
    };
    let is_plain = lockfile.file_name() == LOCKFILE;
    let fits = |project: &&&RepoPath| match own(project) {
        Some(own) if locks.contains(&own) => own == *lockfile,
        _ => is_plain,
    };
    beside.iter().filter(fits).copied().collect()
}

/// The projects of a tree.
pub(super) fn projects(files: &dyn Files, kinds: &[FileKind]) -> Vec<Project> {
    let paths = claimed(files, kinds);
    let paths: Vec<RepoPath> =
        paths.into_iter().filter(|path| path.parts().all(|part| part != "node_modules")).collect();
    let paths: Vec<RepoPath> = paths.into_iter().filter(|path| !is_other(path) || is_xml(path, files)).collect();
    let is_lock = |path: &&RepoPath| path.file_name().ends_with(".lock.json");
    let locks: HashSet<RepoPath> = paths.iter().filter(is_lock).cloned().collect();
    let mut beside: BTreeMap<RepoPath, Vec<&RepoPath>> = BTreeMap::new();
    for path in paths.iter().filter(|path| is_project(path)) {
        beside.entry(path.parent()).or_default().push(path);
    }
    // Every folder with a project somewhere below it.
    let mut above: HashSet<RepoPath> = HashSet::new();
    for folder in beside.keys() {
        let mut at = folder.clone();
        while above.insert(at.clone()) && !at.is_root() {
            at = at.parent();
        }
    }
    let mut covered: HashSet<&RepoPath> = HashSet::new();
    let mut found = Vec::new();
    let project = |path: RepoPath, manifest: Option<&RepoPath>, lockfile: Option<&RepoPath>| Project {
        path,
        ecosystem: Ecosystem::NuGet,
        manifest: manifest.cloned(),
        lockfile: lockfile.cloned(),
    };
    for lockfile in paths.iter().filter(is_lock) {
        let folder = lockfile.parent();
        let own = spoken_for(lockfile, beside.get(&folder).map(Vec::as_slice).unwrap_or_default(), &locks);
        found.push(project(folder, own.first().copied(), Some(lockfile)));
        covered.extend(own);
    }
    for path in paths.iter().filter(|path| !is_lock(path) && !covered.contains(path)) {
        let mut folder = path.parent();
        if path.file_name() == CENTRAL && above.contains(&folder) {
            continue;
        }
        if folder.file_name() == ".config" {
            folder = folder.parent();
        }
        found.push(project(folder, Some(path), None));
    }
    found
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    match (&project.lockfile, &project.manifest) {
        (Some(lockfile), _) => locked(project, lockfile, &mut draft, &mut view)?,
        (None, Some(manifest)) if is_project(manifest) || is_other(manifest) || manifest.file_name() == CENTRAL => {
            unlocked(project, manifest, &mut draft, &mut view)?;
        }
        (None, Some(manifest)) => {
            let fail = |error| (manifest.clone(), error);
            let Some((bytes, input)) = view.read(manifest).map_err(fail)? else {
                return Err(fail(Unread::NotAFile("the file is not there".to_owned())));
            };
            let root = draft.root(manifest.file_name(), "", &project.path, Span { input, line: 1, end_line: 1 });
            for listed in listed::parse(manifest, &bytes).map_err(fail)? {
                let span = Span { input, line: listed.line, end_line: listed.line };
                let number = draft.package(package(&listed.name, &listed.version, &Source::public(), span));
                draft.need(root, number, listed.scope, Some(span));
            }
        }
        (None, None) => {
            return Err((project.path.clone(), Unread::NotAFile("there is no manifest".to_owned())));
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// A package at the version that a manifest asks for.
fn package(name: &str, version: &str, source: &Source, span: Span) -> Package {
    let (version, is_locked) = requirement(version);
    let name = name.to_lowercase();
    Package { is_locked, source: source.clone(), ..Package::new(Ecosystem::NuGet, &name, version, span) }
}

fn span(item: &Item) -> Span {
    Span { input: item.input, line: item.line, end_line: item.line }
}

fn scope(item: &Item) -> Scope {
    match item.kind {
        // What is private to the project and its build: analysers, generators, tasks. They run where it is built.
        Kind::Package if item.is_private => Scope::Build,
        Kind::Package | Kind::Central | Kind::Project => Scope::Runtime,
        Kind::Global | Kind::Tool => Scope::Build,
    }
}

/// What the manifests of one project ask for.
struct Asked<'e> {
    evaluated: &'e Evaluated,
    /// Central versions by name, in lower case.
    central: HashMap<String, Vec<String>>,
    /// Versions that an `Update` gives, by name.
    updated: HashMap<String, Vec<String>>,
}

impl<'e> Asked<'e> {
    fn new(evaluated: &'e Evaluated) -> Result<Self, Unread> {
        let (mut central, mut updated) = (HashMap::new(), HashMap::new());
        for item in &evaluated.items {
            let versions: &mut HashMap<String, Vec<String>> = match item.kind {
                Kind::Central => &mut central,
                Kind::Package if item.is_update => &mut updated,
                _ => continue,
            };
            let Some(raw) = &item.version else { continue };
            let texts = evaluated.texts(raw)?;
            for name in evaluated.names(item)? {
                let known = versions.entry(name.to_lowercase()).or_default();
                known.extend(texts.iter().cloned());
                known.sort();
                known.dedup();
            }
        }
        Ok(Self { evaluated, central, updated })
    }

    /// Every name that an item asks for, with every version it may be.
    fn of(&self, item: &Item) -> Result<Vec<(String, Vec<String>)>, Unread> {
        let own = match &item.version {
            Some(raw) => self.evaluated.texts(raw)?,
            None => Vec::new(),
        };
        let mut found = Vec::new();
        for name in self.evaluated.names(item)? {
            let lower = name.to_lowercase();
            let mut versions = own.clone();
            if item.kind == Kind::Package && !item.is_update && versions.is_empty() {
                let known = self.updated.get(&lower).or_else(|| self.central.get(&lower));
                versions.extend(known.into_iter().flatten().cloned());
            }
            // A download may ask for several at once.
            let mut versions: Vec<String> = match item.kind {
                Kind::Tool => versions.iter().flat_map(|v| v.split(';')).map(str::to_owned).collect(),
                _ => versions,
            };
            versions.dedup();
            found.push((name, versions));
        }
        Ok(found)
    }

    /// Items that ask for packages. An `Update` without a version changes but how one is used.
    fn items(&self) -> impl Iterator<Item = &'e Item> {
        let asks = |item: &&Item| match item.kind {
            Kind::Package => !item.is_update || item.version.is_some(),
            Kind::Global | Kind::Tool => !item.is_update,
            Kind::Central | Kind::Project => false,
        };
        self.evaluated.items.iter().filter(asks)
    }
}

/// Where the packages of a project come from: the public registry, unless its files name sources. Those do not say
/// which package comes from which, so all of them together, as written, are the source of each.
fn source(evaluated: &Evaluated, folder: &RepoPath, view: &mut View<'_>) -> Result<Source, Unread> {
    let mut all: Vec<String> = Vec::new();
    for name in ["RestoreSources", "RestoreAdditionalProjectSources"] {
        all.extend(parts(evaluated, name)?);
    }
    for file in parts(evaluated, "RestoreConfigFile")? {
        let path = msbuild::located(folder, &file);
        // One that is not there or cannot be read is said to be named, and no more is known of it.
        if let Some(path) = path
            && let Ok(Some((bytes, _))) = view.read(&path)
        {
            all.extend(settings::sources(&bytes)?);
        }
    }
    all.sort();
    all.dedup();
    let size: usize = all.iter().map(String::len).sum();
    if size > MAX_ADDRESSES {
        let what = "the addresses of sources, in bytes,".to_owned();
        return Err(Unread::TooLarge { what, size: size as u64, cap: MAX_ADDRESSES as u64 });
    }
    Ok(if all.is_empty() { Source::public() } else { Source::registry(&all.join(" ")) })
}

/// The parts of every value of a property that is a list.
fn parts(evaluated: &Evaluated, name: &str) -> Result<Vec<String>, Unread> {
    let own = format!("$({name})");
    let mut all = Vec::new();
    for text in evaluated.property(name)? {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty() && !part.eq_ignore_ascii_case(&own));
        all.extend(parts.map(str::to_owned));
    }
    Ok(all)
}

/// Says what else the files take packages or code from: configuration, folders of packages that were fetched before,
/// and imports that cannot be told.
fn doubts(evaluated: &Evaluated, span: Span, draft: &mut Draft) -> Result<(), Unread> {
    for name in [
        "RestoreConfigFile",
        "RestoreFallbackFolders",
        "RestoreAdditionalProjectFallbackFolders",
        "RestorePackagesPath",
    ] {
        for text in parts(evaluated, name)? {
            let message = format!("is set to {text}, and packages may come from there");
            draft.disagree(name, message, span);
        }
    }
    for Unresolved { text, input, line } in &evaluated.unresolved {
        let span = Span { input: *input, line: *line, end_line: *line };
        draft.disagree("Import", format!("imports {text}, and it cannot be told which file that is"), span);
    }
    Ok(())
}

/// Adds the SDKs that the files name with a version, or whose version `global.json` gives. Those without come with the
/// toolchain.
fn sdks(
    evaluated: &Evaluated,
    root: usize,
    source: &Source,
    draft: &mut Draft,
    folder: &RepoPath,
    view: &mut View<'_>,
) -> Result<(), Failure> {
    let mut versions = HashMap::new();
    if evaluated.sdks.iter().any(|sdk| sdk.version.is_none())
        && let Some(path) = msbuild::above("global.json", folder, view)?
        && let Some((bytes, _)) = view.read(&path).map_err(|error| (path.clone(), error))?
    {
        versions = settings::sdks(&bytes).map_err(|error| (path, error))?;
    }
    for sdk in &evaluated.sdks {
        let Some(version) = sdk.version.as_ref().or_else(|| versions.get(&sdk.name.to_lowercase())) else { continue };
        let span = Span { input: sdk.input, line: sdk.line, end_line: sdk.line };
        let number = draft.package(package(&sdk.name, version, source, span));
        draft.need(root, number, Scope::Build, Some(span));
    }
    Ok(())
}

fn unlocked(project: &Project, manifest: &RepoPath, draft: &mut Draft, view: &mut View<'_>) -> Result<(), Failure> {
    let fail = |error| (manifest.clone(), error);
    let evaluated = msbuild::evaluate(std::slice::from_ref(manifest), &project.path, view, &mut Budget::default())?;
    let Some((_, input)) = view.read(manifest).map_err(fail)? else {
        return Err(fail(Unread::NotAFile("the project is not there".to_owned())));
    };
    let root = draft.root(stem(manifest), "", &project.path, Span { input, line: 1, end_line: 1 });
    let asked = Asked::new(&evaluated).map_err(fail)?;
    let source = source(&evaluated, &project.path, view).map_err(fail)?;
    doubts(&evaluated, Span { input, line: 1, end_line: 1 }, draft).map_err(fail)?;
    for item in asked.items() {
        for (name, versions) in asked.of(item).map_err(fail)? {
            let open = ["*".to_owned()];
            for version in if versions.is_empty() { &open[..] } else { &versions } {
                let number = draft.package(package(&name, version, &source, span(item)));
                draft.need(root, number, scope(item), Some(span(item)));
            }
        }
    }
    // Central versions say what packages get that others bring along where they are pinned, and are all that there is
    // to say of a file that no project in the repository uses.
    let is_alone = manifest.file_name() == CENTRAL;
    let pinned = evaluated.property("CentralPackageTransitivePinningEnabled").map_err(fail)?;
    if is_alone || pinned.iter().any(|value| value.eq_ignore_ascii_case("true")) {
        for item in evaluated.items.iter().filter(|item| item.kind == Kind::Central) {
            for (name, versions) in asked.of(item).map_err(fail)? {
                for version in versions {
                    draft.package(package(&name, &version, &source, span(item)));
                }
            }
        }
    }
    sdks(&evaluated, root, &source, draft, &project.path, view)
}

fn locked(project: &Project, lockfile: &RepoPath, draft: &mut Draft, view: &mut View<'_>) -> Result<(), Failure> {
    let fail = |error| (lockfile.clone(), error);
    let Some((bytes, input)) = view.read(lockfile).map_err(fail)? else {
        return Err(fail(Unread::NotAFile("the lockfile is not there".to_owned())));
    };
    let frameworks = lockfile::parse(&bytes).map_err(fail)?;
    let manifests = manifests_of(project, lockfile, view);
    let mut budget = Budget::default();
    let evaluated = msbuild::evaluate(&manifests, &project.path, view, &mut budget)?;
    let source = source(&evaluated, &project.path, view).map_err(fail)?;
    doubts(&evaluated, Span { input, line: 1, end_line: 1 }, draft).map_err(fail)?;
    let asked = Asked::new(&evaluated).map_err(fail)?;
    let name = project.manifest.as_ref().map_or(lockfile.file_name(), stem);
    let root = draft.root(name, "", &project.path, Span { input, line: 1, end_line: 1 });
    let mut lock = Lock::write(&frameworks, input, &source, draft);
    let is_single = manifests.len() == 1;
    let locals = if manifests.is_empty() { None } else { locals(&manifests, &evaluated, view, &mut budget)? };
    for item in asked.items() {
        for (name, versions) in asked.of(item).map_err(fail)? {
            let lower = name.to_lowercase();
            let numbers = lock.by_name.get(&lower).map(Vec::as_slice).unwrap_or_default();
            for number in numbers {
                draft.need(root, *number, scope(item), Some(span(item)));
            }
            lock.asked.insert(lower.clone());
            if item.kind != Kind::Tool && lock.is_project(&lower) {
                let is_sure = is_single && !item.is_conditional && !item.is_update;
                // Projects stand in for packages by a condition.
                if is_sure || !locals.as_ref().is_some_and(|locals| locals.contains(&lower)) {
                    let message = "is asked for as a package, and locked as a project";
                    draft.disagree(&lower, message, span(item));
                }
            }
            // Downloads and tools are restored beside the lockfile.
            if item.kind == Kind::Tool {
                for version in &versions {
                    let number = draft.package(package(&name, version, &source, span(item)));
                    draft.need(root, number, Scope::Build, Some(span(item)));
                }
            } else if is_single
                && !item.is_conditional
                && !item.is_update
                && !evaluated.removed.contains(&lower)
                && NuGet.is_name(&name)
            {
                lock.check(&lower, &versions, span(item), draft);
            }
        }
    }
    lock.rest(root, input, locals.as_ref(), draft);
    sdks(&evaluated, root, &source, draft, &project.path, view)
}

/// The project files that a lockfile speaks for.
fn manifests_of(project: &Project, lockfile: &RepoPath, view: &View<'_>) -> Vec<RepoPath> {
    let folder = &project.path;
    let in_folder = |path: &&RepoPath| path.parent() == *folder;
    let inside: Vec<&RepoPath> = view
        .files()
        .paths()
        .filter(|path| is_project(path) || path.file_name().ends_with(".lock.json"))
        .filter(in_folder)
        .collect();
    let (projects, locks): (Vec<&RepoPath>, Vec<&RepoPath>) = inside.into_iter().partition(|path| is_project(path));
    let locks: HashSet<RepoPath> = locks.into_iter().cloned().collect();
    spoken_for(lockfile, &projects, &locks).into_iter().cloned().collect()
}

/// The lockfile's packages in the draft.
struct Lock<'l> {
    frameworks: &'l [Framework],
    /// Numbers of packages by name, over all frameworks.
    by_name: HashMap<String, Vec<u32>>,
    /// Entries by name.
    entries: HashMap<&'l str, Vec<&'l Locked>>,
    /// The number of every entry that is a package, in the order of the file.
    numbers: Vec<Vec<Option<u32>>>,
    /// Names that a manifest asks for.
    asked: HashSet<String>,
}

impl<'l> Lock<'l> {
    fn write(frameworks: &'l [Framework], input: u32, source: &Source, draft: &mut Draft) -> Self {
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        let mut entries: HashMap<&str, Vec<&Locked>> = HashMap::new();
        let mut numbers: Vec<Vec<Option<u32>>> = Vec::new();
        for framework in frameworks {
            let mut row = Vec::with_capacity(framework.entries.len());
            for entry in &framework.entries {
                entries.entry(&entry.name).or_default().push(entry);
                row.push(entry.version.as_ref().map(|version| {
                    let span = Span { input, line: entry.line, end_line: entry.line };
                    let number = draft.package(Package {
                        source: source.clone(),
                        checksum: entry.checksum.clone(),
                        ..Package::new(Ecosystem::NuGet, &entry.name, version, span)
                    });
                    by_name.entry(entry.name.clone()).or_default().push(number);
                    number
                }));
            }
            numbers.push(row);
        }
        for known in by_name.values_mut() {
            known.sort_unstable();
            known.dedup();
        }
        let lock = Self { frameworks, by_name, entries, numbers, asked: HashSet::new() };
        lock.edges(draft);
        lock
    }

    /// The number of what an entry of a framework needs. What a framework with a runtime does not repeat is that of the
    /// framework alone.
    fn number(&self, framework: usize, bases: &HashMap<&str, usize>, name: &str) -> Option<u32> {
        let own = self.frameworks.get(framework)?;
        let base = own.name.split_once('/').and_then(|(base, _)| bases.get(base).copied());
        [Some(framework), base].into_iter().flatten().find_map(|at| {
            let entry = *self.frameworks.get(at)?.by_name.get(name)?;
            *self.numbers.get(at)?.get(entry)?
        })
    }

    fn edges(&self, draft: &mut Draft) {
        let bases: HashMap<&str, usize> = self.frameworks.iter().enumerate().map(|(at, f)| (&*f.name, at)).collect();
        for (at, framework) in self.frameworks.iter().enumerate() {
            for (place, entry) in framework.entries.iter().enumerate() {
                let from = self.numbers.get(at).and_then(|row| row.get(place)).copied().flatten();
                for need in &entry.needs {
                    let Some(to) = self.number(at, &bases, need) else { continue };
                    match from {
                        Some(from) => draft.edge(from, to),
                        // What another project of the repository needs runs with this one.
                        None => {
                            if let Some(package) = draft.get_mut(to) {
                                package.scopes = package.scopes.with(Scopes::of(Scope::Runtime));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether some framework locks a project of that name.
    fn is_project(&self, name: &str) -> bool {
        self.entries.get(name).into_iter().flatten().any(|entry| entry.version.is_none())
    }

    /// Compares what a manifest asks for with what is locked.
    fn check(&self, name: &str, versions: &[String], span: Span, draft: &mut Draft) {
        let wanted = versions.join(" or ");
        let Some(entries) = self.entries.get(name) else {
            let message = format!(
                "asks for {}, and the lockfile does not hold it",
                if wanted.is_empty() { "it" } else { &wanted }
            );
            return draft.disagree(name, message, span);
        };
        let plain: Vec<(&str, bool)> = versions.iter().map(|version| requirement(version)).collect();
        if plain.is_empty() || plain.iter().any(|(_, is_plain)| !is_plain) {
            return;
        }
        for entry in entries.iter().filter(|entry| entry.is_direct) {
            let fits = |wanted: &str, text: &String| {
                let order = entry.version.as_deref().and_then(|version| compare(version, wanted));
                match text.trim().starts_with('[') {
                    true => order.is_none_or(|order| order.is_eq()),
                    false => order.is_none_or(|order| order.is_ge()),
                }
            };
            if !plain.iter().zip(versions).any(|((wanted, _), text)| fits(wanted, text)) {
                let holds = entry.version.as_deref().unwrap_or_default();
                return draft.disagree(name, format!("asks for {wanted}, and the lockfile holds {holds}"), span);
            }
            let requested = entry.requested.as_deref().unwrap_or_default();
            if let Some(requested_version) = minimum(requested)
                && !plain.iter().any(|(wanted, _)| compare(requested_version, wanted).is_none_or(|order| order.is_eq()))
            {
                let message = format!("asks for {wanted}, and the lockfile was made for {requested}");
                return draft.disagree(name, message, span);
            }
        }
    }

    /// What the lockfile says by itself: packages that it calls direct and no file here names (an SDK brings them), and
    /// entries that contradict themselves or are no project.
    fn rest(&self, root: usize, input: u32, locals: Option<&HashSet<String>>, draft: &mut Draft) {
        for (framework, row) in self.frameworks.iter().zip(&self.numbers) {
            for (entry, number) in framework.entries.iter().zip(row) {
                let span = Span { input, line: entry.line, end_line: entry.line };
                match (number, &entry.version) {
                    (Some(number), Some(version)) => {
                        if entry.is_direct && !self.asked.contains(&entry.name) {
                            draft.need(root, *number, Scope::Runtime, None);
                        }
                        let requested = entry.requested.as_deref().unwrap_or_default();
                        let is_below = |minimum: &str| compare(version, minimum).is_some_and(|order| order.is_lt());
                        if minimum(requested).is_some_and(is_below) {
                            let message = format!("asks for {requested}, and holds {version}");
                            draft.disagree(&entry.name, message, span);
                        }
                    }
                    _ if entry.is_odd => {
                        let message = "is locked as a project, with the version or digest of a package";
                        draft.disagree(&entry.name, message, span);
                    }
                    _ => {
                        if locals.is_some_and(|locals| !locals.contains(&entry.name)) {
                            let message = "is locked as a project, and no project that is referred to has that name";
                            draft.disagree(&entry.name, message, span);
                        }
                    }
                }
            }
        }
    }
}

/// Names of the projects that some project files refer to, and those refer to in turn, in lower case; `None` where not
/// all of them are in the repository or can be told.
fn locals(
    manifests: &[RepoPath],
    own: &Evaluated,
    view: &mut View<'_>,
    budget: &mut Budget,
) -> Result<Option<HashSet<String>>, Failure> {
    let mut names = HashSet::new();
    let mut seen: HashSet<RepoPath> = manifests.iter().cloned().collect();
    let mut waiting: Vec<RepoPath> = Vec::new();
    if !refer(own, &mut waiting) {
        return Ok(None);
    }
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if seen.len() > MAX_PROJECTS {
            return Ok(None);
        }
        // What cannot be read there is said where it is a project of its own.
        let Ok(Some(_)) = view.read(&path) else { return Ok(None) };
        let Ok(found) = msbuild::evaluate(std::slice::from_ref(&path), &path.parent(), view, budget) else {
            return Ok(None);
        };
        names.insert(stem(&path).to_lowercase());
        for name in ["PackageId", "AssemblyName"] {
            let Ok(values) = found.property(name) else { return Ok(None) };
            if values.iter().any(|value| value.contains("$(")) {
                return Ok(None);
            }
            names.extend(values.iter().map(|value| value.to_lowercase()));
        }
        if !refer(&found, &mut waiting) {
            return Ok(None);
        }
    }
    Ok(Some(names))
}

/// Notes the project files that are referred to; says whether all of them can be told.
fn refer(found: &Evaluated, waiting: &mut Vec<RepoPath>) -> bool {
    for item in found.items.iter().filter(|item| item.kind == Kind::Project) {
        let Ok(names) = found.names(item) else { return false };
        for name in names {
            match msbuild::located(&item.folder, &name).filter(|_| !name.contains(['$', '*', '@'])) {
                Some(path) => waiting.push(path),
                None => return false,
            }
        }
    }
    true
}
