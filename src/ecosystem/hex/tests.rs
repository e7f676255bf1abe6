use super::*;
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, read_all, read_one, survives, tree};
use crate::model::inventory::{Scope, Scopes, SourceKind};

const OUTER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn versions_compare_as_elixir_compares_them() {
    // Sorted by `Version.compare/2` of Elixir 1.14.0.
    let sorted = [
        "0.0.1",
        "1.0.0-1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-rc.1",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1.0.0",
        "1.9.0",
        "1.10.0",
        "2.0.0-0",
    ];
    for (i, a) in sorted.iter().enumerate() {
        for (j, b) in sorted.iter().enumerate() {
            assert_eq!(Hex.compare(a, b), Some(i.cmp(&j)), "{a} {b}");
        }
    }
    assert_eq!(Hex.compare("1.0.0+build", "1.0.0"), Some(Ordering::Equal));
    assert_eq!(Hex.compare("6.0", "6.0.0"), Some(Ordering::Equal));
    let long = format!("{}.0.0", "9".repeat(10_000));
    assert_eq!(Hex.compare(&long, "1.0.0"), Some(Ordering::Greater));
    for bad in ["v1.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", "1.0.0.0", "1.0.0-a..b", "1.0.0-a_b", "", "~> 1"] {
        assert_eq!(Hex.compare(bad, "1.0.0"), None, "{bad}");
    }
    for (name, expected) in [
        ("phoenix_html", true),
        ("a1", true),
        ("1a", false),
        ("_a", false),
        ("Jason", false),
        ("a-b", false),
        ("", false),
        ("a\n", false),
    ] {
        assert_eq!(Hex.is_name(name), expected, "{name}");
    }
    assert_eq!((&*Hex.normalise("MongooseIM"), &*Hex.normalise("jason")), ("mongooseim", "jason"));
}

#[test]
fn entries_have_sources_digests_and_edges() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let inventory = read_one(
        &Hex,
        &tree(&format!(
            "== app/mix.exs\ndefmodule M do end\n== app/mix.lock\n%{{\n  # a comment\n\
             \"top\": {{:hex, :top, \"1.0.0\", \"{OUTER}\", [:mix], [{{:below, \"~> 1.0\", [hex: :below_real, repo: \"hexpm\", optional: true]}}, {{:gone, \">= 0.0.0\", [hex: :gone, optional: false]}}], \"hexpm\", \"{OUTER}\"}},\n\
             below: {{:hex, :below_real, \"2.0.0-rc.1\", \"{OUTER}\", [:make, :rebar3], [], \"hexpm:acme\", \"bad\"}},\n\
             \"old\" => {{:hex, :old, \"0.1.0\"}},\n  \"older\": {{:hex, :older, \"0.1.0\", \"{OUTER}\"}},\n\
             \"icons\": {{:git, \"https://git.example/icons.git\", \"{commit}\", [tag: \"v1\", sparse: \"x\", depth: 1, ref: \"{OUTER}\"]}},\n\
             \"local\": {{:path, \"../local\"}},\n}}\n"
        )),
    );
    let shown: Vec<String> = inventory
        .packages
        .iter()
        .map(|p| {
            let sum = p.checksum.as_deref().map_or("-", |sum| sum.split(':').next().unwrap());
            format!("{} [{}] {} {sum} {} :{}", p.label(), p.source, p.identity.as_str(), p.direct, p.span.line)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "below_real@2.0.0-rc.1 [hexpm:acme] public - false :4".to_owned(),
            format!("icons@{commit} [https://git.example/icons.git#{commit}] foreign gitCommit true :7"),
            "local@* [../local] foreign - true :8".to_owned(),
            "old@0.1.0 [] public - true :5".to_owned(),
            "older@0.1.0 [] public - true :6".to_owned(),
            "top@1.0.0 [] public sha256 true :3".to_owned(),
        ]
    );
    let below = find(&inventory, "below_real");
    assert_eq!((below.alias.as_deref(), below.source.kind), (Some("below"), SourceKind::Registry));
    assert_eq!(inventory.needs(5), [0]);
    assert!(inventory.packages.iter().all(|p| p.scopes == Scopes::of(Scope::Runtime)));
    assert_eq!(inventory.disagreements.len(), 1);
    assert_eq!(inventory.disagreements[0].message, format!("asks for commit {OUTER}, and the lockfile holds {commit}"));
    assert_eq!(inventory.inputs.len(), 2);
}

