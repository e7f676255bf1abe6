//! A git repository, read through its objects.
//!
//! Nothing here starts a process, and nothing obeys the environment: `GIT_*` variables, replacement objects and
//! grafts are ignored, and of configuration only the repository's own file is read, without what it includes (the
//! user's is asked for `core.hooksPath` alone). Who owns the files is of no concern either, since nothing found in
//! them is ever run.
//!
//! [`GitRepo`] turns what a person can name into commits (`resolve.rs`), [`GitTree`] and [`IndexTree`] are the trees
//! of commits and of the index, [`WorkTree`] is what lies on disk.

mod resolve;
mod tree;
mod worktree;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;

pub use self::tree::{GitTree, IndexTree};
pub use self::worktree::WorkTree;
use super::disk;
use super::{Env, Repo, Rev, RevError, Tree};
use crate::model::tree::{Entry, Oid, Unread};

/// A tree or commit object larger than this is not read.
const MAX_STRUCTURE: u64 = 64 << 20;

/// No object may need more memory than this, whatever its header promises.
const ALLOCATION_LIMIT: &str = "gitoxide.objects.allocLimit=536870912";

/// Environment variables that are of use here; none of them is git's own.
const VARIABLES: [&str; 4] = ["GITHUB_BASE_REF", "HOME", "USERPROFILE", "XDG_CONFIG_HOME"];

/// A git repository.
pub struct GitRepo {
    repo: gix::Repository,
    env: Env,
}

impl std::fmt::Debug for GitRepo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitRepo").field("git_dir", &self.repo.git_dir()).finish_non_exhaustive()
    }
}

impl GitRepo {
    /// Finds the repository that `path` lies in; `None` where there is none. A bare repository is taken only where
    /// `path` names it: found on the way up it could be a folder that head brought along to stand in for the
    /// repository that is meant.
    ///
    /// # Errors
    /// [`RevError::Unknown`] where `path` cannot be read, or the repository is of a kind that is not supported.
    pub fn open(path: &Path, env: &Env) -> Result<Option<Self>, RevError> {
        // Links are resolved first: the way up is the one the files have, not the one that was typed.
        let start = if cfg!(windows) { std::path::absolute(path) } else { path.canonicalize() };
        let start = start.map_err(|error| RevError::Unknown(format!("{}: {error}", shown(path))))?;
        for folder in start.ancestors() {
            let candidate = folder.join(".git");
            let is_repo = match candidate.symlink_metadata() {
                Ok(meta) if meta.is_file() => true,
                // An empty folder of that name is no repository, and git too goes on.
                Ok(_) => candidate.join("HEAD").symlink_metadata().is_ok(),
                Err(_) => false,
            };
            if is_repo {
                return Self::at(&candidate, env).map(Some);
            }
            if folder == start && is_bare(folder) {
                // So can one that is named: nobody keeps a repository's own folder among the files of another.
                let is_within = |parent: &Path| parent.join(".git").symlink_metadata().is_ok();
                if let Some(parent) = folder.ancestors().skip(1).find(|parent| is_within(parent)) {
                    let (folder, parent) = (shown(folder), shown(parent));
                    return Err(RevError::Unknown(format!("{folder}: a bare repository among the files of {parent}")));
                }
                return Self::at(folder, env).map(Some);
            }
        }
        Ok(None)
    }

    fn at(git_dir: &Path, env: &Env) -> Result<Self, RevError> {
        let mut repo = gix::open_opts(git_dir, options()).map_err(|error| explain(git_dir, &error))?;
        repo.objects.ignore_replacements = true;
        if repo.object_hash() != gix::hash::Kind::Sha1 {
            return Err(RevError::Unknown(format!("{}: SHA-256 repositories are not supported", shown(git_dir))));
        }
        let storage = repo.config_snapshot().string("extensions.refStorage");
        if let Some(storage) = storage.filter(|storage| storage != "files") {
            return Err(RevError::Unknown(format!(
                "{}: the reference storage \"{}\" is not supported; run `git refs migrate --ref-format=files`",
                shown(git_dir),
                storage.to_string().escape_debug()
            )));
        }
        let env = VARIABLES.iter().filter_map(|name| env.get_key_value(*name));
        Ok(Self { repo, env: env.map(|(name, value)| (name.clone(), value.clone())).collect() })
    }

