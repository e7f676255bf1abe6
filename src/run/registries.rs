//! Which registry addresses are the ecosystem's public registry. The program knows none: it learns them from the
//! governing revision's configuration, from the package managers' own, and from what base already resolves from.
//!
//! What is declared is. Where files of one format name an address for most packages, as some lockfiles do for all, the
//! one with the most is the public registry, or the mirror of it that stands in everywhere; the others are registries of
//! their own. Where they name none for most, the tool's own default is the public registry, and every address in them is
//! another place. An address that head brings is new, and what comes from it only claims to be the package of that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::Snapshot;
use crate::ecosystem::{FORMATS, Files as _, settings_of};
use crate::gate::config::Config;
use crate::model::Ecosystem;
use crate::model::inventory::{Disagreement, Identity, Inventory, Package, Source, SourceKind, Span};
use crate::model::verdict::{CheckSkipped, Coverage};

/// Addresses of one ecosystem.
#[derive(Debug, Default, Clone)]
struct Known {
    /// Those that are the public registry.
    public: BTreeSet<String>,
    /// Whether configuration says which.
    is_declared: bool,
    /// Those that base takes packages from; the empty one where it says nothing of where from.
    used: BTreeSet<String>,
    /// Formats whose files name no address for most of what base takes.
    silent: BTreeSet<Option<usize>>,
}

/// Addresses in use, by ecosystem.
#[derive(Debug, Default, Clone)]
pub struct Registries(BTreeMap<Ecosystem, Known>);

/// The one spelling of an address: scheme and host without case, the path with it.
fn spelt(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let end = address.find("://").map_or(0, |at| at + 3);
    let (start, path) =
        address.split_at(address.get(end..).and_then(|rest| rest.find('/')).map_or(address.len(), |at| end + at));
    start.to_ascii_lowercase() + path
}

/// Whether a package's address may be the public registry's. Cargo's own format knows; images, providers and hooks have
/// no advisories that would hang on it.
fn is_open(package: &Package) -> bool {
    package.source.kind == SourceKind::Registry
        && package.identity == Identity::Public
        && package.ecosystem != Ecosystem::Cargo
        && package.ecosystem.osv().is_some()
}

/// Whether a package comes from wherever its package manager takes packages from by itself.
fn is_implicit(package: &Package) -> bool {
    package.source.kind == SourceKind::Public && package.identity == Identity::Public && !package.is_bundled
}

/// The format of an inventory's own file, by its place among the formats.
fn format_of(inventory: &Inventory) -> Option<usize> {
    let path = inventory.project.lockfile.as_ref().or(inventory.project.manifest.as_ref())?;
    let ecosystem = inventory.project.ecosystem;
    FORMATS.iter().position(|f| f.ecosystem() == ecosystem && f.kinds().iter().any(|kind| kind.matches(path)))
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
        for known in known.0.values_mut() {
            known.is_declared = !known.public.is_empty();
        }
        known
    }

    /// Learns from what stands on the trusted side.
    pub fn learn<'i>(&mut self, inventories: impl Iterator<Item = &'i Inventory>) {
        let mut counted: BTreeMap<(Ecosystem, Option<usize>), BTreeMap<String, usize>> = BTreeMap::new();
        for inventory in inventories {
            let format = format_of(inventory);
            for package in inventory.packages.iter().filter(|package| is_open(package) || is_implicit(package)) {
                let address = if is_open(package) { spelt(&package.source.address) } else { String::new() };
                *counted.entry((package.ecosystem, format)).or_default().entry(address).or_default() += 1;
            }
        }
        for ((ecosystem, format), addresses) in counted {
            let known = self.0.entry(ecosystem).or_default();
            // A declared address that is in use is all there is; one that is not is a mirror to come, beside what stands.
            let is_settled = known.is_declared && addresses.keys().any(|address| known.public.contains(address));
            // Of equals the empty one counts, which sorts first: who guesses wrong there would trust too much.
            let most = addresses.iter().max_by_key(|(address, count)| (**count, std::cmp::Reverse(*address)));
            let most_is_empty = most.is_some_and(|(address, _)| address.is_empty());
            if let Some((most, _)) = most.filter(|(address, _)| !is_settled && !address.is_empty()) {
                known.public.insert(most.clone());
            }
            if most_is_empty {
                known.silent.insert(format);
            }
            known.used.extend(addresses.into_keys());
        }
    }

    /// Where no address of an ecosystem is known, head's first lockfile that names some is all there is to learn from. It
    /// is said; and where base holds packages of the ecosystem, so that not all of head's are looked at as new, a person
    /// has to say that it is right.
    pub fn learn_first(&mut self, head: &mut Inventory, coverage: &mut Coverage) {
        if head.project.lockfile.is_none() {
            return;
        }
        let mut unknown: BTreeSet<Ecosystem> =
            head.packages.iter().filter(|p| is_open(p)).map(|p| p.ecosystem).collect();
        let format = format_of(head);
        let may_be = |known: &Known| known.public.is_empty() && !known.silent.contains(&format);
        unknown.retain(|ecosystem| self.0.get(ecosystem).is_none_or(may_be));
        if unknown.is_empty() {
            return;
        }
        let mut first = Self::default();
        first.learn(std::iter::once(&*head));
        for ecosystem in unknown {
            let Some(learnt) = first.0.remove(&ecosystem) else { continue };
            let Some(address) = learnt.public.first().cloned() else { continue };
            let known = self.0.entry(ecosystem).or_default();
            if !known.used.is_empty() {
                let span = head.packages.iter().find(|package| is_open(package)).map(|package| package.span);
                head.disagreements.push(Disagreement {
                    name: head.project.path.to_string(),
                    message: format!("resolves from {address}, which nothing on base says to be the registry"),
                    span: Span { line: 0, end_line: 0, ..span.unwrap_or_default() },
                });
            }
            known.public.extend(learnt.public);
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
                // What a format notes beside the address stays: Composer's lockfile says where the bytes come from.
                package.source = Source { commit: package.source.commit.take(), ..Source::public() };
                settled = true;
            } else if known.is_some_and(|known| known.used.contains(&address)) {
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
