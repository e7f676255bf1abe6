//! `policy`, packs of the user's own, levels, and broken files of the gate.

use crate::harness::{Project, Repo, findings};

const CONFIG: &str = ".portcullis/config.toml";
const MANIFEST: &str = "title = \"Ours\"\nframework = \"House rules\"\nedition = \"1\"\nsummary = \"What we want.\"\n\n\
                        [controls]\n\"House 1\" = \"No padding libraries.\"\n";
const RULES: &str = r#"// What we do not want here.

@id("no-padding")
@level("deny")
@title("A padding library")
@message("{package} pads strings")
@remediation("write the loop")
@controls("House 1")
forbid (principal, action == Action::"change", resource)
when { resource.kind == ChangeKind::"added" && resource.name == "leftpad-rs" };
"#;
const CASES: &str = r#"[[case]]
about = "no-padding"
name = "a padding library"
subject = "change"
with = { kind = "added", name = "leftpad-rs" }
expect = { no-padding = "deny" }

[[case]]
about = "no-padding"
name = "another library"
subject = "change"
with = { kind = "added", name = "other" }
expect = {}
"#;

/// A repository with a pack `mine`, committed.
fn with_pack(rules: &str) -> Option<Repo> {
    let repo = Repo::standing()?;
    repo.write(CONFIG, "packs = [\"baseline\", \"mine\"]\n");
    repo.write(".portcullis/policies/mine/pack.toml", MANIFEST);
    repo.write(".portcullis/policies/mine/rules.cedar", rules);
    repo.write(".portcullis/policies/mine/cases/padding.toml", CASES);
    repo.commit("a pack");
    Some(repo)
}

#[test]
fn the_baseline_is_listed_shown_and_tested() {
    let Some(repo) = Repo::standing() else { return };
    let list = repo.run(&["policy", "list"]).exits(0).stdout;
    // PRODUCT's table.
    for rule in [
        "malware",
        "advisory-introduced",
        "informational-advisory",
        "yanked",
        "library-unreviewed",
        "checksum-changed",
        "source-new",
        "release-too-young",
        "name-confusable",
        "capability-added",
        "package-manager-config",
        "vendored-bytes",
        "lockfile-disagrees",
        "submodule",
        "gate-changed",
        "license-not-allowed",
        "not-judged",
        "waiver-stale",
    ] {
        assert!(list.contains(rule), "{rule} is missing:\n{list}");
        repo.run(&["policy", "show", rule]).exits(0).says(rule);
        repo.run(&["explain", rule]).exits(0).says(rule);
        repo.run(&["explain", &format!("baseline/{rule}")]).exits(0);
    }
    repo.run(&["policy", "show", "baseline"]).exits(0).says("NIST SSDF PW.4.4").says("checksum-changed");
    repo.run(&["policy", "test"]).exits(0).says(" 0 failed");
}

#[test]
fn a_pack_of_the_users_own_decides() {
    let Some(repo) = with_pack(RULES) else { return };
    repo.run(&["policy", "list"]).exits(0).says("mine").says("no-padding");
    repo.run(&["policy", "show", "mine"]).exits(0).says("House rules").says("House 1");
    repo.run(&["policy", "show", "no-padding"]).exits(0).says("mine/no-padding");
    repo.run(&["policy", "test"]).exits(0).says(" 0 failed");
    repo.put(&Project::with_new_library());
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["decision"], "deny");
    let found = findings(&verdict, "no-padding");
    assert_eq!((found.len(), &found[0]["pack"], &found[0]["level"]), (1, &"mine".into(), &"deny".into()));
    assert_eq!(found[0]["controls"], serde_json::json!(["House 1"]));
    assert!(found[0]["message"].as_str().unwrap().contains("leftpad-rs 0.3.1 pads strings"));
    repo.run(&["check"]).exits(1).says("mine/no-padding");
    // Head takes the pack out: it still decides.
    repo.write(CONFIG, "packs = []\n");
    assert_eq!(repo.json(&["check"], 1)["decision"], "deny");
}

