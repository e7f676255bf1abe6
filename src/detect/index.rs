//! Which patterns may have something to say about a line: those of which a literal stands on it.
//!
//! Each pattern has a *gate*: literals of which every match holds one (by its formula), or the words of its detector,
//! whichever are rarer in source text. Where every match holds one of some other literals as well, the gate has these
//! too, and opens only where one of either stands within as many lines as its detector sees. A text is read four bytes at a time, letters in lower case: three of them choose
//! a row of a table, the fourth a bit of it, and where that is set, the literals whose rarest four bytes these are get
//! compared. The tables of the program's own detectors are made when it is built, so that nothing is to be done at its
//! start.

use std::collections::BTreeMap;
use std::ops::Range;

use super::detector::Detector;
use super::formula::{Choice, DIGIT, EDGE, core, folded};
use super::list::List;
use super::rarity::per_million;

/// Rows of the filter, and heads of the chains of literals, as powers of two.
const ROW_BITS: u32 = 13;
const HEAD_BITS: u32 = 12;
/// Shortest literal of a gate.
const MIN_GATE: usize = 3;
/// Literals of one gate.
const MAX_GATE: usize = 600;
/// Literals that stand in more than one of so many places tell nothing beside others: so many of a million bytes.
const MAX_RATE: f64 = 600.0;

/// A pattern and when it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Number of the detector.
    pub detector: u32,
    /// Number of the pattern among the detector's.
    pub pattern: u32,
    /// Whether literals of both sides must stand there.
    pub has_second: bool,
    /// Whether a word of the detector has to be looked for as well.
    pub needs_word: bool,
}

/// A literal of some gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// Its rarest four bytes, or all three, as [`fold`] has them.
    pub print: u32,
    /// Where in it these are.
    pub offset: u16,
    /// Its length.
    pub len: u16,
    /// Whether no word goes on before it.
    pub starts: bool,
    /// Whether no word goes on after it.
    pub ends: bool,
    /// Where in the bytes of all literals it is.
    pub at: u32,
    /// Its gates, as a range of the owners.
    pub from: u32,
    /// Their end.
    pub to: u32,
}

/// The literals of some detectors.
#[derive(Debug)]
pub struct Index {
    /// For three bytes the fourth ones that may follow.
    pub rows: List<u32>,
    /// For the hash of a print the first of its literals; one more at the end.
    pub heads: List<u32>,
    /// Literals, by that hash.
    pub literals: List<Literal>,
    /// The bytes of all literals, in lower case.
    pub bytes: List<u8>,
    /// Numbers of gates, doubled; one more for a literal of the second side.
    pub owners: List<u32>,
    /// The gates, by detector and pattern.
    pub gates: List<Gate>,
    /// Patterns without a gate, of detectors without words: they see every line. Detector and pattern.
    pub always: List<(u32, u32)>,
}

/// Four bytes, folded.
fn fold(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes.map(folded))
}

/// A row for the first three of four bytes (Fibonacci hashing, Knuth, volume 3, section 6.4).
fn row(print: u32) -> usize {
    ((print << 8).wrapping_mul(0x9E37_79B1) >> (32 - ROW_BITS)) as usize
}

/// The bit of the fourth byte in a row.
fn bit(print: u32) -> u32 {
    1 << (print >> 24 & 31)
}

fn head(print: u32) -> usize {
    (print.wrapping_mul(0x9E37_79B1) >> (32 - HEAD_BITS)) as usize
}

/// The print of a literal, where in it that is, its edges aside, and how often it is to be expected.
fn print(literal: &[u8]) -> Option<(u32, usize, f64)> {
    let literal = core(literal);
    if let [a, b, c] = *literal {
        return Some((fold([a, b, c, 0]) & 0x00FF_FFFF, 0, per_million(literal)));
    }
    let all = literal.windows(4).enumerate().filter_map(|(at, bytes)| {
        let bytes: &[u8; 4] = bytes.try_into().ok()?;
        Some((fold(*bytes), at, per_million(bytes)))
    });
    all.min_by(|a, b| a.2.total_cmp(&b.2))
}

/// What a literal costs in a gate: how often its print stops the search, and how often it is there indeed.
fn cost(literal: &[u8]) -> Option<f64> {
    let (_, _, stops) = print(literal).filter(|_| core(literal).len() >= MIN_GATE)?;
    Some(1.0 + stops + 20.0 * per_million(literal))
}

/// Takes in where in the text something was found, and what.
type Report<'r> = dyn FnMut(usize, &[u32]) -> Result<(), String> + 'r;

