//! XML as a tree of elements with places. Entities beyond the five of XML itself and document types are refused: nobody
//! declares entities in a manifest but to expand them.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Lines, MAX_NESTING, MAX_VALUES, explain, malformed, text};
use crate::model::tree::Unread;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// The name, without the prefix of its namespace.
    pub name: String,
    /// The line of its start tag, counted from 1.
    pub line: u32,
    /// Attributes in the order of the file: name and value. No name stands twice.
    pub attributes: Vec<(String, String)>,
    /// The elements inside it.
    pub children: Vec<Element>,
    /// The text directly inside it, trimmed.
    pub text: String,
}

impl Element {
    /// The first child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of that name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, where it is not empty.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| &*child.text).filter(|text| !text.is_empty())
    }

    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// Reads the root element of a file of at most `cap` bytes.
///
/// # Errors
/// Too large, not UTF-8, malformed, a document type, an entity that XML itself does not define, an attribute twice,
/// nested too deep, too many elements.
pub fn read(bytes: &[u8], cap: u64) -> Result<Element, Unread> {
    let text = text(bytes, cap)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    parse(text).map_err(|error| explain(text, error))
}

fn parse(text: &str) -> Result<Element, Unread> {
    let lines = Lines::new(text);
    let mut reader = Reader::from_str(text);
    let mut stack: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0usize;
    loop {
        let at = reader.buffer_position() as usize;
        let event = reader.read_event();
        let line = lines.of(at);
        let event = event.map_err(|error| malformed(lines.of(reader.error_position() as usize), error.to_string()))?;
        count += 1;
        if count > MAX_VALUES {
            return Err(malformed(line, format!("more than {MAX_VALUES} parts")));
        }
        let done = match event {
            Event::Start(start) => {
                if stack.len() >= MAX_NESTING {
                    return Err(malformed(line, format!("nested deeper than {MAX_NESTING}")));
                }
                stack.push(element(&start, line)?);
                continue;
            }
            Event::Empty(start) => element(&start, line)?,
            Event::End(_) => match stack.pop() {
                Some(mut element) => {
                    element.text = element.text.trim().to_owned();
                    element
                }
                None => return Err(malformed(line, "an end without its start")),
            },
            Event::Text(part) => {
                let part: &str = &part;
                match stack.last_mut() {
                    Some(open) => open.text.push_str(part),
                    None if part.trim().is_empty() => {}
                    None => return Err(malformed(line, "text outside the root")),
                }
                continue;
            }
            Event::CData(part) => {
                if let Some(open) = stack.last_mut() {
                    open.text.push_str(&part);
                }
                continue;
            }
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref() {
                    Ok(Some(character)) => Some(character.to_string()),
                    Ok(None) => quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned),
                    Err(error) => return Err(malformed(line, error.to_string())),
                };
                let Some(known) = known else {
                    return Err(malformed(line, "an entity that XML itself does not define"));
                };
                if let Some(open) = stack.last_mut() {
                    open.text.push_str(&known);
                }
                continue;
            }
            Event::DocType(_) => return Err(malformed(line, "a document type: entities are not expanded")),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
        };
        match stack.last_mut() {
            Some(parent) => parent.children.push(done),
            None if root.is_none() => root = Some(done),
            None => return Err(malformed(done.line, "a second root")),
        }
    }
    if let Some(open) = stack.last() {
        return Err(malformed(open.line, "an element that never ends"));
    }
    root.ok_or_else(|| malformed(1, "no element"))
}

fn element(start: &BytesStart<'_>, line: u32) -> Result<Element, Unread> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| malformed(line, error.to_string()))?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| malformed(line, error.to_string()))?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), line, attributes, ..Element::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: u64 = 1 << 30;

    #[test]
    fn elements_have_places_attributes_and_text() {
        let text = "<?xml version=\"1.0\"?>\n<!-- c -->\n<p:a x=\"1 &lt; 2\">\n <b> t &amp; <![CDATA[<u>]]></b>\n <b/>\n</p:a>\n";
        let root = read(text.as_bytes(), CAP).unwrap();
        assert_eq!((&*root.name, root.line, root.attribute("x")), ("a", 3, Some("1 < 2")));
        assert_eq!((root.text_of("b"), root.all("b").count()), (Some("t & <u>"), 2));
        assert_eq!(root.child("b").unwrap().line, 4);
    }

    #[test]
    fn entities_depth_and_doubt_are_refused() {
        let error = |text: &str| read(text.as_bytes(), CAP).unwrap_err().to_string();
        assert!(error("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>").contains("document type"));
        assert!(error("<a>&x;</a>").contains("entity"));
        assert!(error("<a b='&x;'/>").starts_with("line 1"));
        assert!(error("<a b='1' b='2'/>").contains("duplicate"));
        assert!(error(&"<a>".repeat(30_000)).contains("deeper"));
        assert!(error("<a>\n<b></a>").starts_with("line 2"));
        assert!(error("<a/><b/>").contains("second root"));
        assert!(error("<a>").contains("never ends"));
        assert!(error("").contains("no element"));
    }
}
