//! Stage 7: typed facts → Cedar requests, and the Cedar schema, from one table.
//!
//! A subject is one thing a rule can speak about. Its attributes are listed once, with type, quiet value and meaning:
//! the schema, the requests and the cases of `policy test` all come from that list. A fact that may be unavailable is
//! an optional attribute, so Cedar's validator makes the author of a rule say what happens without it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::model::Ecosystem;
use crate::model::advisory::AdvisoryKind;
use crate::model::change::{ChangeKind, ChecksumMove, Depth};
use crate::model::finding::Origin;
use crate::model::inventory::{Scope, SourceKind};
use crate::model::line::{Language, LineClass, Region};
use crate::model::step::Weakness;

words! {
    /// The kinds of subject: a Cedar entity type, and the action of the same name in lower case.
    Kind { Change = "Change", Match = "Match", File = "File", Entry = "Entry", Line = "Line", Step = "Step" }
}

words! {
    /// What a file subject is about.
    FileConcern {
        ManagerConfig = "manager-config", Vendored = "vendored", Gate = "gate", Submodule = "submodule",
        LockfileMissing = "lockfile-missing", Disagreement = "disagreement", NotJudged = "not-judged",
    }
}

words! {
    /// Which part of the ledger an entry is.
    EntryKind { Approval = "approval", Waiver = "waiver" }
}

words! {
    /// The command that asks.
    Command { Check = "check", Audit = "audit" }
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `Bool`.
    Flag,
    /// `Long`.
    Number,
    /// `String`.
    Text,
    /// `Set<String>`.
    Texts,
    /// An enumerated entity type: its name, and its words.
    Word(&'static str),
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `Bool`.
    Flag(bool),
    /// `Long`.
    Number(i64),
    /// `String`.
    Text(String),
    /// `Set<String>`, sorted.
    Texts(Vec<String>),
    /// A word of an enumerated entity type.
    Word(&'static str, Cow<'static, str>),
}

impl Value {
    /// A word of an enumerated entity type.
    pub fn word(enumeration: &'static str, word: impl Into<Cow<'static, str>>) -> Self {
        Self::Word(enumeration, word.into())
    }
}

/// One attribute of a subject.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name in policies.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Whether it is always there.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

const fn must(name: &'static str, kind: Type, doc: &'static str) -> Attribute {
    Attribute { name, kind, required: true, doc }
}

const fn may(name: &'static str, kind: Type, doc: &'static str) -> Attribute {
    Attribute { name, kind, required: false, doc }
}

/// The enumerated entity type whose words the packs in use define: their detectors, as `pack/id`.
pub const DETECTOR: &str = "Detector";

/// Enumerated entity types: name and words. The validator does not catch a misspelt string; it does catch these.
/// [`DETECTOR`] is one more.
#[must_use]
pub fn enumerations() -> Vec<(&'static str, Vec<&'static str>)> {
    fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|w| word(*w)).collect()
    }
    vec![
        ("AdvisoryKind", words(AdvisoryKind::ALL, AdvisoryKind::as_str)),
        ("ChangeKind", {
            let mut kinds = words(ChangeKind::ALL, ChangeKind::as_str);
            kinds.push(STANDING);
            kinds
        }),
        ("ChecksumMove", words(ChecksumMove::ALL, ChecksumMove::as_str)),
        ("Command", words(Command::ALL, Command::as_str)),
        ("Depth", words(Depth::ALL, Depth::as_str)),
        ("Ecosystem", words(Ecosystem::ALL, Ecosystem::as_str)),
        ("EntryKind", words(EntryKind::ALL, EntryKind::as_str)),
        ("FileConcern", words(FileConcern::ALL, FileConcern::as_str)),
        ("Language", words(Language::ALL, Language::as_str)),
        ("LineClass", words(LineClass::ALL, LineClass::as_str)),
        ("Origin", words(Origin::ALL, Origin::as_str)),
        ("Region", words(Region::ALL, Region::as_str)),
        ("Scope", words(Scope::ALL, Scope::as_str)),
        ("SourceKind", words(SourceKind::ALL, SourceKind::as_str)),
        ("Weakness", words(Weakness::ALL, Weakness::as_str)),
    ]
}

/// The change kind of a package in an audit, where nothing changes.
pub const STANDING: &str = "standing";

