//! `Cargo.lock`, versions 1 to 4 and the older form with a `[root]` table.

use std::borrow::Cow;
use std::collections::HashMap;

use super::events::{self, RawLock, RawNeed, RawPackage};
use super::source::{Address, AddressKind};
use crate::ecosystem::syntax::{explain, line_of, malformed, text};
use crate::model::tree::Unread;

/// The largest lockfile that is read, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// The largest number of packages that is read.
pub const MAX_PACKAGES: usize = 200_000;

/// The newest version of the format that is read.
const NEWEST: u8 = 4;

/// One package of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// The version.
    pub version: Cow<'a, str>,
    /// The source; `None` for a folder.
    pub source: Option<Address<'a>>,
    /// SHA-256 of the package's archive, in lower-case hex.
    pub checksum: Option<Cow<'a, str>>,
    /// The package that stands in for this one, by `[replace]`.
    pub replaced_by: Option<u32>,
    /// Whether it is the `[root]` of the oldest form.
    pub is_root: bool,
    /// First line of the entry.
    pub line: u32,
    /// Last line of the entry.
    pub end_line: u32,
}

/// A lockfile. Every edge leads to a package that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile<'a> {
    /// The version of the format; 1 and 2 are told apart by where checksums stand.
    pub version: u8,
    /// The packages, in the file's order.
    pub packages: Vec<Locked<'a>>,
    /// Edges in compressed rows: package `i` needs `edges[first_edge[i]..first_edge[i + 1]]`, sorted, each once.
    pub edges: Vec<u32>,
    /// See [`Self::edges`].
    pub first_edge: Vec<u32>,
    /// Names and versions of patches that nothing uses.
    pub unused_patches: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Lockfile<'_> {
    /// What package `index` needs.
    #[must_use]
    pub fn needs(&self, index: usize) -> &[u32] {
        let from = self.first_edge.get(index).copied().unwrap_or(0) as usize;
        let to = self.first_edge.get(index + 1).copied().unwrap_or(0) as usize;
        self.edges.get(from..to).unwrap_or_default()
    }
}

/// Reads a lockfile, in time linear in its size (but for sorting its packages).
///
/// # Errors
/// [`Unread`] for anything that cargo does not write: such a lockfile is judged by nobody's guess.
pub fn parse(bytes: &[u8]) -> Result<Lockfile<'_>, Unread> {
    let text = text(bytes, MAX_BYTES)?;
    parse_text(text).map_err(|error| explain(text, error))
}

fn parse_text(text: &str) -> Result<Lockfile<'_>, Unread> {
    let raw = events::read(text, MAX_PACKAGES)?;
    let version = version(&raw)?;
    let RawLock { packages: raw_packages, unused, metadata, .. } = raw;
    let mut needs = Vec::with_capacity(raw_packages.len());
    let mut packages = Vec::with_capacity(raw_packages.len());
    for raw in raw_packages {
        let (package, edges) = digest(raw, version)?;
        packages.push(package);
        needs.push(edges);
    }
    let mut unused_patches = Vec::with_capacity(unused.len());
    for raw in unused {
        let (package, _) = digest(raw, version)?;
        unused_patches.push((package.name, package.version));
    }
    let index = Index::new(&packages)?;
    let mut edges = Vec::with_capacity(needs.iter().map(|(row, _)| row.len()).sum());
    let mut first_edge = Vec::with_capacity(needs.len() + 1);
    let mut replaced = Vec::new();
    for (from, (row, replace)) in needs.iter().enumerate() {
        first_edge.push(edges.len() as u32);
        let start = edges.len();
        for need in row {
            edges.push(index.find(&packages, need, version, text)?);
        }
        if let Some(need) = replace {
            let to = index.find(&packages, need, version, text)?;
            edges.push(to);
            replaced.push((from, to));
        }
        sort_row(&mut edges, start);
    }
    first_edge.push(edges.len() as u32);
    for (from, to) in replaced {
        if let Some(package) = packages.get_mut(from) {
            package.replaced_by = Some(to);
        }
    }
    checksums(&mut packages, metadata, version, text)?;
    Ok(Lockfile { version, packages, edges, first_edge, unused_patches })
}

