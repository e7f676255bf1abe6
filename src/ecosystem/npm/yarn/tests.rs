use super::*;
use crate::ecosystem::testing::{self, digest, find, labels, read_one, survives, tree};
use crate::model::inventory::Scope;

const SRI: &str = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn only(text: &str) -> Inventory {
    read_one(&Yarn, &tree(&text.replace("SRI", SRI)))
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|each| format!("{}: {}", each.name, each.message)).collect()
}

fn scopes(inventory: &Inventory, name: &str) -> String {
    find(inventory, name).scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join("+")
}

fn error(lock: &str) -> String {
    let files = tree(&format!("== yarn.lock\n{lock}"));
    let project = Yarn.projects(&files).unwrap().remove(0);
    Yarn.read(&project, View::new(&files, &[])).unwrap_err().1.to_string()
}

const LOCK: &str = r#"== package.json
{
  "name": "me", "version": "1.0.0", "workspaces": ["packages/*"],
  "dependencies": {"@s/run": "^1.0.0", "seven": "npm:real@^7.0.0", "linked": "link:./here"},
  "devDependencies": {"test": "~2.0.0", "mine": "^0.1.0"},
  "resolutions": {"**/forced": "3.0.0"}
}
== packages/mine/package.json
{"name": "mine", "version": "0.1.0", "dependencies": {"git": "https://git.example/a/git.git"}}
== yarn.lock
# yarn lockfile v1


"@s/run@^1.0.0", "@s/run@^1.1.0":
  version "1.2.0"
  resolved "https://registry.example/@s/run/-/run-1.2.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709"
  integrity SRI
  dependencies:
    below "^1.0.0"
    forced "^2.0.0"
  optionalDependencies:
    maybe "^1.0.0"

below@^1.0.0:
  version "1.0.0"
  resolved "https://registry.example/below/-/below-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709"

forced@3.0.0:
  version "3.0.0"

maybe@^1.0.0:
  version "1.9.0"

"git@https://git.example/a/git.git":
  version "0.5.0"
  resolved "https://git.example/a/git.git#0123456789012345678901234567890123456789"

"seven@npm:real@^7.0.0":
  version "7.1.0"
  resolved "https://registry.example/real/-/real-7.1.0.tgz"

test@~2.0.0:
  version "2.0.3"
  resolved "https://registry.example/test/-/other-2.0.3.tgz"
  dependencies:
    dev-below "1.0.0"

dev-below@1.0.0:
  version "1.0.0"
  resolved "https://elsewhere.example/x.tgz"
"#;

