//! Texts that begin on the next line and end with a word: `<<EOF`.
//!
//! In PHP and Terraform they are strings, and in Ruby where nothing else can be meant. Those of a shell and of Perl stay
//! code: they are fed to programs as often as not (`bash <<EOF`), and `1 <<EOF` may be a shift. Either way no quote and
//! no `#` of theirs means anything.

use super::machine::{Machine, Pending};
use super::syntax::Heredoc;
use super::{find, is_word, line_end};
use crate::model::line::Region;

/// The longest closing word of a heredoc that is looked at.
const MAX_WORD: usize = 128;

impl Machine<'_> {
    /// `<<WORD`: the body begins at the next line.
    pub(super) fn heredoc(&mut self, kind: Heredoc) -> bool {
        let arrows: &[u8] = if kind == Heredoc::Php { b"<<<" } else { b"<<" };
        if !self.starts_with(self.at, arrows) {
            return false;
        }
        let mut at = self.at + arrows.len();
        if kind == Heredoc::Shell && self.byte(at) == Some(b'<') {
            self.at = at + 1;
            return true;
        }
        let mark = self.byte(at).filter(|byte| match kind {
            Heredoc::Shell | Heredoc::Terraform => *byte == b'-',
            Heredoc::Ruby => *byte == b'-' || *byte == b'~',
            Heredoc::Perl => *byte == b'~',
            Heredoc::Php => false,
        });
        at += usize::from(mark.is_some());
        if matches!(kind, Heredoc::Shell | Heredoc::Php) {
            at += self.run_at(at, b' ').min(MAX_WORD);
        }
        let Some((word, end)) = self.closing_word(at, kind, mark.is_some()) else { return false };
        let is_string = match kind {
            Heredoc::Php | Heredoc::Terraform => true,
            // `puts <<A` and `1 <<A` cannot be told apart without knowing what `puts` is.
            Heredoc::Ruby => {
                let before = self.before(self.at).and_then(|at| self.byte(at));
                before.is_some_and(|byte| b"=(,[{|&:?".contains(&byte))
            }
            Heredoc::Shell | Heredoc::Perl => false,
        };
        let holes: &'static [&'static [u8]] = match kind {
            Heredoc::Php => &[b"{$", b"${"],
            Heredoc::Ruby => &[b"#{"],
            _ => &[],
        };
        self.pending.push(Pending {
            word,
            region: if is_string { Region::Text } else { Region::Code },
            is_indented: mark.is_some() || matches!(kind, Heredoc::Php | Heredoc::Terraform),
            goes_on: kind == Heredoc::Php,
            holes,
        });
        self.at = end;
        true
    }

    /// The word that closes a heredoc, and where it ends here.
    fn closing_word(&self, at: usize, kind: Heredoc, has_mark: bool) -> Option<(Vec<u8>, usize)> {
        let first = self.byte(at)?;
        let rest = self.text.get(at + 1..)?;
        if matches!(first, b'"' | b'\'' | b'`') {
            let len = rest.iter().take(MAX_WORD).take_while(|byte| **byte != b'\n').position(|byte| *byte == first)?;
            return (len > 0).then(|| (rest.get(..len).unwrap_or_default().to_vec(), at + len + 2));
        }
        let start = at + usize::from(first == b'\\' && kind == Heredoc::Shell);
        let letter = self.byte(start)?;
        let is_first = match kind {
            Heredoc::Ruby if !has_mark => letter.is_ascii_uppercase(),
            _ => is_word(letter) && !letter.is_ascii_digit(),
        };
        let tail = self.text.get(start..)?;
        let len = tail.iter().take(MAX_WORD).take_while(|byte| is_word(**byte)).count();
        is_first.then(|| (tail.get(..len).unwrap_or_default().to_vec(), start + len))
    }

    /// Reads the bodies of the heredocs of the line that ends here.
    pub(super) fn bodies(&mut self) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        for body in std::mem::take(&mut self.pending) {
            self.at = self.body(&body, self.at + 1);
        }
        self.done = self.at;
        true
    }

    /// Reads one body; gives back the offset of the `\n` behind it, or of what goes on behind its closing word.
    fn body(&mut self, body: &Pending, start: usize) -> usize {
        let mut line = start;
        while line < self.text.len() {
            let end = line_end(self.text, line);
            let content = self.text.get(line..end).unwrap_or_default();
            let trimmed = if body.is_indented { content.trim_ascii_start() } else { content };
            if let Some(tail) = trimmed.strip_prefix(body.word.as_slice()) {
                let is_end = if body.goes_on {
                    !tail.first().copied().is_some_and(is_word)
                } else {
                    tail.trim_ascii().is_empty()
                };
                if is_end {
                    return end - if body.goes_on { tail.len() } else { 0 };
                }
            }
            let hole = body.holes.iter().filter_map(|hole| find(content, 0, hole)).min();
            self.out.push(line, hole.map_or(end + 1, |at| line + at).min(self.text.len()), body.region);
            line = end + 1;
        }
        self.text.len()
    }
}
