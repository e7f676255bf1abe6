//! What is known against packages: imported from elsewhere, kept in one file, matched by version.
//!
//! The pipeline, in the order in which data flows:
//!
//! 1. [`import`] reads a RustSec tree or OSV data into [`Record`](crate::model::advisory::Record)s: facts, no prose.
//!    One bad record is set aside by name; the rest goes on.
//! 2. [`store::Builder`] unites batches of records (the newest of each id wins, withdrawn ones stay as tombstones),
//!    gathers records that name each other into alias groups, and lays them out as a file. Same records, same bytes.
//! 3. [`store::Store`] opens such a file and looks a name up, believing nothing it has not checked.
//! 4. [`store::Layered`] puts the user's store before the baseline built into the program.
//! 5. [`matching::matches`] answers what is known against one version of one package, and what could not be decided.
//!
//! [`update`] fetches what is imported.
//!
//! [`severity`] turns CVSS vectors into scores for all of them.

use std::path::Path;

use jiff::Timestamp;

pub mod import;
pub mod matching;
pub mod severity;
pub mod store;
pub mod update;

use import::ImportError;
use store::{Builder, Store, StoreError};

/// The built-in baseline: facts of the RustSec database, in the store's format.
static BASELINE: &[u8] = include_bytes!("baseline.bin");

/// The baseline built into the program.
///
/// # Errors
/// [`StoreError`] where the program's own bytes are damaged.
pub fn built_in() -> Result<Store, StoreError> {
    Store::from_static(BASELINE)
}

/// The bytes of the built-in baseline, to compare a newly built one with.
#[must_use]
pub fn built_in_bytes() -> &'static [u8] {
    BASELINE
}

/// Why a baseline could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The tree could not be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The records do not fit a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Builds a store file from one source: exactly what `advisories import SOURCE --output FILE` writes, and what
/// `baseline.bin` was made with.
///
/// # Errors
/// [`BaselineError`] where the source cannot be read or does not fit.
pub fn baseline(source: &Path, as_of: Option<&str>, now: Timestamp) -> Result<Vec<u8>, BaselineError> {
    let mut builder = Builder::new();
    for imported in import::read(source, as_of, now)? {
        builder.add(imported);
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests;
