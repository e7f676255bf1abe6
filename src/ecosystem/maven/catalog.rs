//! `gradle/libs.versions.toml` and other version catalogs (Gradle's "Version catalogs"): libraries and plugins that
//! build scripts may take by name, with the versions they ask for.

use std::collections::BTreeMap;

use crate::ecosystem::View;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::toml::{self, Entry, MAX_BYTES, Table};
use crate::model::inventory::{Inventory, Package, Project, Scope, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// A library or plugin of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `group:artifact`.
    pub name: String,
    /// What is asked for; `None` where the catalog leaves it open.
    pub version: Option<String>,
    /// Whether it is a plugin.
    pub is_plugin: bool,
    /// The line of the entry.
    pub line: u32,
}

pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
    let path = project.manifest.clone().unwrap_or_else(|| project.path.clone());
    let fail = |error| (path.clone(), error);
    let Some((bytes, input)) = view.read(&path).map_err(fail)? else {
        return Err(fail(Unread::NotAFile("the catalog is not there".to_owned())));
    };
    let mut draft = Draft::new();
    let root = draft.root(path.file_name(), "", &project.path, Span { input, line: 1, end_line: 1 });
    for listed in parse(&bytes).map_err(fail)? {
        let span = Span { input, line: listed.line, end_line: listed.line };
        let scope = if listed.is_plugin { Scope::Build } else { Scope::Runtime };
        let number = draft.package(package(&listed, span));
        draft.need(root, number, scope, Some(span));
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// A plain version is what Gradle takes where nothing else asks for a higher one: without a lockfile it is the best
/// that is known, and so counts as fixed. Ranges and versions that move do not.
fn package(listed: &Listed, span: Span) -> Package {
    let version = listed.version.as_deref().unwrap_or("*");
    let is_locked = !version.contains(['[', ']', '(', ')', ',', '+', '*']) && !version.starts_with("latest.");
    Package { is_locked, ..Package::new(Ecosystem::Maven, &listed.name, version, span) }
}

/// Reads a catalog.
///
/// # Errors
/// [`Unread`] where it is no TOML, of an unknown format, or refers to what it does not hold.
pub fn parse(bytes: &[u8]) -> Result<Vec<Listed>, Unread> {
    toml::read(bytes, MAX_BYTES, catalog)
}

/// Whether a TOML file of any name is a catalog. Gradle takes no other tables in one; and what cannot be read may be
/// one where it speaks of libraries or plugins.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let of = |root: Table<'_, '_>| {
        let keys: Vec<&str> = root.entries().map(|entry| entry.key).collect();
        let is_known = |key: &&str| matches!(*key, "metadata" | "versions" | "libraries" | "plugins" | "bundles");
        Ok(keys.iter().any(|key| *key != "metadata") && keys.iter().all(is_known))
    };
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    toml::read(bytes, MAX_BYTES, of).unwrap_or_else(|_| has(b"libraries") || has(b"plugins"))
}

fn catalog(root: Table<'_, '_>) -> Result<Vec<Listed>, Unread> {
    if let Some(metadata) = root.table("metadata")?
        && let Some(format) = metadata.table("format")?
        && let Some(version) = format.text("version")?
        && !matches!(version, "1.0" | "1.1")
    {
        return Err(Unread::Unsupported("a version catalog of a format that is neither 1.0 nor 1.1".to_owned()));
    }
    let mut versions = BTreeMap::new();
    for entry in root.table("versions")?.into_iter().flat_map(Table::entries) {
        versions.insert(entry.key, written(entry)?);
    }
    let mut found = Vec::new();
    for (list, is_plugin) in [("libraries", false), ("plugins", true)] {
        for entry in root.table(list)?.into_iter().flat_map(Table::entries) {
            let (name, version) = named(entry, is_plugin, &versions)?;
            // A plugin is found by a marker, which is named after it.
            let name = if is_plugin { format!("{name}:{name}.gradle.plugin") } else { name };
            found.push(Listed { name, version, is_plugin, line: entry.line });
        }
    }
    found.sort_by_key(|listed| listed.line);
    Ok(found)
}

/// Name and version of an entry: `group:artifact`, or the id of a plugin.
fn named(
    entry: Entry<'_, '_>,
    is_plugin: bool,
    versions: &BTreeMap<&str, Option<String>>,
) -> Result<(String, Option<String>), Unread> {
    let wrong = |reason: &str| malformed(entry.line, reason);
    if let Some(text) = entry.as_text() {
        let parts: Vec<&str> = text.split(':').collect();
        return match (&*parts, is_plugin) {
            ([group, artifact, version], false) => Ok((format!("{group}:{artifact}"), plain(version))),
            ([group, artifact], false) => Ok((format!("{group}:{artifact}"), None)),
            ([id, version], true) => Ok(((*id).to_owned(), plain(version))),
            _ => Err(wrong("not written as its name and version")),
        };
    }
    let table = entry.table()?;
    let name = match (is_plugin, table.text("module")?, table.text("group")?, table.text("name")?) {
        (true, ..) => table.text("id")?.ok_or_else(|| wrong("a plugin without `id`"))?.to_owned(),
        (false, Some(module), None, None) if module.split(':').count() == 2 => module.to_owned(),
        (false, None, Some(group), Some(name)) => format!("{group}:{name}"),
        _ => return Err(wrong("neither `module` nor `group` and `name`")),
    };
    let version = match table.get("version") {
        None => None,
        Some(version) => match version.as_text() {
            Some(text) => plain(text),
            None => match version.table()?.text("ref")? {
                Some(reference) => match versions.get(reference) {
                    Some(version) => version.clone(),
                    None => return Err(wrong("its version refers to one that the catalog does not hold")),
                },
                None => written(version)?,
            },
        },
    };
    Ok((name, version))
}

/// A version as text or as a table of wishes.
fn written(entry: Entry<'_, '_>) -> Result<Option<String>, Unread> {
    if let Some(text) = entry.as_text() {
        return Ok(plain(text));
    }
    let table = entry.table()?;
    let wishes = [table.text("strictly")?, table.text("require")?, table.text("prefer")?];
    // Within a range, the version that is preferred is taken. `reject` takes versions away and names none.
    let exact = wishes.iter().flatten().find(|version| !version.contains(['[', ']', '(', ')', ',', '+']));
    Ok(exact.or_else(|| wishes.iter().flatten().next()).and_then(|version| plain(version)))
}

/// `1.0!!` is short for strictly `1.0`.
fn plain(version: &str) -> Option<String> {
    let version = version.trim().trim_end_matches("!!");
    (!version.is_empty()).then(|| version.to_owned())
}
