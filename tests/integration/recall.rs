//! How much of a labelled set the detectors find: `tests/recall/`, one file per detector, written from the public
//! descriptions of each weakness by somebody who had not seen a pattern. `docs/detectors.md` publishes the figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portcullis::detect::{Detectors, Side, WHOLE};
use portcullis::gate::Gate;
use portcullis::gate::config::Config;
use portcullis::language;
use portcullis::model::RepoPath;
use portcullis::model::finding::Level;
use portcullis::policy::pack::Packs;
use portcullis::policy::{BUILT_IN, detectors};
use serde::Deserialize;

use crate::support::portcullis;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    line: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    file: String,
    text: String,
    weak: bool,
    source: String,
}

/// What was found of one detector's set.
#[derive(Default)]
struct Measure {
    weak: usize,
    caught: usize,
    near: usize,
    wrong: usize,
    missed: Vec<String>,
}

impl Measure {
    fn recall(&self) -> f64 {
        self.caught as f64 / self.weak as f64
    }
}

fn gate() -> Gate {
    let packs = BUILT_IN.iter().map(|pack| pack.name.to_owned()).collect();
    Gate { config: Config { packs, ..Config::default() }, ..Gate::default() }
}

fn finds(all: &Detectors, id: &str, line: &Line) -> bool {
    let (path, text) = (RepoPath::new(&line.file), line.text.as_bytes());
    let (language, class) = (language::of(&path, text), language::class(&path));
    let hits = all.scan(&Side { path: &path, language, class, text, lines: &[WHOLE] }).unwrap();
    hits.iter().any(|hit| &*hit.detector == id)
}

fn measure() -> BTreeMap<String, Measure> {
    let all = detectors::known(&gate()).unwrap();
    let mut measures = BTreeMap::new();
    for entry in std::fs::read_dir(portcullis().join("tests/recall")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let suffix = format!("/{name}");
        let id = all.all().map(|d| d.id.to_string()).find(|id| id.ends_with(&suffix));
        let id = id.unwrap_or_else(|| panic!("tests/recall/{name}.toml: no such detector"));
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut measure = Measure::default();
        for line in &file.line {
            assert!(!line.source.is_empty(), "{name}: {} says not where it is from", line.text);
            let found = finds(&all, &id, line);
            if line.weak {
                measure.weak += 1;
                measure.caught += usize::from(found);
                if !found {
                    measure.missed.push(format!("{}: {}", line.file, line.text));
                }
            } else {
                measure.near += 1;
                measure.wrong += usize::from(found);
                if found {
                    measure.missed.push(format!("near miss that is found: {}: {}", line.file, line.text));
                }
            }
        }
        measures.insert(id, measure);
    }
    measures
}

/// The strongest level at which a rule of any pack speaks of a detector.
fn levels() -> BTreeMap<String, Level> {
    let packs = Packs::shipped().unwrap();
    let mut levels: BTreeMap<String, Level> = BTreeMap::new();
    for pack in &packs.packs {
        for rule in &pack.rules {
            let condition = pack.condition(&rule.id).unwrap_or_default();
            for id in condition.split("Detector::\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let level = levels.entry(id.to_owned()).or_insert(rule.level);
                *level = (*level).max(rule.level);
            }
        }
    }
    levels
}

fn table() -> String {
    let (measures, levels) = (measure(), levels());
    let all = detectors::known(&gate()).unwrap();
    let mut text = String::from(
        "# Detectors\n\nThis file is written by `UPDATE_DOCS=1 cargo test the_table_of_detectors_is_current`. *Recall* is \
         how many of the weak entries of `tests/recall/` the detector finds, *near misses* how many of the harmless ones it \
         leaves alone. The set was written from the descriptions of each weakness (CWE, vendors' documentation), without a \
         look at the patterns.\n\n| detector | strongest level | what it finds | recall | near misses left alone |\n\
         |---|---|---|---|---|\n",
    );
    for detector in all.all() {
        let level = levels.get(&*detector.id).map_or("none", |level| level.as_str());
        let figures = measures.get(&*detector.id).map_or(" | |".to_owned(), |m| {
            format!(" {} of {} | {} of {} |", m.caught, m.weak, m.near - m.wrong, m.near)
        });
        writeln!(text, "| `{}` | {level} | {} |{figures}", detector.id, detector.title).unwrap();
    }
    let sum = |of: &dyn Fn(&Measure) -> usize| measures.values().map(of).sum::<usize>();
    writeln!(
        text,
        "\nTogether {} of {} weak entries are found, and {} of {} near misses left alone.",
        sum(&|m| m.caught),
        sum(&|m| m.weak),
        sum(&|m| m.near - m.wrong),
        sum(&|m| m.near)
    )
    .unwrap();
    text
}

#[test]
fn the_table_of_detectors_is_current() {
    let path = portcullis().join("docs/detectors.md");
    let generated = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for (id, measure) in measure() {
            for line in &measure.missed {
                eprintln!("{id}: {line}");
            }
        }
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == generated, "run the tests once with UPDATE_DOCS=1 and look at the diff");
}

/// What can stop a change has to find what it is for.
#[test]
fn detectors_that_deny_find_most_of_the_labelled_set() {
    let levels = levels();
    for (id, measure) in measure() {
        let is_deny = levels.get(&id) == Some(&Level::Deny);
        assert!(!is_deny || measure.recall() >= 0.85, "{id}: {:#?}", measure.missed);
    }
}
