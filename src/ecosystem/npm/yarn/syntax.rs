//! The lockfile of yarn 1 as lines → entries.
//!
//! The grammar is the one that yarn 1 writes: entries at the margin, fields two spaces in, dependencies four. Its own
//! reader takes more (several fields on a line, values after colons); that is refused, so that no second spelling of an
//! entry can slip past.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::members::{count, shown};
use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// A dependency of an entry.
#[derive(Debug)]
pub(super) struct Need<'a> {
    pub name: Cow<'a, str>,
    pub range: Cow<'a, str>,
}

/// An entry: the patterns that it answers, and what it answers them with.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub patterns: Vec<Cow<'a, str>>,
    pub line: u32,
    pub end_line: u32,
    pub version: Option<Cow<'a, str>>,
    pub resolved: Option<Cow<'a, str>>,
    pub integrity: Option<Cow<'a, str>>,
    pub needs: Vec<Need<'a>>,
    /// Names of its fields and of the dependencies of its open list.
    fields: Vec<Cow<'a, str>>,
}

/// What a line four spaces in belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Needs,
    Other,
}

/// Reads a lockfile.
pub(super) fn read(bytes: &[u8], cap: u64) -> Result<Vec<Entry<'_>>, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    entries(text).map_err(|error| explain(text, error))
}

fn entries(text: &str) -> Result<Vec<Entry<'_>>, Unread> {
    let mut all: Vec<Entry<'_>> = Vec::new();
    let mut patterns: HashSet<Cow<'_, str>> = HashSet::new();
    let mut names: HashSet<Cow<'_, str>> = HashSet::new();
    // Whether the last line was of an entry: an empty line ends it.
    let (mut is_open, mut list, mut parts) = (false, List::None, 0);
    for (n, line) in text.split('\n').enumerate() {
        let number = n as u32 + 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let body = line.trim_start_matches(' ');
        if line.is_empty() {
            (is_open, list) = (false, List::None);
            continue;
        }
        if body.starts_with('#') {
            continue;
        }
        let words = words(body).map_err(|reason| malformed(number, reason))?;
        match line.len() - body.len() {
            0 => {
                count(&mut parts, words.keys.len())?;
                let Words { keys, has_colon: true, value: None } = words else {
                    return Err(malformed(number, "not an entry (`name@range:`)"));
                };
                for key in &keys {
                    if key == "__metadata" {
                        return Err(malformed(number, "a lockfile of a later yarn behind the start of one of yarn 1"));
                    }
                    if !patterns.insert(key.clone()) {
                        return Err(malformed(number, format!("the entry `{}` stands twice", shown(key))));
                    }
                }
                all.push(Entry { patterns: keys, line: number, end_line: number, ..Entry::default() });
                (is_open, list) = (true, List::None);
                continue;
            }
            2 if is_open => list = field(all.last_mut(), words, number, &mut names)?,
            4 if is_open && list != List::None => {
                count(&mut parts, 1)?;
                need(all.last_mut(), words, list, number, &mut names)?;
            }
            _ => return Err(malformed(number, "indented as nothing in a lockfile is")),
        }
        if let Some(entry) = all.last_mut() {
            entry.end_line = number;
        }
    }
    for entry in &all {
        if entry.version.is_none() {
            return Err(malformed(entry.line, "an entry without a version"));
        }
    }
    Ok(all)
}

/// Takes a field; says what the lines below it belong to.
fn field<'a>(
    entry: Option<&mut Entry<'a>>,
    words: Words<'a>,
    line: u32,
    names: &mut HashSet<Cow<'a, str>>,
) -> Result<List, Unread> {
    let Some(entry) = entry else { return Ok(List::None) };
    let mut keys = words.keys.into_iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(malformed(line, "several names for one field"));
    };
    // An entry has a dozen fields at the most: all that are known, and some that are not.
    if entry.fields.contains(&key) {
        return Err(malformed(line, format!("the field `{}` stands twice", shown(&key))));
    }
    if entry.fields.len() >= 64 {
        return Err(malformed(line, "more than 64 fields in an entry"));
    }
    let list = match (&*key, words.has_colon, words.value) {
        ("version" | "resolved" | "integrity", false, value @ Some(_)) => {
            match &*key {
                "version" => entry.version = value,
                "resolved" => entry.resolved = value,
                _ => entry.integrity = value,
            }
            List::None
        }
        ("dependencies" | "optionalDependencies", true, None) => List::Needs,
        ("version" | "resolved" | "integrity" | "dependencies" | "optionalDependencies", ..) => {
            return Err(malformed(line, format!("`{key}` in a form that yarn does not write")));
        }
        (_, true, None) => List::Other,
        (_, false, Some(_)) => List::None,
        _ => return Err(malformed(line, "neither a field nor a list")),
    };
    names.clear();
    entry.fields.push(key);
    Ok(list)
}

/// Takes a dependency.
fn need<'a>(
    entry: Option<&mut Entry<'a>>,
    words: Words<'a>,
    list: List,
    line: u32,
    names: &mut HashSet<Cow<'a, str>>,
) -> Result<(), Unread> {
    let mut keys = words.keys.into_iter();
    let (Some(entry), Some(name), None, false, Some(range)) =
        (entry, keys.next(), keys.next(), words.has_colon, words.value)
    else {
        return Err(malformed(line, "not a dependency (`name \"range\"`)"));
    };
    if !names.insert(name.clone()) {
        return Err(malformed(line, format!("the dependency `{}` stands twice", shown(&name))));
    }
    if list == List::Needs {
        entry.needs.push(Need { name, range });
    }
    Ok(())
}

/// A line without its indent: `key, key:` or `key value`.
struct Words<'a> {
    keys: Vec<Cow<'a, str>>,
    has_colon: bool,
    value: Option<Cow<'a, str>>,
}

fn words(body: &str) -> Result<Words<'_>, String> {
    let (first, mut rest) = word(body)?;
    let mut keys = vec![first];
    while let Some(next) = rest.strip_prefix(',') {
        let (key, after) = word(next.strip_prefix(' ').unwrap_or(next))?;
        keys.push(key);
        rest = after;
    }
    if rest == ":" {
        return Ok(Words { keys, has_colon: true, value: None });
    }
    let Some(next) = rest.strip_prefix(' ') else {
        return Err("a line without a value".to_owned());
    };
    match word(next)? {
        (value, "") => Ok(Words { keys, has_colon: false, value: Some(value) }),
        _ => Err("something behind the value".to_owned()),
    }
}

/// The first word, quoted or bare, and what follows it.
fn word(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    if !text.starts_with('"') {
        let end = text.find([':', ' ', ',']).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.' | '-'))
            && !word.chars().any(|c| c.is_control() || c == '"');
        return if is_word { Ok((Cow::Borrowed(word), rest)) } else { Err("a word that needs quotes".to_owned()) };
    }
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => {
                let (quoted, rest) = text.split_at_checked(at + 1).unwrap_or((text, ""));
                let inner = quoted.get(1..at).unwrap_or_default();
                if !inner.contains('\\') && !inner.chars().any(char::is_control) {
                    return Ok((Cow::Borrowed(inner), rest));
                }
                let word: String = serde_json::from_str(quoted).map_err(|_| "a string that is none".to_owned())?;
                return Ok((Cow::Owned(word), rest));
            }
            _ => {}
        }
    }
    Err("a string without an end".to_owned())
}
