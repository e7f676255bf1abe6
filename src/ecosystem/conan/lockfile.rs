//! `conan.lock` of Conan 1 (0.4: a graph) and Conan 2 (0.5: lists).

use std::collections::HashMap;

use super::reference::Reference;
use crate::ecosystem::syntax::json::{self, Document, Table, Value};
use crate::ecosystem::syntax::malformed;
use crate::model::inventory::{Identity, Package, Scope, Scopes, Source, Span};
use crate::model::tree::Unread;

/// Packages of a lockfile, each with the scopes that its place in the file gives it, and edges between them.
#[derive(Debug, Default)]
pub(super) struct Lock {
    pub packages: Vec<Package>,
    pub edges: Vec<(usize, usize)>,
    /// Packages that the project asks for, where the file says so.
    pub direct: Option<Vec<(usize, Scope)>>,
}

/// Reads a lockfile of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64, input: u32) -> Result<Lock, Unread> {
    let document = json::read(bytes, cap)?;
    let table = document.table()?;
    match table.text("version") {
        Some("0.4") => graph(&document, table, input),
        Some("0.5") => lists(bytes, &document, table, input),
        other => {
            let shown: String = other.unwrap_or("none").chars().take(20).flat_map(char::escape_debug).collect();
            Err(Unread::Unsupported(format!("version {shown} of conan.lock; 0.4 and 0.5 are read")))
        }
    }
}

fn reference(text: &str, line: u32) -> Result<Reference<'_>, Unread> {
    let shown = || text.chars().take(80).flat_map(char::escape_debug).collect::<String>();
    Reference::read(text).ok_or_else(|| malformed(line, format!("not a reference to a package: `{}`", shown())))
}

/// Conan resolves each kind of requirement within its own list alone, so the lists are what it installs: a recipe that
/// is needed at run time and stands among the tools alone is not found.
fn lists(bytes: &[u8], document: &Document<'_>, table: &Table<'_>, input: u32) -> Result<Lock, Unread> {
    let mut lock = Lock::default();
    for (key, scope) in [
        ("requires", Scope::Runtime),
        ("build_requires", Scope::Build),
        ("python_requires", Scope::Build),
        ("config_requires", Scope::Build),
    ] {
        let Some(member) = table.member(key) else { continue };
        let start = document.line(member);
        let list = member.value.list().ok_or_else(|| malformed(start, format!("`{key}` is not a list")))?;
        for item in list {
            let mut add = |text: &str, line: u32| -> Result<(), Unread> {
                let mut package = reference(text, line)?.package(Span { input, line, end_line: line });
                package.scopes = Scopes::of(scope);
                lock.packages.push(package);
                Ok(())
            };
            match item {
                Value::Text(text) => add(text, line_of(bytes, document, text).unwrap_or(start))?,
                // A reference may hold the ids of its packages.
                Value::Table(table) => {
                    for member in table.members() {
                        add(&member.key, document.line(member))?;
                    }
                }
                _ => return Err(malformed(start, format!("`{key}` holds what is no reference"))),
            }
        }
    }
    Ok(lock)
}

/// The line of a text that was taken from these bytes as it stands there.
fn line_of(bytes: &[u8], document: &Document<'_>, text: &str) -> Option<u32> {
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let offset = (text.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?.checked_sub(mark)?;
    (offset < bytes.len()).then(|| document.lines.of(offset))
}

fn graph(document: &Document<'_>, table: &Table<'_>, input: u32) -> Result<Lock, Unread> {
    let nodes = table.table("graph_lock").and_then(|graph| graph.table("nodes"));
    let nodes = nodes.ok_or_else(|| malformed(1, "there are no nodes in `graph_lock`"))?;
    let mut lock = Lock::default();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut tables = Vec::new();
    for member in nodes.members() {
        let line = document.line(member);
        let node = member.value.table().ok_or_else(|| malformed(line, "a node that is not an object"))?;
        let path = node.text("path");
        // The project itself. Any other node is a package, whatever it says of a folder.
        let is_project = node.get("ref").is_none() || (&*member.key == "0" && path.is_some());
        let place = if is_project {
            None
        } else {
            let text = node.text("ref").ok_or_else(|| malformed(line, "a `ref` that is no text"))?;
            let end_line = node.members().map(|member| document.line(member)).next_back().unwrap_or(line);
            let mut package = reference(text, line)?.package(Span { input, line, end_line });
            if let Some(path) = path {
                (package.source, package.identity) = (Source::path(path), Identity::Foreign);
            }
            places.insert(&member.key, lock.packages.len());
            lock.packages.push(package);
            Some(lock.packages.len() - 1)
        };
        tables.push((line, place, node));
    }
    let mut direct = Vec::new();
    for (line, place, node) in tables {
        for (key, is_tool) in [("requires", false), ("build_requires", true)] {
            for id in node.list(key) {
                let to = id.text().and_then(|id| places.get(id)).copied();
                let to = to.ok_or_else(|| malformed(line, format!("`{key}` names a node that is not there")))?;
                match (place, is_tool) {
                    (Some(from), false) => lock.edges.push((from, to)),
                    // A tool is run while the package is built, whichever scope that one has.
                    (Some(_), true) => tool(&mut lock, to),
                    (None, _) => direct.push((to, if is_tool { Scope::Build } else { Scope::Runtime })),
                }
            }
        }
        for text in node.list("python_requires").iter().filter_map(Value::text) {
            let mut package = reference(text, line)?.package(Span { input, line, end_line: line });
            package.scopes = Scopes::of(Scope::Build);
            lock.packages.push(package);
        }
    }
    lock.direct = Some(direct);
    Ok(lock)
}

fn tool(lock: &mut Lock, at: usize) {
    if let Some(package) = lock.packages.get_mut(at) {
        package.scopes = package.scopes.with(Scopes::of(Scope::Build));
    }
}
