//! Policies as a solver and a comparison need them: Cedar's JSON form, with the settings of one side put in as literals.
//!
//! A setting reaches rules through the context, which a solver takes as arbitrary: what changes with a setting would be
//! invisible to it. Cedar has no literal for an empty set, so a setting that is one stays a part of the context, and an
//! antecedent says that it is empty.
//!
//! An *antecedent* holds for every subject that can occur: without it a solver answers with a release that is minus
//! nine days old. Only what is certain stands in one, for a proof is worth no more than it.
//!
//! Everything here walks JSON with a stack of its own: how deep it is, head decides.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Policy, PolicyId};
use serde_json::{Value as Json, json};

use crate::policy::pack::{Packs, Rule};
use crate::subject::{Attributes, Kind, Value};

/// One rule of one side. Most rules are the same on both, so that a policy is made of it only where it is asked for.
pub struct Baked {
    /// `pack/id`.
    pub key: String,
    /// What the pack says of it.
    pub rule: Rule,
    /// Scope and conditions with the settings as literals; equal texts mean equal rules.
    pub json: Json,
}

impl Baked {
    /// The rule as a policy.
    ///
    /// # Errors
    /// What Cedar says of it.
    pub fn plain(&self) -> Result<Policy, String> {
        self.policy(self.json.clone())
    }

    /// The rule as a policy, restricted to subjects that can occur.
    ///
    /// # Errors
    /// What Cedar says of it.
    pub fn real(&self, premises: &Premises) -> Result<Policy, String> {
        let mut json = self.json.clone();
        let all = json.get_mut("conditions").and_then(Json::as_array_mut).ok_or("has no list of conditions")?;
        all.splice(0..0, premises.0.get(&self.rule.kind).cloned());
        self.policy(json)
    }

    fn policy(&self, json: Json) -> Result<Policy, String> {
        Policy::from_json(Some(PolicyId::new(&self.key)), json).map_err(|e| format!("rule {}: {e}", self.key))
    }

    /// What the rule mentions.
    pub fn mentions(&self) -> Mentions {
        mentions(&self.json)
    }
}

/// For each kind of subject, the condition that holds of those that can occur.
pub struct Premises(BTreeMap<Kind, Json>);

impl Premises {
    /// `empty` are the settings that are empty on either side: where one still stands in a rule, it is empty.
    ///
    /// # Errors
    /// What Cedar says of them.
    pub fn new(empty: &BTreeSet<&'static str>) -> Result<Self, String> {
        let mut premises = BTreeMap::new();
        for kind in Kind::ALL {
            let mut all = vec![antecedent(*kind).to_owned()];
            all.extend(empty.iter().map(|name| format!("context.{name}.isEmpty()")));
            let mut json = forbid("premise", *kind, &all.join(" && "))?.to_json().map_err(|e| e.to_string())?;
            let conditions = json.get_mut("conditions").and_then(Json::as_array_mut);
            premises.extend(conditions.and_then(Vec::pop).map(|condition| (*kind, condition)));
        }
        Ok(Self(premises))
    }
}

/// What a rule asks about, and the values that it tells apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Attributes of the subject.
    pub attributes: BTreeSet<String>,
    /// Attributes of the context.
    pub context: BTreeSet<String>,
    /// Numbers.
    pub numbers: BTreeSet<i64>,
    /// Texts, those that match its patterns among them.
    pub texts: BTreeSet<String>,
    /// Words of enumerations: type and word.
    pub words: BTreeSet<(String, String)>,
}

impl Mentions {
    /// What either mentions.
    pub fn and(&mut self, other: &Self) {
        self.attributes.extend(other.attributes.iter().cloned());
        self.context.extend(other.context.iter().cloned());
        self.numbers.extend(&other.numbers);
        self.texts.extend(other.texts.iter().cloned());
        self.words.extend(other.words.iter().cloned());
    }
}

/// Context that a run, not a setting, decides: it stays open in a proof.
const OF_THE_RUN: &[&str] = &["command", "ci"];

/// What holds of every subject that can occur.
pub const fn antecedent(kind: Kind) -> &'static str {
    match kind {
        // Nothing is released in the future, and only an audit looks at what stands.
        Kind::Change => {
            "!(resource has ageDays && resource.ageDays < 0) && \
             (context.command == Command::\"audit\") == (resource.kind == ChangeKind::\"standing\")"
        }
        // CVSS scores lie between 0 and 10; the id is one of the ids.
        Kind::Match => {
            "!(resource has severity && (resource.severity < 0 || resource.severity > 100)) && \
             resource.id != \"\" && resource.ids.contains(resource.id)"
        }
        // A line is a subject where a detector matched.
        Kind::Line => "resource.detector != Detector::\"none\"",
        Kind::File | Kind::Entry | Kind::Step => "true",
    }
}

