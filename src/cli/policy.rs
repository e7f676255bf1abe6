//! `policy list | show | test`; `lint` and `compare` are in [`super::compare`].

use std::collections::BTreeMap;

use super::args::{Global, Policy};
use super::{Ending, Error, compare, explain, open, print};
use crate::detect::{self, cases::LineOutcome, rules};
use crate::gate::Gate;
use crate::gate::config::Config;
use crate::model::verdict::Decision;
use crate::policy::cases::{self, Outcome};
use crate::policy::pack::{Pack, Packs};
use crate::policy::{BUILT_IN, detectors, engine};
use crate::report::escape::terminal;
use crate::subject::{Command, Value, context_attributes};
use crate::world::Env;

pub(super) fn run(global: &Global, env: &Env, args: &Policy) -> Result<Ending, Error> {
    match args {
        Policy::Lint => return compare::lint(global, env),
        Policy::Compare(args) => return compare::compare(global, env, args),
        Policy::List | Policy::Show { .. } | Policy::Test => {}
    }
    let repo = open(&global.repo, env)?;
    let gate = explain::here(&*repo)?;
    let packs = Packs::load(&gate)?;
    match args {
        Policy::List => print(&list_all(&packs)),
        Policy::Show { name } => show(&gate, &packs, name),
        Policy::Test => test(&gate, &packs),
        Policy::Lint | Policy::Compare(_) => Ok(Ending::Done),
    }
}

fn list_all(packs: &Packs) -> String {
    let mut text = packs.packs.iter().map(list).collect::<Vec<_>>().join("\n");
    let is_in_use = |name: &str| packs.packs.iter().any(|pack| pack.name == name);
    let others: Vec<&str> = BUILT_IN.iter().map(|pack| pack.name).filter(|name| !is_in_use(name)).collect();
    if !others.is_empty() {
        text += &format!("\nnot in use: {}\n", others.join(", "));
    }
    text
}

fn list(pack: &Pack) -> String {
    let mut text = format!("{}  {}\n", pack.name, terminal(&pack.manifest.title));
    let width = pack.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in &pack.rules {
        text += &format!("  {:width$}  {:6}  {}\n", rule.id, rule.level, terminal(&rule.title));
    }
    let (cited, not_cited) = controls(pack);
    text + &format!("  evidence for {} of {} controls\n", cited.len(), cited.len() + not_cited.len())
}

/// Ids of controls: those that some rule is evidence for, and those that none is.
fn controls(pack: &Pack) -> (Vec<&String>, Vec<&String>) {
    pack.manifest.controls.keys().partition(|id| pack.rules.iter().any(|rule| rule.controls.contains(id)))
}

fn show(gate: &Gate, packs: &Packs, name: &str) -> Result<Ending, Error> {
    if let Some(pack) = packs.packs.iter().find(|pack| pack.name == name) {
        return print(&show_pack(gate, packs, pack)?);
    }
    if BUILT_IN.iter().any(|pack| pack.name == name) {
        // Looked at before it is turned on.
        let config = Config { packs: vec![name.to_owned()], ..Config::default() };
        let packs = Packs::load(&Gate { config, ..Gate::default() })?;
        let text = packs.packs.iter().map(|pack| show_pack(gate, &packs, pack)).collect::<Result<String, Error>>()?;
        return print(&format!("{text}\nnot in use: `packs` in .portcullis/config.toml turns it on\n"));
    }
    let rules: Vec<String> = packs
        .rules()
        .filter(|r| r.rule == name || r.id == name || format!("{}/{}", r.pack, r.rule) == name)
        .map(|rule| explain::rule(packs, rule))
        .collect();
    if rules.is_empty() {
        return Err(Error::Usage(format!("{}: no pack or rule in use has that name", terminal(name))));
    }
    print(&rules.join("\n"))
}

