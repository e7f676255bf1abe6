//! Whether a match counts.

use std::ops::Range;

use regex::bytes::Regex;

use super::super::Detector;
use super::super::excerpt::key;
use super::super::read::MAX_LINES;
use super::super::validate::Candidate;
use super::{Allowed, Found, LOOKED_ON, MAX_MATCHES, Scan};
use crate::language::lex::regions;
use crate::model::line::Region;

/// Hits of one detector in one file that are told one by one.
const MAX_HITS: u64 = 100;
/// Secrets of one file.
const MAX_SECRETS: usize = 100_000;
/// Bytes after a match that a validator may look at.
const AFTER: usize = 8 << 10;

/// Where to go on after a match.
pub(super) enum Judged {
    /// Nowhere: the detector has said all it can about the line.
    Done,
    /// After the match.
    Next,
    /// After its first byte: it may cover another one.
    Inside,
}

/// A unit while it is examined.
pub(super) struct Place<'p> {
    pub(super) index: u32,
    pub(super) detector: &'p Detector,
    pub(super) pattern: &'p Regex,
    /// What the pattern sees, from the start of the first line.
    pub(super) lines: &'p [u8],
    /// Offset of `lines` in the text.
    pub(super) start: usize,
    /// Where in `lines` the unit's zone starts.
    pub(super) from: usize,
    pub(super) line: u32,
}

impl Place<'_> {
    /// The group `secret` of the match, where there is one.
    fn secret(&self, found: &Range<usize>) -> Option<Range<usize>> {
        if !self.pattern.capture_names().any(|name| name == Some("secret")) {
            return None;
        }
        self.pattern.captures_at(self.lines, found.start)?.name("secret").map(|group| group.range())
    }
}

impl Scan<'_> {
    fn region(&self, offset: usize) -> Region {
        self.regions.get_or_init(|| regions(self.side.language, self.side.text)).at(offset)
    }

    /// Whether a match counts; where it does, keeps it.
    pub(super) fn judge(&mut self, place: &Place<'_>, found: Range<usize>) -> Result<Judged, String> {
        let detector = place.detector;
        // What a match takes of the line break before it belongs to it no more than the line above does.
        let is_break = matches!(place.lines.get(found.start..), Some([b'\n', ..] | [b'\r', b'\n', ..]));
        if detector.lines > 1 && is_break {
            return Ok(Judged::Inside);
        }
        let matched = place.start + found.start..place.start + found.end;
        let end_line = if detector.lines == 1 { place.line } else { self.line_of(matched.end.saturating_sub(1)) };
        if !self.touches(place.line..end_line + 1) {
            return Ok(Judged::Next);
        }
        // A match that starts in one region and ends in another may cover a second one that counts for more.
        let region = self.region(matched.start);
        let crosses = region == Region::Comment || self.region(matched.end.saturating_sub(1)) != region;
        let next = if crosses { Judged::Inside } else { Judged::Next };
        if !detector.regions.contains(&region) {
            return Ok(Judged::Inside);
        }
        let secret =
            place.secret(&found).map_or(matched.clone(), |range| place.start + range.start..place.start + range.end);
        let text = self.side.text;
        let candidate = Candidate {
            text: text.get(secret.clone()).unwrap_or_default(),
            after: text.get(secret.end..text.len().min(secret.end + AFTER)).unwrap_or_default(),
            min_entropy: detector.min_entropy,
        };
        if !detector.validators.iter().all(|validator| validator.accepts(&candidate))
            || self.is_allowed(place, &found, region)?
            || !self.is_near(place, end_line)?
        {
            return Ok(next);
        }
        if detector.is_secret {
            if self.secrets.len() >= MAX_SECRETS {
                return Err(format!("more than {MAX_SECRETS} secrets"));
            }
            let end = self.secrets.entry(secret.start).or_insert(secret.end);
            *end = secret.end.max(*end);
        }
        self.keep(place, region, Found { end_line, at: matched.start })?;
        // One hit stands for all others of the region, but every secret has to be masked.
        let is_all = detector.regions.iter().all(|region| self.found.contains_key(&(place.line, place.index, *region)));
        Ok(if is_all && !detector.is_secret { Judged::Done } else { next })
    }

    /// Whether something in the call or statement of a match allows it. A comment allows nothing but what stands in a comment:
    /// otherwise a change could excuse itself.
    fn is_allowed(&mut self, place: &Place<'_>, found: &Range<usize>, region: Region) -> Result<bool, String> {
        let allow = &place.detector.allow;
        if allow.len() == 0 {
            return Ok(false);
        }
        // A line break at its end is none of its lines'.
        let taken = place.lines.get(found.clone()).unwrap_or_default();
        let end = found.end - taken.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        // A line may be long: no further back than the unit's zone.
        let lines = place.lines.get(place.from..).unwrap_or_default();
        let (own, searched) = around(lines, found.start - place.from..end.max(found.start) - place.from);
        self.spend(searched)?;
        let start = place.start + place.from;
        let range = start + own.start..start + own.end;
        let answer = match &self.allowed {
            Some((index, of, answer)) if (*index, of) == (place.index, &range) => *answer,
            _ => self.allowances(place.detector, range.clone())?,
        };
        self.allowed = Some((place.index, range, answer));
        Ok(answer.outside || (region == Region::Comment && answer.in_comment))
    }

    /// Where in some lines a detector's allowances stand.
    fn allowances(&mut self, detector: &Detector, range: Range<usize>) -> Result<Allowed, String> {
        let broken = |reason| format!("{}: {reason}", detector.id);
        let lines = self.side.text.get(range.clone()).unwrap_or_default();
        let mut answer = Allowed::default();
        for candidate in detector.allow.candidates(lines) {
            self.spend(lines.len())?;
            for allowed in detector.allow.get(candidate).map_err(broken)?.find_iter(lines).take(MAX_MATCHES) {
                // Neither end may stand in a comment.
                let last = allowed.end().saturating_sub(1).max(allowed.start());
                let is_comment = |at: usize, scan: &Self| scan.region(range.start + at) == Region::Comment;
                if !is_comment(allowed.start(), self) && !is_comment(last, self) {
                    answer.outside = true;
                    return Ok(answer);
                }
                answer.in_comment = true;
                self.spend(allowed.len() + LOOKED_ON)?;
            }
        }
        Ok(answer)
    }

    /// Whether what must stand near a match does.
    fn is_near(&mut self, place: &Place<'_>, end_line: u32) -> Result<bool, String> {
        let detector = place.detector;
        if detector.near.len() == 0 {
            return Ok(true);
        }
        let lines = place.line.saturating_sub(detector.within)
            ..end_line.saturating_add(detector.within + 1).min(self.starts.len() as u32);
        if let Some((index, of, answer)) = &self.near
            && (*index, of) == (place.index, &lines)
        {
            return Ok(*answer);
        }
        let bytes = self.side.text.get(self.start(lines.start)..self.start(lines.end)).unwrap_or_default();
        self.spend(bytes.len() * detector.near.len())?;
        let answer = detector.near.is_match(bytes).map_err(|reason| format!("{}: {reason}", detector.id))?;
        self.near = Some((place.index, lines, answer));
        Ok(answer)
    }

    /// Keeps a match, one for each line, detector and region; those that are too many are counted.
    fn keep(&mut self, place: &Place<'_>, region: Region, found: Found) -> Result<(), String> {
        let id = (place.line, place.index, region);
        if self.found.contains_key(&id) {
            return Ok(());
        }
        let Some(count) = self.counts.get_mut(place.index as usize) else { return Ok(()) };
        if count.told < MAX_HITS {
            count.told += 1;
            self.found.insert(id, found);
            return Ok(());
        }
        if !count.last.insert((place.line, region)) {
            return Ok(());
        }
        count.last.retain(|(line, _)| line + 2 * MAX_LINES > place.line);
        let lines = place.line..found.end_line + 1;
        let bytes = self.start(lines.start)..self.start(lines.end);
        self.spend(bytes.len())?;
        let secrets: Vec<Range<usize>> = self.secrets.range(bytes).map(|(start, end)| *start..*end).collect();
        let key = key(self.side.text, lines.map(|line| self.line(line)), &secrets);
        if let Some(count) = self.counts.get_mut(place.index as usize) {
            count.more += 1;
            count.first = count.first.or(Some((place.line, region, found.at)));
            count.keys = count.keys.wrapping_add(u128::from_be_bytes(key));
        }
        Ok(())
    }
}

