//! `requirements.txt` and its relatives, as pip reads them ("Requirements File Format" of pip's documentation).
//!
//! A file of this kind is a lockfile as far as it pins: every entry says for itself whether it is locked. Where a
//! `*.in` file of the same stem stands beside it, that one is the manifest it was compiled from, and only what it names
//! is direct. Everything is runtime: the name of a file is its writer's own word.
//!
//! An index that is named in addition (`--extra-index-url`, `--find-links`) may serve any package. So each entry
//! without a digest stands in the inventory once for every place that may serve it; a digest fixes the bytes, whoever
//! serves them, and such an entry stands there once, at the main index.
//!
//! What constraints pin is in the inventory as well, whether or not a requirement names it: that is where files of this
//! kind pin what their requirements need in turn.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::reference::{self, Direct};
use super::requirement::{Requirement, Specifiers};
use super::{is_name, normalise};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, text};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// Requirements of one project, at the most, with all that they include.
const MAX_ENTRIES: usize = 1_000_000;

/// Places that packages may come from beside the main index, at the most.
const MAX_PLACES: usize = 16;

/// Entries times places beside the main index that stand in an inventory one by one, at the most.
const MAX_SPREAD: usize = 1024;

/// Locked versions of one package that a requirement is compared with, at the most.
const MAX_COMPARED: usize = 64;

/// What pip-tools leaves out of what it compiles unless told otherwise.
const UNSAFE: &[&str] = &["setuptools", "pip", "distribute", "wheel"];

/// pip's requirement files.
#[derive(Debug, Clone, Copy)]
pub struct Requirements;

impl Format for Requirements {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::PyPi
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        const READS: &str = "pins, hashes, includes, constraints, indexes";
        const {
            &[
                FileKind::lockfile("requirements*.txt", READS),
                FileKind::lockfile("*requirements.txt", READS),
                FileKind::lockfile("**/requirements/*.txt", READS),
                FileKind::lockfile("requirements*.lock", READS),
                FileKind::lockfile("constraints*.txt", "as part of what names it"),
                FileKind::manifest("requirements*.in", "as the source of the .txt file beside it"),
                FileKind::manifest("*requirements.in", "as the source of the .txt file beside it"),
                FileKind::manifest("**/requirements/*.in", "as the source of the .txt file beside it"),
            ]
        }
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(projects(files, self.kinds()))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        read(project, view)
    }
}

/// What one entry asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    /// A requirement, with the text of its clauses.
    Version(Box<str>),
    /// An address.
    Direct(Box<Direct>),
    /// A folder or an archive in one, as written.
    Path(Box<str>),
}

/// One entry of a file.
#[derive(Debug, Clone)]
struct Entry {
    /// The name, normalised; empty where only what it points to has one.
    name: Box<str>,
    what: What,
    hashes: Vec<Box<str>>,
    has_marker: bool,
    line: u32,
    end_line: u32,
}

/// A file that another one takes in.
#[derive(Debug, Clone)]
struct Include {
    path: String,
    is_constraint: bool,
    line: u32,
}

/// One file.
#[derive(Debug, Default)]
struct File {
    entries: Vec<Entry>,
    includes: Vec<Include>,
    /// The main index, without credentials.
    index: Option<String>,
    /// Whether no index is asked at all.
    no_index: bool,
    /// Other indexes, without credentials.
    extra: Vec<String>,
    /// Pages and folders that hold archives, without credentials.
    links: Vec<String>,
    /// Hosts that are trusted without transport security.
    trusted: Vec<(String, u32)>,
}

/// A line as pip sees it: without its comment, joined with those that continue it.
struct Logical {
    text: String,
    line: u32,
    end_line: u32,
}

/// Reads one file.
fn parse(bytes: &[u8]) -> Result<File, Unread> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Unread::Unsupported("the file is UTF-16 or UTF-32; save it as UTF-8".to_owned()));
    }
    let content = text(bytes, FILE_CAP)?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut file = File::default();
    for line in logical_lines(content)? {
        read_line(&line, &mut file)?;
        if file.entries.len() > MAX_ENTRIES {
            return Err(too_many(file.entries.len()));
        }
    }
    Ok(file)
}

fn too_many(size: usize) -> Unread {
    Unread::TooLarge { what: "the number of requirements".to_owned(), size: size as u64, cap: MAX_ENTRIES as u64 }
}

