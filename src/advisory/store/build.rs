//! One set of records → the bytes of a store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zerocopy::{FromZeros, IntoBytes};

use super::StoreError;
use super::format::{
    ENTRIES, Entry, FORMAT, Facts, Header, Index, Key, MAGIC, Writer, page_of, write_affected, write_facts,
};
use super::page::{BODY, PAGE, checksum};
use crate::advisory::import::time;
use crate::advisory::severity;
use crate::model::advisory::{Affected, Record, Skipped, SourceAge, ecosystem_of};

/// Pages a hash key may ask for beyond the fewest before another is tried.
const SPARE_BITS: u32 = 3;

/// An ecosystem as sources are named: ours where it is one of ours.
pub(super) fn own_name(osv: &str) -> &str {
    ecosystem_of(osv).map_or(osv, |own| own.as_str())
}

/// Lays a set of records out as a file.
///
/// # Errors
/// [`StoreError`] where it takes more room than the format can address.
pub(super) fn lay_out(
    records: &[Record],
    sources: &[SourceAge],
    skipped: &BTreeSet<Skipped>,
) -> Result<Vec<u8>, StoreError> {
    let words = Words::of(records, skipped);
    let groups = groups(records);

    let mut stream = Writer::default();
    write_meta(&mut stream, &words, sources, skipped);
    let meta = stream.0.len();

    let mut keys: Vec<(Key<'_>, usize, usize)> = Vec::new();
    let mut hits: BTreeMap<(&str, &str), Vec<Hit<'_>>> = BTreeMap::new();
    for group in &groups {
        let start = stream.0.len();
        write_group(&mut stream, group, &words);
        let length = stream.0.len() - start;
        keys.extend(group.ids.iter().map(|id| (Key::Id(id), start, length)));
        for (record, number) in group.records.iter().zip(0..) {
            // A withdrawn record matches nothing: its packages are only remembered in the group.
            for affected in record.affected.iter().filter(|_| !record.withdrawn) {
                let at = hits.entry((&affected.ecosystem, &affected.name)).or_default();
                at.push(Hit { group: start, length, record: number, affected });
            }
        }
    }
    let groups_end = stream.0.len();

    let mut set_aside: BTreeMap<(&str, &str), Vec<&Skipped>> = BTreeMap::new();
    for entry in skipped {
        if let Some((ecosystem, name)) = &entry.package {
            set_aside.entry((ecosystem, name)).or_default().push(entry);
            hits.entry((ecosystem, name)).or_default();
        }
    }
    for (package, hits) in &hits {
        let start = stream.0.len();
        let set_aside = set_aside.get(package).map_or(&[][..], Vec::as_slice);
        write_package(&mut stream, *package, hits, set_aside, &words);
        keys.push((Key::Package(package.0, package.1), start, stream.0.len() - start));
    }
    let as_of = sources.iter().map(|source| source.as_of.as_str()).max().unwrap_or_default();
    seal(records, &keys, &stream.0, [meta, groups_end], as_of)
}

/// Texts that repeat, sorted, and their numbers.
struct Words(BTreeMap<String, usize>);

impl Words {
    fn of(records: &[Record], skipped: &BTreeSet<Skipped>) -> Self {
        let mut words = BTreeSet::new();
        for record in records {
            words.extend(record.affected.iter().map(|a| a.ecosystem.clone()));
            words.extend(record.categories.iter().cloned());
        }
        words.extend(skipped.iter().filter_map(|s| s.package.as_ref()).map(|(ecosystem, _)| ecosystem.clone()));
        Self(words.into_iter().zip(0..).collect())
    }

    fn number(&self, word: &str) -> usize {
        self.0.get(word).copied().unwrap_or_default()
    }
}

/// Records that name each other, and every id they go by, sorted.
struct Group<'r> {
    ids: BTreeSet<&'r str>,
    records: Vec<&'r Record>,
}

struct Hit<'r> {
    group: usize,
    length: usize,
    record: usize,
    affected: &'r Affected,
}

