//! Advisories against the packages of a project, and where each comes from: introduced, inherited, disclosed or
//! resolved.

use std::collections::BTreeMap;

use crate::advisory::matching::{self, Outcome};
use crate::advisory::store::Layered;
use crate::model::advisory::{AdvisoryKind, Matched};
use crate::model::finding::{Finding, Location, Origin, SubjectKind};
use crate::model::inventory::{Identity, Inventory, Package, SourceKind};
use crate::model::verdict::{AdvisoryData, CheckSkipped, Coverage};
use crate::model::{Ecosystem, purl};
use crate::policy::engine::Engine;
use crate::run::findings::{About, build};
use crate::run::{Advisories, Request};
use crate::subject::{Kind, Subject, Value, quiet};

type Key = (Ecosystem, Box<str>, Box<str>);

/// Looks packages up, each name and version once.
pub struct Matcher<'a> {
    store: &'a Layered,
    known: BTreeMap<Key, Outcome>,
    /// The first damage met, if any: then nothing is known.
    pub damage: Option<String>,
}

impl<'a> Matcher<'a> {
    /// A matcher over a store.
    #[must_use]
    pub fn new(store: &'a Layered) -> Self {
        Self { store, known: BTreeMap::new(), damage: None }
    }

    /// What is known against a package. Foreign packages are not looked up: public advisories do not speak of them. What
    /// comes from a registry that nobody declared is: by its name, which a person can tell from another's.
    pub fn look_up(&mut self, package: &Package) -> Outcome {
        if package.identity == Identity::Foreign && !is_undeclared(package) {
            return Outcome::default();
        }
        match version_of(package) {
            Some(version) => self.of_version(package, version),
            // Whichever version it will be, what speaks of all of them speaks of it.
            None => self.of_version(package, matching::EVERY_VERSION),
        }
    }

    fn of_version(&mut self, package: &Package, version: &str) -> Outcome {
        let key: Key = (package.ecosystem, package.name.clone(), version.into());
        if let Some(outcome) = self.known.get(&key) {
            return outcome.clone();
        }
        let outcome = match matching::matches(self.store, package.ecosystem, &package.name, version) {
            Ok(outcome) => outcome,
            Err(error) => {
                self.damage.get_or_insert_with(|| error.to_string());
                Outcome::default()
            }
        };
        self.known.insert(key, outcome.clone());
        outcome
    }
}

/// Whether a package comes from a registry of which nothing says whose it is. Cargo's own format knows its registries.
fn is_undeclared(package: &Package) -> bool {
    package.source.kind == SourceKind::Registry
        && package.identity != Identity::Public
        && package.ecosystem != Ecosystem::Cargo
}

/// The version that advisories are asked about; `None` where nothing says which one is used.
fn version_of(package: &Package) -> Option<&str> {
    if let Some(claim) = &package.claim {
        return Some(claim);
    }
    // Without a lockfile, a requirement of exactly one version says which it is.
    match (package.is_locked, package.version.strip_prefix('=')) {
        (true, _) => Some(&package.version),
        (false, Some(exact)) => Some(exact.trim()),
        // A tag that is a whole version is one; `v4` is whatever it points to today.
        (false, None) if package.ecosystem == Ecosystem::GitHubActions => {
            let rules = crate::ecosystem::rules(package.ecosystem);
            rules.compare(&package.version, &package.version).map(|_| &*package.version)
        }
        (false, None) => None,
    }
}

/// One advisory that speaks of one package of a project.
pub struct Match<'i> {
    /// The package.
    pub package: &'i Package,
    /// The advisory.
    pub advisory: Matched,
    /// Where it comes from; `None` in an audit.
    pub origin: Option<Origin>,
}

/// Matches of head's inventory, with their origin where there is a base. `base_time` is the time of base's commit.
pub fn matches<'i>(
    matcher: &mut Matcher<'_>,
    base: Option<&Inventory>,
    head: &'i Inventory,
    base_time: Option<jiff::Timestamp>,
) -> Vec<Match<'i>> {
    let mut before: BTreeMap<(Ecosystem, &str), Vec<(Matched, &Package)>> = BTreeMap::new();
    for package in base.map_or(&[][..], |i| &i.packages) {
        for advisory in matcher.look_up(package).matched {
            before.entry((package.ecosystem, &package.name)).or_default().push((advisory, package));
        }
    }
    let mut found = Vec::new();
    for package in &head.packages {
        for advisory in matcher.look_up(package).matched {
            let inherited = before.get(&(package.ecosystem, &*package.name)).is_some_and(|list| {
                list.iter()
                    .any(|(old, was)| old.is_same(&advisory) && was.scopes.strongest() >= package.scopes.strongest())
            });
            let origin = match (inherited, base_time) {
                (false, _) => Origin::Introduced,
                (true, Some(time)) if published_after(&advisory, time) => Origin::Disclosed,
                (true, _) => Origin::Inherited,
            };
            found.push(Match { package, advisory, origin: Some(origin) });
        }
    }
    found
}

