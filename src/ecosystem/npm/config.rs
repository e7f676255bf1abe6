//! Configuration of npm, Yarn, pnpm, Bun and Node's version managers: where it sends packages and code.
//!
//! Keys are read as the tools read them; what a value says is shown as written, but never what follows
//! `:_authToken` and its like.

use super::Npm;
use crate::ecosystem::syntax::{self, json, malformed, toml, yaml};
use crate::ecosystem::{Redirect, Settings};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The default registry, for people.
const DEFAULT: &str = "packages of the default registry";

impl Settings for Npm {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Configuration files, hooks that rewrite what is installed, the tools' own code, and the version of Node.
    fn patterns(&self) -> &'static [&'static str] {
        &[
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pnpmfile.cjs",
            ".pnpmfile.mjs",
            "pnpmfile.js",
            "bunfig.toml",
            "**/.yarn/releases/**",
            "**/.yarn/plugins/**",
            "**/.yarn/patches/**",
            "**/.yarn/sdks/**",
            "**/patches/*.patch",
            "**/.yarn/unplugged/**",
            ".pnp.cjs",
            ".pnp.js",
            ".pnp.loader.mjs",
            ".nvmrc",
            ".node-version",
        ]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        match &*path.file_name().to_ascii_lowercase() {
            ".npmrc" => npmrc(bytes),
            ".yarnrc" => yarnrc(bytes),
            ".yarnrc.yml" => yarnrc_yml(bytes),
            "bunfig.toml" => bunfig(bytes),
            _ => Ok(Vec::new()),
        }
    }

    fn registries(&self, path: &RepoPath, bytes: &[u8]) -> Vec<String> {
        let found = self.redirects(path, bytes).unwrap_or_default();
        found.into_iter().filter(|redirect| redirect.from == DEFAULT).map(|redirect| redirect.to).collect()
    }
}

fn redirect(from: impl Into<String>, to: &str, line: u32, is_first: bool) -> Redirect {
    Redirect { from: from.into(), to: without_secret(to), line, is_first }
}

fn of_scope(scope: &str, to: &str, line: u32) -> Redirect {
    redirect(format!("packages of @{}", scope.trim_start_matches('@')), to, line, false)
}

/// An address without the password of its user.
fn without_secret(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = (rest.get(..host_end).unwrap_or(rest), rest.get(host_end..).unwrap_or_default());
    match host.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}://{user}@{host}{path}")
        }
        None => address.to_owned(),
    }
}

/// The text of a configuration file, without a merge's conflict markers.
fn text(bytes: &[u8]) -> Result<&str, Unread> {
    let text = syntax::text(bytes, toml::MAX_BYTES)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.lines().position(|line| line.starts_with("<<<<<<<")) {
        Some(at) => Err(malformed(at as u32 + 1, "conflict markers (`<<<<<<<`): a merge was left unfinished")),
        None => Ok(text),
    }
}

/// Takes one pair of quotes off.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// `.npmrc`: INI without sections that matter. `${NAME}` stays as written. Lines of one host (`//host/:key`) say how to
/// sign in there, which sends nothing anywhere.
fn npmrc(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    let mut is_in_section = false;
    for (at, line) in numbered(text(bytes)?) {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            is_in_section = true;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (unquoted(key.trim()), uncommented(value.trim()));
        // Keys of a section are another setting: `[a]` and `b` make `a.b`, which no tool reads.
        if is_in_section || key.starts_with("//") || value.is_empty() {
            continue;
        }
        let key = key.strip_suffix("[]").unwrap_or(key);
        found.extend(npm_key(key, value, at));
    }
    Ok(found)
}

/// A value without its quotes and the comment behind it.
fn uncommented(value: &str) -> &str {
    let plain = unquoted(value);
    if plain.len() != value.len() {
        return plain;
    }
    let comment = value.match_indices([';', '#']).map(|(at, _)| at);
    // A `#` in an address is part of it; a comment stands behind a space.
    let end = comment.into_iter().find(|at| value.get(..*at).is_some_and(|before| before.ends_with([' ', '\t'])));
    end.and_then(|end| value.get(..end)).unwrap_or(value).trim()
}

/// What a key of `.npmrc` sends where.
fn npm_key(key: &str, value: &str, line: u32) -> Option<Redirect> {
    if let Some(scope) = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@')) {
        return Some(of_scope(scope, value, line));
    }
    let from = match key {
        "registry" => DEFAULT,
        "replace-registry-host" => "addresses in the lockfile",
        "proxy" | "http-proxy" | "https-proxy" => "requests to the registry",
        "cafile" => "trust in certificates",
        "node-options" => "options of every Node process",
        "script-shell" => "every install script",
        "shell" => "every shell",
        "git" => "every git command",
        "pnpmfile" | "global-pnpmfile" => "the hook that rewrites manifests",
        "init-module" => "code that runs at init",
        "userconfig" | "globalconfig" => "more configuration",
        "node-mirror:release" | "disturl" | "dist-url" => "Node itself",
        "nodedir" => "Node's headers",
        _ => {
            // Packages that fetch a program when they are installed take its address from keys like these.
            let is_binary = key.ends_with("_mirror")
                || key.ends_with("_binary_host")
                || key.ends_with("_binary_host_mirror")
                || key.ends_with("-binary-host-mirror")
                || key.starts_with("node-mirror:");
            return is_binary.then(|| redirect(format!("programs of {key}"), value, line, true));
        }
    };
    Some(redirect(from, value, line, true))
}

