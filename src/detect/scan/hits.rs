//! What was found → what is told, secrets masked.

use std::ops::Range;

use super::super::Hit;
use super::super::excerpt::{excerpt, hex, key};
use super::Scan;
use crate::model::line::Region;

impl Scan<'_> {
    /// Everything found, by line and detector, with the secrets of the whole file masked.
    pub(super) fn hits(self) -> Vec<Hit> {
        let mut secrets: Vec<Range<usize>> = Vec::with_capacity(self.secrets.len());
        for (start, end) in &self.secrets {
            match secrets.last_mut() {
                Some(last) if *start < last.end => last.end = last.end.max(*end),
                _ => secrets.push(*start..*end),
            }
        }
        let of = |lines: Range<usize>| {
            let from = secrets.partition_point(|secret| secret.end <= lines.start);
            let to = secrets.partition_point(|secret| secret.start < lines.end);
            secrets.get(from..to.max(from)).unwrap_or_default()
        };
        let text = self.side.text;
        let mut hits = Vec::with_capacity(self.found.len());
        // Several detectors often find the same line.
        let mut last: Option<(u32, u32, String)> = None;
        for ((line, index, region), found) in &self.found {
            let bytes = self.start(*line)..self.start(found.end_line + 1);
            let key = match &last {
                Some((first, end, key)) if (first, end) == (line, &found.end_line) => key.clone(),
                _ => hex(&key(text, (*line..found.end_line + 1).map(|line| self.line(line)), of(bytes.clone()))),
            };
            last = Some((*line, found.end_line, key.clone()));
            let excerpt = excerpt(text, self.line(*line), found.at, of(bytes));
            hits.extend(self.hit(*index, (*line, found.end_line), *region, (excerpt, key), 0));
        }
        for (index, count) in (0_u32..).zip(&self.counts) {
            if let Some((line, region, at)) = count.first {
                let excerpt = excerpt(text, self.line(line), at, of(self.line(line)));
                let key = hex(&count.keys.to_be_bytes());
                hits.extend(self.hit(index, (line, line), region, (excerpt, key), count.more));
            }
        }
        hits.sort_by(|a, b| (a.line, &a.detector, a.region, a.more).cmp(&(b.line, &b.detector, b.region, b.more)));
        hits
    }

    fn hit(&self, index: u32, lines: (u32, u32), region: Region, said: (String, String), more: u64) -> Option<Hit> {
        Some(Hit {
            path: self.side.path.clone(),
            line: lines.0 + 1,
            end_line: lines.1 + 1,
            detector: self.detectors.in_use.get(index as usize)?.0.clone(),
            region,
            language: self.side.language,
            class: self.side.class,
            excerpt: said.0,
            key: said.1,
            more,
        })
    }
}
