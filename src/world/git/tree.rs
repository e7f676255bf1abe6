//! The trees of commits and of the index.

use std::cmp::Ordering;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode};
use gix::objs::tree::{EntryKind as GitKind, name_order};
use gix::objs::{Kind, TreeRefIter};

use super::{GitRepo, MAX_STRUCTURE, oid, one_line};
use crate::model::RepoPath;
use crate::model::tree::{Delta, Entry, EntryKind, Oid, Unread};
use crate::world::disk::{MAX_DEPTH, MAX_ENTRIES, MAX_PATH, too_deep, too_long, too_many};
use crate::world::{RevError, Tree, merge};

/// A tree of git's object store.
pub struct GitTree<'r> {
    repo: &'r GitRepo,
    id: ObjectId,
}

/// One name of one tree object.
struct Node {
    name: Vec<u8>,
    kind: GitKind,
    id: ObjectId,
}

impl Node {
    fn is_tree(&self) -> bool {
        self.kind == GitKind::Tree
    }

    fn entry(&self, prefix: &[u8]) -> Result<Option<Entry>, Unread> {
        let kind = match self.kind {
            GitKind::Tree => return Ok(None),
            GitKind::Blob | GitKind::BlobExecutable => EntryKind::File,
            GitKind::Link => EntryKind::Symlink,
            GitKind::Commit => EntryKind::Submodule,
        };
        Ok(Some(Entry { path: RepoPath::from_git(&[prefix, &self.name].concat()), kind, oid: oid(&self.id)? }))
    }
}

impl<'r> GitTree<'r> {
    pub(super) fn new(repo: &'r GitRepo, id: ObjectId) -> Self {
        Self { repo, id }
    }

    /// The entries of one tree object in git's order: by name, folders as if a slash followed theirs. That is also
    /// the order of whole paths.
    fn nodes(&self, id: ObjectId, prefix: &[u8]) -> Result<Vec<Node>, Unread> {
        let name = format!("tree {}", RepoPath::from_git(prefix.strip_suffix(b"/").unwrap_or(prefix)));
        let data = match self.repo.object(id, MAX_STRUCTURE, &name)? {
            Some((Kind::Tree, data)) => data,
            Some((kind, _)) => return Err(Unread::Io(format!("{name}: object {id} is a {kind}, not a tree"))),
            None => return Err(Unread::Io(format!("{name}: {}", self.repo.missing(id)))),
        };
        let malformed = |reason: &str| Unread::Malformed { line: 0, reason: format!("{name} is malformed: {reason}") };
        let mut nodes = Vec::new();
        for entry in TreeRefIter::from_bytes(&data, gix::hash::Kind::Sha1) {
            let entry = entry.map_err(|error| malformed(&one_line(&error.to_string())))?;
            if matches!(entry.filename.as_bytes(), b"" | b"." | b"..") || entry.filename.contains(&b'/') {
                return Err(malformed("a name is no name of a file"));
            }
            nodes.push(Node { name: entry.filename.to_vec(), kind: entry.mode.kind(), id: entry.oid.to_owned() });
        }
        // Git checks what it receives only if told to, so neither order nor uniqueness can be relied on.
        nodes.sort_by(order);
        let twice = nodes.windows(2).any(|pair| matches!(pair, [a, b] if order(a, b).is_eq()));
        let shadowed = |node: &Node| {
            nodes.binary_search_by(|other| name_order(&other.name, other.is_tree(), &node.name, false)).is_ok()
        };
        if twice || nodes.iter().any(|node| node.is_tree() && shadowed(node)) {
            return Err(malformed("a name stands twice"));
        }
        Ok(nodes)
    }

    /// Appends every entry below a folder. `prefix` is the folder's path with a slash, or nothing.
    pub(super) fn walk(&self, id: ObjectId, prefix: &[u8], out: &mut Vec<Entry>) -> Result<(), Unread> {
        let depth = prefix.find_iter("/").count();
        self.each(None, id, prefix, depth, &mut 0, &mut |delta| out.extend(delta.after))
    }

