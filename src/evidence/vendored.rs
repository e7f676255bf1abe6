//! What a vendored crate's own manifest says: whether it runs code at build time, links native code, and its licence.
//!
//! The manifest is the crate author's word, read from the judged tree; it is evidence of what cargo will do with the
//! crate, because cargo reads the same file.

use serde::Deserialize;

use crate::ecosystem::Files;
use crate::model::RepoPath;
use crate::model::evidence::{Evidence, Provenance, Reason};
use crate::model::inventory::SourceKind;

/// Facts about one crate version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Whether it has a build script.
    pub build_script: Evidence<bool>,
    /// Whether it links a native library.
    pub native_code: Evidence<bool>,
    /// Whether it runs inside the compiler.
    pub proc_macro: Evidence<bool>,
    /// SPDX expression.
    pub license: Evidence<String>,
}

impl Crate {
    /// What is known where nothing is vendored and no network may be asked.
    #[must_use]
    pub fn unknown() -> Self {
        let offline = Evidence::Unavailable(Reason::Offline);
        Self {
            build_script: offline.clone(),
            native_code: offline.clone(),
            proc_macro: offline,
            license: Evidence::Unavailable(Reason::Offline),
        }
    }

    /// Capabilities that this version has and the other lacks; `None` where one of them is not known.
    #[must_use]
    pub fn gains_over(&self, before: &Self) -> Option<bool> {
        let gain = |after: &Evidence<bool>, before: &Evidence<bool>| Some(*after.found()? && !*before.found()?);
        let build_script = gain(&self.build_script, &before.build_script)?;
        let native_code = gain(&self.native_code, &before.native_code)?;
        let proc_macro = gain(&self.proc_macro, &before.proc_macro)?;
        Some(build_script || native_code || proc_macro)
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
    lib: Option<Lib>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    build: Option<toml::Value>,
    links: Option<String>,
    license: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lib {
    #[serde(alias = "proc_macro", default)]
    proc_macro: bool,
}

/// Looks a crate up among the vendored ones of a tree.
#[must_use]
pub fn look_up(files: &dyn Files, name: &str, version: &str, source: SourceKind) -> Crate {
    if source == SourceKind::Path {
        return Crate::unknown();
    }
    let versioned = format!("{name}-{version}");
    for mark in files.named(".cargo-checksum.json") {
        let folder = mark.parent();
        if folder.file_name() != name && folder.file_name() != versioned {
            continue;
        }
        let Some(path) = folder.join("Cargo.toml") else { continue };
        let Ok(Some((bytes, _))) = files.read(&path) else { continue };
        let Some(manifest) = std::str::from_utf8(&bytes).ok().and_then(|t| crate::text::toml::<Manifest>(t).ok())
        else {
            continue;
        };
        if manifest.package.name == name && manifest.package.version == version {
            return facts(files, &manifest, &folder, &path);
        }
    }
    Crate::unknown()
}

fn facts(files: &dyn Files, manifest: &Manifest, folder: &RepoPath, path: &RepoPath) -> Crate {
    let from = || Provenance { source: path.to_string(), as_of: None };
    let has_file = folder.join("build.rs").is_some_and(|script| matches!(files.read(&script), Ok(Some(_)) | Err(_)));
    let build_script = match &manifest.package.build {
        Some(toml::Value::Boolean(wanted)) => *wanted,
        Some(_) => true,
        None => has_file,
    };
    Crate {
        build_script: Evidence::Found(build_script, from()),
        native_code: Evidence::Found(manifest.package.links.is_some(), from()),
        proc_macro: Evidence::Found(manifest.lib.as_ref().is_some_and(|lib| lib.proc_macro), from()),
        license: match &manifest.package.license {
            Some(license) => Evidence::Found(license.clone(), from()),
            None => Evidence::Absent(from()),
        },
    }
}
