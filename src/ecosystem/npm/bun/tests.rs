use super::*;
use crate::ecosystem::testing::{self, digest, find, labels, read_one, survives, tree};

const SRI: &str = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn only(text: &str) -> Inventory {
    read_one(&Bun, &tree(&text.replace("SRI", SRI)))
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|each| format!("{}: {}", each.name, each.message)).collect()
}

fn scopes(inventory: &Inventory, name: &str) -> String {
    find(inventory, name).scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join("+")
}

fn error(lock: &str) -> Unread {
    let files = tree(&format!("== bun.lock\n{lock}"));
    let project = Bun.projects(&files).unwrap().remove(0);
    Bun.read(&project, View::new(&files, &[])).unwrap_err().1
}

const LOCK: &str = r#"== package.json
{
  "name": "me", "version": "1.0.0", "workspaces": ["packages/*"],
  "dependencies": {"run": "^1.0.0", "seven": "npm:real@^7.0.0", "kept": "catalog:"},
  "devDependencies": {"test": "~2.0.0"},
  "overrides": {"forced": "3.0.0"}
}
== packages/mine/package.json
{"name": "mine", "version": "0.1.0", "dependencies": {"git": "github:a/git", "below": "^2.0.0"}}
== bun.lock
{
  // a comment, "with quotes
  "lockfileVersion": 1, /* another } */
  "workspaces": {
    "": {
      "name": "me",
      "dependencies": {"kept": "catalog:", "run": "^1.0.0", "seven": "npm:real@^7.0.0"},
      "devDependencies": {"test": "~2.0.0",},
    },
    "packages/mine": {
      "name": "mine",
      "dependencies": {"below": "^2.0.0", "git": "github:a/git"},
    },
  },
  "trustedDependencies": ["kept"],
  "patchedDependencies": {"test@2.0.3": "patches/test.patch"},
  "overrides": {"forced": "3.0.0"},
  "catalog": {"kept": "^3.0.0"},
  "packages": {
    "below": ["below@1.0.0", "", {}, "SRI"],

    "forced": ["forced@3.0.0", "", {}, "SRI"],

    "git": ["git@github:a/git#0123456789012345678901234567890123456789", {}, "a-git-0123456"],

    "kept": ["kept@3.1.0", "https://registry.example/kept/-/kept-3.0.0.tgz", {}, "SRI"],

    "mine": ["mine@workspace:packages/mine"],

    "run": ["run@1.2.0", "", {"dependencies": {"below": "^1.0.0"}, "optionalDependencies": {"absent": "1"}}, "SRI"],

    "seven": ["real@7.1.0", "", {"peerDependencies": {"run": "*"}, "bundled": true,}, "SRI",],

    "test": ["test@2.0.3", "", {"dependencies": {"below": "^3.0.0", "forced": "^2.0.0"}}, "SRI"],

    "mine/below": ["below@2.0.0", "", {}, "SRI"],

    "test/below": ["below@3.0.0", "", {}, "SRI"],
  }
}
"#;

#[test]
fn packages_are_found_by_their_places() {
    let inventory = only(LOCK);
    assert_eq!(messages(&inventory), [""; 0]);
    let expected = [
        "below@1.0.0",
        "below@2.0.0",
        "below@3.0.0",
        "forced@3.0.0",
        "git@github:a/git#0123456789012345678901234567890123456789",
        "kept@3.1.0",
        "real@7.1.0",
        "run@1.2.0",
        "test@2.0.3",
    ];
    assert_eq!(labels(&inventory), expected);
    let below: Vec<(&str, bool, String)> = inventory
        .named(Ecosystem::Npm, "below")
        .map(|p| (&*p.version, p.direct, p.scopes.iter().map(Scope::as_str).collect()))
        .collect();
    let [run, dev] = ["runtime", "development"].map(str::to_owned);
    assert_eq!(below, [("1.0.0", false, run.clone()), ("2.0.0", true, run), ("3.0.0", false, dev)]);
    assert_eq!(scopes(&inventory, "forced"), "development");
    let kept = find(&inventory, "kept");
    assert_eq!((kept.contradiction.as_deref(), kept.runs_on_install), (Some("kept 3.0.0"), true));
    let real = find(&inventory, "real");
    assert_eq!((real.alias.as_deref(), real.is_bundled, real.identity), (Some("seven"), true, Identity::Public));
    assert_eq!(find(&inventory, "test").identity, Identity::StandsIn);
    let git = find(&inventory, "git");
    assert_eq!((git.identity, git.source.is_pinned(), git.checksum.is_some()), (Identity::Foreign, true, true));
    assert!(find(&inventory, "run").checksum.as_deref().unwrap().starts_with("sha512:cf83e135"));
    assert_eq!((find(&inventory, "run").span.line, find(&inventory, "run").declared.unwrap().line), (30, 3));
    let roots: Vec<(&str, &str)> = inventory.roots.iter().map(|r| (&*r.label, r.folder.as_str())).collect();
    assert_eq!(roots, [("me@1.0.0", ""), ("mine@0.1.0", "packages/mine")]);
}

