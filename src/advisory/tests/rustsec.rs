//! The RustSec tree against the crate `rustsec`.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Prerelease, Version};

use super::{asked, batch, folder, layered};
use crate::advisory::import::rustsec::record;
use crate::model::advisory::{AdvisoryKind, Bound};

fn advisories(root: &std::path::Path) -> Vec<(String, rustsec::Advisory)> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(root.join("crates")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let advisory = text.parse().unwrap();
            all.push((text, advisory));
        }
    }
    all
}

/// Every version of every package in the lockfiles of a folder.
fn locked(root: &std::path::Path, into: &mut BTreeMap<String, BTreeSet<Version>>) {
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            locked(&path, into);
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().contains("Cargo.lock")) {
            let Ok(lock) = cargo_lock::Lockfile::load(&path) else {
                continue;
            };
            for package in lock.packages {
                into.entry(package.name.as_str().to_owned()).or_default().insert(package.version);
            }
        }
    }
}

/// Versions at and around a bound.
fn around(version: &Version) -> Vec<Version> {
    let mut all = vec![version.clone()];
    let mut plain = Version::new(version.major, version.minor, version.patch);
    all.push(plain.clone());
    for pre in ["0", "alpha", "alpha.1", "beta.2", "rc.1", "zeta"] {
        plain.pre = Prerelease::new(pre).unwrap();
        all.push(plain.clone());
    }
    let Version { major, minor, patch, .. } = *version;
    all.extend([
        Version::new(major, minor, patch + 1),
        Version::new(major, minor + 1, 0),
        Version::new(major + 1, 0, 0),
    ]);
    all.push(Version::new(major, minor, patch.saturating_sub(1)));
    all.push(Version::new(major, minor.saturating_sub(1), 99));
    all.push(Version::new(major.saturating_sub(1), 99, 99));
    for mut next in [Version::new(major, minor, patch + 1), Version::new(major, minor + 1, 0)] {
        next.pre = Prerelease::new("0").unwrap();
        all.push(next);
    }
    let mut built = version.clone();
    built.build = semver::BuildMetadata::new("1.2").unwrap();
    all.push(built);
    all
}

#[test]
fn every_version_is_judged_as_the_crate_judges_it() {
    let Some(corpus) = folder("PORTCULLIS_CORPUS") else {
        return;
    };
    let all = advisories(&corpus.join("rustsec-advisory-db"));
    assert!(all.len() > 1_000);
    let mut versions = BTreeMap::new();
    locked(&corpus.join("lockfiles"), &mut versions);
    let (mut asked_count, mut built) = (0, 0);
    for (text, advisory) in &all {
        let ours = record(text).unwrap();
        let name = advisory.metadata.package.as_str();
        let store = layered(vec![batch("2026-01-01T00:00:00Z", vec![ours.clone()])]);
        let mut asked_for: BTreeSet<Version> = versions.get(name).cloned().unwrap_or_default();
        asked_for.extend([Version::new(0, 0, 0), Version::new(0, 0, 1), Version::new(999, 0, 0)]);
        for range in &ours.affected[0].ranges {
            asked_for.extend(range.introduced.iter().flat_map(|v| around(&v.parse().unwrap())));
            if let Some(Bound::Fixed(v)) = &range.until {
                asked_for.extend(around(&v.parse().unwrap()));
            }
        }
        for requirement in advisory.versions.patched().iter().chain(advisory.versions.unaffected()) {
            for c in &requirement.comparators {
                let mut bound = Version::new(c.major, c.minor.unwrap_or(0), c.patch.unwrap_or(0));
                bound.pre = c.pre.clone();
                asked_for.extend(around(&bound));
            }
        }
        for version in asked_for {
            let expected = advisory.versions.is_vulnerable(&version) && !advisory.withdrawn();
            let (matched, undecided) = asked(&store, name, &version.to_string());
            asked_count += 1;
            // `semver::Version` orders by build metadata too, which semver 2.0 (item 10) says has no precedence. Where
            // the two differ, the judgement must be the one of the version without it.
            let mut bare = version.clone();
            bare.build = semver::BuildMetadata::EMPTY;
            let expected_bare = advisory.versions.is_vulnerable(&bare) && !advisory.withdrawn();
            built += u32::from(expected != expected_bare);
            assert_eq!(undecided, Vec::<String>::new(), "{} {version}", ours.id);
            assert_eq!(!matched.is_empty(), expected_bare, "{} {version}", ours.id);
        }
    }
    eprintln!("{} advisories, {asked_count} versions, {built} where only build metadata differs", all.len());
}

