//! `package.json`: what a package asks for.

use std::collections::{HashMap, HashSet};

use crate::ecosystem::syntax::json::{self, Document, Member, Table, Value};
use crate::ecosystem::syntax::{malformed, toml};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// What of a `package.json` concerns its dependencies. Everything is as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name; empty where there is none.
    pub name: Box<str>,
    /// The package's version; empty where there is none.
    pub version: Box<str>,
    /// What it asks for, section by section in the order of the file. A name may stand in several sections; one that
    /// `optionalDependencies` has too is left out of `dependencies`.
    pub dependencies: Vec<Dependency>,
    /// Globs of the workspace's members, each with its line; `None` where the package is no workspace.
    pub workspaces: Option<Globs>,
    /// What is put in other packages' places: `overrides`, `resolutions` and `pnpm.overrides`, in this order.
    pub overrides: Vec<Override>,
    /// Patches on packages (`pnpm.patchedDependencies`): the selector, the patch's file, the line.
    pub patches: Vec<(Box<str>, Box<str>, u32)>,
    /// Names of packages that the package carries in its own archive.
    pub bundled: Bundled,
    /// `packageManager`: a tool and its version.
    pub package_manager: Option<Box<str>>,
}

/// The longest selector of an override within others.
const MAX_SELECTOR: usize = 1_000;

/// Globs with their lines.
pub type Globs = Vec<(Box<str>, u32)>;

/// What a package carries in its own archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Bundled {
    /// Nothing.
    #[default]
    None,
    /// Everything in `dependencies`.
    All,
    /// Packages of these names.
    Names(Vec<Box<str>>),
}

impl Bundled {
    /// Reads `bundleDependencies` or its other spelling out of a manifest, or an entry of a lockfile.
    #[must_use]
    pub fn of(table: &Table<'_>) -> Self {
        match table.get("bundleDependencies").or_else(|| table.get("bundledDependencies")) {
            Some(Value::Flag(true)) => Self::All,
            Some(Value::List(names)) => Self::Names(names.iter().filter_map(Value::text).map(Box::from).collect()),
            _ => Self::None,
        }
    }
}

/// The section of a manifest that asks for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `dependencies`
    Plain,
    /// `optionalDependencies`
    Optional,
    /// `peerDependencies`
    Peer,
    /// `devDependencies`
    Development,
}

impl Section {
    /// Every section.
    pub const ALL: &[Self] = &[Self::Plain, Self::Optional, Self::Peer, Self::Development];

    /// The key that it stands under.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Plain => "dependencies",
            Self::Optional => "optionalDependencies",
            Self::Peer => "peerDependencies",
            Self::Development => "devDependencies",
        }
    }

    /// The scope in which it needs a package.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Development => Scope::Development,
            _ => Scope::Runtime,
        }
    }
}

/// A package that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name that the manifest's code knows it by. Its real one is in the specifier where that is an alias.
    pub name: Box<str>,
    /// What is asked for, as written; see [`super::source::Spec::of`].
    pub spec: Box<str>,
    /// The section that asks for it.
    pub section: Section,
    /// Whether nothing breaks where it is missing: optional dependencies, and peers that `peerDependenciesMeta` calls
    /// optional.
    pub is_optional: bool,
    /// The line of the entry, counted from 1.
    pub line: u32,
}

/// What is put in a package's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Which package in which place, as written; levels are divided by ` > `.
    pub selector: Box<str>,
    /// The name of the package whose place it is.
    pub name: Box<str>,
    /// What takes the place, as written. A reference to a dependency (`$name`) is replaced by what that one asks for.
    pub spec: Box<str>,
    /// The line of the entry, counted from 1.
    pub line: u32,
}

impl Override {
    /// An entry of `resolutions` or pnpm's `overrides`: `name`, `name@range`, `parent/name`, `**/name`,
    /// `parent@range>name`.
    #[must_use]
    pub fn new(selector: &str, spec: &str, line: u32) -> Self {
        let last = selector.rsplit_once('>').map_or(selector, |(_, last)| last).trim();
        Self { selector: selector.into(), name: selected(last).into(), spec: spec.into(), line }
    }
}

/// The name at the end of a selector, without a range.
fn selected(selector: &str) -> &str {
    // A range may hold slashes (`name@patch:…/…`), a path before the name holds no `@` but those of scopes.
    let is_range = |at: usize| at > 0 && selector.as_bytes().get(at - 1) != Some(&b'/');
    let end = selector.match_indices('@').map(|(at, _)| at).find(|at| is_range(*at)).unwrap_or(selector.len());
    let path = selector.get(..end).unwrap_or(selector);
    match path.rsplit_once('/') {
        None => path,
        Some((above, last)) => {
            let start = above.rfind('/').map_or(0, |at| at + 1);
            if above.get(start..).is_some_and(|scope| scope.starts_with('@')) {
                path.get(start..).unwrap_or(path)
            } else {
                last
            }
        }
    }
}

