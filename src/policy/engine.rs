//! Asking the packs about a subject. One function turns Cedar's response into findings' raw material; nothing else
//! reads it.
//!
//! Two traps of skip-on-error are closed here: a rule that errors denies, and a refusal that names no rule denies.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};

use super::pack::{Packs, Rule};
use crate::gate::config::Settings;
use crate::model::finding::Level;
use crate::subject::{Attributes, Command, DETECTOR, Kind, Subject, Value, enumerations};

/// What one rule says about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The rule.
    pub rule: Rule,
    /// What is the matter.
    pub message: String,
    /// How to mend or clear it.
    pub remediation: String,
}

/// Packs with the context of one run.
pub struct Engine<'a> {
    packs: &'a Packs,
    authorizer: Authorizer,
    context: Result<Context, String>,
    types: Types,
}

/// The context that the settings of a run make.
#[must_use]
pub fn context(command: Command, ci: bool, settings: &Settings) -> Attributes {
    let mut licenses = settings.allowed_licenses.clone();
    licenses.sort();
    BTreeMap::from([
        ("command", Value::word("Command", command.as_str())),
        ("ci", Value::Flag(ci)),
        ("failOnSeverity", Value::Number(settings.fail_on_severity)),
        ("minReleaseAge", Value::Number(settings.min_release_age)),
        ("licenseRule", Value::Flag(!licenses.is_empty())),
        ("allowedLicenses", Value::Texts(licenses)),
    ])
}

impl<'a> Engine<'a> {
    /// An engine for one run.
    #[must_use]
    pub fn new(packs: &'a Packs, context: Attributes) -> Self {
        let types = types();
        let context =
            expressions(&context, &types).and_then(|fields| Context::from_pairs(fields).map_err(|e| e.to_string()));
        Self { packs, authorizer: Authorizer::new(), context, types }
    }

    fn uid(&self, kind: &'static str, id: &str) -> Result<EntityUid, String> {
        uid(kind, id, &self.types)
    }

    /// Every rule that speaks about the subject, in the order of packs and ids; of a rule with several levels, the
    /// strongest that matches.
    #[must_use]
    pub fn ask(&self, subject: &Subject) -> Vec<Statement> {
        match self.respond(subject) {
            Ok(statements) => statements,
            Err(reason) => vec![failure(None, &reason)],
        }
    }

    pub(super) fn respond(&self, subject: &Subject) -> Result<Vec<Statement>, String> {
        let Some(set) = self.packs.sets.get(&subject.kind) else { return Err("no policies are loaded".to_owned()) };
        let schema = Some(&self.packs.schema);
        let resource = self.uid(subject.kind.as_str(), "subject")?;
        let attributes = expressions(&subject.attributes, &self.types)?;
        let entity = Entity::new(resource.clone(), attributes, HashSet::new()).map_err(|e| e.to_string())?;
        let entities = Entities::from_entities([entity], schema).map_err(|e| e.to_string())?;
        let (principal, action) = (self.uid("Gate", "gate")?, self.uid("Action", subject.kind.action())?);
        let request =
            Request::new(principal, action, resource, self.context.clone()?, schema).map_err(|e| e.to_string())?;
        let response = self.authorizer.is_authorized(&request, set, &entities);
        let mut found: BTreeMap<(String, String), Statement> = BTreeMap::new();
        for error in response.diagnostics().errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            let id = error.policy_id().to_string();
            let statement = failure(self.packs.rules.get(&id), &format!("rule {id} failed: {error}"));
            found.insert((statement.rule.pack.clone(), statement.rule.rule.clone()), statement);
        }
        // Cedar names them in no order; of two policies of one rule and level, the first by id speaks.
        let mut reasons: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        reasons.sort();
        for id in &reasons {
            let Some(rule) = self.packs.rules.get(id) else { continue };
            let key = (rule.pack.clone(), rule.rule.clone());
            let weaker = found.get(&key).is_none_or(|known| known.rule.level < rule.level);
            if weaker {
                found.insert(key, say(rule, subject));
            }
        }
        if response.decision() == Decision::Deny && found.is_empty() {
            return Err("the policies refused and named no rule".to_owned());
        }
        Ok(found.into_values().collect())
    }
}

fn say(rule: &Rule, subject: &Subject) -> Statement {
    let fill = |template: &str| fill(template, &subject.words);
    Statement { rule: rule.clone(), message: fill(&rule.message), remediation: fill(&rule.remediation) }
}

/// Puts words in the place of `{word}`. One pass: a word's own braces are left alone.
fn fill(template: &str, words: &BTreeMap<&'static str, String>) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}') {
            Some((word, after)) => {
                text.push_str(words.get(word).map_or("", String::as_str));
                rest = after;
            }
            None => {
                rest = after;
                break;
            }
        }
    }
    text.push_str(rest);
    text
}

/// A rule that errors, or a request that cannot be made, denies.
fn failure(rule: Option<&Rule>, reason: &str) -> Statement {
    let rule = rule.map_or_else(
        || Rule {
            pack: "baseline".to_owned(),
            rule: "not-judged".to_owned(),
            id: "not-judged".to_owned(),
            level: Level::Deny,
            default_level: Level::Deny,
            title: "A policy could not be asked".to_owned(),
            message: String::new(),
            remediation: String::new(),
            controls: Vec::new(),
            kind: Kind::File,
        },
        |rule| Rule { level: Level::Deny, ..rule.clone() },
    );
    Statement {
        rule,
        message: reason.split_whitespace().collect::<Vec<_>>().join(" "),
        remediation: "mend the rule: a rule that fails denies".to_owned(),
    }
}

/// Names of entity types, parsed: Cedar reads a name as it reads a policy, which costs more than a decision.
type Types = HashMap<&'static str, EntityTypeName>;

fn types() -> Types {
    let names = enumerations().into_iter().map(|(name, _)| name);
    let names = names.chain(Kind::ALL.iter().map(|kind| kind.as_str())).chain(["Gate", "Action", DETECTOR]);
    names.filter_map(|name| Some((name, name.parse().ok()?))).collect()
}

fn uid(kind: &'static str, id: &str, types: &Types) -> Result<EntityUid, String> {
    let name = types.get(kind).cloned().ok_or_else(|| format!("no entity type `{kind}`"))?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

fn expressions(attributes: &Attributes, types: &Types) -> Result<HashMap<String, RestrictedExpression>, String> {
    let mut fields = HashMap::with_capacity(attributes.len());
    for (name, value) in attributes {
        let expression = match value {
            Value::Flag(flag) => RestrictedExpression::new_bool(*flag),
            Value::Number(number) => RestrictedExpression::new_long(*number),
            Value::Text(text) => RestrictedExpression::new_string(text.clone()),
            Value::Texts(texts) => {
                RestrictedExpression::new_set(texts.iter().map(|t| RestrictedExpression::new_string(t.clone())))
            }
            Value::Word(kind, word) => RestrictedExpression::new_entity_uid(uid(kind, word, types)?),
        };
        fields.insert((*name).to_owned(), expression);
    }
    Ok(fields)
}
