//! Trees and repositories that are maps in memory: for tests, fuzzing and what is no repository at all.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Repo, Rev, RevError, Tree, disk};
use crate::model::RepoPath;
use crate::model::tree::{Entry, EntryKind, Oid, Unread};

/// Files by their path.
pub type Files = BTreeMap<RepoPath, Vec<u8>>;

/// A tree of files in memory. A file's id is the start of the SHA-256 of its bytes, which is not the id git gives.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<RepoPath, Item>,
}

/// What stands at a path: a file's bytes, a link's target, or the name of a submodule's commit.
type Item = (EntryKind, Oid, Arc<[u8]>);

impl MemoryTree {
    /// A tree of these files.
    #[must_use]
    pub fn new(files: Files) -> Self {
        let mut tree = Self::default();
        for (path, bytes) in files {
            tree.put(path, EntryKind::File, bytes);
        }
        tree
    }

    /// Puts a file, a symbolic link (`bytes` is its target) or a submodule (`bytes` names its commit) at a path.
    pub fn put(&mut self, path: RepoPath, kind: EntryKind, bytes: Vec<u8>) {
        self.files.insert(path, (kind, id(&bytes), Arc::from(bytes)));
    }
}

impl From<Files> for MemoryTree {
    fn from(files: Files) -> Self {
        Self::new(files)
    }
}

impl Tree for MemoryTree {
    fn list(&self) -> Result<Vec<Entry>, Unread> {
        let entry = |(path, (kind, oid, _)): (&RepoPath, &Item)| Entry { path: path.clone(), kind: *kind, oid: *oid };
        Ok(self.files.iter().map(entry).collect())
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread> {
        let item = self.files.get(path);
        Ok(item.map(|(kind, oid, _)| Entry { path: path.clone(), kind: *kind, oid: *oid }))
    }

    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        disk::refuse_kind(entry)?;
        match self.files.get(&entry.path) {
            Some((.., bytes)) if bytes.len() as u64 > cap => {
                Err(disk::too_large(entry.path.as_str(), bytes.len() as u64, cap))
            }
            Some((_, oid, bytes)) if *oid == entry.oid => {
                disk::refuse_pointer(entry.path.as_str(), bytes)?;
                Ok(Arc::clone(bytes))
            }
            _ => Err(Unread::Io(format!("{}: there is no such file with the id {}", entry.path, entry.oid))),
        }
    }
}

/// Revisions by name, each with its time and its files.
#[derive(Debug, Clone, Default)]
pub struct MemoryRepo {
    revisions: HashMap<String, (Oid, i64, MemoryTree)>,
    /// Every commit after the first one, and the one before it.
    parents: HashMap<Oid, Oid>,
    /// The name of the protected branch's tip.
    protected: Option<String>,
}

impl MemoryRepo {
    /// A repository of two commits, `base` and its child `head`.
    #[must_use]
    pub fn new(base: Files, head: Files) -> Self {
        let mut repo = Self::default();
        repo.commit("base", None, 1_700_000_000, base);
        repo.commit("head", Some("base"), 1_700_000_060, head);
        repo
    }

    /// Adds a commit under a name, above the one named `parent`. `time` counts seconds since 1970.
    pub fn commit(&mut self, name: &str, parent: Option<&str>, time: i64, files: impl Into<MemoryTree>) {
        let oid = id(name.as_bytes());
        if let Some((parent, ..)) = parent.and_then(|parent| self.revisions.get(parent)) {
            self.parents.insert(oid, *parent);
        }
        self.revisions.insert(name.to_owned(), (oid, time, files.into()));
    }

    /// Makes the commit of that name the tip of the remote's default branch.
    pub fn protect(&mut self, name: &str) {
        self.protected = Some(name.to_owned());
    }

    fn rev(&self, oid: Oid) -> Option<Rev> {
        let (id, time, _) = self.revisions.values().find(|(id, ..)| *id == oid)?;
        Some(Rev::Commit { id: *id, time: *time })
    }

