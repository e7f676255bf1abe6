//! Cargo: `Cargo.lock`, `Cargo.toml` and `.cargo/config.toml`.
//!
//! ```text
//! project    the tree → projects; a project → its files
//! lockfile   bytes → packages and edges      (events, source)
//! manifest   bytes → dependencies
//! config     bytes → redirected sources
//! workspace  folders → the manifests of one project, inheritance filled in
//! locked     lockfile + manifests → inventory (explain)
//! unlocked   manifests alone → inventory
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub mod config;
mod events;
mod explain;
mod locked;
pub mod lockfile;
pub mod manifest;
mod project;
pub mod source;
mod unlocked;
mod workspace;

#[cfg(test)]
mod lockfile_tests;
#[cfg(test)]
mod project_tests;

pub use super::syntax::toml::MAX_BYTES as MAX_MANIFEST_BYTES;

/// Cargo's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Cargo;

impl Rules for Cargo {
    /// Names compare as they are: the registry lets `_` and `-` not coexist, but only one of the two spellings is the
    /// package, and advisories use that one.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// The registry's grammar: a letter or `_`, then letters, digits, `-` and `_`, 64 bytes at the most.
    fn is_name(&self, name: &str) -> bool {
        name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    /// Semantic versioning's precedence, which does not look at build metadata.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (semver::Version::parse(a).ok()?, semver::Version::parse(b).ok()?);
        Some(a.cmp_precedence(&b))
    }
}

impl Format for Cargo {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Cargo
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("Cargo.toml", "workspaces, inheritance, patches"),
                FileKind::lockfile("Cargo.lock", "1 to 4"),
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

impl Settings for Cargo {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Cargo
    }

    /// Cargo's own folder with all that lies in it, for configuration may include it, and toolchain files. The folder
    /// itself concerns the gate where it is a link.
    fn patterns(&self) -> &'static [&'static str] {
        &["**/.cargo/**", "rust-toolchain", "rust-toolchain.toml"]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        let is_config = path.file_name().ends_with(".toml") || path.file_name() == "config";
        if path.file_name().starts_with("rust-toolchain") || !is_config {
            return Ok(Vec::new());
        }
        config::parse(bytes).map(config::Config::into_redirects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_precedence_and_what_is_no_version_does_not() {
        let digits = "9".repeat(10_000);
        for (a, b, expected) in [
            ("1.0.0", "1.0.0+2", Some(Ordering::Equal)),
            ("0.18.5+1.9.4", "0.18.5+1.9.10", Some(Ordering::Equal)),
            ("1.0.0-alpha.9", "1.0.0-alpha.10", Some(Ordering::Less)),
            ("1.0.0-rc.1", "1.0.0", Some(Ordering::Less)),
            ("1.10.0", "1.9.0", Some(Ordering::Greater)),
            ("0.0.0-0", "0.0.0", Some(Ordering::Less)),
            ("1.0", "1.0.0", None),
            ("v1.0.0", "1.0.0", None),
            (&digits, "1.0.0", None),
            ("", "", None),
        ] {
            assert_eq!(Cargo.compare(a, b), expected, "{a:.40} {b}");
        }
    }

    #[test]
    fn names_have_a_grammar() {
        for (name, expected) in [
            ("serde", true),
            ("_x", true),
            ("a-b_C9", true),
            ("", false),
            ("9a", false),
            ("-a", false),
            ("a.b", false),
            ("a\u{1b}[31m", false),
            ("sérde", false),
            ("a b", false),
        ] {
            assert_eq!(Cargo.is_name(name), expected, "{name}");
        }
        assert!(Cargo.is_name(&"a".repeat(64)) && !Cargo.is_name(&"a".repeat(65)));
        assert_eq!(Cargo.normalise("a_b"), "a_b");
    }
}
