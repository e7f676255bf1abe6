//! Two inventories of one project → the packages that differ.
//!
//! Both sides are merge-joined on (ecosystem, normalised name). Within a name, entries of equal version and source
//! cancel; entries of equal version are compared; what is left is paired in version order into upgrades and
//! downgrades; the rest is added or removed. So nothing hides behind a pair: every pair compares source and checksum.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::diff::confusable::Names;
use crate::ecosystem::rules;
use crate::model::change::{Change, ChangeKind, ChecksumMove, Depth, Review, Side};
use crate::model::checksum::strength;
use crate::model::graph::{Paths, closure};
use crate::model::inventory::{Identity, Inventory, Package, Project, Root, Scopes, Source, SourceKind};
use crate::model::{Ecosystem, RepoPath, purl};

type Bytes = (Ecosystem, Box<str>, Box<str>, Source, Box<str>);

fn bytes_of(package: &Package) -> Option<Bytes> {
    // What comes with the go command has no digest of its own: its version says which bytes it is.
    let is_of_toolchain = package.ecosystem == Ecosystem::Go && package.is_bundled;
    let checksum = package.checksum.clone().or_else(|| is_of_toolchain.then(Box::default))?;
    // Where a registry keeps its files is not what the bytes are.
    let commit = package.source.commit.clone().filter(|_| package.source.kind != SourceKind::Public);
    let source = Source { commit, ..package.source.clone() };
    Some((package.ecosystem, package.name.clone(), package.version.clone(), source, checksum))
}

/// What the whole of base held, for questions that reach beyond one project.
#[derive(Debug, Default)]
pub struct Standing {
    names: BTreeSet<(Ecosystem, Box<str>)>,
    /// Name, version, source and checksum of what stood, with its scopes. A checksum alone would not do: that of a git
    /// package is its repository's commit, which all packages of the repository share.
    bytes: BTreeMap<Bytes, Scopes>,
    /// Names in use, for look-alikes.
    pub in_use: BTreeMap<Ecosystem, Names>,
}

impl Standing {
    /// Adds a project of base.
    pub fn add(&mut self, inventory: &Inventory) {
        for package in &inventory.packages {
            self.names.insert((package.ecosystem, package.name.clone()));
            if let Some(bytes) = bytes_of(package) {
                let known = self.bytes.entry(bytes).or_default();
                *known = known.with(package.scopes);
            }
            self.in_use.entry(package.ecosystem).or_default().add(&package.name);
        }
    }

    fn holds(&self, package: &Package) -> bool {
        let known = bytes_of(package).and_then(|bytes| self.bytes.get(&bytes));
        known.is_some_and(|scopes| scopes.strongest() >= package.scopes.strongest())
    }
}

/// The changes of one project. `base` is `None` for a project that is new, `head` for one that is gone.
#[must_use]
pub fn changes(base: Option<&Inventory>, head: Option<&Inventory>, standing: &Standing) -> Vec<Change> {
    let (before, after) = (base.map_or(&[][..], |i| &i.packages), head.map_or(&[][..], |i| &i.packages));
    let Some(project) = head.or(base) else { return Vec::new() };
    let sources: BTreeSet<(SourceKind, &str)> = before.iter().map(|p| (p.source.kind, &*p.source.address)).collect();
    let mut differ = Differ { base, head, project, sources, standing, found: Vec::new() };
    let (mut b, mut h) = (0, 0);
    loop {
        let order = match (before.get(b), after.get(h)) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(x), Some(y)) => (x.ecosystem, &x.name).cmp(&(y.ecosystem, &y.name)),
        };
        let run = |list: &[Package], from: usize, wanted: bool| -> usize {
            if !wanted {
                return from;
            }
            let Some(first) = list.get(from) else { return from };
            let same = |p: &&Package| p.ecosystem == first.ecosystem && p.name == first.name;
            from + list.iter().skip(from).take_while(same).count()
        };
        let (b_end, h_end) = (run(before, b, order != Ordering::Greater), run(after, h, order != Ordering::Less));
        differ.name((b..b_end).collect(), (h..h_end).collect());
        (b, h) = (b_end, h_end);
    }
    differ.finish()
}

struct Differ<'a> {
    base: Option<&'a Inventory>,
    head: Option<&'a Inventory>,
    project: &'a Inventory,
    sources: BTreeSet<(SourceKind, &'a str)>,
    standing: &'a Standing,
    /// Changes with the index of head's package, where there is one.
    found: Vec<(Change, Option<usize>)>,
}

