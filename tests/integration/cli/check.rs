//! `check` and `audit` at a desk: revisions, and the exit code of every ending.

use crate::harness::{Machine, NOW, Project, Repo, TempDir, change, findings, has_git};

/// Leaves a repository's work tree in the state that a decision asks for.
fn states() -> Vec<(&'static str, i32, fn(&Repo))> {
    vec![
        ("allow", 0, |_| ()),
        ("review", 1, |repo| repo.put(&Project::with_new_library())),
        ("deny", 1, |repo| repo.put(&Project::with_vulnerability())),
        ("incomplete", 3, |repo| {
            let text = repo.read("Cargo.lock");
            repo.write("Cargo.lock", &text[..text.len() - 20]);
        }),
    ]
}

#[test]
fn an_ending_has_the_same_exit_code_in_every_format() {
    for (decision, code, make) in states() {
        let Some(repo) = Repo::standing() else { return };
        make(&repo);
        repo.run(&["check"]).exits(code).says(&decision.to_uppercase());
        repo.run(&["check", "--report", "human"]).exits(code);
        repo.run(&["check", "-q"]).exits(code);
        repo.run(&["check", "-v"]).exits(code);
        let verdict = repo.json(&["check"], code);
        assert_eq!(verdict["decision"], decision);
        assert_eq!(verdict["complete"], decision != "incomplete");
        let file = repo.beside("verdict.json");
        let report = format!("json={}", file.display());
        repo.run(&["check", "--report", &report]).exits(code);
        let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(saved["decision"], decision);
    }
}

#[test]
fn an_audit_ends_as_documented() {
    let Some(repo) = Repo::standing() else { return };
    repo.run(&["audit"]).exits(0).says("ALLOW");
    repo.put(&Project::with_vulnerability());
    let verdict = repo.json(&["audit"], 1);
    assert_eq!(verdict["decision"], "deny");
    assert_eq!(verdict["base"], serde_json::Value::Null);
    let found = findings(&verdict, "advisory-introduced");
    assert_eq!(found.len(), 1, "{verdict:#}");
    assert_eq!(found[0]["advisory"]["id"], "RUSTSEC-2020-0071");
    assert!(found[0]["advisory"]["fixed"].as_array().unwrap().iter().any(|v| v == "0.2.23"), "{:#}", found[0]);
    assert_eq!(found[0]["file"], "Cargo.lock");
    let line = found[0]["line"].as_u64().unwrap() as usize;
    let lockfile = repo.read("Cargo.lock");
    let entry: Vec<&str> = lockfile.lines().skip(line - 1).take(2).collect();
    assert!(entry.contains(&"name = \"time\"") || entry.contains(&"[[package]]"), "line {line}: {entry:?}");
    repo.run(&["audit"]).exits(1).says("DENY").says("RUSTSEC-2020-0071");
    // The commit is clean, whatever lies in the work tree.
    repo.run(&["audit", "--rev", "HEAD"]).exits(0);
    let truncated = repo.read("Cargo.lock");
    repo.write("Cargo.lock", &truncated[..truncated.len() / 2]);
    assert_eq!(repo.json(&["audit"], 3)["decision"], "incomplete");
}

#[test]
fn an_audit_with_an_old_baseline_is_incomplete_and_a_check_warns() {
    let Some(repo) = Repo::standing() else { return };
    let later = ["--now", "2099-01-01T00:00:00Z"];
    let audit = repo.run_at_once(&[&["audit", "--report", "json"][..], &later].concat()).exits(3).json();
    assert_eq!(audit["decision"], "incomplete");
    repo.put(&Project::standing().with("alpha-two", "2.0.0", &[]));
    let check = repo.run_at_once(&[&["check", "--report", "json"][..], &later].concat()).exits(1).json();
    assert_eq!((&check["decision"], &check["complete"]), (&"review".into(), &true.into()));
    let skipped = check["coverage"]["checks_skipped"].to_string();
    assert!(skipped.contains("days old"), "{skipped}");
}

#[test]
fn an_audit_takes_any_folder_and_single_lockfiles() {
    let (machine, folder) = (Machine::new(), TempDir::new());
    let write = |path: &str, text: String| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("good/Cargo.toml", Project::standing().manifest());
    write("good/Cargo.lock", Project::standing().lockfile());
    write("bad/Cargo.toml", Project::with_vulnerability().manifest());
    write("bad/Cargo.lock", Project::with_vulnerability().lockfile());
    let run = |args: &[&str]| machine.run(folder.path(), &[args, &["--now", NOW]].concat());
    run(&["audit"]).exits(1).says("bad/Cargo.lock");
    run(&["audit", "good"]).exits(0);
    run(&["audit", "bad"]).exits(1);
    run(&["audit", "--repo", "bad"]).exits(1);
    run(&["audit", "--lockfile", "good/Cargo.lock"]).exits(0);
    run(&["audit", "--lockfile", "good/Cargo.lock", "--lockfile", "bad/Cargo.lock"]).exits(1);
    run(&["audit", "--lockfile", "none/Cargo.lock"]).exits(2);
    run(&["audit", "--lockfile", "/Cargo.lock"]).exits(2);
    run(&["audit", "nowhere"]).exits(2).says("nowhere");
    run(&["audit", "--rev", "HEAD"]).exits(2);
}