/// `.yarnrc` of Yarn 1: a key, a space and a value on each line, either in quotes.
fn yarnrc(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for (at, line) in numbered(text(bytes)?) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = match line.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((key, value)) => (key, value),
            None => line
                .split_once([' ', '\t', ':'])
                .filter(|(key, _)| !key.starts_with('@'))
                .unwrap_or_else(|| line.split_once([' ', '\t']).unwrap_or((line, ""))),
        };
        let value = unquoted(value.trim_start_matches([' ', '\t', ':']).trim());
        if value.is_empty() {
            continue;
        }
        let redirected = match key {
            "yarn-path" => Some(redirect("Yarn itself", value, at, true)),
            "yarn-offline-mirror" => Some(redirect("every archive", value, at, true)),
            "plugins" => Some(redirect("code of plugins", value, at, true)),
            _ if key.ends_with(":_authToken") || key.starts_with("//") => None,
            _ => npm_key(key, value, at),
        };
        found.extend(redirected);
    }
    Ok(found)
}

/// `.yarnrc.yml` of later Yarns.
fn yarnrc_yml(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let root = yaml::read(bytes, toml::MAX_BYTES)?;
    let mut found = Vec::new();
    for member in root.members() {
        let (line, node) = (member.line, &member.node);
        let from = match &*member.key {
            "npmRegistryServer" => DEFAULT,
            "yarnPath" => "Yarn itself",
            "httpProxy" | "httpsProxy" => "requests to the registry",
            "httpsCaFilePath" | "caFilePath" => "trust in certificates",
            "globalFolder" | "cacheFolder" => "archives in the cache",
            "pnpDataPath" => "what Node loads",
            "npmScopes" => {
                for scope in node.members() {
                    if let Some(server) = scope.node.member("npmRegistryServer") {
                        let to = server.node.text().unwrap_or_default();
                        found.push(of_scope(&scope.key, to, server.line));
                    }
                }
                continue;
            }
            "plugins" => {
                for plugin in node.items() {
                    let to = plugin.text().or_else(|| plugin.text_of("path")).or_else(|| plugin.text_of("spec"));
                    found.push(redirect("code of plugins", to.unwrap_or("an unnamed plugin"), plugin.line, true));
                }
                continue;
            }
            "packageExtensions" => {
                found.extend(extensions(node));
                continue;
            }
            "unsafeHttpWhitelist" => {
                let each = node.items().iter().filter_map(|item| Some((item.text()?, item.line)));
                found.extend(each.map(|(host, at)| redirect("packages without transport security", host, at, true)));
                continue;
            }
            "networkSettings" => {
                for host in node.members() {
                    for key in ["httpProxy", "httpsProxy", "httpsCaFilePath"] {
                        if let Some(to) = host.node.text_of(key) {
                            found.push(redirect(format!("requests to {}", host.key), to, host.line, true));
                        }
                    }
                }
                continue;
            }
            _ => continue,
        };
        if let Some(to) = node.text() {
            found.push(redirect(from, to, line, true));
        }
    }
    Ok(found)
}

/// Dependencies that are added to packages, from elsewhere than the registry.
fn extensions(node: &yaml::Node<'_>) -> Vec<Redirect> {
    let mut found = Vec::new();
    for package in node.members() {
        for dependency in package.node.get("dependencies").into_iter().flat_map(|list| list.members()) {
            let Some(spec) = dependency.node.text() else { continue };
            if let Some(source) = super::source::Spec::of(spec).source() {
                let from = format!("{} for {}", dependency.key, package.key);
                found.push(redirect(from, &source.address, dependency.line, true));
            }
        }
    }
    found
}