/// Reads a `package.json`.
///
/// # Errors
/// No JSON object, a key twice, a section that is no object, a specifier that is no text.
pub fn parse(bytes: &[u8]) -> Result<Manifest, Unread> {
    let document = json::read(bytes, toml::MAX_BYTES)?;
    let root = document.table()?;
    let mut manifest = Manifest {
        name: root.text("name").unwrap_or_default().into(),
        version: root.text("version").unwrap_or_default().into(),
        dependencies: dependencies(root, &document)?,
        workspaces: workspaces(root, &document)?,
        bundled: Bundled::of(root),
        package_manager: root.text("packageManager").map(Box::from),
        ..Manifest::default()
    };
    if let Some(member) = root.member("overrides") {
        npm_overrides(section(member, &document)?, "", "", &document, &mut manifest.overrides)?;
    }
    let pnpm = root.table("pnpm");
    for table in [root.member("resolutions"), pnpm.and_then(|pnpm| pnpm.member("overrides"))].into_iter().flatten() {
        for entry in section(table, &document)? {
            let line = document.line(entry);
            manifest.overrides.push(Override::new(&entry.key, text(entry, &document)?, line));
        }
    }
    if let Some(member) = pnpm.and_then(|pnpm| pnpm.member("patchedDependencies")) {
        for entry in section(member, &document)? {
            let line = document.line(entry);
            manifest.patches.push((Box::from(&*entry.key), Box::from(text(entry, &document)?), line));
        }
    }
    let asked: HashMap<&str, &str> = manifest.dependencies.iter().map(|each| (&*each.name, &*each.spec)).collect();
    for each in &mut manifest.overrides {
        if let Some(spec) = each.spec.strip_prefix('$').and_then(|name| asked.get(name)) {
            each.spec = Box::from(*spec);
        }
    }
    Ok(manifest)
}

/// What the four sections of a table ask for: a manifest's, or an entry's of a lockfile.
///
/// # Errors
/// A section that is no object, a specifier that is no text.
pub fn dependencies(table: &Table<'_>, document: &Document<'_>) -> Result<Vec<Dependency>, Unread> {
    let mut found: Vec<Dependency> = Vec::new();
    let meta = table.table("peerDependenciesMeta");
    let optional: HashSet<&str> =
        table.table("optionalDependencies").into_iter().flat_map(Table::members).map(|member| &*member.key).collect();
    let free: HashSet<&str> = meta
        .into_iter()
        .flat_map(Table::members)
        .filter(|member| member.value.table().is_some_and(|peer| peer.is("optional")))
        .map(|member| &*member.key)
        .collect();
    for which in Section::ALL {
        let Some(member) = table.member(which.key()) else { continue };
        for entry in section(member, document)? {
            let name = &*entry.key;
            if *which == Section::Plain && optional.contains(name) {
                continue;
            }
            let is_optional = *which == Section::Optional || (*which == Section::Peer && free.contains(name));
            let spec = text(entry, document)?.into();
            found.push(Dependency {
                name: name.into(),
                spec,
                section: *which,
                is_optional,
                line: document.line(entry),
            });
        }
    }
    Ok(found)
}

/// The members of an object. Old manifests write an empty list for an empty object.
fn section<'m, 'a>(
    member: &'m Member<'a>,
    document: &Document<'_>,
) -> Result<std::slice::Iter<'m, Member<'a>>, Unread> {
    match &member.value {
        Value::Table(table) => Ok(table.members()),
        Value::List(list) if list.is_empty() => Ok([].iter()),
        Value::Null => Ok([].iter()),
        _ => Err(malformed(document.line(member), format!("`{}` is no object", shown(&member.key)))),
    }
}

fn text<'m>(member: &'m Member<'_>, document: &Document<'_>) -> Result<&'m str, Unread> {
    let wrong = || malformed(document.line(member), format!("`{}` is no text", shown(&member.key)));
    member.value.text().ok_or_else(wrong)
}

fn shown(key: &str) -> String {
    key.chars().take(80).flat_map(char::escape_debug).collect()
}

/// `workspaces`: a list of globs, or an object with one under `packages`.
fn workspaces(root: &Table<'_>, document: &Document<'_>) -> Result<Option<Globs>, Unread> {
    let Some(member) = root.member("workspaces") else { return Ok(None) };
    let line = document.line(member);
    let list = match &member.value {
        Value::List(list) => &**list,
        Value::Table(table) => table.list("packages"),
        Value::Null | Value::Flag(false) => return Ok(None),
        _ => return Err(malformed(line, "`workspaces` is neither a list nor an object")),
    };
    let glob = |item: &Value<'_>| item.text().map(|text| (Box::from(text), line));
    let globs: Option<Vec<_>> = list.iter().map(glob).collect();
    globs.map(Some).ok_or_else(|| malformed(line, "a glob of `workspaces` is no text"))
}

/// npm's `overrides`: a key is a package with or without a range, a value is what takes its place, or an object for the
/// packages below it, where `.` is the package itself.
fn npm_overrides(
    entries: std::slice::Iter<'_, Member<'_>>,
    above: &str,
    name_above: &str,
    document: &Document<'_>,
    found: &mut Vec<Override>,
) -> Result<(), Unread> {
    for entry in entries {
        let is_self = &*entry.key == ".";
        let name = if is_self { name_above } else { selected(&entry.key) };
        // A selector is for people; nobody writes one this long, and every entry below holds it.
        let selector: String = match (above, is_self) {
            ("", _) => entry.key.chars().take(MAX_SELECTOR).collect(),
            (_, true) => above.to_owned(),
            _ if above.len() + entry.key.len() > MAX_SELECTOR => above.to_owned(),
            _ => format!("{above} > {}", entry.key),
        };
        match &entry.value {
            Value::Table(table) => npm_overrides(table.members(), &selector, name, document, found)?,
            _ => {
                let (spec, line) = (text(entry, document)?.into(), document.line(entry));
                found.push(Override { selector: selector.into(), name: name.into(), spec, line });
            }
        }
    }
    Ok(())
}
