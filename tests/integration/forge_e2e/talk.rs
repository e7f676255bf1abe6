//! What stands on the forge after a run: one comment, a check run, a label, a request for a review.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::scene::{Scene, library};
use crate::harness::Project;

const MARKER: &str = "<!-- portcullis:verdict -->";
const LABEL: &str = "portcullis: review";

#[test]
fn one_comment_is_written_changed_and_removed() {
    let Some(mut scene) = Scene::naming(&["@alice", "@olga"]) else { return };
    let head = scene.open(1, |repo| repo.put(&Project::with_new_library()));
    let told = scene.pushed(1, 1);
    assert_eq!(told.out.stderr, "");
    let id = {
        let state = scene.hub.state();
        let [comment] = state.comments.as_slice() else { panic!("{:?}", state.comments) };
        let text = comment["body"].as_str().unwrap();
        assert!(text.starts_with(MARKER) && text.contains("leftpad-rs"), "{text}");
        let [run] = state.checks.as_slice() else { panic!("{:?}", state.checks) };
        assert_eq!((&run["name"], &run["conclusion"]), (&"portcullis".into(), &"action_required".into()));
        assert_eq!(run["head_sha"], head.as_str());
        let pull = &state.pulls[&1];
        assert_eq!(pull.labels, [LABEL]);
        // Its author is not asked.
        assert_eq!(pull.asked, ["alice"]);
        comment["id"].clone()
    };
    // Nothing new: nothing is written.
    assert_eq!(scene.pushed(1, 1).written(), [""; 0]);
    // Something else: the same comment.
    scene.push(1, "olga", |repo| {
        repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    });
    let told = scene.pushed(1, 1);
    assert_eq!(told.decision(), "deny");
    {
        let state = scene.hub.state();
        assert_eq!((state.comments.len(), &state.comments[0]["id"]), (1, &id));
        assert!(state.comments[0]["body"].as_str().unwrap().contains("RUSTSEC-2020-0071"));
        assert_eq!(state.checks.last().unwrap()["conclusion"], "failure");
        assert_eq!(state.pulls[&1].labels, ["portcullis: deny"]);
    }
    // Somebody else's comment stays, whatever it begins with.
    let other =
        json!({ "id": 1, "user": { "login": "mallory", "type": "User" }, "body": format!("{MARKER}\nall is well") });
    scene.hub.state().comments.push(other);
    // Clean: it goes.
    scene.push(1, "olga", |repo| repo.put(&Project::standing()));
    let told = scene.pushed(1, 0);
    assert_eq!(told.decision(), "allow");
    let state = scene.hub.state();
    assert_eq!((state.comments.len(), &state.comments[0]["user"]["login"]), (1, &"mallory".into()));
    assert!(state.pulls[&1].labels.is_empty());
}

#[test]
fn the_comment_is_written_when_it_is_asked_for() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, |repo| repo.write("README.md", "words\n"));
    scene.prepare(1, "pull_request", "opened");
    scene.told(&["--forge", "--comment", "always"], 0);
    assert_eq!(scene.hub.state().comments.len(), 1);
    scene.told(&["--forge"], 0);
    assert_eq!(scene.hub.state().comments.len(), 0);
    scene.open(2, library("alice"));
    scene.prepare(2, "pull_request", "opened");
    scene.told(&["--forge", "--comment", "never"], 1).is_refused();
    assert_eq!(scene.hub.state().comments.len(), 0);
}

#[test]
fn a_token_that_may_only_read_gives_the_same_verdict_and_one_line() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    let refused = json!({ "message": "Resource not accessible by integration" });
    for method in ["POST", "PATCH", "DELETE"] {
        scene.hub.fault(method, "", ResponseTemplate::new(403).set_body_json(refused.clone()));
    }
    let told = scene.pushed(1, 1);
    told.is_refused();
    let lines: Vec<&str> = told.out.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    // docs/github.md, "Permissions".
    assert!(lines[0].contains("pull-requests: write") && lines[0].contains("checks: write"), "{lines:?}");
    // Reading is enough for an approval.
    let review = scene.approve(1, "alice");
    let told = scene.reviewed(1, 0);
    told.is_let_in("alice", review, 1);
}

#[test]
fn a_forge_that_fails_while_it_is_spoken_to_changes_nothing() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, library("alice"));
    let review = scene.approve(1, "alice");
    for part in ["/comments", "/check-runs", "/labels", "/requested_reviewers"] {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            scene.hub.fault(method, part, ResponseTemplate::new(422).set_body_string("<html>"));
        }
    }
    let told = scene.reviewed(1, 0);
    told.is_let_in("alice", review, 1);
    scene.dismiss(1, "alice");
    scene.reviewed(1, 1).is_refused();
}
