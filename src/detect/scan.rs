//! The changed lines of one file against all detectors.
//!
//! Work is cut into *units*: a detector, the line on which a match must start, and a zone of that line. Lines have one
//! zone unless they are longer than [`ZONE`]; a pattern sees its zone and the one after, so that every match of up to
//! [`ZONE`] bytes is found and a line of many megabytes costs no more than as many short ones. Every byte that a pattern
//! is shown counts against a budget that grows with the text: no text makes a scan take more than linear time.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex::bytes::Regex;

use super::index::Index;
use super::list::Text;
use super::read::MAX_WORD;
use super::window::Window;
use super::{Detector, Detectors, Failed, Hit, Side};
use crate::language::lex::Regions;
use crate::model::line::Region;
use crate::model::path::glob;

mod hits;
mod judge;

use judge::{Judged, Place};

/// Bytes of a line in which a match may start, for one unit.
const ZONE: usize = 32 << 10;
/// Bytes that patterns may be shown for each byte of the text, and for any text.
const BUDGET_PER_BYTE: u64 = 256;
const BUDGET: u64 = 64 << 20;
/// Bytes behind a match that a search may have read as well.
const LOOKED_ON: usize = 1 << 10;
/// Matches of one pattern in one unit that are looked at.
const MAX_MATCHES: usize = 1024;
/// Units that wait to be examined.
const MAX_UNITS: usize = 1 << 16;
/// Lines that are tried against detectors without words at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Where a pattern is to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    /// The line, from 0, on which a match starts.
    line: u32,
    /// The zone of that line.
    zone: u32,
    /// Number of the detector among those in use.
    detector: u32,
    /// The pattern's gate.
    gate: u32,
}

pub(super) fn scan(detectors: &Detectors, side: &Side<'_>) -> Result<Vec<Hit>, Failed> {
    let failed = |reason| Failed { path: side.path.clone(), reason };
    if side.text.len() >= u32::MAX as usize {
        return Err(failed("larger than 4 GiB".to_owned()));
    }
    let starts = starts(side.text);
    let changed = merged(side.lines, 0, starts.len() as u32);
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let mut scan = Scan {
        detectors,
        side,
        starts,
        changed,
        regions: OnceCell::new(),
        budget: (side.text.len() as u64).saturating_mul(BUDGET_PER_BYTE).saturating_add(BUDGET),
        found: BTreeMap::new(),
        counts: vec![Count::default(); detectors.len()],
        windows: (0, Vec::new()),
        secrets: BTreeMap::new(),
        near: None,
        allowed: None,
    };
    scan.run().map_err(failed)?;
    Ok(scan.hits())
}

/// Where lines start.
fn starts(text: &[u8]) -> Vec<u32> {
    let mut starts = Vec::with_capacity(text.len() / 40 + 1);
    if !text.is_empty() {
        starts.push(0);
    }
    starts.extend(memchr::memchr_iter(b'\n', text).map(|at| at as u32 + 1).filter(|at| (*at as usize) < text.len()));
    starts
}

/// Ranges in order, disjoint, widened by `margin`, cut off at `end`.
fn merged(lines: &[Range<u32>], margin: u32, end: u32) -> Vec<Range<u32>> {
    let mut sorted: Vec<Range<u32>> = lines
        .iter()
        .filter(|range| range.start < range.end)
        .map(|range| range.start.saturating_sub(margin)..range.end.saturating_add(margin).min(end))
        .filter(|range| range.start < range.end)
        .collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u32>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Hits of one detector so far.
#[derive(Clone, Default)]
struct Count {
    told: u64,
    /// Those that are only counted: how many, the first one's place, and the sum of their keys.
    more: u64,
    first: Option<(u32, Region, usize)>,
    keys: u128,
    /// The last of them: units come line by line, and again by no more lines than a window has.
    last: BTreeSet<(u32, Region)>,
}

/// Where allowances stand.
#[derive(Clone, Copy, Default)]
struct Allowed {
    /// In a comment.
    in_comment: bool,
    /// Elsewhere.
    outside: bool,
}

/// A match that counts.
struct Found {
    end_line: u32,
    at: usize,
}

struct Scan<'s> {
    detectors: &'s Detectors,
    side: &'s Side<'s>,
    starts: Vec<u32>,
    /// Lines that changed, in order and disjoint.
    changed: Vec<Range<u32>>,
    /// The lexer's answer, asked for when a match needs it.
    regions: OnceCell<Regions>,
    /// Bytes that patterns may still be shown.
    budget: u64,
    /// By line, detector and region.
    found: BTreeMap<(u32, u32, Region), Found>,
    counts: Vec<Count>,
    /// Every secret of the file, start to end.
    secrets: BTreeMap<usize, usize>,
    /// What the units of one line see, by its end: detectors see more or fewer lines.
    windows: (usize, Vec<(usize, Window)>),
    /// The last answer of `near`: detector, lines, whether something stood there.
    near: Option<(u32, Range<u32>, bool)>,
    /// The last answer about allowances: detector, bytes, where they stand.
    allowed: Option<(u32, Range<usize>, Allowed)>,
}

