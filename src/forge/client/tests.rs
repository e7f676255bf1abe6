//! Faults of the forge and of what lies between. What GitHub answers when is from its documentation ("Rate limits for
//! the REST API", "Using pagination in the REST API", "Troubleshooting the REST API").

use std::time::{Duration, Instant};

use serde_json::json;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, ResponseTemplate};

use super::testing::{Forge, HASTY, TOKEN, sha};
use super::{Client, Kind, MOST_PAGES, Patience, escape, is_name, is_sha};

const REVIEWS: &str = "/repos/o/r/pulls/1/reviews";

fn json_answer(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "message": message }))
}

/// The kind and line of what the first question gets.
fn failure(forge: &Forge, patience: Patience) -> (Kind, String) {
    let failed = forge.client_with(patience).reviews(1).unwrap_err();
    assert!(!failed.line.contains(TOKEN) && !failed.line.contains('\n'), "{}", failed.line);
    assert!(!failed.line.contains("127.0.0.1"), "{}", failed.line);
    (failed.kind, failed.line)
}

#[test]
fn what_cannot_be_a_forge_is_refused_before_anything_is_sent() {
    for (url, token, repository, word) in [
        ("http://github.example", TOKEN, "o/r", "GITHUB_API_URL"),
        ("https://user:secret@github.example", TOKEN, "o/r", "GITHUB_API_URL"),
        ("https://github.example/?x=1", TOKEN, "o/r", "GITHUB_API_URL"),
        ("https://github.example", "", "o/r", "GITHUB_TOKEN"),
        ("https://github.example", "a\nb", "o/r", "GITHUB_TOKEN"),
        ("https://github.example", "a b", "o/r", "GITHUB_TOKEN"),
        ("https://github.example", TOKEN, "o", "GITHUB_REPOSITORY"),
        ("https://github.example", TOKEN, "../r", "GITHUB_REPOSITORY"),
        ("https://github.example", TOKEN, "o/r/x", "GITHUB_REPOSITORY"),
        ("https://github.example", TOKEN, "o/..", "GITHUB_REPOSITORY"),
    ] {
        let line = Client::new(url, token, repository, HASTY).err().unwrap();
        assert!(line.starts_with(word) && !line.contains("secret"), "{url} {repository}: {line}");
    }
    assert!(Client::new("https://github.example/api/v3", TOKEN, "o/r", HASTY).is_ok());
    // WHATWG URL: a scheme's own port and the case of a host are not written.
    assert_eq!(super::address("https://GitHub.example:443/api/v3/").as_deref(), Ok("https://github.example/api/v3"));
    assert_eq!(super::address("https://github.example").as_deref(), Ok("https://github.example"));
}

#[test]
fn a_request_names_version_and_token_once() {
    let forge = Forge::new();
    forge.get(REVIEWS, json!([]));
    forge.on("POST", "/repos/o/r/issues/1/comments", ResponseTemplate::new(201).set_body_json(json!({})));
    let client = forge.client();
    assert_eq!(client.reviews(1).unwrap(), []);
    client.comment(1, "text").unwrap();
    assert_eq!(forge.requests()[0].0, format!("GET {REVIEWS}?per_page=100"));
    assert_eq!(forge.requests()[1].1, r#"{"body":"text"}"#);
    for headers in forge.headers() {
        let all = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("authorization"), [format!("Bearer {TOKEN}")]);
        assert_eq!(all("user-agent"), [concat!("portcullis/", env!("CARGO_PKG_VERSION"))]);
        assert_eq!(all("x-github-api-version"), ["2022-11-28"]);
        assert_eq!(all("accept"), ["application/vnd.github+json, application/json;q=0.9"]);
        assert!(all("transfer-encoding").is_empty(), "a body of known length says its length");
    }
}

#[test]
fn an_enterprise_server_s_api_lies_below_a_path() {
    let forge = Forge::new();
    let link = format!("<{}/api/v3/repositories/9/pulls/1/reviews?per_page=100&page=2>; rel=\"next\"", forge.url());
    let page = |link: Option<&str>| {
        let answer = ResponseTemplate::new(200).set_body_json(json!([]));
        if let Some(link) = link { answer.insert_header("link", link) } else { answer }
    };
    let at = "/api/v3/repos/o/r/pulls/1/reviews";
    forge.first(1, "GET", at, page(Some(&link)));
    forge.on("GET", at, page(None));
    let client = Client::new(&format!("{}/api/v3/", forge.url()), TOKEN, "o/r", HASTY).unwrap();
    assert_eq!(client.reviews(1).unwrap(), []);
    let lines: Vec<_> = forge.requests().into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [format!("GET {at}?per_page=100"), format!("GET {at}?per_page=100&page=2")]);
}

