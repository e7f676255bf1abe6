//! The lockfiles of poetry, uv and PDM, and PEP 751's.

use super::locked::spoken_for;
use super::pdm::Pdm;
use super::poetry_lock::Poetry;
use super::pylock::Pylock;
use super::uv::Uv;
use crate::ecosystem::testing::*;
use crate::ecosystem::{Format, View, claims};
use crate::model::RepoPath;
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Scopes, SourceKind};
use crate::model::tree::Unread;

const FORMATS: [&dyn Format; 4] = [&Poetry, &Uv, &Pdm, &Pylock];

/// 64 digits of hex.
fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// The files as a tree, with `<a>` to `<f>` in place of 64 such digits.
fn lock_tree(text: &str) -> Tree {
    let mut text = text.to_owned();
    for digit in 'a'..='f' {
        text = text.replace(&format!("<{digit}>"), &hex(digit));
    }
    tree(&text)
}

fn scopes(inventory: &Inventory) -> Vec<(String, String, bool)> {
    let one = |p: &Package| {
        let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
        (p.label(), scopes.join("+"), p.direct)
    };
    inventory.packages.iter().map(one).collect()
}

fn as_expected(expected: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    expected.iter().map(|(label, scopes, direct)| ((*label).to_owned(), (*scopes).to_owned(), *direct)).collect()
}

fn disagreements(inventory: &Inventory) -> Vec<(&str, &str, u32)> {
    inventory.disagreements.iter().map(|d| (&*d.name, &*d.message, d.span.line)).collect()
}

fn unread(format: &dyn Format, files: &Tree) -> Unread {
    let projects = format.projects(files).unwrap();
    assert_eq!(projects.len(), 1);
    format.read(&projects[0], View::new(files, &[])).unwrap_err().1
}

const POETRY_MANIFEST: &str = r#"== pyproject.toml
[tool.poetry]
name = "app"
version = "0.1"
[tool.poetry.dependencies]
python = "^3.8"
Web = "^2.0"
Forked = { git = "https://forge.example/me/forked.git", branch = "main" }
two = [{ version = "^1", python = "<3.9" }, { version = "^2", python = ">=3.9" }]
[tool.poetry.group.test.dependencies]
tester = ">=1"
"#;

const POETRY_LOCK: &str = r##"== poetry.lock
[[package]]
name = "Web"
version = "2.1"
category = "dev"
optional = false
groups = ["dev"]
files = [
    {file = "web-2.1-py3-none-any.whl", hash = "sha256:<a>"},
    {file = "Web-2.1.tar.gz", hash = "sha256:<b>"},
]
[package.dependencies]
Shared_Part = { version = ">=1", optional = true, markers = "extra=='fast'" }
two = [{ version = "<2", markers = "a" }, { version = ">=7" }]
gone = "*"

[[package]]
name = "shared.part"
version = "1.0"
files = [{file = "shared_part-1.0.tar.gz", hash = "sha256:<c>"}]
[package.source]
type = "legacy"
url = "https://user:secret@registry.example/mine/simple"
reference = "mine"

[[package]]
name = "two"
version = "1.5"
files = []

[[package]]
name = "two"
version = "2.5"
files = [{file = "two-2.5.tar.gz", hash = "sha256:<d>"}, {file = "two-2.5-py3-none-any.whl", hash = "what"}]

[[package]]
name = "tester"
version = "1.1"
files = [{file = "tester-1.1.tar.gz", hash = "sha256:<e>"}]
category = "main"
[package.dependencies]
shared-part = "*"
helper = "*"

[[package]]
name = "helper"
version = "0.1"
files = [{file = "helper-0.2.tar.gz", hash = "sha256:<f>"}]

[[package]]
name = "forked"
version = "3.0"
files = []
[package.source]
type = "git"
url = "https://forge.example/me/forked.git"
reference = "main"
resolved_reference = "0123456789012345678901234567890123456789"
subdirectory = "sub"

[[package]]
name = "here"
version = "0.0.0"
files = []
develop = true
[package.source]
type = "directory"
url = "libs/here"

[[package]]
name = "tarball"
version = "1.0"
files = [{file = "anything.zip", hash = "sha256:<a>"}]
[package.source]
type = "url"
url = "https://registry.example/anything.zip"

[metadata]
lock-version = "2.1"
python-versions = "^3.8"
content-hash = "0"
"##;

#[test]
fn poetry_packages_have_sources_files_and_scopes_by_reachability() {
    let files = lock_tree(&format!("{POETRY_MANIFEST}{POETRY_LOCK}"));
    let inventory = read_one(&Poetry, &files);
    assert_eq!(disagreements(&inventory), []);
    assert_eq!(
        scopes(&inventory),
        as_expected(&[
            ("forked@3.0", "runtime", true),
            ("helper@0.1", "development", false),
            ("here@0.0.0", "runtime", false),
            ("shared-part@1.0", "runtime+development", false),
            ("tarball@1.0", "runtime", false),
            ("tester@1.1", "development", true),
            ("two@1.5", "runtime", true),
            ("two@2.5", "runtime", true),
            ("web@2.1", "runtime", true),
        ])
    );
    let of = |name: &str| {
        let package = find(&inventory, name);
        (package.source.kind, &*package.source.address, package.identity, package.checksum.as_deref())
    };
    let digest = |digit| format!("sha256:{}", hex(digit));
    assert_eq!(find(&inventory, "web").files.to_vec(), [digest('a').into(), digest('b').into()]);
    assert_eq!(find(&inventory, "web").span.line, 2 - 1);
    assert_eq!(find(&inventory, "web").declared.map(|span| span.line), Some(6));
    let shared = of("shared-part");
    assert_eq!(
        shared,
        (SourceKind::Registry, "https://registry.example/mine/simple", Identity::Public, Some(&*digest('c')))
    );
    let commit = "0123456789012345678901234567890123456789";
    let address = "https://forge.example/me/forked.git#subdirectory=sub";
    let pinned = format!("gitCommit:{commit}");
    assert_eq!(of("forked"), (SourceKind::Git, address, Identity::Foreign, Some(&*pinned)));
    assert_eq!(find(&inventory, "forked").source.commit.as_deref(), Some(commit));
    assert_eq!(of("here"), (SourceKind::Path, "libs/here", Identity::Foreign, None));
    let tarball = "https://registry.example/anything.zip";
    assert_eq!(of("tarball"), (SourceKind::Registry, tarball, Identity::Foreign, Some(&*digest('a'))));
    assert_eq!(of("web").0, SourceKind::Public);
    // A file without a digest leaves the release open.
    assert!(inventory.packages.iter().filter(|p| &*p.name == "two").all(|p| p.checksum.is_none()));
    let lies: Vec<_> = inventory.packages.iter().filter_map(|p| p.contradiction.as_deref()).collect();
    assert_eq!(lies, ["helper 0.2"]);
    assert_eq!((inventory.roots.len(), &*inventory.roots[0].label), (1, "app@0.1"));
    assert_eq!(inventory.inputs.len(), 2);
}

