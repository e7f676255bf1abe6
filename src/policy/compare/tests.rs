//! Every way to loosen a policy that we know of, refuted with an example that was replayed; rewrites that mean the same,
//! and tightenings, proved. What to expect follows from the rules' own text, by hand.

use std::time::Instant;

use super::lint::lint;
use super::*;
use crate::gate::PackFile;
use crate::gate::config::Config;
use crate::gate::ledger::Ledger;
use crate::model::finding::Level;
use crate::world::process::Programs;
use crate::world::{Dialogue, Process};

struct Cvc5(Programs);

struct Talk(Box<dyn Dialogue>);

impl Solver for Cvc5 {
    fn start(&self) -> std::io::Result<Box<dyn Session>> {
        let dialogue = self.0.solver(ARGUMENTS)?;
        let dialogue = dialogue.ok_or_else(|| std::io::Error::other("there is no cvc5 on the path"))?;
        Ok(Box::new(Talk(dialogue)))
    }
}

impl Session for Talk {
    fn send(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.0.send(text)
    }

    fn line(&mut self) -> std::io::Result<String> {
        self.0.line()
    }
}

/// The solver of this machine. Without one a test says so and ends, unless the solver is required.
fn solver(test: &str) -> Option<Cvc5> {
    let solver = Cvc5(Programs::new(&crate::world::real::env(), None));
    if cfg!(feature = "prove") && solver.start().is_ok() {
        return Some(solver);
    }
    let is_required = std::env::var_os("PORTCULLIS_REQUIRE_CVC5").is_some_and(|v| v == "1");
    assert!(!is_required, "{test}: PORTCULLIS_REQUIRE_CVC5=1, and cvc5 cannot be used");
    eprintln!("{test}: SKIPPED, there is no cvc5 on the path");
    None
}

macro_rules! need_solver {
    ($name:literal) => {
        match solver($name) {
            Some(solver) => solver,
            None => return,
        }
    };
}

const MANIFEST: &str = "title = \"T\"\nframework = \"F\"\nedition = \"1\"\nsummary = \"S\"\n";

/// A rule of the pack `mine`.
fn rule(id: &str, level: &str, action: &str, condition: &str) -> String {
    format!(
        "@id(\"{id}\")\n@level(\"{level}\")\n@title(\"t\")\n@message(\"m\")\n@remediation(\"r\")\n\
         forbid (principal, action == Action::\"{action}\", resource)\nwhen {{ {condition} }};\n\n"
    )
}

struct Policy {
    packs: Packs,
    gate: Gate,
}

/// A gate with a configuration, a ledger, and a pack `mine` of these rules.
fn policy(config: &str, ledger: &str, rules: &str) -> Policy {
    let file = |name: &str, text: &str| PackFile {
        pack: "mine".to_owned(),
        name: name.to_owned(),
        path: format!(".portcullis/policies/mine/{name}"),
        text: text.to_owned(),
    };
    let gate = Gate {
        config: Config::parse(config).unwrap(),
        ledger: Ledger::parse(ledger).unwrap(),
        packs: vec![file("pack.toml", MANIFEST), file("rules.cedar", rules)],
        ..Gate::default()
    };
    Policy { packs: Packs::load(&gate).unwrap_or_else(|e| panic!("{e}\n{rules}")), gate }
}

fn mine(rules: &str) -> Policy {
    policy("packs = [\"mine\"]\n", "", rules)
}

fn run(base: &Policy, head: &Policy, solver: Option<&dyn Solver>) -> Comparison {
    let (base, head) = (Side { packs: &base.packs, gate: &base.gate }, Side { packs: &head.packs, gate: &head.gate });
    compare(base, head, solver, &Budget::PATIENT)
}