/// Where a line ends for Python, which is what pip goes by. Editors count line feeds alone.
const fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}' | '\u{1d}' | '\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn logical_lines(content: &str) -> Result<Vec<Logical>, Unread> {
    let mut lines = Vec::new();
    let mut open: Option<Logical> = None;
    let mut number = 1;
    for piece in content.split_inclusive(ends_line) {
        let here = number;
        number += u32::from(piece.ends_with('\n'));
        let line = piece.trim_end_matches(ends_line);
        if here <= 2 && line.starts_with('#') {
            encoding(line, here)?;
        }
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker)) {
            return Err(malformed(here, "conflict markers: a merge was left unfinished"));
        }
        let is_comment = line.trim_start().starts_with('#');
        // A comment ends what a backslash continued, and is itself never continued.
        let continued = line.strip_suffix('\\').filter(|_| !is_comment);
        let part = if is_comment { "" } else { continued.unwrap_or(line).trim_end_matches('\\') };
        let logical = open.get_or_insert_with(|| Logical { text: String::new(), line: here, end_line: here });
        logical.text.push_str(part);
        logical.end_line = here;
        if continued.is_none() {
            lines.extend(open.take());
        }
    }
    lines.extend(open);
    for logical in &mut lines {
        let end = comment(&logical.text).unwrap_or(logical.text.len());
        logical.text = logical.text.get(..end).unwrap_or_default().trim().to_owned();
    }
    lines.retain(|logical| !logical.text.is_empty());
    Ok(lines)
}

/// Where a comment starts: a `#` at the start or after a blank.
fn comment(text: &str) -> Option<usize> {
    let mut after_blank = true;
    for (at, c) in text.char_indices() {
        if c == '#' && after_blank {
            return Some(at);
        }
        after_blank = c.is_whitespace();
    }
    None
}

/// pip decodes a file as a comment on its first lines says (PEP 263). Only what reads the same as UTF-8 is taken.
fn encoding(line: &str, number: u32) -> Result<(), Unread> {
    let named = line.split("coding").skip(1).find_map(|rest| {
        let rest = rest.strip_prefix([':', '='])?.trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        rest.get(..end.unwrap_or(rest.len())).filter(|name| !name.is_empty())
    });
    let Some(name) = named else { return Ok(()) };
    let folded = name.to_ascii_lowercase().replace('_', "-");
    if matches!(&*folded, "utf-8" | "utf8" | "ascii" | "us-ascii") {
        return Ok(());
    }
    Err(malformed(number, format!("the encoding `{name}`; only UTF-8 is read")))
}

/// An option of pip's requirement files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opt {
    Requirement,
    Constraint,
    Editable,
    Index,
    ExtraIndex,
    NoIndex,
    Links,
    Hash,
    Trusted,
    /// One that takes a value and moves no source.
    Value,
    /// One without a value that moves no source.
    Flag,
}

/// The long options and their short forms.
const OPTIONS: &[(&str, &str, Opt)] = &[
    ("--requirement", "-r", Opt::Requirement),
    ("--constraint", "-c", Opt::Constraint),
    ("--editable", "-e", Opt::Editable),
    ("--index-url", "-i", Opt::Index),
    ("--pypi-url", "", Opt::Index),
    ("--extra-index-url", "", Opt::ExtraIndex),
    ("--no-index", "", Opt::NoIndex),
    ("--find-links", "-f", Opt::Links),
    ("--hash", "", Opt::Hash),
    ("--trusted-host", "", Opt::Trusted),
    ("--no-binary", "", Opt::Value),
    ("--only-binary", "", Opt::Value),
    ("--use-feature", "", Opt::Value),
    ("--config-settings", "-C", Opt::Value),
    ("--config-setting", "", Opt::Value),
    ("--global-option", "", Opt::Value),
    ("--install-option", "", Opt::Value),
    ("--prefer-binary", "", Opt::Flag),
    ("--require-hashes", "", Opt::Flag),
    ("--pre", "", Opt::Flag),
    ("--always-unzip", "-Z", Opt::Flag),
];

/// The option that a word starts, and the value that is part of the word. A long option may be cut short where only
/// one starts so.
fn option(word: &str) -> Option<(Opt, Option<&str>)> {
    if word.starts_with("--") {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if let Some((_, _, option)) = OPTIONS.iter().find(|(long, _, _)| *long == name) {
            return Some((*option, value));
        }
        let mut starting = OPTIONS.iter().filter(|(long, _, _)| name.len() > 2 && long.starts_with(name));
        let (_, _, option) = starting.next()?;
        return starting.all(|(_, _, other)| other == option).then_some((*option, value));
    }
    let (_, short, option) = OPTIONS.iter().find(|(_, short, _)| !short.is_empty() && word.starts_with(short))?;
    let rest = word.get(short.len()..).unwrap_or_default();
    Some((*option, (!rest.is_empty()).then_some(rest)))
}

/// Splits a line into a requirement and the options that follow it.
fn split_options(line: &str) -> (&str, &str) {
    let mut at = 0;
    for word in line.split_inclusive(|c: char| c.is_ascii_whitespace()) {
        if word.starts_with('-') {
            break;
        }
        at += word.len();
    }
    line.split_at_checked(at).unwrap_or((line, ""))
}

