//! Terraform: `.terraform.lock.hcl`, which names the providers. Modules are in no lockfile.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Rules, View, claimed};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub mod hcl;
mod lockfile;

#[cfg(test)]
mod tests;

/// Terraform's lockfile and rules.
#[derive(Debug, Clone, Copy)]
pub struct Terraform;

impl Rules for Terraform {
    /// Addresses of providers are lower case in the lockfile, and compare without case.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(name.to_ascii_lowercase());
        }
        Cow::Borrowed(name)
    }

    /// `namespace/type`: letters, digits and inner `-`; `_` in the names of old namespaces.
    fn is_name(&self, name: &str) -> bool {
        let is_part = |part: &str| {
            (1..=64).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                && !part.starts_with(['-', '_'])
                && !part.ends_with(['-', '_'])
        };
        name.split_once('/').is_some_and(|(namespace, kind)| is_part(namespace) && is_part(kind))
    }

    /// Semantic versioning's precedence.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (semver::Version::parse(a).ok()?, semver::Version::parse(b).ok()?);
        Some(a.cmp_precedence(&b))
    }
}

impl Format for Terraform {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Terraform
    }

    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(".terraform.lock.hcl", "providers; modules are in no lockfile")] }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        // Below `.terraform` lie modules that were fetched, with lockfiles of their authors.
        let is_fetched =
            |path: &RepoPath| path.parent().parts().any(|part| matches!(part, ".terraform" | "node_modules"));
        let all = claimed(files, self.kinds()).into_iter().filter(|path| !is_fetched(path));
        let project = |path: RepoPath| Project {
            path: path.parent(),
            ecosystem: Ecosystem::Terraform,
            manifest: None,
            lockfile: Some(path),
        };
        Ok(all.map(project).collect())
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        lockfile::read(project, view)
    }
}
