//! Changes that the forge's dependency graph knows of, where no lockfile says what a manifest brings.
//!
//! They add to what is read: a package that a manifest names itself is judged as the manifest has it, and a project with a
//! lockfile by its lockfile alone. What the forge does not know makes nothing clean: the requirements of a manifest are
//! judged as ever, and a manifest of a kind that is not read stays *not judged*.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystem::draft::Draft;
use crate::ecosystem::rules;
use crate::gate::config::Config;
use crate::model::inventory::{Input, Inventory, Package, Project, Scope, Scopes, Span};
use crate::model::supplied::Supplied;
use crate::model::verdict::{CheckSkipped, Coverage};
use crate::model::{Ecosystem, RepoPath, purl};
use crate::run::projects::Pair;
use crate::world::DependencyGraph;

/// Entries that are taken in.
const MOST: usize = 100_000;

/// Asks the forge, and puts what it knows beside the projects that were read. A question that stays open leaves the answer
/// incomplete: the settings ask for it.
pub fn supply(
    (graph, since): (Option<&dyn DependencyGraph>, Option<&str>),
    is_ci: bool,
    config: &Config,
    pairs: &mut Vec<Pair>,
    coverage: &mut Coverage,
) {
    let mut skip = |reason: String, incomplete| {
        coverage.checks_skipped.push(CheckSkipped { check: "dependency-graph".to_owned(), reason, incomplete });
    };
    let Some(graph) = graph else {
        skip("[forge] dependency-graph asks for it, and the forge is not asked without --forge".to_owned(), is_ci);
        return;
    };
    let supplied = match graph.changes(since) {
        Ok(supplied) if supplied.len() > MOST => {
            skip(format!("the forge names more than {MOST} changes"), true);
            return;
        }
        Ok(supplied) => supplied,
        Err(reason) => {
            skip(reason, true);
            return;
        }
    };
    let mut sides: BTreeMap<(RepoPath, Ecosystem), [Draft; 2]> = BTreeMap::new();
    let mut odd = BTreeSet::new();
    for each in supplied {
        let Some(manifest) = RepoPath::root().join(&each.manifest).filter(|path| !path.is_root()) else {
            odd.insert(format!("{}: no path of the repository", each.manifest.escape_debug()));
            continue;
        };
        if !config.judges(&manifest) || has_lockfile(pairs, &manifest) {
            continue;
        }
        match package(&each) {
            Ok(package) if is_read(pairs, &manifest, &package) => {}
            Ok(package) => {
                let [before, after] = sides.entry((manifest, package.ecosystem)).or_default();
                let _number = if each.is_added { after.package(package) } else { before.package(package) };
            }
            Err(reason) => {
                odd.insert(reason);
            }
        }
    }
    for reason in odd.into_iter().take(20) {
        skip(format!("an entry of the forge's dependency graph cannot be judged: {reason}"), true);
    }
    for ((manifest, ecosystem), [before, after]) in sides {
        let project = Project { path: manifest.parent(), ecosystem, manifest: Some(manifest.clone()), lockfile: None };
        let finish =
            |draft: Draft| -> Inventory { draft.finish(&project, vec![Input { path: manifest.clone(), oid: None }]) };
        let (base, head) = (finish(before), finish(after));
        pairs.push(Pair { project: project.clone(), base: Some(base), head: Some(head), unchanged: false });
    }
}

/// Whether a lockfile says what a manifest brings, or is itself what the forge read.
fn has_lockfile(pairs: &[Pair], manifest: &RepoPath) -> bool {
    let holds = |project: &Project| {
        let is_it = |path: &Option<RepoPath>| path.as_ref() == Some(manifest);
        project.lockfile.is_some() && (is_it(&project.manifest) || is_it(&project.lockfile))
    };
    pairs.iter().any(|pair| holds(&pair.project))
}

/// Whether the manifest itself names the package: then it was read there.
fn is_read(pairs: &[Pair], manifest: &RepoPath, package: &Package) -> bool {
    let of = |pair: &&Pair| pair.project.manifest.as_ref() == Some(manifest);
    pairs.iter().filter(of).any(|pair| {
        let names = |inventory: &Option<Inventory>| {
            inventory.as_ref().is_some_and(|known| known.named(package.ecosystem, &package.name).next().is_some())
        };
        names(&pair.base) || names(&pair.head)
    })
}

