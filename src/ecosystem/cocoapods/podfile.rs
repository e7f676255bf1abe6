//! The literal `pod` lines of a `Podfile`. It is Ruby code and is not run: nothing in it weakens a scope, and what stands
//! in it in so many words tells where a pod is asked for.

use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// Words that start statements which ask for no pod by computation.
const PLAIN: &[&str] = &[
    "pod",
    "target",
    "abstract_target",
    "end",
    "platform",
    "use_frameworks!",
    "use_modular_headers!",
    "inhibit_all_warnings!",
    "source",
    "plugin",
    "install!",
    "workspace",
    "project",
    "inherit!",
];

/// Lines of one `pod` statement, at the most.
const MAX_LINES: usize = 64;

/// Bytes of the options of one pod, at the most.
const MAX_OPTIONS: usize = 4_096;

/// `pod` statements within one line, at the most.
const MAX_INSIDE: usize = 64;

/// Options that say where a pod comes from.
const PLACES: &[&str] = &["git", "path", "podspec", "http", "svn", "hg", "source"];

/// One `pod` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pod<'a> {
    /// The name of the pod, without a subspec.
    pub name: &'a str,
    /// Requirements, as far as they follow the name as strings.
    pub requirement: Vec<&'a str>,
    /// Whether anything follows that is neither.
    pub has_options: bool,
    /// Where it comes from, if somewhere of its own: the key of [`PLACES`] and the address, which is empty where it is
    /// computed. The key is empty where all options are.
    pub place: Option<(&'a str, &'a str)>,
    /// Whether the line is a `pod` line from its start.
    pub is_certain: bool,
    pub line: u32,
}

/// What a `Podfile` says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Podfile<'a> {
    pub pods: Vec<Pod<'a>>,
    /// Addresses of `source` lines.
    pub sources: Vec<(&'a str, u32)>,
    /// Plugins of CocoaPods, which are gems.
    pub plugins: Vec<(&'a str, u32)>,
    /// The first line that may ask for more.
    pub computes: Option<u32>,
}

/// Reads a `Podfile` of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64) -> Result<Podfile<'_>, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut found = Podfile::default();
    let mut left = text;
    let mut number = 0;
    // The line that the arguments of the last statement go on to.
    let mut goes_on = 0;
    while let Some(whole) = left.split_inclusive('\n').next() {
        let statement = left.trim_start();
        left = left.get(whole.len()..).unwrap_or_default();
        let line = whole.trim();
        number += 1;
        if line.is_empty() || line.starts_with('#') || number <= goes_on {
            continue;
        }
        let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '!').unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let literal = || string(rest.trim_start().trim_start_matches('(').trim_start()).map(|(text, _)| (text, number));
        let is_read = match word {
            "pod" => {
                let count = lines(statement);
                goes_on = number + count as u32 - 1;
                let length = statement.split_inclusive('\n').take(count).map(str::len).sum();
                let pod = statement.get(end..length).and_then(|rest| pod(rest, number));
                let is_read = pod.is_some();
                found.pods.extend(pod);
                is_read
            }
            "source" => {
                found.sources.extend(literal());
                literal().is_some()
            }
            "plugin" => {
                found.plugins.extend(literal());
                literal().is_some()
            }
            _ => PLAIN.contains(&word),
        };
        if !is_read {
            found.computes.get_or_insert(number);
        }
        let others = if word == "pod" { Vec::new() } else { inside(rest, number) };
        if !others.is_empty() {
            found.computes.get_or_insert(number);
        }
        found.pods.extend(others);
    }
    Ok(found)
}

/// How many lines a statement takes, which goes on after a comma.
fn lines(text: &str) -> usize {
    1 + text.lines().take(MAX_LINES - 1).take_while(|line| line.trim_end().ends_with(',')).count()
}

/// `pod` statements within a line that starts with something else (`target 'App' do pod 'Name' end`).
fn inside(line: &str, number: u32) -> Vec<Pod<'_>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '\'' | '"' | '-' | '/');
    let starts = line.match_indices("pod").take(MAX_INSIDE).filter_map(|(at, _)| {
        let before = line.get(..at)?.chars().next_back();
        let rest = line.get(at + 3..)?;
        let is_call = rest.starts_with([' ', '\t', '(']) && !before.is_some_and(is_word);
        is_call.then(|| pod(rest, number)).flatten()
    });
    starts.map(|pod| Pod { is_certain: false, ..pod }).collect()
}

/// `'Name/Subspec', '~> 1.0', :option => …`.
fn pod(rest: &str, line: u32) -> Option<Pod<'_>> {
    let rest = rest.trim_start().strip_prefix('(').unwrap_or(rest).trim_start();
    let (name, mut rest) = string(rest)?;
    let mut requirement = Vec::new();
    while let Some(after) = rest.trim_start().strip_prefix(',') {
        let Some((text, after)) = string(after.trim_start()) else { break };
        requirement.push(text);
        rest = after;
    }
    let rest = rest.trim().trim_start_matches(')').trim_start();
    let has_options = !rest.is_empty() && !rest.starts_with('#');
    let place = if has_options { place(rest) } else { None };
    Some(Pod { name: super::root_of(name), requirement, has_options, place, is_certain: true, line })
}

/// The first option that says where a pod comes from.
fn place(options: &str) -> Option<(&str, &str)> {
    // What is open may be looked for to the end, from every option.
    if options.len() > MAX_OPTIONS {
        return Some(("options", ""));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = options;
    while let Some(after) = rest.trim_start().strip_prefix(',') {
        let after = after.trim_start();
        if after.is_empty() || after.starts_with('#') {
            return None;
        }
        let symbol = after.strip_prefix(':');
        let start = symbol.unwrap_or(after);
        let (key, after) = start.split_at_checked(start.find(|c| !is_name(c)).unwrap_or(start.len()))?;
        let sign = if symbol.is_some() { "=>" } else { ":" };
        let Some(value) = after.trim_start().strip_prefix(sign).filter(|_| !key.is_empty()).map(str::trim_start) else {
            // Whatever it is, it may say where from.
            return Some(("", ""));
        };
        let text = string(value);
        if PLACES.contains(&key) {
            return Some((key, text.map_or("", |(text, _)| text)));
        }
        rest = match (text, value.strip_prefix('[').and_then(|list| list.split_once(']'))) {
            (Some((_, after)), _) | (None, Some((_, after))) => after,
            (None, None) => value.find(',').and_then(|at| value.get(at..)).unwrap_or_default(),
        };
    }
    None
}

fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (body, rest) = text.get(1..)?.split_once(quote)?;
    (!body.contains(['#', '\\'])).then_some((body, rest))
}
