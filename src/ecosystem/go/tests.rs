use super::*;
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree};
use crate::ecosystem::{View, settings_of};
use crate::model::inventory::{Identity, Scope, Scopes, SourceKind};

/// One line for each package: name, version, kind of source and address, identity, scopes, and marks.
fn shown(inventory: &Inventory) -> Vec<String> {
    let each = inventory.packages.iter().map(|p| {
        let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
        let marks = [(p.direct, " direct"), (!p.is_locked, " unlocked"), (p.checksum.is_some(), " digest")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let source = if p.source.kind == SourceKind::Public { String::new() } else { format!(" {}", p.source) };
        let identity = if p.identity == Identity::Public { "" } else { p.identity.as_str() };
        format!("{}{source} {identity} {}{marks} :{}", p.label(), scopes.join("+"), p.span.line)
    });
    each.collect()
}

fn said(inventory: &Inventory) -> Vec<(&str, &str, u32)> {
    inventory.disagreements.iter().map(|d| (&*d.name, &*d.message, d.span.line)).collect()
}

fn failure(text: &str) -> String {
    let files = tree(text);
    let project = Go.projects(&files).unwrap().remove(0);
    let (path, error) = Go.read(&project, View::new(&files, &[])).unwrap_err();
    format!("{path}: {error}")
}

const H1: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const H2: &str = "h1:AAAAQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn versions_compare_as_the_go_command_compares_them() {
    // The order was found with golang.org/x/mod/semver as go 1.27.3 ships it; equal versions share a line.
    let groups: Vec<Vec<&str>> = include_str!("order.txt").lines().map(|line| line.split(' ').collect()).collect();
    let all: Vec<(usize, &str)> =
        groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |v| (at, *v))).collect();
    assert_eq!(all.len(), 86);
    for (i, a) in &all {
        for (j, b) in &all {
            assert_eq!(Go.compare(a, b), Some(i.cmp(j)), "{a} {b}");
            assert_eq!(Go.compare(a, b.strip_prefix('v').unwrap()), Some(i.cmp(j)), "{a} {b} without v");
        }
    }
    for bad in
        ["", "v", "vv1.0.0", "1.2.3-a.", "01.0.0", "1.2.3-01", "1.2.3-", "1.2.3+", "1..2", "1.2-rc", "x", " 1.0.0"]
    {
        assert_eq!(Go.compare(bad, "1.0.0"), None, "{bad}");
        assert_eq!(Go.compare("1.0.0", bad), None, "{bad}");
    }
    let long = format!("{}.0.0", "9".repeat(10_000));
    assert_eq!(Go.compare(&long, "1.0.0"), Some(Ordering::Greater));
    // What the toolchain's own versions become.
    assert_eq!(Go.compare(&toolchain::release("go1.21rc2").unwrap(), "1.21.0-rc.2"), Some(Ordering::Equal));
    let Some(path) = corpus("vectors/versions/semver-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let lines: String = text.lines().filter(|line| !line.starts_with("//")).map(|line| format!("{line}\n")).collect();
    // `grep -cvE '^(//|#|$)'` of the file.
    assert_eq!(orders(&Go, &lines), 86);
}

#[test]
fn names_are_module_paths() {
    // As golang.org/x/mod/module.CheckPath of go 1.27.3 has it, except for names without a host.
    let good = "github.com/a/b github.com/A/b github.com/a/b/v2 github.com/a/b/v10 github.com/a/b/v2/c github.com/a/bv2 \
                github.com/a/b.v2 gopkg.in/yaml.v3 gopkg.in/yaml.v0 gopkg.in/yaml.v1 gopkg.in/u/yaml.v2-unstable \
                4d63.com/x a.com/_x a.com/x~y a.com/com0 a.com/-b a.com modernc.org/sqlite a.com/v/v2 a.com/vv3 \
                a.com/1.5 v.io/v2";
    for name in good.split(' ').chain(["stdlib", "toolchain", "my_module/sub", "Corp/lib/v2"]) {
        assert!(Go.is_name(name), "{name}");
    }
    let bad = "GitHub.com/a/b github.com/a/b/v1 github.com/a/b/v0 github.com/a/b/v02 github.com/a/b/v2.1 gopkg.in/yaml \
               gopkg.in/yaml.v02 gopkg.in/yaml/v2 -a.com/b a_b.com/c a.com/x~1 a.com/x~1.go a.com/.x a.com/x. a.com/.. \
               a.com/../b a.com//b a.com/b/ /a.com/b a.com/con a.com/CON.txt a.com/COM1 a.com/b@v1 a.com/b!c a.com/é \
               a.com/b:c a.com/b\\c a.com/\u{1b}[31m a.com/b\0 a.com/v1.5";
    for name in bad.split(' ').chain(["", "a b", "-x", "a/v1"]) {
        assert!(!Go.is_name(name), "{name}");
    }
    assert_eq!(Go.normalise("github.com/BurntSushi/toml"), "github.com/BurntSushi/toml");
}

