//! A tree of the RustSec advisory database → records, by the crate `rustsec`.
//!
//! - Files are read under `crates/`. Those under `rust/` speak of the standard library and of tools that come with the
//!   compiler; neither is a package of crates.io (though crates named `std` and `cargo` could be), so they are left out.
//! - Malware is what the category `malicious` says. No keyword or title is trusted to say it: in the data the category
//!   marks every advisory on a removed malicious crate, while words such as "malicious" stand in 76 others' prose.
//! - An informational word that is not `unmaintained`, `unsound` or `notice` speaks as loudly as a vulnerability.
//! - Affected spans are what [`rustsec::osv::ranges_for_advisory`] makes of the requirements: the crate's own
//!   `is_vulnerable` asks the same spans. `affected.os` and `affected.arch` are not modelled: too much is matched, never
//!   too little.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use jiff::Timestamp;
use rustsec::advisory::{Advisory, Informational};
use rustsec::{Collection, osv};
use semver::{Op, VersionReq};

use super::{Budget, ENTRY_CAP, ImportError, Imported, files, list, one_line, settle, stem, time};
use crate::model::advisory::{AdvisoryKind, Affected, Bound, Range, Record, Skipped, SourceAge};

const ECOSYSTEM: &str = "crates.io";

/// Whether a folder is a RustSec tree: advisories in folders named after their crates, under `crates/`.
pub(super) fn is_tree(root: &Path) -> bool {
    let is_advisory = |path: &Path| stem(path).starts_with("RUSTSEC-") && path.extension().is_some_and(|e| e == "md");
    list(&root.join("crates"))
        .unwrap_or_default()
        .iter()
        .take(ENTRY_CAP)
        .any(|folder| list(folder).is_ok_and(|inner| inner.iter().any(|path| is_advisory(path))))
}

/// Reads a tree. Every record's time is `as_of`; without it, the newest day on which one of them was published or
/// withdrawn.
///
/// # Errors
/// [`ImportError`] where a folder or file cannot be read.
pub fn read(root: &Path, as_of: Option<Timestamp>, now: Timestamp) -> Result<Imported, ImportError> {
    let mut out = Imported::default();
    let mut budget = Budget::new();
    for path in files(&root.join("crates"), "md")? {
        let id = stem(&path);
        // Drafts carry a placeholder number until they are accepted.
        if id.starts_with("RUSTSEC-0000-0000") {
            continue;
        }
        let parsed = budget.file(&path)?.and_then(|bytes| String::from_utf8(bytes).map_err(|e| e.to_string()));
        match parsed.and_then(|text| record(&text)) {
            Ok(record) => out.records.push(record),
            Err(reason) => {
                // The folder is the crate's name: readable however broken the file is.
                let package = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
                let package = package.map(|name| (ECOSYSTEM.to_owned(), name.to_owned()));
                out.skipped.push(Skipped { id, reason: one_line(&reason), package });
            }
        }
    }
    // A tree is at least as new as the newest day in it, and all of it was current then.
    let as_of = settle(&mut out.records, as_of, now);
    out.records.iter_mut().for_each(|record| record.modified.clone_from(&as_of));
    out.sources.push(SourceAge {
        ecosystem: "cargo".to_owned(),
        as_of,
        records: out.records.len() as u64,
        built_in: false,
    });
    Ok(out)
}

/// One advisory's text → a record, changed on the day it was published or withdrawn.
///
/// # Errors
/// Why it could not be read, in one line.
pub fn record(text: &str) -> Result<Record, String> {
    // The parser slices whatever does not begin like this at a fixed byte.
    if !text.starts_with("```toml") {
        return Err("does not begin with a TOML block".to_owned());
    }
    // The crate asserts where two requirements begin at one version, and adds to version numbers unchecked.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let advisory: Advisory = text.parse().map_err(|e: rustsec::Error| e.to_string())?;
        let spans = osv::ranges_for_advisory(&advisory.versions);
        Ok::<_, String>((advisory, spans))
    }));
    let (advisory, spans) = parsed.map_err(|_| "its version requirements contradict each other".to_owned())??;
    let meta = &advisory.metadata;
    if meta.collection.is_some_and(|c| c != Collection::Crates) {
        return Err("is not about a crate".to_owned());
    }
    if meta.source.as_ref().is_some_and(|source| !source.is_default_registry()) {
        return Err("is about a package of another registry".to_owned());
    }
    let changed = meta.withdrawn.as_ref().unwrap_or(&meta.date).as_str();
    let modified = time(changed).ok_or("its date is no date")?;
    let mut categories: Vec<String> = meta.categories.iter().map(|c| c.name().to_owned()).collect();
    categories.sort();
    categories.dedup();
    let mut functions = advisory
        .affected
        .as_ref()
        .map_or_else(Vec::new, |affected| affected.functions.keys().map(ToString::to_string).collect::<Vec<_>>());
    functions.sort();
    let mut aliases: Vec<String> = meta.aliases.iter().map(|id| id.as_str().to_owned()).collect();
    aliases.sort();
    aliases.dedup();
    let ranges = spans.iter().filter(|span| !empty(span)).map(|span| Range {
        introduced: span.introduced.as_ref().map(ToString::to_string),
        until: span.fixed.as_ref().map(|version| Bound::Fixed(version.to_string())),
    });
    Ok(Record {
        id: meta.id.as_str().to_owned(),
        aliases,
        modified: modified.to_string(),
        published: Some(meta.date.as_str().to_owned()),
        withdrawn: meta.withdrawn.is_some(),
        kind: if categories.iter().any(|c| c == "malicious") {
            AdvisoryKind::Malware
        } else {
            match &meta.informational {
                Some(Informational::Notice) => AdvisoryKind::Notice,
                Some(Informational::Unmaintained) => AdvisoryKind::Unmaintained,
                Some(Informational::Unsound) => AdvisoryKind::Unsound,
                Some(_) | None => AdvisoryKind::Vulnerability,
            }
        },
        categories,
        vector: meta.cvss.as_ref().map(ToString::to_string),
        affected: vec![Affected {
            ecosystem: ECOSYSTEM.to_owned(),
            name: meta.package.as_str().to_owned(),
            ranges: ranges.collect(),
            versions: Vec::new(),
            fixed: fixed(advisory.versions.patched()),
            functions,
        }],
    })
}

/// Whether nothing lies in a span: the crate emits such where an unaffected span begins at the first version.
fn empty(span: &osv::OsvRange) -> bool {
    matches!((&span.introduced, &span.fixed), (Some(from), Some(to)) if from.cmp_precedence(to).is_ge())
}

/// The versions from which on requirements call a crate patched, in order.
fn fixed(patched: &[VersionReq]) -> Vec<String> {
    let mut versions: Vec<semver::Version> = Vec::new();
    for comparator in patched.iter().flat_map(|req| &req.comparators) {
        if matches!(comparator.op, Op::GreaterEq | Op::Greater | Op::Exact | Op::Caret | Op::Tilde) {
            let mut version = semver::Version::new(
                comparator.major,
                comparator.minor.unwrap_or_default(),
                comparator.patch.unwrap_or_default(),
            );
            version.pre = comparator.pre.clone();
            if comparator.op == Op::Greater {
                version.patch = version.patch.saturating_add(1);
            }
            versions.push(version);
        }
    }
    versions.sort();
    versions.dedup();
    versions.iter().map(ToString::to_string).collect()
}
