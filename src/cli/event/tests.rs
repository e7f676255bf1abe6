//! A server made with git, clones of it as shallow as a runner's, and the plans' own refspecs. What is expected is read
//! off the histories, which are drawn beside each test.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::*;
use crate::forge::event::{Planned, Runner};
use crate::revision::Head;
use crate::world::git::GitRepo;
use crate::world::real::tests::TempDir;

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A server that, as GitHub does, hands out commits that are on no branch; and a runner's clone.
struct Forge {
    dir: TempDir,
}

impl Forge {
    fn new() -> Self {
        let forge = Self { dir: TempDir::new() };
        std::fs::create_dir(forge.dir.path().join("server")).unwrap();
        forge.server("init -q");
        forge.server("config uploadpack.allowAnySHA1InWant true");
        forge
    }

    fn git(&self, folder: &str, arguments: &str) -> Option<String> {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.dir.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.dir.path().join(folder));
        for setting in ["user.name=T", "user.email=t@example.org", "init.defaultBranch=main"] {
            command.args(["-c", setting]);
        }
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    fn server(&self, arguments: &str) -> String {
        self.git("server", arguments).unwrap_or_else(|| panic!("git {arguments}"))
    }

    /// A commit on what is checked out, which changes a file of its name.
    fn commit(&self, name: &str) -> String {
        self.dir.write(&format!("server/{name}"), name);
        self.server("add -A");
        self.server(&format!("commit -q -m {name}"));
        self.server("rev-parse HEAD")
    }

    /// GitHub's test merge of a commit into what is checked out, on no branch but its own reference.
    fn test_merge(&self, head: &str) -> String {
        self.server("checkout -q --detach");
        self.server(&format!("merge -q --no-ff -m merge {head}"));
        let merge = self.server("rev-parse HEAD");
        self.server("update-ref refs/pull/7/merge HEAD");
        self.server("checkout -q main");
        merge
    }

    /// A runner's clone of one commit, with nothing of its history.
    fn checkout(&self, what: &str) -> PathBuf {
        let path = self.dir.path().join("runner");
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        self.runner("init -q");
        self.runner(&format!("remote add origin file://{}", self.dir.path().join("server").display()));
        self.runner(&format!("fetch -q --no-tags --depth=1 origin {what}"));
        self.runner("checkout -q --detach FETCH_HEAD");
        path
    }

    fn runner(&self, arguments: &str) -> String {
        self.git("runner", arguments).unwrap_or_else(|| panic!("git {arguments}"))
    }

    fn fetch(&self, plan: &Plan, depth: &str) {
        self.runner(&format!("fetch -q --no-tags {depth} origin {}", plan.fetch.join(" ")));
    }

    fn open(&self, plan: &Plan) -> GitRepo {
        GitRepo::open(&self.dir.path().join("runner"), &protecting(&Env::new(), plan)).unwrap().unwrap()
    }

    /// Base, head and governing as a run in CI has them.
    fn judged(&self, plan: &Plan) -> Result<[String; 3], String> {
        let repo = self.open(plan);
        hold(&repo, plan).map_err(|error| error.to_string())?;
        let (base, governing, _) = revisions(plan);
        let found = revision::resolve(&repo, &base, &Head::Rev(plan.head.clone()), &governing, true);
        let found = found.map_err(|error| error.to_string())?;
        let id = |named: &revision::Named| named.commit().map_or("empty".to_owned(), |id| id.to_string());
        Ok([id(&found.base), id(&found.head), id(&found.governing)])
    }
}

fn plan(name: &str, payload: &Value) -> Plan {
    match Event::parse(name, payload.to_string().as_bytes()).unwrap().plan(&Runner::default()).unwrap() {
        Planned::Judge(plan) => plan,
        Planned::Nothing(why) => panic!("{why}"),
    }
}

fn pull(base: &str, head: &str) -> Value {
    let user = json!({"login": "mallory", "type": "User"});
    json!({
        "action": "synchronize", "sender": user,
        "pull_request": {
            "number": 7, "user": user,
            "base": {"ref": "main", "sha": base, "repo": {"full_name": "acme/shop"}},
            "head": {"ref": "new", "sha": head, "repo": {"full_name": "mallory/shop"}},
        },
    })
}

fn push(before: &str, after: &str, is_forced: bool) -> Value {
    json!({
        "ref": "refs/heads/main", "before": before, "after": after, "forced": is_forced,
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
    })
}

/// ```text
/// one ── two ── three (main)
///   └── head ── later         the test merge is of main and head, then of main and later
/// ```
#[test]
fn a_pull_request_that_is_fetched_as_objects() {
    let forge = Forge::new();
    let one = forge.commit("one");
    forge.server("checkout -q -b new");
    let head = forge.commit("head");
    let later = forge.commit("later");
    forge.server("checkout -q main");
    forge.commit("two");
    let tip = forge.commit("three");
    let merge = forge.test_merge(&head);
    forge.checkout("main");
    let plan = plan("pull_request_target", &pull(&tip, &head));
    let text = forge.judged(&plan).unwrap_err();
    assert!(
        text.ends_with("+refs/heads/main:refs/remotes/origin/main +refs/pull/7/merge:refs/remotes/pull/7/merge"),
        "{text}"
    );
    forge.fetch(&plan, "--depth=1");
    let text = forge.judged(&plan).unwrap_err();
    assert!(text.contains("fetch-depth: 0"), "{text}");
    // A test merge stands on the tip that it was made with: two commits deep is enough.
    forge.fetch(&plan, "--depth=2");
    assert_eq!(forge.judged(&plan).unwrap(), [tip.clone(), merge.clone(), tip.clone()]);
    // Main moves on, and the test merge does not: head is still judged against the newer tip's policy.
    let newer = forge.commit("newer");
    forge.fetch(&plan, "--unshallow");
    assert_eq!(forge.judged(&plan).unwrap(), [tip, merge, newer]);
    // The head that the event is about is no longer the one that is merged, though that one holds it.
    forge.test_merge(&later);
    forge.fetch(&plan, "");
    let text = forge.judged(&plan).unwrap_err();
    assert!(text.starts_with("GitHub's test merge of pull request 7 is not of its head"), "{text}");
    // A reference that is no merge at all.
    forge.server(&format!("update-ref refs/pull/7/merge {one}"));
    forge.fetch(&plan, "");
    assert_eq!(forge.judged(&plan).unwrap_err(), text);
}

