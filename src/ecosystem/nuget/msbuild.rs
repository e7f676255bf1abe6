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

/// Different patterns of files that the imports of one project may have.
const MAX_PATTERNS: usize = 8;

/// Bytes and folders of such a pattern: each is compared with every path of the tree.
const MAX_PATTERN: (usize, usize) = (256, 16);

/// Project files of one folder, and folders with a solution, whose names properties are taken to stand for.
const MAX_PLACES: usize = 8;

/// What the toolchain and restored packages set: files below these come with them and lie in no repository.
const INSTALLED: [&str; 12] = [
    "msbuildextensionspath",
    "msbuildextensionspath32",
    "msbuildextensionspath64",
    "msbuilduserextensionspath",
    "msbuildtoolspath",
    "msbuildtoolspath32",
    "msbuildtoolspath64",
    "msbuildbinpath",
    "msbuildsdkspath",
    "msbuildframeworktoolspath",
    "vctargetspath",
    "userrootdir",
];

/// Starts of names of such properties: of packages (`GeneratePathProperty`), NuGet and Visual Studio.
const INSTALLED_STARTS: [&str; 3] = ["pkg", "nuget", "vstools"];

/// Starts of names of properties whose values MSBuild and the SDKs import.
const IMPORTED_STARTS: [&str; 5] =
    ["custombefore", "customafter", "beforemicrosoftnetsdk", "aftermicrosoftnetsdk", "alternatecommonprops"];

/// As [`IMPORTED_STARTS`], whole names.
const IMPORTED: [&str; 4] =
    ["directorybuildpropspath", "directorybuildtargetspath", "directorypackagespropspath", "languagetargets"];

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

/// An import whose file cannot be told.
#[derive(Debug)]
pub(super) struct Unresolved {
    pub text: String,
    pub input: u32,
    pub line: u32,
}

/// Files taken together.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub items: Vec<Item>,
    pub sdks: Vec<Sdk>,
    pub unresolved: Vec<Unresolved>,
    /// Names that some file takes out again, in lower case.
    pub removed: HashSet<String>,
    properties: HashMap<String, Vec<String>>,
    steps: Cell<u64>,
}

/// What one project shares with those that it refers to: the bytes that may still be read, and what was looked for
/// among all paths of the tree.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    /// Files by the patterns of imports.
    patterns: HashMap<String, Vec<RepoPath>>,
    /// Folders with a solution.
    solutions: Option<Vec<String>>,
    /// Files that are named after a project file, as `App.csproj.nuget.props`.
    named: Option<Vec<RepoPath>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_ALL, patterns: HashMap::new(), solutions: None, named: None }
    }
}

/// What could not be read.
pub(super) type Failure = (RepoPath, Unread);

impl Evaluated {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            sdks: Vec::new(),
            unresolved: Vec::new(),
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

/// An import as it is written.
#[derive(Debug)]
struct Import {
    text: String,
    /// The property whose value it is, where it is one.
    property: Option<String>,
    /// The file that has it.
    path: RepoPath,
    input: u32,
    line: u32,
}

/// Reads files with all that they import in the repository, and what MSBuild finds above and beside them.
pub(super) fn evaluate(
    files: &[RepoPath],
    folder: &RepoPath,
    view: &mut View<'_>,
    budget: &mut Budget,
) -> Result<Evaluated, Failure> {
    let mut found = Evaluated::new();
    for path in files.iter().take(MAX_PLACES) {
        found.project(path);
    }
    let mut waiting: Vec<RepoPath> = files.iter().rev().cloned().collect();
    for name in ABOVE {
        waiting.extend(above(name, folder, view)?);
    }
    let mut seen: HashSet<RepoPath> = HashSet::new();
    let mut imports: Vec<Import> = Vec::new();
    // What is imported sets properties that other imports are written with: until nothing more is found.
    loop {
        while let Some(path) = waiting.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            if seen.len() > MAX_FILES {
                let what = "the number of files that a project imports".to_owned();
                return Err((path, Unread::TooLarge { what, size: seen.len() as u64, cap: MAX_FILES as u64 }));
            }
            let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else { continue };
            let Some(left) = budget.left.checked_sub(bytes.len() as u64) else {
                let what = "the files that a project imports, in bytes,".to_owned();
                return Err((path, Unread::TooLarge { what, size: MAX_ALL + 1, cap: MAX_ALL }));
            };
            budget.left = left;
            let root = xml::read(&bytes, MAX_BYTES).map_err(|error| (path.clone(), error))?;
            let mut walk = Walk { found: &mut found, imports: Vec::new(), input, path: path.clone() };
            walk.sdks(&root);
            walk.children(&root, false);
            imports.append(&mut walk.imports);
        }
        found.unresolved.clear();
        for import in &imports {
            waiting.extend(found.imported(import, budget, view)?);
        }
        waiting.extend(found.beside(files, budget, view).map_err(|error| (folder.clone(), error))?);
        waiting.retain(|path| !seen.contains(path));
        if waiting.is_empty() {
            return Ok(found);
        }
        waiting.reverse();
    }
}