    /// Calls `emit` for every entry that differs. Only one side is given where the other has no such folder, and then
    /// `base` or `head` is the empty tree.
    fn each(
        &self,
        base: Option<ObjectId>,
        head: ObjectId,
        prefix: &[u8],
        depth: usize,
        count: &mut usize,
        emit: &mut dyn FnMut(Delta),
    ) -> Result<(), Unread> {
        if base == Some(head) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let before = base.map(|id| self.nodes(id, prefix)).transpose()?.unwrap_or_default();
        let after = self.nodes(head, prefix)?;
        *count += before.len() + after.len();
        // Twice, because both sides may be full.
        if *count > MAX_ENTRIES * 2 || before.len().max(after.len()) > MAX_ENTRIES {
            return Err(too_many());
        }
        let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let (old, new) = match (before.peek(), after.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => (before.next(), None),
                (None, Some(_)) => (None, after.next()),
                (Some(old), Some(new)) => match order(old, new) {
                    Ordering::Less => (before.next(), None),
                    Ordering::Greater => (None, after.next()),
                    Ordering::Equal => (before.next(), after.next()),
                },
            };
            let Some(node) = old.or(new) else { return Ok(()) };
            let length = prefix.len() + node.name.len();
            if length > MAX_PATH {
                return Err(too_long(length));
            }
            if node.is_tree() {
                let folder = [prefix, &node.name, b"/"].concat();
                let nothing = ObjectId::empty_tree(gix::hash::Kind::Sha1);
                let (old, new) = (old.map(|node| node.id), new.map_or(nothing, |node| node.id));
                self.each(old, new, &folder, depth + 1, count, emit)?;
                continue;
            }
            let entry = |node: Option<&Node>| node.map_or(Ok(None), |node| node.entry(prefix));
            let delta = Delta { before: entry(old)?, after: entry(new)? };
            if delta.before != delta.after {
                emit(delta);
            }
        }
    }
}

impl Tree for GitTree<'_> {
    fn list(&self) -> Result<Vec<Entry>, Unread> {
        let mut entries = Vec::new();
        self.walk(self.id, b"", &mut entries)?;
        if entries.len() > MAX_ENTRIES {
            return Err(too_many());
        }
        sort(&mut entries);
        Ok(entries)
    }

    fn differs(&self, base: &dyn Tree) -> Result<Vec<Delta>, Unread> {
        let Some(base_id) = base.git_tree() else { return Ok(merge(base.list()?, self.list()?)) };
        let mut deltas = Vec::new();
        self.each(Some(ObjectId::Sha1(base_id.0)), self.id, b"", 0, &mut 0, &mut |delta| deltas.push(delta))?;
        // Escapes of names that are not UTF-8 can change the order.
        if !deltas.is_sorted_by(|a, b| a.path() <= b.path()) {
            deltas.sort_by(|a, b| a.path().cmp(&b.path()));
        }
        Ok(deltas)
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread> {
        let (mut id, mut prefix) = (self.id, Vec::new());
        let mut parts = path.parts().take(MAX_DEPTH + 1).peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let nodes = self.nodes(id, &prefix)?;
            let found = nodes
                .iter()
                .find(|node| node.is_tree() != is_last && (node.name == part.as_bytes() || spelled(&node.name, part)));
            let Some(node) = found else { return Ok(None) };
            if is_last {
                return node.entry(&prefix);
            }
            id = node.id;
            prefix.extend_from_slice(&node.name);
            prefix.push(b'/');
        }
        Ok(None)
    }

    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        self.repo.blob(entry, cap)
    }

    fn git_tree(&self) -> Option<Oid> {
        oid(&self.id).ok()
    }
}

/// What is staged.
pub struct IndexTree<'r> {
    repo: &'r GitRepo,
    index: gix::worktree::Index,
}