/// ```text
/// one ── two ── three (main)
/// ```
#[test]
fn a_push_is_judged_without_its_history() {
    let forge = Forge::new();
    let one = forge.commit("one");
    forge.commit("two");
    let three = forge.commit("three");
    forge.checkout("main");
    let plan = plan("push", &push(&one, &three, false));
    forge.fetch(&plan, "--depth=1");
    assert_eq!(forge.judged(&plan).unwrap(), [one.clone(), three.clone(), one]);
    let first = super::tests::plan("push", &push(ZERO, &three, false));
    assert_eq!(forge.judged(&first).unwrap(), ["empty".to_owned(), three, "empty".to_owned()]);
}

/// ```text
/// one ── mended (was main)
///   └── other (main)
/// ```
#[test]
fn a_force_push_is_compared_with_what_stood_there() {
    let forge = Forge::new();
    let one = forge.commit("one");
    let mended = forge.commit("mended");
    forge.server(&format!("reset -q --hard {one}"));
    let other = forge.commit("other");
    forge.checkout("main");
    let plan = plan("push", &push(&mended, &other, true));
    forge.runner("fetch -q --no-tags origin +refs/heads/main:refs/remotes/origin/main");
    let text = forge.judged(&plan).unwrap_err();
    let expected = format!(
        "{mended}, which stood on the protected branch before this push, is not here: git fetch origin {mended}"
    );
    assert_eq!(text, expected);
    forge.fetch(&plan, "--depth=1");
    assert_eq!(forge.judged(&plan).unwrap(), [mended.clone(), other, mended.clone()]);
    // Set back to where it was: against the merge base nothing would have changed.
    forge.server(&format!("reset -q --hard {one}"));
    let back = super::tests::plan("push", &push(&mended, &one, true));
    forge.fetch(&back, "--depth=1");
    assert_eq!(forge.judged(&back).unwrap(), [mended.clone(), one, mended]);
}

/// ```text
/// one (main) ── first ── second     the queue holds two groups
/// ```
#[test]
fn a_merge_group_is_judged_with_what_is_before_it() {
    let forge = Forge::new();
    let one = forge.commit("one");
    forge.server("checkout -q --detach");
    let first = forge.commit("first");
    let second = forge.commit("second");
    forge.server("update-ref refs/heads/gh-readonly-queue/main/pr-8-x HEAD");
    let group = |base: &str| {
        json!({
            "action": "checks_requested", "repository": {"full_name": "acme/shop"},
            "merge_group": {
                "base_ref": "refs/heads/main", "base_sha": base,
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-8-x", "head_sha": second,
            },
        })
    };
    forge.checkout("refs/heads/gh-readonly-queue/main/pr-8-x");
    let plan = plan("merge_group", &group(&first));
    forge.fetch(&plan, "--unshallow");
    assert_eq!(forge.judged(&plan).unwrap(), [one.clone(), second.clone(), one]);
    forge.server("checkout -q main");
    let stranger = forge.commit("stranger");
    forge.runner("fetch -q origin +refs/heads/main:refs/remotes/origin/main");
    let text = forge.judged(&super::tests::plan("merge_group", &group(&stranger))).unwrap_err();
    assert_eq!(text, format!("the merge group {second} does not hold {stranger}, which it was made on"));
}

#[test]
fn only_a_runner_has_events() {
    let dir = TempDir::new();
    dir.write("event.json", &push(ZERO, &"a".repeat(40), false).to_string());
    let path = dir.path().join("event.json").display().to_string();
    let env = |pairs: &[(&str, &str)]| -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let (actions, name) = (("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"));
    let at = ("GITHUB_EVENT_PATH", path.as_str());
    assert!(matches!(of(&env(&[actions, name, at])), Ok(Some(Event::Push(_)))));
    assert!(matches!(of(&env(&[name, at])), Ok(None)));
    assert!(matches!(of(&env(&[actions, name])), Ok(None)));
    let undecided = |pairs: &[(&str, &str)]| match of(&env(pairs)) {
        Err(Error::Undecided(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(undecided(&[actions, at]), "GITHUB_EVENT_NAME is not set");
    assert!(undecided(&[actions, name, ("GITHUB_EVENT_PATH", "/absent")]).starts_with("GITHUB_EVENT_PATH: /absent: "));
    assert!(matches!(of(&env(&[actions, ("GITHUB_EVENT_NAME", "issues"), at])), Err(Error::Usage(_))));
}
