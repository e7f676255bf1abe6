//! An inventory while a format writes it: packages in any order, edges between them, and the scopes in which the
//! project's own manifests need them. Finishing it computes what no lockfile is believed about: who reaches what.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::RepoPath;
use crate::model::inventory::{Disagreement, Input, Inventory, Package, Project, Root, Scope, Scopes, Span};

/// An inventory that is being written.
#[derive(Debug, Default)]
pub struct Draft {
    packages: Vec<Package>,
    /// Packages by the hash of all that makes one.
    known: HashMap<u64, Vec<u32>>,
    edges: Vec<(u32, u32)>,
    roots: Vec<Root>,
    needs: Vec<(u32, Scope)>,
    disagreements: Vec<Disagreement>,
}

impl Draft {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a package, and tells its number. What stands twice with the same bytes is one package, at its first place.
    /// Scopes that it has already are those in which the project itself asks for it.
    pub fn package(&mut self, package: Package) -> u32 {
        let mut hasher = DefaultHasher::new();
        (package.ecosystem, &package.name, &package.version, &package.source, &package.checksum).hash(&mut hasher);
        (&package.contradiction, &package.claim).hash(&mut hasher);
        let same = self.known.entry(hasher.finish()).or_default();
        let is_same = |known: &Package| {
            let plain = |p: &Package| Package {
                span: package.span,
                scopes: package.scopes,
                direct: package.direct,
                declared: package.declared,
                alias: package.alias.clone(),
                ..p.clone()
            };
            plain(known) == package
        };
        for at in same.iter() {
            if let Some(known) = self.packages.get_mut(*at as usize)
                && is_same(known)
            {
                known.scopes = known.scopes.with(package.scopes);
                known.direct |= package.direct;
                known.declared = known.declared.or(package.declared);
                if known.alias.is_none() {
                    known.alias = package.alias;
                }
                return *at;
            }
        }
        let at = self.packages.len() as u32;
        same.push(at);
        self.packages.push(package);
        at
    }

    /// The package of that number.
    pub fn get_mut(&mut self, package: u32) -> Option<&mut Package> {
        self.packages.get_mut(package as usize)
    }

    /// The packages so far.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Notes that one package needs another.
    pub fn edge(&mut self, from: u32, to: u32) {
        self.edges.push((from, to));
    }

    /// Adds a member of the project itself, and tells its number.
    pub fn root(&mut self, name: &str, version: &str, folder: &RepoPath, span: Span) -> usize {
        let label = if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") };
        let (name, version, folder) = (name.into(), version.into(), folder.clone());
        self.roots.push(Root { label, name, version, folder, span, needs: Vec::new() });
        self.roots.len() - 1
    }

    /// Notes that a member's manifest asks for a package, in which scope, and where.
    pub fn need(&mut self, root: usize, package: u32, scope: Scope, declared: Option<Span>) {
        self.needs.push((package, scope));
        if let Some(root) = self.roots.get_mut(root) {
            root.needs.push(package);
        }
        if let Some(package) = self.packages.get_mut(package as usize) {
            package.direct = true;
            package.declared = package.declared.or(declared);
        }
    }

    /// Notes that manifest and lockfile contradict each other, or that a lock entry contradicts itself.
    pub fn disagree(&mut self, name: &str, message: impl Into<String>, span: Span) {
        self.disagreements.push(Disagreement { name: name.to_owned(), message: message.into(), span });
    }

    /// The inventory. Scopes flow from what the manifests ask for along the edges; what nothing reaches is runtime, and
    /// so is all that it needs.
    #[must_use]
    pub fn finish(mut self, project: &Project, inputs: Vec<Input>) -> Inventory {
        let count = self.packages.len();
        self.edges.retain(|(from, to)| from != to && (*from as usize) < count && (*to as usize) < count);
        self.edges.sort_unstable();
        self.edges.dedup();
        let mut first_edge = Vec::with_capacity(count + 1);
        let mut at = 0;
        for package in 0..count as u32 {
            first_edge.push(at as u32);
            at += self.edges.iter().skip(at).take_while(|(from, _)| *from == package).count();
        }
        first_edge.push(at as u32);
        let edges: Vec<u32> = self.edges.iter().map(|(_, to)| *to).collect();
        let mut work = self.needs;
        for (at, package) in self.packages.iter_mut().enumerate() {
            work.extend(std::mem::take(&mut package.scopes).iter().map(|scope| (at as u32, scope)));
        }
        spread(&mut self.packages, &edges, &first_edge, work);
        let unreached = self.packages.iter().enumerate().filter(|(_, package)| package.scopes.is_empty());
        let rest: Vec<(u32, Scope)> = unreached.map(|(at, _)| (at as u32, Scope::Runtime)).collect();
        spread(&mut self.packages, &edges, &first_edge, rest);
        let (packages, roots, disagreements) = (self.packages, self.roots, self.disagreements);
        let project = project.clone();
        let mut inventory = Inventory { project, inputs, packages, edges, first_edge, roots, disagreements };
        inventory.sort();
        inventory
    }
}

/// Carries scopes along the edges. Each package is visited once a scope.
fn spread(packages: &mut [Package], edges: &[u32], first_edge: &[u32], mut work: Vec<(u32, Scope)>) {
    while let Some((at, scope)) = work.pop() {
        match packages.get_mut(at as usize) {
            Some(package) if !package.scopes.contains(Scopes::of(scope)) => {
                package.scopes = package.scopes.with(Scopes::of(scope));
            }
            _ => continue,
        }
        let row = |at: usize| first_edge.get(at).copied().unwrap_or(0) as usize;
        let needs = edges.get(row(at as usize)..row(at as usize + 1)).unwrap_or_default();
        work.extend(needs.iter().map(|to| (*to, scope)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ecosystem;

    #[test]
    fn scopes_flow_from_the_manifests_and_not_from_flags() {
        let mut draft = Draft::new();
        let mut add = |name: &str| draft.package(Package::new(Ecosystem::Npm, name, "1.0.0", Span::default()));
        let [test, shared, app, orphan, below] = ["test", "shared", "app", "orphan", "below"].map(&mut add);
        assert_eq!(add("app"), app);
        for (from, to) in [(test, shared), (app, shared), (orphan, below), (below, orphan), (app, 99)] {
            draft.edge(from, to);
        }
        let root = draft.root("me", "", &RepoPath::root(), Span::default());
        draft.need(root, test, Scope::Development, None);
        draft.need(root, app, Scope::Runtime, Some(Span { input: 1, line: 2, end_line: 2 }));
        let project = Project { path: RepoPath::root(), ecosystem: Ecosystem::Npm, manifest: None, lockfile: None };
        let inventory = draft.finish(&project, Vec::new());
        let found: Vec<(&str, String, bool, usize)> = inventory
            .packages
            .iter()
            .enumerate()
            .map(|(at, p)| {
                let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
                (&*p.name, scopes.join("+"), p.direct, inventory.needs(at).len())
            })
            .collect();
        let expected = [
            ("app", "runtime", true, 1),
            ("below", "runtime", false, 1),
            ("orphan", "runtime", false, 1),
            ("shared", "runtime+development", false, 0),
            ("test", "development", true, 1),
        ];
        assert_eq!(found, expected.map(|(name, scopes, direct, needs)| (name, scopes.to_owned(), direct, needs)));
    }
}
