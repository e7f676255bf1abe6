//! NuGet's versions: one to four numbers, a prerelease in any case, and metadata that nothing looks at (NuGet's
//! "Package versioning").

use std::cmp::Ordering;

/// The longest version that is compared, in bytes.
const MAX_LENGTH: usize = 1 << 16;

struct Version<'v> {
    numbers: [&'v str; 4],
    prerelease: Option<&'v str>,
}

fn digits(text: &str) -> Option<&str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.trim_start_matches('0'))
}

fn parse(text: &str) -> Option<Version<'_>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let is_label = |text: &str| {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        text.split('.').all(is_part)
    };
    let (text, metadata) = text.split_once('+').map_or((text, None), |(text, metadata)| (text, Some(metadata)));
    let (release, prerelease) = text.split_once('-').map_or((text, None), |(release, rest)| (release, Some(rest)));
    if !metadata.is_none_or(is_label) || !prerelease.is_none_or(is_label) {
        return None;
    }
    let mut numbers = [""; 4];
    let mut slots = numbers.iter_mut();
    for part in release.split('.') {
        *slots.next()? = digits(part)?;
    }
    Some(Version { numbers, prerelease })
}

/// The order of digits without leading zeros: by length, then by bytes.
fn number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn label(a: &str, b: &str) -> Ordering {
    match (digits(a), digits(b)) {
        (Some(a), Some(b)) => number(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => {
            let upper = |text: &str| text.bytes().map(|byte| byte.to_ascii_uppercase()).collect::<Vec<_>>();
            upper(a).cmp(&upper(b))
        }
    }
}

fn labels(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) => match label(a, b) {
                Ordering::Equal => {}
                order => return order,
            },
            (Some(_), None) => return Ordering::Greater,
            (None, Some(_)) => return Ordering::Less,
            (None, None) => return Ordering::Equal,
        }
    }
}

/// The order of two versions; `None` where one of them is none.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    let mut numbers = a.numbers.iter().zip(&b.numbers).map(|(a, b)| number(a, b));
    if let Some(order) = numbers.find(|order| *order != Ordering::Equal) {
        return Some(order);
    }
    Some(match (a.prerelease, b.prerelease) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => labels(a, b),
    })
}

/// A requirement as a version and whether it is fixed.
///
/// A plain version asks for it or any later one; but of a package that the project itself names, NuGet takes the lowest
/// that fits, which is the version as written, and it fails where others need a higher one. So it is fixed, as
/// `[1.2.3]` is. Ranges, versions with `*` and what no property explains are not.
pub(super) fn requirement(text: &str) -> (&str, bool) {
    let text = text.trim();
    if compare(text, text).is_some() {
        return (text, true);
    }
    let single = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim);
    match single {
        Some(single) if compare(single, single).is_some() => (single, true),
        _ => (if text.is_empty() { "*" } else { text }, false),
    }
}

/// The version that a range of the form `[1.2.3, )` starts with.
pub(super) fn minimum(range: &str) -> Option<&str> {
    let version = range.trim().strip_prefix('[')?.strip_suffix(')')?.trim().strip_suffix(',')?.trim();
    compare(version, version).map(|_| version)
}
