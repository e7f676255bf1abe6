//! Detectors: patterns over the lines that a change adds.
//!
//! [`rules`] reads a pack's `detectors.toml`. [`Detectors`] holds those of all packs in use; [`Detectors::scan`] says
//! what the changed lines of one file hold, in these steps, each of which takes away what the next would do in vain:
//!
//! 1. one pass over the changed lines finds the patterns of which a literal stands there ([`index`]);
//! 2. those whose other literals stand there as well ([`formula`]), and a word of their detector, are compiled and tried
//!    on these lines alone ([`scan`]);
//! 3. a match counts where it touches a changed line, starts in a region the detector speaks about, nothing on its lines
//!    allows it, what must stand nearby does, and the validators accept it ([`validate`]);
//! 4. matches on one line in one region are one [`Hit`], with every secret of the line masked ([`excerpt`]).
//!
//! [`cancel`] then takes away hits that a removed line had as well, over the whole change: a move is no addition.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::model::RepoPath;
use crate::model::line::{Language, LineClass, Region};

mod built_in;
pub mod cases;
pub mod detector;
mod excerpt;
mod formula;
mod index;
pub mod list;
mod parts;
mod rarity;
mod read;
pub mod rules;
mod scan;
#[cfg(test)]
mod tests;
pub mod validate;
pub mod validator;
mod weigh;
mod window;

pub use detector::Detector;

use index::Index;

/// The detectors of the program's own packs, by pack and in the order of their files. Made from
/// `policies/*/detectors.toml` when the program is built.
#[must_use]
pub fn built_in() -> &'static [Detector] {
    &built_in::DETECTORS
}

/// All lines of a text.
pub const WHOLE: Range<u32> = 0..u32::MAX;

/// One file on one side of a change.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its path.
    pub path: &'a RepoPath,
    /// Its language.
    pub language: Language,
    /// What it is to its project.
    pub class: LineClass,
    /// Its text.
    pub text: &'a [u8],
    /// Lines that changed: ranges from 0, half open. What lies beyond the end of the text is ignored.
    pub lines: &'a [Range<u32>],
}

/// A detector found something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The file.
    pub path: RepoPath,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// `pack/id` of the detector.
    pub detector: Arc<str>,
    /// Where the match starts.
    pub region: Region,
    /// The file's language.
    pub language: Language,
    /// What the file is to its project.
    pub class: LineClass,
    /// The first line, trimmed and shortened, secrets masked, what cannot be seen written as `\u{..}`.
    pub excerpt: String,
    /// What tells hits apart without line numbers and without giving a secret away: 32 hexadecimal digits.
    pub key: String,
    /// For the last hit of a detector with too many: how many more there are. 0 for all others.
    pub more: u64,
}

/// A file could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Failed {
    /// The file.
    pub path: RepoPath,
    /// Why.
    pub reason: String,
}

/// The detectors of all packs in use. Shared by the threads of a run.
pub struct Detectors {
    /// Those that are not part of the program.
    own: Box<[Detector]>,
    /// Those in use: id and where it is.
    in_use: Vec<(Arc<str>, Place)>,
    ours: Group<&'static Index>,
    others: Group<Index>,
    /// Largest number of lines that a detector sees at once, less one.
    margin: u32,
}

/// Where a detector is.
#[derive(Clone, Copy)]
enum Place {
    /// Part of the program.
    Ours(&'static Detector),
    /// Its number among the others.
    Own(usize),
}

/// Detectors that share an index.
struct Group<I> {
    index: I,
    /// For each detector of the index its number among those in use; none: it is not.
    numbers: Vec<Option<u32>>,
}

impl Detectors {
    /// Detectors that are not part of the program, in order.
    #[must_use]
    pub fn new(own: Vec<Detector>) -> Self {
        Self::of_built_in(|_| false, own)
    }

    /// Those of the program's detectors whose id, `pack/id`, is wanted, and others.
    #[must_use]
    pub fn of_built_in(wanted: impl Fn(&str) -> bool, own: Vec<Detector>) -> Self {
        let mut in_use = Vec::new();
        let mut number = |id: &str, place: Place| {
            in_use.push((Arc::from(id), place));
            Some(in_use.len() as u32 - 1)
        };
        let ours: Vec<Option<u32>> = built_in()
            .iter()
            .map(|ours| if wanted(&ours.id) { number(&ours.id, Place::Ours(ours)) } else { None })
            .collect();
        let others = (0..).zip(&own).map(|(at, own)| number(&own.id, Place::Own(at))).collect();
        let others = Group { index: Index::new(&own), numbers: others };
        let mut all =
            Self { own: own.into(), in_use, ours: Group { index: &built_in::INDEX, numbers: ours }, others, margin: 0 };
        all.margin = all.all().map(|detector| detector.lines - 1).max().unwrap_or(0);
        all
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_use.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_use.is_empty()
    }

    /// All detectors, the program's first.
    pub fn all(&self) -> impl Iterator<Item = &Detector> {
        self.in_use.iter().filter_map(|(_, place)| self.at(*place))
    }

    /// The detector of an id, `pack/id`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Detector> {
        self.all().find(|detector| &*detector.id == id)
    }

    /// The detector of a number.
    fn number(&self, number: u32) -> Option<&Detector> {
        self.in_use.get(number as usize).and_then(|(_, place)| self.at(*place))
    }

    fn at(&self, place: Place) -> Option<&Detector> {
        match place {
            Place::Ours(detector) => Some(detector),
            Place::Own(at) => self.own.get(at),
        }
    }

    /// What the changed lines of a file hold, by line and detector.
    ///
    /// # Errors
    /// [`Failed`] where the file takes more work than its size allows, or a pattern is broken: the answer is then
    /// incomplete.
    pub fn scan(&self, side: &Side<'_>) -> Result<Vec<Hit>, Failed> {
        scan::scan(self, side)
    }
}

/// Takes away the added hits that a removed line had as well: the same detector, class, language, region and line. Each
/// removed hit stands for one added one, of the same file first. Hits that moved from one class of file to another stay.
#[must_use]
pub fn cancel(added: Vec<Hit>, removed: &[Hit]) -> Vec<Hit> {
    /// What makes two hits one, and which side's file counts.
    type Same<'h> = (&'h str, LineClass, Language, Region, &'h str, u64);
    fn same(hit: &Hit) -> Same<'_> {
        (&hit.detector, hit.class, hit.language, hit.region, &hit.key, hit.more)
    }
    let mut left: HashMap<(Same<'_>, &RepoPath), usize> = HashMap::new();
    for hit in removed {
        *left.entry((same(hit), &hit.path)).or_default() += 1;
    }
    let take = |count: Option<&mut usize>| match count {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let mut is_gone: Vec<bool> = added.iter().map(|hit| take(left.get_mut(&(same(hit), &hit.path)))).collect();
    let mut anywhere: HashMap<Same<'_>, usize> = HashMap::new();
    for ((same, _), count) in left {
        *anywhere.entry(same).or_default() += count;
    }
    for (hit, is_gone) in added.iter().zip(&mut is_gone) {
        *is_gone = *is_gone || take(anywhere.get_mut(&same(hit)));
    }
    added.into_iter().zip(is_gone).filter(|(_, is_gone)| !is_gone).map(|(hit, _)| hit).collect()
}
