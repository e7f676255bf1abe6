//! `.terraform.lock.hcl` → the providers that it pins.

use std::collections::HashSet;

use super::Terraform;
use super::hcl::{self, Block, Value};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, text};
use crate::ecosystem::{FILE_CAP, Rules as _, View};
use crate::model::inventory::{Inventory, Package, Project, Scope, Source, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath, checksum};

/// Reads one lockfile.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
    let mut draft = Draft::new();
    if let Some(path) = &project.lockfile {
        let fail = |error| (path.clone(), error);
        if let Some((bytes, input)) = view.read(path).map_err(fail)? {
            add(&mut draft, path, &bytes, input).map_err(fail)?;
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

fn add(draft: &mut Draft, path: &RepoPath, bytes: &[u8], input: u32) -> Result<(), Unread> {
    let blocks = hcl::parse(text(bytes, FILE_CAP)?)?;
    let root = draft.root(path.file_name(), "", &path.parent(), Span { input, ..Span::default() });
    let mut seen = HashSet::new();
    for block in &blocks {
        let package = provider(block, input)?;
        if !seen.insert((package.name.clone(), package.source.address.clone())) {
            return Err(malformed(block.line, "a provider that stands twice"));
        }
        let span = package.span;
        let package = draft.package(package);
        // Providers run where the infrastructure is planned and built, and never in what is built.
        draft.need(root, package, Scope::Build, Some(span));
    }
    Ok(())
}

fn provider(block: &Block, input: u32) -> Result<Package, Unread> {
    if block.kind != "provider" {
        return Err(Unread::Unsupported(format!("line {}: a block `{}`, which is not known", block.line, block.kind)));
    }
    let [address] = &*block.labels else {
        return Err(malformed(block.line, "expected a provider with one address"));
    };
    let mut parts = address.splitn(3, '/');
    let (Some(host), Some(namespace), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed(block.line, "expected a provider's address as `host/namespace/type`"));
    };
    let name = format!("{namespace}/{kind}");
    if host.is_empty()
        || namespace.is_empty()
        || kind.is_empty()
        || host.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(malformed(block.line, "expected a provider's address as `host/namespace/type`"));
    }
    let Some(Value::Text(version)) = block.get("version").map(|attribute| &attribute.value) else {
        return Err(malformed(block.line, "a provider without a version"));
    };
    let hashes = match block.get("hashes").map(|attribute| &attribute.value) {
        Some(Value::List(hashes)) => &**hashes,
        Some(Value::Text(_)) => return Err(malformed(block.line, "hashes that are no list")),
        None => &[],
    };
    let (checksum, files) = checksum::of_files(hashes.iter().filter_map(|hash| checksum_of(hash)).collect());
    let last = block.attributes.iter().map(|attribute| attribute.line).max().unwrap_or(block.line);
    let span = Span { input, line: block.line, end_line: last };
    Ok(Package {
        source: Source::registry(&host.to_ascii_lowercase()),
        checksum,
        files,
        ..Package::new(Ecosystem::Terraform, &Terraform.normalise(&name), version, span)
    })
}

/// `zh:` is the SHA-256 of an archive in hex; `h1:` that of what is in it, in base64.
fn checksum_of(hash: &str) -> Option<Box<str>> {
    match hash.split_once(':')? {
        ("zh", hex) => checksum::of_hex("sha256", hex),
        ("h1", _) => checksum::of_h1(hash),
        _ => None,
    }
}
