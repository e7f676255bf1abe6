//! Which context values hold text that somebody else wrote, and how it travels through a file.
//!
//! Sources: docs.github.com, "Script injections" (contexts that end with body, default_branch, email, head_ref, label,
//! message, name, page_name, ref and title) and "Webhook events and payloads". Text travels through `env`, outputs of
//! steps and jobs, the matrix and inputs: rounds over the jobs until nothing changes. Where that takes more than
//! `MAX_ROUNDS` of them, it is said. Within a script it travels through variables and through what commands are told by
//! the event's payload and by GitHub (`told`); neither is sure to arrive as it was written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::expression::{self, Carried, Part, spelt};
use super::read::{Document, Job, Pair, Step, shown};
use super::script::{self, Command};
use super::{sinks, told};

/// Rounds over all jobs.
const MAX_ROUNDS: usize = 64;

/// Who can write a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writer {
    /// Somebody who may write to the repository or start the workflow.
    Insider,
    /// Anybody.
    Outsider,
}

/// What anybody can write. `*` is any member.
const OUTSIDERS: [&str; 65] = [
    "github.head_ref",
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.pull_request.head.repo.description",
    "github.event.pull_request.head.repo.homepage",
    "github.event.comment.body",
    "github.event.comment.path",
    "github.event.comment.diff_hunk",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.answer.body",
    "github.event.discussion.title",
    "github.event.discussion.body",
    "github.event.pages.*.page_name",
    "github.event.pages.*.title",
    "github.event.pages.*.summary",
    "github.event.commits.*.added.**",
    "github.event.commits.*.modified.**",
    "github.event.commits.*.removed.**",
    "github.event.commits.*.message",
    "github.event.commits.*.author.name",
    "github.event.commits.*.author.email",
    "github.event.commits.*.committer.name",
    "github.event.commits.*.committer.email",
    "github.event.head_commit.added.**",
    "github.event.head_commit.modified.**",
    "github.event.head_commit.removed.**",
    "github.event.head_commit.message",
    "github.event.head_commit.author.name",
    "github.event.head_commit.author.email",
    "github.event.head_commit.committer.name",
    "github.event.head_commit.committer.email",
    "github.event.commit.commit.message",
    "github.event.commit.commit.author.name",
    "github.event.commit.commit.author.email",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.display_title",
    "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.head_commit.author.name",
    "github.event.workflow_run.head_commit.author.email",
    "github.event.workflow_run.head_commit.committer.name",
    "github.event.workflow_run.head_commit.committer.email",
    "github.event.merge_group.head_commit.message",
    "github.event.merge_group.head_commit.author.name",
    "github.event.merge_group.head_commit.author.email",
    "github.event.merge_group.head_commit.committer.name",
    "github.event.merge_group.head_commit.committer.email",
    // Of any other event: a commit has one form wherever it stands.
    "github.event.*.head_commit.message",
    "github.event.*.head_commit.author.name",
    "github.event.*.head_commit.author.email",
    "github.event.*.head_commit.committer.name",
    "github.event.*.head_commit.committer.email",
    "github.event.workflow_run.head_repository.description",
    "github.event.workflow_run.pull_requests.*.head.ref",
    "github.event.check_suite.head_branch",
    "github.event.check_suite.pull_requests.*.head.ref",
    "github.event.check_run.check_suite.head_branch",
    "github.event.check_run.pull_requests.*.head.ref",
    "github.event.forkee.description",
    "github.event.changes.*.from",
];

/// What those may write who may write to the repository.
const INSIDERS: [&str; 17] = [
    "github.base_ref",
    "github.event.pull_request.base.ref",
    "github.event.pull_request.base.label",
    "github.ref",
    "github.ref_name",
    "github.event.ref",
    "github.event.label.name",
    "github.event.issue.labels.*.name",
    "github.event.pull_request.labels.*.name",
    "github.event.milestone.title",
    "github.event.milestone.description",
    "github.event.release.name",
    "github.event.release.body",
    "github.event.release.tag_name",
    "github.event.inputs.*",
    "github.event.client_payload.**",
    "github.event.deployment.payload.**",
];

