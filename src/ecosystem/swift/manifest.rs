//! The literal `.package(…)` and `.binaryTarget(…)` calls of a `Package.swift`. It is Swift code and is not run.

use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// One `.package(…)` or `.binaryTarget(…)` call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// Its string arguments, each with its label.
    arguments: Vec<(&'a str, &'a str)>,
    /// What stands for a place and is no one text: which package that is, only running the code tells.
    pub computed: Option<&'a str>,
    pub line: u32,
    is_binary: bool,
}

impl<'a> Call<'a> {
    /// The string that follows a label.
    pub fn get(&self, label: &str) -> Option<&'a str> {
        self.arguments.iter().find(|(known, _)| *known == label).map(|(_, value)| *value)
    }

    /// Both ends of a range of versions, which have no label.
    pub fn range(&self) -> Option<(&'a str, &'a str)> {
        let mut ends = self.arguments.iter().filter(|(label, _)| label.is_empty()).map(|(_, value)| *value);
        Some((ends.next()?, ends.next()?))
    }
}

/// What a manifest says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest<'a> {
    pub calls: Vec<Call<'a>>,
    /// Archives of built code, which no lockfile holds.
    pub binaries: Vec<Call<'a>>,
    /// The first line where a condition stands or a call is not literal.
    pub computes: Option<u32>,
}

/// Arguments of one call, at the most.
const MAX_ARGUMENTS: usize = 32;

/// Labels of what says where a package is.
const PLACES: &[&str] = &["url", "path", "id"];

/// An argument that says where a package is, while it is read.
#[derive(Debug)]
struct Place<'a> {
    label: &'a str,
    /// The rest of the text from its value on.
    from: &'a str,
    literal: Option<&'a str>,
    is_plain: bool,
}

/// A call that is not closed yet.
#[derive(Debug)]
struct Open<'a> {
    call: Call<'a>,
    depth: u32,
    place: Option<Place<'a>>,
}

impl<'a> Open<'a> {
    /// Takes note of the end of an argument, where `rest` starts.
    fn end_argument(&mut self, rest: &'a str) {
        let Some(place) = self.place.take() else { return };
        match place.literal.filter(|_| place.is_plain) {
            Some(value) => self.call.arguments.push((place.label, value)),
            None => {
                let length = place.from.len().saturating_sub(rest.len());
                self.call.computed = Some(place.from.get(..length).unwrap_or_default().trim());
            }
        }
    }

    /// A string of an argument; `None` where it is not literal.
    fn string(&mut self, label: &'a str, value: Option<&'a str>) {
        match &mut self.place {
            Some(place) => {
                place.is_plain &= place.literal.is_none() && value.is_some();
                place.literal = value;
            }
            // What stands deeper has a label of its own, and says no place of this call.
            None if PLACES.contains(&label) => {}
            None if self.call.arguments.len() < MAX_ARGUMENTS => {
                self.call.arguments.push((label, value.unwrap_or_default()));
            }
            None => {}
        }
    }
}

