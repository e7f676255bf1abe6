//! The runner's event → which repository, base, head and governing revision a check has.
//!
//! What the event says comes first; `--base` and `--head` may take its place within the rules that hold for them in CI,
//! and which branch is protected and what governs they cannot touch.

use std::io::Read as _;

use super::Error;
use crate::forge::event::{BadEvent, Event, Governing, Held, MAX_PAYLOAD, Plan, PlannedBase};
use crate::revision::{self, Base};
use crate::world::{Env, Repo, Rev, RevError};

impl From<BadEvent> for Error {
    fn from(error: BadEvent) -> Self {
        if error.is_usage() { Self::Usage(error.to_string()) } else { Self::Undecided(error.to_string()) }
    }
}

/// The event that GitHub's runner tells of; none elsewhere.
///
/// # Errors
/// A payload that cannot be read: then nothing can be decided.
pub(super) fn of(env: &Env) -> Result<Option<Event>, Error> {
    let get = |name: &str| env.get(name).filter(|value| !value.is_empty());
    let (Some("true"), Some(path)) = (get("GITHUB_ACTIONS").map(String::as_str), get("GITHUB_EVENT_PATH")) else {
        return Ok(None);
    };
    let failed =
        |error: std::io::Error| Error::Undecided(format!("GITHUB_EVENT_PATH: {}: {error}", path.escape_debug()));
    let name = get("GITHUB_EVENT_NAME").ok_or_else(|| Error::Undecided("GITHUB_EVENT_NAME is not set".to_owned()))?;
    // One byte more than is read, so that what is too large is seen to be.
    let cap = u64::try_from(MAX_PAYLOAD).unwrap_or(u64::MAX).saturating_add(1);
    let mut payload = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(cap).read_to_end(&mut payload)).map_err(failed)?;
    Ok(Some(Event::parse(name, &payload)?))
}

/// The environment in which the planned branch is the protected one, whatever the runner calls it.
pub(super) fn protecting(env: &Env, plan: &Plan) -> Env {
    let mut env = env.clone();
    if let Some(branch) = &plan.protected {
        env.insert("GITHUB_BASE_REF".to_owned(), branch.clone());
    }
    env
}

/// The planned base and governing revision, and the remark on them.
pub(super) fn revisions(plan: &Plan) -> (Base, revision::Governing, Option<String>) {
    let governing = match &plan.governing {
        Governing::Tip => revision::Governing::Found,
        Governing::Commit(id) => revision::Governing::Stood(id.clone()),
        Governing::Defaults => revision::Governing::Defaults,
    };
    let (base, note) = match &plan.base {
        PlannedBase::MergeBase => (Base::Found, plan.note.clone()),
        PlannedBase::Commit(id) => (Base::Stood(id.clone()), plan.note.clone()),
        PlannedBase::Empty(why) => (Base::Empty, Some(why.clone())),
    };
    (base, governing, note)
}

/// Whether the repository holds what the event tells of.
///
/// # Errors
/// What does not hold, and what is not there to tell.
pub(super) fn hold(repo: &dyn Repo, plan: &Plan) -> Result<(), Error> {
    let head = repo.resolve(&plan.head).map_err(|error| not_here(&error, plan))?;
    for must in &plan.must {
        let holds = match &must.held {
            Held::SecondParent(id) => match repo.resolve(&format!("{}^2", plan.head)) {
                Ok(Rev::Commit { id: parent, .. }) => parent.to_string() == *id,
                Ok(_) | Err(RevError::Unknown(_)) => false,
                Err(missing) => return Err(not_here(&missing, plan)),
            },
            Held::Ancestor(id) => {
                let older = repo.resolve(id).map_err(|error| not_here(&error, plan))?;
                repo.merge_base(&older, &head)? == Some(older)
            }
        };
        if !holds {
            return Err(Error::Undecided(must.otherwise.clone()));
        }
    }
    Ok(())
}

/// What is planned is not wrong usage of whoever started the workflow: it has to be fetched.
fn not_here(error: &RevError, plan: &Plan) -> Error {
    Error::Undecided(format!("{error}; this event needs: git fetch --no-tags origin {}", plan.fetch.join(" ")))
}

#[cfg(test)]
mod tests;
