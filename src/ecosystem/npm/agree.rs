//! Where manifests and lockfile contradict each other, and where the two halves of a version 2 lockfile do.

use std::collections::{HashMap, HashSet};

use super::lock::{Member, Part, Reader, nested};
use super::manifest::{self, Dependency, Manifest, Section};
use super::source::{Spec, git};
use super::tree::Tree;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::Document;
use crate::model::inventory::{SourceKind, Span};
use crate::model::tree::Unread;

/// Compares what a member's manifest asks for with what is locked, and with what its entry says that it asked for.
pub(super) fn member(
    reader: &mut Reader<'_>,
    member: &Member,
    manifest: &Manifest,
    input: u32,
    document: &Document<'_>,
) -> Result<(), Unread> {
    let mut said: HashSet<&str> = HashSet::new();
    // Of a name in several sections, one that is right is enough: tools differ in which of them counts.
    let mut right: HashSet<&str> = HashSet::new();
    let mut wrong: Vec<(&Dependency, String)> = Vec::new();
    for dependency in &manifest.dependencies {
        match problem(reader, member, dependency) {
            Some(message) => wrong.push((dependency, message)),
            None => {
                right.insert(&dependency.name);
            }
        }
    }
    for (dependency, message) in wrong {
        if !right.contains(&*dependency.name) && said.insert(&dependency.name) {
            let span = Span { input, line: dependency.line, end_line: dependency.line };
            reader.draft.disagree(&dependency.name, message, span);
        }
    }
    let Some(entry) = member.entry.and_then(|at| reader.tree.entries.get(at as usize)).filter(|e| !e.is_installed)
    else {
        return Ok(());
    };
    // Tools that write an entry without these lists say nothing of them.
    if Section::ALL.iter().all(|section| entry.table.get(section.key()).is_none()) && !entry.key.is_empty() {
        return Ok(());
    }
    let locked = manifest::dependencies(entry.table, document)?;
    let mut of_lock: HashMap<(&str, Section), &Dependency> =
        locked.iter().map(|dependency| ((&*dependency.name, dependency.section), dependency)).collect();
    for dependency in &manifest.dependencies {
        let message = match of_lock.remove(&(&*dependency.name, dependency.section)) {
            Some(found) if found.spec.trim() == dependency.spec.trim() => continue,
            Some(found) => {
                format!("asks for {}, and the lockfile was made for {}", shown(&dependency.spec), shown(&found.spec))
            }
            None => format!("is asked for in {}, and the lockfile was made without", dependency.section.key()),
        };
        if said.insert(&dependency.name) {
            let span = Span { input, line: dependency.line, end_line: dependency.line };
            reader.draft.disagree(&dependency.name, message, span);
        }
    }
    for ((name, section), dependency) in of_lock {
        if said.insert(name) {
            let message = format!("is in the lockfile's {}, and the manifest does not ask for it there", section.key());
            let span = Span { input: reader.input, line: dependency.line, end_line: dependency.line };
            reader.draft.disagree(name, message, span);
        }
    }
    Ok(())
}

/// What is wrong with what is locked for a dependency of a manifest.
fn problem(reader: &Reader<'_>, member: &Member, dependency: &Dependency) -> Option<String> {
    let spec = Spec::of(&dependency.spec);
    let wanted = shown(&dependency.spec);
    let Some(target) = reader.tree.resolve(member.entry, &dependency.name) else {
        // Optional packages and peers may be left out.
        let is_due = matches!(dependency.section, Section::Plain | Section::Development);
        return is_due.then(|| format!("asks for {wanted}, and the lockfile holds none"));
    };
    let (target, part) = reader.follow(target);
    let Some(Part::Package(number)) = part else {
        // A member of the workspace may be asked for as if it were in the registry; another folder may not.
        let is_moved = spec.is_registry() && !reader.has_workspaces && dependency.section != Section::Peer;
        return is_moved.then(|| format!("asks for {wanted}, and the lockfile holds a folder of the repository"));
    };
    if dependency.section == Section::Peer || reader.overridden.contains(&*dependency.name) {
        return None;
    }
    let package = reader.draft.packages().get(number as usize)?;
    let holds = |what: &str| Some(format!("asks for {wanted}, and the lockfile holds {what}"));
    let entry = reader.tree.entries.get(target as usize);
    let address = entry.and_then(|entry| entry.resolved.or(entry.version));
    match &spec {
        Spec::Range(_) | Spec::Alias(..) if spec.admits(&package.version) == Some(false) => holds(&package.version),
        Spec::Range(_) | Spec::Alias(..) if package.source.kind == SourceKind::Git => holds("a git repository"),
        Spec::Git(_, commit) => match (package.source.kind, commit, &package.source.commit) {
            (SourceKind::Git, Some(commit), Some(locked)) if !commit.eq_ignore_ascii_case(locked) => holds(locked),
            (SourceKind::Git, ..) => None,
            _ => holds(&package.version),
        },
        Spec::Archive(url) => {
            let bare = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
            let is_same = address.is_some_and(|address| bare(address) == bare(url) || git(address).is_some());
            if is_same { None } else { holds(&package.version) }
        }
        _ => None,
    }
}

