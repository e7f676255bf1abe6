//! Finds Maven projects and reads them. Maven has no lockfile: versions are what the poms say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::effective::{Common, Effective, Management, Resolved, is_import};
use super::pom::{self, Dependency, Plugin, Pom, Section};
use super::tree::{Chain, Failure, POM, Poms};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::text;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::{Files, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Bytes that the addresses of all repositories of one project may take.
const MAX_ADDRESSES: usize = 1 << 12;

/// Bytes of poms that are looked through for uses of properties.
const MAX_POMS: usize = 16 << 20;

/// BOMs that are named as what manages a version.
const MAX_MANAGERS: usize = 8;

/// The projects of a tree: every pom is one, modules too.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let is_own = |path: &RepoPath| path.parts().all(|part| part != "node_modules");
    let project = |path: RepoPath| Project {
        path: path.parent(),
        ecosystem: Ecosystem::Maven,
        manifest: Some(path),
        lockfile: None,
    };
    let mut found: Vec<RepoPath> = files.named(POM).into_iter().filter(is_own).collect();
    let others: Vec<RepoPath> = module_files(&found, files).into_iter().filter(is_own).collect();
    found.extend(others);
    found.into_iter().map(project).collect()
}

/// Poms of another name: those that a pom names as modules. Maven takes a module that is a file for the pom itself.
fn module_files(poms: &[RepoPath], files: &dyn Files) -> Vec<RepoPath> {
    let mut all: HashSet<RepoPath> = HashSet::new();
    let mut seen: HashSet<RepoPath> = poms.iter().cloned().collect();
    let mut waiting = poms.to_vec();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        // What cannot be read is said where it is read as a project.
        let Ok(Some((bytes, _))) = files.read(&path) else { continue };
        let may_have = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        if !may_have(b"module") && !may_have(b"subproject") {
            continue;
        }
        let Ok(pom) = pom::parse(&bytes) else { continue };
        for module in pom.sections().flat_map(|section| &section.modules) {
            let Some(to) = path.parent().join(module).filter(|to| to.file_name().contains('.')) else { continue };
            if seen.contains(&to) {
                continue;
            }
            if all.is_empty() {
                all = files.paths().cloned().collect();
            }
            if all.contains(&to) {
                seen.insert(to.clone());
                waiting.push(to.clone());
                found.push(to);
            }
        }
    }
    found.sort();
    found
}

/// Reads one project.
///
/// Profiles count as if they were active, each by itself: one that is switched on by a property or a clock is a place
/// to hide in. What it asks for, and what its properties make of all else, is added to what the poms say without it.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let Some(path) = &project.manifest else {
        return Err((project.path.clone(), Unread::NotAFile("there is no pom.xml".to_owned())));
    };
    let common = Common::new(given(&project.path, &mut view)?);
    let mut poms = Poms::new(&mut view);
    let chain = poms.chain(path)?;
    if chain.levels.is_empty() {
        return Err((path.clone(), Unread::NotAFile("the pom.xml is not there".to_owned())));
    }
    let base = Effective { chain: &chain, profile: None, common: &common };
    let fail = |error| (path.clone(), error);
    let sources = Sources::find(&base).map_err(fail)?;
    let above = Managers::default();
    let mut writer = Writer { draft: Draft::new(), root: 0, sources, above };
    if let Some(level) = chain.levels.first() {
        let name = format!("{}:{}", base.text(level.pom.group()).map_err(fail)?, level.pom.artifact);
        let version = base.text(level.pom.version()).map_err(fail)?;
        let span = Span { input: level.input, line: level.pom.line, end_line: level.pom.line };
        writer.root = writer.draft.root(&name, &version, &level.folder, span);
    }
    writer.view(&base, &mut poms)?;
    for (at, level) in chain.levels.iter().enumerate() {
        for (number, _) in level.pom.profiles.iter().enumerate().filter(|(_, profile)| !profile.says_nothing()) {
            let view = Effective { chain: &chain, profile: Some((at, number)), common: &common };
            writer.view(&view, &mut poms)?;
        }
    }
    writer.outside(&base, &chain).map_err(fail)?;
    for module in chain.levels.first().into_iter().flat_map(|level| level.pom.sections()).flat_map(|s| &s.modules) {
        if module.contains("${")
            && let Some(level) = chain.levels.first()
        {
            let span = Span { input: level.input, line: level.pom.line, end_line: level.pom.line };
            writer.draft.disagree(module, "is a module, and it cannot be told which pom that is", span);
        }
    }
    // A BOM does not take properties from the pom that imports it.
    if chain.outside.is_some() {
        writer.unused(&base, &mut view).map_err(fail)?;
    }
    Ok(writer.draft.finish(project, view.into_inputs()))
}