fn show_pack(gate: &Gate, packs: &Packs, pack: &Pack) -> Result<String, Error> {
    let manifest = &pack.manifest;
    let mut text = format!(
        "{}  {}\n{}\nframework  {}, {}\n\n",
        pack.name,
        terminal(&manifest.title),
        terminal(&manifest.summary),
        terminal(&manifest.framework),
        terminal(&manifest.edition)
    );
    text += &pack.rules.iter().map(|rule| explain::rule(packs, rule)).collect::<Vec<_>>().join("\n");
    if let Some((file, detectors)) = &pack.detectors {
        text += "\ndetectors\n";
        for detector in rules::parse(&pack.name, file, detectors, false)? {
            text += &format!("  {}  {}\n", terminal(&detector.id), terminal(&detector.title));
        }
    }
    let settings = engine::context(Command::Check, false, &gate.config.settings);
    let asked = |name: &str| pack.source.contains(&format!("context.{name}"));
    let mut attributes = context_attributes().iter().filter(|attribute| asked(attribute.name)).peekable();
    if attributes.peek().is_some() {
        text += "\nwhat its rules ask of the run\n";
    }
    for attribute in attributes {
        let value = settings.get(attribute.name).map(said).unwrap_or_default();
        text += &format!("  {}  {}: {}\n", attribute.name, attribute.doc, terminal(&value));
    }
    let (cited, not_cited) = controls(pack);
    for (title, ids) in [("controls it is evidence for", cited), ("controls that no rule covers", not_cited)] {
        if !ids.is_empty() {
            text += &format!("\n{title}\n");
        }
        for id in ids {
            let words = manifest.controls.get(id).map_or("", String::as_str);
            text += &format!("  {}  {}\n", terminal(id), terminal(words));
        }
    }
    Ok(text)
}

/// A value as a person writes it.
fn said(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Word(_, word) => word.to_string(),
        Value::Texts(texts) if texts.is_empty() => "none".to_owned(),
        Value::Texts(texts) => texts.join(", "),
    }
}

fn test(gate: &Gate, packs: &Packs) -> Result<Ending, Error> {
    let all = detectors::known(gate)?;
    let (mut passed, mut failures) = (0, Vec::new());
    for pack in &packs.packs {
        for outcome in cases::run(packs, pack)? {
            if outcome.holds() { passed += 1 } else { failures.push(rule_failure(&outcome)) }
        }
        for (path, text) in &pack.cases {
            for outcome in detect::cases::run(text, path, &all)? {
                if outcome.is_as_expected() { passed += 1 } else { failures.push(line_failure(&outcome)) }
            }
        }
    }
    print(&format!("{}{passed} passed, {} failed\n", failures.concat(), failures.len()))?;
    Ok(Ending::Decided(if failures.is_empty() { Decision::Allow } else { Decision::Deny }))
}

fn rule_failure(outcome: &Outcome) -> String {
    let said = |map: &BTreeMap<String, String>| {
        let said: Vec<String> = map.iter().map(|(rule, level)| format!("{rule}: {level}")).collect();
        if said.is_empty() { "nothing".to_owned() } else { terminal(&said.join(", ")) }
    };
    format!(
        "✗ {}  {}: {}\n    expected {}; found {}\n",
        terminal(&outcome.place),
        terminal(&outcome.about),
        terminal(&outcome.name),
        said(&outcome.expected),
        said(&outcome.found)
    )
}

fn line_failure(outcome: &LineOutcome) -> String {
    let found = match (&outcome.failed, outcome.hits.first()) {
        (Some(reason), _) => format!("could not judge it: {reason}"),
        (None, Some(hit)) => format!("found on line {}: {}", hit.line, hit.excerpt),
        (None, None) => "found nothing".to_owned(),
    };
    format!(
        "✗ {}:{}  {} in {}\n    expected {}; {}\n",
        terminal(&outcome.file),
        outcome.line,
        terminal(&outcome.detector),
        terminal(&outcome.path),
        if outcome.is_catch { "a hit" } else { "no hit" },
        terminal(&found)
    )
}
