//! `check` in a pipeline: flags can only tighten, and the protected branch decides.

use crate::harness::{Out, Project, Repo, findings};

/// A clone on a branch with one commit, as a pipeline sees it.
fn pipeline() -> Option<Repo> {
    let mut repo = Repo::cloned()?;
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    repo.machine.set("CI", "true");
    Some(repo)
}

fn check(repo: &Repo, args: &[&str]) -> Out {
    repo.run_at_once(&[&["check"], args].concat())
}

#[test]
fn flags_that_loosen_are_refused() {
    let Some(repo) = pipeline() else { return };
    check(&repo, &[]).exits(1).says("leftpad-rs");
    for whose in ["head", "base", "built-in"] {
        check(&repo, &["--policy-from", whose]).exits(2).says("--policy-from");
    }
    check(&repo, &["--policy-from", "governing"]).exits(1);
    check(&repo, &["--now", "2026-01-01T00:00:00Z"]).exits(2).says("--now");
    check(&repo, &["--base", "HEAD"]).exits(2).says("--base");
    let verdict = check(&repo, &["--base", "origin/main", "--report", "json"]).exits(1).json();
    assert_eq!(verdict["overrides"][0], serde_json::json!({"flag": "--base", "value": "origin/main"}));
    assert_eq!(verdict["overrides"][1]["flag"], "PORTCULLIS_CACHE");
    // Other commands obey too.
    repo.run_at_once(&["audit", "--policy-from", "built-in"]).exits(2);
    repo.run_at_once(&["audit", "--now", "2026-01-01T00:00:00Z"]).exits(2);
}

#[test]
fn a_base_off_the_protected_branch_is_no_way_round() {
    let Some(repo) = pipeline() else { return };
    // A commit that is no ancestor of the merge base, and holds the library already.
    repo.git(&["checkout", "-q", "-b", "side", "origin/main"]);
    repo.put(&Project::with_new_library());
    repo.commit("the same, beside");
    repo.git(&["checkout", "-q", "topic"]);
    check(&repo, &["--base", "side"]).exits(2);
}

#[test]
fn what_was_pushed_is_judged_and_not_the_work_tree() {
    let Some(repo) = pipeline() else { return };
    repo.put(&Project::standing());
    let verdict = check(&repo, &["--report", "json"]).exits(1).json();
    assert_eq!(verdict["head"]["rev"], repo.git(&["rev-parse", "HEAD"]).as_str());
    check(&repo, &["--worktree"]).exits(0);
}

#[test]
fn the_tip_of_the_protected_branch_governs() {
    let Some(repo) = pipeline() else { return };
    // The branch forked before the protected branch denied unreviewed libraries.
    repo.git(&["checkout", "-q", "-b", "protected", "origin/main"]);
    repo.write(".portcullis/config.toml", "[levels]\n\"baseline/library-unreviewed\" = \"deny\"\n");
    let tip = repo.commit("stricter");
    repo.git(&["update-ref", "refs/remotes/origin/main", &tip]);
    repo.git(&["checkout", "-q", "topic"]);
    let fork = repo.git(&["rev-parse", "HEAD~1"]);
    let verdict = check(&repo, &["--report", "json"]).exits(1).json();
    assert_eq!(verdict["decision"], "deny");
    assert_eq!(verdict["base"]["rev"], fork.as_str());
    assert_eq!(verdict["policy"]["from"], "governing");
    assert_eq!(verdict["policy"]["rev"], tip.as_str());
    assert_eq!(verdict["ledger"]["rev"], tip.as_str());
}

#[test]
fn head_does_not_govern_itself() {
    for ci in [true, false] {
        let Some(mut repo) = Repo::cloned() else { return };
        if ci {
            repo.machine.set("CI", "true");
        }
        let now: &[&str] = if ci { &[] } else { &["--now", crate::harness::NOW] };
        repo.put(&Project::with_new_library());
        repo.write(".portcullis/config.toml", "[levels]\n\"baseline/library-unreviewed\" = \"note\"\n");
        let sum = crate::harness::checksum("leftpad-rs", "0.3.1");
        repo.write(
            ".portcullis/ledger.toml",
            format!(
                "[[approval]]\npackage = \"pkg:cargo/leftpad-rs@0.3.1\"\nchecksum = \"sha256:{sum}\"\n\
                 by = \"mallory\"\non = 2026-08-20\nreason = \"trust me\"\n"
            ),
        );
        repo.commit("a new library and a friendlier gate");
        let verdict = check(&repo, &[now, &["--head", "HEAD", "--report", "json"]].concat()).exits(1).json();
        let found = findings(&verdict, "library-unreviewed");
        assert_eq!((found.len(), &found[0]["level"]), (1, &"review".into()), "{verdict:#}");
        assert_eq!(findings(&verdict, "gate-changed").len(), 2, "{verdict:#}");
    }
    // At a desk, a person may ask what head's own gate would say; the verdict says that they did.
    let Some(repo) = Repo::cloned() else { return };
    repo.put(&Project::with_new_library());
    repo.write(".portcullis/config.toml", "[levels]\n\"baseline/library-unreviewed\" = \"warn\"\n");
    let verdict = repo.json(&["check", "--policy-from", "head"], 1);
    assert_eq!(findings(&verdict, "library-unreviewed")[0]["level"], "warn");
    assert_eq!(findings(&verdict, "library-unreviewed")[0]["default_level"], "review");
    assert!(verdict["overrides"].to_string().contains("--policy-from"), "{verdict:#}");
}

#[test]
fn a_broken_gate_in_head_does_not_stop_the_protected_one() {
    let Some(repo) = pipeline() else { return };
    repo.write(".portcullis/config.toml", "packs = [\n");
    repo.write(".portcullis/ledger.toml", "[[approval]]\n");
    repo.commit("broken");
    let verdict = check(&repo, &["--report", "json"]).exits(1).json();
    assert_eq!(findings(&verdict, "gate-changed").len(), 2, "{verdict:#}");
}

#[test]
fn ci_is_a_word_and_not_a_presence() {
    for (value, code) in [("true", 2), ("1", 2), ("woodpecker", 2), ("false", 1), ("0", 1), ("", 1)] {
        let Some(mut repo) = Repo::cloned() else { return };
        repo.put(&Project::with_new_library());
        repo.commit("a new library");
        repo.machine.set("CI", value);
        check(&repo, &["--policy-from", "base"]).exits(code);
    }
}
