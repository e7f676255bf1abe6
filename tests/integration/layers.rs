//! The shape of the sources: who may use whom, and that nothing lies about unregistered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cedar_policy::{PolicySet, ValidationMode, Validator};
use portcullis::gate::Gate;
use portcullis::gate::config::Config;
use portcullis::policy::pack::{Packs, cedar_schema};
use portcullis::policy::{BUILT_IN, cases, detectors};
use portcullis::subject::{Kind, context_attributes, schema};

use crate::support::portcullis;

/// Which modules each module may use, itself aside. What is not needed is not allowed: an edge that goes away has to
/// be taken out here, and a new one is a decision.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("text", &[]),
    ("language", &["model"]),
    ("report", &["model", "text"]),
    ("subject", &["model"]),
    ("world", &["model"]),
    ("ecosystem", &["model", "text"]),
    ("forge", &["model", "report", "world"]),
    ("revision", &["model", "world"]),
    ("advisory", &["ecosystem", "model", "text", "world"]),
    ("evidence", &["ecosystem", "model", "text"]),
    ("detect", &["gate", "language", "model", "text"]),
    ("diff", &["ecosystem", "gate", "language", "model"]),
    ("discover", &["ecosystem", "gate", "model", "text", "world"]),
    ("gate", &["model", "policy", "text", "world"]),
    ("policy", &["detect", "gate", "model", "subject", "text"]),
    ("verdict", &["gate", "model"]),
    (
        "run",
        &[
            "advisory",
            "detect",
            "diff",
            "discover",
            "ecosystem",
            "evidence",
            "gate",
            "language",
            "model",
            "policy",
            "revision",
            "subject",
            "text",
            "verdict",
            "world",
        ],
    ),
    (
        "cli",
        &[
            "advisory",
            "detect",
            "discover",
            "ecosystem",
            "forge",
            "gate",
            "model",
            "policy",
            "report",
            "revision",
            "run",
            "subject",
            "world",
        ],
    ),
    // The thin binary.
    ("main", &["cli", "model"]),
    ("lib", &[]),
];

/// Every source file below a folder, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file is compiled for tests alone.
fn is_test(relative: &str) -> bool {
    relative.contains("/tests/") || relative.ends_with("tests.rs") || relative.ends_with("/samples.rs")
}

/// A source without its comments, and without items under `#[cfg(test)]`.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        // The item ends where its braces close, or at a semicolon outside any.
        let mut depth = 0_i32;
        for line in lines.by_ref() {
            depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
            if depth <= 0 && (line.contains('}') || line.trim_end().ends_with(';')) {
                break;
            }
        }
    }
    kept
}

