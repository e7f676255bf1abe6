//! Names, versions, requirements and manifests.

use std::cmp::Ordering;

use super::PyPi;
use super::manifest::{self, Manifest, Place, Section};
use crate::ecosystem::{Rules, testing};

#[test]
fn names_are_spelt_in_one_way() {
    // PEP 503's own example, and the edges of its expression.
    for name in [
        "friendly-bard",
        "Friendly-Bard",
        "FRIENDLY-BARD",
        "friendly.bard",
        "friendly_bard",
        "friendly--bard",
        "FrIeNdLy-._.-bArD",
    ] {
        assert_eq!(PyPi.normalise(name), "friendly-bard");
    }
    assert!(matches!(PyPi.normalise("a-b"), std::borrow::Cow::Borrowed("a-b")));
    for (name, expected) in [
        ("a", true),
        ("A.b_c-9", true),
        ("9", true),
        ("", false),
        ("-a", false),
        ("a-", false),
        ("_a", false),
        ("a.", false),
        ("a b", false),
        ("á", false),
        ("a\u{1b}[31m", false),
        ("a/../b", false),
        ("a\0", false),
        ("a\n", false),
    ] {
        assert_eq!(PyPi.is_name(name), expected, "{name:?}");
    }
    assert!(PyPi.is_name(&"a".repeat(255)) && !PyPi.is_name(&"a".repeat(256)));
}

#[test]
fn versions_have_the_order_of_pep_440() {
    // The order of PEP 440's "Summary of permitted suffixes and relative ordering", and the edges around it.
    let ascending = [
        "1.dev0",
        "1.0.dev456",
        "1.0a1",
        "1.0a2.dev456",
        "1.0a12.dev456",
        "1.0a12",
        "1.0b1.dev456",
        "1.0b2",
        "1.0b2.post345.dev456",
        "1.0b2.post345",
        "1.0rc1.dev456",
        "1.0rc1",
        "1.0",
        "1.0+abc.5",
        "1.0+abc.7",
        "1.0+5",
        "1.0.post456.dev34",
        "1.0.post456",
        "1.0.15",
        "1.1.dev1",
        "99999999999999999999999999999",
        "99999999999999999999999999999.1",
        "100000000000000000000000000000",
        "1!0.1",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for (bt, b) in ascending.iter().enumerate() {
            assert_eq!(PyPi.compare(a, b), Some(at.cmp(&bt)), "{a} {b}");
        }
    }
    for (a, b) in [
        ("1.0", "v1.0.0.0"),
        ("1.0a0", "1.0-ALPHA"),
        ("1.0.post0", "1.0-r"),
        ("1.0.post3", "1.0-3"),
        ("1.0rc1", "1.0.c.1"),
        ("1.0rc2", "1.0preview2"),
        ("1.0+ubuntu-1", "1.0+Ubuntu.01"),
        (" 1.0 ", "1"),
        ("0!1", "00001.0"),
        ("1.0a1.dev2", "1.0a-1_dev-2"),
        ("1.0a0.post1", "1.0a.-1"),
        ("1.0.dev1", "1.0dev1"),
        ("1.0a.", "1.0a0"),
    ] {
        assert_eq!(PyPi.compare(a, b), Some(Ordering::Equal), "{a} {b}");
    }
    for none in [
        "",
        "v",
        "1.0-final",
        "2.0.0-final",
        "2019-09-12",
        "0.2.0-n653",
        "1.0+",
        "1.0+a+b",
        "1.0+a..b",
        "1..0",
        ".1",
        "1.",
        "!1",
        "a!1",
        "1!",
        "1!2!3",
        "1.0a1a1",
        "1.0.dev1.dev2",
        "1.0.post1.post2",
        "1.0-1-1",
        "vv1",
        "1.0\0",
        "1.0 1",
        "٣",
        "latest",
        "1.x",
        "1.*",
        "0.1-bulbasaur",
    ] {
        assert_eq!(PyPi.compare(none, "1.0"), None, "{none}");
        assert_eq!(PyPi.compare("1.0", none), None, "{none}");
    }
    let (long, longer) = ("9".repeat(10_000), format!("1{}", "0".repeat(10_000)));
    assert_eq!(PyPi.compare(&long, &longer), Some(Ordering::Less));
    assert_eq!(PyPi.compare(&format!("1.0a{long}"), &format!("1.0a{longer}")), Some(Ordering::Less));
    assert_eq!(PyPi.compare(&format!("1+{long}"), &format!("1+{longer}")), Some(Ordering::Less));
    assert_eq!(PyPi.compare(&"1.".repeat(100_000), "1"), None);
    assert_eq!(PyPi.compare(&format!("1{}", ".0".repeat(100_000)), "1"), Some(Ordering::Equal));
}

