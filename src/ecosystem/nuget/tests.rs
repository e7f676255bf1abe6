//! Tests of NuGet's rules and files.

use std::cmp::Ordering;

use super::NuGet;
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree};
use crate::ecosystem::{Format, Rules, Settings, View, settings_of};
use crate::model::inventory::{Identity, Inventory, Package, Scope, SourceKind};
use crate::model::{Ecosystem, RepoPath};

#[test]
fn versions_are_ordered_as_the_vectors_have_it() {
    let Some(path) = corpus("vectors/versions/nuget-versions.txt") else { return };
    // `grep -vcE '^(#|\s*$)'` of the file.
    assert_eq!(orders(&NuGet, &std::fs::read_to_string(path).unwrap()), 35);
}

#[test]
fn what_is_no_version_does_not_compare() {
    for text in
        ["", "1.", ".1", "1.2.3.4.5", "1.x", "1.0-", "1.0-a..b", "1.0+", "v1", "1.0 ", "[1.0]", "1.*", "1.0-a_b"]
    {
        assert_eq!(NuGet.compare(text, "1.0"), None, "{text}");
    }
    let digits = "9".repeat(10_000);
    assert_eq!(NuGet.compare(&digits, &format!("1{digits}")), Some(Ordering::Less));
    assert_eq!(NuGet.compare(&format!("1-{digits}"), &format!("1-0{digits}")), Some(Ordering::Equal));
    assert_eq!(NuGet.compare("1.0-2", "1.0-a"), Some(Ordering::Less));
}

#[test]
fn names_have_a_grammar_and_no_case() {
    for (name, expected) in [
        ("Newtonsoft.Json", true),
        ("_a-b.9", true),
        ("", false),
        (".a", false),
        ("a..b", false),
        ("a/b", false),
        ("a b", false),
        ("ä", false),
        ("a\u{1b}", false),
        ("$(X)", false),
    ] {
        assert_eq!(NuGet.is_name(name), expected, "{name}");
    }
    assert!(NuGet.is_name(&"a".repeat(100)) && !NuGet.is_name(&"a".repeat(101)));
    assert_eq!(NuGet.normalise("Newtonsoft.JSON"), "newtonsoft.json");
}

fn scopes(package: &Package) -> Vec<Scope> {
    package.scopes.iter().collect()
}

fn messages(inventory: &Inventory) -> Vec<String> {
    inventory.disagreements.iter().map(|d| format!("{}: {}", d.name, d.message)).collect()
}

fn rows(inventory: &Inventory) -> Vec<String> {
    let row = |p: &Package| {
        format!("{} {} {}", p.label(), p.is_locked, scopes(p).iter().map(|s| s.as_str()).collect::<Vec<_>>().join("+"))
    };
    inventory.packages.iter().map(row).collect()
}

fn error(text: &str) -> String {
    let files = tree(text);
    let projects = NuGet.projects(&files).unwrap();
    let (path, error) = NuGet.read(&projects[0], View::new(&files, &[])).unwrap_err();
    format!("{path}: {error}")
}

/// Expected: `name@version` of every entry with `resolved`, names in lower case, by a second reader in Python (`json`,
/// `xml.etree`).
#[test]
fn real_files() {
    let Some(root) = corpus("lockfiles/nuget/osv-scalibr-cases") else { return };
    let inventory = read_one(&NuGet, &folder(&root));
    let found = labels(&inventory);
    assert_eq!(
        (found.len(), &*digest(&found)),
        (8, "a76653c4f22448eb9b1ab908e575a03cbaa0d244698d8f827e05270e2113126a")
    );
    assert!(inventory.packages.iter().all(|p| p.checksum.as_ref().unwrap().starts_with("sha512:")));
    let root = inventory.packages.iter().position(|p| &*p.name == "core.dep").unwrap();
    assert_eq!((inventory.needs(root).len(), inventory.packages[root].direct), (7, true));
    assert_eq!(messages(&inventory), [""; 0]);

    let Some(root) = corpus("lockfiles/nuget/simpletweaks") else { return };
    let inventory = read_one(&NuGet, &folder(&root));
    let mut found = labels(&inventory);
    // The project's SDK is a package that no lockfile holds.
    found.retain(|label| label != "dalamud.net.sdk@14.0.1");
    assert_eq!((found.len(), inventory.packages.len()), (3, 4));
    assert_eq!(&*digest(&found), "6115da4e82b8206d83ca6224aabbb005b22c4beb6750912a1a06a952fbee7798");
    assert_eq!(scopes(find(&inventory, "dalamud.net.sdk")), [Scope::Build]);
    assert_eq!(messages(&inventory), [""; 0]);

    let Some(root) = corpus("lockfiles/nuget/sarif-sdk-central") else { return };
    let inventory = read_one(&NuGet, &folder(&root));
    let found = labels(&inventory);
    assert_eq!(
        (found.len(), &*digest(&found)),
        (40, "489e8b163c9f7a0a0c42abac6090b47d09c86cf539070f191f6b0b35d7735dd3")
    );
}