#[test]
fn what_is_not_the_api_is_told_apart() {
    let forge = Forge::new();
    let html = "<html><title>Sign in</title></html>";
    forge.first(1, "GET", REVIEWS, ResponseTemplate::new(200).set_body_raw(html, "text/html"));
    forge.first(1, "GET", REVIEWS, ResponseTemplate::new(200).set_body_raw("{\"a\":1}", "application/json"));
    forge.first(1, "GET", REVIEWS, ResponseTemplate::new(200).set_body_raw(html, "application/json"));
    forge.on("GET", REVIEWS, ResponseTemplate::new(400).set_body_raw(html, "text/html"));
    let (kind, line) = failure(&forge, HASTY);
    assert_eq!(kind, Kind::NotJson);
    assert!(line.contains("is GITHUB_API_URL the API's address"), "{line}");
    for _ in 0..3 {
        assert_eq!(failure(&forge, HASTY).0, Kind::NotJson);
    }
    assert_eq!(forge.requests().len(), 4, "none of these is asked again");
}

#[test]
fn each_refusal_has_its_own_line() {
    let accepted = json_answer(403, "Resource not accessible by integration")
        .insert_header("x-accepted-github-permissions", "pull_requests=read; issues=read");
    let answers = [
        (json_answer(401, "Bad credentials"), Kind::Token, "GITHUB_TOKEN has expired"),
        (json_answer(403, "Resource not accessible by integration"), Kind::Forbidden, "lacks `pull-requests: read`"),
        (accepted, Kind::Forbidden, "lacks `pull-requests: read` or `issues: read`"),
        (json_answer(403, "x").insert_header("x-github-sso", "required; url=x"), Kind::Forbidden, "single sign-on"),
        (json_answer(404, "Not Found"), Kind::Missing, "not found (404), or the token lacks `pull-requests: read`"),
        (json_answer(410, "Gone"), Kind::Missing, "not found (410)"),
        (json_answer(422, "Validation\nFailed\u{1b}[31m"), Kind::Invalid, "Validation Failed"),
        (json_answer(451, "blocked"), Kind::Invalid, "blocked"),
    ];
    for (answer, kind, words) in answers {
        let forge = Forge::new();
        forge.on("GET", REVIEWS, answer);
        let (is, line) = failure(&forge, HASTY);
        assert_eq!(is, kind, "{line}");
        assert!(line.starts_with("the reviews of pull request 1: ") && line.contains(words), "{line}");
        assert_eq!(forge.requests().len(), 1, "{line}");
    }
}

#[test]
fn a_forge_in_trouble_is_asked_again() {
    let forge = Forge::new();
    forge.first(2, "GET", REVIEWS, ResponseTemplate::new(502).set_body_string("bad gateway"));
    forge.get(REVIEWS, json!([]));
    let client = forge.client();
    assert_eq!(client.reviews(1).unwrap(), []);
    assert_eq!((forge.requests().len(), client.asked()), (3, 3));

    let forge = Forge::new();
    forge.on("GET", REVIEWS, json_answer(503, "no"));
    let (kind, line) = failure(&forge, HASTY);
    assert_eq!((kind, forge.requests().len()), (Kind::Server, 4));
    assert!(line.ends_with("the forge is in trouble (503) (4 tries)"), "{line}");
}

