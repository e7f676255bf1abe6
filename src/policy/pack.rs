//! Packs: text → rules. A rule without an id, with an unknown level or annotation, or that Cedar's validator warns
//! about, is an error with its file and line; it is never dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;

use cedar_policy::{ActionConstraint, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use serde::Deserialize;

use super::{BUILT_IN, BuiltIn};
use crate::gate::config::Config;
use crate::gate::{Broken, Gate, POLICIES};
use crate::model::finding::Level;
use crate::subject::{Kind, schema};
use crate::text::line_of;

/// File of a pack's detectors.
pub const DETECTORS: &str = "detectors.toml";

/// One rule at one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Name of the pack.
    pub pack: String,
    /// The rule's id, as findings carry it.
    pub rule: String,
    /// The policy's own id: the rule's, with a suffix where a rule has several levels.
    pub id: String,
    /// Level in force.
    pub level: Level,
    /// Level the pack gives.
    pub default_level: Level,
    /// What the rule is for, one line.
    pub title: String,
    /// What is the matter, with `{words}`.
    pub message: String,
    /// How to mend or clear it, with `{words}`.
    pub remediation: String,
    /// Clauses it is evidence for.
    pub controls: Vec<String>,
    /// What it speaks about.
    pub kind: Kind,
}

/// A pack's own words about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One line.
    pub title: String,
    /// The framework it serves.
    pub framework: String,
    /// The framework's edition.
    pub edition: String,
    /// What the pack is for.
    pub summary: String,
    /// Controls it touches, in our words.
    #[serde(default)]
    pub controls: BTreeMap<String, String>,
}

/// A pack that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its own words.
    pub manifest: Manifest,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// `rules.cedar`.
    pub source: String,
    /// `detectors.toml`: path and text, where there is one.
    pub detectors: Option<(String, String)>,
    /// Files of `cases/`: path and text.
    pub cases: Vec<(String, String)>,
}

/// Packs in use, ready to be asked.
pub struct Packs {
    /// The packs.
    pub packs: Vec<Pack>,
    /// Cedar's schema.
    pub schema: Schema,
    /// Detectors that the rules name, as `pack/id`, sorted.
    pub detectors: Vec<String>,
    /// For each kind of subject, the policies that can match it.
    pub(super) sets: BTreeMap<Kind, PolicySet>,
    /// Rules by policy id.
    pub(super) rules: BTreeMap<String, Rule>,
}

impl Pack {
    /// The condition of a rule, as the pack's author wrote it.
    #[must_use]
    pub fn condition(&self, id: &str) -> Option<&str> {
        let (_, after) = self.source.split_once(&format!("@id(\"{id}\")"))?;
        let rule = after.split_once("\n@id(").map_or(after, |(rule, _)| rule);
        let (_, body) = rule.split_once("\nforbid")?;
        body.split_once(";\n").map(|(body, _)| body.trim())
    }
}

impl Packs {
    /// The pack of a rule.
    #[must_use]
    pub fn pack_of(&self, rule: &Rule) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.name == rule.pack)
    }

    /// Loads the packs that a gate's settings name, under the levels they set.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn load(gate: &Gate) -> Result<Self, Broken> {
        Self::load_for(gate, &Wanted { detectors: None, steps: true })
    }

    /// As [`Packs::load`], with those rules of the program's own packs alone that can be asked: most rules are about
    /// lines, most changes have no line of interest, and reading a rule takes longer than asking it.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn load_for(gate: &Gate, wanted: &Wanted) -> Result<Self, Broken> {
        let mut loading = Loading::new(super::detectors::named(gate))?;
        for name in &gate.config.packs {
            match BUILT_IN.iter().find(|pack| pack.name == name) {
                Some(pack) => loading.built_in(pack, &gate.config, wanted)?,
                None => loading.users(name, gate)?,
            }
        }
        loading.finish(&gate.config)
    }

    /// Loads one pack that is part of the program, at its own levels.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn built_in() -> Result<Self, Broken> {
        Self::load(&Gate::default())
    }

    /// Loads every pack that is part of the program, at its own levels.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn shipped() -> Result<Self, Broken> {
        let packs = BUILT_IN.iter().map(|pack| pack.name.to_owned()).collect();
        Self::load(&Gate { config: Config { packs, ..Config::default() }, ..Gate::default() })
    }

    /// Every rule, in order of pack and id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }
}

