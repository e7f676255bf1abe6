//! Input that is broken or hostile: a clear ending, never a panic, never a pass, never raw on the terminal.

use crate::harness::{Out, Project, Repo, checksum};

/// The lockfile of the work tree replaced by these bytes.
fn with_lockfile(bytes: impl AsRef<[u8]>) -> Option<Repo> {
    let repo = Repo::standing()?;
    repo.write("Cargo.lock", bytes);
    Some(repo)
}

#[test]
fn a_lockfile_that_cannot_be_read_leaves_the_answer_incomplete() {
    let good = Project::standing().lockfile();
    let entry = "name = \"alpha\"\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty name", good.replace(entry, "name = \"\"\n").into()),
        ("conflict", good.replace(entry, &format!("<<<<<<< ours\n{entry}=======\n{entry}>>>>>>> theirs\n")).into()),
        ("truncated", good.as_bytes()[..good.len() - 30].to_vec()),
        ("not UTF-8", [good.as_bytes(), b"# \xff\xfe\n"].concat()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("duplicate key", good.replace(entry, &format!("{entry}{entry}")).into()),
        ("duplicate escaped key", good.replace(entry, &format!("{entry}\"na\\u006de\" = \"x\"\n")).into()),
        ("duplicate entry", format!("{good}{}", &good[good.find("\n[[package]]\nname = \"beta\"").unwrap()..]).into()),
        ("version 99", good.replace("version = 4", "version = 99").into()),
        ("version text", good.replace("version = 4", "version = \"four\"").into()),
        ("no version of a package", good.replace("name = \"beta\"\nversion = \"1.0.0\"\n", "name = \"beta\"\n").into()),
        ("package as text", "version = 4\npackage = \"all\"\n".into()),
        ("binary", (0..=255).cycle().take(4096).collect()),
        ("deep", format!("version = 4\nx = {}{}\n", "[".repeat(20_000), "]".repeat(20_000)).into()),
        ("LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".to_vec()),
    ];
    for (what, bytes) in cases {
        let Some(repo) = with_lockfile(bytes) else { return };
        let out = repo.run(&["check", "--report", "json"]);
        assert_eq!(out.code, 3, "{what}: {}\n{}", out.stdout, out.stderr);
        let verdict = out.json();
        assert_eq!((&verdict["decision"], &verdict["complete"]), (&"incomplete".into(), &false.into()), "{what}");
        let files = verdict["coverage"]["files"].to_string();
        assert!(files.contains("Cargo.lock"), "{what}: {files}");
        repo.run(&["check"]).exits(3).says("INCOMPLETE").says("Cargo.lock");
        let audit = repo.run(&["audit"]);
        assert_eq!(audit.code, 3, "{what}: {}\n{}", audit.stdout, audit.stderr);
    }
}

#[test]
fn a_broken_lockfile_is_named_with_its_line() {
    let good = Project::standing().lockfile();
    for (from, to, line) in [
        ("name = \"alpha\"\n", "<<<<<<< ours\nname = \"alpha\"\n", 12),
        ("name = \"alpha\"\n", "name = \"alpha\"\nname = \"alpha\"\n", 13),
    ] {
        let text = good.replace(from, to);
        let wanted = text.lines().position(|l| l.starts_with("<<<") || l == "name = \"alpha\"").unwrap() + 1;
        let Some(repo) = with_lockfile(&text) else { return };
        let line = if to.starts_with("<<<") { wanted } else { line.max(wanted + 1).min(wanted + 1) };
        let out = repo.run(&["check"]).exits(3);
        let said = out.stdout.contains(&format!("Cargo.lock:{line}")) || out.stdout.contains(&format!("line {line}"));
        assert!(said, "line {line}: {}", out.stdout);
    }
}

