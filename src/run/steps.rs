//! Changed workflows and actions: what is newly weak in the pipeline, asked of the rules.
//!
//! What a file's weaknesses mean depends on who calls it, so where one of them changes all are read on both sides: a
//! trigger that is added in one workflow can hand another's steps to strangers.

use std::collections::BTreeMap;

use crate::detect::{Detectors, Hit, Side, WHOLE};
use crate::ecosystem::FILE_CAP;
use crate::evidence::workflow::{Surroundings, gate, gate_uses, new, weaknesses};
use crate::gate::config::Config;
use crate::model::RepoPath;
use crate::model::finding::{Finding, Location, SubjectKind};
use crate::model::line::{Language, LineClass};
use crate::model::step::{Weak, Weakness};
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

/// Changed files that the gate's own job takes from the repository: actions, and the programs and images that they name. What
/// they do, they do beside the gate.
///
/// # Errors
/// [`Unread`] where base's tree cannot be listed.
pub fn beside_the_gate(
    config: &Config,
    deltas: &[Delta],
    base: &dyn Tree,
    repository: Option<&str>,
) -> Result<Vec<RepoPath>, Unread> {
    if deltas.is_empty() {
        return Ok(Vec::new());
    }
    let files = read(base, config)?;
    let known = files.iter().filter_map(|(path, bytes)| Some((path, bytes.as_deref().ok()?)));
    let used = gate_uses(known, repository);
    Ok(deltas.iter().filter_map(Delta::path).filter(|path| used.contains(*path)).cloned().collect())
}

/// Asks the rules about what changed beside the gate.
pub fn of_the_gate(asked: Asked<'_>, paths: &[RepoPath]) -> Vec<Finding> {
    let weak = Weak {
        weakness: Weakness::GateWeakened,
        job: String::new(),
        step: String::new(),
        line: 0,
        end_line: 0,
        detail: "the gate's own job runs it, and it changed".to_owned(),
        is_privileged: false,
        is_exposed: true,
    };
    paths.iter().flat_map(|path| ask(asked, path, &weak)).collect()
}

/// Asks the rules about what a change makes weak in the pipeline. `repository` is `owner/name`, where that is known.
///
/// # Errors
/// [`Unread`] where a tree cannot be listed.
pub fn findings(
    asked: Asked<'_>,
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
    let gone: Vec<(&RepoPath, &Vec<u8>)> = before
        .iter()
        .filter(|(path, _)| !after.contains_key(path))
        .filter_map(|(path, bytes)| Some((path, bytes.as_ref().ok()?)))
        .collect();
    let (old, now) = (around(&before, repository), around(&after, repository));
    let mut found = Vec::new();
    for (path, bytes) in &after {
        // What was renamed as it is is not new.
        let is_it = |(other, old): &&(&RepoPath, &Vec<u8>)| {
            is_workflow(other) == is_workflow(path) && bytes.as_ref().is_ok_and(|bytes| bytes == *old)
        };
        let moved = || gone.iter().find(is_it).map(|(_, old)| *old);
        let stood = before.get(path).map_or_else(moved, |bytes| bytes.as_ref().ok());
        // What base held and nobody can read says nothing of what was known.
        let known = stood.and_then(|bytes| weaknesses(path, bytes, &old).ok()).unwrap_or_default();
        match bytes.as_ref().map_err(Clone::clone).and_then(|bytes| weaknesses(path, bytes, &now)) {
            Ok(weak) => found.extend(by_step(new(&known, &weak)).iter().flat_map(|weak| ask(asked, path, weak))),
            Err(unread) if changed.contains(&path) => found.extend(not_judged(asked.engine, path, &unread)),
            Err(_) => {}
        }
    }
    for path in changed {
        let bytes = |files: &Files| files.get(path).and_then(|bytes| bytes.as_ref().ok()).cloned();
        match gate(bytes(&before).as_deref(), bytes(&after).as_deref(), path) {
            Ok(weak) => found.extend(by_step(weak).iter().flat_map(|weak| ask(asked, path, weak))),
            Err(unread) => found.extend(not_judged(asked.engine, path, &unread)),
        }
    }
    Ok(found)
}

