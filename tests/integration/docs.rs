//! What the documentation says of the program is what the program says of itself.

use std::fmt::Write as _;

use portcullis::discover::unread::{self, Gap};
use portcullis::ecosystem::{FORMATS, Role, SETTINGS};
use portcullis::model::Ecosystem;

use crate::support::portcullis;

/// The table of what is read, from the tables that decide it.
fn supported() -> String {
    let mut text = String::from(
        "# What is read\n\nThis file is written by `UPDATE_DOCS=1 cargo test the_table_of_formats_is_current` from the tables in \
         `src/ecosystem/mod.rs` and `src/discover/unread.rs`.\n\n## Manifests and lockfiles\n\n\
         | ecosystem | file | | which |\n|---|---|---|---|\n",
    );
    for ecosystem in Ecosystem::ALL {
        for format in FORMATS.iter().filter(|format| format.ecosystem() == *ecosystem) {
            for kind in format.kinds() {
                let role = match kind.role {
                    Role::Manifest => "manifest",
                    Role::Lockfile => "lockfile",
                };
                writeln!(text, "| {ecosystem} | `{}` | {role} | {} |", kind.pattern, kind.reads).unwrap();
            }
        }
    }
    text += "\n## Advisories\n\nOSV's name of each ecosystem, under which `advisories update` fetches its archive.\n\n\
             | ecosystem | OSV |\n|---|---|\n";
    for ecosystem in Ecosystem::ALL {
        let osv = ecosystem.osv().unwrap_or("no database speaks of it");
        writeln!(text, "| {ecosystem} | {osv} |").unwrap();
    }
    text += "\n## Package-manager configuration\n\nA change to one of these is `package-manager-config`, whatever the lockfiles say. \
             Case folds.\n\n| ecosystem | files |\n|---|---|\n";
    for settings in SETTINGS {
        let patterns: Vec<String> = settings.patterns().iter().map(|pattern| format!("`{pattern}`")).collect();
        writeln!(text, "| {} | {} |", settings.ecosystem(), patterns.join(" ")).unwrap();
    }
    text += "\n## Recognised and not read\n\nAdding or changing a lockfile that is not read leaves the answer incomplete; a manifest that is \
             not read is a review.\n\n| file | what | a change is |\n|---|---|---|\n";
    for kind in unread::kinds() {
        let said = match kind.gap {
            Gap::Lockfile => "incomplete",
            Gap::Manifest => "a review (`not-judged`)",
        };
        writeln!(text, "| `{}` | {} | {said} |", kind.pattern, kind.what).unwrap();
    }
    text
}

#[test]
fn the_table_of_formats_is_current() {
    let path = portcullis().join("docs/formats.md");
    let generated = supported();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == generated, "run the tests once with UPDATE_DOCS=1 and look at the diff");
}
