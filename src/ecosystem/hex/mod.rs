//! Hex: `mix.lock` of Elixir's Mix.
//!
//! `mix.exs` is a program. It is not run, and only the literal tuples of its `deps` are read, to say what the lockfile
//! lacks: nobody can tell which packages the project itself asks for, nor for what, so that what no other package needs
//! is direct, and every package is runtime. A package that the lockfile needs and does not hold is no contradiction: a
//! dependency in a folder is not locked.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use self::term::{Node, Term};
use super::draft::Draft;
use super::go::version::Version;
use super::syntax::malformed;
use super::{FileKind, Files, Format, Rules, View};
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Inventory, Package, Project, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

mod program;
mod term;

#[cfg(test)]
mod tests;

const LOCKFILE: &str = "mix.lock";
const MANIFEST: &str = "mix.exs";

/// The name that a lockfile gives the public repository.
const PUBLIC: &str = "hexpm";

/// Hex's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Hex;

impl Rules for Hex {
    /// Lower case: the registry has no other, and some advisories do.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(name.to_ascii_lowercase());
        }
        Cow::Borrowed(name)
    }

    /// A lower-case letter, then lower-case letters, digits and `_`.
    fn is_name(&self, name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }

    /// Elixir's `Version`: semantic versioning's precedence. Bounds of advisories may lack their last numbers.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (version(a)?, version(b)?);
        Some(a.cmp_precedence(&b))
    }
}

fn version(text: &str) -> Option<Version<'_>> {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let is_strict = !text.starts_with('v') && core.bytes().filter(|byte| *byte == b'.').count() <= 2;
    Version::parse(text).filter(|_| is_strict)
}

impl Format for Hex {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Hex
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::manifest(
                    MANIFEST,
                    "literal tuples of `deps`, as it is a program. Needs a mix.lock, of its own or of its umbrella",
                ),
                FileKind::lockfile(LOCKFILE, "entries of hex with 3 to 8 parts, git, path"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[MANIFEST, LOCKFILE]
    }

