//! Stage 8: packs of Cedar rules, and what they say about a subject.
//!
//! A pack is a folder: `pack.toml` (purpose and controls), `rules.cedar` (one `forbid` per rule and level),
//! `detectors.toml` (patterns over lines) and `cases/` (what each of them must and must not catch). [`pack`] reads packs,
//! ours and the user's alike; [`detectors`] says which patterns their rules need; [`engine`] asks them; [`cases`] tests
//! them.

pub mod cases;
pub mod compare;
pub mod detectors;
pub mod engine;
pub mod pack;
mod shape;

/// The texts of a pack below `policies/`: its name, the file of its detectors where it has any, and the files of its
/// cases.
macro_rules! pack {
    ($name:literal, $($detectors:literal,)? [$($case:literal),+ $(,)?]) => {
        BuiltIn {
            name: $name,
            manifest: include_str!(concat!("../../policies/", $name, "/pack.toml")),
            rules: include_str!(concat!("../../policies/", $name, "/rules.cedar")),
            detectors: concat!($(include_str!(concat!("../../policies/", $name, "/", $detectors)))?),
            cases: &[$(($case, include_str!(concat!("../../policies/", $name, "/cases/", $case)))),+],
        }
    };
}

/// The packs that are part of the program, in the order in which they are listed. One line each.
pub const BUILT_IN: &[BuiltIn] = &[
    pack!("baseline", "detectors.toml", ["advisories.toml", "changes.toml", "files.toml", "lines.toml", "rules.toml"]),
    pack!("slsa", "detectors.toml", ["lines.toml", "rules.toml"]),
    pack!("hipaa", "detectors.toml", ["lines.toml", "rules.toml"]),
    pack!("pci-dss", "detectors.toml", ["lines.toml", "rules.toml"]),
    pack!("soc2", "detectors.toml", ["lines.toml", "rules.toml"]),
    pack!("nist-ssdf", "detectors.toml", ["lines.toml", "rules.toml"]),
    pack!("eu-cra", ["rules.toml"]),
    pack!("dora", ["rules.toml"]),
];

/// The text of a pack that is part of the program.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// `pack.toml`.
    pub manifest: &'static str,
    /// `rules.cedar`.
    pub rules: &'static str,
    /// `detectors.toml`; empty where the pack has none of its own.
    pub detectors: &'static str,
    /// Files of `cases/`: name and text.
    pub cases: &'static [(&'static str, &'static str)],
}

/// Whether a pack of that name is part of the program.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|pack| pack.name == name)
}
