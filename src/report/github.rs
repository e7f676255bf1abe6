//! For the log of a GitHub Actions step: workflow commands that the runner turns into annotations; and the same
//! annotations as values, for a check run.
//!
//! The first line is the decision in plain words. Then come the annotations, the most important first: what could not
//! be judged, then findings by loudness (see [`Loudness`]). Waived findings and those that stood on base before are not
//! annotated, because nobody can mend them in this change. The runner shows ten of each loudness a step, so no more are
//! printed, and notes only where all of them fit; the last line says how many are not annotated.
//!
//! The log is a program's input: a line that begins with `::` is obeyed. Ours do so on purpose, and nothing from
//! outside does: see [`escape::workflow_message`] and [`escape::workflow_property`].

use std::collections::BTreeMap;

use super::place::{Loudness, Places};
use super::words::{self, is_summed_up};
use super::{Look, escape};
use crate::model::finding::Finding;
use crate::model::verdict::{Decision, Verdict};

/// Annotations of one loudness that the runner shows for one step (GitHub's documentation of workflow commands).
const SHOWN: usize = 10;
/// Of them, those that may say what could not be judged.
const SKIPPED: usize = 3;
/// Characters of a title. The API takes 255.
const TITLE: usize = 200;
/// Characters of a message. The API takes 64 KB, at up to four bytes each.
const MESSAGE: usize = 4_000;

/// One finding at its place, for a check run or a workflow command. The texts are on one line, or few, and hold no
/// steering character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file, relative to the repository.
    pub path: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// How loudly: a check run calls these `failure`, `warning` and `notice`.
    pub level: Loudness,
    /// At most 255 characters.
    pub title: String,
    /// At most 64 KB; lines are parted by line feeds.
    pub message: String,
}

impl Loudness {
    /// The level of a check run's annotation (GitHub's API, `annotation_level`).
    #[must_use]
    pub const fn annotation_level(self) -> &'static str {
        match self {
            Self::Error => "failure",
            Self::Warning => "warning",
            Self::Note => "notice",
        }
    }

    /// The workflow command.
    const fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "notice",
        }
    }
}

/// The decision, the annotations as workflow commands, and how many are left out.
#[must_use]
pub fn render(verdict: &Verdict, _look: &Look) -> String {
    let counts = words::counts(verdict);
    let dash = if counts.is_empty() { "" } else { " - " };
    let mut out = format!("portcullis: {}{dash}{counts}\n", verdict.decision);
    let skipped: Vec<_> = verdict.coverage.checks_skipped.iter().filter(|skipped| skipped.incomplete).collect();
    for skipped in skipped.iter().take(SKIPPED) {
        let text = format!("{}: {}", clip(&skipped.check, words::NAME), clip(&skipped.reason, MESSAGE));
        out.push_str(&format!("::error title=portcullis%3A not judged::{}\n", escape::workflow_message(&text)));
    }
    let annotations = annotations(verdict);
    let mut room: BTreeMap<Loudness, usize> = BTreeMap::from([
        (Loudness::Error, SHOWN - skipped.len().min(SKIPPED)),
        (Loudness::Warning, SHOWN),
        (Loudness::Note, SHOWN),
    ]);
    if annotations.iter().filter(|annotation| annotation.level == Loudness::Note).count() > SHOWN {
        room.insert(Loudness::Note, 0);
    }
    let mut left = skipped.len().saturating_sub(SKIPPED);
    for annotation in &annotations {
        match room.get_mut(&annotation.level) {
            Some(room) if *room > 0 => {
                *room -= 1;
                out.push_str(&command(annotation));
            }
            _ => left += 1,
        }
    }
    if left > 0 {
        out.push_str(&format!("portcullis: {left} more not annotated here; the JSON report has them all\n"));
    }
    if verdict.decision == Decision::Incomplete && skipped.is_empty() {
        out.push_str("::error title=portcullis%3A not judged::something could not be judged\n");
    }
    out
}

fn command(annotation: &Annotation) -> String {
    format!(
        "::{} file={},line={},endLine={},title={}::{}\n",
        annotation.level.command(),
        escape::workflow_property(&annotation.path),
        annotation.start_line,
        annotation.end_line,
        escape::workflow_property(&annotation.title),
        escape::workflow_message(&annotation.message)
    )
}

/// Every finding of the change that is not waived, what blocks first and the loudest before the others; otherwise in
/// the verdict's order. Findings that stood on base before are left out where a change is judged; an audit has them.
#[must_use]
pub fn annotations(verdict: &Verdict) -> Vec<Annotation> {
    let places = Places::new(verdict);
    let mut findings: Vec<&Finding> =
        verdict.findings.iter().filter(|finding| !finding.is_answered() && !is_summed_up(finding, verdict)).collect();
    findings.sort_by_key(|finding| (!finding.blocks, Loudness::of(finding)));
    findings.into_iter().map(|finding| annotation(finding, &places)).collect()
}

fn annotation(finding: &Finding, places: &Places<'_>) -> Annotation {
    let place = places.of(finding);
    let id = finding.advisory.as_ref().map(|matched| format!(" {}", clip(&matched.id, words::NAME)));
    let mut lines = vec![clip(&finding.message, words::TEXT)];
    if finding.blocks && !finding.remediation.is_empty() {
        lines.push(clip(&finding.remediation, words::TEXT));
    }
    if !finding.controls.is_empty() {
        let controls = finding.controls.join(", ");
        lines.push(format!("evidence for {}", clip(&controls, words::TEXT)));
    }
    if !place.is_its_own {
        lines.push("it has no line of its own: this is the nearest file".to_owned());
    }
    Annotation {
        path: place.file.as_str().to_owned(),
        start_line: place.line,
        end_line: place.end_line,
        level: Loudness::of(finding),
        title: clip(&format!("{} {}{}", finding.level, words::rule(finding), id.unwrap_or_default()), TITLE),
        message: lines.join("\n"),
    }
}

