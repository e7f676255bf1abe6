//! Files that are recognised and not read.

use crate::ecosystem::{fold, matches};
use crate::model::RepoPath;

/// How little is known where one changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// What is used is in it and nowhere else: the answer is incomplete.
    Lockfile,
    /// It asks for things, perhaps by running: a person has to look at what changed.
    Manifest,
}

/// A kind of file that is recognised and not read.
#[derive(Debug, Clone, Copy)]
pub struct UnreadKind {
    /// As [`crate::ecosystem::FileKind::pattern`] has it.
    pub pattern: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// How little is known.
    pub gap: Gap,
    /// Files of which one must stand beside it for it to be one of that kind; empty where the name says all.
    pub beside: &'static [&'static str],
}

const fn lockfile(pattern: &'static str, what: &'static str) -> UnreadKind {
    UnreadKind { pattern, what, gap: Gap::Lockfile, beside: &[] }
}

const fn manifest(pattern: &'static str, what: &'static str) -> UnreadKind {
    UnreadKind { pattern, what, gap: Gap::Manifest, beside: &[] }
}

/// Every kind: adding or changing one is never silence.
const UNREAD: &[UnreadKind] = &[
    lockfile("deno.lock", "lockfiles of Deno"),
    lockfile("flake.lock", "lockfiles of Nix"),
    lockfile("Cartfile.resolved", "lockfiles of Carthage"),
    lockfile("rebar.lock", "lockfiles of Rebar"),
    lockfile("stack.yaml.lock", "lockfiles of Stack"),
    lockfile("cabal.project.freeze", "lockfiles of Cabal"),
    lockfile("renv.lock", "lockfiles of renv"),
    UnreadKind { beside: &["Project.toml", "JuliaProject.toml"], ..lockfile("Manifest.toml", "lockfiles of Julia") },
    lockfile("pixi.lock", "lockfiles of Pixi"),
    lockfile("conda-lock.yml", "lockfiles of conda"),
    lockfile("conda-lock.yaml", "lockfiles of conda"),
    lockfile("paket.lock", "lockfiles of Paket"),
    lockfile("MODULE.bazel.lock", "lockfiles of Bazel"),
    lockfile("cpanfile.snapshot", "lockfiles of Carton"),
    lockfile("Chart.lock", "lockfiles of Helm"),
    manifest("*.gradle", "build scripts of Gradle"),
    manifest("*.gradle.kts", "build scripts of Gradle"),
    manifest("build.sbt", "build definitions of sbt"),
    manifest("MODULE.bazel", "modules of Bazel"),
    manifest("environment.yml", "environments of conda"),
    manifest("environment.yaml", "environments of conda"),
    manifest("pixi.toml", "manifests of Pixi"),
    manifest("deno.json", "manifests of Deno"),
    manifest("deno.jsonc", "manifests of Deno"),
    manifest("Cartfile", "manifests of Carthage"),
    manifest("paket.dependencies", "manifests of Paket"),
    manifest("gleam.toml", "manifests of Gleam"),
    manifest("bower.json", "manifests of Bower"),
    manifest("Chart.yaml", "charts of Helm"),
];

fn of_name(path: &RepoPath) -> Option<&'static UnreadKind> {
    let folded = RepoPath::new(&fold(path.file_name()));
    UNREAD.iter().find(|kind| matches(&kind.pattern.to_ascii_lowercase(), &folded))
}

/// Whether a file of that name may be of a kind that is not read.
#[must_use]
pub fn is_unread(path: &RepoPath) -> bool {
    of_name(path).is_some()
}

/// The kind of an unread file; `None` where it is none. `stands` tells whether a path is there.
#[must_use]
pub fn kind(path: &RepoPath, stands: &dyn Fn(&RepoPath) -> bool) -> Option<&'static UnreadKind> {
    let kind = of_name(path)?;
    let is_there = |name: &&str| path.parent().join(name).is_some_and(|path| stands(&path));
    (kind.beside.is_empty() || kind.beside.iter().any(is_there)).then_some(kind)
}

/// Every kind, for the table of what is supported.
pub fn kinds() -> impl Iterator<Item = &'static UnreadKind> {
    UNREAD.iter()
}
