//! Payloads written after the documentation ("Webhook events and payloads"), with only the members that are read; every
//! plan is worked out by hand from the table at the head of `plan.rs` and "Events that trigger workflows".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccccccccccc";
const ZERO: &str = "0000000000000000000000000000000000000000";

fn parse(name: &str, payload: &Value) -> Result<Event, BadEvent> {
    Event::parse(name, payload.to_string().as_bytes())
}

fn why(name: &str, payload: &Value) -> String {
    parse(name, payload).unwrap_err().to_string()
}

fn person(login: &str) -> Value {
    json!({"login": login, "type": "User", "id": 1})
}

fn pull_payload() -> Value {
    json!({
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "number": 7,
            "user": person("mallory"),
            "draft": false,
            "merged": false,
            "merge_commit_sha": null,
            "base": {"ref": "main", "sha": A, "repo": {"id": 9, "full_name": "acme/shop", "fork": false}},
            "head": {"ref": "new", "sha": B, "repo": {"id": 10, "full_name": "mallory/shop", "fork": true}},
        },
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "sender": person("eve"),
    })
}

fn push_payload(reference: &str, before: &str, after: &str, is_forced: bool) -> Value {
    json!({
        "ref": reference, "before": before, "after": after, "forced": is_forced, "base_ref": null,
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
        "pusher": {"name": "alice", "email": "alice@example.com"},
        "sender": person("alice"),
    })
}

fn run_payload(of: &str, pulls: Value) -> Value {
    json!({
        "action": "completed",
        "workflow_run": {
            "event": of, "head_branch": "new", "head_sha": B, "pull_requests": pulls,
            "head_repository": {"full_name": "mallory/shop"},
            "actor": person("mallory"), "triggering_actor": person("eve"),
        },
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "sender": person("eve"),
    })
}

fn with(mut payload: Value, pointer: &str, value: Value) -> Value {
    *payload.pointer_mut(pointer).unwrap() = value;
    payload
}

fn without(mut payload: Value, folder: &str, member: &str) -> Value {
    payload.pointer_mut(folder).unwrap().as_object_mut().unwrap().remove(member).unwrap();
    payload
}

fn pull_of(payload: &Value) -> Pull {
    match parse("pull_request", payload).unwrap() {
        Event::Pull(pull) => pull,
        other => panic!("{other:?}"),
    }
}

fn judged(name: &str, payload: &Value, runner: &Runner) -> Plan {
    match parse(name, payload).unwrap().plan(runner).unwrap() {
        Planned::Judge(plan) => plan,
        Planned::Nothing(why) => panic!("{why}"),
    }
}

fn runner(sha: &str, reference: &str, base: &str) -> Runner {
    let pairs = [("GITHUB_SHA", sha), ("GITHUB_REF", reference), ("GITHUB_BASE_REF", base), ("GITHUB_HEAD_REF", "x")];
    Runner::of(&BTreeMap::from(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))))
}

#[test]
fn a_pull_request_from_a_fork() {
    let place = |name: &str, sha: &str, repository: &str| Place {
        name: name.to_owned(),
        sha: sha.to_owned(),
        repository: Some(repository.to_owned()),
    };
    let login = |name: &str| Login { name: name.to_owned(), is_bot: false };
    let expected = Pull {
        number: 7,
        base: place("main", A, "acme/shop"),
        head: place("new", B, "mallory/shop"),
        author: login("mallory"),
        sender: login("eve"),
        is_fork: true,
        is_draft: false,
        merged: None,
        default_branch: None,
        trigger: Trigger::PullRequest,
        action: "synchronize".to_owned(),
    };
    assert_eq!(pull_of(&pull_payload()), expected);
    for (name, trigger) in [("pull_request_target", Trigger::Target), ("pull_request_review", Trigger::Review)] {
        assert_eq!(parse(name, &pull_payload()).unwrap(), Event::Pull(Pull { trigger, ..expected.clone() }));
    }
}

