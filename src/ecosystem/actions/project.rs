//! Finds workflows and actions, and reads them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

use super::Actions;
use super::reference::{self, Reference};
use super::workflow::{self, Found, Item, Job, What};
use crate::ecosystem::docker::{Vendored, dockerfile, image, is_filled_in};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::yaml;
use crate::ecosystem::{Files, Format as _, Rules as _, View, fold};
use crate::model::inventory::{Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// The folder of workflows.
const WORKFLOWS: &str = ".github/workflows";

/// Names of an action's file, in the order in which they are looked for.
const ACTIONS: [&str; 2] = ["action.yml", "action.yaml"];

/// What a folder of an action may hold instead of its file.
const DOCKERFILES: [&str; 2] = ["Dockerfile", "dockerfile"];

/// Folders of a checkout within each other.
const MAX_DEPTH: usize = 32;

/// Files that make one project.
const MAX_FILES: usize = 10_000;

type Failure = (RepoPath, Unread);

fn is_workflow(path: &RepoPath) -> bool {
    path.as_str().starts_with(WORKFLOWS) && Actions.kinds().iter().take(2).any(|kind| kind.matches(path))
}

/// Whether a path is an action, which makes a project of its own outside of vendored folders.
fn is_action(path: &RepoPath) -> bool {
    ACTIONS.contains(&path.file_name()) && !is_workflow(path)
}

/// Whether the text of a `uses` names something of the repository itself.
fn is_local(text: &str) -> bool {
    matches!(reference::parse(text), Ok(Reference::Local(_)))
}

/// Whether the folder of a checkout is written as the root.
fn is_root_text(text: &str) -> bool {
    matches!(text, "" | "." | "./")
}

/// The folder that a checkout goes into. One that no file tells may be the root, over everything.
fn folder_of(text: &str) -> RepoPath {
    let text = text.trim();
    let below = text.strip_prefix("${{ github.workspace }}").map(|text| text.trim_start_matches('/'));
    let text = below.unwrap_or(text);
    // Each local reference is compared with each folder: one too long counts as one that is not known.
    if text.contains("${{") || text.starts_with('/') || text.len() > 256 {
        return RepoPath::root();
    }
    let folder = RepoPath::root().join(text).filter(|folder| folder.parts().count() <= MAX_DEPTH);
    folder.unwrap_or_else(RepoPath::root)
}

/// All workflows as one project, and each folder of an action as one.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let project = |path, manifest| Project { path, ecosystem: Ecosystem::GitHubActions, manifest, lockfile: None };
    let mut found: BTreeMap<RepoPath, Project> = BTreeMap::new();
    let vendored = Vendored::of(files);
    for path in files.paths() {
        if is_workflow(path) {
            found.entry(path.parent()).or_insert_with(|| project(path.parent(), None));
        } else if is_action(path) && !vendored.holds(path) {
            // Of two files in one folder, the runner takes `action.yml`; both are read.
            let folder = path.parent();
            let known = found.entry(folder.clone()).or_insert_with(|| project(folder, None));
            known.manifest = known.manifest.take().max(Some(path.clone()));
        }
    }
    found.into_values().collect()
}

