//! Stage 3: files of a project → its [`Inventory`]. One folder per ecosystem, one file per format.
//!
//! A format reads one project from an immutable tree through a [`View`], which notes every path that was looked at.
//! So a format is a pure function of bytes, and fuzzes from a map of files.
//!
//! ```text
//! syntax/   bytes → values with places: JSON, TOML, YAML, XML, each behind caps
//! draft     packages, edges and what the manifests ask for → an inventory with scopes
//! <name>/   names, version order, files and configuration of one ecosystem
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use crate::model::inventory::{Input, Inventory, Project};
use crate::model::tree::{Oid, Unread};
use crate::model::{Ecosystem, RepoPath};

pub mod actions;
pub mod cargo;
pub mod cocoapods;
pub mod conan;
pub mod docker;
pub mod draft;
pub mod go;
pub mod hex;
pub mod maven;
pub mod npm;
pub mod nuget;
pub mod packagist;
pub mod precommit;
pub mod pub_dev;
pub mod pypi;
pub mod rubygems;
pub mod swift;
pub mod syntax;
pub mod terraform;

#[cfg(test)]
#[allow(dead_code, reason = "each format uses what it needs")]
pub(crate) mod testing;

/// Largest dependency file that is read, in bytes.
pub const FILE_CAP: u64 = 64 << 20;

/// The bytes of a file and their id.
pub type Content = (Arc<[u8]>, Oid);

/// Files of one revision, as formats see them. No symbolic link is followed.
pub trait Files {
    /// The bytes and id of a file, or `None` where there is none.
    ///
    /// # Errors
    /// [`Unread`] where something stands there that cannot be read.
    fn read(&self, path: &RepoPath) -> Result<Option<Content>, Unread>;

    /// Every path of the tree, sorted.
    fn paths(&self) -> Box<dyn Iterator<Item = &RepoPath> + '_>;

    /// Paths of all files of that name (`Cargo.toml`), sorted.
    fn named(&self, file_name: &str) -> Vec<RepoPath> {
        self.paths().filter(|path| path.file_name() == file_name).cloned().collect()
    }
}

/// Paths of all files that a format reads as manifests or lockfiles, sorted.
#[must_use]
pub fn claimed(files: &dyn Files, kinds: &[FileKind]) -> Vec<RepoPath> {
    files.paths().filter(|path| kinds.iter().any(|kind| kind.matches(path))).cloned().collect()
}

/// The bytes of a file and its index among the inputs.
pub type Numbered = (Arc<[u8]>, u32);

/// What a format may look at while it reads one project: files of one tree, each noted as an input.
pub struct View<'a> {
    files: &'a dyn Files,
    /// Addresses that count as the ecosystem's public registry, from the governing revision's configuration.
    pub mirrors: &'a [String],
    inputs: Vec<Input>,
    numbers: HashMap<RepoPath, u32>,
}

impl<'a> View<'a> {
    /// A view of a tree.
    #[must_use]
    pub fn new(files: &'a dyn Files, mirrors: &'a [String]) -> Self {
        Self { files, mirrors, inputs: Vec::new(), numbers: HashMap::new() }
    }

    /// Reads a file and notes it. The number is its index among the inputs, for spans.
    ///
    /// # Errors
    /// [`Unread`] where something stands there that cannot be read.
    pub fn read(&mut self, path: &RepoPath) -> Result<Option<Numbered>, Unread> {
        let found = self.files.read(path)?;
        let oid = found.as_ref().map(|(_, oid)| *oid);
        let index = match self.numbers.get(path) {
            Some(index) => *index,
            None => {
                let index = self.inputs.len() as u32;
                self.inputs.push(Input { path: path.clone(), oid });
                self.numbers.insert(path.clone(), index);
                index
            }
        };
        Ok(found.map(|(bytes, _)| (bytes, index)))
    }

    /// Paths of all files of that name in the tree, sorted.
    #[must_use]
    pub fn named(&self, file_name: &str) -> Vec<RepoPath> {
        self.files.named(file_name)
    }

    /// The files of the tree, to look for paths without reading them.
    #[must_use]
    pub const fn files(&self) -> &'a dyn Files {
        self.files
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

/// The rules of an ecosystem.
#[must_use]
pub fn rules(ecosystem: Ecosystem) -> &'static dyn Rules {
    match ecosystem {
        Ecosystem::Cargo => &cargo::Cargo,
        Ecosystem::Npm => &npm::Npm,
        Ecosystem::PyPi => &pypi::PyPi,
        Ecosystem::Go => &go::Go,
        Ecosystem::GitHubActions => &actions::Actions,
        Ecosystem::Maven => &maven::Maven,
        Ecosystem::RubyGems => &rubygems::RubyGems,
        Ecosystem::Packagist => &packagist::Packagist,
        Ecosystem::NuGet => &nuget::NuGet,
        Ecosystem::Pub => &pub_dev::Pub,
        Ecosystem::Hex => &hex::Hex,
        Ecosystem::Swift => &swift::Swift,
        Ecosystem::Conan => &conan::Conan,
        Ecosystem::CocoaPods => &cocoapods::CocoaPods,
        Ecosystem::Docker => &docker::Docker,
        Ecosystem::Terraform => &terraform::Terraform,
        Ecosystem::PreCommit => &precommit::PreCommit,
    }
}

/// What a file is to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Says what the project asks for.
    Manifest,
    /// Says what it gets.
    Lockfile,
}

/// One kind of file that a format reads.
#[derive(Debug, Clone, Copy)]
pub struct FileKind {
    /// The file's name, or its path where there is a slash in it. A `*` stands for any text without a slash, `**` for
    /// any folders.
    pub pattern: &'static str,
    /// What it is to a project.
    pub role: Role,
    /// Which versions and forms of it are read, for people.
    pub reads: &'static str,
}