#[test]
fn a_fork_is_another_repository_and_not_a_flag() {
    let head = "/pull_request/head/repo";
    // A branch of a repository that is itself a fork.
    let same = with(pull_payload(), head, json!({"full_name": "Acme/shop", "fork": true}));
    assert!(!pull_of(&same).is_fork);
    let gone = pull_of(&with(pull_payload(), head, Value::Null));
    assert!(gone.is_fork && gone.head.repository.is_none());
    let base = with(pull_payload(), "/pull_request/base/repo", Value::Null);
    assert_eq!(why("pull_request", &base), "event pull_request: pull_request.base.repo is null");
}

#[test]
fn only_people_are_people() {
    let author = |user: Value| pull_of(&with(pull_payload(), "/pull_request/user", user)).author;
    let bot = |name: &str| Login { name: name.to_owned(), is_bot: true };
    assert_eq!(author(json!({"login": "dependabot[bot]", "type": "Bot"})), bot("dependabot[bot]"));
    assert_eq!(author(json!({"login": "Copilot", "type": "Bot"})), bot("Copilot"));
    assert_eq!(author(json!({"login": "x[bot]", "type": "User"})), bot("x[bot]"));
    assert_eq!(author(json!({"login": "acme", "type": "Organization"})), bot("acme"));
    assert_eq!(author(Value::Null), bot("ghost"));
    let typeless = with(pull_payload(), "/pull_request/user", json!({"login": "a"}));
    assert_eq!(why("pull_request", &typeless), "event pull_request: pull_request.user.type is missing");
}

#[test]
fn what_is_missing_or_mistyped_is_named_with_its_place() {
    let cases = [
        (without(pull_payload(), "/pull_request/base", "sha"), "pull_request.base.sha is missing"),
        (without(pull_payload(), "", "pull_request"), "pull_request is missing"),
        (without(pull_payload(), "", "sender"), "sender is missing"),
        (without(pull_payload(), "", "action"), "action is missing"),
        (without(pull_payload(), "/pull_request", "user"), "pull_request.user is missing"),
        (without(pull_payload(), "/pull_request/head", "repo"), "pull_request.head.repo is missing"),
        (with(pull_payload(), "/pull_request/number", json!("7")), "pull_request.number is a text, not a number"),
        (with(pull_payload(), "/pull_request/number", json!(-7)), "pull_request.number is not a whole number from 0"),
        (with(pull_payload(), "/pull_request/number", json!(0)), "pull_request.number is 0, not a number from 1"),
        (with(pull_payload(), "/pull_request/draft", json!(1)), "pull_request.draft is a number, not true or false"),
        (with(pull_payload(), "/pull_request/base", json!([])), "pull_request.base is a list, not an object"),
        (
            with(pull_payload(), "/pull_request/merged", json!(true)),
            "pull_request.merge_commit_sha is null, not a text",
        ),
        (json!([]), "the payload is a list, not an object"),
        (
            with(pull_payload(), "/pull_request/head/sha", json!("b0b")),
            "pull_request.head.sha is \"b0b\", not a full commit id in lower case",
        ),
        (
            with(pull_payload(), "/pull_request/head/ref", json!("--upload-pack=x")),
            "pull_request.head.ref is \"--upload-pack=x\", not the name of a branch",
        ),
        (
            with(pull_payload(), "/pull_request/head/repo/full_name", json!("a/../b")),
            "pull_request.head.repo.full_name is \"a/../b\", not the name of a repository",
        ),
        (
            with(pull_payload(), "/sender/login", json!("a\u{1b}[31m\n::error::")),
            "sender.login is \"a\\u{1b}[31m\\n::error::\", not a login",
        ),
    ];
    for (payload, expected) in cases {
        assert_eq!(why("pull_request", &payload), format!("event pull_request: {expected}"));
    }
}

