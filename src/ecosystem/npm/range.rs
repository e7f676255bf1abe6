//! Ranges of versions as the grammar of node-semver has them, and whether a version is in one.
//!
//! ```text
//! set     ::= range ( "||" range )*
//! range   ::= partial " - " partial | simple ( " " simple )* | ""
//! simple  ::= ( "<" | ">" | ">=" | "<=" | "=" | "~" | "~>" | "^" )? partial
//! partial ::= xr ( "." xr ( "." xr ( "-" prerelease )? ( "+" build )? )? )?
//! xr      ::= "x" | "X" | "*" | number
//! ```
//!
//! A prerelease is in a range only where a bound of it is a prerelease of the same three numbers. What is not within the
//! grammar is no range and no version is said to be outside of it: tags, addresses, and what only a loose reader takes.

use std::cmp::Ordering;

use super::version::{Version, by_prerelease, small};

/// Bounds in one set, at the most.
const MAX_BOUNDS: usize = 1_000;

/// The longest text that is read as a range, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// A set of ranges: a version is in it where it is in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range<'a>(Vec<Vec<Bound<'a>>>);

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound<'a> {
    sign: Sign,
    numbers: [u64; 3],
    prerelease: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Below,
    AtMost,
    Exactly,
    AtLeast,
    Above,
}

/// A version of which parts may be left open.
#[derive(Debug, Clone, Copy)]
struct Partial<'a> {
    /// Major, minor and patch; `None` from the first open one on.
    numbers: [Option<u64>; 3],
    prerelease: Option<&'a str>,
    /// Whether a number stands behind an open part.
    is_odd: bool,
}

/// What stands before a version in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    None,
    Below,
    AtMost,
    AtLeast,
    Above,
    Tilde,
    Caret,
}

impl<'a> Range<'a> {
    /// Reads a set of ranges; `None` where the text is none.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut left = MAX_BOUNDS;
        let ranges = text.split("||").map(|range| range_of(range, &mut left));
        let ranges = ranges.collect::<Option<Vec<_>>>()?;
        // One that holds every release makes the others nothing, the prereleases they name too.
        let holds_all = ranges.iter().any(Vec::is_empty);
        Some(Self(if holds_all { vec![Vec::new()] } else { ranges }))
    }

    /// Whether a version is in one of the ranges; `None` where the version is none, or too large to be counted with.
    #[must_use]
    pub fn holds(&self, version: &str) -> Option<bool> {
        let version = Version::parse(version).filter(Version::is_full)?;
        let numbers = version.numbers()?;
        let prerelease = version.prerelease();
        let in_range = |range: &Vec<Bound<'_>>| {
            let is_within = range.iter().all(|bound| bound.admits(numbers, prerelease));
            let is_named = |bound: &Bound<'_>| bound.prerelease.is_some() && bound.numbers == numbers;
            is_within && (prerelease.is_none() || range.iter().any(is_named))
        };
        Some(self.0.iter().any(in_range))
    }
}

/// The one version that a requirement names, where it names one: `1.2.3`, `=1.2.3`, `v1.2.3`.
#[must_use]
pub fn exact(requirement: &str) -> Option<&str> {
    let text = requirement.trim();
    let text = text.strip_prefix('=').unwrap_or(text).trim_start();
    let text = text.strip_prefix('v').unwrap_or(text);
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit());
    Version::parse(text).filter(|version| is_plain && version.is_full()).map(|_| text)
}

impl Bound<'_> {
    fn admits(&self, numbers: [u64; 3], prerelease: Option<&str>) -> bool {
        let order = numbers.cmp(&self.numbers).then_with(|| by_prerelease(prerelease, self.prerelease));
        match self.sign {
            Sign::Below => order == Ordering::Less,
            Sign::AtMost => order != Ordering::Greater,
            Sign::Exactly => order == Ordering::Equal,
            Sign::AtLeast => order != Ordering::Less,
            Sign::Above => order == Ordering::Greater,
        }
    }
}

/// Reads what stands between two `||`.
fn range_of<'a>(text: &'a str, left: &mut usize) -> Option<Vec<Bound<'a>>> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let mut bounds = Vec::new();
    if let [from, "-", to] = *words {
        let (from, to) = (partial(from)?, partial(to)?);
        bounds.extend(from.lowest());
        match to.numbers {
            [Some(_), Some(_), Some(_)] => bounds.extend(to.at(Sign::AtMost)),
            _ => bounds.extend(to.above(to.written())),
        }
        return spend(bounds, left);
    }
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (operator, rest) = operator(word);
        // A sign may stand apart from its version.
        let rest = if rest.is_empty() { words.next()? } else { rest };
        simple(operator, partial(rest)?, &mut bounds)?;
        if bounds.len() > MAX_BOUNDS {
            return None;
        }
    }
    spend(bounds, left)
}

/// Counts the bounds against what is left, and drops those that every release keeps.
fn spend<'a>(mut bounds: Vec<Bound<'a>>, left: &mut usize) -> Option<Vec<Bound<'a>>> {
    *left = left.checked_sub(bounds.len().max(1))?;
    let least = Bound { sign: Sign::AtLeast, numbers: [0; 3], prerelease: None };
    bounds.retain(|bound| *bound != least);
    Some(bounds)
}

