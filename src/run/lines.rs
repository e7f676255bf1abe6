//! Changed lines: what detectors see in the lines that a change adds, asked of the rules.
//!
//! 1. [`look`] reads every changed file on both sides and lets the detectors look at added and at removed lines. A hit
//!    on an added line cancels against an equal one on a removed line, so a move is no addition.
//! 2. [`findings`] asks the rules about what is left. This comes second because most changes have no hit: then no
//!    policy needs to be loaded.
//!
//! An inline `portcullis:allow(rule) reason` counts where it stood on base, over a hit of the same detector that this
//! change removes: who edits an allowed line keeps it allowed, and what head adds by itself clears nothing. It lowers a
//! finding to a note and never touches a deny.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::detect::{Detectors, Hit, cancel};
use crate::diff::lines::{Changed, LineIndex, add_rezoned, changed};
use crate::ecosystem::FILE_CAP;
use crate::gate::Gate;
use crate::language;
use crate::language::content::{Content, content};
use crate::language::lex::regions;
use crate::model::RepoPath;
use crate::model::finding::{Finding, Level, Location, SubjectKind};
use crate::model::tree::{Delta, Entry, EntryKind};
use crate::model::verdict::{CheckSkipped, Coverage, CoveredFile, FileState, LinesJudged};
use crate::policy;
use crate::policy::engine::{Engine, Statement};
use crate::policy::pack::Rule;
use crate::run::findings::{About, build, fingerprint};
use crate::subject::{DETECTOR, Kind, Subject, Value, quiet};
use crate::world::Tree;

mod scan;

use scan::Job;

/// What was seen in changed lines.
#[derive(Default)]
pub struct Looked {
    /// Hits that the change adds, sorted.
    pub hits: Vec<Hit>,
    /// Changed files that could not be judged, and why.
    pub not_judged: Vec<(RepoPath, String)>,
    /// Hits of base that are gone.
    gone: Vec<Hit>,
    /// Inline permissions over hits of base: by file and line.
    stood: HashMap<(RepoPath, u32), Allow>,
    /// Inline permissions over added hits: by file and line.
    claims: HashMap<(RepoPath, u32), Allow>,
    /// Hits of head's files as a whole, where a line of theirs has one: by file, detector and key.
    standing: HashMap<(RepoPath, Arc<str>, String), u32>,
    /// How often an inline permission of base may still be used: by file, detector and what it says.
    granted: HashMap<(RepoPath, Arc<str>, Allow), u32>,
}

/// Bytes of texts that are read before they are scanned.
const BATCH: usize = 16 << 20;

/// An inline permission, as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Allow {
    rule: String,
    reason: String,
}

