use std::cmp::Ordering;

use super::*;
use crate::ecosystem::testing;

#[test]
fn versions_compare_as_npm_has_it() {
    let digits = "9".repeat(10_000);
    let more = format!("1{}", "0".repeat(10_000));
    for (a, b, expected) in [
        ("1.0.0", "1.0.0+2", Some(Ordering::Equal)),
        ("v1.2.3", "=1.2.3", Some(Ordering::Equal)),
        ("6.0", "6.0.0", Some(Ordering::Equal)),
        ("0.70", "0.70.1", Some(Ordering::Less)),
        ("1.0.0-a-b.9", "1.0.0-a-b.10", Some(Ordering::Less)),
        ("1.0.0-01", "1.0.0-1", Some(Ordering::Equal)),
        ("01.2.3", "1.2.3", Some(Ordering::Equal)),
        (&digits, &more, Some(Ordering::Less)),
        ("1.2.3.4", "1.2.3", None),
        ("1.2.3-", "1.2.3", None),
        ("1.2.3+", "1.2.3", None),
        ("1.2.3-a..b", "1.2.3", None),
        ("1.2.3-é", "1.2.3", None),
        ("1..3", "1.0.3", None),
        ("", "", None),
        ("latest", "1.0.0", None),
        ("1.x", "1.0.0", None),
    ] {
        assert_eq!(Npm.compare(a, b), expected, "{a:.40} {b:.40}");
    }
}
#[test]
fn vectors() {
    let Some(path) = testing::corpus("vectors/versions/semver-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("//") && !line.starts_with("1.1.3.4.5"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    assert_eq!(testing::orders(&Npm, &text), 85);
}
#[test]
fn ranges() {
    let signs = ["", "=", "v", ">", ">=", "<", "<=", "~", "~>", "^", ">= ", "^ ", "~ ", "< "];
    let partials = [
        "*",
        "x",
        "X",
        "0",
        "1",
        "0.0",
        "0.1",
        "1.2",
        "1.x",
        "1.2.x",
        "1.2.*",
        "0.0.0",
        "0.0.1",
        "0.1.2",
        "1.2.3",
        "1.2.3-a",
        "1.2.3-a.1",
        "1.2.3-0",
        "0.0.1-b",
        "0.1.0-rc.2",
        "1.2.3+b",
        "1.2.3-a+b",
        "2.0.0",
        "01.2.3",
        "1.2.3-01",
        "x.1",
        "1.x.3",
        "1.2.3.4",
        "1.2.3-",
        "latest",
    ];
    let some = [
        "",
        "*",
        "1",
        "0.1",
        "1.2.x",
        "1.2.3",
        "1.2.3-a",
        ">1",
        "<=1.2",
        ">=1.2.3-a",
        "<2.0.0",
        "~0.1.2",
        "^0.0.1",
        "^1.2.3-a.1",
    ];
    let versions = [
        "0.0.0",
        "0.0.1",
        "0.0.1-b",
        "0.0.1-c",
        "0.0.2",
        "0.0.2-0",
        "0.1.0",
        "0.1.0-rc.2",
        "0.1.0-rc.10",
        "0.1.2",
        "0.2.0-0",
        "0.2.0",
        "1.0.0",
        "1.0.0-a",
        "1.2.0",
        "1.2.3-0",
        "1.2.3-a",
        "1.2.3-a.1",
        "1.2.3-b",
        "1.2.3",
        "1.2.4-a",
        "1.2.4",
        "1.3.0",
        "2.0.0-0",
        "2.0.0-a",
        "2.0.0",
        "3.1.4",
        "10.0.0",
    ];
    let mut ranges: Vec<String> = Vec::new();
    for sign in signs {
        ranges.extend(partials.iter().map(|partial| format!("{sign}{partial}")));
    }
    for a in some {
        for joint in [" ", " || ", "||", " - "] {
            ranges.extend(some.iter().map(|b| format!("{a}{joint}{b}")));
        }
    }
    let row = |range: &String| {
        let parsed = range::Range::parse(range);
        let said = |version: &&str| match &parsed {
            None => '-',
            Some(parsed) if parsed.holds(version).unwrap() => '1',
            Some(_) => '0',
        };
        format!("{range}\t{}", versions.iter().map(said).collect::<String>())
    };
    let rows: Vec<String> = ranges.iter().map(row).collect();
    assert_eq!(
        (rows.len(), &*testing::digest(&rows)),
        (1204, "7fe19723bd238771324dc9d8c37767ee9c1daaf5088d917518400cd0e5930eee")
    );
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("a", true),
        ("JSONStream", true),
        ("left-pad.js_2", true),
        ("@s/a", true),
        ("@s/_a", true),
        ("", false),
        (".a", false),
        ("-a", false),
        ("_a", false),
        ("node_modules", false),
        ("Node_Modules", false),
        ("@s", false),
        ("@/a", false),
        ("@s/", false),
        ("@s/.a", false),
        ("@s/../a", false),
        ("@s/a/b", false),
        ("a/b", false),
        ("../a", false),
        ("a b", false),
        ("a%2fb", false),
        ("a\u{1b}[31m", false),
        ("é", false),
        ("a\0", false),
    ] {
        assert_eq!(Npm.is_name(name), expected, "{name}");
    }
    assert!(Npm.is_name(&"a".repeat(214)) && !Npm.is_name(&"a".repeat(215)));
    assert_eq!(Npm.normalise("JSONStream"), "JSONStream");
}