/// At most so many characters of what is shown, on one line and without anything that steers.
fn clip(text: &str, max: usize) -> String {
    escape::shown(text, max)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::model::finding::Level;

    /// What a runner makes of a log: commands as (name, properties, message), decoded. Written after the runner's
    /// `ActionCommand.TryParseV2` and `TryParse` (a `##[name]` anywhere in a line is the old form).
    fn obeyed(log: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
        let decode = |text: &str| {
            text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        };
        let mut commands = Vec::new();
        for line in log.split(['\n', '\r']) {
            assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
            let Some(rest) = line.trim_start().strip_prefix("::") else { continue };
            let (head, message) = rest.split_once("::").unwrap();
            let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
            let properties =
                properties.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), decode(v)));
            commands.push((name.to_owned(), properties.collect(), decode(message)));
        }
        commands
    }

    #[test]
    fn a_deny_by_hand() {
        let expected = "portcullis: deny - 1 deny, 3 review, 1 waived\n\
            ::error file=web/package-lock.json,line=412,endLine=412,title=deny advisory-introduced GHSA-3h5v-q93c-6h6q\
            ::message of advisory-introduced%0Aremedy of advisory-introduced%0Aevidence for NIST SSDF PW.4.4\n\
            ::warning file=services/api/Cargo.toml,line=31,endLine=31,title=review library-unreviewed\
            ::message of library-unreviewed%0Aremedy of library-unreviewed%0Aevidence for NIST SSDF PW.4.4\n\
            ::warning file=services/api/Cargo.lock,line=812,endLine=812,title=review release-too-young\
            ::message of release-too-young%0Aremedy of release-too-young%0Aevidence for NIST SSDF PW.4.4\n\
            ::warning file=.portcullis/config.toml,line=4,endLine=4,title=review gate-changed\
            ::message of gate-changed%0Aremedy of gate-changed%0Aevidence for NIST SSDF PW.4.4\n\
            ::warning file=services/api/Cargo.toml,line=31,endLine=31,title=warn release-too-young\
            ::message of release-too-young%0Aevidence for NIST SSDF PW.4.4\n";
        assert_eq!(render(&samples::deny(), &Look::default()), expected);
        assert_eq!(render(&samples::clean(), &Look::default()), "portcullis: allow\n");
        let incomplete = render(&samples::incomplete(), &Look::default());
        assert_eq!(
            incomplete,
            "portcullis: incomplete\n\
             ::error title=portcullis%3A not judged::advisories: no advisory data for cargo\n"
        );
    }

    #[test]
    fn a_runner_obeys_our_commands_alone() {
        for text in [
            samples::HOSTILE,
            "::set-env name=x::y",
            "a\n::add-path::/x",
            "%0A::stop-commands::t",
            "##[error]x##vso[task]",
            "x,title=y,line=99::boo",
            ",",
            "::",
            " ::",
        ] {
            let verdict = samples::hostile(text);
            let log = render(&verdict, &Look::default());
            let commands = obeyed(&log);
            assert_eq!(commands.len(), log.lines().count() - 1, "{log}");
            for (name, properties, _) in commands {
                assert!(["error", "warning", "notice"].contains(&name.as_str()), "{name}");
                let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
                assert!(keys == ["endLine", "file", "line", "title"] || keys == ["title"], "{keys:?}");
                assert!(properties.get("line").is_none_or(|line| line.parse::<u32>().is_ok_and(|line| line > 0)));
            }
        }
    }

    #[test]
    fn ten_of_each_and_the_rest_is_counted() {
        let mut verdict = samples::deny();
        let notes = |n| (0..n).map(|_| Finding { blocks: false, ..samples::finding("n", Level::Note, None) });
        verdict.findings = notes(3).collect();
        verdict.findings.extend((0..25).map(|n| samples::finding(&format!("d{n}"), Level::Deny, None)));
        verdict.findings.extend((0..12).map(|n| samples::finding(&format!("r{n}"), Level::Review, None)));
        let log = render(&verdict, &Look::default());
        let commands = obeyed(&log);
        let of = |name: &str| commands.iter().filter(|(n, _, _)| n == name).count();
        assert_eq!((of("error"), of("warning"), of("notice")), (10, 10, 3));
        assert!(log.ends_with("portcullis: 17 more not annotated here; the JSON report has them all\n"), "{log}");
        assert_eq!(commands[0].1["title"], "deny d0");
        verdict.findings.extend(notes(8));
        let log = render(&verdict, &Look::default());
        assert!(!log.contains("::notice") && log.contains("portcullis: 28 more"), "{log}");
    }

    #[test]
    fn annotations_are_within_the_limits_of_a_check_run() {
        let long = "é🦀`@x".repeat(50_000);
        for verdict in samples::all().into_iter().chain([samples::hostile(&long)]) {
            let annotations = annotations(&verdict);
            for annotation in &annotations {
                assert!(!annotation.path.is_empty() && annotation.message.len() <= 65_536);
                assert!(annotation.title.chars().count() <= 255, "{}", annotation.title);
                assert!(annotation.start_line >= 1 && annotation.end_line >= annotation.start_line);
            }
            assert!(annotations.is_sorted_by_key(|a| a.level), "{annotations:?}");
            let waived = verdict.findings.iter().filter(|f| f.is_answered()).count();
            assert!(annotations.len() + waived <= verdict.findings.len());
        }
        assert_eq!(Loudness::Error.annotation_level(), "failure");
    }
}
