//! Gradle's lockfiles (Gradle's "Locking dependency versions"): `gradle.lockfile` and its kin with one line for each
//! component, and `gradle/dependency-locks/` with one file for each configuration.

use std::collections::HashMap;

use super::catalog;
use super::verification::{self, Verification};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::{malformed, text};
use crate::ecosystem::{FILE_CAP, FileKind, Files, Format, View, claimed};
use crate::model::inventory::{Inventory, Package, Project, Scope, Scopes, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// Lockfiles of the code that builds, not of what is built.
const OF_BUILD: [&str; 3] =
    ["buildscript-gradle.lockfile", "settings-gradle.lockfile", "buildscript-classpath.lockfile"];

/// Digests of components, for all projects of a build.
const VERIFICATION: &str = "verification-metadata.xml";

/// What Gradle's projects are built by, for the people who look for the manifest. It is code, and is not read.
const SCRIPTS: [&str; 2] = ["build.gradle", "build.gradle.kts"];

/// Gradle's lockfiles and version catalogs.
#[derive(Debug, Clone, Copy)]
pub struct Gradle;

/// What could not be read.
type Failure = (RepoPath, Unread);

impl Format for Gradle {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Maven
    }

    fn kinds(&self) -> &'static [FileKind] {
        const {
            &[
                FileKind::lockfile(
                    "gradle.lockfile",
                    "one file for a project, with checksums of verification-metadata.xml",
                ),
                FileKind::lockfile("buildscript-gradle.lockfile", "the classpath of the build script"),
                FileKind::lockfile("settings-gradle.lockfile", "the classpath of the settings script"),
                FileKind::lockfile("**/gradle/dependency-locks/*.lockfile", "one file for a configuration"),
                FileKind::lockfile("**/gradle/verification-metadata.xml", "digests of components"),
                FileKind::manifest("*.versions.toml", "version catalogs of format 1.0 and 1.1"),
                FileKind::manifest("**/gradle/*.toml", "as `*.versions.toml`, where it is a catalog"),
            ]
        }
    }

    fn looks_up(&self) -> &'static [&'static str] {
        &["build.gradle", "build.gradle.kts", VERIFICATION]
    }

    fn projects(&self, files: &dyn Files) -> Result<Vec<Project>, Failure> {
        let scripts: std::collections::HashSet<RepoPath> = SCRIPTS.iter().flat_map(|name| files.named(name)).collect();
        let claimed = claimed(files, self.kinds()).into_iter();
        let is_own = |path: &RepoPath| {
            let is_read = match path.file_name() {
                // What lies beside it is read with it.
                VERIFICATION => false,
                name if name.ends_with(".toml") && !name.ends_with(".versions.toml") => {
                    files.read(path).map_or(true, |found| found.is_some_and(|(bytes, _)| catalog::is_one(&bytes)))
                }
                _ => true,
            };
            is_read && path.parts().all(|part| part != "node_modules")
        };
        let own = claimed.filter(is_own);
        Ok(own
            .map(|path| {
                let folder = home(&path);
                if is_catalog(&path) {
                    return Project { path: folder, ecosystem: Ecosystem::Maven, manifest: Some(path), lockfile: None };
                }
                let beside = SCRIPTS.iter().filter_map(|name| folder.join(name));
                let manifest = beside.into_iter().find(|script| scripts.contains(script));
                Project { path: folder, ecosystem: Ecosystem::Maven, manifest, lockfile: Some(path) }
            })
            .collect())
    }

    fn read(&self, project: &Project, view: View<'_>) -> Result<Inventory, Failure> {
        match &project.lockfile {
            Some(path) => locked(project, path, view),
            None => catalog::read(project, view),
        }
    }
}

fn is_catalog(path: &RepoPath) -> bool {
    path.file_name().ends_with(".toml")
}

/// The folder of the build that a file belongs to: the one above `gradle/` and `gradle/dependency-locks/`.
fn home(path: &RepoPath) -> RepoPath {
    let mut folder = path.parent();
    for name in ["dependency-locks", "gradle"] {
        if folder.file_name() == name {
            folder = folder.parent();
        }
    }
    folder
}

/// One line of a lockfile.
struct Line<'t> {
    group: &'t str,
    artifact: &'t str,
    version: &'t str,
    configurations: Vec<&'t str>,
    number: u32,
}

