//! Addresses that a requirement names in place of a version: repositories, archives, folders.

use crate::model::checksum;
use crate::model::inventory::{Identity, Source};

/// Version control systems that pip and its peers install from, as they start an address.
const SYSTEMS: &[&str] = &["git+", "hg+", "svn+", "bzr+"];

/// Endings of archives and wheels.
const ARCHIVES: &[&str] = &[".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar", ".tbz", ".egg"];

/// What an address says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Direct {
    /// Where the bytes come from, without credentials.
    pub source: Source,
    /// Always from elsewhere than the registry.
    pub identity: Identity,
    /// Whether the address fixes the bytes' version: a full commit, or an archive.
    pub is_locked: bool,
    /// The digest in the address, or its commit.
    pub checksum: Option<Box<str>>,
    /// The name after `#egg=`.
    pub egg: Option<Box<str>>,
    /// The branch, tag or commit of a repository, as written.
    pub reference: Option<Box<str>>,
    /// The version in the name of an archive that has the usual shape of a wheel or source archive.
    pub version: Option<Box<str>>,
    /// The name in the name of such an archive.
    pub archive: Option<Box<str>>,
}

/// Whether a text is an address and not a path or a requirement.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    let starts = |prefix: &&str| scheme.len() >= prefix.len() && text.to_ascii_lowercase().starts_with(*prefix);
    text.contains("://") && !scheme.contains(['/', '\\', ' ', '@'])
        || scheme.eq_ignore_ascii_case("file")
        || (!scheme.contains([' ', '/', '\\']) && SYSTEMS.iter().any(starts))
}

/// Whether a text ends as an archive does.
#[must_use]
pub fn is_archive(text: &str) -> bool {
    let plain = text.split(['#', '?']).next().unwrap_or(text).to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| plain.ends_with(ending))
}

/// Reads an address: `git+https://…@ref#egg=name`, `https://…/name-1.0.tar.gz#sha256=…`, `file:…`.
#[must_use]
pub fn direct(address: &str) -> Direct {
    let (plain, fragment) = address.split_once('#').unwrap_or((address, ""));
    let field = |wanted: &str| {
        fragment.split('&').filter_map(|part| part.split_once('=')).find(|(key, _)| *key == wanted).map(|(_, v)| v)
    };
    let egg = field("egg").map(|egg| super::requirement::split_name(egg).0.into());
    let lower = plain.to_ascii_lowercase();
    if let Some(system) = SYSTEMS.iter().find(|system| lower.starts_with(**system)) {
        let (base, reference) = split_reference(plain);
        let (Some(bare), true) = (base.get(system.len()..), *system == "git+") else {
            return Direct { egg, ..elsewhere(Source::registry(&without_credentials(plain)), false) };
        };
        return Direct { egg, ..repository(bare, reference) };
    }
    if lower.starts_with("file:") {
        let folder = plain.get("file:".len()..).unwrap_or_default();
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        return Direct { egg, ..elsewhere(Source::path(folder), false) };
    }
    let digests = ["sha512", "sha384", "sha256", "sha224", "sha1", "md5"];
    let checksum = digests.iter().find_map(|name| checksum::of_hex(name, field(name)?));
    let (archive, version) = archive_parts(plain).unzip();
    // The digest is fetched by, so it is no part of the place.
    Direct { egg, checksum, archive, version, ..elsewhere(Source::registry(&without_credentials(plain)), true) }
}

/// A repository of git, at a commit where the reference is a full one.
#[must_use]
pub fn repository(address: &str, reference: Option<&str>) -> Direct {
    let commit = reference.filter(|reference| checksum::of_commit(reference).is_some());
    let source = Source::git(&without_credentials(address), commit);
    let checksum = commit.and_then(checksum::of_commit);
    let reference = reference.map(Box::from);
    Direct { reference, checksum, ..elsewhere(source, commit.is_some()) }
}

fn elsewhere(source: Source, is_locked: bool) -> Direct {
    Direct {
        source,
        identity: Identity::Foreign,
        is_locked,
        checksum: None,
        egg: None,
        reference: None,
        version: None,
        archive: None,
    }
}

/// The address of a repository and what follows the `@` of its path. The one of `user@host` stands before the path.
fn split_reference(address: &str) -> (&str, Option<&str>) {
    let authority = address.find("://").map_or(0, |at| at + 3);
    let path = address.get(authority..).and_then(|rest| rest.find('/')).map_or(address.len(), |at| authority + at);
    match address.rfind('@').filter(|at| *at > path) {
        Some(at) => (address.get(..at).unwrap_or(address), address.get(at + 1..)),
        None => (address, None),
    }
}

/// The name and version in the file name of a wheel (`name-1.0-py3-none-any.whl`) or source archive
/// (`name-1.0.tar.gz`), where it has that shape.
#[must_use]
pub fn archive_parts(address: &str) -> Option<(Box<str>, Box<str>)> {
    let plain = address.split(['#', '?']).next()?;
    let file = plain.rsplit('/').next()?.replace("%2B", "+").replace("%2b", "+");
    let (name, version) = if let Some(wheel) = file.strip_suffix(".whl") {
        let mut parts = wheel.split('-');
        (parts.next()?, parts.next()?)
    } else {
        let stem = file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip"))?;
        stem.rsplit_once('-')?
    };
    (super::is_name(name) && super::version::Version::parse(version).is_some()).then(|| (name.into(), version.into()))
}

/// An address without its password, and without its user where it is fetched over HTTP. Secrets are never repeated.
#[must_use]
pub fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    // A password may itself hold an `@` or a slash; the last `@` before the next blank ends it.
    let Some((user, host)) = authority.rsplit_once('@') else {
        return address.to_owned();
    };
    let is_http = scheme.to_ascii_lowercase().ends_with("http") || scheme.to_ascii_lowercase().ends_with("https");
    match user.split(':').next() {
        Some(name) if !is_http && !name.is_empty() => format!("{scheme}://{name}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}
