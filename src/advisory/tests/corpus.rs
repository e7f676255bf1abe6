//! All OSV data at hand, imported, built and asked.

use super::{folder, leaked};
use crate::advisory::import;
use crate::advisory::store::{Builder, Store};
use crate::model::advisory::AdvisoryKind;

#[test]
fn everything_is_imported() {
    let Some(data) = folder("PORTCULLIS_DATA") else { return };
    let all = import::read(&data.join("osv"), None, super::NOW).unwrap();
    let mut builder = Builder::new();
    let mut reasons = std::collections::BTreeMap::new();
    let (mut records, mut withdrawn, mut malware) = (0, 0, 0);
    for batch in &all {
        records += batch.records.len();
        withdrawn += batch.records.iter().filter(|r| r.withdrawn).count();
        malware += batch.records.iter().filter(|r| r.kind == AdvisoryKind::Malware).count();
        for skipped in &batch.skipped {
            *reasons.entry(skipped.reason.clone()).or_insert(0) += 1;
        }
        builder.add(batch.clone());
    }
    let bytes = builder.build().unwrap();
    eprintln!(
        "{records} records, {withdrawn} withdrawn, {malware} malware, {} bytes, skipped {reasons:?}",
        bytes.len()
    );
    assert_eq!(all.len(), 13);
    // Of the twenty PyPI entries with neither versions nor ranges, those that are not withdrawn or covered by another
    // entry of their record; and nothing else.
    assert_eq!(reasons.values().sum::<i32>(), 11, "{reasons:?}");
    // One PyPI record says it was changed in 2027: it does not make the data look newer than the run.
    assert!(all.iter().flat_map(|b| &b.sources).all(|s| s.as_of.as_str() < "2026-11-22"));
    let store = Store::from_static(leaked(bytes.clone())).unwrap();
    store.verify_all().unwrap();

    // RUSTSEC-2020-0071 (time): the export holds eight pairs; every one must be there.
    let time = store.lookup("crates.io", "time").unwrap();
    let hit = time.iter().find(|hit| hit.id == "RUSTSEC-2020-0071").unwrap();
    assert!(hit.affected.ranges.len() >= 5, "{hit:?}");
    assert!(hit.ids.iter().any(|id| id == "CVE-2020-26235"));
    let known = store.id("CVE-2020-26235").unwrap().unwrap();
    assert!(known.records.iter().any(|r| r.id == "RUSTSEC-2020-0071" && !r.withdrawn));
    assert_eq!(
        store.lookup("crates.io", "rustdecimal").unwrap().iter().map(|h| h.kind).max(),
        Some(AdvisoryKind::Malware)
    );

    // Every record that stands can be found through each of its packages and under each of its names.
    for record in all.iter().flat_map(|batch| &batch.records) {
        for name in std::iter::once(&record.id).chain(record.aliases.iter().filter(|_| !record.withdrawn)) {
            let known = store.id(name).unwrap().unwrap();
            assert!(known.records.iter().any(|own| own.id == record.id) || name != &record.id, "{name}");
        }
        for affected in record.affected.iter().filter(|_| !record.withdrawn) {
            let mut found = false;
            store
                .visit(&affected.ecosystem, &affected.name, |_| {
                    found = true;
                    Ok(())
                })
                .unwrap();
            assert!(found, "{} {}", record.id, affected.name);
        }
    }

    // A store built from the store is the store.
    let mut again = Builder::new();
    again.add_store(&store).unwrap();
    assert!(again.build().unwrap() == bytes);
}
