//! What each fuzz target does with its bytes: one body per untrusted input. A body fails by panicking, and asserts what
//! must hold whatever the input is. `fuzz_targets/` hands bodies to libFuzzer; `tests/integration/fuzz.rs` replays the
//! seeds, and mutations of them, through all of them.
//!
//! A body that needs files takes one text: a line `=== path` begins a file, and for [`check_pair`] and [`diff`] a line
//! `#### head` ends base.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a body fails by panicking")]

use std::str::from_utf8;
use std::sync::OnceLock;

use portcullis::advisory::import::{Imported, osv, rustsec as rustsec_import};
use portcullis::advisory::store::{Builder, Layered, Store};
use portcullis::advisory::{built_in, matching, severity};
use portcullis::detect::rules::parse as parse_detectors;
use portcullis::detect::{Detectors, Side as Scanned, WHOLE, cancel};
use portcullis::diff::lines::{LineIndex, add_rezoned, changed};
use portcullis::diff::packages::{Standing, changes};
use portcullis::discover::Snapshot;
use portcullis::ecosystem::cargo::{Cargo, config as cargo_configuration, lockfile, manifest};
use portcullis::ecosystem::{FORMATS, Rules, View};
use portcullis::evidence::workflow::{Surroundings, gate as gate_of_workflow, new as new_weaknesses, weaknesses};
use portcullis::gate::config::{Config, Settings};
use portcullis::gate::edit::{NewApproval, NewWaiver, approve, waive};
use portcullis::gate::ledger::{Bound, Ledger, WaiverSubject};
use portcullis::gate::{Gate, PackFile};
use portcullis::language;
use portcullis::language::content::{Content, content};
use portcullis::language::lex::regions;
use portcullis::model::advisory::{Skipped, SourceAge};
use portcullis::model::change::Depth;
use portcullis::model::finding::Level;
use portcullis::model::inventory::{Inventory, Package, Scope, Span};
use portcullis::model::path::glob as glob_matches;
use portcullis::model::verdict::{Decision, PolicyFrom, Verdict};
use portcullis::model::{Ecosystem, RepoPath, graph, purl as purls};
use portcullis::policy::cases;
use portcullis::policy::engine::{Engine, context};
use portcullis::policy::pack::Packs;
use portcullis::report::{Format, Look, escape as escapes, render};
use portcullis::revision::Head;
use portcullis::run::check::check;
use portcullis::run::{Advisories, Failure, Request, packages};
use portcullis::subject::{Command, Kind, Subject, Value, quiet};
use portcullis::world::memory::{Files, MemoryRepo, MemoryTree};
use portcullis::world::{Env, World};

/// Panics where what must hold does not.
pub type Body = fn(&[u8]);

/// Every body under the name of its target.
pub const BODIES: &[(&str, Body)] = &[
    ("cargo_config", cargo_config),
    ("cargo_lock", cargo_lock),
    ("cargo_manifest", cargo_manifest),
    ("cargo_project", cargo_project),
    ("check_pair", check_pair),
    ("config", config),
    ("cvss", cvss),
    ("detectors", detectors),
    ("diff", diff),
    ("escape", escape),
    ("formats", formats),
    ("glob", glob),
    ("ledger", ledger),
    ("lines", lines),
    ("osv_record", osv_record),
    ("policy_pack", policy_pack),
    ("purl", purl),
    ("rustsec_record", rustsec_record),
    ("spdx", spdx),
    ("store", store),
    ("workflow", workflow),
];

/// Inputs of the bodies that do more than read are cut here, so that a run tries many.
const MOST: usize = 64 << 10;

/// The time of every run.
const NOW: &str = "2026-11-22T10:00:00Z";

