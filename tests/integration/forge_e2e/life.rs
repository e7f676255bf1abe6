//! The sequence: fork → approve → force-push → dismiss → retarget.

use super::hub::Pull;
use super::scene::{CONFIG, LEDGER, Scene, leftpad, library, naming};
use crate::harness::{Project, checksum};

#[test]
fn a_fork_s_pull_request_from_opening_to_another_target() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.protected("release", |repo| repo.write(CONFIG, naming(&["@bob"])));
    // Opened from a fork.
    scene.open(1, library("alice"));
    let told = scene.judge(1, "pull_request_target", "opened", 1);
    told.is_refused();
    assert_eq!(scene.hub.state().comments.len(), 1);
    assert_eq!(scene.hub.state().checks.len(), 1);
    // Approved.
    let first = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", first, 1);
    assert_eq!(scene.hub.state().checks.last().unwrap()["conclusion"], "success");
    // Other bytes of the same package, by force; the entry follows them.
    scene.force(1, "olga", |repo| {
        let other = "1".repeat(64);
        repo.put(&Project::with_new_library());
        repo.write("Cargo.lock", repo.read("Cargo.lock").replace(&checksum("leftpad-rs", "0.3.1"), &other));
        repo.write(LEDGER, leftpad("alice").replace(&checksum("leftpad-rs", "0.3.1"), &other));
    });
    let told = scene.pushed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains("does not hold"), "{}", told.remarks());
    assert_eq!(scene.hub.state().comments.len(), 1);
    // Approved anew, and let in; dismissed, and not.
    let second = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", second, 1);
    scene.dismiss(1, "alice");
    scene.judge(1, "pull_request_review", "dismissed", 1).is_refused();
    // Approved once more, then sent to another branch, whose reviewers decide.
    let third = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", third, 1);
    scene.retarget(1, "release");
    let told = scene.judge(1, "pull_request_target", "edited", 1);
    assert_eq!((told.decision(), told.cover("leftpad-rs")), ("review", None), "{:#}", told.verdict);
    assert!(told.remarks().contains("@alice: approved"), "{}", told.remarks());
    // Bob may approve there, but alice's entry is not his.
    scene.approve(1, "bob");
    let told = scene.reviewed(1, 1);
    assert_eq!((told.decision(), told.cover("leftpad-rs")), ("review", None), "{:#}", told.verdict);
    assert_eq!((told.blocking(), told.approvers()), (vec!["library-unreviewed"], vec![(1, vec!["bob"])]));
    // A run that began before it is sent back counts nothing of what the new target allows.
    scene.push(1, "olga", |repo| {
        repo.write(LEDGER, leftpad("bob").replace(&checksum("leftpad-rs", "0.3.1"), &"1".repeat(64)))
    });
    let last = scene.approve(1, "bob");
    scene.reviewed(1, 0).is_let_in("bob", last, 1);
    scene.prepare(1, "pull_request_review", "submitted");
    scene.retarget(1, "main");
    scene.is_out_of_date();
    scene.judge(1, "pull_request", "edited", 1).is_refused();
}

#[test]
fn an_approval_is_for_the_target_branch_that_it_was_given_for() {
    // Both branches name alice: what she was shown against the one is not what is shown against the other.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.protected("release", |repo| repo.write("README.md", "words\n"));
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    scene.retarget(1, "release");
    let told = scene.judge(1, "pull_request_target", "edited", 1);
    told.is_refused();
    assert!(told.remarks().contains("target branch"), "{}", told.remarks());
    let again = scene.approve(1, "alice");
    scene.reviewed(1, 0).is_let_in("alice", again, 1);
}

#[test]
fn one_commit_towards_two_branches_is_not_decided() {
    // GitHub knows a check by commit and name: a green one for the lax branch would be one for the strict as well.
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.protected("lax", |repo| repo.write(CONFIG, naming(&["@mallory"])));
    scene.open(1, library("mallory"));
    let twin = {
        let state = scene.hub.state();
        Pull { base: "lax".to_owned(), ..state.pulls[&1].clone() }
    };
    scene.hub.state().pulls.insert(2, twin);
    for number in [1, 2] {
        scene.repo.git(&["branch", "-f", "fix-2", "fix-1"]);
        scene.approve(number, "mallory");
        scene.prepare(number, "pull_request_review", "submitted");
        let out = scene.run(&["--forge"]).exits(3).says("another branch");
        assert_eq!(out.stdout, "");
    }
}