/// How far around a match its own call goes: to the brackets around it and the name before them, else to the end of the
/// statement or the next comma. What else stands on a line is the attacker's to choose. Also how many bytes were looked at.
fn around(lines: &[u8], found: Range<usize>) -> (Range<usize>, usize) {
    let before = lines.get(..found.start).unwrap_or_default();
    let mut depth = 0_usize;
    let mut from = 0;
    let mut is_within = false;
    for (at, byte) in before.iter().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => {
                // Keywords before a name say what is done with it: `def`, `async fn`.
                let name = before.get(..at).unwrap_or_default().iter().rev();
                let is_of_name =
                    |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b' ');
                from = at - name.take_while(is_of_name).count();
                is_within = true;
                break;
            }
            b'(' | b'[' | b'{' => depth -= 1,
            b'\n' | b';' => {
                from = at + 1;
                break;
            }
            _ => {}
        }
    }
    let searched = found.start - from;
    if !is_within {
        // Of several calls side by side the match's own alone.
        let own = before.get(from..).unwrap_or_default();
        from += own.iter().rposition(|byte| *byte == b',').map_or(0, |at| at + 1);
    }
    // Brackets that the match opens are closed behind it.
    let mut depth = 0_isize;
    let mut to = lines.len();
    for (at, byte) in lines.iter().enumerate().skip(found.start) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'\n' | b';' if at >= found.end => {
                to = at;
                break;
            }
            b',' if at >= found.end && depth <= 0 && !is_within => {
                to = at;
                break;
            }
            _ => {}
        }
        // The bracket that closes here may have opened above what is seen.
        if at >= found.end && depth < 0 {
            to = at + 1;
            break;
        }
    }
    (from..to.max(found.end), searched + to.saturating_sub(found.start))
}