/// The modules at the crate's top that a source names: `crate::a`, `crate::{a, b::c}`, `super::super::a`.
fn uses(text: &str, depth: usize, own: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let up = "super::".repeat(depth);
    let starts: Vec<&str> = if own == "main" { vec!["portcullis::"] } else { vec!["crate::", &up] };
    for start in starts.into_iter().filter(|start| !start.is_empty()) {
        for (at, _) in text.match_indices(start) {
            // A longer path (`xcrate::`, one more `super::`) is another one.
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &text[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(top_names(group)),
                None => found.extend(word(rest)),
            }
        }
    }
    // Macros of the crate and items that `lib.rs` itself holds are no modules.
    found.retain(|name| name != own && ALLOWED.iter().any(|(module, _)| module == name));
    found
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// First names of each path in a group, up to its closing brace.
fn top_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut is_start) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && (c.is_alphanumeric() || c == '_') => {
                names.extend(word(&group[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn modules_use_what_the_table_allows_and_no_more() {
    let root = portcullis().join("src");
    let mut used: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if is_test(&relative) {
            continue;
        }
        let parts: Vec<&str> = relative.trim_end_matches(".rs").split('/').collect();
        let module = parts[0];
        let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
        let text = code(&std::fs::read_to_string(&path).unwrap());
        for name in uses(&text, depth, module) {
            used.entry(module.to_owned()).or_default().entry(name).or_insert_with(|| relative.clone());
        }
        assert!(ALLOWED.iter().any(|(known, _)| *known == module), "{relative}: no line of the table is about it");
    }
    for (module, allowed) in ALLOWED {
        let used = used.remove(*module).unwrap_or_default();
        for (name, file) in &used {
            assert!(allowed.contains(&name.as_str()), "src/{file}: {module} must not use {name}");
        }
        for name in *allowed {
            assert!(used.contains_key(*name), "{module} no longer uses {name}: take it out of the table");
        }
    }
}

#[test]
fn the_scanner_sees_every_spelling() {
    let text = "use crate::{gate::Gate, model::{Ecosystem, RepoPath}, text};\nfn f() { super::super::world::x(); }\n\
                #[cfg(test)]\nmod tests {\n    use crate::cli::x;\n}\n// crate::run\nlet y = crate::policy::z;";
    let found: Vec<String> = uses(&code(text), 2, "report").into_iter().collect();
    assert_eq!(found, ["gate", "model", "policy", "text", "world"]);
}

fn read(relative: &str) -> String {
    std::fs::read_to_string(portcullis().join(relative)).unwrap()
}

/// Names of what lies directly in a folder.
fn names(relative: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(portcullis().join(relative))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_ecosystem_and_format_is_registered() {
    let table = read("src/ecosystem/mod.rs");
    let formats = table.split("FORMATS:").nth(1).unwrap();
    for folder in names("src/ecosystem").iter().filter(|name| !name.ends_with(".rs")) {
        assert!(table.contains(&format!("mod {folder};")), "src/ecosystem/{folder} is no module");
        // What all of them are written in.
        let is_shared = folder == "syntax";
        assert!(
            is_shared || formats.contains(&format!("&{folder}::")),
            "src/ecosystem/{folder} has no line in FORMATS"
        );
        let module = read(&format!("src/ecosystem/{folder}/mod.rs"));
        // What is no source is data of a test.
        let files = names(&format!("src/ecosystem/{folder}"));
        for file in files.iter().filter(|file| file.ends_with(".rs") || !file.contains('.')) {
            let stem = file.trim_end_matches(".rs");
            assert!(stem == "mod" || module.contains(&format!("mod {stem};")), "src/ecosystem/{folder}/{file}");
        }
    }
}

#[test]
fn every_report_is_registered() {
    // What serves all formats.
    let shared = ["mod", "escape", "place", "samples", "schema", "words"];
    let table = read("src/report/mod.rs");
    for name in names("src/report") {
        let stem = name.trim_end_matches(".rs");
        if !shared.contains(&stem) {
            assert!(table.contains(&format!("=> {stem}::render")), "src/report/{name} has no line in the table");
        }
    }
}

#[test]
fn every_pack_is_registered_with_all_its_files() {
    let mut packs: Vec<&str> = BUILT_IN.iter().map(|pack| pack.name).collect();
    packs.sort_unstable();
    assert_eq!(names("policies"), packs);
    for pack in BUILT_IN {
        let folder = format!("policies/{}", pack.name);
        let mut files = vec!["cases", "pack.toml", "rules.cedar"];
        if !pack.detectors.is_empty() {
            files.insert(1, "detectors.toml");
            assert_eq!(read(&format!("{folder}/detectors.toml")), pack.detectors);
        }
        assert_eq!(names(&folder), files);
        let known: Vec<&str> = pack.cases.iter().map(|(name, _)| *name).collect();
        assert_eq!(names(&format!("{folder}/cases")), known);
        for (name, text) in pack.cases {
            assert_eq!(read(&format!("{folder}/cases/{name}")), *text);
        }
    }
}

#[test]
fn every_rule_has_cases_for_what_it_catches_and_what_it_does_not() {
    let packs = Packs::shipped().unwrap();
    for pack in &packs.packs {
        let outcomes = cases::run(&packs, pack).unwrap();
        for outcome in &outcomes {
            let Some((expected, found)) = (!outcome.holds()).then_some((&outcome.expected, &outcome.found)) else {
                continue;
            };
            panic!("{}: {}: expected {expected:?}, found {found:?}", outcome.place, outcome.name);
        }
        for rule in &pack.rules {
            let catches = outcomes.iter().any(|outcome| outcome.policies.contains(&rule.id));
            assert!(catches, "no case shows what {}/{} catches", pack.name, rule.id);
            let mut about = outcomes.iter().filter(|outcome| outcome.about == rule.rule);
            let silent = about.any(|outcome| !outcome.found.contains_key(&rule.rule));
            assert!(silent, "no case about {} shows what it does not catch", rule.rule);
        }
        for outcome in &outcomes {
            let known = pack.rules.iter().any(|rule| rule.rule == outcome.about);
            assert!(known, "{}: there is no rule {}", outcome.place, outcome.about);
        }
    }
}

#[test]
fn every_detector_has_examples_of_what_it_finds_and_what_it_leaves_alone() {
    let packs = BUILT_IN.iter().map(|pack| pack.name.to_owned()).collect();
    let gate = Gate { config: Config { packs, ..Config::default() }, ..Gate::default() };
    let all = detectors::known(&gate).unwrap();
    let mut shown: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for pack in BUILT_IN {
        // Each pattern as it will be compiled: at run time only those are that a change needs.
        portcullis::detect::rules::parse(pack.name, pack.name, pack.detectors, true).unwrap();
        for (name, text) in pack.cases {
            let file = format!("policies/{}/cases/{name}", pack.name);
            for outcome in portcullis::detect::cases::run(text, &file, &all).unwrap() {
                let (catches, passes) = shown.entry(outcome.detector.clone()).or_default();
                *(if outcome.is_catch { catches } else { passes }) += 1;
                if !outcome.is_as_expected() {
                    wrong.push(format!("{}:{} {}", outcome.file, outcome.line, outcome.detector));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for detector in all.all() {
        let (catches, passes) = shown.get(&*detector.id).copied().unwrap_or_default();
        assert!(catches > 0 && passes > 0, "{}: {catches} to find, {passes} to leave alone", detector.id);
    }
}

/// At run time built-in packs are not validated, because this test has done it.
#[test]
fn built_in_packs_are_valid_without_a_warning() {
    let schema = cedar_schema(&Packs::shipped().unwrap().detectors).unwrap();
    for pack in BUILT_IN {
        let set: PolicySet = pack.rules.parse().unwrap();
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let said: Vec<String> = result
            .validation_errors()
            .map(ToString::to_string)
            .chain(result.validation_warnings().map(ToString::to_string))
            .collect();
        assert!(said.is_empty(), "{}: {said:#?}", pack.name);
    }
}

#[test]
fn every_attribute_is_explained_and_is_in_the_schema() {
    let schema = schema(&[]);
    for kind in Kind::ALL {
        let shape = &schema[""]["entityTypes"][kind.as_str()]["shape"]["attributes"];
        let mut seen = BTreeSet::new();
        for attribute in kind.attributes().iter().chain(context_attributes()) {
            assert!(!attribute.doc.is_empty() && !attribute.doc.ends_with('.'), "{kind}.{}", attribute.name);
        }
        for attribute in kind.attributes() {
            assert!(seen.insert(attribute.name), "{kind}.{} is there twice", attribute.name);
            assert_eq!(shape[attribute.name]["required"], attribute.required, "{kind}.{}", attribute.name);
        }
        assert_eq!(shape.as_object().unwrap().len(), seen.len());
    }
}

/// An attribute that no rule of ours looks at is a fact that is computed for nobody, or a rule that is missing.
#[test]
fn every_attribute_is_used_by_a_rule_or_known_to_be_for_others() {
    const FOR_OTHERS: &[&str] = &[
        "ecosystem",
        "name",
        "version",
        "newToRepository",
        "reviewRequired",
        "sourceKind",
        "id",
        "ids",
        "hasFix",
        "origin",
        "path",
        "kind",
    ];
    let rules: String = BUILT_IN.iter().map(|pack| pack.rules).collect();
    for attribute in Kind::ALL.iter().flat_map(|kind| kind.attributes()) {
        let is_used = rules.contains(&format!("resource.{}", attribute.name))
            || rules.contains(&format!("resource has {}", attribute.name));
        assert!(is_used || FOR_OTHERS.contains(&attribute.name), "no rule asks for {}", attribute.name);
    }
    for attribute in context_attributes() {
        assert!(rules.contains(&format!("context.{}", attribute.name)), "no rule asks for {}", attribute.name);
    }
}
