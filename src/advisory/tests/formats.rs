//! What real data does (shared data, SURPRISES 1 to 11), each on a record of its own. Expectations were worked out by
//! hand from the record's text.

use super::{asked, layered};
use crate::advisory::import::{Imported, osv};
use crate::model::advisory::{AdvisoryKind, Bound, Range, Record, Skipped};

fn read(json: &str) -> (Record, Vec<Skipped>) {
    osv::record(json.as_bytes()).unwrap()
}

fn entry(rest: &str, affected: &str) -> String {
    format!(r#"{{"id":"X-1","modified":"2024-01-01T00:00:00Z"{rest},"affected":[{affected}]}}"#)
}

fn cargo(events: &str, rest: &str) -> String {
    entry(
        "",
        &format!(
            r#"{{"package":{{"ecosystem":"crates.io","name":"p"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}]{rest}}}"#
        ),
    )
}

fn judged(json: &str, version: &str) -> bool {
    let (record, skipped) = read(json);
    let store = layered(vec![Imported { records: vec![record], skipped, sources: vec![] }]);
    let (matched, undecided) = asked(&store, "p", version);
    assert_eq!(undecided, Vec::<String>::new());
    !matched.is_empty()
}

#[test]
fn bounds_end_in_the_lowest_prerelease() {
    // 1. RUSTSEC-2016-0001 (openssl): introduced 0.0.0-0, fixed 0.9.0.
    let json = cargo(r#"{"introduced":"0.0.0-0"},{"fixed":"0.9.0"}"#, "");
    assert!(judged(&json, "0.0.0-0") && judged(&json, "0.8.9") && judged(&json, "0.9.0-rc.1"));
    assert!(!judged(&json, "0.9.0"));
}

#[test]
fn several_pairs_in_one_range() {
    // 1. RUSTSEC-2021-0003 (smallvec), and the same events out of order.
    for events in [
        r#"{"introduced":"0.6.3"},{"fixed":"0.6.14"},{"introduced":"1.0.0"},{"fixed":"1.6.1"}"#,
        r#"{"fixed":"1.6.1"},{"introduced":"1.0.0"},{"fixed":"0.6.14"},{"introduced":"0.6.3"}"#,
    ] {
        let json = cargo(events, "");
        let affected = ["0.6.3", "0.6.13", "1.0.0", "1.6.0"].map(|v| judged(&json, v));
        assert_eq!(affected, [true; 4]);
        assert_eq!(["0.6.2", "0.6.14", "0.9.0", "1.6.1"].map(|v| judged(&json, v)), [false; 4]);
    }
}

#[test]
fn informational_and_malicious_advisories() {
    // 2. database_specific of an affected entry, as RustSec exports it.
    let kind =
        |specific: &str| read(&cargo(r#"{"introduced":"0"}"#, &format!(r#","database_specific":{specific}"#))).0.kind;
    assert_eq!(kind(r#"{"informational":"unmaintained","categories":[]}"#), AdvisoryKind::Unmaintained);
    assert_eq!(kind(r#"{"informational":"unsound"}"#), AdvisoryKind::Unsound);
    assert_eq!(kind(r#"{"informational":"notice"}"#), AdvisoryKind::Notice);
    assert_eq!(kind(r#"{"informational":null,"categories":["malicious"]}"#), AdvisoryKind::Malware);
    assert_eq!(kind(r#"{"informational":"something new"}"#), AdvisoryKind::Vulnerability);
    assert_eq!(kind(r#"{"informational":7}"#), AdvisoryKind::Vulnerability);
    assert_eq!(kind(r#""a text""#), AdvisoryKind::Vulnerability);
    assert_eq!(
        read(r#"{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","aliases":["MAL-2022-1"]}"#).0.kind,
        AdvisoryKind::Malware
    );
    let origins =
        r#"{"id":"Y","modified":"2024-01-01T00:00:00Z","database_specific":{"malicious-packages-origins":[]}}"#;
    assert_eq!(read(origins).0.kind, AdvisoryKind::Malware);
}

#[test]
fn versions_and_ranges_are_a_union() {
    // 5 and 6. Versions alone (MAL-2025-47141 and its like), and beside a range that covers them.
    let listed = entry("", r#"{"package":{"ecosystem":"crates.io","name":"p"},"versions":["1.0.1","1.0.3"]}"#);
    assert!(judged(&listed, "1.0.1") && judged(&listed, "1.0.3") && judged(&listed, "1.0.3+build"));
    assert!(!judged(&listed, "1.0.2"));
    let both = cargo(r#"{"introduced":"2.0.0"},{"fixed":"2.1.0"}"#, r#","versions":["1.0.0"]"#);
    assert_eq!(["1.0.0", "2.0.5", "1.5.0", "2.1.0"].map(|v| judged(&both, v)), [true, true, false, false]);
    let broad = cargo(r#"{"introduced":"0"}"#, r#","versions":["1.0.0"]"#);
    assert!(judged(&broad, "0.0.1") && judged(&broad, "99.0.0"));
}

#[test]
fn what_names_no_versions_is_set_aside_by_name() {
    // 5. PYSEC-2010-33 has neither; 7. GIT events hold `<sha>.patch`.
    for affected in [
        r#"{"package":{"ecosystem":"PyPI","name":"roundup"}}"#,
        r#"{"package":{"ecosystem":"PyPI","name":"roundup"},"versions":[],"ranges":[{"type":"GIT","repo":"r","events":
           [{"introduced":"0"},{"fixed":"1a2b3c4.patch"}]}]}"#,
    ] {
        let (record, skipped) = read(&entry("", affected));
        assert_eq!(record.affected[0].ranges, []);
        assert_eq!(skipped[0].package, Some(("PyPI".into(), "roundup".into())));
        let store = super::store_of(vec![Imported { records: vec![record], skipped, sources: vec![] }]);
        assert_eq!(store.skipped("PyPI", "roundup").unwrap().len(), 1);
        assert_eq!(store.skipped("PyPI", "other").unwrap(), []);
    }
    // Nothing is missing where the record was withdrawn, or says it elsewhere.
    let affected = r#"{"package":{"ecosystem":"PyPI","name":"a"}}"#;
    assert_eq!(read(&entry(r#","withdrawn":"2024-02-02T00:00:00Z""#, affected)).1, []);
    let other = r#"{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1"]}"#;
    assert_eq!(read(&entry("", &format!("{affected},{other}"))).1, []);
}

#[test]
fn what_cannot_be_compared_is_undecided() {
    // 7. Bounds that are no versions, where the answer depends on them and where it does not.
    let json = cargo(r#"{"introduced":"1.0.0"},{"fixed":"2019-09-12"}"#, "");
    let (record, _) = read(&json);
    let store = layered(vec![Imported { records: vec![record], ..Imported::default() }]);
    assert_eq!(asked(&store, "p", "0.9.0"), (vec![], vec![]));
    assert_eq!(asked(&store, "p", "1.5.0"), (vec![], vec!["X-1".into()]));
    assert_eq!(asked(&store, "p", "no version"), (vec![], vec!["X-1".into()]));
    // A listed version that is none is its own text and nothing else.
    let json = entry("", r#"{"package":{"ecosystem":"crates.io","name":"p"},"versions":["2.0.0-final_","0.2.0"]}"#);
    assert!(judged(&json, "2.0.0-final_") && judged(&json, "0.2.0") && !judged(&json, "2.0.0"));
}

#[test]
fn partial_versions_are_filled_up() {
    // 8. `0.70`, `6.0`; and what only looks like one.
    let json = cargo(r#"{"introduced":"0.70"},{"last_affected":"6"}"#, "");
    let (record, _) = read(&json);
    let until = Some(Bound::LastAffected("6.0.0".into()));
    assert_eq!(record.affected[0].ranges, [Range { introduced: Some("0.70.0".into()), until }]);
    assert_eq!(["0.69.9", "0.70.0", "6.0.0", "6.0.1"].map(|v| judged(&json, v)), [false, true, true, false]);
}

#[test]
fn ecosystems_lose_their_suffix() {
    // 9. DRUPAL-CONTRIB-2017-082.
    let (record, _) = read(&entry(
        "",
        r#"{"package":{"ecosystem":"Packagist:https://packages.drupal.org/8","name":"drupal/permissions_by_term"},
            "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}"#,
    ));
    assert_eq!(record.affected[0].ecosystem, "Packagist");
    assert_eq!(record.affected[0].fixed, ["1.2.0"]);
}

#[test]
fn go_has_no_severity_and_no_dates() {
    // 10. GO-2024-2432: times of the year 1, symbols under `imports`.
    let (record, _) = read(
        r#"{"id":"GO-2024-2432","modified":"0001-01-01T00:00:00Z","published":"0001-01-01T00:00:00Z","affected":[{
            "package":{"ecosystem":"Go","name":"m"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
            "ecosystem_specific":{"imports":[{"path":"m/html","symbols":["Parse","Tokenizer.Next"]}]}}]}"#,
    );
    assert_eq!((record.published, record.vector), (None, None));
    assert_eq!(record.affected[0].functions, ["m/html.Parse", "m/html.Tokenizer.Next"]);
    let store = super::store_of(vec![Imported {
        records: vec![read(r#"{"id":"G","modified":"0001-01-01T00:00:00.5Z"}"#).0],
        ..Imported::default()
    }]);
    assert_eq!(store.id("G").unwrap().unwrap().records[0].modified.to_string(), "0001-01-01T00:00:00.5Z");
}

#[test]
fn severity_of_an_entry_and_unknown_keys() {
    // 11. HSEC-2023-0001; CRAN's `upstream`; one package twice.
    let (record, _) = read(&entry(
        r#","upstream":["CVE-1"],"new":{"deep":[1]},"severity":null,"aliases":null"#,
        r#"{"package":{"ecosystem":"Hackage","name":"aeson"},"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"},
            {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},{"type":"Other","score":7.5}],
            "versions":["1"]},
           {"package":{"ecosystem":"Hackage","name":"aeson"},"versions":["2"]}"#,
    ));
    assert_eq!(record.vector.as_deref(), Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"));
    assert_eq!(record.aliases, Vec::<String>::new());
    let store = super::store_of(vec![Imported { records: vec![record], ..Imported::default() }]);
    let hits = store.lookup("Hackage", "aeson").unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].affected.versions.join(" "), hits[0].score), ("1 2".into(), Some(7.5)));
}

#[test]
fn bad_records_are_set_aside_with_id_and_packages() {
    let folder = std::env::temp_dir().join(format!("portcullis-osv-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("deep/er")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("good.json", &cargo(r#"{"introduced":"0"}"#, ""));
    write("bad.json", &cargo(r#"{"introduced":7}"#, "").replace("X-1", "X-2"));
    write("deep/er/no-json.json", "{");
    write("deep/no-time.json", r#"{"id":"X-3","modified":"soon"}"#);
    write("deep/nested.json", &"[".repeat(100_000));
    write("ignored.txt", "{");
    let imported = crate::advisory::import::read(&folder, None, super::NOW).unwrap().remove(0);
    std::fs::write(folder.join("all.zip"), "PK\x03\x04 cut off").unwrap();
    let broken = crate::advisory::import::read(&folder.join("all.zip"), None, super::NOW).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(broken.contains("all.zip: ") && !broken.contains('\n'), "{broken}");
    assert_eq!(imported.records.len(), 1);
    let ids: Vec<_> = imported.skipped.iter().map(|s| (s.id.as_str(), s.package.is_some())).collect();
    assert_eq!(ids, [("X-2", true), ("no-json", false), ("nested", false), ("X-3", false)]);
}
