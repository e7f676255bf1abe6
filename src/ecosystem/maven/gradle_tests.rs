//! Tests of Gradle's lockfiles and version catalogs.

use super::gradle::Gradle;
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, read_all, read_one, survives, tree};
use crate::ecosystem::{Format, View};
use crate::model::RepoPath;
use crate::model::inventory::{Package, Scope};

fn scopes(package: &Package) -> Vec<Scope> {
    package.scopes.iter().collect()
}

fn error(text: &str) -> String {
    let files = tree(text);
    let projects = Gradle.projects(&files).unwrap();
    Gradle.read(&projects[0], View::new(&files, &[])).unwrap_err().1.to_string()
}

/// Expected: `group:name@version` of every line, and the digests of every file, by a second reader in Python (`re`,
/// `xml.etree`).
#[test]
fn real_lockfiles() {
    let Some(root) = corpus("lockfiles/gradle/crescent") else { return };
    let inventory = read_one(&Gradle, &folder(&root));
    let found = labels(&inventory);
    assert_eq!(
        (found.len(), &*digest(&found)),
        (39, "98f1d9038d3bb336537ca1eaabd1afb8a9e0167275ada1980d04dcb8c778cc8a")
    );
    let mut sums: Vec<String> = Vec::new();
    for package in &inventory.packages {
        assert!(package.checksum.is_some(), "{}", package.label());
        let one = package.checksum.clone().filter(|_| package.files.is_empty());
        let digests = package.files.iter().cloned().chain(one);
        sums.extend(digests.map(|sum| format!("{}:{} {sum}", package.name, package.version)));
    }
    sums.sort();
    assert_eq!((sums.len(), &*digest(&sums)), (78, "5a7c26c5845c4983c5817c6755ad6575245fc8a0481487e8a25b824ce91df147"));
    assert_eq!(scopes(find(&inventory, "org.junit.jupiter:junit-jupiter-api")), [Scope::Development]);

    let Some(root) = corpus("lockfiles/gradle/strict-null-check") else { return };
    let all = read_all(&Gradle, &folder(&root));
    let found: Vec<(usize, String)> = all.iter().map(|i| (labels(i).len(), digest(&labels(i)))).collect();
    let expected = [
        (10, "d2f2c6d987086755638447c41bd392779daa00713377204e00d4e552367fcc02"),
        (99, "2b329a42e0f518a722dfca0fed89ea4d53c7b764cfb1e74cf1e9de6321143418"),
    ];
    assert_eq!(found, expected.map(|(count, digest)| (count, digest.to_owned())));
    assert!(all[0].packages.iter().all(|package| scopes(package) == [Scope::Build]));
    let lombok = find(&all[1], "org.projectlombok:lombok");
    assert_eq!(scopes(lombok), [Scope::Runtime, Scope::Build, Scope::Development]);
}

/// Expected: the entries of the files, by hand.
#[test]
fn real_catalogs() {
    let Some(root) = corpus("lockfiles/gradle/version-catalog-cases") else { return };
    let files = folder(&root);
    let projects = Gradle.projects(&files).unwrap();
    let read = |at: usize| Gradle.read(&projects[at], View::new(&files, &[]));
    assert_eq!(projects.len(), 3);
    assert_eq!(labels(&read(0).unwrap()), [""; 0]);
    assert!(read(1).is_err());
    assert_eq!(
        labels(&read(2).unwrap()),
        [
            "com.github.ben-manes.versions:com.github.ben-manes.versions.gradle.plugin@0.45.0",
            "com.google.guava:guava@30.1.1-jre",
            "com.puppycrawl.tools:checkstyle@8.37",
            "org.apache.commons:commons-lang3@3.12.0",
            "org.codehaus.groovy:groovy-json@3.0.5",
            "org.codehaus.groovy:groovy@3.0.5",
            "org.example:noversion@*",
            "org.example:pref@1.0",
            "org.example:req@1.5",
            "org.example:strict@2.0",
        ]
    );
    let Some(root) = corpus("lockfiles/gradle/version-catalog") else { return };
    let inventory = read_one(&Gradle, &folder(&root));
    assert!(inventory.project.path.is_root());
    assert_eq!(labels(&inventory), ["com.google.guava:guava@33.0.0-jre", "org.junit.jupiter:junit-jupiter@5.10.2"]);
}

#[test]
fn scopes_come_from_the_configurations_that_hold_an_entry() {
    let inventory = read_one(
        &Gradle,
        &tree(
            "== app/build.gradle.kts
plugins { }
== app/gradle.lockfile
# comment
g:run:1=runtimeClasspath,testRuntimeClasspath
g:test:1=testCompileClasspath
g:fixtures:1=testFixturesRuntimeClasspath
g:testify:1=testify
g:processor:1=annotationProcessor
g:mine:1=checkstyle
g:none:1=
empty=a,b
",
        ),
    );
    let found: Vec<(&str, Vec<Scope>, u32)> =
        inventory.packages.iter().map(|p| (&*p.name, scopes(p), p.span.line)).collect();
    assert_eq!(
        found,
        [
            ("g:fixtures", vec![Scope::Development], 4),
            ("g:mine", vec![Scope::Runtime], 7),
            ("g:none", vec![Scope::Runtime], 8),
            ("g:processor", vec![Scope::Build], 6),
            ("g:run", vec![Scope::Runtime, Scope::Development], 2),
            ("g:test", vec![Scope::Development], 3),
            ("g:testify", vec![Scope::Runtime], 5),
        ]
    );
    assert_eq!(inventory.project.manifest.unwrap().as_str(), "app/build.gradle.kts");
}

