//! Manifests without a lockfile.

use super::unlocked::Unlocked;
use crate::ecosystem::testing::{self, find, read_one, tree};
use crate::ecosystem::{Format, View};
use crate::model::inventory::{Identity, Scope};

fn found(text: &str) -> Vec<String> {
    let files = tree(text);
    Unlocked.projects(&files).unwrap().iter().map(|p| p.manifest.as_ref().unwrap().to_string()).collect()
}

fn refused(text: &str) -> String {
    let files = tree(text);
    let project = Unlocked.projects(&files).unwrap().remove(0);
    let (path, error) = Unlocked.read(&project, View::new(&files, &[])).unwrap_err();
    format!("{path}: {error}")
}

#[test]
fn manifests_ask_with_requirements_for_versions() {
    let inventory = read_one(
        &Unlocked,
        &tree(
            "== app/pyproject.toml
[build-system]
requires = ['hatchling']
[project]
name = 'App'
version = '1'
dependencies = ['pinned==1.0', 'open>=2 ; x', 'git @ git+https://registry.example/g@main']
[project.optional-dependencies]
all = ['app[some]', 'extra']
[dependency-groups]
dev = ['pytest']
[tool.uv]
override-dependencies = ['low<2', 'flask @ git+https://registry.example/flask']
constraint-dependencies = ['no<3']
[tool.uv.sources]
extra = { index = 'mine' }
[[tool.uv.index]]
name = 'mine'
url = 'https://registry.example/mine'
explicit = true
",
        ),
    );
    let line = |p: &crate::model::inventory::Package| {
        let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
        format!("{} {} {} {}", p.label(), p.source, scopes.join("+"), p.declared.unwrap().line)
    };
    assert_eq!(
        inventory.packages.iter().map(line).collect::<Vec<_>>(),
        [
            "extra@* https://registry.example/mine runtime 8",
            "flask@* https://registry.example/flask runtime 12",
            "git@main https://registry.example/g runtime 6",
            "hatchling@*  build 2",
            "open@>=2  runtime 6",
            "pinned@=1.0  runtime 6",
            "pytest@*  development 10",
        ]
    );
    assert!(inventory.packages.iter().all(|package| !package.is_locked && package.direct));
    assert_eq!(find(&inventory, "flask").identity, Identity::StandsIn);
    assert_eq!(inventory.roots[0].label, "app@1");
}

#[test]
fn further_indexes_may_serve_every_package() {
    let text = "== pyproject.toml
[project]
name = 'a'
dependencies = ['b']
[[tool.uv.index]]
url = 'https://u:p@registry.example/x'
";
    let sources = |text: &str| {
        let inventory = read_one(&Unlocked, &tree(text));
        inventory.packages.iter().map(|p| format!("{} {}", p.source.kind, p.source)).collect::<Vec<_>>()
    };
    assert_eq!(sources(text), ["public-registry ", "registry https://registry.example/x"]);
    assert_eq!(sources(&format!("{text}default = true\n")), ["registry https://registry.example/x"]);
    assert!(
        refused(&format!(
            "{text}{}",
            (0..20).map(|n| format!("[[tool.uv.index]]\nurl='https://x.example/{n}'\n")).collect::<String>()
        ))
        .contains("more than 16")
    );
}

