//! `.cargo/config.toml` and `.cargo/config`: where cargo really takes sources from.

use super::manifest::{self, Patch};
use crate::ecosystem::syntax::toml::{self as document, Entry, Table};
use crate::model::tree::Unread;

/// What a source was redirected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A registry.
    Registry,
    /// A folder that holds archives and an index.
    LocalRegistry,
    /// A folder of unpacked sources: a vendored tree.
    Directory,
    /// A git repository.
    Git,
    /// A name that this file does not explain.
    Unknown,
}

/// A source that cargo takes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Redirect {
    /// The name or address of the source that is redirected; `crates-io` for the public registry.
    pub from: Box<str>,
    /// What kind of place stands in for it.
    pub kind: Target,
    /// The address or folder that stands in for it, as written; the name where nothing explains it.
    pub to: Box<str>,
    /// The line that redirects it.
    pub line: u32,
}

/// A configuration file of cargo, as far as it moves sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Sources that are taken from elsewhere.
    pub redirects: Vec<Redirect>,
    /// Folders of vendored sources as written, whether or not a source is redirected to them. Relative to the folder
    /// that holds `.cargo`.
    pub vendored: Vec<Box<str>>,
    /// Names of registries and the addresses of their indexes.
    pub registries: Vec<(Box<str>, Box<str>)>,
    /// Folders whose packages stand in for any of the same name, as written, and their lines.
    pub paths: Vec<(Box<str>, u32)>,
    /// Other configuration files that this one takes in, as written, and their lines. Relative to the folder of this
    /// file.
    pub includes: Vec<(Box<str>, u32)>,
    /// `[patch]` tables, which act as those of the workspace's root.
    pub patches: Vec<Patch>,
}

impl Config {
    /// The address of a registry's index, by its name.
    #[must_use]
    pub fn registry(&self, name: &str) -> Option<&str> {
        self.registries.iter().find(|(known, _)| &**known == name).map(|(_, index)| &**index)
    }

    /// Where it takes packages and more configuration from.
    #[must_use]
    pub fn into_redirects(self) -> Vec<crate::ecosystem::Redirect> {
        let redirect = |from: String, to: &str, line, is_first| crate::ecosystem::Redirect {
            from,
            to: to.to_owned(),
            line,
            is_first,
        };
        let mut found: Vec<_> =
            self.redirects.iter().map(|each| redirect(each.from.to_string(), &each.to, each.line, true)).collect();
        found.extend(self.registries.iter().map(|(name, index)| redirect(format!("registry {name}"), index, 0, false)));
        let named = |folder: &str| format!("every package of a name found in {folder}");
        found.extend(self.paths.iter().map(|(folder, at)| redirect(named(folder), folder, *at, true)));
        let included = "whatever an included file names".to_owned();
        found.extend(self.includes.iter().map(|(file, at)| redirect(included.clone(), file, *at, true)));
        found
    }

    /// Takes the entries of another file into this one.
    pub fn merge(&mut self, other: Self) {
        self.redirects.extend(other.redirects);
        self.vendored.extend(other.vendored);
        self.registries.extend(other.registries);
        self.paths.extend(other.paths);
        self.includes.extend(other.includes);
        self.patches.extend(other.patches);
    }
}

/// Reads a configuration file.
///
/// # Errors
/// [`Unread`] where it is no TOML, or a key of interest is of the wrong type.
pub fn parse(bytes: &[u8]) -> Result<Config, Unread> {
    document::read(bytes, document::MAX_BYTES, config)
}

