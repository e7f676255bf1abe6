//! For the steps that follow: `name=value` lines as GitHub reads them from the file `GITHUB_OUTPUT`.
//!
//! - `decision`: `allow`, `review`, `incomplete` or `deny`.
//! - `findings`: how many findings block.
//! - `new-libraries`: a JSON array of the package URLs that are new to their project, in the verdict's order and each
//!   once. Past 100,000 bytes the array is cut, and its last element says so in words: `... and 12 more`, which
//!   no consumer can take for a package URL, for those begin with `pkg:`.
//!
//! Each value is on one line, because JSON has no line break within a string and [`escape::json`] leaves none of the
//! others; so no value can begin a line of its own, nor open a `name<<END` block.

use std::collections::BTreeSet;

use super::{Look, escape};
use crate::model::change::ChangeKind;
use crate::model::verdict::Verdict;

/// Bytes of `new-libraries`. GitHub takes 1 MB of outputs from one job.
const LIBRARIES: usize = 100_000;

/// The outputs, one line each.
#[must_use]
pub fn render(verdict: &Verdict, _look: &Look) -> String {
    let blocking = verdict.findings.iter().filter(|finding| finding.blocks).count();
    format!("decision={}\nfindings={blocking}\nnew-libraries={}\n", verdict.decision, new_libraries(verdict))
}

fn new_libraries(verdict: &Verdict) -> String {
    let mut seen = BTreeSet::new();
    let is_new = |change: &&crate::model::change::Change| change.new_library && change.kind != ChangeKind::Removed;
    let purls: Vec<&str> =
        verdict.changes.iter().filter(is_new).map(|c| c.purl.as_str()).filter(|purl| seen.insert(*purl)).collect();
    let mut out = String::from("[");
    for (index, purl) in purls.iter().enumerate() {
        // A text has no way not to be JSON; if it had, an empty name would be the honest answer.
        let quoted = escape::json(&serde_json::to_string(purl).unwrap_or_else(|_| "\"\"".to_owned()));
        let comma = if index == 0 { "" } else { "," };
        if out.len() + comma.len() + quoted.len() > LIBRARIES {
            out.push_str(&format!("{comma}\"... and {} more\"", purls.len() - index));
            break;
        }
        out.push_str(comma);
        out.push_str(&quoted);
    }
    out.push(']');
    out.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use serde_json::Value;

    fn lines(verdict: &Verdict) -> Vec<(String, String)> {
        let text = render(verdict, &Look::default());
        text.lines().map(|line| line.split_once('=').unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn a_deny_by_hand() {
        let mut verdict = samples::deny();
        verdict.changes.retain(|change| change.name == "leftpad-rs" || change.name == "ws" || change.name == "tidy");
        verdict.changes.push(samples::added("tidy", "1.0.0"));
        // Four of the sample's findings block: the advisory, the new library, the young release, the gate.
        let expected = "decision=deny\nfindings=4\n\
             new-libraries=[\"pkg:cargo/leftpad-rs@0.3.1\",\"pkg:cargo/tidy@1.0.0\"]\n";
        assert_eq!(render(&verdict, &Look::default()), expected);
        assert_eq!(render(&samples::clean(), &Look::default()), "decision=allow\nfindings=0\nnew-libraries=[]\n");
    }

    #[test]
    fn three_lines_whatever_the_names() {
        let nasty = format!("pkg:x\nname=1\r\nx<<END\n::set-output name=a::b\n##[x]{}", samples::HOSTILE);
        for verdict in samples::all().into_iter().chain([samples::hostile(&nasty)]) {
            let lines = lines(&verdict);
            let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["decision", "findings", "new-libraries"]);
            let Value::Array(purls) = serde_json::from_str(&lines[2].1).unwrap() else { unreachable!() };
            let mut expected: Vec<&str> =
                verdict.changes.iter().filter(|c| c.new_library).map(|c| c.purl.as_str()).collect();
            expected.dedup();
            assert_eq!(purls, expected, "the true names");
        }
    }

    #[test]
    fn a_cut_is_said() {
        let mut verdict = samples::clean();
        // `"pkg:cargo/library-NNNNN@1.0.0"` and a comma: 32 bytes each.
        verdict.changes = (10_000..20_000).map(|n| samples::added(&format!("library-{n}"), "1.0.0")).collect();
        let lines = lines(&verdict);
        let purls: Vec<String> = serde_json::from_str(&lines[2].1).unwrap();
        let shown = purls.len() - 1;
        assert_eq!(purls[shown], format!("... and {} more", 10_000 - shown));
        assert!(lines[2].1.len() < LIBRARIES + 40 && shown > 3_000, "{shown}");
    }
}
