//! Real histories and lockfiles against independent oracles: crates `cargo-lock` and `rustsec`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Instant;

use cargo_lock::Lockfile;
use portcullis::advisory::import;
use portcullis::advisory::store::{Builder, Layered, Store};
use portcullis::model::change::{ChangeKind, Side};
use portcullis::model::inventory::SourceKind;
use portcullis::model::tree::Oid;
use portcullis::model::verdict::{CoveredFile, FileState, PolicyFrom, Verdict};
use portcullis::revision::{Base, Governing, Head};
use portcullis::run::{self, Request};
use portcullis::subject::Command;
use portcullis::world::folder::PlainFolder;
use portcullis::world::git::GitRepo;
use portcullis::world::{Env, Repo as _, World};

use crate::harness::{Machine, TempDir, data, has_git};

fn request(command: Command, base: Option<String>, head: Head) -> Request {
    Request {
        command,
        base: base.map_or(Base::Found, Base::Rev),
        head,
        governing: Governing::Found,
        note: None,
        policy_from: PolicyFrom::BuiltIn,
        ci: false,
        overrides: Vec::new(),
        lockfiles: Vec::new(),
        add_packs: Vec::new(),
        store_is_named: false,
    }
}

fn now() -> jiff::Timestamp {
    "2026-08-21T00:00:00Z".parse().unwrap()
}

/// Packages of a lockfile: name, version, source, checksum.
type Set = BTreeSet<(String, String, String, String)>;

/// Lockfiles of a revision by path: blob, and the packages the oracle reads in it.
type Locks = BTreeMap<String, (Oid, Option<Rc<Set>>)>;

/// The packages that have a source, by the oracle; `None` where it cannot read the file.
fn oracle(text: &str) -> Option<Set> {
    let lockfile = Lockfile::from_str(text).ok()?;
    let word = |source: Option<String>| source.unwrap_or_default();
    let entry = |package: &cargo_lock::Package| {
        let source = package.source.as_ref()?.to_string();
        let checksum = package.checksum.as_ref().map(ToString::to_string);
        Some((package.name.to_string(), package.version.to_string(), source, word(checksum)))
    };
    Some(lockfile.packages.iter().filter_map(entry).collect())
}

/// Versions that came and went, by (name, version), as a multiset over all lockfiles.
type Moves = BTreeMap<(String, String, bool), usize>;

fn moves_of_oracle(pairs: &[(Rc<Set>, Rc<Set>)]) -> Moves {
    let mut moves = Moves::new();
    for (before, after) in pairs {
        let versions = |set: &Set| {
            let mut count: BTreeMap<(String, String), usize> = BTreeMap::new();
            for (name, version, ..) in set {
                *count.entry((name.clone(), version.clone())).or_default() += 1;
            }
            count
        };
        let (before, after) = (versions(before), versions(after));
        for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let (b, a) = (before.get(key).copied().unwrap_or(0), after.get(key).copied().unwrap_or(0));
            if a != b {
                *moves.entry((key.0.clone(), key.1.clone(), a > b)).or_default() += a.abs_diff(b);
            }
        }
    }
    moves
}

/// The same of a verdict: what came and what went, of every pair. A path inside the repository is no package to the
/// oracle, and a pair of equal versions is no move unless one of its ends is such a path.
fn moves_of_verdict(verdict: &Verdict) -> Moves {
    let mut moves = Moves::new();
    for change in verdict.changes.iter().filter(|change| change.kind != ChangeKind::Rescoped) {
        let end = |side: &Option<Side>| {
            let side = side.as_ref().filter(|side| side.is_locked && side.source.kind != SourceKind::Path)?;
            Some(side.version.clone())
        };
        let (before, after) = (end(&change.before), end(&change.after));
        if before == after {
            continue;
        }
        for (version, came) in [(before, false), (after, true)] {
            if let Some(version) = version {
                *moves.entry((change.name.clone(), version, came)).or_default() += 1;
            }
        }
    }
    moves
}

