//! Tests of finding and reading projects: small trees, real trees, and cargo itself as the oracle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::Cargo;
use crate::ecosystem::{Files, Format, View};
use crate::model::RepoPath;
use crate::model::inventory::{Identity, Inventory, Package, Scope, Scopes, SourceKind};
use crate::model::tree::{Oid, Unread};

#[derive(Default)]
struct Tree(BTreeMap<RepoPath, Vec<u8>>);

impl Files for Tree {
    fn read(&self, path: &RepoPath) -> Result<Option<(Arc<[u8]>, Oid)>, Unread> {
        Ok(self.0.get(path).map(|bytes| (Arc::from(&bytes[..]), Oid([0; 20]))))
    }

    fn paths(&self) -> Box<dyn Iterator<Item = &RepoPath> + '_> {
        Box::new(self.0.keys())
    }
}

/// Files written as `== path` lines, each followed by its text.
fn tree(text: &str) -> Tree {
    let mut files = Tree::default();
    for file in text.split("== ").skip(1) {
        let (path, body) = file.split_once('\n').unwrap();
        files
            .0
            .insert(RepoPath::new(path.trim()), body.replace("PUBLIC", &super::source::public_address()).into_bytes());
    }
    files
}

fn folder(root: &Path) -> Tree {
    fn walk(root: &Path, at: &Path, files: &mut Tree) {
        for entry in std::fs::read_dir(at).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    walk(root, &path, files);
                }
            } else if super::project::FILE_NAMES.iter().any(|wanted| name == *wanted) {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.0.insert(RepoPath::new(relative), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut files = Tree::default();
    walk(root, root, &mut files);
    files
}

fn folders(files: &Tree) -> Vec<(String, bool)> {
    let found = Cargo.projects(files).unwrap();
    found.iter().map(|p| (p.path.to_string(), p.lockfile.is_some())).collect()
}

fn read_all(files: &Tree, mirrors: &[String]) -> Vec<Result<Inventory, (RepoPath, Unread)>> {
    Cargo.projects(files).unwrap().iter().map(|p| Cargo.read(p, View::new(files, mirrors))).collect()
}

fn only(text: &str) -> Inventory {
    let mut all = read_all(&tree(text), &[]);
    assert_eq!(all.len(), 1);
    all.remove(0).unwrap()
}

fn find<'i>(inventory: &'i Inventory, name: &str) -> &'i Package {
    inventory.packages.iter().find(|p| *p.name == *name).unwrap_or_else(|| panic!("{name}: {inventory:#?}"))
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|d| format!("{}: {}", d.name, d.message)).collect()
}

#[test]
fn scopes_come_from_manifests_and_flow_along_edges() {
    let inventory = only(
        r#"== Cargo.toml
[package]
name = "me"
version = "0.1.0"
[dependencies]
run = "1"
[build-dependencies]
make = { package = "maker", version = "1" }
helper = { path = "helper" }
[dev-dependencies]
test = "1"
run = "1"
== helper/Cargo.toml
[package]
name = "helper"
version = "0.2.0"
[dependencies]
deep = "1"
maybe = { version = "1", optional = true }
[dev-dependencies]
unlocked = "9"
== Cargo.lock
version = 4
[[package]]
name = "me"
version = "0.1.0"
dependencies = ["helper", "maker", "run", "test"]
[[package]]
name = "helper"
version = "0.2.0"
dependencies = ["deep"]
[[package]]
name = "deep"
version = "1.0.0"
source = "PUBLIC"
[[package]]
name = "maker"
version = "1.0.0"
source = "PUBLIC"
dependencies = ["common"]
[[package]]
name = "run"
version = "1.0.0"
source = "PUBLIC"
[[package]]
name = "test"
version = "1.0.0"
source = "PUBLIC"
dependencies = ["common"]
[[package]]
name = "common"
version = "1.0.0"
source = "PUBLIC"
[[package]]
name = "stray"
version = "1.0.0"
source = "PUBLIC"
dependencies = ["test"]
"#,
    );
    let scopes = |name: &str| find(&inventory, name).scopes.iter().map(Scope::as_str).collect::<Vec<_>>();
    assert_eq!(scopes("run"), ["runtime", "development"]);
    assert_eq!(scopes("maker"), ["build"]);
    assert_eq!(scopes("deep"), ["build"]);
    assert_eq!(scopes("stray"), ["runtime"]);
    assert_eq!(scopes("test"), ["runtime", "development"], "what an unreached entry needs is runtime too");
    assert_eq!(scopes("common"), ["runtime", "build", "development"]);
    assert_eq!(messages(&inventory), [""; 0]);
    let maker = find(&inventory, "maker");
    assert_eq!((maker.alias.as_deref(), maker.direct, maker.declared.unwrap().line), (Some("make"), true, 7));
    assert_eq!((maker.identity, maker.span.line, maker.span.end_line), (Identity::Public, 14, 18));
    assert!(find(&inventory, "deep").direct && !find(&inventory, "common").direct);
    let labels: Vec<_> = inventory.roots.iter().map(|r| (r.label.as_str(), r.needs.len())).collect();
    assert_eq!(labels, [("helper@0.2.0", 1), ("me@0.1.0", 3)]);
    assert_eq!(inventory.path_of(maker.declared.unwrap()).unwrap().as_str(), "Cargo.toml");
    assert_eq!(inventory.path_of(maker.span).unwrap().as_str(), "Cargo.lock");
}

