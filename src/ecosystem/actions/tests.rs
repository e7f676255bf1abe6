//! Tests of workflows and actions: small trees, and real ones against a walk of PyYAML.

use super::Actions;
use super::reference::{self, Reference};
use super::workflow::{self, What};
use crate::ecosystem::syntax::yaml;
use crate::ecosystem::testing::{
    Tree, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::ecosystem::{Format as _, Rules as _, View};
use crate::model::inventory::{Inventory, Scope, Scopes, SourceKind};
use crate::model::{Ecosystem, RepoPath};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn workflow(text: &str) -> Tree {
    tree(&format!("== .github/workflows/ci.yml\n{}", text.replace("COMMIT", COMMIT)))
}

fn messages(inventory: &Inventory) -> Vec<(&str, u32)> {
    inventory.disagreements.iter().map(|each| (&*each.message, each.span.line)).collect()
}

fn error(files: &Tree) -> (String, String) {
    let projects = Actions.projects(files).unwrap();
    let (path, error) = Actions.read(&projects[0], View::new(files, &[])).unwrap_err();
    (path.to_string(), error.to_string())
}

#[test]
fn versions_compare_with_and_without_v_and_moving_tags_do_not() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let digits = format!("{}.0.0", "9".repeat(10_000));
    for (a, b, expected) in [
        ("v1.2.3", "1.2.3", Some(Equal)),
        ("v1.10.0", "v1.9.0", Some(Greater)),
        ("v1.0.0-rc.1", "1.0.0", Some(Less)),
        ("v4", "v5", None),
        ("v4", "v4", None),
        ("v4.1", "v4.1.0", None),
        ("main", "v1.0.0", None),
        (COMMIT, COMMIT, None),
        ("vv1.0.0", "v1.0.0", None),
        (&digits, "1.0.0", None),
        ("", "", None),
    ] {
        assert_eq!(Actions.compare(a, b), expected, "{a:.40} {b}");
    }
    let Some(path) = corpus("vectors/versions/semver-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    // The file also orders what only npm reads as versions.
    let is_version = |word: &str| Actions.compare(word, word).is_some();
    let read: Vec<&str> = text
        .lines()
        .filter(|line| line.split_whitespace().step_by(2).all(is_version) && !line.trim().is_empty())
        .collect();
    assert!(orders(&Actions, &read.join("\n")) >= 50);
}

#[test]
fn names_have_githubs_grammar() {
    for (name, expected) in [
        ("actions/checkout", true),
        ("a/b.c_d-e", true),
        ("github/codeql-action/init", true),
        ("acme_corp/x", true),
        ("checkout", false),
        ("-a/b", false),
        ("a/..", false),
        ("a/b/../c", false),
        ("a//b", false),
        ("a/b c", false),
        ("a/\u{1b}[31m", false),
        ("a/é", false),
        ("../b", false),
        ("", false),
        ("/", false),
    ] {
        assert_eq!(Actions.is_name(name), expected, "{name:?}");
    }
    assert!(!Actions.is_name(&format!("{}/b", "a".repeat(40))) && !Actions.is_name(&format!("a/{}", "b".repeat(101))));
    assert_eq!(Actions.normalise("Actions/CheckOut"), "actions/checkout");
}

#[test]
fn every_uses_is_a_package_with_its_place() {
    let files = workflow(
        "\
on: push
jobs:
  build:
    runs-on: x
    steps:
      - uses: Actions/Checkout@v4
      - name: pinned
        uses: \"acme/tool/sub/dir@COMMIT\" # v4.1.0
        with:
          uses: not/this@v1
        env: {uses: nor/this@v1}
      - uses: acme/branch@release/v1
      - uses: acme/short@0123456
      - uses: docker://alpine:3.20
  call:
    uses: acme/shared/.github/workflows/x.yml@v2.0.0
    with: {uses: nor/that@v1}
  with:
    steps: [{uses: acme/tricky@v1}]
  env:
    uses: acme/tricky2/.github/workflows/y.yml@v1
",
    );
    let inventory = read_one(&Actions, &files);
    assert_eq!((inventory.project.path.as_str(), &inventory.project.manifest), (".github/workflows", &None));
    assert_eq!(
        labels(&inventory),
        [
            "acme/branch@release/v1",
            "acme/shared@v2.0.0",
            "acme/short@0123456",
            &format!("acme/tool@{COMMIT}"),
            "acme/tricky2@v1",
            "acme/tricky@v1",
            "actions/checkout@v4",
            "alpine@3.20",
        ]
    );
    let pinned = find(&inventory, "acme/tool");
    assert_eq!((pinned.is_locked, pinned.claim.as_deref(), pinned.span.line), (true, Some("v4.1.0"), 8));
    assert_eq!(pinned.checksum.as_deref(), Some(&*format!("gitCommit:{COMMIT}")));
    assert_eq!((pinned.alias.as_deref(), pinned.source.kind), (Some("acme/tool/sub/dir"), SourceKind::Public));
    assert!(pinned.direct && pinned.declared == Some(pinned.span));
    for name in ["acme/branch", "acme/short", "actions/checkout"] {
        let package = find(&inventory, name);
        assert!(!package.is_locked && package.checksum.is_none() && package.claim.is_none(), "{name}");
    }
    assert_eq!(find(&inventory, "alpine").ecosystem, Ecosystem::Docker);
    assert!(inventory.packages.iter().all(|package| package.scopes == Scopes::of(Scope::Build)));
    assert_eq!(inventory.path_of(pinned.span).unwrap().as_str(), ".github/workflows/ci.yml");
    assert!(messages(&inventory).is_empty());
}

#[test]
fn comments_claim_versions() {
    for (comment, expected) in [
        (" # v4.1.0", Some("v4.1.0")),
        (" # tag=v4.1.0", Some("v4.1.0")),
        (" # ratchet:actions/checkout@v4", Some("v4")),
        (" # pin@v4", Some("v4")),
        (" #v3.5.0", Some("v3.5.0")),
        (" # renovate: tag=refs/tags/v2.0.0-rc.1, ok", Some("v2.0.0-rc.1")),
        (" # 4.2 (2024)", Some("4.2")),
        (" # since 2024, see 7", None),
        (" # release/v1", None),
        ("", None),
        ("\r", None),
    ] {
        let files =
            workflow(&format!("jobs:\n  a:\n    steps:\n    - uses: a/b@COMMIT{comment}\n    - run: x # v9.9.9\n"));
        assert_eq!(find(&read_one(&Actions, &files), "a/b").claim.as_deref(), expected, "{comment}");
    }
    // In flow style, a comment belongs to what it follows.
    let text = "jobs:\n  a:\n    steps: [{uses: 'a/b@COMMIT'}, {uses: 'c/d@COMMIT'}] # v1.0.0\n";
    let inventory = read_one(&Actions, &workflow(text));
    assert_eq!(find(&inventory, "a/b").claim, None);
    assert_eq!(find(&inventory, "c/d").claim.as_deref(), Some("v1.0.0"));
    // Two claims about one commit are two packages, and stay visible as such.
    let text = "jobs:\n  a:\n    steps:\n    - uses: a/b@COMMIT # v1.0.0\n    - uses: a/b@COMMIT # v2.0.0\n";
    assert_eq!(read_one(&Actions, &workflow(text)).packages.len(), 2);
}

#[test]
fn a_tag_that_looks_like_another_hash_is_no_commit() {
    let text = format!("jobs:\n  a:\n    steps:\n    - uses: a/b@{}\n", "ab".repeat(32));
    assert!(!find(&read_one(&Actions, &workflow(&text)), "a/b").is_locked);
}

#[test]
fn anchors_merge_keys_and_unknown_keys_hide_nothing() {
    let text = "\
jobs:
  a: &job
    steps: &steps
      - &step
        uses: a/b@v1
      - parallel:
          - uses: c/d@v1
      - [{uses: e/f@v1}]
  b: *job
  c:
    <<: {container: 'img:1', uses: g/h/x.yml@v1}
    steps:
      - *step
      - <<: [{uses: i/j@v1}]
";
    let expected = ["a/b@v1", "c/d@v1", "e/f@v1", "g/h@v1", "i/j@v1", "img@1"];
    assert_eq!(labels(&read_one(&Actions, &workflow(text))), expected);
}

#[test]
fn images_of_containers_services_and_matrices_are_packages() {
    let text = "\
jobs:
  a:
    container: {image: 'registry.example/a/b:1', uses: not/this@v1}
    services:
      db: {image: 'postgres:${{ matrix.pg }}', env: {image: no}}
      none: {image: ''}
    strategy:
      matrix:
        pg: [16, 17]
        uses: [not/this@v1]
  b:
    container: ${{ matrix.on.image }}
    strategy:
      matrix:
        on: [{image: 'one:1'}, {image: 'two:2'}, {other: x}]
        include: [{on: {image: 'three:3'}}]
  c:
    container: redis:${{ inputs.tag }}
  d:
    container: ${{ inputs.image }}
  e:
    container: ghcr.example/${{ inputs.image }}:1
";
    let inventory = read_one(&Actions, &workflow(text));
    let expected = ["a/b@1", "one@1", "postgres@16", "postgres@17", "redis@${{ inputs.tag }}", "three@3", "two@2"];
    assert_eq!(labels(&inventory), expected);
    assert_eq!(&*find(&inventory, "a/b").source.address, "registry.example");
    assert!(!find(&inventory, "redis").is_locked);
    assert_eq!(
        messages(&inventory),
        [
            ("names the image `${{ inputs.image }}`, and no file says what stands for it", 20),
            ("names the image `ghcr.example/${{ inputs.image }}:1`, and no file says what stands for it", 22),
        ]
    );
}

#[test]
fn local_references_are_followed_or_said_to_lead_nowhere() {
    let files = tree(
        "\
== .github/workflows/ci.yml
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
        with: {path: copy}
      - uses: other/checkout@v4
        with: {path: theirs, repository: Them/Theirs, ref: v1}
      - uses: other/checkout@v4
        with: {path: any, repository: '${{ inputs.any }}'}
      - uses: ./actions/one
      - uses: ./copy/actions/one
      - uses: ./vendor/act
      - uses: ./box
      - uses: ./gone
      - uses: ./../out
      - uses: ./theirs/x
      - uses: ./any/x
      - uses: ./
  b:
    uses: ./.github/workflows/other.yaml
  c:
    uses: ./.github/workflows/gone.yaml
== .github/workflows/other.yaml
jobs: {x: {steps: [{uses: from/other@v1}]}}
== actions/one/action.yml
runs: {using: composite, steps: [{uses: from/one@v1}]}
== vendor/modules.txt
== vendor/act/action.yaml
runs: {using: composite, steps: [{uses: from/vendored@v1}, {uses: ./vendor/act}]}
== box/Dockerfile
FROM from-box
== action.yml
name: root
runs: {using: docker, image: build/image.txt}
== action.yaml
runs: {using: docker, image: 'docker://tool:1'}
== build/image.txt
FROM from-text
== node_modules/x/action.yml
runs: {using: composite, steps: [{uses: not/this@v1}]}
== bad/action.yml
runs: {using: docker, image: ../../Dockerfile}
== bad2/action.yml
runs: {using: docker, image: Dockerfile}
",
    );
    let all = read_all(&Actions, &files);
    let found: Vec<(String, Vec<String>)> = all.iter().map(|i| (i.project.path.to_string(), labels(i))).collect();
    let expected = [
        (".", vec!["from-text@latest", "tool@1"]),
        (
            ".github/workflows",
            vec!["actions/checkout@v4", "from/other@v1", "from/vendored@v1", "other/checkout@v4", "them/theirs@v1"],
        ),
        ("actions/one", vec!["from/one@v1"]),
        ("bad", vec![]),
        ("bad2", vec![]),
    ];
    let owned = expected.map(|(path, labels)| (path.to_owned(), labels.into_iter().map(str::to_owned).collect()));
    assert_eq!(found, owned);
    assert_eq!(all[0].project.manifest.as_ref().unwrap().as_str(), "action.yml");
    assert_eq!(
        messages(&all[1]),
        [
            ("uses `./../out`, which is outside of the repository", 15),
            ("uses `./.github/workflows/gone.yaml`, which is not there", 22),
            ("uses `./any/x` out of a checkout of `${{ inputs.any }}`", 17),
            ("uses `./gone`, which is not there", 14),
        ]
    );
    assert_eq!(messages(&all[3]), [("builds `../../Dockerfile`, which is outside of the repository", 1)]);
    assert_eq!(messages(&all[4]), [("builds `Dockerfile`, which is not there", 1)]);
    assert!(all[1].inputs.iter().any(|input| input.path.as_str() == "gone/action.yml" && input.oid.is_none()));
}

#[test]
fn brackets_may_close_at_the_start_of_a_line() {
    let text = "\
on:
  push:
    branches: [
      main
    ]
    tags: [
'a', c
]
jobs:
  a:
    steps: [
    {
      uses: a/b@v1
    }
    ]
    env: {X: |
    ]}
";
    // What is not between brackets stays wrong.
    assert!(!error(&workflow(text)).1.is_empty());
    let (text, _) = text.split_once("    env").unwrap();
    let inventory = read_one(&Actions, &workflow(text));
    assert_eq!((labels(&inventory), find(&inventory, "a/b").span.line), (vec!["a/b@v1".to_owned()], 13));
    let many = format!("jobs:\n  a: [\n{}", "]\n".repeat(100_000));
    assert!(!error(&workflow(&many)).1.is_empty());
}

