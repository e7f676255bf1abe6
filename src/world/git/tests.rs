use std::process::Command;

use super::*;
use crate::model::RepoPath;
use crate::model::tree::{Delta, EntryKind};
use crate::world::merge;
use crate::world::real::tests::TempDir;

/// A repository made with git, which runs without the environment and the configuration of whoever runs the tests.
struct Made {
    dir: TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Self { dir: TempDir::new() };
        std::fs::create_dir(made.dir.path().join("repo")).unwrap();
        made.git("init -q");
        made
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn write(&self, path: &str, text: &str) {
        self.dir.write(&format!("repo/{path}"), text);
    }

    fn git(&self, arguments: &str) -> String {
        self.git_in("repo", arguments)
    }

    fn git_in(&self, folder: &str, arguments: &str) -> String {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.dir.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.dir.path().join(folder));
        for setting in
            ["user.name=T", "user.email=t@example.org", "init.defaultBranch=main", "protocol.file.allow=always"]
        {
            command.args(["-c", setting]);
        }
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, message: &str) -> String {
        self.git("add -A -f");
        self.git(&format!("commit -q --allow-empty -m {message}"));
        self.git("rev-parse HEAD")
    }

    fn open(&self) -> GitRepo {
        open(&self.root())
    }

    fn url(&self) -> String {
        format!("file://{}", self.root().display())
    }
}

fn open(path: &Path) -> GitRepo {
    GitRepo::open(path, &Env::new()).unwrap().unwrap()
}

fn id(rev: &Rev) -> String {
    let Rev::Commit { id, .. } = rev else { panic!("{rev:?}") };
    id.to_string()
}

fn unknown(repo: &GitRepo, spec: &str) -> String {
    match repo.resolve(spec) {
        Err(RevError::Unknown(why)) => why,
        other => panic!("{spec}: {other:?}"),
    }
}

fn paths(tree: &dyn Tree) -> Vec<String> {
    tree.list().unwrap().iter().map(|entry| entry.path.to_string()).collect()
}

fn entry(tree: &dyn Tree, path: &str) -> Entry {
    tree.entry(&RepoPath::new(path)).unwrap().unwrap_or_else(|| panic!("{path}"))
}

fn text(tree: &dyn Tree, path: &str) -> Result<String, Unread> {
    tree.read(&entry(tree, path), 1 << 20).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Every tree answers `entry` as it answers `list`.
fn consistent(tree: &dyn Tree, fresh: &dyn Tree) {
    let list = tree.list().unwrap();
    assert!(list.is_sorted());
    for expected in &list {
        assert_eq!(fresh.entry(&expected.path).unwrap().as_ref(), Some(expected));
    }
}

#[test]
fn names_resolve_to_commits() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit("one");
    made.write("a", "2");
    let second = made.commit("two");
    made.git("checkout -q -b side HEAD~1");
    made.write("b", "3");
    let side = made.commit("three");
    made.git("checkout -q main");
    made.git("merge -q --no-edit side");
    let merged = made.git("rev-parse HEAD");
    made.git("tag -a -m annotated v1 HEAD~1");
    made.git("tag -a -m nested v2 v1");
    made.git("update-ref refs/remotes/origin/main HEAD~1");
    made.git("pack-refs --all");
    let repo = made.open();
    for (spec, expected) in [
        ("HEAD", &merged),
        ("@", &merged),
        ("main", &merged),
        ("refs/heads/main", &merged),
        ("HEAD~1", &second),
        ("HEAD~", &second),
        ("@^", &second),
        ("HEAD^1", &second),
        ("HEAD^0", &merged),
        ("HEAD^2", &side),
        ("HEAD^2~1", &first),
        ("HEAD~~", &first),
        ("v1", &second),
        ("v2", &second),
        ("refs/tags/v2", &second),
        ("origin/main", &second),
        ("refs/remotes/origin/main^", &first),
        (&side.as_str()[..10], &side),
        (side.as_str(), &side),
        (side.to_uppercase().as_str(), &side),
    ] {
        assert_eq!(id(&repo.resolve(spec).unwrap()), **expected, "{spec}");
    }
    let Rev::Commit { time, .. } = repo.resolve("HEAD").unwrap() else { panic!() };
    assert_eq!(time.to_string(), made.git("log -1 --format=%ct"));
    for spec in ["", "nope", "HEAD^3", "HEAD~9", "HEAD^{tree}", "HEAD~x", "a..b", "main@{1}", "x\ny", "refs/heads", "/"]
    {
        let why = unknown(&repo, spec);
        assert_eq!(why.lines().count(), 1, "{why}");
    }
    let tree = made.git("rev-parse HEAD^{tree}");
    assert!(unknown(&repo, &tree).contains("tree, not a commit"));
    let absent = "1234567890123456789012345678901234567890";
    assert!(matches!(repo.resolve(absent), Err(RevError::Missing(why)) if why.contains("git fetch")));
    assert_eq!(
        repo.merge_base(&repo.resolve("v1").unwrap(), &repo.resolve("side").unwrap()).unwrap().map(|r| id(&r)),
        Some(first.clone())
    );
    assert_eq!(repo.first_parent(&repo.resolve("HEAD").unwrap()).unwrap().map(|r| id(&r)), Some(second));
    assert_eq!(repo.first_parent(&Rev::Index).unwrap().map(|r| id(&r)), Some(merged));
    assert_eq!(repo.first_parent(&repo.resolve(&first).unwrap()).unwrap(), None);
    made.git("checkout -q --orphan lonely");
    made.commit("lonely");
    assert_eq!(repo.merge_base(&Rev::WorkTree, &repo.resolve("main").unwrap()).unwrap(), None);
}