#[test]
fn a_module_is_read_from_its_go_mod_and_its_go_sum() {
    let inventory = read_one(
        &Go,
        &tree(&format!(
            "== app/go.mod\nmodule \"e.example/app\" // me\n\ngo 1.22.4\ntoolchain go1.23rc1\n\nrequire (\n\
             \tb.example/direct v1.2.3\n\tb.example/both v1.0.0 // indirect; see below\n\
             \tb.example/else v0.1.0 //indirect\n\tb.example/note v0.2.0 // indirectly\n)\n\
             require \"b.example/query\" master\nrequire b.example/old v2.0.0+incompatible// indirect\n\
             exclude (\n)\nretract [v1.0.0, v1.1.0] // broken\ngodebug default=go1.21\nignore ./node_modules\n\
             tool (\n\tb.example/both/cmd/x\n\te.example/app/gen\n\tcmd/vet\n)\n\
             == app/go.sum\nb.example/direct v1.2.3 {H1}\nb.example/direct v1.2.3/go.mod {H2}\n\
             b.example/direct v1.2.2 {H2}\nb.example/both v1.0.0/go.mod {H1}\nb.example/else v0.1.0 h2:future\n\
             b.example/else v0.1.0/go.mod {H1}\nb.example/note v0.2.0 h1:short=\n\n\
             b.example/old v2.0.0+incompatible {H1}\nb.example/unlisted v9.0.0 {H1}\n"
        )),
    );
    assert_eq!(
        shown(&inventory),
        [
            "b.example/both@v1.0.0  runtime+build direct :8",
            "b.example/direct@v1.2.3  runtime direct digest :7",
            "b.example/else@v0.1.0  runtime :9",
            "b.example/note@v0.2.0  runtime direct :10",
            "b.example/old@v2.0.0+incompatible  runtime digest :13",
            "b.example/query@master  runtime direct unlocked :12",
            "stdlib@1.23.0-rc.1  runtime direct :4",
            "toolchain@1.23.0-rc.1  build direct :4",
        ]
    );
    assert!(inventory.disagreements.is_empty(), "{:?}", inventory.disagreements);
    let direct = find(&inventory, "b.example/direct");
    assert_eq!(direct.checksum.as_deref(), crate::model::checksum::of_h1(H1).as_deref());
    assert_eq!(inventory.path_of(direct.span).unwrap().as_str(), "app/go.mod");
    assert_eq!(direct.declared, Some(direct.span));
    let root = &inventory.roots[0];
    assert_eq!((&*root.name, root.folder.as_str(), root.needs.len(), root.span.line), ("e.example/app", "app", 6, 1));
    assert_eq!(inventory.project.lockfile.as_ref().unwrap().as_str(), "app/go.sum");
}