/// Which rules can be asked in a run.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Detectors with a hit, as `pack/id`; `None`: any.
    pub detectors: Option<BTreeSet<String>>,
    /// Whether a file of the pipeline differs.
    pub steps: bool,
}

impl Wanted {
    fn holds(&self, policy: &str) -> bool {
        let is_about = |kind: Kind| policy.contains(&format!("Action::\"{}\"", kind.action()));
        match &self.detectors {
            _ if is_about(Kind::Step) => self.steps,
            Some(wanted) if is_about(Kind::Line) => {
                let mut named = super::detectors::names(policy).map(|(_, id)| id).peekable();
                named.peek().is_none() || named.any(|id| wanted.contains(id))
            }
            _ => true,
        }
    }
}

/// The schema, parsed, with the detectors that rules may name.
///
/// # Errors
/// [`Broken`], which tests rule out.
pub fn cedar_schema(detectors: &[String]) -> Result<Schema, Broken> {
    Schema::from_json_value(schema(detectors)).map_err(|e| Broken {
        file: "policy schema".to_owned(),
        line: 0,
        reason: e.to_string(),
    })
}

struct Loading {
    packs: Vec<Pack>,
    schema: Schema,
    detectors: Vec<String>,
    sets: BTreeMap<Kind, PolicySet>,
    rules: BTreeMap<String, Rule>,
}

/// Where a pack's texts come from.
struct Origin<'a> {
    name: &'a str,
    folder: String,
    validate: bool,
}

/// A pack's texts.
struct Texts<'a> {
    manifest: &'a str,
    rules: &'a str,
    /// Path and text.
    detectors: Option<(String, String)>,
    cases: Vec<(String, String)>,
}

impl Loading {
    fn new(detectors: Vec<String>) -> Result<Self, Broken> {
        let mut sets = BTreeMap::new();
        for kind in Kind::ALL {
            let mut set = PolicySet::new();
            let permit = Policy::parse(Some(PolicyId::new("permit")), "permit(principal, action, resource);")
                .map_err(|e| Broken { file: "permit".to_owned(), line: 0, reason: e.to_string() })?;
            set.add(permit).map_err(|e| Broken { file: "permit".to_owned(), line: 0, reason: e.to_string() })?;
            sets.insert(*kind, set);
        }
        Ok(Self { packs: Vec::new(), schema: cedar_schema(&detectors)?, detectors, sets, rules: BTreeMap::new() })
    }

    fn built_in(&mut self, pack: &BuiltIn, config: &Config, wanted: &Wanted) -> Result<(), Broken> {
        // Tests validate the built-in packs; doing it at every start would cost more than all decisions together.
        let origin = Origin { name: pack.name, folder: format!("policies/{}", pack.name), validate: false };
        let cases =
            pack.cases.iter().map(|(name, text)| (format!("{}/cases/{name}", origin.folder), (*text).to_owned()));
        let detectors =
            (!pack.detectors.is_empty()).then(|| (format!("{}/{DETECTORS}", origin.folder), pack.detectors.to_owned()));
        let texts = Texts { manifest: pack.manifest, rules: pack.rules, detectors, cases: cases.collect() };
        self.add(&origin, texts, config, wanted)
    }

    fn users(&mut self, name: &str, gate: &Gate) -> Result<(), Broken> {
        let folder = format!("{POLICIES}/{name}");
        let file = |wanted: &str| {
            gate.packs.iter().find(|f| f.pack == name && f.name == wanted).map(|f| f.text.as_str()).ok_or_else(|| {
                let reason = format!("pack `{name}` is neither built in nor a folder with {wanted} under {POLICIES}/");
                Broken { file: format!("{folder}/{wanted}"), line: 0, reason }
            })
        };
        let cases = gate
            .packs
            .iter()
            .filter(|f| f.pack == name && f.name.starts_with("cases/"))
            .map(|f| (f.path.clone(), f.text.clone()))
            .collect();
        let origin = Origin { name, folder: folder.clone(), validate: true };
        let detectors = gate.packs.iter().find(|f| f.pack == name && f.name == DETECTORS);
        let detectors = detectors.map(|f| (f.path.clone(), f.text.clone()));
        let texts = Texts { manifest: file("pack.toml")?, rules: file("rules.cedar")?, detectors, cases };
        self.add(&origin, texts, &gate.config, &Wanted { detectors: None, steps: true })
    }

