//! OSV records (ossf/osv-schema 1.x) → records.
//!
//! - Every ecosystem is stored, under its name without the suffix after a colon.
//! - `SEMVER` and `ECOSYSTEM` ranges and explicit versions are a union. Events are paired in version order where the
//!   ecosystem's rules can order all of them, else as listed (OSV writes them in order): an `introduced` opens a span
//!   unless one is open, the next `fixed` or `last_affected` ends it. `limit` is not used. `GIT` ranges are not matched.
//! - An entry with nothing to match by is kept and set aside by name: nobody may take it for "not affected".
//! - Malware is what an id or alias beginning `MAL-` or the mark of the malicious-packages database says. RustSec's
//!   export carries `informational` and `categories`, which are read as in [`super::rustsec`].

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::ops;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Budget, ENTRY_CAP, ImportError, Imported, files, one_line, settle, stem, time};
use crate::advisory::severity;
use crate::ecosystem::{Rules, rules};
use crate::model::Ecosystem;
use crate::model::advisory::{
    AdvisoryKind, Affected, Bound, Range, Record, Skipped, SourceAge, bare_ecosystem, ecosystem_of,
};

/// A field whose shape databases choose themselves: read where it has the shape looked for, else passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Known(T),
    Other(IgnoredAny),
}

impl<T> Lenient<T> {
    fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct RawRecord {
    id: String,
    modified: String,
    published: Option<String>,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    severity: Option<Vec<RawSeverity>>,
    affected: Option<Vec<RawAffected>>,
    database_specific: Option<Lenient<RawDatabase>>,
}

#[derive(Deserialize)]
struct RawSeverity {
    score: Lenient<String>,
}

#[derive(Deserialize)]
struct RawAffected {
    package: Option<RawPackage>,
    ranges: Option<Vec<RawRange>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<RawSeverity>>,
    ecosystem_specific: Option<Lenient<RawSpecific>>,
    database_specific: Option<Lenient<RawDatabase>>,
}

#[derive(Deserialize)]
struct RawPackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<RawEvent>,
}

#[derive(Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

#[derive(Deserialize)]
struct RawDatabase {
    #[serde(rename = "malicious-packages-origins")]
    origins: Option<IgnoredAny>,
    informational: Option<Lenient<String>>,
    categories: Option<Lenient<Vec<String>>>,
}

#[derive(Deserialize)]
struct RawSpecific {
    affects: Option<Lenient<RawAffects>>,
    imports: Option<Lenient<Vec<RawImport>>>,
}

#[derive(Deserialize)]
struct RawAffects {
    functions: Option<Lenient<Vec<String>>>,
}

#[derive(Deserialize)]
struct RawImport {
    path: Option<String>,
    symbols: Option<Vec<String>>,
}

/// Reads one file: a `.json` record, or a `.zip` of them. A zip named `all.zip` covers the ecosystem its folder is
/// named after, as OSV publishes them; any other covers every ecosystem its records name.
///
/// # Errors
/// [`ImportError`] where it is neither, or is broken as a whole.
pub fn read_file(path: &Path, as_of: Option<Timestamp>, now: Timestamp) -> Result<Imported, ImportError> {
    let mut out = Imported::default();
    let mut budget = Budget::new();
    if path.extension().is_some_and(|e| e == "json") {
        take(&mut out, &stem(path), budget.file(path)?.as_deref());
        return Ok(finish(out, as_of, now, None));
    }
    let file = fs::File::open(path).map_err(|e| ImportError::new(path, e))?;
    let mut zip = zip::ZipArchive::new(file)
        .map_err(|e| ImportError::new(path, format!("is no RustSec tree, OSV .json or .zip file ({e})")))?;
    if zip.len() > ENTRY_CAP {
        return Err(ImportError::new(path, format!("holds more than {ENTRY_CAP} files")));
    }
    let mut unpacked = Unpacked::default();
    for index in 0..zip.len() {
        let entry = match zip.by_index(index) {
            Ok(entry) => entry,
            Err(e) => return Err(ImportError::new(path, format!("entry {index} cannot be read ({e})"))),
        };
        let name = match entry.name() {
            Ok(name) => name.into_owned(),
            Err(e) => return Err(ImportError::new(path, format!("entry {index} cannot be read ({e})"))),
        };
        if entry.is_file() && name.ends_with(".json") {
            let start = unpacked.bytes.len();
            unpacked.bytes.extend_from_slice(stem(Path::new(&name)).as_bytes());
            let stem = start..unpacked.bytes.len();
            let read = budget.read(path, entry, &mut unpacked.bytes)?;
            unpacked.records.push((stem, read));
        }
        if unpacked.bytes.len() > UNPACKED {
            unpacked.take(&mut out);
        }
    }
    unpacked.take(&mut out);
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let named = folder.filter(|_| path.file_name().is_some_and(|name| name == "all.zip"));
    Ok(finish(out, as_of, now, named))
}

