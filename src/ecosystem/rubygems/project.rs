//! Finds projects of bundler and reads them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::gemfile::{self, Gem, Gemfile};
use super::lockfile::{self, Kind, Lock, Section, Sum};
use super::version::satisfies;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, toml::MAX_BYTES};
use crate::ecosystem::{FILE_CAP, Files, View};
use crate::model::checksum::{of_commit, of_files, of_hex, strength};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Scopes, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Versions of one gem in one lockfile, at the most: platforms may have one each. Every one of them is an edge of
/// whatever needs the gem.
const MAX_VERSIONS: usize = 64;

/// Statements that ask for one gem, at the most: each is compared with every version of it.
const MAX_STATEMENTS: usize = 64;

/// Length of a locked address that is compared with those of the manifest, at the most.
const MAX_ADDRESS: usize = 2_048;

type Failure = (RepoPath, Unread);

/// The manifest that bundler reads beside a lockfile.
fn manifest_of(lockfile: &str) -> &str {
    if lockfile == "gems.locked" { "gems.rb" } else { lockfile.strip_suffix(".lock").unwrap_or(lockfile) }
}

fn is_lockfile(name: &str) -> bool {
    name == "Gemfile.lock" || name == "gems.locked" || name.ends_with(".gemfile.lock")
}

fn is_manifest(name: &str) -> bool {
    name == "Gemfile" || name == "gems.rb" || name.ends_with(".gemfile")
}

/// Whether a path lies where bundler puts the gems that it installs, or another tool its packages.
fn is_vendored(path: &RepoPath) -> bool {
    let parts: Vec<&str> = path.parts().collect();
    parts.contains(&"node_modules") || parts.windows(2).any(|pair| pair == ["vendor", "bundle"])
}

