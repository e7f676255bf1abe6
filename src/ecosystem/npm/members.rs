//! The project's own packages: the manifest beside a lockfile, and those of the workspace that it speaks for. What the
//! readers of lockfiles share.

use std::collections::{BTreeMap, HashMap};

use super::manifest::{self, Manifest};
use super::source::{Resolved, Spec, name_and_range, resolved};
use super::workspace::{MANIFEST, manifests, members};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::yaml::Node;
use crate::ecosystem::{Numbered, View};
use crate::model::inventory::{Identity, Package, Project, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// Characters of an integrity that a message shows, at the most: two digests and more.
const MAX_INTEGRITY: usize = 300;

/// Why a file could not be read, and which.
pub(super) type Failure = (RepoPath, Unread);

/// Entries of a lockfile, and dependencies of them, at the most.
pub(super) const MAX_PARTS: usize = 2_000_000;

/// Entries that one dependency is taken for, where it cannot be told which it is, at the most.
pub(super) const MAX_AMBIGUOUS: usize = 4;

/// Overrides of one name that are tried, at the most.
const MAX_FORCED: usize = 64;

/// A manifest of the project.
#[derive(Debug)]
pub(super) struct Member {
    pub folder: RepoPath,
    pub manifest: Manifest,
    pub input: u32,
}

/// What the root's manifest forces upon a dependency.
#[derive(Debug)]
pub(super) struct Forced<'m> {
    /// The package that must ask, where only one is meant.
    pub parent: Option<&'m str>,
    /// The range that must be asked for, where only one is meant.
    pub range: Option<&'m str>,
    /// What it gets.
    pub with: &'m str,
}

/// The manifests of a project: the root's first, where there is one.
#[derive(Debug, Default)]
pub(super) struct Members(pub Vec<Member>);

impl Members {
    /// Members by name.
    pub(super) fn names(&self) -> HashMap<&str, &Member> {
        let named = self.0.iter().filter(|member| !member.manifest.name.is_empty());
        named.map(|member| (&*member.manifest.name, member)).collect()
    }

    /// What the root's manifest forces, by the name that it is forced upon.
    pub(super) fn forced(&self) -> HashMap<&str, Vec<Forced<'_>>> {
        let mut found: HashMap<&str, Vec<Forced<'_>>> = HashMap::new();
        for each in self.0.first().into_iter().flat_map(|root| &root.manifest.overrides) {
            let (parent, range) = conditions(&each.selector, &each.name);
            let known = found.entry(&*each.name).or_default();
            if known.len() < MAX_FORCED {
                known.push(Forced { parent, range, with: &each.spec });
            }
        }
        found
    }
}

/// The parent and the range in the selector of an override: `parent@range/name@range`, `parent>name`, `**/name`.
pub(super) fn conditions<'s>(selector: &'s str, name: &str) -> (Option<&'s str>, Option<&'s str>) {
    let at = selector.rfind(name).unwrap_or(0);
    let range = selector.get(at + name.len()..).and_then(|rest| rest.strip_prefix('@'));
    let before = selector.get(..at).unwrap_or_default().trim_end_matches(['/', '>', ' ']);
    let mut parts = before.rsplit(['/', '>']);
    let last = parts.next().unwrap_or_default();
    let scope = parts.next().filter(|scope| scope.starts_with('@'));
    let parent = scope.and_then(|scope| before.get(before.len().checked_sub(scope.len() + 1 + last.len())?..));
    let parent = name_and_range(parent.unwrap_or(last)).0.trim();
    (Some(parent).filter(|parent| !parent.is_empty() && *parent != "**"), range.filter(|range| !range.is_empty()))
}

/// Reads the manifest of a project's folder, and those of the workspace that it declares.
pub(super) fn workspace(project: &Project, view: &mut View<'_>) -> Result<Members, Failure> {
    let Some(root) = member(&project.path, view)? else { return Ok(Members::default()) };
    let globs: Vec<&str> = root.manifest.workspaces.iter().flatten().map(|(glob, _)| &**glob).collect();
    let folders = if globs.is_empty() {
        Ok(std::collections::BTreeSet::new())
    } else {
        members(&globs, &project.path, &manifests(view.files()))
    };
    let folders = folders.map_err(|error| (project.manifest.clone().unwrap_or_else(RepoPath::root), error))?;
    let mut all = vec![root];
    for folder in folders {
        all.extend(member(&folder, view)?);
    }
    Ok(Members(all))
}

/// Reads the manifest of a folder; `None` where there is none.
pub(super) fn member(folder: &RepoPath, view: &mut View<'_>) -> Result<Option<Member>, Failure> {
    let Some(path) = folder.join(MANIFEST) else { return Ok(None) };
    let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else { return Ok(None) };
    let manifest = manifest::parse(&bytes).map_err(|error| (path, error))?;
    Ok(Some(Member { folder: folder.clone(), manifest, input }))
}

/// The bytes of a project's lockfile and its number.
pub(super) fn lockfile(project: &Project, view: &mut View<'_>) -> Result<(Numbered, RepoPath), Failure> {
    let path = project.lockfile.clone().unwrap_or_else(|| project.path.clone());
    match view.read(&path) {
        Ok(Some(found)) => Ok((found, path)),
        Ok(None) => Err((path, Unread::NotAFile("the lockfile is not there".to_owned()))),
        Err(error) => Err((path, error)),
    }
}

/// Notes under which name a manifest knows a package, where that is not its own.
pub(super) fn name_direct(draft: &mut Draft, package: u32, name: &str) {
    if let Some(package) = draft.get_mut(package)
        && *package.name != *name
        && package.alias.is_none()
    {
        package.alias = Some(name.into());
    }
}

