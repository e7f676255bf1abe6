//! The judge of what is safe is a parser written by others (`comrak`, CommonMark and GFM) with its extensions on, those
//! of GitHub and most others too. What GitHub does after parsing (mentions, references, commits, emoji) it does to text
//! outside code; so that text must hold none of the signs these begin with.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};
use proptest::prelude::*;

use super::super::{Look, samples, words};
use super::*;
use crate::model::finding::{Finding, Level, Origin};

fn text_of(verdict: &Verdict) -> String {
    render(verdict, &Look::default())
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    for flag in [
        &mut on.strikethrough,
        &mut on.table,
        &mut on.autolink,
        &mut on.tasklist,
        &mut on.superscript,
        &mut on.subscript,
        &mut on.underline,
        &mut on.footnotes,
        &mut on.inline_footnotes,
        &mut on.description_lists,
        &mut on.multiline_block_quotes,
        &mut on.alerts,
        &mut on.math_dollars,
        &mut on.math_latex,
        &mut on.math_code,
        &mut on.wikilinks_title_after_pipe,
        &mut on.spoiler,
        &mut on.greentext,
        &mut on.cjk_friendly_emphasis,
        &mut on.subtext,
        &mut on.highlight,
        &mut on.insert,
    ] {
        *flag = true;
    }
    options.parse.relaxed_autolinks = true;
    options.parse.relaxed_tasklist_matching = true;
    options
}

/// What a reader makes of a text: its blocks in order, its code spans, and all text outside code.
#[derive(Debug, Default)]
struct Read {
    blocks: Vec<String>,
    code: Vec<String>,
    plain: Vec<String>,
}

fn read(markdown: &str) -> Read {
    let arena = Arena::new();
    let mut read = Read::default();
    walk(comrak::parse_document(&arena, markdown, &options()), 0, &mut read);
    read
}

fn walk<'a>(node: &'a AstNode<'a>, depth: usize, read: &mut Read) {
    let mut block = |name: &str| read.blocks.push(format!("{depth} {name}"));
    match &node.data.borrow().value {
        NodeValue::Document | NodeValue::List(_) => {}
        NodeValue::Item(_) => block("item"),
        NodeValue::Paragraph => block("paragraph"),
        NodeValue::Heading(_) => block("heading"),
        NodeValue::CodeBlock(code) => {
            assert_eq!(code.info, "sh");
            assert!(code.literal.lines().all(|line| line.starts_with("portcullis ")), "{}", code.literal);
            block("commands");
        }
        NodeValue::HtmlBlock(html) => {
            let html = html.literal.trim_end();
            let summary = html.strip_prefix("<details><summary>").and_then(|h| h.strip_suffix("</summary>"));
            match summary {
                Some(summary) => {
                    assert!(!summary.contains(['<', '&', '@', '#', '`']), "{summary}");
                    block("details");
                }
                None => assert!([MARKER, "</details>"].contains(&html), "{html}"),
            }
        }
        NodeValue::HtmlInline(html) => assert!(html == "<sub>" || html == "</sub>", "{html}"),
        NodeValue::Strong | NodeValue::SoftBreak => {}
        NodeValue::Code(code) => read.code.push(code.literal.clone()),
        NodeValue::Text(text) => read.plain.push(text.to_string()),
        other => panic!("not a thing of ours: {other:?}"),
    }
    for child in node.children() {
        walk(child, depth + 1, read);
    }
}

/// Nothing in the text but what we put there, whatever the names in it.
fn is_safe(markdown: &str) -> Read {
    assert!(markdown.len() <= page::BYTES, "{}", markdown.len());
    assert!(!markdown.chars().any(|c| c != '\n' && crate::text::is_unsafe(c)), "{markdown}");
    // A job prints its summary, and a runner obeys its log.
    assert!(!markdown.lines().any(|line| line.trim_start().starts_with("::")) && !markdown.contains("##["));
    let read = read(markdown);
    assert_eq!(read.blocks.iter().filter(|block| block.ends_with("heading")).count(), 1, "{markdown}");
    for plain in &read.plain {
        let is_ours = |c: char| c.is_ascii_alphanumeric() || " ·→—…,.:;()'-+=/🟢🟡🟠🔴".contains(c);
        assert!(plain.chars().all(is_ours), "{plain:?}");
        assert!(!plain.contains("www.") && !plain.contains("//"), "{plain:?}");
        let is_commit = |word: &str| word.len() > 6 && word.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(!plain.split(|c: char| !c.is_ascii_alphanumeric()).any(is_commit), "{plain:?}");
        // `:name:` is an emoji.
        assert!(!plain.split(' ').any(|word| word.matches(':').count() > 1), "{plain:?}");
    }
    read
}

