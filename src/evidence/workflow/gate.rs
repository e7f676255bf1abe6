//! The gate's own job, before and after.
//!
//! A job is the gate's where a step uses an action, or a command of a step runs a program, that is named `portcullis`.
//! Jobs are paired by id, runs of the gate in their order, equal ones first. What is compared: whether the job still
//! runs (`gate-skippable`: a job that is skipped counts as passed for a required check, docs.github.com,
//! "Troubleshooting required status checks", and one is skipped where a job that it needs fails), whether it is still there under its name (`gate-removed`), and whether it
//! still judges the same way (`gate-weakened`). What else changed is nothing here.

use std::collections::{BTreeMap, HashMap, HashSet};

use same::{always, differing, forgives, is_equal, job_signature, line_of, narrowed, same, signature, spaced, steers};

use super::access;
use super::read::{self, Document, Job, Pair, Permissions, Step, Text, shown};
use super::{MAX_WEAK, is_action, jobs, steps};
use crate::model::RepoPath;
use crate::model::step::{Weak, Weakness};
use crate::model::tree::Unread;

mod command;
mod same;

/// The gate's name.
const NAME: &str = "portcullis";

/// What a change to a file does to the gate that runs in it. `None` is a file that is not there.
///
/// # Errors
/// One of the two cannot be read, and base may run the gate: what it did there is then not known. Or there is more than
/// is listed.
pub fn gate(base: Option<&[u8]>, head: Option<&[u8]>, path: &RepoPath) -> Result<Vec<Weak>, Unread> {
    let Some(base) = base else { return Ok(Vec::new()) };
    let base = read::nodes(base)?;
    let base = read::document(&base, is_action(path))?;
    let had: Vec<&Job<'_>> = base.jobs.iter().filter(|job| is_gate(job)).collect();
    if had.is_empty() {
        return Ok(Vec::new());
    }
    let events = access::events(&base);
    let Some(head) = head else {
        let gone = |job: &&Job<'_>| {
            let detail = "the file is gone".to_owned();
            jobs::weak(Weakness::GateRemoved, job.id, 0, detail, &events)
        };
        return Ok(had.iter().map(gone).collect());
    };
    let head = read::nodes(head)?;
    let head = read::document(&head, is_action(path))?;
    let events = access::events(&head);
    let changed = changed(&base, &head);
    let mut found = Vec::new();
    for old in had {
        let (job, found_here) = (old.id, Vec::new());
        let mut compare =
            Compare { base: &base, head: &head, job, events: &events, changed: &changed, found: found_here };
        match head.jobs.iter().find(|job| job.id == old.id) {
            None => compare.say(Weakness::GateRemoved, "", 0, "the job is gone, or has another id".to_owned()),
            Some(new) => {
                compare.file();
                compare.names(old, new);
                compare.job(old, new);
                compare.steps(old, new);
            }
        }
        found.append(&mut compare.found);
        if found.len() > MAX_WEAK {
            let what = "what is weak about the gate in the file, in places,".to_owned();
            return Err(Unread::TooLarge { what, size: found.len() as u64, cap: MAX_WEAK as u64 });
        }
    }
    found.sort_by(|a, b| (a.line, a.weakness, &a.detail).cmp(&(b.line, b.weakness, &b.detail)));
    found.dedup();
    Ok(found)
}

/// Whether a job runs the gate.
pub(super) fn is_gate(job: &Job<'_>) -> bool {
    job.uses.is_some_and(|uses| is_named(uses.text))
        || job.container.iter().any(|pair| pair.key == "image" && is_named(pair.value.text))
        || job.steps.iter().any(runs_gate)
}

fn runs_gate(step: &Step<'_>) -> bool {
    step.uses.is_some_and(|uses| is_named(uses.text)) || step.run.is_some_and(|run| !command::runs(run.text).is_empty())
}

/// Whether what is used has the gate's name.
fn is_named(uses: &str) -> bool {
    let name = uses.split_once('@').map_or(uses, |(name, _)| name);
    name.to_ascii_lowercase().contains(NAME)
}

