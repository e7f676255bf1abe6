//! `approve` and `waive`, and what their entries let through.

use crate::harness::{Project, Repo, change, checksum, findings};

const LEDGER: &str = ".portcullis/ledger.toml";
const CONFIG: &str = ".portcullis/config.toml";
const NEW: &str = "pkg:cargo/leftpad-rs@0.3.1";

/// [`Project::with_new_library`] in the work tree.
fn changed() -> Option<Repo> {
    let repo = Repo::standing()?;
    repo.put(&Project::with_new_library());
    Some(repo)
}

fn ledger(repo: &Repo) -> toml::Table {
    repo.read(LEDGER).parse().unwrap_or_else(|e| panic!("{e}\n{}", repo.read(LEDGER)))
}

#[test]
fn an_approval_on_the_governing_revision_lets_the_library_in() {
    let Some(repo) = changed() else { return };
    repo.run(&["check"]).exits(1);
    repo.run(&["approve", NEW, "--closure", "--reason", "read all of it"]).exits(0).says(LEDGER);
    let written = ledger(&repo);
    let entry = &written["approval"][0];
    assert_eq!(entry["package"].as_str(), Some(NEW));
    assert_eq!(entry["checksum"].as_str(), Some(&*format!("sha256:{}", checksum("leftpad-rs", "0.3.1"))));
    assert_eq!(entry["by"].as_str(), Some("alice"));
    assert_eq!(entry["on"].to_string(), "2026-08-21");
    assert_eq!(entry["reason"].as_str(), Some("read all of it"));
    let closure = entry["closure"].as_array().unwrap();
    assert_eq!(closure.len(), 1);
    assert_eq!(closure[0]["package"].as_str(), Some("pkg:cargo/pad-core@0.2.0"));
    assert_eq!(closure[0]["checksum"].as_str(), Some(&*format!("sha256:{}", checksum("pad-core", "0.2.0"))));
    // The edge comes from head's lockfile alone, and says so.
    assert_eq!(closure[0]["unconfirmed"].as_bool(), Some(true));

    // In the same change it does not count yet, and is itself a change of the gate.
    let verdict = repo.json(&["check"], 1);
    assert_eq!(findings(&verdict, "library-unreviewed").len(), 1);
    assert_eq!(findings(&verdict, "gate-changed").len(), 1);
    // Once it stands on the governing revision it does.
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "approve"]);
    let verdict = repo.json(&["check"], 0);
    assert!(change(&verdict, "leftpad-rs")["review"]["cleared_by"].is_string(), "{verdict:#}");
    assert!(change(&verdict, "pad-core")["review"]["cleared_by"].is_string(), "{verdict:#}");
    assert!(verdict["ledger"]["digest"].as_str().unwrap().starts_with("sha256:"));
    // Not for other bytes under the same name and version.
    let other = repo.read("Cargo.lock").replace(&checksum("pad-core", "0.2.0"), &"1".repeat(64));
    repo.write("Cargo.lock", other);
    assert_eq!(findings(&repo.json(&["check"], 1), "library-unreviewed").len(), 1);
}

#[test]
fn an_approval_without_closure_leaves_the_closure_open() {
    let Some(repo) = changed() else { return };
    repo.run(&["approve", NEW, "--reason", "read it"]).exits(0).says("--closure");
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "approve"]);
    let verdict = repo.json(&["check"], 1);
    let open = findings(&verdict, "library-unreviewed");
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["subject"]["purl"], "pkg:cargo/pad-core@0.2.0");
    // The entry that is missing, added; what is there stays as it is, comments and order included.
    let commented = format!("# who looked\n\n{}# the end\n", repo.read(LEDGER).replace("by =", "by  ="));
    repo.write(LEDGER, &commented);
    repo.run(&["approve", "pkg:cargo/pad-core@0.2.0", "--reason", "small", "--by", "bob", "--depth", "inspected"])
        .exits(0);
    let text = repo.read(LEDGER);
    for line in commented.lines().filter(|line| !line.is_empty()) {
        assert!(text.lines().any(|l| l == line), "lost: {line}\n{text}");
    }
    let entries = ledger(&repo);
    assert_eq!(entries["approval"].as_array().unwrap().len(), 2);
    assert_eq!(entries["approval"][1]["by"].as_str(), Some("bob"));
    assert_eq!(entries["approval"][1]["depth"].as_str(), Some("inspected"));
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "approve"]);
    repo.run(&["check"]).exits(0);
}

