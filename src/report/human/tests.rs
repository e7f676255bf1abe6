//! What people see.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::{Look, escape, samples};
use super::render;
use crate::model::finding::{Finding, Level};
use crate::model::verdict::{Decision, Verdict};

fn plain(verdict: &Verdict) -> String {
    render(verdict, &Look::default())
}

fn verbose(verdict: &Verdict) -> String {
    render(verdict, &Look { verbose: 1, ..Look::default() })
}

fn quiet(verdict: &Verdict) -> String {
    render(verdict, &Look { quiet: true, ..Look::default() })
}

#[test]
fn a_clean_verdict_is_two_lines() {
    assert_snapshot!(plain(&samples::clean()), @r#"
    portcullis 0.1.0 · base 3f1c9a2 (origin/main) → work tree · 3 projects, 3 lockfiles

    ALLOW  no dependency changed · advisories of 2026-11-21 · policy 7be1… governing · 9 ms
    "#);
}

#[test]
fn what_blocks_is_said_with_its_facts() {
    assert_snapshot!(plain(&samples::deny()), @r#"
    portcullis 0.1.0 · base 3f1c9a2 (origin/main) → work tree · 3 projects, 3 lockfiles

      NEW LIBRARIES
      ! cargo  leftpad-rs 0.3.1      direct · runtime        review  library-unreviewed
          brought in by  services/api/Cargo.toml:31
          facts          published 2 days ago · build script · no license · brings 7 more · publisher,
                         provenance unknown (offline)
          closure        pad-1 0.2.0, pad-2 0.2.0, pad-3 0.2.0, pad-4 0.2.0, pad-5 0.2.0, and 2 more
          · release-too-young (warn): message of release-too-young
          approve        portcullis approve pkg:cargo/leftpad-rs@0.3.1 --closure --depth inspected --reason "…"
      ✓ cargo  tidy 1.0.0            direct · runtime        covered  by approval-3

      UPGRADES AND OTHER CHANGES
      ! cargo  parser 1.0.0 → 1.1.0  direct · runtime        review  release-too-young
          locked at      services/api/Cargo.lock:812
          facts          published yesterday
          ! release-too-young (review): message of release-too-young
            → remedy of release-too-young
          · capability-added: waived by waiver-1, bob, until 2026-12-15
      · without a finding: 1 upgraded

      ADVISORIES
      ✗ npm    ws 8.15.0 → 8.16.0    via express-ws          deny    advisory-introduced
          GHSA-3h5v-q93c-6h6q  7.5 high · fixed in 8.17.1
          web/package-lock.json:412
          via web@1.0.0 → express-ws@5.0.0 → ws@8.16.0
      · 1 inherited, 1 newly disclosed, not blocking (portcullis audit)
      ✓ 1 resolved

      GATE AND CONFIGURATION
      ! .portcullis/config.toml:4    gate-changed            review  NIST SSDF PW.4.4
          message of gate-changed
            → remedy of gate-changed

    DENY  1 deny, 3 review, 1 waived · 12 packages changed · advisories of 2026-11-21 · policy 7be1…
      governing · 9 ms
    "#);
}

#[test]
fn detail_on_request() {
    assert_snapshot!(verbose(&samples::deny()), @r#"
    portcullis 0.1.0 · base 3f1c9a2 (origin/main) → work tree · 3 projects, 3 lockfiles

      NEW LIBRARIES
      ! cargo  leftpad-rs 0.3.1      direct · runtime        review  library-unreviewed
          brought in by  services/api/Cargo.toml:31
          facts          published 2 days ago · build script · no license · no native code · brings 7
                         more · publisher, provenance unknown (offline) · downloads unknown (not asked)
          closure        pad-1 0.2.0, pad-2 0.2.0, pad-3 0.2.0, pad-4 0.2.0, pad-5 0.2.0, pad-6 0.2.0,
                         pad-7 0.2.0
          evidence for   library-unreviewed: NIST SSDF PW.4.4
          · release-too-young (warn): message of release-too-young
          evidence for   release-too-young: NIST SSDF PW.4.4
          approve        portcullis approve pkg:cargo/leftpad-rs@0.3.1 --closure --depth inspected --reason "…"
      ✓ cargo  tidy 1.0.0            direct · runtime        covered  by approval-3
          brought in by  services/api/Cargo.toml:31

      UPGRADES AND OTHER CHANGES
      ! cargo  parser 1.0.0 → 1.1.0  direct · runtime        review  release-too-young
          locked at      services/api/Cargo.lock:812
          facts          published yesterday
          ! release-too-young (review): message of release-too-young
            → remedy of release-too-young
          evidence for   release-too-young: NIST SSDF PW.4.4
          · capability-added: waived by waiver-1, bob, until 2026-12-15
          evidence for   capability-added: NIST SSDF PW.4.4
      · without a finding: 1 upgraded

      ADVISORIES
      ✗ npm    ws 8.15.0 → 8.16.0    via express-ws          deny    advisory-introduced
          GHSA-3h5v-q93c-6h6q  7.5 high · fixed in 8.17.1 · also CVE-2024-0001
          web/package-lock.json:412
          via web@1.0.0 → express-ws@5.0.0 → ws@8.16.0
      · 1 inherited, 1 newly disclosed, not blocking (portcullis audit): GHSA-aaaa-bbbb-cccc,
        GHSA-aaaa-bbbb-dddd
      ✓ 1 resolved: GHSA-aaaa-bbbb-eeee

      GATE AND CONFIGURATION
      ! .portcullis/config.toml:4    gate-changed            review  NIST SSDF PW.4.4
          message of gate-changed
            → remedy of gate-changed

    DENY  1 deny, 3 review, 1 waived · 12 packages changed · advisories of 2026-11-21 · policy 7be1…
      governing · 9 ms
    "#);
}

#[test]
fn quiet_is_one_line_for_each_block() {
    assert_snapshot!(quiet(&samples::deny()), @r#"
    deny advisory-introduced · pkg:npm/ws@8.16.0 · GHSA-3h5v-q93c-6h6q · web/package-lock.json:412 · me…
    review library-unreviewed · pkg:cargo/leftpad-rs@0.3.1 · message of library-unreviewed
    review release-too-young · pkg:cargo/parser@1.1.0 · message of release-too-young
    review gate-changed · .portcullis/config.toml:4 · message of gate-changed
    DENY  1 deny, 3 review, 1 waived · 12 packages changed · advisories of 2026-11-21 · policy 7be1…
      governing · 9 ms
    "#);
}

#[test]
fn what_was_not_judged_is_said() {
    assert_snapshot!(plain(&samples::incomplete()), @r#"
    portcullis 0.1.0 · base 3f1c9a2 (origin/main) → work tree · 3 projects, 3 lockfiles
    no upstream branch: base is the first parent

      NOT JUDGED
      ! advisories: no advisory data for cargo
      · legacy/0/packages.lock: unsupported, this format is recognised, not read
      · legacy/1/packages.lock: unsupported, this format is recognised, not read
      · legacy/2/packages.lock: unsupported, this format is recognised, not read
      · legacy/3/packages.lock: unsupported, this format is recognised, not read
      · legacy/4/packages.lock: unsupported, this format is recognised, not read
      · 3 more files (-v shows them)

    overridden: --policy-from head
    INCOMPLETE  1 package changed · no advisory data · policy 7be1… governing · 9 ms
    "#);
    assert_snapshot!(quiet(&samples::incomplete()), @r#"
    not judged advisories: no advisory data for cargo
    overridden: --policy-from head
    INCOMPLETE  1 package changed · no advisory data · policy 7be1… governing · 9 ms
    "#);
}

#[test]
fn an_audit_has_no_base_and_folds_what_repeats() {
    assert_snapshot!(plain(&samples::audit()), @r#"
    portcullis 0.1.0 · audit of work tree · 3 projects, 3 lockfiles

      ADVISORIES
      ✗ npm    ws 8.16.0             in web                  deny    advisory-introduced
          GHSA-3h5v-q93c-6h6q  7.5 high · fixed in 8.17.1
          web/package-lock.json:412

      OTHER
      · 41 of release-too-young (-v shows them)

    DENY  1 deny · advisories of 2026-11-21 · policy 7be1… governing · 9 ms
    "#);
}

#[test]
fn a_narrow_terminal_wraps() {
    assert_snapshot!(render(&samples::deny(), &Look { width: 60, ..Look::default() }), @r#"
    portcullis 0.1.0 · base 3f1c9a2 (origin/main) → work tree ·
      3 projects, 3 lockfiles

      NEW LIBRARIES
      ! cargo  leftpad-rs 0.3.1  direct · runtime  review
        library-unreviewed
          brought in by  services/api/Cargo.toml:31
          facts          published 2 days ago · build script ·
                         no license · brings 7 more · publisher,
                         provenance unknown (offline)
          closure        pad-1 0.2.0, pad-2 0.2.0, pad-3 0.2.0,
                         pad-4 0.2.0, pad-5 0.2.0, and 2 more
          · release-too-young (warn): message of
            release-too-young
          approve        portcullis approve pkg:cargo/leftpad-rs@0.3.1 --closure --depth inspected --reason "…"
      ✓ cargo  tidy 1.0.0  direct · runtime  covered  by
        approval-3

      UPGRADES AND OTHER CHANGES
      ! cargo  parser 1.0.0 → 1.1.0  direct · runtime  review
        release-too-young
          locked at      services/api/Cargo.lock:812
          facts          published yesterday
          ! release-too-young (review): message of
            release-too-young
            → remedy of release-too-young
          · capability-added: waived by waiver-1, bob, until
            2026-12-15
      · without a finding: 1 upgraded

      ADVISORIES
      ✗ npm  ws 8.15.0 → 8.16.0  via express-ws  deny
        advisory-introduced
          GHSA-3h5v-q93c-6h6q  7.5 high · fixed in 8.17.1
          web/package-lock.json:412
          via web@1.0.0 → express-ws@5.0.0 → ws@8.16.0
      · 1 inherited, 1 newly disclosed, not blocking (portcullis
        audit)
      ✓ 1 resolved

      GATE AND CONFIGURATION
      ! .portcullis/config.toml:4  gate-changed  review  NIST
        SSDF PW.4.4
          message of gate-changed
            → remedy of gate-changed

    DENY  1 deny, 3 review, 1 waived · 12 packages changed ·
      advisories of 2026-11-21 · policy 7be1… governing · 9 ms
    "#);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let verdict = samples::deny();
    let coloured = render(&verdict, &Look { colour: true, ..Look::default() });
    let stripped = regex::Regex::new("\u{1b}\\[[0-9]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(stripped, plain(&verdict));
    assert!(coloured.contains("\u{1b}[31mDENY\u{1b}[0m"));
}

#[test]
fn findings_about_one_library_are_one_alarm() {
    let mut verdict = Verdict { decision: Decision::Review, ..samples::clean() };
    let library = samples::added("pad", "1.0.0");
    verdict.findings = ["release-too-young", "library-unreviewed", "source-new"]
        .map(|rule| samples::finding(rule, Level::Review, Some(&library)))
        .into();
    verdict.changes = vec![library];
    let text = plain(&verdict);
    assert_eq!(text.matches("pad 1.0.0").count(), 1, "{text}");
    assert_eq!(text.matches("brought in by").count(), 1, "{text}");
    assert!(text.contains("! release-too-young (review): message of release-too-young"), "{text}");
    assert!(text.contains("! source-new (review): message of source-new"), "{text}");
}

#[test]
fn the_approval_command_is_safe_to_paste() {
    let mut verdict = samples::clean();
    let mut library = samples::added("pad", "1.0.0");
    library.purl = "pkg:cargo/pad@1.0.0?x=$(touch${IFS}x)&y=`id`".into();
    verdict.findings = vec![samples::finding("library-unreviewed", Level::Review, Some(&library))];
    verdict.changes = vec![library];
    let expected =
        "portcullis approve 'pkg:cargo/pad@1.0.0?x=$(touch${IFS}x)&y=`id`' --depth inspected --reason \"…\"\n";
    assert!(plain(&verdict).contains(expected));
}

#[test]
fn a_finding_about_an_unknown_change_is_not_lost() {
    let mut verdict = samples::clean();
    let change = samples::added("ghost", "1.0.0");
    verdict.findings = vec![samples::finding("some-rule", Level::Deny, Some(&change))];
    assert!(plain(&verdict).contains("message of some-rule"));
}

#[test]
fn every_blocking_finding_is_said_in_every_look() {
    for verdict in samples::all() {
        for text in [plain(&verdict), verbose(&verdict), quiet(&verdict)] {
            for finding in verdict.findings.iter().filter(|finding| finding.blocks) {
                assert!(text.contains(&escape::terminal(&finding.rule)), "{}: {text}", finding.rule);
            }
        }
    }
}

/// Text of the sort that attacks a terminal, mixed with common text.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = proptest::sample::select(samples::HOSTILE.chars().collect::<Vec<_>>()).prop_map(String::from);
    let common = proptest::char::range(' ', '~').prop_map(String::from);
    let command = proptest::sample::select(vec![" ", "::", "x::y", "::error::", "##[group]", "##vso[x]", "\nALLOW  "]);
    let mixed = prop_oneof![2 => nasty, 3 => common, 2 => any::<char>().prop_map(String::from), 1 => command.prop_map(str::to_owned)];
    proptest::collection::vec(mixed, 1..120).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_unsafe_reaches_the_terminal(text in hostile(), width in 0usize..160, verbose in 0u8..2, quiet: bool) {
        let verdict = samples::hostile(&text);
        let said = render(&verdict, &Look { colour: false, width, verbose, quiet });
        let found = said.chars().find(|c| *c != '\n' && escape::is_unsafe(*c));
        prop_assert_eq!(found, None, "{}", said);
        // Nor can a name make a line that a reader or a build's runner takes for the program's own.
        for line in said.lines() {
            prop_assert!(!line.starts_with("ALLOW") && !line.trim_start().starts_with("::"), "{}", line);
            prop_assert!(!line.contains("##"), "{}", line);
        }
        let width = if width == 0 { 100 } else { width.max(40) };
        for line in said.lines().filter(|line| !line.contains("portcullis approve ")) {
            prop_assert!(super::text::width(line) <= width, "{} columns: {}", super::text::width(line), line);
        }
    }
}

#[test]
fn repeated_warnings_are_folded_and_blocking_ones_never() {
    let mut verdict = samples::clean();
    for n in 0..6 {
        let change = samples::upgraded(&format!("lib-{n}"), "1.0.0", "1.1.0");
        verdict.findings.push(samples::finding("release-too-young", Level::Warn, Some(&change)));
        verdict
            .findings
            .push(Finding { blocks: n > 3, ..samples::finding("capability-added", Level::Warn, Some(&change)) });
        verdict.changes.push(change);
    }
    let text = plain(&verdict);
    assert_eq!(text.matches("release-too-young (warn)").count(), 0, "{text}");
    assert_eq!(text.matches("capability-added (warn)").count(), 2, "{text}");
    assert!(text.contains("· 6 of release-too-young (-v shows them)"), "{text}");
    assert!(text.contains("· 4 of capability-added (-v shows them)"), "{text}");
    assert_eq!(verbose(&verdict).matches("release-too-young (warn)").count(), 6);
}
