//! What is said, and what is not. Limits are from GitHub's API description ("Create a check run").

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::*;
use crate::forge::client::testing::{Forge, sha, user};

const PULL: &str = "/repos/o/r/pulls/1";
const COMMENTS: &str = "/repos/o/r/issues/1/comments";
const LABELED: &str = "/repos/o/r/issues/1/labels";
const REQUESTED: &str = "/repos/o/r/pulls/1/requested_reviewers";
const MADE: &str = "/repos/o/r/check-runs";

fn runs() -> String {
    format!("/repos/o/r/commits/{}/check-runs", sha('1'))
}

fn comment(id: u64, login: &str, body: &str) -> Value {
    json!({ "id": id, "user": user(login), "body": body })
}

/// A pull request with these comments, labels and check runs, where everything can be written.
fn forge(comments: Value, labels: &[&str], check_runs: Value) -> Forge {
    let forge = reading(comments, labels, check_runs);
    let ok = |status| ResponseTemplate::new(status).set_body_json(json!({ "id": 77 }));
    forge.on("POST", COMMENTS, ok(201));
    forge.on("POST", LABELED, ok(200));
    forge.on("POST", MADE, ok(201));
    forge.on("POST", REQUESTED, ok(201));
    forge.on("PATCH", "/repos/o/r/check-runs/77", ok(200));
    for id in 1..9 {
        forge.on("PATCH", &format!("/repos/o/r/issues/comments/{id}"), ok(200));
        forge.on("DELETE", &format!("/repos/o/r/issues/comments/{id}"), ResponseTemplate::new(204));
    }
    for (_, label) in LABELS {
        forge.on("DELETE", &format!("{LABELED}/{}", label.replace(' ', "%20").replace(':', "%3A")), ok(200));
    }
    forge
}

fn pull(labels: &[&str]) -> Value {
    let labels: Vec<_> = labels.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "number": 1, "user": user("olga"), "commits": 1, "labels": labels,
        "requested_reviewers": [user("asked")], "requested_teams": [{ "slug": "asked-team" }],
        "head": { "ref": "fix", "sha": sha('1') }, "base": { "ref": "main", "sha": sha('9') },
    })
}

fn reading(comments: Value, labels: &[&str], check_runs: Value) -> Forge {
    let forge = Forge::new();
    forge.get(PULL, pull(labels));
    forge.get(COMMENTS, comments);
    forge.get(&runs(), json!({ "total_count": 0, "check_runs": check_runs }));
    forge.get("/repos/o/r/pulls/1/reviews", json!([]));
    // A token of an application stands for no user.
    let no = json!({ "message": "Resource not accessible by integration" });
    forge.on("GET", "/user", ResponseTemplate::new(403).set_body_json(no));
    forge
}

fn message<'a>(decision: &'a str, comment: When) -> Message<'a> {
    let is_clean = decision == "allow";
    let markdown = "<!-- portcullis:verdict -->\n**verdict**\n";
    Message { markdown, decision, title: "a title", annotations: &[], comment, reviewers: &[], is_clean }
}

fn target() -> Target {
    Target { number: Some(1), sha: sha('1') }
}

fn said(forge: &Forge, message: &Message<'_>) -> Vec<String> {
    talk(&forge.client(), &target(), message)
}

/// The requests that wrote, without bodies.
fn written(forge: &Forge) -> Vec<String> {
    forge.written().into_iter().map(|(line, _)| line).collect()
}

// The issue: at most 6 calls for a pull request with no findings, and none that needs write permission.
#[test]
fn nothing_to_say_is_three_requests_that_read() {
    let strangers =
        json!([comment(1, "mallory", "<!-- portcullis:verdict -->\nall is well"), comment(2, "olga", "hm")]);
    for (comments, requests) in [(json!([]), 3), (strangers, 4)] {
        let forge = reading(comments, &["bug"], json!([]));
        assert_eq!(said(&forge, &message("allow", When::OnFindings)), [""; 0]);
        assert_eq!((forge.requests().len(), written(&forge)), (requests, vec![]));
    }
    // With `always` the comment is all that is written.
    let forge = forge(json!([]), &[], json!([]));
    assert_eq!(said(&forge, &message("allow", When::Always)), [""; 0]);
    assert_eq!(written(&forge), [format!("POST {COMMENTS}")]);
}

