//! Poms of one tree: a pom with its parents, and the modules that are built together with it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::pom::{self, Parent, Pom};
use crate::ecosystem::View;
use crate::model::RepoPath;
use crate::model::tree::Unread;

/// The name of a pom.
pub(super) const POM: &str = "pom.xml";

/// Parents above each other, at the most.
const MAX_PARENTS: usize = 32;

/// Folders above each other in which an aggregator is looked for.
const MAX_FOLDERS: usize = 64;

/// Poms that are read to find the modules that one project names.
const MAX_CANDIDATES: usize = 256;

/// Bytes of all poms that are read for one project. Each of many projects may have the same parents.
const MAX_ALL: u64 = 16 << 20;

/// What could not be read.
pub(super) type Failure = (RepoPath, Unread);

/// A pom and its place among the inputs.
pub(super) type Found = (Rc<Pom>, u32);

/// A pom, its place among the inputs, and its folder.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub pom: Rc<Pom>,
    pub input: u32,
    pub folder: RepoPath,
}

/// A pom and its parents, nearest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    pub levels: Vec<Level>,
    /// The parent of the last one and that one's input, where it is not in the tree.
    pub outside: Option<(Parent, u32)>,
}

/// Reads poms, each once.
pub(super) struct Poms<'v, 'a> {
    view: &'v mut View<'a>,
    known: HashMap<RepoPath, Option<Found>>,
    /// The topmost aggregator's folder of each folder that was asked for.
    tops: HashMap<RepoPath, RepoPath>,
    /// Folders with a pom below the topmost aggregator, by their last parts.
    modules: Option<HashMap<String, Vec<RepoPath>>>,
    candidates: usize,
    /// What is left of the bytes that may be read.
    left: u64,
}

impl<'v, 'a> Poms<'v, 'a> {
    pub fn new(view: &'v mut View<'a>) -> Self {
        Self { view, known: HashMap::new(), tops: HashMap::new(), modules: None, candidates: 0, left: MAX_ALL }
    }