const NASTY: &[&str] = &[
    "@octocat",
    "@org/team",
    "a@b.example",
    "#1",
    "o/r#1",
    "GH-1",
    "o/r@deadbeef",
    "deadbeefdeadbeef",
    "defaced",
    "https://host.example/x",
    "www.host.example",
    "http://a",
    "ftp://x",
    "mailto:a@b.example",
    "[a](http://b)",
    "[a][b]",
    "![i](http://x/y.png)",
    "<img src=x>",
    "<script>",
    "</details>",
    "<!--",
    "-->",
    "<sub>",
    "</sub>",
    "&lt;b&gt;",
    "&#64;all",
    "|a|b|",
    "\\|",
    "\\",
    "\\`",
    "`",
    "``",
    "```",
    "~~~",
    "` `",
    "`x`",
    "*a*",
    "**b**",
    "_c_",
    "__d__",
    "~~e~~",
    "# h",
    "## h",
    "===",
    "---",
    "***",
    "- x",
    "+ x",
    "1. x",
    "2) x",
    "- [ ] t",
    "> q",
    "> [!NOTE]",
    "[!NOTE]",
    "[^1]",
    "[^1]: x",
    "^[x]",
    ":x:",
    ":+1:",
    "a:b:c",
    "$x$",
    "$$x$$",
    "$`x`$",
    "\\(x\\)",
    "||s||",
    "==h==",
    "++i++",
    "[[w]]",
    "[x]: http://y",
    "{x}",
    "::error::x",
    "##[error]",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "    x",
    " ",
    "  ",
    "\u{202e}",
    "\u{200b}",
    "\u{1b}[2J",
    "\u{0}",
    "\u{2028}",
    "é",
    "🟢",
    "plain",
    "words,",
    "(x)",
    "0",
    "7654321",
    ".",
    "!",
    "'",
    "\"",
];

