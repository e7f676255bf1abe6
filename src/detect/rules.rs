//! The text of a `detectors.toml` → [`Detector`]s.
//!
//! Raw serde types take the words as they stand, with their spans; [`parse`] turns them into valid ones or says the
//! line of the first mistake. Patterns are compiled on first use: a run touches a few of them only. `check` compiles
//! all at once, for files that somebody else wrote, so that a bad pattern is a mistake with a line and not an
//! incomplete answer later.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::needles::Needles;
use super::validate::Validator;
use super::weigh;
use crate::gate::Broken;
use crate::model::line::{Language, Region};
use crate::text::{Mistake, line_of};

/// Detectors in one file.
const MAX_DETECTORS: usize = 10_000;
/// Words, patterns, allowances or globs of one detector.
const MAX_ITEMS: usize = 500;
/// Bytes of one pattern.
const MAX_PATTERN: usize = 8 << 10;
/// Bytes of a compiled pattern, and of the cache in which it runs.
const SIZE_LIMIT: usize = 1 << 20;
/// Nested groups of a pattern.
const NEST_LIMIT: u32 = 40;
/// Shortest word, in bytes: shorter ones stand on every line.
const MIN_WORD: usize = 3;
/// Most lines that a pattern may see at once.
pub(super) const MAX_LINES: u32 = 5;
/// Farthest that `near` looks, in lines.
const MAX_WITHIN: u32 = 20;
/// Where `near` looks when nothing is said.
const DEFAULT_WITHIN: u32 = 3;

/// One detector, valid.
#[derive(Debug, PartialEq)]
pub struct Detector {
    /// `pack/id`.
    pub id: Arc<str>,
    /// What it finds, one line.
    pub title: String,
    /// Why that matters.
    pub about: String,
    /// Entries of the Common Weakness Enumeration, as `CWE-295`.
    pub cwe: Vec<String>,
    /// What must stand on the lines for a pattern to be tried, in lower case; empty: patterns are tried on every line.
    pub words: Vec<String>,
    /// Languages it speaks about; empty: any.
    pub languages: Vec<Language>,
    /// Globs of files it speaks about; empty: any.
    pub files: Vec<String>,
    /// What it looks for; any of them.
    pub patterns: Patterns,
    /// What excuses a match on the same lines.
    pub allow: Patterns,
    /// What must stand nearby; empty: nothing.
    pub near: Patterns,
    /// How many lines up and down `near` looks.
    pub within: u32,
    /// Where a match may start.
    pub regions: Vec<Region>,
    /// How many lines the patterns see at once.
    pub lines: u32,
    /// What the group `secret`, or the whole match, must be.
    pub validators: Vec<Validator>,
    /// Bits per character that [`Validator::Entropy`] asks for; none: by alphabet.
    pub min_entropy: Option<f64>,
    /// Whether the group `secret`, or the whole match, is never printed whole.
    pub is_secret: bool,
}

