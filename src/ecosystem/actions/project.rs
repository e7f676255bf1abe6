//! Finds workflows and actions, and reads them.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::Actions;
use super::reference::{self, Reference};
use super::workflow::{self, Checkout, Item, What};
use crate::ecosystem::docker::{dockerfile, image, is_vendored};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::yaml;
use crate::ecosystem::{Files, Format as _, Rules as _, View};
use crate::model::inventory::{Inventory, Package, Project, Scope, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// The folder of workflows.
const WORKFLOWS: &str = ".github/workflows";

/// Names of an action's file, in the order in which they are looked for.
const ACTIONS: [&str; 2] = ["action.yml", "action.yaml"];

/// What a folder of an action may hold instead of its file.
const DOCKERFILES: [&str; 2] = ["Dockerfile", "dockerfile"];

/// Files that make one project.
const MAX_FILES: usize = 10_000;

type Failure = (RepoPath, Unread);

fn is_workflow(path: &RepoPath) -> bool {
    path.as_str().starts_with(WORKFLOWS) && Actions.kinds().iter().take(2).any(|kind| kind.matches(path))
}

/// Whether a path is an action that makes a project of its own.
fn is_action(path: &RepoPath) -> bool {
    ACTIONS.contains(&path.file_name()) && !is_workflow(path) && !is_vendored(path)
}

/// All workflows as one project, and each folder of an action as one.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let project = |path, manifest| Project { path, ecosystem: Ecosystem::GitHubActions, manifest, lockfile: None };
    let mut found: BTreeMap<RepoPath, Project> = BTreeMap::new();
    for path in files.paths() {
        if is_workflow(path) {
            found.entry(path.parent()).or_insert_with(|| project(path.parent(), None));
        } else if is_action(path) {
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
    let mut reader =
        Reader { draft: Draft::new(), view, queue: VecDeque::new(), seen: HashSet::new(), local: HashSet::new() };
    match &project.manifest {
        None => files.paths().filter(|path| is_workflow(path)).for_each(|path| reader.follow(path)),
        Some(_) => ACTIONS.iter().filter_map(|name| project.path.join(name)).for_each(|path| reader.follow(&path)),
    }
    while let Some(path) = reader.queue.pop_front() {
        if reader.seen.len() > MAX_FILES {
            let what = "the number of workflows and actions of one project".to_owned();
            let (size, cap) = (reader.seen.len() as u64, MAX_FILES as u64);
            return Err((path, Unread::TooLarge { what, size, cap }));
        }
        reader.file(&path)?;
    }
    Ok(reader.draft.finish(project, reader.view.into_inputs()))
}

struct Reader<'a> {
    draft: Draft,
    view: View<'a>,
    queue: VecDeque<RepoPath>,
    /// Files that are read, or wait to be.
    seen: HashSet<RepoPath>,
    /// Folders and files of the repository that are there.
    local: HashSet<RepoPath>,
}

/// The file that is being read.
struct Place<'p> {
    path: &'p RepoPath,
    input: u32,
    root: usize,
    lines: Vec<&'p str>,
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

    fn file(&mut self, path: &RepoPath) -> Result<(), Failure> {
        let Some((bytes, input)) = self.load(path)? else { return Ok(()) };
        if DOCKERFILES.contains(&path.file_name()) {
            let scope = Some(Scope::Build);
            return dockerfile::add(&mut self.draft, path, &bytes, input, scope).map_err(|error| (path.clone(), error));
        }
        let bytes = super::flow::indented(&bytes);
        let document = yaml::read(&bytes, MAX_BYTES).map_err(|error| (path.clone(), error))?;
        let lines = reference::lines(std::str::from_utf8(&bytes).unwrap_or_default());
        let root = self.draft.root(path.file_name(), "", &path.parent(), Span { input, ..Span::default() });
        let place = Place { path, input, root, lines };
        let found = workflow::collect(&document);
        for item in &found.items {
            let checkouts = found.checkouts.get(item.job).map(|all| &**all).unwrap_or_default();
            self.item(&place, item, checkouts)?;
        }
        Ok(())
    }

    fn item(&mut self, place: &Place<'_>, item: &Item<'_>, checkouts: &[Checkout<'_>]) -> Result<(), Failure> {
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
                Ok(Reference::Local(text)) => self.local(place, item.what, text, checkouts, span)?,
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
        let mut package = Package {
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
            Some(_) if dockerfile::is_project(&path) => {}
            Some((bytes, input)) => {
                if self.seen.insert(path.clone()) {
                    let scope = Some(Scope::Build);
                    dockerfile::add(&mut self.draft, &path, &bytes, input, scope).map_err(|error| (path, error))?;
                }
            }
        }
        Ok(())
    }

    /// An action or workflow of the repository itself. What no project of its own reads is read here: that it lies in
    /// a vendored folder does not keep a workflow from running it.
    fn local(
        &mut self,
        place: &Place<'_>,
        what: What,
        text: &str,
        checkouts: &[Checkout<'_>],
        span: Span,
    ) -> Result<(), Failure> {
        let shown = dockerfile::short(text);
        let Some(path) = RepoPath::root().join(text).filter(|_| text.len() <= 4_096) else {
            self.draft.disagree(&shown, format!("uses `./{shown}`, which is outside of the repository"), span);
            return Ok(());
        };
        // A step before may have put another repository into that folder, whatever stands there in this one.
        let within = |checkout: &Checkout<'_>| {
            let folder = RepoPath::root().join(checkout.folder).filter(|folder| !folder.is_root())?;
            path.relative_to(&folder).map(RepoPath::new)
        };
        let other =
            checkouts.iter().filter(|each| within(each).is_some()).find_map(|each| Some((each.repository?, each.at)));
        if let Some((from, at)) = other {
            self.checked_out(place, &shown, from, at.unwrap_or("HEAD"), span);
            return Ok(());
        }
        if self.is_there(what, &path)? {
            return Ok(());
        }
        for inner in checkouts.iter().filter_map(within) {
            if self.is_there(what, &inner)? {
                return Ok(());
            }
        }
        self.draft.disagree(&shown, format!("uses `./{shown}`, which is not there"), span);
        Ok(())
    }

    /// An action out of another repository that a step has put into a folder of this one.
    fn checked_out(&mut self, place: &Place<'_>, shown: &str, from: &str, at: &str, span: Span) {
        let name = from.to_ascii_lowercase();
        if !Actions.is_name(&name) || name.matches('/').count() != 1 {
            let from = dockerfile::short(from);
            self.draft.disagree(shown, format!("uses `./{shown}` out of a checkout of `{from}`"), span);
            return;
        }
        let is_locked = reference::is_commit(at);
        let package = self.draft.package(Package {
            alias: Some(format!("./{shown}").into()),
            is_locked,
            checksum: checksum::of_commit(at).filter(|_| is_locked),
            ..Package::new(Ecosystem::GitHubActions, &name, &dockerfile::short(at), span)
        });
        self.draft.need(place.root, package, Scope::Build, Some(span));
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
            let is_read_elsewhere = is_workflow(&file) || is_action(&file) || dockerfile::is_project(&file);
            if !is_read_elsewhere {
                self.follow(&file);
            }
            self.local.insert(path.clone());
            return Ok(true);
        }
        Ok(false)
    }
}