/// Words as a POSIX shell splits them: quotes and backslashes taken away.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut is_open) = (String::new(), None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.push(chars.next()?),
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => (quote, is_open) = (Some(c), true),
            (c, None) if c.is_ascii_whitespace() => {
                if is_open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            (c, None) => word.push(c),
        }
    }
    if is_open || !word.is_empty() {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

fn read_line(logical: &Logical, file: &mut File) -> Result<(), Unread> {
    let line = logical.line;
    let (requirement, options) = split_options(&logical.text);
    let requirement = requirement.trim();
    let is_alone = requirement.is_empty();
    let mut entry = None;
    if !is_alone {
        entry = Some(entry_of(requirement, false, logical)?);
    }
    let options = match editable(options).filter(|_| is_alone) {
        Some(value) => {
            let (value, rest) = value.split_once(" --").map_or((value, String::new()), |(v, r)| (v, format!("--{r}")));
            entry = Some(entry_of(value.trim(), true, logical)?);
            rest
        }
        None => options.to_owned(),
    };
    let words = words(&options).ok_or_else(|| malformed(line, "a quote that does not end"))?;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some((option, value)) = option(&word) else {
            return Err(malformed(line, format!("`{}` is no option of requirement files", shown(&word))));
        };
        if matches!(option, Opt::NoIndex | Opt::Flag) {
            file.no_index |= option == Opt::NoIndex;
            continue;
        }
        let value = value.map(str::to_owned).or_else(|| words.next());
        let value = value.ok_or_else(|| malformed(line, format!("`{}` without a value", shown(&word))))?;
        if entry.is_some() && !matches!(option, Opt::Hash | Opt::Value) {
            return Err(malformed(line, format!("`{}` after a requirement", shown(&word))));
        }
        match option {
            Opt::Requirement | Opt::Constraint => {
                let is_constraint = option == Opt::Constraint;
                file.includes.push(Include { path: value, is_constraint, line });
            }
            Opt::Editable => return Err(malformed(line, "`-e` among other options")),
            Opt::Index => file.index = Some(reference::without_credentials(&value)),
            Opt::ExtraIndex => file.extra.push(reference::without_credentials(&value)),
            Opt::Links => file.links.push(reference::without_credentials(&value)),
            Opt::Trusted => file.trusted.push((shown(&value), line)),
            Opt::Hash => match &mut entry {
                Some(entry) => {
                    let digest = value.split_once(':').and_then(|(name, hex)| checksum::of_hex(name, hex));
                    entry.hashes.extend(digest);
                }
                None => return Err(malformed(line, "`--hash` without a requirement")),
            },
            Opt::Value | Opt::Flag | Opt::NoIndex => {}
        }
    }
    if file.trusted.len() > MAX_COMPARED {
        return Err(malformed(line, format!("more than {MAX_COMPARED} trusted hosts")));
    }
    if file.extra.len() + file.links.len() > MAX_PLACES {
        return Err(malformed(line, format!("more than {MAX_PLACES} further indexes")));
    }
    file.entries.extend(entry);
    Ok(())
}

/// The value of a line that starts with `-e` or `--editable`, also cut short.
fn editable(options: &str) -> Option<&str> {
    let (word, rest) = options.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((options, ""));
    match option(word) {
        Some((Opt::Editable, None)) => Some(rest),
        Some((Opt::Editable, Some(value))) => {
            let at = word.len() - value.len();
            options.get(at..)
        }
        _ => None,
    }
}

/// The start of a text, for messages.
fn shown(text: &str) -> String {
    reference::without_credentials(text).chars().take(120).flat_map(char::escape_debug).collect()
}

/// Reads a requirement, an address or a path.
fn entry_of(text: &str, is_editable: bool, logical: &Logical) -> Result<Entry, Unread> {
    let entry = |name: &str, what: What, has_marker: bool| Entry {
        name: normalise(name).into(),
        what,
        hashes: Vec::new(),
        has_marker,
        line: logical.line,
        end_line: logical.end_line,
    };
    let line = logical.line;
    // In an address a semicolon may stand anywhere; a blank beside it makes it the start of a marker.
    let (place, has_marker) = match text.find("; ").into_iter().chain(text.find(" ;")).min() {
        Some(at) => (text.get(..at).unwrap_or(text).trim_end(), true),
        None => (text, false),
    };
    // `file:.`, as rye writes the project itself: a path all the same.
    let relative = place.strip_prefix("file:").filter(|rest| rest.starts_with('.'));
    let place = relative.unwrap_or(place);
    if reference::is_address(place) {
        let direct = reference::direct(place);
        let name = direct.egg.clone().or_else(|| direct.archive.clone()).or_else(|| last_part(&direct.source.address));
        let Some(name) = name.filter(|name| is_name(name)) else {
            return Err(malformed(line, format!("an address that names no package: `{}`", shown(place))));
        };
        return Ok(entry(&name, What::Direct(Box::new(direct)), has_marker));
    }
    let path = match (place.strip_suffix(']').and_then(|p| p.rsplit_once('[')), is_editable) {
        (Some((path, _)), _) => path.trim_end(),
        (None, _) => place,
    };
    let is_path = path.starts_with('.') || (path.contains(['/', '\\']) && !path.contains('@')) || is_archive_file(path);
    if is_path || (is_editable && !path.contains('@')) {
        let name = reference::archive_parts(path).map_or_else(|| "".into(), |(name, _)| name);
        return Ok(entry(&name, What::Path(path.into()), has_marker));
    }
    let requirement = Requirement::parse(text).map_err(|reason| malformed(line, reason))?;
    let has_marker = requirement.marker.is_some();
    let what = match requirement.url {
        Some(url) => What::Direct(Box::new(reference::direct(url))),
        None => What::Version(requirement.specifiers.text.into()),
    };
    Ok(entry(requirement.name, what, has_marker))
}