/// The properties that the nearest `.mvn/maven.config` gives on every command line (Maven's "Configuring").
fn given(folder: &RepoPath, view: &mut View<'_>) -> Result<HashMap<String, String>, Failure> {
    let mut at = folder.clone();
    loop {
        if let Some(path) = at.join(".mvn/maven.config") {
            let found = view.read(&path).map_err(|error| (path.clone(), error))?;
            if let Some((bytes, _)) = found {
                return text(&bytes, MAX_BYTES).map(definitions).map_err(|error| (path, error));
            }
        }
        if at.is_root() {
            return Ok(HashMap::new());
        }
        at = at.parent();
    }
}

/// `-Dname=value`, also with a blank or as `--define`.
fn definitions(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace);
    while let Some(word) = words.next() {
        let definition = match word {
            "-D" | "--define" => words.next(),
            _ => word.strip_prefix("-D").or_else(|| word.strip_prefix("--define=")),
        };
        if let Some(definition) = definition {
            let (name, value) = definition.split_once('=').unwrap_or((definition, "true"));
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    found
}

/// Where dependencies and plugins come from.
///
/// A pom that declares repositories does not say which package comes from which: Maven asks them in their order. So all
/// of them together, as written, are the source of every package, and one more is another source. Whether one that is
/// alone is the public registry is settled later; without any, it is.
struct Sources {
    packages: Source,
    plugins: Source,
}

impl Sources {
    fn find(base: &Effective<'_>) -> Result<Self, Unread> {
        let sections = || base.chain.levels.iter().flat_map(|level| level.pom.sections());
        let packages = sections().flat_map(|section: &Section| &section.repositories);
        let plugins = sections().flat_map(|section: &Section| &section.plugin_repositories);
        Ok(Self { packages: source(base, packages)?, plugins: source(base, plugins)? })
    }
}

fn source<'a>(base: &Effective<'_>, addresses: impl Iterator<Item = &'a String>) -> Result<Source, Unread> {
    let (mut all, mut seen) = (String::new(), HashSet::new());
    for address in addresses {
        let address = base.text(address)?;
        if all.len() + address.len() > MAX_ADDRESSES {
            let what = "the addresses of repositories, in bytes,".to_owned();
            let (size, cap) = ((all.len() + address.len()) as u64, MAX_ADDRESSES as u64);
            return Err(Unread::TooLarge { what, size, cap });
        }
        if seen.insert(address.clone()) {
            all.push_str(if all.is_empty() { "" } else { " " });
            all.push_str(&address);
        }
    }
    Ok(if all.is_empty() { Source::public() } else { Source::registry(&all) })
}

struct Writer {
    draft: Draft,
    root: usize,
    sources: Sources,
    above: Managers,
}

/// What manages versions from outside of the tree, for the version of what is left to it.
#[derive(Default)]
struct Managers {
    /// The parent.
    parent: String,
    /// The parent, and BOMs.
    all: String,
}

impl Managers {
    fn find(view: &Effective<'_>, poms: &mut Poms<'_, '_>) -> Result<Self, Failure> {
        let mut names: Vec<String> = Vec::new();
        let label = |each: &Dependency| -> Result<String, Unread> {
            let version = view.text(each.version.as_deref().unwrap_or_default())?;
            Ok(format!("{}:{}:{version}", view.text(&each.group)?, view.text(&each.artifact)?))
        };
        if let Some((parent, _)) = &view.chain.outside {
            let last = view.chain.levels.len().saturating_sub(1);
            names.push(label(&parent.itself).map_err(|error| view.failure(last, error))?);
        }
        let parent = names.concat();
        for (level, section) in view.sections() {
            for import in section.managed.iter().filter(|managed| is_import(managed)) {
                let fail = |error| view.failure(level, error);
                if view.module(import, poms).map_err(fail)?.is_none() && names.len() < MAX_MANAGERS {
                    names.push(label(import).map_err(fail)?);
                }
            }
        }
        names.dedup();
        Ok(Self { parent, all: names.join(" or ") })
    }
}