#[test]
fn replaced_modules_keep_their_names_and_say_what_stands_in() {
    let inventory = read_one(
        &Go,
        &tree(&format!(
            "== m/go.mod\nmodule e.example/m\ngo 1.21.0\nrequire (\n\ta.example/fork v1.0.0\n\ta.example/pin v1.0.0\n\
             \ta.example/in v0.0.0\n\ta.example/out v0.0.0\n\ta.example/one v1.5.0\n\ta.example/abs v1.0.0\n)\n\
             replace (\n\ta.example/fork => x.example/evil/v2 v2.0.0\n\ta.example/pin v1.0.0 => a.example/pin v0.9.0\n\
             \ta.example/pin => z.example/not v1.0.0\n\ta.example/in => ../lib\n\ta.example/out => ../../lib\n\
             \ta.example/one v1.4.0 => ./old\n\ta.example/abs => /opt/abs\n\ta.example/idle => y.example/idle v0.3.0\n\
             \ta.example/idle2 v1.1.0 => ./idle\n)\n\
             == m/go.sum\nx.example/evil/v2 v2.0.0 {H1}\na.example/pin v0.9.0 {H1}\na.example/one v1.5.0 {H1}\n\
             a.example/fork v1.0.0 {H2}\n"
        )),
    );
    assert_eq!(
        shown(&inventory),
        [
            "a.example/abs@v1.0.0 /opt/abs stands-in runtime direct :9",
            "a.example/fork@v1.0.0 x.example/evil/v2@v2.0.0 stands-in runtime direct digest :4",
            "a.example/idle@* y.example/idle@v0.3.0 stands-in runtime unlocked :19",
            "a.example/idle2@v1.1.0 idle stands-in runtime :20",
            "a.example/in@v0.0.0 lib stands-in runtime direct :6",
            "a.example/one@v1.5.0  runtime direct digest :8",
            "a.example/out@v0.0.0 ../../lib stands-in runtime direct :7",
            "a.example/pin@v0.9.0  runtime direct digest :13",
            "stdlib@1.21.0  runtime direct :2",
            "toolchain@1.21.0  build direct :2",
            "x.example/evil/v2@v2.0.0  runtime digest :12",
            "y.example/idle@v0.3.0  runtime :19",
        ]
        .map(|line| line.replace("idle2@v1.1.0 idle ", "idle2@v1.1.0 m/idle "))
    );
    assert_eq!(said(&inventory), []);
    let fork = inventory.packages.iter().position(|p| &*p.name == "a.example/fork").unwrap();
    let evil = &inventory.packages[inventory.needs(fork)[0] as usize];
    assert_eq!((&*evil.name, evil.alias.as_deref()), ("x.example/evil/v2", Some("a.example/fork")));
    assert_eq!(inventory.packages[fork].checksum, evil.checksum);
}

#[test]
fn manifest_and_digests_that_contradict_each_other_are_told() {
    let inventory = read_one(
        &Go,
        &tree(&format!(
            "== go.mod\nmodule e.example/m\ngo 1.22\nrequire (\n\ta.example/none v1.0.0\n\ta.example/out v1.1.0\n\
             \ta.example/major v2.0.0\n\ta.example/twice v1.0.0\n\ta.example/twice v1.2.0\n\ta.example/two v1.0.0\n)\n\
             exclude a.example/out v1.1.0\nreplace a.example/none => b.example/none v1.0.0\ntool c.example/tool/cmd\n\
             == go.sum\na.example/out v1.1.0/go.mod {H1}\na.example/major v2.0.0/go.mod {H1}\n\
             a.example/twice v1.0.0/go.mod {H1}\na.example/twice v1.2.0/go.mod {H1}\na.example/two v1.0.0 {H1}\n\
             a.example/two v1.0.0 {H2}\na.example/two v1.0.0 {H1}\n"
        )),
    );
    assert_eq!(
        said(&inventory),
        [
            ("a.example/major", "asks for v2.0.0, which is not of the major version in its path", 6),
            ("a.example/out", "asks for v1.1.0, which an `exclude` leaves out", 5),
            ("a.example/twice", "asks for v1.0.0 and for v1.2.0", 8),
            ("a.example/two", "has two digests for v1.0.0", 6),
            ("b.example/none", "asks for v1.0.0, and go.sum holds no digest of it", 12),
            ("c.example/tool/cmd", "is run as a tool, and no module that is asked for holds it", 13),
        ]
    );
    // A language version names no release.
    let stdlib = find(&inventory, "stdlib");
    assert_eq!((&*stdlib.version, stdlib.is_locked, stdlib.direct), ("1.22", false, true));
    // The first of two digests counts, as for the go command.
    assert_eq!(find(&inventory, "a.example/two").checksum, crate::model::checksum::of_h1(H1));
    // Without a go.sum there is nothing to hold digests.
    let alone = read_one(&Go, &tree("== go.mod\nmodule m\nrequire a.example/none v1.0.0\n"));
    assert_eq!((said(&alone), alone.project.lockfile.is_none()), (vec![], true));
    assert_eq!(shown(&alone), ["a.example/none@v1.0.0  runtime direct :2"]);
    for (path, version) in [
        ("gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405"),
        ("gopkg.in/yaml.v3", "v3.0.1"),
        ("a.example/b", "v3.0.0+incompatible"),
        ("a.example/b/v3", "v3.0.0-rc.1"),
    ] {
        assert!(name::fits(path, version), "{path} {version}");
    }
    for (path, version) in [("gopkg.in/yaml.v3", "v2.0.0"), ("a.example/b/v3", "v1.0.0"), ("a.example/b/v3", "v2.0.0")]
    {
        assert!(!name::fits(path, version), "{path} {version}");
    }
}

