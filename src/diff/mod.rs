//! Stage 4: (base, head) → changes: of packages in [`packages`], of lines in [`lines`].

pub mod confusable;
pub mod lines;
pub mod packages;