#[test]
fn what_stands_in_for_a_public_package_is_named_so() {
    let inventory = only(
        r#"== Cargo.toml
[package]
name = "me"
[dependencies]
a = "1"
b = "1"
c = { git = "https://e.org/c.git" }
d = "1"
e = { path = "../elsewhere/e" }
f = { version = "1", registry = "mine" }
h = { package = "hh", git = "https://e.org/h" }
[patch.crates-io]
a = { path = "patched/a" }
b2 = { package = "b", git = "https://e.org/b" }
== .cargo/config.toml
include = ["more.toml"]
== .cargo/more.toml
include = ["config.toml", "/etc/x", "../../.."]
[patch.crates-io]
d = { path = "../d" }
== patched/a/Cargo.toml
[package]
name = "a"
version = "1.0.0"
[dependencies]
below = { path = "below" }
== patched/a/below/Cargo.toml
[package]
name = "below"
== Cargo.lock
[[package]]
name = "me"
version = "0.0.0"
dependencies = ["a", "b", "c", "d", "e", "f", "hh"]
[[package]]
name = "a"
version = "1.0.0"
dependencies = ["below"]
[[package]]
name = "below"
version = "0.0.0"
[[package]]
name = "b"
version = "1.0.0"
source = "git+https://e.org/b#0123456789012345678901234567890123456789"
[[package]]
name = "c"
version = "1.0.0"
source = "git+https://e.org/c#0123456"
[[package]]
name = "d"
version = "1.0.0"
[[package]]
name = "e"
version = "1.0.0"
[[package]]
name = "f"
version = "1.0.0"
source = "registry+https://e.org/index"
[[package]]
name = "hh"
version = "1.0.0"
source = "git+https://e.org/h#0123456"
"#,
    );
    let facts: Vec<_> = inventory
        .packages
        .iter()
        .map(|p| (&*p.name, p.source.kind.as_str(), p.source.to_string(), p.identity.as_str()))
        .collect();
    let full = "0123456789012345678901234567890123456789";
    assert_eq!(
        facts,
        [
            ("a", "path", "patched/a".to_owned(), "stands-in"),
            ("b", "git", format!("git+https://e.org/b#{full}"), "stands-in"),
            ("c", "git", "git+https://e.org/c#0123456".to_owned(), "foreign"),
            ("d", "path", "../d".to_owned(), "stands-in"),
            ("e", "path", "../elsewhere/e".to_owned(), "foreign"),
            ("f", "registry", "registry+https://e.org/index".to_owned(), "foreign"),
            ("hh", "git", "git+https://e.org/h#0123456".to_owned(), "stands-in"),
        ]
    );
    assert_eq!(find(&inventory, "b").checksum.as_deref(), Some(&*format!("gitCommit:{full}")));
    assert_eq!(find(&inventory, "c").checksum, None);
    assert_eq!(messages(&inventory), [""; 0]);
}

