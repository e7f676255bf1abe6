//! What a detector is: values that are part of the program ([`super::built_in`]) or were read from a file
//! ([`super::rules`]).

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_automata::nfa::thompson::backtrack::BoundedBacktracker as Light;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

use super::formula::{self, Formula};
use super::list::{List, Text};
use super::validator::Validator;
use super::weigh;
use super::window::Window;
use crate::model::line::{Language, Region};

/// Bytes of a compiled pattern, and of the cache in which it runs.
const SIZE_LIMIT: usize = 1 << 20;
/// Nested groups of a pattern.
pub(super) const NEST_LIMIT: u32 = 40;
/// Bytes of a text beyond which a compiled pattern is faster than its formula.
const LONG: usize = 1 << 10;
/// Bytes of text for which a light pattern is good enough.
const MUCH: usize = 4 << 10;

/// One detector, valid.
#[derive(Debug, PartialEq)]
pub struct Detector {
    /// `pack/id`.
    pub id: Text,
    /// What it finds, one line.
    pub title: Text,
    /// Why that matters.
    pub about: Text,
    /// Entries of the Common Weakness Enumeration, as `CWE-295`.
    pub cwe: List<Text>,
    /// What must stand on the lines for a pattern to be tried, in lower case; empty: patterns are tried on every line.
    pub words: List<Text>,
    /// Languages it speaks about; empty: any.
    pub languages: List<Language>,
    /// Globs of files it speaks about; empty: any.
    pub files: List<Text>,
    /// What it looks for; any of them.
    pub patterns: Patterns,
    /// What excuses a match on the same lines.
    pub allow: Patterns,
    /// What must stand nearby; empty: nothing.
    pub near: Patterns,
    /// How many lines up and down `near` looks.
    pub within: u32,
    /// Where a match may start.
    pub regions: List<Region>,
    /// How many lines the patterns see at once.
    pub lines: u32,
    /// What the group `secret`, or the whole match, must be.
    pub validators: List<Validator>,
    /// Bits per character that [`Validator::Entropy`] asks for; none: by alphabet.
    pub min_entropy: Option<f64>,
    /// Whether the group `secret`, or the whole match, is never printed whole.
    pub is_secret: bool,
}

/// A pattern, compiled when it is first asked for.
#[derive(Debug, Default)]
pub struct Slot {
    /// What is made soon and runs slowly, and tells only whether there is a match; none: it cannot be made.
    light: OnceLock<Option<Light>>,
    /// Bytes that it was shown.
    shown: AtomicUsize,
    /// What takes its time to make, or what is wrong with the pattern.
    full: OnceLock<Result<Regex, String>>,
}

impl Slot {
    /// Not yet compiled.
    #[must_use]
    pub const fn new() -> Self {
        Self { light: OnceLock::new(), shown: AtomicUsize::new(0), full: OnceLock::new() }
    }
}

