//! What a table of markers cannot say: raw strings, literals with a delimiter of one's choice, characters ([`super::heredoc`] and
//! [`super::slash`] are two more).
//!
//! Each rule is tried where one of [`Special::begins_with`] stands, and either moves on and says so, or leaves the byte
//! to the tables.

use super::machine::Machine;
use super::syntax::Special;
use super::{find, is_word, line_end};
use crate::model::line::Region;

/// Words of Ruby behind which a value stands, not an operator.
pub(super) const RUBY_WORDS: &[&[u8]] = &[
    b"if", b"unless", b"while", b"until", b"and", b"or", b"not", b"when", b"return", b"in", b"then", b"elsif", b"else",
    b"do", b"case", b"begin", b"ensure", b"rescue", b"yield",
];

impl Special {
    /// The bytes at which the rule is tried.
    pub(super) const fn begins_with(self) -> &'static [u8] {
        match self {
            Self::RustRaw | Self::CppRaw { .. } | Self::SwiftHash => b"\"",
            Self::RRaw => b"\"'",
            Self::Char | Self::DigitSeparator => b"'",
            Self::QuoteRun => b"\"$",
            Self::LuaLong => b"[-",
            Self::Percent => b"%",
            Self::Sigil => b"~",
            Self::Question | Self::PhpTags => b"?",
            Self::Regex(_) => b"/()",
            Self::Heredoc(_) => b"<\n",
            Self::ShellBraces => b"${}",
            Self::UnicodeEscapes | Self::MySqlComment => b"",
        }
    }
}