#[test]
fn every_vector_holds() {
    // Lines that `packaging` 26.3 refuses as no versions are counted apart: they must have no order here either.
    for (file, versions, legacy) in [("pypi-versions.txt", 26, 11), ("pypi-versions-generated.txt", 12_306, 69)] {
        let Some(path) = testing::corpus("vectors/versions") else { return };
        let text = std::fs::read_to_string(path.join(file)).unwrap();
        let (mut good, mut refused) = (String::new(), 0);
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if PyPi.compare(words[0], words[2]).is_some() {
                good.push_str(line);
                good.push('\n');
            } else {
                refused += 1;
            }
        }
        assert_eq!((testing::orders(&PyPi, &good), refused), (versions, legacy), "{file}");
    }
}

/// One line for each thing that a manifest asks for.
fn asked(manifest: &Manifest) -> Vec<String> {
    let line = |a: &manifest::Asked| {
        let place = match &a.place {
            Place::Registry => String::new(),
            Place::Index(name) => format!(" from index {name}"),
            Place::Direct(direct) => format!(" from {} {}", direct.source.kind, direct.source),
            Place::Path(path) => format!(" from {path}"),
            Place::Workspace => " from the workspace".to_owned(),
        };
        let section = match &a.section {
            Section::Extra(name) => format!("extra {name}"),
            Section::Group(name) => format!("group {name}"),
            other => format!("{other:?}").to_lowercase(),
        };
        format!("{} {} {} ({section}, {}){place}", a.line, a.name, a.to_version(), a.scope)
    };
    manifest.asked.iter().map(line).collect()
}

#[test]
fn manifests_say_what_they_ask_for() {
    let text = br#"[build-system]
requires = ["hatchling==1.2"]
[project]
name = "My.App"
version = "1.0"
dynamic = ["readme", "optional-dependencies"]
dependencies = [
  "Flask[Async]>=2",
  "direct @ git+https://registry.example/d@0123456789abcdef0123456789abcdef01234567",
  "sib",
]
[project.optional-dependencies]
Extra_A = ["x==1.0 ; python_version < '3.9'"]
[dependency-groups]
test = ["pytest", {include-group = "Lint_it"}]
lint-it = ["ruff==0.1"]
[tool.uv]
dev-dependencies = ["old"]
override-dependencies = ["flask==3"]
constraint-dependencies = ["y<2"]
[tool.uv.sources]
sib = { workspace = true }
Flask = { index = "mine" }
pytest = [{ git = "https://registry.example/p", tag = "v1" }, { path = "../p", marker = "x" }]
x = { url = "https://registry.example/x-1.0.zip" }
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/old"]
[[tool.uv.index]]
name = "mine"
url = "https://u:p@registry.example/simple"
explicit = true
[tool.pdm.dev-dependencies]
docs = ["sphinx", "-e file:///${PROJECT_ROOT}/sub#egg=Sub"]
"#;
    let read = manifest::parse(text).unwrap();
    assert_eq!(
        asked(&read),
        [
            "8 flask >=2 (main, runtime) from index mine",
            "9 direct * (main, runtime) from git https://registry.example/d#0123456789abcdef0123456789abcdef01234567",
            "10 sib * (main, runtime) from the workspace",
            "13 x =1.0 (extra extra-a, runtime) from registry https://registry.example/x-1.0.zip",
            "2 hatchling =1.2 (build, build)",
            "16 ruff =0.1 (group lint-it, development)",
            "15 pytest * (group test, development) from git https://registry.example/p",
            "15 pytest * (group test, development) from ../p",
            "34 sphinx * (group docs, development)",
            "34 sub * (group docs, development) from path /${PROJECT_ROOT}/sub",
            "18 old * (group dev, development)",
            "19 flask =3 (override, runtime) from index mine",
            "20 y <2 (constraint, runtime)",
        ]
    );
    assert_eq!((&*read.name, &*read.version, read.line), ("my-app", "1.0", 4));
    assert_eq!((read.dynamic, read.dynamic_extras), (None, Some(6)));
    let index = read.index("mine").unwrap();
    assert_eq!((&*index.url, index.is_default, index.is_explicit), ("https://registry.example/simple", false, true));
    let workspace = read.workspace.clone().unwrap();
    assert_eq!((workspace.members, workspace.exclude), (vec![("packages/*".into(), 27)], vec!["packages/old".into()]));
    assert_eq!(&*read.asked[0].extras, ["async".into()]);
    assert_eq!(read.needs().count(), 11);
}

