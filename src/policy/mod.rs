//! Stage 8: packs of Cedar rules, and what they say about a subject.
//!
//! A pack is a folder: `pack.toml` (purpose and controls), `rules.cedar` (one `forbid` per rule and level) and `cases/`
//! (what each rule must and must not catch). [`pack`] reads packs, ours and the user's alike; [`engine`] asks them;
//! [`cases`] tests them.

pub mod cases;
pub mod engine;
pub mod pack;

/// The packs that are part of the program. One line each.
pub const BUILT_IN: &[BuiltIn] = &[BuiltIn {
    name: "baseline",
    manifest: include_str!("../../policies/baseline/pack.toml"),
    rules: include_str!("../../policies/baseline/rules.cedar"),
    cases: &[
        ("advisories.toml", include_str!("../../policies/baseline/cases/advisories.toml")),
        ("changes.toml", include_str!("../../policies/baseline/cases/changes.toml")),
        ("files.toml", include_str!("../../policies/baseline/cases/files.toml")),
    ],
}];

/// The text of a pack that is part of the program.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// `pack.toml`.
    pub manifest: &'static str,
    /// `rules.cedar`.
    pub rules: &'static str,
    /// Files of `cases/`: name and text.
    pub cases: &'static [(&'static str, &'static str)],
}

/// Whether a pack of that name is part of the program.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|pack| pack.name == name)
}
