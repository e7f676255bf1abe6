//! Detectors that the program does not bring along: a pack's `detectors.toml`.

use crate::gate::Broken;

pub use super::detector::Detector;
use super::read::{Check, read};

/// Reads a pack's `detectors.toml`. `file` is its path, for messages. With `check` every pattern is weighed and
/// compiled at once: right for files that the program does not bring along.
///
/// # Errors
/// [`Broken`] with file and line.
pub fn parse(pack: &str, file: &str, text: &str, check: bool) -> Result<Vec<Detector>, Broken> {
    let check = if check { Check::All } else { Check::Nothing };
    read(pack, text, check).map_err(|mistake| Broken::at(file, mistake))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