#[derive(Default)]
struct Tally {
    pairs: usize,
    format_only: usize,
    compared: usize,
    changes: usize,
    incomplete: usize,
    unread_by_oracle: usize,
}

#[test]
fn every_dependency_change_of_the_histories() {
    let Some(histories) = data("PORTCULLIS_DATA", "histories", "the histories of Cargo projects") else { return };
    if !has_git() {
        return;
    }
    let started = Instant::now();
    let store = leaked(portcullis::advisory::built_in_bytes().to_vec());
    std::thread::scope(|scope| {
        for name in ["zizmor", "cargo-deny", "rustsec"] {
            scope.spawn(|| of_project(name, &histories, store));
        }
    });
    // Loose: this is about something growing out of hand, on a machine that does other things as well.
    assert!(started.elapsed().as_secs() < 300, "{:?}", started.elapsed());
}

/// Names and versions in a lockfile, read without any format of ours; `None` for kinds that have no oracle here.
fn plain_oracle(file_name: &str, text: &str) -> Option<BTreeSet<(String, String)>> {
    match file_name {
        "package-lock.json" => {
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            let mut found = BTreeSet::new();
            if let Some(packages) = value.get("packages").and_then(|packages| packages.as_object()) {
                for (key, entry) in packages.iter().filter(|(key, entry)| {
                    key.contains("node_modules/") && entry.get("link").is_none() && entry.get("version").is_some()
                }) {
                    let name = entry.get("name").and_then(|name| name.as_str());
                    let name = name.unwrap_or_else(|| key.rsplit("node_modules/").next().unwrap());
                    found.insert((name.to_owned(), entry["version"].as_str()?.to_owned()));
                }
            } else {
                let mut open = vec![&value];
                while let Some(entry) = open.pop() {
                    for (name, inner) in entry.get("dependencies").and_then(|d| d.as_object()).into_iter().flatten() {
                        found.insert((name.clone(), inner.get("version")?.as_str()?.to_owned()));
                        open.push(inner);
                    }
                }
            }
            Some(found)
        }
        "uv.lock" | "pdm.lock" => {
            let table: toml::Table = text.parse().ok()?;
            let is_local = |package: &toml::Value| {
                let source = package.get("source");
                ["editable", "virtual", "directory"].iter().any(|key| source.is_some_and(|s| s.get(key).is_some()))
                    || package.get("path").is_some()
            };
            let packages = table.get("package")?.as_array()?.iter().filter(|package| !is_local(package));
            let field = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
            // PEP 503.
            let spelt = |name: String| {
                let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
                parts.join("-").to_lowercase()
            };
            packages.map(|package| Some((spelt(field(package, "name")?), field(package, "version")?))).collect()
        }
        _ => None,
    }
}

/// Histories of several ecosystems. Oracles: `serde_json` for npm's lockfile, `toml` for uv's and PDM's; what a pair
/// adds and takes away must be the difference of the two lists. `PORTCULLIS_EVERY_PAIR` runs all of them; without it,
/// one in four, which keeps the whole within two minutes of an unoptimised build.
#[test]
fn every_dependency_change_of_the_other_histories() {
    let Some(histories) = data("PORTCULLIS_DATA", "histories", "the histories of other projects") else { return };
    if !has_git() {
        return;
    }
    let store = leaked(portcullis::advisory::built_in_bytes().to_vec());
    std::thread::scope(|scope| {
        for (name, least) in [("checkout", 30), ("pdm", 100), ("vue-core", 0), ("zizmor", 10)] {
            let histories = &histories;
            scope.spawn(move || of_other_project(name, histories, store, least));
        }
    });
}

