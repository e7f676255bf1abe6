//! `pubspec.lock`: what was resolved.

use super::manifest::is_mapping;
use crate::ecosystem::FILE_CAP;
use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::yaml::{self, Member};
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Package, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// An entry.
#[derive(Debug)]
pub(super) struct Entry {
    /// The name under which manifests know it.
    pub key: String,
    /// `hosted`, `git`, `path` or `sdk`.
    pub kind: String,
    /// The package; `None` for one of an SDK.
    pub package: Option<Package>,
}

/// Reads a lockfile that lies in `folder`.
pub(super) fn read(bytes: &[u8], input: u32, folder: &RepoPath) -> Result<Vec<Entry>, Unread> {
    let root = yaml::read(bytes, FILE_CAP)?;
    let packages = root.get("packages").ok_or_else(|| malformed(root.line, "no `packages`"))?;
    if !is_mapping(packages) {
        return Err(malformed(packages.line, "`packages` is no mapping"));
    }
    packages.members().iter().map(|member| entry(member, input, folder)).collect()
}

fn entry(member: &Member<'_>, input: u32, folder: &RepoPath) -> Result<Entry, Unread> {
    let (key, line, node) = (&*member.key, member.line, &member.node);
    let missing = |what: &str| malformed(line, format!("the entry has no {what}"));
    let kind = node.text_of("source").ok_or_else(|| missing("source"))?;
    let entry = |package| Entry { key: key.to_owned(), kind: kind.to_owned(), package };
    if kind == "sdk" {
        return Ok(entry(None));
    }
    let version = node.text_of("version").ok_or_else(|| missing("version"))?;
    let about = node.get("description").ok_or_else(|| missing("description"))?;
    // The oldest form of a registry's package is its name alone.
    let name = about.text_of("name").or_else(|| about.text()).filter(|_| kind == "hosted").unwrap_or(key);
    let package = Package {
        alias: (name != key).then(|| key.into()),
        ..Package::new(Ecosystem::Pub, name, version, Span { input, line, end_line: line })
    };
    Ok(entry(Some(match kind {
        "hosted" => Package {
            source: about.text_of("url").map_or_else(Source::public, Source::registry),
            checksum: about.text_of("sha256").and_then(|hex| of_hex("sha256", hex)),
            ..package
        },
        "git" => {
            let commit = about.text_of("resolved-ref");
            Package {
                source: Source::git(about.text_of("url").ok_or_else(|| missing("url"))?, commit),
                identity: Identity::Foreign,
                checksum: commit.and_then(of_commit),
                ..package
            }
        }
        "path" => {
            let path = about.text_of("path").or_else(|| about.text()).ok_or_else(|| missing("path"))?;
            Package { source: path_source(folder, path), identity: Identity::Foreign, ..package }
        }
        other => {
            let shown: String = other.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(Unread::Unsupported(format!("line {line}: a source of the kind `{shown}`")));
        }
    })))
}

/// A folder: as seen from the repository's root where it lies inside, and as written otherwise.
pub(super) fn path_source(folder: &RepoPath, path: &str) -> Source {
    match folder.join(path) {
        Some(inside) => Source::path(&inside.to_string()),
        None => Source::path(path),
    }
}