/// Loosenings of one rule: action, base's condition, head's, and a fact of the example.
const LOOSER: &[(&str, &str, &str, &str, &str)] = &[
    (
        "a threshold is loosened",
        "match",
        "resource has severity && resource.severity >= 40",
        "resource has severity && resource.severity >= 70",
        "severity",
    ),
    (
        "containsAll becomes containsAny",
        "change",
        r#"resource has licenseAlt1 && !["MIT", "Zlib"].containsAll(resource.licenseAlt1)"#,
        r#"resource has licenseAlt1 && !["MIT", "Zlib"].containsAny(resource.licenseAlt1) && !resource.licenseAlt1.isEmpty()"#,
        "licenseAlt1",
    ),
    (
        "a fact that is not known is let through",
        "change",
        "!(resource has ageDays && resource.ageDays >= 3)",
        "resource has ageDays && resource.ageDays < 3",
        "ageDays",
    ),
    (
        "one word less",
        "match",
        r#"[AdvisoryKind::"malware", AdvisoryKind::"vulnerability"].contains(resource.kind)"#,
        r#"resource.kind == AdvisoryKind::"malware""#,
        "kind",
    ),
    (
        "an exception for a name",
        "change",
        "resource.newLibrary",
        r#"resource.newLibrary && !(resource.name like "trusted-*")"#,
        "name",
    ),
    (
        "an exception in a list that is meant for one id",
        "match",
        r#"resource.id != "RUSTSEC-2020-0001""#,
        r#"!(resource.ids.containsAny(["RUSTSEC-2020-0001", "RUSTSEC-2020-0002"]))"#,
        "ids",
    ),
    (
        "a detector less",
        "line",
        r#"[Detector::"mine/a", Detector::"mine/b"].contains(resource.detector)"#,
        r#"resource.detector == Detector::"mine/a""#,
        "detector",
    ),
    (
        "not in tests",
        "line",
        r#"resource.detector == Detector::"mine/a""#,
        r#"resource.detector == Detector::"mine/a" && resource.class != LineClass::"test""#,
        "class",
    ),
    (
        "only with secrets",
        "step",
        r#"resource.path like ".github/*""#,
        r#"resource.path like ".github/*" && resource.privileged"#,
        "path",
    ),
    ("only in a pipeline", "change", "resource.sourceNew", "resource.sourceNew && context.ci", "sourceNew"),
    (
        "not in an audit",
        "match",
        "resource.direct",
        r#"resource.direct && context.command == Command::"check""#,
        "direct",
    ),
];

/// Conditions that mean the same, or of which head's refuses more.
const NO_WEAKER: &[(&str, &str, &str, &str)] = &[
    ("De Morgan", "change", "!(resource.direct && resource.covered)", "!resource.covered || !resource.direct"),
    (
        "the same number by other words",
        "match",
        "resource has severity && resource.severity > 69",
        "resource has severity && !(resource.severity < 70)",
    ),
    (
        "a list and its alternatives",
        "change",
        r#"[Scope::"runtime", Scope::"build"].contains(resource.scope)"#,
        r#"resource.scope == Scope::"build" || resource.scope == Scope::"runtime""#,
    ),
    (
        "a word is all but the others",
        "change",
        r#"resource.scope == Scope::"runtime""#,
        r#"!([Scope::"development", Scope::"build"].contains(resource.scope))"#,
    ),
    (
        "a threshold is tightened",
        "match",
        "resource has severity && resource.severity >= 70",
        "!(resource has severity && resource.severity < 40)",
    ),
    (
        "containsAny becomes containsAll",
        "change",
        r#"resource has licenseAlt1 && !["MIT", "Zlib"].containsAny(resource.licenseAlt1) && !resource.licenseAlt1.isEmpty()"#,
        r#"resource has licenseAlt1 && !["MIT", "Zlib"].containsAll(resource.licenseAlt1)"#,
    ),
    ("nothing is younger than zero days", "change", "resource has ageDays && resource.ageDays < 0", "resource.pinned"),
    (
        "no advisory has no ids",
        "match",
        r#"["A", "B"].containsAll(resource.ids) && resource.id != "A""#,
        r#"resource.id == "B" && ["A", "B"].containsAll(resource.ids)"#,
    ),
    (
        "what stands is seen in an audit",
        "change",
        r#"resource.kind == ChangeKind::"standing""#,
        r#"context.command == Command::"audit""#,
    ),
];

