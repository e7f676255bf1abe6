//! Tests of Maven's rules and poms.

use std::cmp::Ordering;

use super::Maven;
use crate::ecosystem::testing::{
    Tree, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::ecosystem::{Format, Rules, Settings, View, settings_of};
use crate::model::Ecosystem;
use crate::model::RepoPath;
use crate::model::inventory::{Identity, Inventory, Package, Scope, SourceKind};
use crate::model::tree::Unread;

#[test]
fn versions_are_ordered_as_the_specification_has_it() {
    let Some(folder) = corpus("vectors/versions") else { return };
    let mut count = 0;
    for file in ["maven-versions.txt", "maven-versions-generated.txt"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("//")).collect();
        count += orders(&Maven, &lines.join("\n"));
    }
    // `grep -vcE '^(//|#|\s*$)'` of the two files: 102 and 14,752.
    assert_eq!(count, 14_854);
}

#[test]
fn versions_that_are_none_do_not_compare_and_long_ones_are_quick() {
    for text in ["", " ", "1 2", "1\u{0}", "1\u{1b}[31m", "\u{661}", &"1".repeat(100_000)] {
        assert_eq!(Maven.compare(text, "1"), None, "{text:.20}");
        assert_eq!(Maven.compare("1", text), None, "{text:.20}");
    }
    let (digits, more) = ("9".repeat(10_000), format!("1{}", "0".repeat(10_000)));
    assert_eq!(Maven.compare(&digits, &more), Some(Ordering::Less));
    assert_eq!(Maven.compare(&format!("000{digits}"), &digits), Some(Ordering::Equal));
    let deep = "1-".repeat(30_000);
    assert_eq!(Maven.compare(&deep, &format!("{deep}1")), Some(Ordering::Less));
    assert_eq!(Maven.compare(&"0-".repeat(30_000), "0"), Some(Ordering::Equal));
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("org.example:a-b_C.9", true),
        ("a:b", true),
        ("a", false),
        ("a:", false),
        (":b", false),
        ("a:b:c", false),
        ("..:b", false),
        ("a/b:c", false),
        ("${group}:c", false),
        ("a:b\u{202e}", false),
        ("a :b", false),
    ] {
        assert_eq!(Maven.is_name(name), expected, "{name}");
    }
    assert_eq!(Maven.normalise("Org:A"), "Org:A");
}

/// What configurations of plugins name in these poms: no part of what Maven's builder says.
const CONFIGURED: [&str; 3] =
    ["org.webjars.npm:bootstrap", "com.google.errorprone:error_prone_core", "com.uber.nullaway:nullaway"];