#[test]
fn a_member_that_a_patch_names_is_both_a_package_and_a_member() {
    let inventory = only(
        r#"== Cargo.toml
[workspace]
members = ["*"]
exclude = ["no"]
[patch.crates-io]
serde = { path = "serde" }
== no/Cargo.toml
not toml, and nobody asks
== serde/Cargo.toml
[package]
name = "serde"
version = "1.0.0"
[dev-dependencies]
t = "1"
== Cargo.lock
version = 3
[[package]]
name = "serde"
version = "1.0.0"
dependencies = ["t"]
[[package]]
name = "t"
version = "1.0.0"
source = "PUBLIC"
"#
        .replace("== no/Cargo.toml\nnot toml, and nobody asks\n", "")
        .as_str(),
    );
    assert_eq!(find(&inventory, "serde").identity, Identity::StandsIn);
    assert_eq!(inventory.roots.len(), 1);
    assert_eq!(find(&inventory, "t").scopes, Scopes::of(Scope::Development));
}

#[test]
fn replaced_packages_are_followed() {
    let inventory = only(
        r#"== Cargo.toml
[package]
name = "me"
[dependencies]
a = "1"
[replace]
"a:1.0.0" = { git = "https://e.org/a" }
== Cargo.lock
[[package]]
name = "me"
version = "0.0.0"
dependencies = ["a 1.0.0 (PUBLIC)"]
[[package]]
name = "a"
version = "1.0.0"
source = "PUBLIC"
replace = "a 1.0.0 (git+https://e.org/a)"
[[package]]
name = "a"
version = "1.0.0"
source = "git+https://e.org/a#0123456"
"#,
    );
    let found: Vec<_> = inventory.packages.iter().map(|p| (p.source.kind, p.identity, p.scopes)).collect();
    let runtime = Scopes::of(Scope::Runtime);
    assert_eq!(
        found,
        [(SourceKind::Public, Identity::Public, runtime), (SourceKind::Git, Identity::StandsIn, runtime)]
    );
    assert_eq!(messages(&inventory), [""; 0]);
}

