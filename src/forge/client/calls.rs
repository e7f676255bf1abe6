//! One method a question. Paths and parameters: GitHub's API description. Permissions: GitHub's documentation,
//! "Permissions required for GitHub Apps".

use http::Method;
use serde::Serialize;
use serde_json::json;

use crate::model::review::is_name;

use base64::Engine as _;

use super::super::graph::Difference;
use super::types::{CheckRuns, Comparison, Content, Happened, Reference};
use super::{
    Activity, Ask, CheckRunSeen, Client, Comment, Commit, Failed, Kind, PullRequest, Review, Tree, User, escape, is_sha,
};

const PULLS_READ: &str = "pull-requests: read";
const PULLS_WRITE: &str = "pull-requests: write";
const CONTENTS_READ: &str = "contents: read";
const CHECKS_READ: &str = "checks: read";
const CHECKS_WRITE: &str = "checks: write";
const MEMBERS_READ: &str = "members: read";

/// A check run to be made.
#[derive(Debug, Clone, Serialize)]
pub struct CheckRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// The commit it is about.
    pub head_sha: &'a str,
    /// `success`, `action_required`, `failure`.
    pub conclusion: &'a str,
    /// What to know it by.
    pub external_id: &'a str,
    /// Title, summary and annotations, as GitHub's description has them.
    pub output: serde_json::Value,
}

impl Client {
    /// A pull request.
    ///
    /// # Errors
    /// [`Failed`], as every method here.
    pub fn pull(&self, number: u64) -> Result<PullRequest, Failed> {
        self.one(&self.get(format!("/pulls/{number}"), format!("pull request {number}"), PULLS_READ))
    }

    /// A pull request as the forge sends it, for [`crate::forge::event::Run::resolve`].
    ///
    /// # Errors
    /// [`Failed`].
    pub fn pull_bytes(&self, number: u64) -> Result<Vec<u8>, Failed> {
        let ask = self.get(format!("/pulls/{number}"), format!("pull request {number}"), PULLS_READ);
        self.call(&ask).map(|answer| answer.body)
    }

