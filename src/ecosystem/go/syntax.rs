//! The lines of `go.mod` and `go.work` (Go Modules Reference, "Lexical elements" and "Grammar"): a directive and its
//! words on one line, or a block of such lines in parentheses.

use std::borrow::Cow;

use crate::ecosystem::syntax::{explain, malformed, text, toml};
use crate::model::tree::Unread;

/// What is said of the marks of a merge: in a block, `<<<<<<< HEAD` would be two words like any other.
pub(super) const CONFLICT: &str = "conflict markers (`<<<<<<<`): a merge was left unfinished";

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The text, without quotation marks.
    pub text: Cow<'a, str>,
    /// Whether it stood in quotation marks: then it is no punctuation.
    pub is_quoted: bool,
}

impl Word<'_> {
    pub(super) fn is(&self, sign: &str) -> bool {
        !self.is_quoted && self.text == sign
    }
}

/// A directive with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub verb: Cow<'a, str>,
    pub words: Vec<Word<'a>>,
    /// The comment at the end of the line, without its slashes.
    pub comment: Option<&'a str>,
    /// The line, counted from 1.
    pub line: u32,
}

/// The statements of a file; those of a block carry the block's directive. `visit` tells whether it wants the next one.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    blocks: &[&str],
    mut visit: impl FnMut(Statement<'a>) -> Result<bool, Unread>,
) -> Result<(), Unread> {
    let text = text(bytes, toml::MAX_BYTES)?;
    statements(text, blocks, &mut visit).map_err(|error| explain(text, error))
}

fn statements<'a>(
    text: &'a str,
    blocks: &[&str],
    visit: &mut impl FnMut(Statement<'a>) -> Result<bool, Unread>,
) -> Result<(), Unread> {
    let mut open: Option<(Cow<'a, str>, u32)> = None;
    for (at, source) in text.split('\n').enumerate() {
        let line = at as u32 + 1;
        if source.starts_with("<<<<<<<") || source.starts_with(">>>>>>>") {
            return Err(malformed(line, CONFLICT));
        }
        let (mut words, comment) = words(source, line)?;
        let Some(first) = words.first() else { continue };
        if let Some((verb, _)) = &open {
            if !first.is(")") {
                if !visit(Statement { verb: verb.clone(), words, comment, line })? {
                    return Ok(());
                }
            } else if words.len() == 1 {
                open = None;
            } else {
                return Err(malformed(line, "something stands after the closing parenthesis"));
            }
            continue;
        }
        if first.is_quoted {
            return Err(malformed(line, "a directive in quotation marks"));
        }
        let is_empty_block = matches!(&*words, [.., a, b] if a.is("(") && b.is(")"));
        if is_empty_block || words.last().is_some_and(|last| last.is("(")) {
            let verb = first.text.clone();
            if words.len() != 1 + usize::from(is_empty_block) + 1 || !blocks.contains(&&*verb) {
                return Err(malformed(line, "a block of no directive that has blocks"));
            }
            if !is_empty_block {
                open = Some((verb, line));
            }
            continue;
        }
        let verb = words.remove(0).text;
        if !visit(Statement { verb, words, comment, line })? {
            return Ok(());
        }
    }
    match open {
        Some((_, line)) => Err(malformed(line, "a block that is not closed")),
        None => Ok(()),
    }
}

/// The words of a line, and the comment at its end.
fn words(source: &str, line: u32) -> Result<(Vec<Word<'_>>, Option<&str>), Unread> {
    let mut found = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let Some(first) = rest.chars().next() else {
            return Ok((found, None));
        };
        if let Some(comment) = rest.strip_prefix("//") {
            // Alone on its line it is a comment on what follows.
            return Ok((found, Some(comment)));
        }
        let (word, after) = match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' => {
                let (sign, after) = rest.split_at_checked(1).unwrap_or_default();
                (Word { text: Cow::Borrowed(sign), is_quoted: false }, after)
            }
            '"' | '`' => quoted(rest, first, line)?,
            _ => plain(rest, line)?,
        };
        found.push(word);
        rest = after;
    }
}

fn plain(rest: &str, line: u32) -> Result<(Word<'_>, &str), Unread> {
    let is_end = |c: char| c.is_whitespace() || "()[]{},".contains(c);
    let end = rest.find(is_end).unwrap_or(rest.len());
    let (word, _) = rest.split_at_checked(end).unwrap_or_default();
    let end = word.find("//").unwrap_or(end);
    let (word, after) = rest.split_at_checked(end).unwrap_or_default();
    if word.contains("/*") {
        return Err(malformed(line, "a comment of the kind `/* */`, which these files do not have"));
    }
    if word.contains(['"', '\'', '`']) {
        return Err(malformed(line, "a quotation mark inside of a word"));
    }
    let is_printable = |c: char| if c.is_ascii() { c.is_ascii_graphic() } else { c.is_alphanumeric() };
    if word.is_empty() || !word.chars().all(is_printable) {
        return Err(malformed(line, "a character that no word may hold"));
    }
    Ok((Word { text: Cow::Borrowed(word), is_quoted: false }, after))
}

/// A text in quotation marks. Escapes other than those of the mark and the backslash are refused: nothing that such a
/// file names needs one.
fn quoted(rest: &str, mark: char, line: u32) -> Result<(Word<'_>, &str), Unread> {
    let unclosed = || malformed(line, "a quotation mark that is not closed");
    let body = rest.strip_prefix(mark).ok_or_else(unclosed)?;
    let mut text = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == mark => {
                let after = body.get(at + 1..).ok_or_else(unclosed)?;
                return Ok((Word { text: Cow::Owned(text), is_quoted: true }, after));
            }
            '\\' if mark == '"' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                _ => return Err(malformed(line, "an escape that is not read")),
            },
            _ if c.is_control() => return Err(malformed(line, "a control character in quotation marks")),
            _ => text.push(c),
        }
    }
    Err(unclosed())
}
