//! Projects without a lockfile: `pyproject.toml`, `setup.cfg` and `setup.py`.
//!
//! A manifest is a project of its own where it asks for something and no lockfile speaks for it. What a `setup.py`
//! asks for is known only to who runs it: where nothing beside it says so in words, the project cannot be read.

use std::collections::HashSet;

use super::locked;
use super::manifest::{self, Asked, Manifest, Place, Section};
use super::requirement::Requirement;
use super::requirements::{directly, is_installed};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, text, toml};
use crate::ecosystem::{FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Lockfiles that speak for the manifest beside them.
/// A `pylock.NAME.toml` is for a part of the project.
const LOCKFILES: &[&str] = &["poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"];

/// Indexes that a package may come from, at the most.
const MAX_INDEXES: usize = 16;

/// Manifests without a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct Unlocked;

impl Format for Unlocked {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("pyproject.toml", "PEP 517, 621 and 735; poetry, uv and PDM"),
                FileKind::manifest("setup.cfg", "`[options]` of setuptools"),
                FileKind::manifest("setup.py", "recognised; it computes what it asks for, and is not run"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["pyproject.toml", "setup.cfg", "setup.py"]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let mut folders: Vec<RepoPath> = ["pyproject.toml", "setup.cfg", "setup.py"]
            .iter()
            .flat_map(|name| files.named(name))
            .filter(|path| !is_installed(path))
            .map(|path| path.parent())
            .collect();
        folders.sort();
        folders.dedup();
        let locks: HashSet<RepoPath> = files.paths().filter(|path| is_lockfile(path)).map(RepoPath::parent).collect();
        // A folder that a workspace's lockfile does not hold is spoken for by nobody, whatever globs say.
        let spoken_for = super::spoken_for(files);
        let free = folders.into_iter().filter(|at| !locks.contains(at) && !spoken_for.contains(at));
        Ok(free.filter_map(|folder| project(&folder, files)).collect())
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        read(project, view)
    }
}

/// Whether a path is a lockfile that speaks for the manifest beside it.
fn is_lockfile(path: &RepoPath) -> bool {
    LOCKFILES.contains(&path.file_name())
}

/// The project of a folder, where one of its manifests asks for something or may.
fn project(folder: &RepoPath, files: &dyn Files) -> Option<Project> {
    let there = |name: &str| {
        let path = folder.join(name)?;
        // What cannot be read is a project that says so.
        files.read(&path).map_or(Some(None), |found| found.map(Some)).map(|found| (path, found.map(|(bytes, _)| bytes)))
    };
    let asks = |found: &Manifest| found.has_project || found.has_poetry || !found.asked.is_empty();
    let is_project = |bytes: &[u8]| manifest::parse(bytes).map_or(true, |found| asks(&found));
    let is_setup = |bytes: &[u8]| setup_cfg(bytes).map_or(true, |found| found.lists || !found.asked.is_empty());
    let pyproject = there("pyproject.toml").filter(|(_, bytes)| bytes.as_ref().is_none_or(|bytes| is_project(bytes)));
    let setup = || there("setup.cfg").filter(|(_, bytes)| bytes.as_ref().is_none_or(|bytes| is_setup(bytes)));
    let (manifest, _) = pyproject.or_else(setup).or_else(|| there("setup.py"))?;
    Some(Project { path: folder.clone(), ecosystem: Ecosystem::PyPi, manifest: Some(manifest), lockfile: None })
}

fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
    let mut draft = Draft::new();
    let mut get = |name: &str| -> Result<_, (RepoPath, Unread)> {
        let Some(path) = project.path.join(name) else { return Ok(None) };
        let found = view.read(&path).map_err(|error| (path.clone(), error))?;
        Ok(found.map(|(bytes, input)| (path, bytes, input)))
    };
    let setup = match get("setup.cfg")? {
        Some((path, bytes, input)) => Some((setup_cfg(&bytes).map_err(|error| (path, error))?, input)),
        None => None,
    };
    let script = get("setup.py")?;
    let pyproject = match project.path.join(locked::MANIFEST) {
        Some(path) => locked::manifest_of(&project.path, &mut view)?.map(|(found, input)| (found, input, path)),
        None => None,
    };
    // Other backends pass over setuptools' file.
    let is_setuptools = pyproject
        .as_ref()
        .is_none_or(|(found, ..)| found.backend.is_empty() || found.backend.starts_with("setuptools"));
    let lists = is_setuptools && setup.as_ref().is_some_and(|(found, _)| found.lists);
    if let Some((found, _, path)) = &pyproject
        && let Some(line) = found.dynamic
        && !lists
    {
        let reason =
            format!("line {line}: `dynamic` says that the dependencies are computed, and nothing says to what");
        return Err((path.clone(), Unread::Unsupported(reason)));
    }
    let is_static = pyproject.as_ref().is_some_and(|(found, ..)| found.has_project || found.has_poetry) || lists;
    let mut reads = None;
    if let Some((path, bytes, input)) = script.filter(|_| !is_static) {
        let names_it = String::from_utf8_lossy(&bytes).contains("requirements.txt");
        let beside = project.path.join("requirements.txt").filter(|_| names_it);
        let is_judged = beside.is_some_and(|path| view.files().read(&path).is_ok_and(|found| found.is_some()));
        reads = is_judged.then(|| (fingerprint(&bytes), input));
        let reason = "setup.py computes its dependencies, and no file beside it lists them";
        if reads.is_none() {
            return Err((path, Unread::Unsupported(reason.to_owned())));
        }
    }
    let (found, input) = match pyproject {
        Some((found, input, _)) => (found, input),
        None => (Manifest::default(), setup.as_ref().map_or(0, |(_, input)| *input)),
    };
    let named = [&*found.name, setup.as_ref().map_or("", |(setup, _)| &*setup.name), project.path.file_name()];
    let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or(".");
    let span = Span { input, line: found.line, end_line: found.line };
    let root = draft.root(name, &found.version, &project.path, span);
    let sources = indexes(&found).map_err(|reason| {
        (project.manifest.clone().unwrap_or_else(|| project.path.clone()), Unread::Unsupported(reason))
    })?;
    if let Some((print, input)) = reads {
        // Whatever the script adds to that file is not known: the same words stand for the same script alone.
        let message = format!("computes its dependencies, and names requirements.txt (SHA-256 {print})");
        draft.disagree("setup.py", message, Span { input, ..Span::default() });
    }
    for (name, message, line) in &found.remarks {
        draft.disagree(name, message.as_str(), Span { input, line: *line, end_line: *line });
    }
    for asked in &found.asked {
        add(asked, input, &found, &sources, root, &mut draft);
    }
    if let Some((setup, input)) = &setup {
        for asked in &setup.asked {
            add(asked, *input, &found, &sources, root, &mut draft);
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// The start of the digest of a file.
fn fingerprint(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Where a package without a place of its own may come from: every index that is not kept for who names it. Which one
/// is asked first, and whether the others are, depends on the tool.
pub(super) fn indexes(found: &Manifest) -> Result<Vec<Source>, String> {
    let mut sources: Vec<Source> = Vec::new();
    if !found.indexes.iter().any(|index| index.is_default) {
        sources.push(Source::public());
    }
    for index in found.indexes.iter().filter(|index| !index.is_explicit) {
        let source = Source::registry(&index.url);
        if !sources.contains(&source) {
            sources.push(source);
        }
        if sources.len() > MAX_INDEXES {
            return Err(format!("more than {MAX_INDEXES} indexes"));
        }
    }
    Ok(sources)
}

/// Adds what a manifest asks for and no lockfile answers.
pub(super) fn add(asked: &Asked, input: u32, found: &Manifest, sources: &[Source], root: usize, draft: &mut Draft) {
    // An extra that names other extras of the project itself. Whatever else bears its name is fetched.
    let is_own = matches!(asked.section, Section::Main | Section::Extra(_)) && !asked.extras.is_empty();
    if is_own && !found.name.is_empty() && asked.name == found.name && asked.place == Place::Registry {
        return;
    }
    let is_override = asked.section == Section::Override;
    // What only says a version asks for nothing.
    if asked.section == Section::Constraint || (is_override && asked.place == Place::Registry) {
        return;
    }
    let span = Span { input, line: asked.line, end_line: asked.line };
    let package = Package { is_locked: false, ..Package::new(Ecosystem::PyPi, &asked.name, &asked.to_version(), span) };
    let packages = match &asked.place {
        Place::Registry => sources.iter().map(|source| Package { source: source.clone(), ..package.clone() }).collect(),
        Place::Index(name) => {
            let url = found.index(name).map_or(&**name, |index| &index.url);
            vec![Package { source: Source::registry(url), ..package }]
        }
        Place::Direct(direct) => vec![directly(direct, package, false)],
        Place::Path(path) => {
            vec![Package { source: Source::path(path), identity: Identity::Foreign, ..package }]
        }
        // A member of the repository, which is a project of its own.
        Place::Workspace => Vec::new(),
    };
    for mut package in packages {
        if is_override {
            package.identity = Identity::StandsIn;
        }
        let number = draft.package(package);
        draft.need(root, number, asked.scope, Some(span));
    }
}

/// What a `setup.cfg` asks for.
#[derive(Debug, Default)]
struct Setup {
    name: Box<str>,
    /// Whether it lists what it needs to run.
    lists: bool,
    asked: Vec<Asked>,
}

/// Reads the sections of setuptools. The syntax is that of Python's `configparser`: `key = value` or `key: value`,
/// continued by lines that are indented.
fn setup_cfg(bytes: &[u8]) -> Result<Setup, Unread> {
    let content = text(bytes, toml::MAX_BYTES)?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut found = Setup::default();
    let (mut section, mut key) = (String::new(), String::new());
    let mut seen = HashSet::new();
    for (at, raw) in content.lines().enumerate() {
        let line = at as u32 + 1;
        if raw.starts_with("<<<<<<<") || raw.starts_with(">>>>>>>") {
            return Err(malformed(line, "conflict markers: a merge was left unfinished"));
        }
        let trimmed = raw.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if raw.starts_with([' ', '\t']) {
            value(&section, &key, trimmed, line, &mut found)?;
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            name.trim().clone_into(&mut section);
            key.clear();
            if !seen.insert((section.clone(), String::new())) {
                return Err(malformed(line, "a section twice"));
            }
            continue;
        }
        let (name, first) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
        key = name.trim().to_ascii_lowercase().replace('-', "_");
        if !seen.insert((section.clone(), key.clone())) {
            return Err(malformed(line, "a key twice"));
        }
        found.lists |= section == "options" && key == "install_requires";
        if !first.trim().is_empty() {
            value(&section, &key, first.trim(), line, &mut found)?;
        }
    }
    Ok(found)
}

fn value(section: &str, key: &str, value: &str, line: u32, found: &mut Setup) -> Result<(), Unread> {
    let (scope, section) = match (section, key) {
        ("metadata", "name") => {
            found.name = super::normalise(value).into();
            return Ok(());
        }
        ("options", "install_requires") => (Scope::Runtime, Section::Main),
        ("options", "setup_requires") => (Scope::Build, Section::Build),
        ("options", "tests_require") => (Scope::Development, Section::Group("tests".into())),
        ("options.extras_require", extra) if !extra.is_empty() => (Scope::Runtime, Section::Extra(extra.into())),
        _ => return Ok(()),
    };
    if value.starts_with("file:") || value.starts_with("attr:") {
        return Err(Unread::Unsupported(format!("line {line}: `{key}` is taken from elsewhere")));
    }
    // On one line, semicolons part the items of a list, as they part markers: such a line is a marker where it is both.
    let requirement = Requirement::parse(value).map_err(|reason| malformed(line, reason))?;
    found.asked.push(manifest::of_requirement(&requirement, line, scope, section));
    Ok(())
}
