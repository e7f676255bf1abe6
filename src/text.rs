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

/// Characters that move, hide, reorder or imitate, as inclusive ranges. Sources: Unicode 16 `UnicodeData.txt`
/// (categories Cc, Cf, Zl, Zp, Co) and `DerivedCoreProperties.txt` (`Default_Ignorable_Code_Point`).
const UNSAFE: &[(u32, u32)] = &[
    (0x0000, 0x001F),    // C0, with ESC
    (0x007F, 0x009F),    // DEL, C1
    (0x00AD, 0x00AD),    // soft hyphen
    (0x034F, 0x034F),    // combining grapheme joiner
    (0x0600, 0x0605),    // Arabic number signs
    (0x061C, 0x061C),    // Arabic letter mark: bidirectional
    (0x06DD, 0x06DD),    // Arabic end of ayah
    (0x070F, 0x070F),    // Syriac abbreviation mark
    (0x0890, 0x0891),    // Arabic currency marks
    (0x08E2, 0x08E2),    // Arabic disputed end of ayah
    (0x115F, 0x1160),    // Hangul fillers: blank
    (0x17B4, 0x17B5),    // Khmer inherent vowels: invisible
    (0x180B, 0x180F),    // Mongolian selectors and separator
    (0x200B, 0x200F),    // zero width space, joiners, left-to-right and right-to-left marks
    (0x2028, 0x202E),    // line and paragraph separators, bidirectional embeddings and overrides
    (0x2060, 0x206F),    // word joiner, invisible operators, bidirectional isolates, deprecated format characters
    (0x2800, 0x2800),    // Braille blank
    (0x3164, 0x3164),    // Hangul filler
    (0xE000, 0xF8FF),    // private use: every font draws something else
    (0xFE00, 0xFE0F),    // variation selectors
    (0xFEFF, 0xFEFF),    // byte order mark
    (0xFFA0, 0xFFA0),    // halfwidth Hangul filler
    (0xFFF0, 0xFFFB),    // unassigned ignorables, interlinear annotation
    (0xFFFE, 0xFFFF),    // noncharacters
    (0x110BD, 0x110BD),  // Kaithi number sign
    (0x110CD, 0x110CD),  // Kaithi number sign above
    (0x13430, 0x1343F),  // Egyptian hieroglyph format controls
    (0x1BCA0, 0x1BCA3),  // shorthand format controls
    (0x1D173, 0x1D17A),  // musical format controls
    (0xE0000, 0xE0FFF),  // tags, supplementary variation selectors: whole texts hide here
    (0xF0000, 0x10FFFF), // supplementary private use
];

/// Whether a character may not reach a terminal as it is.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    let code = u32::from(c);
    // Every blank but the common one imitates it, or breaks a line.
    c.is_whitespace() || UNSAFE.iter().any(|(from, to)| (*from..=*to).contains(&code))
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
