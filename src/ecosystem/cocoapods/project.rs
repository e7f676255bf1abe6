//! Finds projects of CocoaPods and reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::podfile::{self, Pod, Podfile};
use super::{root_of, satisfies};
use crate::ecosystem::draft::Draft;
use crate::ecosystem::syntax::yaml::{self, Node};
use crate::ecosystem::syntax::{malformed, toml::MAX_BYTES};
use crate::ecosystem::{FILE_CAP, Files, View};
use crate::model::checksum::{of_commit, of_hex};
use crate::model::inventory::{Identity, Inventory, Package, Project, Scope, Source, SourceKind, Span};
use crate::model::tree::Unread;
use crate::model::{Ecosystem, RepoPath};

/// The name of the manifest.
pub(super) const MANIFEST: &str = "Podfile";

/// Length of a locked address that is compared with those of the manifest, at the most.
const MAX_ADDRESS: usize = 1_024;

/// Names of the manifest, in the order in which CocoaPods looks for them: the first that is there counts.
const MANIFESTS: [&str; 4] = ["CocoaPods.podfile.yaml", "CocoaPods.podfile", MANIFEST, "Podfile.rb"];

/// The public repository, by its names.
const PUBLIC: [&str; 3] = ["trunk", "https://cdn.cocoapods.org", "https://github.com/cocoapods/specs"];

/// Options of an external source that say no address.
const MODIFIERS: [&str; 6] = [":branch", ":tag", ":commit", ":revision", ":submodules", ":folder"];

/// The name of the lockfile.
pub(super) const LOCKFILE: &str = "Podfile.lock";

/// Versions of one pod in one lockfile, at the most. CocoaPods locks one.
const MAX_VERSIONS: usize = 16;

type Failure = (RepoPath, Unread);

/// The projects of a tree. What lies in `Pods` was fetched.
pub(super) fn projects(files: &dyn Files) -> Vec<Project> {
    let is_own = |path: &RepoPath| !path.parts().any(|part| matches!(part, "Pods" | "node_modules"));
    let ecosystem = Ecosystem::CocoaPods;
    let mut manifests: BTreeMap<RepoPath, RepoPath> = BTreeMap::new();
    for manifest in MANIFESTS.iter().flat_map(|name| files.named(name)).filter(is_own) {
        manifests.entry(manifest.parent()).or_insert(manifest);
    }
    let mut found = Vec::new();
    for lockfile in files.named(LOCKFILE).into_iter().filter(is_own) {
        let path = lockfile.parent();
        let manifest = manifests.remove(&path);
        found.push(Project { path, ecosystem, manifest, lockfile: Some(lockfile) });
    }
    for (path, manifest) in manifests {
        found.push(Project { path, ecosystem, manifest: Some(manifest), lockfile: None });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Reads one project.
pub(super) fn read(project: &Project, mut view: View<'_>) -> Result<Inventory, Failure> {
    let mut draft = Draft::new();
    let mut manifest_path = RepoPath::new(MANIFEST);
    let mut manifest = None;
    for name in MANIFESTS {
        manifest_path = project.path.join(name).unwrap_or_else(|| RepoPath::new(name));
        manifest = view.read(&manifest_path).map_err(|error| (manifest_path.clone(), error))?;
        if manifest.is_some() {
            break;
        }
    }
    if manifest.is_some() && manifest_path.file_name() == "CocoaPods.podfile.yaml" {
        return Err((manifest_path, Unread::Unsupported("a Podfile in YAML".to_owned())));
    }
    let podfile = match &manifest {
        Some((bytes, input)) => {
            Some((podfile::parse(bytes, MAX_BYTES).map_err(|error| (manifest_path.clone(), error))?, *input))
        }
        None => None,
    };
    let span = podfile.as_ref().map_or_else(Span::default, |(_, input)| Span { input: *input, ..Span::default() });
    let root = draft.root(&project.path.to_string(), "", &project.path, span);
    match &project.lockfile {
        Some(path) => {
            let found = view.read(path).map_err(|error| (path.clone(), error))?;
            let (bytes, input) =
                found.ok_or_else(|| (path.clone(), Unread::NotAFile("the lockfile is not there".to_owned())))?;
            locked(&mut draft, root, &project.path, (&bytes, input), podfile.as_ref())
                .map_err(|error| (path.clone(), error))?;
        }
        None => {
            if let Some((podfile, input)) = &podfile {
                unlocked(&mut draft, root, podfile, *input);
            }
        }
    }
    if let Some((podfile, input)) = &podfile {
        // Plugins are gems that no lockfile names, and CocoaPods runs them.
        for (name, line) in &podfile.plugins {
            let plugin = Package::new(Ecosystem::RubyGems, name, "*", at(*input, *line));
            let plugin = draft.package(Package { is_locked: false, runs_on_install: true, ..plugin });
            draft.need(root, plugin, Scope::Build, Some(at(*input, *line)));
        }
    }
    Ok(draft.finish(project, view.into_inputs()))
}

const fn at(input: u32, line: u32) -> Span {
    Span { input, line, end_line: line }
}

/// `Name/Subspec (inside)`.
fn entry(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" (") {
        Some((name, inside)) => (name, Some(inside.strip_suffix(')').unwrap_or(inside))),
        None => (text, None),
    }
}

/// One pod of the list, with the pods it needs.
struct Locked<'n> {
    name: &'n str,
    version: &'n str,
    needs: Vec<&'n str>,
    line: u32,
}

