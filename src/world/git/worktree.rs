//! What lies in the work tree.
//!
//! Tracked files count whatever `.gitignore` says, untracked ones where neither `.gitignore` nor `info/exclude` names
//! them. A tracked file that was not touched since it was staged, as its metadata tell, keeps the id it has in the
//! index and is not read. All others are hashed as they lie there: no filter runs, so that a file whose line ends
//! were converted differs from the one git would store.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode, Stat};

use super::tree::{GitTree, find, index, kind, sort};
use super::{GitRepo, oid, one_line, options};
use crate::model::RepoPath;
use crate::model::tree::{Entry, EntryKind, Oid, Unread};
use crate::world::disk::{self, MAX_DEPTH, MAX_ENTRIES, UNREADABLE};
use crate::world::{RevError, Tree};

/// The work tree as it was when it was first listed.
pub struct WorkTree<'r> {
    repo: &'r GitRepo,
    root: PathBuf,
    index: gix::worktree::Index,
    /// Whether git makes links here (`core.symlinks`), or files that hold the target instead.
    links: bool,
    listing: OnceCell<Listing>,
}

#[derive(Default)]
struct Listing {
    entries: Vec<Entry>,
    /// Git's spelling of the paths that are not UTF-8.
    raw: HashMap<RepoPath, Vec<u8>>,
}

impl Listing {
    fn push(&mut self, relative: &[u8], kind: EntryKind, oid: Oid) -> Result<(), Unread> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(disk::too_many());
        }
        let path = RepoPath::from_git(relative);
        if path.as_str().as_bytes() != relative {
            self.raw.insert(path.clone(), relative.to_vec());
        }
        self.entries.push(Entry { path, kind, oid });
        Ok(())
    }
}

impl<'r> WorkTree<'r> {
    pub(super) fn new(repo: &'r GitRepo) -> Result<Self, RevError> {
        let index = index(repo)?;
        let root = repo.repo.workdir().map(Path::to_path_buf).unwrap_or_default();
        let links = repo.repo.config_snapshot().boolean("core.symlinks").unwrap_or(true);
        Ok(Self { repo, root, index, links, listing: OnceCell::new() })
    }

    fn listing(&self) -> Result<&Listing, Unread> {
        if let Some(listing) = self.listing.get() {
            return Ok(listing);
        }
        let mut listing = Listing::default();
        self.tracked_files(&mut listing)?;
        self.untracked_files(&mut listing)?;
        sort(&mut listing.entries);
        Ok(self.listing.get_or_init(|| listing))
    }

    fn tracked_files(&self, listing: &mut Listing) -> Result<(), Unread> {
        let (mut parents, mut last) = (HashMap::new(), None);
        for entry in self.index.entries() {
            let path = entry.path(&self.index);
            if entry.mode == Mode::DIR {
                GitTree::new(self.repo, entry.id).walk(entry.id, path, &mut listing.entries)?;
                continue;
            }
            // A conflicted path stands there once for each side.
            if last.replace(path) == Some(path) {
                continue;
            }
            let found = if disk::real_parents(&self.root, path, &mut parents) || is_skipped(entry) {
                self.tracked(entry, path)?
            } else {
                None
            };
            if let Some((kind, oid)) = found {
                listing.push(path, kind, oid)?;
            }
        }
        Ok(())
    }

