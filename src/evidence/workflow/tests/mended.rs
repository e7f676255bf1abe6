//! What looks like a guard and is none, and what reaches a file or the gate by a way that is easily overlooked.

use super::*;

fn checked(event: &str, with: &str) -> String {
    let text = format!("      - uses: actions/checkout@v4\n        with: {{{with}}}\n      - run: make\n");
    found(&steps(event, &text)).join(",")
}

/// A job with an `if` as it stands in YAML, under an event of strangers with secrets; whether strangers are let in.
fn is_open(condition: &str) -> bool {
    let text = format!(
        "on: pull_request_target\npermissions: {{}}\njobs:\n  j:\n    if: {condition}\n    steps:\n      - run: gh pr checkout 1\n"
    );
    let found = found(&text);
    assert_eq!(found.len(), 1, "{condition}");
    found.iter().any(|told| told.ends_with('!'))
}

// "Evaluate expressions": an `if` with more than one expression in braces is a text, and texts that are not empty are
// true. YAML 1.2.2, section 8.1.1.2: `|` and `>` keep one line's end, `|-` and `>-` none.
#[test]
fn conditions_with_anything_around_the_braces_are_no_guard() {
    let guard = "${{ github.event.pull_request.head.repo.fork == false }}";
    for (condition, wanted) in [
        (guard.to_owned(), false),
        (format!("|-\n      {guard}"), false),
        (format!(">-\n      {guard}"), false),
        (format!("|\n      {guard}"), true),
        (format!(">\n      {guard}"), true),
        (format!("|+\n      {guard}\n\n"), true),
        (format!("\" {guard}\""), true),
        (format!("\"{guard} \""), true),
        (format!("{guard} && true"), true),
        // Without braces all of it is the expression, and white space is nothing.
        ("|\n      github.event.pull_request.head.repo.fork == false".to_owned(), false),
    ] {
        assert_eq!(is_open(&condition), wanted, "{condition}");
    }
    // The gate's own: what was always true now is asked.
    let base =
        "on: pull_request\njobs:\n  gate:\n    if: |\n      ${{ false }}\n    steps:\n      - run: portcullis check\n";
    let head = base.replace("|\n      ", "");
    let weak = gate(Some(base.as_bytes()), Some(head.as_bytes()), &path()).unwrap();
    assert_eq!(weak.iter().map(|weak| weak.weakness).collect::<Vec<_>>(), [Weakness::GateSkippable]);
}

// "Evaluate expressions", operators: values of two types are compared as numbers; `'true'` is none, `true` is 1.
#[test]
fn only_keywords_are_truths() {
    let fork = "github.event.pull_request.head.repo.fork";
    for (condition, wanted) in [
        (format!("{fork} != true"), false),
        (format!("{fork} == false"), false),
        (format!("false == {fork}"), false),
        (format!("{fork} != 'true'"), true),
        (format!("\"'true' != {fork}\""), true),
        (format!("{fork} == 'false'"), true),
        (format!("{fork} != 'TRUE'"), true),
    ] {
        assert_eq!(is_open(&condition), wanted, "{condition}");
    }
}