/// Lets the detectors look at what differs between two trees. Without a base every line counts, and what is allowed
/// inline is allowed: that is an audit of what stands.
pub fn look(
    detectors: &Detectors,
    gate: &Gate,
    deltas: &[Delta],
    (base, head): (Option<&dyn Tree>, &dyn Tree),
    coverage: &mut Coverage,
) -> Looked {
    let mut looked = Looked::default();
    if detectors.is_empty() {
        return looked;
    }
    let named: BTreeSet<String> = policy::detectors::named(gate).into_iter().collect();
    let mut judged = LinesJudged { detectors: named.len() as u64, ..LinesJudged::default() };
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    // Texts are held for a while, and not all at once: an audit reads a whole tree.
    let (mut jobs, mut bytes) = (Vec::new(), 0);
    let mut not_judged = Vec::new();
    let mut judge = |jobs: Vec<Job<'_>>, coverage: &mut Coverage| {
        for (job, scanned) in jobs.iter().zip(scan::all(detectors, &jobs)) {
            judged.files += u64::from(!job.after.is_empty());
            judged.added += scanned.added;
            if scanned.is_unknown {
                judged.unknown_language += 1;
                let reason = Some("in no known language: only detectors that speak of any looked at it".to_owned());
                coverage.files.push(CoveredFile { path: job.path.clone(), state: FileState::Read, reason });
            }
            match scanned.hits {
                Ok([gone, new, whole]) => {
                    looked.note_allowed(&gone, &job.before, &new, &job.after);
                    for hit in whole {
                        *looked.standing.entry(identity(&hit)).or_default() += 1;
                    }
                    removed.extend(gone);
                    added.extend(new);
                }
                Err(failed) => coverage.checks_skipped.push(CheckSkipped {
                    check: "lines".to_owned(),
                    reason: failed.to_string(),
                    incomplete: true,
                }),
            }
        }
    };
    let pipeline = Pipeline { trees: base.into_iter().chain([head]).collect(), texts: OnceCell::new() };
    for delta in deltas {
        let Some(path) = delta.path() else { continue };
        if !gate.config.judges_lines(path) && !pipeline.names(path) {
            let reason = Some("excluded by [lines] of the governing revision".to_owned());
            coverage.files.push(CoveredFile { path: path.clone(), state: FileState::Excluded, reason });
            continue;
        }
        let is_file = |entry: &&Entry| entry.kind == EntryKind::File;
        let becomes_link = delta.after.as_ref().is_some_and(|entry| entry.kind == EntryKind::Symlink);
        if becomes_link && delta.before.as_ref().is_some_and(|entry| entry.kind == EntryKind::File) {
            not_judged.push((path.clone(), "it is a link now: what it points to is not what changed".to_owned()));
        }
        let before = delta.before.as_ref().filter(is_file).zip(base).and_then(|(entry, tree)| text(tree, entry).ok());
        let before = before.unwrap_or_default();
        let after = match delta.after.as_ref().filter(is_file).map(|entry| text(head, entry)) {
            None => Vec::new(),
            Some(Ok(text)) => text,
            Some(Err(Opaque::Expected(what))) => {
                let reason = Some(format!("{what}, which has no lines"));
                coverage.files.push(CoveredFile { path: path.clone(), state: FileState::Unsupported, reason });
                continue;
            }
            Some(Err(Opaque::Unread(reason))) => {
                not_judged.push((path.clone(), reason));
                continue;
            }
        };
        bytes += before.len() + after.len();
        jobs.push(Job { path, before, after });
        if bytes > BATCH {
            judge(std::mem::take(&mut jobs), coverage);
            bytes = 0;
        }
    }
    judge(jobs, coverage);
    looked.not_judged = not_judged;
    coverage.lines = Some(judged);
    // What stays as it was uses its permission up; the others may take those of the hits that are gone.
    looked.gone = cancel(removed.clone(), &added);
    looked.hits = cancel(added, &removed);
    // Detectors that no rule names looked for secrets, so that none is printed beside what others found.
    looked.hits.retain(|hit| named.contains(&*hit.detector));
    looked.hits.sort();
    looked.grant(base.is_none());
    looked
}

/// The workflows of both sides: what they name runs with their rights, and no setting leaves it out.
struct Pipeline<'t> {
    trees: Vec<&'t dyn Tree>,
    texts: OnceCell<Vec<String>>,
}

impl Pipeline<'_> {
    fn names(&self, path: &RepoPath) -> bool {
        let texts = self.texts.get_or_init(|| {
            let folder = RepoPath::new(".github");
            let read = |tree: &&dyn Tree| {
                let entries = tree.list().unwrap_or_default().into_iter().filter(|entry| entry.path.is_within(&folder));
                let bytes: Vec<_> = entries.filter_map(|entry| tree.read(&entry, FILE_CAP).ok()).collect();
                bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>()
            };
            self.trees.iter().flat_map(read).collect()
        });
        texts.iter().any(|text| text.contains(path.as_str()))
    }
}

/// Why a file has no lines to judge.
enum Opaque {
    /// It is what its name says, and that has no lines: an image, a font.
    Expected(&'static str),
    /// Nobody could judge it.
    Unread(String),
}

fn text(tree: &dyn Tree, entry: &Entry) -> Result<Vec<u8>, Opaque> {
    let bytes = tree.read(entry, FILE_CAP).map_err(|unread| Opaque::Unread(unread.to_string()))?;
    match content(&entry.path, &bytes) {
        Content::Text(text) => Ok(text.into_owned()),
        Content::Binary { what, is_expected: true } => Err(Opaque::Expected(what)),
        Content::Binary { what, is_expected: false } => Err(Opaque::Unread(format!("{what}: nobody looked into it"))),
    }
}

fn difference(path: &RepoPath, before: &[u8], after: &[u8]) -> Changed {
    let (old, new) = (LineIndex::new(before), LineIndex::new(after));
    if !before.is_empty() && language::of(path, before) != language::of(path, after) {
        // Another language may mean anything else by the same line.
        let all = |index: &LineIndex<'_>| std::iter::once(0..index.len() as u32).collect();
        return Changed { added: all(&new), removed: all(&old) };
    }
    let mut differs = changed(before, after);
    // A border that moves changes what untouched lines mean: a comment becomes code.
    if !before.is_empty() && !after.is_empty() {
        let zones = |text: &[u8]| regions(language::of(path, text), text);
        add_rezoned(&mut differs, (&old, &zones(before)), (&new, &zones(after)));
    }
    differs
}

impl Looked {
    /// Whether the rules have nothing to be asked about.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.hits.is_empty() && self.not_judged.is_empty()
    }

