//! Merge queues: the group is judged as a whole, approvals count pull request by pull request (row 18).

use serde_json::json;

use super::hub::{REPOSITORY, user};
use super::scene::{LEDGER, Scene, Told, entry};
use crate::harness::{Project, Repo, change};

/// How GitHub makes an entry of the queue.
#[derive(Clone, Copy)]
enum Way {
    Merge,
    Squash,
    Rebase,
}

/// What a pull request brings, or all of them up to one in the queue: libraries, and alice's entries for libraries.
type Brings = (&'static [&'static str], &'static [&'static str]);

const ONE: Brings = (&["one-lib"], &["one-lib"]);
const TWO: Brings = (&["two-lib"], &["two-lib"]);
const BOTH: Brings = (&["one-lib", "two-lib"], &["one-lib", "two-lib"]);

fn write(repo: &Repo, (libraries, entries): Brings) {
    let project = libraries.iter().fold(Project::standing(), |project, name| project.with(name, "1.0.0", &[]));
    repo.put(&project);
    let entries: Vec<String> = entries.iter().map(|name| entry("alice", name, "1.0.0", &[])).collect();
    repo.write(LEDGER, entries.concat());
}

fn scene() -> Option<Scene> {
    let scene = Scene::naming(&["@alice"])?;
    scene.open(1, |repo| write(repo, ONE));
    scene.open(2, |repo| write(repo, TWO));
    Some(scene)
}

impl Scene {
    /// Puts both pull requests into the queue, and makes the runner ready for the group of the second.
    fn queue(&mut self, way: Way, first: Brings) {
        let base = self.repo.git(&["rev-parse", "origin/main"]);
        let mut at = base.clone();
        let mut names = Vec::new();
        for (number, brings) in [(1, first), (2, BOTH)] {
            self.repo.git(&["checkout", "-q", "--detach", &at]);
            if matches!(way, Way::Merge) {
                self.repo.git(&["merge", "-q", "--no-ff", "--no-commit", "-s", "ours", &format!("fix-{number}")]);
            }
            write(&self.repo, brings);
            let mut to = self.repo.commit(if matches!(way, Way::Rebase) { "a change" } else { "of the queue" });
            if matches!(way, Way::Rebase) && number == 2 {
                self.repo.write("README.md", "words\n");
                to = self.repo.commit("a change");
            }
            names.push((format!("refs/heads/gh-readonly-queue/main/pr-{number}-{at}"), to.clone()));
            at = to;
        }
        let [(_, first), (last, group)] = names.as_slice() else { panic!("{names:?}") };
        let payload = json!({
            "action": "checks_requested",
            "merge_group": { "head_sha": group, "head_ref": last, "base_sha": first, "base_ref": "refs/heads/main" },
            "repository": { "id": 9, "full_name": REPOSITORY, "default_branch": "main" },
            "sender": user("olga"),
        });
        let (last, group) = (last.clone(), group.clone());
        self.hub.state().queue = names;
        self.runner("merge_group", &payload, &last, &group, "");
    }
}

fn covers(told: &Told) -> [bool; 2] {
    ["one-lib", "two-lib"].map(|name| change(&told.verdict, name)["review"]["cleared_by"].is_string())
}

#[test]
fn each_entry_counts_where_its_own_pull_request_is_approved() {
    for way in [Way::Merge, Way::Squash, Way::Rebase] {
        let Some(mut scene) = scene() else { return };
        if matches!(way, Way::Rebase) {
            scene.push(2, "olga", |repo| repo.write("README.md", "words\n"));
        }
        scene.queue(way, ONE);
        let told = scene.told(&["--forge"], 1);
        assert_eq!((told.decision(), covers(&told)), ("review", [false, false]), "{:#}", told.verdict);
        scene.approve(1, "alice");
        let told = scene.told(&["--forge"], 1);
        assert_eq!((told.decision(), covers(&told)), ("review", [true, false]), "{:#}", told.verdict);
        assert_eq!(told.approvers(), [(1, vec!["alice"]), (2, vec![])]);
        // Both touch the gate's folder, and one of them is not approved.
        assert_eq!(told.blocking(), ["gate-changed", "library-unreviewed"]);
        scene.approve(2, "alice");
        let told = scene.told(&["--forge"], 0);
        assert_eq!((told.decision(), covers(&told)), ("allow", [true, true]), "{:#}", told.verdict);
        assert_eq!(told.approvers(), [(1, vec!["alice"]), (2, vec!["alice"])]);
        // A group has a check run and nothing else.
        assert!(scene.hub.state().comments.is_empty());
        scene.dismiss(1, "alice");
        let told = scene.told(&["--forge"], 1);
        assert_eq!((told.decision(), covers(&told)), ("review", [false, true]), "{:#}", told.verdict);
    }
}

#[test]
fn an_approval_of_one_pull_request_is_no_word_on_an_entry_that_another_brings() {
    // The first brings, beside its own, an entry for the second's library, under the name of who approves only the second.
    const SLY: Brings = (&["one-lib"], &["one-lib", "two-lib"]);
    const BARE: Brings = (&["two-lib"], &[]);
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, |repo| write(repo, SLY));
    scene.open(2, |repo| write(repo, BARE));
    scene.queue(Way::Merge, SLY);
    scene.approve(2, "alice");
    let told = scene.told(&["--forge"], 1);
    assert_eq!((told.decision(), covers(&told)), ("review", [false, false]), "{:#}", told.verdict);
    // The other way round her word on the first covers both.
    scene.dismiss(2, "alice");
    scene.approve(1, "alice");
    assert_eq!(covers(&scene.told(&["--forge"], 0)), [true, true]);
}

#[test]
fn in_a_queue_too_nobody_can_approve_where_nobody_is_named() {
    let Some(mut scene) = Scene::new(|repo| repo.write("README.md", "words\n")) else { return };
    scene.open(1, |repo| write(repo, ONE));
    scene.open(2, |repo| write(repo, TWO));
    scene.queue(Way::Merge, ONE);
    scene.approve(1, "alice");
    scene.approve(2, "alice");
    let told = scene.told(&["--forge"], 1);
    assert_eq!((told.decision(), covers(&told)), ("review", [false, false]), "{:#}", told.verdict);
    assert!(told.remarks().contains("reviewers = ["), "{}", told.remarks());
}

#[test]
fn a_queue_that_cannot_be_told_apart_approves_nothing() {
    let Some(mut scene) = scene() else { return };
    scene.queue(Way::Merge, ONE);
    scene.approve(1, "alice");
    scene.approve(2, "alice");
    // The queue's branches are gone but the group's own: whose the first commit is, nobody says.
    let queue = std::mem::take(&mut scene.hub.state().queue);
    let told = scene.told(&["--forge"], 1);
    assert_eq!((told.decision(), covers(&told)), ("review", [false, false]), "{:#}", told.verdict);
    assert!(!told.remarks().is_empty());
    // A pull request that was pushed to since is not what stands in the queue.
    scene.hub.state().queue = queue;
    scene.push(2, "olga", |repo| repo.write("README.md", "later\n"));
    scene.approve(2, "alice");
    let told = scene.told(&["--forge"], 1);
    assert_eq!((told.decision(), covers(&told)), ("review", [false, false]), "{:#}", told.verdict);
    assert!(told.remarks().contains("pull request 2"), "{}", told.remarks());
}
