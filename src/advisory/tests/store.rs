//! Merging, layering, determinism, and what damage does.

use super::{affected, asked, batch, leaked, range, record, store_of};
use crate::advisory::store::{Builder, Layered, Store, StoreError};
use crate::model::advisory::{AdvisoryKind, Record, Skipped};

const OLD: &str = "2026-01-01T00:00:00Z";
const NEW: &str = "2026-02-01T00:00:00Z";
const NEWEST: &str = "2026-03-01T00:00:00Z";

fn everywhere(id: &str, modified: &str) -> Record {
    record(id, &[], modified, vec![affected("p", vec![range(None, None)], &[])])
}

fn withdrawn(id: &str, modified: &str) -> Record {
    Record { withdrawn: true, ..everywhere(id, modified) }
}

fn ids(store: &Store) -> Vec<String> {
    store.lookup("crates.io", "p").unwrap().into_iter().map(|hit| hit.id).collect()
}

#[test]
fn the_newest_record_of_an_id_wins_in_any_order() {
    let old = batch(OLD, vec![record("A-1", &[], OLD, vec![affected("p", vec![range(None, Some("1.0.0"))], &[])])]);
    let new = batch(NEW, vec![record("A-1", &[], NEW, vec![affected("p", vec![range(None, Some("2.0.0"))], &[])])]);
    for order in [vec![old.clone(), new.clone()], vec![new, old]] {
        let store = Layered::only(store_of(order));
        assert_eq!(asked(&store, "p", "1.5.0").0, ["A-1"]);
        assert_eq!(asked(&store, "p", "2.0.0").0, Vec::<String>::new());
    }
}

#[test]
fn databases_that_share_an_id_do_not_hide_each_other() {
    // CVE-2010-5312 stands in Maven's data and, as another database's record, in RubyGems'.
    let one = batch(OLD, vec![record("CVE-1", &[], OLD, vec![affected("p", vec![], &["1.0.0"])])]);
    let mut other = batch(NEW, vec![record("CVE-1", &["GHSA-1"], NEW, vec![affected("q", vec![], &["1"])])]);
    other.sources[0].ecosystem = "rubygems".into();
    other.records[0].affected[0].ecosystem = "RubyGems".into();
    let mut builds = vec![];
    for order in [vec![one.clone(), other.clone()], vec![other, one]] {
        let mut builder = Builder::new();
        order.into_iter().for_each(|batch| builder.add(batch));
        builds.push(builder.build().unwrap());
    }
    assert!(builds[0] == builds[1]);
    let store = Store::from_static(leaked(builds.remove(0))).unwrap();
    assert_eq!(ids(&store), ["CVE-1"]);
    assert_eq!(store.lookup("RubyGems", "q").unwrap().len(), 1);
    assert_eq!(store.id("GHSA-1").unwrap().unwrap().records[0].packages.len(), 2);
}

#[test]
fn what_was_withdrawn_stays_so() {
    let stands = batch(OLD, vec![everywhere("A-1", OLD)]);
    let gone = batch(NEW, vec![withdrawn("A-1", NEW)]);
    for order in [vec![stands.clone(), gone.clone()], vec![gone.clone(), stands.clone()]] {
        let store = store_of(order);
        assert_eq!(ids(&store), Vec::<String>::new());
        let known = store.id("A-1").unwrap().unwrap();
        assert!(known.records[0].withdrawn);
        assert_eq!(known.records[0].packages, [("crates.io".to_owned(), "p".to_owned())]);
        // Across a file, too: older data added to the store that holds the tombstone.
        let mut builder = Builder::new();
        builder.add_store(&store).unwrap();
        builder.add(stands.clone());
        assert_eq!(ids(&Store::from_static(leaked(builder.build().unwrap())).unwrap()), Vec::<String>::new());
        // And newer data may bring it back.
        let mut builder = Builder::new();
        builder.add_store(&store).unwrap();
        builder.add(batch(NEWEST, vec![everywhere("A-1", NEWEST)]));
        assert_eq!(ids(&Store::from_static(leaked(builder.build().unwrap())).unwrap()), ["A-1"]);
    }
}