impl Writer {
    /// Adds all that the poms come to with one profile or none.
    fn view(&mut self, view: &Effective<'_>, poms: &mut Poms<'_, '_>) -> Result<(), Failure> {
        let management = view.management(poms, &mut Vec::new())?;
        self.above = Managers::find(view, poms)?;
        // A section overrides what those after it say of one key; within itself, everything counts.
        let mut overridden = HashSet::new();
        for (level, section) in view.sections() {
            let fail = |error| view.failure(level, error);
            let mut own = Vec::new();
            for dependency in &section.dependencies {
                let found = view.resolve(dependency, &management).map_err(fail)?;
                if overridden.contains(&found.key) {
                    continue;
                }
                let scope = match found.scope.as_deref() {
                    Some("test") => Scope::Development,
                    _ => Scope::Runtime,
                };
                self.direct(view, poms, (level, dependency), &found, scope).map_err(fail)?;
                own.push(found.key);
            }
            overridden.extend(own);
        }
        self.managed(view, poms, &management)?;
        self.plugins(view, poms, &management)
    }

    /// Adds what a pom asks for, and that it does.
    fn direct(
        &mut self,
        view: &Effective<'_>,
        poms: &mut Poms<'_, '_>,
        (level, dependency): (usize, &Dependency),
        found: &Resolved,
        scope: Scope,
    ) -> Result<(), Unread> {
        let Some(home) = view.chain.levels.get(level) else { return Ok(()) };
        let span = Span { input: home.input, line: dependency.line, end_line: dependency.line };
        let above = if scope == Scope::Build { &self.above.parent } else { &self.above.all };
        let mut package = package(found, above, span);
        if scope == Scope::Build {
            package.source = self.sources.plugins.clone();
        } else {
            package.source = self.sources.packages.clone();
        }
        if let Some(path) = &dependency.system_path {
            let path = view.text(path)?;
            let inside = home.folder.join(&path).map(|path| path.to_string());
            package.source = Source::path(inside.as_deref().unwrap_or(&path));
            package.identity = Identity::Foreign;
        } else if let Some(version) = &found.version
            && view.module_of(&found.group, &found.artifact, version, poms)?.is_some()
        {
            // Members of the repository are projects of their own, and no packages.
            return Ok(());
        }
        let number = self.draft.package(package);
        self.draft.need(self.root, number, scope, Some(span));
        Ok(())
    }

    /// Adds what the pom itself manages: it decides the version of whatever brings such a package along, so a change
    /// there changes what is installed. What its parents manage is said where they are projects.
    fn managed(
        &mut self,
        view: &Effective<'_>,
        poms: &mut Poms<'_, '_>,
        management: &Management,
    ) -> Result<(), Failure> {
        for (level, section) in view.sections().filter(|(level, _)| *level == 0) {
            let fail = |error| view.failure(level, error);
            for managed in &section.managed {
                let found = view.resolve(managed, management).map_err(fail)?;
                if is_import(managed) {
                    if view.module(managed, poms).map_err(fail)?.is_none() {
                        self.direct(view, poms, (level, managed), &found, Scope::Build).map_err(fail)?;
                    }
                    continue;
                }
                let module = match &found.version {
                    Some(version) => view.module_of(&found.group, &found.artifact, version, poms).map_err(fail)?,
                    // Without a version it manages but scopes and exclusions.
                    None => continue,
                };
                let input = view.chain.levels.get(level).map_or(0, |home| home.input);
                let span = Span { input, line: managed.line, end_line: managed.line };
                let mut package = package(&found, "", span);
                package.source = self.sources.packages.clone();
                if module.is_none() && managed.system_path.is_none() {
                    self.draft.package(package);
                }
            }
        }
        Ok(())
    }