/// Gathers records by union-find over their ids and aliases. A withdrawn record's aliases bind nothing.
fn groups(records: &[Record]) -> Vec<Group<'_>> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    fn node<'r>(id: &'r str, numbers: &mut HashMap<&'r str, usize>, parents: &mut Vec<usize>) -> usize {
        *numbers.entry(id).or_insert_with(|| {
            parents.push(parents.len());
            parents.len() - 1
        })
    }
    fn root(parents: &mut [usize], mut node: usize) -> usize {
        while let Some(parent) = parents.get(node).copied().filter(|parent| *parent != node) {
            let grandparent = parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = parents.get_mut(node) {
                *slot = grandparent;
            }
            node = grandparent;
        }
        node
    }
    for record in records {
        let own = node(&record.id, &mut numbers, &mut parents);
        for alias in record.aliases.iter().filter(|_| !record.withdrawn) {
            let other = node(alias, &mut numbers, &mut parents);
            let (a, b) = (root(&mut parents, own), root(&mut parents, other));
            if let Some(slot) = parents.get_mut(b) {
                *slot = a;
            }
        }
    }
    let mut groups: HashMap<usize, Group<'_>> = HashMap::new();
    for (id, number) in &numbers {
        let root = root(&mut parents, *number);
        let group = groups.entry(root).or_insert_with(|| Group { ids: BTreeSet::new(), records: Vec::new() });
        group.ids.insert(id);
    }
    for record in records {
        if let Some(number) = numbers.get(record.id.as_str()) {
            let root = root(&mut parents, *number);
            groups.entry(root).and_modify(|group| group.records.push(record));
        }
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().collect();
    groups.sort_by(|a, b| a.ids.cmp(&b.ids));
    groups
}

fn write_meta(out: &mut Writer, words: &Words, sources: &[SourceAge], skipped: &BTreeSet<Skipped>) {
    out.texts(&words.0.keys().cloned().collect::<Vec<_>>());
    out.number(sources.len() as u64);
    for source in sources {
        out.text(&source.ecosystem);
        out.text(&source.as_of);
        out.number(source.records);
    }
    let loose: Vec<&Skipped> = skipped.iter().filter(|s| s.package.is_none()).collect();
    write_skipped(out, &loose);
}

fn write_skipped(out: &mut Writer, skipped: &[&Skipped]) {
    out.number(skipped.len() as u64);
    for entry in skipped {
        out.text(&entry.id);
        out.text(&entry.reason);
    }
}

fn write_group(out: &mut Writer, group: &Group<'_>, words: &Words) {
    out.number(group.ids.len() as u64);
    group.ids.iter().for_each(|id| out.text(id));
    out.number(group.records.len() as u64);
    let position = |id: &str| group.ids.iter().position(|own| *own == id);
    for record in &group.records {
        let modified = time(&record.modified).unwrap_or(Timestamp::MIN);
        write_facts(
            out,
            &Facts {
                id: position(&record.id).unwrap_or_default(),
                aliases: record.aliases.iter().filter_map(|alias| position(alias)).collect(),
                seconds: modified.as_second(),
                nanos: modified.subsec_nanosecond().unsigned_abs(),
                published: record.published.clone(),
                withdrawn: record.withdrawn,
                kind: record.kind,
                categories: record.categories.iter().map(|c| words.number(c)).collect(),
                vector: record.vector.clone(),
                score: record.vector.as_deref().and_then(severity::score),
                packages: record.affected.iter().map(|a| (words.number(&a.ecosystem), a.name.clone())).collect(),
            },
        );
    }
}

