use super::*;
use crate::ecosystem::testing::{
    self, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::model::inventory::{Identity, Scope, SourceKind};

const REVISION: &str = "cac0f6daea041b0ccf42934163defb20";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn lists() -> String {
    format!(
        r#"{{
  "version": "0.5",
  "requires": [
    "zlib/1.3.1#{REVISION}%1765284699.337",
    "mine/2.0@team/stable#{COMMIT}",
    "both/1.0"
  ],
  "build_requires": [
    "cmake/4.2.3#{REVISION}%1.0",
    "cmake/3.31.11",
    "both/1.0"
  ],
  "python_requires": [{{"helper/0.1": {{"id": ["x"]}}}}],
  "overrides": {{"zlib/1.2": ["zlib/1.3.1"]}}
}}
"#
    )
}

fn graph() -> String {
    format!(
        r#"{{"graph_lock": {{"nodes": {{
"0": {{"path": "conanfile.txt", "requires": ["1"], "build_requires": ["4"]}},
"1": {{"ref": "app/1.0#{REVISION}", "requires": ["2"], "build_requires": ["3"],
      "python_requires": ["helper/0.1"]}},
"2": {{"ref": "below/2.0@_/_#0"}},
"3": {{"ref": "tool/3.0", "context": "build"}},
"4": {{"ref": "cmake/3.0"}},
"5": {{"ref": "hidden/1.0", "path": "../hidden"}}
}}, "revisions_enabled": true}}, "version": "0.4"}}"#
    )
}

#[test]
fn lists_and_manifest_make_an_inventory() {
    let manifest = "[requires]\nzlib/1.3.1 # as ever\nmine/[>=1]@team/stable\n\n[tool_requires]\ncmake/4.2.3\n[options]\nzlib/*:shared=True\n";
    let files = tree(&format!("== conanfile.txt\n{manifest}== conan.lock\n{}", lists()));
    let inventory = read_one(&Conan, &files);
    assert_eq!(inventory.disagreements, []);
    assert_eq!(
        labels(&inventory),
        ["both@1.0", "cmake@3.31.11", "cmake@4.2.3", "helper@0.1", "mine@2.0", "zlib@1.3.1"]
    );
    let zlib = find(&inventory, "zlib");
    assert_eq!((zlib.span.line, zlib.declared.unwrap().line, zlib.direct), (4, 2, true));
    assert_eq!(zlib.checksum.as_deref(), Some(&*format!("md5:{REVISION}")));
    assert_eq!((zlib.source.kind, zlib.identity), (SourceKind::Public, Identity::Public));
    let mine = find(&inventory, "mine");
    assert_eq!(mine.checksum.as_deref(), Some(&*format!("gitCommit:{COMMIT}")));
    assert_eq!(
        (mine.source.kind, &*mine.source.address, mine.identity),
        (SourceKind::Registry, "@team/stable", Identity::Foreign)
    );
    let scopes = |name| find(&inventory, name).scopes.strongest();
    assert_eq!(["zlib", "mine", "both"].map(scopes), [Scope::Runtime; 3]);
    assert_eq!(scopes("helper"), Scope::Build);
    assert_eq!((find(&inventory, "both").checksum.clone(), find(&inventory, "both").direct), (None, false));
    let cmake: Vec<_> = inventory.packages.iter().filter(|p| &*p.name == "cmake").collect();
    assert!(cmake.iter().all(|p| p.scopes.strongest() == Scope::Build && p.direct));

    let alone = read_one(&Conan, &tree(&format!("== conan.lock\n{}", lists())));
    assert!(alone.packages.iter().all(|p| p.direct));
    // A manifest that asks for a tool at run time is stronger than the list it stands in.
    let files = tree(&format!("== conanfile.txt\n[requires]\nhelper/0.1\n== conan.lock\n{}", lists()));
    assert_eq!(find(&read_one(&Conan, &files), "helper").scopes.strongest(), Scope::Runtime);
}

