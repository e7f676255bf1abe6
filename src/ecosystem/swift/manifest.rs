//! The literal `.package(…)` calls of a `Package.swift`. It is Swift code and is not run.

use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// One `.package(…)` call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// Its string arguments, each with its label.
    arguments: Vec<(&'a str, &'a str)>,
    pub line: u32,
}

impl<'a> Call<'a> {
    /// The string that follows a label.
    pub fn get(&self, label: &str) -> Option<&'a str> {
        self.arguments.iter().find(|(known, _)| *known == label).map(|(_, value)| *value)
    }
}

/// What a manifest says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest<'a> {
    pub calls: Vec<Call<'a>>,
    /// The first line where a condition stands or a call is not literal.
    pub computes: Option<u32>,
}

/// Arguments of one call, at the most.
const MAX_ARGUMENTS: usize = 32;

/// Reads a manifest of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64) -> Result<Manifest<'_>, Unread> {
    let text = text(bytes, cap)?;
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut found = Manifest::default();
    let mut call: Option<(Call<'_>, u32)> = None;
    let (mut rest, mut line, mut label, mut before) = (text, 1u32, "", "");
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\n' => {
                line += 1;
                1
            }
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => {
                let length = rest.find("*/").map_or(rest.len(), |at| at + 2);
                line += rest.get(..length).unwrap_or_default().matches('\n').count() as u32;
                length
            }
            '"' => {
                let body = rest.get(1..).unwrap_or_default();
                let end = body.find(['"', '\\', '\n']).unwrap_or(body.len());
                let value = body.get(..end).unwrap_or_default();
                let is_whole = body.get(end..).is_some_and(|after| after.starts_with('"'));
                if !is_whole {
                    found.computes.get_or_insert(line);
                }
                if let Some((call, _)) = call.as_mut().filter(|(call, _)| call.arguments.len() < MAX_ARGUMENTS) {
                    call.arguments.push((std::mem::take(&mut label), value));
                }
                (end + 2).min(rest.len())
            }
            '(' => {
                match call.as_mut() {
                    Some((_, depth)) => *depth += 1,
                    None if before == "package" => call = Some((Call { line, ..Call::default() }, 1)),
                    None => {}
                }
                1
            }
            ')' => {
                if let Some((_, depth)) = call.as_mut() {
                    *depth -= 1;
                    if *depth == 0 {
                        found.calls.extend(call.take().map(|(call, _)| call));
                    }
                }
                1
            }
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                before = rest.get(..length).unwrap_or_default();
                if matches!(before, "if" | "guard" | "switch" | "for" | "while" | "append" | "func") {
                    found.computes.get_or_insert(line);
                }
                if rest.get(length..).is_some_and(|after| after.starts_with(':')) {
                    label = before;
                } else if matches!(before, "branch" | "revision" | "exact" | "upToNextMajor" | "upToNextMinor") {
                    // The older spelling: `.exact("1.2.3")`.
                    label = before;
                }
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            other => other.len_utf8(),
        };
        before = "";
        // Multi-byte text inside of a string may end a cut early: then nothing more is read, and that is said.
        match rest.get(length..) {
            Some(after) => rest = after,
            None => {
                found.computes.get_or_insert(line);
                break;
            }
        }
    }
    if call.is_some() {
        found.computes.get_or_insert(line);
    }
    // `.package(name:)` of a target's dependency has neither place nor number.
    found.calls.retain(|call| ["url", "path", "id"].iter().any(|label| call.get(label).is_some()));
    Ok(found)
}
