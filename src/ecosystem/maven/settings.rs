//! Wrappers, Maven's own configuration and Gradle's properties: what takes tools and packages from elsewhere.

use crate::ecosystem::syntax::toml::MAX_BYTES;
use crate::ecosystem::syntax::{text, xml};
use crate::ecosystem::{Redirect, fold};
use crate::model::RepoPath;
use crate::model::tree::Unread;
use xml::Element;

/// Where a file takes packages or code from.
pub(super) fn redirects(path: &RepoPath, bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let name = fold(path.file_name());
    let is_of_maven = path.parts().any(|part| fold(part) == ".mvn");
    let is_of_home = path.parts().any(|part| fold(part) == ".m2");
    let is_settings = name == "settings.xml" || is_of_home && name.ends_with(".xml");
    match &*name {
        "gradle-wrapper.properties" | "maven-wrapper.properties" => wrapper(text(bytes, MAX_BYTES)?),
        "gradle.properties" => properties_of_gradle(text(bytes, MAX_BYTES)?),
        "maven.config" | "jvm.config" if is_of_maven => Ok(arguments(text(bytes, MAX_BYTES)?)),
        "extensions.xml" if is_of_maven => Ok(extensions(&xml::read(bytes, MAX_BYTES)?)),
        _ if is_settings || is_of_maven && name.ends_with(".xml") => match xml::read(bytes, MAX_BYTES) {
            Ok(root) if root.name == "settings" => Ok(settings(&root)),
            // Others are configuration of extensions.
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        },
        _ => Ok(Vec::new()),
    }
}

/// Mirrors of Maven's one public repository.
pub(super) fn registries(path: &RepoPath, bytes: &[u8]) -> Vec<String> {
    if !fold(path.file_name()).ends_with(".xml") || fold(path.file_name()) == "extensions.xml" {
        return Vec::new();
    }
    let Ok(root) = xml::read(bytes, MAX_BYTES) else { return Vec::new() };
    if root.name != "settings" {
        return Vec::new();
    }
    let is_of_central = |mirror: &&Element| {
        let of = mirror.text_of("mirrorOf").unwrap_or_default();
        let mut parts = of.split(',').map(str::trim);
        let has = parts.clone().any(|part| matches!(part, "*" | "central" | "external:*" | "external:http:*"));
        has && parts.all(|part| part != "!central")
    };
    let mirrors = root.all("mirrors").flat_map(|list| list.all("mirror")).filter(is_of_central);
    mirrors.filter_map(|mirror| mirror.text_of("url")).map(str::to_owned).collect()
}

fn redirect(from: String, to: &str, line: u32, is_first: bool) -> Redirect {
    Redirect { from, to: to.to_owned(), line, is_first }
}

/// The addresses from which a wrapper takes the build tool and itself. The release in an address is no other place.
fn wrapper(text: &str) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for (key, value, line) in properties(text) {
        let from = match &*key {
            "distributionUrl" => "the build tool",
            "wrapperUrl" => "the wrapper's own code",
            _ => continue,
        };
        found.push(redirect(from.to_owned(), place(&value), line, false));
    }
    Ok(found)
}

/// An address without its file's name, and without folders that are named after a version.
fn place(address: &str) -> &str {
    let mut place = address;
    while let Some((folder, last)) = place.rsplit_once('/') {
        let is_version = last.starts_with(|c: char| c.is_ascii_digit());
        if folder.ends_with('/') || folder.ends_with(':') || (place != address && !is_version) {
            break;
        }
        place = folder;
    }
    place
}

/// Where Gradle's properties take Java or packages from.
fn properties_of_gradle(text: &str) -> Result<Vec<Redirect>, Unread> {
    let mut found = Vec::new();
    for (key, value, line) in properties(text) {
        let folded = fold(&key);
        if folded.starts_with("systemprop.") && (folded.ends_with("proxyhost") || folded.ends_with("url.override")) {
            found.push(redirect(format!("what {key} is asked for"), &value, line, true));
        } else if folded == "org.gradle.java.home" {
            found.push(redirect("the Java that builds".to_owned(), &value, line, true));
        } else if folded == "org.gradle.jvmargs" {
            found.extend(agents(&value, line));
        }
    }
    Ok(found)
}

