//! Pub, of Dart and Flutter: `pubspec.lock` and `pubspec.yaml`.
//!
//! The lockfile knows no edges, so what a package needs cannot be told: what the manifests do not name is runtime.
//! Packages of an SDK come with it, in its version, and are none here. What `dependency:` says in the lockfile is not
//! believed: the manifests say what is direct, and for what.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::go::version::{Version, identifiers};
use super::{FileKind, Files, Format, Redirect, Rules, Settings, View, syntax};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod constraint;
mod lockfile;
mod manifest;
mod project;

#[cfg(test)]
mod tests;

/// Pub's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Pub;

impl Rules for Pub {
    /// Names compare as they are.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// An identifier of ASCII letters, digits and `_`, not starting with a digit.
    fn is_name(&self, name: &str) -> bool {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    /// Semantic versioning's precedence, and then build metadata: none before some, and identifiers one by one (package
    /// `pub_semver`). Numbers may have leading zeros.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (Version::parse_with_zeros(a)?, Version::parse_with_zeros(b)?);
        let builds = match (a.build.is_empty(), b.build.is_empty()) {
            (false, false) => identifiers(a.build, b.build),
            (a, b) => b.cmp(&a),
        };
        Some(a.cmp_precedence(&b).then(builds))
    }
}

impl Format for Pub {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pub
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("pubspec.yaml", "dependencies, overrides, workspaces"),
                FileKind::manifest("pubspec_overrides.yaml", "overrides of the pubspec.yaml beside it"),
                FileKind::lockfile("pubspec.lock", "hosted, git, path and sdk sources"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        project::FILE_NAMES
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for Pub {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pub
    }

    /// The version manager's files: which Flutter SDK, and so which Dart and which packages of the SDK, is used.
    fn patterns(&self) -> &'static [&'static str] {
        &[".fvmrc", "**/.fvm/**"]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        let name = path.file_name().to_ascii_lowercase();
        if !matches!(&*name, ".fvmrc" | "fvm_config.json") {
            return Ok(Vec::new());
        }
        let document = syntax::json::read(bytes, syntax::toml::MAX_BYTES)?;
        let places = [
            ("flutterUrl", "the Flutter SDK"),
            ("flutterRepo", "the Flutter SDK"),
            ("gitCachePath", "the Flutter SDK"),
            ("cachePath", "the Flutter SDK"),
        ];
        let table = document.table()?;
        let found = places.iter().filter_map(|(key, from)| {
            let member = table.member(key)?;
            let to = member.value.text()?.to_owned();
            Some(Redirect { from: (*from).to_owned(), to, line: document.line(member), is_first: true })
        });
        Ok(found.collect())
    }
}
