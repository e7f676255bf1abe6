//! Entries of the ledger that a pull request brings: whose approval lets them count, and for which bytes.

use super::scene::{CONFIG, LEDGER, Scene, entry, leftpad, library, naming, waiver};
use crate::harness::{Machine, Project, TempDir, checksum};

#[test]
fn an_entry_counts_once_its_author_has_approved() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let head = scene.open(1, library("alice"));
    scene.pushed(1, 1).is_refused();
    scene.review(1, "alice", "COMMENTED");
    scene.reviewed(1, 1).is_refused();
    let review = scene.approve(1, "alice");
    let told = scene.reviewed(1, 0);
    told.is_let_in("alice", review, 1);
    assert_eq!(told.verdict["reviews"][0]["head"], head.as_str());
    // The same on the event that reads data alone, on the target branch.
    scene.judge(1, "pull_request_target", "synchronize", 0).is_let_in("alice", review, 1);
    // Logins have no case (GitHub's users, "username").
    scene.hub.state().pulls.get_mut(&1).unwrap().reviews[1]["user"]["login"] = "Alice".into();
    scene.reviewed(1, 0).is_let_in("Alice", review, 1);
}

#[test]
fn who_had_a_part_in_the_change_does_not_count() {
    // Who opened it, who wrote it, who pushed it.
    for (opener, writer, pusher) in
        [("alice", "olga", "olga"), ("olga", "alice", "olga"), ("olga", "olga", "alice"), ("alice", "alice", "alice")]
    {
        let Some(mut scene) = Scene::naming(&["@alice", "@bob"]) else { return };
        scene.open_as(1, opener, writer, pusher, library("alice"));
        scene.approve(1, "alice");
        let told = scene.reviewed(1, 1);
        told.is_refused();
        assert!(told.remarks().contains("@alice"), "{opener} {writer} {pusher}: {}", told.remarks());
    }
    // Who pushed says the event, where the record of the branch tells of somebody else.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    scene.sender = "alice";
    scene.pushed(1, 1).is_refused();
    // One commit among others is enough, and a forced push does not wash it off.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    scene.push(1, "alice", |repo| repo.write("README.md", "by alice\n"));
    scene.approve(1, "alice");
    scene.reviewed(1, 1).is_refused();
    scene.force(1, "olga", library("alice"));
    scene.approve(1, "alice");
    scene.reviewed(1, 1).is_refused();
}

#[test]
fn programs_strangers_and_the_departed_do_not_count() {
    let bot = "shepherd[bot]";
    let Some(mut scene) = Scene::naming(&["@shepherd[bot]", "@alice"]) else { return };
    scene.open(1, library(bot));
    scene.approve(1, bot);
    scene.reviewed(1, 1).is_refused();
    // Not named on the protected branch.
    scene.open(2, library("carol"));
    scene.approve(2, "carol");
    let told = scene.reviewed(2, 1);
    told.is_refused();
    assert!(told.remarks().contains("@carol: approved, but not named as a reviewer"), "{}", told.remarks());
    // An account that is gone, and one that is no person's whatever its name.
    scene.open(3, library("alice"));
    scene.approve(3, "alice");
    for account in [serde_json::Value::Null, serde_json::json!({ "login": "alice", "type": "Bot" })] {
        scene.hub.state().pulls.get_mut(&3).unwrap().reviews[0]["user"] = account;
        scene.reviewed(3, 1).is_refused();
    }
}

#[test]
fn an_approval_that_was_taken_back_does_not_count() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    scene.review(1, "alice", "CHANGES_REQUESTED");
    scene.reviewed(1, 1).is_refused();
    let again = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", again, 1);
    // A comment afterwards takes nothing back.
    scene.review(1, "alice", "COMMENTED");
    scene.reviewed(1, 0).is_let_in("alice", again, 1);
    scene.dismiss(1, "alice");
    scene.judge(1, "pull_request_review", "dismissed", 1).is_refused();
}

#[test]
fn an_approval_is_of_the_bytes_that_were_there() {
    // Approved before the entry was there: not for the entry.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, |repo| repo.put(&Project::with_new_library()));
    scene.approve(1, "alice");
    scene.push(1, "olga", |repo| repo.write(LEDGER, leftpad("alice")));
    let told = scene.pushed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains(LEDGER), "{}", told.remarks());
    // Approved, then another lockfile: the entry binds bytes that are not there, and the approval does not hold.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    let swap = |repo: &crate::harness::Repo| {
        let lock = repo.read("Cargo.lock").replace(&checksum("pad-core", "0.2.0"), &"1".repeat(64));
        repo.write("Cargo.lock", lock);
    };
    scene.push(1, "olga", swap);
    let told = scene.pushed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains("Cargo.lock"), "{}", told.remarks());
}

