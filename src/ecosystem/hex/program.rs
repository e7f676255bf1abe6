//! The literal tuples of `deps` in a `mix.exs`, which is a program and is not run.

use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// A package that is asked for in so many words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub name: String,
    pub from: From,
    pub line: u32,
}

/// Where it is to come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum From {
    Hex,
    Git,
    /// A folder, or another app of the umbrella.
    Path(Option<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Atom(&'a str),
    /// `key:`
    Key(&'a str),
    Text(&'a str),
    Sign(char),
}

/// Reads what functions whose names hold `deps`, and a literal list behind `deps:`, ask for.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Asked>, Unread> {
    let text = text(bytes, MAX_BYTES)?;
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1u32);
    let (mut is_function, mut before) = (false, Token::Sign(' '));
    // Of a list behind `deps:`, how many brackets are open.
    let mut list = 0u32;
    // The tuple that is read, with its open brackets and what was seen of it.
    let mut tuple: Option<(u32, Asked)> = None;
    while let Some((token, length)) = token(rest) {
        let (passed, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let start = line;
        line += passed.matches('\n').count() as u32;
        rest = after;
        let Some(token) = token else { continue };
        match (&mut tuple, token) {
            (_, Token::Word(name)) if matches!(before, Token::Word("def" | "defp" | "defmacro" | "defmacrop")) => {
                is_function = name.contains("deps");
                tuple = None;
            }
            (Some((_, asked)), token) if before == Token::Key("path") => {
                let path = if let Token::Text(path) = token { Some(path.to_owned()) } else { None };
                asked.from = From::Path(path);
                tuple = tuple.take().map(|(depth, asked)| (depth + u32::from(opens(token)), asked));
            }
            (Some((_, asked)), Token::Key("git" | "github")) => asked.from = From::Git,
            (Some((_, asked)), Token::Key("in_umbrella")) => asked.from = From::Path(None),
            (Some((depth, _)), token) if opens(token) => *depth += 1,
            (Some((depth, _)), token) if closes(token) => {
                *depth -= 1;
                if *depth == 0 {
                    found.extend(tuple.take().map(|(_, asked)| asked));
                }
            }
            (None, Token::Atom(name)) if before == Token::Sign('{') && (is_function || list > 0) => {
                let asked = Asked { name: name.to_owned(), from: From::Hex, line: start };
                tuple = Some((1, asked));
            }
            _ => {}
        }
        if list > 0 || (before == Token::Key("deps") && token == Token::Sign('[')) {
            list = (list + u32::from(opens(token))).saturating_sub(u32::from(closes(token)));
        }
        before = token;
    }
    Ok(found)
}

fn opens(token: Token<'_>) -> bool {
    matches!(token, Token::Sign('{' | '[' | '('))
}

fn closes(token: Token<'_>) -> bool {
    matches!(token, Token::Sign('}' | ']' | ')'))
}

/// The next token and its length, or a length of what means nothing here.
fn token(text: &str) -> Option<(Option<Token<'_>>, usize)> {
    let first = text.chars().next()?;
    let name = |text: &str| {
        text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '?' | '!' | '@')).unwrap_or(text.len())
    };
    if first == '#' {
        return Some((None, text.find('\n').unwrap_or(text.len())));
    }
    if text.starts_with("\"\"\"") {
        let body = text.get(3..).unwrap_or_default();
        return Some((None, body.find("\"\"\"").map_or(text.len(), |at| at + 6)));
    }
    if matches!(first, '"' | '\'') {
        let (length, value) = quoted(text, first as u8);
        return Some((Some(Token::Text(value)), length));
    }
    if let Some(after) = text.strip_prefix(':') {
        if let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (length, value) = quoted(after, quote as u8);
            return Some((Some(Token::Atom(value)), length + 1));
        }
        let length = name(after);
        let atom = after.get(..length).filter(|atom| !atom.is_empty()).map(Token::Atom);
        return Some((atom, length + 1));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = name(text);
        let (word, after) = text.split_at_checked(length)?;
        let is_key = after.starts_with(':') && !after.starts_with("::");
        return Some(if is_key { (Some(Token::Key(word)), length + 1) } else { (Some(Token::Word(word)), length) });
    }
    // `?"` is a character, and opens no string.
    if first == '?' {
        let character = text.chars().nth(1).filter(|c| *c != '\n').map_or(0, char::len_utf8);
        return Some((None, 1 + character));
    }
    Some(((!first.is_whitespace()).then_some(Token::Sign(first)), first.len_utf8()))
}

/// The length of a string with its quotes, and what stands between them.
fn quoted(text: &str, quote: u8) -> (usize, &str) {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return (at + 1, text.get(1..at).unwrap_or_default()),
            _ => at += 1,
        }
    }
    (text.len(), text.get(1..).unwrap_or_default())
}
