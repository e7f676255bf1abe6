//! From an event to who approved, through a forge that answers as GitHub's API description says. What is expected is
//! worked out by hand from the product's words (see the tests of `reviews`).

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::*;
use crate::forge::client::testing::{Forge, sha, user};
use crate::forge::event::Login;

fn named(names: &[&str]) -> Reviewers {
    Reviewers { owners: names.iter().map(|name| Owner::parse(name).unwrap()).collect(), remarks: Vec::new() }
}

fn place(name: &str, digit: char, repository: &str) -> Place {
    Place { name: name.to_owned(), sha: sha(digit), repository: Some(repository.to_owned()) }
}

fn event(head: char, action: &str, sender: &str) -> Event {
    let login = |name: &str| Login { name: name.to_owned(), is_bot: false };
    Event::Pull(Pull {
        number: 1,
        base: place("main", '9', "o/r"),
        head: place("fix", head, "f/r"),
        author: login("olga"),
        sender: login(sender),
        is_fork: true,
        is_draft: false,
        merged: None,
        default_branch: Some("main".to_owned()),
        trigger: Trigger::Target,
        action: action.to_owned(),
    })
}

fn relevant(path: &str) -> bool {
    path == "Cargo.lock"
}

fn of_gate(path: &str) -> bool {
    path == "gate.yml"
}

const MATTERS: Matters<'static> = Matters { relevant: &relevant, of_gate: &of_gate, ledger: "ledger.toml" };

fn pull(number: u64, head: char, commits: u64) -> Value {
    json!({
        "number": number, "state": "open", "user": user("olga"), "commits": commits,
        "head": { "ref": "fix", "sha": sha(head), "repo": { "full_name": "f/r" } },
        "base": { "ref": "main", "sha": sha('9'), "repo": { "full_name": "o/r" } },
    })
}

fn review(id: u64, login: &str, state: &str, commit: char) -> Value {
    let time = format!("2026-11-22T10:00:{id:02}Z");
    json!({ "id": id, "user": user(login), "state": state, "commit_id": sha(commit), "submitted_at": time })
}

fn commit(digit: char, parents: &[char], message: &str) -> Value {
    let parents: Vec<_> = parents.iter().map(|digit| json!({ "sha": sha(*digit) })).collect();
    json!({ "sha": sha(digit), "author": user("olga"), "committer": user("web-flow"), "parents": parents,
            "commit": { "message": message } })
}

fn moved(kind: &str, before: char, after: char, who: &str) -> Value {
    json!({ "before": sha(before), "after": sha(after), "ref": "refs/heads/fix", "activity_type": kind, "actor": user(who) })
}

fn lock(digit: char, truncated: bool) -> Value {
    let entry = json!({ "path": "Cargo.lock", "mode": "100644", "type": "blob", "sha": sha(digit) });
    json!({ "tree": [entry], "truncated": truncated })
}

const PULL: &str = "/repos/o/r/pulls/1";
const REVIEWS: &str = "/repos/o/r/pulls/1/reviews";
const COMMITS: &str = "/repos/o/r/pulls/1/commits";
const ACTIVITY: &str = "/repos/f/r/activity";

/// Pull request 1 of the fork, pushed once by olga, with these reviews.
fn forge(head: char, reviews: Value) -> Forge {
    let forge = Forge::new();
    forge.get(PULL, pull(1, head, 1));
    forge.get(REVIEWS, reviews);
    forge.get(COMMITS, json!([commit(head, &['9'], "x")]));
    forge.get(ACTIVITY, json!([moved("branch_creation", '0', head, "olga")]));
    forge.get("/repos/o/r/issues/1/events", json!([]));
    forge
}

fn asked(forge: &Forge, event: &Event, names: &[&str]) -> Result<Vec<Reviewed>, String> {
    Approvals::new(&forge.client(), event).reviewed(Some(&sha('9')), &named(names), &MATTERS)
}

fn logins(reviewed: &Reviewed) -> Vec<&str> {
    reviewed.approvals.iter().map(|approver| approver.login.as_str()).collect()
}

#[test]
fn without_reviewers_nothing_is_asked_and_the_line_says_how_to_name_some() {
    let forge = Forge::new();
    let all = asked(&forge, &event('1', "opened", "olga"), &[]).unwrap();
    assert_eq!((all[0].approvals.len(), forge.requests().len()), (0, 0));
    assert!(all[0].remarks[0].contains("reviewers = [\"@login\"]") && all[0].remarks[0].contains("CODEOWNERS"));
}