#[test]
fn a_case_that_fails_is_shown_with_its_place() {
    let Some(repo) = with_pack(RULES) else { return };
    repo.write(
        ".portcullis/policies/mine/cases/padding.toml",
        CASES.replace("expect = {}", "expect = { no-padding = \"deny\" }"),
    );
    repo.run(&["policy", "test"]).exits(1).says("padding.toml:8").says("another library").says("1 failed");
}

#[test]
fn a_broken_pack_is_named_with_file_and_line() {
    for (rules, place, said) in [
        (RULES.replace("resource.name", "resource.nmae"), "rules.cedar:10", "nmae"),
        (RULES.replace("ChangeKind::\"added\"", "ChangeKind::\"aded\""), "rules.cedar:10", "aded"),
        (RULES.replace("forbid (", "forbid ["), "rules.cedar:9", ""),
        (
            format!("{RULES}\n@id(\"all\")\n@level(\"note\")\npermit (principal, action, resource);\n"),
            "rules.cedar:",
            "permit",
        ),
        (RULES.replace("@id(\"no-padding\")\n", ""), "rules.cedar:", "@id"),
        (RULES.replace("@level(\"deny\")", "@level(\"severe\")"), "rules.cedar:", "severe"),
        (RULES.replace("@level(\"deny\")\n", ""), "rules.cedar:", "@level"),
        (RULES.replace("@title", "@titel"), "rules.cedar:", "titel"),
        (RULES.replace("House 1", "House 2"), "rules.cedar:", "House 2"),
        (format!("{RULES}{RULES}"), "rules.cedar:", "twice"),
    ] {
        let Some(repo) = with_pack(&rules) else { return };
        repo.put(&Project::with_new_library());
        for args in [&["check"][..], &["audit"], &["policy", "list"], &["policy", "test"], &["explain", "malware"]] {
            repo.run(args).exits(2).says(place).says(said).says(".portcullis/policies/mine/");
        }
        // Nothing changed, and still it is broken.
        repo.run(&["check", "--head", "HEAD", "--base", "HEAD"]).exits(2);
    }
}

#[test]
fn a_rule_without_a_place_names_its_line() {
    for rules in [
        format!("{RULES}\n@id(\"all\")\n@level(\"note\")\npermit (principal, action, resource);\n"),
        format!("{RULES}\n@level(\"note\")\nforbid (principal, action == Action::\"change\", resource);\n"),
    ] {
        let Some(repo) = with_pack(&rules) else { return };
        repo.run(&["policy", "list"]).exits(2).says("rules.cedar:12");
    }
}

#[test]
fn a_pack_that_is_not_there_is_an_error() {
    for (packs, said) in [
        ("packs = [\"baseline\", \"theirs\"]\n", "theirs"),
        ("packs = [\"../policies\"]\n", "config.toml:1"),
        ("packs = [\"\"]\n", "config.toml:1"),
    ] {
        let Some(repo) = Repo::standing() else { return };
        repo.write(CONFIG, packs);
        repo.commit("a gate");
        repo.put(&Project::with_new_library());
        repo.run(&["check"]).exits(2).says(said);
        repo.run(&["audit"]).exits(2).says(said);
    }
}

#[test]
fn levels_of_the_governing_revision_hold() {
    for (level, code, decision) in
        [("deny", 1, "deny"), ("review", 1, "review"), ("warn", 0, "allow"), ("note", 0, "allow")]
    {
        let Some(repo) = Repo::standing() else { return };
        repo.write(CONFIG, format!("[levels]\n\"baseline/library-unreviewed\" = \"{level}\"\n"));
        repo.commit("levels");
        repo.put(&Project::with_new_library());
        let verdict = repo.json(&["check"], code);
        assert_eq!(verdict["decision"], decision);
        let found = findings(&verdict, "library-unreviewed")[0];
        assert_eq!((&found["level"], &found["default_level"]), (&level.into(), &"review".into()));
        repo.run(&["explain", "library-unreviewed"]).exits(0).says(level);
    }
}

