//! A protected branch, pull requests towards it, and the runner that judges them.

use serde_json::{Value, json};

use super::hub::{Hub, Pull, REPOSITORY, TOKEN, ZERO, user};
use crate::harness::{Out, Project, Repo, change, checksum, findings};

/// A repository, the forge that it is on, and its runner.
pub struct Scene {
    pub repo: Repo,
    pub hub: Hub,
    /// Whom events name as having caused them.
    pub sender: &'static str,
}

/// What one run of the check said.
pub struct Told {
    pub out: Out,
    pub verdict: Value,
    /// The requests that it made.
    pub log: Vec<String>,
}

/// Settings that name reviewers.
pub fn naming(reviewers: &[&str]) -> String {
    format!("reviewers = {reviewers:?}\n")
}

/// An entry for a package and what it brings, looked at in depth.
pub fn entry(by: &str, name: &str, version: &str, brings: &[(&str, &str)]) -> String {
    let bound = |name: &str, version: &str| {
        format!("package = \"pkg:cargo/{name}@{version}\", checksum = \"sha256:{}\"", checksum(name, version))
    };
    let closure: Vec<_> = brings.iter().map(|(name, version)| format!("{{ {} }}", bound(name, version))).collect();
    format!(
        "[[approval]]\n{}\nclosure = [{}]\ndepth = \"inspected\"\nby = \"{by}\"\non = 2026-08-20\nreason = \"read\"\n\n",
        bound(name, version).replace(", ", "\n"),
        closure.join(", ")
    )
}

/// The entry for [`Project::with_new_library`].
pub fn leftpad(by: &str) -> String {
    entry(by, "leftpad-rs", "0.3.1", &[("pad-core", "0.2.0")])
}

/// A waiver.
pub fn waiver(by: &str, rule: &str, subject: &str) -> String {
    format!(
        "[[waiver]]\nrule = \"{rule}\"\nsubject = \"{subject}\"\nby = \"{by}\"\non = 2026-08-20\nreason = \"known\"\n\
         expires = 2099-12-31\n\n"
    )
}

/// Times rise with ids, so that the latest is what was written last.
fn time(id: u64) -> String {
    format!("2026-11-22T10:{:02}:{:02}Z", id / 60 % 60, id % 60)
}

pub const LEDGER: &str = ".portcullis/ledger.toml";
pub const CONFIG: &str = ".portcullis/config.toml";

/// Writes a new library and its entry.
pub fn library(by: &str) -> impl FnOnce(&Repo) {
    let entry = leftpad(by);
    move |repo| {
        repo.put(&Project::with_new_library());
        repo.write(LEDGER, entry);
    }
}

impl Scene {
    /// A protected branch whose settings name these reviewers; none where git is absent.
    pub fn naming(reviewers: &[&str]) -> Option<Self> {
        let config = naming(reviewers);
        Self::new(|repo| repo.write(CONFIG, &config))
    }

    /// A protected branch with a project and what `edit` writes.
    pub fn new(edit: impl FnOnce(&Repo)) -> Option<Self> {
        let repo = Repo::cloned()?;
        let hub = Hub::new(repo.root());
        let scene = Self { repo, hub, sender: "olga" };
        scene.protected("main", edit);
        Some(scene)
    }

    /// A commit on a protected branch, pushed.
    pub fn protected(&self, branch: &str, edit: impl FnOnce(&Repo)) -> String {
        let git = |args: &[&str]| self.repo.git(args);
        let is_there = !git(&["branch", "--list", branch]).is_empty();
        if is_there {
            git(&["checkout", "-q", branch]);
        } else {
            git(&["checkout", "-q", "-b", branch, "origin/main"]);
        }
        edit(&self.repo);
        let id = self.repo.commit("on the protected branch");
        git(&["update-ref", &format!("refs/remotes/origin/{branch}"), &id]);
        id
    }