    fn add(&mut self, origin: &Origin<'_>, texts: Texts<'_>, config: &Config, wanted: &Wanted) -> Result<(), Broken> {
        let Texts { manifest, rules: text, detectors, cases } = texts;
        let manifest_file = format!("{}/pack.toml", origin.folder);
        let manifest: Manifest = crate::text::toml(manifest).map_err(|e| Broken::at(&manifest_file, e))?;
        let file = format!("{}/rules.cedar", origin.folder);
        if origin.validate {
            super::shape::check(text).map_err(|(line, reason)| Broken { file: file.clone(), line, reason })?;
        }
        let (kept, begins) = keep(text, wanted);
        let set = PolicySet::from_str(&kept).map_err(|e| {
            let offset = miette_offset(&e);
            Broken {
                file: file.clone(),
                line: offset.map_or(0, |o| line_of(text, o)),
                reason: one_line(&e.to_string()),
            }
        })?;
        if origin.validate {
            self.validate(&set, text, &file)?;
        }
        let mut policies: Vec<(usize, &Policy)> = set
            .policies()
            .map(|policy| (policy.id().to_string().trim_start_matches("policy").parse().unwrap_or(0), policy))
            .collect();
        policies.sort_by_key(|(order, _)| *order);
        let mut rules = Vec::new();
        for (order, policy) in policies {
            let fault = |reason: String| Broken {
                file: file.clone(),
                line: begins.get(order).map_or(0, |at| line_of(text, *at)),
                reason,
            };
            let rule = read_rule(policy, origin.name, config).map_err(fault)?;
            let renamed = policy.new_id(PolicyId::new(format!("{}/{}", origin.name, rule.id)));
            let key = renamed.id().to_string();
            if self.rules.contains_key(&key) {
                return Err(fault(format!("rule `{key}` is there twice")));
            }
            if let Some(set) = self.sets.get_mut(&rule.kind) {
                set.add(renamed).map_err(|e| fault(e.to_string()))?;
            }
            for control in &rule.controls {
                if !manifest.controls.contains_key(control) {
                    return Err(fault(format!("rule `{key}`: control `{control}` is not in pack.toml")));
                }
            }
            self.rules.insert(key, rule.clone());
            rules.push(rule);
        }
        let (name, source) = (origin.name.to_owned(), text.to_owned());
        self.packs.push(Pack { name, manifest, rules, source, detectors, cases });
        Ok(())
    }

    fn validate(&self, set: &PolicySet, text: &str, file: &str) -> Result<(), Broken> {
        let result = Validator::new(self.schema.clone()).validate(set, ValidationMode::Strict);
        let first = result.validation_errors().map(|e| (miette_offset(e), e.to_string())).min();
        // An impossible policy is a warning to Cedar; here it is a rule that never speaks.
        let first = first.or_else(|| result.validation_warnings().map(|w| (miette_offset(w), w.to_string())).min());
        match first {
            None => Ok(()),
            Some((offset, reason)) => Err(Broken {
                file: file.to_owned(),
                line: offset.map_or(0, |o| line_of(text, o)),
                reason: one_line(&reason),
            }),
        }
    }

    fn finish(self, config: &Config) -> Result<Packs, Broken> {
        for name in config.levels.keys() {
            // Not every rule is loaded, so the texts say which there are.
            let known = self.packs.iter().any(|pack| {
                let rule = name.strip_prefix(&pack.name).and_then(|rest| rest.strip_prefix('/'));
                let says = |key: &str| rule.is_some_and(|rule| pack.source.contains(&format!("@{key}(\"{rule}\")")));
                says("id") || says("rule")
            });
            if !known {
                let reason = format!("[levels] names `{}`, which no pack in use has", name.escape_debug());
                let line = config.level_lines.get(name).copied().unwrap_or(0);
                return Err(Broken { file: crate::gate::CONFIG.to_owned(), line, reason });
            }
        }
        Ok(Packs {
            packs: self.packs,
            schema: self.schema,
            detectors: self.detectors,
            sets: self.sets,
            rules: self.rules,
        })
    }
}

