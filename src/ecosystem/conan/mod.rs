//! Conan: `conan.lock`, `conanfile.txt` and `conanfile.py`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::syntax::{json, text, toml::MAX_BYTES};
use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod conanfile;
mod lockfile;
mod project;
mod reference;
mod version;

#[cfg(test)]
mod tests;

/// Conan's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Conan;

impl Rules for Conan {
    /// Names compare as they are.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// As Conan checks the names of recipes: letters, digits and `_`, then `+`, `.` and `-` as well, 2 to 101 characters.
    /// Conan 1 allows capitals.
    fn is_name(&self, name: &str) -> bool {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (2..=101).contains(&name.len())
            && name.bytes().next().is_some_and(is_word)
            && name.bytes().all(|byte| is_word(byte) || matches!(byte, b'+' | b'.' | b'-'))
    }

    /// Conan's own order, which any text has; words without a digit (`system`) have no place in it.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        version::compare(a, b)
    }
}

impl Format for Conan {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Conan
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest(project::PLAIN, "requires, tool_requires, build_requires, test_requires"),
                FileKind::manifest(project::CODE, "literal references; Python code is not run"),
                FileKind::lockfile(project::LOCKFILE, "0.4 and 0.5"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[project::PLAIN, project::CODE, project::LOCKFILE]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for Conan {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Conan
    }

    /// `.conanrc` moves Conan's home; a home in the repository holds remotes, profiles and hooks.
    fn patterns(&self) -> &'static [&'static str] {
        &[".conanrc", "**/.conan/**", "**/.conan2/**"]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        let mut found = Vec::new();
        match &*path.file_name().to_ascii_lowercase() {
            ".conanrc" => {
                for (at, line) in text(bytes, MAX_BYTES)?.lines().enumerate() {
                    let value = line.trim().strip_prefix("conan_home").map(str::trim_start);
                    if let Some(to) = value.and_then(|value| value.strip_prefix('=')) {
                        let (from, to) = ("Conan's home".to_owned(), to.trim().to_owned());
                        found.push(Redirect { from, to, line: at as u32 + 1, is_first: true });
                    }
                }
            }
            "remotes.json" => {
                let document = json::read(bytes, MAX_BYTES)?;
                for remote in document.table()?.list("remotes").iter().filter_map(json::Value::table) {
                    let line = remote.members().next().map_or(0, |member| document.line(member));
                    if let (Some(name), Some(to)) = (remote.text("name"), remote.text("url")) {
                        let from = format!("the remote {name}");
                        found.push(Redirect { from, to: to.to_owned(), line, is_first: true });
                    }
                }
            }
            _ => {}
        }
        Ok(found)
    }
}
