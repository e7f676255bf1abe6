//! Brackets that people close at the start of a line.
//!
//! YAML wants what stands in brackets to be indented deeper than what holds them. Most readers, and those that run these
//! files, do not insist on it for `]`; the parser here does. So lines that it refuses for that reason alone are indented,
//! which changes nothing between brackets. Lines keep their numbers.

use std::borrow::Cow;

use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::yaml;
use crate::model::tree::Unread;

/// Bytes that are parsed for one file, all attempts together.
const MAX_WORK: usize = 8 << 20;

/// What the parser says of a line that is not indented enough between brackets.
const REASONS: [&str; 2] = ["invalid indentation", "invalid indentation in flow construct"];

/// The bytes of a file, with lines between brackets indented where they are not enough.
pub(in crate::ecosystem) fn indented(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Cow::Borrowed(bytes);
    // Files without such a bracket, which most are, need not be parsed twice.
    let closes = |line: &[u8]| matches!(line.trim_ascii_start().first(), Some(b']' | b'}'));
    if !bytes.split(|byte| matches!(byte, b'\n' | b'\r')).any(closes) {
        return text;
    }
    let mut work = 0usize;
    loop {
        work = work.saturating_add(text.len()).saturating_add(1_024);
        let Err(Unread::Malformed { line, reason }) = yaml::read_all(&text, MAX_BYTES) else { return text };
        if !REASONS.contains(&&*reason) || work > MAX_WORK {
            return text;
        }
        // A file that does not get better is the parser's to refuse.
        let Some(at) = start_of(&text, line) else { return text };
        let Some((before, after)) = text.split_at_checked(at) else { return text };
        text = Cow::Owned([before, &[b' '; 64], after].concat());
    }
}

/// The byte at which a line starts, as YAML breaks lines.
fn start_of(text: &[u8], line: u32) -> Option<usize> {
    let is_break = |at: usize| match text.get(at) {
        Some(b'\n') => true,
        Some(b'\r') => text.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    let before = (line as usize).checked_sub(2)?;
    (0..text.len()).filter(|at| is_break(*at)).nth(before).map(|at| at + 1)
}