#[test]
fn records_that_name_each_other_are_one_match() {
    let mut ghsa = everywhere("GHSA-1", OLD);
    ghsa.aliases = vec!["CVE-1".into()];
    ghsa.vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into());
    ghsa.published = Some("2025-02-02T00:00:00Z".into());
    let mut rustsec = everywhere("RUSTSEC-1", OLD);
    rustsec.aliases = vec!["CVE-1".into(), "CVE-2".into()];
    rustsec.kind = AdvisoryKind::Unsound;
    rustsec.published = Some("2025-02-01".into());
    let cve = everywhere("CVE-2", OLD);
    let other = everywhere("GO-1", OLD);
    let mut unrelated = withdrawn("GHSA-9", OLD);
    unrelated.aliases = vec!["CVE-1".into(), "GO-1".into()];
    let store = Layered::only(store_of(vec![batch(OLD, vec![ghsa, rustsec, cve, other, unrelated])]));
    let outcome = crate::advisory::matching::matches(&store, crate::model::Ecosystem::Cargo, "p", "1.0.0").unwrap();
    let [go, hit] = &outcome.matched[..] else { panic!("{outcome:?}") };
    // A withdrawn record binds nothing together.
    assert_eq!((go.id.as_str(), go.aliases.len()), ("GO-1", 0));
    assert_eq!(hit.id, "RUSTSEC-1");
    assert_eq!(hit.aliases, ["CVE-1", "CVE-2", "GHSA-1"]);
    assert_eq!((hit.kind, hit.severity), (AdvisoryKind::Vulnerability, Some(9.8)));
    assert_eq!(hit.published.as_deref(), Some("2025-02-01"));
}

#[test]
fn only_records_that_match_make_the_match() {
    let mut wide = record("CVE-1", &["MAL-1"], OLD, vec![affected("p", vec![range(None, Some("1.0.0"))], &[])]);
    wide.aliases = vec!["MAL-1".into()];
    let mut malware = record("MAL-1", &[], OLD, vec![affected("p", vec![], &["3.0.0"])]);
    malware.kind = AdvisoryKind::Malware;
    let store = Layered::only(store_of(vec![batch(OLD, vec![wide, malware])]));
    assert_eq!(asked(&store, "p", "0.5.0").0, ["CVE-1"]);
    assert_eq!(asked(&store, "p", "3.0.0").0, ["MAL-1"]);
    assert_eq!(asked(&store, "p", "2.0.0").0, Vec::<String>::new());
}

#[test]
fn same_records_same_bytes() {
    let all: Vec<Record> = (0..300)
        .map(|n| {
            record(
                &format!("A-{n}"),
                &[&format!("CVE-{}", n / 3)],
                OLD,
                vec![affected(&format!("p{n}"), vec![], &["1"])],
            )
        })
        .collect();
    let build = |batches: Vec<Vec<Record>>| {
        let mut builder = Builder::new();
        batches.into_iter().for_each(|records| builder.add(batch(OLD, records)));
        builder.build().unwrap()
    };
    let one = build(vec![all.clone()]);
    let mut turned = all.clone();
    turned.reverse();
    let (a, b) = turned.split_at(100);
    assert!(one == build(vec![b.to_vec(), a.to_vec()]) && one == build(vec![turned.clone(), all]));
}

#[test]
fn a_tie_does_not_depend_on_order() {
    let a = batch(OLD, vec![record("A-1", &[], OLD, vec![affected("p", vec![], &["1.0.0"])])]);
    let b = batch(OLD, vec![record("A-1", &[], OLD, vec![affected("p", vec![], &["2.0.0"])])]);
    let build = |batches: [_; 2]| {
        let mut builder = Builder::new();
        batches.into_iter().for_each(|batch| builder.add(batch));
        builder.build().unwrap()
    };
    assert!(build([a.clone(), b.clone()]) == build([b, a]));
}

#[test]
fn what_was_set_aside_is_known_until_it_can_be_read() {
    let skip =
        |id: &str| Skipped { id: id.into(), reason: "broken".into(), package: Some(("crates.io".into(), "p".into())) };
    let mut bad = batch(NEW, vec![]);
    bad.skipped = vec![skip("A-1"), Skipped { id: "file".into(), reason: "no JSON".into(), package: None }];
    let stale = batch(OLD, vec![everywhere("A-1", OLD)]);
    // Older data that could be read does not excuse newer data that cannot.
    let store = store_of(vec![stale.clone(), bad.clone()]);
    assert_eq!(store.skipped("crates.io", "p").unwrap(), [skip("A-1")]);
    assert_eq!(store.loose_skipped().len(), 1);
    assert_eq!(asked(&Layered::only(store), "p", "1.0.0"), (vec!["A-1".into()], vec!["A-1".into()]));
    let mended = batch(NEWEST, vec![everywhere("A-1", NEWEST)]);
    let store = store_of(vec![mended, bad, stale]);
    assert_eq!(store.skipped("crates.io", "p").unwrap(), []);
}

