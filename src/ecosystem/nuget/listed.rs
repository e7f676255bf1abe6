//! Files that list exact versions: `packages.config`, and `dotnet-tools.json` with the tools of a repository.

use super::settings;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{json, malformed, xml};
use crate::model::RepoPath;
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// A package with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub name: String,
    pub version: String,
    pub scope: Scope,
    pub line: u32,
}

/// Reads the file of that name.
pub(super) fn parse(path: &RepoPath, bytes: &[u8]) -> Result<Vec<Listed>, Unread> {
    if path.file_name().ends_with(".json") { tools(bytes) } else { packages(bytes) }
}

fn packages(bytes: &[u8]) -> Result<Vec<Listed>, Unread> {
    let root = xml::read(bytes, MAX_BYTES)?;
    if root.name != "packages" {
        return Err(malformed(root.line, "not `packages`"));
    }
    let listed = |element: &xml::Element| {
        let part = |name: &str| match super::msbuild::attribute(element, name) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(malformed(element.line, format!("a package without `{name}`"))),
        };
        let is_for_build = element.attribute("developmentDependency") == Some("true");
        let scope = if is_for_build { Scope::Build } else { Scope::Runtime };
        Ok(Listed { name: part("id")?, version: part("version")?, scope, line: element.line })
    };
    root.all("package").map(listed).collect()
}

fn tools(bytes: &[u8]) -> Result<Vec<Listed>, Unread> {
    let text = settings::without_comments(bytes)?;
    let document = json::read(text.as_bytes(), MAX_BYTES)?;
    let root = document.table()?;
    match root.get("version").and_then(json::Value::whole) {
        None | Some(1) => {}
        Some(_) => return Err(Unread::Unsupported("a dotnet-tools.json of a version other than 1".to_owned())),
    }
    let mut found = Vec::new();
    for tool in root.table("tools").into_iter().flat_map(json::Table::members) {
        let line = document.line(tool);
        let version = tool.value.table().and_then(|table| table.text("version"));
        let version = version.ok_or_else(|| malformed(line, "a tool without `version`"))?.to_owned();
        found.push(Listed { name: tool.key.to_string(), version, scope: Scope::Build, line });
    }
    Ok(found)
}