#[test]
fn limits_are_waited_for_within_patience_and_then_reported() {
    // Each way in which GitHub says that there are too many requests, then an answer.
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let date = "Mon, 23 Nov 2026 06:00:00 GMT";
    let reset = jiff::fmt::rfc2822::parse(date).unwrap().timestamp().as_second() + 1;
    let waits = [
        (json_answer(403, secondary).insert_header("retry-after", "1"), 1.0),
        (json_answer(429, "Too many").insert_header("retry-after", "1"), 1.0),
        (
            json_answer(403, "x")
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", reset.to_string())
                .insert_header("date", date),
            1.0,
        ),
    ];
    for (answer, at_least) in waits {
        let forge = Forge::new();
        forge.first(1, "GET", REVIEWS, answer);
        forge.get(REVIEWS, json!([]));
        let started = Instant::now();
        assert_eq!(forge.client().reviews(1).unwrap(), []);
        assert!(started.elapsed() >= Duration::from_secs_f64(at_least));
        assert_eq!(forge.requests().len(), 2);
    }

    // Where no time is named it is a minute, which is longer than this patience.
    for answer in [json_answer(429, "Too many"), json_answer(403, secondary)] {
        let forge = Forge::new();
        forge.on("GET", REVIEWS, answer);
        let (kind, line) = failure(&forge, HASTY);
        assert!(kind == Kind::Limited && line.contains("asks to wait 60 seconds"), "{line}");
    }

    let forge = Forge::new();
    forge.on("GET", REVIEWS, json_answer(403, secondary).insert_header("retry-after", "3600"));
    let client = forge.client();
    let started = Instant::now();
    let line = client.reviews(1).unwrap_err().line;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(
        line.ends_with("limits the rate of requests (403); it asks to wait 3600 seconds, which is too long"),
        "{line}"
    );
    // The next question is not asked.
    let failed = client.pull(1).unwrap_err();
    assert_eq!(failed.kind, Kind::NotAsked);
    assert!(failed.line.starts_with("pull request 1: not asked, because earlier: "), "{}", failed.line);
    assert_eq!(forge.requests().len(), 1);
}

#[test]
fn all_waiting_together_is_bounded() {
    let forge = Forge::new();
    forge.on("GET", REVIEWS, json_answer(500, "no"));
    let patience = Patience { pause: Duration::from_millis(50), whole: Duration::from_millis(120), ..HASTY };
    let client = forge.client_with(patience);
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(client.reviews(1).unwrap_err().kind, Kind::Server);
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(forge.requests().len() < 10, "{}", forge.requests().len());
}

#[test]
fn a_forge_that_does_not_answer_is_given_up() {
    let forge = Forge::new();
    forge.first(1, "GET", REVIEWS, ResponseTemplate::new(200).set_delay(Duration::from_secs(5)));
    forge.get(REVIEWS, json!([]));
    assert_eq!(forge.client().reviews(1).unwrap(), []);

    let forge = Forge::new();
    forge.on("GET", REVIEWS, ResponseTemplate::new(200).set_delay(Duration::from_secs(5)));
    let patience = Patience { answer: Duration::from_millis(50), ..HASTY };
    let (kind, line) = failure(&forge, patience);
    assert_eq!(kind, Kind::Unreachable);
    assert!(line.contains("did not answer within 0.05 seconds"), "{line}");

    // Nobody listens there.
    let client = Client::new("http://127.0.0.1:1", TOKEN, "o/r", HASTY).unwrap();
    let failed = client.reviews(1).unwrap_err();
    assert_eq!(failed.kind, Kind::Unreachable);
    assert!(
        failed.line.contains("no connection to the forge") && !failed.line.contains("127.0.0.1:1/"),
        "{}",
        failed.line
    );
    assert!(client.pull(1).unwrap_err().line.contains("not asked"));
}

