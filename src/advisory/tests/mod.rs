//! Tests over the whole pipeline.

use std::path::PathBuf;

use super::import::Imported;
use super::store::{Builder, Layered, Store};
use crate::model::Ecosystem;
use crate::model::advisory::{AdvisoryKind, Affected, Bound, Range, Record, SourceAge};

/// When the tests take place.
const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_795_300_000, 0);

mod corpus;
mod formats;
mod ranges;
mod rustsec;
mod store;
mod update;

/// A folder named by an environment variable, or a line that says the test was skipped.
fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    if folder.is_none() {
        eprintln!("skipped: {variable} does not name a folder");
    }
    folder
}

fn leaked(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

fn store_of(batches: Vec<Imported>) -> Store {
    let mut builder = Builder::new();
    batches.into_iter().for_each(|batch| builder.add(batch));
    Store::from_static(leaked(builder.build().unwrap())).unwrap()
}

fn layered(batches: Vec<Imported>) -> Layered {
    Layered::only(store_of(batches))
}

fn batch(as_of: &str, records: Vec<Record>) -> Imported {
    let source = SourceAge { ecosystem: "cargo".into(), as_of: as_of.into(), records: 0, built_in: false };
    Imported { sources: vec![source], records, skipped: vec![] }
}

fn range(introduced: Option<&str>, fixed: Option<&str>) -> Range {
    Range { introduced: introduced.map(Into::into), until: fixed.map(|v| Bound::Fixed(v.into())) }
}

fn affected(name: &str, ranges: Vec<Range>, versions: &[&str]) -> Affected {
    Affected {
        ecosystem: "crates.io".into(),
        name: name.into(),
        ranges,
        versions: versions.iter().map(|v| (*v).to_owned()).collect(),
        fixed: vec![],
        functions: vec![],
    }
}

fn record(id: &str, aliases: &[&str], modified: &str, affected: Vec<Affected>) -> Record {
    Record {
        id: id.into(),
        aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
        modified: modified.into(),
        published: None,
        withdrawn: false,
        kind: AdvisoryKind::Vulnerability,
        categories: vec![],
        vector: None,
        affected,
    }
}

/// Ids of the matches, and of what is undecided.
fn asked(store: &Layered, name: &str, version: &str) -> (Vec<String>, Vec<String>) {
    let outcome = super::matching::matches(store, Ecosystem::Cargo, name, version).unwrap();
    (outcome.matched.into_iter().map(|m| m.id).collect(), outcome.undecided.into_iter().map(|s| s.id).collect())
}

#[test]
fn the_baseline_is_what_the_tree_says() {
    let Some(corpus) = folder("PORTCULLIS_CORPUS") else {
        return;
    };
    let bytes = super::baseline(&corpus.join("rustsec-advisory-db"), None, NOW).unwrap();
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/advisory/baseline.bin"), &bytes).unwrap();
        return;
    }
    assert!(bytes == super::built_in_bytes(), "run this test with PORTCULLIS_BLESS=1");
}

#[test]
fn the_baseline_is_small_and_whole() {
    let store = super::built_in().unwrap();
    store.verify_all().unwrap();
    assert!(super::built_in_bytes().len() < 400_000, "{}", super::built_in_bytes().len());
    assert!(store.sources().iter().all(|source| source.built_in && source.ecosystem == "cargo"));
    let layered = Layered::with_baseline(None, store);
    // RUSTSEC-2021-0003: smallvec, unaffected < 0.6.3, patched ^0.6.14 and >= 1.6.1.
    let outcome = super::matching::matches(&layered, Ecosystem::Cargo, "smallvec", "1.6.0").unwrap();
    let [hit] = &outcome.matched[..] else { panic!("{outcome:?}") };
    assert_eq!((hit.id.as_str(), hit.severity), ("RUSTSEC-2021-0003", Some(9.8)));
    assert_eq!(hit.aliases, ["CVE-2021-25900", "GHSA-43w2-9j62-hq99"]);
    assert_eq!(hit.fixed, ["0.6.14", "1.6.1"]);
    assert_eq!(hit.functions, ["smallvec::SmallVec::insert_many"]);
    assert_eq!(hit.kind, AdvisoryKind::Vulnerability);
    assert_eq!(asked(&layered, "smallvec", "1.6.1"), (vec![], vec![]));
    // Older ones stand against 0.6.2, this one does not.
    assert_eq!(asked(&layered, "smallvec", "0.6.2").0, ["RUSTSEC-2018-0003", "RUSTSEC-2018-0018"]);
}
