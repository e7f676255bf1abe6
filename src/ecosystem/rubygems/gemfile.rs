//! The literal lines of a `Gemfile`. It is Ruby code and is not run: what stands in it in so many words tells where a
//! gem is asked for and in which group. One statement that is not understood may do anything, so that no group of that
//! file weakens a scope.

use std::sync::Arc;

use crate::ecosystem::syntax::{explain, malformed, text};
use crate::model::inventory::Scope;
use crate::model::tree::Unread;

/// Arguments of one statement, at the most.
const MAX_TOKENS: usize = 10_000;

/// Blocks inside blocks, at the most.
const MAX_BLOCKS: usize = 64;

/// Length of an address, at the most: every gem of a block, and of a file, repeats it.
const MAX_ADDRESS: usize = 4_096;

/// One `gem` or `plugin` statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gem {
    pub name: String,
    pub requirement: Vec<String>,
    pub line: u32,
    /// Whether it is in groups, and all of them are for developers.
    pub is_weak: bool,
    /// Whether the whole statement is understood and stands under no condition.
    pub is_certain: bool,
    /// Whether it is for some platforms alone.
    pub is_limited: bool,
    /// `git`, `path` or `source`, and the address.
    pub place: Option<(&'static str, Arc<str>)>,
}

impl Gem {
    /// The scope of its groups.
    pub const fn scope(&self) -> Scope {
        if self.is_weak { Scope::Development } else { Scope::Runtime }
    }
}

/// Whether all of these groups are for developers; `None` where there is no group. No gem keeps their names: blocks lie
/// in blocks, and every gem of them would keep all.
fn are_weak<S: AsRef<str>>(groups: &[S]) -> Option<bool> {
    let is_for_developers = |group: &S| matches!(group.as_ref(), "development" | "test");
    (!groups.is_empty()).then(|| groups.iter().all(is_for_developers))
}

/// What a `Gemfile` says in so many words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gemfile {
    pub gems: Vec<Gem>,
    /// Plugins of bundler, which it installs and runs whatever the lockfile says.
    pub plugins: Vec<Gem>,
    /// Addresses of `source` without a block, and the lines that say so.
    pub sources: Vec<(Arc<str>, u32)>,
    /// Folders whose gem specifications are taken in, and the lines that say so.
    pub specifications: Vec<(String, u32)>,
    /// The first line that is not understood.
    pub computes: Option<u32>,
    /// The first line that asks for something whose name nothing shows, in a gem's specification.
    pub hides: Option<u32>,
    /// Whether a line may ask for more in a way that nothing shows. No group weakens a scope then.
    pub is_doubtful: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    /// A string without escapes and computed parts.
    Text(&'a str),
    /// A string with names of variables in it.
    Template,
    Symbol(&'a str),
    /// `name:`.
    Label(&'a str),
    Word(&'a str),
    /// `%w[a b]` and `%i[a b]`.
    Words(Vec<&'a str>),
    Mark(char),
    Arrow,
    /// Anything else.
    Other,
}

/// Reads a `Gemfile` of at most `cap` bytes.
pub(super) fn parse(bytes: &[u8], cap: u64) -> Result<Gemfile, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut reader = Reader::default();
    for (line, statement) in statements(text) {
        reader.statement(line, &statement);
    }
    if !reader.blocks.is_empty() {
        reader.computes(text.lines().count() as u32);
    }
    Ok(reader.found)
}

/// Reads the literal dependencies of a gem's specification (`*.gemspec`) of at most `cap` bytes. It computes where a
/// dependency is added in any other way.
pub(super) fn specification(bytes: &[u8], cap: u64) -> Result<Gemfile, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, malformed(1, "")));
    }
    let mut found = Gemfile::default();
    for (line, tokens) in statements(text) {
        let is_call = |token: &Token<'_>| matches!(token, Token::Word(word) if word.starts_with("add_"));
        let doubts =
            ["if", "unless", "each", "map", "send", "public_send", "__send__", "eval", "instance_eval", "case"];
        let is_doubtful = tokens.iter().any(|token| matches!(token, Token::Word(word) if doubts.contains(word)));
        found.is_doubtful |= is_doubtful;
        let is_named = |token: &Token<'_>| matches!(token, Token::Symbol(name) if name.starts_with("add_"));
        if tokens.iter().any(is_named) {
            found.computes.get_or_insert(line);
            found.hides.get_or_insert(line);
        }
        let evals = ["eval", "instance_eval", "send", "public_send", "__send__"];
        if tokens.iter().any(|token| matches!(token, Token::Word(word) if evals.contains(word))) {
            found.hides.get_or_insert(line);
        }
        let Some(at) = tokens.iter().position(is_call) else { continue };
        let (Some(Token::Word(verb)), rest) = (tokens.get(at), tokens.get(at + 1..).unwrap_or_default()) else {
            continue;
        };
        let rest = match (rest.first(), rest.last()) {
            (Some(Token::Mark('(')), Some(Token::Mark(')'))) => rest.get(1..rest.len() - 1).unwrap_or_default(),
            _ => rest,
        };
        let placed = arguments(rest).map(|arguments| arguments.placed).unwrap_or_default();
        let (Some((name, requirement)), true) = (placed.split_first(), verb.ends_with("dependency")) else {
            found.computes.get_or_insert(line);
            match rest.first() {
                // Which version is computed, and not which gem.
                Some(Token::Text(name)) if verb.ends_with("dependency") => {
                    found.gems.push(Gem { name: (*name).to_owned(), line, ..Gem::default() });
                }
                _ => _ = found.hides.get_or_insert(line),
            }
            continue;
        };
        found.gems.push(Gem {
            name: (*name).to_owned(),
            requirement: requirement.iter().map(|r| (*r).to_owned()).collect(),
            line,
            is_weak: *verb == "add_development_dependency",
            ..Gem::default()
        });
    }
    Ok(found)
}