impl<'a> Differ<'a> {
    fn of_base(&self, index: usize) -> Option<&'a Package> {
        self.base.and_then(|i| i.packages.get(index))
    }

    fn of_head(&self, index: usize) -> Option<&'a Package> {
        self.head.and_then(|i| i.packages.get(index))
    }

    /// Compares all entries of one name.
    fn name(&mut self, mut before: Vec<usize>, mut after: Vec<usize>) {
        let is_new = before.is_empty();
        for by_source in [true, false] {
            after.retain(|h| {
                let Some(head) = self.of_head(*h) else { return false };
                let twin = before.iter().position(|b| {
                    self.of_base(*b)
                        .is_some_and(|base| base.version == head.version && (!by_source || base.source == head.source))
                });
                match twin {
                    Some(at) => {
                        let base = before.remove(at);
                        self.pair(base, *h);
                        false
                    }
                    None => true,
                }
            });
        }
        let order = |a: Option<&Package>, b: Option<&Package>| match (a, b) {
            (Some(a), Some(b)) => {
                rules(a.ecosystem).compare(&a.version, &b.version).unwrap_or_else(|| a.version.cmp(&b.version))
            }
            _ => Ordering::Equal,
        };
        before.sort_by(|a, b| order(self.of_base(*a), self.of_base(*b)));
        after.sort_by(|a, b| order(self.of_head(*a), self.of_head(*b)));
        let pairs = before.len().min(after.len());
        for (b, h) in before.iter().zip(&after) {
            let kind = match order(self.of_base(*b), self.of_head(*h)) {
                Ordering::Less => ChangeKind::Upgraded,
                Ordering::Greater => ChangeKind::Downgraded,
                Ordering::Equal => ChangeKind::Replaced,
            };
            self.push(kind, Some(*b), Some(*h), false);
        }
        for b in before.iter().skip(pairs) {
            self.push(ChangeKind::Removed, Some(*b), None, false);
        }
        for h in after.iter().skip(pairs) {
            self.push(ChangeKind::Added, None, Some(*h), is_new);
        }
    }

    /// Two entries of one version.
    fn pair(&mut self, b: usize, h: usize) {
        let (Some(base), Some(head)) = (self.of_base(b), self.of_head(h)) else { return };
        let is_other = !is_same_place(&base.source, &head.source)
            || self.checksum_move(base, head) != ChecksumMove::Same
            || (head.contradiction.is_some() && base.contradiction != head.contradiction)
            || (head.identity == Identity::StandsIn && base.identity != head.identity)
            // The digest of an image moves with its tag: a new one is what an upgrade looks like.
            || (head.ecosystem == Ecosystem::Docker && base.checksum != head.checksum);
        if is_other {
            self.push(ChangeKind::Replaced, Some(b), Some(h), false);
        } else if base.scopes != head.scopes {
            self.push(ChangeKind::Rescoped, Some(b), Some(h), false);
        }
    }

    fn push(&mut self, kind: ChangeKind, b: Option<usize>, h: Option<usize>, new_library: bool) {
        let (before, after) = (b.and_then(|b| self.of_base(b)), h.and_then(|h| self.of_head(h)));
        let Some(package) = after.or(before) else { return };
        let source_new = after.is_some_and(|head| {
            let known = self.sources.contains(&(head.source.kind, &*head.source.address));
            head.source.kind != SourceKind::Public && !known
        });
        let source_changed = after.is_some_and(|head| self.moves_source(head, before));
        let bytes_on_base = after.is_some_and(|head| self.standing.holds(head));
        let name_valid = rules(package.ecosystem).is_name(&package.name);
        let known = |name: &str| self.standing.names.contains(&(package.ecosystem, Box::from(name)));
        let project = &self.project.project;
        let change = Change {
            id: {
                // Two lockfiles of one folder hold a change each.
                let file = project.lockfile.as_ref().or(project.manifest.as_ref()).unwrap_or(&project.path);
                id(&format!("{} {file}", project.path), kind, before, after)
            },
            kind,
            ecosystem: package.ecosystem,
            name: package.name.to_string(),
            alias: package.alias.as_deref().map(str::to_owned),
            purl: purl::of_package(package),
            direct: package.direct,
            scope: package.scopes.strongest(),
            scope_of_name: self
                .base
                .into_iter()
                .flat_map(|i| i.named(package.ecosystem, &package.name))
                .map(|p| p.scopes.strongest())
                .max(),
            project: project.path.clone(),
            lockfile: project.lockfile.clone(),
            before: before.and_then(|p| side(p, self.base)),
            after: after.and_then(|p| side(p, self.head)),
            via: Vec::new(),
            declared: package.declared.and_then(|span| {
                let inventory = if after.is_some() { self.head } else { self.base };
                inventory.and_then(|i| i.path_of(span)).map(|path| (path.clone(), span.line))
            }),
            new_library,
            new_to_repository: new_library && !known(&package.name),
            bytes_on_base,
            checksum: match (before, after) {
                (Some(b), Some(a)) => self.checksum_move(b, a),
                (None, Some(a)) if self.lacks_checksum(a) => ChecksumMove::Dropped,
                (None, Some(a)) => self.beside(a),
                _ => ChecksumMove::Same,
            },
            source_new,
            stands_in: after.is_some_and(|p| p.identity == Identity::StandsIn && !stood_in(before, p)),
            source_changed,
            under: Vec::new(),
            closure: Vec::new(),
            confusable_with: None,
            name_valid,
            fixes_advisory: false,
            facts: Vec::new(),
            review: Review { required: Depth::None, cleared_by: None, cleared_by_login: None, pending_by: None },
        };
        self.found.push((change, h));
    }

    /// How the checksum moved between two entries that are paired.
    fn checksum_move(&self, before: &Package, after: &Package) -> ChecksumMove {
        let lockfile = |side: Option<&Inventory>| side.and_then(|i| i.project.lockfile.clone());
        let (old, new) = (lockfile(self.base), lockfile(self.head));
        if !before.is_locked || !after.is_locked {
            // That a lockfile went is said of the file. A digest taken from a manifest that held it is said here.
            let is_taken = before.is_fixed()
                && !after.is_fixed()
                && new == old
                && before.ecosystem != Ecosystem::Cargo
                && (before.version == after.version || new.is_some() || before.ecosystem == Ecosystem::PyPi);
            return if is_taken { ChecksumMove::Dropped } else { ChecksumMove::Same };
        }
        // Yarn digests the archive of its own cache: what another tool's lockfile says cannot be compared with that.
        let name = |path: Option<RepoPath>| path.map(|path| path.file_name().to_owned());
        let was_moved = name(old.clone()) != name(new.clone());
        match moved_checksum(before, after) {
            ChecksumMove::Changed
                if [name(old), name(new)].iter().flatten().any(|name| name == "yarn.lock") && was_moved =>
            {
                ChecksumMove::Rehashed
            }
            other => other,
        }
    }

    /// How the checksum of an added entry differs from those of the same version from the same place, on either side.
    fn beside(&self, added: &Package) -> ChecksumMove {
        let of_name = |i: Option<&'a Inventory>| i.into_iter().flat_map(|i| i.named(added.ecosystem, &added.name));
        let same = |p: &&Package| p.version == added.version && p.source == added.source && p.checksum.is_some();
        let moves = of_name(self.base).chain(of_name(self.head)).filter(same).map(|known| moved_checksum(known, added));
        moves.max_by_key(|found| *found == ChecksumMove::Changed).unwrap_or(ChecksumMove::Same)
    }

    /// Whether an added package of the public registry has no checksum where its lockfile gives others one.
    fn lacks_checksum(&self, package: &Package) -> bool {
        let is_public = |p: &Package| {
            p.is_locked && !p.is_bundled && p.source.kind == SourceKind::Public && p.ecosystem != Ecosystem::Go
        };
        is_public(package)
            && package.checksum.is_none()
            && self.head.is_some_and(|i| i.packages.iter().any(|p| is_public(p) && p.checksum.is_some()))
    }

    /// Whether base had the name, and none of it from where head takes it.
    fn moves_source(&self, head: &Package, before: Option<&Package>) -> bool {
        // The public registry and its declared mirrors are one.
        let same = |p: &Package| {
            p.source.kind == head.source.kind
                && (p.source.kind == SourceKind::Public || p.source.address == head.source.address)
                // Of git it is the commit, which moves; of a registry where the bytes really come from, which does not.
                && (p.source.kind == SourceKind::Git
                    || p.source.commit.is_none()
                    || head.source.commit.is_none()
                    || p.source.commit == head.source.commit)
        };
        if let Some(before) = before {
            return !same(before);
        }
        let mut of_name = self.base.into_iter().flat_map(|i| i.named(head.ecosystem, &head.name)).peekable();
        of_name.peek().is_some() && !of_name.any(same)
    }

    /// Fills in what needs the whole: paths, closures, look-alikes.
    fn finish(mut self) -> Vec<Change> {
        let Some(head) = self.head else { return self.found.into_iter().map(|(change, _)| change).collect() };
        let paths = Paths::new(head);
        let new: BTreeMap<usize, String> = self
            .found
            .iter()
            .filter(|(change, _)| change.new_library)
            .filter_map(|(change, index)| index.map(|index| (index, change.id.clone())))
            .collect();
        // Direct dependencies head a closure each; what none of them reaches came through a package that was there, and
        // heads one of its own. So the work grows with the heads, not with all that is new.
        let mut under: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for wants_direct in [true, false] {
            for (change, index) in &mut self.found {
                let Some(index) = *index else { continue };
                if !change.new_library || change.direct != wants_direct || (!wants_direct && under.contains_key(&index))
                {
                    continue;
                }
                for inner in closure(head, index) {
                    if let Some(id) = new.get(&inner) {
                        change.closure.push(id.clone());
                        under.entry(inner).or_default().push(change.id.clone());
                    }
                }
            }
        }
        for (change, index) in &mut self.found {
            let Some(index) = *index else { continue };
            change.via = paths.to(index);
            change.under = under.remove(&index).unwrap_or_default();
            change.under.sort();
            if change.new_library {
                change.confusable_with =
                    self.standing.in_use.get(&change.ecosystem).and_then(|names| names.slip(&change.name));
            }
        }
        self.found.into_iter().map(|(change, _)| change).collect()
    }
}

