//! Names of Swift packages: the address of the repository, without what may be written in several ways.

/// The name of the package in a repository: host and path in lower case, without scheme, user, `www.` and `.git`. Hosts
/// and the common forges do not tell cases apart, and an advisory must not be missed by another case.
pub(super) fn of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    // `git@host:owner/name`: what follows the colon is a path where it is no port.
    let (host, inner) = match host.split_once(':') {
        Some((host, port)) if address.contains("://") && port.bytes().all(|b| b.is_ascii_digit()) => (host, ""),
        Some((host, inner)) => (host, inner),
        None => (host, ""),
    };
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let path = format!("{inner}{path}").to_ascii_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") }
}

/// Whether a text is a name as [`of`] writes it, or `scope.name` of a registry.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+');
    let is_good = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_part);
    name.len() <= 512 && name.split('/').all(is_good) && name.split('/').next().is_some_and(|host| host.contains('.'))
}

/// The last part of a repository's address: what identifies the package in a project.
pub(super) fn identity(address: &str) -> &str {
    let address = address.trim_end_matches('/');
    let last = address.rsplit(['/', ':', '\\']).next().unwrap_or(address);
    last.strip_suffix(".git").unwrap_or(last)
}
