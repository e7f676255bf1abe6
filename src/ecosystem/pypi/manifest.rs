//! `pyproject.toml` as far as it asks for packages: the standard tables (PEP 621, PEP 735, PEP 518), and those of
//! poetry, uv and PDM.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::reference::{self, Direct};
use super::requirement::Requirement;
use super::{is_name, normalise, poetry};
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self as document, Entry, Table};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// Places of one package for different platforms, at the most.
const MAX_PLACES: usize = 64;

/// In which notation a requirement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// PEP 440: `>=1.2,<2`.
    Standard,
    /// Poetry's: `^1.2`.
    Poetry,
}

/// Which table asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The project's own dependencies.
    Main,
    /// An extra, by its normalised name.
    Extra(Box<str>),
    /// A group of dependencies, by its normalised name.
    Group(Box<str>),
    /// What builds the project, extends the tool that installs it, or makes an environment that no lockfile holds.
    Build,
    /// An override: it says nothing of whether the package is needed, and replaces what anybody asks for.
    Override,
    /// A constraint: it says nothing of whether the package is needed.
    Constraint,
}

/// Where a package is to be taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// From the registry.
    Registry,
    /// From the registry that the manifest names so.
    Index(Box<str>),
    /// From a repository or an archive.
    Direct(Box<Direct>),
    /// From a folder or a file of this path, as written.
    Path(Box<str>),
    /// From another member of the workspace.
    Workspace,
}

/// One dependency that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name, normalised.
    pub name: Box<str>,
    /// The extras, normalised.
    pub extras: Vec<Box<str>>,
    /// What the version must be, as written; empty for any.
    pub constraint: Box<str>,
    /// The notation of the constraint.
    pub notation: Notation,
    /// When it runs.
    pub scope: Scope,
    /// The table that asks.
    pub section: Section,
    /// Where it is to be taken from.
    pub place: Place,
    /// The marker, as written.
    pub marker: Option<Box<str>>,
    /// The line that asks.
    pub line: u32,
}

impl Asked {
    /// Whether a version meets the constraint; `None` where one of them cannot be read.
    #[must_use]
    pub fn satisfies(&self, version: &str) -> Option<bool> {
        match self.notation {
            Notation::Poetry => poetry::satisfies(&self.constraint, version),
            Notation::Standard => super::requirement::Specifiers::parse(&self.constraint)?.satisfies(version),
        }
    }

    /// The one version that the constraint allows.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self.notation {
            Notation::Poetry => poetry::exact(&self.constraint),
            Notation::Standard => super::requirement::Specifiers::parse(&self.constraint)?.exact(),
        }
    }

    /// The requirement as an inventory writes it without a lockfile: `=1.2.3` for one version, `*` for any.
    #[must_use]
    pub fn to_version(&self) -> String {
        match self.exact() {
            Some(pin) => format!("={pin}"),
            None if self.constraint.is_empty() => "*".to_owned(),
            None => self.constraint.to_string(),
        }
    }
}

/// A registry that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name; empty where it has none.
    pub name: Box<str>,
    /// The address, without credentials.
    pub url: Box<str>,
    /// Whether it stands in for the public registry.
    pub is_default: bool,
    /// Whether only packages that name it are taken from it.
    pub is_explicit: bool,
    /// The line.
    pub line: u32,
}

