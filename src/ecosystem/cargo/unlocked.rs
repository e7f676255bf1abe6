//! The inventory of a project without a lockfile: what its manifests ask for, with requirements in place of versions.

use std::collections::{BTreeMap, HashSet};

use super::manifest::Dependency;
use super::project::Context;
use super::source::{is_public, public_address};
use super::workspace::{Asked, Local};
use crate::model::inventory::{
    Disagreement, Identity, Inventory, Package, Project, Root, Scope, Scopes, Source, SourceKind, Span,
};
use crate::model::{Ecosystem, RepoPath};

/// Builds the inventory; its inputs are left to the caller.
pub(super) fn build(project: &Project, context: &Context<'_>) -> Inventory {
    let inside: HashSet<&RepoPath> = context.workspace.locals.iter().map(|local| &local.folder).collect();
    let mut packages: Vec<Package> = Vec::new();
    let mut places: BTreeMap<(Box<str>, Box<str>, Source), u32> = BTreeMap::new();
    let mut add = |package: Package| -> u32 {
        let key = (package.name.clone(), package.version.clone(), package.source.clone());
        let place = *places.entry(key).or_insert(packages.len() as u32);
        match packages.get_mut(place as usize) {
            Some(known) => known.scopes = known.scopes.with(package.scopes),
            None => packages.push(package),
        }
        place
    };
    for stand_in in &context.stand_ins {
        let source = source_of(&stand_in.with, stand_in.folder.as_ref(), context);
        let identity = if stand_in.is_for_public { Identity::StandsIn } else { Identity::Foreign };
        let span = Span { input: stand_in.input, line: stand_in.with.line, end_line: stand_in.with.line };
        add(package(&stand_in.with, source, identity, Scope::Runtime, span));
    }
    let mut roots = Vec::new();
    for local in &context.workspace.locals {
        let mut needs = Vec::new();
        for asked in &local.asked {
            let dependency = &asked.dependency;
            // Cargo looks at the tests of members alone.
            let is_for_others = dependency.scope == Scope::Development && !local.is_member;
            if is_for_others || asked.folder.as_ref().is_some_and(|folder| inside.contains(folder)) {
                continue;
            }
            needs.push(add(asked_for(local, asked, context)));
        }
        roots.push(Root {
            label: format!("{}@{}", local.name, local.version),
            name: local.name.clone(),
            version: local.version.clone(),
            folder: local.folder.clone(),
            span: Span { input: local.input, ..Span::default() },
            needs,
        });
    }
    let disagreements = problems(context);
    let first_edge = vec![0; packages.len() + 1];
    Inventory {
        project: project.clone(),
        inputs: Vec::new(),
        packages,
        edges: Vec::new(),
        first_edge,
        roots,
        disagreements,
    }
}

/// What one manifest asks for, with its requirement in place of a version.
pub(super) fn asked_for(local: &Local, asked: &Asked, context: &Context<'_>) -> Package {
    let dependency = &asked.dependency;
    let source = source_of(dependency, asked.folder.as_ref(), context);
    let identity = match source.kind {
        SourceKind::Public => Identity::Public,
        _ if dependency.package.is_some() => Identity::StandsIn,
        _ => Identity::Foreign,
    };
    let span = Span { input: local.input, line: dependency.line, end_line: dependency.line };
    package(dependency, source, identity, dependency.scope, span)
}

/// What the manifests say that cannot be.
pub(super) fn problems(context: &Context<'_>) -> Vec<Disagreement> {
    let said = context.workspace.problems.iter();
    said.map(|problem| Disagreement {
        name: problem.name.clone(),
        message: problem.message.clone(),
        span: Span { input: problem.input, line: problem.line, end_line: problem.line },
    })
    .collect()
}

fn package(dependency: &Dependency, source: Source, identity: Identity, scope: Scope, span: Span) -> Package {
    let version = dependency.requirement.as_deref().unwrap_or("*");
    Package {
        alias: dependency.package.as_ref().map(|_| dependency.key.clone()),
        is_locked: false,
        source,
        identity,
        scopes: Scopes::of(scope),
        direct: true,
        declared: Some(span),
        ..Package::new(Ecosystem::Cargo, dependency.name(), version, span)
    }
}

/// The source that a manifest asks for, spelt as a lockfile would.
fn source_of(dependency: &Dependency, folder: Option<&RepoPath>, context: &Context<'_>) -> Source {
    let source = |kind, address: String| Source { kind, address: address.into(), commit: None };
    if let Some(git) = &dependency.git {
        let query = dependency.reference.as_ref().map_or(String::new(), |(key, value)| format!("?{key}={value}"));
        let commit = dependency.reference.as_ref().filter(|(key, _)| *key == "rev").map(|(_, rev)| (&**rev).into());
        return Source { commit, ..source(SourceKind::Git, format!("git+{git}{query}")) };
    }
    if let Some(path) = &dependency.path {
        return source(SourceKind::Path, folder.map_or_else(|| path.to_string(), ToString::to_string));
    }
    let address = match (&dependency.registry_index, &dependency.registry) {
        (Some(index), _) => index.to_string(),
        (None, Some(name)) if **name == *"crates-io" => public_address(),
        (None, Some(name)) => context.config.registry(name).unwrap_or(name).to_owned(),
        (None, None) => public_address(),
    };
    if is_public(&address, context.mirrors) {
        return source(SourceKind::Public, address);
    }
    let prefix = if address.contains("+") || !address.contains("://") { "" } else { "registry+" };
    source(SourceKind::Registry, format!("{prefix}{address}"))
}
