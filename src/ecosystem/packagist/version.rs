//! The order of Composer's versions, which is that of PHP's `version_compare`, and the constraints that are simple enough
//! to be judged.
//!
//! Advisories are matched by PHP's own order, so its peculiarities stay: `1.0.0` is newer than `1.0`, and words that it
//! does not know (`BETA` in capitals, `stable`) are
//! all one.

use std::cmp::Ordering;

use crate::ecosystem::rubygems::version::digits;

/// Numbers and words of a version; `None` for what is no version: a branch has no place in the order.
fn parts(text: &str) -> Option<Vec<&str>> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    let is_version = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'#'));
    if !is_version {
        return None;
    }
    let mut found = Vec::new();
    for piece in text.split(['.', '-', '_']) {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let kind = |c: char| (c.is_ascii_digit(), c == '#');
            let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
            let (head, tail) = rest.split_at_checked(end)?;
            // `1.x-dev` is a branch.
            if matches!(head, "x" | "X") {
                return None;
            }
            found.push(head);
            rest = tail;
        }
    }
    Some(found)
}

/// The rank of a word, by how it begins. A number has the rank of `#`.
fn rank(word: &str) -> u8 {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return 5;
    }
    let forms = [("dev", 1), ("a", 2), ("b", 3), ("RC", 4), ("rc", 4), ("#", 5), ("p", 6)];
    forms.iter().find(|(form, _)| word.starts_with(form)).map_or(0, |(_, rank)| *rank)
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// What the rest of the longer version makes of it: a number makes it newer, a word has its rank.
fn tail(rest: &[&str]) -> Ordering {
    for part in rest {
        if is_number(part) {
            return Ordering::Greater;
        }
        match rank(part).cmp(&rank("#")) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    Ordering::Equal
}

/// The order of two versions; `None` where one is none.
#[must_use]
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parts(a)?, parts(b)?);
    for (x, y) in a.iter().zip(&b) {
        let order = if is_number(x) && is_number(y) { digits(x, y) } else { rank(x).cmp(&rank(y)) };
        if order.is_ne() {
            return Some(order);
        }
    }
    let rest = |list: &[&str], from: usize| tail(list.get(from..).unwrap_or_default());
    Some(if a.len() > b.len() { rest(&a, b.len()) } else { rest(&b, a.len()).reverse() })
}

/// The numbers of a plain version, and how many were written.
fn numbers(text: &str) -> Option<([u64; 4], usize)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (mut all, mut count) = ([0; 4], 0);
    for part in text.split('.') {
        *all.get_mut(count)? = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()?;
        count += 1;
    }
    Some((all, count))
}

/// A release of fewer than three numbers with zeros up to the third; `None` for other versions. Composer counts missing
/// numbers as zeros, and the order of PHP does not: `6.0` would come before `6.0.0`.
#[must_use]
pub(super) fn padded(version: &str) -> Option<String> {
    let bare = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let count = bare.split('.').take(3).count();
    (count < 3 && bare.split('.').all(is_number)).then(|| format!("{version}{}", ".0".repeat(3 - count)))
}

/// Whether a locked version is within a constraint; `None` where one of the two is more than numbers and the common
/// operators.
#[must_use]
pub fn satisfies(version: &str, constraint: &str) -> Option<bool> {
    let (version, _) = numbers(version)?;
    if constraint.len() > 1_000 || constraint.contains(" - ") {
        return None;
    }
    let mut any = false;
    for alternative in constraint.split("||").flat_map(|part| part.split('|')) {
        let mut all = None;
        for each in alternative.split([',', ' ']).filter(|each| !each.is_empty()) {
            all = Some(all.unwrap_or(true) & one(&version, each)?);
        }
        any |= all?;
    }
    Some(any)
}

fn one(version: &[u64; 4], constraint: &str) -> Option<bool> {
    let constraint = constraint.split_once('@').map_or(constraint, |(constraint, _)| constraint);
    if constraint == "*" {
        return Some(true);
    }
    let end = constraint.find(|c| !"=!<>~^".contains(c))?;
    let (sign, wanted) = constraint.split_at_checked(end)?;
    if let Some(prefix) = wanted.strip_suffix(".*").filter(|_| sign.is_empty()) {
        let (wanted, count) = numbers(prefix)?;
        return Some(version.iter().zip(&wanted).take(count).all(|(a, b)| a == b));
    }
    let (wanted, count) = numbers(wanted)?;
    let same = |places: usize| version.iter().zip(&wanted).take(places).all(|(a, b)| a == b);
    Some(match sign {
        "" | "=" | "==" => version == &wanted,
        "!=" | "<>" => version != &wanted,
        ">" => version > &wanted,
        "<" => version < &wanted,
        ">=" => version >= &wanted,
        "<=" => version <= &wanted,
        "~" => version >= &wanted && same(count.saturating_sub(1).max(1)),
        "^" => {
            let first = wanted.iter().take(count).position(|n| *n > 0).unwrap_or(count - 1);
            version >= &wanted && same(first + 1)
        }
        _ => return None,
    })
}
