//! Changed workflows and actions: what is newly weak in the pipeline, asked of the rules.
//!
//! What a file's weaknesses mean depends on who calls it, so where one of them changes all are read on both sides: a
//! trigger that is added in one workflow can hand another's steps to strangers.

use std::collections::BTreeMap;

use crate::ecosystem::FILE_CAP;
use crate::evidence::workflow::{Surroundings, gate, new, weaknesses};
use crate::gate::config::Config;
use crate::model::RepoPath;
use crate::model::finding::{Finding, Location, SubjectKind};
use crate::model::step::Weak;
use crate::model::tree::{Delta, EntryKind, Unread};
use crate::policy::engine::Engine;
use crate::run::files;
use crate::run::findings::{About, build};
use crate::subject::{Kind, Subject, Value, quiet};
use crate::world::Tree;

/// Files of the pipeline in one revision, by path; a file that cannot be read is said where it is asked about.
type Files = BTreeMap<RepoPath, Result<Vec<u8>, Unread>>;

/// Whether a path is a workflow's.
fn is_workflow(path: &RepoPath) -> bool {
    path.parent().as_str() == ".github/workflows"
        && path.file_name().rsplit_once('.').is_some_and(|(_, end)| matches!(end, "yml" | "yaml"))
}

/// Whether a path is a workflow's, or the metadata of an action.
#[must_use]
pub fn is_of_pipeline(path: &RepoPath) -> bool {
    is_workflow(path) || matches!(path.file_name(), "action.yml" | "action.yaml")
}

/// Asks the rules about what a change makes weak in the pipeline. `repository` is `owner/name`, where that is known.
///
/// # Errors
/// [`Unread`] where a tree cannot be listed.
pub fn findings(
    engine: &Engine<'_>,
    config: &Config,
    deltas: &[Delta],
    (base, head): (&dyn Tree, &dyn Tree),
    repository: Option<&str>,
) -> Result<Vec<Finding>, Unread> {
    let mut changed: Vec<&RepoPath> =
        deltas.iter().filter_map(Delta::path).filter(|path| is_of_pipeline(path)).collect();
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let (before, after) = (read(base, config)?, read(head, config)?);
    changed.retain(|path| before.contains_key(path) || after.contains_key(path));
    let gone: Vec<&Vec<u8>> = before
        .iter()
        .filter(|(path, _)| !after.contains_key(path))
        .filter_map(|(_, bytes)| bytes.as_ref().ok())
        .collect();
    let (old, now) = (around(&before, repository), around(&after, repository));
    let mut found = Vec::new();
    for (path, bytes) in &after {
        // What was renamed as it is is not new.
        let moved = || gone.iter().copied().find(|other| bytes.as_ref() == Ok(other));
        let stood = before.get(path).map_or_else(moved, |bytes| bytes.as_ref().ok());
        // What base held and nobody can read says nothing of what was known.
        let known = stood.and_then(|bytes| weaknesses(path, bytes, &old).ok()).unwrap_or_default();
        match bytes.as_ref().map_err(Clone::clone).and_then(|bytes| weaknesses(path, bytes, &now)) {
            Ok(weak) => found.extend(by_step(new(&known, &weak)).iter().flat_map(|weak| ask(engine, path, weak))),
            Err(unread) if changed.contains(&path) => found.extend(not_judged(engine, path, &unread)),
            Err(_) => {}
        }
    }
    for path in changed {
        let bytes = |files: &Files| files.get(path).and_then(|bytes| bytes.as_ref().ok()).cloned();
        match gate(bytes(&before).as_deref(), bytes(&after).as_deref(), path) {
            Ok(weak) => found.extend(by_step(weak).iter().flat_map(|weak| ask(engine, path, weak))),
            Err(unread) => found.extend(not_judged(engine, path, &unread)),
        }
    }
    Ok(found)
}

