//! References to recipes: `name/version@user/channel#revision%timestamp`.

use crate::model::Ecosystem;
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Package, Source, Span};

/// A reference, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// `user/channel`; `_/_` stands for none.
    pub user: Option<&'a str>,
    pub revision: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads a reference; `None` for what is none.
    pub fn read(text: &'a str) -> Option<Self> {
        let (text, revision) = text.split_once('#').map_or((text, None), |(text, rest)| (text, Some(rest)));
        let revision = revision.and_then(|rest| rest.split(['%', ':']).next());
        let text = text.split_once('%').map_or(text, |(text, _)| text);
        let (text, user) = text.split_once('@').map_or((text, None), |(text, user)| (text, Some(user)));
        let (name, version) = text.split_once('/')?;
        if name.is_empty() || version.is_empty() || version.contains('/') {
            return None;
        }
        let user = user.filter(|user| !user.is_empty() && *user != "_/_");
        Some(Self { name, version, user, revision: revision.filter(|revision| !revision.is_empty()) })
    }

    /// The package that it is. Which server answers is not written; recipes with a user are never those of the public
    /// one.
    pub fn package(&self, span: Span) -> Package {
        let mut package = Package::new(Ecosystem::Conan, self.name, self.version, span);
        if let Some(user) = self.user {
            package.source = Source::registry(&format!("@{user}"));
            package.identity = Identity::Foreign;
        }
        // The revision is the MD5 of the recipe's list of files or, where the recipe says so, the commit it stands in.
        package.checksum = self.revision.and_then(|revision| of_hex("md5", revision).or_else(|| of_commit(revision)));
        package
    }
}