/// A folder as properties have it, with the repository's root for the root of all files.
fn place(folder: &RepoPath) -> String {
    if folder.is_root() { "/".to_owned() } else { format!("/{folder}/") }
}

/// The path that a text means that was written in a folder; `None` where it lies outside of the repository.
pub(super) fn located(folder: &RepoPath, text: &str) -> Option<RepoPath> {
    match text.strip_prefix(['/', '\\']) {
        Some(rest) if !rest.starts_with('\\') => RepoPath::root().join(rest.trim_start_matches('/')),
        _ => folder.join(text),
    }
}

/// `%2e` for a dot and its like.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                out.push(char::from(code));
                out.push_str(rest);
            }
            _ => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

/// Whether a path that is not known leads into the toolchain or a package.
fn is_installed(text: &str) -> bool {
    let name = text.strip_prefix("$(").and_then(|rest| rest.split_once(')')).map(|(name, _)| name.to_ascii_lowercase());
    let is_known = name.is_some_and(|name| {
        INSTALLED.contains(&&*name) || INSTALLED_STARTS.iter().any(|start| name.starts_with(start))
    });
    is_known && !text.contains("..") && !text.contains("$([")
}

impl Evaluated {
    /// Sets what MSBuild sets for a project file.
    fn project(&mut self, path: &RepoPath) {
        let name = path.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let folder = path.parent();
        let directory = if folder.is_root() { String::new() } else { format!("/{folder}") };
        for (property, value) in [
            ("msbuildprojectdirectory", directory),
            ("msbuildprojectfile", name.to_owned()),
            ("msbuildprojectname", stem.to_owned()),
            ("msbuildprojectfullpath", format!("/{path}")),
        ] {
            let values = self.properties.entry(property.to_owned()).or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }

    /// The files that an import means: one in the repository, several by a pattern, or the usual search upwards.
    /// Others are the SDK's or a package's; what is neither is noted.
    fn imported(
        &mut self,
        import: &Import,
        budget: &mut Budget,
        view: &mut View<'_>,
    ) -> Result<Vec<RepoPath>, Failure> {
        let fail = |error| (import.path.clone(), error);
        let folder = import.path.parent();
        let mut raw = import.text.clone();
        if raw.contains("OfFileAbove") {
            match self.searched(&raw, &import.path, view)? {
                Search::Found(text) => raw = text,
                Search::Nothing => return Ok(Vec::new()),
                Search::Unknown => {}
            }
        }
        if raw.to_ascii_lowercase().contains("$(solutiondir)") && !self.properties.contains_key("solutiondir") {
            self.solutions(budget, view);
        }
        let own = import.property.as_ref().map(|name| format!("$({name})"));
        let mut found = Vec::new();
        for text in self.texts(&raw).map_err(fail)? {
            for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
                if own.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(part)) {
                    continue;
                }
                let part = unescaped(part);
                let is_open = part.contains("$(") || part.contains("@(");
                if is_open && is_installed(&part) {
                    continue;
                }
                let path = located(&folder, &part).filter(|_| !is_open && !import.text.starts_with("//"));
                let matched = match path {
                    Some(path) if path.as_str().contains(['*', '?']) => matching(&path, budget, view),
                    Some(path) => Some(vec![path]),
                    None => None,
                };
                match matched {
                    Some(paths) => found.extend(paths),
                    None => self.unresolved.push(Unresolved { text: part, input: import.input, line: import.line }),
                }
            }
        }
        Ok(found)
    }

    /// An import with its search for a file in the folders above worked out.
    fn searched(&self, raw: &str, from: &RepoPath, view: &mut View<'_>) -> Result<Search, Failure> {
        let fail = |error| (from.clone(), error);
        let folder = from.parent();
        let Some((before, call)) = raw.split_once("$([MSBuild]::Get") else { return Ok(Search::Unknown) };
        let Some((name, rest)) = call.split_once('(') else { return Ok(Search::Unknown) };
        let mut depth = 1usize;
        let end = rest.bytes().position(|byte| {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let parts = end.and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?.trim_start().strip_prefix(')')?)));
        let Some((arguments, after)) = parts else { return Ok(Search::Unknown) };
        let mut plain = Vec::new();
        for argument in arguments.split(',') {
            let argument = argument.trim().trim_matches(['\'', '"', '`']);
            let mut texts = self.texts(argument).map_err(fail)?;
            match (texts.pop(), texts.is_empty()) {
                (Some(text), true) if !text.contains("$(") => plain.push(text),
                _ => return Ok(Search::Unknown),
            }
        }
        let (name, start, is_path) = match (name.trim(), &*plain) {
            ("PathOfFileAbove", [name]) => (name, None, true),
            ("PathOfFileAbove", [name, start]) => (name, Some(start), true),
            ("DirectoryNameOfFileAbove", [start, name]) => (name, Some(start), false),
            _ => return Ok(Search::Unknown),
        };
        let mut at = match start {
            None => folder.clone(),
            Some(start) => match located(&folder, start) {
                Some(at) => at,
                None => return Ok(Search::Nothing),
            },
        };
        // A file that imports its own kind means the next one up.
        if is_path && at == folder && name == from.file_name() {
            if at.is_root() {
                return Ok(Search::Nothing);
            }
            at = at.parent();
        }
        let Some(path) = above(name, &at, view)? else {
            return Ok(if is_path { Search::Nothing } else { Search::Unknown });
        };
        if is_path {
            return Ok(Search::Found(format!("{before}/{path}{after}")));
        }
        let levels = name.split(['/', '\\']).filter(|part| !part.is_empty()).count();
        let home = (0..levels).fold(path, |path, _| path.parent());
        Ok(Search::Found(format!("{before}{}{after}", place(&home))))
    }

    /// Sets the folder of the solution: any that has one.
    fn solutions(&mut self, budget: &mut Budget, view: &View<'_>) {
        let is_solution = |path: &&RepoPath| path.as_str().ends_with(".sln") || path.as_str().ends_with(".slnx");
        let folders = budget.solutions.get_or_insert_with(|| {
            let all = view.files().paths().filter(is_solution);
            let mut folders: Vec<String> = all.map(|path| place(&path.parent())).collect();
            folders.sort();
            folders.dedup();
            folders
        });
        if !folders.is_empty() && folders.len() <= MAX_PLACES {
            self.properties.insert("solutiondir".to_owned(), folders.clone());
        }
    }

    /// Files that MSBuild imports by their names alone where they are in the tree: `App.csproj.user`, and
    /// `obj/App.csproj.*.props` and `.targets`.
    fn beside(&self, files: &[RepoPath], budget: &mut Budget, view: &View<'_>) -> Result<Vec<RepoPath>, Unread> {
        let is_named = |path: &&RepoPath| {
            let name = path.file_name();
            name.contains("proj.") && [".props", ".targets", ".user"].iter().any(|end| name.ends_with(end))
        };
        let named =
            budget.named.get_or_insert_with(|| view.files().paths().filter(is_named).cloned().collect::<Vec<_>>());
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let mut folders = vec!["obj".to_owned()];
        for name in ["MSBuildProjectExtensionsPath", "BaseIntermediateOutputPath"] {
            folders.extend(self.property(name)?);
        }
        let mut found = Vec::new();
        for file in files {
            let start = format!("{}.", file.file_name());
            let homes: Vec<RepoPath> =
                folders.iter().filter_map(|folder| located(&file.parent(), &unescaped(folder))).collect();
            let is_imported = |path: &&RepoPath| match path.file_name().strip_prefix(&start) {
                Some("user") => path.parent() == file.parent(),
                Some(_) => homes.contains(&path.parent()),
                None => false,
            };
            found.extend(named.iter().filter(is_imported).cloned());
        }
        Ok(found)
    }
}

