//! Where reports go and how they look.

use std::process::Stdio;

use crate::harness::{Project, Repo, timeless};

const ESCAPE: char = '\u{1b}';

fn changed() -> Option<Repo> {
    let repo = Repo::standing()?;
    repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    Some(repo)
}

#[test]
fn one_run_reports_to_several_places() {
    let Some(repo) = changed() else { return };
    let (one, two) = (repo.beside("one.json"), repo.beside("two.txt"));
    let (json, human) = (format!("json={}", one.display()), format!("human={}", two.display()));
    let out = repo.run(&["check", "--report", &json, "--report", "human", "--report", &human]).exits(1);
    assert!(out.stdout.contains("DENY") && !out.stdout.contains("\"schema\""), "{}", out.stdout);
    assert_eq!(std::fs::read_to_string(two).unwrap(), out.stdout);
    let verdict: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&one).unwrap()).unwrap();
    assert_eq!(verdict["schema"], "portcullis/verdict/v1");
    assert_eq!(verdict["decision"], "deny");
    // Only a file: standard output stays empty.
    let out = repo.run(&["check", "--report", &json]).exits(1);
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("", ""));
    // Two for one place would be neither.
    repo.run(&["check", "--report", "json", "--report", "human"]).exits(2);
    repo.run(&["check", "--report", &json, "--report", &json]).exits(2);
    // A report that cannot be written is never a silent pass.
    let nowhere = format!("json={}", repo.beside("no/such/folder/x.json").display());
    repo.run(&["check", "--report", &nowhere]).exits(3);
    repo.put(&Project::standing());
    repo.run(&["check", "--report", &nowhere]).exits(3);
}

#[test]
fn verdicts_are_valid_by_the_published_schema() {
    let Some(repo) = changed() else { return };
    let schema = repo.run_at_once(&["schema", "verdict"]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut verdicts = vec![repo.json(&["check"], 1), repo.json(&["audit"], 1)];
    repo.put(&Project::standing());
    verdicts.push(repo.json(&["check"], 0));
    repo.write("Cargo.lock", "nonsense");
    verdicts.extend([repo.json(&["check"], 3), repo.json(&["audit"], 3)]);
    for verdict in verdicts {
        let errors: Vec<String> =
            validator.iter_errors(&verdict).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{verdict:#}");
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    for (set, args, wanted) in [
        (&[][..], &[][..], false),
        (&[("CLICOLOR_FORCE", "1")], &[], true),
        (&[("CLICOLOR_FORCE", "0")], &[], false),
        (&[("NO_COLOR", "1")], &[], false),
        (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], &[], false),
        (&[("NO_COLOR", "1")], &["--color", "always"], true),
        (&[("CLICOLOR_FORCE", "1")], &["--color", "never"], false),
        (&[("NO_COLOR", "")], &["--color", "auto"], false),
        (&[], &["--color", "always"], true),
    ] {
        let Some(mut repo) = changed() else { return };
        for (name, value) in set {
            repo.machine.set(name, value);
        }
        let out = repo.run(&[&["check"], args].concat()).exits(1);
        assert_eq!(out.stdout.contains(ESCAPE), wanted, "{set:?} {args:?}\n{}", out.stdout);
        // Neither JSON nor files have colour, whatever is forced.
        let json = repo.run(&[&["check", "--report", "json"], args].concat()).exits(1);
        assert!(!json.stdout.contains(ESCAPE));
        let file = repo.beside("human.txt");
        let report = format!("human={}", file.display());
        repo.run(&[&["check", "--report", &report], args].concat()).exits(1);
        assert!(!std::fs::read_to_string(file).unwrap().contains(ESCAPE));
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let Some(repo) = changed() else { return };
    let plain = repo.run(&["check", "--color", "never"]).exits(1).stdout;
    let coloured = repo.run(&["check", "--color", "always"]).exits(1).stdout;
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(timeless(&stripped), timeless(&plain));
}

#[test]
fn quiet_says_only_what_blocks() {
    let Some(repo) = changed() else { return };
    let (loud, quiet) = (repo.run(&["check"]).exits(1).stdout, repo.run(&["check", "-q"]).exits(1).stdout);
    assert!(quiet.lines().count() < loud.lines().count(), "{quiet}");
    for text in ["DENY", "RUSTSEC-2020-0071", "leftpad-rs"] {
        assert!(quiet.contains(text), "{text}: {quiet}");
    }
    for text in ["NEW LIBRARIES", "brought in by", "NOTES"] {
        assert!(!quiet.contains(text), "{text}: {quiet}");
    }
    repo.put(&Project::standing());
    let quiet = repo.run(&["check", "-q"]).exits(0).stdout;
    assert!(quiet.lines().count() <= 2, "{quiet}");
    // A warning does not block.
    repo.put(&Project::with_new_library());
    let quiet = repo.run(&["check", "-q"]).exits(1).stdout;
    assert!(!quiet.contains("release-too-young"), "{quiet}");
}

#[test]
fn nothing_to_say_is_two_lines() {
    let Some(repo) = Repo::standing() else { return };
    let out = repo.run(&["check"]).exits(0);
    assert!(out.stdout.trim_end().lines().filter(|line| !line.is_empty()).count() <= 3, "{}", out.stdout);
    assert_eq!(out.stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_pass() {
    let Some(repo) = Repo::standing() else { return };
    for (args, wanted) in [(&["check"][..], 3), (&["audit"], 3), (&["policy", "list"], 3)] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = repo.machine.command(crate::harness::PROGRAM, repo.root());
        let status =
            command.args(args).args(["--now", crate::harness::NOW]).stdout(full).stderr(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(wanted), "{args:?}");
    }
}

/// `portcullis check | head -1` must neither panic nor turn a refusal into a pass.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_changes_no_decision() {
    let Some(repo) = changed() else { return };
    let mut command = repo.machine.command(crate::harness::PROGRAM, repo.root());
    command.args(["check", "--now", crate::harness::NOW]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_ne!(output.status.code(), Some(0), "a denied change ended as a pass");
}
