//! Says the verdict on the forge: one comment, a check run, labels, requests for reviews.
//!
//! Nothing here changes the verdict. What could not be said becomes a line, and the rest goes on; a token that may only
//! read (a fork's) gives one line for everything it may not write.
//!
//! - **Stale runs say nothing.** Where the pull request's head is no longer the judged commit, another run speaks.
//! - **One comment.** It begins with [`MARKER`]. Anybody can write that, so a comment is ours only where its author is
//!   the token's own user or, for tokens of applications, which have none (`GITHUB_TOKEN`), an application. It is
//!   updated in place, left alone where its text is equal, removed where there is nothing to say, and doubles of it are
//!   removed. Where ours turns out not to be, it is written anew.
//! - **A check run** is made where there are findings, and where an earlier one on the same commit says otherwise than
//!   this verdict; GitHub shows the latest of a name. It is known again by [`CheckRun::external_id`], a digest of what it
//!   says, so that a run without news makes none. (Changing the earlier one would add to its annotations.)
//! - **Labels** are kept in step with the decision.
//! - **Reviews** are requested from the named reviewers where the decision is `review`: not of the author, not for a
//!   draft, not of who is asked already or has answered; a team not where anybody else has answered, for GitHub does
//!   not say for which team.
//!
//! Where there is nothing to say, three requests find that out: the pull request, its comments, its check runs.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::client::{CheckRun, Client, Comment, Failed, Kind, PullRequest};
use crate::model::review::Owner;
use crate::report::github::Annotation;

/// What our comment begins with.
pub const MARKER: &str = "<!-- portcullis:verdict -->";
/// The name of the check run.
pub const CHECK: &str = "portcullis";
/// The labels, by decision.
pub const LABELS: [(&str, &str); 2] = [("review", "portcullis: review"), ("deny", "portcullis: deny")];

/// Annotations of one request (GitHub's API description, "Create a check run").
const BATCH: usize = 50;
/// Annotations of a check run, at the most.
const MOST_ANNOTATIONS: usize = 1_000;
/// Longest comment and summary, in bytes: GitHub takes 65,535 characters.
const LONGEST: usize = 65_000;
/// Reviewers that are asked, at the most.
const MOST_ASKED: usize = 15;

const PULLS: &str = "pull-requests: write";
const CHECKS: &str = "checks: write";

/// What the verdict is about.
#[derive(Debug, Clone)]
pub struct Target {
    /// The pull request; none for a merge group or a push, which have a check run alone.
    pub number: Option<u64>,
    /// The commit that carries the check run: a pull request's own head, not the test merge.
    pub sha: String,
}

/// When there is a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On every pull request.
    Always,
    /// Where there are findings.
    OnFindings,
    /// Never; one that stands is left alone.
    Never,
}

/// What is to be said.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The rendered verdict, safe to show.
    pub markdown: &'a str,
    /// `allow`, `review`, `deny`, `incomplete`.
    pub decision: &'a str,
    /// One line.
    pub title: &'a str,
    /// Most important first.
    pub annotations: &'a [Annotation],
    /// When there is a comment.
    pub comment: When,
    /// Who may approve.
    pub reviewers: &'a [Owner],
    /// Whether there is nothing to say.
    pub is_clean: bool,
}

/// Says it, and answers a line for each thing that could not be said.
pub fn talk(client: &Client, target: &Target, message: &Message<'_>) -> Vec<String> {
    let mut talk = Talk { client, message, lines: Vec::new(), barred: Vec::new(), reason: None, is_over: false };
    let pull = target.number.and_then(|number| talk.kept(client.pull(number)));
    if target.number.is_some() && pull.is_none() {
        // Whether another run speaks for a newer head is not known.
        return talk.ended();
    }
    if pull.as_ref().is_some_and(|pull| pull.head.sha != target.sha) {
        return vec![
            "nothing is said: the pull request has moved on, and the run for its present head speaks".to_owned(),
        ];
    }
    if let Some(number) = target.number {
        talk.comment(number);
    }
    talk.check(&target.sha);
    if let Some(pull) = &pull {
        talk.labels(pull);
        talk.requests(pull);
    }
    talk.ended()
}