fn moved_checksum(before: &Package, after: &Package) -> ChecksumMove {
    let from_registry = |p: &Package| matches!(p.source.kind, SourceKind::Public | SourceKind::Registry);
    let are_archives = from_registry(before) && from_registry(after);
    match (&before.checksum, &after.checksum) {
        // Bytes that come inside another package's are checked with it.
        _ if after.is_bundled => ChecksumMove::Same,
        // A tag of an image names what its owner last put there.
        (Some(_), Some(_)) if after.ecosystem == Ecosystem::Docker => ChecksumMove::Same,
        // go.sum holds no digest of a module of which nothing is built.
        (Some(_), None) if after.ecosystem == Ecosystem::Go && before.version != after.version => ChecksumMove::Same,
        // A registry's package without one is bytes that nobody checks, whatever its version.
        (Some(_), None) if are_archives => ChecksumMove::Dropped,
        (Some(b), Some(a)) if are_archives && strength(a) < strength(b) => ChecksumMove::Weakened,
        // Another version, or another commit of a git source, brings its own; another registry or mirror does not.
        (Some(b), Some(a)) if a != b && before.version == after.version => {
            if !are_archives && before.source != after.source && !is_one_release(before, after) {
                return ChecksumMove::Same;
            }
            let (old, new) = (files_of(before), files_of(after));
            let known = new.iter().filter(|file| old.contains(file)).count();
            let same_algorithms = strength(a) == strength(b);
            match (known, same_algorithms) {
                // Fewer files of those that were known.
                (known, _) if known == new.len() => ChecksumMove::Same,
                (0, true) => ChecksumMove::Changed,
                _ => ChecksumMove::Rehashed,
            }
        }
        _ => ChecksumMove::Same,
    }
}