#[test]
fn what_was_said_before_is_taken_back() {
    let run = json!([{ "id": 5, "conclusion": "failure", "external_id": "x" }]);
    let own = json!([comment(3, "github-actions[bot]", "<!-- portcullis:verdict -->\nold")]);
    let forge = forge(own, &["Portcullis: Deny"], run);
    assert_eq!(said(&forge, &message("allow", When::OnFindings)), [""; 0]);
    assert_eq!(
        written(&forge),
        [
            "DELETE /repos/o/r/issues/comments/3".to_owned(),
            format!("POST {MADE}"),
            format!("DELETE {LABELED}/portcullis%3A%20deny"),
        ]
    );
    assert!(forge.written()[1].1.contains("\"conclusion\":\"success\""));
}

#[test]
fn one_comment_is_written_changed_left_alone_and_its_doubles_removed() {
    let old = "<!-- portcullis:verdict -->\nold";
    let bot = "github-actions[bot]";
    let change = |id: u64| format!("PATCH /repos/o/r/issues/comments/{id}");
    let remove = |id: u64| format!("DELETE /repos/o/r/issues/comments/{id}");
    let new = || format!("POST {COMMENTS}");
    let same = "<!-- portcullis:verdict -->\r\n**verdict**";
    for (name, comments, expected) in [
        ("none yet", json!([comment(1, "olga", "hello")]), vec![new()]),
        ("changed", json!([comment(1, bot, old)]), vec![change(1)]),
        ("equal", json!([comment(1, bot, same)]), vec![]),
        (
            "doubles",
            json!([comment(1, bot, old), comment(2, bot, old), comment(3, bot, old)]),
            vec![change(1), remove(2), remove(3)],
        ),
        ("a stranger's", json!([comment(1, "mallory", old)]), vec![new()]),
        ("the marker is not at its beginning", json!([comment(1, bot, "> <!-- portcullis:verdict -->")]), vec![new()]),
        ("the account is gone", json!([{ "id": 1, "user": null, "body": old }]), vec![new()]),
        ("without text", json!([{ "id": 1, "user": user(bot) }]), vec![new()]),
    ] {
        let forge = forge(comments, &["portcullis: deny"], json!([{ "id": 1, "conclusion": "failure" }]));
        assert_eq!(said(&forge, &message("deny", When::OnFindings)), [""; 0], "{name}");
        let is: Vec<_> = written(&forge).into_iter().filter(|line| !line.ends_with("check-runs")).collect();
        assert_eq!(is, expected, "{name}");
    }
}

#[test]
fn a_user_s_own_token_knows_its_comments() {
    let old = "<!-- portcullis:verdict -->\nold";
    let forge =
        forge(json!([comment(1, "mallory", old), comment(2, "Robot-User", old)]), &["portcullis: deny"], json!([]));
    forge.first(9, "GET", "/user", ResponseTemplate::new(200).set_body_json(user("robot-user")));
    said(&forge, &message("deny", When::OnFindings));
    assert_eq!(written(&forge)[0], "PATCH /repos/o/r/issues/comments/2");
}

#[test]
fn another_application_s_comment_is_left_and_ours_written_anew() {
    let forge =
        forge(json!([comment(1, "other[bot]", "<!-- portcullis:verdict -->\nold")]), &["portcullis: deny"], json!([]));
    let no = ResponseTemplate::new(403).set_body_json(json!({ "message": "Resource not accessible by integration" }));
    forge.first(9, "PATCH", "/repos/o/r/issues/comments/1", no);
    assert_eq!(said(&forge, &message("deny", When::OnFindings)), [""; 0]);
    assert_eq!(written(&forge)[..2], ["PATCH /repos/o/r/issues/comments/1".to_owned(), format!("POST {COMMENTS}")]);
}

#[test]
fn never_leaves_comments_alone() {
    let forge = forge(json!([comment(1, "github-actions[bot]", "<!-- portcullis:verdict -->\nold")]), &[], json!([]));
    said(&forge, &message("allow", When::Never));
    assert!(forge.requests().iter().all(|(line, _)| !line.contains("comments")));
}

fn annotations(number: u32) -> Vec<Annotation> {
    let one = |line| Annotation {
        path: "Cargo.lock".to_owned(),
        start_line: line,
        end_line: 0,
        level: crate::report::place::Loudness::Error,
        title: "ü".repeat(200),
        message: "message".to_owned(),
    };
    (0..number).map(one).collect()
}

