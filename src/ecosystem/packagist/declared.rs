//! What a `composer.json` lets in that no lockfile fixes: repositories, plugins and the scripts of an installation.

use std::collections::HashSet;

use sha2::Digest as _;

use super::project::MANIFEST;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::json::{Document, Table, Value};
use crate::ecosystem::syntax::malformed;
use crate::model::inventory::{Source, Span};
use crate::model::tree::Unread;

/// Repositories of one manifest, at the most: where there is no lockfile, every package may be of all.
const MAX_REPOSITORIES: usize = 1_024;

/// Scripts that Composer runs by itself while it installs, updates or dumps its autoloader.
const EVENTS: [&str; 22] = [
    "init",
    "command",
    "pre-install-cmd",
    "post-install-cmd",
    "pre-update-cmd",
    "post-update-cmd",
    "pre-autoload-dump",
    "post-autoload-dump",
    "post-root-package-install",
    "post-create-project-cmd",
    "pre-dependencies-solving",
    "post-dependencies-solving",
    "pre-operations-exec",
    "pre-package-install",
    "post-package-install",
    "pre-package-update",
    "post-package-update",
    "pre-package-uninstall",
    "post-package-uninstall",
    "pre-file-download",
    "post-file-download",
    "pre-pool-create",
];

/// What a manifest lets in, with the lines that say so.
pub(super) struct Declared {
    repositories: Vec<Repository>,
    plugins: Vec<(String, u32)>,
    commands: Vec<(String, u32)>,
}

struct Repository {
    address: String,
    /// Whether it is a registry, which may answer for every name.
    is_registry: bool,
    line: u32,
}

/// Reads a manifest.
pub(super) fn read(document: &Document<'_>, table: &Table<'_>) -> Result<Declared, Unread> {
    let repositories = repositories(document, table)?;
    let allowed = table.table("config").and_then(|config| config.member("allow-plugins"));
    let plugins = match allowed.map(|member| (document.line(member), &member.value)) {
        Some((line, Value::Flag(true))) => vec![("every plugin".to_owned(), line)],
        Some((_, Value::Table(plugins))) => {
            let allowed = plugins.members().filter(|plugin| matches!(plugin.value, Value::Flag(true)));
            allowed.map(|plugin| (format!("the plugin {}", bounded(&plugin.key)), document.line(plugin))).collect()
        }
        _ => Vec::new(),
    };
    Ok(Declared { repositories, plugins, commands: commands(document, table) })
}

impl Declared {
    /// The registries from which packages come as well, where there are any. Any of them may answer.
    pub(super) fn registry(&self) -> Option<Source> {
        let registries = self.repositories.iter().filter(|repository| repository.is_registry);
        let all: Vec<&str> = registries.map(|repository| &*repository.address).collect();
        (!all.is_empty()).then(|| Source::registry(&all.join(" ")))
    }

    /// Says what is let in, but for repositories from which a package of the lockfile comes: that is told of the package.
    pub(super) fn say(&self, draft: &mut Draft, input: u32) {
        let at = |line| Span { input, line, end_line: line };
        let mut known: Vec<String> = Vec::new();
        if !self.repositories.is_empty() {
            for source in draft.packages().iter().filter(|package| package.is_locked).map(|package| &package.source) {
                let origins = source.commit.as_deref().unwrap_or_default();
                known.extend(source.address.split(' ').chain(origins.split(' ')).map(spelt));
            }
        }
        known.sort_unstable();
        // What begins alike stands together.
        let is_known = |repository: &&Repository| {
            // A folder may be written with stars in it.
            let plain = repository.address.split('*').next().unwrap_or_default();
            let wanted = spelt(plain.trim_start_matches("./"));
            let below = format!("{wanted}/");
            let first = known.get(known.partition_point(|address| *address < below));
            known.binary_search(&wanted).is_ok() || first.is_some_and(|first| first.starts_with(&below))
        };
        let others: Vec<&Repository> = self.repositories.iter().filter(|repository| !is_known(repository)).collect();
        for repository in others {
            let message = format!("takes packages from {} as well", bounded(&repository.address));
            draft.disagree(MANIFEST, message, at(repository.line));
        }
        for (plugin, line) in &self.plugins {
            draft.disagree(MANIFEST, format!("lets {plugin} run"), at(*line));
        }
        for (command, line) in &self.commands {
            draft.disagree(MANIFEST, format!("runs {} when it installs", bounded(command)), at(*line));
        }
    }
}

