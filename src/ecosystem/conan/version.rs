//! The order of Conan's versions, as its documentation describes it: parts between dots, numbers by their value; what
//! follows the first `-` makes a pre-release, what follows the last `+` is a build.

use std::cmp::Ordering;

use crate::ecosystem::rubygems::version::digits;

/// A version and the qualifiers that it may have.
struct Version<'v> {
    items: Vec<&'v str>,
    pre: Option<Vec<&'v str>>,
    build: Option<Vec<&'v str>>,
}

/// Parts between dots, without the zeros at the end.
fn items(text: &str) -> Vec<&str> {
    let mut all: Vec<&str> = text.split('.').collect();
    while all.last().is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b == b'0')) {
        all.pop();
    }
    all
}

/// Reads a version; `None` for a word without any digit (`system`) and for what is not written in ASCII.
fn read(text: &str) -> Option<Version<'_>> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+' | b'_');
    if !text.bytes().all(is_part) || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let (text, build) = text.rsplit_once('+').map_or((text, None), |(text, build)| (text, Some(items(build))));
    let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(items(pre))));
    Some(Version { items: items(text), pre, build })
}

/// The order of two parts: of numbers by value, of others as text.
fn item(a: &str, b: &str) -> Ordering {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number is compared with text as it is written without leading zeros.
    let plain = |text| -> &str {
        let short = str::trim_start_matches(text, '0');
        if !is_number(text) {
            text
        } else if short.is_empty() {
            "0"
        } else {
            short
        }
    };
    if is_number(a) && is_number(b) { digits(a, b) } else { plain(a).cmp(plain(b)) }
}

fn list(a: &[&str], b: &[&str]) -> Ordering {
    let first = a.iter().zip(b).map(|(a, b)| item(a, b)).find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// The order of two qualifiers, none before any.
fn qualifier(a: Option<&Vec<&str>>, b: Option<&Vec<&str>>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => list(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The order of two versions; `None` where one is none.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (read(a)?, read(b)?);
    let main = list(&a.items, &b.items);
    if main.is_ne() {
        return Some(main);
    }
    Some(match (&a.pre, &b.pre) {
        // A pre-release comes before its release, whatever is built of it.
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (pre, other) => {
            qualifier(pre.as_ref(), other.as_ref()).then_with(|| qualifier(a.build.as_ref(), b.build.as_ref()))
        }
    })
}
