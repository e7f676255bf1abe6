//! Edits of the ledger in place: comments, order and spacing of what is there stay as they are.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::ledger::{Bound, Ledger};
use super::{Broken, LEDGER};
use crate::model::change::Depth;
use crate::model::inventory::Scope;
use crate::text::line_of;
use jiff::civil::Date;

/// A new `[[approval]]`.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// The package and its closure; the first is the one that was named.
    pub packages: Vec<Bound>,
    /// How deep the person looked.
    pub depth: Depth,
    /// The scope it is given for.
    pub scope: Scope,
    /// The login that approves on the forge.
    pub by: String,
    /// Today.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Option<Date>,
}

/// A new `[[waiver]]`.
#[derive(Debug, Clone)]
pub struct NewWaiver {
    /// Rule or advisory.
    pub rule: String,
    /// purl, path or fingerprint.
    pub subject: String,
    /// The project it is limited to.
    pub project: Option<String>,
    /// Who answers for it.
    pub by: String,
    /// Today.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Date,
}

fn date(day: Date) -> Value {
    let part = |n: i8| u8::try_from(n).unwrap_or(1);
    Value::from(toml_edit::Datetime {
        date: Some(toml_edit::Date {
            year: u16::try_from(day.year()).unwrap_or(0),
            month: part(day.month()),
            day: part(day.day()),
        }),
        time: None,
        offset: None,
    })
}

/// The ledger's text with an approval added at its end.
///
/// # Errors
/// [`Broken`] where the ledger is broken already, or what would be written is.
pub fn approve(text: &str, new: &NewApproval) -> Result<String, Broken> {
    let mut table = Table::new();
    let mut bound = new.packages.iter();
    if let Some(first) = bound.next() {
        table.insert("package", value(&first.purl));
        if let Some(checksum) = &first.checksum {
            table.insert("checksum", value(checksum));
        }
    }
    let mut closure = Array::new();
    for each in bound {
        let mut entry = InlineTable::new();
        entry.insert("package", Value::from(&each.purl));
        if let Some(checksum) = &each.checksum {
            entry.insert("checksum", Value::from(checksum));
        }
        // The edge that led here comes from head's lockfile alone.
        entry.insert("unconfirmed", Value::from(true));
        let mut entry = Value::from(entry);
        entry.decor_mut().set_prefix("\n    ");
        closure.push_formatted(entry);
    }
    if !closure.is_empty() {
        closure.set_trailing("\n");
        closure.set_trailing_comma(true);
        table.insert("closure", value(closure));
    }
    table.insert("depth", value(new.depth.as_str()));
    table.insert("scope", value(new.scope.as_str()));
    table.insert("by", value(&new.by));
    table.insert("on", Item::Value(date(new.on)));
    table.insert("reason", value(&new.reason));
    if let Some(expires) = new.expires {
        table.insert("expires", Item::Value(date(expires)));
    }
    append(text, "approval", table)
}

/// The ledger's text with a waiver added at its end.
///
/// # Errors
/// [`Broken`] where the ledger is broken already, or what would be written is.
pub fn waive(text: &str, new: &NewWaiver) -> Result<String, Broken> {
    let mut table = Table::new();
    table.insert("rule", value(&new.rule));
    table.insert("subject", value(&new.subject));
    if let Some(project) = &new.project {
        table.insert("project", value(project));
    }
    table.insert("by", value(&new.by));
    table.insert("on", Item::Value(date(new.on)));
    table.insert("reason", value(&new.reason));
    table.insert("expires", Item::Value(date(new.expires)));
    append(text, "waiver", table)
}

fn append(text: &str, key: &str, mut table: Table) -> Result<String, Broken> {
    // A ledger that does not read is not written to: the user would lose the line that says why.
    Ledger::parse(text)?;
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| Broken {
        file: LEDGER.to_owned(),
        line: e.span().map_or(0, |span| line_of(text, span.start)),
        reason: e.message().replace('\n', " "),
    })?;
    // What stands after the last entry is a comment of the file, and stays before what is added.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    let gap = if text.trim().is_empty() || trailing.ends_with("\n\n") { "" } else { "\n" };
    table.decor_mut().set_prefix(format!("{trailing}{gap}"));
    document.set_trailing("");
    let entries = document.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(entries) = entries.as_array_of_tables_mut() else {
        let reason = format!("`{key}` is written inline: write [[{key}]] tables");
        return Err(Broken { file: LEDGER.to_owned(), line: 0, reason });
    };
    entries.push(table);
    let edited = document.to_string();
    Ledger::parse(&edited)?;
    Ok(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver() -> NewWaiver {
        NewWaiver {
            rule: "yanked".to_owned(),
            subject: "pkg:cargo/a".to_owned(),
            project: None,
            by: "bob".to_owned(),
            on: Date::constant(2026, 1, 1),
            reason: "because".to_owned(),
            expires: Date::constant(2026, 2, 1),
        }
    }

    #[test]
    fn an_edit_keeps_comments_and_order_and_reads_back() {
        let text = "# kept\n\n[[waiver]] # and this\nrule = \"yanked\"\nsubject = \"pkg:cargo/a\"\nby = \"bob\"\n\
                    on = 2026-01-01\nreason = \"because\"  # why\nexpires = 2026-02-01\n";
        let new = NewApproval {
            packages: vec![
                Bound { purl: "pkg:cargo/b@1.0.0".to_owned(), checksum: Some(format!("sha256:{}", "0".repeat(64))) },
                Bound { purl: "pkg:cargo/c@1.0.0".to_owned(), checksum: Some(format!("sha256:{}", "1".repeat(64))) },
            ],
            depth: Depth::Noted,
            scope: Scope::Runtime,
            by: "alice".to_owned(),
            on: Date::constant(2026, 11, 22),
            reason: "read \"it\"\nall".to_owned(),
            expires: None,
        };
        let edited = approve(text, &new).unwrap();
        assert!(edited.starts_with(text), "{edited}");
        let ledger = Ledger::parse(&edited).unwrap();
        let entry = ledger.approvals.first().unwrap();
        assert_eq!(entry.packages, new.packages);
        assert_eq!(entry.reason, new.reason);
        assert_eq!(ledger.waivers.len(), 1);
        let twice = approve(&edited, &new).unwrap();
        assert!(twice.starts_with(&edited));
    }

    #[test]
    fn comments_at_the_end_stay_where_they_are() {
        let text = "# one\n# two\n";
        let new = waiver();
        let once = waive(text, &new).unwrap();
        assert!(once.starts_with("# one\n# two\n\n[[waiver]]\n"), "{once}");
        let twice = waive(&format!("{once}# end\n"), &new).unwrap();
        assert!(twice.starts_with(&format!("{once}# end\n\n[[waiver]]\n")), "{twice}");
    }

    #[test]
    fn a_broken_ledger_is_not_written_to() {
        let new = waiver();
        assert_eq!(waive("x = 1\n[[waiver]\n", &new).unwrap_err().line, 2);
        assert!(waive("waiver = []\n", &new).is_err());
        assert!(waive("", &new).unwrap().starts_with("[[waiver]]\nrule = \"yanked\"\n"));
    }
}