#[test]
fn without_an_approval_one_question_is_enough() {
    let forge = forge('1', json!([review(1, "alice", "COMMENTED", '1')]));
    let all = asked(&forge, &event('1', "opened", "olga"), &["@alice"]).unwrap();
    assert_eq!((all[0].approvals.len(), forge.requests().len()), (0, 1));
}

// The issue's sequence: fork → approve → force-push → dismiss → approve again.
#[test]
fn a_fork_s_change_through_its_life() {
    let open = forge('1', json!([review(1, "alice", "APPROVED", '1')]));
    let all = asked(&open, &event('1', "submitted", "alice"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), ["alice"]);
    assert_eq!((all[0].number, all[0].from.clone(), all[0].to.clone()), (1, Some(sha('9')), sha('1')));
    assert_eq!(open.requests().len(), 5, "reviews, pull request, commits, pushes, target branches");

    // Forced to other bytes: the approval is of another Cargo.lock.
    let forced = |reviews: Value| {
        let forge = forge('2', reviews);
        forge.first(
            u64::MAX,
            "GET",
            ACTIVITY,
            ResponseTemplate::new(200).set_body_json(json!([
                moved("force_push", '1', '2', "olga"),
                moved("branch_creation", '0', '1', "olga"),
            ])),
        );
        forge.get(&format!("/repos/o/r/git/trees/{}", sha('1')), lock('a', false));
        forge.get(&format!("/repos/o/r/git/trees/{}", sha('2')), lock('b', false));
        forge
    };
    let other = forced(json!([review(1, "alice", "APPROVED", '1')]));
    let all = asked(&other, &event('2', "synchronize", "olga"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);
    assert_eq!(all[0].remarks, ["@alice: the approval does not hold: Cargo.lock changed since: approve again"]);

    let dismissed = forced(json!([review(1, "alice", "DISMISSED", '1')]));
    let all = asked(&dismissed, &event('2', "dismissed", "olga"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);

    let again = forced(json!([review(1, "alice", "DISMISSED", '1'), review(2, "alice", "APPROVED", '2')]));
    let all = asked(&again, &event('2', "submitted", "alice"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), ["alice"]);
}

#[test]
fn a_rebase_with_the_same_bytes_keeps_the_approval_and_a_tree_that_is_cut_does_not() {
    for (approved, head, expected) in [
        (lock('a', false), lock('a', false), &["alice"][..]),
        (lock('a', true), lock('a', false), &[]),
        (lock('a', false), lock('a', true), &[]),
    ] {
        let forge = forge('2', json!([review(1, "alice", "APPROVED", '1')]));
        forge.get(&format!("/repos/o/r/git/trees/{}", sha('1')), approved);
        forge.get(&format!("/repos/o/r/git/trees/{}", sha('2')), head);
        let all = asked(&forge, &event('2', "opened", "olga"), &["@alice"]).unwrap();
        assert_eq!(logins(&all[0]), expected, "{:?}", all[0].remarks);
    }
    // The approved commit is gone from the forge.
    let forge = forge('2', json!([review(1, "alice", "APPROVED", '1')]));
    forge.get(&format!("/repos/o/r/git/trees/{}", sha('2')), lock('a', false));
    let all = asked(&forge, &event('2', "opened", "olga"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);
    assert!(all[0].remarks[0].contains("not found (404)"), "{:?}", all[0].remarks);
}

#[test]
fn whoever_the_forge_says_pushed_does_not_count() {
    // By the record of the fork.
    let one = forge('1', json!([review(1, "alice", "APPROVED", '1')]));
    let record = json!([moved("force_push", '3', '1', "alice"), moved("branch_creation", '0', '3', "olga")]);
    one.first(u64::MAX, "GET", ACTIVITY, ResponseTemplate::new(200).set_body_json(record));
    let all = asked(&one, &event('1', "submitted", "alice"), &["@alice"]).unwrap();
    assert_eq!((logins(&all[0]), all[0].remarks.len()), (vec![], 1));
    // By the event; a review's sender has not pushed.
    let two = forge('1', json!([review(1, "alice", "APPROVED", '1')]));
    assert_eq!(logins(&asked(&two, &event('1', "synchronize", "Alice"), &["@alice"]).unwrap()[0]), [""; 0]);
    assert_eq!(logins(&asked(&two, &event('1', "submitted", "Alice"), &["@alice"]).unwrap()[0]), ["alice"]);
}

#[test]
fn what_cannot_be_read_approves_nothing_and_says_what_is_lacking() {
    let refusal =
        || ResponseTemplate::new(403).set_body_json(json!({ "message": "Resource not accessible by integration" }));
    for (at, words) in [
        (REVIEWS, "the reviews of pull request 1: the token lacks `pull-requests: read`"),
        (PULL, "pull request 1: the token lacks `pull-requests: read`"),
        (COMMITS, "the commits of pull request 1: the token lacks `pull-requests: read`"),
        (ACTIVITY, "who pushed to the head branch: the token lacks `contents: read`"),
    ] {
        let forge = forge('1', json!([review(1, "alice", "APPROVED", '1')]));
        forge.first(u64::MAX, "GET", at, refusal());
        let all = asked(&forge, &event('1', "submitted", "alice"), &["@alice"]).unwrap();
        assert_eq!(logins(&all[0]), [""; 0], "{at}");
        assert!(all[0].remarks.iter().any(|line| line.contains(words)), "{at}: {:?}", all[0].remarks);
    }
    // A list that lacks a commit lacks its author.
    let forge = forge('1', json!([review(1, "alice", "APPROVED", '1')]));
    forge.first(9, "GET", PULL, ResponseTemplate::new(200).set_body_json(pull(1, '1', 2)));
    let all = asked(&forge, &event('1', "submitted", "alice"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);
    assert!(all[0].remarks[0].contains("does not list all"), "{:?}", all[0].remarks);
    // The head repository is gone.
    let forge = self::forge('1', json!([review(1, "alice", "APPROVED", '1')]));
    let mut gone = pull(1, '1', 1);
    gone["head"]["repo"] = Value::Null;
    forge.first(u64::MAX, "GET", PULL, ResponseTemplate::new(200).set_body_json(gone));
    let all = asked(&forge, &event('1', "submitted", "alice"), &["@alice"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);
    assert!(all[0].remarks[0].contains("is gone"), "{:?}", all[0].remarks);
}

#[test]
fn a_team_approves_through_its_members_where_it_can_be_read() {
    let reviews = json!([review(1, "alice", "APPROVED", '1')]);
    let read = forge('1', reviews.clone());
    read.get("/orgs/o/teams/sec/members", json!([user("carol"), user("Alice")]));
    assert_eq!(logins(&asked(&read, &event('1', "submitted", "alice"), &["@o/sec"]).unwrap()[0]), ["alice"]);

    // Without `members: read` GitHub answers 404 for the team.
    let unread = forge('1', reviews);
    let all = asked(&unread, &event('1', "submitted", "alice"), &["@o/sec"]).unwrap();
    assert_eq!(logins(&all[0]), [""; 0]);
    let line = all[0].remarks.iter().find(|line| line.starts_with("@o/sec approves nothing")).unwrap();
    assert!(line.contains("`members: read`") && line.contains("GitHub App"), "{line}");
}

#[test]
fn a_pull_request_that_has_moved_on_is_not_approved() {
    let forge = forge('2', json!([review(1, "alice", "APPROVED", '2')]));
    assert_eq!(asked(&forge, &event('1', "submitted", "alice"), &["@alice"]), Err(MOVED.to_owned()));
    // Retargeted.
    let Event::Pull(mut pull) = event('2', "submitted", "alice") else { panic!() };
    pull.base.name = "release".to_owned();
    assert_eq!(asked(&forge, &Event::Pull(pull), &["@alice"]), Err(MOVED.to_owned()));
}

// What a reviewer saw hangs on the target branch: the same commits show another change against another one.
#[test]
fn an_approval_for_another_target_branch_does_not_count() {
    let happened =
        |event: &str, second: u64| json!({ "event": event, "created_at": format!("2026-11-22T10:00:{second:02}Z") });
    for (events, counts) in [
        (json!([happened("labeled", 30), happened("base_ref_changed", 3)]), true),
        (json!([happened("base_ref_changed", 3), happened("base_ref_changed", 7)]), false),
        (json!([happened("base_ref_changed", 5)]), false),
    ] {
        let forge = Forge::new();
        forge.get(PULL, pull(1, '1', 1));
        forge.get(REVIEWS, json!([review(5, "alice", "APPROVED", '1')]));
        forge.get(COMMITS, json!([commit('1', &['9'], "x")]));
        forge.get(ACTIVITY, json!([moved("branch_creation", '0', '1', "olga")]));
        forge.get("/repos/o/r/issues/1/events", events);
        let all = asked(&forge, &event('1', "edited", "olga"), &["@alice"]).unwrap();
        assert_eq!(!all[0].approvals.is_empty(), counts, "{:?}", all[0].remarks);
    }
    // Where it cannot be known, nobody counts.
    let forge = Forge::new();
    forge.get(PULL, pull(1, '1', 1));
    forge.get(REVIEWS, json!([review(5, "alice", "APPROVED", '1')]));
    forge.get(COMMITS, json!([commit('1', &['9'], "x")]));
    forge.get(ACTIVITY, json!([moved("branch_creation", '0', '1', "olga")]));
    let all = asked(&forge, &event('1', "edited", "olga"), &["@alice"]).unwrap();
    assert!(all[0].approvals.is_empty());
}

// GitHub knows a check by its commit and name: one of another pull request would count for this one.
#[test]
fn a_commit_that_another_pull_request_takes_elsewhere_is_not_judged() {
    let Event::Pull(pull_event) = event('1', "opened", "olga") else { panic!() };
    let elsewhere = |state: &str, base: &str, number: u64| {
        let mut other = pull(number, '1', 1);
        other["state"] = json!(state);
        other["base"]["ref"] = json!(base);
        other
    };
    for (others, objects) in [
        (json!([pull(1, '1', 1)]), false),
        (json!([pull(1, '1', 1), elsewhere("open", "main", 2)]), false),
        (json!([elsewhere("closed", "loose", 2)]), false),
        (json!([pull(1, '1', 1), elsewhere("open", "loose", 2)]), true),
    ] {
        let forge = Forge::new();
        forge.get(PULL, pull(1, '1', 1));
        forge.get(&format!("/repos/o/r/commits/{}/pulls", sha('1')), others);
        let said = Approvals::objection(&forge.client(), &pull_event).unwrap();
        assert_eq!(said.is_some(), objects, "{said:?}");
    }
    // An old run that is started again tells of what is no more.
    let forge = Forge::new();
    forge.get(PULL, elsewhere("open", "loose", 1));
    assert_eq!(Approvals::objection(&forge.client(), &pull_event).unwrap(), Some(MOVED.to_owned()));
}

fn group(head: char, number: u64, on: char) -> Event {
    let name = format!("gh-readonly-queue/main/pr-{number}-{}", sha(on));
    Event::MergeGroup(Group { base: place("main", '9', "o/r"), head: place(&name, head, "o/r") })
}

/// A queue's forge: branches as (number, made on, stands at), and the commits between base and group.
fn queue(branches: &[(u64, char, char)], head: char, commits: &Value) -> Forge {
    let forge = Forge::new();
    let refs: Vec<_> = branches
        .iter()
        .map(|(number, on, at)| {
            let name = format!("refs/heads/gh-readonly-queue/main/pr-{number}-{}", sha(*on));
            json!({ "ref": name, "object": { "sha": sha(*at) } })
        })
        .collect();
    forge.get("/repos/o/r/git/matching-refs/heads%2Fgh-readonly-queue%2Fmain%2F", json!(refs));
    forge.get(&format!("/repos/o/r/compare/{}...{}", sha('9'), sha(head)), json!({ "commits": commits }));
    for (number, tip, approver) in [(1, '1', "alice"), (2, '2', "bob")] {
        forge.get(&format!("/repos/o/r/pulls/{number}"), pull(number, tip, 1));
        forge.get(&format!("/repos/o/r/pulls/{number}/commits"), json!([commit(tip, &['9'], "x")]));
        forge.get(&format!("/repos/o/r/pulls/{number}/reviews"), json!([review(number, approver, "APPROVED", tip)]));
        forge.get(&format!("/repos/o/r/issues/{number}/events"), json!([]));
    }
    forge.get(ACTIVITY, json!([moved("force_push", '1', '2', "olga"), moved("branch_creation", '0', '1', "olga")]));
    forge
}

// THREATS 18: approvals are attributed entry by entry.
#[test]
fn a_queue_of_two_is_told_apart() {
    // Merged: a is 1 into base, b is 2 into a. Squashed: one parent each.
    let merged = json!([
        commit('1', &['9'], "x"),
        commit('a', &['9', '1'], "m"),
        commit('2', &['9'], "x"),
        commit('b', &['a', '2'], "m")
    ]);
    let squashed = json!([commit('a', &['9'], "x (#1)"), commit('b', &['a'], "x (#2)")]);
    for commits in [merged, squashed] {
        for branches in [&[(1, '9', 'a'), (2, 'a', 'b')][..], &[(1, '9', 'a')], &[(1, '9', 'a'), (2, '9', 'b')]] {
            let forge = queue(branches, 'b', &commits);
            let all = asked(&forge, &group('b', 2, 'a'), &["@alice", "@bob"]).unwrap();
            let is: Vec<_> =
                all.iter().map(|one| (one.number, one.from.clone().unwrap(), one.to.clone(), logins(one))).collect();
            assert_eq!(
                is,
                [(1, sha('9'), sha('a'), vec!["alice"]), (2, sha('a'), sha('b'), vec!["bob"])],
                "{:?}",
                all.iter().map(|one| &one.remarks).collect::<Vec<_>>()
            );
        }
    }
}

// A branch of the queue may have been pushed by anybody: what is not in the pull request's own head is not approved.
#[test]
fn of_a_queue_only_what_the_pull_request_has_itself_is_its_own() {
    let file = |path: &str, digit: char| json!({ "path": path, "mode": "100644", "type": "blob", "sha": sha(digit) });
    let tree = |files: &[Value]| json!({ "tree": files, "truncated": false });
    let commits = json!([commit('a', &['9'], "x (#1)")]);
    for (own, is_own) in [(file("gate.yml", '5'), true), (file("gate.yml", '6'), false)] {
        let forge = queue(&[(1, '9', 'a')], 'a', &commits);
        let at = |digit: char| format!("/repos/o/r/git/trees/{}", sha(digit));
        forge.get(&at('9'), tree(&[file("gate.yml", '4'), file("Cargo.lock", '1')]));
        forge.get(&at('a'), tree(&[file("gate.yml", '5'), file("Cargo.lock", '2')]));
        forge.get(&at('1'), tree(&[own, file("Cargo.lock", '3')]));
        // "x = 1" in base64.
        forge.get("/repos/o/r/contents/ledger.toml", json!({ "encoding": "base64", "content": "eCA9\nIDE=\n" }));
        let all = asked(&forge, &group('a', 1, '9'), &["@alice"]).unwrap();
        assert_eq!((logins(&all[0]), all[0].is_its_gate), (vec!["alice"], is_own), "{:?}", all[0].remarks);
        assert_eq!(all[0].ledger.as_deref(), Some("x = 1"));
    }
    // What cannot be read is not its own.
    let forge = queue(&[(1, '9', 'a')], 'a', &commits);
    let all = asked(&forge, &group('a', 1, '9'), &["@alice"]).unwrap();
    assert!(!all[0].is_its_gate);
}

// GitHub, webhook `merge_group`: `base_sha` is the parent of the group's commit, so that an earlier entry may stand there
// (THREATS 2). The judged difference begins on the protected branch.
#[test]
fn entries_below_the_group_s_own_base_are_told_apart_too() {
    let commits = json!([commit('a', &['9'], "x (#1)"), commit('b', &['a'], "x (#2)")]);
    let forge = queue(&[(1, '9', 'a'), (2, 'a', 'b')], 'b', &commits);
    let Event::MergeGroup(mut above) = group('b', 2, 'a') else { panic!() };
    above.base.sha = sha('a');
    let all = asked(&forge, &Event::MergeGroup(above), &["@alice"]).unwrap();
    let is: Vec<_> = all.iter().map(|one| (one.number, logins(one))).collect();
    assert_eq!(is, [(1, vec!["alice"]), (2, vec![])]);
}

#[test]
fn commits_that_no_queue_branch_explains_approve_nothing() {
    let squashed = json!([commit('a', &['9'], "x (#1)"), commit('b', &['a'], "x (#2)")]);
    let other_tip = json!([commit('a', &['9'], "x"), commit('7', &['9'], "y"), commit('b', &['a', '7'], "m")]);
    let astray = json!([commit('a', &['8'], "x"), commit('b', &['a'], "x")]);
    let circle = json!([commit('a', &['b'], "x"), commit('b', &['a'], "x")]);
    for (words, branches, event, commits) in [
        // The earlier entry's branch is gone.
        ("no branch of the merge queue explains", &[(2, 'a', 'b')][..], group('b', 2, 'a'), &squashed),
        // It is gone, and the name tells nothing.
        ("not those of pull request 2", &[(2, '9', 'b')], group('b', 2, '9'), &squashed),
        ("not those of pull request 2", &[(1, '9', 'a'), (2, 'a', 'b')], group('b', 2, 'a'), &other_tip),
        ("do not lead to the branch", &[(1, '9', 'a')], group('b', 2, 'a'), &astray),
        ("do not lead to the branch", &[], group('b', 2, '9'), &circle),
        ("two pull requests, 1 and 3, stand", &[(1, '9', 'a'), (3, '9', 'a')], group('b', 2, 'a'), &squashed),
    ] {
        let forge = queue(branches, 'b', commits);
        let line = asked(&forge, &event, &["@alice", "@bob"]).unwrap_err();
        assert!(line.contains(words) && !line.contains('\n'), "{words}: {line}");
    }
    // A pull request that goes elsewhere by now.
    let forge = queue(&[(1, '9', 'a'), (2, 'a', 'b')], 'b', &squashed);
    let mut other = pull(2, '2', 1);
    other["base"]["ref"] = json!("release");
    forge.first(9, "GET", "/repos/o/r/pulls/2", ResponseTemplate::new(200).set_body_json(other));
    assert_eq!(asked(&forge, &group('b', 2, 'a'), &["@alice"]), Err(MOVED.to_owned()));
    // The group's own name explains nothing where it is none of the queue's.
    let Event::MergeGroup(mut odd) = group('b', 2, 'a') else { panic!() };
    odd.head.name = "feature".to_owned();
    let forge = queue(&[(1, '9', 'a')], 'b', &squashed);
    assert!(asked(&forge, &Event::MergeGroup(odd), &["@alice"]).unwrap_err().contains("explains"));
}

#[test]
fn a_rebased_entry_has_the_commits_of_its_pull_request() {
    for (messages, is_same) in [(["one", "two"], true), (["one", "other"], false)] {
        let commits = json!([commit('a', &['9'], messages[0]), commit('b', &['a'], messages[1])]);
        let forge = queue(&[(2, '9', 'b')], 'b', &commits);
        let own = json!([commit('4', &['9'], "one"), commit('2', &['4'], "two")]);
        forge.first(u64::MAX, "GET", "/repos/o/r/pulls/2/commits", ResponseTemplate::new(200).set_body_json(own));
        let is = asked(&forge, &group('b', 2, '9'), &["@bob"]);
        assert_eq!(is.is_ok(), is_same, "{is:?}");
    }
}

#[test]
fn a_fork_s_pull_request_is_found_by_its_branch() {
    let forge = Forge::new();
    forge.get("/repos/o/r/pulls", json!([pull(1, '1', 0), pull(6, '2', 0)]));
    let full = |digit| {
        let mut full = pull(1, digit, 1);
        full["base"]["repo"]["default_branch"] = json!("main");
        full["state"] = json!("open");
        full
    };
    forge.first(1, "GET", PULL, ResponseTemplate::new(200).set_body_json(full('1')));
    forge.get(PULL, full('2'));
    let client = forge.client();
    let run = |digit, repository: &str| Run {
        head: place("fix", digit, repository),
        of: "pull_request".to_owned(),
        actor: Login { name: "olga".to_owned(), is_bot: false },
        pulls: Vec::new(),
        repository: "o/r".to_owned(),
    };
    let found = pull_of(&client, &run('1', "F/r")).unwrap().unwrap();
    assert_eq!((found.number, found.head.sha, found.trigger), (1, sha('1'), Trigger::WorkflowRun));
    assert_eq!(forge.requests()[0].0, "GET /repos/o/r/pulls?state=open&head=F%3Afix&per_page=100");
    assert_eq!(pull_of(&client, &run('3', "f/r")), Ok(None));
    assert_eq!(pull_of(&client, &run('1', "g/r")), Ok(None));
    // Pushed again between the two questions.
    assert!(pull_of(&client, &run('1', "f/r")).is_err());
}
