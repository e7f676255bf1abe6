//! A requirement as PEP 508 has it, and the versions that meet it as PEP 440 has them.

use std::cmp::Ordering;

use super::version::Version;

/// A requirement, borrowed from the text that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement<'r> {
    /// The name as written.
    pub name: &'r str,
    /// The extras as written.
    pub extras: Vec<&'r str>,
    /// What its version must be; empty for any.
    pub specifiers: Specifiers<'r>,
    /// The address after `@`, as written.
    pub url: Option<&'r str>,
    /// The marker after `;`, as written.
    pub marker: Option<&'r str>,
}

impl<'r> Requirement<'r> {
    /// Reads a requirement.
    ///
    /// # Errors
    /// What is wrong with it, without its place.
    pub fn parse(text: &'r str) -> Result<Self, String> {
        let (name, rest) = split_name(text.trim_ascii());
        if !super::is_name(name) {
            return Err(format!("a requirement that starts with no name: `{}`", shown(text)));
        }
        let mut rest = rest.trim_ascii_start();
        let mut extras = Vec::new();
        if let Some(after) = rest.strip_prefix('[') {
            let Some((inside, after)) = after.split_once(']') else {
                return Err(format!("extras without an end: `{}`", shown(text)));
            };
            extras = inside.split(',').map(str::trim_ascii).filter(|extra| !extra.is_empty()).collect();
            if !extras.iter().all(|extra| super::is_name(extra)) {
                return Err(format!("extras that are no names: `{}`", shown(text)));
            }
            rest = after.trim_ascii_start();
        }
        if let Some(after) = rest.strip_prefix('@') {
            let after = after.trim_ascii_start();
            let end = after.find([' ', '\t']).unwrap_or(after.len());
            let (url, after) = after.split_at_checked(end).unwrap_or((after, ""));
            if url.is_empty() {
                return Err(format!("`@` without an address: `{}`", shown(text)));
            }
            let marker = marker(after).ok_or_else(|| format!("no marker after the address: `{}`", shown(text)))?;
            return Ok(Self { name, extras, specifiers: Specifiers::default(), url: Some(url), marker });
        }
        let end = rest.find(';').unwrap_or(rest.len());
        let (specifiers, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let marker = marker(after).ok_or_else(|| format!("`;` without a marker: `{}`", shown(text)))?;
        let specifiers = specifiers.trim_ascii();
        let inner = specifiers.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(specifiers);
        let specifiers = Specifiers::parse(inner)
            .ok_or_else(|| format!("no version requirement: `{}` in `{}`", shown(inner), shown(text)))?;
        Ok(Self { name, extras, specifiers, url: None, marker })
    }
}

/// The start of a text, for messages.
fn shown(text: &str) -> String {
    super::reference::without_credentials(text).chars().take(120).flat_map(char::escape_debug).collect()
}

/// The characters of a name at the start of a text, and the rest.
pub(super) fn split_name(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')));
    text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""))
}

/// The marker of what follows a requirement; `None` where something else follows.
fn marker(text: &str) -> Option<Option<&str>> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Some(None);
    }
    let marker = text.strip_prefix(';')?.trim_ascii();
    (!marker.is_empty()).then_some(Some(marker))
}

/// How a version is compared with that of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`, also of a prefix (`==1.*`).
    Equal,
    /// `!=`, also of a prefix.
    NotEqual,
    /// `~=`: at least this, with the same numbers but for the last.
    Compatible,
    /// `===`: the same text.
    Same,
    /// `<=`.
    AtMost,
    /// `>=`.
    AtLeast,
    /// `<`.
    Below,
    /// `>`.
    Above,
}

/// Operators as written, the longer ones first.
const OPERATORS: &[(&str, Operator)] = &[
    ("===", Operator::Same),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("~=", Operator::Compatible),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// One clause of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause<'r> {
    /// The operator.
    pub operator: Operator,
    /// The version as written, with `.*` where it is a prefix.
    pub version: &'r str,
}