#[test]
fn nothing_of_a_hostile_change_is_obeyed() {
    let benign = is_safe(&text_of(&samples::hostile("x!"))).blocks;
    for nasty in NASTY {
        for text in
            [(*nasty).to_owned(), format!("{nasty}{nasty}"), format!("a {nasty} b"), nasty.repeat(800 / nasty.len())]
        {
            let markdown = text_of(&samples::hostile(&text));
            let read = is_safe(&markdown);
            if !text.trim().is_empty() {
                assert_eq!(read.blocks, benign, "as many entries, whatever the text: {text:?}\n{markdown}");
                let shown = escape::shown(&text, NAME);
                // Of very long runs of backticks, see the tests of `escape`.
                let is_shown = |code: &String| *code == shown || shown.contains("`````````");
                assert!(read.code.iter().any(is_shown), "the name itself, whole: {shown:?}\n{markdown}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_any_mixture_is_obeyed(parts in prop::collection::vec(prop::sample::select(NASTY), 1..12), with: char) {
        let text = parts.concat();
        is_safe(&text_of(&samples::hostile(&text)));
        is_safe(&text_of(&samples::hostile(&format!("{with}{}", parts.join(" ")))));
        is_safe(&format!("{MARKER}\n### x\n\n- {}\n- say {}\n", said(&text), code(&text, NAME)));
    }
}

#[test]
fn a_deny_by_hand() {
    let expected = r#"<!-- portcullis:verdict -->
### 🔴 Portcullis: deny — 1 deny, 3 review, 1 waived

12 packages changed · 9 new libraries

**What blocks**

- **deny** `advisory-introduced` · npm `ws` `8.15.0` → `8.16.0` · via `express-ws`
  - `GHSA-3h5v-q93c-6h6q` · 7.5 high · fixed in `8.17.1` · `web/package-lock.json:412`
  - To clear it: remedy of advisory-introduced
  - Evidence for `NIST SSDF PW.4.4`
- **review** `release-too-young` · cargo `parser` `1.0.0` → `1.1.0` · direct
  - message of release-too-young
  - To clear it: remedy of release-too-young
  - Evidence for `NIST SSDF PW.4.4`
- **review** `gate-changed` · `.portcullis/config.toml:4`
  - message of gate-changed
  - To clear it: remedy of gate-changed
  - Evidence for `NIST SSDF PW.4.4`

**New libraries — 1 needs clearing**

- **review** `library-unreviewed` · cargo `leftpad-rs` `0.3.1` · direct · runtime
  - Facts: published 2 days ago · build script · no license · brings 7 more · publisher, provenance unknown (offline)
  - Asked for in `services/api/Cargo.toml:31`
  - Brings `pad-1` `0.2.0`, `pad-2` `0.2.0`, `pad-3` `0.2.0`, `pad-4` `0.2.0`, `pad-5` `0.2.0`, `pad-6` `0.2.0`, and 1 more
  - warn `release-too-young`: message of release-too-young
- cargo `tidy` `1.0.0` · direct · runtime · covered by `approval-3`

**How to clear it**

```sh
portcullis approve pkg:cargo/leftpad-rs@0.3.1 --closure --depth inspected --reason "…" --by …
```

Run on this branch, with the reviewer's login behind `--by`, and commit `.portcullis/ledger.toml`: its author may do that, and whoever pushes it cannot be that reviewer. An entry counts once the reviewer it names has approved this pull request, or once it stands on the protected branch.

A change to the gate itself is cleared by a configured reviewer who approves this pull request.

<details><summary>Waived or approved: 1</summary>

- `capability-added` · cargo `parser` `1.0.0` → `1.1.0` · waived by `bob` until `2026-12-15` (`waiver-1`)

</details>

<details><summary>Advisories that are not of this change: 3</summary>

- inherited · `pkg:npm/ws@8.16.0` · `GHSA-aaaa-bbbb-cccc` · 7.5 high · fixed in `8.17.1`
- disclosed · `pkg:npm/ws@8.16.0` · `GHSA-aaaa-bbbb-dddd` · 7.5 high · fixed in `8.17.1`
- resolved · `pkg:npm/ws@8.16.0` · `GHSA-aaaa-bbbb-eeee` · 7.5 high · fixed in `8.17.1`

</details>

<details><summary>Other changes, without a finding: 1</summary>

- cargo `quiet` `1.0.0` → `1.0.1` · direct · runtime

</details>

<details><summary>What this rests on</summary>

- Policy: governing, `sha256:7be1000000000000000000000000000000000000000000000000000000000000`
- Advisories for `npm`: 7098 records of `2026-11-22T00:00:00Z`
- Advisories for `cargo`: 1000 records of `2026-11-21T00:00:00Z`, built in
- Decided at `2026-11-22T10:00:00Z`

</details>

<sub>portcullis 0.1.0 · `3f1c9a2` (`origin/main`) → `work tree` · policy `7be100000000` governing · advisories of `2026-11-21` · 9 ms</sub>
"#;
    let version = expected.replace("portcullis 0.1.0", concat!("portcullis ", env!("CARGO_PKG_VERSION")));
    assert_eq!(text_of(&samples::deny()), version);
    is_safe(&text_of(&samples::deny()));
}

#[test]
fn an_answer_that_could_not_be_given_says_what_is_missing() {
    let text = text_of(&samples::incomplete());
    let wanted = "### 🟠 Portcullis: incomplete\n\n1 package changed\n\nOverridden by hand: `--policy-from` `head`\n\n\
        **Not judged, and has to be**\n\n- `advisories`: no advisory data for cargo\n\n";
    assert_eq!(text.strip_prefix(MARKER).map(str::trim_start).and_then(|text| text.get(..wanted.len())), Some(wanted));
}

#[test]
fn every_sample_is_safe() {
    for verdict in samples::all() {
        is_safe(&text_of(&verdict));
    }
}

#[test]
fn a_change_of_thousands_of_packages_fits_into_a_comment() {
    for packages in [200, 2_000, 5_000] {
        let text = text_of(&samples::vast(packages));
        let read = is_safe(&text);
        // 65,536 is GitHub's limit for the body of a comment.
        assert!(text.len() < 65_536 && text.len() > 20_000, "{}", text.len());
        assert!(text.contains("more (see the JSON report)"));
        assert!(text.trim_end().ends_with("</sub>"), "the cut is before the closing lines");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert_eq!(read.blocks.iter().filter(|block| block.ends_with("commands")).count(), 1);
        assert!(text.contains(&format!("{packages} deny, {packages} review")));
    }
    // Twenty commands of two thousand approvals.
    assert!(text_of(&samples::vast(2_000)).contains("… and 1980 more (see the JSON report)"));
}

#[test]
fn long_names_push_nothing_out() {
    // The widest text that is shown as it is: four bytes a character, on all sides.
    let mut verdict = samples::hostile(&"🦀".repeat(3_000));
    let (findings, changes) = (verdict.findings.clone(), verdict.changes.clone());
    for _ in 0..200 {
        verdict.findings.extend(findings.iter().cloned());
        verdict.changes.extend(changes.iter().cloned());
    }
    let text = text_of(&verdict);
    is_safe(&text);
    assert!(text.contains("**What blocks**\n\n- **deny**") && text.trim_end().ends_with("</sub>"));
}

#[test]
fn a_remedy_that_ends_in_a_command_becomes_one() {
    let mut verdict = samples::deny();
    let finding = Finding {
        location: None,
        change: None,
        fingerprint: "f0".into(),
        remediation: "take it from the registry, or portcullis waive source-new --scope 'pkg:x/y z' --reason \"…\""
            .into(),
        ..samples::finding("source-new", Level::Review, Some(&samples::added("y", "1")))
    };
    verdict.findings = vec![
        Finding { remediation: "waive it: portcullis waive X --scope Y".into(), ..finding.clone() },
        Finding { subject: verdict.findings[3].subject.clone(), rule: "l".into(), ..finding },
        samples::advisory("GHSA-aaaa-bbbb-cccc", Origin::Introduced),
    ];
    let by_content = "with care, or waive it: portcullis waive checksum-changed --scope f1 --reason …".to_owned();
    verdict.findings.push(Finding {
        rule: "checksum-changed".into(),
        fingerprint: "f1".into(),
        remediation: by_content,
        ..verdict.findings[0].clone()
    });
    let mut unversioned = verdict.findings[0].clone();
    unversioned.subject.purl = Some("pkg:pypi/z@2.0.post1".into());
    verdict.findings.push(unversioned);
    let text = text_of(&verdict);
    is_safe(&text);
    for line in [
        "  - To clear it: waive it (command below)\n",
        "  - To clear it: take it from the registry (command below)\n",
        "\nportcullis waive source-new --scope pkg:cargo/y@1 --reason \"…\" --expires … --by …\n",
        "\nportcullis waive source-new --scope f0 --reason \"…\" --expires … --by …\n",
        "\nportcullis waive checksum-changed --scope f1 --reason \"…\" --expires … --by …\n",
        "\nportcullis waive l --scope f0 --reason \"…\" --expires … --by …\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("waive GHSA"), "no remedy of the advisory names a waiver");
    assert_eq!(words::counts(&verdict), "1 deny, 4 review");
}

#[test]
fn a_name_in_a_sentence_does_not_read_as_ours() {
    for (text, name, expected) in [
        ("all is well and changed", "all is well and", "`all is well and` changed"),
        ("pad 1.0.0 is new (pad), not padding", "pad", "`pad` `1.0.0` is new (`pad`), not padding"),
        ("pad was there", "", "pad was there"),
        ("a`b is", "a`b", "``a`b is``"),
        ("x x xx", "x", "`x` `x` xx"),
    ] {
        assert_eq!(said_of(text, name), expected);
    }
}