impl Machine<'_> {
    /// Tries the rules that may begin with a byte.
    pub(super) fn special(&mut self, byte: u8) -> bool {
        let rules = self.rules;
        rules.special.iter().any(|special| special.begins_with().contains(&byte) && self.try_special(*special, byte))
    }

    fn try_special(&mut self, special: Special, byte: u8) -> bool {
        match special {
            Special::RustRaw => self.rust_raw(),
            Special::Char => self.char_literal(),
            Special::CppRaw { is_code } => self.cpp_raw(is_code),
            Special::DigitSeparator => self.digit_separator(),
            Special::QuoteRun => self.quote_run(),
            Special::SwiftHash => self.swift_hash(),
            Special::LuaLong => self.lua_long(),
            Special::RRaw => self.r_raw(byte),
            Special::Percent => self.percent(),
            Special::Sigil => self.sigil(),
            Special::Question => self.question(),
            Special::Regex(slash) => self.slash(slash, byte),
            Special::Heredoc(_) if byte == b'\n' => self.bodies(),
            Special::Heredoc(kind) => self.heredoc(kind),
            Special::PhpTags => self.php_tag(),
            Special::ShellBraces => self.shell_braces(),
            Special::UnicodeEscapes | Special::MySqlComment => false,
        }
    }

    /// How often a byte stands directly before an offset, as far as nothing else holds it.
    fn run_before(&self, at: usize, byte: u8) -> usize {
        self.text.get(self.done..at).unwrap_or_default().iter().rev().take_while(|other| **other == byte).count()
    }

    /// How often a byte stands from an offset on.
    pub(super) fn run_at(&self, at: usize, byte: u8) -> usize {
        self.text.get(at..).unwrap_or_default().iter().take_while(|other| **other == byte).count()
    }

    /// Gives out a string that is closed by `close`, or else runs to the end of the text.
    fn emit_to(&mut self, from: usize, search: usize, close: &[u8], region: Region) -> bool {
        let end = find(self.text, search, close).map_or(self.text.len(), |at| at + close.len());
        self.emit(from, end, region);
        true
    }

    /// Where `close` stands, on this line or on any.
    fn find_within(&self, from: usize, close: &[u8], lines: bool) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = self.text.get(at..)?;
            at += rest.iter().position(|byte| Some(byte) == close.first() || (*byte == b'\n' && !lines))?;
            if self.starts_with(at, close) {
                return Some(at);
            }
            if self.byte(at) == Some(b'\n') && !lines {
                return None;
            }
            at += 1;
        }
    }

    /// Whether the letters that end at an offset are one of `words`, and begin a word.
    pub(super) fn has_prefix(&self, end: usize, words: &[&[u8]]) -> Option<usize> {
        let starts = words.iter().filter_map(|word| Some((end.checked_sub(word.len())?, *word)));
        starts
            .filter(|(start, word)| self.text.get(*start..end) == Some(*word))
            .find(|(start, _)| !self.byte_before(*start).is_some_and(is_word))
            .map(|(start, _)| start)
    }

    fn rust_raw(&mut self) -> bool {
        let hashes = self.run_before(self.at, b'#');
        let Some(from) = self.has_prefix(self.at - hashes, &[b"r", b"br", b"cr"]) else { return false };
        let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
        self.emit_to(from, self.at + 1, &close, Region::Text)
    }

    fn char_literal(&mut self) -> bool {
        let next = self.byte(self.at + 1);
        let end = match next {
            // The longest: '\u{10FFFF}'.
            Some(b'\\') => (self.at + 3..self.at + 13).find(|at| self.byte(*at) == Some(b'\'')),
            Some(b'\'' | b'\n') | None => None,
            Some(lead) => {
                let end = self.at + 1 + utf8_len(lead);
                (self.byte(end) == Some(b'\'')).then_some(end)
            }
        };
        match end {
            Some(end) => self.emit(self.at, end + 1, Region::Text),
            None => self.at += 1,
        }
        true
    }

    fn cpp_raw(&mut self, is_code: bool) -> bool {
        let Some(from) = self.has_prefix(self.at, &[b"R", b"LR", b"uR", b"UR", b"u8R"]) else { return false };
        // At most 16 characters stand between the quote and the parenthesis ([lex.string] of the C++ standard).
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let Some(len) = rest.iter().take(17).position(|byte| *byte == b'(') else { return false };
        let close = [b")".as_slice(), rest.get(..len).unwrap_or_default(), b"\""].concat();
        self.emit_to(from, self.at + len + 2, &close, if is_code { Region::Code } else { Region::Text })
    }

    /// `1'000`: a number is being read.
    fn digit_separator(&mut self) -> bool {
        let before = self.text.get(self.at.saturating_sub(32)..self.at).unwrap_or_default();
        let number = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'\'');
        let first = number.last().copied();
        let is_number = first.is_some_and(|byte| byte.is_ascii_digit());
        let is_separator = is_number && self.byte(self.at + 1).is_some_and(|byte| byte.is_ascii_hexdigit());
        self.at += usize::from(is_separator);
        is_separator
    }

    /// `"""` and more of C#, with `$` before them where they have holes.
    fn quote_run(&mut self) -> bool {
        let dollars = self.run_at(self.at, b'$');
        let from = self.at;
        let count = self.run_at(from + dollars, b'"');
        if count < 3 {
            return false;
        }
        let body = from + dollars + count;
        let close = vec![b'"'; count];
        let end = find(self.text, body, &close).map_or(self.text.len(), |at| at + self.run_at(at, b'"'));
        let holes = dollars > 0 && self.text.get(body..end).is_some_and(|text| text.contains(&b'{'));
        self.emit(from, end, if holes { Region::Code } else { Region::Text });
        true
    }

    fn swift_hash(&mut self) -> bool {
        let hashes = self.run_before(self.at, b'#');
        if hashes == 0 {
            return false;
        }
        let quotes = if self.starts_with(self.at, b"\"\"\"") { 3 } else { 1 };
        let close = [vec![b'"'; quotes], vec![b'#'; hashes]].concat();
        let (from, body) = (self.at - hashes, self.at + quotes);
        let Some(end) = self.find_within(body, &close, quotes == 3) else {
            self.at = if quotes == 3 { self.text.len() } else { line_end(self.text, body) };
            return true;
        };
        let hole = [b"\\".as_slice(), &vec![b'#'; hashes], b"("].concat();
        let holes = find(self.text.get(..end).unwrap_or_default(), body, &hole).is_some();
        self.emit(from, end + close.len(), if holes { Region::Code } else { Region::Text });
        true
    }

    fn lua_long(&mut self) -> bool {
        let dashes = if self.starts_with(self.at, b"--[") { 2 } else { 0 };
        let open = self.at + dashes;
        if self.byte(open) != Some(b'[') {
            return false;
        }
        let level = self.run_at(open + 1, b'=');
        if self.byte(open + 1 + level) != Some(b'[') {
            return false;
        }
        let close = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
        let region = if dashes > 0 { Region::Comment } else { Region::Text };
        self.emit_to(self.at, open + 2 + level, &close, region)
    }

    /// `r"---(…)---"`.
    fn r_raw(&mut self, quote: u8) -> bool {
        let Some(from) = self.has_prefix(self.at, &[b"r", b"R"]) else { return false };
        let dashes = self.run_at(self.at + 1, b'-');
        let open = self.byte(self.at + 1 + dashes);
        let Some(end) = open.and_then(partner).filter(|end| *end != b'>') else { return false };
        let close = [&[end], vec![b'-'; dashes].as_slice(), &[quote]].concat();
        self.emit_to(from, self.at + dashes + 2, &close, Region::Text)
    }

    /// Whether a value may stand here: at the beginning, behind an operator or behind one of `words`.
    pub(super) fn expects_value(&self, words: &[&[u8]]) -> bool {
        let Some(at) = self.before(self.at) else { return true };
        match self.byte(at) {
            Some(b')' | b']' | b'}' | b'"' | b'\'' | b'`') => false,
            Some(byte) if is_word(byte) || byte == b'$' => {
                self.has_prefix(at + 1, words).is_some_and(|start| self.byte_before(start) != Some(b'.'))
            }
            _ => true,
        }
    }

    /// Whether a line ends between what stands before and here: a statement of Ruby ends with it.
    pub(super) fn is_new_line(&self) -> bool {
        let from = self.before(self.at).map_or(0, |at| at + 1);
        self.text.get(from..self.at).is_some_and(|between| between.contains(&b'\n'))
    }

    /// `%w[…]`. Where `%` may as well divide, it is left alone.
    fn percent(&mut self) -> bool {
        let kind = self.byte(self.at + 1).filter(u8::is_ascii_alphabetic);
        let open = self.at + 1 + usize::from(kind.is_some());
        let Some(delimiter) = self.byte(open).filter(|byte| byte.is_ascii_punctuation() && *byte != b'=') else {
            return false;
        };
        let is_literal = kind.map_or(b"([{<|".contains(&delimiter), |kind| b"qQwWiIrxs".contains(&kind));
        if !is_literal || !(self.is_new_line() || self.expects_value(RUBY_WORDS)) {
            return false;
        }
        let Some(end) = self.literal_end(open, delimiter) else { return false };
        let body = self.text.get(open..end).unwrap_or_default();
        let is_code = kind == Some(b'x') || find(body, 0, b"#{").is_some();
        self.emit(self.at, end, if is_code { Region::Code } else { Region::Text });
        true
    }

    /// Behind the end of a literal whose delimiter stands at `open`; pairs nest. Once one is not closed, none is looked
    /// for any more.
    fn literal_end(&mut self, open: usize, delimiter: u8) -> Option<usize> {
        if open < self.no_literal {
            return None;
        }
        let close = partner(delimiter).unwrap_or(delimiter);
        let (mut at, mut depth) = (open + 1, 0usize);
        while let Some(byte) = self.byte(at) {
            if byte == b'\\' {
                at += 1;
            } else if byte == close {
                if depth == 0 {
                    return Some(at + 1);
                }
                depth -= 1;
            } else if byte == delimiter {
                depth += 1;
            }
            at += 1;
        }
        self.no_literal = self.text.len();
        None
    }

    /// `~r/…/`, on one line. Three quotes behind it are the table's.
    fn sigil(&mut self) -> bool {
        let letters = self.text.get(self.at + 1..).unwrap_or_default().iter();
        let letters = letters.take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let open = self.at + 1 + letters;
        let Some(delimiter) = self.byte(open).filter(|byte| b"/|\"'([{<".contains(byte)) else { return false };
        let is_triple = self.run_at(open, delimiter) >= 3 && (delimiter == b'"' || delimiter == b'\'');
        if letters == 0 || is_triple || self.byte_before(self.at) == Some(b'=') {
            return false;
        }
        let close = partner(delimiter).unwrap_or(delimiter);
        let mut at = open + 1;
        while let Some(byte) = self.byte(at).filter(|byte| *byte != b'\n') {
            if byte == close {
                let is_code = find(self.text.get(open..at).unwrap_or_default(), 0, b"#{").is_some();
                self.emit(self.at, at + 1, if is_code { Region::Code } else { Region::Text });
                return true;
            }
            at += if byte == b'\\' { 2 } else { 1 };
        }
        // Not closed on its line: code, and not looked at again.
        self.at = at.min(self.text.len());
        true
    }

    /// `?"` is a character, not the beginning of a string.
    fn question(&mut self) -> bool {
        let is_value = !self.byte_before(self.at).is_some_and(|byte| is_word(byte) || b")]}\"'".contains(&byte));
        let is_mark = self.byte(self.at + 1).is_some_and(|byte| b"\"'`#/%~".contains(&byte));
        let is_one = !self.byte(self.at + 2).is_some_and(is_word);
        if is_value && is_mark && is_one {
            self.at += 2;
            return true;
        }
        false
    }

    fn shell_braces(&mut self) -> bool {
        if !self.starts_with(self.at, b"${") {
            return false;
        }
        self.at += 2;
        self.enter(b'{', b'}');
        true
    }

    fn php_tag(&mut self) -> bool {
        if !self.starts_with(self.at, b"?>") {
            return false;
        }
        self.skip_markup();
        true
    }

    /// Goes to the next `<?`: what stands before it is sent as it is, and counts as code.
    pub(super) fn skip_markup(&mut self) {
        self.at = find(self.text, self.at, b"<?").map_or(self.text.len(), |at| at + 2);
    }
}

/// The bracket that closes another one.
const fn partner(open: u8) -> Option<u8> {
    match open {
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'{' => Some(b'}'),
        b'<' => Some(b'>'),
        _ => None,
    }
}

/// The length of a character of UTF-8, by its first byte.
const fn utf8_len(lead: u8) -> usize {
    match lead {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}
