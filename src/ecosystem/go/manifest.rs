//! `go.mod` and `go.work`: what a module asks for, and what takes the place of what.

use std::collections::HashMap;

use super::syntax::{self, Statement, Word};
use crate::ecosystem::syntax::malformed;
use crate::model::tree::Unread;

/// Directives of `go.mod` that may stand in blocks.
const BLOCKS: &[&str] = &["module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"];

/// Directives of `go.work` that may stand in blocks.
const WORK_BLOCKS: &[&str] = &["godebug", "use", "replace"];

/// A word and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub text: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A module that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// The module path.
    pub path: String,
    /// The least version.
    pub version: String,
    /// Whether the go command notes that only other modules need it.
    pub is_indirect: bool,
    /// The line, counted from 1.
    pub line: u32,
}

/// What takes the place of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A folder, as written.
    Folder(String),
    /// A module at a version.
    Module(String, String),
}

/// A module that something else takes the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// The module path.
    pub path: String,
    /// The one version that is replaced; `None` for every version.
    pub version: Option<String>,
    /// What takes its place.
    pub with: Target,
    /// The line, counted from 1.
    pub line: u32,
}

/// A `go.mod`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The module's own path.
    pub module: Option<Said>,
    /// The `go` line: the least version of Go.
    pub go: Option<Said>,
    /// The `toolchain` line.
    pub toolchain: Option<Said>,
    /// What it asks for.
    pub requires: Vec<Require>,
    /// What takes the place of what.
    pub replaces: Vec<Replace>,
    /// Modules and versions that count for nothing where something asks for them.
    pub excludes: Vec<(String, String)>,
    /// Packages that are run as tools.
    pub tools: Vec<Said>,
}

/// A `go.work`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The `go` line.
    pub go: Option<Said>,
    /// The `toolchain` line.
    pub toolchain: Option<Said>,
    /// Folders of members, as written.
    pub uses: Vec<Said>,
    /// What takes the place of what, for every member.
    pub replaces: Vec<Replace>,
}

/// Reads a `go.mod`.
///
/// # Errors
/// What the go command refuses in the main module: a directive it does not know, one twice, words that do not fit.
pub fn read(bytes: &[u8]) -> Result<Manifest, Unread> {
    let mut manifest = Manifest::default();
    syntax::read(bytes, BLOCKS, |statement| {
        match &*statement.verb {
            "module" => once(&mut manifest.module, &statement)?,
            "go" => once(&mut manifest.go, &statement)?,
            "toolchain" => once(&mut manifest.toolchain, &statement)?,
            "require" => {
                let (path, version) = pair(&statement)?;
                let is_indirect = statement.comment.is_some_and(is_indirect);
                manifest.requires.push(Require { path, version, is_indirect, line: statement.line });
            }
            "exclude" => manifest.excludes.push(pair(&statement)?),
            "replace" => manifest.replaces.push(replace(&statement)?),
            "tool" => manifest.tools.push(only(&statement)?),
            // What they say concerns those who depend on this module, its own folders, or how its programs run.
            "retract" | "ignore" | "godebug" => {}
            other => return Err(unknown(other, statement.line)),
        }
        Ok(true)
    })?;
    unambiguous(&manifest.replaces)?;
    Ok(manifest)
}

/// The path of the module that a `go.mod` is of. Reads no further than that.
///
/// # Errors
/// What stands before it and is no `go.mod`.
pub fn module_of(bytes: &[u8]) -> Result<Option<String>, Unread> {
    let mut module = None;
    syntax::read(bytes, BLOCKS, |statement| {
        if statement.verb == "module" {
            once(&mut module, &statement)?;
        }
        Ok(module.is_none())
    })?;
    Ok(module.map(|said| said.text))
}

