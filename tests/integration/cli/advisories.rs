//! `advisories import | status`, and runs on stores that are missing, broken or out of place.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::harness::{Machine, NOW, Out, Project, Repo, TempDir, data, findings, set_writable, snapshot};

const RECORD: &str = r#"{
  "id": "TEST-2026-0001", "modified": "2026-08-19T00:00:00Z", "published": "2026-08-19T00:00:00Z",
  "aliases": ["CVE-2026-99999"], "summary": "words of somebody",
  "affected": [{"package": {"ecosystem": "crates.io", "name": "leftpad-rs"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.3.2"}]}]}],
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
}"#;
const MALWARE: &str = r#"{
  "id": "MAL-2026-1", "modified": "2026-08-20T00:00:00Z", "published": "2026-08-20T00:00:00Z",
  "affected": [{"package": {"ecosystem": "crates.io", "name": "pad-core"}, "versions": ["0.2.0"]}]
}"#;

/// A folder of records, and the store made of it.
struct Made {
    machine: Machine,
    folder: TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Self { machine: Machine::new(), folder: TempDir::new() };
        let records = made.folder.path().join("osv");
        std::fs::create_dir(&records).unwrap();
        std::fs::write(records.join("TEST-2026-0001.json"), RECORD).unwrap();
        std::fs::write(records.join("MAL-2026-1.json"), MALWARE).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Out {
        self.machine.run(self.folder.path(), &[args, &["--now", NOW]].concat())
    }

    /// A store file outside every repository.
    fn store(&self) -> PathBuf {
        self.run(&["advisories", "import", "osv", "--output", "made.store"]).exits(0);
        self.path("made.store")
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn records_are_imported_from_a_folder_and_from_a_zip() {
    let made = Made::new();
    made.run(&["advisories", "import", "osv", "--output", "folder.store"]).exits(0).says("2 records, 0 skipped");
    let mut zip = zip::ZipWriter::new(File::create(made.path("all.zip")).unwrap());
    for (name, record) in [("TEST-2026-0001.json", RECORD), ("MAL-2026-1.json", MALWARE)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(record.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    made.run(&["advisories", "import", "all.zip", "--output", "zip.store"]).exits(0).says("2 records, 0 skipped");
    // The layout of a mirror: a folder for each ecosystem.
    std::fs::create_dir_all(made.path("mirror/crates.io")).unwrap();
    std::fs::copy(made.path("all.zip"), made.path("mirror/crates.io/all.zip")).unwrap();
    made.run(&["advisories", "import", "mirror", "--output", "mirror.store"]).exits(0).says("2 records");
    for store in ["folder.store", "zip.store", "mirror.store"] {
        let out = made.run(&["advisories", "status", "--advisories", store]).exits(0);
        out.says("2026-08-20").says("whole").stays_silent_about("built into");
        // Not from the folder that holds it: there it would be a word of the judged tree.
        let store = made.path(store);
        let args = ["explain", "CVE-2026-99999", "--advisories", text(&store)];
        made.machine.run(made.machine.home(), &args).exits(0).says("TEST-2026-0001").says("leftpad-rs");
    }
    // --output writes there and nowhere else.
    assert!(!made.machine.cache().exists());
}

#[test]
fn one_bad_record_is_named_and_skipped() {
    let made = Made::new();
    std::fs::write(made.path("osv/BAD-1.json"), "{\"id\": \"BAD-1\", ").unwrap();
    std::fs::write(
        made.path("osv/BAD-2.json"),
        RECORD.replace("TEST-2026-0001", "BAD-2").replace("0.3.2", "\u{1b}[31m"),
    )
    .unwrap();
    let out = made.run(&["advisories", "import", "osv", "--output", "x.store"]).exits(0);
    out.says("BAD-1").says("BAD-2").says("skipped").stays_silent_about("\u{1b}");
    made.run(&["advisories", "status", "--advisories", "x.store"]).exits(0);
    made.run(&["advisories", "import", "nowhere", "--output", "y.store"]).exits(3).says("nowhere");
    assert!(!made.path("y.store").exists());
}

#[test]
fn a_store_decides_and_is_named_in_the_verdict() {
    let made = Made::new();
    let store = made.store();
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    let verdict = repo.json(&["check", "--advisories", text(&store)], 1);
    assert_eq!(verdict["decision"], "deny");
    let found = findings(&verdict, "advisory-introduced");
    assert_eq!((found.len(), &found[0]["advisory"]["id"]), (1, &"TEST-2026-0001".into()));
    assert_eq!(found[0]["advisory"]["aliases"], serde_json::json!(["CVE-2026-99999"]));
    assert_eq!(found[0]["advisory"]["severity"], 9.8);
    assert_eq!(found[0]["advisory"]["fixed"], serde_json::json!(["0.3.2"]));
    assert_eq!(findings(&verdict, "malware").len(), 1);
    assert_eq!(findings(&verdict, "malware")[0]["advisory"]["kind"], "malware");
    assert!(verdict["advisories"]["as_of"].as_str().unwrap().starts_with("2026-08-20"));
    assert!(verdict["overrides"].to_string().contains("--advisories"), "{verdict:#}");
    // Exactly this store: the baseline's own advisories are not in it.
    repo.put(&Project::with_vulnerability());
    assert_eq!(repo.json(&["check", "--advisories", text(&store)], 1)["decision"], "review");
    // The variable says the same.
    let mut repo = repo;
    repo.machine.set("PORTCULLIS_ADVISORIES", text(&store));
    repo.put(&Project::with_new_library());
    assert_eq!(repo.json(&["check"], 1)["decision"], "deny");
}

#[test]
fn the_users_store_adds_to_the_baseline() {
    let Some(repo) = Repo::standing() else { return };
    let made = Made::new();
    repo.machine.run(made.folder.path(), &["advisories", "import", "osv", "--now", NOW]).exits(0);
    repo.run(&["advisories", "status"]).exits(0).says("built into").says("whole");
    repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    let verdict = repo.json(&["check"], 1);
    assert_eq!(findings(&verdict, "advisory-introduced").len(), 2, "{verdict:#}");
    // A second import adds to the first.
    std::fs::remove_file(made.path("osv/MAL-2026-1.json")).unwrap();
    repo.machine.run(made.folder.path(), &["advisories", "import", "osv", "--now", NOW]).exits(0);
    assert_eq!(findings(&repo.json(&["check"], 1), "malware").len(), 1);
}

#[test]
fn without_data_there_is_no_pass() {
    let made = Made::new();
    let store = made.store();
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::standing().with("gamma", "1.0.0", &[]));
    let bytes = std::fs::read(&store).unwrap();
    let broken = |name: &str, bytes: &[u8]| {
        let path = made.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    for path in [
        made.path("nowhere.store"),
        broken("empty.store", b""),
        broken("words.store", b"these are words"),
        broken("short.store", &bytes[..bytes.len() / 2]),
        broken("long.store", &[&bytes[..], b"x"].concat()),
        broken("magic.store", &flipped(0)),
        broken("header.store", &flipped(40)),
        made.folder.path().to_path_buf(),
    ] {
        for command in ["check", "audit"] {
            let verdict = repo.json(&[command, "--advisories", text(&path)], 3);
            assert_eq!((&verdict["decision"], &verdict["complete"]), (&"incomplete".into(), &false.into()), "{path:?}");
            let skipped = verdict["coverage"]["checks_skipped"].to_string();
            assert!(skipped.contains("advisor"), "{skipped}");
        }
        repo.run(&["check", "--advisories", text(&path)]).exits(3).says(path.file_name().unwrap().to_str().unwrap());
        repo.run(&["explain", "CVE-2026-99999", "--advisories", text(&path)]).exits(3);
        repo.run(&["advisories", "status", "--advisories", text(&path)]).exits(3);
    }
    // A denied change stays denied, and says that something is missing.
    let sum = crate::harness::checksum("beta", "1.0.0");
    repo.write("Cargo.lock", repo.read("Cargo.lock").replace(&sum, &"0".repeat(64)));
    let verdict = repo.json(&["check", "--advisories", text(&made.path("nowhere.store"))], 1);
    assert_eq!((&verdict["decision"], &verdict["complete"]), (&"deny".into(), &false.into()));
}

#[test]
fn a_damaged_page_is_never_an_absence() {
    let made = Made::new();
    let store = made.store();
    let bytes = std::fs::read(&store).unwrap();
    let Some(repo) = Repo::standing() else { return };
    repo.put(&Project::with_new_library());
    // Whatever page is hit: the answer is that of the whole store, or none at all; and status sees every one.
    for at in (4096..bytes.len()).step_by(512) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let path = made.path("damaged.store");
        std::fs::write(&path, &bytes).unwrap();
        repo.run(&["advisories", "status", "--advisories", text(&path)]).exits(3);
        if at % 4096 == 0 {
            let verdict = repo.run(&["check", "--report", "json", "--advisories", text(&path)]).json();
            let found = findings(&verdict, "malware").len() + findings(&verdict, "advisory-introduced").len();
            assert!(found == 2 || verdict["complete"] == false, "byte {at}: {verdict:#}");
        }
    }
}

#[test]
fn a_store_inside_the_judged_tree_is_refused() {
    let made = Made::new();
    let store = made.store();
    let Some(mut repo) = Repo::standing() else { return };
    std::fs::copy(&store, repo.root().join("friendly.store")).unwrap();
    repo.put(&Project::with_new_library());
    let refused = |repo: &Repo, args: &[&str]| {
        let skipped = repo.json(args, 3)["coverage"]["checks_skipped"].to_string();
        assert!(skipped.contains("inside the judged tree"), "{args:?}: {skipped}");
    };
    for path in ["friendly.store", "./src/../friendly.store"] {
        refused(&repo, &["check", "--advisories", path]);
        refused(&repo, &["audit", "--advisories", path]);
    }
    #[cfg(unix)]
    {
        let link = made.path("link.store");
        std::os::unix::fs::symlink(repo.root().join("friendly.store"), &link).unwrap();
        refused(&repo, &["check", "--advisories", text(&link)]);
    }
    // Not by way of the cache either.
    std::fs::create_dir(repo.root().join("cache")).unwrap();
    std::fs::copy(&store, repo.root().join("cache/advisories.store")).unwrap();
    let cache = repo.root().join("cache");
    repo.machine.set("PORTCULLIS_CACHE", text(&cache));
    refused(&repo, &["check"]);
}

#[test]
fn old_data_warns_and_then_refuses() {
    let made = Made::new();
    let store = made.store();
    let Some(repo) = Repo::standing() else { return };
    let check =
        |day: &str| repo.run_at_once(&["check", "--report", "json", "--advisories", text(&store), "--now", day]);
    // Nothing changed: its age is of no concern.
    check("2027-08-20").exits(0);
    repo.put(&Project::standing().needing("beta", "1.0.1", &[]));
    let changed =
        Project { packages: vec![], direct: vec![] }.with("alpha", "1.0.1", &["beta"]).needing("beta", "1.0.0", &[]);
    repo.put(&changed);
    let fresh = check("2026-08-27").exits(0).json();
    assert!(!fresh["coverage"]["checks_skipped"].to_string().contains("days old"), "{fresh:#}");
    let warned = check("2026-08-28").exits(0).json();
    assert!(warned["coverage"]["checks_skipped"].to_string().contains("8 days old"), "{warned:#}");
    check("2026-09-19").exits(0);
    let refused = check("2026-09-20").exits(3).json();
    assert!(refused["coverage"]["checks_skipped"].to_string().contains("31 days old"), "{refused:#}");
    // A setting of the governing revision moves both.
    repo.write(".portcullis/config.toml", "[settings]\nadvisories-refuse-after = \"2w\"\n");
    repo.git(&["add", ".portcullis"]);
    repo.git(&["commit", "-q", "-m", "settings"]);
    check("2026-09-03").exits(0);
    check("2026-09-04").exits(3);
}

#[test]
fn a_cache_that_cannot_be_written_keeps_what_it_has() {
    let made = Made::new();
    let mut machine = Machine::new();
    let import = |machine: &Machine| machine.run(made.folder.path(), &["advisories", "import", "osv", "--now", NOW]);
    // A file stands where the folder should be.
    let file = machine.home().join("occupied");
    std::fs::write(&file, "mine").unwrap();
    machine.set("PORTCULLIS_CACHE", text(&file));
    import(&machine).exits(3);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");

    // A damaged store is not silently replaced by a smaller one.
    let machine = Machine::new();
    import(&machine).exits(0);
    let store = machine.cache().join("advisories.store");
    let good = std::fs::read(&store).unwrap();
    std::fs::write(&store, &good[..good.len() - 1]).unwrap();
    import(&machine).exits(3);
    assert_eq!(std::fs::read(&store).unwrap().len(), good.len() - 1);

    // A read-only folder; whoever may write everywhere cannot see the difference.
    std::fs::write(&store, &good).unwrap();
    set_writable(&machine.cache(), false);
    let before = snapshot(&machine.cache());
    if std::fs::write(machine.cache().join("probe"), "x").is_err() {
        import(&machine).exits(3);
        assert_eq!(snapshot(&machine.cache()), before);
    } else {
        eprintln!("SKIPPED a read-only cache: this user may write everywhere");
    }
    // Nothing half-written lies about after any of it.
    set_writable(&machine.cache(), true);
    for entry in std::fs::read_dir(machine.cache()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(matches!(name.as_str(), "advisories.store" | "probe" | "downloads"), "{name}");
    }
    let names = |folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(machine.cache().join("downloads")), ["lock"]);
}

#[test]
fn every_ecosystem_at_hand_is_stored() {
    let Some(osv) = data("PORTCULLIS_DATA", "osv", "the import of all OSV data") else { return };
    let made = Made::new();
    made.run(&["advisories", "import", text(&osv), "--output", "all.store"]).exits(0);
    let out = made.run(&["advisories", "status", "--advisories", "all.store"]).exits(0);
    for ecosystem in ["cargo", "npm", "pypi", "go", "maven", "rubygems", "packagist", "nuget", "hex"] {
        assert!(out.stdout.contains(ecosystem), "{ecosystem}\n{}", out.stdout);
    }
}