#[test]
fn wrong_usage_is_two_for_every_command() {
    let Some(repo) = Repo::standing() else { return };
    for args in [
        &["check", "--head", "HEAD", "--worktree"][..],
        &["check", "--index", "--worktree"],
        &["check", "--base", "no-such-branch"],
        &["check", "--head", "no-such-branch"],
        &["check", "--report", "yaml"],
        &["check", "--report", "json="],
        &["check", "--policy-from", "me"],
        &["check", "--colour", "always"],
        &["check", "-q", "-v"],
        &["audit", "--rev", "no-such-branch"],
        &["audit", "--report", "json", "--report", "human"],
        &["approve", "pkg:cargo/alpha@1.0.0"],
        &["approve", "alpha", "--reason", "x"],
        &["approve", "pkg:cargo/alpha@1.0.0", "--reason", "x", "--depth", "glanced"],
        &["approve", "pkg:cargo/alpha@1.0.0", "--reason", "x", "--expires", "soon"],
        &["waive", "malware", "--scope", "x", "--reason", "x"],
        &["why", "pkg:cargo/nobody"],
        &["why", "pkg:nowhere/alpha"],
        &["explain", "no-such-rule"],
        &["policy", "show", "no-such-pack"],
        &["hook", "uninstall"],
        &["advisories", "import"],
        &["schema", "sarif"],
        &["completions", "telnet"],
        &["admit"],
        &["nonsense"],
        &[],
    ] {
        repo.run_at_once(args).exits(2);
    }
    repo.run_at_once(&["check", "--now", "yesterday"]).exits(2).says("yesterday");
    repo.run_at_once(&["check", "--repo", "no/such/folder"]).exits(2);
}

#[test]
fn a_new_library_is_one_alarm_with_its_closure() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["decision"], "review");
    let blocking: Vec<_> = findings(&verdict, "library-unreviewed");
    assert_eq!(blocking.len(), 1, "{verdict:#}");
    assert_eq!(blocking[0]["subject"]["purl"], "pkg:cargo/leftpad-rs@0.3.1");
    let new = change(&verdict, "leftpad-rs");
    for (field, value) in [("kind", "added"), ("scope", "runtime"), ("ecosystem", "cargo"), ("lockfile", "Cargo.lock")]
    {
        assert_eq!(new[field], value, "{new:#}");
    }
    assert_eq!((&new["direct"], &new["new_library"]), (&true.into(), &true.into()));
    assert_eq!(new["via"].as_array().unwrap().last().unwrap(), "leftpad-rs@0.3.1");
    let inner = change(&verdict, "pad-core");
    assert_eq!((&inner["direct"], &inner["new_library"]), (&false.into(), &true.into()));
    let human = repo.run(&["check"]).exits(1);
    human
        .says("NEW LIBRARIES")
        .says("leftpad-rs 0.3.1")
        .says("library-unreviewed")
        .says("Cargo.toml:8")
        .says("portcullis approve pkg:cargo/leftpad-rs@0.3.1 --closure")
        .says("REVIEW");
}

#[test]
fn the_index_the_work_tree_and_commits_are_told_apart() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    // Nothing is staged.
    repo.run(&["check", "--index"]).exits(0);
    repo.run(&["check", "--worktree"]).exits(1);
    repo.run(&["check"]).exits(1);
    repo.git(&["add", "-A"]);
    assert_eq!(repo.json(&["check", "--index"], 1)["head"]["name"], "index");
    repo.put(&Project::standing());
    repo.run(&["check", "--index"]).exits(1);
    repo.run(&["check", "--worktree"]).exits(0);
    let verdict = repo.json(&["check"], 0);
    assert_eq!(verdict["head"]["name"], "work tree");
    assert_eq!(verdict["head"]["rev"], serde_json::Value::Null);

    repo.put(&Project::with_new_library());
    let second = repo.commit("a new library");
    repo.write("README.md", "words\n");
    let third = repo.commit("words");
    // The commit itself brings nothing; its parent did.
    repo.run(&["check", "--head", "HEAD"]).exits(0);
    repo.run(&["check", "--head", "HEAD~1"]).exits(1);
    repo.run(&["check", "--head", &second]).exits(1);
    repo.run(&["check", "--head", &second[..10]]).exits(1);
    repo.run(&["check", "--head", "refs/heads/main"]).exits(0);
    repo.run(&["check", "--base", "HEAD~2"]).exits(1);
    repo.run(&["check", "--base", "HEAD~2", "--head", "HEAD~1"]).exits(1);
    let verdict = repo.json(&["check", "--base", "HEAD~1", "--head", "HEAD"], 0);
    assert_eq!((&verdict["base"]["rev"], &verdict["head"]["rev"]), (&second.into(), &third.clone().into()));
    // X against X: nothing.
    let verdict = repo.json(&["check", "--base", &third, "--head", &third], 0);
    assert_eq!(verdict["changes"], serde_json::json!([]));
    assert_eq!(verdict["findings"], serde_json::json!([]));
}

