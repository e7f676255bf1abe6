//! `pom.xml` as it is written (Maven's "POM Reference", model 4.0.0 and 4.1.0): sections, with places and without
//! inheritance.

use std::collections::HashMap;

use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{malformed, xml};
use crate::model::tree::Unread;
use xml::Element;

/// The group of plugins that name none.
const PLUGIN_GROUP: &str = "org.apache.maven.plugins";

/// A dependency, plugin or extension as it is written, with properties unexpanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependency {
    /// `groupId`.
    pub group: String,
    /// `artifactId`.
    pub artifact: String,
    /// `version`.
    pub version: Option<String>,
    /// `type`.
    pub kind: Option<String>,
    /// `classifier`.
    pub classifier: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `systemPath`.
    pub system_path: Option<String>,
    /// The line of the element.
    pub line: u32,
}

/// A plugin and what it needs besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugin {
    /// The plugin itself.
    pub itself: Dependency,
    /// Its own `dependencies`.
    pub dependencies: Vec<Dependency>,
    /// What its configuration names by group and artifact: processors of annotations, artifacts to unpack.
    pub configured: Vec<Dependency>,
}

/// What a project and a profile have in common.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// `properties`; of two with one name the last counts.
    pub properties: HashMap<String, String>,
    /// `dependencies`.
    pub dependencies: Vec<Dependency>,
    /// `dependencyManagement`, with the BOMs it imports.
    pub managed: Vec<Dependency>,
    /// `build/plugins`.
    pub plugins: Vec<Plugin>,
    /// `build/pluginManagement`.
    pub managed_plugins: Vec<Plugin>,
    /// `reporting/plugins`.
    pub reports: Vec<Plugin>,
    /// `build/extensions`.
    pub extensions: Vec<Dependency>,
    /// Addresses of `repositories`.
    pub repositories: Vec<String>,
    /// Addresses of `pluginRepositories`.
    pub plugin_repositories: Vec<String>,
    /// `modules`, and `subprojects` of model 4.1.0.
    pub modules: Vec<String>,
}

impl Section {
    /// Whether nothing in it says what is asked for, or at which version.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.properties.is_empty()
            && [&self.dependencies, &self.managed, &self.extensions].iter().all(|list| list.is_empty())
            && [&self.plugins, &self.managed_plugins, &self.reports].iter().all(|list| list.is_empty())
    }
}

/// The parent that a pom names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parent {
    /// `groupId`, `artifactId`, `version` and place.
    pub itself: Dependency,
    /// `relativePath`, with its default; `None` where the pom says that there is none.
    pub path: Option<String>,
}

/// A pom.
#[derive(Debug, Clone, Default)]
pub struct Pom {
    /// The parent.
    pub parent: Option<Parent>,
    /// `groupId`, where it is not the parent's.
    pub group: Option<String>,
    /// `artifactId`.
    pub artifact: String,
    /// `version`, where it is not the parent's.
    pub version: Option<String>,
    /// `packaging`.
    pub packaging: Option<String>,
    /// What stands outside profiles.
    pub main: Section,
    /// The profiles.
    pub profiles: Vec<Section>,
    /// The line of the root element.
    pub line: u32,
}

impl Pom {
    /// The group, unexpanded.
    #[must_use]
    pub fn group(&self) -> &str {
        let inherited = self.parent.as_ref().map(|parent| &*parent.itself.group);
        self.group.as_deref().or(inherited).unwrap_or_default()
    }

    /// The version, unexpanded.
    #[must_use]
    pub fn version(&self) -> &str {
        let inherited = self.parent.as_ref().and_then(|parent| parent.itself.version.as_deref());
        self.version.as_deref().or(inherited).unwrap_or_default()
    }

    /// The project and its profiles.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        std::iter::once(&self.main).chain(&self.profiles)
    }
}

/// Reads a pom.
///
/// # Errors
/// No XML, no pom, a model that is not read, an element twice of which there may be one, a dependency without a name.
pub fn parse(bytes: &[u8]) -> Result<Pom, Unread> {
    let root = xml::read(bytes, MAX_BYTES)?;
    if root.name != "project" {
        return Err(malformed(root.line, "not a `project`"));
    }
    let model = text(&root, "modelVersion")?.unwrap_or_else(|| "4.0.0".to_owned());
    let may_infer = match &*model {
        "4.0.0" => false,
        "4.1.0" => true,
        _ => return Err(Unread::Unsupported("a pom.xml of a model that is neither 4.0.0 nor 4.1.0".to_owned())),
    };
    let mut profiles = Vec::new();
    if let Some(list) = one(&root, "profiles")? {
        for profile in list.all("profile") {
            profiles.push(section(profile, may_infer)?);
        }
    }
    let parent = match one(&root, "parent")? {
        None => None,
        Some(parent) => {
            let path = match one(parent, "relativePath")? {
                None => Some("../pom.xml".to_owned()),
                Some(path) => Some(path.text.clone()).filter(|path| !path.is_empty()),
            };
            Some(Parent { itself: dependency(parent, may_infer, "")?, path })
        }
    };
    Ok(Pom {
        parent,
        group: text(&root, "groupId")?,
        artifact: text(&root, "artifactId")?.unwrap_or_default(),
        version: text(&root, "version")?,
        packaging: text(&root, "packaging")?,
        main: section(&root, may_infer)?,
        profiles,
        line: root.line,
    })
}

