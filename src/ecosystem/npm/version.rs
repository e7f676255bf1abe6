//! Versions of npm packages and their order: semantic versioning's precedence, with what npm reads loosely.
//!
//! A version is one to three numbers, a prerelease and build metadata. A leading `v` or `=` counts for nothing, as
//! node-semver has it. Numbers may start with zeros and be of any length; parts that are missing are zero, for bounds of
//! advisories are written `6.0`. What holds more than three numbers, or anything else, is no version.

use std::cmp::Ordering;

/// The longest text that is read as a version, in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// A version, as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// Major, minor and patch, without leading zeros; an empty text is zero.
    numbers: [&'a str; 3],
    /// The prerelease without its hyphen; `None` for a release.
    prerelease: Option<&'a str>,
    /// Whether all three numbers are written.
    is_full: bool,
}

impl<'a> Version<'a> {
    /// Reads a version; `None` where the text is none.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let text = text.strip_prefix('=').unwrap_or(text);
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        let (core, prerelease) = match text.split_once('-') {
            Some((core, prerelease)) => (core, Some(prerelease)),
            None => (text, None),
        };
        if build.is_some_and(|build| !are_identifiers(build)) || prerelease.is_some_and(|pre| !are_identifiers(pre)) {
            return None;
        }
        let mut numbers = [""; 3];
        let mut count = 0;
        for part in core.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            *numbers.get_mut(count)? = part.trim_start_matches('0');
            count += 1;
        }
        Some(Self { numbers, prerelease, is_full: count == 3 })
    }

    /// Whether all three numbers are written, so that the text names one version.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// The prerelease without its hyphen.
    #[must_use]
    pub const fn prerelease(&self) -> Option<&'a str> {
        self.prerelease
    }

    /// The three numbers, where they are small enough to be counted with.
    #[must_use]
    pub fn numbers(&self) -> Option<[u64; 3]> {
        let [major, minor, patch] = self.numbers;
        Some([small(major)?, small(minor)?, small(patch)?])
    }

    /// The order of two versions.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.iter().zip(&other.numbers);
        let by_numbers = numbers.map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
        by_numbers.unwrap_or_else(|| by_prerelease(self.prerelease, other.prerelease))
    }
}

/// A number without leading zeros, below what JavaScript counts exactly.
pub(super) fn small(digits: &str) -> Option<u64> {
    match digits.len() {
        0 => Some(0),
        1..=15 => digits.parse().ok(),
        _ => None,
    }
}

/// Dotted identifiers of letters, digits and hyphens, none of them empty.
fn are_identifiers(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// Numbers of any length: the longer is the greater.
fn by_value(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A release is above its prereleases.
pub(super) fn by_prerelease(a: Option<&str>, b: Option<&str>) -> Ordering {
    let (a, b) = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (Some(a), Some(b)) => (a, b),
    };
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => by_identifier(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn by_identifier(a: &str, b: &str) -> Ordering {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => by_value(a.trim_start_matches('0'), b.trim_start_matches('0')),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}
