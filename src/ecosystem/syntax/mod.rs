//! Bytes → values with places: the syntaxes that formats are written in, each behind caps.
//!
//! A mistake is an [`Unread`] with its line. A key twice is a mistake in every syntax: readers disagree on which of the
//! two counts.

use crate::model::tree::Unread;

pub mod json;
pub mod toml;
pub mod xml;
pub mod yaml;

/// Values in one document, at the most. A tree takes about a hundred bytes for each.
pub(crate) const MAX_VALUES: usize = 4_000_000;

/// Values inside values, at the most. Trees are taken down by recursion.
pub(crate) const MAX_NESTING: usize = 128;

/// Where lines start.
#[derive(Debug, Clone)]
pub struct Lines(Vec<u32>);

impl Lines {
    /// The lines of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(newlines.map(|(at, _)| at as u32 + 1)).collect())
    }

    /// The line of a byte offset, counted from 1.
    #[must_use]
    pub fn of(&self, offset: usize) -> u32 {
        self.0.partition_point(|start| *start as usize <= offset) as u32
    }
}

/// A complaint about a line.
pub(crate) fn malformed(line: u32, reason: impl Into<String>) -> Unread {
    Unread::Malformed { line, reason: reason.into() }
}

/// The line of a byte offset, counted from 1. Walks the text: for the one line of an error.
pub(crate) fn line_of(text: &str, offset: usize) -> u32 {
    let bytes = text.as_bytes();
    let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// The text of a file, within `cap` bytes.
///
/// # Errors
/// Too large, not UTF-8, or with a NUL byte, which no syntax here may hold.
pub(crate) fn text(bytes: &[u8], cap: u64) -> Result<&str, Unread> {
    if bytes.len() as u64 > cap {
        return Err(Unread::TooLarge { what: "the file, in bytes,".to_owned(), size: bytes.len() as u64, cap });
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            return Err(malformed(line, "not UTF-8"));
        }
    };
    if bytes.contains(&0) {
        let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        return Err(malformed(line_of(text, at), "a NUL byte"));
    }
    Ok(text)
}

/// Says by name that a merge was left unfinished, where that is why the text could not be read.
pub(crate) fn explain(text: &str, error: Unread) -> Unread {
    if !matches!(error, Unread::Malformed { .. }) {
        return error;
    }
    for (n, line) in text.lines().enumerate() {
        if line.starts_with("<<<<<<<") {
            return malformed(n as u32 + 1, "conflict markers (`<<<<<<<`): a merge was left unfinished");
        }
    }
    error
}