/// A workspace that a manifest is the root of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Patterns of the members' folders, and their lines.
    pub members: Vec<(Box<str>, u32)>,
    /// Patterns of folders that are none.
    pub exclude: Vec<Box<str>>,
}

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The project's name, normalised; empty where it has none.
    pub name: Box<str>,
    /// The project's version; empty where it has none or computes it.
    pub version: Box<str>,
    /// The line of the name, or of the table that should hold it.
    pub line: u32,
    /// Whether there is a `[project]` table.
    pub has_project: bool,
    /// Whether there is a `[tool.poetry]` table.
    pub has_poetry: bool,
    /// Whether a table that may hold dependencies is there at all, empty or not.
    pub has_tables: bool,
    /// The line that says that dependencies are computed (`dynamic`), where it does.
    pub dynamic: Option<u32>,
    /// The line that says that extras are computed.
    pub dynamic_extras: Option<u32>,
    /// What it asks for, overrides and constraints included.
    pub asked: Vec<Asked>,
    /// The workspace of uv that it is the root of.
    pub workspace: Option<Workspace>,
    /// Registries it names.
    pub indexes: Vec<Index>,
    /// Files that list what it asks for, as setuptools takes them in.
    pub listed: Vec<Listed>,
    /// What builds it (`build-backend`); empty where it does not say.
    pub backend: Box<str>,
    /// What else it says of where packages come from: whom it concerns, the message and the line.
    pub remarks: Vec<(Box<str>, String, u32)>,
}

/// A file that lists dependencies in place of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path, as written.
    pub path: Box<str>,
    /// What it lists.
    pub section: Section,
    /// The line that names it.
    pub line: u32,
}

impl Manifest {
    /// The registry of that name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| &*index.name == name)
    }

    /// What it asks for itself: neither overrides nor constraints.
    pub fn needs(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| !matches!(asked.section, Section::Override | Section::Constraint))
    }
}

/// Reads a manifest.
///
/// # Errors
/// [`Unread`] where it is no TOML, a table of interest is of the wrong type, or a requirement is none.
pub fn parse(bytes: &[u8]) -> Result<Manifest, Unread> {
    document::read(bytes, document::MAX_BYTES, manifest)
}

fn manifest(root: Table<'_, '_>) -> Result<Manifest, Unread> {
    let mut found = Manifest::default();
    if let Some(project) = root.get("project") {
        found.has_project = true;
        found.has_tables = true;
        found.line = project.line;
        standard(project.table()?, &mut found)?;
    }
    if let Some(build) = root.table("build-system")? {
        for (text, line) in build.texts("requires")? {
            found.asked.push(standard_one(text, line, Scope::Build, Section::Build)?);
        }
        found.backend = build.get("build-backend").and_then(Entry::as_text).unwrap_or_default().into();
    }
    groups(root, &mut found)?;
    if let Some(tool) = root.table("tool")? {
        if let Some(pdm) = tool.table("pdm")? {
            pdm_tables(pdm, &mut found)?;
        }
        if let Some(poetry) = tool.get("poetry") {
            found.has_poetry = true;
            found.has_tables = true;
            poetry_tables(poetry, &mut found)?;
        }
        if let Some(setuptools) = tool.get("setuptools").and_then(|table| table.table().ok()) {
            listed(setuptools, &mut found)?;
        }
        if let Some(hatch) = tool.get("hatch").and_then(|table| table.table().ok()) {
            environments(hatch, &mut found)?;
        }
        if let Some(uv) = tool.table("uv")? {
            uv_tables(uv, &mut found)?;
        }
    }
    Ok(found)
}

fn name_of(text: &str, line: u32) -> Result<Box<str>, Unread> {
    if is_name(text) {
        Ok(normalise(text).into())
    } else {
        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
        Err(malformed(line, format!("`{shown}` is no name of a package")))
    }
}

/// `[project]` (PEP 621).
fn standard(project: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    if let Some(name) = project.get("name") {
        found.line = name.line;
        found.name = name_of(name.text()?, name.line)?;
    }
    found.version = project.get("version").and_then(Entry::as_text).unwrap_or_default().into();
    for (text, line) in project.texts("dynamic")? {
        match text {
            "dependencies" => found.dynamic = Some(line),
            "optional-dependencies" => found.dynamic_extras = Some(line),
            _ => {}
        }
    }
    for (text, line) in project.texts("dependencies")? {
        found.asked.push(standard_one(text, line, Scope::Runtime, Section::Main)?);
    }
    for extra in project.table("optional-dependencies")?.into_iter().flat_map(Table::entries) {
        let name = normalise(extra.key).into_owned();
        for item in extra.items()? {
            let section = Section::Extra(name.as_str().into());
            found.asked.push(standard_one(item.text()?, item.line, Scope::Runtime, section)?);
        }
    }
    Ok(())
}

