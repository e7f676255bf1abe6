use super::*;
use crate::ecosystem::testing::{self, corpus, find, folder, labels, orders, read_all, read_one, survives, tree};
use crate::model::inventory::{Identity, Scope, SourceKind};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn lock() -> String {
    format!(
        r#"{{
  "originHash" : "x",
  "pins" : [
    {{
      "identity" : "swift-app",
      "kind" : "remoteSourceControl",
      "location" : "https://Git.Example/Owner/swift-app.git",
      "state" : {{
        "revision" : "{COMMIT}",
        "version" : "1.4.0"
      }}
    }},
    {{
      "identity" : "forked",
      "kind" : "remoteSourceControl",
      "location" : "git@git.example:owner/Forked.git",
      "state" : {{ "branch" : "main", "revision" : "{COMMIT}" }}
    }},
    {{
      "identity" : "own",
      "kind" : "localSourceControl",
      "location" : "/home/x/own",
      "state" : {{ "revision" : "{COMMIT}", "version" : "0.1.0" }}
    }},
    {{
      "identity" : "Scope.Listed",
      "kind" : "registry",
      "location" : "",
      "state" : {{ "version" : "2.0.0" }}
    }}
  ],
  "version" : 3
}}
"#
    )
}

const MANIFEST: &str = "\
// swift-tools-version:5.9
import PackageDescription
/* .package(url: \"https://git.example/owner/comment\", from: \"1.0.0\") */
let package = Package(
    name: \"Mine\",
    dependencies: [
        .package(url: \"https://git.example/Owner/swift-app\", from: \"1.2.0\"), // app
        .package(name: \"Forked\", url: \"ssh://git@git.example:22/owner/forked.git\", .branch(\"main\")),
        .package(path: \"../local\"),
        .package(id: \"scope.listed\", exact: \"2.0.0\"),
    ],
    targets: [.target(name: \"Mine\", dependencies: [.product(name: \"App\", package: \"swift-app\")])]
)
";

fn project(manifest: &str) -> testing::Tree {
    tree(&format!("== Package.swift\n{manifest}== Package.resolved\n{}", lock()))
}

#[test]
fn a_lockfile_and_its_manifest_make_an_inventory() {
    let inventory = read_one(&Swift, &project(MANIFEST));
    assert_eq!(inventory.disagreements, []);
    let forked = format!("git.example/owner/forked@{COMMIT}");
    assert_eq!(labels(&inventory), [&forked, "git.example/owner/swift-app@1.4.0", "own@0.1.0", "scope.listed@2.0.0"]);
    let app = find(&inventory, "git.example/owner/swift-app");
    assert_eq!((app.span.line, app.span.end_line, app.declared.unwrap().line, app.direct), (5, 10, 7, true));
    assert_eq!((app.source.kind, &*app.source.address), (SourceKind::Git, "https://Git.Example/Owner/swift-app.git"));
    assert_eq!((app.checksum.as_deref(), app.identity), (Some(&*format!("gitCommit:{COMMIT}")), Identity::Public));
    assert_eq!((app.scopes.strongest(), &app.contradiction), (Scope::Runtime, &None));
    assert_eq!(find(&inventory, "git.example/owner/forked").declared.unwrap().line, 8);
    let own = find(&inventory, "own");
    assert_eq!((own.source.kind, own.identity, own.direct), (SourceKind::Path, Identity::Foreign, false));
    assert_eq!(find(&inventory, "scope.listed").source.kind, SourceKind::Public);

    let alone = read_one(&Swift, &tree(&format!("== Package.resolved\n{}", lock())));
    assert!(alone.packages.iter().all(|p| p.direct));
    let lying = lock().replace("owner/Forked.git", "owner/other.git");
    let lying = read_one(&Swift, &tree(&format!("== Package.resolved\n{lying}")));
    let found = find(&lying, "git.example/owner/other").contradiction.clone();
    assert_eq!(found.as_deref(), Some(&*format!("other {COMMIT}")));
}

#[test]
fn the_oldest_form_is_read_and_unknown_ones_are_refused() {
    let pin = format!(
        r#"{{"package": "App", "repositoryURL": "https://git.example/o/app", "state": {{"branch": null, "revision": "{COMMIT}", "version": "1.0.0"}}}}"#
    );
    let inventory =
        read_one(&Swift, &tree(&format!("== Package.resolved\n{{\"object\": {{\"pins\": [{pin}]}}, \"version\": 1}}")));
    assert_eq!(labels(&inventory), ["git.example/o/app@1.0.0"]);
    for (text, expected) in [
        ("{\"pins\": [], \"version\": 4}", "version 4 of"),
        ("{\"pins\": []}", "version none of"),
        ("{\"version\": 2}", "line 1: there is no list"),
        ("{\"version\": 1, \"pins\": []}", "line 1: there is no `object`"),
        ("{\"version\": 2, \"pins\": [{\n\"identity\": \"a\"}]}", "line 2: a pin without `kind`"),
        (
            "{\"version\": 2, \"pins\": [{\n\"identity\": \"a\", \"kind\": \"x\", \"state\": {\"version\": \"1\"}}]}",
            "line 2: a pin of a kind",
        ),
        (
            "{\"version\": 2, \"pins\": [{\n\"identity\": \"a\", \"kind\": \"registry\", \"state\": {}}]}",
            "line 2: a pin with neither",
        ),
        ("{\"version\": 2,\n\"version\": 3}", "line 2: the key `version` stands twice"),
        (
            &lock().replace("owner/Forked.git", "Owner/swift-app"),
            "line 14: the package git.example/owner/swift-app stands twice",
        ),
    ] {
        let files = tree(&format!("== Package.resolved\n{text}"));
        let project = Swift.projects(&files).unwrap().remove(0);
        let error = Swift.read(&project, View::new(&files, &[])).unwrap_err().1.to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn manifest_and_lockfile_may_disagree() {
    let said = |manifest: &str| {
        let inventory = read_one(&Swift, &project(manifest));
        inventory.disagreements.iter().map(|d| format!("{} {} {}", d.name, d.span.line, d.message)).collect::<Vec<_>>()
    };
    let more = MANIFEST
        .replace(".package(path", ".package(url: \"https://git.example/x/absent\", from: \"1.0.0\"),\n.package(path");
    assert_eq!(said(&more), ["git.example/x/absent 9 asks for a package that the lockfile does not hold"]);
    assert_eq!(said(&format!("{more}if x {{}}")), Vec::<String>::new());
    assert_eq!(
        said(&MANIFEST.replace("from: \"1.2.0\"", "exact: \"1.3.0\"")),
        ["git.example/owner/swift-app 7 asks for 1.3.0, and the lockfile holds 1.4.0"]
    );
    assert_eq!(said(&MANIFEST.replace("from: \"1.2.0\"", ".exact(\"1.3.0\")")).len(), 1);
}

#[test]
fn projects_are_lockfiles_and_manifests_that_have_none() {
    let inside = "App.xcodeproj/project.xcworkspace/xcshareddata/swiftpm";
    let files = tree(&format!(
        "== Package.swift\n{MANIFEST}== {inside}/Package.resolved\n{}== .build/checkouts/x/Package.swift\n== code/Package.swift\nif x {{}}\n",
        lock()
    ));
    let all = read_all(&Swift, &files);
    let found: Vec<_> = all.iter().map(|i| (i.project.path.as_str(), i.project.lockfile.is_some())).collect();
    assert_eq!(found, [("", false), (inside, true), ("code", false)]);
    assert_eq!(
        labels(&all[0]),
        ["git.example/owner/forked@main", "git.example/owner/swift-app@from 1.2.0", "scope.listed@=2.0.0"]
    );
    assert!(all[0].packages.iter().all(|p| !p.is_locked && p.direct) && all[0].disagreements.is_empty());
    assert_eq!(all[2].disagreements.len(), 1);
}

#[test]
fn names_have_one_spelling_and_a_grammar() {
    for address in [
        "https://git.example/Owner/Name.git",
        "http://user:pw@www.git.example/owner/name/",
        "git@git.example:owner/name.git",
        "ssh://git@git.example:22/owner/name",
        "git.example/owner/name",
        "GIT.example/owner/name",
    ] {
        assert_eq!(Swift.normalise(address), "git.example/owner/name", "{address}");
    }
    for (name, expected) in [
        ("git.example/owner/name", true),
        ("scope.name", true),
        ("name", false),
        ("", false),
        ("git.example//name", false),
        ("git.example/../name", false),
        ("git.example/a b", false),
        ("git.example/\u{202e}", false),
    ] {
        assert_eq!(Swift.is_name(name), expected, "{name}");
    }
}

#[test]
fn versions_are_ordered_as_semantic_versioning_orders_them() {
    let Some(path) = corpus("vectors/versions/semver-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    // The vectors are lenient beyond what the package manager accepts as a version of a package.
    let is_kept = |line: &&str| {
        let mut words = line.split_whitespace();
        !line.starts_with("//") && words.all(|word| word.len() == 1 || version(word).is_some())
    };
    let text: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
    assert!(orders(&Swift, &text) > 40);
    orders(&Swift, "1.0.0-beta.9 < 1.0.0-beta.10\n1.0.0+1 = 1.0.0\nv1.2 = 1.2.0\n6.0 > 5.9.9\n");
    let digits = "9".repeat(10_000);
    for bad in ["", "main", COMMIT, "1.2.3.4", &digits, &"1".repeat(40)] {
        assert_eq!(Swift.compare(bad, "1.0.0"), None, "{bad:.50}");
    }
}

#[test]
fn configuration_says_where_packages_come_from() {
    let redirects = |name: &str, text: &str| {
        let path = RepoPath::new(".swiftpm/configuration").join(name).unwrap();
        assert!(Swift.patterns().iter().any(|pattern| crate::ecosystem::matches(pattern, &path)));
        let all = Swift.redirects(&path, text.as_bytes()).unwrap();
        all.iter().map(|r| format!("{} {} -> {} {}", r.line, r.from, r.to, r.is_first)).collect::<Vec<_>>()
    };
    let mirrors = "{\"object\": [{\n\"mirror\": \"https://b.example/x\", \"original\": \"https://a.example/x\"}], \"version\": 1}";
    assert_eq!(redirects("mirrors.json", mirrors), ["2 https://a.example/x -> https://b.example/x true"]);
    let registries = "{\"registries\": {\n\"[default]\": {\"url\": \"https://registry.example\"}}, \"version\": 1}";
    assert_eq!(redirects("registries.json", registries), ["2 the scope [default] -> https://registry.example true"]);
    assert!(Swift.redirects(&RepoPath::new(".swiftpm/configuration/mirrors.json"), b"{").is_err());
    assert_eq!(Swift.redirects(&RepoPath::new(".xcode-version"), b"15.0"), Ok(Vec::new()));
}

/// What Python's `json` shows of the file: one pin, on a branch.
#[test]
fn a_real_lockfile_is_read_whole() {
    let Some(path) = corpus("lockfiles/swift-cocoapods/spacedrive/apps/tauri/crates/macos") else { return };
    let inventory = read_one(&Swift, &folder(&path));
    let [package] = inventory.packages.as_slice() else { panic!("{:?}", inventory.packages) };
    assert!(package.name.ends_with("/brendonovich/swift-rs"));
    let commit = "e0b4a5f444a4204efa8e8270468318bc7836fcce";
    assert_eq!((&*package.version, package.source.commit.as_deref()), (commit, Some(commit)));
    assert_eq!((package.span.line, package.span.end_line, inventory.disagreements.len()), (5, 10, 0));
}

#[test]
fn hostile_bytes_are_survived() {
    let pin = |n: usize| {
        format!(
            r#"{{"identity": "p{n}", "kind": "remoteSourceControl", "location": "https://git.example/p{n}", "state": {{"version": "1.{n}.0"}}}}"#
        )
    };
    let many: Vec<String> = (0..100_000).map(pin).collect();
    let many = format!("{{\"version\": 2, \"pins\": [{}]}}", many.join(","));
    let (lock, nested) = (lock(), "[".repeat(30_000));
    let digits = lock.replace("1.4.0", &"9".repeat(10_000));
    let traversal = lock.replace("/home/x/own", "../../../etc").replace("git@git.example:owner/Forked.git", "://../..");
    let mut texts: Vec<&[u8]> = vec![b"", b"\0", b"\xff", many.as_bytes(), nested.as_bytes(), digits.as_bytes()];
    texts.push(traversal.as_bytes());
    texts.extend((0..lock.len()).step_by(5).map(|end| &lock.as_bytes()[..end]));
    survives(&Swift, &["Package.resolved"], &texts);
    let calls = ".package(".repeat(200_000);
    let quotes = ".package(url: \"é".repeat(100_000);
    let comments = "/*".repeat(500_000);
    let escapes = "\"\\".repeat(500_000);
    let mut texts: Vec<&[u8]> =
        vec![calls.as_bytes(), quotes.as_bytes(), comments.as_bytes(), escapes.as_bytes(), b"\"\\\xc3\xa9"];
    texts.extend((0..MANIFEST.len()).map(|end| &MANIFEST.as_bytes()[..end]));
    survives(&Swift, &["Package.swift"], &texts);
}
