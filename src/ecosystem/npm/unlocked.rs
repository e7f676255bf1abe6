//! `package.json` where no lockfile speaks for it: what is asked for, with requirements in place of versions.

use std::collections::{BTreeSet, HashMap};

use super::lock::Home;
use super::manifest::{self, Manifest as PackageJson, Section};
use super::members::{shown, tool, unmerged};
use super::range::{Range, exact};
use super::source::{Spec, name_and_range};
use super::workspace::{self, LOCKFILES, MANIFEST};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{toml, yaml};
use crate::ecosystem::{FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Manifests that neither a lockfile of any tool of npm's family nor a workspace speaks for.
#[derive(Debug, Clone, Copy)]
pub struct Manifest;

/// Where pnpm lists a workspace's members.
const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";

impl Format for Manifest {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::manifest(MANIFEST, "alone: dependencies, workspaces, overrides, as requirements")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        const {
            &[
                MANIFEST,
                PNPM_WORKSPACE,
                "package-lock.json",
                "npm-shrinkwrap.json",
                "yarn.lock",
                "pnpm-lock.yaml",
                "bun.lock",
                "bun.lockb",
                "deno.lock",
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let manifests = workspace::manifests(files);
        let locked: BTreeSet<(RepoPath, Lists)> = LOCKFILES
            .iter()
            .flat_map(|name| files.named(name).into_iter().map(|path| (path.parent(), Lists::of(name))))
            .collect();
        let mut covered: BTreeSet<RepoPath> = BTreeSet::new();
        let mut read = |path: &RepoPath| files.read(path).map(|file| file.map(|(bytes, _)| (bytes, 0)));
        let mut found = Vec::new();
        // What cannot be read is said when its project is read.
        for (folder, lists) in &locked {
            let members = listed(folder, &manifests, *lists, &mut read).unwrap_or_default();
            // A lockfile holds what lies in the folders that its manifests name, or contradicts them.
            covered.extend(members.iter().chain([folder]).flat_map(|at| linked_from(at, &mut read)));
            covered.extend(members);
            covered.insert(folder.clone());
        }
        // Sorted: a workspace comes before its members.
        for folder in &manifests {
            if covered.contains(folder) {
                continue;
            }
            covered.extend(members_of(folder, &manifests, &mut read).unwrap_or_default());
            let (path, manifest) = (folder.clone(), folder.join(MANIFEST));
            found.push(Project { path, ecosystem: Ecosystem::Npm, manifest, lockfile: None });
        }
        Ok(found)
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let home = Home::read(&project.path, &mut view)?;
        let Some((manifest, input)) = home.manifest else {
            let path = project.manifest.clone().unwrap_or_else(|| project.path.clone());
            return Err((path, Unread::NotAFile("the manifest is not there".to_owned())));
        };
        let manifests = workspace::manifests(view.files());
        let members = members_of(&project.path, &manifests, &mut |path| view.read(path))?;
        let mut locals = vec![(project.path.clone(), manifest, input)];
        for folder in members {
            let has_lockfile = LOCKFILES.iter().filter_map(|name| folder.join(name)).any(|path| is_file(&view, &path));
            if has_lockfile {
                continue;
            }
            if let Some((manifest, input)) = Home::read(&folder, &mut view)?.manifest {
                locals.push((folder, manifest, input));
            }
        }
        let mut draft = Draft::new();
        let names: HashMap<&str, &str> = locals.iter().map(|(_, local, _)| (&*local.name, &*local.version)).collect();
        for (folder, local, input) in &locals {
            let span = Span { input: *input, line: 1, end_line: 1 };
            let root = draft.root(&local.name, &local.version, folder, span);
            for dependency in &local.dependencies {
                let spec = Spec::of(&dependency.spec);
                let span = Span { input: *input, line: dependency.line, end_line: dependency.line };
                if is_member(&spec, &dependency.name, &names) {
                    continue;
                }
                if let Spec::Range(tag) | Spec::Alias(_, tag) = &spec
                    && *tag != "latest"
                    && Range::parse(tag).is_none()
                {
                    draft.disagree(&dependency.name, format!("asks for a tag, which moves: {}", shown(tag)), span);
                }
                let number = draft.package(package(&dependency.name, &spec, &dependency.spec, folder, span));
                draft.need(root, number, dependency.section.scope(), Some(span));
            }
        }
        if let Some((folder, local, input)) = locals.first() {
            tool(local, *input, &mut draft);
            for each in &local.overrides {
                let spec = Spec::of(&each.spec);
                let span = Span { input: *input, line: each.line, end_line: each.line };
                if each.name.is_empty() || matches!(spec, Spec::Range(_) | Spec::Workspace(_)) {
                    continue;
                }
                let mut package = package(&each.name, &spec, &each.spec, folder, span);
                package.identity = Identity::StandsIn;
                let number = draft.package(package);
                draft.need(0, number, Scope::Runtime, Some(span));
            }
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Where a tool looks for a workspace's members. Another tool's list says nothing of what a lockfile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lists {
    /// In the manifest.
    Manifest,
    /// In pnpm's own file.
    Pnpm,
    /// It is not known which tool it is.
    Either,
}

impl Lists {
    /// What the tool of a lockfile reads.
    fn of(lockfile: &str) -> Self {
        if lockfile == "pnpm-lock.yaml" { Self::Pnpm } else { Self::Manifest }
    }
}

/// The folders whose packages a lockfile holds because a manifest asks for them by path, or else contradicts it: those
/// that are copied. What is linked is in no lockfile, and what is optional or a peer may be left out of it.
fn linked_from(folder: &RepoPath, read: Reading<'_>) -> Vec<RepoPath> {
    let Some(Ok(Some((bytes, _)))) = folder.join(MANIFEST).map(|path| read(&path)) else { return Vec::new() };
    let Ok(manifest) = manifest::parse(&bytes) else { return Vec::new() };
    let path = |spec: &str| folder.join(spec.trim().strip_prefix("file:")?);
    let asked = manifest.dependencies.iter();
    let asked = asked.filter(|each| matches!(each.section, Section::Plain | Section::Development));
    let linked = asked.filter_map(|dependency| path(&dependency.spec));
    linked.filter(|linked| linked != folder).collect()
}

fn is_file(view: &View<'_>, path: &RepoPath) -> bool {
    view.files().read(path).map_or(true, |file| file.is_some())
}

/// Whether a dependency is a member of the workspace: it says so, or the member is of a version that is asked for.
fn is_member(spec: &Spec<'_>, name: &str, members: &HashMap<&str, &str>) -> bool {
    let Some(version) = members.get(name) else { return false };
    match spec {
        Spec::Workspace(_) => true,
        Spec::Range(_) => version.is_empty() || spec.admits(version) == Some(true),
        _ => false,
    }
}

/// Reads files for [`members_of`].
type Reading<'r> = &'r mut dyn FnMut(&RepoPath) -> Result<Option<crate::ecosystem::Numbered>, Unread>;

/// The members of the workspace that a folder is the root of, by its manifest or by pnpm's own file; none where it is
/// no root.
///
/// # Errors
/// [`Unread`] where a file that lists members cannot be read.
pub fn members_of(
    folder: &RepoPath,
    manifests: &[RepoPath],
    read: Reading<'_>,
) -> Result<BTreeSet<RepoPath>, (RepoPath, Unread)> {
    listed(folder, manifests, Lists::Either, read)
}

/// [`members_of`], by some of the lists.
fn listed(
    folder: &RepoPath,
    manifests: &[RepoPath],
    lists: Lists,
    read: Reading<'_>,
) -> Result<BTreeSet<RepoPath>, (RepoPath, Unread)> {
    let mut globs: Vec<Box<str>> = Vec::new();
    if let Some(path) = folder.join(MANIFEST).filter(|_| lists != Lists::Pnpm) {
        let at = |error| (path.clone(), error);
        if let Some((bytes, _)) = read(&path).map_err(at)? {
            let listed: PackageJson = manifest::parse(&bytes).map_err(at)?;
            globs.extend(listed.workspaces.into_iter().flatten().map(|(glob, _)| glob));
        }
    }
    if let Some(path) = folder.join(PNPM_WORKSPACE).filter(|_| lists != Lists::Manifest) {
        let at = |error| (path.clone(), error);
        if let Some((bytes, _)) = read(&path).map_err(at)? {
            let node = yaml::read(&bytes, toml::MAX_BYTES).map_err(at)?;
            unmerged(&node).map_err(at)?;
            let listed = node.get("packages").map(yaml::Node::items).unwrap_or_default();
            globs.extend(listed.iter().filter_map(yaml::Node::text).map(Box::from));
        }
    }
    let globs: Vec<&str> = globs.iter().map(|glob| &**glob).collect();
    workspace::members(&globs, folder, manifests).map_err(|error| (folder.clone(), error))
}

/// What a manifest asks for, with its requirement in place of a version.
fn package(name: &str, spec: &Spec<'_>, written: &str, folder: &RepoPath, span: Span) -> Package {
    let plain = |name: &str, version: &str| Package {
        is_locked: false,
        declared: Some(span),
        ..Package::new(Ecosystem::Npm, name, version, span)
    };
    let required = |range: &str| exact(range).map_or_else(|| range.to_owned(), |version| format!("={version}"));
    let from = |source: Source| Package { source, identity: Identity::Foreign, ..plain(name, "*") };
    match spec {
        Spec::Range(range) => plain(name, &required(range)),
        Spec::Alias(real, range) => {
            let alias = (**real != *name).then(|| name.into());
            Package { alias, ..plain(real, &required(range)) }
        }
        Spec::Catalog(_) => plain(name, written.trim()),
        Spec::Patch(inner, _) => {
            let inner = inner.replace("%3A", ":").replace("%3a", ":");
            let (_, range) = name_and_range(&inner);
            let range = range.strip_prefix("npm:").unwrap_or(range);
            Package { identity: Identity::StandsIn, ..plain(name, &required(range)) }
        }
        Spec::Path(path) => {
            let inside = folder.join(path).map(|path| path.to_string());
            from(Source::path(inside.as_deref().unwrap_or(path)))
        }
        Spec::Workspace(_) => from(Source::path(written)),
        Spec::Git(..) | Spec::Archive(_) | Spec::Other(_) => {
            from(spec.source().unwrap_or_else(|| Source::registry(written)))
        }
    }
}