/// Whether a word is the name of an archive, which pip looks for as a file.
fn is_archive_file(word: &str) -> bool {
    reference::is_archive(word) && !word.contains(['@', ' ', '=', '<', '>', '~', '!'])
}

/// The name of a repository in its address.
fn last_part(address: &str) -> Option<Box<str>> {
    let plain = address.split(['#', '?']).next()?.trim_end_matches('/');
    let path = match plain.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => plain,
    };
    let last = path.rsplit('/').next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    is_name(last).then(|| last.into())
}

// ---- projects ----

/// Whether a path lies among what was installed, and not written.
pub(super) fn is_installed(path: &RepoPath) -> bool {
    let parts: Vec<&str> = path.parts().collect();
    let is_python = |parts: &[&str]| match parts {
        [lib, python, packages] => {
            matches!(*lib, "lib" | "lib64")
                && python.starts_with("python")
                && matches!(*packages, "site-packages" | "dist-packages")
        }
        _ => false,
    };
    parts.contains(&"node_modules") || parts.windows(3).any(is_python)
}

/// The file of the same stem and another ending.
fn sibling(path: &RepoPath, from: &str, to: &str) -> Option<RepoPath> {
    path.as_str().strip_suffix(from).map(|stem| RepoPath::from_git(format!("{stem}{to}").as_bytes()))
}

fn projects(files: &dyn Files, kinds: &[FileKind]) -> Vec<Project> {
    let is_own = |path: &RepoPath| !is_installed(path) && !path.file_name().starts_with("constraints");
    let all: BTreeSet<RepoPath> = claimed(files, kinds).into_iter().filter(is_own).collect();
    let source_of = |path: &RepoPath| sibling(path, ".txt", ".in").filter(|source| all.contains(source));
    let is_source = |path: &RepoPath| sibling(path, ".in", ".txt").is_some_and(|compiled| all.contains(&compiled));
    let mut includes: BTreeMap<&RepoPath, Vec<RepoPath>> = BTreeMap::new();
    let mut taken_in: HashSet<RepoPath> = HashSet::new();
    let mut by_sources: Vec<RepoPath> = Vec::new();
    for path in &all {
        // What cannot be read is a project that says so.
        let parsed = files.read(path).ok().flatten().and_then(|(bytes, _)| parse(&bytes).ok());
        let included = parsed.into_iter().flat_map(|file| file.includes).filter(|include| !include.is_constraint);
        // A file speaks for what lies beside and below it. What takes in a file of a folder above it may be a fixture,
        // and lie where nobody looks: the file above stays a project of its own.
        let targets = included.filter_map(|include| path.parent().join(&include.path));
        let targets: Vec<RepoPath> = targets.filter(|target| target.is_within(&path.parent())).collect();
        if is_source(path) {
            // What a manifest takes in is part of what was compiled from it, but for what is compiled itself.
            by_sources.extend(targets.into_iter().filter(|target| target.as_str().ends_with(".in")));
        } else {
            taken_in.extend(targets.iter().filter(|target| *target != path).cloned());
            includes.insert(path, targets);
        }
    }
    let mut spoken_for: HashSet<RepoPath> = HashSet::new();
    by_sources.iter().for_each(|target| spread(target, &includes, &mut spoken_for));
    let mut roots: BTreeSet<&RepoPath> = BTreeSet::new();
    // First what nothing includes; then, of what only includes itself in a circle, the first.
    for is_circle in [false, true] {
        for path in includes.keys() {
            if !spoken_for.contains(*path) && (is_circle || !taken_in.contains(*path)) {
                spread(path, &includes, &mut spoken_for);
                roots.insert(path);
            }
        }
    }
    let project = |path: &RepoPath| {
        let is_manifest = path.as_str().ends_with(".in");
        let (manifest, lockfile) =
            if is_manifest { (Some(path.clone()), None) } else { (source_of(path), Some(path.clone())) };
        Project { path: path.parent(), ecosystem: Ecosystem::PyPi, manifest, lockfile }
    };
    roots.into_iter().map(project).collect()
}