#[test]
fn manifests_and_lockfile_that_differ_are_told() {
    for (from, to, expected) in [
        (
            "\"test\": \"~2.0.0\"}",
            "\"test\": \"^3.0.0\"}",
            "test: asks for ^3.0.0, and the lockfile was made for ~2.0.0",
        ),
        ("\"test\": \"~2.0.0\"}", "\"new\": \"1\"}", "new: asks for 1, which the lockfile does not hold"),
        ("\"test\": \"~2.0.0\"}", "\"new\": \"1\"}", "test: is locked for a member whose manifest does not ask for it"),
        (
            "[\"test@2.0.3\", \"\", {\"dependencies\"",
            "[\"test@workspace:x\", \"\", {\"dependencies\"",
            "test: is a member of the workspace in one part of the lockfile alone",
        ),
        ("[\"test@2.0.3\"", "[\"test@1.0.3\"", "test: asks for ~2.0.0, and the lockfile holds 1.0.3"),
        ("[\"run@1.2.0\"", "[\"evil@1.2.0\"", "run: asks for ^1.0.0, and the lockfile holds evil@1.2.0"),
        (
            "\"test/below\": [\"below@3.0.0\"",
            "\"x/below\": [\"below@3.0.0\"",
            "below: asks for ^3.0.0, and the lockfile holds 1.0.0",
        ),
        (
            "{\"below\": \"^1.0.0\"}",
            "{\"gone\": \"^1.0.0\"}",
            "gone: run asks for ^1.0.0, which the lockfile does not hold",
        ),
        ("\"overrides\": {\"forced\": \"3.0.0\"}\n", "\"x\": 1\n", "forced: is overridden by the lockfile alone"),
        ("\"kept\": \"^3.0.0\"", "\"kept\": \"^4.0.0\"", "kept: asks for catalog:, and the lockfile holds 3.1.0"),
        (
            "== bun.lock",
            "== packages/b/package.json\n{}\n== bun.lock",
            "packages/b: is a member of the workspace, which the lockfile does not hold",
        ),
    ] {
        assert!(LOCK.contains(from), "{from}");
        let found = messages(&only(&LOCK.replacen(from, to, 1)));
        assert!(found.contains(&expected.to_owned()), "{from}: {found:?}");
    }
}

#[test]
fn folders_in_the_place_of_packages_stand_in() {
    let inventory =
        only(&LOCK.replacen("[\"below@1.0.0\", \"\", {}, \"SRI\"]", "[\"below@workspace:packages/mine\"]", 1));
    let below = inventory.named(Ecosystem::Npm, "below").next().unwrap();
    assert_eq!(
        (&*below.version, &*below.source.address, below.identity),
        ("0.0.0", "packages/mine", Identity::StandsIn)
    );
    let lock = LOCK.replacen("\"test\": [\"test@2.0.3\", \"\", {\"dependencies\": {\"below\": \"^3.0.0\", \"forced\": \"^2.0.0\"}}, \"SRI\"]", "\"test\": [\"mine@workspace:packages/mine\"]", 1);
    assert_ne!(lock, LOCK);
    let test = only(&lock).packages.into_iter().find(|package| *package.name == *"test").unwrap();
    assert_eq!((&*test.source.address, test.identity, test.direct), ("packages/mine", Identity::StandsIn, true));
    // A member under its own name is none.
    let own = LOCK.replacen("\"test\": \"~2.0.0\"}", "\"mine\": \"^0.1.0\"}", 1).replacen(
        "\"test\": \"~2.0.0\",}",
        "\"mine\": \"^0.1.0\",}",
        1,
    );
    let inventory = only(&own);
    assert_eq!((messages(&inventory), inventory.named(Ecosystem::Npm, "mine").count()), (Vec::new(), 0));
}