/// Regular expressions, compiled when they are first asked for.
#[derive(Debug)]
pub struct Patterns {
    /// As written.
    pub sources: Vec<String>,
    each: Vec<OnceLock<Result<Regex, String>>>,
    needles: OnceLock<Needles>,
    together: OnceLock<Result<RegexSet, String>>,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Patterns {
    fn new(sources: Vec<String>) -> Self {
        let each = sources.iter().map(|_| OnceLock::new()).collect();
        Self { sources, each, needles: OnceLock::new(), together: OnceLock::new() }
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
        let (Some(slot), Some(source)) = (self.each.get(index), self.sources.get(index)) else {
            return Err("no such pattern".to_owned());
        };
        slot.get_or_init(|| compile(source)).as_ref().map_err(Clone::clone)
    }

    /// Those that may match somewhere in a text, by their needles.
    pub(super) fn candidates(&self, text: &[u8]) -> Vec<usize> {
        let syntax = |source: &String| weigh::syntax(source, NEST_LIMIT).ok();
        self.needles.get_or_init(|| Needles::new(self.sources.iter().map(syntax))).candidates(text)
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
fn compile(source: &str) -> Result<Regex, String> {
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

/// Patterns as [`compile`] takes them, in one automaton.
fn compile_together(sources: &[String]) -> Result<RegexSet, String> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    detector: Vec<Spanned<Raw>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    id: Spanned<String>,
    title: Spanned<String>,
    about: Spanned<String>,
    #[serde(default)]
    cwe: Vec<Spanned<String>>,
    #[serde(default)]
    words: Vec<Spanned<String>>,
    #[serde(default)]
    languages: Vec<Spanned<String>>,
    #[serde(default)]
    files: Vec<Spanned<String>>,
    patterns: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    near: Vec<Spanned<String>>,
    within: Option<Spanned<u32>>,
    regions: Option<Spanned<Vec<Spanned<String>>>>,
    lines: Option<Spanned<u32>>,
    validate: Option<Spanned<OneOrMany>>,
    min_entropy: Option<Spanned<f64>>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Reads a pack's `detectors.toml`. `file` is its path, for messages. With `check` every pattern is weighed and
/// compiled at once: right for files that the program does not bring along.
///
/// # Errors
/// [`Broken`] with file and line.
pub fn parse(pack: &str, file: &str, text: &str, check: bool) -> Result<Vec<Detector>, Broken> {
    read(pack, text, check).map_err(|mistake| Broken::at(file, mistake))
}

fn read(pack: &str, text: &str, check: bool) -> Result<Vec<Detector>, Mistake> {
    let raw: RawFile = crate::text::toml(text)?;
    if let Some(first) = raw.detector.get(MAX_DETECTORS) {
        return Err(Reader { text }.mistake(first, format!("more than {MAX_DETECTORS} detectors")));
    }
    let mut ids = BTreeSet::new();
    let mut scale = weigh::Scale::default();
    let mut detectors = Vec::with_capacity(raw.detector.len());
    for raw in raw.detector {
        let raw = raw.into_inner();
        if !ids.insert(raw.id.get_ref().clone()) {
            return Err(Reader { text }.mistake(&raw.id, format!("a second detector {}", raw.id.get_ref())));
        }
        detectors.push(Reader { text }.detector(pack, raw, check.then_some(&mut scale))?);
    }
    Ok(detectors)
}

/// Turns raw values into valid ones; knows the text for the lines of mistakes.
#[derive(Clone, Copy)]
struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn mistake<T>(self, at: &Spanned<T>, reason: impl Into<String>) -> Mistake {
        Mistake { line: line_of(self.text, at.span().start), reason: reason.into() }
    }

    fn detector(self, pack: &str, raw: Raw, scale: Option<&mut weigh::Scale>) -> Result<Detector, Mistake> {
        let is_id = |id: &str| {
            !id.is_empty()
                && id.len() <= 64
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !is_id(raw.id.get_ref()) {
            return Err(self.mistake(&raw.id, "an id is lower-case letters, digits and hyphens"));
        }
        for text in [&raw.title, &raw.about] {
            if text.get_ref().trim().is_empty() {
                return Err(self.mistake(text, "title and about say something"));
            }
        }
        let lines = self.number(raw.lines.as_ref(), 1, 1..=MAX_LINES, "lines")?;
        let within = self.number(raw.within.as_ref(), DEFAULT_WITHIN, 0..=MAX_WITHIN, "within")?;
        let words = self.words(&raw.words)?;
        let patterns_at = &raw.patterns;
        if patterns_at.get_ref().is_empty() {
            return Err(self.mistake(patterns_at, "a detector without patterns"));
        }
        let lists = [patterns_at.get_ref(), &raw.allow, &raw.near];
        self.patterns(lists, words.is_empty(), scale)?;
        let validators = self.validators(raw.validate.as_ref())?;
        let min_entropy = self.entropy(raw.min_entropy.as_ref(), &validators)?;
        Ok(Detector {
            id: Arc::from(format!("{pack}/{}", raw.id.get_ref())),
            title: raw.title.into_inner(),
            about: raw.about.into_inner(),
            cwe: self.cwe(raw.cwe)?,
            words,
            languages: self.closed(&raw.languages, Language::from_word, "language")?,
            files: self.globs(raw.files)?,
            patterns: Patterns::new(plain(raw.patterns.into_inner())),
            allow: Patterns::new(plain(raw.allow)),
            near: Patterns::new(plain(raw.near)),
            within,
            regions: match raw.regions {
                None => Region::ALL.to_vec(),
                Some(regions) if regions.get_ref().is_empty() => {
                    return Err(self.mistake(&regions, "no regions: leave the key out for all of them"));
                }
                Some(regions) => self.closed(regions.get_ref(), Region::from_word, "region")?,
            },
            lines,
            validators,
            min_entropy,
            is_secret: raw.secret,
        })
    }

    fn number(
        self,
        value: Option<&Spanned<u32>>,
        default: u32,
        range: std::ops::RangeInclusive<u32>,
        name: &str,
    ) -> Result<u32, Mistake> {
        match value {
            None => Ok(default),
            Some(value) if range.contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => Err(self.mistake(value, format!("{name} is {} to {}", range.start(), range.end()))),
        }
    }

    fn words(self, raw: &[Spanned<String>]) -> Result<Vec<String>, Mistake> {
        self.few(raw, "words")?;
        raw.iter()
            .map(|word| {
                let text = word.get_ref();
                if text.len() < MIN_WORD {
                    Err(self.mistake(word, format!("a word shorter than {MIN_WORD} bytes stands on every line")))
                } else if text.contains(['\n', '\r']) {
                    Err(self.mistake(word, "a word stands on one line"))
                } else {
                    Ok(text.to_ascii_lowercase())
                }
            })
            .collect()
    }

    fn few<T>(self, list: &[Spanned<T>], name: &str) -> Result<(), Mistake> {
        match list.get(MAX_ITEMS) {
            None => Ok(()),
            Some(item) => Err(self.mistake(item, format!("more than {MAX_ITEMS} {name}"))),
        }
    }

    /// Checks the lists of patterns, allowances and nearby patterns.
    fn patterns(
        self,
        lists: [&Vec<Spanned<String>>; 3],
        is_wordless: bool,
        mut scale: Option<&mut weigh::Scale>,
    ) -> Result<(), Mistake> {
        for (index, list) in lists.into_iter().enumerate() {
            self.few(list, "patterns")?;
            for pattern in list {
                let source = pattern.get_ref();
                if source.len() > MAX_PATTERN {
                    return Err(self.mistake(pattern, format!("a pattern of more than {MAX_PATTERN} bytes")));
                }
                let Some(scale) = scale.as_deref_mut() else { continue };
                let syntax = weigh::syntax(source, NEST_LIMIT).map_err(|reason| self.mistake(pattern, reason))?;
                if weigh::is_empty(&syntax) {
                    let reason = match (index, is_wordless) {
                        (0, true) => "a pattern that matches nothing at all, and no words: every line would match",
                        _ => "a pattern that matches nothing at all matches every line",
                    };
                    return Err(self.mistake(pattern, reason));
                }
                if weigh::sees_edges(&syntax) {
                    return Err(self.mistake(pattern, "write ^ and $ for the ends of a line, not \\A and \\z"));
                }
                scale.add(&syntax).map_err(|reason| self.mistake(pattern, reason))?;
                compile(source).map_err(|reason| self.mistake(pattern, reason))?;
            }
        }
        Ok(())
    }

    fn cwe(self, raw: Vec<Spanned<String>>) -> Result<Vec<String>, Mistake> {
        self.few(&raw, "CWE entries")?;
        let is_cwe = |text: &str| {
            text.strip_prefix("CWE-")
                .is_some_and(|n| !n.is_empty() && n.len() < 6 && n.bytes().all(|b| b.is_ascii_digit()))
        };
        match raw.iter().find(|entry| !is_cwe(entry.get_ref())) {
            Some(entry) => Err(self.mistake(entry, "an entry of CWE is written CWE-295")),
            None => Ok(plain(raw)),
        }
    }

    fn globs(self, raw: Vec<Spanned<String>>) -> Result<Vec<String>, Mistake> {
        self.few(&raw, "files")?;
        match raw.iter().find(|glob| glob.get_ref().is_empty() || glob.get_ref().len() > 1024) {
            Some(glob) => Err(self.mistake(glob, "a glob of 1 to 1024 bytes is wanted")),
            None => Ok(plain(raw)),
        }
    }

    /// Words of a closed set.
    fn closed<T: Copy + PartialEq>(
        self,
        raw: &[Spanned<String>],
        from_word: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Vec<T>, Mistake> {
        let mut values = Vec::with_capacity(raw.len());
        for word in raw {
            let value = from_word(word.get_ref())
                .ok_or_else(|| self.mistake(word, format!("no {what} is called {:?}", word.get_ref())))?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(values)
    }

    fn validators(self, raw: Option<&Spanned<OneOrMany>>) -> Result<Vec<Validator>, Mistake> {
        let Some(raw) = raw else { return Ok(Vec::new()) };
        let names = match raw.get_ref() {
            OneOrMany::One(name) => std::slice::from_ref(name),
            OneOrMany::Many(names) => names.as_slice(),
        };
        let mut validators = Vec::with_capacity(names.len());
        for name in names {
            let known = Validator::from_word(name).ok_or_else(|| {
                let all: Vec<&str> = Validator::ALL.iter().map(|v| v.as_str()).collect();
                self.mistake(raw, format!("no validator is called {name:?}; there are {}", all.join(", ")))
            })?;
            if !validators.contains(&known) {
                validators.push(known);
            }
        }
        Ok(validators)
    }

    fn entropy(self, raw: Option<&Spanned<f64>>, validators: &[Validator]) -> Result<Option<f64>, Mistake> {
        let Some(raw) = raw else { return Ok(None) };
        if !(0.0..=8.0).contains(raw.get_ref()) {
            return Err(self.mistake(raw, "min-entropy is 0 to 8 bits per character"));
        }
        if !validators.contains(&Validator::Entropy) {
            return Err(self.mistake(raw, "min-entropy is for validate = \"entropy\""));
        }
        Ok(Some(*raw.get_ref()))
    }
}

fn plain(raw: Vec<Spanned<String>>) -> Vec<String> {
    raw.into_iter().map(Spanned::into_inner).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