#[test]
fn annotations_come_in_batches_and_a_run_without_news_makes_no_check() {
    let all = annotations(120);
    let message = Message { annotations: &all, ..message("review", When::Never) };
    let forge = forge(json!([]), &["portcullis: review"], json!([]));
    assert_eq!(said(&forge, &message), [""; 0]);
    let sent: Vec<Value> = forge.written().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let batches: Vec<_> = sent.iter().map(|body| body["output"]["annotations"].as_array().unwrap().len()).collect();
    assert_eq!(batches, [50, 50, 20]);
    assert_eq!(written(&forge)[1], "PATCH /repos/o/r/check-runs/77");
    assert_eq!(
        (&sent[0]["conclusion"], &sent[0]["name"], &sent[0]["head_sha"]),
        (&json!("action_required"), &json!("portcullis"), &json!(sha('1')))
    );
    let first = &sent[0]["output"]["annotations"][0];
    assert_eq!(
        (&first["start_line"], &first["end_line"], &first["annotation_level"]),
        (&json!(1), &json!(1), &json!("failure"))
    );
    assert!(first["title"].as_str().unwrap().len() <= 255);

    let stands = json!([{ "id": 4, "conclusion": "action_required", "external_id": sent[0]["external_id"] }]);
    let forge = self::forge(json!([]), &["portcullis: review"], stands.clone());
    assert_eq!((said(&forge, &message), written(&forge)), (vec![], vec![]));
    // Another verdict came after it.
    let mut later = stands;
    later.as_array_mut().unwrap().push(json!({ "id": 6, "conclusion": "success" }));
    let forge = self::forge(json!([]), &["portcullis: review"], later);
    said(&forge, &message);
    assert_eq!(written(&forge).len(), 3);
}

#[test]
fn more_annotations_than_anybody_reads_are_cut_and_that_is_said() {
    let all = annotations(1_001);
    let message = Message { annotations: &all, ..message("deny", When::Never) };
    let forge = forge(json!([]), &["portcullis: deny"], json!([]));
    assert_eq!(said(&forge, &message), ["the check run has 1000 of 1001 annotations: the report has them all"]);
    assert_eq!(written(&forge).len(), 20);
}

#[test]
fn each_decision_has_its_conclusion_and_label() {
    for (decision, conclusion, label) in [
        ("review", "action_required", Some("portcullis: review")),
        ("deny", "failure", Some("portcullis: deny")),
        ("incomplete", "failure", None),
    ] {
        let forge = forge(json!([]), &["portcullis: review", "portcullis: deny"], json!([]));
        said(&forge, &message(decision, When::Never));
        let check = forge.written().remove(0);
        assert!(check.1.contains(&format!("\"conclusion\":\"{conclusion}\"")), "{}", check.1);
        let removed: Vec<_> = written(&forge).into_iter().filter(|line| line.starts_with("DELETE")).collect();
        assert_eq!(removed.len(), if label.is_some() { 1 } else { 2 });
        let bare = self::forge(json!([]), &[], json!([]));
        said(&bare, &message(decision, When::Never));
        let added: Vec<_> =
            bare.written().into_iter().filter(|(line, _)| line.ends_with("labels")).map(|(_, body)| body).collect();
        assert_eq!(added, label.map(|label| format!("{{\"labels\":[\"{label}\"]}}")).into_iter().collect::<Vec<_>>());
    }
}

fn owners(names: &[&str]) -> Vec<Owner> {
    names.iter().map(|name| Owner::parse(name).unwrap()).collect()
}