impl FileKind {
    /// A manifest.
    #[must_use]
    pub const fn manifest(pattern: &'static str, reads: &'static str) -> Self {
        Self { pattern, role: Role::Manifest, reads }
    }

    /// A lockfile.
    #[must_use]
    pub const fn lockfile(pattern: &'static str, reads: &'static str) -> Self {
        Self { pattern, role: Role::Lockfile, reads }
    }

    /// Whether a path is of this kind.
    #[must_use]
    pub fn matches(&self, path: &RepoPath) -> bool {
        matches(self.pattern, path)
    }
}

/// Whether a path fits a pattern as [`FileKind::pattern`] has it.
#[must_use]
pub fn matches(pattern: &str, path: &RepoPath) -> bool {
    if pattern.contains('/') {
        // A glob is dear, and most paths lack its first plain part.
        let plain = pattern.split('/').find(|part| !part.contains('*')).unwrap_or_default();
        return path.as_str().contains(plain) && crate::model::path::glob(pattern, path);
    }
    let name = path.file_name();
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, end)) if !end.contains('*') => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        Some(_) => crate::model::path::glob(pattern, &RepoPath::new(name)),
    }
}

/// Finds projects and reads them.
pub trait Format: Sync {
    /// The ecosystem of its projects.
    fn ecosystem(&self) -> Ecosystem;

    /// The manifests and lockfiles that make a project.
    fn kinds(&self) -> &'static [FileKind];

    /// Whether its manifests may take in files of any name, so that one of them can change with no file of
    /// [`Self::kinds`] changing.
    fn includes(&self) -> bool {
        false
    }

    /// Names of files that are looked up by name, and so are indexed.
    fn looks_up(&self) -> &'static [&'static str] {
        &[]
    }

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
pub const FORMATS: &[&dyn Format] = &[
    &cargo::Cargo,
    &npm::lock::PackageLock,
    &npm::yarn::Yarn,
    &npm::berry::Berry,
    &npm::pnpm::Pnpm,
    &npm::bun::Bun,
    &npm::unlocked::Manifest,
    &pypi::requirements::Requirements,
    &pypi::pipfile::Pipenv,
    &pypi::poetry_lock::Poetry,
    &pypi::uv::Uv,
    &pypi::pdm::Pdm,
    &pypi::pylock::Pylock,
    &pypi::unlocked::Unlocked,
    &go::Go,
    &actions::Actions,
    &maven::Maven,
    &maven::gradle::Gradle,
    &rubygems::RubyGems,
    &packagist::Packagist,
    &nuget::NuGet,
    &pub_dev::Pub,
    &hex::Hex,
    &swift::Swift,
    &conan::Conan,
    &cocoapods::CocoaPods,
    &docker::dockerfile::Dockerfile,
    &docker::compose::Compose,
    &terraform::Terraform,
    &precommit::PreCommit,
];

/// Whether a path is a manifest or lockfile of some format.
#[must_use]
pub fn claims(path: &RepoPath) -> bool {
    FORMATS.iter().flat_map(|format| format.kinds()).any(|kind| kind.matches(path))
}

/// Somewhere that package-manager configuration takes packages or code from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Redirect {
    /// What is taken from there, as the sentence "it sends … to …" has it.
    pub from: String,
    /// The address, folder or file, as written.
    pub to: String,
    /// The line that says so, counted from 1; 0 where none applies.
    pub line: u32,
    /// Whether saying it for the first time is a redirection already. A registry that is newly named is a source of
    /// its own; one whose address changes takes its packages along.
    pub is_first: bool,
}

/// Files that change what a package manager or a toolchain does, with no manifest or lockfile changing.
pub trait Settings: Sync {
    /// The ecosystem, for people.
    fn ecosystem(&self) -> Ecosystem;

    /// Patterns of the files, as [`FileKind::pattern`] has them, in lower case: a file system that ignores case finds
    /// `.Cargo` as well.
    fn patterns(&self) -> &'static [&'static str];

    /// Where a file takes packages or code from. None for files that say nothing of it.
    ///
    /// # Errors
    /// [`Unread`] where the file cannot be understood: then it may send anything anywhere.
    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread>;

    /// Patterns of manifests that say as well where packages come from.
    fn manifests(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where such a manifest takes packages from. The lockfile beside it names the old place until it is made anew.
    ///
    /// # Errors
    /// [`Unread`] where it cannot be understood.
    fn manifest_redirects(&self, _path: &RepoPath, _bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        Ok(Vec::new())
    }

    /// Addresses that the file declares to be the ecosystem's one registry, so that a mirror of it is no other place.
    fn registries(&self, _path: &RepoPath, _bytes: &[u8]) -> Vec<String> {
        Vec::new()
    }
}

/// Every package manager's configuration. One line each.
pub const SETTINGS: &[&dyn Settings] = &[
    &cargo::Cargo,
    &npm::Npm,
    &pypi::PyPi,
    &go::Go,
    &maven::Maven,
    &rubygems::RubyGems,
    &packagist::Packagist,
    &nuget::NuGet,
    &pub_dev::Pub,
    &swift::Swift,
    &conan::Conan,
    &terraform::Terraform,
];

/// What reads a path as configuration of a package manager or toolchain; `None` where it is none.
#[must_use]
pub fn settings_of(path: &RepoPath) -> Option<&'static dyn Settings> {
    let folded = RepoPath::new(&fold(path.as_str()));
    let claims = |settings: &&&dyn Settings| settings.patterns().iter().any(|pattern| matches(pattern, &folded));
    SETTINGS.iter().find(claims).copied()
}

/// A name as a file system that ignores case and composes Unicode would see it.
#[must_use]
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfkc().flat_map(char::to_lowercase).collect()
}