#[test]
fn approving_twice_does_no_harm() {
    let Some(repo) = changed() else { return };
    let approve = || repo.run(&["approve", NEW, "--closure", "--reason", "read it"]).exits(0);
    approve();
    let once = repo.read(LEDGER);
    approve();
    assert!(repo.read(LEDGER).starts_with(&once));
    ledger(&repo);
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "approve"]);
    let verdict = repo.json(&["check"], 0);
    assert_eq!(findings(&verdict, "waiver-stale").len(), 0, "{verdict:#}");
}

#[test]
fn only_what_is_new_here_can_be_approved() {
    let Some(repo) = changed() else { return };
    for purl in ["pkg:cargo/nobody@1.0.0", "pkg:cargo/leftpad-rs@9.9.9", "pkg:npm/leftpad-rs@0.3.1", "not a purl"] {
        repo.run(&["approve", purl, "--reason", "x"]).exits(2);
    }
    repo.run(&["approve", NEW, "--reason", " "]).exits(2).says("reason");
    assert!(!repo.root().join(".portcullis").exists());
    // Nobody: an approval has a name under it.
    let mut repo = repo;
    repo.machine.set("USER", "");
    repo.run(&["approve", NEW, "--reason", "x"]).exits(2).says("--by");
    repo.machine.set("GITHUB_ACTOR", "carol");
    repo.run(&["approve", NEW, "--reason", "x"]).exits(0);
    assert_eq!(ledger(&repo)["approval"][0]["by"].as_str(), Some("carol"));
}

#[test]
fn a_broken_ledger_is_not_written_to() {
    let Some(repo) = changed() else { return };
    for broken in ["[[approval]\n", "[[approval]]\npackage = 1\n", "[[approvals]]\n"] {
        repo.write(LEDGER, broken);
        repo.run(&["approve", NEW, "--reason", "x"]).exits(2).says("ledger.toml:");
        let waive = ["waive", "malware", "--scope", NEW, "--reason", "x", "--expires", "2027-01-01"];
        repo.run(&waive).exits(2).says("ledger.toml:");
        assert_eq!(repo.read(LEDGER), broken);
    }
}

#[test]
fn an_approval_ends() {
    let Some(repo) = changed() else { return };
    repo.run(&["approve", NEW, "--closure", "--reason", "x", "--expires", "2026-08-22"]).exits(0);
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "approve"]);
    let on = |day: &str| repo.run_at_once(&["check", "--report", "json", "--now", day]);
    on("2026-08-22T23:59:59Z").exits(0);
    let verdict = on("2026-08-23T00:00:00Z").exits(1).json();
    assert_eq!(findings(&verdict, "library-unreviewed").len(), 1);
    let stale = findings(&verdict, "waiver-stale");
    assert_eq!((stale.len(), &stale[0]["level"], &stale[0]["blocks"]), (1, &"warn".into(), &false.into()));
}

#[test]
fn a_waiver_answers_for_a_finding_until_it_ends() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_vulnerability());
    let advisory = "RUSTSEC-2020-0071";
    let waive = ["waive", advisory, "--scope", "pkg:cargo/time@0.1.43", "--reason", "never called", "--expires"];
    repo.run(&[&waive[..], &["2026-09-01"]].concat()).exits(0).says(LEDGER);
    let entry = ledger(&repo)["waiver"][0].clone();
    for (field, value) in
        [("rule", advisory), ("subject", "pkg:cargo/time@0.1.43"), ("by", "alice"), ("reason", "never called")]
    {
        assert_eq!(entry[field].as_str(), Some(value));
    }
    assert_eq!(entry["expires"].to_string(), "2026-09-01");
    // Not before it stands on the governing revision.
    assert_eq!(repo.json(&["check"], 1)["decision"], "deny");
    repo.git(&["add", LEDGER]);
    repo.git(&["commit", "-q", "-m", "waive"]);
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["decision"], "review", "the library itself is still unreviewed");
    let waived = findings(&verdict, "advisory-introduced")[0];
    assert_eq!((&waived["blocks"], &waived["waived_by"]["owner"]), (&false.into(), &"alice".into()));
    assert_eq!(waived["waived_by"]["expires"], "2026-09-01");
    assert_eq!(findings(&verdict, "waiver-stale").len(), 0);
    repo.run(&["audit"]).exits(0);
    let later = repo.run_at_once(&["check", "--report", "json", "--now", "2026-09-02"]).exits(1).json();
    assert_eq!(later["decision"], "deny");
    assert_eq!(findings(&later, "waiver-stale").len(), 1);
    assert_eq!(findings(&later, "waiver-stale")[0]["file"], LEDGER);
}

