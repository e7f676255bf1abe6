//! The order of versions: Semantic Versioning 2.0.0, clause 11, on texts of any length.
//!
//! A leading `v` counts for nothing, so that `v1.2.3` of a `go.mod` meets `1.2.3` of an advisory. Numbers that are not
//! there are zero (`v1` and `1.2`, as bounds of ranges have them), and what follows the third number after a dot belongs
//! to the build metadata. Numbers are compared as texts of digits: none is too long.

use std::cmp::Ordering;

/// A version in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ecosystem) struct Version<'v> {
    /// Major, minor and patch, in digits.
    pub numbers: [&'v str; 3],
    /// How many of the numbers are written.
    pub written: usize,
    /// What follows the first `-`; empty where there is none.
    pub pre: &'v str,
    /// What follows the first `+`; empty where there is none.
    pub build: &'v str,
}

impl<'v> Version<'v> {
    /// The parts of a version; `None` where the text is none.
    pub(in crate::ecosystem) fn parse(text: &'v str) -> Option<Self> {
        let parsed = Self::parse_with_zeros(text)?;
        let is_numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let has_zeros = parsed.numbers.iter().any(|part| is_padded(part))
            || parsed.pre.split('.').any(|part| is_numeric(part) && is_padded(part));
        (!has_zeros).then_some(parsed)
    }

    /// As [`Self::parse`], for ecosystems that take numbers with leading zeros.
    pub(in crate::ecosystem) fn parse_with_zeros(text: &'v str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (before, build) = split(text, '+')?;
        let (core, pre) = split(before, '-')?;
        let mut numbers = ["0"; 3];
        let mut parts = core.splitn(4, '.');
        let mut written = 0;
        for (slot, part) in numbers.iter_mut().zip(parts.by_ref()) {
            *slot = number(part)?;
            written += 1;
        }
        let (rest, is_whole) = (parts.next(), written == 3);
        let is_rest = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') && !rest.is_empty();
        if rest.is_some_and(|rest| !is_rest(rest)) || (!is_whole && text.contains(['-', '+'])) {
            return None;
        }
        Some(Self { numbers, written, pre, build })
    }

    /// The precedence, which does not look at build metadata.
    pub(in crate::ecosystem) fn cmp_precedence(&self, other: &Self) -> Ordering {
        let pairs = self.numbers.iter().zip(&other.numbers);
        let core = pairs.map(|(a, b)| digits(a, b)).find(|order| order.is_ne());
        core.unwrap_or_else(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => identifiers(self.pre, other.pre),
        })
    }
}

/// The order of two lists of identifiers with dots between: numbers before words, a list before its extensions.
pub(in crate::ecosystem) fn identifiers(a: &str, b: &str) -> Ordering {
    let is_numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_numeric(a), is_numeric(b)) {
                (true, true) => digits(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The part before a sign, and the identifiers after it; `None` where they are none.
fn split(text: &str, sign: char) -> Option<(&str, &str)> {
    let Some((before, after)) = text.split_once(sign) else {
        return Some((text, ""));
    };
    let is_identifier = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    after.split('.').all(is_identifier).then_some((before, after))
}

fn number(part: &str) -> Option<&str> {
    (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())).then_some(part)
}

fn is_padded(part: &str) -> bool {
    part.len() > 1 && part.starts_with('0')
}

/// The order of two numbers in digits. Leading zeros count for nothing.
fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
