//! The inventory of a project with a lockfile.
//!
//! 1. Every lock entry gets a part: a package, a package of the repository itself (a *local*), or both, where a patch
//!    names a folder of the repository.
//! 2. Every edge of a local is explained by what its manifest asks for, which gives its scopes ([`super::explain`]).
//! 3. Scopes flow along the edges. What nothing reaches is runtime, and so is all it needs.

use std::collections::{HashMap, HashSet};

use super::explain::{Explained, MAX_COMPARED, explain};
use super::lockfile::{Locked, Lockfile};
use super::project::{Context, StandIn};
use super::source::{Address, AddressKind, is_public};
use super::unlocked::{asked_for, problems};
use super::workspace::{Asked, Local};
use crate::model::Ecosystem;
use crate::model::inventory::{
    Disagreement, Identity, Inventory, Package, Project, Root, Scope, Scopes, Source, SourceKind, Span,
};
use crate::model::tree::Unread;

/// The part that a lock entry plays.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Its place among the packages.
    package: Option<u32>,
    /// Its place among the locals.
    local: Option<usize>,
    /// Whether it is the repository's own, with or without a manifest.
    is_root: bool,
}

/// Names → what is known under them.
pub(super) struct Names<'c> {
    /// By name and version, and by name alone.
    locals: HashMap<(&'c str, Option<&'c str>), usize>,
    /// By name and kind of source.
    stand_ins: HashMap<(&'c str, Option<AddressKind>), &'c StandIn>,
    /// Names of all that something stands in for.
    patched: HashSet<&'c str>,
    /// Dependencies by path.
    by_path: HashMap<&'c str, &'c Asked>,
}

impl<'c> Names<'c> {
    fn new(context: &'c Context<'_>) -> Self {
        let mut names = Self {
            locals: HashMap::new(),
            stand_ins: HashMap::new(),
            patched: HashSet::new(),
            by_path: HashMap::new(),
        };
        for (at, local) in context.workspace.locals.iter().enumerate() {
            names.locals.entry((&local.name, Some(&local.version))).or_insert(at);
            names.locals.entry((&local.name, None)).or_insert(at);
            for asked in local.asked.iter().filter(|asked| asked.dependency.path.is_some()) {
                names.by_path.entry(asked.dependency.name()).or_insert(asked);
            }
        }
        for stand_in in &context.stand_ins {
            let with = &stand_in.with;
            let kind = match (&with.git, &with.path) {
                (Some(_), _) => Some(AddressKind::Git),
                (None, Some(_)) => None,
                (None, None) => Some(AddressKind::Registry),
            };
            names.patched.insert(with.name());
            let known = names.stand_ins.entry((with.name(), kind)).or_insert(stand_in);
            if stand_in.is_for_public && !known.is_for_public {
                *known = stand_in;
            }
        }
        names
    }

    /// Whether a patch speaks of packages of that name.
    pub fn is_patched(&self, name: &str) -> bool {
        self.patched.contains(name)
    }

    /// The local that an entry without a source stands for: of that version, or else of that name.
    fn local(&self, entry: &Locked<'_>) -> Option<usize> {
        let exact = self.locals.get(&(entry.name.as_ref(), Some(entry.version.as_ref())));
        exact.or_else(|| self.locals.get(&(entry.name.as_ref(), None))).copied()
    }