fn lines_of(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// `Cargo.lock`.
pub fn cargo_lock(bytes: &[u8]) {
    let Ok(lock) = lockfile::parse(bytes) else { return };
    let count = lock.packages.len();
    assert_eq!(lock.first_edge.len(), count + 1, "one row a package");
    assert!(lock.first_edge.is_sorted(), "rows follow each other");
    assert_eq!(lock.first_edge.last().copied(), Some(lock.edges.len() as u32), "every edge has a row");
    assert!(lock.edges.iter().all(|to| (*to as usize) < count), "no edge leads out");
    for (index, package) in lock.packages.iter().enumerate() {
        assert!(lock.needs(index).is_sorted_by(|a, b| a < b), "a row is sorted and names nothing twice");
        assert!(!package.name.is_empty() && !package.version.is_empty());
        assert!(0 < package.line && package.line <= package.end_line && package.end_line <= lines_of(bytes));
        assert!(package.replaced_by.is_none_or(|to| (to as usize) < count));
        let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        assert!(package.checksum.as_deref().is_none_or(is_digest));
    }
    // What says nothing changes nothing.
    let longer = [bytes, b"\n# nothing\n"].concat();
    assert_eq!(lockfile::parse(&longer).as_ref(), Ok(&lock));
}

/// `Cargo.toml`.
pub fn cargo_manifest(bytes: &[u8]) {
    let Ok(manifest) = manifest::parse(bytes) else { return };
    let inherited = manifest.workspace.iter().flat_map(|workspace| &workspace.dependencies);
    let patches = manifest.patches.iter().map(|patch| &patch.with);
    for dependency in manifest.dependencies.iter().chain(inherited).chain(patches) {
        assert!(0 < dependency.line && dependency.line <= lines_of(bytes), "{dependency:?}");
    }
}

/// `.cargo/config.toml`.
pub fn cargo_config(bytes: &[u8]) {
    let Ok(config) = cargo_configuration::parse(bytes) else { return };
    assert!(config.redirects.is_sorted_by(|a, b| a < b), "sorted, each once");
    let lines = config.redirects.iter().map(|redirect| redirect.line);
    let lines = lines.chain(config.paths.iter().map(|(_, line)| *line));
    for line in lines.chain(config.includes.iter().map(|(_, line)| *line)) {
        assert!(0 < line && line <= lines_of(bytes));
    }
}

/// The files that a text holds; see the head of this file.
fn files(bytes: &[u8]) -> Files {
    let mut files = Files::new();
    let mut at = RepoPath::new("Cargo.toml");
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"=== ") {
            Some(path) => {
                at = RepoPath::new(&String::from_utf8_lossy(path.trim_ascii()));
                files.insert(at.clone(), Vec::new());
            }
            None => files.entry(at.clone()).or_default().extend_from_slice(line),
        }
    }
    // No tree holds its own root.
    files.remove(&RepoPath::root());
    files
}

/// Two sets of files: both the same where nothing divides the text.
fn pair(bytes: &[u8]) -> (Files, Files) {
    const BORDER: &[u8] = b"#### head\n";
    match bytes.windows(BORDER.len()).position(|window| window == BORDER) {
        Some(at) => (files(&bytes[..at]), files(&bytes[at + BORDER.len()..])),
        None => (files(bytes), files(bytes)),
    }
}

/// Every project of a tree, found and read.
fn inventories(files: Files) -> Vec<Inventory> {
    let tree = MemoryTree::new(files);
    let snapshot = Snapshot::new(&tree).unwrap();
    let mirrors = ["https://registry.example/index".to_owned()];
    let mut found = Vec::new();
    for format in FORMATS {
        for project in format.projects(&snapshot).unwrap_or_default() {
            if let Ok(inventory) = format.read(&project, View::new(&snapshot, &mirrors)) {
                assert!(snapshot.holds(&inventory.inputs), "inputs are what the tree holds");
                found.push(inventory);
            }
        }
    }
    found
}