/// Statements, each with its first line.
fn statements(text: &str) -> Vec<(u32, Vec<Token<'_>>)> {
    let mut all = Vec::new();
    let (mut now, mut start, mut depth): (Vec<Token<'_>>, u32, u32) = (Vec::new(), 1, 0);
    let mut is_comment = false;
    for (at, line) in text.lines().enumerate() {
        let number = at as u32 + 1;
        if line == "__END__" {
            break;
        }
        if line.starts_with("=begin") || line.starts_with("=end") {
            is_comment = line.starts_with("=begin");
            continue;
        }
        if is_comment {
            continue;
        }
        if now.is_empty() {
            start = number;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (token, after) = token(rest);
            rest = after.trim_start();
            match token {
                Token::Mark('(' | '[' | '{') => depth += 1,
                Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Token::Mark(';') if depth == 0 => {
                    all.push((start, std::mem::take(&mut now)));
                    start = number;
                    continue;
                }
                _ => {}
            }
            now.push(token);
        }
        let goes_on = depth > 0 || matches!(now.last(), Some(Token::Mark(',') | Token::Arrow));
        if (!goes_on || now.len() > MAX_TOKENS) && !now.is_empty() {
            depth = 0;
            all.push((start, std::mem::take(&mut now)));
        }
    }
    if !now.is_empty() {
        now.push(Token::Other);
        all.push((start, now));
    }
    all
}

/// The first token of a text that is neither empty nor starts with a space, and what follows it.
fn token(text: &str) -> (Token<'_>, &str) {
    let split = |end: usize| text.split_at_checked(end).unwrap_or((text, ""));
    let word = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '"' | '\'' => {
            let inner = text.get(1..).unwrap_or_default();
            // A string over several lines, or with an escape, is none that is read.
            let Some((body, rest)) = inner.split_once(first).filter(|(body, _)| !body.contains('\\')) else {
                return (Token::Other, "");
            };
            if let (Some(after), false) = (rest.strip_prefix(':'), rest.starts_with("::")) {
                return (Token::Label(body), after);
            }
            match (first, body.contains("#")) {
                ('"', true) => (if is_template(body) { Token::Template } else { Token::Other }, rest),
                _ => (Token::Text(body), rest),
            }
        }
        ':' => {
            let inner = text.get(1..).unwrap_or_default();
            let (name, rest) = inner.split_at_checked(word(inner)).unwrap_or((inner, ""));
            if name.is_empty() { (Token::Other, inner) } else { (Token::Symbol(name), rest) }
        }
        '%' => {
            let inner = text.strip_prefix("%w").or_else(|| text.strip_prefix("%i"));
            let body = inner.and_then(|inner| {
                let close = match inner.chars().next()? {
                    '[' => ']',
                    '(' => ')',
                    _ => return None,
                };
                inner.get(1..)?.split_once(close)
            });
            match body {
                Some((body, rest)) if !body.contains('\\') => {
                    (Token::Words(body.split_ascii_whitespace().collect()), rest)
                }
                _ => (Token::Other, ""),
            }
        }
        '=' if text.starts_with("=>") => (Token::Arrow, text.get(2..).unwrap_or_default()),
        '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '|' => (Token::Mark(first), text.get(1..).unwrap_or_default()),
        _ if first.is_ascii_alphanumeric() || first == '_' => {
            let (name, rest) = split(word(text));
            match rest.strip_prefix(':') {
                Some(after) if !after.starts_with(':') => (Token::Label(name), after),
                _ => (Token::Word(name), rest),
            }
        }
        _ => (Token::Other, text.get(first.len_utf8()..).unwrap_or_default()),
    }
}

