//! From what a person can name to a commit.
//!
//! A name is looked up in a few fixed places, and has to be in exactly one of them: a branch and a tag of one name
//! would let whoever may push tags choose the revision that is judged.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::{CommitRefIter, Kind, TagRefIter};
use gix::refs::Target;

use super::{DEEPEN, GitRepo, MAX_STRUCTURE, oid, one_line};
use crate::world::{Rev, RevError};

/// Symbolic references and annotated tags may point on to each other this often.
const MAX_HOPS: usize = 16;

/// What is needed of a commit.
pub(super) struct Commit {
    pub(super) tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
}

/// A step from a commit to one of its ancestors.
enum Step {
    /// `~N`: the first parent's first parent, and so on.
    Up(u32),
    /// `^N`: the Nth parent.
    Parent(u32),
}

impl GitRepo {
    /// A commit with its time.
    pub(super) fn rev(&self, id: ObjectId) -> Result<Rev, RevError> {
        let time = self.commit(id)?.time;
        let id = oid(&id).map_err(|why| RevError::Missing(why.to_string()))?;
        Ok(Rev::Commit { id, time })
    }

    /// The commit that a revision is or stands on; `None` for an empty one and before the first commit.
    pub(super) fn stands_on(&self, rev: &Rev) -> Result<Option<ObjectId>, RevError> {
        match rev {
            Rev::Commit { id, .. } => Ok(Some(ObjectId::Sha1(id.0))),
            Rev::Index | Rev::WorkTree => self.head(),
            Rev::Empty => Ok(None),
        }
    }

    /// The checked-out commit; `None` before the first one.
    pub(super) fn head(&self) -> Result<Option<ObjectId>, RevError> {
        self.find_ref("HEAD")?.map(|id| self.peel(id, "HEAD")).transpose()
    }

    pub(super) fn resolve_id(&self, spec: &str) -> Result<ObjectId, RevError> {
        let (name, suffix) = spec.split_at(spec.find(['~', '^']).unwrap_or(spec.len()));
        let mut id = self.resolve_name(name, spec)?;
        for step in steps(suffix, spec)? {
            let (times, number) = match step {
                Step::Up(times) => (times, 1),
                Step::Parent(0) => (0, 0),
                Step::Parent(number) => (1, number),
            };
            for _ in 0..times {
                id = self.parent(id, number)?.ok_or_else(|| {
                    RevError::Unknown(format!("\"{}\": commit {id} has no parent {number}", spec.escape_debug()))
                })?;
            }
        }
        Ok(id)
    }

    fn resolve_name(&self, name: &str, spec: &str) -> Result<ObjectId, RevError> {
        let shown = spec.escape_debug();
        if name == "HEAD" || name == "@" {
            return self.head()?.ok_or_else(|| RevError::Unknown(format!("\"{shown}\": there is no commit yet")));
        }
        let is_hex = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && name.len() == 40 {
            // A full id is an id, as in git: there is no fuller spelling that could tell it from a reference.
            let id = ObjectId::from_hex(name.to_ascii_lowercase().as_bytes());
            return self.peel(id.map_err(|_| RevError::Unknown(format!("\"{shown}\" is no commit id")))?, name);
        }
        let places: &[&str] =
            if name.starts_with("refs/") { &[""] } else { &["refs/heads/", "refs/tags/", "refs/remotes/"] };
        let mut found = Vec::new();
        for place in places {
            let full = format!("{place}{name}");
            if let Some(id) = self.find_ref(&full)? {
                found.push((full, id));
            }
        }
        if is_hex && name.len() >= 4 {
            for id in self.abbreviated(name)? {
                found.push((format!("commit {id}"), id));
            }
        }
        match found.as_slice() {
            [(full, id)] => self.peel(*id, full),
            [] => {
                let hint =
                    if self.is_shallow() { "; this is a shallow clone, which may lack it: fetch it" } else { "" };
                Err(RevError::Unknown(format!("\"{shown}\" is no branch, tag, remote branch or commit id here{hint}")))
            }
            [(first, _), (second, _), ..] => Err(RevError::Unknown(format!(
                "\"{shown}\" names both {} and {}; write the full reference name or the full commit id",
                first.escape_debug(),
                second.escape_debug()
            ))),
        }
    }