#[test]
fn what_is_no_payload_is_refused() {
    let text = |payload: &[u8]| Event::parse("push", payload).unwrap_err().to_string();
    assert_eq!(text(b""), "event push: the payload cannot be read: EOF while parsing a value at line 1 column 0");
    assert!(text(b"<html>").starts_with("event push: the payload cannot be read: expected value"));
    assert!(text(b"{}{}").starts_with("event push: the payload cannot be read: trailing characters"));
    assert!(text(b"{\"ref\": \"\xff\"}").starts_with("event push: the payload cannot be read: "));
    let big = vec![b' '; MAX_PAYLOAD + 1];
    assert_eq!(text(&big), "event push: the payload has 26214401 bytes, more than the 26214400 that are read");
    // Nested without end: where it is kept serde_json stops at 128 levels, and elsewhere no stack is taken.
    let deep = |name: &str| format!("{{\"{name}\":{}", "[".repeat(1_000_000));
    assert!(text(deep("repository").as_bytes()).contains("recursion limit"));
    assert!(text(deep("commits").as_bytes()).contains("EOF"));
    let many = format!("{{\"pull_requests\":[{}{{}}]}}", "{},".repeat(10_000));
    assert!(text(many.as_bytes()).contains("more than 10000 values that matter"));
    let passed = format!("{{\"x\":{}{},", "[".repeat(200_000), "]".repeat(200_000));
    let payload = push_payload("refs/heads/main", A, B, false).to_string().replacen('{', &passed, 1);
    assert!(Event::parse("push", payload.as_bytes()).is_ok());
}

#[test]
fn a_member_that_is_there_twice_is_refused() {
    let twice = |from: &str, to: &str| {
        let payload = push_payload("refs/heads/main", A, B, false).to_string();
        assert!(payload.contains(from));
        Event::parse("push", payload.replacen(from, to, 1).as_bytes())
    };
    let after = format!("\"after\":\"{B}\"");
    for second in [format!("{after},\"after\":\"{ZERO}\""), format!("{after},\"\\u0061fter\":\"{C}\"")] {
        let text = twice(&after, &second).unwrap_err().to_string();
        assert!(text.starts_with("event push: the payload cannot be read: the member after is there twice"), "{text}");
    }
    // What nothing reads may be there as often as it likes.
    assert!(twice(&after, &format!("{after},\"x\":1,\"x\":2")).is_ok());
}

#[test]
fn other_events_are_refused_by_name() {
    let text = |name: &str| Event::parse(name, b"not read").unwrap_err();
    assert!(text("issues").to_string().starts_with("event issues is not one that is judged: use pull_request, "));
    assert!(text("issues").is_usage());
    assert!(text("a\nb").to_string().starts_with("event a\\nb is not"));
    assert!(!parse("push", &json!({})).unwrap_err().is_usage());
}

#[test]
fn a_pull_request_is_judged_as_its_test_merge() {
    let expected = Plan {
        head: C.to_owned(),
        base: PlannedBase::MergeBase,
        protected: Some("main".to_owned()),
        governing: Governing::Tip,
        must: vec![Must {
            held: Held::SecondParent(B.to_owned()),
            otherwise: format!(
                "GitHub's test merge of pull request 7 is not of its head {B}: it has another head by now, or \
                 conflicts with main; run again"
            ),
        }],
        fetch: vec!["+refs/heads/main:refs/remotes/origin/main".to_owned(), C.to_owned()],
        note: None,
    };
    assert_eq!(judged("pull_request", &pull_payload(), &runner(C, "refs/pull/7/merge", "main")), expected);
    assert_eq!(judged("pull_request_review", &pull_payload(), &runner(C, "refs/pull/7/merge", "main")), expected);
    let fetched = Plan {
        head: "refs/remotes/pull/7/merge".to_owned(),
        fetch: vec![
            "+refs/heads/main:refs/remotes/origin/main".to_owned(),
            "+refs/pull/7/merge:refs/remotes/pull/7/merge".to_owned(),
        ],
        ..expected
    };
    let elsewhere = [runner(C, "refs/heads/main", "main"), runner(C, "refs/pull/77/merge", ""), Runner::default()];
    for elsewhere in elsewhere {
        assert_eq!(judged("pull_request_target", &pull_payload(), &elsewhere), fetched);
    }
}

#[test]
fn a_pull_request_to_another_branch_says_whose_policy_decides() {
    let repo = |default: &str| json!({"id": 9, "full_name": "acme/shop", "default_branch": default});
    let note = |default: &str| {
        let payload = with(pull_payload(), "/pull_request/base/repo", repo(default));
        judged("pull_request_target", &payload, &Runner::default()).note
    };
    assert_eq!(note("main"), None);
    let expected = "goes to main, whose policy decides, and not to the default branch trunk";
    assert_eq!(note("trunk").as_deref(), Some(expected));
}