#[test]
fn a_branch_and_a_tag_of_one_name_are_not_guessed_at() {
    let Some(repo) = Repo::standing() else { return };
    repo.commit("another");
    repo.git(&["branch", "release", "HEAD~1"]);
    repo.git(&["tag", "release"]);
    repo.run(&["check", "--head", "release"]).exits(2).says("release");
    repo.run(&["check", "--head", "refs/tags/release"]).exits(0);
}

#[test]
fn base_is_the_merge_base_with_the_remote() {
    let Some(repo) = Repo::cloned() else { return };
    let fork = repo.git(&["rev-parse", "origin/main"]);
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    repo.write("README.md", "words\n");
    repo.commit("words");
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["base"], serde_json::json!({"rev": fork.clone(), "name": "origin/main"}));
    repo.run(&["check"]).exits(1).says(&format!("base {} (origin/main) → work tree", &fork[..7]));
    // The remote moves on: what it brought is none of the branch's.
    repo.git(&["checkout", "-q", "-b", "theirs", "origin/main"]);
    repo.put(&Project::with_vulnerability());
    repo.commit("theirs");
    repo.git(&["push", "-q", "origin", "theirs:refs/heads/elsewhere"]);
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repo.git(&["checkout", "-q", "topic"]);
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["base"]["rev"], fork.as_str());
    assert_eq!(verdict["decision"], "review");
}

#[test]
fn a_head_that_stands_on_the_remote_is_compared_with_its_parent() {
    let Some(repo) = Repo::cloned() else { return };
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    // Comparing a commit with itself would pass everything.
    let out = repo.run(&["check", "--head", "HEAD"]).exits(1);
    out.says("parent").says("leftpad-rs");
}

#[test]
fn a_first_commit_is_judged_against_the_empty_tree() {
    let Some(repo) = Repo::standing() else { return };
    let out = repo.run(&["check", "--head", "HEAD"]).exits(1);
    out.says("first commit").says("empty tree").says("alpha 1.0.0");
    let verdict = repo.json(&["check", "--head", "HEAD"], 1);
    assert_eq!(verdict["base"], serde_json::json!({"rev": null, "name": "empty tree"}));

    // Before the first commit.
    let Some(repo) = Repo::empty() else { return };
    repo.put(&Project::standing());
    repo.run(&["check"]).exits(1).says("empty tree");
    repo.git(&["add", "-A"]);
    repo.run(&["check", "--index"]).exits(1).says("empty tree");
    repo.run(&["check", "--head", "HEAD"]).exits(2);
}

#[test]
fn a_bare_repository_is_judged_by_its_commits() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    let bare = repo.beside("bare.git");
    repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let run = |args: &[&str]| repo.machine.run(&bare, &[args, &["--now", NOW]].concat());
    run(&["check"]).exits(1).says("leftpad-rs");
    run(&["check", "--base", "HEAD~1", "--head", "HEAD"]).exits(1);
    run(&["audit"]).exits(0);
    run(&["why", "pkg:cargo/pad-core"]).exits(0).says("leftpad-rs@0.3.1");
    run(&["policy", "list"]).exits(0);
    for args in [
        &["init"][..],
        &["approve", "pkg:cargo/leftpad-rs@0.3.1", "--reason", "x"],
        &["waive", "malware", "--scope", "pkg:cargo/x", "--reason", "x", "--expires", "2027-01-01"],
    ] {
        run(args).exits(2).says("bare");
    }
    run(&["check", "--worktree"]).exits(2);
    run(&["check", "--index"]).exits(2);
}

