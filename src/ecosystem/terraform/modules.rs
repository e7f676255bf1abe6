//! What `module` blocks of `*.tf` files take from elsewhere, and what a configuration file of the tool says of places.
//! Expressions are passed over and never computed.

use super::Terraform;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, text, toml::MAX_BYTES};
use crate::ecosystem::{Redirect, Rules as _, View};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// A `module` block with what it says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Module<'t> {
    source: Option<&'t str>,
    version: Option<&'t str>,
    /// Whether one of both is computed.
    computes: bool,
    label: &'t str,
    line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    /// `None` where it is a template.
    Text(Option<&'t str>),
    Sign(char),
    Newline,
}

struct Tokens<'t> {
    rest: &'t str,
    line: u32,
}

impl<'t> Tokens<'t> {
    fn new(bytes: &'t [u8]) -> Result<Self, Unread> {
        let text = text(bytes, MAX_BYTES)?;
        if let Some((_, line)) = text.lines().zip(1..).find(|(line, _)| line.starts_with("<<<<<<<")) {
            return Err(malformed(line, "conflict markers (`<<<<<<<`): a merge was left unfinished"));
        }
        Ok(Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 })
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count() as u32;
        self.rest = rest;
        taken
    }

    /// The next token and its line.
    fn next(&mut self) -> Result<Option<(Token<'t>, u32)>, Unread> {
        loop {
            let line = self.line;
            let Some(first) = self.rest.chars().next() else { return Ok(None) };
            let token = match first {
                '\n' => {
                    self.take(1);
                    Token::Newline
                }
                '#' => {
                    self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                    continue;
                }
                '/' if self.rest.starts_with("//") => {
                    self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                    continue;
                }
                '/' if self.rest.starts_with("/*") => {
                    let end = self.rest.find("*/").ok_or_else(|| malformed(line, "a comment that has no end"))?;
                    self.take(end + 2);
                    continue;
                }
                '<' if self.heredoc()? => Token::Text(None),
                '"' => {
                    let (length, value) = quoted(self.rest).ok_or_else(|| malformed(line, "a text without its end"))?;
                    self.take(length);
                    Token::Text(value)
                }
                _ if first.is_alphabetic() || first == '_' => {
                    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                    Token::Word(self.take(self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len())))
                }
                _ => {
                    self.take(first.len_utf8());
                    if first.is_whitespace() {
                        continue;
                    }
                    Token::Sign(first)
                }
            };
            return Ok(Some((token, line)));
        }
    }

    /// Passes over a text of several lines, `<<EOT` to `EOT`, where one starts here.
    fn heredoc(&mut self) -> Result<bool, Unread> {
        let Some(after) = self.rest.strip_prefix("<<") else { return Ok(false) };
        let after = after.strip_prefix('-').unwrap_or(after);
        // No further than the mark: a line of many `<<` must not be walked for each of them.
        let end = after.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(after.len());
        let (mark, behind) = after.split_at_checked(end).unwrap_or((after, ""));
        if mark.is_empty() || !(behind.starts_with('\n') || behind.starts_with("\r\n") || behind.is_empty()) {
            return Ok(false);
        }
        let start = self.line;
        self.take(self.rest.find('\n').map_or(self.rest.len(), |at| at + 1));
        while !self.rest.is_empty() {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            if self.rest.get(..end).unwrap_or_default().trim() == mark {
                // The newline stays: it ends the attribute.
                self.take(end);
                return Ok(true);
            }
            self.take(end + 1);
        }
        Err(malformed(start, "a text of several lines without its end"))
    }
}

/// The length of a text with its quotes, and the text where it is no template and has no escapes.
fn quoted(text: &str) -> Option<(usize, Option<&str>)> {
    let bytes = text.as_bytes();
    // Texts and the templates inside of them, by turns: of a template, how many braces are open.
    let (mut at, mut inside, mut is_literal) = (1, vec![None::<u32>], true);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, inside.last_mut()) {
            (b'\n', Some(None)) => return None,
            (b'"', Some(None)) => {
                inside.pop();
                if inside.is_empty() {
                    return Some((at, text.get(1..at - 1).filter(|_| is_literal)));
                }
            }
            (b'"', Some(Some(_))) => inside.push(None),
            (b'\\', Some(None)) => (is_literal, at) = (false, at + 1),
            (b'$' | b'%', Some(None)) if bytes.get(at) == Some(&b'{') => {
                is_literal = false;
                // `$${` is no template.
                if bytes.get(at.saturating_sub(2)) != Some(byte) {
                    inside.push(Some(1));
                }
                at += 1;
            }
            (b'{', Some(Some(depth))) => *depth += 1,
            (b'}', Some(Some(depth))) => {
                *depth -= 1;
                if *depth == 0 {
                    inside.pop();
                }
            }
            _ => {}
        }
    }
    None
}

