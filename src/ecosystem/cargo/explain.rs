//! Which edge of a local's lock entry belongs to which dependency of its manifest, and what cannot be explained.

use std::collections::{BTreeMap, HashMap, HashSet};

use semver::{Version, VersionReq};

use super::locked::Names;
use super::lockfile::{Locked, Lockfile};
use super::project::Context;
use super::source::{AddressKind, same_repository};
use super::workspace::{Asked, Local};
use crate::model::inventory::{Disagreement, Scope, Scopes, Span};
use crate::model::tree::Unread;

/// The edges of one local.
#[derive(Debug, Default)]
pub(super) struct Explained {
    /// Entries and the scopes in which the manifest asks for them.
    pub edges: Vec<(u32, Scopes)>,
    /// Entries and the dependency that names them, by its place in [`Local::asked`].
    pub named: Vec<(u32, usize)>,
    /// Dependencies of a folder that is no member which this lockfile need not hold, by the same place.
    pub unlocked: Vec<usize>,
}

/// Pairs of a manifest's dependency and a lock entry of its name that are compared for one project.
pub(super) const MAX_COMPARED: u64 = 5_000_000;

/// Explains the edges of entry `at`. What no dependency explains counts as runtime.
///
/// # Errors
/// [`Unread::TooLarge`] where the budget of comparisons is spent.
pub(super) fn explain(
    (lock, input): (&Lockfile<'_>, u32),
    at: usize,
    local: &Local,
    context: &Context<'_>,
    names: &Names<'_>,
    disagreements: &mut Vec<Disagreement>,
    budget: &mut u64,
) -> Result<Explained, Unread> {
    let mut by_name: HashMap<&str, Vec<u32>> = HashMap::new();
    for to in lock.needs(at) {
        if let Some(entry) = lock.packages.get(*to as usize) {
            by_name.entry(&entry.name).or_default().push(*to);
        }
    }
    let mut kinds: BTreeMap<u32, Scopes> = BTreeMap::new();
    let mut mismatched: HashSet<u32> = HashSet::new();
    let mut found = Explained::default();
    for (place, asked) in local.asked.iter().enumerate() {
        let dependency = &asked.dependency;
        // Cargo locks what the tests of members need, and of no others.
        let is_for_others = dependency.scope == Scope::Development && !local.is_member;
        if is_for_others {
            found.unlocked.push(place);
            continue;
        }
        if asked.folder.as_ref() == Some(&local.folder) {
            continue;
        }
        let candidates = by_name.get(dependency.name()).map(Vec::as_slice).unwrap_or_default();
        *budget = budget.checked_sub(candidates.len() as u64).ok_or_else(|| Unread::TooLarge {
            what: "dependencies times locked packages of one name".to_owned(),
            size: MAX_COMPARED + 1,
            cap: MAX_COMPARED,
        })?;
        let entry = |to: &u32| lock.packages.get(*to as usize);
        let matching: Vec<u32> =
            candidates.iter().copied().filter(|to| entry(to).is_some_and(|e| fits(asked, e, names))).collect();
        // Features of a folder that is no member decide whether its optional dependencies are locked.
        if matching.is_empty() && (local.is_member || !dependency.is_optional) {
            let span = Span { input: local.input, line: dependency.line, end_line: dependency.line };
            let message = complaint(local, asked, candidates.iter().filter_map(entry));
            disagreements.push(Disagreement { name: dependency.name().to_owned(), message, span });
            mismatched.extend(candidates);
        }
        if matching.is_empty() && dependency.is_optional && !local.is_member {
            found.unlocked.push(place);
        }
        for to in matching {
            let known = kinds.entry(to).or_default();
            *known = known.with(Scopes::of(dependency.scope));
            found.named.push((to, place));
        }
    }
    for to in lock.needs(at) {
        if kinds.contains_key(to) || *to as usize == at {
            continue;
        }
        kinds.insert(*to, Scopes::of(Scope::Runtime));
        let Some(entry) = lock.packages.get(*to as usize) else {
            continue;
        };
        if context.workspace.is_complete && !mismatched.contains(to) {
            let span = lock.packages.get(at).map_or(Span::default(), |own| Span {
                input,
                line: own.line,
                end_line: own.end_line,
            });
            let message = format!("is locked as a dependency of {}, whose manifest does not ask for it", local.name);
            disagreements.push(Disagreement { name: entry.name.to_string(), message, span });
        }
    }
    found.edges = kinds.into_iter().collect();
    Ok(found)
}

fn complaint<'e>(local: &Local, asked: &Asked, locked: impl Iterator<Item = &'e Locked<'e>>) -> String {
    let name = asked.dependency.name();
    let versions: Vec<String> = locked
        .take(5)
        .map(|entry| match &entry.source {
            Some(source) => format!("{} from {}", entry.version, source.url),
            None => format!("{} from a folder", entry.version),
        })
        .collect();
    let wanted = asked.dependency.requirement.as_deref().unwrap_or("*");
    if versions.is_empty() {
        format!("{} asks for {name} {wanted}, which Cargo.lock does not hold for it", local.name)
    } else {
        format!("{} asks for {name} {wanted}, and Cargo.lock holds {}", local.name, versions.join(", "))
    }
}

/// Whether a lock entry can be what a manifest asks for.
fn fits(asked: &Asked, entry: &Locked<'_>, names: &Names<'_>) -> bool {
    let dependency = &asked.dependency;
    if let Some(requirement) = &dependency.requirement
        && !satisfies(&entry.version, requirement)
    {
        return false;
    }
    // A patch may bring it from anywhere; so may a replacement, which the lockfile itself shows.
    if names.is_patched(&entry.name) {
        return true;
    }
    match (&dependency.git, &dependency.path, &entry.source) {
        (Some(git), _, Some(source)) => source.kind == AddressKind::Git && same_repository(git, &source.url),
        (None, Some(_), source) => source.is_none(),
        (None, None, Some(source)) => source.kind == AddressKind::Registry,
        _ => false,
    }
}

/// Whether a version meets a requirement. A requirement that cannot be read asks for nothing: cargo refuses it.
fn satisfies(version: &str, requirement: &str) -> bool {
    let Ok(requirement) = VersionReq::parse(requirement) else {
        return true;
    };
    Version::parse(version).is_ok_and(|version| requirement.matches(&version))
}
