//! Asking the real rules about a subject that a solver or a trial names, and reducing it to what matters.

use std::collections::BTreeMap;

use cedar_policy::{PolicyId, PolicySet, Schema};

use super::Found;
use super::bake::antecedent;
use crate::gate::config::Settings;
use crate::policy::engine::{Engine, Statement, context};
use crate::policy::pack::Packs;
use crate::subject::{Command, Kind, Subject, Value, quiet};

/// The rules of one side, with its settings, in every run that there can be.
pub struct Judge<'a> {
    engines: Vec<(Command, bool, Engine<'a>)>,
}

impl<'a> Judge<'a> {
    pub fn new(packs: &'a Packs, settings: &Settings) -> Self {
        let runs = Command::ALL.iter().flat_map(|command| [(*command, false), (*command, true)]);
        let engine = |(command, ci)| (command, ci, Engine::new(packs, context(command, ci, settings)));
        Self { engines: runs.map(engine).collect() }
    }

    /// What the rules say. A subject that this side cannot have (its line matched a detector of the other) meets
    /// silence.
    pub fn ask(&self, found: &Found) -> Vec<Statement> {
        let run = self.engines.iter().find(|(command, ci, _)| (*command, *ci) == (found.command, found.ci));
        run.and_then(|(.., engine)| engine.respond(&subject(found)).ok()).unwrap_or_default()
    }
}

/// Knows which subjects can occur.
pub struct Reality {
    packs: Packs,
}

impl Reality {
    pub fn new(schema: &Schema) -> Result<Self, String> {
        let mut sets = BTreeMap::new();
        for kind in Kind::ALL {
            let mut set = PolicySet::new();
            let permit = format!(
                "permit (principal, action == Action::\"{}\", resource) when {{ {} }};",
                kind.action(),
                antecedent(*kind)
            );
            let permit = cedar_policy::Policy::parse(Some(PolicyId::new("real")), permit).map_err(|e| e.to_string())?;
            set.add(permit).map_err(|e| e.to_string())?;
            sets.insert(*kind, set);
        }
        Ok(Self {
            packs: Packs {
                packs: Vec::new(),
                schema: schema.clone(),
                detectors: Vec::new(),
                sets,
                rules: BTreeMap::new(),
            },
        })
    }

    /// Whether the subject can occur. Where no policy permits, the engine reports a refusal without a rule.
    pub fn holds(&self, found: &Found) -> bool {
        let engine = Engine::new(&self.packs, context(found.command, found.ci, &Settings::default()));
        engine.respond(&subject(found)).is_ok()
    }
}

fn subject(found: &Found) -> Subject {
    Subject { kind: found.kind, attributes: found.attributes.clone(), words: BTreeMap::new() }
}

/// The quiet subject of a kind, made real: an advisory has an id, which is one of its ids.
pub fn still(kind: Kind) -> Found {
    let mut found = Found { kind, attributes: quiet(kind), command: Command::Check, ci: false };
    if let Some(id) = found.attributes.get_mut("id") {
        *id = Value::Text("EXAMPLE-1".to_owned());
    }
    mend(&mut found);
    found
}

/// Puts the advisory's id among its ids.
pub fn mend(found: &mut Found) {
    let id = match found.attributes.get("id") {
        Some(Value::Text(id)) => id.clone(),
        _ => return,
    };
    if let Some(Value::Texts(ids)) = found.attributes.get_mut("ids")
        && !ids.contains(&id)
    {
        ids.push(id);
        ids.sort();
    }
}

/// The subject with as much of it quiet as can be while it stays an example and can occur.
pub fn reduce(found: Found, reality: &Reality, is_example: &dyn Fn(&Found) -> bool) -> Found {
    let still = still(found.kind);
    let keep = |candidate: Found, kept: &mut Found| {
        if candidate != *kept && reality.holds(&candidate) && is_example(&candidate) {
            *kept = candidate;
        }
    };
    let mut kept = found;
    let calmer = Found { command: still.command, ci: still.ci, ..kept.clone() };
    keep(calmer, &mut kept);
    let calmer = Found { ci: still.ci, ..kept.clone() };
    keep(calmer, &mut kept);
    // Some facts hang on the command.
    for attribute in kept.kind.attributes() {
        let mut calmer = Found { command: still.command, ..kept.clone() };
        if let Some(value) = still.attributes.get(attribute.name) {
            calmer.attributes.insert(attribute.name, value.clone());
            keep(calmer, &mut kept);
        }
    }
    for attribute in kept.kind.attributes() {
        let mut calmer = kept.clone();
        match still.attributes.get(attribute.name) {
            Some(value) => drop(calmer.attributes.insert(attribute.name, value.clone())),
            None => drop(calmer.attributes.remove(attribute.name)),
        }
        mend(&mut calmer);
        keep(calmer, &mut kept);
    }
    kept
}
