//! Which folders of a tree are members of a workspace.

use std::collections::BTreeSet;

use crate::ecosystem::Files;
use crate::model::RepoPath;
use crate::model::inventory::Project;
use crate::model::path::glob;
use crate::model::tree::Unread;

/// Bytes of globs times bytes of the folders that they are held against. What is beyond is refused.
const MAX_GLOBBED: usize = 1_000_000_000;

/// The longest glob whose braces are written out, in bytes.
const MAX_BRACED: usize = 1_000;

/// Patterns that braces make of one.
const MAX_BRACES: usize = 256;

/// The name of a manifest.
pub const MANIFEST: &str = "package.json";

/// Names of all lockfiles that speak for a `package.json` beside them.
pub const LOCKFILES: &[&str] =
    &["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"];

/// Whether a path lies in installed packages.
#[must_use]
pub fn is_installed(path: &RepoPath) -> bool {
    path.parts().any(|part| part == "node_modules")
}

/// Folders of all manifests of a tree that lie in no installed package, sorted.
#[must_use]
pub fn manifests(files: &dyn Files) -> Vec<RepoPath> {
    let folders = files.named(MANIFEST).into_iter().filter(|path| !is_installed(path)).map(|path| path.parent());
    let folders: BTreeSet<RepoPath> = folders.collect();
    folders.into_iter().collect()
}

/// The projects that lockfiles of some names make, each with the manifest beside it. None within installed packages.
#[must_use]
pub fn locked(files: &dyn Files, names: &[&str]) -> Vec<Project> {
    locked_by(files, names.iter().flat_map(|name| files.named(name)).collect())
}

/// The projects that some lockfiles make.
#[must_use]
pub fn locked_by(files: &dyn Files, lockfiles: Vec<RepoPath>) -> Vec<Project> {
    let found = lockfiles.into_iter().filter(|path| !is_installed(path)).collect::<Vec<_>>();
    if found.is_empty() {
        return Vec::new();
    }
    let manifests: BTreeSet<RepoPath> = manifests(files).into_iter().collect();
    let project = |lockfile: RepoPath| {
        let path = lockfile.parent();
        let manifest = if manifests.contains(&path) { path.join(MANIFEST) } else { None };
        Project { path, ecosystem: crate::model::Ecosystem::Npm, manifest, lockfile: Some(lockfile) }
    };
    let mut projects: Vec<Project> = found.into_iter().map(project).collect();
    projects.sort_by(|a, b| (&a.path, &a.lockfile).cmp(&(&b.path, &b.lockfile)));
    projects
}

/// The folders of `manifests` that a workspace's globs name, the workspace's own folder left out. The last glob that
/// fits a folder counts; one with `!` before it takes the folder out.
///
/// # Errors
/// More globs times manifests than anyone needs.
pub fn members(globs: &[&str], base: &RepoPath, manifests: &[RepoPath]) -> Result<BTreeSet<RepoPath>, Unread> {
    let from = manifests.partition_point(|folder| folder < base);
    let below = manifests.get(from..).unwrap_or_default().iter();
    let below: Vec<&RepoPath> = if base.is_root() {
        below.filter(|folder| !folder.is_root()).collect()
    } else {
        below.filter(|folder| *folder != base && folder.is_within(base)).collect()
    };
    let mut patterns: Vec<(bool, String)> = Vec::new();
    for each in globs {
        let (is_taken_out, each) = each.strip_prefix('!').map_or((false, *each), |rest| (true, rest));
        let mut expanded = Vec::new();
        braces(each, &mut expanded);
        patterns.extend(expanded.iter().filter_map(|pattern| Some((is_taken_out, anchored(pattern)?))));
    }
    let of_patterns: usize = patterns.iter().map(|(_, pattern)| pattern.len()).sum();
    let of_folders: usize = below.iter().map(|folder| folder.as_str().len()).sum();
    let size = of_patterns.saturating_mul(of_folders);
    if size > MAX_GLOBBED {
        let what = "globs of workspaces times folders, in bytes,".to_owned();
        return Err(Unread::TooLarge { what, size: size as u64, cap: MAX_GLOBBED as u64 });
    }
    let mut found = BTreeSet::new();
    for folder in below {
        let Some(relative) = folder.relative_to(base).map(RepoPath::new) else { continue };
        let last = patterns.iter().rev().find(|(_, pattern)| glob(pattern, &relative));
        if last.is_some_and(|(is_taken_out, _)| !is_taken_out) {
            found.insert(folder.clone());
        }
    }
    Ok(found)
}

/// A pattern from the workspace's folder on; `None` where it is that folder, or leaves it.
fn anchored(pattern: &str) -> Option<String> {
    let pattern = pattern.trim_end_matches('/');
    let pattern = pattern.strip_suffix("/package.json").unwrap_or(pattern);
    let parts: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() || parts.contains(&"..") {
        return None;
    }
    Some(format!("/{}", parts.join("/")))
}

/// Writes out `{a,b}`. What is not closed, or makes too many, stays as it is.
fn braces(pattern: &str, found: &mut Vec<String>) {
    let mut work = vec![pattern.to_owned()];
    let mut steps = 0;
    while let Some(next) = work.pop() {
        steps += 1;
        let parts = next.rsplit_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        match parts {
            Some((before, (inner, after)))
                if steps <= MAX_BRACES && pattern.len() <= MAX_BRACED && inner.contains(',') =>
            {
                work.extend(inner.split(',').map(|each| format!("{before}{each}{after}")));
            }
            _ => found.push(next),
        }
    }
}
