//! Stage 6: facts about packages, each with its source. Sources do no input or output of their own.
//!
//! Offline there is one source: the vendored tree of the judged revision itself. What it cannot say is unavailable,
//! and stays so: nothing here turns "nobody answered" into "no".

pub mod vendored;
pub mod workflow;
