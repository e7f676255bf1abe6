//! What one project depends on in one revision.

use std::sync::Arc;

use super::tree::Oid;
use super::{Ecosystem, RepoPath};

/// A directory with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Project {
    /// The folder.
    pub path: RepoPath,
    /// The ecosystem of its manifest.
    pub ecosystem: Ecosystem,
    /// The manifest, where there is one.
    pub manifest: Option<RepoPath>,
    /// The lockfile, where there is one.
    pub lockfile: Option<RepoPath>,
}

words! {
    /// When a dependency runs. Declared from the weakest to the strongest.
    Scope { Development = "development", Build = "build", Runtime = "runtime" }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// The set of one.
    #[must_use]
    pub const fn of(scope: Scope) -> Self {
        Self(1 << scope as u8)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every scope of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The strongest scope in the set; runtime for the empty set, because what nothing reaches is judged as runtime.
    #[must_use]
    pub fn strongest(self) -> Scope {
        Scope::ALL.iter().rev().copied().find(|scope| self.contains(Self::of(*scope))).unwrap_or(Scope::Runtime)
    }

    /// The scopes, strongest first.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().rev().copied().filter(move |scope| self.contains(Self::of(*scope)))
    }
}

words! {
    /// Where a package's bytes come from.
    SourceKind {
        /// The ecosystem's public registry, or a declared mirror of it.
        Public = "public-registry",
        /// Another registry.
        Registry = "registry",
        /// A git repository.
        Git = "git",
        /// A folder.
        Path = "path",
    }
}

/// Where a package's bytes come from, with the full address: two registries on one host are two sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The kind.
    pub kind: SourceKind,
    /// The full address as the lockfile writes it, without the commit of a git source; the folder of a path source.
    pub address: Arc<str>,
    /// The commit of a git source, as the lockfile writes it.
    pub commit: Option<Arc<str>>,
}

impl Source {
    /// The ecosystem's public registry, by whichever address.
    #[must_use]
    pub fn public() -> Self {
        Self { kind: SourceKind::Public, address: "".into(), commit: None }
    }

    /// A registry at an address. Whether it is the public one is settled where the addresses in use are known.
    #[must_use]
    pub fn registry(address: &str) -> Self {
        Self { kind: SourceKind::Registry, address: address.into(), commit: None }
    }

    /// A git repository, at a commit where one is named.
    #[must_use]
    pub fn git(address: &str, commit: Option<&str>) -> Self {
        Self { kind: SourceKind::Git, address: address.into(), commit: commit.map(Into::into) }
    }

    /// A folder, as the project writes it.
    #[must_use]
    pub fn path(folder: &str) -> Self {
        Self { kind: SourceKind::Path, address: folder.into(), commit: None }
    }

    /// Whether the address is fetched without transport security.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        let mut address = self.address.to_ascii_lowercase();
        if let (SourceKind::Public | SourceKind::Registry, Some(origin)) = (self.kind, &self.commit) {
            address = format!("{} {address}", origin.to_ascii_lowercase());
        }
        ["http://", "registry+http://", "sparse+http://", "git+http://", "git://", "git+git://"]
            .iter()
            .any(|scheme| address.split(' ').any(|part| part.starts_with(scheme)))
    }

    /// Whether a git source names a full commit. Other kinds have none to name.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.kind != SourceKind::Git
            || self
                .commit
                .as_ref()
                .is_some_and(|c| matches!(c.len(), 40 | 64) && c.bytes().all(|b| b.is_ascii_hexdigit()))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.commit {
            Some(commit) => write!(f, "{}#{commit}", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Where something stands in a file that was read. Lines count from 1; 0 where no line applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Index into [`Inventory::inputs`].
    pub input: u32,
    /// First line.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// A file that was read, or looked for and not found, to make the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path.
    pub path: RepoPath,
    /// The content's id; `None` for a path that was looked for and is not there.
    pub oid: Option<Oid>,
}

words! {
    /// Whether advisories of the ecosystem's public registry speak of this package.
    Identity {
        /// It is the public package.
        Public = "public",
        /// It replaces the public package of that name and version, or claims to.
        StandsIn = "stands-in",
        /// It comes from elsewhere: the advisory check is skipped, and said to be.
        Foreign = "foreign",
    }
}

/// One package in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The ecosystem it belongs to, which need not be the project's.
    pub ecosystem: Ecosystem,
    /// The name as OSV writes it.
    pub name: Box<str>,
    /// The name under which a manifest of the project knows it, where that differs.
    pub alias: Option<Box<str>>,
    /// The locked version; a requirement where there is no lockfile (see [`Self::is_locked`]).
    pub version: Box<str>,
    /// Whether a lockfile fixes the version.
    pub is_locked: bool,
    /// Where the bytes come from.
    pub source: Source,
    /// Digest of the bytes, as [`super::checksum`] writes it.
    pub checksum: Option<Box<str>>,
    /// The digests of the single files, sorted, where the release has several; empty otherwise.
    pub files: Box<[Box<str>]>,
    /// Whether public advisories speak of it.
    pub identity: Identity,
    /// Scopes in which the project's manifests reach it.
    pub scopes: Scopes,
    /// Whether a manifest of the project names it.
    pub direct: bool,
    /// Its place in the lockfile, or in the manifest where there is no lockfile.
    pub span: Span,
    /// Where a manifest names it.
    pub declared: Option<Span>,
    /// The version that advisories are asked about, where that is not [`Self::version`]: what a comment beside a commit
    /// claims, which nothing proves, or another spelling.
    pub claim: Option<Box<str>>,
    /// What the lock entry's own address names instead of this name and version.
    pub contradiction: Option<Box<str>>,
    /// Whether the lockfile says that installing it runs a script. That it says nothing proves nothing.
    pub runs_on_install: bool,
    /// Whether its bytes come inside those of a package that needs it, whose checksum covers them.
    pub is_bundled: bool,
}