// What kinds `npm-package-arg` 13.0.2 tells, but for `git@host:…` and `https://….git` on any host, which Yarn takes for
// git and npm for a folder or an archive, and for the last lines, which are other tools'.
#[test]
fn specifiers_are_told_apart() {
    let kind = |text: &str| match source::Spec::of(text) {
        source::Spec::Range(range) => format!("range {range}"),
        source::Spec::Alias(name, range) => format!("alias {name} {range}"),
        source::Spec::Git(address, commit) => format!("git {address} {}", commit.unwrap_or("-")),
        source::Spec::Archive(_) => "remote".to_owned(),
        source::Spec::Path(path) => format!("path {path}"),
        source::Spec::Workspace(rest) => format!("workspace {rest}"),
        source::Spec::Catalog(name) => format!("catalog {name}"),
        source::Spec::Patch(inner, patch) => format!("patch {inner} {patch}"),
        source::Spec::Other(_) => "other".to_owned(),
    };
    const COMMIT: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    for (text, expected) in [
        ("", "range *"),
        (" ^1.0.0 ", "range ^1.0.0"),
        ("latest", "range latest"),
        ("1 || 2", "range 1 || 2"),
        ("~x", "range ~x"),
        ("=1.0.0", "range =1.0.0"),
        ("npm:real@^1", "alias real ^1"),
        ("npm:@s/real@1.0.0", "alias @s/real 1.0.0"),
        ("npm:@s/real", "alias @s/real *"),
        ("npm:real", "alias real *"),
        ("file:../x", "path ../x"),
        ("./x.tgz", "path ./x.tgz"),
        ("/abs", "path /abs"),
        ("~/x", "path ~/x"),
        ("a/b/c", "path a/b/c"),
        ("x.tgz", "path x.tgz"),
        ("@s/name", "path @s/name"),
        (".hidden/x", "path .hidden/x"),
        ("o/r", "git o/r -"),
        ("o/r.tgz", "git o/r.tgz -"),
        ("o/r#main", "git o/r#main -"),
        (&format!("o/r#{COMMIT}"), &format!("git o/r {COMMIT}")),
        (
            &format!("git+ssh://git@e.example/o/r.git#commit={COMMIT}"),
            &format!("git git+ssh://git@e.example/o/r.git {COMMIT}"),
        ),
        ("gitlab:o/r#semver:^1", "git gitlab:o/r#semver:^1 -"),
        ("gist:11081aaa281", "git gist:11081aaa281 -"),
        ("git@github.com:o/r.git", "git git@github.com:o/r.git -"),
        ("git+file:///x/y", "git git+file:///x/y -"),
        ("git://e.example/o/r.git", "git git://e.example/o/r.git -"),
        ("ssh://git@github.com/o/r", "git ssh://git@github.com/o/r -"),
        ("https://github.com/o/r", "git https://github.com/o/r -"),
        ("https://github.com/o/r/archive/main.tar.gz", "remote"),
        ("http://e.example/x.tgz?y=1#z", "remote"),
        ("HTTPS://e.example/x", "remote"),
        ("workspace:^", "workspace ^"),
        ("link:../x", "path ../x"),
        ("portal:../x", "path ../x"),
        ("catalog:", "catalog "),
        ("catalog:react", "catalog react"),
        ("npm:^1.0.0", "range ^1.0.0"),
        ("npm:x", "alias x *"),
        ("jsr:@std/fs@^1", "alias @jsr/std__fs ^1"),
        ("patch:a@npm%3A1.0.0#~/.yarn/patches/a.patch", "patch a@npm%3A1.0.0 ~/.yarn/patches/a.patch"),
        ("exec:./x.js", "other"),
        ("what:ever", "other"),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
    assert_eq!(source::Spec::of("^1.2.0").admits("1.3.0"), Some(true));
    assert_eq!(source::Spec::of("^1.2.0").admits("2.0.0"), Some(false));
    assert_eq!(source::Spec::of("*").admits("2.0.0-rc.1"), Some(true));
    assert_eq!(source::Spec::of("latest").admits("2.0.0"), None);
    assert_eq!(range::exact(" =v1.2.3-rc.1 "), Some("1.2.3-rc.1"));
    assert_eq!([">1.2.3", "1.2", "1.2.x", "^1.2.3", "*", "=="].map(range::exact), [None; 6]);
}

#[test]
fn addresses_name_their_registry_and_contradict_only_in_its_own_shape() {
    let read = |address: &str, name: &str, version: &str| {
        let found = source::resolved(address, name, version);
        let contradiction = found.contradiction.map_or_else(String::new, |said| format!(" {said}"));
        format!("{:?} {:?} {}{contradiction}", found.source.kind, found.identity, found.source)
    };
    const R: &str = "https://registry.example";
    let usual = "Registry Public https://registry.example";
    for (path, name, version, expected) in [
        ("a/-/a-1.0.0.tgz", "a", "1.0.0", ""),
        ("a/-/a-1.0.0.tgz?cache=0#abc", "a", "1.0.0", ""),
        ("@s/a/-/a-1.0.0.tgz", "@s/a", "1.0.0", ""),
        ("@s%2fa/-/a-1.0.0.tgz", "@s/a", "1.0.0", ""),
        ("%40s/a/-/a-1.0.0.tgz", "@s/a", "1.0.0", ""),
        ("@s/a/-/@s/a-1.0.0.tgz", "@s/a", "1.0.0", ""),
        ("@s/a/-/s-a-1.0.0.tgz", "@s/a", "1.0.0", ""),
        ("a-2/-/a-2-1.0.0-rc.1.tgz", "a-2", "1.0.0-rc.1", ""),
        ("a/-/a-1.0.0.tgz", "a", "1.0.0+build", ""),
        ("a/-/a-1.0.0%2Bbuild.tgz", "a", "1.0.0+build", ""),
        ("a/-/0f3c9d.tgz", "a", "1.0.0", ""),
        ("a/download/a-1.0.0.tgz", "a", "1.0.0", ""),
        ("download/@s/a/1.0.0/0f3c", "@s/a", "1.0.0", ""),
        ("b/-/b-1.0.0.tgz", "a", "1.0.0", " b 1.0.0"),
        ("a/-/a-1.0.1.tgz", "a", "1.0.0", " a 1.0.1"),
        ("a/-/b-1.0.0.tgz", "a", "1.0.0", " b 1.0.0"),
        ("b/-/a-1.0.0.tgz", "a", "1.0.0", " a 1.0.0"),
        ("@t/a/-/a-1.0.0.tgz", "@s/a", "1.0.0", " @t/a 1.0.0"),
        ("a/-/a-1.0.0.tgz", "@s/a", "1.0.0", " a 1.0.0"),
        ("a/-/a-2-1.0.0.tgz", "a", "1.0.0", " a-2 1.0.0"),
        ("b/-/0f3c9d.tgz", "a", "1.0.0", " b"),
        ("a/-/a-1.0.0.tgz", "a", "1.0.0-rc.1", " a 1.0.0"),
    ] {
        assert_eq!(read(&format!("{R}/{path}"), name, version), format!("{usual}{expected}"), "{path}");
    }
    // Clients and servers follow the path to another package than its text names.
    for path in [
        "a/-/../../@types/a/%2d/a-1.0.0.tgz",
        "a/-/..\\..\\@types\\a\\-/a-1.0.0.tgz",
        "./a/-/a-1.0.0.tgz",
        "b/%2E%2e/a/-/a-1.0.0.tgz",
        "a/-/..%2f..%2Fb/%2fa-1.0.0.tgz",
        "%61/-/a-1.0.0.tgz",
        "a/-/a-1.0.0%2tgz",
        "a/-/.\t./../b/-/../../a/-/a-1.0.0.tgz",
        "a/download/../../b/a-1.0.0.tgz",
        "download/a/1.0.0/../../b/1.0.0/0f3c",
    ] {
        let found = source::resolved(&format!("{R}/{path}"), "a", "1.0.0");
        assert_eq!(found.contradiction.as_deref(), Some(path), "{path}");
    }
    for (address, expected) in [
        ("https://registry.example/npm/team/a/-/a-1.0.0.tgz", "Registry Public https://registry.example/npm/team"),
        ("https://e.example/files/a.tgz", "Registry Foreign https://e.example/files/a.tgz"),
        ("https:///-/a-1.0.0.tgz", "Registry Foreign https:///-/a-1.0.0.tgz"),
        ("file:../a.tgz", "Path Foreign ../a.tgz"),
        ("ftp://e.example/a", "Registry Foreign ftp://e.example/a"),
        ("../a", "Path Foreign ../a"),
        ("git+https://e.example/o/a.git#main", "Git Foreign git+https://e.example/o/a.git#main"),
        (
            "https://codeload.github.com/o/a/tar.gz/da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "Git Foreign https://codeload.github.com/o/a#da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ),
    ] {
        assert_eq!(read(address, "a", "1.0.0"), expected);
    }
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let found = source::resolved(&format!("{R}/a/-/a-1.0.0.tgz#{sha1}"), "a", "1.0.0");
    assert_eq!(found.checksum.as_deref(), Some(&*format!("sha1:{sha1}")));
}

#[test]
fn manifests_say_what_they_ask_for() {
    let text = br#"{
  "name": "x", "version": "1.0.0", "packageManager": "pnpm@9.0.0",
  "dependencies": { "a": "1", "o": "1" },
  "optionalDependencies": { "o": "2" },
  "peerDependencies": { "p": "3", "q": "4" }, "peerDependenciesMeta": { "q": { "optional": true } },
  "devDependencies": [],
  "bundledDependencies": ["a"],
  "overrides": { "a": "$o", "b@^1": { ".": "2", "@s/c": "3" } },
  "resolutions": { "**/d": "4", "@s/e/**/@s/f": "5", "g@npm:^1": "6", "h/i@patch:x/y": "7" },
  "pnpm": { "overrides": { "j@1>@s/k@2": "8" }, "patchedDependencies": { "l@1.0.0": "patches/l.patch" } }
}"#;
    let manifest = manifest::parse(text).unwrap();
    let asked: Vec<String> = manifest
        .dependencies
        .iter()
        .map(|d| format!("{} {} {} {} {}", d.name, d.spec, d.section.key(), d.is_optional, d.line))
        .collect();
    assert_eq!(
        asked,
        [
            "a 1 dependencies false 3",
            "o 2 optionalDependencies true 4",
            "p 3 peerDependencies false 5",
            "q 4 peerDependencies true 5",
        ]
    );
    let overrides: Vec<String> =
        manifest.overrides.iter().map(|each| format!("{} {} {}", each.selector, each.name, each.spec)).collect();
    assert_eq!(
        overrides,
        [
            "a a 2",
            "b@^1 b 2",
            "b@^1 > @s/c @s/c 3",
            "**/d d 4",
            "@s/e/**/@s/f @s/f 5",
            "g@npm:^1 g 6",
            "h/i@patch:x/y i 7",
            "j@1>@s/k@2 @s/k 8",
        ]
    );
    assert_eq!(manifest.bundled, manifest::Bundled::Names(vec!["a".into()]));
    assert_eq!(manifest.patches, [("l@1.0.0".into(), "patches/l.patch".into(), 10)]);
    let error = |text: &str| manifest::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(error("{\n\"dependencies\": \"a\"}"), "line 2: `dependencies` is no object");
    assert_eq!(error("{\"devDependencies\": {\n\"a\": 1}}"), "line 2: `a` is no text");
    assert_eq!(error("{\"workspaces\": 1}"), "line 1: `workspaces` is neither a list nor an object");
    assert_eq!(error("[]"), "line 1: not an object");
}

#[test]
fn globs_find_members() {
    let files = testing::tree(
        "== package.json\n== a/package.json\n== a/b/package.json\n== c/x/package.json\n== c/y/package.json\n\
         == c/node_modules/z/package.json\n== d/package.json\n",
    );
    let all = workspace::manifests(&files);
    let found = |globs: &[&str]| -> Vec<String> {
        let members = workspace::members(globs, &crate::model::RepoPath::root(), &all).unwrap();
        members.iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(&["a", "./c/*/", "!c/y"]), ["a", "c/x"]);
    assert_eq!(found(&["a/**", "{d,c/x}", "../e", "."]), ["a", "a/b", "c/x", "d"]);
    assert_eq!(found(&["*"]), ["a", "d"]);
    assert_eq!(found(&["!a", "a"]), ["a"]);
    assert_eq!(found(&[]), [""; 0]);
}

#[test]
fn configuration_says_where_packages_and_code_come_from() {
    use crate::ecosystem::Settings as _;
    let read = |path: &str, text: &str| -> Vec<String> {
        let found = Npm.redirects(&crate::model::RepoPath::new(path), text.as_bytes()).unwrap();
        let each = |r: crate::ecosystem::Redirect| format!("{} {} -> {} {}", r.line, r.from, r.to, r.is_first);
        found.into_iter().map(each).collect()
    };
    let npmrc = "; registry=https://no.example\r\nregistry = https://u:p@registry.example/npm/ ; mine\r\n\
                 @s:registry=\"https://s.example\"\n//s.example/:_authToken=secret\n//s.example/:registry=x\n\
                 script-shell=./evil.sh\nnode-options = --require ./evil.js\nignore-scripts=false\nsave-exact=true\n\
                 sharp_binary_host=${HOST}\n[section]\nregistry=https://no.example\n";
    assert_eq!(
        read("a/.npmrc", npmrc),
        [
            "2 packages of the default registry -> https://u@registry.example/npm/ true",
            "3 packages of @s -> https://s.example false",
            "6 every install script -> ./evil.sh true",
            "7 options of every Node process -> --require ./evil.js true",
            "10 programs of sharp_binary_host -> ${HOST} true",
        ]
    );
    let yarnrc = "# x\nregistry \"https://registry.example\"\n\"@s:registry\" \"https://s.example\"\n@t:registry https://t.example\n\
                  yarn-path \".yarn/releases/yarn.cjs\"\nlastUpdateCheck 1\n";
    assert_eq!(
        read(".yarnrc", yarnrc),
        [
            "2 packages of the default registry -> https://registry.example true",
            "3 packages of @s -> https://s.example false",
            "4 packages of @t -> https://t.example false",
            "5 Yarn itself -> .yarn/releases/yarn.cjs true",
        ]
    );
    let berry = "npmRegistryServer: \"https://registry.example\"\nnpmAuthToken: secret\nnpmScopes:\n  s:\n    npmRegistryServer: https://s.example\n\
                 \x20   npmAuthToken: secret\nyarnPath: .yarn/releases/yarn-4.cjs\nplugins:\n  - path: .yarn/plugins/p.cjs\n    spec: https://e.example/p.js\n\
                 packageExtensions:\n  a@*:\n    dependencies:\n      b: \"1\"\n      c: https://e.example/c.tgz\nunsafeHttpWhitelist: [\"*.example\"]\n\
                 nodeLinker: node-modules\n";
    assert_eq!(
        read(".yarnrc.yml", berry),
        [
            "1 packages of the default registry -> https://registry.example true",
            "5 packages of @s -> https://s.example false",
            "7 Yarn itself -> .yarn/releases/yarn-4.cjs true",
            "9 code of plugins -> .yarn/plugins/p.cjs true",
            "15 c for a@* -> https://e.example/c.tgz true",
            "16 packages without transport security -> *.example true",
        ]
    );
    let bunfig = "preload = [\"./a.ts\"]\n[install]\nregistry = { url = \"https://registry.example\", token = \"secret\" }\n\
                  [install.scopes]\ns = \"https://s.example\"\n[test]\npreload = \"./b.ts\"\n";
    assert_eq!(
        read("bunfig.toml", bunfig),
        [
            "1 code that runs before every program -> ./a.ts true",
            "3 packages of the default registry -> https://registry.example true",
            "5 packages of @s -> https://s.example false",
            "7 code that runs before every test -> ./b.ts true",
        ]
    );
    assert_eq!(read(".pnpmfile.cjs", "module.exports = {}"), [""; 0]);
    for (path, text) in [(".npmrc", npmrc), (".yarnrc.yml", berry), ("bunfig.toml", bunfig), (".yarnrc", yarnrc)] {
        let found = Npm.registries(&crate::model::RepoPath::new(path), text.as_bytes());
        assert!(matches!(&*found, [one] if one.ends_with("registry.example") || one.ends_with("/npm/")), "{found:?}");
    }
    for (path, bytes) in [
        (".npmrc", &b"a=\xff"[..]),
        (".npmrc", b"a=\0"),
        (".npmrc", b"<<<<<<< HEAD\n"),
        (".yarnrc.yml", b"a: 1\na: 2\n"),
        (".yarnrc.yml", b"a: [\n"),
        ("bunfig.toml", b"[install]\nregistry = 1\n"),
    ] {
        assert!(Npm.redirects(&crate::model::RepoPath::new(path), bytes).is_err(), "{path} {bytes:?}");
    }
    for path in [
        "x/.NPMRC",
        ".yarn/releases/yarn.cjs",
        "a/.yarn/plugins/@s/p.cjs",
        ".pnpmfile.cjs",
        ".nvmrc",
        ".pnp.cjs",
        "a/.PNP.js",
        ".pnp.loader.mjs",
        "a/patches/ms+2.1.3.patch",
        ".yarn/sdks/typescript/bin/tsc",
        "a/.yarn/unplugged/x-npm-1.0.0-0123456789/node_modules/x/index.js",
    ] {
        let found = crate::ecosystem::settings_of(&crate::model::RepoPath::new(path));
        assert_eq!(found.map(|settings| settings.ecosystem()), Some(crate::model::Ecosystem::Npm), "{path}");
    }
}