/// The `module` blocks of a file.
fn modules(bytes: &[u8]) -> Result<Vec<Module<'_>>, Unread> {
    let mut tokens = Tokens::new(bytes)?;
    let mut found = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut module: Option<Module<'_>> = None;
    let mut words = [Token::Newline; 3];
    let mut last = 1;
    while let Some((token, line)) = tokens.next()? {
        last = line;
        let [_, second, third] = words;
        match (token, open.len()) {
            (Token::Sign(sign @ ('{' | '[' | '(')), depth) => {
                if let ('{', 0, Token::Word("module"), Token::Text(label)) = (sign, depth, second, third) {
                    module = Some(Module { label: label.unwrap_or_default(), line, ..Module::default() });
                } else if let ('{', 0, _, Token::Word("module")) = (sign, depth, second, third) {
                    return Err(malformed(line, "a module whose label is not read"));
                }
                open.push(sign);
            }
            (Token::Sign(sign @ ('}' | ']' | ')')), _) => {
                let expected = open.pop().map(|open| {
                    if open == '{' {
                        '}'
                    } else if open == '[' {
                        ']'
                    } else {
                        ')'
                    }
                });
                if expected != Some(sign) {
                    return Err(malformed(line, "a bracket that closes nothing"));
                }
                if open.is_empty() {
                    found.extend(module.take());
                }
            }
            (value, 1) => {
                if let (Some(module), Token::Word(key @ ("source" | "version")), Token::Sign('=')) =
                    (&mut module, second, third)
                {
                    match value {
                        Token::Text(Some(value)) if key == "source" => module.source = Some(value),
                        Token::Text(Some(value)) => module.version = Some(value),
                        _ => module.computes = true,
                    }
                    module.line = if key == "source" { line } else { module.line };
                }
            }
            _ => {}
        }
        words = [second, third, token];
    }
    if open.is_empty() { Ok(found) } else { Err(malformed(last, "a brace that is not closed")) }
}

/// Whether a file takes modules from outside of the repository. What cannot be read may do so.
pub(super) fn takes(bytes: &[u8], folder: &RepoPath) -> bool {
    let has_word = bytes.windows(6).any(|word| word == b"module");
    has_word
        && modules(bytes)
            .map_or(true, |all| all.iter().any(|module| !is_inside(module.source, folder) || module.computes))
}

/// Whether a source is a folder of the repository.
fn is_inside(source: Option<&str>, folder: &RepoPath) -> bool {
    source.is_some_and(|source| source.starts_with("./") || source.starts_with("../") && folder.join(source).is_some())
}