fn write_package(out: &mut Writer, package: (&str, &str), hits: &[Hit<'_>], skipped: &[&Skipped], words: &Words) {
    out.number(words.number(package.0) as u64);
    out.text(package.1);
    out.number(hits.len() as u64);
    for hit in hits {
        let mut body = Writer::default();
        write_affected(&mut body, hit.affected);
        [hit.group, hit.length, hit.record, body.0.len()].into_iter().for_each(|number| out.number(number as u64));
        out.0.extend_from_slice(&body.0);
    }
    write_skipped(out, skipped);
}

/// A key for the hash that nobody can know who does not know every record.
fn hash_keys(records: &[Record], attempt: u32) -> [u64; 2] {
    let mut sha = Sha256::new();
    sha.update(attempt.to_le_bytes());
    for record in records {
        sha.update(&record.id);
        sha.update([0]);
        sha.update(&record.modified);
        sha.update([0]);
    }
    let digest: [u8; 32] = sha.finalize().into();
    let mut words = digest.chunks_exact(8).map(|c| c.try_into().map_or(0, u64::from_le_bytes));
    [words.next().unwrap_or_default(), words.next().unwrap_or_default()]
}

/// The entries of each page of the index.
type IndexPages = Vec<Vec<Entry>>;

/// The index: the fewest pages that take every key, doubled until none overflows.
fn index(records: &[Record], keys: &[(Key<'_>, usize, usize)]) -> Result<(u32, [u64; 2], IndexPages), StoreError> {
    let fewest = keys.len().div_ceil(ENTRIES).next_power_of_two().trailing_zeros();
    for attempt in 0..16 {
        let sip = hash_keys(records, attempt);
        let mut entries = Vec::with_capacity(keys.len());
        for (key, offset, length) in keys {
            let (Ok(offset), Ok(length)) = (u32::try_from(*offset), u32::try_from(*length)) else {
                return Err(StoreError::TooLarge);
            };
            entries.push(Entry { hash: key.hash(sip).into(), offset: offset.into(), length: length.into() });
        }
        entries.sort_by_key(|entry| (entry.hash.get(), entry.offset.get()));
        for bits in fewest..=fewest + SPARE_BITS {
            let mut pages = vec![Vec::new(); 1 << bits];
            for entry in &entries {
                if let Some(page) = pages.get_mut(page_of(entry.hash.get(), bits)) {
                    page.push(*entry);
                }
            }
            if pages.iter().all(|page| page.len() <= ENTRIES) {
                return Ok((bits, sip, pages));
            }
        }
    }
    Err(StoreError::TooLarge)
}

/// Makes pages of the keys and the stream, and puts the header before them.
fn seal(
    records: &[Record],
    keys: &[(Key<'_>, usize, usize)],
    stream: &[u8],
    [meta, groups_end]: [usize; 2],
    as_of: &str,
) -> Result<Vec<u8>, StoreError> {
    let (bits, sip, pages) = index(records, keys)?;
    let mut header = Header::new_zeroed();
    let mut out = header.as_bytes().to_vec();
    let add = |out: &mut Vec<u8>, body: &[u8]| {
        let number = out.len() / PAGE;
        out.extend_from_slice(body);
        out.resize(number * PAGE + BODY, 0);
        let crc = out.get(number * PAGE..).map_or(0, |body| checksum(number, body));
        out.extend_from_slice(&crc.to_le_bytes());
    };
    for page in pages {
        let mut index = Index::new_zeroed();
        index.count = (page.len() as u16).into();
        index.entries.iter_mut().zip(&page).for_each(|(slot, entry)| *slot = *entry);
        add(&mut out, index.as_bytes().get(..BODY).unwrap_or_default());
    }
    stream.chunks(BODY).for_each(|chunk| add(&mut out, chunk));

    header.magic = MAGIC;
    header.format = FORMAT.into();
    header.index_bits = bits.into();
    header.length = (out.len() as u64).into();
    header.keys = sip.map(Into::into);
    header.meta = (meta as u64).into();
    header.groups_end = (groups_end as u64).into();
    header.stream_end = (stream.len() as u64).into();
    header.as_of.iter_mut().zip(as_of.bytes()).for_each(|(slot, byte)| *slot = byte);
    header.sha256 = Sha256::digest(out.get(PAGE..).unwrap_or_default()).into();
    header.crc = header.as_bytes().get(..BODY).map_or(0, |body| checksum(0, body)).into();
    if let Some(first) = out.get_mut(..PAGE) {
        first.copy_from_slice(header.as_bytes());
    }
    Ok(out)
}
