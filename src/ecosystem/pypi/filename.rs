//! What the file names of a release say: `name-version-…-tag.whl` (PEP 427) and `name-version.tar.gz` (PEP 625).
//!
//! Only names of these shapes speak. Old forms (eggs, installers, archives of a forge) say nothing, so that no honest
//! address is taken for a lie.

use super::normalise;
use super::version::Version;

/// Endings of source distributions, of PEP 625 and from before it.
const ARCHIVES: &[&str] = &[".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar.Z", ".tar"];

/// Places to cut a file name that are tried.
const MAX_CUTS: usize = 64;

/// Longest name of a file that is cut, in bytes.
const MAX_NAME: usize = 1_024;

/// Characters of a name that are repeated.
const MAX_SHOWN: usize = 200;

/// What a lock entry's file names instead of the entry's own name and version; `None` where it names the same, or is
/// not of a shape that names anything. `name` is normalised; an empty `version` fits every version.
pub(super) fn contradiction(file: &str, name: &str, version: &str) -> Option<Box<str>> {
    let file = base_name(file);
    if file.len() > MAX_NAME {
        // No file system holds such a name, and looking for places to cut it would take long.
        return Some(file.chars().take(MAX_SHOWN).collect::<String>().into());
    }
    match file.strip_suffix(".whl") {
        Some(stem) => wheel(stem, name, version),
        None => sdist(stem_of_archive(&file)?, name, version),
    }
}

/// The last part of an address or path, with escapes undone and without query and fragment.
pub(super) fn base_name(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let last = address.rsplit(['/', '\\']).next().unwrap_or_default();
    // An escape that is none stays as it is; no slash can come out of one, for file names hold none.
    let mut out = Vec::with_capacity(last.len());
    let mut bytes = last.bytes();
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| last.to_owned())
}

fn stem_of_archive(file: &str) -> Option<&str> {
    ARCHIVES.iter().find_map(|ending| file.strip_suffix(ending))
}

/// PEP 427: five parts, or six with a build tag; `-` stands between parts and within none.
fn wheel(stem: &str, name: &str, version: &str) -> Option<Box<str>> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (Some(of_name), Some(of_version), 5 | 6) = (parts.first(), parts.get(1), parts.len()) else {
        return None;
    };
    let is_same = normalise(of_name) == name && (version.is_empty() || same_version(of_version, version));
    (!is_same).then(|| label(of_name, of_version))
}

/// PEP 625 has one `-`; before it names and versions held more, so every place to cut is tried.
fn sdist(stem: &str, name: &str, version: &str) -> Option<Box<str>> {
    let mut shape = None;
    for (at, _) in stem.match_indices('-').take(MAX_CUTS) {
        let (Some(of_name), Some(of_version)) = (stem.get(..at), stem.get(at + 1..)) else { continue };
        if normalise(of_name) == name && (version.is_empty() || same_version(of_version, version)) {
            return None;
        }
        // The first cut that leaves a version is the one that tools take.
        if shape.is_none() && Version::parse(of_version).is_some() {
            shape = Some(label(of_name, of_version));
        }
    }
    let last = || stem.rsplit_once('-').filter(|(_, of_version)| Version::parse(of_version).is_some());
    shape.or_else(|| last().map(|(of_name, of_version)| label(of_name, of_version)))
}

fn label(name: &str, version: &str) -> Box<str> {
    format!("{} {version}", normalise(name)).chars().take(MAX_SHOWN).collect::<String>().into()
}

/// Whether the version in a file name is the locked one. File names write `_` for `-`, and some for the `+` of a local
/// version.
fn same_version(of_file: &str, locked: &str) -> bool {
    if of_file.eq_ignore_ascii_case(locked) {
        return true;
    }
    match Version::parse(locked) {
        Some(locked) => {
            let readings = [of_file.to_owned(), of_file.replacen('_', "+", 1), of_file.replace('_', "-")];
            readings.iter().filter_map(|text| Version::parse(text)).any(|version| version == locked)
        }
        None => of_file.replace('_', "-").eq_ignore_ascii_case(&locked.replace('_', "-")),
    }
}

/// Whether a name or address is that of a wheel.
pub(super) fn is_wheel(file: &str) -> bool {
    base_name(file).ends_with(".whl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_of_the_same_release_contradict_nothing() {
        for (file, name, version) in [
            (
                "https://files.registry.example/a/b/typing_extensions-4.15.0-py3-none-any.whl",
                "typing-extensions",
                "4.15.0",
            ),
            ("backports.tarfile-1.2.0-py3-none-any.whl", "backports-tarfile", "1.2.0"),
            ("Foo_Bar-1.0-2_local-cp39-abi3-linux_x86_64.whl", "foo-bar", "1.0"),
            ("torch-2.0.0%2Bcu118-cp310-cp310-linux_x86_64.whl", "torch", "2.0.0+cu118"),
            ("torch-2.0.0+cu.118-cp310-cp310-linux_x86_64.whl#sha256=00", "torch", "2.0.0+cu.118"),
            ("torch-2.0.0_cu118-cp310-cp310-linux_x86_64.whl", "torch", "2.0.0+cu118"),
            ("certifi-2022.06.15.tar.gz", "certifi", "2022.6.15"),
            ("ruamel.yaml-0.18.tar.gz", "ruamel-yaml", "0.18.0"),
            ("my-long-name-1.0-1.tar.gz", "my-long-name", "1.0.post1"),
            ("x-1-2-3.0.zip", "x-1-2", "3.0"),
            ("pytz-2004d.tar.gz", "pytz", "2004d"),
            // Shapes that say nothing.
            ("https://forge.example/a/b/archive/main.zip", "b", "1.0"),
            ("https://forge.example/a/b/archive/v1.2.zip", "b", "1.0"),
            ("thing-1.0-py2.7.egg", "other", "1.0"),
            ("thing.whl", "other", "1.0"),
            ("", "other", "1.0"),
            ("master-branch.tar.gz", "other", "1.0"),
        ] {
            assert_eq!(contradiction(file, name, version), None, "{file}");
        }
    }

    #[test]
    fn names_of_files_of_other_releases_are_told() {
        for (file, name, version, expected) in [
            ("https://registry.example/x/requets-2.0-py3-none-any.whl", "requests", "2.0", "requets 2.0"),
            ("requests-2.0.1-py3-none-any.whl", "requests", "2.0", "requests 2.0.1"),
            ("requests-2.0.1.tar.gz?a=b/requests-2.0.tar.gz", "requests", "2.0", "requests 2.0.1"),
            ("Evil.Name-3.0.tar.gz", "requests", "3.0", "evil-name 3.0"),
            ("a-b-3.0.zip", "a", "3.0", "a-b 3.0"),
            ("torch-2.0.0-cp310-cp310-linux_x86_64.whl", "torch", "2.0.0+cu118", "torch 2.0.0"),
            ("other-1.0.tar.gz", "requests", "", "other 1.0"),
        ] {
            assert_eq!(contradiction(file, name, version).as_deref(), Some(expected), "{file}");
        }
        let long = format!("{}-1.0.tar.gz", "a-".repeat(1_000_000));
        assert_eq!(contradiction(&long, "requests", "1.0").unwrap().len(), MAX_SHOWN);
        assert_eq!(base_name("a/%2e%2E%zz%4"), "..%zz%4");
    }
}