/// Actions whose outputs hold what a change or a comment says: names of files, names of branches, text.
const TELLING_ACTIONS: [&str; 12] = [
    "tj-actions/changed-files",
    "dorny/paths-filter",
    "jitterbit/get-changed-files",
    "trilom/file-changes-action",
    "lots0logs/gh-action-get-changed-files",
    "xt0rted/pull-request-comment-branch",
    "alessbell/pull-request-comment-branch",
    "gotson/pull-request-comment-branch",
    "khan/pull-request-comment-trigger",
    "potiuk/get-workflow-origin",
    "tj-actions/branch-names",
    "8bitjonny/gh-get-current-pr",
];

/// What is known of a text: who writes it, and the first place it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taint {
    pub writer: Writer,
    pub source: String,
    /// Whether it is known to arrive as it was written. What a script made of it is not.
    pub is_sure: bool,
}

/// Values by name.
pub(super) type Values = BTreeMap<String, Taint>;

/// Variables of one scope that are told apart. Where there are more, each may hold what any of them does.
const MAX_VARIABLES: usize = 256;

/// Outputs by what holds them and by name. A name of [`ANY`] stands for each of them, `""` for all that are not told
/// apart.
#[derive(Debug, Default)]
struct Outputs(HashMap<(usize, String, String), Taint>);

const ANY: &str = "*";

impl Outputs {
    /// Puts one in; whether that is new.
    fn put(&mut self, job: usize, holder: &str, name: &str, taint: &Taint) -> bool {
        let mut is_new = false;
        for (holder, name) in [(holder, name), (holder, ANY), (ANY, name), (ANY, ANY)] {
            let slot = self.0.entry((job, holder.to_owned(), name.to_owned()));
            let held = slot.or_insert_with(|| {
                is_new = true;
                taint.clone()
            });
            if (held.writer, held.is_sure) < (taint.writer, taint.is_sure) {
                *held = taint.clone();
                is_new = true;
            }
        }
        is_new
    }

    fn get(&self, job: usize, holder: Option<&str>, name: Option<&str>) -> Option<Taint> {
        let holder = holder.unwrap_or(ANY);
        let of = |name: &str| self.0.get(&(job, holder.to_owned(), name.to_owned())).cloned();
        worst([of(name.unwrap_or(ANY)), of("")].into_iter().flatten())
    }
}

/// What is known of a file.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Inputs that hold any text.
    inputs: HashSet<String>,
    /// Whether inputs that are not declared may be met: none of them is known to be harmless.
    takes_inputs: bool,
    /// Inputs that a caller fills with strangers' text, with what that is.
    given: BTreeMap<String, String>,
    /// Whether text was still on its way when the rounds ended.
    pub is_unsettled: bool,
    /// `env` of the whole file.
    pub env: Values,
    /// Outputs of jobs; the number of the job is 0.
    needs: Outputs,
    /// Outputs of the steps of a job.
    steps: Outputs,
    /// Members of a job's matrix; the holder is empty.
    matrix: Outputs,
}

