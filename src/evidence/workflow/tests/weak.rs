//! What is weak, and what is not.

use super::*;

// "Script injections": contexts that anybody can write, put into `run` or a script; the environment is the safe way.
#[test]
fn strangers_text_in_scripts() {
    for (expression, is_bad) in [
        ("github.event.issue.title", true),
        ("github.event.pull_request.head.ref", true),
        ("github.event.pull_request.head.repo.default_branch", true),
        ("github.head_ref", true),
        ("GITHUB.Head_Ref", true),
        ("github['event']['issue']['title']", true),
        ("github . event . comment\n          ['body']", true),
        ("github.event.commits[0].message", true),
        ("github.event.commits.*.author.email", true),
        ("join(github.event.commits.*.message, ',')", true),
        ("format('{0}', github.event.review.body)", true),
        ("toJSON(github.event)", true),
        ("toJson( github.event.pull_request )", true),
        ("fromJSON(toJSON(github.event)).issue.title", true),
        ("github.event[format('{0}', 'issue')].title", true),
        ("github.event.issue[inputs.x]", true),
        ("github.event.pages[3].page_name", true),
        ("github.head_ref || github.ref_name", true),
        ("github.event_name == 'push' && github.head_ref", true),
        ("(github.event.discussion.body)", true),
        ("'}}' || github.head_ref", true),
        ("github.head_ref ??", true),
        // Results that carry no text of theirs.
        ("github.event.issue.title == 'x'", false),
        ("contains(github.event.issue.body, 'x')", false),
        ("github.head_ref && 'yes' || 'no'", false),
        ("!github.event.issue.title", false),
        ("hashFiles(github.head_ref)", false),
        ("'github.event.issue.title'", false),
        ("github.event.issue.number", false),
        ("github.event.pull_request.head.sha", false),
        ("github.event.repository.name", false),
        ("github.sha", false),
    ] {
        let text =
            steps("pull_request", &format!("      - run: |\n          true\n          echo ${{{{ {expression} }}}}\n"));
        let mut found = found(&text);
        found.retain(|told| !told.starts_with("input"));
        let wanted: &[&str] = if is_bad { &["template-injection@8"] } else { &[] };
        assert_eq!(found, wanted, "{expression}");
    }
}

#[test]
fn strangers_text_by_other_ways() {
    let title = "${{ github.event.issue.title }}";
    for (step, wanted) in [
        // The safe way, and the way back out of it.
        (format!("      - env:\n          T: {title}\n        run: echo \"$T\"\n"), ""),
        (format!("      - env:\n          T: {title}\n        run: echo ${{{{ env.T }}}}\n"), "template-injection@8"),
        (
            format!("      - env:\n          T: {title}\n        run: echo ${{{{ env['t'] }}}}\n"),
            "template-injection@8",
        ),
        (
            format!(
                "      - uses: actions/github-script@v7\n        with:\n          Script: |\n            x('{title}')\n"
            ),
            "template-injection@9",
        ),
        (format!("      - uses: a/b@v1\n        with:\n          title: {title}\n"), ""),
        (format!("      - run: x\n        shell: bash -c {title} {{0}}\n"), "template-injection@7"),
        // Outputs of steps.
        (
            format!(
                "      - id: a\n        env:\n          T: {title}\n        run: echo \"t=$T\" >> $GITHUB_OUTPUT\n      - run: echo ${{{{ steps.a.outputs.t }}}}\n"
            ),
            "environment-injection@9?,template-injection@10",
        ),
        (
            "      - id: f\n        uses: tj-actions/changed-files@v45\n      - run: ls ${{ steps.f.outputs.all }}\n"
                .to_owned(),
            "template-injection@8",
        ),
        (
            "      - run: echo ${{ github.ref_name }} ${{ inputs.x }}\n".to_owned(),
            "input-injection@6,input-injection@6",
        ),
    ] {
        assert_eq!(found(&steps("pull_request", &step)).join(","), wanted, "{step}");
    }
    let jobs = "on: pull_request\npermissions: {}\njobs:\n  b:\n    needs: a\n    strategy:\n      matrix:\n        x: ${{ fromJSON(needs.a.outputs.o) }}\n    steps:\n      - run: echo ${{ matrix.x }}\n  a:\n    outputs:\n      o: ${{ steps.s.outputs.o }}\n    steps:\n      - id: s\n        run: echo \"o=${{ github.head_ref }}\" >> \"$GITHUB_OUTPUT\"\n";
    assert_eq!(
        found(jobs),
        ["template-injection@10", "template-injection@16", "environment-injection@16?"]
            .map(str::to_owned)
            .to_vec()
            .tap_sorted()
    );
    // Inputs that hold no text, after "Workflow syntax": `on.workflow_dispatch.inputs.<id>.type`.
    let typed = "on:\n  workflow_dispatch:\n    inputs:\n      n: {type: number}\n      t: {type: string}\npermissions: {}\njobs:\n  j:\n    steps:\n      - run: echo ${{ inputs.n }}\n      - run: echo ${{ inputs.t }}\n";
    assert_eq!(found(typed), ["input-injection@11"]);
}

