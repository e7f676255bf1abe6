//! Every request against GitHub's own API description, served by a validating server that nobody here wrote: the npm
//! packages `@octokit/openapi` and `@stoplight/prism-cli`. It refuses a request that the description does not allow with
//! 422 and one that it does not know with 404, and answers others with the description's examples.
//!
//! Runs where `PORTCULLIS_PRISM` names the server (`http://127.0.0.1:PORT`), and says so where it does not.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::testing::{TOKEN, sha};
use super::{CheckRun, Client, Failed, Kind, Patience};

#[test]
fn every_request_is_one_that_github_s_description_allows() {
    let Some(server) = std::env::var_os("PORTCULLIS_PRISM") else {
        eprintln!("skipped: PORTCULLIS_PRISM names no server for GitHub's API description");
        return;
    };
    let patience = Patience { answer: Duration::from_secs(30), tries: 1, ..Patience::default() };
    let client = Client::new(server.to_str().unwrap(), TOKEN, "octocat/hello-world", patience).unwrap();

    // The server does refuse.
    let refused = client.done(&client.get("/pulls/x".to_owned(), "x".to_owned(), "x")).unwrap_err();
    assert_eq!(refused.kind, Kind::Invalid, "{refused}");
    let unknown = client.done(&client.get("/no/such/thing".to_owned(), "x".to_owned(), "x")).unwrap_err();
    assert_eq!(unknown.kind, Kind::Missing, "{unknown}");
    let body = Some(json!({ "name": "x" }));
    let lacking = client.done(&client.write(Method::POST, "/check-runs".to_owned(), body, "x", "x")).unwrap_err();
    assert_eq!(lacking.kind, Kind::Invalid, "{lacking}");

    reads(&client);
    writes(&client);
}

fn reads(client: &Client) {
    fine("pull", client.pull(1));
    fine("reviews", client.reviews(1));
    fine("retargeted", client.retargeted(1));
    fine("file", client.file(&sha('a'), ".portcullis/ledger.toml").map_err(|failed| failed.clone()));
    fine("commits", client.commits(1));
    fine("compare", client.compare(&sha('a'), &sha('b')));
    fine("activity", client.activity("fork/hello-world", "feature/a b"));
    fine("members", client.members("octo-org", "security"));
    fine("pull_bytes", client.pull_bytes(1));
    fine("tree", client.tree(&sha('a')));
    fine("dependency_changes", client.dependency_changes(&sha('a'), &sha('b')));
    fine("queue", client.queue("release/1.x"));
    fine("pulls_of", client.pulls_of(&sha('a')));
    fine("pulls_from", client.pulls_from("fork", "feature/a b"));
    fine("own_login", client.own_login());
    fine("comments", client.comments(1));
    fine("check_runs", client.check_runs(&sha('a'), "portcullis"));
}

fn writes(client: &Client) {
    fine("comment", client.comment(1, "text"));
    fine("change_comment", client.change_comment(1, "text"));
    let delete = |path: &str| client.done(&client.write(Method::DELETE, path.to_owned(), None, "x", "x"));
    // The methods take 404 for removed, so that the requests are made by hand here.
    fine("remove_comment", client.remove_comment(1).and(delete("/issues/comments/1")));
    fine(
        "remove_label",
        client.remove_label(1, "portcullis: deny").and(delete("/issues/1/labels/portcullis%3A%20deny")),
    );
    fine("add_label", client.add_label(1, "portcullis: review"));
    fine("request_reviews", client.request_reviews(1, &["octocat"], &["justice-league"]));
    let annotation = json!({ "path": "Cargo.lock", "start_line": 1, "end_line": 2, "annotation_level": "failure",
                             "title": "title", "message": "message" });
    let output = json!({ "title": "title", "summary": "summary", "annotations": [annotation] });
    for conclusion in ["success", "action_required", "failure"] {
        let run =
            CheckRun { name: "portcullis", head_sha: &sha('a'), conclusion, external_id: "id", output: output.clone() };
        fine("check_run", client.check_run(&run));
    }
    fine("annotate", client.annotate(1, &output));
}

/// Answered; where the example's `Link` names an address that is none of this server's, the request was a good one.
fn fine<T>(name: &str, result: Result<T, Failed>) {
    match result {
        Err(failed) if failed.kind != Kind::Elsewhere => panic!("{name}: {failed}"),
        _ => {}
    }
}
