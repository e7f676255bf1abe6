//! GitHub Actions: workflows and action files.
//!
//! ```text
//! reference   the text of a `uses` → action, file of the repository, image
//! workflow    values of a file → every `uses` and image in it, with its line
//! project     the tree → projects; a project → its inventory
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Rules, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub(super) mod flow;
mod project;
pub mod reference;
mod workflow;

#[cfg(test)]
mod tests;

/// Workflows' and actions' files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Actions;

impl Rules for Actions {
    /// GitHub ignores the case of owners and repositories.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(name.to_ascii_lowercase());
        }
        Cow::Borrowed(name)
    }

    /// `owner/repo`, or a path below it, as some advisories have it.
    fn is_name(&self, name: &str) -> bool {
        let mut parts = name.split('/');
        name.len() <= 1_024
            && parts.next().is_some_and(reference::is_owner)
            && parts.next().is_some_and(reference::is_repository)
            && parts.all(reference::is_part)
    }

    /// Semantic versioning's precedence, with a `v` in front or without. `v4` is a tag that moves, and a commit is a
    /// commit: neither is a version.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let version = |text: &str| semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok();
        Some(version(a)?.cmp_precedence(&version(b)?))
    }
}

impl Format for Actions {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::GitHubActions
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        const WORKFLOWS: &str =
            "uses of jobs and steps, images of containers and services; all workflows are one project";
        const ACTION: &str = "composite and container actions";
        const {
            &[
                FileKind::manifest(".github/workflows/*.yml", WORKFLOWS),
                FileKind::manifest(".github/workflows/*.yaml", WORKFLOWS),
                FileKind::manifest("action.yml", ACTION),
                FileKind::manifest("action.yaml", ACTION),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}