#[test]
fn what_github_would_refuse_is_said() {
    let text = "\
jobs:
  a:
    steps:
      - uses: ${{ matrix.action }}@v1
      - uses: checkout@v4
      - uses: a/b
      - uses: a/b@v1@v2
      - uses: \"a/b@v1 \"
      - uses: a/../b@v1
      - uses: [a/b@v1]
      - uses:
      - uses: docker://Upper
";
    let inventory = read_one(&Actions, &workflow(text));
    assert!(inventory.packages.is_empty());
    let mut lines: Vec<u32> = inventory.disagreements.iter().map(|each| each.span.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, (4..=12).collect::<Vec<_>>(), "{:?}", messages(&inventory));
}

#[test]
fn a_file_that_cannot_be_read_hides_nothing_of_the_others() {
    let files = |text: &str| {
        tree(&format!("== .github/workflows/a.yml\njobs: {{x: {{uses: a/b@v1}}}}\n== .github/workflows/b.yml\n{text}"))
    };
    let said = |text: &str| {
        let inventory = read_one(&Actions, &files(text));
        assert_eq!(labels(&inventory), ["a/b@v1"]);
        let [one] = &*inventory.disagreements else { panic!("{:?}", messages(&inventory)) };
        assert_eq!((&*one.name, inventory.path_of(one.span).unwrap().as_str()), (&*one.name, &*one.name));
        assert_eq!(one.name, ".github/workflows/b.yml");
        (one.message.clone(), one.span.line)
    };
    let (message, line) = said("jobs:\n  a: {}\n  a: {}\n");
    assert!(message.starts_with("cannot be read: the key `a` stands twice (content ") && line == 3, "{message}");
    // The same mistake in a file that changes besides is said anew.
    assert_ne!(said("jobs:\n  a: {uses: evil/x@v1}\n  a: {}\n").0, message);
    assert!(said("<<<<<<< ours\njobs: [\n").0.contains("merge was left"));
    assert!(said("jobs: {}\n---\njobs: {}\n").0.contains("second document"));
    // What one use leads to hides nothing of the uses after it.
    let text = "jobs: {a: {steps: [{uses: ./box}, {uses: c/d@v1}]}}\n== box/Dockerfile\nFROM a\nnot docker\n";
    let text = text.replace("box", "vendor/composer/box");
    let text = format!("{text}== vendor/composer/installed.json\n{{}}\n");
    let inventory = read_one(&Actions, &files(&text));
    assert_eq!((labels(&inventory).len(), inventory.disagreements.len()), (2, 1), "{:?}", messages(&inventory));
    // Where no file can be read, nothing is known.
    let none = tree("== .github/workflows/a.yml\n[\n== .github/workflows/b.yml\njobs:\n  a: {}\n  a: {}\n");
    assert_eq!(error(&none).0, ".github/workflows/a.yml");
}