fn pods<'n>(document: &'n Node<'_>) -> Result<Vec<Locked<'n>>, Unread> {
    let Some(list) = document.get("PODS") else {
        return Err(malformed(1, "there is no list `PODS`"));
    };
    let mut found = Vec::new();
    for item in list.items() {
        let (text, needs) = match (item.text(), item.members()) {
            (Some(text), _) => (text, &[] as &[Node<'_>]),
            (None, [one]) => (&*one.key, one.node.items()),
            _ => return Err(malformed(item.line, "a pod that is neither a text nor one key")),
        };
        let (name, version) = entry(text);
        let version = version.ok_or_else(|| malformed(item.line, "a pod without a version"))?;
        let needs = needs.iter().map(|need| {
            let text = need.text().ok_or_else(|| malformed(need.line, "a dependency that is no text"))?;
            Ok(root_of(entry(text).0))
        });
        let needs = needs.collect::<Result<_, Unread>>()?;
        found.push(Locked { name: root_of(name), version, needs, line: item.line });
    }
    Ok(found)
}

/// What the sections below the list say of each pod.
struct Origins<'n> {
    external: HashMap<&'n str, &'n Node<'n>>,
    checkout: HashMap<&'n str, &'n Node<'n>>,
    checksums: HashMap<&'n str, &'n str>,
    repositories: HashMap<&'n str, Vec<&'n str>>,
    /// Addresses of all repositories.
    named: Vec<&'n str>,
}

impl<'n> Origins<'n> {
    fn read(document: &'n Node<'n>) -> Self {
        let table = |key: &str| {
            let members = document.get(key).map(Node::members).unwrap_or_default();
            members.iter().map(|member| (root_of(&member.key), &member.node)).collect::<HashMap<_, _>>()
        };
        let mut repositories: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut named = Vec::new();
        for member in document.get("SPEC REPOS").map(Node::members).unwrap_or_default() {
            named.push(&*member.key);
            for pod in member.node.items().iter().filter_map(Node::text) {
                repositories.entry(root_of(pod)).or_default().push(&member.key);
            }
        }
        let checksums = table("SPEC CHECKSUMS").into_iter().filter_map(|(name, node)| Some((name, node.text()?)));
        Self {
            external: table("EXTERNAL SOURCES"),
            checkout: table("CHECKOUT OPTIONS"),
            checksums: checksums.collect(),
            repositories,
            named,
        }
    }

    /// Fills in where a pod comes from. The checksum is that of its specification, which names the sources.
    fn fill(&self, package: &mut Package, name: &str) {
        let option = |key: &str| {
            let of = |table: &HashMap<&str, &'n Node<'n>>| table.get(name).and_then(|node| node.text_of(key));
            of(&self.checkout).or_else(|| of(&self.external))
        };
        package.checksum = self.checksums.get(name).and_then(|digest| of_hex("sha1", digest));
        let external = self.external.contains_key(name) || self.checkout.contains_key(name);
        package.identity = if external { Identity::Foreign } else { Identity::Public };
        package.source = if let Some(folder) = option(":path") {
            Source::path(folder)
        } else if let Some(address) = option(":git") {
            let commit = option(":commit");
            package.checksum = commit.and_then(of_commit);
            Source::git(address, commit)
        } else if let Some(address) = option(":podspec").or_else(|| option(":http")) {
            // A specification in a folder names sources of its own; the folder is what is known of them.
            if address.contains("://") { Source::registry(address) } else { Source::path(address) }
        } else if external {
            // Of another kind (`:svn`, `:hg`, …).
            let tables = [&self.external, &self.checkout].into_iter().filter_map(|table| table.get(name));
            let mut members = tables.flat_map(|node| node.members()).filter(|m| !MODIFIERS.contains(&&*m.key));
            let first = members.find_map(|m| Some((m.key.trim_start_matches(':'), m.node.text()?)));
            Source::git(&first.map_or_else(String::new, |(key, address)| format!("{key} {address}")), None)
        } else {
            match self.repositories.get(name).map(Vec::as_slice) {
                None | Some(["trunk"]) => Source::public(),
                // Of several, any may have answered.
                Some(all) => Source::registry(&all.join(" ")),
            }
        };
    }
}

fn locked(
    draft: &mut Draft,
    root: usize,
    folder: &RepoPath,
    (bytes, input): (&[u8], u32),
    podfile: Option<&(Podfile<'_>, u32)>,
) -> Result<(), Unread> {
    let document = yaml::read(bytes, FILE_CAP)?;
    let pods = pods(&document)?;
    let origins = Origins::read(&document);
    let mut by_name: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut known: HashMap<(&str, &str), u32> = HashMap::new();
    let mut edges: Vec<(u32, &str)> = Vec::new();
    for pod in &pods {
        let package = match known.get(&(pod.name, pod.version)) {
            Some(package) => *package,
            None => {
                let mut package = Package::new(Ecosystem::CocoaPods, pod.name, pod.version, at(input, pod.line));
                origins.fill(&mut package, pod.name);
                let package = draft.package(package);
                let same = by_name.entry(pod.name).or_default();
                same.push(package);
                if same.len() > MAX_VERSIONS {
                    return Err(malformed(pod.line, format!("more than {MAX_VERSIONS} versions of one pod")));
                }
                if same.len() == 2 {
                    let message = format!("stands in the lockfile in two versions, here as {:.80}", pod.version);
                    draft.disagree(pod.name, message, at(input, pod.line));
                }
                known.insert((pod.name, pod.version), package);
                package
            }
        };
        edges.extend(pod.needs.iter().filter(|need| **need != pod.name).map(|need| (package, *need)));
    }
    edges.sort_unstable();
    edges.dedup();
    let needed: HashSet<&str> = edges.iter().map(|(_, name)| *name).collect();
    for (from, name) in &edges {
        for to in by_name.get(name).into_iter().flatten() {
            draft.edge(*from, *to);
        }
    }
    let mut declared: BTreeMap<&str, Span> = BTreeMap::new();
    if let Some((podfile, manifest)) = podfile {
        for pod in &podfile.pods {
            declared.entry(pod.name).or_insert(at(*manifest, pod.line));
        }
    }
    let asked = document.get("DEPENDENCIES");
    for item in asked.map(Node::items).unwrap_or_default() {
        let text = item.text().ok_or_else(|| malformed(item.line, "a dependency that is no text"))?;
        let (name, inside) = entry(text);
        let name = root_of(name);
        let found = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        if found.is_empty() {
            draft.disagree(name, "is asked for, and the lockfile does not hold it", at(input, item.line));
        }
        for package in found {
            draft.need(root, *package, Scope::Runtime, declared.get(name).copied());
            check(draft, *package, inside.unwrap_or(""), at(input, item.line));
        }
    }
    if let Some((podfile, manifest)) = podfile {
        let known: HashSet<String> = origins.named.iter().map(|address| spelt(address)).collect();
        for (address, line) in &podfile.sources {
            let shown = spelt(address);
            if !PUBLIC.contains(&&*shown) && !known.contains(&shown) {
                let message = format!("takes pods from {shown:.200}, and the lockfile does not name that source");
                draft.disagree(MANIFEST, message, at(*manifest, *line));
            }
        }
        for pod in &podfile.pods {
            let found = by_name.get(pod.name).map(Vec::as_slice).unwrap_or_default();
            let span = at(*manifest, pod.line);
            if found.is_empty() && podfile.computes.is_none() && pod.is_certain {
                draft.disagree(pod.name, "asks for a pod that the lockfile does not hold", span);
            }
            for package in found {
                draft.need(root, *package, Scope::Runtime, Some(span));
                compare(draft, folder, *package, pod, span);
                if !pod.has_options && podfile.computes.is_none() {
                    check(draft, *package, &pod.requirement.join(","), span);
                }
            }
        }
    } else if asked.is_none() {
        for (name, packages) in &by_name {
            for package in packages.iter().filter(|_| !needed.contains(name)) {
                draft.need(root, *package, Scope::Runtime, None);
            }
        }
    }
    Ok(())
}

/// An address in lower case, without the credentials in it and without what may end it either way.
fn spelt(address: &str) -> String {
    let address = address.trim_end_matches('/').to_ascii_lowercase();
    let address = address.strip_suffix(".git").unwrap_or(&address);
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    let start = rest.get(..host).and_then(|host| host.rfind('@')).map_or(0, |at| at + 1);
    format!("{scheme}://{}", rest.get(start..).unwrap_or_default())
}

/// Says where a pod is asked for from elsewhere than where the lockfile has it from: CocoaPods goes there.
fn compare(draft: &mut Draft, folder: &RepoPath, package: u32, pod: &Pod<'_>, span: Span) {
    let (Some((key, address)), Some(package)) = (pod.place, draft.packages().get(package as usize)) else { return };
    let locked = &package.source;
    // Many lines may ask for one pod: what nobody writes is not compared.
    let is_long = locked.address.len() > MAX_ADDRESS;
    let is_same = |wanted: &str| spelt(&locked.address) == spelt(wanted);
    let is_right = match (key, locked.kind) {
        _ if is_long => false,
        ("", _) => true,
        ("git", SourceKind::Git) if address.is_empty() => !locked.address.contains(' '),
        ("podspec", SourceKind::Registry | SourceKind::Path) | ("path", SourceKind::Path) if address.is_empty() => true,
        ("podspec" | "http", SourceKind::Registry) | ("git", SourceKind::Git) => is_same(address),
        ("path" | "podspec", SourceKind::Path) => match (folder.join(address), folder.join(&locked.address)) {
            (None, None) => is_same(address),
            (wanted, locked) => wanted == locked,
        },
        ("source", SourceKind::Public) => PUBLIC.contains(&&*spelt(address)),
        ("source", SourceKind::Registry) => locked.address.split(' ').any(|each| spelt(each) == spelt(address)),
        ("svn" | "hg", SourceKind::Git) => is_same(&format!("{key} {address}")),
        _ => false,
    };
    if !is_right {
        let (wanted, locked) = (spelt(address), if is_long { String::from("…") } else { spelt(&locked.address) });
        let locked = if locked.is_empty() { "the public repository" } else { &locked };
        let message = format!("asks for it from {key} {wanted:.200}, and the lockfile has it from {locked:.200}");
        let name = package.name.to_string();
        draft.disagree(&name, message, span);
    }
}

/// Says where a locked version is outside of what is required.
fn check(draft: &mut Draft, package: u32, requirement: &str, span: Span) {
    let Some(package) = draft.packages().get(package as usize) else { return };
    if !requirement.is_empty() && satisfies(&package.version, requirement) == Some(false) {
        let message = format!("asks for {requirement:.80}, and the lockfile holds {:.80}", package.version);
        let name = package.name.to_string();
        draft.disagree(&name, message, span);
    }
}

/// What a manifest asks for where there is no lockfile.
fn unlocked(draft: &mut Draft, root: usize, podfile: &Podfile<'_>, input: u32) {
    let all: Vec<&str> = podfile.sources.iter().map(|(address, _)| *address).collect();
    let is_public = all.iter().all(|address| PUBLIC.contains(&&*spelt(address)));
    // Of several, any may answer.
    let usual = if is_public { Source::public() } else { Source::registry(&all.join(" ")) };
    for pod in &podfile.pods {
        let version = match pod.requirement.as_slice() {
            [] => "*".to_owned(),
            [one] => match one.strip_prefix('=').unwrap_or(one).trim() {
                exact if exact.starts_with(|c: char| c.is_ascii_digit()) => format!("={exact}"),
                _ => (*one).to_owned(),
            },
            all => all.join(", "),
        };
        let mut package = Package::new(Ecosystem::CocoaPods, pod.name, &version, at(input, pod.line));
        package.is_locked = false;
        (package.source, package.identity) = match pod.place {
            None => (usual.clone(), Identity::Public),
            Some(("source", address)) if PUBLIC.contains(&&*spelt(address)) => (Source::public(), Identity::Public),
            Some(("source", address)) => (Source::registry(address), Identity::Public),
            Some(("path", folder)) => (Source::path(folder), Identity::Foreign),
            Some(("podspec" | "http", address)) if address.contains("://") => {
                (Source::registry(address), Identity::Foreign)
            }
            Some(("podspec", folder)) => (Source::path(folder), Identity::Foreign),
            Some(("git", address)) => (Source::git(address, None), Identity::Foreign),
            Some(("", _)) => (usual.clone(), Identity::Foreign),
            Some((key, address)) => (Source::git(&format!("{key} {address}"), None), Identity::Foreign),
        };
        let package = draft.package(package);
        draft.need(root, package, Scope::Runtime, Some(at(input, pod.line)));
    }
    if let Some(line) = podfile.computes {
        let message = "computes what it asks for, and no lockfile says what that is";
        draft.disagree(MANIFEST, message, at(input, line));
    }
}