#[test]
fn an_approval_holds_while_the_relevant_bytes_do() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    let review = scene.approve(1, "alice");
    scene.push(1, "olga", |repo| repo.write("README.md", "words\n"));
    scene.pushed(1, 0).is_let_in("alice", review, 1);
    // A rebase on what has landed meanwhile.
    scene.protected("main", |repo| repo.write("docs/more.md", "more words\n"));
    scene.force(1, "olga", library("alice"));
    scene.pushed(1, 0).is_let_in("alice", review, 1);
}

#[test]
fn an_entry_of_another_s_does_not_count() {
    let Some(mut scene) = Scene::naming(&["@alice", "@bob"]) else { return };
    scene.open(1, library("bob"));
    let review = scene.approve(1, "alice");
    let told = scene.reviewed(1, 1);
    assert_eq!((told.decision(), told.cover("leftpad-rs")), ("review", None));
    assert_eq!(told.blocking(), ["library-unreviewed"]);
    // The change to the gate is another thing: that alice may clear.
    assert_eq!(told.findings("gate-changed")[0]["cleared_by"]["review"], review);
    assert!(told.remarks().contains("bob") && told.remarks().contains(LEDGER), "{}", told.remarks());
}

#[test]
fn two_entries_take_their_two_authors() {
    let Some(mut scene) = Scene::naming(&["@alice", "@bob"]) else { return };
    scene.open(1, |repo| {
        repo.put(&Project::with_new_library());
        let both = [("alice", "leftpad-rs", "0.3.1"), ("bob", "pad-core", "0.2.0")];
        let entries: Vec<_> = both.iter().map(|(by, name, version)| entry(by, name, version, &[])).collect();
        repo.write(LEDGER, entries.concat());
    });
    scene.approve(1, "alice");
    let told = scene.reviewed(1, 1);
    assert!(told.cover("leftpad-rs").is_some() && told.cover("pad-core").is_none(), "{:#}", told.verdict);
    scene.approve(1, "bob");
    let told = scene.reviewed(1, 0);
    assert_eq!((told.decision(), told.approvers()), ("allow", vec![(1, vec!["alice", "bob"])]), "{:#}", told.verdict);
}

#[test]
fn an_entry_that_head_prolongs_or_widens_is_a_new_one() {
    let expired = leftpad("alice") + "expires = 2026-08-21\n";
    let expired = expired.replace("\n\nexpires", "\nexpires");
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.protected("main", |repo| repo.write(LEDGER, &expired));
    scene.open(1, |repo| {
        repo.put(&Project::with_new_library());
        repo.write(LEDGER, expired.replace("2026-08-21", "2099-12-31"));
    });
    scene.pushed(1, 1).is_refused();
    let review = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", review, 1);
    // Other bytes put into an old entry.
    let narrow = entry("alice", "leftpad-rs", "0.3.1", &[]);
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.protected("main", |repo| repo.write(LEDGER, &narrow));
    scene.open(1, library("alice"));
    let told = scene.pushed(1, 1);
    assert_eq!((told.cover("leftpad-rs").is_some(), told.cover("pad-core")), (true, None), "{:#}", told.verdict);
}

#[test]
fn a_waiver_counts_as_an_entry_does() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let subject = "pkg:cargo/time@0.1.43";
    scene.open(1, |repo| {
        repo.put(&Project::with_vulnerability());
        let entry = entry("alice", "time", "0.1.43", &[]);
        repo.write(LEDGER, entry + &waiver("alice", "advisory-introduced", subject));
    });
    let told = scene.pushed(1, 1);
    assert_eq!((told.decision(), &told.findings("advisory-introduced")[0]["blocks"]), ("deny", &true.into()));
    scene.approve(1, "alice");
    let told = scene.reviewed(1, 0);
    assert_eq!((told.decision(), told.blocking().len()), ("allow", 0), "{:#}", told.verdict);
    for found in told.findings("advisory-introduced") {
        assert_eq!(found["waived_by"]["owner"], "alice", "{found:#}");
    }
}

/// A store file with a record of malware in `pad-core`, as fresh as can be.
fn malware(folder: &TempDir) -> String {
    let now = jiff::Timestamp::now();
    let record = serde_json::json!({
        "id": "MAL-2026-1", "modified": now.to_string(), "published": now.to_string(),
        "affected": [{ "package": { "ecosystem": "crates.io", "name": "pad-core" }, "versions": ["0.2.0"] }],
    });
    std::fs::create_dir(folder.path().join("osv")).unwrap();
    std::fs::write(folder.path().join("osv/MAL-2026-1.json"), record.to_string()).unwrap();
    let machine = Machine::new();
    machine.run(folder.path(), &["advisories", "import", "osv", "--output", "made.store"]).exits(0);
    folder.path().join("made.store").to_str().unwrap().to_owned()
}