#[test]
fn a_checkout_at_the_root_takes_the_place_of_the_repository() {
    let read = |steps: &str| {
        let text = "jobs:\n  a:\n    steps:\nSTEPS== act/action.yml\nruns: {steps: []}\n";
        let files = workflow(&text.replace("STEPS", steps));
        let all = read_all(&Actions, &files);
        let said = |i: &Inventory| i.disagreements.iter().map(|each| each.message.clone()).collect::<Vec<_>>();
        (labels(&all[0]), said(&all[0]))
    };
    let own = "    - uses: actions/checkout@v4\n";
    let with = |with: &str| format!("    - uses: Actions/Checkout@v4\n      with: {{{with}}}\n");
    let local = "    - uses: ./act\n";
    let evil = vec!["actions/checkout@v4".to_owned(), "evil/repo@main".to_owned()];
    for place in ["", ", path: .", ", path: ./", ", path: x/..", ", path: '${{ inputs.x }}'"] {
        let checkout = with(&format!("Repository: evil/repo, ref: main{place}"));
        assert_eq!(read(&format!("{own}{checkout}{local}")), (evil.clone(), vec![]), "{place}");
        // What stands before it is of the repository, and so is what comes after its own checkout.
        let honest = (vec!["actions/checkout@v4".to_owned()], vec![]);
        assert_eq!(read(&format!("{own}{local}{checkout}")), honest, "{place}");
        assert_eq!(read(&format!("{checkout}{own}{local}")), honest, "{place}");
        let perhaps = "    - uses: actions/checkout@v4\n      if: false\n";
        assert_eq!(read(&format!("{checkout}{perhaps}{local}")).0, evil, "{place}");
    }
    for own in ["${{ github.repository }}", "${{github.event.pull_request.head.repo.full_name}}"] {
        assert_eq!(read(&format!("{}{local}", with(&format!("repository: '{own}'")))).1, [""; 0], "{own}");
    }
    for other in ["${{ github.repository_owner }}/evil", "evil/x${{ github.repository && '''' }}"] {
        for (path, uses) in [("", "./act"), (", path: ext", "./ext/act")] {
            let steps = format!("{}    - uses: {uses}\n", with(&format!("repository: '{other}'{path}")));
            let shown = other.replace("''", "'");
            assert_eq!(read(&steps).1, [format!("uses `{uses}` out of a checkout of `{shown}`")]);
        }
    }
    let many = with("repository: them/theirs, path: x").repeat(65);
    assert_eq!(read(&many).1, ["checks out more repositories than are looked at"]);
}

