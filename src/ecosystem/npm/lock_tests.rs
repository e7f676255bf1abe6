//! Tests of lockfiles and lone manifests.

use super::lock::PackageLock;
use super::unlocked::Manifest;
use crate::ecosystem::testing::{self, find, tree};
use crate::model::inventory::{Identity, Inventory, Scope, SourceKind};

/// Names and messages of what disagrees.
fn complaints(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|each| format!("{}: {}", each.name, each.message)).collect()
}

// Counts and digests are those of `@npmcli/arborist` 9.9.3, `loadVirtual()`: every node but the root, links and members,
// as `name@version`, sorted, each once.
#[test]
fn real_lockfiles_lose_no_package() {
    for (folder, count, digest) in [
        ("checkout-2020-v1", 642, "48f4b880b7b9c75c243d6fc96e752196d616f54bd7370a86a94e21b55e821238"),
        ("checkout-2023-v2", 537, "fcf2c8916e0f58bc285e92d3acafe19ecc4d474a967e59a91a9e96a2d5a04e12"),
        ("checkout-2026-v3", 557, "533bac198443db0d007c1efd442ed7034fd924e51e3848123d74ebd94a4263fc"),
        ("npm-cli-workspaces-v3", 1020, "3112001363806dee7daa3d9b7192fd7c149000be26036d6c712a46dc33a835bd"),
        ("shrinkwrap-dependency-review", 732, "7381286cb48719d2f88535b398e13834e7ba62cefaac400fc7aa43511aaa5742"),
        ("awesome-compose-react/react-nginx", 1150, "6ba9e41f78c719f93fbf77884f89ab9dfddc3af89ba208942c03898db1838cf6"),
        (
            "awesome-compose-react/react-express-mongodb/frontend",
            1152,
            "1fa0e3ff25c5cdcd9e7f07d8c699e8cb1e604d29692332572931d6bbe0ceba93",
        ),
    ] {
        let Some(path) = testing::corpus(&format!("lockfiles/npm/{folder}")) else { return };
        let inventory = testing::read_one(&PackageLock, &testing::folder(&path));
        let labels = testing::labels(&inventory);
        assert_eq!((labels.len(), &*testing::digest(&labels)), (count, digest), "{folder}");
        let lies: Vec<_> = inventory.packages.iter().filter(|p| p.contradiction.is_some()).collect();
        assert!(lies.is_empty(), "{lies:?}");
        assert_eq!(complaints(&inventory), [""; 0], "{folder}");
        let unfixed = inventory
            .packages
            .iter()
            .filter(|package| !package.is_fixed() || !package.direct && package.span.line == 0);
        assert_eq!(unfixed.count(), 0, "{folder}");
    }
}

// As computed by the same tool from the manifests alone: all flags reset, then `calcDepFlags`; packages that are
// nowhere but in development.
#[test]
fn scopes_of_real_projects_are_those_of_their_manifests() {
    for (folder, count, digest) in [
        ("checkout-2020-v1", 588, "1053b1f23fd5a0748bcce7e216cbad233af89f56087c9331253584831affb09c"),
        ("checkout-2023-v2", 497, "30b61988eb3f8b7752fa9328df389c006aa4dc7dab9588b81aca3592d2bbba28"),
        ("checkout-2026-v3", 533, "6adc037e9e340306d39fd9d413224d21e8d52c948203d2dcf3ec75b934f39510"),
        ("shrinkwrap-dependency-review", 252, "198be94076e7cacfb5879414f91fa011a9e19f18977b7ed796fe20402ccf8671"),
        (
            "awesome-compose-react/react-express-mongodb/frontend",
            1127,
            "25c1291fd627c63d79a20f40685ebd83ef8704c461fc032ed1922e9f2671bcc9",
        ),
    ] {
        let Some(path) = testing::corpus(&format!("lockfiles/npm/{folder}")) else { return };
        let inventory = testing::read_one(&PackageLock, &testing::folder(&path));
        let is_runtime = |package: &&crate::model::inventory::Package| {
            package.scopes.contains(crate::model::inventory::Scopes::of(Scope::Runtime))
        };
        let runtime: Vec<String> = inventory.packages.iter().filter(is_runtime).map(|p| p.label()).collect();
        let mut rest = testing::labels(&inventory);
        rest.retain(|label| !runtime.contains(label));
        assert_eq!((rest.len(), &*testing::digest(&rest)), (count, digest), "{folder}");
    }
}

/// Shorthand for what a test looks at: `name@version scopes`.
fn scopes(inventory: &Inventory) -> Vec<String> {
    let of = |package: &crate::model::inventory::Package| {
        let scopes: Vec<&str> = package.scopes.iter().map(Scope::as_str).collect();
        format!("{} {}{}", package.label(), scopes.join("+"), if package.direct { " direct" } else { "" })
    };
    inventory.packages.iter().map(of).collect()
}

