//! Calls between the workflows and actions of one repository, and what the gate's job takes from them.
//!
//! `uses: ./path` is a file of the same commit; `uses: owner/name/path@ref` with the repository's own name is one of its
//! files too, of a commit of its own (docs.github.com, "Workflow syntax", `jobs.<id>.uses` and `steps[*].uses`). Names of
//! owners and repositories know no case. Which commit `ref` is, is not looked at: it is a branch more often than not.

use std::collections::{BTreeMap, BTreeSet};

use super::{gate, is_action, read};
use crate::model::RepoPath;

/// The path in the repository that a `uses` means, or `None` where it means somebody else's.
pub(super) fn local(uses: &str, repository: Option<&str>) -> Option<String> {
    let uses = uses.trim();
    if uses == "." {
        return Some(String::new());
    }
    if let Some(path) = uses.strip_prefix("./") {
        return Some(path.trim_end_matches('/').to_owned());
    }
    let (name, _) = uses.split_once('@')?;
    let repository = repository.filter(|repository| !repository.is_empty())?;
    let (start, path) = (name.get(..repository.len())?, name.get(repository.len()..)?);
    let is_own = start.eq_ignore_ascii_case(repository) && (path.is_empty() || path.starts_with('/'));
    is_own.then(|| path.trim_matches('/').to_owned())
}

/// Files that such a path may mean. A path that leaves the repository means none.
pub(super) fn files_of(callee: &str) -> Vec<RepoPath> {
    let Some(path) = RepoPath::root().join(callee) else { return Vec::new() };
    if callee.ends_with(".yml") || callee.ends_with(".yaml") {
        return vec![path];
    }
    ["action.yml", "action.yaml"].iter().filter_map(|file| path.join(file)).collect()
}

/// What one file says of calls.
#[derive(Default)]
struct Calls {
    /// Of each job: whether it runs the gate itself, and the files that it calls.
    jobs: Vec<(bool, BTreeSet<RepoPath>)>,
    /// Files that an action runs: `main`, `pre`, `post`, and the file of its image.
    runs: BTreeSet<RepoPath>,
}

impl Calls {
    /// `None` where the file cannot be read.
    fn of(path: &RepoPath, bytes: &[u8], repository: Option<&str>) -> Option<Self> {
        let root = read::nodes(bytes).ok()?;
        let document = read::document(&root, is_action(path)).ok()?;
        let mut calls = Self::default();
        for job in &document.jobs {
            let all = job.uses.iter().chain(job.steps.iter().filter_map(|step| step.uses.as_ref()));
            let callees = all.filter_map(|uses| local(uses.text, repository)).flat_map(|callee| files_of(&callee));
            calls.jobs.push((gate::is_gate(job), callees.collect()));
        }
        let runs = read::members(&root).into_iter().filter(|(key, ..)| document.is_action && *key == "runs");
        for (key, _, node) in runs.flat_map(|(_, _, node)| read::members(node)) {
            let is_file =
                matches!(key, "main" | "pre" | "post" | "image" | "entrypoint" | "pre-entrypoint" | "post-entrypoint");
            let text = node.text().filter(|text| is_file && !text.contains("${{") && !text.starts_with("docker://"));
            calls.runs.extend(text.and_then(|text| path.parent().join(text.trim())));
        }
        Some(calls)
    }
}

/// Files of the repository that the gate's jobs are made of besides the workflow that they stand in: local actions and
/// reusable workflows, those that these call, and the files that such an action names as what it runs. `files` are the
/// workflow and action files of base; `repository` is its own `owner/name`. A job is the gate's where it runs the gate
/// itself or calls a local file that does. Both names of an action's file are listed, whether they are there or not: one
/// that comes takes the other's place. A file that cannot be read is listed, and what it calls is not known. Scripts that
/// the `run` of an action starts from its own folder are not listed: the folder is the parent of the action's file.
pub fn gate_uses<'b>(
    files: impl IntoIterator<Item = (&'b RepoPath, &'b [u8])>,
    repository: Option<&str>,
) -> BTreeSet<RepoPath> {
    let read = files.into_iter().filter_map(|(path, bytes)| Some((path, Calls::of(path, bytes, repository)?)));
    let files: BTreeMap<&RepoPath, Calls> = read.collect();
    // Upwards: files that run the gate, and those that call them.
    let mut callers: BTreeMap<&RepoPath, Vec<&RepoPath>> = BTreeMap::new();
    for (path, calls) in &files {
        for callee in calls.jobs.iter().flat_map(|(_, callees)| callees) {
            callers.entry(callee).or_default().push(path);
        }
    }
    let has_gate = |calls: &Calls| calls.jobs.iter().any(|(is_gate, _)| *is_gate);
    let mut open: Vec<&RepoPath> = files.iter().filter(|(_, calls)| has_gate(calls)).map(|(path, _)| *path).collect();
    let mut reaching: BTreeSet<&RepoPath> = BTreeSet::new();
    while let Some(path) = open.pop() {
        if reaching.insert(path) {
            open.extend(callers.get(path).into_iter().flatten());
        }
    }
    // Downwards: everything that a job of the gate's calls.
    let is_of_gate = |(is_gate, callees): &&(bool, BTreeSet<RepoPath>)| {
        *is_gate || callees.iter().any(|callee| reaching.contains(callee))
    };
    let of_gate = files.values().flat_map(|calls| &calls.jobs).filter(is_of_gate);
    let mut open: Vec<&RepoPath> = of_gate.flat_map(|(_, callees)| callees).collect();
    let (mut found, mut runs) = (BTreeSet::new(), BTreeSet::new());
    while let Some(path) = open.pop() {
        if found.insert(path.clone())
            && let Some(calls) = files.get(path)
        {
            runs.extend(calls.runs.iter().cloned());
            // Of a workflow with jobs of the gate's these matter, and are on the pile already.
            if calls.jobs.iter().any(|job| is_of_gate(&job)) {
                continue;
            }
            open.extend(calls.jobs.iter().flat_map(|(_, callees)| callees));
        }
    }
    found.append(&mut runs);
    found
}
