//! Which manifests make one project: the workspace's root, its members, and the folders they reach by path.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::manifest::{self, Dependency, Manifest};
use crate::model::RepoPath;
use crate::model::path::glob;
use crate::model::tree::Unread;

/// Manifests of one project.
const MAX_LOCALS: usize = 10_000;

/// Patterns of members times manifests of the tree.
const MAX_GLOBBED: u64 = 2_000_000;

/// The name of a manifest.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// What could not be read, and why.
pub(super) type Failure = (RepoPath, Unread);

/// Bytes of a file and the number of its input.
type Bytes = Option<(Arc<[u8]>, u32)>;

type Loader<'l> = Box<dyn FnMut(&RepoPath) -> Result<Bytes, Unread> + 'l>;

type Inherited = Option<Rc<Inherit>>;

/// Reads each manifest once.
pub(super) struct Manifests<'l> {
    load: Loader<'l>,
    known: HashMap<RepoPath, Option<(Rc<Manifest>, u32)>>,
    inherited: HashMap<RepoPath, Inherited>,
}

impl<'l> Manifests<'l> {
    pub fn new(load: impl FnMut(&RepoPath) -> Result<Bytes, Unread> + 'l) -> Self {
        Self { load: Box::new(load), known: HashMap::new(), inherited: HashMap::new() }
    }

    /// The manifest of a folder, and the number of its input.
    pub fn get(&mut self, folder: &RepoPath) -> Result<Option<(Rc<Manifest>, u32)>, Failure> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let Some(path) = folder.join(MANIFEST) else {
            return Ok(None);
        };
        let found = match (self.load)(&path).map_err(|error| (path.clone(), error))? {
            Some((bytes, input)) => {
                let manifest = manifest::parse(&bytes).map_err(|error| (path, error))?;
                Some((Rc::new(manifest), input))
            }
            None => None,
        };
        self.known.insert(folder.clone(), found.clone());
        Ok(found)
    }

    /// What members of the workspace at or above a folder inherit.
    fn inherit(&mut self, folder: &RepoPath) -> Result<Inherited, Failure> {
        let mut at = folder.clone();
        loop {
            if let Some(known) = self.inherited.get(&at) {
                return Ok(known.clone());
            }
            if let Some((manifest, _)) = self.get(&at)?
                && let Some(workspace) = &manifest.workspace
            {
                let dependencies = workspace.dependencies.iter().map(|d| (d.key.clone(), d.clone())).collect();
                let found =
                    Some(Rc::new(Inherit { folder: at.clone(), version: workspace.version.clone(), dependencies }));
                self.inherited.insert(at, found.clone());
                return Ok(found);
            }
            if at.is_root() {
                return Ok(None);
            }
            at = at.parent();
        }
    }
}

struct Inherit {
    folder: RepoPath,
    version: Option<Box<str>>,
    dependencies: HashMap<Box<str>, Dependency>,
}

/// A dependency with everything that is inherited filled in.
#[derive(Debug)]
pub(super) struct Asked {
    pub dependency: Dependency,
    /// The folder that a path leads to; `None` where it leaves the repository or there is no path.
    pub folder: Option<RepoPath>,
}

/// A package of the repository itself.
#[derive(Debug)]
pub(super) struct Local {
    pub folder: RepoPath,
    pub input: u32,
    pub name: Box<str>,
    pub version: Box<str>,
    /// Whether cargo counts it as a member, so that what its tests need is locked as well.
    pub is_member: bool,
    pub asked: Vec<Asked>,
}

/// Something a manifest says that cannot be.
#[derive(Debug)]
pub(super) struct Problem {
    pub name: String,
    pub message: String,
    pub input: u32,
    pub line: u32,
}

/// The manifests of one project.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// The manifest of the project's folder.
    pub root: Option<(Rc<Manifest>, u32)>,
    pub locals: Vec<Local>,
    /// Whether every manifest that one of them names by a path within the repository is in the tree.
    pub is_complete: bool,
    pub problems: Vec<Problem>,
}

