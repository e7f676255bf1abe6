//! Module paths, as the Go Modules Reference has them ("Module paths and versions").

use super::version::Version;

/// Names that no file on Windows may have, in lower case. A module path may not either.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The host whose paths carry their major version as `.v3`, and always carry one.
const DOTTED: &str = "gopkg.in/";

/// Whether a text is a module path. The first part may lack its dot: then no host serves the module, and only a
/// replacement or a workspace can provide it. So the names that advisories give the standard library pass as well.
pub(super) fn is_module(path: &str) -> bool {
    let is_first = |part: &str| {
        !part.starts_with('-')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
    };
    let first = path.split('/').next().unwrap_or_default();
    // Without a dot it is no host: capitals and underscores are nothing but a name.
    let is_host = first.contains('.');
    path.split('/').all(is_part) && (!is_host || is_first(first)) && !path.starts_with('-') && major(path).is_some()
}

fn is_part(part: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let stem = part.split('.').next().unwrap_or_default();
    // `name~1` is how Windows shortens a name.
    let is_short =
        stem.rsplit_once('~').is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()));
    !part.is_empty()
        && part.bytes().all(is_plain)
        && !part.starts_with('.')
        && !part.ends_with('.')
        && !is_short
        && !DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem))
}

/// The digits of the major version that a path names, empty where it names none; `None` where it names one that no
/// path may: `/v0`, `/v1`, `/v02`, `/v2.1`, or none at all where every path has one.
pub(super) fn major(path: &str) -> Option<&str> {
    let is_plain = |digits: &str| !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    if path.starts_with(DOTTED) {
        let path = path.strip_suffix("-unstable").unwrap_or(path);
        let digits = trailing(path, |b| b.is_ascii_digit());
        let before = path.strip_suffix(digits).unwrap_or(path);
        return (before.ends_with(".v") && is_plain(digits)).then_some(digits);
    }
    let tail = trailing(path, |b| b.is_ascii_digit() || b == b'.');
    let before = path.strip_suffix(tail).unwrap_or(path);
    if tail.is_empty() || !before.ends_with("/v") {
        return Some("");
    }
    (!tail.contains('.') && !tail.starts_with('0') && tail != "1").then_some(tail)
}

/// The bytes at the end of an ASCII text for which a test holds.
fn trailing(text: &str, holds: impl Fn(u8) -> bool) -> &str {
    let count = text.bytes().rev().take_while(|byte| holds(*byte)).count();
    text.get(text.len() - count..).unwrap_or_default()
}

/// Whether a module of that path can have that version. Without a major version in the path it is 0 or 1, or marked as
/// older than modules are.
pub(super) fn fits(path: &str, version: &str) -> bool {
    let (Some(major), Some(parsed)) = (major(path), Version::parse(version)) else {
        return true;
    };
    let [first, ..] = parsed.numbers;
    match major {
        "" => matches!(first, "0" | "1") || parsed.build == "incompatible",
        "1" if version.starts_with("v0.0.0-") => true,
        _ => first == major,
    }
}

/// Whether a version is written as the go command writes it, so that it names one version and asks no question.
pub(super) fn is_canonical(version: &str) -> bool {
    let has_prefix = version.starts_with('v');
    has_prefix
        && Version::parse(version).is_some_and(|parsed| {
            let dots = version.split(['-', '+']).next().unwrap_or_default().bytes().filter(|b| *b == b'.').count();
            parsed.written == 3 && dots == 2 && matches!(parsed.build, "" | "incompatible")
        })
}