#[test]
fn before_pruning_go_sum_names_what_go_mod_does_not() {
    let text = |go: &str| {
        format!(
            "== go.mod\nmodule e.example/m\n{go}require a.example/a v1.1.0\nreplace a.example/r => ./r\n\
             == go.sum\na.example/a v1.0.0 {H1}\na.example/a v1.1.0 {H1}\na.example/a v1.2.0 {H1}\n\
             a.example/b v1.0.0 {H1}\na.example/b v1.3.0 {H2}\na.example/c v1.0.0/go.mod {H1}\n\
             golang.org/toolchain v0.0.1-go1.16.3.linux-amd64 {H1}\n"
        )
    };
    let more = [
        "a.example/a@v1.1.0  runtime direct digest",
        "a.example/a@v1.2.0  runtime digest",
        "a.example/b@v1.0.0  runtime digest",
        "a.example/b@v1.3.0  runtime digest",
        "a.example/r@* r stands-in runtime unlocked",
    ];
    for (go, is_listed) in
        [("", false), ("go 1.16\n", false), ("go 1.17\n", true), ("go 1.9\n", false), ("go 1.21rc1\n", true)]
    {
        let inventory = read_one(&Go, &tree(&text(go)));
        let all = shown(&inventory);
        let found: Vec<&str> =
            all.iter().filter(|l| l.starts_with("a.")).map(|line| line.rsplit_once(" :").unwrap().0).collect();
        let expected: Vec<&str> = if is_listed { vec![more[0], more[4]] } else { more.to_vec() };
        assert_eq!(found, expected, "{go}");
        let b = inventory.packages.iter().find(|package| &*package.version == "v1.3.0");
        if let Some(b) = b {
            assert_eq!((inventory.path_of(b.span).unwrap().as_str(), b.span.line), ("go.sum", 5));
        }
    }
}

#[test]
fn workspaces_move_modules_and_share_digests() {
    let files = tree(&format!(
        "== go.work\ngo 1.22.0\nuse (\n\t./a\n\tb\n)\nreplace x.example/x => ./forks/x\nreplace x.example/y v1.0.0 => z.example/y v1.0.1\n\
         == go.work.sum\nz.example/y v1.0.1 {H2}\nx.example/w v1.0.0 {H1}\n\
         == a/go.mod\nmodule e.example/a\ngo 1.22.0\nrequire x.example/x v1.0.0\nrequire x.example/y v1.0.0\n\
         require x.example/w v1.0.0\nrequire e.example/b v1.0.0\nreplace x.example/x => q.example/q v1.0.0\n\
         == a/go.sum\nx.example/other v1.0.0 {H1}\n\
         == b/go.mod\nmodule e.example/b\ngo 1.22.0\n== c/go.mod\nmodule e.example/c\nrequire x.example/x v1.0.0\n"
    ));
    let all = read_all(&Go, &files);
    let paths: Vec<&str> = all.iter().map(|inventory| inventory.project.path.as_str()).collect();
    assert_eq!(paths, ["a", "b", "c"]);
    assert_eq!(
        shown(&all[0])[..5],
        [
            "e.example/b@v1.0.0 b stands-in runtime direct :6",
            "stdlib@1.22.0  runtime direct :2",
            "toolchain@1.22.0  build direct :2",
            "x.example/w@v1.0.0  runtime direct digest :5",
            "x.example/x@v1.0.0 forks/x stands-in runtime direct :3",
        ]
    );
    let y = find(&all[0], "z.example/y");
    assert_eq!(all[0].path_of(y.span).unwrap().as_str(), "go.work");
    assert_eq!(find(&all[0], "x.example/y").checksum, crate::model::checksum::of_h1(H2));
    assert_eq!(said(&all[0]), []);
    // What is no member is built as if there were no workspace, and yet looks whether it is one.
    assert_eq!(shown(&all[2]), ["x.example/x@v1.0.0  runtime direct :2"]);
    assert!(all[2].inputs.iter().any(|input| input.path.as_str() == "go.work"));
}