/// A job that must pass before the gate's.
struct Needed {
    /// Its `if`, where that does not always hold.
    condition: Option<String>,
    line: u32,
}

struct Compare<'c> {
    base: &'c Document<'c>,
    head: &'c Document<'c>,
    job: &'c str,
    events: &'c access::Events,
    /// Jobs of both that do something else in head.
    changed: &'c HashSet<&'c str>,
    found: Vec<Weak>,
}

/// Jobs of both files that pass or fail by something else than before.
fn changed<'c>(base: &'c Document<'_>, head: &'c Document<'_>) -> HashSet<&'c str> {
    let had: HashMap<&str, String> = base.jobs.iter().map(|job| (job.id, job_signature(job))).collect();
    let is_changed = |job: &&Job<'_>| had.get(job.id).is_some_and(|had| *had != job_signature(job));
    head.jobs.iter().filter(is_changed).map(|job| job.id).collect()
}

impl Compare<'_> {
    fn say(&mut self, weakness: Weakness, step: &str, line: u32, detail: String) {
        let weak = jobs::weak(weakness, self.job, line, detail, self.events);
        self.found.push(Weak { step: step.to_owned(), ..weak });
    }

    /// What the whole file says.
    fn file(&mut self) {
        let (base, head) = (self.base, self.head);
        let first = head.triggers.first().map_or(1, |trigger| trigger.line);
        for old in &base.triggers {
            let event = shown(old.event);
            match head.triggers.iter().find(|new| new.event == old.event) {
                None => self.say(Weakness::GateSkippable, "", first, format!("it no longer runs on {event}")),
                Some(new) => {
                    for key in narrowed(old, new) {
                        let detail = format!("it runs on {event} for less than before: `{}`", shown(&key));
                        self.say(Weakness::GateSkippable, "", new.line, detail);
                    }
                }
            }
        }
        self.concurrency(&base.concurrency, &head.concurrency);
        for key in differing(&base.shell, &head.shell) {
            let line = line_of(&head.shell, &key, first);
            self.say(Weakness::GateWeakened, "", line, format!("`defaults` changed: `{key}`"));
        }
        self.env(&base.env, &head.env, "", first);
    }

    fn concurrency(&mut self, old: &[Pair<'_>], new: &[Pair<'_>]) {
        let cancels = |pairs: &[Pair<'_>]| {
            let cancel = pairs.iter().find(|pair| pair.key == "cancel-in-progress");
            cancel.filter(|pair| pair.value.text.trim() != "false").map(|pair| pair.value.line)
        };
        if let Some(line) = cancels(new)
            && (cancels(old).is_none() || !differing(old, new).is_empty())
        {
            let detail = "another run may cancel it: `cancel-in-progress`".to_owned();
            self.say(Weakness::GateSkippable, "", line, detail);
        }
    }

    fn env(&mut self, old: &[Pair<'_>], new: &[Pair<'_>], step: &str, line: u32) {
        for key in differing(old, new).into_iter().filter(|key| steers(key)) {
            let line = line_of(new, &key, line);
            self.say(Weakness::GateWeakened, step, line, format!("its environment changed: `{key}`"));
        }
    }

    /// Other jobs of the file that could answer for the gate's check.
    fn names(&mut self, old: &Job<'_>, new: &Job<'_>) {
        let name = |job: &Job<'_>| job.name.map_or(job.id, |name| name.text.trim()).to_owned();
        let had: HashSet<(&str, String)> = self.base.jobs.iter().map(|job| (job.id, name(job))).collect();
        let own = [name(old), name(new)];
        for job in self.head.jobs.iter().filter(|job| job.id != new.id) {
            let its = name(job);
            if had.contains(&(job.id, its.clone())) {
                continue;
            }
            let line = job.name.map_or(job.line, |name| name.line);
            if own.contains(&its) {
                let detail = format!("the job `{}` has the name of its check", shown(job.id));
                self.say(Weakness::GateWeakened, "", line, detail);
            } else if its.contains("${{") {
                let detail =
                    format!("the job `{}` may have the name of its check: an expression makes it", shown(job.id));
                self.say(Weakness::GateWeakened, "", line, detail);
            }
        }
    }

    /// What the job says.
    fn job(&mut self, old: &Job<'_>, new: &Job<'_>) {
        let name = |job: &Job<'_>| job.name.map_or(job.id, |name| name.text.trim()).to_owned();
        if name(old) != name(new) {
            let line = new.name.map_or(new.line, |name| name.line);
            let detail = format!("its check is `{}` and was `{}`", shown(&name(new)), shown(&name(old)));
            self.say(Weakness::GateRemoved, "", line, detail);
        }
        if !always(new.condition) && !same(old.condition, new.condition) {
            let line = new.condition.map_or(new.line, |text| text.line);
            self.say(Weakness::GateSkippable, "", line, "the job has another `if`".to_owned());
        }
        if forgives(new.continue_on_error) && !same(old.continue_on_error, new.continue_on_error) {
            let line = new.continue_on_error.map_or(new.line, |text| text.line);
            self.say(Weakness::GateSkippable, "", line, "the job may fail: `continue-on-error`".to_owned());
        }
        self.needs(old, new);
        match (old.matrix, new.matrix) {
            (None, None) => {}
            (old, Some(matrix)) if !old.is_some_and(|old| is_equal(old, matrix)) => {
                let detail = "its `strategy` changed: a matrix may be empty, and names its checks".to_owned();
                self.say(Weakness::GateSkippable, "", matrix.line, detail);
            }
            (Some(_), None) => {
                self.say(
                    Weakness::GateRemoved,
                    "",
                    new.line,
                    "its checks were named by a matrix that is gone".to_owned(),
                );
            }
            _ => {}
        }
        self.concurrency(&old.concurrency, &new.concurrency);
        self.surroundings(old, new);
    }

    /// Where the job runs, and as whom.
    fn surroundings(&mut self, old: &Job<'_>, new: &Job<'_>) {
        let labels = |job: &Job<'_>| job.runs_on.iter().map(|label| label.text.trim().to_owned()).collect::<Vec<_>>();
        if labels(old) != labels(new) {
            let line = new.runs_on.first().map_or(new.line, |label| label.line);
            self.say(Weakness::GateWeakened, "", line, "it runs on another runner".to_owned());
        }
        for key in differing(&old.container, &new.container) {
            let line = line_of(&new.container, &key, new.line);
            self.say(Weakness::GateWeakened, "", line, format!("its `{key}` changed"));
        }
        for key in differing(&old.shell, &new.shell) {
            let line = line_of(&new.shell, &key, new.line);
            self.say(Weakness::GateWeakened, "", line, format!("`defaults` changed: `{key}`"));
        }
        for key in differing(&old.environment, &new.environment) {
            let line = line_of(&new.environment, &key, new.line);
            self.say(Weakness::GateWeakened, "", line, "its `environment` changed".to_owned());
        }
        let said = |document: &Document<'_>, job: &Job<'_>| {
            let of = if job.permissions == Permissions::Absent { &document.permissions } else { &job.permissions };
            match of {
                Permissions::Absent => None,
                Permissions::All(level) => Some(vec![("*".to_owned(), level.text.trim().to_owned())]),
                Permissions::Scopes(scopes) => {
                    let given = scopes.iter().filter(|scope| scope.value.text.trim() != "none");
                    let mut all: Vec<_> = given.map(|s| (s.key.to_owned(), s.value.text.trim().to_owned())).collect();
                    all.sort();
                    Some(all)
                }
            }
        };
        if said(self.base, old) != said(self.head, new) {
            self.say(Weakness::GateWeakened, "", new.line, "its `permissions` changed".to_owned());
        }
        self.env(&old.env, &new.env, "", new.line);
        let plain = |uses: Option<Text<'_>>| uses.map(|uses| uses.text.trim().to_owned());
        if plain(old.uses) != plain(new.uses) {
            let line = new.uses.map_or(new.line, |uses| uses.line);
            let to = new.uses.map_or_else(|| "nothing".to_owned(), |uses| shown(uses.text));
            self.say(Weakness::GateWeakened, "", line, format!("it is taken from {to}"));
        }
        for key in differing(&old.with, &new.with) {
            let line = line_of(&new.with, &key, new.line);
            self.say(Weakness::GateWeakened, "", line, format!("its input `{key}` changed"));
        }
    }

    /// Jobs that must pass before it: where one is skipped or fails, so is the gate.
    fn needs(&mut self, old: &Job<'_>, new: &Job<'_>) {
        if always(new.condition) && new.condition.is_some_and(|text| text.text.contains('(')) {
            return;
        }
        let closure = |document: &Document<'_>, job: &Job<'_>| -> BTreeMap<String, Needed> {
            let by_id: HashMap<&str, &Job<'_>> = document.jobs.iter().map(|job| (job.id, job)).collect();
            let mut seen = BTreeMap::new();
            let mut open: Vec<&str> = job.needs.clone();
            while let Some(id) = open.pop() {
                if seen.contains_key(id) {
                    continue;
                }
                let needed = by_id.get(id);
                let condition = needed.and_then(|job| job.condition).filter(|text| !always(Some(*text)));
                let line = needed.map_or(job.line, |job| job.line);
                seen.insert(id.to_owned(), Needed { condition: condition.map(spaced), line });
                open.extend(needed.into_iter().flat_map(|job| job.needs.iter().copied()));
            }
            seen
        };
        let before = closure(self.base, old);
        for (id, needed) in closure(self.head, new) {
            match before.get(&id) {
                None => self.say(
                    Weakness::GateSkippable,
                    "",
                    new.line,
                    format!("it waits for `{}`, which may be skipped", shown(&id)),
                ),
                Some(held) if held.condition != needed.condition && needed.condition.is_some() => {
                    self.say(
                        Weakness::GateSkippable,
                        "",
                        new.line,
                        format!("`{}`, which it waits for, has another `if`", shown(&id)),
                    );
                }
                Some(_) if self.changed.contains(id.as_str()) => {
                    self.say(
                        Weakness::GateSkippable,
                        "",
                        needed.line,
                        format!(
                            "`{}`, which it waits for, does something else: where it fails, the gate is skipped",
                            shown(&id)
                        ),
                    );
                }
                Some(_) => {}
            }
        }
    }

    /// The runs of the gate, and what stands before them.
    fn steps(&mut self, old: &Job<'_>, new: &Job<'_>) {
        let of = |job: &Job<'_>| -> Vec<usize> {
            job.steps.iter().enumerate().filter(|(_, step)| runs_gate(step)).map(|(at, _)| at).collect()
        };
        let (had, has) = (of(old), of(new));
        let mut free: Vec<usize> = has.clone();
        let mut pairs: Vec<(usize, Option<usize>)> = Vec::new();
        let mut open = Vec::new();
        for at in had {
            let twin = old.steps.get(at).and_then(|step| {
                free.iter()
                    .position(|other| new.steps.get(*other).is_some_and(|other| signature(step) == signature(other)))
            });
            match twin {
                Some(position) => pairs.push((at, Some(free.remove(position)))),
                None => open.push(at),
            }
        }
        let mut free = free.into_iter();
        pairs.extend(open.into_iter().map(|at| (at, free.next())));
        for (before, after) in &pairs {
            let Some(step) = old.steps.get(*before) else { continue };
            match after.and_then(|after| new.steps.get(after)) {
                None => {
                    self.say(Weakness::GateRemoved, &step.label(), new.line, "it no longer runs the gate".to_owned())
                }
                Some(other) => self.step(step, other),
            }
        }
        // The last of them is what nothing may stand before.
        let first = |at: Option<usize>| at.unwrap_or(0);
        let (old_last, new_last) =
            (first(pairs.iter().map(|(at, _)| *at).max()), first(pairs.iter().filter_map(|(_, at)| *at).max()));
        let known: HashSet<String> = old.steps.iter().take(old_last).map(signature).collect();
        for step in new.steps.iter().take(new_last).filter(|step| !known.contains(&signature(step)) && !runs_gate(step))
        {
            let old_step = old.steps.iter().take(old_last).find(|old| old.label() == step.label());
            self.before(old_step, step);
        }
        // A checkout that is gone leaves the gate with what another step brought.
        let is_left = pairs.iter().any(|(_, after)| after.is_some());
        let lost = old
            .steps
            .iter()
            .take(old_last)
            .find(|old| is_left && is_checkout(old) && !new.steps.iter().take(new_last).any(is_checkout));
        if let Some(step) = lost {
            self.say(Weakness::GateWeakened, &step.label(), new.line, "the checkout before it is gone".to_owned());
        }
    }

    /// One run of the gate.
    fn step(&mut self, old: &Step<'_>, new: &Step<'_>) {
        let label = new.label();
        if !always(new.condition) && !same(old.condition, new.condition) {
            let line = new.condition.map_or(new.line, |text| text.line);
            self.say(Weakness::GateSkippable, &label, line, "the step has another `if`".to_owned());
        }
        if forgives(new.continue_on_error) && !same(old.continue_on_error, new.continue_on_error) {
            let line = new.continue_on_error.map_or(new.line, |text| text.line);
            self.say(Weakness::GateSkippable, &label, line, "the step may fail: `continue-on-error`".to_owned());
        }
        let plain = |text: Option<Text<'_>>| text.map(|text| text.text.trim().to_owned());
        if plain(old.uses) != plain(new.uses) {
            let line = new.uses.map_or(new.line, |uses| uses.line);
            let to = new.uses.map_or_else(|| "a script".to_owned(), |uses| shown(uses.text));
            self.say(Weakness::GateWeakened, &label, line, format!("it is taken from {to}"));
        }
        for key in differing(&old.with, &new.with) {
            let line = line_of(&new.with, &key, new.line);
            self.say(Weakness::GateWeakened, &label, line, format!("its input `{key}` changed"));
        }
        for (key, old, new_text) in [("shell", old.shell, new.shell), ("working-directory", old.folder, new.folder)] {
            if plain(old) != plain(new_text) {
                let line = new_text.map_or(new.line, |text| text.line);
                self.say(Weakness::GateWeakened, &label, line, format!("its `{key}` changed"));
            }
        }
        self.env(&old.env, &new.env, &label, new.line);
        if let (Some(before), Some(after)) = (old.run, new.run) {
            for (detail, line) in command::weakened(before.text, after.text) {
                self.say(Weakness::GateWeakened, &label, after.line.saturating_add(line), detail);
            }
        }
    }

    /// A step before the gate that base did not have like this.
    fn before(&mut self, old: Option<&Step<'_>>, new: &Step<'_>) {
        let label = new.label();
        if is_checkout(new) {
            let old = old.map(|step| step.with.as_slice()).unwrap_or_default();
            let matter = [
                "ref",
                "repository",
                "path",
                "fetch-depth",
                "sparse-checkout",
                "submodules",
                "clean",
                "ssh-key",
                "filter",
                "",
            ];
            for key in differing(old, &new.with).into_iter().filter(|key| matter.contains(&key.as_str())) {
                let line = line_of(&new.with, &key, new.line);
                self.say(Weakness::GateWeakened, &label, line, format!("the checkout before it has another `{key}`"));
            }
            return;
        }
        if let Some(uses) = new.uses {
            // GitHub's own set a language up; others of theirs run scripts and bring files.
            if !uses.text.trim().to_ascii_lowercase().starts_with("actions/setup-") {
                let name = shown(uses.text);
                self.say(
                    Weakness::GateWeakened,
                    &label,
                    uses.line,
                    format!("{name} runs before it, and may change what it runs with"),
                );
            }
        }
        if let Some(run) = new.run {
            let known = old.and_then(|step| step.run).map_or("", |run| run.text);
            for (detail, line) in command::meddles(known, run.text) {
                self.say(Weakness::GateWeakened, &label, run.line.saturating_add(line), detail);
            }
        }
    }
}

fn is_checkout(step: &Step<'_>) -> bool {
    steps::action(step).is_some_and(|name| name.ends_with("/checkout"))
}