/// Reads the workflows, or one action.
pub(super) fn read(project: &Project, view: View<'_>) -> Result<Inventory, Failure> {
    let files = view.files();
    let mut reader = Reader {
        draft: Draft::new(),
        view,
        queue: VecDeque::new(),
        seen: HashSet::new(),
        visits: VecDeque::new(),
        visited: HashSet::new(),
        local: HashSet::new(),
        uses: VecDeque::new(),
        by_jobs: Overlays::new(),
        by_actions: Overlays::new(),
        is_action: project.manifest.is_some(),
    };
    match &project.manifest {
        None => files.paths().filter(|path| is_workflow(path)).for_each(|path| reader.follow(path)),
        Some(_) => ACTIONS.iter().filter_map(|name| project.path.join(name)).for_each(|path| reader.follow(&path)),
    }
    let (mut is_any_read, mut first) = (false, None);
    let mut resolved = Vec::new();
    loop {
        if reader.seen.len() + reader.visited.len() > MAX_FILES {
            let what = "the number of workflows and actions of one project".to_owned();
            let (size, cap) = ((reader.seen.len() + reader.visited.len()) as u64, MAX_FILES as u64);
            return Err((project.path.clone(), Unread::TooLarge { what, size, cap }));
        }
        if let Some(path) = reader.queue.pop_front() {
            match reader.file(&path) {
                Ok(is_there) => is_any_read |= is_there,
                Err(failure) => {
                    // A link or a missing blob is no mistake in a text: nobody knows what stands there.
                    if !matches!(failure.1, Unread::Malformed { .. }) {
                        return Err(failure);
                    }
                    reader.unread(&failure);
                    first = first.or(Some(failure));
                }
            }
        } else if let Some(path) = reader.visits.pop_front() {
            reader.visit(&path);
        } else if let Some(local) = reader.uses.pop_front() {
            let is_there = reader.resolve(&local);
            resolved.push((local, is_there));
        } else {
            break;
        }
    }
    // One file that cannot be read hides nothing of the others. Where all are such, nothing is known.
    if let Some(failure) = first.filter(|_| !is_any_read) {
        return Err(failure);
    }
    for (local, is_there) in &resolved {
        reader.settle(local, *is_there);
    }
    Ok(reader.draft.finish(project, reader.view.into_inputs()))
}

/// Folders, folded, and the repositories (with their refs) that steps put there. Taken out once they are packages.
type Overlays = HashMap<String, Option<BTreeSet<(String, String)>>>;

struct Reader<'a> {
    draft: Draft,
    view: View<'a>,
    queue: VecDeque<RepoPath>,
    /// Files that are read, or wait to be.
    seen: HashSet<RepoPath>,
    /// Actions that are projects of their own, and run in the folders of the jobs that take them.
    visits: VecDeque<RepoPath>,
    visited: HashSet<RepoPath>,
    /// Folders and files of the repository that are there.
    local: HashSet<RepoPath>,
    /// Local references that wait until all files are read.
    uses: VecDeque<Local>,
    /// Folders into which jobs put other repositories. Actions may find those there.
    by_jobs: Overlays,
    /// Folders into which actions put other repositories. Jobs may find those there as well.
    by_actions: Overlays,
    /// Whether the project is one action.
    is_action: bool,
}

/// A reference to a file or folder of the repository.
struct Local {
    path: RepoPath,
    what: What,
    /// The path as written, so much as fits a message.
    shown: String,
    root: usize,
    span: Span,
    /// Where the path may lie in this repository, because a step has put it into a folder of itself.
    inner: Vec<RepoPath>,
    /// Whether an action takes it, and no job.
    is_in_action: bool,
    /// Whether the action is a project of its own, which says what leads nowhere.
    is_visit: bool,
}

/// The file that is being read.
struct Place<'p> {
    path: &'p RepoPath,
    input: u32,
    root: usize,
    lines: Vec<&'p str>,
    /// Whether only what depends on other files is looked at.
    is_visit: bool,
}

impl Place<'_> {
    const fn span(&self, line: u32) -> Span {
        Span { input: self.input, line, end_line: line }
    }
}

