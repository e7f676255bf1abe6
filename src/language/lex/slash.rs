//! Whether `/` divides or begins a regular expression (JavaScript, Groovy, Ruby).
//!
//! ECMA-262 leaves it to the grammar (12, "Lexical goal symbols"); what stands before tells in all cases but one: behind
//! `}`, which may end a block or an object, and in Ruby behind a name, which may be a variable or a method. There both
//! readings are taken into account, and where they differ the bytes are code.

use super::machine::Machine;
use super::special::RUBY_WORDS;
use super::syntax::Slash;
use super::{find, is_word, line_end};

/// Words of JavaScript behind which a value stands, not an operator.
const SCRIPT_WORDS: &[&[u8]] = &[
    b"return",
    b"typeof",
    b"case",
    b"in",
    b"of",
    b"do",
    b"else",
    b"void",
    b"delete",
    b"throw",
    b"new",
    b"instanceof",
    b"yield",
    b"await",
    b"default",
    b"extends",
];

/// Words whose parentheses have a statement behind them.
const HEADS: &[&[u8]] = &[b"if", b"while", b"for", b"with"];

/// What a `/` is.
enum Reading {
    Divides,
    Quotes,
    Doubt,
}

impl Machine<'_> {
    /// `(`, `)` and `/`.
    pub(super) fn slash(&mut self, kind: Slash, byte: u8) -> bool {
        match byte {
            b'(' => {
                let word = self.before(self.at).and_then(|at| self.has_prefix(at + 1, HEADS));
                self.parens.push(word.is_some_and(|start| self.byte_before(start) != Some(b'.')));
                false
            }
            b')' => {
                self.is_head = self.parens.pop().unwrap_or(false);
                false
            }
            _ => self.divide_or_quote(kind),
        }
    }

    fn divide_or_quote(&mut self, kind: Slash) -> bool {
        let next = self.byte(self.at + 1);
        if kind == Slash::Script && matches!(next, Some(b'/' | b'*')) {
            return false;
        }
        let Some(end) = self.regex_end(kind) else { return false };
        match self.reading(kind) {
            Reading::Divides => self.at += 1,
            Reading::Quotes => {
                self.regex = end;
                self.at = end;
            }
            Reading::Doubt => self.skip_doubt(kind, end),
        }
        true
    }

    /// What a `/` is, by what stands before it.
    fn reading(&self, kind: Slash) -> Reading {
        let Some(at) = self.before(self.at) else { return Reading::Quotes };
        if kind == Slash::Ruby && self.is_new_line() {
            return Reading::Quotes;
        }
        if self.regex > 0 && at + 1 == self.regex {
            return Reading::Divides;
        }
        let byte = self.byte(at).unwrap_or_default();
        let before = self.byte_before(at);
        match (kind, byte) {
            (Slash::Script, b')') if self.is_head => Reading::Quotes,
            (Slash::Script, b'}') => Reading::Doubt,
            (_, b')' | b']' | b'}' | b'"' | b'\'' | b'`') => Reading::Divides,
            // `i++ / 2`.
            (_, b'+' | b'-') if before == Some(byte) => Reading::Divides,
            // `</b>` of JSX.
            (Slash::Script, b'<') if at + 1 == self.at => Reading::Divides,
            (Slash::Script, _) if is_word(byte) || byte == b'$' => {
                if self.expects_value(SCRIPT_WORDS) {
                    Reading::Quotes
                } else {
                    Reading::Divides
                }
            }
            (Slash::Ruby, _) if is_word(byte) => {
                let is_apart = at + 1 < self.at;
                let is_joined = self.byte(self.at + 1).is_some_and(|byte| !byte.is_ascii_whitespace() && byte != b'=');
                match (self.expects_value(RUBY_WORDS), is_apart && is_joined) {
                    (true, _) => Reading::Quotes,
                    (false, true) => Reading::Doubt,
                    (false, false) => Reading::Divides,
                }
            }
            _ => Reading::Quotes,
        }
    }

    /// Behind the regular expression that begins here, if it ends on this line. In JavaScript `/` may stand in brackets.
    fn regex_end(&mut self, kind: Slash) -> Option<usize> {
        if self.at < self.no_regex {
            return None;
        }
        let (mut at, mut in_class) = (self.at + 1, false);
        while let Some(byte) = self.byte(at).filter(|byte| *byte != b'\n') {
            match byte {
                b'\\' => at += 1,
                b'[' => in_class = kind == Slash::Script,
                b']' => in_class = false,
                b'/' if !in_class => return Some(at + 1),
                _ => {}
            }
            at += 1;
        }
        self.no_regex = at;
        None
    }

    /// `/` may divide or not. Where both readings leave the same behind, nothing happens; where they differ on this line
    /// only, its rest is code; where they may differ beyond it, the rest of the text is.
    fn skip_doubt(&mut self, kind: Slash, end: usize) {
        let body = self.text.get(self.at + 1..end.saturating_sub(1)).unwrap_or_default();
        let holds = |text: &[u8], marks: &[u8]| text.iter().any(|byte| marks.contains(byte));
        let opens = |text: &[u8]| holds(text, b"`") || find(text, 0, b"/*").is_some();
        if !holds(body, b"\"'`#/") {
            self.at += 1;
            return;
        }
        // From here on the line, or the text, is done with: its rest is looked at once.
        let line = line_end(self.text, self.at);
        let rest = self.text.get(self.at + 1..line).unwrap_or_default();
        let may_differ_beyond = match kind {
            Slash::Script => opens(rest),
            Slash::Ruby => find(rest, 0, b"<<").is_some(),
        };
        self.at = if self.is_in_hole() || may_differ_beyond { self.text.len() } else { line };
    }
}
