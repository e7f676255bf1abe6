//! Where code, comments and strings stand in a text.
//!
//! This is no parser. It knows of each language what opens and closes comments and strings, and takes one pass over the
//! bytes. Since head writes the text, a mistake must fall on the safe side: rules look hardest at code, so **a byte in
//! doubt is code**.
//!
//! - A string that may not run over the end of its line and is not closed there is no string: one stray quote changes
//!   nothing behind it.
//! - What only looks like a comment, or is one whose text may be executed (`/*!` of MySQL, `\u000a` in Java, templates
//!   within HTML comments, bodies of shell heredocs), is skipped as a whole and stays code.
//! - Where `/` may begin a regular expression or divide, and the two readings differ, the rest of the line is code.
//! - Code within strings (`${…}`, `#{…}`, `$(…)`, `{…}` of an f-string) is code. Beyond [`machine::MAX_NESTING`] of them,
//!   one in the other, the rest of the text is code.
//! - A line comment ends at every byte sequence that some language takes for the end of a line: `\n`, `\r`, U+0085,
//!   U+2028, U+2029.
//! - Comments and strings that may run over lines and are never closed end with the text, as compilers have it.
//!
//! Every lookahead is paid for once: what was not found on a line is not looked for again on it. So the time is linear.

mod heredoc;
mod machine;
mod markup;
mod slash;
mod special;
mod syntax;
mod yaml;

use std::ops::Range;

use crate::model::line::{Language, Region};

/// Texts longer than this are code throughout: offsets are kept in 30 bits. Callers cap sizes far below.
pub const MAX_TEXT: usize = (1 << 30) - 1;

/// Which bytes of a text are code, comment or string. The delimiters belong to what they delimit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    /// Where each stretch begins (offset times four, plus the region), ascending; before the first one is code.
    starts: Vec<u32>,
}

impl Regions {
    /// What a byte is. Beyond the text, what its last byte is.
    #[must_use]
    pub fn at(&self, offset: usize) -> Region {
        self.starts.get(self.count_to(offset).wrapping_sub(1)).map_or(Region::Code, |packed| unpack(*packed).1)
    }

    /// Whether there is nothing but code.
    #[must_use]
    pub fn is_code(&self) -> bool {
        self.starts.is_empty()
    }

    /// The stretches of a range of bytes, in order: where each begins, counted from the range's start, and what it is.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Region)> + '_ {
        let first = self.at(range.start);
        let rest = self.starts.get(self.count_to(range.start)..).unwrap_or_default();
        let Range { start, end } = range;
        let rest = rest.iter().map(|packed| unpack(*packed)).take_while(move |(at, _)| *at < end);
        std::iter::once((0, first)).chain(rest.map(move |(at, region)| (at - start, region)))
    }

    /// How many stretches begin at or before an offset.
    fn count_to(&self, offset: usize) -> usize {
        self.starts.partition_point(|packed| unpack(*packed).0 <= offset)
    }

    /// Adds a stretch behind the others; between two stretches is code.
    fn push(&mut self, from: usize, to: usize, region: Region) {
        if region == Region::Code || from >= to {
            return;
        }
        let tail = |starts: &[u32]| starts.last().map(|packed| unpack(*packed));
        if tail(&self.starts) == Some((from, Region::Code)) {
            self.starts.pop();
        }
        if tail(&self.starts).is_none_or(|(_, last)| last != region) {
            self.starts.push(pack(from, region));
        }
        self.starts.push(pack(to, Region::Code));
    }
}

fn pack(offset: usize, region: Region) -> u32 {
    let region = match region {
        Region::Code => 0,
        Region::Comment => 1,
        Region::Text => 2,
    };
    (offset.min(MAX_TEXT) as u32) << 2 | region
}

fn unpack(packed: u32) -> (usize, Region) {
    let region = match packed & 3 {
        1 => Region::Comment,
        2 => Region::Text,
        _ => Region::Code,
    };
    ((packed >> 2) as usize, region)
}

/// Where code, comments and strings stand in a text of a language. Markdown, plain text and unknown languages are code
/// throughout.
#[must_use]
pub fn regions(language: Language, text: &[u8]) -> Regions {
    if text.len() > MAX_TEXT {
        return Regions::default();
    }
    match language {
        Language::Yaml | Language::CloudFormation => yaml::regions(text),
        Language::Html => markup::regions(text, true),
        Language::Xml => markup::regions(text, false),
        _ => syntax::of(language).map_or_else(Regions::default, |rules| machine::Machine::new(rules, text).run()),
    }
}

/// Where `needle` stands at or behind `from`.
fn find(text: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut at = from;
    loop {
        at += text.get(at..)?.iter().position(|byte| byte == first)?;
        if text.get(at + 1..)?.starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}

/// The offset of the `\n` at or behind `from`, or the text's end.
fn line_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at)
}

/// Whether a byte can stand in a name; all of what is not ASCII counts.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests;