#[test]
fn entries_are_read_with_scopes_sources_and_aliases() {
    let inventory = only(LOCK);
    assert_eq!(messages(&inventory), [""; 0]);
    let expected = [
        "@s/run@1.2.0",
        "below@1.0.0",
        "dev-below@1.0.0",
        "forced@3.0.0",
        "git@0.5.0",
        "linked@link:./here",
        "maybe@1.9.0",
        "real@7.1.0",
        "test@2.0.3",
    ];
    assert_eq!(labels(&inventory), expected);
    for (name, scope) in
        [("@s/run", "runtime"), ("forced", "runtime"), ("git", "runtime"), ("dev-below", "development")]
    {
        assert_eq!(scopes(&inventory, name), scope, "{name}");
    }
    let run = find(&inventory, "@s/run");
    assert_eq!((run.span.line, run.span.end_line, run.declared.unwrap().line), (4, 12, 3));
    assert!(run.checksum.as_deref().unwrap().starts_with("sha512:cf83e135"));
    assert_eq!(run.source, Source::registry("https://registry.example"));
    let below = find(&inventory, "below");
    assert_eq!(below.checksum.as_deref(), Some("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    let real = find(&inventory, "real");
    assert_eq!(
        (real.alias.as_deref(), real.identity, real.contradiction.as_deref()),
        (Some("seven"), Identity::Public, None)
    );
    assert_eq!(find(&inventory, "test").contradiction.as_deref(), Some("other 2.0.3"));
    let git = find(&inventory, "git");
    assert_eq!((git.identity, git.source.is_pinned(), git.direct), (Identity::Foreign, true, true));
    assert_eq!(find(&inventory, "dev-below").identity, Identity::StandsIn);
    assert_eq!(find(&inventory, "linked").source, Source::path("./here"));
    let roots: Vec<(&str, &str)> = inventory.roots.iter().map(|r| (&*r.label, r.folder.as_str())).collect();
    assert_eq!(roots, [("me@1.0.0", ""), ("mine@0.1.0", "packages/mine")]);
}

#[test]
fn manifests_and_lockfile_that_differ_are_told() {
    for (from, to, expected) in [
        ("\"test\": \"~2.0.0\"", "\"test\": \"^3.0.0\"", "test: asks for ^3.0.0, and the lockfile holds 2.0.3"),
        ("\"test\": \"~2.0.0\"", "\"new\": \"1\"", "new: asks for 1, which the lockfile does not hold"),
        ("version \"2.0.3\"", "version \"1.0.3\"", "test: asks for ~2.0.0, and the lockfile holds 1.0.3"),
        ("dev-below \"1.0.0\"", "dev-below \"2.0.0\"", "dev-below: test asks for 2.0.0, and the lockfile holds 1.0.0"),
        ("below@^1.0.0:", "below@^1.0.0, lodash@^1.0.0:", "lodash: is locked in one entry with below"),
    ] {
        let found = messages(&only(&LOCK.replacen(from, to, 1)));
        assert!(found.contains(&expected.to_owned()), "{from}: {found:?}");
    }
}

#[test]
fn without_a_manifest_what_nobody_needs_is_direct() {
    let inventory =
        only("== yarn.lock\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"1\"\nb@1:\n  version \"1.0.0\"\n");
    let direct: Vec<bool> = inventory.packages.iter().map(|package| package.direct).collect();
    assert_eq!(direct, [true, false]);
}

#[test]
fn an_address_that_is_asked_for_is_no_package_of_its_registry() {
    let url = "https://registry.example/real/-/real-1.0.0.tgz";
    let inventory = only(&format!(
        "== yarn.lock\n\"x@{url}\":\n  version \"1.0.0\"\n  resolved \"{url}#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n"
    ));
    let x = find(&inventory, "x");
    assert_eq!((x.identity, &*x.source.address, x.contradiction.as_deref()), (Identity::Foreign, url, None));
}

#[test]
fn other_spellings_are_refused() {
    for (text, expected) in [
        ("a@1:\n  version \"1\"\na@1:\n  version \"2\"\n", "line 3: the entry `a@1` stands twice"),
        ("a@1:\n  version \"1\"\n  version \"2\"\n", "line 3: the field `version` stands twice"),
        (
            "a@1:\n  version \"1\"\n  dependencies:\n    b \"1\"\n    b \"2\"\n",
            "line 5: the dependency `b` stands twice",
        ),
        ("a@1:\n  resolved \"x\"\n", "line 1: an entry without a version"),
        ("a@1:\n  version \"1\" resolved \"x\"\n", "line 2: something behind the value"),
        ("a@1:\n\n  version \"1\"\n", "line 3: indented as nothing in a lockfile is"),
        ("a@1:\n\tversion \"1\"\n", "line 2: a word that needs quotes"),
        ("a@1:\n   version \"1\"\n", "line 2: indented as nothing in a lockfile is"),
        ("a@1:\n  version: \"1\"\n", "line 2: a line without a value"),
        ("a@1:\n  version \"1\n", "line 2: a string without an end"),
        ("a@1 \"x\"\n", "line 1: not an entry (`name@range:`)"),
        ("<<<<<<< HEAD\na@1:\n", "line 1: conflict markers (`<<<<<<<`): a merge was left unfinished"),
        ("a@1:\n  version \"1\0\"\n", "line 2: a NUL byte"),
        ("{\"a\": 1}\n", "line 1: a word that needs quotes"),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
    let hidden = format!("{}\n__metadata:\n  version: 8\n", "#".repeat(70_000));
    assert_eq!(error(&hidden), "line 2: a word that needs quotes");
    let names: String = (0..20).map(|n| format!("p{n}@1, ")).collect();
    assert!(error(&format!("{names}q@1:\n  version \"1\"\n")).contains("more than 8 packages"));
}

#[test]
fn every_lockfile_has_one_reader() {
    let berry = "== a/yarn.lock\n# comment\n\n__metadata:\n  version: 8\n== b/yarn.lock\na@1:\n  version \"1\"\n== c/yarn.lock\n\u{1}\n== node_modules/x/yarn.lock\n";
    let files = tree(berry);
    let folders = |format: &dyn Format| -> Vec<String> {
        format.projects(&files).unwrap().iter().map(|project| project.path.to_string()).collect()
    };
    assert_eq!(
        (folders(&Yarn), folders(&super::super::berry::Berry)),
        (vec!["b".to_owned(), "c".to_owned()], vec!["a".to_owned()])
    );
}

#[test]
fn hostile_files_are_answered() {
    let many: String = (0..100_000)
        .map(|n| {
            format!("p{n}@1, p{n}@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    p{} \"1\"\n", (n + 1) % 100_000)
        })
        .collect();
    let inventory = only(&format!("== yarn.lock\n{many}"));
    assert_eq!((inventory.packages.len(), inventory.edges.len(), inventory.disagreements.len()), (100_000, 100_000, 0));
    let whole = LOCK.split_once("== yarn.lock\n").unwrap().1;
    let mut texts: Vec<String> = (0..whole.len()).filter_map(|end| Some(whole.get(..end)?.to_owned())).collect();
    let digits = "9".repeat(10_000);
    texts.push(format!("a@^{digits}:\n  version \"{digits}\"\n"));
    texts.push("\"".repeat(30_000));
    texts.push(format!("\"{}\":\n  version \"1\"\n", "\\u00".repeat(30_000)));
    texts.push("\"a@file:../../../etc\":\n  version \"1\"\n  resolved \"file:../../..\"\n".to_owned());
    texts.push("@@@:\n  version \"\"\n  resolved \"#\"\n".to_owned());
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    survives(&Yarn, &[LOCKFILE], &bytes);
}

/// Counts and digests are those of `name@version` as `@yarnpkg/lockfile` 1.1.0 gives them, aliases under the names of
/// what they stand for.
#[test]
fn real_files_hold_what_another_reader_finds() {
    let Some(root) = testing::corpus("lockfiles/npm") else { return };
    for (folder, count, expected) in [
        ("yarn-v1-yarn", 1062, "1e525fca008f723109f681d5ebcae63745b5d6ad234020df53ceb869d9430bc8"),
        ("awesome-compose-react/vuejs/vuejs", 814, "f063bdd86b9e4e9f68ecb673317b0baa5d96b6f112d0e66f4e650b6c2a5f6d15"),
    ] {
        let inventory = read_one(&Yarn, &testing::folder(&root.join(folder)));
        let found = labels(&inventory);
        assert_eq!((found.len(), &*digest(&found)), (count, expected), "{folder}");
        assert_eq!(messages(&inventory), [""; 0], "{folder}");
        assert!(inventory.packages.iter().all(|package| package.contradiction.is_none()), "{folder}");
    }
}

#[test]
fn members_that_packages_get_stand_in_and_two_digests_fix_nothing() {
    let two = format!("sha256-{}= sha256-{}=", "A".repeat(43), "B".repeat(42) + "A");
    let inventory = read_one(
        &Yarn,
        &tree(&format!(
            "== package.json\n{{\"name\":\"top\",\"workspaces\":[\"w\"],\"dependencies\":{{\"a\":\"1\",\"ms\":\"^2\"}}}}\n\
             == w/package.json\n{{\"name\":\"ms\",\"version\":\"2.1.3\"}}\n== yarn.lock\n# yarn lockfile v1\n\n\
             a@1:\n  version \"1.0.0\"\n  \
             resolved \"https://registry.example/a/-/a-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n  \
             integrity \"{two}\"\n  dependencies:\n    ms \"^2.1.0\"\n"
        )),
    );
    let ms = find(&inventory, "ms");
    assert_eq!((&*ms.version, &*ms.source.address, ms.identity), ("0.0.0", "w", Identity::StandsIn));
    assert_eq!((inventory.needs(0), ms.direct), (&[1][..], false));
    let wrong = format!("carries an integrity that is not one digest: `{two}`");
    assert_eq!(find(&inventory, "a").checksum, None);
    assert_eq!(inventory.disagreements.iter().map(|each| &*each.message).collect::<Vec<_>>(), [wrong]);
}
