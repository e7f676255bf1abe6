//! `why`, `explain`, `schema`, `completions`, `man`, `--help`.

use crate::harness::{Machine, Project, Repo, TempDir};

fn alone(args: &[&str]) -> crate::harness::Out {
    Machine::new().run(TempDir::new().path(), args)
}

#[test]
fn help_lists_what_works_and_nothing_else() {
    let help = alone(&["--help"]).exits(0).stdout;
    assert!(help.contains("Exit codes: 0 allow"), "{help}");
    let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let commands: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    let mut expected = [
        "check",
        "audit",
        "approve",
        "waive",
        "why",
        "explain",
        "init",
        "hook",
        "policy",
        "advisories",
        "schema",
        "completions",
        "man",
        "help",
    ];
    let mut found = commands.clone();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for command in commands {
        alone(&[command, "--help"]).exits(if command == "help" { 2 } else { 0 });
    }
    for subcommand in [
        &["hook", "install"][..],
        &["policy", "list"],
        &["policy", "show"],
        &["policy", "test"],
        &["policy", "compare"],
        &["policy", "lint"],
        &["advisories", "import"],
        &["advisories", "update"],
        &["advisories", "status"],
    ] {
        alone(&[subcommand, &["--help"]].concat()).exits(0);
    }
    // What later versions bring is not spoken of.
    let all: String = ["check", "audit", "policy", "advisories"].iter().map(|c| alone(&[c, "--help"]).stdout).collect();
    for later in ["junit", "html", "--sbom", "--binary", "admit"] {
        let words = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == later);
        assert!(!words(&help) && !words(&all), "{later} is mentioned");
    }
    alone(&["--version"]).exits(0).says(env!("CARGO_PKG_VERSION"));
    // Every flag that goes everywhere.
    for flag in ["--repo", "--offline", "--advisories", "--policy-from", "--now", "--quiet", "--verbose", "--color"] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn schemas_are_json_schemas() {
    for (name, title) in [("verdict", "verdict"), ("config", "config"), ("ledger", "ledger")] {
        let schema = alone(&["schema", name]).exits(0).json();
        assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{schema:#}");
        assert!(schema.to_string().to_lowercase().contains(title));
        assert!(jsonschema::meta::is_valid(&schema), "{schema:#}");
        jsonschema::validator_for(&schema).unwrap();
    }
    assert_eq!(alone(&["schema"]).exits(0).stdout, alone(&["schema", "verdict"]).stdout);
}

/// What `init` writes and what a user's files hold is valid by the published schemas.
#[test]
fn files_of_the_gate_are_valid_by_their_schemas() {
    let Some(repo) = Repo::standing() else { return };
    repo.run(&["init"]).exits(0);
    repo.put(&Project::with_new_library());
    repo.run(&["approve", "pkg:cargo/leftpad-rs@0.3.1", "--closure", "--reason", "x", "--expires", "2027-01-01"])
        .exits(0);
    let waive = ["waive", "yanked", "--scope", "pkg:cargo/alpha", "--reason", "x", "--expires", "2027-01-01"];
    repo.run(&[&waive[..], &["--project", "."]].concat()).exits(0);
    for name in ["config", "ledger"] {
        let schema = alone(&["schema", name]).json();
        let file: toml::Table = repo.read(&format!(".portcullis/{name}.toml")).parse().unwrap();
        let file = plain(&toml::Value::Table(file));
        let errors: Vec<String> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(&file).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}\n{file:#}");
    }
}

/// TOML as JSON; dates as text, as JSON Schema's users write them.
fn plain(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.iter().map(plain).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = alone(&["completions", shell]).exits(0);
        assert!(out.stdout.contains("portcullis") && out.stdout.contains("audit"), "{shell}");
    }
    let man = alone(&["man"]).exits(0).stdout;
    assert!(man.contains(".TH") && man.contains("portcullis"), "{man}");
}

#[test]
fn why_shows_the_path_in_every_project() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    repo.write("tools/Cargo.toml", Project::standing().with("pad-core", "0.2.0", &[]).manifest());
    repo.write("tools/Cargo.lock", Project::standing().with("pad-core", "0.2.0", &[]).lockfile());
    let out = repo.run(&["why", "pkg:cargo/pad-core@0.2.0"]).exits(0);
    out.says("app@0.1.0 → leftpad-rs@0.3.1 → pad-core@0.2.0").says("tools/Cargo.lock:").says("Cargo.lock:");
    repo.run(&["why", "pkg:cargo/pad-core"]).exits(0).says("runtime");
    repo.run(&["why", "pkg:cargo/pad-core@9.0.0"]).exits(2).says("no project here has it");
    // In another revision it was not there.
    repo.run(&["why", "pkg:cargo/pad-core", "--rev", "HEAD"]).exits(2);
    repo.write("Cargo.lock", "nonsense");
    repo.run(&["why", "pkg:cargo/pad-core"]).exits(3).says("Cargo.lock");
}

#[test]
fn explain_knows_rules_and_advisories() {
    let Some(repo) = Repo::standing() else { return };
    repo.run(&["explain", "checksum-changed"])
        .exits(0)
        .says("deny")
        .says("NIST SSDF PS.2.1")
        .says("restore the lock entry");
    for id in ["RUSTSEC-2020-0071", "CVE-2020-26235"] {
        let out = repo.run(&["explain", id]).exits(0);
        out.says("RUSTSEC-2020-0071").says("CVE-2020-26235").says("time").says("before 0.2.23").says("CVSS 6.2");
    }
    repo.run(&["explain", "RUSTSEC-1999-0001"]).exits(2).says("RUSTSEC-1999-0001");
}