/// A policy that speaks about subjects of one kind where a condition holds.
///
/// # Errors
/// What Cedar says of it.
pub fn forbid(id: &str, kind: Kind, condition: &str) -> Result<Policy, String> {
    let text = format!("forbid (principal, action == Action::\"{}\", resource) when {{ {condition} }};", kind.action());
    Policy::parse(Some(PolicyId::new(id)), text).map_err(|e| e.to_string())
}

/// Names of the settings that are empty sets.
pub fn empty(settings: &Attributes) -> impl Iterator<Item = &'static str> + '_ {
    let is_empty = |value: &Value| matches!(value, Value::Texts(texts) if texts.is_empty());
    settings.iter().filter(move |(_, value)| is_empty(value)).map(|(name, _)| *name)
}

/// The rules of a side, by `pack/id`. `settings` are the context's attributes; none of them leaves every setting open.
///
/// # Errors
/// What Cedar says of a rule that cannot be written anew.
pub fn rules(packs: &Packs, settings: &Attributes) -> Result<BTreeMap<String, Baked>, String> {
    let mut baked = BTreeMap::new();
    for policy in packs.sets.values().flat_map(cedar_policy::PolicySet::policies) {
        let key = policy.id().to_string();
        let Some(rule) = packs.rules.get(&key) else { continue };
        let rule = bake(&key, rule, policy, settings).map_err(|e| format!("rule {key}: {e}"))?;
        baked.insert(key, rule);
    }
    Ok(baked)
}

fn bake(key: &str, rule: &Rule, policy: &Policy, settings: &Attributes) -> Result<Baked, String> {
    let mut json = policy.to_json().map_err(|e| e.to_string())?;
    if let Some(object) = json.as_object_mut() {
        object.remove("annotations");
    }
    replace(&mut json, settings);
    if strays(&json, settings) {
        // Through a record or a condition a rule could read a setting that no literal stands for.
        return Err(
            "it uses `context` otherwise than as `context.name`: what settings mean for it is not known".to_owned()
        );
    }
    Ok(Baked { key: key.to_owned(), rule: rule.clone(), json })
}

/// The attribute that an expression takes from the context or the resource.
fn attribute_of<'j>(node: &'j Json, variable: &str) -> Option<&'j str> {
    let access = node.get(".").or_else(|| node.get("has"))?;
    let is_of = access.get("left")?.get("Var")?.as_str()? == variable;
    access.get("attr")?.as_str().filter(|_| is_of)
}

fn children(node: &mut Json) -> Vec<&mut Json> {
    match node {
        Json::Array(items) => items.iter_mut().collect(),
        Json::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    }
}

/// Puts the settings in. Those that are empty sets stay.
fn replace(json: &mut Json, settings: &Attributes) {
    let mut waiting = vec![json];
    while let Some(node) = waiting.pop() {
        let name = if node.get(".").is_some() { attribute_of(node, "context").map(str::to_owned) } else { None };
        let value = name
            .as_ref()
            .filter(|name| !OF_THE_RUN.contains(&name.as_str()))
            .and_then(|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value));
        match value {
            Some(Value::Texts(texts)) if texts.is_empty() => {}
            Some(value) => *node = literal(value),
            None => waiting.extend(children(node)),
        }
    }
}

