//! GitHub's own example payloads (npm package `@octokit/webhooks-examples`, unpacked into the folder that
//! `PORTCULLIS_WEBHOOKS` names): all of them are read or refused, and the right fields come out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portcullis::forge::event::{BadEvent, Event, Login, Place, Plan, Planned, PlannedBase, Runner};
use serde_json::Value;

use crate::harness::data;

/// github.com and the servers that the package has payloads of.
const SERVERS: [&str; 6] = ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"];

/// The events that are judged.
const JUDGED: [&str; 9] = [
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "merge_group",
    "push",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
    "workflow_run",
];

/// Payloads by server, event and position, with what a person reads in them (version 7.6.1 of the package).
const READ: &[(&str, &str, usize, &str)] = &[
    ("api.github.com", "pull_request", 0, "#2 opened changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 1, "#2 assigned changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 3, "#2 closed changes@ec26c3e -> master@f95f852 by Codertocat"),
    (
        "api.github.com",
        "pull_request",
        5,
        "#2 converted_to_draft changes@ec26c3e -> master@f95f852 by Codertocat, draft",
    ),
    ("api.github.com", "pull_request", 8, "#2 labeled changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 10, "#2 locked changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 15, "#2 ready_for_review changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 18, "#2 reopened changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 20, "#2 review_request_removed changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request", 22, "#2 synchronize changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request_review", 0, "#2 submitted changes@ec26c3e -> master@f95f852 by Codertocat"),
    ("api.github.com", "pull_request_review", 1, "#2 dismissed changes@ec26c3e -> master@f95f852 by Codertocat"),
    (
        "api.github.com",
        "merge_group",
        0,
        "gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64@2ffea6d on main@380387f of octo-org/octo-repo",
    ),
    ("api.github.com", "push", 0, "refs/tags/simple-tag nothing..6113728, default master, by Codertocat"),
    ("api.github.com", "push", 1, "refs/tags/simple-tag 6113728..nothing, default master, by Codertocat"),
    ("api.github.com", "push", 4, "refs/heads/master nothing..6113728, default master, by Codertocat"),
    ("api.github.com", "push", 6, "refs/tags/simple-tag 6113728..nothing, default master, by Codertocat"),
    ("api.github.com", "workflow_dispatch", 0, "workflow_dispatch refs/heads/main, default main"),
    ("api.github.com", "workflow_dispatch", 1, "workflow_dispatch refs/heads/master, default master"),
    ("api.github.com", "repository_dispatch", 0, "repository_dispatch master, default master"),
    ("api.github.com", "workflow_run", 0, "workflow_run main@5779607, default main"),
    ("api.github.com", "workflow_run", 1, "workflow_run master@3484a3f, default master"),
    ("api.github.com", "workflow_run", 2, "workflow_run master@3484a3f, default master"),
    ("ghes-31", "pull_request", 0, "#2 opened changes@14977a7 -> master@78a9609 by Codertocat"),
    ("ghes-31", "pull_request_review", 0, "#2 submitted changes@14977a7 -> master@78a9609 by Codertocat"),
    ("ghes-31", "push", 0, "refs/tags/simple-tag 4544205..nothing, default master, by Codertocat"),
    ("ghes-32", "push", 0, "refs/tags/simple-tag 4544205..nothing, default master, by Codertocat"),
    ("ghes-33", "push", 0, "refs/tags/simple-tag nothing..6113728, default master, by Codertocat"),
    ("ghes-33", "workflow_dispatch", 0, "workflow_dispatch refs/heads/main, default main"),
    ("ghes-34", "pull_request", 2, "#2 closed changes@14977a7 -> master@78a9609 by Codertocat"),
    ("ghes-34", "push", 1, "refs/tags/simple-tag nothing..6113728, default master, by Codertocat"),
    ("ghes-35", "pull_request", 6, "#2 unlabeled changes@14977a7 -> master@78a9609 by Codertocat"),
    ("ghes-35", "repository_dispatch", 0, "repository_dispatch master, default master"),
    ("ghes-35", "workflow_run", 0, "workflow_run main@5779607, default main"),
];

/// Payloads by event, in the order of the package.
fn examples(folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let file = folder.join("index.json");
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let Value::Array(events) = serde_json::from_slice(&text).unwrap() else { panic!("no list of events") };
    let of =
        |event: &Value| (event["name"].as_str().unwrap().to_owned(), event["examples"].as_array().unwrap().clone());
    events.iter().map(of).collect()
}

fn all() -> Option<BTreeMap<&'static str, BTreeMap<String, Vec<Value>>>> {
    let folder = data("PORTCULLIS_WEBHOOKS", "", "GitHub's example payloads")?;
    Some(SERVERS.iter().map(|server| (*server, examples(&folder.join(server)))).collect())
}

fn parse(name: &str, payload: &Value) -> Result<Event, BadEvent> {
    Event::parse(name, payload.to_string().as_bytes())
}

fn short(place: &Place) -> String {
    assert_eq!(place.sha.len(), 40);
    format!("{}@{}", place.name, &place.sha[..7])
}

/// An event as the table writes it.
fn told(event: &Event) -> String {
    let commit = |sha: &Option<String>| sha.as_ref().map_or("nothing".to_owned(), |sha| sha[..7].to_owned());
    let who = |login: &Login| {
        assert!(!login.is_bot);
        login.name.clone()
    };
    match event {
        Event::Pull(pull) => {
            // No example comes from a fork, and in each of them one person does everything in one repository.
            assert!(!pull.is_fork && pull.sender == pull.author && pull.merged.is_none());
            assert_eq!(pull.base.repository.as_deref(), Some("Codertocat/Hello-World"));
            assert_eq!(pull.head.repository, pull.base.repository);
            assert_eq!(pull.default_branch.as_deref(), Some("master"));
            let draft = if pull.is_draft { ", draft" } else { "" };
            let (head, base, author) = (short(&pull.head), short(&pull.base), who(&pull.author));
            format!("#{} {} {head} -> {base} by {author}{draft}", pull.number, pull.action)
        }
        Event::MergeGroup(group) => {
            assert_eq!(group.head.repository, group.base.repository);
            format!("{} on {} of {}", short(&group.head), short(&group.base), group.base.repository.as_deref().unwrap())
        }
        Event::Push(push) => {
            assert!(!push.is_forced);
            let (before, after) = (commit(&push.before), commit(&push.after));
            let pusher = who(push.pusher.as_ref().unwrap());
            format!("{} {before}..{after}, default {}, by {pusher}", push.reference, push.default_branch)
        }
        Event::Standing(standing) => {
            let sha = standing.sha.as_ref().map_or(String::new(), |sha| format!("@{}", &sha[..7]));
            let reference = standing.reference.as_deref().unwrap();
            format!("{} {reference}{sha}, default {}", standing.event, standing.default_branch.as_deref().unwrap())
        }
        Event::Run(run) => panic!("no example is a run for a pull request: {run:?}"),
    }
}

#[test]
fn every_example_is_read_or_refused_by_its_name() {
    let Some(servers) = all() else { return };
    let (mut read, mut refused) = (0, 0);
    for (server, events) in &servers {
        for (name, payloads) in events {
            for (index, payload) in payloads.iter().enumerate() {
                let result = parse(name, payload);
                if JUDGED.contains(&name.as_str()) {
                    read += 1;
                    let event = result.unwrap_or_else(|error| panic!("{server} {name} {index}: {error}"));
                    event.plan(&Runner::default()).unwrap();
                } else {
                    refused += 1;
                    assert_eq!(result, Err(BadEvent::NotJudged { event: name.clone() }), "{server} {name} {index}");
                }
            }
        }
    }
    // Counted by other means in version 7.6.1: 51 of github.com and 46 of the servers are of events that are judged,
    // and there are 726 in all.
    assert!(read >= 97 && read + refused >= 726, "{read} and {refused}");
    eprintln!("{read} payloads read, {refused} refused by name");
}

#[test]
fn the_fields_are_those_a_person_reads() {
    let Some(servers) = all() else { return };
    for (server, name, index, expected) in READ {
        let event = parse(name, &servers[server][*name][*index]).unwrap();
        assert_eq!(told(&event), *expected, "{server} {name} {index}");
    }
}

/// The same payload under the names of the other two events about pull requests.
#[test]
fn a_pull_request_is_planned_alike_whatever_tells_of_it() {
    let Some(servers) = all() else { return };
    let payload = &servers["api.github.com"]["pull_request"][22];
    let plan = |name: &str, runner: &Runner| match parse(name, payload).unwrap().plan(runner).unwrap() {
        Planned::Judge(plan) => plan,
        Planned::Nothing(why) => panic!("{why}"),
    };
    // "Events that trigger workflows": pull_request runs on refs/pull/N/merge, and pull_request_target, since December
    // 2025, on the default branch.
    let sha = |digit: &str| Some(digit.repeat(40));
    let on_merge = Runner { sha: sha("a"), reference: Some("refs/pull/2/merge".into()), base: Some("master".into()) };
    let on_default = Runner { sha: sha("b"), reference: Some("refs/heads/main".into()), base: Some("master".into()) };
    let (merge, target) = (plan("pull_request", &on_merge), plan("pull_request_target", &on_default));
    assert_eq!(merge.head, "a".repeat(40));
    assert_eq!(target.head, "refs/remotes/pull/2/merge");
    let rest = |plan: &Plan| (plan.base.clone(), plan.protected.clone(), plan.governing.clone(), plan.must.clone());
    assert_eq!(rest(&merge), rest(&target));
    assert_eq!(merge.protected.as_deref(), Some("master"));
    assert_eq!(merge.base, PlannedBase::MergeBase);
}

/// The members without which, or with another kind of value in which, a payload is refused; all others are ignored, or
/// may be missing. They are what is read: the shapes are those of "Webhook events and payloads".
const NEEDED: &[(&str, &str)] = &[
    (
        "pull_request",
        "action pull_request pull_request/base pull_request/base/ref pull_request/base/repo \
         pull_request/base/repo/default_branch pull_request/base/repo/full_name pull_request/base/sha \
         pull_request/draft pull_request/head pull_request/head/ref pull_request/head/repo pull_request/head/repo/full_name pull_request/head/sha \
         pull_request/merged pull_request/number pull_request/user pull_request/user/login pull_request/user/type \
         sender sender/login sender/type",
    ),
    (
        "merge_group",
        "merge_group merge_group/base_ref merge_group/base_sha merge_group/head_ref merge_group/head_sha repository \
         repository/full_name",
    ),
    ("push", "after before forced ref repository repository/default_branch sender sender/login sender/type"),
    ("workflow_dispatch", "ref repository repository/default_branch"),
    ("repository_dispatch", "branch repository repository/default_branch"),
    (
        "workflow_run",
        "repository repository/default_branch workflow_run workflow_run/event workflow_run/head_branch \
         workflow_run/head_sha",
    ),
];

#[test]
fn a_broken_payload_is_refused_in_one_line() {
    let Some(servers) = all() else { return };
    let others = [Value::Null, Value::Bool(true), (-1).into(), "-x\n".into(), Value::Array(vec![])];
    for (name, needed) in NEEDED {
        let payload = &servers["api.github.com"][*name][0];
        let mut refused = BTreeSet::new();
        for path in paths(payload, "", 5) {
            let mut broken = vec![payload.clone(); 1 + others.len()];
            for (broken, other) in broken[1..].iter_mut().zip(&others) {
                *broken.pointer_mut(&path).unwrap() = other.clone();
            }
            let (folder, member) = path.rsplit_once('/').unwrap();
            broken[0].pointer_mut(folder).unwrap().as_object_mut().map(|members| members.remove(member));
            for broken in &broken {
                let Err(error) = parse(name, broken) else { continue };
                refused.insert(path[1..].to_owned());
                let text = error.to_string();
                assert!(text.starts_with(&format!("event {name}: ")) && text.len() < 300, "{text}");
                assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
        let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
        assert_eq!(refused.join(" "), *needed, "{name}");
    }
}

/// JSON pointers to the members of objects, as deep as `depth`, links aside: nothing reads those.
fn paths(value: &Value, at: &str, depth: usize) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    let mut found = Vec::new();
    for (name, member) in
        members.iter().filter(|(name, _)| depth > 0 && !name.ends_with("_url") && !name.contains(['/', '~']))
    {
        let path = format!("{at}/{name}");
        found.extend(paths(member, &path, depth - 1));
        found.push(path);
    }
    found
}