fn assert_sound(inventory: &Inventory) {
    let count = inventory.packages.len();
    assert_eq!(inventory.first_edge.len(), count + 1, "one row a package");
    assert!(inventory.first_edge.is_sorted(), "rows follow each other");
    assert!(inventory.edges.iter().all(|to| (*to as usize) < count), "no edge leads out");
    assert!(inventory.roots.iter().flat_map(|root| &root.needs).all(|to| (*to as usize) < count));
    let key = |p: &Package| (p.ecosystem, p.name.clone(), p.version.clone(), p.source.clone());
    assert!(inventory.packages.is_sorted_by_key(key), "packages are sorted");
    let spans = inventory.packages.iter().map(|package| package.span);
    for span in spans.chain(inventory.disagreements.iter().map(|disagreement| disagreement.span)) {
        assert!(inventory.path_of(span).is_some(), "{span:?} lies in no input");
    }
    for (index, package) in inventory.packages.iter().enumerate().take(50) {
        assert!(!graph::closure(inventory, index).contains(&index));
        let path = graph::why(inventory, index);
        assert!(path.is_empty() || path.last() == Some(&package.label()));
        let purl = purls::of_package(package);
        if package.is_locked && package.ecosystem == Ecosystem::Cargo && Cargo.is_name(&package.name) {
            let named = purls::parse(&purl, Ecosystem::Cargo).unwrap();
            assert_eq!((named.ecosystem, &*named.name), (package.ecosystem, &*package.name), "{purl}");
        }
    }
}

/// Manifests, lockfiles and configuration of one tree.
pub fn cargo_project(bytes: &[u8]) {
    for inventory in inventories(files(&bytes[..bytes.len().min(MOST)])) {
        assert_sound(&inventory);
        let mut standing = Standing::default();
        standing.add(&inventory);
        assert!(changes(Some(&inventory), Some(&inventory), &standing).is_empty(), "nothing differs from itself");
    }
}

/// Trees of every ecosystem; and the same bytes as each kind of file that some format reads.
pub fn formats(bytes: &[u8]) {
    cargo_project(bytes);
    for kind in FORMATS.iter().flat_map(|format| format.kinds()) {
        let path = RepoPath::new(&kind.pattern.replace("**/", "").replace('*', "x"));
        for inventory in inventories(Files::from([(path, bytes[..bytes.len().min(MOST)].to_vec())])) {
            assert_sound(&inventory);
        }
    }
}

/// The projects of two trees, compared whatever their folders are.
pub fn diff(bytes: &[u8]) {
    let (base, head) = pair(&bytes[..bytes.len().min(MOST)]);
    let (base, head) = (inventories(base), inventories(head));
    let mut standing = Standing::default();
    base.iter().for_each(|inventory| standing.add(inventory));
    let count = base.len().max(head.len()).min(8);
    for index in 0..count {
        let (base, head) = (base.get(index), head.get(index));
        let found = changes(base, head, &standing);
        for change in &found {
            assert!(change.before.is_some() || change.after.is_some(), "{change:?}");
            assert!(change.under.iter().chain(&change.closure).all(|id| found.iter().any(|other| other.id == *id)));
        }
        let mut ids: Vec<&str> = found.iter().map(|change| change.id.as_str()).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|a, b| a < b), "ids tell changes apart: {ids:?}");
        // No package of head is passed over: what base does not hold in the same form is a change.
        let held = |p: &Package| {
            base.is_some_and(|base| {
                base.packages.iter().any(|b| {
                    // A checksum that base lacks contradicts nothing.
                    (&b.name, &b.version, &b.source) == (&p.name, &p.version, &p.source)
                        && (b.checksum.is_none() || b.checksum == p.checksum)
                })
            })
        };
        for package in head.iter().flat_map(|head| &head.packages).filter(|p| p.is_locked && !held(p)) {
            let said = |c: &portcullis::model::change::Change| {
                c.name == *package.name && c.after.as_ref().is_some_and(|after| after.version == *package.version)
            };
            assert!(found.iter().any(said), "{} is new and passed over", package.label());
        }
    }
}

