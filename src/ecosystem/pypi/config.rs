//! Configuration of pip, uv, poetry, PDM and conda, as far as it moves sources.

use super::PyPi;
use super::reference::without_credentials;
use crate::ecosystem::syntax::toml::{self as document, Entry, Table};
use crate::ecosystem::syntax::{malformed, text, yaml};
use crate::ecosystem::{Redirect, Settings};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

impl Settings for PyPi {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn patterns(&self) -> &'static [&'static str] {
        &[
            "pip.conf",
            "pip.ini",
            ".pypirc",
            "uv.toml",
            "poetry.toml",
            ".python-version",
            ".pdm-python",
            "pdm.toml",
            ".pdm.toml",
            ".condarc",
        ]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        match &*path.file_name().to_ascii_lowercase() {
            "pip.conf" | "pip.ini" => pip(bytes),
            "uv.toml" => document::read(bytes, document::MAX_BYTES, uv),
            "poetry.toml" => document::read(bytes, document::MAX_BYTES, poetry),
            "pdm.toml" | ".pdm.toml" => document::read(bytes, document::MAX_BYTES, pdm),
            ".pdm-python" => {
                let place = text(bytes, document::MAX_BYTES)?.trim();
                Ok((!place.is_empty()).then(|| redirect("the interpreter", place, 1, true)).into_iter().collect())
            }
            ".condarc" => conda(bytes),
            // Where packages are published to, and which version of Python runs.
            _ => Ok(Vec::new()),
        }
    }

    fn manifests(&self) -> &'static [&'static str] {
        &["pyproject.toml", "Pipfile"]
    }

    fn manifest_redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        of_manifest(path, bytes)
    }
}

/// The indexes that a `pyproject.toml` or a `Pipfile` names. A Pipfile always names some: what is new is one that moves.
fn of_manifest(path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    if path.file_name() == "Pipfile" {
        let indexes = document::read(bytes, document::MAX_BYTES, super::pipfile::indexes)?;
        let one = |(at, (name, url, line)): (usize, (String, String, u32))| {
            let from = if at == 0 { "the public registry".to_owned() } else { format!("packages of the index {name}") };
            redirect(&from, &url, line, false)
        };
        return Ok(indexes.into_iter().enumerate().map(one).collect());
    }
    let one = |index: &super::manifest::Index| {
        let from = match (index.is_default, index.is_explicit) {
            (true, _) => "the public registry".to_owned(),
            (false, true) => format!("packages of the index {}", index.name),
            (false, false) => "packages of any name".to_owned(),
        };
        redirect(&from, &index.url, index.line, !index.is_explicit)
    };
    Ok(super::manifest::parse(bytes)?.indexes.iter().map(one).collect())
}

fn redirect(from: &str, to: &str, line: u32, is_first: bool) -> Redirect {
    Redirect { from: from.to_owned(), to: without_credentials(to), line, is_first }
}

/// What an option of pip or uv sends elsewhere, by its name with hyphens.
fn moved(option: &str) -> Option<&'static str> {
    Some(match option {
        "index-url" | "pypi-url" | "default-index" => "the public registry",
        "extra-index-url" | "index" => "packages of any name",
        "find-links" => "archives of any name",
        "no-index" => "the public registry, not asked any more,",
        "requirement" | "constraint" | "build-constraint" => "more requirements",
        "proxy" | "cert" | "client-cert" | "trusted-host" => "connections to registries",
        "python-install-mirror" | "pypy-install-mirror" | "python-downloads-json-url" => "the interpreter",
        "python" => "the interpreter",
        _ => return None,
    })
}

/// `pip.conf`, in the syntax of Python's `configparser`. Options count in every section: each is one of pip's commands.
fn pip(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let content = text(bytes, document::MAX_BYTES)?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut found = Vec::new();
    let mut key = String::new();
    for (at, raw) in content.lines().enumerate() {
        let (line, trimmed) = (at as u32 + 1, raw.trim());
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| raw.starts_with(marker)) {
            return Err(malformed(line, "conflict markers: a merge was left unfinished"));
        }
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let value = if raw.starts_with([' ', '\t']) && !key.is_empty() {
            trimmed
        } else if trimmed.starts_with('[') {
            key.clear();
            continue;
        } else {
            let Some((name, value)) = trimmed.split_once(['=', ':']) else {
                return Err(malformed(line, "neither a section nor an option"));
            };
            key = name.trim().trim_start_matches('-').to_ascii_lowercase().replace('_', "-");
            value.trim()
        };
        let Some(from) = moved(&key) else { continue };
        let is_off = key == "no-index" && matches!(&*value.to_ascii_lowercase(), "false" | "no" | "off" | "0");
        if !is_off {
            found.extend(value.split_whitespace().map(|to| redirect(from, to, line, true)));
        }
    }
    Ok(found)
}

/// `uv.toml`: options at the top and in `[pip]`, and `[[index]]`.
fn uv(root: Table<'_, '_>) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for table in [Some(root), root.table("pip")?].into_iter().flatten() {
        for entry in table.entries() {
            option(entry, &mut found)?;
        }
    }
    Ok(found)
}

fn option(entry: Entry<'_, '_>, found: &mut Vec<Redirect>) -> Result<(), Unread> {
    let Some(from) = moved(entry.key) else { return Ok(()) };
    if let Some(to) = entry.as_text() {
        found.push(redirect(from, to, entry.line, true));
    } else if entry.is_list() {
        for item in entry.items()? {
            match item.as_text() {
                Some(to) => found.push(redirect(from, to, item.line, true)),
                None => index(item, found)?,
            }
        }
    } else if entry.table().is_ok() {
        index(entry, found)?;
    } else {
        // A switch. Off is what it is without.
        found.push(redirect(from, entry.key, entry.line, true));
    }
    Ok(())
}

