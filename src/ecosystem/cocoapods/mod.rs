//! CocoaPods: `Podfile.lock` and `Podfile`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::rubygems::version as gem;
use super::{FileKind, Files, Format, Rules, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod podfile;
mod project;

#[cfg(test)]
mod tests;

/// CocoaPods' files and rules.
#[derive(Debug, Clone, Copy)]
pub struct CocoaPods;

/// The pod that a subspec is a part of.
fn root_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(root, _)| root)
}

/// A version without its build metadata.
fn plain(version: &str) -> &str {
    version.split_once('+').map_or(version, |(version, _)| version)
}

fn satisfies(version: &str, requirement: &str) -> Option<bool> {
    gem::satisfies(plain(version), requirement)
}

impl Rules for CocoaPods {
    /// Names compare as they are.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// ASCII letters, digits, `-`, `_`, `.` and `+`, not starting with a dot or dash. A subspec is no name of its own.
    fn is_name(&self, name: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
        (1..=255).contains(&name.len()) && !name.starts_with(['.', '-']) && name.bytes().all(is_part)
    }

    /// The order of `Gem::Version`, on which CocoaPods builds its own; build metadata does not count.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        gem::compare(plain(a), plain(b))
    }
}

impl Format for CocoaPods {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::CocoaPods
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest(project::MANIFEST, "its literal `pod` lines; Ruby code is not run"),
                FileKind::manifest("Podfile.rb", "as Podfile"),
                FileKind::manifest("CocoaPods.podfile", "as Podfile"),
                FileKind::manifest("CocoaPods.podfile.yaml", "not read"),
                FileKind::lockfile(project::LOCKFILE, "every version"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["CocoaPods.podfile.yaml", "CocoaPods.podfile", project::MANIFEST, "Podfile.rb", project::LOCKFILE]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}
