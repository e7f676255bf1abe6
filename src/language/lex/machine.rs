//! The state machine that runs a [`Syntax`].
//!
//! In code it hops from one byte that may begin something to the next (a table of 256 flags), and tries in turn: the end
//! of the hole it is in, the constructs of [`super::special`], comments, strings. In a string it looks for the end, an
//! escape, or a hole. Holes are kept on a stack of its own.

use super::syntax::{At, Block, Opener, Quote, Special, Syntax};
use super::{Regions, find, is_word, line_end};
use crate::model::line::Region;

/// How deep code in strings in code may be nested.
pub(super) const MAX_NESTING: usize = 64;

/// A hole that is being read: code within a string.
#[derive(Debug, Clone, Copy)]
struct Hole {
    /// The byte that nests within it (0: none) and the one that ends it.
    open: u8,
    close: u8,
    depth: usize,
    /// The string to go on with behind it; `None` for a hole in code, such as `${…}` of a shell.
    quote: Option<&'static Quote>,
}

/// A heredoc whose body begins at the next line.
#[derive(Debug)]
pub(super) struct Pending {
    pub word: Vec<u8>,
    pub region: Region,
    /// White space before the closing word is skipped.
    pub is_indented: bool,
    /// The closing word ends the body even where more follows on its line (PHP).
    pub goes_on: bool,
    /// What begins code in the body; the rest of such a line is code.
    pub holes: &'static [&'static [u8]],
}

/// A lexer at work.
pub(super) struct Machine<'t> {
    pub rules: &'static Syntax,
    pub text: &'t [u8],
    pub at: usize,
    pub out: Regions,
    pub pending: Vec<Pending>,
    /// Where the last stretch ended: what stands before belongs to it.
    pub done: usize,
    /// Where the last comment began and ended, to look past it at what stands before.
    pub comment: (usize, usize),
    /// Where the last regular expression ended.
    pub regex: usize,
    /// For each `(` that is open (bounded), whether it belongs to `if`, `while`, `for` or `with`.
    pub parens: Vec<bool>,
    /// Whether the last `)` closed such a one.
    pub is_head: bool,
    /// Up to where it is known that no regular expression is closed.
    pub no_regex: usize,
    /// Up to where it is known that no literal of the kind `%q(…)` is closed.
    pub no_literal: usize,
    /// For each kind of string, up to where it is known that none is closed.
    unclosed: Vec<usize>,
    holes: Vec<Hole>,
    flags: [bool; 256],
    has_line_blocks: bool,
    has_unicode_escapes: bool,
}

impl<'t> Machine<'t> {
    pub(super) fn new(rules: &'static Syntax, text: &'t [u8]) -> Self {
        let mut flags = [false; 256];
        let mut flag = |byte: Option<&u8>| {
            if let Some(slot) = byte.and_then(|byte| flags.get_mut(usize::from(*byte))) {
                *slot = true;
            }
        };
        rules.line.iter().for_each(|line| flag(line.open.first()));
        rules.block.iter().for_each(|block| flag(block.open.first()));
        for quote in rules.quotes {
            flag(quote.open.first());
            for (_, open, close) in quote.hole.iter().chain(&quote.other_hole) {
                flag(Some(open));
                flag(Some(close));
            }
        }
        if rules.quotes.iter().any(Quote::has_formats) {
            b"()[]:".iter().for_each(|byte| flag(Some(byte)));
        }
        rules.special.iter().flat_map(|special| special.begins_with()).for_each(|byte| flag(Some(byte)));
        if rules.escapes_code {
            flag(Some(&b'\\'));
        }
        Self {
            rules,
            text,
            at: 0,
            out: Regions::default(),
            pending: Vec::new(),
            done: 0,
            comment: (0, 0),
            regex: 0,
            parens: Vec::new(),
            is_head: false,
            no_regex: 0,
            no_literal: 0,
            unclosed: vec![0; rules.quotes.len()],
            holes: Vec::new(),
            flags,
            has_line_blocks: rules.block.iter().any(|block| block.whole_lines),
            has_unicode_escapes: rules.special.contains(&Special::UnicodeEscapes),
        }
    }