/// The projects of a tree.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let ecosystem = Ecosystem::RubyGems;
    let (mut locked, mut manifests) = (Vec::new(), HashSet::new());
    for path in files.paths().filter(|path| !is_vendored(path)) {
        if is_lockfile(path.file_name()) {
            locked.push(path.clone());
        } else if is_manifest(path.file_name()) {
            manifests.insert(path.clone());
        }
    }
    let mut found = Vec::new();
    for lockfile in locked {
        let path = lockfile.parent();
        let manifest = path.join(manifest_of(lockfile.file_name())).and_then(|beside| manifests.take(&beside));
        found.push(Project { path, ecosystem, manifest, lockfile: Some(lockfile) });
    }
    for manifest in manifests {
        found.push(Project { path: manifest.parent(), ecosystem, manifest: Some(manifest), lockfile: None });
    }
    found.sort_by(|a, b| (&a.path, &a.manifest, &a.lockfile).cmp(&(&b.path, &b.manifest, &b.lockfile)));
    found
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    // The manifest is looked for even where it is not there: that it appears changes what is read.
    let beside = project.lockfile.as_ref().and_then(|path| project.path.join(manifest_of(path.file_name())));
    let manifest = match project.manifest.clone().or(beside) {
        Some(path) => match view.read(&path).map_err(|error| (path.clone(), error))? {
            Some((bytes, input)) => Some((gemfile::parse(&bytes, MAX_BYTES).map_err(|e| (path, e))?, input)),
            None => None,
        },
        None => None,
    };
    let root_span =
        manifest.as_ref().map_or_else(Span::default, |(_, input)| Span { input: *input, ..Span::default() });
    match &project.lockfile {
        Some(path) => {
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) =
                found.ok_or_else(|| (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())))?;
            let lock = lockfile::parse(&bytes, FILE_CAP).map_err(|error| (path.clone(), error))?;
            let root = draft.root(&project.path.to_string(), "", &project.path, root_span);
            let own = match &manifest {
                Some((gemfile, input)) => specifications(project, gemfile, *input, &mut draft, &mut view)?,
                None => Vec::new(),
            };
            let folder = &project.path;
            let mut builder =
                Builder { draft: &mut draft, root, folder, input, by_name: HashMap::new(), own: HashSet::new() };
            builder.packages(&lock).map_err(|error| (path.clone(), error))?;
            builder.needs(&lock, manifest.as_ref());
            builder.specified(&own);
            if let Some((gemfile, input)) = &manifest {
                builder.sources(&lock, gemfile, *input);
                plugins(&mut draft, root, gemfile, *input);
            }
        }
        None => {
            if let Some((gemfile, input)) = &manifest {
                let root = draft.root(&project.path.to_string(), "", &project.path, root_span);
                let own = specifications(project, gemfile, *input, &mut draft, &mut view)?;
                // One file that computes may ask at run time for what another has for development.
                let computes =
                    gemfile.computes.is_some() || own.iter().any(|(own, _)| own.computes.is_some() || own.is_doubtful);
                let usual = usual(gemfile);
                unlocked(&mut draft, root, gemfile, (*input, computes || gemfile.is_doubtful), &usual);
                for (own, input) in &own {
                    unlocked(&mut draft, root, own, (*input, computes || gemfile.is_doubtful), &usual);
                }
                plugins(&mut draft, root, gemfile, *input);
            }
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// What is known while a lockfile becomes packages.
struct Builder<'d, 'l> {
    draft: &'d mut Draft,
    root: usize,
    folder: &'d RepoPath,
    input: u32,
    by_name: HashMap<&'l str, Vec<u32>>,
    /// Names of the gems of the project's own folder.
    own: HashSet<&'l str>,
}

const fn at(input: u32, line: u32, end_line: u32) -> Span {
    Span { input, line, end_line }
}

impl<'l> Builder<'_, 'l> {
    fn packages(&mut self, lock: &Lock<'l>) -> Result<(), Unread> {
        let sums = checksums(&lock.sums)?;
        let mut edges: Vec<(u32, &'l str)> = Vec::new();
        let mut own_needs: Vec<&'l str> = Vec::new();
        for section in &lock.sections {
            let (origin, identity) = source(section);
            // The platforms of one gem's version are files of one package.
            let mut known: HashMap<(&str, &str), u32> = HashMap::new();
            for spec in &section.specs {
                if section.kind == Kind::Path && section.remotes == ["."] {
                    self.draft.root(spec.name, spec.version, self.folder, at(self.input, spec.line, spec.end_line));
                    self.own.insert(spec.name);
                    own_needs.extend(&spec.needs);
                    continue;
                }
                let package = match known.get(&(spec.name, spec.version)) {
                    Some(package) => *package,
                    None => {
                        let span = at(self.input, spec.line, spec.end_line);
                        let mut package = Package::new(Ecosystem::RubyGems, spec.name, spec.version, span);
                        (package.source, package.identity) = (origin.clone(), identity);
                        match section.revision {
                            Some(revision) => package.checksum = of_commit(revision),
                            None => {
                                let files = sums.get(&(spec.name, spec.version)).cloned().unwrap_or_default();
                                (package.checksum, package.files) = of_files(files);
                            }
                        }
                        let package = self.draft.package(package);
                        known.insert((spec.name, spec.version), package);
                        let same = self.by_name.entry(spec.name).or_default();
                        if !same.contains(&package) {
                            same.push(package);
                        }
                        if same.len() > MAX_VERSIONS {
                            return Err(malformed(spec.line, format!("more than {MAX_VERSIONS} versions of one gem")));
                        }
                        package
                    }
                };
                edges.extend(spec.needs.iter().map(|name| (package, *name)));
            }
        }
        if let Some((version, line)) = lock.bundler {
            let mut package = Package::new(Ecosystem::RubyGems, "bundler", version, at(self.input, line, line));
            package.scopes = Scopes::of(Scope::Build);
            let files = sums.get(&("bundler", version)).cloned().unwrap_or_default();
            (package.checksum, package.files) = of_files(files);
            self.draft.package(package);
        }
        for name in own_needs {
            for package in self.by_name.get(name).into_iter().flatten() {
                self.draft.need(self.root, *package, Scope::Runtime, None);
            }
        }
        edges.retain(|(_, name)| !self.own.contains(name));
        edges.sort_unstable();
        edges.dedup();
        for (from, name) in edges {
            for to in self.by_name.get(name).into_iter().flatten() {
                self.draft.edge(from, *to);
            }
        }
        Ok(())
    }

    /// What the project itself asks for: the lockfile's own list, with the groups of the manifest where every line of
    /// that is understood.
    fn needs(&mut self, lock: &Lock<'l>, manifest: Option<&(Gemfile, u32)>) {
        let none = Gemfile::default();
        let (gemfile, manifest_input) = manifest.map_or((&none, 0), |(gemfile, input)| (gemfile, *input));
        let mut asked: BTreeMap<&str, Vec<&Gem>> = BTreeMap::new();
        for gem in &gemfile.gems {
            asked.entry(&gem.name).or_default().push(gem);
        }
        for wanted in &lock.wanted {
            let gems = asked.get(wanted.name).map(Vec::as_slice).unwrap_or_default();
            let declared = gems.first().map(|gem| at(manifest_input, gem.line, gem.line));
            let all = gems.iter().fold(Scopes::default(), |all, gem| all.with(Scopes::of(gem.scope())));
            let is_known = gemfile.computes.is_none() && !gemfile.is_doubtful && !all.is_empty();
            let scopes = if is_known { all } else { Scopes::of(Scope::Runtime) };
            let packages = self.by_name.get(wanted.name).cloned().unwrap_or_default();
            for package in packages {
                for scope in scopes.iter() {
                    self.draft.need(self.root, package, scope, declared);
                }
                let span = at(self.input, wanted.line, wanted.line);
                self.check(package, wanted.requirement, span);
            }
        }
        if let Some(line) = gemfile.computes {
            let message = "computes what it asks for, which may be more than the lockfile holds";
            self.draft.disagree("Gemfile", message, at(manifest_input, line, line));
        }
        let listed: HashSet<&str> = lock.wanted.iter().map(|wanted| wanted.name).collect();
        for (name, gems) in asked {
            self.compare(name, &gems, manifest_input, listed.contains(name));
        }
        if manifest.is_none() && lock.wanted.is_empty() {
            self.unasked(lock);
        }
    }

    /// Without a list of what is asked for, it is what no other gem needs.
    fn unasked(&mut self, lock: &Lock<'l>) {
        let specs = || lock.sections.iter().flat_map(|section| &section.specs);
        let needed: HashSet<&str> = specs().flat_map(|spec| spec.needs.iter().copied()).collect();
        for (name, packages) in &self.by_name {
            if !needed.contains(name) {
                for package in packages {
                    self.draft.need(self.root, *package, Scope::Runtime, None);
                }
            }
        }
    }

    /// Compares what the manifest says in so many words with the lockfile.
    fn compare(&mut self, name: &str, gems: &[&Gem], input: u32, is_listed: bool) {
        let packages = self.by_name.get(name).cloned().unwrap_or_default();
        if let Some(gem) = gems.get(MAX_STATEMENTS) {
            let message = format!("is asked for more than {MAX_STATEMENTS} times, and not all of it is compared");
            self.draft.disagree(name, message, at(input, gem.line, gem.line));
        }
        for gem in gems.iter().take(MAX_STATEMENTS) {
            let span = at(input, gem.line, gem.line);
            if !is_listed {
                for package in &packages {
                    self.draft.need(self.root, *package, Scope::Runtime, Some(span));
                }
            }
            // Bundler leaves itself out, and gems of platforms that the lockfile is not for.
            if name == "bundler" || self.own.contains(&name) {
                continue;
            }
            if let Some((kind, address)) = &gem.place {
                for package in &packages {
                    self.place(*package, kind, address, span);
                }
            }
            if !gem.is_certain || gem.is_limited {
                continue;
            }
            if packages.is_empty() {
                self.draft.disagree(name, "asks for a gem that the lockfile does not hold", span);
            } else if !is_listed {
                self.draft.disagree(name, "asks for a gem that the lockfile does not list as asked for", span);
            }
            if gems.len() == 1 {
                for package in &packages {
                    self.check(*package, &gem.requirement.join(","), span);
                }
            }
        }
    }

    /// What the specifications of the project's own gems ask for. The lockfile repeats it as what these gems need.
    fn specified(&mut self, own: &[(Gemfile, u32)]) {
        for (specification, input) in own {
            if let Some(line) = specification.hides {
                let message = "computes what it asks for, which may be more than the lockfile holds";
                self.draft.disagree("gemspec", message, at(*input, line, line));
            }
            for gem in specification.gems.iter().filter(|gem| gem.name != "bundler") {
                if self.own.contains(&*gem.name) {
                    continue;
                }
                let span = at(*input, gem.line, gem.line);
                let packages = self.by_name.get(&*gem.name).cloned().unwrap_or_default();
                if packages.is_empty() {
                    self.draft.disagree(&gem.name, "asks for a gem that the lockfile does not hold", span);
                }
                for package in packages {
                    if !gem.is_weak {
                        self.draft.need(self.root, package, Scope::Runtime, Some(span));
                    }
                    self.check(package, &gem.requirement.join(","), span);
                }
            }
        }
    }

    /// Says which sources of the manifest the lockfile does not name. Bundler names them all, in use or not.
    fn sources(&mut self, lock: &Lock<'_>, gemfile: &Gemfile, input: u32) {
        let sections = lock.sections.iter().filter(|section| matches!(section.kind, Kind::Gem | Kind::Plugin));
        let known: HashSet<String> = sections.flat_map(|section| &section.remotes).map(|remote| bare(remote)).collect();
        for (address, line) in &gemfile.sources {
            let shown = bare(address);
            // Old names of the public registry.
            if !matches!(&**address, "rubygems" | "gemcutter" | "rubyforge") && !known.contains(&shown) {
                let message = format!("takes gems from {shown:.200}, and the lockfile does not name that source");
                self.draft.disagree("Gemfile", message, at(input, *line, *line));
            }
        }
    }

    /// Says where a gem is asked for from elsewhere than where the lockfile has it from: bundler goes there.
    fn place(&mut self, package: u32, kind: &str, address: &str, span: Span) {
        let Some(package) = self.draft.packages().get(package as usize) else { return };
        if !is_same_place(self.folder, kind, address, &package.source) {
            let short = |text: &str| bare(&text.chars().take(500).collect::<String>());
            let (wanted, locked) = (short(address), short(&package.source.address));
            let message = format!("asks for it from {kind} {wanted:.200}, and the lockfile has it from {locked:.200}");
            let name = package.name.to_string();
            self.draft.disagree(&name, message, span);
        }
    }

    /// Says where a locked version is outside of what is required.
    fn check(&mut self, package: u32, requirement: &str, span: Span) {
        let Some(package) = self.draft.packages().get(package as usize) else { return };
        if !requirement.is_empty() && satisfies(&package.version, requirement) == Some(false) {
            let shown: String = requirement.chars().take(80).collect();
            let message = format!("asks for {shown}, and the lockfile holds {:.80}", package.version);
            let name = package.name.to_string();
            self.draft.disagree(&name, message, span);
        }
    }
}

type Sums<'l> = HashMap<(&'l str, &'l str), Vec<Box<str>>>;

/// The strongest digest of each file, by gem and version.
fn checksums<'l>(sums: &[Sum<'l>]) -> Result<Sums<'l>, Unread> {
    let mut all: Sums<'l> = HashMap::new();
    let mut seen: HashMap<(&str, &str, &str), &str> = HashMap::new();
    for sum in sums {
        if let Some(other) = seen.insert((sum.name, sum.version, sum.platform), sum.digests)
            && other != sum.digests
        {
            return Err(malformed(sum.line, "a second checksum for one file"));
        }
        let digests = sum.digests.split(',').filter_map(|digest| {
            let (algorithm, hex) = digest.split_once('=')?;
            of_hex(algorithm, hex)
        });
        let strongest = digests.max_by_key(|digest| strength(digest));
        all.entry((sum.name, sum.version)).or_default().extend(strongest);
    }
    Ok(all)
}

