//! Dockerfiles: stages, and the images that they start from and copy from.

use std::collections::{HashMap, HashSet};

use super::instructions::{self, Instruction};
use super::variables::{Variables, expand};
use super::{Vendored, image, is_filled_in};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::{FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Inventory, Project, Scope, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Variables that a builder sets on its own (Dockerfile reference, "Automatic platform ARGs").
const AUTOMATIC: [&str; 9] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETSTAGE",
];

/// Stages among which a name that ends in a platform is looked for.
const MAX_SEARCHED: usize = 1_000;

/// Dockerfiles. Each is a project of its own.
#[derive(Debug, Clone, Copy)]
pub struct Dockerfile;

impl Format for Dockerfile {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Docker
    }

    fn kinds(&self) -> &'static [FileKind] {
        const READS: &str = "FROM, COPY --from, RUN --mount=from and the syntax image";
        const {
            &[
                FileKind::manifest("Dockerfile*", READS),
                FileKind::manifest("dockerfile", READS),
                FileKind::manifest("*.Dockerfile", READS),
                FileKind::manifest("*.dockerfile", READS),
                FileKind::manifest("Containerfile*", READS),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        let vendored = Vendored::of(files);
        let all = claimed(files, self.kinds()).into_iter().filter(|path| is_read(path) && !vendored.holds(path));
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
        if let Some(path) = &project.manifest {
            let fail = |error| (path.clone(), error);
            if let Some((bytes, input)) = view.read(path).map_err(fail)? {
                add(&mut draft, path, &bytes, input, None).map_err(fail)?;
            }
        }
        Ok(draft.finish(project, view.into_inputs()))
    }
}

/// Whether a Dockerfile at a path makes a project of its own.
pub(in crate::ecosystem) fn is_project(path: &RepoPath, view: &mut View<'_>) -> bool {
    Dockerfile.kinds().iter().any(|kind| kind.matches(path)) && is_read(path) && !is_filled_in(path, view)
}

/// Ends of names of programs and texts about Dockerfiles.
const OTHERS: [&str; 20] = [
    "c", "cs", "go", "h", "html", "java", "js", "json", "kt", "md", "php", "py", "rb", "rs", "rst", "sh", "ts", "tsx",
    "yaml", "yml",
];

/// A list of files that a build leaves out stands beside its Dockerfile, and is none; nor is `DockerfileParser.java`.
fn is_read(path: &RepoPath) -> bool {
    let name = path.file_name();
    let more = ["Dockerfile", "Containerfile"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or_default();
    let is_other = !more.starts_with('.') && more.rsplit_once('.').is_some_and(|(_, end)| OTHERS.contains(&end));
    !is_other && !name.ends_with(".dockerignore") && !name.ends_with(".containerignore")
}

/// Adds the images of a Dockerfile. `scope` stands in for what the stages say, where all of it only builds something.
pub(in crate::ecosystem) fn add(
    draft: &mut Draft,
    path: &RepoPath,
    bytes: &[u8],
    input: u32,
    scope: Option<Scope>,
) -> Result<(), Unread> {
    let span = |line: u32| Span { input, line, end_line: line };
    let root = draft.root(path.file_name(), "", &path.parent(), span(0));
    if path.file_name().ends_with(".in") && bytes.windows(8).any(|text| text == b"#include") {
        return Err(Unread::Unsupported("a Dockerfile that a preprocessor puts together".to_owned()));
    }
    for found in images(bytes)? {
        put(draft, root, &found, scope, span(found.line));
    }
    Ok(())
}

/// Adds one image, or says why it cannot be told.
pub(super) fn put(draft: &mut Draft, root: usize, found: &Found, scope: Option<Scope>, span: Span) {
    if found.is_address {
        let shown = short(&found.text);
        return draft.disagree(&shown, format!("adds `{shown}`"), span);
    }
    match image::parse(&found.text) {
        Some(image) => {
            let package = draft.package(image.package(span));
            draft.need(root, package, scope.unwrap_or(found.scope), Some(span));
        }
        None => draft.disagree(&short(&found.text), doubt(&found.text), span),
    }
}

/// What is wrong with a text that names no image.
pub(in crate::ecosystem) fn doubt(text: &str) -> String {
    let text = short(text);
    if text.contains('$') {
        format!("names the image `{text}`, and no file says what stands for it")
    } else {
        format!("names the image `{text}`, which is no reference of one")
    }
}

/// So much of a text as fits a message.
pub(in crate::ecosystem) fn short(text: &str) -> String {
    text.chars().take(120).collect()
}

/// An image that a Dockerfile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The reference, with what is known of variables filled in.
    pub text: String,
    pub line: u32,
    pub scope: Scope,
    /// Whether it is no image, but an address from which files are added.
    pub is_address: bool,
}