#[test]
fn poetry_is_told_apart_from_what_the_manifest_asks() {
    for (manifest, expected) in [
        ("Web = \"^2.0\"", vec![]),
        ("Web = \"^3.0\"", vec![("web", "asks for ^3.0, and the lockfile holds 2.1", 5)]),
        ("web = \"2.2 || 2.1\"", vec![]),
        ("absent = \"^1\"", vec![("absent", "asks for ^1, which the lockfile does not hold", 5)]),
        (
            "absent = { version = \"^1\", markers = \"sys_platform=='win32'\" }",
            vec![("absent", "asks for ^1, which the lockfile does not hold", 5)],
        ),
        // Another repository than the locked one, under the spellings of the locked one, and the registry's.
        ("forked = { git = \"git@forge.example:me/forked\", branch = \"x\" }", vec![]),
        (
            "forked = { git = \"https://forge.example/you/forked.git\" }",
            vec![(
                "forked",
                "asks for https://forge.example/you/forked.git, and the lockfile holds 3.0 from a repository",
                5,
            )],
        ),
        (
            "web = { git = \"https://forge.example/me/web.git\" }",
            vec![("web", "asks for https://forge.example/me/web.git, and the lockfile holds 2.1", 5)],
        ),
        (
            "web = { url = \"https://files.registry.example/web.zip\" }",
            vec![("web", "asks for https://files.registry.example/web.zip, and the lockfile holds 2.1", 5)],
        ),
        ("tarball = { url = \"https://registry.example/anything.zip\" }", vec![]),
        ("two = \"^4\"", vec![("two", "asks for ^4, and the lockfile holds 1.5, 2.5", 5)]),
        // The lockfile alone moves a package to a repository.
        ("forked = \"^3\"", vec![("forked", "asks for ^3, and the lockfile holds 3.0 from a repository", 5)]),
        ("here = { path = \"libs/here\" }", vec![]),
    ] {
        let manifest = format!(
            "== pyproject.toml\n[tool.poetry]\nname = \"app\"\nversion = \"0.1\"\n\
             [tool.poetry.dependencies]\n{manifest}\n"
        );
        let inventory = read_one(&Poetry, &lock_tree(&format!("{manifest}{POETRY_LOCK}")));
        assert_eq!(disagreements(&inventory), expected, "{manifest}");
    }
}

#[test]
fn without_a_manifest_what_nothing_needs_is_direct() {
    let inventory = read_one(&Poetry, &lock_tree(POETRY_LOCK));
    let direct: Vec<_> = inventory.packages.iter().filter(|p| p.direct).map(|p| &*p.name).collect();
    assert_eq!(direct, ["forked", "here", "tarball", "tester", "web"]);
    assert!(inventory.packages.iter().all(|p| p.scopes == Scopes::of(Scope::Runtime)));
    assert!(inventory.roots.is_empty() && inventory.disagreements.is_empty());
}

#[test]
fn older_poetry_keeps_files_in_one_place() {
    let text = r##"== poetry.lock
[[package]]
name = "Two.Names"
version = "1.0"
[[package]]
name = "two-names"
version = "2.0"
[[package]]
name = "git"
version = "1"
[package.source]
type = "git"
url = "https://forge.example/git"
reference = "0123456789012345678901234567890123456789"
[metadata]
content-hash = "0"
"##;
    let files = r##"[metadata.files]
"two.names" = [
  {file = "Two.Names-1.0.tar.gz", hash = "sha256:<a>"},
  {file = "two_names-2.0-py3-none-any.whl", hash = "sha256:<b>"},
  {file = "two_names-2.0.tar.gz", hash = "md5:0"},
]
git = []
"##;
    let inventory = read_one(&Poetry, &lock_tree(&format!("{text}{files}")));
    let found: Vec<_> = inventory.packages.iter().map(|p| (p.label(), p.checksum.as_deref().unwrap_or("-"))).collect();
    let commit = "gitCommit:0123456789012345678901234567890123456789";
    let own = format!("sha256:{}", hex('a'));
    let expected =
        [("git@1".to_owned(), commit), ("two-names@1.0".to_owned(), &*own), ("two-names@2.0".to_owned(), "-")];
    assert_eq!(found, expected);
    assert!(inventory.packages.iter().all(|p| p.contradiction.is_none()));
    let stranger = files.replace("md5:0", "sha256:<c>").replace("two_names-2.0.tar", "else-2.0.tar");
    let inventory = read_one(&Poetry, &lock_tree(&format!("{text}{stranger}")));
    let lies: Vec<_> = inventory.packages.iter().filter_map(|p| p.contradiction.as_deref()).collect();
    assert_eq!(lies, ["else 2.0", "else 2.0"]);
    let hashes = "[metadata.hashes]\ngit = []\ntwo-names = [\"<a>\", \"<b>\"]\n";
    let inventory = read_one(&Poetry, &lock_tree(&format!("{text}{hashes}")));
    assert_eq!(inventory.packages.iter().filter(|p| p.files.len() == 2).count(), 2);
}

