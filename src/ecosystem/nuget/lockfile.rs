//! `packages.lock.json` (NuGet's "Locking dependencies"): for each target framework, the packages that it gets.

use std::collections::HashMap;

use crate::ecosystem::FILE_CAP;
use crate::ecosystem::syntax::{json, malformed};
use crate::model::checksum;
use crate::model::tree::Unread;
use json::{Document, Member, Table};

/// One entry of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The id, in lower case.
    pub name: String,
    /// The version; `None` for a project.
    pub version: Option<String>,
    /// Whether the entry says that the project names it. Scopes do not rest on it.
    pub is_direct: bool,
    /// The range that was asked for.
    pub requested: Option<String>,
    /// The digest.
    pub checksum: Option<Box<str>>,
    /// Whether an entry of a project has what only packages have.
    pub is_odd: bool,
    /// What it needs, in lower case.
    pub needs: Vec<String>,
    /// The line of the entry.
    pub line: u32,
}

/// The entries of one target framework, or of one with a runtime (`net8.0/linux-x64`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Framework {
    /// The name.
    pub name: String,
    /// The entries.
    pub entries: Vec<Locked>,
    /// The entries by name.
    pub by_name: HashMap<String, usize>,
}

/// Reads a lockfile of version 1 or 2.
///
/// # Errors
/// [`Unread`] where it is no such file, an entry stands twice, or a package has no version.
pub fn parse(bytes: &[u8]) -> Result<Vec<Framework>, Unread> {
    let document = json::read(bytes, FILE_CAP)?;
    let root = document.table()?;
    match root.get("version").and_then(json::Value::whole) {
        Some(1 | 2) => {}
        _ => return Err(Unread::Unsupported("a packages.lock.json of a version that is neither 1 nor 2".to_owned())),
    }
    let Some(member) = root.member("dependencies") else {
        return Err(malformed(1, "no `dependencies`"));
    };
    let frameworks = member.value.table().ok_or_else(|| malformed(document.line(member), "not an object"))?;
    frameworks.members().map(|framework| read(&document, framework)).collect()
}

fn read(document: &Document<'_>, framework: &Member<'_>) -> Result<Framework, Unread> {
    let table = framework.value.table().ok_or_else(|| malformed(document.line(framework), "not an object"))?;
    let mut found = Framework { name: framework.key.to_string(), ..Framework::default() };
    for member in table.members() {
        let line = document.line(member);
        let entry = member.value.table().ok_or_else(|| malformed(line, "not an object"))?;
        let locked = locked(&member.key, entry, line)?;
        if found.by_name.insert(locked.name.clone(), found.entries.len()).is_some() {
            return Err(malformed(line, "a package twice, in two spellings"));
        }
        found.entries.push(locked);
    }
    Ok(found)
}

fn locked(name: &str, entry: &Table<'_>, line: u32) -> Result<Locked, Unread> {
    let hash = entry.text("contentHash");
    let (version, is_direct) = match entry.text("type") {
        Some("Project") => (None, false),
        Some(kind @ ("Direct" | "Transitive" | "CentralTransitive")) => match entry.text("resolved") {
            Some(version) if !version.is_empty() => (Some(version.to_owned()), kind == "Direct"),
            _ => return Err(malformed(line, "a package without `resolved`")),
        },
        _ => return Err(malformed(line, "neither a package nor a project by its `type`")),
    };
    let needs = match entry.get("dependencies") {
        None => Vec::new(),
        Some(value) => match value.table() {
            Some(table) => table.members().map(|need| need.key.to_lowercase()).collect(),
            None => return Err(malformed(line, "`dependencies` is not an object")),
        },
    };
    Ok(Locked {
        name: name.to_lowercase(),
        is_odd: version.is_none() && (hash.is_some() || entry.get("resolved").is_some()),
        checksum: if version.is_some() { hash.and_then(|hash| checksum::of_base64("sha512", hash)) } else { None },
        version,
        is_direct,
        requested: entry.text("requested").map(str::to_owned),
        needs,
        line,
    })
}