#[test]
fn payload_and_runner_must_agree() {
    let plan = |name: &str, payload: &Value, runner: &Runner| {
        parse(name, payload).unwrap().plan(runner).unwrap_err().to_string()
    };
    assert_eq!(
        plan("pull_request_target", &pull_payload(), &runner(C, "refs/heads/main", "junk")),
        "event pull_request_target: GITHUB_BASE_REF is junk, but the payload's base is main"
    );
    assert_eq!(
        plan("pull_request", &pull_payload(), &runner("HEAD", "refs/pull/7/merge", "main")),
        "event pull_request: GITHUB_SHA is HEAD, not a full commit id in lower case"
    );
    assert_eq!(
        plan("push", &push_payload("refs/heads/main", A, B, false), &runner(B, "refs/heads/x\n", "")),
        "event push: GITHUB_REF is refs/heads/x\\n, but refs/heads/main was pushed"
    );
    assert_eq!(
        plan("schedule", &json!({"schedule": "0 0 * * *"}), &runner(B, "refs/tags/x", "")),
        "event schedule: GITHUB_REF is refs/tags/x, not the full name of a branch"
    );
}

/// A closed pull request that was not merged is judged as any other: a job that passes on it would leave its green
/// check on the head, which is there when the pull request is opened again.
#[test]
fn a_closed_pull_request_is_judged() {
    let closed = with(pull_payload(), "/action", json!("closed"));
    let plan = judged("pull_request", &closed, &runner(C, "refs/pull/7/merge", "main"));
    assert_eq!((plan.head.as_str(), plan.governing), (C, Governing::Tip));
    let merged = with(with(closed, "/pull_request/merged", json!(true)), "/pull_request/merge_commit_sha", json!(C));
    let plan = judged("pull_request", &merged, &runner(C, "refs/heads/main", "main"));
    assert_eq!(plan.head, C);
    assert_eq!(plan.base, PlannedBase::Commit(A.to_owned()));
    assert_eq!(plan.governing, Governing::Commit(A.to_owned()));
    assert_eq!(plan.must.first().unwrap().held, Held::Ancestor(A.to_owned()));
    assert_eq!(plan.note.as_deref(), Some("pull request 7 is merged: judged as it stands on main"));
}

#[test]
fn a_merge_group_is_judged_whole_against_the_protected_tip() {
    let payload = json!({
        "action": "checks_requested",
        "merge_group": {
            "head_sha": B, "head_ref": format!("refs/heads/gh-readonly-queue/release/1/pr-7-{A}"),
            "base_sha": A, "base_ref": "refs/heads/release/1",
        },
        "repository": {"full_name": "acme/shop"},
    });
    let plan = judged("merge_group", &payload, &runner(B, "refs/heads/gh-readonly-queue/release/1/pr-7", ""));
    let expected = Plan {
        head: B.to_owned(),
        base: PlannedBase::MergeBase,
        protected: Some("release/1".to_owned()),
        governing: Governing::Tip,
        must: vec![Must {
            held: Held::Ancestor(A.to_owned()),
            otherwise: format!("the merge group {B} does not hold {A}, which it was made on"),
        }],
        fetch: vec!["+refs/heads/release/1:refs/remotes/origin/release/1".to_owned(), B.to_owned()],
        note: None,
    };
    assert_eq!(plan, expected);
    let bad = |pointer: &str, value: &str| why("merge_group", &with(payload.clone(), pointer, json!(value)));
    let base = bad("/merge_group/base_ref", "main");
    assert_eq!(base, "event merge_group: merge_group.base_ref is \"main\", not the full name of a branch");
    let head = bad("/merge_group/head_ref", "refs/heads/mine");
    assert_eq!(head, "event merge_group: merge_group.head_ref is no branch of a merge queue");
    let zero = bad("/merge_group/base_sha", ZERO);
    assert!(zero.ends_with("not a full commit id in lower case"), "{zero}");
}

