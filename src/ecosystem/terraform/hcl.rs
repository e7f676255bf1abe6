//! The part of HCL (its native syntax specification) that a lockfile of Terraform is written in: blocks with labels,
//! attributes, texts and lists of texts. All else is refused.

use crate::ecosystem::syntax::malformed;
use crate::model::tree::Unread;

/// Blocks, attributes and texts of one file.
const MAX_VALUES: usize = 4_000_000;

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its type.
    pub kind: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its attributes. None stands twice.
    pub attributes: Vec<Attribute>,
    /// The line that it starts on, counted from 1.
    pub line: u32,
}

/// An attribute of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// Its one text, or the texts of its list.
    pub value: Value,
    /// The line of its name.
    pub line: u32,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

impl Block {
    /// The attribute of that name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.key == key)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
    Newline,
    End,
}

struct Tokens<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    line: u32,
    /// The line on which the last token started.
    at: u32,
    count: usize,
}

/// Reads the blocks of a text.
///
/// # Errors
/// [`Unread`] with the line of what is not in this part of the language.
pub fn parse(text: &str) -> Result<Vec<Block>, Unread> {
    if let Some((_, line)) = text.lines().zip(1..).find(|(line, _)| line.starts_with("<<<<<<<")) {
        return Err(malformed(line, "conflict markers (`<<<<<<<`): a merge was left unfinished"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tokens = Tokens { rest: text.chars().peekable(), line: 1, at: 1, count: 0 };
    let mut blocks = Vec::new();
    loop {
        match tokens.next()? {
            Token::Newline => {}
            Token::End => return Ok(blocks),
            Token::Word(kind) => blocks.push(block(kind, &mut tokens)?),
            _ => return Err(malformed(tokens.at, "expected a block")),
        }
    }
}

fn block(kind: String, tokens: &mut Tokens<'_>) -> Result<Block, Unread> {
    let line = tokens.at;
    let mut block = Block { kind, labels: Vec::new(), attributes: Vec::new(), line };
    loop {
        match tokens.next()? {
            Token::Text(label) => block.labels.push(label),
            Token::Sign('{') => break,
            _ => return Err(malformed(tokens.at, "expected a label in quotes or `{`")),
        }
    }
    loop {
        match tokens.next()? {
            Token::Newline => {}
            Token::Sign('}') => break,
            Token::Word(key) => {
                let line = tokens.at;
                if tokens.next()? != Token::Sign('=') {
                    return Err(malformed(tokens.at, "expected `=`"));
                }
                // A handful of names is known, and a file of others should not take quadratic time.
                if block.attributes.len() >= 64 {
                    return Err(malformed(line, "more than 64 attributes in one block"));
                }
                if block.get(&key).is_some() {
                    return Err(malformed(line, format!("the attribute `{key}` stands twice")));
                }
                let value = value(tokens)?;
                block.attributes.push(Attribute { key, value, line });
                match tokens.next()? {
                    Token::Newline => {}
                    Token::Sign('}') => break,
                    _ => return Err(malformed(tokens.at, "expected the line to end after the value")),
                }
            }
            _ => return Err(malformed(tokens.at, "expected an attribute or `}`")),
        }
    }
    match tokens.next()? {
        Token::Newline | Token::End => Ok(block),
        _ => Err(malformed(tokens.at, "expected the line to end after the block")),
    }
}

fn value(tokens: &mut Tokens<'_>) -> Result<Value, Unread> {
    match tokens.next()? {
        Token::Text(text) => Ok(Value::Text(text)),
        Token::Sign('[') => {
            let mut texts = Vec::new();
            let mut is_after_text = false;
            loop {
                match tokens.next()? {
                    Token::Newline => {}
                    Token::Sign(']') => return Ok(Value::List(texts)),
                    Token::Sign(',') if is_after_text => is_after_text = false,
                    Token::Text(text) if !is_after_text => {
                        texts.push(text);
                        is_after_text = true;
                    }
                    _ => return Err(malformed(tokens.at, "expected a text, `,` or `]`")),
                }
            }
        }
        _ => Err(malformed(tokens.at, "a value that is neither a text nor a list of texts")),
    }
}

impl Tokens<'_> {
    fn next(&mut self) -> Result<Token, Unread> {
        self.count += 1;
        if self.count > MAX_VALUES {
            return Err(malformed(self.line, format!("more than {MAX_VALUES} words")));
        }
        loop {
            self.at = self.line;
            let Some(c) = self.rest.next() else { return Ok(Token::End) };
            match c {
                ' ' | '\t' | '\r' => {}
                '\n' => {
                    self.line += 1;
                    return Ok(Token::Newline);
                }
                '#' => self.skip_line(),
                '/' => match self.rest.next() {
                    Some('/') => self.skip_line(),
                    Some('*') => self.skip_comment()?,
                    _ => return Err(malformed(self.line, "a `/` that starts no comment")),
                },
                '"' => return self.text().map(Token::Text),
                '{' | '}' | '[' | ']' | '=' | ',' => return Ok(Token::Sign(c)),
                _ if c.is_ascii_alphabetic() || c == '_' => {
                    let mut word = String::from(c);
                    let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                    while let Some(c) = self.rest.next_if(is_part) {
                        word.push(c);
                    }
                    return Ok(Token::Word(word));
                }
                _ => return Err(malformed(self.line, format!("`{}` is not expected here", c.escape_debug()))),
            }
        }
    }

    /// Up to the end of the line, which stays.
    fn skip_line(&mut self) {
        while self.rest.next_if(|c| *c != '\n').is_some() {}
    }

    fn skip_comment(&mut self) -> Result<(), Unread> {
        let start = self.line;
        while let Some(c) = self.rest.next() {
            match c {
                '\n' => self.line += 1,
                '*' if self.rest.next_if_eq(&'/').is_some() => return Ok(()),
                _ => {}
            }
        }
        Err(malformed(start, "a comment that has no end"))
    }

    fn text(&mut self) -> Result<String, Unread> {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return Ok(text),
                '\n' => break,
                '\\' => match self.rest.next() {
                    Some(c @ ('"' | '\\')) => text.push(c),
                    _ => return Err(malformed(self.line, "an escape that no address and no hash needs")),
                },
                '$' | '%' if self.rest.peek() == Some(&'{') => {
                    return Err(malformed(self.line, "a template where a plain text is expected"));
                }
                _ => text.push(c),
            }
        }
        Err(malformed(self.line, "a text whose quotes do not close"))
    }
}