#[test]
fn forms_that_are_not_known_are_refused() {
    for (format, path, text, expected) in [
        (FORMATS[0], "poetry.lock", "[metadata]\nlock-version = \"2.2\"", "poetry.lock of lock-version 2.2"),
        (FORMATS[0], "poetry.lock", "[metadata]\nlock-version = \"3.0\"", "poetry.lock of lock-version 3.0"),
        (FORMATS[0], "poetry.lock", "", "no `[metadata]`, which every poetry.lock has"),
        (FORMATS[0], "poetry.lock", "[[package]]\nname = \"a\"\n[metadata]\n", "line 1: `a` without a version"),
        (FORMATS[0], "poetry.lock", "[[package]]\nversion = \"1\"\n[metadata]\n", "line 1: a package without a name"),
        (
            FORMATS[0],
            "poetry.lock",
            "[[package]]\nname=\"a\"\nversion=\"1\"\nsource={type=\"x\"}\n[metadata]\n",
            "line 1: a source of type `x`",
        ),
        (FORMATS[0], "poetry.lock", "package = 1\n[metadata]\n", "line 1: `package` is a integer, not a list"),
        (FORMATS[1], "uv.lock", "version = 2", "uv.lock of version 2"),
        (FORMATS[1], "uv.lock", "version = 1\nrevision = -1", "uv.lock of version 1, revision -1"),
        (FORMATS[1], "uv.lock", "version = \"1\"", "line 1: `version` is a string, not a number"),
        (FORMATS[1], "uv.lock", "revision = 1", "no version, which every uv.lock has"),
        (
            FORMATS[1],
            "uv.lock",
            "version = 1\n[[distribution]]\nname = \"a\"",
            "uv.lock with `[[distribution]]`, as uv wrote it before 0.3",
        ),
        (
            FORMATS[1],
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"",
            "line 2: `a` without a source",
        ),
        (
            FORMATS[1],
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { ftp = \"x\" }",
            "line 5: a source of a kind that is not known",
        ),
        (
            FORMATS[1],
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nsource = { registry = \"https://registry.example\" }",
            "line 2: `a` without a version",
        ),
        (FORMATS[2], "pdm.lock", "[metadata]\nlock_version = \"3\"", "pdm.lock of lock_version 3"),
        (FORMATS[2], "pdm.lock", "[metadata]\nlock_version = \"4.6.0\"", "pdm.lock of lock_version 4.6.0"),
        (FORMATS[2], "pdm.lock", "[metadata]\nlock_version = \"4.50\"", "pdm.lock of lock_version 4.50"),
        (FORMATS[2], "pdm.lock", "[root]", "pdm.lock without a lock_version"),
        (FORMATS[3], "pylock.toml", "lock-version = \"2.0\"", "pylock.toml of lock-version 2.0"),
        (FORMATS[3], "pylock.toml", "packages = []", "no lock-version, which PEP 751 requires"),
        (FORMATS[3], "pylock.toml", "lock-version = \"1.0\"", "no `packages`, which PEP 751 requires"),
        (
            FORMATS[3],
            "pylock.toml",
            "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nvcs = { url = \"x\" }\narchive = { url = \"y\" }",
            "line 2: `a` comes from several places at once",
        ),
        (
            FORMATS[3],
            "pylock.toml",
            "lock-version = \"1.0\"\n<<<<<<< HEAD",
            "line 2: conflict markers (`<<<<<<<`): a merge was left unfinished",
        ),
    ] {
        let error = unread(format, &tree(&format!("== {path}\n{text}\n")));
        assert_eq!(error.to_string(), expected, "{text}");
    }
    // Empty ones are what they say.
    for (format, path, text) in [
        (FORMATS[0], "poetry.lock", "package = []\n[metadata]\nlock-version = \"2.0\""),
        (FORMATS[1], "uv.lock", "version = 1"),
        (FORMATS[2], "pdm.lock", "[metadata]\nlock_version = \"4.4.1\""),
        (FORMATS[3], "pylock.toml", "lock-version = \"1.7\"\npackages = []"),
    ] {
        assert!(read_one(format, &tree(&format!("== {path}\n{text}\n"))).packages.is_empty());
    }
}

const UV: &str = r##"== pyproject.toml
[project]
name = "app"
version = "1.0"
dependencies = ["web>=2.0", "lib"]
[project.optional-dependencies]
more = ["extra-thing", "app[other]"]
[dependency-groups]
dev = ["tester @ https://files.registry.example/tester-main.zip"]
[build-system]
requires = ["builder"]
[tool.uv.sources]
lib = { workspace = true }
forked = { git = "https://forge.example/forked" }
[tool.uv.workspace]
members = ["libs/*"]
== libs/lib/pyproject.toml
[project]
name = "lib"
dynamic = ["version"]
dependencies = ["forked==1"]
[dependency-groups]
docs = ["web"]
== uv.lock
version = 1
revision = 3
requires-python = ">=3.9"

[manifest]
members = ["app", "lib"]

[[package]]
name = "app"
version = "1.0"
source = { editable = "." }
dependencies = [{ name = "lib" }, { name = "web", extra = ["fast"] }]

[package.optional-dependencies]
more = [{ name = "extra-thing" }]

[package.dev-dependencies]
dev = [{ name = "tester" }]

[package.metadata]
requires-dist = [
    { name = "extra-thing", marker = "extra=='more'" },
    { name = "lib", editable = "libs/lib" },
    { name = "web", specifier = ">=2.0" },
]

[package.metadata.requires-dev]
dev = [{ name = "tester", url = "https://files.registry.example/tester-main.zip" }]

[[package]]
name = "extra-thing"
version = "1.0"
source = { registry = "https://registry.example/simple" }
wheels = [{ url = "https://files.registry.example/ab/extra_thing-1.0-py3-none-any.whl", hash = "sha256:<a>", size = 1 }]

[[package]]
name = "forked"
version = "1"
source = { git = "https://forge.example/forked?subdirectory=in&rev=main#0123456789012345678901234567890123456789" }

[[package]]
name = "lib"
source = { editable = "libs/lib" }
dependencies = [{ name = "forked" }]

[package.dev-dependencies]
docs = [{ name = "web" }]

[package.metadata]
requires-dist = [{ name = "forked", git = "https://forge.example/forked" }]

[package.metadata.requires-dev]
docs = [{ name = "web" }]

[[package]]
name = "local"
version = "3"
source = { registry = "wheels" }
wheels = [{ path = "local-3-py3-none-any.whl" }]

[[package]]
name = "speed"
version = "1.0"
source = { registry = "https://registry.example/simple" }
sdist = { url = "https://files.registry.example/cd/sped-1.0.tar.gz", hash = "sha256:<b>" }

[[package]]
name = "speed"
version = "2.0"
source = { registry = "https://registry.example/other" }
sdist = { url = "https://files.registry.example/cd/speed-2.0.tar.gz", hash = "sha256:<c>" }

[[package]]
name = "tester"
version = "5.0"
source = { url = "https://files.registry.example/tester-main.zip", subdirectory = "py" }
sdist = { hash = "sha256:<d>" }
dependencies = [
    { name = "local" },
    { name = "speed", version = "2.0", source = { registry = "https://registry.example/other" } },
]

[[package]]
name = "web"
version = "2.1"
source = { registry = "https://registry.example/simple" }
sdist = { url = "https://elsewhere.example/x/web-2.1.tar.gz", hash = "sha256:<e>" }

[package.optional-dependencies]
fast = [{ name = "speed", version = "1.0", source = { registry = "https://registry.example/simple" } }]
"##;

#[test]
fn uv_reads_members_extras_and_several_versions() {
    let inventory = read_one(&Uv, &lock_tree(UV));
    assert_eq!(disagreements(&inventory), []);
    assert_eq!(
        scopes(&inventory),
        as_expected(&[
            ("builder@*", "build", true),
            ("extra-thing@1.0", "runtime", true),
            ("forked@1", "runtime", true),
            ("local@3", "development", false),
            ("speed@1.0", "runtime+development", false),
            ("speed@2.0", "development", false),
            ("tester@5.0", "development", true),
            ("web@2.1", "runtime+development", true),
        ])
    );
    let of = |name: &str| {
        let package = find(&inventory, name);
        (package.source.kind, package.source.to_string(), package.identity)
    };
    // The index, and after it whom the files are downloaded from.
    let registry = "https://registry.example/simple#https://elsewhere.example".to_owned();
    assert_eq!(of("web"), (SourceKind::Registry, registry, Identity::Public));
    let commit = "0123456789012345678901234567890123456789";
    let address = format!("https://forge.example/forked#subdirectory=in#{commit}");
    assert_eq!(of("forked"), (SourceKind::Git, address, Identity::Foreign));
    assert_eq!(of("local"), (SourceKind::Path, "wheels".to_owned(), Identity::Foreign));
    let address = "https://files.registry.example/tester-main.zip#subdirectory=py".to_owned();
    assert_eq!(of("tester"), (SourceKind::Registry, address, Identity::Foreign));
    let lies: Vec<_> = inventory.packages.iter().filter_map(|p| p.contradiction.as_deref()).collect();
    assert_eq!(lies, ["sped 1.0"]);
    let roots: Vec<_> = inventory.roots.iter().map(|r| (&*r.label, r.folder.as_str(), r.needs.len())).collect();
    assert_eq!(roots, [("app@1.0", "", 4), ("lib", "libs/lib", 2)]);
    assert_eq!(find(&inventory, "extra-thing").span.line, 30);
}

#[test]
fn uv_lockfiles_are_held_against_every_members_manifest() {
    for (from, to, expected) in [
        ("\"web>=2.0\"", "\"web>=2.00\"", vec![]),
        (
            "\"web>=2.0\"",
            "\"web>=2.1\"",
            vec![("web", "asks for >=2.1, and the lockfile was made for another requirement", 4)],
        ),
        (
            "\"web>=2.0\"",
            "\"web<2\"",
            vec![
                ("web", "asks for <2, and the lockfile holds 2.1", 4),
                ("web", "asks for <2, and the lockfile was made for another requirement", 4),
            ],
        ),
        (
            "\"web>=2.0\", ",
            "",
            vec![("web", "is locked as a dependency of app, whose manifest does not ask for it", 12)],
        ),
        (
            "\"web>=2.0\"",
            "\"web>=2.0\", \"new\"",
            vec![("new", "asks for any version, which the lockfile does not hold", 4)],
        ),
        (
            "\"web>=2.0\"",
            "\"web>=2.0\", \"new; sys_platform=='x'\"",
            vec![("new", "asks for any version, which the lockfile does not hold", 4)],
        ),
        (
            "docs = [\"web\"]",
            "docs = [\"web\", \"speed\"]",
            vec![("speed", "asks for any version, and was not asked for when the lockfile was made", 6)],
        ),
        (
            "{ name = \"local\" }",
            "{ name = \"gone\" }",
            vec![("gone", "tester needs it, and the lockfile does not hold it", 79)],
        ),
        (
            "{ name = \"speed\", version = \"2.0\"",
            "{ name = \"speed\", version = \"9\"",
            vec![("speed", "tester needs 9, and the lockfile does not hold that", 80)],
        ),
        (
            "name = \"app\"\nversion = \"1.0\"\nsource",
            "name = \"web-too\"\nversion = \"1.0\"\nsource",
            vec![("web-too", "is locked as the folder of app", 8)],
        ),
        (
            "source = { editable = \".\" }",
            "source = { directory = \".\" }",
            vec![("app", "is not in the lockfile as a member of the project", 2)],
        ),
        // Computed dependencies cannot be compared.
        (
            "dynamic = [\"version\"]\ndependencies = [\"forked==1\"]",
            "dynamic = [\"version\", \"dependencies\"]",
            vec![("lib", "computes its dependencies, and the lockfile cannot be held against them", 3)],
        ),
    ] {
        assert!(UV.contains(from), "{from}");
        let inventory = read_one(&Uv, &lock_tree(&UV.replacen(from, to, 1)));
        assert_eq!(disagreements(&inventory), expected, "{from} {to}");
    }
    // An override replaces what anybody asks for.
    let text = UV
        .replace("\"web>=2.0\"", "\"web<2\"")
        .replace("[tool.uv.workspace]", "[tool.uv]\noverride-dependencies = [\"web==2.1\"]\n[tool.uv.workspace]");
    assert_eq!(disagreements(&read_one(&Uv, &lock_tree(&text))), []);
}

#[test]
fn a_uv_member_without_a_manifest_needs_what_the_lockfile_says() {
    let text = format!("== uv.lock{}", UV.rsplit("== uv.lock").next().unwrap());
    let inventory = read_one(&Uv, &lock_tree(&text));
    assert!(inventory.packages.iter().all(|p| p.scopes == Scopes::of(Scope::Runtime)));
    let direct: Vec<_> = inventory.packages.iter().filter(|p| p.direct).map(|p| &*p.name).collect();
    assert_eq!(direct, ["extra-thing", "forked", "tester", "web"]);
    assert_eq!(disagreements(&inventory), []);
    // A folder outside the repository is none of its members.
    let text = text.replace("{ editable = \"libs/lib\" }\ndep", "{ editable = \"../lib\" }\ndep");
    let inventory = read_one(&Uv, &lock_tree(&text));
    assert_eq!((&*find(&inventory, "lib").source.address, inventory.roots.len()), ("../lib", 1));
}

#[test]
fn a_folder_that_uv_depends_on_by_path_is_no_member() {
    let text = UV.replace("members = [\"app\", \"lib\"]", "members = [\"app\"]");
    for text in [text.clone(), text.replace("[manifest]\nmembers = [\"app\"]\n", "")] {
        let inventory = read_one(&Uv, &lock_tree(&text));
        assert_eq!(inventory.roots.len(), 1);
        let lib = find(&inventory, "lib");
        assert_eq!(
            (lib.source.kind, &*lib.source.address, lib.identity),
            (SourceKind::Path, "libs/lib", Identity::Foreign)
        );
        // What it needs is reached through it, and its groups are nobody's.
        assert!(!find(&inventory, "forked").direct && find(&inventory, "forked").scopes == Scopes::of(Scope::Runtime));
        assert_eq!(spoken_for(&lock_tree(&text)).len(), 1);
    }
}

#[test]
fn a_workspace_of_uv_without_a_package_of_its_own_has_groups() {
    let text = r#"== pyproject.toml
[dependency-groups]
dev = ["a"]
[tool.uv.workspace]
members = []
== uv.lock
version = 1
[[package]]
name = "a"
version = "1"
source = { registry = "https://registry.example" }
"#;
    let inventory = read_one(&Uv, &tree(text));
    assert_eq!(scopes(&inventory), as_expected(&[("a@1", "development", true)]));
}

const PDM: &str = r##"== pyproject.toml
[project]
name = "app"
version = "1"
dependencies = ["web[fast]>=2", "other; python_version < '3.8'"]
[project.optional-dependencies]
unlocked = ["never"]
[dependency-groups]
test = ["tester @ git+https://forge.example/tester.git@main", "app[unlocked]"]
== pdm.lock
[metadata]
groups = ["default", "test"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:0"

[[package]]
name = "fast-part"
version = "1.0"
groups = ["test"]
files = [{url = "https://files.registry.example/fast_part-1.0.tar.gz", hash = "sha256:<a>"}]

[[package]]
name = "tester"
version = "1.0"
git = "https://forge.example/tester.git"
ref = "main"
revision = "0123456789012345678901234567890123456789"
groups = ["default"]
dependencies = ["-e file:///x#egg=below", "two<2"]

[[package]]
name = "below"
version = "0"
path = "./libs/below"
editable = true

[[package]]
name = "two"
version = "1.0"
files = [{file = "two-1.0.tar.gz", hash = "sha256:<b>"}]

[[package]]
name = "two"
version = "2.0"
files = [{file = "tow-2.0.tar.gz", hash = "sha256:<c>"}]

[[package]]
name = "web"
version = "2.5"
files = [{file = "web-2.5.tar.gz", hash = "sha256:<d>"}]

[[package]]
name = "web"
version = "2.5"
extras = ["fast"]
dependencies = ["fast-part>=1; python_version > '3'", "web==2.5"]
files = [{file = "web-2.5.tar.gz", hash = "sha256:<d>"}]

[[package]]
name = "zip"
version = "1"
url = "https://files.registry.example/z.zip"
"##;

#[test]
fn pdm_merges_extras_and_knows_which_groups_are_locked() {
    let inventory = read_one(&Pdm, &lock_tree(PDM));
    let other = ("other", "asks for any version, which the lockfile does not hold", 4);
    assert_eq!(disagreements(&inventory), [other]);
    assert_eq!(
        scopes(&inventory),
        as_expected(&[
            ("below@0", "development", false),
            ("fast-part@1.0", "runtime", false),
            ("tester@1.0", "development", true),
            ("two@1.0", "development", false),
            ("two@2.0", "runtime", false),
            ("web@2.5", "runtime", true),
            ("zip@1", "runtime", false),
        ])
    );
    let tester = find(&inventory, "tester");
    assert_eq!(tester.source.to_string(), "https://forge.example/tester.git#0123456789012345678901234567890123456789");
    assert!(tester.source.is_pinned() && tester.checksum.is_some() && tester.identity == Identity::Foreign);
    assert_eq!(&*find(&inventory, "below").source.address, "./libs/below");
    let lies: Vec<_> = inventory.packages.iter().filter_map(|p| p.contradiction.as_deref()).collect();
    assert_eq!(lies, ["tow 2.0"]);
    // An entry with extras that brings other bytes is no repetition.
    let other = PDM.replace(
        "'3'\", \"web==2.5\"]\nfiles = [{file = \"web-2.5.tar.gz\", hash = \"sha256:<d>\"}]",
        "'3'\"]\nfiles = [{file = \"web-2.5.tar.gz\", hash = \"sha256:<e>\"}]",
    );
    let inventory = read_one(&Pdm, &lock_tree(&other));
    assert_eq!(inventory.packages.iter().filter(|p| &*p.name == "web").count(), 2);
    let asks = PDM
        .replace("groups = [\"default\", \"test\"]", "groups = [\"default\", \"unlocked\"]")
        .replace(">=2\"", ">=3\"");
    let inventory = read_one(&Pdm, &lock_tree(&asks));
    let expected = [
        ("never", "asks for any version, which the lockfile does not hold", 6),
        ("other", "asks for any version, which the lockfile does not hold", 4),
        ("web", "asks for >=3, and the lockfile holds 2.5", 4),
    ];
    assert_eq!(disagreements(&inventory), expected);
}

#[test]
fn older_pdm_keeps_files_in_one_place() {
    let text = r#"== pdm.lock
[[package]]
name = "A.b"
version = "1.0"
[metadata]
lock_version = "3.1"
[metadata.files]
"a.B 1.0" = [{file = "a.b-1.0.tar.gz", hash = "sha256:<a>"}]
"#;
    let inventory = read_one(&Pdm, &lock_tree(text));
    assert_eq!(find(&inventory, "a-b").checksum.as_deref(), Some(&*format!("sha256:{}", hex('a'))));
    let broken = text.replace("a.B 1.0", "a.B");
    assert_eq!(unread(&Pdm, &lock_tree(&broken)).to_string(), "line 7: files of something that is no `name version`");
}

const PYLOCK: &str = r##"== svc/pyproject.toml
[project]
name = "app"
version = "1"
dependencies = ["web>=2", "absent", "elsewhere; os_name=='nt'"]
[dependency-groups]
dev = ["tester @ git+https://forge.example/tester@main", "unlocked"]
== svc/pylock.toml
lock-version = "1.0"
created-by = "hand"

[[packages]]
name = "app"
directory = { path = ".", editable = true }

[[packages]]
name = "Web_App"
version = "1.0"
index = "https://registry.example/simple"
wheels = [{ url = "https://files.registry.example/x/web_app-1.1-py3-none-any.whl", hashes = { sha256 = "<b>" } }]
[packages.sdist]
name = "web_app-1.0.tar.gz"
url = "https://files.registry.example/x/web_app-1.0.tar.gz"
hashes = { md5 = "00000000000000000000000000000000", sha256 = "<a>" }

[[packages]]
name = "web"
version = "2.0"
dependencies = [{ name = "web-app", version = "1.0" }]
wheels = [{ path = "wheels/web-2.0-py3-none-any.whl", hashes = { sha256 = "<c>" } }]

[[packages]]
name = "tester"
[packages.vcs]
type = "git"
url = "https://forge.example/tester"
requested-revision = "main"
commit-id = "0123456789012345678901234567890123456789"
subdirectory = "a"
[packages.tool.pdm]
dependencies = ["zip>=1"]

[[packages]]
name = "zip"
version = "1"
archive = { url = "https://files.registry.example/z.zip", hashes = { sha512 = "00" } }

[[packages]]
name = "folder"
directory = { path = "../libs/folder" }

[[packages]]
name = "hg"
vcs = { type = "hg", url = "https://forge.example/hg", commit-id = "abc" }
== svc/pylock.other.toml
lock-version = "1.0"
packages = []
"##;

#[test]
fn pylocks_have_many_kinds_of_places() {
    let all = read_all(&Pylock, &lock_tree(PYLOCK));
    assert_eq!(all.len(), 2);
    assert!(all[0].packages.is_empty() && all[0].disagreements.is_empty());
    let inventory = &all[1];
    let missing = |name| (name, "asks for any version, which the lockfile does not hold", 4);
    assert_eq!(disagreements(inventory), [missing("absent"), missing("elsewhere")]);
    assert_eq!(
        scopes(inventory),
        as_expected(&[
            ("folder@", "runtime", false),
            ("hg@", "runtime", false),
            ("tester@", "development", true),
            ("web@2.0", "runtime", true),
            ("web-app@1.0", "runtime", false),
            ("zip@1", "development", false),
        ])
    );
    let source = |name: &str| find(inventory, name).source.to_string();
    assert_eq!(source("web-app"), "https://registry.example/simple#https://files.registry.example");
    assert_eq!(source("web"), "wheels/web-2.0-py3-none-any.whl");
    assert_eq!(
        source("tester"),
        "https://forge.example/tester#subdirectory=a#0123456789012345678901234567890123456789"
    );
    assert_eq!(source("zip"), "https://files.registry.example/z.zip");
    assert_eq!(source("folder"), "../libs/folder");
    assert_eq!(source("hg"), "hg+https://forge.example/hg@abc");
    assert_eq!(find(inventory, "web-app").contradiction.as_deref(), Some("web-app 1.1"));
    assert_eq!(find(inventory, "web-app").files.len(), 2);
    assert_eq!(
        (find(inventory, "zip").checksum.as_deref(), find(inventory, "zip").identity),
        (None, Identity::Foreign)
    );
    // The export of a project lists the project itself.
    assert_eq!(inventory.packages.iter().filter(|p| &*p.name == "app").count(), 0);
}

#[test]
fn projects_are_one_a_lockfile_and_never_those_of_installed_packages() {
    let files = tree(
        "== poetry.lock\n== uv.lock\n== pyproject.toml\n== a/pdm.lock\n== a/pylock.toml\n== a/pylock.dev.toml\n\
         == node_modules/x/poetry.lock\n== .venv/lib/python3.12/site-packages/x/uv.lock\n== b/mypylock.toml\n\
         == b/poetry.lock.txt\n",
    );
    let found: Vec<Project> = FORMATS.iter().flat_map(|format| format.projects(&files).unwrap()).collect();
    let show = |project: &Project| {
        (project.lockfile.as_ref().unwrap().to_string(), project.manifest.as_ref().map(ToString::to_string))
    };
    let manifest = Some("pyproject.toml".to_owned());
    let expected = [
        ("poetry.lock", manifest.clone()),
        ("uv.lock", manifest),
        ("a/pdm.lock", None),
        ("a/pylock.dev.toml", None),
        ("a/pylock.toml", None),
    ];
    assert_eq!(found.iter().map(show).collect::<Vec<_>>(), expected.map(|(path, m)| (path.to_owned(), m)));
    for path in ["x/poetry.lock", "x/uv.lock", "x/pdm.lock", "x/pylock.toml", "x/pylock.dev.toml"] {
        assert!(claims(&RepoPath::new(path)), "{path}");
    }
    // A member outside the lockfile's folder is spoken for by nobody: the lockfile may be a fixture.
    let outer = UV.replace("== uv.lock", "== fixtures/uv.lock").replace("\"libs/lib\"", "\"../libs/lib\"");
    assert_eq!(spoken_for(&lock_tree(&outer)), [RepoPath::new("fixtures")].into());
    let spoken = spoken_for(&lock_tree(UV));
    assert!(spoken.contains(&RepoPath::root()) && spoken.contains(&RepoPath::new("libs/lib")) && spoken.len() == 2);
}

#[test]
fn whom_files_are_downloaded_from_is_part_of_the_source() {
    let uv = "== uv.lock\nversion = 1\n[[package]]\nname = 'a'\nversion = '1'\n\
              source = { registry = 'https://registry.example/simple' }\nwheels = [{ url = '<url>' }]\n";
    let pylock = "== pylock.toml\nlock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1'\n\
                  wheels = [{ url = '<url>', hashes = {} }]\n";
    let pdm = "== pdm.lock\n[metadata]\nlock_version = '4.5.0'\n[[package]]\nname = 'a'\nversion = '1'\n\
               files = [{ url = '<url>', hash = 'sha256:0' }]\n";
    for (format, text, address) in [
        (&Uv as &dyn Format, uv, "https://registry.example/simple"),
        (&Pylock, pylock, "https://files.registry.example"),
        (&Pdm, pdm, ""),
    ] {
        let source = |url: &str| {
            let inventory = read_one(format, &tree(&text.replace("<url>", url)));
            assert_eq!(find(&inventory, "a").identity, Identity::Public);
            find(&inventory, "a").source.clone()
        };
        let honest = source("https://files.registry.example/ab/a-1-py3-none-any.whl");
        assert_eq!((&*honest.address, honest.commit.as_deref()), (address, Some("https://files.registry.example")));
        // Other folders of the host are the same place, and credentials are none.
        assert_eq!(honest, source("https://u:p@FILES.registry.example/cd/a-1-py3-none-any.whl?x#y"));
        for evil in [
            "https://evil.example/a-1-py3-none-any.whl",
            "http://files.registry.example/a-1-py3-none-any.whl",
            "https://files.registry.example@evil.example/a-1-py3-none-any.whl",
            "https://evil.example\\\\@files.registry.example/a-1-py3-none-any.whl",
            "https:/evil.example/a-1-py3-none-any.whl",
        ] {
            assert_ne!(honest, source(&evil.replace("\\\\", "\\")), "{evil}");
        }
    }
    // Which host comes first says nothing; that there are two does.
    let two = pylock.replace("{} }]", "{} }, { url = 'https://b.example/a-1.zip' }]");
    let inventory = read_one(&Pylock, &tree(&two.replace("<url>", "https://c.example/a-1.zip")));
    assert_eq!(find(&inventory, "a").source.commit.as_deref(), Some("https://b.example https://c.example"));
    // A file of the disk is told apart from one of the index.
    let inventory = read_one(&Uv, &tree(&uv.replace("url = '<url>'", "path = 'a-1.zip'")));
    assert_eq!(find(&inventory, "a").source.commit.as_deref(), Some("a file"));
}

const BESIDE: &str = "== pyproject.toml
[build-system]
requires = ['backend>=1']
[project]
name = 'app'
dependencies = ['a']
[tool.poetry.requires-plugins]
plugin = '^2'
[tool.hatch.envs.docs]
dependencies = ['docs-tool', '{root:uri}/x']
extra-dependencies = ['more-docs']
[tool.pdm]
plugins = ['pdm-plugin==1', '-e file:///${PROJECT_ROOT}/own']
[tool.uv]
find-links = ['https://links.example']
[tool.uv.extra-build-dependencies]
a = ['extra-builder', { requirement = 'torch', match-runtime = true }]
[tool.uv.pip]
extra-index-url = ['https://u:p@pip.example/simple']
[[tool.uv.index]]
name = 'mine'
url = 'https://registry.example/simple/'
[[tool.uv.index]]
name = 'new'
url = 'https://new.example/simple'
[[tool.uv.index]]
name = 'unused'
url = 'https://unused.example/simple'
explicit = true
";

#[test]
fn what_no_lockfile_holds_is_told_beside_it() {
    let uv = "== uv.lock\nversion = 1\n[[package]]\nname = 'a'\nversion = '1'\n\
              source = { registry = 'https://registry.example/simple' }\n[[package]]\nname = 'app'\n\
              source = { editable = '.' }\ndependencies = [{ name = 'a' }]\n";
    let poetry = "== poetry.lock\n[[package]]\nname = 'a'\nversion = '1'\n[package.source]\ntype = 'legacy'\n\
                  url = 'https://registry.example/simple'\n[metadata]\nlock-version = '2.1'\n";
    for (format, lock) in [(&Uv as &dyn Format, uv), (&Poetry, poetry)] {
        let inventory = read_one(format, &tree(&format!("{BESIDE}{lock}")));
        let open = inventory.packages.iter().filter(|package| !package.is_locked);
        let mut open: Vec<String> = open.map(|p| format!("{} {:?}", p.label(), p.scopes.strongest())).collect();
        open.sort();
        open.dedup();
        let expected = [
            "backend@>=1 Build",
            "docs-tool@* Development",
            "extra-builder@* Build",
            "more-docs@* Development",
            "pdm-plugin@=1 Build",
            "plugin@^2 Build",
            "torch@* Build",
        ];
        assert_eq!(open, expected);
        let expected = [
            ("hatch", "asks for `{root:uri}/x`, which is computed", 9),
            ("new", "takes packages from https://new.example/simple as well", 22),
            ("uv", "takes packages from https://links.example as well", 14),
            ("uv", "takes packages from https://pip.example/simple as well", 18),
        ];
        assert_eq!(disagreements(&inventory), expected);
    }
    // What builds the project frees nothing of what it runs with, and explains nothing that is locked.
    let manifest = "== pyproject.toml\n[build-system]\nrequires = ['a @ git+https://forge.example/a', 'b']\n\
                    [project]\nname = 'app'\ndependencies = ['a>=2']\n";
    let more = uv.replace("{ name = 'a' }", "{ name = 'a' }, { name = 'b' }")
        + "[[package]]\nname = 'b'\nversion = '1'\nsource = { registry = 'https://registry.example/simple' }\n";
    let expected = [
        ("a", "asks for >=2, and the lockfile holds 1", 5),
        ("b", "is locked as a dependency of app, whose manifest does not ask for it", 9),
    ];
    assert_eq!(disagreements(&read_one(&Uv, &tree(&format!("{manifest}{more}")))), expected);
    // An index that a package names is the one it is locked from.
    let named = "== pyproject.toml\n[tool.poetry]\nname = 'app'\n[tool.poetry.dependencies]\n\
                 a = { version = '1', source = 'new' }\n[[tool.poetry.source]]\nname = 'new'\n\
                 url = 'https://new.example/simple'\npriority = 'explicit'\n";
    let inventory = read_one(&Poetry, &tree(&format!("{named}{poetry}")));
    assert_eq!(disagreements(&inventory), [("a", "asks for 1 from the index new, and the lockfile holds 1", 4)]);
    let honest = named.replace("new.example", "registry.example");
    assert_eq!(disagreements(&read_one(&Poetry, &tree(&format!("{honest}{poetry}")))), []);
}

#[test]
fn files_that_setuptools_takes_in_are_held_against_the_lockfile() {
    let text = "== pyproject.toml
[project]
name = 'app'
dynamic = ['dependencies', 'optional-dependencies']
[tool.setuptools.dynamic]
dependencies = { file = ['in.txt', 'gone.txt'] }
optional-dependencies.fast = { file = 'fast.txt' }
== in.txt
# what it needs
a>=1 # here
new
== fast.txt
quick
== poetry.lock
[[package]]
name = 'a'
version = '1'
[metadata]
lock-version = '2.1'
";
    let missing = |name, line| (name, "asks for any version, which the lockfile does not hold", line);
    let inventory = read_one(&Poetry, &tree(text));
    assert_eq!(disagreements(&inventory), [missing("new", 5), missing("quick", 6)]);
    assert!(find(&inventory, "a").direct);
    let outside = text.replace("'in.txt'", "'../../in.txt'");
    let said = unread(&Poetry, &tree(&outside)).to_string();
    assert!(said.contains("lies outside the repository"), "{said}");
    unread(&Poetry, &tree(&text.replace("new\n", "-r other.txt\n")));
}

#[test]
fn a_lockfile_of_a_script_has_no_manifest() {
    let text = "== pyproject.toml\n[project]\nname = 'app'\ndependencies = ['other']\n== tool.py.lock\nversion = 1\n\
                [manifest]\nrequirements = [{ name = 'a' }]\n[[package]]\nname = 'a'\nversion = '1'\n\
                source = { registry = 'https://registry.example/simple' }\n";
    let inventory = read_one(&Uv, &tree(text));
    assert_eq!(scopes(&inventory), as_expected(&[("a@1", "runtime", true)]));
    assert_eq!((disagreements(&inventory), &inventory.project.manifest), (vec![], &None));
    assert!(spoken_for(&tree(text)).is_empty());
}

#[test]
fn a_folder_that_is_called_as_installed_packages_are_is_read() {
    let files =
        tree("== site-packages/uv.lock\n== vendor/site-packages/x/poetry.lock\n== lib/python3/site-packages/uv.lock\n");
    let found: Vec<Project> = FORMATS.iter().flat_map(|format| format.projects(&files).unwrap()).collect();
    let found: Vec<_> = found.iter().map(|project| project.path.as_str()).collect();
    assert_eq!(found, ["vendor/site-packages/x", "site-packages"]);
}

/// Lines that another reader printed, against ours: `sort -u | sha256sum`.
fn checksums(inventory: &Inventory) -> Vec<String> {
    let line = |p: &Package| format!("{} {}", p.label(), p.checksum.as_deref().unwrap_or("-"));
    let mut lines: Vec<String> = inventory.packages.iter().map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn runtime(inventory: &Inventory) -> Vec<String> {
    let is_runtime = |p: &&Package| p.scopes.contains(Scopes::of(Scope::Runtime));
    let mut lines: Vec<String> = inventory.packages.iter().filter(is_runtime).map(Package::label).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Path, format, packages, and three digests: of `name@version`, of the same with checksums, and of what is runtime
/// (empty where no other reader tells).
type Real = (&'static str, &'static dyn Format, usize, [&'static str; 3]);

/// What independent readers printed, as sorted unique lines:
/// - poetry.lock: `Locker.locked_repository().packages` of poetry 2.5.1 (for the oldest, which poetry refuses,
///   `tomllib` of Python 3.11);
/// - uv.lock: `uv export --frozen --all-packages --all-extras --all-groups` of uv 0.13.9, in a copy, offline; for the
///   package from git, which it prints without a version, that of `tomllib`;
/// - pdm.lock: `Project.get_locked_repository().packages` of PDM 2.29.3;
/// - pylock.toml: `packaging.pylock` 26.3; it refuses both of pipenv's (a time as a string, a name that is not
///   normalised), for which `tomllib` is taken.
///
/// Checksums are computed from `tomllib`'s values as `model::checksum` defines them; where one list holds the files of
/// several versions, they are told apart by `packaging.utils.parse_wheel_filename` and `parse_sdist_filename`.
///
/// What is runtime: the `groups` or `category` of poetry and PDM, which our reader does not look at, and what uv's
/// export prints with `--no-default-groups` in place of `--all-groups`. For pydantic-core no tool tells: its
/// lockfile is older than its manifest, and what it holds without being asked for is runtime here.
const REAL: &[Real] = &[
    (
        "poetry-2019/poetry.lock",
        &Poetry,
        100,
        [
            "146950a4b616296f40203ca83ede5a9dec305926e79da91a95ceed10572dbf91",
            "3005e7f0511107e368d2ab96990a3f43e252ebdf3aaa62a37ba69b1c1e19c949",
            "05090dcc8492033d5b0c5577001b9ffaa9d521d8729a9dd50605e831e441f7ff",
        ],
    ),
    (
        "poetry-2022-1.1/poetry.lock",
        &Poetry,
        83,
        [
            "fe62d7fd144879cbde6d2a33f094551a226f52378b189453f711ad8c5d06c7a1",
            "8dece3a23f81c7905f84d8e6105a2d484bf6d9179dcf36dc10995904304760b0",
            "c0bfaea07e555ceb7e298fee189d8d8319d2699cd013f291c240d2e562bc623c",
        ],
    ),
    (
        "poetry-2023-2.0/poetry.lock",
        &Poetry,
        75,
        [
            "7738a18c5e858ad61a9e2857456729ffbf00497964399d62cb4696487717a77f",
            "734513df5e00139365adf9dacb0703037b0995cfea0ca5adb8f2ae04b27f08d8",
            "",
        ],
    ),
    (
        "poetry-2026-2.1/poetry.lock",
        &Poetry,
        78,
        [
            "6e69a9fc2adee95d007881e90dd50e299eacef184d62506285ece9b66900364f",
            "6dbc759315aba9bdb480fe31f9e254d23617ed64d73c2c2241f3104e17a56921",
            "ce73de085dddfbdf3b09e7796d9cea84bbd1f49f2e5bda98c454a294fc95b6e0",
        ],
    ),
    (
        "uv-pydantic/uv.lock",
        &Uv,
        174,
        [
            "8417680ce50d95594da869d624bb09dee810433626ec2b2190407ac1d5ec3e8c",
            "9c7c57d991f6fe304b969c5234a061e8a0856e81ac17d5d6b3b802c0185e9b9c",
            "deaf6873719bdfe0a61f881ae51235ee4758fba0535926dfe30ad5b411fbd874",
        ],
    ),
    (
        "uv-pydantic/pydantic-core/uv.lock",
        &Uv,
        55,
        [
            "95c1b2048a149f31e77bdf190a96167c3f16931fa33ec1d85212c29982449ecf",
            "6f880483fd4de45b80ea918eef7ae7092f6cb953717594f60351da86207eba35",
            "",
        ],
    ),
    (
        "uv-uv/uv.lock",
        &Uv,
        88,
        [
            "1cf06bbf6607ebb26535571749cbcd91daa1990775478d2b648bf0ee81053978",
            "9e2dbe5f6808e622c3bcc5deb83a3a539577ef8601ddb48f5776e2c722b1a72b",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ],
    ),
    (
        "uv-uv/scripts/benchmark/uv.lock",
        &Uv,
        76,
        [
            "ae908e96ff3e5fdae59847915c7c800c4f8345f25d826feee4b25da11852be87",
            "11eb5f4c632674b8883666ac75e3413e39620351854f8ce3a3ebc26cd9ab8347",
            "ae908e96ff3e5fdae59847915c7c800c4f8345f25d826feee4b25da11852be87",
        ],
    ),
    (
        "pdm-2022-3.1/pdm.lock",
        &Pdm,
        75,
        [
            "6d1b30e552e8b4f83a5899a44b7e81f09abd7a4c83b73e157d45b6197fddf046",
            "12c89f0b63ddedd003393052f61853b9afeb63f8a8da7b1b0dae16d23349a7ed",
            "",
        ],
    ),
    (
        "pdm-2026-4.5/pdm.lock",
        &Pdm,
        96,
        [
            "61fe91c82cbee70f751fe99a70e97f5ee8acad2a27a01e48919c47912a6c9e33",
            "ad4e3622dd360557af69f5e1f13620b9b14c591c0130d753135babe429341847",
            "0f25d93086fb8d67afd65a3cb95f1ea4828eb9d6e53f8f0cbc9d0a773f787816",
        ],
    ),
    (
        "pipenv/examples/pylock.toml",
        &Pylock,
        5,
        [
            "fe0c34aa74a2fd5b39d688ab4d24e310ca7d122027edf37d5405929684ac7fe3",
            "7fe9552303beeac88683906ad0fe27270d91101aed4e8089a6a79d89a53bf20a",
            "",
        ],
    ),
    (
        "pipenv/pylock.toml",
        &Pylock,
        103,
        [
            "5a89f8a0e537305c434e85439bb5a7e5069d257be7cfb6bd75ee69343b5d4b17",
            "feaaf4dd9ad1f5a5d8953ec1530e2add1b3dd91426a6985fbc4164df0f8ef9eb",
            "",
        ],
    ),
    (
        "pylock-h11/pylock.toml",
        &Pylock,
        21,
        [
            "8a448492fb0331cc4d7b39ff3bfade20a442ded16a834b323d54c24ae1c6f7e2",
            "8c1f6ec777dad7da28a4c8e7ecb6078a280dd23d784706573944629fabffddc3",
            "",
        ],
    ),
    (
        "pylock-spec/pylock.spec-example.toml",
        &Pylock,
        3,
        [
            "54694150929e318fb41685c951bc06d36ba9ce0297ca8f3c806b040f7173d49f",
            "9927740d880077de10e95e6f7bc8bf5fbaecd10d5b9efc21a464cb6b1b23be75",
            "",
        ],
    ),
    (
        "uv-pydantic/.github/actions/people/pylock.toml",
        &Pylock,
        19,
        [
            "7d7364df50939c20b23b1e3be47abd5472c31e10e08eeb8d3b613db6d4f072b1",
            "e61f91d284aa73140c319ac5d6cf4b5aa33bd6d4d74f3f173b9b9f5148c92eda",
            "",
        ],
    ),
    (
        "uv-pydantic/.github/pyodide/pylock.314.toml",
        &Pylock,
        35,
        [
            "75e90d0a7fd35165517bbc32463ccc5c1c18def874acfc2e0c1f3936c4441112",
            "41f701b77a7e84036c73a5b978e702d4c1d6a4fda7c1a21ff69dd310f54ab2ed",
            "",
        ],
    ),
];

#[test]
fn real_lockfiles_are_read_as_other_readers_do() {
    let Some(root) = corpus("lockfiles/python") else { return };
    let files = folder(&root);
    let mut seen = 0;
    for format in FORMATS {
        for mut inventory in read_all(format, &files) {
            // What builds a project is locked by nobody, and other readers pass over it.
            inventory.packages.retain(|package| package.is_locked);
            let path = inventory.project.lockfile.as_ref().unwrap().as_str();
            let (_, _, count, expected) = REAL.iter().find(|(known, ..)| *known == path).unwrap();
            let labels = labels(&inventory);
            assert_eq!((labels.len(), inventory.packages.len()), (*count, *count), "{path}");
            assert_eq!([digest(&labels), digest(&checksums(&inventory))], [expected[0], expected[1]], "{path}");
            if !expected[2].is_empty() {
                assert_eq!(digest(&runtime(&inventory)), expected[2], "{path}: runtime");
            }
            assert!(inventory.packages.iter().all(|package| package.contradiction.is_none()), "{path}");
            let expected: &[(&str, &str, u32)] = match path {
                // The workspace above has a lockfile of its own, and this one was left behind: `pytest-speed` became
                // `pytest-benchmark` in the manifest alone.
                "uv-pydantic/pydantic-core/uv.lock" => &[
                    ("pytest-benchmark", "asks for any version, which the lockfile does not hold", 68),
                    (
                        "pytest-speed",
                        "is locked as a dependency of pydantic-core, whose manifest does not ask for it",
                        646,
                    ),
                ],
                _ => &[],
            };
            assert_eq!(disagreements(&inventory), expected, "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, REAL.len());
}

#[test]
fn hostile_files_are_survived() {
    let deep = [
        "a = ".to_owned() + &"[".repeat(30_000),
        "a = ".to_owned() + &"{a=".repeat(30_000),
        "a.".repeat(30_000) + "a = 1",
        "[".repeat(30_000),
    ];
    let real =
        [POETRY_LOCK, UV, PDM, PYLOCK].map(|text| text.rsplit("== ").next().unwrap().split_once('\n').unwrap().1);
    let digits = "9".repeat(10_000);
    let mut texts: Vec<Vec<u8>> = deep.iter().map(|text| text.clone().into_bytes()).collect();
    texts.extend([b"\0".to_vec(), vec![0xff; 9], Vec::new()]);
    for text in real {
        texts.extend((0..text.len()).step_by(7).map(|end| text.as_bytes()[..end].to_vec()));
        texts.push(text.replace("2.0", &digits).into_bytes());
        texts.push(text.replace("name = \"", "name = \"../../").into_bytes());
        texts.push(text.replace("libs/", "../../../").into_bytes());
        texts.push(text.replace(".example", "\0").into_bytes());
    }
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    for (format, path) in FORMATS.into_iter().zip(["poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"]) {
        survives(format, &[path], &texts);
    }
}

#[test]
fn huge_lockfiles_are_read_in_linear_time_or_refused() {
    use std::fmt::Write as _;
    let started = std::time::Instant::now();
    let mut texts = [
        "[metadata]\nlock-version = \"2.1\"\n".to_owned(),
        "version = 1\n".to_owned(),
        "[metadata]\nlock_version = \"4.5.0\"\n".to_owned(),
        "lock-version = \"1.0\"\n".to_owned(),
    ];
    for n in 0..50_000 {
        let next = n + 1;
        let each = [
            format!("[[package]]\nname=\"p{n}\"\nversion=\"1\"\n[package.dependencies]\np{next}=\"*\"\n"),
            format!("[[package]]\nname=\"p{n}\"\nversion=\"1\"\nsource={{registry=\"https://registry.example\"}}\n"),
            format!("[[package]]\nname=\"p{n}\"\nversion=\"1\"\ndependencies=[\"p{next}\"]\n"),
            format!("[[packages]]\nname=\"p{n}\"\nversion=\"1\"\n"),
        ];
        for (text, each) in texts.iter_mut().zip(each) {
            text.write_str(&each).unwrap();
        }
    }
    for ((format, path), text) in
        FORMATS.into_iter().zip(["poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"]).zip(&texts)
    {
        let inventory = read_one(format, &tree(&format!("== {path}\n{text}")));
        assert_eq!(inventory.packages.len(), 50_000, "{path}");
    }
    // One name in many versions, and many needs of that name.
    let mut same = "[metadata]\nlock-version = \"2.1\"\n".to_owned();
    for n in 0..4_000 {
        write!(same, "[[package]]\nname=\"p\"\nversion=\"{n}\"\n[package.dependencies]\np=\"*\"\n").unwrap();
    }
    let error = unread(&Poetry, &tree(&format!("== poetry.lock\n{same}")));
    assert!(matches!(error, Unread::TooLarge { .. }), "{error}");
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}