#[test]
fn what_is_no_literal_is_refused() {
    for (text, expected) in [
        ("%{\"a\": {:hex, :a, \"1.0.0\"}} |> Map.new()", "line 1: something stands after the map"),
        ("System.cmd(\"x\", [])", "line 1: no literal: only maps, tuples, lists, atoms, strings and numbers are read"),
        ("%{\"a\": {:hex, :a, \"#{x}\"}}", "line 1: an interpolation, which is no literal"),
        (
            "%{\n\"a\": {:hex, :a, x}}",
            "line 2: no literal: only maps, tuples, lists, atoms, strings and numbers are read",
        ),
        ("%{\"a\": {:hex, :a, \"1\" <> \"2\"}}", "line 1: a comma or a closing bracket is missing"),
        ("%{\n\"a\": {:hex, :a, \"1\"},\n\"a\": {:hex, :b, \"1\"}}", "line 3: the key `a` stands twice"),
        ("%{\"a\": {:pkg, :a, \"1\"}}", "line 1: an entry of pkg with 3 parts"),
        ("%{\"a\": {:hex, :a, \"1\", 1, 2, 3, 4, 5, 6}}", "line 1: an entry of hex with 9 parts"),
        ("%{\"a\": {:hex, [], \"1\"}}", "line 1: part 2 of the entry is no text"),
        ("%{\"a\": 1}", "line 1: part 1 of the entry is no text"),
        ("%{:a}", "line 1: a map's member without a key"),
        ("[\"a\": {:hex, :a, \"1\"}]", "a lockfile that is no map"),
        ("", "line 1: no literal: only maps, tuples, lists, atoms, strings and numbers are read"),
        ("%{\"a\\x41\": {:hex, :a, \"1\"}}", "line 1: an escape that is not read"),
        ("%{\"a\": {:hex, :a, \"1", "line 1: a string that is not closed"),
        ("%{\n<<<<<<< HEAD\n}", "line 2: conflict markers (`<<<<<<<`): a merge was left unfinished"),
    ] {
        let mut files = tree("");
        files.0.insert(RepoPath::new("mix.lock"), text.as_bytes().to_vec());
        let project = Hex.projects(&files).unwrap().remove(0);
        let (path, error) = Hex.read(&project, View::new(&files, &[])).unwrap_err();
        assert_eq!((path.as_str(), error.to_string()), ("mix.lock", expected.to_owned()), "{text}");
    }
    assert!(read_one(&Hex, &tree("== mix.lock\n%{}\n")).packages.is_empty());
}

#[test]
fn projects_are_lockfiles_and_programs_that_none_speaks_for() {
    let files = tree(
        "== mix.exs\n== mix.lock\n%{}\n== apps/a/mix.exs\n== deps/x/mix.exs\n== deps/x/mix.lock\n%{}\n== lib/mix.lock\n%{}\n",
    );
    let found: Vec<RepoPath> = Hex.projects(&files).unwrap().into_iter().map(|project| project.path).collect();
    assert_eq!(found, [RepoPath::root(), RepoPath::new("lib")]);
    let alone = tree("== deps/a/mix.exs\nx\n");
    let projects = Hex.projects(&alone).unwrap();
    let (path, error) = Hex.read(&projects[0], View::new(&alone, &[])).unwrap_err();
    assert_eq!(path.as_str(), "deps/a/mix.exs");
    assert_eq!(error.to_string(), "mix.exs is a program, and there is no mix.lock to say what it asks for");
}

#[test]
fn a_program_below_a_lockfile_is_its_own_unless_it_is_an_app() {
    let files = tree("== mix.exs\n== mix.lock\n%{}\n== tools/mix.exs\n== apps/a/mix.exs\n== apps/a/b/mix.exs\n");
    let found: Vec<RepoPath> = Hex.projects(&files).unwrap().into_iter().map(|project| project.path).collect();
    assert_eq!(found, ["", "apps/a/b", "tools"].map(RepoPath::new));
}