/// `bunfig.toml`.
fn bunfig(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    toml::read(bytes, toml::MAX_BYTES, |root| {
        let mut found = Vec::new();
        // A registry is an address, or a table with one under `url`.
        let address = |entry: toml::Entry<'_, '_>| -> Result<String, Unread> {
            match entry.as_text() {
                Some(text) => Ok(text.to_owned()),
                None => Ok(entry.table()?.text("url")?.unwrap_or_default().to_owned()),
            }
        };
        if let Some(install) = root.table("install")? {
            if let Some(entry) = install.get("registry") {
                found.push(redirect(DEFAULT, &address(entry)?, entry.line, true));
            }
            for entry in install.table("scopes")?.into_iter().flat_map(toml::Table::entries) {
                found.push(of_scope(entry.key, &address(entry)?, entry.line));
            }
            if let Some(entry) = install.get("cafile").filter(|entry| entry.as_text().is_some()) {
                found.push(redirect("trust in certificates", entry.text()?, entry.line, true));
            }
        }
        for (table, key, from) in [
            (Some(root), "preload", "code that runs before every program"),
            (root.table("test")?, "preload", "code that runs before every test"),
            (root.table("run")?, "shell", "every script"),
        ] {
            let Some(entry) = table.and_then(|table| table.get(key)) else { continue };
            if entry.is_list() {
                for item in entry.items()? {
                    found.push(redirect(from, item.text()?, item.line, true));
                }
            } else {
                found.push(redirect(from, entry.text()?, entry.line, true));
            }
        }
        found.retain(|redirect| !redirect.to.is_empty());
        found.sort_by_key(|redirect| redirect.line);
        Ok(found)
    })
}

/// Settings of package managers that stand in a manifest: which program installs, where the manifest says so, and what
/// pnpm's workspace says beside members, catalogs and overrides, which are read as such.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// All that is set, in one spelling.
    pub set: String,
    /// Where it takes packages or code from.
    pub redirects: Vec<Redirect>,
}

/// Whether a manifest may hold settings.
#[must_use]
pub fn embeds(path: &RepoPath) -> bool {
    matches!(path.file_name(), super::workspace::MANIFEST | PNPM_WORKSPACE)
}

/// The settings in a manifest. What cannot be read sets nothing here: it is said where the project is read.
#[must_use]
pub fn embedded(path: &RepoPath, bytes: &[u8]) -> Embedded {
    match path.file_name() {
        super::workspace::MANIFEST => in_manifest(bytes),
        PNPM_WORKSPACE => in_workspace(bytes),
        _ => Embedded::default(),
    }
}

/// Where pnpm keeps the settings of a workspace.
const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";

/// `packageManager`, by which Corepack fetches and runs another version, or what stands at an address.
fn in_manifest(bytes: &[u8]) -> Embedded {
    let Ok(document) = json::read(bytes, toml::MAX_BYTES) else { return Embedded::default() };
    let Some(member) = document.table().ok().and_then(|root| root.member("packageManager")) else {
        return Embedded::default();
    };
    let set = member.value.text().unwrap_or_default().to_owned();
    let address = set.split_once('@').map(|(_, from)| from).filter(|from| from.contains("://"));
    let redirects = address.map(|to| redirect("the package manager itself", to, document.line(member), true));
    Embedded { redirects: redirects.into_iter().collect(), set }
}

/// Keys of pnpm's workspace that its format reads.
const READ: [&str; 4] = ["packages", "catalog", "catalogs", "overrides"];

fn in_workspace(bytes: &[u8]) -> Embedded {
    let mut found = Embedded::default();
    let Ok(root) = yaml::read(bytes, toml::MAX_BYTES) else { return found };
    for member in root.members().iter().filter(|member| !READ.contains(&&*member.key)) {
        write(&member.key, &member.node, &mut found.set);
        let text = member.node.text().unwrap_or_default();
        if member.key == "registries" {
            for each in member.node.members() {
                let to = each.node.text().unwrap_or_default();
                found.redirects.push(match &*each.key {
                    "default" => redirect(DEFAULT, to, each.line, true),
                    scope => of_scope(scope, to, each.line),
                });
            }
        } else if !text.is_empty() {
            // The keys of `.npmrc`, in another spelling.
            found.redirects.extend(npm_key(&kebab(&member.key), text, member.line));
        }
    }
    found
}

/// `scriptShell` as `script-shell`.
fn kebab(key: &str) -> String {
    let hyphened =
        |c: char| if c.is_ascii_uppercase() { format!("-{}", c.to_ascii_lowercase()) } else { c.to_string() };
    key.chars().map(hyphened).collect()
}

/// A value in one spelling. Values of one key are told from those of the next by the signs around them.
fn write(key: &str, node: &yaml::Node<'_>, out: &mut String) {
    out.push_str(&format!("{key:?}:"));
    if let Some(text) = node.text() {
        out.push_str(&format!("{text:?};"));
    }
    out.push('{');
    node.members().iter().for_each(|member| write(&member.key, &member.node, out));
    node.items().iter().for_each(|item| write("", item, out));
    out.push('}');
}

/// Lines with their numbers, counted from 1. A lone carriage return ends a line too, and counts for none.
fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = text.lines().enumerate();
    lines.flat_map(|(at, line)| line.split('\r').map(move |part| (at as u32 + 1, part)))
}
