use super::*;
use crate::ecosystem::testing::{self, digest, find, labels, read_one, survives, tree};

const HEX: &str = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

fn only(text: &str) -> Inventory {
    read_one(&Berry, &tree(&text.replace("HEX", HEX)))
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|each| format!("{}: {}", each.name, each.message)).collect()
}

fn scopes(inventory: &Inventory, name: &str) -> String {
    find(inventory, name).scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join("+")
}

fn error(lock: &str) -> Unread {
    let files = tree(&format!("== yarn.lock\n{lock}"));
    let project = Berry.projects(&files).unwrap().remove(0);
    Berry.read(&project, View::new(&files, &[])).unwrap_err().1
}

const LOCK: &str = r#"== package.json
{
  "name": "me", "version": "1.0.0", "workspaces": ["packages/*"],
  "dependencies": {"run": "^1.0.0", "seven": "npm:real@^7.0.0", "kept": "catalog:", "git": "https://git.example/a.git"},
  "devDependencies": {"test": "~2.0.0", "mine": "workspace:^"},
  "resolutions": {"test/forced": "3.0.0", "local": "link:./local"}
}
== .yarnrc.yml
catalog:
  kept: ^3.0.0
== packages/mine/package.json
{"name": "mine", "version": "0.1.0", "dependencies": {"patched": "patch:patched@npm%3A1.0.0#./p.patch"}}
== yarn.lock
__metadata:
  version: 8
  cacheKey: 10c0

"forced@npm:3.0.0":
  version: 3.0.0
  resolution: "forced@npm:3.0.0"
  checksum: 10c0/HEX
  languageName: node
  linkType: hard

"fsevents@npm:~2.3.0":
  version: 2.3.1
  resolution: "fsevents@npm:2.3.1"
  checksum: 10c0/HEX
  conditions: os=darwin

"fsevents@patch:fsevents@npm%3A~2.3.0#optional!builtin<compat/fsevents>":
  version: 2.3.1
  resolution: "fsevents@patch:fsevents@npm%3A2.3.1#optional!builtin<compat/fsevents>::version=2.3.1&hash=1"
  conditions: os=darwin

"git@https://git.example/a.git":
  version: 0.5.0
  resolution: "git@https://git.example/a.git#commit=0123456789012345678901234567890123456789"

"kept@npm:^3.0.0":
  version: 3.1.0
  resolution: "kept@npm:3.1.0::__archiveUrl=https%3A%2F%2Fregistry.example%2Fkept%2F-%2Fkept-3.1.0.tgz"

"local@link:./local::locator=me%40workspace%3A.":
  version: 0.0.0-use.local
  resolution: "local@link:./local::locator=me%40workspace%3A."

"me@workspace:.":
  version: 0.0.0-use.local
  resolution: "me@workspace:."
  dependencies:
    git: "https://git.example/a.git"
    kept: "catalog:"
    mine: "workspace:^"
    run: "npm:^1.0.0"
    seven: "npm:real@^7.0.0"
    test: "npm:~2.0.0"

"mine@workspace:^, mine@workspace:packages/mine":
  version: 0.0.0-use.local
  resolution: "mine@workspace:packages/mine"
  dependencies:
    patched: "patch:patched@npm%3A1.0.0#./p.patch"

"patched@npm:1.0.0":
  version: 1.0.0
  resolution: "patched@npm:1.0.0"
  checksum: HEX

"patched@patch:patched@npm%3A1.0.0#./p.patch::locator=mine%40workspace%3Apackages%2Fmine":
  version: 1.0.0
  resolution: "patched@patch:patched@npm%3A1.0.0#./p.patch::version=1.0.0&hash=2&locator=mine%40workspace%3Apackages%2Fmine"

"run@npm:^1.0.0":
  version: 1.2.0
  resolution: "run@npm:1.2.0"
  dependencies:
    fsevents: "npm:~2.3.0"
    local: "npm:^1.0.0"

"seven@npm:real@^7.0.0":
  version: 7.1.0
  resolution: "real@npm:7.1.0"

"test@npm:~2.0.0":
  version: 2.0.3
  resolution: "test@npm:2.0.3"
  dependencies:
    forced: "npm:^2.0.0"
"#;

