//! Source strings of `Cargo.lock`, and which of them are the public registry.

use std::borrow::Cow;

/// What kind of source an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKind {
    /// A registry with an index in git (`registry+`) or over HTTP (`sparse+`).
    Registry,
    /// A git repository.
    Git,
}

/// A source as the lockfile names it. Sources order and compare by what they mean, not by how a version of the
/// lockfile spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address<'a> {
    /// The kind.
    pub kind: AddressKind,
    /// The address with its scheme and query, without the commit.
    pub url: Cow<'a, str>,
    /// The commit of a git source.
    pub commit: Option<Cow<'a, str>>,
}

impl<'a> Address<'a> {
    /// Reads a source string of a lockfile of that version; `None` for a scheme that cargo does not write.
    #[must_use]
    pub fn read(text: &Cow<'a, str>, version: u8) -> Option<Self> {
        let (scheme, rest) = text.split_once('+')?;
        match scheme {
            "registry" | "sparse" if !rest.is_empty() => {
                Some(Self { kind: AddressKind::Registry, url: text.clone(), commit: None })
            }
            "git" if !rest.is_empty() => {
                let (url, commit) = match text {
                    Cow::Borrowed(text) => match text.split_once('#') {
                        Some((url, commit)) => (Cow::Borrowed(url), Some(Cow::Borrowed(commit))),
                        None => (Cow::Borrowed(*text), None),
                    },
                    Cow::Owned(text) => match text.split_once('#') {
                        Some((url, commit)) => (Cow::Owned(url.to_owned()), Some(Cow::Owned(commit.to_owned()))),
                        None => (Cow::Owned(text.clone()), None),
                    },
                };
                Some(Self { kind: AddressKind::Git, url: reference(url, version), commit })
            }
            _ => None,
        }
    }

    /// Whether the commit is a full one.
    #[must_use]
    pub fn full_commit(&self) -> Option<&str> {
        self.commit.as_deref().filter(|c| matches!(c.len(), 40 | 64) && c.bytes().all(|b| b.is_ascii_hexdigit()))
    }
}

/// Spells the query of a git address one way. Version 4 percent-encodes the name of a branch or tag and earlier
/// versions do not; the oldest call a branch `ref`. Escapes of the characters that divide a query stay, so that no
/// two references become one.
fn reference(url: Cow<'_, str>, version: u8) -> Cow<'_, str> {
    let Some((base, query)) = url.split_once('?') else {
        return url;
    };
    let is_encoded = version >= 4 && (query.contains('%') || query.contains('+'));
    if !is_encoded && !query.starts_with("ref=") {
        return url;
    }
    let query = if is_encoded { decode(query) } else { query.to_owned() };
    let query = match query.strip_prefix("ref=") {
        Some(name) => format!("branch={name}"),
        None => query,
    };
    Cow::Owned(format!("{base}?{query}"))
}

/// Undoes the encoding of form fields, but for `%`, `&`, `#` and what would not be UTF-8.
fn decode(query: &str) -> String {
    let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = query.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => Some(high * 16 + low),
            _ => None,
        };
        match (escaped, byte) {
            (Some(byte), _) if !matches!(byte, b'%' | b'&' | b'#') => {
                out.push(byte);
                at += 3;
            }
            (_, b'+') => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| query.to_owned())
}

/// An address of a registry without the scheme's prefix and the last slash.
fn bare(address: &str) -> &str {
    let address = address.strip_prefix("sparse+").or(address.strip_prefix("registry+")).unwrap_or(address);
    address.strip_suffix('/').unwrap_or(address)
}

/// Whether the address of a registry is the public one or counts as it.
#[must_use]
pub fn is_public(address: &str, mirrors: &[String]) -> bool {
    let address = bare(address);
    address == bare(tame_index::CRATES_IO_INDEX)
        || address == bare(tame_index::CRATES_IO_HTTP_INDEX)
        || mirrors.iter().any(|mirror| bare(mirror) == address)
}

/// The public registry as cargo's lockfiles name it.
#[must_use]
pub fn public_address() -> String {
    format!("registry+{}", tame_index::CRATES_IO_INDEX)
}

/// Two addresses of git repositories that cargo takes for one: case, a last slash and `.git` do not count.
#[must_use]
pub fn same_repository(a: &str, b: &str) -> bool {
    fn canonical(url: &str) -> String {
        let url = url.strip_prefix("git+").unwrap_or(url);
        let url = url.split_once(['?', '#']).map_or(url, |(base, _)| base);
        let url = url.strip_suffix('/').unwrap_or(url);
        url.strip_suffix(".git").unwrap_or(url).to_ascii_lowercase()
    }
    canonical(a) == canonical(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, version: u8) -> Address<'_> {
        Address::read(&Cow::Borrowed(text), version).unwrap()
    }

    #[test]
    fn an_upgrade_of_the_format_changes_no_source() {
        let old = read("git+https://example.org/x?branch=feature/a+b#0123", 3);
        let new = read("git+https://example.org/x?branch=feature%2Fa%2Bb#0123", 4);
        assert_eq!(old, new);
        assert_eq!(new.commit.as_deref(), Some("0123"));
        assert_eq!(read("git+https://example.org/x?ref=a", 1), read("git+https://example.org/x?branch=a", 2));
    }

    #[test]
    fn decoding_merges_no_two_references() {
        let urls = ["?branch=a%26tag=b", "?branch=a&tag=b", "?branch=a%2526tag=b", "?branch=a%23b", "?branch=a%FF"];
        let all: std::collections::BTreeSet<_> =
            urls.iter().map(|q| read(&format!("git+https://example.org/x{q}"), 4).url.into_owned()).collect();
        assert_eq!(all.len(), urls.len(), "{all:?}");
    }

    #[test]
    fn only_cargos_own_schemes_are_read() {
        for text in ["", "git", "git+", "path+file:///x", "https://example.org", "registry+", "local-registry+x"] {
            assert_eq!(Address::read(&Cow::Borrowed(text), 3), None, "{text}");
        }
    }

    #[test]
    fn the_public_registry_has_several_spellings_and_mirrors_count() {
        assert!(is_public(&public_address(), &[]));
        assert!(is_public(tame_index::CRATES_IO_HTTP_INDEX, &[]));
        assert!(!is_public("registry+https://example.org/index", &[]));
        assert!(is_public("registry+https://example.org/index", &["sparse+https://example.org/index/".to_owned()]));
        assert!(!is_public(&format!("{}x", public_address()), &[]));
        assert!(same_repository("git+https://Example.org/A.git?tag=1#x", "https://example.org/a/"));
    }
}
