//! Files written to hide something, or to be costly.

use super::*;

// YAML 1.2: anchors, flow style, quoting, block styles. Merge keys: yaml.org/type/merge.html.
#[test]
fn nothing_hides_in_yaml() {
    for text in [
        "on: push\npermissions: {}\njobs: {j: {steps: [{run: 'echo ${{ github.head_ref }}'}]}}\n",
        "\"on\": push\n'permissions': {}\n\"jobs\":\n  \"j\":\n    \"steps\":\n      - \"r\\x75n\": echo ${{ github.head_ref }}\n",
        "on: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - run: &x echo ${{ github.head_ref }}\n",
        "x: &s\n  run: echo ${{ github.head_ref }}\non: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - *s\n",
        "x: &s\n  run: echo ${{ github.head_ref }}\non: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - <<: *s\n        name: a\n",
        "x: &s\n  run: echo ${{ github.head_ref }}\non: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - <<: [{name: b}, *s]\n",
        "x: &s\n  run: echo ${{ github.head_ref }}\ny: &t {<<: *s}\nz: &u {<<: [*t]}\non: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - <<: *u\n",
        "on: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - run: >-\n          echo\n          ${{ github.head_ref\n          }}\n",
        "on: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - run: \"echo \\u0024{{ github.head_ref }}\"\n",
        "on: push\r\npermissions: {}\r\njobs:\r\n  j:\r\n    steps:\r\n      - run: echo ${{ github.head_ref }}\r\n",
        "on: push\npermissions: {}\njobs:\n  j:\n    steps:\n      - run: echo ${{ github.head_ref\n",
    ] {
        let found = found(text);
        assert_eq!(found.len(), 1, "{text} {found:?}");
        assert!(found[0].starts_with("template-injection"), "{text}");
    }
}

#[test]
fn odd_shapes_are_said() {
    for text in [
        "",
        "[]",
        "on: push\njobs: x\n",
        "on: push\njobs:\n  j: x\n",
        "on: push\njobs:\n  j:\n    steps: {a: b}\n",
        "on: push\njobs:\n  j:\n    steps: [x]\n",
        "on: push\njobs:\n  j:\n    steps: [{run: [x]}]\n",
        "on: push\njobs:\n  j:\n    steps: [{uses: {x: y}}]\n",
        "on: push\npermissions: [x]\njobs: {j: {steps: []}}\n",
        "on: push\njobs:\n  j:\n    steps: [{'${{ x }}': y}]\n",
        "on: ${{ x }}\njobs: {j: {steps: []}}\n",
        "jobs: {j: {steps: []}}\n",
        "on: push\njobs:\n  j:\n    steps: [{run: a, run: b}]\n",
        "on: push\njobs: {j: {steps: []}}\n---\non: push\n",
        "on: push\njobs: {\n",
    ] {
        assert!(weaknesses(&path(), text.as_bytes(), &Surroundings::default()).is_err(), "{text}");
    }
    assert!(weaknesses(&path(), b"\xff\xfe", &Surroundings::default()).is_err());
}

// Sizes chosen so that anything but a linear walk would take minutes; caps are said with their number.
#[test]
fn costly_files_end_soon() {
    let many = steps("push", &"      - run: x\n".repeat(6_000));
    assert!(weaknesses(&path(), many.as_bytes(), &Surroundings::default()).unwrap_err().to_string().contains("5000"));
    let pairs: String = (0..600).map(|n| format!("          A{n}: x\n")).collect();
    let env = steps("push", &format!("      - run: x\n        env:\n{pairs}"));
    assert!(weaknesses(&path(), env.as_bytes(), &Surroundings::default()).unwrap_err().to_string().contains("500"));
    // A chain of outputs, last job first: each round takes one job further.
    let chain = |count: usize| {
        let jobs = (0..count).rev().map(|n| {
            let from = if n == 0 { "github.head_ref".to_owned() } else { format!("needs.j{}.outputs.o", n - 1) };
            format!(
                "  j{n}:\n    outputs:\n      o: ${{{{ {from} }}}}\n    steps:\n      - run: echo ${{{{ {from} }}}}\n"
            )
        });
        format!("on: push\npermissions: {{}}\njobs:\n{}", jobs.collect::<String>())
    };
    assert_eq!(found(&chain(60)).len(), 60);
    assert!(weaknesses(&path(), chain(100).as_bytes(), &Surroundings::default()).is_err());
    let text = format!("      - run: &x \"{}\"\n", "y".repeat(400_000)) + &"      - run: *x\n".repeat(100);
    assert!(weaknesses(&path(), steps("push", &text).as_bytes(), &Surroundings::default()).is_err());
    for inner in ["(", "!", "a.", "a[", "f(", "a==", "a||", "a&&", "'", "''", "${{", "a[0]", "f().a", "f()[a]"] {
        let text = steps("push", &format!("      - run: echo ${{{{ {} }}}}\n", inner.repeat(10_000)));
        assert!(weaknesses(&path(), text.as_bytes(), &Surroundings::default()).is_ok(), "{inner}");
    }
    for run in [
        "$(",
        "`",
        "(",
        "\\\"",
        "<<E ",
        "|",
        "a|",
        "a&&",
        "<(",
        "{ ",
        "} ",
        "x >> $GITHUB_ENV;",
        "curl -o f x; ",
        "curl x | ",
        "fi\\n",
        "echo $K;",
        "echo a |",
    ] {
        let env = "        env: {K: '${{ secrets.K }}'}\n";
        let text = steps(
            "workflow_run",
            &format!("      - uses: a/download-artifact@v1\n      - run: \"{}\"\n{env}", run.repeat(8_000)),
        );
        let many = text.replace("; ", ";").replace(';', ";\\n");
        let _ = weaknesses(&path(), many.as_bytes(), &Surroundings::default());
        // Thousands of weaknesses are over the cap, and that is said.
        let _ = weaknesses(&path(), text.as_bytes(), &Surroundings::default());
    }
}

