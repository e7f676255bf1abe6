//! The forge's dependency graph as a source of changes, for projects without a lockfile. It is asked only where the
//! governing revision's settings say so; what it says adds to what the manifests say and takes nothing away.

use serde::Deserialize;

use super::client::Client;
use super::event::Event;
use crate::model::supplied::Supplied;
use crate::world::DependencyGraph;

/// One entry of the comparison (GitHub's API description, "Get a diff of the dependencies between commits").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Difference {
    /// `added` or `removed`.
    pub change_type: String,
    /// The manifest's path.
    pub manifest: String,
    /// The package's name.
    pub name: String,
    /// Its version, or what is asked for.
    #[serde(default)]
    pub version: String,
    /// Its purl.
    #[serde(default)]
    pub package_url: Option<String>,
    /// SPDX expression.
    #[serde(default)]
    pub license: Option<String>,
    /// `unknown`, `runtime` or `development`.
    #[serde(default)]
    pub scope: String,
}

/// The graph, for one event.
pub struct Graph<'a> {
    client: &'a Client,
    event: &'a Event,
}

impl<'a> Graph<'a> {
    /// The graph that a client can read, between the commits of an event.
    #[must_use]
    pub const fn new(client: &'a Client, event: &'a Event) -> Self {
        Self { client, event }
    }
}

impl DependencyGraph for Graph<'_> {
    fn changes(&self, since: Option<&str>) -> Result<Vec<Supplied>, String> {
        let since = since.ok_or("the change has no commit to begin with")?;
        let head = match self.event {
            Event::Pull(pull) => Some(&pull.head.sha),
            Event::MergeGroup(group) => Some(&group.head.sha),
            Event::Push(push) => push.after.as_ref(),
            Event::Run(_) | Event::Standing(_) => None,
        };
        let head = head.ok_or("this event has no commit that is new")?;
        let entries = self.client.dependency_changes(since, head).map_err(|failed| failed.to_string())?;
        entries.into_iter().map(supplied).collect()
    }
}

fn supplied(entry: Difference) -> Result<Supplied, String> {
    let is_added = match entry.change_type.as_str() {
        "added" => true,
        "removed" => false,
        other => return Err(format!("the forge speaks of a dependency that is {}", other.escape_debug())),
    };
    Ok(Supplied {
        is_added,
        manifest: entry.manifest,
        purl: entry.package_url.unwrap_or_default(),
        name: entry.name,
        version: entry.version,
        scope: entry.scope,
        license: entry.license,
    })
}
