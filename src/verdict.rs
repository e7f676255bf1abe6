//! Stage 9: findings, waivers and coverage → the decision. Knows no output format.

use jiff::civil::Date;

use crate::gate::coverage::{is_in_force, waives};
use crate::gate::ledger::Ledger;
use crate::model::finding::{Cleared, Finding, Level, Origin, Waived};
use crate::model::verdict::{Coverage, Decision};

/// What was decided about a set of findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// Whether everything that should have been judged was.
    pub complete: bool,
    /// The findings: folded, waived, and sorted.
    pub findings: Vec<Finding>,
}

/// Applies waivers, folds one alarm's closure under it, and decides. Deny beats incomplete beats review beats allow.
#[must_use]
pub fn decide(
    mut findings: Vec<Finding>,
    folds: &[Fold],
    ledger: &Ledger,
    cleared: Option<&Cleared>,
    today: Date,
    coverage: &Coverage,
) -> Decided {
    for finding in &mut findings {
        finding.waived_by = ledger
            .waivers
            .iter()
            .find(|waiver| is_in_force(Some(waiver.expires), today) && waives(waiver, finding))
            .map(|waiver| Waived {
                id: waiver.id.clone(),
                owner: waiver.by.clone(),
                expires: waiver.expires.to_string(),
            });
        let stands = !matches!(finding.origin, Some(Origin::Inherited | Origin::Disclosed | Origin::Resolved));
        // Of all rules only this one is cleared by an approval as such: everything else needs an entry that says what.
        finding.cleared_by = cleared.filter(|_| finding.rule == "gate-changed").cloned();
        finding.blocks = finding.level >= Level::Review && !finding.is_answered() && stands;
    }
    fold(&mut findings, folds);
    findings.sort_by(|a, b| {
        let key = |f: &Finding| {
            (
                std::cmp::Reverse(f.blocks),
                std::cmp::Reverse(f.level),
                f.rule.clone(),
                f.project.clone(),
                f.subject.clone(),
                f.location.clone(),
                f.fingerprint.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    findings.dedup();
    let complete = !coverage.checks_skipped.iter().any(|skipped| skipped.incomplete);
    let worst = findings.iter().filter(|f| f.blocks).map(|f| f.level).max();
    let decision = match (worst, complete) {
        (Some(Level::Deny), _) => Decision::Deny,
        (_, false) => Decision::Incomplete,
        (Some(Level::Review), true) => Decision::Review,
        _ => Decision::Allow,
    };
    Decided { decision, complete, findings }
}

/// A transitive change that is listed under others' alarms: it needs none of its own while one of them stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Id of the change.
    pub change: String,
    /// Ids of the changes that brought it.
    pub under: Vec<String>,
}

/// The rule whose alarms are folded, at the level it has for all of them: another pack's rule of that name, or a level
/// of its own for one library, is said by itself.
const FOLDED_RULE: &str = "library-unreviewed";
const FOLDED_PACK: &str = "baseline";

fn fold(findings: &mut Vec<Finding>, folds: &[Fold]) {
    let alarm = |f: &Finding| f.pack == FOLDED_PACK && f.rule == FOLDED_RULE && f.level == Level::Review && f.blocks;
    let alarmed: std::collections::BTreeSet<&str> =
        findings.iter().filter(|f| alarm(f)).filter_map(|f| f.change.as_deref()).collect();
    // Packages that need each other in a circle would fold each other away: of a circle the first id keeps its alarm.
    let of = |id: &str| folds.iter().find(|fold| fold.change == id);
    let hidden: std::collections::BTreeSet<String> = folds
        .iter()
        .filter(|fold| alarmed.contains(fold.change.as_str()))
        .filter(|fold| {
            fold.under.iter().any(|parent| {
                let mutual = of(parent).is_some_and(|p| p.under.contains(&fold.change));
                alarmed.contains(parent.as_str()) && (!mutual || *parent < fold.change)
            })
        })
        .map(|fold| fold.change.clone())
        .collect();
    findings.retain(|f| !(alarm(f) && f.change.as_ref().is_some_and(|id| hidden.contains(id))));
}
