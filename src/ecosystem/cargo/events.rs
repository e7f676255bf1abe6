//! `Cargo.lock` as TOML events → raw entries. One pass, linear, no tree.
//!
//! `toml_parser` checks the order of tokens alone. What a TOML reader owes beyond that is done here: escapes are
//! decoded, a key given twice is refused, nesting is bounded. The grammar accepted is the one cargo writes: dotted
//! keys, inline tables and tables inside tables never stand in a lockfile and are refused, so that no second spelling
//! of an entry can slip past.

use std::borrow::Cow;
use std::collections::HashSet;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{EventReceiver, parse_document};
use toml_parser::{ErrorSink, ParseError, Source, Span};

use crate::ecosystem::syntax::{line_of, malformed};
use crate::model::tree::Unread;

/// Brackets that may stand inside each other.
const MAX_DEPTH: i32 = 64;

/// Tokens of one expression; a list of every package a lockfile may hold has about 600,000.
const MAX_TOKENS: usize = 2_000_000;

/// Tokens that are gathered before a batch of whole expressions is read. Small, so that they stay in the cache.
const BATCH: usize = 4_096;

/// A dependency, as the text of its entry and where that stands.
#[derive(Debug)]
pub(super) struct RawNeed<'a> {
    pub text: Cow<'a, str>,
    pub at: u32,
}

/// One `[[package]]`, `[root]` or `[[patch.unused]]`, undigested.
#[derive(Debug, Default)]
pub(super) struct RawPackage<'a> {
    pub name: Option<Cow<'a, str>>,
    pub version: Option<Cow<'a, str>>,
    pub source: Option<Cow<'a, str>>,
    pub checksum: Option<Cow<'a, str>>,
    pub replace: Option<RawNeed<'a>>,
    pub needs: Vec<RawNeed<'a>>,
    pub is_root: bool,
    pub line: u32,
    pub end_line: u32,
    /// Bits of the keys seen, by [`Key`].
    seen: u8,
}

/// A lockfile, undigested.
#[derive(Debug, Default)]
pub(super) struct RawLock<'a> {
    /// The version and its line.
    pub version: Option<(Cow<'a, str>, u32)>,
    pub packages: Vec<RawPackage<'a>>,
    pub unused: Vec<RawPackage<'a>>,
    /// Keys and values of `[metadata]` that are strings, and where each key stands.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>, u32)>,
}

/// Reads text that is known to be UTF-8.
pub(super) fn read<'a>(text: &'a str, cap: usize) -> Result<RawLock<'a>, Unread> {
    let source = Source::new(text);
    let mut receiver = Receiver::new(source, cap);
    let mut tokens: Vec<Token> = Vec::with_capacity(2 * BATCH);
    let mut depth = 0i32;
    // Between expressions, at depth 0 after a newline, the token stream can be cut: TOML is a list of expressions.
    for token in source.lex() {
        let kind = token.kind();
        match kind {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth -= 1,
            _ => {}
        }
        let start = token.span().start();
        tokens.push(token);
        if depth > MAX_DEPTH {
            return Err(malformed(line_of(text, start), format!("brackets nest deeper than {MAX_DEPTH}")));
        }
        if (kind == TokenKind::Newline && depth <= 0 && tokens.len() >= BATCH) || kind == TokenKind::Eof {
            depth = 0;
            receiver.feed(&tokens)?;
            tokens.clear();
        } else if tokens.len() > MAX_TOKENS {
            return Err(Unread::TooLarge {
                what: format!("one value (line {}), in tokens,", line_of(text, start)),
                size: tokens.len() as u64,
                cap: MAX_TOKENS as u64,
            });
        }
    }
    Ok(receiver.lock)
}

/// The table that key-value lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Top,
    Package,
    Unused,
    Metadata,
    Other,
}

/// The keys of a package.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Version,
    Source,
    Checksum,
    Dependencies,
    Replace,
    Unknown,
}

impl Key {
    fn of(text: &str) -> Self {
        match text {
            "name" => Self::Name,
            "version" => Self::Version,
            "source" => Self::Source,
            "checksum" => Self::Checksum,
            "dependencies" => Self::Dependencies,
            "replace" => Self::Replace,
            _ => Self::Unknown,
        }
    }
}

/// What the next keys are part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    No,
    Table,
    ArrayTable,
}

struct Receiver<'a> {
    source: Source<'a>,
    cap: usize,
    lock: RawLock<'a>,
    table: Table,
    header: Header,
    /// Parts of the header, or the key of the line.
    keys: Vec<Cow<'a, str>>,
    key: Key,
    key_at: usize,
    depth: u32,
    /// Names of tables and top-level keys; arrays of tables may come again.
    tables: HashSet<Cow<'a, str>>,
    arrays: HashSet<Cow<'a, str>>,
    /// Keys of the present table, other than the known keys of a package.
    others: HashSet<Cow<'a, str>>,
    /// How far lines are counted: an offset and its line.
    counted: (usize, u32),
    refused: Option<Unread>,
}

