//! Subjects around every value that rules tell apart, for where there is no proof.
//!
//! A rule can only compare with what it mentions: of numbers the neighbours of each literal matter, of words those it
//! names and one other, of texts those it names, one for each pattern, and one other. All combinations are tried where
//! they are few, else as many as are allowed, drawn from a fixed seed. What is not mentioned stays quiet.

use std::collections::BTreeSet;

use super::Found;
use super::bake::Mentions;
use super::replay::{Reality, mend, still};
use crate::subject::{Attribute, Command, Kind, Type, Value, enumerations};

/// Values of one attribute; `None` leaves it out.
type Domain = (&'static str, Vec<Option<Value>>);

/// A text that no rule names.
const OTHER: &str = "another";

/// Tries subjects until one is an example; how many were tried is returned where none is.
pub fn search(
    kind: Kind,
    mentions: &Mentions,
    limit: usize,
    reality: &Reality,
    is_example: &mut dyn FnMut(&Found) -> bool,
) -> Result<Found, usize> {
    let mut domains: Vec<Domain> = kind
        .attributes()
        .iter()
        .filter(|attribute| mentions.attributes.contains(attribute.name))
        .map(|attribute| (attribute.name, domain(attribute, mentions)))
        .collect();
    domains.retain(|(_, values)| !values.is_empty());
    let commands = if mentions.context.contains("command") { Command::ALL } else { &[Command::Check] };
    let flags: &[bool] = if mentions.context.contains("ci") { &[false, true] } else { &[false] };
    let mut sizes: Vec<usize> = domains.iter().map(|(_, values)| values.len()).collect();
    sizes.extend([commands.len(), flags.len()]);
    let mut tried = 0;
    for choice in choices(&sizes, limit) {
        let mut found = still(kind);
        let mut chosen = choice.iter();
        for ((name, values), at) in domains.iter().zip(chosen.by_ref()) {
            match values.get(*at) {
                Some(Some(value)) => drop(found.attributes.insert(name, value.clone())),
                _ => drop(found.attributes.remove(name)),
            }
        }
        if let Some(command) = chosen.next().and_then(|at| commands.get(*at)) {
            found.command = *command;
        }
        found.ci = chosen.next().and_then(|at| flags.get(*at)).copied().unwrap_or_default();
        settle(&mut found, mentions);
        tried += 1;
        if is_example(&found) && reality.holds(&found) {
            return Ok(found);
        }
    }
    Err(tried)
}

/// Makes a subject one that can occur where that costs nothing the rules tell apart.
fn settle(found: &mut Found, mentions: &Mentions) {
    mend(found);
    // Only an audit looks at what stands: whichever of the two is asked about decides the other.
    if found.kind == Kind::Change {
        let standing = Value::word("ChangeKind", crate::subject::STANDING);
        let is_standing = found.attributes.get("kind") == Some(&standing);
        if !mentions.context.contains("command") {
            found.command = if is_standing { Command::Audit } else { Command::Check };
        } else if !mentions.attributes.contains("kind") && found.command == Command::Audit {
            found.attributes.insert("kind", standing);
        }
    }
}

fn domain(attribute: &Attribute, mentions: &Mentions) -> Vec<Option<Value>> {
    let mut values: Vec<Option<Value>> = match attribute.kind {
        Type::Flag => vec![Some(Value::Flag(true)), Some(Value::Flag(false))],
        Type::Number => {
            let around = |n: &i64| [n.saturating_sub(1), *n, n.saturating_add(1)];
            let mut numbers: BTreeSet<i64> = mentions.numbers.iter().flat_map(around).collect();
            numbers.extend([0, i64::MAX]);
            numbers.into_iter().map(|n| Some(Value::Number(n))).collect()
        }
        Type::Text => texts(mentions).map(|text| Some(Value::Text(text.to_owned()))).collect(),
        Type::Texts => sets(mentions).into_iter().map(|set| Some(Value::Texts(set))).collect(),
        Type::Word(name) => words(name, mentions).into_iter().map(Some).collect(),
    };
    if !attribute.required {
        values.push(None);
    }
    values
}

fn texts(mentions: &Mentions) -> impl Iterator<Item = &str> {
    mentions.texts.iter().map(String::as_str).chain([OTHER, ""])
}

fn sets(mentions: &Mentions) -> Vec<Vec<String>> {
    /// Texts that are tried one by one, and in pairs: a rule may name thousands.
    const SINGLE: usize = 256;
    const PAIRED: usize = 32;
    let all: Vec<String> = mentions.texts.iter().cloned().collect();
    let mut sets = vec![Vec::new(), vec![OTHER.to_owned()], all.clone()];
    for (at, text) in all.iter().enumerate().take(SINGLE) {
        sets.push(vec![text.clone()]);
        sets.push(vec![OTHER.to_owned(), text.clone()]);
        let others = all.iter().take(PAIRED).skip(at + 1);
        sets.extend(others.map(|other| vec![text.clone(), other.clone()]));
    }
    for set in &mut sets {
        set.sort();
        set.dedup();
    }
    sets.sort();
    sets.dedup();
    sets
}

fn words(enumeration: &'static str, mentions: &Mentions) -> Vec<Value> {
    let named: BTreeSet<&str> =
        mentions.words.iter().filter(|(kind, _)| kind == enumeration).map(|(_, word)| word.as_str()).collect();
    let all = enumerations().into_iter().find(|(name, _)| *name == enumeration).map(|(_, words)| words);
    let other = all.iter().flatten().find(|word| !named.contains(*word)).copied();
    named.into_iter().chain(other).map(|word| Value::word(enumeration, word.to_owned())).collect()
}

/// Choices of one from each: all of them in turn, or `limit` of them from a fixed seed.
fn choices(sizes: &[usize], limit: usize) -> impl Iterator<Item = Vec<usize>> {
    let all = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size)).filter(|n| *n <= limit);
    // Knuth's linear congruential generator for MMIX; its high bits are used.
    let mut state = 0x5eed_u64;
    let mut draw = move |size: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % size.max(1)
    };
    (0..all.unwrap_or(limit)).map(move |mut number| {
        sizes
            .iter()
            .map(|size| {
                if all.is_none() {
                    return draw(*size);
                }
                let at = number % size.max(&1);
                number /= size.max(&1);
                at
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_choices_are_all_made_and_many_are_drawn_alike_each_time() {
        let all: BTreeSet<Vec<usize>> = choices(&[2, 3, 4], 100).collect();
        assert_eq!(all.len(), 24);
        let drawn: Vec<Vec<usize>> = choices(&[10; 10], 50).collect();
        assert_eq!(drawn.len(), 50);
        assert_eq!(drawn, choices(&[10; 10], 50).collect::<Vec<_>>());
        assert!(drawn.iter().flatten().all(|at| *at < 10));
        assert!(drawn.iter().collect::<BTreeSet<_>>().len() > 45);
    }
}