const ANNOTATIONS: &[&str] = &["id", "rule", "level", "title", "message", "remediation", "controls"];

/// The policies of a text that are wanted, and where each of them begins in it.
fn keep(text: &str, wanted: &Wanted) -> (String, Vec<usize>) {
    let all = policies(text);
    let kept: Vec<Range<usize>> =
        all.iter().filter(|range| text.get((*range).clone()).is_some_and(|one| wanted.holds(one))).cloned().collect();
    if kept.len() == all.len() {
        // As written, with what no policy is: Cedar says what is wrong with that, and where.
        return (text.to_owned(), all.into_iter().map(|range| range.start).collect());
    }
    let texts: Vec<&str> = kept.iter().filter_map(|range| text.get(range.clone())).collect();
    (texts.join("\n"), kept.into_iter().map(|range| range.start).collect())
}

/// Where the policies of a text stand, in their order.
fn policies(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut start) = (Vec::new(), None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if chars.next_if(|(_, next)| *next == '/').is_some() => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            ';' => found.extend(start.take().map(|start| start..at + 1)),
            c if c.is_whitespace() => {}
            _ => {
                start.get_or_insert(at);
                if c == '"' {
                    while let Some((_, c)) = chars.next() {
                        match c {
                            '\\' => drop(chars.next()),
                            '"' => break,
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    found
}

/// A rule, or what is wrong with it.
fn read_rule(policy: &Policy, pack: &str, config: &Config) -> Result<Rule, String> {
    let fault = |reason: String| reason;
    // Collected once: asking by name parses the name anew each time.
    let notes: BTreeMap<&str, &str> = policy.annotations().collect();
    let Some(id) = notes.get("id").copied().filter(|id| !id.is_empty()) else {
        return Err(fault(format!("a rule has no @id: {}", one_line(&policy.to_string()))));
    };
    if let Some(unknown) = notes.keys().find(|key| !ANNOTATIONS.contains(key)) {
        return Err(fault(format!("rule `{id}`: unknown annotation @{unknown}")));
    }
    if policy.effect() != cedar_policy::Effect::Forbid {
        return Err(fault(format!(
            "rule `{id}` is a permit: rules are forbid policies, a permit lets nothing through"
        )));
    }
    let need = |key: &str| {
        notes
            .get(key)
            .copied()
            .filter(|text| !text.is_empty())
            .ok_or_else(|| fault(format!("rule `{id}` has no @{key}")))
    };
    let default_level = need("level")?;
    let default_level = Level::from_word(default_level)
        .ok_or_else(|| fault(format!("rule `{id}`: level `{default_level}`: one of deny, review, warn, note")))?;
    let action = match policy.action_constraint() {
        ActionConstraint::Eq(uid) => uid.id().unescaped().to_owned(),
        _ => return Err(fault(format!("rule `{id}`: name one action: action == Action::\"change\""))),
    };
    let Some(kind) = Kind::ALL.iter().copied().find(|kind| kind.action() == action) else {
        return Err(fault(format!("rule `{id}`: unknown action `{action}`")));
    };
    let rule = notes.get("rule").copied().unwrap_or(id).to_owned();
    let by_id = config.levels.get(&format!("{pack}/{id}"));
    let by_rule = config.levels.get(&format!("{pack}/{rule}"));
    Ok(Rule {
        pack: pack.to_owned(),
        level: by_id.or(by_rule).copied().unwrap_or(default_level),
        id: id.to_owned(),
        default_level,
        title: need("title")?.to_owned(),
        message: need("message")?.to_owned(),
        remediation: need("remediation")?.to_owned(),
        controls: notes
            .get("controls")
            .map(|text| text.split(';').map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect())
            .unwrap_or_default(),
        rule,
        kind,
    })
}

fn miette_offset(error: &impl miette::Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