#[test]
fn a_workspace_that_no_module_reads_is_a_project() {
    let files = tree(
        "== w/go.work\ngo 1.23.1\nuse ../a\nuse ./gone\nuse /abs\nuse ../../..\nreplace x.example/x => y.example/y v1.0.0\n\
         == a/go.mod\nmodule e.example/a\ngo 1.23.1\n== empty/go.work\n",
    );
    let all = read_all(&Go, &files);
    let paths: Vec<&str> = all.iter().map(|inventory| inventory.project.path.as_str()).collect();
    assert_eq!(paths, ["a", "empty", "w"]);
    assert_eq!(
        shown(&all[2]),
        [
            "stdlib@1.23.1  runtime direct :1",
            "toolchain@1.23.1  build direct :1",
            "x.example/x@* y.example/y@v1.0.0 stands-in runtime unlocked :6",
            "y.example/y@v1.0.0  runtime :6",
        ]
    );
    let outside = "is used as a member, and lies outside of the repository";
    assert_eq!(
        said(&all[2]),
        [("../../..", outside, 5), ("./gone", "is used as a member, and holds no go.mod", 3), ("/abs", outside, 4),]
    );
    // One that cannot be read stops the modules below it, and is said by itself as well.
    let files = tree("== go.work\nuse (\n== a/go.mod\nmodule e.example/a\n");
    for project in Go.projects(&files).unwrap() {
        let (path, error) = Go.read(&project, View::new(&files, &[])).unwrap_err();
        assert_eq!((path.as_str(), &*error.to_string()), ("go.work", "line 1: a block that is not closed"));
    }
    assert_eq!(Go.projects(&files).unwrap().len(), 2);
    let many: String = (0..1_001).map(|n| format!("use ./m{n}\n")).collect();
    assert_eq!(
        failure(&format!("== go.work\n{many}")),
        "go.work: the workspace, in members, is 1001, over the limit of 1000"
    );
}

#[test]
fn projects_are_found_and_vendored_ones_are_not() {
    let files = tree(
        "== go.mod\nmodule e.example/m\n== vendor/a.example/x/go.mod\nmodule x\n== vendor/a.example/x/go.sum\n\
         == testdata/t/go.mod\nmodule t\n== php/vendor/p/go.mod\nmodule p\n== js/node_modules/n/go.mod\nmodule n\n\
         == only/go.sum\na.example/a v1.0.0 h1:x\na.example/b v1.0.0/go.mod h1:x\n== lib/go.sumx\n",
    );
    let projects = Go.projects(&files).unwrap();
    let found: Vec<(&str, bool, bool)> =
        projects.iter().map(|p| (p.path.as_str(), p.manifest.is_some(), p.lockfile.is_some())).collect();
    assert_eq!(
        found,
        [("", true, false), ("only", false, true), ("php/vendor/p", true, false), ("testdata/t", true, false)]
    );
    let only = Go.read(&projects[1], View::new(&files, &[])).unwrap();
    assert_eq!(shown(&only), ["a.example/a@v1.0.0  runtime direct :1"]);
}

