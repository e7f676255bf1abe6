//! Stage 4: (base, head) blobs → which lines are new in head, and which of base are gone.
//!
//! A line is compared without the white space at its two ends: re-indentation and the change between `\n` and `\r\n`
//! touch every line of a file and say nothing new, and what a detector sees in a line does not depend on them. White
//! space *inside* a line counts: it separates words, stands in strings, and can be what hides a pattern from a detector
//! in one change and shows it in the next. (Hits on the two sides of such a line cancel where they are equal.)
//!
//! The algorithm, whose cost is bounded whatever the two texts are:
//!
//! 1. Lines become numbers; the common head and tail of the two lists fall away.
//! 2. What is left is one gap. A gap whose two sides multiply to at most [`SMALL`] is compared with the histogram
//!    algorithm, whose worst case is quadratic.
//! 3. A larger gap is cut at its anchors: lines that occur once on each side, as many of them as stand in the same
//!    order (the patience algorithm). The gaps between them go through the same steps, at most [`ROUNDS`] times.
//! 4. A gap that is still large, or whose turn comes when [`BUDGET`] is used up, is given out as wholly changed. That is
//!    the safe side: more lines than needed are looked at, none is passed over, and hits that stand on both sides
//!    cancel.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, Interner, Token};

use crate::language::lex::Regions;

/// Lines before times lines after up to which a gap is compared directly.
const SMALL: u64 = 16_000_000;

/// The sum of these products over one comparison.
const BUDGET: u64 = 256_000_000;

/// How often a gap may be cut at its anchors.
const ROUNDS: u32 = 6;

/// Where the lines of a text begin. `\n` and `\r\n` end a line; a last line without one counts; a text that ends with
/// `\n` has no empty line after it. Lines are numbered from 0 here, as in [`Changed`].
#[derive(Debug, Clone)]
pub struct LineIndex<'t> {
    text: &'t [u8],
    starts: Vec<u32>,
}

impl<'t> LineIndex<'t> {
    /// Indexes a text. Beyond 4 GiB, all that follows is one line; callers cap sizes far below.
    #[must_use]
    pub fn new(text: &'t [u8]) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        if !text.is_empty() {
            starts.push(0);
        }
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        starts.extend(ends.filter(|at| *at < text.len()).map_while(|at| u32::try_from(at).ok()));
        Self { text, starts }
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &'t [u8] {
        self.text
    }

    /// How many lines there are; none in an empty text.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no line at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The bytes' range of a line, counted from 0, without what ends it. Empty at the end of the text for a line that
    /// does not exist.
    #[must_use]
    pub fn range(&self, line: u32) -> Range<usize> {
        let line = line as usize;
        let Some(start) = self.starts.get(line).map(|at| *at as usize) else {
            return self.text.len()..self.text.len();
        };
        let mut end = self.starts.get(line + 1).map_or(self.text.len(), |at| *at as usize);
        let bytes = self.text.get(start..end).unwrap_or_default();
        if let Some(rest) = bytes.strip_suffix(b"\n") {
            end = start + rest.strip_suffix(b"\r").unwrap_or(rest).len();
        }
        start..end
    }

    /// A line's bytes, counted from 0, without what ends it.
    #[must_use]
    pub fn line(&self, line: u32) -> &'t [u8] {
        self.text.get(self.range(line)).unwrap_or_default()
    }

    /// The line, counted from 0, on which a byte stands; the last line for an offset beyond the text.
    #[must_use]
    pub fn line_at(&self, offset: usize) -> u32 {
        self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1) as u32
    }

    /// The bytes' range of a line without the white space at its ends: what two lines are compared by.
    fn trimmed(&self, line: u32) -> Range<usize> {
        let Range { start, end } = self.range(line);
        let bytes = self.text.get(start..end).unwrap_or_default();
        let blank = |byte: &u8| !is_blank(*byte);
        let Some(first) = bytes.iter().position(blank) else { return start..start };
        let last = bytes.iter().rposition(blank).unwrap_or(first);
        start + first..start + last + 1
    }
}

/// White space within a line: blank, tab, vertical tab, form feed, carriage return.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')
}

/// What differs between two texts: ranges of line numbers, counted from 0, half open, in order, none touching the next.
/// The lines outside them are equal one by one, but for white space at their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Lines of the text after.
    pub added: Vec<Range<u32>>,
    /// Lines of the text before.
    pub removed: Vec<Range<u32>>,
}

/// Which lines differ between two texts; see the module for what counts as equal.
#[must_use]
pub fn changed(before: &[u8], after: &[u8]) -> Changed {
    if before == after {
        return Changed::default();
    }
    let (before, after) = (LineIndex::new(before), LineIndex::new(after));
    let mut interner: Interner<&[u8]> = Interner::new(before.len() + after.len());
    let before = numbers(&before, &mut interner);
    let after = numbers(&after, &mut interner);
    let mut work = Work::new(&before, &after, interner.num_tokens());
    work.run();
    Changed { added: ranges(&work.added), removed: ranges(&work.removed) }
}

