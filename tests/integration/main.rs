//! Everything that is tested from outside, in one binary, so that it is linked once.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "tests start git and the program itself, read the environment, and fail by panicking"
)]

mod cases;
mod cli;
mod corpus;
mod docs;
mod forge_e2e;
mod forge_events;
mod fuzz;
mod harness;
mod invariants;
mod layers;
mod recall;
mod sandbox;
mod support;