/// Reads a `go.work`.
///
/// # Errors
/// As [`read`].
pub fn read_work(bytes: &[u8]) -> Result<Work, Unread> {
    let mut work = Work::default();
    syntax::read(bytes, WORK_BLOCKS, |statement| {
        match &*statement.verb {
            "go" => once(&mut work.go, &statement)?,
            "toolchain" => once(&mut work.toolchain, &statement)?,
            "use" => work.uses.push(only(&statement)?),
            "replace" => work.replaces.push(replace(&statement)?),
            "godebug" => {}
            other => return Err(unknown(other, statement.line)),
        }
        Ok(true)
    })?;
    unambiguous(&work.replaces)?;
    Ok(work)
}

/// A directive may change what is built, so one that is not known is not passed over.
fn unknown(verb: &str, line: u32) -> Unread {
    let shown: String = verb.chars().take(40).flat_map(char::escape_debug).collect();
    Unread::Unsupported(format!("line {line}: the directive `{shown}`, which is not known"))
}

fn once(slot: &mut Option<Said>, statement: &Statement<'_>) -> Result<(), Unread> {
    if slot.is_some() {
        return Err(malformed(statement.line, format!("a second `{}` line", statement.verb)));
    }
    *slot = Some(only(statement)?);
    Ok(())
}

fn only(statement: &Statement<'_>) -> Result<Said, Unread> {
    match &*statement.words {
        [word] => Ok(Said { text: word.text.to_string(), line: statement.line }),
        _ => Err(malformed(statement.line, format!("`{}` takes one word", statement.verb))),
    }
}

fn pair(statement: &Statement<'_>) -> Result<(String, String), Unread> {
    match &*statement.words {
        [path, version] => Ok((path.text.to_string(), version.text.to_string())),
        _ => Err(malformed(statement.line, format!("`{}` takes a module path and a version", statement.verb))),
    }
}

/// The go command's own note: `// indirect`, alone or before a semicolon.
fn is_indirect(comment: &str) -> bool {
    let mut words = comment.split_whitespace();
    matches!((words.next(), words.next()), (Some("indirect"), None) | (Some("indirect;"), Some(_)))
}

fn replace(statement: &Statement<'_>) -> Result<Replace, Unread> {
    let line = statement.line;
    let wrong = |reason: &str| malformed(line, reason);
    let arrow =
        statement.words.iter().position(|word| word.is("=>")).ok_or_else(|| wrong("a `replace` without `=>`"))?;
    let (old, new) = statement.words.split_at_checked(arrow).unwrap_or_default();
    let text = |word: &Word<'_>| word.text.to_string();
    let (path, version) = match old {
        [path] => (text(path), None),
        [path, version] => (text(path), Some(text(version))),
        _ => return Err(wrong("`replace` takes a module path, and a version at the most, before `=>`")),
    };
    let with = match new {
        [_, folder] if is_folder(&folder.text) => Target::Folder(text(folder)),
        [_, path, version] if !is_folder(&path.text) => Target::Module(text(path), text(version)),
        _ => return Err(wrong("`replace` takes a folder, or a module path and a version, after `=>`")),
    };
    Ok(Replace { path, version, with, line })
}

/// Whether a replacement is a folder: rooted, or starting with `.` or `..`, in the spelling of any system.
fn is_folder(text: &str) -> bool {
    let has_drive =
        text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && text.as_bytes().get(1) == Some(&b':');
    let starts = ["./", ".\\", "../", "..\\", "/", "\\"];
    matches!(text, "." | "..") || starts.iter().any(|start| text.starts_with(start)) || has_drive
}

/// The go command refuses two different replacements of one module at one version.
fn unambiguous(replaces: &[Replace]) -> Result<(), Unread> {
    let mut seen: HashMap<(&str, Option<&str>), &Target> = HashMap::new();
    for replace in replaces {
        let known = seen.insert((&replace.path, replace.version.as_deref()), &replace.with);
        if known.is_some_and(|known| *known != replace.with) {
            return Err(malformed(replace.line, "a second replacement of the same module"));
        }
    }
    Ok(())
}