/// A change from the first look to the report.
pub fn check_pair(bytes: &[u8]) {
    let (base, head) = pair(&bytes[..bytes.len().min(MOST)]);
    let with = |repo: &MemoryRepo, data: &dyn Fn() -> Advisories| -> Result<Verdict, Failure> {
        let env = Env::new();
        let world = World { repo, now: NOW.parse().unwrap(), env: &env, process: None, reviews: None, graph: None };
        let request = Request {
            command: Command::Check,
            base: portcullis::revision::Base::Rev("base".to_owned()),
            head: Head::Rev("head".to_owned()),
            governing: portcullis::revision::Governing::Found,
            note: None,
            policy_from: PolicyFrom::Governing,
            ci: false,
            overrides: Vec::new(),
            lockfiles: Vec::new(),
            add_packs: Vec::new(),
            store_is_named: false,
        };
        check(&request, &world, data)
    };
    let data = || Ok(Layered::with_baseline(None, built_in().unwrap()));
    let same = MemoryRepo::new(head.clone(), head.clone());
    if let Ok(verdict) = with(&same, &data) {
        assert_eq!(verdict.decision, Decision::Allow, "nothing differs from itself");
        assert!(verdict.complete && verdict.changes.is_empty() && verdict.findings.is_empty());
    }
    let repo = MemoryRepo::new(base, head);
    let Ok(verdict) = with(&repo, &data) else { return };
    assert_reports(&verdict);
    let again = with(&repo, &data).unwrap();
    assert_eq!(verdict, again, "same inputs, same verdict");
    let without = with(&repo, &|| Err("there is no advisory data".to_owned())).unwrap();
    if verdict.decision != Decision::Allow {
        assert_ne!(without.decision, Decision::Allow, "less evidence lets nothing through");
    }
    assert!(verdict.complete || verdict.decision != Decision::Allow, "incomplete is no pass");
}

fn assert_reports(verdict: &Verdict) {
    let looks = [
        Look::default(),
        Look { colour: false, width: 1, verbose: 2, quiet: false },
        Look { colour: false, width: 72, verbose: 1, quiet: false },
        Look { colour: false, width: 80, verbose: 0, quiet: true },
    ];
    for look in looks {
        let text = render(Format::Human, verdict, &look);
        assert_safe(&text);
    }
    let coloured = render(Format::Human, verdict, &Look { colour: true, width: 100, verbose: 1, quiet: false });
    assert!(coloured.ends_with('\n'));
    let text = render(Format::Json, verdict, &Look::default());
    assert_safe(&text);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["decision"], verdict.decision.as_str());
}