#[test]
fn checkouts_reach_across_files() {
    let files = tree(
        "\
== .github/workflows/a.yml
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
        with: {repository: evil/repo, path: ext}
      - uses: ./tool/act
  b:
    steps:
      - uses: ./setup
      - uses: ./own/x
      - uses: ./ext/x
== tool/act/action.yml
runs: {using: composite, steps: [{uses: ./EXT/x}]}
== ext/x/action.yml
runs: {using: composite, steps: []}
== own/x/action.yml
runs: {using: composite, steps: []}
== setup/action.yml
runs:
  using: composite
  steps:
    - {uses: actions/checkout@v4, with: {repository: evil/other, ref: v1, path: own}}
== over/action.yml
runs: {using: composite, steps: [{uses: actions/checkout@v4, with: {repository: evil/other}}]}
",
    );
    let all = read_all(&Actions, &files);
    let of = |path: &str| all.iter().find(|each| each.project.path.as_str() == path).unwrap();
    let workflows = of(".github/workflows");
    assert_eq!(labels(workflows), ["actions/checkout@v4", "evil/other@v1", "evil/repo@HEAD"]);
    // Another job's folder is another folder: `./ext/x` in `b` is the repository's own.
    assert_eq!(find(workflows, "evil/repo").alias.as_deref(), Some("./EXT/x"));
    assert!(messages(workflows).is_empty(), "{:?}", messages(workflows));
    assert_eq!(messages(of("over")), [("checks out `evil/other` where this repository lies", 1)]);
    assert!(messages(of("setup")).is_empty());
}

