//! Files that are recognised and not read.

use crate::model::RepoPath;

/// A kind of file that is recognised and not read.
struct UnreadKind {
    /// As [`crate::ecosystem::FileKind::pattern`] has it.
    pattern: &'static str,
    /// What it is, for people.
    what: &'static str,
    /// Lockfiles beside it that say all that it would.
    unless: &'static [&'static str],
}

const fn unread(pattern: &'static str, what: &'static str) -> UnreadKind {
    UnreadKind { pattern, what, unless: &[] }
}

const fn code(pattern: &'static str, what: &'static str, unless: &'static [&'static str]) -> UnreadKind {
    UnreadKind { pattern, what, unless }
}

/// Kinds that are recognised and not read: adding or changing one is incomplete, never silence. Manifests that are
/// programs are not run; where a lockfile stands beside one, it says what the program asked for.
const UNREAD: &[UnreadKind] = &[
    unread("deno.lock", "lockfiles of Deno"),
    unread("flake.lock", "lockfiles of Nix"),
    unread("Cartfile.resolved", "lockfiles of Carthage"),
    unread("rebar.lock", "lockfiles of Rebar"),
    unread("stack.yaml.lock", "lockfiles of Stack"),
    unread("cabal.project.freeze", "lockfiles of Cabal"),
    unread("renv.lock", "lockfiles of renv"),
    unread("Manifest.toml", "lockfiles of Julia"),
    unread("pixi.lock", "lockfiles of Pixi"),
    unread("conda-lock.yml", "lockfiles of conda"),
    unread("environment.yml", "environments of conda"),
    unread("paket.lock", "lockfiles of Paket"),
    unread("MODULE.bazel.lock", "lockfiles of Bazel"),
    unread("cpanfile.snapshot", "lockfiles of Carton"),
    unread("gleam.toml", "manifests of Gleam"),
    code("build.gradle", "build scripts of Gradle", &["gradle.lockfile"]),
    code("build.gradle.kts", "build scripts of Gradle", &["gradle.lockfile"]),
    code("settings.gradle", "settings scripts of Gradle", &["settings-gradle.lockfile", "gradle.lockfile"]),
    code("settings.gradle.kts", "settings scripts of Gradle", &["settings-gradle.lockfile", "gradle.lockfile"]),
];

/// Whether a file of that name is of a kind that is not read.
#[must_use]
pub fn is_unread(name: &str) -> bool {
    UNREAD.iter().any(|kind| kind.pattern == name)
}

/// What an unread file is, for people; `None` where it is read, or a lockfile beside it says all that it would.
/// `stands` tells whether a path is there.
#[must_use]
pub fn kind(path: &RepoPath, stands: &dyn Fn(&RepoPath) -> bool) -> Option<&'static str> {
    let kind = UNREAD.iter().find(|kind| kind.pattern == path.file_name())?;
    let beside = |name: &&str| path.parent().join(name).is_some_and(|path| stands(&path));
    (!kind.unless.iter().any(beside)).then_some(kind.what)
}

/// Every kind: name, what it is, and the lockfiles that say as much, for the table of what is supported.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    UNREAD.iter().map(|kind| (kind.pattern, kind.what, kind.unless))
}
