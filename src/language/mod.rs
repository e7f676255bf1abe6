//! What a file is: its language, its class, its content, and where in its text code, comments and strings stand.
//!
//! Everything here is told by tables over the path and, in few places, by the first bytes. Head chooses its paths and
//! writes the bytes, so nothing here may make a file disappear: an unknown language is still read, as code throughout.

pub mod content;
pub mod lex;
mod tables;

use crate::model::RepoPath;
use crate::model::line::{Language, LineClass};

/// The language of a file, by its name, its extension, and where these say nothing of a program by the interpreter named
/// in its first line (`#!`). YAML and JSON that hold a CloudFormation template are [`Language::CloudFormation`]. `head` is the
/// file's text as [`content::content`] gives it.
#[must_use]
pub fn of(path: &RepoPath, head: &[u8]) -> Language {
    let name = path.file_name().to_ascii_lowercase();
    match by_name(&name) {
        Some(Language::Yaml | Language::Json) if is_cloud_formation(head) => Language::CloudFormation,
        // What runs a file says more than a name that no interpreter asks for.
        Some(language) if is_data(language) => by_shebang(head).unwrap_or(language),
        Some(language) => language,
        None => by_shebang(head).unwrap_or(Language::Unknown),
    }
}

/// Whether files of a language are read and not run.
const fn is_data(language: Language) -> bool {
    matches!(
        language,
        Language::Css
            | Language::Html
            | Language::Json
            | Language::Markdown
            | Language::Properties
            | Language::Text
            | Language::Toml
            | Language::Xml
            | Language::Yaml
    )
}

/// What a file is to its project, by its path alone: vendored before generated before test; all else is source.
/// Examples are source: people copy them, and build files ship them.
#[must_use]
pub fn class(path: &RepoPath) -> LineClass {
    let folders = path.parent();
    let in_folder =
        |names: &[&str]| folders.parts().any(|part| names.iter().any(|name| part.eq_ignore_ascii_case(name)));
    let name = path.file_name();
    let is_named = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, name));
    if in_folder(tables::VENDORED_FOLDERS) {
        LineClass::Vendored
    } else if in_folder(tables::GENERATED_FOLDERS) || is_named(tables::GENERATED_NAMES) {
        LineClass::Generated
    } else if in_folder(tables::TEST_FOLDERS) || is_named(tables::TEST_NAMES) || is_of_a_pack(path) {
        LineClass::Test
    } else {
        LineClass::Source
    }
}

/// Whether a path is that of a pack's patterns and examples, which hold what they are to find. Changes to them are the
/// gate's matter in any case.
fn is_of_a_pack(path: &RepoPath) -> bool {
    path.as_str()
        .strip_prefix(".portcullis/policies/")
        .is_some_and(|rest| rest.ends_with("/detectors.toml") || rest.split('/').nth(1) == Some("cases"))
}

/// By a lower-case file name. Endings of templates and backups (`.j2`, `.erb`, `.bak`, …) are looked through.
fn by_name(name: &str) -> Option<Language> {
    let mut name = name;
    // Bounded: a name may consist of such endings only.
    for _ in 0..4 {
        let known = |(known, _): &&(&str, Language)| *known == name;
        if let Some((_, language)) = tables::NAMES.iter().find(known) {
            return Some(*language);
        }
        let by_prefix = |(prefix, _): &&(&str, Language)| name.starts_with(prefix);
        if let Some((_, language)) = tables::PREFIXES.iter().find(by_prefix) {
            return Some(*language);
        }
        let (stem, extension) = name.rsplit_once('.')?;
        if tables::LOOKED_THROUGH.contains(&extension) && stem.trim_start_matches('.').contains('.') {
            name = stem;
            continue;
        }
        if extension == "json" && stem.ends_with(".tf") {
            return Some(Language::Terraform);
        }
        return by_extension(extension);
    }
    None
}

fn by_extension(extension: &str) -> Option<Language> {
    let holds = |(_, extensions): &&(Language, &[&str])| extensions.contains(&extension);
    tables::EXTENSIONS.iter().find(holds).map(|(language, _)| *language)
}

/// By the interpreter in `#!/usr/bin/env -S python3 -u` and its like; versions behind the name do not count.
fn by_shebang(head: &[u8]) -> Option<Language> {
    let first = head.get(..head.len().min(256))?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(first.strip_prefix(b"#!")?).ok()?;
    for word in line.split_ascii_whitespace() {
        let program = word.rsplit('/').next().unwrap_or(word).to_ascii_lowercase();
        let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if program == "env" || program.is_empty() || program.starts_with('-') || program.contains('=') {
            continue;
        }
        let known = |(known, _): &&(&str, Language)| *known == program;
        return tables::INTERPRETERS.iter().find(known).map(|(_, language)| *language);
    }
    None
}

/// Whether a text holds `AWSTemplateFormatVersion` or a resource type of AWS: `AWS::Service::Kind` (the user guide,
/// "Template sections" and "Resource types"). `AWS::Region` and the other pseudo parameters have two parts only.
fn is_cloud_formation(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'A') {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(b"AWSTemplateFormatVersion") {
            return true;
        }
        if let Some(tail) = rest.strip_prefix(b"AWS::") {
            let service = tail.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if service > 0 && tail.get(service..).is_some_and(|tail| tail.starts_with(b"::")) {
                return true;
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// Whether a file name matches a pattern of [`tables`]: `*` at either end, at both, or once within.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some(("", rest)) if rest.ends_with('*') => name.contains(rest.trim_end_matches('*')),
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}

#[cfg(test)]
mod tests;
