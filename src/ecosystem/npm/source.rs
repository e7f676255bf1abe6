//! Where a package comes from: the addresses in `resolved`, and the specifiers of manifests.

use std::borrow::Cow;

use crate::model::checksum;
use crate::model::inventory::{Identity, Source};

/// Characters of a path that a contradiction shows, at the most.
const MAX_SHOWN: usize = 200;

/// What a lock entry's address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Where the package comes from.
    pub source: Source,
    /// Whether public advisories speak of it: not where it comes from git, a folder or a plain archive.
    pub identity: Identity,
    /// What the address names instead of the entry's name and version.
    pub contradiction: Option<Box<str>>,
    /// The checksum that the address carries: the commit of a git source, or a SHA-1 behind `#`.
    pub checksum: Option<Box<str>>,
}

/// Reads the address of a lock entry of that name and version. A `file:` address keeps its path as written.
///
/// An address of a registry is `<registry>/<name>/-/<last part of the name>-<version>.tgz`, where a registry may put
/// folders before the archive's name. Only such an address can contradict its entry. Mirrors that write `download` for
/// `-`, and registries that write `download/<name>/<version>/<digest>`, are registries as well, and never contradict.
#[must_use]
pub fn resolved(address: &str, name: &str, version: &str) -> Resolved {
    let plain = |source, identity| Resolved { source, identity, contradiction: None, checksum: None };
    if let Some((address, commit)) = git(address) {
        let checksum = commit.and_then(checksum::of_commit);
        return Resolved { checksum, ..plain(Source::git(address, commit), Identity::Foreign) };
    }
    if let Some(path) = strip_scheme(address, "file:") {
        return plain(Source::path(path), Identity::Foreign);
    }
    if !is_http(address) {
        let has_scheme = address.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '.']));
        let source = if has_scheme { Source::registry(address) } else { Source::path(address) };
        return plain(source, Identity::Foreign);
    }
    let (bare, fragment) = split(address, '#');
    let digest = fragment.and_then(|hex| checksum::of_hex("sha1", hex));
    let (bare, _query) = split(bare, '?');
    if let Some((repository, commit)) = snapshot(bare) {
        return plain(Source::git(repository, Some(commit)), Identity::Foreign);
    }
    match shape(bare, name) {
        Some(Shape { registry, said, file }) => Resolved {
            contradiction: unclear(bare).or_else(|| said.and_then(|said| contradiction(&said, file, name, version))),
            checksum: digest,
            ..plain(Source::registry(registry), Identity::Public)
        },
        None => Resolved { checksum: digest, ..plain(Source::registry(bare), Identity::Foreign) },
    }
}

/// The path of an address that leads elsewhere than its text says: clients resolve `.` and `..`, take `\` for `/`, drop
/// tabs and line ends, and servers undo escapes. No registry writes any of it, but a scope's `@` and `/` and the `+` of
/// a version are escaped by some.
fn unclear(address: &str) -> Option<Box<str>> {
    let (_, rest) = address.split_once("://")?;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let is_escape = |tail: &str| {
        ["2f", "40", "2b"].iter().any(|known| tail.get(..2).is_some_and(|code| code.eq_ignore_ascii_case(known)))
    };
    let is_dots = |part: &str| matches!(part, "." | "..");
    let is_plain = !rest.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control())
        && path.split('%').skip(1).all(is_escape)
        && !path.split('/').any(|part| decode(part).split('/').any(is_dots));
    (!is_plain).then(|| path.chars().take(MAX_SHOWN).collect::<String>().into())
}

/// The parts of an address of a registry.
struct Shape<'a> {
    /// The registry's own address, without the last slash.
    registry: &'a str,
    /// The name that the address says, where the address has the usual shape.
    said: Option<String>,
    /// The name of the archive.
    file: &'a str,
}

