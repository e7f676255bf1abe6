//! The program with `--forge`, from a runner's event to verdict, exit code and what stands on the forge afterwards.
//!
//! Everything is real but GitHub: git repositories, the event's file, the runner's environment, HTTP to a stand-in on this
//! machine. What is expected is PRODUCT's ("Who may approve?", "Exit codes"), the threat model's rows 2, 9 and 18, and
//! docs/github.md's ("Approving", "Merge queues", "Permissions").

mod approval;
mod gate;
mod hub;
mod life;
mod queue;
mod scene;
mod talk;
mod unread;