    /// Adds plugins with what they need, and extensions. Each is code that runs in the build.
    fn plugins(
        &mut self,
        view: &Effective<'_>,
        poms: &mut Poms<'_, '_>,
        management: &Management,
    ) -> Result<(), Failure> {
        let none = Management::new();
        let versions = view.plugin_versions()?;
        let mut used = HashSet::new();
        for (level, section) in view.sections() {
            let fail = |error| view.failure(level, error);
            let mut own_names = Vec::new();
            let is_own = level == 0;
            let managed: &[Plugin] = if is_own { &section.managed_plugins } else { &[] };
            let reports: &[Plugin] = if is_own { &section.reports } else { &[] };
            let listed = section.plugins.iter().map(|plugin| (plugin, true));
            let others = managed.iter().chain(reports).map(|plugin| (plugin, false));
            for (Plugin { itself, dependencies, configured }, is_used) in listed.chain(others) {
                let mut found = view.resolve(itself, &none).map_err(fail)?;
                let name = (found.group.clone(), found.artifact.clone());
                if found.version.is_none() {
                    found.version = versions.get(&name).cloned();
                }
                // What a nearer section says of the same plugin overrides its version; dependencies add up.
                if !is_used || !used.contains(&name) {
                    self.direct(view, poms, (level, itself), &found, Scope::Build).map_err(fail)?;
                }
                if is_used {
                    own_names.push(name);
                }
                self.needs_of_plugin(view, poms, level, dependencies, &none).map_err(fail)?;
                self.needs_of_plugin(view, poms, level, configured, management).map_err(fail)?;
            }
            used.extend(own_names);
            for extension in &section.extensions {
                let found = view.resolve(extension, &none).map_err(fail)?;
                self.direct(view, poms, (level, extension), &found, Scope::Build).map_err(fail)?;
            }
        }
        for (level, section) in view.sections().filter(|(level, _)| *level > 0) {
            let fail = |error| view.failure(level, error);
            for Plugin { itself, dependencies, configured } in &section.managed_plugins {
                let found = view.resolve(itself, &none).map_err(fail)?;
                if used.contains(&(found.group, found.artifact)) {
                    self.needs_of_plugin(view, poms, level, dependencies, &none).map_err(fail)?;
                    self.needs_of_plugin(view, poms, level, configured, management).map_err(fail)?;
                }
            }
        }
        Ok(())
    }

    fn needs_of_plugin(
        &mut self,
        view: &Effective<'_>,
        poms: &mut Poms<'_, '_>,
        level: usize,
        dependencies: &[Dependency],
        management: &Management,
    ) -> Result<(), Unread> {
        for dependency in dependencies {
            let found = view.resolve(dependency, management)?;
            self.direct(view, poms, (level, dependency), &found, Scope::Build)?;
        }
        Ok(())
    }

    /// Says which versions a pom sets that no dependency in the tree asks for: a parent outside of it may take its own
    /// from them. Properties of profiles count as well.
    fn unused(&mut self, base: &Effective<'_>, view: &mut View<'_>) -> Result<(), Unread> {
        let Some(level) = base.chain.levels.first() else { return Ok(()) };
        let mut set: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in level.pom.sections().flat_map(|section| &section.properties) {
            if is_version(name, value) {
                set.entry(name).or_default().insert(value);
            }
        }
        let mut used = HashSet::new();
        for level in &base.chain.levels {
            asked(&level.pom, &mut used);
        }
        set.retain(|name, _| !used.contains(*name));
        if set.is_empty() {
            return Ok(());
        }
        // Those that inherit it lie below it, as a rule.
        let mut left = MAX_POMS;
        for path in view.named(POM).into_iter().filter(|path| path.is_within(&level.folder)) {
            // What cannot be read is said where it is a project of its own.
            let Ok(Some((bytes, _))) = view.read(&path) else { continue };
            let Some(rest) = left.checked_sub(bytes.len()) else { break };
            left = rest;
            if let Ok(pom) = pom::parse(&bytes) {
                asked(&pom, &mut used);
            }
        }
        // What a module asks for may be written here with further properties.
        let mut waiting: Vec<String> = used.iter().cloned().collect();
        while let Some(name) = waiting.pop() {
            let sections = base.chain.levels.iter().flat_map(|level| level.pom.sections());
            for value in sections.filter_map(|section| section.properties.get(&name)) {
                waiting.extend(names(value).filter(|name| used.insert(name.clone())));
            }
        }
        set.retain(|name, _| !used.contains(*name));
        let span = Span { input: level.input, line: level.pom.line, end_line: level.pom.line };
        for (name, values) in set {
            for value in values {
                let value = base.text(value)?;
                self.draft.disagree(name, format!("may set a version that the parent manages: {value}"), span);
            }
        }
        Ok(())
    }

