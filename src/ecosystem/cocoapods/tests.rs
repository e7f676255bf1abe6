use super::*;
use crate::ecosystem::testing::{
    self, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::model::inventory::{Identity, Scope, SourceKind};

const LOCK: &str = "\
PODS:
  - App (1.4.0):
    - App/Core (= 1.4.0)
    - Below (~> 2.0)
  - App/Core (1.4.0):
    - Below/Sub
  - Below (2.1.0)
  - Below/Sub (2.1.0)
  - Forked (0.9.1):
    - App
  - Loose (3.0)
  - Own (0.1.0)

DEPENDENCIES:
  - App (~> 1.0)
  - Forked (from `https://git.example/forked.git`, branch `main`)
  - Loose (from `https://files.example/Loose.podspec`)
  - Own (from `../own`)

SPEC REPOS:
  https://registry.example/specs.git:
    - Below
  trunk:
    - App

EXTERNAL SOURCES:
  Forked:
    :branch: main
    :git: https://git.example/forked.git
  Loose:
    :podspec: https://files.example/Loose.podspec
  Own:
    :path: \"../own\"

CHECKOUT OPTIONS:
  Forked:
    :commit: 0123456789abcdef0123456789abcdef01234567
    :git: https://git.example/forked.git

SPEC CHECKSUMS:
  App: C378C1B344FF1ECFBAD27B90F0E48D1D0EAD8CBB
  Below: 1d3e4590438c3ee593684186007028a14b3686cd

PODFILE CHECKSUM: a05a9cbfd77a02f471a118db4de26d0f6c7eb79a

COCOAPODS: 1.16.2
";

const PODFILE: &str = "\
platform :ios, '15.0'
# pod 'Comment'
target 'App' do
  use_frameworks!
  pod 'App/Core', '~> 1.0' # core
  pod(\"Forked\", :git => 'https://git.example/forked.git')
  pod 'Own', path: '../own'
end
";

fn project(podfile: &str, lock: &str) -> testing::Tree {
    tree(&format!("== ios/Podfile\n{podfile}== ios/Podfile.lock\n{lock}"))
}

#[test]
fn a_lockfile_and_its_manifest_make_an_inventory() {
    let inventory = read_one(&CocoaPods, &project(PODFILE, LOCK));
    assert_eq!(inventory.disagreements, []);
    assert_eq!(labels(&inventory), ["App@1.4.0", "Below@2.1.0", "Forked@0.9.1", "Loose@3.0", "Own@0.1.0"]);
    let app = find(&inventory, "App");
    assert_eq!((app.span.line, app.declared.unwrap().line, app.direct), (2, 5, true));
    assert_eq!((app.source.kind, app.identity), (SourceKind::Public, Identity::Public));
    assert_eq!(app.checksum.as_deref(), Some("sha1:c378c1b344ff1ecfbad27b90f0e48d1d0ead8cbb"));
    let below = find(&inventory, "Below");
    assert_eq!(
        (below.source.kind, &*below.source.address),
        (SourceKind::Registry, "https://registry.example/specs.git")
    );
    assert!(!below.direct && below.scopes.strongest() == Scope::Runtime);
    let forked = find(&inventory, "Forked");
    assert_eq!((forked.source.kind, &*forked.source.address), (SourceKind::Git, "https://git.example/forked.git"));
    assert_eq!(forked.checksum.as_deref(), Some("gitCommit:0123456789abcdef0123456789abcdef01234567"));
    assert_eq!((forked.identity, forked.source.is_pinned()), (Identity::Foreign, true));
    let own = find(&inventory, "Own");
    assert_eq!((own.source.kind, &*own.source.address, own.identity), (SourceKind::Path, "../own", Identity::Foreign));
    assert_eq!(&*find(&inventory, "Loose").source.address, "https://files.example/Loose.podspec");
    let at = inventory.packages.iter().position(|p| &*p.name == "App").unwrap();
    assert_eq!(inventory.needs(at).len(), 1);
}

#[test]
fn manifest_and_lockfile_may_disagree() {
    let said = |podfile: &str, lock: &str| {
        let inventory = read_one(&CocoaPods, &project(podfile, lock));
        inventory.disagreements.iter().map(|d| format!("{} {} {}", d.name, d.span.line, d.message)).collect::<Vec<_>>()
    };
    let with = |line: &str| said(&format!("{PODFILE}{line}\n"), LOCK);
    assert_eq!(with("pod 'Absent'"), ["Absent 9 asks for a pod that the lockfile does not hold"]);
    assert_eq!(with("pod 'App', '1.3'"), ["App 9 asks for 1.3, and the lockfile holds 1.4.0"]);
    assert_eq!(with("if x\npod 'Absent'\nend"), Vec::<String>::new());
    assert_eq!(
        said(PODFILE, &LOCK.replace("App (~> 1.0)\n  - Forked", "App (~> 2.0)\n  - Forked")),
        ["App 15 asks for ~> 2.0, and the lockfile holds 1.4.0"]
    );
    assert_eq!(
        said(PODFILE, &LOCK.replace("  - App/Core (1.4.0):", "  - App/Core (1.3.0):")),
        ["App 5 stands in the lockfile in two versions, here as 1.3.0"]
    );
    assert_eq!(
        said("", &LOCK.replace("  - Own (0.1.0)\n", "")),
        ["Own 17 is asked for, and the lockfile does not hold it"]
    );
}

fn said(podfile: &str, lock: &str) -> Vec<String> {
    let inventory = read_one(&CocoaPods, &project(podfile, lock));
    inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect()
}

#[test]
fn an_external_source_of_any_kind_is_one() {
    let moved = |entry: &str| {
        let lock = LOCK.replace("EXTERNAL SOURCES:\n", &format!("EXTERNAL SOURCES:\n  App:\n{entry}"));
        find(&read_one(&CocoaPods, &project("", &lock)), "App").clone()
    };
    for (entry, address) in [
        ("    :svn: https://svn.example/x\n", "svn https://svn.example/x"),
        ("    :revision: 5\n    :hg: https://hg.example/x\n", "hg https://hg.example/x"),
        ("    :bzr: x\n", "bzr x"),
        ("    :tag: 1\n", ""),
    ] {
        let app = moved(entry);
        assert_eq!((app.source.kind, &*app.source.address), (SourceKind::Git, address));
        assert_eq!((app.identity, app.source.is_pinned()), (Identity::Foreign, false));
    }
}

#[test]
fn a_pod_may_be_asked_for_from_elsewhere_than_the_lockfile_has_it_from() {
    let from =
        |place: &str| [format!("App asks for it from {place}, and the lockfile has it from the public repository")];
    let app = |options: &str| said(&PODFILE.replace("'~> 1.0' # core", &format!("'~> 1.0'{options}")), LOCK);
    assert_eq!(app(", :git => 'https://u:pw@git.example/x.git'"), from("git https://git.example/x"));
    assert_eq!(
        app(",\n    :inhibit_warnings => true,\n    git: \"https://git.example/x\""),
        from("git https://git.example/x")
    );
    assert_eq!(app(", :configurations => ['A', 'B'], :git => URL"), from("git "));
    assert_eq!(app(", :svn => 'https://svn.example/x'"), from("svn https://svn.example/x"));
    assert_eq!(app(", :path => '../x'"), from("path ../x"));
    assert_eq!(app(", source: 'https://specs.example/x.git'"), from("source https://specs.example/x"));
    for quiet in [", :modular_headers => true", ", :source => 'trunk'", ", :configurations => ['A'] # :git => 'x'", ","]
    {
        assert_eq!(app(quiet), Vec::<String>::new(), "{quiet}");
    }
    // Code around it hides nothing.
    let hidden = "post_install do |i|\n  target 'App' do pod 'App', :git => 'https://git.example/x' end\nend\n";
    assert_eq!(said(&format!("{PODFILE}{hidden}"), LOCK), from("git https://git.example/x"));
    let long = app(&format!(", :x => '{}', :git => 'https://git.example/x'", "x".repeat(5_000)));
    assert_eq!(long, from("options "));
    let forked = |place: &str| said(&PODFILE.replace(":git => 'https://git.example/forked.git'", place), LOCK).len();
    for (place, count) in [
        ("git: 'https://git.example/forked', :branch => 'main'", 0),
        ("git: forks", 0),
        ("git: 'https://git.example/other'", 1),
        ("path: '../forked'", 1),
        ("svn: 'https://git.example/forked'", 1),
    ] {
        assert_eq!(forked(place), count, "{place}");
    }
    assert_eq!(said(&PODFILE.replace("'../own'", "\"#{root}/own\""), LOCK), Vec::<String>::new());
    assert_eq!(said(&PODFILE.replace("'../own'", "'./../own/'"), LOCK), Vec::<String>::new());
    let loose = |address: &str| said(&format!("{PODFILE}pod 'Loose', podspec: '{address}'\n"), LOCK).len();
    assert_eq!([loose("https://files.example/Loose.podspec"), loose("https://files.example/x.podspec")], [0, 1]);
}

#[test]
fn repositories_of_the_manifest_are_those_of_the_lockfile() {
    let with = |line: &str| said(&format!("{line}\n{PODFILE}"), LOCK);
    for quiet in ["source 'https://REGISTRY.example/specs'", "source \"trunk\"", "# source 'https://other.example'"] {
        assert_eq!(with(quiet), Vec::<String>::new(), "{quiet}");
    }
    let expected = ["Podfile takes pods from https://other.example/specs, and the lockfile does not name that source"];
    assert_eq!(with("source('https://u:pw@other.example/specs.git')"), expected);
    let lone = "== Podfile\nsource 'https://other.example/specs'\npod 'A'\npod 'B', :git => 'https://git.example/b'\n\
                pod 'C', :inhibit_warnings => true\npod 'D', opts\npod 'E', :source => 'trunk'\n";
    let inventory = read_one(&CocoaPods, &tree(lone));
    let of = |name: &str| {
        let package = find(&inventory, name);
        (package.source.kind, package.source.address.to_string(), package.identity)
    };
    let other = "https://other.example/specs".to_owned();
    assert_eq!(of("A"), (SourceKind::Registry, other.clone(), Identity::Public));
    assert_eq!(of("B"), (SourceKind::Git, "https://git.example/b".to_owned(), Identity::Foreign));
    assert_eq!(of("C"), (SourceKind::Registry, other.clone(), Identity::Public));
    assert_eq!(of("D"), (SourceKind::Registry, other, Identity::Foreign));
    assert_eq!(of("E"), (SourceKind::Public, String::new(), Identity::Public));
}

#[test]
fn plugins_are_gems_that_no_lockfile_fixes() {
    let podfile = format!("plugin 'cocoapods-x', :key => 'y'\n{PODFILE}");
    let bare = tree(&format!("== Podfile\n{podfile}"));
    for inventory in [read_one(&CocoaPods, &project(&podfile, LOCK)), read_one(&CocoaPods, &bare)] {
        let plugin = find(&inventory, "cocoapods-x");
        assert_eq!(
            (plugin.ecosystem, plugin.is_locked, plugin.scopes.strongest()),
            (Ecosystem::RubyGems, false, Scope::Build)
        );
        assert_eq!(inventory.disagreements, []);
    }
}

#[test]
fn the_manifest_has_several_names_and_the_first_counts() {
    let files = format!(
        "== Podfile\npod 'A'\n== Podfile.lock\n{LOCK}== CocoaPods.podfile\npod 'Evil'\n== x/Podfile.rb\npod 'X'\n"
    );
    let all = read_all(&CocoaPods, &tree(&files));
    assert_eq!(
        all.iter().map(|i| i.project.manifest.as_ref().unwrap().as_str()).collect::<Vec<_>>(),
        ["CocoaPods.podfile", "x/Podfile.rb"]
    );
    assert_eq!(all[0].disagreements.len(), 1);
    assert_eq!(labels(&all[1]), ["X@*"]);
    let files = tree(&format!("{files}== CocoaPods.podfile.yaml\n{{}}\n"));
    let projects = CocoaPods.projects(&files).unwrap();
    let (path, error) = CocoaPods.read(&projects[0], View::new(&files, &[])).unwrap_err();
    assert_eq!((path.as_str(), matches!(error, Unread::Unsupported(_))), ("CocoaPods.podfile.yaml", true));
    for name in ["CocoaPods.podfile", "CocoaPods.podfile.yaml", "a/Podfile.rb"] {
        assert!(CocoaPods.kinds().iter().any(|kind| kind.matches(&RepoPath::new(name))), "{name}");
    }
}

#[test]
fn projects_are_lockfiles_and_manifests_that_have_none() {
    let files = tree(
        "== Podfile\npod 'A', '1.2'\npod 'B/Sub', '>= 1', '< 2'\n== ios/Podfile.lock\nPODS:\n  - A (1.0)\n\
         == Pods/x/Podfile\n== node_modules/x/Podfile.lock\n== code/Podfile\npod name\n",
    );
    let all = read_all(&CocoaPods, &files);
    let found: Vec<_> = all.iter().map(|i| (i.project.path.as_str(), i.project.lockfile.is_some())).collect();
    assert_eq!(found, [("", false), ("code", false), ("ios", true)]);
    assert_eq!(labels(&all[0]), ["A@=1.2", "B@>= 1, < 2"]);
    assert!(all[0].packages.iter().all(|p| !p.is_locked && p.direct) && all[0].disagreements.is_empty());
    assert_eq!(all[1].disagreements.len(), 1);
    assert!(find(&all[2], "A").direct);
}

#[test]
fn what_is_no_lockfile_is_refused() {
    for (text, expected) in [
        ("", "line 1: there is no list"),
        ("PODS:\n  - A\n", "line 2: a pod without a version"),
        ("PODS:\n  - [A]\n", "line 2: a pod that is neither"),
        ("PODS:\n  - A (1):\n    - {x: y}\n", "line 3: a dependency that is no text"),
        ("PODS:\n  - A (1)\nPODS:\n", "line 3: the key `PODS` stands twice"),
        ("PODS:\n<<<<<<< HEAD\n  - A (1)\n", "line 2: conflict markers"),
    ] {
        let files = tree(&format!("== Podfile.lock\n{text}"));
        let project = CocoaPods.projects(&files).unwrap().remove(0);
        let error = CocoaPods.read(&project, View::new(&files, &[])).unwrap_err().1.to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn versions_are_those_of_gems_and_names_have_a_grammar() {
    orders(&CocoaPods, "1.0.0-beta.1 < 1.0.0\n1.0+5 = 1.0.0\n1.10 > 1.9\n1.0.0-beta.10 > 1.0.0-beta.9\n");
    assert_eq!(CocoaPods.compare("", "1"), None);
    let digits = "9".repeat(10_000);
    assert_eq!(CocoaPods.compare(&digits, "1"), Some(Ordering::Greater));
    for (name, expected) in
        [("React-Core", true), ("gRPC-C++", true), ("a/b", false), (".a", false), ("", false), ("a b", false)]
    {
        assert_eq!(CocoaPods.is_name(name), expected, "{name}");
    }
    assert_eq!(CocoaPods.normalise("React-Core"), "React-Core");
}

/// Counts and digest from PyYAML 6.0.3: the names before `/` and the versions of `PODS`; sources from `EXTERNAL
/// SOURCES` and `SPEC REPOS`; direct ones from `DEPENDENCIES`.
#[test]
fn a_real_lockfile_is_read_whole() {
    let Some(path) = corpus("lockfiles/swift-cocoapods/spacedrive/apps/mobile") else { return };
    let inventory = read_one(&CocoaPods, &folder(&path));
    let labels = labels(&inventory);
    assert_eq!((labels.len(), &*digest(&labels)), REAL);
    assert_eq!(inventory.disagreements, []);
    let count = |kind| inventory.packages.iter().filter(|p| p.source.kind == kind).count();
    assert_eq!((count(SourceKind::Public), count(SourceKind::Path)), REAL_KINDS);
    assert_eq!(inventory.packages.iter().filter(|p| p.direct).count(), REAL_DIRECT);
    assert!(inventory.packages.iter().all(|p| p.checksum.is_some() && CocoaPods.is_name(&p.name)));
    assert_eq!(inventory.edges.len(), REAL_EDGES);
}

#[test]
fn hostile_bytes_are_survived() {
    let many: String = (0..100_000).map(|n| format!("  - P{n} (1.{n}):\n    - P{}\n", n / 2)).collect();
    let many = format!("PODS:\n{many}");
    let same: String = (0..100_000).map(|n| format!("  - P (1.{n}):\n    - P\n")).collect();
    let same = format!("PODS:\n{same}");
    let bomb: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let bomb = format!("a0: &a0 [x, x]\n{bomb}PODS: *a39\n");
    let digits = format!("PODS:\n  - A ({})\nDEPENDENCIES:\n  - A (~> 1)\n", "9".repeat(10_000));
    let nested = "[".repeat(30_000);
    let traversal = b"PODS:\n  - ../x (1)\nEXTERNAL SOURCES:\n  ..:\n    :path: ../../../etc\n";
    let mut texts: Vec<&[u8]> =
        vec![b"\0", b"\xff", many.as_bytes(), same.as_bytes(), bomb.as_bytes(), digits.as_bytes()];
    texts.extend([nested.as_bytes(), traversal.as_slice()]);
    texts.extend((0..LOCK.len()).step_by(5).map(|end| &LOCK.as_bytes()[..end]));
    survives(&CocoaPods, &["Podfile.lock"], &texts);
    let commas = format!("pod 'a'{}", ", 'b'".repeat(200_000));
    let open = format!("pod 'a'{}", ", :x => [".repeat(200_000));
    let lines = "pod 'a',\n".repeat(100_000);
    let inner = format!("x {}", "pod('a', 'b' ".repeat(100_000));
    let mut texts: Vec<&[u8]> = vec![b"pod", b"pod(", b"pod '", nested.as_bytes(), commas.as_bytes()];
    texts.extend([open.as_bytes(), lines.as_bytes(), inner.as_bytes()]);
    texts.extend((0..PODFILE.len()).map(|end| &PODFILE.as_bytes()[..end]));
    survives(&CocoaPods, &["Podfile"], &texts);
}

const REAL: (usize, &str) = (108, "c7d1c5f37a7dbaa97d9210c12c66e6605f1230bccaae8e24a464a1f10decff85");
/// Eight of the repositories; 97 folders and three specifications in folders.
const REAL_KINDS: (usize, usize) = (8, 100);
const REAL_DIRECT: usize = 100;
const REAL_EDGES: usize = 861;