impl<'a> Receiver<'a> {
    fn new(source: Source<'a>, cap: usize) -> Self {
        Self {
            source,
            cap,
            lock: RawLock::default(),
            table: Table::Top,
            header: Header::No,
            keys: Vec::new(),
            key: Key::Unknown,
            key_at: 0,
            depth: 0,
            tables: HashSet::new(),
            arrays: HashSet::new(),
            others: HashSet::new(),
            counted: (0, 1),
            refused: None,
        }
    }

    fn feed(&mut self, tokens: &[Token]) -> Result<(), Unread> {
        let mut error: Option<ParseError> = None;
        parse_document(tokens, self, &mut error);
        let text = self.source.input();
        if let Some(error) = error {
            // Some errors of the parser name no place; the end of the batch is the nearest there is.
            let span = error.unexpected().or(error.context()).or(tokens.last().map(Token::span)).unwrap_or_default();
            let line = line_of(text, span.start());
            // What was refused before the syntax broke explains it better.
            return Err(match self.refused.take() {
                Some(Unread::Malformed { line: first, reason }) if first <= line => malformed(first, reason),
                _ => malformed(line, error.description().to_owned()),
            });
        }
        self.refused.take().map_or(Ok(()), Err)
    }

    /// The line of an offset. Offsets are asked for in order, so the whole file is counted once.
    fn line(&mut self, offset: usize) -> u32 {
        let (from, line) = self.counted;
        let between = self.source.input().as_bytes().get(from..offset).unwrap_or_default();
        let newlines = between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.counted = (from.max(offset), line + newlines);
        self.counted.1
    }

    fn refuse(&mut self, offset: usize, reason: impl Into<String>) {
        if self.refused.is_none() {
            self.refused = Some(malformed(line_of(self.source.input(), offset), reason.into()));
        }
    }

    fn entry(&mut self) -> Option<&mut RawPackage<'a>> {
        match self.table {
            Table::Package => self.lock.packages.last_mut(),
            Table::Unused => self.lock.unused.last_mut(),
            _ => None,
        }
    }

    fn open_table(&mut self, span: Span) {
        let is_array = self.header == Header::ArrayTable;
        self.header = Header::No;
        self.others.clear();
        let at = span.start();
        let mut keys = std::mem::take(&mut self.keys).into_iter();
        let (first, second, third) = (keys.next().unwrap_or_default(), keys.next(), keys.next());
        let table = match (first.as_ref(), second.as_deref(), is_array) {
            ("package", None, true) => Table::Package,
            ("root", None, false) => Table::Package,
            ("patch", Some("unused"), true) => Table::Unused,
            ("metadata", None, false) => Table::Metadata,
            ("package" | "root" | "patch" | "metadata" | "version", _, _) => {
                return self.refuse(at, format!("`{}` is not of the form cargo writes", first.escape_debug()));
            }
            (_, None, _) => Table::Other,
            _ => return self.refuse(at, format!("a table inside `{}`", first.escape_debug())),
        };
        if third.is_some() {
            return self.refuse(at, format!("a table inside `{}`", first.escape_debug()));
        }
        let is_root = first == "root";
        if is_array {
            if !self.arrays.contains(first.as_ref()) {
                let is_new = self.tables.insert(first.clone());
                self.arrays.insert(first.clone());
                if !is_new {
                    return self.refuse(at, format!("duplicate key `{}`", first.escape_debug()));
                }
            }
        } else if !self.tables.insert(first.clone()) {
            return self.refuse(at, format!("duplicate key `{}`", first.escape_debug()));
        }
        self.table = table;
        self.push_entry(table, is_root, at);
    }

    fn push_entry(&mut self, table: Table, is_root: bool, at: usize) {
        if !matches!(table, Table::Package | Table::Unused) {
            return;
        }
        let count = self.lock.packages.len() + self.lock.unused.len();
        if count >= self.cap {
            self.refused.get_or_insert(Unread::TooLarge {
                what: "the number of packages".to_owned(),
                size: count as u64 + 1,
                cap: self.cap as u64,
            });
            return;
        }
        let line = self.line(at);
        let entry = RawPackage { line, end_line: line, is_root, ..RawPackage::default() };
        if table == Table::Unused { &mut self.lock.unused } else { &mut self.lock.packages }.push(entry);
    }

    fn line_key(&mut self) {
        let mut keys = self.keys.drain(..);
        let key = keys.next().unwrap_or_default();
        let is_dotted = keys.next().is_some();
        drop(keys);
        let at = self.key_at;
        if is_dotted {
            return self.refuse(at, "a dotted key, which cargo never writes");
        }
        let is_package = matches!(self.table, Table::Package | Table::Unused);
        self.key = match self.table {
            Table::Package | Table::Unused => Key::of(&key),
            Table::Top if key == "version" => Key::Version,
            _ => Key::Unknown,
        };
        let is_new = if is_package && self.key != Key::Unknown {
            let bit = 1u8 << self.key as u8;
            self.entry().is_some_and(|entry| {
                let is_new = entry.seen & bit == 0;
                entry.seen |= bit;
                is_new
            })
        } else {
            let set = if self.table == Table::Top { &mut self.tables } else { &mut self.others };
            set.insert(key.clone())
        };
        if !is_new {
            return self.refuse(at, format!("duplicate key `{}`", key.escape_debug()));
        }
        match (self.table, key.as_ref()) {
            (Table::Top, "package" | "root" | "patch" | "metadata") => {
                self.refuse(at, format!("`{key}` is not of the form cargo writes"));
            }
            (Table::Metadata, _) => self.keys.push(key),
            _ => {}
        }
    }

    fn value(&mut self, span: Span, value: Cow<'a, str>, kind: ScalarKind) {
        let at = span.start();
        let is_string = kind == ScalarKind::String;
        match (self.table, self.key) {
            (Table::Top, Key::Version) => {
                if self.depth > 0 || !matches!(kind, ScalarKind::Integer(_)) {
                    return self.refuse(at, "`version` is not a number");
                }
                let line = self.line(at);
                self.lock.version = Some((value, line));
            }
            (Table::Metadata, _) => {
                if let (0, true, Some(key)) = (self.depth, is_string, self.keys.pop()) {
                    self.lock.metadata.push((key, value, at as u32));
                }
            }
            (Table::Package | Table::Unused, key) => {
                let wanted = u32::from(key == Key::Dependencies);
                if key != Key::Unknown && (!is_string || self.depth != wanted) {
                    return self.refuse(at, "a package's key holds a value of the wrong type");
                }
                let Some(entry) = self.entry() else { return };
                match key {
                    Key::Name => entry.name = Some(value),
                    Key::Version => entry.version = Some(value),
                    Key::Source => entry.source = Some(value),
                    Key::Checksum => entry.checksum = Some(value),
                    Key::Replace => entry.replace = Some(RawNeed { text: value, at: at as u32 }),
                    Key::Dependencies => entry.needs.push(RawNeed { text: value, at: at as u32 }),
                    Key::Unknown => {}
                }
            }
            _ => {}
        }
    }

    /// The entry reaches at least to this offset.
    fn reaches(&mut self, offset: usize) {
        if self.depth == 0 && matches!(self.table, Table::Package | Table::Unused) {
            let line = self.line(offset);
            if let Some(entry) = self.entry() {
                entry.end_line = line;
            }
        }
    }
}