#[test]
fn a_graph_makes_an_inventory() {
    let inventory = read_one(&Conan, &tree(&format!("== conan.lock\n{}", graph())));
    assert_eq!(labels(&inventory), ["app@1.0", "below@2.0", "cmake@3.0", "helper@0.1", "hidden@1.0", "tool@3.0"]);
    let scopes = |name| find(&inventory, name).scopes.strongest();
    assert_eq!(["app", "below", "hidden"].map(scopes), [Scope::Runtime; 3]);
    assert_eq!(["cmake", "tool", "helper"].map(scopes), [Scope::Build; 3]);
    let direct: Vec<_> = inventory.packages.iter().filter(|p| p.direct).map(|p| &*p.name).collect();
    assert_eq!(direct, ["app", "cmake"]);
    assert_eq!((find(&inventory, "app").span.line, find(&inventory, "app").span.end_line), (3, 4));
    assert_eq!((inventory.edges.len(), find(&inventory, "below").identity), (1, Identity::Public));
    assert_eq!(find(&inventory, "hidden").source.kind, SourceKind::Path);
}

#[test]
fn what_is_no_lockfile_is_refused() {
    for (text, expected) in [
        ("{\"version\": \"0.6\"}".to_owned(), "version 0.6 of"),
        ("{}".to_owned(), "version none of"),
        ("{\"version\": \"0.4\"}".to_owned(), "line 1: there are no nodes"),
        ("{\"version\": \"0.5\",\n\"requires\": {}}".to_owned(), "line 2: `requires` is not a list"),
        (
            "{\"version\": \"0.5\", \"requires\": [\n\"zlib\"]}".to_owned(),
            "line 2: not a reference to a package: `zlib`",
        ),
        ("{\"version\": \"0.5\", \"requires\": [\n1]}".to_owned(), "line 1: `requires` holds what"),
        (graph().replace("[\"2\"]", "[\"9\"]"), "line 3: `requires` names a node that is not there"),
        ("{\"version\": \"0.5\",\n\"version\": \"0.5\"}".to_owned(), "line 2: the key `version` stands twice"),
    ] {
        let files = tree(&format!("== conan.lock\n{text}"));
        let project = Conan.projects(&files).unwrap().remove(0);
        let error = Conan.read(&project, View::new(&files, &[])).unwrap_err().1.to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let files = tree("== conanfile.txt\n[requires]\nzlib\n");
    let project = Conan.projects(&files).unwrap().remove(0);
    assert!(
        Conan.read(&project, View::new(&files, &[])).unwrap_err().1.to_string().starts_with("line 2: not a reference")
    );
}

#[test]
fn manifest_and_lockfile_may_disagree() {
    let said = |manifest: &str| {
        let inventory = read_one(&Conan, &tree(&format!("== conanfile.txt\n{manifest}== conan.lock\n{}", lists())));
        inventory.disagreements.iter().map(|d| format!("{} {} {}", d.name, d.span.line, d.message)).collect::<Vec<_>>()
    };
    assert_eq!(said("[requires]\nzlib/1.2.13\n"), ["zlib 2 asks for 1.2.13, and the lockfile holds 1.3.1"]);
    assert_eq!(said("[requires]\nabsent/1.0\n"), ["absent 2 asks for 1.0, and the lockfile holds no such package"]);
    assert_eq!(said("[requires]\nzlib/[~1.2]\n[layout]\ncmake_layout\n"), Vec::<String>::new());
}

#[test]
fn projects_are_lockfiles_and_manifests_that_have_none() {
    let files = tree(
        "== conanfile.txt\n[requires]\nzlib/1.3.1\nfmt/[>=9]\n[test_requires]\ngtest/1.17.0\n\
         == lib/conanfile.txt\n== lib/conanfile.py\nclass A:\n    requires = \"zlib/1.2.13\", 'fmt/9.0@team/x'\n    # requires = \"no/1.0\"\n    exports = \"a/b\"\n\
         == node_modules/x/conanfile.txt\n",
    );
    let all = read_all(&Conan, &files);
    let found: Vec<_> = all.iter().map(|i| i.project.manifest.as_ref().unwrap().as_str()).collect();
    assert_eq!(found, ["conanfile.txt", "lib/conanfile.py"]);
    assert_eq!(labels(&all[0]), ["fmt@[>=9]", "gtest@=1.17.0", "zlib@=1.3.1"]);
    assert_eq!(find(&all[0], "gtest").scopes.strongest(), Scope::Development);
    assert_eq!(labels(&all[1]), ["fmt@=9.0", "zlib@=1.2.13"]);
    assert_eq!((all[0].disagreements.len(), all[1].disagreements.len()), (0, 1));
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("zlib", true),
        ("libsdl2+x.y-z", true),
        ("7zip", true),
        ("Poco", true),
        ("a", false),
        ("-ab", false),
        ("a b", false),
        ("a/b", false),
        ("zl\u{200b}ib", false),
    ] {
        assert_eq!(Conan.is_name(name), expected, "{name}");
    }
    assert!(!Conan.is_name(&"a".repeat(102)));
}

