//! Cases as data, and how one is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use portcullis::advisory::import::osv;
use portcullis::advisory::store::{Builder, Layered, Store};
use portcullis::model::RepoPath;
use portcullis::model::finding::Finding;
use portcullis::model::tree::EntryKind;
use portcullis::model::verdict::{Decision, PolicyFrom, Verdict};
use portcullis::revision::{Base, Head};
use portcullis::run::{self, Failure, Request};
use portcullis::subject::Command;
use portcullis::world::memory::{MemoryRepo, MemoryTree};
use portcullis::world::{Env, World};
use serde::Deserialize;

/// When every case takes place.
pub const NOW: &str = "2026-11-22T12:00:00Z";
/// When the invented advisory data was current.
pub const AS_OF: &str = "2026-11-21T00:00:00Z";
/// When base was committed; the protected tip and head follow by a day each.
pub const BASE_TIME: &str = "2026-11-01T00:00:00Z";

/// The revisions a case may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Base,
    Governing,
    Head,
}

/// Which advisory data a run is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The invented records, a day old.
    #[default]
    Invented,
    /// The invented records, half a year old.
    Stale,
    /// A store that holds nothing.
    Empty,
    /// No store at all.
    Absent,
}

/// `case.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// What the case shows.
    pub title: String,
    /// The row of the threat model that it is an example of.
    pub threat: Option<u32>,
    /// `check` or `audit`.
    #[serde(default = "check")]
    pub command: String,
    /// Whether the run decides for a pipeline.
    #[serde(default)]
    pub ci: bool,
    /// `--policy-from`.
    pub policy_from: Option<String>,
    /// The advisory data.
    #[serde(default)]
    pub store: Evidence,
    /// Links and submodules.
    #[serde(default)]
    pub entry: Vec<Special>,
    /// Files whose names or bytes stand here.
    #[serde(default)]
    pub text: Vec<Text>,
}

fn check() -> String {
    "check".to_owned()
}

/// What is no plain file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Special {
    side: Side,
    path: String,
    kind: String,
    target: String,
}

/// A file whose name or bytes a checked-out folder should not hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    side: Side,
    path: String,
    content: String,
    /// Each replaces the next `@@` of the content: a text, and how often it is repeated.
    #[serde(default)]
    repeat: Vec<(String, usize)>,
}

/// `expected.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The decision.
    pub decision: String,
    /// Whether nothing was missing.
    pub complete: bool,
    /// Every finding as `level rule origin subject`, with ` waived` where it is; sorted.
    pub findings: Vec<String>,
    /// Texts of which each must occur in what the run says it skipped.
    #[serde(default)]
    pub skipped: Vec<String>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// `area/name`.
    pub id: String,
    pub spec: Spec,
    pub expected: Expected,
    pub trees: BTreeMap<Side, Files>,
    verdicts: Verdicts,
}

/// What was answered already, by evidence and by who asks.
type Verdicts = Arc<Mutex<Vec<(Evidence, bool, Arc<Verdict>)>>>;

/// Files, links and submodules of a tree.
pub type Files = BTreeMap<RepoPath, (EntryKind, Arc<[u8]>)>;

/// The folder of this package.
pub fn portcullis() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every case, sorted by id; loaded once.
pub fn all() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let root = portcullis().join("tests/cases");
        let mut cases = Vec::new();
        for area in folders(&root) {
            cases.extend(folders(&area).iter().map(|folder| Case::load(&root, folder)));
        }
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        cases
    })
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

impl Case {
    fn load(root: &Path, folder: &Path) -> Self {
        let id = folder.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let spec: Spec = toml::from_str(&read("case.toml")).unwrap_or_else(|e| panic!("{id}/case.toml: {e}"));
        let expected = toml::from_str(&read("expected.toml")).unwrap_or_else(|e| panic!("{id}/expected.toml: {e}"));
        let mut trees: BTreeMap<Side, Files> = BTreeMap::new();
        for (side, name) in [(Side::Base, "base"), (Side::Governing, "governing"), (Side::Head, "head")] {
            let root = folder.join(name);
            if root.is_dir() {
                walk(&root, &RepoPath::root(), trees.entry(side).or_default());
            }
        }
        for special in &spec.entry {
            let kind = match special.kind.as_str() {
                "symlink" => EntryKind::Symlink,
                "submodule" => EntryKind::Submodule,
                other => panic!("{id}/case.toml: kind `{other}`"),
            };
            let item = (kind, Arc::from(special.target.as_bytes()));
            trees.entry(special.side).or_default().insert(RepoPath::from_git(special.path.as_bytes()), item);
        }
        for text in &spec.text {
            let mut content = text.content.clone();
            for (what, times) in &text.repeat {
                content = content.replacen("@@", &what.repeat(*times), 1);
            }
            let item = (EntryKind::File, Arc::from(content.into_bytes()));
            trees.entry(text.side).or_default().insert(RepoPath::from_git(text.path.as_bytes()), item);
        }
        Self { id, spec, expected, trees, verdicts: Verdicts::default() }
    }

    /// Whether it shows an attack.
    pub fn is_evasion(&self) -> bool {
        self.id.starts_with("evasion/")
    }

    /// Whether one revision is judged as it stands.
    pub fn is_audit(&self) -> bool {
        self.spec.command == "audit"
    }

    /// The tree of a side; an empty one where the case has none.
    pub fn tree(&self, side: Side) -> Files {
        self.trees.get(&side).cloned().unwrap_or_default()
    }

    /// The case with one of its trees changed.
    pub fn with(&self, side: Side, tree: Files) -> Self {
        let mut other = self.clone();
        other.trees.insert(side, tree);
        other.verdicts = Verdicts::default();
        other
    }