#[test]
fn what_the_go_command_refuses_is_refused_with_its_line() {
    for (text, expected) in [
        ("require (\na v1.0.0\n", "line 1: a block that is not closed"),
        ("\nrequire a\n", "line 2: `require` takes a module path and a version"),
        ("require a v1.0.0 x\n", "line 1: `require` takes a module path and a version"),
        ("go 1.21\ngo 1.22\n", "line 2: a second `go` line"),
        ("future x\n", "line 1: the directive `future`, which is not known"),
        ("future (\n)\n", "line 1: a block of no directive that has blocks"),
        ("go (\n1.22\n)\n", "line 1: a block of no directive that has blocks"),
        ("require (\n) x\n", "line 2: something stands after the closing parenthesis"),
        ("/* x */\n", "line 1: a comment of the kind `/* */`, which these files do not have"),
        ("require a'b v1\n", "line 1: a quotation mark inside of a word"),
        ("require \"a\\x41\" v1\n", "line 1: an escape that is not read"),
        ("require \"a v1\n", "line 1: a quotation mark that is not closed"),
        ("require a\u{202e}b v1\n", "line 1: a character that no word may hold"),
        ("replace a b\n", "line 1: a `replace` without `=>`"),
        ("replace a \"=>\" b v1\n", "line 1: a `replace` without `=>`"),
        ("replace a => b\n", "line 1: `replace` takes a folder, or a module path and a version, after `=>`"),
        ("replace a => ./b v1\n", "line 1: `replace` takes a folder, or a module path and a version, after `=>`"),
        ("replace a => ./b\nreplace a => ./c\n", "line 2: a second replacement of the same module"),
        ("\"require\" (\n)\n", "line 1: a directive in quotation marks"),
        ("require (\n<<<<<<< HEAD\n)\n", "line 2: conflict markers (`<<<<<<<`): a merge was left unfinished"),
        ("<<<<<<< a\nmodule m\n", "line 1: conflict markers (`<<<<<<<`): a merge was left unfinished"),
    ] {
        let error = manifest::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, expected, "{text}");
    }
    assert_eq!(
        failure("== go.mod\nmodule m\n== go.sum\n\n<<<<<<< ours\na v1 h1:x\n"),
        "go.sum: line 2: conflict markers (`<<<<<<<`): a merge was left unfinished"
    );
    assert_eq!(
        failure("== go.mod\nmodule m\n== go.sum\na v1\n"),
        "go.sum: line 1: not a module path, a version and a digest"
    );
    let quoted = manifest::read(b"require `a.example/b` \"v1.0.0\" // indirect\r\nmodule a//b\n").unwrap();
    assert_eq!((&*quoted.requires[0].path, quoted.requires[0].is_indirect), ("a.example/b", true));
    assert_eq!(quoted.module.unwrap().text, "a");
}

#[test]
fn versions_of_go_become_semantic_ones() {
    for (text, expected) in [
        ("1.22.3", Some("1.22.3")),
        ("go1.22.3", Some("1.22.3")),
        ("go1.22.3-mine", Some("1.22.3")),
        ("1.21rc2", Some("1.21.0-rc.2")),
        ("1.9.2rc2", Some("1.9.2-rc.2")),
        ("go1.4beta1", Some("1.4.0-beta.1")),
        ("1.20", Some("1.20")),
        ("go1", None),
        ("1.x", None),
        ("1.2.3.4", None),
        ("", None),
    ] {
        assert_eq!(toolchain::release(text).as_deref(), expected, "{text}");
    }
    for (lines, version, line) in [
        ("go 1.22.1\ntoolchain go1.21.9\n", "1.22.1", 1),
        ("go 1.22\ntoolchain go1.22.0\n", "1.22.0", 2),
        ("go 1.22.5\ntoolchain default\n", "1.22.5", 1),
        ("go 1.22rc1\ntoolchain go1.22.0\n", "1.22.0", 2),
    ] {
        let inventory = read_one(&Go, &tree(&format!("== go.mod\n{lines}module m\n")));
        let stdlib = find(&inventory, "stdlib");
        assert_eq!((&*stdlib.version, stdlib.span.line, stdlib.is_locked), (version, line, true), "{lines}");
    }
    let wrong = read_one(&Go, &tree("== go.mod\nmodule m\ngo latest\n"));
    assert_eq!(said(&wrong), [("stdlib", "`latest` is no version of Go", 2)]);
}

