//! The gate's own job, before and after.

use super::*;

const BASE: &str = "name: Gate
on:
  pull_request:
  merge_group:
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - name: Gate
        run: portcullis check --report sarif=x.sarif
  other:
    runs-on: ubuntu-latest
    steps:
      - run: cargo test
";

fn judged(base: &str, head: &str) -> String {
    let all = gate(Some(base.as_bytes()), Some(head.as_bytes()), &path()).unwrap();
    let mut words: Vec<&str> = all.iter().map(|weak| weak.weakness.as_str()).collect();
    words.dedup();
    words.join(",")
}

// What makes a required check pass without a judgement: docs.github.com, "Troubleshooting required status checks" (a
// skipped job counts as passed), "Workflow syntax" (each key), and our own command line (PRODUCT.md, section 3).
#[test]
fn every_way_to_weaken_the_gate_is_told() {
    let run = "run: portcullis check --report sarif=x.sarif";
    for (from, to, wanted) in [
        ("  gate:\n", "  gates:\n", "gate-removed"),
        ("  gate:\n", "  gate:\n    name: Other\n", "gate-removed"),
        (run, "run: true", "gate-removed"),
        (run, "run: echo portcullis check", "gate-removed"),
        (run, "run: \"# portcullis check\"", "gate-removed"),
        ("  gate:\n", "  gate:\n    if: github.actor != 'x'\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    if: false\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    continue-on-error: true\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    continue-on-error: ${{ matrix.x }}\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    needs: other\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    strategy: {matrix: {x: []}}\n", "gate-skippable"),
        ("  gate:\n", "  gate:\n    concurrency: {group: g, cancel-in-progress: true}\n", "gate-skippable"),
        ("permissions:\n", "concurrency: {group: g, cancel-in-progress: '${{ x }}'}\npermissions:\n", "gate-skippable"),
        ("  merge_group:\n", "", "gate-skippable"),
        ("  pull_request:\n", "  pull_request:\n    paths: ['src/**']\n", "gate-skippable"),
        ("  pull_request:\n", "  pull_request:\n    paths-ignore: ['x']\n", "gate-skippable"),
        ("  pull_request:\n", "  pull_request:\n    branches: [main]\n", "gate-skippable"),
        ("  pull_request:\n", "  pull_request:\n    types: [opened]\n", "gate-skippable"),
        ("  pull_request:\n", "  pull_request_target:\n", "gate-skippable"),
        (
            "      - name: Gate\n",
            "      - name: Gate\n        if: success() && github.event_name == 'x'\n",
            "gate-skippable",
        ),
        ("      - name: Gate\n", "      - name: Gate\n        continue-on-error: true\n", "gate-skippable"),
        (run, "run: portcullis check --policy-from head", "gate-weakened"),
        (run, "run: portcullis check --base HEAD", "gate-weakened"),
        (run, "run: portcullis check --now=2020-01-01", "gate-weakened"),
        (run, "run: portcullis check --advisories ./empty", "gate-weakened"),
        (run, "run: portcullis audit", "gate-weakened"),
        (run, "run: portcullis check || true", "gate-weakened"),
        (run, "run: portcullis check | tee log", "gate-weakened"),
        (run, "run: portcullis check & true", "gate-weakened"),
        (run, "run: portcullis check; true", "gate-weakened"),
        (run, "run: |\n          portcullis check\n          echo done", "gate-weakened"),
        (run, "run: (portcullis check)", "gate-weakened"),
        (run, "run: \": portcullis check\"", "gate-weakened"),
        (run, "run: bash -c 'portcullis check; true'", "gate-removed"),
        (run, "run: |\n          cat <<X\n          portcullis check\n          X", "gate-removed"),
        (run, "run: \"! portcullis check\"", "gate-weakened"),
        (run, "run: \"x=$(portcullis check) || echo\"", "gate-weakened"),
        (run, "run: |\n          set +e\n          portcullis check\n          true", "gate-weakened"),
        (run, "run: |\n          exit 0\n          portcullis check", "gate-weakened"),
        (run, "run: |\n          false && portcullis check", "gate-weakened"),
        (run, "run: |\n          if false; then\n          portcullis check\n          fi", "gate-weakened"),
        (run, "run: |\n          portcullis() { true; }\n          portcullis check", "gate-weakened"),
        (run, "run: |\n          alias portcullis=true\n          portcullis check", "gate-weakened"),
        (
            run,
            "run: |\n          git update-ref refs/remotes/origin/main HEAD\n          portcullis check",
            "gate-weakened",
        ),
        (run, "run: ./portcullis check", "gate-weakened"),
        (run, "uses: evil/portcullis@main", "gate-weakened"),
        (run, "run: portcullis check\n        shell: bash {0} || true", "gate-weakened"),
        (run, "run: portcullis check\n        working-directory: sub", "gate-weakened"),
        (run, "run: portcullis check\n        env: {PORTCULLIS_ADVISORIES: x}", "gate-weakened"),
        ("jobs:\n", "env: {BASH_ENV: x}\njobs:\n", "gate-weakened"),
        ("jobs:\n", "defaults: {run: {shell: 'bash {0}'}}\njobs:\n", "gate-weakened"),
        (
            "    runs-on: ubuntu-latest\n    steps:\n      - uses",
            "    runs-on: mine\n    steps:\n      - uses",
            "gate-weakened",
        ),
        ("  gate:\n", "  gate:\n    container: x\n", "gate-weakened"),
        ("  contents: read", "  contents: write", "gate-weakened"),
        ("          fetch-depth: 0\n", "", "gate-weakened"),
        ("          fetch-depth: 0\n", "          fetch-depth: 0\n          ref: main\n", "gate-weakened"),
        ("      - name: Gate\n", "      - run: echo ./x >> $GITHUB_PATH\n      - name: Gate\n", "gate-weakened"),
        (
            "      - name: Gate\n",
            "      - run: cp true /usr/local/bin/portcullis\n      - name: Gate\n",
            "gate-weakened",
        ),
        ("      - name: Gate\n", "      - run: git config x y\n      - name: Gate\n", "gate-weakened"),
        ("      - name: Gate\n", "      - uses: evil/setup@v1\n      - name: Gate\n", "gate-weakened"),
        ("      - name: Gate\n", "      - uses: ./setup\n      - name: Gate\n", "gate-weakened"),
        (
            "      - name: Gate\n",
            "      - uses: actions/github-script@v7\n        with: {script: \"core.addPath('x')\"}\n      - name: Gate\n",
            "gate-weakened",
        ),
        ("      - name: Gate\n", "      - uses: actions/cache@v4\n      - name: Gate\n", "gate-weakened"),
        ("  other:\n", "  other:\n    name: gate\n", "gate-weakened"),
        ("  other:\n", "  other:\n    name: ${{ 'gate' }}\n", "gate-weakened"),
        // What is no weakening.
        (run, "run: |\n          command -v portcullis\n          portcullis check", ""),
        (run, "run: portcullis check --report human -v", ""),
        (run, "run: |\n          set -euo pipefail\n          portcullis check", ""),
        (run, "run: |\n          echo now\n          portcullis check", ""),
        ("name: Gate\non", "name: Door\non", ""),
        ("cargo test", "cargo test --all", ""),
        ("  merge_group:\n", "  merge_group:\n  push:\n", ""),
        ("  pull_request:\n", "  pull_request:\n    types: [opened, synchronize, reopened, edited]\n", ""),
        ("  gate:\n", "  gate:\n    if: always()\n", ""),
        ("  gate:\n", "  gate:\n    timeout-minutes: 5\n", ""),
        ("      - name: Gate\n", "      - run: npm ci\n      - name: Gate\n", ""),
        ("      - name: Gate\n", "      - uses: actions/setup-node@v4\n      - name: Gate\n", ""),
        ("  other:", "  another:", ""),
    ] {
        let head = BASE.replacen(from, to, 1);
        assert_ne!(head, BASE, "{from}");
        assert_eq!(judged(BASE, &head), wanted, "{from} -> {to}");
    }
    assert_eq!(judged(BASE, BASE), "");
}

