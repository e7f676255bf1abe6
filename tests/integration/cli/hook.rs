//! The pre-push hook, called by a real `git push`.

use std::path::PathBuf;

use crate::harness::{Out, Project, Repo};

/// A clone whose `origin` is a bare repository beside it, with the hook installed.
fn hooked() -> Option<Repo> {
    let repo = Repo::cloned()?;
    let bare = repo.beside("bare.git");
    // Of the first repository: it has no branch `topic`.
    let first = repo.beside("repo");
    repo.git(&["clone", "-q", "--bare", first.to_str().unwrap(), bare.to_str().unwrap()]);
    repo.git(&["remote", "set-url", "origin", bare.to_str().unwrap()]);
    repo.git(&["fetch", "-q", "origin"]);
    repo.run(&["hook", "install"]).exits(0).says("pre-push");
    Some(repo)
}

fn push(repo: &Repo, args: &[&str]) -> Out {
    repo.machine.git(repo.root(), &[&["push", "-q"], args].concat())
}

fn remote_has(repo: &Repo, name: &str) -> bool {
    repo.machine.git(repo.root(), &["ls-remote", "--exit-code", "origin", name]).code == 0
}

#[test]
fn a_push_without_news_passes_in_silence() {
    let Some(repo) = hooked() else { return };
    repo.write("README.md", "words\n");
    repo.commit("words");
    let out = push(&repo, &["origin", "topic"]).exits(0);
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("", ""));
    assert!(remote_has(&repo, "refs/heads/topic"));
}

#[test]
fn a_review_is_printed_and_pushed() {
    let Some(repo) = hooked() else { return };
    repo.put(&Project::with_new_library());
    repo.commit("a new library");
    push(&repo, &["origin", "topic"]).exits(0).says("leftpad-rs").says("REVIEW");
    assert!(remote_has(&repo, "refs/heads/topic"));
}

#[test]
fn what_is_denied_or_incomplete_is_not_pushed() {
    let Some(repo) = hooked() else { return };
    repo.put(&Project::with_vulnerability());
    repo.commit("a vulnerability");
    // A later, harmless commit does not hide it.
    repo.write("README.md", "words\n");
    repo.commit("words");
    let out = push(&repo, &["origin", "topic"]);
    assert_ne!(out.code, 0);
    out.says("DENY").says("RUSTSEC-2020-0071");
    assert!(!remote_has(&repo, "refs/heads/topic"));
    // The work tree is not what is pushed.
    repo.put(&Project::standing());
    assert_ne!(push(&repo, &["origin", "topic"]).code, 0);
    // Among several, one is enough.
    repo.git(&["checkout", "-q", "--", "."]);
    repo.git(&["branch", "harmless", "origin/main"]);
    assert_ne!(push(&repo, &["origin", "harmless", "topic"]).code, 0);
    push(&repo, &["origin", "harmless"]).exits(0);

    repo.put(&Project::standing());
    let text = repo.read("Cargo.lock");
    repo.write("Cargo.lock", &text[..text.len() - 20]);
    repo.commit("half a lockfile");
    let out = push(&repo, &["origin", "topic"]);
    assert_ne!(out.code, 0);
    out.says("INCOMPLETE").says("Cargo.lock");
    // The way out is git's own.
    push(&repo, &["--no-verify", "origin", "topic"]).exits(0);
}