const HASH: &str = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn entry(name: &str, kind: &str, requested: &str, version: &str, needs: &str) -> String {
    let requested = if requested.is_empty() { String::new() } else { format!("\"requested\": \"{requested}\", ") };
    format!(
        "\"{name}\": {{ \"type\": \"{kind}\", {requested}\"resolved\": \"{version}\", \"contentHash\": \"{HASH}\", \
         \"dependencies\": {{{needs}}} }}"
    )
}

fn lock(entries: &[String]) -> String {
    format!("{{ \"version\": 2, \"dependencies\": {{ \"net8.0\": {{\n{}\n}} }} }}", entries.join(",\n"))
}

#[test]
fn scopes_flow_from_the_project_file_and_not_from_types() {
    let lock = lock(&[
        entry("Analyser", "Direct", "[1.0.0, )", "1.0.0", "\"Below\": \"2.0.0\""),
        entry("Below", "Transitive", "", "2.0.0", ""),
        entry("App", "Transitive", "", "1.0.0", "\"Shared\": \"1.0.0\""),
        entry("Shared", "CentralTransitive", "[1.0.0, )", "1.0.0", ""),
        entry("OfSdk", "Direct", "[3.0.0, )", "3.0.0", ""),
        entry("Orphan", "Transitive", "", "1.0.0", ""),
        "\"lib\": { \"type\": \"Project\", \"dependencies\": { \"Below\": \"[2.0.0, )\" } }".to_owned(),
    ]);
    let text = format!(
        "== src/app.csproj\n<Project Sdk=\"Microsoft.NET.Sdk\">\n<ItemGroup>\n<PackageReference Include=\"analyser\" \
         Version=\"1.0.0\" PrivateAssets=\"all\"/>\n<PackageReference Include=\"APP\"><Version>1.0.0</Version>\
         </PackageReference>\n<ProjectReference Include=\"..\\lib\\lib.csproj\"/></ItemGroup></Project>\n\
         == lib/lib.csproj\n<Project/>\n== src/packages.lock.json\n{lock}"
    );
    let all = read_all(&NuGet, &tree(&text));
    assert_eq!(all.len(), 2);
    let inventory = &all[0];
    assert_eq!(
        rows(inventory),
        [
            "analyser@1.0.0 true build",
            "app@1.0.0 true runtime",
            "below@2.0.0 true runtime+build",
            "ofsdk@3.0.0 true runtime",
            "orphan@1.0.0 true runtime",
            "shared@1.0.0 true runtime",
        ]
    );
    assert_eq!(messages(inventory), [""; 0]);
    let app = find(inventory, "app");
    assert_eq!((app.span.line, app.declared.unwrap().line, app.direct), (4, 4, true));
    assert!(app.checksum.as_ref().unwrap().starts_with("sha512:cf83e135"));
    assert!(!find(inventory, "below").direct);
    assert_eq!(inventory.project.manifest.as_ref().unwrap().as_str(), "src/app.csproj");
}

#[test]
fn frameworks_and_runtimes_are_read_each() {
    let text = format!(
        "== packages.lock.json\n{{ \"version\": 1, \"dependencies\": {{ \"net8.0\": {{ {}, {} }}, \"net8.0/linux-x64\": {{ {} }}, \
         \"net48\": {{ {} }} }} }}",
        entry("A", "Direct", "[1.0.0, )", "1.0.0", "\"B\": \"1.0.0\""),
        entry("B", "Transitive", "", "1.0.0", ""),
        entry("Native", "Transitive", "", "1.0.0", "\"B\": \"1.0.0\""),
        entry("A", "Direct", "[1.0.0, )", "1.1.0", ""),
    );
    let inventory = read_one(&NuGet, &tree(&text));
    assert_eq!(labels(&inventory), ["a@1.0.0", "a@1.1.0", "b@1.0.0", "native@1.0.0"]);
    assert_eq!([0, 1, 2, 3].map(|at| inventory.needs(at).to_vec()), [vec![2], vec![], vec![], vec![2]]);
}