    /// The repository: base, head on top of it, and beside head the protected tip, which is base itself
    /// where the case has none.
    pub fn repo(&self) -> MemoryRepo {
        const DAY: i64 = 86_400;
        let mut repo = MemoryRepo::default();
        let time = BASE_TIME.parse::<jiff::Timestamp>().unwrap().as_second();
        let tree = |side| {
            let mut tree = MemoryTree::default();
            for (path, (kind, bytes)) in self.tree(side) {
                tree.put(path, kind, bytes.to_vec());
            }
            tree
        };
        repo.commit("base", None, time, tree(Side::Base));
        repo.commit("head", Some("base"), time + 2 * DAY, tree(Side::Head));
        repo.protect("base");
        if self.trees.contains_key(&Side::Governing) {
            repo.commit("origin/main", Some("base"), time + DAY, tree(Side::Governing));
            repo.protect("origin/main");
        }
        repo
    }

    /// The verdict on the case as it is.
    pub fn run(&self) -> Arc<Verdict> {
        self.run_with(self.spec.store, self.spec.ci)
    }

    /// The verdict with other evidence, or for a person instead of a pipeline. Each is made once.
    pub fn run_with(&self, evidence: Evidence, ci: bool) -> Arc<Verdict> {
        let known = |list: &Vec<(Evidence, bool, Arc<Verdict>)>| {
            list.iter().find(|(e, c, _)| (*e, *c) == (evidence, ci)).map(|(.., verdict)| verdict.clone())
        };
        if let Some(verdict) = known(&self.verdicts.lock().unwrap()) {
            return verdict;
        }
        let verdict = self.decide(evidence, ci).unwrap_or_else(|e| panic!("{}: no verdict: {e}", self.id));
        let verdict = Arc::new(verdict);
        self.verdicts.lock().unwrap().push((evidence, ci, verdict.clone()));
        verdict
    }

    /// Runs the case anew.
    pub fn decide(&self, evidence: Evidence, ci: bool) -> Result<Verdict, Failure> {
        let repo = self.repo();
        let env = Env::new();
        let world =
            World { repo: &repo, now: NOW.parse().unwrap(), env: &env, process: None, reviews: None, graph: None };
        let is_audit = self.is_audit();
        let policy_from = match self.spec.policy_from.as_deref() {
            None => PolicyFrom::Governing,
            Some(word) => PolicyFrom::from_word(word).unwrap(),
        };
        let request = Request {
            command: if is_audit { Command::Audit } else { Command::Check },
            // A case of three revisions has its base found, as a pipeline does.
            base: if self.trees.contains_key(&Side::Governing) { Base::Found } else { Base::Rev("base".to_owned()) },
            head: Head::Rev("head".to_owned()),
            governing: portcullis::revision::Governing::Found,
            note: None,
            policy_from,
            ci,
            overrides: Vec::new(),
            lockfiles: Vec::new(),
            add_packs: Vec::new(),
            store_is_named: false,
        };
        let store = || store(evidence);
        if is_audit { run::audit::audit(&request, &world, &store) } else { run::check::check(&request, &world, &store) }
    }
}

fn walk(folder: &Path, at: &RepoPath, into: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = at.join(&name).unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &path, into);
        } else {
            // Git may have checked fixtures out with other line ends; a case that needs some says so in case.toml.
            let bytes = std::fs::read(entry.path()).unwrap();
            into.insert(path, (EntryKind::File, Arc::from(bytes)));
        }
    }
}

/// The advisory data that a run gets: a file, as users have one. (A store in static memory counts as the built-in one.)
fn store(evidence: Evidence) -> run::Advisories {
    static FILES: OnceLock<[PathBuf; 3]> = OnceLock::new();
    let [fresh, stale, empty] = FILES.get_or_init(|| {
        let put = |name: &str, bytes: Vec<u8>| {
            // Several test processes may write at once, and each the same bytes.
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.store", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        [
            put("fresh", invented_store(AS_OF)),
            put("stale", invented_store("2026-05-21T00:00:00Z")),
            put("empty", Builder::new().build().unwrap()),
        ]
    });
    let path = match evidence {
        Evidence::Absent => return Err("there is no advisory store".to_owned()),
        Evidence::Invented => fresh,
        Evidence::Stale => stale,
        Evidence::Empty => empty,
    };
    Ok(Layered::only(Store::open(path).unwrap()))
}

/// The invented advisories, which lie beside the cases about them, as a store.
fn invented_store(as_of: &str) -> Vec<u8> {
    let as_of = as_of.parse().unwrap();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(portcullis().join("tests/cases/advisories"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    let mut builder = Builder::new();
    for path in paths {
        builder.add(osv::read_file(&path, Some(as_of), NOW.parse().unwrap()).unwrap());
    }
    builder.build().unwrap()
}

/// A finding as `expected.toml` writes it. Where a purl names its source, that is left out.
pub fn line(finding: &Finding) -> String {
    let purl = finding.subject.purl.as_deref().map(|purl| purl.split_once('?').map_or(purl, |(bare, _)| bare));
    let subject = purl.unwrap_or_else(|| finding.location.as_ref().map_or("?", |place| place.file.as_str()));
    let origin = finding.origin.map_or("-", portcullis::model::finding::Origin::as_str);
    let waived = if finding.waived_by.is_some() { " waived" } else { "" };
    format!("{} {} {origin} {subject}{waived}", finding.level, finding.rule)
}

/// All findings of a verdict as `expected.toml` writes them.
pub fn lines(verdict: &Verdict) -> Vec<String> {
    let mut lines: Vec<String> = verdict.findings.iter().map(line).collect();
    lines.sort();
    lines
}

/// Whether a verdict lets the change through.
pub fn allows(verdict: &Verdict) -> bool {
    verdict.decision == Decision::Allow
}
