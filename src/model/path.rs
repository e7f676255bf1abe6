//! Paths inside a repository.

use std::sync::Arc;

/// A path relative to the repository's root: `/` between parts, no `.`, no `..`, no leading or trailing slash. The
/// root is the empty path. Bytes that are not UTF-8 are written `\xNN`, so that every path has one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<str>);

impl RepoPath {
    /// The repository's root.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// From a path as git stores it. Such a path is taken as it is: git's trees hold no `.` and no `..`.
    #[must_use]
    pub fn from_git(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self(Arc::from(text)),
            Err(_) => {
                let mut text = String::with_capacity(bytes.len() + 8);
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    for byte in chunk.invalid() {
                        text.push_str(&format!("\\x{byte:02x}"));
                    }
                }
                Self(Arc::from(text))
            }
        }
    }

    /// From text that is known to be a clean relative path.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::root().join(text).unwrap_or_else(Self::root)
    }

    /// This folder's `relative`, normalised; `None` where that leaves the repository or is absolute.
    #[must_use]
    pub fn join(&self, relative: &str) -> Option<Self> {
        if relative.starts_with('/') || relative.starts_with('\\') || relative.as_bytes().get(1) == Some(&b':') {
            return None;
        }
        let mut parts: Vec<&str> = self.parts().collect();
        for part in relative.split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                other => parts.push(other),
            }
        }
        Some(Self(Arc::from(parts.join("/"))))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes; none for the root.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The last part; empty for the root.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The folder that holds this path; the root's parent is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        self.0.rsplit_once('/').map_or_else(Self::root, |(folder, _)| Self(Arc::from(folder)))
    }

    /// Whether this is the repository's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this path is `folder` or lies somewhere below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root()
            || self.0.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// This path as seen from `folder`, which must hold it.
    #[must_use]
    pub fn relative_to(&self, folder: &Self) -> Option<&str> {
        if folder.is_root() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(folder.as_str())?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
    }
}

impl std::fmt::Display for RepoPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(if self.is_root() { "." } else { &self.0 })
    }
}

/// Whether `path` matches a glob of gitignore's kind: `**` crosses folders, `*` and `?` stay within one part, and a
/// pattern without a slash names the folder or file at any depth together with all below it.
#[must_use]
pub fn glob(pattern: &str, path: &RepoPath) -> bool {
    fn part(pattern: &[u8], text: &[u8]) -> bool {
        // Iterative with one backtrack point: linear in pattern times text, whatever the pattern.
        let (mut p, mut t, mut star) = (0, 0, None);
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(c) if *c == b'?' || Some(c) == text.get(t) => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((at, from)) => {
                        p = at + 1;
                        t = from + 1;
                        star = Some((at, t));
                    }
                    None => return false,
                },
            }
        }
        pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
    }
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        // A row of the usual dynamic programme: `row[j]` says whether the pattern so far matches `path[..j]`.
        let mut row = vec![false; path.len() + 1];
        if let Some(first) = row.first_mut() {
            *first = true;
        }
        for piece in pattern {
            let mut next = vec![false; path.len() + 1];
            let mut any = false;
            for (j, slot) in next.iter_mut().enumerate() {
                let here = row.get(j).copied().unwrap_or(false);
                if *piece == "**" {
                    any |= here;
                    *slot = any;
                } else if j > 0 {
                    let before = row.get(j - 1).copied().unwrap_or(false);
                    *slot = before && path.get(j - 1).is_some_and(|text| part(piece.as_bytes(), text.as_bytes()));
                }
            }
            row = next;
        }
        row.last().copied().unwrap_or(false)
    }
    let pieces: Vec<&str> = pattern.split('/').filter(|piece| !piece.is_empty()).collect();
    let path: Vec<&str> = path.parts().collect();
    if pieces.len() == 1 && !pattern.starts_with('/') && pieces.first() != Some(&"**") {
        return path.iter().any(|text| part(pieces.first().map_or(b"", |p| p.as_bytes()), text.as_bytes()));
    }
    parts(&pieces, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_normalises_and_refuses_to_leave_the_repository() {
        let folder = RepoPath::new("a/b");
        assert_eq!(folder.join("../c/./d").unwrap().as_str(), "a/c/d");
        assert_eq!(folder.join("../../..").as_ref().map(RepoPath::as_str), None);
        assert_eq!(folder.join("/etc/passwd"), None);
        assert_eq!(folder.join("c:\\x"), None);
        assert!(RepoPath::new("a/bc").parent() == RepoPath::new("a"));
        assert!(!RepoPath::new("a/bc").is_within(&folder));
    }

    #[test]
    fn globs_match_as_gitignore_does() {
        for (pattern, path, expected) in [
            ("**", "a/b", true),
            ("**/fixtures/**", "x/fixtures/y/Cargo.lock", true),
            ("**/fixtures/**", "fixtures/Cargo.lock", true),
            ("fixtures", "x/fixtures/y", true),
            ("*.lock", "x/Cargo.lock", true),
            ("/a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/**/c", "a/c", true),
            ("**/*x*x*x*x*y", "xxxxxxxxxxxxxxxxxxxxxxxx", false),
        ] {
            assert_eq!(glob(pattern, &RepoPath::new(path)), expected, "{pattern} {path}");
        }
    }
}
