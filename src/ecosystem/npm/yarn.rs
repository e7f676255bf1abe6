//! `yarn.lock` of yarn 1.
//!
//! An entry answers patterns, `name@range`, as manifests write them; `name@npm:other@range` is another package under
//! that name. The lockfile does not hold the members of a workspace: they answer by their names.

use std::collections::{HashMap, HashSet};

use super::berry;
use super::manifest::Section;
use super::members::{
    self, Forced, MAX_AMBIGUOUS, Member, addressed, complaint, linked, lockfile, name_direct, shown, workspace,
};
use super::source::{Spec, name_and_range, resolved};
use super::workspace::{MANIFEST, locked};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

mod syntax;
#[cfg(test)]
mod tests;

use syntax::Entry;

/// The name of a lockfile, of this yarn and the later ones.
pub(super) const LOCKFILE: &str = "yarn.lock";

/// Projects that yarn 1 locked.
#[derive(Debug, Clone, Copy)]
pub struct Yarn;

impl Format for Yarn {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Every file that is read has a name of its own.
    fn kinds(&self) -> &'static [FileKind] {
        const { &[FileKind::lockfile(LOCKFILE, "yarn 1")] }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[LOCKFILE, MANIFEST]
    }

    /// Every lockfile of the name that is not plainly one of a later yarn: what is neither fails to be read here.
    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let mut found = locked(files, &[LOCKFILE]);
        found.retain(|project| !berry::is_later(project, files));
        Ok(found)
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let ((bytes, input), path) = lockfile(project, &mut view)?;
        let entries = syntax::read(&bytes, FILE_CAP).map_err(|error| (path.clone(), error))?;
        let members = workspace(project, &mut view)?;
        let draft = Reader::new(&entries, input, &members).build(&members).map_err(|error| (path, error))?;
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Packages that the patterns of one entry name, at the most. Yarn writes one, or one and its alias.
const MAX_NAMES: usize = 8;

/// What answers a dependency.
enum Answer {
    /// Packages of the lockfile. More than one where it cannot be told which.
    Packages(Vec<u32>),
    /// A member of the workspace.
    Member,
    /// Nothing: entries of the name that are there.
    Nothing(Vec<u32>),
}

struct Reader<'a, 'm> {
    entries: &'a [Entry<'a>],
    input: u32,
    draft: Draft,
    /// Patterns → packages.
    by_pattern: HashMap<&'a str, u32>,
    /// Names as patterns have them → packages.
    by_name: HashMap<&'a str, Vec<u32>>,
    forced: HashMap<&'m str, Vec<Forced<'m>>>,
    members: HashMap<&'m str, &'m Member>,
}

