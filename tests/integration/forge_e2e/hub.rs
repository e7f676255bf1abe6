//! A stand-in of GitHub's REST API on this machine, with a memory: what is written to it is read from it again.
//!
//! Paths, members and status codes are those of GitHub's own API description. Commits and trees are answered from a real
//! git repository, so that no test can tell of a history that git could not hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The repository that everything is about.
pub const REPOSITORY: &str = "o/r";
/// A token that must be seen nowhere.
pub const TOKEN: &str = "ghs_sesame0123456789";
/// What GitHub writes where there is no commit.
pub const ZERO: &str = "0000000000000000000000000000000000000000";

/// The server.
pub struct Hub {
    _runtime: tokio::runtime::Runtime,
    server: MockServer,
    state: Arc<Mutex<State>>,
}

/// A pull request.
#[derive(Clone)]
pub struct Pull {
    pub author: String,
    /// `owner/name` of the head branch; none where it is gone.
    pub from: Option<String>,
    /// Short name of the head branch.
    pub branch: String,
    pub head: String,
    /// Short name of the target branch.
    pub base: String,
    pub reviews: Vec<Value>,
    pub labels: Vec<String>,
    /// Logins that are asked for a review.
    pub asked: Vec<String>,
    /// When it got another target branch.
    pub retargeted: Vec<String>,
}

/// What the server remembers.
#[derive(Default)]
pub struct State {
    git: PathBuf,
    pub pulls: BTreeMap<u64, Pull>,
    /// What happened to branches, latest first, by repository.
    pub activity: BTreeMap<String, Vec<Value>>,
    pub comments: Vec<Value>,
    pub checks: Vec<Value>,
    /// Branches of the merge queue: full name and commit.
    pub queue: Vec<(String, String)>,
    /// Answers that come before all else: method, part of the path, answer.
    pub faults: Vec<(&'static str, &'static str, ResponseTemplate)>,
    /// `GET /path`, in order.
    pub log: Vec<String>,
    next: u64,
}

/// An account, as the API writes it.
pub fn user(login: &str) -> Value {
    json!({ "login": login, "id": 1, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } })
}

