//! `.portcullis/config.toml`: unvalidated → valid. Unknown keys are errors, because a misspelt setting that is
//! ignored is a gate left open.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Broken, CONFIG};
use crate::model::finding::Level;
use crate::model::{Ecosystem, RepoPath, path};
use crate::text::line_of;

/// Settings of one revision, valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Packs in use, by name.
    pub packs: Vec<String>,
    /// Who may approve: `@org/team` or `@login`.
    pub reviewers: Vec<String>,
    /// Thresholds.
    pub settings: Settings,
    /// Levels that differ from the packs' own, by `pack/rule`.
    pub levels: BTreeMap<String, Level>,
    /// Where each of them is set, for messages.
    pub level_lines: BTreeMap<String, u32>,
    /// Addresses that count as the ecosystem's public registry.
    pub registries: BTreeMap<Ecosystem, Vec<String>>,
    /// Globs of projects that are judged.
    pub include: Vec<String>,
    /// Globs of projects that are not.
    pub exclude: Vec<String>,
    /// Globs of files whose changed lines are not judged.
    pub exclude_lines: Vec<String>,
    /// Whether the forge's dependency graph is asked where no lockfile says what a manifest brings.
    pub dependency_graph: bool,
}

/// Thresholds of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Vulnerabilities from this score on block; tenths of a CVSS score.
    pub fail_on_severity: i64,
    /// Releases younger than this are held back; days.
    pub min_release_age: i64,
    /// Advisory data older than this is warned about; days.
    pub advisories_warn_after: i64,
    /// Advisory data older than this is refused; days.
    pub advisories_refuse_after: i64,
    /// SPDX ids that are allowed; empty: no licence rule.
    pub allowed_licenses: Vec<String>,
    /// Criteria of imported cargo-vet audits that count.
    pub cargo_vet_criteria: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_on_severity: LOW,
            min_release_age: 3,
            advisories_warn_after: 7,
            advisories_refuse_after: 30,
            allowed_licenses: Vec::new(),
            cargo_vet_criteria: vec!["safe-to-deploy".to_owned()],
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            packs: vec!["baseline".to_owned()],
            reviewers: Vec::new(),
            settings: Settings::default(),
            levels: BTreeMap::new(),
            level_lines: BTreeMap::new(),
            registries: BTreeMap::new(),
            include: vec!["**".to_owned()],
            exclude: Vec::new(),
            exclude_lines: Vec::new(),
            dependency_graph: false,
        }
    }
}

