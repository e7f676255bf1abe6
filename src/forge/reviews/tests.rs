//! Who counts, by the rules of the product: "the ledger entry's `by` has approved the pull request on the forge, is a
//! configured reviewer, and neither wrote nor pushed the change nor is a bot"; "the pusher is what the forge says"; "an
//! approval holds while the blobs are those approved". Every expectation is worked out by hand from these words.

use serde_json::{Value, json};

use super::*;
use crate::forge::client::testing::{sha, user};

fn review(id: u64, login: &str, state: &str, commit: char) -> Value {
    let time = format!("2026-11-22T10:00:{id:02}Z");
    json!({ "id": id, "user": user(login), "state": state, "commit_id": sha(commit), "submitted_at": time })
}

fn facts(reviews: &[Value]) -> Facts {
    Facts {
        head: sha('1'),
        author: Some("Olga".to_owned()),
        writers: vec!["wanda".to_owned()],
        pushers: Ok(vec!["pete".to_owned()]),
        reviews: reviews.iter().map(|review| serde_json::from_value(review.clone()).unwrap()).collect(),
        retargeted: Ok(None),
    }
}

/// Who counts, and the remarks, where these are the reviewers and `alice` is in the team.
fn counts(facts: &Facts, reviewers: &[&str]) -> (Vec<String>, Vec<String>) {
    let owners = reviewers.iter().map(|text| Owner::parse(text).unwrap()).collect();
    let reviewers = Reviewers { owners, remarks: Vec::new() };
    let (candidates, mut remarks) = candidates(facts);
    let mut members = Members::new();
    for owner in &reviewers.owners {
        let is_unread = owner.to_string() == "@o/hidden";
        let logins = if is_unread { Err("no permission".to_owned()) } else { Ok(["alice".to_owned()].into()) };
        if matches!(owner, Owner::Team { .. }) {
            members.insert(owner.clone(), logins);
        }
    }
    let holds = Holds::from([(sha('2'), Ok(())), (sha('3'), Err("Cargo.lock changed since".to_owned()))]);
    let (candidates, more) = named(candidates, &reviewers, &members);
    remarks.extend(more);
    let (approvals, more) = standing(&candidates, &facts.head, &holds);
    remarks.extend(more);
    (approvals.into_iter().map(|approver| format!("{}#{}", approver.login, approver.review)).collect(), remarks)
}