/// Expected orders are those of `conan.internal.model.version.Version` (Conan 2.34.0).
#[test]
fn versions_are_ordered_as_conan_orders_them() {
    assert_eq!(orders(&Conan, ORDERS), ORDERS.lines().count());
    for bad in ["", "system", "1 2", "é1", "1/2"] {
        assert_eq!(Conan.compare(bad, "1.0"), None, "{bad}");
    }
    let (long, longer) = ("9".repeat(10_000), format!("1{}", "0".repeat(10_000)));
    assert_eq!(Conan.compare(&long, &longer), Some(Ordering::Less));
}

#[test]
fn configuration_says_where_packages_come_from() {
    let redirects = |path: &str, text: &str| {
        let path = RepoPath::new(path);
        assert!(Conan.patterns().iter().any(|pattern| crate::ecosystem::matches(pattern, &path)));
        let all = Conan.redirects(&path, text.as_bytes()).unwrap();
        all.iter().map(|r| format!("{} {} -> {}", r.line, r.from, r.to)).collect::<Vec<_>>()
    };
    assert_eq!(redirects(".conanrc", "# home\nconan_home = ./.conan2\n"), ["2 Conan's home -> ./.conan2"]);
    let remotes = "{\"remotes\": [\n{\"name\": \"x\", \"url\": \"https://registry.example\", \"verify_ssl\": false}]}";
    assert_eq!(redirects(".conan2/remotes.json", remotes), ["2 the remote x -> https://registry.example"]);
    assert!(Conan.redirects(&RepoPath::new(".conan2/remotes.json"), b"{").is_err());
}

/// Counts and digests from Python's `json`: the text before `@`, `#` and `%` of every reference. Conan's own
/// `RecipeReference` (2.34.0) reads the same names and versions.
#[test]
fn real_lockfiles_are_read_whole() {
    for (name, count, expected, runtime, fixed) in REAL {
        let Some(path) = corpus(&format!("lockfiles/conan/{name}")) else { return };
        let inventory = read_one(&Conan, &folder(&path));
        let labels = labels(&inventory);
        assert_eq!((labels.len(), &*digest(&labels)), (*count, *expected), "{name}");
        let is_runtime = |p: &&crate::model::inventory::Package| p.scopes.strongest() == Scope::Runtime;
        assert_eq!(inventory.packages.iter().filter(is_runtime).count(), *runtime);
        assert_eq!(inventory.packages.iter().filter(|p| p.checksum.is_some()).count(), *fixed);
        assert_eq!(inventory.disagreements, []);
        assert!(inventory.packages.iter().all(|p| Conan.is_name(&p.name) && p.span.line > 1));
    }
}