    /// The commit itself and all before it, newest first.
    fn line(&self, rev: &Rev) -> Vec<Oid> {
        let Rev::Commit { id, .. } = rev else { return Vec::new() };
        let mut line = vec![*id];
        let mut at = *id;
        while let Some(parent) = self.parents.get(&at).filter(|parent| !line.contains(*parent)) {
            line.push(*parent);
            at = *parent;
        }
        line
    }
}

impl Repo for MemoryRepo {
    fn resolve(&self, spec: &str) -> Result<Rev, RevError> {
        match self.revisions.get(spec) {
            Some((id, time, _)) => Ok(Rev::Commit { id: *id, time: *time }),
            None => Err(RevError::Unknown(format!("\"{}\" is no revision here", spec.escape_debug()))),
        }
    }

    fn merge_base(&self, a: &Rev, b: &Rev) -> Result<Option<Rev>, RevError> {
        let (a, b) = (self.line(a), self.line(b));
        Ok(a.into_iter().find(|id| b.contains(id)).and_then(|id| self.rev(id)))
    }

    fn first_parent(&self, rev: &Rev) -> Result<Option<Rev>, RevError> {
        Ok(self.line(rev).get(1).and_then(|id| self.rev(*id)))
    }

    fn default_branch(&self) -> Result<Option<(Rev, String)>, RevError> {
        let Some(name) = &self.protected else { return Ok(None) };
        Ok(Some((self.resolve(name)?, name.clone())))
    }

    fn tree(&self, rev: &Rev) -> Result<Box<dyn Tree + '_>, RevError> {
        let wanted = match rev {
            Rev::Empty => return Ok(Box::new(MemoryTree::default())),
            Rev::Commit { id, .. } => *id,
            Rev::Index | Rev::WorkTree => {
                return Err(RevError::Unknown("there is no index and no work tree in memory".to_owned()));
            }
        };
        match self.revisions.values().find(|(id, ..)| *id == wanted) {
            Some((_, _, tree)) => Ok(Box::new(tree.clone())),
            None => Err(RevError::Missing(format!("there is no commit {wanted}"))),
        }
    }

    fn work_dir(&self) -> Option<&Path> {
        None
    }

    fn hooks_dir(&self) -> Option<PathBuf> {
        None
    }
}

fn id(bytes: &[u8]) -> Oid {
    let mut oid = Oid([0; 20]);
    for (to, from) in oid.0.iter_mut().zip(Sha256::digest(bytes)) {
        *to = from;
    }
    oid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (RepoPath::new(path), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn base_and_head_resolve_and_differ() {
        let repo = MemoryRepo::new(
            files(&[("a", "1"), ("b/c", "2")]),
            files(&[("a", "1"), ("b/c", "3"), ("d", "version https://git-lfs.github.com/spec/v1\n")]),
        );
        let (base, head) = (repo.resolve("base").unwrap(), repo.resolve("head").unwrap());
        assert_eq!(repo.merge_base(&head, &base).unwrap(), Some(base.clone()));
        assert_eq!(repo.merge_base(&base, &head).unwrap(), Some(base.clone()));
        assert_eq!(repo.first_parent(&head).unwrap(), Some(base.clone()));
        assert_eq!(repo.first_parent(&base).unwrap(), None);
        assert!(matches!(repo.resolve("x\n"), Err(RevError::Unknown(why)) if why.contains("\\n")));
        let (base, head) = (repo.tree(&base).unwrap(), repo.tree(&head).unwrap());
        let deltas = head.differs(&*base).unwrap();
        let paths: Vec<&str> = deltas.iter().filter_map(|delta| delta.path()).map(RepoPath::as_str).collect();
        assert_eq!(paths, ["b/c", "d"]);
        let entry = head.entry(&RepoPath::new("b/c")).unwrap().unwrap();
        assert_eq!(&*head.read(&entry, 1).unwrap(), b"3");
        assert!(matches!(head.read(&entry, 0), Err(Unread::TooLarge { .. })));
        assert!(matches!(base.read(&entry, 1), Err(Unread::Io(_))));
        let pointer = head.entry(&RepoPath::new("d")).unwrap().unwrap();
        assert!(matches!(head.read(&pointer, 100), Err(Unread::NotAFile(_))));
    }
}