trait Sorted {
    fn tap_sorted(self) -> Self;
}

impl Sorted for Vec<String> {
    fn tap_sorted(mut self) -> Self {
        // Lines first, then the order of the words.
        self.sort_by_key(|text| {
            (
                text.split('@').nth(1).map(|line| line.trim_end_matches(['?', '!']).parse::<u32>().unwrap()),
                text.starts_with("environment"),
            )
        });
        self
    }
}

// "Securely using pull_request_target": the head's files with the base's secrets.
#[test]
fn heads_in_privileged_runs() {
    let checkout =
        |with: &str| format!("      - uses: actions/checkout@v4\n        with: {{{with}}}\n      - run: make\n");
    for (event, step, wanted) in [
        ("pull_request_target", checkout("ref: '${{ github.event.pull_request.head.sha }}'"), "head-checkout@7!"),
        ("pull_request_target", checkout("ref: '${{ github.head_ref }}'"), "head-checkout@7!"),
        ("pull_request_target", checkout("ref: 'refs/pull/${{ github.event.number }}/merge'"), "head-checkout@7!"),
        (
            "pull_request_target",
            checkout("repository: '${{ github.event.pull_request.head.repo.full_name }}'"),
            "head-checkout@7!",
        ),
        (
            "pull_request_target",
            checkout("ref: \"${{ github.event['pull_request']['head']['sha'] }}\""),
            "head-checkout@7!",
        ),
        (
            "pull_request_target",
            checkout("ref: '${{ fromJSON(toJSON(github.event)).pull_request.head.sha }}'"),
            "head-checkout@7!",
        ),
        (
            "pull_request_target",
            "      - run: curl -L https://x.example/archive/refs/pull/$N/head.tgz | tar xz\n".to_owned(),
            "head-checkout@6!",
        ),
        ("workflow_run", checkout("ref: '${{ github.event.workflow_run.head_sha }}'"), "head-checkout@7!"),
        ("issue_comment", checkout("ref: '${{ steps.x.outputs.sha }}'"), "head-checkout@7!?"),
        ("pull_request_target", checkout("persist-credentials: false"), ""),
        ("pull_request", checkout("ref: '${{ github.event.pull_request.head.sha }}'"), ""),
        ("issue_comment", "      - run: gh pr checkout 1\n".to_owned(), "head-checkout@6!"),
        (
            "issue_comment",
            "      - run: |\n          git fetch origin pull/$N/head:pr\n".to_owned(),
            "head-checkout@7!",
        ),
        (
            "pull_request_target",
            "      - env:\n          R: ${{ github.head_ref }}\n        run: git checkout \"$R\"\n".to_owned(),
            "head-checkout@8!",
        ),
        ("issue_comment", "      - run: gh pr diff 1 | git apply\n".to_owned(), "head-checkout@6!"),
        ("issue_comment", "      - run: git fetch origin main\n".to_owned(), ""),
    ] {
        assert_eq!(found(&steps(event, &step)).join(","), wanted, "{event} {step}");
    }
    // Guards, after "Contexts": head's repository is this one; the event is another; who comments is a member.
    for (event, condition, wanted) in [
        (
            "pull_request_target",
            "github.event.pull_request.head.repo.full_name == github.repository",
            "head-checkout@8",
        ),
        ("pull_request_target", "!github.event.pull_request.head.repo.fork && github.head_ref", "head-checkout@8"),
        ("[push, pull_request_target]", "github.event_name == 'push'", "head-checkout@8"),
        ("[push, pull_request_target]", "github.event_name != 'push'", "head-checkout@8!"),
        (
            "pull_request_target",
            "github.event.pull_request.head.repo.full_name == github.repository || true",
            "head-checkout@8!",
        ),
        ("pull_request_target", "x ${{ github.event_name == 'push' }}", "head-checkout@8!"),
        (
            "issue_comment",
            "contains(fromJSON('[\"OWNER\", \"MEMBER\"]'), github.event.comment.author_association)",
            "head-checkout@8",
        ),
        (
            "issue_comment",
            "contains(fromJSON('[\"OWNER\", \"NONE\"]'), github.event.comment.author_association)",
            "head-checkout@8!",
        ),
        // Not what they look like: null is as good as false, head writes names of its own, others' words are no guard.
        ("issue_comment", "!github.event.pull_request.head.repo.fork", "head-checkout@8!"),
        ("issue_comment", "github.event.pull_request.head.repo.fork == false", "head-checkout@8!"),
        ("workflow_run", "github.event.workflow_run.head_repository.fork != true", "head-checkout@8"),
        ("pull_request_target", "github.event.pull_request.head.repo.full_name == 'evil/fork'", "head-checkout@8!"),
        ("pull_request_target", "inputs.head.repo.full_name == github.repository", "head-checkout@8!"),
        ("issue_comment", "github.event.issue.author_association == 'MEMBER'", "head-checkout@8!"),
        ("issues", "github.event.issue.author_association == 'MEMBER'", "head-checkout@8"),
        ("issue_comment", "github.event.comment.author_association == 'FIRST_TIME_CONTRIBUTOR'", "head-checkout@8!"),
        ("workflow_run", "github.event.workflow_run.event == 'push'", "head-checkout@8"),
        ("workflow_run", "github.event.workflow_run.event == 'pull_request'", "head-checkout@8!"),
    ] {
        let text = format!(
            "on: {event}\npermissions: {{}}\njobs:\n  j:\n    if: >-\n      {condition}\n    steps:\n      - run: gh pr checkout 1\n"
        );
        assert_eq!(found(&text).join(","), wanted, "{condition}");
    }
}