#[test]
fn a_shallow_clone_says_how_to_deepen_it() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", repo.root().display());
    repo.git(&["clone", "-q", "--depth", "1", &url, shallow.to_str().unwrap()]);
    let run = |args: &[&str]| repo.machine.run(&shallow, &[args, &["--now", NOW]].concat());
    run(&["check", "--head", "HEAD"]).exits(3).says("git fetch").says("fetch-depth");
    run(&["check", "--base", "HEAD~1"]).exits(3).says("git fetch");
    // What stands can be judged without history.
    run(&["audit"]).exits(0);
    repo.machine.git(&shallow, &["fetch", "-q", "--unshallow"]).exits(0);
    run(&["check", "--head", "HEAD"]).exits(1).says("leftpad-rs");
}

#[test]
fn a_linked_work_tree_and_a_folder_inside_find_the_repository() {
    let Some(repo) = Repo::cloned() else { return };
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    std::fs::write(linked.join("Cargo.toml"), Project::with_new_library().manifest()).unwrap();
    std::fs::write(linked.join("Cargo.lock"), Project::with_new_library().lockfile()).unwrap();
    let run = |folder: &std::path::Path| repo.machine.run(folder, &["check", "--now", NOW]);
    run(&linked).exits(1).says("origin/main");
    run(repo.root()).exits(0);
    repo.put(&Project::with_new_library());
    run(&repo.root().join("src")).exits(1).says("leftpad-rs");
    repo.machine.run(repo.machine.home(), &["check", "--now", NOW, "--repo", repo.root().to_str().unwrap()]).exits(1);
}

#[test]
fn a_folder_without_git_has_nothing_to_compare() {
    let (machine, folder) = (Machine::new(), TempDir::new());
    std::fs::write(folder.path().join("Cargo.toml"), Project::standing().manifest()).unwrap();
    std::fs::write(folder.path().join("Cargo.lock"), Project::standing().lockfile()).unwrap();
    let run = |args: &[&str]| machine.run(folder.path(), &[args, &["--now", NOW]].concat());
    run(&["check", "--head", "HEAD"]).exits(2).says("no git repository");
    run(&["check", "--base", "HEAD"]).exits(2).says("no git repository");
    // It must not pass for want of a base, nor speak of a commit where there is none.
    let out = run(&["check"]);
    assert_ne!(out.code, 0, "{out:?}");
    out.stays_silent_about("first commit");
    run(&["hook", "install"]).exits(2);
    if has_git() {
        // git's own variables lead nowhere.
        let repo = Repo::standing().unwrap();
        let mut machine = Machine::new();
        let git_dir = repo.root().join(".git");
        machine.set("GIT_DIR", git_dir.to_str().unwrap()).set("GIT_WORK_TREE", repo.root().to_str().unwrap());
        machine.run(folder.path(), &["check", "--head", "HEAD", "--now", NOW]).exits(2);
    }
}

#[test]
fn what_the_change_did_not_bring_does_not_block() {
    let Some(repo) = Repo::empty() else { return };
    repo.put(&Project::with_vulnerability());
    repo.commit("a vulnerability");
    repo.put(&Project::with_vulnerability().with("gamma", "1.0.0", &[]));
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["decision"], "review");
    let inherited = findings(&verdict, "advisory-introduced");
    assert_eq!((&inherited[0]["origin"], &inherited[0]["blocks"]), (&"inherited".into(), &false.into()));
    repo.run(&["check"]).exits(1).says("inherited").says("portcullis audit");
    // Taken out: resolved, and nothing blocks.
    repo.put(&Project::standing());
    let verdict = repo.json(&["check"], 0);
    assert_eq!(findings(&verdict, "advisory-introduced")[0]["origin"], "resolved");
}

#[test]
fn other_bytes_under_the_same_version_are_denied() {
    let Some(repo) = Repo::standing() else { return };
    let sum = crate::harness::checksum("beta", "1.0.0");
    let honest = repo.read("Cargo.lock");
    repo.write("Cargo.lock", honest.replace(&sum, &"0".repeat(64)));
    let verdict = repo.json(&["check"], 1);
    assert_eq!(verdict["decision"], "deny");
    assert_eq!(findings(&verdict, "checksum-changed").len(), 1);
    repo.write("Cargo.lock", honest.replace(&format!("checksum = \"{sum}\"\n"), ""));
    assert_eq!(findings(&repo.json(&["check"], 1), "checksum-changed")[0]["level"], "deny");
    // Another order and other line breaks are no change.
    repo.write("Cargo.lock", honest.replace('\n', "\r\n"));
    let verdict = repo.json(&["check"], 0);
    assert_eq!(verdict["changes"], serde_json::json!([]));
}

#[test]
fn two_runs_print_the_same_bytes_but_for_times() {
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    let run = || {
        let mut verdict = repo.json(&["check"], 1);
        verdict["elapsed_ms"] = 0.into();
        verdict.to_string()
    };
    assert_eq!(run(), run());
}
