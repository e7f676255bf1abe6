//! What a revision's `.portcullis/` folder says: settings, ledger and packs, read from a tree.
//!
//! Which revision is asked is decided elsewhere ([`crate::revision`]); head's own folder is read only to say how it
//! differs. A file that is broken is an error with its line, never a default.

use sha2::{Digest, Sha256};

use crate::model::RepoPath;
use crate::model::tree::Unread;
use crate::world::Tree;

pub mod config;
pub mod coverage;
pub mod edit;
pub mod ledger;
pub mod owners;

use config::Config;
use ledger::Ledger;

/// The folder that holds everything about the gate.
pub const FOLDER: &str = ".portcullis";
/// Settings.
pub const CONFIG: &str = ".portcullis/config.toml";
/// Approvals and waivers.
pub const LEDGER: &str = ".portcullis/ledger.toml";
/// The user's own packs.
pub const POLICIES: &str = ".portcullis/policies";

/// Largest file of the folder that is read, in bytes.
const CAP: u64 = 8 << 20;

/// A mistake in a file of the gate: what the user wrote, so exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct Broken {
    /// The file.
    pub file: String,
    /// The line; 0 where the file as a whole is meant.
    pub line: u32,
    /// What is wrong there.
    pub reason: String,
}

impl Broken {
    /// A mistake in a file.
    pub(crate) fn at(file: &str, mistake: crate::text::Mistake) -> Self {
        Self { file: file.to_owned(), line: mistake.line, reason: mistake.reason }
    }
}

/// `sha256:` and the hex digest of some bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A file of the user's own pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Folder name of the pack.
    pub pack: String,
    /// Path below the pack's folder.
    pub name: String,
    /// Full path, for messages.
    pub path: String,
    /// The text.
    pub text: String,
}

/// The gate's folder of one revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Settings.
    pub config: Config,
    /// Approvals and waivers.
    pub ledger: Ledger,
    /// Digest of the ledger's bytes; none where there is no ledger.
    pub ledger_digest: Option<String>,
    /// Files of the user's own packs, sorted by path.
    pub packs: Vec<PackFile>,
    /// Digest of settings and packs as they stand in the tree.
    pub digest: String,
}

impl Gate {
    /// Reads the folder. A revision without one has the documented defaults and an empty ledger.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn read(tree: &dyn Tree) -> Result<Self, Broken> {
        Self::read_adding(tree, &[])
    }

    /// Reads the folder, and has some packs judge as well: those of the program, or of the same folder.
    ///
    /// # Errors
    /// [`Broken`] with file and line.
    pub fn read_adding(tree: &dyn Tree, packs: &[String]) -> Result<Self, Broken> {
        let mut hash = Sha256::new();
        let mut config = match text(tree, CONFIG)? {
            Some(text) => {
                hash.update(text.as_bytes());
                Config::parse(&text)?
            }
            None => Config::default(),
        };
        config.packs.extend(packs.iter().filter(|pack| !config.packs.contains(pack)).cloned().collect::<Vec<_>>());
        let (ledger, ledger_digest) = match text(tree, LEDGER)? {
            Some(text) => (Ledger::parse(&text)?, Some(digest(text.as_bytes()))),
            None => (Ledger::default(), None),
        };
        let packs = if config.packs.iter().any(|pack| !crate::policy::is_built_in(pack)) {
            pack_files(tree, &config.packs)?
        } else {
            Vec::new()
        };
        for file in &packs {
            hash.update(file.path.as_bytes());
            hash.update([0]);
            hash.update(file.text.as_bytes());
        }
        let mut digest = String::from("sha256:");
        for byte in hash.finalize() {
            use std::fmt::Write as _;
            let _ = write!(digest, "{byte:02x}");
        }
        Ok(Self { config, ledger, ledger_digest, packs, digest })
    }
}

fn broken(file: &str, error: &Unread) -> Broken {
    let line = if let Unread::Malformed { line, .. } = error { *line } else { 0 };
    Broken { file: file.to_owned(), line, reason: error.to_string() }
}

/// The text of a file, or `None` where there is none.
fn text(tree: &dyn Tree, path: &str) -> Result<Option<String>, Broken> {
    let Some(entry) = tree.entry(&RepoPath::new(path)).map_err(|e| broken(path, &e))? else { return Ok(None) };
    let bytes = tree.read(&entry, CAP).map_err(|e| broken(path, &e))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())),
        Err(e) => {
            let line = bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count() as u32 + 1;
            Err(Broken { file: path.to_owned(), line, reason: "not UTF-8".to_owned() })
        }
    }
}

fn pack_files(tree: &dyn Tree, packs: &[String]) -> Result<Vec<PackFile>, Broken> {
    let folder = RepoPath::new(POLICIES);
    let entries = tree.list().map_err(|e| broken(POLICIES, &e))?;
    let mut files = Vec::new();
    for entry in entries {
        let Some((pack, name)) = entry.path.relative_to(&folder).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if !packs.iter().any(|p| p == pack) {
            continue;
        }
        let path = entry.path.as_str();
        let bytes = tree.read(&entry, CAP).map_err(|e| broken(path, &e))?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Broken {
            file: path.to_owned(),
            line: 0,
            reason: "not UTF-8".to_owned(),
        })?;
        files.push(PackFile { pack: pack.to_owned(), name: name.to_owned(), path: path.to_owned(), text });
    }
    Ok(files)
}
