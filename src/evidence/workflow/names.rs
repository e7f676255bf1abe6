//! What the jobs of a workflow are called: a required check is known by its name alone.

use std::collections::BTreeSet;

use super::expression::{self, Expression, Part};
use super::read;
use crate::ecosystem::syntax::yaml::{Node, Value};

/// Names that a matrix gives to one job.
const MAX_NAMES: usize = 256;

/// Ids and names of all jobs of a workflow file, and whether these are all the names that its checks can have. They are
/// not where the file cannot be read, or an expression makes a name of what is not written out in the job's matrix.
#[must_use]
pub fn job_names(bytes: &[u8]) -> (BTreeSet<String>, bool) {
    let mut names = BTreeSet::new();
    let Ok(root) = read::nodes(bytes) else { return (names, false) };
    let Some(jobs) = read::members(&root).into_iter().find(|(key, ..)| *key == "jobs") else { return (names, false) };
    let mut is_told = jobs.2.is_table() && !jobs.2.members().is_empty();
    for (id, _, job) in read::members(jobs.2) {
        is_told &= job.is_table() && !id.contains("${{");
        names.insert(id.to_owned());
        let strategy = read::members(job).into_iter().find(|(key, ..)| *key == "strategy").map(|(_, _, node)| node);
        let matrix = strategy.and_then(|strategy| strategy.get("matrix"));
        let mut name = id;
        for (_, _, node) in read::members(job).into_iter().filter(|(key, ..)| *key == "name") {
            match node.text() {
                Some(text) => {
                    name = text;
                    names.insert(text.trim().to_owned());
                    match named_by(text, matrix) {
                        Some(all) => names.extend(all.into_iter().map(|name| name.trim().to_owned())),
                        None => is_told = false,
                    }
                }
                None => is_told &= !node.is_table() && node.items().is_empty(),
            }
        }
        let values = matrix.map(in_brackets).unwrap_or_default();
        names.extend(values.into_iter().map(|values| format!("{name} ({values})")));
    }
    (names, is_told)
}

/// A name once for each value that its expressions can have; `None` where the file does not say.
fn named_by(name: &str, matrix: Option<&Node<'_>>) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    let mut rest = name;
    for found in expression::find(name) {
        let (before, after) = rest.split_once("${{")?;
        let Some(Expression::Path(path)) = &found.expression else { return None };
        let [Part::Name(context), Part::Name(key), below @ ..] = path.as_slice() else { return None };
        if context != "matrix" {
            return None;
        }
        let values = values_of(matrix?, key, below)?;
        if all.len().saturating_mul(values.len()) > MAX_NAMES {
            return None;
        }
        all = all.iter().flat_map(|start| values.iter().map(move |value| format!("{start}{before}{value}"))).collect();
        rest = after.get(found.source.len() + 2..)?;
    }
    Some(all.into_iter().map(|start| start + rest).collect())
}

/// Every value of a member of a matrix, none among them; `None` where not all are written out.
fn values_of(matrix: &Node<'_>, key: &str, below: &[Part]) -> Option<Vec<String>> {
    let mut values = vec![String::new()];
    let mut add = |node: &Node<'_>| -> Option<()> {
        let mut node = node;
        for part in below {
            let Part::Name(name) = part else { return None };
            let found = read::members(node).into_iter().find(|(key, ..)| key.eq_ignore_ascii_case(name));
            let Some((_, _, found)) = found else { return Some(()) };
            node = found;
        }
        match &node.value {
            Value::Scalar(text, _) if !text.contains("${{") && values.len() <= MAX_NAMES => {
                values.push(text.clone().into_owned());
                Some(())
            }
            _ => None,
        }
    };
    for (name, _, node) in read::members(matrix) {
        if name == "include" {
            let Value::List(items) = &node.value else { return None };
            for item in items {
                let all = read::members(item);
                // What an expression makes may have the key as well.
                if !item.is_table() {
                    return None;
                }
                for (_, _, node) in all.into_iter().filter(|(name, ..)| name.eq_ignore_ascii_case(key)) {
                    add(node)?;
                }
            }
        } else if name.eq_ignore_ascii_case(key) {
            let Value::List(items) = &node.value else { return None };
            items.iter().try_for_each(&mut add)?;
        }
    }
    matrix.is_table().then_some(values)
}

/// What a matrix puts into brackets behind a name; nothing where it is made by expressions or is too large.
fn in_brackets(matrix: &Node<'_>) -> Vec<String> {
    let mut all = vec![String::new()];
    for (_, _, node) in read::members(matrix).into_iter().filter(|(key, ..)| !matches!(*key, "include" | "exclude")) {
        let values: Vec<&str> = node.items().iter().filter_map(Node::text).collect();
        let is_whole = !values.is_empty() && values.len() == node.items().len();
        if !is_whole || all.len().saturating_mul(values.len()) > MAX_NAMES {
            return Vec::new();
        }
        let join = |before: &String, value: &str| match before.is_empty() {
            true => value.to_owned(),
            false => format!("{before}, {value}"),
        };
        all = all.iter().flat_map(|before| values.iter().map(move |value| join(before, value))).collect();
    }
    all.retain(|values| !values.is_empty());
    all
}