    /// What stands in for packages of an entry's name, and is of the entry's kind of source.
    fn stand_in(&self, entry: &Locked<'_>) -> Option<&'c StandIn> {
        let kind = entry.source.as_ref().map(|source| source.kind);
        self.stand_ins.get(&(entry.name.as_ref(), kind)).copied()
    }
}

/// Builds the inventory; its inputs are left to the caller.
///
/// # Errors
/// [`Unread::TooLarge`] where comparing manifests and lockfile passes its bound.
pub(super) fn build(
    project: &Project,
    lock: &Lockfile<'_>,
    input: u32,
    context: &Context<'_>,
) -> Result<Inventory, Unread> {
    let names = Names::new(context);
    let mut disagreements = problems(context);
    let mut packages = Vec::with_capacity(lock.packages.len());
    let replacing: HashSet<u32> = lock.packages.iter().filter_map(|entry| entry.replaced_by).collect();
    let mut parts = Vec::with_capacity(lock.packages.len());
    for (at, entry) in lock.packages.iter().enumerate() {
        let replaces = replacing.contains(&(at as u32));
        parts.push(cast(entry, input, replaces, context, &names, &mut packages, &mut disagreements));
    }
    let mut explained: Vec<Option<Explained>> = Vec::with_capacity(parts.len());
    let mut budget = MAX_COMPARED;
    for (at, part) in parts.iter().enumerate() {
        let local = part.local.and_then(|n| context.workspace.locals.get(n));
        let edges = local.map(|l| explain((lock, input), at, l, context, &names, &mut disagreements, &mut budget));
        explained.push(edges.transpose()?);
    }
    unlocked_members(lock, input, context, &parts, &mut disagreements);
    let scopes = flow(lock, &parts, &explained, context);
    let mut inventory = Inventory {
        project: project.clone(),
        inputs: Vec::new(),
        packages,
        edges: Vec::new(),
        first_edge: Vec::new(),
        roots: Vec::new(),
        disagreements,
    };
    connect(&mut inventory, lock, &parts, &scopes);
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| part.is_root) {
        let explained = explained.get(at).and_then(Option::as_ref);
        name_direct(&mut inventory, (lock, input), at, part, &parts, explained, context);
    }
    for (local, asked) in parts.iter().zip(&explained).filter_map(|(part, explained)| {
        let local = part.local.and_then(|n| context.workspace.locals.get(n))?;
        Some((local, explained.as_ref()?))
    }) {
        ask_unlocked(&mut inventory, local, &asked.unlocked, context);
    }
    Ok(inventory)
}

/// Decides the part of one entry, and adds its package where it is one.
fn cast(
    entry: &Locked<'_>,
    input: u32,
    replaces: bool,
    context: &Context<'_>,
    names: &Names<'_>,
    packages: &mut Vec<Package>,
    disagreements: &mut Vec<Disagreement>,
) -> Part {
    let stand_in = names.stand_in(entry);
    let is_named = replaces || stand_in.is_some_and(|stand| stand.is_for_public);
    let mut part = Part::default();
    let (source, identity) = match &entry.source {
        Some(address) => {
            let source = source_of(address, context.mirrors);
            let identity = match source.kind {
                SourceKind::Public => Identity::Public,
                _ if is_named => Identity::StandsIn,
                _ => Identity::Foreign,
            };
            (source, identity)
        }
        None => {
            part.local = names.local(entry);
            let local = part.local.and_then(|at| context.workspace.locals.get(at));
            let address = if let Some(stand) = stand_in {
                // A patch to a folder of the repository is a package, and reviewed as one; a member stays a member.
                part.is_root = local.is_some_and(|local| local.is_member);
                let folder = local.map(|local| &local.folder).or(stand.folder.as_ref());
                folder.map(ToString::to_string).or_else(|| stand.with.path.as_deref().map(str::to_owned))
            } else if local.is_some() {
                part.is_root = true;
                return part;
            } else {
                names
                    .by_path
                    .get(entry.name.as_ref())
                    .and_then(|asked| asked.dependency.path.as_deref().map(str::to_owned))
            };
            let Some(address) = address.or(replaces.then(|| "(unknown)".to_owned())) else {
                part.is_root = true;
                if context.workspace.is_complete {
                    disagreements.push(Disagreement {
                        name: entry.name.to_string(),
                        message: "is locked as a package of this repository, and no manifest names it".to_owned(),
                        span: Span { input, line: entry.line, end_line: entry.end_line },
                    });
                }
                return part;
            };
            let source = Source { kind: SourceKind::Path, address: address.into(), commit: None };
            (source, if is_named { Identity::StandsIn } else { Identity::Foreign })
        }
    };
    part.package = Some(packages.len() as u32);
    packages.push(package(entry, input, source, identity));
    part
}

