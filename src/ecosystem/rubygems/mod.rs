//! RubyGems: `Gemfile.lock`, `Gemfile` and the configuration of bundler.
//!
//! ```text
//! version    the order of versions, requirements
//! lockfile   bytes → sources, gems, checksums
//! gemfile    bytes → the literal statements
//! project    the tree → projects; a project → its inventory
//! settings   configuration and toolchain files
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod gemfile;
mod lockfile;
mod project;
mod settings;
pub mod version;

#[cfg(test)]
mod tests;

/// Bundler's files and the rules of RubyGems.
#[derive(Debug, Clone, Copy)]
pub struct RubyGems;

impl Rules for RubyGems {
    /// Names compare as they are.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// The registry's grammar: ASCII letters, digits, `.`, `-` and `_`, not starting with `.` or `-`.
    fn is_name(&self, name: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (1..=255).contains(&name.len()) && !name.starts_with(['.', '-']) && name.bytes().all(is_part)
    }

    /// The order of `Gem::Version`.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        version::compare(a, b)
    }
}

impl Format for RubyGems {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::RubyGems
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("Gemfile", "its literal statements; Ruby code is not run"),
                FileKind::manifest("gems.rb", "as Gemfile"),
                FileKind::manifest("*.gemfile", "as Gemfile"),
                FileKind::lockfile("Gemfile.lock", "every version of bundler; checksums from 2.5"),
                FileKind::lockfile("gems.locked", "as Gemfile.lock"),
                FileKind::lockfile("*.gemfile.lock", "as Gemfile.lock"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["Gemfile", "gems.rb", "Gemfile.lock", "gems.locked"]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for RubyGems {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::RubyGems
    }

    /// Bundler's own folder, and the files of version managers, which choose toolchains of every language.
    fn patterns(&self) -> &'static [&'static str] {
        settings::PATTERNS
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        settings::redirects(path, bytes)
    }

    fn manifests(&self) -> &'static [&'static str] {
        &["Gemfile", "gems.rb", "*.gemfile"]
    }

    fn manifest_redirects(&self, _path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        settings::of_gemfile(bytes)
    }
}