#[test]
fn services_that_an_expression_makes_are_said() {
    let text = "jobs:\n  a:\n    services: ${{ fromJSON(inputs.x) }}\n  b:\n    services:\n  c: {services: ''}\n";
    let inventory = read_one(&Actions, &workflow(text));
    let expected = "names the image `${{ fromJSON(inputs.x) }}`, and no file says what stands for it";
    assert_eq!(messages(&inventory), [(expected, 3)]);
}

#[test]
fn paths_of_one_repository_are_kept_apart() {
    let text = "jobs: {a: {steps: [{uses: a/b/safe@COMMIT}, {uses: a/b/deploy/x@COMMIT}, {uses: a/b@COMMIT}]}}";
    let inventory = read_one(&Actions, &workflow(text));
    let mut paths: Vec<_> = inventory.packages.iter().map(|p| p.source.commit.as_deref()).collect();
    paths.sort_unstable();
    assert_eq!(paths, [None, Some("deploy/x"), Some("safe")]);
    assert!(inventory.packages.iter().all(|p| p.source.kind == SourceKind::Public && p.source.address.is_empty()));
}

#[test]
fn references_are_told_apart() {
    let remote = |name: &str, path: Option<&str>, at| Reference::Remote {
        name: name.to_owned(),
        path: path.map(str::to_owned),
        at,
    };
    assert_eq!(reference::parse("A/B@v1"), Ok(remote("a/b", None, "v1")));
    assert_eq!(reference::parse("a\\b//C@v1"), Ok(remote("a/b", Some("a/b/C"), "v1")));
    assert_eq!(reference::parse("./x"), Ok(Reference::Local("x")));
    assert_eq!(reference::parse("docker://x"), Ok(Reference::Image("x")));
    for bad in ["", "@", "a/b@", "a/b@x..y", "a/b@-\u{7f}", "a/b\n@v1", "a/b@v1 # x"] {
        assert!(reference::parse(bad).is_err(), "{bad:?}");
    }
}

