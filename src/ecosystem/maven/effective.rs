//! What a pom comes to: properties expanded, versions filled in from what manages them.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::pom::{Dependency, Plugin, Pom, Section};
use super::tree::{Chain, Failure, POM, Poms};
use crate::model::RepoPath;
use crate::model::tree::Unread;

/// Bytes that one value expands to, at the most.
const MAX_TEXT: usize = 4_096;

/// Properties inside properties.
const MAX_DEPTH: usize = 32;

/// Values that are expanded, and entries that are gone through, for one project.
const MAX_STEPS: u64 = 1_000_000;

/// The longest name of a property, in bytes.
const MAX_NAME: usize = 256;

/// BOMs that import each other.
const MAX_IMPORTS: usize = 16;

/// What all views of one project share.
#[derive(Debug)]
pub(super) struct Common {
    /// What is left of the work that one project may make.
    left: Cell<u64>,
    /// Properties that `.mvn/maven.config` gives: they go before those of poms.
    given: HashMap<String, String>,
}

impl Common {
    pub fn new(given: HashMap<String, String>) -> Self {
        Self { left: Cell::new(MAX_STEPS), given }
    }

    fn step(&self) -> Result<(), Unread> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                let what = "the number of steps to work out the versions".to_owned();
                Err(Unread::TooLarge { what, size: MAX_STEPS + 1, cap: MAX_STEPS })
            }
        }
    }
}

/// A chain of poms as it comes to with one profile active, or with none.
pub(super) struct Effective<'c> {
    pub chain: &'c Chain,
    /// The level and the number of the profile.
    pub profile: Option<(usize, usize)>,
    pub common: &'c Common,
}

/// What says the version of dependencies: group, artifact, type and classifier.
type Key = (String, String, String, String);

/// Version and scope of what is managed.
#[derive(Debug, Clone, Default)]
pub(super) struct Managed {
    pub version: Option<String>,
    pub scope: Option<String>,
}

/// All that is managed.
pub(super) type Management = HashMap<Key, Managed>;

impl<'c> Effective<'c> {
    /// Every section that counts, nearest first, with the number of its level.
    pub fn sections(&self) -> impl Iterator<Item = (usize, &'c Section)> {
        let (chain, profile) = (self.chain, self.profile);
        chain.levels.iter().enumerate().flat_map(move |(at, level)| {
            let active = profile.filter(|(level, _)| *level == at);
            let active = active.and_then(|(_, number)| level.pom.profiles.get(number));
            active.into_iter().chain([&level.pom.main]).map(move |section| (at, section))
        })
    }

    /// Expands `${…}`. What nothing defines stays as it is written: the environment may define it.
    pub fn text(&self, raw: &str) -> Result<String, Unread> {
        let mut out = String::new();
        self.expand(raw, &mut Vec::new(), &mut out)?;
        Ok(out.trim().to_owned())
    }

