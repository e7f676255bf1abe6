//! What is shown of a line, and what stands for it: secrets never appear in either.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::text::is_unsafe;

/// Characters of an excerpt.
const MAX_CHARS: usize = 120;
/// Bytes that are shown before the match in a line that is too long.
const BEFORE: usize = 40;
/// Bytes of a line that can end up in an excerpt.
const REACH: usize = 4 * MAX_CHARS;
/// Characters of a secret that are shown, and how long it has to be for that.
const SHOWN: usize = 4;
const LONG: usize = 12;

/// The line without blanks around it.
fn trimmed(text: &[u8], line: Range<usize>) -> Range<usize> {
    let bytes = text.get(line.clone()).unwrap_or_default();
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let len = bytes.trim_ascii().len();
    line.start + start..line.start + start + len
}

/// A line as it is shown: trimmed, at most [`MAX_CHARS`] characters, around `at` where it is longer. `secrets` are ranges
/// of the text, in order and disjoint.
pub(super) fn excerpt(text: &[u8], line: Range<usize>, at: usize, secrets: &[Range<usize>]) -> String {
    let line = trimmed(text, line);
    let is_long = line.len() > MAX_CHARS && at.saturating_sub(line.start) > MAX_CHARS / 2;
    let mut from = if is_long { at.saturating_sub(BEFORE).max(line.start) } else { line.start };
    // A secret is never entered in the middle, and neither is a character.
    if let Some(secret) = secrets.iter().find(|secret| secret.contains(&from)) {
        from = secret.start.max(line.start);
    }
    while from < line.end && is_long && text.get(from).is_some_and(|b| b & 0xC0 == 0x80) {
        from += 1;
    }
    let to = line.end.min(from.saturating_add(REACH));
    let mut out = Shown { text: String::new(), left: MAX_CHARS };
    if is_long {
        out.push('…');
    }
    let mut here = from;
    for secret in secrets.iter().filter(|secret| secret.end > from && secret.start < to) {
        out.bytes(text.get(here..secret.start).unwrap_or_default());
        out.mask(text.get(secret.clone()).unwrap_or_default());
        here = secret.end.max(here);
    }
    out.bytes(text.get(here..to).unwrap_or_default());
    if to < line.end && out.left > 0 {
        out.left = 0;
        out.text.push('…');
    }
    out.text
}

/// A text that grows to a number of characters.
struct Shown {
    text: String,
    left: usize,
}

impl Shown {
    fn push(&mut self, c: char) {
        match self.left {
            0 => {}
            1 => {
                self.text.push('…');
                self.left = 0;
            }
            _ if c == '\t' || c == '\n' => {
                self.text.push(' ');
                self.left -= 1;
            }
            _ if is_unsafe(c) => {
                for escaped in c.escape_unicode() {
                    self.text.push(escaped);
                }
                self.left = self.left.saturating_sub(c.escape_unicode().count()).max(1);
            }
            _ => {
                self.text.push(c);
                self.left -= 1;
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for c in String::from_utf8_lossy(bytes).chars() {
            self.push(c);
        }
    }

    fn mask(&mut self, secret: &[u8]) {
        let text = String::from_utf8_lossy(secret.get(..REACH).unwrap_or(secret));
        if text.chars().nth(LONG - 1).is_some() {
            for c in text.chars().take(SHOWN) {
                self.push(c);
            }
        }
        self.push('…');
    }
}

/// What stands for some lines: 32 hexadecimal digits of the SHA-256 of the lines, each trimmed, with two bytes of each
/// secret's own SHA-256 in its place. These tell two secrets apart and are of no use for guessing one.
pub(super) fn key(text: &[u8], lines: impl Iterator<Item = Range<usize>>, secrets: &[Range<usize>]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for line in lines {
        let line = trimmed(text, line);
        let mut here = line.start;
        for secret in secrets.iter().filter(|secret| secret.end > line.start && secret.start < line.end) {
            hash.update(text.get(here..secret.start).unwrap_or_default());
            let of_secret = Sha256::digest(text.get(secret.clone()).unwrap_or_default());
            hash.update([0]);
            hash.update(of_secret.get(..2).unwrap_or_default());
            hash.update([0]);
            here = secret.end.max(here);
        }
        hash.update(text.get(here..line.end).unwrap_or_default());
        hash.update(b"\n");
    }
    let mut key = [0; 16];
    key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    key
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