/// Counts and digests of PyYAML 6.0.3: how often `uses` stands below `jobs` and `runs`, outside of data; and what it
/// names there, with every image of a container or service, as `name@ref`.
const REAL: [(&str, usize, usize, &str); 7] = [
    ("changed-files", 157, 17, "d326c8c9ee7aaf6e5d1937995c13cabc8816470f263eeb84e5d7464f21c2f58d"),
    ("checkout-unpinned", 43, 10, "ea1305f98bbb88a94f0ea2b666f46cc6432e7de695b28065c4b36d571c26f31b"),
    ("goat", 73, 13, "53f418fbd104b02e375027b2ed5117c1675073277429250a8de9307c8ebd63b5"),
    ("osv-scanner-reusable", 86, 24, "b2740e48c13d6c6750e86205a6da36612172901dd97fd7ad0f31b79902106a6c"),
    ("reth", 259, 40, "28ef22f17bb553521bbb7881a0ad0ad537893de4c2a92679949cefe6518dff4c"),
    ("starter", 211, 53, "d6138f4cac7bc8f2c0d807355b7a4575e7d827ef7dda9077b0df61579f24df65"),
    ("zizmor-pinned", 76, 20, "a95faccf625e292bf647369d4e62d69d9862ce27faa46953b1cc3f9289b323f1"),
];

