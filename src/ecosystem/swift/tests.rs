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
    assert_eq!(
        labels(&inventory),
        [&forked, "git.example/owner/swift-app@1.4.0", "local@*", "own@0.1.0", "scope.listed@2.0.0"]
    );
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
        ["git.example/owner/forked@main", "git.example/owner/swift-app@from 1.2.0", "local@*", "scope.listed@=2.0.0"]
    );
    // A release is as a registry's; a branch is not.
    let kind = |name: &str| find(&all[0], name).source.kind;
    assert_eq!(
        [kind("git.example/owner/swift-app"), kind("git.example/owner/forked"), kind("local")],
        [SourceKind::Registry, SourceKind::Git, SourceKind::Path]
    );
    assert!(all[0].packages.iter().all(|p| !p.is_locked && p.direct) && all[0].disagreements.is_empty());
    assert_eq!(all[2].disagreements.len(), 1);
}

#[test]
fn calls_that_are_not_literal_are_said() {
    let said = |call: &str| {
        let text = format!(
            "== Package.swift\nlet p = Package(dependencies: [\n.package(url: \"https://git.example/a/b\", from: \"1.0.0\"),\n{call}\n])\n"
        );
        let inventory = read_one(&Swift, &tree(&text));
        let said: Vec<_> = inventory.disagreements.iter().map(|d| format!("{}:{}", d.name, d.span.line)).collect();
        (labels(&inventory).join(" "), said)
    };
    const HELD: &str = "git.example/a/b@from 1.0.0";
    for (call, name) in [
        (".package(url: u, from: \"1.0.0\")", "u"),
        (".package(url: h + \"/evil/e.git\", from: \"1.0.0\")", "h + \"/evil/e.git\""),
        (".package(url: \"https://git.example\" + e, from: \"1.0.0\")", "\"https://git.example\" + e"),
        (".package(url: \"https://git.example/\\(\"e\")\", from: \"1.0.0\")", "\"https://git.example/\\(\"e\")\""),
        (".package(path: here)", "here"),
        (".package(name: f(url: \"https://git.example/x\"), url: u, from: \"1.0.0\")", "u"),
    ] {
        let mut expected = ["Package.swift:3".to_owned(), format!("{name}:3")];
        expected.sort();
        assert_eq!(said(call), (HELD.to_owned(), expected.to_vec()), "{call}");
    }
    // What hides nothing is read as Swift reads it.
    for call in [
        ".package (url: \"https://git.example/x/y.git\", from: \"1.0.0\")",
        ".`package` /* a */ (url /* b */\n: \"https://git.example/x/y\", from: \"1.0.0\")",
        "/* /* */ \" */ .package(url: \"https://git.example/x/y\", from: \"1.0.0\") /* \" */",
    ] {
        let (labels, said) = said(call);
        assert!(
            labels.contains("git.example/x/y@") || said.iter().any(|said| said.starts_with("Package.swift")),
            "{call}: {labels}"
        );
    }
    assert_eq!(said(".package (url: \"https://git.example/x/y.git\", \"1.0.0\"..<\"1.4.0\")").1, Vec::<String>::new());
    assert!(said("].map(Package.Dependency.package)").1[0].starts_with("Package.swift:3"));
}

#[test]
fn archives_and_folders_elsewhere_are_packages_with_and_without_a_lockfile() {
    let digest = "ab".repeat(32);
    let more = MANIFEST.replace(
        "targets: [",
        &format!(
            "targets: [.binaryTarget(name: \"e\", url: \"https://registry.example/x.zip\", checksum: \"{digest}\"),\n\
             .binaryTarget(name: \"own\", path: \"own.xcframework\"), .binaryTarget(name: \"f\", url: base + \"f.zip\"),"
        ),
    );
    for files in [project(&more), tree(&format!("== Package.swift\n{more}"))] {
        let inventory = read_one(&Swift, &files);
        let binary = find(&inventory, "registry.example/x.zip");
        assert_eq!(binary.checksum.as_deref(), Some(&*format!("sha256:{digest}")));
        assert_eq!((binary.identity, &*binary.source.address), (Identity::Foreign, "https://registry.example/x.zip"));
        assert_eq!((binary.source.kind, binary.is_locked, binary.direct), (SourceKind::Registry, true, true));
        let local = find(&inventory, "local");
        assert_eq!((local.source.kind, &*local.source.address), (SourceKind::Path, "../local"));
        assert_eq!((local.identity, local.is_locked), (Identity::Foreign, false));
        assert!(inventory.disagreements.iter().any(|d| d.name == "base + \"f.zip\""));
    }
    let text = "== a/Package.swift\nlet p = Package(dependencies: [.package(path: \"../b\"), .package(url: \"file:///x/e\", from: \"1.0.0\")])\n";
    assert_eq!(labels(&read_one(&Swift, &tree(text))), ["e@*"]);
}