#[test]
fn hostile_bytes_are_survived() {
    let many: Vec<String> = (0..200_000).map(|n| format!("\"p{n}/1.{n}\"")).collect();
    let many = format!("{{\"version\": \"0.5\", \"requires\": [{}]}}", many.join(","));
    let same: Vec<String> = (0..100_000).map(|n| format!("\"pp/1.{n}\"")).collect();
    let same = format!("{{\"version\": \"0.5\", \"requires\": [{}]}}", same.join(","));
    let nodes: Vec<String> =
        (0..100_000).map(|n| format!("\"{n}\": {{\"ref\": \"p{n}/1\", \"requires\": [\"{}\"]}}", n / 2)).collect();
    let nodes = format!("{{\"version\": \"0.4\", \"graph_lock\": {{\"nodes\": {{{}}}}}}}", nodes.join(","));
    let (lists, graph, nested) = (lists(), graph(), "[".repeat(30_000));
    let digits = lists.replace("1.3.1", &"9".repeat(10_000));
    let traversal = lists.replace("zlib/", "../").replace("both/1.0", "both\\u002f1.0");
    let mut texts: Vec<&[u8]> = vec![b"", b"\0", b"\xff", many.as_bytes(), nodes.as_bytes(), nested.as_bytes()];
    texts.extend([digits.as_bytes(), traversal.as_bytes()]);
    texts.extend((0..lists.len()).step_by(3).map(|end| &lists.as_bytes()[..end]));
    texts.extend((0..graph.len()).step_by(3).map(|end| &graph.as_bytes()[..end]));
    survives(&Conan, &["conan.lock"], &texts);
    let quotes = format!("requires = {}", "\"a/1\" '".repeat(200_000));
    let sections = "[requires]\na/1@\n".repeat(100_000);
    for path in ["conanfile.txt", "conanfile.py"] {
        survives(&Conan, &[path], &[quotes.as_bytes(), sections.as_bytes(), b"[", b"[requires]\n/\n", b"requires \""]);
    }
    // A name that stands often in both files costs no more than their sum.
    let mut files = testing::Tree::default();
    let often = format!("[requires]\n{}", "pp/1.0\n".repeat(100_000));
    files.0.insert(RepoPath::new("conanfile.txt"), often.into_bytes());
    files.0.insert(RepoPath::new("conan.lock"), same.into_bytes());
    assert_eq!(read_one(&Conan, &files).packages.len(), 100_000);
}

/// Name, packages, digest, packages at run time, packages with a revision.
const REAL: &[(&str, usize, &str, usize, usize)] = &[
    ("knights-v2", 24, "18eb6030e59b6ed5e3889310ab2a7f560a7a4f203cf9ad326b0e8d371180df9c", 15, 24),
    ("trivy-v1", 7, "5ad1bfd6826592079d14ed894da8161bca173c63cf5937633a6b4ce433007752", 7, 0),
];