/// What a search for a file in the folders above comes to.
enum Search {
    Found(String),
    Nothing,
    Unknown,
}

/// The files of the tree that a pattern means; `None` where there are too many patterns, or one that is too long.
fn matching(pattern: &RepoPath, budget: &mut Budget, view: &View<'_>) -> Option<Vec<RepoPath>> {
    let text = format!("/{pattern}");
    if let Some(known) = budget.patterns.get(&text) {
        return Some(known.clone());
    }
    let (bytes, folders) = MAX_PATTERN;
    if budget.patterns.len() >= MAX_PATTERNS || text.len() > bytes || pattern.parts().count() > folders {
        return None;
    }
    let found = view.files().paths().filter(|path| crate::model::path::glob(&text, path)).take(MAX_FILES + 1);
    let found: Vec<RepoPath> = found.cloned().collect();
    budget.patterns.insert(text, found.clone());
    Some(found)
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

struct Walk<'f> {
    found: &'f mut Evaluated,
    imports: Vec<Import>,
    input: u32,
    path: RepoPath,
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

    fn import(&mut self, text: &str, property: Option<&str>, line: u32) {
        let text = self.placed(text);
        let property = property.map(str::to_owned);
        self.imports.push(Import { text, property, path: self.path.clone(), input: self.input, line });
    }

    /// A text with what stands for the file that it is written in.
    fn placed(&self, text: &str) -> String {
        const START: &str = "$(msbuildthisfile";
        let lower = text.to_ascii_lowercase();
        if !lower.contains(START) {
            return text.to_owned();
        }
        let name = self.path.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let (mut out, mut at) = (String::new(), 0);
        while let Some(start) = lower.get(at..).and_then(|rest| rest.find(START)).map(|found| at + found) {
            out.push_str(text.get(at..start).unwrap_or_default());
            let rest = lower.get(start + START.len()..).unwrap_or_default();
            let (end, _) = rest.split_once(')').unwrap_or_default();
            let value = match end {
                "directory" => Some(place(&self.path.parent())),
                "" if rest.starts_with(')') => Some(name.to_owned()),
                "name" => Some(stem.to_owned()),
                "fullpath" => Some(format!("/{}", self.path)),
                _ => None,
            };
            at = start + START.len();
            match value {
                Some(value) => {
                    out.push_str(&value);
                    at += end.len() + 1;
                }
                None => out.push_str(text.get(start..at).unwrap_or_default()),
            }
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
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
                    if let Some(name) = attribute(child, "Sdk").filter(|name| !name.is_empty()) {
                        let (name, version) = name.split_once('/').map_or((name, None), |(n, v)| (n, Some(v)));
                        self.sdk(name, attribute(child, "Version").or(version), child.line);
                    } else if let Some(path) = attribute(child, "Project") {
                        self.import(path, None, child.line);
                    }
                }
                _ => self.children(child, is_conditional),
            }
        }
    }

    fn properties(&mut self, group: &Element) {
        for property in &group.children {
            let name = property.name.to_ascii_lowercase();
            let text = self.placed(&property.text);
            if IMPORTED.contains(&&*name) || IMPORTED_STARTS.iter().any(|start| name.starts_with(start)) {
                self.import(&text, Some(&property.name), property.line);
            }
            let values = self.found.properties.entry(name).or_default();
            if values.len() < MAX_KEPT && !values.contains(&text) {
                values.push(text);
            }
        }
    }

    fn items(&mut self, group: &Element, is_conditional: bool) {
        let folder = self.path.parent();
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
                let Some(names) = names.map(|names| self.placed(names)) else { continue };
                let make = |version: Option<&str>| Item {
                    kind,
                    names: names.clone(),
                    is_update,
                    version: version.map(str::to_owned),
                    is_private,
                    is_conditional,
                    input: self.input,
                    line: item.line,
                    folder: folder.clone(),
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
