//! The standard's own schema is the judge where there is a copy of it (the last test); the other
//! expectations are GitHub's, from its documentation of SARIF support for code scanning.

use serde_json::Value;

use super::super::{Look, samples};
use super::*;
use crate::model::finding::Level;

fn rendered(verdict: &Verdict) -> Value {
    serde_json::from_str(&render(verdict, &Look::default())).unwrap()
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

#[test]
fn a_deny_by_hand() {
    let log = rendered(&samples::deny());
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(run["tool"]["driver"]["name"], "portcullis");
    assert_eq!(run["properties"]["decision"], "deny");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    // Nine findings, one of them resolved.
    assert_eq!(results(&log).len(), 8);
    let first = &results(&log)[0];
    assert_eq!(first["ruleId"], "baseline/advisory-introduced/GHSA-3h5v-q93c-6h6q");
    assert_eq!(first["level"], "error");
    assert_eq!(first["message"]["text"], "message of advisory-introduced\nremedy of advisory-introduced");
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "web/package-lock.json");
    assert_eq!(place["region"]["startLine"], 412);
    assert_eq!(first["partialFingerprints"]["portcullis/v1"], "f:advisory-introduced:");
    let rule = &run["tool"]["driver"]["rules"][first["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], first["ruleId"]);
    assert_eq!(
        rule["shortDescription"]["text"],
        "GHSA-3h5v-q93c-6h6q: 7.5 high · fixed in 8.17.1 · also CVE-2024-0001"
    );
    assert_eq!(rule["helpUri"], "https://github.com/advisories/GHSA-3h5v-q93c-6h6q");
    assert_eq!(rule["properties"]["security-severity"], "7.5");
    assert_eq!(rule["defaultConfiguration"]["level"], "error");
    let waived = results(&log).iter().find(|result| result["suppressions"].is_array()).unwrap();
    assert_eq!(waived["suppressions"][0]["justification"], "waived by waiver-1, bob, until 2026-12-15");
    assert_eq!(waived["level"], "note");
    let inherited = results(&log).iter().find(|r| r["properties"]["origin"] == "inherited").unwrap();
    assert_eq!(inherited["level"], "note");
}

#[test]
fn what_could_not_be_judged_is_a_notification() {
    let log = rendered(&samples::incomplete());
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let said = &invocation["toolExecutionNotifications"][0];
    assert_eq!(
        (said["level"].as_str(), said["message"]["text"].as_str()),
        (Some("error"), Some("advisories: no advisory data for cargo"))
    );
}

#[test]
fn paths_are_relative_references() {
    for (path, expected) in [
        ("a b/c#d?e", "a%20b/c%23d%3Fe"),
        ("http://host/x", "http%3A/host/x"),
        ("größe/%41", "gr%C3%B6%C3%9Fe/%2541"),
        (".github/a_b~c-d", ".github/a_b~c-d"),
    ] {
        assert_eq!(uri(&RepoPath::from_git(path.as_bytes())), expected);
    }
}

/// What GitHub asks of a file, beyond the standard.
fn is_fit_for_code_scanning(log: &Value) {
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["id"].is_string() && rule["help"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(rule["shortDescription"]["text"].as_str().unwrap().chars().count() <= 1024);
        assert!(rule["fullDescription"]["text"].as_str().unwrap().chars().count() <= 1024);
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
    }
    assert!(results(log).len() <= 25_000);
    for result in results(log) {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.split('/').any(|part| part == ".." || part == "."));
        assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%/".contains(&b)), "{uri}");
        let (from, to) = (place["region"]["startLine"].as_u64().unwrap(), place["region"]["endLine"].as_u64().unwrap());
        assert!(from >= 1 && to >= from);
    }
}

#[test]
fn every_sample_is_fit_for_code_scanning() {
    for text in ["[a](https://host.example/x)", "../..", "//host/x", "/etc", ".", "", "{0} {", "%", "a:b"] {
        let log = rendered(&samples::hostile(text));
        is_fit_for_code_scanning(&log);
        for result in results(&log) {
            assert!(!result["message"]["text"].as_str().unwrap().contains("]("), "no link");
        }
    }
    for verdict in samples::all() {
        is_fit_for_code_scanning(&rendered(&verdict));
    }
}

#[test]
fn a_cut_is_said_and_what_blocks_stays() {
    let mut verdict = samples::clean();
    let note = |n| Finding { blocks: false, ..samples::finding(&format!("note-{}", n % 7), Level::Note, None) };
    verdict.findings = (0..25_010).map(note).collect();
    verdict.findings.push(samples::finding("last", Level::Deny, None));
    let log = rendered(&verdict);
    is_fit_for_code_scanning(&log);
    assert_eq!(results(&log)[0]["ruleId"], "baseline/last");
    let said = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(said[0]["message"]["text"], "11 more results are left out here; the JSON report has them all");
}

/// The schema of the standard, where the test data is laid out.
#[test]
fn every_sample_is_valid() {
    let Some(corpus) = std::env::var_os("PORTCULLIS_CORPUS") else {
        eprintln!("skipped: PORTCULLIS_CORPUS names no corpus");
        return;
    };
    let bytes = std::fs::read(std::path::Path::new(&corpus).join("schemas/sarif/sarif-schema-2.1.0.json")).unwrap();
    let schema: Value = serde_json::from_slice(&bytes).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let hostile = ["", "\u{0}", "a b", "[x](y)", "{0}", "é\u{202e}"].map(samples::hostile);
    for verdict in samples::all().into_iter().chain(hostile) {
        let log = rendered(&verdict);
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let mut broken = rendered(&samples::deny());
    broken["runs"][0]["results"][0]["level"] = Value::from("deny");
    assert!(!validator.is_valid(&broken));
}