#[test]
fn every_loosening_of_a_rule_is_refuted_and_replayed() {
    let cvc5 = need_solver!("every_loosening_of_a_rule_is_refuted_and_replayed");
    for (name, action, base, head, fact) in LOOSER {
        let (base, head) = (mine(&rule("r", "deny", action, base)), mine(&rule("r", "deny", action, head)));
        let found = run(&base, &head, Some(&cvc5));
        assert_eq!(found.result, ComparisonResult::Weaker, "{name}: {found:#?}");
        assert_eq!(found.solver.as_deref().map(|s| s.starts_with("cvc5 ")), Some(true));
        let example = &found.examples[0];
        assert_eq!((example.rule.as_str(), example.base, example.head), ("mine/r", Some(Level::Deny), None), "{name}");
        assert!(
            example.subject.iter().any(|(known, _)| known == fact) || example.what.contains("nothing special"),
            "{name}: {example:?}"
        );
        // The other way round it is a tightening, or it would be no loosening.
        let back = run(&head, &base, Some(&cvc5));
        if !name.contains("meant for one id") {
            assert_eq!(back.result, ComparisonResult::NoWeaker, "{name}: {back:#?}");
        }
    }
}

#[test]
fn rewrites_and_tightenings_are_proved() {
    let cvc5 = need_solver!("rewrites_and_tightenings_are_proved");
    for (name, action, base, head) in NO_WEAKER {
        let (base, head) = (mine(&rule("r", "deny", action, base)), mine(&rule("r", "deny", action, head)));
        let found = run(&base, &head, Some(&cvc5));
        assert_eq!(found.result, ComparisonResult::NoWeaker, "{name}: {found:#?}");
    }
}

#[test]
fn without_a_solver_loosenings_are_found_and_nothing_is_called_proved() {
    for (name, action, base, head, _) in LOOSER {
        let (base, head) = (mine(&rule("r", "deny", action, base)), mine(&rule("r", "deny", action, head)));
        let found = run(&base, &head, None);
        assert_eq!(found.result, ComparisonResult::Weaker, "{name}: {found:#?}");
        assert!(found.notes.iter().any(|note| note.starts_with("tested, not proved")), "{found:#?}");
    }
    for (name, action, base, head) in NO_WEAKER {
        let (base, head) = (mine(&rule("r", "deny", action, base)), mine(&rule("r", "deny", action, head)));
        let found = run(&base, &head, None);
        assert_eq!(found.result, ComparisonResult::NotProved, "{name}: {found:#?}");
        let same = run(&base, &base, None);
        assert_eq!(same.result, ComparisonResult::Unchanged, "{name}: {same:#?}");
    }
}

