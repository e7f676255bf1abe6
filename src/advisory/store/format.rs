//! The bytes of a store.
//!
//! ```text
//! page 0                  Header
//! pages 1 ..= 2^bits      index: Index pages; a key's page is the high bits of its hash
//! the rest                one stream of blocks, cut into pages: [meta][group…][package…]
//! ```
//!
//! - A *key* is a package (ecosystem, name) or an id. Its hash is SipHash-2-4 under a key drawn from the records
//!   themselves: names in advisories are chosen by attackers, who could otherwise fill one page of the index.
//! - A *package* block holds the key it belongs to, what each advisory says of the package, and records set aside.
//! - A *group* block holds the ids of one alias group and the facts of its records. Every id of the group leads to it.
//! - The *meta* block holds words that repeat, the sources, and records set aside without a package.
//!
//! Numbers are LEB128; texts are a length and UTF-8.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::page::{BODY, PAGE};
use crate::model::advisory::{AdvisoryKind, Affected, Bound, Range};

/// How a store begins.
pub(super) const MAGIC: [u8; 8] = *b"PORTCADV";
/// The version of this format.
pub(super) const FORMAT: u32 = 2;
/// Entries of one index page.
pub(super) const ENTRIES: usize = 255;

const HEADER_FIELDS: usize = 8 + 4 + 4 + 8 + 8 + 8 + 8 + 8 + 8 + 32 + 32;

/// The first page.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) format: U32,
    /// The index has two to this many pages.
    pub(super) index_bits: U32,
    /// Bytes of the whole file.
    pub(super) length: U64,
    /// The hash's key.
    pub(super) keys: [U64; 2],
    /// Bytes of the meta block, at the stream's begin.
    pub(super) meta: U64,
    /// Where the groups end and the packages begin.
    pub(super) groups_end: U64,
    /// Where the packages end.
    pub(super) stream_end: U64,
    /// When the data was current: RFC 3339, filled up with zeros.
    pub(super) as_of: [u8; 32],
    /// SHA-256 of every page but this one.
    pub(super) sha256: [u8; 32],
    pub(super) reserved: [u8; PAGE - HEADER_FIELDS - 4],
    pub(super) crc: U32,
}

/// A page of the index.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Index {
    /// Sorted by hash.
    pub(super) entries: [Entry; ENTRIES],
    pub(super) count: U16,
    pub(super) reserved: [u8; 10],
    pub(super) crc: U32,
}

/// Where a key's block lies in the stream.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) hash: U64,
    pub(super) offset: U32,
    pub(super) length: U32,
}

const _: () = assert!(size_of::<Header>() == PAGE && size_of::<Index>() == PAGE);

/// What an index entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'k> {
    Package(&'k str, &'k str),
    Id(&'k str),
}

impl Key<'_> {
    pub(super) fn hash(self, keys: [u64; 2]) -> u64 {
        let mut sip = Sip::new(keys);
        match self {
            Self::Package(ecosystem, name) => {
                sip.write(&[0]);
                sip.write(ecosystem.as_bytes());
                // No text holds this byte, so the two cannot run together.
                sip.write(&[0xff]);
                sip.write(name.as_bytes());
            }
            Self::Id(id) => {
                sip.write(&[1]);
                sip.write(id.as_bytes());
            }
        }
        sip.finish()
    }
}

/// The index page of a hash.
pub(super) fn page_of(hash: u64, bits: u32) -> usize {
    usize::try_from(hash.checked_shr(64 - bits).unwrap_or(0)).unwrap_or(usize::MAX)
}

/// The page of the stream that holds a byte, and its place there.
pub(super) fn place_of(offset: u64, bits: u32) -> (usize, usize) {
    let page = usize::try_from(offset / BODY as u64).unwrap_or(usize::MAX);
    (page.saturating_add(1 + (1usize << bits)), (offset % BODY as u64) as usize)
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012), written because the standard library promises no algorithm.
struct Sip {
    v: [u64; 4],
    tail: u64,
    length: u64,
}