/// Nothing in a report steers a terminal, or a runner that reads its log.
fn assert_safe(text: &str) {
    let unsafe_at = text.chars().find(|c| *c != '\n' && escapes::is_unsafe(*c));
    assert_eq!(unsafe_at, None, "{text}");
    assert!(!text.contains("##["), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
}

/// `.portcullis/config.toml`.
pub fn config(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    let Ok(config) = Config::parse(text) else { return };
    for path in ["Cargo.lock", "a/fixtures/Cargo.toml", "ä/b c/*"] {
        let path = RepoPath::new(path);
        let judged = config.judges(&path);
        assert!(!judged || !config.include.is_empty());
    }
    let settings = &config.settings;
    assert!(settings.fail_on_severity > 0 && settings.min_release_age >= 0);
    assert!(settings.advisories_warn_after >= 0 && settings.advisories_refuse_after >= 0);
    let _ = config.mirrors(Ecosystem::Cargo);
}

fn new_approval(text: &str) -> NewApproval {
    let zeros = format!("sha256:{}", "0".repeat(64));
    NewApproval {
        packages: vec![
            Bound { purl: "pkg:cargo/one@1.0.0".to_owned(), checksum: Some(zeros) },
            Bound { purl: "pkg:cargo/two@2.0.0".to_owned(), checksum: None },
        ],
        depth: Depth::Inspected,
        scope: Scope::Build,
        by: format!("alice{text}"),
        on: "2026-11-22".parse().unwrap(),
        reason: format!("read {text}"),
        expires: Some("2027-11-22".parse().unwrap()),
    }
}

/// `.portcullis/ledger.toml`, read and edited.
pub fn ledger(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    // What a person types goes into the file as it is.
    let new = new_approval(text);
    let fresh = Ledger::parse(&approve("", &new).unwrap()).unwrap();
    let entry = &fresh.approvals[0];
    assert_eq!((&entry.packages, &entry.by, &entry.reason), (&new.packages, &new.by, &new.reason));

    let Ok(before) = Ledger::parse(text) else {
        assert!(approve(text, &new_approval("")).is_err(), "a broken ledger is not written to");
        return;
    };
    // Entries written inline cannot be added to, and that is said.
    let Ok(edited) = approve(text, &new_approval("")) else { return };
    let after = Ledger::parse(&edited).unwrap();
    assert_eq!(after.approvals.len(), before.approvals.len() + 1);
    let plain = |ledger: &Ledger| {
        let approvals: Vec<_> = ledger.approvals.iter().map(|a| (a.id.clone(), a.reason.clone())).collect();
        let waivers: Vec<_> = ledger.waivers.iter().map(|w| (w.id.clone(), w.reason.clone())).collect();
        (approvals, waivers)
    };
    let (old, new) = (plain(&before), plain(&after));
    assert_eq!(old.1, new.1, "waivers stay");
    assert!(old.0.iter().all(|entry| new.0.contains(entry)), "approvals stay");
    // A line that was there is there; the parser writes CRLF as LF.
    let kept = edited.replace("\r\n", "\n");
    assert!(text.replace("\r\n", "\n").lines().all(|line| kept.contains(line)), "{edited}");
}

/// What a person types for a package, and what a waiver covers.
pub fn purl(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    if let Ok(canonical) = purls::canonical(text) {
        assert_eq!(purls::canonical(&canonical).as_ref(), Ok(&canonical), "one spelling");
    }
    if let Ok(named) = purls::parse(text, Ecosystem::Cargo) {
        assert!(!named.name.is_empty());
        let written = purls::simple(named.ecosystem, &named.name, named.version.as_deref());
        if text.starts_with("pkg:") || Cargo.is_name(&named.name) {
            let back = purls::parse(&written, Ecosystem::Cargo);
            assert_eq!(back.as_ref().map(|b| (b.ecosystem, &b.name)), Ok((named.ecosystem, &named.name)), "{written}");
        }
    }
    let new = NewWaiver {
        rule: "advisory-introduced".to_owned(),
        subject: text.to_owned(),
        project: Some(text.to_owned()),
        by: "bob".to_owned(),
        on: "2026-11-22".parse().unwrap(),
        reason: "because".to_owned(),
        expires: "2026-12-22".parse().unwrap(),
    };
    for new in [NewWaiver { project: None, ..new.clone() }, new] {
        if let Ok(edited) = waive("", &new) {
            let ledger = Ledger::parse(&edited).unwrap();
            let is_package = matches!(ledger.waivers[0].subject, WaiverSubject::Package { .. });
            assert_eq!(is_package, text.starts_with("pkg:"));
        }
    }
}

/// A pack of the user's own: `=== pack.toml`, `=== rules.cedar`, `=== cases/x.toml`.
pub fn policy_pack(bytes: &[u8]) {
    let files = files(&bytes[..bytes.len().min(MOST)]).into_iter();
    let files = files.map(|(path, bytes)| PackFile {
        pack: "own".to_owned(),
        name: path.as_str().to_owned(),
        path: format!(".portcullis/policies/own/{path}"),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    });
    let config = Config { packs: vec!["own".to_owned()], ..Config::default() };
    let Ok(packs) = Packs::load(&Gate { config, packs: files.collect(), ..Gate::default() }) else { return };
    for pack in &packs.packs {
        // A case that cannot be read is an error; what was read has an answer.
        let _ = cases::run(&packs, pack);
    }
    let engine = Engine::new(&packs, context(Command::Check, true, &Settings::default()));
    for kind in Kind::ALL {
        let mut attributes = quiet(*kind);
        if attributes.contains_key("name") {
            attributes.insert("name", Value::Text("own::\"name\" \u{1b}".to_owned()));
        }
        let asked = Subject { kind: *kind, attributes, words: [("package", "{name} {package}".to_owned())].into() };
        for statement in engine.ask(&asked) {
            let known = packs.rules().any(|rule| rule.id == statement.rule.id && rule.kind == *kind);
            assert!(known || statement.rule.level == Level::Deny, "{statement:?}");
        }
    }
}

/// How current the data made here is.
fn sources() -> Vec<SourceAge> {
    let source =
        |name: &str| SourceAge { ecosystem: name.to_owned(), as_of: NOW.to_owned(), records: 1, built_in: false };
    vec![source("cargo")]
}

/// What the store makes of a record must be what it says again.
fn assert_kept(record: portcullis::model::advisory::Record, skipped: Vec<Skipped>) {
    let mut builder = Builder::new();
    builder.add(Imported { sources: sources(), records: vec![record.clone()], skipped });
    let bytes = builder.build().unwrap();
    let store = Store::from_bytes(bytes.clone()).unwrap();
    store.verify_all().unwrap();
    assert!(store.id(&record.id).unwrap().is_some(), "{} is not found", record.id);
    for affected in &record.affected {
        let hits = store.lookup(&affected.ecosystem, &affected.name).unwrap();
        assert_eq!(hits.iter().any(|hit| hit.id == record.id), !record.withdrawn, "{affected:?}");
    }
    let mut again = Builder::new();
    again.add_store(&store).unwrap();
    assert!(again.build().unwrap() == bytes, "a store of a store is that store");
    let layered = Layered::only(store);
    for affected in record.affected.iter().take(8) {
        let named = affected.versions.iter().chain(&affected.fixed).map(String::as_str);
        for version in named.take(8).chain(["1.0.0", "no version", ""]) {
            let outcome = matching::matches(&layered, Ecosystem::Cargo, &affected.name, version).unwrap();
            let is_named = affected.ecosystem == "crates.io" && affected.versions.iter().any(|v| v == version);
            assert!(!is_named || record.withdrawn || !outcome.matched.is_empty(), "{version} is named and not matched");
        }
    }
}

/// One OSV record.
pub fn osv_record(bytes: &[u8]) {
    let Ok((record, skipped)) = osv::record(&bytes[..bytes.len().min(MOST)]) else { return };
    assert_kept(record, skipped);
}

/// One RustSec advisory. Its crate panics on what it cannot read, which is caught; no fuzzer may take that for ours.
pub fn rustsec_record(bytes: &[u8]) {
    let Ok(text) = from_utf8(&bytes[..bytes.len().min(MOST)]) else { return };
    let Ok(record) = rustsec_import::record(text) else { return };
    assert_eq!(record.affected.len(), 1);
    assert_kept(record, Vec::new());
}

/// A store with something in every table of its format.
fn sample() -> &'static [u8] {
    static SAMPLE: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let record = |id: &str, alias: &str, name: &str, more: &str| {
            let text = format!(
                r#"{{"id":"{id}","modified":"{NOW}","published":"{NOW}","aliases":["{alias}"]{more},
                "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}],
                "affected":[{{"package":{{"ecosystem":"crates.io","name":"{name}"}},"versions":["9.9.9"],
                "ranges":[{{"type":"SEMVER","events":[{{"introduced":"1.0.0"}},{{"fixed":"1.2.3"}}]}}]}}]}}"#
            );
            osv::record(text.as_bytes()).unwrap().0
        };
        let records = vec![
            record("EX-1", "EX-2", "one", ""),
            record("EX-2", "EX-1", "one", ""),
            record("EX-3", "EX-4", "two", ""),
            record("EX-5", "EX-6", "three", r#","withdrawn":"2026-01-01T00:00:00Z""#),
        ];
        let aside = |id: &str, package: Option<(String, String)>| Skipped {
            id: id.to_owned(),
            reason: "cannot be read".to_owned(),
            package,
        };
        let skipped = vec![aside("EX-7", None), aside("EX-8", Some(("crates.io".to_owned(), "two".to_owned())))];
        let mut builder = Builder::new();
        builder.add(Imported { sources: sources(), records, skipped });
        builder.build().unwrap()
    })
}

