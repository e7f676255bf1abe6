//! The forge, at both ends of the pipeline. Nothing else in the program speaks to it.
//!
//! 1. [`event`]: what the runner says happened → which revisions are judged. Pure.
//! 2. [`client`]: typed questions to GitHub's API, within caps, with one line for whatever goes wrong.
//! 3. [`approvals`] asks for the facts about each pull request of the judged change, and [`reviews`] says whose approval
//!    counts: the capability [`crate::world::Reviews`]. What cannot be read approves nothing.
//! 4. [`talk`]: verdict → comment, check run, labels, requests for reviews. What cannot be said is a line, and the verdict
//!    stands.

pub mod approvals;
pub mod client;
pub mod event;
pub mod graph;
pub mod reviews;
pub mod talk;