/// Notes a file and all that it takes in.
fn spread(from: &RepoPath, includes: &BTreeMap<&RepoPath, Vec<RepoPath>>, reached: &mut HashSet<RepoPath>) {
    let mut work = vec![from.clone()];
    while let Some(path) = work.pop() {
        if reached.insert(path.clone()) {
            work.extend(includes.get(&path).into_iter().flatten().cloned());
        }
    }
}

// ---- one project ----

type Failure = (RepoPath, Unread);

/// A file that was read, with its number among the inputs.
struct Numbered {
    path: RepoPath,
    input: u32,
    is_constraint: bool,
    file: File,
}

/// Reads a file and all that it takes in, each once. Circles end.
fn gather(start: &RepoPath, view: &mut View<'_>) -> Result<Vec<Numbered>, Failure> {
    let mut seen = HashSet::new();
    let mut work = vec![(start.clone(), false, None::<(RepoPath, u32)>)];
    let mut found: Vec<Numbered> = Vec::new();
    let mut total = 0;
    while let Some((path, is_constraint, from)) = work.pop() {
        if !seen.insert((path.clone(), is_constraint)) {
            continue;
        }
        let Some((bytes, input)) = view.read(&path).map_err(|error| (path.clone(), error))? else {
            let (from, line) = from.unwrap_or_else(|| (path.clone(), 0));
            return Err((from, malformed(line, format!("includes `{path}`, which is not there"))));
        };
        let file = parse(&bytes).map_err(|error| (path.clone(), error))?;
        total += file.entries.len();
        if total > MAX_ENTRIES {
            return Err((path, too_many(total)));
        }
        for include in file.includes.iter().rev() {
            let refuse = |reason: &str| {
                let shown = shown(&include.path);
                Err((path.clone(), malformed(include.line, format!("includes `{shown}`, {reason}"))))
            };
            if reference::is_address(&include.path) {
                return refuse("an address, which is not fetched");
            }
            let Some(target) = path.parent().join(&include.path) else {
                return refuse("which lies outside the repository");
            };
            // What a constraints file takes in constrains as well.
            let is_constraint = is_constraint || include.is_constraint;
            work.push((target, is_constraint, Some((path.clone(), include.line))));
        }
        found.push(Numbered { path, input, is_constraint, file });
    }
    Ok(found)
}

/// Where packages come from.
struct Places {
    main: (Source, Identity),
    /// Places that may serve any package as well.
    further: Vec<(Source, Identity)>,
}

impl Places {
    fn new(files: &[Numbered]) -> Self {
        let index = files.iter().rev().find_map(|one| one.file.index.as_deref());
        let mut further: BTreeSet<(Source, Identity)> = BTreeSet::new();
        let mut no_index = false;
        for one in files {
            no_index |= one.file.no_index;
            // Every index that is named may be the one that is asked: which one wins depends on the tool.
            let others = one.file.index.iter().filter(|other| Some(&***other) != index);
            further.extend(one.file.extra.iter().chain(others).map(|url| (Source::registry(url), Identity::Public)));
            further.extend(one.file.links.iter().map(|link| (source_of_link(link), Identity::StandsIn)));
        }
        let main = index.map_or_else(Source::public, Source::registry);
        further.retain(|(source, _)| *source != main);
        let mut further: Vec<_> = further.into_iter().collect();
        if no_index {
            further.retain(|(_, identity)| *identity == Identity::StandsIn);
            if !further.is_empty() {
                return Self { main: further.remove(0), further };
            }
        }
        Self { main: (main, Identity::Public), further }
    }
}

/// A page or folder of archives.
fn source_of_link(link: &str) -> Source {
    let is_remote = reference::is_address(link) && !link.to_ascii_lowercase().starts_with("file:");
    if is_remote { Source::registry(link) } else { Source::path(link) }
}

struct Reader<'v, 'a> {
    view: &'v mut View<'a>,
    draft: Draft,
    places: Places,
    root: usize,
    /// Folders of the repository that are members.
    members: BTreeSet<RepoPath>,
    /// Numbers of packages by name.
    by_name: HashMap<Box<str>, Vec<u32>>,
    /// Names that constraints pin.
    is_fixed: HashSet<Box<str>>,
    /// Names whose versions constraints have given.
    constrained: HashSet<Box<str>>,
    is_lockfile: bool,
}

fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let Some(start) = project.lockfile.as_ref().or(project.manifest.as_ref()) else {
        return Err((project.path.clone(), Unread::Unsupported("a project without a file".to_owned())));
    };
    let files = gather(start, &mut view)?;
    let mut draft = Draft::new();
    let input = files.first().map_or(0, |one| one.input);
    let root = draft.root(start.file_name(), "", &project.path, Span { input, ..Span::default() });
    let mut reader = Reader {
        view: &mut view,
        draft,
        places: Places::new(&files),
        root,
        members: BTreeSet::new(),
        by_name: HashMap::new(),
        is_fixed: HashSet::new(),
        constrained: HashSet::new(),
        is_lockfile: project.lockfile.is_some(),
    };
    let mut trusted: BTreeSet<&str> = BTreeSet::new();
    for one in &files {
        for (host, line) in one.file.trusted.iter().filter(|(host, _)| trusted.insert(host)) {
            let span = Span { input: one.input, line: *line, end_line: *line };
            reader.draft.disagree(host, format!("trusts {host} without transport security"), span);
        }
    }
    let entries = files.iter().flat_map(|one| &one.file.entries).filter(|entry| entry.hashes.is_empty()).count();
    if entries.saturating_mul(reader.places.further.len()) > MAX_SPREAD {
        let further = std::mem::take(&mut reader.places.further);
        let message = format!("takes any of its packages from {} further places as well", further.len());
        reader.draft.disagree(start.file_name(), message, Span { input, ..Span::default() });
    }
    let constraints: HashMap<&str, Vec<(&Entry, u32)>> = {
        let mut found: HashMap<&str, Vec<(&Entry, u32)>> = HashMap::new();
        for one in files.iter().filter(|one| one.is_constraint) {
            for entry in one.file.entries.iter().filter(|entry| !entry.name.is_empty()) {
                found.entry(&entry.name).or_default().push((entry, one.input));
                if entry.fixes() {
                    reader.is_fixed.insert(entry.name.clone());
                }
            }
        }
        found
    };
    let mut direct: Vec<(u32, Span)> = Vec::new();
    let mut sources: Vec<Numbered> = Vec::new();
    for one in files.iter().filter(|one| !one.is_constraint) {
        let source = sibling(&one.path, ".txt", ".in").filter(|_| reader.is_lockfile);
        let compiled_from = match source {
            Some(path) if reader.view.files().read(&path).is_ok_and(|found| found.is_some()) => {
                gather(&path, reader.view)?
            }
            _ => Vec::new(),
        };
        for entry in &one.file.entries {
            let span = Span { input: one.input, line: entry.line, end_line: entry.end_line };
            let pins = constraints.get(&*entry.name).map(Vec::as_slice).unwrap_or_default();
            for package in reader.entry(entry, pins, span, &one.path)? {
                if compiled_from.is_empty() {
                    direct.push((package, span));
                }
            }
        }
        sources.extend(compiled_from);
    }
    reader.constraints(&files)?;
    for (package, span) in direct {
        reader.draft.need(root, package, Scope::Runtime, Some(span));
    }
    reader.compiled(&sources);
    let draft = reader.draft;
    Ok(draft.finish(project, view.into_inputs()))
}

impl Reader<'_, '_> {
    /// Adds the packages of an entry, and tells their numbers.
    fn entry(
        &mut self,
        entry: &Entry,
        constraints: &[(&Entry, u32)],
        span: Span,
        file: &RepoPath,
    ) -> Result<Vec<u32>, Failure> {
        let (hashes, files) = checksum::of_files(entry.hashes.clone());
        let package = |version: &str| Package {
            checksum: hashes.clone(),
            files: files.clone(),
            ..Package::new(Ecosystem::PyPi, &entry.name, version, span)
        };
        let mut found = Vec::new();
        match &entry.what {
            What::Path(path) => found.extend(self.path(entry, path, span, file)?),
            What::Direct(direct) => found.push(self.add(directly(direct, package("*"), self.is_lockfile))),
            What::Version(text) => {
                let specifiers = Specifiers::parse(text).unwrap_or_default();
                let pin = specifiers.exact();
                let limits = constraints.iter().take(MAX_PLACES);
                for (limit, _) in limits.filter(|(limit, _)| !limit.has_marker && !entry.has_marker) {
                    self.limit(&specifiers, limit, span);
                }
                let range = if text.is_empty() { "*" } else { text };
                let package = match pin {
                    Some(pin) if self.is_lockfile => package(pin),
                    Some(pin) => Package { is_locked: false, ..package(&format!("={pin}")) },
                    None if self.is_fixed.contains(&entry.name) => return Ok(self.fixed(entry, constraints)),
                    None => Package { is_locked: false, ..package(range) },
                };
                found.extend(self.everywhere(&package));
            }
        }
        Ok(found)
    }
    /// Says where a requirement and a constraint cannot both be met.
    fn limit(&mut self, asked: &Specifiers<'_>, limit: &Entry, span: Span) {
        let What::Version(text) = &limit.what else { return };
        let limits = Specifiers::parse(text).unwrap_or_default();
        let message = match (asked.exact(), limits.exact()) {
            (Some(pin), _) if limits.satisfies(pin) == Some(false) => {
                format!("is pinned to {pin}, and a constraint asks for {text}")
            }
            (None, Some(pin)) if asked.satisfies(pin) == Some(false) => {
                format!("asks for {}, and a constraint pins {pin}", asked.text)
            }
            _ => return,
        };
        self.draft.disagree(&limit.name, message, span);
    }