/// Where the gems of a section come from. Of several addresses in one section any may answer, so that they are one
/// source together.
fn source(section: &Section<'_>) -> (Source, Identity) {
    let address = section.remotes.join(" ");
    match section.kind {
        Kind::Gem if address.is_empty() => (Source::public(), Identity::Public),
        Kind::Gem => (Source::registry(&address), Identity::Public),
        Kind::Git => (Source::git(&address, section.revision), Identity::Foreign),
        Kind::Path => (Source::path(&address), Identity::Foreign),
        Kind::Plugin => (Source::registry(&address), Identity::Foreign),
    }
}

/// An address without the credentials in it and without what may end it either way.
fn bare(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    let start = rest.get(..host).and_then(|host| host.rfind('@')).map_or(0, |at| at + 1);
    format!("{scheme}://{}", rest.get(start..).unwrap_or_default())
}

/// Whether a place that the manifest names is where the lockfile has a gem from.
fn is_same_place(folder: &RepoPath, kind: &str, address: &str, locked: &Source) -> bool {
    if locked.address.len() > MAX_ADDRESS {
        return false;
    }
    let without_git = |text: &str| text.strip_suffix(".git").map_or_else(|| text.to_owned(), str::to_owned);
    match (kind, locked.kind) {
        ("git", SourceKind::Git) => {
            let locked = without_git(&bare(&locked.address));
            let Some((host, name)) = short(address) else { return without_git(&bare(address)) == locked };
            // `https://host/owner/name` and `git@host:owner/name`.
            let locked = locked.split_once("://").map_or(&*locked, |(_, rest)| rest);
            let locked = locked.split_once('@').map_or(locked, |(_, rest)| rest).replacen(':', "/", 1);
            locked.eq_ignore_ascii_case(&format!("{host}/{name}"))
        }
        ("path", SourceKind::Path) => match (folder.join(address), folder.join(&locked.address)) {
            (None, None) => bare(address) == bare(&locked.address),
            (wanted, locked) => wanted == locked,
        },
        ("source", SourceKind::Registry) => locked.address.split(' ').any(|each| bare(each) == bare(address)),
        _ => false,
    }
}