/// Takes the address of an archive apart; `None` where a registry would not write it.
fn shape<'a>(address: &'a str, name: &str) -> Option<Shape<'a>> {
    if let Some((before, after)) = address.rsplit_once("/-/") {
        let file = after.rsplit_once('/').map_or(after, |(_, file)| file);
        let (registry, last) = before.rsplit_once('/')?;
        let (registry, said) = match registry.rsplit_once('/') {
            Some((above, scope)) if decode(scope).starts_with('@') => {
                (above, format!("{}/{}", decode(scope), decode(last)))
            }
            _ => (registry, decode(last).into_owned()),
        };
        let is_below_host = registry.split_once("://").is_some_and(|(_, rest)| !rest.is_empty());
        return is_below_host.then_some(Shape { registry, said: Some(said), file });
    }
    // Without the usual mark, the entry's own name must stand in the address as whole parts of the path.
    let host_end = address.find("://").map_or(0, |at| at + 3);
    let path_start = host_end + address.get(host_end..)?.find('/')?;
    let encoded = name.replace('/', "%2f");
    for spelling in [name, &encoded] {
        let needle = format!("/{spelling}/");
        let Some(at) = address.get(path_start..)?.find(&needle).map(|at| at + path_start) else { continue };
        let (registry, rest) = (address.get(..at)?, address.get(at + needle.len()..)?);
        let is_mirror = rest.starts_with("download/");
        let is_store = registry.ends_with("/download") && rest.contains('/');
        if is_mirror || is_store {
            let registry = registry.strip_suffix("/download").unwrap_or(registry);
            return Some(Shape { registry, said: None, file: "" });
        }
    }
    None
}

/// What an address of the usual shape names, where that is not its entry.
fn contradiction(said: &str, file: &str, name: &str, version: &str) -> Option<Box<str>> {
    let file = decode(file);
    let stem = file.strip_suffix(".tgz").or_else(|| file.strip_suffix(".tar.gz"));
    let named = stem.and_then(|stem| archive(stem, said, version));
    match named {
        // Not how archives are named: the path alone speaks.
        None if said == name => None,
        None => Some(said.into()),
        Some((base, found)) => {
            let is_same = said == name && is_base(base, name) && is_version(found, version);
            // The archive is what is fetched, so it is what the address names.
            let shown = if is_base(base, said) { said } else { base };
            (!is_same).then(|| format!("{shown} {found}").into())
        }
    }
}

/// Divides `<base>-<version>`: where the name says, or else before the first digit that makes the rest a version.
fn archive<'f>(stem: &'f str, said: &str, version: &str) -> Option<(&'f str, &'f str)> {
    let known = said.rsplit_once('/').map_or(said, |(_, base)| base);
    let after = |base: &str| stem.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
    if let Some(found) = after(known).filter(|found| is_version(found, version) || is_full(found)) {
        return stem.get(..known.len()).map(|base| (base, found));
    }
    let hyphens = stem.match_indices('-').take(64);
    hyphens.filter_map(|(at, _)| Some((stem.get(..at)?, stem.get(at + 1..)?))).find(|(_, found)| is_full(found))
}

fn is_full(text: &str) -> bool {
    super::version::Version::parse(text).is_some_and(|version| version.is_full())
}

/// Whether an archive's name is the last part of a package's, or the whole of it as packing writes it.
fn is_base(base: &str, name: &str) -> bool {
    match name.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        None => base == name,
        Some((scope, last)) => {
            base == last
                || base
                    .strip_suffix(last)
                    .and_then(|start| start.strip_suffix('-'))
                    .is_some_and(|start| start.strip_prefix('@').unwrap_or(start) == scope)
        }
    }
}

/// Whether two versions are one; build metadata is no part of an archive's name everywhere.
fn is_version(a: &str, b: &str) -> bool {
    fn bare(text: &str) -> &str {
        let text = text.strip_prefix('=').unwrap_or(text);
        let text = text.strip_prefix('v').unwrap_or(text);
        text.split('+').next().unwrap_or(text)
    }
    a == b || bare(a) == bare(b)
}

