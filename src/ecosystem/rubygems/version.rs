//! The order of `Gem::Version` and what `Gem::Requirement` accepts. CocoaPods has the same.

use std::cmp::Ordering;

/// A part of a version. Words come before numbers: they make a version a pre-release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment<'v> {
    Word(&'v str),
    /// Digits without leading zeros; none for zero.
    Number(&'v str),
}

impl Segment<'_> {
    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Word(a), Self::Word(b)) => a.cmp(b),
            (Self::Word(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Word(_)) => Ordering::Greater,
            (Self::Number(a), Self::Number(b)) => digits(a, b),
        }
    }

    const fn is_zero(self) -> bool {
        matches!(self, Self::Number(digits) if digits.is_empty())
    }
}

/// The order of two numbers of any length, written in digits.
pub(crate) fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Numbers and words of a version, in its order; `None` for what is no version.
fn segments(text: &str) -> Option<Vec<Segment<'_>>> {
    let is_version = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && text.split(['.', '-']).all(|part| !part.is_empty());
    if !is_version {
        return None;
    }
    let mut found = Vec::new();
    for (at, part) in text.split_inclusive('-').enumerate() {
        // `1-2` means `1.pre.2`.
        if at > 0 {
            found.push(Segment::Word("pre"));
        }
        for piece in part.trim_end_matches('-').split('.') {
            let mut rest = piece;
            while let Some(first) = rest.chars().next() {
                let is_number = first.is_ascii_digit();
                let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
                let (head, tail) = rest.split_at_checked(end)?;
                found.push(if is_number { Segment::Number(head.trim_start_matches('0')) } else { Segment::Word(head) });
                rest = tail;
            }
        }
    }
    Some(found)
}

/// The numbers before the first word.
fn release<'s, 'v>(segments: &'s [Segment<'v>]) -> &'s [Segment<'v>] {
    let end = segments.iter().position(|s| matches!(s, Segment::Word(_))).unwrap_or(segments.len());
    segments.get(..end).unwrap_or_default()
}

fn without_zeros<'s, 'v>(segments: &'s [Segment<'v>]) -> impl Iterator<Item = Segment<'v>> + 's {
    let end = segments.iter().rposition(|s| !s.is_zero()).map_or(0, |at| at + 1);
    segments.get(..end).unwrap_or_default().iter().copied()
}

/// Zeros at the end of the release, and at the end of all, do not count.
fn canonical<'v>(segments: &[Segment<'v>]) -> Vec<Segment<'v>> {
    let numbers = release(segments);
    let rest = segments.get(numbers.len()..).unwrap_or_default();
    without_zeros(numbers).chain(without_zeros(rest)).collect()
}

fn order(a: &[Segment<'_>], b: &[Segment<'_>]) -> Ordering {
    let zero = Segment::Number("");
    let pairs = (0..a.len().max(b.len())).map(|n| (a.get(n).unwrap_or(&zero), b.get(n).unwrap_or(&zero)));
    pairs.map(|(x, y)| x.order(*y)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The order of two versions; `None` where one is none.
#[must_use]
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(a)?, segments(b)?);
    Some(order(&canonical(&a), &canonical(&b)))
}

/// Whether a version is within requirements that are divided by commas (`>= 1, < 2`); `None` where one of them cannot
/// be read.
#[must_use]
pub fn satisfies(version: &str, requirements: &str) -> Option<bool> {
    // Every requirement walks the version: what nobody writes is not judged.
    if version.len() > 256 || requirements.len() > 4_096 {
        return None;
    }
    for each in requirements.split(',') {
        if !one(version, each.trim())? {
            return Some(false);
        }
    }
    Some(true)
}

fn one(version: &str, requirement: &str) -> Option<bool> {
    let end = requirement.find(|c| !"=!<>~".contains(c))?;
    let (sign, wanted) = requirement.split_at_checked(end)?;
    let wanted = wanted.trim();
    let order = compare(version, wanted)?;
    Some(match sign {
        "=" | "" => order.is_eq(),
        "!=" => order.is_ne(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        "~>" => order.is_ge() && is_below_next(version, wanted)?,
        _ => return None,
    })
}

/// Whether all numbers but the last one that is wanted are those of the version, given that it is not older.
fn is_below_next(version: &str, wanted: &str) -> Option<bool> {
    let (version, wanted) = (segments(version)?, segments(wanted)?);
    let (version, wanted) = (release(&version), release(&wanted));
    let count = wanted.len().saturating_sub(1).max(1);
    let zero = Segment::Number("");
    let is_same = |at| version.get(at).unwrap_or(&zero).order(*wanted.get(at).unwrap_or(&zero)).is_eq();
    Some((0..count).all(is_same))
}