/// Puts right every page's checksum, so that what lies behind is reached.
fn seal(bytes: &mut [u8]) {
    for (number, page) in bytes.chunks_exact_mut(4096).enumerate() {
        let (body, crc) = page.split_at_mut(4092);
        let number = (number as u64).to_le_bytes();
        crc.copy_from_slice(&crc32(body.iter().chain(&number)).to_le_bytes());
    }
}

/// CRC-32 as in zip (polynomial 0xEDB88320).
fn crc32<'b>(bytes: impl Iterator<Item = &'b u8>) -> u32 {
    static TABLE: OnceLock<[u32; 256]> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        std::array::from_fn(|n| (0..8).fold(n as u32, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 }))
    });
    !bytes.fold(!0, |crc, byte| table[((crc ^ u32::from(*byte)) & 255) as usize] ^ (crc >> 8))
}

/// The advisory store: after a first byte of zero the file itself, else triples (offset, offset, value) of bytes that
/// are changed in a whole one and sealed again.
pub fn store(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let file = match mode {
        0 => rest.to_vec(),
        _ => {
            let mut file = sample().to_vec();
            for edit in rest.chunks_exact(3) {
                let offset = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % file.len();
                file[offset] ^= edit[2];
            }
            seal(&mut file);
            file
        }
    };
    let untouched = file == sample();
    let Ok(store) = Store::from_bytes(file) else {
        assert!(!untouched);
        return;
    };
    let _ = (store.sources().len(), store.as_of().len(), store.digest().len(), store.loose_skipped().len());
    for name in ["one", "two", "three", "four", ""] {
        let _ = (store.lookup("crates.io", name), store.skipped("crates.io", name));
    }
    for id in ["EX-1", "EX-2", "EX-5", "EX-9", ""] {
        let _ = store.id(id);
    }
    let whole = store.verify_all().is_ok();
    assert!(whole || !untouched);
    if let (true, Ok(exported)) = (whole, store.export()) {
        let mut builder = Builder::new();
        builder.add(exported);
        assert!(Store::from_bytes(builder.build().unwrap()).is_ok());
    }
    let layered = Layered::with_baseline(Some(store), Store::from_bytes(sample().to_vec()).unwrap());
    let _ = layered.sources();
    for (name, version) in [("one", "1.1.0"), ("two", "9.9.9"), ("three", "1.0.0"), ("four", "x")] {
        let _ = matching::matches(&layered, Ecosystem::Cargo, name, version);
    }
}