/// Reads every `.json` file of a folder, at any depth.
///
/// # Errors
/// [`ImportError`] where there is none, or one cannot be opened.
pub fn read_folder(path: &Path, as_of: Option<Timestamp>, now: Timestamp) -> Result<Imported, ImportError> {
    let mut out = Imported::default();
    let mut budget = Budget::new();
    let found = files(path, "json")?;
    if found.is_empty() {
        return Err(ImportError::new(path, "holds no RustSec tree, no OSV .json file and no <Ecosystem>/all.zip"));
    }
    for path in found {
        take(&mut out, &stem(&path), budget.file(&path)?.as_deref());
    }
    Ok(finish(out, as_of, now, None))
}

/// How much is unpacked before it is parsed.
const UNPACKED: usize = 32 << 20;

type Place = ops::Range<usize>;

/// Entries of an archive, unpacked and not yet parsed. Unpacking takes large buffers for a moment, parsing keeps many
/// small ones: taken in turns for each entry, they leave the heap ten times as large as what it holds.
#[derive(Default)]
struct Unpacked {
    bytes: Vec<u8>,
    /// Where the name and the content of each lie.
    records: Vec<(Place, Result<Place, String>)>,
}

impl Unpacked {
    /// Parses what is there, and is empty.
    fn take(&mut self, out: &mut Imported) {
        for (stem, read) in self.records.drain(..) {
            let stem = String::from_utf8_lossy(self.bytes.get(stem).unwrap_or_default());
            let bytes = read.as_ref().map(|place| self.bytes.get(place.clone()).unwrap_or_default());
            take(out, &stem, bytes);
        }
        self.bytes.clear();
    }
}

fn take(out: &mut Imported, stem: &str, bytes: Result<&[u8], &String>) {
    match bytes {
        Ok(bytes) => match record(bytes) {
            Ok((record, mut skipped)) => {
                out.records.push(record);
                out.skipped.append(&mut skipped);
            }
            Err(reason) => out.skipped.append(&mut set_aside(bytes, stem, &reason)),
        },
        Err(reason) => out.skipped.push(Skipped { id: stem.to_owned(), reason: reason.clone(), package: None }),
    }
}

fn finish(mut out: Imported, as_of: Option<Timestamp>, now: Timestamp, named: Option<&str>) -> Imported {
    let ecosystems_of = |record: &Record| record.affected.iter().map(|a| a.ecosystem.clone()).collect::<BTreeSet<_>>();
    let covered: BTreeSet<String> = match named {
        // A record on npm and Maven does not make npm's file speak for Maven.
        Some(name) => BTreeSet::from([bare_ecosystem(name).to_owned()]),
        None => out.records.iter().flat_map(ecosystems_of).collect(),
    };
    let as_of = settle(&mut out.records, as_of, now);
    for ecosystem in covered {
        let records = out.records.iter().filter(|r| r.affected.iter().any(|a| a.ecosystem == ecosystem)).count();
        let ecosystem = ecosystem_of(&ecosystem).map_or(ecosystem, |own| own.as_str().to_owned());
        out.sources.push(SourceAge { ecosystem, as_of: as_of.clone(), records: records as u64, built_in: false });
    }
    out
}

