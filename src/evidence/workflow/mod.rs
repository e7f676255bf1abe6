//! Facts of GitHub workflows and actions: what an attacker could use.
//!
//! Bytes become nodes (`ecosystem::syntax::yaml`), nodes a typed file (`read`). `access` says which events start what,
//! and whether strangers cause them; `taint` which values hold strangers' text; `script` cuts what is run into
//! commands. `jobs` and `steps` then look at each job and step for every [`Weakness`]. [`new`] takes what base had
//! away. [`gate`] compares the gate's own job, [`gate_uses`] lists the files that it is made of besides, and
//! [`job_names`] what could answer for it. A call of the repository's own files is followed whether it says `./path` or
//! `owner/name/path@ref`.
//!
//! What [`Weak::is_exposed`] says, by weakness:
//! - privileged-trigger: a job runs on that event whose `if` keeps strangers out by nothing that is known.
//! - template-injection, input-injection: the text is known to arrive as it was written, not made anew by a script.
//! - head-checkout: it is known to be head, and a later step runs something, so that head's files may be what it runs;
//!   else what is checked out is made of more than fixed text and the repository's own values.
//! - persisted-credentials: a later step uploads the work tree or is somebody else's action, or strangers start the run.
//! - environment-injection: strangers' text is known to be written to `GITHUB_ENV` or `GITHUB_PATH`; else it is written to
//!   `GITHUB_OUTPUT`, or what is written is made while it runs beside files of strangers.
//! - self-hosted-runner: a label says `self-hosted`; else it is only none of GitHub's own.
//! - cache-poisoning: strangers' files are checked out beside the cache, or pull requests run the workflow as well.
//! - secret-to-third-party: the secret is another than the run's own token.
//! - secret-in-output: it is printed or becomes an output; else it is the run's own token, or it is put into the environment of later steps.
//! - inherited-secrets: the workflow that inherits them is another repository's.
//!
//! Nothing is skipped in silence: what has another shape than the syntax wants is an [`Unread`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::RepoPath;
use crate::model::step::{Weak, Weakness};
use crate::model::tree::Unread;

mod access;
mod calls;
mod expression;
mod gate;
mod heads;
mod jobs;
mod left;
mod names;
mod piped;
mod read;
mod script;
mod secrets;
mod sinks;
mod steps;
mod taint;
mod told;

#[cfg(test)]
mod tests;

pub use calls::gate_uses;
pub use gate::gate;
pub use names::job_names;

/// Weaknesses of one file that are listed.
const MAX_WEAK: usize = 5_000;

/// Bytes of a line that is looked through for a text.
const MAX_LINE: usize = 1 << 14;

/// Lines that a scalar's text may stand below where it is looked for.
const MAX_FOLDED: u32 = 32;

/// Rounds over the calls between files of one repository. Each goes one call deeper; GitHub's own limit is ten.
const MAX_CALLS: usize = 12;

/// What is known about a file from around it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The repository, as `owner/name`; `None` where nobody says. Actions of the same owner are no third party.
    pub repository: Option<String>,
    /// Events that reach a reusable workflow or an action through the workflows that call it, by its path.
    events: BTreeMap<RepoPath, BTreeSet<String>>,
    /// Inputs of such a file that its callers fill with strangers' text, with what that is.
    given: BTreeMap<RepoPath, BTreeMap<String, String>>,
}

