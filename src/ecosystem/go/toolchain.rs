//! The `go` and `toolchain` lines: the least version of Go that builds a module (Go Toolchains, "Go versions" and
//! "Toolchain selection").
//!
//! Advisories know the standard library as `stdlib` and the go command with its tools as `toolchain`, with versions in
//! the spelling of Semantic Versioning. The two lines are least versions as every other in a `go.mod` is, and a go
//! command that is older fetches just that release: so a release that is written out counts as locked. A language version
//! alone (`go 1.20`) names no release, and is a requirement.

use std::cmp::Ordering;

use super::manifest::Said;
use super::version::Version;
use crate::ecosystem::draft::Draft;
use crate::model::Ecosystem;
use crate::model::inventory::{Package, Scope, Span};

/// The module under whose name `go.sum` lists toolchains that were fetched. It is no dependency.
pub(super) const MODULE: &str = "golang.org/toolchain";

/// Adds what the two lines stand for. The later version counts. Both come inside the go command, which no `go.sum` holds
/// a digest of.
pub(super) fn draft(lines: (Option<&Said>, Option<&Said>), input: u32, root: Option<usize>, draft: &mut Draft) {
    let mut least: Option<(String, &Said)> = None;
    for said in [lines.0, lines.1].into_iter().flatten() {
        if said.text == "default" {
            continue;
        }
        let at = Span { input, line: said.line, end_line: said.line };
        let Some(version) = release(&said.text) else {
            draft.disagree("stdlib", format!("`{}` is no version of Go", said.text), at);
            continue;
        };
        if said.text.starts_with("go") && said.text.contains('-') {
            // Nobody publishes it: the go command takes what the machine has under that name.
            let message = format!("`{}` is somebody's own build of Go", said.text);
            draft.disagree("toolchain", message, at);
        }
        let is_later = least.as_ref().is_none_or(|(known, _)| order(&version, known).is_gt());
        if is_later {
            least = Some((version, said));
        }
    }
    let Some((version, said)) = least else { return };
    let at = Span { input, line: said.line, end_line: said.line };
    let is_locked = Version::parse(&version).is_some_and(|version| version.written == 3);
    for (name, scope) in [("stdlib", Scope::Runtime), ("toolchain", Scope::Build)] {
        let package =
            draft.package(Package { is_locked, is_bundled: true, ..Package::new(Ecosystem::Go, name, &version, at) });
        match root {
            Some(root) => draft.need(root, package, scope, Some(at)),
            None => {
                if let Some(package) = draft.get_mut(package) {
                    package.direct = true;
                    package.scopes = package.scopes.with(crate::model::inventory::Scopes::of(scope));
                }
            }
        }
    }
}

fn order(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        // A release counts before the language version that it belongs to.
        (Some(a), Some(b)) => a.cmp_precedence(&b).then(a.written.cmp(&b.written)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// A version of Go as Semantic Versioning spells it: `go1.21rc2` is `1.21.0-rc.2`. A suffix after a dash is a builder's
/// own mark. A language version stays as it is.
pub(super) fn release(text: &str) -> Option<String> {
    let text = match text.strip_prefix("go") {
        Some(name) => name.split('-').next().unwrap_or_default(),
        None => text,
    };
    let at = text.find(|c: char| c.is_ascii_lowercase()).unwrap_or(text.len());
    let (core, pre) = text.split_at_checked(at)?;
    let dots = core.bytes().filter(|byte| *byte == b'.').count();
    let is_core = core.bytes().all(|b| b.is_ascii_digit() || b == b'.') && (1..=2).contains(&dots);
    if !is_core || Version::parse(core).is_none() {
        return None;
    }
    if pre.is_empty() {
        return Some(core.to_owned());
    }
    let digits = pre.find(|c: char| c.is_ascii_digit())?;
    let (kind, number) = pre.split_at_checked(digits)?;
    let is_pre = kind.bytes().all(|b| b.is_ascii_lowercase()) && number.bytes().all(|b| b.is_ascii_digit());
    let zeros = if dots == 1 { ".0" } else { "" };
    is_pre.then(|| format!("{core}{zeros}-{kind}.{number}"))
}

/// Whether a version of Go is before that minor version of Go 1.
pub(super) fn is_before(text: &str, minor: u32) -> bool {
    let bound = format!("1.{minor}");
    let core = text.split(|c: char| c.is_ascii_lowercase()).next().unwrap_or_default();
    match (Version::parse(core), Version::parse(&bound)) {
        (Some(version), Some(bound)) => version.cmp_precedence(&bound).is_lt(),
        _ => true,
    }
}