/// Gathers the manifests of the project in `root`. `tree` lists the tree's manifests; `extra` are folders that
/// patches lead to.
pub(super) fn gather(
    root: &RepoPath,
    tree: &[RepoPath],
    extra: &[RepoPath],
    manifests: &mut Manifests<'_>,
) -> Result<Workspace, Failure> {
    let mut found = Workspace { root: manifests.get(root)?, is_complete: true, ..Workspace::default() };
    let Some((manifest, _)) = found.root.clone() else {
        found.is_complete = false;
        return Ok(found);
    };
    let mut queue: VecDeque<(RepoPath, bool)> = VecDeque::new();
    let mut excluded = HashSet::new();
    let extra: HashSet<&RepoPath> = extra.iter().collect();
    queue.push_back((root.clone(), true));
    if let Some(workspace) = &manifest.workspace {
        excluded = workspace.exclude.iter().filter_map(|folder| root.join(folder)).collect();
        let members = expand(root, &workspace.members, &excluded, tree).map_err(|e| (path_of(root), e))?;
        queue.extend(members.into_iter().map(|folder| (folder, true)));
    }
    // Members come before what they reach, so that a folder that is both counts as a member.
    let mut seen: HashSet<RepoPath> = HashSet::new();
    queue.extend(extra.iter().map(|folder| ((*folder).clone(), false)));
    while let Some((folder, is_named)) = queue.pop_front() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        if seen.len() > MAX_LOCALS {
            let what = "the number of manifests of one project".to_owned();
            let error = Unread::TooLarge { what, size: seen.len() as u64, cap: MAX_LOCALS as u64 };
            return Err((path_of(root), error));
        }
        let Some((own, input)) = manifests.get(&folder)? else {
            // What a manifest that is not there would ask for cannot be known.
            found.is_complete = false;
            continue;
        };
        let is_inside = manifest.workspace.is_some() && folder.is_within(root) && own.workspace.is_none();
        let is_reached = is_inside && !extra.contains(&folder) && !is_below(&folder, &excluded);
        let is_member = is_named || is_reached;
        let from = if is_member { manifests.inherit(root)? } else { manifests.inherit(&folder)? };
        let Some(local) = local(&folder, &own, input, is_member, from.as_deref(), &mut found.problems) else {
            continue;
        };
        queue.extend(local.asked.iter().filter_map(|asked| asked.folder.clone()).map(|folder| (folder, false)));
        found.locals.push(local);
    }
    Ok(found)
}

fn path_of(folder: &RepoPath) -> RepoPath {
    folder.join(MANIFEST).unwrap_or_else(|| folder.clone())
}

fn local(
    folder: &RepoPath,
    manifest: &Manifest,
    input: u32,
    is_member: bool,
    inherit: Option<&Inherit>,
    problems: &mut Vec<Problem>,
) -> Option<Local> {
    let head = manifest.package.as_ref()?;
    let version = head.version.clone().or_else(|| inherit.and_then(|from| from.version.clone()));
    let mut asked = Vec::with_capacity(manifest.dependencies.len());
    for own in &manifest.dependencies {
        let mut dependency = own.clone();
        let mut base = folder;
        if own.is_inherited {
            match inherit.and_then(|from| from.dependencies.get(&own.key).map(|d| (from, d))) {
                Some((from, common)) => {
                    dependency = Dependency {
                        key: own.key.clone(),
                        scope: own.scope,
                        is_optional: own.is_optional,
                        line: own.line,
                        ..common.clone()
                    };
                    base = &from.folder;
                }
                None => problems.push(Problem {
                    name: own.key.to_string(),
                    message: format!("asks for the workspace's `{}`, which the workspace does not define", own.key),
                    input,
                    line: own.line,
                }),
            }
        }
        let folder = dependency.path.as_ref().and_then(|path| base.join(path));
        asked.push(Asked { dependency, folder });
    }
    let version = version.unwrap_or_else(|| Box::from("0.0.0"));
    Some(Local { folder: folder.clone(), input, name: head.name.clone(), version, is_member, asked })
}

/// The folders that the patterns name. A pattern without wildcards names its folder whether or not it is there, and
/// even where an excluded folder holds it.
fn expand(
    root: &RepoPath,
    patterns: &[Box<str>],
    excluded: &HashSet<RepoPath>,
    tree: &[RepoPath],
) -> Result<Vec<RepoPath>, Unread> {
    let is_glob = |pattern: &str| pattern.contains(['*', '?', '[']);
    let globs = patterns.iter().filter(|pattern| is_glob(pattern)).count() as u64;
    let work = globs * tree.len() as u64;
    if patterns.len() > MAX_LOCALS || work > MAX_GLOBBED {
        let what = "members' patterns times manifests in the tree".to_owned();
        return Err(Unread::TooLarge { what, size: work.max(patterns.len() as u64), cap: MAX_GLOBBED });
    }
    let mut found = Vec::new();
    for pattern in patterns {
        if !is_glob(pattern) {
            found.extend(root.join(pattern));
            continue;
        }
        // The leading part without wildcards may climb (`../libs/*`); globs themselves do not know `..`.
        let fixed = pattern.split('/').take_while(|part| !is_glob(part)).collect::<Vec<_>>().join("/");
        let Some(base) = root.join(&fixed) else { continue };
        let rest = pattern.split('/').skip_while(|part| !is_glob(part)).collect::<Vec<_>>().join("/");
        let rest = format!("/{}", without_classes(&rest));
        for manifest in tree {
            let folder = manifest.parent();
            let Some(relative) = folder.relative_to(&base).filter(|_| folder.is_within(&base)) else {
                continue;
            };
            if glob(&rest, &RepoPath::new(relative)) && !is_below(&folder, excluded) {
                found.push(folder);
            }
        }
    }
    Ok(found)
}

/// Whether a folder is one of these or lies below one.
pub(super) fn is_below(folder: &RepoPath, these: &HashSet<RepoPath>) -> bool {
    let mut at = folder.clone();
    loop {
        if these.contains(&at) {
            return true;
        }
        if at.is_root() {
            return false;
        }
        at = at.parent();
    }
}

/// Character classes as `?`: too many members are better than one too few.
fn without_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, class)) = rest.split_once('[') {
        out.push_str(before);
        out.push('?');
        rest = class.split_once(']').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}