#[test]
fn who_counts() {
    const ALL: &[&str] = &["@alice", "@bob", "@olga", "@wanda", "@pete", "@ci[bot]", "@ghost"];
    // Name, reviews, reviewers; who counts, and words of a remark.
    type Row = (&'static str, Vec<Value>, &'static [&'static str], &'static [&'static str], &'static str);
    let some: &[Row] = &[
        ("nothing", vec![], ALL, &[], ""),
        ("an approval", vec![review(1, "alice", "APPROVED", '1')], ALL, &["alice#1"], ""),
        ("case", vec![review(1, "ALICE", "APPROVED", '1')], ALL, &["ALICE#1"], ""),
        ("a comment is none", vec![review(1, "alice", "COMMENTED", '1')], ALL, &[], ""),
        ("not sent yet", vec![review(1, "alice", "PENDING", '1')], ALL, &[], ""),
        (
            "a comment after it keeps it",
            vec![review(1, "alice", "APPROVED", '1'), review(2, "Alice", "COMMENTED", '1')],
            ALL,
            &["alice#1"],
            "",
        ),
        (
            "changes requested after it",
            vec![review(1, "alice", "APPROVED", '1'), review(2, "alice", "CHANGES_REQUESTED", '1')],
            ALL,
            &[],
            "",
        ),
        (
            "listed in another order than sent",
            vec![review(2, "alice", "CHANGES_REQUESTED", '1'), review(1, "alice", "APPROVED", '1')],
            ALL,
            &[],
            "",
        ),
        (
            "changes requested before it",
            vec![review(1, "alice", "CHANGES_REQUESTED", '1'), review(2, "alice", "APPROVED", '1')],
            ALL,
            &["alice#2"],
            "",
        ),
        ("dismissed", vec![review(1, "alice", "DISMISSED", '1')], ALL, &[], ""),
        (
            "the later one dismissed, the earlier not",
            vec![review(1, "alice", "APPROVED", '1'), review(2, "alice", "DISMISSED", '1')],
            ALL,
            &[],
            "",
        ),
        (
            "dismissed, then approved again",
            vec![review(1, "alice", "DISMISSED", '3'), review(2, "alice", "APPROVED", '1')],
            ALL,
            &["alice#2"],
            "",
        ),
        ("a state nobody knows", vec![review(1, "alice", "APPROVED", '1'), review(2, "alice", "X", '1')], ALL, &[], ""),
        ("the author", vec![review(1, "olga", "APPROVED", '1')], ALL, &[], "opened the pull request"),
        ("a writer", vec![review(1, "Wanda", "APPROVED", '1')], ALL, &[], "author or committer"),
        ("a pusher", vec![review(1, "pete", "APPROVED", '1')], ALL, &[], "pushed"),
        ("a bot", vec![review(1, "ci[bot]", "APPROVED", '1')], ALL, &[], "no person"),
        ("nobody named them", vec![review(1, "carol", "APPROVED", '1')], ALL, &[], "not named as a reviewer"),
        (
            "two",
            vec![review(2, "bob", "APPROVED", '1'), review(1, "alice", "APPROVED", '1')],
            ALL,
            &["alice#1", "bob#2"],
            "",
        ),
        ("an older commit with the same bytes", vec![review(1, "alice", "APPROVED", '2')], ALL, &["alice#1"], ""),
        ("other bytes since", vec![review(1, "alice", "APPROVED", '3')], ALL, &[], "Cargo.lock changed since"),
        ("not compared", vec![review(1, "alice", "APPROVED", '4')], ALL, &[], "was not compared"),
        ("a member", vec![review(1, "Alice", "APPROVED", '1')], &["@o/team"], &["Alice#1"], ""),
        ("no member", vec![review(1, "bob", "APPROVED", '1')], &["@o/team"], &[], "not named as a reviewer"),
        ("a team unread", vec![review(1, "alice", "APPROVED", '1')], &["@o/hidden"], &[], "@o/hidden approves nothing"),
        ("one team unread", vec![review(1, "alice", "APPROVED", '1')], &["@o/hidden", "@o/team"], &["alice#1"], ""),
        ("named beside a team", vec![review(1, "alice", "APPROVED", '1')], &["@o/hidden", "@alice"], &["alice#1"], ""),
        ("nobody named", vec![review(1, "alice", "APPROVED", '1')], &[], &[], "not named as a reviewer"),
    ];
    for (name, reviews, reviewers, expected, remark) in some {
        let (is, remarks) = counts(&facts(reviews), reviewers);
        assert_eq!(is, *expected, "{name}: {remarks:?}");
        let said = if remark.is_empty() { true } else { remarks.iter().any(|line| line.contains(remark)) };
        assert!(said && remarks.iter().all(|line| !line.contains('\n')), "{name}: {remarks:?}");
    }
}

#[test]
fn reviews_that_lack_something_count_for_nothing() {
    let lacking = [
        ("user", Value::Null),
        ("user", json!({})),
        ("user", json!({ "login": "alice" })),
        ("user", json!({ "login": "alice", "type": "Mannequin" })),
        ("user", json!({ "login": "alice", "type": "Organization" })),
        ("commit_id", Value::Null),
        ("submitted_at", Value::Null),
    ];
    for (member, value) in lacking {
        let mut one = review(1, "alice", "APPROVED", '1');
        one[member] = value;
        assert_eq!(counts(&facts(&[one.clone()]), &["@alice"]).0, [""; 0], "{one}");
    }
    // One without a time cannot be put before another: the other does not count either.
    let mut timeless = review(2, "alice", "CHANGES_REQUESTED", '1');
    timeless["submitted_at"] = Value::Null;
    assert_eq!(counts(&facts(&[timeless, review(1, "alice", "APPROVED", '1')]), &["@alice"]).0, [""; 0]);
}

#[test]
fn where_it_is_not_known_who_pushed_nobody_counts() {
    let mut facts = facts(&[review(1, "alice", "APPROVED", '1')]);
    facts.pushers = Err("the token lacks `contents: read`".to_owned());
    let (is, remarks) = counts(&facts, &["@alice"]);
    assert_eq!(is, [""; 0]);
    assert_eq!(
        remarks,
        ["no approval counts, because it is not known who pushed the change: the token lacks `contents: read`"]
    );
}

fn commit(digit: char, author: Value, committer: Value) -> Commit {
    serde_json::from_value(json!({ "sha": sha(digit), "author": author, "committer": committer })).unwrap()
}

#[test]
fn writers_are_whom_the_forge_attributes_commits_to() {
    let commits = [
        commit('1', user("wanda"), user("web-flow")),
        commit('2', Value::Null, json!({})),
        commit('3', user("alice"), user("wanda")),
    ];
    assert_eq!(writers(&commits), ["alice", "wanda"]);
}

/// A record of a branch, latest first: (kind, before, after, who).
fn record(moves: &[(&str, char, char, &str)]) -> Vec<Activity> {
    let one = |(kind, before, after, who): &(&str, char, char, &str)| {
        let actor = if who.is_empty() { Value::Null } else { user(who) };
        let (before, after) = (sha(*before), sha(*after));
        let value =
            json!({ "before": before, "after": after, "ref": "refs/heads/x", "activity_type": kind, "actor": actor });
        serde_json::from_value(value).unwrap()
    };
    moves.iter().map(one).collect()
}

#[test]
fn pushers_are_everybody_who_moved_the_branch_since_the_change_began() {
    // The pull request's commits are a and b; head is b; 9 is on the base branch.
    let commits = [commit('a', Value::Null, Value::Null), commit('b', Value::Null, Value::Null)];
    type Moves = &'static [(&'static str, char, char, &'static str)];
    type Row = (&'static str, Moves, Result<&'static [&'static str], &'static str>);
    let some: &[Row] = &[
        ("one push of a new branch", &[("branch_creation", '0', 'b', "pete")], Ok(&["pete"])),
        ("two", &[("push", 'a', 'b', "pete"), ("branch_creation", '0', 'a', "mia")], Ok(&["mia", "pete"])),
        (
            "a branch that stood before: what was merged long ago is not this change",
            &[("push", '9', 'b', "pete"), ("push", '8', '9', "mia"), ("branch_creation", '0', '8', "ann")],
            Ok(&["pete"]),
        ),
        (
            "a forced push may rewrite somebody's commits: who pushed those counts",
            &[("force_push", 'c', 'b', "pete"), ("push", 'd', 'c', "mia"), ("branch_creation", '0', 'd', "ann")],
            Ok(&["mia", "pete"]),
        ),
        (
            "forced twice",
            &[("force_push", 'c', 'b', "pete"), ("force_push", 'd', 'c', "mia"), ("branch_creation", '0', 'd', "ann")],
            Ok(&["ann", "mia", "pete"]),
        ),
        (
            "a merge into the head branch",
            &[("pr_merge", 'a', 'b', "mia"), ("push", '9', 'a', "pete")],
            Ok(&["mia", "pete"]),
        ),
        ("a pusher whose account is gone", &[("push", 'a', 'b', ""), ("push", '9', 'a', "pete")], Ok(&["pete"])),
        ("deleted since", &[("branch_deletion", 'b', '0', "ann"), ("push", '9', 'b', "pete")], Ok(&["pete"])),
        ("pushed again since", &[("push", 'b', 'c', "mia"), ("push", '9', 'b', "pete")], Ok(&["mia", "pete"])),
        ("the record lags", &[("push", '9', 'a', "pete")], Err("does not hold the judged commit")),
        ("the record is empty", &[], Err("does not hold the judged commit")),
        ("the record ends early", &[("push", 'a', 'b', "pete")], Err("does not go back")),
        ("a kind nobody knows", &[("rename", 'a', 'b', "pete")], Err("does not go back")),
    ];
    for (name, moves, expected) in some {
        match (pushers(&record(moves), &sha('b'), &commits), expected) {
            (Ok(is), Ok(expected)) => assert_eq!(is, *expected, "{name}"),
            (Err(is), Err(words)) => assert!(is.contains(words), "{name}: {is}"),
            (is, expected) => panic!("{name}: {is:?}, not {expected:?}"),
        }
    }
}

fn tree(entries: &[(&str, &str, char)], truncated: bool) -> Tree {
    let entries: Vec<_> = entries
        .iter()
        .map(|(path, mode, digit)| {
            let kind = if *mode == "040000" { "tree" } else { "blob" };
            json!({ "path": path, "mode": mode, "type": kind, "sha": sha(*digit) })
        })
        .collect();
    serde_json::from_value(json!({ "tree": entries, "truncated": truncated })).unwrap()
}

#[test]
fn bytes_and_modes_are_compared_where_they_matter() {
    const FILE: &str = "100644";
    let relevant = |path: &str| path.ends_with("Cargo.lock") || path.starts_with(".portcullis/");
    let approved: &[(&str, &str, char)] = &[
        ("web", "040000", '5'),
        ("web/Cargo.lock", FILE, '1'),
        (".portcullis/ledger.toml", FILE, '2'),
        ("a.rs", FILE, '3'),
    ];
    let with = |at: usize, entry| {
        let mut other = approved.to_vec();
        other[at] = entry;
        other
    };
    let without = |at: usize| [&approved[..at], &approved[at + 1..]].concat();
    let some = [
        ("the same", approved.to_vec(), Ok(())),
        ("another file, and the folder's own id", with(3, ("a.rs", FILE, '9')), Ok(())),
        ("folder", with(0, ("web", "040000", '9')), Ok(())),
        ("bytes", with(1, ("web/Cargo.lock", FILE, '9')), Err("web/Cargo.lock changed since")),
        ("mode", with(1, ("web/Cargo.lock", "120000", '1')), Err("web/Cargo.lock changed since")),
        ("gone", without(2), Err(".portcullis/ledger.toml changed since")),
        ("new", [approved, &[("x/Cargo.lock", FILE, '1')]].concat(), Err("x/Cargo.lock changed since")),
        ("both", vec![("web/Cargo.lock", FILE, '7')], Err(".portcullis/ledger.toml and 1 more changed since")),
    ];
    for (name, head, expected) in some {
        let is = same_where_relevant(&tree(approved, false), &tree(&head, false), &relevant);
        assert_eq!(is, expected.map_err(str::to_owned), "{name}");
    }
    for (one, other) in [(true, false), (false, true)] {
        assert!(same_where_relevant(&tree(approved, one), &tree(approved, other), &relevant).is_err());
    }
}

#[test]
fn a_flood_of_approvals_by_anybody_is_one_line() {
    let flood: Vec<_> = (0..3_000)
        .map(|n| {
            json!({ "id": n, "user": user(&format!("sock{n:04}")), "state": "APPROVED",
        "commit_id": sha('1'), "submitted_at": "2026-11-22T10:00:00Z" })
        })
        .chain([review(1, "alice", "APPROVED", '1')])
        .collect();
    let (is, remarks) = counts(&facts(&flood), &["@alice"]);
    assert_eq!(is, ["alice#1"]);
    let names = "@sock0000, @sock0001, @sock0002, @sock0003, @sock0004 and 2995 more";
    assert_eq!(remarks, [format!("{names}: approved, but not named as a reviewer")]);
}
