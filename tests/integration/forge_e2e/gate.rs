//! Changes to the gate itself: its settings and its job.

use super::scene::{CONFIG, Scene, naming};

const WORKFLOW: &str = ".github/workflows/gate.yml";

/// A workflow that runs the gate.
fn workflow(command: &str) -> String {
    format!(
        "name: Gate\non: pull_request\npermissions: {{}}\njobs:\n  gate:\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - run: {command}\n"
    )
}

#[test]
fn weaker_settings_are_let_in_by_an_approval() {
    let Some(mut scene) = Scene::naming(&["@alice"]) else { return };
    let weaker = format!("{}[levels]\n\"baseline/malware\" = \"note\"\n", naming(&["@alice"]));
    scene.open(1, |repo| repo.write(CONFIG, &weaker));
    let told = scene.pushed(1, 1);
    assert_eq!((told.decision(), told.blocking()), ("review", vec!["gate-changed"]), "{:#}", told.verdict);
    let result = &told.verdict["policy"]["comparison"]["result"];
    assert!(result == "weaker" || result == "not-proved", "{result}");
    let review = scene.approve(1, "alice");
    let told = scene.reviewed(1, 0);
    assert_eq!((told.decision(), told.blocking().len()), ("allow", 0));
    for found in told.findings("gate-changed") {
        assert_eq!(found["cleared_by"], serde_json::json!({ "login": "alice", "review": review, "pull": 1 }));
    }
    // What was approved, and nothing weaker still.
    scene.push(1, "olga", |repo| repo.write(CONFIG, weaker.clone() + "\"baseline/yanked\" = \"note\"\n"));
    let told = scene.pushed(1, 1);
    assert_eq!((told.decision(), told.blocking()), ("review", vec!["gate-changed"]));
}

#[test]
fn a_change_to_the_gate_s_job_is_let_in_by_an_approval() {
    let edit = |repo: &crate::harness::Repo| {
        repo.write(CONFIG, naming(&["@alice"]));
        repo.write(WORKFLOW, workflow("portcullis check"));
    };
    let Some(mut scene) = Scene::new(edit) else { return };
    scene.open(1, |repo| repo.write(WORKFLOW, workflow("portcullis check || true")));
    let told = scene.pushed(1, 1);
    assert_eq!(told.decision(), "review", "{:#}", told.verdict);
    assert!(told.blocking().contains(&"gate-changed"), "{:?}", told.blocking());
    let review = scene.approve(1, "alice");
    let told = scene.reviewed(1, 0);
    assert_eq!((told.decision(), told.blocking().len()), ("allow", 0), "{:#}", told.verdict);
    assert_eq!(told.findings("gate-changed")[0]["cleared_by"]["review"], review);
}

#[test]
fn a_waiver_does_not_let_a_change_to_the_gate_in() {
    use super::scene::{LEDGER, waiver};
    let edit = |repo: &crate::harness::Repo| {
        repo.write(CONFIG, naming(&["@alice"]));
        repo.write(LEDGER, waiver("alice", "gate-changed", CONFIG));
    };
    let Some(mut scene) = Scene::new(edit) else { return };
    scene.open(1, |repo| repo.write(CONFIG, naming(&["@alice", "@mallory"])));
    let told = scene.pushed(1, 1);
    assert_eq!((told.decision(), told.blocking()), ("review", vec!["gate-changed"]), "{:#}", told.verdict);
}
