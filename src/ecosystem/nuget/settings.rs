//! `nuget.config`, `global.json`, and MSBuild's files that every build takes in by their name alone.

use std::collections::HashMap;

use super::msbuild::attribute;
use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{json, malformed, text, xml};
use crate::ecosystem::{Redirect, fold};
use crate::model::RepoPath;
use crate::model::tree::Unread;
use xml::Element;

/// Properties that say where packages are taken from.
const SOURCES: [&str; 6] = [
    "restoresources",
    "restoreadditionalprojectsources",
    "restorefallbackfolders",
    "restoreadditionalprojectfallbackfolders",
    "restoreconfigfile",
    "restorepackagespath",
];

/// Where a file takes packages or code from.
pub(super) fn redirects(path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let name = fold(path.file_name());
    match &*name {
        "nuget.config" => Ok(config(&xml::read(bytes, MAX_BYTES)?)),
        "global.json" => global(bytes),
        _ if name.ends_with(".rsp") => Ok(arguments(text(bytes, MAX_BYTES)?)),
        _ => {
            let mut found = Vec::new();
            build(&xml::read(bytes, MAX_BYTES)?, &mut found);
            Ok(found)
        }
    }
}

/// The one source of a configuration that forgets all others.
pub(super) fn registries(path: &RepoPath, bytes: &[u8]) -> Vec<String> {
    if fold(path.file_name()) != "nuget.config" {
        return Vec::new();
    }
    let Ok(root) = xml::read(bytes, MAX_BYTES) else { return Vec::new() };
    let lists: Vec<&Element> = named(&root, "packageSources").collect();
    let clears = lists.iter().any(|list| named(list, "clear").next().is_some());
    let all: Vec<&str> =
        lists.iter().flat_map(|list| named(list, "add")).filter_map(|s| attribute(s, "value")).collect();
    match &*all {
        [one] if clears => vec![(*one).to_owned()],
        _ => Vec::new(),
    }
}

/// The addresses of the sources of a configuration of any name.
pub(super) fn sources(bytes: &[u8]) -> Result<Vec<String>, Unread> {
    let root = xml::read(bytes, MAX_BYTES)?;
    let adds = named(&root, "packageSources").flat_map(|list| named(list, "add"));
    Ok(adds.filter_map(|add| attribute(add, "value")).map(str::to_owned).collect())
}

fn redirect(from: String, to: &str, line: u32, is_first: bool) -> Redirect {
    Redirect { from, to: to.to_owned(), line, is_first }
}

/// Children of that name, in any case.
fn named<'e>(element: &'e Element, name: &'e str) -> impl Iterator<Item = &'e Element> {
    element.children.iter().filter(move |child| child.name.eq_ignore_ascii_case(name))
}

/// Sources, fallback folders, mappings and proxies. Every source is asked for every package, so one that is new is a
/// redirection already; a mapping only chooses among sources.
fn config(root: &Element) -> Vec<Redirect> {
    let mut found = Vec::new();
    let mut addresses: HashMap<&str, &str> = HashMap::new();
    for (list, what) in
        [("packageSources", "packages of the source"), ("fallbackPackageFolders", "packages of the folder")]
    {
        for add in named(root, list).flat_map(|list| named(list, "add")) {
            let (key, value) = (attribute(add, "key").unwrap_or_default(), attribute(add, "value").unwrap_or_default());
            found.push(redirect(format!("{what} {key}"), value, add.line, true));
            addresses.insert(key, value);
        }
    }
    for source in named(root, "packageSourceMapping").flat_map(|list| named(list, "packageSource")) {
        let key = attribute(source, "key").unwrap_or_default();
        let to = addresses.get(key).copied().unwrap_or(key);
        for package in named(source, "package") {
            let pattern = attribute(package, "pattern").unwrap_or_default();
            found.push(redirect(format!("packages of the name {pattern}"), to, package.line, false));
        }
    }
    for add in named(root, "config").flat_map(|list| named(list, "add")) {
        let (key, value) = (attribute(add, "key").unwrap_or_default(), attribute(add, "value").unwrap_or_default());
        let from = match &*key.to_ascii_lowercase() {
            "http_proxy" | "https_proxy" => "every request",
            "globalpackagesfolder" | "repositorypath" => "every package that was fetched before",
            _ => continue,
        };
        found.push(redirect(from.to_owned(), value, add.line, true));
    }
    found
}

/// Folders in which the toolchain is looked for.
fn global(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let text = without_comments(bytes)?;
    let document = json::read(text.as_bytes(), MAX_BYTES)?;
    let sdk = document.table()?.table("sdk");
    let Some(member) = sdk.and_then(|sdk| sdk.member("paths")) else { return Ok(Vec::new()) };
    let line = document.line(member);
    let paths = member.value.list().unwrap_or_default().iter().filter_map(json::Value::text);
    Ok(paths.map(|path| redirect("the toolchain".to_owned(), path, line, true)).collect())
}

/// Versions of project SDKs that `global.json` gives, by name in lower case.
pub(super) fn sdks(bytes: &[u8]) -> Result<HashMap<String, String>, Unread> {
    let text = without_comments(bytes)?;
    let document = json::read(text.as_bytes(), MAX_BYTES)?;
    let mut found = HashMap::new();
    for sdk in document.table()?.table("msbuild-sdks").into_iter().flat_map(json::Table::members) {
        let Some(version) = sdk.value.text() else {
            return Err(malformed(document.line(sdk), "a version that is no text"));
        };
        found.insert(sdk.key.to_lowercase(), version.to_owned());
    }
    Ok(found)
}