#[test]
fn a_redirect_is_followed_on_the_same_host_alone() {
    let forge = Forge::new();
    let other = Forge::new();
    let to = |status: u16, target: &str| ResponseTemplate::new(status).insert_header("location", target);
    // GitHub answers 301 for a repository that has been renamed.
    forge.first(1, "GET", REVIEWS, to(301, "/repositories/9/pulls/1/reviews"));
    forge.get("/repositories/9/pulls/1/reviews", json!([]));
    assert_eq!(forge.client().reviews(1).unwrap(), []);

    forge.on("GET", REVIEWS, to(302, &format!("{}/steal", other.url())));
    let (kind, line) = failure(&forge, HASTY);
    assert_eq!(kind, Kind::Elsewhere);
    assert!(line.contains("another host"), "{line}");
    assert!(other.requests().is_empty());

    let bare = forge.url().replace("http://", "http://user:password@");
    forge.on("GET", "/repos/o/r/pulls/6", to(302, &format!("{bare}/repos/o/r/pulls/5")));
    assert_eq!(forge.client().pull(6).unwrap_err().kind, Kind::Elsewhere);

    // A request that writes is not turned into one that reads.
    forge.on("POST", "/repos/o/r/issues/1/comments", to(301, "/repositories/9/issues/1/comments"));
    assert_eq!(forge.client().comment(1, "x").unwrap_err().kind, Kind::Elsewhere);
    forge.on("POST", "/repos/o/r/issues/2/comments", to(307, "/repositories/9/issues/2/comments"));
    forge.on("POST", "/repositories/9/issues/2/comments", ResponseTemplate::new(201).set_body_json(json!({})));
    forge.client().comment(2, "x").unwrap();
    assert_eq!(forge.written().last().unwrap().1, r#"{"body":"x"}"#);

    forge.on("GET", "/repos/o/r/pulls/7", to(301, "/repos/o/r/pulls/7"));
    assert!(forge.client().pull(7).unwrap_err().line.contains("too many redirects"));
}

#[test]
fn an_answer_over_the_cap_is_refused() {
    let forge = Forge::new();
    let large = format!("[\"{}\"]", "x".repeat(super::LARGEST));
    forge.on("GET", REVIEWS, ResponseTemplate::new(200).set_body_raw(large, "application/json"));
    let (kind, line) = failure(&forge, Patience { answer: Duration::from_secs(20), ..HASTY });
    assert_eq!(kind, Kind::TooLarge);
    assert!(line.contains("larger than 8 MiB"), "{line}");
    assert_eq!(forge.requests().len(), 1);
}

/// Answers one request with these bytes, and keeps the connection open for a while.
fn raw(head: &'static str, part: Vec<u8>, parts: usize) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(head.as_bytes());
        // The client hangs up before the end.
        let _ = (0..parts).try_for_each(|_| stream.write_all(&part));
        std::thread::sleep(Duration::from_secs(1));
    });
    url
}

#[test]
fn an_answer_is_cut_off_by_what_it_says_and_by_what_it_is() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let patient = Patience { answer: Duration::from_secs(20), ..HASTY };
    // It says a gigabyte and sends nothing: nothing is waited for.
    let said: &'static str = format!("{OK}content-length: 1073741824\r\n\r\n").leak();
    // It says nothing and sends ten times a mebibyte (RFC 9112, section 7.1).
    let chunked: &'static str = format!("{OK}transfer-encoding: chunked\r\n\r\n").leak();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for (head, part, parts) in [(said, Vec::new(), 0), (chunked, chunk, 10)] {
        let started = Instant::now();
        let client = Client::new(&raw(head, part, parts), TOKEN, "o/r", patient).unwrap();
        assert_eq!(client.reviews(1).unwrap_err().kind, Kind::TooLarge);
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
    // It ends in the middle.
    let broken: &'static str = format!("{OK}content-length: 10\r\n\r\n[").leak();
    let failed = Client::new(&raw(broken, Vec::new(), 0), TOKEN, "o/r", HASTY).unwrap().reviews(1).unwrap_err();
    assert_eq!(failed.kind, Kind::Unreachable, "{failed}");
}

fn review(id: u64) -> serde_json::Value {
    json!({ "id": id, "user": null, "state": "COMMENTED" })
}

/// Pages of one review each, every one with a next.
fn endless(forge: &Forge, at: &str) {
    let next = |page: u32| format!("<{}{at}?per_page=100&page={page}>; rel=\"next\"", forge.url());
    let answer = |page: u32| {
        ResponseTemplate::new(200).set_body_json(json!([review(u64::from(page))])).insert_header("link", next(page + 1))
    };
    forge.mount(Mock::given(method("GET")).and(path(at)).and(query_param_is_missing("page")).respond_with(answer(1)));
    for page in 2..=MOST_PAGES + 1 {
        let here = Mock::given(method("GET")).and(path(at)).and(query_param("page", page.to_string()));
        forge.mount(here.respond_with(answer(page)));
    }
}

