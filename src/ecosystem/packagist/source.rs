//! Where a package of a `composer.lock` comes from.

use crate::ecosystem::syntax::json::Table;
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Package, Source, SourceKind};

/// Fills in source, checksum and what the addresses of an entry say against it.
///
/// A lockfile does not name the repository that a package was found in, but for the address that is told of an
/// installation (`notification-url`): that one stands for the repository. The bytes come from `dist.url` or, where
/// sources are preferred, `source.url`, whatever the repository is. So these are part of the source as well: a package
/// whose bytes come from elsewhere than before has another source, even where version and reference stay.
pub(super) fn fill(package: &mut Package, entry: &Table<'_>) {
    let (dist, source) = (entry.table("dist"), entry.table("source"));
    let of = |table: Option<&Table<'_>>, key: &str| {
        table.and_then(|table| table.text(key)).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (url, repository) = (of(dist, "url"), of(source, "url"));
    let reference = of(dist, "reference").or_else(|| of(source, "reference"));
    let is_path = [dist, source].iter().any(|table| of(*table, "type").as_deref() == Some("path"));
    let notified = entry.text("notification-url").filter(|text| !text.is_empty());
    package.checksum = of(dist, "shasum")
        .and_then(|digest| of_hex("sha1", &digest))
        .or_else(|| reference.as_deref().and_then(of_commit))
        .filter(|_| !is_path);
    (package.source, package.identity) = match (notified, &repository, &url) {
        _ if is_path => {
            let folder = url.as_ref().or(repository.as_ref());
            (Source::path(folder.map_or("", String::as_str)), Identity::Foreign)
        }
        (Some(address), _, _) => {
            let mut origins: Vec<String> = repository.iter().map(|url| bare(url)).collect();
            origins
                .extend(url.iter().filter_map(|url| origin(url, repository.as_deref(), package, reference.as_deref())));
            for mirror in [dist, source].into_iter().flatten().flat_map(|table| table.list("mirrors")) {
                origins.extend(mirror.table().and_then(|table| table.text("url")).map(str::to_owned));
            }
            // An address without transport security is not hidden behind one that has it.
            origins.sort_by_key(|origin| !is_plain(origin));
            let from = (!origins.is_empty()).then(|| origins.join(" ").into());
            (Source { kind: SourceKind::Registry, address: address.into(), commit: from }, Identity::Public)
        }
        // The bytes are not the repository's.
        (None, Some(repository), Some(url))
            if origin(url, Some(repository), package, reference.as_deref()).is_some() =>
        {
            let address = origin(url, Some(repository), package, reference.as_deref()).unwrap_or_default();
            let from = Some(bare(repository).into());
            (Source { kind: SourceKind::Registry, address: address.into(), commit: from }, Identity::Foreign)
        }
        (None, Some(repository), _) => (Source::git(repository, of(source, "reference").as_deref()), Identity::Foreign),
        (None, None, Some(url)) => (Source::registry(url), Identity::Foreign),
        (None, None, None) => (Source::public(), Identity::Public),
    };
    if let Some(archive) = url.as_deref().and_then(archive) {
        let other = |a: &str, b: &str| is_commit(a) && is_commit(b) && !a.eq_ignore_ascii_case(b);
        let is_other_commit = reference.as_deref().is_some_and(|commit| other(commit, archive.reference));
        let is_other_place = repository.as_deref().and_then(last_two).is_some_and(|own| own != archive.repository());
        if is_other_commit || is_other_place {
            package.contradiction = Some(format!("{} {}", archive.repository(), archive.reference).into());
        }
    }
}

/// Whether an address is fetched without transport security.
fn is_plain(url: &str) -> bool {
    url.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An address of a repository in one spelling.
fn bare(url: &str) -> String {
    url.strip_suffix('/').unwrap_or(url).trim_end_matches(".git").to_owned()
}

/// Owner and name at the end of a repository's address, in lower case.
fn last_two(url: &str) -> Option<String> {
    let url = url.strip_suffix('/').unwrap_or(url);
    let url = url.strip_suffix(".git").unwrap_or(url);
    let mut parts = url.rsplit(['/', ':']);
    let (name, owner) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !owner.is_empty()).then(|| format!("{owner}/{name}").to_ascii_lowercase())
}

/// An archive of a repository, as forges address them.
struct Archive<'u> {
    owner: &'u str,
    name: &'u str,
    reference: &'u str,
}

impl Archive<'_> {
    fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name).to_ascii_lowercase()
    }
}

/// Reads `…/owner/name/zipball/reference` and the like; `None` for an address of another shape.
fn archive(url: &str) -> Option<Archive<'_>> {
    let path = url.split_once("://")?.1.split(['?', '#']).next()?;
    let mut parts = path.rsplit('/');
    let (last, verb, name, owner) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // What is left is the host, or a folder below it: `owner` is never the host itself.
    parts.next()?;
    let is_archive = matches!(verb, "zipball" | "tarball" | "zip" | "legacy.zip" | "tar.gz" | "archive" | "get");
    let reference = last.trim_end_matches(".zip").trim_end_matches(".tar.gz");
    is_archive.then_some(Archive { owner, name, reference })
}

/// The part of an archive's address that stays from version to version; `None` where it is the repository's own
/// and no less secure.
fn origin(url: &str, repository: Option<&str>, package: &Package, reference: Option<&str>) -> Option<String> {
    let own = repository.and_then(last_two);
    if let (Some(own), Some(archive)) = (&own, archive(url))
        && *own == archive.repository()
        && (!is_plain(url) || repository.is_some_and(is_plain))
        && host(url).zip(repository.and_then(host)).is_some_and(|(a, b)| same_host(a, b))
    {
        return None;
    }
    let vendor = package.name.split('/').next().unwrap_or_default();
    let version = package.version.trim_start_matches('v');
    let varies = |part: &&str| {
        (!vendor.is_empty() && part.eq_ignore_ascii_case(vendor))
            || (!version.is_empty() && part.contains(version))
            || reference.is_some_and(|reference| part.contains(reference))
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // The host stays, whatever it is called.
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stays = vec![host];
    stays.extend(path.split('/').filter(|part| !part.is_empty()).take_while(|part| !varies(part)));
    Some(format!("{scheme}://{}", stays.join("/")))
}

fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['/', ':']).next()?;
    Some(rest.rsplit('@').next().unwrap_or(rest))
}

/// Whether two hosts are of one domain: forges keep archives on a host of their own.
fn same_host(a: &str, b: &str) -> bool {
    let below =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below(a, b) || below(b, a)
}