// "Workflow commands for GitHub Actions": environment files.
#[test]
fn text_written_for_the_runner() {
    let body = "        env:\n          B: ${{ github.event.comment.body }}\n";
    for (run, wanted) in [
        ("echo \"b=$B\" >> $GITHUB_ENV", "environment-injection@9"),
        ("echo \"b=${B}\" >> \"${GITHUB_PATH}\"", "environment-injection@9"),
        ("printf '%s' \"$B\" | tee -a $GITHUB_ENV", "environment-injection@9"),
        ("{ echo 'b<<E'; echo \"$B\"; echo E; } >> $GITHUB_ENV", "environment-injection@9"),
        ("echo \"b=$B\" >> $GITHUB_OUTPUT", "environment-injection@9?"),
        ("echo b=$(echo $B) >> $GITHUB_ENV", "environment-injection@9"),
        ("echo a=1 >> $GITHUB_ENV", ""),
        ("echo $B > file", ""),
        ("echo $B; echo a=$C >> $GITHUB_ENV", ""),
    ] {
        let text = steps("push", &format!("      - name: x\n{body}        run: |\n          {run}\n"))
            .replace("\n        run: |\n          ", "\n        run: ");
        let text =
            text.replace("run: {", "run: |\n          {").replace("run: echo b=$(", "run: |\n          echo b=$(");
        let line = if text.contains("run: |") { wanted.replace("@9", "@10") } else { wanted.to_owned() };
        assert_eq!(found(&text).join(","), line, "{run}");
    }
    let here = "      - name: x\n        env:\n          B: ${{ github.event.comment.body }}\n        run: |\n          cat <<E >> $GITHUB_ENV\n          b=$B\n          E\n";
    assert_eq!(found(&steps("push", here)), ["environment-injection@10"]);
    let artifact = "      - uses: actions/download-artifact@v4\n      - run: cat pr.txt >> $GITHUB_ENV\n";
    assert_eq!(found(&steps("workflow_run", artifact)), ["environment-injection@7!?"]);
}

