//! `explain`: what a rule or an advisory means here, and how to mend it.

use super::args::{Explain, Global};
use super::{Ending, Error, open, print};
use crate::gate::Gate;
use crate::policy::pack::{Packs, Rule};
use crate::report::escape::terminal;
use crate::world::{Env, Repo, Rev};

pub(super) fn run(global: &Global, env: &Env, args: &Explain) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let packs = Packs::load(&here(&*repo)?)?;
    let name = args.name.as_str();
    let rules: Vec<&Rule> =
        packs.rules().filter(|r| r.rule == name || format!("{}/{}", r.pack, r.rule) == name).collect();
    if !rules.is_empty() {
        return print(&rules.into_iter().map(|r| rule(&packs, r)).collect::<Vec<_>>().join("\n"));
    }
    let store = super::advisories(global, env, &*repo).map_err(Error::Undecided)?;
    let known = store.id(name).map_err(|e| Error::Undecided(e.to_string()))?;
    let Some(known) = known else {
        return Err(Error::Usage(format!("{}: neither a rule nor an advisory that is known", terminal(name))));
    };
    let mut text = format!("{}\n", terminal(&known.ids.join(" · ")));
    for record in &known.records {
        let state = if record.withdrawn { "withdrawn" } else { record.kind.as_str() };
        let score = record.score.map_or(String::new(), |score| format!("  CVSS {score:.1}"));
        text += &format!("\n{}  {state}{score}\n", terminal(&record.id));
        if let Some(vector) = &record.vector {
            text += &format!("  {}\n", terminal(vector));
        }
        if let Some(published) = &record.published {
            text += &format!("  published {}\n", terminal(published));
        }
        for (ecosystem, package) in &record.packages {
            text += &format!("  {}\n", terminal(&format!("{ecosystem}: {package}")));
            let hits = store.lookup(ecosystem, package).map_err(|e| Error::Undecided(e.to_string()))?;
            for hit in hits.iter().filter(|hit| hit.id == record.id) {
                text += &ranges(&hit.affected);
            }
        }
    }
    print(&text)
}

/// The gate of the work tree, or of the checked-out commit where there is none.
pub(super) fn here(repo: &dyn Repo) -> Result<Gate, Error> {
    let rev = if repo.work_dir().is_some() { Rev::WorkTree } else { repo.resolve("HEAD")? };
    Ok(Gate::read(&*repo.tree(&rev)?)?)
}

fn ranges(affected: &crate::model::advisory::Affected) -> String {
    use crate::model::advisory::Bound;
    let mut text = String::new();
    for range in &affected.ranges {
        let from = range.introduced.as_deref().unwrap_or("the first version");
        let until = match &range.until {
            Some(Bound::Fixed(version)) => format!("before {version}"),
            Some(Bound::LastAffected(version)) => format!("to {version}"),
            None => "without end".to_owned(),
        };
        text += &format!("    affected from {} {}\n", terminal(from), terminal(&until));
    }
    if !affected.versions.is_empty() {
        text += &format!("    affected {}\n", terminal(&affected.versions.join(", ")));
    }
    if !affected.functions.is_empty() {
        text += &format!("    in {}\n", terminal(&affected.functions.join(", ")));
    }
    text
}

/// A rule in words.
pub(super) fn rule(packs: &Packs, rule: &Rule) -> String {
    let mut text = format!("{}/{}  {}  {}\n", rule.pack, rule.id, rule.level, rule.title);
    if rule.level != rule.default_level {
        text += &format!("  the pack says {}; [levels] says {}\n", rule.default_level, rule.level);
    }
    let plain = |template: &str| terminal(&template.replace('{', "<").replace('}', ">"));
    text += &format!("  says      {}\n  mend      {}\n", plain(&rule.message), plain(&rule.remediation));
    if !rule.controls.is_empty() {
        text += &format!("  evidence  {}\n", terminal(&rule.controls.join(", ")));
    }
    for line in packs.pack_of(rule).and_then(|pack| pack.condition(&rule.id)).unwrap_or_default().lines() {
        text += &format!("    {}\n", terminal(line));
    }
    text
}