impl Reader<'_> {
    fn follow(&mut self, path: &RepoPath) {
        if self.seen.insert(path.clone()) {
            self.queue.push_back(path.clone());
        }
    }

    fn load(&mut self, path: &RepoPath) -> Result<Option<crate::ecosystem::Numbered>, Failure> {
        self.view.read(path).map_err(|error| (path.clone(), error))
    }

    /// Says that a file cannot be read. What it holds tells it apart from what stood there before: a file that changes
    /// and stays unreadable is said again.
    fn unread(&mut self, (path, error): &Failure) {
        let content = self.view.read(path).ok().flatten();
        let (line, reason) = match error {
            Unread::Malformed { line, reason } => (*line, reason.clone()),
            other => (0, other.to_string()),
        };
        let mut message = format!("cannot be read: {reason}");
        if let Some((bytes, _)) = &content {
            let digest = Sha256::digest(bytes);
            let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            message.push_str(&format!(" (content {digest})"));
        }
        let input = content.map_or(0, |(_, input)| input);
        self.draft.disagree(path.as_str(), message, Span { input, line, end_line: line });
    }

    /// Reads a file. `false` where there is none.
    fn file(&mut self, path: &RepoPath) -> Result<bool, Failure> {
        let Some((bytes, input)) = self.load(path)? else { return Ok(false) };
        if DOCKERFILES.contains(&path.file_name()) {
            let scope = Some(Scope::Build);
            dockerfile::add(&mut self.draft, path, &bytes, input, scope).map_err(|error| (path.clone(), error))?;
            return Ok(true);
        }
        let bytes = super::flow::indented(&bytes);
        let document = yaml::read(&bytes, MAX_BYTES).map_err(|error| (path.clone(), error))?;
        let lines = reference::lines(std::str::from_utf8(&bytes).unwrap_or_default());
        let root = self.draft.root(path.file_name(), "", &path.parent(), Span { input, ..Span::default() });
        let place = Place { path, input, root, lines, is_visit: false };
        let found = workflow::collect(&document);
        self.checkouts(&place, &found);
        for item in &found.items {
            if let Err(failure) = self.item(&place, item, found.jobs.get(item.job)) {
                self.unread(&failure);
            }
        }
        Ok(true)
    }

    /// Looks through an action that is a project of its own for what depends on the jobs that take it. What is wrong
    /// with the action itself, that project says.
    fn visit(&mut self, path: &RepoPath) {
        let Ok(Some((bytes, input))) = self.view.read(path) else { return };
        let bytes = super::flow::indented(&bytes);
        let Ok(document) = yaml::read(&bytes, MAX_BYTES) else { return };
        let found = workflow::collect(&document);
        let locals = found.items.iter().filter(|item| item.what == What::Step);
        let locals: Vec<_> = locals.filter(|item| item.text.as_deref().is_some_and(is_local)).collect();
        if locals.is_empty() && found.jobs.iter().all(|job| job.checkouts.is_empty()) {
            return;
        }
        let root = self.draft.root(path.file_name(), "", &path.parent(), Span { input, ..Span::default() });
        let place = Place { path, input, root, lines: Vec::new(), is_visit: true };
        self.checkouts(&place, &found);
        for item in locals {
            let _said_by_its_own_project = self.item(&place, item, found.jobs.get(item.job));
        }
    }

    /// Notes the other repositories that steps of a file put into folders.
    fn checkouts(&mut self, place: &Place<'_>, found: &Found<'_>) {
        for job in &found.jobs {
            let name = place.path.file_name();
            if let Some(line) = job.excess.filter(|_| !place.is_visit) {
                self.draft.disagree(name, "checks out more repositories than are looked at", place.span(line));
            }
            for each in &job.checkouts {
                let Some(repository) = each.repository else { continue };
                let folder = folder_of(each.folder);
                if folder.is_root() {
                    // Whatever runs after the action finds that repository instead of this one.
                    if job.is_action && !place.is_visit {
                        let from = dockerfile::short(repository);
                        let message = format!("checks out `{from}` where this repository lies");
                        self.draft.disagree(name, message, place.span(each.line));
                    }
                    continue;
                }
                let overlays = if job.is_action { &mut self.by_actions } else { &mut self.by_jobs };
                let sources = overlays.entry(fold(folder.as_str())).or_insert_with(|| Some(BTreeSet::new()));
                if let Some(sources) = sources {
                    let at = dockerfile::short(each.at.unwrap_or("HEAD"));
                    sources.insert((dockerfile::short(repository), at));
                }
            }
        }
    }

    fn item(&mut self, place: &Place<'_>, item: &Item<'_>, job: Option<&Job<'_>>) -> Result<(), Failure> {
        let span = place.span(item.line);
        let Some(text) = item.text.as_deref() else {
            self.draft.disagree(place.path.file_name(), "takes something that is no text", span);
            return Ok(());
        };
        match item.what {
            What::Image => self.image(place, text.strip_prefix("docker://").unwrap_or(text), span),
            What::ActionImage => match text.strip_prefix("docker://") {
                Some(text) => self.image(place, text, span),
                None => self.dockerfile(place, text, span)?,
            },
            What::Step | What::Workflow => match reference::parse(text) {
                Ok(Reference::Remote { name, path, at }) => self.remote(place, text, &name, path, at, span),
                Ok(Reference::Image(text)) => self.image(place, text, span),
                Ok(Reference::Local(text)) => self.local(place, item, text, job, span),
                Err(reason) => {
                    let text = dockerfile::short(text);
                    self.draft.disagree(&text, format!("uses `{text}`, which {reason}"), span);
                }
            },
        }
        Ok(())
    }

    fn remote(&mut self, place: &Place<'_>, text: &str, name: &str, path: Option<String>, at: &str, span: Span) {
        let is_locked = reference::is_commit(at);
        // Two actions of one repository are two programs, though they are one at each ref: the path tells them apart.
        let below = path.as_deref().and_then(|path| path.splitn(3, '/').nth(2)).map(Into::into);
        let mut package = Package {
            source: Source { commit: below, ..Source::public() },
            alias: path.map(Into::into),
            is_locked,
            direct: true,
            declared: Some(span),
            ..Package::new(Ecosystem::GitHubActions, name, at, span)
        };
        if is_locked {
            package.checksum = checksum::of_commit(at);
            let line = place.lines.get((span.line as usize).saturating_sub(1));
            let comment = line.and_then(|line| reference::comment_after(line, text));
            package.claim = comment.and_then(reference::claim).map(Into::into);
        }
        let package = self.draft.package(package);
        self.draft.need(place.root, package, Scope::Build, Some(span));
    }

    fn image(&mut self, place: &Place<'_>, text: &str, span: Span) {
        match image::parse(text) {
            Some(image) => {
                let package = self.draft.package(image.package(span));
                self.draft.need(place.root, package, Scope::Build, Some(span));
            }
            None => self.draft.disagree(&dockerfile::short(text), dockerfile::doubt(text), span),
        }
    }

    /// The Dockerfile of a container action. One that is no project of its own is read here.
    fn dockerfile(&mut self, place: &Place<'_>, text: &str, span: Span) -> Result<(), Failure> {
        let shown = dockerfile::short(text);
        let Some(path) = place.path.parent().join(text).filter(|_| text.len() <= 4_096) else {
            self.draft.disagree(&shown, format!("builds `{shown}`, which is outside of the repository"), span);
            return Ok(());
        };
        match self.load(&path)? {
            None => self.draft.disagree(&shown, format!("builds `{shown}`, which is not there"), span),
            Some(_) if dockerfile::is_project(&path, &mut self.view) => {}
            Some((bytes, input)) => {
                if self.seen.insert(path.clone()) {
                    let scope = Some(Scope::Build);
                    dockerfile::add(&mut self.draft, &path, &bytes, input, scope).map_err(|error| (path, error))?;
                }
            }
        }
        Ok(())
    }

    /// An action or workflow of the repository itself, unless a step before has put another repository there.
    fn local(&mut self, place: &Place<'_>, item: &Item<'_>, text: &str, job: Option<&Job<'_>>, span: Span) {
        let shown = dockerfile::short(text);
        let Some(path) = RepoPath::root().join(text).filter(|_| text.len() <= 4_096) else {
            if !place.is_visit {
                self.draft.disagree(&shown, format!("uses `./{shown}`, which is outside of the repository"), span);
            }
            return;
        };
        let folded = RepoPath::new(&fold(path.as_str()));
        let (mut named, mut rooted, mut inner) = (None, None, Vec::new());
        // A workflow of this repository is GitHub's to find, in no folder of a job.
        let all = job.map(|job| &*job.checkouts).filter(|_| item.what == What::Step).unwrap_or_default();
        for (at, each) in all.iter().enumerate() {
            let folder = folder_of(each.folder);
            let Some(below) = folded.relative_to(&RepoPath::new(&fold(folder.as_str()))) else { continue };
            match each.repository {
                Some(from) if !folder.is_root() => named = named.or(Some((from, each.at, below.to_owned()))),
                // At the root the last one counts, among those that ran before and surely.
                Some(from) if at < item.before => rooted = Some((from, each.at, below.to_owned())),
                None if folder.is_root() && at < item.before && each.is_certain && is_root_text(each.folder) => {
                    rooted = None;
                }
                None if !folder.is_root() => inner.extend(path.relative_to(&folder).map(RepoPath::new)),
                _ => {}
            }
        }
        if let Some((from, at, below)) = named.or(rooted) {
            // A project of its own says this of itself.
            if !place.is_visit {
                self.checked_out(place.root, &shown, from, at.unwrap_or("HEAD"), Some(&below), span);
            }
            return;
        }
        let is_in_action = job.is_some_and(|job| job.is_action);
        let (what, root, is_visit) = (item.what, place.root, place.is_visit);
        self.uses.push_back(Local { path, what, shown, root, span, inner, is_in_action, is_visit });
    }

    /// Whether a local reference leads somewhere. What no project of its own reads is read here: that it lies in a
    /// vendored folder does not keep a workflow from running it.
    fn resolve(&mut self, local: &Local) -> bool {
        for path in std::iter::once(&local.path).chain(&local.inner) {
            match self.is_there(local.what, path) {
                Ok(true) => return true,
                Ok(false) => {}
                // Said; that it is not there would not be true.
                Err(failure) => {
                    if !local.is_visit {
                        self.unread(&failure);
                    }
                    return true;
                }
            }
        }
        false
    }

    /// Says of a local reference what other files put in its place, or that it leads nowhere.
    fn settle(&mut self, local: &Local, is_there: bool) {
        let folded = fold(local.path.as_str());
        let ends = folded.match_indices('/').map(|(at, _)| at).chain([folded.len()]);
        let folders: Vec<&str> = ends.take(MAX_DEPTH).filter_map(|end| folded.get(..end)).collect();
        let mut is_other = false;
        for folder in folders.iter().filter(|_| local.what == What::Step) {
            let by_jobs = self.by_jobs.get_mut(*folder).filter(|_| local.is_in_action);
            let found: Vec<_> = by_jobs.into_iter().chain(self.by_actions.get_mut(*folder)).collect();
            is_other |= !found.is_empty();
            let sources: BTreeSet<(String, String)> = found.into_iter().filter_map(Option::take).flatten().collect();
            for (from, at) in sources {
                self.checked_out(local.root, &local.shown, &from, &at, None, local.span);
            }
        }
        if !is_other && !is_there && !local.is_visit {
            let shown = &local.shown;
            self.draft.disagree(shown, format!("uses `./{shown}`, which is not there"), local.span);
        }
    }

    /// An action out of another repository that a step has put into a folder of this one.
    fn checked_out(&mut self, root: usize, shown: &str, from: &str, at: &str, below: Option<&str>, span: Span) {
        let name = from.to_ascii_lowercase();
        if !Actions.is_name(&name) || name.matches('/').count() != 1 {
            let from = dockerfile::short(from);
            self.draft.disagree(shown, format!("uses `./{shown}` out of a checkout of `{from}`"), span);
            return;
        }
        let is_locked = reference::is_commit(at);
        let below = below.filter(|below| !below.is_empty()).map(|below| dockerfile::short(below).into());
        let package = self.draft.package(Package {
            source: Source { commit: below, ..Source::public() },
            alias: Some(format!("./{shown}").into()),
            is_locked,
            checksum: checksum::of_commit(at).filter(|_| is_locked),
            ..Package::new(Ecosystem::GitHubActions, &name, &dockerfile::short(at), span)
        });
        self.draft.need(root, package, Scope::Build, Some(span));
    }

    fn is_there(&mut self, what: What, path: &RepoPath) -> Result<bool, Failure> {
        if self.local.contains(path) {
            return Ok(true);
        }
        let names: &[&str] = &["action.yml", "action.yaml", "Dockerfile", "dockerfile"];
        let files: Vec<RepoPath> = match what {
            What::Workflow => vec![path.clone()],
            _ => names.iter().filter_map(|name| path.join(name)).collect(),
        };
        for file in files {
            if self.load(&file)?.is_none() {
                continue;
            }
            let is_own_action = is_action(&file) && !is_filled_in(&file, &mut self.view);
            let is_read_elsewhere =
                is_workflow(&file) || is_own_action || dockerfile::is_project(&file, &mut self.view);
            if !is_read_elsewhere {
                self.follow(&file);
            } else if !self.is_action && is_own_action && self.visited.insert(file.clone()) {
                self.visits.push_back(file);
            }
            self.local.insert(path.clone());
            return Ok(true);
        }
        Ok(false)
    }
}
