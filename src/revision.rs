//! Stage 1: what the user typed → base, head and the governing revision, each an immutable tree.
//!
//! *Base* is what head is compared with: the merge base. The *governing* revision is the one whose policy, settings
//! and ledger decide: in CI the tip of the protected branch, elsewhere base. Head never governs itself: where it was
//! pushed to the protected branch, and so is its tip, what stood there before it governs. Only the runner's event can
//! tell what that was ([`Base::Stood`], [`Governing`]); no flag does.

use crate::model::tree::Oid;
use crate::model::verdict::RevisionName;
use crate::world::{Repo, Rev, RevError};

/// Which revision is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A commit.
    Rev(String),
    /// What is staged.
    Index,
    /// The files as they lie there.
    WorkTree,
}

/// What head is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The merge base with the remote's default branch, else the first parent, else the empty tree.
    Found,
    /// This revision.
    Rev(String),
    /// The commit that stood on the protected branch before head did, by its full id. From the runner's event alone.
    Stood(String),
    /// The empty tree.
    Empty,
}

/// Whose policy decides. Everything but the first is from the runner's event alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Governing {
    /// In CI the tip of the protected branch, elsewhere base.
    #[default]
    Found,
    /// The commit that stood on the protected branch before head did, by its full id.
    Stood(String),
    /// Nobody's: nothing stood there, so that the defaults do.
    Defaults,
}

/// A revision with its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The revision.
    pub rev: Rev,
    /// How it is called.
    pub name: String,
}

impl Named {
    /// As reports write it.
    #[must_use]
    pub fn to_name(&self) -> RevisionName {
        RevisionName { rev: self.commit().map(|id| id.to_string()), name: self.name.clone() }
    }

