//! `conanfile.txt`, and the literal references of `conanfile.py`, which is code and is not run.

use super::reference::Reference;
use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub reference: Reference<'a>,
    pub scope: Scope,
    pub line: u32,
}

fn lines(bytes: &[u8], cap: u64) -> Result<impl Iterator<Item = (u32, &str)>, Unread> {
    let text = text(bytes, cap)?;
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(text.lines().enumerate().map(|(at, line)| (at as u32 + 1, line.trim())))
}

/// Reads a `conanfile.txt` of at most `cap` bytes.
pub(super) fn plain(bytes: &[u8], cap: u64) -> Result<Vec<Wanted<'_>>, Unread> {
    let mut found = Vec::new();
    let mut scope = None;
    for (number, line) in lines(bytes, cap)? {
        let line = line.split_once(" #").map_or(line, |(line, _)| line.trim_end());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            scope = match section.strip_suffix(']') {
                Some("requires") => Some(Scope::Runtime),
                Some("tool_requires" | "build_requires") => Some(Scope::Build),
                Some("test_requires") => Some(Scope::Development),
                Some(_) => None,
                None => return Err(malformed(number, "a section without its bracket")),
            };
        } else if let Some(scope) = scope {
            let reference = Reference::read(line).ok_or_else(|| malformed(number, "not a reference to a package"))?;
            found.push(Wanted { reference, scope, line: number });
        }
    }
    Ok(found)
}

/// Reads the references that stand in so many words on lines with `requires` in a `conanfile.py` of at most `cap` bytes,
/// and on those after them until their brackets close. What the code does with them is unknown, so that all are runtime.
pub(super) fn code(bytes: &[u8], cap: u64) -> Result<Vec<Wanted<'_>>, Unread> {
    let mut found = Vec::new();
    // Brackets that are open behind `requires`.
    let mut open = 0u32;
    for (number, line) in lines(bytes, cap)? {
        if line.starts_with('#') || (open == 0 && !line.contains("requires")) {
            continue;
        }
        let mut rest = line;
        // Brackets in texts and comments count for nothing.
        let mut count = |code: &str| {
            let code = code.split_once('#').map_or(code, |(code, _)| code);
            for c in code.chars() {
                open = match c {
                    '(' | '[' | '{' => open + 1,
                    ')' | ']' | '}' => open.saturating_sub(1),
                    _ => open,
                };
            }
        };
        while let Some(at) = rest.find(['"', '\'']) {
            let before = rest.get(..at).unwrap_or_default();
            if before.contains('#') {
                break;
            }
            count(before);
            let (quote, after) = (rest.get(at..at + 1).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
            let Some((body, after)) = after.split_once(quote) else { break };
            let is_plain = !body.contains(['{', '%', '\\', ' ']) || body.contains('[');
            if let Some(reference) = Reference::read(body).filter(|_| is_plain) {
                found.push(Wanted { reference, scope: Scope::Runtime, line: number });
            }
            rest = after;
        }
        count(rest);
    }
    Ok(found)
}