/// Sorts what was pushed since `start`, and drops repetitions.
fn sort_row(edges: &mut Vec<u32>, start: usize) {
    let Some(row) = edges.get_mut(start..) else { return };
    // Cargo writes rows in order, so this is a check more often than a sort.
    row.sort_unstable();
    let mut kept = start;
    for at in start..edges.len() {
        let edge = edges.get(at).copied().unwrap_or(0);
        if at == start || edges.get(kept.wrapping_sub(1)) != Some(&edge) {
            if let Some(slot) = edges.get_mut(kept) {
                *slot = edge;
            }
            kept += 1;
        }
    }
    edges.truncate(kept);
}

fn version(raw: &RawLock<'_>) -> Result<u8, Unread> {
    match &raw.version {
        Some((text, line)) => match text.parse::<u8>() {
            Ok(version @ 1..=NEWEST) => Ok(version),
            _ => Err(Unread::Unsupported(format!(
                "Cargo.lock version {} (line {line}); this version reads 1 to {NEWEST}",
                shorten(text)
            ))),
        },
        // Before version 3 the number was not written. The first form keeps checksums in a table of their own.
        None if raw.metadata.is_empty() => Ok(2),
        None => Ok(1),
    }
}

/// A hostile value as part of a message.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

type Needs<'a> = (Vec<RawNeed<'a>>, Option<RawNeed<'a>>);

fn digest(raw: RawPackage<'_>, version: u8) -> Result<(Locked<'_>, Needs<'_>), Unread> {
    let line = raw.line;
    let name = raw.name.filter(|name| !name.is_empty()).ok_or_else(|| malformed(line, "a package without a name"))?;
    let locked =
        raw.version.filter(|text| !text.is_empty()).ok_or_else(|| malformed(line, "a package without a version"))?;
    let source = match raw.source {
        None => None,
        Some(text) => Some(
            Address::read(&text, version)
                .ok_or_else(|| malformed(line, format!("a source of no known kind: `{}`", shorten(&text))))?,
        ),
    };
    let checksum = raw.checksum.map(|text| checksum(text, line)).transpose()?.flatten();
    let package = Locked {
        name,
        version: locked,
        source,
        checksum,
        replaced_by: None,
        is_root: raw.is_root,
        line,
        end_line: raw.end_line,
    };
    Ok((package, (raw.needs, raw.replace)))
}

/// 64 hex digits, or `<none>`.
fn checksum(text: Cow<'_, str>, line: u32) -> Result<Option<Cow<'_, str>>, Unread> {
    if text == "<none>" {
        return Ok(None);
    }
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(malformed(line, format!("a checksum that is not 64 hex digits: `{}`", shorten(&text))));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Some(Cow::Owned(text.to_ascii_lowercase())));
    }
    Ok(Some(text))
}

/// Takes the checksums that the first version keeps in `[metadata]`. Entries for packages that are gone are left by
/// cargo and mean nothing.
fn checksums<'a>(
    packages: &mut [Locked<'a>],
    metadata: Vec<(Cow<'a, str>, Cow<'a, str>, u32)>,
    version: u8,
    text: &str,
) -> Result<(), Unread> {
    if metadata.is_empty() {
        return Ok(());
    }
    let index = Index::new(packages)?;
    let mut found = Vec::with_capacity(metadata.len());
    for (key, value, at) in metadata {
        let Some(id) = key.strip_prefix("checksum ") else {
            continue;
        };
        let need = RawNeed { text: Cow::Borrowed(id), at };
        let Some(hit) = index.lookup(packages, &need, version) else {
            continue;
        };
        let line = || line_of(text, at as usize);
        let Hit::One(place) = hit else {
            return Err(malformed(line(), format!("a checksum of more than one package: `{}`", shorten(id))));
        };
        found.push((place, checksum(value, 0).map_err(|error| at_line(error, line()))?, at));
    }
    for (place, value, at) in found {
        let Some(package) = packages.get_mut(place as usize) else {
            continue;
        };
        if package.checksum.is_some() && package.checksum != value {
            return Err(malformed(line_of(text, at as usize), "a second checksum of one package"));
        }
        package.checksum = value;
    }
    Ok(())
}

fn at_line(error: Unread, line: u32) -> Unread {
    match error {
        Unread::Malformed { reason, .. } => malformed(line, reason),
        other => other,
    }
}

/// Where packages stand, sorted by name, version and source.
struct Index {
    order: Vec<u32>,
    /// Name → first and last-but-one place in `order`.
    names: HashMap<Box<str>, (u32, u32)>,
}

enum Hit {
    One(u32),
    Several,
}

type SortKey<'k> = (&'k str, &'k str, Option<AddressKind>, Option<&'k str>, Option<&'k str>);

