//! The literals of Elixir that a `mix.lock` is made of: maps, tuples, lists, keywords, atoms, strings and whole numbers
//! (Elixir's syntax reference). The file is a program to Mix, which evaluates it. Anything that is no literal is
//! refused: a call, an operator, a variable, an interpolation.

use std::collections::HashSet;

use crate::ecosystem::FILE_CAP;
use crate::ecosystem::syntax::{MAX_NESTING, MAX_VALUES, explain, malformed, text};
use crate::model::tree::Unread;

/// A term and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub line: u32,
    pub term: Term,
}

/// A term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    Text(String),
    Atom(String),
    Number,
    List(Vec<Node>),
    Tuple(Vec<Node>),
    /// `key: value` in a list or tuple.
    Pair(String, Box<Node>),
    /// The members of a map. No key stands twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The text of a string or atom.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.term {
            Term::Text(text) | Term::Atom(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none for another term.
    pub(super) fn list(&self) -> &[Self] {
        match &self.term {
            Term::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a keyword in a list.
    pub(super) fn keyword(&self, key: &str) -> Option<&str> {
        self.list().iter().find_map(|item| match &item.term {
            Term::Pair(name, value) if name == key => value.text(),
            _ => None,
        })
    }
}

/// Reads a file that holds one map.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, Node)>, Unread> {
    let text = text(bytes, FILE_CAP)?;
    let mut reader = Reader { rest: text, line: 1, count: 0 };
    let whole = reader.whole().map_err(|error| explain(text, error))?;
    match whole.term {
        Term::Map(members) => Ok(members),
        _ => Err(Unread::Unsupported("a lockfile that is no map".to_owned())),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
    count: usize,
}

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Result<Node, Unread> {
        let node = self.term(0)?;
        self.space();
        if self.rest.is_empty() { Ok(node) } else { Err(self.wrong("something stands after the map")) }
    }

    fn wrong(&self, reason: &str) -> Unread {
        malformed(self.line, reason)
    }

    /// Passes over blanks and comments.
    fn space(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if c == '#' {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if c.is_ascii_whitespace() {
                self.line += u32::from(c == '\n');
                self.take(1);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn eat(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A name: letters, digits and `_`, not starting with a digit, and `?`, `!` or `@` where Elixir has them in atoms.
    fn name(&mut self) -> Option<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '?' | '!' | '@');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let starts = self.rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (starts && end > 0).then(|| self.take(end))
    }

    /// A string after its opening quotation mark.
    fn string(&mut self) -> Result<String, Unread> {
        let mut text = String::new();
        loop {
            let end =
                self.rest.find(['"', '\\', '#', '\n']).ok_or_else(|| self.wrong("a string that is not closed"))?;
            text.push_str(self.take(end));
            match self.take(1) {
                "\"" => return Ok(text),
                "#" if self.rest.starts_with('{') => return Err(self.wrong("an interpolation, which is no literal")),
                "#" => text.push('#'),
                "\\" => match self.rest.chars().next() {
                    Some(c @ ('"' | '\\' | '#')) => {
                        text.push(c);
                        self.take(1);
                    }
                    _ => return Err(self.wrong("an escape that is not read")),
                },
                _ => return Err(self.wrong("a string over several lines")),
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<Node, Unread> {
        self.space();
        self.count += 1;
        if depth > MAX_NESTING || self.count > MAX_VALUES {
            return Err(self.wrong("nested deeper, or more values, than are read"));
        }
        let line = self.line;
        let node = |term| Ok(Node { line, term });
        if self.eat("%{") {
            return node(Term::Map(self.members(depth)?));
        }
        if self.eat("{") {
            return node(Term::Tuple(self.items("}", depth)?));
        }
        if self.eat("[") {
            return node(Term::List(self.items("]", depth)?));
        }
        if self.eat("\"") {
            let text = self.string()?;
            return if self.is_key() { self.pair(text, line, depth) } else { node(Term::Text(text)) };
        }
        if self.eat(":") {
            if self.eat("\"") {
                return node(Term::Atom(self.string()?));
            }
            let name = self.name().ok_or_else(|| self.wrong("no literal"))?;
            return node(Term::Atom(name.to_owned()));
        }
        let digits = self.rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            self.take(digits);
            return node(Term::Number);
        }
        match self.name() {
            Some(name) if self.is_key() => self.pair(name.to_owned(), line, depth),
            Some(name @ ("true" | "false" | "nil")) => node(Term::Atom(name.to_owned())),
            _ => Err(malformed(line, "no literal: only maps, tuples, lists, atoms, strings and numbers are read")),
        }
    }

    /// Whether a colon makes the name before it a key: then a blank follows.
    fn is_key(&mut self) -> bool {
        let is_key = self.rest.starts_with(": ") || self.rest.starts_with(":\n") || self.rest.starts_with(":\r");
        is_key && self.eat(":")
    }

    fn pair(&mut self, key: String, line: u32, depth: usize) -> Result<Node, Unread> {
        let value = self.term(depth + 1)?;
        if matches!(value.term, Term::Pair(..)) {
            return Err(malformed(line, "a key after a key"));
        }
        Ok(Node { line, term: Term::Pair(key, Box::new(value)) })
    }

    fn items(&mut self, close: &str, depth: usize) -> Result<Vec<Node>, Unread> {
        let mut items = Vec::new();
        loop {
            self.space();
            if self.eat(close) {
                return Ok(items);
            }
            items.push(self.term(depth + 1)?);
            self.space();
            if !self.eat(",") && !self.rest.starts_with(close) {
                return Err(self.wrong("a comma or a closing bracket is missing"));
            }
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<(String, Node)>, Unread> {
        let mut members = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for item in self.arrows(depth)? {
            let line = item.line;
            let Term::Pair(key, value) = item.term else {
                return Err(malformed(line, "a map's member without a key"));
            };
            if !seen.insert(key.clone()) {
                let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
                return Err(malformed(line, format!("the key `{shown}` stands twice")));
            }
            members.push((key, Node { line, term: value.term }));
        }
        Ok(members)
    }

    /// The members of a map, whose keys may also be strings before an arrow.
    fn arrows(&mut self, depth: usize) -> Result<Vec<Node>, Unread> {
        let mut items = Vec::new();
        loop {
            self.space();
            if self.eat("}") {
                return Ok(items);
            }
            let key = self.term(depth + 1)?;
            self.space();
            let line = key.line;
            let item = match (key.text(), self.eat("=>")) {
                (Some(name), true) => self.pair(name.to_owned(), line, depth)?,
                _ => key,
            };
            items.push(item);
            self.space();
            if !self.eat(",") && !self.rest.starts_with('}') {
                return Err(self.wrong("a comma or a closing bracket is missing"));
            }
        }
    }
}
