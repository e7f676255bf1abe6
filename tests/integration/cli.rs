//! The program from outside: what people type, what they see, and how it ends.

mod advisories;
mod check;
mod hook;
mod input;
mod ledger;
mod output;
mod pipeline;
mod policy;
mod small;
mod traces;
mod update;