fn operator(word: &str) -> (Operator, &str) {
    for (sign, operator) in [
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        (">", Operator::Above),
        ("<", Operator::Below),
        ("~>", Operator::Tilde),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
        ("=", Operator::None),
    ] {
        if let Some(rest) = word.strip_prefix(sign) {
            return (operator, rest);
        }
    }
    (Operator::None, word)
}

/// Adds the bounds that an operator and a version make.
fn simple<'a>(operator: Operator, version: Partial<'a>, bounds: &mut Vec<Bound<'a>>) -> Option<()> {
    let written = version.written();
    if version.is_odd && !matches!(operator, Operator::Tilde | Operator::Caret) {
        return None;
    }
    match operator {
        Operator::None if written == 3 => bounds.extend(version.at(Sign::Exactly)),
        Operator::None => {
            bounds.extend(version.lowest());
            bounds.extend(version.above(written));
        }
        // `<*` and `>*` hold nothing.
        Operator::Below | Operator::Above if written == 0 => {
            bounds.push(Bound { sign: Sign::Below, numbers: [0; 3], prerelease: Some("0") });
        }
        Operator::Below if written == 3 => bounds.extend(version.at(Sign::Below)),
        Operator::Below => {
            bounds.push(Bound { sign: Sign::Below, numbers: version.filled(), prerelease: Some("0") });
        }
        Operator::AtMost if written == 3 => bounds.extend(version.at(Sign::AtMost)),
        Operator::AtMost => bounds.extend(version.above(written)),
        Operator::AtLeast => bounds.extend(version.lowest()),
        Operator::Above if written == 3 => bounds.extend(version.at(Sign::Above)),
        Operator::Above => {
            let next = version.above(written)?;
            bounds.push(Bound { sign: Sign::AtLeast, numbers: next.numbers, prerelease: None });
        }
        Operator::Tilde => {
            bounds.extend(version.lowest());
            bounds.extend(version.above(written.min(2)));
        }
        Operator::Caret => {
            bounds.extend(version.lowest());
            // What is left of the first number that is not zero, and that number, stay.
            let zeros = version.numbers.iter().take_while(|number| **number == Some(0)).count();
            bounds.extend(version.above((zeros + 1).min(written)));
        }
    }
    Some(())
}

impl<'a> Partial<'a> {
    /// How many numbers are written.
    fn written(&self) -> usize {
        self.numbers.iter().take_while(|number| number.is_some()).count()
    }

    /// The numbers, zero for open ones.
    fn filled(&self) -> [u64; 3] {
        self.numbers.map(Option::unwrap_or_default)
    }

    /// This version as a bound.
    fn at(&self, sign: Sign) -> Option<Bound<'a>> {
        Some(Bound { sign, numbers: self.filled(), prerelease: self.prerelease })
    }

    /// The least version it stands for; `None` where it stands for any.
    fn lowest(&self) -> Option<Bound<'a>> {
        if self.written() == 0 { None } else { self.at(Sign::AtLeast) }
    }

    /// Below all versions that share none of the first `kept` numbers, and their prereleases; `None` where all are
    /// open.
    fn above(&self, kept: usize) -> Option<Bound<'a>> {
        let last = kept.checked_sub(1)?;
        let mut numbers = self.filled();
        for (at, number) in numbers.iter_mut().enumerate() {
            match at.cmp(&last) {
                Ordering::Less => {}
                Ordering::Equal => *number += 1,
                Ordering::Greater => *number = 0,
            }
        }
        Some(Bound { sign: Sign::Below, numbers, prerelease: Some("0") })
    }
}

/// Reads a version of which parts may be left open; `None` where it is none.
fn partial(text: &str) -> Option<Partial<'_>> {
    let text = text.trim_start_matches(['v', '=']);
    let (core, build) = match text.split_once('+') {
        Some((core, build)) => (core, Some(build)),
        None => (text, None),
    };
    let (core, prerelease) = match core.split_once('-') {
        Some((core, prerelease)) => (core, Some(prerelease)),
        None => (core, None),
    };
    let mut numbers = [None; 3];
    let mut count = 0;
    let (mut is_open, mut is_odd) = (false, false);
    for part in core.split('.') {
        let slot = numbers.get_mut(count)?;
        count += 1;
        if matches!(part, "x" | "X" | "*") {
            is_open = true;
        } else if !is_number(part) {
            return None;
        } else if is_open {
            is_odd = true;
        } else {
            *slot = Some(small(part.trim_start_matches('0'))?);
        }
    }
    let has_tail = prerelease.is_some() || build.is_some();
    let is_tail = |tail: Option<&str>, is_prerelease| tail.is_none_or(|text| are_identifiers(text, is_prerelease));
    if (has_tail && count < 3) || !is_tail(prerelease, true) || !is_tail(build, false) {
        return None;
    }
    Some(Partial { numbers, prerelease: prerelease.filter(|_| !is_open), is_odd })
}

/// Digits without a leading zero.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'))
}

fn are_identifiers(text: &str, is_prerelease: bool) -> bool {
    text.split('.').all(|part| {
        let is_digits = part.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_word && (!is_prerelease || !is_digits || is_number(part))
    })
}
