//! The order of Maven's versions, as the "Version Order Specification" of the POM reference has it.
//!
//! A version is a list of numbers and words, each with the separator before it. Everything here walks that list once.
//! Maven's own code orders a few odd versions otherwise (`1.0.RC1` against `1.0-RC1`, since 2022); advisories order
//! them as the specification does, and so does this.

use std::cmp::Ordering;

/// The longest version that is compared, in bytes. Registries hold none near it.
const MAX_LENGTH: usize = 1 << 16;

/// What stands before a part: a change between digits and letters counts as a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Dot,
    Hyphen,
}

/// A number, or a word by its rank: the known ones, then all others by their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'v> {
    /// Digits without leading zeros; empty for zero.
    Number(&'v str),
    Word(u8, &'v str),
}

/// The rank of a release: no word.
const RELEASE: u8 = 5;

fn word(text: &str, is_before_digit: bool) -> Part<'_> {
    let rank = match text {
        "a" if is_before_digit => 0,
        "b" if is_before_digit => 1,
        "m" if is_before_digit => 2,
        "alpha" => 0,
        "beta" => 1,
        "milestone" => 2,
        "rc" | "cr" => 3,
        "snapshot" => 4,
        "" | "ga" | "final" | "release" => RELEASE,
        "sp" => 6,
        _ => return Part::Word(7, text),
    };
    Part::Word(rank, "")
}

impl Part<'_> {
    fn is_nothing(self) -> bool {
        matches!(self, Part::Number("") | Part::Word(RELEASE, _))
    }
}

/// The parts of a version in lower case, without those that are as good as nothing.
fn parse(text: &str) -> Vec<(Prefix, Part<'_>)> {
    let mut parts = Vec::new();
    let (mut start, mut prefix) = (0, Prefix::Hyphen);
    let mut add = |from: usize, to: usize, prefix: Prefix, is_before_digit: bool| {
        let text = text.get(from..to).unwrap_or_default();
        let part = match text.bytes().next() {
            // Nothing between two separators is zero.
            None => Part::Number(""),
            Some(byte) if byte.is_ascii_digit() => Part::Number(text.trim_start_matches('0')),
            Some(_) => word(text, is_before_digit),
        };
        parts.push((prefix, part));
    };
    let mut last = b'.';
    for (at, byte) in text.bytes().enumerate() {
        let is_separator = |byte: u8| matches!(byte, b'.' | b'-');
        if is_separator(byte) {
            add(start, at, prefix, false);
            prefix = if byte == b'-' { Prefix::Hyphen } else { Prefix::Dot };
            start = at + 1;
        } else if at > start && !is_separator(last) && byte.is_ascii_digit() != last.is_ascii_digit() {
            add(start, at, prefix, byte.is_ascii_digit());
            prefix = Prefix::Hyphen;
            start = at;
        }
        last = byte;
    }
    add(start, text.len(), prefix, false);
    // From the end, and again from every hyphen that is left; the first part stays.
    let mut trims = true;
    let mut kept = Vec::with_capacity(parts.len());
    for (at, (prefix, part)) in parts.iter().copied().enumerate().rev() {
        if trims && at > 0 && part.is_nothing() {
            continue;
        }
        trims = prefix == Prefix::Hyphen;
        kept.push((prefix, part));
    }
    kept.reverse();
    kept
}

/// The order of two versions; `None` where one of them is none: empty, too long, or with blanks, controls or letters
/// outside ASCII.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let is_version =
        |text: &str| !text.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_version(a) || !is_version(b) {
        return None;
    }
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = (parse(&a), parse(&b));
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), Some(b)) => each(*a, *b),
            (Some(a), None) => each(*a, nothing(*a)),
            (None, Some(b)) => each(nothing(*b), *b),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// What a shorter version has in the place of a part: no number after a dot, no word anywhere else.
fn nothing((prefix, part): (Prefix, Part<'_>)) -> (Prefix, Part<'static>) {
    match (prefix, part) {
        (Prefix::Dot, Part::Number(_)) => (prefix, Part::Number("")),
        _ => (prefix, Part::Word(RELEASE, "")),
    }
}

fn each(a: (Prefix, Part<'_>), b: (Prefix, Part<'_>)) -> Ordering {
    let rank = |(prefix, part): (Prefix, Part<'_>)| match (prefix, part) {
        (Prefix::Dot, Part::Word(..)) => 0,
        (Prefix::Hyphen, Part::Word(..)) => 1,
        (Prefix::Hyphen, Part::Number(_)) => 2,
        (Prefix::Dot, Part::Number(_)) => 3,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a.1, b.1) {
        (Part::Number(a), Part::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Part::Word(a, left), Part::Word(b, right)) => (a, left).cmp(&(b, right)),
        _ => Ordering::Equal,
    })
}
