//! What MSBuild files say of packages: items and properties, with conditions left aside. Whatever some condition may
//! bring in counts, and a property that is set in several ways has several values.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use crate::ecosystem::View;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::xml::{self, Element};
use crate::model::RepoPath;
use crate::model::tree::Unread;

/// Files that one project imports.
const MAX_FILES: usize = 256;

/// Bytes that all files take which are read for one project. Each of many projects may import the same ones.
const MAX_ALL: u64 = 16 << 20;

/// Values that one text may have.
const MAX_VALUES: usize = 16;

/// Values of one property that are kept.
const MAX_KEPT: usize = 64;

/// Bytes that one text expands to.
const MAX_TEXT: usize = 4_096;

/// Properties inside properties.
const MAX_DEPTH: usize = 16;

/// Texts that are expanded for one project.
const MAX_STEPS: u64 = 500_000;

/// Files that are found by looking in every folder upwards, in the order in which MSBuild imports them.
const ABOVE: [&str; 3] = ["Directory.Build.props", "Directory.Build.targets", CENTRAL];

/// The file of central versions.
pub(super) const CENTRAL: &str = "Directory.Packages.props";

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `PackageReference`.
    Package,
    /// `PackageVersion`: a central version.
    Central,
    /// `GlobalPackageReference`: for every project, and its build alone.
    Global,
    /// `PackageDownload` and `DotNetCliToolReference`: fetched for the build.
    Tool,
    /// `ProjectReference`.
    Project,
}

/// An item.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub kind: Kind,
    /// `Include` or `Update`, unexpanded.
    pub names: String,
    pub is_update: bool,
    /// `VersionOverride`, else `Version`, unexpanded.
    pub version: Option<String>,
    /// Whether only the build of this project sees it.
    pub is_private: bool,
    pub is_conditional: bool,
    pub input: u32,
    pub line: u32,
    /// The folder of the file that has it.
    pub folder: RepoPath,
}

/// A project SDK with its version: a package as well.
#[derive(Debug, Clone)]
pub(super) struct Sdk {
    pub name: String,
    pub version: Option<String>,
    pub input: u32,
    pub line: u32,
}

/// Files taken together.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub items: Vec<Item>,
    pub sdks: Vec<Sdk>,
    /// Names that some file takes out again, in lower case.
    pub removed: HashSet<String>,
    properties: HashMap<String, Vec<String>>,
    steps: Cell<u64>,
}

/// What is left of the bytes that may be read for one project.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_ALL)
    }
}

/// What could not be read.
pub(super) type Failure = (RepoPath, Unread);

impl Evaluated {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            sdks: Vec::new(),
            removed: HashSet::new(),
            properties: HashMap::new(),
            steps: Cell::new(MAX_STEPS),
        }
    }

    /// Every value that a property may have.
    pub fn property(&self, name: &str) -> Result<Vec<String>, Unread> {
        let mut found = Vec::new();
        for raw in self.properties.get(&name.to_ascii_lowercase()).into_iter().flatten() {
            found.extend(self.texts(raw)?);
        }
        found.dedup();
        Ok(found)
    }

    /// Every text that a text with `$(…)` may expand to. What nothing defines stays as it is written.
    pub fn texts(&self, raw: &str) -> Result<Vec<String>, Unread> {
        self.expand(raw, &mut Vec::new())
    }

    /// The names of an item: a list with `;` between.
    pub fn names(&self, item: &Item) -> Result<Vec<String>, Unread> {
        let mut found = Vec::new();
        for text in self.texts(&item.names)? {
            let names = text.split(';').map(str::trim).filter(|name| !name.is_empty());
            found.extend(names.map(str::to_owned));
        }
        Ok(found)
    }

    fn expand(&self, raw: &str, open: &mut Vec<String>) -> Result<Vec<String>, Unread> {
        let Some(left) = self.steps.get().checked_sub(1) else {
            let what = "the number of steps to work out the properties".to_owned();
            return Err(Unread::TooLarge { what, size: MAX_STEPS + 1, cap: MAX_STEPS });
        };
        self.steps.set(left);
        let mut all = vec![String::new()];
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once("$(") {
            append(&mut all, &[before])?;
            let end = after.bytes().take(256).position(|byte| !byte.is_ascii_alphanumeric() && !b"_-.".contains(&byte));
            let name = end.filter(|end| after.as_bytes().get(*end) == Some(&b')')).and_then(|end| after.get(..end));
            let Some(name) = name else {
                // A function, or something that never ends.
                append(&mut all, &["$("])?;
                rest = after;
                continue;
            };
            rest = after.get(name.len() + 1..).unwrap_or_default();
            let key = name.to_ascii_lowercase();
            match self.properties.get(&key) {
                Some(values) if open.len() < MAX_DEPTH && !open.contains(&key) => {
                    open.push(key);
                    let mut found = Vec::new();
                    for value in values {
                        found.extend(self.expand(value, open)?);
                        bound(found.len())?;
                    }
                    open.pop();
                    found.sort();
                    found.dedup();
                    append(&mut all, &found.iter().map(String::as_str).collect::<Vec<_>>())?;
                }
                _ => append(&mut all, &[&format!("$({name})")])?,
            }
        }
        append(&mut all, &[rest])?;
        Ok(all)
    }
}

