//! Packages whose bytes stand in the repository, so that they can change without any lockfile changing.
//!
//! | what | how it is told | the package |
//! |---|---|---|
//! | cargo's vendored crates | a folder with `.cargo-checksum.json`, without which cargo refuses it | its `Cargo.toml` |
//! | Go's `vendor/` | `vendor/modules.txt`, without which the go command refuses it | the module of that list |
//! | Yarn's offline cache | an archive in `.yarn/cache/` | the archive's name |
//! | `node_modules/` that is tracked | the folder's name | that name, and the version in its `package.json` |
//! | Composer's `vendor/` | `vendor/composer/installed.json` | the folder's name |
//! | CocoaPods' `Pods/` | `Pods/Manifest.lock` | the folder's name |
//! | Bundler's cache | an archive in `vendor/cache/` | the archive's name |
//! | Yarn 1's offline mirror, wheels | an archive of a package, wherever it stands | the archive's name |

use std::collections::BTreeMap;

use crate::ecosystem::FILE_CAP;
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};
use crate::world::Tree;

/// The file that cargo puts into every vendored crate.
const CARGO_MARK: &str = ".cargo-checksum.json";

/// The list of modules in a `vendor` folder of Go.
const GO_MARK: &str = "modules.txt";

/// A vendored package: where its bytes stand, and which package they claim to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vendored {
    /// The folder, or the archive.
    pub place: RepoPath,
    /// Whose rules its name and version follow.
    pub ecosystem: Ecosystem,
    /// Name and version, where they can be told.
    pub package: Option<(String, String)>,
}

impl Vendored {
    /// Whether it is that version of that package. The name of an archive in Yarn's cache spells a scope's slash as a
    /// hyphen.
    #[must_use]
    pub fn is(&self, ecosystem: Ecosystem, name: &str, version: &str) -> bool {
        let spelt = |name: &str| if self.is_archive() { name.replace('/', "-") } else { name.to_owned() };
        self.ecosystem == ecosystem
            && self.package.as_ref().is_some_and(|(own, at)| {
                // A folder that does not say its version is that of whichever changed.
                (at.is_empty() || *at == *version) && own.eq_ignore_ascii_case(&spelt(name))
            })
    }

    fn is_archive(&self) -> bool {
        of_archive(&self.place).is_some()
    }
}

/// Whether a file by its own name makes its folder a vendored one.
#[must_use]
pub fn is_mark(path: &RepoPath) -> bool {
    let folder = path.parent();
    match path.file_name() {
        CARGO_MARK => true,
        GO_MARK => folder.file_name() == "vendor",
        "installed.json" => folder.file_name() == "composer" && folder.parent().file_name() == "vendor",
        "Manifest.lock" => folder.file_name() == "Pods",
        _ => false,
    }
}

/// Finds the vendored package of a path, in either of two trees.
pub struct Finder<'t> {
    trees: [&'t dyn Tree; 2],
    /// For each folder that was asked about, whether it is a vendored crate.
    crates: BTreeMap<RepoPath, bool>,
    /// For each folder that may be Go's, the modules in it.
    modules: BTreeMap<RepoPath, Option<Vec<(String, String)>>>,
    /// Packages by place.
    known: BTreeMap<RepoPath, Option<(String, String)>>,
}

