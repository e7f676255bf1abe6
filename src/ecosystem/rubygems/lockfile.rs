//! `Gemfile.lock`: lines under sections, told apart by their indentation.
//!
//! A section or a line of another shape is refused: bundler skips what it does not know, and so would whoever hides
//! packages behind it.

use std::collections::HashSet;

use super::version::compare;
use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::tree::Unread;

/// What kind of source a section describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gem,
    Git,
    Path,
    Plugin,
}

/// A source and the gems that come from it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub kind: Kind,
    pub remotes: Vec<&'a str>,
    pub revision: Option<&'a str>,
    pub specs: Vec<Spec<'a>>,
}

/// One gem for one platform.
#[derive(Debug)]
pub(super) struct Spec<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub needs: Vec<&'a str>,
    pub line: u32,
    pub end_line: u32,
}

/// What the `Gemfile` asked for when the lockfile was written.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub name: &'a str,
    pub requirement: &'a str,
    pub line: u32,
}

/// The checksums of one file of a gem.
#[derive(Debug)]
pub(super) struct Sum<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub platform: &'a str,
    /// `sha256=…`, with commas between several.
    pub digests: &'a str,
    pub line: u32,
}

/// A lockfile.
#[derive(Debug, Default)]
pub(super) struct Lock<'a> {
    pub sections: Vec<Section<'a>>,
    pub wanted: Vec<Wanted<'a>>,
    pub sums: Vec<Sum<'a>>,
    /// The version of bundler that wrote it, and its line. Bundler switches itself to that one.
    pub bundler: Option<(&'a str, u32)>,
}

/// Where in the file a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// A source, before its `specs:`.
    Options,
    Specs,
    Dependencies,
    Checksums,
    Bundler,
    /// Platforms and the version of Ruby.
    Other,
}

/// Reads a lockfile of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64) -> Result<Lock<'_>, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    read(text).map_err(|error| explain(text, error))
}

fn read(text: &str) -> Result<Lock<'_>, Unread> {
    let mut lock = Lock::default();
    let mut place = Place::Start;
    let mut seen: Vec<&str> = Vec::new();
    let mut wanted: HashSet<&str> = HashSet::new();
    for (at, line) in text.split('\n').enumerate() {
        let (number, line) = (at as u32 + 1, line.strip_suffix('\r').unwrap_or(line));
        if line.trim_end().is_empty() {
            continue;
        }
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        let body = line.trim_start_matches(' ');
        if indent == 0 {
            place = section(body, number, &mut lock)?;
            // Sources come again, lists do not: which of the two counts would be a matter of the reader.
            if matches!(place, Place::Dependencies | Place::Checksums | Place::Bundler | Place::Other) {
                if seen.contains(&body) {
                    return Err(malformed(number, format!("the section {body} stands twice")));
                }
                seen.push(body);
            }
            continue;
        }
        match (place, indent) {
            (Place::Options, 2) if body == "specs:" => place = Place::Specs,
            (Place::Options, 2) => option(body, number, &mut lock)?,
            (Place::Specs, 4) => {
                let Entry { name, inside, rest, .. } = entry(body, number)?;
                let inside = inside.filter(|_| rest.is_empty()).ok_or_else(|| odd(number))?;
                let version = inside.split_once('-').map_or(inside, |(version, _)| version);
                let spec = Spec { name, version, needs: Vec::new(), line: number, end_line: number };
                lock.sections.last_mut().ok_or_else(|| odd(number))?.specs.push(spec);
            }
            (Place::Specs, 6) => {
                let spec = lock.sections.last_mut().and_then(|s| s.specs.last_mut()).ok_or_else(|| odd(number))?;
                let entry = entry(body, number)?;
                if !entry.rest.is_empty() {
                    return Err(odd(number));
                }
                spec.needs.push(entry.name);
                spec.end_line = number;
            }
            (Place::Dependencies, 2) => {
                let Entry { name, inside, rest } = entry(body, number)?;
                if !rest.is_empty() {
                    return Err(odd(number));
                }
                if !wanted.insert(name) {
                    return Err(malformed(number, format!("the dependency {name:.80} stands twice")));
                }
                lock.wanted.push(Wanted { name, requirement: inside.unwrap_or(""), line: number });
            }
            (Place::Checksums, 2) => {
                let Entry { name, inside, rest } = entry(body, number)?;
                let inside = inside.ok_or_else(|| odd(number))?;
                let (version, platform) = inside.split_once('-').unwrap_or((inside, ""));
                lock.sums.push(Sum { name, version, platform, digests: rest, line: number });
            }
            // What is no version names no bundler, and the tool would go on with any.
            (Place::Bundler, 2 | 3) if lock.bundler.is_none() && body.len() <= 80 && compare(body, "0").is_some() => {
                lock.bundler = Some((body, number));
            }
            // Bundler before 2.1 indents its version by three.
            (Place::Other, 2 | 3) => {}
            _ => return Err(odd(number)),
        }
    }
    Ok(lock)
}

fn odd(line: u32) -> Unread {
    malformed(line, "a line that bundler does not write here")
}

/// The section that a line without indentation opens.
fn section<'a>(body: &'a str, line: u32, lock: &mut Lock<'a>) -> Result<Place, Unread> {
    let kind = match body {
        "GEM" => Kind::Gem,
        "GIT" => Kind::Git,
        "PATH" => Kind::Path,
        "PLUGIN SOURCE" => Kind::Plugin,
        "DEPENDENCIES" => return Ok(Place::Dependencies),
        "CHECKSUMS" => return Ok(Place::Checksums),
        "BUNDLED WITH" => return Ok(Place::Bundler),
        "PLATFORMS" | "RUBY VERSION" => return Ok(Place::Other),
        _ => {
            let shown: String = body.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(malformed(line, format!("a section that is not known: `{shown}`")));
        }
    };
    lock.sections.push(Section { kind, remotes: Vec::new(), revision: None, specs: Vec::new() });
    Ok(Place::Options)
}

fn option<'a>(body: &'a str, line: u32, lock: &mut Lock<'a>) -> Result<(), Unread> {
    let (key, value) = body.split_once(": ").ok_or_else(|| odd(line))?;
    let section = lock.sections.last_mut().ok_or_else(|| odd(line))?;
    match key {
        "remote" if section.kind == Kind::Gem || section.remotes.is_empty() => section.remotes.push(value),
        "revision" if section.revision.is_none() => section.revision = Some(value),
        "remote" | "revision" => return Err(malformed(line, format!("the key `{key}` stands twice"))),
        _ => {}
    }
    Ok(())
}

/// `name (inside)! rest`.
struct Entry<'a> {
    name: &'a str,
    inside: Option<&'a str>,
    rest: &'a str,
}

fn entry(body: &str, line: u32) -> Result<Entry<'_>, Unread> {
    let (name, inside, rest) = match body.split_once(" (") {
        Some((name, rest)) => {
            let (inside, rest) = rest.split_once(')').ok_or_else(|| odd(line))?;
            (name, Some(inside), rest)
        }
        None => {
            let end = body.strip_suffix('!').unwrap_or(body);
            (end, None, "")
        }
    };
    if name.is_empty() || name.contains([' ', '\t', '(', ')']) || inside.is_some_and(str::is_empty) {
        return Err(odd(line));
    }
    let rest = rest.strip_prefix('!').unwrap_or(rest);
    let rest = match rest.strip_prefix(' ') {
        Some(rest) if !rest.contains(' ') => rest,
        None if rest.is_empty() => rest,
        _ => return Err(odd(line)),
    };
    Ok(Entry { name, inside, rest })
}
