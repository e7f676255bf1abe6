//! A forge that does not answer, is not asked, or has nothing to be asked for. What cannot be read approves nothing.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::scene::{Scene, library, naming};

/// A pull request that would be let in, were its reviews read.
fn approved(reviewers: &[&str]) -> Option<Scene> {
    let scene = Scene::naming(reviewers)?;
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    Some(scene)
}

#[test]
fn reviews_that_cannot_be_read_approve_nothing() {
    let html = "<html><body>Sign in to continue</body></html>".to_owned();
    let refused = json!({ "message": "Resource not accessible by integration" });
    let answers = [
        (ResponseTemplate::new(500).set_body_string("oops"), "500"),
        (ResponseTemplate::new(200).set_body_raw(html, "text/html"), "not"),
        (ResponseTemplate::new(403).set_body_json(refused), "pull-requests: read"),
        (ResponseTemplate::new(200).set_body_json(json!({ "reviews": "none" })), "GitHub documents"),
        (ResponseTemplate::new(429).insert_header("retry-after", "3600").set_body_json(json!({})), "3600 seconds"),
        (ResponseTemplate::new(404).set_body_json(json!({ "message": "Not Found" })), "404"),
    ];
    for (answer, words) in answers {
        for part in ["/pulls/1/reviews", "/pulls/1/commits"] {
            // A failure that may pass is asked about again, which takes its time: once is enough.
            if words == "500" && part.ends_with("commits") {
                continue;
            }
            let Some(mut scene) = approved(&["@alice"]) else { return };
            scene.hub.fault("GET", part, answer.clone());
            let told = scene.reviewed(1, 1);
            told.is_refused();
            assert!(told.remarks().contains(words), "{part} {words}: {}", told.remarks());
        }
    }
}

#[test]
fn without_the_record_of_pushes_nobody_counts() {
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.hub.fault("GET", "/activity", ResponseTemplate::new(403).set_body_json(json!({ "message": "no" })));
    let told = scene.reviewed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains("contents: read"), "{}", told.remarks());
    // A head repository that is gone has no record.
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.hub.state().pulls.get_mut(&1).unwrap().from = None;
    let told = scene.reviewed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains("gone"), "{}", told.remarks());
}

#[test]
fn a_team_that_cannot_be_read_approves_nothing_and_names_the_permission() {
    let Some(mut scene) = approved(&["@o/security"]) else { return };
    let told = scene.reviewed(1, 1);
    told.is_refused();
    assert!(told.remarks().contains("members: read"), "{}", told.remarks());
}

#[test]
fn a_forge_that_is_not_there_approves_nothing() {
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.prepare(1, "pull_request_review", "submitted");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    scene.repo.machine.set("GITHUB_API_URL", &format!("http://127.0.0.1:{port}"));
    let told = scene.told(&["--forge"], 1);
    told.is_refused();
    assert!(!told.remarks().is_empty(), "{:#}", told.verdict);
    assert!(!told.out.stderr.is_empty());
}

#[test]
fn a_pull_request_that_has_moved_on_is_not_let_in_and_not_spoken_to() {
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.prepare(1, "pull_request_review", "submitted");
    // Between the event and the run somebody pushed, and alice approved that as well.
    scene.push(1, "olga", |repo| repo.write("README.md", "later\n"));
    scene.approve(1, "alice");
    scene.is_out_of_date();
}

#[test]
fn without_the_flag_no_request_is_made() {
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.prepare(1, "pull_request_review", "submitted");
    let told = scene.told(&[], 1);
    told.is_refused();
    assert_eq!(told.log, [""; 0]);
    assert_eq!(told.verdict["reviews"], serde_json::Value::Null);
}

#[test]
fn without_a_token_the_verdict_stands_and_one_line_says_so() {
    let Some(mut scene) = approved(&["@alice"]) else { return };
    scene.prepare(1, "pull_request_review", "submitted");
    for (name, value) in [("GITHUB_TOKEN", ""), ("GITHUB_API_URL", "http://forge.example")] {
        scene.repo.machine.set(name, value);
        let told = scene.told(&["--forge"], 1);
        told.is_refused();
        assert_eq!(told.log, [""; 0]);
        let lines: Vec<&str> = told.out.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(name), "{lines:?}");
        scene.repo.machine.set("GITHUB_TOKEN", super::hub::TOKEN);
    }
}

#[test]
fn a_clean_pull_request_takes_few_requests_that_only_read() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    scene.open(1, |repo| repo.write("README.md", "words\n"));
    let told = scene.pushed(1, 0);
    assert_eq!((told.decision(), told.out.stderr.as_str()), ("allow", ""));
    // The figure: "at most 6 API calls for a pull request with no findings, and none that needs write permission".
    assert!(told.log.len() <= 6, "{:?}", told.log);
    assert_eq!(told.written(), [""; 0]);
    // Also with a token that may read nothing at all.
    scene.hub.fault("GET", "", ResponseTemplate::new(403).set_body_json(json!({ "message": "no" })));
    assert_eq!(scene.pushed(1, 0).decision(), "allow");
}

#[test]
fn what_is_pushed_to_the_protected_branch_has_nobody_who_could_approve_it() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let before = scene.repo.git(&["rev-parse", "origin/main"]);
    let after = scene.protected("main", library("alice"));
    let payload = json!({
        "ref": "refs/heads/main", "before": before, "after": after, "forced": false,
        "repository": { "id": 9, "full_name": super::hub::REPOSITORY, "default_branch": "main" },
        "sender": super::hub::user("alice"),
    });
    scene.runner("push", &payload, "refs/heads/main", &after, "");
    scene.told(&["--forge"], 1).is_refused();
    // A check run on what was pushed, and nothing else: there is nothing to comment on.
    let state = scene.hub.state();
    assert_eq!((state.comments.len(), state.checks.len()), (0, 1));
    assert_eq!(state.checks[0]["head_sha"], after.as_str());
}

#[test]
fn an_old_branch_does_not_bring_its_own_reviewers_back() {
    // Row 2: the tip of the protected branch decides, not the branch's base.
    let Some(mut scene) = Scene::naming(&["@alice", "@bob"]) else { return };
    scene.open(1, library("alice"));
    scene.approve(1, "alice");
    scene.protected("main", |repo| repo.write(super::scene::CONFIG, naming(&["@bob"])));
    scene.reviewed(1, 1).is_refused();
}
