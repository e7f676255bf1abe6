//! Version constraints of Pub, as far as they are simple: `any`, one version, a caret, or bounds that all hold.

use super::Pub;
use super::Version;
use crate::ecosystem::Rules as _;

/// Whether a version is within a constraint; `None` where one of them cannot be read.
pub(super) fn allows(constraint: &str, version: &str) -> Option<bool> {
    let mut rest = constraint.trim();
    if matches!(rest, "" | "any") {
        return Some(true);
    }
    Version::parse_with_zeros(version)?;
    if let Some(base) = rest.strip_prefix('^') {
        let (from, found) = (Version::parse_with_zeros(base.trim())?, Version::parse_with_zeros(version)?);
        let [major, minor, _] = from.numbers;
        let is_zero = major.bytes().all(|b| b == b'0');
        let [found_major, found_minor, _] = found.numbers;
        let is_near = same(major, found_major) && (!is_zero || same(minor, found_minor));
        return Some(is_near && Pub.compare(version, base.trim())?.is_ge());
    }
    let mut holds = true;
    while !rest.is_empty() {
        let sign = [">=", "<=", ">", "<"].into_iter().find(|sign| rest.starts_with(sign)).unwrap_or_default();
        let after = rest.strip_prefix(sign).unwrap_or(rest).trim_start();
        let end = after.find([' ', '\t', '<', '>']).unwrap_or(after.len());
        let (bound, next) = after.split_at_checked(end)?;
        let order = Pub.compare(version, bound)?;
        holds &= match sign {
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            _ => order.is_eq(),
        };
        rest = next.trim_start();
    }
    Some(holds)
}

fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('0') == b.trim_start_matches('0')
}

/// Whether a constraint names one version.
pub(super) fn is_exact(constraint: &str) -> bool {
    Version::parse_with_zeros(constraint).is_some_and(|version| version.written == 3)
}