#[test]
fn projects_are_found() {
    assert_eq!(
        found(
            "== a/pyproject.toml
[project]
name = 'a'
== b/pyproject.toml
[tool.ruff]
x = 1
== c/pyproject.toml
[tool.poetry]
name = 'c'
== c/poetry.lock
== d/pyproject.toml
[project]
== d/pylock.dev.toml
== ws/pyproject.toml
[tool.uv.workspace]
members = ['packages/*']
exclude = ['packages/out']
== ws/uv.lock
version = 1
[manifest]
members = ['in']
[[package]]
name = 'in'
version = '1'
source = { editable = 'packages/in' }
== ws/packages/in/pyproject.toml
[project]
== ws/packages/out/pyproject.toml
[project]
== ws/else/pyproject.toml
[project]
== e/setup.cfg
[flake8]
x = 1
== f/setup.cfg
[options]
install_requires = x
== g/setup.py
== h/pyproject.toml
broken
== node_modules/x/setup.py
"
        ),
        [
            "a/pyproject.toml",
            // A lockfile of a part of the project does not speak for it.
            "d/pyproject.toml",
            "f/setup.cfg",
            "g/setup.py",
            "h/pyproject.toml",
            "ws/else/pyproject.toml",
            "ws/packages/out/pyproject.toml",
        ]
    );
}

#[test]
fn what_setuptools_lists_is_read_and_what_it_computes_is_not() {
    let inventory = read_one(
        &Unlocked,
        &tree(
            "== x/setup.py
== x/setup.cfg
[metadata]
name = My_App
# comment
[options]
packages = find:
install-requires =
    a==1.0
    # comment
    b>=2 ; python_version < '3'
setup_requires = c
tests_require: d
[options.extras_require]
Docs =
\te
",
        ),
    );
    assert_eq!(testing::labels(&inventory), ["a@=1.0", "b@>=2", "c@*", "d@*", "e@*"]);
    let scope = |name: &str| find(&inventory, name).scopes.strongest().as_str();
    assert_eq!(["a", "c", "d", "e"].map(scope), ["runtime", "build", "development", "runtime"]);
    assert_eq!((&*inventory.roots[0].label, find(&inventory, "a").span.line), ("my-app", 7));
    for (text, expected) in [
        ("== setup.py\n", "setup.py: setup.py computes its dependencies"),
        ("== setup.py\n== pyproject.toml\n[build-system]\nrequires=['x']\n", "setup.py: setup.py computes"),
        ("== setup.py\n== setup.cfg\n[metadata]\nname=x\n", "setup.py: setup.py computes"),
        ("== pyproject.toml\n[project]\ndynamic=['dependencies']\n", "pyproject.toml: line 2: `dynamic` says"),
        ("== setup.cfg\n[options]\ninstall_requires = file: x.txt\n", "setup.cfg: line 2: `install_requires` is taken"),
        ("== setup.cfg\n[options]\ninstall_requires = a b\n", "setup.cfg: line 2: no version requirement"),
        ("== setup.cfg\n[options]\ninstall_requires = a\ninstall-requires = b\n", "setup.cfg: line 3: a key twice"),
        ("== setup.cfg\n[options]\n[options]\n", "setup.cfg: line 2: a section twice"),
        ("== setup.cfg\n<<<<<<< HEAD\n", "setup.cfg: line 1: conflict markers"),
    ] {
        assert!(refused(text).starts_with(expected), "{text}: {}", refused(text));
    }
    assert_eq!(found("== setup.py\n== pyproject.toml\n[project]\nname='a'\n"), ["pyproject.toml"]);
    read_one(&Unlocked, &tree("== setup.py\n== pyproject.toml\n[project]\nname='a'\n"));
}

#[test]
fn what_bears_the_projects_own_name_is_fetched_unless_it_is_an_extra() {
    let text = "== pyproject.toml
[build-system]
requires = ['app']
[project]
name = 'app'
dependencies = ['app[fast]', 'b']
[project.optional-dependencies]
all = ['app[fast]']
";
    let labels = |text: &str| testing::labels(&read_one(&Unlocked, &tree(text)));
    assert_eq!(labels(text), ["app@*", "b@*"]);
    assert_eq!(labels(&text.replace("'app']", "'c']")), ["b@*", "c@*"]);
    assert_eq!(labels(&text.replace("'app']", "'c']").replace("'b'", "'app>1'")), ["app@>1", "c@*"]);
    let group = "== pyproject.toml\n[project]\nname = 'app'\n[dependency-groups]\ndev = ['app[fast]']\n";
    assert_eq!(labels(group), ["app@*"]);
}

