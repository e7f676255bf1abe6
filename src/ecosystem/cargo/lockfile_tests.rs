//! Tests of the lockfile reader: every form, every kind of bad input, and cargo-lock as the oracle on real files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::lockfile::{Lockfile, parse};
use crate::model::tree::Unread;

const SUM: &str = "8b5ace29ee3216de37c0546865ad08edef58b0f9e76838ed8959a84a990e58c5";

fn refusal(text: &str) -> (u32, String) {
    match parse(text.as_bytes()) {
        Err(Unread::Malformed { line, reason }) => (line, reason),
        other => panic!("{text}\n{other:?}"),
    }
}

fn synthetic(bytes: usize) -> String {
    let mut text = String::from("version = 4\n\n");
    let mut n = 0usize;
    while text.len() < bytes {
        write!(
            text,
            "[[package]]\nname = \"crate-{n:06}\"\nversion = \"1.{n}.0\"\nsource = \"registry+https://example.org/index\"\n\
             checksum = \"{SUM}\"\ndependencies = [\n"
        )
        .unwrap();
        for back in 1..=6 {
            writeln!(text, " \"crate-{:06}\",", n.saturating_sub(back * 7)).unwrap();
        }
        text.push_str("]\n\n");
        n += 1;
    }
    text
}

fn locks(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            locks(&path, found);
        } else if entry.file_name() == "Cargo.lock" {
            found.push(path);
        }
    }
}

pub(super) fn corpus(what: &str) -> Option<Vec<PathBuf>> {
    let Ok(root) = std::env::var("PORTCULLIS_CORPUS") else {
        eprintln!("SKIPPED {what}: PORTCULLIS_CORPUS names no folder of lockfiles");
        return None;
    };
    let mut found = Vec::new();
    locks(&Path::new(&root).join("lockfiles/cargo"), &mut found);
    found.sort();
    assert!(found.len() > 10, "no corpus below {root}");
    Some(found)
}

/// Packages as (name, version, source, checksum), with the same of what they need.
type Facts = BTreeSet<(String, String, Option<String>, Option<String>, Vec<(String, String)>)>;

fn ours(lock: &Lockfile<'_>) -> Facts {
    let with_root = lock.packages.iter().enumerate().filter(|(_, p)| !p.is_root);
    with_root
        .map(|(at, package)| {
            let source = package.source.as_ref().map(|s| match &s.commit {
                Some(commit) => format!("{}#{commit}", s.url),
                None => s.url.to_string(),
            });
            let mut needs: Vec<_> = lock
                .needs(at)
                .iter()
                .map(|to| &lock.packages[*to as usize])
                .map(|p| (p.name.to_string(), p.version.to_string()))
                .collect();
            needs.sort();
            needs.dedup();
            let twins = lock.packages.iter().filter(|p| p.name == package.name && p.version == package.version);
            let sum = package.checksum.as_ref().filter(|_| twins.count() == 1).map(ToString::to_string);
            (package.name.to_string(), package.version.to_string(), source, sum, needs)
        })
        .collect()
}

fn theirs(lock: &cargo_lock::Lockfile) -> Facts {
    // In the first form it takes the checksum of any package of that name and version, whatever the source.
    let is_mixed_up = |package: &cargo_lock::Package| {
        lock.packages.iter().filter(|p| p.name == package.name && p.version == package.version).count() > 1
    };
    lock.packages
        .iter()
        .map(|package| {
            let mut needs: Vec<_> =
                package.dependencies.iter().map(|d| (d.name.to_string(), d.version.to_string())).collect();
            needs.sort();
            needs.dedup();
            (
                package.name.to_string(),
                package.version.to_string(),
                package.source.as_ref().map(ToString::to_string),
                package.checksum.as_ref().filter(|_| !is_mixed_up(package)).map(|c| c.to_string()),
                needs,
            )
        })
        .collect()
}

