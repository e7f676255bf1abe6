//! `Cargo.toml`: what a package or workspace asks for. Keys that say nothing about dependencies are not looked at;
//! keys that do, and are of the wrong type, are refused: cargo would refuse them too, and nobody else should guess.

use crate::ecosystem::syntax::toml::{self as document, Entry, Table};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The package, unless the manifest is that of a workspace alone.
    pub package: Option<Head>,
    /// The workspace, where this is its root.
    pub workspace: Option<Workspace>,
    /// Dependencies of every kind and target.
    pub dependencies: Vec<Dependency>,
    /// `[patch]` tables.
    pub patches: Vec<Patch>,
}

/// The `[package]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The name.
    pub name: Box<str>,
    /// The version; `None` where it is the workspace's.
    pub version: Option<Box<str>>,
    /// The folder of the workspace's root, where the package names it.
    pub workspace: Option<Box<str>>,
    /// The line of the name.
    pub line: u32,
}

/// The `[workspace]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Folders of members, as globs.
    pub members: Vec<Box<str>>,
    /// Folders that are no members.
    pub exclude: Vec<Box<str>>,
    /// The version that members inherit.
    pub version: Option<Box<str>>,
    /// The dependencies that members inherit. Their scope means nothing.
    pub dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The key, which is the name in the package's code.
    pub key: Box<str>,
    /// The package's name, where it differs from the key.
    pub package: Option<Box<str>>,
    /// When it is needed.
    pub scope: Scope,
    /// Whether a feature turns it on.
    pub is_optional: bool,
    /// Whether the rest is said in the workspace's root.
    pub is_inherited: bool,
    /// The version requirement.
    pub requirement: Option<Box<str>>,
    /// The address of a git repository.
    pub git: Option<Box<str>>,
    /// `branch`, `tag` or `rev`, and its value.
    pub reference: Option<(&'static str, Box<str>)>,
    /// The folder, as written.
    pub path: Option<Box<str>>,
    /// The name of a registry.
    pub registry: Option<Box<str>>,
    /// The address of a registry's index.
    pub registry_index: Option<Box<str>>,
    /// The line of the key.
    pub line: u32,
}

impl Dependency {
    /// The package's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.key)
    }

    /// Whether it comes from the default registry.
    #[must_use]
    pub fn is_from_registry(&self) -> bool {
        self.git.is_none() && self.path.is_none() && self.registry.is_none() && self.registry_index.is_none()
    }
}

/// What takes the place of packages of a source: one entry of a `[patch]` table, or of `[replace]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The name or address of the source; `crates-io` for the public registry.
    pub source: Box<str>,
    /// What takes the place.
    pub with: Dependency,
}

/// Reads a manifest.
///
/// # Errors
/// [`Unread`] where it is no TOML, or a key of interest is of the wrong type.
pub fn parse(bytes: &[u8]) -> Result<Manifest, Unread> {
    document::read(bytes, document::MAX_BYTES, manifest)
}

fn manifest(root: Table<'_, '_>) -> Result<Manifest, Unread> {
    let mut dependencies = Vec::new();
    read_kinds(root, &mut dependencies)?;
    for target in root.table("target")?.into_iter().flat_map(Table::entries) {
        read_kinds(target.table()?, &mut dependencies)?;
    }
    let mut patches = patches(root)?;
    for entry in root.table("replace")?.into_iter().flat_map(Table::entries) {
        // The key is a package id: `name:1.2.3`, or an address with `#name:1.2.3`.
        let id = entry.key.rsplit_once('#').map_or(entry.key, |(_, id)| id);
        let name = id.split_once([':', '@']).map_or(id, |(name, _)| name);
        let mut with = dependency(entry, Scope::Runtime)?;
        with.package.get_or_insert_with(|| Box::from(name));
        patches.push(Patch { source: Box::from("crates-io"), with });
    }
    let package = match root.get("package").or_else(|| root.get("project")) {
        Some(entry) => Some(head(entry)?),
        None => None,
    };
    let workspace = root.table("workspace")?.map(workspace).transpose()?;
    Ok(Manifest { package, workspace, dependencies, patches })
}

fn head(entry: Entry<'_, '_>) -> Result<Head, Unread> {
    let table = entry.table()?;
    let name =
        table.get("name").ok_or_else(|| crate::ecosystem::syntax::malformed(entry.line, "a package without a name"))?;
    let version = match table.get("version") {
        None => Some("0.0.0"),
        Some(version) => match version.as_text() {
            Some(text) => Some(text),
            None if version.table()?.is("workspace")? => None,
            None => return Err(version.wrong("a version")),
        },
    };
    Ok(Head {
        name: Box::from(name.text()?),
        version: version.map(Box::from),
        workspace: table.text("workspace")?.map(Box::from),
        line: name.line,
    })
}

fn workspace(table: Table<'_, '_>) -> Result<Workspace, Unread> {
    let texts = |key| -> Result<Vec<Box<str>>, Unread> {
        Ok(table.texts(key)?.into_iter().map(|(text, _)| Box::from(text)).collect())
    };
    let mut dependencies = Vec::new();
    for entry in table.table("dependencies")?.into_iter().flat_map(Table::entries) {
        dependencies.push(dependency(entry, Scope::Runtime)?);
    }
    let version = match table.table("package")? {
        Some(package) => package.text("version")?.map(Box::from),
        None => None,
    };
    // `default-members` only chooses among the members, yet a wrong type there is a broken manifest too.
    texts("default-members")?;
    Ok(Workspace { members: texts("members")?, exclude: texts("exclude")?, version, dependencies })
}

