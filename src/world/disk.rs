//! Reading files that lie on disk without following a link, and the caps of every walk.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;

use crate::model::tree::{Oid, Unread};

/// A tree with more entries than this is not listed.
pub(crate) const MAX_ENTRIES: usize = 1_000_000;

/// A tree with folders nested deeper than this is not listed.
pub(crate) const MAX_DEPTH: usize = 512;

/// A path of a git tree longer than this is not listed: no system could hold it, and a tree whose names are repeated
/// below each other would fill the memory with it.
pub(crate) const MAX_PATH: usize = 4096;

/// Stands for content that could not be hashed. No content has this id, so it differs from all that can be read.
pub(crate) const UNREADABLE: Oid = Oid([0; 20]);

/// How much is hashed at a time.
const CHUNK: usize = 64 * 1024;

/// The error of a file system, with the path it concerns.
pub(crate) fn io(path: &str, error: &std::io::Error) -> Unread {
    Unread::Io(format!("{path}: {error}"))
}

/// More than [`MAX_ENTRIES`].
pub(crate) fn too_many() -> Unread {
    Unread::TooLarge {
        what: "the number of files in the tree".to_owned(),
        size: MAX_ENTRIES as u64 + 1,
        cap: MAX_ENTRIES as u64,
    }
}

/// More than [`MAX_DEPTH`].
pub(crate) fn too_deep() -> Unread {
    Unread::TooLarge {
        what: "the depth of folders in the tree".to_owned(),
        size: MAX_DEPTH as u64 + 1,
        cap: MAX_DEPTH as u64,
    }
}

/// More than [`MAX_PATH`].
pub(crate) fn too_long(size: usize) -> Unread {
    Unread::TooLarge { what: "the length of a path in the tree".to_owned(), size: size as u64, cap: MAX_PATH as u64 }
}

/// More bytes than the reader allows.
pub(crate) fn too_large(path: &str, size: u64, cap: u64) -> Unread {
    Unread::TooLarge { what: format!("the size of {path} in bytes"), size, cap }
}

/// Git's spelling of a path below `root`, as the file system spells it.
pub(crate) fn below(root: &Path, relative: &[u8]) -> Option<PathBuf> {
    Some(root.join(gix::path::from_bstr(relative.as_bstr()).ok()?))
}

/// The part of a path before its last slash; nothing for a file at the root.
pub(crate) fn parent(relative: &[u8]) -> Option<&[u8]> {
    relative.rfind_byte(b'/').and_then(|at| relative.get(..at))
}

/// Whether every folder above a path is a real folder and no link to one. `seen` remembers the answers.
pub(crate) fn real_parents(root: &Path, relative: &[u8], seen: &mut HashMap<Vec<u8>, bool>) -> bool {
    let mut at = relative;
    let mut unseen = Vec::new();
    let mut real = true;
    while let Some(folder) = parent(at) {
        if let Some(known) = seen.get(folder) {
            real = *known;
            break;
        }
        unseen.push(folder);
        at = folder;
    }
    for folder in unseen.into_iter().rev() {
        real = real && below(root, folder).is_some_and(|path| path.symlink_metadata().is_ok_and(|meta| meta.is_dir()));
        seen.insert(folder.to_vec(), real);
    }
    real
}

/// The id git gives to these bytes.
pub(crate) fn blob_id(bytes: &[u8]) -> Result<Oid, Unread> {
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, bytes);
    id.ok().and_then(|id| oid(&id)).ok_or_else(|| Unread::Io("SHA-1 collision attack detected".to_owned()))
}

/// An id as the model spells it; `None` where it is no SHA-1.
pub(crate) fn oid(id: &gix::hash::oid) -> Option<Oid> {
    id.as_bytes().try_into().ok().map(Oid)
}

/// The id git would give to a file or to a link, which is never followed. A file of any size is hashed in chunks.
pub(crate) fn hash(path: &Path, meta: &Metadata) -> Result<Oid, Unread> {
    let name = path.display().to_string();
    if meta.is_symlink() {
        let target = std::fs::read_link(path).map_err(|error| io(&name, &error))?;
        let target = gix::path::into_bstr(target).map_err(|_| Unread::Io(format!("{name}: unusable link")))?;
        return blob_id(&target);
    }
    let mut file = open(path, meta).map_err(|error| io(&name, &error))?;
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(format!("blob {}\0", meta.len()).as_bytes());
    let mut left = meta.len();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk).map_err(|error| io(&name, &error))?;
        if count as u64 > left || (count == 0 && left > 0) {
            return Err(changed(&name));
        }
        if count == 0 {
            break;
        }
        left -= count as u64;
        hasher.update(chunk.get(..count).unwrap_or_default());
    }
    let id = hasher.try_finalize().ok();
    id.and_then(|id| oid(&id)).ok_or_else(|| Unread::Io(format!("{name}: SHA-1 collision attack detected")))
}

/// The bytes of a regular file below `root`. `name` is the path as messages spell it.
pub(crate) fn read(root: &Path, relative: &[u8], name: &str, cap: u64) -> Result<Vec<u8>, Unread> {
    if !real_parents(root, relative, &mut HashMap::new()) {
        return Err(Unread::NotAFile(format!("{name} lies behind a symbolic link")));
    }
    let path = below(root, relative).ok_or_else(|| Unread::Io(format!("{name}: not a path on this system")))?;
    let meta = path.symlink_metadata().map_err(|error| io(name, &error))?;
    if !meta.is_file() {
        return Err(Unread::NotAFile(format!("{name} is not a regular file")));
    }
    if meta.len() > cap {
        return Err(too_large(name, meta.len(), cap));
    }
    let file = open(&path, &meta).map_err(|error| io(name, &error))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    // One byte more than allowed, so that a file which grows meanwhile is noticed.
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| io(name, &error))?;
    if bytes.len() as u64 > cap {
        return Err(too_large(name, bytes.len() as u64, cap));
    }
    Ok(bytes)
}

/// The file was another one when it was listed.
pub(crate) fn changed(name: &str) -> Unread {
    Unread::Io(format!("{name} changed while it was read"))
}

/// A Git LFS pointer is a file whose content lies elsewhere: nothing of it can be judged.
pub(crate) fn refuse_pointer(name: &str, bytes: &[u8]) -> Result<(), Unread> {
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Err(Unread::NotAFile(format!(
            "{name} is a Git LFS pointer; store the file itself in git so that it can be judged"
        )));
    }
    Ok(())
}

/// What is said of an entry that is no file.
pub(crate) fn refuse_kind(entry: &crate::model::tree::Entry) -> Result<(), Unread> {
    use crate::model::tree::EntryKind;
    match entry.kind {
        EntryKind::File => Ok(()),
        EntryKind::Symlink => {
            Err(Unread::NotAFile(format!("{} is a symbolic link, which is never followed", entry.path)))
        }
        EntryKind::Submodule => Err(Unread::NotAFile(format!("{} is a submodule", entry.path))),
    }
}

/// Opens the file that `meta` describes and no other: a link that takes its place meanwhile is an error.
fn open(path: &Path, meta: &Metadata) -> std::io::Result<File> {
    let file = File::open(path)?;
    let opened = file.metadata()?;
    #[cfg(unix)]
    let same = {
        use std::os::unix::fs::MetadataExt;
        (opened.dev(), opened.ino()) == (meta.dev(), meta.ino())
    };
    #[cfg(not(unix))]
    let same = opened.is_file() && opened.len() == meta.len();
    if same { Ok(file) } else { Err(std::io::Error::other("another file took its place")) }
}
