//! Detectors as Rust source, for the build script.

use std::fmt::{Debug, Write as _};

use super::detector::{Detector, Patterns};
use super::index::Index;
use super::list::Text;

/// The source of `DETECTORS` and `INDEX`.
pub(super) fn tables(detectors: &[Detector]) -> String {
    let mut source = String::new();
    let all: String = detectors.iter().map(detector).collect();
    let _ = writeln!(source, "pub(super) static DETECTORS: [Detector; {}] = [{all}];", detectors.len());
    let _ = writeln!(source, "pub(super) static INDEX: Index = {};", index(&Index::new(detectors)));
    source
}

fn detector(detector: &Detector) -> String {
    format!(
        "Detector {{ id: {}, title: {}, about: {}, cwe: {}, words: {}, languages: {}, files: {}, patterns: {}, allow: {}, \
         near: {}, within: {}, regions: {}, lines: {}, validators: {}, min_entropy: {:?}, is_secret: {} }},\n",
        text(&detector.id),
        text(&detector.title),
        text(&detector.about),
        list(detector.cwe.iter().map(text)),
        list(detector.words.iter().map(text)),
        list(detector.languages.iter().map(|language| format!("Language::{language:?}"))),
        list(detector.files.iter().map(text)),
        patterns(&detector.patterns),
        patterns(&detector.allow),
        patterns(&detector.near),
        detector.within,
        list(detector.regions.iter().map(|region| format!("Region::{region:?}"))),
        detector.lines,
        list(detector.validators.iter().map(|validator| format!("Validator::{validator:?}"))),
        detector.min_entropy,
        detector.is_secret,
    )
}

fn patterns(patterns: &Patterns) -> String {
    let formula = |formula: &std::borrow::Cow<'_, [u8]>| format!("Cow::Borrowed(b\"{}\")", formula.escape_ascii());
    let slots = match patterns.sources.len() {
        0 => "List::Ours(&[])".to_owned(),
        len => format!("List::Ours({{ static SLOTS: [Slot; {len}] = [const {{ Slot::new() }}; {len}]; &SLOTS }})"),
    };
    format!(
        "Patterns {{ sources: {}, formulas: {}, first_lines: {}, slots: {slots}, together: OnceLock::new() }}",
        list(patterns.sources.iter().map(text)),
        list(patterns.formulas.iter().map(formula)),
        list(patterns.first_lines.iter().map(formula)),
    )
}

fn index(index: &Index) -> String {
    let literal = |literal: &super::index::Literal| format!("{literal:?}");
    let gate = |gate: &super::index::Gate| format!("{gate:?}");
    format!(
        "Index {{ rows: {}, heads: {}, literals: {}, bytes: List::Ours(b\"{}\"), owners: {}, gates: {}, always: {} }}",
        list(index.rows.iter().map(plain)),
        list(index.heads.iter().map(plain)),
        list(index.literals.iter().map(literal)),
        index.bytes.escape_ascii(),
        list(index.owners.iter().map(plain)),
        list(index.gates.iter().map(gate)),
        list(index.always.iter().map(plain)),
    )
}

fn plain<T: Debug>(value: &T) -> String {
    format!("{value:?}")
}

fn text(text: &Text) -> String {
    format!("Cow::Borrowed({text:?})")
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("List::Ours(&[{}])", items.collect::<Vec<String>>().join(","))
}
