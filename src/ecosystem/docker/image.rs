//! References of images, as the distribution specification writes them: `host:port/path:tag@digest`.

use crate::model::inventory::{Package, Source, Span};
use crate::model::{Ecosystem, checksum};

/// Bytes of a reference, with everything.
const MAX_REFERENCE: usize = 1_024;

/// Bytes of a name (distribution/reference, `NameTotalLengthMax`).
const MAX_NAME: usize = 255;

/// A reference. What is left of variables stands in the tag alone, so that the name is always known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The registry, where one is written.
    pub host: Option<Box<str>>,
    /// The path without the host; without `library/` where there is no host.
    pub name: Box<str>,
    /// The tag, as written.
    pub tag: Option<Box<str>>,
    /// The digest, as a checksum.
    pub digest: Option<Box<str>>,
}

/// Reads a reference; `None` for what is none, and for one whose name is not known because a variable stands in it.
#[must_use]
pub fn parse(text: &str) -> Option<Image> {
    if text.len() > MAX_REFERENCE || text.chars().any(char::is_control) {
        return None;
    }
    let (rest, digest, unknown) = match text.rsplit_once('@') {
        None => (text, None, None),
        Some((rest, digest)) if digest.contains('$') => (rest, None, Some(digest)),
        Some((rest, digest)) => {
            let (algorithm, hex) = digest.split_once(':')?;
            (rest, Some(checksum::of_hex(algorithm, hex)?), None)
        }
    };
    // A variable may stand in the tag. Before it, it could be anything: another name, another host.
    let (head, tail) = rest.split_at_checked(rest.find('$').unwrap_or(rest.len()))?;
    if tail.contains('/') {
        return None;
    }
    let (path, tag) = match head.rsplit_once(':') {
        Some((path, start)) if !start.contains('/') => {
            let is_tag = if tail.is_empty() { is_tag(start) } else { start.is_empty() || is_tag(start) };
            (path, Some(is_tag.then(|| format!("{start}{tail}"))?))
        }
        _ if tail.is_empty() => (head, None),
        _ => return None,
    };
    let (host, name) = match path.split_once('/') {
        Some((host, name)) if is_host(host) => (Some(host), name),
        _ => (None, path),
    };
    let name = match name.strip_prefix("library/") {
        Some(short) if host.is_none() && !short.contains('/') => short,
        _ => name,
    };
    let is_host_written =
        host.is_none_or(|host| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)));
    if !is_host_written || !is_path(name) {
        return None;
    }
    let tag = match (tag, unknown) {
        (Some(tag), Some(unknown)) => Some(format!("{tag}@{unknown}")),
        (tag, unknown) => tag.or_else(|| unknown.map(str::to_owned)),
    };
    Some(Image { host: host.map(Into::into), name: name.into(), tag: tag.map(Into::into), digest })
}

impl Image {
    /// The package that it is. Without tag and digest it is `latest`; only a digest fixes it.
    #[must_use]
    pub fn package(&self, span: Span) -> Package {
        let version = self.tag.as_deref().or(self.digest.as_deref()).unwrap_or("latest");
        Package {
            is_locked: self.digest.is_some(),
            checksum: self.digest.clone(),
            source: self.host.as_deref().map_or_else(Source::public, Source::registry),
            direct: true,
            declared: Some(span),
            ..Package::new(Ecosystem::Docker, &self.name, version, span)
        }
    }
}

/// Whether the first part of a reference is a registry and no part of the path.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether a text is the path of a reference: parts of lower-case letters and digits, with `.`, `_`, `__` or any
/// number of `-` between them.
#[must_use]
pub fn is_path(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME && text.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (mut before, mut is_first) = (String::new(), true);
    for byte in part.bytes() {
        if is_word(byte) {
            let is_between = matches!(&*before, "" | "." | "_" | "__") || before.bytes().all(|b| b == b'-');
            if !is_between || (is_first && !before.is_empty()) {
                return false;
            }
            is_first = false;
            before.clear();
        } else if matches!(byte, b'.' | b'_' | b'-') {
            before.push(char::from(byte));
        } else {
            return false;
        }
    }
    !is_first && before.is_empty()
}