#[test]
fn what_is_only_unusual_is_read() {
    let good = Project::standing().lockfile();
    for (what, text) in [
        ("BOM", format!("\u{feff}{good}")),
        ("CRLF", good.replace('\n', "\r\n")),
        ("BOM and CRLF", format!("\u{feff}{}", good.replace('\n', "\r\n"))),
        ("comments", good.replace("[[package]]\n", "# a comment\n[[package]]\n")),
        ("version 3", good.replace("version = 4", "version = 3")),
        ("no last line break", good.trim_end().to_owned()),
    ] {
        let Some(repo) = with_lockfile(text) else { return };
        let verdict = repo.json(&["check"], 0);
        assert_eq!(verdict["changes"], serde_json::json!([]), "{what}");
        repo.run(&["audit"]).exits(0);
    }
    // An edge to a package that is not there, and a cycle: said or shown, never a crash.
    for text in [
        good.replace("\"beta\",", "\"nobody\","),
        good.replace("checksum", "dependencies = [\n \"alpha\",\n]\nchecksum"),
    ] {
        let Some(repo) = with_lockfile(text) else { return };
        let out = repo.run(&["check", "-v"]);
        assert!(matches!(out.code, 0 | 1 | 3) && !out.stderr.contains("panicked"), "{out:?}");
    }
}

#[test]
fn a_huge_lockfile_meets_a_cap_and_says_which() {
    let mut text = Project::standing().lockfile();
    text.push_str(&"# all work and no play makes a long lockfile\n".repeat(1_200_000));
    let Some(repo) = with_lockfile(text) else { return };
    let out = repo.run(&["check"]);
    assert!(matches!(out.code, 0 | 3), "{}\n{}", out.stdout, out.stderr);
    if out.code == 3 {
        out.says("Cargo.lock").says("bytes");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_a_lockfiles_place_is_not_followed() {
    let Some(repo) = Repo::standing() else { return };
    std::fs::write(repo.beside("other.lock"), Project::standing().lockfile()).unwrap();
    std::fs::remove_file(repo.root().join("Cargo.lock")).unwrap();
    std::os::unix::fs::symlink("../other.lock", repo.root().join("Cargo.lock")).unwrap();
    repo.run(&["check"]).exits(3).says("Cargo.lock");
    repo.commit("a link");
    repo.run(&["check", "--head", "HEAD"]).exits(3).says("Cargo.lock");
    repo.run(&["audit"]).exits(3);
}

/// Texts that steer a terminal, a build log, a page or a reader's eye.
const HOSTILE: [&str; 7] = [
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "a\n::error::gotcha",
    "::set-output name=x::y",
    "\u{202e}desrever\u{2066}",
    "a\r\u{8}\u{200b}b\u{9b}31m",
    "[click](https://registry.example/) <img src=x> @everyone `x`",
];

/// Nothing that steers may reach a stream raw.
#[track_caller]
fn assert_tame(out: &Out) {
    assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
    for (stream, text) in [("stdout", &out.stdout), ("stderr", &out.stderr)] {
        let raw = text.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        });
        assert_eq!(raw, None, "{stream}: {text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{stream}: {text}");
        assert!(!text.contains("##["), "{stream}: {text}");
    }
}

#[test]
fn hostile_names_never_reach_a_stream_raw() {
    for name in HOSTILE {
        let Some(repo) = Repo::standing() else { return };
        repo.put(&Project::standing().with(name, "1.0.0", &[]));
        for args in [
            &["check"][..],
            &["check", "-v"],
            &["check", "-q"],
            &["check", "--report", "json"],
            &["check", "--color", "never", "-v"],
            &["audit", "-v"],
            &["audit", "--report", "json"],
            &["why", "pkg:cargo/alpha"],
        ] {
            let out = repo.run(args);
            assert_tame(&out);
            // No registry accepts such a name: that is a finding, or the file is refused.
            if args[0] == "check" {
                assert!(matches!(out.code, 1 | 3), "{args:?} {name:?}: {out:?}");
            }
        }
    }
}