fn bound(count: usize) -> Result<(), Unread> {
    if count > MAX_VALUES {
        let what = "the number of values of one text with properties".to_owned();
        return Err(Unread::TooLarge { what, size: count as u64, cap: MAX_VALUES as u64 });
    }
    Ok(())
}

/// Appends each of the parts to each of the texts.
fn append(all: &mut Vec<String>, parts: &[&str]) -> Result<(), Unread> {
    bound(all.len() * parts.len())?;
    let size = all.iter().map(String::len).max().unwrap_or(0) + parts.iter().map(|part| part.len()).max().unwrap_or(0);
    if size > MAX_TEXT {
        let what = "a value with its properties expanded, in bytes,".to_owned();
        return Err(Unread::TooLarge { what, size: size as u64, cap: MAX_TEXT as u64 });
    }
    *all = all.iter().flat_map(|text| parts.iter().map(move |part| format!("{text}{part}"))).collect();
    Ok(())
}

/// Reads files with all that they import in the repository, and what MSBuild finds above them.
pub(super) fn evaluate(
    files: &[RepoPath],
    folder: &RepoPath,
    view: &mut View<'_>,
    budget: &mut Budget,
) -> Result<Evaluated, Failure> {
    let mut found = Evaluated::new();
    let mut waiting: Vec<RepoPath> = files.iter().rev().cloned().collect();
    for name in ABOVE {
        waiting.extend(above(name, folder, view)?);
    }
    let mut seen: HashSet<RepoPath> = HashSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if seen.len() > MAX_FILES {
            let what = "the number of files that a project imports".to_owned();
            return Err((path, Unread::TooLarge { what, size: seen.len() as u64, cap: MAX_FILES as u64 }));
        }
        let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else { continue };
        let Some(left) = budget.0.checked_sub(bytes.len() as u64) else {
            let what = "the files that a project imports, in bytes,".to_owned();
            return Err((path, Unread::TooLarge { what, size: MAX_ALL + 1, cap: MAX_ALL }));
        };
        budget.0 = left;
        let root = xml::read(&bytes, MAX_BYTES).map_err(|error| (path.clone(), error))?;
        let mut walk = Walk { found: &mut found, imports: Vec::new(), input, folder: path.parent() };
        walk.sdks(&root);
        walk.children(&root, false);
        for import in std::mem::take(&mut walk.imports) {
            waiting.extend(imported(&import, &path, view)?);
        }
    }
    Ok(found)
}

/// The nearest file of that name in a folder or above it.
pub(super) fn above(name: &str, folder: &RepoPath, view: &mut View<'_>) -> Result<Option<RepoPath>, Failure> {
    let mut at = folder.clone();
    loop {
        if let Some(path) = at.join(name)
            && view.read(&path).map_err(|error| (path.clone(), error))?.is_some()
        {
            return Ok(Some(path));
        }
        if at.is_root() {
            return Ok(None);
        }
        at = at.parent();
    }
}

/// The file that an import means: one next to the importing one, or the usual search upwards. Others are the SDK's or
/// a package's.
fn imported(import: &str, from: &RepoPath, view: &mut View<'_>) -> Result<Option<RepoPath>, Failure> {
    let folder = from.parent();
    if import.contains("OfFileAbove") {
        let name = ABOVE.into_iter().find(|name| import.contains(name));
        // A file that imports its own kind means the next one up.
        let start = if name == Some(from.file_name()) { folder.parent() } else { folder.clone() };
        return match name {
            Some(name) if name != from.file_name() || !folder.is_root() => above(name, &start, view),
            _ => Ok(None),
        };
    }
    let lower = import.to_ascii_lowercase();
    let rest = match lower.strip_prefix("$(msbuildthisfiledirectory)") {
        Some(rest) => import.get(import.len() - rest.len()..).unwrap_or_default(),
        None => import,
    };
    let rest = rest.trim_start_matches(['/', '\\']);
    Ok(if rest.contains(['$', '*', '?', '@']) { None } else { folder.join(rest) })
}

