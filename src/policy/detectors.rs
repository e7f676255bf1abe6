//! Which detectors the packs in use need: those that a rule names, wherever they are defined.
//!
//! A detector is defined once, in the `detectors.toml` of one pack, and is called `pack/id` everywhere. A rule of any
//! pack may name it (`Detector::"soc2/public-exposure"`), whether the pack that defines it is in use or not.

use std::collections::BTreeSet;

use super::BUILT_IN;
use super::pack::DETECTORS;
use crate::detect::Detectors;
use crate::detect::rules::{self, Detector};
use crate::gate::{Broken, Gate, POLICIES};
use crate::text::line_of;

/// How rules name a detector.
const NAMING: &str = "Detector::\"";

/// Ids of all detectors that the rules in use name, sorted.
#[must_use]
pub fn named(gate: &Gate) -> Vec<String> {
    let ids: BTreeSet<&str> = rules_in_use(gate).flat_map(|(_, text)| names(text)).map(|(_, id)| id).collect();
    ids.into_iter().map(str::to_owned).collect()
}

/// The detectors that the rules in use name, ready to scan.
///
/// # Errors
/// [`Broken`] with file and line: a user's detector that is no detector, or that no rule names, and a rule that names
/// one that is not there.
pub fn load(gate: &Gate) -> Result<Detectors, Broken> {
    let wanted: BTreeSet<String> = named(gate).into_iter().collect();
    let mut found = gather(gate, &|pack| wanted.iter().any(|id| is_of(id, pack)))?;
    for (file, text) in rules_in_use(gate) {
        for (at, id) in names(text) {
            if !found.iter().any(|detector| &*detector.id == id) {
                let reason = format!("no pack defines detector `{}`", id.escape_debug());
                return Err(Broken { file, line: line_of(text, at), reason });
            }
        }
    }
    for file in gate.packs.iter().filter(|file| file.name == DETECTORS) {
        let mut own = found.iter().filter_map(|detector| detector.id.split_once('/'));
        let idle = |(pack, id): &(&str, &str)| *pack == file.pack && !wanted.contains(&format!("{pack}/{id}"));
        if let Some((_, id)) = own.find(idle) {
            let at = file.text.find(&format!("\"{id}\"")).unwrap_or_default();
            let reason = format!("no rule in use names detector `{id}`");
            return Err(Broken { file: file.path.clone(), line: line_of(&file.text, at), reason });
        }
    }
    found.retain(|detector| wanted.contains(&*detector.id));
    Ok(Detectors::new(found))
}

/// Every detector that the packs in use define or name: what examples may speak of.
///
/// # Errors
/// [`Broken`] with file and line.
pub fn known(gate: &Gate) -> Result<Detectors, Broken> {
    let wanted = named(gate);
    let is_in_use = |pack: &str| gate.config.packs.iter().any(|name| name == pack);
    let found = gather(gate, &|pack| is_in_use(pack) || wanted.iter().any(|id| is_of(id, pack)))?;
    Ok(Detectors::new(found))
}

/// The detectors of the program's packs that are asked for, and of all the user's.
fn gather(gate: &Gate, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Detector>, Broken> {
    let mut found = Vec::new();
    for pack in BUILT_IN.iter().filter(|pack| wanted(pack.name)) {
        // Tests compile our own; doing it at every start would cost more than all the scanning.
        found.extend(rules::parse(pack.name, &format!("policies/{}/{DETECTORS}", pack.name), pack.detectors, false)?);
    }
    for file in gate.packs.iter().filter(|file| file.name == DETECTORS) {
        found.extend(rules::parse(&file.pack, &file.path, &file.text, true)?);
    }
    Ok(found)
}

/// Whether a pack of the program defines a detector, by its `pack/id`.
pub(super) fn is_defined(id: &str) -> bool {
    let of = |pack: &super::BuiltIn| id.strip_prefix(pack.name).and_then(|rest| rest.strip_prefix('/'));
    let is_there = |pack: &super::BuiltIn, name: &str| pack.detectors.contains(&format!("\nid = \"{name}\"\n"));
    BUILT_IN.iter().any(|pack| of(pack).is_some_and(|name| is_there(pack, name)))
}

fn is_of(id: &str, pack: &str) -> bool {
    id.split_once('/').is_some_and(|(of, _)| of == pack)
}

/// The rules of every pack in use: file and text.
fn rules_in_use(gate: &Gate) -> impl Iterator<Item = (String, &str)> {
    let own = BUILT_IN
        .iter()
        .filter(|pack| gate.config.packs.iter().any(|name| name == pack.name))
        .map(|pack| (format!("policies/{}/rules.cedar", pack.name), pack.rules));
    let users = gate
        .packs
        .iter()
        .filter(|file| file.name == "rules.cedar")
        .map(|file| (format!("{POLICIES}/{}/rules.cedar", file.pack), file.text.as_str()));
    own.chain(users)
}

/// Every detector that a text of rules names, with its place. Cedar's comments reach to the end of the line.
pub(super) fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(NAMING).filter_map(move |(at, _)| {
        let line = text.get(..at)?.rsplit('\n').next()?;
        let id = text.get(at + NAMING.len()..)?.split('"').next()?;
        (!line.trim_start().starts_with("//")).then_some((at, id))
    })
}
