//! Every version of real projects' lockfiles, each with the manifest of its commit.

use std::path::{Path, PathBuf};

use super::pdm::Pdm;
use super::uv::Uv;
use crate::ecosystem::testing::*;
use crate::ecosystem::{Format, View};
use crate::model::RepoPath;
use crate::model::tree::Unread;

/// A clone of a bundle below the shared data, where `PORTCULLIS_DATA` names that.
fn clone(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests find their data by the environment")]
    let data = std::env::var("PORTCULLIS_DATA").ok();
    let Some(data) = data else {
        eprintln!("skipped: PORTCULLIS_DATA names no folder");
        return None;
    };
    let bundle = Path::new(&data).join(format!("histories/{name}.bundle"));
    let folder = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    git(Path::new("."), &["clone", "-q", "--bare", bundle.to_str().unwrap(), folder.to_str().unwrap()]).unwrap();
    Some(folder)
}

fn git(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_types, reason = "a test reads a repository by git itself")]
    let output = std::process::Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// What became of every version of a lockfile.
#[derive(Debug, Default)]
struct Outcome {
    read: usize,
    refused: std::collections::BTreeMap<String, usize>,
    packages: Vec<String>,
    disagreements: usize,
    contradictions: usize,
}

fn run(name: &str, format: &dyn Format, lockfile: &str) -> Option<Outcome> {
    let folder = clone(name)?;
    let mut outcome = Outcome::default();
    let commits = git(&folder, &["log", "--all", "--format=%H", "--", lockfile]).unwrap();
    for commit in String::from_utf8(commits).unwrap().lines() {
        let mut files = Tree::default();
        for path in [lockfile, "pyproject.toml"] {
            if let Some(bytes) = git(&folder, &["show", &format!("{commit}:{path}")]) {
                files.0.insert(RepoPath::new(path), bytes);
            }
        }
        for project in format.projects(&files).unwrap() {
            match format.read(&project, View::new(&files, &[])) {
                Ok(inventory) => {
                    outcome.read += 1;
                    outcome.packages.extend(labels(&inventory).into_iter().map(|label| format!("{commit} {label}")));
                    outcome.disagreements += inventory.disagreements.len();
                    for d in &inventory.disagreements {
                        eprintln!(
                            "{commit:.9} {}:{} {} {}",
                            inventory.path_of(d.span).unwrap(),
                            d.span.line,
                            d.name,
                            d.message
                        );
                    }
                    let lies = inventory.packages.iter().filter(|package| package.contradiction.is_some());
                    outcome.contradictions += lies.count();
                }
                Err((_, Unread::Unsupported(reason))) => *outcome.refused.entry(reason).or_default() += 1,
                Err((path, error)) => panic!("{commit} {path}: {error}"),
            }
        }
    }
    outcome.packages.sort();
    std::fs::remove_dir_all(&folder).unwrap();
    Some(outcome)
}

#[test]
#[ignore = "reads hundreds of versions"]
fn every_version_of_pdms_own_lockfile_is_read_or_refused_by_its_version() {
    let Some(outcome) = run("pdm", &Pdm, "pdm.lock") else { return };
    // Expected: the packages of every version with `tomllib`, and the lock_version of each.
    let expected = [
        ("pdm.lock of lock_version 2", 35),
        ("pdm.lock of lock_version 3", 12),
        ("pdm.lock without a lock_version", 52),
    ];
    assert_eq!(outcome.refused, expected.map(|(reason, count)| (reason.to_owned(), count)).into());
    assert_eq!((outcome.read, outcome.packages.len()), (185, 17_823));
    assert_eq!(digest(&outcome.packages), "7e841bb036d651e58d8e6923aa82e83fe85b70f1c1184b481695e13b02c98d8d");
    assert_eq!((outcome.disagreements, outcome.contradictions), (0, 0));
}

#[test]
#[ignore = "reads every version of a history"]
fn every_version_of_a_uv_lockfile_is_read() {
    let Some(outcome) = run("zizmor", &Uv, "uv.lock") else { return };
    // Expected: the packages of every version with `tomllib`.
    assert_eq!((outcome.read, outcome.refused.len(), outcome.packages.len()), (22, 0, 577));
    assert_eq!(digest(&outcome.packages), "2c45301cc6368b1f3ea3e3e42a4a2ff3a92658661f998d515a2d07b1bf5133e3");
    assert_eq!((outcome.disagreements, outcome.contradictions), (0, 0));
}
