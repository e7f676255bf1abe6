//! Package URLs (package-url/purl-spec), built on demand and parsed from what a person types.

use std::str::FromStr;

use packageurl::PackageUrl;

use super::Ecosystem;
use super::inventory::{Package, SourceKind};

/// The purl of a package as locked. Packages of other sources than the public registry carry the source as a
/// qualifier, so that an approval of one never covers the other.
#[must_use]
pub fn of_package(package: &Package) -> String {
    let bare = simple(package.ecosystem, &package.name, Some(&package.version));
    let Ok(mut purl) = PackageUrl::from_str(&bare) else { return bare };
    let key = match package.source.kind {
        SourceKind::Public => return bare,
        SourceKind::Git => "vcs_url",
        SourceKind::Registry => "repository_url",
        SourceKind::Path => "file_name",
    };
    match purl.add_qualifier(key, package.source.to_string()) {
        Ok(qualified) => written(qualified),
        Err(_) => bare,
    }
}

/// The purl of a name and, where given, a version.
#[must_use]
pub fn simple(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> String {
    let parts = match ecosystem {
        Ecosystem::Cargo => None,
        Ecosystem::Maven => name.rsplit_once(':'),
        _ => name.rsplit_once('/'),
    };
    let (namespace, base) = parts.map_or((None, name), |(namespace, base)| (Some(namespace), base));
    let build = || -> Result<String, packageurl::Error> {
        let mut purl = PackageUrl::new(ecosystem.purl_type(), base)?;
        if let Some(namespace) = namespace {
            purl.with_namespace(namespace)?;
        }
        if let Some(version) = version {
            purl.with_version(version)?;
        }
        Ok(written(&purl))
    };
    // A name that no purl can hold is outside its ecosystem's grammar, which is a finding of its own.
    build().unwrap_or_else(|_| format!("pkg:{}/{}", ecosystem.purl_type(), name.escape_default()))
}

/// A purl as text. The crate leaves the slashes of a version as they are, and reads them as a name's.
fn written(purl: &PackageUrl<'_>) -> String {
    let text = purl.to_string();
    if !purl.version().is_some_and(|version| version.contains('/')) {
        return text;
    }
    // Of the parts before the version, none holds the sign as it is.
    let Some((before, after)) = text.split_once('@') else { return text };
    let (version, rest) = after.split_at_checked(after.find(['?', '#']).unwrap_or(after.len())).unwrap_or((after, ""));
    format!("{before}@{}{rest}", version.replace('/', "%2F"))
}

/// What a person named: an ecosystem, a name, and perhaps a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The ecosystem of the purl's type.
    pub ecosystem: Ecosystem,
    /// The name as OSV writes it.
    pub name: String,
    /// The version, where one was given.
    pub version: Option<String>,
}

/// Reads a purl, or for convenience `name` or `name@version` of the given ecosystem.
///
/// # Errors
/// A line that says what is wrong with the text.
pub fn parse(text: &str, otherwise: Ecosystem) -> Result<Named, String> {
    if !text.starts_with("pkg:") {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("`{}` is no package: write pkg:cargo/name@1.2.3", text.escape_debug()));
        }
        return Ok(Named { ecosystem: otherwise, name: name.to_owned(), version });
    }
    let purl = PackageUrl::from_str(text).map_err(|e| format!("`{}` is no purl: {e}", text.escape_debug()))?;
    let ecosystem = Ecosystem::ALL
        .iter()
        .copied()
        .find(|e| e.purl_type() == purl.ty())
        .ok_or_else(|| format!("`{}`: purl type `{}` is not supported", text.escape_debug(), purl.ty()))?;
    let name = match (purl.namespace(), ecosystem) {
        (Some(namespace), Ecosystem::Maven) => format!("{namespace}:{}", purl.name()),
        (Some(namespace), _) => format!("{namespace}/{}", purl.name()),
        (None, _) => purl.name().to_owned(),
    };
    Ok(Named { ecosystem, name, version: purl.version().map(str::to_owned) })
}

/// The one spelling of a purl.
///
/// # Errors
/// A line that says what is wrong with the text.
pub fn canonical(text: &str) -> Result<String, String> {
    PackageUrl::from_str(text)
        .map(|purl| written(&purl))
        .map_err(|e| format!("`{}` is no purl: {e}", text.escape_debug()))
}

/// The one spelling of a purl, its version left out.
///
/// # Errors
/// A line that says what is wrong with the text.
pub fn without_version(text: &str) -> Result<String, String> {
    let mut purl = PackageUrl::from_str(text).map_err(|e| format!("`{}` is no purl: {e}", text.escape_debug()))?;
    purl.without_version();
    Ok(purl.to_string())
}