fn sort_key<'k>(package: &'k Locked<'_>) -> SortKey<'k> {
    let source = package.source.as_ref();
    (
        &package.name,
        &package.version,
        source.map(|s| s.kind),
        source.map(|s| s.url.as_ref()),
        source.and_then(|s| s.commit.as_deref()),
    )
}

impl Index {
    fn new(packages: &[Locked<'_>]) -> Result<Self, Unread> {
        let mut order: Vec<u32> = (0..packages.len() as u32).collect();
        let key = |at: &u32| packages.get(*at as usize).map(sort_key);
        order.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut names: HashMap<Box<str>, (u32, u32)> = HashMap::with_capacity(packages.len());
        let mut before: Option<&Locked<'_>> = None;
        for (place, at) in order.iter().enumerate() {
            let Some(package) = packages.get(*at as usize) else {
                continue;
            };
            if let Some(before) = before
                && sort_key(before) == sort_key(package)
            {
                let line = package.line.max(before.line);
                let what = format!("`{} {}`", shorten(&package.name), shorten(&package.version));
                return Err(malformed(line, format!("a second entry for {what} from the same source")));
            }
            let place = place as u32;
            if before.is_some_and(|before| before.name == package.name) {
                if let Some(range) = names.get_mut(package.name.as_ref()) {
                    range.1 = place + 1;
                }
            } else {
                names.insert(Box::from(package.name.as_ref()), (place, place + 1));
            }
            before = Some(package);
        }
        Ok(Self { order, names })
    }

    fn find(&self, packages: &[Locked<'_>], need: &RawNeed<'_>, version: u8, text: &str) -> Result<u32, Unread> {
        let complaint = match self.lookup(packages, need, version) {
            Some(Hit::One(at)) => return Ok(at),
            Some(Hit::Several) => "could be more than one package",
            None => "is not in this lockfile",
        };
        let line = line_of(text, need.at as usize);
        Err(malformed(line, format!("the dependency `{}` {complaint}", shorten(&need.text))))
    }

    /// Reads `name`, `name version` or `name version (source)`; what is left out must be clear without it.
    fn lookup(&self, packages: &[Locked<'_>], need: &RawNeed<'_>, version: u8) -> Option<Hit> {
        let (name, rest) = match need.text.split_once(' ') {
            Some((name, rest)) => (name, Some(rest)),
            None => (need.text.as_ref(), None),
        };
        let (from, to) = *self.names.get(name)?;
        let mut range = self.order.get(from as usize..to as usize)?;
        let package = |at: &u32| packages.get(*at as usize);
        let Some(rest) = rest else { return one(range) };
        let (wanted, source) = match rest.split_once(' ') {
            Some((wanted, source)) => (wanted, Some(source.strip_prefix('(')?.strip_suffix(')')?)),
            None => (rest, None),
        };
        let start = range.partition_point(|at| package(at).is_some_and(|p| p.version.as_ref() < wanted));
        range = range.get(start..)?;
        let end = range.partition_point(|at| package(at).is_some_and(|p| p.version.as_ref() == wanted));
        range = range.get(..end)?;
        let Some(source) = source else {
            // Without a source cargo means the folder where there is one, and else the only one there is.
            return match range.first() {
                Some(first) if package(first).is_some_and(|p| p.source.is_none()) => Some(Hit::One(*first)),
                _ => one(range),
            };
        };
        let source = Address::read(&Cow::Borrowed(source), version)?;
        let place = |at: &u32| package(at).and_then(|p| p.source.as_ref()).map(|s| (s.kind, s.url.as_ref()));
        let goal = Some((source.kind, source.url.as_ref()));
        let start = range.partition_point(|at| place(at) < goal);
        range = range.get(start..)?;
        let end = range.partition_point(|at| place(at) == goal);
        range = range.get(..end)?;
        let Some(commit) = source.commit else { return one(range) };
        let commit_of = |at: &u32| package(at).and_then(|p| p.source.as_ref()).and_then(|s| s.commit.as_deref());
        let start = range.partition_point(|at| commit_of(at) < Some(commit.as_ref()));
        range.get(start).filter(|at| commit_of(at) == Some(commit.as_ref())).map(|at| Hit::One(*at))
    }
}

fn one(range: &[u32]) -> Option<Hit> {
    match range {
        [] => None,
        [only] => Some(Hit::One(*only)),
        _ => Some(Hit::Several),
    }
}