/// Asks the rules about what is weak in a pipeline as it stands.
///
/// # Errors
/// [`Unread`] where the tree cannot be listed.
pub fn standing(
    engine: &Engine<'_>,
    config: &Config,
    tree: &dyn Tree,
    repository: Option<&str>,
) -> Result<Vec<Finding>, Unread> {
    let files = read(tree, config)?;
    let around = around(&files, repository);
    let mut found = Vec::new();
    for (path, bytes) in &files {
        match bytes.as_ref().map_err(Clone::clone).and_then(|bytes| weaknesses(path, bytes, &around)) {
            Ok(weak) => found.extend(by_step(weak).iter().flat_map(|weak| ask(engine, path, weak))),
            Err(unread) => found.extend(not_judged(engine, path, &unread)),
        }
    }
    Ok(found)
}

/// Joins what one step is weak in for one reason: two secrets that it hands on are one matter to whoever looks.
fn by_step(weak: Vec<Weak>) -> Vec<Weak> {
    let mut joined: Vec<Weak> = Vec::new();
    for weak in weak {
        let is_same = |known: &&mut Weak| {
            (known.weakness, &known.job, &known.step, known.line, known.is_privileged, known.is_exposed)
                == (weak.weakness, &weak.job, &weak.step, weak.line, weak.is_privileged, weak.is_exposed)
        };
        match joined.iter_mut().find(is_same) {
            Some(known) => known.detail += &format!("; {}", weak.detail),
            None => joined.push(weak),
        }
    }
    joined
}

fn read(tree: &dyn Tree, config: &Config) -> Result<Files, Unread> {
    let entries = tree.list()?.into_iter();
    let entries = entries.filter(|entry| entry.kind == EntryKind::File && is_of_pipeline(&entry.path));
    let mut files: Files =
        entries.map(|entry| (entry.path.clone(), tree.read(&entry, FILE_CAP).map(|bytes| bytes.to_vec()))).collect();
    // An excluded action counts where some workflow names its folder.
    let workflows: Vec<String> = files
        .iter()
        .filter(|(path, _)| is_workflow(path))
        .filter_map(|(_, bytes)| Some(String::from_utf8_lossy(bytes.as_ref().ok()?).into_owned()))
        .collect();
    let is_named = |folder: &RepoPath| workflows.iter().any(|text| text.contains(folder.as_str()));
    files.retain(|path, _| is_workflow(path) || config.judges(path) || is_named(&path.parent()));
    Ok(files)
}

fn around(files: &Files, repository: Option<&str>) -> Surroundings {
    Surroundings::of(repository, files.iter().filter_map(|(path, bytes)| Some((path, bytes.as_deref().ok()?))))
}

fn not_judged(engine: &Engine<'_>, path: &RepoPath, unread: &Unread) -> Vec<Finding> {
    files::not_judged(engine, &[(path.clone(), unread.to_string())])
}

fn ask(engine: &Engine<'_>, path: &RepoPath, weak: &Weak) -> Vec<Finding> {
    let mut attributes = quiet(Kind::Step);
    attributes.extend([
        ("path", Value::Text(path.to_string())),
        ("weakness", Value::word("Weakness", weak.weakness.as_str())),
        ("privileged", Value::Flag(weak.is_privileged)),
        ("exposed", Value::Flag(weak.is_exposed)),
    ]);
    let or = |text: &str, what: &str| if text.is_empty() { what.to_owned() } else { text.to_owned() };
    let words = BTreeMap::from([
        ("path", path.to_string()),
        ("job", or(&weak.job, "the workflow")),
        ("step", weak.step.clone()),
        ("detail", weak.detail.clone()),
        ("waive", "portcullis waive RULE --scope FINGERPRINT --reason \"…\" --expires …".to_owned()),
    ]);
    let about = About {
        place: Location { file: path.clone(), line: weak.line, end_line: weak.end_line },
        detail: [weak.weakness.as_str(), &weak.job, &weak.step, &weak.detail].join("\0"),
        ..About::file(SubjectKind::Workflow, path, weak.line)
    };
    let statements = engine.ask(&Subject { kind: Kind::Step, attributes, words });
    statements.into_iter().map(|statement| build(statement, about.clone())).collect()
}