    /// The commit, where it is one.
    #[must_use]
    pub fn commit(&self) -> Option<Oid> {
        match self.rev {
            Rev::Commit { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// The three revisions of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisions {
    /// What head is compared with.
    pub base: Named,
    /// What is judged.
    pub head: Named,
    /// Whose policy decides.
    pub governing: Named,
    /// A remark on how base was found.
    pub note: Option<String>,
}

/// Resolves head alone, as an audit does.
///
/// # Errors
/// [`RevError`].
pub fn head(repo: &dyn Repo, head: &Head) -> Result<Named, RevError> {
    Ok(match head {
        Head::Rev(spec) => Named { rev: repo.resolve(spec)?, name: spec.clone() },
        Head::Index => Named { rev: Rev::Index, name: "index".to_owned() },
        Head::WorkTree => Named { rev: Rev::WorkTree, name: "work tree".to_owned() },
    })
}

/// Resolves the three revisions of a check.
///
/// # Errors
/// [`RevError::Unknown`] for what does not exist, or for a base that would loosen the check in CI;
/// [`RevError::Missing`] where history is cut off.
pub fn resolve(
    repo: &dyn Repo,
    base: &Base,
    head: &Head,
    governing: &Governing,
    ci: bool,
) -> Result<Revisions, RevError> {
    let head = self::head(repo, head)?;
    let protected = repo.default_branch()?;
    if ci && protected.is_none() {
        return Err(RevError::Missing(NO_PROTECTED.to_owned()));
    }
    // Looked for only where it is needed: a push is judged without the history of a shallow clone.
    let common = || match &protected {
        Some((tip, name)) => {
            Ok::<_, RevError>(repo.merge_base(tip, &head.rev)?.map(|rev| Named { rev, name: name.clone() }))
        }
        None => Ok(None),
    };
    let (base, note) = match base {
        Base::Empty => (empty(), Some("nothing of it stands on the remote: judged against the empty tree".to_owned())),
        Base::Stood(id) => (stood(repo, id)?, None),
        Base::Rev(spec) => {
            let rev = repo.resolve(spec)?;
            let base = Named { rev, name: spec.clone() };
            if ci {
                in_ci(repo, &base, &head, common()?.as_ref())?;
            }
            (base, None)
        }
        Base::Found => match common()? {
            None if ci => {
                let note = "head has no ancestor on the protected branch: judged against the empty tree".to_owned();
                (empty(), Some(note))
            }
            common => found_base(repo, &head, common)?,
        },
    };
    let governing = match (governing, protected) {
        (Governing::Stood(id), _) => stood(repo, id)?,
        (Governing::Defaults, _) => empty(),
        (Governing::Found, Some((rev, name))) if ci => Named { rev, name },
        (Governing::Found, _) => base.clone(),
    };
    Ok(Revisions { base, head, governing, note })
}

/// What stood on the protected branch. A force push may have left it on no branch, so that no clone has it.
fn stood(repo: &dyn Repo, id: &str) -> Result<Named, RevError> {
    match repo.resolve(id) {
        Ok(rev) => Ok(Named { rev, name: id.to_owned() }),
        Err(_) => Err(RevError::Missing(format!(
            "{}, which stood on the protected branch before this push, is not here: git fetch origin {0}",
            id.escape_debug()
        ))),
    }
}

fn found_base(repo: &dyn Repo, head: &Named, common: Option<Named>) -> Result<(Named, Option<String>), RevError> {
    match common {
        Some(common) if common.rev != head.rev => Ok((common, None)),
        // Comparing a commit with itself would pass everything; what it brought is judged against its parent.
        common => {
            let why = match &common {
                Some(common) => format!("head stands on {}", common.name),
                None => "no remote branch to compare with".to_owned(),
            };
            match repo.first_parent(&head.rev)? {
                Some(rev) => {
                    let note = common.as_ref().map_or_else(
                        || format!("{why}: compared with the first parent"),
                        |_| format!("{why}: compared with its first parent"),
                    );
                    let (name, note) = match head.rev {
                        Rev::Commit { .. } => (format!("{}~1", head.name), Some(note)),
                        _ => ("HEAD".to_owned(), None),
                    };
                    Ok((Named { rev, name }, note))
                }
                None => {
                    let what = if repo.hooks_dir().is_some() { "first commit" } else { "no git repository" };
                    let note = format!("{what}: judged against the empty tree, so everything in it is new");
                    Ok((empty(), Some(note)))
                }
            }
        }
    }
}

fn empty() -> Named {
    Named { rev: Rev::Empty, name: "empty tree".to_owned() }
}

/// Why nothing can be decided in CI without a protected branch: head would govern itself.
pub const NO_PROTECTED: &str = "no protected branch is known: fetch the target branch and set GITHUB_BASE_REF, or \
                                git remote set-head origin --auto";

/// In CI another base than the one that is found could hide what the change brings. Where head stands on the protected
/// branch itself, any base before it will do.
fn in_ci(repo: &dyn Repo, base: &Named, head: &Named, common: Option<&Named>) -> Result<(), RevError> {
    let given = base.name.escape_debug();
    match common {
        Some(common) if common.rev == head.rev => {
            if base.rev != head.rev && is_ancestor(repo, &base.rev, &head.rev)? {
                return Ok(());
            }
            Err(RevError::Unknown(format!(
                "--base {given} is not before head: in CI flags cannot narrow what is judged"
            )))
        }
        Some(common) if common.rev == base.rev => Ok(()),
        Some(common) => Err(RevError::Unknown(format!(
            "--base {given} is not the merge base with {}: in CI flags cannot move what is judged",
            common.name
        ))),
        None => Err(RevError::Unknown(format!(
            "--base {given}: head has no ancestor on the protected branch, so all of it is judged"
        ))),
    }
}

fn is_ancestor(repo: &dyn Repo, older: &Rev, newer: &Rev) -> Result<bool, RevError> {
    Ok(older == newer || repo.merge_base(older, newer)?.as_ref() == Some(older))
}