impl Sip {
    fn new([k0, k1]: [u64; 2]) -> Self {
        let v = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, tail: 0, length: 0 }
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.v = [a, b, c, d];
    }

    fn block(&mut self, word: u64) {
        let [_, _, _, d] = &mut self.v;
        *d ^= word;
        self.round();
        self.round();
        let [a, ..] = &mut self.v;
        *a ^= word;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.tail |= u64::from(*byte) << (8 * (self.length % 8));
            self.length += 1;
            if self.length.is_multiple_of(8) {
                let word = std::mem::take(&mut self.tail);
                self.block(word);
            }
        }
    }

    fn finish(mut self) -> u64 {
        self.block(self.tail | (self.length << 56));
        let [_, _, c, _] = &mut self.v;
        *c ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        self.v.iter().fold(0, |all, word| all ^ word)
    }
}

/// A block that does not decode. Checksums make this damage of memory or a bug, and it is reported as damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Writes a block.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }
}

/// Reads a block.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    pub(super) fn index(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'b str, Malformed> {
        let length = self.index()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Malformed)
    }

    /// How many items follow. Each takes a byte at least, so a wrong number cannot ask for memory.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        self.index().and_then(|count| if count <= self.0.len() { Ok(count) } else { Err(Malformed) })
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>, Malformed> {
        (0..self.count()?).map(|_| self.text().map(str::to_owned)).collect()
    }
}

/// What an advisory says of a package, without the package.
pub(super) fn write_affected(out: &mut Writer, affected: &Affected) {
    out.number(affected.ranges.len() as u64);
    for range in &affected.ranges {
        let until = match &range.until {
            None => 0,
            Some(Bound::Fixed(_)) => 1,
            Some(Bound::LastAffected(_)) => 2,
        };
        out.byte(u8::from(range.introduced.is_some()) | (until << 1));
        range.introduced.iter().for_each(|version| out.text(version));
        if let Some(Bound::Fixed(version) | Bound::LastAffected(version)) = &range.until {
            out.text(version);
        }
    }
    out.texts(&affected.versions);
    // Most often the fixed versions are the ends of the ranges, and need no room of their own.
    let derived = fixed_of(&affected.ranges).eq(affected.fixed.iter());
    out.byte(u8::from(!derived));
    if !derived {
        out.texts(&affected.fixed);
    }
    out.texts(&affected.functions);
}

fn fixed_of(ranges: &[Range]) -> impl Iterator<Item = &String> {
    ranges.iter().filter_map(|range| match &range.until {
        Some(Bound::Fixed(version)) => Some(version),
        _ => None,
    })
}

/// A range as stored: `(introduced, (is it the last affected one, until))`.
type RawRange<'b> = (Option<&'b str>, Option<(bool, &'b str)>);

/// The next range of a package's affected spans.
pub(super) fn read_range<'b>(block: &mut Reader<'b>) -> Result<RawRange<'b>, Malformed> {
    let tag = block.byte()?;
    let introduced = if tag & 1 == 1 { Some(block.text()?) } else { None };
    let until = match tag >> 1 {
        0 => None,
        1 => Some((false, block.text()?)),
        2 => Some((true, block.text()?)),
        _ => return Err(Malformed),
    };
    Ok((introduced, until))
}

/// What an advisory says of a package, owned.
pub(super) fn read_affected(mut block: Reader<'_>, ecosystem: &str, name: &str) -> Result<Affected, Malformed> {
    let mut ranges = Vec::new();
    for _ in 0..block.count()? {
        let (introduced, until) = read_range(&mut block)?;
        let until =
            until.map(
                |(last, version)| {
                    if last { Bound::LastAffected(version.to_owned()) } else { Bound::Fixed(version.to_owned()) }
                },
            );
        ranges.push(Range { introduced: introduced.map(str::to_owned), until });
    }
    let versions = block.texts()?;
    let fixed = match block.byte()? {
        0 => fixed_of(&ranges).cloned().collect(),
        1 => block.texts()?,
        _ => return Err(Malformed),
    };
    let functions = block.texts()?;
    Ok(Affected { ecosystem: ecosystem.to_owned(), name: name.to_owned(), ranges, versions, fixed, functions })
}