    /// An object and its kind, hash-verified; `None` where it is not in the object store. Its header is looked at
    /// before it is unpacked.
    fn object(&self, id: ObjectId, cap: u64, name: &str) -> Result<Option<(Kind, Vec<u8>)>, Unread> {
        let failed = |error: gix::Error| Unread::Io(one_line(&format!("{name}: {error}")));
        let Some(header) = self.repo.try_find_header(id).map_err(failed)? else { return Ok(None) };
        if header.size() > cap {
            return Err(disk::too_large(name, header.size(), cap));
        }
        let Some(object) = self.repo.try_find_object(id).map_err(failed)? else { return Ok(None) };
        let object = object.detach();
        let actual = gix::objs::compute_hash(gix::hash::Kind::Sha1, object.kind, &object.data).map_err(failed)?;
        if actual != id {
            return Err(Unread::Io(format!("{name}: object {id} is damaged, its content has the id {actual}")));
        }
        Ok(Some((object.kind, object.data)))
    }

    /// The bytes of a file's blob.
    fn blob(&self, entry: &Entry, cap: u64) -> Result<Arc<[u8]>, Unread> {
        disk::refuse_kind(entry)?;
        let id = ObjectId::Sha1(entry.oid.0);
        match self.object(id, cap, entry.path.as_str())? {
            Some((Kind::Blob, bytes)) => {
                disk::refuse_pointer(entry.path.as_str(), &bytes)?;
                Ok(bytes.into())
            }
            Some((kind, _)) => Err(Unread::Io(format!("{}: object {id} is a {kind}, not a blob", entry.path))),
            None => Err(Unread::NotAFile(format!("{}: {}", entry.path, self.missing(id)))),
        }
    }

    /// Why an object is not there, and what to do about it.
    fn missing(&self, id: impl std::fmt::Display) -> String {
        let config = self.repo.config_snapshot();
        let mut remotes = config.plumbing().sections_by_name("remote").into_iter().flatten();
        if config.string("extensions.partialClone").is_some()
            || remotes.any(|remote| remote.value("promisor").is_some())
        {
            format!("object {id} is missing from this partial clone; fetch it with `git fetch --refetch --no-filter`")
        } else if self.is_shallow() {
            format!("object {id} is missing from this shallow clone; {DEEPEN}")
        } else {
            format!("object {id} is missing from this repository; fetch it with `git fetch`")
        }
    }

    fn is_shallow(&self) -> bool {
        self.repo.is_shallow().unwrap_or(false)
    }