const V3: &str = r#"== app/package.json
{
  "name": "app", "version": "1.0.0",
  "dependencies": { "a": "^1.0.0", "other": "npm:real@2" },
  "devDependencies": {
    "t": "1.x"
  },
  "optionalDependencies": { "o": "*" },
  "peerDependencies": { "p": ">=1" },
  "workspaces": ["packages/*"]
}
== app/packages/m/package.json
{ "name": "m", "version": "0.1.0", "dependencies": { "a": "2.0.0" }, "devDependencies": { "g": "git+ssh://git@git.example/o/g.git#main" } }
== app/package-lock.json
{
  "name": "app", "lockfileVersion": 3,
  "packages": {
    "": {
      "dependencies": { "a": "^1.0.0", "other": "npm:real@2" },
      "devDependencies": { "t": "1.x" },
      "optionalDependencies": { "o": "*" },
      "peerDependencies": { "p": ">=1" }
    },
    "node_modules/a": {
      "version": "1.2.0",
      "resolved": "https://registry.example/a/-/a-1.2.0.tgz",
      "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
      "dev": true,
      "dependencies": { "d": "1" }, "bundleDependencies": ["d"]
    },
    "node_modules/a/node_modules/d": { "version": "1.0.0", "inBundle": true, "dev": true },
    "node_modules/d": { "version": "9.0.0", "inBundle": true },
    "node_modules/m": { "resolved": "packages/m", "link": true },
    "node_modules/o": { "version": "3.0.0", "hasInstallScript": true },
    "node_modules/other": { "name": "real", "version": "2.0.0" },
    "node_modules/p": { "version": "1.0.0", "peer": true, "dependencies": { "m": "0.1.0" } },
    "node_modules/t": { "version": "1.5.0", "dependencies": { "d": "9" } },
    "packages/m": {
      "version": "0.1.0", "dependencies": { "a": "2.0.0" },
      "devDependencies": { "g": "git+ssh://git@git.example/o/g.git#main" }
    },
    "packages/m/node_modules/a": {
      "version": "2.0.0", "resolved": "https://registry.example/evil/-/evil-2.0.0.tgz"
    },
    "packages/m/node_modules/g": {
      "version": "0.0.1", "resolved": "git+ssh://git@git.example/o/g.git#da39a3ee5e6b4b0d3255bfef95601890afd80709"
    }
  }
}
"#;

