//! `gradle/verification-metadata.xml`: digests of the files of components (Gradle's "Verifying dependencies").

use std::collections::HashMap;

use regex::Regex;

use crate::ecosystem::FILE_CAP;
use crate::ecosystem::syntax::{malformed, xml};
use crate::model::checksum;
use crate::model::tree::Unread;
use xml::Element;

/// Rules that trust components without a digest, at the most.
const MAX_TRUSTED: usize = 2_000;

/// The digests of one component's files.
type Files = Vec<(String, Box<str>)>;

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Verification {
    components: HashMap<(String, String, String), Files>,
    trusted: Vec<Trusted>,
}

/// A rule that trusts what it matches without looking at any digest.
#[derive(Debug, Default)]
struct Trusted {
    group: Option<Matcher>,
    name: Option<Matcher>,
    version: Option<Matcher>,
    file: Option<Matcher>,
}

#[derive(Debug)]
enum Matcher {
    Text(String),
    Pattern(Regex),
    /// A pattern that is not understood: it may match anything.
    Anything,
}

impl Matcher {
    fn of(text: Option<&str>, is_pattern: bool) -> Option<Self> {
        let text = text?;
        if !is_pattern {
            return Some(Self::Text(text.to_owned()));
        }
        let pattern = regex::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(1 << 16).build();
        Some(pattern.map_or(Self::Anything, Self::Pattern))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Anything => true,
        }
    }
}

/// A checksum with the files' checksums where there are several.
pub(super) type Checksum = (Option<Box<str>>, Box<[Box<str>]>);

impl Verification {
    /// The checksum of a component: of all its files that Gradle compares with a digest.
    pub fn of(&self, group: &str, name: &str, version: &str) -> Checksum {
        let key = (group.to_owned(), name.to_owned(), version.to_owned());
        let Some(files) = self.components.get(&key) else { return (None, Box::default()) };
        let fits = |matcher: &Option<Matcher>, text: &str| matcher.as_ref().is_none_or(|m| m.matches(text));
        let of_component =
            |rule: &&Trusted| fits(&rule.group, group) && fits(&rule.name, name) && fits(&rule.version, version);
        let rules: Vec<&Trusted> = self.trusted.iter().filter(of_component).collect();
        let is_compared = |file: &str| !rules.iter().any(|rule| fits(&rule.file, file));
        let digests = files.iter().filter(|(file, _)| is_compared(file)).map(|(_, digest)| digest.clone());
        checksum::of_files(digests.collect())
    }
}

/// Reads the file.
///
/// # Errors
/// [`Unread`] where it is no XML, or not this document.
pub(super) fn parse(bytes: &[u8]) -> Result<Verification, Unread> {
    let root = xml::read(bytes, FILE_CAP)?;
    if root.name != "verification-metadata" {
        return Err(malformed(root.line, "not `verification-metadata`"));
    }
    let mut found = Verification::default();
    let trusted = root.all("configuration").flat_map(|c| c.all("trusted-artifacts")).flat_map(|t| t.all("trust"));
    for rule in trusted {
        if found.trusted.len() >= MAX_TRUSTED {
            let what = "the number of rules that trust components".to_owned();
            return Err(Unread::TooLarge { what, size: MAX_TRUSTED as u64 + 1, cap: MAX_TRUSTED as u64 });
        }
        let is_pattern = rule.attribute("regex") == Some("true");
        let matcher = |name: &str| Matcher::of(rule.attribute(name), is_pattern);
        found.trusted.push(Trusted {
            group: matcher("group"),
            name: matcher("name"),
            version: matcher("version"),
            file: matcher("file"),
        });
    }
    for component in root.all("components").flat_map(|list| list.all("component")) {
        let part = |name: &str| match component.attribute(name) {
            Some(text) => Ok(text.to_owned()),
            None => Err(malformed(component.line, format!("a component without `{name}`"))),
        };
        let key = (part("group")?, part("name")?, part("version")?);
        let files = found.components.entry(key).or_default();
        for artifact in component.all("artifact") {
            let name = artifact.attribute("name").unwrap_or_default();
            files.extend(digests(artifact).into_iter().map(|digest| (name.to_owned(), digest)));
        }
    }
    Ok(found)
}

/// The strongest digest of a file, and those that are trusted in its place.
fn digests(artifact: &Element) -> Vec<Box<str>> {
    for algorithm in ["sha512", "sha256", "sha1", "md5"] {
        let mut found = Vec::new();
        for element in artifact.all(algorithm) {
            let values = std::iter::once(element).chain(element.all("also-trust"));
            found.extend(values.filter_map(|e| e.attribute("value")).filter_map(|v| checksum::of_hex(algorithm, v)));
        }
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