    /// Reads the whole text.
    pub(super) fn run(mut self) -> Regions {
        if self.rules.special.contains(&Special::PhpTags) {
            self.skip_markup();
        }
        while let Some(rest) = self.text.get(self.at..) {
            let Some(hop) = rest.iter().position(|byte| self.flags.get(usize::from(*byte)).copied().unwrap_or(false))
            else {
                break;
            };
            self.at += hop;
            let before = self.at;
            self.step();
            if self.holes.len() > MAX_NESTING {
                break;
            }
            // Whatever a rule did, the machine moves on.
            self.at = self.at.max(before + 1);
        }
        self.out
    }

    /// The byte at an offset.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// The byte before an offset.
    pub(super) fn byte_before(&self, at: usize) -> Option<u8> {
        self.byte(at.checked_sub(1)?)
    }

    pub(super) fn starts_with(&self, at: usize, word: &[u8]) -> bool {
        self.text.get(at..).is_some_and(|rest| rest.starts_with(word))
    }

    /// One thing that may begin here; leaves `at` alone where nothing does.
    fn step(&mut self) {
        let Some(byte) = self.byte(self.at) else { return };
        if byte == b'\\' && self.rules.escapes_code {
            self.at += 2;
            return;
        }
        if self.in_hole(byte) || self.special(byte) {
            return;
        }
        if self.has_comments() && (self.line_comment() || self.block_comment()) {
            return;
        }
        self.string();
    }

    /// Whether comments count: not in `${…}` of a shell, nor where `#` and `//` may be part of a format (`{x:#x}`).
    fn has_comments(&self) -> bool {
        self.holes.last().is_none_or(|hole| hole.quote.is_some_and(|quote| !quote.has_formats()))
    }

    /// Minds the brackets of the hole that is being read.
    fn in_hole(&mut self, byte: u8) -> bool {
        let Some(hole) = self.holes.last_mut() else { return false };
        let quote = hole.quote;
        let formats = quote.filter(|quote| quote.has_formats());
        if byte == hole.close && hole.depth == 0 {
            self.holes.pop();
            self.at += 1;
            if let Some(quote) = quote {
                self.rest_of_string(quote, self.at - 1, self.has_holes(quote, true));
            }
            return true;
        }
        if byte == hole.close || (formats.is_some() && matches!(byte, b')' | b']')) {
            hole.depth = hole.depth.saturating_sub(1);
        } else if (byte == hole.open && byte != 0) || (formats.is_some() && matches!(byte, b'(' | b'[')) {
            hole.depth += 1;
        } else if let Some(quote) = formats.filter(|_| byte == b':' && hole.depth == 0) {
            return self.format(quote);
        }
        false
    }

