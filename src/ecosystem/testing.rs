//! What tests of formats share: trees from texts and folders, and lists to compare with other readers.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Content, Files, Format, Rules, View};
use crate::model::RepoPath;
use crate::model::inventory::{Inventory, Package};
use crate::model::tree::{Oid, Unread};

/// Files of one revision, in memory.
#[derive(Debug, Default)]
pub(crate) struct Tree(pub BTreeMap<RepoPath, Vec<u8>>);

impl Files for Tree {
    fn read(&self, path: &RepoPath) -> Result<Option<Content>, Unread> {
        Ok(self.0.get(path).map(|bytes| (Arc::from(&bytes[..]), Oid([0; 20]))))
    }

    fn paths(&self) -> Box<dyn Iterator<Item = &RepoPath> + '_> {
        Box::new(self.0.keys())
    }
}

/// Files written as `== path` lines, each followed by its text.
pub(crate) fn tree(text: &str) -> Tree {
    let mut files = Tree::default();
    for file in text.split("== ").skip(1) {
        let (path, body) = file.split_once('\n').unwrap();
        files.0.insert(RepoPath::new(path.trim()), body.as_bytes().to_vec());
    }
    files
}

/// Every file below a folder of the corpus, symbolic links aside.
pub(crate) fn folder(root: &Path) -> Tree {
    fn walk(root: &Path, at: &Path, files: &mut Tree) {
        for entry in std::fs::read_dir(at).unwrap().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                walk(root, &path, files);
            } else if kind.is_file() {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.0.insert(RepoPath::new(relative), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut files = Tree::default();
    walk(root, root, &mut files);
    files
}

/// A path below the unpacked data, where `PORTCULLIS_CORPUS` names it; says that the test is skipped otherwise.
pub(crate) fn corpus(relative: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests find their data by the environment")]
    let root = std::env::var("PORTCULLIS_CORPUS").ok();
    let Some(root) = root else {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder");
        return None;
    };
    Some(Path::new(&root).join(relative))
}

/// The inventories of every project that a format finds in a tree.
pub(crate) fn read_all(format: &dyn Format, files: &Tree) -> Vec<Inventory> {
    let projects = format.projects(files).unwrap();
    projects.iter().map(|project| format.read(project, View::new(files, &[])).unwrap()).collect()
}

/// The inventory of the only project that a format finds in a tree.
pub(crate) fn read_one(format: &dyn Format, files: &Tree) -> Inventory {
    let mut all = read_all(format, files);
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|i| &i.project).collect::<Vec<_>>());
    all.remove(0)
}

/// The package of that name.
pub(crate) fn find<'i>(inventory: &'i Inventory, name: &str) -> &'i Package {
    let mut found = inventory.packages.iter().filter(|package| &*package.name == name);
    let package = found.next().unwrap_or_else(|| panic!("no package {name}"));
    assert!(found.next().is_none(), "{name} stands twice");
    package
}

/// `name@version` of every package, sorted, each once: what other readers of lockfiles print.
pub(crate) fn labels(inventory: &Inventory) -> Vec<String> {
    let mut labels: Vec<String> = inventory.packages.iter().map(Package::label).collect();
    labels.sort();
    labels.dedup();
    labels
}

/// SHA-256 over lines, each ended by a newline: `sort -u FILE | sha256sum` of what another reader printed.
pub(crate) fn digest(lines: &[String]) -> String {
    use sha2::Digest as _;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares every line (`a < b`, `a = b`, `a > b`) of a file of vectors, and returns how many there were.
pub(crate) fn orders(rules: &dyn Rules, text: &str) -> usize {
    let mut count = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (a, sign, b) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let expected = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("{line}"),
        };
        assert_eq!(rules.compare(a, b), Some(expected), "{line}");
        assert_eq!(rules.compare(b, a), Some(expected.reverse()), "{line}, the other way round");
        count += 1;
    }
    count
}

/// Feeds hostile bytes to a format under the name of each of its kinds: whatever it answers, it answers.
pub(crate) fn survives(format: &dyn Format, paths: &[&str], texts: &[&[u8]]) {
    for path in paths {
        for text in texts {
            let mut files = Tree::default();
            files.0.insert(RepoPath::new(path), text.to_vec());
            if let Ok(projects) = format.projects(&files) {
                for project in projects {
                    let _either_way = format.read(&project, View::new(&files, &[]));
                }
            }
        }
    }
}