#[test]
fn manifest_and_lockfile_that_disagree() {
    let said = |reference: &str, entries: &[String]| {
        let text = format!(
            "== app.csproj\n<Project><PropertyGroup><V>2.0.0</V></PropertyGroup>{reference}</Project>\n== packages.lock.json\n{}",
            lock(entries)
        );
        messages(&read_one(&NuGet, &tree(&text)))
    };
    let asks =
        |version: &str| format!("<ItemGroup><PackageReference Include=\"A\" Version=\"{version}\"/></ItemGroup>");
    let held = |requested: &str, version: &str| entry("A", "Direct", requested, version, "");
    let none: [&str; 0] = [];
    assert_eq!(said(&asks("1.0.0"), &[held("[1.0.0, )", "1.0.0")]), none);
    assert_eq!(said(&asks("1.0"), &[held("[1.0.0, )", "1.0.1")]), none);
    assert_eq!(said(&asks("1.*"), &[held("[1.*, )", "1.9.1")]), none);
    assert_eq!(said(&asks("$(V)"), &[held("[2.0.0, )", "2.0.0")]), none);
    assert_eq!(said(&asks("$(Unknown)"), &[held("[2.0.0, )", "2.0.0")]), none);
    assert_eq!(
        said(&asks("2.0.0"), &[held("[1.0.0, )", "1.0.0")]),
        ["a: asks for 2.0.0, and the lockfile holds 1.0.0"]
    );
    assert_eq!(
        said(&asks("[1.0.0]"), &[held("[1.0.0, 1.0.0]", "1.0.1")]),
        ["a: asks for [1.0.0], and the lockfile holds 1.0.1"]
    );
    assert_eq!(
        said(&asks("1.0.0"), &[held("[0.9.0, )", "1.0.0")]),
        ["a: asks for 1.0.0, and the lockfile was made for [0.9.0, )"]
    );
    assert_eq!(
        said(&asks("1.0.0"), &[held("[1.0.0, )", "0.5.0")]),
        ["a: asks for 1.0.0, and the lockfile holds 0.5.0", "a: asks for [1.0.0, ), and holds 0.5.0"]
    );
    assert_eq!(said(&asks("1.0.0"), &[]), ["a: asks for 1.0.0, and the lockfile does not hold it"]);
    // What a name comes to is not known here.
    assert_eq!(said("<ItemGroup><PackageReference Include=\"@(Some)\" Version=\"1\"/></ItemGroup>", &[]), none);
    // A condition may leave it out.
    assert_eq!(said(&asks("1.0.0").replace("<ItemGroup>", "<ItemGroup Condition=\"x\">"), &[]), none);
    assert_eq!(said("<ItemGroup><PackageReference Update=\"A\" Version=\"1\"/></ItemGroup>", &[]), none);
    let project = |rest: &str| format!("\"p\": {{ \"type\": \"Project\"{rest} }}");
    assert_eq!(
        said("", &[project("")]),
        ["p: is locked as a project, and no project that is referred to has that name"]
    );
    assert_eq!(
        said("", &[project(", \"resolved\": \"1.0.0\"")]),
        ["p: is locked as a project, with the version or digest of a package"]
    );
    // A project outside the repository, or in a submodule, cannot be told.
    assert_eq!(said("<ItemGroup><ProjectReference Include=\"../x/p.csproj\"/></ItemGroup>", &[project("")]), none);
}

#[test]
fn a_project_is_known_by_what_it_calls_itself() {
    let text = format!(
        "== a/a.csproj\n<Project><ItemGroup><ProjectReference Include=\"../b/b.csproj\"/></ItemGroup></Project>\n\
         == b/b.csproj\n<Project><PropertyGroup><AssemblyName>My.B</AssemblyName></PropertyGroup><ItemGroup>\
         <ProjectReference Include=\"..\\c\\C.fsproj\"/></ItemGroup></Project>\n== c/C.fsproj\n<Project/>\n\
         == a/packages.lock.json\n{}",
        lock(&["my.b", "c", "d"].map(|name| format!("\"{name}\": {{ \"type\": \"Project\" }}")))
    );
    let inventory = &read_all(&NuGet, &tree(&text))[0];
    assert_eq!(messages(inventory), ["d: is locked as a project, and no project that is referred to has that name"]);
}