#[test]
fn every_lockfile_is_a_project_of_the_build_s_folder() {
    let files = tree(
        "== a/gradle/dependency-locks/compileClasspath.lockfile
g:a:1
== a/gradle/dependency-locks/testRuntimeClasspath.lockfile
g:a:2
== a/gradle/dependency-locks/buildscript-classpath.lockfile
g:a:3
== a/settings-gradle.lockfile
g:a:4=classpath
== node_modules/x/gradle.lockfile
g:a:5=x
== other.lockfile
x
",
    );
    let found: Vec<(String, String, Vec<Scope>)> = read_all(&Gradle, &files)
        .iter()
        .map(|i| (i.project.path.to_string(), labels(i).join(" "), scopes(&i.packages[0])))
        .collect();
    let expected = [
        ("a", "g:a@3", Scope::Build),
        ("a", "g:a@1", Scope::Runtime),
        ("a", "g:a@2", Scope::Development),
        ("a", "g:a@4", Scope::Build),
    ];
    assert_eq!(found, expected.map(|(path, label, scope)| (path.to_owned(), label.to_owned(), vec![scope])));
}

const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn verified(configuration: &str, artifacts: &str) -> Package {
    let text = format!(
        "== gradle/verification-metadata.xml\n<verification-metadata><configuration>{configuration}</configuration>\
         <components><component group=\"g\" name=\"a\" version=\"1\">{artifacts}</component></components>\
         </verification-metadata>\n== sub/gradle.lockfile\ng:a:1=x\n"
    );
    read_one(&Gradle, &tree(&text)).packages.remove(0)
}

#[test]
fn checksums_come_from_the_verification_metadata_above() {
    let one =
        format!("<artifact name=\"a.jar\"><sha256 value=\"{SHA}\"/><md5 value=\"{}\"/></artifact>", "0".repeat(32));
    let sum = format!("sha256:{SHA}");
    assert_eq!(verified("", &one).checksum.as_deref(), Some(&*sum));
    let other = "1".repeat(64);
    let trusted = one.replace("/><md5", &format!("><also-trust value=\"{other}\"/></sha256><md5"));
    let package = verified("", &trusted);
    assert_eq!(package.files.len(), 2);
    assert!(package.checksum.unwrap().starts_with("files:"));
    // What is trusted without looking has no checksum.
    for rule in [
        "<trust group=\"g\"/>",
        "<trust group=\"g\" name=\"a\" version=\"1\"/>",
        "<trust file=\".*[.]jar\" regex=\"true\"/>",
        "<trust group=\"(?=g)\" regex=\"true\"/>",
    ] {
        let package = verified(&format!("<trusted-artifacts>{rule}</trusted-artifacts>"), &one);
        assert_eq!(package.checksum, None, "{rule}");
    }
    for rule in ["<trust group=\"h\"/>", "<trust group=\"g\" version=\"2\"/>", "<trust file=\"x\" regex=\"true\"/>"] {
        let package = verified(&format!("<trusted-artifacts>{rule}</trusted-artifacts>"), &one);
        assert_eq!(package.checksum.as_deref(), Some(&*sum), "{rule}");
    }
    assert_eq!(verified("", "<artifact name=\"a.jar\"><pgp value=\"ab\"/></artifact>").checksum, None);
    assert!(
        error("== gradle/verification-metadata.xml\n<x/>\n== gradle.lockfile\ng:a:1=x\n")
            .contains("not `verification-metadata`")
    );
}

#[test]
fn broken_lockfiles_are_refused_with_their_line() {
    for (text, expected) in [
        ("g:a:1", "line 1: no configurations"),
        ("# x\ng:a=x", "line 2: not `group:name:version`"),
        ("g:a:1:2=x", "line 1: not `group:name:version`"),
        ("g::1=x", "line 1: not `group:name:version`"),
        ("g:a:1=x\ng:a:1=y", "line 2: stands on line 1 already"),
        ("<<<<<<< HEAD\ng:a:1=x", "line 1: conflict markers"),
        ("g:a:1=x\n=======", "line 2: conflict markers"),
        ("g:a:1=\0", "NUL"),
    ] {
        let said = error(&format!("== gradle.lockfile\n{text}"));
        assert!(said.contains(expected), "{text}: {said}");
    }
    let said = error("== gradle/dependency-locks/x.lockfile\ng:a:1=x");
    assert!(said.contains("for a single one"), "{said}");
}