/// Whether two entries are one release by what the registry's tags say, as Swift's packages are: an honest tag does not
/// move to another commit.
fn is_one_release(before: &Package, after: &Package) -> bool {
    let is_public = |p: &Package| p.source.kind == SourceKind::Git && p.identity == Identity::Public;
    is_public(before) && is_public(after) && before.source.address == after.source.address
}

/// The checksums of the single files.
fn files_of(package: &Package) -> &[Box<str>] {
    if package.files.is_empty() { package.checksum.as_slice() } else { &package.files }
}

fn side(package: &Package, inventory: Option<&Inventory>) -> Option<Side> {
    let file = inventory.and_then(|i| i.path_of(package.span))?.clone();
    Some(Side {
        version: package.version.to_string(),
        is_locked: package.is_locked,
        source: package.source.clone(),
        checksum: package.checksum.as_deref().map(str::to_owned),
        scopes: package.scopes,
        is_fixed: package.is_fixed(),
        contradiction: package.contradiction.as_deref().map(str::to_owned),
        runs_on_install: package.runs_on_install,
        license: None,
        file,
        line: package.span.line,
    })
}

/// Whether base had the same place standing in already: what it holds there is the repository's own history.
fn stood_in(before: Option<&Package>, after: &Package) -> bool {
    before.is_some_and(|p| p.identity == Identity::StandsIn && p.source.address == after.source.address)
}

/// Whether two entries come from one place. Of the public registry, one tool's lockfile may leave out what another's
/// says of where its files lie.
fn is_same_place(a: &Source, b: &Source) -> bool {
    let is_unsaid = a.commit.is_none() || b.commit.is_none();
    let are_public = a.kind == SourceKind::Public && b.kind == SourceKind::Public;
    a == b || (are_public && a.address == b.address && is_unsaid)
}