const CHANGE: &[Attribute] = &[
    must("ecosystem", Type::Word("Ecosystem"), "the package's ecosystem"),
    must("name", Type::Text, "the package's real name, as OSV writes it"),
    must("version", Type::Text, "the version in head"),
    must("kind", Type::Word("ChangeKind"), "what happened; `standing` in an audit"),
    must("direct", Type::Flag, "a manifest names it"),
    must("scope", Type::Word("Scope"), "the strongest scope that reaches it"),
    must("strongerScope", Type::Flag, "the strongest scope is stronger than base's"),
    must("newLibrary", Type::Flag, "no version of the name stood in the base project"),
    must("newToRepository", Type::Flag, "no version of the name stood in any project of base"),
    must("bytesOnBase", Type::Flag, "the same bytes stood on base elsewhere, at an equal or stronger scope"),
    must("covered", Type::Flag, "an approval in force covers these bytes, deeply enough"),
    must("reviewRequired", Type::Word("Depth"), "how deep a review must be"),
    must("checksum", Type::Word("ChecksumMove"), "how the checksum moved"),
    must("sourceKind", Type::Word("SourceKind"), "where head takes the bytes from"),
    must("sourceNew", Type::Flag, "the base project took nothing from that source"),
    must("sourceChanged", Type::Flag, "base had the name, and head takes it from elsewhere"),
    must("standsIn", Type::Flag, "a patch or replacement newly puts it in the place of a public package"),
    must("pinned", Type::Flag, "a git source names a full commit; true for other sources"),
    must("plainHttp", Type::Flag, "fetched without transport security"),
    must("fixed", Type::Flag, "what is fetched is fixed to the byte: by a digest, or a full commit"),
    may("addressNames", Type::Text, "what the lock entry's own address names instead of this package and version"),
    must("nameValid", Type::Flag, "the name is within its ecosystem's grammar"),
    must("fixesAdvisory", Type::Flag, "base's version had an advisory that head's has not"),
    may("confusableWith", Type::Text, "a name in use here that this one is a slip away from"),
    may(
        "capabilityAdded",
        Type::Flag,
        "it gained an install or build script, native code or compiler code; absent: not known",
    ),
    may("ageDays", Type::Number, "days since the release; absent: not known"),
    may("yanked", Type::Flag, "the registry has withdrawn the version; absent: not known"),
    may("licenseAlt1", Type::Texts, "licences of the first alternative of the SPDX expression"),
    may("licenseAlt2", Type::Texts, "licences of the second alternative"),
    may("licenseAlt3", Type::Texts, "licences of the third alternative"),
    must("licenseMore", Type::Flag, "there are more alternatives than three"),
];

const MATCH: &[Attribute] = &[
    must("ecosystem", Type::Word("Ecosystem"), "the package's ecosystem"),
    must("name", Type::Text, "the package's real name, as OSV writes it"),
    must("version", Type::Text, "the version in head"),
    must("direct", Type::Flag, "a manifest names it"),
    must("scope", Type::Word("Scope"), "the strongest scope that reaches it"),
    must("kind", Type::Word("AdvisoryKind"), "what the advisory says"),
    must("id", Type::Text, "the advisory's id"),
    must("ids", Type::Texts, "the id and all its aliases"),
    may("severity", Type::Number, "CVSS base score in tenths, 0 to 100; absent: not known"),
    must("hasFix", Type::Flag, "a version that is not affected is known"),
    may("origin", Type::Word("Origin"), "whether the change brought it in; absent in an audit"),
];

const FILE: &[Attribute] = &[
    must("path", Type::Text, "the path"),
    must("concern", Type::Word("FileConcern"), "why the file concerns the gate"),
    must("redirects", Type::Flag, "a package-manager configuration newly sends a source elsewhere"),
    must("lockEntryChanged", Type::Flag, "the lock entry of the vendored package changed too"),
];

const ENTRY: &[Attribute] = &[
    must("kind", Type::Word("EntryKind"), "approval or waiver"),
    must("expired", Type::Flag, "its last day is over"),
    must("used", Type::Flag, "it matches something that stands in head"),
];

const LINE: &[Attribute] = &[
    must("path", Type::Text, "the path of the file"),
    must("language", Type::Word("Language"), "the language of the file"),
    must("class", Type::Word("LineClass"), "what the file is to its project, by its path"),
    must("region", Type::Word("Region"), "whether code, a comment or a string is meant"),
    must("detector", Type::Word(DETECTOR), "the detector that matched, as `pack/id`"),
];

const STEP: &[Attribute] = &[
    must("path", Type::Text, "the path of the workflow or action"),
    must("weakness", Type::Word("Weakness"), "what an attacker could use"),
    must("privileged", Type::Flag, "strangers can start the run with its secrets or write access"),
    must(
        "exposed",
        Type::Flag,
        "it stands beside what makes it dangerous; true where the weakness knows no such difference",
    ),
];

const CONTEXT: &[Attribute] = &[
    must("command", Type::Word("Command"), "the command that asks"),
    must("ci", Type::Flag, "the run decides for a pipeline, not for a person at a desk"),
    must("failOnSeverity", Type::Number, "setting `fail-on-severity`, in tenths of a CVSS score"),
    must("minReleaseAge", Type::Number, "setting `min-release-age`, in days"),
    must("licenseRule", Type::Flag, "setting `allowed-licenses` is not empty"),
    must("allowedLicenses", Type::Texts, "setting `allowed-licenses`"),
];

