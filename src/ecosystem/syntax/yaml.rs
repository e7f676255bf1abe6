//! YAML as a tree of values with places.
//!
//! Scalars keep their text: whether `1.10` is a number is the reader's question, not the file's. Aliases are resolved
//! by copying, and what is copied counts against the same limit as what is written, so a bomb is refused and not blown
//! up. Merge keys (`<<`) stay what they are: a key. No document holds tags of its own making.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{MAX_NESTING, MAX_VALUES, explain, malformed, text};
use crate::model::tree::Unread;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// The line it starts on, counted from 1.
    pub line: u32,
    /// What it is.
    pub value: Value<'a>,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A scalar, unescaped, and whether it is plain: without quotes, so that it may be no text.
    Scalar(Cow<'a, str>, bool),
    /// A sequence.
    List(Vec<Node<'a>>),
    /// A mapping with scalar keys, in the order of the file. No key stands twice.
    Table(Vec<Member<'a>>),
}

/// A member of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The line of the key.
    pub line: u32,
    /// The value.
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// The text of a scalar; `None` for a plain null (empty, `~`, `null`) and for what is no scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, true) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL") => None,
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The members of a mapping; none for another value.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Table(members) => members,
            _ => &[],
        }
    }

    /// The items of a sequence; none for another value.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Whether it is a mapping.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }

    /// The member of that key. Walks the mapping: for small ones.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Member<'a>> {
        self.members().iter().find(|member| member.key == key)
    }

    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|member| &member.node)
    }

    /// The text of that key, where it is a scalar and not null.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// Whether that key says `true`.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        self.text_of(key) == Some("true")
    }
}

/// Reads the first document of a file of at most `cap` bytes; an empty file is an empty scalar.
///
/// # Errors
/// Too large, not UTF-8, malformed, a key twice, a key that is no scalar, a second document, nested too deep, too many
/// values once aliases are resolved.
pub fn read(bytes: &[u8], cap: u64) -> Result<Node<'_>, Unread> {
    let text = text(bytes, cap)?;
    parse(text).map_err(|error| explain(text, error))
}

/// Reads every document of a file of at most `cap` bytes.
///
/// # Errors
/// As [`read`], more documents than one aside.
pub fn read_all(bytes: &[u8], cap: u64) -> Result<Vec<Node<'_>>, Unread> {
    let text = text(bytes, cap)?;
    documents(text).map_err(|error| explain(text, error))
}

fn parse(text: &str) -> Result<Node<'_>, Unread> {
    let mut all = documents(text)?;
    if let Some(second) = all.get(1) {
        return Err(malformed(second.line, "a second document"));
    }
    Ok(all.pop().unwrap_or(Node { line: 1, value: Value::Scalar(Cow::Borrowed(""), true) }))
}

/// What is open: a sequence, or a mapping with the key that waits for its value.
enum Open<'a> {
    List(Vec<Node<'a>>),
    Table { members: Vec<Member<'a>>, key: Option<(Cow<'a, str>, u32)>, seen: HashSet<Cow<'a, str>> },
}

struct Frame<'a> {
    line: u32,
    anchor: usize,
    open: Open<'a>,
}

fn documents(text: &str) -> Result<Vec<Node<'_>>, Unread> {
    let mut roots = Vec::new();
    let mut stack: Vec<Frame<'_>> = Vec::new();
    let mut anchors: HashMap<usize, (Node<'_>, (usize, usize))> = HashMap::new();
    let mut count = 0usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| malformed(error.marker().line() as u32, error.info()))?;
        let line = line(&span);
        count += 1;
        let node = match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = Node { line, value: Value::Scalar(text, style == ScalarStyle::Plain) };
                if anchor > 0 {
                    anchors.insert(anchor, (node.clone(), size(&node)));
                }
                node
            }
            Event::Alias(anchor) => {
                // An alias inside of what it names is met before that is whole: it names nothing yet.
                let (node, (size, depth)) =
                    anchors.get(&anchor).ok_or_else(|| malformed(line, "an alias of what it stands in"))?;
                count = count.saturating_add(*size);
                if count > MAX_VALUES {
                    return Err(malformed(line, format!("more than {MAX_VALUES} values, aliases resolved")));
                }
                if stack.len() + depth > MAX_NESTING {
                    return Err(malformed(line, format!("nested deeper than {MAX_NESTING}, aliases resolved")));
                }
                node.clone()
            }
            Event::SequenceStart(anchor, _) => {
                stack.push(Frame { line, anchor, open: Open::List(Vec::new()) });
                if stack.len() > MAX_NESTING {
                    return Err(malformed(line, format!("nested deeper than {MAX_NESTING}")));
                }
                continue;
            }
            Event::MappingStart(anchor, _) => {
                let open = Open::Table { members: Vec::new(), key: None, seen: HashSet::new() };
                stack.push(Frame { line, anchor, open });
                if stack.len() > MAX_NESTING {
                    return Err(malformed(line, format!("nested deeper than {MAX_NESTING}")));
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = stack.pop() else { continue };
                let value = match frame.open {
                    Open::List(items) => Value::List(items),
                    Open::Table { members, .. } => Value::Table(members),
                };
                let node = Node { line: frame.line, value };
                if frame.anchor > 0 {
                    let size = size(&node);
                    count = count.saturating_add(size.0);
                    anchors.insert(frame.anchor, (node.clone(), size));
                }
                node
            }
            Event::DocumentStart(_) => {
                anchors.clear();
                continue;
            }
            _ => continue,
        };
        if count > MAX_VALUES {
            return Err(malformed(line, format!("more than {MAX_VALUES} values")));
        }
        match stack.last_mut() {
            None => roots.push(node),
            Some(frame) => frame.open.take(node)?,
        }
    }
    Ok(roots)
}

