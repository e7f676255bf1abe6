//! Stage 3: files of a project → its [`Inventory`]. One folder per ecosystem, one file per format.
//!
//! A format reads one project from an immutable tree through a [`View`], which notes every path that was looked at.
//! So a format is a pure function of bytes, and fuzzes from a map of files.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::inventory::{Input, Inventory, Project};
use crate::model::tree::{Oid, Unread};
use crate::model::{Ecosystem, RepoPath};

pub mod cargo;

/// The bytes of a file and their id.
pub type Content = (Arc<[u8]>, Oid);

/// Files of one revision, as formats see them. No symbolic link is followed.
pub trait Files {
    /// The bytes and id of a file, or `None` where there is none.
    ///
    /// # Errors
    /// [`Unread`] where something stands there that cannot be read.
    fn read(&self, path: &RepoPath) -> Result<Option<Content>, Unread>;

    /// Paths of all files of that name (`Cargo.toml`), sorted.
    fn named(&self, file_name: &str) -> Vec<RepoPath>;
}

/// The bytes of a file and its index among the inputs.
pub type Numbered = (Arc<[u8]>, u32);

/// What a format may look at while it reads one project: files of one tree, each noted as an input.
pub struct View<'a> {
    files: &'a dyn Files,
    /// Addresses that count as the ecosystem's public registry, from the governing revision's configuration.
    pub mirrors: &'a [String],
    inputs: Vec<Input>,
}

impl<'a> View<'a> {
    /// A view of a tree.
    #[must_use]
    pub fn new(files: &'a dyn Files, mirrors: &'a [String]) -> Self {
        Self { files, mirrors, inputs: Vec::new() }
    }

    /// Reads a file and notes it. The number is its index among the inputs, for spans.
    ///
    /// # Errors
    /// [`Unread`] where something stands there that cannot be read.
    pub fn read(&mut self, path: &RepoPath) -> Result<Option<Numbered>, Unread> {
        let found = self.files.read(path)?;
        let oid = found.as_ref().map(|(_, oid)| *oid);
        let index = match self.inputs.iter().position(|input| input.path == *path) {
            Some(index) => index,
            None => {
                self.inputs.push(Input { path: path.clone(), oid });
                self.inputs.len() - 1
            }
        };
        Ok(found.map(|(bytes, _)| (bytes, index as u32)))
    }

    /// Paths of all files of that name in the tree, sorted.
    #[must_use]
    pub fn named(&self, file_name: &str) -> Vec<RepoPath> {
        self.files.named(file_name)
    }

    /// The path of an input, for messages.
    #[must_use]
    pub fn path(&self, input: u32) -> Option<&RepoPath> {
        self.inputs.get(input as usize).map(|input| &input.path)
    }

    /// What was looked at.
    #[must_use]
    pub fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }
}

/// An ecosystem's own rules: how names and versions are spelt and ordered.
pub trait Rules: Sync {
    /// The one spelling of a name under which packages and advisories are compared.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str>;

    /// Whether a name is within the ecosystem's grammar.
    fn is_name(&self, name: &str) -> bool;

    /// The order of two versions; `None` where one of them is no version. What cannot be parsed never compares.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering>;
}

/// The rules of an ecosystem this version reads; `None` for the others.
#[must_use]
pub fn rules(ecosystem: Ecosystem) -> Option<&'static dyn Rules> {
    match ecosystem {
        Ecosystem::Cargo => Some(&cargo::Cargo),
        _ => None,
    }
}

/// Finds projects and reads them.
pub trait Format: Sync {
    /// Names of every file that is looked up by name: to be indexed.
    fn file_names(&self) -> &'static [&'static str];

    /// Names of the manifests and lockfiles that make a project.
    fn claims(&self) -> &'static [&'static str];

    /// The projects of a tree, each with the folder, manifest and lockfile that make it.
    ///
    /// # Errors
    /// [`Unread`] with the path of what could not be read.
    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)>;

    /// Reads one project.
    ///
    /// # Errors
    /// [`Unread`] with the path of what could not be read.
    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)>;
}

/// Every format. One line each.
pub const FORMATS: &[&dyn Format] = &[&cargo::Cargo];