#[test]
fn a_name_of_two_things_is_no_name() {
    let made = Made::new();
    let commit = made.commit("one");
    made.git("tag main");
    made.git("update-ref refs/heads/origin/x HEAD");
    made.git("update-ref refs/remotes/origin/x HEAD");
    made.git(&format!("update-ref refs/heads/{} HEAD", &commit[..7]));
    let repo = made.open();
    let why = unknown(&repo, "main");
    assert!(why.contains("refs/heads/main") && why.contains("refs/tags/main") && why.contains("full"), "{why}");
    assert!(unknown(&repo, "origin/x").contains("refs/remotes/origin/x"));
    assert!(unknown(&repo, &commit[..7]).contains(&format!("commit {commit}")));
    for spec in ["refs/heads/main", "refs/tags/main", &commit, &commit[..8]] {
        assert_eq!(id(&repo.resolve(spec).unwrap()), commit);
    }
    // A branch that is named like an id does not take its place.
    made.git(&format!("update-ref refs/heads/{commit} {commit}"));
    assert_eq!(id(&repo.resolve(&commit).unwrap()), commit);
}

#[test]
fn before_the_first_commit_there_is_nothing() {
    let made = Made::new();
    made.write("new", "x");
    let repo = made.open();
    assert!(unknown(&repo, "HEAD").contains("no commit yet"));
    assert_eq!(repo.first_parent(&Rev::WorkTree).unwrap(), None);
    assert_eq!(repo.merge_base(&Rev::Index, &Rev::Empty).unwrap(), None);
    assert!(paths(&*repo.tree(&Rev::Index).unwrap()).is_empty());
    assert!(paths(&*repo.tree(&Rev::Empty).unwrap()).is_empty());
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(paths(&*tree), ["new"]);
    assert_eq!(tree.differs(&*repo.tree(&Rev::Empty).unwrap()).unwrap().len(), 1);
    assert!(GitRepo::open(made.dir.path(), &Env::new()).unwrap().is_none());
    assert!(matches!(GitRepo::open(&made.root().join("absent"), &Env::new()), Err(RevError::Unknown(_))));
}

#[test]
fn the_default_branch_is_the_remotes() {
    let made = Made::new();
    let commit = made.commit("one");
    let tip = |repo: &GitRepo| repo.default_branch().unwrap().map(|(rev, name)| (id(&rev), name));
    assert_eq!(tip(&made.open()), None);
    made.git("update-ref refs/remotes/origin/master HEAD");
    assert_eq!(tip(&made.open()), Some((commit.clone(), "origin/master".to_owned())));
    made.git("remote add fork https://example.org/x");
    made.git("update-ref refs/remotes/fork/trunk HEAD");
    made.git("symbolic-ref refs/remotes/fork/HEAD refs/remotes/fork/trunk");
    assert_eq!(tip(&made.open()), Some((commit.clone(), "fork/trunk".to_owned())));
    made.git("update-ref refs/remotes/origin/dev HEAD");
    made.git("symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/dev");
    assert_eq!(tip(&made.open()), Some((commit.clone(), "origin/dev".to_owned())));
    made.git("update-ref refs/remotes/origin/release HEAD");
    let targeting = |target: &str| {
        let env = Env::from([("GITHUB_BASE_REF".to_owned(), target.to_owned())]);
        GitRepo::open(&made.root(), &env).unwrap().unwrap()
    };
    assert_eq!(tip(&targeting("release")), Some((commit, "origin/release".to_owned())));
    // A target that is not here must not be taken for another one.
    assert!(matches!(targeting("absent").default_branch(), Err(RevError::Missing(_))));
    made.git("symbolic-ref --delete refs/remotes/origin/HEAD");
    made.git("symbolic-ref --delete refs/remotes/fork/HEAD");
    made.git("update-ref refs/remotes/origin/main HEAD");
    assert!(matches!(made.open().default_branch(), Err(RevError::Missing(_))));
}