/// One OSV record's bytes → a record, and what of it cannot be matched.
///
/// # Errors
/// Why it could not be read, in one line.
pub fn record(bytes: &[u8]) -> Result<(Record, Vec<Skipped>), String> {
    let raw: RawRecord = serde_json::from_slice(bytes).map_err(|e| one_line(&e.to_string()))?;
    if raw.id.is_empty() || raw.id.len() > 200 || raw.id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("its id is no id".to_owned());
    }
    let modified = time(&raw.modified).ok_or("its `modified` is no time")?;
    let mut aliases = raw.aliases.unwrap_or_default();
    aliases.retain(|alias| !alias.trim().is_empty() && *alias != raw.id);
    aliases.sort();
    aliases.dedup();

    let entries = raw.affected.unwrap_or_default();
    let severities = |list: &Option<Vec<RawSeverity>>| -> Vec<String> {
        list.iter().flatten().filter_map(|s| s.score.known().cloned()).collect()
    };
    let mut vectors = severities(&raw.severity);
    vectors.extend(entries.iter().flat_map(|entry| severities(&entry.severity)));

    let own = entries.iter().filter_map(|e| e.database_specific.as_ref());
    let specifics: Vec<&RawDatabase> = raw.database_specific.iter().chain(own).filter_map(Lenient::known).collect();
    let mut categories: Vec<String> =
        specifics.iter().filter_map(|s| s.categories.as_ref()?.known()).flatten().cloned().collect();
    categories.sort();
    categories.dedup();
    let kind = kind(&raw.id, &aliases, &specifics, &categories);

    let mut affected = Vec::new();
    let mut skipped = Vec::new();
    for entry in entries {
        let Some(entry) = convert(entry) else { continue };
        if entry.ranges.is_empty() && entry.versions.is_empty() && raw.withdrawn.is_none() {
            skipped.push(Skipped {
                id: raw.id.clone(),
                reason: "names no versions that can be compared (at most GIT ranges)".to_owned(),
                package: Some((entry.ecosystem.clone(), entry.name.clone())),
            });
        }
        affected.push(entry);
    }
    // An entry with nothing to match by is no gap where another entry of the record covers the package.
    skipped.retain(|s| {
        !affected.iter().any(|a: &Affected| {
            s.package.as_ref().is_some_and(|(e, n)| (e, n) == (&a.ecosystem, &a.name))
                && !(a.ranges.is_empty() && a.versions.is_empty())
        })
    });
    let record = Record {
        vector: severity::best(vectors.iter().map(String::as_str)).map(str::to_owned),
        // Go's database writes the year 1 where it does not know.
        published: raw
            .published
            .as_deref()
            .and_then(time)
            .filter(|t| *t > Timestamp::UNIX_EPOCH)
            .map(|t| t.to_string()),
        id: raw.id,
        aliases,
        modified: modified.to_string(),
        withdrawn: raw.withdrawn.is_some(),
        kind,
        categories,
        affected,
    };
    Ok((record, skipped))
}

fn kind(id: &str, aliases: &[String], specifics: &[&RawDatabase], categories: &[String]) -> AdvisoryKind {
    let named = std::iter::once(id).chain(aliases.iter().map(String::as_str)).any(|id| id.starts_with("MAL-"));
    if named || specifics.iter().any(|s| s.origins.is_some()) || categories.iter().any(|c| c == "malicious") {
        return AdvisoryKind::Malware;
    }
    let words = specifics.iter().filter_map(|s| s.informational.as_ref()?.known());
    words
        .map(|word| AdvisoryKind::from_word(word).unwrap_or(AdvisoryKind::Vulnerability))
        .max()
        .unwrap_or(AdvisoryKind::Vulnerability)
}

fn convert(raw: RawAffected) -> Option<Affected> {
    let package = raw.package?;
    let (ecosystem, name) = place(&package.ecosystem, &package.name);
    let own = ecosystem_of(&ecosystem);
    let order = own.map(rules);
    let mut ranges = Vec::new();
    let mut fixed = Vec::new();
    for range in raw.ranges.into_iter().flatten() {
        if matches!(range.kind.as_str(), "SEMVER" | "ECOSYSTEM") {
            spans(events(range.events, own), order, &mut ranges);
        }
    }
    for range in &ranges {
        if let Some(Bound::Fixed(version)) = &range.until {
            fixed.push(version.clone());
        }
    }
    let mut functions: Vec<String> = Vec::new();
    if let Some(specific) = raw.ecosystem_specific.as_ref().and_then(Lenient::known) {
        let affects = specific.affects.as_ref().and_then(Lenient::known);
        let named = affects.and_then(|a| a.functions.as_ref()).and_then(Lenient::known);
        functions.extend(named.into_iter().flatten().cloned());
        for import in specific.imports.as_ref().and_then(Lenient::known).into_iter().flatten() {
            let path = import.path.as_deref().unwrap_or(&name);
            functions.extend(import.symbols.iter().flatten().map(|symbol| format!("{path}.{symbol}")));
        }
    }
    functions.sort();
    functions.dedup();
    let versions = raw.versions.unwrap_or_default();
    Some(Affected { ecosystem, name, ranges, versions, fixed, functions })
}