impl<'a, 'm> Reader<'a, 'm> {
    fn new(entries: &'a [Entry<'a>], input: u32, members: &'m members::Members) -> Self {
        Self {
            entries,
            input,
            draft: Draft::new(),
            by_pattern: HashMap::new(),
            by_name: HashMap::new(),
            forced: members.forced(),
            members: members.names(),
        }
    }

    fn build(mut self, members: &'m members::Members) -> Result<Draft, Unread> {
        let places = self.entries.iter().map(|entry| self.packages(entry));
        let places = places.collect::<Result<Vec<Vec<u32>>, Unread>>()?;
        let mut needed = HashSet::new();
        for (entry, places) in self.entries.iter().zip(&places) {
            let parent = entry.patterns.first().map_or("", |pattern| name_and_range(pattern).0);
            for need in &entry.needs {
                let found = match self.answer(parent, &need.name, &need.range) {
                    Answer::Packages(found) => found,
                    // What a package asks the registry for, and gets from a folder.
                    Answer::Member => match self.members.get(&*need.name) {
                        Some(member) if Spec::of(&need.range).is_registry() => {
                            let span = members::at(member.input, 1);
                            let package = members::standing_in(&need.name, None, &member.folder, span);
                            vec![self.draft.package(package)]
                        }
                        _ => continue,
                    },
                    Answer::Nothing(found) => {
                        let message = format!("{} {}", shown(parent), self.complain(&need.range, &found));
                        self.draft.disagree(&need.name, message, self.span(entry));
                        found
                    }
                };
                for (from, to) in places.iter().flat_map(|from| found.iter().map(move |to| (*from, *to))) {
                    self.draft.edge(from, to);
                    needed.insert(to);
                }
            }
        }
        if let Some(root) = members.0.first() {
            members::tool(&root.manifest, root.input, &mut self.draft);
        }
        for member in &members.0 {
            self.member(member);
        }
        if members.0.is_empty() {
            members::without_manifest(&mut self.draft, &needed);
        }
        Ok(self.draft)
    }

    const fn span(&self, entry: &Entry<'_>) -> Span {
        Span { input: self.input, line: entry.line, end_line: entry.end_line }
    }

    /// The packages of an entry: one, but where its patterns name several.
    fn packages(&mut self, entry: &'a Entry<'a>) -> Result<Vec<u32>, Unread> {
        let span = self.span(entry);
        let version = entry.version.as_deref().unwrap_or_default();
        let mut found: Vec<(String, u32)> = Vec::new();
        for pattern in &entry.patterns {
            let (name, range) = name_and_range(pattern);
            let spec = Spec::of(range);
            let real = match &spec {
                Spec::Alias(real, _) => real.clone().into_owned(),
                _ => name.to_owned(),
            };
            let at = match found.iter().find(|(known, _)| *known == real) {
                Some((_, at)) => *at,
                None => {
                    let package = self.package(entry, name, &real, &spec);
                    if let Some((other, _)) = found.first() {
                        let message = format!("is locked in one entry with {}", shown(other));
                        self.draft.disagree(&real, message, span);
                    }
                    let at = self.draft.package(package);
                    found.push((real, at));
                    if found.len() > MAX_NAMES {
                        return Err(malformed(entry.line, format!("an entry of more than {MAX_NAMES} packages")));
                    }
                    at
                }
            };
            self.by_pattern.insert(pattern, at);
            let named = self.by_name.entry(name).or_default();
            if named.last() != Some(&at) {
                named.push(at);
            }
            if spec.admits(version) == Some(false) && !self.forced.contains_key(name) {
                self.draft.disagree(name, complaint(range, std::iter::once(version)), span);
            }
        }
        Ok(found.into_iter().map(|(_, at)| at).collect())
    }

    fn package(&mut self, entry: &Entry<'_>, name: &str, real: &str, spec: &Spec<'_>) -> Package {
        let version = entry.version.as_deref().unwrap_or_default();
        let mut package = Package::new(Ecosystem::Npm, real, version, self.span(entry));
        if let Some(address) = &entry.resolved {
            let is_registry = spec.is_registry();
            let found = if is_registry { resolved } else { addressed }(address, real, version);
            package.source = found.source;
            package.identity = found.identity;
            package.contradiction = found.contradiction;
            package.checksum = found.checksum;
        } else if let Some(source) = spec.source() {
            package.identity = Identity::Foreign;
            package.checksum = source.commit.as_deref().and_then(checksum::of_commit);
            package.source = source;
        } else {
            package.source = Source::public();
        }
        match members::digest(entry.integrity.as_deref()) {
            (Some(digest), _) => package.checksum = Some(digest),
            (None, Some(wrong)) => {
                package.checksum = None;
                self.draft.disagree(real, wrong, self.span(entry));
            }
            (None, None) => {}
        }
        // Asked for from the registry, or forced upon those who do, and taken from elsewhere.
        if package.identity == Identity::Foreign && (spec.is_registry() || self.forced.contains_key(name)) {
            package.identity = Identity::StandsIn;
        }
        package
    }

    /// What a range of a name is answered by.
    fn answer(&self, parent: &str, name: &str, range: &str) -> Answer {
        let exact = |range: &str| {
            let bare = || self.by_pattern.get(name).filter(|_| range.is_empty());
            self.by_pattern.get(&*format!("{name}@{range}")).or_else(bare).copied()
        };
        if let Some(found) = exact(range) {
            return Answer::Packages(vec![found]);
        }
        let of_name = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        if let Some(forced) = self.forced.get(name) {
            let applies = |each: &&Forced<'_>| each.parent.is_none_or(|wanted| wanted == parent);
            let found: Vec<u32> = forced.iter().filter(applies).filter_map(|each| exact(each.with)).collect();
            if !found.is_empty() {
                return Answer::Packages(found);
            }
            if !of_name.is_empty() {
                return Answer::Packages(of_name.iter().copied().take(MAX_AMBIGUOUS).collect());
            }
        }
        let member = self.members.get(name);
        if member.is_some_and(|member| Spec::of(range).admits(&member.manifest.version) != Some(false)) {
            return Answer::Member;
        }
        Answer::Nothing(of_name.iter().copied().take(MAX_AMBIGUOUS).collect())
    }

    fn complain(&self, range: &str, found: &[u32]) -> String {
        let versions = found.iter().filter_map(|at| self.draft.packages().get(*at as usize));
        complaint(range, versions.map(|package| &*package.version))
    }

    fn member(&mut self, member: &'m Member) {
        let manifest = &member.manifest;
        let span = members::at(member.input, 1);
        let root = self.draft.root(&manifest.name, &manifest.version, &member.folder, span);
        for asked in manifest.dependencies.iter().filter(|asked| asked.section != Section::Peer) {
            let span = members::at(member.input, asked.line);
            let found = match self.answer(&manifest.name, &asked.name, &asked.spec) {
                Answer::Packages(found) => found,
                Answer::Member => continue,
                Answer::Nothing(found) => match linked(&asked.name, &asked.spec, span) {
                    // Yarn keeps no entry of what it links.
                    Some(package) if found.is_empty() => vec![self.draft.package(package)],
                    _ => {
                        let message = self.complain(&asked.spec, &found);
                        self.draft.disagree(&asked.name, message, span);
                        found
                    }
                },
            };
            for package in found {
                self.draft.need(root, package, asked.section.scope(), Some(span));
                name_direct(&mut self.draft, package, &asked.name);
            }
        }
    }
}
