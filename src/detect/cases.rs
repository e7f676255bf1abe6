//! A pack's own examples of what its detectors must and must not find: the `[[lines]]` tables of `cases/*.toml`.
//!
//! Each text is a whole little file, all of whose lines are new.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::{Detectors, Hit, Side};
use crate::gate::Broken;
use crate::language;
use crate::model::RepoPath;
use crate::text::{Mistake, line_of};

/// What came of one example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOutcome {
    /// `pack/id` of the detector.
    pub detector: String,
    /// The file of examples.
    pub file: String,
    /// The line of the example in it.
    pub line: u32,
    /// Path that the example was given.
    pub path: String,
    /// Whether something was to be found.
    pub is_catch: bool,
    /// What the detector found.
    pub hits: Vec<Hit>,
    /// Why the text could not be judged; that is a failure of either kind of example.
    pub failed: Option<String>,
}

impl LineOutcome {
    /// Whether the detector did as the example says.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.failed.is_none() && self.hits.is_empty() != self.is_catch
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    /// Examples of rules; another reader's.
    #[serde(default, rename = "case")]
    _case: Option<IgnoredAny>,
    #[serde(default)]
    lines: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    detector: Spanned<String>,
    file: Option<Spanned<String>>,
    #[serde(default)]
    catches: Vec<Spanned<Example>>,
    #[serde(default)]
    passes: Vec<Spanned<Example>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Example {
    Text(String),
    File(OwnFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnFile {
    file: String,
    text: String,
}

/// Tries the `[[lines]]` of a file of examples. `path` is the file's own, for messages; a detector is named by its id,
/// or by `pack/id` where two packs use the same.
///
/// # Errors
/// [`Broken`] with the line of a mistake in the file.
pub fn run(text: &str, path: &str, detectors: &Detectors) -> Result<Vec<LineOutcome>, Broken> {
    try_all(text, path, detectors).map_err(|mistake| Broken::at(path, mistake))
}

fn try_all(text: &str, path: &str, detectors: &Detectors) -> Result<Vec<LineOutcome>, Mistake> {
    let raw: RawFile = crate::text::toml(text)?;
    let mut outcomes = Vec::new();
    for raw in raw.lines {
        let at = |offset: usize, reason: String| Mistake { line: line_of(text, offset), reason };
        let detector = named(detectors, raw.detector.get_ref()).map_err(|why| at(raw.detector.span().start, why))?;
        let both = raw.catches.into_iter().map(|e| (true, e)).chain(raw.passes.into_iter().map(|e| (false, e)));
        for (is_catch, example) in both {
            let offset = example.span().start;
            let (file, content) = match example.into_inner() {
                Example::Text(content) => (raw.file.as_ref().map(|file| file.get_ref().clone()), content),
                Example::File(own) => (Some(own.file), own.text),
            };
            let file =
                file.ok_or_else(|| at(offset, "this example has no file, and neither has its table".to_owned()))?;
            let (hits, failed) = try_one(detectors, &detector, &file, content.as_bytes());
            outcomes.push(LineOutcome {
                detector: detector.clone(),
                file: path.to_owned(),
                line: line_of(text, offset),
                path: file,
                is_catch,
                hits,
                failed,
            });
        }
    }
    Ok(outcomes)
}

/// The full id of a detector.
fn named(detectors: &Detectors, name: &str) -> Result<String, String> {
    let is_it = |id: &str| id == name || id.split_once('/').is_some_and(|(_, short)| short == name);
    let mut all = detectors.all().map(|detector| &*detector.id).filter(|id| is_it(id));
    match (all.next(), all.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (Some(_), Some(_)) => Err(format!("several packs have a detector {name}: write pack/{name}")),
        (None, _) => Err(format!("no detector is called {name}")),
    }
}

fn try_one(detectors: &Detectors, detector: &str, file: &str, text: &[u8]) -> (Vec<Hit>, Option<String>) {
    let path = RepoPath::new(file);
    let side = Side {
        path: &path,
        language: language::of(&path, text),
        class: language::class(&path),
        text,
        lines: std::slice::from_ref(&(0..u32::MAX)),
    };
    match detectors.scan(&side) {
        Ok(hits) => (hits.into_iter().filter(|hit| &*hit.detector == detector).collect(), None),
        Err(failed) => (Vec::new(), Some(failed.reason)),
    }
}
