//! A few lines in which many literals are looked for.

use super::formula::{DIGIT, EDGE, core, folded};

/// Bits of the set of pairs, in words of 64.
const WORDS: usize = 64;
/// Bytes of a short text.
const SHORT: usize = 512;
/// Bytes of a text whose pairs are not worth telling.
const LONG: usize = 8 << 10;

/// A text in lower case, and which two bytes stand in it one after the other.
#[derive(Debug)]
pub(super) struct Window {
    lower: Vec<u8>,
    /// By the lower six bits of either byte; digits count as one.
    pairs: Box<[u64; WORDS]>,
}

impl Window {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut window = Self { lower: Vec::new(), pairs: Box::new([0; WORDS]) };
        window.set(text);
        window
    }

    /// Takes another text.
    pub(super) fn set(&mut self, text: &[u8]) {
        self.lower.clear();
        self.lower.extend_from_slice(text);
        self.lower.make_ascii_lowercase();
        // In a long text there are nearly all pairs.
        self.pairs.fill(if text.len() > LONG { u64::MAX } else { 0 });
        if text.len() > LONG {
            return;
        }
        for (a, b) in self.lower.iter().zip(self.lower.iter().skip(1)) {
            if let Some(word) = self.pairs.get_mut(low(*a)) {
                *word |= 1 << low(*b);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lower.len()
    }

    /// Where a literal of two bytes or a rare sign, as formulas have it, ends first in the text, from a place on and
    /// before another; adds up the bytes searched.
    pub(super) fn find(&self, literal: &[u8], from: usize, before: usize, searched: &mut usize) -> Option<usize> {
        let text = core(literal);
        let mut pairs = text.iter().zip(text.iter().skip(1));
        let may_stand = |(a, b): (&u8, &u8)| self.pairs.get(low(*a)).is_some_and(|word| word >> low(*b) & 1 == 1);
        *searched += 16;
        if !pairs.all(may_stand) {
            return None;
        }
        let until = before.saturating_sub(1).min(self.lower.len());
        let mut from = from;
        loop {
            let part = self.lower.get(from..until)?;
            let Some(at) = first(part, text).map(|at| from + at) else {
                *searched += part.len();
                return None;
            };
            let end = at + text.len();
            *searched += end - from;
            // What is searched starts with a line, and so does a word there.
            let is_of_word = |at: usize| self.lower.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
            let goes_on_before = literal.first() == Some(&EDGE) && at > 0 && is_of_word(at - 1);
            let goes_on_after = literal.last() == Some(&EDGE) && is_of_word(end);
            if !goes_on_before && !goes_on_after {
                return Some(end);
            }
            from = at + 1;
        }
    }
}

/// Six bits of a byte.
fn low(byte: u8) -> usize {
    usize::from(folded(byte) & 63)
}

/// Where a text stands first in another.
fn first(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let (head, _) = wanted.split_first()?;
    if wanted.iter().all(|byte| *byte == DIGIT) {
        return digits(text, wanted.len());
    }
    if wanted.contains(&DIGIT) {
        let is_one = |(here, wanted): (&u8, &u8)| here == wanted || (*wanted == DIGIT && here.is_ascii_digit());
        return text.windows(wanted.len()).position(|here| here.iter().zip(wanted).all(is_one));
    }
    if text.len() > SHORT {
        return memchr::memmem::find(text, wanted);
    }
    // Preparing a search takes longer than this one.
    let is_here = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted));
    memchr::memchr_iter(*head, text).find(is_here)
}

/// Where so many digits in a row stand first in a text.
fn digits(text: &[u8], count: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(row) = text.get(at..at + count) {
        // Behind the last byte that is none nothing of these is lost.
        match row.iter().rposition(|byte| !byte.is_ascii_digit()) {
            None => return Some(at),
            Some(other) => at += other + 1,
        }
    }
    None
}