fn source_of(address: &Address<'_>, mirrors: &[String]) -> Source {
    let kind = match address.kind {
        AddressKind::Git => SourceKind::Git,
        AddressKind::Registry if is_public(&address.url, mirrors) => SourceKind::Public,
        AddressKind::Registry => SourceKind::Registry,
    };
    Source { kind, address: address.url.as_ref().into(), commit: address.commit.as_deref().map(Into::into) }
}

fn package(entry: &Locked<'_>, input: u32, source: Source, identity: Identity) -> Package {
    let commit = entry.source.as_ref().and_then(Address::full_commit);
    let checksum = match (&entry.checksum, commit) {
        (Some(sum), _) => Some(format!("sha256:{sum}")),
        (None, Some(commit)) => Some(format!("gitCommit:{commit}")),
        (None, None) => None,
    };
    let span = Span { input, line: entry.line, end_line: entry.end_line };
    Package {
        source,
        checksum: checksum.map(String::into_boxed_str),
        identity,
        ..Package::new(Ecosystem::Cargo, &entry.name, &entry.version, span)
    }
}

/// Members that the lockfile does not hold, or holds at another version.
fn unlocked_members(
    lock: &Lockfile<'_>,
    input: u32,
    context: &Context<'_>,
    parts: &[Part],
    disagreements: &mut Vec<Disagreement>,
) {
    let mut locked: HashMap<usize, &Locked<'_>> = HashMap::new();
    for (entry, part) in lock.packages.iter().zip(parts) {
        if let Some(local) = part.local {
            locked.insert(local, entry);
        }
    }
    for (at, local) in context.workspace.locals.iter().enumerate().filter(|(_, local)| local.is_member) {
        let (message, span) = match locked.get(&at) {
            None => (
                "is a member that Cargo.lock does not hold".to_owned(),
                Span { input: local.input, line: 0, end_line: 0 },
            ),
            Some(entry) if *entry.version != *local.version => (
                format!("is locked at version {}, and its manifest says {}", entry.version, local.version),
                Span { input, line: entry.line, end_line: entry.end_line },
            ),
            Some(_) => continue,
        };
        disagreements.push(Disagreement { name: local.name.to_string(), message, span });
    }
}

/// The scopes in which each entry is reached.
fn flow(lock: &Lockfile<'_>, parts: &[Part], explained: &[Option<Explained>], context: &Context<'_>) -> Vec<Scopes> {
    let mut scopes = vec![Scopes::default(); lock.packages.len()];
    let mut work: Vec<(u32, Scope)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let local = part.local.and_then(|n| context.workspace.locals.get(n));
        match explained.get(at).and_then(Option::as_ref) {
            // What a folder that is no member needs counts as what reaches the folder.
            Some(_) if local.is_some_and(|local| !local.is_member) => {}
            Some(explained) => {
                work.extend(explained.edges.iter().flat_map(|(to, kinds)| kinds.iter().map(|kind| (*to, kind))));
            }
            None if part.is_root => work.extend(lock.needs(at).iter().map(|to| (*to, Scope::Runtime))),
            None => {}
        }
    }
    spread(lock, explained, &mut scopes, work);
    let is_unreached = |at: usize| scopes.get(at).is_some_and(|known| known.is_empty());
    let is_member = |part: &Part| {
        part.is_root && part.local.and_then(|n| context.workspace.locals.get(n)).is_none_or(|local| local.is_member)
    };
    let rest = parts.iter().enumerate().filter(|(at, part)| is_unreached(*at) && !is_member(part));
    let rest: Vec<(u32, Scope)> = rest.map(|(at, _)| (at as u32, Scope::Runtime)).collect();
    spread(lock, explained, &mut scopes, rest);
    scopes
}

