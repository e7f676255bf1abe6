//! Reading text that somebody else wrote.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Parts of one dotted TOML key. A tree is as deep as its keys are dotted and its brackets are nested, and it is taken
/// down by recursion: `toml` bounds the brackets and not the dots.
const MAX_PARTS: usize = 16;

/// Parts of all keys that are open at one place, one inside the other.
const MAX_DEPTH: usize = 64;

/// A mistake in a text: the line, counted from 1 (0 where none applies), and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line.
    pub line: u32,
    /// What is wrong there.
    pub reason: String,
}

/// The line, counted from 1, on which a byte stands.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset.min(text.len())).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// Refuses TOML whose keys are dotted deeper than the stack should bear.
///
/// # Errors
/// [`Mistake`] with the line of the key.
pub fn bound_dots(text: &str) -> Result<(), Mistake> {
    let (mut parts, mut before_value) = (0, 0);
    // For each open bracket, the parts of the key that it is the value of.
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => parts += 1,
            TokenKind::Equals => (parts, before_value) = (0, parts + 1),
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                let of_key = std::mem::take(&mut before_value).max(1);
                open.push(of_key);
                depth += of_key;
                parts = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth -= open.pop().unwrap_or(0);
                parts = 0;
            }
            TokenKind::Whitespace
            | TokenKind::Atom
            | TokenKind::BasicString
            | TokenKind::LiteralString
            | TokenKind::MlBasicString
            | TokenKind::MlLiteralString => {}
            _ => parts = 0,
        }
        if parts > MAX_PARTS || depth > MAX_DEPTH {
            let line = line_of(text, token.span().start());
            let reason = if parts > MAX_PARTS {
                format!("a key of more than {MAX_PARTS} parts")
            } else {
                format!("nested deeper than {MAX_DEPTH}")
            };
            return Err(Mistake { line, reason });
        }
    }
    Ok(())
}

/// Reads TOML into a type.
///
/// # Errors
/// [`Mistake`] with its line.
pub fn toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    bound_dots(text)?;
    toml::from_str(text).map_err(|error| Mistake {
        line: error.span().map_or(0, |span| line_of(text, span.start)),
        reason: error.message().replace('\n', " "),
    })
}

/// Text as one word of a POSIX shell command, to be copied and run: a name must not become a command of its own. What
/// is shown is escaped for its sink as well.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_would_overflow_the_stack_are_refused() {
        let deep = format!("x = 1\n{} = 1\n", vec!["a"; 100_000].join("."));
        assert_eq!(toml::<toml::Table>(&deep).unwrap_err().line, 2);
        let nested = format!("x = 1\ny = {}1{}\n", "{ a.b.c.d.e.f = ".repeat(40), " }".repeat(40));
        assert_eq!(toml::<toml::Table>(&nested).unwrap_err().line, 2);
        assert_eq!(toml::<toml::Table>("a.b.c = 1\nversion = \"1.2.3.4\"\n").unwrap().len(), 2);
    }
}