#[test]
fn real_lockfiles_say_what_cargo_lock_says() {
    let Some(files) = corpus("the cargo-lock oracle") else {
        return;
    };
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let ours = ours(&parse(text.as_bytes()).unwrap_or_else(|e| panic!("{path:?}: {e}")));
        let oracle: cargo_lock::Lockfile = match text.parse() {
            Ok(lock) => lock,
            Err(error) => {
                eprintln!("{path:?}: cargo-lock cannot read it: {error}");
                continue;
            }
        };
        let theirs = theirs(&oracle);
        if let Some((a, b)) = ours.iter().zip(&theirs).find(|(a, b)| a != b) {
            let edges: Vec<_> =
                a.4.iter().filter(|e| !b.4.contains(e)).chain(b.4.iter().filter(|e| !a.4.contains(e))).collect();
            panic!("{path:?}\n{} {} {:?} {:?}\n{} {} {:?} {:?}\n{edges:?}", a.0, a.1, a.2, a.3, b.0, b.1, b.2, b.3);
        }
        assert_eq!(ours.len(), theirs.len(), "{path:?}");
    }
}

#[test]
fn every_form_is_read() {
    assert!(parse(b"").unwrap().packages.is_empty());
    assert!(parse(b"version = 4\n").unwrap().packages.is_empty());
    let v1 = format!(
        "[root]\nname = \"me\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 1.0.0 (registry+https://e.org/i)\",\n \
         \"g 0.1.0 (git+https://e.org/g#0123)\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://e.org/i\"\n\n[[package]]\nname = \"g\"\nversion = \"0.1.0\"\n\
         source = \"git+https://e.org/g#0123\"\n\n[metadata]\n\"checksum a 1.0.0 (registry+https://e.org/i)\" = \"{SUM}\"\n\
         \"checksum g 0.1.0 (git+https://e.org/g#0123)\" = \"<none>\"\n\"checksum gone 1.0.0 (registry+https://e.org/i)\" = \"{SUM}\"\n"
    );
    let lock = parse(v1.as_bytes()).unwrap();
    assert_eq!((lock.version, lock.needs(0)), (1, &[1u32, 2][..]));
    assert!(lock.packages[0].is_root);
    assert_eq!(lock.packages[1].checksum.as_deref(), Some(SUM));
    assert_eq!(lock.packages[2].checksum, None);
    assert_eq!((lock.packages[1].line, lock.packages[1].end_line), (9, 12));
}

#[test]
fn a_mark_at_the_start_and_windows_line_ends_are_accepted() {
    let plain = synthetic(5_000);
    let lines = |lock: &Lockfile<'_>| lock.packages.iter().map(|p| (p.line, p.end_line)).collect::<Vec<_>>();
    let expected = parse(plain.as_bytes()).unwrap();
    for text in [format!("\u{feff}{plain}"), plain.replace('\n', "\r\n")] {
        let lock = parse(text.as_bytes()).unwrap();
        assert_eq!(ours(&lock), ours(&expected));
        assert_eq!(lines(&lock), lines(&expected));
    }
}