/// Matches of base that head's inventory no longer has.
pub fn resolved<'i>(matcher: &mut Matcher<'_>, base: &'i Inventory, head: Option<&Inventory>) -> Vec<Match<'i>> {
    let mut found = Vec::new();
    for package in &base.packages {
        // Another comment beside the same commit mends nothing.
        let same_commit = |p: &Package| p.claim.is_some() && p.version == package.version;
        let of_head = || head.into_iter().flat_map(|head| head.named(package.ecosystem, &package.name));
        if package.claim.is_some() && of_head().any(same_commit) {
            continue;
        }
        for advisory in matcher.look_up(package).matched {
            let stands = head.is_some_and(|head| {
                head.packages
                    .iter()
                    .filter(|p| p.ecosystem == package.ecosystem && p.name == package.name)
                    .any(|p| matcher.look_up(p).matched.iter().any(|other| other.is_same(&advisory)))
            });
            if !stands {
                found.push(Match { package, advisory, origin: Some(Origin::Resolved) });
            }
        }
    }
    found
}

fn published_after(advisory: &Matched, time: jiff::Timestamp) -> bool {
    let Some(text) = &advisory.published else { return false };
    let published = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse());
    published.is_ok_and(|published| published > time)
}

/// Asks the rules about a match.
#[must_use]
pub fn findings(engine: &Engine<'_>, inventory: &Inventory, found: &Match<'_>, change: Option<&str>) -> Vec<Finding> {
    let Match { package, advisory, origin } = found;
    let file = inventory.path_of(package.span).cloned().unwrap_or_else(|| inventory.project.path.clone());
    engine
        .ask(&subject(found))
        .into_iter()
        .map(|mut statement| {
            if *origin == Some(Origin::Resolved) {
                statement.rule.level = crate::model::finding::Level::Note;
            }
            build(
                statement,
                About {
                    kind: SubjectKind::Package,
                    purl: Some(purl::of_package(package)),
                    place: Location { file: file.clone(), line: package.span.line, end_line: package.span.end_line },
                    project: Some(inventory.project.path.clone()),
                    change: change.map(str::to_owned),
                    advisory: Some(advisory.clone()),
                    origin: *origin,
                    detail: String::new(),
                },
            )
        })
        .collect()
}

fn subject(found: &Match<'_>) -> Subject {
    let Match { package, advisory, origin } = found;
    let mut attributes = quiet(Kind::Match);
    let mut ids: Vec<String> = advisory.ids().map(str::to_owned).collect();
    ids.sort();
    attributes.extend([
        ("ecosystem", Value::word("Ecosystem", package.ecosystem.as_str())),
        ("name", Value::Text(package.name.to_string())),
        ("version", Value::Text(package.version.to_string())),
        ("direct", Value::Flag(package.direct)),
        ("scope", Value::word("Scope", package.scopes.strongest().as_str())),
        ("kind", Value::word("AdvisoryKind", advisory.kind.as_str())),
        ("id", Value::Text(advisory.id.clone())),
        ("ids", Value::Texts(ids)),
        ("hasFix", Value::Flag(!advisory.fixed.is_empty())),
    ]);
    for name in ["severity", "origin"] {
        attributes.remove(name);
    }
    if let Some(score) = advisory.severity {
        attributes.insert("severity", Value::Number((score * 10.0).round() as i64));
    }
    if let Some(origin) = origin {
        attributes.insert("origin", Value::word("Origin", origin.as_str()));
    }
    let mut described = advisory.id.clone();
    match advisory.severity {
        Some(score) if advisory.kind == AdvisoryKind::Vulnerability => described += &format!(" (CVSS {score:.1})"),
        _ if advisory.kind == AdvisoryKind::Vulnerability => described += " (severity not known)",
        _ => described += &format!(" ({})", advisory.kind),
    }
    let fix = match advisory.fixed.as_slice() {
        [] => format!(
            "no version without it is known: replace {}, or portcullis waive {} --scope {} --reason \"…\" --expires …",
            package.name,
            advisory.id,
            purl::of_package(package)
        ),
        fixed if package.ecosystem == Ecosystem::Cargo => {
            format!("fixed in {}: cargo update -p {}@{}", fixed.join(", "), package.name, package.version)
        }
        fixed => format!("fixed in {}: take that version of {} or a later one", fixed.join(", "), package.name),
    };
    let words = BTreeMap::from([
        ("package", package.label().replacen('@', " ", 1)),
        ("name", package.name.to_string()),
        ("advisory", described),
        ("fix", fix),
    ]);
    Subject { kind: Kind::Match, attributes, words }
}

