//! A folder that is no git repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{self, MAX_DEPTH, MAX_ENTRIES, UNREADABLE};
use super::memory::MemoryTree;
use super::{Repo, Rev, RevError, Tree};
use crate::model::RepoPath;
use crate::model::tree::{Entry, EntryKind, Oid, Unread};

/// What marks a folder as a cache that nobody wants to look into (bford.info/cachedir).
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A folder without history: its work tree is all there is to judge. Without ignore rules to go by, it leaves out
/// `.git`, `node_modules` and folders tagged as a cache.
#[derive(Debug, Clone)]
pub struct PlainFolder {
    root: PathBuf,
}

impl PlainFolder {
    /// The folder at a path.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

impl Repo for PlainFolder {
    fn resolve(&self, spec: &str) -> Result<Rev, RevError> {
        let shown = spec.escape_debug();
        Err(RevError::Unknown(format!("\"{shown}\": this folder is no git repository and has no revisions")))
    }

    fn merge_base(&self, _: &Rev, _: &Rev) -> Result<Option<Rev>, RevError> {
        Ok(None)
    }

    fn first_parent(&self, _: &Rev) -> Result<Option<Rev>, RevError> {
        Ok(None)
    }

    fn default_branch(&self) -> Result<Option<(Rev, String)>, RevError> {
        Ok(None)
    }

    fn tree(&self, rev: &Rev) -> Result<Box<dyn Tree + '_>, RevError> {
        match rev {
            Rev::WorkTree => Ok(Box::new(FolderTree { root: &self.root })),
            Rev::Empty => Ok(Box::new(MemoryTree::default())),
            Rev::Commit { .. } | Rev::Index => Err(RevError::Unknown(
                "this folder is no git repository: it has neither commits nor an index".to_owned(),
            )),
        }
    }

    fn work_dir(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn hooks_dir(&self) -> Option<PathBuf> {
        None
    }
}

/// The files below a folder, with the ids git would give them.
struct FolderTree<'a> {
    root: &'a Path,
}

