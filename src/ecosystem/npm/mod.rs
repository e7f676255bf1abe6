//! npm, and what its family of tools shares: names, versions, ranges, manifests, addresses, workspaces, configuration.
//!
//! ```text
//! version    the order of versions
//! range      ranges of versions
//! manifest   package.json → what it asks for
//! source     addresses and specifiers → sources
//! workspace  globs → member folders
//! tree       bytes of package-lock.json → entries and how Node finds them
//! lock       package-lock.json, npm-shrinkwrap.json → inventory (tree, agree)
//! yarn       yarn.lock of yarn 1 → inventory
//! berry      yarn.lock of later yarns → inventory
//! pnpm       pnpm-lock.yaml → inventory
//! bun        bun.lock → inventory
//! members    the manifests that those four read
//! agree      manifests against what the lockfile holds
//! unlocked   package.json alone → inventory
//! config     .npmrc, .yarnrc, .yarnrc.yml, bunfig.toml, hooks → redirects
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Rules;

mod agree;
pub mod berry;
pub mod bun;
pub mod config;
pub mod lock;
pub mod manifest;
mod members;
pub mod pnpm;
pub mod range;
pub mod source;
mod tree;
pub mod unlocked;
pub mod version;
pub mod workspace;
pub mod yarn;

#[cfg(test)]
mod lock_tests;
#[cfg(test)]
mod tests;

/// The rules of npm's registry, and the settings of its tools.
#[derive(Debug, Clone, Copy)]
pub struct Npm;

/// The longest name that the registry takes, in bytes.
const MAX_NAME: usize = 214;

impl Rules for Npm {
    /// Names compare as they are. New ones are in lower case, but old ones are not, and `JSONStream` and `jsonstream`
    /// are two packages.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// The registry's grammar for old names, which takes in that for new ones: `name` or `@scope/name` of what needs no
    /// escape in an address, upper case as well. A name starts with no `.`, `-` or `_`.
    fn is_name(&self, name: &str) -> bool {
        if name.len() > MAX_NAME || name.starts_with(['.', '-', '_']) {
            return false;
        }
        match name.strip_prefix('@') {
            Some(rest) => rest.split_once('/').is_some_and(|(scope, last)| is_part(scope) && is_part(last)),
            None => is_part(name) && !matches!(&*name.to_ascii_lowercase(), "node_modules" | "favicon.ico"),
        }
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        Some(version::Version::parse(a)?.compare(&version::Version::parse(b)?))
    }
}

/// A part of a name: characters that RFC 2396 leaves unescaped.
fn is_part(part: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_unreserved)
}