#[test]
fn what_a_program_asks_for_in_so_many_words_is_compared_with_the_lockfile() {
    let said = |deps: &str, app: &str| {
        let files = tree(&format!(
            "== mix.exs\ndefmodule M do\n  def project, do: [deps: deps(), aliases: [{{:not, \"a dep\"}}]]\n{deps}\n\
             defp other do\n[{{:neither, \"~> 1.0\"}}]\nend\nend\n== apps/a/mix.exs\n{app}\n\
             == mix.lock\n%{{\"top\": {{:hex, :top, \"1.0.0\"}}, \"icons\": {{:git, \"https://git.example/i.git\", \"0123456789abcdef0123456789abcdef01234567\", []}}}}\n"
        ));
        let inventory = read_one(&Hex, &files);
        let all: Vec<_> =
            inventory.disagreements.iter().map(|d| format!("{}:{} {}", d.name, d.span.line, d.message)).collect();
        (all.join("; "), labels(&inventory).len())
    };
    let quiet = "defp deps do\n[\n# {:gone, \"~> 1.0\"}\n{:top, \"~> 1.0\", only: [:dev, :test], hex: :top},\n\
                 {:icons, git: \"https://git.example/i.git\", app: false}, {:mine, path: \"../mine\" |> x()},\n\
                 {:near, path: \"libs/near\"}, {:app, in_umbrella: true}, {name, \"1\"}, x: \"{:no, 1}\"]\nend";
    assert_eq!(said(quiet, ""), (String::new(), 3));
    let gone = "is asked for, and the lockfile does not hold it";
    for (deps, app, expected) in [
        ("defp deps do [{:top, \"1\"},\n{:evil, git: \"https://git.example/x\"}] end", "", format!("evil:4 {gone}")),
        ("def dev_deps(), do: [{:e2, \"~> 1.0\"}]", "", format!("e2:3 {gone}")),
        ("def x, do: [deps: [{:\"e3\", \"~> 1.0\"}], docs: [{:extra, \"x\"}]]", "", format!("e3:3 {gone}")),
        ("", "defp deps do [{:e4, \"1\"}] end", format!("e4:1 {gone}")),
        (
            "defp deps do [{:top, \"1\", [github: \"a/b\"]}] end",
            "",
            "top:3 is asked for from git, and the lockfile holds it from hex".to_owned(),
        ),
        (
            "defp deps do [{:top, path: \"vendor/top\"}] end",
            "",
            "top:3 is asked for from a folder, and the lockfile holds it from hex".to_owned(),
        ),
    ] {
        assert_eq!(said(deps, app).0, expected, "{deps} {app}");
    }
}

#[test]
fn real_lockfiles_are_read_as_elixir_reads_them() {
    // From Elixir 1.14.0, `Code.string_to_quoted!` and its value, as `Mix.Dep.Lock.read` does: names and versions (the
    // commit for git), outer digests and commits, edges between locked packages, and packages without one to them.
    let expected = [
        ("", 40, 40, 52, 12, "c7ab03527f4ede11ba88fb2321645205807933c9e47b52911aace166f1449dd1"),
        ("installer", 6, 6, 7, 1, "40094d2ee621a1e45ca1990e54f82b5c6153be635f12c84b28aa29d609a78de7"),
        ("integration_test", 51, 49 + 2, 87, 17, "202c0b2682333e039da16174d1c021e2618ff761b93ac8ecc3db048c3c0ba268"),
    ];
    let Some(path) = corpus("lockfiles/hex/phoenix") else { return };
    let all = read_all(&Hex, &folder(&path));
    assert_eq!(all.len(), 3);
    for (inventory, (path, count, digests, edges, direct, hash)) in all.iter().zip(expected) {
        let labels = labels(inventory);
        assert_eq!((inventory.project.path.as_str(), labels.len(), digest(&labels)), (path, count, hash.to_owned()));
        assert_eq!(inventory.packages.iter().filter(|p| p.checksum.is_some()).count(), digests, "{path}");
        assert_eq!(inventory.edges.len(), edges, "{path}");
        assert_eq!(inventory.packages.iter().filter(|p| p.direct).count(), direct, "{path}");
        assert_eq!(inventory.disagreements, []);
        assert!(inventory.packages.iter().all(|p| Hex.is_name(&p.name)));
    }
}

#[test]
fn hostile_files_end_in_linear_time_and_without_a_panic() {
    use std::fmt::Write as _;
    let mut large = String::from("== mix.lock\n%{\n");
    for n in 0..50_000 {
        writeln!(
            large,
            "\"a{n}\": {{:hex, :a{n}, \"1.0.{n}\", \"\", [:mix], [{{:a{}, \"~> 1.0\", []}}], \"hexpm\", \"\"}},",
            n + 1
        )
        .unwrap();
    }
    assert_eq!(read_one(&Hex, &tree(&(large + "}\n"))).packages.len(), 50_000);
    let mut texts: Vec<Vec<u8>> = ["[", "{", "%{", "%{a: ", "a: ", "[a: ", "\"", "\\", ":", "#"]
        .iter()
        .map(|text| text.repeat(30_000).into_bytes())
        .collect();
    let whole = "%{\"a\": {:hex, :a, \"1.0.0\", \"x\", [:mix], [{:b, \"~> 1\", [hex: :b]}], \"hexpm\", \"é\"}}\n";
    texts.extend((0..whole.len()).map(|end| whole.as_bytes()[..end].to_vec()));
    texts.extend([
        b"%{a: b\0}".to_vec(),
        b"\xff".to_vec(),
        format!("%{{\"a\": {{:hex, :a, \"{}\"}}}}", "9".repeat(10_000)).into_bytes(),
    ]);
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    survives(&Hex, &["mix.lock", "a/mix.exs"], &texts);
    for text in ["defp deps [{:a,", "deps: [", "'\\é", "?é", "{:", "\"\"\"", "~s'"] {
        assert!(program::read(text.repeat(50_000).as_bytes()).is_ok(), "{text}");
    }
}