impl<'s> Scan<'s> {
    fn run(&mut self) -> Result<(), String> {
        let active: Vec<bool> = self.detectors.all().map(|detector| self.speaks(detector)).collect();
        let blocks = merged(&self.changed, self.detectors.margin, self.starts.len() as u32);
        let detectors = self.detectors;
        self.gated(detectors.ours.index, &detectors.ours.numbers, &blocks, &active)?;
        self.gated(&detectors.others.index, &detectors.others.numbers, &blocks, &active)?;
        for (index, numbers) in
            [(detectors.ours.index, &detectors.ours.numbers), (&detectors.others.index, &detectors.others.numbers)]
        {
            for block in &blocks {
                self.ungated(index, numbers, block, &active)?;
            }
        }
        Ok(())
    }

    /// Whether a detector speaks about this file.
    fn speaks(&self, detector: &Detector) -> bool {
        (detector.languages.is_empty() || detector.languages.contains(&self.side.language))
            && (detector.files.is_empty() || detector.files.iter().any(|pattern| glob(pattern, self.side.path)))
    }

    /// Offset at which a line starts; that of the end for lines beyond it.
    fn start(&self, line: u32) -> usize {
        self.starts.get(line as usize).map_or(self.side.text.len(), |at| *at as usize)
    }

    /// A line without its end.
    fn line(&self, line: u32) -> Range<usize> {
        let (start, mut end) = (self.start(line), self.start(line.saturating_add(1)));
        for terminator in [b'\n', b'\r'] {
            if end > start && self.side.text.get(end - 1) == Some(&terminator) {
                end -= 1;
            }
        }
        start..end
    }

