//! Every case ends as its `expected.toml` says. Each runs through every rule, so a case about one rule shows as well
//! that the others stay silent.

use std::collections::BTreeSet;

use portcullis::policy::pack::Packs;

use crate::support::case::lines;
use crate::support::{all, for_each};

#[test]
fn every_case_ends_as_expected() {
    for_each(all(), |case| {
        let verdict = case.run();
        let expected = &case.expected;
        let found = lines(&verdict);
        let mut faults = Vec::new();
        if verdict.decision.as_str() != expected.decision {
            faults.push(format!("decision: {} instead of {}", verdict.decision, expected.decision));
        }
        if verdict.complete != expected.complete {
            faults.push(format!("complete: {} instead of {}", verdict.complete, expected.complete));
        }
        let mut missing = expected.findings.clone();
        let mut surplus = Vec::new();
        for line in found {
            match missing.iter().position(|other| *other == line) {
                Some(at) => drop(missing.remove(at)),
                None => surplus.push(line),
            }
        }
        faults.extend(missing.into_iter().map(|line| format!("missing: {line}")));
        faults.extend(surplus.into_iter().map(|line| format!("surplus: {line}")));
        let skipped = &verdict.coverage.checks_skipped;
        for text in &expected.skipped {
            if !skipped.iter().any(|each| each.reason.contains(text.as_str())) {
                faults.push(format!("nothing skipped says \"{text}\""));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        let said = skipped.iter().map(|each| format!("  (skipped: {})", each.reason));
        faults.extend(said);
        Err(format!("{}\n  {}", case.spec.title, faults.join("\n  ")))
    });
}

#[test]
fn expected_findings_are_sorted() {
    for case in all() {
        assert!(case.expected.findings.is_sorted(), "{}", case.id);
    }
}

/// Rules of which no case can show a positive one: what they ask for is known with a network alone.
const NOT_OFFLINE: &[&str] = &["yanked"];

#[test]
fn every_rule_catches_something_and_lets_something_through() {
    let packs = Packs::built_in().unwrap();
    let rules: BTreeSet<&str> = packs.rules().map(|rule| rule.rule.as_str()).collect();
    for rule in rules {
        let speaks = |line: &String| line.split(' ').nth(1) == Some(rule);
        let caught = all().iter().filter(|case| case.expected.findings.iter().any(speaks)).count();
        assert!(caught > 0 || NOT_OFFLINE.contains(&rule), "no case shows what {rule} catches");
        assert!(caught < all().len(), "every case trips {rule}");
        assert!(caught == 0 || !NOT_OFFLINE.contains(&rule), "{rule} can be shown after all");
    }
}

#[test]
fn the_threat_model_names_every_evasion_and_no_other() {
    let text = std::fs::read_to_string(crate::support::portcullis().join("docs/threat-model.md")).unwrap();
    let named: BTreeSet<&str> = text
        .split('`')
        .filter(|code| {
            code.len() > 3 && code.as_bytes()[..2].iter().all(u8::is_ascii_digit) && code.as_bytes()[2] == b'-'
        })
        .collect();
    let there: BTreeSet<&str> = all().iter().filter_map(|case| case.id.strip_prefix("evasion/")).collect();
    assert_eq!(named, there);
}

#[test]
fn every_threat_has_a_case() {
    // 14 is about how the Action is built and cached, which is no matter of two revisions.
    let shown: BTreeSet<u32> =
        all().iter().filter(|case| case.is_evasion()).filter_map(|case| case.spec.threat).collect();
    for threat in (1..=18).filter(|threat| *threat != 14) {
        assert!(shown.contains(&threat), "no case under evasion/ shows threat {threat}");
    }
    for case in all().iter().filter(|case| case.is_evasion()) {
        let number = case.id.strip_prefix("evasion/").and_then(|name| name.split('-').next()?.parse().ok());
        assert_eq!(number, case.spec.threat, "{}", case.id);
    }
}