/// A git address without its commit, and the commit where it is a full one. What is no commit stays in the address: a
/// branch or tag that changes is another source.
#[must_use]
pub fn git(address: &str) -> Option<(&str, Option<&str>)> {
    let (bare, fragment) = split(address, '#');
    let has_scheme = |scheme: &str| strip_scheme(bare, scheme).is_some();
    let by_scheme =
        ["git+", "git:", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"].iter().any(|scheme| has_scheme(scheme));
    let path = bare.split('?').next().unwrap_or(bare);
    let is_repository = is_http(bare) && (path.ends_with(".git") || is_hosted(path));
    // `git@host:owner/repository`
    let is_scp = !bare.contains("://")
        && bare.split_once('@').is_some_and(|(user, rest)| is_word(user) && rest.contains(':') && rest.contains('/'))
        && !bare.starts_with("npm:");
    if !by_scheme && !is_repository && !is_scp && !is_shorthand(bare) {
        return None;
    }
    let commit = fragment.map(|text| text.split_once('=').filter(|(key, _)| *key == "commit").map_or(text, |(_, c)| c));
    match commit.filter(|commit| checksum::of_commit(commit).is_some()) {
        Some(commit) => Some((bare, Some(commit))),
        None => Some((address, None)),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// `owner/repository`.
fn is_shorthand(text: &str) -> bool {
    let is_owner = |owner: &str| is_word(owner) && !owner.starts_with('.');
    text.split_once('/').is_some_and(|(owner, rest)| is_owner(owner) && is_word(rest))
}

/// `https://host/owner/repository` of the hosts whose pages npm takes for repositories.
fn is_hosted(address: &str) -> bool {
    const HOSTS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org"];
    let Some((_, rest)) = address.split_once("://") else { return false };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let mut parts = rest.trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    HOSTS.iter().any(|known| host.eq_ignore_ascii_case(known)) && parts.count() == 2 && !is_archive(rest)
}

/// The repository and commit of an archive that a host makes of a commit. Its bytes are not fixed by the commit: no
/// digest of them is.
fn snapshot(address: &str) -> Option<(&str, &str)> {
    let (_, rest) = address.split_once("://")?;
    let is_host = rest.starts_with("codeload.github.com/");
    let (repository, commit) = address.rsplit_once("/tar.gz/").filter(|_| is_host)?;
    checksum::of_commit(commit).map(|_| (repository, commit))
}

fn is_http(address: &str) -> bool {
    strip_scheme(address, "https:").is_some() || strip_scheme(address, "http:").is_some()
}

fn is_archive(path: &str) -> bool {
    [".tgz", ".tar.gz", ".tar"].iter().any(|end| {
        path.len() >= end.len() && path.get(path.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    })
}

/// What stands behind a scheme, whatever its case.
fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let head = text.get(..scheme.len())?;
    if head.eq_ignore_ascii_case(scheme) { text.get(scheme.len()..) } else { None }
}

/// A text before and behind the first of a character.
fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Undoes percent-encoding where the result is text.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// What a manifest, an override or a lockfile's key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec<'a> {
    /// A range of versions or a tag of the registry; `*` where nothing is written.
    Range(&'a str),
    /// Another package of the registry: its name, and a range or tag of it.
    Alias(Cow<'a, str>, &'a str),
    /// A git repository: its address without a commit, and the commit where it is a full one.
    Git(&'a str, Option<&'a str>),
    /// An archive at an address.
    Archive(&'a str),
    /// A folder or archive in the file system, without its scheme. Relative to the manifest's folder.
    Path(&'a str),
    /// A member of the workspace: what stands behind `workspace:`.
    Workspace(&'a str),
    /// What the workspace's catalog of that name says; the default one where it is empty.
    Catalog(&'a str),
    /// A package with a patch on it: the specifier inside `patch:…`, still encoded, and the rest.
    Patch(&'a str, &'a str),
    /// A protocol that is none of these.
    Other(&'a str),
}

impl<'a> Spec<'a> {
    /// Reads a specifier. No text is an error: what is no known form is [`Self::Other`] or a tag.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let text = text.trim();
        if let Some(rest) = strip_scheme(text, "npm:") {
            let (name, range) = name_and_range(rest);
            // Yarn writes `npm:` before a plain range.
            let is_range = !name.starts_with('@') && name_is_range(rest);
            return if is_range { Self::Range(any(rest)) } else { Self::Alias(Cow::Borrowed(name), any(range)) };
        }
        if let Some(rest) = strip_scheme(text, "jsr:") {
            return jsr(rest).unwrap_or(Self::Other(text));
        }
        for scheme in ["file:", "link:", "portal:"] {
            if let Some(path) = strip_scheme(text, scheme) {
                return Self::Path(path);
            }
        }
        if let Some(rest) = strip_scheme(text, "workspace:") {
            return Self::Workspace(rest);
        }
        if let Some(rest) = strip_scheme(text, "catalog:") {
            return Self::Catalog(rest.trim());
        }
        if let Some(rest) = strip_scheme(text, "patch:") {
            let (inner, patch) = split(rest, '#');
            return Self::Patch(inner, patch.unwrap_or_default());
        }
        let is_path = text.starts_with(['.', '/']) || text.starts_with("~/") || text.as_bytes().get(1) == Some(&b':');
        if is_path {
            return Self::Path(text);
        }
        if let Some((address, commit)) = git(text) {
            return Self::Git(address, commit);
        }
        if is_http(text) {
            return Self::Archive(text);
        }
        if text.split_once(':').is_some_and(|(scheme, _)| is_word(scheme)) {
            return Self::Other(text);
        }
        if text.contains('/') || is_archive(text) {
            return Self::Path(text);
        }
        Self::Range(any(text))
    }

    /// Whether it asks for a package of a registry.
    #[must_use]
    pub const fn is_registry(&self) -> bool {
        matches!(self, Self::Range(_) | Self::Alias(..))
    }

    /// Whether a locked version can be what is asked for; `None` where that cannot be told: tags, catalogs, addresses.
    /// A bare `*` takes prereleases as well, as npm has it.
    #[must_use]
    pub fn admits(&self, version: &str) -> Option<bool> {
        match self {
            Self::Range("*") | Self::Alias(_, "*") => Some(true),
            Self::Range(range) | Self::Alias(_, range) => super::range::Range::parse(range)?.holds(version),
            _ => None,
        }
    }

    /// The source that it asks for, where it is no package of the registry.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        match self {
            Self::Range(_) | Self::Alias(..) | Self::Workspace(_) | Self::Catalog(_) => None,
            Self::Git(address, commit) => Some(Source::git(address, *commit)),
            Self::Archive(address) | Self::Other(address) => Some(Source::registry(address)),
            Self::Path(path) => Some(Source::path(path)),
            Self::Patch(..) => None,
        }
    }
}

/// `name@range`; the range is empty where there is none.
#[must_use]
pub fn name_and_range(text: &str) -> (&str, &str) {
    let start = usize::from(text.starts_with('@'));
    let at = text.get(start..).and_then(|rest| rest.find('@')).map(|at| at + start);
    at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))).unwrap_or((text, ""))
}

fn name_is_range(text: &str) -> bool {
    // `x` is a package before it is a range.
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.is_empty() || text == "latest" || (!is_name && super::range::Range::parse(text).is_some())
}

fn any(range: &str) -> &str {
    let range = range.trim();
    if range.is_empty() { "*" } else { range }
}

/// A package of JSR, under the name that its registry for npm gives it: `@jsr/<scope>__<name>`.
fn jsr(rest: &str) -> Option<Spec<'_>> {
    let (name, range) = name_and_range(rest);
    let (scope, last) = name.strip_prefix('@')?.split_once('/')?;
    Some(Spec::Alias(Cow::Owned(format!("@jsr/{scope}__{last}")), any(range)))
}