#[test]
fn a_newer_baseline_counts_beside_an_older_store() {
    let layers = |store: super::Imported, baseline: super::Imported| {
        Layered::with_baseline(Some(store_of(vec![store])), store_of(vec![baseline]))
    };
    let matched = |layers: &Layered| asked(layers, "p", "1.0.0").0;
    // The baseline is newer: what it alone knows counts, what it knows better counts instead.
    let both = layers(
        batch(OLD, vec![everywhere("A-1", OLD), everywhere("A-3", OLD)]),
        batch(NEW, vec![withdrawn("A-1", NEW), everywhere("A-2", NEW)]),
    );
    assert_eq!(matched(&both), ["A-2", "A-3"]);
    assert_eq!(both.sources()[0].as_of, NEW);
    assert!(both.sources()[0].built_in);
    assert!(both.id("A-1").unwrap().unwrap().records[0].withdrawn);
    // What the store knows at the same time or later counts as the store says.
    let both = layers(batch(OLD, vec![withdrawn("A-1", NEW)]), batch(NEW, vec![everywhere("A-1", NEW)]));
    assert_eq!(matched(&both), Vec::<String>::new());
    // The store is as new: the baseline is not asked.
    let both = layers(batch(NEW, vec![]), batch(NEW, vec![everywhere("A-1", OLD)]));
    assert_eq!(matched(&both), Vec::<String>::new());
    // A store without this ecosystem.
    let mut empty = batch(NEWEST, vec![]);
    empty.sources[0].ecosystem = "npm".into();
    assert_eq!(matched(&layers(empty, batch(OLD, vec![everywhere("A-1", OLD)]))), ["A-1"]);
}

fn sample() -> Vec<u8> {
    let mut builder = Builder::new();
    let long = "x".repeat(5_000);
    let records = (0..400).map(|n| {
        let mut affected = affected(&format!("p{n}"), vec![range(None, Some("1.0.0"))], &["3.0.0"]);
        affected.functions = if n == 7 { vec![long.clone()] } else { vec![] };
        record(&format!("A-{n}"), &[&format!("CVE-{n}")], OLD, vec![affected])
    });
    builder.add(batch(OLD, records.collect()));
    builder.build().unwrap()
}

/// Whether every record is there, or a damage is reported.
fn never_silent(bytes: Vec<u8>) -> bool {
    let store = match Store::from_static(leaked(bytes)) {
        Ok(store) => store,
        Err(_) => return true,
    };
    let mut damaged = store.verify_all().is_err();
    for n in 0..400 {
        match store.lookup("crates.io", &format!("p{n}")) {
            Ok(hits) => assert_eq!(hits.len(), 1, "p{n}"),
            Err(_) => damaged = true,
        }
        match store.id(&format!("CVE-{n}")) {
            Ok(known) => assert_eq!(known.unwrap().records.len(), 1),
            Err(_) => damaged = true,
        }
    }
    damaged
}

#[test]
fn damage_is_never_silent() {
    let bytes = sample();
    assert!(!never_silent(bytes.clone()));
    // Every page, at its begin, its end and somewhere between.
    for page in 0..bytes.len() / 4096 {
        for place in [0, 9, 1000 + page * 7 % 2000, 4081, 4095] {
            let mut damaged = bytes.clone();
            damaged[page * 4096 + place] ^= 1 << (place % 8);
            assert!(never_silent(damaged), "byte {place} of page {page}");
        }
    }
    for length in [0, 1, 4095, 4096, 8192, bytes.len() - 4096, bytes.len() - 1] {
        assert!(never_silent(bytes[..length].to_vec()), "{length} bytes");
    }
    let mut swapped = bytes.clone();
    swapped[4096..3 * 4096].rotate_left(4096);
    assert!(never_silent(swapped), "two pages changed places");
    let mut longer = bytes;
    longer.extend([0; 4096]);
    assert!(never_silent(longer), "a page too many");
}

#[test]
fn errors_say_what_to_do() {
    let path = std::env::temp_dir().join(format!("portcullis-store-{}", std::process::id()));
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Store::open(&path)
    };
    let good = sample();
    let store = open(&good).unwrap();
    assert_eq!(store.lookup("crates.io", "p7").unwrap()[0].affected.functions[0].len(), 5_000);
    assert_eq!(store.digest(), Store::from_static(leaked(good.clone())).unwrap().digest());
    assert_eq!((store.as_of(), store.sources()[0].records), (OLD, 400));
    let mut newer = good.clone();
    newer[8] = 9;
    assert!(matches!(open(&newer), Err(StoreError::TooNew { format: 9, .. })));
    newer[8] = 1;
    assert!(matches!(open(&newer), Err(StoreError::TooOld { format: 1, .. })));
    assert!(matches!(open(b"{}"), Err(StoreError::NotAStore { .. })));
    assert!(matches!(open(b""), Err(StoreError::NotAStore { .. })));
    assert!(matches!(open(&good[..good.len() - 4096]), Err(StoreError::Damaged { .. })));
    std::fs::remove_file(&path).unwrap();
    let missing = Store::open(&path).unwrap_err();
    assert!(missing.to_string().contains("--advisories") && !missing.to_string().contains('\n'));
}

#[test]
fn an_empty_store_knows_nothing() {
    let store = store_of(vec![]);
    store.verify_all().unwrap();
    assert_eq!(store.lookup("crates.io", "p").unwrap(), []);
    assert_eq!(store.id("A-1").unwrap(), None);
}