fn of_other_project(name: &str, histories: &Path, store: &'static [u8], least: usize) {
    let from = Instant::now();
    let stride = if std::env::var_os("PORTCULLIS_EVERY_PAIR").is_some() { 1 } else { 4 };
    let (machine, folder) = (Machine::new(), TempDir::new());
    let bundle = histories.join(format!("{name}.bundle"));
    machine.git(folder.path(), &["clone", "-q", "--bare", bundle.to_str().unwrap(), "repo"]).exits(0);
    let path = folder.path().join("repo");
    let log = machine.git(&path, &["log", "--first-parent", "--format=%H %P", "HEAD"]).exits(0).stdout;
    let repo = GitRepo::open(&path, &Env::new()).unwrap().unwrap();
    let env = Env::new();
    let world = World { repo: &repo, now: now(), env: &env, process: None, reviews: None, graph: None };
    let advisories = || Ok(Layered::only(Store::from_static(store).unwrap()));
    let (mut pairs, mut changes, mut compared) = (0, 0, 0);
    let mut unread: BTreeMap<String, usize> = BTreeMap::new();
    for line in log.lines().step_by(stride) {
        let mut ids = line.split(' ');
        let (Some(head), Some(base)) = (ids.next(), ids.next().filter(|base| !base.is_empty())) else { continue };
        let asked = request(Command::Check, Some(base.to_owned()), Head::Rev(head.to_owned()));
        let verdict = run::check::check(&asked, &world, &advisories).unwrap_or_else(|e| panic!("{head}: {e}"));
        pairs += 1;
        changes += verdict.changes.len();
        for file in verdict.coverage.files.iter().filter(|file| file.state != FileState::Read) {
            *unread.entry(format!("{}: {}", file.path, file.reason.as_deref().unwrap_or_default())).or_default() += 1;
        }
        for project in &verdict.projects {
            let Some(lockfile) = &project.lockfile else { continue };
            let read = |rev: &str| {
                let tree = repo.tree(&repo.resolve(rev).unwrap()).unwrap();
                let entry = tree.entry(lockfile).unwrap()?;
                let bytes = tree.read(&entry, 64 << 20).unwrap();
                plain_oracle(lockfile.file_name(), std::str::from_utf8(&bytes).ok()?)
            };
            let (Some(before), Some(after)) = (read(base), read(head)) else { continue };
            let of_lockfile: Vec<_> =
                verdict.changes.iter().filter(|change| change.lockfile.as_ref() == Some(lockfile)).collect();
            let is_unread =
                |file: &CoveredFile| file.path.parent() == lockfile.parent() && file.state != FileState::Read;
            // A base that cannot be read makes everything new.
            if verdict.coverage.files.iter().any(is_unread) || of_lockfile.iter().all(|c| c.before.is_none()) {
                continue;
            }
            compared += 1;
            let end =
                |side: &Option<Side>, name: &str| side.as_ref().map(|side| (name.to_owned(), side.version.clone()));
            let moves = of_lockfile.iter().filter(|change| {
                let version = |side: &Option<Side>| side.as_ref().map(|side| side.version.clone());
                version(&change.before) != version(&change.after)
            });
            let (mut went, mut came) = (BTreeSet::new(), BTreeSet::new());
            for change in moves {
                went.extend(end(&change.before, &change.name));
                came.extend(end(&change.after, &change.name));
            }
            // Of a version that stood more than once, one may go while another stays.
            let gone: BTreeSet<_> = before.difference(&after).cloned().collect();
            let new: BTreeSet<_> = after.difference(&before).cloned().collect();
            assert!(gone.is_subset(&went) && went.is_subset(&before), "{name} {head} {lockfile}: {gone:?} {went:?}");
            assert!(new.is_subset(&came) && came.is_subset(&after), "{name} {head} {lockfile}: {new:?} {came:?}");
        }
    }
    eprintln!(
        "{name}: {pairs} pairs, {changes} changes, {compared} lockfiles compared with the oracle, {:.1} s; not read: {unread:#?}",
        from.elapsed().as_secs_f64()
    );
    assert!(pairs * stride > 50 && compared * stride >= least, "{name}: {pairs} pairs, {compared} lockfiles compared");
}

