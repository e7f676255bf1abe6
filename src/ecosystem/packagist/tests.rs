use super::*;
use crate::ecosystem::testing::{
    self, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::model::inventory::{Identity, Scope, SourceKind};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A package of the registry, with `more` members after it.
fn entry(name: &str, version: &str, more: &str) -> String {
    let source =
        format!(r#""source": {{"type": "git", "url": "https://git.example/{name}.git", "reference": "{COMMIT}"}}"#);
    let url = format!("https://api.git.example/repos/{name}/zipball/{COMMIT}");
    let dist = format!(r#""dist": {{"type": "zip", "url": "{url}", "reference": "{COMMIT}", "shasum": ""}}"#);
    let notify = r#""notification-url": "https://registry.example/downloads/""#;
    format!("{{\n\"name\": \"{name}\",\n\"version\": \"{version}\",\n{source},\n{dist},\n{notify}{more}\n}}")
}

fn lock(packages: &[String], dev: &[String]) -> String {
    format!("{{\n\"packages\": [\n{}\n],\n\"packages-dev\": [\n{}\n]\n}}", packages.join(",\n"), dev.join(",\n"))
}

fn project(manifest: &str, lock: &str) -> testing::Tree {
    tree(&format!("== composer.json\n{manifest}\n== composer.lock\n{lock}"))
}

fn needs(text: &str) -> String {
    format!(",\n\"require\": {{{text}}}")
}

const MANIFEST: &str = "{\"name\": \"me/app\",\n\"require\": {\"php\": \">=8\", \"ext-json\": \"*\",\n\"A/app\": \"^1.2\"},\n\
                        \"require-dev\": {\n\"t/tester\": \"~4.0\"}}";

fn usual() -> String {
    lock(
        &[
            entry("a/app", "v1.4.0", &needs(r#""php": "*", "p/log-implementation": "1""#)),
            entry("a/below", "2.0.0", ",\n\"provide\": {\"p/log-implementation\": \"1.0\"}"),
        ],
        &[
            entry("t/tester", "4.1.0", &needs(r#""t/only": "*", "a/below": "*""#)),
            entry("t/only", "1.0.0", ",\n\"type\": \"composer-plugin\""),
            entry("t/orphan", "dev-main", ""),
        ],
    )
}

#[test]
fn a_lockfile_and_its_manifest_make_an_inventory() {
    let inventory = read_one(&Packagist, &project(MANIFEST, &usual()));
    assert_eq!(inventory.disagreements, []);
    let expected = ["a/app@v1.4.0", "a/below@2.0.0", "t/only@1.0.0", "t/orphan@dev-main", "t/tester@4.1.0"];
    assert_eq!(labels(&inventory), expected);
    let scopes = |name| find(&inventory, name).scopes.strongest();
    assert_eq!(["t/tester", "t/only", "t/orphan"].map(scopes), [Scope::Development; 3]);
    assert_eq!(["a/app", "a/below"].map(scopes), [Scope::Runtime; 2]);
    let app = find(&inventory, "a/app");
    assert_eq!((app.span.line, app.span.end_line, app.declared.unwrap().line, app.direct), (4, 9, 3, true));
    assert_eq!(inventory.path_of(app.declared.unwrap()).unwrap().as_str(), "composer.json");
    assert_eq!((app.source.kind, &*app.source.address), (SourceKind::Registry, "https://registry.example/downloads/"));
    assert_eq!(app.source.commit.as_deref(), Some("https://git.example/a/app"));
    assert_eq!(app.checksum.as_deref(), Some(&*format!("gitCommit:{COMMIT}")));
    assert_eq!((app.identity, &app.contradiction, app.runs_on_install), (Identity::Public, &None, false));
    assert!(find(&inventory, "t/only").runs_on_install);
    assert!(!find(&inventory, "t/only").direct && find(&inventory, "t/tester").direct);
    let at = inventory.packages.iter().position(|p| &*p.name == "a/app").unwrap();
    assert_eq!(inventory.needs(at).len(), 1, "by the name that another provides");
}

#[test]
fn a_section_that_lies_weakens_no_scope() {
    let manifest = "{\"require\": {\"a/app\": \"^1\"}, \"require-dev\": {\"t/t\": \"1.0\"}}";
    let app = entry("a/app", "1.4.0", &needs(r#""a/below": "1""#));
    let lock = lock(&[entry("t/t", "1.0", "")], &[app, entry("a/below", "2.0.0", "")]);
    let inventory = read_one(&Packagist, &project(manifest, &lock));
    for name in ["a/app", "a/below", "t/t"] {
        assert_eq!(find(&inventory, name).scopes.strongest(), Scope::Runtime, "{name}");
    }
    assert_eq!(inventory.disagreements.len(), 1);
}

#[test]
fn manifest_and_lockfile_may_disagree() {
    let said = |manifest: &str, lock: &str| {
        let inventory = read_one(&Packagist, &project(manifest, lock));
        inventory.disagreements.iter().map(|d| format!("{} {} {}", d.name, d.span.line, d.message)).collect::<Vec<_>>()
    };
    let with = |text: &str| said(&MANIFEST.replace("\"A/app\": \"^1.2\"", text), &usual());
    assert_eq!(with("\"a/app\": \"^1.5\""), ["a/app 3 asks for ^1.5, and the lockfile holds v1.4.0"]);
    assert_eq!(with("\"a/app\": \"^2 || ~1.4.1\""), ["a/app 3 asks for ^2 || ~1.4.1, and the lockfile holds v1.4.0"]);
    assert_eq!(with("\"a/app\": \"^2 || ~1.3\", \"p/log-implementation\": \"*\""), Vec::<String>::new());
    assert_eq!(with("\"x/absent\": \"*\""), ["x/absent 3 asks for *, and the lockfile holds no such package"]);
    assert_eq!(
        with("\"t/only\": \"*\""),
        ["t/only 3 is asked for at run time, and the lockfile holds it for development alone"]
    );
    let two = usual().replacen(COMMIT, OTHER, 1);
    assert_eq!(said(MANIFEST, &two), [format!("a/app 4 its archive is of {COMMIT}, and its source of {OTHER}")]);
}

#[test]
fn a_source_is_where_the_bytes_come_from_as_well() {
    let of = |text: String| {
        find(&read_one(&Packagist, &tree(&format!("== composer.lock\n{}", lock(&[text], &[])))), "v/n").clone()
    };
    let usual = entry("v/n", "1.2.3", "");
    let plain = of(usual.clone());
    assert!(plain.direct && plain.scopes.strongest() == Scope::Runtime);
    // The same version and reference, from somebody else's repository.
    let forked =
        of(usual.replace("git.example/v/n.git", "git.example/evil/n.git").replace("repos/v/n", "repos/evil/n"));
    assert_eq!((&forked.checksum, &forked.contradiction), (&plain.checksum, &None));
    assert_ne!(forked.source, plain.source);
    let elsewhere =
        of(usual.replace(&format!("https://api.git.example/repos/v/n/zipball/{COMMIT}"), "https://evil.example/n.zip"));
    assert_eq!(elsewhere.source.commit.as_deref(), Some("https://git.example/v/n https://evil.example/n.zip"));
    let host = of(usual.replace("api.git.example", "evil.example"));
    assert_eq!(host.source.commit.as_deref(), Some("https://git.example/v/n https://evil.example/repos"));
    let mirrored =
        of(usual.replace("\"shasum\"", "\"mirrors\": [{\"url\": \"https://evil.example/%package%\"}], \"shasum\""));
    assert_eq!(mirrored.source.commit.as_deref(), Some("https://git.example/v/n https://evil.example/%package%"));
    // A mirror's address that holds the version has one source for every version.
    let mirror = |version: &str| {
        let url = format!("https://mirror.example/org/dists/v/n/{version}/r{COMMIT}.zip");
        of(entry("v/n", version, "").replace(&format!("https://api.git.example/repos/v/n/zipball/{COMMIT}"), &url))
    };
    assert_eq!(mirror("1.2.3").source, mirror("1.2.4").source);
    assert_eq!(mirror("1.2.3").contradiction, None);

    let path =
        of(r#"{"name": "v/n", "version": "1", "dist": {"type": "path", "url": "../n", "reference": "x"}}"#.into());
    assert_eq!((path.source.kind, &*path.source.address, path.identity), (SourceKind::Path, "../n", Identity::Foreign));
    assert_eq!(path.checksum, None);
    let git = of(format!(
        r#"{{"name": "v/n", "version": "dev-x", "source": {{"type": "git", "url": "https://git.example/n", "reference": "{COMMIT}"}}}}"#
    ));
    assert_eq!(
        (git.source.kind, git.source.commit.as_deref(), git.identity),
        (SourceKind::Git, Some(COMMIT), Identity::Foreign)
    );
    let zip = of(format!(
        r#"{{"name": "v/n", "version": "1", "dist": {{"type": "zip", "url": "https://files.example/n.zip", "shasum": "{OTHER}"}}}}"#
    ));
    assert_eq!((zip.source.kind, &*zip.source.address), (SourceKind::Registry, "https://files.example/n.zip"));
    assert_eq!((zip.checksum.as_deref(), zip.identity), (Some(&*format!("sha1:{OTHER}")), Identity::Foreign));
    let meta = of(r#"{"name": "V/N", "version": "1", "type": "metapackage"}"#.into());
    assert_eq!((meta.source.kind, meta.checksum), (SourceKind::Public, None));
}

#[test]
fn no_address_without_transport_security_is_hidden() {
    let of = |text: String| {
        let inventory = read_one(&Packagist, &tree(&format!("== composer.lock\n{}", lock(&[text], &[]))));
        find(&inventory, "v/n").source.clone()
    };
    let usual = entry("v/n", "1.2.3", "");
    let from = |text: String| of(text).commit.unwrap().to_string();
    assert_eq!(
        from(usual.replace("https://api.git", "http://api.git")),
        "http://api.git.example/repos https://git.example/v/n"
    );
    assert_eq!(from(usual.replace("https://git", "http://git")), "http://git.example/v/n");
    let host = usual.replace("https://api.git.example/repos/v/n", "http://mirror-1.2.3.example/x");
    assert_eq!(from(host), "http://mirror-1.2.3.example/x/zipball https://git.example/v/n");
    // Without the registry's word, too, the bytes come from the archive.
    let silent =
        usual.replace("notification-url", "notified").replace("https://api.git.example/repos", "http://evil.example");
    let source = of(silent);
    assert_eq!((source.kind, &*source.address), (SourceKind::Registry, "http://evil.example"));
    assert!(source.is_plain_http());
    let own = of(usual.replace("notification-url", "notified"));
    assert_eq!((own.kind, own.is_pinned()), (SourceKind::Git, true));
}

#[test]
fn advisories_are_asked_about_three_numbers() {
    for (version, claim) in [
        ("v6.0", Some("v6.0.0")),
        ("6", Some("6.0.0")),
        ("6.0.0", None),
        ("6.0.0.0", None),
        ("6.0-beta1", None),
        ("6.x-dev", None),
        ("dev-main", None),
        ("6.", None),
        ("", None),
    ] {
        let inventory =
            read_one(&Packagist, &tree(&format!("== composer.lock\n{}", lock(&[entry("v/n", version, "")], &[]))));
        let package = find(&inventory, "v/n");
        assert_eq!((&*package.version, package.claim.as_deref()), (version, claim));
    }
    assert_eq!(Packagist.compare("v6.0.0", "6.0.0"), Some(Ordering::Equal));
}

#[test]
fn what_a_manifest_lets_in_is_said() {
    let said = |more: &str, lock: Option<&str>| {
        let manifest = format!("{{\"require\": {{\"a/app\": \"^1.2\"}},\n{more}}}");
        let lock = lock.map_or_else(String::new, |lock| format!("\n== composer.lock\n{lock}"));
        let inventory = read_one(&Packagist, &tree(&format!("== composer.json\n{manifest}{lock}")));
        let all = inventory.disagreements.iter().map(|d| format!("{} {}", d.span.line, d.message)).collect::<Vec<_>>();
        (all, find(&inventory, "a/app").source.clone())
    };
    let locked = usual();
    let both = |more: &str| {
        let (all, _) = said(more, Some(&locked));
        assert_eq!(said(more, None).0, all, "{more}");
        all
    };
    let other = r#""repositories": [{"type": "composer", "url": "https://u:pw@other.example/"}]"#;
    assert_eq!(both(other), ["2 takes packages from https://other.example/ as well"]);
    assert_eq!(&*said(other, None).1.address, "https://other.example/");
    assert_eq!(both(&other.replace("composer", "vcs")), ["2 takes packages from https://other.example/ as well"]);
    assert_eq!(said(&other.replace("composer", "vcs"), None).1.kind, SourceKind::Public);
    let named = r#""repositories": {"x": {"type": "package", "package": {"name": "a/app", "dist": {"url": "https://evil.example/x.zip", "type": "zip"}}}}"#;
    assert_eq!(both(named), ["2 takes packages from https://evil.example/x.zip as well"]);
    for quiet in [
        "\"repositories\": [], \"config\": {\"allow-plugins\": {\"v/p\": false}}, \"scripts\": {\"test\": \"x\"}",
        "\"repositories\": null, \"config\": {\"allow-plugins\": false}, \"scripts\": []",
        r#""repositories": [{"registry.example": false}]"#,
        r#""repositories": {"registry.example": false}"#,
    ] {
        assert_eq!(both(quiet), Vec::<String>::new(), "{quiet}");
    }
    let folders = r#""repositories": [{"type": "path", "url": "./libs/*"}]"#;
    assert_eq!(both(folders), ["2 takes packages from ./libs/* as well"]);
    let own = r#"{"name": "v/own", "version": "1", "dist": {"type": "path", "url": "libs/own", "reference": "x"}}"#;
    let with_own = lock(&[entry("a/app", "1.4.0", ""), own.to_owned()], &[]);
    assert_eq!(said(folders, Some(&with_own)).0, Vec::<String>::new());
    // What the lockfile has packages from already is told of these.
    for url in ["git@git.example:a/app.git", "https://git.example/a/app", "https://registry.example"] {
        let more = format!("\"repositories\": [{{\"type\": \"vcs\", \"url\": \"{url}\"}}]");
        assert_eq!(said(&more, Some(&locked)).0, Vec::<String>::new(), "{url}");
    }
    for url in ["https://git.example/a/ap", "http://registry.example", "https://registry.example.evil.example"] {
        let more = format!("\"repositories\": [{{\"type\": \"vcs\", \"url\": \"{url}\"}}]");
        assert_eq!(said(&more, Some(&locked)).0.len(), 1, "{url}");
    }
    assert_eq!(both(r#""config": {"allow-plugins": true}"#), ["2 lets every plugin run"]);
    assert_eq!(both(r#""config": {"allow-plugins": {"v/p": true, "v/*": true}}"#).len(), 2);
    let scripts = r#""scripts": {"post-install-cmd": ["@auto", "@php x.php"],
        "auto": {"cache:clear": "symfony-cmd"}, "post-autoload-dump": "@again -v", "again": ["@again", "@post-install-cmd"],
        "test": "unused"}"#;
    assert_eq!(
        both(scripts),
        ["2 runs @php x.php when it installs", "3 runs cache:clear (symfony-cmd) when it installs"]
    );
    let long = |end: &str| both(&format!("\"scripts\": {{\"post-update-cmd\": \"{}{end}\"}}", "x".repeat(5_000)));
    assert!(long("a")[0].len() < 300 && long("a") != long("b"));
}

#[test]
fn an_address_that_names_something_else_is_a_contradiction() {
    let of = |from: &str, to: &str| {
        let text = entry("v/n", "1.2.3", "").replace(from, to);
        find(&read_one(&Packagist, &tree(&format!("== composer.lock\n{}", lock(&[text], &[])))), "v/n")
            .contradiction
            .clone()
    };
    assert_eq!(of("repos/v/n", "repos/v/other").as_deref(), Some(&*format!("v/other {COMMIT}")));
    assert_eq!(
        of(&format!("zipball/{COMMIT}"), &format!("zipball/{OTHER}")).as_deref(),
        Some(&*format!("v/n {OTHER}"))
    );
    assert_eq!(of("git.example/v/n.git", "git.example/V/N/"), None);
    assert_eq!(of(&format!("zipball/{COMMIT}"), "zipball/v1.2.3"), None);
    assert_eq!(of(&format!("repos/v/n/zipball/{COMMIT}"), &format!("files/{OTHER}.zip")), None);
    let ssh = of("https://git.example/v/n.git", "git@git.example:v/n.git");
    assert_eq!(ssh, None);
}

#[test]
fn projects_are_lockfiles_and_manifests_that_have_none() {
    let lone =
        "{\"require\": {\"php\": \"8\", \"v/n\": \"1.2.3\", \"v/m\": \"^1\"}, \"require-dev\": {\"v/t\": \"v2.0\"}}";
    let files = tree(&format!(
        "== composer.json\n{lone}\n== composer.lock\n{}\n== lib/composer.json\n{lone}\n== vendor/v/n/composer.json\n{{}}\n\
         == node_modules/x/composer.json\n{{}}\n== empty/composer.json\n{{\"require\": []}}\n== vendored/vendor/composer.json\n{{}}",
        lock(&[], &[])
    ));
    let all = read_all(&Packagist, &files);
    let found: Vec<_> = all.iter().map(|i| (i.project.path.as_str(), i.project.lockfile.is_some())).collect();
    assert_eq!(found, [("", true), ("empty", false), ("lib", false), ("vendored/vendor", false)]);
    assert_eq!(labels(&all[2]), ["v/m@^1", "v/n@=1.2.3", "v/t@=v2.0"]);
    assert!(all[2].packages.iter().all(|p| !p.is_locked && p.direct && p.source.kind == SourceKind::Public));
    assert_eq!(find(&all[2], "v/t").scopes.strongest(), Scope::Development);
}

#[test]
fn what_is_no_lockfile_is_refused() {
    let refused = |text: &str| {
        let files = tree(&format!("== composer.lock\n{text}"));
        let project = Packagist.projects(&files).unwrap().remove(0);
        Packagist.read(&project, View::new(&files, &[])).unwrap_err().1.to_string()
    };
    for (text, expected) in [
        ("[]", "line 1: not an object"),
        ("{}", "line 1: there is no list `packages`"),
        ("{\n\"packages\": {}}", "line 2: `packages` is not a list"),
        ("{\"packages\": [1]}", "a package that is not an object"),
        ("{\"packages\": [{\n\"name\": \"a/b\"}]}", "line 2: a package without a version"),
        ("{\"packages\": [{\n\"name\": \"a/b\", \"version\": 1}]}", "line 2: a package without a version"),
        ("{\"packages\": [],\n<<<<<<< HEAD\n}", "line 2: conflict markers"),
        ("{\"packages\": [],\n\"packages\": []}", "line 2: the key `packages` stands twice"),
        (
            "{\"packages\": [{\"name\": \"a/b\", \"version\": \"1\"},\n{\"name\": \"A/b\", \"version\": \"2\"}]}",
            "line 2: the package a/b stands twice",
        ),
        (
            "{\"packages\": [{\"name\": \"a/b\", \"version\": \"1\",\n\"require\": 1}]}",
            "line 2: `require` is not an object",
        ),
    ] {
        assert!(refused(text).starts_with(expected), "{text}: {}", refused(text));
    }
}

#[test]
fn configuration_is_known_and_not_shown() {
    assert_eq!(
        Packagist.redirects(&RepoPath::new("auth.json"), b"{\"http-basic\": {\"x\": \"secret\"}}"),
        Ok(Vec::new())
    );
    for path in ["auth.json", "a/.php-version"] {
        let path = RepoPath::new(path);
        assert!(Packagist.patterns().iter().any(|pattern| crate::ecosystem::matches(pattern, &path)));
    }
}

/// The vectors hold two lines that give a branch (`dev-foo`) a place in the order. Here it has none: a branch is no
/// version that an advisory could speak of.
#[test]
fn versions_are_ordered_as_php_orders_them() {
    for (file, expected) in [("packagist-versions.txt", 85), ("packagist-versions-generated.txt", 10_600)] {
        let Some(path) = corpus(&format!("vectors/versions/{file}")) else { return };
        let text = std::fs::read_to_string(path).unwrap();
        let is_kept = |line: &&str| !line.starts_with("//") && !line.contains("dev-foo");
        let text: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        assert!(orders(&Packagist, &text) > expected);
    }
}

#[test]
fn branches_do_not_compare_and_long_versions_do() {
    for bad in ["dev-main", "1.x-dev", "2.0.x-dev", "", "v", "main", "1 2", "é", "^1"] {
        assert_eq!(Packagist.compare(bad, "1.0"), None, "{bad}");
    }
    orders(&Packagist, "1.0+a = 1.0+b\n1.0-BETA1 < 1.0-beta2\nv1.0 = 1.0\n1.0-patch1 > 1.0\n");
    let (long, longer) = ("9".repeat(10_000), format!("1{}", "0".repeat(10_000)));
    assert_eq!(Packagist.compare(&long, &longer), Some(Ordering::Less));
    for (version, constraint, expected) in [
        ("v1.4.0", "^1.2", Some(true)),
        ("2.0.0", "^1.2", Some(false)),
        ("0.4.0", "^0.3", Some(false)),
        ("0.3.9", "^0.3", Some(true)),
        ("0.0.4", "^0.0.3", Some(false)),
        ("1.9", "~1.2", Some(true)),
        ("1.3.0", "~1.2.3", Some(false)),
        ("1.2.0", "1.2", Some(true)),
        ("1.2.1", "1.2", Some(false)),
        ("1.2.9", "1.2.*", Some(true)),
        ("1.3", "1.2.*", Some(false)),
        ("3.0", ">=1.0 <2.0 || ^3", Some(true)),
        ("2.5", ">=1.0,<2.0|^3@beta", Some(false)),
        ("1.0.0-beta", "^1", None),
        ("1.0", "dev-main", None),
        ("1.0", "1.0 - 2.0", None),
        ("1.0", "", None),
    ] {
        assert_eq!(version::satisfies(version, constraint), expected, "{version} {constraint}");
    }
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("symfony/polyfill-php80", true),
        ("a/b--c", true),
        ("a.b/c_d", true),
        ("a--b/c", false),
        ("A/b", false),
        ("a", false),
        ("a/", false),
        ("a/b/c", false),
        ("-a/b", false),
        ("a/b-", false),
        ("a/b---c", false),
        ("a/b c", false),
        ("a/\u{202e}b", false),
    ] {
        assert_eq!(Packagist.is_name(name), expected, "{name}");
    }
    assert_eq!(Packagist.normalise("A/b"), "a/b");
}

const DEMO: &[&str] = &[
    "lets the plugin symfony/flex run",
    "lets the plugin symfony/runtime run",
    "runs -r \"@rename('.env.local.demo', '.env.local');\" (php-script) when it installs",
    "runs assets:install %PUBLIC_DIR% (symfony-cmd) when it installs",
    "runs cache:clear (symfony-cmd) when it installs",
    "runs importmap:install (symfony-cmd) when it installs",
    "runs sass:build (symfony-cmd) when it installs",
];

/// Counts and digests from `composer show --locked --format=json` (Composer 2.5.5); the scopes from the lists of
/// `composer.lock` as Python's `json` reads them.
#[test]
fn real_lockfiles_are_read_whole() {
    for (name, count, expected, runtime) in [
        ("symfony-demo", 153, "b2c8abe69e81b9031f973896ab6aa723f70624b892e2844f84279d4ab7963eb5", 99),
        ("composer", 36, "8dc755b8826b3c739b580d934e8a373f84edc9e47029626567c9bfc17a52e21a", 30),
    ] {
        let Some(path) = corpus(&format!("lockfiles/packagist/{name}")) else { return };
        let inventory = read_one(&Packagist, &folder(&path));
        let labels = labels(&inventory);
        assert_eq!((labels.len(), &*digest(&labels)), (count, expected), "{name}");
        assert_eq!(inventory.packages.iter().filter(|p| p.scopes.strongest() == Scope::Runtime).count(), runtime);
        // What the manifest lets in stands there, and is no contradiction of the lockfile.
        let said: Vec<&str> = inventory.disagreements.iter().map(|d| &*d.message).collect();
        assert_eq!(said, if name == "symfony-demo" { DEMO } else { &[] }, "{name}");
        for package in &inventory.packages {
            assert!(Packagist.is_name(&package.name) && package.checksum.is_some() && package.contradiction.is_none());
            assert_eq!((package.source.kind, package.identity), (SourceKind::Registry, Identity::Public));
        }
    }
}

#[test]
fn hostile_bytes_are_survived() {
    let many: Vec<String> = (0..100_000)
        .map(|n| format!(r#"{{"name": "v/n{n}", "version": "1.{n}", "require": {{"v/n{}": "*"}}}}"#, n / 2))
        .collect();
    let many = lock(&many, &[]);
    let provided: Vec<String> =
        (0..1_000).map(|n| format!(r#"{{"name": "v/n{n}", "version": "1", "provide": {{"x/y": "1"}}}}"#)).collect();
    let provided = lock(&provided, &[]);
    let (nested, digits) = ("[".repeat(30_000), lock(&[entry("v/n", &"9".repeat(10_000), "")], &[]));
    let traversal =
        lock(&[r#"{"name": "../..", "version": "1", "dist": {"type": "path", "url": "../../../etc"}}"#.into()], &[]);
    let usual = usual();
    let mut texts: Vec<&[u8]> = vec![b"", b"\0", b"\xff", many.as_bytes(), provided.as_bytes(), nested.as_bytes()];
    texts.extend([digits.as_bytes(), traversal.as_bytes()]);
    texts.extend((0..usual.len()).step_by(11).map(|end| &usual.as_bytes()[..end]));
    survives(&Packagist, &["composer.lock"], &texts);
    let circle: Vec<String> = (0..100_000).map(|n| format!("\"s{n}\": [\"@s{}\", \"@init\"]", n + 1)).collect();
    let circle = format!("{{\"scripts\": {{\"init\": \"@s0\", {}}}}}", circle.join(", "));
    let places = vec![r#"{"type": "composer", "url": "https://x.example"}"#; 50_000].join(", ");
    let places = format!("{{\"repositories\": [{places}]}}");
    let mut texts: Vec<&[u8]> = vec![b"", b"{}", b"{\"require\": {\"../x\": \"1\"}}", nested.as_bytes()];
    texts.extend([circle.as_bytes(), places.as_bytes()]);
    texts.extend((0..MANIFEST.len()).map(|end| &MANIFEST.as_bytes()[..end]));
    survives(&Packagist, &["composer.json"], &texts);
}

/// What `Composer\Semver\Semver::satisfies` (of Composer 2.5.5) says of every version and every constraint.
#[test]
fn constraints_hold_as_the_tool_has_them() {
    let all = "0.0.3 0.0.4 0.3 0.3.9 0.4.0 1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 2.0 3.1 v1.2.3";
    for (constraint, expected) in [
        ("^1.2", "1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
        ("^0.3", "0.3 0.3.9"),
        ("^0.0.3", "0.0.3"),
        ("^0", "0.0.3 0.0.4 0.3 0.3.9 0.4.0"),
        ("^0.0", "0.0.3 0.0.4"),
        ("~1.2", "1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
        ("~1.2.3", "1.2.3 1.2.3.4 1.2.3.9 1.2.4 v1.2.3"),
        ("~1", "1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
        ("1.2", "1.2 1.2.0"),
        ("1.2.*", "1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 v1.2.3"),
        ("1.*", "1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
        (">=1.2 <2.0", "1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
        (">=1.2,<1.4", "1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 v1.2.3"),
        ("^1 || ^3", "1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 3.1 v1.2.3"),
        ("^1|^2", "1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 2.0 v1.2.3"),
        ("!=1.2.3", "0.0.3 0.0.4 0.3 0.3.9 0.4.0 1.0 1.2 1.2.0 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 2.0 3.1"),
        ("<>1.3", "0.0.3 0.0.4 0.3 0.3.9 0.4.0 1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.9.9 2.0 3.1 v1.2.3"),
        ("=1.2.3", "1.2.3 v1.2.3"),
        ("==1.2", "1.2 1.2.0"),
        ("v1.2.3", "1.2.3 v1.2.3"),
        (">1.2", "1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 2.0 3.1 v1.2.3"),
        ("<=1.3", "0.0.3 0.0.4 0.3 0.3.9 0.4.0 1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 v1.2.3"),
        ("*", "0.0.3 0.0.4 0.3 0.3.9 0.4.0 1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 2.0 3.1 v1.2.3"),
        ("~0.3", "0.3 0.3.9 0.4.0"),
        ("^1.2.3.4", "1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9"),
        ("~1.2.3.4", "1.2.3.4 1.2.3.9"),
        ("^1@beta", "1.0 1.2 1.2.0 1.2.3 1.2.3.4 1.2.3.9 1.2.4 1.3 1.9.9 v1.2.3"),
    ] {
        let held: Vec<&str> = all.split(' ').filter(|v| version::satisfies(v, constraint) == Some(true)).collect();
        assert_eq!(held.join(" "), expected, "{constraint}");
        assert!(all.split(' ').all(|v| version::satisfies(v, constraint).is_some()), "{constraint}");
    }
}