/// Host and repository of an address that is written with the short name of its host.
fn short(address: &str) -> Option<(&'static str, String)> {
    let (key, name) = address.split_once(':')?;
    let host = match key {
        "github" => "github.com",
        "gist" => "gist.github.com",
        "bitbucket" => "bitbucket.org",
        "gitlab" => "gitlab.com",
        _ => return None,
    };
    // The address of a pull or merge request names its repository.
    let name = name.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(name, |(_, path)| path);
    let name = ["/pull/", "/-/"].iter().find_map(|end| name.split_once(end)).map_or(name, |(name, _)| name);
    let name = name.trim_end_matches('/');
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_whole = name.contains('/') || key == "gist";
    Some((host, if is_whole { name.to_owned() } else { format!("{name}/{name}") }))
}

/// The specifications of gems that a manifest takes in.
fn specifications(
    project: &Project,
    gemfile: &Gemfile,
    input: u32,
    draft: &mut Draft,
    view: &mut View<'_>,
) -> Result<Vec<(Gemfile, u32)>, Failure> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (folder, line) in &gemfile.specifications {
        let folder = project.path.join(folder);
        if !seen.insert(folder.clone()) {
            continue;
        }
        let is_one = |path: &&RepoPath| {
            path.as_str().ends_with(".gemspec") && folder.as_ref().is_some_and(|folder| path.parent() == *folder)
        };
        let paths: Vec<RepoPath> = view.files().paths().filter(is_one).cloned().collect();
        if paths.is_empty() {
            draft.disagree("gemspec", "takes in a gem's specification that is not there", at(input, *line, *line));
        }
        for path in paths {
            let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else { continue };
            found.push((gemfile::specification(&bytes, MAX_BYTES).map_err(|error| (path, error))?, input));
        }
    }
    Ok(found)
}

