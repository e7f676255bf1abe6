//! NuGet: `packages.lock.json`, project files with central versions, `packages.config` and tools.
//!
//! ```text
//! version    the order of versions, and requirements
//! lockfile   bytes → entries by target framework
//! msbuild    project files → items and properties, conditions aside
//! listed     packages.config and dotnet-tools.json
//! project    lockfile + project files → inventory
//! settings   sources, toolchains, build files
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod listed;
pub mod lockfile;
mod msbuild;
mod project;
mod settings;
#[cfg(test)]
mod tests;
mod version;

/// NuGet's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct NuGet;

impl Rules for NuGet {
    /// Ids are the same in any case, and each writer has its own: they compare in lower case.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !name.is_ascii() {
            Cow::Owned(name.to_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    /// The registry's grammar: letters, digits and `_`, with single `.` and `-` between, 100 bytes at the most.
    fn is_name(&self, name: &str) -> bool {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        name.len() <= 100 && name.split(['.', '-']).all(is_part)
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        version::compare(a, b)
    }
}

const OTHER: &str = "as `*.csproj`, where it is XML";

const KINDS: &[FileKind] = &[
    FileKind::lockfile("packages.lock.json", "versions 1 and 2"),
    FileKind::lockfile("packages.*.lock.json", "versions 1 and 2, named after a project"),
    FileKind::manifest("*.csproj", "package references, central versions, properties; conditions all count"),
    FileKind::manifest("*.fsproj", "as `*.csproj`"),
    FileKind::manifest("*.vbproj", "as `*.csproj`"),
    FileKind::manifest("*.proj", OTHER),
    FileKind::manifest("*.vcxproj", OTHER),
    FileKind::manifest("*.sqlproj", OTHER),
    FileKind::manifest("*.wixproj", OTHER),
    FileKind::manifest("*.msbuildproj", OTHER),
    FileKind::manifest("*.esproj", OTHER),
    FileKind::manifest("*.nfproj", OTHER),
    FileKind::manifest("*.ilproj", OTHER),
    FileKind::manifest("*.pyproj", OTHER),
    FileKind::manifest("*.njsproj", OTHER),
    FileKind::manifest("*.ccproj", OTHER),
    FileKind::manifest("*.sfproj", OTHER),
    FileKind::manifest("*.nativeproj", OTHER),
    FileKind::manifest("Directory.Packages.props", "central versions, by itself where no project lies below it"),
    FileKind::manifest("packages.config", "exact versions"),
    FileKind::manifest("packages.*.config", "exact versions, named after a project"),
    FileKind::manifest("dotnet-tools.json", "version 1"),
];

impl Format for NuGet {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::NuGet
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        KINDS
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["Directory.Build.props", "Directory.Build.targets", "global.json"]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files, KINDS))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for NuGet {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::NuGet
    }

    /// Sources of packages, the toolchain, and files whose code runs in every build below them.
    fn patterns(&self) -> &'static [&'static str] {
        &[
            "nuget.config",
            "global.json",
            "directory.build.props",
            "directory.build.targets",
            "directory.build.rsp",
            "directory.solution.props",
            "directory.solution.targets",
        ]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        settings::redirects(path, bytes)
    }

    fn registries(&self, path: &RepoPath, bytes: &[u8]) -> Vec<String> {
        settings::registries(path, bytes)
    }
}