/// Packages of every pom of a folder: the pom, when the package is needed (`man` where the pom only manages it), and
/// the package.
fn lines(root: &str) -> Option<Vec<String>> {
    let files = folder(&corpus(root)?);
    let mut found = Vec::new();
    for inventory in read_all(&Maven, &files) {
        let said: Vec<&str> = inventory.disagreements.iter().map(|d| &*d.name).collect();
        // Its parent takes the version that it is compared with from this.
        let expected: &[&str] = if root.ends_with("/commons-text") { &["commons.bc.version"] } else { &[] };
        assert_eq!(said, expected, "{root}");
        let pom = inventory.project.manifest.clone().unwrap();
        for package in &inventory.packages {
            let scopes = package.scopes.iter().map(|scope| match scope {
                Scope::Runtime => "run",
                Scope::Build => "build",
                Scope::Development => "dev",
            });
            let mut kinds: Vec<&str> = if package.direct { scopes.collect() } else { vec!["man"] };
            let label = package.label();
            if CONFIGURED.contains(&&*package.name) {
                kinds.retain(|kind| *kind != "build");
            }
            // By what else a version is managed is no part of what Maven's builder says.
            let label = label.split(" (managed by ").next().unwrap();
            found.extend(kinds.iter().map(|kind| format!("{pom}\t{kind}\t{label}")));
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// The expected lines are what Maven's own model builder (maven-model-builder 3.8.7, `DefaultModelBuilder` without a
/// network: poms outside the tree are empty) makes of every pom, with no profile and with each profile by itself:
/// effective dependencies, plugins with their dependencies, and extensions; own managed dependencies, plugins and
/// reports; BOMs and parents outside the tree. One difference: the versions that Maven's built-in super POM gives to
/// maven-antrun-, assembly-, dependency- and release-plugin depend on the release of Maven, and are `*` here.
/// The last has 193 more lines in Maven's answer (1114, 5b137976…): modules of the same build that are dependencies or
/// plugins, which are no packages here. They were taken out by a second reader in Python (`xml.etree`).
#[test]
fn real_poms_come_to_what_maven_itself_makes_of_them() {
    for (root, count, expected) in [
        ("lockfiles/maven/petclinic", 38, "ec23177e2eb2d4c86304329558113e52f0e5b6d7f1d33864909365d0476d4088"),
        ("lockfiles/maven/commons-text", 37, "8e6c1372804955d8aabc7c10a4470005f6a384f3d313378adc2515255f81ed4a"),
        (
            "lockfiles/maven/dependency-track-modules",
            921,
            "8773def5031b9976875504faa532e7cffcc4a552308c8b92274333f3292d3245",
        ),
    ] {
        let Some(found) = lines(root) else { return };
        assert_eq!((found.len(), &*digest(&found)), (count, expected), "{root}");
    }
}

fn one(text: &str) -> Inventory {
    read_one(&Maven, &tree(text))
}

fn at(files: &Tree, path: &str) -> Result<Inventory, (RepoPath, Unread)> {
    let projects = Maven.projects(files).unwrap();
    let project = projects.iter().find(|project| project.path == RepoPath::new(path)).unwrap();
    Maven.read(project, View::new(files, &[]))
}

fn error(text: &str) -> String {
    let files = tree(text);
    let projects = Maven.projects(&files).unwrap();
    let (path, error) = Maven.read(&projects[0], View::new(&files, &[])).unwrap_err();
    format!("{path}: {error}")
}

fn scopes(package: &Package) -> Vec<Scope> {
    package.scopes.iter().collect()
}

#[test]
fn scopes_sources_and_versions_of_one_pom() {
    let inventory = one("== app/pom.xml
<project>
<groupId>g</groupId><artifactId>me</artifactId><version>1.0</version>
<properties><v>2.0</v><w>${v}-x</w></properties>
<dependencies>
<dependency><groupId>g.a</groupId><artifactId>compile</artifactId><version>${w}</version></dependency>
<dependency><groupId>g.a</groupId><artifactId>test</artifactId><version>1</version><scope>test</scope></dependency>
<dependency><groupId>g.a</groupId><artifactId>provided</artifactId><version>1</version><scope>provided</scope><optional>true</optional></dependency>
<dependency><groupId>g.a</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>
<dependency><groupId>g.a</groupId><artifactId>single</artifactId><version>[1.5]</version></dependency>
<dependency><groupId>g.a</groupId><artifactId>open</artifactId></dependency>
<dependency><groupId>g.a</groupId><artifactId>unknown</artifactId><version>${env.X}</version></dependency>
<dependency><groupId>g.a</groupId><artifactId>latest</artifactId><version>LATEST</version></dependency>
<dependency><groupId>g.a</groupId><artifactId>local</artifactId><version>1</version><scope>system</scope><systemPath>${project.basedir}/lib/x.jar</systemPath></dependency>
<dependency><groupId>g.a</groupId><artifactId>outer</artifactId><version>1</version><scope>system</scope><systemPath>/opt/x.jar</systemPath></dependency>
</dependencies>
<build><plugins><plugin><artifactId>p</artifactId><version>3</version><dependencies>
<dependency><groupId>g.a</groupId><artifactId>of-plugin</artifactId><version>1</version></dependency></dependencies></plugin></plugins>
<extensions><extension><groupId>g.a</groupId><artifactId>ext</artifactId><version>1</version></extension></extensions></build>
<reporting><plugins><plugin><groupId>g.a</groupId><artifactId>report</artifactId><version>1</version></plugin></plugins></reporting>
</project>
");
    let found: Vec<String> =
        inventory.packages.iter().map(|p| format!("{} {} {}", p.label(), p.is_locked, scopes(p)[0])).collect();
    assert_eq!(
        found,
        [
            "g.a:compile@2.0-x true runtime",
            "g.a:ext@1 true build",
            "g.a:latest@LATEST false runtime",
            "g.a:local@1 true runtime",
            "g.a:of-plugin@1 true build",
            "g.a:open@* false runtime",
            "g.a:outer@1 true runtime",
            "g.a:provided@1 true runtime",
            "g.a:range@[1,2) false runtime",
            "g.a:report@1 true build",
            "g.a:single@1.5 true runtime",
            "g.a:test@1 true development",
            "g.a:unknown@${env.X} false runtime",
            "org.apache.maven.plugins:p@3 true build",
        ]
    );
    let compile = find(&inventory, "g.a:compile");
    assert_eq!((compile.span.line, compile.direct, compile.declared), (5, true, Some(compile.span)));
    assert_eq!(
        (compile.source.kind, compile.identity, &compile.checksum),
        (SourceKind::Public, Identity::Public, &None)
    );
    let local = find(&inventory, "g.a:local");
    assert_eq!(
        (local.source.kind, &*local.source.address, local.identity),
        (SourceKind::Path, "app/lib/x.jar", Identity::Foreign)
    );
    assert_eq!(&*find(&inventory, "g.a:outer").source.address, "/opt/x.jar");
    assert_eq!(inventory.roots[0].label, "g:me@1.0");
}

const PARENT: &str = "== pom.xml
<project><groupId>g.x</groupId><artifactId>top</artifactId><version>1</version><packaging>pom</packaging>
<modules><module>a</module><module>b</module><module>bom</module></modules>
<properties><v>1.0</v></properties>
<dependencyManagement><dependencies>
<dependency><groupId>o</groupId><artifactId>managed</artifactId><version>${v}</version><scope>test</scope></dependency>
<dependency><groupId>o</groupId><artifactId>kind</artifactId><version>9</version><type>zip</type></dependency>
<dependency><groupId>g.x</groupId><artifactId>bom</artifactId><version>1</version><type>pom</type><scope>import</scope></dependency>
<dependency><groupId>o</groupId><artifactId>far-bom</artifactId><version>5</version><type>pom</type><scope>import</scope></dependency>
</dependencies></dependencyManagement>
<dependencies><dependency><groupId>o</groupId><artifactId>for-all</artifactId><version>${project.version}</version></dependency></dependencies>
</project>
== bom/pom.xml
<project><groupId>g.x</groupId><artifactId>bom</artifactId><version>1</version><properties><v>7</v></properties>
<dependencyManagement><dependencies>
<dependency><groupId>o</groupId><artifactId>managed</artifactId><version>8</version></dependency>
<dependency><groupId>o</groupId><artifactId>by-bom</artifactId><version>${v}</version></dependency>
</dependencies></dependencyManagement></project>
== b/pom.xml
<project><parent><groupId>g.x</groupId><artifactId>top</artifactId><version>1</version></parent><artifactId>my-b</artifactId><version>2</version></project>
== stray/my-c/pom.xml
<project><groupId>g.x</groupId><artifactId>my-c</artifactId><version>2</version></project>
== a/pom.xml
<project><parent><groupId>g.x</groupId><artifactId>top</artifactId><version>1</version></parent><artifactId>my-a</artifactId>
<version>3</version>
<properties><v>1.1</v></properties>
<dependencies>
<dependency><groupId>o</groupId><artifactId>managed</artifactId></dependency>
<dependency><groupId>o</groupId><artifactId>kind</artifactId></dependency>
<dependency><groupId>o</groupId><artifactId>by-bom</artifactId></dependency>
<dependency><groupId>g.x</groupId><artifactId>my-b</artifactId><version>2</version></dependency>
<dependency><groupId>g.x</groupId><artifactId>my-c</artifactId><version>2</version></dependency>
</dependencies></project>
";

#[test]
fn parents_management_boms_and_modules() {
    let files = tree(PARENT);
    let inventory = at(&files, "a").unwrap();
    assert_eq!(
        labels(&inventory),
        ["g.x:my-c@2", "o:by-bom@7", "o:for-all@3", "o:kind@* (managed by o:far-bom:5)", "o:managed@1.1"]
    );
    assert_eq!(scopes(find(&inventory, "o:managed")), [Scope::Development]);
    // `g.x:my-b` is a module of the same build: a project, and no package.
    // A pom that no `modules` leads to is not what Maven takes.
    let stray = find(&inventory, "g.x:my-c");
    assert_eq!((stray.source.kind, stray.identity), (SourceKind::Public, Identity::Public));
    let top = at(&files, "").unwrap();
    assert_eq!(labels(&top), ["o:far-bom@5", "o:for-all@1", "o:kind@9", "o:managed@1.0"]);
    let managed = find(&top, "o:managed");
    assert!(!managed.direct && find(&top, "o:far-bom").direct);
    assert_eq!(scopes(find(&top, "o:far-bom")), [Scope::Build]);
    assert_eq!(Maven.projects(&files).unwrap().len(), 5);
    let paths: Vec<&str> = inventory.inputs.iter().map(|input| input.path.as_str()).collect();
    assert!(paths.contains(&"pom.xml") && paths.contains(&"bom/pom.xml"), "{paths:?}");
}

#[test]
fn a_parent_that_is_not_in_the_tree_is_a_package() {
    let parent = |relative: &str, version: &str| {
        let text = format!(
            "== pom.xml\n<project><groupId>p</groupId><artifactId>q</artifactId><version>1</version><dependencies><dependency>\
             <groupId>o</groupId><artifactId>i</artifactId><version>1</version></dependency></dependencies></project>\n\
             == a/pom.xml\n<project>\n<parent><groupId>p</groupId><artifactId>q</artifactId><version>{version}</version>\
             {relative}</parent><artifactId>a</artifactId></project>\n"
        );
        labels(&at(&tree(&text), "a").unwrap())
    };
    assert_eq!(parent("", "1"), ["o:i@1"]);
    assert_eq!(parent("<relativePath>..</relativePath>", "1"), ["o:i@1"]);
    assert_eq!(parent("<relativePath/>", "1"), ["p:q@1"]);
    assert_eq!(parent("", "2"), ["p:q@2"]);
    assert_eq!(parent("<relativePath>../../../pom.xml</relativePath>", "1"), ["p:q@1"]);
    let text = "== pom.xml\n<project>\n<parent><groupId>p</groupId><artifactId>q</artifactId><version>1</version></parent>\
                <artifactId>a</artifactId></project>";
    let inventory = one(text);
    let parent = find(&inventory, "p:q");
    assert_eq!((scopes(parent), parent.span.line, parent.direct), (vec![Scope::Build], 2, true));
    let circle = "== pom.xml\n<project><parent><groupId>p</groupId><artifactId>q</artifactId><version>1</version>\
                  <relativePath>pom.xml</relativePath></parent><groupId>p</groupId><artifactId>q</artifactId></project>";
    assert_eq!(error(circle), "pom.xml: line 1: its parents form a circle");
}

#[test]
fn profiles_count_as_if_active() {
    let inventory = one("== pom.xml
<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties><v>1</v></properties>
<dependencies><dependency><groupId>o</groupId><artifactId>x</artifactId><version>${v}</version></dependency></dependencies>
<profiles><profile><id>p</id><properties><v>6.6.6</v></properties></profile>
<profile><id>q</id><dependencies><dependency><groupId>o</groupId><artifactId>hidden</artifactId><version>${v}</version></dependency></dependencies>
<build><plugins><plugin><groupId>o</groupId><artifactId>plug</artifactId><version>1</version></plugin></plugins></build></profile>
</profiles></project>");
    assert_eq!(labels(&inventory), ["o:hidden@1", "o:plug@1", "o:x@1", "o:x@6.6.6"]);
}

#[test]
fn declared_repositories_are_the_source_of_every_package() {
    let source = |repositories: &str| {
        let text = format!(
            "== pom.xml\n<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
             <properties><r>https://registry.example</r></properties><dependencies><dependency><groupId>o</groupId>\
             <artifactId>x</artifactId><version>1</version></dependency></dependencies>{repositories}<build><plugins>\
             <plugin><groupId>o</groupId><artifactId>p</artifactId><version>1</version></plugin></plugins></build></project>"
        );
        let inventory = one(&text);
        let of = |name: &str| {
            let package = find(&inventory, name);
            assert_eq!(package.identity, Identity::Public);
            (package.source.kind, package.source.address.to_string())
        };
        (of("o:x"), of("o:p"))
    };
    let public = (SourceKind::Public, String::new());
    let registry = |address: &str| (SourceKind::Registry, address.to_owned());
    let a = "<repository><url>${r}/a</url></repository>";
    let b = "<repository><url>https://registry.example/b</url></repository>";
    assert_eq!(source(""), (public.clone(), public.clone()));
    assert_eq!(
        source(&format!("<repositories>{a}</repositories>")),
        (registry("https://registry.example/a"), public.clone())
    );
    let both = "https://registry.example/a https://registry.example/b";
    assert_eq!(source(&format!("<repositories>{a}{b}{a}</repositories>")), (registry(both), public.clone()));
    let hidden = format!("<profiles><profile><id>p</id><repositories>{b}</repositories></profile></profiles>");
    assert_eq!(source(&hidden), (registry("https://registry.example/b"), public.clone()));
    let plugins = "<pluginRepositories><pluginRepository><url>${r}/p</url></pluginRepository></pluginRepositories>";
    assert_eq!(source(plugins), (public, registry("https://registry.example/p")));
}

#[test]
fn what_is_no_pom_is_refused_with_its_line() {
    let dependency = "<groupId>o</groupId><artifactId>x</artifactId><version>1</version>";
    for (text, expected) in [
        ("<settings/>".to_owned(), "not a `project`"),
        ("<project><modelVersion>9.0.0</modelVersion></project>".to_owned(), "neither 4.0.0 nor 4.1.0"),
        ("<project>\n<dependencies/>\n<dependencies/></project>".to_owned(), "line 3: `dependencies` stands twice"),
        (
            format!(
                "<project><dependencies>\n<dependency>{dependency}<version>2</version></dependency></dependencies></project>"
            ),
            "line 2: `version` stands twice",
        ),
        (
            "<project><dependencies><dependency><artifactId>x</artifactId></dependency></dependencies></project>"
                .to_owned(),
            "`dependency` without `groupId`",
        ),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><project/>".to_owned(), "document type"),
        ("<project>\n<<<<<<< HEAD\n</project>".to_owned(), "line 2: conflict markers"),
        ("<project>".to_owned(), "never ends"),
    ] {
        let said = error(&format!("== pom.xml\n{text}"));
        assert!(said.starts_with("pom.xml: ") && said.contains(expected), "{said}");
    }
}

/// A pom with those properties, and one dependency whose version is `${p0}`.
fn with_properties(properties: &str) -> String {
    format!(
        "== pom.xml\n<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties>{properties}\
         </properties><dependencies><dependency><groupId>o</groupId><artifactId>x</artifactId><version>${{p0}}</version>\
         </dependency></dependencies></project>"
    )
}

#[test]
fn bombs_of_properties_end() {
    let bomb = |leaf: &str| -> String {
        let layers = (0..25).map(|n| format!("<p{n}>{}</p{n}>", format!("${{p{}}}", n + 1).repeat(10)));
        layers.chain([format!("<p25>{leaf}</p25>")]).collect()
    };
    assert!(error(&with_properties(&bomb("x"))).contains("over the limit of 4096"));
    assert!(error(&with_properties(&bomb(""))).contains("over the limit of 1000000"));
    let circle = one(&with_properties("<p0>a${p1}</p0><p1>b${p0}</p1>"));
    assert_eq!(labels(&circle), ["o:x@ab${p0}"]);
    assert!(!circle.packages[0].is_locked);
    let unended = one(&with_properties(&format!("<p0>${{{}</p0>", "x".repeat(1000))));
    assert!(!unended.packages[0].is_locked);
}

#[test]
fn hostile_poms_are_survived_in_linear_time() {
    let deep = "<project>".repeat(30_000);
    let good = "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><dependencies><dependency>\
                <groupId>../../x\u{1b}</groupId><artifactId>x</artifactId><version>1</version></dependency></dependencies>\
                <modules><module>../../..</module><module>/etc</module></modules></project>";
    let mut texts: Vec<&[u8]> = vec![deep.as_bytes(), b"\0", b"\xff\xfe<", b"", b"<project/>"];
    texts.extend((0..good.len()).filter_map(|end| good.as_bytes().get(..end)));
    survives(&Maven, &["pom.xml", "a/b/pom.xml"], &texts);
    let many: String = (0..30_000)
        .map(|n| format!("<dependency><groupId>g.x</groupId><artifactId>a-b-c-{n}</artifactId><version>1</version></dependency>\n"))
        .collect();
    let text = format!(
        "== pom.xml\n<project><groupId>g.x</groupId><artifactId>a</artifactId><version>1</version><dependencies>{many}\
         </dependencies></project>"
    );
    assert_eq!(one(&text).packages.len(), 30_000);
    // Profiles times dependencies.
    let profiles: String =
        (0..2_000).map(|n| format!("<profile><id>{n}</id><properties><a>1</a></properties></profile>")).collect();
    let text = text.replace("</project>", &format!("<profiles>{profiles}</profiles></project>"));
    assert!(error(&text).contains("over the limit of 1000000"));
}

#[test]
fn settings_are_found_in_any_case_and_folder() {
    for (path, expected) in [
        (".mvn", true),
        (".mvn/wrapper/maven-wrapper.properties", true),
        ("a/.MVN/settings.xml", true),
        ("mvnw", true),
        ("a/mvnw.cmd", true),
        ("gradlew.bat", true),
        ("gradle/wrapper/gradle-wrapper.jar", true),
        ("a/gradle/wrapper/gradle-wrapper.properties", true),
        ("gradle.properties", true),
        ("init.gradle.kts", true),
        ("init.d/x.gradle", true),
        (".sdkmanrc", true),
        ("settings.xml", true),
        ("ci/maven/Settings.xml", true),
        ("a/.m2/settings.xml", true),
        ("app/src/main/res/xml/settings.xml", false),
        (".java-version", true),
        ("build.gradle", false),
        ("pom.xml", false),
    ] {
        let found = settings_of(&RepoPath::new(path));
        assert_eq!(found.map(Settings::ecosystem), expected.then_some(Ecosystem::Maven), "{path}");
    }
}

#[test]
fn the_poms_of_one_project_are_bounded() {
    let pom = |name: &str, parent: &str, rest: &str| {
        format!(
            "== {name}/pom.xml\n<project><groupId>g</groupId><artifactId>{name}</artifactId><version>1</version><parent>\
             <groupId>g</groupId><artifactId>{parent}</artifactId><version>1</version><relativePath>../{parent}\
             </relativePath></parent>{rest}</project>\n"
        )
    };
    let large = format!("<!--{}-->", "x".repeat(3 << 20));
    let chain = |count: usize, rest: &str| -> String {
        (0..count).map(|n| pom(&format!("p{n:02}"), &format!("p{:02}", n + 1), rest)).collect()
    };
    assert!(error(&chain(6, &large)).contains("in bytes, is 16777217, over the limit"));
    assert!(error(&chain(40, "")).contains("parents above each other is 33, over the limit of 32"));
    assert_eq!(labels(&at(&tree(&chain(20, "")), "p00").unwrap()), ["g:p20@1"]);
}

#[test]
fn properties_of_maven_s_command_line_go_before_those_of_poms() {
    let version = |config: &str| {
        let text = format!(
            "{}\n== .mvn/maven.config\n{config}\n",
            with_properties("<p0>1</p0>").replace("== pom", "== a/pom")
        );
        one(&text).packages[0].label()
    };
    assert_eq!(version("-T4\n# -Dp0=9\n-Dother=2"), "o:x@1");
    for config in ["-Dp0=6.6.6", "-D p0=6.6.6", "--define\np0=6.6.6", "-q --define=p0=6.6.6"] {
        assert_eq!(version(config), "o:x@6.6.6", "{config}");
    }
}

#[test]
fn what_the_configuration_of_a_plugin_names_runs_in_the_build() {
    let inventory = one("== pom.xml
<project><groupId>g</groupId><artifactId>me</artifactId><version>1.0</version>
<properties><v>2</v></properties>
<dependencyManagement><dependencies><dependency><groupId>o</groupId><artifactId>managed</artifactId><version>7</version></dependency></dependencies></dependencyManagement>
<build><plugins><plugin><artifactId>p</artifactId><version>3</version>
<configuration><annotationProcessorPaths><path><groupId>o</groupId><artifactId>proc</artifactId><version>${v}</version>
<systemPath>x.jar</systemPath><exclusions><exclusion><groupId>o</groupId><artifactId>not</artifactId></exclusion></exclusions></path>
<path><groupId>o</groupId><artifactId>managed</artifactId></path></annotationProcessorPaths>
<excludes><exclude><groupId>o</groupId><artifactId>out</artifactId></exclude></excludes>
<x><pluginExecution><pluginExecutionFilter><groupId>o</groupId><artifactId>ide</artifactId></pluginExecutionFilter></pluginExecution></x></configuration>
<executions><execution><configuration><artifactItems><artifactItem><groupId>o</groupId><artifactId>item</artifactId><version>4</version>
</artifactItem></artifactItems></configuration></execution></executions></plugin></plugins></build></project>
");
    assert_eq!(labels(&inventory), ["o:item@4", "o:managed@7", "o:proc@2", "org.apache.maven.plugins:p@3"]);
    let proc = find(&inventory, "o:proc");
    assert_eq!((scopes(proc), proc.identity, proc.direct), (vec![Scope::Build], Identity::Public, true));
    assert_eq!(scopes(find(&inventory, "o:item")), [Scope::Build]);
}

#[test]
fn modules_may_be_files_of_any_name() {
    let dependency = "<dependencies><dependency><groupId>o</groupId><artifactId>evil</artifactId><version>1</version>\
                      </dependency></dependencies>";
    let text = format!(
        "== pom.xml\n<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><modules><module>\
         tools/alt.xml </module><module>b</module></modules></project>\n== tools/alt.xml\n<project><groupId>g</groupId>\
         <artifactId>alt</artifactId><version>1</version><modules><module>more.pom</module></modules></project>\n\
         == tools/more.pom\n<project><groupId>g</groupId><artifactId>more</artifactId><version>1</version>{dependency}\
         </project>\n== tools/stray.xml\n<project/>\n"
    );
    let all = read_all(&Maven, &tree(&text));
    let paths: Vec<String> = all.iter().map(|i| i.project.manifest.clone().unwrap().to_string()).collect();
    assert_eq!(paths, ["pom.xml", "tools/alt.xml", "tools/more.pom"]);
    assert_eq!(labels(&all[2]), ["o:evil@1"]);
    let said = one("== pom.xml\n<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><modules>\
                    <module>${x}/alt.xml</module></modules></project>");
    assert_eq!(said.disagreements[0].message, "is a module, and it cannot be told which pom that is");
}

fn managed_outside(properties: &str, version: &str, rest: &str) -> Inventory {
    let text = format!(
        "== pom.xml\n<project><parent><groupId>p</groupId><artifactId>q</artifactId><version>{version}</version>\
         <relativePath/></parent><artifactId>a</artifactId><properties>{properties}</properties><dependencies><dependency>\
         <groupId>o</groupId><artifactId>x</artifactId></dependency>{rest}</dependencies></project>"
    );
    one(&text)
}

#[test]
fn what_a_parent_outside_of_the_tree_manages() {
    let inventory = managed_outside("", "3.2.0", "");
    assert_eq!(labels(&inventory), ["o:x@* (managed by p:q:3.2.0)", "p:q@3.2.0"]);
    assert!(!find(&inventory, "o:x").is_locked);
    assert_eq!(labels(&managed_outside("", "3.2.1", ""))[0], "o:x@* (managed by p:q:3.2.1)");
}

#[test]
fn properties_that_a_parent_may_take_versions_from() {
    let said = |properties: &str, rest: &str| -> Vec<String> {
        let inventory = managed_outside(properties, "1", rest);
        inventory.disagreements.iter().map(|d| format!("{}: {}", d.name, d.message)).collect()
    };
    let expected = "log4j2.version: may set a version that the parent manages: 2.14.1";
    let (log4j, own) = (
        "<log4j2.version>2.14.1</log4j2.version>",
        "<dependency><groupId>o</groupId><artifactId>own</artifactId><version>${own.version}</version></dependency>",
    );
    assert_eq!(said(log4j, ""), [expected]);
    assert_eq!(
        said("<log4j2.version>${l}</log4j2.version><l>2.14.1</l>", ""),
        ["l: may set a version that the parent manages: 2.14.1", expected]
    );
    // That another property, a comment or a configuration mentions it makes it no less the parent's.
    assert_eq!(said(&format!("{log4j}<other>${{log4j2.version}}</other>"), ""), [expected]);
    let none: [&str; 0] = [];
    assert_eq!(said("<own.version>${deep.version}</own.version><deep.version>1</deep.version>", own), none);
    for quiet in
        ["<java.version>21</java.version>", "<maven.compiler.release>21</maven.compiler.release>", "<skip>true</skip>"]
    {
        assert_eq!(said(quiet, ""), none, "{quiet}");
    }
    // Modules use what stands above them.
    let text = "== pom.xml\n<project><parent><groupId>p</groupId><artifactId>q</artifactId><version>1</version><relativePath/>\
                </parent><groupId>g</groupId><artifactId>a</artifactId><properties><x.version>1</x.version></properties>\
                </project>\n== b/pom.xml\n<project><parent><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
                </parent><artifactId>b</artifactId><dependencies><dependency><groupId>o</groupId><artifactId>x</artifactId>\
                <version>${x.version}</version></dependency></dependencies></project>";
    assert_eq!(at(&tree(text), "").unwrap().disagreements, []);
    // A BOM takes no properties from here.
    let text = "== pom.xml\n<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties>\
                <x.version>1</x.version></properties><dependencyManagement><dependencies><dependency><groupId>p</groupId>\
                <artifactId>q</artifactId><version>1</version><type>pom</type><scope>import</scope></dependency>\
                </dependencies></dependencyManagement></project>";
    assert_eq!(one(text).disagreements, []);
    // Nothing outside manages anything.
    assert_eq!(one(&with_properties("<p0>1</p0><log4j2.version>2.14.1</log4j2.version>")).disagreements, []);
}