fn config(root: Table<'_, '_>) -> Result<Config, Unread> {
    let mut config = Config { patches: manifest::patches(root)?, ..Config::default() };
    for entry in root.table("registries")?.into_iter().flat_map(Table::entries) {
        if let Some(index) = entry.table()?.get("index") {
            let address: Box<str> = Box::from(index.text()?);
            if entry.key == "crates-io" {
                let from = Box::from(entry.key);
                config.redirects.push(Redirect { from, kind: Target::Registry, to: address.clone(), line: index.line });
            }
            config.registries.push((Box::from(entry.key), address));
        }
    }
    if let Some(index) = root.table("registry")?.and_then(|table| table.get("index")) {
        // The oldest way to move the public registry.
        let to = Box::from(index.text()?);
        config.redirects.push(Redirect { from: Box::from("crates-io"), kind: Target::Registry, to, line: index.line });
    }
    if let Some(entry) = root.get("include") {
        let mut include = |item: Entry<'_, '_>| -> Result<(), Unread> {
            let path = match item.as_text() {
                Some(path) => path,
                None => item.table()?.text("path")?.unwrap_or_default(),
            };
            config.includes.push((Box::from(path), item.line));
            Ok(())
        };
        if entry.is_list() {
            entry.items()?.try_for_each(include)?;
        } else {
            include(entry)?;
        }
    }
    if let Some(entry) = root.get("paths").filter(|entry| entry.is_list()) {
        for item in entry.items()? {
            config.paths.push((Box::from(item.text()?), item.line));
        }
    }
    if let Some(sources) = root.table("source")? {
        for entry in sources.entries() {
            let table = entry.table()?;
            config.vendored.extend(table.text("directory")?.map(Box::<str>::from));
            if let Some(with) = table.get("replace-with") {
                let (kind, to) = follow(sources, with.text()?, &config)?;
                let from = table.text("registry")?.filter(|_| entry.key != "crates-io").unwrap_or(entry.key);
                config.redirects.push(Redirect { from: Box::from(from), kind, to, line: with.line });
            } else if entry.key == "crates-io"
                && let Some((kind, to)) = place(table)?
            {
                // The public registry's own entry names another place.
                config.redirects.push(Redirect { from: Box::from(entry.key), kind, to, line: entry.line });
            }
        }
    }
    config.redirects.sort();
    config.redirects.dedup();
    Ok(config)
}

/// The place that a source's table names.
fn place(table: Table<'_, '_>) -> Result<Option<(Target, Box<str>)>, Unread> {
    for (key, kind) in [
        ("directory", Target::Directory),
        ("local-registry", Target::LocalRegistry),
        ("git", Target::Git),
        ("registry", Target::Registry),
    ] {
        if let Some(text) = table.text(key)? {
            return Ok(Some((kind, Box::from(text))));
        }
    }
    Ok(None)
}

/// Follows `replace-with` to the last place. Sixteen steps: cargo refuses a circle, and nobody needs more.
fn follow(sources: Table<'_, '_>, name: &str, config: &Config) -> Result<(Target, Box<str>), Unread> {
    let mut name = name;
    for _ in 0..16 {
        let Some(table) = sources.table(name)? else { break };
        match table.text("replace-with")? {
            Some(next) => name = next,
            None => return Ok(place(table)?.unwrap_or_else(|| (Target::Unknown, Box::from(name)))),
        }
    }
    match config.registry(name) {
        Some(index) => Ok((Target::Registry, Box::from(index))),
        None => Ok((Target::Unknown, Box::from(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_followed_to_the_last_place() {
        let config = parse(
            br#"paths = ["../mine"]
[source.crates-io]
replace-with = "a"
[source.a]
registry = "https://e.org/i"
replace-with = "vendored"
[source.vendored]
directory = "third_party"
[source.loop]
replace-with = "loop"
[registries.mine]
index = "sparse+https://e.org/m/"
[patch.crates-io]
serde = { path = "serde" }
[net]
git-fetch-with-cli = true
"#,
        )
        .unwrap();
        let found: Vec<_> = config.redirects.iter().map(|r| (&*r.from, r.kind, &*r.to, r.line)).collect();
        assert_eq!(
            found,
            [
                ("crates-io", Target::Directory, "third_party", 3),
                ("https://e.org/i", Target::Directory, "third_party", 6),
                ("loop", Target::Unknown, "loop", 10),
            ]
        );
        assert_eq!(config.vendored, [Box::from("third_party")]);
        assert_eq!(config.registry("mine"), Some("sparse+https://e.org/m/"));
        assert_eq!((config.paths.len(), config.patches.len()), (1, 1));
    }

    #[test]
    fn every_other_way_to_move_the_public_registry_counts() {
        for text in [
            "[registry]\nindex = \"https://e.org\"",
            "[registries.crates-io]\nindex = \"https://e.org\"",
            "[source.crates-io]\nregistry = \"https://e.org\"",
            "[registries.r]\nindex = \"https://e.org\"\n[source.crates-io]\nreplace-with = \"r\"",
        ] {
            let config = parse(text.as_bytes()).unwrap();
            let found: Vec<_> = config.redirects.iter().map(|r| (&*r.from, r.kind, &*r.to)).collect();
            assert_eq!(found, [("crates-io", Target::Registry, "https://e.org")], "{text}");
        }
        assert!(parse(b"[source]\nx = 1").is_err());
        for text in ["include = \"a\"", "include = [\"a\"]", "include = [{ path = \"a\", optional = true }]"] {
            assert_eq!(parse(text.as_bytes()).unwrap().includes, [(Box::from("a"), 1)], "{text}");
        }
    }
}