/// Asks the rules about what is weak in a pipeline as it stands.
///
/// # Errors
/// [`Unread`] where the tree cannot be listed.
pub fn standing(
    asked: Asked<'_>,
    config: &Config,
    tree: &dyn Tree,
    repository: Option<&str>,
) -> Result<Vec<Finding>, Unread> {
    let files = read(tree, config)?;
    let around = around(&files, repository);
    let mut found = Vec::new();
    for (path, bytes) in &files {
        match bytes.as_ref().map_err(Clone::clone).and_then(|bytes| weaknesses(path, bytes, &around)) {
            Ok(weak) => found.extend(by_step(weak).iter().flat_map(|weak| ask(asked, path, weak))),
            Err(unread) => found.extend(not_judged(asked.engine, path, &unread)),
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
    let files: Files =
        entries.map(|entry| (entry.path.clone(), tree.read(&entry, FILE_CAP).map(|bytes| bytes.to_vec()))).collect();
    // An excluded action counts where a workflow, or an action that counts, names its folder.
    let (mut kept, mut others): (Files, Files) =
        files.into_iter().partition(|(path, _)| is_workflow(path) || config.judges(path));
    let text = |bytes: &Result<Vec<u8>, Unread>| bytes.as_ref().map(|b| String::from_utf8_lossy(b).into_owned()).ok();
    let mut texts: Vec<String> = kept.values().filter_map(text).collect();
    loop {
        let is_named = |path: &RepoPath| texts.iter().any(|text| text.contains(path.parent().as_str()));
        let (named, rest): (Files, Files) = others.into_iter().partition(|(path, _)| is_named(path));
        others = rest;
        if named.is_empty() {
            break;
        }
        texts = named.values().filter_map(text).collect();
        kept.extend(named);
    }
    Ok(kept)
}

fn around(files: &Files, repository: Option<&str>) -> Surroundings {
    Surroundings::of(repository, files.iter().filter_map(|(path, bytes)| Some((path, bytes.as_deref().ok()?))))
}

fn not_judged(engine: &Engine<'_>, path: &RepoPath, unread: &Unread) -> Vec<Finding> {
    files::not_judged(engine, &[(path.clone(), unread.to_string())])
}

/// Who asks, and what must not be printed.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The rules.
    pub engine: &'a Engine<'a>,
    /// The detectors, which know a secret.
    pub detectors: &'a Detectors,
}

impl Asked<'_> {
    /// The text of a step, unless it holds a secret or what holds one cannot be told.
    fn plain(self, path: &RepoPath, text: &str) -> String {
        let side =
            Side { path, language: Language::Shell, class: LineClass::Source, text: text.as_bytes(), lines: &[WHOLE] };
        let is_secret = |hit: &Hit| self.detectors.get(&hit.detector).is_none_or(|detector| detector.is_secret);
        match self.detectors.scan(&side) {
            Ok(hits) if !hits.iter().any(is_secret) => text.to_owned(),
            _ => "(not shown: a secret stands in it)".to_owned(),
        }
    }
}

fn ask(asked: Asked<'_>, path: &RepoPath, weak: &Weak) -> Vec<Finding> {
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
        ("step", asked.plain(path, &weak.step)),
        ("detail", asked.plain(path, &weak.detail)),
        ("waive", "portcullis waive RULE --scope FINGERPRINT --reason \"…\" --expires …".to_owned()),
    ]);
    let about = About {
        place: Location { file: path.clone(), line: weak.line, end_line: weak.end_line },
        detail: [weak.weakness.as_str(), &weak.job, &weak.step, &weak.detail].join("\0"),
        ..About::file(SubjectKind::Workflow, path, weak.line)
    };
    let statements = asked.engine.ask(&Subject { kind: Kind::Step, attributes, words });
    statements.into_iter().map(|statement| build(statement, about.clone())).collect()
}