/// The child of that name. Maven refuses a second one, and so does this: which of the two counts?
fn one<'e>(element: &'e Element, name: &'e str) -> Result<Option<&'e Element>, Unread> {
    let mut all = element.all(name);
    let first = all.next();
    match all.next() {
        Some(second) => Err(malformed(second.line, format!("`{name}` stands twice"))),
        None => Ok(first),
    }
}

fn text(element: &Element, name: &str) -> Result<Option<String>, Unread> {
    Ok(one(element, name)?.map(|child| child.text.clone()).filter(|text| !text.is_empty()))
}

fn section(element: &Element, may_infer: bool) -> Result<Section, Unread> {
    let mut section = Section::default();
    if let Some(properties) = one(element, "properties")? {
        for property in &properties.children {
            section.properties.insert(property.name.clone(), property.text.clone());
        }
    }
    section.dependencies = dependencies(element, may_infer)?;
    if let Some(managed) = one(element, "dependencyManagement")? {
        section.managed = dependencies(managed, may_infer)?;
    }
    if let Some(build) = one(element, "build")? {
        section.plugins = plugins(build, may_infer)?;
        if let Some(managed) = one(build, "pluginManagement")? {
            section.managed_plugins = plugins(managed, may_infer)?;
        }
        if let Some(extensions) = one(build, "extensions")? {
            for extension in extensions.all("extension") {
                section.extensions.push(dependency(extension, may_infer, "")?);
            }
        }
    }
    if let Some(reporting) = one(element, "reporting")? {
        section.reports = plugins(reporting, may_infer)?;
    }
    section.repositories = addresses(element, "repositories", "repository")?;
    section.plugin_repositories = addresses(element, "pluginRepositories", "pluginRepository")?;
    for (list, item) in [("modules", "module"), ("subprojects", "subproject")] {
        if let Some(modules) = one(element, list)? {
            section.modules.extend(modules.all(item).map(|module| module.text.clone()));
        }
    }
    Ok(section)
}

fn addresses(element: &Element, list: &str, item: &str) -> Result<Vec<String>, Unread> {
    let Some(list) = one(element, list)? else { return Ok(Vec::new()) };
    let found: Result<Vec<_>, Unread> = list.all(item).map(|repository| text(repository, "url")).collect();
    Ok(found?.into_iter().flatten().collect())
}

fn dependencies(element: &Element, may_infer: bool) -> Result<Vec<Dependency>, Unread> {
    let Some(list) = one(element, "dependencies")? else { return Ok(Vec::new()) };
    list.all("dependency").map(|each| dependency(each, may_infer, "")).collect()
}

fn plugins(element: &Element, may_infer: bool) -> Result<Vec<Plugin>, Unread> {
    let Some(list) = one(element, "plugins")? else { return Ok(Vec::new()) };
    let plugin = |each: &Element| {
        let itself = dependency(each, may_infer, PLUGIN_GROUP)?;
        let mut configured = Vec::new();
        for child in each.children.iter().filter(|child| child.name != "dependencies") {
            coordinates(child, &mut configured)?;
        }
        Ok(Plugin { itself, dependencies: dependencies(each, may_infer)?, configured })
    };
    list.all("plugin").map(plugin).collect()
}

/// Every element at any depth that has a group and an artifact. What is excluded is not fetched.
fn coordinates(element: &Element, found: &mut Vec<Dependency>) -> Result<(), Unread> {
    let is_named = ["groupId", "artifactId"].iter().all(|name| element.text_of(name).is_some());
    if is_named {
        // A path of its own means nothing there, and would make it look like a file of the repository.
        found.push(Dependency { system_path: None, scope: None, ..dependency(element, false, "")? });
    }
    for child in &element.children {
        let is_excluded = matches!(
            (&*element.name, &*child.name),
            // What an IDE makes of plugins.
            ("pluginExecution", "pluginExecutionFilter")
                | ("excludes", "exclude")
                | ("exclusions", "exclusion")
                | ("excludeDependencies", "excludeDependency")
        );
        if !is_excluded {
            coordinates(child, found)?;
        }
    }
    Ok(())
}

fn dependency(element: &Element, may_infer: bool, default_group: &str) -> Result<Dependency, Unread> {
    let named = |name: &str, default: &str| match text(element, name)? {
        Some(text) => Ok(text),
        None if may_infer || !default.is_empty() => Ok(default.to_owned()),
        None => Err(malformed(element.line, format!("`{}` without `{name}`", element.name))),
    };
    Ok(Dependency {
        group: named("groupId", default_group)?,
        artifact: named("artifactId", "")?,
        version: text(element, "version")?,
        kind: text(element, "type")?,
        classifier: text(element, "classifier")?,
        scope: text(element, "scope")?,
        system_path: text(element, "systemPath")?,
        line: element.line,
    })
}
