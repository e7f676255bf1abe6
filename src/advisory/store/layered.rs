//! The user's store before the baseline built into the program.

use sha2::{Digest, Sha256};

use super::{Hit, Known, RawHit, Store, StoreError, digest_text, later};
use crate::model::advisory::{Skipped, SourceAge};

/// What a run judges with.
///
/// For an ecosystem where the baseline is newer than the user's store (or the store has no data), the baseline's
/// records count beside the store's, except those the store knows at the same time or later; and the store's count,
/// except those the baseline knows at a later time. So an old store cannot hide what the program itself knows, and what
/// was withdrawn stays withdrawn.
#[derive(Debug)]
pub struct Layered {
    store: Option<Store>,
    baseline: Option<Store>,
}

impl Layered {
    /// Exactly one store, without the baseline: what `--advisories` asks for.
    #[must_use]
    pub fn only(store: Store) -> Self {
        Self { store: Some(store), baseline: None }
    }

    /// The user's store, where there is one, before the baseline.
    #[must_use]
    pub fn with_baseline(store: Option<Store>, baseline: Store) -> Self {
        Self { store, baseline: Some(baseline) }
    }

    /// The layers in which an ecosystem is looked up, each with the one that may know better.
    fn layers(&self, ecosystem: &str) -> impl Iterator<Item = Layer<'_>> {
        let baseline = self.baseline.as_ref().filter(|baseline| {
            let Some(own) = baseline.source(ecosystem) else {
                return false;
            };
            let known = self.store.as_ref().and_then(|store| store.source(ecosystem));
            known.is_none_or(|known| later(&own.as_of, &known.as_of))
        });
        let store = self.store.as_ref();
        let first = store.map(|layer| Layer { layer, other: baseline, wins_ties: true });
        first.into_iter().chain(baseline.map(|layer| Layer { layer, other: store, wins_ties: false }))
    }

    /// Hands every hit to a function that says whether it is wanted, and returns the wanted ones that are in force,
    /// each with what the function said of it, and what was set aside.
    pub(crate) fn collect<T>(
        &self,
        ecosystem: &str,
        name: &str,
        mut wanted: impl FnMut(&RawHit<'_>) -> Option<T>,
    ) -> Result<Collected<T>, StoreError> {
        let (mut hits, mut skipped) = (Vec::new(), Vec::new());
        for Layer { layer, other, wins_ties } in self.layers(ecosystem) {
            let set_aside = layer.visit(ecosystem, name, |raw| {
                let Some(said) = wanted(raw) else { return Ok(()) };
                let hit = layer.hit(raw, ecosystem, name)?;
                let known = other.map(|other| other.id(&hit.id)).transpose()?.flatten();
                let mut rivals = known.iter().flat_map(|known| &known.records).filter(|record| record.id == hit.id);
                let beaten =
                    rivals.any(|rival| rival.modified > hit.modified || (rival.modified == hit.modified && !wins_ties));
                if !beaten {
                    hits.push((hit, said));
                }
                Ok(())
            })?;
            skipped.extend(set_aside);
        }
        skipped.sort();
        skipped.dedup();
        Ok((hits, skipped))
    }

    /// Everything in force that is said of a package.
    ///
    /// # Errors
    /// [`StoreError`] where a store is damaged.
    pub fn lookup(&self, ecosystem: &str, name: &str) -> Result<Vec<Hit>, StoreError> {
        let (hits, _) = self.collect(ecosystem, name, |_| Some(()))?;
        Ok(hits.into_iter().map(|(hit, ())| hit).collect())
    }

    /// Records about a package that could not be read, or not be matched.
    ///
    /// # Errors
    /// [`StoreError`] where a store is damaged.
    pub fn skipped(&self, ecosystem: &str, name: &str) -> Result<Vec<Skipped>, StoreError> {
        Ok(self.collect::<()>(ecosystem, name, |_| None)?.1)
    }

    /// What is known under an id or alias; of two layers, each record as the newer knows it.
    ///
    /// # Errors
    /// [`StoreError`] where a store is damaged.
    pub fn id(&self, id: &str) -> Result<Option<Known>, StoreError> {
        let mut all: Option<Known> = None;
        for layer in self.store.iter().chain(&self.baseline) {
            let Some(known) = layer.id(id)? else { continue };
            let Some(all) = &mut all else {
                all = Some(known);
                continue;
            };
            all.ids.extend(known.ids);
            all.ids.sort();
            all.ids.dedup();
            for record in known.records {
                match all.records.iter_mut().find(|own| own.id == record.id) {
                    Some(own) if own.modified >= record.modified => {}
                    Some(own) => *own = record,
                    None => all.records.push(record),
                }
            }
            all.records.sort_by(|a, b| a.id.cmp(&b.id));
        }
        Ok(all)
    }

    /// How old the data of each ecosystem is, sorted: of two layers, the one that is newer.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceAge> {
        let mut all: Vec<SourceAge> = self.store.iter().flat_map(Store::sources).cloned().collect();
        for source in self.baseline.iter().flat_map(Store::sources) {
            match all.iter_mut().find(|own| own.ecosystem == source.ecosystem) {
                Some(own) if !later(&source.as_of, &own.as_of) => {}
                Some(own) => *own = source.clone(),
                None => all.push(source.clone()),
            }
        }
        all.sort_by(|a, b| a.ecosystem.cmp(&b.ecosystem));
        all
    }

    /// `sha256:` and hexadecimal digits: a single layer's own, else the digest of both layers' digests.
    #[must_use]
    pub fn digest(&self) -> String {
        match (&self.store, &self.baseline) {
            (Some(one), None) | (None, Some(one)) => one.digest().to_owned(),
            (store, baseline) => {
                let mut sha = Sha256::new();
                store.iter().chain(baseline).for_each(|layer| sha.update(layer.digest()));
                digest_text(&sha.finalize())
            }
        }
    }

    /// When the newest of the data was current; RFC 3339.
    #[must_use]
    pub fn as_of(&self) -> &str {
        let layers = self.store.iter().chain(&self.baseline).map(Store::as_of);
        layers.reduce(|a, b| if later(b, a) { b } else { a }).unwrap_or_default()
    }

    /// Records set aside that do not say which package they are about.
    pub fn loose_skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.store.iter().chain(&self.baseline).flat_map(Store::loose_skipped)
    }

    /// Reads and compares everything.
    ///
    /// # Errors
    /// [`StoreError`] where something is not as it was written.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        self.store.iter().chain(&self.baseline).try_for_each(Store::verify_all)
    }
}

/// Hits that are wanted, each with why, and what was set aside.
type Collected<T> = (Vec<(Hit, T)>, Vec<Skipped>);

struct Layer<'l> {
    layer: &'l Store,
    /// The layer whose newer records count instead.
    other: Option<&'l Store>,
    wins_ties: bool,
}