/// Adds to `changed` the equal lines that mean something else than they did: where a comment's or a string's border
/// moved, text that base held as comment may be code in head, although its own line was not touched. Such a line is
/// given out as removed and added, and hits that did not change their region cancel.
pub fn add_rezoned(changed: &mut Changed, before: (&LineIndex<'_>, &Regions), after: (&LineIndex<'_>, &Regions)) {
    if before.1.is_code() && after.1.is_code() {
        return;
    }
    let mut removed = marks(&changed.removed, before.0.len());
    let mut added = marks(&changed.added, after.0.len());
    let (mut b, mut a, mut any) = (0, 0, false);
    loop {
        b += removed.iter().skip(b).take_while(|is_gone| **is_gone).count();
        a += added.iter().skip(a).take_while(|is_new| **is_new).count();
        let (Some(was), Some(is)) = (removed.get_mut(b), added.get_mut(a)) else { break };
        let (old, new) = (before.0.trimmed(b as u32), after.0.trimmed(a as u32));
        if !before.1.within(old).eq(after.1.within(new)) {
            (*was, *is, any) = (true, true, true);
        }
        (b, a) = (b + 1, a + 1);
    }
    if any {
        *changed = Changed { added: ranges(&added), removed: ranges(&removed) };
    }
}

/// The lines as numbers: two are the same exactly where the lines are equal.
fn numbers<'t>(index: &LineIndex<'t>, interner: &mut Interner<&'t [u8]>) -> Vec<Token> {
    let lines = 0..index.len() as u32;
    lines.map(|line| interner.intern(index.text.get(index.trimmed(line)).unwrap_or_default())).collect()
}

/// Ranges of what is marked.
fn ranges(marks: &[bool]) -> Vec<Range<u32>> {
    let mut ranges = Vec::new();
    let mut start = None;
    for (at, is_marked) in (0u32..).zip(marks.iter().copied().chain([false])) {
        match (start, is_marked) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                ranges.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    ranges
}

/// The other way round.
fn marks(ranges: &[Range<u32>], len: usize) -> Vec<bool> {
    let mut marks = vec![false; len];
    for range in ranges {
        if let Some(part) = marks.get_mut(range.start as usize..range.end as usize) {
            part.fill(true);
        }
    }
    marks
}

/// A stretch of both texts that is still to be compared.
struct Gap {
    before: Range<usize>,
    after: Range<usize>,
    rounds: u32,
}

/// One comparison under way.
struct Work<'a> {
    before: &'a [Token],
    after: &'a [Token],
    removed: Vec<bool>,
    added: Vec<bool>,
    budget: u64,
    /// For each word, where it stood last on either side and how often it was seen in the gap at hand.
    seen: Vec<Seen>,
    gap: u32,
}

/// What [`Work::anchors`] knows of a word; valid only where `gap` is the gap at hand.
#[derive(Clone, Copy, Default)]
struct Seen {
    gap: u32,
    number: u32,
    before: u32,
    after: u32,
    at: u32,
}

impl<'a> Work<'a> {
    fn new(before: &'a [Token], after: &'a [Token], words: u32) -> Self {
        let (removed, added) = (vec![false; before.len()], vec![false; after.len()]);
        Self { before, after, removed, added, budget: BUDGET, seen: vec![Seen::default(); words as usize], gap: 0 }
    }

    fn run(&mut self) {
        let whole = Gap { before: 0..self.before.len(), after: 0..self.after.len(), rounds: ROUNDS };
        let mut gaps = vec![whole];
        while let Some(gap) = gaps.pop() {
            let gap = self.stripped(gap);
            let cost = gap.before.len() as u64 * gap.after.len() as u64;
            if cost == 0 {
                self.give_up(&gap);
            } else if cost <= SMALL && cost <= self.budget {
                self.budget -= cost;
                self.compare(&gap);
            } else if gap.rounds == 0 || !self.cut(&gap, &mut gaps) {
                self.give_up(&gap);
            }
        }
    }

    /// The gap without the lines that are equal at its two ends.
    fn stripped(&self, gap: Gap) -> Gap {
        let (before, after) = self.sides(&gap);
        let head = before.iter().zip(after).take_while(|(b, a)| b == a).count();
        let most = before.len().min(after.len()) - head;
        let tail = before.iter().rev().zip(after.iter().rev()).take(most).take_while(|(b, a)| b == a).count();
        Gap {
            before: gap.before.start + head..gap.before.end - tail,
            after: gap.after.start + head..gap.after.end - tail,
            rounds: gap.rounds,
        }
    }