#[test]
fn deletions_tags_and_mirrors_are_understood() {
    let Some(repo) = hooked() else { return };
    repo.write("README.md", "words\n");
    repo.commit("words");
    push(&repo, &["origin", "topic"]).exits(0);
    repo.git(&["tag", "light"]);
    repo.git(&["tag", "-a", "-m", "annotated", "heavy"]);
    push(&repo, &["origin", "light", "heavy"]).exits(0);
    assert!(remote_has(&repo, "refs/tags/heavy"));
    push(&repo, &["origin", "--delete", "topic"]).exits(0);
    assert!(!remote_has(&repo, "refs/heads/topic"));
    push(&repo, &["origin", "--delete", "light"]).exits(0);
    // A tag of a denied commit is a push like another.
    repo.put(&Project::with_vulnerability());
    repo.commit("a vulnerability");
    repo.git(&["tag", "-a", "-m", "annotated", "bad"]);
    assert_ne!(push(&repo, &["origin", "bad"]).code, 0);
    assert!(!remote_has(&repo, "refs/tags/bad"));
    // What stands on the remote's default branch is judged already.
    push(&repo, &["origin", "origin/main:refs/heads/same"]).exits(0);
}

#[test]
fn a_push_to_the_default_branch_itself_is_judged() {
    let Some(repo) = hooked() else { return };
    repo.put(&Project::with_vulnerability());
    repo.commit("a vulnerability");
    assert_ne!(push(&repo, &["origin", "topic:main"]).code, 0);
}

#[test]
fn a_first_push_without_any_remote_branch_works() {
    let Some(repo) = Repo::standing() else { return };
    let bare = repo.beside("bare.git");
    repo.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    repo.run(&["hook", "install"]).exits(0);
    // All of it is new, which is a review.
    push(&repo, &["origin", "main"]).exits(0).says("empty tree");
}

fn hook(repo: &Repo) -> PathBuf {
    repo.root().join(".git/hooks/pre-push")
}

#[test]
fn a_hook_of_somebody_else_stays() {
    let Some(repo) = Repo::cloned() else { return };
    std::fs::create_dir_all(repo.root().join(".git/hooks")).unwrap();
    std::fs::write(hook(&repo), "#!/bin/sh\nexit 0\n").unwrap();
    repo.run(&["hook", "install"]).exits(2).says("portcullis hook pre-push");
    assert_eq!(std::fs::read_to_string(hook(&repo)).unwrap(), "#!/bin/sh\nexit 0\n");
    std::fs::remove_file(hook(&repo)).unwrap();
    repo.run(&["hook", "install"]).exits(0);
    let installed = std::fs::read_to_string(hook(&repo)).unwrap();
    // Its own hook is renewed.
    repo.run(&["hook", "install"]).exits(0);
    assert_eq!(std::fs::read_to_string(hook(&repo)).unwrap(), installed);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(hook(&repo).metadata().unwrap().permissions().mode() & 0o111, 0o111);
    }
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let Some(repo) = hooked() else { return };
    std::fs::remove_file(hook(&repo)).unwrap();
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    repo.run(&["hook", "install"]).exits(0);
    assert!(repo.root().join(".githooks/pre-push").exists() && !hook(&repo).exists());
    repo.put(&Project::with_vulnerability());
    repo.git(&["add", "Cargo.toml", "Cargo.lock"]);
    repo.git(&["commit", "-q", "-m", "a vulnerability"]);
    assert_ne!(push(&repo, &["origin", "topic"]).code, 0);
    // A linked work tree has the hooks of its repository.
    repo.git(&["config", "--unset", "core.hooksPath"]);
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "origin/main"]);
    repo.machine.run(&linked, &["hook", "install"]).exits(0);
    assert!(hook(&repo).exists());
}

#[test]
fn standard_input_that_is_not_gits_is_refused() {
    let Some(repo) = hooked() else { return };
    let run = |input: &str| repo.machine.run_with_input(repo.root(), &["hook", "pre-push", "origin", "x"], input);
    run("").exits(0);
    run("nonsense\n").exits(2);
    run("refs/heads/x 1234 refs/heads/x\n").exits(2);
    let zeros = "0".repeat(40);
    run(&format!("(delete) {zeros} refs/heads/x {zeros}\n")).exits(0);
    // An object that is not there cannot be judged.
    let gone = "1".repeat(40);
    run(&format!("refs/heads/x {gone} refs/heads/x {zeros}\n")).exits(3);
}
