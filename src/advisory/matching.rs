//! Which advisories speak of one version of one package, and which of them could not be decided.
//!
//! A version is affected by a record if it is named, or lies in one of its ranges. What cannot be compared is neither
//! true nor false: it leaves the record undecided unless something else decides it. Records of one alias group are one
//! match, and a group that matched is decided whatever else it says.

use std::cmp::Ordering;

use super::store::{Hit, Layered, RawHit, StoreError};
use crate::ecosystem::{Rules, rules};
use crate::model::Ecosystem;
use crate::model::advisory::{Matched, Skipped};

/// In the place of a version: any of them. No ecosystem has a version of this spelling.
pub const EVERY_VERSION: &str = "*";

/// What is known against one version of one package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Advisories that speak of it, one per alias group, sorted by id.
    pub matched: Vec<Matched>,
    /// Advisories that may speak of it: the answer is incomplete while there is one.
    pub undecided: Vec<Skipped>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Affected,
    Undecided,
}

/// Everything known against a version. The name may be spelt in any way the ecosystem takes.
///
/// # Errors
/// [`StoreError`] where a store is damaged: then nothing is known, and least of all that there is nothing.
pub fn matches(store: &Layered, ecosystem: Ecosystem, name: &str, version: &str) -> Result<Outcome, StoreError> {
    let Some(osv) = ecosystem.osv() else {
        return Ok(Outcome::default());
    };
    let rules = rules(ecosystem);
    let name = rules.normalise(name);
    let (hits, mut undecided) = store.collect(osv, &name, |raw| says(raw, rules, version))?;
    if hits.is_empty() && undecided.is_empty() {
        return Ok(Outcome::default());
    }
    let groups = grouped(hits);
    let mut matched: Vec<Matched> = Vec::new();
    for group in groups {
        let (affected, open): (Vec<_>, Vec<_>) = group.into_iter().partition(|(_, says)| *says == Says::Affected);
        if affected.is_empty() {
            undecided.extend(open.into_iter().map(|(hit, _)| Skipped {
                id: hit.id,
                reason: format!("its versions cannot be compared with `{version}`"),
                package: Some((osv.to_owned(), name.clone().into_owned())),
            }));
        } else {
            matched.extend(unite(affected.into_iter().map(|(hit, _)| hit).collect(), rules));
        }
    }
    matched.sort_by(|a, b| a.id.cmp(&b.id));
    undecided.sort();
    undecided.dedup();
    Ok(Outcome { matched, undecided })
}

/// What a record says of a version; `None`: that it is not affected.
fn says(raw: &RawHit<'_>, rules: &dyn Rules, version: &str) -> Option<Says> {
    if version == EVERY_VERSION {
        let mut all = false;
        let _versions = raw.ranges(|introduced, until| all |= introduced.is_none() && until.is_none());
        return all.then_some(Says::Affected);
    }
    let compare = |a: &str, b: &str| rules.compare(a, b);
    let (mut affected, mut undecided) = (false, false);
    let rest = raw.ranges(|introduced, until| {
        let from = introduced.map_or(Some(true), |from| compare(version, from).map(Ordering::is_ge));
        let to = until.map_or(Some(true), |(last, to)| {
            compare(version, to).map(|order| if last { order.is_le() } else { order.is_lt() })
        });
        match (from, to) {
            (Some(true), Some(true)) => affected = true,
            (Some(false), _) | (_, Some(false)) => {}
            _ => undecided = true,
        }
    });
    if affected {
        return Some(Says::Affected);
    }
    // A named version that is no version of the ecosystem equals a version by its text or not at all.
    let read = rest.and_then(|rest| {
        RawHit::versions(rest, |named| {
            affected |= named == version || compare(named, version) == Some(Ordering::Equal);
        })
    });
    match (affected, undecided || read.is_none()) {
        (true, _) => Some(Says::Affected),
        (false, true) => Some(Says::Undecided),
        (false, false) => None,
    }
}

/// Hits gathered by the ids they share. Within one store the groups are known; two stores may know different aliases.
fn grouped(hits: Vec<(Hit, Says)>) -> Vec<Vec<(Hit, Says)>> {
    let mut groups: Vec<Vec<(Hit, Says)>> = Vec::new();
    for hit in hits {
        let shares = |group: &Vec<(Hit, Says)>| {
            group.iter().any(|(other, _)| other.ids.iter().any(|id| hit.0.ids.binary_search(id).is_ok()))
        };
        let (same, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(shares);
        let mut group: Vec<_> = same.into_iter().flatten().collect();
        group.push(hit);
        rest.push(group);
        groups = rest;
    }
    groups
}

/// The better known the database, the smaller the number.
fn preference(id: &str) -> u8 {
    match id.split_once('-').map_or("", |(database, _)| database) {
        "MAL" => 0,
        "RUSTSEC" => 1,
        "GHSA" => 2,
        "GO" => 3,
        "PYSEC" => 4,
        "CVE" => 6,
        _ => 5,
    }
}

/// One match of one alias group's records, of which there is at least one.
fn unite(mut hits: Vec<Hit>, rules: &dyn Rules) -> Option<Matched> {
    hits.sort_by(|a, b| (preference(&a.id), &a.id).cmp(&(preference(&b.id), &b.id)));
    let id = hits.first()?.id.clone();
    let vector = super::severity::best(hits.iter().filter_map(|hit| hit.vector.as_deref())).map(str::to_owned);
    let severity = hits.iter().find(|hit| hit.vector == vector).and_then(|hit| hit.score);
    // Dates and times sort as texts where they are in UTC; a date sorts before the times of its day.
    let published = hits.iter().filter_map(|hit| hit.published.clone()).min();
    let mut fixed = sorted(hits.iter().flat_map(|hit| hit.affected.fixed.iter().cloned()));
    if fixed.iter().all(|v| rules.compare(v, v).is_some()) {
        fixed.sort_by(|a, b| rules.compare(a, b).unwrap_or(Ordering::Equal));
    }
    Some(Matched {
        aliases: sorted(hits.iter().flat_map(|hit| hit.ids.iter().filter(|other| **other != id).cloned())),
        kind: hits.iter().map(|hit| hit.kind).max()?,
        severity,
        vector,
        published,
        fixed,
        functions: sorted(hits.iter().flat_map(|hit| hit.affected.functions.iter().cloned())),
        categories: sorted(hits.iter().flat_map(|hit| hit.categories.iter().cloned())),
        id,
    })
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}
