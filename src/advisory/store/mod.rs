//! One file of checksummed pages that answers "what is known of this name?" in one look.
//!
//! [`Builder`] writes it, [`Store`] reads it, [`Layered`] puts the user's before the built-in one. Opening reads the
//! header and one block; a lookup reads one page of the index and the blocks it leads to, so neither grows with the
//! file. Every page is checked when it is first touched, and a name is believed to be absent only on the word of a page
//! that was whole: damage is a [`StoreError`], never "nothing known".

use jiff::Timestamp;

use crate::advisory::import::time;
use crate::model::advisory::{AdvisoryKind, Affected};

mod build;
mod format;
mod layered;
mod merge;
mod page;
mod read;

pub use layered::Layered;
pub use merge::Builder;
pub use read::Store;

use format::Reader;

/// Why a store cannot be believed. One line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened or read.
    #[error(
        "{name}: the advisory store cannot be read ({what}); \
         run `portcullis advisories update`, or name another with --advisories"
    )]
    Unreadable {
        /// The store.
        name: String,
        /// What the system said.
        what: String,
    },
    /// It is something else.
    #[error("{name} is not an advisory store; make one with `portcullis advisories import SOURCE --output FILE`")]
    NotAStore {
        /// The file.
        name: String,
    },
    /// An earlier version of the program wrote it.
    #[error("{name} was written by an older portcullis (format {format}): run `portcullis advisories update`")]
    TooOld {
        /// The store.
        name: String,
        /// Its format.
        format: u32,
    },
    /// A later version of the program wrote it.
    #[error("{name} was written by a newer portcullis (format {format}); update portcullis, or build the store again")]
    TooNew {
        /// The store.
        name: String,
        /// Its format.
        format: u32,
    },
    /// It is not what was written.
    #[error("{name}: the advisory store is damaged ({what}); delete it and run `portcullis advisories update`")]
    Damaged {
        /// The store.
        name: String,
        /// How that was seen.
        what: String,
    },
    /// The records take more room than the format can address.
    #[error("the advisories take more than 4 GiB; import fewer ecosystems")]
    TooLarge,
}

impl StoreError {
    fn unreadable(name: &str, error: &std::io::Error) -> Self {
        Self::Unreadable { name: name.to_owned(), what: error.to_string() }
    }

    fn damaged(name: &str, what: &str) -> Self {
        Self::Damaged { name: name.to_owned(), what: what.to_owned() }
    }
}

/// What one record says of one package.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The record's own id.
    pub id: String,
    /// Every id of its alias group, its own among them, sorted.
    pub ids: Vec<String>,
    /// What it says.
    pub kind: AdvisoryKind,
    /// CVSS vector.
    pub vector: Option<String>,
    /// The vector's score.
    pub score: Option<f64>,
    /// When it was last changed.
    pub modified: Timestamp,
    /// When it was published.
    pub published: Option<String>,
    /// Categories.
    pub categories: Vec<String>,
    /// The package, and which versions of it.
    pub affected: Affected,
}

/// One record, as `explain` needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRecord {
    /// Its id.
    pub id: String,
    /// The other ids it names itself.
    pub aliases: Vec<String>,
    /// When it was last changed.
    pub modified: Timestamp,
    /// When it was published.
    pub published: Option<String>,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// What it says.
    pub kind: AdvisoryKind,
    /// Categories.
    pub categories: Vec<String>,
    /// CVSS vector.
    pub vector: Option<String>,
    /// The vector's score.
    pub score: Option<f64>,
    /// `(OSV ecosystem, name)` of every package it is about.
    pub packages: Vec<(String, String)>,
}

/// What is known under an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Every id of the alias group, sorted.
    pub ids: Vec<String>,
    /// Its records, by id. An alias that no record has for its own id leads here too.
    pub records: Vec<KnownRecord>,
}

/// One hit as it lies in the store: the versions are read without taking room.
pub(crate) struct RawHit<'b> {
    /// Offset and length of the group's block.
    group: (u64, usize),
    /// Which of the group's records it is.
    record: usize,
    /// What [`read_affected`] reads.
    pub(crate) body: Reader<'b>,
}

impl<'b> RawHit<'b> {
    /// Hands each range to a function: `(introduced, (is it the last affected one, until))`.
    pub(crate) fn ranges(&self, mut each: impl FnMut(Option<&'b str>, Option<(bool, &'b str)>)) -> Option<Reader<'b>> {
        let mut block = self.body;
        for _ in 0..block.count().ok()? {
            let (introduced, until) = format::read_range(&mut block).ok()?;
            each(introduced, until);
        }
        Some(block)
    }

    /// Hands each version named one by one to a function. `block` is what [`Self::ranges`] left.
    pub(crate) fn versions(mut block: Reader<'b>, mut each: impl FnMut(&'b str)) -> Option<()> {
        for _ in 0..block.count().ok()? {
            each(block.text().ok()?);
        }
        Some(())
    }
}

/// A digest as the contract writes it.
fn digest_text(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Whether one text is a later time than another; what is no time is earlier than all.
fn later(a: &str, b: &str) -> bool {
    time(a).unwrap_or(Timestamp::MIN) > time(b).unwrap_or(Timestamp::MIN)
}