    fn sides(&self, gap: &Gap) -> (&'a [Token], &'a [Token]) {
        (self.before.get(gap.before.clone()).unwrap_or_default(), self.after.get(gap.after.clone()).unwrap_or_default())
    }

    /// All of the gap differs.
    fn give_up(&mut self, gap: &Gap) {
        if let Some(part) = self.removed.get_mut(gap.before.clone()) {
            part.fill(true);
        }
        if let Some(part) = self.added.get_mut(gap.after.clone()) {
            part.fill(true);
        }
    }

    /// Compares a small gap line by line. Its words are numbered anew, because the comparison makes a table of them all.
    fn compare(&mut self, gap: &Gap) {
        let (before, after) = self.sides(gap);
        self.gap += 1;
        let mut count = 0;
        let mut renumber = |side: &[Token]| -> Vec<Token> {
            let number = |token: &Token| {
                let Some(seen) = self.seen.get_mut(token.0 as usize) else { return Token(0) };
                if seen.gap != self.gap {
                    *seen = Seen { gap: self.gap, number: count, ..Seen::default() };
                    count += 1;
                }
                Token(seen.number)
            };
            side.iter().map(number).collect()
        };
        let (before, after) = (renumber(before), renumber(after));
        let mut diff = Diff::default();
        diff.compute_with(Algorithm::Histogram, &before, &after, count);
        for hunk in diff.hunks() {
            let moved = |range: Range<u32>, start: usize| start + range.start as usize..start + range.end as usize;
            let (before, after) = (moved(hunk.before, gap.before.start), moved(hunk.after, gap.after.start));
            self.give_up(&Gap { before, after, rounds: 0 });
        }
    }

    /// Cuts a gap at its anchors; `false` where it has none.
    fn cut(&mut self, gap: &Gap, gaps: &mut Vec<Gap>) -> bool {
        let anchors = self.anchors(gap);
        if anchors.is_empty() {
            return false;
        }
        let (mut before, mut after) = (gap.before.start, gap.after.start);
        let end = (gap.before.end, gap.after.end);
        for (b, a) in anchors.into_iter().chain([end]) {
            // Anchors that follow one another leave nothing between them.
            if b > before || a > after {
                gaps.push(Gap { before: before..b, after: after..a, rounds: gap.rounds - 1 });
            }
            (before, after) = (b + 1, a + 1);
        }
        true
    }

    /// The longest list of lines that occur once on each side of the gap and stand in the same order on both.
    fn anchors(&mut self, gap: &Gap) -> Vec<(usize, usize)> {
        let (before, after) = self.sides(gap);
        self.gap += 1;
        for (at, token) in (0u32..).zip(before) {
            if let Some(seen) = self.seen.get_mut(token.0 as usize) {
                let count = if seen.gap == self.gap { seen.before + 1 } else { 1 };
                *seen = Seen { gap: self.gap, before: count, at, ..Seen::default() };
            }
        }
        for token in after {
            if let Some(seen) = self.seen.get_mut(token.0 as usize).filter(|seen| seen.gap == self.gap) {
                seen.after += 1;
            }
        }
        let once = |(a, token): (u32, &Token)| {
            let seen = self.seen.get(token.0 as usize)?;
            (seen.gap == self.gap && seen.before == 1 && seen.after == 1).then_some((seen.at, a))
        };
        let pairs: Vec<(u32, u32)> = (0u32..).zip(after).filter_map(once).collect();
        let whole = |(b, a): (u32, u32)| (gap.before.start + b as usize, gap.after.start + a as usize);
        increasing(&pairs).into_iter().map(whole).collect()
    }
}

/// The longest subsequence whose first parts increase (patience sorting, n log n).
fn increasing(pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    // `tops[k]`: the pair that ends the best run of k + 1 pairs; `links[i]`: the pair that stands before pair i in it.
    let mut tops: Vec<u32> = Vec::new();
    let mut links: Vec<u32> = Vec::with_capacity(pairs.len());
    let first = |at: u32| pairs.get(at as usize).map_or(0, |pair| pair.0);
    for (at, pair) in (0u32..).zip(pairs) {
        let pile = tops.partition_point(|top| first(*top) < pair.0);
        links.push(pile.checked_sub(1).and_then(|under| tops.get(under)).copied().unwrap_or(u32::MAX));
        match tops.get_mut(pile) {
            Some(top) => *top = at,
            None => tops.push(at),
        }
    }
    let mut run = Vec::with_capacity(tops.len());
    let mut at = tops.last().copied().unwrap_or(u32::MAX);
    while let Some(pair) = pairs.get(at as usize) {
        run.push(*pair);
        at = links.get(at as usize).copied().unwrap_or(u32::MAX);
    }
    run.reverse();
    run
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
