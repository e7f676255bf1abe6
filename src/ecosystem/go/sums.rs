//! `go.sum` and `go.work.sum`: digests of modules and of their `go.mod` files.

use std::collections::HashMap;

use super::syntax::CONFLICT;
use crate::ecosystem::FILE_CAP;
use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// What is known of one version of a module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum<'a> {
    /// The digest of its files.
    pub files: Option<&'a str>,
    /// Whether there is a digest of its `go.mod`.
    pub has_manifest: bool,
    /// The line of the digest of its files, or else the first that names it, counted from 1.
    pub line: u32,
    /// The line that gives another digest of its files; 0 where none does.
    pub other: u32,
}

/// A file of digests.
#[derive(Debug, Clone, Default)]
pub struct Sums<'a> {
    /// By module path and version.
    pub known: HashMap<(&'a str, &'a str), Sum<'a>>,
    /// Module paths and versions, in the order of the file, each once.
    pub order: Vec<(&'a str, &'a str)>,
}

impl<'a> Sums<'a> {
    /// What is known of a version.
    #[must_use]
    pub fn get<'q>(&'q self, path: &'q str, version: &'q str) -> Option<&'q Sum<'q>> {
        self.known.get(&(path, version))
    }
}

/// Reads a file of digests: lines of a module path, a version and a digest. Digests that do not start with `h1:` are
/// of algorithms to come, and say nothing yet.
///
/// # Errors
/// A line of another number of words.
pub fn read(bytes: &[u8]) -> Result<Sums<'_>, Unread> {
    let text = text(bytes, FILE_CAP)?;
    parse(text).map_err(|error| explain(text, error))
}

fn parse(text: &str) -> Result<Sums<'_>, Unread> {
    let mut sums = Sums::default();
    for (at, source) in text.split('\n').enumerate() {
        let line = at as u32 + 1;
        let mut words = source.split_whitespace();
        let Some(path) = words.next() else { continue };
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| path.starts_with(mark)) {
            return Err(malformed(line, CONFLICT));
        }
        let (Some(version), Some(digest), None) = (words.next(), words.next(), words.next()) else {
            return Err(malformed(line, "not a module path, a version and a digest"));
        };
        let (version, is_manifest) =
            version.strip_suffix("/go.mod").map_or((version, false), |version| (version, true));
        let entry = sums.known.entry((path, version));
        if matches!(entry, std::collections::hash_map::Entry::Vacant(_)) {
            sums.order.push((path, version));
        }
        let sum = entry.or_insert(Sum { line, ..Sum::default() });
        if !digest.starts_with("h1:") {
            continue;
        }
        match sum.files {
            _ if is_manifest => sum.has_manifest = true,
            None => (sum.files, sum.line) = (Some(digest), line),
            Some(known) if known != digest => sum.other = line,
            Some(_) => {}
        }
    }
    Ok(sums)
}