// "Automatic token authentication" and "Security hardening": permissions.
#[test]
fn tokens_that_may_too_much() {
    let job = "    steps: []\n";
    for (text, wanted) in [
        (format!("on: push\njobs:\n  a:\n{job}"), "default-permissions@3"),
        (format!("on: push\njobs:\n  a:\n    permissions: {{}}\n{job}"), ""),
        (format!("on: push\njobs:\n  a:\n    permissions: {{}}\n{job}  b:\n{job}"), "default-permissions@6"),
        (format!("on: workflow_call\njobs:\n  a:\n{job}"), ""),
        (format!("on: push\npermissions: write-all\njobs:\n  a:\n{job}"), "excess-permissions@2"),
        (format!("on: push\npermissions: read-all\njobs:\n  a:\n{job}"), ""),
        (format!("on: push\npermissions:\n  contents: write\njobs:\n  a:\n{job}"), ""),
        (format!("on: push\npermissions:\n  contents: write\njobs:\n  a:\n{job}  b:\n{job}"), "excess-permissions@3"),
        (format!("on: push\npermissions:\n  contents: write\njobs:\n  a:\n{job}  b:\n    permissions: {{}}\n{job}"), ""),
        (format!("on: push\npermissions: {{}}\njobs:\n  a:\n    permissions: write-all\n{job}"), "excess-permissions@5"),
        (
            format!("on: pull_request_target\npermissions: {{}}\njobs:\n  a:\n    permissions:\n      contents: write\n{job}"),
            "privileged-trigger@1!,excess-permissions@6!",
        ),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    permissions:\n      id-token: write\n    steps:\n      - run: cargo test\n".to_owned(),
            "excess-permissions@6",
        ),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    permissions:\n      id-token: write\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n".to_owned(),
            "",
        ),
    ] {
        let all = weaknesses(&path(), text.as_bytes(), &Surroundings::default()).unwrap();
        let all: Vec<String> = all.iter().map(|w| format!("{}@{}{}", w.weakness, w.line, if w.is_privileged { "!" } else { "" })).collect();
        assert_eq!(all.join(","), wanted, "{text}");
    }
}

// README of actions/checkout: `persist-credentials` is true by default.
#[test]
fn checkouts_that_leave_their_token() {
    for (event, text, wanted) in [
        ("push", "      - uses: actions/checkout@v4\n", Some(false)),
        ("push", "      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n", None),
        ("push", "      - uses: actions/checkout@v4\n        with: {Persist-Credentials: 'FALSE'}\n", None),
        ("push", "      - uses: actions/checkout@v4\n        with: {persist-credentials: '${{ 1 }}'}\n", Some(false)),
        ("push", "      - uses: actions/checkout@v4\n      - uses: a/b@v1\n", Some(true)),
        ("push", "      - uses: a/b@v1\n      - uses: actions/checkout@v4\n", Some(false)),
        (
            "push",
            "      - uses: actions/checkout@v4\n      - uses: actions/upload-artifact@v4\n        with: {path: ./}\n",
            Some(true),
        ),
        (
            "push",
            "      - uses: actions/checkout@v4\n      - uses: actions/upload-artifact@v4\n        with: {path: dist}\n",
            Some(false),
        ),
        ("pull_request_target", "      - uses: actions/checkout@v4\n", Some(true)),
    ] {
        let all = weaknesses(&path(), steps(event, text).as_bytes(), &Surroundings::default()).unwrap();
        let found = all.iter().find(|weak| weak.weakness == Weakness::PersistedCredentials).map(|weak| weak.is_exposed);
        assert_eq!(found, wanted, "{text}");
    }
}

