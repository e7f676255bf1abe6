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

use super::Rules;
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
