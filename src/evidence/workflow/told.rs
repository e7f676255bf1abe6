//! What commands of a script are told about strangers' changes: the payload of the event, whose path is in
//! `GITHUB_EVENT_PATH` (docs.github.com, "Default environment variables"), and the answers of GitHub's command line
//! (cli.github.com, manual). A title read like this is as much a stranger's as one that an expression puts in.
//!
//! A command whose filter (`jq`, `--jq`, `--json`) names only members that GitHub makes, such as a number or a commit's
//! hash, is told nothing that strangers wrote.

use super::script::{self, Command};

/// Words that ask, with what answers.
const ASKING: [(&str, &str); 9] = [
    ("GITHUB_EVENT_PATH", "the event's payload"),
    ("github.event_path", "the event's payload"),
    ("gh pr view", "an answer of gh pr view"),
    ("gh pr list", "an answer of gh pr list"),
    ("gh issue view", "an answer of gh issue view"),
    ("gh issue list", "an answer of gh issue list"),
    ("gh api", "an answer of gh api"),
    ("gh.exe api", "an answer of gh api"),
    ("gh.exe pr view", "an answer of gh pr view"),
];

/// Last members of a path whose text GitHub makes or those who may write to the repository.
const MADE_BY_GITHUB: [&str; 34] = [
    "action",
    "additions",
    "baseRefName",
    "baseRefOid",
    "changedFiles",
    "changed_files",
    "closed",
    "closed_at",
    "conclusion",
    "created_at",
    "deletions",
    "draft",
    "headRefOid",
    "head_sha",
    "id",
    "isCrossRepository",
    "isDraft",
    "length",
    "login",
    "merge_commit_sha",
    "mergeable",
    "mergeable_state",
    "merged",
    "merged_at",
    "node_id",
    "number",
    "oid",
    "permission",
    "run_id",
    "sha",
    "state",
    "status",
    "tag_name",
    "total_count",
];

/// What answers where words of commands ask GitHub for more than what it makes itself.
pub(super) fn answer(text: &str) -> Option<&'static str> {
    let (_, source) = ASKING.iter().find(|(word, _)| text.contains(word))?;
    let mut asked = paths(text).chain(fields(text)).peekable();
    let is_harmless = asked.peek().is_some() && asked.all(|last| MADE_BY_GITHUB.contains(&last));
    (!is_harmless).then_some(source)
}

/// The last members of the paths of a filter: `number` of `.pull_request.number`. One that ends in anything but a
/// member's plain name is `""`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '?');
    let is_member = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // A dot within a name, a number or a file's path begins no filter.
    let is_begun =
        move |before: &str| !before.ends_with(|c: char| is_part(c) || matches!(c, '/' | '-' | '}' | ')' | '*'));
    let starts = text.match_indices('.').filter(move |(at, _)| text.get(..*at).is_some_and(is_begun));
    starts.filter_map(move |(at, _)| {
        let rest = text.get(at..)?;
        let path = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len()))?;
        let is_quoted = path.ends_with('[');
        let last = path.trim_end_matches(['?', ']', '[']).rsplit('.').next().unwrap_or_default();
        Some(if is_quoted || !last.chars().all(is_member) { "" } else { last })
    })
}

/// The fields that `--json` asks for, where no filter is given: it then says what is looked at.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let has_filter = paths(text).next().is_some();
    let given = text.split("--json").skip(1).filter(move |_| !has_filter);
    given.flat_map(|rest| rest.trim_start_matches([' ', '=']).split(' ').next().unwrap_or_default().split(','))
}

/// Names of the variables that a command sets, in lower case.
pub(super) fn names(command: &Command) -> Vec<String> {
    let program = command.program();
    let sets = matches!(program.as_str(), "" | "export" | "local" | "declare" | "readonly" | "typeset");
    let words = command.words.iter();
    match program.as_str() {
        "read" | "mapfile" | "readarray" => {
            let names = command.call().1.iter().filter(|word| script::is_name(word));
            names.map(|name| name.to_ascii_lowercase()).collect()
        }
        // `$name = …` of PowerShell.
        name if name.starts_with('$') && command.call().1.first().is_some_and(|word| word == "=") => {
            vec![name.trim_start_matches('$').trim_start_matches("env:").to_owned()]
        }
        _ if sets => {
            let names = words.filter_map(|word| word.split_once('=')).map(|(name, _)| name.trim_end_matches('+'));
            names.filter(|name| script::is_name(name)).map(str::to_ascii_lowercase).collect()
        }
        _ => Vec::new(),
    }
}
