//! Subjects in plain words.

use super::Found;
use super::replay::still;
use crate::model::finding::Level;
use crate::subject::{Command, Kind, Value};

/// The facts that are not quiet, by name, and the run where it is not a plain check.
pub fn facts(found: &Found) -> Vec<(String, String)> {
    let still = still(found.kind);
    let mut facts = Vec::new();
    for attribute in found.kind.attributes() {
        let (quiet, value) = (still.attributes.get(attribute.name), found.attributes.get(attribute.name));
        if quiet != value {
            facts.push((attribute.name.to_owned(), value.map_or("not known".to_owned(), text)));
        }
    }
    if found.command != Command::Check {
        facts.push(("command".to_owned(), found.command.to_string()));
    }
    if found.ci {
        facts.push(("ci".to_owned(), "true".to_owned()));
    }
    facts
}

fn text(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => format!("[{}]", texts.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", ")),
        Value::Word(_, word) => word.to_string(),
    }
}

/// A text as it may be printed anywhere; a long one is cut, which is said.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", short.escape_debug())
}

/// A subject of a kind, with its article.
const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Change => "a package",
        Kind::Match => "an advisory",
        Kind::File => "a changed file",
        Kind::Entry => "a ledger entry",
        Kind::Line => "an added line",
        Kind::Step => "a workflow",
    }
}

/// The subject with its facts.
pub fn subject(found: &Found) -> String {
    let said = |(name, value): &(String, String)| {
        let name = words(name);
        match value.as_str() {
            "true" => name,
            "false" => format!("not {name}"),
            value => format!("{name} {value}"),
        }
    };
    let facts: Vec<String> = facts(found).iter().map(said).collect();
    if facts.is_empty() {
        return format!("{} with nothing special about it", noun(found.kind));
    }
    format!("{} ({})", noun(found.kind), facts.join(", "))
}

/// `newLibrary` as `new library`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// What a side says of something.
pub fn says(level: Option<Level>, what: &str) -> String {
    match level {
        Some(Level::Deny) => format!("denies {what}"),
        Some(Level::Review) => format!("asks for a review of {what}"),
        Some(Level::Warn) => format!("warns about {what}"),
        Some(Level::Note) => format!("notes {what}"),
        None => format!("lets {what} through"),
    }
}
