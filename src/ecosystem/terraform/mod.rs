//! Terraform: `.terraform.lock.hcl`, which names the providers, and the modules that `*.tf` files take from elsewhere,
//! which are in no lockfile.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View, claimed};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub mod hcl;
mod lockfile;
mod modules;

#[cfg(test)]
mod tests;

/// How the names of files end that make a module (Terraform and OpenTofu, "Files and Directories").
const MODULES: [&str; 4] = [".tf", ".tf.json", ".tofu", ".tofu.json"];

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

    /// `namespace/type`: letters, digits and inner `-`; `_` in the names of old namespaces. Modules have more parts, and
    /// dots where those are of an address.
    fn is_name(&self, name: &str) -> bool {
        let is_part = |part: &str, with_dots: bool| {
            (1..=64).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || with_dots && b == b'.')
                && !part.starts_with(['-', '_', '.'])
                && !part.ends_with(['-', '_', '.'])
        };
        let count = name.split('/').count();
        let is_module = count > 2 || name.split('/').next().is_some_and(|host| host.contains('.'));
        name.len() <= 512 && count > 1 && name.split('/').all(|part| is_part(part, is_module))
    }

    /// Semantic versioning's precedence.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (semver::Version::parse(a).ok()?, semver::Version::parse(b).ok()?);
        Some(a.cmp_precedence(&b))
    }
}

const LOCKFILE: &str = ".terraform.lock.hcl";

impl Settings for Terraform {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Terraform
    }

    /// The tool's own configuration, on either kind of system.
    fn patterns(&self) -> &'static [&'static str] {
        &[".terraformrc", "terraform.rc", ".tofurc", "tofu.rc"]
    }

    /// Mirrors and overrides of providers, and services of hosts.
    fn redirects(&self, _path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        modules::redirects(bytes)
    }
}

impl Format for Terraform {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Terraform
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest("*.tf", "modules from elsewhere, each file by itself"),
                FileKind::lockfile(LOCKFILE, "providers; modules are in no lockfile"),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        // Below `.terraform` lie modules that were fetched, with lockfiles of their authors.
        let is_fetched =
            |path: &RepoPath| path.parent().parts().any(|part| matches!(part, ".terraform" | "node_modules"));
        let all = claimed(files, self.kinds()).into_iter().filter(|path| !is_fetched(path));
        // A lockfile's manifest is not read with it: it shows that something still asks for the providers.
        let mut modules: BTreeMap<RepoPath, RepoPath> = BTreeMap::new();
        for path in files.paths().filter(|path| MODULES.iter().any(|end| path.file_name().ends_with(end))) {
            modules.entry(path.parent()).or_insert_with(|| path.clone());
        }
        let ecosystem = Ecosystem::Terraform;
        let mut found = Vec::new();
        for path in all {
            if path.file_name() == LOCKFILE {
                let manifest = modules.get(&path.parent()).cloned();
                found.push(Project { path: path.parent(), ecosystem, manifest, lockfile: Some(path) });
                continue;
            }
            // What cannot be read is said when the project is read.
            let takes = files
                .read(&path)
                .map_or(true, |found| found.is_some_and(|(bytes, _)| modules::takes(&bytes, &path.parent())));
            if takes {
                found.push(Project { path: path.parent(), ecosystem, manifest: Some(path), lockfile: None });
            }
        }
        Ok(found)
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        match (&project.lockfile, &project.manifest) {
            (None, Some(path)) => modules::read(project, path, view),
            _ => lockfile::read(project, view),
        }
    }
}