#[test]
fn settings_of_the_governing_revision_hold() {
    for (setting, decision) in [
        ("fail-on-severity = \"critical\"", "review"),
        ("fail-on-severity = \"medium\"", "deny"),
        ("fail-on-severity = \"high\"", "review"),
    ] {
        let Some(repo) = Repo::standing() else { return };
        repo.write(CONFIG, format!("[settings]\n{setting}\n"));
        repo.commit("settings");
        // RUSTSEC-2020-0071 scores 6.2: medium.
        repo.put(&Project::with_vulnerability());
        assert_eq!(repo.json(&["check"], 1)["decision"], decision, "{setting}");
    }
    let Some(repo) = Repo::standing() else { return };
    repo.write(CONFIG, "[projects]\nexclude = [\"fixtures/**\"]\n");
    repo.commit("settings");
    repo.write("fixtures/Cargo.toml", Project::with_vulnerability().manifest());
    repo.write("fixtures/Cargo.lock", Project::with_vulnerability().lockfile());
    let verdict = repo.json(&["check"], 0);
    let files = verdict["coverage"]["files"].as_array().unwrap();
    assert!(files.iter().any(|f| f["path"] == "fixtures/Cargo.lock" && f["state"] == "excluded"), "{files:#?}");
}

#[test]
fn broken_files_of_the_gate_are_named_with_file_and_line() {
    for (file, text, place) in [
        (CONFIG, "packs = [\"baseline\"]\n[settings]\nfail-on-severty = \"low\"\n", "config.toml:3"),
        (CONFIG, "[settings]\nmin-release-age = \"soon\"\n", "config.toml:2"),
        (CONFIG, "[levels]\n\"baseline/malware\" = \"off\"\n", "config.toml:2"),
        (CONFIG, "[levels]\n\"baseline/malwear\" = \"warn\"\n", "config.toml:2"),
        (CONFIG, "\n\n[[settings\n", "config.toml:3"),
        (CONFIG, "packs = [\"baseline\"]\npacks = []\n", "config.toml:2"),
        (CONFIG, "[registries]\nnuts = \"https://registry.example/\"\n", "config.toml:2"),
        (".portcullis/ledger.toml", "\n[[approval]]\nby = \"alice\"\n", "ledger.toml:2"),
        (".portcullis/ledger.toml", "[[waiver]]\nrule = 1\n", "ledger.toml:2"),
        (".portcullis/ledger.toml", "<<<<<<< ours\n[[waiver]]\n", "ledger.toml:1"),
    ] {
        let Some(repo) = Repo::standing() else { return };
        repo.write(file, text);
        repo.commit("a broken gate");
        repo.put(&Project::with_new_library());
        repo.run(&["check"]).exits(2).says(place);
        repo.run(&["check", "--head", "HEAD", "--base", "HEAD"]).exits(2).says(place);
        repo.run(&["audit"]).exits(2).says(place);
        repo.run(&["check", "--policy-from", "built-in"]).exits(1);
    }
    let Some(repo) = Repo::standing() else { return };
    repo.write(CONFIG, b"packs = [\"baseline\"]\n# \xff\n");
    repo.commit("not UTF-8");
    repo.run(&["check"]).exits(2).says("config.toml:2");
    let Some(repo) = Repo::standing() else { return };
    repo.write(CONFIG, "\u{feff}packs = [\"baseline\"]\r\n");
    repo.commit("BOM and CRLF");
    repo.run(&["check"]).exits(0);
}

/// The folder of the solver, where this machine has one.
fn solver() -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("cvc5").is_file());
    let is_required = std::env::var_os("PORTCULLIS_REQUIRE_CVC5").is_some_and(|value| value == "1");
    assert!(found.is_some() || !is_required, "PORTCULLIS_REQUIRE_CVC5=1, and there is no cvc5 on the path");
    if found.is_none() {
        eprintln!("SKIPPED what a solver proves: there is no cvc5 on the path");
    }
    found.map(|folder| folder.to_str().unwrap().to_owned())
}

