//! Configuration of bundler and gem, and the files with which version managers choose toolchains.

use crate::ecosystem::Redirect;
use crate::ecosystem::syntax::{text, toml, yaml};
use crate::model::RepoPath;
use crate::model::tree::Unread;

/// Patterns of the files.
pub(super) const PATTERNS: &[&str] = &[
    "**/.bundle/**",
    ".ruby-version",
    ".gemrc",
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
    "mise.*.toml",
    ".mise.*.toml",
    "**/.mise/config.toml",
    "**/mise/config.toml",
];

/// Where a file takes packages or code from.
pub(super) fn redirects(path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let name = path.file_name().to_ascii_lowercase();
    let folder = path.parent().file_name().to_ascii_lowercase();
    if name == "config" && folder == ".bundle" {
        bundler(bytes)
    } else if name == ".gemrc" {
        gemrc(bytes)
    } else if name.ends_with(".toml") {
        toml::read(bytes, toml::MAX_BYTES, mise)
    } else {
        Ok(Vec::new())
    }
}

fn redirect(from: String, to: &str, line: u32) -> Redirect {
    Redirect { from, to: without_secret(to), line, is_first: true }
}

/// The sources that a Gemfile names for all of its gems. It always names one: what is new is one that moves. A source with
/// a block is that of the gems in it, whose lock entries name it.
pub(super) fn of_gemfile(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for (at, line) in text(bytes, toml::MAX_BYTES)?.lines().enumerate() {
        let Some(rest) = line.trim().strip_prefix("source").filter(|rest| rest.starts_with([' ', '(', '"', '\'']))
        else {
            continue;
        };
        let mut parts = rest.split(['"', '\'']);
        let (Some(to), Some(after)) = (parts.nth(1), parts.next()) else { continue };
        if !after.split_whitespace().any(|word| word == "do") {
            found.push(Redirect { is_first: false, ..redirect("gems".to_owned(), to, at as u32 + 1) });
        }
    }
    Ok(found)
}

/// An address without the name and password in it.
fn without_secret(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

/// `.bundle/config`: mirrors, folders in place of git sources, and the file that is the `Gemfile`.
fn bundler(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let node = yaml::read(bytes, toml::MAX_BYTES)?;
    let mut found = Vec::new();
    for member in node.members() {
        let Some(to) = member.node.text() else { continue };
        let key = member.key.to_ascii_uppercase();
        let spelt = |name: &str| name.replace("___", "-").replace("__", ".").to_ascii_lowercase();
        if let Some(name) = key.strip_prefix("BUNDLE_MIRROR__") {
            if !name.ends_with("FALLBACK_TIMEOUT") && !name.ends_with("FALLBACK_TIMEOUT/") {
                found.push(redirect(without_secret(&spelt(name)), to, member.line));
            }
        } else if let Some(name) = key.strip_prefix("BUNDLE_LOCAL__") {
            found.push(redirect(format!("the gem {}", spelt(name)), to, member.line));
        } else if key == "BUNDLE_GEMFILE" {
            found.push(redirect("the Gemfile".to_owned(), to, member.line));
        }
    }
    Ok(found)
}

/// `.gemrc`: the list of sources.
fn gemrc(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let node = yaml::read(bytes, toml::MAX_BYTES)?;
    let lists = [":sources", "sources"].iter().filter_map(|key| node.get(key));
    let items = lists.flat_map(|list| list.items());
    Ok(items.filter_map(|item| Some(redirect("gems".to_owned(), item.text()?, item.line))).collect())
}

/// `mise.toml`: plugins are code that installs the tools.
fn mise(root: toml::Table<'_, '_>) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for table in ["plugins", "alias"] {
        let Some(table) = root.table(table)? else { continue };
        for entry in table.entries() {
            if let Some(to) = entry.as_text() {
                found.push(redirect(format!("the tool {}", entry.key), to, entry.line));
            }
        }
    }
    Ok(found)
}