/// Whether the context is used in another way than to read one of its attributes that stays open.
fn strays(json: &Json, settings: &Attributes) -> bool {
    let is_open = |name: &str| {
        let is_empty = |value: &Value| matches!(value, Value::Texts(texts) if texts.is_empty());
        settings.is_empty() || OF_THE_RUN.contains(&name) || settings.iter().any(|(k, v)| *k == name && is_empty(v))
    };
    let mut waiting = vec![json];
    while let Some(node) = waiting.pop() {
        if attribute_of(node, "context").is_some_and(is_open) {
            continue;
        }
        match node {
            Json::Object(fields) if fields.get("Var").and_then(Json::as_str) == Some("context") => return true,
            Json::Object(fields) => waiting.extend(fields.values()),
            Json::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    false
}

fn literal(value: &Value) -> Json {
    match value {
        Value::Flag(flag) => json!({ "Value": flag }),
        Value::Number(number) => json!({ "Value": number }),
        Value::Text(text) => json!({ "Value": text }),
        Value::Texts(texts) => json!({ "Set": texts.iter().map(|t| json!({ "Value": t })).collect::<Vec<_>>() }),
        Value::Word(kind, word) => json!({ "Value": { "__entity": { "type": kind, "id": word } } }),
    }
}

fn mentions(json: &Json) -> Mentions {
    let mut found = Mentions::default();
    // The scope names an action, which is no word of a subject.
    let mut waiting: Vec<&Json> = json.get("conditions").into_iter().collect();
    while let Some(node) = waiting.pop() {
        if let Some(name) = attribute_of(node, "resource") {
            found.attributes.insert(name.to_owned());
        } else if let Some(name) = attribute_of(node, "context") {
            found.context.insert(name.to_owned());
        }
        match node.get("Value") {
            Some(Json::Number(number)) => found.numbers.extend(number.as_i64()),
            Some(Json::String(text)) => drop(found.texts.insert(text.clone())),
            Some(value) => found.words.extend(value.get("__entity").and_then(entity)),
            None => {}
        }
        found.texts.extend(node.get("like").and_then(|like| like.get("pattern")).and_then(matching));
        match node {
            Json::Array(items) => waiting.extend(items),
            Json::Object(fields) => waiting.extend(fields.values()),
            _ => {}
        }
    }
    found
}

fn entity(value: &Json) -> Option<(String, String)> {
    Some((value.get("type")?.as_str()?.to_owned(), value.get("id")?.as_str()?.to_owned()))
}

/// A text that a `like` pattern matches: each wildcard stands for one letter.
fn matching(pattern: &Json) -> Option<String> {
    let part = |part: &Json| match part {
        Json::String(_) => Some("x".to_owned()),
        part => part.get("Literal")?.as_str().map(str::to_owned),
    };
    pattern.as_array()?.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::config::Settings;
    use crate::policy::engine::context;
    use crate::subject::Command;

    fn baked(condition: &str, settings: &Settings) -> Baked {
        let policy = forbid("p", Kind::Change, condition).unwrap();
        let packs = Packs::built_in().unwrap();
        let rule = packs.rules().next().unwrap().clone();
        let settings = context(Command::Check, false, settings);
        bake("p", &Rule { kind: Kind::Change, ..rule }, &policy, &settings).unwrap()
    }

    #[test]
    fn settings_become_literals_and_the_run_stays_open() {
        let text = "resource has ageDays && resource.ageDays < context.minReleaseAge && context.ci";
        let baked = baked(text, &Settings { min_release_age: 5, ..Settings::default() });
        let text = baked.plain().unwrap().to_string();
        assert!(text.contains("< 5") && text.contains("context") && !text.contains("minReleaseAge"), "{text}");
        assert_eq!(baked.mentions().numbers, BTreeSet::from([5]));
        assert_eq!(baked.mentions().attributes, BTreeSet::from(["ageDays".to_owned()]));
    }

    #[test]
    fn an_empty_set_stays_and_is_said_to_be_empty() {
        let text = "resource has licenseAlt1 && resource.licenseAlt1.containsAll(context.allowedLicenses)";
        let none = baked(text, &Settings::default());
        assert!(none.plain().unwrap().to_string().contains("allowedLicenses"));
        let real = none.real(&Premises::new(&BTreeSet::from(["allowedLicenses"])).unwrap()).unwrap().to_string();
        assert!(real.contains("isEmpty") && real.contains("ageDays"), "{real}");
        let some = baked(text, &Settings { allowed_licenses: vec!["MIT".to_owned()], ..Settings::default() });
        let plain = some.plain().unwrap().to_string();
        assert!(!plain.contains("allowedLicenses"), "{plain}");
        assert_eq!(some.mentions().texts, BTreeSet::from(["MIT".to_owned()]));
    }

    #[test]
    fn patterns_words_and_texts_are_told() {
        let baked = baked(r#"resource.name like "a*\*b" || resource.scope == Scope::"build""#, &Settings::default());
        // `*` matches any text, `\*` the star itself: Cedar's documentation of `like`.
        assert_eq!(baked.mentions().texts, BTreeSet::from(["ax*b".to_owned()]));
        assert_eq!(baked.mentions().words, BTreeSet::from([("Scope".to_owned(), "build".to_owned())]));
    }
}