#[test]
fn version_three_is_read_as_node_finds_packages() {
    let inventory = testing::read_one(&PackageLock, &tree(V3));
    assert_eq!(complaints(&inventory), [""; 0]);
    assert_eq!(
        scopes(&inventory),
        [
            "a@1.2.0 runtime direct",
            "a@2.0.0 runtime direct",
            "d@1.0.0 runtime",
            "d@9.0.0 development",
            "g@0.0.1 development direct",
            "m@0.0.0 runtime",
            "o@3.0.0 runtime direct",
            "p@1.0.0 runtime direct",
            "real@2.0.0 runtime direct",
            "t@1.5.0 development direct",
        ]
    );
    let [first, second] = [&inventory.packages[0], &inventory.packages[1]];
    assert_eq!((first.span.line, first.span.end_line), (10, 16));
    assert_eq!(
        first.declared.map(|span| (inventory.path_of(span).unwrap().to_string(), span.line)),
        Some(("app/package.json".to_owned(), 3))
    );
    assert_eq!(&*first.source.address, "https://registry.example");
    assert_eq!((first.source.kind, first.identity), (SourceKind::Registry, Identity::Public));
    // The strongest of two digests: FIPS 180-4's for the empty text.
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(first.checksum.as_deref(), Some(empty));
    assert_eq!(second.contradiction.as_deref(), Some("evil 2.0.0"));
    let [inner, outer] = [&inventory.packages[2], &inventory.packages[3]];
    assert_eq!((inner.is_bundled, outer.is_bundled), (true, false));
    let git = find(&inventory, "g");
    assert_eq!((git.source.kind, git.identity), (SourceKind::Git, Identity::Foreign));
    assert_eq!(&*git.source.address, "git+ssh://git@git.example/o/g.git");
    assert_eq!(git.checksum.as_deref(), Some("gitCommit:da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    let real = find(&inventory, "real");
    assert_eq!((real.alias.as_deref(), real.identity), (Some("other"), Identity::Public));
    assert!(find(&inventory, "o").runs_on_install && !first.runs_on_install);
    let roots: Vec<_> =
        inventory.roots.iter().map(|root| (&*root.label, root.folder.as_str(), root.needs.len())).collect();
    assert_eq!(roots, [("app@1.0.0", "app", 5), ("m@0.1.0", "app/packages/m", 2)]);
    // a needs the d in its own folder, t the one beside it.
    assert_eq!((inventory.needs(0), inventory.needs(9)), (&[2][..], &[3][..]));
}

/// The same tree with one text replaced.
fn with(from: &str, to: &str) -> Vec<String> {
    assert!(V3.contains(from), "{from}");
    complaints(&testing::read_one(&PackageLock, &tree(&V3.replacen(from, to, 1))))
}

#[test]
fn manifests_and_lockfile_must_agree() {
    for (from, to, expected) in [
        ("\"a\": \"^1.0.0\"", "\"a\": \"^2.0.0\"", "a: asks for ^2.0.0, and the lockfile holds 1.2.0"),
        ("\"a\": \"^1.0.0\"", "\"a\": \"~1.2.0\"", "a: asks for ~1.2.0, and the lockfile was made for ^1.0.0"),
        ("\"t\": \"1.x\"", "\"t\": \"1.x\", \"u\": \"1\"", "u: asks for 1, and the lockfile holds none"),
        (
            "\"other\": \"npm:real@2\"",
            "\"other\": \"npm:else@2\"",
            "other: is locked as real@2.0.0, where else is asked for",
        ),
        (
            "\"t\": \"1.x\"",
            "\"d\": \"9\"",
            "t: is in the lockfile's devDependencies, and the manifest does not ask for it there",
        ),
        ("\"o\": \"*\"", "\"d\": \"9\"", "d: is asked for in optionalDependencies, and the lockfile was made without"),
        ("\"a\": \"2.0.0\"", "\"a\": \"2.0.1\"", "a: asks for 2.0.1, and the lockfile holds 2.0.0"),
        ("git+ssh://git@git.example/o/g.git#main", "1.0.0", "g: asks for 1.0.0, and the lockfile holds 0.0.1"),
        ("git+ssh://git@git.example/o/g.git#main", "*", "g: asks for *, and the lockfile holds a git repository"),
        ("\"name\": \"real\"", "\"name\": \"evil\"", "other: is locked as evil@2.0.0, where real is asked for"),
        (
            "\"packages/m\", \"link\"",
            "\"packages/n\", \"link\"",
            "m: is a link to a folder that the lockfile does not hold",
        ),
        ("\"packages/m\": {", "\"packages/n\": {", "m: is a member that the lockfile does not hold"),
    ] {
        let found = with(from, to);
        assert!(found.iter().any(|each| each == expected), "{to}: {found:?}");
    }
    // What a name is overridden with is no contradiction.
    let overridden = "\"overrides\": { \"a\": \"1.2.0\" }, \"workspaces\"";
    let text = V3.replacen("\"a\": \"^1.0.0\"", "\"a\": \"^2.0.0\"", 1).replacen("\"workspaces\"", overridden, 1);
    let found = complaints(&testing::read_one(&PackageLock, &tree(&text)));
    assert_eq!(found, ["a: asks for ^2.0.0, and the lockfile was made for ^1.0.0"]);
}

#[test]
fn what_claims_to_be_a_public_package_stands_in_for_it() {
    let moved = |address: &str| {
        let text = V3.replacen("https://registry.example/a/-/a-1.2.0.tgz", address, 1);
        let inventory = testing::read_one(&PackageLock, &tree(&text));
        (inventory.packages[0].source.to_string(), inventory.packages[0].identity)
    };
    assert_eq!(moved("https://e.example/x.tgz"), ("https://e.example/x.tgz".to_owned(), Identity::StandsIn));
    assert_eq!(moved("file:vendor/a.tgz"), ("vendor/a.tgz".to_owned(), Identity::StandsIn));
    assert_eq!(moved("git+https://e.example/a#x"), ("git+https://e.example/a#x".to_owned(), Identity::StandsIn));
    assert_eq!(
        moved("https://registry.example/r/a/-/a-1.2.0.tgz"),
        ("https://registry.example/r".to_owned(), Identity::Public)
    );
    assert_eq!(moved(""), (String::new(), Identity::Public));
}

#[test]
fn a_package_that_is_not_the_one_asked_for_is_said() {
    let text = V3.replacen("\"node_modules/d\": {", "\"node_modules/d\": { \"name\": \"evil\",", 1);
    let inventory = testing::read_one(&PackageLock, &tree(&text));
    assert_eq!(complaints(&inventory), ["d: is locked as evil@9.0.0, where d is asked for"]);
    let text =
        text.replacen("\"workspaces\"", "\"overrides\": { \"t\": { \"d\": \"npm:evil@9\" } }, \"workspaces\"", 1);
    let inventory = testing::read_one(&PackageLock, &tree(&text));
    assert_eq!((complaints(&inventory), find(&inventory, "evil").identity), (Vec::new(), Identity::StandsIn));
}

const V1: &str = r#"== package.json
{ "name": "old", "version": "1.0.0", "dependencies": { "a": "^1.0.0", "local": "file:local", "al": "npm:real@^3" },
  "devDependencies": { "g": "o/g", "tar": "https://e.example/tar.tgz" } }
== local/package.json
{ "name": "local", "version": "1.0.0", "dependencies": { "b": "1" } }
== package-lock.json
{ "name": "old", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
  "dependencies": {
    "a": { "version": "1.0.0", "resolved": "https://registry.example/a/-/a-1.0.0.tgz", "dev": true,
      "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
      "requires": { "b": "2" },
      "dependencies": { "b": { "version": "2.0.0", "bundled": true } }
    },
    "al": { "version": "npm:real@3.1.0" },
    "b": { "version": "1.0.0", "bundled": true },
    "g": { "version": "github:o/g#da39a3ee5e6b4b0d3255bfef95601890afd80709", "from": "github:o/g" },
    "local": { "version": "file:local", "requires": { "b": "1" } },
    "tar": { "version": "https://e.example/tar.tgz", "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }
  }
}
"#;

#[test]
fn version_one_is_read() {
    let inventory = testing::read_one(&PackageLock, &tree(V1));
    assert_eq!(complaints(&inventory), [""; 0]);
    assert_eq!(
        scopes(&inventory),
        [
            "a@1.0.0 runtime direct",
            "b@1.0.0 runtime direct",
            "b@2.0.0 runtime",
            "g@ development direct",
            "real@3.1.0 runtime direct",
            "tar@ development direct",
        ]
    );
    let packages = &inventory.packages;
    assert_eq!((packages[1].is_bundled, packages[2].is_bundled), (false, true));
    assert_eq!(packages[3].source.to_string(), "github:o/g#da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_eq!((packages[4].alias.as_deref(), packages[4].span.line), (Some("al"), 8));
    assert_eq!(
        (packages[5].source.to_string(), packages[5].identity),
        ("https://e.example/tar.tgz".to_owned(), Identity::Foreign)
    );
    assert_eq!(inventory.roots.iter().map(|root| &*root.label).collect::<Vec<_>>(), ["local@1.0.0", "old@1.0.0"]);
    let moved = testing::read_one(&PackageLock, &tree(&V1.replacen("file:local", "^1.0.0", 1)));
    assert_eq!(complaints(&moved), ["local: asks for ^1.0.0, and the lockfile holds a folder of the repository"]);
    // The same without a manifest: what nobody needs is direct, and nothing is development.
    let mut files = tree(V1);
    files.0.remove(&crate::model::RepoPath::new("package.json"));
    let inventory = testing::read_one(&PackageLock, &files);
    let direct: Vec<_> = inventory.packages.iter().filter(|p| p.direct).map(|p| &*p.name).collect();
    assert_eq!(direct, ["a", "b", "g", "real", "tar"]);
    assert!(scopes(&inventory).iter().all(|line| line.contains(" runtime")));
}

const V2: &str = r#"== package.json
{ "name": "x", "dependencies": { "a": "1" }, "workspaces": { "packages": ["w"] } }
== w/package.json
{ "name": "w", "dependencies": { "b": "1" } }
== package-lock.json
{ "lockfileVersion": 2,
  "packages": {
    "": { "dependencies": { "a": "1" }, "workspaces": { "packages": ["w"] } },
    "node_modules/a": { "version": "1.0.0", "resolved": "https://registry.example/a/-/a-1.0.0.tgz", "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    "node_modules/w": { "resolved": "w", "link": true },
    "w": { "dependencies": { "b": "1" } },
    "w/node_modules/b": { "version": "1.0.0" }
  },
  "dependencies": {
    "a": { "version": "1.0.0", "resolved": "https://registry.example/a/-/a-1.0.0.tgz", "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    "w": { "version": "file:w", "requires": { "b": "1" }, "dependencies": { "b": { "version": "1.0.0" } } }
  }
}
"#;

#[test]
fn the_halves_of_version_two_must_agree() {
    assert_eq!(complaints(&testing::read_one(&PackageLock, &tree(V2))), [""; 0]);
    let mark = "\n  \"dependencies\": {\n";
    let (paths, nested) = V2.split_once(mark).unwrap();
    for (from, to, expected) in [
        ("\"1.0.0\"", "\"1.0.1\"", "a: is a@1.0.1 in the lockfile's `dependencies`, and a@1.0.0 in its `packages`"),
        ("https://registry", "https://other", "a: has two addresses in the lockfile's `dependencies` and `packages`"),
        ("sha1-2j", "sha1-3j", "a: has two checksums in the lockfile's `dependencies` and `packages`"),
        ("{ \"b\": {", "{ \"c\": {", "c: is in the lockfile's `dependencies`, and not in its `packages`"),
        ("{ \"b\": {", "{ \"c\": {", "b: is in the lockfile's `packages`, and not in its `dependencies`"),
    ] {
        let text = format!("{paths}{mark}{}", nested.replacen(from, to, 1));
        let found = complaints(&testing::read_one(&PackageLock, &tree(&text)));
        assert!(found.iter().any(|each| each == expected), "{to}: {found:?}");
    }
}

#[test]
fn what_is_in_both_halves_is_compared_whatever_the_version_says() {
    let three = V2.replacen("\"lockfileVersion\": 2", "\"lockfileVersion\": 3", 1);
    assert_eq!(complaints(&testing::read_one(&PackageLock, &tree(&three))), [""; 0]);
    let (paths, nested) = three.split_once("\n  \"dependencies\": {\n").unwrap();
    let moved = nested.replacen("https://registry", "https://other", 1);
    let found = complaints(&testing::read_one(&PackageLock, &tree(&format!("{paths}\n\"dependencies\": {{\n{moved}"))));
    assert_eq!(found, ["a: has two addresses in the lockfile's `dependencies` and `packages`"]);
    // An address needs no version beside it.
    let added = nested.replacen("\"a\": {", "\"evil\": { \"resolved\": \"https://e.example/x.tgz\" }, \"a\": {", 1);
    let found = complaints(&testing::read_one(&PackageLock, &tree(&format!("{paths}\n\"dependencies\": {{\n{added}"))));
    assert_eq!(found, ["evil: is in the lockfile's `dependencies`, and not in its `packages`"]);
    for version in ["\"lockfileVersion\": 1,", ""] {
        let files = tree(&V2.replacen("\"lockfileVersion\": 2,", version, 1));
        let project = crate::ecosystem::Format::projects(&PackageLock, &files).unwrap().remove(0);
        let view = crate::ecosystem::View::new(&files, &[]);
        let error = crate::ecosystem::Format::read(&PackageLock, &project, view).unwrap_err().1.to_string();
        assert_eq!(error, "line 2: `packages` in a lockfile of version 1, which newer tools install");
    }
}

#[test]
fn a_package_manager_from_an_address_is_told() {
    use crate::ecosystem::Format;
    let lockfiles: [(&dyn Format, &str); 6] = [
        (&PackageLock, "== package-lock.json\n{\"lockfileVersion\":3,\"packages\":{}}\n"),
        (&super::yarn::Yarn, "== yarn.lock\n# yarn lockfile v1\n"),
        (
            &super::berry::Berry,
            "== yarn.lock\n__metadata:\n  version: 8\n\"x@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"x@workspace:.\"\n",
        ),
        (&super::pnpm::Pnpm, "== pnpm-lock.yaml\nlockfileVersion: '9.0'\nimporters: {.: {}}\n"),
        (&super::bun::Bun, "== bun.lock\n{\"lockfileVersion\":1,\"workspaces\":{\"\":{\"name\":\"x\"}}}\n"),
        (&Manifest, ""),
    ];
    for (format, lockfile) in lockfiles {
        let read = |tool: &str| {
            let files = tree(&format!("== package.json\n{{\"name\":\"x\",\"packageManager\":\"{tool}\"}}\n{lockfile}"));
            complaints(&testing::read_one(format, &files))
        };
        let expected = ["packageManager: runs the package manager from https://e.example/y.js"];
        assert_eq!(read("yarn@https://e.example/y.js"), expected, "{lockfile}");
        assert_eq!(read("yarn@4.0.0+sha224.abc"), [""; 0], "{lockfile}");
    }
}

#[test]
fn an_integrity_of_two_digests_fixes_nothing() {
    let good = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for added in [format!("sha256-{}=", "A".repeat(43)), "sha3-512-AAAA".to_owned()] {
        let text = V3.replacen(good, &format!("{added} {good}"), 1);
        // A fragment, which npm does not look at, is no way out.
        let text = text.replacen("a-1.2.0.tgz", "a-1.2.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709", 1);
        let inventory = testing::read_one(&PackageLock, &tree(&text));
        assert_eq!(inventory.packages[0].checksum, None, "{added}");
        let wrong = format!(
            "a: carries an integrity that is not one digest: `sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= {added} {good}`"
        );
        // Nor does it fix what is said to be inside.
        assert_eq!((complaints(&inventory), inventory.packages[2].is_bundled), (vec![wrong], false));
    }
}

#[test]
fn a_folder_in_the_place_of_a_package_is_one() {
    // A package gets a member of the repository, which asks for others as if they were in the registry.
    let inventory = testing::read_one(&PackageLock, &tree(V3));
    let member = find(&inventory, "m");
    assert_eq!((&*member.version, &*member.source.address), ("0.0.0", "app/packages/m"));
    assert_eq!((member.identity, member.direct), (Identity::StandsIn, false));
    let linked = |root: &str, spec: &str, folder: &str| {
        testing::read_one(
            &PackageLock,
            &tree(&format!(
                r#"== package.json
{{ "name": "x", "dependencies": {{ {root} }} }}
== assets/time/package.json
{{ {folder} "version": "2.1.3" }}
== package-lock.json
{{ "lockfileVersion": 3, "packages": {{ "": {{ "dependencies": {{ {root} }} }},
  "node_modules/debug": {{ "version": "4.3.4", "dependencies": {{ "ms": "{spec}" }} }},
  "node_modules/ms": {{ "resolved": "assets/time", "link": true }},
  "assets/time": {{ "version": "2.1.3" }} }} }}
"#
            )),
        )
    };
    let inventory = linked("\"debug\": \"4\"", "^2.1.1", "\"name\": \"ms\",");
    let ms = find(&inventory, "ms");
    assert_eq!((&*ms.version, ms.source.kind, &*ms.source.address), ("2.1.3", SourceKind::Path, "assets/time"));
    assert_eq!((ms.identity, inventory.needs(0)), (Identity::StandsIn, &[1][..]));
    let text = V3.replacen("\"packages/m\": {", "\"packages/m\": { \"integrity\": \"sha512-x\",", 1);
    let found = complaints(&testing::read_one(&PackageLock, &tree(&text)));
    assert_eq!(found, ["m: is a folder of the repository in the lockfile, with what an archive has"]);
    let inventory = linked("\"ms\": \"2\"", "^2.1.1", "");
    assert!(find(&inventory, "ms").direct);
    let inventory = linked("\"ms\": \"2\"", "file:x", "\"name\": \"ms\",");
    assert_eq!(testing::labels(&inventory), ["debug@4.3.4"]);
    let inventory = linked("\"ms\": \"file:assets/time\"", "file:x", "\"name\": \"time\",");
    assert_eq!(testing::labels(&inventory), ["debug@4.3.4"]);
}

#[test]
fn the_shrinkwrap_file_wins_and_installed_packages_make_no_project() {
    let files = tree(
        r#"== package.json
{"name":"x"}
== package-lock.json
{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}
== npm-shrinkwrap.json
{"dependencies":{"b":{"version":"2.0.0"}}}
== node_modules/y/package-lock.json
{"lockfileVersion":3,"packages":{}}
"#,
    );
    assert_eq!(testing::labels(&testing::read_one(&PackageLock, &files)), ["b@2.0.0"]);
}

#[test]
fn members_outside_of_the_repository_are_packages_from_there() {
    let files = tree(
        r#"== package.json
{"name":"x","dependencies":{"up":"file:../up"}}
== package-lock.json
{"lockfileVersion":3,"packages":{"":{"dependencies":{"up":"file:../up"}},
"../up":{"version":"1.0.0","dependencies":{"b":"1"}},"node_modules/up":{"resolved":"../up","link":true},
"node_modules/b":{"version":"1.0.0"}}}
"#,
    );
    let inventory = testing::read_one(&PackageLock, &files);
    assert_eq!(complaints(&inventory), [""; 0]);
    let up = find(&inventory, "up");
    assert_eq!((up.source.kind, &*up.source.address, up.identity), (SourceKind::Path, "../up", Identity::Foreign));
    assert_eq!(inventory.needs(1), [0]);
}

#[test]
fn what_is_not_read_is_refused() {
    let error = |text: &str| {
        let mut files = testing::Tree::default();
        files.0.insert(crate::model::RepoPath::new("package-lock.json"), text.as_bytes().to_vec());
        let project = crate::ecosystem::Format::projects(&PackageLock, &files).unwrap().remove(0);
        let view = crate::ecosystem::View::new(&files, &[]);
        crate::ecosystem::Format::read(&PackageLock, &project, view).unwrap_err().1.to_string()
    };
    assert_eq!(error("{\"lockfileVersion\": 4}"), "lockfileVersion 4: 1, 2 and 3 are read");
    assert_eq!(error("{\"lockfileVersion\": \"3\"}"), "lockfileVersion is no whole number");
    assert_eq!(error("{\"lockfileVersion\": 3}"), "line 1: no object `packages`, which holds what is locked");
    assert_eq!(
        error("{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": 1}}"),
        "line 2: an entry that is no object"
    );
    assert_eq!(
        error("{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/\": {}}}"),
        "line 2: a package without a name"
    );
    for key in ["node_modules\\\\evil", "a/../node_modules/b", "./node_modules/b", "a//b", "/a", "node_modules/a/."] {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{\n\"{key}\": {{}}}}}}");
        assert!(error(&text).contains(": a path with `\\`, or with a part"), "{key}: {}", error(&text));
    }
    assert_eq!(error("{\"dependencies\": []}"), "line 1: `dependencies` is no object");
    assert!(error("{\"a\": 1, \"a\": 2}").contains("stands twice"));
    assert!(error("{\n<<<<<<< HEAD\n").starts_with("line 2: conflict markers"));
    let deep = format!("{{\"lockfileVersion\": 3, \"packages\": {{\"{}a\": {{}}}}}}", "node_modules/a/".repeat(60));
    assert_eq!(error(&deep), "line 1: a path of more than 100 parts");
}

#[test]
fn hostile_files_are_answered() {
    let digits = "9".repeat(10_000);
    let mut texts: Vec<Vec<u8>> = vec![
        b"\0".to_vec(),
        b"{".repeat(30_000),
        "{\"dependencies\":{\"a\":".repeat(30_000).into_bytes(),
        format!("{{\"lockfileVersion\":3,\"packages\":{{\"node_modules/a\":{{\"version\":\"{digits}\",\"resolved\":\"https://{digits}/-/-/-{digits}.tgz\"}}}}}}").into_bytes(),
        br#"{"lockfileVersion":3,"packages":{"node_modules/a":{"link":true,"resolved":"node_modules/b"},"node_modules/b":{"link":true,"resolved":"node_modules/a"},"../../..":{},"/etc":{},"c:/x":{},"a/../../b":{}}}"#.to_vec(),
        br#"{"name":"x","workspaces":["../*","/**","{a,{b,{c","**/../**"],"overrides":{"a":{".":{".":{".":"$a"}}}}}"#.to_vec(),
        format!("{{\"overrides\":{}1{}}}", "{\"a\":".repeat(100), "}".repeat(100)).into_bytes(),
        format!("{{\"workspaces\":[\"{}\"],\"dependencies\":{{\"a\":\"{}\"}}}}", "{a,b}".repeat(10_000), "|| ".repeat(10_000)).into_bytes(),
    ];
    for text in [V1, V2, V3] {
        let lock = text.split("package-lock.json\n").nth(1).unwrap().as_bytes();
        texts.extend((0..lock.len()).step_by(37).map(|end| lock[..end].to_vec()));
    }
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    testing::survives(&PackageLock, &["package-lock.json", "a/npm-shrinkwrap.json"], &texts);
    testing::survives(&Manifest, &["package.json", "a/package.json"], &texts);
}

#[test]
fn two_hundred_thousand_entries_take_linear_time() {
    let entries = |count: usize| {
        let mut text = String::from("{\"lockfileVersion\":3,\"packages\":{\"\":{}");
        for n in 0..count {
            let next = (n + 1) % count;
            text.push_str(&format!(",\n\"node_modules/p{n}\":{{\"version\":\"1.0.{n}\",\"dependencies\":{{\"p{next}\":\"1\",\"gone\":\"1\"}}}}"));
        }
        text.push_str("}}");
        let mut files = testing::Tree::default();
        files.0.insert(crate::model::RepoPath::new("package-lock.json"), text.into_bytes());
        files
    };
    let files = entries(200_000);
    let start = std::time::Instant::now();
    let inventory = testing::read_one(&PackageLock, &files);
    assert_eq!((inventory.packages.len(), inventory.edges.len()), (200_000, 200_000));
    // Quadratic would be hours; a debug build of a busy machine takes seconds.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn manifests_alone_are_what_nothing_else_speaks_for() {
    let files = tree(
        r#"== package.json
{"name":"top","version":"1.0.0","workspaces":["packages/{a,b}","!packages/b"],
"dependencies":{"x":"^1.0.0","y":"1.2.3","a":"^1","z":"npm:real@=2.0.0","g":"github:o/g#main","t":"https://e.example/t.tgz","f":"file:../f","c":"catalog:"},
"devDependencies":{"d":"latest"},
"overrides":{"deep":"git+https://e.example/deep.git"}}
== packages/a/package.json
{"name":"a","version":"1.5.0","dependencies":{"x":"^1.0.0"},"optionalDependencies":{"d":"latest"}}
== packages/b/package.json
{"name":"b"}
== locked/package.json
{"workspaces":["m"],"dependencies":{"linked":"file:../a-link"}}
== a-link/package.json
{"name":"linked"}
== locked/yarn.lock

== locked/m/package.json
{"name":"m"}
== bun/package.json
{}
== bun/bun.lockb

== pn/package.json
{}
== pn/pnpm-workspace.yaml
packages: [ "lib/**" ]
== pn/lib/q/package.json
{"name":"q","dependencies":{"w":"1"}}
== pn/node_modules/k/package.json
{}
"#,
    );
    let projects = crate::ecosystem::Format::projects(&Manifest, &files).unwrap();
    let found: Vec<String> = projects.iter().map(|project| project.path.to_string()).collect();
    assert_eq!(found, [".", "packages/b", "pn"]);
    let all = testing::read_all(&Manifest, &files);
    assert_eq!(
        scopes(&all[0]),
        [
            "c@catalog: runtime direct",
            "d@latest runtime+development direct",
            "deep@* runtime direct",
            "f@* runtime direct",
            "g@* runtime direct",
            "real@=2.0.0 runtime direct",
            "t@* runtime direct",
            "x@^1.0.0 runtime direct",
            "y@=1.2.3 runtime direct",
        ]
    );
    assert!(all[0].packages.iter().all(|package| !package.is_locked));
    let identities: Vec<_> = ["c", "deep", "f", "g", "real", "t"].map(|name| find(&all[0], name).identity).into();
    use Identity::{Foreign, Public, StandsIn};
    assert_eq!(identities, [Public, StandsIn, Foreign, Foreign, Public, Foreign]);
    assert_eq!(find(&all[0], "f").source.to_string(), "../f");
    assert_eq!(find(&all[0], "real").alias.as_deref(), Some("z"));
    assert_eq!((find(&all[0], "y").span.line, all[0].roots.len()), (2, 2));
    assert_eq!(testing::labels(&all[2]), ["w@1"]);
}

#[test]
fn tags_are_told_where_nothing_is_locked() {
    let manifest = "== package.json\n{\"dependencies\":{\"a\":\"canary\",\"b\":\"latest\",\"c\":\"^1 || 2.x\",\"d\":\"npm:e@canary\",\"f\":\"\"}}\n";
    let inventory = testing::read_one(&Manifest, &tree(manifest));
    let tag = "asks for a tag, which moves: canary";
    assert_eq!(complaints(&inventory), [format!("a: {tag}"), format!("d: {tag}")]);
}

#[test]
fn a_lockfile_speaks_for_what_its_own_tool_holds() {
    let projects = |lockfile: &str, root: &str, more: &str| -> Vec<String> {
        let files = tree(&format!("== {lockfile}\n\n== package.json\n{root}\n== tools/x/package.json\n{{}}\n{more}"));
        let projects = crate::ecosystem::Format::projects(&Manifest, &files).unwrap();
        projects.iter().map(|project| project.path.to_string()).collect()
    };
    let (globs, pnpm) = (r#"{"workspaces":["tools/*"]}"#, "== pnpm-workspace.yaml\npackages: ['tools/*']\n");
    for lockfile in ["package-lock.json", "yarn.lock", "bun.lock"] {
        assert_eq!(projects(lockfile, globs, ""), [""; 0], "{lockfile}");
        assert_eq!(projects(lockfile, "{}", pnpm), ["tools/x"], "{lockfile}");
    }
    assert_eq!(projects("pnpm-lock.yaml", "{}", pnpm), [""; 0]);
    assert_eq!(projects("pnpm-lock.yaml", globs, ""), ["tools/x"]);
    for (section, spec, is_held) in [
        ("dependencies", "file:tools/x", true),
        ("devDependencies", "file:./tools/x/", true),
        ("dependencies", "link:tools/x", false),
        ("optionalDependencies", "file:tools/x", false),
        ("peerDependencies", "file:tools/x", false),
    ] {
        let found = projects("yarn.lock", &format!("{{\"{section}\":{{\"x\":\"{spec}\"}}}}"), "");
        assert_eq!(found.is_empty(), is_held, "{section} {spec}");
    }
}

#[test]
fn large_tables_that_many_entries_look_at_take_linear_time() {
    let names: String = (0..50_000).map(|n| format!("\"k{n}\",")).collect();
    let keys: String = (0..50_000).map(|n| format!("\"k{n}\":1,")).collect();
    let entries: String =
        (0..50_000).map(|n| format!(",\"node_modules/a/node_modules/p{n}\":{{\"inBundle\":true}}")).collect();
    let carrier = format!("\"node_modules/a\":{{{keys}\"bundleDependencies\":[{names}\"x\"]}}");
    let nested: String = (0..50_000).map(|n| format!("\"p{n}\":{{\"bundled\":true}},")).collect();
    let lock = format!(
        "{{\"lockfileVersion\":2,\"packages\":{{{carrier}{entries}}},\"dependencies\":{{\"a\":{{{keys}\"dependencies\":{{{nested}\"z\":{{}}}}}}}}}}"
    );
    let overrides: String = (0..50_000).map(|n| format!("\"o{n}\":\"$k{n}\",")).collect();
    let asked: String = (0..50_000).map(|n| format!("\"k{n}\":\"1\",")).collect();
    let manifest = format!("{{\"overrides\":{{{overrides}\"a\":\"1\"}},\"dependencies\":{{{asked}\"a\":\"1\"}}}}");
    let mut files = testing::Tree::default();
    files.0.insert(crate::model::RepoPath::new("package-lock.json"), lock.into_bytes());
    files.0.insert(crate::model::RepoPath::new("package.json"), manifest.into_bytes());
    let start = std::time::Instant::now();
    let inventory = testing::read_one(&PackageLock, &files);
    assert_eq!(inventory.packages.len(), 50_001);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    let globs = format!("{{\"workspaces\":[\"{}\"]}}", "*".repeat(1 << 20));
    files.0.insert(crate::model::RepoPath::new("package.json"), globs.into_bytes());
    for n in 0..1_000 {
        files.0.insert(crate::model::RepoPath::new(&format!("some/folder/{n}/package.json")), b"{}".to_vec());
    }
    let projects = crate::ecosystem::Format::projects(&PackageLock, &files).unwrap();
    let view = crate::ecosystem::View::new(&files, &[]);
    let error = crate::ecosystem::Format::read(&PackageLock, &projects[0], view).unwrap_err().1.to_string();
    assert!(error.starts_with("globs of workspaces times folders, in bytes, is "), "{error}");
}

// Folders whose lockfile names its members without the file that lists them. Expected: what Python's `json` finds in the
// four sections of these files, exact versions with `=` before them and `*` for `workspace:…`.
#[test]
fn every_lone_manifest_of_the_corpus_is_read() {
    let Some(path) = testing::corpus("lockfiles/npm") else { return };
    let all = testing::read_all(&Manifest, &testing::folder(&path));
    let mut labels: Vec<String> = all.iter().flat_map(testing::labels).collect();
    labels.sort();
    labels.dedup();
    assert_eq!(
        (all.len(), labels.len(), &*testing::digest(&labels)),
        (32, 65, "bd55022a3fcd994655e896cdddd322a2f9bb23c8fb2ee97c3633c79f4254cacf")
    );
}