fn of_project(name: &str, histories: &Path, store: &'static [u8]) {
    let from = Instant::now();
    let (machine, folder) = (Machine::new(), TempDir::new());
    let bundle = histories.join(format!("{name}.bundle"));
    let git = |args: &[&str]| machine.git(folder.path(), args).exits(0).stdout;
    git(&["clone", "-q", "--bare", bundle.to_str().unwrap(), "repo"]);
    let path = folder.path().join("repo");
    let log = machine.git(&path, &["log", "--first-parent", "--format=%H %P", "HEAD"]).exits(0).stdout;
    let repo = GitRepo::open(&path, &Env::new()).unwrap().unwrap();
    let tally = history(&machine, &path, &repo, &log, store);
    let Tally { pairs, format_only, compared, changes, incomplete, unread_by_oracle } = tally;
    eprintln!(
        "{name}: {pairs} pairs, {changes} changes, {compared} compared with the oracle, {format_only} format-only, \
             {incomplete} incomplete, {unread_by_oracle} unread by the oracle, {:.1} s",
        from.elapsed().as_secs_f64()
    );
    assert!(pairs > 50 && compared > 50, "{name}: the history is not what it was");
}

fn leaked(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

fn history(machine: &Machine, path: &Path, repo: &GitRepo, log: &str, store: &'static [u8]) -> Tally {
    let mut tally = Tally::default();
    let mut known = BTreeMap::new();
    // Blobs are read through the program's own trees, which other tests compare with git's.
    let mut lockfiles = |rev: &str| -> Locks {
        let tree = repo.tree(&repo.resolve(rev).unwrap()).unwrap();
        let entries = tree.list().unwrap();
        let lockfiles = entries.iter().filter(|entry| entry.path.file_name() == "Cargo.lock");
        lockfiles
            .map(|entry| {
                let set = known.entry(entry.oid).or_insert_with(|| {
                    let bytes = tree.read(entry, 64 << 20).unwrap();
                    oracle(std::str::from_utf8(&bytes).unwrap()).map(Rc::new)
                });
                (entry.path.to_string(), (entry.oid, set.clone()))
            })
            .collect()
    };
    let env = Env::new();
    let world = World { repo, now: now(), env: &env, process: None, reviews: None, graph: None };
    let advisories = || Ok(Layered::only(Store::from_static(store).unwrap()));
    let touching = machine
        .git(
            path,
            &[
                "log",
                "--first-parent",
                "--diff-merges=first-parent",
                "--format=%H",
                "HEAD",
                "--",
                "Cargo.lock",
                "**/Cargo.lock",
                "Cargo.toml",
                "**/Cargo.toml",
            ],
        )
        .exits(0)
        .stdout;
    let touching: BTreeSet<&str> = touching.lines().collect();
    for line in log.lines() {
        let mut ids = line.split(' ');
        let (Some(head), Some(base)) = (ids.next(), ids.next()) else { continue };
        if !touching.contains(head) || base.is_empty() {
            continue;
        }
        tally.pairs += 1;
        let asked = request(Command::Check, Some(base.to_owned()), Head::Rev(head.to_owned()));
        let verdict = run::check::check(&asked, &world, &advisories).unwrap_or_else(|e| panic!("{head}: {e}"));
        // One in ten again: the same bytes.
        if tally.pairs % 10 == 0 {
            assert_eq!(verdict, run::check::check(&asked, &world, &advisories).unwrap(), "{head} is not deterministic");
        }
        tally.changes += verdict.changes.len();
        tally.incomplete += usize::from(!verdict.complete);
        // A base with an edge to a package it does not hold: to Cargo and to us it is broken, so that everything in head
        // is new; the oracle does not look.
        if !verdict.changes.is_empty() && verdict.changes.iter().all(|c| c.before.is_none()) {
            let asked = request(Command::Audit, None, Head::Rev(base.to_owned()));
            if !run::audit::audit(&asked, &world, &advisories).unwrap().complete {
                eprintln!("broken base of {head}");
                continue;
            }
        }
        compare(&lockfiles(base), &lockfiles(head), &verdict, head, &mut tally);
    }
    tally
}

fn compare(before: &Locks, after: &Locks, verdict: &Verdict, head: &str, tally: &mut Tally) {
    // A lockfile that comes or goes is a project that may have moved, or been judged by its manifest before.
    if before.keys().ne(after.keys()) || !verdict.complete {
        return;
    }
    let mut pairs = Vec::new();
    let mut bytes_differ = false;
    for (path, (id, set)) in after {
        let (old_id, old_set) = &before[path];
        let (Some(b), Some(a)) = (old_set, set) else {
            tally.unread_by_oracle += 1;
            return;
        };
        bytes_differ |= old_id != id;
        pairs.push((b.clone(), a.clone()));
    }
    // Projects without a lockfile have no oracle.
    let locked: BTreeSet<&str> = after.keys().map(String::as_str).collect();
    let mut verdict = verdict.clone();
    verdict.changes.retain(|c| c.lockfile.as_ref().is_some_and(|path| locked.contains(path.as_str())));
    let found = moves_of_verdict(&verdict);
    let expected = moves_of_oracle(&pairs);
    if bytes_differ && expected.is_empty() {
        tally.format_only += 1;
        let moved: Vec<_> = verdict
            .changes
            .iter()
            .filter(|c| !matches!(c.kind, ChangeKind::Replaced | ChangeKind::Rescoped))
            .filter(|c| c.side().is_some_and(|side| side.source.kind != SourceKind::Path))
            .map(|c| (&c.name, c.kind))
            .collect();
        assert!(moved.is_empty(), "{head}: only the format or a commit changed, and yet {moved:?}");
    }
    if found != expected {
        let only = |a: &Moves, b: &Moves| -> Vec<_> {
            a.iter().filter(|(key, n)| b.get(*key) != Some(*n)).map(|(key, n)| (key.clone(), *n)).collect()
        };
        panic!("{head}: only here {:?}, only by the oracle {:?}", only(&found, &expected), only(&expected, &found));
    }
    tally.compared += 1;
}

/// Advisories beyond those `rustsec` reports, and why: lockfile, package, reason. It passes over everything that does
/// not come from the public registry under its own address.
const FURTHER: [(&str, &str, &str); 2] = [
    ("cargo-deny-alternative-registries/tests/test_data/sources", "anyhow", "[patch.crates-io] puts git in its place"),
    ("crates-io-2018-v1-git", "ring", "[patch.crates-io] puts git in its place"),
];

#[test]
fn every_advisory_that_rustsec_reports_is_reported() {
    let what = "the comparison with rustsec over real lockfiles";
    let Some(lockfiles) = data("PORTCULLIS_CORPUS", "lockfiles/cargo", what) else { return };
    let Some(tree) = data("PORTCULLIS_CORPUS", "rustsec-advisory-db", what) else { return };
    let started = Instant::now();
    let database = rustsec::Database::open(&tree).unwrap();
    let mut builder = Builder::new();
    for imported in import::read(&tree, Some("2026-08-20"), now()).unwrap() {
        assert_eq!(imported.skipped.len(), 0, "{:?}", imported.skipped);
        builder.add(imported);
    }
    let store = leaked(builder.build().unwrap());
    let mut files = Vec::new();
    let mut folders = vec![lockfiles.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "Cargo.lock") {
                files.push(path);
            }
        }
    }
    files.sort();
    let (mut matches, mut faults, mut unread) = (0, Vec::new(), 0);
    for file in &files {
        let shown = file.strip_prefix(&lockfiles).unwrap().display().to_string();
        let Ok(lockfile) = Lockfile::load(file) else {
            unread += 1;
            continue;
        };
        let expected = by_rustsec(&database, &lockfile);
        // The lockfile with the files beside it, and nothing of other folders.
        let repo = PlainFolder::new(file.parent().unwrap().to_path_buf());
        let env = Env::new();
        let world = World { repo: &repo, now: now(), env: &env, process: None, reviews: None, graph: None };
        let mut asked = request(Command::Audit, None, Head::WorkTree);
        asked.lockfiles = vec![portcullis::model::RepoPath::new("Cargo.lock")];
        let advisories = || Ok(Layered::only(Store::from_static(store).unwrap()));
        let verdict = match run::audit::audit(&asked, &world, &advisories) {
            Ok(verdict) => verdict,
            Err(error) => {
                faults.push(format!("{shown}: {error}"));
                continue;
            }
        };
        // Two advisories with an alias in common are one finding, which names both.
        let found: Vec<(Key, Vec<String>, String)> = verdict
            .findings
            .iter()
            .filter_map(|finding| {
                let advisory = finding.advisory.as_ref()?;
                let (name, version) = finding.subject.purl.as_ref()?.strip_prefix("pkg:cargo/")?.split_once('@')?;
                let version = version.split('?').next()?.replace("%2B", "+");
                let ids = advisory.ids().map(str::to_owned).collect();
                let key = (advisory.id.clone(), name.to_owned(), version);
                Some((key, ids, advisory.kind.as_str().to_owned()))
            })
            .collect();
        matches += expected.len();
        for (key, kind) in &expected {
            let own = found.iter().find(|(own, ..)| own == key);
            match own
                .or_else(|| found.iter().find(|(f, ids, _)| (&f.1, &f.2) == (&key.1, &key.2) && ids.contains(&key.0)))
            {
                None => faults.push(format!("{shown}: {key:?} ({kind}) is reported by rustsec and not here")),
                // Of one finding for several the strongest kind counts.
                Some((_, _, ours)) if own.is_some() && ours != kind => {
                    faults.push(format!("{shown}: {key:?} is {kind} to rustsec and {ours} here"));
                }
                Some(_) => {}
            }
        }
        for key in found.iter().map(|(key, ..)| key).filter(|key| !expected.contains_key(*key)) {
            match FURTHER.iter().find(|(place, name, _)| shown.starts_with(place) && *name == key.1) {
                Some((.., reason)) => eprintln!("further: {shown}: {key:?}: {reason}"),
                None => faults.push(format!("{shown}: {key:?} is reported here and not by rustsec")),
            }
        }
    }
    eprintln!(
        "{} lockfiles, {unread} unread by the oracle, {matches} matches, {:.1} s",
        files.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(files.len() > 20 && matches > 100, "the corpus is not what it was");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Advisory, package, version.
type Key = (String, String, String);

/// What `cargo audit` would report: (id, package, version) → kind.
fn by_rustsec(database: &rustsec::Database, lockfile: &Lockfile) -> BTreeMap<Key, String> {
    use rustsec::advisory::Informational;
    let settings = rustsec::report::Settings {
        informational_warnings: vec![Informational::Unmaintained, Informational::Unsound, Informational::Notice],
        ..Default::default()
    };
    let report = rustsec::Report::generate(database, lockfile, &settings);
    let mut expected = BTreeMap::new();
    for found in &report.vulnerabilities.list {
        let key = (found.advisory.id.to_string(), found.package.name.to_string(), found.package.version.to_string());
        expected.insert(key, "vulnerability".to_owned());
    }
    for (kind, warnings) in &report.warnings {
        for warning in warnings {
            let Some(advisory) = &warning.advisory else { continue };
            let key = (advisory.id.to_string(), warning.package.name.to_string(), warning.package.version.to_string());
            expected.insert(key, kind.as_str().to_owned());
        }
    }
    expected
}