#[test]
fn a_push_to_the_default_branch_is_governed_by_what_stood_there() {
    let at = runner(B, "refs/heads/main", "");
    let plan = judged("push", &push_payload("refs/heads/main", A, B, false), &at);
    let expected = Plan {
        head: B.to_owned(),
        base: PlannedBase::Commit(A.to_owned()),
        protected: Some("main".to_owned()),
        governing: Governing::Commit(A.to_owned()),
        must: Vec::new(),
        fetch: vec!["+refs/heads/main:refs/remotes/origin/main".to_owned(), B.to_owned(), A.to_owned()],
        note: None,
    };
    assert_eq!(plan, expected);
    let note = Some("a force push: compared with what stood on main".to_owned());
    let forced = judged("push", &push_payload("refs/heads/main", A, B, true), &at);
    assert_eq!(forced, Plan { note, ..expected.clone() });
    let first = judged("push", &push_payload("refs/heads/main", ZERO, B, false), &at);
    let base = PlannedBase::Empty("the first push to main: judged against the empty tree".to_owned());
    let fetch = vec!["+refs/heads/main:refs/remotes/origin/main".to_owned(), B.to_owned()];
    assert_eq!(first, Plan { base, governing: Governing::Defaults, fetch, ..expected });
}

#[test]
fn a_push_elsewhere_is_judged_against_the_default_branch() {
    let expected = Plan {
        head: B.to_owned(),
        base: PlannedBase::MergeBase,
        protected: Some("main".to_owned()),
        governing: Governing::Tip,
        must: Vec::new(),
        fetch: vec!["+refs/heads/main:refs/remotes/origin/main".to_owned(), B.to_owned()],
        note: None,
    };
    // A tag or a branch with the default branch in its name is not it.
    for reference in ["refs/heads/new", "refs/heads/refs/heads/main", "refs/tags/v1", "refs/tags/main"] {
        for (before, is_forced) in [(A, false), (A, true), (ZERO, false)] {
            let plan = judged("push", &push_payload(reference, before, B, is_forced), &runner(B, reference, ""));
            assert_eq!(plan, expected, "{reference}");
        }
    }
}

#[test]
fn a_deletion_is_nothing_to_judge() {
    for reference in ["refs/heads/main", "refs/heads/new", "refs/tags/v1"] {
        // The runner is on the default branch then.
        let event = parse("push", &push_payload(reference, A, ZERO, false)).unwrap();
        let planned = event.plan(&runner(B, "refs/heads/main", "")).unwrap();
        assert_eq!(planned, Planned::Nothing(format!("{reference} was deleted: nothing to judge")));
    }
    let neither = why("push", &push_payload("refs/heads/main", ZERO, ZERO, false));
    assert_eq!(neither, "event push: after is the id of nothing, and so is before");
    let note = why("push", &push_payload("refs/notes/x", A, B, false));
    assert_eq!(note, "event push: ref is \"refs/notes/x\", not the full name of a branch or tag");
    let deploy_key = with(push_payload("refs/heads/main", A, B, false), "/sender", Value::Null);
    assert!(matches!(parse("push", &deploy_key), Ok(Event::Push(Push { pusher: None, .. }))));
}