#[test]
fn levels_packs_and_settings_are_seen() {
    let cvc5 = need_solver!("levels_packs_and_settings_are_seen");
    let with = |config: &str| policy(config, "", &rule("r", "deny", "change", "resource.direct"));
    let base = with("packs = [\"baseline\", \"mine\"]\n");
    for (head, rule, level) in [
        // A pack is dropped.
        ("packs = [\"baseline\"]\n", "mine/r", None),
        // Deny becomes a warning, a review or a note.
        ("packs = [\"baseline\", \"mine\"]\n[levels]\n\"mine/r\" = \"warn\"\n", "mine/r", Some(Level::Warn)),
        ("packs = [\"baseline\", \"mine\"]\n[levels]\n\"mine/r\" = \"review\"\n", "mine/r", Some(Level::Review)),
        (
            "packs = [\"baseline\", \"mine\"]\n[levels]\n\"baseline/malware\" = \"note\"\n",
            "baseline/malware",
            Some(Level::Note),
        ),
        // Settings are no literals of a rule, and still they are seen.
        (
            "packs = [\"baseline\", \"mine\"]\n[settings]\nfail-on-severity = \"critical\"\n",
            "baseline/advisory-introduced",
            None,
        ),
        (
            "packs = [\"baseline\", \"mine\"]\n[settings]\nmin-release-age = \"1d\"\n",
            "baseline/release-too-young",
            None,
        ),
    ] {
        let found = run(&base, &with(head), Some(&cvc5));
        assert_eq!(found.result, ComparisonResult::Weaker, "{head}: {found:#?}");
        let example =
            found.examples.iter().find(|example| example.rule == rule).unwrap_or_else(|| panic!("{found:#?}"));
        assert_eq!(example.head, level, "{head}: {found:#?}");
    }
    for head in [
        "packs = [\"baseline\", \"mine\", \"mine\"]\n[levels]\n\"baseline/yanked\" = \"deny\"\n",
        "packs = [\"mine\", \"baseline\"]\n[settings]\nmin-release-age = \"9d\"\n",
        "packs = [\"baseline\", \"mine\"]\n[settings]\nallowed-licenses = [\"MIT\"]\n",
    ] {
        let found = run(&base, &with(head), Some(&cvc5));
        assert_eq!(found.result, ComparisonResult::NoWeaker, "{head}: {found:#?}");
    }
    // One licence more is one licence more; the setting emptied is no rule at all.
    let one = with("packs = [\"baseline\", \"mine\"]\n[settings]\nallowed-licenses = [\"MIT\"]\n");
    let two = with("packs = [\"baseline\", \"mine\"]\n[settings]\nallowed-licenses = [\"MIT\", \"Zlib\"]\n");
    assert_eq!(run(&one, &two, Some(&cvc5)).result, ComparisonResult::Weaker);
    assert_eq!(run(&one, &base, Some(&cvc5)).result, ComparisonResult::Weaker);
    assert_eq!(run(&two, &one, Some(&cvc5)).result, ComparisonResult::NoWeaker);
}

#[test]
fn a_setting_that_is_an_empty_set_is_one_to_the_solver() {
    let cvc5 = need_solver!("a_setting_that_is_an_empty_set_is_one_to_the_solver");
    // Every set contains all of an empty one: with no licence allowed both conditions hold of everything.
    let all = "resource has licenseAlt1 && resource.licenseAlt1.containsAll(context.allowedLicenses)";
    let (base, head) = (mine(&rule("r", "deny", "change", all)), mine(&rule("r", "deny", "change", "resource.direct")));
    assert_eq!(run(&base, &head, Some(&cvc5)).result, ComparisonResult::Weaker);
    let (base, head) =
        (mine(&rule("r", "deny", "change", "resource has licenseAlt1")), mine(&rule("r", "deny", "change", all)));
    assert_eq!(run(&base, &head, Some(&cvc5)).result, ComparisonResult::NoWeaker);
}