// "Security hardening": self-hosted runners and forks. "Choosing the runner": labels of hosted runners.
#[test]
fn runners_that_forks_reach() {
    let with = |event: &str, more: &str| format!("on: {event}\npermissions: {{}}\njobs:\n  a:\n{more}    steps: []\n");
    for (event, more, wanted) in [
        ("pull_request", "    runs-on: [self-hosted, linux]\n", "self-hosted-runner@5"),
        ("pull_request", "    runs-on: {group: g, labels: [self-hosted]}\n", "self-hosted-runner@5"),
        (
            "pull_request",
            "    runs-on: ${{ matrix.os }}\n    strategy:\n      matrix:\n        os: [ubuntu-latest, Self-Hosted]\n",
            "self-hosted-runner@8",
        ),
        ("pull_request", "    runs-on: ${{ fromJSON('[\"self-hosted\"]') }}\n", "self-hosted-runner@5"),
        ("pull_request", "    runs-on: our-box\n", "self-hosted-runner@5?"),
        ("pull_request", "    runs-on: ubuntu-24.04-arm\n", ""),
        ("push", "    runs-on: self-hosted\n", ""),
        ("issue_comment", "    runs-on: self-hosted\n", "self-hosted-runner@5!"),
    ] {
        assert_eq!(found(&with(event, more)).join(","), wanted, "{more}");
    }
}

// "Caching dependencies": caches of the default branch are read by every branch.
#[test]
fn caches_that_strangers_fill() {
    let release = "on:\n  push:\n    tags: ['v*']\npermissions: {}\njobs:\n  a:\n    steps:\n";
    for (text, wanted) in [
        (
            steps("pull_request_target", "      - run: gh pr checkout 1\n      - uses: actions/cache@v4\n"),
            "head-checkout@6!,cache-poisoning@7!",
        ),
        (steps("pull_request", "      - uses: actions/cache@v4\n"), ""),
        (format!("{release}      - uses: Swatinem/rust-cache@v2\n"), "cache-poisoning@8?"),
        (format!("{release}      - uses: actions/setup-node@v4\n"), ""),
        (format!("{release}      - uses: actions/setup-node@v4\n        with: {{cache: npm}}\n"), "cache-poisoning@8?"),
        (format!("{release}      - uses: actions/setup-go@v5\n        with: {{cache: false}}\n"), ""),
        (
            steps("[push, pull_request]", "      - uses: actions/cache@v4\n      - run: cargo publish\n"),
            "cache-poisoning@6",
        ),
    ] {
        assert_eq!(found(&text).join(","), wanted, "{text}");
    }
}