/// Where a package is stored: the ecosystem without suffix, the name as the ecosystem's rules spell it.
fn place(ecosystem: &str, name: &str) -> (String, String) {
    let bare = bare_ecosystem(ecosystem);
    let own = ecosystem_of(bare).map(rules);
    let name = own.map_or_else(|| name.to_owned(), |rules| rules.normalise(name).into_owned());
    (bare.to_owned(), name)
}

enum Event {
    Introduced(Option<String>),
    Ends(Bound),
}

fn events(raw: Vec<RawEvent>, ecosystem: Option<Ecosystem>) -> Vec<Event> {
    let spelt = |version: String| match ecosystem {
        Some(Ecosystem::Cargo) => padded(version),
        _ => version,
    };
    let mut events = Vec::new();
    for event in raw {
        // "0" is OSV's word for the first of all versions, in every ecosystem.
        events.extend(event.introduced.map(|v| Event::Introduced((v != "0").then(|| spelt(v)))));
        events.extend(event.fixed.map(|v| Event::Ends(Bound::Fixed(spelt(v)))));
        events.extend(event.last_affected.map(|v| Event::Ends(Bound::LastAffected(spelt(v)))));
    }
    events
}

/// A bound of crates.io as a version: `0.70` and `6` occur where semver wants three numbers.
fn padded(version: String) -> String {
    let numbers = version.split('.').count();
    if numbers < 3 && version.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
        return version + if numbers == 2 { ".0" } else { ".0.0" };
    }
    version
}

/// Pairs events into spans.
fn spans(mut events: Vec<Event>, order: Option<&dyn Rules>, out: &mut Vec<Range>) {
    fn version(event: &Event) -> Option<&str> {
        match event {
            Event::Introduced(version) => version.as_deref(),
            Event::Ends(Bound::Fixed(version) | Bound::LastAffected(version)) => Some(version),
        }
    }
    let comparable = |order: &dyn Rules| events.iter().filter_map(version).all(|v| order.compare(v, v).is_some());
    if let Some(order) = order.filter(|order| comparable(*order)) {
        events.sort_by(|a, b| match (version(a), version(b)) {
            (Some(a), Some(b)) => order.compare(a, b).unwrap_or(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
    } else {
        // Only what needs no order: the first of all versions comes first.
        events.sort_by_key(|event| version(event).is_some());
    }
    // `Some` while a span is open.
    let mut open: Option<Option<String>> = None;
    for event in events {
        match event {
            Event::Introduced(version) => {
                open.get_or_insert(version);
            }
            Event::Ends(bound) => {
                if let Some(introduced) = open.take() {
                    out.push(Range { introduced, until: Some(bound) });
                }
            }
        }
    }
    if let Some(introduced) = open {
        out.push(Range { introduced, until: None });
    }
}

/// What can still be said of a record that cannot be read: its id, and the packages it would be about.
fn set_aside(bytes: &[u8], stem: &str, reason: &str) -> Vec<Skipped> {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let id = value.get("id").and_then(Value::as_str).unwrap_or(stem);
    let id: String = id.chars().take(200).collect();
    let packages: BTreeSet<(String, String)> = value
        .get("affected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let package = entry.get("package")?;
            Some(place(package.get("ecosystem")?.as_str()?, package.get("name")?.as_str()?))
        })
        .collect();
    let skipped = |package| Skipped { id: id.clone(), reason: reason.to_owned(), package };
    if packages.is_empty() {
        return vec![skipped(None)];
    }
    packages.into_iter().map(|package| skipped(Some(package))).collect()
}