#[test]
fn a_change_of_the_policy_is_compared() {
    let Some(mut repo) = with_pack(RULES) else { return };
    repo.run(&["policy", "compare"]).exits(0).says("UNCHANGED");
    // An exception for one name; without a solver it is found by trying.
    let except = RULES.replace("resource.name == \"leftpad-rs\"", "resource.name == \"leftpad-rs\" && resource.direct");
    repo.write(".portcullis/policies/mine/rules.cedar", &except);
    for _ in 0..2 {
        let out = repo.run(&["policy", "compare"]).exits(1).says("WEAKER").says("mine/no-padding");
        out.says("base denies a package (name \"leftpad-rs\", kind added) by mine/no-padding");
        let verdict = repo.json(&["check"], 1);
        assert_eq!(verdict["policy"]["comparison"]["result"], "weaker");
        assert_eq!(verdict["policy"]["comparison"]["examples"][0]["rule"], "mine/no-padding");
        let said = findings(&verdict, "gate-changed");
        assert!(said.iter().any(|f| f["message"].as_str().unwrap().contains("lets more through")), "{said:#?}");
        let Some(folder) = solver() else { return };
        repo.machine.set("PATH", &folder);
    }
    // With a solver a rewrite is proved; without one nothing is.
    let rewritten =
        RULES.replace("resource.kind == ChangeKind::\"added\"", "!(resource.kind != ChangeKind::\"added\")");
    repo.write(".portcullis/policies/mine/rules.cedar", &rewritten);
    repo.run(&["policy", "compare"]).exits(0).says("NO-WEAKER").says("cvc5");
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["policy"]["comparison"]["result"], "no-weaker");
    assert!(!verdict["policy"]["comparison"]["solver"].is_null());
    repo.machine.set("PATH", "/nowhere");
    repo.run(&["policy", "compare"]).exits(3).says("NOT-PROVED").says("tested, not proved");
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["policy"]["comparison"]["result"], "not-proved");
    // What cannot be read is not proved either.
    repo.write(".portcullis/policies/mine/rules.cedar", "forbid (");
    repo.run(&["policy", "compare"]).exits(2).says("rules.cedar:1");
    assert_eq!(repo.json(&["check"], 1)["policy"]["comparison"]["result"], "not-proved");
}

#[test]
fn a_policy_is_not_compared_where_the_change_does_not_touch_it() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    assert!(repo.json(&["check"], 1)["policy"]["comparison"].is_null());
    repo.write(".portcullis/ledger.toml", "# nothing yet\n");
    assert_eq!(repo.json(&["check"], 1)["policy"]["comparison"]["result"], "unchanged");
}

#[test]
fn a_policy_that_would_exhaust_its_reader_is_refused() {
    let Some(repo) = with_pack(RULES) else { return };
    let condition = "resource.name == \"leftpad-rs\"";
    for hostile in [
        format!("{}{condition}{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("{condition}{}", " && resource.direct".repeat(20_000)),
        format!("{}{condition}", "if resource.direct then false else ".repeat(20_000)),
        format!("{condition} && [{}].contains(resource.name)", "\"x\",".repeat(200_000) + "\"x\""),
        // As deep as is read.
        format!("{condition} && {}resource.direct", "!".repeat(3)) + &" && resource.direct".repeat(1_200),
    ] {
        repo.write(".portcullis/policies/mine/rules.cedar", RULES.replace(condition, &hostile));
        let out = repo.run(&["policy", "compare"]);
        // Refused with file and line, or compared; never a crash.
        assert!((1..=3).contains(&out.code), "{out:#?}");
        repo.run(&["check"]).exits(1);
    }
}

#[test]
fn lint_speaks_about_rules_that_do_nothing() {
    let Some(mut repo) = with_pack(RULES) else { return };
    let Some(folder) = solver() else { return };
    repo.machine.set("PATH", &folder);
    repo.run(&["policy", "lint"]).exits(0).says("0 with a fault");
    let twice = format!("{RULES}\n{}", RULES.replace("@id(\"no-padding\")", "@id(\"again\")"));
    repo.write(".portcullis/policies/mine/rules.cedar", twice);
    repo.run(&["policy", "lint"]).exits(1).says("mine/again").says("is redundant");
}