#[test]
fn what_setuptools_takes_in_is_read_and_decoys_are_not() {
    let text = "== pyproject.toml
[build-system]
build-backend = 'setuptools.build_meta'
[project]
name = 'app'
dynamic = ['dependencies']
[tool.setuptools.dynamic]
dependencies = { file = ['in.txt'] }
== in.txt
real==1 # here
== setup.cfg
[options]
install_requires = decoy
";
    let inventory = read_one(&Unlocked, &tree(text));
    assert_eq!(testing::labels(&inventory), ["decoy@*", "real@=1"]);
    assert_eq!(find(&inventory, "real").span.line, 7);
    // Another backend passes over `setup.cfg`, and so nothing says what it computes.
    let other = text.replace("setuptools.build_meta", "hatchling.build").replace("tool.setuptools", "tool.other");
    assert!(refused(&other).starts_with("pyproject.toml: line 5: `dynamic` says"), "{}", refused(&other));
    let options = text.replace("real==1", "-r more.txt");
    assert!(refused(&options).starts_with("in.txt: line 1:"), "{}", refused(&options));
}

#[test]
fn a_script_that_reads_a_judged_file_is_a_disagreement() {
    let text = "== setup.py\nsetup(install_requires=open('requirements.txt'))\n== requirements.txt\na==1\n";
    let said = |text: &str| {
        let inventory = read_one(&Unlocked, &tree(text));
        assert!(inventory.packages.is_empty());
        inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect::<Vec<_>>()
    };
    let first = said(text);
    assert!(first.len() == 1 && first[0].starts_with("setup.py computes its dependencies, and names requirements.txt"));
    // Whoever changes the script may have it ask for anything else.
    assert_ne!(first, said(&text.replace("open", "['evil'] or open")));
    assert!(refused(&text.replace("('requirements.txt')", "('x')")).starts_with("setup.py: setup.py computes"));
    assert!(refused(&text.replace("== requirements.txt", "== x.txt")).starts_with("setup.py: setup.py computes"));
}

#[test]
fn environments_plugins_and_further_places_are_told() {
    let text = "== pyproject.toml
[project]
name = 'app'
[tool.hatch.envs.docs]
dependencies = ['docs-tool', 'x{matrix:v}']
[tool.pdm]
plugins = ['plugin']
[tool.uv.extra-build-dependencies]
a = ['builder']
[tool.uv.pip]
index-url = 'https://registry.example/simple'
";
    let inventory = read_one(&Unlocked, &tree(text));
    assert_eq!(testing::labels(&inventory), ["builder@*", "docs-tool@*", "plugin@*"]);
    assert_eq!(find(&inventory, "docs-tool").scopes.strongest(), Scope::Development);
    let said: Vec<_> = inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect();
    let expected = [
        "hatch asks for `x{matrix:v}`, which is computed",
        "uv takes packages from https://registry.example/simple as well",
    ];
    assert_eq!(said, expected);
}

#[test]
fn hostile_manifests_are_answered() {
    let deep = format!("a={}", "[".repeat(30_000));
    let many: String = (0..100_000).map(|n| format!("'p{n}',")).collect();
    let many = format!("[project]\nname='a'\ndependencies=[{many}]\n");
    let long = format!("[project]\ndependencies=['a=={}']", "9".repeat(10_000));
    let texts: [&[u8]; 6] = [deep.as_bytes(), many.as_bytes(), long.as_bytes(), b"\0", b"\xff", b"[options]\n x"];
    testing::survives(&Unlocked, &["pyproject.toml", "setup.cfg", "setup.py"], &texts);
    let inventory = read_one(&Unlocked, &tree(&format!("== pyproject.toml\n{many}")));
    assert_eq!(inventory.packages.len(), 100_000);
}