/// Advisories that may speak of a commit and are judged by the version that a comment beside it claims. What the commit
/// itself holds is known to nobody here; the comment is somebody's word.
pub fn hang_on_claim(matcher: &mut Matcher<'_>, package: &Package) -> Vec<String> {
    if package.claim.is_none() {
        return Vec::new();
    }
    let of_commit = matcher.of_version(package, &package.version).undecided;
    of_commit.into_iter().map(|skipped| skipped.id).collect()
}

/// Notes what the answer about a package lacks: advisories that could not be read or compared, or a source that public
/// advisories do not speak of.
pub fn note_gaps(coverage: &mut Coverage, matcher: &mut Matcher<'_>, package: &Package, judged: bool) {
    for skipped in matcher.look_up(package).undecided {
        coverage.checks_skipped.push(CheckSkipped {
            check: "advisories".to_owned(),
            reason: format!("{} may speak of {}: {}", skipped.id, package.label(), skipped.reason),
            incomplete: judged,
        });
    }
    let is_other = package.source.kind == SourceKind::Registry && package.identity != Identity::Public;
    if judged && (is_other || package.identity == Identity::Foreign) {
        let (label, address) = (package.label(), &package.source.address);
        let reason = if is_undeclared(package) {
            format!(
                "{label}: nothing declares {address} to be the public registry; advisories are matched by name alone"
            )
        } else {
            format!("{label}: no advisory data speaks of packages from {address}")
        };
        coverage.checks_skipped.push(CheckSkipped { check: "advisories".to_owned(), reason, incomplete: false });
    }
    // Where no database speaks of the ecosystem, that is said once.
    if judged && version_of(package).is_none() && package.ecosystem.osv().is_some() {
        let why = match package.ecosystem {
            Ecosystem::GitHubActions => "nothing says which version it is",
            _ => "no lockfile says which version is used",
        };
        coverage.checks_skipped.push(CheckSkipped {
            check: "advisories".to_owned(),
            reason: format!("{} {}: {why}", package.name, package.version),
            incomplete: false,
        });
    }
}

/// What the verdict says of the data, and what its age means for the ecosystems in question.
pub fn data(
    advisories: &Advisories,
    request: &Request,
    now: jiff::Timestamp,
    settings: &crate::gate::config::Settings,
    ecosystems: &[Ecosystem],
    coverage: &mut Coverage,
) -> AdvisoryData {
    let gap = |reason: String, incomplete| CheckSkipped { check: "advisories".to_owned(), reason, incomplete };
    let store = match advisories {
        Ok(store) => store,
        Err(reason) => {
            // Where no package differs, nobody asked for the data.
            coverage.checks_skipped.push(gap(reason.clone(), request.is_audit() || !ecosystems.is_empty()));
            return AdvisoryData::default();
        }
    };
    for skipped in store.loose_skipped() {
        // It names no package that could be read, so it may be about any: said, and not held against all.
        coverage.checks_skipped.push(gap(format!("{}: {}", skipped.id, skipped.reason), false));
    }
    let sources = store.sources();
    let is_audit = request.is_audit();
    for ecosystem in ecosystems {
        if ecosystem.osv().is_none() {
            // No database speaks of it: no data could make the answer more than it is.
            coverage.checks_skipped.push(gap(format!("no advisory database speaks of {ecosystem} packages"), false));
            continue;
        }
        let Some(source) = sources.iter().find(|s| s.ecosystem == ecosystem.as_str()) else {
            coverage
                .checks_skipped
                .push(gap(format!("there is no advisory data for {ecosystem}: portcullis advisories update"), true));
            continue;
        };
        let Some(days) = age_in_days(&source.as_of, now) else {
            coverage.checks_skipped.push(gap(format!("the advisory data for {ecosystem} has no date"), true));
            continue;
        };
        if days < -1 {
            let reason =
                format!("the advisory data for {ecosystem} says that it is of {}, which is to come", source.as_of);
            coverage.checks_skipped.push(gap(reason, true));
            continue;
        }
        let what = if source.built_in { "the built-in advisory baseline" } else { "the advisory data" };
        let reason = format!("{what} for {ecosystem} is {days} days old: portcullis advisories update");
        if days > settings.advisories_refuse_after {
            // The baseline is what a first run without a network has: there it warns, where a deploy is not at stake.
            coverage.checks_skipped.push(gap(reason, is_audit || !source.built_in));
        } else if days > settings.advisories_warn_after {
            coverage.checks_skipped.push(gap(reason, false));
        }
    }
    AdvisoryData { as_of: oldest(&sources), digest: Some(store.digest()), sources }
}

fn oldest(sources: &[crate::model::advisory::SourceAge]) -> Option<String> {
    sources.iter().map(|source| source.as_of.clone()).min()
}

/// Whole days between a time and now; negative for a time to come.
#[must_use]
pub fn age_in_days(as_of: &str, now: jiff::Timestamp) -> Option<i64> {
    let time = as_of.parse::<jiff::Timestamp>().or_else(|_| format!("{as_of}T00:00:00Z").parse()).ok()?;
    Some((now.as_second() - time.as_second()) / 86_400)
}