/// `[tool.setuptools.dynamic]`: files that list what `dynamic` leaves open.
fn listed(setuptools: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    let Some(dynamic) = setuptools.table("dynamic")? else { return Ok(()) };
    let mut add = |entry: Entry<'_, '_>, section: &Section| -> Result<(), Unread> {
        let Some(file) = entry.table()?.get("file") else { return Ok(()) };
        let mut one = |path: &str, line: u32| {
            found.listed.push(Listed { path: path.into(), section: section.clone(), line });
        };
        match file.as_text() {
            Some(path) => one(path, file.line),
            None => {
                for item in file.items()? {
                    one(item.text()?, item.line);
                }
            }
        }
        Ok(())
    };
    if let Some(entry) = dynamic.get("dependencies").filter(|_| found.dynamic.is_some()) {
        add(entry, &Section::Main)?;
    }
    if found.dynamic_extras.is_some() {
        for extra in dynamic.table("optional-dependencies")?.into_iter().flat_map(Table::entries) {
            add(extra, &Section::Extra(normalise(extra.key).into()))?;
        }
    }
    if found.listed.len() > MAX_PLACES {
        return Err(malformed(0, format!("more than {MAX_PLACES} files list dependencies")));
    }
    Ok(())
}

impl Manifest {
    /// Adds what a file lists. Where it is read, nothing is left that is computed.
    ///
    /// # Errors
    /// [`Unread`] where a line is no requirement: setuptools takes no options.
    pub fn take_in(&mut self, listed: &Listed, content: &str) -> Result<(), Unread> {
        for (at, raw) in content.lines().enumerate() {
            // As setuptools has it: a comment starts the line, or follows a blank.
            let text = raw.split(" #").next().unwrap_or(raw).trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let requirement = Requirement::parse(text).map_err(|reason| malformed(at as u32 + 1, reason))?;
            self.asked.push(of_requirement(&requirement, listed.line, Scope::Runtime, listed.section.clone()));
        }
        match listed.section {
            Section::Main => self.dynamic = None,
            _ => self.dynamic_extras = None,
        }
        Ok(())
    }

    /// Notes a place that packages may be taken from as well.
    fn also(&mut self, tool: &str, place: &str, line: u32) {
        let place: String = reference::without_credentials(place).chars().take(200).collect();
        self.remarks.push((tool.into(), format!("takes packages from {place} as well"), line));
    }
}