#[test]
fn real_workflows_are_those_of_another_reader() {
    let Some(root) = corpus("lockfiles/github-actions") else { return };
    for (repository, uses, count, expected) in REAL {
        let mut files = folder(&root.join(repository));
        if repository == "starter" {
            // Templates, which become workflows where somebody picks one.
            let moved =
                |path: &RepoPath| RepoPath::new(&format!(".github/workflows/{}", path.as_str().replace('/', "-")));
            files = Tree(files.0.into_iter().map(|(path, bytes)| (moved(&path), bytes)).collect());
        }
        // Actions of the repository whose files are not among those that were kept.
        for name in ["format-action", "lint-action", "test-action"] {
            files.0.insert(RepoPath::new(&format!("actions/internal/{name}/Dockerfile")), Vec::new());
        }
        let all = read_all(&Actions, &files);
        let mut found: Vec<String> = all.iter().flat_map(labels).collect();
        found.sort();
        found.dedup();
        assert_eq!((found.len(), &*digest(&found)), (count, expected), "{repository}: {found:#?}");
        let said: Vec<(&str, u32)> = all.iter().flat_map(messages).collect();
        assert_eq!(said, [], "{repository}");
        let read = |bytes: &Vec<u8>| {
            let document = yaml::read(bytes, 1 << 20).unwrap();
            let found = workflow::collect(&document).items;
            found.iter().filter(|item| matches!(item.what, What::Step | What::Workflow)).count()
        };
        let yaml_files = files.0.iter().filter(|(path, _)| path.as_str().ends_with("ml"));
        assert_eq!(yaml_files.map(|(_, bytes)| read(bytes)).sum::<usize>(), uses, "{repository}");
        for package in all.iter().flat_map(|inventory| &inventory.packages) {
            let is_commit = package.version.len() == 40;
            assert_eq!((package.is_locked, package.checksum.is_some()), (is_commit, is_commit), "{}", package.label());
        }
    }
}

#[test]
fn hostile_files_end() {
    let deep = format!("jobs: {}", "[".repeat(30_000));
    let blocks = format!("jobs:\n{}", (0..30_000).map(|n| format!("{}a:\n", " ".repeat(n % 200))).collect::<String>());
    let bomb: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let bomb = format!("a0: &a0 [{{uses: a/b@v1}}]\n{bomb}jobs: {{x: {{steps: *a39}}}}\n");
    let chain = |n: usize| format!("a{n}: &a{n} {}*a{}{}\n", "[".repeat(100), n - 1, " ]".repeat(100));
    let chain = format!("a0: &a0 [x]\n{}jobs: {{x: {{steps: *a249}}}}", (1..250).map(chain).collect::<String>());
    let merged = format!("jobs: {{x: {}1{}}}", "{<<: ".repeat(100), "}".repeat(100));
    let long = format!("jobs: {{x: {{steps: [{}]}}}}", format!("{{uses: a/b@{COMMIT}}}, ").repeat(50_000));
    let line: String = (0..40_000).map(|n| format!("{{uses: a/b{n}@{COMMIT}}}, ")).collect();
    let line = format!("jobs: {{x: {{steps: [{line}]}}}} # v1");
    let huge = format!("jobs: {{x: {{uses: \"{}\"}}}}", "9".repeat(1_000_000));
    let sample = "jobs:\n  a:\n    container: x:${{ matrix.a }}\n    strategy: {matrix: {a: [1]}}\n    steps: [{uses: 'a/b@v1'}] # v1\n";
    let mut texts: Vec<&[u8]> = vec![
        deep.as_bytes(),
        blocks.as_bytes(),
        bomb.as_bytes(),
        chain.as_bytes(),
        merged.as_bytes(),
        long.as_bytes(),
        huge.as_bytes(),
        line.as_bytes(),
        b"\0",
        b"\xff",
        b"jobs: &a [*a]",
        b"jobs: 1",
        b"- uses: x",
        b"jobs: {a: {uses: {}}}",
        b"runs: {image: {}}",
        b"runs: {image: '../../../../etc/passwd'}",
        b"jobs: {a: {steps: [{uses: ./.././\\..\\..\\x}]}}",
    ];
    texts.extend((0..sample.len()).map(|end| &sample.as_bytes()[..end]));
    survives(&Actions, &[".github/workflows/a.yml", "x/action.yml"], &texts);
}

#[test]
fn many_entries_take_linear_time() {
    let each = |n: usize| format!("    - uses: a/b{n}@{COMMIT} # v1.0.{n}\n");
    let text: String = (0..40_000).map(each).collect();
    let inventory = read_one(&Actions, &workflow(&format!("jobs:\n  a:\n    steps:\n{text}")));
    assert_eq!(inventory.packages.len(), 40_000);
    assert!(inventory.packages.iter().all(|package| package.claim.is_some()));
}
