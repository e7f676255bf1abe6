//! A payload → the few members that are read from it, each with its place for messages.
//!
//! Payloads hold texts that anybody may write (titles, commit messages, names of files) and are up to 25 MiB large, so
//! only members with one of the [`KNOWN`] names are kept, and everything else is passed over without being built. A
//! known member that is there twice is refused: whoever reads the payload next could take the other one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{BadEvent, grammar};

/// The cap on a payload in bytes. It is GitHub's own: docs.github.com, "Webhook events and payloads".
pub const MAX_PAYLOAD: usize = 25 << 20;

/// The cap on values that are kept. GitHub's own example payloads have fewer than 50.
const MAX_KEPT: u32 = 10_000;

/// Every member that is read anywhere, sorted.
const KNOWN: [&str; 35] = [
    "action",
    "actor",
    "after",
    "base",
    "base_ref",
    "base_sha",
    "before",
    "branch",
    "default_branch",
    "draft",
    "event",
    "forced",
    "full_name",
    "head",
    "head_branch",
    "head_ref",
    "head_repository",
    "head_sha",
    "id",
    "login",
    "merge_commit_sha",
    "merge_group",
    "merged",
    "number",
    "pull_request",
    "pull_requests",
    "ref",
    "repo",
    "repository",
    "sender",
    "sha",
    "triggering_actor",
    "type",
    "user",
    "workflow_run",
];

/// A value of the payload.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Flag(bool),
    /// A whole number from 0.
    Number(u64),
    Text(String),
    List(Vec<Node>),
    /// Known members only.
    Object(BTreeMap<&'static str, Node>),
    /// A negative or broken number: nothing that is read is one.
    Other,
}

impl Node {
    /// Reads a payload whole.
    pub(super) fn read(event: &str, payload: &[u8]) -> Result<Self, BadEvent> {
        if payload.len() > MAX_PAYLOAD {
            return Err(BadEvent::TooLarge { event: event.to_owned(), bytes: payload.len() });
        }
        // serde_json ends at 128 levels of what is kept; what is passed over takes no stack.
        let mut json = serde_json::Deserializer::from_slice(payload);
        let kept = Builder { left: &Cell::new(MAX_KEPT) }.deserialize(&mut json);
        kept.and_then(|node| json.end().map(|()| node))
            .map_err(|error| BadEvent::NotJson { event: event.to_owned(), why: grammar::shown(&error.to_string()) })
    }

    /// With its article, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) | Self::Other => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Builds a value, and counts.
#[derive(Clone, Copy)]
struct Builder<'a> {
    left: &'a Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Builder<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(D::Error::custom(format_args!("more than {MAX_KEPT} values that matter")));
        };
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(Key(known)) = map.next_key()? {
            let Some(name) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if members.insert(name, map.next_value_seed(self)?).is_some() {
                return Err(A::Error::custom(format_args!("the member {name} is there twice")));
            }
        }
        Ok(Node::Object(members))
    }
}

/// The name of a member; none where nothing asks for it.
struct Key(Option<&'static str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key(KNOWN.binary_search(&name).ok().and_then(|at| KNOWN.get(at).copied())))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<'a> {
    event: &'a str,
    path: String,
    node: &'a Node,
}

impl<'a> At<'a> {
    /// The payload itself.
    pub(super) fn root(event: &'a str, node: &'a Node) -> Self {
        Self { event, path: String::new(), node }
    }

    /// What is wrong with this value.
    pub(super) fn bad(&self, what: impl Into<String>) -> BadEvent {
        let path = if self.path.is_empty() { "the payload" } else { &self.path };
        BadEvent::Field { event: self.event.to_owned(), path: path.to_owned(), what: what.into() }
    }

    fn not(&self, wanted: &str) -> BadEvent {
        self.bad(format!("is {}, not {wanted}", self.node.kind()))
    }

    fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A member that may be missing. Null is a value.
    pub(super) fn find(&self, name: &str) -> Result<Option<Self>, BadEvent> {
        #[cfg(test)]
        assert!(KNOWN.binary_search(&name).is_ok(), "{name} is asked for and never kept");
        let Node::Object(members) = self.node else { return Err(self.not("an object")) };
        Ok(members.get(name).map(|node| Self { event: self.event, path: self.place(name), node }))
    }

    /// A member that has to be there. Null is a value.
    pub(super) fn member(&self, name: &str) -> Result<Self, BadEvent> {
        let missing =
            || BadEvent::Field { event: self.event.to_owned(), path: self.place(name), what: "is missing".to_owned() };
        self.find(name)?.ok_or_else(missing)
    }

    /// A member that may be missing or null.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Self>, BadEvent> {
        Ok(self.find(name)?.filter(|at| !at.is_null()))
    }

    /// A member that has to be there and may be null.
    pub(super) fn nullable(&self, name: &str) -> Result<Option<Self>, BadEvent> {
        Ok(Some(self.member(name)?).filter(|at| !at.is_null()))
    }

    pub(super) fn is_null(&self) -> bool {
        *self.node == Node::Null
    }

    pub(super) fn text(&self) -> Result<&'a str, BadEvent> {
        match self.node {
            Node::Text(text) => Ok(text),
            _ => Err(self.not("a text")),
        }
    }

    pub(super) fn number(&self) -> Result<u64, BadEvent> {
        match self.node {
            Node::Number(number) => Ok(*number),
            Node::Other => Err(self.bad("is not a whole number from 0")),
            _ => Err(self.not("a number")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, BadEvent> {
        match self.node {
            Node::Flag(flag) => Ok(*flag),
            _ => Err(self.not("true or false")),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, BadEvent> {
        let Node::List(nodes) = self.node else { return Err(self.not("a list")) };
        let item = |(index, node)| Self { event: self.event, path: format!("{}[{index}]", self.path), node };
        Ok(nodes.iter().enumerate().map(item).collect())
    }

    /// A text that obeys a grammar; `wanted` says which.
    pub(super) fn obeying(&self, grammar: impl Fn(&str) -> bool, wanted: &str) -> Result<String, BadEvent> {
        let text = self.text()?;
        if grammar(text) {
            return Ok(text.to_owned());
        }
        Err(self.bad(format!("is \"{}\", not {wanted}", grammar::shown(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_members_are_sorted_so_that_they_are_found() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b));
    }
}
