//! Tests of pre-commit's configuration.

use super::PreCommit;
use crate::ecosystem::testing::{find, labels, read_one, survives, tree};
use crate::ecosystem::{Format as _, Rules as _, View};
use crate::model::Ecosystem;
use crate::model::inventory::{Identity, Inventory, Scope, Scopes, SourceKind};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn read(text: &str) -> Inventory {
    read_one(&PreCommit, &tree(&format!("== .pre-commit-config.yaml\n{}", text.replace("COMMIT", COMMIT))))
}

fn messages(inventory: &Inventory) -> Vec<(&str, u32)> {
    inventory.disagreements.iter().map(|each| (&*each.message, each.span.line)).collect()
}

#[test]
fn repositories_of_hooks_are_packages() {
    let inventory = read(
        "\
repos:
  - repo: https://git.example/Acme/Hooks.git
    rev: v4.6.0
    hooks: [{id: x, additional_dependencies: [y==1]}]
  - repo: https://git.example/acme/pinned
    rev: COMMIT  # frozen: v1.2.3
  - repo: git@git.example:group/sub/deep
    rev: 'COMMIT'
  - repo: ../beside
    rev: main
  - repo: meta
    hooks: [{id: identity}]
  - repo: local
    hooks:
      - {id: a, language: docker_image, entry: 'registry.example/tool:1 --flag'}
      - {id: b, language: docker_image, entry: --entrypoint x}
      - {id: d, language: docker_image, entry: --net none behind/options:2}
      - {id: c, language: system, entry: make}
",
    );
    let expected = [
        "acme/hooks@v4.6.0",
        &format!("acme/pinned@{COMMIT}"),
        "behind/options@2",
        "beside@main",
        &format!("group/sub/deep@{COMMIT}"),
        "tool@1",
    ];
    assert_eq!(
        {
            let mut all = labels(&inventory);
            all.sort();
            all
        },
        expected
    );
    let pinned = find(&inventory, "acme/pinned");
    assert_eq!((pinned.is_locked, pinned.claim.as_deref(), pinned.span.line), (true, Some("v1.2.3"), 5));
    assert_eq!(pinned.checksum.as_deref(), Some(&*format!("gitCommit:{COMMIT}")));
    assert_eq!((pinned.source.kind, &*pinned.source.address), (SourceKind::Git, "https://git.example/acme/pinned"));
    assert_eq!((pinned.source.commit.as_deref(), pinned.identity), (Some(COMMIT), Identity::Foreign));
    let moving = find(&inventory, "acme/hooks");
    assert_eq!((moving.is_locked, moving.source.commit.as_deref(), &moving.checksum), (false, None, &None));
    assert!(find(&inventory, "group/sub/deep").is_locked);
    assert_eq!(find(&inventory, "tool").ecosystem, Ecosystem::Docker);
    assert!(inventory.packages.iter().all(|p| p.scopes == Scopes::of(Scope::Development) && p.direct));
    let besides = ("installs besides, in a language not told: y==1", 4);
    assert_eq!(messages(&inventory), [("runs a container, and its image is not told", 16), besides]);
    // The oldest form is a list alone.
    assert_eq!(labels(&read("- repo: https://git.example/a/b\n  sha: v1\n")), ["a/b@v1"]);
}

#[test]
fn what_cannot_be_taken_is_said() {
    let inventory = read(
        "\
repos:
- repo: https://git.example/a/b
- hooks: []
- repo: https://git.example
  rev: v1
- repo:
  rev: v1
",
    );
    let mut found = messages(&inventory);
    found.sort_by_key(|(_, line)| *line);
    let expected = [
        ("names no `rev` to take hooks at", 2),
        ("has an entry without a `repo`", 3),
        ("takes hooks from `https://git.example`, which is no repository", 4),
        ("takes hooks from ``, which is no repository", 6),
    ];
    assert_eq!(found, expected);
    let files = tree("== .pre-commit-config.yaml\nrepos: []\nrepos: []\n");
    let projects = PreCommit.projects(&files).unwrap();
    let error = PreCommit.read(&projects[0], View::new(&files, &[])).unwrap_err().1.to_string();
    assert_eq!(error, "line 2: the key `repos` stands twice");
}