impl Package {
    /// A locked package of the public registry, without anything that only some formats know.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: &str, version: &str, span: Span) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            alias: None,
            version: version.into(),
            is_locked: true,
            source: Source::public(),
            checksum: None,
            files: Box::default(),
            identity: Identity::Public,
            scopes: Scopes::default(),
            direct: false,
            span,
            declared: None,
            claim: None,
            contradiction: None,
            runs_on_install: false,
            is_bundled: false,
        }
    }

    /// Whether what is fetched is fixed to the byte: by a digest, or inside a package that has one.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.is_locked && (self.checksum.is_some() || self.is_bundled)
    }

    /// `name@version`, for people.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// A member of the project itself, and the packages its manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// `name@version`, for people.
    pub label: String,
    /// Its name.
    pub name: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its folder.
    pub folder: RepoPath,
    /// Its place in the lockfile, or in its manifest.
    pub span: Span,
    /// Direct dependencies: index into [`Inventory::packages`].
    pub needs: Vec<u32>,
}

/// A manifest that asks for what the lockfile does not hold, or a lock entry that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disagreement {
    /// The package or member it is about.
    pub name: String,
    /// What disagrees.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// What one project depends on in one revision. Packages are sorted by ecosystem, name, version and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The project.
    pub project: Project,
    /// Every file read or looked for.
    pub inputs: Vec<Input>,
    /// The packages.
    pub packages: Vec<Package>,
    /// Edges in compressed rows: package `i` needs `edges[first_edge[i]..first_edge[i + 1]]`.
    pub edges: Vec<u32>,
    /// See [`Self::edges`]; one longer than `packages`.
    pub first_edge: Vec<u32>,
    /// The project's own members.
    pub roots: Vec<Root>,
    /// Where manifest and lockfile contradict each other.
    pub disagreements: Vec<Disagreement>,
}

impl Inventory {
    /// What package `index` needs.
    #[must_use]
    pub fn needs(&self, index: usize) -> &[u32] {
        let from = self.first_edge.get(index).copied().unwrap_or(0) as usize;
        let to = self.first_edge.get(index + 1).copied().unwrap_or(0) as usize;
        self.edges.get(from..to).unwrap_or(&[])
    }

    /// The packages of one name.
    pub fn named(&self, ecosystem: Ecosystem, name: &str) -> impl Iterator<Item = &Package> {
        let from = self.packages.partition_point(|p| (p.ecosystem, &*p.name) < (ecosystem, name));
        let same = move |p: &&Package| p.ecosystem == ecosystem && &*p.name == name;
        self.packages.get(from..).unwrap_or_default().iter().take_while(same)
    }

    /// The path that a span points into.
    #[must_use]
    pub fn path_of(&self, span: Span) -> Option<&RepoPath> {
        self.inputs.get(span.input as usize).map(|input| &input.path)
    }

    /// Sorts packages by ecosystem, name, version and source, and renumbers edges and roots to match.
    pub fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.packages.len() as u32).collect();
        let key =
            |i: &u32| self.packages.get(*i as usize).map(|p| (p.ecosystem, &p.name, &p.version, &p.source, p.span));
        order.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut place = vec![0u32; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old as usize) {
                *slot = new as u32;
            }
        }
        let moved = |old: &u32| place.get(*old as usize).copied().unwrap_or(0);
        let mut edges = Vec::with_capacity(self.edges.len());
        let mut first_edge = Vec::with_capacity(order.len() + 1);
        for old in &order {
            first_edge.push(edges.len() as u32);
            let from = edges.len();
            edges.extend(self.needs(*old as usize).iter().map(moved));
            if let Some(row) = edges.get_mut(from..) {
                row.sort_unstable();
            }
        }
        first_edge.push(edges.len() as u32);
        for root in &mut self.roots {
            for need in &mut root.needs {
                *need = moved(need);
            }
            root.needs.sort_unstable();
            root.needs.dedup();
        }
        let mut packages: Vec<Option<Package>> = std::mem::take(&mut self.packages).into_iter().map(Some).collect();
        self.packages = order.iter().filter_map(|old| packages.get_mut(*old as usize).and_then(Option::take)).collect();
        self.edges = edges;
        self.first_edge = first_edge;
        self.roots.sort_by(|a, b| a.label.cmp(&b.label));
        self.disagreements.sort();
        self.disagreements.dedup();
    }
}
