//! Poetry's own notation of what a version must be: `^1.2`, `~1.2`, `1.*`, alternatives between bars.

use super::requirement::{Clause, Operator};
use super::version::{Digits, Version};

/// Whether a version meets a constraint; `None` where the constraint or the version cannot be read.
#[must_use]
pub fn satisfies(constraint: &str, version: &str) -> Option<bool> {
    Version::parse(version)?;
    let mut any = constraint.trim().is_empty();
    for alternative in constraint.split('|').filter(|part| !part.trim().is_empty()) {
        let mut all = true;
        for part in parts(alternative) {
            all &= allows(&part, version)?;
        }
        any |= all;
    }
    Some(any)
}

/// The one version that a constraint allows: a bare one, or one after `=` or `==`.
#[must_use]
pub fn exact(constraint: &str) -> Option<&str> {
    let bare = constraint.trim();
    let bare =
        bare.strip_prefix("===").or_else(|| bare.strip_prefix("==")).or_else(|| bare.strip_prefix('=')).unwrap_or(bare);
    let bare = bare.trim();
    let is_version = !bare.is_empty() && !bare.contains(['*', ',', ' ', '|']) && Version::parse(bare).is_some();
    is_version.then_some(bare)
}

/// The parts that must all be met: between commas, or between blanks that do not follow an operator.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for piece in text.split(',') {
        let mut open = String::new();
        for word in piece.split_whitespace() {
            open.push_str(word);
            if !word.ends_with(['<', '>', '=', '^', '~', '!']) {
                parts.push(std::mem::take(&mut open));
            }
        }
        if !open.is_empty() {
            parts.push(open);
        }
    }
    parts
}

fn allows(part: &str, version: &str) -> Option<bool> {
    if part == "*" {
        return Some(true);
    }
    let found = Version::parse(version)?;
    if let Some(base) = part.strip_prefix('^') {
        let wanted = Version::parse(base)?;
        // The first number that is not zero stays; where all are zero, the last one that is written.
        let kept = wanted.release().iter().position(|number| !number.is_zero());
        let kept = kept.unwrap_or(wanted.release().len().checked_sub(1)?);
        return Some(is_between(&found, &wanted, kept));
    }
    if let Some(base) = part.strip_prefix('~').filter(|base| !base.starts_with('=')) {
        let wanted = Version::parse(base)?;
        return Some(is_between(&found, &wanted, usize::from(wanted.release().len() > 1)));
    }
    if let Some(clause) = Clause::parse(part) {
        if let Some(prefix) = clause.version.strip_suffix(".*") {
            // `>=1.*` is read as `>=1`.
            return match clause.operator {
                Operator::Equal | Operator::NotEqual => clause.allows(version),
                _ => Clause { version: prefix, ..clause }.allows(version),
            };
        }
        if clause.operator == Operator::Compatible && Version::parse(clause.version)?.release().len() < 2 {
            return None;
        }
        return clause.allows(version);
    }
    let bare = part.strip_prefix('=').unwrap_or(part);
    Clause { operator: Operator::Equal, version: bare }.allows(version)
}

/// Whether a version is at least the wanted one and has its numbers up to and with the one at `kept`.
fn is_between(found: &Version<'_>, wanted: &Version<'_>, kept: usize) -> bool {
    let prefix: &[Digits<'_>] = wanted.release().get(..=kept).unwrap_or_default();
    found.epoch() == wanted.epoch() && found.starts_with(prefix) && found >= wanted
}