// What fetches and what runs, after the manuals of curl, wget, sh and PowerShell.
#[test]
fn scripts_that_are_fetched_and_run() {
    for (run, is_bad) in [
        ("curl -sSf https://x.example/i.sh | sh", true),
        ("curl -sSf https://x.example/i.sh | sudo -E bash -s -- -y", true),
        ("curl https://x.example | tee log | bash", true),
        ("wget -qO- https://x.example |\n          bash", true),
        ("bash <(curl -s https://x.example)", true),
        ("source <(curl -s https://x.example)", true),
        ("sh -c \"$(curl -fsSL https://x.example)\"", true),
        ("eval `wget -qO- https://x.example`", true),
        ("bash -c 'curl https://x.example | sh'", true),
        ("iex (iwr https://x.example -UseBasicParsing)", true),
        ("iwr https://x.example | iex", true),
        ("iex ((New-Object System.Net.WebClient).DownloadString('https://x.example'))", true),
        ("(irm https://x.example).Content | iex", true),
        ("python3 -c \"exec(__import__('urllib.request').request.urlopen('https://x.example').read())\"", true),
        ("curl https://x.example | python3 -", true),
        ("curl -o i.sh https://x.example/i.sh\n          bash i.sh", true),
        ("curl -sLO https://x.example/tool\n          chmod +x tool && ./tool", true),
        ("import os; os.system(\"curl https://x.example | sh\")", true),
        ("subprocess.run('curl https://x.example | sh', shell=True)", true),
        ("su app -c 'curl https://x.example | sh'", true),
        ("ssh host <<E\n          curl https://x.example | sh\n          E", true),
        ("git commit -m 'curl https://x.example | sh'", false),
        ("curl -o i.sh https://x.example/i.sh\n          sha256sum -c i.sum\n          bash i.sh", false),
        ("curl https://x.example | python3 -m json.tool", false),
        ("curl https://x.example | jq .", false),
        ("curl https://x.example | tar xz", false),
        ("curl -o a.json https://x.example; cat a.json", false),
        ("echo 'curl x | sh' > readme", false),
        ("# curl x | sh\n          true", false),
        ("cat i.sh | bash", false),
    ] {
        let text = steps("push", &format!("      - run: |\n          {run}\n"));
        let wanted: &[&str] = if is_bad { &["piped-script"] } else { &[] };
        let found: Vec<String> = found(&text).iter().map(|told| told.split('@').next().unwrap().to_owned()).collect();
        assert_eq!(found, wanted, "{run}");
    }
}

// "Using secrets in GitHub Actions"; "Reusing workflows": `secrets: inherit`.
#[test]
fn secrets_in_other_hands() {
    for (step, wanted) in [
        ("      - uses: a/b@v1\n        with: {token: '${{ secrets.KEY }}'}\n", "secret-to-third-party@7"),
        ("      - uses: a/b@v1\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-to-third-party@7"),
        ("      - uses: a/b@v1\n        with: {token: '${{ secrets.GITHUB_TOKEN }}'}\n", "secret-to-third-party@7?"),
        ("      - uses: docker://a/b:1\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-to-third-party@7"),
        ("      - uses: actions/x@v1\n        with: {token: '${{ secrets.KEY }}'}\n", ""),
        ("      - uses: ./x\n        with: {token: '${{ secrets.KEY }}'}\n", ""),
        ("      - uses: Our/x@v1\n        with: {token: '${{ secrets.KEY }}'}\n", ""),
        ("      - run: x\n        env: {K: '${{ toJSON(secrets) }}'}\n", "all-secrets@7"),
        ("      - run: x\n        env: {K: \"${{ secrets[format('A_{0}', matrix.x)] }}\"}\n", "all-secrets@7"),
        ("      - run: x\n        env: {K: \"${{ secrets['KEY'] }}\"}\n", ""),
        ("      - uses: a/b@v1\n        with: {x: \"${{ secrets.KEY != '' }}\"}\n", ""),
        // Printed, and not printed.
        ("      - run: echo $K\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-in-output@6"),
        ("      - run: echo ${{ secrets.KEY }} | base64\n", "secret-in-output@6"),
        ("      - run: printenv\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-in-output@6"),
        ("      - run: echo k=$K >> $GITHUB_OUTPUT\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-in-output@6"),
        ("      - run: echo k=$K >> $GITHUB_ENV\n        env: {K: '${{ secrets.KEY }}'}\n", "secret-in-output@6?"),
        ("      - run: echo $K | docker login --password-stdin\n        env: {K: '${{ secrets.KEY }}'}\n", ""),
        ("      - run: echo $K > key.pem\n        env: {K: '${{ secrets.KEY }}'}\n", ""),
        ("      - run: curl -H \"$K\" https://x.example\n        env: {K: '${{ secrets.KEY }}'}\n", ""),
    ] {
        let around = Surroundings { repository: Some("our/repo".to_owned()), ..Surroundings::default() };
        assert_eq!(told(&path(), &steps("push", step), &around).join(","), wanted, "{step}");
    }
    let job =
        |more: &str| format!("on: push\npermissions: {{}}\nenv:\n  K: ${{{{ secrets.KEY }}}}\njobs:\n  a:\n{more}");
    assert_eq!(found(&job("    steps:\n      - uses: a/b@v1\n")), ["secret-to-third-party@4"]);
    assert_eq!(
        found(&job("    uses: a/b/.github/workflows/c.yml@v1\n    secrets: inherit\n")),
        ["inherited-secrets@8"]
    );
    assert_eq!(found(&job("    uses: ./.github/workflows/c.yml\n    secrets: inherit\n")), ["inherited-secrets@8?"]);
    assert_eq!(
        found(&job("    uses: a/b/c.yml@v1\n    secrets: {x: '${{ secrets.KEY }}'}\n")),
        ["secret-to-third-party@8"]
    );
    assert_eq!(found(&job("    outputs: {x: '${{ secrets.KEY }}'}\n    steps: []\n")), ["secret-in-output@7"]);
}