/// What the forge says, as a package. Its scope is the forge's word; what it does not know is runtime.
fn package(supplied: &Supplied) -> Result<Package, String> {
    if supplied.purl.is_empty() {
        return Err(format!("{} has no purl", supplied.name.escape_debug()));
    }
    let named = purl::parse(&supplied.purl, Ecosystem::Cargo)?;
    let version = named.version.unwrap_or_else(|| supplied.version.clone());
    if version.is_empty() {
        return Err(format!("{} has no version", supplied.purl.escape_debug()));
    }
    let name = rules(named.ecosystem).normalise(&named.name).into_owned();
    let scope = if supplied.scope == "development" { Scope::Development } else { Scope::Runtime };
    Ok(Package {
        is_locked: false,
        scopes: Scopes::of(scope),
        ..Package::new(named.ecosystem, &name, &version, Span::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(Result<Vec<Supplied>, String>);

    impl DependencyGraph for Says {
        fn changes(&self, _since: Option<&str>) -> Result<Vec<Supplied>, String> {
            self.0.clone()
        }
    }

    fn supplied(is_added: bool, manifest: &str, purl: &str) -> Supplied {
        Supplied {
            is_added,
            manifest: manifest.to_owned(),
            purl: purl.to_owned(),
            name: "x".to_owned(),
            version: String::new(),
            scope: "runtime".to_owned(),
            license: None,
        }
    }

    /// A project with a manifest that names one package, and one with a lockfile.
    fn read() -> Vec<Pair> {
        let project = |folder: &str, manifest: &str, lockfile: Option<&str>| Project {
            path: RepoPath::new(folder),
            ecosystem: Ecosystem::Maven,
            manifest: Some(RepoPath::new(manifest)),
            lockfile: lockfile.map(RepoPath::new),
        };
        let pair = |project: Project| {
            let mut draft = Draft::new();
            draft.package(Package::new(Ecosystem::Maven, "org.a:named", "1.0", Span::default()));
            let head = draft.finish(&project, Vec::new());
            Pair { project, base: None, head: Some(head), unchanged: false }
        };
        vec![pair(project("a", "a/pom.xml", None)), pair(project("b", "b/package.json", Some("b/package-lock.json")))]
    }

    fn run(says: &Says) -> (Vec<Pair>, Coverage) {
        let (mut pairs, mut coverage) = (read(), Coverage::default());
        supply((Some(says), None), true, &Config::default(), &mut pairs, &mut coverage);
        (pairs, coverage)
    }

    #[test]
    fn it_adds_what_no_file_says() {
        let (pairs, coverage) = run(&Says(Ok(vec![
            supplied(true, "a/pom.xml", "pkg:maven/org.b/deep@2.0"),
            supplied(false, "a/pom.xml", "pkg:maven/org.b/deep@1.0"),
            // Read in the manifest, and said by a lockfile: the files have the word.
            supplied(true, "a/pom.xml", "pkg:maven/org.a/named@9.0"),
            supplied(true, "b/package-lock.json", "pkg:npm/other@1.0.0"),
            supplied(true, "c/build.gradle", "pkg:maven/org.c/built@3.0"),
        ])));
        let names = |inventory: &Option<Inventory>| -> Vec<String> {
            inventory.iter().flat_map(|i| &i.packages).map(|p| format!("{}@{}", p.name, p.version)).collect()
        };
        let said: Vec<_> = pairs.iter().skip(2).map(|p| (names(&p.base), names(&p.head))).collect();
        assert_eq!(
            said,
            [
                (vec!["org.b:deep@1.0".to_owned()], vec!["org.b:deep@2.0".to_owned()]),
                (Vec::new(), vec!["org.c:built@3.0".to_owned()]),
            ]
        );
        assert!(coverage.checks_skipped.is_empty(), "{coverage:?}");
    }

    #[test]
    fn what_it_cannot_tell_leaves_the_answer_incomplete() {
        for says in [
            Says(Err("503".to_owned())),
            Says(Ok(vec![supplied(true, "a/pom.xml", "")])),
            Says(Ok(vec![supplied(true, "a/pom.xml", "pkg:maven/org.b/deep")])),
            Says(Ok(vec![supplied(true, "a/pom.xml", "pkg:unheard/x@1")])),
            Says(Ok(vec![supplied(true, "../../pom.xml", "pkg:maven/org.b/deep@1.0")])),
        ] {
            let (pairs, coverage) = run(&says);
            assert_eq!(pairs.len(), 2);
            assert!(coverage.checks_skipped.iter().all(|skipped| skipped.incomplete));
            assert_eq!(coverage.checks_skipped.len(), 1, "{coverage:?}");
        }
        let (mut pairs, mut coverage) = (read(), Coverage::default());
        supply((None, None), true, &Config::default(), &mut pairs, &mut coverage);
        assert!(coverage.checks_skipped.iter().any(|skipped| skipped.incomplete));
    }
}
