//! `pubspec.yaml` and `pubspec_overrides.yaml`: what a package asks for.

use crate::ecosystem::syntax::yaml::{self, Node, Value};
use crate::ecosystem::syntax::{malformed, toml};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// Where a dependency is asked from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// A registry: the public one, or that of an address.
    Hosted(Option<String>),
    /// A repository, and what is asked for in it.
    Git(String, Option<String>),
    /// A folder, as written.
    Path(String),
    /// The SDK.
    Sdk,
}

impl From {
    /// The word that a lockfile has for it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Hosted(_) => "hosted",
            Self::Git(..) => "git",
            Self::Path(_) => "path",
            Self::Sdk => "sdk",
        }
    }
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub key: String,
    /// The name on the registry, where the manifest gives another.
    pub name: Option<String>,
    pub constraint: String,
    pub from: From,
    pub line: u32,
}

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub name: String,
    pub version: String,
    pub asked: Vec<(Asked, Scope)>,
    /// `None` where the file has no such section.
    pub overrides: Option<Vec<Asked>>,
    /// Folders of members, or patterns of them, as written.
    pub workspace: Vec<(String, u32)>,
}

/// Reads a manifest.
pub(super) fn read(bytes: &[u8]) -> Result<Manifest, Unread> {
    let root = yaml::read(bytes, toml::MAX_BYTES)?;
    if !is_mapping(&root) {
        return Err(malformed(root.line, "not a mapping"));
    }
    let text = |key: &str| root.text_of(key).unwrap_or_default().to_owned();
    let mut manifest = Manifest { name: text("name"), version: text("version"), ..Manifest::default() };
    for (key, scope) in [("dependencies", Scope::Runtime), ("dev_dependencies", Scope::Development)] {
        let section = section(&root, key)?.unwrap_or_default();
        manifest.asked.extend(section.into_iter().map(|asked| (asked, scope)));
    }
    manifest.overrides = section(&root, "dependency_overrides")?;
    for item in root.get("workspace").map(Node::items).unwrap_or_default() {
        let folder = item.text().ok_or_else(|| malformed(item.line, "a member that is no text"))?;
        manifest.workspace.push((folder.to_owned(), item.line));
    }
    Ok(manifest)
}

/// Whether a value is a mapping, or nothing in its place.
pub(super) fn is_mapping(node: &Node<'_>) -> bool {
    match node.value {
        Value::Table(_) => true,
        Value::List(_) => false,
        Value::Scalar(..) => node.text().is_none(),
    }
}

fn section(root: &Node<'_>, key: &str) -> Result<Option<Vec<Asked>>, Unread> {
    let Some(section) = root.get(key) else { return Ok(None) };
    if !is_mapping(section) {
        return Err(malformed(section.line, format!("`{key}` is no mapping")));
    }
    section
        .members()
        .iter()
        .map(|member| asked(&member.key, member.line, &member.node))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn asked(key: &str, line: u32, node: &Node<'_>) -> Result<Asked, Unread> {
    let wrong = || malformed(line, "a dependency of a form that is not read");
    let mut asked =
        Asked { key: key.to_owned(), name: None, constraint: "any".to_owned(), from: From::Hosted(None), line };
    if !node.is_table() {
        if matches!(node.value, Value::List(_)) {
            return Err(wrong());
        }
        asked.constraint = node.text().unwrap_or("any").to_owned();
        return Ok(asked);
    }
    if let Some(version) = node.text_of("version") {
        asked.constraint = version.to_owned();
    }
    for member in node.members() {
        let value = &member.node;
        let text = |key: &str| value.text_of(key).map(ToOwned::to_owned);
        asked.from = match &*member.key {
            "version" => continue,
            "sdk" => From::Sdk,
            "path" => From::Path(value.text().ok_or_else(wrong)?.to_owned()),
            "git" => match value.text() {
                Some(address) => From::Git(address.to_owned(), None),
                None => From::Git(text("url").ok_or_else(wrong)?, text("ref")),
            },
            "hosted" => {
                asked.name = text("name").filter(|name| name != key);
                From::Hosted(value.text().map(ToOwned::to_owned).or_else(|| text("url")))
            }
            _ => return Err(wrong()),
        };
    }
    Ok(asked)
}