/// Regular expressions.
#[derive(Debug)]
pub struct Patterns {
    /// As written.
    pub sources: List<Text>,
    /// For each what a text must hold ([`super::formula`]).
    pub formulas: List<Cow<'static, [u8]>>,
    /// For each what the line must hold on which a match starts.
    pub first_lines: List<Cow<'static, [u8]>>,
    /// For each its place.
    pub slots: List<Slot>,
    /// All of them in one.
    pub together: OnceLock<Result<RegexSet, String>>,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Patterns {
    pub(super) fn new(sources: List<Text>) -> Self {
        // A broken pattern is found when it is compiled.
        let syntaxes: Vec<_> = sources.iter().map(|source| weigh::syntax(source, NEST_LIMIT).ok()).collect();
        let each = |of: fn(&Hir) -> Formula| -> List<Cow<'static, [u8]>> {
            let formula = |syntax: &Option<Hir>| Cow::Owned(syntax.as_ref().map_or(Vec::new(), |hir| of(hir).bytes()));
            syntaxes.iter().map(formula).collect()
        };
        let (formulas, first_lines) = (each(Formula::of), each(Formula::of_first_line));
        let slots = sources.iter().map(|_| Slot::new()).collect();
        Self { sources, formulas, first_lines, slots, together: OnceLock::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    /// One of them, compiled.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn get(&self, index: usize) -> Result<&Regex, String> {
        let (Some(slot), Some(source)) = (self.slots.get(index), self.sources.get(index)) else {
            return Err("no such pattern".to_owned());
        };
        slot.full.get_or_init(|| compile(source)).as_ref().map_err(Clone::clone)
    }

    /// Whether one of them may match somewhere in a text, which is in lower case; adds up the bytes that were searched.
    pub(super) fn may_match(&self, index: usize, window: &Window, searched: &mut usize) -> bool {
        if window.len() > LONG && self.slots.get(index).is_some_and(|slot| slot.full.get().is_some()) {
            return true;
        }
        self.formulas.get(index).is_none_or(|formula| formula::may_match(formula, window, searched))
    }

    /// Whether it is certain that one of them matches nowhere in a text, as long as it has seen little: most are tried on
    /// a few lines only, and match on none.
    pub(super) fn is_ruled_out(&self, index: usize, text: &[u8]) -> bool {
        let (Some(slot), Some(source)) = (self.slots.get(index), self.sources.get(index)) else { return false };
        if slot.full.get().is_some() || slot.shown.fetch_add(text.len(), Ordering::Relaxed) + text.len() > MUCH {
            return false;
        }
        let light = slot.light.get_or_init(|| compile_light(source)).as_ref();
        // A text that is too long for it is not ruled out.
        light.is_some_and(|light| light.try_is_match(&mut light.create_cache(), text).is_ok_and(|is_match| !is_match))
    }

    /// Whether a match of one of them may start on a line; adds up the bytes that were searched.
    pub(super) fn may_start(&self, index: usize, line: &Window, searched: &mut usize) -> bool {
        self.first_lines.get(index).is_none_or(|formula| formula::may_match(formula, line, searched))
    }

    /// Those that may match somewhere in a text, by their formulas.
    pub(super) fn candidates(&self, text: &[u8]) -> Vec<usize> {
        let window = Window::new(text);
        (0..self.len()).filter(|index| self.may_match(*index, &window, &mut 0)).collect()
    }

    /// Whether any of them matches somewhere in a text, in one pass over it: for detectors without words, which see every
    /// line.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(super) fn stand_in(&self, text: &[u8]) -> Result<bool, String> {
        let together = self.together.get_or_init(|| compile_together(&self.sources));
        together.as_ref().map(|set| set.is_match(text)).map_err(Clone::clone)
    }

    /// Whether any of them matches.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, String> {
        for index in self.candidates(text) {
            if self.get(index)?.is_match(text) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A pattern as a detector means it: over bytes, ASCII unless it says `(?u)`, with `^` and `$` at line ends.
pub(super) fn compile(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .unicode(false)
        .multi_line(true)
        .crlf(true)
        .nest_limit(NEST_LIMIT)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| weigh::one_line(&error.to_string()))
}

/// A pattern as [`compile`] takes it, without what makes it fast.
fn compile_light(source: &str) -> Option<Light> {
    let nfa = thompson::Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(SIZE_LIMIT));
    let syntax = syntax::Config::new().utf8(false).unicode(false).multi_line(true).crlf(true).nest_limit(NEST_LIMIT);
    Light::builder().thompson(nfa).syntax(syntax).build(source).ok()
}

/// Patterns as [`compile`] takes them, in one automaton.
fn compile_together(sources: &[Text]) -> Result<RegexSet, String> {
    RegexSetBuilder::new(sources)
        .unicode(false)
        .multi_line(true)
        .crlf(true)
        .nest_limit(NEST_LIMIT)
        .size_limit(SIZE_LIMIT.saturating_mul(sources.len()))
        .dfa_size_limit(4 * SIZE_LIMIT)
        .build()
        .map_err(|error| weigh::one_line(&error.to_string()))
}