impl Found {
    /// An image.
    pub const fn image(text: String, line: u32, scope: Scope) -> Self {
        Self { text, line, scope, is_address: false }
    }
}

#[derive(Debug, Default)]
struct Stage {
    /// Stages that it may start from: one, or one for each platform.
    bases: Vec<usize>,
    /// The images whose files end up in it.
    taken: Vec<usize>,
}

#[derive(Debug, Default)]
struct Build {
    /// `ARG`s before the first stage.
    global: Variables,
    /// `ARG`s of the stage.
    local: Variables,
    stages: Vec<Stage>,
    names: HashMap<String, usize>,
    found: Vec<Found>,
    /// What whoever builds it sets `ARG`s to.
    given: Variables,
}

/// The images of a Dockerfile. What the last stage is made of runs; the rest builds.
pub(super) fn images(bytes: &[u8]) -> Result<Vec<Found>, Unread> {
    images_with(bytes, Variables::new())
}

/// The same where whoever builds it sets `ARG`s.
pub(super) fn images_with(bytes: &[u8], given: Variables) -> Result<Vec<Found>, Unread> {
    let parsed = instructions::parse(bytes)?;
    let mut build = Build { given, ..Build::default() };
    if let Some(text) = build.given.get("BUILDKIT_SYNTAX").filter(|text| !text.is_empty()) {
        build.found.push(Found::image(text.clone(), 1, Scope::Build));
    } else if let Some((text, line)) = parsed.syntax {
        build.found.push(Found::image(text, line, Scope::Build));
    }
    for instruction in &parsed.instructions {
        build.take(instruction).map_err(|reason| crate::ecosystem::syntax::malformed(instruction.line, reason))?;
    }
    let mut seen = HashSet::new();
    let mut work: Vec<usize> = build.stages.len().checked_sub(1).into_iter().collect();
    while let Some(at) = work.pop() {
        let Some(stage) = build.stages.get(at).filter(|_| seen.insert(at)) else { continue };
        work.extend(&stage.bases);
        for taken in &stage.taken {
            if let Some(found) = build.found.get_mut(*taken) {
                found.scope = Scope::Runtime;
            }
        }
    }
    Ok(build.found)
}

