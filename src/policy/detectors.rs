//! Which detectors the packs in use need: those that a rule names, wherever they are defined.
//!
//! A detector is defined once, in the `detectors.toml` of one pack, and is called `pack/id` everywhere. A rule of any
//! pack may name it (`Detector::"soc2/public-exposure"`), whether the pack that defines it is in use or not.

use std::collections::BTreeSet;

use super::BUILT_IN;
use super::pack::DETECTORS;
use crate::detect::rules::{self, Detector};
use crate::detect::{self, Detectors};
use crate::gate::{Broken, Gate, POLICIES};
use crate::text::line_of;

/// Detectors that know the secrets of most kinds.
const SECRETS: &[&str] = &["baseline/credential", "baseline/private-key", "nist-ssdf/password-literal"];

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
    let mut own = of_the_user(gate)?;
    for (file, text) in rules_in_use(gate) {
        for (at, id) in names(text) {
            if !is_defined(id) && !own.iter().any(|detector| detector.id == id) {
                let reason = format!("no pack defines detector `{}`", id.escape_debug());
                return Err(Broken { file, line: line_of(text, at), reason });
            }
        }
    }
    for file in gate.packs.iter().filter(|file| file.name == DETECTORS) {
        let mut idle = own.iter().filter(|detector| !wanted.contains(&*detector.id));
        if let Some(id) = idle.find_map(|detector| detector.id.strip_prefix(&file.pack)?.strip_prefix('/')) {
            let at = file.text.find(&format!("\"{id}\"")).unwrap_or_default();
            let reason = format!("no rule in use names detector `{id}`");
            return Err(Broken { file: file.path.clone(), line: line_of(&file.text, at), reason });
        }
    }
    own.retain(|detector| wanted.contains(&*detector.id));
    // Where any looks, those that know secrets look too: what they find is masked in what the others show.
    let masks = |id: &str| !wanted.is_empty() && SECRETS.contains(&id);
    Ok(Detectors::of_built_in(|id| wanted.contains(id) || masks(id), own))
}

/// Every detector that the packs in use define or name: what examples may speak of.
///
/// # Errors
/// [`Broken`] with file and line.
pub fn known(gate: &Gate) -> Result<Detectors, Broken> {
    let wanted = named(gate);
    let is_wanted = |id: &str| {
        let pack = id.split_once('/').map_or("", |(pack, _)| pack);
        gate.config.packs.iter().any(|name| name == pack) || wanted.iter().any(|name| is_of(name, pack))
    };
    Ok(Detectors::of_built_in(is_wanted, of_the_user(gate)?))
}

/// The detectors of all the user's packs in use.
fn of_the_user(gate: &Gate) -> Result<Vec<Detector>, Broken> {
    let mut found = Vec::new();
    for file in gate.packs.iter().filter(|file| file.name == DETECTORS) {
        found.extend(rules::parse(&file.pack, &file.path, &file.text, true)?);
    }
    Ok(found)
}

/// Whether a pack of the program defines a detector, by its `pack/id`.
pub(super) fn is_defined(id: &str) -> bool {
    detect::built_in().iter().any(|detector| detector.id == id)
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