impl Index {
    /// The index of some detectors.
    pub(super) fn new<'d>(detectors: impl IntoIterator<Item = &'d Detector>) -> Self {
        let mut gates = Vec::new();
        let mut always = Vec::new();
        let mut owned: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        let mut add = |gate: Gate, sides: [&[&[u8]]; 2]| {
            for (side, literals) in (0..).zip(sides) {
                for literal in literals {
                    let owners = owned.entry(literal.to_vec()).or_default();
                    let owner = 2 * gates.len() as u32 + side;
                    if owners.last() != Some(&owner) {
                        owners.push(owner);
                    }
                }
            }
            gates.push(gate);
        };
        for (number, detector) in (0..).zip(detectors) {
            let words: Vec<&[u8]> = detector.words.iter().map(|word| word.as_bytes()).collect();
            let of_words = words.iter().map(|word| cost(word)).sum::<Option<f64>>().filter(|_| !words.is_empty());
            for (pattern, formula) in (0..).zip(detector.patterns.formulas.iter()) {
                let own = super::formula::gates(formula, &cost).filter(|own| own.len() <= MAX_GATE);
                let cost_of =
                    |own: &Vec<super::formula::Gate<'_>>| own.iter().map(|(first, _)| first.cost).sum::<f64>();
                let own = own.filter(|own| of_words.is_none_or(|of_words| cost_of(own) <= of_words));
                let Some(own) = own else {
                    if of_words.is_some() {
                        add(Gate { detector: number, pattern, has_second: false, needs_word: false }, [&words, &[]]);
                    } else {
                        always.push((number, pattern));
                    }
                    continue;
                };
                for (first, second) in own {
                    let has_word =
                        |literal: &&[u8]| words.iter().any(|word| memchr::memmem::find(literal, word).is_some());
                    let needs_word = !words.is_empty() && !first.literals.iter().all(has_word);
                    let rate =
                        |choice: &Choice<'_>| choice.literals.iter().map(|literal| per_million(literal)).sum::<f64>();
                    let second = second.filter(|second| second.literals.len() <= MAX_GATE && rate(second) < MAX_RATE);
                    let second = second.map(|second| second.literals).unwrap_or_default();
                    let gate = Gate { detector: number, pattern, has_second: !second.is_empty(), needs_word };
                    add(gate, [&first.literals, &second]);
                }
            }
        }
        Self::with(gates, always, owned)
    }

    fn with(gates: Vec<Gate>, always: Vec<(u32, u32)>, owned: BTreeMap<Vec<u8>, Vec<u32>>) -> Self {
        let mut rows = vec![0; 1 << ROW_BITS];
        let (mut literals, mut bytes, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (literal, mut gates) in owned {
            let Some((print, offset, _)) = print(&literal) else { continue };
            if let Some(row) = rows.get_mut(row(print)) {
                *row |= if core(&literal).len() == 3 { u32::MAX } else { bit(print) };
            }
            let from = owners.len() as u32;
            owners.append(&mut gates);
            let (len, at) = (core(&literal).len() as u16, bytes.len() as u32);
            let edge = |byte: Option<&u8>| byte == Some(&EDGE);
            literals.push(Literal {
                print,
                offset: offset as u16,
                len,
                starts: edge(literal.first()),
                ends: edge(literal.last()),
                at,
                from,
                to: owners.len() as u32,
            });
            bytes.extend(core(&literal));
        }
        literals.sort_by_key(|literal| head(literal.print));
        let before = |hash: usize| literals.partition_point(|literal| head(literal.print) < hash) as u32;
        let heads: List<u32> = (0..=1 << HEAD_BITS).map(before).collect();
        Self {
            rows: rows.into(),
            heads,
            literals: literals.into(),
            bytes: bytes.into(),
            owners: owners.into(),
            gates: gates.into(),
            always: always.into(),
        }
    }

    /// Calls back with every literal in some ranges of a text: the offset of its last byte and its owners. Ranges are in
    /// order; offsets nearly so.
    ///
    /// # Errors
    /// The callback's.
    pub(super) fn find(
        &self,
        text: &[u8],
        ranges: &[Range<usize>],
        mut found: impl FnMut(usize, &[u32]) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(rows) = self.rows.first_chunk::<{ 1 << ROW_BITS }>() else { return Ok(()) };
        if self.literals.is_empty() {
            return Ok(());
        }
        for range in ranges {
            let part = text.get(range.clone()).unwrap_or_default();
            let mut print = 0;
            // The last place that three bytes can start at is read with a line end behind them.
            for (end, byte) in (0_usize..).zip(part.iter().chain(b"\n")) {
                print = print >> 8 | u32::from(folded(*byte)) << 24;
                if end >= 3 && rows.get(row(print)).is_some_and(|row| row & bit(print) != 0) {
                    self.compare(part, end - 3, print, &mut |last, gates| found(range.start + last, gates))?;
                }
            }
        }
        Ok(())
    }

    /// Compares the literals of a print, which stands at a place of a text, and those of its first three bytes.
    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, print: u32, found: &mut Report<'_>) -> Result<(), String> {
        for print in [print, print & 0x00FF_FFFF] {
            let hash = head(print);
            let (Some(from), Some(to)) = (self.heads.get(hash), self.heads.get(hash + 1)) else { continue };
            for literal in self.literals.get(*from as usize..*to as usize).unwrap_or_default() {
                if literal.print != print {
                    continue;
                }
                let len = usize::from(literal.len);
                let Some(start) = at.checked_sub(usize::from(literal.offset)) else { continue };
                let (Some(here), Some(bytes)) =
                    (text.get(start..start + len), self.bytes.get(literal.at as usize..literal.at as usize + len))
                else {
                    continue;
                };
                let goes_on = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
                let is_one = |(here, wanted): (&u8, &u8)| {
                    here.to_ascii_lowercase() == *wanted || (*wanted == DIGIT && here.is_ascii_digit())
                };
                if here.iter().zip(bytes).all(is_one)
                    && !(literal.starts && goes_on(start.checked_sub(1)))
                    && !(literal.ends && goes_on(Some(start + len)))
                {
                    let owners = self.owners.get(literal.from as usize..literal.to as usize).unwrap_or_default();
                    found(start + len - 1, owners)?;
                }
            }
        }
        Ok(())
    }
}
