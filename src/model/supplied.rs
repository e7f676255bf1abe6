//! What a forge says of changed dependencies, where no lockfile does.

/// One package that stands on one side alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplied {
    /// Whether head has it; else base had it.
    pub is_added: bool,
    /// The manifest that it comes from, relative to the repository.
    pub manifest: String,
    /// Its purl, as the forge writes it.
    pub purl: String,
    /// Its name, where the purl is empty.
    pub name: String,
    /// Its version; empty where the forge knows none.
    pub version: String,
    /// `runtime`, `development` or anything else.
    pub scope: String,
    /// SPDX expression, where known.
    pub license: Option<String>,
}
