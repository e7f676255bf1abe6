//! Questions to a solver. Cedar's symbolic compiler writes them; its interface is experimental, so that nothing outside
//! this file knows it.
//!
//! `Holds` is said only where the solver said that no counterexample exists. Whatever else happens, silence and a lack
//! of time among it, is `Open` with its reason.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Instant;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, EvalResult, Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::{Decision, DecisionWithModel, Solver as Symbolic, SolverError};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::io::AsyncWrite;

use super::bake::forbid;
use super::{Answer, Budget, Found, Session, Solver};
use crate::subject::{Attributes, Command, Kind, Type, Value};

/// A solver that passed its test.
pub struct Prover<'s> {
    compiler: CedarSymCompiler<Wire>,
    solver: &'s dyn Solver,
    schema: Schema,
    name: String,
    deadline: Option<Instant>,
}

impl<'s> Prover<'s> {
    /// Starts a solver, and asks it one question whose answer is yes and one whose answer is no.
    ///
    /// # Errors
    /// Why it cannot be relied on.
    pub fn start(schema: &Schema, solver: &'s dyn Solver, budget: &Budget) -> Result<Self, String> {
        let mut wire = Wire::new(solver.start().map_err(|e| e.to_string())?);
        let name = wire.name().map_err(|e| e.to_string())?;
        let compiler = CedarSymCompiler::new(wire).map_err(|e| e.to_string())?;
        let deadline = Instant::now().checked_add(budget.time);
        let mut prover = Self { compiler, solver, schema: schema.clone(), name, deadline };
        let at_least =
            |id, tenths| forbid(id, Kind::Match, &format!("resource has severity && resource.severity >= {tenths}"));
        let (high, medium) = (at_least("high", 70)?, at_least("medium", 40)?);
        if !matches!(prover.implies(Kind::Match, &high, &medium), Answer::Holds) {
            return Err("the solver does not find that 7 and more is 4 and more".to_owned());
        }
        match prover.implies(Kind::Match, &medium, &high) {
            Answer::Refuted(found) => match found.attributes.get("severity") {
                Some(Value::Number(40..70)) => Ok(prover),
                _ => Err("the solver's example of 4 and more that is not 7 and more is none".to_owned()),
            },
            _ => Err("the solver does not find that 4 and more may be less than 7".to_owned()),
        }
    }

    /// Name and version, as the solver says them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether every subject that `p` matches is matched by `q`.
    pub fn implies(&mut self, kind: Kind, p: &Policy, q: &Policy) -> Answer {
        self.ask(kind, |compiler, env, schema| {
            let p = CompiledPolicy::compile(p, env, schema).map_err(text)?;
            let q = CompiledPolicy::compile(q, env, schema).map_err(text)?;
            wait(compiler.check_matches_implies_with_counterexample_opt(&p, &q))
        })
    }

    /// Whether every subject that `p` matches is matched by one of `others`.
    pub fn covered(&mut self, kind: Kind, p: &Policy, others: &[&Policy]) -> Answer {
        self.ask(kind, |compiler, env, schema| {
            let p = CompiledPolicySet::compile(&set(&[p])?, env, schema).map_err(text)?;
            let others = CompiledPolicySet::compile(&set(others)?, env, schema).map_err(text)?;
            // What the others let through, `p` lets through.
            wait(compiler.check_implies_with_counterexample_opt(&others, &p))
        })
    }

    /// Whether `p` can be evaluated for every subject.
    pub fn never_fails(&mut self, kind: Kind, p: &Policy) -> Answer {
        self.ask(kind, |compiler, env, schema| {
            let p = CompiledPolicy::compile(p, env, schema).map_err(text)?;
            wait(compiler.check_never_errors_with_counterexample_opt(&p))
        })
    }

    /// Whether `p` matches no subject.
    pub fn never_matches(&mut self, kind: Kind, p: &Policy) -> Answer {
        self.ask(kind, |compiler, env, schema| {
            let p = CompiledPolicy::compile(p, env, schema).map_err(text)?;
            wait(compiler.check_never_matches_with_counterexample_opt(&p))
        })
    }

    fn ask(
        &mut self,
        kind: Kind,
        question: impl FnOnce(&mut CedarSymCompiler<Wire>, &RequestEnv, &Schema) -> Result<Option<Env>, String>,
    ) -> Answer {
        if self.deadline.is_none_or(|deadline| Instant::now() > deadline) {
            return Answer::Open("the time for proofs is up".to_owned());
        }
        let answer = environment(kind).and_then(|env| question(&mut self.compiler, &env, &self.schema));
        match answer.and_then(|found| found.map(|env| read(kind, &env)).transpose()) {
            Ok(None) => Answer::Holds,
            Ok(Some(found)) => Answer::Refuted(Box::new(found)),
            Err(reason) => {
                // What a solver that failed would say next is not to be relied on.
                match self.solver.start() {
                    Ok(session) => self.compiler.solver_mut().session = Some(session),
                    Err(_) => self.compiler.solver_mut().session = None,
                }
                Answer::Open(reason)
            }
        }
    }
}