// "Contexts": `github.actor` is who started the run. Changelog of 2020-10-01: `set-env` and `add-path` are off unless
// ACTIONS_ALLOW_UNSECURE_COMMANDS says otherwise.
#[test]
fn actors_and_old_commands() {
    for (event, condition, wanted) in [
        ("pull_request_target", "github.actor == 'dependabot[bot]'", "spoofable-actor@5!"),
        ("pull_request", "${{ github['Actor'] == 'renovate[bot]' }}", "spoofable-actor@5"),
        ("pull_request", "endsWith(github.actor, '[bot]') || x", "spoofable-actor@5"),
        ("pull_request", "contains(fromJSON('[\"dependabot[bot]\"]'), github.triggering_actor)", "spoofable-actor@5"),
        ("pull_request", "github.actor != 'dependabot[bot]'", ""),
        ("pull_request", "github.event.pull_request.user.login == 'dependabot[bot]'", ""),
        ("push", "github.actor == 'dependabot[bot]'", ""),
    ] {
        let text = format!(
            "on: {event}\npermissions: {{}}\njobs:\n  a:\n    if: \"{}\"\n    steps: []\n",
            condition.replace('"', "\\\"")
        );
        assert_eq!(found(&text).join(","), wanted, "{condition}");
    }
    for step in [
        "      - run: x\n        env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}\n",
        "      - run: x\n        env: {Actions_Allow_Unsecure_Commands: '${{ true }}'}\n",
        "      - run: echo ACTIONS_ALLOW_UNSECURE_COMMANDS=true >> $GITHUB_ENV\n",
    ] {
        assert_eq!(found(&steps("push", step)).len(), 1, "{step}");
    }
    assert!(
        found(&steps("push", "      - run: x\n        env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: false}\n")).is_empty()
    );
}

// "Reusing workflows", "Creating a composite action": who calls brings the event.
#[test]
fn callers_bring_their_events() {
    let called = (
        RepoPath::new(".github/workflows/c.yml"),
        "on: workflow_call\njobs:\n  j:\n    steps:\n      - uses: ./.github/act\n      - run: gh pr checkout 1\n",
    );
    let action = (
        RepoPath::new(".github/act/action.yml"),
        "inputs: {t: {default: x}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.t }} ${{ github.head_ref }}\n      shell: bash\n",
    );
    let caller =
        |event: &str| format!("on: {event}\npermissions: {{}}\njobs:\n  a:\n    uses: ./.github/workflows/c.yml\n");
    for (event, of_called, of_action) in [
        ("pull_request_target", "head-checkout@6!", "template-injection@5!,input-injection@5!"),
        ("push", "", "template-injection@5,input-injection@5"),
    ] {
        let caller = caller(event);
        let files = [(&path(), caller.as_bytes()), (&called.0, called.1.as_bytes()), (&action.0, action.1.as_bytes())];
        let around = Surroundings::of(None, files);
        assert_eq!(told(&called.0, called.1, &around).join(","), of_called);
        assert_eq!(told(&action.0, action.1, &around).join(","), of_action);
    }
}