#[test]
fn configuration_says_where_modules_come_from() {
    let text = "# GOPROXY=https://no.example\nGOPROXY=https://proxy.example/a|https://b.example,off\nnothing\n\
                GOFLAGS=-mod=mod '-toolexec=./x' -v -modfile=other.mod\nGONOSUMDB=*\nGOSUMDB=off\nGOOS=linux\n\
                GOINSECURE=\nGOPRIVATE=a.example/*\nGOTOOLCHAIN=go1.99+path\n";
    let path = RepoPath::new("build/Go.env");
    assert!(settings_of(&path).is_some_and(|settings| settings.ecosystem() == Ecosystem::Go));
    let found: Vec<(String, String, u32)> = Settings::redirects(&Go, &path, text.as_bytes())
        .unwrap()
        .into_iter()
        .map(|redirect| (redirect.from, redirect.to, redirect.line))
        .collect();
    let expected = [
        ("modules", "https://proxy.example/a", 2),
        ("modules", "https://b.example", 2),
        ("modules", "mod", 4),
        ("each program of the build", "./x", 4),
        ("go.mod", "other.mod", 4),
        ("modules whose checksums are not looked up", "*", 5),
        ("the check of new checksums", "off", 6),
        ("modules that are fetched from their origin, unchecked", "a.example/*", 9),
        ("the toolchain", "go1.99+path", 10),
    ];
    assert_eq!(found, expected.map(|(from, to, line)| (from.to_owned(), to.to_owned(), line)));
    assert!(Settings::redirects(&Go, &path, b"A=\0").is_err());
    assert!(Settings::redirects(&Go, &path, b"\n<<<<<<< a\n").unwrap_err().to_string().starts_with("line 2"));
    let version = RepoPath::new(".go-version");
    assert!(settings_of(&version).is_some() && Settings::redirects(&Go, &version, b"1.22").unwrap().is_empty());
}

#[test]
fn real_modules_are_read_as_the_go_command_reads_them() {
    // From `go mod edit -json` of go 1.27.3 on each go.mod: what it lists under Require, with replacements applied as the
    // Go Modules Reference says (see `replaced`), and the later of Go and Toolchain as stdlib and toolchain; how many
    // are not Indirect, the two of Go's own added. Digests: how many of that list have one in go.sum, found with awk;
    // forks count for both names (heimdall: 15), and a member of the workspace has none (benchmarks: 1).
    let expected = [
        ("cosign", 289, 60 + 2, 287, "327594628349c3025ddc4b54dc0c41c3db98163bbafc3f388c82fe56b25daa08"),
        ("heimdall-replace", 311, 45 + 2, 294 + 15, "ae3af98b665e10942910b500468a4040c6bbf463fe9473267245645b166db83d"),
        ("k6", 95, 62 + 2, 93, "542083196dc198de04880e3fd37daf11d333bb84c185dd748514426a8317ef74"),
        ("osv-scalibr", 200, 77 + 2, 198, "4638bae29f36cf1e74f8192d02f837ca18d89c2034f774e3ff788beee516fd30"),
        ("protocompile-work", 19, 13 + 2, 17, "0c3e8b2ec9855bb021965f3665ac54a27f110f43d595b4e3140f8bb0586f9227"),
        (
            "protocompile-work/internal/benchmarks",
            15,
            6 + 2,
            13 - 1,
            "ff0d3cecc022eb28f58fa4db8db4af4879d0331c5f97916f64a0b3e71fa616a1",
        ),
        (
            "protocompile-work/internal/tools",
            222,
            3 + 2,
            220,
            "8881b7f1822dd37ba2d67696651c43beb97ebab9552531c3c8bc9c98cb914910",
        ),
        ("vulndb", 87, 33 + 2, 85, "0923f50e8d995c02b1a8ae3834f45313c25dcb455313d43d0991225fa6d6a556"),
    ];
    let Some(path) = corpus("lockfiles/go") else { return };
    // As repositories: the paths of a workspace are relative to its own root.
    let files = folder(&path);
    let projects = Go.projects(&files).unwrap();
    assert_eq!(projects.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(), expected.map(|(path, ..)| path));
    for (project, (path, count, direct, digests, hash)) in projects.iter().zip(expected) {
        let inventory = Go.read(project, View::new(&files, &[])).unwrap();
        assert_eq!(inventory.packages.iter().filter(|p| p.direct).count(), direct, "{path}");
        assert_eq!(inventory.packages.iter().filter(|p| p.checksum.is_some()).count(), digests, "{path}");
        let labels = labels(&inventory);
        assert_eq!((labels.len(), digest(&labels)), (count, hash.to_owned()), "{path}");
        assert_eq!(said(&inventory), [], "{path}");
        assert!(inventory.packages.iter().all(|p| Go.is_name(&p.name) && p.is_locked), "{path}");
        assert!(
            inventory
                .packages
                .iter()
                .all(|p| p.scopes.contains(Scopes::of(Scope::Runtime)) != (&*p.name == "toolchain"))
        );
    }
    // The go command's own list of what it vendored: `# path version`.
    let vendored = std::fs::read_to_string(path.join("k6/vendor/modules.txt")).unwrap();
    let k6 = Go.read(&projects[2], View::new(&files, &[])).unwrap();
    let all = labels(&k6);
    let names: Vec<String> = vendored
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join("@"))
        .collect();
    assert_eq!(names.len(), 93);
    assert!(names.iter().all(|name| all.contains(name)), "{names:?}");
}

