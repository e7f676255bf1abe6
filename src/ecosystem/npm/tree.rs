//! `package-lock.json` as entries, and the way Node finds one from another.
//!
//! Versions 2 and 3 name each entry by its path; version 1 nests them. Both become entries in folders: a *folder* is a
//! place with a `node_modules` of its own, and looks for a package there, then in the folder above it.

use std::collections::HashMap;

use crate::ecosystem::syntax::json::{Document, Table, Value};
use crate::ecosystem::syntax::malformed;
use crate::model::tree::Unread;

/// Parts of a path, at the most.
const MAX_PARTS: usize = 100;

/// Which of the three forms a lockfile has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Version 1, or none: nested `dependencies`.
    Nested,
    /// Version 2, and whatever is written like it: `packages`, and `dependencies` for old readers.
    Both,
    /// Version 3: `packages` alone.
    Paths,
}

/// An entry of the lockfile.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    /// Its path; in version 1 its name.
    pub key: &'t str,
    /// The name of the folder it is installed to, with its scope.
    pub name: &'t str,
    /// What the lockfile says of it.
    pub table: &'t Table<'t>,
    /// First and last line.
    pub lines: (u32, u32),
    /// The folder in whose `node_modules` it is, or the nearest one above it.
    pub folder: Option<u32>,
    /// The folder that it is itself, where it has packages of its own.
    pub inside: Option<u32>,
    /// Its version and address as written. Looked up once: a table may be large, and is looked at by many.
    pub version: Option<&'t str>,
    pub resolved: Option<&'t str>,
    /// Whether it is a link, which only versions 2 and 3 write so.
    pub is_link: bool,
    /// Whether it lies in a `node_modules`. What does not is the project or a member of it.
    pub is_installed: bool,
}

#[derive(Debug, Default)]
struct Folder {
    up: Option<u32>,
    owner: Option<u32>,
}

/// The entries of a lockfile, and where they are.
#[derive(Debug, Default)]
pub(super) struct Tree<'t> {
    pub entries: Vec<Entry<'t>>,
    /// Entries of versions 2 and 3 by path.
    pub by_path: HashMap<&'t str, u32>,
    folders: Vec<Folder>,
    children: HashMap<(u32, &'t str), u32>,
}

/// The form of a lockfile: which keys are there, not which version it says. npm reads `packages` wherever it stands, and
/// older ones `dependencies`.
///
/// # Errors
/// A version that is not read, or one that has no `packages` and holds some.
pub(super) fn form(root: &Table<'_>, document: &Document<'_>) -> Result<Form, Unread> {
    let version = match root.get("lockfileVersion") {
        // Shrinkwrap files were older than their version.
        None => 1,
        Some(version) => match version.whole() {
            Some(version @ 1..=3) => version,
            Some(other) => return Err(Unread::Unsupported(format!("lockfileVersion {other}: 1, 2 and 3 are read"))),
            None => return Err(Unread::Unsupported("lockfileVersion is no whole number".to_owned())),
        },
    };
    match root.member("packages") {
        Some(member) if version == 1 => {
            Err(malformed(document.line(member), "`packages` in a lockfile of version 1, which newer tools install"))
        }
        None if version == 1 => Ok(Form::Nested),
        _ if root.member("dependencies").is_some() => Ok(Form::Both),
        _ => Ok(Form::Paths),
    }
}

impl<'t> Tree<'t> {
    /// The entry that code in `from` gets under a name, as Node looks for it. The project's own code where `from` is
    /// `None`.
    pub fn resolve(&self, from: Option<u32>, name: &str) -> Option<u32> {
        let entry = from.and_then(|from| self.entries.get(from as usize));
        let mut at = match entry {
            Some(entry) => entry.inside.or(entry.folder),
            None => (!self.folders.is_empty()).then_some(0),
        };
        while let Some(folder) = at {
            if let Some(found) = self.children.get(&(folder, name)) {
                return Some(*found);
            }
            at = self.folders.get(folder as usize).and_then(|folder| folder.up);
        }
        None
    }

    /// The entry of that name in the `node_modules` of an entry, or of the project where there is none; that of its
    /// target where the entry is a link.
    pub fn child(&self, of: Option<u32>, name: &str) -> Option<u32> {
        let folder = match of.and_then(|of| self.entries.get(of as usize)) {
            None => Some(0),
            Some(entry) if entry.is_link => {
                let target = entry.resolved.and_then(|path| self.by_path.get(path));
                target.and_then(|target| self.entries.get(*target as usize)).and_then(|entry| entry.inside)
            }
            Some(entry) => entry.inside,
        };
        self.children.get(&(folder?, name)).copied()
    }

    /// The entries whose folders hold an entry, the nearest first.
    pub fn above(&self, entry: u32) -> impl Iterator<Item = u32> {
        let first = self.entries.get(entry as usize).and_then(|entry| entry.folder);
        let next = |folder: &u32| self.folders.get(*folder as usize).and_then(|folder| folder.up);
        let folders = std::iter::successors(first, next);
        folders.filter_map(|folder| self.folders.get(folder as usize).and_then(|folder| folder.owner))
    }

