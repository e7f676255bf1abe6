//! Which registry addresses are the ecosystem's public registry. The program knows none: it learns them from the
//! governing revision's configuration, from the package managers' own, and from what base already resolves from.
//!
//! What is declared is. Of the addresses that base resolves from, the one with the most packages is the public registry or the mirror of it
//! that stands in everywhere; the others are registries of their own. An address that head brings is new, and what
//! comes from it only claims to be the package of that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::Snapshot;
use crate::ecosystem::{Files as _, settings_of};
use crate::gate::config::Config;
use crate::model::Ecosystem;
use crate::model::inventory::{Identity, Inventory, Package, Source, SourceKind};
use crate::model::verdict::{CheckSkipped, Coverage};

/// Addresses of one ecosystem.
#[derive(Debug, Default, Clone)]
struct Known {
    /// Those that are the public registry.
    public: BTreeSet<String>,
    /// How many packages of base come from each.
    used: BTreeMap<String, usize>,
}

/// Addresses in use, by ecosystem.
#[derive(Debug, Default, Clone)]
pub struct Registries(BTreeMap<Ecosystem, Known>);

/// The one spelling of an address.
fn spelt(address: &str) -> String {
    address.trim_end_matches('/').to_ascii_lowercase()
}

/// Whether a package's address may be the public registry's. Cargo's own format knows; images, providers and hooks have
/// no advisories that would hang on it.
fn is_open(package: &Package) -> bool {
    package.source.kind == SourceKind::Registry
        && package.identity == Identity::Public
        && package.ecosystem != Ecosystem::Cargo
        && package.ecosystem.osv().is_some()
}

impl Registries {
    /// What configuration declares: the governing revision's, and that of the package managers at the root of a tree.
    #[must_use]
    pub fn declared(config: &Config, tree: &Snapshot<'_>) -> Self {
        let mut known = Self::default();
        for (ecosystem, addresses) in &config.registries {
            known.0.entry(*ecosystem).or_default().public.extend(addresses.iter().map(|address| spelt(address)));
        }
        for path in tree.paths().filter(|path| path.parent().is_root()) {
            let Some(settings) = settings_of(path) else { continue };
            let Ok(Some((bytes, _))) = tree.read(path) else { continue };
            let declared = settings.registries(path, &bytes);
            known.0.entry(settings.ecosystem()).or_default().public.extend(declared.iter().map(|text| spelt(text)));
        }
        known
    }

    /// Learns from what stands on the trusted side.
    pub fn learn<'i>(&mut self, inventories: impl Iterator<Item = &'i Inventory>) {
        for package in inventories.flat_map(|inventory| &inventory.packages).filter(|package| is_open(package)) {
            let known = self.0.entry(package.ecosystem).or_default();
            *known.used.entry(spelt(&package.source.address)).or_default() += 1;
        }
        for known in self.0.values_mut() {
            let most = known.used.iter().max_by_key(|(address, count)| (**count, std::cmp::Reverse(*address)));
            known.public.extend(most.map(|(address, _)| address.clone()));
        }
    }

    /// Where base resolves nothing of an ecosystem and nothing declares its registry, head's first lockfile is all there
    /// is to learn from: every library in it is new and looked at by a person, and that it was so is said.
    pub fn learn_first(&mut self, head: &Inventory, coverage: &mut Coverage) {
        let mut unknown: BTreeSet<Ecosystem> =
            head.packages.iter().filter(|p| is_open(p)).map(|p| p.ecosystem).collect();
        unknown.retain(|ecosystem| self.0.get(ecosystem).is_none_or(|known| known.public.is_empty()));
        if unknown.is_empty() {
            return;
        }
        self.learn(std::iter::once(head));
        for ecosystem in unknown {
            let Some(address) = self.0.get(&ecosystem).and_then(|known| known.public.first()) else { continue };
            coverage.checks_skipped.push(CheckSkipped {
                check: "sources".to_owned(),
                reason: format!(
                    "nothing on base says which registry is {ecosystem}'s: {address} is taken to be it; [registries] in \
                     .portcullis/config.toml declares one"
                ),
                incomplete: false,
            });
        }
    }

    /// Says of every package whether it comes from the public registry, another known one, or one that nobody knows.
    pub fn settle(&self, inventory: &mut Inventory) {
        let mut settled = false;
        for package in inventory.packages.iter_mut().filter(|package| is_open(package)) {
            let known = self.0.get(&package.ecosystem);
            let address = spelt(&package.source.address);
            if known.is_some_and(|known| known.public.contains(&address)) {
                package.source = Source::public();
                settled = true;
            } else if known.is_some_and(|known| known.used.contains_key(&address)) {
                package.identity = Identity::Foreign;
            } else {
                package.identity = Identity::StandsIn;
            }
        }
        if settled {
            // Sources are part of the order.
            inventory.sort();
        }
    }
}