fn text(error: cedar_policy_symcc::err::Error) -> String {
    let text = match &error {
        cedar_policy_symcc::err::Error::PolicyNotWellTyped { errs } => {
            errs.iter().map(ToString::to_string).min().unwrap_or_else(|| error.to_string())
        }
        error => error.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A set that permits everything but what these refuse.
fn set(policies: &[&Policy]) -> Result<PolicySet, String> {
    let mut set = PolicySet::new();
    let permit = Policy::parse(None, "permit (principal, action, resource);").map_err(|e| e.to_string())?;
    set.add(permit.new_id("permit".parse().map_err(|_| "no id".to_owned())?)).map_err(|e| e.to_string())?;
    for policy in policies {
        set.add((*policy).clone()).map_err(|e| e.to_string())?;
    }
    Ok(set)
}

fn environment(kind: Kind) -> Result<RequestEnv, String> {
    let name = |name: &str| name.parse::<EntityTypeName>().map_err(|e| e.to_string());
    let action = EntityUid::from_type_name_and_id(name("Action")?, EntityId::new(kind.action()));
    Ok(RequestEnv::new(name("Gate")?, action, name(kind.as_str())?))
}

/// Runs a future that never waits: the solver is talked to synchronously.
fn wait(
    future: impl Future<Output = Result<Option<Env>, cedar_policy_symcc::err::Error>>,
) -> Result<Option<Env>, String> {
    match pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.map_err(text),
        Poll::Pending => Err("the solver's answer is not there".to_owned()),
    }
}

/// The subject of a counterexample, and the run in which it occurs.
fn read(kind: Kind, env: &Env) -> Result<Found, String> {
    let missing = || "the solver's example is no subject".to_owned();
    let resource = env.request.resource().and_then(|uid| env.entities.get(uid)).ok_or_else(missing)?;
    let mut attributes = Attributes::new();
    for attribute in kind.attributes() {
        match resource.attr(attribute.name) {
            Some(Ok(value)) => {
                attributes.insert(attribute.name, value_of(attribute.kind, &value).ok_or_else(missing)?);
            }
            None if !attribute.required => {}
            _ => return Err(missing()),
        }
    }
    let context = env.request.context().ok_or_else(missing)?;
    let command = match context.get("command") {
        Some(EvalResult::EntityUid(uid)) => Command::from_word(uid.id().unescaped()).ok_or_else(missing)?,
        _ => return Err(missing()),
    };
    let ci = matches!(context.get("ci"), Some(EvalResult::Bool(true)));
    Ok(Found { kind, attributes, command, ci })
}

fn value_of(kind: Type, value: &EvalResult) -> Option<Value> {
    Some(match (kind, value) {
        (Type::Flag, EvalResult::Bool(flag)) => Value::Flag(*flag),
        (Type::Number, EvalResult::Long(number)) => Value::Number(*number),
        (Type::Text, EvalResult::String(text)) => Value::Text(text.clone()),
        (Type::Texts, EvalResult::Set(set)) => {
            let text = |item: &EvalResult| match item {
                EvalResult::String(text) => Some(text.clone()),
                _ => None,
            };
            let mut texts: Vec<String> = set.iter().map(text).collect::<Option<_>>()?;
            texts.sort();
            Value::Texts(texts)
        }
        (Type::Word(name), EvalResult::EntityUid(uid)) => Value::word(name, uid.id().unescaped().to_owned()),
        _ => return None,
    })
}

/// What the symbolic compiler talks to. Each question is collected and sent whole.
struct Wire {
    question: Vec<u8>,
    /// None once it could not be started anew.
    session: Option<Box<dyn Session>>,
}

/// Largest model that is read, in bytes.
const MODEL: usize = 16 << 20;

impl Wire {
    fn new(session: Box<dyn Session>) -> Self {
        Self { question: Vec::new(), session: Some(session) }
    }

    fn session(&mut self) -> Result<&mut Box<dyn Session>, SolverError> {
        self.session.as_mut().ok_or(SolverError::SolverMarkedFailed)
    }

    fn name(&mut self) -> std::io::Result<String> {
        let mut said = BTreeMap::new();
        if let Some(session) = &mut self.session {
            session.send(b"(get-info :name)\n(get-info :version)\n")?;
            for _ in 0..2 {
                let line = session.line()?;
                // (:name "cvc5")
                let words = line.strip_prefix("(:").and_then(|rest| rest.strip_suffix("\")")).unwrap_or_default();
                if let Some((key, value)) = words.split_once(" \"") {
                    said.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        match (said.get("name"), said.get("version")) {
            (Some(name), Some(version)) => Ok(format!("{name} {version}")),
            _ => Err(std::io::Error::other("the solver does not say what it is")),
        }
    }

    fn decide(&mut self) -> Result<Decision, SolverError> {
        let mut question = std::mem::take(&mut self.question);
        question.extend_from_slice(b"(check-sat)\n");
        let session = self.session()?;
        session.send(&question)?;
        match session.line()?.trim() {
            "sat" => Ok(Decision::Sat),
            "unsat" => Ok(Decision::Unsat),
            "unknown" => Ok(Decision::Unknown),
            other => Err(SolverError::UnrecognizedSolverOutput(other.chars().take(200).collect())),
        }
    }

    fn model(&mut self) -> Result<String, SolverError> {
        let session = self.session()?;
        session.send(b"(get-model)\n")?;
        let mut model = session.line()?;
        if model.trim() != "(" {
            return Err(SolverError::UnrecognizedSolverOutput(model.chars().take(200).collect()));
        }
        loop {
            let line = session.line()?;
            model.push('\n');
            model.push_str(&line);
            if line.trim() == ")" {
                model.push('\n');
                return Ok(model);
            }
            if model.len() > MODEL {
                return Err(SolverError::UnrecognizedSolverOutput("a model that is too large".to_owned()));
            }
        }
    }
}

impl Symbolic for Wire {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.question
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        self.question.extend_from_slice(b"(set-option :produce-models true)\n");
        Ok(())
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        self.decide()
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        Ok(match self.decide()? {
            Decision::Sat => DecisionWithModel::Sat { model: self.model()? },
            Decision::Unsat => DecisionWithModel::Unsat,
            Decision::Unknown => DecisionWithModel::Unknown,
        })
    }
}