    /// What stands at a tracked path, whose folders are known to be real ones; `None` where it was deleted.
    fn tracked(&self, entry: &gix::index::Entry, path: &[u8]) -> Result<Option<(EntryKind, Oid)>, Unread> {
        if is_skipped(entry) {
            return Ok(kind(entry.mode).zip(oid(&entry.id).ok()));
        }
        let Some(place) = disk::below(&self.root, path) else { return Ok(None) };
        let meta = match place.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(_) => return Ok(kind(entry.mode).map(|kind| (kind, UNREADABLE))),
        };
        if meta.is_dir() {
            if entry.mode != Mode::COMMIT {
                return Ok(None);
            }
            let checked_out = nested_head(&place);
            let id = checked_out.map_or_else(|| oid(&entry.id), Ok)?;
            return Ok(Some((EntryKind::Submodule, id)));
        }
        let Some(found) = file_kind(&meta, entry.mode == Mode::SYMLINK && !self.links) else { return Ok(None) };
        let id = if Some(found) == kind(entry.mode) && self.is_clean(entry, &place) {
            oid(&entry.id)?
        } else {
            disk::hash(&place, &meta).unwrap_or(UNREADABLE)
        };
        Ok(Some((found, id)))
    }

    /// Whether the metadata say that a file was not touched since it was staged.
    fn is_clean(&self, entry: &gix::index::Entry, place: &Path) -> bool {
        let options = gix::index::entry::stat::Options::default();
        let Ok(stat) = gix::index::fs::Metadata::from_path_no_follow(place).map(|meta| Stat::from_fs(&meta)) else {
            return false;
        };
        let Ok(stat) = stat else { return false };
        // Not every writer of an index records fractions of a second, but where they are there they must agree.
        let fraction = entry.stat.mtime.nsecs;
        entry.stage_raw() == 0
            && !entry.flags.contains(Flags::INTENT_TO_ADD)
            && entry.stat.matches(&stat, options)
            && (fraction == 0 || fraction == stat.mtime.nsecs)
            && !entry.stat.is_racy(self.index.timestamp(), options)
    }

    fn untracked_files(&self, listing: &mut Listing) -> Result<(), Unread> {
        let source = gix::worktree::stack::state::ignore::Source::WorktreeThenIdMappingIfNotSkipped;
        let excludes = self.repo.repo.excludes(&self.index, None, source);
        let mut excludes =
            excludes.map_err(|error| Unread::Io(one_line(&format!("the ignore rules cannot be read: {error}"))))?;
        let mut folders = vec![(Vec::new(), 0)];
        while let Some((prefix, depth)) = folders.pop() {
            if depth > MAX_DEPTH {
                return Err(disk::too_deep());
            }
            let name = RepoPath::from_git(&prefix).to_string();
            let failed = |error: std::io::Error| disk::io(&name, &error);
            let Some(place) = disk::below(&self.root, &prefix) else { continue };
            let files = match std::fs::read_dir(&place) {
                Err(error) if depth > 0 && is_gone(&error) => continue,
                files => files.map_err(failed)?,
            };
            for file in files {
                let file = file.map_err(failed)?;
                let name = file.file_name();
                if name == ".git" {
                    continue;
                }
                let path = [prefix.as_slice(), name.as_encoded_bytes()].concat();
                let Ok(file_type) = file.file_type() else { continue };
                let is_dir = file_type.is_dir();
                if self.is_tracked(&path, is_dir) {
                    continue;
                }
                let mode = if is_dir { Mode::DIR } else { Mode::FILE };
                let platform = excludes.at_entry(path.as_bstr(), Some(mode)).map_err(|error| {
                    Unread::Io(one_line(&format!(
                        "the ignore rules for {} cannot be read: {error}",
                        RepoPath::from_git(&path)
                    )))
                })?;
                if platform.is_excluded() {
                    continue;
                }
                if is_dir {
                    let nested =
                        if self.index.path_is_directory(path.as_bstr()) { None } else { nested_head(&file.path()) };
                    match nested {
                        Some(head) => listing.push(&path, EntryKind::Submodule, head)?,
                        None => folders.push(([path.as_slice(), b"/"].concat(), depth + 1)),
                    }
                    continue;
                }
                let Ok(meta) = file.path().symlink_metadata() else { continue };
                if let Some(kind) = file_kind(&meta, false) {
                    listing.push(&path, kind, disk::hash(&file.path(), &meta).unwrap_or(UNREADABLE))?;
                }
            }
        }
        Ok(())
    }

    /// Whether the pass over the index has dealt with a path and all below it.
    fn is_tracked(&self, path: &[u8], is_dir: bool) -> bool {
        let at = |path: &[u8]| self.index.entry_range(path.as_bstr()).and_then(|range| self.index.entries().get(range));
        match at(path) {
            // A folder in a file's place holds untracked files; one in a submodule's place is the submodule.
            Some(entries) => !is_dir || entries.iter().any(|entry| entry.mode == Mode::COMMIT),
            None => is_dir && self.index.is_sparse() && at(&[path, b"/"].concat()).is_some(),
        }
    }

    /// The id that the index answers for: of a file that is not checked out, or that was not touched.
    fn settled(&self, raw: &[u8]) -> Option<Oid> {
        let entry = self.index.entry_by_path_and_stage(raw.as_bstr(), gix::index::entry::Stage::Unconflicted)?;
        let is_clean = || disk::below(&self.root, raw).is_some_and(|place| self.is_clean(entry, &place));
        if is_skipped(entry) || is_clean() { oid(&entry.id).ok() } else { None }
    }
}