    /// What a reference points at, following symbolic ones; `None` where there is none of exactly this name.
    fn find_ref(&self, full: &str) -> Result<Option<ObjectId>, RevError> {
        let mut name = full.to_owned();
        for _ in 0..MAX_HOPS {
            match self.ref_target(&name)? {
                None => return Ok(None),
                Some(Target::Object(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => name = next.as_bstr().to_string(),
            }
        }
        Err(RevError::Missing(format!("reference {} points in circles", full.escape_debug())))
    }

    fn ref_target(&self, full: &str) -> Result<Option<Target>, RevError> {
        // An ill-formed name is no reference's name, and nothing else is wrong.
        let Ok(name) = <&gix::refs::FullNameRef>::try_from(full) else { return Ok(None) };
        let found = self.repo.refs.try_find(name).map_err(|error| {
            RevError::Missing(one_line(&format!("reference {} cannot be read: {error}", full.escape_debug())))
        })?;
        // The store would also look in other places for the name.
        Ok(found.filter(|found| found.name.as_bstr() == full).map(|found| found.target))
    }

    /// The commits whose id begins like this. Objects of other kinds do not count, as in git.
    fn abbreviated(&self, hex: &str) -> Result<Vec<ObjectId>, RevError> {
        let Ok(prefix) = gix::hash::Prefix::from_hex(&hex.to_ascii_lowercase()) else { return Ok(Vec::new()) };
        let mut candidates = HashSet::default();
        self.repo
            .objects
            .lookup_prefix(prefix, Some(&mut candidates))
            .map_err(|error| RevError::Missing(one_line(&format!("\"{hex}\" cannot be looked up: {error}"))))?;
        let is_commit = |id: &ObjectId| {
            self.repo.find_header(*id).is_ok_and(|header| matches!(header.kind(), Kind::Commit | Kind::Tag))
        };
        let mut ids: Vec<ObjectId> = candidates.into_iter().filter(is_commit).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The commit that an id stands for: itself, or what an annotated tag names.
    fn peel(&self, mut id: ObjectId, name: &str) -> Result<ObjectId, RevError> {
        for _ in 0..MAX_HOPS {
            let object = self.object(id, MAX_STRUCTURE, "object");
            match object.map_err(|why| RevError::Missing(why.to_string()))? {
                None => return Err(RevError::Missing(format!("{}: {}", name.escape_debug(), self.missing(id)))),
                Some((Kind::Commit, _)) => return Ok(id),
                Some((Kind::Tag, data)) => {
                    let target = TagRefIter::from_bytes(&data, gix::hash::Kind::Sha1).target_id();
                    id = target.map_err(|_| RevError::Missing(format!("tag object {id} is malformed")))?;
                }
                Some((kind, _)) => {
                    return Err(RevError::Unknown(format!("{} names a {kind}, not a commit", name.escape_debug())));
                }
            }
        }
        Err(RevError::Unknown(format!("{} is a tag of a tag, nested too deeply", name.escape_debug())))
    }

    /// A commit, hash-verified.
    pub(super) fn commit(&self, id: ObjectId) -> Result<Commit, RevError> {
        let object = self.object(id, MAX_STRUCTURE, "commit").map_err(|why| RevError::Missing(why.to_string()))?;
        let malformed = |_| RevError::Missing(format!("commit {id} is malformed"));
        match object {
            Some((Kind::Commit, data)) => {
                let mut fields = CommitRefIter::from_bytes(&data, gix::hash::Kind::Sha1);
                let tree = fields.tree_id().map_err(malformed)?;
                let parents = fields.parent_ids().collect();
                let time = fields.committer().and_then(|committer| committer.time()).map_err(malformed)?.seconds;
                Ok(Commit { tree, parents, time })
            }
            Some((kind, _)) => Err(RevError::Unknown(format!("{id} is a {kind}, not a commit"))),
            None => Err(RevError::Missing(self.missing(id))),
        }
    }

    /// The Nth parent, counted from 1; `None` where the commit was made without it. The commit itself tells, so that
    /// the end of a shallow history is never taken for its beginning.
    pub(super) fn parent(&self, id: ObjectId, number: u32) -> Result<Option<ObjectId>, RevError> {
        let commit = self.commit(id)?;
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(parent) = commit.parents.get(index).copied() else { return Ok(None) };
        if self.repo.has_object(parent) {
            return Ok(Some(parent));
        }
        Err(RevError::Missing(format!("the history of commit {id} is cut off here: {}", self.missing(parent))))
    }

    pub(super) fn common_ancestor(&self, a: ObjectId, b: ObjectId) -> Result<Option<ObjectId>, RevError> {
        let failed = |error: gix::Error| RevError::Missing(one_line(&format!("merge base of {a} and {b}: {error}")));
        for id in [a, b] {
            if !self.repo.has_object(id) {
                return Err(RevError::Missing(self.missing(id)));
            }
        }
        // Of a shallow clone the commit graph, where there is one, may know a history that is not there.
        let cache = if self.is_shallow() { None } else { self.repo.commit_graph_if_enabled().unwrap_or(None) };
        let mut graph = self.repo.revision_graph(cache.as_ref());
        if let Some(base) = self.repo.merge_base_with_graph(a, b, &mut graph).map_err(failed)? {
            return Ok(Some(base.detach()));
        }
        // The search passes over parents that are not there. Only a history without gaps shows there is no base.
        let (mut seen, mut queue) = (HashSet::from([a, b]), vec![a, b]);
        while let Some(id) = queue.pop() {
            for parent in self.commit(id)?.parents {
                if !self.repo.has_object(parent) {
                    let why = if self.is_shallow() { DEEPEN.to_owned() } else { self.missing(parent) };
                    return Err(RevError::Missing(format!(
                        "the histories of {a} and {b} are cut off before they meet; {why}"
                    )));
                }
                if seen.insert(parent) {
                    queue.push(parent);
                }
            }
        }
        Ok(None)
    }

    /// The commit at the tip of the remote's default branch, and its short name.
    pub(super) fn default_tip(&self) -> Result<Option<(ObjectId, String)>, RevError> {
        let mut tips: Vec<String> = Vec::new();
        if let Some(name) = self.env.get("GITHUB_BASE_REF").filter(|name| !name.is_empty()) {
            let target = format!("refs/remotes/origin/{name}");
            if self.find_ref(&target)?.is_none() {
                let name = name.escape_debug();
                return Err(RevError::Missing(format!(
                    "GITHUB_BASE_REF names {name}, which is not here: git fetch origin {name}"
                )));
            }
            tips.push(target);
        }
        let names = self.repo.remote_names();
        let sole = names.iter().next().filter(|name| names.len() == 1 && name.as_bstr() != "origin");
        let remotes: Vec<String> = std::iter::once("origin".to_owned()).chain(sole.map(ToString::to_string)).collect();
        for remote in &remotes {
            if let Some(Target::Symbolic(name)) = self.ref_target(&format!("refs/remotes/{remote}/HEAD"))? {
                tips.push(name.as_bstr().to_string());
            }
        }
        for remote in &remotes {
            let guesses = ["main", "master"].map(|branch| format!("refs/remotes/{remote}/{branch}"));
            let [main, master] = &guesses;
            // A guess is good while there is one: whoever may push branches could add the other.
            if tips.is_empty() && self.find_ref(main)?.is_some() && self.find_ref(master)?.is_some() {
                return Err(RevError::Missing(format!(
                    "{remote} has both main and master: say which one is protected with git remote set-head {remote} --auto"
                )));
            }
            tips.extend(guesses);
        }
        for tip in tips {
            if let Some(id) = self.find_ref(&tip)? {
                let short = tip.strip_prefix("refs/remotes/").unwrap_or(&tip).to_owned();
                return Ok(Some((self.peel(id, &tip)?, short)));
            }
        }
        Ok(None)
    }
}

/// The steps that a suffix of `~`, `~N`, `^` and `^N` asks for.
fn steps(mut suffix: &str, spec: &str) -> Result<Vec<Step>, RevError> {
    let unknown = || {
        let shown = spec.escape_debug();
        RevError::Unknown(format!("\"{shown}\": after a name only ~, ~N, ^ and ^N are understood"))
    };
    let mut steps = Vec::new();
    while let Some(sign) = suffix.chars().next() {
        let rest = suffix.strip_prefix(['~', '^']).ok_or_else(unknown)?;
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = rest.strip_suffix(after).unwrap_or_default();
        let number = if digits.is_empty() { 1 } else { digits.parse().map_err(|_| unknown())? };
        steps.push(if sign == '~' { Step::Up(number) } else { Step::Parent(number) });
        suffix = after;
    }
    Ok(steps)
}