#[test]
fn what_cargo_does_not_write_is_refused_with_its_line() {
    let package = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
    for (text, line, word) in [
        (format!("{package}name = \"b\"\n"), 4, "duplicate key"),
        (format!("{package}\"n\\u0061me\" = \"b\"\n"), 4, "duplicate key"),
        (format!("{package}x = 1\nx = 2\n"), 5, "duplicate key"),
        ("version = 3\nversion = 4\n".to_owned(), 2, "duplicate key"),
        ("[metadata]\n\"a\" = \"1\"\n'a' = \"2\"\n".to_owned(), 3, "duplicate key"),
        ("[metadata]\n[metadata]\n".to_owned(), 2, "duplicate key"),
        ("[root]\nname = \"a\"\nversion = \"1.0.0\"\n[root]\nname = \"a\"\n".to_owned(), 4, "duplicate key"),
        ("<<<<<<< ours\nversion = 3\n=======\nversion = 4\n>>>>>>> theirs\n".to_owned(), 1, "conflict markers"),
        (format!("{package}dependencies = [\n<<<<<<< HEAD\n \"b\",\n]\n"), 5, "conflict markers"),
        ("[[package]]\nversion = \"1.0.0\"\n".to_owned(), 1, "without a name"),
        ("[[package]]\nname = \"a\"\n".to_owned(), 1, "without a version"),
        ("[[package]]\nname = \"\"\nversion = \"1\"\n".to_owned(), 1, "without a name"),
        ("[[package]]\nname = 1\nversion = \"1\"\n".to_owned(), 2, "wrong type"),
        ("[[package]]\nname = [\"a\"]\n".to_owned(), 2, "a list"),
        (format!("{package}dependencies = \"b\"\n"), 4, "wrong type"),
        (format!("{package}dependencies = [[\"b\"]]\n"), 4, "a list"),
        (format!("{package}dependencies = [1]\n"), 4, "wrong type"),
        (format!("{package}dependencies = [{{}}]\n"), 4, "inline table"),
        (format!("{package}dependencies = [\n \"b\",\n]\n"), 5, "is not in this lockfile"),
        (format!("{package}dependencies = [\n \"a 2.0.0\",\n]\n"), 5, "is not in this lockfile"),
        (format!("{package}dependencies = [\n \"a 1.0.0 (git+x)\",\n]\n"), 5, "is not in this lockfile"),
        (format!("{package}{package}"), 4, "a second entry"),
        (format!("{package}checksum = \"00\"\n"), 1, "64 hex"),
        (format!("{package}checksum = \"{}\"\n", "g".repeat(64)), 1, "64 hex"),
        (format!("{package}source = \"ftp+x\"\n"), 1, "no known kind"),
        (format!("{package}a.b = 1\n"), 4, "dotted"),
        ("package = []\n".to_owned(), 1, "not of the form"),
        ("[package]\n".to_owned(), 1, "not of the form"),
        ("[[root]]\n".to_owned(), 1, "not of the form"),
        (format!("{package}[package.x]\n"), 4, "not of the form"),
        ("version = \"4\"\n".to_owned(), 1, "not a number"),
        ("version = [4]\n".to_owned(), 1, "a list"),
        ("x = \"a\\q\"\n".to_owned(), 1, ""),
        ("# \u{1}\n".to_owned(), 1, ""),
        ("x = \"a\0\"\n".to_owned(), 1, "NUL"),
        ("\n\nx = 1 2\n".to_owned(), 3, ""),
        ("x = ]\n".to_owned(), 1, ""),
        (format!("x = {}", "[".repeat(100_000)), 1, "nest deeper"),
        (format!("x = {}", "{a=".repeat(100_000)), 1, "nest deeper"),
    ] {
        let (at, reason) = refusal(&text);
        assert_eq!(at, line, "{text:.200}\n{reason}");
        assert!(reason.contains(word), "{text:.200}\n{reason}");
    }
    assert!(matches!(parse(b"x = 1\ny = \"\xff\"\n"), Err(Unread::Malformed { line: 2, .. })));
}