#[test]
fn pages_are_read_to_the_end_or_not_at_all() {
    let forge = Forge::new();
    endless(&forge, REVIEWS);
    let (kind, line) = failure(&forge, HASTY);
    assert_eq!((kind, forge.requests().len()), (Kind::TooMany, 30));
    assert!(line.contains("too many, more than 3000: not read"), "{line}");

    let forge = Forge::new();
    let ids = |from: u64, to: u64| json!((from..to).map(review).collect::<Vec<_>>());
    let next = format!("<{}{REVIEWS}?page=2>; rel=\"next\"", forge.url());
    forge.first(
        1,
        "GET",
        REVIEWS,
        ResponseTemplate::new(200).set_body_json(ids(0, 100)).insert_header("link", next.as_str()),
    );
    // A full page whose `Link` got lost on the way is followed by another look.
    forge.first(1, "GET", REVIEWS, ResponseTemplate::new(200).set_body_json(ids(100, 200)));
    forge.get(REVIEWS, ids(200, 205));
    let reviews = forge.client().reviews(1).unwrap();
    assert!(reviews.iter().map(|review| review.id).eq(0..205));
    let lines: Vec<_> = forge.requests().into_iter().map(|(line, _)| line).collect();
    assert_eq!(
        lines[1..],
        [format!("GET {REVIEWS}?per_page=100&page=2"), format!("GET {REVIEWS}?per_page=100&page=3")]
    );
}

#[test]
fn a_list_that_goes_on_elsewhere_is_not_read() {
    let other = Forge::new();
    for target in [
        format!("{}{REVIEWS}?page=2", other.url()),
        "/repos/o/r/pulls/2/reviews?page=2".to_owned(),
        format!("{REVIEWS}?page=7"),
        format!("{REVIEWS}?page=x"),
        REVIEWS.to_owned(),
        "/user?page=2".to_owned(),
    ] {
        let forge = Forge::new();
        let link = format!("<{target}>; rel=\"next\"");
        let answer = ResponseTemplate::new(200).set_body_json(json!([review(1)])).insert_header("link", link.as_str());
        forge.on("GET", REVIEWS, answer);
        let (kind, line) = failure(&forge, HASTY);
        assert_eq!(kind, Kind::Elsewhere, "{target}: {line}");
        assert_eq!(forge.requests().len(), 1);
    }
    assert!(other.requests().is_empty());
}

#[test]
fn a_cursor_is_taken_on() {
    let forge = Forge::new();
    let at = "/repos/f/k/activity";
    let next = format!("<{}{at}?per_page=100&after=a%2Fb%3D>; rel=\"next\"", forge.url());
    forge.first(1, "GET", at, ResponseTemplate::new(200).set_body_json(json!([])).insert_header("link", next.as_str()));
    let moved = |reference: &str| json!({ "before": sha('0'), "after": sha('1'), "ref": reference, "actor": null });
    forge.get(at, json!([moved("refs/heads/other"), moved("refs/heads/a b/ü")]));
    let record = forge.client().activity("f/k", "a b/ü").unwrap();
    assert_eq!(record.iter().map(|one| one.reference.as_str()).collect::<Vec<_>>(), ["refs/heads/a b/ü"]);
    let lines: Vec<_> = forge.requests().into_iter().map(|(line, _)| line).collect();
    let first = format!("GET {at}?ref=refs%2Fheads%2Fa%20b%2F%C3%BC&per_page=100");
    assert_eq!(lines, [first.clone(), format!("{first}&after=a%2Fb%3D")]);
}

#[test]
fn a_team_s_members_are_listed_where_it_is_seen() {
    let forge = Forge::new();
    forge.get("/orgs/o/teams/t/members", json!([{ "login": "alice", "type": "User" }, { "login": "bob" }]));
    let client = forge.client();
    assert_eq!(client.members("o", "t").unwrap(), ["alice", "bob"]);
    assert_eq!(client.members("o", "hidden").unwrap_err().kind, Kind::Missing);
    assert_eq!(client.members("o", "../x").unwrap_err().kind, Kind::Invalid);
}

#[test]
fn names_and_ids_that_would_bend_an_address_are_none() {
    // GitHub's names: letters, digits, hyphens, for repositories and teams `_` and `.` as well.
    for good in ["octocat", "a-b_c.d", "github-actions[bot]", "..a"] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2f", "ä", "a b", "[bot]", &"a".repeat(101)] {
        assert!(!is_name(bad), "{bad}");
    }
    assert!(is_sha(&sha('a')) && !is_sha("abc") && !is_sha(&sha('A')));
    let forge = Forge::new();
    assert_eq!(forge.client().tree("main").unwrap_err().kind, Kind::Invalid);
    assert!(forge.requests().is_empty());
    // RFC 3986, section 2.3.
    assert_eq!(escape("aZ9-._~/?#&=+ %"), "aZ9-._~%2F%3F%23%26%3D%2B%20%25");
}
