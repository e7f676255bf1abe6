//! pip's requirement files.

use super::requirements::Requirements;
use crate::ecosystem::testing::{self, find, read_all, read_one, tree};
use crate::ecosystem::{Format, View};
use crate::model::inventory::{Identity, Inventory, SourceKind};

/// One line a package.
fn lines(inventory: &Inventory) -> Vec<String> {
    let line = |p: &crate::model::inventory::Package| {
        let locked = if p.is_locked { "locked" } else { "open" };
        let path = inventory.path_of(p.span).unwrap();
        let direct = if p.direct { "direct" } else { "indirect" };
        format!("{} {} {locked} {direct} {} {path}:{}", p.label(), p.source.kind, p.source, p.span.line)
    };
    inventory.packages.iter().map(line).collect()
}

fn said(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|d| format!("{} {} ({})", d.name, d.message, d.span.line)).collect()
}

/// The error of the only project of a tree.
fn refused(text: &str) -> String {
    let files = tree(text);
    let projects = Requirements.projects(&files).unwrap();
    let errors = projects.iter().filter_map(|project| Requirements.read(project, View::new(&files, &[])).err());
    errors.map(|(path, error)| format!("{path}: {error}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn entries_are_read_as_pip_reads_them() {
    let (hex, commit) = ("ab".repeat(32), "0123456789abcdef0123456789abcdef01234567");
    let text = format!(
        "== requirements.txt
# a comment
Flask_Thing==2.0.1 \\
    --hash=sha256:{hex} \\
    --hash=sha256:{} # one more
open>=1,<2 ; python_version < '3.9' # comment
any
twice==1.0 ; python_version < '3'
twice==2.0 ; python_version >= '3'
same===1.0-x
extra[a,b]==3.0
git @ git+https://me:secret@registry.example/git.git@{commit}
git+https://registry.example/branch.git@main#egg=Branch
https://registry.example/x/wheel-1.2-py3-none-any.whl
liar @ https://registry.example/x/other-9.9-py3-none-any.whl
-e git+ssh://git@registry.example/edit.git
./archives/local-1.0.tar.gz
../outside/thing
--pre
--no-binary=:all:
",
        "cd".repeat(32)
    );
    let inventory = read_one(&Requirements, &tree(&text));
    assert_eq!(
        lines(&inventory),
        [
            "any@* public-registry open direct  requirements.txt:6".to_owned(),
            "branch@main git open direct https://registry.example/branch.git requirements.txt:12".to_owned(),
            "edit@* git open direct ssh://git@registry.example/edit.git requirements.txt:15".to_owned(),
            "extra@3.0 public-registry locked direct  requirements.txt:10".to_owned(),
            "flask-thing@2.0.1 public-registry locked direct  requirements.txt:2".to_owned(),
            format!("git@{commit} git locked direct https://registry.example/git.git#{commit} requirements.txt:11"),
            "liar@9.9 registry locked direct https://registry.example/x/other-9.9-py3-none-any.whl requirements.txt:14"
                .to_owned(),
            "local@1.0 path locked direct ./archives/local-1.0.tar.gz requirements.txt:16".to_owned(),
            "open@>=1,<2 public-registry open direct  requirements.txt:5".to_owned(),
            "same@1.0-x public-registry locked direct  requirements.txt:9".to_owned(),
            "thing@* path open direct ../outside/thing requirements.txt:17".to_owned(),
            "twice@1.0 public-registry locked direct  requirements.txt:7".to_owned(),
            "twice@2.0 public-registry locked direct  requirements.txt:8".to_owned(),
            "wheel@1.2 registry locked direct https://registry.example/x/wheel-1.2-py3-none-any.whl requirements.txt:13"
                .to_owned(),
        ]
    );
    let flask = find(&inventory, "flask-thing");
    assert_eq!((flask.files.len(), flask.span.end_line), (2, 4));
    assert!(flask.checksum.as_deref().unwrap().starts_with("files:"));
    assert_eq!(find(&inventory, "git").checksum.as_deref(), Some(&*format!("gitCommit:{commit}")));
    assert_eq!(find(&inventory, "extra").checksum, None);
    assert_eq!(find(&inventory, "liar").contradiction.as_deref(), Some("other 9.9"));
    assert_eq!(find(&inventory, "wheel").contradiction, None);
    assert_eq!(find(&inventory, "git").identity, Identity::Foreign);
    assert_eq!(inventory.packages.iter().filter(|p| p.scopes.strongest().as_str() == "runtime").count(), 14);
    assert_eq!(said(&inventory), Vec::<String>::new());
}

#[test]
fn lines_end_and_join_as_for_pip() {
    let text = "== requirements.txt\n\u{feff}# a==0 \\\nb==1 \\\n\n  c==2\u{c}d==3\re==4\u{2028}f==\\\n5\n   #g \\\nh==6 --hash sha256:zz\ni==7 \\\n# j\nk==8 \\\n";
    let inventory = read_one(&Requirements, &tree(text));
    let labels = testing::labels(&inventory);
    // What `parse_requirements` of pip 23.2.1 lists for the same bytes.
    assert_eq!(labels, ["b@1", "c@2", "d@3", "e@4", "f@5", "h@6", "i@7", "k@8"]);
    let at: Vec<u32> = inventory.packages.iter().map(|package| package.span.line).collect();
    assert_eq!(at, [2, 4, 4, 4, 4, 7, 8, 10]);
}

#[test]
fn includes_and_constraints_are_followed() {
    let inventory = read_one(
        &Requirements,
        &tree(
            "== app/requirements.txt
-r requirements/base.txt
--requirement=../shared/more.list
-c constraints.txt
-rrequirements.txt
flask
pinned==2
== app/requirements/base.txt
-r ../requirements.txt
--requirem deeper.txt
base==1
== app/requirements/deeper.txt
deep==1
== shared/more.list
more==1
== app/constraints.txt
-c nested.txt
flask==1.1
pinned<2
hidden==6.6
range>1
== app/nested.txt
werkzeug @ git+https://registry.example/w
",
        ),
    );
    assert_eq!(
        lines(&inventory),
        [
            "base@1 public-registry locked direct  app/requirements/base.txt:3",
            "deep@1 public-registry locked direct  app/requirements/deeper.txt:1",
            "flask@1.1 public-registry locked direct  app/constraints.txt:2",
            "hidden@6.6 public-registry locked indirect  app/constraints.txt:4",
            "more@1 public-registry locked direct  shared/more.list:1",
            "pinned@2 public-registry locked direct  app/requirements.txt:6",
            "werkzeug@* git open indirect https://registry.example/w app/nested.txt:1",
        ]
    );
    assert_eq!(said(&inventory), ["pinned is pinned to 2, and a constraint asks for <2 (6)"]);
    assert_eq!(find(&inventory, "flask").declared.unwrap().line, 5);
    assert_eq!(find(&inventory, "werkzeug").identity, Identity::StandsIn);
    assert_eq!(inventory.inputs.len(), 6);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    for (text, expected) in [
        ("-r missing.txt", "requirements.txt: line 1: includes `missing.txt`, which is not there"),
        ("\n-r ../../etc/passwd", "requirements.txt: line 2: includes `../../etc/passwd`, which lies outside"),
        ("-r /etc/passwd", "requirements.txt: line 1: includes `/etc/passwd`, which lies outside"),
        (
            "-r https://u:p@registry.example/r.txt",
            "requirements.txt: line 1: includes `https://registry.example/r.txt`, an address",
        ),
        ("-c ${WHERE}.txt", "requirements.txt: line 1: includes `${WHERE}.txt`, which is not there"),
        ("${NAME}==1", "requirements.txt: line 1: a requirement that starts with no name"),
        ("a==${V}", "requirements.txt: line 1: no version requirement"),
        ("a b", "requirements.txt: line 1: no version requirement: `b`"),
        ("a==1 -r b.txt", "requirements.txt: line 1: `-r` after a requirement"),
        ("--what", "requirements.txt: line 1: `--what` is no option"),
        ("--index-url", "requirements.txt: line 1: `--index-url` without a value"),
        ("--hash=sha256:00", "requirements.txt: line 1: `--hash` without a requirement"),
        ("--pre 'x", "requirements.txt: line 1: a quote that does not end"),
        ("a==1\n<<<<<<< HEAD", "requirements.txt: line 2: conflict markers"),
        ("# -*- coding: utf-7 -*-", "requirements.txt: line 1: the encoding `utf-7`"),
        ("a\0==1", "requirements.txt: line 1: a NUL byte"),
        ("-e ../..", "requirements.txt: line 1: a folder that names no package"),
        ("https://registry.example/?x", "requirements.txt: line 1: an address that names no package"),
    ] {
        let error = refused(&format!("== requirements.txt\n{text}\n"));
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let mut files = tree("");
    files.0.insert(crate::model::RepoPath::new("requirements.txt"), b"\xff\xfea\0=\0=\x001\0".to_vec());
    let project = Requirements.projects(&files).unwrap().remove(0);
    let (_, error) = Requirements.read(&project, View::new(&files, &[])).unwrap_err();
    assert!(error.to_string().starts_with("the file is UTF-16"));
}

#[test]
fn indexes_say_where_packages_come_from() {
    let hash = format!("--hash=sha256:{}", "ab".repeat(32));
    let text = format!(
        "== requirements.txt
-i https://${{USER}}:${{PASS}}@registry.example/simple
--extra-index-url=https://other.example/simple
--trusted-host other.example
-f ./wheels
open==1
fixed==1 {hash}
"
    );
    let inventory = read_one(&Requirements, &tree(&text));
    assert_eq!(
        lines(&inventory),
        [
            "fixed@1 registry locked direct https://registry.example/simple requirements.txt:6",
            "open@1 registry locked direct https://other.example/simple requirements.txt:5",
            "open@1 registry locked direct https://registry.example/simple requirements.txt:5",
            "open@1 path locked direct ./wheels requirements.txt:5",
        ]
    );
    let identities: Vec<Identity> = inventory.packages.iter().map(|p| p.identity).collect();
    assert_eq!(identities, [Identity::Public, Identity::Public, Identity::Public, Identity::StandsIn]);
    let offline =
        read_one(&Requirements, &tree("== requirements.txt\n--no-index\n--find-links https://x.example/\na==1\n"));
    assert_eq!(lines(&offline), ["a@1 registry locked direct https://x.example/ requirements.txt:3"]);
    assert_eq!(offline.packages[0].identity, Identity::StandsIn);
    assert_eq!(
        read_one(&Requirements, &tree("== requirements.txt\na==1\n")).packages[0].source.kind,
        SourceKind::Public
    );
    let many = "--extra-index-url https://x.example/\n".repeat(17);
    assert!(refused(&format!("== requirements.txt\n{many}")).contains("more than 16"));
}

#[test]
fn sources_of_compiled_files_are_manifests() {
    let inventory = read_one(
        &Requirements,
        &tree(
            "== requirements/dev.in
-r base.in
# nothing
Direct>=1
wrong>=2
gone
windows ; sys_platform=='win32'
setuptools
tool @ git+https://registry.example/tool
== requirements/base.in
base
== requirements/dev.txt
base==1
direct==1.5
wrong==1.0
below==3
tool @ git+https://registry.example/evil
",
        ),
    );
    let project = &inventory.project;
    assert_eq!(project.manifest.as_ref().unwrap().as_str(), "requirements/dev.in");
    assert_eq!(project.lockfile.as_ref().unwrap().as_str(), "requirements/dev.txt");
    let direct: Vec<&str> = inventory.packages.iter().filter(|p| p.direct).map(|p| &*p.name).collect();
    assert_eq!(direct, ["base", "direct", "tool", "wrong"]);
    assert_eq!(find(&inventory, "direct").declared.unwrap().line, 3);
    assert_eq!(
        said(&inventory),
        [
            "gone asks for any version, and the lockfile does not hold it (5)",
            "tool asks for https://registry.example/tool, and the lockfile takes it from elsewhere (8)",
            "wrong asks for >=2, and the lockfile holds 1.0 (4)",
        ]
    );
}

#[test]
fn projects_are_found() {
    let files = tree(
        "== requirements.txt
-r requirements/base.txt
== requirements/base.txt
a
== requirements/dev.txt
-c base.txt
== requirements/only.in
x==1
== requirements/dev.in
-r shared.in
== requirements/shared.in
s
== requirements/constraints.txt
c==1
== circle/requirements-a.txt
-r requirements-b.txt
== circle/requirements-b.txt
-r requirements-a.txt
== x/dev-requirements.txt
-r requirements-broken.txt
== x/requirements-broken.txt
a b c
== node_modules/x/requirements.txt
a
== docs/notes.txt
a
",
    );
    let found: Vec<String> = Requirements
        .projects(&files)
        .unwrap()
        .iter()
        .map(|p| {
            let path =
                |path: &Option<crate::model::RepoPath>| path.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("{} {} {}", p.path, path(&p.manifest), path(&p.lockfile))
        })
        .collect();
    assert_eq!(
        found,
        [
            "circle - circle/requirements-a.txt",
            ". - requirements.txt",
            "requirements requirements/dev.in requirements/dev.txt",
            "requirements requirements/only.in -",
            "x - x/dev-requirements.txt",
        ]
    );
    let open = read_all(&Requirements, &tree("== requirements.in\nx==1\ny>1\n"));
    assert_eq!(testing::labels(&open[0]), ["x@=1", "y@>1"]);
    assert!(open[0].packages.iter().all(|package| !package.is_locked));
}

#[test]
fn folders_of_the_repository_are_members() {
    let inventory = read_one(
        &Requirements,
        &tree(
            "== app/requirements.txt
-e .
-e ./lib[extra]
--editable=plain
-e vendored/thing
a==1
== app/pyproject.toml
[project]
name = 'The_App'
== app/lib/setup.py
== app/plain/setup.cfg
== app/vendored/thing/readme
",
        ),
    );
    let mut roots: Vec<String> = inventory.roots.iter().map(|r| format!("{} {}", r.label, r.folder)).collect();
    roots.sort();
    assert_eq!(roots, ["lib app/lib", "plain app/plain", "requirements.txt app", "the-app app"]);
    assert_eq!(testing::labels(&inventory), ["a@1", "thing@*"]);
    assert_eq!(find(&inventory, "thing").identity, Identity::Foreign);
}

/// Files, the number of their packages, and the start of the digest over `name@version`, as `parse_requirements` and
/// `install_req_from_parsed_requirement` of pip 23.2.1 list them.
const REAL: &[(&str, usize, &str)] = &[
    ("warehouse-requirements/requirements.txt", 294, "c930f2c0e3f7179e"),
    ("warehouse-requirements/requirements/dev.txt", 27, "c54b350232132b06"),
    ("warehouse-requirements/requirements/ipython.txt", 1, "afafc66549be9537"),
    // One tree each of what the file above takes in, read by itself.
    ("warehouse-requirements/requirements/main.txt", 184, "6b70fb68a00cc968"),
    ("warehouse-requirements/requirements/lint.txt", 56, "20965bbeae0e8c09"),
    ("uv-requirements-cases/basic.txt", 6, "cfc8c92aff7fc789"),
    ("uv-requirements-cases/constraints-b.txt", 2, "191826e43e640813"),
    ("uv-requirements-cases/for-poetry.txt", 4, "9581714c0dd93438"),
    ("uv-requirements-cases/include-a.txt", 2, "1f7ba16b12c47dfc"),
    ("uv-requirements-cases/poetry-with-hashes.txt", 5, "4bfed5116e213008"),
    ("uv-requirements-cases/small.txt", 2, "e3a5f0bb233b23b1"),
    ("uv-requirements-cases/whitespace.txt", 2, "70cccb8b3ffb3b79"),
];

#[test]
fn real_files_hold_what_pip_finds_in_them() {
    let Some(path) = testing::corpus("lockfiles/python") else { return };
    let files = testing::folder(&path);
    let projects = Requirements.projects(&files).unwrap();
    let found: Vec<&str> =
        projects.iter().filter_map(|p| p.lockfile.as_ref()).map(crate::model::RepoPath::as_str).collect();
    let own = ["requirements.txt", "requirements/dev.txt", "requirements/ipython.txt"];
    assert_eq!(found, own.map(|name| format!("warehouse-requirements/{name}")));
    for (name, count, digest) in REAL {
        let path = crate::model::RepoPath::new(name);
        let project = crate::model::inventory::Project {
            path: path.parent(),
            ecosystem: Requirements.ecosystem(),
            manifest: None,
            lockfile: Some(path),
        };
        let inventory = Requirements.read(&project, View::new(&files, &[])).unwrap();
        let labels = testing::labels(&inventory);
        assert_eq!((labels.len(), testing::digest(&labels).get(..16).unwrap()), (*count, *digest), "{name}");
        assert_eq!(said(&inventory), Vec::<String>::new(), "{name}");
        if name.ends_with("main.txt") {
            // `grep -c -- --hash=` of the file; and the requirements of `main.in`, of `grep -cv '^$'`.
            let hashes: usize = inventory.packages.iter().map(|p| p.files.len().max(1)).sum();
            assert_eq!((hashes, inventory.packages.iter().filter(|p| p.direct).count()), (2089, 79));
        }
    }
}

#[test]
fn hostile_files_are_answered() {
    let digits = format!("a=={}", "9".repeat(100_000));
    let many: String = (0..200_000).map(|n| format!("p{n}=={n}\n")).collect();
    let same = "a==1\n".repeat(20_000);
    let ranges: String = (0..5_000).map(|n| format!("a>{n}\n")).collect();
    let open = "a[".repeat(30_000);
    let texts: Vec<&[u8]> = vec![
        digits.as_bytes(),
        same.as_bytes(),
        ranges.as_bytes(),
        open.as_bytes(),
        b"\\",
        b"\\\n\\\n#",
        b"-",
        b"--",
        b"-e",
        b"-e ",
        b"-r",
        b"-r requirements.txt",
        b"-c requirements.txt\n-r requirements.txt",
        b"@",
        b"a@",
        b"a @ git+",
        b"git+",
        b"file:",
        b"https://@",
        b"[",
        b"./[",
        b";",
        b"a;",
        b"-e ;",
        b"' \" \\",
        b"\xef\xbb\xbf",
        b"\xff",
        b".",
        b"..",
        b"a==1 --hash=:",
    ];
    testing::survives(&Requirements, &["requirements.txt", "requirements.in", "requirements/x.txt"], &texts);
    let inventory = read_one(&Requirements, &tree(&format!("== requirements.txt\n{many}")));
    assert_eq!(inventory.packages.len(), 200_000);
    // A range, and as many constraints: each name is taken once.
    let both = tree(&format!("== requirements.txt\n-c constraints.txt\n{ranges}== constraints.txt\n{same}"));
    assert_eq!(testing::labels(&read_one(&Requirements, &both)), ["a@1"]);
    let sources = tree(&format!("== requirements.in\n{ranges}== requirements.txt\n{ranges}"));
    assert_eq!(read_one(&Requirements, &sources).packages.len(), 5_000);
}

#[test]
fn what_a_file_below_takes_in_stays_a_project_of_its_own() {
    let found = |text: &str| -> Vec<String> {
        let projects = Requirements.projects(&tree(text)).unwrap();
        projects.iter().map(|p| p.lockfile.as_ref().or(p.manifest.as_ref()).unwrap().to_string()).collect()
    };
    let up = "== fixtures/requirements.txt\n-r ../requirements.txt\n== requirements.txt\na==1\n";
    assert_eq!(found(up), ["fixtures/requirements.txt", "requirements.txt"]);
    let aside = "== a/requirements.txt\n-r ../b/requirements.txt\n== b/requirements.txt\na==1\n";
    assert_eq!(found(aside), ["a/requirements.txt", "b/requirements.txt"]);
    // A manifest below, compiled, hides no manifest above.
    let source = "== x/requirements.in\n-r ../requirements.in\n== x/requirements.txt\na==1\n== requirements.in\na\n";
    assert_eq!(found(source), ["requirements.in", "x/requirements.txt"]);
    let down = "== requirements.txt\n-r requirements/base.txt\n== requirements/base.txt\na==1\n";
    assert_eq!(found(down), ["requirements.txt"]);
}

#[test]
fn many_packages_from_many_places_are_told_at_once() {
    let text = |pins: usize, places: usize| {
        let mut text = "== requirements.txt\n".to_owned();
        (0..places).for_each(|at| text += &format!("--extra-index-url https://p{at}.example/\n"));
        (0..pins).for_each(|at| text += &format!("a{at}==1\n"));
        read_one(&Requirements, &tree(&text))
    };
    let few = text(64, 16);
    assert_eq!((few.packages.len(), few.disagreements.len()), (64 * 17, 0));
    let many = text(2_000, 16);
    assert_eq!(many.packages.len(), 2_000);
    let said: Vec<&str> = many.disagreements.iter().map(|d| &*d.message).collect();
    assert_eq!(said, ["takes any of its packages from 16 further places as well"]);
}

#[test]
fn further_names_and_hosts_without_security_are_seen() {
    let text = "== requirements.lock\n-e file:.\na==1\n== requirements-dev.lock\nb==1\n== pyproject.toml\n[project]\nname = 'x'\n";
    let all = read_all(&Requirements, &tree(text));
    let labels: Vec<Vec<String>> = all.iter().map(testing::labels).collect();
    assert_eq!(labels, [["b@1"], ["a@1"]]);
    assert!(crate::ecosystem::claims(&crate::model::RepoPath::new("x/constraints-dev.txt")));
    assert_eq!(Requirements.projects(&tree("== constraints.txt\na==1\n")).unwrap(), []);
    let inventory = read_one(&Requirements, &tree("== requirements.txt\n--trusted-host=h.example:80\na==1\n"));
    let said: Vec<&str> = inventory.disagreements.iter().map(|d| &*d.message).collect();
    assert_eq!(said, ["trusts h.example:80 without transport security"]);
}