impl Hub {
    /// A server whose commits are those of a git repository.
    pub fn new(git: &Path) -> Self {
        let state = Arc::new(Mutex::new(State { git: git.to_path_buf(), next: 100, ..State::default() }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let shared = state.clone();
        let answer = move |request: &Request| shared.lock().unwrap().answer(request);
        runtime.block_on(server.register(Mock::given(any()).respond_with(answer)));
        Self { _runtime: runtime, server, state }
    }

    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The requests since this was asked last.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    /// From now on requests of this method whose path holds a text are answered so.
    pub fn fault(&self, method: &'static str, part: &'static str, answer: ResponseTemplate) {
        self.state().faults.push((method, part, answer));
    }
}

impl State {
    /// An id that nothing has yet.
    pub fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let (method, path) = (request.method.as_str(), request.url.path().to_owned());
        self.log.push(format!("{method} {path}"));
        let fault = self.faults.iter().find(|(verb, part, _)| *verb == method && path.contains(part));
        if let Some((.., answer)) = fault {
            return answer.clone();
        }
        if !request.headers.get("authorization").is_some_and(|held| held.as_bytes().ends_with(TOKEN.as_bytes())) {
            return ResponseTemplate::new(401).set_body_json(json!({ "message": "Bad credentials" }));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let answer = match parts.as_slice() {
            ["repos", owner, name, "activity"] => self.activity(&format!("{owner}/{name}"), &query),
            ["repos", "o", "r", rest @ ..] => match (method, rest) {
                ("GET", _) => self.read(rest, &query),
                _ => self.write(method, rest, &body),
            },
            _ => None,
        };
        let missing = || ResponseTemplate::new(404).set_body_json(json!({ "message": "Not Found" }));
        answer.map_or_else(missing, |(status, body)| match status {
            204 => ResponseTemplate::new(204),
            _ => ResponseTemplate::new(status).set_body_json(body),
        })
    }

    fn activity(&self, repository: &str, query: &BTreeMap<String, String>) -> Option<(u16, Value)> {
        let record = self.activity.get(repository)?;
        let wanted = query.get("ref")?;
        Some((200, record.iter().filter(|one| one["ref"] == wanted.as_str()).cloned().collect()))
    }

    fn read(&self, rest: &[&str], query: &BTreeMap<String, String>) -> Option<(u16, Value)> {
        let answer = match rest {
            ["pulls", number] => self.pull(number.parse().ok()?)?,
            ["pulls", number, "reviews"] => Value::Array(self.pulls.get(&number.parse().ok()?)?.reviews.clone()),
            ["pulls", number, "commits"] => {
                let pull = self.pulls.get(&number.parse().ok()?)?;
                self.commits(&format!("origin/{}..{}", pull.base, pull.head))
            }
            ["issues", number, "events"] => {
                let times = &self.pulls.get(&number.parse().ok()?)?.retargeted;
                times.iter().map(|at| json!({ "event": "base_ref_changed", "created_at": at })).collect()
            }
            ["commits", sha, "pulls"] => {
                let with = self.pulls.iter().filter(|(_, pull)| pull.head == *sha);
                with.filter_map(|(number, _)| self.pull(*number)).collect()
            }
            ["contents", path @ ..] => {
                let file = format!("{}:{}", query.get("ref")?, path.join("/"));
                let text = self.git_if(&["show", &file])?;
                let packed = base64::engine::general_purpose::STANDARD.encode(text);
                json!({ "type": "file", "encoding": "base64", "content": packed })
            }
            ["git", "trees", commit] => self.tree(commit),
            ["git", "matching-refs", prefix @ ..] => {
                let prefix = format!("refs/{}", prefix.join("/"));
                let found = self.queue.iter().filter(|(name, _)| name.starts_with(&prefix));
                found.map(|(name, sha)| json!({ "ref": name, "object": { "type": "commit", "sha": sha } })).collect()
            }
            ["compare", both] => {
                let (base, head) = both.split_once("...")?;
                json!({ "commits": self.commits(&format!("{base}..{head}")) })
            }
            ["issues", _, "comments"] => Value::Array(self.comments.clone()),
            ["commits", sha, "check-runs"] => {
                let name = query.get("check_name")?;
                let is_it = |run: &&Value| run["head_sha"] == *sha && run["name"] == name.as_str();
                let runs: Vec<&Value> = self.checks.iter().filter(is_it).collect();
                json!({ "total_count": runs.len(), "check_runs": runs })
            }
            _ => return None,
        };
        Some((200, answer))
    }

    fn write(&mut self, method: &str, rest: &[&str], body: &Value) -> Option<(u16, Value)> {
        let id = self.id();
        match (method, rest) {
            ("POST", ["issues", _, "comments"]) => {
                let comment = json!({ "id": id, "user": user("github-actions[bot]"), "body": body["body"] });
                self.comments.push(comment.clone());
                Some((201, comment))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let comment = self.comments.iter_mut().find(|comment| comment["id"].as_u64() == id.parse().ok())?;
                comment["body"] = body["body"].clone();
                Some((200, comment.clone()))
            }
            ("DELETE", ["issues", "comments", id]) => {
                let at = self.comments.iter().position(|comment| comment["id"].as_u64() == id.parse().ok())?;
                self.comments.remove(at);
                Some((204, Value::Null))
            }
            ("POST", ["check-runs"]) => {
                let mut run = body.clone();
                run["id"] = id.into();
                self.checks.push(run.clone());
                Some((201, run))
            }
            ("POST", ["issues", number, "labels"]) => {
                let pull = self.pulls.get_mut(&number.parse().ok()?)?;
                pull.labels.extend(body["labels"].as_array()?.iter().map(|label| label.as_str().unwrap().to_owned()));
                Some((200, json!([])))
            }
            ("DELETE", ["issues", number, "labels", label]) => {
                let pull = self.pulls.get_mut(&number.parse().ok()?)?;
                pull.labels.retain(|own| own != label);
                Some((200, json!([])))
            }
            ("POST", ["pulls", number, "requested_reviewers"]) => {
                let pull = self.pulls.get_mut(&number.parse().ok()?)?;
                pull.asked.extend(body["reviewers"].as_array()?.iter().map(|login| login.as_str().unwrap().to_owned()));
                Some((201, json!({})))
            }
            _ => None,
        }
    }

    fn pull(&self, number: u64) -> Option<Value> {
        let pull = self.pulls.get(&number)?;
        let repo = pull.from.as_ref().map(|name| json!({ "full_name": name }));
        let labels: Vec<_> = pull.labels.iter().map(|name| json!({ "name": name })).collect();
        let asked: Vec<_> = pull.asked.iter().map(|login| user(login)).collect();
        let commits = self.commits(&format!("origin/{}..{}", pull.base, pull.head));
        Some(json!({
            "number": number, "state": "open", "user": user(&pull.author), "draft": false, "labels": labels,
            "requested_reviewers": asked, "requested_teams": [], "commits": commits.as_array()?.len(),
            "head": { "ref": pull.branch, "sha": pull.head, "repo": repo },
            "base": { "ref": pull.base, "sha": self.git(&["rev-parse", &format!("origin/{}", pull.base)]).trim(),
                      "repo": { "full_name": REPOSITORY } },
        }))
    }

    /// Commits of a range, oldest first. The name of git's author is the login; `A` has no account.
    fn commits(&self, range: &str) -> Value {
        let account = |name: &str| if name == "A" { Value::Null } else { user(name) };
        let text = self.git(&["log", "--topo-order", "--reverse", "--format=%H%x09%an%x09%P%x09%s", range]);
        let commit = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            let parents: Vec<_> = fields[2].split_whitespace().map(|sha| json!({ "sha": sha })).collect();
            json!({ "sha": fields[0], "author": account(fields[1]), "committer": user("web-flow"), "parents": parents,
                    "commit": { "message": fields[3] } })
        };
        text.lines().map(commit).collect()
    }

    fn tree(&self, commit: &str) -> Value {
        let text = self.git(&["ls-tree", "-r", "-t", commit]);
        let entry = |line: &str| {
            let (fields, path) = line.split_once('\t').unwrap();
            let fields: Vec<&str> = fields.split(' ').collect();
            json!({ "mode": fields[0], "type": fields[1], "sha": fields[2], "path": path })
        };
        json!({ "sha": commit, "tree": text.lines().map(entry).collect::<Vec<_>>(), "truncated": false })
    }

    fn git(&self, args: &[&str]) -> String {
        self.git_if(args).unwrap_or_else(|| panic!("git {args:?} fails"))
    }

    fn git_if(&self, args: &[&str]) -> Option<String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.git).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

/// Takes percent-encoding off.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let pair = if *first == b'%' { more.get(..2) } else { None };
        let byte = pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &more[2..] } else { more };
    }
    String::from_utf8(bytes).unwrap()
}
