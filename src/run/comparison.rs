//! What a change to the policy lets through: for `policy compare`, for `policy lint`, and for a `check` of a change that
//! touches the policy.

use crate::gate::{Broken, CONFIG, Gate, LEDGER, POLICIES};
use crate::model::RepoPath;
use crate::model::finding::{Finding, Level};
use crate::model::tree::Delta;
use crate::model::verdict::{Comparison, ComparisonResult};
use crate::policy::compare::lint::{Lint, lint};
use crate::policy::compare::{ARGUMENTS, Budget, Session, Side, Solver, compare, unreadable};
use crate::policy::engine::Engine;
use crate::policy::pack::Packs;
use crate::run::{Failure, files};
use crate::world::{Dialogue, Process, Rev, Tree, World};

/// How it is said that there is nothing to compare with.
pub const UNREADABLE: &str = "head's policy cannot be read";

/// The solver that a world may start.
struct Started<'a>(&'a dyn Process);

struct Talk(Box<dyn Dialogue>);

impl Solver for Started<'_> {
    fn start(&self) -> std::io::Result<Box<dyn Session>> {
        match self.0.solver(ARGUMENTS)? {
            Some(dialogue) => Ok(Box::new(Talk(dialogue))),
            None => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "there is no cvc5 on the path")),
        }
    }
}

impl Session for Talk {
    fn send(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.0.send(text)
    }

    fn line(&mut self) -> std::io::Result<String> {
        self.0.line()
    }
}

/// Compares the policies of two revisions. Base's has to be readable.
///
/// # Errors
/// [`Broken`] where base's is not.
pub fn compared(
    base: &Gate,
    head: &dyn Tree,
    process: Option<&dyn Process>,
    budget: &Budget,
) -> Result<Comparison, Broken> {
    let head = Gate::read(head);
    roomy(|| {
        let base_packs = Packs::load(base)?;
        let loaded = head.and_then(|gate| {
            let packs = Packs::load(&gate)?;
            Ok((gate, packs))
        });
        let (gate, packs) = match loaded {
            Ok(loaded) => loaded,
            Err(broken) => return Ok(unreadable(&format!("{UNREADABLE}: {broken}"))),
        };
        let solver = process.map(Started);
        let solver = solver.as_ref().map(|solver| solver as &dyn Solver);
        let (base, head) = (Side { packs: &base_packs, gate: base }, Side { packs: &packs, gate: &gate });
        Ok(compare(base, head, solver, budget))
    })
    .unwrap_or_else(|reason| Ok(unreadable(&reason)))
}

/// Runs on a stack that the deepest rules that are read do not exhaust.
fn roomy<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    const STACK: usize = 256 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|e| format!("no thread for the comparison: {e}"))?;
        thread.join().map_err(|_| "the comparison failed".to_owned())
    })
}

/// Looks for rules of a policy that are dead, redundant or can fail.
///
/// # Errors
/// [`Broken`] where the policy cannot be read.
pub fn linted(gate: &Gate, process: Option<&dyn Process>) -> Result<Lint, Broken> {
    roomy(|| {
        let packs = Packs::load(gate)?;
        let solver = process.map(Started);
        let solver = solver.as_ref().map(|solver| solver as &dyn Solver);
        Ok(lint(&packs, &gate.config.settings, solver, &Budget::PATIENT))
    })
    .unwrap_or_else(|reason| {
        let file = POLICIES.to_owned();
        Err(Broken { file, line: 0, reason })
    })
}

/// The first file of the policy that a change touches.
fn touched(deltas: &[Delta]) -> Option<&RepoPath> {
    let policies = RepoPath::new(POLICIES);
    let is_policy = |path: &&RepoPath| [CONFIG, LEDGER].contains(&path.as_str()) || path.is_within(&policies);
    deltas.iter().filter_map(Delta::path).find(is_policy)
}

/// Where a change touches the policy: what the changed one lets through that the governing one refuses. The finding that
/// the gate changed says so too.
///
/// # Errors
/// Where the governing revision is not there.
pub fn of_change(
    engine: &Engine<'_>,
    world: &World<'_>,
    governing: &Rev,
    head: &dyn Tree,
    deltas: &[Delta],
    findings: &mut Vec<Finding>,
) -> Result<Option<Comparison>, Failure> {
    let Some(path) = touched(deltas) else { return Ok(None) };
    let found = Gate::read(&*world.repo.tree(governing)?)
        .and_then(|governing| compared(&governing, head, world.process, &Budget::BRIEF))
        .unwrap_or_else(|broken| unreadable(&format!("the governing policy cannot be read: {broken}")));
    if let Some(concern) = concern(&found) {
        let is_told = |finding: &Finding| {
            finding.rule == "gate-changed" && finding.location.as_ref().is_some_and(|place| place.file == *path)
        };
        match findings.iter_mut().find(|finding| is_told(finding)) {
            Some(finding) => finding.message += &format!("; {concern}"),
            None => findings.extend(files::of_the_gate(engine, path, concern.clone())),
        }
        // Whatever packs and levels say of a changed gate: weaker or not proved is a review.
        if !findings.iter().any(|finding| is_told(finding) && finding.level >= Level::Review) {
            findings.push(files::of_a_weaker_gate(path, concern));
        }
    }
    Ok(Some(found))
}

/// What a reviewer has to know of a comparison; none where nothing is let through.
fn concern(comparison: &Comparison) -> Option<String> {
    /// Examples that a finding spells out.
    const SPELT: usize = 3;
    match comparison.result {
        ComparisonResult::Unchanged | ComparisonResult::NoWeaker => None,
        ComparisonResult::NotProved => {
            let why: Vec<&str> = comparison.notes.iter().take(SPELT).map(String::as_str).collect();
            Some(format!("whether the changed policy lets more through is not proved: {}", why.join("; ")))
        }
        ComparisonResult::Weaker => {
            let examples = &comparison.examples;
            let mut said: Vec<String> = examples.iter().take(SPELT).map(|example| example.what.clone()).collect();
            if examples.len() > SPELT {
                said.push(format!("{} more in `portcullis policy compare`", examples.len() - SPELT));
            }
            Some(format!("the changed policy lets more through: {}", said.join("; ")))
        }
    }
}