#[test]
fn kinds_come_from_facts() {
    let Some(corpus) = folder("PORTCULLIS_CORPUS") else {
        return;
    };
    let root = corpus.join("rustsec-advisory-db");
    let imported = crate::advisory::import::rustsec::read(&root, None, super::NOW).unwrap();
    assert_eq!(imported.skipped, []);
    let count = |kind| imported.records.iter().filter(|r| r.kind == kind).count();
    // Counted with grep: categories naming `malicious` 72 + 1 of them with code-execution; informational words.
    assert_eq!(count(AdvisoryKind::Malware), 73);
    eprintln!(
        "{} records, {} withdrawn; unmaintained {}, unsound {}, notice {}, vulnerability {}; as of {}",
        imported.records.len(),
        imported.records.iter().filter(|r| r.withdrawn).count(),
        count(AdvisoryKind::Unmaintained),
        count(AdvisoryKind::Unsound),
        count(AdvisoryKind::Notice),
        count(AdvisoryKind::Vulnerability),
        imported.sources[0].as_of,
    );
}

#[test]
fn one_bad_record_does_not_take_the_rest_down() {
    let good = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"a\"\ndate = \"2099-01-01\"\n\
                [versions]\npatched = [\"^0.6.14\", \">= 1.6.1\"]\nunaffected = [\"< 0.6.3\"]\n```\n\n# T\n\nText\n";
    let record = record(good).unwrap();
    let [affected] = &record.affected[..] else { panic!() };
    let spans: Vec<_> = affected.ranges.iter().map(|r| (r.introduced.as_deref(), r.until.clone())).collect();
    let fixed = |v: &str| Some(Bound::Fixed(v.into()));
    assert_eq!(spans, [(Some("0.6.3"), fixed("0.6.14")), (Some("0.7.0-0"), fixed("1.6.1"))]);
    assert_eq!(affected.fixed, ["0.6.14", "1.6.1"]);
    for bad in [
        "",
        "x",
        "```tomlé",
        "ééééééééééééééééééééééé",
        "```toml\n```",
        &good.replace("^0.6.14", "nonsense"),
        &good.replace("2099-01-01", "yesterday"),
        // The crate's own assertion, and its unchecked addition.
        &good.replace("^0.6.14\", \">= 1.6.1", "> 1.0.0\", \"= 1.0.0"),
        &good.replace("^0.6.14", "^0.0.18446744073709551615"),
        &good.replace("package = \"a\"", ""),
    ] {
        super::super::import::rustsec::record(bad).unwrap_err();
    }
    let root = std::env::temp_dir().join(format!("portcullis-rustsec-{}", std::process::id()));
    for (name, text) in [("a", good), ("b", "broken")] {
        std::fs::create_dir_all(root.join("crates").join(name)).unwrap();
        std::fs::write(root.join("crates").join(name).join("RUSTSEC-2099-0001.md"), text).unwrap();
    }
    let imported = super::super::import::read(&root, None, super::NOW).unwrap().remove(0);
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!(imported.records.len(), 1);
    assert_eq!(imported.records[0].modified, "1970-01-01T00:00:00Z");
    assert_eq!(imported.skipped[0].package, Some(("crates.io".into(), "b".into())));
}

#[test]
fn the_tree_and_its_export_agree() {
    let (Some(corpus), Some(data)) = (folder("PORTCULLIS_CORPUS"), folder("PORTCULLIS_DATA")) else {
        return;
    };
    let read = |path: std::path::PathBuf| crate::advisory::import::read(&path, None, super::NOW).unwrap();
    let tree = read(corpus.join("rustsec-advisory-db"));
    let export = read(data.join("osv/crates.io/all.zip"));
    let known = |batches: &[super::Imported]| -> BTreeSet<String> {
        let all = batches.iter().flat_map(|b| &b.records).filter(|r| !r.withdrawn);
        all.map(|r| r.id.clone()).filter(|id| id.starts_with("RUSTSEC-")).collect()
    };
    let (ours, theirs) = (known(&tree), known(&export));
    let alone: Vec<_> = ours.symmetric_difference(&theirs).collect();
    eprintln!("in one of the two only: {alone:?}");
    let mut versions = BTreeMap::new();
    locked(&corpus.join("lockfiles"), &mut versions);
    let (tree, export) = (layered(tree), layered(export));
    let (mut pairs, mut different, mut hits) = (0, Vec::new(), 0);
    for (name, versions) in &versions {
        for version in versions.iter().map(ToString::to_string) {
            let of = |store| {
                let outcome = crate::advisory::matching::matches(store, crate::model::Ecosystem::Cargo, name, &version);
                let outcome = outcome.unwrap();
                assert_eq!(outcome.undecided, []);
                let facts =
                    outcome.matched.into_iter().map(|m| (m.id, m.kind, m.severity.map(|s| s.to_string()), m.functions));
                facts.filter(|(id, ..)| ours.contains(id) && theirs.contains(id)).collect::<Vec<_>>()
            };
            let (a, b) = (of(&tree), of(&export));
            pairs += 1;
            hits += a.len();
            if a != b {
                different.push((name, version, a, b));
            }
        }
    }
    eprintln!("{pairs} package versions of lockfiles, {hits} matches");
    assert!(different.is_empty(), "{different:#?}");
}