// "Reusing workflows": `with` of a caller fills the inputs of what it calls.
#[test]
fn callers_bring_their_texts() {
    let called = (
        RepoPath::new(".github/workflows/c.yml"),
        "on: {workflow_call: {inputs: {t: {type: string}, n: {type: string}}}}\njobs:\n  j:\n    steps:\n      - uses: ./act/\n        with: {x: '${{ inputs.t }}'}\n      - run: echo ${{ inputs.n }}\n",
    );
    let action = (
        RepoPath::new("act/action.yaml"),
        "inputs: {x: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.x }}\n      shell: bash\n",
    );
    let caller = "on: issues\njobs:\n  a:\n    uses: ./.github/workflows/c.yml\n    with: {T: '${{ github.event.issue.title }}', n: '1'}\n";
    let around = Surroundings::of(
        None,
        [(&action.0, action.1.as_bytes()), (&called.0, called.1.as_bytes()), (&path(), caller.as_bytes())],
    );
    assert_eq!(told(&called.0, called.1, &around).join(","), "input-injection@7!");
    assert_eq!(told(&action.0, action.1, &around).join(","), "template-injection@5!");
}

// "Choosing the runner", "Running jobs in a container": what takes expressions beside `run`.
#[test]
fn strangers_text_around_jobs() {
    let job = |more: &str| format!("on: pull_request\npermissions: {{}}\njobs:\n  a:\n{more}    steps: []\n");
    for (more, wanted) in [
        ("    container: ${{ github.head_ref }}\n", "template-injection@5"),
        ("    container: {image: x, options: '${{ github.head_ref }}'}\n", "template-injection@5"),
        ("    services: {d: {image: '${{ github.head_ref }}'}}\n", "template-injection@5"),
        ("    defaults: {run: {shell: 'bash -c ${{ github.head_ref }} {0}'}}\n", "template-injection@5"),
        ("    runs-on: ${{ github.head_ref }}\n", "template-injection@5,self-hosted-runner@5?"),
        ("    runs-on: ${{ vars.RUNNER }}\n", "self-hosted-runner@5?"),
        ("    runs-on: ${{ matrix.os }}\n    strategy: {matrix: '${{ fromJSON(vars.M) }}'}\n", "self-hosted-runner@5?"),
        ("    runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-latest]}}\n", ""),
    ] {
        assert_eq!(found(&job(more)).join(","), wanted, "{more}");
    }
}

#[test]
fn what_is_new() {
    let of = |text: &str| weaknesses(&path(), text.as_bytes(), &Surroundings::default()).unwrap();
    let words = |all: Vec<Weak>| all.iter().map(|weak| weak.weakness.to_string()).collect::<Vec<_>>().join(",");
    let run = "      - run: echo ${{ github.head_ref }}\n";
    let one = of(&steps("pull_request", run));
    assert!(new(&one, &one).is_empty());
    // Lines move, versions change: nothing is new. A second of the same is.
    assert!(new(&one, &of(&steps("pull_request", &format!("\n      - uses: a/b@v1\n{run}")))).is_empty());
    assert_eq!(words(new(&one, &of(&steps("pull_request", &format!("{run}{run}"))))), "template-injection");
    let version = |version: &str| {
        of(&steps("push", &format!("      - uses: a/b@{version}\n        with: {{t: '${{{{ secrets.K }}}}'}}\n")))
    };
    assert!(new(&version("v1"), &version("v2")).is_empty());
    // The same text under an event that strangers start with secrets is another matter; the way back is none.
    let privileged = of(&steps("pull_request_target", run));
    assert_eq!(words(new(&one, &privileged)), "privileged-trigger,template-injection");
    assert!(new(&privileged, &one).is_empty());
    // What stood harmless and now stands beside somebody else's action.
    let alone = of(&steps("push", "      - uses: actions/checkout@v4\n"));
    let beside = of(&steps("push", "      - uses: actions/checkout@v4\n      - uses: a/b@v1\n"));
    assert_eq!(words(new(&alone, &beside)), "persisted-credentials");
    assert!(new(&beside, &alone).is_empty());
}
