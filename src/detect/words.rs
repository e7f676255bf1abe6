//! Which detectors may have something to say about a line: those whose words stand on it.
//!
//! A change is usually small and the words are many, so most words are dismissed first: a word can only stand in a text
//! that has every three bytes of it ([`Triples`]). An automaton is built over the rest, for this text alone. A run that
//! sees much text builds one over all words, once; that takes longer than the scan of a small change.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::Detector;

/// Bytes of text in a run after which an automaton over all words pays.
const MUCH: u64 = 1 << 20;
/// Bits of [`Triples`], as a power of two.
const BITS: u32 = 16;

/// Words and whose they are.
pub(super) struct Words {
    /// Each word once, in lower case.
    words: Vec<String>,
    /// For each word its detectors, as a range of `owners`.
    owned: Vec<Range<usize>>,
    owners: Vec<u32>,
    /// Detectors without words.
    pub(super) wordless: Vec<u32>,
    /// Bytes seen so far in this run.
    seen: AtomicU64,
    /// The automaton over all words.
    all: OnceLock<Result<AhoCorasick, String>>,
}

impl Words {
    pub(super) fn new(detectors: &[Detector]) -> Self {
        let mut by_word: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut wordless = Vec::new();
        for (index, detector) in (0_u32..).zip(detectors) {
            if detector.words.is_empty() {
                wordless.push(index);
            }
            for word in &detector.words {
                let of_word = by_word.entry(word).or_default();
                if of_word.last() != Some(&index) {
                    of_word.push(index);
                }
            }
        }
        let (mut words, mut owned, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (word, mut of_word) in by_word {
            let start = owners.len();
            owners.append(&mut of_word);
            words.push(word.to_owned());
            owned.push(start..owners.len());
        }
        Self { words, owned, owners, wordless, seen: AtomicU64::new(0), all: OnceLock::new() }
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Calls back with every word in some ranges of a text whose detectors may be `active`: the offset of its last byte,
    /// its number, and its detectors. Ranges are in order and so are offsets.
    ///
    /// # Errors
    /// Where there are too many words for an automaton, or the callback's own.
    pub(super) fn find(
        &self,
        text: &[u8],
        ranges: &[Range<usize>],
        active: &[bool],
        mut found: impl FnMut(usize, usize, &[u32]) -> Result<(), String>,
    ) -> Result<(), String> {
        let bytes = ranges.iter().map(|range| range.len() as u64).sum::<u64>();
        let mut each = |automaton: &AhoCorasick, number: &dyn Fn(usize) -> usize| {
            for range in ranges {
                for word in automaton.find_overlapping_iter(Input::new(text).range(range.clone())) {
                    let number = number(word.pattern().as_usize());
                    found(word.end().saturating_sub(1), number, self.owners(number))?;
                }
            }
            Ok(())
        };
        if self.seen.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > MUCH {
            let all = self.all.get_or_init(|| {
                build(&self.words, AhoCorasickKind::DFA).or_else(|_| build(&self.words, AhoCorasickKind::ContiguousNFA))
            });
            return each(all.as_ref().map_err(Clone::clone)?, &|number| number);
        }
        let triples = Triples::new(text, ranges);
        let is_active =
            |number: usize| self.owners(number).iter().any(|owner| active.get(*owner as usize) == Some(&true));
        let (numbers, words): (Vec<usize>, Vec<&str>) = (0..)
            .zip(self.words.iter().map(String::as_str))
            .filter(|(number, word)| is_active(*number) && triples.may_hold(word.as_bytes()))
            .unzip();
        if words.is_empty() {
            return Ok(());
        }
        each(&build(&words, AhoCorasickKind::NoncontiguousNFA)?, &|pattern| {
            numbers.get(pattern).copied().unwrap_or(usize::MAX)
        })
    }

    /// The detectors of a word.
    fn owners(&self, number: usize) -> &[u32] {
        self.owned.get(number).and_then(|range| self.owners.get(range.clone())).unwrap_or_default()
    }
}

fn build<W: AsRef<[u8]>>(words: &[W], kind: AhoCorasickKind) -> Result<AhoCorasick, String> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(kind))
        .build(words)
        .map_err(|error| format!("the words of the detectors make no automaton: {error}"))
}

/// Which three bytes stand somewhere in a text, ASCII in lower case, by hash: never no for one that does.
struct Triples {
    bits: Vec<u64>,
}

impl Triples {
    fn new(text: &[u8], ranges: &[Range<usize>]) -> Self {
        let mut triples = Self { bits: vec![0; 1 << (BITS - 6)] };
        for range in ranges {
            let mut last = 0;
            for (place, byte) in text.get(range.clone()).unwrap_or_default().iter().enumerate() {
                last = last << 8 | u32::from(byte.to_ascii_lowercase());
                if place >= 2 {
                    let hash = hash(last);
                    if let Some(slot) = triples.bits.get_mut(hash >> 6) {
                        *slot |= 1 << (hash & 63);
                    }
                }
            }
        }
        triples
    }

    fn may_hold(&self, word: &[u8]) -> bool {
        word.windows(3).all(|three| {
            let hash = hash(three.iter().fold(0, |last, byte| last << 8 | u32::from(*byte)));
            self.bits.get(hash >> 6).is_some_and(|slot| slot >> (hash & 63) & 1 == 1)
        })
    }
}

/// A place for the lower three bytes (Fibonacci hashing, Knuth, volume 3, section 6.4).
fn hash(three: u32) -> usize {
    ((three << 8).wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}