/// Reads the modules of one file.
pub(super) fn read(project: &Project, path: &RepoPath, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
    let mut draft = Draft::new();
    let fail = |error| (path.clone(), error);
    if let Some((bytes, input)) = view.read(path).map_err(fail)? {
        let root = draft.root(path.file_name(), "", &project.path, Span { input, ..Span::default() });
        for module in modules(&bytes).map_err(fail)? {
            let span = Span { input, line: module.line, end_line: module.line };
            match module.source {
                source if is_inside(source, &project.path) => {}
                Some(source) if !module.computes => {
                    let package = draft.package(package(source, module.version, span));
                    // Modules are run where the infrastructure is planned and built, as providers are.
                    draft.need(root, package, Scope::Build, Some(span));
                }
                _ => draft.disagree(module.label, "is a module whose source is not told in so many words", span),
            }
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

fn package(source: &str, version: Option<&str>, span: Span) -> Package {
    let (plain, query) = source.split_once('?').unwrap_or((source, ""));
    let (kind, place) = match plain.split_once("::") {
        Some((kind, place)) => (kind, place),
        None => ("", plain),
    };
    let has_scheme = place.contains("://");
    let parts: Vec<&str> = place.split("//").next().unwrap_or_default().split('/').collect();
    let is_dotted = parts.first().is_some_and(|first| first.contains('.'));
    let is_registry = kind.is_empty() && !has_scheme && !place.contains(['@', ':']);
    match parts.len() {
        3 if is_registry && !is_dotted => return release(place, Source::public(), version, span),
        4 if is_registry && is_dotted => {
            let (host, rest) = place.split_once('/').unwrap_or_default();
            return release(rest, Source::registry(&host.to_ascii_lowercase()), version, span);
        }
        _ => {}
    }
    let name = name_of(place);
    let is_folder = is_registry && !is_dotted || place.starts_with(['.', '/']);
    // Without a scheme, what names a host and a repository is one of git; so is `git@host:owner/repo`.
    let is_git = kind == "git" || kind.is_empty() && (!has_scheme || place.starts_with("ssh://"));
    if is_folder || !is_git {
        let source = if is_folder { Source::path(source) } else { Source::registry(source) };
        let wanted = version.unwrap_or("*");
        let package = Package::new(Ecosystem::Terraform, &name, wanted, span);
        return Package { source, identity: Identity::Foreign, is_locked: false, ..package };
    }
    let reference = query.split('&').find_map(|pair| pair.strip_prefix("ref="));
    let sum = reference.and_then(checksum::of_commit);
    Package {
        source: Source::git(place, reference.filter(|_| sum.is_some())),
        is_locked: sum.is_some(),
        checksum: sum,
        identity: Identity::Foreign,
        ..Package::new(Ecosystem::Terraform, &name, reference.unwrap_or("*"), span)
    }
}

/// A module of a registry.
fn release(name: &str, source: Source, version: Option<&str>, span: Span) -> Package {
    let name = name.split("//").next().unwrap_or_default();
    let wanted = version.map_or("*", str::trim);
    let exact = wanted.strip_prefix('=').unwrap_or(wanted).trim();
    let wanted = if semver::Version::parse(exact).is_ok() { format!("={exact}") } else { wanted.to_owned() };
    let package = Package::new(Ecosystem::Terraform, &Terraform.normalise(name), &wanted, span);
    Package { source, is_locked: false, ..package }
}

/// An address as a name: host, path and inner folder, without scheme and user.
fn name_of(place: &str) -> String {
    let rest = place.split_once("://").map_or(place, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let start = rest.get(..end).and_then(|host| host.rfind('@')).map_or(0, |at| at + 1);
    let parts = rest.get(start..).unwrap_or(rest).split(['/', ':']);
    let parts: Vec<&str> = parts.filter(|part| !matches!(*part, "" | "." | "..")).collect();
    parts.join("/").to_ascii_lowercase()
}

/// Where a configuration file of the tool takes providers and modules from.
pub(super) fn redirects(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let mut tokens = Tokens::new(bytes)?;
    let (mut found, mut words) = (Vec::new(), [Token::Newline; 2]);
    // The blocks that are open, by their types.
    let mut blocks: Vec<&str> = Vec::new();
    let mut heads: Vec<&str> = Vec::new();
    while let Some((token, line)) = tokens.next()? {
        let [key, sign] = words;
        match token {
            Token::Word(word) => heads.push(word),
            Token::Sign('{') => {
                blocks.push(heads.first().copied().unwrap_or_default());
                heads.clear();
            }
            Token::Sign('}') => {
                let none = blocks.pop().is_none();
                if none {
                    return Err(malformed(line, "a bracket that closes nothing"));
                }
                heads.clear();
            }
            Token::Newline => heads.clear(),
            Token::Text(to) if matches!(sign, Token::Sign('=' | ':')) => {
                let block = blocks.last().copied().unwrap_or_default();
                let is_place = matches!(key, Token::Word("url" | "path"));
                if is_place || matches!(block, "dev_overrides" | "services") {
                    let from = if block == "services" { "a host's services" } else { block }.to_owned();
                    let to = to.unwrap_or("a place that is computed").to_owned();
                    found.push(Redirect { from, to, line, is_first: true });
                }
            }
            _ => {}
        }
        words = [sign, token];
    }
    if blocks.is_empty() { Ok(found) } else { Err(malformed(tokens.line, "a brace that is not closed")) }
}