impl<'t> Finder<'t> {
    /// A finder; the first tree's word on a package counts.
    #[must_use]
    pub const fn new(trees: [&'t dyn Tree; 2]) -> Self {
        Self { trees, crates: BTreeMap::new(), modules: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// The vendored package that a path is part of; the outermost crate where one stands in another.
    ///
    /// # Errors
    /// [`Unread`] where a tree cannot be read.
    pub fn find(&mut self, path: &RepoPath) -> Result<Option<Vendored>, Unread> {
        let mut found = None;
        let mut folder = path.parent();
        while !folder.is_root() {
            if self.is_crate(&folder)? {
                found = Some(folder.clone());
            }
            folder = folder.parent();
        }
        if let Some(place) = found {
            let package = self.manifest(&place, Ecosystem::Cargo, "Cargo.toml")?;
            return Ok(Some(Vendored { place, ecosystem: Ecosystem::Cargo, package }));
        }
        if let Some(place) = of_node_modules(path) {
            // What is imported goes by the folder's name, whatever the manifest in it says.
            let named = |(_, version)| (package_of(&place), version);
            let package = self.manifest(&place, Ecosystem::Npm, "package.json")?.map(named);
            return Ok(Some(Vendored { place, ecosystem: Ecosystem::Npm, package }));
        }
        if let Some((ecosystem, package)) = of_archive(path) {
            return Ok(Some(Vendored { place: path.clone(), ecosystem, package }));
        }
        if let Some(found) = self.installed(path)? {
            return Ok(Some(found));
        }
        self.module(path)
    }

    fn is_crate(&mut self, folder: &RepoPath) -> Result<bool, Unread> {
        if let Some(known) = self.crates.get(folder) {
            return Ok(*known);
        }
        let mark = folder.join(CARGO_MARK).unwrap_or_else(RepoPath::root);
        let mut is_crate = false;
        for tree in self.trees {
            is_crate |= tree.entry(&mark)?.is_some();
        }
        self.crates.insert(folder.clone(), is_crate);
        Ok(is_crate)
    }

    /// The package of a folder that Composer or CocoaPods fills.
    fn installed(&self, path: &RepoPath) -> Result<Option<Vendored>, Unread> {
        let mut folder = path.parent();
        while !folder.is_root() {
            let (ecosystem, mark, depth) = match folder.file_name() {
                "vendor" => (Ecosystem::Packagist, "composer/installed.json", 2),
                "Pods" => (Ecosystem::CocoaPods, "Manifest.lock", 1),
                _ => {
                    folder = folder.parent();
                    continue;
                }
            };
            let mark = folder.join(mark).unwrap_or_else(RepoPath::root);
            let mut is_marked = false;
            for tree in self.trees {
                is_marked |= tree.entry(&mark)?.is_some();
            }
            if is_marked {
                let within: Vec<&str> = path.relative_to(&folder).unwrap_or_default().split('/').collect();
                // What is no package's own is the whole's: what loads all of them, above all.
                let own = within.get(..depth).filter(|_| within.len() > depth).map(|parts| parts.join("/"));
                let place = own.as_ref().and_then(|own| folder.join(own)).unwrap_or_else(|| folder.clone());
                return Ok(Some(Vendored { place, ecosystem, package: own.map(|name| (name, String::new())) }));
            }
            folder = folder.parent();
        }
        Ok(None)
    }

    /// The module of Go that a path below a `vendor` folder with its list is part of.
    fn module(&mut self, path: &RepoPath) -> Result<Option<Vendored>, Unread> {
        let mut folder = path.parent();
        while !folder.is_root() {
            if folder.file_name() == "vendor" {
                if !self.modules.contains_key(&folder) {
                    let listed = self.modules_of(&folder)?;
                    self.modules.insert(folder.clone(), listed);
                }
                if let Some(Some(modules)) = self.modules.get(&folder) {
                    let within = path.relative_to(&folder).unwrap_or_default();
                    let holds = |module: &&(String, String)| {
                        within.strip_prefix(&*module.0).is_some_and(|rest| rest.starts_with('/'))
                    };
                    // The longest name: a module may stand inside another's folder.
                    let module = modules.iter().filter(holds).max_by_key(|(name, _)| name.len()).cloned();
                    let place = module.as_ref().and_then(|(name, _)| folder.join(name)).unwrap_or(folder);
                    return Ok(Some(Vendored { place, ecosystem: Ecosystem::Go, package: module }));
                }
            }
            folder = folder.parent();
        }
        Ok(None)
    }

    /// The list of a `vendor` folder: `# module version` lines (Go Modules Reference, "Vendoring"). Of both trees.
    fn modules_of(&self, folder: &RepoPath) -> Result<Option<Vec<(String, String)>>, Unread> {
        let Some(path) = folder.join(GO_MARK) else { return Ok(None) };
        let mut listed = None;
        for tree in self.trees {
            let Some(entry) = tree.entry(&path)? else { continue };
            let modules: &mut Vec<(String, String)> = listed.get_or_insert_default();
            let Ok(bytes) = tree.read(&entry, FILE_CAP) else { continue };
            for line in String::from_utf8_lossy(&bytes).lines() {
                let mut words = line.strip_prefix("# ").unwrap_or_default().split(' ');
                if let (Some(name), Some(version)) = (words.next(), words.next()) {
                    modules.push((name.to_owned(), version.to_owned()));
                }
            }
        }
        Ok(listed)
    }

    /// Name and version that a vendored package's own manifest gives it.
    fn manifest(
        &mut self,
        place: &RepoPath,
        ecosystem: Ecosystem,
        name: &str,
    ) -> Result<Option<(String, String)>, Unread> {
        if let Some(known) = self.known.get(place) {
            return Ok(known.clone());
        }
        let mut package = None;
        let path = place.join(name).unwrap_or_else(RepoPath::root);
        for tree in self.trees {
            if package.is_none()
                && let Some(entry) = tree.entry(&path)?
                && let Ok(bytes) = tree.read(&entry, FILE_CAP)
            {
                package = std::str::from_utf8(&bytes).ok().and_then(|text| match ecosystem {
                    Ecosystem::Cargo => of_cargo(text),
                    _ => of_npm(text),
                });
            }
        }
        self.known.insert(place.clone(), package.clone());
        Ok(package)
    }
}

fn of_cargo(text: &str) -> Option<(String, String)> {
    let manifest: toml::Table = crate::text::toml(text).ok()?;
    let field = |key: &str| Some(manifest.get("package")?.get(key)?.as_str()?.to_owned());
    Some((field("name")?, field("version")?))
}

fn of_npm(text: &str) -> Option<(String, String)> {
    let manifest: serde_json::Value = serde_json::from_str(text).ok()?;
    let field = |key: &str| Some(manifest.get(key)?.as_str()?.to_owned());
    Some((field("name")?, field("version")?))
}

/// The folder of the innermost package of `node_modules` that a path is in; the file itself where it is in none.
fn of_node_modules(path: &RepoPath) -> Option<RepoPath> {
    let parts: Vec<&str> = path.parts().collect();
    let at = parts.iter().rposition(|part| *part == "node_modules")?;
    let scoped = parts.get(at + 1).is_some_and(|part| part.starts_with('@'));
    let end = (at + 2 + usize::from(scoped)).min(parts.len());
    parts.get(..end).map(|parts| RepoPath::new(&parts.join("/")))
}

/// The name by which a folder of `node_modules` is imported.
fn package_of(place: &RepoPath) -> String {
    let name = place.file_name();
    match place.parent().file_name() {
        scope if scope.starts_with('@') => format!("{scope}/{name}"),
        _ => name.to_owned(),
    }
}

/// An archive that holds a package, and which: of Yarn's cache and offline mirror, of Bundler's cache, a wheel.
fn of_archive(path: &RepoPath) -> Option<(Ecosystem, Option<(String, String)>)> {
    let (folder, above, name) = (path.parent(), path.parent().parent(), path.file_name());
    let split = |text: &str| {
        // The version begins at the first hyphen that a digit follows.
        let at = text.match_indices('-').find(|(at, _)| text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))?.0;
        let (name, version) = text.split_at_checked(at)?;
        Some((name.to_owned(), version.trim_start_matches('-').to_owned()))
    };
    if folder.file_name() == "cache" && above.file_name() == ".yarn" && name.ends_with(".zip") {
        return Some((Ecosystem::Npm, of_yarn(name)));
    }
    if let (Some(gem), "cache", "vendor") = (name.strip_suffix(".gem"), folder.file_name(), above.file_name()) {
        return Some((Ecosystem::RubyGems, split(gem)));
    }
    if let Some(wheel) = name.strip_suffix(".whl") {
        // PEP 427: name, version, tags, with underscores for hyphens inside a part.
        let mut parts = wheel.split('-');
        let named = parts.next().map(|name| name.replace('_', "-")).zip(parts.next().map(str::to_owned));
        return Some((Ecosystem::PyPi, named));
    }
    let archive = name.strip_suffix(".tgz")?;
    Some((Ecosystem::Npm, split(archive)))
}

/// Name and version in the name of an archive of Yarn's cache: `name-npm-version-hash[-hash].zip`.
fn of_yarn(name: &str) -> Option<(String, String)> {
    let (name, rest) = name.strip_suffix(".zip")?.rsplit_once("-npm-")?;
    let is_hash = |text: &str| text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut version = rest;
    for _ in 0..2 {
        version = version.rsplit_once('-').filter(|(_, hash)| is_hash(hash)).map_or(version, |(rest, _)| rest);
    }
    Some((name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Names as Yarn's documentation of its offline cache and npm's of its folders have them.
    #[test]
    fn places_and_archives_name_their_package() {
        let place = |path: &str| of_node_modules(&RepoPath::new(path)).map(|path| path.to_string());
        assert_eq!(place("web/node_modules/a/lib/x.js").as_deref(), Some("web/node_modules/a"));
        assert_eq!(place("node_modules/@s/a/node_modules/b/x.js").as_deref(), Some("node_modules/@s/a/node_modules/b"));
        assert_eq!(place("node_modules/.package-lock.json").as_deref(), Some("node_modules/.package-lock.json"));
        assert_eq!(place("src/a.js"), None);
        let archive = |name: &str| of_yarn(name).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(archive("lodash-npm-4.17.21-6382451519-eb835a2e51.zip").as_deref(), Some("lodash 4.17.21"));
        assert_eq!(
            archive("@s-a-npm-1.0.0-rc.1-0123456789-10c0.zip").as_deref(),
            Some("@s-a 1.0.0-rc.1-0123456789-10c0")
        );
        assert_eq!(archive("a-npm-1.0.0-beta-0123456789.zip").as_deref(), Some("a 1.0.0-beta"));
        assert_eq!(archive("a-patch-1.zip"), None);
        let cached = Vendored {
            place: RepoPath::new(".yarn/cache/@s-a-npm-1.0.0-0123456789.zip"),
            ecosystem: Ecosystem::Npm,
            package: of_yarn("@s-a-npm-1.0.0-0123456789.zip"),
        };
        assert!(cached.is(Ecosystem::Npm, "@s/a", "1.0.0") && !cached.is(Ecosystem::Npm, "@s/b", "1.0.0"));
    }
}