/// Where gems without a place of their own come from. Of several addresses any may answer.
fn usual(gemfile: &Gemfile) -> Source {
    let all: Vec<String> = gemfile.sources.iter().map(|(address, _)| with_slash(address)).collect();
    if all.is_empty() { Source::public() } else { Source::registry(&all.join(" ")) }
}

/// Where what a manifest asks for comes from. `last` is the place of the gem before: what stands in one block has one
/// address in memory.
fn placed(gem: &Gem, usual: &Source, last: &mut Option<(Arc<str>, Source)>) -> (Source, Identity) {
    let Some((kind, address)) = &gem.place else { return (usual.clone(), Identity::Public) };
    let identity = if *kind == "source" { Identity::Public } else { Identity::Foreign };
    if let Some((known, source)) = last
        && Arc::ptr_eq(known, address)
    {
        return (source.clone(), identity);
    }
    let source = match *kind {
        "git" => Source::git(address, None),
        "path" => Source::path(address),
        _ => Source::registry(&with_slash(address)),
    };
    *last = Some((Arc::clone(address), source.clone()));
    (source, identity)
}

/// The requirement of a gem that no lockfile fixes.
fn requirement(gem: &Gem) -> String {
    match gem.requirement.as_slice() {
        [] => "*".to_owned(),
        [one] => match one.strip_prefix('=').unwrap_or(one).trim() {
            exact if exact.starts_with(|c: char| c.is_ascii_digit()) => format!("={exact}"),
            _ => one.clone(),
        },
        all => all.join(", "),
    }
}

