//! Packagist: `composer.lock` and `composer.json`.
//!
//! ```text
//! version    the order of versions, simple constraints
//! source     a lock entry → source, checksum, contradictions
//! declared   a manifest → repositories, plugins and scripts that it lets in
//! project    the tree → projects; a project → its inventory
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod declared;
mod project;
mod source;
pub mod version;

#[cfg(test)]
mod tests;

/// Composer's files and the rules of Packagist.
#[derive(Debug, Clone, Copy)]
pub struct Packagist;

/// Texts that are names of packages.
trait PackagistName {
    /// The one spelling of the name.
    fn normalised(&self) -> String;
}

impl PackagistName for str {
    fn normalised(&self) -> String {
        Packagist.normalise(self).into_owned()
    }
}

/// One half of a name: words of letters and digits with single dividers, and at the most `dashes` of `-` between them.
fn is_half(text: &str, dashes: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(is_word) && text.bytes().next_back().is_some_and(is_word);
    let dividers = || text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends && dividers().all(|d| matches!(d, "" | "." | "_" | "-") || (d == "--" && dashes == 2))
}

impl Rules for Packagist {
    /// Names are compared in lower case.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(name.to_ascii_lowercase());
        }
        Cow::Borrowed(name)
    }

    /// `vendor/name` as the schema of `composer.json` has it.
    fn is_name(&self, name: &str) -> bool {
        let halves = |(vendor, name): (&str, &str)| is_half(vendor, 1) && is_half(name, 2);
        name.len() <= 255 && name.split_once('/').is_some_and(halves)
    }

    /// The order of PHP's `version_compare`, a leading `v` and build metadata aside. Branches (`dev-main`, `1.x-dev`)
    /// have no place in it.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        version::compare(a, b)
    }
}

impl Format for Packagist {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Packagist
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest(
                    project::MANIFEST,
                    "require, require-dev, replace, provide, repositories, allow-plugins, scripts",
                ),
                FileKind::lockfile(project::LOCKFILE, "Composer 1 and 2"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[project::MANIFEST, project::LOCKFILE]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for Packagist {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Packagist
    }

    /// Credentials, and the version of PHP that version managers choose.
    fn patterns(&self) -> &'static [&'static str] {
        &["auth.json", ".php-version"]
    }

    /// None: `auth.json` holds secrets alone, and no word of it is shown.
    fn redirects(&self, _path: &RepoPath, _bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        Ok(Vec::new())
    }
}