#[test]
fn hostile_files_end_in_linear_time_and_without_a_panic() {
    use std::fmt::Write as _;
    let (mut manifest, mut sums, mut work) =
        (String::from("module m\ngo 1.16\n"), String::new(), String::from("go 1.16\nuse .\n"));
    for n in 0..20_000 {
        writeln!(
            manifest,
            "require a.example/x v1.0.{n} // indirect\nreplace a.example/b{n} => ./c\ntool a.example/x/{n}"
        )
        .unwrap();
        writeln!(sums, "a.example/x v1.1.{n} {H1}\na.example/y v1.0.{n} {H1}\na.example/y v1.0.{n} {H2}").unwrap();
        writeln!(work, "replace a.example/w{n} => a.example/v v1.0.0").unwrap();
    }
    let files = tree(&format!("== go.mod\n{manifest}== go.sum\n{sums}== go.work\n{work}"));
    assert_eq!(read_one(&Go, &files).packages.len(), 20_000 * 4 + 2);
    let digits = format!("module m\ngo 1.{0}\nrequire a.example/x v{0}.0.0\n", "9".repeat(10_000));
    let words = format!("require {}\n", "a ".repeat(500_000));
    let tool = format!("module m\nrequire a.example/x v1.0.0\ntool {}\n", "a/".repeat(500_000));
    let texts: Vec<String> = vec![
        "(".repeat(30_000),
        "require (\n".repeat(30_000),
        "replace a => ../../../../../etc\nreplace b => c:\\x\nreplace c => \\\\x\\y\nmodule ::error::\n".to_owned(),
        "use ../../..\nuse /etc\nuse \"\"\nuse .\n".to_owned(),
        digits,
        words,
        tool,
        "module m\0".to_owned(),
        "\u{feff}module m\n".to_owned(),
        "\"\\".to_owned(),
        "=> => =>".to_owned(),
        "replace => => =>\nrequire ) (\n".to_owned(),
    ];
    let mut all: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    all.extend([&b"\xff\xfe"[..], b"", b"\n\n", b"//", b"`", b"require"]);
    let whole = b"module m\ngo 1.20\nrequire (\n\ta.example/b v1.0.0 // indirect\n)\nreplace a.example/b => \"../x\"\n";
    all.extend((0..whole.len()).map(|end| &whole[..end]));
    survives(&Go, &["go.mod", "go.sum", "go.work", "a/b/go.mod"], &all);
    let large = vec![b' '; (4 << 20) + 1];
    assert!(manifest::read(&large).unwrap_err().to_string().contains("over the limit"));
}