struct Talk<'a> {
    client: &'a Client,
    message: &'a Message<'a>,
    lines: Vec<String>,
    /// What the token may not do, and the permission for it.
    barred: Vec<(&'static str, &'static str)>,
    /// The forge's reason for the first of them.
    reason: Option<String>,
    /// Whether it is said that the forge is not asked any more.
    is_over: bool,
}

impl Talk<'_> {
    /// The value, or a line. Where there is nothing to say, a token that may not even look has nothing to take back.
    fn kept<T>(&mut self, result: Result<T, Failed>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failed) => {
                if !(self.message.is_clean && failed.kind == Kind::Forbidden) {
                    self.say(failed);
                }
                None
            }
        }
    }

    /// Notes what came of writing something.
    fn wrote(&mut self, what: &'static str, needs: &'static str, result: Result<(), Failed>) {
        match result {
            Ok(()) => {}
            Err(failed) if failed.kind == Kind::Forbidden => {
                if !self.barred.contains(&(what, needs)) {
                    self.barred.push((what, needs));
                }
                let reason = failed.line.rsplit_once(" (403").map(|(_, reason)| format!("403{reason}"));
                self.reason = self.reason.take().or(reason.map(|reason| reason.trim_end_matches(')').to_owned()));
            }
            Err(failed) => self.say(failed),
        }
    }

    /// One line; a forge that is not asked any more is one line altogether.
    fn say(&mut self, failed: Failed) {
        let is_said = self.is_over && failed.kind == Kind::NotAsked;
        self.is_over |= matches!(failed.kind, Kind::NotAsked | Kind::Limited | Kind::Unreachable);
        if !is_said {
            self.lines.push(failed.line);
        }
    }

    fn ended(mut self) -> Vec<String> {
        if !self.barred.is_empty() {
            let whats: Vec<_> = self.barred.iter().map(|(what, _)| *what).collect();
            let mut needs: Vec<_> = self.barred.iter().map(|(_, needs)| format!("`{needs}`")).collect();
            needs.sort_unstable();
            needs.dedup();
            let (whats, needs) = (whats.join(", "), needs.join(" and "));
            let reason = self.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            self.lines.push(format!("the token lacks {needs}{reason}, so these are left out: {whats}"));
        }
        self.lines
    }

    fn comment(&mut self, number: u64) {
        let is_wanted = match self.message.comment {
            When::Never => return,
            When::Always => true,
            When::OnFindings => !self.message.is_clean,
        };
        let Some(comments) = self.kept(self.client.comments(number)) else { return };
        let own = self.own(&comments);
        let mut own = own.into_iter();
        if is_wanted {
            let text = text(self.message.markdown);
            let is_same = |comment: &Comment| normal(comment.body.as_deref().unwrap_or_default()) == normal(&text);
            let written = match own.next() {
                Some(comment) if is_same(comment) => Ok(()),
                Some(comment) => match self.client.change_comment(comment.id, &text) {
                    // Not ours after all, or gone since.
                    Err(failed) if matches!(failed.kind, Kind::Forbidden | Kind::Missing) => {
                        self.client.comment(number, &text)
                    }
                    other => other,
                },
                None => self.client.comment(number, &text),
            };
            self.wrote("the comment", PULLS, written);
        }
        for comment in own {
            let removed = self.client.remove_comment(comment.id);
            self.wrote("the removal of an old comment", PULLS, removed);
        }
    }

    /// The comments that are ours.
    fn own<'c>(&self, comments: &'c [Comment]) -> Vec<&'c Comment> {
        let is_marked =
            |comment: &&Comment| comment.body.as_deref().is_some_and(|body| body.trim_start().starts_with(MARKER));
        let kind = |comment: &Comment| comment.user.as_ref().and_then(|user| user.kind.clone()).unwrap_or_default();
        let marked: Vec<_> = comments.iter().filter(is_marked).collect();
        // Only a user's comment raises the question whose token this is.
        let login = if marked.iter().any(|comment| kind(comment) == "User") {
            self.client.own_login().ok().flatten()
        } else {
            None
        };
        let is_own = |comment: &&Comment| match kind(comment).as_str() {
            "Bot" => true,
            "User" => {
                let theirs = comment.user.as_ref().and_then(|user| user.login.as_deref());
                login.as_deref().zip(theirs).is_some_and(|(own, theirs)| own.eq_ignore_ascii_case(theirs))
            }
            _ => false,
        };
        marked.into_iter().filter(is_own).collect()
    }

    fn check(&mut self, sha: &str) {
        let message = self.message;
        let conclusion = match message.decision {
            "allow" => "success",
            "review" => "action_required",
            _ => "failure",
        };
        let is_said = !message.is_clean || message.decision != "allow";
        let Some(runs) = self.kept(self.client.check_runs(sha, CHECK)) else { return };
        let external_id = digest(message, conclusion);
        let stands = runs.iter().max_by_key(|run| run.id);
        let is_news = match stands {
            Some(run) if run.conclusion.as_deref() == Some(conclusion) => {
                is_said && run.external_id.as_deref() != Some(external_id.as_str())
            }
            Some(_) => true,
            None => is_said,
        };
        if !is_news {
            return;
        }
        let made = self.make_check(sha, conclusion, &external_id);
        self.wrote("the check run", CHECKS, made);
    }

    fn make_check(&mut self, sha: &str, conclusion: &str, external_id: &str) -> Result<(), Failed> {
        let all = self.message.annotations;
        let shown = all.get(..MOST_ANNOTATIONS).unwrap_or(all);
        let summary = text(self.message.markdown);
        let output = |some: &[Annotation]| {
            let annotations: Vec<_> = some.iter().map(annotation).collect();
            json!({ "title": cut(self.message.title, 255), "summary": summary, "annotations": annotations })
        };
        let mut batches = shown.chunks(BATCH);
        let first = output(batches.next().unwrap_or_default());
        let id =
            self.client.check_run(&CheckRun { name: CHECK, head_sha: sha, conclusion, external_id, output: first })?;
        for batch in batches {
            self.client.annotate(id, &output(batch))?;
        }
        if shown.len() < all.len() {
            let (shown, all) = (shown.len(), all.len());
            self.lines.push(format!("the check run has {shown} of {all} annotations: the report has them all"));
        }
        Ok(())
    }

    fn labels(&mut self, pull: &PullRequest) {
        for (decision, label) in LABELS {
            let stands = pull.labels.iter().any(|own| own.name.eq_ignore_ascii_case(label));
            let result = match (stands, decision == self.message.decision) {
                (false, true) => self.client.add_label(pull.number, label),
                (true, false) => self.client.remove_label(pull.number, label),
                _ => continue,
            };
            self.wrote("the label", PULLS, result);
        }
    }

    fn requests(&mut self, pull: &PullRequest) {
        if self.message.decision != "review" || pull.draft || self.message.reviewers.is_empty() {
            return;
        }
        let author = pull.user.as_ref().and_then(|user| user.login.as_deref()).unwrap_or_default();
        let asked = pull.requested_reviewers.iter().flatten().filter_map(|user| user.login.as_deref());
        let asked: Vec<&str> = asked.chain([author]).collect();
        let teams_asked: Vec<&str> = pull.requested_teams.iter().flatten().map(|team| team.slug.as_str()).collect();
        let is_open = |owner: &&Owner| match owner {
            Owner::Login(login) => !holds(&asked, login),
            // A team of another organisation cannot be asked.
            Owner::Team { org, team } => org.eq_ignore_ascii_case(self.client.owner()) && !holds(&teams_asked, team),
        };
        let open: Vec<&Owner> = self.message.reviewers.iter().filter(is_open).collect();
        if open.is_empty() {
            return;
        }
        let Some(reviews) = self.kept(self.client.reviews(pull.number)) else { return };
        let answered = reviews.iter().filter_map(|review| review.user.as_ref());
        let is_person = |kind: Option<&str>| kind == Some("User");
        let answered = answered.filter(|user| is_person(user.kind.as_deref())).filter_map(|user| user.login.as_deref());
        let answered: Vec<&str> = answered.filter(|login| !login.eq_ignore_ascii_case(author)).collect();
        let (mut users, mut teams) = (Vec::new(), Vec::new());
        for owner in open.into_iter().take(MOST_ASKED) {
            match owner {
                Owner::Login(login) if !holds(&answered, login) => users.push(login.as_str()),
                Owner::Team { team, .. } if answered.is_empty() => teams.push(team.as_str()),
                _ => {}
            }
        }
        self.request(pull.number, &users, &teams);
    }

    fn request(&mut self, number: u64, users: &[&str], teams: &[&str]) {
        const WHAT: &str = "the request for a review";
        if users.is_empty() && teams.is_empty() {
            return;
        }
        let together = self.client.request_reviews(number, users, teams);
        let is_refused = together.as_ref().is_err_and(|failed| failed.kind == Kind::Invalid);
        if !is_refused || users.len() + teams.len() == 1 {
            self.wrote(WHAT, PULLS, together);
            return;
        }
        // One who cannot be asked (no collaborator) spoils it for all.
        for user in users {
            let alone = self.client.request_reviews(number, &[user], &[]);
            self.wrote(WHAT, PULLS, alone.map_err(|failed| named(failed, user)));
        }
        for team in teams {
            let alone = self.client.request_reviews(number, &[], &[team]);
            self.wrote(WHAT, PULLS, alone.map_err(|failed| named(failed, team)));
        }
    }
}