#[test]
fn hostile_versions_sources_and_manifests_never_reach_a_stream_raw() {
    for text in HOSTILE {
        let shown = text.replace('\\', "\\\\").replace('"', "\\\"");
        let escaped: String = shown
            .chars()
            .map(|c| if c.is_control() { format!("\\u{:04X}", u32::from(c)) } else { c.to_string() })
            .collect();
        let good = Project::standing().lockfile();
        for (from, to) in [
            ("version = \"1.0.0\"", format!("version = \"1.0.0{escaped}\"")),
            ("index\"", format!("index{escaped}\"")),
            (&*checksum("alpha", "1.0.0"), escaped.clone()),
            ("\"beta\",", format!("\"beta {escaped}\",")),
            ("version = 4", format!("version = 4\n\"{escaped}\" = 1")),
        ] {
            let Some(repo) = with_lockfile(good.replacen(from, &to, 1)) else { return };
            for args in [&["check", "-v"][..], &["check", "--report", "json"], &["audit", "-v"]] {
                assert_tame(&repo.run(args));
            }
        }
        let Some(repo) = Repo::standing() else { return };
        let manifest = Project::standing().manifest();
        repo.write(
            "Cargo.toml",
            format!("{manifest}\"{escaped}\" = {{ git = \"https://registry.example/{escaped}\" }}\n"),
        );
        for args in [&["check", "-v"][..], &["check", "--report", "json"], &["audit", "-v"]] {
            assert_tame(&repo.run(args));
        }
        // The gate's own files, on the governing revision.
        for (file, text) in [
            ("config.toml", format!("packs = [\"{escaped}\"]\n")),
            ("config.toml", format!("[levels]\n\"baseline/{escaped}\" = \"deny\"\n")),
            (
                "ledger.toml",
                format!("[[approval]]\npackage = \"{escaped}\"\nby = \"x\"\non = 2026-01-01\nreason = \"x\"\n"),
            ),
            (
                "ledger.toml",
                format!(
                    "[[waiver]]\nrule = \"{escaped}\"\nsubject = \"{escaped}\"\nby = \"{escaped}\"\non = 2026-01-01\n\
                     reason = \"{escaped}\"\nexpires = 2026-01-02\n"
                ),
            ),
        ] {
            let Some(repo) = Repo::standing() else { return };
            repo.write(&format!(".portcullis/{file}"), text);
            repo.commit("a hostile gate");
            repo.put(&Project::with_new_library());
            for args in [&["check", "-v"][..], &["audit", "-v"], &["policy", "list"]] {
                assert_tame(&repo.run(args));
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn hostile_paths_never_reach_a_stream_raw() {
    for name in HOSTILE {
        let Some(repo) = Repo::standing() else { return };
        let folder = name.replace('/', "-");
        repo.write(&format!("{folder}/Cargo.toml"), Project::with_vulnerability().manifest());
        repo.write(&format!("{folder}/Cargo.lock"), Project::with_vulnerability().lockfile());
        repo.write(&format!("{folder}/broken/Cargo.toml"), "[package\n");
        repo.write(&format!("{folder}/.cargo/config.toml"), "[build]\nrustc-wrapper = \"x\"\n");
        repo.git(&["checkout", "-q", "-b", "topic"]);
        for args in [
            &["check", "-v"][..],
            &["check", "-q"],
            &["check", "--report", "json"],
            &["audit", "-v"],
            &["why", "pkg:cargo/time"],
        ] {
            let out = repo.run(args);
            assert_tame(&out);
            if args[0] != "why" {
                assert!(matches!(out.code, 1 | 3), "{args:?}: {out:?}");
            }
        }
        repo.commit("paths");
        assert_tame(&repo.run(&["check", "--head", "HEAD"]));
        // What a person typed is escaped as well, for a script may have typed it.
        assert_tame(&repo.run(&["check", "--base", name]).exits(2));
        assert_tame(&repo.run(&["audit", name]));
        assert_tame(&repo.run(&["explain", name]).exits(2));
    }
}

/// Not every path is Unicode.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_unicode_is_judged() {
    use std::os::unix::ffi::OsStrExt;
    let Some(repo) = Repo::standing() else { return };
    let folder = repo.root().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("Cargo.toml"), Project::with_vulnerability().manifest()).unwrap();
    std::fs::write(folder.join("Cargo.lock"), Project::with_vulnerability().lockfile()).unwrap();
    repo.run(&["check"]).exits(1).says("RUSTSEC-2020-0071");
    repo.run(&["audit"]).exits(1).says("RUSTSEC-2020-0071");
    repo.commit("not Unicode");
    repo.run(&["check", "--head", "HEAD"]).exits(1).says("RUSTSEC-2020-0071");
}