/// A text that is short enough to be shown, and another one for every other text.
fn bounded(text: &str) -> String {
    if text.len() <= 200 {
        return text.to_owned();
    }
    let digest: String = sha2::Sha256::digest(text.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("{text:.160}… ({digest})")
}

/// An address without credentials.
fn public(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    let start = rest.get(..host).and_then(|host| host.rfind('@')).map_or(0, |at| at + 1);
    format!("{scheme}://{}", rest.get(start..).unwrap_or_default())
}

/// Host and path of an address, by whichever of its spellings; with the scheme where that is not secure.
fn spelt(address: &str) -> String {
    let address = public(address);
    let address = address.trim_end_matches('/').trim_end_matches(".git");
    match address.split_once("://") {
        Some(("https" | "ssh", rest)) => rest.to_owned(),
        Some(_) => address.to_owned(),
        // `git@host:path`
        None => address.split_once('@').map_or(address, |(_, rest)| rest).replacen(':', "/", 1),
    }
}

/// The repositories of a manifest, but for the public registry.
fn repositories(document: &Document<'_>, table: &Table<'_>) -> Result<Vec<Repository>, Unread> {
    let Some(member) = table.member("repositories") else { return Ok(Vec::new()) };
    let line = document.line(member);
    // Offsets are known of members alone: an entry of a list stands where its first member does.
    let entries: Vec<(u32, &Value<'_>)> = match &member.value {
        Value::Null => Vec::new(),
        Value::List(list) => {
            let first = |entry: &Value<'_>| entry.table()?.members().next().map(|member| document.line(member));
            list.iter().map(|entry| (first(entry).unwrap_or(line), entry)).collect()
        }
        Value::Table(named) => named.members().map(|entry| (document.line(entry), &entry.value)).collect(),
        _ => return Err(malformed(line, "`repositories` is neither a list nor an object")),
    };
    let mut found = Vec::new();
    for (line, entry) in entries {
        let entry = match entry {
            Value::Table(entry) => entry,
            // A repository that is switched off.
            Value::Flag(false) => continue,
            _ => return Err(malformed(line, "a repository that is not an object")),
        };
        let kind = entry.text("type").unwrap_or_default();
        let mut addresses: Vec<&str> = entry.text("url").into_iter().collect();
        let inline = entry.get("package");
        let packages = inline.and_then(Value::table).into_iter();
        for package in packages.chain(inline.and_then(Value::list).unwrap_or_default().iter().filter_map(Value::table))
        {
            let of = |key: &str| package.table(key).filter(|side| side.text("type") != Some("path"))?.text("url");
            addresses.extend(["dist", "source"].into_iter().filter_map(of));
        }
        for address in addresses {
            if found.len() >= MAX_REPOSITORIES {
                return Err(malformed(line, format!("more than {MAX_REPOSITORIES} repositories")));
            }
            found.push(Repository { address: public(address), is_registry: kind == "composer", line });
        }
    }
    Ok(found)
}

/// What runs by itself, with the scripts that it names (`@other`). Every script is walked once.
fn commands(document: &Document<'_>, table: &Table<'_>) -> Vec<(String, u32)> {
    let Some(scripts) = table.table("scripts") else { return Vec::new() };
    let by_name: std::collections::HashMap<&str, _> = scripts.members().map(|member| (&*member.key, member)).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut work: Vec<&str> = EVENTS.into_iter().filter(|event| seen.insert(event)).collect();
    let mut found = Vec::new();
    while let Some(script) = work.pop() {
        let Some(member) = by_name.get(script) else { continue };
        let line = document.line(member);
        let texts: Vec<String> = match &member.value {
            Value::Text(text) => vec![text.to_string()],
            Value::List(list) => list.iter().filter_map(Value::text).map(str::to_owned).collect(),
            // A plugin knows commands of several kinds (`"cache:clear": "symfony-cmd"`).
            Value::Table(table) => {
                let kind = |value: &Value<'_>| value.text().unwrap_or_default().to_owned();
                table.members().map(|entry| format!("{} ({})", entry.key, kind(&entry.value))).collect()
            }
            _ => Vec::new(),
        };
        for text in texts {
            let name = text.strip_prefix('@').and_then(|text| text.split_whitespace().next());
            match name.and_then(|name| by_name.get(name)) {
                Some(member) => work.extend(Some(&*member.key).filter(|name| seen.insert(name))),
                None => found.push((text, line)),
            }
        }
    }
    found
}