#[test]
fn malware_is_waived_on_the_protected_branch_alone() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let folder = TempDir::new();
    let store = malware(&folder);
    let args = ["--forge", "--advisories", store.as_str()];
    let waived = waiver("alice", "malware", "pkg:cargo/pad-core@0.2.0");
    let text = waived.clone();
    scene.open(1, |repo| {
        repo.put(&Project::with_new_library());
        repo.write(LEDGER, leftpad("alice") + &text);
    });
    scene.approve(1, "alice");
    scene.prepare(1, "pull_request_review", "submitted");
    let told = scene.told(&args, 1);
    assert_eq!((told.decision(), told.blocking()), ("deny", vec!["malware"]), "{:#}", told.verdict);
    assert_eq!(told.approvers(), [(1, vec!["alice"])]);
    // The same words on the governing revision waive it.
    scene.protected("main", |repo| repo.write(LEDGER, leftpad("alice") + &waived));
    scene.open(2, |repo| repo.put(&Project::with_new_library()));
    scene.prepare(2, "pull_request", "opened");
    assert_eq!(scene.told(&args, 0).decision(), "allow");
}

#[test]
fn other_bytes_under_an_old_version_are_never_waived_by_the_change_itself() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let swap = |repo: &crate::harness::Repo| {
        repo.write("Cargo.lock", repo.read("Cargo.lock").replace(&checksum("alpha", "1.0.0"), &"1".repeat(64)));
    };
    scene.open(1, swap);
    let told = scene.pushed(1, 1);
    assert_eq!(told.decision(), "deny");
    let fingerprint = told.findings("checksum-changed")[0]["fingerprint"].as_str().unwrap().to_owned();
    // An approval for the new bytes, which answers that nothing is known of them, and the waiver.
    let entry = entry("alice", "alpha", "1.0.0", &[]).replace(&checksum("alpha", "1.0.0"), &"1".repeat(64));
    let ledger = entry + &waiver("alice", "checksum-changed", &fingerprint);
    scene.push(1, "olga", |repo| repo.write(LEDGER, &ledger));
    scene.approve(1, "alice");
    let told = scene.reviewed(1, 1);
    assert_eq!((told.decision(), told.blocking()), ("deny", vec!["checksum-changed"]), "{:#}", told.verdict);
    assert_eq!(told.approvers(), [(1, vec!["alice"])]);
    scene.protected("main", |repo| repo.write(LEDGER, &ledger));
    scene.force(1, "olga", swap);
    assert_eq!(scene.pushed(1, 0).decision(), "allow");
}

#[test]
fn without_reviewers_nobody_can_approve() {
    let Some(mut scene) = Scene::new(|repo| repo.write(CONFIG, "")) else { return };
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    let told = scene.reviewed(1, 1);
    told.is_refused();
    let remarks = told.remarks();
    assert!(remarks.contains("reviewers = [") && remarks.contains("CODEOWNERS"), "{remarks}");
}

#[test]
fn code_owners_of_the_protected_branch_may_approve_and_head_s_may_not() {
    let owners = ".github/CODEOWNERS";
    let Some(mut scene) = Scene::new(|repo| repo.write(owners, "* @everybody\n/.portcullis/ @alice\n")) else { return };
    scene.open(1, library("alice"));
    let review = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", review, 1);
    // Head names its own.
    scene.open(2, |repo| {
        library("mallory")(repo);
        repo.write(owners, "/.portcullis/ @mallory\n");
    });
    scene.approve(2, "mallory");
    let told = scene.reviewed(2, 1);
    told.is_refused();
    assert!(told.remarks().contains("@mallory: approved, but not named"), "{}", told.remarks());
    // The settings' reviewers take the place of owners (`reviewers`: "empty: CODEOWNERS of .portcullis/").
    scene.protected("main", |repo| repo.write(CONFIG, naming(&["@bob"])));
    scene.reviewed(1, 1).is_refused();
}

#[test]
fn a_head_that_names_its_own_reviewers_is_judged_by_the_protected_branch_s() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, |repo| {
        library("mallory")(repo);
        repo.write(CONFIG, naming(&["@alice", "@mallory"]));
    });
    scene.approve(1, "mallory");
    scene.reviewed(1, 1).is_refused();
    // Alice's approval lets the new settings in, and is no word on mallory's entry.
    scene.approve(1, "alice");
    let told = scene.reviewed(1, 1);
    assert_eq!((told.decision(), told.cover("leftpad-rs")), ("review", None));
    assert_eq!(told.blocking(), ["library-unreviewed"]);
    assert_eq!(told.approvers(), [(1, vec!["alice"])]);
}