fn matches(pattern: &str, carried: &Carried) -> bool {
    let mut path = carried.path.iter();
    for part in pattern.split('.') {
        match (part, path.next()) {
            ("**", _) => return true,
            (_, None) => return carried.is_whole,
            (_, Some(Part::Any)) | ("*", _) => {}
            (part, Some(Part::Name(name))) if part == name => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

/// The name at a place of a path: `Ok(None)` where it may be any, `Err` where there is none.
fn name_at(carried: &Carried, at: usize) -> Result<Option<&str>, ()> {
    match carried.path.get(at) {
        Some(Part::Name(name)) => Ok(Some(name)),
        Some(Part::Any) => Ok(None),
        None if carried.is_whole => Ok(None),
        None => Err(()),
    }
}

/// The worst of several.
fn worst(all: impl Iterator<Item = Taint>) -> Option<Taint> {
    all.max_by_key(|taint| (taint.writer, taint.is_sure))
}

impl Known {
    /// What is known of a file.
    pub fn of(document: &Document<'_>, given: Option<&BTreeMap<String, String>>) -> Self {
        let inputs = document.inputs.iter().filter(|input| input.is_text);
        let mut known = Self {
            inputs: inputs.map(|input| input.name.to_ascii_lowercase()).collect(),
            takes_inputs: document.inputs.is_empty(),
            given: given.cloned().unwrap_or_default(),
            ..Self::default()
        };
        known.env = known.add(0, &Values::new(), &document.env);
        for _ in 0..MAX_ROUNDS {
            known.is_unsettled = false;
            for (number, job) in document.jobs.iter().enumerate() {
                known.is_unsettled |= known.job(number, job);
            }
            if !known.is_unsettled {
                break;
            }
        }
        known
    }

    /// One round over a job; whether something new is known.
    fn job(&mut self, number: usize, job: &Job<'_>) -> bool {
        let mut is_changed = false;
        if let Some(matrix) = job.matrix {
            let mut open = vec![("", matrix)];
            while let Some((name, node)) = open.pop() {
                if let Some(text) = node.text()
                    && let Some(taint) = self.text(number, &Values::new(), text)
                {
                    is_changed |= self.matrix.put(number, "", &name.to_ascii_lowercase(), &taint);
                }
                open.extend(node.items().iter().map(|item| (name, item)));
                for member in node.members() {
                    let is_inner = matches!(&*member.key, "matrix" | "include" | "exclude");
                    let name = if is_inner || !name.is_empty() { name } else { &member.key };
                    open.push((name, &member.node));
                }
            }
        }
        let env = self.add(number, &self.env, &job.env);
        for step in job.steps.iter().filter(|step| step.id.is_some()) {
            let id = step.id.unwrap_or_default().to_ascii_lowercase();
            for (name, taint) in self.outputs(number, &env, step) {
                is_changed |= self.steps.put(number, &id, &name, &taint);
            }
        }
        for output in &job.outputs {
            let taint = self.text(number, &env, output.value.text);
            if let Some(taint) = taint {
                let (id, name) = (job.id.to_ascii_lowercase(), output.key.to_ascii_lowercase());
                is_changed |= self.needs.put(0, &id, &name, &taint);
            }
        }
        is_changed
    }

    /// `env` with what a mapping adds to it. A name that is set anew loses what it held.
    pub fn add(&self, job: usize, outer: &Values, pairs: &[Pair<'_>]) -> Values {
        let mut env = outer.clone();
        for pair in pairs {
            let name = pair.key.to_ascii_lowercase();
            match self.text(job, outer, pair.value.text) {
                Some(taint) => env.insert(name, taint),
                None => env.remove(&name),
            };
            if env.len() > MAX_VARIABLES
                && let Some(taint) = worst(std::mem::take(&mut env).into_values())
            {
                env.insert(String::new(), taint);
            }
        }
        env
    }

    /// The worst that the expressions of a text carry.
    pub fn text(&self, job: usize, env: &Values, text: &str) -> Option<Taint> {
        worst(expression::carried(text).iter().filter_map(|(_, carried)| self.of_path(job, env, carried)))
    }

    /// Who wrote a context value; `None` where nobody else did.
    pub fn of_path(&self, job: usize, env: &Values, carried: &Carried) -> Option<Taint> {
        let said = |writer| Some(Taint { writer, source: spelt(&carried.path), is_sure: true });
        if OUTSIDERS.iter().any(|pattern| matches(pattern, carried)) {
            return said(Writer::Outsider);
        }
        if INSIDERS.iter().any(|pattern| matches(pattern, carried)) {
            return said(Writer::Insider);
        }
        let Ok(Some(context)) = name_at(carried, 0) else { return None };
        let name = name_at(carried, 1);
        let told = |source: &String| Taint { writer: Writer::Outsider, source: source.clone(), is_sure: true };
        if context == "inputs"
            && let Some(source) = match name {
                Ok(Some(name)) => self.given.get(name),
                Ok(None) => self.given.values().next(),
                Err(()) => None,
            }
        {
            return Some(told(source));
        }
        match (context, name) {
            ("inputs", Ok(Some(name))) => {
                (self.takes_inputs || self.inputs.contains(name)).then(|| said(Writer::Insider))?
            }
            ("inputs", Ok(None)) => (self.takes_inputs || !self.inputs.is_empty()).then(|| said(Writer::Insider))?,
            ("env", Ok(Some(name))) => env.get(name).or_else(|| env.get("")).cloned(),
            ("env", Ok(None)) => worst(env.values().cloned()),
            ("matrix", Ok(name)) => self.matrix.get(job, Some(""), name),
            ("steps", Ok(step)) => self.steps.get(job, step, name_at(carried, 3).ok()?),
            ("needs" | "jobs", Ok(id)) => self.needs.get(0, id, name_at(carried, 3).ok()?),
            _ => None,
        }
    }

    /// Outputs of a step that carry somebody's text; the empty name is any of them.
    fn outputs(&self, job: usize, env: &Values, step: &Step<'_>) -> Vec<(String, Taint)> {
        if let Some(uses) = step.uses {
            let name = uses.text.split_once('@').map_or(uses.text, |(name, _)| name).trim().to_ascii_lowercase();
            if TELLING_ACTIONS.contains(&name.as_str()) {
                let source = format!("an output of {}", shown(&name));
                return vec![(String::new(), Taint { writer: Writer::Outsider, source, is_sure: true })];
            }
            if name == "actions/github-script" {
                let script = step.with.iter().find(|pair| pair.key.eq_ignore_ascii_case("script"));
                let told = script.and_then(|pair| payload(pair.value.text));
                return told.into_iter().map(|taint| (String::new(), taint)).collect();
            }
            return Vec::new();
        }
        let Some(run) = step.run.filter(|run| run.text.contains("GITHUB_OUTPUT") || run.text.contains("set-output"))
        else {
            return Vec::new();
        };
        let env = self.add(job, env, &step.env);
        let commands = script::commands(run.text);
        let env = self.assigned(job, &env, &commands);
        let mut found = Vec::new();
        for write in sinks::writes(&commands) {
            if write.sink == "GITHUB_OUTPUT"
                && let Some(taint) = self.words(job, &env, &write.text)
            {
                found.push((output_name(&write.text).unwrap_or_default().to_ascii_lowercase(), taint));
            }
        }
        found
    }

    /// `env` with the variables that a script sets from somebody's text. What it made of it on the way is not known.
    pub fn assigned(&self, job: usize, env: &Values, commands: &[Command]) -> Values {
        let mut env = env.clone();
        let nested = sinks::nested_words(commands);
        for (at, command) in commands.iter().enumerate() {
            let names = told::names(command);
            if names.is_empty() {
                continue;
            }
            let mut text = sinks::spelt(command);
            text.push_str(nested.get(at).map_or("", String::as_str));
            if let Some(before) = command.reads.and_then(|before| commands.get(before)) {
                text = format!("{} {text}", sinks::spelt(before));
            }
            let Some(taint) = self.words(job, &env, &text) else { continue };
            for name in names {
                env.insert(name, Taint { is_sure: false, ..taint.clone() });
            }
            if env.len() > MAX_VARIABLES
                && let Some(taint) = worst(std::mem::take(&mut env).into_values())
            {
                env.insert(String::new(), taint);
            }
        }
        env
    }

    /// The worst of the expressions and variables in words of a script, and of what its commands are told.
    pub fn words(&self, job: usize, env: &Values, text: &str) -> Option<Taint> {
        let variables = script::variables(text).into_iter().map(str::to_ascii_lowercase);
        let of_variables = variables.filter_map(|name| env.get(&name).or_else(|| env.get("")).cloned());
        let answer = |source: &str| Taint { writer: Writer::Outsider, source: source.to_owned(), is_sure: false };
        let of_answers = told::answer(text).map(answer);
        worst(of_answers.into_iter().chain(self.text(job, env, text)).chain(of_variables))
    }
}

/// The name of the one output that a text sets; `None` where it may set several.
fn output_name(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let sets_more = |line: &str| line.contains(['=', '<']);
    let has_more = value.lines().skip(1).any(sets_more) || value.split("\\n").skip(1).any(sets_more);
    (is_name && !has_more).then_some(name)
}

/// What a script for `actions/github-script` reads from the event that anybody may have written.
fn payload(script: &str) -> Option<Taint> {
    let found = OUTSIDERS.iter().find(|pattern| {
        pattern.strip_prefix("github.event.").is_some_and(|path| {
            let direct = format!("payload.{path}");
            !path.contains('*') && script.contains(&direct)
        })
    });
    found.map(|pattern| Taint { writer: Writer::Outsider, source: (*pattern).to_owned(), is_sure: false })
}
