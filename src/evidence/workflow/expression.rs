//! `${{ … }}`: where expressions stand in a text, what they are, and which context values their result carries.
//!
//! Grammar and functions: docs.github.com, "Evaluate expressions in workflows and actions". Names are compared without
//! regard to case; `a['b']`, `a.b` and `a . b` are one path; an index that is not a literal, a number or `*` may be any
//! member. `a && b` yields `a` only where that is falsy, so only `b` is carried; comparisons and tests carry nothing.
//! What does not parse carries every path in it.

/// Nesting of one expression; brackets count twice. GitHub's own limit is 50 brackets.
const MAX_DEPTH: usize = 100;

/// A part of a path below its context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A member, in lower case.
    Name(String),
    /// Any of them.
    Any,
}

/// A path such as `github.event.issue.title`.
pub(super) type Path = Vec<Part>;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A context value.
    Path(Path),
    /// A number, a string, `true`, `false` or `null`.
    Literal(Kind, String),
    /// A function, in lower case, with what it is given. An index that could not be resolved is one of `index`.
    Call(String, Vec<Expression>),
    /// `||`.
    Or(Vec<Expression>),
    /// `&&`.
    And(Vec<Expression>),
    /// `!`.
    Not(Box<Expression>),
    /// A comparison; whether it is `==`, whether it is `!=`.
    Compare(Relation, Box<Expression>, Box<Expression>),
}

/// What a literal is. GitHub compares values of two types as numbers, so `true` is not `'true'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text in quotes.
    Text,
    /// `true`, `false`, `null`, or a number.
    Bare,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Other,
}

/// An expression in a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found<'t> {
    /// Bytes before it.
    pub offset: usize,
    /// Without its braces.
    pub source: &'t str,
    /// What it is; `None` where it does not parse.
    pub expression: Option<Expression>,
}

/// What an expression's result carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Carried {
    pub path: Path,
    /// Whether an object there is written out with all it holds (`toJSON`).
    pub is_whole: bool,
}

/// A path as text.
pub(super) fn spelt(path: &[Part]) -> String {
    let parts = path.iter().map(|part| match part {
        Part::Name(name) => name.as_str(),
        Part::Any => "*",
    });
    super::read::shown(&parts.collect::<Vec<_>>().join("."))
}

/// Every expression of a text. One that is not closed reaches to the end.
pub(super) fn find(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut before) = (text, 0);
    while let Some((skipped, after)) = rest.split_once("${{") {
        let length = length_of(after);
        let source = after.get(..length).unwrap_or_default();
        found.push(Found { offset: before + skipped.len(), source, expression: parse(source) });
        let next = (length + 2).min(after.len());
        before += skipped.len() + 3 + next;
        rest = after.get(next..).unwrap_or_default();
    }
    found
}

/// Bytes before the `}}` that closes an expression: one in a string closes nothing.
pub(super) fn length_of(after: &str) -> usize {
    let mut in_string = false;
    let mut last = 0;
    for (at, byte) in after.bytes().enumerate() {
        match byte {
            b'\'' => in_string = !in_string,
            b'}' if !in_string && last == b'}' => return at - 1,
            _ => {}
        }
        last = if in_string { 0 } else { byte };
    }
    after.len()
}

/// The expression of an `if`, with braces or without. Where there are braces, anything around them, white space and the
/// line's end of a block scalar too, makes a string of the result. A string is true: not what the author meant, and no
/// guard.
pub(super) fn condition(text: &str) -> Option<Expression> {
    if !text.contains("${{") {
        return parse(text);
    }
    let inner = text.strip_prefix("${{")?;
    let length = length_of(inner);
    if inner.get(length..) != Some("}}") {
        return None;
    }
    parse(inner.get(..length)?)
}