    /// Adds the parent that is not in the tree: versions that it manages stay unknown.
    fn outside(&mut self, base: &Effective<'_>, chain: &Chain) -> Result<(), Unread> {
        let Some((parent, input)) = &chain.outside else { return Ok(()) };
        let found = base.resolve(&parent.itself, &Management::new())?;
        let span = Span { input: *input, line: parent.itself.line, end_line: parent.itself.line };
        let mut package = package(&found, "", span);
        package.source = self.sources.packages.clone();
        let number = self.draft.package(package);
        self.draft.need(self.root, number, Scope::Build, Some(span));
        Ok(())
    }
}

/// Whether a property may be the version of something that is fetched, and not of the language or the build.
fn is_version(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let starts = ["project.", "maven.compiler.", "java.", "jdk.", "sonar.", "commons.release.", "commons.rc."];
    let is_of_build = starts.iter().any(|start| lower.starts_with(start)) || matches!(&*lower, "jdk" | "javaversion");
    // `1.2.3` is one under any name, and `0.95` is more often a share.
    let is_number = value.starts_with(|c: char| c.is_ascii_digit()) && value.split('.').count() > 2;
    !is_of_build && !value.is_empty() && (lower.contains("version") || is_number)
}

/// Properties that dependencies and plugins of a pom are written with, and those that these are written with in turn.
/// What a configuration or a comment mentions decides no version that is read here.
fn asked(pom: &Pom, used: &mut HashSet<String>) {
    let mut waiting: Vec<String> = Vec::new();
    for section in pom.sections() {
        let plugins = section.plugins.iter().chain(&section.managed_plugins).chain(&section.reports);
        let of_plugins = plugins
            .flat_map(|plugin| [&plugin.itself].into_iter().chain(&plugin.dependencies).chain(&plugin.configured));
        let all = section.dependencies.iter().chain(&section.managed).chain(&section.extensions).chain(of_plugins);
        waiting.extend(all.filter_map(|each| each.version.as_deref()).flat_map(names));
    }
    let parent = pom.parent.as_ref().and_then(|parent| parent.itself.version.as_deref());
    waiting.extend([Some(pom.version()), parent].into_iter().flatten().flat_map(names));
    let mut seen = HashSet::new();
    while let Some(name) = waiting.pop() {
        if seen.insert(name.clone()) {
            let values = pom.sections().filter_map(|section| section.properties.get(&name));
            waiting.extend(values.flat_map(|value| names(value)));
        }
    }
    used.extend(seen);
}

/// The names of the properties in a text.
fn names(text: &str) -> impl Iterator<Item = String> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned())
}

/// A package at the version that the poms come to.
///
/// A plain version is what Maven takes for a dependency that the project itself names, whatever others ask for: it is
/// fixed, though no digest is. So is a range of one version. Any other range, what property nobody defines, and what is
/// managed outside the tree, is not.
///
/// `above` is what manages it from there: another version of that is another version of this.
fn package(found: &Resolved, above: &str, span: Span) -> Package {
    let name = format!("{}:{}", found.group, found.artifact);
    let open = if above.is_empty() { "*".to_owned() } else { format!("* (managed by {above})") };
    let version = found.version.as_deref().unwrap_or(&open);
    let single = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let single = single.map(str::trim).filter(|single| !single.contains(['[', '(', ',', ' ']) && !single.is_empty());
    let is_plain = !version.contains(['[', '(', ',', '*', '{']) && !matches!(version, "LATEST" | "RELEASE" | "");
    let (version, is_locked) = match single {
        Some(single) => (single, !single.contains('{')),
        None => (version, is_plain),
    };
    Package { is_locked, ..Package::new(Ecosystem::Maven, &name, version, span) }
}