#[test]
fn an_empty_list_of_ids_is_no_exception_and_a_short_one_is() {
    let cvc5 = need_solver!("an_empty_list_of_ids_is_no_exception_and_a_short_one_is");
    let base = mine(&rule("r", "deny", "match", "resource.direct"));
    // True of an empty set as well; no advisory has an empty one, and one with this id alone has.
    let head = mine(&rule("r", "deny", "match", r#"resource.direct && !(["GHSA-1"].containsAll(resource.ids))"#));
    let found = run(&base, &head, Some(&cvc5));
    assert_eq!(found.result, ComparisonResult::Weaker);
    let ids = found.examples[0].subject.iter().find(|(name, _)| name == "ids").unwrap();
    assert_eq!(ids.1, "[\"GHSA-1\"]");
}

/// By hand: with `min-release-age` at one day instead of nine, a release of five days passes. A rule that reaches the
/// setting through a record means the same, and no literal can stand for what it reads: nothing is proved of it.
#[test]
fn a_setting_behind_a_record_is_not_taken_for_equal() {
    let Some(solver) = solver("a_setting_behind_a_record_is_not_taken_for_equal") else { return };
    let of = |days: u32, condition: &str| {
        let config = format!("packs = [\"mine\"]\n[settings]\nmin-release-age = \"{days}d\"\n");
        policy(&config, "", &rule("young", "deny", "change", condition))
    };
    let plain = "resource has ageDays && resource.ageDays < context.minReleaseAge";
    assert_eq!(run(&of(9, plain), &of(1, plain), Some(&solver)).result, ComparisonResult::Weaker);
    let hidden = "resource has ageDays && resource.ageDays < {\"a\": context}.a.minReleaseAge";
    assert_eq!(run(&of(9, hidden), &of(1, hidden), Some(&solver)).result, ComparisonResult::NotProved);
}

#[test]
fn a_rule_that_fails_denies_and_mending_it_lets_something_through() {
    let cvc5 = need_solver!("a_rule_that_fails_denies_and_mending_it_lets_something_through");
    // A Cedar number has 64 bits; an overflow is an error.
    let fails = mine(&rule("r", "review", "change", "resource has ageDays && resource.ageDays + 1 < 3"));
    let mended = mine(&rule("r", "review", "change", "resource has ageDays && resource.ageDays < 2"));
    let found = run(&fails, &mended, Some(&cvc5));
    assert_eq!(found.result, ComparisonResult::Weaker, "{found:#?}");
    assert_eq!((found.examples[0].base, found.examples[0].head), (Some(Level::Deny), None));
    assert!(found.examples[0].what.contains("9223372036854775807"), "{found:#?}");
    assert_eq!(run(&mended, &fails, Some(&cvc5)).result, ComparisonResult::NoWeaker);
    assert_eq!(run(&fails, &fails, Some(&cvc5)).result, ComparisonResult::Unchanged);
    let lint = lint(&fails.packs, &fails.gate.config.settings, Some(&cvc5), &Budget::PATIENT);
    assert!(lint.faults.len() == 1 && lint.faults[0].what.starts_with("can fail"), "{lint:#?}");
}

#[test]
fn another_rule_stands_in_unless_a_waiver_names_it() {
    let cvc5 = need_solver!("another_rule_stands_in_unless_a_waiver_names_it");
    let waiver = "[[waiver]]\nrule = \"new\"\nsubject = \"pkg:npm/ws\"\nby = \"bob\"\non = 2026-11-22\n\
                  reason = \"r\"\nexpires = 2026-12-15\n";
    let with = |ledger, id| policy("packs = [\"mine\"]\n", ledger, &rule(id, "deny", "change", "resource.sourceNew"));
    assert_eq!(run(&with("", "old"), &with("", "new"), Some(&cvc5)).result, ComparisonResult::NoWeaker);
    // The waiver stands on both sides, and only now there is a rule that it speaks of.
    let found = run(&with(waiver, "old"), &with(waiver, "new"), Some(&cvc5));
    assert_eq!(found.result, ComparisonResult::Weaker, "{found:#?}");
    // A rule that two others replace.
    let two = rule("a", "deny", "change", "resource.sourceNew && resource.direct")
        + &rule("b", "deny", "change", "resource.sourceNew && !resource.direct");
    assert_eq!(run(&with("", "old"), &mine(&two), Some(&cvc5)).result, ComparisonResult::NoWeaker);
    let one = rule("a", "deny", "change", "resource.sourceNew && resource.direct")
        + &rule("b", "review", "change", "resource.sourceNew && !resource.direct");
    let found = run(&with("", "old"), &mine(&one), Some(&cvc5));
    assert_eq!((found.result, found.examples[0].head), (ComparisonResult::Weaker, Some(Level::Review)));
}

#[test]
fn what_lies_outside_the_rules_is_compared() {
    let plain = |config: &str, ledger: &str| policy(config, ledger, &rule("r", "deny", "change", "resource.direct"));
    let base_config = "reviewers = [\"@alice\"]\n[projects]\nexclude = [\"a/**\"]\n[lines]\nexclude = [\"gen/**\"]\n\
                       [registries]\nnpm = \"https://one.example/\"\n";
    let waiver = "[[waiver]]\nrule = \"yanked\"\nsubject = \"pkg:npm/ws@8.16.0\"\nproject = \"web\"\nby = \"bob\"\n\
                  on = 2026-11-22\nreason = \"r\"\nexpires = 2026-12-15\n";
    let approval = format!(
        "[[approval]]\npackage = \"pkg:cargo/a@1.0.0\"\nchecksum = \"sha256:{:064}\"\ndepth = \"noted\"\n\
         scope = \"build\"\nby = \"alice\"\non = 2026-11-22\nreason = \"r\"\nexpires = 2027-11-22\n",
        1
    );
    let ledger = format!("{approval}{waiver}");
    let base = plain(base_config, &ledger);
    for (from, to, part) in [
        ("[\"@alice\"]", "[\"@alice\", \"@mallory\"]", "@mallory may newly approve"),
        ("[\"@alice\"]", "[]", "whoever CODEOWNERS names"),
        ("[\"a/**\"]", "[\"a/**\", \"b/**\"]", "what b/** matches"),
        ("[\"a/**\"]", "[\"a/**\"]\ninclude = [\"web\"]", "what ** matches"),
        ("[\"gen/**\"]", "[\"gen/**\", \"src/**\"]", "[lines] exclude: what src/** matches"),
        (
            "\"https://one.example/\"",
            "[\"https://one.example/\", \"https://two.example/\"]",
            "https://two.example/ newly",
        ),
        ("[projects]", "[settings]\nadvisories-refuse-after = \"60d\"\n[projects]", "60 days old is not refused"),
        ("[projects]", "[settings]\nadvisories-warn-after = \"8d\"\n[projects]", "8 days old is not warned about"),
        ("[projects]", "[settings]\ncargo-vet-criteria = [\"safe-to-run\"]\n[projects]", "audits for safe-to-run"),
    ] {
        assert!(base_config.contains(from));
        let found = run(&base, &plain(&base_config.replace(from, to), &ledger), None);
        assert_eq!(found.result, ComparisonResult::Weaker, "{to}");
        assert!(found.examples.iter().any(|example| example.what.contains(part)), "{to}: {found:#?}");
    }
    for (from, to, part) in [
        ("2026-12-15", "2026-12-16", "yanked is newly waived"),
        ("@8.16.0", "@8", "pkg:npm/ws@8 in project web"),
        ("@8.16.0", "", "every version of pkg:npm/ws"),
        ("project = \"web\"\n", "", "yanked is newly waived"),
        ("rule = \"yanked\"", "rule = \"malware\"", "malware is newly waived"),
        ("2027-11-22", "2027-11-23", "pkg:cargo/a@1.0.0 is the approval is wider"),
        ("expires = 2027-11-22\n", "", "without end"),
        ("scope = \"build\"\n", "", "wider or lasts longer"),
        ("depth = \"noted\"", "depth = \"inspected\"", "wider or lasts longer"),
        ("a@1.0.0", "b@1.0.0", "pkg:cargo/b@1.0.0 is newly approved"),
    ] {
        assert!(ledger.contains(from));
        let found = run(&base, &plain(base_config, &ledger.replacen(from, to, 1)), None);
        assert_eq!(found.result, ComparisonResult::Weaker, "{to}");
        assert!(found.examples.iter().any(|example| example.what.contains(part)), "{to}: {found:#?}");
    }
    // Tightenings.
    for (config, ledger) in [
        (base_config.replace("[\"a/**\"]", "[]"), ledger.clone()),
        (base_config.replace("[\"gen/**\"]", "[]"), ledger.clone()),
        (base_config.replace("npm = \"https://one.example/\"\n", ""), ledger.clone()),
        (
            base_config.replace("[projects]", "[settings]\nadvisories-refuse-after = \"10d\"\n[projects]"),
            ledger.clone(),
        ),
        (base_config.to_owned(), approval.clone()),
        (base_config.to_owned(), waiver.to_owned()),
        (base_config.to_owned(), ledger.replace("2026-12-15", "2026-12-01")),
        (base_config.to_owned(), ledger.replace("scope = \"build\"", "scope = \"development\"")),
    ] {
        let found = run(&base, &plain(&config, &ledger), None);
        assert_eq!(found.result, ComparisonResult::NoWeaker, "{config}{ledger}: {found:#?}");
    }
    let reworded = ledger.replace("reason = \"r\"", "reason = \"s\"");
    assert_eq!(run(&base, &plain(base_config, &reworded), None).result, ComparisonResult::Unchanged);
}

#[test]
fn lint_finds_dead_and_redundant_rules() {
    let cvc5 = need_solver!("lint_finds_dead_and_redundant_rules");
    let rules = rule("dead", "deny", "change", "resource has ageDays && resource.ageDays < 0")
        + &rule("wide", "deny", "match", "resource has severity && resource.severity >= 40")
        + &rule("narrow", "review", "match", "resource has severity && resource.severity >= 70")
        + &rule("own", "deny", "change", "resource.plainHttp");
    let policy = mine(&rules);
    let lint = lint(&policy.packs, &policy.gate.config.settings, Some(&cvc5), &Budget::PATIENT);
    let found: Vec<(&str, bool)> =
        lint.faults.iter().map(|fault| (fault.rule.as_str(), fault.what.contains("mine/wide"))).collect();
    assert_eq!(found, [("mine/dead", false), ("mine/narrow", true)], "{lint:#?}");
}

/// What the packs of the program promise, whatever the settings.
#[test]
fn the_baseline_keeps_its_promises() {
    let cvc5 = need_solver!("the_baseline_keeps_its_promises");
    let packs = Packs::built_in().unwrap();
    let clean = lint(&packs, &crate::gate::config::Settings::default(), Some(&cvc5), &Budget::PATIENT);
    assert!(clean.faults.iter().all(|fault| !fault.what.starts_with("never")), "{clean:#?}");
    // The promise as a rule of a pack that is dropped: the baseline alone has to refuse as much.
    for (name, level, action, condition) in [
        ("malware", "deny", "match", r#"resource.kind == AdvisoryKind::"malware""#),
        (
            "severe",
            "deny",
            "match",
            "resource.kind == AdvisoryKind::\"vulnerability\" && resource has severity && resource.severity >= 70 && \
             resource.scope == Scope::\"runtime\" && resource has origin && resource.origin == Origin::\"introduced\"",
        ),
        ("tampered", "deny", "change", r#"resource.checksum == ChecksumMove::"changed""#),
        ("gate", "review", "file", r#"resource.concern == FileConcern::"gate""#),
        ("unjudged", "review", "file", r#"resource.concern == FileConcern::"not-judged""#),
    ] {
        let base = policy("packs = [\"baseline\", \"mine\"]\n", "", &rule(name, level, action, condition));
        let head = policy("packs = [\"baseline\"]\n", "", "");
        let found = run(&base, &head, Some(&cvc5));
        assert_eq!(found.result, ComparisonResult::NoWeaker, "{name}: {found:#?}");
    }
}

#[test]
fn enough_examples_are_enough_and_that_is_said() {
    let base = policy("packs = [\"baseline\"]\n", "", "");
    let head = policy("packs = []\n", "", "");
    let (base, head) = (Side { packs: &base.packs, gate: &base.gate }, Side { packs: &head.packs, gate: &head.gate });
    let found = compare(base, head, None, &Budget { examples: 3, ..Budget::BRIEF });
    assert_eq!((found.result, found.examples.len()), (ComparisonResult::Weaker, 3));
    assert!(found.examples.iter().all(|example| example.what.starts_with("pack baseline is no longer in use: ")));
    assert!(found.notes.iter().any(|note| note.ends_with("the answer is known")), "{found:#?}");
}

#[test]
fn a_solver_that_cannot_be_relied_on_proves_nothing() {
    struct Liar(&'static str);
    struct Says(&'static str, usize);
    impl Solver for Liar {
        fn start(&self) -> std::io::Result<Box<dyn Session>> {
            Ok(Box::new(Says(self.0, 0)))
        }
    }
    impl Session for Says {
        fn send(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn line(&mut self) -> std::io::Result<String> {
            self.1 += 1;
            Ok(match self.1 {
                1 => "(:name \"liar\")".to_owned(),
                2 => "(:version \"1\")".to_owned(),
                _ => self.0.to_owned(),
            })
        }
    }
    let base = mine(&rule("r", "deny", "change", "resource.direct"));
    let head = mine(&rule("r", "deny", "change", "!(!resource.direct)"));
    for answer in ["unsat", "sat", "unknown", "(error \"x\")", ""] {
        let found = run(&base, &head, Some(&Liar(answer)));
        assert_eq!((found.result, found.solver), (ComparisonResult::NotProved, None), "{answer}");
    }
}

/// How long it takes to compare the baseline with one rule changed. `--ignored --nocapture` prints it.
#[test]
#[ignore = "a measurement"]
fn measure() {
    let cvc5 = need_solver!("measure");
    let text = crate::policy::BUILT_IN[0].rules.replace("resource.severity >= 90", "resource.severity >= 95");
    let with = |rules: &str| mine(rules);
    let controls = |text: &str| text.lines().filter(|l| !l.starts_with("@controls")).collect::<Vec<_>>().join("\n");
    let base = with(&controls(crate::policy::BUILT_IN[0].rules));
    for (from, to) in [
        ("resource.ageDays < context.minReleaseAge", "resource.ageDays + 1 <= context.minReleaseAge"),
        ("resource.ageDays < context.minReleaseAge", "resource.ageDays <= context.minReleaseAge"),
        ("resource.ageDays < context.minReleaseAge", "resource.ageDays * 2 < context.minReleaseAge"),
        ("!resource.licenseMore &&", "resource.newLibrary && !resource.licenseMore &&"),
    ] {
        assert!(text.contains(from));
        let head = with(&controls(crate::policy::BUILT_IN[0].rules).replace(from, to));
        let started = Instant::now();
        let found = run(&base, &head, Some(&cvc5));
        let proved = started.elapsed();
        let started = Instant::now();
        let tested = run(&base, &head, None);
        eprintln!(
            "{to}: {} in {proved:?}; without a solver {} in {:?}",
            found.result,
            tested.result,
            started.elapsed()
        );
        for line in found.examples.iter().map(|example| &example.what).chain(&found.notes) {
            eprintln!("    {line}");
        }
    }
    // Every pack of the program, and the setting that most rules ask about changed.
    let names: Vec<String> = crate::policy::BUILT_IN.iter().map(|pack| format!("\"{}\"", pack.name)).collect();
    let all = |extra: &str| policy(&format!("packs = [{}]\n{extra}", names.join(", ")), "", "");
    let (base_all, head_all) = (all(""), all("[levels]\n\"baseline/malware\" = \"review\"\n"));
    let started = Instant::now();
    let found = run(&base_all, &head_all, Some(&cvc5));
    eprintln!("all {} rules, one level: {} in {:?}", base_all.packs.rules().count(), found.result, started.elapsed());
    let head_all = all("[settings]\nfail-on-severity = \"high\"\nmin-release-age = \"9d\"\n");
    let started = Instant::now();
    let found = run(&base_all, &head_all, Some(&cvc5));
    eprintln!("all rules, two settings: {} in {:?}", found.result, started.elapsed());
    for line in found.examples.iter().map(|example| &example.what).chain(&found.notes) {
        eprintln!("    {line}");
    }
    let started = Instant::now();
    let shipped = lint(
        &base_all.packs,
        &base_all.gate.config.settings,
        Some(&cvc5),
        &Budget { time: Duration::from_secs(600), ..Budget::PATIENT },
    );
    eprintln!("lint of all: {shipped:#?} in {:?}", started.elapsed());
    let started = Instant::now();
    let lint = lint(&base.packs, &base.gate.config.settings, Some(&cvc5), &Budget::PATIENT);
    eprintln!("lint of {} rules in {:?}: {lint:#?}", lint.rules, started.elapsed());
}