/// Whether the computed parts of a string are plain names of variables.
fn is_template(body: &str) -> bool {
    body.split('#').skip(1).all(|part| {
        let name = part.strip_prefix('{').and_then(|part| part.split_once('}')).map(|(name, _)| name);
        name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    })
}

/// What an open block says of the gems in it.
#[derive(Debug, Clone, Default)]
struct Block {
    /// What [`are_weak`] says of its groups.
    is_weak: Option<bool>,
    is_limited: bool,
    is_unknown: bool,
    place: Option<(&'static str, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Reader {
    found: Gemfile,
    blocks: Vec<Block>,
}

/// A value as it is written in the arguments of a call.
#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Texts(Vec<&'a str>),
    Plain,
}

/// Arguments of a call: those by place, and those by name.
#[derive(Debug, Default)]
struct Arguments<'a> {
    placed: Vec<&'a str>,
    named: Vec<(&'a str, Value<'a>)>,
}

impl Reader {
    fn computes(&mut self, line: u32) {
        self.found.computes.get_or_insert(line);
    }

    fn statement(&mut self, line: u32, tokens: &[Token<'_>]) {
        if self.known(line, tokens).is_none() {
            self.unknown(line, tokens);
        }
    }

    /// Reads a statement of a known shape; `None` for another.
    fn known(&mut self, line: u32, tokens: &[Token<'_>]) -> Option<()> {
        let (Token::Word(verb), rest) = tokens.split_first()? else {
            return None;
        };
        if *verb == "end" {
            return if rest.is_empty() { self.blocks.pop().map(|_| ()) } else { None };
        }
        if *verb == "git_source" {
            return is_shorthand(rest).then_some(());
        }
        let (rest, opens) = match rest.split_last() {
            Some((Token::Word("do"), before)) => (before, true),
            _ => (rest, false),
        };
        let rest = match (rest.first(), rest.last()) {
            (Some(Token::Mark('(')), Some(Token::Mark(')'))) => rest.get(1..rest.len() - 1)?,
            _ => rest,
        };
        let arguments = arguments(rest)?;
        let mut block = Block::default();
        let address = || arguments.placed.first().copied().filter(|text| text.len() <= MAX_ADDRESS).map(Arc::from);
        match (*verb, opens) {
            ("gem", false) => {
                let gem = self.gem(line, &arguments)?;
                self.found.gems.push(gem);
            }
            ("plugin", false) => {
                let plugin = self.gem(line, &arguments)?;
                self.found.plugins.push(plugin);
                // It may change whatever bundler does.
                self.found.is_doubtful = true;
            }
            ("gemspec", false) => self.specification(line, &arguments),
            ("ruby", false) => {}
            ("source", false) => self.found.sources.push((address()?, line)),
            ("source", true) => block.place = Some(("source", address()?)),
            ("git", true) => block.place = Some(("git", address()?)),
            ("path", true) => block.place = Some(("path", address()?)),
            ("group", true) => block.is_weak = are_weak(&arguments.placed),
            ("platform" | "platforms", true) => block.is_limited = true,
            _ => return None,
        }
        if opens {
            self.open(line, block);
        }
        Some(())
    }

    fn specification(&mut self, line: u32, arguments: &Arguments<'_>) {
        let folder = arguments.named.iter().find_map(|(key, value)| match value {
            Value::Texts(texts) if *key == "path" => texts.first(),
            _ => None,
        });
        if self.found.specifications.len() < MAX_BLOCKS {
            self.found.specifications.push((folder.map_or_else(String::new, |folder| (*folder).to_owned()), line));
        } else {
            self.computes(line);
        }
    }

    fn open(&mut self, line: u32, block: Block) {
        if self.blocks.len() >= MAX_BLOCKS {
            return self.computes(line);
        }
        self.blocks.push(block);
    }

    fn gem(&self, line: u32, arguments: &Arguments<'_>) -> Option<Gem> {
        let (name, requirement) = arguments.placed.split_first()?;
        let mut weak: Option<bool> = self.blocks.iter().filter_map(|block| block.is_weak).reduce(|a, b| a && b);
        let mut gem = Gem {
            name: (*name).to_owned(),
            requirement: requirement.iter().map(|r| (*r).to_owned()).collect(),
            line,
            is_weak: false,
            is_certain: !self.blocks.iter().any(|block| block.is_unknown),
            is_limited: self.blocks.iter().any(|block| block.is_limited),
            place: self.blocks.iter().rev().find_map(|block| block.place.clone()),
        };
        for (key, value) in &arguments.named {
            let texts: &[&str] = if let Value::Texts(texts) = value { texts } else { &[] };
            let text = || texts.first().copied().filter(|text| text.len() <= MAX_ADDRESS);
            match *key {
                "group" | "groups" => weak = Some(are_weak(texts)? && weak.unwrap_or(true)),
                "platform" | "platforms" | "install_if" => gem.is_limited = true,
                "git" => gem.place = Some(("git", text()?.into())),
                // Hosts have short names; which ones is for bundler to know.
                "github" | "gist" | "bitbucket" | "gitlab" => {
                    gem.place = Some(("git", format!("{key}:{}", text()?).into()));
                }
                "path" => gem.place = Some(("path", text()?.into())),
                "source" => gem.place = Some(("source", text()?.into())),
                _ => {}
            }
        }
        gem.is_weak = weak == Some(true);
        Some(gem)
    }

    /// `gem … if …`, where all before the condition is literal.
    fn under_condition(&self, line: u32, tokens: &[Token<'_>]) -> Option<Gem> {
        let end = tokens.iter().position(|token| matches!(token, Token::Word("if" | "unless")))?;
        let (Token::Word("gem"), rest) = tokens.get(..end)?.split_first()? else { return None };
        let gem = self.gem(line, &arguments(rest)?)?;
        Some(Gem { is_certain: false, ..gem })
    }

    /// A statement of any other shape. A gem that it names is asked for at run time.
    fn unknown(&mut self, line: u32, tokens: &[Token<'_>]) {
        self.computes(line);
        let plain = self.under_condition(line, tokens);
        let is_plain = plain.is_some();
        self.found.gems.extend(plain);
        for pair in tokens.windows(3) {
            let (verb, name) = match pair {
                [Token::Word(verb), Token::Text(name), _]
                | [Token::Word(verb), Token::Mark('('), Token::Text(name)] => (*verb, *name),
                _ => continue,
            };
            let gem = || Gem { name: name.to_owned(), line, ..Gem::default() };
            match verb {
                "gem" if !is_plain => self.found.gems.push(gem()),
                "plugin" => self.found.plugins.push(gem()),
                _ => {}
            }
        }
        let starts = ["if", "unless", "case", "while", "until", "begin", "def", "class", "module", "for"];
        let first = matches!(tokens.first(), Some(Token::Word(word)) if starts.contains(word));
        let count = |wanted: &str| tokens.iter().filter(|t| matches!(t, Token::Word(word) if *word == wanted)).count();
        let (opened, closed) = (count("do") + usize::from(first), count("end"));
        for _ in closed..opened {
            self.open(line, Block { is_unknown: true, ..Block::default() });
        }
        for _ in opened..closed {
            self.blocks.pop();
        }
    }
}

/// `(:name) { |repo| "…#{repo}" }`: how to spell an address, and no more.
fn is_shorthand(tokens: &[Token<'_>]) -> bool {
    let tokens: Vec<&Token<'_>> = tokens.iter().filter(|t| !matches!(t, Token::Mark('(' | ')'))).collect();
    let body = match tokens.as_slice() {
        [Token::Symbol(_), Token::Mark('{'), body @ .., Token::Mark('}')] => body,
        _ => return false,
    };
    matches!(body, [Token::Mark('|'), Token::Word(_), Token::Mark('|'), Token::Template])
}

/// The arguments of a call, all of them literal.
fn arguments<'a>(tokens: &[Token<'a>]) -> Option<Arguments<'a>> {
    let mut found = Arguments::default();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        let (key, after) = match (first, after.split_first()) {
            (Token::Label(key), _) => (Some(*key), after),
            (Token::Symbol(key) | Token::Text(key), Some((Token::Arrow, after))) => (Some(*key), after),
            _ => (None, rest),
        };
        let (value, after) = value(after)?;
        match (key, value) {
            (Some(key), value) => found.named.push((key, value)),
            (None, Value::Texts(texts)) => found.placed.extend(texts),
            (None, Value::Plain) => return None,
        }
        rest = match after.split_first() {
            None => after,
            Some((Token::Mark(','), after)) if !after.is_empty() => after,
            Some(_) => return None,
        };
    }
    Some(found)
}

fn value<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Value<'a>, &'t [Token<'a>])> {
    let (first, mut rest) = tokens.split_first()?;
    let value = match first {
        Token::Text(text) | Token::Symbol(text) => Value::Texts(vec![text]),
        Token::Words(words) => Value::Texts(words.clone()),
        Token::Word("true" | "false" | "nil") => Value::Plain,
        Token::Mark('[') => {
            let mut all = Vec::new();
            loop {
                match rest.split_first()? {
                    (Token::Mark(']'), after) => {
                        rest = after;
                        break;
                    }
                    (Token::Mark(','), after) => rest = after,
                    (Token::Text(text) | Token::Symbol(text), after) => {
                        all.push(*text);
                        rest = after;
                    }
                    _ => return None,
                }
            }
            Value::Texts(all)
        }
        _ => return None,
    };
    Some((value, rest))
}
