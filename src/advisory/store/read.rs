//! An open store.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zerocopy::FromBytes;

use super::build::own_name;
use super::format::{
    FORMAT, Facts, Header, Index, Key, MAGIC, Malformed, Reader, page_of, place_of, read_affected, read_facts,
};
use super::page::{BODY, PAGE, Pages};
use super::{Hit, Known, KnownRecord, RawHit, StoreError, digest_text};
use crate::advisory::import::Imported;
use crate::model::advisory::{Affected, Record, Skipped, SourceAge};

/// An open store.
pub struct Store {
    pages: Pages,
    built_in: bool,
    keys: [u64; 2],
    bits: u32,
    meta: usize,
    groups_end: u64,
    stream_end: u64,
    sha256: [u8; 32],
    digest: String,
    as_of: String,
    words: Vec<String>,
    sources: Vec<SourceAge>,
    loose: Vec<Skipped>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("name", &self.pages.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a store of bytes that are part of the program.
    ///
    /// # Errors
    /// [`StoreError`] where it is none, is too new or is damaged.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, StoreError> {
        Self::new(Pages::of_static(bytes)?, true)
    }

    /// Opens a store that was read or built already.
    ///
    /// # Errors
    /// [`StoreError`] where it is none, is too new or is damaged.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, StoreError> {
        Self::new(Pages::of_memory(bytes)?, false)
    }

    /// Opens a file. It is held open, so that replacing it does not mix two stores.
    ///
    /// # Errors
    /// [`StoreError`] where there is none, or it is no store, is too new or is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| StoreError::unreadable(&name, &e))?;
        let mut begin = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(&file, MAGIC.len() as u64), &mut begin)
            .map_err(|e| StoreError::unreadable(&name, &e))?;
        if begin != MAGIC {
            return Err(StoreError::NotAStore { name });
        }
        Self::new(Pages::of_file(name, file)?, false)
    }

    fn new(pages: Pages, built_in: bool) -> Result<Self, StoreError> {
        // Magic and format stand where every later format has them too, and are read before the checksum: what a newer
        // program wrote is not damaged.
        let first = pages.first()?;
        let damaged = |what: &str| StoreError::damaged(&pages.name, what);
        let (header, _) = Header::ref_from_prefix(&first).map_err(|_| damaged("it ends early"))?;
        if header.magic != MAGIC {
            return Err(StoreError::NotAStore { name: pages.name.clone() });
        }
        if header.format.get() > FORMAT {
            return Err(StoreError::TooNew { name: pages.name.clone(), format: header.format.get() });
        }
        if header.format.get() < FORMAT {
            // Names are spelt and versions ordered when they are taken in: what an older program did not know to spell
            // would look absent.
            return Err(StoreError::TooOld { name: pages.name.clone(), format: header.format.get() });
        }
        // Read twice: what was looked at must be what was found whole.
        if pages.page(0)? != first {
            return Err(damaged("it changed while it was read"));
        }
        let bits = header.index_bits.get();
        let (meta, groups_end, stream_end) = (header.meta.get(), header.groups_end.get(), header.stream_end.get());
        let count = pages.count() as u64;
        let fits = header.length.get() == count * PAGE as u64
            && bits < 32
            && meta <= groups_end
            && groups_end <= stream_end
            && count == 1 + (1u64 << bits) + stream_end.div_ceil(BODY as u64);
        if !fits {
            return Err(damaged("its length is not what its header says"));
        }
        let as_of = String::from_utf8_lossy(header.as_of.split(|byte| *byte == 0).next().unwrap_or_default());
        let (as_of, keys, sha256) = (as_of.into_owned(), header.keys.map(zerocopy::U64::get), header.sha256);
        let mut store = Self {
            built_in,
            keys,
            bits,
            meta: usize::try_from(meta).unwrap_or(usize::MAX),
            groups_end,
            stream_end,
            sha256,
            digest: digest_text(&Sha256::digest(&first)),
            as_of,
            words: Vec::new(),
            sources: Vec::new(),
            loose: Vec::new(),
            pages,
        };
        store.read_meta()?;
        Ok(store)
    }

    fn read_meta(&mut self) -> Result<(), StoreError> {
        let block = self.block(0, self.meta)?.into_owned();
        let mut block = Reader(&block);
        let mut read = || {
            let words = block.texts()?;
            let mut sources = Vec::new();
            for _ in 0..block.count()? {
                sources.push(SourceAge {
                    ecosystem: block.text()?.to_owned(),
                    as_of: block.text()?.to_owned(),
                    records: block.number()?,
                    built_in: self.built_in,
                });
            }
            Ok((words, sources, read_skipped(&mut block, None)?))
        };
        let read = read();
        (self.words, self.sources, self.loose) = self.decoded(read)?;
        Ok(())
    }

    /// What was read, or the news that it could not be.
    fn decoded<T>(&self, read: Result<T, Malformed>) -> Result<T, StoreError> {
        read.map_err(|Malformed| StoreError::damaged(&self.pages.name, "a block does not decode"))
    }

    /// Bytes of the stream: borrowed where they lie on one page.
    fn block(&self, offset: u64, length: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        let beyond = || StoreError::damaged(&self.pages.name, "a block lies beyond its end");
        if offset.checked_add(length as u64).is_none_or(|end| end > self.stream_end) {
            return Err(beyond());
        }
        let (first, start) = place_of(offset, self.bits);
        if start + length <= BODY {
            let page = self.pages.page(first)?;
            return page.get(start..start + length).map(Cow::Borrowed).ok_or_else(beyond);
        }
        let mut bytes = Vec::with_capacity(length);
        let (mut page, mut start) = (first, start);
        while bytes.len() < length {
            let take = (BODY - start).min(length - bytes.len());
            bytes.extend_from_slice(self.pages.page(page)?.get(start..start + take).ok_or_else(beyond)?);
            (page, start) = (page + 1, 0);
        }
        Ok(Cow::Owned(bytes))
    }

    /// Where the blocks of a key may lie: as good as always one or none.
    fn find(&self, key: Key<'_>) -> Result<impl Iterator<Item = (u64, usize)> + '_, StoreError> {
        let hash = key.hash(self.keys);
        let page = self.pages.page(1 + page_of(hash, self.bits))?;
        let damaged = || StoreError::damaged(&self.pages.name, "a page of the index does not decode");
        let index = Index::ref_from_bytes(page).map_err(|_| damaged())?;
        let entries = index.entries.get(..usize::from(index.count.get())).ok_or_else(damaged)?;
        let first = entries.partition_point(|entry| entry.hash.get() < hash);
        let equal = entries.iter().skip(first).take_while(move |entry| entry.hash.get() == hash);
        Ok(equal.map(|entry| (u64::from(entry.offset.get()), entry.length.get() as usize)))
    }

    /// Hands every hit of a package to a function, and returns what was set aside.
    pub(crate) fn visit(
        &self,
        ecosystem: &str,
        name: &str,
        mut each: impl FnMut(&RawHit<'_>) -> Result<(), StoreError>,
    ) -> Result<Vec<Skipped>, StoreError> {
        for (offset, length) in self.find(Key::Package(ecosystem, name))? {
            let block = self.block(offset, length)?;
            let mut block = Reader(&block);
            let (own_ecosystem, own) = self.decoded(self.package(&mut block))?;
            if (own_ecosystem, own) != (ecosystem, name) {
                continue;
            }
            for _ in 0..self.decoded(block.count())? {
                each(&self.decoded(raw_hit(&mut block))?)?;
            }
            return self.decoded(read_skipped(&mut block, Some((ecosystem, name))));
        }
        Ok(Vec::new())
    }

    fn package<'s: 'b, 'b>(&'s self, block: &mut Reader<'b>) -> Result<(&'b str, &'b str), Malformed> {
        let word = block.index()?;
        Ok((self.words.get(word).ok_or(Malformed)?, block.text()?))
    }

    /// The facts of a hit's record.
    pub(crate) fn hit(&self, raw: &RawHit<'_>, ecosystem: &str, name: &str) -> Result<Hit, StoreError> {
        let affected = self.decoded(read_affected(raw.body, ecosystem, name))?;
        let block = self.block(raw.group.0, raw.group.1)?;
        let (ids, facts) = self.decoded(read_group(&mut Reader(&block)))?;
        let facts = self.decoded(facts.into_iter().nth(raw.record).ok_or(Malformed))?;
        let known = self.decoded(self.known(&ids, facts))?;
        Ok(Hit {
            id: known.id,
            ids,
            kind: known.kind,
            vector: known.vector,
            score: known.score,
            modified: known.modified,
            published: known.published,
            categories: known.categories,
            affected,
        })
    }

    fn known(&self, ids: &[String], facts: Facts) -> Result<KnownRecord, Malformed> {
        let id = |number: usize| ids.get(number).cloned().ok_or(Malformed);
        let word = |number: usize| self.words.get(number).cloned().ok_or(Malformed);
        let nanos = i32::try_from(facts.nanos).map_err(|_| Malformed)?;
        Ok(KnownRecord {
            id: id(facts.id)?,
            aliases: facts.aliases.into_iter().map(id).collect::<Result<_, _>>()?,
            // Before 1970 jiff counts nanoseconds downwards.
            modified: Timestamp::new(facts.seconds, if facts.seconds < 0 { -nanos } else { nanos })
                .map_err(|_| Malformed)?,
            published: facts.published,
            withdrawn: facts.withdrawn,
            kind: facts.kind,
            categories: facts.categories.into_iter().map(word).collect::<Result<_, _>>()?,
            vector: facts.vector,
            score: facts.score,
            packages: facts
                .packages
                .into_iter()
                .map(|(ecosystem, name)| Ok((word(ecosystem)?, name)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Everything said of a package. The ecosystem is OSV's name; the package's is spelt by the ecosystem's rules.
    ///
    /// # Errors
    /// [`StoreError`] where the store is damaged.
    pub fn lookup(&self, ecosystem: &str, name: &str) -> Result<Vec<Hit>, StoreError> {
        let mut hits = Vec::new();
        self.visit(ecosystem, name, |raw| {
            hits.push(self.hit(raw, ecosystem, name)?);
            Ok(())
        })?;
        Ok(hits)
    }

    /// Records about a package that could not be read, or not be matched.
    ///
    /// # Errors
    /// [`StoreError`] where the store is damaged.
    pub fn skipped(&self, ecosystem: &str, name: &str) -> Result<Vec<Skipped>, StoreError> {
        self.visit(ecosystem, name, |_| Ok(()))
    }

    /// Records that could not be read and do not even say which package they are about.
    #[must_use]
    pub fn loose_skipped(&self) -> &[Skipped] {
        &self.loose
    }

    /// What is known under an id or alias.
    ///
    /// # Errors
    /// [`StoreError`] where the store is damaged.
    pub fn id(&self, id: &str) -> Result<Option<Known>, StoreError> {
        for (offset, length) in self.find(Key::Id(id))? {
            let block = self.block(offset, length)?;
            let (ids, facts) = self.decoded(read_group(&mut Reader(&block)))?;
            if ids.iter().any(|own| own == id) {
                let records = facts.into_iter().map(|facts| self.known(&ids, facts)).collect::<Result<_, _>>();
                return Ok(Some(Known { records: self.decoded(records)?, ids }));
            }
        }
        Ok(None)
    }

    /// How old the data of each ecosystem is, sorted by ecosystem.
    #[must_use]
    pub fn sources(&self) -> &[SourceAge] {
        &self.sources
    }

    /// How old the data of an ecosystem is, under OSV's name.
    #[must_use]
    pub fn source(&self, ecosystem: &str) -> Option<&SourceAge> {
        let own = own_name(ecosystem);
        self.sources.iter().find(|source| source.ecosystem == own)
    }

    /// The digest that stands for every byte of the store: `sha256:` and hexadecimal digits. It is the header's own: the header
    /// holds the digest of the rest, which [`Self::verify_all`] compares.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// When the newest of its data was current; RFC 3339.
    #[must_use]
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// Reads every page and compares the digest.
    ///
    /// # Errors
    /// [`StoreError`] where something is not as it was written.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        let mut sha = Sha256::new();
        for number in 1..self.pages.count() {
            sha.update(self.pages.page(number)?);
        }
        if <[u8; 32]>::from(sha.finalize()) != self.sha256 {
            return Err(StoreError::damaged(&self.pages.name, "its digest is not what its header says"));
        }
        self.export().map(drop)
    }

    /// Everything the store holds, for merging it with newer data.
    ///
    /// # Errors
    /// [`StoreError`] where the store is damaged.
    pub fn export(&self) -> Result<Imported, StoreError> {
        let groups_start = self.meta as u64;
        let groups = self.region(groups_start, self.groups_end)?;
        let packages = self.region(self.groups_end, self.stream_end)?;
        let read = || -> Result<Imported, Malformed> {
            let mut out = Imported { sources: self.sources.clone(), skipped: self.loose.clone(), records: Vec::new() };
            // A package's hits name their record by its group's offset and its number there.
            let mut places = HashMap::new();
            let mut block = Reader(&groups);
            while !block.0.is_empty() {
                let offset = groups_start + (groups.len() - block.0.len()) as u64;
                let (ids, facts) = read_group(&mut block)?;
                for (facts, number) in facts.into_iter().zip(0usize..) {
                    places.insert((offset, number), out.records.len());
                    out.records.push(self.record(self.known(&ids, facts)?));
                }
            }
            let mut block = Reader(&packages);
            while !block.0.is_empty() {
                let (ecosystem, name) = self.package(&mut block)?;
                for _ in 0..block.count()? {
                    let hit = raw_hit(&mut block)?;
                    let record = places.get(&(hit.group.0, hit.record)).and_then(|place| out.records.get_mut(*place));
                    let record = record.ok_or(Malformed)?;
                    let slot = record.affected.iter_mut().find(|a| a.ecosystem == ecosystem && a.name == name);
                    *slot.ok_or(Malformed)? = read_affected(hit.body, ecosystem, name)?;
                }
                out.skipped.extend(read_skipped(&mut block, Some((ecosystem, name)))?);
            }
            Ok(out)
        };
        self.decoded(read())
    }

    fn region(&self, start: u64, end: u64) -> Result<Cow<'_, [u8]>, StoreError> {
        self.block(start, usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX))
    }

    /// A record without the versions it is about.
    fn record(&self, known: KnownRecord) -> Record {
        let bare = |(ecosystem, name)| Affected {
            ecosystem,
            name,
            ranges: Vec::new(),
            versions: Vec::new(),
            fixed: Vec::new(),
            functions: Vec::new(),
        };
        Record {
            id: known.id,
            aliases: known.aliases,
            modified: known.modified.to_string(),
            published: known.published,
            withdrawn: known.withdrawn,
            kind: known.kind,
            categories: known.categories,
            vector: known.vector,
            affected: known.packages.into_iter().map(bare).collect(),
        }
    }
}

fn raw_hit<'b>(block: &mut Reader<'b>) -> Result<RawHit<'b>, Malformed> {
    let (group, record) = ((block.number()?, block.index()?), block.index()?);
    let length = block.index()?;
    Ok(RawHit { group, record, body: Reader(block.bytes(length)?) })
}

fn read_group(block: &mut Reader<'_>) -> Result<(Vec<String>, Vec<Facts>), Malformed> {
    let ids = block.texts()?;
    let facts = (0..block.count()?).map(|_| read_facts(block)).collect::<Result<_, _>>()?;
    Ok((ids, facts))
}

fn read_skipped(block: &mut Reader<'_>, package: Option<(&str, &str)>) -> Result<Vec<Skipped>, Malformed> {
    let mut skipped = Vec::new();
    for _ in 0..block.count()? {
        let (id, reason) = (block.text()?.to_owned(), block.text()?.to_owned());
        let package = package.map(|(ecosystem, name)| (ecosystem.to_owned(), name.to_owned()));
        skipped.push(Skipped { id, reason, package });
    }
    Ok(skipped)
}