#[test]
fn entries_are_read_with_scopes_sources_and_stand_ins() {
    let inventory = only(LOCK);
    assert_eq!(messages(&inventory), [""; 0]);
    let expected = [
        "forced@3.0.0",
        "fsevents@2.3.1",
        "git@0.5.0",
        "kept@3.1.0",
        "local@0.0.0-use.local",
        "patched@1.0.0",
        "real@7.1.0",
        "run@1.2.0",
        "test@2.0.3",
    ];
    assert_eq!(labels(&inventory), expected);
    for (name, scope) in [
        ("run", "runtime"),
        ("fsevents", "runtime"),
        ("local", "runtime"),
        ("forced", "development"),
        ("test", "development"),
    ] {
        assert_eq!(scopes(&inventory, name), scope, "{name}");
    }
    let both: Vec<(Identity, &str, String)> = inventory
        .named(Ecosystem::Npm, "patched")
        .map(|p| (p.identity, &*p.source.address, p.scopes.iter().map(Scope::as_str).collect()))
        .collect();
    let runtime = || "runtime".to_owned();
    assert_eq!(both, [(Identity::Public, "", runtime()), (Identity::StandsIn, "./p.patch", runtime())]);
    assert_eq!(find(&inventory, "fsevents").identity, Identity::Public);
    assert_eq!(find(&inventory, "local").identity, Identity::StandsIn);
    assert_eq!(find(&inventory, "forced").checksum.as_deref(), Some(&*format!("sha512:{HEX}")));
    let lock = find(&inventory, "forced").span;
    assert_eq!((inventory.path_of(lock).unwrap().as_str(), lock.line, lock.end_line), ("yarn.lock", 5, 10));
    assert_eq!(find(&inventory, "kept").source, Source::registry("https://registry.example"));
    assert_eq!(find(&inventory, "kept").contradiction, None);
    let git = find(&inventory, "git");
    assert_eq!(
        (git.identity, git.source.is_pinned(), &*git.source.address),
        (Identity::Foreign, true, "https://git.example/a.git")
    );
    let real = find(&inventory, "real");
    assert_eq!((real.alias.as_deref(), real.direct, real.declared.unwrap().line), (Some("seven"), true, 3));
    let roots: Vec<(&str, &str)> = inventory.roots.iter().map(|r| (&*r.label, r.folder.as_str())).collect();
    assert_eq!(roots, [("me@1.0.0", ""), ("mine@0.1.0", "packages/mine")]);
}

#[test]
fn entries_that_contradict_themselves_are_told() {
    for (from, to, name, contradiction) in [
        ("resolution: \"run@npm:1.2.0\"", "resolution: \"evil@npm:1.2.0\"", "run", "evil 1.2.0"),
        ("resolution: \"run@npm:1.2.0\"", "resolution: \"run@npm:1.1.0\"", "run", "run 1.1.0"),
        ("kept-3.1.0.tgz", "kept-3.0.0.tgz", "kept", "kept 3.0.0"),
        ("resolution: \"real@npm:7.1.0\"", "resolution: \"seven@npm:7.1.0\"", "real", "seven 7.1.0"),
    ] {
        let inventory = only(&LOCK.replacen(from, to, 1));
        assert_eq!(find(&inventory, name).contradiction.as_deref(), Some(contradiction), "{from}");
    }
    let elsewhere =
        only(&LOCK.replacen("resolution: \"run@npm:1.2.0\"", "resolution: \"run@https://e.example/x.tgz\"", 1));
    assert_eq!(messages(&elsewhere), ["run: asks for npm:^1.0.0, and the lockfile holds https://e.example/x.tgz"]);
    assert_eq!(find(&elsewhere, "run").identity, Identity::StandsIn);
    let two = only(&LOCK.replacen("\"run@npm:^1.0.0\":", "\"run@npm:^1.0.0, other@npm:^1.0.0\":", 1));
    assert_eq!(messages(&two), ["other: asks for npm:^1.0.0, and the lockfile holds run@npm:1.2.0"]);
    // A patch that is not of yarn's making, or of another version than what it is put on.
    for (from, to) in [
        ("#optional!builtin<compat/fsevents>::", "#optional!builtin<compat/fsevents>&./evil.patch::"),
        ("npm%3A2.3.1#", "npm%3A2.3.0#"),
    ] {
        let inventory = only(&LOCK.replacen(from, to, 1));
        assert_eq!(inventory.named(Ecosystem::Npm, "fsevents").filter(|p| p.identity == Identity::StandsIn).count(), 1);
    }
}

