//! Compose files (the Compose Specification): the images that services run.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::dockerfile::{self, Found};
use super::variables::{Variables, expand};
use super::{Vendored, is_filled_in};
use crate::ecosystem::actions::flow::indented;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::yaml::{self, Node};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Inventory, Project, Scope, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Files that one compose file takes in.
const MAX_FILES: usize = 1_000;

/// Files of variables of one compose file.
const MAX_ENVIRONMENTS: usize = 16;

/// Arguments of one build.
const MAX_ARGUMENTS: usize = 1_000;

/// Compose files. Each is a project of its own.
#[derive(Debug, Clone, Copy)]
pub struct Compose;

impl Format for Compose {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Docker
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        const READS: &str = "images of services, inline Dockerfiles";
        const {
            &[
                FileKind::manifest("compose*.yml", READS),
                FileKind::manifest("compose*.yaml", READS),
                FileKind::manifest("docker-compose*.yml", READS),
                FileKind::manifest("docker-compose*.yaml", READS),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let vendored = Vendored::of(files);
        // What cannot be read is a project that cannot.
        let is_compose = |path: &RepoPath| !matches!(files.read(path), Ok(Some((bytes, _))) if !is_read(path, &bytes));
        let all = claimed(files, self.kinds()).into_iter().filter(|path| !vendored.holds(path) && is_compose(path));
        let project = |path: RepoPath| Project {
            path: path.parent(),
            ecosystem: Ecosystem::Docker,
            manifest: Some(path),
            lockfile: None,
        };
        Ok(all.map(project).collect())
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let mut draft = Draft::new();
        let variables = Rc::new(environment(project.path.join(".env"), &mut view)?);
        let mut queue: VecDeque<(RepoPath, Rc<Variables>)> =
            project.manifest.iter().map(|path| (path.clone(), Rc::clone(&variables))).collect();
        let mut seen: HashSet<(RepoPath, Vec<String>)> =
            project.manifest.iter().map(|path| (path.clone(), Vec::new())).collect();
        let mut built = HashSet::new();
        let mut work = 0u64;
        while let Some((path, variables)) = queue.pop_front() {
            let fail = |error| (path.clone(), error);
            if seen.len() > MAX_FILES {
                let what = "the number of files that a compose file takes in".to_owned();
                let (size, cap) = (seen.len() as u64, MAX_FILES as u64);
                return Err(fail(Unread::TooLarge { what, size, cap }));
            }
            let Some((bytes, input)) = view.read(&path).map_err(fail)? else { continue };
            let taken = add(&mut draft, &path, &bytes, input, &variables).map_err(fail)?;
            for other in taken {
                let Some(text) = expand(&other.text, &variables).filter(|text| !text.contains('$')) else {
                    draft.disagree(
                        &other.text,
                        format!("{}, and no file says what stands for it", other.says()),
                        other.span,
                    );
                    continue;
                };
                let Some(target) = other.folder.join(&text).filter(|_| !is_remote(&text)) else {
                    draft.disagree(
                        &other.text,
                        format!("{}, which is outside of the repository", other.says()),
                        other.span,
                    );
                    continue;
                };
                let Some((bytes, input)) = view.read(&target).map_err(|error| (target.clone(), error))? else {
                    if !other.is_dockerfile {
                        draft.disagree(&other.text, format!("{}, which is not there", other.says()), other.span);
                    }
                    continue;
                };
                let is_project = if other.is_dockerfile {
                    dockerfile::is_project(&target, &mut view)
                } else {
                    is_project(&target, &bytes, &mut view)
                };
                if !other.arguments.is_empty() && built.insert((target.clone(), other.arguments.clone())) {
                    work = work.saturating_add(bytes.len() as u64).saturating_add(1_024);
                    if work > FILE_CAP {
                        let what = "what a compose file builds with arguments, in bytes".to_owned();
                        return Err(fail(Unread::TooLarge { what, size: work, cap: FILE_CAP }));
                    }
                    // What stands in the Dockerfile whatever the arguments are is read with it.
                    let own: HashSet<String> = match dockerfile::images(&bytes) {
                        Ok(own) => own.into_iter().map(|found| found.text).collect(),
                        Err(_) => HashSet::new(),
                    };
                    let given = other.arguments.iter().cloned().collect();
                    let found = dockerfile::images_with(&bytes, given).map_err(|error| (target.clone(), error))?;
                    let root = draft.root(target.file_name(), "", &target.parent(), other.span);
                    for found in found.iter().filter(|found| !own.contains(&found.text)) {
                        dockerfile::put(&mut draft, root, found, None, other.span);
                    }
                }
                // With other variables it is another file.
                let is_read = is_project && other.environment.is_empty();
                if is_read || !seen.insert((target.clone(), other.environment.clone())) {
                    continue;
                }
                if other.is_dockerfile {
                    dockerfile::add(&mut draft, &target, &bytes, input, None).map_err(|error| (target, error))?;
                } else {
                    let mut known = HashMap::new();
                    for text in other.environment.iter().take(MAX_ENVIRONMENTS) {
                        let text = expand(text, &variables).unwrap_or_default();
                        known.extend(environment(other.folder.join(&text), &mut view)?);
                    }
                    let is_same = known.is_empty();
                    // What is set where the file is taken in comes first.
                    known.extend(variables.iter().map(|(name, value)| (name.clone(), value.clone())));
                    work =
                        work.saturating_add(known.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum());
                    if work > FILE_CAP {
                        let what = "what a compose file takes in with variables, in bytes".to_owned();
                        return Err(fail(Unread::TooLarge { what, size: work, cap: FILE_CAP }));
                    }
                    queue.push_back((target, if is_same { Rc::clone(&variables) } else { Rc::new(known) }));
                }
            }
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Whether a compose file at a path makes a project of its own.
fn is_project(path: &RepoPath, bytes: &[u8], view: &mut View<'_>) -> bool {
    Compose.kinds().iter().any(|kind| kind.matches(path)) && is_read(path, bytes) && !is_filled_in(path, view)
}

/// Names that start like a compose file's (`composer.yml`) are other programs' as well: those files speak of services,
/// or are none. A backslash may spell the word otherwise.
fn is_read(path: &RepoPath, bytes: &[u8]) -> bool {
    let name = path.file_name();
    let is_plain = name.starts_with("compose.") || name.starts_with("docker-compose");
    is_plain || bytes.contains(&b'\\') || bytes.windows(8).any(|text| text == b"services" || text == b"include:")
}

/// Another file that a compose file takes in. What makes no project of its own is read with the one that names it.
struct Taken {
    text: String,
    folder: RepoPath,
    span: Span,
    is_dockerfile: bool,
    /// What a Dockerfile's `ARG`s are set to, as far as it is known.
    arguments: Vec<(String, String)>,
    /// Files of variables with which a compose file is taken in.
    environment: Vec<String>,
}

/// Whether a build takes a context for an address (compose-go's `remotePrefixes`).
fn is_remote(text: &str) -> bool {
    text.contains("://") || text.contains('@') || text.starts_with("github.com/")
}

impl Taken {
    fn says(&self) -> String {
        let verb = if self.is_dockerfile { "builds" } else { "takes services from" };
        format!("{verb} `{}`", self.text)
    }
}

/// What a file like the `.env` beside a compose file sets: it comes before the defaults.
fn environment(path: Option<RepoPath>, view: &mut View<'_>) -> Result<Variables, (RepoPath, Unread)> {
    let Some(path) = path else { return Ok(Variables::new()) };
    let fail = |error| (path.clone(), error);
    let Some((bytes, _)) = view.read(&path).map_err(fail)? else { return Ok(Variables::new()) };
    let text = crate::ecosystem::syntax::text(&bytes, MAX_BYTES).map_err(fail)?;
    let mut variables = Variables::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let line = line.strip_prefix("export ").unwrap_or(line);
        if let Some((name, value)) = line.split_once('=') {
            let value = value.trim();
            let quoted =
                ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.split_once(*q).map(|(inner, _)| inner));
            let value = quoted.unwrap_or_else(|| value.split_once(" #").map_or(value, |(value, _)| value.trim_end()));
            // The last one counts. One that is made of others is left unknown: then nothing made of it is known.
            variables.insert(name.trim().to_owned(), value.to_owned());
        }
    }
    variables.retain(|_, value| !value.contains('$'));
    Ok(variables)
}

/// Adds the images that the services of a file run, and tells the other files that it takes in.
fn add(
    draft: &mut Draft,
    path: &RepoPath,
    bytes: &[u8],
    input: u32,
    variables: &Variables,
) -> Result<Vec<Taken>, Unread> {
    let span = |line: u32| Span { input, line, end_line: line };
    let root = draft.root(path.file_name(), "", &path.parent(), span(0));
    let bytes = indented(bytes);
    let documents = yaml::read_all(&bytes, MAX_BYTES)?;
    let services: Vec<&Node<'_>> = documents.iter().flat_map(services).collect();
    let built: HashSet<&str> = services.iter().filter(|service| builds(service)).filter_map(|s| image_of(s)).collect();
    let taken = |node: &Node<'_>| Taken {
        text: dockerfile::short(node.text().unwrap_or_default()),
        folder: path.parent(),
        span: span(node.line),
        is_dockerfile: false,
        arguments: Vec::new(),
        environment: Vec::new(),
    };
    let mut all: Vec<Taken> = documents
        .iter()
        .flat_map(includes)
        .map(|(node, environment)| Taken { environment: texts(environment), ..taken(node) })
        .collect();
    for service in &services {
        if let Some(extends) = member(service, "extends", 0).and_then(|extends| member(extends, "file", 0)) {
            all.push(taken(extends));
        }
        if let Some(text) = image_of(service)
            && let Some(node) = member(service, "image", 0)
            // Beside `build`, an image is the name of what is built, for other services as well.
            // Compose looks for it in a registry before it builds, where one is named.
            && (!built.contains(text) || (builds(service) && is_pulled(service, text, variables)))
        {
            let text = expand(text, variables).unwrap_or_else(|| dockerfile::short(text));
            dockerfile::put(draft, root, &Found::image(text, node.line, Scope::Runtime), None, span(node.line));
        }
        let volumes = member(service, "volumes", 0).map(Node::items).unwrap_or_default();
        for volume in volumes.iter().filter(|volume| member(volume, "type", 0).and_then(Node::text) == Some("image")) {
            let Some(source) = member(volume, "source", 0) else { continue };
            let text = dockerfile::short(source.text().unwrap_or_default());
            let text = expand(&text, variables).unwrap_or(text);
            let found = Found::image(text, source.line, Scope::Runtime);
            dockerfile::put(draft, root, &found, None, span(source.line));
        }
        let Some(build) = member(service, "build", 0) else { continue };
        if let Some(inline) = member(build, "dockerfile_inline", 0) {
            let given = arguments(build, variables).into_iter().collect();
            for found in dockerfile::images_with(inline.text().unwrap_or_default().as_bytes(), given)? {
                dockerfile::put(draft, root, &found, None, span(inline.line));
            }
        } else if builds(service) {
            all.push(built_from(build, path, variables, span(build.line)));
        }
        if let Some(contexts) = member(build, "additional_contexts", 0) {
            let written = contexts.items().iter().map(|item| (item.text(), item.line));
            let keyed = contexts.members().iter().map(|member| (member.node.text(), member.line));
            for (text, line) in written.chain(keyed) {
                let text = text.unwrap_or_default();
                let Some((_, text)) = text.split_once("docker-image://") else {
                    let text = text.split_once('=').filter(|(name, _)| !is_remote(name)).map_or(text, |(_, text)| text);
                    let known = expand(text, variables).unwrap_or_default();
                    if is_remote(&known) && !known.starts_with("oci-layout://") {
                        let (text, folder) = (dockerfile::short(text), path.parent());
                        let (span, arguments) = (span(line), Vec::new());
                        all.push(Taken { text, folder, span, is_dockerfile: true, arguments, environment: Vec::new() });
                    }
                    continue;
                };
                let text = expand(text, variables).unwrap_or_else(|| dockerfile::short(text));
                dockerfile::put(draft, root, &Found::image(text, line, Scope::Build), None, span(line));
            }
        }
    }
    Ok(all)
}

/// The Dockerfile that a service is built from; its context instead, where that is no folder that is known.
fn built_from(build: &Node<'_>, path: &RepoPath, variables: &Variables, span: Span) -> Taken {
    let text_of = |key: &str| member(build, key, 0).and_then(Node::text).map(dockerfile::short);
    let context = build.text().map(dockerfile::short).or_else(|| text_of("context")).unwrap_or_else(|| ".".to_owned());
    let known = expand(&context, variables).filter(|text| !text.contains('$') && !is_remote(text));
    let (text, folder) = match known.and_then(|known| path.parent().join(&known)) {
        Some(folder) => (text_of("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()), folder),
        None => (context, path.parent()),
    };
    let arguments = arguments(build, variables);
    Taken { text, folder, span, is_dockerfile: true, arguments, environment: Vec::new() }
}

/// What a build sets `ARG`s to. What nobody knows leaves the Dockerfile's default.
fn arguments(build: &Node<'_>, variables: &Variables) -> Vec<(String, String)> {
    let Some(args) = member(build, "args", 0) else { return Vec::new() };
    let listed = args.items().iter().filter_map(|item| item.text()?.split_once('='));
    let keyed = args.members().iter().filter(|member| member.key != "<<");
    let keyed = keyed.filter_map(|member| Some((&*member.key, member.node.text()?)));
    let merged = args.get("<<").into_iter();
    let merged = merged.flat_map(|node| std::iter::once(node).chain(node.items())).flat_map(Node::members);
    // What is merged counts less, and so comes first.
    let merged = merged.filter_map(|member| Some((&*member.key, member.node.text()?)));
    let known = |(name, value): (&str, &str)| {
        Some((name.to_owned(), expand(value, variables).filter(|value| !value.contains('$'))?))
    };
    merged.chain(listed).chain(keyed).take(MAX_ARGUMENTS).filter_map(known).collect()
}

/// Whether compose may pull an image that it could build: from the registry that is written, and not where the policy
/// rules it out. A name without one is most often a mere name.
fn is_pulled(service: &Node<'_>, text: &str, variables: &Variables) -> bool {
    let text = expand(text, variables).unwrap_or_default();
    let policy = member(service, "pull_policy", 0).and_then(Node::text);
    !matches!(policy, Some("build" | "never")) && super::image::parse(&text).is_some_and(|image| image.host.is_some())
}

/// The other compose files that a document names, with their files of variables: a text, or a `path` that is a text or
/// a list of them.
fn includes<'n, 'a>(document: &'n Node<'a>) -> Vec<(&'n Node<'a>, Option<&'n Node<'a>>)> {
    let mut found = Vec::new();
    for item in document.get("include").map(Node::items).unwrap_or_default() {
        let named = member(item, "path", 0).unwrap_or(item);
        let environment = member(item, "env_file", 0);
        if named.items().is_empty() {
            found.push((named, environment));
        } else {
            found.extend(named.items().iter().map(|named| (named, environment)));
        }
    }
    found
}

/// A text, or a list of them.
fn texts(node: Option<&Node<'_>>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let all = std::iter::once(node).chain(node.items()).filter_map(Node::text);
    all.take(MAX_ENVIRONMENTS).map(dockerfile::short).collect()
}

/// The image that a service names, cut where no reference is that long: an alias may repeat it a million times.
fn image_of<'n>(service: &'n Node<'_>) -> Option<&'n str> {
    let text = member(service, "image", 0)?.text().filter(|text| !text.is_empty())?;
    Some(text.char_indices().nth(8_192).map_or(text, |(at, _)| text.split_at_checked(at).map_or(text, |(cut, _)| cut)))
}

fn builds(service: &Node<'_>) -> bool {
    member(service, "build", 0).is_some_and(|build| build.is_table() || build.text().is_some())
}

/// The services of a document: those below `services`, or in the oldest form all that has an image or is built.
fn services<'n, 'a>(document: &'n Node<'a>) -> Vec<&'n Node<'a>> {
    match document.get("services") {
        Some(services) => values(services, 0),
        None => {
            let is_service = |node: &&Node<'_>| node.get("image").is_some() || node.get("build").is_some();
            document.members().iter().map(|member| &member.node).filter(is_service).collect()
        }
    }
}

/// The values of a mapping, with those of what is merged into it.
fn values<'n, 'a>(node: &'n Node<'a>, depth: usize) -> Vec<&'n Node<'a>> {
    let mut found = Vec::new();
    for member in node.members() {
        if member.key == "<<" && depth < 8 {
            found.extend(values(&member.node, depth + 1));
            found.extend(member.node.items().iter().flat_map(|item| values(item, depth + 1)));
        } else {
            found.push(&member.node);
        }
    }
    found
}

/// The value of a key: the mapping's own, or that of what is merged into it.
fn member<'n, 'a>(node: &'n Node<'a>, key: &str, depth: usize) -> Option<&'n Node<'a>> {
    if let Some(own) = node.get(key) {
        return Some(own);
    }
    let merged = node.get("<<").filter(|_| depth < 8)?;
    member(merged, key, depth + 1).or_else(|| merged.items().iter().find_map(|item| member(item, key, depth + 1)))
}
