//! `policy test`: what each rule must and must not catch, written beside the rules.
//!
//! A case is a quiet subject with some attributes set, and *every* rule that must speak about it, with its level. All
//! rules in use are asked, so a case about one rule also shows that the others stay silent.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::detectors::is_defined;
use super::engine::{Engine, context};
use super::pack::{Pack, Packs};
use crate::gate::Broken;
use crate::gate::config::Settings;
use crate::subject::{
    Attribute, Attributes, Command, DETECTOR, Kind, NO_DETECTOR, Subject, Type, Value, context_attributes, quiet,
    word_of,
};
use crate::text::line_of;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<toml::Spanned<Case>>,
    /// Examples of detectors: [`crate::detect::cases`] reads them.
    #[serde(default, rename = "lines")]
    _lines: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    name: String,
    subject: String,
    #[serde(default)]
    with: toml::Table,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    context: toml::Table,
    expect: BTreeMap<String, String>,
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// File and line.
    pub place: String,
    /// The rule it is about.
    pub about: String,
    /// Its name.
    pub name: String,
    /// Rules that must speak, with their level; by `pack/rule`.
    pub expected: BTreeMap<String, String>,
    /// Rules that spoke.
    pub found: BTreeMap<String, String>,
    /// Policies that spoke, by id.
    pub policies: Vec<String>,
}

impl Outcome {
    /// Whether what spoke is what must.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expected == self.found
    }
}

/// Runs the cases of one pack against it, alone and at its own levels.
///
/// # Errors
/// [`Broken`] where a case cannot be read.
pub fn run(packs: &Packs, pack: &Pack) -> Result<Vec<Outcome>, Broken> {
    let mut outcomes = Vec::new();
    for (path, text) in &pack.cases {
        let file: File = crate::text::toml(text).map_err(|e| Broken::at(path, e))?;
        for case in file.case {
            let line = line_of(text, case.span().start);
            let outcome = run_case(packs, pack, case.into_inner(), format!("{path}:{line}"))
                .map_err(|reason| Broken { file: path.clone(), line, reason })?;
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn run_case(packs: &Packs, pack: &Pack, case: Case, place: String) -> Result<Outcome, String> {
    let kind = Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.action() == case.subject)
        .ok_or_else(|| format!("subject `{}`: one of {}", case.subject.escape_debug(), known_subjects()))?;
    let mut attributes = quiet(kind);
    set(&mut attributes, kind.attributes(), &case.with, &packs.detectors)?;
    for name in &case.without {
        attributes.retain(|known, _| known != name);
    }
    let mut surroundings = context(Command::Check, false, &Settings::default());
    set(&mut surroundings, context_attributes(), &case.context, &packs.detectors)?;
    let subject = Subject { kind, attributes, words: BTreeMap::new() };
    let statements = Engine::new(packs, surroundings).ask(&subject);
    let statements: Vec<_> = statements.into_iter().filter(|s| s.rule.pack == pack.name).collect();
    Ok(Outcome {
        place,
        about: case.about,
        name: case.name,
        expected: case.expect,
        found: statements.iter().map(|s| (s.rule.rule.clone(), s.rule.default_level.to_string())).collect(),
        policies: statements.into_iter().map(|s| s.rule.id).collect(),
    })
}

fn known_subjects() -> String {
    Kind::ALL.iter().map(|kind| kind.action()).collect::<Vec<_>>().join(", ")
}

fn set(
    attributes: &mut Attributes,
    table: &[Attribute],
    given: &toml::Table,
    detectors: &[String],
) -> Result<(), String> {
    for (name, value) in given {
        let attribute =
            table.iter().find(|a| a.name == name).ok_or_else(|| format!("no attribute `{}`", name.escape_debug()))?;
        let value = match (attribute.kind, value) {
            (Type::Flag, toml::Value::Boolean(flag)) => Value::Flag(*flag),
            (Type::Number, toml::Value::Integer(number)) => Value::Number(*number),
            (Type::Text, toml::Value::String(text)) => Value::Text(text.clone()),
            (Type::Texts, toml::Value::Array(texts)) => {
                let texts: Option<Vec<String>> = texts.iter().map(|t| t.as_str().map(str::to_owned)).collect();
                Value::Texts(texts.ok_or_else(|| format!("`{name}` is a list of texts"))?)
            }
            (Type::Word(DETECTOR), toml::Value::String(word)) if detectors.contains(word) => {
                Value::word(DETECTOR, word.clone())
            }
            // A detector that no rule in use names is as good as none, as long as there is one.
            (Type::Word(DETECTOR), toml::Value::String(word)) if is_defined(word) => Value::word(DETECTOR, NO_DETECTOR),
            (Type::Word(enumeration), toml::Value::String(word)) => Value::word(
                enumeration,
                word_of(enumeration, word).ok_or_else(|| format!("`{}` is no {enumeration}", word.escape_debug()))?,
            ),
            _ => return Err(format!("`{name}` has another type")),
        };
        attributes.insert(attribute.name, value);
    }
    Ok(())
}