#[test]
fn poetry_manifests_say_what_they_ask_for() {
    let text = br#"[tool.poetry]
name = "app"
version = "1.0"
[tool.poetry.dependencies]
python = "^3.8"
plain = "^1.2"
pinned = "1.2.3"
table = { version = "~2.0", optional = true, extras = ["X_y"], source = "mine" }
repo = { git = "https://registry.example/r.git", rev = "0123456789abcdef0123456789abcdef01234567" }
tag = { git = "https://registry.example/t.git", tag = "0123456789abcdef0123456789abcdef01234567" }
folder = { path = "../f", develop = true }
zip = { url = "https://registry.example/z.zip" }
many = [{ version = "<2", python = "<3.9" }, { version = ">=2", python = ">=3.9" }]
[tool.poetry.dev-dependencies]
pytest = "*"
[tool.poetry.group.Docs_x]
optional = true
[tool.poetry.group.Docs_x.dependencies]
sphinx = ">=4,<5"
[[tool.poetry.source]]
name = "mine"
url = "https://registry.example/simple"
priority = "explicit"
"#;
    let read = manifest::parse(text).unwrap();
    let mut found = asked(&read);
    found.sort();
    let mut expected = [
        "6 plain ^1.2 (main, runtime)",
        "7 pinned =1.2.3 (main, runtime)",
        "8 table ~2.0 (main, runtime) from index mine",
        "9 repo * (main, runtime) from git https://registry.example/r.git#0123456789abcdef0123456789abcdef01234567",
        "10 tag * (main, runtime) from git https://registry.example/t.git",
        "11 folder * (main, runtime) from ../f",
        "12 zip * (main, runtime) from registry https://registry.example/z.zip",
        "13 many <2 (main, runtime)",
        "13 many >=2 (main, runtime)",
        "15 pytest * (group dev, development)",
        "19 sphinx >=4,<5 (group docs-x, development)",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!((&*read.name, read.line, read.has_poetry, read.has_project), ("app", 2, true, false));
    // Beside the standard table, poetry's only says where from.
    let both = b"[project]\nname='a'\ndependencies=['b>=1']\n[tool.poetry.dependencies]\nb={git='https://registry.example/b'}\nc='1'\n";
    let found = asked(&manifest::parse(both).unwrap());
    assert_eq!(found, ["3 b >=1 (main, runtime) from git https://registry.example/b", "6 c =1 (main, runtime)"]);
}

#[test]
fn what_no_manifest_may_be_is_refused() {
    for (text, expected) in [
        ("[project]\nname='a b'", "line 2: `a b` is no name"),
        ("[project]\ndependencies=[\n'ok',\n'a b']", "line 4: no version requirement: `b`"),
        ("[project]\ndependencies='a'", "line 2: `dependencies` is a string, not a list"),
        ("[project]\ndependencies=[1]", "line 2: `dependencies` is a integer"),
        ("project=1", "line 1: `project` is a integer"),
        (
            "[dependency-groups]\na=[{include-group='b'}]\nb=[{include-group='a'}]",
            "line 2: the group `a` is part of a circle",
        ),
        ("[dependency-groups]\na=[{include-group='a'}]", "line 2: the group `a` is part of a circle"),
        ("[dependency-groups]\na=[{include-group='z'}]", "line 2: the group `a` includes `z`, which is not there"),
        ("[dependency-groups]\na=[]\nA=[]", "line 2: the group `a` twice"),
        ("[dependency-groups]\na=[{other='z'}]", "line 2: `a` is a"),
        ("[tool.poetry.dependencies]\na=1", "line 2: `a` is a integer"),
        ("[tool.poetry.dependencies]\n'a/../b'='1'", "line 2: `a/../b` is no name"),
        ("[tool.poetry.dependencies]\n\"a\\u001b\"='1'", "line 2: `a\\u{1b}` is no name"),
        ("[tool.uv.sources]\na=1", "line 2: `a` is a integer"),
        ("[tool.pdm.dev-dependencies]\na=['-e ./x']", "line 2: an editable requirement without"),
        ("[project]\na=1\na=2", "line 3: duplicate key"),
        ("<<<<<<< HEAD\n", "line 1: conflict markers"),
    ] {
        let error = manifest::parse(text.as_bytes()).map(|m| m.asked.len()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let chain: String = (0..50_000).map(|n| format!("g{n}=[{{include-group='g{}'}}]\n", n + 1)).collect();
    assert!(manifest::parse(format!("[dependency-groups]\n{chain}g50000=[]").as_bytes()).is_ok());
    let many = "{path='x'},".repeat(1000);
    assert!(manifest::parse(format!("[tool.uv.sources]\na=[{many}]").as_bytes()).is_err());
}

#[test]
fn real_manifests_are_read() {
    // Counted with `tomllib` and `packaging` 26.3: requirements in all tables of interest, `python` aside.
    for (path, expected) in REAL_MANIFESTS {
        let Some(file) = testing::corpus("lockfiles/python") else { return };
        let read = manifest::parse(&std::fs::read(file.join(path)).unwrap()).unwrap();
        let mut labels: Vec<String> = read.asked.iter().map(|a| format!("{}@{}", a.name, a.constraint)).collect();
        labels.sort();
        labels.dedup();
        assert_eq!((read.asked.len(), testing::digest(&labels).get(..16).unwrap()), *expected, "{path}");
    }
}
const REAL_MANIFESTS: &[(&str, (usize, &str))] = &[
    ("pdm-2022-3.1/pyproject.toml", (31, "d744fb2faa6be1d1")),
    ("pdm-2026-4.5/pyproject.toml", (46, "a378efa6334a130f")),
    ("poetry-2019/pyproject.toml", (34, "e2f56ff86fd15ae2")),
    ("poetry-2022-1.1/pyproject.toml", (40, "5fbe1934f69ae117")),
    ("poetry-2023-2.0/pyproject.toml", (40, "a82b0e721c6c7fb5")),
    ("poetry-2026-2.1/pyproject.toml", (37, "c39d977a13722c2b")),
    ("uv-pydantic/pydantic-core/pyproject.toml", (27, "63a9725420b268f5")),
    ("uv-pydantic/pyproject.toml", (56, "17f7980c915c4df1")),
    ("uv-uv/pyproject.toml", (16, "a090a9ec2d33f072")),
    ("uv-uv/scripts/benchmark/pyproject.toml", (9, "c6c90c40586a6bf3")),
];
