//! What a pattern weighs, before it is compiled: a short text can stand for a very large automaton, and the patterns of
//! head's own packs are compiled as well.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Weight that the patterns of one file may have together, in about one automaton state each.
const MAX_WEIGHT: u64 = 4_000_000;

/// Sums weights.
#[derive(Debug, Default)]
pub(super) struct Scale {
    total: u64,
}

impl Scale {
    /// Puts a pattern on the scale.
    ///
    /// # Errors
    /// Where the patterns so far are too much.
    pub(super) fn add(&mut self, syntax: &Hir) -> Result<(), String> {
        self.total = self.total.saturating_add(weight(syntax));
        if self.total > MAX_WEIGHT {
            Err("the patterns of this file are too large together".to_owned())
        } else {
            Ok(())
        }
    }
}

/// Parses a pattern as it will be compiled.
///
/// # Errors
/// What is wrong with it.
pub(super) fn syntax(source: &str, nest_limit: u32) -> Result<Hir, String> {
    ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .multi_line(true)
        .crlf(true)
        .nest_limit(nest_limit)
        .build()
        .parse(source)
        .map_err(|error| one_line(&error.to_string()))
}

/// Whether a pattern can match the empty text.
pub(super) fn is_empty(syntax: &Hir) -> bool {
    syntax.properties().minimum_len().is_none_or(|len| len == 0)
}

/// Whether a pattern asks for the ends of the text, which are not those of the file.
pub(super) fn sees_edges(syntax: &Hir) -> bool {
    let looks = syntax.properties().look_set();
    looks.contains(Look::Start) || looks.contains(Look::End)
}

/// Recursion is as deep as groups nest, which the parser bounds.
fn weight(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Bytes(_)) => 1,
        // Each range of code points becomes a few sequences of bytes.
        HirKind::Class(Class::Unicode(class)) => 1 + 3 * class.ranges().len() as u64,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(repetition.min).max(1);
            weight(&repetition.sub).saturating_mul(u64::from(times))
        }
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(1, |sum: u64, part| sum.saturating_add(weight(part)))
        }
    }
}

/// A message of several lines on one: its last line says what is wrong.
pub(super) fn one_line(message: &str) -> String {
    message.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("a bad pattern").to_owned()
}