    /// Reads the entries of versions 2 and 3.
    pub fn of_paths(root: &'t Table<'t>, document: &Document<'_>) -> Result<Self, Unread> {
        let Some(Value::Table(packages)) = root.get("packages") else {
            return Err(malformed(1, "no object `packages`, which holds what is locked"));
        };
        let mut tree = Self::default();
        // Folder 0 is the project's own.
        let mut folders: HashMap<&str, u32> = HashMap::from([("", 0)]);
        let mut paths = vec![""];
        tree.folders.push(Folder::default());
        let mut lines = packages.members().map(|member| document.line(member)).skip(1);
        for member in packages.members() {
            let line = document.line(member);
            let last =
                lines.next().map_or_else(|| last_line(&member.value, line, document), |next| next.max(line + 1) - 1);
            let key = &*member.key;
            let table = member.value.table().ok_or_else(|| malformed(line, "an entry that is no object"))?;
            if key.bytes().filter(|byte| *byte == b'/').count() > MAX_PARTS {
                return Err(malformed(line, format!("a path of more than {MAX_PARTS} parts")));
            }
            let installed = split(key);
            let (folder, name) = match installed {
                Some((folder, name)) => {
                    let folder = *folders.entry(folder).or_insert_with(|| {
                        paths.push(folder);
                        tree.folders.push(Folder::default());
                        tree.folders.len() as u32 - 1
                    });
                    (Some(folder), name)
                }
                None => (None, key),
            };
            if name.is_empty() && !key.is_empty() {
                return Err(malformed(line, "a package without a name"));
            }
            // npm makes one folder of both slashes, and resolves dots: two keys would be one folder.
            let is_plain = key.split('/').enumerate().all(|(at, part)| match part {
                "." => false,
                // Members may be outside of the repository.
                ".." => key.split('/').take(at).all(|part| part == ".."),
                _ => !part.is_empty() || key.is_empty(),
            });
            if !is_plain || key.contains('\\') {
                return Err(malformed(line, "a path with `\\`, or with a part that is `.`, `..` or empty"));
            }
            let at = tree.entries.len() as u32;
            tree.by_path.insert(key, at);
            if let Some(folder) = folder {
                tree.children.insert((folder, name), at);
            }
            let is_installed = installed.is_some();
            let (name, lines) = (base(name), (line, last));
            tree.entries.push(Entry {
                key,
                name,
                table,
                lines,
                folder,
                inside: None,
                version: table.text("version"),
                resolved: table.text("resolved"),
                is_link: table.is("link"),
                is_installed,
            });
        }
        for (folder, path) in tree.folders.iter_mut().zip(&paths) {
            folder.up = if path.is_empty() { None } else { above(path).find_map(|path| folders.get(path)).copied() };
            folder.owner = tree.by_path.get(path).copied();
        }
        for entry in &mut tree.entries {
            entry.inside = folders.get(entry.key).copied();
            if entry.folder.is_none() && !entry.key.is_empty() {
                entry.folder = above(entry.key).find_map(|path| folders.get(path)).copied();
            }
        }
        Ok(tree)
    }

    /// Reads the entries of version 1, or those that version 2 keeps for old readers.
    pub fn of_nested(root: &'t Table<'t>, document: &Document<'_>) -> Result<Self, Unread> {
        let mut tree = Self::default();
        tree.folders.push(Folder::default());
        match root.member("dependencies").map(|member| (member, &member.value)) {
            None => {}
            Some((_, Value::Table(table))) => tree.nest(table, 0, document)?,
            Some((member, _)) => return Err(malformed(document.line(member), "`dependencies` is no object")),
        }
        Ok(tree)
    }

    /// Reads nested entries. As deep as the syntax lets values nest.
    fn nest(&mut self, table: &'t Table<'t>, folder: u32, document: &Document<'_>) -> Result<(), Unread> {
        let mut lines = table.members().map(|member| document.line(member)).skip(1);
        for member in table.members() {
            let line = document.line(member);
            let last =
                lines.next().map_or_else(|| last_line(&member.value, line, document), |next| next.max(line + 1) - 1);
            let of_entry = member.value.table().ok_or_else(|| malformed(line, "an entry that is no object"))?;
            if member.key.is_empty() {
                return Err(malformed(line, "a package without a name"));
            }
            let at = self.entries.len() as u32;
            self.children.insert((folder, &member.key), at);
            let nested = of_entry.member("dependencies").map(|nested| (nested, &nested.value));
            let inside = nested.is_some().then_some(self.folders.len() as u32);
            self.entries.push(Entry {
                key: &member.key,
                name: &member.key,
                table: of_entry,
                lines: (line, last),
                folder: Some(folder),
                inside,
                version: of_entry.text("version"),
                resolved: of_entry.text("resolved"),
                is_link: false,
                is_installed: true,
            });
            if let Some(inside) = inside {
                self.folders.push(Folder { up: Some(folder), owner: Some(at) });
                match nested {
                    Some((_, Value::Table(table))) => self.nest(table, inside, document)?,
                    Some((member, _)) => return Err(malformed(document.line(member), "`dependencies` is no object")),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// The folder and the name of a path in a `node_modules`; `None` for a path in none.
fn split(path: &str) -> Option<(&str, &str)> {
    match path.rsplit_once("/node_modules/") {
        Some((folder, name)) => Some((folder, name)),
        None => path.strip_prefix("node_modules/").map(|name| ("", name)),
    }
}

/// The last part of a path, with its scope.
fn base(path: &str) -> &str {
    let Some((above, last)) = path.rsplit_once('/') else { return path };
    let start = above.rfind('/').map_or(0, |at| at + 1);
    match above.get(start..) {
        Some(scope) if scope.starts_with('@') => path.get(start..).unwrap_or(last),
        _ => last,
    }
}

/// The folders above a path, the nearest first, the root's last.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rsplit_once('/') {
        Some((folder, _)) => Some(folder),
        None => (!path.is_empty()).then_some(""),
    })
    .skip(1)
}

/// The line of the last key in a value.
fn last_line(value: &Value<'_>, line: u32, document: &Document<'_>) -> u32 {
    let (mut value, mut line) = (value, line);
    loop {
        let next = match value {
            Value::Table(table) => table.members().next_back().map(|member| {
                line = line.max(document.line(member));
                &member.value
            }),
            Value::List(list) => list.last(),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return line,
        }
    }
}
