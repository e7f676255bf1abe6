//! What the API answers, as far as it is used. Facts of the shapes: GitHub's own API description. Unknown members are
//! ignored; what GitHub may leave out or set to null is optional here, and whoever judges decides what that means.

use serde::Deserialize;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Login; GitHub answers `{}` for a commit's author without an account.
    #[serde(default)]
    pub login: Option<String>,
    /// `User`, `Bot`, `Organization`, `Mannequin`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// A review of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: u64,
    /// Who wrote it; none where the account is gone.
    pub user: Option<User>,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`, `PENDING`.
    pub state: String,
    /// The commit that was looked at; none where it is gone.
    #[serde(default)]
    pub commit_id: Option<String>,
    /// When, as RFC 3339 in UTC.
    #[serde(default)]
    pub submitted_at: Option<String>,
    /// What the author is to the repository.
    #[serde(default)]
    pub author_association: Option<String>,
}

/// A commit as the forge sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Commit {
    /// Its id.
    pub sha: String,
    /// The account of its author.
    #[serde(default)]
    pub author: Option<User>,
    /// The account of its committer.
    #[serde(default)]
    pub committer: Option<User>,
    /// Its parents, in order.
    #[serde(default)]
    pub parents: Vec<Parent>,
    /// What git itself holds.
    #[serde(default)]
    pub commit: Option<Message>,
}

/// What git itself holds of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// The message.
    #[serde(default)]
    pub message: String,
}

/// A parent of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Parent {
    /// Its id.
    pub sha: String,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Who opened it; none where the account is gone.
    pub user: Option<User>,
    /// Where it comes from.
    pub head: Tip,
    /// Where it goes.
    pub base: Tip,
    /// Not ready for review.
    #[serde(default)]
    pub draft: bool,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Users asked for a review who have not given one.
    #[serde(default)]
    pub requested_reviewers: Option<Vec<User>>,
    /// Teams asked for a review.
    #[serde(default)]
    pub requested_teams: Option<Vec<Team>>,
    /// Commits; lists of pull requests leave it out.
    #[serde(default)]
    pub commits: u64,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
}

/// Something that happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Happened {
    /// `base_ref_changed`, `head_ref_force_pushed`, `labeled`, …
    #[serde(default)]
    pub event: String,
    /// When; RFC 3339 in UTC.
    #[serde(default)]
    pub created_at: String,
}

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Content {
    /// `base64`, or `none` for a file of over a megabyte.
    #[serde(default)]
    pub encoding: String,
    /// The bytes in that encoding, broken into lines.
    #[serde(default)]
    pub content: String,
}

/// A branch of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tip {
    /// Short name of the branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// The commit.
    pub sha: String,
    /// The repository; none where it is gone.
    #[serde(default)]
    pub repo: Option<Repository>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: String,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Team {
    /// Its short name.
    pub slug: String,
}

/// Something that happened to a branch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Activity {
    /// The commit before; zeros for a new branch.
    pub before: String,
    /// The commit after; zeros for a deleted branch.
    pub after: String,
    /// `refs/heads/…`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `push`, `force_push`, `branch_creation`, `branch_deletion`, `pr_merge`, `merge_queue_merge`.
    #[serde(default)]
    pub activity_type: String,
    /// Who did it; none where the account is gone.
    #[serde(default)]
    pub actor: Option<User>,
}

/// A tree with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tree {
    /// Its entries.
    pub tree: Vec<TreeEntry>,
    /// Whether GitHub left some out.
    pub truncated: bool,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TreeEntry {
    /// Path from the root.
    pub path: String,
    /// Git's mode, octal.
    pub mode: String,
    /// `blob`, `tree`, `commit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Object id.
    pub sha: String,
}

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// Full name.
    #[serde(rename = "ref")]
    pub name: String,
    /// What it points at.
    pub object: Object,
}

/// An object that a reference points at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// Its id.
    pub sha: String,
}

/// The commits between two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Comparison {
    pub commits: Vec<Commit>,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    #[serde(default)]
    pub user: Option<User>,
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
}

/// The check runs of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct CheckRuns {
    pub check_runs: Vec<CheckRunSeen>,
}

/// A check run that stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckRunSeen {
    /// Its id.
    pub id: u64,
    /// `success`, `failure`, `action_required`, …; none while it runs.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// What whoever made it wrote there.
    #[serde(default)]
    pub external_id: Option<String>,
}