    /// Lets no inline permission count: what is judged is not what governs.
    pub fn distrust(&mut self) {
        self.claims.clear();
    }

    fn note_allowed(&mut self, gone: &[Hit], before: &[u8], new: &[Hit], after: &[u8]) {
        if new.is_empty() {
            return;
        }
        let (old, index) = (LineIndex::new(before), LineIndex::new(after));
        for (hits, lines, noted) in [(gone, &old, &mut self.stood), (new, &index, &mut self.claims)] {
            for hit in hits {
                if let Some(allow) = allow_at(lines, hit.line) {
                    noted.insert((hit.path.clone(), hit.line), allow);
                }
            }
        }
    }

    /// Each hit of base that is gone leaves its permission; in an audit each hit has its own.
    fn grant(&mut self, is_audit: bool) {
        let (hits, places) = if is_audit { (&self.hits, &self.claims) } else { (&self.gone, &self.stood) };
        for hit in hits {
            if let Some(allow) = places.get(&(hit.path.clone(), hit.line)) {
                *self.granted.entry((hit.path.clone(), hit.detector.clone(), allow.clone())).or_default() += 1;
            }
        }
    }

    /// The permission that stands over a hit in head.
    fn claim(&self, hit: &Hit) -> Option<&Allow> {
        self.claims.get(&(hit.path.clone(), hit.line))
    }

    /// Whether base allowed a hit, by the permission that stands over it. Each is used once, by all rules that it names.
    fn use_permission(&mut self, hit: &Hit) -> Option<Allow> {
        let allow = self.claim(hit)?.clone();
        let left = self.granted.get_mut(&(hit.path.clone(), hit.detector.clone(), allow.clone()))?;
        *left = left.checked_sub(1)?;
        Some(allow)
    }
}

impl Allow {
    /// Whether it speaks of a rule that may be allowed inline.
    fn covers(&self, rule: &Rule) -> bool {
        rule.level != Level::Deny && (self.rule == rule.rule || self.rule == format!("{}/{}", rule.pack, rule.rule))
    }
}

/// How an inline permission begins.
const ALLOW: &str = "portcullis:allow(";

/// The permission over a line, counted from 1: on the line itself, or alone on the line above.
fn allow_at(index: &LineIndex<'_>, line: u32) -> Option<Allow> {
    let at = line.checked_sub(1)?;
    let own = allow_in(index.line(at)).map(|(_, allow)| allow);
    own.or_else(|| allow_in(index.line(at.checked_sub(1)?)).filter(|(is_alone, _)| *is_alone).map(|(_, allow)| allow))
}

/// The permission that a line holds, and whether nothing but the signs of a comment stands before it.
fn allow_in(line: &[u8]) -> Option<(bool, Allow)> {
    let line = std::str::from_utf8(line).ok()?;
    let (before, after) = line.split_once(ALLOW)?;
    let (rule, reason) = after.split_once(')')?;
    let reason = reason.trim().trim_end_matches("*/").trim_end_matches("-->").trim_end_matches("*}").trim();
    let is_alone = !before.contains(char::is_alphanumeric);
    let says_why = reason.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
    says_why.then(|| (is_alone, Allow { rule: rule.trim().to_owned(), reason: reason.to_owned() }))
}

/// Asks the rules about what was seen.
pub fn findings(engine: &Engine<'_>, detectors: &Detectors, mut looked: Looked) -> Vec<Finding> {
    let mut found = Vec::new();
    // Equal lines of one file are told apart by their order behind those that stood: a waiver of one is none of its copy.
    let mut ordinals = std::mem::take(&mut looked.standing);
    for hit in &looked.hits {
        ordinals.entry(identity(hit)).and_modify(|count| *count = count.saturating_sub(1));
    }
    for hit in std::mem::take(&mut looked.hits) {
        let ordinal = ordinals.entry(identity(&hit)).or_default();
        *ordinal += 1;
        let detail = format!("{} {} {ordinal}", hit.detector, hit.key);
        let mut statements = engine.ask(&subject(&hit, detectors));
        // Where no rule may be allowed, the permission is left for the next hit.
        let is_named = |statement: &Statement| looked.claim(&hit).is_some_and(|allow| allow.covers(&statement.rule));
        let allow = if statements.iter().any(is_named) { looked.use_permission(&hit) } else { None };
        for statement in &mut statements {
            if let Some(allow) = allow.as_ref().filter(|allow| allow.covers(&statement.rule)) {
                statement.message += &format!(" (allowed inline on base: {})", allow.reason);
                statement.rule.level = Level::Note;
            }
        }
        for statement in statements {
            found.push(build(statement, About { detail: detail.clone(), ..about(&hit) }));
        }
    }
    say_once(&mut found);
    found
}

