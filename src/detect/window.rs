//! A few lines in which many literals are looked for.

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
    /// By the lower six bits of either byte.
    pairs: [u64; WORDS],
}

impl Window {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut window = Self { lower: Vec::new(), pairs: [0; WORDS] };
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
            if let Some(word) = self.pairs.get_mut(usize::from(a & 63)) {
                *word |= 1 << (b & 63);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lower.len()
    }

    /// Where a literal, in lower case and of two bytes at least, stands first in the text, from a place on and with its
    /// end before another; adds up the bytes searched.
    pub(super) fn find(&self, literal: &[u8], from: usize, before: usize, searched: &mut usize) -> Option<usize> {
        let mut pairs = literal.iter().zip(literal.iter().skip(1));
        let may_stand =
            |(a, b): (&u8, &u8)| self.pairs.get(usize::from(a & 63)).is_some_and(|word| word >> (b & 63) & 1 == 1);
        *searched += 16;
        if !pairs.all(may_stand) {
            return None;
        }
        let text = self.lower.get(from..before.saturating_sub(1).min(self.lower.len()))?;
        *searched += text.len();
        if text.len() > SHORT {
            return memchr::memmem::find(text, literal).map(|at| from + at);
        }
        // Preparing a search takes longer than this one.
        let (first, _) = literal.split_first()?;
        let is_here = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(literal));
        memchr::memchr_iter(*first, text).find(is_here).map(|at| from + at)
    }
}
