use super::*;
use crate::ecosystem::settings_of;
use crate::ecosystem::testing::{corpus, digest, folder, labels, orders, read_all, read_one, survives, tree};
use crate::model::inventory::{Identity, Scope};

fn shown(inventory: &Inventory) -> Vec<String> {
    let each = inventory.packages.iter().map(|p| {
        let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
        let marks = [(p.direct, " direct"), (!p.is_locked, " unlocked"), (p.checksum.is_some(), " digest")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let identity = if p.identity == Identity::Public { "" } else { p.identity.as_str() };
        format!("{} [{}] {identity} {}{marks} :{}", p.label(), p.source, scopes.join("+"), p.span.line)
    });
    each.collect()
}

fn said(inventory: &Inventory) -> Vec<(&str, &str, u32)> {
    inventory.disagreements.iter().map(|d| (&*d.name, &*d.message, d.span.line)).collect()
}

fn hosted(name: &str, version: &str, flag: &str) -> String {
    format!(
        "  {name}:\n    dependency: {flag}\n    description:\n      name: {name}\n      sha256: \"{}\"\n      \
         url: \"https://registry.example\"\n    source: hosted\n    version: \"{version}\"\n",
        "ab".repeat(32)
    )
}

#[test]
fn versions_compare_as_pub_compares_them() {
    assert_eq!(Pub.compare("2021.01.02", "2021.1.3"), Some(Ordering::Less));
    let long = format!("{}.0.0", "9".repeat(10_000));
    assert_eq!(Pub.compare(&long, "1.0.0"), Some(Ordering::Greater));
    for bad in ["", "any", "^1.0.0", "1.0.0-", "1.0.0+", "1..0"] {
        assert_eq!(Pub.compare(bad, "1.0.0"), None, "{bad}");
    }
    for (name, expected) in [
        ("http", true),
        ("_fe", true),
        ("a1", true),
        ("1a", false),
        ("a-b", false),
        ("", false),
        ("a.b", false),
        ("é", false),
    ] {
        assert_eq!(Pub.is_name(name), expected, "{name}");
    }
    let Some(path) = corpus("vectors/versions/pub-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let lines: String = text.lines().filter(|line| !line.starts_with("//")).map(|line| format!("{line}\n")).collect();
    // `grep -cvE '^(//|#|$)'` of the file.
    assert_eq!(orders(&Pub, &lines), 100);
}

#[test]
fn constraints_hold_as_pub_has_them() {
    for (constraint, version, expected) in [
        ("any", "1.0.0", Some(true)),
        ("^1.2.0", "1.9.0", Some(true)),
        ("^1.2.0", "1.1.9", Some(false)),
        ("^1.2.0", "2.0.0-dev", Some(false)),
        ("^0.2.1", "0.2.9", Some(true)),
        ("^0.2.1", "0.3.0", Some(false)),
        (">=1.0.0 <2.0.0", "1.5.0", Some(true)),
        (">= 1.0.0<2.0.0", "2.0.0", Some(false)),
        (">1.0.0", "1.0.0", Some(false)),
        ("<=1.0.0", "1.0.0", Some(true)),
        ("1.0.0", "1.0.0+1", Some(false)),
        ("1.0.0", "1.0.0", Some(true)),
        ("nonsense", "1.0.0", None),
        ("^1.0.0", "x", None),
    ] {
        assert_eq!(constraint::allows(constraint, version), expected, "{constraint} {version}");
    }
}

#[test]
fn scopes_come_from_the_manifest_and_not_from_flags() {
    let lock: String = [
        hosted("app_dep", "1.2.3", "\"direct dev\""),
        hosted("dev_dep", "1.0.0", "\"direct main\""),
        hosted("both", "1.0.0", "transitive"),
        hosted("below", "1.0.0", "\"direct dev\""),
    ]
    .concat();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let inventory = read_one(
        &Pub,
        &tree(&format!(
            "== app/pubspec.yaml\nname: app\nversion: 1.0.0+3\ndependencies:\n  app_dep: ^1.0.0\n  both:\n  flutter:\n    \
             sdk: flutter\n  forked: ^3.0.0\n  mine:\n    path: ../mine\n  away:\n    path: ../../away\n  renamed:\n    \
             hosted: {{name: real, url: https://other.example/a}}\n    version: ^2.0.0\n\
             dev_dependencies:\n  dev_dep: 1.0.0\n  both: any\ndependency_overrides:\n  app_dep: 1.2.3\n  forked:\n    \
             git: {{url: https://git.example/f.git, ref: main}}\n  pinned: 2.0.0\n  unused: 1.0.0\n\
             == app/pubspec.lock\npackages:\n{lock}  flutter:\n    dependency: \"direct main\"\n    description: flutter\n    \
             source: sdk\n    version: \"0.0.0\"\n  forked:\n    description:\n      path: \".\"\n      ref: main\n      \
             resolved-ref: \"{commit}\"\n      url: \"https://git.example/f.git\"\n    source: git\n    version: \"9.0.0\"\n  \
             mine:\n    description: {{path: \"../mine\", relative: true}}\n    source: path\n    version: \"0.1.0\"\n  \
             away:\n    description: {{path: \"../../away\", relative: true}}\n    source: path\n    version: \"0.2.0\"\n  \
             renamed:\n    description: {{name: real, url: \"https://other.example/a\"}}\n    source: hosted\n    \
             version: \"2.1.0\"\n  pinned:\n    description: pinned\n    source: hosted\n    version: \"2.0.0\"\n"
        )),
    );
    assert_eq!(
        shown(&inventory),
        [
            "app_dep@1.2.3 [https://registry.example]  runtime direct digest :2".to_owned(),
            "away@0.2.0 [../../away] foreign runtime direct :51".to_owned(),
            "below@1.0.0 [https://registry.example]  runtime digest :26".to_owned(),
            "both@1.0.0 [https://registry.example]  runtime+development direct digest :18".to_owned(),
            "dev_dep@1.0.0 [https://registry.example]  development direct digest :10".to_owned(),
            format!("forked@9.0.0 [https://git.example/f.git#{commit}] stands-in runtime direct digest :39"),
            "mine@0.1.0 [mine] foreign runtime direct :47".to_owned(),
            "pinned@2.0.0 []  runtime direct :59".to_owned(),
            "real@2.1.0 [https://other.example/a]  runtime direct :55".to_owned(),
        ]
    );
    assert_eq!(said(&inventory), []);
    assert_eq!(inventory.packages[8].alias.as_deref(), Some("renamed"));
    assert_eq!(inventory.packages[0].declared.unwrap().line, 4);
    assert_eq!(&*inventory.roots[0].version, "1.0.0+3");
}

#[test]
fn manifest_and_lockfile_that_contradict_each_other_are_told() {
    let (a, b) = ("0123456789abcdef0123456789abcdef01234567", "1123456789abcdef0123456789abcdef01234567");
    let inventory = read_one(
        &Pub,
        &tree(&format!(
            "== pubspec.yaml\nname: app\ndependencies:\n  gone: ^1.0.0\n  old: ^2.0.0\n  moved:\n    git: https://git.example/m\n  \
             pinned:\n    git: {{url: https://git.example/p, ref: {a}}}\n  swapped: any\n\
             == pubspec_overrides.yaml\ndependency_overrides:\n  over: 1.0.0\n== pubspec.lock\npackages:\n{}{}{}  \
             pinned:\n    description: {{url: https://git.example/p, resolved-ref: {b}}}\n    source: git\n    version: 1.0.0\n  \
             swapped:\n    description: {{name: evil, url: https://registry.example}}\n    source: hosted\n    version: 1.0.0\n",
            hosted("old", "1.4.0", "transitive"),
            hosted("moved", "1.0.0", "transitive"),
            hosted("over", "1.0.1", "transitive"),
        )),
    );
    assert_eq!(
        said(&inventory),
        [
            ("gone", "asks for ^1.0.0, which the lockfile does not hold", 3),
            ("moved", "asks for it from git, and the lockfile holds it from hosted", 5),
            ("old", "asks for ^2.0.0, and the lockfile holds 1.4.0", 4),
            ("over", "asks for 1.0.0, and the lockfile holds 1.0.1", 2),
            ("pinned", &*format!("asks for commit {a}, and the lockfile holds https://git.example/p#{b}"), 7),
            ("swapped", "is taken from the package evil, which no manifest asks for", 30),
        ]
    );
}

#[test]
fn other_registries_and_overrides_that_the_lockfile_lacks_are_told() {
    let files = |address: &str| {
        tree(&format!(
            "== pubspec.yaml\nname: me\ndependencies:\n  a:\n    hosted: {address}\n    version: ^1.0.0\n\
             == pubspec_overrides.yaml\ndependency_overrides:\n  gone: {{git: https://git.example/x}}\n  plain: 1.0.0\n\
             == pubspec.lock\npackages:\n{}",
            hosted("a", "1.0.0", "transitive")
        ))
    };
    let gone = ("gone", "is overridden from git, and the lockfile does not hold it", 2);
    assert_eq!(said(&read_one(&Pub, &files("https://Registry.example/"))), [gone]);
    let message = "asks for it from https://other.example, and the lockfile holds it from https://registry.example";
    assert_eq!(said(&read_one(&Pub, &files("https://other.example"))), [("a", message, 3), gone]);
}

#[test]
fn projects_of_the_repository_are_no_libraries() {
    let manifests = "== app/pubspec.yaml\nname: app\ndependencies:\n  b: {path: ../b}\n  c: {path: ../c}\n== b/pubspec.yaml\nname: b\n";
    let lock = "== app/pubspec.lock\npackages:\n  b: {source: path, version: 0.0.1, description: {path: ../b, relative: true}}\n  \
                c: {source: path, version: 0.0.1, description: {path: ../c, relative: true}}\n";
    for files in [tree(manifests), tree(&format!("{manifests}{lock}"))] {
        let all = read_all(&Pub, &files);
        let names: Vec<_> = all.iter().flat_map(|i| &i.packages).map(|p| (&*p.name, &*p.source.address)).collect();
        assert_eq!(names, [("c", "c")]);
        assert!(all.iter().all(|inventory| inventory.disagreements.is_empty()));
    }
}

#[test]
fn without_a_lockfile_requirements_stand_for_versions() {
    let inventory = read_one(
        &Pub,
        &tree(
            "== lib/pubspec.yaml\nname: lib\ndependencies:\n  a: ^1.0.0\n  b: 2.0.0\n  c:\n  d: {git: {url: https://git.example/d, \
             ref: main}}\n  e: {path: ../../e}\n  f: {hosted: https://other.example, version: '>=1.0.0 <2.0.0'}\n\
             dev_dependencies:\n  t: any\ndependency_overrides:\n  a: {path: ../a}\n  z: 1.0.0\n",
        ),
    );
    assert_eq!(
        shown(&inventory),
        [
            "a@any [a] stands-in runtime direct unlocked :12",
            "b@=2.0.0 []  runtime direct unlocked :4",
            "c@any []  runtime direct unlocked :5",
            "d@any [https://git.example/d] foreign runtime direct unlocked :6",
            "e@any [../../e] foreign runtime direct unlocked :7",
            "f@>=1.0.0 <2.0.0 [https://other.example]  runtime direct unlocked :8",
            "t@any []  development direct unlocked :10",
            "z@=1.0.0 []  runtime direct unlocked :13",
        ]
    );
    // A lockfile alone: everything may be asked for.
    let alone = read_one(&Pub, &tree(&format!("== pubspec.lock\npackages:\n{}", hosted("a", "1.0.0", "transitive"))));
    assert_eq!(shown(&alone), ["a@1.0.0 [https://registry.example]  runtime direct digest :2"]);
}

#[test]
fn members_of_a_workspace_share_the_lockfile() {
    let files = tree(&format!(
        "== pubspec.yaml\nname: root\nworkspace:\n- pkgs/*\n- tools/t\n- gone\n- ../../out\n== pubspec.lock\npackages:\n{}{}\
         == pkgs/a/pubspec.yaml\nname: a\nresolution: workspace\ndependencies:\n  b: any\n  x: ^1.0.0\n\
         == pkgs/b/pubspec.yaml\nname: b\n== pkgs/b/deep/pubspec.yaml\nname: deep\n== tools/t/pubspec.yaml\nname: t\n\
         dev_dependencies:\n  y: ^1.0.0\n== other/pubspec.yaml\nname: other\n== .dart_tool/x/pubspec.yaml\nname: no\n",
        hosted("x", "1.0.0", "transitive"),
        hosted("y", "1.0.0", "transitive"),
    ));
    let all = read_all(&Pub, &files);
    let paths: Vec<&str> = all.iter().map(|inventory| inventory.project.path.as_str()).collect();
    assert_eq!(paths, ["", "other", "pkgs/b/deep"]);
    let scopes: Vec<Scope> = all[0].packages.iter().map(|package| package.scopes.strongest()).collect();
    assert_eq!((scopes, all[0].roots.len()), (vec![Scope::Runtime, Scope::Development], 4));
    assert_eq!(
        said(&all[0]),
        [
            ("../../out", "is a member of the workspace, and leads to no folder of the repository", 6),
            ("gone", "is a member of the workspace, and holds no pubspec.yaml", 5),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    for (text, expected) in [
        (
            "packages:\n  a:\n    source: svn\n    version: 1.0.0\n    description: a\n",
            "line 2: a source of the kind `svn`",
        ),
        ("packages:\n  a:\n    source: hosted\n    description: a\n", "line 2: the entry has no version"),
        ("packages:\n  a:\n    version: 1.0.0\n", "line 2: the entry has no source"),
        ("packages:\n  a: {source: git, version: 1.0.0, description: {}}\n", "line 2: the entry has no url"),
        ("packages: [a]\nx: 1\n", "line 1: `packages` is no mapping"),
        ("packages: x\n", "line 1: `packages` is no mapping"),
        ("sdks: {}\n", "line 1: no `packages`"),
        ("packages:\n  a: {}\n  a: {}\n", "line 3: the key `a` stands twice"),
        ("<<<<<<< a\npackages: {}\n=======\n", "line 1: conflict markers (`<<<<<<<`): a merge was left unfinished"),
    ] {
        let found = lockfile::read(text.as_bytes(), 0, &RepoPath::root());
        let error = found.err().map_or(String::new(), |error| error.to_string());
        assert_eq!(error, expected, "{text}");
    }
    for (text, expected) in [
        ("dependencies: x\n", "line 1: `dependencies` is no mapping"),
        ("dependencies: [x]\n", "line 1: `dependencies` is no mapping"),
        ("dependencies:\n  a: [1.0.0]\n", "line 2: a dependency of a form that is not read"),
        ("dependencies:\n  a: []\n", "line 2: a dependency of a form that is not read"),
        ("[]\n", "line 1: not a mapping"),
        ("dependencies:\n  a: {svn: x}\n", "line 2: a dependency of a form that is not read"),
        ("dependencies:\n  a: {git: {ref: x}}\n", "line 2: a dependency of a form that is not read"),
        ("x\n", "line 1: not a mapping"),
    ] {
        assert_eq!(manifest::read(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn real_lockfiles_are_read_as_a_yaml_library_reads_them() {
    // From PyYAML 6.0.3 with its BaseLoader: description.name and version of every entry, all hosted with a sha256; 26
    // dependencies and 6 dev_dependencies in pubspec.yaml, all locked.
    let Some(path) = corpus("lockfiles/pub/pub") else { return };
    let inventory = read_one(&Pub, &folder(&path));
    let labels = labels(&inventory);
    assert_eq!(labels.len(), 58);
    assert_eq!(digest(&labels), "204a4748381795c3c77f7440ee9c105cfc2f3e2b60c9a6f7af326c1151cd0d68");
    assert!(inventory.packages.iter().all(|p| p.checksum.is_some() && Pub.is_name(&p.name)));
    assert_eq!(inventory.packages.iter().filter(|p| p.direct).count(), 26 + 6);
    let development = inventory.packages.iter().filter(|p| p.scopes.strongest() == Scope::Development);
    assert_eq!(development.count(), 6);
    assert_eq!(said(&inventory), []);
}

#[test]
fn the_version_manager_chooses_the_sdk() {
    let path = RepoPath::new(".fvmrc");
    assert!(settings_of(&path).is_some_and(|settings| settings.ecosystem() == Ecosystem::Pub));
    assert!(settings_of(&RepoPath::new("app/.fvm/flutter_sdk")).is_some());
    let text = b"{\n  \"flutter\": \"3.19.0\",\n  \"flutterUrl\": \"https://git.example/flutter.git\"\n}\n";
    let found = Settings::redirects(&Pub, &path, text).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].to, found[0].line), ("https://git.example/flutter.git", 3));
    assert!(Settings::redirects(&Pub, &path, b"{").is_err());
    assert!(Settings::redirects(&Pub, &RepoPath::new(".fvm/release"), b"{").unwrap().is_empty());
}

#[test]
fn hostile_files_end_in_linear_time_and_without_a_panic() {
    use std::fmt::Write as _;
    let (mut lock, mut manifest) = (String::from("packages:\n"), String::from("name: m\ndependencies:\n"));
    let mut overrides = String::from("dependency_overrides:\n");
    for n in 0..20_000 {
        writeln!(lock, "  a{n}: {{source: hosted, version: 1.0.{n}, description: a{n}}}").unwrap();
        writeln!(manifest, "  a{n}: ^1.0.0").unwrap();
        writeln!(overrides, "  a{n}: {{path: ../../x}}\n  b{n}: 1.0.0").unwrap();
    }
    let files = tree(&format!("== pubspec.lock\n{lock}== pubspec.yaml\n{manifest}{overrides}"));
    assert_eq!(read_one(&Pub, &files).packages.len(), 20_000);
    assert_eq!(read_one(&Pub, &tree(&format!("== pubspec.yaml\n{manifest}{overrides}"))).packages.len(), 40_000);
    let mut texts: Vec<String> = ["[", "{", "- ", "a: ", "? "].iter().map(|text| text.repeat(30_000)).collect();
    texts.push("workspace: [., .., /etc, 'c:\\x', '../*', '**', '*']\n".to_owned());
    texts.push("name: m\nworkspace: [a/b]\ndependencies: {a: ^99999999999999999999.0.0}\n".to_owned());
    texts.push(format!("packages:\n  a: {{source: hosted, version: {}, description: a}}\n", "9".repeat(10_000)));
    texts.push(format!(
        "a0: &a0 [x, x]\n{}",
        (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect::<String>()
    ));
    let whole = format!("packages:\n{}", hosted("a", "1.0.0", "transitive"));
    texts.extend((0..whole.len()).map(|end| whole.chars().take(end).collect()));
    let mut texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    texts.extend([&b"a: \0"[..], b"\xff", b""]);
    survives(&Pub, &["pubspec.lock", "pubspec.yaml", "a/b/pubspec.yaml"], &texts);
}
