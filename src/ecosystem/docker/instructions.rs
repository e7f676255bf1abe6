//! A Dockerfile's bytes → its instructions, by the rules of the Dockerfile reference.
//!
//! What hides an instruction (a continued line, a here-document) is read exactly or refused: a `FROM` must neither
//! vanish nor appear.

use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{malformed, text};
use crate::model::tree::Unread;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its word, in lower case.
    pub word: String,
    /// `--name=value`, without quotes.
    pub flags: Vec<String>,
    /// What follows, on one line.
    pub rest: String,
    /// The line it starts on.
    pub line: u32,
}

/// A Dockerfile.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The image that reads the file, and the line that names it.
    pub syntax: Option<(String, u32)>,
    pub instructions: Vec<Instruction>,
}

/// What stands between words. No other white space of Unicode does.
pub(super) const BLANKS: [char; 5] = [' ', '\t', '\u{b}', '\u{c}', '\r'];

const WORDS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Reads a Dockerfile.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Unread> {
    let text = text(bytes, MAX_BYTES)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return Err(Unread::Unsupported("a build definition in JSON, which another program reads".to_owned()));
    }
    let (syntax, escape) = directives(text)?;
    let mut found = Parsed { syntax, ..Parsed::default() };
    let mut lines = text.split('\n').zip(1u32..).map(|(line, n)| (line.strip_suffix('\r').unwrap_or(line), n));
    while let Some((first, line)) = lines.next() {
        let first = first.trim_start();
        if first.is_empty() || first.starts_with('#') || (found.instructions.is_empty() && first.starts_with("//")) {
            continue;
        }
        if first.starts_with("<<<<<<<") {
            return Err(malformed(line, "conflict markers (`<<<<<<<`): a merge was left unfinished"));
        }
        let (mut logical, mut goes_on) = continued(first, escape);
        while goes_on {
            let Some((next, _)) = lines.next() else { break };
            let shown = next.trim_start();
            if shown.is_empty() || shown.starts_with('#') {
                continue;
            }
            let (piece, more) = continued(next, escape);
            logical.push_str(&piece);
            goes_on = more;
        }
        if logical.trim().is_empty() {
            continue;
        }
        let mut instruction = instruction(&logical, line)?;
        if instruction.word == "onbuild" {
            // What runs when another image is built from this one takes images as well.
            instruction = self::instruction(&instruction.rest, line)?;
            if matches!(&*instruction.word, "onbuild" | "from" | "maintainer") {
                return Err(malformed(line, "ONBUILD takes an instruction other than ONBUILD, FROM and MAINTAINER"));
            }
        }
        if matches!(&*instruction.word, "run" | "copy" | "add") {
            for (end, is_chomped) in heredocs(&logical, &instruction)? {
                let is_end = |text: &str| if is_chomped { text.trim_start_matches('\t') == end } else { text == end };
                if !lines.any(|(text, _)| is_end(text)) {
                    return Err(malformed(line, format!("the here-document `{}` has no end", end.escape_debug())));
                }
            }
        }
        found.instructions.push(instruction);
    }
    Ok(found)
}

/// What the comments at the very top say: who reads the file, and by which sign a line goes on.
fn directives(text: &str) -> Result<(Option<(String, u32)>, char), Unread> {
    let (mut syntax, mut escape, mut is_escape_set, mut can_escape) = (None, '\\', false, true);
    for (line, n) in text.split('\n').zip(1u32..) {
        let line = line.trim_end();
        if n == 1 && line.starts_with("#!") {
            can_escape = false;
            continue;
        }
        let Some(comment) = line.strip_prefix('#').or_else(|| line.strip_prefix("//")) else { break };
        let Some((key, value)) = comment.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else { break };
        if key.is_empty() || value.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            break;
        }
        match &*key.to_ascii_lowercase() {
            "syntax" if syntax.is_none() => syntax = Some((value.to_owned(), n)),
            "syntax" => return Err(malformed(n, "the directive `syntax` stands twice")),
            "escape" if is_escape_set => return Err(malformed(n, "the directive `escape` stands twice")),
            "escape" if can_escape && line.starts_with('#') => {
                is_escape_set = true;
                escape = match value {
                    "\\" => '\\',
                    "`" => '`',
                    _ => return Err(malformed(n, "the directive `escape` is neither a backslash nor a backtick")),
                };
            }
            "escape" => return Err(malformed(n, "a directive `escape` that programs read differently")),
            _ => {}
        }
    }
    Ok((syntax, escape))
}

