//! The text of a `detectors.toml` → [`Detector`]s.
//!
//! Raw serde types take the words as they stand, with their spans; [`read`] turns them into valid ones or says the
//! line of the first mistake. Patterns are compiled on first use: a run touches a few of them only. [`Check::All`] compiles
//! all at once, for files that somebody else wrote, so that a bad pattern is a mistake with a line and not an
//! incomplete answer later.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::detector::{Detector, NEST_LIMIT, Patterns, compile};
use super::list::{List, Text};
use super::validator::Validator;
use super::{parts, weigh};
use crate::model::line::{Language, Region};
use crate::text::{Mistake, line_of};

/// Detectors in one file.
const MAX_DETECTORS: usize = 10_000;
/// Words, patterns, allowances or globs of one detector.
const MAX_ITEMS: usize = 500;
/// Bytes of one pattern.
const MAX_PATTERN: usize = 8 << 10;
/// Shortest word, in bytes: shorter ones stand on every line.
const MIN_WORD: usize = 3;
/// Longest word, in bytes.
pub const MAX_WORD: usize = 1 << 10;
/// Most lines that a pattern may see at once.
pub const MAX_LINES: u32 = 5;
/// Farthest that `near` looks, in lines.
const MAX_WITHIN: u32 = 20;
/// Where `near` looks when nothing is said.
const DEFAULT_WITHIN: u32 = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    parts: BTreeMap<Spanned<String>, Spanned<String>>,
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

/// How far patterns are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Not at all.
    Nothing,
    /// Their syntax and weight.
    #[allow(dead_code, reason = "the build script alone asks for it")]
    Syntax,
    /// They are compiled as well.
    All,
}

/// Reads a pack's `detectors.toml`.
///
/// # Errors
/// [`Mistake`] with its line.
pub fn read(pack: &str, text: &str, check: Check) -> Result<Vec<Detector>, Mistake> {
    let raw: RawFile = crate::text::toml(text)?;
    let reader = Reader { text, check, parts: &raw.parts };
    if let Some(first) = raw.detector.get(MAX_DETECTORS) {
        return Err(reader.mistake(first, format!("more than {MAX_DETECTORS} detectors")));
    }
    if let Some(name) = raw.parts.keys().find(|name| !is_id(name.get_ref())) {
        return Err(reader.mistake(name, "a part is named with letters, digits and hyphens"));
    }
    let mut ids = BTreeSet::new();
    let mut scale = weigh::Scale::default();
    let mut detectors = Vec::with_capacity(raw.detector.len());
    for raw in raw.detector {
        let raw = raw.into_inner();
        if !ids.insert(raw.id.get_ref().clone()) {
            return Err(reader.mistake(&raw.id, format!("a second detector {}", raw.id.get_ref())));
        }
        detectors.push(reader.detector(pack, raw, &mut scale)?);
    }
    Ok(detectors)
}

/// Turns raw values into valid ones; knows the text for the lines of mistakes.
#[derive(Clone, Copy)]
struct Reader<'t> {
    text: &'t str,
    check: Check,
    parts: &'t BTreeMap<Spanned<String>, Spanned<String>>,
}

/// Whether a text can name a detector or a part.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Reader<'_> {
    fn mistake<T>(self, at: &Spanned<T>, reason: impl Into<String>) -> Mistake {
        Mistake { line: line_of(self.text, at.span().start), reason: reason.into() }
    }

    fn detector(self, pack: &str, raw: Raw, scale: &mut weigh::Scale) -> Result<Detector, Mistake> {
        let id = raw.id.get_ref();
        if !is_id(id) || id.contains(|c: char| c.is_ascii_uppercase()) {
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
        let each = |list: &[Spanned<String>]| self.expanded(list);
        let lists = [each(patterns_at.get_ref())?, each(&raw.allow)?, each(&raw.near)?];
        self.patterns(&lists, words.is_empty(), scale)?;
        let [patterns, allow, near] = lists.map(|list| Patterns::new(plain(list)));
        let validators = self.validators(raw.validate.as_ref())?;
        let min_entropy = self.entropy(raw.min_entropy.as_ref(), &validators)?;
        Ok(Detector {
            id: Cow::Owned(format!("{pack}/{}", raw.id.get_ref())),
            title: Cow::Owned(raw.title.into_inner()),
            about: Cow::Owned(raw.about.into_inner()),
            cwe: self.cwe(raw.cwe)?,
            words,
            languages: self.closed(&raw.languages, Language::from_word, "language")?,
            files: self.globs(raw.files)?,
            patterns,
            allow,
            near,
            within,
            regions: match raw.regions {
                None => List::Ours(Region::ALL),
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

    fn words(self, raw: &[Spanned<String>]) -> Result<List<Text>, Mistake> {
        self.few(raw, "words")?;
        raw.iter()
            .map(|word| {
                let text = word.get_ref();
                if text.len() < MIN_WORD {
                    Err(self.mistake(word, format!("a word shorter than {MIN_WORD} bytes stands on every line")))
                } else if text.len() > MAX_WORD {
                    Err(self.mistake(word, format!("a word of more than {MAX_WORD} bytes")))
                } else if text.contains(['\n', '\r', '\0', '\u{1}']) {
                    Err(self.mistake(word, "a word stands on one line, and holds neither U+0000 nor U+0001"))
                } else {
                    Ok(Cow::Owned(text.to_ascii_lowercase()))
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

    /// Patterns with their parts put in.
    fn expanded(self, list: &[Spanned<String>]) -> Result<Vec<Spanned<String>>, Mistake> {
        self.few(list, "patterns")?;
        let part = |name: &str| self.parts.get(name).map(|text| text.get_ref().as_str());
        let expand = |pattern: &Spanned<String>| {
            let whole = parts::expand(pattern.get_ref(), &part, MAX_PATTERN);
            let whole = whole.map_err(|reason| self.mistake(pattern, reason))?;
            Ok(Spanned::new(pattern.span(), whole))
        };
        list.iter().map(expand).collect()
    }

    /// Checks the lists of patterns, allowances and nearby patterns.
    fn patterns(
        self,
        lists: &[Vec<Spanned<String>>; 3],
        is_wordless: bool,
        scale: &mut weigh::Scale,
    ) -> Result<(), Mistake> {
        for (index, list) in lists.iter().enumerate() {
            for pattern in list {
                let source = pattern.get_ref();
                if self.check == Check::Nothing {
                    continue;
                }
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
                if self.check == Check::All {
                    compile(source).map_err(|reason| self.mistake(pattern, reason))?;
                }
            }
        }
        Ok(())
    }

    fn cwe(self, raw: Vec<Spanned<String>>) -> Result<List<Text>, Mistake> {
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

    fn globs(self, raw: Vec<Spanned<String>>) -> Result<List<Text>, Mistake> {
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
    ) -> Result<List<T>, Mistake> {
        let mut values = Vec::with_capacity(raw.len());
        for word in raw {
            let value = from_word(word.get_ref())
                .ok_or_else(|| self.mistake(word, format!("no {what} is called {:?}", word.get_ref())))?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(values.into())
    }

    fn validators(self, raw: Option<&Spanned<OneOrMany>>) -> Result<List<Validator>, Mistake> {
        let Some(raw) = raw else { return Ok(List::Ours(&[])) };
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
        Ok(validators.into())
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

fn plain(raw: Vec<Spanned<String>>) -> List<Text> {
    raw.into_iter().map(|text| Cow::Owned(text.into_inner())).collect()
}