#[test]
fn names_of_jobs() {
    let told = |text: &str| {
        let (names, is_told) = job_names(text.as_bytes());
        (names.into_iter().collect::<Vec<_>>().join(" "), is_told)
    };
    let steps = "    steps:\n      - uses: a/b@v1\n        name: Upload ${{ matrix.os }}\n";
    let ordinary = format!("on: push\njobs: # all\n  gate:\n    name: Lint & test # x\n{steps}  docs:\n{steps}");
    assert_eq!(told(&ordinary), ("Lint & test docs gate".to_owned(), true));
    // Ways of YAML 1.2 to write a name, all of them the same name.
    for plain in [
        "jobs: { gate: {} }\n",
        "\"jobs\":\n  gate:\n    steps: []\n",
        "jobs:\n  ? gate\n  : steps: []\n",
        "jobs:\n  gate:\n    name: \"ga\\x74e\"\n",
        "jobs:\n  gate:\n    \"name\": gate\n",
        "jobs:\n  gate:\n    name: >-\n      gate\n",
        "x: &n gate\njobs:\n  gate:\n    name: *n\n",
        "x: &n {name: gate}\njobs:\n  gate:\n    <<: *n\n",
        " jobs:\n   gate: {}\n",
    ] {
        assert_eq!(told(plain), ("gate".to_owned(), true), "{plain}");
    }
    // A name that is made of what the matrix lists is told; one that is made of anything else is not.
    let listed = "jobs:\n  a:\n    name: T ${{ matrix.os }} ${{ matrix.v.n }}!\n    strategy:\n      matrix:\n        os: [u]\n        include: [{v: {n: 1}}]\n";
    assert_eq!(told(listed).0.split(" T ").count(), 6, "{:?}", told(listed));
    assert!(told(listed).1 && told(listed).0.contains("T u 1!"));
    for made in [
        "os: '${{ x }}'",
        "os: ['${{ x }}']",
        "os: [u]\n        include: '${{ x }}'",
        "os: [u]\n        include: ['${{ x }}']",
    ] {
        assert!(
            !told(&listed.replace("os: [u]", made).replacen(
                "        include: [{v: {n: 1}}]\n",
                "",
                usize::from(made.contains("incl"))
            ))
            .1,
            "{made}"
        );
    }
    for hidden in [
        "",
        "jobs:\n",
        "jobs: x\n",
        "jobs: [\n",
        "jobs:\n  a:\n    name: ${{ 'gate' }}\n",
        "jobs:\n  a:\n    name: [gate]\n",
        "jobs:\n  ${{ 'gate' }}: {}\n",
        "jobs:\n  a: {}\n---\njobs:\n  gate: {}\n",
        "jobs:\n  a: {}\n  a: {}\n",
    ] {
        assert!(!told(hidden).1, "{hidden}");
    }
    // "Using a matrix": values stand in brackets behind the name.
    let matrix = "jobs:\n  a:\n    name: x\n    strategy:\n      matrix:\n        os: [u, w]\n        v: [1, 2]\n";
    assert_eq!(told(matrix), ("a x x (u, 1) x (u, 2) x (w, 1) x (w, 2)".to_owned(), true));
}

// A chain of jobs, each the gate's and each waiting for the one before: n * (n - 1) / 2 places.
#[test]
fn a_gate_with_too_many_places_is_said() {
    let chain = |command: &str| {
        let job = |at: usize| {
            let needs = at.checked_sub(1).map(|before| format!("g{before}")).unwrap_or_default();
            format!(
                "  g{at}:\n    needs: [{needs}]\n    steps:\n      - run: portcullis check\n      - run: {command}\n"
            )
        };
        format!("on: push\njobs:\n{}", (0..400).map(job).collect::<String>())
    };
    let (base, head) = (chain("a"), chain("b"));
    let told = gate(Some(base.as_bytes()), Some(head.as_bytes()), &path());
    assert!(matches!(told, Err(crate::model::tree::Unread::TooLarge { .. })));
}