/// A folder or archive of the file system that a manifest asks for, and that the lockfile has no entry of.
pub(super) fn linked(name: &str, spec: &str, span: Span) -> Option<Package> {
    let Spec::Path(path) = Spec::of(spec) else { return None };
    let package = Package::new(Ecosystem::Npm, name, spec, span);
    Some(Package { source: Source::path(path), identity: Identity::Foreign, is_locked: false, ..package })
}

/// A folder of the repository in the place of a package that is asked for as the registry's; `0.0.0` where the folder's
/// version says nothing.
pub(super) fn standing_in(name: &str, version: Option<&str>, folder: &RepoPath, span: Span) -> Package {
    let version = version.filter(|version| !version.is_empty()).unwrap_or("0.0.0");
    let package = Package::new(Ecosystem::Npm, name, version, span);
    Package { source: Source::path(&folder.to_string()), identity: Identity::StandsIn, ..package }
}

/// Complains of a `packageManager` that is fetched from an address: it is code that runs before anything else.
pub(super) fn tool(manifest: &Manifest, input: u32, draft: &mut Draft) {
    let said = manifest.package_manager.as_deref().unwrap_or_default();
    if let Some((_, address)) = said.split_once('@').filter(|(_, rest)| rest.contains("://")) {
        draft.disagree("packageManager", format!("runs the package manager from {}", shown(address)), at(input, 1));
    }
}

/// One line of an input.
pub(super) const fn at(input: u32, line: u32) -> Span {
    Span { input, line, end_line: line }
}

/// A text of a file as messages show it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// What a manifest asks for, and what is there of that name instead.
pub(super) fn complaint<'v>(spec: &str, versions: impl Iterator<Item = &'v str>) -> String {
    let mut versions: Vec<&str> = versions.take(64).collect();
    versions.sort_unstable();
    versions.dedup();
    versions.truncate(5);
    match &*versions {
        [] => format!("asks for {}, which the lockfile does not hold", shown(spec)),
        _ => format!("asks for {}, and the lockfile holds {}", shown(spec), shown(&versions.join(", "))),
    }
}

/// Without a manifest, what no other package needs is what the project asks for.
pub(super) fn without_manifest(draft: &mut Draft, needed: &std::collections::HashSet<u32>) {
    for package in 0..draft.packages().len() as u32 {
        if !needed.contains(&package)
            && let Some(package) = draft.get_mut(package)
        {
            package.direct = true;
        }
    }
}

/// Counts parts of a lockfile.
pub(super) fn count(parts: &mut usize, more: usize) -> Result<(), Unread> {
    *parts += more;
    if *parts > MAX_PARTS {
        let what = "the number of entries and their dependencies".to_owned();
        return Err(Unread::TooLarge { what, size: *parts as u64, cap: MAX_PARTS as u64 });
    }
    Ok(())
}

/// `catalog` and `catalogs` of a configuration in YAML: by name, each from names to ranges. The default one is called
/// `default`.
pub(super) fn catalogs(root: &Node<'_>) -> BTreeMap<String, BTreeMap<String, String>> {
    let pairs = |node: &Node<'_>| -> BTreeMap<String, String> {
        let pairs = node.members().iter().filter_map(|each| Some((each.key.to_string(), each.node.text()?.to_owned())));
        pairs.collect()
    };
    let mut found = BTreeMap::new();
    found.extend(root.get("catalog").map(|catalog| ("default".to_owned(), pairs(catalog))));
    for each in root.get("catalogs").map(Node::members).unwrap_or_default() {
        found.insert(each.key.to_string(), pairs(&each.node));
    }
    found
}

/// Refuses merge keys (`<<`, and the empty key, which a tag makes one): pnpm reads what they bring as if it stood there.
pub(super) fn unmerged(root: &Node<'_>) -> Result<(), Unread> {
    let mut work = vec![root];
    while let Some(node) = work.pop() {
        work.extend(node.items());
        for member in node.members() {
            if matches!(&*member.key, "<<" | "") {
                return Err(malformed(member.line, "a merge key (`<<`), which hides what it brings"));
            }
            work.push(&member.node);
        }
    }
    Ok(())
}

/// The line of the last value within a value.
pub(super) fn last_line(node: &Node<'_>) -> u32 {
    node.members().last().map(|member| &member.node).or_else(|| node.items().last()).map_or(node.line, last_line)
}

/// The digest of an integrity text, and what is wrong where it fixes no single one: what a tool would take then, or
/// whether it would look at all, is not told.
pub(super) fn digest(text: Option<&str>) -> (Option<Box<str>>, Option<String>) {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let found = text.and_then(checksum::of_integrity);
    let wrong = text.filter(|_| found.is_none()).map(|text| {
        let shown: String = text.chars().take(MAX_INTEGRITY).flat_map(char::escape_debug).collect();
        format!("carries an integrity that is not one digest: `{shown}`")
    });
    (found, wrong)
}

/// What a manifest asks for, and what the lockfile says that it does.
pub(super) fn made_for(asked: &str, held: &str) -> String {
    format!("asks for {}, and the lockfile was made for {}", shown(asked), shown(held))
}

/// Reads the address of a package that is asked for by that address, and not by its name: even a registry's address is
/// no word on what the name stands for then.
pub(super) fn addressed(address: &str, name: &str, version: &str) -> Resolved {
    let mut found = resolved(address, name, version);
    if found.identity == Identity::Public {
        found.source = Source::registry(address.split_once('#').map_or(address, |(bare, _)| bare));
        found.identity = Identity::Foreign;
    }
    found.contradiction = None;
    found
}
