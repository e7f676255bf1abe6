use super::*;
use crate::ecosystem::testing::{self, digest, find, labels, read_one, survives, tree};

const SRI: &str = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn only(text: &str) -> Inventory {
    read_one(&Pnpm, &tree(&text.replace("SRI", SRI)))
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|each| format!("{}: {}", each.name, each.message)).collect()
}

fn scopes(inventory: &Inventory, name: &str) -> String {
    find(inventory, name).scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join("+")
}

fn error(lock: &str) -> Unread {
    let files = tree(&format!("== pnpm-lock.yaml\n{lock}"));
    let project = Pnpm.projects(&files).unwrap().remove(0);
    Pnpm.read(&project, View::new(&files, &[])).unwrap_err().1
}

const NINE: &str = "== package.json
{
  \"name\": \"me\", \"version\": \"1.0.0\",
  \"dependencies\": {\"run\": \"^1.0.0\", \"seven\": \"npm:real@^7.0.0\", \"kept\": \"catalog:\"},
  \"devDependencies\": {\"test\": \"~2.0.0\", \"mine\": \"workspace:*\"}
}
== packages/mine/package.json
{\"name\": \"mine\", \"version\": \"0.1.0\", \"dependencies\": {\"git\": \"github:a/git\"}}
== pnpm-workspace.yaml
packages: ['packages/*']
catalog:
  kept: ^3.0.0
== pnpm-lock.yaml
lockfileVersion: '9.0'
catalogs:
  default:
    kept: {specifier: ^3.0.0, version: 3.1.0}
importers:
  .:
    dependencies:
      run:
        specifier: ^1.0.0
        version: 1.2.0(peer@4.0.0)
      seven:
        specifier: npm:real@^7.0.0
        version: real@7.1.0
      kept:
        specifier: 'catalog:'
        version: 3.1.0
    devDependencies:
      mine:
        specifier: workspace:*
        version: link:packages/mine
      test:
        specifier: ~2.0.0
        version: 2.0.3
  packages/mine:
    dependencies:
      git:
        specifier: github:a/git
        version: https://codeload.github.com/a/git/tar.gz/0123456789012345678901234567890123456789
packages:
  run@1.2.0:
    resolution: {integrity: SRI}
    dev: true
  real@7.1.0:
    resolution: {integrity: SRI}
    requiresBuild: true
  kept@3.1.0:
    resolution: {integrity: SRI}
  test@2.0.3:
    resolution: {integrity: SRI, tarball: https://registry.example/test/-/other-2.0.3.tgz}
  peer@4.0.0:
    resolution: {integrity: SRI}
    dev: true
  below@1.0.0:
    resolution: {integrity: SRI}
  git@https://codeload.github.com/a/git/tar.gz/0123456789012345678901234567890123456789:
    resolution: {tarball: https://codeload.github.com/a/git/tar.gz/0123456789012345678901234567890123456789}
    version: 0.5.0
snapshots:
  run@1.2.0(peer@4.0.0):
    dependencies:
      peer: 4.0.0
  real@7.1.0: {}
  kept@3.1.0: {}
  test@2.0.3:
    dependencies:
      below: 1.0.0
  peer@4.0.0: {}
  below@1.0.0: {}
  git@https://codeload.github.com/a/git/tar.gz/0123456789012345678901234567890123456789: {}
";

#[test]
fn version_nine_is_read_with_its_members_catalogs_and_aliases() {
    let inventory = only(NINE);
    assert_eq!(messages(&inventory), [""; 0]);
    let expected = ["below@1.0.0", "git@0.5.0", "kept@3.1.0", "peer@4.0.0", "real@7.1.0", "run@1.2.0", "test@2.0.3"];
    assert_eq!(labels(&inventory), expected);
    for (name, scope) in [("run", "runtime"), ("peer", "runtime"), ("test", "development"), ("below", "development")] {
        assert_eq!(scopes(&inventory, name), scope, "{name}");
    }
    let real = find(&inventory, "real");
    assert_eq!((real.alias.as_deref(), real.runs_on_install, real.direct), (Some("seven"), true, true));
    let lock = inventory.inputs.iter().position(|input| input.path.as_str() == LOCKFILE).unwrap() as u32;
    assert_eq!(real.span, Span { input: lock, line: 33, end_line: 35 });
    assert_eq!(inventory.path_of(real.declared.unwrap()).unwrap().as_str(), "package.json");
    assert_eq!(find(&inventory, "test").contradiction.as_deref(), Some("other 2.0.3"));
    let git = find(&inventory, "git");
    assert_eq!((git.identity, git.source.is_pinned(), git.direct), (Identity::Foreign, true, true));
    assert!(find(&inventory, "run").checksum.as_deref().unwrap().starts_with("sha512:cf83e135"));
    let roots: Vec<(&str, &str)> = inventory.roots.iter().map(|r| (&*r.label, r.folder.as_str())).collect();
    assert_eq!(roots, [("me@1.0.0", ""), ("mine@0.1.0", "packages/mine")]);
}

#[test]
fn manifests_and_lockfile_that_differ_are_told() {
    for (from, to, expected) in [
        ("\"test\": \"~2.0.0\"", "\"test\": \"^3.0.0\"", "test: asks for ^3.0.0, and the lockfile was made for ~2.0.0"),
        (
            "\"test\": \"~2.0.0\"",
            "\"new\": \"^1\", \"test\": \"~2.0.0\"",
            "new: asks for ^1, which the lockfile does not hold",
        ),
        ("\"run\": \"^1.0.0\", ", "", "run: is locked for a member whose manifest does not ask for it"),
        ("version: 2.0.3\n", "version: 2.0.4\n", "test: asks for 2.0.4, which the lockfile does not hold"),
        (
            "      below: 1.0.0",
            "      below: 1.0.1",
            "below: test@2.0.3 asks for 1.0.1, which the lockfile does not hold",
        ),
        (
            "version: real@7.1.0",
            "version: kept@3.1.0",
            "seven: asks for npm:real@^7.0.0, and the lockfile holds kept@3.1.0",
        ),
        ("  kept: ^3.0.0\n==", "  kept: ^4.0.0\n==", "kept: asks for ^4.0.0, and the lockfile was made for ^3.0.0"),
        ("specifier: ^3.0.0, ", "specifier: ^4.0.0, ", "kept: asks for ^4.0.0, and the lockfile holds 3.1.0"),
        (
            "catalogs:\n  default",
            "overrides: {run: 1.2.0}\ncatalogs:\n  default",
            "run: is overridden by the lockfile alone",
        ),
        (
            "== pnpm-lock",
            "== packages/b/package.json\n{}\n== pnpm-lock",
            "packages/b: is a member of the workspace, which the lockfile does not hold",
        ),
        ("packages:\n  run@1.2.0:", "packages:\n  gone@1.2.0:", "run: has a snapshot and no package in the lockfile"),
    ] {
        assert!(NINE.contains(from), "{from}");
        let found = messages(&only(&NINE.replacen(from, to, 1)));
        assert!(found.contains(&expected.to_owned()), "{from}: {found:?}");
    }
}

#[test]
fn patches_overrides_and_other_places_stand_in() {
    let lock = NINE
        .replacen(
            "catalogs:\n  default",
            "patchedDependencies: {kept@3.1.0: {hash: a, path: p.patch}}\ncatalogs:\n  default",
            1,
        )
        .replacen("  run@1.2.0(peer@4.0.0):", "  run@1.2.0(patch_hash=x)(peer@4.0.0):", 1)
        .replacen("version: 1.2.0(peer@4.0.0)", "version: 1.2.0(patch_hash=x)(peer@4.0.0)", 1)
        .replacen(
            "below@1.0.0:\n    resolution: {integrity: SRI}",
            "below@1.0.0:\n    resolution: {tarball: 'https://elsewhere.example/x.tgz'}",
            1,
        );
    let inventory = only(&lock);
    assert_eq!(messages(&inventory), [""; 0]);
    for name in ["kept", "run", "below"] {
        assert_eq!(find(&inventory, name).identity, Identity::StandsIn, "{name}");
    }
    assert_eq!(find(&inventory, "peer").identity, Identity::Public);
    assert_eq!(&*find(&inventory, "below").source.address, "https://elsewhere.example/x.tgz");
}

#[test]
fn folders_that_are_no_members_are_packages() {
    let linked = NINE.replacen("version: 2.0.3\n", "version: link:../outside\n", 1);
    let packages = only(&linked).packages;
    let test: Vec<_> =
        packages.iter().filter(|p| *p.name == *"test").map(|p| (p.identity, &*p.source.address)).collect();
    assert_eq!(test, [(Identity::Public, "https://registry.example"), (Identity::StandsIn, "../outside")]);
}

#[test]
fn folders_that_packages_get_stand_in() {
    let inventory = only(&NINE.replacen("      below: 1.0.0", "      below: link:assets/time", 1));
    assert_eq!(messages(&inventory), [""; 0]);
    let below: Vec<(&str, &str, Identity)> =
        inventory.named(Ecosystem::Npm, "below").map(|p| (&*p.version, &*p.source.address, p.identity)).collect();
    let (folder, unused) = (("0.0.0", "assets/time", Identity::StandsIn), ("1.0.0", "", Identity::Public));
    assert_eq!(below, [folder, unused]);
    assert_eq!(scopes(&inventory, "test"), "development");
    assert!(inventory.edges.iter().any(|to| inventory.packages[*to as usize].source == Source::path("assets/time")));
    // A member, under a name that is not its own.
    let renamed = NINE.replacen("version: 2.0.3\n", "version: link:packages/mine\n", 1);
    let inventory = only(&renamed);
    let test: Vec<_> = inventory.named(Ecosystem::Npm, "test").map(|p| (&*p.source.address, p.direct)).collect();
    assert_eq!(test, [("packages/mine", true), ("https://registry.example", false)]);
    let own = NINE.replacen("\"mine\": \"workspace:*\"", "\"mine\": \"^0.1.0\"", 1).replacen(
        "specifier: workspace:*",
        "specifier: ^0.1.0",
        1,
    );
    let inventory = only(&own);
    assert_eq!((messages(&inventory), inventory.packages.len()), (Vec::new(), 7));
}

#[test]
fn what_the_workspace_makes_pnpm_load_is_told() {
    let sri = format!("sha256-{}=", "A".repeat(43));
    let set = format!(
        "configDependencies:\n  hook: 1.0.0+{sri}\n  far: {{tarball: 'https://e.example/far.tgz', integrity: 2.0.0+{sri}}}\n\
         dangerouslyAllowAllBuilds: true\npnpmfile: build/hook.cjs\nregistry: https://registry.example\n\
         registries: {{'@s': 'https://s.example'}}\ncatalog:\n"
    );
    let inventory = only(&NINE.replacen("catalog:\n", &set, 1));
    let expected = [
        "dangerouslyAllowAllBuilds: lets every package run scripts",
        "pnpmfile: runs pnpm's hooks from build/hook.cjs",
        "registries: takes packages of @s from https://s.example",
        "registry: takes packages from https://registry.example",
    ];
    let mut found = messages(&inventory);
    found.sort();
    assert_eq!(found, expected);
    let (hook, far) = (find(&inventory, "hook"), find(&inventory, "far"));
    assert_eq!(
        (&*hook.version, hook.identity, &*far.version, far.identity),
        ("1.0.0", Identity::Public, "2.0.0", Identity::StandsIn)
    );
    assert!(hook.runs_on_install && hook.is_fixed() && hook.direct && far.is_fixed());
    assert_eq!((&*far.source.address, &*scopes(&inventory, "hook")), ("https://e.example/far.tgz", "runtime"));
}

#[test]
fn lockfiles_of_branches_are_projects_of_their_own() {
    let (before, lock) = NINE.split_once("== pnpm-lock.yaml\n").unwrap();
    let files = format!("{before}== pnpm-lock.main.yaml\n{lock}== pnpm-lock.yaml\n{lock}").replace("SRI", SRI);
    let all = testing::read_all(&Pnpm, &tree(&files));
    let found: Vec<(&str, usize)> =
        all.iter().map(|i| (i.project.lockfile.as_ref().unwrap().as_str(), i.packages.len())).collect();
    assert_eq!(found, [("pnpm-lock.yaml", 7), ("pnpm-lock.main.yaml", 7)]);
    assert!(crate::ecosystem::claims(&RepoPath::new("a/pnpm-lock.feature!x.yaml")));
}

#[test]
fn merge_keys_are_refused() {
    let merged = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: x, <<: {tarball: 'https://e.example/x.tgz'}}\n";
    assert_eq!(error(merged).to_string(), "line 4: a merge key (`<<`), which hides what it brings");
    assert!(error(&merged.replacen("<<:", "!!merge :", 1)).to_string().contains("merge key"));
    let files = tree(&NINE.replacen("catalog:\n", "<<: {overrides: {run: 'https://e.example/x.tgz'}}\ncatalog:\n", 1));
    let project = Pnpm.projects(&files).unwrap().remove(0);
    let (path, error) = Pnpm.read(&project, View::new(&files, &[])).unwrap_err();
    assert_eq!((path.as_str(), error.to_string().contains("merge key")), (WORKSPACE, true));
}

#[test]
fn an_integrity_of_two_digests_fixes_nothing() {
    let two = format!("sha256-{0}= sha256-{1}=", "A".repeat(43), "B".repeat(42) + "A");
    let wrong = format!("test: carries an integrity that is not one digest: `{two}`");
    let two = format!("test@2.0.3:\n    resolution: {{integrity: {two}, tarball");
    let lock = NINE.replacen("test@2.0.3:\n    resolution: {integrity: SRI, tarball", &two, 1);
    let lock = lock.replacen("other-2.0.3.tgz", "other-2.0.3.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709", 1);
    let inventory = only(&lock);
    assert_eq!((find(&inventory, "test").checksum.as_deref(), messages(&inventory)), (None, vec![wrong]));
}

#[test]
fn older_versions_are_read_and_their_flags_are_not_believed() {
    let five = only(
        "== package.json
{\"dependencies\": {\"@s/a\": \"^1.0.0\"}, \"devDependencies\": {\"b\": \"2.0.0\", \"g\": \"a/g\", \"d\": \"file:d\"}}
== pnpm-lock.yaml
lockfileVersion: 5.3
specifiers: {'@s/a': ^1.0.0, b: 2.0.0, g: a/g, d: 'file:d'}
dependencies:
  '@s/a': 1.0.1_b@2.0.0
devDependencies:
  b: 2.0.0
  g: git.example/a/g/0123456789012345678901234567890123456789
  d: file:d
packages:
  /@s/a/1.0.1_b@2.0.0:
    resolution: {integrity: SRI}
    dependencies: {c_d: registry.example/c_d/3.0.0}
    dev: true
  /b/2.0.0: {resolution: {integrity: SRI}, dev: false}
  registry.example/c_d/3.0.0: {resolution: {integrity: SRI}, name: c_d, version: 3.0.0, dev: true}
  git.example/a/g/0123456789012345678901234567890123456789:
    resolution: {type: git, repo: 'https://git.example/a/g.git', commit: '0123456789012345678901234567890123456789'}
    name: g
    version: 0.1.0
  file:d: {resolution: {directory: d, type: directory}, name: d, version: 0.2.0}
",
    );
    assert_eq!(messages(&five), [""; 0]);
    assert_eq!(labels(&five), ["@s/a@1.0.1", "b@2.0.0", "c_d@3.0.0", "d@0.2.0", "g@0.1.0"]);
    for (name, scope) in [("@s/a", "runtime"), ("c_d", "runtime"), ("b", "development"), ("g", "development")] {
        assert_eq!(scopes(&five, name), scope, "{name}");
    }
    assert_eq!(find(&five, "g").checksum.as_deref(), Some("gitCommit:0123456789012345678901234567890123456789"));
    assert_eq!(find(&five, "c_d").source, Source::registry("registry.example"));
    assert_eq!((find(&five, "c_d").identity, find(&five, "g").identity), (Identity::Public, Identity::Foreign));
    assert_eq!(find(&five, "d").source, Source::path("d"));

    let six = only(
        "== pnpm-lock.yaml
lockfileVersion: '6.0'
dependencies:
  a: {specifier: ^1.0.0, version: 1.0.1(b@2.0.0)}
packages:
  /a@1.0.1(b@2.0.0):
    resolution: {integrity: SRI}
    dependencies: {b: 2.0.0}
    dev: true
  /b@2.0.0: {resolution: {integrity: SRI}, dev: true}
",
    );
    assert_eq!(labels(&six), ["a@1.0.1", "b@2.0.0"]);
    assert_eq!((scopes(&six, "a"), scopes(&six, "b")), ("runtime".to_owned(), "runtime".to_owned()));
    assert!(find(&six, "a").direct && !find(&six, "b").direct);
}

#[test]
fn a_key_and_its_fields_contradict_each_other() {
    let text = "== pnpm-lock.yaml\nlockfileVersion: 5.4\npackages:\n  /a/1.0.0: {resolution: {integrity: SRI}, name: evil, version: 6.6.6}\n";
    assert_eq!(find(&only(text), "evil").contradiction.as_deref(), Some("a 1.0.0"));
}

#[test]
fn the_tool_has_a_document_of_its_own() {
    let text = NINE.replacen(
        "lockfileVersion",
        "---\nlockfileVersion: '9.0'
importers:
  .:
    packageManagerDependencies:
      tool: {specifier: 10.0.0, version: 10.0.0}
packages:
  tool@10.0.0: {resolution: {integrity: SRI}}
snapshots:
  tool@10.0.0: {}
---
lockfileVersion",
        1,
    );
    let inventory = only(&text);
    assert_eq!(messages(&inventory), [""; 0]);
    assert_eq!((inventory.packages.len(), inventory.roots.len()), (8, 2));
    assert_eq!(scopes(&inventory, "tool"), "runtime");
}

#[test]
fn what_is_not_known_is_refused() {
    for version in ["4.0", "'7.0'", "'10.0'", "nine", "'9.x'"] {
        let found = error(&format!("lockfileVersion: {version}\n"));
        assert!(matches!(found, Unread::Unsupported(_)), "{version}: {found}");
    }
}

#[test]
fn hostile_files_are_answered() {
    let nine = |rest: &str| format!("lockfileVersion: '9.0'\n{rest}");
    assert!(error(&nine("packages:\n  a@1.0.0: {}\n")).to_string().contains("without a resolution"));
    assert!(error(&nine("packages:\n  '@': {resolution: {integrity: x}}\n")).to_string().contains("names no"));
    assert!(error(&nine("packages:\n  a@1.0.0: {resolution: {type: odd}}\n")).to_string().contains("`odd`"));
    assert!(error("<<<<<<< HEAD\nlockfileVersion: '9.0'\n=======\n").to_string().contains("conflict markers"));
    let twice = nine("importers:\n  .: {}\n  a/..: {}\n");
    assert_eq!(error(&twice).to_string(), "line 4: the member `a/..` stands twice");
    assert!(error(&format!("{0}---\n{0}---\n{0}", nine(""))).to_string().contains("more than 2 documents"));
    // The same package under many keys, each of which contradicts it.
    let lies: String = (0..30_000)
        .map(|n| format!("  p{n}@1.0.0: {{resolution: {{integrity: x}}, name: a, version: 1.0.0}}\n"))
        .collect();
    assert_eq!(only(&format!("== pnpm-lock.yaml\n{}", nine(&format!("packages:\n{lies}")))).packages.len(), 30_000);
    let outside = only("== a/pnpm-lock.yaml\nlockfileVersion: '9.0'\nimporters:\n  ../../b:\n    dependencies: {}\n");
    assert_eq!(messages(&outside), ["../../b: is a member outside of the repository"]);
    let many: String = (0..60_000).map(|n| format!("  p{n}@1.0.0: {{resolution: {{integrity: x}}}}\n")).collect();
    let snapshots: String =
        (0..60_000).map(|n| format!("  p{n}@1.0.0: {{dependencies: {{p{}: 1.0.0}}}}\n", n + 1)).collect();
    let many =
        nine(&format!("packages:\n{many}  p60000@1.0.0: {{resolution: {{integrity: x}}}}\nsnapshots:\n{snapshots}"));
    let inventory = only(&format!("== pnpm-lock.yaml\n{many}"));
    assert_eq!((inventory.packages.len(), inventory.edges.len()), (60_001, 60_000));
    let whole = NINE.split_once("== pnpm-lock.yaml\n").unwrap().1;
    let mut texts: Vec<String> =
        (0..whole.len()).step_by(7).filter_map(|end| Some(whole.get(..end)?.to_owned())).collect();
    texts.push(nine(&format!("packages: {}", "[".repeat(30_000))));
    texts.push(nine(&format!("packages: {}", "{a: ".repeat(30_000))));
    texts.push(nine(&format!("packages:\n  a@{}: {{resolution: {{integrity: x}}}}\n", "9".repeat(10_000))));
    texts.push(nine(&format!("snapshots:\n  ? a@{}\n  : {{}}\n", "(".repeat(30_000))));
    texts.push(nine("packages:\n  ../../etc@1.0.0\0: {}\n"));
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    survives(&Pnpm, &[LOCKFILE, "a/pnpm-lock.yaml"], &bytes);
}

/// Other readers have no word on members that packages get as their peers.
fn is_entry(package: &Package) -> bool {
    package.source.kind != crate::model::inventory::SourceKind::Path || *package.version != *"0.0.0"
}

/// Counts and digests are those of `name@version` as `@pnpm/lockfile-file` 7 with `@pnpm/lockfile-utils` 5 (5.4, 6.0),
/// and `@pnpm/lockfile.fs` 1001.1.35 with `@pnpm/lockfile.utils` 1004.0.6 (9.0) give them.
#[test]
fn real_files_hold_what_other_readers_find() {
    let Some(root) = testing::corpus("lockfiles/npm") else { return };
    for (folder, count, expected) in [
        ("pnpm-2023-v5.4", 978, "ab7376f52e923e1bb020a6987bdfe898f5421b5881c34570c15e3c41ec79b055"),
        ("pnpm-2024-v6.0", 776, "8521c858b62c1c2eac101459615e29f6cfe3faeec66122025eadeaa93079091c"),
        ("pnpm-2026-v9", 632, "798b0c7bc44bea84e9549951f19a1c9fda912e401b10093e65cf37ed9fabb5e1"),
        ("pnpm-osv-website-v9", 416, "1d9a4295fc001e7303aca4569f90c539a2f78e8e7c7ebd2e618195cbde356103"),
    ] {
        let mut inventory = read_one(&Pnpm, &testing::folder(&root.join(folder)));
        inventory.packages.retain(is_entry);
        let found = labels(&inventory);
        assert_eq!((found.len(), &*digest(&found)), (count, expected), "{folder}");
        assert_eq!(messages(&inventory), [""; 0], "{folder}");
        assert!(inventory.packages.iter().all(|package| package.checksum.is_some() && package.contradiction.is_none()));
    }
}

/// Every version of a lockfile in a project's history, each with the manifests of its commit, laid out as
/// `<commit>/<path>`. Expected are the lines `<commit> <count> <digest>` of the readers named above, over the 664
/// commits that they read. Two commits hold a key twice, which they refuse as well; of three, which have a document of
/// the tool's own before the project's, they read the last document alone.
#[test]
#[ignore = "needs the trees of a history below PORTCULLIS_CORPUS"]
fn a_history_is_read_without_a_gap() {
    let Some(root) = testing::corpus("histories/vue-core-trees") else { return };
    let (mut lines, mut refused, mut of_tool, mut disagreeing) = (Vec::new(), Vec::new(), 0, Vec::new());
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let commit = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let files = testing::folder(&folder);
        let project = Pnpm.projects(&files).unwrap().remove(0);
        let inventory = match Pnpm.read(&project, View::new(&files, &[])) {
            Ok(mut inventory) => {
                inventory.packages.retain(is_entry);
                inventory
            }
            Err((_, error)) => {
                refused.push((commit, error.to_string()));
                continue;
            }
        };
        if !inventory.disagreements.is_empty() {
            disagreeing.push(commit.clone());
        }
        let labels = labels(&inventory);
        if labels.iter().any(|label| label.starts_with("@pnpm/exe@")) {
            of_tool += 1;
        } else {
            lines.push(format!("{commit} {} {}", labels.len(), digest(&labels)));
        }
    }
    lines.sort();
    refused.sort();
    disagreeing.sort();
    let twice = "line 2816: the key `postcss@8.4.39` stands twice".to_owned();
    assert_eq!(refused, [("6fb1134".to_owned(), twice.clone()), ("ed147dd".to_owned(), twice)]);
    // Lockfiles that were committed before their manifests, or after.
    assert_eq!(disagreeing, ["59f066c", "87da7d1", "f5240ad", "fd9f6fb"]);
    assert_eq!((lines.len(), of_tool), (664, 3));
    assert_eq!(digest(&lines), "82e8b3f9ddafa55fe8b77c533041515c7f22ae0bba674da160a13267d769dbf9");
}