/// CVSS vectors, one a line.
pub fn cvss(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    for line in text.lines() {
        let Some(score) = severity::score(line) else { continue };
        assert!((0.0..=10.0).contains(&score), "{line}: {score}");
        assert_eq!((score * 10.0).round() / 10.0, score, "{line}: tenths");
    }
    match severity::best(text.lines()) {
        Some(best) => assert!(text.lines().any(|line| line.trim() == best) && severity::score(best).is_some()),
        None => assert!(text.lines().all(|line| severity::score(line).is_none())),
    }
}

/// A licence expression, as a subject's facts.
pub fn spdx(bytes: &[u8]) {
    let Ok(text) = from_utf8(&bytes[..bytes.len().min(MOST)]) else { return };
    let package = Package::new(Ecosystem::Cargo, "one", "1.0.0", Span::default());
    let subject = packages::standing(&package, Some(text));
    for name in ["licenseAlt1", "licenseAlt2", "licenseAlt3"] {
        match subject.attributes.get(name) {
            None => {}
            Some(Value::Texts(all)) => {
                assert!(!all.is_empty(), "an alternative asks for something");
                assert!(subject.attributes.contains_key("licenseMore"));
            }
            Some(other) => assert!(matches!(other, Value::Texts(_)), "{other:?}"),
        }
    }
}

