//! Container images: Dockerfiles and compose files.
//!
//! ```text
//! image         a reference → host, name, tag, digest
//! variables     `${X:-default}` → text
//! instructions  a Dockerfile's bytes → instructions
//! dockerfile    instructions → stages and the images they are made of
//! compose       services → the images they run
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use super::{Files, Rules, View};
use crate::model::RepoPath;

pub mod compose;
pub mod dockerfile;
pub mod image;
mod instructions;
mod variables;

#[cfg(test)]
mod tests;

/// Rules of images. Their files are read by [`dockerfile::Dockerfile`] and [`compose::Compose`].
#[derive(Debug, Clone, Copy)]
pub struct Docker;

impl Rules for Docker {
    /// Names have one spelling: the grammar knows no upper case, and `library/` is taken off where the image is read,
    /// because only there is it known that the image is of the default registry.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// The path of a reference in the distribution specification, without a host.
    fn is_name(&self, name: &str) -> bool {
        image::is_path(name)
    }

    /// A tag is no version: `latest` moves, and nothing orders `3.10-slim` and `bookworm`. Only what is written alike
    /// is alike.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        (a == b && !a.is_empty()).then_some(Ordering::Equal)
    }
}

/// Whether a path lies in a folder of other people's files.
pub(in crate::ecosystem) fn is_vendored(path: &RepoPath) -> bool {
    path.parent().parts().any(|part| matches!(part, "node_modules" | "vendor"))
}

/// What Go and Composer leave in the folders `vendor` that they fill. Any other folder of that name is the project's own.
const MARKERS: [&str; 2] = ["modules.txt", "composer/installed.json"];

/// Whether a path lies below `node_modules`, or below a `vendor` that a package manager filled.
fn is_filled(path: &RepoPath, mut has: impl FnMut(&RepoPath) -> bool) -> bool {
    let mut folder = path.parent();
    while !folder.is_root() {
        match folder.file_name() {
            "node_modules" => return true,
            "vendor" if MARKERS.iter().filter_map(|marker| folder.join(marker)).any(|marker| has(&marker)) => {
                return true;
            }
            _ => {}
        }
        folder = folder.parent();
    }
    false
}

/// The files of a tree by which folders that a package manager filled are known.
pub(in crate::ecosystem) struct Vendored(HashSet<RepoPath>);

impl Vendored {
    /// Those of a tree.
    pub(in crate::ecosystem) fn of(files: &dyn Files) -> Self {
        let is_marker = |path: &&RepoPath| {
            let text = path.as_str();
            MARKERS.iter().any(|marker| text.strip_suffix(marker).is_some_and(|folder| folder.ends_with("vendor/")))
        };
        Self(files.paths().filter(is_marker).cloned().collect())
    }

    /// Whether a path lies in a folder of other people's files.
    pub(in crate::ecosystem) fn holds(&self, path: &RepoPath) -> bool {
        is_filled(path, |marker| self.0.contains(marker))
    }
}

/// The same of one path, for who reads a project.
pub(in crate::ecosystem) fn is_filled_in(path: &RepoPath, view: &mut View<'_>) -> bool {
    is_filled(path, |marker| matches!(view.read(marker), Ok(Some(_))))
}