/// What the results of all expressions of a text carry, with where each expression stands.
pub(super) fn carried(text: &str) -> Vec<(usize, Carried)> {
    let mut all = Vec::new();
    for found in find(text) {
        let mut here = Vec::new();
        match &found.expression {
            Some(expression) => carries(expression, false, &mut here),
            None => here = paths(found.source).into_iter().map(|path| Carried { path, is_whole: true }).collect(),
        }
        here.sort();
        here.dedup();
        all.extend(here.into_iter().map(|carried| (found.offset, carried)));
    }
    all
}

fn carries(expression: &Expression, is_whole: bool, found: &mut Vec<Carried>) {
    match expression {
        Expression::Path(path) => found.push(Carried { path: path.clone(), is_whole }),
        Expression::Literal(..) | Expression::Not(_) | Expression::Compare(..) => {}
        Expression::Or(all) => all.iter().for_each(|each| carries(each, is_whole, found)),
        Expression::And(all) => all.last().into_iter().for_each(|each| carries(each, is_whole, found)),
        Expression::Call(name, given) => match name.as_str() {
            "contains" | "startswith" | "endswith" | "hashfiles" | "success" | "failure" | "always" | "cancelled" => {}
            "tojson" | "fromjson" | "index" => given.iter().for_each(|each| carries(each, true, found)),
            _ => given.iter().for_each(|each| carries(each, is_whole, found)),
        },
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["==", "!=", "<=", ">=", "&&", "||", "!", "<", ">", "(", ")", "[", "]", ".", ",", "*"];

/// The tokens, or `None` at a character that no expression holds.
fn tokens(source: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let size = if first == '\'' {
            let (text, size) = string(rest);
            found.push(Token::Text(text));
            size
        } else if first.is_ascii_alphabetic() || first == '_' {
            let size = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
            found.push(Token::Name(rest.get(..size)?.to_ascii_lowercase()));
            size
        } else if first.is_ascii_digit() || (matches!(first, '-' | '+') && rest.len() > 1) {
            let size = 1 + rest.bytes().skip(1).take_while(|b| b.is_ascii_alphanumeric() || *b == b'.').count();
            found.push(Token::Number(rest.get(..size)?.to_owned()));
            size
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            found.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest.get(size..)?.trim_start();
    }
    Some(found)
}

/// A quoted string, its quote doubled where it holds one, and the bytes that it takes.
fn string(text: &str) -> (String, usize) {
    let (mut out, mut size) = (String::new(), 1);
    let mut chars = text.chars().skip(1).peekable();
    while let Some(c) = chars.next() {
        size += c.len_utf8();
        if c == '\'' {
            if chars.next_if_eq(&'\'').is_none() {
                break;
            }
            size += 1;
        }
        out.push(c);
    }
    (out, size)
}

/// Every path of a text that is no expression: names with what hangs on them.
fn paths(source: &str) -> Vec<Path> {
    // Characters that no expression holds part the rest.
    let clean: String = source
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-.*[]'()&|!=<>, ".contains(c) { c } else { ',' })
        .collect();
    let tokens = tokens(&clean).unwrap_or_default();
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut found = Vec::new();
    while let Some(token) = parser.next() {
        if let Token::Name(name) = token {
            let mut path = vec![Part::Name(name.clone())];
            while let Some(part) = parser.plain_part() {
                path.push(part);
            }
            found.push(path);
        }
    }
    found
}

/// Parses one expression.
pub(super) fn parse(source: &str) -> Option<Expression> {
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let expression = parser.or(0)?;
    (parser.at == tokens.len()).then_some(expression)
}

struct Parser<'k> {
    tokens: &'k [Token],
    at: usize,
}

impl<'k> Parser<'k> {
    fn next(&mut self) -> Option<&'k Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn or(&mut self, depth: usize) -> Option<Expression> {
        let mut all = vec![self.and(depth)?];
        while self.sign("||") {
            all.push(self.and(depth)?);
        }
        if all.len() == 1 { all.pop() } else { Some(Expression::Or(all)) }
    }

    fn and(&mut self, depth: usize) -> Option<Expression> {
        let mut all = vec![self.compare(depth)?];
        while self.sign("&&") {
            all.push(self.compare(depth)?);
        }
        if all.len() == 1 { all.pop() } else { Some(Expression::And(all)) }
    }

    fn compare(&mut self, depth: usize) -> Option<Expression> {
        let mut left = self.unary(depth)?;
        for _ in 0..MAX_DEPTH {
            let relation = if self.sign("==") {
                Relation::Equal
            } else if self.sign("!=") {
                Relation::Unequal
            } else if ["<=", ">=", "<", ">"].iter().any(|sign| self.sign(sign)) {
                Relation::Other
            } else {
                return Some(left);
            };
            left = Expression::Compare(relation, Box::new(left), Box::new(self.unary(depth)?));
        }
        None
    }

    fn unary(&mut self, depth: usize) -> Option<Expression> {
        let mut count = 0usize;
        while self.sign("!") {
            count += 1;
        }
        let inner = self.postfix(depth + 1)?;
        Some(match count {
            0 => inner,
            // Two of them make a truth of it, and no text.
            n if n % 2 == 0 => Expression::Not(Box::new(Expression::Not(Box::new(inner)))),
            _ => Expression::Not(Box::new(inner)),
        })
    }

    fn postfix(&mut self, depth: usize) -> Option<Expression> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.primary(depth)?;
        loop {
            if let Some(part) = self.plain_part() {
                // What hangs on a call's result is part of what the call carries.
                match &mut value {
                    Expression::Path(path) => path.push(part),
                    Expression::Call(name, _) if name == "index" => {}
                    _ => value = Expression::Call("index".to_owned(), vec![value]),
                }
            } else if self.sign("[") {
                let index = self.or(depth + 1)?;
                if !self.sign("]") {
                    return None;
                }
                match &mut value {
                    Expression::Path(path) => path.push(Part::Any),
                    Expression::Call(name, given) if name == "index" => given.push(index),
                    _ => value = Expression::Call("index".to_owned(), vec![value, index]),
                }
            } else {
                return Some(value);
            }
        }
    }

    /// `.name`, `.*`, `['name']`, `[0]`, `[*]`.
    fn plain_part(&mut self) -> Option<Part> {
        let part = |at: usize| self.tokens.get(self.at + at);
        let (part, size) = match (part(0)?, part(1)?, part(2)) {
            (Token::Sign("."), Token::Name(name), _) => (Part::Name(name.clone()), 2),
            (Token::Sign("."), Token::Sign("*"), _) => (Part::Any, 2),
            (Token::Sign("["), Token::Text(name), Some(Token::Sign("]"))) => (Part::Name(name.to_ascii_lowercase()), 3),
            (Token::Sign("["), Token::Number(_) | Token::Sign("*"), Some(Token::Sign("]"))) => (Part::Any, 3),
            _ => return None,
        };
        self.at += size;
        Some(part)
    }

    fn primary(&mut self, depth: usize) -> Option<Expression> {
        match self.next()? {
            Token::Text(text) => Some(Expression::Literal(Kind::Text, text.clone())),
            Token::Number(text) => Some(Expression::Literal(Kind::Bare, text.clone())),
            Token::Name(name) if self.sign("(") => {
                let mut given = Vec::new();
                if !self.sign(")") {
                    given.push(self.or(depth + 1)?);
                    while self.sign(",") {
                        given.push(self.or(depth + 1)?);
                    }
                    if !self.sign(")") {
                        return None;
                    }
                }
                Some(Expression::Call(name.clone(), given))
            }
            Token::Name(name) if matches!(name.as_str(), "true" | "false" | "null" | "nan" | "infinity") => {
                Some(Expression::Literal(Kind::Bare, name.clone()))
            }
            Token::Name(name) => Some(Expression::Path(vec![Part::Name(name.clone())])),
            Token::Sign("(") => {
                let inner = self.or(depth + 1)?;
                self.sign(")").then_some(inner)
            }
            Token::Sign(_) => None,
        }
    }
}