impl Tree for WorkTree<'_> {
    fn list(&self) -> Result<Vec<Entry>, Unread> {
        Ok(self.listing()?.entries.clone())
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, Unread> {
        if let Some(listing) = self.listing.get() {
            return Ok(find(&listing.entries, path));
        }
        let raw = path.as_str().as_bytes();
        if !self.index.is_sparse() && !path.as_str().contains("\\x") {
            let tracked = self.index.entry_range(raw.as_bstr()).and_then(|range| self.index.entries().get(range));
            if let Some(entry) = tracked.and_then(<[_]>::first) {
                let is_there = is_skipped(entry) || disk::real_parents(&self.root, raw, &mut HashMap::new());
                let found = if is_there { self.tracked(entry, raw)? } else { None };
                return Ok(found.map(|(kind, oid)| Entry { path: path.clone(), kind, oid }));
            }
            if disk::below(&self.root, raw).is_none_or(|place| place.symlink_metadata().is_err()) {
                return Ok(None);
            }
        }
        // Whether an untracked path counts depends on every folder above it: one way to find out is enough.
        Ok(find(&self.listing()?.entries, path))
    }

    fn read(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        disk::refuse_kind(entry)?;
        let name = entry.path.as_str();
        let mut raw = name.as_bytes();
        if name.contains("\\x") {
            raw = self.listing()?.raw.get(&entry.path).map_or(raw, Vec::as_slice);
        }
        let found = disk::read(&self.root, raw, name, cap);
        if let Ok(bytes) = &found
            && disk::blob_id(bytes)? == entry.oid
        {
            disk::refuse_pointer(name, bytes)?;
            return Ok(Arc::from(bytes.as_slice()));
        }
        // Not checked out, or checked out through a filter: the index vouches for the object then.
        let is_sparse = self.index.is_sparse()
            && disk::below(&self.root, raw).is_some_and(|place| place.symlink_metadata().is_err());
        if is_sparse || self.settled(raw) == Some(entry.oid) {
            return self.repo.blob(entry, cap);
        }
        found.and(Err(disk::changed(name)))
    }
}

/// Whether git was told not to check a file out.
fn is_skipped(entry: &gix::index::Entry) -> bool {
    entry.flags.contains(Flags::SKIP_WORKTREE)
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What a file is; `None` for pipes, sockets and devices, which git does not see either.
fn file_kind(meta: &std::fs::Metadata, stands_for_link: bool) -> Option<EntryKind> {
    if meta.is_symlink() || (meta.is_file() && stands_for_link) {
        Some(EntryKind::Symlink)
    } else {
        meta.is_file().then_some(EntryKind::File)
    }
}

/// The commit that is checked out in a folder that is a repository of its own; `None` where it is not one. Before its
/// first commit no id can be told.
fn nested_head(folder: &Path) -> Option<Oid> {
    let candidate = folder.join(".git");
    let meta = candidate.symlink_metadata().ok()?;
    if meta.is_dir() && candidate.join("HEAD").symlink_metadata().is_err() {
        return None;
    }
    let repo = gix::open_opts(candidate, options()).ok()?;
    Some(repo.head_id().ok().and_then(|id| oid(&id).ok()).unwrap_or(UNREADABLE))
}