#[test]
fn a_run_for_a_fork_has_to_be_resolved() {
    let Event::Run(run) = parse("workflow_run", &run_payload("pull_request", json!([]))).unwrap() else { panic!() };
    assert_eq!((run.head.name.as_str(), run.head.sha.as_str(), run.actor.name.as_str()), ("new", B, "eve"));
    assert_eq!(run.head.repository.as_deref(), Some("mallory/shop"));
    let unresolved = run.plan().unwrap_err();
    assert!(!unresolved.is_usage());
    assert_eq!(
        unresolved.to_string(),
        "event workflow_run: the payload does not name the pull request (it never does for forks): --forge asks for it"
    );
    // The forge answers with what a payload has below pull_request.
    let answer = pull_payload().get("pull_request").unwrap().clone();
    let pull = run.resolve(answer.to_string().as_bytes()).unwrap();
    assert_eq!((pull.number, pull.trigger, pull.author.name.as_str()), (7, Trigger::WorkflowRun, "mallory"));
    assert_eq!(pull.plan(&runner(A, "refs/heads/main", "")).unwrap().head, "refs/remotes/pull/7/merge");
    let refuse = |answer: Value| run.resolve(answer.to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(
        refuse(with(answer.clone(), "/head/sha", json!(C))),
        "event workflow_run: pull request 7 has another head by now: run again"
    );
    assert_eq!(
        refuse(with(answer.clone(), "/base/repo/full_name", json!("mallory/junk"))),
        "event workflow_run: pull request 7 goes to another repository"
    );
    assert_eq!(refuse(without(answer, "", "base")), "event workflow_run: base is missing");
}

#[test]
fn a_run_for_a_branch_of_the_repository_names_its_pull_request() {
    let entry = |number: u64, id: u64, sha: &str, base: &str| {
        json!({
            "number": number,
            "base": {"ref": base, "sha": A, "repo": {"id": id, "name": "shop"}},
            "head": {"ref": "new", "sha": sha, "repo": {"id": 9, "name": "shop"}},
        })
    };
    let run = |pulls: Value| parse("workflow_run", &run_payload("pull_request", pulls)).unwrap();
    // One goes to another repository, and one has moved on.
    let pulls = json!([entry(5, 8, B, "main"), entry(6, 9, C, "main"), entry(7, 9, B, "release")]);
    let Planned::Judge(plan) = run(pulls).plan(&Runner::default()).unwrap() else { panic!() };
    assert_eq!(plan.head, "refs/remotes/pull/7/merge");
    assert_eq!(plan.protected.as_deref(), Some("release"));
    assert_eq!(plan.must.first().unwrap().held, Held::SecondParent(B.to_owned()));
    // Two targets for one head: whose author could choose the one with the weaker policy.
    let two = run(json!([entry(7, 9, B, "main"), entry(8, 9, B, "junk")])).plan(&Runner::default()).unwrap_err();
    let expected = format!("event workflow_run: 2 pull requests have the head {B}: use pull_request_target");
    assert_eq!(two.to_string(), expected);
}

#[test]
fn a_run_for_anything_else_is_what_stands_there() {
    let plan = judged("workflow_run", &run_payload("push", json!([])), &runner(A, "refs/heads/main", ""));
    assert_eq!((plan.head.as_str(), plan.protected.as_deref()), (B, Some("main")));
    assert_eq!((plan.base, plan.governing), (PlannedBase::MergeBase, Governing::Tip));
    assert_eq!(plan.fetch, ["+refs/heads/main:refs/remotes/origin/main", B]);
}

/// A scheduled run's payload had nothing but its schedule until September 2022, and has it on older servers.
#[test]
fn schedules_and_dispatches_bring_no_change() {
    let on_main = runner(A, "refs/heads/trunk", "");
    let plan = judged("schedule", &json!({"schedule": "0 0 * * *"}), &on_main);
    assert_eq!((plan.head.as_str(), plan.protected.as_deref()), ("HEAD", Some("trunk")));
    let note = "event schedule brings no change; portcullis audit judges all that stands";
    assert_eq!(plan.note.as_deref(), Some(note));
    assert_eq!(judged("schedule", &json!({"schedule": "0 0 * * *"}), &Runner::default()).protected, None);
    let repository = json!({"full_name": "acme/shop", "default_branch": "main"});
    let full = json!({"schedule": "0 0 * * *", "repository": repository});
    assert_eq!(judged("schedule", &full, &on_main).protected.as_deref(), Some("main"));
    // Whoever may start a run names the branch it runs on, which is not the one that governs.
    let dispatch = json!({"ref": "refs/heads/mine", "inputs": null, "repository": repository});
    assert_eq!(judged("workflow_dispatch", &dispatch, &on_main).protected.as_deref(), Some("main"));
    let Event::Standing(standing) = parse("workflow_dispatch", &dispatch).unwrap() else { panic!() };
    assert_eq!(standing.reference.as_deref(), Some("refs/heads/mine"));
    let bare = json!({"ref": "refs/heads/mine"});
    assert_eq!(judged("workflow_dispatch", &bare, &on_main).protected, None);
}

#[test]
fn empty_variables_are_absent() {
    assert_eq!(runner("", "", ""), Runner::default());
    assert_eq!(Runner::of(&BTreeMap::new()), Runner::default());
}
