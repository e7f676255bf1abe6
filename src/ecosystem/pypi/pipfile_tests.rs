//! pipenv's files.

use super::pipfile::Pipenv;
use crate::ecosystem::testing::{self, find, read_all, read_one, tree};
use crate::ecosystem::{Format, View};
use crate::model::inventory::{Identity, Scope};

const LOCK: &str = r#"== Pipfile.lock
{
  "_meta": {"pipfile-spec": 6, "sources": [
    {"name": "one", "url": "https://u:p@registry.example/one"}, {"name": "two", "url": "https://registry.example/two"}]},
  "default": {
    "Flask_X": {"version": "==1.0", "hashes": ["sha256:00", "md5:0123456789abcdef0123456789abcdef"], "index": "two"},
    "below": {"version": "==2.0"},
    "repo": {"git": "https://registry.example/r.git", "ref": "0123456789abcdef0123456789abcdef01234567"},
    "me": {"path": ".", "editable": true},
    "zip": {"file": "https://registry.example/zip-3.0.zip"}
  },
  "develop": {"below": {"version": "==2.0"}, "test": {"version": "==3.0", "dev": false}, "lost": {"version": "==1", "index": "no"}},
  "docs": {"sphinx": {"version": "==4.0"}}
}
"#;

#[test]
fn sections_are_install_sets() {
    let files = tree(&format!(
        "{LOCK}== Pipfile
[[source]]
name = 'one'
url = 'https://registry.example/one'
[packages]
flask-x = '>=1'
repo = {{git = 'https://registry.example/r.git'}}
test = '*'
Below = '==1.0'
maybe = {{version = '*', markers = 'x'}}
[dev-packages]
test = '<9'
below = '*'
"
    ));
    let inventory = read_one(&Pipenv, &files);
    let line = |p: &crate::model::inventory::Package| {
        let scopes: Vec<&str> = p.scopes.iter().map(Scope::as_str).collect();
        format!("{} {} {} {} {}", p.label(), p.source, scopes.join("+"), p.direct, p.span.line)
    };
    assert_eq!(
        inventory.packages.iter().map(line).collect::<Vec<_>>(),
        [
            "below@2.0 https://registry.example/one runtime+development true 6",
            "flask-x@1.0 https://registry.example/two runtime true 5",
            "lost@1 https://registry.example/one development false 11",
            "me@* . runtime false 8",
            "repo@0123456789abcdef0123456789abcdef01234567 https://registry.example/r.git#0123456789abcdef0123456789abcdef01234567 runtime true 7",
            "sphinx@4.0 https://registry.example/one runtime false 12",
            "test@3.0 https://registry.example/one runtime+development true 11",
            "zip@3.0 https://registry.example/zip-3.0.zip runtime false 9",
        ]
    );
    let said: Vec<String> = inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect();
    assert_eq!(
        said,
        [
            "below asks for ==1.0, and the lockfile holds 2.0",
            "lost names the index `no`, which is not among the sources",
            "maybe asks for *, and the lockfile does not hold it",
            "test asks for *, and the lockfile does not hold it",
        ]
    );
    assert_eq!(find(&inventory, "flask-x").checksum.as_deref(), Some("md5:0123456789abcdef0123456789abcdef"));
    assert_eq!(find(&inventory, "repo").identity, Identity::Foreign);
    let alone = read_one(&Pipenv, &tree(LOCK));
    assert!(alone.packages.iter().all(|package| package.direct && package.is_locked));
}

#[test]
fn a_manifest_alone_is_a_project() {
    let all = read_all(
        &Pipenv,
        &tree("== a/Pipfile\n[packages]\nx = '==1.0'\ny = {version = '~=2.0', index = 'z'}\n[dev-packages]\nw = '*'\n"),
    );
    assert_eq!(testing::labels(&all[0]), ["w@*", "x@=1.0", "y@~=2.0"]);
    assert!(all[0].packages.iter().all(|package| !package.is_locked && package.direct));
    assert_eq!(find(&all[0], "y").source.to_string(), "z");
}

#[test]
fn what_is_no_lockfile_is_refused() {
    for (text, expected) in [
        ("{}", "no `_meta`"),
        ("[]", "not an object"),
        (r#"{"_meta": {"pipfile-spec": 7}}"#, "only `pipfile-spec` 6"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": []}"#, "a section that is no object"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": {"a": 1}}"#, "an entry that is no object"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": {"a": {}}}"#, "has no version and no place"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": {"a": {"version": 1}}}"#, "`version` is no text"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": {"../a": {}}}"#, "is no name"),
        (r#"{"_meta": {"pipfile-spec": 6}, "default": {"a": {}, "a": {}}}"#, "twice"),
    ] {
        let files = tree(&format!("== Pipfile.lock\n{text}\n"));
        let project = Pipenv.projects(&files).unwrap().remove(0);
        let (_, error) = Pipenv.read(&project, View::new(&files, &[])).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    let many: String = (0..200_000).map(|n| format!("\"p{n}\":{{\"version\":\"=={n}\"}},")).collect();
    let many = format!("{{\"_meta\":{{\"pipfile-spec\":6}},\"default\":{{{many}\"z\":{{\"version\":\"==1\"}}}}}}");
    let texts = [
        b"[packages]\na = {}" as &[u8],
        b"packages = 1",
        b"[[packages]]",
        b"{",
        b"\0",
        many.as_bytes(),
        &many.as_bytes()[..1000],
    ];
    testing::survives(&Pipenv, &["Pipfile", "Pipfile.lock"], &texts);
    assert_eq!(read_one(&Pipenv, &tree(&format!("== Pipfile.lock\n{many}"))).packages.len(), 200_001);
}

#[test]
fn real_lockfiles_are_read() {
    // Names and versions of all sections, by `json` of Python 3.11.7.
    for (name, count, digest) in REAL {
        let Some(path) = testing::corpus("lockfiles/python/pipenv") else { return };
        let files = testing::folder(&path);
        let projects = Pipenv.projects(&files).unwrap();
        assert_eq!(projects.len(), 2);
        let project = projects.iter().find(|p| p.lockfile.as_ref().unwrap().as_str() == *name).unwrap();
        let inventory = Pipenv.read(project, View::new(&files, &[])).unwrap();
        let labels = testing::labels(&inventory);
        assert_eq!((labels.len(), testing::digest(&labels).get(..16).unwrap()), (*count, *digest), "{name}");
        let said: Vec<String> = inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect();
        assert_eq!(said, Vec::<String>::new(), "{name}");
    }
}

const REAL: &[(&str, usize, &str)] =
    &[("Pipfile.lock", 105, "a420fb8b51f2cb2a"), ("examples/Pipfile.lock", 10, "37a7f536041df0aa")];

#[test]
fn places_that_only_the_manifest_names_are_told() {
    let files = tree(&format!(
        "{LOCK}== Pipfile
[[source]]
name = 'one'
url = 'https://u:p@registry.example/one'
[[source]]
name = 'new'
url = 'https://new.example/simple'
[packages]
below = {{path = './below'}}
me = {{path = '.'}}
flask-x = {{git = 'https://git.example/x.git'}}
"
    ));
    let inventory = read_one(&Pipenv, &files);
    let said: Vec<String> = inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect();
    let expected = [
        "below asks for the folder ./below, and the lockfile takes it from elsewhere",
        "flask-x asks for https://git.example/x.git, and the lockfile takes it from elsewhere",
        "lost names the index `no`, which is not among the sources",
        "new takes packages from https://new.example/simple as well",
    ];
    assert_eq!(said, expected);
}
