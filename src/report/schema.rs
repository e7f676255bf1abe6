//! The published JSON Schemas, as files of the repository that the program carries with it.
//!
//! The verdict's schema is generated from the types of [`super::json::v1`]: a test compares the file with them, and
//! writes it anew where `UPDATE_SCHEMAS` is set. The schemas of the two files under `.portcullis/` are written by hand,
//! because they also hold defaults and advice for editors.

/// JSON Schema of `portcullis/verdict/v1`.
pub const VERDICT_SCHEMA: &str = include_str!("../../docs/schema/verdict-v1.json");

/// JSON Schema of `.portcullis/config.toml`.
pub const CONFIG_SCHEMA: &str = include_str!("../../docs/schema/config-v1.json");

/// JSON Schema of `.portcullis/ledger.toml`.
pub const LEDGER_SCHEMA: &str = include_str!("../../docs/schema/ledger-v1.json");

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Look, json as report, samples};
    use super::*;
    use crate::model;

    fn parsed(schema: &str) -> Value {
        serde_json::from_str(schema).unwrap()
    }

    fn errors(schema: &Value, instance: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(schema).unwrap();
        validator.iter_errors(instance).map(|error| format!("{error} at {}", error.instance_path())).collect()
    }

    fn generated() -> Value {
        // The contract of what is written: there every field is present, nullable or not.
        let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
        let schema = generator.into_root_schema_for::<report::v1::Verdict>().to_value();
        // What the file is comes first, for those who read it.
        let mut named = serde_json::Map::new();
        named.insert("$schema".to_owned(), schema["$schema"].clone());
        named.insert("$id".to_owned(), json!("urn:portcullis:verdict:v1"));
        named.insert("title".to_owned(), json!("portcullis/verdict/v1"));
        for (key, value) in schema.as_object().unwrap() {
            named.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(named)
    }

    #[test]
    fn the_verdict_schema_is_that_of_the_types() {
        let generated = generated();
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/verdict-v1.json");
            std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&generated).unwrap())).unwrap();
            return;
        }
        assert!(parsed(VERDICT_SCHEMA) == generated, "run the tests once with UPDATE_SCHEMAS=1 and look at the diff");
    }

    #[test]
    fn rendered_verdicts_are_valid_and_broken_ones_are_not() {
        let schema = generated();
        for verdict in samples::all() {
            let value: Value = serde_json::from_str(&report::render(&verdict, &Look::default())).unwrap();
            assert_eq!(errors(&schema, &value), Vec::<String>::new());
        }
        let valid: Value = serde_json::from_str(&report::render(&samples::deny(), &Look::default())).unwrap();
        for (pointer, broken) in
            [("/decision", json!("maybe")), ("/schema", json!("other")), ("/changes/0/id", json!(1))]
        {
            let mut value = valid.clone();
            *value.pointer_mut(pointer).unwrap() = broken;
            assert!(!errors(&schema, &value).is_empty(), "{pointer}");
        }
        let mut missing = valid.clone();
        missing.as_object_mut().unwrap().remove("environment");
        assert!(!errors(&schema, &missing).is_empty(), "a nullable field is still required");
        let mut grown = valid;
        grown["later"] = json!(true);
        assert!(errors(&schema, &grown).is_empty(), "version 1 may grow");
    }

    #[test]
    fn the_documented_configuration_and_nothing_misspelt_is_valid() {
        let schema = parsed(CONFIG_SCHEMA);
        let valid = json!({
            "packs": ["baseline"], "reviewers": ["@org/security", "@alice"],
            "settings": {
                "fail-on-severity": "low", "min-release-age": "3d", "advisories-warn-after": "7d",
                "advisories-refuse-after": "30d", "allowed-licenses": [], "cargo-vet-criteria": ["safe-to-deploy"],
            },
            "levels": {"baseline/advisory-introduced": "warn"},
            "registries": {"npm": "https://registry.example/npm/"},
            "projects": {"include": ["**"], "exclude": ["**/fixtures/**"]},
            "cargo": {"targets": ["x86_64-unknown-linux-gnu"]},
        });
        assert_eq!(errors(&schema, &valid), Vec::<String>::new());
        assert!(errors(&schema, &json!({})).is_empty(), "every key has a default");
        for broken in [
            json!({"pack": ["baseline"]}),
            json!({"settings": {"fail-on-severity": "tiny"}}),
            json!({"settings": {"min-release-age": 3}}),
            json!({"levels": {"baseline/yanked": "off"}}),
            json!({"registries": {"nmp": "https://registry.example/"}}),
        ] {
            assert!(!errors(&schema, &broken).is_empty(), "{broken}");
        }
    }

    #[test]
    fn the_documented_ledger_is_valid_and_a_waiver_without_end_is_not() {
        let schema = parsed(LEDGER_SCHEMA);
        let approval = json!({
            "package": "pkg:cargo/pad@0.1.0", "checksum": format!("sha256:{}", "0".repeat(64)),
            "closure": [{"package": "pkg:cargo/pad-core@0.2.0"}], "depth": "inspected", "by": "alice",
            "on": "2026-01-02", "reason": "read it", "expires": "2027-01-02",
        });
        let waiver = json!({
            "rule": "advisory-introduced", "subject": "pkg:npm/sock@1.0.0", "project": "web", "by": "bob",
            "on": "2026-01-02", "reason": "client side only", "expires": "2026-02-02",
        });
        let both = json!({"approval": [approval], "waiver": [waiver.clone()]});
        assert_eq!(errors(&schema, &both), Vec::<String>::new());
        assert!(errors(&schema, &json!({})).is_empty());
        let mut endless = waiver;
        endless.as_object_mut().unwrap().remove("expires");
        assert!(!errors(&schema, &json!({"waiver": [endless]})).is_empty());
    }

    #[test]
    fn hand_written_schemas_list_the_words_of_the_model() {
        let config = parsed(CONFIG_SCHEMA);
        let words = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let ecosystems: Vec<_> = model::Ecosystem::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(words(&config["properties"]["registries"]["propertyNames"]["enum"]), ecosystems);
        let mut levels = words(&config["properties"]["levels"]["additionalProperties"]["enum"]);
        levels.reverse();
        assert_eq!(levels, model::finding::Level::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
    }

    #[test]
    fn every_schema_names_itself() {
        for (schema, id) in [
            (VERDICT_SCHEMA, "urn:portcullis:verdict:v1"),
            (CONFIG_SCHEMA, "urn:portcullis:config:v1"),
            (LEDGER_SCHEMA, "urn:portcullis:ledger:v1"),
        ] {
            let schema = parsed(schema);
            assert_eq!(schema["$id"], id);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
    }
}
