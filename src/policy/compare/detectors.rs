//! Detectors of a pack, compared key by key. A detector that matches less than it did is weaker: a line that it does not
//! see meets no rule.
//!
//! What is known to match no less: one more detector, one more pattern, one more word to look for; less that is allowed;
//! no more limits on language, file, region or neighbourhood. Every other difference counts as weaker.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::structural::Structure;

/// The file's name.
pub const FILE: &str = "detectors.toml";

/// Keys that only people read.
const FOR_PEOPLE: &[&str] = &["id", "title", "about", "cwe"];

pub fn compare(found: &mut Structure, place: &str, base: &str, head: &str) {
    let (base, head) = match (read(base), read(head)) {
        (Ok(base), Ok(head)) => (base, head),
        (Err(reason), _) | (_, Err(reason)) => {
            if base != head {
                found.weaker(format!("{place}: changed, and cannot be compared: {}", reason.escape_debug()));
            }
            return;
        }
    };
    found.differs(base != head);
    for (id, old) in &base {
        let name = id.escape_debug();
        let Some(new) = head.get(id) else {
            found.weaker(format!("{place}: detector {name} is gone"));
            continue;
        };
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys.into_iter().filter(|key| !FOR_PEOPLE.contains(&key.as_str())) {
            if !sees_no_less(key, old.get(key), new.get(key)) {
                found.weaker(format!("{place}: detector {name} may see less: `{}` differs", key.escape_debug()));
            }
        }
    }
}

/// Detectors by id.
fn read(text: &str) -> Result<BTreeMap<String, Table>, String> {
    let table: Table = crate::text::toml(text).map_err(|e| e.reason)?;
    let mut detectors = BTreeMap::new();
    for (key, value) in table {
        let Value::Array(items) = value else { return Err(format!("`{key}` is no list of detectors")) };
        for item in items {
            let Value::Table(detector) = item else { return Err(format!("`{key}` is no list of detectors")) };
            let id = detector.get("id").and_then(Value::as_str).ok_or("a detector without an id")?.to_owned();
            if detectors.insert(id.clone(), detector).is_some() {
                return Err(format!("detector {id} is there twice"));
            }
        }
    }
    Ok(detectors)
}

fn sees_no_less(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    if old == new {
        return true;
    }
    let list = |value: Option<&Value>| -> Option<BTreeSet<String>> {
        match value {
            None => Some(BTreeSet::new()),
            Some(value) => value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        }
    };
    let (Some(base), Some(head)) = (list(old), list(new)) else {
        // Single values, of which two have a direction.
        return match (key, old.and_then(Value::as_integer), new.and_then(Value::as_integer)) {
            ("within", Some(old), Some(new)) => new >= old,
            ("validate" | "min-entropy", ..) => new.is_none(),
            _ => false,
        };
    };
    match key {
        "patterns" => head.is_superset(&base),
        "allow" => head.is_subset(&base),
        // Absent or empty: no limit.
        "words" | "languages" | "files" | "regions" | "near" => {
            head.is_empty() || (!base.is_empty() && head.is_superset(&base))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"
[[detector]]
id = "tls-off"
title = "TLS is off"
words = ["verify=false"]
languages = ["python"]
patterns = ['(?i)verify\s*=\s*False']
allow = ["localhost"]
near = ["requests"]
within = 3
"#;

    fn sentences(from: &str, to: &str) -> Vec<String> {
        assert!(BASE.contains(from));
        let mut found = Structure::default();
        compare(&mut found, "detectors.toml", BASE, &BASE.replace(from, to));
        found.examples.into_iter().map(|example| example.what).collect()
    }

    #[test]
    fn what_sees_more_is_no_weaker() {
        for (from, to) in [
            ("TLS is off", "Certificate verification is off"),
            ("words = [\"verify=false\"]", "words = [\"verify=false\", \"verify =\"]"),
            ("languages = [\"python\"]\n", ""),
            ("False']", "False', 'ssl=0']"),
            ("allow = [\"localhost\"]\n", ""),
            ("near = [\"requests\"]\n", ""),
            ("within = 3", "within = 9"),
            ("within = 3", "within = 3\n[[detector]]\nid = \"more\"\npatterns = [\"x\"]"),
        ] {
            assert_eq!(sentences(from, to), Vec::<String>::new(), "{to}");
        }
    }

    #[test]
    fn all_else_is_weaker_and_named() {
        for (from, to, key) in [
            ("id = \"tls-off\"", "id = \"other\"", "tls-off is gone"),
            ("words = [\"verify=false\"]", "words = [\"verify = false\"]", "`words`"),
            ("[\"python\"]", "[\"go\"]", "`languages`"),
            ("False']", "False,']", "`patterns`"),
            ("[\"localhost\"]", "[\"localhost\", \"verify\"]", "`allow`"),
            ("near = [\"requests\"]", "near = [\"httpx\"]", "`near`"),
            ("within = 3", "within = 1", "`within`"),
            ("within = 3", "within = 3\nfiles = [\"**/*.py\"]", "`files`"),
            ("within = 3", "within = 3\nvalidate = \"luhn\"", "`validate`"),
            ("within = 3", "within = 3\nlines = 2", "`lines`"),
            ("within = 3", "within = 3\nsomething = true", "`something`"),
            ("within = 3", "within = [", "cannot be compared"),
        ] {
            let said = sentences(from, to);
            assert!(said.len() == 1 && said[0].contains(key), "{to}: {said:?}");
        }
    }
}