    /// Goes over the format in a hole (`:'>{width}`), up to the brace that closes the hole or the quote that closes the
    /// string. Its quotes open nothing.
    fn format(&mut self, quote: &Quote) -> bool {
        if self.starts_with(self.at, b"::") {
            self.at += 2;
            return true;
        }
        let mut depth = 0usize;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 0 => break,
                b'}' => depth -= 1,
                b'\n' if !quote.lines => break,
                _ if self.starts_with(self.at, quote.close) => break,
                _ => {}
            }
            self.at += 1;
        }
        true
    }

    /// Whether code within a string is being read.
    pub(super) fn is_in_hole(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Begins a hole in code.
    pub(super) fn enter(&mut self, open: u8, close: u8) {
        self.holes.push(Hole { open, close, depth: 0, quote: None });
    }

    /// Gives out a stretch and goes behind it.
    pub(super) fn emit(&mut self, from: usize, to: usize, region: Region) {
        let (from, to) = (from.max(self.done), to.min(self.text.len()));
        let is_code = self.has_unicode_escapes && self.escapes_lexically(from, to, region);
        self.out.push(from, to, if is_code { Region::Code } else { region });
        if region == Region::Comment {
            self.remember_comment(from, to);
        }
        (self.at, self.done) = (to, to);
    }

    /// Two comments with nothing but blanks between them are looked past as one.
    fn remember_comment(&mut self, from: usize, to: usize) {
        let between = self.text.get(self.comment.1..from).unwrap_or_default();
        let is_next = self.comment.1 > 0 && between.iter().rev().all(u8::is_ascii_whitespace);
        self.comment = (if is_next { self.comment.0 } else { from }, to);
    }

    /// Whether a stretch of Java holds an escape that the compiler reads before anything else: a quote, a backslash, the
    /// end of a line or of a comment (Java Language Specification, 3.3).
    fn escapes_lexically(&self, from: usize, to: usize, region: Region) -> bool {
        let meant: &[&[u8]] = match region {
            Region::Comment => &[b"000a", b"000d", b"002a", b"002f"],
            _ => &[b"0022", b"0027", b"005c", b"000a", b"000d"],
        };
        let text = self.text.get(..to).unwrap_or_default();
        let mut at = from;
        while let Some(found) = find(text, at, b"\\u") {
            at = found + 2;
            let more = text.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b'u').count();
            at += more;
            let digits = text.get(at..at + 4).unwrap_or_default().to_ascii_lowercase();
            if meant.contains(&digits.as_slice()) {
                return true;
            }
        }
        false
    }

    fn line_comment(&mut self) -> bool {
        for line in self.rules.line {
            if !self.starts_with(self.at, line.open) {
                continue;
            }
            if line.at == At::NotColon && self.byte_before(self.at) == Some(b':') {
                let end = line_end(self.text, self.at);
                let rest = self.text.get(self.at..end).unwrap_or_default();
                let ticks = rest.iter().filter(|byte| **byte == b'`').count();
                // The two readings leave different things behind: the rest of the text is code.
                let differs = ticks % 2 == 1 || find(rest, 0, b"/*").is_some();
                self.at = if differs { self.text.len() } else { end };
                return true;
            }
            if self.may_comment(line.at, line.open.len()) {
                self.emit(self.at, self.comment_end(), Region::Comment);
                return true;
            }
        }
        false
    }

    fn may_comment(&self, at: At, len: usize) -> bool {
        let before = self.byte_before(self.at);
        let behind = self.byte(self.at + len);
        match at {
            At::Anywhere | At::NotColon => true,
            At::Word => before.is_none_or(begins_word),
            At::WordNotHole => before.is_none_or(begins_word) && behind != Some(b'{'),
            At::LineStart => {
                let start = self.text.get(..self.at).unwrap_or_default();
                // Bounded by the blanks that no other marker looked at: a marker before them would be a comment.
                start.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t')).is_none_or(|byte| *byte == b'\n')
            }
            At::BeforeBlank => behind.is_none_or(|byte| byte.is_ascii_whitespace() || byte == b'-'),
            At::NotBracket => behind != Some(b'['),
        }
    }

    /// Where the line comment that begins here ends: at whatever some language takes for the end of a line.
    fn comment_end(&self) -> usize {
        let php = self.rules.special.contains(&Special::PhpTags);
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (hop, byte) in rest.iter().enumerate() {
            let tail = || rest.get(hop..).unwrap_or_default();
            let is_end = match byte {
                b'\n' | b'\r' => true,
                0xc2 => tail().starts_with(b"\xc2\x85"),
                0xe2 => tail().starts_with(b"\xe2\x80\xa8") || tail().starts_with(b"\xe2\x80\xa9"),
                b'?' => php && tail().starts_with(b"?>"),
                _ => false,
            };
            if is_end {
                return self.at + hop;
            }
        }
        self.text.len()
    }

    fn block_comment(&mut self) -> bool {
        let rules = self.rules;
        for block in rules.block {
            if !self.starts_with(self.at, block.open) {
                continue;
            }
            if block.whole_lines {
                if self.line_block(block) {
                    return true;
                }
                continue;
            }
            let from = self.at;
            let end = self.block_end(block);
            // Text of JSX may hold `/*`; MySQL executes what `/*!` holds.
            let before = self.before(from).map(|at| (self.byte_before(at + 1), self.byte_before(at)));
            let is_script = rules.special.iter().any(|special| matches!(special, Special::Regex(_)));
            let is_markup = is_script && matches!(before, Some((Some(b'>'), other)) if other != Some(b'='));
            let is_executed = rules.special.contains(&Special::MySqlComment)
                && self.byte(from + 2).is_some_and(|byte| byte == b'!' || byte == b'M');
            if is_markup || is_executed {
                self.at = end;
            } else {
                self.emit(from, end, Region::Comment);
            }
            return true;
        }
        false
    }

    /// Where the block comment that begins here ends.
    fn block_end(&self, block: &Block) -> usize {
        let mut at = self.at + block.open.len();
        let mut depth = 1usize;
        let (first_open, first_close) = (block.open.first().copied(), block.close.first().copied());
        while let Some(byte) = self.byte(at) {
            if Some(byte) == first_close && self.starts_with(at, block.close) {
                at += block.close.len();
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            } else if block.nests && Some(byte) == first_open && self.starts_with(at, block.open) {
                at += block.open.len();
                depth += 1;
            } else {
                at += 1;
            }
        }
        self.text.len()
    }

    /// A comment of whole lines: `=begin` to `=end`, `=pod` to `=cut`.
    fn line_block(&mut self, block: &Block) -> bool {
        let is_start = self.has_line_blocks && self.byte_before(self.at).is_none_or(|byte| byte == b'\n');
        let behind = self.byte(self.at + block.open.len());
        let is_word = match block.open {
            b"=" => behind.is_some_and(|byte| byte.is_ascii_alphabetic()),
            _ => behind.is_none_or(|byte| byte.is_ascii_whitespace()),
        };
        if !is_start || !is_word {
            return false;
        }
        let from = self.at;
        let mut line = from;
        loop {
            let end = line_end(self.text, line);
            let closes = self.starts_with(line, block.close)
                && self.byte(line + block.close.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
            if closes || end >= self.text.len() {
                self.emit(from, end, Region::Comment);
                return true;
            }
            line = end + 1;
        }
    }

    fn string(&mut self) {
        let rules = self.rules;
        for (kind, quote) in rules.quotes.iter().enumerate() {
            if !self.starts_with(self.at, quote.open) {
                continue;
            }
            if quote.word && self.byte_before(self.at).is_some_and(is_word) {
                continue;
            }
            let (from, has_holes) = (self.at, self.has_holes(quote, false));
            let end = if quote.lines { None } else { self.closes(kind, quote) };
            self.at += quote.open.len();
            match end {
                // Known already, and nothing in it is looked at.
                Some(end) if !has_holes => self.emit(from, end, Region::Text),
                None if !quote.lines => {}
                _ => self.rest_of_string(quote, from, has_holes),
            }
            return;
        }
    }

    /// Whether holes count in the string that begins here. One that is gone on with had them.
    fn has_holes(&self, quote: &Quote, is_open: bool) -> bool {
        if is_open || quote.hole_prefix.is_empty() {
            return quote.hole.is_some();
        }
        let prefix = self.text.get(self.at.saturating_sub(3)..self.at).unwrap_or_default();
        let letters = prefix.iter().rev().take_while(|byte| is_word(**byte)).count();
        letters <= 2 && prefix.iter().rev().take(letters).any(|byte| quote.hole_prefix.contains(byte))
    }

    /// Where a string that may not run over lines is closed on its own.
    fn closes(&mut self, kind: usize, quote: &Quote) -> Option<usize> {
        let mut at = self.at + quote.open.len();
        if self.unclosed.get(kind).is_some_and(|until| at <= *until) {
            return None;
        }
        let close = quote.close.first().copied();
        let is_mark = |byte: &u8| *byte == b'\n' || Some(*byte) == close || Some(*byte) == quote.escape;
        while let Some(hop) = self.text.get(at..).and_then(|rest| rest.iter().position(is_mark)) {
            at += hop;
            let byte = self.byte(at);
            if byte == quote.escape {
                at = self.behind_escape(at);
            } else if self.starts_with(at, quote.close) {
                return Some(at + quote.close.len());
            } else if byte == Some(b'\n') {
                break;
            } else {
                at += 1;
            }
        }
        if let Some(until) = self.unclosed.get_mut(kind) {
            *until = at.min(self.text.len());
        }
        None
    }

    /// Behind an escape and what it escapes. The end of a line is escaped only where strings may go on behind it.
    fn behind_escape(&self, at: usize) -> usize {
        let is_line_end = self.starts_with(at + 1, b"\n") || self.starts_with(at + 1, b"\r\n");
        match (is_line_end, self.rules.continues) {
            (true, false) => at + 1,
            (true, true) if self.starts_with(at + 1, b"\r") => at + 3,
            _ => at + 2,
        }
    }

    /// Reads a string on from `at`; `from` is where the stretch to give out begins.
    fn rest_of_string(&mut self, quote: &'static Quote, from: usize, has_holes: bool) {
        let close = quote.close.first().copied();
        let holes = if has_holes { [quote.hole, quote.other_hole] } else { [None, None] };
        let starts = holes.map(|hole| hole.and_then(|(open, _, _)| open.first().copied()));
        let is_mark = |byte: &u8| {
            Some(*byte) == close
                || Some(*byte) == quote.escape
                || starts.contains(&Some(*byte))
                || (*byte == b'\n' && !quote.lines)
        };
        let mut at = self.at;
        while let Some(hop) = self.text.get(at..).and_then(|rest| rest.iter().position(is_mark)) {
            at += hop;
            let byte = self.byte(at);
            if let Some((open, nest, end)) = self.hole_at(at, holes) {
                self.emit(from, at + open.len(), Region::Text);
                self.holes.push(Hole { open: nest, close: end, depth: 0, quote: Some(quote) });
                return;
            }
            if byte == quote.escape {
                at = self.behind_escape(at);
            } else if byte == close && self.starts_with(at, quote.close) {
                at += quote.close.len();
                if quote.doubles && self.byte(at) == byte {
                    at += 1;
                    continue;
                }
                while quote.greedy && self.byte(at) == byte {
                    at += 1;
                }
                self.emit(from, at, Region::Text);
                return;
            } else if byte == Some(b'\n') && !quote.lines {
                self.emit(from, at, Region::Text);
                return;
            } else {
                // A doubled opener (`{{`) is a letter of the string.
                let is_doubled = holes.iter().flatten().any(|(open, nest, _)| open == &[*nest] && byte == Some(*nest));
                at += if is_doubled { 2 } else { 1 };
            }
        }
        self.emit(from, self.text.len(), Region::Text);
    }

    /// The hole that begins at an offset of a string.
    fn hole_at(&self, at: usize, holes: [Option<Opener>; 2]) -> Option<Opener> {
        let begins = |(open, nest, _): &Opener| {
            let is_doubled = *open == [*nest] && self.byte(at + 1) == Some(*nest);
            self.starts_with(at, open) && !is_doubled
        };
        holes.into_iter().flatten().find(begins)
    }

    /// The offset of the last byte before `at` that is neither blank nor comment.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        let mut at = at;
        loop {
            if self.comment.1 > 0 && at == self.comment.1 {
                at = self.comment.0;
            }
            at = at.checked_sub(1)?;
            if !self.byte(at)?.is_ascii_whitespace() {
                return Some(at);
            }
        }
    }
}

/// Whether a word may begin behind a byte: a blank or an operator of the shell.
fn begins_word(before: u8) -> bool {
    before.is_ascii_whitespace() || b";&|()<>`{}".contains(&before)
}