impl Build {
    fn take(&mut self, instruction: &Instruction) -> Result<(), String> {
        match &*instruction.word {
            "arg" => self.arguments(&instruction.rest)?,
            "from" => self.from(instruction)?,
            "copy" | "add" => {
                for text in instruction.flags.iter().filter_map(|flag| flag.strip_prefix("--from=")) {
                    self.other(text, instruction.line, true)?;
                }
                if instruction.word == "add" {
                    self.addresses(instruction);
                }
            }
            "run" => {
                for mount in instruction.flags.iter().filter_map(|flag| flag.strip_prefix("--mount=")) {
                    let fields = mount.split(',').filter_map(|field| field.trim().trim_matches('"').split_once('='));
                    for (_, text) in fields.filter(|(key, _)| key.trim().eq_ignore_ascii_case("from")) {
                        self.other(text, instruction.line, false)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `ARG a=1 b="2" c`. One without a default inside a stage takes that of the same name before all stages.
    fn arguments(&mut self, text: &str) -> Result<(), String> {
        for word in split_quoted(text) {
            let (name, value) = word.split_once('=').map_or((&*word, None), |(name, value)| (name, Some(value)));
            let known = if self.stages.is_empty() { &self.global } else { &self.local };
            let value = match value {
                _ if self.given.contains_key(name) => self.given.get(name).cloned(),
                Some(value) => Some(expand(value, known).ok_or("a default whose variables cannot be filled in")?),
                None if self.stages.is_empty() => None,
                None => self.global.get(name).cloned(),
            };
            // A default in which something is unknown is unknown.
            let value = value.filter(|value| !value.contains('$'));
            let known = if self.stages.is_empty() { &mut self.global } else { &mut self.local };
            match value {
                Some(value) => known.insert(name.to_owned(), value),
                None => known.remove(name),
            };
        }
        Ok(())
    }

    fn from(&mut self, instruction: &Instruction) -> Result<(), String> {
        let words: Vec<&str> = instruction.rest.split(instructions::BLANKS).filter(|word| !word.is_empty()).collect();
        let (text, name) = match *words {
            [text] => (text, None),
            [text, word, name] if word.eq_ignore_ascii_case("as") => (text, Some(name)),
            _ => return Err("FROM takes an image, and perhaps AS and a name".to_owned()),
        };
        let text =
            expand(text, &self.global).ok_or("an image whose variables cannot be filled in")?.replace(['"', '\''], "");
        let mut stage = Stage::default();
        let stages = self.stages_of(&text);
        if !stages.is_empty() {
            stage.bases = stages;
        } else if text != "scratch" {
            stage.taken.push(self.found.len());
            self.found.push(Found::image(text, instruction.line, Scope::Build));
        }
        if let Some(name) = name {
            self.names.insert(name.to_ascii_lowercase(), self.stages.len());
        }
        self.stages.push(stage);
        self.local.clear();
        Ok(())
    }

    /// The stages before this one that a name stands for.
    fn stages_of(&self, text: &str) -> Vec<usize> {
        let text = text.to_ascii_lowercase();
        if let Some(at) = self.names.get(&text) {
            return vec![*at];
        }
        // `build-${TARGETARCH}`: one stage for each platform.
        for variable in AUTOMATIC {
            let variable = format!("${{{}}}", variable.to_ascii_lowercase());
            let Some((start, end)) = text.split_once(&variable) else { continue };
            if end.contains('$')
                || start.contains('$')
                || start.len() + end.len() == 0
                || self.names.len() > MAX_SEARCHED
            {
                return Vec::new();
            }
            let fits =
                |name: &&String| name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
            let mut found: Vec<usize> =
                self.names.iter().filter(|(name, _)| fits(name)).map(|(_, stage)| *stage).collect();
            found.sort_unstable();
            return found;
        }
        Vec::new()
    }

    /// Addresses that ADD takes files from, with the checksum that they must have.
    fn addresses(&mut self, instruction: &Instruction) {
        let known: &Variables = if self.local.is_empty() { &self.global } else { &self.local };
        let checksum = instruction.flags.iter().find_map(|flag| flag.strip_prefix("--checksum="));
        for word in split_quoted(&instruction.rest) {
            let word = word.trim_matches(['[', ']', ',']);
            let text = expand(word, known).unwrap_or_else(|| word.to_owned());
            if is_address(&text) {
                let text = checksum.map_or_else(|| text.clone(), |checksum| format!("{text} ({checksum})"));
                let line = instruction.line;
                self.found.push(Found { text, line, scope: Scope::Build, is_address: true });
            }
        }
    }

    /// What files are taken from: a stage by its name or number, or an image.
    fn other(&mut self, text: &str, line: u32, is_copied: bool) -> Result<(), String> {
        let known: &Variables = if self.local.is_empty() { &self.global } else { &self.local };
        let text = expand(text, known).ok_or("an image whose variables cannot be filled in")?;
        let is_stage = text.parse().is_ok_and(|at: usize| at < self.stages.len());
        if is_stage || text == "scratch" || text.is_empty() || !self.stages_of(&text).is_empty() {
            return Ok(());
        }
        if is_copied && let Some(stage) = self.stages.last_mut() {
            stage.taken.push(self.found.len());
        }
        self.found.push(Found::image(text, line, Scope::Build));
        Ok(())
    }
}

/// Whether an instruction takes a word for an address: `https://…`, `git@host:…`.
fn is_address(word: &str) -> bool {
    let is_scp = |(user, rest): (&str, &str)| !user.contains('/') && rest.contains(':');
    word.contains("://") || word.split_once('@').is_some_and(is_scp)
}

/// Words between blanks, without their quotes.
fn split_quoted(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
