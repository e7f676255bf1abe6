//! The Swift package manager: `Package.resolved` and `Package.swift`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::syntax::{json, toml::MAX_BYTES};
use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod manifest;
mod name;
mod project;
mod xcode;

#[cfg(test)]
mod tests;

/// Swift's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Swift;

/// A semantic version; parts that are not written are zero, and a `v` may stand before it.
fn version(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let is_short = text.len() < 64 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let zeros = match text.split('.').count() {
        1 => ".0.0",
        2 => ".0",
        _ => return None,
    };
    is_short.then(|| semver::Version::parse(&format!("{text}{zeros}")).ok()).flatten()
}

impl Rules for Swift {
    /// The address of the repository without scheme and `.git`, in lower case.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Owned(name::of(name))
    }

    /// A host and a path, or `scope.name` of a registry.
    fn is_name(&self, name: &str) -> bool {
        name::is_name(name)
    }

    /// Semantic versioning's precedence. A commit has no place in it.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        // Forty digits may be a commit.
        let is_commit = |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_commit(a) || is_commit(b) {
            return None;
        }
        Some(version(a)?.cmp_precedence(&version(b)?))
    }
}

impl Format for Swift {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Swift
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest(project::MANIFEST, "its literal `.package` calls; Swift code is not run"),
                FileKind::manifest(project::VERSIONED, "like Package.swift, each a project of its own"),
                FileKind::manifest(xcode::FILE, "references to packages, where there are any"),
                FileKind::lockfile(project::LOCKFILE, "1 to 3"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[project::MANIFEST, project::LOCKFILE, xcode::FILE]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for Swift {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Swift
    }

    /// Versions of the toolchain, and the package manager's configuration of one project.
    fn patterns(&self) -> &'static [&'static str] {
        &[".swift-version", ".xcode-version", "**/.swiftpm/configuration/**"]
    }

    /// `mirrors.json` replaces addresses of packages; `registries.json` names registries by scope.
    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        let mut found = Vec::new();
        match &*path.file_name().to_ascii_lowercase() {
            "mirrors.json" => {
                let document = json::read(bytes, MAX_BYTES)?;
                for mirror in document.table()?.list("object").iter().filter_map(json::Value::table) {
                    let line = mirror.members().next().map_or(0, |member| document.line(member));
                    if let (Some(from), Some(to)) = (mirror.text("original"), mirror.text("mirror")) {
                        found.push(Redirect { from: from.to_owned(), to: to.to_owned(), line, is_first: true });
                    }
                }
            }
            "registries.json" => {
                let document = json::read(bytes, MAX_BYTES)?;
                for scope in document.table()?.table("registries").into_iter().flat_map(json::Table::members) {
                    if let Some(to) = scope.value.table().and_then(|registry| registry.text("url")) {
                        let is_first = scope.key == "[default]";
                        let from = format!("the scope {}", scope.key);
                        found.push(Redirect { from, to: to.to_owned(), line: document.line(scope), is_first });
                    }
                }
            }
            _ => {}
        }
        Ok(found)
    }
}