    /// Opens a pull request of olga's from a fork.
    pub fn open(&self, number: u64, edit: impl FnOnce(&Repo)) -> String {
        self.open_as(number, "olga", "olga", "olga", edit)
    }

    /// Opens a pull request that one opened, another is the author of and a third pushed.
    pub fn open_as(&self, number: u64, opener: &str, writer: &str, pusher: &str, edit: impl FnOnce(&Repo)) -> String {
        let branch = format!("fix-{number}");
        self.repo.git(&["checkout", "-q", "-b", &branch, "origin/main"]);
        let head = self.committed(writer, edit);
        let pull = Pull {
            author: opener.to_owned(),
            from: Some("olga/r".to_owned()),
            branch,
            head: head.clone(),
            base: "main".to_owned(),
            reviews: Vec::new(),
            labels: Vec::new(),
            asked: Vec::new(),
            retargeted: Vec::new(),
        };
        self.hub.state().pulls.insert(number, pull);
        self.moved(number, "branch_creation", ZERO, &head, pusher);
        head
    }

    /// Pushes another commit.
    pub fn push(&self, number: u64, pusher: &str, edit: impl FnOnce(&Repo)) -> String {
        self.repo.git(&["checkout", "-q", &format!("fix-{number}")]);
        let head = self.committed("olga", edit);
        self.lands(number, "push", head, pusher)
    }

    /// Replaces what was pushed by one commit on the present protected branch.
    pub fn force(&self, number: u64, pusher: &str, edit: impl FnOnce(&Repo)) -> String {
        self.repo.git(&["checkout", "-q", "-B", &format!("fix-{number}"), "origin/main"]);
        let head = self.committed("olga", edit);
        self.lands(number, "force_push", head, pusher)
    }

    fn committed(&self, writer: &str, edit: impl FnOnce(&Repo)) -> String {
        edit(&self.repo);
        self.repo.git(&["add", "-A"]);
        let author = format!("{writer} <{}@example.com>", writer.trim_end_matches("[bot]"));
        self.repo.git(&["commit", "-q", "--allow-empty", "-m", "a change", "--author", &author]);
        self.repo.git(&["rev-parse", "HEAD"])
    }

    fn lands(&self, number: u64, kind: &str, head: String, pusher: &str) -> String {
        let before = {
            let mut state = self.hub.state();
            std::mem::replace(&mut state.pulls.get_mut(&number).unwrap().head, head.clone())
        };
        self.moved(number, kind, &before, &head, pusher);
        head
    }

    /// Notes who moved a head branch, as the forge's record has it.
    fn moved(&self, number: u64, kind: &str, before: &str, after: &str, pusher: &str) {
        let mut state = self.hub.state();
        let pull = &state.pulls[&number];
        let (from, reference) = (pull.from.clone().unwrap(), format!("refs/heads/{}", pull.branch));
        let one = json!({ "before": before, "after": after, "ref": reference, "activity_type": kind,
                          "actor": user(pusher) });
        state.activity.entry(from).or_default().insert(0, one);
    }

    /// Somebody reviews what is the head now. Answers the review's id.
    pub fn review(&self, number: u64, login: &str, word: &str) -> u64 {
        let mut state = self.hub.state();
        let id = state.id();
        let pull = state.pulls.get_mut(&number).unwrap();
        let time = time(id);
        pull.reviews.push(json!({ "id": id, "user": user(login), "state": word, "commit_id": pull.head,
                                  "submitted_at": time }));
        id
    }

    pub fn approve(&self, number: u64, login: &str) -> u64 {
        self.review(number, login, "APPROVED")
    }

    /// Gives a pull request another target branch.
    pub fn retarget(&self, number: u64, base: &str) {
        let mut state = self.hub.state();
        let id = state.id();
        let pull = state.pulls.get_mut(&number).unwrap();
        pull.base = base.to_owned();
        pull.retargeted.push(time(id));
    }