#[test]
fn manifests_for_one_version_of_the_tools_are_read() {
    let evil = MANIFEST.replace("owner/forked.git", "evil/e").replace(".package(path: \"../local\"),", "");
    let files = tree(&format!("== Package.swift\n{MANIFEST}== Package@swift-5.9.swift\n{evil}"));
    let all = read_all(&Swift, &files);
    let names: Vec<_> = all.iter().map(|i| i.project.manifest.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["Package.swift", "Package@swift-5.9.swift"]);
    assert!(labels(&all[1]).contains(&"git.example/evil/e@main".to_owned()));
    let files =
        tree(&format!("== Package.resolved\n{}== Package.swift\n{MANIFEST}== Package@swift-5.9.swift\n{evil}", lock()));
    let all = read_all(&Swift, &files);
    let other = all.iter().find(|i| i.project.lockfile.is_none()).unwrap();
    assert_eq!((all.len(), labels(other)), (2, Vec::new()));
    assert_eq!(other.disagreements.iter().map(|d| &*d.name).collect::<Vec<_>>(), ["git.example/evil/e"]);
}

#[test]
fn references_of_an_xcode_project_are_read_where_no_lockfile_holds_them() {
    let object = |url: &str, rest: &str| {
        format!(
            "\t\tA1 /* XCRemoteSwiftPackageReference \"e\" */ = {{\n\t\t\tisa = XCRemoteSwiftPackageReference;\n\t\t\t{url};\n\t\t\trequirement = {{ {rest} }};\n\t\t}};\n"
        )
    };
    let file = |objects: &str| {
        format!(
            "// !$*UTF8*$!\n{{ objects = {{\n/* Begin XCRemoteSwiftPackageReference section */\n{objects}/* End */\nB = {{ isa = XCBuild; version = 3; }};\n}}; }}\n"
        )
    };
    let one = object(
        "repositoryURL = \"https://git.example/evil/e\"",
        "kind = upToNextMajorVersion; minimumVersion = 5.0.0;",
    );
    let two = object("repositoryURL = \"git@git.example:o/f.git\"", "branch = main; kind = branch;");
    let files = tree(&format!("== ios/A.xcodeproj/project.pbxproj\n{}", file(&format!("{one}{two}"))));
    let inventory = read_one(&Swift, &files);
    assert_eq!(labels(&inventory), ["git.example/evil/e@from 5.0.0", "git.example/o/f@main"]);
    let package = find(&inventory, "git.example/evil/e");
    assert_eq!((package.source.kind, package.is_locked, package.span.line), (SourceKind::Registry, false, 5));
    assert_eq!(find(&inventory, "git.example/o/f").source.kind, SourceKind::Git);

    let none = tree("== A.xcodeproj/project.pbxproj\n{ objects = { A = { isa = PBXProject; }; }; }\n");
    assert_eq!(Swift.projects(&none).unwrap(), []);
    let app =
        object("repositoryURL = \"https://git.example/owner/swift-app\"", "kind = exactVersion; version = 1.4.0;");
    for inside in ["ios/A.xcodeproj/project.xcworkspace", "ios/A.xcworkspace", "All.xcworkspace"] {
        let files = tree(&format!(
            "== ios/A.xcodeproj/project.pbxproj\n{}== {inside}/xcshareddata/swiftpm/Package.resolved\n{}",
            file(&format!("{one}{app}")),
            lock()
        ));
        let all = read_all(&Swift, &files);
        let xcode = all.iter().find(|i| i.project.lockfile.is_none()).unwrap();
        assert_eq!((all.len(), labels(xcode)), (2, Vec::new()), "{inside}");
        let said: Vec<_> = xcode.disagreements.iter().map(|d| &*d.name).collect();
        assert_eq!(said, ["git.example/evil/e"], "{inside}");
    }
    for bad in [
        object("repositoryURL = \"https://git.example/\\U0065\"", ""),
        object("/* none */", ""),
        "<key>isa</key><string>XCRemoteSwiftPackageReference</string>".to_owned(),
        "B = { repositoryURL = \"x\"; isa = XCRemoteSwiftPackageReference; };".to_owned(),
    ] {
        let files = tree(&format!("== A.xcodeproj/project.pbxproj\n{}", file(&bad)));
        let projects = Swift.projects(&files).unwrap();
        assert_eq!(projects.len(), 1, "{bad}");
        assert!(Swift.read(&projects[0], View::new(&files, &[])).is_err(), "{bad}");
    }
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
    let (signs, raw) = ("#".repeat(1_000_000), "#\"".repeat(400_000));
    let inner = ".package(url: \"\\(".repeat(200_000);
    texts.extend([signs.as_bytes(), raw.as_bytes(), inner.as_bytes()]);
    survives(&Swift, &["Package.swift", "Package@swift-5.swift"], &texts);
    let references = "isa=XCRemoteSwiftPackageReference;repositoryURL=\"x\";".repeat(50_000);
    let open = format!("XCRemoteSwiftPackageReference{}", "\"\\\u{e9}".repeat(100_000));
    survives(&Swift, &["A.xcodeproj/project.pbxproj"], &[references.as_bytes(), open.as_bytes(), b"\xff\xfeX\0"]);
}