/// Properties, anywhere in a file, that say where packages come from.
fn build(element: &Element, found: &mut Vec<Redirect>) {
    for child in &element.children {
        if element.name == "PropertyGroup" && SOURCES.contains(&&*child.name.to_ascii_lowercase()) {
            found.push(redirect(format!("packages by {}", child.name), &child.text, child.line, true));
        }
        build(child, found);
    }
}

/// Properties of that kind among the arguments of the build, and loggers and response files: code and more arguments.
fn arguments(text: &str) -> Vec<Redirect> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let lower = line.to_ascii_lowercase();
        let Some((option, value)) = line.split_once(':') else {
            if let Some(file) = line.strip_prefix('@') {
                found.push(redirect("the build's arguments".to_owned(), file, number as u32 + 1, true));
            }
            continue;
        };
        let option = option.trim_start_matches(['-', '/']).to_ascii_lowercase();
        let from = match &*option {
            "logger" | "l" | "distributedlogger" | "dl" => "what the build loads".to_owned(),
            "p" | "property" | "restoreproperty" | "rp" if SOURCES.iter().any(|name| lower.contains(name)) => {
                "packages of the build".to_owned()
            }
            _ => continue,
        };
        found.push(redirect(from, value, number as u32 + 1, true));
    }
    found
}

/// JSON with its comments blanked: the toolchain reads `global.json` and `dotnet-tools.json` so.
pub(super) fn without_comments(bytes: &[u8]) -> Result<String, Unread> {
    let text = text(bytes, MAX_BYTES)?;
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_string = false;
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(_)) if is_string => {
                out.push(character);
                out.extend(characters.next());
            }
            ('"', _) => {
                is_string = !is_string;
                out.push(character);
            }
            ('/', Some('/')) if !is_string => while characters.next_if(|next| *next != '\n').is_some() {},
            ('/', Some('*')) if !is_string => {
                characters.next();
                let mut last = ' ';
                for next in characters.by_ref() {
                    if next == '\n' {
                        out.push('\n');
                    }
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
                out.push(' ');
            }
            _ => out.push(character),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<(String, String, u32, bool)> {
        let found = redirects(&RepoPath::new(path), text.as_bytes()).unwrap();
        found.into_iter().map(|r| (r.from, r.to, r.line, r.is_first)).collect()
    }

    fn said(from: &str, to: &str, line: u32, is_first: bool) -> (String, String, u32, bool) {
        (from.to_owned(), to.to_owned(), line, is_first)
    }

    #[test]
    fn sources_mappings_and_proxies_of_a_configuration() {
        let text = "<configuration>\n<packageSources><clear/>\n<add key=\"main\" value=\"https://registry.example/a\"/>\n\
                    </packageSources><packageSourceMapping><packageSource key=\"main\">\n<package pattern=\"*\"/>\
                    </packageSource></packageSourceMapping>\n<config><add key=\"http_proxy\" value=\"p\"/>\
                    <add key=\"x\" value=\"y\"/></config><fallbackPackageFolders><add key=\"f\" value=\"../f\"/>\
                    </fallbackPackageFolders></configuration>";
        assert_eq!(
            of("sub/NuGet.Config", text),
            [
                said("packages of the source main", "https://registry.example/a", 3, true),
                said("packages of the folder f", "../f", 6, true),
                said("packages of the name *", "https://registry.example/a", 5, false),
                said("every request", "p", 6, true),
            ]
        );
        let one = |text: &str| registries(&RepoPath::new("nuget.config"), text.as_bytes());
        assert_eq!(one(text), ["https://registry.example/a"]);
        assert!(one(&text.replace("<clear/>", "")).is_empty());
        assert!(one(&text.replace("<clear/>", "<clear/><add key=\"b\" value=\"b\"/>")).is_empty());
        assert!(redirects(&RepoPath::new("nuget.config"), b"<configuration>").is_err());
    }

    #[test]
    fn toolchains_and_build_files() {
        let text = "{ // why\n \"sdk\": { /* \"a\"\n */ \"paths\": [\".dotnet\"] }, \"msbuild-sdks\": { \"My.Sdk\": \"1.2//\" } }";
        assert_eq!(of("global.json", text), [said("the toolchain", ".dotnet", 3, true)]);
        assert_eq!(sdks(text.as_bytes()).unwrap(), HashMap::from([("my.sdk".to_owned(), "1.2//".to_owned())]));
        assert!(redirects(&RepoPath::new("global.json"), b"{ /* ").is_err());
        let text = "<Project>\n<PropertyGroup><RestoreSources>https://registry.example/b</RestoreSources><Version>1</Version>\
                    </PropertyGroup></Project>";
        let expected = [said("packages by RestoreSources", "https://registry.example/b", 2, true)];
        assert_eq!(of("Directory.Build.props", text), expected);
        assert_eq!(
            of("Directory.Build.rsp", "-m\n/p:RestoreSources=x\n-logger:L,evil.dll\n@more.rsp\n-p:A=b"),
            [
                said("packages of the build", "RestoreSources=x", 2, true),
                said("what the build loads", "L,evil.dll", 3, true),
                said("the build's arguments", "more.rsp", 4, true),
            ]
        );
    }
}