impl<'r> IndexTree<'r> {
    pub(super) fn new(repo: &'r GitRepo) -> Result<Self, RevError> {
        Ok(Self { repo, index: index(repo)? })
    }
}

impl Tree for IndexTree<'_> {
    fn list(&self) -> Result<Vec<Entry>, Unread> {
        let mut entries = Vec::with_capacity(self.index.entries().len());
        for entry in self.index.entries() {
            let path = entry.path(&self.index);
            if entry.stage_raw() != 0 {
                return Err(conflict(&RepoPath::from_git(path)));
            }
            if entry.mode == Mode::DIR {
                GitTree::new(self.repo, entry.id).walk(entry.id, path, &mut entries)?;
            } else if let Some(kind) = staged_kind(entry) {
                entries.push(Entry { path: RepoPath::from_git(path), kind, oid: oid(&entry.id)? });
            }
            if entries.len() > MAX_ENTRIES {
                return Err(too_many());
            }
        }
        sort(&mut entries);
        Ok(entries)
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread> {
        if self.index.is_sparse() || path.as_str().contains("\\x") {
            return Ok(find(&self.list()?, path));
        }
        let Some(range) = self.index.entry_range(path.as_str().into()) else { return Ok(None) };
        match self.index.entries().get(range) {
            Some([entry]) if entry.stage_raw() == 0 => {
                let Some(kind) = staged_kind(entry) else { return Ok(None) };
                Ok(Some(Entry { path: path.clone(), kind, oid: oid(&entry.id)? }))
            }
            None | Some([]) => Ok(None),
            Some(_) => Err(conflict(path)),
        }
    }

    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        self.repo.blob(entry, cap)
    }
}

/// The index as it is on disk; an empty one where there is none. A bare repository has neither index nor work tree.
pub(super) fn index(repo: &GitRepo) -> Result<gix::worktree::Index, RevError> {
    if repo.repo.workdir().is_none() {
        return Err(RevError::Unknown("this repository is bare: it has no index and no work tree".to_owned()));
    }
    repo.repo
        .index_or_empty()
        .map_err(|error| RevError::Missing(one_line(&format!("the index cannot be read: {error}"))))
}

/// What an entry of the index is; `None` where it is announced only (`git add --intent-to-add`) or a folder.
fn staged_kind(entry: &gix::index::Entry) -> Option<EntryKind> {
    if entry.flags.contains(Flags::INTENT_TO_ADD) { None } else { kind(entry.mode) }
}

/// What an entry of the index is, folders left out.
pub(super) fn kind(mode: Mode) -> Option<EntryKind> {
    match mode {
        Mode::SYMLINK => Some(EntryKind::Symlink),
        Mode::COMMIT => Some(EntryKind::Submodule),
        Mode::DIR => None,
        _ => Some(EntryKind::File),
    }
}

/// Sorts by path. Git's order is that order already, unless names that are not UTF-8 had to be escaped.
pub(super) fn sort(entries: &mut [Entry]) {
    if !entries.is_sorted_by(|a, b| a.path <= b.path) {
        entries.sort();
    }
}

/// The entry at a path of a sorted list.
pub(super) fn find(entries: &[Entry], path: &RepoPath) -> Option<Entry> {
    let at = entries.binary_search_by(|entry| entry.path.cmp(path)).ok()?;
    entries.get(at).cloned()
}

fn conflict(path: &RepoPath) -> Unread {
    Unread::Malformed { line: 0, reason: format!("{path} has unresolved merge conflicts") }
}

/// Whether git's name is spelled like this where it is not UTF-8.
fn spelled(name: &[u8], part: &str) -> bool {
    part.contains("\\x") && RepoPath::from_git(name).as_str() == part
}

fn order(a: &Node, b: &Node) -> Ordering {
    name_order(&a.name, a.is_tree(), &b.name, b.is_tree())
}