#[test]
fn catalogs_say_versions_in_many_ways() {
    let inventory = read_one(
        &Gradle,
        &tree(
            "== gradle/libs.versions.toml
[metadata]
format.version = \"1.1\"
[versions]
rich = { strictly = \"[1,2[\", prefer = \"1.7\", reject = [\"1.8\"] }
[libraries]
a = \"g:a:1.0!!\"
b = { module = \"g:b\", version.ref = \"rich\" }
c = { group = \"g\", name = \"c\", version = { require = \"[3,4)\" } }
d = { module = \"g:d\", version = \"1.+\" }
e = { module = \"g:e\", version = \"latest.release\" }
f = { module = \"g:f\" }
[bundles]
x = [\"a\", \"b\"]
[plugins]
p = \"my.plugin:2\"
q = { id = \"other\", version.ref = \"rich\" }
",
        ),
    );
    let found: Vec<String> = inventory
        .packages
        .iter()
        .map(|p| format!("{} {} {} {}", p.label(), p.is_locked, scopes(p)[0], p.span.line))
        .collect();
    assert_eq!(
        found,
        [
            "g:a@1.0 true runtime 6",
            "g:b@1.7 true runtime 7",
            "g:c@[3,4) false runtime 8",
            "g:d@1.+ false runtime 9",
            "g:e@latest.release false runtime 10",
            "g:f@* false runtime 11",
            "my.plugin:my.plugin.gradle.plugin@2 true build 15",
            "other:other.gradle.plugin@1.7 true build 16",
        ]
    );
    for (text, expected) in [
        ("[metadata]\nformat.version = \"2.0\"", "neither 1.0 nor 1.1"),
        ("[libraries]\n\na = { module = \"g:a\", version.ref = \"x\" }", "line 3: its version refers"),
        ("[libraries]\na = { module = \"g\" }", "line 2: neither `module`"),
        ("[libraries]\na = \"g:a:b:c\"", "line 2: not written"),
        ("[plugins]\na = { version = \"1\" }", "line 2: a plugin without `id`"),
        ("[libraries]\na = \"g:a:1\"\na = \"g:a:2\"", "line 3: duplicate"),
    ] {
        let said = error(&format!("== x.versions.toml\n{text}"));
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn catalogs_may_have_other_names() {
    let text = "== gradle/libs.toml\n[libraries]\na = \"g:a:1\"\n== gradle/tool.toml\n[libraries]\n[tool]\n\
                == gradle/empty.toml\nx = 1\n== gradle/broken.toml\nx =\n== other/libs.toml\n[libraries]\n";
    let inventory = read_one(&Gradle, &tree(text));
    assert_eq!((labels(&inventory), inventory.project.path.is_root()), (vec!["g:a@1".to_owned()], true));
    assert!(error("== gradle/libs.toml\n[libraries]\na = \n").contains("line "));
}

#[test]
fn verification_metadata_is_a_lockfile_that_is_read_with_others() {
    let kinds = Gradle.kinds();
    for (path, expected) in
        [("gradle/verification-metadata.xml", true), ("a/gradle/verification-metadata.xml", true), ("x.xml", false)]
    {
        assert_eq!(kinds.iter().any(|kind| kind.matches(&RepoPath::new(path))), expected, "{path}");
    }
    let metadata = "== gradle/verification-metadata.xml\n<verification-metadata/>\n";
    assert!(Gradle.projects(&tree(metadata)).unwrap().is_empty());
    let inventory = read_one(&Gradle, &tree(&format!("{metadata}== sub/gradle.lockfile\ng:a:1=x\n")));
    assert!(inventory.inputs.iter().any(|input| input.path.as_str() == "gradle/verification-metadata.xml"));
}

#[test]
fn hostile_files_are_survived_in_linear_time() {
    let good = "g:a:1=x\n[libraries]\na = { module = \"../..:a\", version = { strictly = \"1\" } }\n<<<<";
    let deep = "a.".repeat(30_000);
    let xml = "<verification-metadata>".repeat(30_000);
    let mut texts: Vec<&[u8]> = vec![b"\0", b"\xff", deep.as_bytes(), xml.as_bytes()];
    texts.extend((0..good.len()).filter_map(|end| good.as_bytes().get(..end)));
    survives(
        &Gradle,
        &[
            "gradle.lockfile",
            "gradle/dependency-locks/x.lockfile",
            "libs.versions.toml",
            "gradle/libs.versions.toml",
            "gradle/libs.toml",
        ],
        &texts,
    );
    let many: String = (0..200_000).map(|n| format!("g:a{n}:{}=x\n", "9".repeat(n % 7 + 1))).collect();
    let files = tree(&format!("== gradle.lockfile\n{many}"));
    assert_eq!(read_one(&Gradle, &files).packages.len(), 200_000);
    let broken = format!("== gradle/verification-metadata.xml\n{xml}\n== gradle.lockfile\ng:a:1=x\n");
    assert!(error(&broken).contains("deeper"));
}