impl<'r> Clause<'r> {
    /// Reads a clause; `None` where it is none.
    #[must_use]
    pub fn parse(text: &'r str) -> Option<Self> {
        let text = text.trim_ascii();
        let (operator, rest) =
            OPERATORS.iter().find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest)))?;
        let version = rest.trim_ascii();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+!*".contains(&byte);
        (!version.is_empty() && version.bytes().all(is_word)).then_some(Self { operator, version })
    }

    /// The one version that it allows.
    #[must_use]
    pub fn exact(&self) -> Option<&'r str> {
        let is_pin = match self.operator {
            Operator::Same => true,
            Operator::Equal => !self.version.contains('*'),
            _ => false,
        };
        is_pin.then_some(self.version)
    }

    /// Whether a version meets it; `None` where it or the version cannot be read.
    #[must_use]
    pub fn allows(&self, text: &str) -> Option<bool> {
        if self.operator == Operator::Same {
            return Some(text.trim_ascii().eq_ignore_ascii_case(self.version));
        }
        let found = Version::parse(text)?;
        if let Some(prefix) = self.version.strip_suffix(".*") {
            let prefix = Version::parse(prefix)?;
            if prefix.is_prerelease() || prefix.is_post() || prefix.is_local() {
                return None;
            }
            let is_below = found.epoch() == prefix.epoch() && found.starts_with(prefix.release());
            return match self.operator {
                Operator::Equal => Some(is_below),
                Operator::NotEqual => Some(!is_below),
                _ => None,
            };
        }
        let wanted = Version::parse(self.version)?;
        Some(match self.operator {
            Operator::Equal | Operator::NotEqual => {
                // A requirement without a local part takes every local build of the version.
                let found = if wanted.is_local() { found } else { found.public() };
                (found == wanted) == (self.operator == Operator::Equal)
            }
            Operator::Compatible => {
                let (_, prefix) = wanted.release().split_last().filter(|(_, prefix)| !prefix.is_empty())?;
                let is_near = found.epoch() == wanted.epoch() && found.starts_with(prefix);
                is_near && found.public() >= wanted
            }
            Operator::AtMost => found.public() <= wanted,
            Operator::AtLeast => found.public() >= wanted,
            Operator::Below => {
                // No pre-release of the version itself, unless it is one.
                let is_early = found.is_prerelease() && !wanted.is_prerelease() && found.is_of(&wanted);
                found.cmp(&wanted) == Ordering::Less && !is_early
            }
            Operator::Above => {
                // No post-release or local build of the version itself, unless it is one.
                let is_post = found.is_post() && !wanted.is_post() && found.has_post_of(&wanted);
                let is_greater = found.cmp(&wanted) == Ordering::Greater;
                is_greater && !is_post && found.public() != wanted
            }
            Operator::Same => false,
        })
    }
}

/// The clauses of a requirement, all of which must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specifiers<'r> {
    /// The clauses.
    pub clauses: Vec<Clause<'r>>,
    /// The text of all of them, as written.
    pub text: &'r str,
}

impl<'r> Specifiers<'r> {
    /// Reads clauses between commas; `None` where one of them is none. No text is no clause.
    #[must_use]
    pub fn parse(text: &'r str) -> Option<Self> {
        let text = text.trim_ascii();
        let clauses = match text.strip_suffix(',').unwrap_or(text) {
            "" => Vec::new(),
            some => some.split(',').map(Clause::parse).collect::<Option<_>>()?,
        };
        Some(Self { clauses, text })
    }

    /// The one version that is allowed, where a clause pins it and no other clause pins another text.
    #[must_use]
    pub fn exact(&self) -> Option<&'r str> {
        let mut pins = self.clauses.iter().filter_map(Clause::exact);
        let pin = pins.next()?;
        pins.all(|other| other == pin).then_some(pin)
    }

    /// Whether a version meets every clause; `None` where one of them or the version cannot be read. Pre-releases
    /// count as any other version: whether a tool may take them is its configuration.
    #[must_use]
    pub fn satisfies(&self, version: &str) -> Option<bool> {
        let mut all = true;
        for clause in &self.clauses {
            all &= clause.allows(version)?;
        }
        Some(all)
    }

    /// The requirement as an inventory writes it: `=1.2.3` for one version, `*` for any.
    #[must_use]
    pub fn to_version(&self) -> String {
        match self.exact() {
            Some(pin) => format!("={pin}"),
            None if self.text.is_empty() => "*".to_owned(),
            None => self.text.to_owned(),
        }
    }
}
