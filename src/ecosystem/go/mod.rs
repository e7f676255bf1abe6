//! Go: `go.mod`, `go.sum`, `go.work` and `go.env`.
//!
//! ```text
//! project    the tree → modules; a module → its files → inventory
//! manifest   go.mod, go.work → what is asked for, what takes whose place      (syntax)
//! sums       go.sum, go.work.sum → digests
//! toolchain  go and toolchain lines → the standard library
//! name       module paths            version    their order
//! settings   go.env → where modules come from
//! ```
//!
//! The versions in `go.mod` are what is built: minimal version selection takes no other than those that are asked for,
//! and since Go 1.17 `go.mod` lists all of them. So each is locked, with or without a `go.sum`, which holds digests and
//! chooses nothing. A package's place is its line in `go.mod` therefore.
//!
//! Nothing in `go.mod` says which module only tests need: every module is runtime. `// indirect` is the go command's own
//! note and tells what is direct, not what is judged.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub mod manifest;
mod name;
mod project;
mod settings;
pub mod sums;
mod syntax;
mod toolchain;
pub(in crate::ecosystem) mod version;

#[cfg(test)]
mod tests;

/// Go's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Go;

impl Rules for Go {
    /// Names compare as they are: paths that differ in case are two modules (Go Modules Reference, "Module proxy").
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// A module path, with its major version where it has one.
    fn is_name(&self, name: &str) -> bool {
        name::is_module(name)
    }

    /// Semantic versioning's precedence, with or without the leading `v`. `+incompatible` and other build metadata count
    /// for nothing, and pseudo-versions are pre-releases like any other.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (version::Version::parse(a)?, version::Version::parse(b)?);
        Some(a.cmp_precedence(&b))
    }
}

impl Format for Go {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Go
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("go.mod", "every directive up to Go 1.27"),
                FileKind::lockfile("go.sum", "digests of the kind h1"),
                FileKind::manifest("go.work", "use, replace, go, toolchain"),
                FileKind::lockfile("go.work.sum", "digests of the kind h1"),
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

impl Settings for Go {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Go
    }

    /// Files of variables that `GOENV` may name or a user's folder holds, and the version that tool managers choose.
    fn patterns(&self) -> &'static [&'static str] {
        &["go.env", "**/.config/go/env", ".go-version"]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        if path.file_name().eq_ignore_ascii_case(".go-version") {
            return Ok(Vec::new());
        }
        settings::redirects(bytes)
    }
}