// "Webhook events and payloads": `after` of `synchronize`; refs/pull/<number>/merge and /head.
#[test]
fn heads_that_are_put_together() {
    for (event, with, wanted) in [
        ("pull_request_target", "ref: '${{ github.event.after }}'", "head-checkout@7!"),
        (
            "pull_request_target",
            "ref: \"${{ format('refs/{0}/{1}/merge', 'pull', github.event.number) }}\"",
            "head-checkout@7!",
        ),
        (
            "issue_comment",
            "ref: \"${{ format('{0}/head', format('refs/pull/{0}', github.event.issue.number)) }}\"",
            "head-checkout@7!",
        ),
        ("pull_request_target", "ref: \"${{ format('refs/{0}', github.event.number) }}\"", "head-checkout@7!?"),
        ("pull_request_target", "ref: '${{ github.event.before }}'", "head-checkout@7!?"),
        ("issue_comment", "repository: '${{ inputs.r }}'", "head-checkout@7!?"),
        ("issue_comment", "repository: '${{ steps.x.outputs.repo }}'", "head-checkout@7!?"),
        ("issue_comment", "repository: '${{ needs.x.outputs.repo }}', ref: main", "head-checkout@7!?"),
        ("issue_comment", "ref: '${{ inputs.x || github.event.pull_request.head.sha }}'", "head-checkout@7!"),
        (
            "issue_comment",
            "ref: '${{ inputs.x }}', repository: '${{ github.event.pull_request.head.repo.full_name }}'",
            "head-checkout@7!",
        ),
        // The repository's own, and fixed text.
        ("pull_request_target", "ref: main, repository: our/other", ""),
        ("pull_request_target", "ref: '${{ github.sha }}'", ""),
        ("pull_request_target", "ref: '${{ github.ref }}', repository: '${{ github.repository }}'", ""),
        ("pull_request_target", "ref: '${{ github.base_ref }}'", ""),
        ("pull_request_target", "ref: '${{ github.event.pull_request.base.sha }}'", ""),
        ("issue_comment", "ref: '${{ github.event.repository.default_branch }}'", ""),
        ("issue_comment", "repository: '${{ vars.TOOLS }}'", ""),
        ("push", "ref: '${{ inputs.ref }}'", ""),
    ] {
        assert_eq!(checked(event, with), wanted, "{event} {with}");
    }
    let matrix = |values: &str| {
        format!(
            "on: pull_request_target\npermissions: {{}}\njobs:\n  j:\n    strategy: {{matrix: {{b: {values}}}}}\n    steps:\n      - uses: actions/checkout@v4\n        with: {{ref: '${{{{ matrix.b }}}}'}}\n"
        )
    };
    assert!(found(&matrix("[main, next]")).is_empty());
    assert_eq!(found(&matrix("'${{ fromJSON(inputs.all) }}'")), ["head-checkout@8!?"]);
}

fn around(files: &[(&str, &str)], repository: Option<&str>) -> (Vec<(RepoPath, String)>, Surroundings) {
    let files: Vec<_> = files.iter().map(|(path, text)| (RepoPath::new(path), (*text).to_owned())).collect();
    let around = Surroundings::of(repository, files.iter().map(|(path, text)| (path, text.as_bytes())));
    (files, around)
}

// "Workflow syntax", `jobs.<job_id>.uses`: `{owner}/{repo}/.github/workflows/{filename}@{ref}` beside `./`.
#[test]
fn own_files_are_followed_by_their_full_name() {
    let title = "${{ github.event.issue.title }}";
    let called = "on: workflow_call\njobs:\n  j:\n    steps:\n      - run: echo ${{ inputs.t }}\n";
    let action =
        "runs:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.t }}\n      shell: bash\ninputs: {t: {}}\n";
    let caller = |name: &str, action: &str| {
        format!(
            "on: issues\npermissions: {{}}\njobs:\n  a:\n    uses: {name}\n    with: {{t: '{title}'}}\n  b:\n    steps:\n      - uses: {action}\n        with: {{t: '{title}'}}\n"
        )
    };
    for (name, action_name, wanted) in [
        ("./.github/workflows/c.yml", "./act", true),
        ("our/code/.github/workflows/c.yml@main", "our/code/act@v1", true),
        ("Our/Code/.github/workflows/c.yml@main", "OUR/CODE/act/@v1", true),
        ("our/code2/.github/workflows/c.yml@main", "our/code2/act@v1", false),
        ("their/code/.github/workflows/c.yml@main", "their/code/act@v1", false),
    ] {
        let caller = caller(name, action_name);
        let (files, around) = around(
            &[(".github/workflows/a.yml", &caller), (".github/workflows/c.yml", called), ("act/action.yml", action)],
            Some("our/code"),
        );
        for (at, line) in [(1, 5), (2, 4)] {
            let (path, text) = &files[at];
            let told = told(path, text, &around);
            let strangers = format!("template-injection@{line}!");
            assert_eq!(told.contains(&strangers), wanted, "{name} {told:?}");
        }
    }
    // An action in the repository's root.
    let caller = format!(
        "on: issues\npermissions: {{}}\njobs:\n  b:\n    steps:\n      - uses: our/code@v1\n        with: {{t: '{title}'}}\n"
    );
    let (files, around) = around(&[(".github/workflows/a.yml", &caller), ("action.yml", action)], Some("our/code"));
    assert_eq!(told(&files[1].0, &files[1].1, &around), ["template-injection@4!"]);
}