#[test]
fn digests_count_in_their_own_place_alone() {
    let lock = |items: &str| format!("== bun.lock\n{{\"lockfileVersion\": 1, \"packages\": {{\"a\": [{items}]}}}}\n");
    let git = "a@github:o/a#0123456789012345678901234567890123456789";
    for items in [
        "\"a@1.0.0\", \"\", {}, \"sha512-x\", \"SRI\"".to_owned(),
        "\"a@1.0.0\", {}, \"\", \"SRI\"".to_owned(),
        "\"a@1.0.0\", \"\", \"SRI\"".to_owned(),
        "\"a@https://e.example/a.tgz\", {}, \"x\", \"SRI\"".to_owned(),
        format!("\"{git}\", {{}}, \"o-a-0123456\", \"SRI\", {{}}"),
    ] {
        let text = lock(&items.replace("SRI", SRI));
        let found = error(text.split_once('\n').unwrap().1);
        assert_eq!(found.to_string(), "line 1: a package with items that have no place in it", "{items}");
    }
    for items in ["\"a@1.0.0\", \"\", {}, \"SRI\"", "\"a@https://e.example/a.tgz\", {}, \"SRI\""] {
        let inventory = only(&lock(items));
        assert!(inventory.packages[0].checksum.is_some() && inventory.disagreements.is_empty(), "{items}");
    }
    let inventory = only(&lock(
        "\"a@1.0.0\", \"https://registry.example/a/-/a-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\", {}, \"sha3-x SRI\"",
    ));
    let expected = format!("a: carries an integrity that is not one digest: `sha3-x {SRI}`");
    assert_eq!((inventory.packages[0].checksum.as_deref(), messages(&inventory)), (None, vec![expected]));
}

#[test]
fn comments_and_commas_are_blanked_where_they_stand() {
    for (text, expected) in [
        ("[1, 2,]", "[1, 2 ]"),
        ("[1, // x\n]", "[1      \n]"),
        ("[1, /* , */ ]", "[1          ]"),
        ("{\"a,]//\": \"\\\"/*\",}", "{\"a,]//\": \"\\\"/*\" }"),
        ("[,]", "[ ]"),
        ("[1,, 2]", "[1,, 2]"),
        ("[1 /* x", "[1 /* x"),
        ("\"\\", "\"\\"),
    ] {
        assert_eq!(String::from_utf8(strict(text.as_bytes())).unwrap(), expected, "{text}");
    }
}