/// Dependencies of every kind in a table; the spellings with an underscore are the oldest ones.
fn read_kinds(table: Table<'_, '_>, into: &mut Vec<Dependency>) -> Result<(), Unread> {
    for (key, scope) in [
        ("dependencies", Scope::Runtime),
        ("dev-dependencies", Scope::Development),
        ("dev_dependencies", Scope::Development),
        ("build-dependencies", Scope::Build),
        ("build_dependencies", Scope::Build),
    ] {
        for entry in table.table(key)?.into_iter().flat_map(Table::entries) {
            into.push(dependency(entry, scope)?);
        }
    }
    Ok(())
}

/// The `[patch]` tables of a manifest or of cargo's configuration.
pub(super) fn patches(root: Table<'_, '_>) -> Result<Vec<Patch>, Unread> {
    let mut patches = Vec::new();
    for source in root.table("patch")?.into_iter().flat_map(Table::entries) {
        for entry in source.table()?.entries() {
            let with = dependency(entry, Scope::Runtime)?;
            patches.push(Patch { source: Box::from(source.key), with });
        }
    }
    Ok(patches)
}

fn dependency(entry: Entry<'_, '_>, scope: Scope) -> Result<Dependency, Unread> {
    let mut dependency = Dependency {
        key: Box::from(entry.key),
        package: None,
        scope,
        is_optional: false,
        is_inherited: false,
        requirement: None,
        git: None,
        reference: None,
        path: None,
        registry: None,
        registry_index: None,
        line: entry.line,
    };
    if let Some(requirement) = entry.as_text() {
        dependency.requirement = Some(Box::from(requirement));
        return Ok(dependency);
    }
    let table = entry.table()?;
    let text = |key| -> Result<Option<Box<str>>, Unread> { Ok(table.text(key)?.map(Box::from)) };
    dependency.package = text("package")?.filter(|name| **name != *dependency.key);
    dependency.is_optional = table.is("optional")?;
    dependency.is_inherited = table.is("workspace")?;
    dependency.requirement = text("version")?;
    dependency.git = text("git")?;
    for key in ["branch", "tag", "rev"] {
        if let Some(value) = text(key)? {
            dependency.reference = Some((key, value));
        }
    }
    dependency.path = text("path")?;
    dependency.registry = text("registry")?;
    dependency.registry_index = text("registry-index")?;
    Ok(dependency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_are_found_with_their_lines() {
        let manifest = parse(
            br#"[project]
name = "me"
version.workspace = true

[dependencies]
a = "1"
b = { package = "bee", git = "https://e.org/b", rev = "0123", optional = true }
c.workspace = true

[target.'cfg(unix)'.dev_dependencies]
d = { path = "../d", version = "2" }

[build-dependencies.e]
version = "3"
registry = "mine"

[patch.crates-io]
f2 = { package = "f", path = "f" }

[replace]
"https://e.org/i#g:1.0.0" = { git = "https://e.org/g" }

[workspace]
members = ["x/*"]
exclude = ["x/y"]
package.version = "0.3.0"
dependencies.c = { version = "4", package = "sea" }
"#,
        )
        .unwrap();
        let found: Vec<_> =
            manifest.dependencies.iter().map(|d| (&*d.key, d.name(), d.scope.as_str(), d.line)).collect();
        assert_eq!(
            found,
            [
                ("a", "a", "runtime", 6),
                ("b", "bee", "runtime", 7),
                ("c", "c", "runtime", 8),
                ("e", "e", "build", 13),
                ("d", "d", "development", 11)
            ]
        );
        let head = manifest.package.unwrap();
        assert_eq!((&*head.name, head.version, head.line), ("me", None, 2));
        let patches: Vec<_> = manifest.patches.iter().map(|p| (&*p.source, p.with.name())).collect();
        assert_eq!(patches, [("crates-io", "f"), ("crates-io", "g")]);
        let workspace = manifest.workspace.unwrap();
        assert_eq!(workspace.version.as_deref(), Some("0.3.0"));
        assert_eq!(workspace.dependencies[0].name(), "sea");
    }

    #[test]
    fn wrong_types_are_refused_with_their_line() {
        for (text, line) in [
            ("[dependencies]\na = 1", 2),
            ("[dependencies]\na = { version = 1 }", 2),
            ("[dependencies]\na = { optional = \"yes\" }", 2),
            ("dependencies = []", 1),
            ("[package]\nname = 1", 2),
            ("\n[package]\nversion = \"1\"", 2),
            ("[package]\nname = \"a\"\nversion = 1", 3),
            ("[workspace]\nmembers = \"a\"", 2),
            ("[workspace]\nmembers = [\n1]", 3),
            ("[target]\nx = 1", 2),
            ("[patch]\nx = 1", 2),
            ("[dependencies]\na = \"1\"\n[dependencies]\na = \"2\"", 3),
        ] {
            match parse(text.as_bytes()) {
                Err(Unread::Malformed { line: at, .. }) => assert_eq!(at, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(parse(b"[package]\nname = \"a\"\nunknown = [1]\n[x.y.z]\n").is_ok());
    }
}