/// Keeps one finding of a rule where several speak of the same or overlapping lines of a file, the strongest: a pattern
/// may start in code and again in the string beside it, or be seen through two windows.
fn say_once(found: &mut Vec<Finding>) {
    let place = |finding: &Finding| finding.location.clone();
    found.sort_by_cached_key(|f| (f.pack.clone(), f.rule.clone(), place(f), Reverse(f.level)));
    found.dedup_by(|next, kept| {
        let (Some(later), Some(first)) = (&next.location, &mut kept.location) else { return false };
        let is_same = (&next.pack, &next.rule, &later.file) == (&kept.pack, &kept.rule, &first.file);
        if !is_same || later.line > first.end_line {
            return false;
        }
        first.end_line = first.end_line.max(later.end_line);
        if next.level > kept.level {
            (kept.level, kept.default_level) = (next.level, next.default_level);
            kept.message.clone_from(&next.message);
            kept.remediation.clone_from(&next.remediation);
            kept.fingerprint.clone_from(&next.fingerprint);
        } else if next.level == kept.level && next.fingerprint != kept.fingerprint {
            // A waiver of one of them is none of the other.
            let both = fingerprint(&format!("{}\0{}", kept.fingerprint, next.fingerprint));
            kept.remediation = kept.remediation.replace(&kept.fingerprint, &both);
            kept.fingerprint = both;
        }
        true
    });
}

/// What equal hits of one file have in common.
fn identity(hit: &Hit) -> (RepoPath, Arc<str>, String) {
    (hit.path.clone(), hit.detector.clone(), hit.key.clone())
}

fn about(hit: &Hit) -> About {
    About {
        place: Location { file: hit.path.clone(), line: hit.line, end_line: hit.end_line },
        ..About::file(SubjectKind::Line, &hit.path, hit.line)
    }
}

fn subject(hit: &Hit, detectors: &Detectors) -> Subject {
    let mut attributes = quiet(Kind::Line);
    attributes.extend([
        ("path", Value::Text(hit.path.to_string())),
        ("language", Value::word("Language", hit.language.as_str())),
        ("class", Value::word("LineClass", hit.class.as_str())),
        ("region", Value::word("Region", hit.region.as_str())),
        ("detector", Value::word(DETECTOR, hit.detector.to_string())),
    ]);
    let title = detectors.get(&hit.detector).map(|detector| detector.title.to_string()).unwrap_or_default();
    let more =
        if hit.more < 2 { String::new() } else { format!(" (and {} more in this file)", hit.more.saturating_sub(1)) };
    let words = BTreeMap::from([
        ("path", hit.path.to_string()),
        ("line", hit.line.to_string()),
        ("detector", hit.detector.to_string()),
        ("title", title),
        ("excerpt", format!("{}{more}", hit.excerpt)),
        ("waive", "portcullis waive RULE --scope FINGERPRINT --reason \"…\" --expires …".to_owned()),
    ]);
    Subject { kind: Kind::Line, attributes, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_names_a_rule_and_says_why() {
        let at = |text: &str, line| allow_at(&LineIndex::new(text.as_bytes()), line).map(|allow| allow.reason);
        assert_eq!(at("x() // portcullis:allow(weak-hash) cache key only\n", 1).as_deref(), Some("cache key only"));
        assert_eq!(at("# portcullis:allow(weak-hash) cache key only\nx()\n", 2).as_deref(), Some("cache key only"));
        assert_eq!(at("/* portcullis:allow(weak-hash) cache key */\nx()\n", 2).as_deref(), Some("cache key"));
        // Behind other code it speaks of that code; without a reason, or two lines above, of nothing.
        assert_eq!(at("y() // portcullis:allow(weak-hash) cache key only\nx()\n", 2), None);
        assert_eq!(at("# portcullis:allow(weak-hash)\nx()\n", 2), None);
        assert_eq!(at("# portcullis:allow(weak-hash) cache key only\n\nx()\n", 3), None);
    }
}