/// `[tool.hatch.envs]`: environments that hatch makes, and that no lockfile holds.
fn environments(hatch: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    for environment in hatch.table("envs")?.into_iter().flat_map(Table::entries) {
        let Ok(table) = environment.table() else { continue };
        for key in ["dependencies", "extra-dependencies"] {
            for (text, line) in table.texts(key)? {
                match standard_one(text, line, Scope::Development, Section::Build) {
                    Ok(asked) => found.asked.push(asked),
                    // Hatch fills in fields: `{root:uri}`.
                    Err(_) if text.contains('{') => {
                        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
                        found.remarks.push(("hatch".into(), format!("asks for `{shown}`, which is computed"), line));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

/// A requirement of PEP 508. An editable one of PDM starts with `-e`.
fn standard_one(text: &str, line: u32, scope: Scope, section: Section) -> Result<Asked, Unread> {
    let requirement = Requirement::parse(text).map_err(|reason| malformed(line, reason))?;
    Ok(of_requirement(&requirement, line, scope, section))
}

/// A dependency from a requirement.
#[must_use]
pub fn of_requirement(requirement: &Requirement<'_>, line: u32, scope: Scope, section: Section) -> Asked {
    Asked {
        name: normalise(requirement.name).into(),
        extras: requirement.extras.iter().map(|extra| normalise(extra).into()).collect(),
        constraint: requirement.specifiers.text.into(),
        notation: Notation::Standard,
        scope,
        section,
        place: requirement.url.map_or(Place::Registry, |url| Place::Direct(Box::new(reference::direct(url)))),
        marker: requirement.marker.map(Box::from),
        line,
    }
}

/// `[dependency-groups]` (PEP 735). What is in a group that others include is noted once, for the group it stands in.
fn groups(root: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    let Some(table) = root.table("dependency-groups")? else { return Ok(()) };
    found.has_tables = true;
    let mut includes: BTreeMap<Box<str>, Vec<(Box<str>, u32)>> = BTreeMap::new();
    for entry in table.entries() {
        let group: Box<str> = normalise(entry.key).into();
        if includes.insert(group.clone(), Vec::new()).is_some() {
            return Err(malformed(entry.line, format!("the group `{group}` twice, spelt in two ways")));
        }
        for item in entry.items()? {
            if let Some(text) = item.as_text() {
                found.asked.push(standard_one(text, item.line, Scope::Development, Section::Group(group.clone()))?);
            } else if let Some(other) = item.table()?.text("include-group")? {
                let other = normalise(other).into();
                includes.entry(group.clone()).or_default().push((other, item.line));
            } else {
                return Err(item.wrong("a requirement or an `include-group`"));
            }
        }
    }
    for (group, others) in &includes {
        if let Some((other, line)) = others.iter().find(|(other, _)| !includes.contains_key(other)) {
            return Err(malformed(*line, format!("the group `{group}` includes `{other}`, which is not there")));
        }
    }
    no_circle(&includes)
}

/// Groups that include themselves cannot be installed. Takes groups away that include nothing that is left; a circle
/// is what stays.
fn no_circle(includes: &BTreeMap<Box<str>, Vec<(Box<str>, u32)>>) -> Result<(), Unread> {
    let mut left: BTreeMap<&str, usize> = includes.iter().map(|(group, others)| (&**group, others.len())).collect();
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (group, others) in includes {
        for (other, _) in others {
            needed_by.entry(other).or_default().push(group);
        }
    }
    let mut free: Vec<&str> = left.iter().filter(|(_, count)| **count == 0).map(|(group, _)| *group).collect();
    let mut done = BTreeSet::new();
    while let Some(group) = free.pop() {
        if !done.insert(group) {
            continue;
        }
        for user in needed_by.get(group).into_iter().flatten() {
            if let Some(count) = left.get_mut(user) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
    match includes.iter().find(|(group, _)| !done.contains(&***group)) {
        Some((group, others)) => {
            let line = others.first().map_or(0, |(_, line)| *line);
            Err(malformed(line, format!("the group `{group}` is part of a circle of includes, or includes one")))
        }
        None => Ok(()),
    }
}

/// `[tool.pdm]`.
fn pdm_tables(pdm: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    for group in pdm.table("dev-dependencies")?.into_iter().flat_map(Table::entries) {
        found.has_tables = true;
        let name: Box<str> = normalise(group.key).into();
        for item in group.items()? {
            let text = item.text()?.trim();
            // An editable one: `-e file:///${PROJECT_ROOT}/sub#egg=sub`.
            let section = Section::Group(name.clone());
            let Some(editable) = text.strip_prefix("-e ").or_else(|| text.strip_prefix("--editable ")) else {
                found.asked.push(standard_one(text, item.line, Scope::Development, section)?);
                continue;
            };
            let address = editable.trim();
            let direct = reference::direct(address);
            let Some(egg) = direct.egg.as_deref().filter(|egg| is_name(egg)) else {
                return Err(malformed(item.line, "an editable requirement without `#egg=` and a name"));
            };
            let (name, place) = (normalise(egg).into(), Place::Direct(Box::new(direct.clone())));
            found.asked.push(Asked { place, ..empty(name, item.line, Scope::Development, section) });
        }
    }
    if let Some(sources) = pdm.get("source") {
        for source in sources.items()? {
            let table = source.table()?;
            let name = table.text("name")?.unwrap_or_default();
            let Some(url) = table.text("url")? else { continue };
            found.indexes.push(Index {
                name: name.into(),
                url: reference::without_credentials(url).into(),
                // PDM's own name of the public registry: an entry of that name takes its place.
                is_default: name == "pypi",
                is_explicit: false,
                line: source.line,
            });
        }
    }
    if let Some(plugins) = pdm.get("plugins").filter(|plugins| plugins.is_list()) {
        for item in plugins.items()? {
            // One of the repository itself is written as an editable one.
            let text = item.text()?;
            if !text.trim_start().starts_with('-') {
                found.asked.push(standard_one(text, item.line, Scope::Build, Section::Build)?);
            }
        }
    }
    let overrides = pdm.table("resolution")?.map(|table| table.table("overrides")).transpose()?.flatten();
    for entry in overrides.into_iter().flat_map(Table::entries) {
        let (name, text) = (name_of(entry.key, entry.line)?, entry.text()?);
        let is_constraint = text.starts_with(['=', '<', '>', '!', '~']) || text == "*";
        let place = match is_constraint || !text.contains("://") {
            true => Place::Registry,
            false => Place::Direct(Box::new(reference::direct(text))),
        };
        let constraint = match (&place, is_constraint) {
            (Place::Registry, true) if text == "*" => String::new(),
            (Place::Registry, true) => text.to_owned(),
            // A bare version is one version.
            (Place::Registry, false) => format!("=={text}"),
            _ => String::new(),
        };
        let asked = empty(name, entry.line, Scope::Runtime, Section::Override);
        found.asked.push(Asked { constraint: constraint.into(), place, ..asked });
    }
    Ok(())
}

fn empty(name: Box<str>, line: u32, scope: Scope, section: Section) -> Asked {
    Asked {
        name,
        extras: Vec::new(),
        constraint: "".into(),
        notation: Notation::Standard,
        scope,
        section,
        place: Place::Registry,
        marker: None,
        line,
    }
}

/// `[tool.poetry]`. Groups other than the main one are never part of what is published, and are development.
fn poetry_tables(entry: Entry<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    let poetry = entry.table()?;
    if found.name.is_empty()
        && let Some(name) = poetry.get("name")
    {
        found.line = name.line;
        found.name = name_of(name.text()?, name.line)?;
    }
    if found.version.is_empty() {
        found.version = poetry.get("version").and_then(Entry::as_text).unwrap_or_default().into();
    }
    if found.line == 0 {
        found.line = entry.line;
    }
    let mut from = Vec::new();
    for asked in poetry.table("dependencies")?.into_iter().flat_map(Table::entries) {
        poetry_one(asked, Scope::Runtime, &Section::Main, &mut from)?;
    }
    // Beside a standard table, poetry's own only adds where to take a package from.
    let is_standard = |asked: &&mut Asked| matches!(asked.section, Section::Main | Section::Extra(_));
    let mut known: HashMap<Box<str>, Place> = HashMap::new();
    known.extend(found.asked.iter_mut().filter(is_standard).map(|asked| (asked.name.clone(), Place::Registry)));
    for detail in from {
        match known.get_mut(&detail.name) {
            Some(place) if detail.place != Place::Registry => *place = detail.place,
            Some(_) => {}
            None => found.asked.push(detail),
        }
    }
    for asked in found.asked.iter_mut().filter(is_standard).filter(|asked| asked.place == Place::Registry) {
        if let Some(place) = known.get(&asked.name) {
            asked.place = place.clone();
        }
    }
    for asked in poetry.table("dev-dependencies")?.into_iter().flat_map(Table::entries) {
        poetry_one(asked, Scope::Development, &Section::Group("dev".into()), &mut found.asked)?;
    }
    for group in poetry.table("group")?.into_iter().flat_map(Table::entries) {
        let name: Box<str> = normalise(group.key).into();
        // A group called main is the main one.
        let (scope, section) = match &*name {
            "main" => (Scope::Runtime, Section::Main),
            _ => (Scope::Development, Section::Group(name)),
        };
        for asked in group.table()?.table("dependencies")?.into_iter().flat_map(Table::entries) {
            poetry_one(asked, scope, &section, &mut found.asked)?;
        }
    }
    for plugin in poetry.table("requires-plugins")?.into_iter().flat_map(Table::entries) {
        poetry_one(plugin, Scope::Build, &Section::Build, &mut found.asked)?;
    }
    if let Some(sources) = poetry.get("source") {
        for source in sources.items()? {
            let table = source.table()?;
            let Some(url) = table.text("url")? else { continue };
            let priority = table.text("priority")?.unwrap_or_default().to_ascii_lowercase();
            found.indexes.push(Index {
                name: table.text("name")?.unwrap_or_default().into(),
                url: reference::without_credentials(url).into(),
                is_default: matches!(&*priority, "default" | "primary") || table.is("default")?,
                is_explicit: priority == "explicit",
                line: source.line,
            });
        }
    }
    Ok(())
}

/// One entry of poetry: a constraint, a table, or a list of them for different platforms.
fn poetry_one(entry: Entry<'_, '_>, scope: Scope, group: &Section, found: &mut Vec<Asked>) -> Result<(), Unread> {
    if entry.key == "python" {
        return Ok(());
    }
    let name = name_of(entry.key, entry.line)?;
    if entry.is_list() {
        for item in entry.items()? {
            found.push(poetry_value(item, name.clone(), scope, group)?);
        }
    } else {
        found.push(poetry_value(entry, name, scope, group)?);
    }
    Ok(())
}

fn poetry_value(entry: Entry<'_, '_>, name: Box<str>, scope: Scope, group: &Section) -> Result<Asked, Unread> {
    let asked = Asked { notation: Notation::Poetry, ..empty(name, entry.line, scope, group.clone()) };
    if let Some(text) = entry.as_text() {
        return Ok(Asked { constraint: text.into(), ..asked });
    }
    let table = entry.table()?;
    let extras = table.texts("extras")?.into_iter().map(|(extra, _)| normalise(extra).into()).collect();
    let constraint = table.text("version")?.unwrap_or_default().into();
    let place = match (place(table, &["rev", "tag", "branch"])?, table.text("source")?) {
        (Place::Registry, Some(index)) => Place::Index(index.into()),
        (place, _) => place,
    };
    // `python` and `platform` are markers in short.
    let mut marker = None;
    for key in ["markers", "python", "platform"] {
        marker = marker.or(table.text(key)?);
    }
    let marker = marker.map(Box::from);
    Ok(Asked { extras, constraint, place, marker, ..asked })
}

/// The place that the keys `git`, `url`, `path`, `file`, `index` and `workspace` of a table name.
fn place(table: Table<'_, '_>, references: &[&str]) -> Result<Place, Unread> {
    if let Some(git) = table.text("git")? {
        let mut named = None;
        for key in references {
            named = named.or(table.text(key)?.map(|text| (*key, text)));
        }
        let mut direct = reference::repository(git.strip_prefix("git+").unwrap_or(git), named.map(|(_, text)| text));
        if named.is_some_and(|(key, _)| key != "rev") {
            // A tag may be called like a commit.
            direct.source.commit = None;
            direct.checksum = None;
            direct.is_locked = false;
        }
        return Ok(Place::Direct(Box::new(direct)));
    }
    if let Some(url) = table.text("url")? {
        return Ok(Place::Direct(Box::new(reference::direct(url))));
    }
    if let Some(path) = table.text("path")?.or(table.text("file")?) {
        return Ok(Place::Path(path.into()));
    }
    if let Some(index) = table.text("index")? {
        return Ok(Place::Index(index.into()));
    }
    Ok(if table.is("workspace")? { Place::Workspace } else { Place::Registry })
}

/// `[tool.uv]`.
fn uv_tables(uv: Table<'_, '_>, found: &mut Manifest) -> Result<(), Unread> {
    for (key, scope, section) in [
        ("dev-dependencies", Scope::Development, Section::Group("dev".into())),
        ("override-dependencies", Scope::Runtime, Section::Override),
        ("constraint-dependencies", Scope::Runtime, Section::Constraint),
        ("build-constraint-dependencies", Scope::Build, Section::Constraint),
    ] {
        if uv.get(key).is_some() {
            found.has_tables = true;
        }
        for (text, line) in uv.texts(key)? {
            found.asked.push(standard_one(text, line, scope, section.clone())?);
        }
    }
    if let Some(workspace) = uv.table("workspace")? {
        found.has_tables = true;
        let text = |(text, line): (&str, u32)| (text.into(), line);
        let members = workspace.texts("members")?.into_iter().map(text).collect();
        let exclude = workspace.texts("exclude")?.into_iter().map(|(text, _)| text.into()).collect();
        found.workspace = Some(Workspace { members, exclude });
    }
    if let Some(indexes) = uv.get("index") {
        for index in indexes.items()? {
            let table = index.table()?;
            let Some(url) = table.text("url")? else { continue };
            found.indexes.push(Index {
                name: table.text("name")?.unwrap_or_default().into(),
                url: reference::without_credentials(url).into(),
                is_default: table.is("default")?,
                is_explicit: table.is("explicit")?,
                line: index.line,
            });
        }
    }
    if let Some(url) = uv.get("index-url") {
        let address = reference::without_credentials(url.text()?).into();
        found.indexes.push(Index {
            name: "".into(),
            url: address,
            is_default: true,
            is_explicit: false,
            line: url.line,
        });
    }
    for (url, line) in uv.texts("extra-index-url")? {
        let url = reference::without_credentials(url).into();
        found.indexes.push(Index { name: "".into(), url, is_default: false, is_explicit: false, line });
    }
    for table in [Some(uv), uv.table("pip")?].into_iter().flatten() {
        for (place, line) in table.texts("find-links")? {
            found.also("uv", place, line);
        }
    }
    if let Some(pip) = uv.table("pip")? {
        for (place, line) in pip.texts("extra-index-url")? {
            found.also("uv", place, line);
        }
        if let Some(index) = pip.get("index-url") {
            found.also("uv", index.text()?, index.line);
        }
    }
    for package in uv.table("extra-build-dependencies")?.into_iter().flat_map(Table::entries) {
        for item in package.items()? {
            let text = match item.as_text() {
                Some(text) => text,
                None => item.table()?.text("requirement")?.unwrap_or_default(),
            };
            found.asked.push(standard_one(text, item.line, Scope::Build, Section::Build)?);
        }
    }
    let mut sources: BTreeMap<Box<str>, Vec<Place>> = BTreeMap::new();
    for entry in uv.table("sources")?.into_iter().flat_map(Table::entries) {
        let places = sources.entry(name_of(entry.key, entry.line)?).or_default();
        if entry.is_list() {
            for item in entry.items()? {
                places.push(place(item.table()?, &["rev", "tag", "branch"])?);
            }
            if places.len() > MAX_PLACES {
                return Err(malformed(entry.line, format!("more than {MAX_PLACES} sources of one package")));
            }
        } else {
            places.push(place(entry.table()?, &["rev", "tag", "branch"])?);
        }
    }
    found.asked = std::mem::take(&mut found.asked).into_iter().flat_map(|asked| placed(asked, &sources)).collect();
    Ok(())
}

/// A dependency at each of the places that `tool.uv.sources` names for it; as it is where it names none. With several,
/// each holds on some platforms only.
fn placed(asked: Asked, sources: &BTreeMap<Box<str>, Vec<Place>>) -> Vec<Asked> {
    match sources.get(&asked.name) {
        Some(places) if !places.is_empty() && asked.place == Place::Registry => {
            places.iter().map(|place| Asked { place: place.clone(), ..asked.clone() }).collect()
        }
        _ => vec![asked],
    }
}
