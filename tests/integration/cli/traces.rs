//! Judging leaves no trace in the repository, and needs no right to write in it.

use crate::harness::{NOW, Project, Repo, set_writable, snapshot, timeless};

const JUDGING: [&[&str]; 9] = [
    &["check"],
    &["check", "--index"],
    &["check", "--head", "HEAD"],
    &["check", "--report", "json", "-v"],
    &["audit"],
    &["audit", "--rev", "HEAD"],
    &["why", "pkg:cargo/alpha"],
    &["policy", "test"],
    &["explain", "RUSTSEC-2020-0071"],
];

fn changed() -> Option<Repo> {
    let repo = Repo::cloned()?;
    repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    repo.commit("changes");
    // Touched and equal: git itself would refresh its index here.
    repo.write("src/main.rs", repo.read("src/main.rs"));
    repo.write("untracked/Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\n");
    Some(repo)
}

#[test]
fn judging_writes_nothing() {
    let Some(repo) = changed() else { return };
    let before = snapshot(repo.root());
    assert!(before.keys().any(|path| path.ends_with(".git/index")));
    for args in JUDGING {
        repo.run(args);
        let after = snapshot(repo.root());
        let differs: Vec<_> = before.keys().chain(after.keys()).filter(|p| before.get(*p) != after.get(*p)).collect();
        assert!(differs.is_empty(), "{args:?} touched {differs:?}");
    }
    // Nor in the user's home or cache.
    assert_eq!(std::fs::read_dir(repo.machine.home()).unwrap().count(), 0);
}

#[test]
fn a_read_only_repository_is_judged_like_another() {
    let Some(repo) = changed() else { return };
    let run = |args: &[&str]| {
        let out = repo.machine.run(repo.root(), &[args, &["--now", NOW]].concat());
        (out.code, timeless(&out.stdout).join(" "))
    };
    let human = |args: &&&[&str]| !args.contains(&"json");
    let before: Vec<_> = JUDGING.iter().filter(human).map(|args| run(args)).collect();
    set_writable(repo.root(), false);
    let after: Vec<_> = JUDGING.iter().filter(human).map(|args| run(args)).collect();
    assert_eq!(before, after);
    let edits = [
        &["init"][..],
        &["approve", "pkg:cargo/leftpad-rs@0.3.1", "--reason", "x"],
        &["waive", "yanked", "--scope", "pkg:cargo/x", "--reason", "x", "--expires", "2027-01-01"],
        &["hook", "install"],
    ];
    // Whoever may write everywhere cannot see the difference.
    if std::fs::write(repo.root().join("probe"), "x").is_err() {
        let before = snapshot(repo.root());
        for args in edits {
            repo.run(args).exits(3);
        }
        assert_eq!(snapshot(repo.root()), before);
    } else {
        eprintln!("SKIPPED editing in a read-only repository: this user may write everywhere");
    }
}