impl Surroundings {
    /// From every workflow and action file of a revision. A file that cannot be read calls nobody here: it is said
    /// where its own weaknesses are asked for.
    #[must_use]
    pub fn of<'b>(repository: Option<&str>, files: impl IntoIterator<Item = (&'b RepoPath, &'b [u8])>) -> Self {
        let mut found = Self { repository: repository.map(str::to_owned), ..Self::default() };
        let mut callers: Vec<(&RepoPath, &[u8])> = files.into_iter().collect();
        for _ in 0..MAX_CALLS {
            let mut is_changed = false;
            callers.retain(|(path, bytes)| {
                let news = found.call(path, bytes);
                is_changed |= news == Some(true);
                news.is_some()
            });
            if !is_changed {
                break;
            }
        }
        found
    }

    /// Adds what one file hands to the files that it calls; whether something is new, or `None` where it calls none.
    fn call(&mut self, path: &RepoPath, bytes: &[u8]) -> Option<bool> {
        let root = read::nodes(bytes).ok()?;
        let document = read::document(&root, is_action(path)).ok()?;
        let mut is_changed = false;
        let held = self.events.entry(path.clone()).or_default();
        if !document.is_action {
            held.extend(access::events(&document));
        }
        let reach = held.clone();
        let known = taint::Known::of(&document, self.given.get(path));
        let mut calls: Vec<(usize, String, &[read::Pair<'_>])> = Vec::new();
        let own = self.repository.clone();
        let local = |uses: read::Text<'_>| calls::local(uses.text, own.as_deref());
        for (number, job) in document.jobs.iter().enumerate() {
            calls.extend(job.uses.and_then(local).map(|callee| (number, callee, job.with.as_slice())));
            let of_steps = job.steps.iter();
            calls.extend(of_steps.filter_map(|step| Some((number, local(step.uses?)?, step.with.as_slice()))));
        }
        if calls.is_empty() {
            return None;
        }
        for (number, callee, with) in calls {
            for file in calls::files_of(&callee) {
                let held = self.events.entry(file.clone()).or_default();
                let before = held.len();
                held.extend(reach.iter().cloned());
                is_changed |= held.len() > before;
                for pair in with {
                    let taint = known.text(number, &known.env, pair.value.text);
                    if let Some(taint) = taint.filter(|taint| taint.writer == taint::Writer::Outsider) {
                        let given = self.given.entry(file.clone()).or_default();
                        is_changed |= given.insert(pair.key.to_ascii_lowercase(), taint.source).is_none();
                    }
                }
            }
        }
        Some(is_changed)
    }

    /// The owner of the repository, in lower case.
    fn owner(&self) -> Option<String> {
        let owner = self.repository.as_ref()?.split_once('/').map(|(owner, _)| owner.to_ascii_lowercase());
        owner.filter(|owner| !owner.is_empty())
    }
}

/// Whether a path is an action's metadata.
fn is_action(path: &RepoPath) -> bool {
    !path.is_within(&RepoPath::new(".github/workflows")) && matches!(path.file_name(), "action.yml" | "action.yaml")
}

/// Every weakness of a workflow or action file, in the order of its lines.
///
/// # Errors
/// It cannot be read as what it is, or holds more than is listed.
pub fn weaknesses(path: &RepoPath, bytes: &[u8], surroundings: &Surroundings) -> Result<Vec<Weak>, Unread> {
    let root = read::nodes(bytes)?;
    let document = read::document(&root, is_action(path))?;
    let mut events = access::events(&document);
    events.extend(surroundings.events.get(path).into_iter().flatten().cloned());
    let known = taint::Known::of(&document, surroundings.given.get(path));
    if known.is_unsettled {
        let reason = "its jobs hand text to each other through more steps than are followed";
        return Err(Unread::Unsupported(reason.to_owned()));
    }
    let lines: Vec<&str> = std::str::from_utf8(bytes).unwrap_or_default().lines().collect();
    let mut finder =
        Finder { document: &document, events, known, owner: surroundings.owner(), lines, weak: Vec::new() };
    jobs::of_file(&mut finder);
    let mut weak = finder.weak;
    if weak.len() > MAX_WEAK {
        let what = "what is weak in the file, in places,".to_owned();
        return Err(Unread::TooLarge { what, size: weak.len() as u64, cap: MAX_WEAK as u64 });
    }
    weak.sort_by(|a, b| (a.line, a.weakness, &a.detail).cmp(&(b.line, b.weakness, &b.detail)));
    Ok(weak)
}

/// What head has and base has not. Lines do not count, and a step may be renamed; a run that strangers can now start with
/// secrets, or one that now stands beside what makes it dangerous, is another than it was. What only became more harmless
/// is not new.
#[must_use]
pub fn new(base: &[Weak], head: &[Weak]) -> Vec<Weak> {
    let (base, head) = (base.iter().collect(), head.iter().collect());
    let (base, head) = unmatched(base, head, &|weak| (weak.weakness, &weak.job, &weak.detail, &weak.step));
    let (_, mut found) = unmatched(base, head, &|weak| (weak.weakness, &weak.job, &weak.detail, ""));
    found.sort_by(|a, b| (a.line, a.weakness, &a.detail).cmp(&(b.line, b.weakness, &b.detail)));
    found.into_iter().cloned().collect()
}

/// What tells two weaknesses apart.
type Key<'w> = (Weakness, &'w str, &'w str, &'w str);