impl Tree for FolderTree<'_> {
    fn list(&self) -> Result<Vec<Entry>, Unread> {
        let mut entries = Vec::new();
        let mut folders = vec![(Vec::new(), 0)];
        while let Some((prefix, depth)) = folders.pop() {
            if depth > MAX_DEPTH {
                return Err(disk::too_deep());
            }
            let name = RepoPath::from_git(&prefix).to_string();
            let failed = |error: std::io::Error| disk::io(&name, &error);
            let Some(place) = disk::below(self.root, &prefix) else { continue };
            for file in std::fs::read_dir(&place).map_err(failed)? {
                let file = file.map_err(failed)?;
                let meta = match file.path().symlink_metadata() {
                    Ok(meta) => meta,
                    // It went away meanwhile.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(failed(error)),
                };
                let path = [prefix.as_slice(), file.file_name().as_encoded_bytes()].concat();
                if let Some(kind) = kind(&meta) {
                    let oid = disk::hash(&file.path(), &meta).unwrap_or(UNREADABLE);
                    entries.push(Entry { path: RepoPath::from_git(&path), kind, oid });
                } else if meta.is_dir() && !is_left_out(&file) {
                    folders.push(([path.as_slice(), b"/"].concat(), depth + 1));
                }
                if entries.len() > MAX_ENTRIES {
                    return Err(disk::too_many());
                }
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread> {
        if path.as_str().contains("\\x") {
            return Ok(self.list()?.into_iter().find(|entry| entry.path == *path));
        }
        let mut place = self.root.to_path_buf();
        let mut parts = path.parts().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            let Ok(meta) = place.symlink_metadata() else { return Ok(None) };
            if parts.peek().is_none() {
                let Some(kind) = kind(&meta) else { return Ok(None) };
                let oid: Oid = disk::hash(&place, &meta).unwrap_or(UNREADABLE);
                return Ok(Some(Entry { path: path.clone(), kind, oid }));
            }
            if !meta.is_dir() || is_named(part) || is_cache(&place) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        disk::refuse_kind(entry)?;
        let name = entry.path.as_str();
        let bytes = disk::read(self.root, name.as_bytes(), name, cap)?;
        if disk::blob_id(&bytes)? != entry.oid {
            return Err(disk::changed(name));
        }
        disk::refuse_pointer(name, &bytes)?;
        Ok(bytes.into())
    }
}

fn kind(meta: &std::fs::Metadata) -> Option<EntryKind> {
    if meta.is_symlink() { Some(EntryKind::Symlink) } else { meta.is_file().then_some(EntryKind::File) }
}

fn is_left_out(folder: &std::fs::DirEntry) -> bool {
    folder.file_name().to_str().is_some_and(is_named) || is_cache(&folder.path())
}

fn is_named(name: &str) -> bool {
    matches!(name, ".git" | "node_modules")
}

/// Whether a folder is tagged as a cache. The tag has to be right: its name alone would hide a folder too easily.
fn is_cache(folder: &Path) -> bool {
    disk::read(folder, b"CACHEDIR.TAG", "CACHEDIR.TAG", 64 * 1024).is_ok_and(|bytes| bytes.starts_with(CACHE_TAG))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::real::tests::TempDir;

    #[test]
    fn a_folder_lists_its_files_without_caches_and_links() {
        let dir = TempDir::new();
        for (path, text) in [
            ("b/Cargo.lock", "lock"),
            ("b.txt", "x"),
            ("node_modules/m/package.json", "{}"),
            (".git/config", "x"),
            ("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
            ("target/x", "x"),
            ("fake/CACHEDIR.TAG", "x"),
        ] {
            dir.write(path, text);
        }
        let folder = PlainFolder::new(dir.path().to_path_buf());
        #[cfg(unix)]
        std::os::unix::fs::symlink("b", dir.path().join("link")).unwrap();
        let tree = folder.tree(&Rev::WorkTree).unwrap();
        let list = tree.list().unwrap();
        let paths: Vec<&str> = list.iter().map(|entry| entry.path.as_str()).collect();
        let mut expected = vec!["b.txt", "b/Cargo.lock", "fake/CACHEDIR.TAG"];
        if cfg!(unix) {
            expected.push("link");
        }
        assert_eq!(paths, expected);
        for entry in &list {
            assert_eq!(tree.entry(&entry.path).unwrap().as_ref(), Some(entry));
        }
        assert_eq!(tree.entry(&RepoPath::new("node_modules/m/package.json")).unwrap(), None);
        assert_eq!(tree.entry(&RepoPath::new("link/Cargo.lock")).unwrap(), None);
        assert_eq!(tree.entry(&RepoPath::root()).unwrap(), None);
        assert_eq!(&*tree.read(&list[1], 4).unwrap(), b"lock");
        assert!(matches!(tree.read(&list[1], 3), Err(Unread::TooLarge { size: 4, cap: 3, .. })));
        dir.write("b/Cargo.lock", "kcol");
        assert!(matches!(tree.read(&list[1], 4), Err(Unread::Io(why)) if why.contains("changed while it was read")));
        assert!(matches!(folder.resolve("HEAD"), Err(RevError::Unknown(_))));
        assert!(matches!(folder.tree(&Rev::Index), Err(RevError::Unknown(_))));
        assert!(folder.tree(&Rev::Empty).unwrap().list().unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_read_through_a_link() {
        let dir = TempDir::new();
        dir.write("real/file", "secret");
        std::os::unix::fs::symlink("real", dir.path().join("folder")).unwrap();
        let folder = PlainFolder::new(dir.path().to_path_buf());
        let tree = folder.tree(&Rev::WorkTree).unwrap();
        let oid = disk::blob_id(b"secret").unwrap();
        let entry = Entry { path: RepoPath::new("folder/file"), kind: EntryKind::File, oid };
        assert!(matches!(tree.read(&entry, 100), Err(Unread::NotAFile(_))));
    }
}