#[test]
fn a_shallow_history_is_never_taken_for_a_whole_one() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit("one");
    made.write("a", "2");
    made.commit("two");
    made.git("checkout -q -b side HEAD~1");
    made.commit("three");
    made.git("checkout -q main");
    made.git_in(".", &format!("clone -q --depth 1 --no-single-branch {} shallow", made.url()));
    let repo = open(&made.dir.path().join("shallow"));
    let (head, side) = (repo.resolve("HEAD").unwrap(), repo.resolve("origin/side").unwrap());
    for result in [
        repo.merge_base(&head, &side),
        repo.first_parent(&head),
        repo.resolve("HEAD~1").map(Some),
        repo.resolve(&first).map(Some),
    ] {
        match result {
            Err(RevError::Missing(why)) => {
                assert!(why.contains("--unshallow") && why.contains("fetch-depth: 0"), "{why}");
                assert_eq!(why.lines().count(), 1);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(repo.merge_base(&head, &head).unwrap(), Some(head));
    assert!(unknown(&repo, "gone").contains("shallow"));
}

#[test]
fn bare_repositories_and_linked_work_trees_are_repositories() {
    let made = Made::new();
    made.write("a", "1");
    let commit = made.commit("one");
    made.git_in(".", "clone -q --bare repo bare");
    let bare = open(&made.dir.path().join("bare"));
    assert_eq!(id(&bare.resolve("main").unwrap()), commit);
    assert_eq!(bare.work_dir(), None);
    assert_eq!(bare.hooks_dir(), Some(made.dir.path().join("bare/hooks")));
    assert_eq!(paths(&*bare.tree(&bare.resolve("HEAD").unwrap()).unwrap()), ["a"]);
    for rev in [Rev::Index, Rev::WorkTree] {
        assert!(matches!(bare.tree(&rev), Err(RevError::Unknown(why)) if why.contains("bare")));
    }
    // One that head brought along does not stand in for the repository it lies in.
    made.git_in("repo", "clone -q --bare . inner");
    assert_eq!(open(&made.root().join("inner/refs")).work_dir(), Some(made.root().as_path()));

    made.git("worktree add -q ../linked -b linked");
    made.dir.write("linked/b", "2");
    made.git_in("linked", "add b");
    made.git_in("linked", "commit -q -m two");
    made.dir.write("linked/c", "3");
    let linked = open(&made.dir.path().join("linked"));
    assert_eq!(linked.work_dir(), Some(made.dir.path().join("linked").as_path()));
    assert_eq!(linked.hooks_dir(), Some(made.root().join(".git/hooks")));
    assert_eq!(id(&linked.resolve("HEAD~1").unwrap()), commit);
    assert_eq!(paths(&*linked.tree(&Rev::Index).unwrap()), ["a", "b"]);
    assert_eq!(paths(&*linked.tree(&Rev::WorkTree).unwrap()), ["a", "b", "c"]);
}

#[test]
fn hooks_lie_where_configuration_says() {
    let made = Made::new();
    assert_eq!(made.open().hooks_dir(), Some(made.root().join(".git/hooks")));
    let home = made.dir.path().to_string_lossy().into_owned();
    made.dir.write(".gitconfig", "[core]\n\thooksPath = ~/all\n");
    let env = Env::from([("HOME".to_owned(), home)]);
    let hooks = || GitRepo::open(&made.root(), &env).unwrap().unwrap().hooks_dir();
    assert_eq!(hooks(), Some(made.dir.path().join("all")));
    made.git("config core.hooksPath own");
    assert_eq!(hooks(), Some(made.root().join("own")));
}

#[test]
fn unsupported_repositories_are_named() {
    let made = Made::new();
    for (options, word) in [("--object-format=sha256", "SHA-256"), ("--ref-format=reftable", "reftable")] {
        made.git_in(".", &format!("init -q {options} {word}"));
        match GitRepo::open(&made.dir.path().join(word), &Env::new()) {
            Err(RevError::Unknown(why)) => assert!(why.contains(word) && why.contains("not supported"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn replacements_and_grafts_are_ignored() {
    let made = Made::new();
    made.write("Cargo.lock", "true");
    made.write("x", "1");
    let first = made.commit("one");
    made.write("Cargo.lock", "evil");
    made.write("x", "2");
    let second = made.commit("two");
    let (good, evil) = (made.git("rev-parse HEAD~1:Cargo.lock"), made.git("rev-parse HEAD:Cargo.lock"));
    made.git(&format!("replace {good} {evil}"));
    made.git(&format!("replace {second} {first}"));
    made.git("config core.useReplaceRefs true");
    made.dir.write("repo/.git/info/grafts", &format!("{second}\n"));
    let repo = made.open();
    let tree = repo.tree(&repo.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(text(&*tree, "x").unwrap(), "2");
    let parent = repo.first_parent(&repo.resolve("HEAD").unwrap()).unwrap().unwrap();
    assert_eq!(id(&parent), first);
    assert_eq!(text(&*repo.tree(&parent).unwrap(), "Cargo.lock").unwrap(), "true");
}

/// Runs itself again with hostile variables: changing them in a process with threads is not sound.
#[test]
fn git_variables_are_ignored() {
    const NAME: &str = "PORTCULLIS_TEST_REPO";
    if let Some(root) = std::env::var_os(NAME) {
        let repo = open(Path::new(&root));
        assert_eq!(repo.work_dir(), Some(Path::new(&root)));
        assert_eq!(paths(&*repo.tree(&repo.resolve("HEAD").unwrap()).unwrap()), ["good"]);
        assert_eq!(paths(&*repo.tree(&Rev::Index).unwrap()), ["good"]);
        assert_eq!(paths(&*repo.tree(&Rev::WorkTree).unwrap()), ["good"]);
        return;
    }
    let (made, evil) = (Made::new(), Made::new());
    made.write("good", "1");
    made.commit("one");
    evil.write("evil", "1");
    evil.commit("one");
    let git_dir = evil.root().join(".git");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "world::git::tests::git_variables_are_ignored"])
        .env(NAME, made.root())
        .env("GIT_DIR", &git_dir)
        .env("GIT_COMMON_DIR", &git_dir)
        .env("GIT_WORK_TREE", evil.root())
        .env("GIT_INDEX_FILE", git_dir.join("index"))
        .env("GIT_OBJECT_DIRECTORY", git_dir.join("objects"))
        .env("GIT_NAMESPACE", "x")
        .env("GIT_SHALLOW_FILE", git_dir.join("HEAD"))
        .env("GIT_CEILING_DIRECTORIES", made.dir.path())
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.worktree")
        .env("GIT_CONFIG_VALUE_0", evil.root())
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
}

#[cfg(unix)]
#[test]
fn links_submodules_and_pointers_are_no_files() {
    let made = Made::new();
    let library = Made::new();
    library.write("l", "1");
    let pinned = library.commit("library");
    made.write("real", "x");
    made.write("big.lock", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    std::os::unix::fs::symlink("/etc/passwd", made.root().join("Cargo.lock")).unwrap();
    made.git(&format!("submodule --quiet add {} sub", library.url()));
    made.commit("one");
    let repo = made.open();
    for rev in [repo.resolve("HEAD").unwrap(), Rev::Index, Rev::WorkTree] {
        let (tree, fresh) = (repo.tree(&rev).unwrap(), repo.tree(&rev).unwrap());
        assert_eq!(paths(&*tree), [".gitmodules", "Cargo.lock", "big.lock", "real", "sub"]);
        consistent(&*tree, &*fresh);
        assert_eq!(entry(&*tree, "Cargo.lock").kind, EntryKind::Symlink);
        assert_eq!(entry(&*tree, "sub").kind, EntryKind::Submodule);
        assert_eq!(entry(&*tree, "sub").oid.to_string(), pinned);
        for (path, word) in [("Cargo.lock", "symbolic link"), ("sub", "submodule"), ("big.lock", "LFS pointer")] {
            assert!(matches!(text(&*tree, path), Err(Unread::NotAFile(why)) if why.contains(word)), "{path}");
        }
        let real = entry(&*tree, "real");
        assert!(matches!(tree.read(&real, 0), Err(Unread::TooLarge { size: 1, cap: 0, .. })));
        assert!(tree.entry(&RepoPath::new("real/x")).unwrap().is_none());
        assert!(tree.entry(&RepoPath::root()).unwrap().is_none());
    }
    // A submodule that moved, and one more repository that nobody declared.
    made.write("sub/l", "2");
    made.git_in("repo/sub", "commit -q -a -m moved");
    let moved = made.git_in("repo/sub", "rev-parse HEAD");
    made.git_in("repo", "clone -q . nested");
    let nested = made.git_in("repo/nested", "rev-parse HEAD");
    std::fs::create_dir_all(made.root().join("fake/.git")).unwrap();
    made.write("fake/file", "x");
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(paths(&*tree), [".gitmodules", "Cargo.lock", "big.lock", "fake/file", "nested", "real", "sub"]);
    assert_eq!((entry(&*tree, "sub").oid.to_string(), entry(&*tree, "nested").oid.to_string()), (moved, nested));
}

#[test]
fn a_damaged_or_missing_blob_is_not_read() {
    let made = Made::new();
    made.write("a", "one");
    made.write("b", "two");
    made.commit("one");
    let repo = made.open();
    let place = |path: &str| {
        let id = made.git(&format!("rev-parse HEAD:{path}"));
        made.root().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
    };
    let (a, b) = (place("a"), place("b"));
    std::fs::remove_file(&a).unwrap();
    std::fs::copy(&b, &a).unwrap();
    std::fs::remove_file(&b).unwrap();
    let tree = repo.tree(&repo.resolve("HEAD").unwrap()).unwrap();
    assert!(matches!(text(&*tree, "a"), Err(Unread::Io(why)) if why.contains("damaged")));
    assert!(matches!(text(&*tree, "b"), Err(Unread::NotAFile(why)) if why.contains("missing from this repository")));
    // In the work tree the files themselves are there.
    assert_eq!(text(&*repo.tree(&Rev::WorkTree).unwrap(), "b").unwrap(), "two");
}

#[test]
fn a_blob_that_a_partial_clone_left_out_is_named() {
    let made = Made::new();
    made.write("a", "one");
    made.commit("one");
    made.git("config uploadpack.allowFilter true");
    made.git_in(".", &format!("clone -q --no-checkout --filter=blob:none {} partial", made.url()));
    let repo = open(&made.dir.path().join("partial"));
    let tree = repo.tree(&repo.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(paths(&*tree), ["a"]);
    assert!(matches!(text(&*tree, "a"), Err(Unread::NotAFile(why)) if why.contains("partial clone")));
    // The clone has no index either.
    assert!(paths(&*repo.tree(&Rev::Index).unwrap()).is_empty());
    assert!(paths(&*repo.tree(&Rev::WorkTree).unwrap()).is_empty());
}

#[test]
fn the_work_tree_the_index_and_head_are_told_apart() {
    let made = Made::new();
    for path in ["same", "staged", "dirty", "deleted", "ignored/tracked", "dir/file", "racy"] {
        made.write(path, "one");
    }
    made.write(".gitignore", "ignored\n*.log\n!keep.log\n");
    made.commit("one");
    made.write("staged", "two");
    made.git("add staged");
    made.write("dirty", "two");
    // Of the same size and within the same second as the index: only its content tells.
    made.write("racy", "two");
    std::fs::remove_file(made.root().join("deleted")).unwrap();
    std::fs::remove_dir_all(made.root().join("dir")).unwrap();
    made.write("dir", "a file now");
    made.write("ignored/untracked", "x");
    made.write("x.log", "x");
    made.write("sub/keep.log", "x");
    made.write("sub/new", "x");
    made.write("announced", "x");
    made.git("add -N announced");
    made.dir.write("repo/.git/info/exclude", "/excluded\n");
    made.write("excluded/x", "x");
    let repo = made.open();
    let head = repo.tree(&repo.resolve("HEAD").unwrap()).unwrap();
    let deltas = |tree: &dyn Tree| -> Vec<String> {
        let deltas = tree.differs(&*head).unwrap();
        let sign = |delta: &Delta| match (&delta.before, &delta.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        deltas.iter().map(|delta| format!("{}{}", sign(delta), delta.path().unwrap())).collect()
    };
    assert_eq!(deltas(&*repo.tree(&Rev::Index).unwrap()), ["~staged"]);
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(
        deltas(&*tree),
        ["+announced", "-deleted", "+dir", "-dir/file", "~dirty", "~racy", "~staged", "+sub/keep.log", "+sub/new"]
    );
    assert!(paths(&*tree).contains(&"ignored/tracked".to_owned()));
    consistent(&*tree, &*repo.tree(&Rev::WorkTree).unwrap());
    for (path, expected) in [("same", "one"), ("staged", "two"), ("dirty", "two"), ("announced", "x")] {
        assert_eq!(text(&*tree, path).unwrap(), expected);
    }
    for path in ["deleted", "dir/file", "ignored/untracked", "x.log", "excluded/x", ".git/config", "sub"] {
        assert_eq!(repo.tree(&Rev::WorkTree).unwrap().entry(&RepoPath::new(path)).unwrap(), None, "{path}");
    }
    let index = repo.tree(&Rev::Index).unwrap();
    consistent(&*index, &*repo.tree(&Rev::Index).unwrap());
    assert_eq!(text(&*index, "dirty").unwrap(), "one");
    assert_eq!(index.entry(&RepoPath::new("announced")).unwrap(), None);
    let same = entry(&*tree, "same");
    made.write("same", "three");
    assert!(matches!(tree.read(&same, 100), Err(Unread::Io(why)) if why.contains("changed while it was read")));
}

#[cfg(unix)]
#[test]
fn a_folder_that_became_a_link_holds_nothing() {
    let made = Made::new();
    made.write("dir/file", "one");
    made.write("other/file", "one");
    made.commit("one");
    std::fs::remove_dir_all(made.root().join("dir")).unwrap();
    std::os::unix::fs::symlink("other", made.root().join("dir")).unwrap();
    let repo = made.open();
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(tree.entry(&RepoPath::new("dir/file")).unwrap(), None);
    assert_eq!(paths(&*tree), ["dir", "other/file"]);
}

#[cfg(unix)]
#[test]
fn odd_ignore_files_hide_nothing() {
    let made = Made::new();
    made.write("rules", "*");
    std::fs::create_dir_all(made.root().join("link")).unwrap();
    std::os::unix::fs::symlink("../rules", made.root().join("link/.gitignore")).unwrap();
    made.write("link/a", "x");
    made.write("folder/.gitignore/b", "x");
    made.write("folder/c", "x");
    let repo = made.open();
    let expected = ["folder/.gitignore/b", "folder/c", "link/.gitignore", "link/a", "rules"];
    assert_eq!(paths(&*repo.tree(&Rev::WorkTree).unwrap()), expected);
}

#[cfg(unix)]
#[test]
fn pipes_and_unreadable_files_do_not_stop_a_listing() {
    use std::os::unix::fs::PermissionsExt;
    let made = Made::new();
    made.write("secret", "x");
    made.write("tracked", "x");
    made.commit("one");
    std::fs::remove_file(made.root().join("tracked")).unwrap();
    for name in ["tracked", "pipe"] {
        assert!(Command::new("mkfifo").arg(made.root().join(name)).status().unwrap().success());
    }
    made.write("secret", "y");
    std::fs::set_permissions(made.root().join("secret"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let repo = made.open();
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(paths(&*tree), ["secret"]);
    // The superuser reads it all the same.
    let read = text(&*tree, "secret");
    assert!(read.is_ok() || matches!(read, Err(Unread::Io(_))));
}

/// Lists a tree of this many levels, each with the one below it under these names.
fn explode(levels: usize, names: &[&str]) -> Result<Vec<Entry>, Unread> {
    let made = Made::new();
    made.write("a", "x");
    made.commit("one");
    let repo = made.open();
    let mut id = made.git("rev-parse HEAD^{tree}");
    for _ in 0..levels {
        let raw: Vec<u8> = (0..20).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let content: Vec<u8> =
            names.iter().flat_map(|name| [b"40000 ", name.as_bytes(), b"\0", &raw].concat()).collect();
        std::fs::write(made.dir.path().join("tree"), content).unwrap();
        id = made.git("hash-object -t tree -w ../tree");
    }
    GitTree::new(&repo, ObjectId::from_hex(id.as_bytes()).unwrap()).list()
}

#[test]
fn trees_that_explode_are_refused() {
    assert_eq!(explode(3, &["a", "b"]).unwrap().len(), 8);
    let long = "x".repeat(1000);
    assert!(matches!(explode(5, &[&long]), Err(Unread::TooLarge { what, .. }) if what.contains("length")));
    assert!(matches!(explode(513, &["a"]), Err(Unread::TooLarge { what, .. }) if what.contains("depth")));
}

#[test]
#[ignore = "slow without optimisation: two million entries"]
fn trees_that_explode_in_breadth_are_refused() {
    let wide: Vec<String> = (0..200).map(|at| format!("{at:03}")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    assert!(matches!(explode(3, &wide), Err(Unread::TooLarge { what, .. }) if what.contains("number")));
}

/// As in a container whose user did not make the checkout.
#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_read_all_the_same() {
    use std::os::unix::fs::chown;
    let made = Made::new();
    let large = "x".repeat(17 << 20);
    made.write("large", &large);
    made.commit("one");
    made.git("config core.hooksPath own");
    let all = [".", ".git", ".git/HEAD", ".git/config", ".git/index", "large"];
    if all.iter().any(|path| chown(made.root().join(path), Some(54321), Some(54321)).is_err()) {
        eprintln!("skipped: only the superuser can give files away");
        return;
    }
    let repo = made.open();
    assert_eq!(repo.hooks_dir(), Some(made.root().join("own")));
    for rev in [repo.resolve("HEAD").unwrap(), Rev::Index, Rev::WorkTree] {
        let tree = repo.tree(&rev).unwrap();
        let bytes = tree.read(&entry(&*tree, "large"), 32 << 20).unwrap();
        assert_eq!(bytes.len(), large.len());
    }
}

#[test]
fn conflicts_are_said_of_the_index_only() {
    let made = Made::new();
    made.write("a", "1");
    made.write("b", "1");
    made.commit("one");
    made.git("checkout -q -b side");
    made.write("a", "2");
    made.commit("two");
    made.git("checkout -q main");
    made.write("a", "3");
    made.commit("three");
    let id = |spec: &str| made.git(&format!("rev-parse {spec}"));
    let info = format!("100644 {} 1\ta\n100644 {} 2\ta\n", id("side:a"), id("main:a"));
    made.git("rm -q --cached a");
    made.dir.write("info", &info);
    let script = format!("git update-index --index-info < {}", made.dir.path().join("info").display());
    assert!(Command::new("sh").args(["-c", &script]).current_dir(made.root()).status().unwrap().success());
    let repo = made.open();
    let index = repo.tree(&Rev::Index).unwrap();
    let conflict = |why: Unread| why.to_string().contains("a has unresolved merge conflicts");
    assert!(conflict(index.list().unwrap_err()));
    assert!(conflict(index.entry(&RepoPath::new("a")).unwrap_err()));
    assert_eq!(text(&*index, "b").unwrap(), "1");
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(paths(&*tree), ["a", "b"]);
    assert_eq!(text(&*tree, "a").unwrap(), "3");
}

#[test]
fn what_is_not_checked_out_is_read_from_the_index() {
    let made = Made::new();
    for path in ["in/a", "out/b", "out/deep/c", "top"] {
        made.write(path, path);
    }
    made.commit("one");
    for mode in ["--no-sparse-index", "--sparse-index"] {
        made.git(&format!("sparse-checkout set --cone {mode} in"));
        let repo = made.open();
        for rev in [Rev::Index, Rev::WorkTree] {
            let tree = repo.tree(&rev).unwrap();
            assert_eq!(paths(&*tree), ["in/a", "out/b", "out/deep/c", "top"], "{mode} {rev:?}");
            consistent(&*tree, &*repo.tree(&rev).unwrap());
            assert_eq!(text(&*tree, "out/deep/c").unwrap(), "out/deep/c");
            assert!(tree.differs(&*repo.tree(&repo.resolve("HEAD").unwrap()).unwrap()).unwrap().is_empty());
        }
    }
}

#[test]
fn a_filter_does_not_hide_what_git_stores() {
    let made = Made::new();
    made.write(".gitattributes", "*.txt text eol=crlf\n");
    made.write("a.txt", "one\ntwo\n");
    made.commit("one");
    std::fs::remove_file(made.root().join("a.txt")).unwrap();
    made.git("checkout -q -- a.txt");
    assert_eq!(std::fs::read(made.root().join("a.txt")).unwrap(), b"one\r\ntwo\r\n");
    // Past the second in which metadata tell nothing.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    made.git("update-index --force-remove nothing");
    made.git("update-index --refresh");
    made.write("z", "");
    made.git("add z");
    let repo = made.open();
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    assert_eq!(entry(&*tree, "a.txt"), entry(&*repo.tree(&Rev::Index).unwrap(), "a.txt"));
    assert_eq!(text(&*tree, "a.txt").unwrap(), "one\ntwo\n");
}

#[test]
fn trees_are_sorted_by_path_and_malformed_ones_refused() {
    let made = Made::new();
    for path in ["a/x", "a.b", "a-b", "a0", "a/b/c", "ab"] {
        made.write(path, "x");
    }
    made.commit("one");
    let blob = made.git("rev-parse HEAD:ab");
    let raw: Vec<u8> = (0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let tree_of = |names: &[&[u8]]| {
        let content: Vec<u8> = names.iter().flat_map(|name| [b"100644 ", *name, b"\0", &raw].concat()).collect();
        std::fs::write(made.dir.path().join("tree"), content).unwrap();
        made.git("hash-object -t tree -w --literally ../tree")
    };
    let repo = made.open();
    let tree = repo.tree(&repo.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(paths(&*tree), ["a-b", "a.b", "a/b/c", "a/x", "a0", "ab"]);
    consistent(&*tree, &*tree);
    for names in [&[&b"x"[..], b"x"][..], &[b".."], &[b"a/b"], &[b"."]] {
        let id = ObjectId::from_hex(tree_of(names).as_bytes()).unwrap();
        let listed = GitTree::new(&repo, id).list();
        assert!(matches!(listed, Err(Unread::Malformed { .. })), "{names:?} {listed:?}");
    }
    // Not in git's order and not in UTF-8, but harmless.
    let id = ObjectId::from_hex(tree_of(&[b"b", b"a", b"\xff"]).as_bytes()).unwrap();
    let tree = GitTree::new(&repo, id);
    assert_eq!(paths(&tree), ["\\xff", "a", "b"]);
    consistent(&tree, &tree);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_read_from_disk() {
    use std::os::unix::ffi::OsStrExt;
    let made = Made::new();
    made.write("a", "x");
    made.commit("one");
    let name = std::ffi::OsStr::from_bytes(b"\xff.lock");
    if std::fs::write(made.root().join(name), "odd").is_err() {
        eprintln!("skipped: this file system wants UTF-8");
        return;
    }
    let repo = made.open();
    let tree = repo.tree(&Rev::WorkTree).unwrap();
    let odd = tree.list().unwrap().into_iter().find(|entry| entry.path.as_str() == "\\xff.lock").unwrap();
    assert_eq!(&*tree.read(&odd, 10).unwrap(), b"odd");
    made.git("add -A");
    let repo = made.open();
    for rev in [Rev::Index, Rev::WorkTree] {
        let tree = repo.tree(&rev).unwrap();
        assert_eq!(tree.entry(&odd.path).unwrap().as_ref(), Some(&odd));
        assert_eq!(&*tree.read(&odd, 10).unwrap(), b"odd");
    }
}

/// Walking two trees at once finds what comparing their lists finds, over a real history.
#[test]
fn walking_in_parallel_equals_comparing_lists() {
    let Some(corpus) = std::env::var_os("PORTCULLIS_DATA") else {
        eprintln!("skipped: PORTCULLIS_DATA names no corpus");
        return;
    };
    let bundle = Path::new(&corpus).join("histories").join("zizmor.bundle");
    let made = Made::new();
    made.git_in(".", &format!("clone -q --mirror {} history", bundle.display()));
    let commits = made.git_in("history", "rev-list --all");
    let from = std::time::Instant::now();
    let repo = open(&made.dir.path().join("history"));
    let head = repo.resolve("HEAD").unwrap();
    let base = repo.first_parent(&head).unwrap().unwrap();
    let deltas = repo.tree(&head).unwrap().differs(&*repo.tree(&base).unwrap()).unwrap();
    eprintln!("open, resolve, {} deltas: {:?}", deltas.len(), from.elapsed());
    let commits: Vec<&str> = commits.lines().collect();
    let step = commits.len().div_ceil(200).max(1);
    let trees: Vec<_> = commits.iter().step_by(step).map(|id| repo.tree(&repo.resolve(id).unwrap()).unwrap()).collect();
    let (mut found, started, mut spent) = (0, std::time::Instant::now(), std::time::Duration::ZERO);
    for (at, head) in trees.iter().enumerate() {
        for base in [trees.get(at + 1), trees.get(at + 40)].into_iter().flatten() {
            let from = std::time::Instant::now();
            let deltas = head.differs(&**base).unwrap();
            spent += from.elapsed();
            found += deltas.len();
            assert_eq!(deltas, merge(base.list().unwrap(), head.list().unwrap()));
        }
    }
    assert!(found > 0);
    eprintln!("{} trees, {found} deltas, walks {spent:?} of {:?}", trees.len(), started.elapsed());
}
