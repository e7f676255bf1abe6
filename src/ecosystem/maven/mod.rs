//! Maven packages: what `pom.xml` asks for, and what Gradle locks and lists.
//!
//! ```text
//! version        the order of versions
//! pom            bytes → a pom as it is written
//! tree           folders → a pom with its parents, and the modules beside it
//! effective      poms → properties expanded, versions filled in
//! project        poms → inventory
//! gradle         lockfiles → inventory          (verification)
//! catalog        version catalogs → inventory
//! settings       wrappers, mirrors, extensions
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{FileKind, Files, Format, Redirect, Rules, Settings, View};
use crate::model::inventory::{Inventory, Project};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

pub mod catalog;
mod effective;
pub mod gradle;
pub mod pom;
mod project;
mod settings;
mod tree;
mod verification;
mod version;

#[cfg(test)]
mod gradle_tests;
#[cfg(test)]
mod tests;

/// Maven's files and rules.
#[derive(Debug, Clone, Copy)]
pub struct Maven;

impl Rules for Maven {
    /// Names are `group:artifact` and compare as they are: repositories are case-sensitive.
    fn normalise<'n>(&self, name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(name)
    }

    /// Two ids of letters, digits, `-`, `_` and `.` (Maven's model validation), with a colon between them.
    fn is_name(&self, name: &str) -> bool {
        let is_id = |id: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            !id.is_empty() && !matches!(id, "." | "..") && id.bytes().all(is_plain)
        };
        name.len() <= 512 && name.split_once(':').is_some_and(|(group, artifact)| is_id(group) && is_id(artifact))
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        version::compare(a, b)
    }
}

impl Format for Maven {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Maven
    }

    fn includes(&self) -> bool {
        true
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[FileKind::manifest(
                "pom.xml",
                "models 4.0.0 and 4.1.0: parents, properties, management, BOMs and modules in the repository, profiles",
            )]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &[tree::POM]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, (RepoPath, Unread)> {
        Ok(project::projects(files))
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, (RepoPath, Unread)> {
        project::read(project, view)
    }
}

impl Settings for Maven {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Maven
    }

    /// Maven's own folder with all that lies in it, wrappers of Maven and Gradle, and what chooses the toolchain.
    fn patterns(&self) -> &'static [&'static str] {
        &[
            "**/.mvn/**",
            "mvnw",
            "mvnw.cmd",
            "gradlew",
            "gradlew.bat",
            "**/gradle/wrapper/**",
            "gradle.properties",
            "gradle-daemon-jvm.properties",
            "init.gradle*",
            "**/init.d/*.gradle*",
            // Not where other tools have files of that name: deep in the resources of Android's apps.
            "/settings.xml",
            "*/settings.xml",
            "*/*/settings.xml",
            "*/*/*/settings.xml",
            "**/.m2/**",
            ".sdkmanrc",
            ".java-version",
        ]
    }

    fn redirects(&self, path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
        settings::redirects(path, bytes)
    }

    fn registries(&self, path: &RepoPath, bytes: &[u8]) -> Vec<String> {
        settings::registries(path, bytes)
    }
}