#[test]
fn places_end_at_names_with_their_scopes() {
    for (place, expected) in
        [("a/b", "a"), ("a", ""), ("@s/a", ""), ("a/@s/b", "a"), ("@s/a/b", "@s/a"), ("@s/a/@t/b", "@s/a")]
    {
        assert_eq!(above(place), expected, "{place}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, is_version) in [
        ("{\"lockfileVersion\": 2}", true),
        ("{\"lockfileVersion\": \"1\"}", false),
        ("{}", false),
        ("{\"lockfileVersion\": 1, \"packages\": {\"a\": \"a@1\"}}", false),
        ("{\"lockfileVersion\": 1, \"packages\": {\"a\": [\"a@1.0.0\"], \"a\": []}}", false),
        ("{\"lockfileVersion\": 1, \"packages\": []}", false),
    ] {
        let found = error(text);
        assert_eq!(matches!(found, Unread::Unsupported(_)), is_version, "{text}: {found}");
    }
    let files = tree("== a/bun.lockb\n#!/usr/bin/env bun\n== a/package.json\n{}\n");
    let projects = Bun.projects(&files).unwrap();
    assert_eq!(projects.len(), 1);
    let (path, error) = Bun.read(&projects[0], View::new(&files, &[])).unwrap_err();
    assert_eq!((path.as_str(), matches!(error, Unread::Unsupported(_))), ("a/bun.lockb", true));
}

#[test]
fn hostile_files_are_answered() {
    let lock = |packages: &str| format!("{{\"lockfileVersion\": 1, \"packages\": {{{packages}}}}}");
    let many: String = (0..200_000)
        .map(|n| {
            format!("\"p{n}\": [\"p{n}@1.0.0\", \"\", {{\"dependencies\": {{\"p{}\": \"1\"}}}}],", (n + 1) % 200_000)
        })
        .collect();
    let inventory = only(&format!("== bun.lock\n{}", lock(&many)));
    assert_eq!((inventory.packages.len(), inventory.edges.len(), inventory.disagreements.len()), (200_000, 200_000, 0));
    assert!(error(&lock(&format!("\"{}a\": [\"a@1.0.0\"]", "a/".repeat(200)))).to_string().contains("deeper than 128"));
    let whole = LOCK.split_once("== bun.lock\n").unwrap().1;
    let mut texts: Vec<String> = (0..whole.len()).filter_map(|end| Some(whole.get(..end)?.to_owned())).collect();
    texts.push(lock(&format!("\"a\": {}", "[".repeat(30_000))));
    texts.push("/*".repeat(30_000));
    texts.push(lock(&format!("\"a\": [\"a@{}\"]", "9".repeat(10_000))));
    texts.push(lock("\"../../a\": [\"a@file:../../..\"], \"b\": [\"b@workspace:../../..\"]"));
    texts.push("{\"lockfileVersion\": 0, \"workspaces\": {\"../..\": {\"name\": \"x\"}}}".to_owned());
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    survives(&Bun, &[LOCKFILE, BINARY], &bytes);
}

/// Counts and digests are those of `name@version` as `bun pm ls --all` of bun 1.4.5 prints them, and of a second reader
/// of the JSON.
#[test]
fn real_files_hold_what_bun_finds() {
    let Some(root) = testing::corpus("lockfiles/npm/bun-hono") else { return };
    let files = testing::folder(&root);
    let projects = Bun.projects(&files).unwrap();
    let found: Vec<&str> = projects.iter().map(|p| p.lockfile.as_ref().unwrap().as_str()).collect();
    assert_eq!(found, ["bun.lock", "benchmarks/query-param/bun.lockb", "benchmarks/routers/bun.lock"]);
    let read = |at: usize| Bun.read(&projects[at], View::new(&files, &[]));
    for (at, count, expected) in [
        (0, 1012, "46d0807a9b241a80b19e83a3ffa1f448f952365efd80c2e5b0df7f0c1ea52a6d"),
        (2, 137, "b0f645ae42440000ede31cacb71cbf8ba5f166fa3f263b274b1816f386889871"),
    ] {
        let inventory = read(at).unwrap();
        let labels = labels(&inventory);
        assert_eq!((labels.len(), &*digest(&labels)), (count, expected));
        assert!(inventory.packages.iter().all(|p| p.checksum.is_some() && p.contradiction.is_none()));
    }
    assert_eq!(messages(&read(0).unwrap()), [""; 0]);
    // This manifest was changed and its lockfile was not: compare the two files by eye.
    let expected = [
        "express: asks for ^5.2.1, and the lockfile was made for ^4.21.2",
        "find-my-way: asks for ^9.6.0, and the lockfile was made for ^9.3.0",
        "koa-router: asks for ^14.0.0, and the lockfile was made for ^12.0.1",
        "memoirist: asks for ^1.1.0, and the lockfile was made for ^0.4.0",
        "rou3: asks for ^0.9.1, and the lockfile was made for ^0.7.3",
    ];
    assert_eq!(messages(&read(2).unwrap()), expected);
    assert!(matches!(read(1).unwrap_err().1, Unread::Unsupported(_)));
}
