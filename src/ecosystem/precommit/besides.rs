//! What a hook installs besides itself: its `additional_dependencies`.

use crate::ecosystem::docker::dockerfile::short;
use crate::ecosystem::draft::Draft;
use crate::ecosystem::rules;
use crate::ecosystem::syntax::yaml::Node;
use crate::model::inventory::{Identity, Package, Scope, Source, Span};
use crate::model::{Ecosystem, checksum};

/// Adds what a hook installs besides.
pub(super) fn add(draft: &mut Draft, root: usize, hook: &Node<'_>, input: u32) {
    let Some(list) = hook.get("additional_dependencies") else { return };
    let span = |line: u32| Span { input, line, end_line: line };
    let name = hook.text_of("id").unwrap_or("a hook");
    let ecosystem = match hook.text_of("language") {
        Some("python" | "python_venv") => Ecosystem::PyPi,
        Some("node") => Ecosystem::Npm,
        Some("golang") => Ecosystem::Go,
        Some("rust") => Ecosystem::Cargo,
        Some("ruby") => Ecosystem::RubyGems,
        _ => {
            let texts: Vec<&str> = list.items().iter().map(|item| item.text().unwrap_or("?")).take(100).collect();
            if !texts.is_empty() || list.text().is_some_and(|text| !text.is_empty()) {
                let list: String = texts.join(", ").chars().take(1_000).flat_map(char::escape_debug).collect();
                draft.disagree(
                    &short(name),
                    format!("installs besides, in a language not told: {list}"),
                    span(hook.line),
                );
            }
            return;
        }
    };
    for item in list.items() {
        let text = item.text().unwrap_or_default().trim();
        // The repository itself.
        if text == "." || text.starts_with("./") || text.starts_with(".[") {
            continue;
        }
        match package(ecosystem, text, span(item.line)) {
            Some(package) => {
                let package = draft.package(package);
                draft.need(root, package, Scope::Development, Some(span(item.line)));
            }
            None => {
                let message = format!("installs besides what is not read: {}", short(text));
                draft.disagree(&short(name), message, span(item.line));
            }
        }
    }
}

fn package(ecosystem: Ecosystem, text: &str, span: Span) -> Option<Package> {
    if text.contains("://") || text.starts_with(['.', '/', '~']) || text.starts_with("git@") {
        return address(ecosystem, text, span);
    }
    let (name, wanted, exact) = match ecosystem {
        Ecosystem::PyPi => {
            let text = text.split(';').next().unwrap_or_default().trim();
            let end = text.find(|c: char| "[=<>!~( ".contains(c)).unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(end)?;
            let rest = rest.split_once(']').map_or(rest, |(_, rest)| rest).trim();
            let exact = rest.strip_prefix("==").map(|exact| exact.trim_start_matches('=').trim());
            (name, rest, exact.filter(|exact| !exact.contains(['*', ',', '<', '>', '!', '~'])))
        }
        Ecosystem::Npm | Ecosystem::Go => {
            // The first `@` may be that of a scope.
            let at = text.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(text.len(), |(at, _)| at);
            let (name, rest) = text.split_at_checked(at)?;
            let wanted = rest.trim_start_matches('@');
            (name, wanted, Some(wanted))
        }
        _ => {
            let text = text.strip_prefix("cli:").unwrap_or(text);
            let (name, wanted) = text.split_once(':').unwrap_or((text, ""));
            (name, wanted, Some(wanted))
        }
    };
    let rules = rules(ecosystem);
    let name = rules.normalise(name);
    if !rules.is_name(&name) || wanted.len() > 255 || wanted.contains(char::is_control) {
        return None;
    }
    let is_whole = |text: &&str| ecosystem == Ecosystem::PyPi || text.split('.').count() > 2;
    let exact = exact.filter(|exact| is_whole(exact) && rules.compare(exact, exact).is_some());
    let version = exact.unwrap_or(if wanted.is_empty() { "*" } else { wanted });
    Some(Package { is_locked: exact.is_some(), ..Package::new(ecosystem, &name, version, span) })
}

/// A package that is named by its address.
fn address(ecosystem: Ecosystem, text: &str, span: Span) -> Option<Package> {
    if text.len() > 2_048 || text.contains(char::is_control) {
        return None;
    }
    // `name @ address` tells both.
    let (told, place) = match text.split_once(" @ ") {
        Some((name, place)) => (Some(name.trim()), place.trim()),
        None => (None, text),
    };
    let name = told.map(|name| name.split('[').next().unwrap_or(name)).unwrap_or_else(|| {
        let path = place.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let last = last.split('@').next().unwrap_or_default();
        last.strip_suffix(".git").unwrap_or(last)
    });
    let rules = rules(ecosystem);
    let name = rules.normalise(name);
    let plain = place.split('#').next().unwrap_or_default();
    let is_git = plain.starts_with("git") || plain.ends_with(".git") || plain.starts_with("ssh:");
    let (source, commit) = if !place.contains("://") && !is_git {
        (Source::path(place), None)
    } else if is_git {
        let (address, reference) = match plain.rsplit_once('@') {
            Some((address, reference)) if !reference.contains('/') => (address, Some(reference)),
            _ => (plain, place.split_once('#').map(|(_, reference)| reference)),
        };
        let commit = reference.filter(|reference| checksum::of_commit(reference).is_some());
        (Source::git(address, commit), commit)
    } else {
        (Source::registry(place), None)
    };
    rules.is_name(&name).then(|| Package {
        source,
        is_locked: commit.is_some(),
        checksum: commit.and_then(checksum::of_commit),
        identity: Identity::Foreign,
        ..Package::new(ecosystem, &name, commit.unwrap_or("*"), span)
    })
}