    /// All reviews of a pull request, oldest first.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn reviews(&self, number: u64) -> Result<Vec<Review>, Failed> {
        let what = format!("the reviews of pull request {number}");
        self.pages(self.get(format!("/pulls/{number}/reviews"), what, PULLS_READ), |page: Vec<Review>| page)
    }

    /// The commits of a pull request. GitHub lists 250 of them at the most.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn commits(&self, number: u64) -> Result<Vec<Commit>, Failed> {
        let what = format!("the commits of pull request {number}");
        self.pages(self.get(format!("/pulls/{number}/commits"), what, PULLS_READ), |page: Vec<Commit>| page)
    }

    /// When a pull request got another target branch, if ever, latest; RFC 3339 in UTC.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn retargeted(&self, number: u64) -> Result<Option<String>, Failed> {
        let what = format!("what happened to pull request {number}");
        let all =
            self.pages(self.get(format!("/issues/{number}/events"), what, PULLS_READ), |page: Vec<Happened>| page)?;
        let times =
            all.into_iter().filter(|happened| happened.event == "base_ref_changed").map(|happened| happened.created_at);
        Ok(times.max())
    }

    /// A text file of a commit; none where there is no such file.
    ///
    /// # Errors
    /// [`Failed`]; also for what is no text, or over a megabyte.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<String>, Failed> {
        let what = format!("{path} of a commit");
        let at = format!("/contents/{}?ref={}", escape(path).replace("%2F", "/"), sha(commit, &what)?);
        let content: Content = match self.one(&self.get(at, what.clone(), CONTENTS_READ)) {
            Ok(content) => content,
            Err(failed) if failed.kind == Kind::Missing => return Ok(None),
            Err(failed) => return Err(failed),
        };
        let packed: String = content.content.split_ascii_whitespace().collect();
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(packed).ok().filter(|_| content.encoding == "base64");
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Some).ok_or_else(|| Failed::new(Kind::Invalid, format!("{what} is not sent as text")))
    }

    /// The commits that `head` has and `base` has not, oldest first.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn compare(&self, base: &str, head: &str) -> Result<Vec<Commit>, Failed> {
        let what = "the commits between two".to_owned();
        let path = format!("/compare/{}...{}", sha(base, &what)?, sha(head, &what)?);
        self.pages(self.get(path, what, CONTENTS_READ), |page: Comparison| page.commits)
    }

    /// How the forge's dependency graph differs between two commits.
    ///
    /// # Errors
    /// [`Failed`]; [`Kind::Forbidden`] or [`Kind::Missing`] where the graph is switched off.
    pub fn dependency_changes(&self, base: &str, head: &str) -> Result<Vec<Difference>, Failed> {
        let what = "the dependency graph between two commits".to_owned();
        let path = format!("/dependency-graph/compare/{}...{}", sha(base, &what)?, sha(head, &what)?);
        self.pages(self.get(path, what, CONTENTS_READ), |page: Vec<Difference>| page)
    }

    /// What happened to a branch of a repository (`owner/name`, which may be a fork), latest first. A token of the base
    /// repository reads it of public forks; of a private fork it does not.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn activity(&self, repository: &str, branch: &str) -> Result<Vec<Activity>, Failed> {
        let what = "who pushed to the head branch".to_owned();
        let Some((owner, name)) = repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name))
        else {
            return Err(Failed::new(Kind::Invalid, format!("{what}: its repository has no name that GitHub allows")));
        };
        let reference = format!("refs/heads/{branch}");
        let path = format!("/repos/{owner}/{name}/activity?ref={}", escape(&reference));
        let ask = Ask { method: Method::GET, path, body: None, what, needs: CONTENTS_READ };
        let mut record = self.pages(ask, |page: Vec<Activity>| page)?;
        // A server that does not know the filter would mix other branches' pushes in.
        record.retain(|activity| activity.reference == reference);
        Ok(record)
    }

    /// The logins of a team's members, those of teams below it among them. One list is asked for, and not each login's
    /// membership: anybody may approve a public pull request, and each who does would cost a request.
    ///
    /// # Errors
    /// [`Failed`]; [`Kind::Missing`] also where the token does not see the team.
    pub fn members(&self, org: &str, team: &str) -> Result<Vec<String>, Failed> {
        let what = format!("the members of @{}/{}", plain_name(org), plain_name(team));
        if [org, team].into_iter().any(|part| !is_name(part) || part.ends_with(']')) {
            return Err(Failed::new(Kind::Invalid, format!("{what}: no name that GitHub allows")));
        }
        let path = format!("/orgs/{org}/teams/{team}/members");
        let ask = Ask { method: Method::GET, path, body: None, what, needs: MEMBERS_READ };
        let members = self.pages(ask, |page: Vec<User>| page)?;
        Ok(members.into_iter().filter_map(|user| user.login).collect())
    }

    /// Everything below a commit's tree.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn tree(&self, commit: &str) -> Result<Tree, Failed> {
        let what = "the files of a commit".to_owned();
        let path = format!("/git/trees/{}?recursive=1", sha(commit, &what)?);
        self.one(&self.get(path, what, CONTENTS_READ))
    }

    /// The branches of a base branch's merge queue: short name below the queue's folder, and commit. GitHub alone may
    /// write them.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn queue(&self, base: &str) -> Result<Vec<(String, String)>, Failed> {
        let prefix = format!("heads/gh-readonly-queue/{base}/");
        let path = format!("/git/matching-refs/{}", escape(&prefix));
        let all: Vec<Reference> = self.one(&self.get(path, "the merge queue's branches".to_owned(), CONTENTS_READ))?;
        let full = format!("refs/{prefix}");
        let short = |reference: Reference| Some((reference.name.strip_prefix(&full)?.to_owned(), reference.object.sha));
        Ok(all.into_iter().filter_map(short).collect())
    }

    /// The pull requests that a commit belongs to.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn pulls_of(&self, commit: &str) -> Result<Vec<PullRequest>, Failed> {
        let what = "the pull requests of a commit".to_owned();
        let path = format!("/commits/{}/pulls", sha(commit, &what)?);
        self.pages(self.get(path, what, PULLS_READ), |page: Vec<PullRequest>| page)
    }

    /// The open pull requests from a branch of a repository of `owner`'s: also from forks, of which
    /// [`Client::pulls_of`] may not know.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn pulls_from(&self, owner: &str, branch: &str) -> Result<Vec<PullRequest>, Failed> {
        let path = format!("/pulls?state=open&head={}", escape(&format!("{owner}:{branch}")));
        let what = "the pull requests from the head branch".to_owned();
        self.pages(self.get(path, what, PULLS_READ), |page: Vec<PullRequest>| page)
    }

    /// The login that the token stands for. Tokens of applications, `GITHUB_TOKEN` among them, stand for none.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn own_login(&self) -> Result<Option<String>, Failed> {
        let what = "whose token this is".to_owned();
        let ask = Ask { method: Method::GET, path: "/user".to_owned(), body: None, what, needs: "a user's token" };
        self.one::<User>(&ask).map(|user| user.login)
    }

    /// The comments on a pull request, oldest first.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn comments(&self, number: u64) -> Result<Vec<Comment>, Failed> {
        let what = format!("the comments on pull request {number}");
        self.pages(self.get(format!("/issues/{number}/comments"), what, PULLS_READ), |page: Vec<Comment>| page)
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn comment(&self, number: u64, text: &str) -> Result<(), Failed> {
        let path = format!("/issues/{number}/comments");
        self.done(&self.write(Method::POST, path, Some(json!({ "body": text })), "the comment", PULLS_WRITE))
    }

    /// Writes another text over a comment.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn change_comment(&self, id: u64, text: &str) -> Result<(), Failed> {
        let path = format!("/issues/comments/{id}");
        self.done(&self.write(Method::PATCH, path, Some(json!({ "body": text })), "the comment", PULLS_WRITE))
    }

    /// Removes a comment. One that is gone is removed.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn remove_comment(&self, id: u64) -> Result<(), Failed> {
        let path = format!("/issues/comments/{id}");
        gone(self.done(&self.write(Method::DELETE, path, None, "the removal of a comment", PULLS_WRITE)))
    }

    /// The latest check runs of a name on a commit.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn check_runs(&self, commit: &str, name: &str) -> Result<Vec<CheckRunSeen>, Failed> {
        let what = "the check runs of a commit".to_owned();
        let path = format!("/commits/{}/check-runs?filter=latest&check_name={}", sha(commit, &what)?, escape(name));
        self.pages(self.get(path, what, CHECKS_READ), |page: CheckRuns| page.check_runs)
    }

    /// Makes a check run and answers its id.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn check_run(&self, run: &CheckRun<'_>) -> Result<u64, Failed> {
        let body = serde_json::to_value(run).unwrap_or_default();
        let ask = self.write(Method::POST, "/check-runs".to_owned(), Some(body), "the check run", CHECKS_WRITE);
        self.one::<CheckRunSeen>(&ask).map(|run| run.id)
    }

    /// Adds annotations to a check run. `output` repeats title and summary, which GitHub demands.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn annotate(&self, id: u64, output: &serde_json::Value) -> Result<(), Failed> {
        let path = format!("/check-runs/{id}");
        let body = Some(json!({ "output": output }));
        self.done(&self.write(Method::PATCH, path, body, "further annotations of the check run", CHECKS_WRITE))
    }

    /// Adds a label; GitHub makes it where the repository has none of that name.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn add_label(&self, number: u64, name: &str) -> Result<(), Failed> {
        let path = format!("/issues/{number}/labels");
        let body = Some(json!({ "labels": [name] }));
        self.done(&self.write(Method::POST, path, body, "the label", PULLS_WRITE))
    }

    /// Takes a label off. One that is not there is off.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn remove_label(&self, number: u64, name: &str) -> Result<(), Failed> {
        let path = format!("/issues/{number}/labels/{}", escape(name));
        gone(self.done(&self.write(Method::DELETE, path, None, "the removal of a label", PULLS_WRITE)))
    }

    /// Asks for reviews.
    ///
    /// # Errors
    /// [`Failed`]; [`Kind::Invalid`] where somebody cannot be asked, and then nobody is.
    pub fn request_reviews(&self, number: u64, users: &[&str], teams: &[&str]) -> Result<(), Failed> {
        let path = format!("/pulls/{number}/requested_reviewers");
        let body = Some(json!({ "reviewers": users, "team_reviewers": teams }));
        self.done(&self.write(Method::POST, path, body, "the request for a review", PULLS_WRITE))
    }

    /// A question about the repository.
    pub(super) fn get(&self, path: String, what: String, needs: &'static str) -> Ask {
        let path = format!("/repos/{}/{}{path}", self.owner, self.name);
        Ask { method: Method::GET, path, body: None, what, needs }
    }

    pub(super) fn write(
        &self,
        method: Method,
        path: String,
        body: Option<serde_json::Value>,
        what: &str,
        needs: &'static str,
    ) -> Ask {
        let body = body.map(|body| body.to_string());
        Ask { method, body, ..self.get(path, what.to_owned(), needs) }
    }
}

/// What is gone already needs no removal.
fn gone(done: Result<(), Failed>) -> Result<(), Failed> {
    match done {
        Err(failed) if failed.kind == Kind::Missing => Ok(()),
        other => other,
    }
}

fn sha<'a>(text: &'a str, what: &str) -> Result<&'a str, Failed> {
    if is_sha(text) { Ok(text) } else { Err(Failed::new(Kind::Invalid, format!("{what}: no commit id"))) }
}

fn plain_name(name: &str) -> &str {
    if is_name(name) { name } else { "?" }
}
