//! Advisory data from elsewhere → records. With [`super::store`], the only place here that reads files.
//!
//! A record that cannot be read is set aside as [`Skipped`] under its id and, where these can be read, its packages;
//! a source that cannot be read at all is an [`ImportError`].

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::advisory::{Record, Skipped, SourceAge};

pub mod osv;
pub mod rustsec;

/// The largest record read, uncompressed.
pub const RECORD_CAP: u64 = 16 << 20;
/// The most files of one source.
pub const ENTRY_CAP: usize = 2_000_000;
/// The most bytes of one source, uncompressed.
pub const TOTAL_CAP: u64 = 4 << 30;

/// One batch of records, and how current it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How current the batch is, for each ecosystem it covers.
    pub sources: Vec<SourceAge>,
    /// What could be read.
    pub records: Vec<Record>,
    /// What could not.
    pub skipped: Vec<Skipped>,
}

/// Why a source could not be read at all; one line that names it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct ImportError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is the matter with it.
    pub what: String,
}

impl ImportError {
    fn new(path: &Path, what: impl std::fmt::Display) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}

/// Reads a source, whatever it is: a RustSec tree; an OSV `.json` or `.zip` file; a folder of `<Ecosystem>/all.zip`; a
/// folder of OSV JSON files at any depth. `as_of` is the time the data was current (RFC 3339); without it, that is the
/// newest time up to `now` that any of its records carries. The caller passes the commit time of a tree that has one.
///
/// # Errors
/// [`ImportError`] where the source as a whole cannot be read.
pub fn read(path: &Path, as_of: Option<&str>, now: Timestamp) -> Result<Vec<Imported>, ImportError> {
    let as_of = match as_of {
        None => None,
        Some(text) => Some(time(text).ok_or_else(|| ImportError::new(path, format!("`{text}` is no RFC 3339 time")))?),
    };
    let meta = fs::metadata(path).map_err(|e| ImportError::new(path, e))?;
    if meta.is_file() {
        return Ok(vec![osv::read_file(path, as_of, now)?]);
    }
    if rustsec::is_tree(path) {
        return Ok(vec![rustsec::read(path, as_of, now)?]);
    }
    let zips: Vec<PathBuf> =
        list(path)?.into_iter().map(|sub| sub.join("all.zip")).filter(|zip| zip.is_file()).collect();
    if !zips.is_empty() {
        return zips.iter().map(|zip| osv::read_file(zip, as_of, now)).collect();
    }
    Ok(vec![osv::read_folder(path, as_of, now)?])
}

/// Whether a source is loose records, and not the whole of a database: a RustSec tree or `<Ecosystem>/all.zip`.
#[must_use]
pub fn is_partial(path: &Path) -> bool {
    let is_whole = |zip: &Path| zip.file_name().is_some_and(|name| name == "all.zip") && zip.is_file();
    let holds_whole = || list(path).is_ok_and(|found| found.iter().any(|sub| is_whole(&sub.join("all.zip"))));
    !is_whole(path) && !rustsec::is_tree(path) && !holds_whole()
}

/// The time a record or an option carries: RFC 3339, or a date or local time taken as UTC.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp);
    }
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// What a folder holds, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |e: std::io::Error| ImportError::new(folder, e);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
        if paths.len() > ENTRY_CAP {
            return Err(ImportError::new(folder, format!("holds more than {ENTRY_CAP} files")));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Files of that extension at any depth, sorted. Symbolic links are not followed.
fn files(root: &Path, extension: &str) -> Result<Vec<PathBuf>, ImportError> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in list(&folder)? {
            let kind = fs::symlink_metadata(&path).map_err(|e| ImportError::new(&path, e))?.file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
            if found.len() + folders.len() > ENTRY_CAP {
                return Err(ImportError::new(root, format!("holds more than {ENTRY_CAP} files")));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Counts what a source unpacks to against its caps.
struct Budget {
    left: u64,
}

impl Budget {
    fn new() -> Self {
        Self { left: TOTAL_CAP }
    }

    /// Reads one record to the end of a buffer, and says where it lies. The outer error ends the source, the inner one
    /// the record.
    fn read(
        &mut self,
        source: &Path,
        from: impl Read,
        into: &mut Vec<u8>,
    ) -> Result<Result<Range<usize>, String>, ImportError> {
        let start = into.len();
        let read = from.take(RECORD_CAP + 1).read_to_end(into);
        let length = (into.len() - start) as u64;
        let Some(left) = self.left.checked_sub(length) else {
            return Err(ImportError::new(source, format!("unpacks to more than {TOTAL_CAP} bytes")));
        };
        self.left = left;
        Ok(match read {
            Err(e) => Err(one_line(&e.to_string())),
            Ok(_) if length > RECORD_CAP => Err(format!("larger than {RECORD_CAP} bytes")),
            Ok(_) => Ok(start..into.len()),
        })
    }

    /// Reads one file.
    fn file(&mut self, path: &Path) -> Result<Result<Vec<u8>, String>, ImportError> {
        let file = fs::File::open(path).map_err(|e| ImportError::new(path, e))?;
        let mut bytes = Vec::new();
        Ok(self.read(path, file, &mut bytes)?.map(|_| bytes))
    }
}

/// A reason as one line of bounded length.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// The name of a file without its extension, for records whose id cannot be read.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

/// How current a batch is: what the caller says, else the newest time that any record carries. Times to come are
/// mistakes (they occur), and would make data look fresh, and its records the newest, until they are past: such a
/// record counts as changed when the batch was current.
fn settle(records: &mut [Record], as_of: Option<Timestamp>, now: Timestamp) -> String {
    let past = |record: &Record| time(&record.modified).filter(|modified| *modified <= now);
    let as_of = as_of.unwrap_or_else(|| records.iter().filter_map(past).max().unwrap_or(Timestamp::UNIX_EPOCH));
    for record in records.iter_mut().filter(|record| past(record).is_none()) {
        record.modified = as_of.to_string();
    }
    as_of.to_string()
}