#[test]
fn the_way_back_is_no_weakening() {
    let loose = BASE.replace("  pull_request:\n", "  pull_request:\n    paths-ignore: [x]\n    branches: [main]\n");
    assert_eq!(judged(&loose, BASE), "");
    let skips = BASE.replace("  gate:\n", "  gate:\n    if: x\n    continue-on-error: true\n    needs: other\n");
    assert_eq!(judged(&skips, BASE), "");
    // What a needed job's condition becomes.
    let needs = BASE.replace("  gate:\n", "  gate:\n    needs: other\n");
    let skipped = needs.replace("  other:\n", "  other:\n    if: false\n");
    assert_eq!(judged(&needs, &skipped), "gate-skippable");
}

#[test]
fn other_forms_of_the_gate() {
    let action = BASE.replace(
        "run: portcullis check --report sarif=x.sarif",
        "uses: our/portcullis@v1\n        with: {command: check}",
    );
    assert_eq!(judged(&action, &action.replace("@v1", "@main")), "gate-weakened");
    assert_eq!(judged(&action, &action.replace("command: check", "command: check, base: HEAD")), "gate-weakened");
    let called = "on: pull_request\njobs:\n  gate:\n    uses: our/sec/.github/workflows/portcullis.yml@v1\n    with: {strict: true}\n";
    assert_eq!(judged(called, called), "");
    assert_eq!(judged(called, &called.replace("strict: true", "strict: false")), "gate-weakened");
    assert_eq!(judged(called, &called.replace("@v1", "@v2")), "gate-weakened");
    // No gate before: nothing to weaken. A file that is gone, and one that cannot be read.
    let plain = "on: push\njobs: {j: {steps: [{run: x}]}}\n";
    assert_eq!(judged(plain, BASE), "");
    let gone = gate(Some(BASE.as_bytes()), None, &path()).unwrap();
    assert_eq!(gone.first().map(|weak| weak.weakness), Some(Weakness::GateRemoved));
    assert!(gate(Some(BASE.as_bytes()), Some(b"jobs: ["), &path()).is_err());
    assert!(gate(None, Some(BASE.as_bytes()), &path()).unwrap().is_empty());
}