    /// Dismisses all of somebody's reviews.
    pub fn dismiss(&self, number: u64, login: &str) {
        let mut state = self.hub.state();
        let reviews = &mut state.pulls.get_mut(&number).unwrap().reviews;
        for review in reviews.iter_mut().filter(|review| review["user"]["login"] == login) {
            review["state"] = "DISMISSED".into();
        }
    }

    /// GitHub's test merge, checked out.
    pub fn merged(&self, number: u64) -> String {
        let base = self.hub.state().pulls[&number].base.clone();
        self.repo.git(&["checkout", "-q", "--detach", &format!("origin/{base}")]);
        self.repo.git(&["merge", "-q", "--no-ff", "-m", "test merge", &format!("fix-{number}")]);
        let merge = self.repo.git(&["rev-parse", "HEAD"]);
        self.repo.git(&["update-ref", &format!("refs/remotes/pull/{number}/merge"), &merge]);
        merge
    }

    /// Judges a pull request on an event, with the forge.
    #[track_caller]
    pub fn judge(&mut self, number: u64, event: &str, action: &str, code: i32) -> Told {
        self.prepare(number, event, action);
        self.told(&["--forge"], code)
    }

    /// Judges a pull request after it was opened or pushed to.
    #[track_caller]
    pub fn pushed(&mut self, number: u64, code: i32) -> Told {
        self.judge(number, "pull_request", "synchronize", code)
    }

    /// Judges a pull request after a review.
    #[track_caller]
    pub fn reviewed(&mut self, number: u64, code: i32) -> Told {
        self.judge(number, "pull_request_review", "submitted", code)
    }

    /// Makes the runner ready for an event of a pull request.
    pub fn prepare(&mut self, number: u64, event: &str, action: &str) {
        let merge = self.merged(number);
        let pull = self.hub.state().pulls[&number].clone();
        let base = self.repo.git(&["rev-parse", &format!("origin/{}", pull.base)]);
        let from = pull.from.as_ref().map(|name| json!({ "id": 10, "full_name": name, "fork": true }));
        let payload = json!({
            "action": action, "number": number,
            "pull_request": {
                "number": number, "user": user(&pull.author), "draft": false, "merged": false, "merge_commit_sha": null,
                "base": { "ref": pull.base, "sha": base, "repo": { "id": 9, "full_name": REPOSITORY, "fork": false } },
                "head": { "ref": pull.branch, "sha": pull.head, "repo": from },
            },
            "repository": { "id": 9, "full_name": REPOSITORY, "default_branch": "main" },
            "sender": user(self.sender),
        });
        // pull_request_target runs on the target branch, the others on the test merge.
        let (reference, sha) = if event == "pull_request_target" {
            (format!("refs/heads/{}", pull.base), base)
        } else {
            (format!("refs/pull/{number}/merge"), merge)
        };
        self.runner(event, &payload, &reference, &sha, &pull.base);
    }

    /// The environment and the file that a runner has for an event.
    pub fn runner(&mut self, event: &str, payload: &Value, reference: &str, sha: &str, base: &str) {
        let file = self.repo.beside("event.json");
        std::fs::write(&file, payload.to_string()).unwrap();
        let api = self.hub.url();
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", file.to_str().unwrap()),
            ("GITHUB_API_URL", &api),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_TOKEN", TOKEN),
            ("GITHUB_REF", reference),
            ("GITHUB_SHA", sha),
            ("GITHUB_BASE_REF", base),
        ] {
            self.repo.machine.set(name, value);
        }
    }

    /// Runs the check, however it ends.
    pub fn run(&self, args: &[&str]) -> Out {
        let out = self.repo.run_at_once(&[&["check", "--report", "json"], args].concat());
        assert!(!out.stdout.contains(TOKEN) && !out.stderr.contains(TOKEN), "the token is shown");
        out
    }

    /// Demands that a run whose event is out of date decides nothing and writes nothing.
    #[track_caller]
    pub fn is_out_of_date(&self) {
        self.hub.log();
        let out = self.run(&["--forge"]);
        assert_eq!((out.code, out.stdout.as_str()), (3, ""), "{}", out.stderr);
        let log = self.hub.log();
        assert!(log.iter().all(|line| line.starts_with("GET ")), "{log:?}");
        out.says("moved on");
    }

    /// Runs the check on the event that the runner is ready for.
    #[track_caller]
    pub fn told(&self, args: &[&str], code: i32) -> Told {
        self.hub.log();
        let out = self.run(args).exits(code);
        let verdict = out.json();
        Told { verdict, log: self.hub.log(), out }
    }
}