/// Pairs what is equal by a key and at least as bad in base, one for one, and gives back what is left on both sides.
fn unmatched<'w>(
    base: Vec<&'w Weak>,
    mut head: Vec<&'w Weak>,
    key: &dyn Fn(&'w Weak) -> Key<'w>,
) -> (Vec<&'w Weak>, Vec<&'w Weak>) {
    let rank = |weak: &Weak| (weak.is_privileged, weak.is_exposed);
    let mut had: HashMap<Key<'w>, Vec<&'w Weak>> = HashMap::new();
    for weak in base {
        had.entry(key(weak)).or_default().push(weak);
    }
    // The worst of head take first; each takes an equal one, or else the least bad that is at least as bad in both ways.
    head.sort_by_key(|weak| std::cmp::Reverse(rank(weak)));
    had.values_mut().for_each(|weak| weak.sort_by_key(|weak| rank(weak)));
    head.retain(|weak| {
        let Some(left) = had.get_mut(&key(weak)) else { return true };
        let is_as_bad =
            |other: &&Weak| other.is_privileged >= weak.is_privileged && other.is_exposed >= weak.is_exposed;
        match left.iter().position(is_as_bad) {
            Some(at) => {
                left.remove(at);
                false
            }
            None => true,
        }
    });
    (had.into_values().flatten().collect(), head)
}

/// A file under examination.
struct Finder<'d> {
    document: &'d read::Document<'d>,
    /// Events that start it, those of its callers with them.
    events: access::Events,
    known: taint::Known,
    owner: Option<String>,
    lines: Vec<&'d str>,
    weak: Vec<Weak>,
}

impl Finder<'_> {
    /// The line of a byte of a scalar.
    fn line_at(&self, text: read::Text<'_>, offset: usize) -> u32 {
        let before = text.text.get(..offset).unwrap_or_default();
        self.line_near(text, before.bytes().filter(|byte| *byte == b'\n').count() as u32, offset)
    }

    /// The line of a byte that stands so many lines into a scalar. Block scalars start below their mark and quoted ones
    /// may be folded, so the text there is looked for nearby.
    fn line_near(&self, text: read::Text<'_>, newlines: u32, offset: usize) -> u32 {
        let rest = text.text.get(offset..).unwrap_or_default().trim_start_matches(' ');
        let wanted: String = rest.chars().take(24).take_while(|c| !matches!(c, '\n' | '\r')).collect();
        let wanted = wanted.trim_end();
        let first = text.line.saturating_add(newlines);
        let holds = |line: &u32| {
            let at = (*line as usize).checked_sub(1);
            at.and_then(|at| self.lines.get(at)).is_some_and(|line| line.len() < MAX_LINE && line.contains(wanted))
        };
        if wanted.is_empty() {
            return first;
        }
        (first..first.saturating_add(MAX_FOLDED)).find(holds).unwrap_or(text.line)
    }

    /// The line of each of a scalar's lines.
    fn lines_of(&self, text: read::Text<'_>) -> LinesOf {
        let mut offset = 0;
        let starts = text.text.split_inclusive('\n').map(|line| {
            offset += line.len();
            offset - line.len()
        });
        LinesOf(starts.collect())
    }
}

/// Where the lines of a scalar start.
struct LinesOf(Vec<usize>);

impl LinesOf {
    /// The line of the file, for a line of the scalar counted from 0.
    fn of(&self, finder: &Finder<'_>, text: read::Text<'_>, line: u32) -> u32 {
        finder.line_near(text, line, self.0.get(line as usize).copied().unwrap_or_default())
    }
}
