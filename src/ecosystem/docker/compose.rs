//! Compose files (the Compose Specification): the images that services run.

use std::collections::{HashSet, VecDeque};

use super::dockerfile::{self, Found};
use super::is_vendored;
use super::variables::{Variables, expand};
use crate::ecosystem::actions::flow::indented;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::yaml::{self, Node};
use crate::ecosystem::{FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Inventory, Project, Scope, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Files that one compose file takes in.
const MAX_FILES: usize = 1_000;

/// Compose files. Each is a project of its own.
#[derive(Debug, Clone, Copy)]
pub struct Compose;

impl Format for Compose {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Docker
    }

    fn kinds(&self) -> &'static [FileKind] {
        const READS: &str = "images of services, inline Dockerfiles";
        const {
            &[
                FileKind::manifest("compose.yml", READS),
                FileKind::manifest("compose.yaml", READS),
                FileKind::manifest("compose.*.yml", READS),
                FileKind::manifest("compose.*.yaml", READS),
                FileKind::manifest("docker-compose*.yml", READS),
                FileKind::manifest("docker-compose*.yaml", READS),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let all = claimed(files, self.kinds()).into_iter().filter(is_project);
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
        let mut queue: VecDeque<RepoPath> = project.manifest.iter().cloned().collect();
        let mut seen: HashSet<RepoPath> = queue.iter().cloned().collect();
        let variables = environment(&project.path, &mut view)?;
        while let Some(path) = queue.pop_front() {
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
                let Some(target) = other.folder.join(&text).filter(|_| !text.contains("://") && !text.contains('@'))
                else {
                    draft.disagree(
                        &other.text,
                        format!("{}, which is outside of the repository", other.says()),
                        other.span,
                    );
                    continue;
                };
                let is_project =
                    if other.is_dockerfile { dockerfile::is_project(&target) } else { is_project(&target) };
                let Some((bytes, input)) = view.read(&target).map_err(|error| (target.clone(), error))? else {
                    if !other.is_dockerfile {
                        draft.disagree(&other.text, format!("{}, which is not there", other.says()), other.span);
                    }
                    continue;
                };
                if is_project || !seen.insert(target.clone()) {
                    continue;
                }
                if other.is_dockerfile {
                    dockerfile::add(&mut draft, &target, &bytes, input, None).map_err(|error| (target, error))?;
                } else {
                    queue.push_back(target);
                }
            }
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Whether a compose file at a path makes a project of its own.
fn is_project(path: &RepoPath) -> bool {
    Compose.kinds().iter().any(|kind| kind.matches(path)) && !is_vendored(path)
}

/// Another file that a compose file takes in. What makes no project of its own is read with the one that names it.
struct Taken {
    text: String,
    folder: RepoPath,
    span: Span,
    is_dockerfile: bool,
}

impl Taken {
    fn says(&self) -> String {
        let verb = if self.is_dockerfile { "builds" } else { "takes services from" };
        format!("{verb} `{}`", self.text)
    }
}

/// What the file `.env` beside a compose file sets: it comes before the defaults.
fn environment(folder: &RepoPath, view: &mut View<'_>) -> Result<Variables, (RepoPath, Unread)> {
    let Some(path) = folder.join(".env") else { return Ok(Variables::new()) };
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
    };
    let mut all: Vec<Taken> = documents.iter().flat_map(includes).map(taken).collect();
    for service in &services {
        if let Some(extends) = member(service, "extends", 0).and_then(|extends| member(extends, "file", 0)) {
            all.push(taken(extends));
        }
        if let Some(text) = image_of(service)
            && let Some(node) = member(service, "image", 0)
            // Beside `build`, an image is the name of what is built, for other services as well.
            && !built.contains(text)
        {
            let text = expand(text, variables).unwrap_or_else(|| dockerfile::short(text));
            dockerfile::put(
                draft,
                root,
                &Found { text, line: node.line, scope: Scope::Runtime },
                None,
                span(node.line),
            );
        }
        let Some(build) = member(service, "build", 0) else { continue };
        if let Some(inline) = member(build, "dockerfile_inline", 0) {
            for found in dockerfile::images(inline.text().unwrap_or_default().as_bytes())? {
                dockerfile::put(draft, root, &found, None, span(inline.line));
            }
        } else if builds(service) {
            all.push(built_from(build, path, variables, span(build.line)));
        }
        if let Some(contexts) = member(build, "additional_contexts", 0) {
            let written = contexts.items().iter().map(|item| (item.text(), item.line));
            let keyed = contexts.members().iter().map(|member| (member.node.text(), member.line));
            for (text, line) in written.chain(keyed) {
                let Some((_, text)) = text.unwrap_or_default().split_once("docker-image://") else { continue };
                let text = expand(text, variables).unwrap_or_else(|| dockerfile::short(text));
                dockerfile::put(draft, root, &Found { text, line, scope: Scope::Build }, None, span(line));
            }
        }
    }
    Ok(all)
}

/// The Dockerfile that a service is built from; its context instead, where that is no folder that is known.
fn built_from(build: &Node<'_>, path: &RepoPath, variables: &Variables, span: Span) -> Taken {
    let text_of = |key: &str| member(build, key, 0).and_then(Node::text).map(dockerfile::short);
    let context = build.text().map(dockerfile::short).or_else(|| text_of("context")).unwrap_or_else(|| ".".to_owned());
    let known = expand(&context, variables).filter(|text| !text.contains(['$', '@']) && !text.contains("://"));
    let (text, folder) = match known.and_then(|known| path.parent().join(&known)) {
        Some(folder) => (text_of("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()), folder),
        None => (context, path.parent()),
    };
    Taken { text, folder, span, is_dockerfile: true }
}

/// The other compose files that a document names: a text, or a `path` that is a text or a list of them.
fn includes<'n, 'a>(document: &'n Node<'a>) -> Vec<&'n Node<'a>> {
    let mut found = Vec::new();
    for item in document.get("include").map(Node::items).unwrap_or_default() {
        let named = member(item, "path", 0).unwrap_or(item);
        if named.items().is_empty() {
            found.push(named);
        } else {
            found.extend(named.items());
        }
    }
    found
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