/// Agents among the arguments of a Java machine: code that is loaded into it.
fn agents(arguments: &str, line: u32) -> Vec<Redirect> {
    let agents = arguments.split_whitespace().filter_map(|argument| {
        let options = ["-javaagent:", "-agentpath:", "-Xbootclasspath/a:", "-Dmaven.ext.class.path="];
        options.iter().find_map(|option| argument.strip_prefix(option))
    });
    agents.map(|agent| redirect("code that the build loads".to_owned(), agent, line, true)).collect()
}

/// Files and agents that `.mvn/maven.config` and `.mvn/jvm.config` name.
fn arguments(text: &str) -> Vec<Redirect> {
    let mut found = Vec::new();
    let mut waits = false;
    for (number, line) in text.lines().enumerate() {
        let number = number as u32 + 1;
        if line.trim_start().starts_with('#') {
            continue;
        }
        found.extend(agents(line, number));
        for word in line.split_whitespace() {
            let options = ["--settings", "--global-settings", "--toolchains", "--file", "-gs", "-gt", "-s", "-t", "-f"];
            if waits {
                found.push(redirect("its configuration".to_owned(), word, number, true));
                waits = false;
            } else if options.contains(&word) {
                waits = true;
            } else if let Some((option, value)) = word.split_once('=')
                && options.contains(&option)
            {
                found.push(redirect("its configuration".to_owned(), value, number, true));
            } else if let Some(value) = word.strip_prefix("-Dmaven.repo.local=") {
                found.push(redirect("every package that was fetched before".to_owned(), value, number, true));
            }
        }
    }
    found
}

/// Extensions of Maven itself: code that it loads before it reads any pom.
fn extensions(root: &Element) -> Vec<Redirect> {
    let extension = |element: &Element| {
        let part = |name: &str| element.text_of(name).unwrap_or_default().to_owned();
        let name = format!("{}:{}", part("groupId"), part("artifactId"));
        redirect("code that Maven loads".to_owned(), &name, element.line, true)
    };
    root.all("extension").map(extension).collect()
}

/// Mirrors, repositories and proxies of a `settings.xml`.
fn settings(root: &Element) -> Vec<Redirect> {
    let mut found = Vec::new();
    for mirror in root.all("mirrors").flat_map(|list| list.all("mirror")) {
        let of = mirror.text_of("mirrorOf").unwrap_or("*");
        let to = mirror.text_of("url").unwrap_or_default();
        found.push(redirect(format!("packages of the repository {of}"), to, mirror.line, true));
    }
    for profile in root.all("profiles").flat_map(|list| list.all("profile")) {
        for (list, item, what) in
            [("repositories", "repository", "packages"), ("pluginRepositories", "pluginRepository", "plugins")]
        {
            for repository in profile.all(list).flat_map(|list| list.all(item)) {
                let id = repository.text_of("id").unwrap_or_default();
                let to = repository.text_of("url").unwrap_or_default();
                found.push(redirect(format!("{what} of the repository {id}"), to, repository.line, true));
            }
        }
    }
    for proxy in root.all("proxies").flat_map(|list| list.all("proxy")) {
        let host = proxy.text_of("host").unwrap_or_default();
        found.push(redirect("every request".to_owned(), host, proxy.line, true));
    }
    if let Some(local) = root.child("localRepository") {
        found.push(redirect("every package that was fetched before".to_owned(), &local.text, local.line, true));
    }
    found
}

/// The properties of a file (java.util.Properties): key, value and line, with escapes resolved.
fn properties(text: &str) -> Vec<(String, String, u32)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, first)) = lines.next() {
        let first = first.trim_start();
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while logical.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_start()),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        found.push((unescape(key), unescape(value), number as u32 + 1));
    }
    found
}