fn holds(logins: &[&str], login: &str) -> bool {
    logins.iter().any(|other| other.eq_ignore_ascii_case(login))
}

fn named(failed: Failed, who: &str) -> Failed {
    Failed { line: format!("{who}: {}", failed.line), ..failed }
}

fn annotation(annotation: &Annotation) -> serde_json::Value {
    // GitHub counts lines from 1, and refuses the whole request where an end lies before its start.
    let start = annotation.start_line.max(1);
    json!({
        "path": annotation.path,
        "start_line": start,
        "end_line": annotation.end_line.max(start),
        "annotation_level": annotation.level.annotation_level(),
        "title": cut(&annotation.title, 255),
        "message": cut(&annotation.message, 16_000),
    })
}

/// At most this many bytes, at a border of characters.
fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// The text as it is sent: with the marker, and short enough. (The renderer keeps it shorter; this is the last guard.)
fn text(markdown: &str) -> String {
    let markdown = markdown.trim_start();
    let marked = if markdown.starts_with(MARKER) { markdown.to_owned() } else { format!("{MARKER}\n{markdown}") };
    if marked.len() <= LONGEST {
        return marked;
    }
    let kept = cut(&marked, LONGEST - 100);
    let kept = kept.rsplit_once('\n').map_or(kept, |(kept, _)| kept);
    format!("{kept}\n\n… cut: the rest is in the JSON report\n")
}

/// What is compared: GitHub may write line ends its own way, one line tells when it was decided, and the last ends with how
/// long that took. Without these a run that has nothing new to say says nothing.
fn normal(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.trim().lines().filter(|line| !line.starts_with("- Decided at `")).collect();
    let text = lines.join("\n");
    let body = text.strip_suffix("</sub>").unwrap_or(&text);
    match body.rsplit_once(" · ") {
        Some((rest, time)) if time.strip_suffix(" ms").is_some_and(|ms| ms.bytes().all(|b| b.is_ascii_digit())) => rest,
        _ => body,
    }
    .to_owned()
}

/// What a check run says, as 32 hex digits. The rendered text is left out: it tells the time.
fn digest(message: &Message<'_>, conclusion: &str) -> String {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    let said: Vec<_> = message.annotations.iter().map(annotation).collect();
    hash.update(json!([conclusion, message.title, said]).to_string());
    let mut hex = String::new();
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests;
