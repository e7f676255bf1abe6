//! Python's packages: what pip, pipenv and manifests without a lockfile ask for.
//!
//! ```text
//! version      PEP 440: versions and their order
//! requirement  PEP 508: requirements and what meets them
//! poetry       poetry's own notation of requirements
//! reference    addresses of repositories, archives and folders
//! manifest     pyproject.toml → what it asks for
//! requirements requirements.txt and what it includes
//! pipfile      Pipfile and Pipfile.lock
//! poetry_lock  poetry.lock; uv, pdm, pylock: the lockfiles of those names
//! locked       lock entries and manifests → inventory (filename)
//! unlocked     pyproject.toml, setup.cfg and setup.py without a lockfile
//! config       configuration that moves sources
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Rules;

mod config;
mod filename;
mod locked;
pub mod manifest;
pub mod pdm;
pub mod pipfile;
pub mod poetry;
pub mod poetry_lock;
pub mod pylock;
pub mod reference;
pub mod requirement;
pub mod requirements;
pub mod unlocked;
pub mod uv;
pub mod version;

pub use locked::spoken_for;

#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod lock_tests;
#[cfg(test)]
mod pipfile_tests;
#[cfg(test)]
mod requirements_tests;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unlocked_tests;

/// Longest name that is taken, in bytes: the name of an archive holds it.
const MAX_NAME: usize = 255;

/// The rules of Python's packages.
#[derive(Debug, Clone, Copy)]
pub struct PyPi;

impl Rules for PyPi {
    /// PEP 503: lower case, with one hyphen for every run of hyphens, underscores and dots.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        normalise(name)
    }

    /// The grammar of PEP 508.
    fn is_name(&self, name: &str) -> bool {
        is_name(name)
    }

    /// The order of PEP 440.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        Some(version::Version::parse(a)?.cmp(&version::Version::parse(b)?))
    }
}

/// The one spelling of a name (PEP 503).
#[must_use]
pub fn normalise(name: &str) -> Cow<'_, str> {
    let is_separator = |byte: u8| matches!(byte, b'-' | b'_' | b'.');
    let is_normal = |(at, byte): (usize, u8)| {
        let is_run = byte == b'-' && at > 0 && name.as_bytes().get(at - 1) == Some(&b'-');
        !(byte.is_ascii_uppercase() || matches!(byte, b'_' | b'.') || is_run)
    };
    if name.bytes().enumerate().all(is_normal) {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if u8::try_from(c).is_ok_and(is_separator) {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(c.to_ascii_lowercase());
        }
    }
    Cow::Owned(normal)
}

/// Whether a text is a name: letters and digits, with `.`, `-` and `_` between them.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    name.len() <= MAX_NAME
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}