    /// The packages that constraints make of a requirement without a version of its own. Once for each name.
    fn fixed(&mut self, entry: &Entry, constraints: &[(&Entry, u32)]) -> Vec<u32> {
        if !self.constrained.insert(entry.name.clone()) {
            return Vec::new();
        }
        let pins = constraints.iter().filter(|(limit, _)| limit.fixes());
        pins.flat_map(|(limit, input)| self.pinned(limit, *input, &entry.hashes)).collect()
    }

    /// What a constraint pins, with the digests of the requirement where it has none itself.
    fn pinned(&mut self, limit: &Entry, input: u32, others: &[Box<str>]) -> Vec<u32> {
        let span = Span { input, line: limit.line, end_line: limit.end_line };
        let hashes = if limit.hashes.is_empty() { others } else { &limit.hashes };
        let (checksum, files) = checksum::of_files(hashes.to_vec());
        let package =
            |version: &str| Package { checksum, files, ..Package::new(Ecosystem::PyPi, &limit.name, version, span) };
        match &limit.what {
            What::Direct(direct) => {
                let package = directly(direct, package("*"), self.is_lockfile);
                vec![self.add(Package { identity: Identity::StandsIn, ..package })]
            }
            What::Version(text) => match Specifiers::parse(text).unwrap_or_default().exact() {
                Some(pin) if self.is_lockfile => self.everywhere(&package(pin)),
                Some(pin) => {
                    let package = Package { is_locked: false, ..package(&format!("={pin}")) };
                    self.everywhere(&package)
                }
                None => Vec::new(),
            },
            What::Path(_) => Vec::new(),
        }
    }

    /// Adds what constraints pin and no requirement has taken up yet.
    fn constraints(&mut self, files: &[Numbered]) -> Result<(), Failure> {
        for one in files.iter().filter(|one| one.is_constraint) {
            for entry in one.file.entries.iter().filter(|entry| entry.fixes()) {
                if let What::Path(path) = &entry.what {
                    let span = Span { input: one.input, line: entry.line, end_line: entry.end_line };
                    self.path(entry, path, span, &one.path)?;
                } else if !self.constrained.contains(&entry.name) {
                    self.pinned(entry, one.input, &[]);
                }
            }
        }
        Ok(())
    }

    /// Adds a package of an index, once for every place that may serve it; see the head of this file.
    fn everywhere(&mut self, package: &Package) -> Vec<u32> {
        let (source, identity) = self.places.main.clone();
        let mut found = vec![self.add(Package { source, identity, ..package.clone() })];
        if package.checksum.is_none() {
            for (source, identity) in self.places.further.clone() {
                found.push(self.add(Package { source, identity, ..package.clone() }));
            }
        }
        found
    }

    fn add(&mut self, package: Package) -> u32 {
        let name = package.name.clone();
        let before = self.draft.packages().len();
        let number = self.draft.package(package);
        if self.draft.packages().len() > before {
            self.by_name.entry(name).or_default().push(number);
        }
        number
    }

    /// A folder or archive: a member where it is a folder of the repository with a manifest, and a package otherwise.
    fn path(&mut self, entry: &Entry, path: &str, span: Span, file: &RepoPath) -> Result<Option<u32>, Failure> {
        // pip goes by the folder it runs in: the file's own, or the repository's root.
        let folders: BTreeSet<RepoPath> =
            [file.parent(), RepoPath::root()].iter().filter_map(|folder| folder.join(path)).collect();
        for folder in folders.iter().rev().filter(|_| !reference::is_archive(path)) {
            if self.members.contains(folder) || self.member(folder, span)? {
                return Ok(None);
            }
        }
        let name = Some(entry.name.clone()).filter(|name| !name.is_empty());
        let Some(name) = name.or_else(|| last_part(path).map(|name| normalise(&name).into())) else {
            let reason = format!("a folder that names no package: `{}`", shown(path));
            return Err((file.clone(), malformed(entry.line, reason)));
        };
        let (checksum, files) = checksum::of_files(entry.hashes.clone());
        let version = reference::archive_parts(path).map_or_else(|| "*".into(), |(_, version)| version);
        Ok(Some(self.add(Package {
            source: Source::path(path),
            identity: Identity::Foreign,
            // What lies in the repository is fixed by it.
            is_locked: self.is_lockfile && !folders.is_empty(),
            checksum,
            files,
            ..Package::new(Ecosystem::PyPi, &name, &version, span)
        })))
    }

