//! What must stand in a text for a pattern to match it, told from the pattern's syntax.
//!
//! Compiling a pattern takes as long as reading many lines, and most patterns of a detector have nothing to do with the
//! line on which one of its words stands. So a pattern is compiled only where one of its needles is there. A needle is a
//! literal in lower case; a pattern without any is always tried.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};

/// Bytes of text after which an automaton over the needles pays.
const MUCH: u64 = 64 << 10;

/// Literals that one part of a pattern may stand for before it counts as anything.
const MAX_EXACT: usize = 64;
/// Bytes of a class that are told one by one.
const MAX_CLASS: usize = 16;
/// Needles of one pattern.
const MAX_NEEDLES: usize = 200;
/// Shortest needle worth a search, in bytes.
const MIN_NEEDLE: usize = 2;

type Literals = Vec<Vec<u8>>;

/// The needles of some patterns.
#[derive(Debug)]
pub(super) struct Needles {
    /// For each pattern its own; none: it is always tried.
    of: Vec<Option<Literals>>,
    /// Bytes that were searched so far.
    searched: AtomicU64,
    /// All needles, and for each the pattern it belongs to; none where there are too many.
    all: OnceLock<Option<(AhoCorasick, Vec<usize>)>>,
}

impl Needles {
    /// Those of patterns by their syntax; of a broken one nothing is known.
    pub(super) fn new(syntaxes: impl Iterator<Item = Option<Hir>>) -> Self {
        let of = syntaxes.map(|syntax| syntax.as_ref().and_then(needles)).collect();
        Self { of, searched: AtomicU64::new(0), all: OnceLock::new() }
    }

    /// Patterns that may match somewhere in a text.
    pub(super) fn candidates(&self, text: &[u8]) -> Vec<usize> {
        let much = self.searched.fetch_add(text.len() as u64, Ordering::Relaxed) > MUCH;
        if let Some((automaton, owners)) =
            much.then(|| self.all.get_or_init(|| self.automaton())).and_then(Option::as_ref)
        {
            let mut may_match: Vec<bool> = self.of.iter().map(Option::is_none).collect();
            for needle in automaton.find_overlapping_iter(text) {
                let owner = owners.get(needle.pattern().as_usize()).and_then(|owner| may_match.get_mut(*owner));
                owner.into_iter().for_each(|may_match| *may_match = true);
            }
            return (0..).zip(may_match).filter(|(_, may_match)| *may_match).map(|(index, _)| index).collect();
        }
        let lower = text.to_ascii_lowercase();
        let stands = |needle: &Vec<u8>| memchr::memmem::find(&lower, needle).is_some();
        let may_match = |needles: &Option<Literals>| needles.as_ref().is_none_or(|all| all.iter().any(stands));
        (0..).zip(&self.of).filter(|(_, needles)| may_match(needles)).map(|(index, _)| index).collect()
    }

    fn automaton(&self) -> Option<(AhoCorasick, Vec<usize>)> {
        let all = || (0..).zip(&self.of).flat_map(|(index, needles)| needles.iter().flatten().map(move |n| (index, n)));
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA));
        Some((builder.build(all().map(|(_, needle)| needle)).ok()?, all().map(|(index, _)| index).collect()))
    }
}

/// Literals of which every match holds at least one, letters in lower case; none where there are no such.
fn needles(syntax: &Hir) -> Option<Literals> {
    part(syntax).best()
}

/// What is known of a part of a pattern.
#[derive(Clone)]
struct Part {
    /// Everything that it matches, letters in lower case.
    exact: Option<Literals>,
    /// Literals of which every match holds one.
    inner: Option<Literals>,
}

impl Part {
    const ANY: Self = Self { exact: None, inner: None };

    fn exact(literals: Literals) -> Self {
        Self { exact: Some(literals), inner: None }
    }

    fn best(self) -> Option<Literals> {
        better(self.exact.filter(is_useful), self.inner)
    }
}

fn shortest(literals: &Literals) -> usize {
    literals.iter().map(Vec::len).min().unwrap_or(0)
}

fn is_useful(literals: &Literals) -> bool {
    shortest(literals) >= MIN_NEEDLE && literals.len() <= MAX_NEEDLES
}

/// The set whose shortest literal is longer; of two alike, the smaller one.
fn better(a: Option<Literals>, b: Option<Literals>) -> Option<Literals> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let rank = |set: &Literals| (shortest(set).min(4), usize::MAX - set.len());
            Some(if rank(&a) >= rank(&b) { a } else { b })
        }
        (a, b) => a.or(b),
    }
}

/// Recursion is as deep as groups nest, which the parser bounds.
fn part(hir: &Hir) -> Part {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::exact(vec![Vec::new()]),
        HirKind::Literal(literal) => Part::exact(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(Class::Bytes(class)) => one_of(class).map_or(Part::ANY, Part::exact),
        HirKind::Class(Class::Unicode(_)) => Part::ANY,
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = part(&repetition.sub);
            match (repetition.min, repetition.max, sub.exact) {
                (0, Some(1), Some(mut exact)) => {
                    exact.push(Vec::new());
                    Part::exact(exact)
                }
                (0, ..) => Part::ANY,
                (1, Some(1), Some(exact)) => Part::exact(exact),
                (_, _, exact) => Part { exact: None, inner: Part { exact, inner: sub.inner }.best() },
            }
        }
        HirKind::Alternation(parts) => alternation(parts),
        HirKind::Concat(parts) => concatenation(parts),
    }
}