#[test]
fn projects_without_a_lockfile() {
    let inventory = read_one(
        &NuGet,
        &tree(
            "== Directory.Packages.props
<Project><PropertyGroup><Central>5.0.0</Central></PropertyGroup><ItemGroup>
<PackageVersion Include=\"Managed\" Version=\"$(Central)\"/>
<PackageVersion Include=\"Unused\" Version=\"1\"/>
<GlobalPackageReference Include=\"Everywhere\" Version=\"1.1\"/></ItemGroup></Project>
== Directory.Build.props
<Project><PropertyGroup><V>1.0.0</V><V Condition=\"x\">2.0.0</V></PropertyGroup>
<ItemGroup><PackageReference Include=\"ForAll\" Version=\"9\"/></ItemGroup></Project>
== global.json
{ \"msbuild-sdks\": { \"By.Global\": \"4.0.0\" } }
== src/app/more.props
<Project><ItemGroup><PackageReference Include=\"Imported\" Version=\"1\"/></ItemGroup></Project>
== src/app/app.csproj
<Project Sdk=\"Microsoft.NET.Sdk;My.Sdk/3.0.0\"><Import Project=\"$(MSBuildThisFileDirectory)more.props\"/>
<Sdk Name=\"By.Global\"/>
<ItemGroup>
<PackageReference Include=\"Managed\"/>
<PackageReference Include=\"Two;Names\" Version=\"$(V)\"/>
<PackageReference Include=\"Open\"/>
<PackageReference Include=\"Floats\" Version=\"1.*\"/>
<PackageReference Include=\"Range\" Version=\"[1.0,2.0)\"/>
<PackageReference Include=\"Single\" Version=\"[1.5]\"/>
<PackageReference Include=\"Over\" VersionOverride=\"7.0\"/>
<packagereference include=\"Cased\" version=\"1\"><PRIVATEASSETS>runtime; All</PRIVATEASSETS></packagereference>
<PackageReference Include=\"Unknown\" Version=\"$(Nobody)\"/>
<PackageReference Include=\"Late\"/><PackageReference Update=\"Late\" Version=\"8\"/>
<PackageDownload Include=\"Down\" Version=\"[1.0];[2.0]\"/>
</ItemGroup>
<Choose><When Condition=\"y\"><ItemGroup><PackageReference Include=\"Hidden\" Version=\"1\"/></ItemGroup></When></Choose>
</Project>
",
        ),
    );
    assert_eq!(
        rows(&inventory),
        [
            "by.global@4.0.0 true build",
            "cased@1 true build",
            "down@1.0 true build",
            "down@2.0 true build",
            "everywhere@1.1 true build",
            "floats@1.* false runtime",
            "forall@9 true runtime",
            "hidden@1 true runtime",
            "imported@1 true runtime",
            "late@8 true runtime",
            "managed@5.0.0 true runtime",
            "my.sdk@3.0.0 true build",
            "names@1.0.0 true runtime",
            "names@2.0.0 true runtime",
            "open@* false runtime",
            "over@7.0 true runtime",
            "range@[1.0,2.0) false runtime",
            "single@1.5 true runtime",
            "two@1.0.0 true runtime",
            "two@2.0.0 true runtime",
            "unknown@$(Nobody) false runtime",
        ]
    );
    let inputs: Vec<&str> = inventory.inputs.iter().map(|input| input.path.as_str()).collect();
    assert!(inputs.contains(&"Directory.Build.props") && inputs.contains(&"src/Directory.Build.props"), "{inputs:?}");
    assert_eq!(find(&inventory, "imported").source.kind, SourceKind::Public);
}

#[test]
fn files_above_import_the_next_above() {
    let text = "== Directory.Build.props
<Project><ItemGroup><PackageReference Include=\"Top\" Version=\"1\"/></ItemGroup></Project>
== src/Directory.Build.props
<Project><Import Project=\"$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))\"/></Project>
== src/app.vbproj
<Project><PropertyGroup><RestoreAdditionalProjectSources>https://registry.example/a;../local</RestoreAdditionalProjectSources></PropertyGroup></Project>
";
    let inventory = read_one(&NuGet, &tree(text));
    assert_eq!(labels(&inventory), ["top@1"]);
    let source = &inventory.packages[0].source;
    assert_eq!((source.kind, &*source.address), (SourceKind::Registry, "../local https://registry.example/a"));
    assert_eq!(inventory.packages[0].identity, Identity::Public);
}

#[test]
fn pinned_central_versions_count() {
    let text = "== Directory.Packages.props
<Project><PropertyGroup><CentralPackageTransitivePinningEnabled>true</CentralPackageTransitivePinningEnabled></PropertyGroup>
<ItemGroup><PackageVersion Include=\"Pinned\" Version=\"1\"/></ItemGroup></Project>
== a.csproj
<Project/>
";
    let inventory = read_one(&NuGet, &tree(text));
    assert_eq!(labels(&inventory), ["pinned@1"]);
    assert!(!inventory.packages[0].direct);
    assert_eq!(read_one(&NuGet, &tree(&text.replace(">true<", ">false<"))).packages.len(), 0);
}

#[test]
fn every_file_is_a_project_or_spoken_for() {
    let files = tree(
        "== a/a.csproj
<Project/>
== a/packages.lock.json
{}
== b/b one.csproj
<Project/>
== b/two.csproj
<Project/>
== b/packages.b_one.lock.json
{}
== c/packages.config
<packages/>
== c/c.vbproj
<Project/>
== d/.config/dotnet-tools.json
{}
== Directory.Packages.props
<Project/>
== e/node_modules/x.csproj
<Project/>
",
    );
    let found: Vec<(String, String, String)> = NuGet
        .projects(&files)
        .unwrap()
        .iter()
        .map(|p| {
            let name = |path: &Option<crate::model::RepoPath>| {
                path.as_ref().map_or(String::new(), |p| p.file_name().to_owned())
            };
            (p.path.to_string(), name(&p.manifest), name(&p.lockfile))
        })
        .collect();
    let expected = [
        ("a", "a.csproj", "packages.lock.json"),
        ("b", "b one.csproj", "packages.b_one.lock.json"),
        ("b", "two.csproj", ""),
        ("c", "c.vbproj", ""),
        ("c", "packages.config", ""),
        ("d", "dotnet-tools.json", ""),
    ];
    assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
}

#[test]
fn lists_of_exact_versions() {
    let all = read_all(
        &NuGet,
        &tree(
            "== a/packages.config
<packages>
<package id=\"A\" version=\"1.0\"/>
<package id=\"B\" version=\"2.0\" developmentDependency=\"true\"/></packages>
== b/.config/dotnet-tools.json
{ \"version\": 1, // yes
  \"tools\": {
  \"My-Tool\": { \"version\": \"3.0.0\", \"commands\": [\"x\"] } } }
",
        ),
    );
    assert_eq!(
        all.iter().map(rows).collect::<Vec<_>>(),
        [vec!["a@1.0 true runtime", "b@2.0 true build"], vec!["my-tool@3.0.0 true build"]]
    );
    assert_eq!((all[0].packages[1].span.line, all[1].packages[0].span.line), (3, 3));
    assert_eq!(all[1].project.path.as_str(), "b");
}

#[test]
fn broken_files_are_refused_with_their_line() {
    let entries = |text: &str| {
        format!("== packages.lock.json\n{{ \"version\": 1, \"dependencies\": {{ \"net8.0\": {{\n{text} }} }} }}")
    };
    for (text, expected) in [
        ("== packages.lock.json\n{ \"version\": 3, \"dependencies\": {} }".to_owned(), "neither 1 nor 2"),
        ("== packages.lock.json\n{ \"dependencies\": {} }".to_owned(), "neither 1 nor 2"),
        ("== packages.lock.json\n{ \"version\": 1 }".to_owned(), "no `dependencies`"),
        (entries("\"A\": { \"type\": \"Direct\" }"), "line 2: a package without `resolved`"),
        (entries("\"A\": { \"type\": \"New\", \"resolved\": \"1\" }"), "line 2: neither a package nor a project"),
        (entries("\"A\": { \"type\": \"Project\" },\n\"a\": { \"type\": \"Project\" }"), "line 3: a package twice"),
        (entries("\"A\": { \"type\": \"Project\" },\n\"A\": { \"type\": \"Project\" }"), "line 3:"),
        (entries("<<<<<<< HEAD"), "line 2: conflict markers"),
        ("== a.csproj\n<Project><!DOCTYPE x></Project>".to_owned(), "a.csproj: line 1"),
        ("== a.csproj\n<Project/>\n== Directory.Build.props\n<x".to_owned(), "Directory.Build.props: "),
        (
            "== packages.config\n<packages>\n<package id=\"A\"/></packages>".to_owned(),
            "line 2: a package without `version`",
        ),
        ("== dotnet-tools.json\n{ \"version\": 2 }".to_owned(), "other than 1"),
    ] {
        let said = error(&text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn bombs_of_properties_end() {
    let with = |properties: &str| {
        format!(
            "== a.csproj\n<Project><PropertyGroup>{properties}</PropertyGroup><ItemGroup><PackageReference Include=\"A\" \
             Version=\"$(P0)\"/></ItemGroup></Project>"
        )
    };
    let bomb = |leaf: &str| -> String {
        let layers = (0..14).map(|n| format!("<P{n}>{}</P{n}>", format!("$(P{})", n + 1).repeat(10)));
        layers.chain([format!("<P14>{leaf}</P14>")]).collect()
    };
    assert!(error(&with(&bomb("x"))).contains("over the limit of 4096"));
    assert!(error(&with(&bomb(""))).contains("over the limit of 500000"));
    let many: String = (0..100).map(|n| format!("<P0>{n}</P0>")).collect();
    assert!(error(&with(&many)).contains("over the limit of 16"));
    let circle = read_one(&NuGet, &tree(&with("<P0>$(P1)</P0><P1>$(p0)</P1>")));
    assert_eq!(rows(&circle), ["a@$(p0) false runtime"]);
    let imports: String = (0..300)
        .map(|n| format!("== i{n}.props\n<Project><Import Project=\"i{}.props\"/></Project>\n", n + 1))
        .collect();
    assert!(
        error(&format!("== a.csproj\n<Project><Import Project=\"i0.props\"/></Project>\n{imports}"))
            .contains("over the limit of 256")
    );
    let circle = "== a.csproj\n<Project><Import Project=\"a.csproj\"/><Import Project=\"../../x\"/></Project>";
    assert_eq!(read_one(&NuGet, &tree(circle)).packages.len(), 0);
}

#[test]
fn hostile_files_are_survived_in_linear_time() {
    let good =
        lock(&[entry("../A\u{1b}", "Direct", "[1, )", "1", "\"B\": \"1\""), entry("B", "Transitive", "", "x", "")]);
    let project = "<Project Sdk=\"A/1\"><ItemGroup><PackageReference Include=\"../x;$(Y\" Version=\"$(Z)\"/>\
                   <ProjectReference Include=\"../../../etc/passwd\"/></ItemGroup></Project>";
    let (deep, nested) = ("<Project>".repeat(30_000), "[".repeat(30_000));
    let mut texts: Vec<&[u8]> = vec![b"\0", b"\xff", b"", deep.as_bytes(), nested.as_bytes()];
    for text in [&*good, project] {
        texts.extend((0..text.len()).filter_map(|end| text.as_bytes().get(..end)));
    }
    let paths = [
        "packages.lock.json",
        "a/b.csproj",
        "packages.config",
        ".config/dotnet-tools.json",
        "Directory.Packages.props",
    ];
    survives(&NuGet, &paths, &texts);
    let entries: Vec<String> = (0..200_000)
        .map(|n| {
            format!(
                "\"a{n}\":{{\"type\":\"Transitive\",\"resolved\":\"1.0.{n}\",\"dependencies\":{{\"a{}\":\"1\"}}}}",
                n + 1
            )
        })
        .collect();
    let files = tree(&format!("== packages.lock.json\n{}", lock(&entries)));
    assert_eq!(read_one(&NuGet, &files).packages.len(), 200_000);
}

#[test]
fn settings_are_found_in_any_case_and_folder() {
    for (path, expected) in [
        ("NuGet.Config", true),
        ("a/b/nuget.config", true),
        ("a/global.json", true),
        ("src/Directory.Build.props", true),
        ("Directory.Build.targets", true),
        ("Directory.Build.rsp", true),
        ("Directory.Packages.props", false),
        ("a.csproj", false),
    ] {
        let found = settings_of(&RepoPath::new(path));
        assert_eq!(found.map(Settings::ecosystem), expected.then_some(Ecosystem::NuGet), "{path}");
    }
}

#[test]
fn what_all_projects_import_is_bounded() {
    let large = format!("<Project><!--{}--></Project>", "x".repeat(3 << 20));
    let imports: String = (0..6).map(|n| format!("<Import Project=\"i{n}.props\"/>")).collect();
    let files: String = (0..6).map(|n| format!("== i{n}.props\n{large}\n")).collect();
    let said = error(&format!("== a.csproj\n<Project>{imports}</Project>\n{files}"));
    assert!(said.contains("in bytes, is 16777217, over the limit"), "{said:.200}");
}

const EVIL: &str = "<Project><ItemGroup><PackageReference Include=\"Evil\" Version=\"1.0.0\"/></ItemGroup></Project>";

/// Packages and messages of `src/App.csproj` with that inside it, and of other files.
fn importing(inside: &str, others: &str) -> (Vec<String>, Vec<String>) {
    let text = format!("== src/App.csproj\n<Project>{inside}</Project>\n{others}");
    let all = read_all(&NuGet, &tree(&text));
    let own = all.iter().find(|i| i.project.manifest.as_ref().unwrap().file_name() == "App.csproj").unwrap();
    (labels(own), messages(own))
}

#[test]
fn imports_are_followed_wherever_properties_and_patterns_lead() {
    let evil = format!(
        "== src/build/evil.props\n{EVIL}\n== eng/set.props\n<Project><PropertyGroup><Dir>$(MSBuildThisFileDirectory)</Dir></PropertyGroup></Project>\n== eng/evil.props\n{EVIL}\n== All.sln\n"
    );
    for import in [
        "$(MSBuildProjectDirectory)/build/evil.props",
        "$(MSBuildProjectDirectory)\\..\\src\\build\\evil.props",
        "$(MSBuildThisFileDirectory)build/evil.props",
        "build/*.props",
        "**/ev?l.props",
        "build/%65vil.props",
        "a.props;build/evil.props",
        "$(SolutionDir)eng/evil.props",
        "$([MSBuild]::GetPathOfFileAbove('evil.props', '$(MSBuildThisFileDirectory)build/'))",
        "$([MSBuild]::GetDirectoryNameOfFileAbove($(MSBuildThisFileDirectory), eng/evil.props))/eng/evil.props",
        "../eng/$(Name).props",
    ] {
        let inside = format!("<PropertyGroup><Name>evil</Name></PropertyGroup><Import Sdk=\"\" Project=\"{import}\"/>");
        let expected = (vec!["evil@1.0.0".to_owned()], Vec::new());
        assert_eq!(importing(&inside, &evil), expected, "{import}");
    }
    // A property that another import sets, in any order.
    let inside = "<Import Project=\"$(Dir)evil.props\"/><Import Project=\"../eng/set.props\"/>";
    assert_eq!(importing(inside, &evil).0, ["evil@1.0.0"]);
    let inside = "<PropertyGroup><CustomAfterMicrosoftCommonTargets>$(CustomAfterMicrosoftCommonTargets);build/evil.props\
                  </CustomAfterMicrosoftCommonTargets></PropertyGroup>";
    assert_eq!(importing(inside, &evil), (vec!["evil@1.0.0".to_owned()], Vec::new()));
}

#[test]
fn imports_that_cannot_be_told_are_said() {
    for import in [
        "$(Unknown)/evil.props",
        "$([System.IO.Path]::Combine('build', 'evil.props'))",
        "$(MSBuildExtensionsPath)/../evil.props",
        "$(MSBuildStartupDirectory)/build/evil.props",
        "C:\\evil.props",
        "\\\\evil.example\\share\\evil.props",
        "//evil.example/share/evil.props",
        "../../evil.props",
    ] {
        let (packages, messages) = importing(&format!("<Import Project=\"{import}\"/>"), "");
        assert_eq!(packages, [""; 0]);
        let expected = format!("Import: imports {import}, and it cannot be told which file that is");
        assert_eq!(messages, [expected], "{import}");
    }
    let (many, long) = ((0..9).map(|n| format!("{n}*.props;")).collect::<String>(), "**/".repeat(20) + "*.props");
    for (import, expected) in [(many, "8*.props"), (long.clone(), &*long)] {
        let (_, messages) = importing(&format!("<Import Project=\"{import}\"/>"), "");
        assert_eq!(messages, [format!("Import: imports {expected}, and it cannot be told which file that is")]);
    }
    for import in [
        "$(MSBuildExtensionsPath32)\\Microsoft\\VisualStudio\\v$(VisualStudioVersion)\\Web.targets",
        "$(MSBuildToolsPath)\\Microsoft.CSharp.targets",
        "$(NuGetPackageRoot)x/1.0.0/build/x.props",
        "$(PkgSome_Package)\\build\\some.targets",
        "$(VCTargetsPath)\\Microsoft.Cpp.Default.props",
        "..\\packages\\X.1.0.0\\build\\X.props",
        "$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))",
    ] {
        let nothing = (Vec::new(), Vec::new());
        assert_eq!(importing(&format!("<Import Project=\"{import}\"/>"), ""), nothing, "{import}");
    }
}

#[test]
fn files_that_are_imported_by_their_names_alone() {
    for path in ["src/App.csproj.user", "src/obj/App.csproj.x.props", "src/obj/App.csproj.x.targets"] {
        assert_eq!(importing("", &format!("== {path}\n{EVIL}\n")).0, ["evil@1.0.0"], "{path}");
    }
    let inside = "<PropertyGroup><BaseIntermediateOutputPath>$(MSBuildProjectDirectory)\\..\\out\\\
                  </BaseIntermediateOutputPath></PropertyGroup>";
    assert_eq!(importing(inside, &format!("== out/App.csproj.x.props\n{EVIL}\n")).0, ["evil@1.0.0"]);
    assert_eq!(importing("", &format!("== src/obj/Other.csproj.x.props\n{EVIL}\n")).0, [""; 0]);
}

#[test]
fn properties_that_say_where_packages_come_from() {
    let reference = "<ItemGroup><PackageReference Include=\"A\" Version=\"1.0.0\"/></ItemGroup>";
    let read = |name: &str, value: &str| {
        read_one(
            &NuGet,
            &tree(&format!(
                "== app.csproj\n<Project><PropertyGroup><{name}>{value}</{name}></PropertyGroup>{reference}</Project>\n\
                 == x/evil.config\n<configuration><packageSources><add key=\"e\" value=\"https://registry.example/e\"/>\
                 </packageSources></configuration>"
            )),
        )
    };
    for name in [
        "RestoreConfigFile",
        "RestoreFallbackFolders",
        "RestoreAdditionalProjectFallbackFolders",
        "RestorePackagesPath",
    ] {
        let inventory = read(name, "x/evil");
        assert_eq!(messages(&inventory), [format!("{name}: is set to x/evil, and packages may come from there")]);
        assert_eq!(inventory.packages[0].source.kind, SourceKind::Public);
    }
    let inventory = read("RestoreConfigFile", "x/evil.config");
    assert_eq!(inventory.packages[0].source, crate::model::inventory::Source::registry("https://registry.example/e"));
    assert_eq!(messages(&inventory).len(), 1);
}

#[test]
fn other_files_of_msbuild_are_projects() {
    for path in ["tools/evil.proj", "n.vcxproj", "d.sqlproj"] {
        assert_eq!(labels(&read_one(&NuGet, &tree(&format!("== {path}\n{EVIL}")))), ["evil@1.0.0"], "{path}");
    }
    // Another tool's file.
    assert!(NuGet.projects(&tree("== map.proj\n+proj=utm +zone=11\n")).unwrap().is_empty());
    let listed = "== packages.App.config\n<packages><package id=\"Evil\" version=\"1.0.0\"/></packages>";
    assert_eq!(labels(&read_one(&NuGet, &tree(listed))), ["evil@1.0.0"]);
    // One beside a project is no reason to believe the project's lockfile.
    let text = format!(
        "== app.csproj\n<Project><ItemGroup><PackageReference Include=\"A\" Version=\"1.0.0\"/></ItemGroup></Project>\n\
         == build.proj\n<Project/>\n== packages.lock.json\n{}",
        lock(&[])
    );
    let all = read_all(&NuGet, &tree(&text));
    assert_eq!(messages(&all[0]), ["a: asks for 1.0.0, and the lockfile does not hold it"]);
}

#[test]
fn a_package_that_is_locked_as_a_project() {
    let said = |reference: &str, other: &str| {
        let text = format!(
            "== app.csproj\n<Project><ItemGroup>{reference}{other}</ItemGroup></Project>\n== b/A.csproj\n<Project/>\n\
             == packages.lock.json\n{}",
            lock(&["\"A\": { \"type\": \"Project\" }".to_owned()])
        );
        messages(&read_all(&NuGet, &tree(&text))[0])
    };
    let (plain, conditional) = (
        "<PackageReference Include=\"A\" Version=\"1.0.0\"/>",
        "<PackageReference Include=\"A\" Version=\"1.0.0\" Condition=\"x\"/>",
    );
    let expected = ["a: is asked for as a package, and locked as a project"];
    assert_eq!(said(plain, "<ProjectReference Include=\"$(R)b.csproj\"/>"), expected);
    assert_eq!(said(conditional, "<ProjectReference Include=\"$(R)b.csproj\"/>"), expected);
    assert_eq!(said(conditional, "<ProjectReference Include=\"$(MSBuildThisFileDirectory)b/A.csproj\"/>"), [""; 0]);
}