const ORDERS: &str = "\
1.0- < 3.0b10
1.10 > 1.0-0
1.0.0 < 1.1.1q
1.2.3 > 1.0-
1.2.3+2 < 1.a
1.1.1 > 1.0-
1.10 < 1.1a
1.10 > 1.1.1t
1.9 < 1.a
1.0-0 < 1..2
1.0.0 < 3.0b10
cci.20210101 > 1.1a
1.0 < 01.2
1.a > 01.2
01.2 > 1..2
1.9 > 01.2
1.2.3-beta.2 < cci.20200101
2.0 > 1.1a
1.2.3+1+2 < 3.0b10
1.2.3+1 < 1.2.3+2
1.2.3-beta.2 < 3.0b10
1.0 < 1.2.3+1
1.2.3-beta.10 > 1.1.1q
2.0 < 3.0b9
20240722.0 > 0.1
1.10 < cci.20210101
1.2.3-beta.10 < cci.20200101
1.2.3 > 1..2
1.0.0 < 1.2.3-beta.2
1 < 2.0-rc.1
2.0-rc.1 < 3.0b9
1.0 < 1.1a
1.2.3+1 > 0.1
1.1.1t > 1.0-0
1.2.3+1 > 1..2
1.2.3-beta.2 > 1.0-0
20240722.0 > 3.0b9
20240722.0 > 1.2.3+1+2
cci.20200101 > 1.0-
1.1.1q < 1.1a
1.0.0 < cci.20200101
1.0.0 < 2.0
1.1.1q < 1.1.1t
1.2.3-beta.10 > 1.1.1
1.2.3+1 < 1.2.3+1+2
1.10 > 0.1
1.0 < 1.1.1t
20240722.0 > 1..2
1.10 > 1.2.3+1+2
1.0 > 1.0-
cci.20200101 > 1.2
1.a > 1..2
1.1.1q < 1.a
1.1.1t < 3.0b9
1.2.3-beta.2 > 1.1.1q
1.2.3-alpha+1 < 20250814.0
1.1.1t < 1.2
1.2.3-beta.2 > 0.1
1.0-0 < 1.0-
1.1.1 < 20250814.0
1 < 1.1a
cci.20200101 > 1.2.3+1+2
2.0-rc.1 < 2.0
1.2.3+2 > 1.2.3-alpha+1
20250814.0 > 1..2
1.2.3-beta.2 < 20250814.0
1 < 3.0b10
1.2.3+1 < 1.a
1.2.3 > 1.2.3-beta.2
cci.20210101 > 3.0b10
1.2.3-beta.2 > 1.1.1
1.2.3-beta.2 > 1.1.1t
1 < cci.20200101
1 < 3.0b9
1.10 < 3.0b10
1.1.1q > 1..2
1.2.3 > 1.0-0
1.0- < 1.2.3+1+2
2.0 > 1.2.3+1+2
1.2.3+2 < 2.0
1 < 1.2.3+1
1.1.1t < cci.20210101
1.9 > 1.2.3-alpha+1
1.10 > 1..2
1.2.3+1 > 1.0-
1.1.1 < cci.20200101
1.9 < cci.20210101
1.2.3-beta.10 > 01.2
1.0- < 3.0b9
1.0.0 < 1.2.3
1.9 < 3.0b10
01.2 < 3.0b9
1.0 < 2.0
1.2.3-alpha+1 > 1..2
1.9 < 2.0
1.2.3 < 3.0b10
cci.20210101 > 1.2.3+1+2
cci.20210101 > 3.0b9
1.1.1 < cci.20210101
1 < 1.2.3-alpha
01.2 < 1.2.3+1+2
1.0.0 < 1.2.3+2
1.10 < 3.0b9
20240722.0 > 3.0b10
1.2.3-beta.10 < 1.2.3+1
1.10 < 2.0-rc.1
1.2.3+2 > 1..2
cci.20210101 > 1.a
1.1.1t > 1..2
1 < 1.2.3-beta.10
1 = 1.0.0
1.1.1q < 2.0
1.0.0 < 1.a
2.0-rc.1 > 1.0-0
1.0 < cci.20210101
1.0 < 1.9
1.0.0 < 1.10
1.a < 3.0b9
1.2.3-beta.10 < 20240722.0
1.9 > 1.2.3
1.0.0 < 1.9
1 < 1.2.3+2
1.0-0 < 1.2.3+1+2
3.0b10 > 0.1
1.1a < 3.0b9
1 < 1.2
1.2.3+2 < 3.0b9
01.2 < 3.0b10
1.2.3-alpha < 1.2.3-beta.10
1.1.1q < 3.0b9
1.2.3 < cci.20210101
1.10 > 1.1.1q
1.2.3 > 1.2.3-alpha
1.2.3-alpha > 1.0-0
1.1.1t < 2.0-rc.1
1.2 < 1.2.3+1+2
1.1.1t < 1.2.3+1+2
1.a > 1.1a
1.10 > 01.2
1.10 > 1.2.3+2
";

#[test]
fn references_over_several_lines_of_code_are_read() {
    let text = "== conanfile.py\nclass A:\n    requires = (\n        \"zlib/1.3\",  # not \"a/1\" )\n        # \"b/1\"\n        \"fmt/10.0 )\", 'spdlog/1.12',\n    )\n    tool_requires = [\n\"cmake/3.2\"]\n    other = \"c/1\"\n";
    let inventory = read_one(&Conan, &tree(text));
    assert_eq!(labels(&inventory), ["cmake@=3.2", "spdlog@=1.12", "zlib@=1.3"]);
    assert_eq!(find(&inventory, "zlib").span.line, 3);
}