fn locked(project: &Project, path: &RepoPath, mut view: View<'_>) -> Result<Inventory, Failure> {
    let fail = |error| (path.clone(), error);
    let Some((bytes, input)) = view.read(path).map_err(fail)? else {
        return Err(fail(Unread::NotAFile("the lockfile is not there".to_owned())));
    };
    let verification = verification(&project.path, &mut view)?;
    let of_build = OF_BUILD.contains(&path.file_name());
    // A file for a configuration is named after it, and its lines name none.
    let stem = path.file_name().strip_suffix(".lockfile").filter(|_| path.parent().file_name() == "dependency-locks");
    let mut draft = Draft::new();
    for line in lines(&bytes, stem).map_err(fail)? {
        let scopes = if of_build { Scopes::of(Scope::Build) } else { scopes(&line.configurations) };
        let span = Span { input, line: line.number, end_line: line.number };
        let name = format!("{}:{}", line.group, line.artifact);
        let (checksum, files) = verification.of(line.group, line.artifact, line.version);
        draft.package(Package { checksum, files, scopes, ..Package::new(Ecosystem::Maven, &name, line.version, span) });
    }
    Ok(draft.finish(project, view.into_inputs()))
}

/// The nearest verification metadata: it lies in the `gradle` folder of the root project.
fn verification(folder: &RepoPath, view: &mut View<'_>) -> Result<Verification, Failure> {
    let mut at = folder.clone();
    loop {
        if let Some(path) = at.join("gradle/verification-metadata.xml") {
            let found = view.read(&path).map_err(|error| (path.clone(), error))?;
            if let Some((bytes, _)) = found {
                return verification::parse(&bytes).map_err(|error| (path, error));
            }
        }
        if at.is_root() {
            return Ok(Verification::default());
        }
        at = at.parent();
    }
}

/// The lines of a lockfile. `configuration` is the one that the whole file is for.
fn lines<'t>(bytes: &'t [u8], configuration: Option<&'t str>) -> Result<Vec<Line<'t>>, Unread> {
    let text = text(bytes, FILE_CAP)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let mut first: HashMap<&str, u32> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let number = number as u32 + 1;
        let line = line.trim();
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line.starts_with("=======") {
            return Err(malformed(number, "conflict markers: a merge was left unfinished"));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (module, configurations) = match (line.split_once('='), configuration) {
            // Configurations that are locked with nothing in them.
            (Some(("empty", _)), _) => continue,
            (Some((module, list)), None) => {
                (module, list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
            }
            (None, Some(configuration)) => (line, vec![configuration]),
            (None, None) => return Err(malformed(number, "no configurations after `=`")),
            (Some(_), Some(_)) => return Err(malformed(number, "configurations in a file for a single one")),
        };
        if let Some(earlier) = first.insert(module, number) {
            return Err(malformed(number, format!("stands on line {earlier} already")));
        }
        let mut parts = module.splitn(3, ':');
        let (Some(group), Some(artifact), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed(number, "not `group:name:version`"));
        };
        if [group, artifact, version].contains(&"") || version.contains(':') {
            return Err(malformed(number, "not `group:name:version`"));
        }
        found.push(Line { group, artifact, version, configurations, number });
    }
    Ok(found)
}

/// When components of these configurations run.
///
/// Names of configurations are no flag that a lockfile sets beside its entries: they say which classpaths Gradle
/// resolves to this entry. Gradle refuses an entry that stands for a configuration which does not hold it, or the other
/// way round. So a name counts for less than runtime only where Gradle or its plugins for Java give it that meaning.
fn scopes(configurations: &[&str]) -> Scopes {
    let all = configurations.iter().map(|name| Scopes::of(scope(name))).fold(Scopes::default(), Scopes::with);
    if all.is_empty() { Scopes::of(Scope::Runtime) } else { all }
}

fn scope(configuration: &str) -> Scope {
    let starts = |prefix: &str| {
        let rest = configuration.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    match configuration {
        // Code that the compiler runs.
        "annotationProcessor" | "kapt" | "ksp" => Scope::Build,
        _ if configuration.ends_with("AnnotationProcessor") => Scope::Build,
        "testCompileClasspath" | "testRuntimeClasspath" => Scope::Development,
        _ if ["test", "androidTest"].into_iter().any(starts) => Scope::Development,
        _ => Scope::Runtime,
    }
}
