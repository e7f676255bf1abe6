//! pre-commit: `.pre-commit-config.yaml`, which names the repositories that hooks come from.
//!
//! What a hook installs besides (`additional_dependencies`) is of the ecosystem of the hook's language. Where only the
//! hook's own repository says that, the list is told as it stands.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::actions::flow::indented;
use super::actions::reference::{claim, comment_after, is_commit, is_part, lines};
use super::docker::{dockerfile::short, image, is_vendored};
use super::draft::Draft;
use super::syntax::toml::MAX_BYTES;
use super::syntax::yaml::{self, Node};
use super::{FileKind, Files, Format, Rules, View, claimed};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

mod besides;

#[cfg(test)]
mod tests;

/// pre-commit's configuration and rules.
#[derive(Debug, Clone, Copy)]
pub struct PreCommit;

impl Rules for PreCommit {
    /// The places where hooks are kept ignore the case of owners and repositories.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(name.to_ascii_lowercase());
        }
        Cow::Borrowed(name)
    }

    /// The path of a repository below its host: `owner/repo`, with groups between them where a host has those.
    fn is_name(&self, name: &str) -> bool {
        name.len() <= 255 && name.split('/').all(|part| is_part(part) && part.is_ascii())
    }

    /// Tags of git, read as versions where they are semantic ones, with a `v` in front or without.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let version = |text: &str| semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok();
        Some(version(a)?.cmp_precedence(&version(b)?))
    }
}

impl Format for PreCommit {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PreCommit
    }

    fn kinds(&self) -> &'static [FileKind] {
        const READS: &str = "repositories of hooks, and what hooks of a known language install besides";
        const { &[FileKind::manifest(".pre-commit-config.yaml", READS), FileKind::manifest(".pre-commit-config.yml", READS)] }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let all = claimed(files, self.kinds()).into_iter().filter(|path| !is_vendored(path));
        let project = |path: RepoPath| Project {
            path: path.parent(),
            ecosystem: Ecosystem::PreCommit,
            manifest: Some(path),
            lockfile: None,
        };
        Ok(all.map(project).collect())
    }

    fn read(&self, project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        let mut draft = Draft::new();
        if let Some(path) = &project.manifest {
            let fail = |error| (path.clone(), error);
            if let Some((bytes, input)) = view.read(path).map_err(fail)? {
                add(&mut draft, path, &bytes, input).map_err(fail)?;
            }
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

fn add(draft: &mut Draft, path: &RepoPath, bytes: &[u8], input: u32) -> Result<(), Unread> {
    let bytes = indented(bytes);
    let document = yaml::read(&bytes, MAX_BYTES)?;
    let lines = lines(std::str::from_utf8(&bytes).unwrap_or_default());
    let span = |line: u32| Span { input, line, end_line: line };
    let root = draft.root(path.file_name(), "", &path.parent(), span(0));
    // Until its first version, the list was the whole file.
    let repositories = document.get("repos").unwrap_or(&document).items();
    for entry in repositories {
        let Some(url) = entry.get("repo") else {
            draft.disagree(path.file_name(), "has an entry without a `repo`", span(entry.line));
            continue;
        };
        let here = span(url.line);
        for hook in entry.get("hooks").map(Node::items).unwrap_or_default() {
            besides::add(draft, root, hook, input);
        }
        match url.text().unwrap_or_default() {
            "meta" => {}
            "local" => local(draft, root, entry, input),
            text => match (name_of(text), entry.get("rev").or_else(|| entry.get("sha"))) {
                (Some(name), Some(rev)) if rev.text().is_some_and(|rev| !rev.is_empty() && rev.len() <= 255) => {
                    let package = package(&name, text, rev, here, &lines);
                    let package = draft.package(package);
                    draft.need(root, package, Scope::Development, Some(here));
                }
                (Some(name), _) => draft.disagree(&name, "names no `rev` to take hooks at", here),
                (None, _) => {
                    draft.disagree(
                        &short(text),
                        format!("takes hooks from `{}`, which is no repository", short(text)),
                        here,
                    );
                }
            },
        }
    }
    Ok(())
}

fn package(name: &str, url: &str, rev: &Node<'_>, span: Span, lines: &[&str]) -> Package {
    let version = rev.text().unwrap_or_default();
    let commit = Some(version).filter(|version| is_commit(version));
    let comment = lines.get((rev.line as usize).saturating_sub(1)).and_then(|line| comment_after(line, version));
    Package {
        is_locked: commit.is_some(),
        source: Source::git(url, commit),
        checksum: commit.and_then(checksum::of_commit),
        identity: Identity::Foreign,
        claim: commit.and(comment).and_then(claim).map(Into::into),
        ..Package::new(Ecosystem::PreCommit, name, version, span)
    }
}

/// Hooks of the repository itself: those that run in a container name its image.
fn local(draft: &mut Draft, root: usize, entry: &Node<'_>, input: u32) {
    let hooks = entry.get("hooks").map(Node::items).unwrap_or_default();
    for hook in hooks.iter().filter(|hook| hook.text_of("language") == Some("docker_image")) {
        let Some(node) = hook.get("entry") else { continue };
        let span = Span { input, line: node.line, end_line: node.line };
        let entry = node.text().unwrap_or_default();
        let text = image_of(entry).unwrap_or_default();
        match image::parse(text) {
            Some(image) => {
                let package = draft.package(image.package(span));
                draft.need(root, package, Scope::Development, Some(span));
            }
            None => draft.disagree(&short(entry), "runs a container, and its image is not told", span),
        }
    }
}

/// The image that an entry names: its first word, or behind options the only word that is an image beyond doubt.
fn image_of(entry: &str) -> Option<&str> {
    if !entry.trim_start().starts_with('-') {
        return entry.split_whitespace().next();
    }
    let is_image = |word: &&str| word.contains(['/', ':', '@']) && image::parse(word).is_some();
    let mut words = entry.split_whitespace().filter(is_image);
    let first = words.next()?;
    words.next().is_none().then_some(first)
}

/// The path of a repository below its host, without `.git`.
fn name_of(url: &str) -> Option<String> {
    if url.len() > 2_048 {
        return None;
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        // `git@host:owner/repo`
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => path,
            _ => url,
        },
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    // A folder may be named from the one it is seen from.
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let name = parts.join("/").to_ascii_lowercase();
    PreCommit.is_name(&name).then_some(name)
}