/// A stable id: what differs, and nothing of where it stands in a file.
fn id(project: &str, kind: ChangeKind, before: Option<&Package>, after: Option<&Package>) -> String {
    let side = |package: Option<&Package>| {
        package.map_or(String::new(), |p| {
            let checksum = p.checksum.as_deref().unwrap_or_default();
            format!("{}\0{}\0{}\0{}\0{checksum}", p.ecosystem, p.name, p.version, p.source)
        })
    };
    let digest = crate::gate::digest(format!("{project}\0{kind}\0{}\0{}", side(before), side(after)).as_bytes());
    format!("change-{}", digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or_default())
}

/// Whether two projects at different paths are one that was moved: equal members, packages, scopes and edges.
#[must_use]
pub fn is_moved(base: &Inventory, head: &Inventory) -> bool {
    // All of it but where it stands.
    let same = |a: &Package, b: &Package| Package { span: b.span, declared: b.declared, ..a.clone() } == *b;
    // A project without a name is nobody's in particular.
    let is_named = |i: &Inventory| !i.roots.is_empty() && i.roots.iter().all(|root| is_own_name(root, &i.project));
    // Members move along with their project: where they stand in it must be the same, where they stand must not.
    let roots = |inventory: &Inventory| -> Vec<(String, Option<String>, Vec<u32>)> {
        let within = |root: &Root| root.folder.relative_to(&inventory.project.path).map(str::to_owned);
        inventory.roots.iter().map(|root| (root.label.clone(), within(root), root.needs.clone())).collect()
    };
    base.project.ecosystem == head.project.ecosystem
        && is_named(base)
        && roots(base) == roots(head)
        && base.edges == head.edges
        && base.packages.len() == head.packages.len()
        && base.packages.iter().zip(&head.packages).all(|(a, b)| same(a, b))
}

/// Whether a member has a name that its manifest gives it, and not one made of the path of its file.
fn is_own_name(root: &Root, project: &Project) -> bool {
    let is_path = |path: &RepoPath| *root.name == *path.as_str() || *root.name == *path.file_name();
    !root.name.is_empty() && !project.manifest.iter().chain(&project.lockfile).any(is_path)
}

/// Packages of the public registry that base had and head builds from a folder of the repository: the folder stands in
/// for the package, whether a patch says so or a path does, and is judged as such. Head's members alone would let it
/// pass for the project's own code.
///
/// What head takes from a repository, folder or address of its own under a name that base had from the registry stands in
/// for that package as well, and advisories go on speaking of it.
pub fn take_in_stand_ins(base: &Inventory, head: &mut Inventory) {
    let is_public = |p: &Package| p.source.kind == SourceKind::Public && p.identity == Identity::Public;
    let mut takes_over = false;
    for package in head.packages.iter_mut().filter(|p| p.identity == Identity::Foreign) {
        let stood = |p: &Package| p.source.kind == package.source.kind && p.source.address == package.source.address;
        let of_base = || base.named(package.ecosystem, &package.name);
        if of_base().any(is_public) && !of_base().any(stood) {
            package.identity = Identity::StandsIn;
            takes_over = true;
        }
    }
    if takes_over {
        head.sort();
    }
    let found: Vec<Package> = head
        .roots
        .iter()
        .filter(|root| !base.roots.iter().any(|known| known.name == root.name))
        .filter_map(|root| {
            let mut of_base = base.named(base.project.ecosystem, &root.name);
            let was = of_base.find(|p| p.source.kind == SourceKind::Public)?;
            // Another version that goes on coming from the registry does not answer for the one that went.
            let stands = |version: &str| {
                let of_head = head.named(head.project.ecosystem, &root.name);
                of_head.into_iter().any(|p| p.source.kind == SourceKind::Public && *p.version == *version)
            };
            let of_base = base.named(base.project.ecosystem, &root.name);
            if of_base.filter(|p| p.source.kind == SourceKind::Public).all(|p| stands(&p.version)) {
                return None;
            }
            let source = Source { kind: SourceKind::Path, address: root.folder.as_str().into(), commit: None };
            let identity = Identity::StandsIn;
            // A folder that does not say its version claims to be the one that it takes the place of.
            let version = if root.version.is_empty() { was.version.clone() } else { root.version.clone() };
            let span = root.span;
            Some(Package { version, source, identity, span, checksum: None, declared: None, ..was.clone() })
        })
        .collect();
    if found.is_empty() {
        return;
    }
    let end = head.first_edge.last().copied().unwrap_or(0);
    for package in found {
        head.packages.push(package);
        head.first_edge.push(end);
    }
    head.sort();
}