    fn expand<'t>(&'t self, raw: &'t str, open: &mut Vec<&'t str>, out: &mut String) -> Result<(), Unread> {
        self.common.step()?;
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once("${") {
            push(out, before)?;
            let end = after.bytes().take(MAX_NAME).position(|byte| byte == b'}');
            let Some((name, next)) = end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?))) else {
                push(out, "${")?;
                rest = after;
                continue;
            };
            rest = next;
            match self.value(name) {
                Some(value) if open.len() < MAX_DEPTH && !open.contains(&name) => {
                    open.push(name);
                    self.expand(value, open, out)?;
                    open.pop();
                }
                _ => {
                    for part in ["${", name, "}"] {
                        push(out, part)?;
                    }
                }
            }
        }
        push(out, rest)
    }

    /// The project's own values go before properties, and properties before the project's values without a prefix.
    fn value(&self, name: &str) -> Option<&str> {
        let own = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."));
        if let Some(found) = own.and_then(|own| self.of_project(own)) {
            return Some(found);
        }
        if let Some(given) = self.common.given.get(name) {
            return Some(given);
        }
        let mut sections = self.sections();
        sections
            .find_map(|(_, section)| section.properties.get(name))
            .map(String::as_str)
            .or_else(|| self.of_project(name))
    }

    fn of_project(&self, name: &str) -> Option<&str> {
        let pom = &self.chain.levels.first()?.pom;
        let parent = pom.parent.as_ref().map(|parent| &parent.itself);
        let found = match name {
            "groupId" => pom.group(),
            "artifactId" => &pom.artifact,
            "version" => pom.version(),
            "packaging" => pom.packaging.as_deref().unwrap_or("jar"),
            "parent.groupId" => &parent?.group,
            "parent.artifactId" => &parent?.artifact,
            "parent.version" => parent?.version.as_deref()?,
            "basedir" => ".",
            _ => return None,
        };
        Some(found).filter(|found| !found.is_empty())
    }

    /// What versions are managed by, with one look at each entry.
    fn key(&self, dependency: &Dependency) -> Result<Key, Unread> {
        let part = |raw: Option<&str>, default: &str| self.text(raw.unwrap_or(default));
        Ok((
            self.text(&dependency.group)?,
            self.text(&dependency.artifact)?,
            part(dependency.kind.as_deref(), "jar")?,
            part(dependency.classifier.as_deref(), "")?,
        ))
    }

    fn option(&self, raw: Option<&String>) -> Result<Option<String>, Unread> {
        raw.map(|raw| self.text(raw)).transpose()
    }

    /// All that is managed: by the poms themselves, nearest first, then by the BOMs in the tree that they import, in
    /// their order.
    pub fn management(&self, poms: &mut Poms<'_, '_>, open: &mut Vec<String>) -> Result<Management, Failure> {
        let mut all = Management::new();
        let mut imports = Vec::new();
        for (level, section) in self.sections() {
            let fail = |error| self.failure(level, error);
            for managed in &section.managed {
                if is_import(managed) {
                    imports.push((level, managed));
                    continue;
                }
                let key = self.key(managed).map_err(fail)?;
                if let Entry::Vacant(place) = all.entry(key) {
                    let version = self.option(managed.version.as_ref()).map_err(fail)?;
                    let scope = self.option(managed.scope.as_ref()).map_err(fail)?;
                    place.insert(Managed { version, scope });
                }
            }
        }
        for (level, import) in imports {
            let Some(folder) = self.module(import, poms).map_err(|error| self.failure(level, error))? else { continue };
            let label = folder.to_string();
            let Some(path) = folder.join(POM).filter(|_| open.len() < MAX_IMPORTS && !open.contains(&label)) else {
                continue;
            };
            open.push(label);
            let chain = poms.chain(&path)?;
            let bom = Effective { chain: &chain, profile: None, common: self.common };
            for (key, managed) in bom.management(poms, open)? {
                self.common.step().map_err(|error| self.failure(level, error))?;
                all.entry(key).or_insert(managed);
            }
            open.pop();
        }
        Ok(all)
    }

    /// The folder of the module that a dependency, plugin or BOM is.
    pub fn module(&self, wanted: &Dependency, poms: &mut Poms<'_, '_>) -> Result<Option<RepoPath>, Unread> {
        let (group, artifact) = (self.text(&wanted.group)?, self.text(&wanted.artifact)?);
        let version = self.option(wanted.version.as_ref())?.unwrap_or_default();
        self.module_of(&group, &artifact, &version, poms)
    }

    /// As [`Self::module`], by name and version.
    pub fn module_of(
        &self,
        group: &str,
        artifact: &str,
        version: &str,
        poms: &mut Poms<'_, '_>,
    ) -> Result<Option<RepoPath>, Unread> {
        // Modules of one build share what their groups begin with; most dependencies end here.
        let Some(own) = self.chain.levels.first() else { return Ok(None) };
        let start = |group: &str| group.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
        if start(&self.text(own.pom.group())?) != start(group) {
            return Ok(None);
        }
        // A version that is written with properties means the same in all modules of one build.
        let is_version = |pom: &Pom| self.text(pom.version()).is_ok_and(|found| found == version);
        Ok(poms.module(&own.folder, group, artifact, is_version))
    }

    /// Version and scope of a dependency: its own, else those that are managed.
    pub fn resolve(&self, dependency: &Dependency, management: &Management) -> Result<Resolved, Unread> {
        let key = self.key(dependency)?;
        let managed = management.get(&key);
        let version = self.option(dependency.version.as_ref())?.or_else(|| managed?.version.clone());
        let scope = self.option(dependency.scope.as_ref())?.or_else(|| managed?.scope.clone());
        Ok(Resolved { group: key.0.clone(), artifact: key.1.clone(), version, scope, key })
    }

    /// Versions of plugins by group and artifact: the nearest that is written where they are used, else the nearest
    /// that is managed.
    pub fn plugin_versions(&self) -> Result<HashMap<(String, String), String>, Failure> {
        let mut all = HashMap::new();
        let used = |section: &'c Section| &section.plugins;
        let managed = |section: &'c Section| &section.managed_plugins;
        let lists: [&dyn Fn(&'c Section) -> &'c Vec<Plugin>; 2] = [&used, &managed];
        for list in lists {
            for (level, section) in self.sections() {
                let fail = |error| self.failure(level, error);
                for Plugin { itself, .. } in list(section) {
                    let Some(version) = &itself.version else { continue };
                    let name = (self.text(&itself.group).map_err(fail)?, self.text(&itself.artifact).map_err(fail)?);
                    let version = self.text(version).map_err(fail)?;
                    all.entry(name).or_insert(version);
                }
            }
        }
        Ok(all)
    }

    /// An error with the path of the pom at that level.
    pub fn failure(&self, level: usize, error: Unread) -> Failure {
        let folder = self.chain.levels.get(level).map(|level| level.folder.clone());
        let path = folder.and_then(|folder| folder.join(POM)).unwrap_or_else(RepoPath::root);
        (path, error)
    }
}

/// A dependency with its names, version and scope expanded.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub group: String,
    pub artifact: String,
    pub version: Option<String>,
    pub scope: Option<String>,
    /// What Maven knows it by: of two of one key in poms above each other, the nearest counts.
    pub key: Key,
}

/// Whether an entry of `dependencyManagement` imports a BOM.
pub(super) fn is_import(managed: &Dependency) -> bool {
    managed.scope.as_deref() == Some("import") && managed.kind.as_deref() == Some("pom")
}

fn push(out: &mut String, part: &str) -> Result<(), Unread> {
    if out.len() + part.len() > MAX_TEXT {
        let what = "a value with its properties expanded, in bytes,".to_owned();
        return Err(Unread::TooLarge { what, size: (out.len() + part.len()) as u64, cap: MAX_TEXT as u64 });
    }
    out.push_str(part);
    Ok(())
}
