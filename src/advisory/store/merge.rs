//! Batches of records → one set of records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::build::{lay_out, own_name};
use super::{Store, StoreError};
use crate::advisory::import::{Imported, time};
use crate::model::advisory::{Affected, Record, Skipped, SourceAge};

/// Unites batches of records into a store. The order in which they are added does not matter.
#[derive(Default)]
pub struct Builder {
    batches: Vec<Batch>,
    records: BTreeMap<String, Vec<Variant>>,
}

/// One batch's record of an id.
struct Variant {
    rank: Rank,
    record: Record,
    /// The batch.
    batch: usize,
}

/// What decides between two records of one id: the newer one, then the one from the more current batch.
type Rank = (Timestamp, Timestamp);

struct Batch {
    sources: Vec<SourceAge>,
    as_of: Timestamp,
    read: HashSet<String>,
    set_aside: HashSet<String>,
    skipped: Vec<Skipped>,
}

impl Batch {
    /// How current the batch is for a package's ecosystem.
    fn as_of(&self, package: Option<&(String, String)>) -> Timestamp {
        let covers =
            |source: &&SourceAge| package.is_some_and(|(ecosystem, _)| own_name(ecosystem) == source.ecosystem);
        self.sources.iter().find(covers).and_then(|source| time(&source.as_of)).unwrap_or(self.as_of)
    }
}

impl Builder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a batch. Of records of one id the one changed last counts, withdrawn or not; of equal times, the one of the
    /// more current batch.
    pub fn add(&mut self, imported: Imported) {
        let times = imported.sources.iter().filter_map(|source| time(&source.as_of));
        let mut batch = Batch {
            as_of: times.max().unwrap_or(Timestamp::MIN),
            sources: imported.sources,
            read: HashSet::new(),
            set_aside: imported.skipped.iter().map(|s| s.id.clone()).collect(),
            skipped: imported.skipped,
        };
        for record in imported.records {
            let package = record.affected.first().map(|a| (a.ecosystem.clone(), a.name.clone()));
            let rank = (time(&record.modified).unwrap_or(Timestamp::MIN), batch.as_of(package.as_ref()));
            batch.read.insert(record.id.clone());
            let variant = Variant { rank, batch: self.batches.len(), record };
            self.records.entry(variant.record.id.clone()).or_default().push(variant);
        }
        self.batches.push(batch);
    }

    /// Adds everything a store holds.
    ///
    /// # Errors
    /// [`StoreError`] where the store is damaged.
    pub fn add_store(&mut self, store: &Store) -> Result<(), StoreError> {
        self.add(store.export()?);
        Ok(())
    }

    /// Lays the store out.
    ///
    /// # Errors
    /// [`StoreError`] where the records take more room than the format can address.
    pub fn build(self) -> Result<Vec<u8>, StoreError> {
        let skipped = self.skipped();
        let (batches, variants) = (self.batches, self.records);
        let records = variants.into_values().filter_map(|variants| unite(variants, &batches));
        let records: Vec<Record> = records.map(tidy).collect();
        let sources = sources(&batches, &records);
        lay_out(&records, &sources, &skipped)
    }

    /// Records set aside that no batch at least as current could read.
    fn skipped(&self) -> BTreeSet<Skipped> {
        let mut left = BTreeSet::new();
        for batch in &self.batches {
            for skipped in &batch.skipped {
                let as_of = batch.as_of(skipped.package.as_ref());
                let read_elsewhere = self.batches.iter().any(|other| {
                    other.read.contains(&skipped.id)
                        && !other.set_aside.contains(&skipped.id)
                        && other.as_of(skipped.package.as_ref()) >= as_of
                });
                if !read_elsewhere {
                    left.insert(skipped.clone());
                }
            }
        }
        left
    }
}

/// How current the data of each ecosystem is: as the most current batch that covers it.
fn sources(batches: &[Batch], records: &[Record]) -> Vec<SourceAge> {
    let mut sources: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for source in batches.iter().flat_map(|batch| &batch.sources) {
        let as_of = time(&source.as_of).unwrap_or(Timestamp::MIN);
        let newest = sources.entry(&source.ecosystem).or_insert(as_of);
        *newest = as_of.max(*newest);
    }
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for record in records {
        let ecosystems: BTreeSet<&str> = record.affected.iter().map(|a| own_name(&a.ecosystem)).collect();
        for ecosystem in ecosystems {
            *counts.entry(ecosystem).or_default() += 1;
        }
    }
    let age = |(ecosystem, as_of): (&str, Timestamp)| SourceAge {
        ecosystem: ecosystem.to_owned(),
        as_of: as_of.to_string(),
        records: counts.get(ecosystem).copied().unwrap_or_default(),
        built_in: false,
    };
    sources.into_iter().map(age).collect()
}

/// One record of all that share an id: the newest. What older ones say of ecosystems that neither the newest nor its
/// batch speaks of is kept, for two databases may use one id (a CVE's) for what each of them knows.
fn unite(mut variants: Vec<Variant>, batches: &[Batch]) -> Option<Record> {
    let covered = |variant: &Variant| -> BTreeSet<String> {
        batches.get(variant.batch).into_iter().flat_map(|b| &b.sources).map(|s| s.ecosystem.clone()).collect()
    };
    if variants.len() > 1 {
        // The records themselves settle a tie, so that the order of batches does not.
        variants.sort_by_cached_key(|v| std::cmp::Reverse((v.rank, v.record.clone(), covered(v))));
    }
    let mut covers = variants.first().map(covered).unwrap_or_default();
    let mut variants = variants.into_iter();
    let mut newest = variants.next()?.record;
    if newest.withdrawn {
        return Some(newest);
    }
    covers.extend(newest.affected.iter().map(|a| own_name(&a.ecosystem).to_owned()));
    for older in variants {
        let covered = covered(&older);
        let mut older = older.record;
        older.affected.retain(|a| !covers.contains(own_name(&a.ecosystem)));
        covers.extend(covered);
        if older.withdrawn || older.affected.is_empty() {
            continue;
        }
        covers.extend(older.affected.iter().map(|a| own_name(&a.ecosystem).to_owned()));
        newest.affected.append(&mut older.affected);
        newest.aliases.append(&mut older.aliases);
        newest.aliases.sort();
        newest.aliases.dedup();
        newest.kind = newest.kind.max(older.kind);
        newest.vector = newest.vector.or(older.vector);
    }
    Some(newest)
}

/// One entry per package, lists in their own order and without repetition.
fn tidy(mut record: Record) -> Record {
    fn extend<T: PartialEq>(into: &mut Vec<T>, from: Vec<T>) {
        from.into_iter().for_each(|item| {
            if !into.contains(&item) {
                into.push(item);
            }
        });
    }
    let mut packages: BTreeMap<(String, String), Affected> = BTreeMap::new();
    for entry in std::mem::take(&mut record.affected) {
        match packages.get_mut(&(entry.ecosystem.clone(), entry.name.clone())) {
            Some(known) => {
                extend(&mut known.ranges, entry.ranges);
                let listed: BTreeSet<String> = known.versions.drain(..).chain(entry.versions).collect();
                known.versions = listed.into_iter().collect();
                extend(&mut known.fixed, entry.fixed);
                extend(&mut known.functions, entry.functions);
            }
            None => {
                packages.insert((entry.ecosystem.clone(), entry.name.clone()), entry);
            }
        }
    }
    record.affected = packages.into_values().collect();
    record
}