    /// The line on which a byte stands.
    fn line_of(&self, offset: usize) -> u32 {
        self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1) as u32
    }

    /// Whether one of some lines changed.
    fn touches(&self, lines: Range<u32>) -> bool {
        let after = self.changed.partition_point(|range| range.end <= lines.start);
        self.changed.get(after).is_some_and(|range| range.start < lines.end)
    }

    /// Examines the lines on which a literal of a pattern's gate stands.
    fn gated(
        &mut self,
        index: &Index,
        numbers: &[Option<u32>],
        blocks: &[Range<u32>],
        active: &[bool],
    ) -> Result<(), String> {
        let number = |detector: u32| numbers.get(detector as usize).copied().flatten();
        // For each gate the detector's number, where it speaks about the file.
        let speakers: Vec<Option<u32>> = (index.gates.iter())
            .map(|gate| number(gate.detector).filter(|number| active.get(*number as usize) == Some(&true)))
            .collect();
        if speakers.iter().all(Option::is_none) {
            return Ok(());
        }
        let bytes: Vec<Range<usize>> =
            blocks.iter().map(|block| self.start(block.start)..self.start(block.end)).collect();
        let detectors = self.detectors;
        let mut units: Vec<Unit> = Vec::new();
        let mut line = 0;
        let mut is_short = self.is_short(line);
        // The lines on which literals of either side of each gate stood last: the same ones often stand together.
        let mut last = vec![[u32::MAX; 2]; index.gates.len()];
        index.find(self.side.text, &bytes, |at, owners| {
            if at < self.start(line) || self.start(line + 1) <= at {
                line = self.line_at(line, at);
                is_short = self.is_short(line);
            }
            self.spend(owners.len())?;
            for owner in owners {
                let (gate, side) = (owner >> 1, (owner & 1) as usize);
                let (Some(Some(number)), Some(last)) = (speakers.get(gate as usize), last.get_mut(gate as usize))
                else {
                    continue;
                };
                let &mut [first, second] = last;
                let (own, other) = if side == 0 { (first, second) } else { (second, first) };
                if own == line && is_short {
                    continue;
                }
                if let Some(last) = last.get_mut(side) {
                    *last = line;
                }
                let Some(detector) = detectors.number(*number) else { continue };
                let (mut first, mut last) = (line, line);
                if is_short && index.gates.get(gate as usize).is_some_and(|gate| gate.has_second) {
                    // A literal with a line break in it is told before others, with the line of its last byte.
                    let other = if other != u32::MAX && other > line { line } else { other };
                    if other == u32::MAX || other.abs_diff(line) >= detector.lines {
                        continue;
                    }
                    // A match starts no later than the first of both and reaches the last.
                    (first, last) = (line.min(other), line.max(other));
                }
                for from in last.saturating_sub(detector.lines - 1)..=first {
                    if self.touches(from..from + detector.lines) {
                        let zone = (at.saturating_sub(self.start(from)) / ZONE) as u32;
                        // A match that holds the literal may start in the zone before.
                        let zones = zone.saturating_sub(1)..=zone;
                        units.extend(zones.map(|zone| Unit { detector: *number, line: from, zone, gate }));
                    }
                }
            }
            if units.len() > MAX_UNITS { self.examine_all(index, &mut units) } else { Ok(()) }
        })?;
        self.examine_all(index, &mut units)
    }

    /// The line on which a byte stands, not far from another.
    fn line_at(&self, mut line: u32, at: usize) -> u32 {
        while at < self.start(line) {
            line -= 1;
        }
        while self.start(line + 1) <= at {
            line += 1;
        }
        line
    }

    /// Whether a line, with those before it that a detector may see together with it, is one zone.
    fn is_short(&self, line: u32) -> bool {
        self.start(line + 1) - self.start(line.saturating_sub(self.detectors.margin)) <= ZONE
    }

    /// Examines the lines of a block by the patterns that have no gate. A pattern that matches nowhere in many lines
    /// matches in none of them.
    fn ungated(
        &mut self,
        index: &Index,
        numbers: &[Option<u32>],
        block: &Range<u32>,
        active: &[bool],
    ) -> Result<(), String> {
        let detectors = self.detectors;
        for of_detector in index.always.chunk_by(|a, b| a.0 == b.0) {
            let number = of_detector.first().and_then(|(number, _)| numbers.get(*number as usize)).copied().flatten();
            let Some(number) = number.filter(|number| active.get(*number as usize) == Some(&true)) else { continue };
            let Some(detector) = detectors.number(number) else { continue };
            let patterns: Vec<u32> = of_detector.iter().map(|(_, pattern)| *pattern).collect();
            let mut line = block.start;
            while line < block.end {
                let from = line;
                let start = self.start(from);
                while line < block.end && (line == from || self.start(line + 1) - start <= CHUNK) {
                    line += 1;
                }
                let end = self.line((line + detector.lines - 2).min(self.starts.len() as u32 - 1)).end;
                self.spend(end - start)?;
                let text = self.side.text.get(start..end).unwrap_or_default();
                if !detector.patterns.stand_in(text).map_err(|reason| format!("{}: {reason}", detector.id))? {
                    continue;
                }
                for line in from..line {
                    if self.touches(line..line + detector.lines) {
                        for zone in 0..=(self.line(line).len() / ZONE) as u32 {
                            self.examine_unit(
                                Unit { detector: number, line, zone, gate: 0 },
                                &mut patterns.clone(),
                                false,
                            )?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(bytes as u64).ok_or("its lines take the detectors too much work")?;
        Ok(())
    }

    /// Examines units.
    fn examine_all(&mut self, index: &Index, units: &mut Vec<Unit>) -> Result<(), String> {
        units.sort_unstable();
        units.dedup();
        let mut patterns = Vec::new();
        for alike in units.chunk_by(|a, b| (a.detector, a.line, a.zone) == (b.detector, b.line, b.zone)) {
            let Some(unit) = alike.first() else { continue };
            let gates = || alike.iter().filter_map(|unit| index.gates.get(unit.gate as usize));
            patterns.clear();
            // A pattern may have several gates.
            patterns.extend(gates().map(|gate| gate.pattern));
            patterns.dedup();
            self.examine_unit(*unit, &mut patterns, gates().all(|gate| gate.needs_word))?;
        }
        units.clear();
        Ok(())
    }

    /// What the patterns of a unit see: its zone and the one after, within the lines of its window.
    fn seen_by(&self, Unit { detector, line, zone, .. }: Unit) -> Range<usize> {
        let lines = self.detectors.number(detector).map_or(1, |detector| detector.lines);
        let start = self.start(line) + zone as usize * ZONE;
        let last = self.line((line + lines - 1).min(self.starts.len() as u32 - 1));
        start..last.end.min(start + 2 * ZONE).max(start)
    }

    /// Tries some patterns of a detector on a unit: those that may match there, and only where one of the detector's
    /// words stands as well, if that is asked for.
    fn examine_unit(&mut self, unit: Unit, patterns: &mut Vec<u32>, needs_word: bool) -> Result<(), String> {
        let Some(detector) = self.detectors.number(unit.detector) else { return Ok(()) };
        let bytes = self.seen_by(unit);
        self.spend(bytes.len())?;
        let mut searched = 0;
        if detector.lines > 1 && unit.zone == 0 {
            // With its end: a literal may hold the return before the line feed.
            let first = bytes.start..self.start(unit.line + 1).min(bytes.end);
            let line = self.window(&first);
            patterns.retain(|pattern| detector.patterns.may_start(*pattern as usize, &line, &mut searched));
            self.windows.1.push((first.end, line));
        }
        if !patterns.is_empty() {
            let window = self.window(&bytes);
            patterns.retain(|pattern| detector.patterns.may_match(*pattern as usize, &window, &mut searched));
            if needs_word && !patterns.is_empty() && !self.has_word(unit, detector, &bytes, &window, &mut searched) {
                patterns.clear();
            }
            self.windows.1.push((bytes.end, window));
        }
        // Literals are searched much faster than patterns.
        self.spend(searched / 16)?;
        let text = self.side.text.get(bytes.clone()).unwrap_or_default();
        for pattern in patterns.drain(..) {
            let pattern = pattern as usize;
            // The zones after the first one are searched from the start of their line.
            if unit.zone == 0 && detector.patterns.is_ruled_out(pattern, text) {
                continue;
            }
            let pattern = detector.patterns.get(pattern).map_err(|reason| format!("{}: {reason}", detector.id))?;
            self.spend(bytes.len())?;
            self.examine(unit, detector, pattern)?;
        }
        Ok(())
    }

    /// Some bytes of the text as a window: one that is there already, where it is to be had.
    fn window(&mut self, bytes: &Range<usize>) -> Window {
        if self.windows.0 != bytes.start {
            self.windows.0 = bytes.start;
            // Keeps one for what it has allocated.
            self.windows.1.truncate(1);
            self.windows.1.iter_mut().for_each(|(end, _)| *end = usize::MAX);
        }
        let is_it = |(end, _): &(usize, Window)| *end == bytes.end;
        if let Some(at) = self.windows.1.iter().position(is_it) {
            return self.windows.1.swap_remove(at).1;
        }
        let text = self.side.text.get(bytes.clone()).unwrap_or_default();
        let is_free = |(end, _): &(usize, Window)| *end == usize::MAX;
        match self.windows.1.iter().position(is_free) {
            Some(at) => {
                let (_, mut window) = self.windows.1.swap_remove(at);
                window.set(text);
                window
            }
            None => Window::new(text),
        }
    }

    /// Whether a word of a detector ends in what a unit sees.
    fn has_word(
        &self,
        unit: Unit,
        detector: &Detector,
        bytes: &Range<usize>,
        window: &Window,
        searched: &mut usize,
    ) -> bool {
        if unit.zone == 0 {
            let stands = |word: &Text| window.find(word.as_bytes(), 0, usize::MAX, searched).is_some();
            return detector.words.iter().any(stands);
        }
        // It may start in the zone before.
        let start = bytes.start.saturating_sub(MAX_WORD);
        let lower = self.side.text.get(start..bytes.end).unwrap_or_default().to_ascii_lowercase();
        detector.words.iter().any(|word| {
            let from = (bytes.start - start + 1).saturating_sub(word.len());
            *searched += lower.len();
            lower.get(from..).is_some_and(|lower| memchr::memmem::find(lower, word.as_bytes()).is_some())
        })
    }

    /// Tries a detector's pattern on one zone of the lines from one on.
    fn examine(&mut self, unit: Unit, detector: &Detector, pattern: &Regex) -> Result<(), String> {
        let Unit { detector: index, line, zone, .. } = unit;
        let first = self.line(line);
        let from = zone as usize * ZONE;
        if from > first.len() {
            return Ok(());
        }
        // Matches start in the zone; in the last one of the line also right at its end.
        let limit = (from + ZONE).min(first.len() + 1);
        let lines = self.side.text.get(first.start..self.seen_by(unit).end).unwrap_or_default();
        let mut at = from;
        let mut seen = 0;
        while at < limit {
            let found = pattern.find_at(lines, at).filter(|found| found.start() < limit);
            // A search reads to the end of its match and a little on.
            self.spend(found.map_or(lines.len(), |found| lines.len().min(found.end() + LOOKED_ON)) - at)?;
            let Some(found) = found else { break };
            seen += 1;
            if seen > MAX_MATCHES {
                return Err(format!("line {}: too many places look like {}", line + 1, detector.id));
            }
            let place = Place { index, detector, pattern, lines, start: first.start, from, line };
            at = match self.judge(&place, found.start()..found.end())? {
                Judged::Done => break,
                Judged::Next => found.end().max(found.start() + 1),
                Judged::Inside => found.start() + 1,
            };
        }
        Ok(())
    }
}