/// Key and value, parted by the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let mut is_escaped = false;
    for (at, character) in line.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '=' | ':' | ' ' | '\t' => {
                let (key, rest) = line.split_at_checked(at).unwrap_or((line, ""));
                let rest = rest.trim_start();
                let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (key, rest.trim_start());
            }
            _ => {}
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('u') => {
                let hex: String = characters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
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
    fn another_release_of_the_build_tool_is_the_same_place() {
        let gradle = |url: &str| {
            let text = format!("#c\ndistributionBase=GRADLE_USER_HOME\ndistributionUrl={url}\n");
            of("gradle/wrapper/gradle-wrapper.properties", &text)
        };
        let first = gradle("https\\://files.registry.example/distributions/gradle-8.7-bin.zip");
        assert_eq!(first, [said("the build tool", "https://files.registry.example/distributions", 3, false)]);
        assert_eq!(first, gradle("https\\://files.registry.example/distributions/gradle-9.0-bin.zip"));
        assert_ne!(first, gradle("https\\://files.registry.example/mine/gradle-9.0-bin.zip"));
        assert_ne!(first, gradle("https\\://evil.example/distributions/gradle-8.7-bin.zip"));
        let maven = |version: &str| {
            let url = format!("https://registry.example/m2/tool/{version}/tool-{version}-bin.zip");
            of(".mvn/wrapper/maven-wrapper.properties", &format!("distributionUrl : \\\n  {url}\nwrapperUrl={url}"))
        };
        assert_eq!(
            maven("3.9.1"),
            [
                said("the build tool", "https://registry.example/m2/tool", 1, false),
                said("the wrapper's own code", "https://registry.example/m2/tool", 3, false),
            ]
        );
        assert_eq!(maven("3.9.1"), maven("4.0.0-rc-3"));
        assert_eq!(gradle("https://registry.example"), [said("the build tool", "https://registry.example", 3, false)]);
        assert_eq!(gradle("https://1.2.3.4/x.zip"), [said("the build tool", "https://1.2.3.4", 3, false)]);
    }

    #[test]
    fn what_maven_takes_from_elsewhere() {
        let text = "<settings>\n<mirrors><mirror><mirrorOf>*</mirrorOf>\n<url>https://registry.example/m</url></mirror>\
                    </mirrors>\n<profiles><profile><repositories><repository><id>r</id><url>https://registry.example/r\
                    </url></repository></repositories><pluginRepositories><pluginRepository><url>p</url>\
                    </pluginRepository></pluginRepositories></profile></profiles>\n<proxies><proxy><host>h</host>\
                    </proxy></proxies><localRepository>../m2</localRepository></settings>";
        assert_eq!(
            of(".mvn/settings.xml", text),
            [
                said("packages of the repository *", "https://registry.example/m", 2, true),
                said("packages of the repository r", "https://registry.example/r", 4, true),
                said("plugins of the repository ", "p", 4, true),
                said("every request", "h", 5, true),
                said("every package that was fetched before", "../m2", 5, true),
            ]
        );
        let mirrors = |text: &str| registries(&RepoPath::new(".mvn/settings.xml"), text.as_bytes());
        assert_eq!(mirrors(text), ["https://registry.example/m"]);
        assert!(mirrors(&text.replace(">*<", ">*,!central<")).is_empty());
        assert!(mirrors(&text.replace(">*<", ">mine<")).is_empty());
        let text = "<extensions>\n <extension><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
                    </extension></extensions>";
        assert_eq!(of(".mvn/extensions.xml", text), [said("code that Maven loads", "g:a", 2, true)]);
        assert_eq!(
            of(".mvn/maven.config", "-T4\n--settings=a.xml\n-gs\nb.xml\n# -s c\n-Drevision=1"),
            [said("its configuration", "a.xml", 2, true), said("its configuration", "b.xml", 4, true)]
        );
        assert_eq!(
            of(".mvn/jvm.config", "-Xmx1g -javaagent:x.jar"),
            [said("code that the build loads", "x.jar", 1, true)]
        );
        assert!(of(".mvn/other.xml", "<develocity/>").is_empty());
        for path in [".mvn/settings.xml", ".mvn/extensions.xml"] {
            assert!(redirects(&RepoPath::new(path), b"<settings>").is_err());
        }
    }

    #[test]
    fn settings_outside_of_maven_s_folder() {
        let text = "<settings><mirrors><mirror><mirrorOf>*</mirrorOf><url>https://registry.example/m</url></mirror>\
                    </mirrors></settings>";
        for path in ["settings.xml", "ci/settings.xml", ".m2/settings.xml", "a/.m2/settings-security.xml"] {
            let expected = [said("packages of the repository *", "https://registry.example/m", 1, true)];
            assert_eq!(of(path, text), expected, "{path}");
        }
        assert!(of("ci/settings.xml", "<component/>").is_empty());
    }

    #[test]
    fn what_gradle_takes_from_elsewhere() {
        let text = "org.gradle.caching=true\nsystemProp.https.proxyHost=h\norg.gradle.java.home=jdk\n\
                    org.gradle.jvmargs=-Xmx2g -javaagent:a.jar";
        assert_eq!(
            of("gradle.properties", text),
            [
                said("what systemProp.https.proxyHost is asked for", "h", 2, true),
                said("the Java that builds", "jdk", 3, true),
                said("code that the build loads", "a.jar", 4, true),
            ]
        );
        assert!(of("gradlew", "#!/bin/sh").is_empty());
    }
}