    /// The value of `core.hooksPath`, from the repository's configuration or else from the user's.
    fn hooks_path(&self) -> Option<String> {
        if let Some(path) = self.repo.config_snapshot().string("core.hooksPath") {
            return Some(path.to_string());
        }
        let home = self.home();
        let xdg = self.env.get("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
        let xdg = xdg.or_else(|| home.as_ref().map(|home| home.join(".config")));
        // As git does it: the file in the home folder wins over the one in the configuration folder.
        [home.map(|home| home.join(".gitconfig")), xdg.map(|xdg| xdg.join("git").join("config"))]
            .into_iter()
            .flatten()
            .filter_map(|path| gix::config::File::from_path_no_includes(path, gix::config::Source::User).ok())
            .find_map(|config| config.string("core.hooksPath").map(|path| path.to_string()))
    }

    fn home(&self) -> Option<PathBuf> {
        let home = self.env.get("HOME").or_else(|| self.env.get("USERPROFILE"));
        home.filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

impl Repo for GitRepo {
    fn resolve(&self, spec: &str) -> Result<Rev, RevError> {
        self.rev(self.resolve_id(spec)?)
    }

    fn merge_base(&self, a: &Rev, b: &Rev) -> Result<Option<Rev>, RevError> {
        let (Some(a), Some(b)) = (self.stands_on(a)?, self.stands_on(b)?) else { return Ok(None) };
        self.common_ancestor(a, b)?.map(|id| self.rev(id)).transpose()
    }

    fn first_parent(&self, rev: &Rev) -> Result<Option<Rev>, RevError> {
        match rev {
            Rev::Commit { id, .. } => self.parent(ObjectId::Sha1(id.0), 1)?.map(|id| self.rev(id)).transpose(),
            Rev::Index | Rev::WorkTree => self.head()?.map(|id| self.rev(id)).transpose(),
            Rev::Empty => Ok(None),
        }
    }

    fn default_branch(&self) -> Result<Option<(Rev, String)>, RevError> {
        let Some((id, name)) = self.default_tip()? else { return Ok(None) };
        Ok(Some((self.rev(id)?, name)))
    }

    fn tree(&self, rev: &Rev) -> Result<Box<dyn Tree + '_>, RevError> {
        match rev {
            Rev::Commit { id, .. } => {
                let tree = self.commit(ObjectId::Sha1(id.0))?.tree;
                if !self.repo.has_object(tree) {
                    return Err(RevError::Missing(format!("the tree of commit {id}: {}", self.missing(tree))));
                }
                Ok(Box::new(GitTree::new(self, tree)))
            }
            Rev::Empty => Ok(Box::new(GitTree::new(self, ObjectId::empty_tree(gix::hash::Kind::Sha1)))),
            Rev::Index => Ok(Box::new(IndexTree::new(self)?)),
            Rev::WorkTree => Ok(Box::new(WorkTree::new(self)?)),
        }
    }

    fn work_dir(&self) -> Option<&Path> {
        self.repo.workdir()
    }

    fn hooks_dir(&self) -> Option<PathBuf> {
        let Some(path) = self.hooks_path() else {
            let hooks = self.repo.common_dir().join("hooks");
            // A linked work tree names the common folder by way of its own.
            let normal = gix::path::normalize(hooks.as_path().into(), self.repo.current_dir());
            return Some(normal.map_or(hooks.clone(), std::borrow::Cow::into_owned));
        };
        if let (Some(rest), Some(home)) = (path.strip_prefix("~/"), self.home()) {
            return Some(home.join(rest));
        }
        // A relative one counts from where hooks run: the work tree, or the repository itself where it is bare.
        Some(self.repo.workdir().unwrap_or_else(|| self.repo.git_dir()).join(path))
    }
}

/// How to get more history.
const DEEPEN: &str = "deepen it with `git fetch --unshallow` or `git fetch --deepen=N`, in CI with `fetch-depth: 0`";

/// Nothing from the environment, nothing from outside the repository, and no replacement objects. Trust is full
/// because there is nothing to distrust: what configuration may name is never run.
fn options() -> gix::open::Options {
    gix::open::Options::isolated()
        .with(gix::sec::Trust::Full)
        .filter_config_section(|_| true)
        .cli_overrides(["core.useReplaceRefs=false", ALLOCATION_LIMIT])
}

fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// Why a repository could not be opened, in a line.
fn explain(git_dir: &Path, error: &gix::Error) -> RevError {
    let text = one_line(&format!("{error:#}"));
    let detail = one_line(&format!("{error:?}")).to_lowercase();
    if text.to_lowercase().contains("sha256") || detail.contains("sha256") {
        return RevError::Unknown(format!("{}: SHA-256 repositories are not supported", shown(git_dir)));
    }
    RevError::Unknown(format!("{}: the repository cannot be opened: {text}", shown(git_dir)))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// An id as the model spells it. Only SHA-1 repositories are opened, so that there is always one.
fn oid(id: &gix::hash::oid) -> Result<Oid, Unread> {
    disk::oid(id).ok_or_else(|| Unread::Unsupported(format!("object {id} has no SHA-1 id")))
}