/// A line without the sign that it goes on, and whether it does. Two of the signs are none.
fn continued(line: &str, escape: char) -> (String, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before.to_owned(), true),
        _ => (line.to_owned(), false),
    }
}

fn instruction(logical: &str, line: u32) -> Result<Instruction, Unread> {
    let logical = logical.trim();
    let (word, rest) = logical.split_once(BLANKS).unwrap_or((logical, ""));
    let word = word.to_ascii_lowercase();
    if !WORDS.contains(&&*word) {
        let shown: String = word.chars().take(40).flat_map(char::escape_debug).collect();
        return Err(malformed(line, format!("`{shown}` is no instruction of a Dockerfile")));
    }
    let (flags, rest) = flags(rest.trim()).ok_or_else(|| malformed(line, "a flag whose quotes do not close"))?;
    Ok(Instruction { word, flags, rest, line })
}

/// The leading `--name=value`, and what follows them.
fn flags(text: &str) -> Option<(Vec<String>, String)> {
    let (mut flags, mut rest) = (Vec::new(), text);
    while rest.starts_with("--") {
        let (mut flag, mut quote, mut end) = (String::new(), None, rest.len());
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match quote {
                _ if c == '\\' => flag.extend(chars.next().map(|(_, c)| c)),
                Some(open) if c == open => quote = None,
                Some(_) => flag.push(c),
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c.is_whitespace() => {
                    end = at;
                    break;
                }
                None => flag.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        rest = rest.split_at_checked(end)?.1.trim_start();
        if flag == "--" {
            break;
        }
        flags.push(flag);
    }
    Some((flags, rest.to_owned()))
}

/// The ends of the here-documents that a line opens, and whether tabs before them count for nothing. A word of the line
/// opens one where it is `<<END`, `<<-END` or either with digits before it or quotes around `END`.
fn heredocs(logical: &str, instruction: &Instruction) -> Result<Vec<(String, bool)>, Unread> {
    if !logical.contains("<<") {
        return Ok(Vec::new());
    }
    let (words, is_whole) = words(logical);
    let mut found = Vec::new();
    for word in words {
        let Some(rest) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { continue };
        let (rest, is_chomped) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        if rest.is_empty() || rest.contains('<') {
            continue;
        }
        let bare = ['"', '\''].iter().find_map(|quote| rest.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(rest);
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            let shown: String = rest.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(malformed(instruction.line, format!("a here-document up to `{shown}` is not read")));
        }
        found.push((bare.to_owned(), is_chomped));
    }
    // Where the words of a line are in doubt, so is whether the lines below are instructions.
    if !found.is_empty() && (!is_whole || instruction.rest.starts_with('[')) {
        return Err(malformed(instruction.line, "it is in doubt whether this line opens a here-document"));
    }
    Ok(found)
}

/// The words of a line with their quotes, and whether all quotes and braces close.
fn words(line: &str) -> (Vec<String>, bool) {
    let (mut words, mut word, mut quote, mut is_odd) = (Vec::new(), String::new(), None, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && quote != Some('\'') {
            word.push(c);
            word.extend(chars.next());
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    // `${X^^}` and the like: programs that read the line give up on it.
    for piece in line.split("${").skip(1) {
        let after = piece.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        is_odd |= !after.starts_with(['}', ':', '-', '+', '?', '#', '%', '/']) || !after.contains('}');
    }
    (words, quote.is_none() && !is_odd)
}