#[test]
fn waivers_by_rule_range_and_project() {
    for (rule, scope, project, holds) in [
        ("advisory-introduced", "pkg:cargo/time", None, true),
        ("baseline/advisory-introduced", "pkg:cargo/time@0.1.43", None, true),
        ("advisory-introduced", "pkg:cargo/time@<0.2", None, true),
        ("advisory-introduced", "pkg:cargo/time@<0.1.43", None, false),
        ("advisory-introduced", "pkg:cargo/alpha", None, false),
        ("malware", "pkg:cargo/time", None, false),
        ("CVE-2020-26235", "pkg:cargo/time", None, true),
        ("advisory-introduced", "pkg:cargo/time", Some("."), true),
        ("advisory-introduced", "pkg:cargo/time", Some("other"), false),
    ] {
        let Some(repo) = Repo::standing() else { return };
        let mut args = vec!["waive", rule, "--scope", scope, "--reason", "x", "--expires", "2027-01-01"];
        args.extend(project.iter().flat_map(|project| ["--project", project]));
        repo.run(&args).exits(0);
        repo.commit("waive");
        repo.put(&Project::with_vulnerability());
        let verdict = repo.json(&["check"], 1);
        assert_eq!(findings(&verdict, "advisory-introduced")[0]["waived_by"].is_object(), holds, "{rule} {scope}");
    }
}

#[test]
fn a_waiver_without_sense_is_not_written() {
    let Some(repo) = Repo::standing() else { return };
    for (args, said) in [
        (["no-such-rule", "pkg:cargo/time", "x", "2027-01-01"], "no-such-rule"),
        (["RUSTSEC-1999-0001", "pkg:cargo/time", "x", "2027-01-01"], "RUSTSEC-1999-0001"),
        (["malware", "pkg:cargo/time", "x", "2026-08-20"], "2026-08-20"),
        (["malware", "pkg:cargo/time", "x", "2026-02-30"], "2026-02-30"),
        (["malware", "pkg:cargo/time", "", "2027-01-01"], "reason"),
        (["malware", "", "x", "2027-01-01"], "subject"),
    ] {
        let [rule, scope, reason, expires] = args;
        repo.run(&["waive", rule, "--scope", scope, "--reason", reason, "--expires", expires]).exits(2).says(said);
        assert!(!repo.root().join(LEDGER).exists(), "{args:?}");
    }
}

#[test]
fn entries_that_match_nothing_are_said() {
    let Some(repo) = Repo::standing() else { return };
    repo.write(
        LEDGER,
        "[[approval]]\npackage = \"pkg:cargo/gone@1.0.0\"\nby = \"alice\"\non = 2026-08-01\nreason = \"x\"\n\n\
         [[waiver]]\nrule = \"yanked\"\nsubject = \"pkg:cargo/gone\"\nby = \"bob\"\non = 2026-08-01\nreason = \"x\"\n\
         expires = 2027-01-01\n\n\
         [[waiver]]\nrule = \"yanked\"\nsubject = \"pkg:cargo/alpha\"\nby = \"bob\"\non = 2026-08-01\nreason = \"x\"\n\
         expires = 2026-08-02\n",
    );
    repo.commit("a ledger");
    let audit = repo.json(&["audit"], 0);
    let stale = findings(&audit, "waiver-stale");
    assert_eq!(stale.iter().map(|f| f["line"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 7, 15], "{stale:#?}");
    assert!(stale.iter().all(|f| f["level"] == "warn" && f["file"] == LEDGER));
    repo.put(&Project::with_new_library());
    assert_eq!(findings(&repo.json(&["check"], 1), "waiver-stale").len(), 3);
}

#[test]
fn a_starting_gate_is_written_once_and_changes_nothing() {
    let Some(repo) = Repo::standing() else { return };
    repo.run(&["init"]).exits(0).says(CONFIG);
    repo.run(&["init"]).exits(2).says("nothing was written");
    repo.commit("a gate");
    repo.run(&["check"]).exits(0);
    repo.run(&["audit"]).exits(0);
    repo.put(&Project::with_new_library());
    assert_eq!(repo.json(&["check"], 1)["decision"], "review");
    // A ledger that an approval made stays as it is.
    let Some(repo) = Repo::standing() else { return };
    repo.write(LEDGER, "# mine\n");
    repo.run(&["init"]).exits(0);
    assert_eq!(repo.read(LEDGER), "# mine\n");
    assert!(repo.root().join(CONFIG).exists());
    #[cfg(unix)]
    {
        // A link is there as well, even one that leads nowhere.
        let Some(repo) = Repo::standing() else { return };
        std::os::unix::fs::symlink(repo.beside("elsewhere"), repo.root().join(".portcullis")).unwrap();
        repo.run(&["init"]).stays_silent_about("panicked");
        assert!(!repo.beside("elsewhere").exists());
    }
}
