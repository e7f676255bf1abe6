//! Portcullis: no library ships without an answer to "why are you here, and who looked?"
//!
//! The folders are the pipeline, in the order in which data flows through them:
//!
//! 1. [`revision`]: what was typed → base, head and the governing revision, each an immutable tree ([`world`])
//! 2. [`discover`]: paths → projects, and what else concerns the gate
//! 3. [`ecosystem`]: files of a project → its inventory
//! 4. [`diff`]: (base, head) inventories → changes
//! 5. [`advisory`]: what is known against a package
//! 6. [`evidence`]: facts about a package, each with its source
//! 7. [`subject`]: typed facts → Cedar requests
//! 8. [`policy`]: packs of rules, and what they say about a subject
//! 9. [`verdict`]: findings, waivers and coverage → the decision
//! 10. [`report`]: the verdict → bytes
//!
//! [`forge`] stands at both ends: an event of GitHub's → what is judged; its reviews → whose approval counts; the verdict
//! → a comment. [`detect`] and [`language`] are what changed lines are read with. [`run`] is the pipeline itself, [`gate`]
//! what the governing revision's `.portcullis/` says, [`model`] the nouns that all of them share, and [`cli`] how a person
//! asks.

#![cfg_attr(
    test,
    allow(
        clippy::string_slice,
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "tests start git and cargo, and slice what they wrote themselves"
    )
)]

#[macro_use]
pub mod model;

pub mod advisory;
pub mod cli;
pub mod detect;
pub mod diff;
pub mod discover;
pub mod ecosystem;
pub mod evidence;
pub mod forge;
pub mod gate;
pub mod language;
pub mod policy;
pub mod report;
pub mod revision;
pub mod run;
pub mod subject;
pub mod text;
pub mod verdict;
pub mod world;