#[test]
fn an_edge_that_could_mean_two_packages_is_refused() {
    let two = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n\
               [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"sparse+x\"\n";
    let me = |dep: &str| format!("{two}[[package]]\nname = \"me\"\nversion = \"0.1.0\"\ndependencies = [\"{dep}\"]\n");
    assert!(refusal(&me("a")).1.contains("more than one"));
    assert!(refusal(&me("a 1.0.0")).1.contains("more than one"));
    assert_eq!(parse(me("a 1.0.0 (sparse+x)").as_bytes()).unwrap().needs(2), [1]);
}

#[test]
fn versions_of_the_format_that_are_not_known_are_named() {
    for text in ["version = 5\n", "version = 0\n", "version = -1\n", "version = 99999999999999999999\n"] {
        assert!(matches!(parse(text.as_bytes()), Err(Unread::Unsupported(_))), "{text}");
    }
    let message = parse(b"version = 5\n").unwrap_err().to_string();
    assert_eq!(message, "Cargo.lock version 5 (line 1); this version reads 1 to 4");
}

#[test]
fn cycles_and_names_of_every_kind_are_taken_as_they_are() {
    let text = "[[package]]\nname = \"\\u001b[31m\\n::error::x\"\nversion = \"`|<b>\"\ndependencies = [\"b\", \"b\"]\n\
                [[package]]\nname = \"b\"\nversion = \"\\u202e1\"\ndependencies = [\"\\u001b[31m\\n::error::x\"]\n";
    let lock = parse(text.as_bytes()).unwrap();
    assert_eq!((lock.needs(0), lock.needs(1)), (&[1u32][..], &[0u32][..]));
    assert_eq!(lock.packages[0].name, "\u{1b}[31m\n::error::x");
}

#[test]
fn a_truncated_lockfile_never_panics() {
    let v1 = "[metadata]\n\"checksum a 1.0.0 (registry+https://e.org/i)\" = \"<none>\"\n";
    let text = format!("{}{v1}", synthetic(20_000));
    for end in (0..text.len()).step_by(97) {
        if let Ok(lock) = parse(&text.as_bytes()[..end]) {
            assert_eq!(lock.first_edge.len(), lock.packages.len() + 1);
        }
    }
}

#[test]
fn large_and_hostile_lockfiles_take_linear_time() {
    let digits = "9".repeat(10_000);
    let mut same = String::from("version = 4\n");
    for n in 0..30_000 {
        writeln!(
            same,
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x{n}\"\n\
             dependencies = [\"a 1.0.0 (registry+x{})\"]",
            29_999 - n
        )
        .unwrap();
    }
    let mut unknown = String::from("[[package]]\nname = \"a\"\nversion = \"1\"\n");
    (0..200_000).for_each(|n| writeln!(unknown, "k{n} = 1").unwrap());
    for (what, text) in [
        (
            "long versions",
            format!("[[package]]\nname = \"a\"\nversion = \"{digits}\"\ndependencies = [\"a {digits}\"]\n"),
        ),
        ("one name", same),
        ("unknown keys", unknown),
        ("one long string", format!("x = \"{}\"\n", "a".repeat(8 << 20))),
        ("quotes", format!("x = [{}]\n", "\"\",".repeat(300_000))),
        ("newlines", "\n".repeat(8 << 20)),
        ("brackets", "]".repeat(1 << 20)),
        ("headers", "[".repeat(1 << 20)),
        ("open strings", "\"\n".repeat(1 << 20)),
        ("open long strings", "\"\"\"'''".repeat(1 << 18)),
        ("dots", "a.".repeat(900_000)),
        ("equals", "=".repeat(1 << 20)),
    ] {
        let start = Instant::now();
        let result = parse(text.as_bytes()).err().map(|e| e.to_string());
        assert!(start.elapsed().as_secs() < 20, "{what}: {:?}, {result:?}", start.elapsed());
    }
    let huge = vec![b'\n'; (64 << 20) + 1];
    assert!(matches!(parse(&huge), Err(Unread::TooLarge { .. })));
    let many = "[[package]]\nname=\"a\"\nversion=\"1\"\n".repeat(200_001);
    assert!(matches!(parse(many.as_bytes()), Err(Unread::TooLarge { .. })));
}

/// Prints the rate; `cargo test --release -- --ignored --nocapture throughput`.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    for megabytes in [1usize, 10, 50] {
        let text = synthetic(megabytes << 20);
        let start = Instant::now();
        let lock = parse(text.as_bytes()).unwrap();
        let took = start.elapsed();
        let rate = text.len() as f64 / 1e6 / took.as_secs_f64();
        println!("{megabytes} MB, {} packages: {took:?}, {rate:.0} MB/s", lock.packages.len());
    }
}