/// The facts of one record of a group, as stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    pub(super) id: usize,
    pub(super) aliases: Vec<usize>,
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    pub(super) published: Option<String>,
    pub(super) withdrawn: bool,
    pub(super) kind: AdvisoryKind,
    pub(super) categories: Vec<usize>,
    pub(super) vector: Option<String>,
    pub(super) score: Option<f64>,
    /// Words and names of the packages it is about.
    pub(super) packages: Vec<(usize, String)>,
}

const NO_SCORE: u8 = 255;

pub(super) fn write_facts(out: &mut Writer, facts: &Facts) {
    let kind = AdvisoryKind::ALL.iter().position(|kind| *kind == facts.kind).unwrap_or_default() as u8;
    let flags = u8::from(facts.withdrawn) | (u8::from(facts.published.is_some()) << 1);
    out.byte(flags | (u8::from(facts.vector.is_some()) << 2) | (kind << 3));
    out.number(facts.id as u64);
    // Zigzag: times before 1970 occur.
    out.number(((facts.seconds << 1) ^ (facts.seconds >> 63)) as u64);
    out.number(u64::from(facts.nanos));
    facts.published.iter().for_each(|text| out.text(text));
    if let Some(vector) = &facts.vector {
        out.text(vector);
        out.byte(facts.score.map_or(NO_SCORE, |score| (score * 10.0).round() as u8));
    }
    for list in [&facts.aliases, &facts.categories] {
        out.number(list.len() as u64);
        list.iter().for_each(|index| out.number(*index as u64));
    }
    out.number(facts.packages.len() as u64);
    for (word, name) in &facts.packages {
        out.number(*word as u64);
        out.text(name);
    }
}

pub(super) fn read_facts(block: &mut Reader<'_>) -> Result<Facts, Malformed> {
    let flags = block.byte()?;
    let kind = AdvisoryKind::ALL.get(usize::from(flags >> 3)).copied().ok_or(Malformed)?;
    let id = block.index()?;
    let seconds = block.number()?;
    let nanos = u32::try_from(block.number()?).map_err(|_| Malformed)?;
    let published = if flags & 2 == 2 { Some(block.text()?.to_owned()) } else { None };
    let (mut vector, mut score) = (None, None);
    if flags & 4 == 4 {
        vector = Some(block.text()?.to_owned());
        let tenths = block.byte()?;
        score = (tenths != NO_SCORE).then(|| f64::from(tenths) / 10.0);
    }
    let aliases = (0..block.count()?).map(|_| block.index()).collect::<Result<_, _>>()?;
    let categories = (0..block.count()?).map(|_| block.index()).collect::<Result<_, _>>()?;
    let mut packages = Vec::new();
    for _ in 0..block.count()? {
        packages.push((block.index()?, block.text()?.to_owned()));
    }
    let seconds = (seconds >> 1) as i64 ^ -((seconds & 1) as i64);
    let withdrawn = flags & 1 == 1;
    Ok(Facts { id, aliases, seconds, nanos, published, withdrawn, kind, categories, vector, score, packages })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[allow(deprecated)]
    fn the_hash_is_siphash_2_4() {
        use std::hash::Hasher;
        for length in 0..64u8 {
            let text: Vec<u8> = (0..length).collect();
            let mut own = Sip::new([7, 9]);
            own.write(&text);
            let mut std = std::hash::SipHasher::new_with_keys(7, 9);
            std.write(&text);
            assert_eq!(own.finish(), std.finish(), "{length}");
        }
    }

    #[test]
    fn keys_do_not_run_together() {
        let hash = |key: Key<'_>| key.hash([1, 2]);
        assert_ne!(hash(Key::Package("a", "bc")), hash(Key::Package("ab", "c")));
        assert_ne!(hash(Key::Package("", "a")), hash(Key::Id("a")));
    }

    proptest! {
        #[test]
        fn numbers_come_back(number: u64) {
            let mut out = Writer::default();
            out.number(number);
            prop_assert_eq!(Reader(&out.0).number(), Ok(number));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = read_affected(Reader(&bytes), "e", "n");
            let _ = read_facts(&mut Reader(&bytes));
        }
    }
}