impl EventReceiver for Receiver<'_> {
    fn std_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.header = Header::Table;
        self.keys.clear();
    }

    fn std_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.open_table(span);
    }

    fn array_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.header = Header::ArrayTable;
        self.keys.clear();
    }

    fn array_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.open_table(span);
    }

    fn inline_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.refuse(span.start(), "an inline table, which cargo never writes");
        false
    }

    fn array_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        let is_package = matches!(self.table, Table::Package | Table::Unused);
        // `dependencies` is the only known key that takes a list, and its items are no lists.
        let is_wrong = match self.key {
            Key::Dependencies => self.depth > 0,
            Key::Unknown => false,
            _ => is_package || self.table == Table::Top,
        };
        if is_wrong {
            self.refuse(span.start(), "a list where none belongs");
        }
        self.depth += 1;
        true
    }

    fn array_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.depth = self.depth.saturating_sub(1);
        self.reaches(span.start());
    }

    fn simple_key(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        if self.header == Header::No && self.keys.is_empty() {
            self.key_at = span.start();
            self.depth = 0;
        }
        let mut key = Cow::Borrowed("");
        if let Some(raw) = self.source.get(span) {
            toml_parser::Raw::new_unchecked(raw.as_str(), kind, span).decode_key(&mut key, error);
        }
        self.keys.push(key);
    }

    fn key_val_sep(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.line_key();
    }

    fn scalar(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut value = Cow::Borrowed("");
        let Some(raw) = self.source.get(span) else { return };
        let kind = toml_parser::Raw::new_unchecked(raw.as_str(), kind, span).decode_scalar(&mut value, error);
        self.value(span, value, kind);
        self.reaches(span.end());
    }

    fn comment(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if let Some(raw) = self.source.get(span) {
            raw.decode_comment(error);
        }
    }

    fn newline(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if let Some(raw) = self.source.get(span) {
            raw.decode_newline(error);
        }
        // A metadata key whose value was no string must not wait for the next line.
        if self.depth == 0 {
            self.keys.clear();
        }
    }
}
