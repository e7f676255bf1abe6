//! JSON as a tree of values with places.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Lines, MAX_NESTING, MAX_VALUES, explain, malformed, text};
use crate::model::tree::Unread;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number. Lockfiles hold small whole ones.
    Number(f64),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object.
    Table(Table<'a>),
}

/// An object: its members in the order of the file. No key stands twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table<'a>(Vec<Member<'a>>);

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// Byte offset of the key; of what was read before it where the key holds an escape.
    pub at: u32,
    /// The value.
    pub value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The object, where it is one.
    #[must_use]
    pub const fn table(&self) -> Option<&Table<'a>> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The list, where it is one.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The number, where it is a whole one that is not negative.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        match self {
            Self::Number(number) if *number >= 0.0 && number.fract() == 0.0 && *number < 9e15 => Some(*number as u64),
            _ => None,
        }
    }
}

impl<'a> Table<'a> {
    /// The members in the order of the file.
    pub fn members(&self) -> std::slice::Iter<'_, Member<'a>> {
        self.0.iter()
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member of that key. Walks the object: for small ones.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Member<'a>> {
        self.0.iter().find(|member| member.key == key)
    }

    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.member(key).map(|member| &member.value)
    }

    /// The text of that key, where it is one.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::text)
    }

    /// The object of that key, where it is one.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<&Self> {
        self.get(key).and_then(Value::table)
    }

    /// The list of that key, where it is one; empty otherwise.
    #[must_use]
    pub fn list(&self, key: &str) -> &[Value<'a>] {
        self.get(key).and_then(Value::list).unwrap_or_default()
    }

    /// Whether that key says `true`.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Flag(true)))
    }
}

/// A document: its value, and where its lines start.
#[derive(Debug)]
pub struct Document<'a> {
    /// The value.
    pub value: Value<'a>,
    /// Where lines start.
    pub lines: Lines,
}

impl<'a> Document<'a> {
    /// The object that the document is.
    ///
    /// # Errors
    /// [`Unread`] where it is another value.
    pub fn table(&self) -> Result<&Table<'a>, Unread> {
        self.value.table().ok_or_else(|| malformed(1, "not an object"))
    }

    /// The line of a member, counted from 1.
    #[must_use]
    pub fn line(&self, member: &Member<'_>) -> u32 {
        self.lines.of(member.at as usize)
    }
}

/// Reads a document of at most `cap` bytes.
///
/// # Errors
/// Too large, not UTF-8, malformed, a key twice, nested too deep, too many values.
pub fn read(bytes: &[u8], cap: u64) -> Result<Document<'_>, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    parse(text).map_err(|error| explain(text, error))
}

/// Reads a text. Lines count from its start.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Document<'_>, Unread> {
    let state = State { base: text.as_ptr() as usize, last: Cell::new(0), left: Cell::new(MAX_VALUES) };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { state: &state, depth: 0 };
    let value = seed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| malformed(error.line() as u32, reason(&error)))?;
    Ok(Document { value, lines: Lines::new(text) })
}

/// What the error says, without its place, which is said elsewhere.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

struct State {
    base: usize,
    /// Offset of the last text that was borrowed from the input.
    last: Cell<u32>,
    left: Cell<usize>,
}

impl State {
    fn borrowed(&self, text: &str) -> u32 {
        let at = (text.as_ptr() as usize).saturating_sub(self.base) as u32;
        self.last.set(at);
        at
    }
}

#[derive(Clone, Copy)]
struct Seed<'s> {
    state: &'s State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        let left = self.state.left.get();
        if left == 0 {
            return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values")));
        }
        if self.depth > MAX_NESTING {
            return Err(D::Error::custom(format_args!("nested deeper than {MAX_NESTING}")));
        }
        self.state.left.set(left - 1);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        self.state.borrowed(text);
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = items.next_element_seed(Seed { depth: self.depth + 1, ..self })? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let mut table = Vec::new();
        let mut seen = HashSet::new();
        while let Some((key, at)) = members.next_key_seed(Key(self.state))? {
            // A set costs more than a look at a few keys.
            let is_twice = if table.len() < 16 {
                table.iter().any(|member: &Member<'_>| member.key == key)
            } else {
                if seen.is_empty() {
                    seen.extend(table.iter().map(|member| member.key.clone()));
                }
                !seen.insert(key.clone())
            };
            if is_twice {
                let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
                return Err(A::Error::custom(format_args!("the key `{shown}` stands twice")));
            }
            let value = members.next_value_seed(Seed { depth: self.depth + 1, ..self })?;
            table.push(Member { key, at, value });
        }
        Ok(Value::Table(Table(table)))
    }
}

struct Key<'s>(&'s State);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = (Cow<'de, str>, u32);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = (Cow<'de, str>, u32);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        let at = self.0.borrowed(text);
        Ok((Cow::Borrowed(text), at))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((Cow::Owned(text.to_owned()), self.0.last.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: u64 = 1 << 30;

    #[test]
    fn values_have_places() {
        let document = read(b"\xef\xbb\xbf{\n  \"a\": {\"b\": [1, \"x\\n\"]},\n\n  \"c\\u0064\": true}", CAP).unwrap();
        let root = document.table().unwrap();
        let a = root.member("a").unwrap();
        assert_eq!((document.line(a), root.is("cd"), root.len()), (2, true, 2));
        let list = a.value.table().unwrap().list("b");
        assert_eq!((list[0].whole(), list[1].text()), (Some(1), Some("x\n")));
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        let error = |text: &str| read(text.as_bytes(), CAP).unwrap_err().to_string();
        assert_eq!(error("{\"a\": 1,\n\"\\u0061\": 2}"), "line 2: the key `a` stands twice");
        let many: String = (0..40).map(|n| format!("\"k{n}\": 1, ")).collect();
        assert!(error(&format!("{{{many}\"k7\": 1}}")).contains("`k7` stands twice"));
        assert!(error(&"[".repeat(30_000)).contains("recursion limit"));
        assert!(error("{} {}").contains("trailing characters"));
        assert!(error("{\n<<<<<<< HEAD\n}").contains("conflict markers"));
        assert!(error("{\"a\": 1,}").starts_with("line 1"));
    }
}
