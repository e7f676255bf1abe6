//! Stage 4: (base, head) inventories → changes.

pub mod confusable;
pub mod packages;