#[test]
fn reviews_are_requested_of_who_can_still_give_one() {
    let named = owners(&["@alice", "@Olga", "@asked", "@bob", "@o/sec", "@o/asked-team", "@other/team"]);
    let message = Message { reviewers: &named, ..message("review", When::Never) };
    let asked = |reviews: Value| {
        let forge = forge(json!([]), &["portcullis: review"], json!([]));
        forge.first(9, "GET", "/repos/o/r/pulls/1/reviews", ResponseTemplate::new(200).set_body_json(reviews));
        assert_eq!(said(&forge, &message), [""; 0]);
        forge.written().into_iter().find(|(line, _)| line.ends_with("requested_reviewers")).map(|(_, body)| body)
    };
    let review = |login: &str| json!({ "id": 1, "user": user(login), "state": "COMMENTED" });
    let both = r#"{"reviewers":["alice","bob"],"team_reviewers":["sec"]}"#;
    assert_eq!(asked(json!([])).as_deref(), Some(both));
    assert_eq!(asked(json!([review("olga"), review("ci[bot]")])).as_deref(), Some(both));
    assert_eq!(asked(json!([review("Bob")])).as_deref(), Some(r#"{"reviewers":["alice"],"team_reviewers":[]}"#));
    assert_eq!(asked(json!([review("alice"), review("bob")])), None);
    // Nobody is asked about a draft.
    let forge = forge(json!([]), &["portcullis: review"], json!([]));
    let mut draft = pull(&["portcullis: review"]);
    draft["draft"] = json!(true);
    forge.first(9, "GET", PULL, ResponseTemplate::new(200).set_body_json(draft));
    said(&forge, &message);
    assert_eq!(written(&forge), [format!("POST {MADE}")]);
}

#[test]
fn one_who_cannot_be_asked_does_not_spoil_it_for_others() {
    let named = owners(&["@alice", "@bob"]);
    let message = Message { reviewers: &named, ..message("review", When::Never) };
    let forge = forge(json!([]), &["portcullis: review"], json!([]));
    let refusal = json!({ "message": "Reviews may only be requested from collaborators." });
    forge.first(2, "POST", REQUESTED, ResponseTemplate::new(422).set_body_json(refusal));
    let lines = said(&forge, &message);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("alice: the request for a review: ") && lines[0].contains("collaborators"),
        "{lines:?}"
    );
    assert!(forge.written().last().unwrap().1.contains("[\"bob\"]"));
}

#[test]
fn a_token_that_may_only_read_gives_one_line() {
    let forge = reading(json!([]), &["portcullis: deny"], json!([]));
    let no =
        || ResponseTemplate::new(403).set_body_json(json!({ "message": "Resource not accessible by integration" }));
    for at in [COMMENTS, LABELED, MADE, REQUESTED] {
        forge.on("POST", at, no());
    }
    forge.on("DELETE", &format!("{LABELED}/portcullis%3A%20deny"), no());
    let named = owners(&["@alice"]);
    let message = Message { reviewers: &named, ..message("review", When::OnFindings) };
    assert_eq!(
        said(&forge, &message),
        [
            "the token lacks `checks: write` and `pull-requests: write` (403: Resource not accessible by integration), so \
          these are left out: \
          the comment, the check run, the label, the request for a review"
        ]
    );
    assert_eq!(written(&forge).len(), 5);
    // And where there is nothing to say, a token that may not even look is no news.
    let blind = Forge::new();
    for at in [PULL, COMMENTS, &runs()] {
        blind.on("GET", at, no());
    }
    assert_eq!(said(&blind, &self::message("allow", When::OnFindings)), [""; 0]);
}

#[test]
fn what_fails_does_not_stop_the_rest() {
    let forge = forge(json!([]), &[], json!([]));
    forge.first(99, "GET", COMMENTS, ResponseTemplate::new(200).set_body_raw("<html>", "text/html"));
    let lines = said(&forge, &message("deny", When::OnFindings));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(written(&forge), [format!("POST {MADE}"), format!("POST {LABELED}")]);
}

#[test]
fn a_forge_that_limits_the_rate_is_one_line() {
    let forge = forge(json!([]), &[], json!([]));
    let limit = ResponseTemplate::new(429).insert_header("retry-after", "900").set_body_json(json!({ "message": "x" }));
    forge.first(99, "GET", COMMENTS, limit);
    let lines = said(&forge, &message("deny", When::OnFindings));
    assert!(lines.len() == 1 && lines[0].contains("asks to wait 900 seconds"), "{lines:?}");
    assert_eq!(forge.requests().len(), 2);
}

#[test]
fn a_stale_run_says_nothing() {
    let forge = forge(json!([]), &[], json!([]));
    let target = Target { number: Some(1), sha: sha('2') };
    let lines = talk(&forge.client(), &target, &message("deny", When::Always));
    assert!(lines.len() == 1 && lines[0].contains("moved on"), "{lines:?}");
    assert_eq!(forge.requests().len(), 1);
}

#[test]
fn a_merge_group_has_a_check_run_alone() {
    let forge = forge(json!([]), &[], json!([]));
    let target = Target { number: None, sha: sha('1') };
    assert_eq!(talk(&forge.client(), &target, &message("deny", When::Always)), [""; 0]);
    assert_eq!(written(&forge), [format!("POST {MADE}")]);
}

#[test]
fn a_text_is_marked_and_fits() {
    assert!(text("hello").starts_with(MARKER));
    assert_eq!(text("<!-- portcullis:verdict -->\nx"), "<!-- portcullis:verdict -->\nx");
    let long = text(&"ü 1234\n".repeat(20_000));
    assert!(long.len() <= LONGEST && long.ends_with("… cut: the rest is in the JSON report\n"));
    assert_eq!(cut("aü", 2), "a");
    let timed = |ms: &str| normal(&format!("{MARKER}\nx\n<sub>a · b · {ms}</sub>\n"));
    assert_eq!(timed("9 ms"), timed("1234 ms"));
    assert_ne!(timed("9 ms"), timed("9 s"));
    let dated = |at: &str| normal(&format!("{MARKER}\n- Decided at `{at}`\n\nx\n"));
    assert_eq!(dated("2026-11-22T10:00:00Z"), dated("2026-11-23T07:37:21.395154837Z"));
}