struct Walk<'f> {
    found: &'f mut Evaluated,
    imports: Vec<String>,
    input: u32,
    folder: RepoPath,
}

impl Walk<'_> {
    fn sdks(&mut self, root: &Element) {
        let sdks = attribute(root, "Sdk").unwrap_or_default();
        for sdk in sdks.split(';').map(str::trim).filter(|sdk| !sdk.is_empty()) {
            let (name, version) = sdk.split_once('/').map_or((sdk, None), |(name, version)| (name, Some(version)));
            self.sdk(name, version, root.line);
        }
    }

    fn sdk(&mut self, name: &str, version: Option<&str>, line: u32) {
        let version = version.map(|version| version.trim_start_matches("min=").to_owned());
        self.found.sdks.push(Sdk { name: name.to_owned(), version, input: self.input, line });
    }

    /// Walks everything inside an element. The depth is that of the document, which is bounded.
    fn children(&mut self, element: &Element, is_conditional: bool) {
        for child in &element.children {
            let is_conditional = is_conditional
                || attribute(child, "Condition").is_some()
                || matches!(&*child.name, "Target" | "When" | "Otherwise");
            match &*child.name {
                "PropertyGroup" => self.properties(child),
                "ItemGroup" => self.items(child, is_conditional),
                "Sdk" => {
                    if let Some(name) = attribute(child, "Name") {
                        self.sdk(name, attribute(child, "Version"), child.line);
                    }
                }
                "Import" => {
                    if let Some(name) = attribute(child, "Sdk") {
                        let (name, version) = name.split_once('/').map_or((name, None), |(n, v)| (n, Some(v)));
                        self.sdk(name, attribute(child, "Version").or(version), child.line);
                    } else if let Some(path) = attribute(child, "Project") {
                        self.imports.push(path.to_owned());
                    }
                }
                _ => self.children(child, is_conditional),
            }
        }
    }

    fn properties(&mut self, group: &Element) {
        for property in &group.children {
            let values = self.found.properties.entry(property.name.to_ascii_lowercase()).or_default();
            if values.len() < MAX_KEPT && !values.contains(&property.text) {
                values.push(property.text.clone());
            }
        }
    }

    fn items(&mut self, group: &Element, is_conditional: bool) {
        for item in &group.children {
            let kind = match &*item.name.to_ascii_lowercase() {
                "packagereference" => Kind::Package,
                "packageversion" => Kind::Central,
                "globalpackagereference" => Kind::Global,
                "packagedownload" | "dotnetclitoolreference" => Kind::Tool,
                "projectreference" => Kind::Project,
                _ => continue,
            };
            if let Some(names) = attribute(item, "Remove") {
                let names = names.split(';').map(|name| name.trim().to_ascii_lowercase());
                self.found.removed.extend(names);
            }
            let is_conditional = is_conditional || attribute(item, "Condition").is_some();
            let is_conditional = is_conditional || item.children.iter().any(|c| attribute(c, "Condition").is_some());
            let private = metadata(item, "PrivateAssets").join(";");
            let is_private = private.split(';').any(|asset| asset.trim().eq_ignore_ascii_case("all"));
            let mut versions = metadata(item, "VersionOverride");
            versions.extend(metadata(item, "Version"));
            for (names, is_update) in [(attribute(item, "Include"), false), (attribute(item, "Update"), true)] {
                let Some(names) = names else { continue };
                let make = |version: Option<&str>| Item {
                    kind,
                    names: names.to_owned(),
                    is_update,
                    version: version.map(str::to_owned),
                    is_private,
                    is_conditional,
                    input: self.input,
                    line: item.line,
                    folder: self.folder.clone(),
                };
                if versions.is_empty() {
                    self.found.items.push(make(None));
                }
                let made: Vec<Item> = versions.iter().map(|version| make(Some(version))).collect();
                self.found.items.extend(made);
            }
        }
    }
}

/// An attribute in any case.
pub(super) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    let mut attributes = element.attributes.iter();
    attributes.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Metadata of an item, written as an attribute or as elements.
fn metadata<'e>(item: &'e Element, name: &str) -> Vec<&'e str> {
    let children = item.children.iter().filter(|child| child.name.eq_ignore_ascii_case(name));
    let all = attribute(item, name).into_iter().chain(children.map(|child| &*child.text));
    all.filter(|text| !text.is_empty()).collect()
}