impl Told {
    pub fn decision(&self) -> &str {
        self.verdict["decision"].as_str().unwrap()
    }

    /// Which ledger entry covers a package; none where none does.
    #[track_caller]
    pub fn cover(&self, name: &str) -> Option<&str> {
        change(&self.verdict, name)["review"]["cleared_by"].as_str()
    }

    pub fn findings(&self, rule: &str) -> Vec<&Value> {
        findings(&self.verdict, rule)
    }

    /// Rules with findings that block, each once.
    pub fn blocking(&self) -> Vec<&str> {
        let all = self.verdict["findings"].as_array().unwrap();
        let blocks = all.iter().filter(|finding| finding["blocks"] == true);
        let mut rules: Vec<_> = blocks.map(|finding| finding["rule"].as_str().unwrap()).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// Logins whose approval counts, pull request by pull request.
    pub fn approvers(&self) -> Vec<(u64, Vec<&str>)> {
        fn logins(one: &Value) -> (u64, Vec<&str>) {
            let approvals = one["approvals"].as_array().unwrap();
            (one["pull"].as_u64().unwrap(), approvals.iter().map(|by| by["login"].as_str().unwrap()).collect())
        }
        self.verdict["reviews"].as_array().map(|all| all.iter().map(logins).collect()).unwrap_or_default()
    }

    /// Everything that is said about reviews that do not count or were not read.
    pub fn remarks(&self) -> String {
        let said = self.verdict["reviews"].as_array().into_iter().flatten().map(|one| one["remarks"].to_string());
        let skipped = self.verdict["coverage"]["checks_skipped"].as_array().unwrap().iter();
        let skipped = skipped.filter(|one| one["check"] == "reviews").map(|one| one["reason"].to_string());
        said.chain(skipped).collect::<Vec<_>>().join("\n")
    }

    /// The requests that write.
    pub fn written(&self) -> Vec<&str> {
        self.log.iter().map(String::as_str).filter(|line| !line.starts_with("GET ")).collect()
    }

    /// Demands that nobody's approval counted: the library stays open, and so does the change to the gate.
    #[track_caller]
    pub fn is_refused(&self) {
        assert_eq!(self.decision(), "review", "{:#}", self.verdict);
        assert_eq!(self.cover("leftpad-rs"), None, "{:#}", self.verdict);
        assert_eq!(self.blocking(), ["gate-changed", "library-unreviewed"], "{:#}", self.verdict);
        assert!(self.approvers().iter().all(|(_, logins)| logins.is_empty()), "{:?}", self.approvers());
    }

    /// Demands that the library is covered and the change to the gate is cleared by these.
    #[track_caller]
    pub fn is_let_in(&self, login: &str, review: u64, pull: u64) {
        assert_eq!(self.decision(), "allow", "{:#}", self.verdict);
        assert!(self.cover("leftpad-rs").is_some() && self.cover("pad-core").is_some(), "{:#}", self.verdict);
        let gate = self.findings("gate-changed");
        assert_eq!(gate.len(), 1, "{:#}", self.verdict);
        assert_eq!(gate[0]["cleared_by"], json!({ "login": login, "review": review, "pull": pull }));
        assert_eq!(gate[0]["blocks"], false);
        assert_eq!(self.approvers(), [(pull, vec![login])]);
    }
}