impl Kind {
    /// The attributes of a subject of this kind.
    #[must_use]
    pub const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Change => CHANGE,
            Self::Match => MATCH,
            Self::File => FILE,
            Self::Entry => ENTRY,
            Self::Line => LINE,
            Self::Step => STEP,
        }
    }

    /// The action's id.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Match => "match",
            Self::File => "file",
            Self::Entry => "entry",
            Self::Line => "line",
            Self::Step => "step",
        }
    }
}

/// The attributes of the context.
#[must_use]
pub const fn context_attributes() -> &'static [Attribute] {
    CONTEXT
}

/// Attributes by name.
pub type Attributes = BTreeMap<&'static str, Value>;

/// One thing a rule can speak about, with the words its messages may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The kind.
    pub kind: Kind,
    /// The facts.
    pub attributes: Attributes,
    /// Words for messages: `{package}` in a rule's text becomes the word of that name.
    pub words: BTreeMap<&'static str, String>,
}

/// The schema in Cedar's JSON form, which parses five times faster than its text. `detectors` are the words of
/// [`DETECTOR`].
#[must_use]
pub fn schema(detectors: &[String]) -> Json {
    let mut entities = serde_json::Map::new();
    entities.insert("Gate".to_owned(), json!({}));
    for (name, words) in enumerations() {
        entities.insert(name.to_owned(), json!({ "enum": words }));
    }
    let words: Vec<&str> = std::iter::once(NO_DETECTOR).chain(detectors.iter().map(String::as_str)).collect();
    entities.insert(DETECTOR.to_owned(), json!({ "enum": words }));
    let mut actions = serde_json::Map::new();
    for kind in Kind::ALL {
        entities.insert(kind.as_str().to_owned(), json!({ "shape": record(kind.attributes()) }));
        let applies =
            json!({ "principalTypes": ["Gate"], "resourceTypes": [kind.as_str()], "context": record(CONTEXT) });
        actions.insert(kind.action().to_owned(), json!({ "appliesTo": applies }));
    }
    json!({ "": { "entityTypes": entities, "actions": actions } })
}

fn record(attributes: &[Attribute]) -> Json {
    let fields: serde_json::Map<String, Json> = attributes
        .iter()
        .map(|a| {
            let mut field = match a.kind {
                Type::Flag => json!({ "type": "Boolean" }),
                Type::Number => json!({ "type": "Long" }),
                Type::Text => json!({ "type": "String" }),
                Type::Texts => json!({ "type": "Set", "element": { "type": "String" } }),
                Type::Word(name) => json!({ "type": "Entity", "name": name }),
            };
            if let Some(object) = field.as_object_mut() {
                object.insert("required".to_owned(), Json::Bool(a.required));
            }
            (a.name.to_owned(), field)
        })
        .collect();
    json!({ "type": "Record", "attributes": fields })
}

/// What stands for "no detector": Cedar has no enumeration without words, and a quiet subject needs one.
pub const NO_DETECTOR: &str = "none";

/// The attributes of a subject that no rule has anything to say about: the ground on which cases of `policy test`
/// stand.
#[must_use]
pub fn quiet(kind: Kind) -> Attributes {
    let mut attributes: Attributes = kind
        .attributes()
        .iter()
        .filter(|a| a.required)
        .map(|a| {
            let value = match a.kind {
                Type::Flag => Value::Flag(false),
                Type::Number => Value::Number(0),
                Type::Text => Value::Text(String::new()),
                Type::Texts => Value::Texts(Vec::new()),
                Type::Word(name) => Value::word(name, first_word(name)),
            };
            (a.name, value)
        })
        .collect();
    let settled: &[(&'static str, Value)] = match kind {
        Kind::Change => &[
            ("kind", Value::word("ChangeKind", ChangeKind::Upgraded.as_str())),
            ("scope", Value::word("Scope", Scope::Runtime.as_str())),
            ("pinned", Value::Flag(true)),
            ("fixed", Value::Flag(true)),
            ("nameValid", Value::Flag(true)),
            ("capabilityAdded", Value::Flag(false)),
            ("ageDays", Value::Number(1000)),
        ],
        Kind::Match => &[
            ("scope", Value::word("Scope", Scope::Runtime.as_str())),
            ("kind", Value::word("AdvisoryKind", AdvisoryKind::Vulnerability.as_str())),
            ("severity", Value::Number(0)),
            ("origin", Value::word("Origin", Origin::Introduced.as_str())),
        ],
        Kind::File | Kind::Line | Kind::Step => &[],
        Kind::Entry => &[("used", Value::Flag(true))],
    };
    attributes.extend(settled.iter().cloned());
    attributes
}

fn first_word(enumeration: &str) -> &'static str {
    if enumeration == DETECTOR {
        return NO_DETECTOR;
    }
    enumerations()
        .into_iter()
        .find(|(name, _)| *name == enumeration)
        .and_then(|(_, words)| words.first().copied())
        .unwrap_or_default()
}

/// The word of an enumeration that a text spells.
#[must_use]
pub fn word_of(enumeration: &str, text: &str) -> Option<&'static str> {
    enumerations().into_iter().find(|(name, _)| *name == enumeration)?.1.into_iter().find(|word| *word == text)
}
