//! `policy list | show | test`.

use super::args::{Global, Policy};
use super::{Ending, Error, explain, open, print};
use crate::model::verdict::Decision;
use crate::policy::cases;
use crate::policy::pack::{Pack, Packs};
use crate::report::escape::terminal;
use crate::world::Env;

pub(super) fn run(global: &Global, env: &Env, args: &Policy) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let gate = explain::here(&*repo)?;
    let packs = Packs::load(&gate)?;
    match args {
        Policy::List => print(&packs.packs.iter().map(list).collect::<Vec<_>>().join("\n")),
        Policy::Show { name } => show(&packs, name),
        Policy::Test => test(&packs),
    }
}

fn list(pack: &Pack) -> String {
    let mut text = format!("{}  {}\n", pack.name, terminal(&pack.manifest.title));
    let width = pack.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in &pack.rules {
        text += &format!("  {:width$}  {:6}  {}\n", rule.id, rule.level, terminal(&rule.title));
    }
    text
}

fn show(packs: &Packs, name: &str) -> Result<Ending, Error> {
    if let Some(pack) = packs.packs.iter().find(|pack| pack.name == name) {
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
        text += "\ncontrols\n";
        for (id, words) in &manifest.controls {
            let cited = pack.rules.iter().any(|rule| rule.controls.contains(id));
            let note = if cited { "" } else { "  (no rule is evidence for it)" };
            text += &format!("  {}  {}{note}\n", terminal(id), terminal(words));
        }
        return print(&text);
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

fn test(packs: &Packs) -> Result<Ending, Error> {
    let (mut passed, mut text) = (0, String::new());
    let mut failed = 0;
    for pack in &packs.packs {
        for outcome in cases::run(packs, pack)? {
            if outcome.holds() {
                passed += 1;
                continue;
            }
            failed += 1;
            let said = |map: &std::collections::BTreeMap<String, String>| {
                let said: Vec<String> = map.iter().map(|(rule, level)| format!("{rule}: {level}")).collect();
                if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
            };
            text += &format!(
                "✗ {}  {}: {}\n    expected {}; found {}\n",
                terminal(&outcome.place),
                terminal(&outcome.about),
                terminal(&outcome.name),
                terminal(&said(&outcome.expected)),
                terminal(&said(&outcome.found))
            );
        }
    }
    text += &format!("{passed} passed, {failed} failed\n");
    print(&text)?;
    Ok(Ending::Decided(if failed == 0 { Decision::Allow } else { Decision::Deny }))
}