/// A specifier, cut where it is longer than a message should be.
fn shown(spec: &str) -> String {
    let spec = if spec.is_empty() { "*" } else { spec };
    let mut short: String = spec.chars().take(120).collect();
    if short.len() < spec.len() {
        short.push('…');
    }
    short
}

/// Compares the two halves of a version 2 lockfile: `packages` counts, and `dependencies` is what old tools install.
pub(super) fn halves(paths: &Tree<'_>, nested_half: &Tree<'_>, input: u32, draft: &mut Draft) {
    let mut matched: HashSet<u32> = HashSet::new();
    for (at, entry) in nested_half.entries.iter().enumerate() {
        if entry.version.is_none() && entry.resolved.is_none() {
            // A place kept for an optional package that was not there when the lockfile was made.
            continue;
        }
        let span = Span { input, line: entry.lines.0, end_line: entry.lines.1 };
        let chain: Vec<u32> = nested_half.above(at as u32).collect();
        // The folder of each entry above is where the one above that finds it.
        let mut from = None;
        let mut is_lost = false;
        for above in chain.iter().rev().chain([&(at as u32)]) {
            let name = nested_half.entries.get(*above as usize).map_or("", |entry| entry.name);
            match paths.child(from, name) {
                Some(found) => from = Some(found),
                None => is_lost = true,
            }
        }
        let Some(target) = from.filter(|_| !is_lost) else {
            draft.disagree(entry.name, "is in the lockfile's `dependencies`, and not in its `packages`", span);
            continue;
        };
        matched.insert(target);
        let Some(other) = paths.entries.get(target as usize) else { continue };
        let (name, version, address) = nested(entry);
        let (other_name, other_version) = (other.table.text("name").unwrap_or(other.name), other.version.unwrap_or(""));
        let is_version = super::version::Version::parse(version).is_some();
        if !other.is_link && (name != other_name || is_version && version != other_version) {
            let (one, two) = (format!("{name}@{version}"), format!("{other_name}@{other_version}"));
            let message = format!("is {one} in the lockfile's `dependencies`, and {two} in its `packages`");
            draft.disagree(entry.name, message, span);
            continue;
        }
        // Where a folder or archive in the file system is, each half says in its own way.
        let is_file = |address: &str| address.starts_with("file:");
        if let (Some(one), Some(two)) = (address.as_deref(), other.resolved.filter(|_| !other.is_link))
            && one != two
            && !(is_file(one) && is_file(two))
        {
            draft.disagree(name, "has two addresses in the lockfile's `dependencies` and `packages`", span);
        } else if let (Some(one), Some(two)) = (entry.table.text("integrity"), other.table.text("integrity"))
            && one != two
        {
            draft.disagree(name, "has two checksums in the lockfile's `dependencies` and `packages`", span);
        }
    }
    for (at, entry) in paths.entries.iter().enumerate() {
        let is_counted = entry.is_installed && entry.version.is_some() && !entry.table.is("extraneous");
        if is_counted && !matched.contains(&(at as u32)) && !nested_half.entries.is_empty() {
            let span = Span { input, line: entry.lines.0, end_line: entry.lines.1 };
            draft.disagree(entry.name, "is in the lockfile's `packages`, and not in its `dependencies`", span);
        }
    }
}