    /// Notes a folder as a member where it has a manifest.
    fn member(&mut self, folder: &RepoPath, span: Span) -> Result<bool, Failure> {
        for name in ["pyproject.toml", "setup.cfg", "setup.py"] {
            let Some(path) = folder.join(name) else { continue };
            let Some((bytes, _)) = self.view.read(&path).map_err(|error| (path, error))? else { continue };
            // Its own project says what is wrong with it.
            let (named, version) = match name {
                "pyproject.toml" => super::manifest::parse(&bytes).map(|m| (m.name, m.version)).unwrap_or_default(),
                _ => Default::default(),
            };
            let last = if folder.is_root() { "." } else { folder.file_name() };
            let label = if named.is_empty() { last } else { &named };
            self.draft.root(label, &version, folder, span);
            self.members.insert(folder.clone());
            return Ok(true);
        }
        Ok(false)
    }

    /// Marks as direct what the manifests of compiled files name, and says what they name in vain.
    fn compiled(&mut self, sources: &[Numbered]) {
        let mut seen: HashSet<(&str, &What)> = HashSet::new();
        let mut named: HashSet<&str> = HashSet::new();
        for one in sources.iter().filter(|one| !one.is_constraint) {
            for entry in one.file.entries.iter().filter(|entry| !entry.name.is_empty()) {
                if !seen.insert((&entry.name, &entry.what)) {
                    continue;
                }
                let span = Span { input: one.input, line: entry.line, end_line: entry.end_line };
                let known = self.by_name.get(&entry.name).map(Vec::as_slice).unwrap_or_default();
                if let Some(message) = self.complaint(entry, known) {
                    self.draft.disagree(&entry.name, message, span);
                }
                if named.insert(&entry.name) {
                    for package in known {
                        self.draft.need(self.root, *package, Scope::Runtime, Some(span));
                    }
                }
            }
        }
    }

    fn complaint(&self, entry: &Entry, known: &[u32]) -> Option<String> {
        let locked = known.iter().take(MAX_COMPARED).filter_map(|at| self.draft.packages().get(*at as usize));
        let text = match &entry.what {
            What::Version(text) => text,
            What::Direct(direct) => {
                let is_other = !known.is_empty() && locked.clone().all(|p| p.source.address != direct.source.address);
                let is_git = direct.source.kind == SourceKind::Git;
                return (is_other && is_git)
                    .then(|| format!("asks for {}, and the lockfile takes it from elsewhere", direct.source.address));
            }
            What::Path(_) => return None,
        };
        let wanted = if text.is_empty() { "any version" } else { text };
        if known.is_empty() {
            let is_left_out = entry.has_marker || UNSAFE.contains(&&*entry.name);
            return (!is_left_out).then(|| format!("asks for {wanted}, and the lockfile does not hold it"));
        }
        let specifiers = Specifiers::parse(text)?;
        let fits = |p: &Package| !p.is_locked || specifiers.satisfies(&p.version) != Some(false);
        if locked.clone().any(fits) {
            return None;
        }
        let mut versions: Vec<&str> = locked.map(|package| &*package.version).collect();
        versions.dedup();
        versions.truncate(5);
        Some(format!("asks for {wanted}, and the lockfile holds {}", versions.join(", ")))
    }
}

impl Entry {
    /// Whether it says by itself which bytes or version it is.
    fn fixes(&self) -> bool {
        match &self.what {
            What::Version(text) => Specifiers::parse(text).is_some_and(|specifiers| specifiers.exact().is_some()),
            What::Direct(_) | What::Path(_) => true,
        }
    }
}

/// A package at an address.
pub(super) fn directly(direct: &Direct, package: Package, is_lockfile: bool) -> Package {
    let pin = |version: &str| if is_lockfile { version.to_owned() } else { format!("={version}") };
    let version = direct.version.as_deref().map(pin).or_else(|| direct.reference.as_deref().map(str::to_owned));
    // A wheel says which package it is; pip refuses one of another name.
    let is_wheel = direct.source.address.ends_with(".whl");
    let other = direct.archive.as_deref().filter(|name| is_wheel && *normalise(name) != *package.name);
    Package {
        version: version.map_or_else(|| package.version.clone(), Into::into),
        is_locked: direct.is_locked && is_lockfile,
        source: direct.source.clone(),
        identity: direct.identity,
        checksum: package.checksum.clone().or_else(|| direct.checksum.clone()),
        contradiction: other.map(|name| format!("{name} {}", direct.version.as_deref().unwrap_or("*")).into()),
        ..package
    }
}