/// Carries scopes along the edges. Each entry is visited once per scope.
fn spread(lock: &Lockfile<'_>, explained: &[Option<Explained>], scopes: &mut [Scopes], mut work: Vec<(u32, Scope)>) {
    while let Some((at, scope)) = work.pop() {
        match scopes.get_mut(at as usize) {
            Some(known) if !known.contains(Scopes::of(scope)) => *known = known.with(Scopes::of(scope)),
            _ => continue,
        }
        match explained.get(at as usize).and_then(Option::as_ref) {
            Some(explained) => {
                for (to, kinds) in &explained.edges {
                    // Nobody who uses a package runs its tests; what builds it is not shipped with it.
                    let carried = kinds.iter().filter(|kind| *kind != Scope::Development);
                    work.extend(carried.map(|kind| (*to, scope.min(kind))));
                }
            }
            None => work.extend(lock.needs(at as usize).iter().map(|to| (*to, scope))),
        }
    }
}

/// Writes scopes into the packages, and the edges between them.
fn connect(inventory: &mut Inventory, lock: &Lockfile<'_>, parts: &[Part], scopes: &[Scopes]) {
    for (at, part) in parts.iter().enumerate() {
        let Some(package) = part.package.and_then(|n| inventory.packages.get_mut(n as usize)) else {
            continue;
        };
        let found = scopes.get(at).copied().unwrap_or_default();
        package.scopes = if found.is_empty() { Scopes::of(Scope::Runtime) } else { found };
        inventory.first_edge.push(inventory.edges.len() as u32);
        let needs = lock.needs(at).iter().filter_map(|to| parts.get(*to as usize).and_then(|part| part.package));
        inventory.edges.extend(needs);
    }
    inventory.first_edge.push(inventory.edges.len() as u32);
}

/// Adds what the manifest of a folder that is no member asks for and this lockfile does not hold: whoever builds or
/// tests that folder by itself gets it, at whatever version there is by then.
fn ask_unlocked(inventory: &mut Inventory, local: &Local, places: &[usize], context: &Context<'_>) {
    let end = inventory.edges.len() as u32;
    for asked in places.iter().filter_map(|place| local.asked.get(*place)).filter(|asked| asked.folder.is_none()) {
        inventory.packages.push(asked_for(local, asked, context));
        inventory.first_edge.push(end);
    }
}

/// Notes what one of the repository's own packages asks for.
fn name_direct(
    inventory: &mut Inventory,
    (lock, lock_input): (&Lockfile<'_>, u32),
    at: usize,
    part: &Part,
    parts: &[Part],
    explained: Option<&Explained>,
    context: &Context<'_>,
) {
    let Some(entry) = lock.packages.get(at) else { return };
    let package_of = |to: &u32| parts.get(*to as usize).and_then(|part| part.package);
    let needs: Vec<u32> = lock.needs(at).iter().filter_map(package_of).collect();
    for need in &needs {
        if let Some(package) = inventory.packages.get_mut(*need as usize) {
            package.direct = true;
        }
    }
    let local = part.local.and_then(|n| context.workspace.locals.get(n));
    inventory.roots.push(Root {
        label: format!("{}@{}", entry.name, entry.version),
        name: entry.name.clone().into(),
        version: entry.version.clone().into(),
        folder: local.map_or_else(|| inventory.project.path.clone(), |local| local.folder.clone()),
        span: Span { input: lock_input, line: entry.line, end_line: entry.end_line },
        needs,
    });
    let (Some(explained), Some(local)) = (explained, local) else {
        return;
    };
    for (to, asked) in &explained.named {
        let Some(package) = package_of(to).and_then(|n| inventory.packages.get_mut(n as usize)) else {
            continue;
        };
        let Some(asked) = local.asked.get(*asked) else { continue };
        let line = asked.dependency.line;
        package.declared.get_or_insert(Span { input: local.input, line, end_line: line });
        if asked.dependency.package.is_some() && package.alias.is_none() {
            package.alias = Some(asked.dependency.key.clone());
            // Code that says one name and gets another from elsewhere: the name it gets is still looked up.
            if package.identity == Identity::Foreign {
                package.identity = Identity::StandsIn;
            }
        }
    }
}