// Lower bounds of the qualitative ratings, in tenths: CVSS v3.1 specification, section 5.
const LOW: i64 = 1;
const MEDIUM: i64 = 40;
const HIGH: i64 = 70;
const CRITICAL: i64 = 90;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Raw {
    packs: Option<Vec<Spanned<String>>>,
    reviewers: Vec<Spanned<String>>,
    settings: RawSettings,
    levels: BTreeMap<Spanned<String>, Spanned<String>>,
    registries: BTreeMap<Spanned<String>, OneOrMany>,
    projects: RawProjects,
    lines: RawLines,
    forge: RawForge,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RawSettings {
    fail_on_severity: Option<Spanned<String>>,
    min_release_age: Option<Spanned<String>>,
    advisories_warn_after: Option<Spanned<String>>,
    advisories_refuse_after: Option<Spanned<String>>,
    allowed_licenses: Vec<Spanned<String>>,
    cargo_vet_criteria: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawProjects {
    include: Option<Vec<String>>,
    exclude: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLines {
    exclude: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RawForge {
    dependency_graph: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Config {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`Broken`] with the line.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let raw: Raw = crate::text::toml(text).map_err(|e| Broken::at(CONFIG, e))?;
        let at = |span: std::ops::Range<usize>, reason: String| Broken {
            file: CONFIG.to_owned(),
            line: line_of(text, span.start),
            reason,
        };
        let mut config = Self::default();
        if let Some(packs) = raw.packs {
            config.packs.clear();
            for pack in packs {
                let name = pack.get_ref();
                if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                    return Err(at(pack.span(), format!("`{}` is no pack name", name.escape_debug())));
                }
                if !config.packs.contains(name) {
                    config.packs.push(name.clone());
                }
            }
        }
        for reviewer in raw.reviewers {
            if !reviewer.get_ref().starts_with('@') {
                let name = reviewer.get_ref().escape_debug().to_string();
                return Err(at(reviewer.span(), format!("reviewer `{name}`: write \"@login\" or \"@org/team\"")));
            }
            config.reviewers.push(reviewer.into_inner());
        }
        config.settings = settings(raw.settings, &at)?;
        for (rule, word) in raw.levels {
            let level = Level::from_word(word.get_ref()).ok_or_else(|| {
                let word_text = word.get_ref().escape_debug().to_string();
                at(word.span(), format!("level `{word_text}`: one of deny, review, warn, note"))
            })?;
            if !rule.get_ref().contains('/') {
                let name = rule.get_ref().escape_debug().to_string();
                return Err(at(rule.span(), format!("rule `{name}`: write \"pack/rule\", as in \"baseline/{name}\"")));
            }
            config.level_lines.insert(rule.get_ref().clone(), line_of(text, rule.span().start));
            config.levels.insert(rule.into_inner(), level);
        }
        for (word, addresses) in raw.registries {
            let ecosystem = Ecosystem::from_word(word.get_ref())
                .ok_or_else(|| at(word.span(), format!("`{}` is no ecosystem", word.get_ref().escape_debug())))?;
            let addresses = match addresses {
                OneOrMany::One(address) => vec![address],
                OneOrMany::Many(addresses) => addresses,
            };
            config.registries.insert(ecosystem, addresses);
        }
        if let Some(include) = raw.projects.include {
            config.include = include;
        }
        config.exclude = raw.projects.exclude;
        config.exclude_lines = raw.lines.exclude;
        config.dependency_graph = raw.forge.dependency_graph;
        Ok(config)
    }

    /// Whether the file at `path` belongs to what is judged.
    #[must_use]
    pub fn judges(&self, file: &RepoPath) -> bool {
        self.include.iter().any(|g| path::glob(g, file)) && !self.exclude.iter().any(|g| path::glob(g, file))
    }

    /// Whether the changed lines of the file at `path` are judged.
    #[must_use]
    pub fn judges_lines(&self, file: &RepoPath) -> bool {
        !self.exclude_lines.iter().any(|g| path::glob(g, file))
    }

    /// Addresses that count as the public registry of an ecosystem.
    #[must_use]
    pub fn mirrors(&self, ecosystem: Ecosystem) -> &[String] {
        self.registries.get(&ecosystem).map_or(&[], Vec::as_slice)
    }
}

type At<'a> = &'a dyn Fn(std::ops::Range<usize>, String) -> Broken;

fn settings(raw: RawSettings, at: At<'_>) -> Result<Settings, Broken> {
    let mut settings = Settings::default();
    if let Some(word) = raw.fail_on_severity {
        settings.fail_on_severity = match word.get_ref().as_str() {
            "low" => LOW,
            "medium" => MEDIUM,
            "high" => HIGH,
            "critical" => CRITICAL,
            other => {
                let reason = format!("severity `{}`: one of low, medium, high, critical", other.escape_debug());
                return Err(at(word.span(), reason));
            }
        };
    }
    for (given, slot) in [
        (raw.min_release_age, &mut settings.min_release_age),
        (raw.advisories_warn_after, &mut settings.advisories_warn_after),
        (raw.advisories_refuse_after, &mut settings.advisories_refuse_after),
    ] {
        if let Some(text) = given {
            *slot = days(text.get_ref()).ok_or_else(|| {
                let reason = format!("`{}` is no duration: write days or weeks, \"3d\"", text.get_ref().escape_debug());
                at(text.span(), reason)
            })?;
        }
    }
    for id in raw.allowed_licenses {
        if spdx::license_id(id.get_ref()).is_none() {
            return Err(at(id.span(), format!("`{}` is no SPDX licence id", id.get_ref().escape_debug())));
        }
        settings.allowed_licenses.push(id.into_inner());
    }
    if let Some(criteria) = raw.cargo_vet_criteria {
        settings.cargo_vet_criteria = criteria;
    }
    Ok(settings)
}

/// Days of `3d` or `2w`.
fn days(text: &str) -> Option<i64> {
    let (number, factor) = text.strip_suffix('d').map(|n| (n, 1)).or_else(|| text.strip_suffix('w').map(|n| (n, 7)))?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    number.parse::<i64>().ok().filter(|n| *n <= 36_500).map(|n| n * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        // The values of PRODUCT's sample file.
        let sample = r#"
packs = ["baseline"]
reviewers = []
[settings]
fail-on-severity = "low"
min-release-age = "3d"
advisories-warn-after = "7d"
advisories-refuse-after = "30d"
allowed-licenses = []
cargo-vet-criteria = ["safe-to-deploy"]
[levels]
[registries]
[projects]
[lines]
"#;
        assert_eq!(Config::parse(sample).unwrap(), Config::default());
        assert_eq!(Config::parse("").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, part) in [
            ("packs = [\"baseline\"]\n[settings]\nfail-on-severty = \"low\"\n", 3, "unknown field"),
            ("[settings]\nmin-release-age = \"soon\"\n", 2, "no duration"),
            ("[settings]\nallowed-licenses = [\"MIT\", \"Mine\"]\n", 2, "SPDX"),
            ("[levels]\n\"advisory-introduced\" = \"warn\"\n", 2, "baseline/advisory-introduced"),
            ("[levels]\n\"baseline/malware\" = \"off\"\n", 2, "one of deny"),
            ("reviewers = [\"alice\"]\n", 1, "@login"),
            ("packs = [\"../x\"]\n", 1, "pack name"),
            ("x = [\n", 2, ""),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.reason.contains(part), "{text}: {error}");
            assert!(error.line == line || part.is_empty(), "{text}: {error}");
        }
    }
}