/// Bundler's plugins. No lockfile names them, and bundler installs and runs them.
fn plugins(draft: &mut Draft, root: usize, gemfile: &Gemfile, input: u32) {
    let (usual, mut last) = (usual(gemfile), None);
    for plugin in &gemfile.plugins {
        let span = at(input, plugin.line, plugin.line);
        let (source, identity) = placed(plugin, &usual, &mut last);
        let package = Package::new(Ecosystem::RubyGems, &plugin.name, &requirement(plugin), span);
        let package = draft.package(Package { is_locked: false, source, identity, runs_on_install: true, ..package });
        draft.need(root, package, Scope::Build, Some(span));
    }
}

/// What a manifest asks for where there is no lockfile.
fn unlocked(draft: &mut Draft, root: usize, gemfile: &Gemfile, (input, computes): (u32, bool), usual: &Source) {
    let mut last = None;
    for gem in &gemfile.gems {
        let span = at(input, gem.line, gem.line);
        let (source, identity) = placed(gem, usual, &mut last);
        let package = Package::new(Ecosystem::RubyGems, &gem.name, &requirement(gem), span);
        let package = draft.package(Package { is_locked: false, source, identity, ..package });
        let scope = if computes { Scope::Runtime } else { gem.scope() };
        draft.need(root, package, scope, Some(span));
    }
    if let Some(line) = gemfile.computes {
        let message = "computes what it asks for, and no lockfile says what that is";
        draft.disagree("Gemfile", message, at(input, line, line));
    }
}

/// An address as bundler spells it in its lockfile.
fn with_slash(address: &str) -> String {
    if address.contains("://") && !address.ends_with('/') { format!("{address}/") } else { address.to_owned() }
}