#[test]
fn what_hooks_install_besides_is_read() {
    let inventory = read(&format!(
        "repos:\n- repo: https://git.example/a/b\n  rev: {COMMIT}\n  hooks:\n  - id: black\n    additional_dependencies: [evil==1.0, x]\n  \
         - id: said\n    language: node\n    additional_dependencies: ['@s/n@1.2.3', prettier@^3]\n- repo: local\n  hooks:\n  \
         - {{id: p, language: python, additional_dependencies: ['Evil_One[x]==1.0', 'two>=2', '.', three, 'git+https://git.example/o/four@{COMMIT}', '/x y']}}\n  \
         - {{id: g, language: golang, additional_dependencies: [git.example/m/x@v1.2.3]}}\n  \
         - {{id: r, language: rust, additional_dependencies: ['cli:five:1.0.0']}}\n  - {{id: s, language: ruby, additional_dependencies: ['six:1.0.0']}}\n  \
         - {{id: sys, language: system, additional_dependencies: []}}\n"
    ));
    let mut shown: Vec<_> =
        inventory.packages.iter().map(|p| format!("{} {} {}", p.ecosystem.as_str(), p.label(), p.is_locked)).collect();
    shown.retain(|label| !label.contains("a/b@"));
    let names: Vec<_> = shown.iter().map(|label| label.split_once(' ').unwrap().1).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let four = format!("four@{COMMIT} true");
    assert_eq!(
        sorted,
        [
            "@s/n@1.2.3 true",
            "evil-one@1.0 true",
            "five@1.0.0 true",
            &four,
            "git.example/m/x@v1.2.3 true",
            "prettier@^3 false",
            "six@1.0.0 true",
            "three@* false",
            "two@>=2 false",
        ]
    );
    assert_eq!(find(&inventory, "evil-one").ecosystem, Ecosystem::PyPi);
    assert_eq!(find(&inventory, "four").identity, Identity::Foreign);
    assert!(inventory.packages.iter().all(|p| p.scopes == Scopes::of(Scope::Development)));
    let said: Vec<_> = inventory.disagreements.iter().map(|d| format!("{}: {}", d.name, d.message)).collect();
    assert_eq!(
        said,
        ["black: installs besides, in a language not told: evil==1.0, x", "p: installs besides what is not read: /x y"]
    );
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("a/b", true),
        ("a/b/c.d", true),
        ("a", true),
        ("", false),
        ("a/../b", false),
        ("a b/c", false),
        ("a/\u{1b}", false),
        ("é/b", false),
    ] {
        assert_eq!(PreCommit.is_name(name), expected, "{name:?}");
    }
    assert_eq!(PreCommit.compare("v1.10.0", "1.9.0"), Some(std::cmp::Ordering::Greater));
    assert_eq!(PreCommit.compare("v1", "v1"), None);
}

#[test]
fn hostile_files_end() {
    let entry = |n: usize| format!("- repo: https://git.example/a/b{n}\n  rev: {COMMIT} # v1.0.0\n");
    let many: String = (0..40_000).map(entry).collect();
    assert_eq!(read(&format!("repos:\n{many}")).packages.len(), 40_000);
    let deep = format!("repos: {}", "[".repeat(30_000));
    let (climb, digits) = ("../".repeat(10_000), "9".repeat(10_000));
    let long = format!("repos: [{{repo: \"https://git.example/{climb}\", rev: \"{digits}\"}}]");
    let sample =
        "repos:\n- repo: https://git.example/a/b\n  rev: v1 # x\n- repo: local\n  hooks: [{language: docker_image}]\n";
    let mut texts: Vec<&[u8]> =
        vec![deep.as_bytes(), long.as_bytes(), b"\0", b"\xff", b"repos: 1", b"- 1", b"repos: [{repo: []}]"];
    texts.extend((0..sample.len()).map(|end| &sample.as_bytes()[..end]));
    survives(&PreCommit, &[".pre-commit-config.yaml"], &texts);
}