#[test]
fn manifests_and_lockfile_that_differ_are_told() {
    for (from, to, expected) in [
        ("\"test\": \"~2.0.0\"", "\"test\": \"^3.0.0\"", "test: asks for ^3.0.0, and the lockfile holds 2.0.3"),
        ("\"test\": \"~2.0.0\", ", "", "test: is locked for a member whose manifest does not ask for it"),
        ("version: 2.0.3", "version: 1.0.3", "test: asks for npm:~2.0.0, and the lockfile holds 1.0.3"),
        (
            "    forced: \"npm:^2.0.0\"",
            "    other: \"npm:^2.0.0\"",
            "other: test asks for npm:^2.0.0, which the lockfile does not hold",
        ),
        (
            "== yarn.lock",
            "== packages/b/package.json\n{\"name\": \"b\"}\n== yarn.lock",
            "b: is a member of the workspace, which the lockfile does not hold",
        ),
    ] {
        assert!(LOCK.contains(from), "{from}");
        let found = messages(&only(&LOCK.replacen(from, to, 1)));
        assert!(found.contains(&expected.to_owned()), "{from}: {found:?}");
    }
}

#[test]
fn members_without_a_manifest_are_runtime() {
    let lock = LOCK.split_once("== yarn.lock").unwrap().1;
    let inventory = only(&format!("== yarn.lock{lock}"));
    assert_eq!((inventory.roots.len(), scopes(&inventory, "test")), (2, "runtime".to_owned()));
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, is_version) in [
        ("__metadata:\n  version: 3\n", true),
        ("__metadata:\n  version: 11\n", true),
        ("__metadata:\n  cacheKey: 8\n", true),
        ("__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1\n", false),
        (
            "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n\"a@npm:1, a@npm:2\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n",
            false,
        ),
        ("__metadata:\n  version: 8\n<<<<<<< HEAD\n", false),
        (
            "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  resolved: x\n",
            false,
        ),
    ] {
        let found = error(text);
        assert_eq!(matches!(found, Unread::Unsupported(_)), is_version, "{text}: {found}");
    }
}

#[test]
fn hostile_files_are_answered() {
    let many: String = (0..40_000)
        .map(|n| format!("\"p{n}@npm:1\":\n  version: 1.0.0\n  resolution: \"p{n}@npm:1.0.0\"\n  dependencies:\n    p{}: \"npm:1\"\n", (n + 1) % 40_000))
        .collect();
    let inventory = only(&format!("== yarn.lock\n__metadata:\n  version: 6\n{many}"));
    assert_eq!((inventory.packages.len(), inventory.edges.len(), inventory.disagreements.len()), (40_000, 40_000, 0));
    let whole = LOCK.split_once("== yarn.lock\n").unwrap().1;
    let mut texts: Vec<String> =
        (0..whole.len()).step_by(5).filter_map(|end| Some(whole.get(..end)?.to_owned())).collect();
    let entry = |key: &str, resolution: &str| {
        format!("__metadata:\n  version: 8\n\"{key}\":\n  version: 1.0.0\n  resolution: \"{resolution}\"\n")
    };
    texts.push(entry("a@workspace:../../..", "a@workspace:../../.."));
    texts.push(entry("a@patch:a", "a@patch:a@patch:a@patch%3Aa%40patch%3A#::"));
    texts.push(entry("@", "@@@::::"));
    texts.push(entry("a@npm:1", "a@npm:1::__archiveUrl=%%%2"));
    texts.push(format!("__metadata:\n  version: 8\na: {}", "[".repeat(30_000)));
    texts.push(format!("__metadata: &a\n  version: 8\nb: [{}]\n", "*a, ".repeat(30_000)));
    texts.push(entry(&format!("a@npm:^{}", "9".repeat(10_000)), &format!("a@npm:{}", "9".repeat(10_000))));
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    survives(&Berry, &[LOCKFILE], &bytes);
}

/// Counts and digests are those of `name@version` that `parseSyml` of `@yarnpkg/parsers` 3.1.0 gives: the name of each
/// `resolution` with its `version`, members of the workspace left out. The trees hold the root's manifest alone.
#[test]
fn real_files_hold_what_another_reader_finds() {
    let Some(root) = testing::corpus("lockfiles/npm") else { return };
    for (folder, count, expected) in [
        ("yarn-berry-2021-v4", 1146, "d50e2da55213537dc0c5a20b3a2ed88a76a4e3314afc225264be08f0879ff85d"),
        ("yarn-berry-2024-v8", 1484, "39a560661a1ada801176db931ee914c8b8f8d368fb60cad73797ccb42b8f781c"),
        ("yarn-berry-2026-v10", 1577, "9176a7bbbb69b428d967d2557006a426481893fba9e5d66e156532032ae8da68"),
    ] {
        let inventory = read_one(&Berry, &testing::folder(&root.join(folder)));
        let found = labels(&inventory);
        assert_eq!((found.len(), &*digest(&found)), (count, expected), "{folder}");
        assert_eq!(messages(&inventory), [""; 0], "{folder}");
        assert!(inventory.packages.iter().all(|package| package.contradiction.is_none()), "{folder}");
    }
}
