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

/// Detector, line from 0, zone of the line.
type Unit = (u32, u32, u32);

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
        counts: vec![Count::default(); detectors.all.len()],
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
    /// The last answer of `near`: detector, lines, whether something stood there.
    near: Option<(u32, Range<u32>, bool)>,
    /// The last answer about allowances: detector, bytes, where they stand.
    allowed: Option<(u32, Range<usize>, Allowed)>,
}

impl<'s> Scan<'s> {
    fn run(&mut self) -> Result<(), String> {
        let active: Vec<bool> = self.detectors.all.iter().map(|detector| self.speaks(detector)).collect();
        let blocks = merged(&self.changed, self.detectors.margin, self.starts.len() as u32);
        self.with_words(&blocks, &active)?;
        blocks.into_iter().try_for_each(|block| self.without_words(block, &active))
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

    /// Examines the lines on which words of a detector stand.
    fn with_words(&mut self, blocks: &[Range<u32>], active: &[bool]) -> Result<(), String> {
        let bytes: Vec<Range<usize>> =
            blocks.iter().map(|block| self.start(block.start)..self.start(block.end)).collect();
        let detectors = self.detectors;
        let mut units: Vec<Unit> = Vec::new();
        let mut line = 0;
        let mut is_short = self.is_short(line);
        // The line on which each word stood last, and the last unit of each detector: the same words and the words of
        // one detector often stand together.
        let mut seen = vec![u32::MAX; detectors.words.len()];
        let mut last: Vec<Unit> = vec![(u32::MAX, 0, 0); active.len()];
        detectors.words.find(self.side.text, &bytes, active, |at, word, owners| {
            if self.start(line + 1) <= at {
                while self.start(line + 1) <= at {
                    line += 1;
                }
                is_short = self.is_short(line);
            }
            match seen.get_mut(word) {
                Some(seen) if *seen == line && is_short => return Ok(()),
                Some(seen) => *seen = line,
                None => {}
            }
            self.spend(owners.len())?;
            for owner in owners {
                let index = *owner as usize;
                let Some(detector) = detectors.all.get(index) else { continue };
                if active.get(index) == Some(&true) {
                    for from in line.saturating_sub(detector.lines - 1)..=line {
                        let unit = (*owner, from, (at.saturating_sub(self.start(from)) / ZONE) as u32);
                        if last.get(index) == Some(&unit) || !self.touches(from..from + detector.lines) {
                            continue;
                        }
                        last.get_mut(index).into_iter().for_each(|last| *last = unit);
                        // A match that holds the word may start in the zone before.
                        units.extend(unit.2.checked_sub(1).map(|before| (*owner, from, before)));
                        units.push(unit);
                    }
                }
            }
            if units.len() > MAX_UNITS { self.examine_all(&mut units) } else { Ok(()) }
        })?;
        self.examine_all(&mut units)
    }

    /// Whether a line, with those before it that a detector may see together with it, is one zone.
    fn is_short(&self, line: u32) -> bool {
        self.start(line + 1) - self.start(line.saturating_sub(self.detectors.margin)) <= ZONE
    }

    /// Examines the lines of a block by the detectors that have no words. A pattern that matches nowhere in many lines
    /// matches in none of them.
    fn without_words(&mut self, block: Range<u32>, active: &[bool]) -> Result<(), String> {
        let detectors = self.detectors;
        for index in detectors.words.wordless.iter().filter(|index| active.get(**index as usize) == Some(&true)) {
            let Some(detector) = detectors.all.get(*index as usize) else { continue };
            let mut line = block.start;
            while line < block.end {
                let from = line;
                let start = self.start(from);
                while line < block.end && (line == from || self.start(line + 1) - start <= CHUNK) {
                    line += 1;
                }
                let end = self.line((line + detector.lines - 2).min(self.starts.len() as u32 - 1)).end;
                let bytes = start..end;
                self.spend(bytes.len())?;
                let text = self.side.text.get(bytes.clone()).unwrap_or_default();
                if !detector.patterns.stand_in(text).map_err(|reason| format!("{}: {reason}", detector.id))? {
                    continue;
                }
                let lines = (from..line).filter(|line| self.touches(*line..line + detector.lines));
                let zones =
                    |line: u32| (0..=(self.line(line).len() / ZONE) as u32).map(move |zone| (*index, line, zone));
                let units: Vec<Unit> = lines.flat_map(zones).collect();
                self.examine_block(bytes, &units)?;
            }
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(bytes as u64).ok_or("its lines take the detectors too much work")?;
        Ok(())
    }

    /// Examines units, those together that see neighbouring lines.
    fn examine_all(&mut self, units: &mut Vec<Unit>) -> Result<(), String> {
        units.sort_unstable();
        units.dedup();
        let mut rest = units.as_slice();
        while let Some((first, others)) = rest.split_first() {
            let mut bytes = self.seen_by(*first);
            let more = others.iter().take_while(|unit| {
                let next = self.seen_by(**unit);
                let is_near = unit.0 == first.0 && next.start <= bytes.end + 2 && next.end <= bytes.start + CHUNK;
                bytes.end = if is_near { bytes.end.max(next.end) } else { bytes.end };
                is_near
            });
            let (block, after) = rest.split_at_checked(1 + more.count()).unwrap_or((rest, &[]));
            self.examine_block(bytes, block)?;
            rest = after;
        }
        units.clear();
        Ok(())
    }

    /// What the patterns of a unit see: its zone and the one after, within the lines of its window.
    fn seen_by(&self, (index, line, zone): Unit) -> Range<usize> {
        let lines = self.detectors.all.get(index as usize).map_or(1, |detector| detector.lines);
        let start = self.start(line) + zone as usize * ZONE;
        let last = self.line((line + lines - 1).min(self.starts.len() as u32 - 1));
        start..last.end.min(start + 2 * ZONE).max(start)
    }

    /// Examines units of one detector, all of which see no more than some bytes. A pattern that matches nowhere in many
    /// lines matches in none of them.
    fn examine_block(&mut self, bytes: Range<usize>, units: &[Unit]) -> Result<(), String> {
        let Some((index, ..)) = units.first() else { return Ok(()) };
        let Some(detector) = self.detectors.all.get(*index as usize) else { return Ok(()) };
        self.spend(bytes.len())?;
        let broken = |reason| format!("{}: {reason}", detector.id);
        let text = self.side.text.get(bytes).unwrap_or_default();
        let mut patterns = Vec::new();
        for candidate in detector.patterns.candidates(text) {
            let pattern = detector.patterns.get(candidate).map_err(broken)?;
            self.spend(text.len())?;
            if units.len() == 1 || pattern.is_match(text) {
                patterns.push(pattern);
            }
        }
        for unit in units.iter().filter(|_| !patterns.is_empty()) {
            patterns.iter().try_for_each(|pattern| self.examine(*unit, detector, pattern))?;
        }
        Ok(())
    }

    /// Tries a detector's pattern on one zone of the lines from one on.
    fn examine(&mut self, unit: Unit, detector: &Detector, pattern: &Regex) -> Result<(), String> {
        let (index, line, zone) = unit;
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