impl<'a> Open<'a> {
    fn take(&mut self, node: Node<'a>) -> Result<(), Unread> {
        let (members, key, seen) = match self {
            Self::List(items) => {
                items.push(node);
                return Ok(());
            }
            Self::Table { members, key, seen } => (members, key, seen),
        };
        let Some((name, line)) = key.take() else {
            let Value::Scalar(text, _) = node.value else {
                return Err(malformed(node.line, "a key that is no scalar"));
            };
            *key = Some((text, node.line));
            return Ok(());
        };
        let is_twice = if members.len() < 16 {
            members.iter().any(|member| member.key == name)
        } else {
            if seen.is_empty() {
                seen.extend(members.iter().map(|member| member.key.clone()));
            }
            !seen.insert(name.clone())
        };
        if is_twice {
            let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
            return Err(malformed(line, format!("the key `{shown}` stands twice")));
        }
        members.push(Member { key: name, line, node });
        Ok(())
    }
}

fn line(span: &Span) -> u32 {
    span.start.line() as u32
}

/// Bytes of a text that weigh as much as one more value, where an alias copies it.
const BYTES_A_VALUE: usize = 64;

/// The values in a node, long texts counted as several, and how deep it is nested.
fn size(node: &Node<'_>) -> (usize, usize) {
    let add = |(count, depth): (usize, usize), node: &Node<'_>, keys: usize| {
        let (more, below) = size(node);
        (count + more + keys, depth.max(below + 1))
    };
    match &node.value {
        Value::Scalar(text, _) => (1 + text.len() / BYTES_A_VALUE, 0),
        Value::List(items) => items.iter().fold((1, 1), |sum, item| add(sum, item, 0)),
        Value::Table(members) => {
            members.iter().fold((1, 1), |sum, m| add(sum, &m.node, 1 + m.key.len() / BYTES_A_VALUE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: u64 = 1 << 30;

    #[test]
    fn values_have_places_and_keep_their_text() {
        let node = read(b"a: 1.10\nb:\n  - x: \"y\\tz\"\n    n: ~\n  - &k {q: r}\n  - *k\n'c': 'null'\n", CAP).unwrap();
        assert_eq!((node.text_of("a"), node.text_of("c")), (Some("1.10"), Some("null")));
        let items = node.get("b").unwrap().items();
        assert_eq!((items[0].text_of("x"), items[0].text_of("n"), items[0].line), (Some("y\tz"), None, 3));
        assert_eq!((items[2].text_of("q"), node.member("c").unwrap().line), (Some("r"), 7));
        assert_eq!(read(b"", CAP).unwrap().text(), None);
    }

    #[test]
    fn bombs_cycles_and_doubt_are_refused() {
        let error = |text: &str| read(text.as_bytes(), CAP).unwrap_err().to_string();
        assert_eq!(error("a: 1\nb: 2\na: 3\n"), "line 3: the key `a` stands twice");
        let bomb: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
        assert!(error(&format!("a0: &a0 [x, x, x, x]\n{bomb}")).contains("values"));
        let text = format!("x: &a \"{}\"\ny: [{}]\n", "y".repeat(1_000_000), "*a, ".repeat(1_000));
        assert!(error(&text).contains("values"));
        let deep: String = (1..250).map(|n| format!("a{n}: &a{n} [[[[*a{}]]]]\n", n - 1)).collect();
        assert!(error(&format!("a0: &a0 [x]\n{deep}")).contains("nested deeper"));
        assert!(error("a: &a [*a]\n").contains("stands in"));
        assert!(error(&"[".repeat(30_000)).starts_with("line 1"));
        assert!(error(&"- ".repeat(30_000)).contains("line 1"));
        assert_eq!(error("a: 1\n---\nb: 2\n"), "line 3: a second document");
        assert!(error("? [a]\n: b\n").contains("no scalar"));
        assert!(error("a: *nothing\n").starts_with("line 1"));
    }
}
