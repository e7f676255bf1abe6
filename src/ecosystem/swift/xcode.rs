//! References to packages in the `project.pbxproj` of an Xcode project: a property list of the older text form.

use std::collections::HashMap;

use crate::ecosystem::syntax::{malformed, text};
use crate::ecosystem::{FILE_CAP, Files};
use crate::model::RepoPath;
use crate::model::checksum::of_commit;
use crate::model::tree::Unread;

/// The name of the file.
pub(super) const FILE: &str = "project.pbxproj";

/// What an object that refers to a package is called.
const KIND: &str = "XCRemoteSwiftPackageReference";

/// Lockfiles of workspaces that are looked at for one project.
const MAX_LOCKFILES: usize = 4;

/// References in one file, at the most.
const MAX_REFERENCES: usize = 10_000;

/// What one object refers to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub address: String,
    /// The version, branch or commit, as far as it is said.
    pub version: String,
    pub commit: Option<String>,
    /// Whether a version is asked for, and no branch or commit.
    pub is_release: bool,
    pub line: u32,
}

/// Whether a file refers to packages. What cannot be read may do so.
pub(super) fn refers(files: &dyn Files, path: &RepoPath) -> bool {
    match files.read(path) {
        // Only text of 8 bits is searched: the wider forms say so by their first bytes, and are refused later.
        Ok(Some((bytes, _))) => {
            bytes.starts_with(b"\xff\xfe")
                || bytes.starts_with(b"\xfe\xff")
                || String::from_utf8_lossy(&bytes).contains(KIND)
        }
        Ok(None) => false,
        Err(_) => true,
    }
}

/// The lockfiles that may speak for a project in `folder`: its own, or those of workspaces in the nearest folder above.
pub(super) fn lockfiles(all: &[RepoPath], folder: &RepoPath) -> Vec<RepoPath> {
    const INNER: &str = "xcshareddata/swiftpm";
    let own: Vec<RepoPath> = all.iter().filter(|path| path.is_within(folder)).take(MAX_LOCKFILES).cloned().collect();
    if !own.is_empty() {
        return own;
    }
    let mut above: Vec<(usize, &RepoPath)> = Vec::new();
    for path in all {
        let workspace = path.parent().as_str().strip_suffix(INNER).map(RepoPath::new);
        if let Some(workspace) = workspace.filter(|at| at.file_name().ends_with(".xcworkspace")) {
            let holder = workspace.parent();
            if folder.is_within(&holder) {
                above.push((holder.parts().count(), path));
            }
        }
    }
    let nearest = above.iter().map(|(depth, _)| *depth).max();
    let nearest = above.into_iter().filter(|(depth, _)| Some(*depth) == nearest);
    nearest.map(|(_, path)| path.clone()).take(MAX_LOCKFILES).collect()
}

/// The references of a file. One whose address cannot be read is a mistake.
pub(super) fn references(bytes: &[u8]) -> Result<Vec<Reference>, Unread> {
    let text = text(bytes, FILE_CAP)?;
    let mut found = Vec::new();
    // The object that is read: the line of its `isa`, and its plain attributes so far.
    let mut object: Option<(u32, HashMap<&str, &str>)> = None;
    let mut words: [(&str, u32); 3] = [("", 0); 3];
    let (mut rest, mut line) = (text, 1u32);
    while let Some((word, length)) = token(rest) {
        let start = line;
        line += rest.get(..length).unwrap_or_default().matches('\n').count() as u32;
        rest = rest.get(length..).unwrap_or_default();
        let Some(word) = word else { continue };
        let [_, second, third] = words;
        words = [second, third, (word, start)];
        let [(key, at), ("=", _), (value, _)] = words else { continue };
        if key == "isa" {
            found.extend(object.take().map(reference).transpose()?);
            if found.len() > MAX_REFERENCES {
                let what = "the references to packages".to_owned();
                return Err(Unread::TooLarge { what, size: found.len() as u64, cap: MAX_REFERENCES as u64 });
            }
            object = (value == KIND).then(|| (at, HashMap::new()));
        } else if key == "repositoryURL" && object.is_none() {
            return Err(malformed(at, "a `repositoryURL` outside of a reference to a package"));
        } else if let Some((_, attributes)) = &mut object
            && matches!(key, "repositoryURL" | "kind" | "version" | "minimumVersion" | "branch" | "revision")
            && attributes.insert(key, value).is_some()
        {
            return Err(malformed(at, format!("the key `{key}` stands twice")));
        }
    }
    found.extend(object.take().map(reference).transpose()?);
    if found.is_empty() {
        let message = "a project that refers to packages in a form other than the older property list";
        return Err(Unread::Unsupported(message.to_owned()));
    }
    Ok(found)
}

fn reference((line, attributes): (u32, HashMap<&str, &str>)) -> Result<Reference, Unread> {
    let get = |key: &str| attributes.get(key).copied().filter(|value| !matches!(*value, "{" | "(" | ""));
    let address = get("repositoryURL").filter(|address| !address.contains('\\'));
    let address = address.ok_or_else(|| malformed(line, "a reference to a package without an address to read"))?;
    let release = match (get("kind"), get("version").or_else(|| get("minimumVersion"))) {
        (Some("exactVersion"), Some(version)) => Some(format!("={version}")),
        (Some("branch" | "revision"), _) => None,
        (_, Some(version)) => Some(format!("from {version}")),
        (_, None) => None,
    };
    let revision = get("revision").or_else(|| get("branch"));
    Ok(Reference {
        address: address.to_owned(),
        is_release: release.is_some(),
        version: release.or_else(|| revision.map(ToOwned::to_owned)).unwrap_or_else(|| "*".to_owned()),
        commit: get("revision").filter(|commit| of_commit(commit).is_some()).map(ToOwned::to_owned),
        line,
    })
}

/// The next word, text or sign and its length, or a length of what means nothing.
fn token(text: &str) -> Option<(Option<&str>, usize)> {
    const SIGNS: &str = "{}()=;,";
    let first = text.chars().next()?;
    if text.starts_with("/*") {
        return Some((None, text.find("*/").map_or(text.len(), |at| at + 2)));
    }
    if text.starts_with("//") {
        return Some((None, text.find('\n').unwrap_or(text.len())));
    }
    if first.is_whitespace() {
        return Some((None, first.len_utf8()));
    }
    if first == '"' || first == '\'' {
        let bytes = text.as_bytes();
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            match *byte {
                b'\\' => at += 2,
                byte if byte == first as u8 => return Some((text.get(1..at), at + 1)),
                _ => at += 1,
            }
        }
        return Some((None, text.len()));
    }
    let length = if SIGNS.contains(first) {
        1
    } else {
        text.find(|c: char| c.is_whitespace() || SIGNS.contains(c) || matches!(c, '"' | '\'')).unwrap_or(text.len())
    };
    Some((text.get(..length), length))
}