    pub fn get(&mut self, path: &RepoPath) -> Result<Option<Found>, Failure> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let fail = |error| (path.clone(), error);
        let found = match self.view.read(path).map_err(fail)? {
            Some((bytes, input)) => {
                let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
                    let what = "the poms of one project, in bytes,".to_owned();
                    return Err(fail(Unread::TooLarge { what, size: MAX_ALL + 1, cap: MAX_ALL }));
                };
                self.left = left;
                Some((Rc::new(pom::parse(&bytes).map_err(fail)?), input))
            }
            None => None,
        };
        self.known.insert(path.clone(), found.clone());
        Ok(found)
    }

    /// The pom at a path with its parents.
    pub fn chain(&mut self, path: &RepoPath) -> Result<Chain, Failure> {
        let mut chain = Chain::default();
        let mut seen = vec![path.clone()];
        let mut next = self.get(path)?;
        while let (Some((pom, input)), Some(at)) = (next.take(), seen.last().cloned()) {
            chain.levels.push(Level { pom: pom.clone(), input, folder: at.parent() });
            let Some(parent) = &pom.parent else { return Ok(chain) };
            match self.parent(parent, &at.parent(), &chain)? {
                None => chain.outside = Some((parent.clone(), input)),
                Some((path, _)) if seen.contains(&path) => {
                    let reason = "its parents form a circle".to_owned();
                    return Err((at, Unread::Malformed { line: parent.itself.line, reason }));
                }
                Some(_) if seen.len() >= MAX_PARENTS => {
                    let what = "the number of parents above each other".to_owned();
                    let (size, cap) = (seen.len() as u64 + 1, MAX_PARENTS as u64);
                    return Err((at, Unread::TooLarge { what, size, cap }));
                }
                Some((path, found)) => {
                    seen.push(path);
                    next = Some(found);
                }
            }
        }
        Ok(chain)
    }

    /// The pom of a parent, where it is in the tree: at its relative path, or a module that is built along.
    fn parent(
        &mut self,
        parent: &Parent,
        folder: &RepoPath,
        chain: &Chain,
    ) -> Result<Option<(RepoPath, Found)>, Failure> {
        let wanted = &parent.itself;
        let version = wanted.version.as_deref().unwrap_or_default();
        let paths = parent.path.as_ref().and_then(|path| folder.join(path));
        for path in paths.iter().flat_map(|path| [Some(path.clone()), path.join(POM)]).flatten() {
            // A folder is written for the pom in it.
            if !path.file_name().contains('.') {
                continue;
            }
            if let Some((pom, input)) = self.get(&path)? {
                // Empty parts are inferred from the file itself (model 4.1.0).
                let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
                let fits = is(&wanted.group, pom.group()) && is(&wanted.artifact, &pom.artifact);
                if fits && is(version, pom.version()) {
                    return Ok(Some((path, (pom, input))));
                }
                break;
            }
        }
        let own = chain.levels.first().map(|level| level.folder.clone()).unwrap_or_else(RepoPath::root);
        let found = self.module(&own, &wanted.group, &wanted.artifact, |pom| pom.version() == version);
        match found.and_then(|folder| folder.join(POM)) {
            Some(path) => Ok(self.get(&path)?.map(|found| (path, found))),
            None => Ok(None),
        }
    }

    /// The folder of the module of that name which is built together with the pom of `folder`: both are reached by
    /// `modules` from one pom above them. A pom that merely lies in the tree stands for nothing: Maven does not see it.
    ///
    /// Only modules are found whose folder's name is part of the artifact's, or the other way round in whole words; any
    /// other one is taken for a package, which is judged the more strictly.
    pub fn module(
        &mut self,
        folder: &RepoPath,
        group: &str,
        artifact: &str,
        is_version: impl Fn(&Pom) -> bool,
    ) -> Option<RepoPath> {
        let top = self.top(folder);
        if self.modules.is_none() {
            let mut modules: HashMap<String, Vec<RepoPath>> = HashMap::new();
            for path in self.view.named(POM).iter().filter(|path| path.is_within(&top)) {
                let home = path.parent();
                let name = if home == top { "" } else { home.file_name() };
                for word in words(name).into_iter().filter(|word| name.ends_with(word)) {
                    modules.entry(word.to_owned()).or_default().push(home.clone());
                }
                if name.is_empty() {
                    modules.entry(String::new()).or_default().push(home.clone());
                }
            }
            self.modules = Some(modules);
        }
        let mut keys = words(artifact);
        keys.push("");
        let modules = self.modules.as_ref();
        let mut homes: Vec<RepoPath> =
            keys.iter().filter_map(|key| modules?.get(*key)).flatten().take(MAX_CANDIDATES).cloned().collect();
        let mut seen = HashSet::new();
        homes.retain(|home| seen.insert(home.clone()));
        for home in homes {
            let path = home.join(POM)?;
            if !self.known.contains_key(&path) {
                self.candidates += 1;
                if self.candidates > MAX_CANDIDATES {
                    return None;
                }
            }
            // What cannot be read is said where it is a project of its own.
            let Ok(Some((pom, _))) = self.get(&path) else { continue };
            let fits = pom.artifact == artifact && pom.group() == group && is_version(&pom);
            if fits && self.top(&home) == top {
                return Some(home);
            }
        }
        None
    }

    /// The folder of the topmost pom from which `modules` lead down to that folder.
    fn top(&mut self, folder: &RepoPath) -> RepoPath {
        if let Some(known) = self.tops.get(folder) {
            return known.clone();
        }
        let mut top = folder.clone();
        let mut above = folder.clone();
        for _ in 0..MAX_FOLDERS {
            if above.is_root() {
                break;
            }
            above = above.parent();
            let Some(path) = above.join(POM) else { break };
            let Ok(Some((pom, _))) = self.get(&path) else { continue };
            let mut modules = pom.sections().flat_map(|section| &section.modules);
            let leads = |module: &String| {
                let to = above.join(module);
                to.is_some_and(|to| to == top || to.file_name().ends_with(".xml") && to.parent() == top)
            };
            if modules.any(leads) {
                top = above.clone();
            }
        }
        self.tops.insert(folder.clone(), top.clone());
        top
    }
}

/// Every run of whole words of a name, longest first; of long names the whole alone.
fn words(name: &str) -> Vec<&str> {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(name.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'-' | b'.' | b'_')).map(|(at, _)| at + 1))
        .collect();
    if name.is_empty() {
        return Vec::new();
    }
    if starts.len() > 12 {
        return vec![name];
    }
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([name.len()]);
    let ends: Vec<usize> = ends.collect();
    let mut found: Vec<&str> = Vec::new();
    for from in &starts {
        found.extend(ends.iter().filter_map(|to| name.get(*from..*to)).filter(|word| !word.is_empty()));
    }
    found.sort_by_key(|word| std::cmp::Reverse(word.len()));
    found.dedup();
    found
}