/// Text for terminals, shells and JSON.
pub fn escape(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = escapes::terminal(&text);
    assert!(!shown.chars().any(escapes::is_unsafe), "{shown}");
    assert_eq!(escapes::terminal(&shown), shown, "twice is once");
    assert_safe(&shown);
    for max in [0, 1, 7, 80] {
        assert_safe(&escapes::clipped(&text, max));
    }
    let word = escapes::shell_word(&text);
    assert_safe(&word);
    let said = match word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(quoted) => {
            let pieces: Vec<&str> = quoted.split(r"'\''").collect();
            assert!(pieces.iter().all(|piece| !piece.contains('\'')), "{word}");
            pieces.join("'")
        }
        None => word.clone(),
    };
    assert_eq!(said, shown, "a shell reads one word: the text shown");
    let json = escapes::json(&serde_json::to_string_pretty(&[&text]).unwrap());
    assert!(!json.chars().any(|c| c != '\n' && escapes::is_unsafe(c)), "{json}");
    assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [&*text], "JSON keeps its meaning");
}

/// A glob on the first line, paths on the others.
pub fn glob(bytes: &[u8]) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
    let (pattern, paths) = text.split_once('\n').unwrap_or((&text, ""));
    for line in paths.lines().take(16) {
        let path = RepoPath::new(line);
        let matched = glob_matches(pattern, &path);
        assert!(glob_matches("**", &path));
        assert_eq!(glob_matches(pattern, &path), matched);
        let literal = path.as_str();
        if !literal.is_empty() && !literal.contains(['*', '?']) {
            assert!(glob_matches(&format!("/{literal}"), &path), "{literal} does not match itself");
        }
    }
}

/// A user's `detectors.toml`: read or refused, and then it scans its own text.
pub fn detectors(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    let Ok(found) = parse_detectors("own", "detectors.toml", text, true) else { return };
    let (all, path) = (Detectors::new(found), RepoPath::new("src/a.py"));
    let (language, class) = (language::of(&path, bytes), language::class(&path));
    let side = Scanned { path: &path, language, class, text: bytes, lines: &[WHOLE] };
    if let Ok(hits) = all.scan(&side) {
        assert!(cancel(hits.clone(), &hits).is_empty(), "what stood before is no addition");
        assert!(hits.iter().all(|hit| hit.line >= 1 && hit.line <= hit.end_line));
    }
}

/// Two texts of one file, base's and head's: the first line is the path, a line `#### head` ends base's text.
pub fn lines(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let path = RepoPath::from_git(&bytes[..end.min(80)]);
    let rest = bytes.get(end + 1..).unwrap_or_default();
    let middle = b"#### head\n";
    let at = rest.windows(middle.len()).position(|part| part == middle).unwrap_or(rest.len());
    let texts = [&rest[..at], rest.get(at + middle.len()..).unwrap_or_default()];
    let [before, after] = texts.map(|text| match content(&path, text) {
        Content::Text(text) => text.into_owned(),
        Content::Binary { .. } => Vec::new(),
    });
    let (old, new) = (LineIndex::new(&before), LineIndex::new(&after));
    let mut differs = changed(&before, &after);
    let count = |ranges: &[std::ops::Range<u32>]| ranges.iter().map(|range| range.len()).sum::<usize>();
    assert_eq!(
        old.len() - count(&differs.removed),
        new.len() - count(&differs.added),
        "what is equal stands on both sides"
    );
    let zones = |text: &[u8]| regions(language::of(&path, text), text);
    let (of_old, of_new) = (zones(&before), zones(&after));
    add_rezoned(&mut differs, (&old, &of_old), (&new, &of_new));
    assert_eq!(old.len() - count(&differs.removed), new.len() - count(&differs.added));
    assert_eq!(changed(&after, &after), Default::default());
    for offset in 0..after.len().min(4_096) {
        let _ = of_new.at(offset);
    }
}

/// A workflow: weak or not, the same twice is nothing new, and the gate in it stays as it is.
pub fn workflow(bytes: &[u8]) {
    for path in [".github/workflows/ci.yml", "action.yml"] {
        let path = RepoPath::new(path);
        let around = Surroundings::of(Some("owner/name"), [(&path, bytes)]);
        if let Ok(weak) = weaknesses(&path, bytes, &around) {
            assert!(new_weaknesses(&weak, &weak).is_empty());
        }
        if let Ok(weak) = gate_of_workflow(Some(bytes), Some(bytes), &path) {
            assert!(weak.is_empty(), "{weak:?}");
        }
    }
}