// By hand: what the gate's job reaches through calls.
#[test]
fn files_that_the_gate_is_made_of() {
    let composite = |uses: &str| format!("runs:\n  using: composite\n  steps:\n    - uses: {uses}\n");
    let uses = |files: &[(&str, &str)]| {
        let (files, _) = around(files, None);
        let files = files.iter().map(|(path, text)| (path, text.as_bytes()));
        let all = gate_uses(files, Some("our/code"));
        all.iter().map(|path| path.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let gate = "on: pull_request\njobs:\n  gate:\n    steps:\n      - uses: ./setup\n      - run: portcullis check\n  other:\n    steps:\n      - uses: ./other\n";
    let setup = composite("our/code/inner@main");
    let inner = "runs: {using: node20, main: ../dist/index.js, post: end.js}\n";
    assert_eq!(
        uses(&[
            (".github/workflows/g.yml", gate),
            ("setup/action.yml", &setup),
            ("inner/action.yaml", inner),
            ("other/action.yml", &composite("./elsewhere")),
        ]),
        "dist/index.js inner/action.yaml inner/action.yml inner/end.js setup/action.yaml setup/action.yml"
    );
    // The gate runs in what is called: the caller's job is the gate's, and what it uses beside.
    let caller = "on: pull_request\njobs:\n  a:\n    uses: ./.github/workflows/g.yml\n  b:\n    steps:\n      - uses: ./before\n      - uses: ./run\n  c:\n    steps:\n      - uses: ./other\n";
    let run = "runs:\n  using: composite\n  steps:\n    - run: portcullis check\n      shell: bash\n";
    assert_eq!(
        uses(&[(".github/workflows/a.yml", caller), (".github/workflows/g.yml", gate), ("run/action.yml", run)]),
        ".github/workflows/g.yml before/action.yaml before/action.yml run/action.yaml run/action.yml setup/action.yaml setup/action.yml"
    );
    // Calls in a circle, paths that leave the repository, files that cannot be read, no gate.
    let circle =
        gate.replace("./setup", "./../out").replace("- run: portcullis", "- uses: ./a\n      - run: portcullis");
    assert_eq!(
        uses(&[
            (".github/workflows/g.yml", &circle),
            ("a/action.yml", &composite("./b")),
            ("b/action.yml", &composite("./a")),
            ("a/action.yaml", "runs: ["),
        ]),
        "a/action.yaml a/action.yml b/action.yaml b/action.yml"
    );
    assert_eq!(uses(&[(".github/workflows/g.yml", &gate.replace("portcullis", "other"))]), "");
}

// "Webhook events and payloads": commits of a run, of a queue, of a push; the file that a comment stands on.
#[test]
fn more_that_strangers_write() {
    for (expression, is_bad) in [
        ("github.event.workflow_run.head_commit.committer.name", true),
        ("github.event.workflow_run.head_commit.committer.email", true),
        ("github.event.merge_group.head_commit.message", true),
        ("github.event.merge_group.head_commit.author.email", true),
        ("github.event.check_suite.head_commit.message", true),
        ("github.event.comment.path", true),
        ("github.event.comment.diff_hunk", true),
        ("github.event.head_commit.added[0]", true),
        ("join(github.event.commits.*.modified, ' ')", true),
        ("toJSON(github.event.merge_group.head_commit)", true),
        ("github.event.head_commit.id", false),
        ("github.event.workflow_run.head_commit.timestamp", false),
        ("github.event.comment.id", false),
    ] {
        let all = found(&steps("push", &format!("      - run: echo ${{{{ {expression} }}}}\n")));
        assert_eq!(!all.is_empty(), is_bad, "{expression} {all:?}");
    }
}

// cli.github.com, manual: `gh pr view`, `gh api`; "Default environment variables": GITHUB_EVENT_PATH.
#[test]
fn answers_are_strangers_text() {
    for (run, is_bad) in [
        ("jq -r '\"t=\\(.issue.title)\"' \"$GITHUB_EVENT_PATH\" >> $GITHUB_ENV", true),
        ("jq -r .issue.title < $GITHUB_EVENT_PATH >> $GITHUB_ENV", true),
        ("cat \"$GITHUB_EVENT_PATH\" | jq -r .issue.title >> $GITHUB_ENV", true),
        ("echo \"t=$(jq -r '.[\"issue\"][\"title\"]' $GITHUB_EVENT_PATH)\" >> $GITHUB_OUTPUT", true),
        ("echo \"t=$(gh pr view 1 --json title -q .title)\" >> $GITHUB_OUTPUT", true),
        ("gh pr view 1 --json body,number >> $GITHUB_OUTPUT", true),
        ("gh pr view 1 --json title | tee -a $GITHUB_OUTPUT", true),
        ("gh issue view 1 >> $GITHUB_ENV", true),
        ("gh api repos/a/b/pulls/1 --jq '.number, .head.ref' >> $GITHUB_ENV", true),
        ("gh api repos/a/b/pulls/1 --jq .[] >> $GITHUB_ENV", true),
        ("T=$(gh pr view 1 --json title -q .title); echo \"t=$T\" >> $GITHUB_OUTPUT", true),
        ("export T=\"$(gh api x | jq -r .title)\"; echo \"t=${T}\" >> $GITHUB_ENV", true),
        ("gh api x | while read -r T; do echo \"t=$T\" >> $GITHUB_ENV; done", true),
        ("read -r T < $GITHUB_EVENT_PATH; echo \"t=$T\" >> $GITHUB_ENV", true),
        // What GitHub makes; what is not written for the runner.
        ("jq -r .pull_request.number \"$GITHUB_EVENT_PATH\" >> $GITHUB_ENV", false),
        ("jq -r '.pull_request.number // empty' \"$GITHUB_EVENT_PATH\" >> $GITHUB_ENV", false),
        ("echo \"n=$(gh pr view 1 --json number,headRefOid)\" >> $GITHUB_OUTPUT", false),
        ("echo \"s=$(gh api repos/a/b/commits/x.y --jq .sha)\" >> $GITHUB_OUTPUT", false),
        ("gh pr view 1 > out.txt", false),
        ("T=$(gh pr view 1); echo a=$U >> $GITHUB_ENV", false),
    ] {
        let text = steps("push", &format!("      - id: s\n        run: |\n          {run}\n"));
        let wanted: &[&str] = if is_bad { &["environment-injection@8?"] } else { &[] };
        assert_eq!(found(&text), wanted, "{run}");
        // What a later step makes of the output.
        if is_bad && run.contains("GITHUB_OUTPUT") {
            let text = text + "      - run: echo ${{ steps.s.outputs.t }}\n";
            assert!(found(&text).contains(&"template-injection@9?".to_owned()), "{run}");
        }
    }
}

// "Workflow commands", "Setting an output parameter": `{name}={value}`, one on each line.
#[test]
fn an_output_is_told_by_its_name() {
    let told = |run: &str, name: &str| {
        let env = "        env:\n          T: ${{ github.head_ref }}\n";
        let run = run.replace('\n', "\n          ");
        let text = format!(
            "      - id: s\n{env}        run: |\n          {run}\n      - name: last\n        run: echo ${{{{ steps.s.outputs.{name} }}}}\n"
        );
        let all = weaknesses(&path(), steps("push", &text).as_bytes(), &Surroundings::default()).unwrap();
        all.iter().any(|weak| weak.step == "last" && weak.weakness == Weakness::TemplateInjection)
    };
    for (run, name, wanted) in [
        ("echo a-b=$T >> $GITHUB_OUTPUT", "a-b", true),
        ("echo a-b=$T >> $GITHUB_OUTPUT", "c", false),
        ("printf 'a=%s\\n' \"$T\" >> $GITHUB_OUTPUT", "a", true),
        ("printf 'a=%s\\n' \"$T\" >> $GITHUB_OUTPUT", "c", false),
        ("printf 'a=1\\nc=%s\\n' \"$T\" >> $GITHUB_OUTPUT", "c", true),
        ("cat <<E >> $GITHUB_OUTPUT\na=1\nc=$T\nE", "c", true),
    ] {
        assert_eq!(told(run, name), wanted, "{run} {name}");
    }
}

// What `gh api` says may be a head, and is not known to be one.
#[test]
fn heads_that_commands_find_out() {
    let find = "      - id: s\n        run: echo \"r=$(gh api x --jq .head.ref)\" >> $GITHUB_OUTPUT\n";
    let take =
        "      - uses: actions/checkout@v4\n        with: {ref: '${{ steps.s.outputs.r }}'}\n      - run: make\n";
    let found = found(&steps("issue_comment", &format!("{find}{take}")));
    assert_eq!(found, ["environment-injection@7!?", "head-checkout@9!?"]);
}

// The Cargo Book and The rustup book, "Environment variables"; curl(1), "FILES"; POSIX, `TMPDIR`.
#[test]
fn variables_that_steer_the_gate() {
    let base = "on: pull_request\njobs:\n  gate:\n    steps:\n      - run: portcullis check\n";
    let judged = |env: &str| {
        let head = base.replace("    steps", &format!("    env: {{{env}: x}}\n    steps"));
        !gate(Some(base.as_bytes()), Some(head.as_bytes()), &path()).unwrap().is_empty()
    };
    for name in [
        "CARGO_HOME",
        "CARGO_BUILD_RUSTC",
        "CARGO",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
        "TMPDIR",
        "CURL_HOME",
        "cargo_target_dir",
    ] {
        assert!(judged(name), "{name}");
    }
    for name in ["CARGO_TERM_COLOR", "RUST_BACKTRACE", "COLOR"] {
        assert!(!judged(name), "{name}");
    }
}

// "Workflow syntax", `jobs.<job_id>.needs`: where a needed job fails, those that need it are skipped.
#[test]
fn jobs_that_the_gate_waits_for() {
    let base = "on: pull_request\njobs:\n  first:\n    name: First\n    strategy: {matrix: {a: [x], b: []}}\n    steps:\n      - name: s\n        run: make\n  second:\n    needs: first\n    steps: []\n  gate:\n    needs: [second]\n    steps:\n      - run: portcullis check\n";
    let judged = |from: &str, to: &str| {
        let head = base.replacen(from, to, 1);
        let all = gate(Some(base.as_bytes()), Some(head.as_bytes()), &path()).unwrap();
        all.iter().map(|weak| format!("{} {}", weak.weakness, weak.detail.contains("`first`"))).collect::<Vec<_>>()
    };
    for (from, to) in [
        ("run: make", "run: exit 1"),
        ("run: make", "run: make\n      - run: false"),
        ("run: make", "if: always()\n        run: make"),
        ("{a: [x], b: []}", "{a: [], b: [x]}"),
        ("    name: First\n", "    runs-on: nowhere\n"),
    ] {
        assert_eq!(judged(from, to), ["gate-skippable true"], "{to}");
    }
    assert!(judged("name: s", "name: t").is_empty());
    assert!(judged("name: First", "name: Other").is_empty());
    // A gate that runs whatever happens before it.
    let base = base.replace("    needs: [second]\n", "    needs: [second]\n    if: always()\n");
    let head = base.replace("run: make", "run: exit 1");
    assert!(gate(Some(base.as_bytes()), Some(head.as_bytes()), &path()).unwrap().is_empty());
}