/// An index with a name of its own.
fn index(item: Entry<'_, '_>, found: &mut Vec<Redirect>) -> Result<(), Unread> {
    let table = item.table()?;
    let from = match (table.is("default")?, table.is("explicit")?) {
        (true, _) => "the public registry".to_owned(),
        (false, true) => format!("packages of the index {}", table.text("name")?.unwrap_or_default()),
        (false, false) => "packages of any name".to_owned(),
    };
    let is_first = !table.is("explicit")?;
    found.extend(table.text("url")?.map(|url| redirect(&from, url, item.line, is_first)));
    Ok(())
}

/// `poetry.toml`: repositories are for publishing; a plugin's mirrors are for installing.
fn poetry(root: Table<'_, '_>) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for entry in root.table("repositories")?.into_iter().flat_map(Table::entries) {
        let to = match entry.as_text() {
            Some(url) => Some((url, entry.line)),
            None => entry.table()?.get("url").and_then(|url| Some((url.as_text()?, url.line))),
        };
        let from = format!("releases to the repository {}", entry.key);
        found.extend(to.map(|(url, line)| redirect(&from, url, line, false)));
    }
    Ok(found)
}

/// PDM's configuration: `[pypi]` and the tables in it.
fn pdm(root: Table<'_, '_>) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    let Some(pypi) = root.table("pypi")? else { return Ok(found) };
    if let Some(url) = pypi.get("url") {
        found.push(redirect("the public registry", url.text()?, url.line, true));
    }
    for entry in pypi.entries() {
        let Ok(table) = entry.table() else { continue };
        let from = format!("packages of the index {}", entry.key);
        found.extend(table.text("url")?.map(|url| redirect(&from, url, entry.line, true)));
    }
    if let Some(python) = root.table("python")?.and_then(|python| python.get("path")).and_then(Entry::as_text) {
        found.push(redirect("the interpreter", python, 0, true));
    }
    Ok(found)
}

/// Conda's channels.
fn conda(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let root = yaml::read(bytes, document::MAX_BYTES)?;
    let mut found = Vec::new();
    for (key, from) in [
        ("channel_alias", "channels without an address"),
        ("default_channels", "the default channels"),
        ("channels", "packages of any name"),
        ("allowlist_channels", "packages of any name"),
    ] {
        let Some(node) = root.get(key) else { continue };
        for item in std::iter::once(node).chain(node.items()) {
            found.extend(item.text().map(|to| redirect(from, to, item.line, true)));
        }
    }
    for key in ["custom_channels", "custom_multichannels", "migrated_custom_channels"] {
        for member in root.get(key).map(yaml::Node::members).unwrap_or_default() {
            let from = format!("the channel {}", member.key);
            for item in std::iter::once(&member.node).chain(member.node.items()) {
                found.extend(item.text().map(|to| redirect(&from, to, item.line, true)));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let all = PyPi.redirects(&RepoPath::new(path), text.as_bytes()).unwrap();
        all.iter()
            .map(|r| format!("{} {} -> {}{}", r.line, r.from, r.to, if r.is_first { "" } else { " (later)" }))
            .collect()
    }

    #[test]
    fn pip_is_told_where_packages_are() {
        let text = "# c\n[global]\nindex-url = https://u:secret@registry.example/simple\ntimeout = 1\n[install]\nextra_index_url: https://a.example\n    https://b.example\nno-index = false\nfind-links = ./wheels\n";
        assert_eq!(
            found("x/pip.conf", text),
            [
                "3 the public registry -> https://registry.example/simple",
                "6 packages of any name -> https://a.example",
                "7 packages of any name -> https://b.example",
                "9 archives of any name -> ./wheels",
            ]
        );
        for (bad, expected) in
            [("[global]\nwhat", "line 2: neither"), ("<<<<<<< HEAD", "line 1: conflict"), ("\0", "line 1: a NUL")]
        {
            let error = PyPi.redirects(&RepoPath::new("pip.ini"), bad.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn other_tools_are_told_as_well() {
        let uv = "index-url = 'https://a.example'\n[pip]\nextra-index-url = ['https://b.example']\nno-index = true\n[[index]]\nname = 'c'\nurl = 'https://t@c.example'\nexplicit = true\n";
        let mut all = found("uv.toml", uv);
        all.sort();
        assert_eq!(
            all,
            [
                "1 the public registry -> https://a.example",
                "3 packages of any name -> https://b.example",
                "4 the public registry, not asked any more, -> no-index",
                "5 packages of the index c -> https://c.example (later)",
            ]
        );
        assert_eq!(
            found("poetry.toml", "[virtualenvs]\nin-project = true\n[repositories.x]\nurl = 'https://x.example'\n"),
            ["4 releases to the repository x -> https://x.example (later)"]
        );
        assert_eq!(
            found("pdm.toml", "[pypi]\nurl = 'https://x.example'\n"),
            ["2 the public registry -> https://x.example"]
        );
        assert_eq!(found(".pdm-python", "/tmp/evil/python\n"), ["1 the interpreter -> /tmp/evil/python"]);
        assert_eq!(
            found(".condarc", "channels:\n  - https://x.example\ncustom_channels:\n  mine: https://y.example\n"),
            ["2 packages of any name -> https://x.example", "4 the channel mine -> https://y.example"]
        );
        assert_eq!(found(".python-version", "3.12\n"), Vec::<String>::new());
        assert!(PyPi.redirects(&RepoPath::new("uv.toml"), b"index-url = [1]").is_err());
    }
}