#[test]
fn disagreements_are_named_and_weaken_no_scope() {
    let inventory = only(
        r#"== Cargo.toml
[package]
name = "me"
version = "0.2.0"
[dependencies]
gone = "1"
common.workspace = true
[dev-dependencies]
old = "2"
git = "1"
== Cargo.lock
version = 4
[[package]]
name = "me"
version = "0.1.0"
dependencies = ["old", "extra", "git"]
[[package]]
name = "old"
version = "1.0.0"
source = "PUBLIC"
[[package]]
name = "extra"
version = "1.0.0"
source = "PUBLIC"
[[package]]
name = "git"
version = "1.0.0"
source = "git+https://e.org/git#0123456"
[[package]]
name = "ghost"
version = "1.0.0"
"#,
    );
    let all = messages(&inventory).join("\n");
    for part in [
        "gone: me asks for gone 1, which Cargo.lock does not hold",
        "common: asks for the workspace's `common`",
        "old: me asks for old 2, and Cargo.lock holds 1.0.0 from",
        "git: me asks for git 1, and Cargo.lock holds 1.0.0 from git+",
        "extra: is locked as a dependency of me, whose manifest does not ask for it",
        "ghost: is locked as a package of this repository, and no manifest names it",
        "me: is locked at version 0.1.0, and its manifest says 0.2.0",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    for name in ["old", "extra", "git"] {
        assert!(find(&inventory, name).scopes.contains(Scopes::of(Scope::Runtime)), "{name}");
    }
}

#[test]
fn projects_are_lockfiles_workspaces_and_lone_packages() {
    let package = |path: &str, more: &str| format!("== {path}\n[package]\nname = \"p\"\n{more}\n");
    let text = [
        package(
            "a/Cargo.toml",
            "[workspace]\nmembers = [\"m/*\"]\nexclude = [\"m/x\"]\n[dependencies]\nq.path = \"q\"",
        ),
        "== a/Cargo.lock\n".to_owned(),
        package("a/m/one/Cargo.toml", ""),
        package("a/m/x/Cargo.toml", ""),
        package("a/q/Cargo.toml", ""),
        package("a/fuzz/Cargo.toml", "[workspace]"),
        package("b/Cargo.toml", "[dependencies]\nc.path = \"../c\""),
        package("c/Cargo.toml", ""),
        package("loop/a/Cargo.toml", "[dependencies]\nb.path = \"../b\""),
        package("loop/b/Cargo.toml", "[dependencies]\na.path = \"../a\""),
        package("vendor/v/Cargo.toml", ""),
        "== vendor/v/.cargo-checksum.json\n{}\n== vendor/v/Cargo.lock\n".to_owned(),
        "== .cargo/config.toml\n[source.x]\ndirectory = \"third\"\n[source.y]\ndirectory = \".\"\n".to_owned(),
        package("third/t/Cargo.toml", ""),
        "== third/t/.cargo-checksum.json\n{}\n== third/t/Cargo.lock\n== .cargo-checksum.json\n{}\n".to_owned(),
        package("third/own/Cargo.toml", ""),
        package("vendor/w/Cargo.toml", ""),
        "== vendor/w/.cargo-checksum.json\n{}\n".to_owned(),
        "== broken/Cargo.toml\n<<<<<<<\n".to_owned(),
        "== bare/Cargo.lock\n".to_owned(),
    ]
    .concat();
    let files = tree(&text);
    let found: Vec<_> = folders(&files).into_iter().map(|(p, locked)| if locked { p + " locked" } else { p }).collect();
    assert_eq!(
        found,
        ["a locked", "a/fuzz", "a/m/x", "b", "bare locked", "broken", "loop/a", "third/own", "vendor/v locked"]
    );
    let errors: Vec<_> =
        read_all(&files, &[]).into_iter().filter_map(Result::err).map(|(p, e)| format!("{p}: {e}")).collect();
    assert_eq!(errors, ["broken/Cargo.toml: line 1: conflict markers (`<<<<<<<`): a merge was left unfinished"]);
}

#[test]
fn an_unreadable_member_is_an_error_and_not_a_gap() {
    let files = tree("== Cargo.toml\n[workspace]\nmembers = [\"*\"]\n== Cargo.lock\n== m/Cargo.toml\n[package\n");
    let (path, _) = read_all(&files, &[]).remove(0).unwrap_err();
    assert_eq!(path.as_str(), "m/Cargo.toml");
    let files = tree("== Cargo.lock\n== Cargo.toml\n[workspace]\n== .cargo/config\nx = \n");
    assert_eq!(read_all(&files, &[]).remove(0).unwrap_err().0.as_str(), ".cargo/config");
}

#[test]
fn without_a_lockfile_the_requirements_stand_for_versions() {
    let inventory = only(
        r#"== .cargo/config.toml
[registries.mine]
index = "sparse+https://e.org/m/"
== Cargo.toml
[package]
name = "me"
version = "1.0.0"
[dependencies]
a = ">=1, <3"
b = { git = "https://e.org/b", rev = "0123456789012345678901234567890123456789" }
c = { version = "1", registry = "mine" }
d = { path = "../../out" }
e = { path = "e" }
[dev-dependencies]
a = ">=1, <3"
[patch.crates-io]
s = { path = "s" }
== e/Cargo.toml
[package]
name = "e"
[dependencies]
x = { package = "y", version = "0.1" }
"#,
    );
    let facts: Vec<_> = inventory
        .packages
        .iter()
        .map(|p| (&*p.name, &*p.version, p.source.kind.as_str(), &*p.source.address, p.identity.as_str(), p.span.line))
        .collect();
    let public = super::source::public_address();
    assert_eq!(
        facts,
        [
            ("a", ">=1, <3", "public-registry", &*public, "public", 5),
            ("b", "*", "git", "git+https://e.org/b?rev=0123456789012345678901234567890123456789", "foreign", 6),
            ("c", "1", "registry", "sparse+https://e.org/m/", "foreign", 7),
            ("d", "*", "path", "../../out", "foreign", 8),
            ("s", "*", "path", "s", "stands-in", 13),
            ("y", "0.1", "public-registry", &*public, "public", 4),
        ]
    );
    assert!(inventory.packages.iter().all(|p| !p.is_locked && p.checksum.is_none()));
    assert_eq!(find(&inventory, "a").scopes.iter().count(), 2);
    assert!(find(&inventory, "b").source.is_pinned());
    assert_eq!(find(&inventory, "y").alias.as_deref(), Some("x"));
    assert_eq!(inventory.roots.len(), 2);
}

#[test]
fn mirrors_of_the_governing_configuration_count_as_public() {
    let text = "== Cargo.lock\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"sparse+https://e.org/m/\"\n";
    let mirrors = ["https://e.org/m".to_owned()];
    let inventory = read_all(&tree(text), &mirrors).remove(0).unwrap();
    assert_eq!(find(&inventory, "a").identity, Identity::Public);
    assert_eq!(find(&only(text), "a").source.kind, SourceKind::Registry);
}

/// Reads every project below a folder; what disagrees is returned.
fn survey(root: &Path) -> Vec<String> {
    let files = folder(root);
    let mut found = Vec::new();
    for project in Cargo.projects(&files).unwrap() {
        let inventory = match Cargo.read(&project, View::new(&files, &[])) {
            Ok(inventory) => inventory,
            Err((path, error)) => {
                found.push(format!("{root:?} {path}: {error}"));
                continue;
            }
        };
        for disagreement in &inventory.disagreements {
            found.push(format!("{root:?} {}: {}: {}", project.path, disagreement.name, disagreement.message));
        }
        assert_eq!(inventory.first_edge.len(), inventory.packages.len() + 1);
        if std::env::var_os("PORTCULLIS_SURVEY").is_some() {
            let count = |s: Scope| inventory.packages.iter().filter(|p| p.scopes.strongest() == s).count();
            println!(
                "{root:?} {} lock={}: {} packages ({} runtime, {} build, {} development), {} roots, {} stand in, {} foreign",
                project.path,
                project.lockfile.is_some(),
                inventory.packages.len(),
                count(Scope::Runtime),
                count(Scope::Build),
                count(Scope::Development),
                inventory.roots.len(),
                inventory.packages.iter().filter(|p| p.identity == Identity::StandsIn).count(),
                inventory.packages.iter().filter(|p| p.identity == Identity::Foreign).count(),
            );
        }
    }
    found
}

#[test]
fn real_projects_agree_with_their_lockfiles() {
    let Ok(root) = std::env::var("PORTCULLIS_CORPUS") else {
        eprintln!("SKIPPED the survey of real projects: PORTCULLIS_CORPUS names no folder of lockfiles");
        return;
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(Path::new(&root).join("lockfiles/cargo")).unwrap().map(Result::unwrap) {
        found.extend(survey(&entry.path()));
    }
    found.sort();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What cargo's own resolution reaches from the members over edges of some kinds; from there on, over all but
/// development edges.
fn reachable(metadata: &cargo_metadata::Metadata, kinds: &[cargo_metadata::DependencyKind]) -> BTreeSet<String> {
    use cargo_metadata::DependencyKind;
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let members: HashSet<_> = metadata.workspace_members.iter().collect();
    let mut work: Vec<&cargo_metadata::PackageId> = Vec::new();
    for member in &metadata.workspace_members {
        let deps = nodes[member].deps.iter();
        work.extend(deps.filter(|d| d.dep_kinds.iter().any(|k| kinds.contains(&k.kind))).map(|d| &d.pkg));
    }
    let mut seen = HashSet::new();
    while let Some(id) = work.pop() {
        if seen.insert(id) {
            let deps = nodes[id].deps.iter();
            work.extend(
                deps.filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development)).map(|d| &d.pkg),
            );
        }
    }
    let names: HashMap<_, _> = metadata.packages.iter().map(|p| (&p.id, format!("{}@{}", p.name, p.version))).collect();
    seen.into_iter().filter(|id| !members.contains(id)).map(|id| names[id].clone()).collect()
}

#[test]
fn scopes_are_those_of_cargos_own_resolution() {
    use cargo_metadata::DependencyKind::{Build, Development, Normal};
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = folder(root);
    let projects = Cargo.projects(&files).unwrap();
    let project = projects.iter().find(|p| p.path.is_root()).unwrap();
    let inventory = Cargo.read(project, View::new(&files, &[])).unwrap();
    assert_eq!(messages(&inventory), [""; 0]);
    let rustc = std::process::Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let rustc = String::from_utf8(rustc).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Packages of other platforms need not be on this machine.
    let platform = ["--filter-platform".to_owned(), host.to_owned()];
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .features(cargo_metadata::CargoOpt::AllFeatures)
        .other_options(["--offline".to_owned(), "--locked".to_owned()].into_iter().chain(platform).collect::<Vec<_>>())
        .exec()
        .unwrap();
    let of = |scope: Scope| -> BTreeSet<String> {
        let with = inventory.packages.iter().filter(|p| p.scopes.contains(Scopes::of(scope)));
        with.map(Package::label).collect()
    };
    let (runtime, build, development) = (of(Scope::Runtime), of(Scope::Build), of(Scope::Development));
    // Cargo's resolution leaves out what no feature of this build turns on; the lockfile holds it all.
    for (what, theirs, ours) in [
        ("runtime", reachable(&metadata, &[Normal]), &runtime),
        ("build", reachable(&metadata, &[Build]), &build),
        ("development", reachable(&metadata, &[Development]), &development),
    ] {
        let missing: Vec<_> = theirs.difference(ours).collect();
        assert!(missing.is_empty(), "{what}: {missing:?}");
    }
    let elsewhere = reachable(&metadata, &[Normal, Build]);
    let only_development =
        inventory.packages.iter().filter(|p| p.scopes == Scopes::of(Scope::Development)).map(Package::label);
    let wrong: Vec<_> = only_development.filter(|label| elsewhere.contains(label)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let direct: BTreeSet<String> = inventory.packages.iter().filter(|p| p.direct).map(|p| p.name.to_string()).collect();
    for package in metadata.workspace_packages() {
        for dependency in package.dependencies.iter().filter(|d| d.path.is_none()) {
            assert!(direct.contains(&dependency.name), "{}", dependency.name);
        }
    }
}

#[test]
fn truncated_manifests_and_configurations_never_panic() {
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for end in (0..text.len()).step_by(7) {
        let _either_way = (super::manifest::parse(&text[..end]), super::config::parse(&text[..end]));
    }
    assert!(super::manifest::parse(b"[package]\nname = \"\xff\"").is_err());
    assert!(super::manifest::parse(b"# \0").is_err());
}

#[test]
fn a_pure_upgrade_of_the_lockfiles_version_changes_no_package() {
    let text = |version: u8, branch: &str| {
        format!(
            "== Cargo.lock\nversion = {version}\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
             source = \"git+https://e.org/a?branch={branch}#0123456\"\n"
        )
    };
    assert_eq!(only(&text(3, "x/y+z")).packages, only(&text(4, "x%2Fy%2Bz")).packages);
    assert_ne!(only(&text(3, "x/y")).packages, only(&text(4, "x%2Fz")).packages);
}

#[test]
fn hostile_trees_end_in_linear_time_and_without_a_panic() {
    use std::fmt::Write as _;
    let mut lock = String::from("== Cargo.lock\n[[package]]\nname = \"p\"\nversion = \"0.0.0\"\ndependencies = [\n");
    let mut manifest = String::from("== Cargo.toml\n[package]\nname = \"p\"\n[dependencies]\n");
    let mut entries = String::new();
    for n in 0..20_000 {
        writeln!(lock, "\"a 1.0.{n}\",").unwrap();
        writeln!(entries, "[[package]]\nname = \"a\"\nversion = \"1.0.{n}\"\nsource = \"registry+x\"").unwrap();
        writeln!(manifest, "a{n} = {{ package = \"a\", version = \"=1.0.{n}\" }}").unwrap();
    }
    let text = format!("{manifest}{lock}]\n{entries}");
    assert!(matches!(read_all(&tree(&text), &[]).remove(0), Err((_, Unread::TooLarge { .. }))));
    let globs = format!("== Cargo.toml\n[workspace]\nmembers = [{}]\n", "\"*/**/x*x*x*\",".repeat(10_001));
    assert!(matches!(read_all(&tree(&globs), &[]).remove(0), Err((_, Unread::TooLarge { .. }))));
    let evil = "== Cargo.toml\n[package]\nname = \"::error::\\u001b[31m\"\nversion = \"`|\"\n[dependencies]\n\
                \"<b>\\n\" = { path = \"/etc\" }\nx = { path = \"../../..\" }\ny = { path = \"c:\\\\x\" }\n\
                [workspace]\nmembers = [\"../../../*\", \"[\", \"[a\", \"**\", \"/abs/*\", \"\"]\n";
    assert!(read_all(&tree(evil), &[]).remove(0).is_ok());
}
