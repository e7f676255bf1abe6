//! The nouns of the gate. No input or output happens here.
//!
//! Read in this order: [`path`] and [`tree`] (what a revision holds), [`inventory`] and [`graph`] (what a project
//! depends on), [`change`] (what differs between two revisions), [`advisory`] (what is known against a package),
//! [`finding`] (what a rule says) and [`verdict`] (the decision and all it rests on).

#[macro_use]
mod words;

pub mod advisory;
pub mod change;
pub mod checksum;
pub mod ecosystem;
pub mod evidence;
pub mod finding;
pub mod graph;
pub mod inventory;
pub mod line;
pub mod path;
pub mod purl;
pub mod review;
pub mod step;
pub mod supplied;
pub mod tree;
pub mod verdict;

pub use ecosystem::Ecosystem;
pub use path::RepoPath;