/// The bytes of a class in lower case; none where there are many.
fn one_of(class: &ClassBytes) -> Option<Literals> {
    let mut literals = Literals::new();
    for range in class.ranges() {
        if range.len() > 2 * MAX_CLASS {
            return None;
        }
        for byte in (range.start()..=range.end()).map(|byte| byte.to_ascii_lowercase()) {
            if !literals.iter().any(|literal| literal.first() == Some(&byte)) {
                literals.push(vec![byte]);
            }
        }
    }
    (literals.len() <= MAX_CLASS).then_some(literals)
}

fn alternation(parts: &[Hir]) -> Part {
    let mut exact = Some(Literals::new());
    let mut inner = Some(Literals::new());
    for part in parts.iter().map(part) {
        // What is exact is also a needle: it is copied only where it may still be needed as both.
        let needles = inner.is_some().then(|| part.clone().best()).flatten();
        join(&mut inner, needles);
        join(&mut exact, part.exact);
    }
    Part { exact, inner }
}

/// Adds literals to others; what is not known of one part is not known of all.
fn join(all: &mut Option<Literals>, more: Option<Literals>) {
    *all = all.take().zip(more).map(|(mut all, more)| {
        all.extend(more);
        all
    });
    if all.as_ref().is_some_and(|all| all.len() > MAX_NEEDLES) {
        *all = None;
    }
}

fn concatenation(parts: &[Hir]) -> Part {
    let mut inner = None;
    let mut is_exact = true;
    // What the parts since the last gap match.
    let mut run: Literals = vec![Vec::new()];
    for part in parts.iter().map(part) {
        let next = match part.exact {
            // The usual case, in place.
            Some(exact) if exact.len() == 1 => {
                let tail = exact.first().map(Vec::as_slice).unwrap_or_default();
                run.iter_mut().for_each(|head| head.extend_from_slice(tail));
                continue;
            }
            Some(exact) if exact.len() * run.len() <= MAX_EXACT => {
                run = run
                    .iter()
                    .flat_map(|head| exact.iter().map(move |tail| [head.as_slice(), tail].concat()))
                    .collect();
                continue;
            }
            Some(exact) => exact,
            None => vec![Vec::new()],
        };
        is_exact = false;
        inner = better(inner, part.inner);
        inner = better(inner, Some(std::mem::replace(&mut run, next)).filter(is_useful));
    }
    if is_exact {
        return Part::exact(run);
    }
    Part { exact: None, inner: better(inner, Some(run).filter(is_useful)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read off the patterns by hand.
    #[test]
    fn every_match_holds_a_needle() {
        for (pattern, expected) in [
            ("verify", vec!["verify"]),
            ("(?i)Verify\\s*=\\s*False", vec!["verify"]),
            ("a.*(?:foo|bars?)\\b", vec!["foo", "bars", "bar"]),
            ("(?:ab)+x", vec!["ab"]),
            ("[a-z]+", vec![]),
            ("(?:foo|.)x", vec![]),
            ("x?y*abc", vec!["abc"]),
            ("(?:abc)?d", vec![]),
            ("(?i)k(?-i)K", vec!["kk"]),
        ] {
            let syntax = super::super::weigh::syntax(pattern, 40).unwrap();
            let found: Vec<String> =
                needles(&syntax).unwrap_or_default().into_iter().map(|n| String::from_utf8(n).unwrap()).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }

    /// Kinds of patterns that detectors use.
    const PATTERNS: &[&str] = &[
        "(?i)ab+c?",
        "a[bc]d",
        "(?:ab|cd)+e",
        "a.{0,3}b",
        "x?y*abc",
        "(?i)(?:key|k) *= *[a-c]",
        "\\bab\\b|^cd$",
        "[^a]b{2,3}c",
        "(?:a|b|)cd",
        "(?:[ab][cd]){1,2}e",
        "(?s)ab.cd",
        "(?:ab){0}cd",
    ];

    proptest::proptest! {
        #[test]
        fn no_match_is_without_its_needles(text in "[abcdekyABK =\n]{0,24}") {
            let syntax = |pattern: &&str| super::super::weigh::syntax(pattern, 40).ok();
            let (little, much) = (Needles::new(PATTERNS.iter().map(syntax)), Needles::new(PATTERNS.iter().map(syntax)));
            much.searched.store(MUCH + 1, Ordering::Relaxed);
            let candidates = little.candidates(text.as_bytes());
            proptest::prop_assert_eq!(&candidates, &much.candidates(text.as_bytes()));
            for (index, pattern) in PATTERNS.iter().enumerate() {
                let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).multi_line(true).crlf(true).build().unwrap();
                proptest::prop_assert!(!regex.is_match(text.as_bytes()) || candidates.contains(&index), "{}", pattern);
            }
        }
    }
}
