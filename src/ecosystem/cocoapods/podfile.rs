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
    "install!",
    "workspace",
    "project",
    "inherit!",
];

/// One `pod` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pod<'a> {
    /// The name of the pod, without a subspec.
    pub name: &'a str,
    /// Requirements, as far as they follow the name as strings.
    pub requirement: Vec<&'a str>,
    /// Whether it comes from somewhere of its own (`:path`, `:git`, …).
    pub has_options: bool,
    pub line: u32,
}

/// What a `Podfile` says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Podfile<'a> {
    pub pods: Vec<Pod<'a>>,
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
    for (at, line) in text.lines().enumerate() {
        let (number, line) = (at as u32 + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '!').unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let pod = if word == "pod" { pod(rest, number) } else { None };
        if !PLAIN.contains(&word) || (word == "pod" && pod.is_none()) {
            found.computes.get_or_insert(number);
        }
        found.pods.extend(pod);
    }
    Ok(found)
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
    Some(Pod { name: super::root_of(name), requirement, has_options, line })
}

fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (body, rest) = text.get(1..)?.split_once(quote)?;
    (!body.contains(['#', '\\'])).then_some((body, rest))
}
