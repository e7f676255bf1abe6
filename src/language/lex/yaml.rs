//! YAML, line by line (YAML 1.2.2, chapters 6 to 8).
//!
//! A quote opens a scalar only where a value may begin (behind `:`, `-`, `,`, `?`, `[`, `{`, a tag, or at the line's
//! start), so that `don't` does not. `#` begins a comment at the line's start and behind a blank. The text of a block
//! scalar (`|`, `>`) is code: it is a script as often as not. Lines of it that begin with `#` are comments, for so they
//! are to the shell, to most languages and to most configuration files.

use super::{Regions, line_end};
use crate::model::line::Region;

pub(super) fn regions(text: &[u8]) -> Regions {
    let mut out = Regions::default();
    let mut lines = Lines { is_open: true, indent: 0, depth: 0 };
    let mut at = 0;
    while at < text.len() {
        let (end, block) = lines.plain_line(text, at, &mut out);
        at = end + 1;
        if let Some(indent) = block {
            at = block_scalar(text, at, indent, &mut out);
            lines = Lines { is_open: true, indent: 0, depth: 0 };
        }
    }
    out
}

/// What the lines so far say about the next one.
struct Lines {
    /// The last line ended where a value may begin.
    is_open: bool,
    /// The indentation of the last key or item. A line indented deeper, behind a value, goes on with that value: a quote
    /// at its start is a letter of it.
    indent: usize,
    /// How many `[` and `{` are open. Outside of them `,`, `[` and `{` are letters of plain text, as in
    /// `if: contains(a, 'b')`.
    depth: usize,
}

impl Lines {
    /// Whether a value may begin behind a byte.
    fn is_value(&self, last: u8, is_apart: bool) -> bool {
        match last {
            b'[' | b'{' | b',' => self.depth > 0,
            b':' | b'-' | b'?' => is_apart,
            _ => false,
        }
    }

    /// Counts the brackets of flow collections.
    fn bracket(&mut self, byte: u8, is_value: bool) {
        match byte {
            b'[' | b'{' if is_value || self.depth > 0 => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// Reads one line, or several where a quoted scalar runs over them. Gives back the offset of the `\n` behind them,
    /// and the indentation of the line where a block scalar begins at its end.
    fn plain_line(&mut self, text: &[u8], start: usize, out: &mut Regions) -> (usize, Option<usize>) {
        let rest = text.get(start..).unwrap_or_default();
        let indent = rest.iter().take_while(|byte| **byte == b' ').count();
        let markers = rest.iter().take_while(|byte| matches!(byte, b' ' | b'-')).count();
        let goes_on = !self.is_open && (indent > self.indent || self.depth > 0);
        // What stands before the byte at hand: the last byte that is no blank, and whether a blank follows it.
        let (mut last, mut is_apart, mut header) = (if goes_on { b'.' } else { b':' }, true, Header::None);
        let (mut at, mut is_blank, mut has_key) = (start, true, false);
        while let Some(byte) = text.get(at).copied() {
            has_key |= last == b':' && !is_blank && matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            match byte {
                b'\n' => break,
                b' ' | b'\t' | b'\r' => is_apart = true,
                b'#' if is_apart => {
                    let end = line_end(text, at);
                    out.push(at, end, Region::Comment);
                    at = end;
                    break;
                }
                b'"' | b'\'' if self.is_value(last, is_apart) => {
                    let end = quoted_end(text, at, byte);
                    out.push(at, end, Region::Text);
                    (last, is_apart, header, at, is_blank) = (byte, false, Header::None, end, false);
                    continue;
                }
                // A tag or an anchor leaves the place of a value as it was.
                b'!' | b'&' if self.is_value(last, is_apart) => {
                    let rest = text.get(at..).unwrap_or_default();
                    at += rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
                    (last, is_apart) = (b':', false);
                    continue;
                }
                // Behind a quoted key of a flow mapping no blank is needed: `{"a":"b"}`.
                b':' if self.depth > 0 && !is_apart && matches!(last, b'"' | b'\'') => (last, is_apart) = (b',', false),
                b'a'..=b'z' | b'A'..=b'Z' => {
                    let rest = text.get(at..).unwrap_or_default();
                    at += rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                    (last, is_apart, is_blank, header) = (byte, false, false, Header::None);
                    continue;
                }
                _ => {
                    let is_value = self.is_value(last, is_apart);
                    self.bracket(byte, is_value);
                    header = header.next(byte, is_value && self.depth == 0);
                    (last, is_apart, is_blank) = (byte, false, false);
                }
            }
            at += 1;
        }
        if !is_blank && !goes_on {
            self.indent = if has_key { markers } else { indent };
        }
        if !is_blank {
            self.is_open = self.is_value(last, true);
        }
        (at, (header == Header::Block).then_some(indent))
    }
}

/// Whether the header of a block scalar has been read: `|` or `>` in the place of a value, then only digits, `+`, `-`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    None,
    Block,
}

impl Header {
    fn next(self, byte: u8, is_value: bool) -> Self {
        match byte {
            b'|' | b'>' if is_value => Self::Block,
            b'0'..=b'9' | b'+' | b'-' => self,
            _ => Self::None,
        }
    }
}

/// Behind a quoted scalar. One that is not closed runs to the end of the text: parsers refuse it.
fn quoted_end(text: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at).copied() {
        let is_escape = byte == b'\\' && quote == b'"';
        let is_doubled = byte == quote && quote == b'\'' && text.get(at + 1) == Some(&quote);
        if is_escape || is_doubled {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Goes over the lines of a block scalar: those indented like its first one, or more, and blank ones.
fn block_scalar(text: &[u8], start: usize, parent: usize, out: &mut Regions) -> usize {
    let mut own = None;
    let mut at = start;
    while at < text.len() {
        let end = line_end(text, at);
        let line = text.get(at..end).unwrap_or_default();
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        if !line.trim_ascii().is_empty() {
            if indent <= parent || own.is_some_and(|own| indent < own) {
                return at;
            }
            own.get_or_insert(indent);
            if line.get(indent) == Some(&b'#') {
                out.push(at + indent, end, Region::Comment);
            }
        }
        at = end + 1;
    }
    text.len()
}