    /// Every lockfile, and every `mix.exs` without one: members of an umbrella share the lockfile of its root.
    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let folders = |name: &str| -> HashSet<RepoPath> { files.named(name).iter().map(RepoPath::parent).collect() };
        let (locked, programs) = (folders(LOCKFILE), folders(MANIFEST));
        let is_owner = |folder: &RepoPath| locked.contains(folder) || programs.contains(folder);
        let mut found = BTreeMap::new();
        for folder in locked.iter().chain(&programs) {
            if is_fetched(folder, &is_owner) || (!locked.contains(folder) && is_app(folder, &locked)) {
                continue;
            }
            let at =
                |name: &str, known: &HashSet<RepoPath>| if known.contains(folder) { folder.join(name) } else { None };
            let (manifest, lockfile) = (at(MANIFEST, &programs), at(LOCKFILE, &locked));
            let project = Project { path: folder.clone(), ecosystem: Ecosystem::Hex, manifest, lockfile };
            found.insert(folder.clone(), project);
        }
        Ok(found.into_values().collect())
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let fail = |path: &RepoPath, error| (path.clone(), error);
        let folder = project.path.join("apps");
        let mut apps = view.named(MANIFEST);
        // An app with a lockfile of its own is a project of its own.
        let owners: HashSet<RepoPath> = view.named(LOCKFILE).iter().map(RepoPath::parent).collect();
        apps.retain(|path| Some(path.parent().parent()) == folder && !owners.contains(&path.parent()));
        let mut asked = Vec::new();
        for path in project.manifest.iter().chain(&apps) {
            if let Some((bytes, input)) = view.read(path).map_err(|error| fail(path, error))? {
                let found = program::read(&bytes).map_err(|error| fail(path, error))?;
                asked.extend(found.into_iter().map(|asked| (asked, path.parent(), input)));
            }
        }
        let Some(path) = &project.lockfile else {
            let path = project.manifest.clone().unwrap_or_else(|| project.path.clone());
            let reason = "mix.exs is a program, and there is no mix.lock to say what it asks for";
            return Err((path, Unread::Unsupported(reason.to_owned())));
        };
        let found = view.read(path).map_err(|error| (path.clone(), error))?;
        let missing = || (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned()));
        let (bytes, input) = found.ok_or_else(missing)?;
        let mut draft = Draft::new();
        let entries = term::read(&bytes).map_err(|error| (path.clone(), error))?;
        fill(&entries, input, &mut draft).map_err(|error| (path.clone(), error))?;
        let kinds: HashMap<&str, &str> = entries
            .iter()
            .map(|(key, node)| (&**key, parts(node).first().and_then(Node::text).unwrap_or_default()))
            .collect();
        for (asked, folder, input) in &asked {
            compare(asked, kinds.get(&*asked.name).copied(), folder, *input, &mut draft);
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Whether a folder lies in the `deps` folder of a project, where Mix puts what it fetches, or below `node_modules`.
fn is_fetched(folder: &RepoPath, is_owner: &dyn Fn(&RepoPath) -> bool) -> bool {
    let mut at = folder.clone();
    while !at.is_root() {
        let parent = at.parent();
        if at.file_name() == "node_modules" || (at.file_name() == "deps" && is_owner(&parent)) {
            return true;
        }
        at = parent;
    }
    false
}

/// Whether a folder is that of an app in an umbrella with a lockfile.
fn is_app(folder: &RepoPath, locked: &HashSet<RepoPath>) -> bool {
    let apps = folder.parent();
    !folder.is_root() && apps.file_name() == "apps" && locked.contains(&apps.parent())
}

/// Says where the lockfile does not hold what a program asks for in so many words, `kind` being what it holds.
fn compare(asked: &program::Asked, kind: Option<&str>, folder: &RepoPath, input: u32, draft: &mut Draft) {
    let span = Span { input, line: asked.line, end_line: asked.line };
    match (&asked.from, kind) {
        (program::From::Hex | program::From::Git, None) => {
            draft.disagree(&asked.name, "is asked for, and the lockfile does not hold it", span);
        }
        (program::From::Git, Some("hex")) => {
            draft.disagree(&asked.name, "is asked for from git, and the lockfile holds it from hex", span);
        }
        (program::From::Path(_), Some("hex")) => {
            draft.disagree(&asked.name, "is asked for from a folder, and the lockfile holds it from hex", span);
        }
        _ => {}
    }
    if let program::From::Path(Some(path)) = &asked.from
        && folder.join(path).is_none()
    {
        draft.package(Package {
            source: Source::path(path),
            identity: Identity::Foreign,
            is_locked: false,
            direct: true,
            declared: Some(span),
            ..Package::new(Ecosystem::Hex, &asked.name, "*", span)
        });
    }
}

/// The packages of a lockfile and what they need.
fn fill(entries: &[(String, Node)], input: u32, draft: &mut Draft) -> Result<(), Unread> {
    let mut places: HashMap<&str, u32> = HashMap::new();
    for (key, node) in entries {
        if let Some((message, span)) = other_commit(node, input) {
            draft.disagree(key, message, span);
        }
        places.insert(key, draft.package(package(key, node, input)?));
    }
    let mut needed = HashSet::new();
    for (key, node) in entries {
        let Some(from) = places.get(&**key) else { continue };
        for dependency in parts(node).get(5).into_iter().flat_map(Node::list) {
            let name = parts(dependency).first().and_then(Node::text).unwrap_or_default();
            if let Some(to) = places.get(name) {
                draft.edge(*from, *to);
                if from != to {
                    needed.insert(*to);
                }
            }
        }
    }
    for package in places.into_values().filter(|package| !needed.contains(package)) {
        if let Some(package) = draft.get_mut(package) {
            package.direct = true;
        }
    }
    Ok(())
}

fn parts(node: &Node) -> &[Node] {
    match &node.term {
        Term::Tuple(parts) => parts,
        _ => &[],
    }
}

/// What a git entry says against itself: options that ask for one commit, and another that is locked.
fn other_commit(node: &Node, input: u32) -> Option<(String, Span)> {
    let [kind, _, commit, options] = parts(node) else { return None };
    let (asked, locked) = (options.keyword("ref")?, commit.text()?);
    let differs = kind.text() == Some("git") && of_commit(asked).is_some() && !asked.eq_ignore_ascii_case(locked);
    let span = Span { input, line: node.line, end_line: node.line };
    differs.then(|| (format!("asks for commit {asked}, and the lockfile holds {locked}"), span))
}

/// One entry. The last of the two digests of a package is that of its archive; the other one is of what is in it, and
/// is no checksum here: an entry that loses its outer digest is weaker.
fn package(key: &str, node: &Node, input: u32) -> Result<Package, Unread> {
    let span = Span { input, line: node.line, end_line: node.line };
    let parts = parts(node);
    let text = |at: usize| {
        let part = parts.get(at).and_then(Node::text);
        part.ok_or_else(|| malformed(node.line, format!("part {} of the entry is no text", at + 1)))
    };
    match (text(0)?, parts.len()) {
        ("hex", 3..=8) => {
            let (name, version) = (text(1)?, text(2)?);
            let normal = Hex.normalise(name);
            let source = match parts.get(6).map(|_| text(6)).transpose()? {
                None | Some(PUBLIC) => Source::public(),
                Some(repository) => Source::registry(repository),
            };
            Ok(Package {
                alias: (key != &*normal).then(|| key.into()),
                source,
                checksum: parts.get(7).and_then(Node::text).and_then(|hex| of_hex("sha256", hex)),
                ..Package::new(Ecosystem::Hex, &normal, version, span)
            })
        }
        ("git", 3..) => {
            let commit = text(2)?;
            Ok(Package {
                source: Source::git(text(1)?, Some(commit)),
                identity: Identity::Foreign,
                checksum: of_commit(commit),
                ..Package::new(Ecosystem::Hex, key, commit, span)
            })
        }
        ("path", 2..) => Ok(Package {
            source: Source::path(text(1)?),
            identity: Identity::Foreign,
            is_locked: false,
            ..Package::new(Ecosystem::Hex, key, "*", span)
        }),
        (kind, count) => {
            let shown: String = kind.chars().take(40).flat_map(char::escape_debug).collect();
            Err(Unread::Unsupported(format!("line {}: an entry of {shown} with {count} parts", node.line)))
        }
    }
}