/// The length of a comment that may hold others, as Swift's may; to the end of the text where it does not close.
fn comment(text: &str) -> usize {
    let (bytes, mut at, mut depth) = (text.as_bytes(), 0, 0u32);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => {
                (depth, at) = (depth.saturating_sub(1), at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of a string with its quotes, and its text where that is literal. Texts of several lines, with escapes or
/// with code inside are not.
fn string(text: &str) -> (usize, Option<&str>) {
    if text.starts_with("\"\"\"") {
        let body = text.get(3..).unwrap_or_default();
        return (body.find("\"\"\"").map_or(text.len(), |at| at + 6), None);
    }
    let bytes = text.as_bytes();
    // Strings and the code inside of them, by turns: of code, how many brackets are open.
    let (mut at, mut inside, mut is_literal) = (1, vec![None::<u32>], true);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, inside.last_mut()) {
            (b'\n', _) => return (at - 1, None),
            (b'"', Some(None)) => {
                inside.pop();
                if inside.is_empty() {
                    return (at, text.get(1..at - 1).filter(|_| is_literal));
                }
            }
            (b'"', Some(Some(_))) => inside.push(None),
            (b'\\', Some(None)) => {
                is_literal = false;
                if bytes.get(at) == Some(&b'(') {
                    inside.push(Some(1));
                }
                // The second byte may be the first one of a longer character, none of whose others means anything.
                at += 1;
            }
            (b'(', Some(Some(depth))) => *depth += 1,
            (b')', Some(Some(depth))) => {
                *depth -= 1;
                if *depth == 0 {
                    inside.pop();
                }
            }
            _ => {}
        }
    }
    (text.len(), None)
}

/// Reads a manifest of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64) -> Result<Manifest<'_>, Unread> {
    let text = text(bytes, cap)?;
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut found = Manifest::default();
    let mut open: Option<Open<'_>> = None;
    let (mut rest, mut line, mut label, mut before) = (text, 1u32, "", "");
    // Whether a `.` stands before the next word: `.package` is the call, `package` may be a variable.
    let (mut is_dotted, mut is_member) = (false, false);
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '\n' => Some(1),
            '/' if rest.starts_with("//") => Some(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => Some(comment(rest)),
            // A name in backticks is that name.
            '`' => Some(1),
            _ if first.is_whitespace() => Some(first.len_utf8()),
            _ => None,
        };
        if let Some(length) = skipped {
            let (skipped, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            line += skipped.matches('\n').count() as u32;
            rest = after;
            continue;
        }
        if before == "package" && is_member && first != '(' {
            found.computes.get_or_insert(line);
        }
        if let Some(place) = open.as_mut().and_then(|open| open.place.as_mut())
            && !matches!(first, '"' | ',' | ')')
        {
            place.is_plain = false;
        }
        let is_name = first.is_ascii_alphabetic() || first == '_';
        if is_name {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            before = rest.get(..length).unwrap_or_default();
            (is_member, is_dotted) = (is_dotted, false);
            if matches!(before, "if" | "guard" | "switch" | "for" | "while" | "append" | "func") {
                found.computes.get_or_insert(line);
            }
            rest = rest.get(length..).unwrap_or_default();
            let after = rest.trim_start_matches([' ', '\t', '\r', '\n', '`']);
            // A label in front of a comment is still one.
            let is_label = after.starts_with(':') || (after.starts_with("/*") && PLACES.contains(&before));
            if is_label {
                label = before;
                if let Some(open) = open.as_mut().filter(|open| open.depth == 1 && open.place.is_none())
                    && PLACES.contains(&label)
                {
                    let from = after.strip_prefix(':').unwrap_or(after);
                    open.place = Some(Place { label, from, literal: None, is_plain: after.starts_with(':') });
                    // The colon is no part of the value.
                    line += rest.get(..rest.len() - after.len()).unwrap_or_default().matches('\n').count() as u32;
                    rest = from;
                }
            } else if matches!(before, "branch" | "revision" | "exact" | "upToNextMajor" | "upToNextMinor") {
                // The older spelling: `.exact("1.2.3")`.
                label = before;
            }
            continue;
        }
        let length = match first {
            '"' => {
                let (length, value) = string(rest);
                if value.is_none() {
                    found.computes.get_or_insert(line);
                }
                let label = std::mem::take(&mut label);
                if let Some(open) = open.as_mut() {
                    open.string(label, value);
                }
                length
            }
            '(' => {
                match open.as_mut() {
                    Some(open) => open.depth += 1,
                    None if matches!(before, "package" | "binaryTarget") => {
                        let call = Call { line, is_binary: before == "binaryTarget", ..Call::default() };
                        open = Some(Open { call, depth: 1, place: None });
                    }
                    None => {}
                }
                1
            }
            ',' => {
                label = "";
                if let Some(open) = open.as_mut().filter(|open| open.depth == 1) {
                    open.end_argument(rest);
                }
                1
            }
            ')' => {
                label = "";
                if let Some(open) = open.as_mut() {
                    open.depth -= 1;
                    if open.depth == 0 {
                        open.end_argument(rest);
                    }
                }
                if let Some(Open { call, .. }) = open.take_if(|open| open.depth == 0) {
                    if call.computed.is_some() {
                        found.computes.get_or_insert(call.line);
                    }
                    let list = if call.is_binary { &mut found.binaries } else { &mut found.calls };
                    list.push(call);
                }
                1
            }
            '#' => {
                let hashes = rest.len() - rest.trim_start_matches('#').len();
                let (signs, after) = rest.split_at_checked(hashes).unwrap_or((rest, ""));
                match after.strip_prefix('"') {
                    // A raw string: its quotes and escapes follow other rules.
                    Some(body) => {
                        found.computes.get_or_insert(line);
                        let end = format!("\"{signs}");
                        body.find(&end).map_or(rest.len(), |at| hashes + 1 + at + end.len())
                    }
                    None => hashes,
                }
            }
            other => other.len_utf8(),
        };
        (before, is_member, is_dotted) = ("", false, first == '.');
        let (passed, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        line += passed.matches('\n').count() as u32;
        rest = after;
    }
    if open.is_some() {
        found.computes.get_or_insert(line);
    }
    // `.package(name:)` of a target's dependency has neither place nor number.
    let is_said = |call: &Call<'_>| call.computed.is_some() || PLACES.iter().any(|label| call.get(label).is_some());
    found.calls.retain(is_said);
    found.binaries.retain(is_said);
    Ok(found)
}
