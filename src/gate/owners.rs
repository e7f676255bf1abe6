//! Who may approve: the reviewers that the governing revision's settings name, or else the owners that its CODEOWNERS
//! file names for the gate's folder.
//!
//! CODEOWNERS is read as GitHub documents it ("About code owners"): a line is a pattern and owners, `#` begins a
//! comment, the last pattern that matches decides even where it names nobody, and a line that GitHub does not
//! understand (`!`, `[…]`, an owner that is none) is skipped. Patterns are those of `.gitignore` otherwise: with a slash
//! before the end they start at the root, without one they match at any depth; `*` and `?` stop at a slash, `**` does
//! not; what matches a folder matches all below it, except that `folder/*` does not go deeper. Case counts.
//!
//! A pattern is matched in one pass over the path with the set of places in the pattern that are reached so far: no
//! pattern takes more than its length times the path's.

use crate::model::review::{Owner, Reviewers};

/// The file that the question is asked for.
const ASKED: &str = ".portcullis/ledger.toml";

/// Where CODEOWNERS may lie; the first that is there counts (GitHub, "About code owners").
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// Largest CODEOWNERS, in bytes: GitHub does not load a larger one.
pub const LARGEST: usize = 3 << 20;

/// Longest line that is read, in bytes.
const LONGEST_LINE: usize = 16 << 10;

/// Everybody who may approve: from the settings' `reviewers`; where these name nobody, from CODEOWNERS (its path and
/// text).
#[must_use]
pub fn reviewers(configured: &[String], codeowners: Option<(&str, &str)>) -> Reviewers {
    if configured.is_empty() {
        return codeowners.map_or_else(Reviewers::default, |(path, text)| of_codeowners(path, text));
    }
    let mut reviewers = Reviewers::default();
    for text in configured {
        add(&mut reviewers, text, ".portcullis/config.toml");
    }
    reviewers
}

fn of_codeowners(path: &str, text: &str) -> Reviewers {
    if text.len() > LARGEST {
        let remark = format!("{path} is larger than 3 MiB: GitHub does not read it, and nobody is an owner");
        return Reviewers { owners: Vec::new(), remarks: vec![remark] };
    }
    let mut reviewers = Reviewers::default();
    let (mut decisive, mut skipped) = (None, Vec::new());
    for (number, line) in (1_usize..).zip(text.lines()) {
        match read_line(line) {
            Line::Nothing => {}
            Line::Odd => skipped.push(number),
            Line::Rule(pattern, owners) => {
                if matches(&pattern, ASKED) {
                    decisive = Some((number, owners));
                }
            }
        }
    }
    if let Some((number, owners)) = decisive {
        for owner in owners {
            add(&mut reviewers, owner, &format!("{path}:{number}"));
        }
    }
    if let Some(first) = skipped.first() {
        let others = if skipped.len() > 1 { format!(" and {} more", skipped.len() - 1) } else { String::new() };
        reviewers.remarks.push(format!("{path}:{first}{others}: a line that GitHub does not understand is skipped"));
    }
    reviewers
}

fn add(reviewers: &mut Reviewers, text: &str, place: &str) {
    match Owner::parse(text) {
        Some(owner) if reviewers.owners.contains(&owner) => {}
        Some(owner) => reviewers.owners.push(owner),
        None if text.contains('@') && !text.starts_with('@') => reviewers.remarks.push(format!(
            "{place}: an owner named by e-mail cannot be told from others on the forge: write @login or @org/team"
        )),
        None => reviewers.remarks.push(format!("{place}: a reviewer is written @login or @org/team")),
    }
}

enum Line<'a> {
    Nothing,
    /// GitHub skips it.
    Odd,
    Rule(String, Vec<&'a str>),
}

fn read_line(line: &str) -> Line<'_> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Line::Nothing;
    }
    // "\#" at the start does not work either, says GitHub's documentation.
    if line.len() > LONGEST_LINE || line.starts_with('!') || line.starts_with("\\#") {
        return Line::Odd;
    }
    let mut pattern = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            // A space in a path is escaped.
            '\\' => pattern.push(rest.next().unwrap_or('\\')),
            ' ' | '\t' => break,
            '[' | ']' => return Line::Odd,
            c => pattern.push(c),
        }
    }
    let words = rest.as_str().split_ascii_whitespace();
    let owners: Vec<_> = words.take_while(|word| !word.starts_with('#')).collect();
    let is_owner = |owner: &&str| Owner::parse(owner).is_some() || is_email(owner);
    if owners.iter().all(is_owner) { Line::Rule(pattern, owners) } else { Line::Odd }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// A part of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    One(char),
    /// `?`: anything but a slash.
    Any,
    /// `*`: any number of them.
    Some,
    /// `**`: any number of anything.
    All,
    /// `**/` where nothing of it is read: it may be empty.
    Folders,
    /// The rest of it: always behind [`Part::Folders`], ends with a slash.
    Inside,
}

/// Whether a pattern matches a path.
fn matches(pattern: &str, path: &str) -> bool {
    let is_shallow = pattern.ends_with("/*") && !pattern.ends_with("**/*");
    let anchored = pattern.strip_prefix('/');
    let body = anchored.unwrap_or(pattern);
    let (body, is_folder) = body.strip_suffix('/').map_or((body, false), |body| (body, true));
    if body.is_empty() {
        return false;
    }
    let mut parts = Vec::new();
    if anchored.is_none() && !body.contains('/') {
        parts.extend([Part::Folders, Part::Inside]);
    }
    let mut rest = body;
    let mut is_at_name = true;
    while let Some(c) = rest.chars().next() {
        // Two asterisks are more than one only where they stand for whole names (gitignore(5)).
        let length = if is_at_name && rest.starts_with("**/") {
            parts.extend([Part::Folders, Part::Inside]);
            3
        } else if is_at_name && rest == "**" {
            parts.push(Part::All);
            2
        } else {
            parts.push(match c {
                '*' => Part::Some,
                '?' => Part::Any,
                c => Part::One(c),
            });
            is_at_name = c == '/';
            c.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    reaches(&parts, path, is_folder, is_shallow)
}

/// Walks the path with the set of places in the pattern that are reached: `reached[n]` says that the first `n` parts
/// match what has been read.
fn reaches(parts: &[Part], path: &str, is_folder: bool, is_shallow: bool) -> bool {
    let mut reached = vec![false; parts.len() + 1];
    reach(&mut reached, 0);
    skip(parts, &mut reached);
    for c in path.chars() {
        // The whole pattern matched a folder: it holds for all below.
        if c == '/' && !is_shallow && reached.last() == Some(&true) {
            return true;
        }
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| reached.get(*at) == Some(&true)) {
            let ahead = match part {
                Part::One(own) => (*own == c).then_some(1),
                Part::Any => (c != '/').then_some(1),
                Part::Some => (c != '/').then_some(0),
                Part::All => Some(0),
                Part::Folders => Some(if c == '/' { 2 } else { 1 }),
                Part::Inside => Some(usize::from(c == '/')),
            };
            if let Some(ahead) = ahead {
                reach(&mut next, at + ahead);
            }
            if *part == Part::Inside {
                reach(&mut next, at);
            }
        }
        reached = next;
        skip(parts, &mut reached);
    }
    !is_folder && reached.last() == Some(&true)
}

fn reach(reached: &mut [bool], at: usize) {
    if let Some(place) = reached.get_mut(at) {
        *place = true;
    }
}

/// Adds what is reached without reading anything.
fn skip(parts: &[Part], reached: &mut [bool]) {
    for (at, part) in parts.iter().enumerate() {
        if reached.get(at) == Some(&true) {
            match part {
                Part::Some | Part::All => reach(reached, at + 1),
                Part::Folders => reach(reached, at + 2),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GitHub, "About code owners", the example file and "CODEOWNERS syntax"; and gitignore(5), "PATTERN FORMAT".
    #[test]
    fn patterns_match_as_github_documents_them() {
        let some = [
            ("*", "docs/a/b.md", true),
            ("*.js", "web/src/a.js", true),
            ("*.js", "a.jsx", false),
            ("/build/logs/", "build/logs/a/b.txt", true),
            ("/build/logs/", "x/build/logs/a.txt", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/troubleshooting.md", false),
            ("apps/", "x/apps/y/z", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/a", true),
            ("/docs/", "x/docs/a", false),
            ("**/logs", "build/logs/a", true),
            ("**/logs", "logs/a", true),
            ("**/logs", "mylogs/a", false),
            ("/apps/github", "apps/github/a", true),
            ("/apps/github", "apps/github2", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a/**", "a/x/y", true),
            ("abc/**", "abcd", false),
            ("ab**", "x/abc/d", true),
            ("/ab**/c", "abx/y/c", false),
            ("/ab**/c", "abx/c", true),
            (".portcullis", ".portcullis/ledger.toml", true),
            ("/.portcullis/", ".portcullis/ledger.toml", true),
            (".portcullis/*", ".portcullis/ledger.toml", true),
            ("ledger.toml", ".portcullis/ledger.toml", true),
            ("/ledger.toml", ".portcullis/ledger.toml", false),
            ("*.toml", ".portcullis/ledger.toml", true),
            ("/*.toml", ".portcullis/ledger.toml", false),
            ("/*/ledger.toml", ".portcullis/ledger.toml", true),
            (".portcullis/ledger.tom?", ".portcullis/ledger.toml", true),
            (".PORTCULLIS/", ".portcullis/ledger.toml", false),
            ("/", ".portcullis/ledger.toml", false),
        ];
        for (pattern, path, is) in some {
            assert_eq!(matches(pattern, path), is, "{pattern} on {path}");
        }
    }

    /// The same rules, written as a regular expression.
    fn expression(pattern: &str) -> regex::Regex {
        let body = pattern.strip_prefix('/').unwrap_or(pattern);
        let name = body.strip_suffix('/').unwrap_or(body);
        let is_anchored = pattern.starts_with('/') || name.contains('/');
        let mut text = String::from(if is_anchored { "^" } else { "^(?:.*/)?" });
        let names: Vec<_> = name.split('/').collect();
        for (at, name) in names.iter().enumerate() {
            let is_last = at + 1 == names.len();
            match (*name, is_last) {
                ("**", false) => text += "(?:.*/)?",
                ("**", true) => text += ".*",
                (name, _) => {
                    text += &regex::escape(name).replace("\\*", "[^/]*").replace("\\?", "[^/]");
                    text += if is_last { "" } else { "/" };
                }
            }
        }
        text += match () {
            () if body.ends_with('/') => "/.*$",
            () if pattern.ends_with("/*") && !pattern.ends_with("**/*") => "$",
            () => "(?:/.*)?$",
        };
        regex::Regex::new(&text).unwrap()
    }

    #[test]
    fn patterns_match_as_a_regular_expression_of_the_same_rules() {
        // A fixed walk of Knuth's linear congruential numbers (MMIX).
        let mut state = 5_u64;
        let mut draw = |letters: &[u8], most: u64| -> String {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 33
            };
            (0..=next() % most).map(|_| char::from(letters[(next() % letters.len() as u64) as usize])).collect()
        };
        for _ in 0..4_000 {
            let pattern = draw(b"ab/**?", 8);
            let path = draw(b"aab/", 7);
            let is_odd = |text: &str| text.contains("//") || text.trim_matches('/').is_empty();
            if is_odd(&pattern) || is_odd(&path) || path.starts_with('/') || path.ends_with('/') {
                continue;
            }
            assert_eq!(matches(&pattern, &path), expression(&pattern).is_match(&path), "{pattern} on {path}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = "*a".repeat(4_000) + "**/".repeat(1_000).as_str();
        assert!(!matches(&pattern, &"a".repeat(300)));
    }

    fn owners(text: &str) -> (Vec<String>, Vec<String>) {
        let reviewers = reviewers(&[], Some(("CODEOWNERS", text)));
        (reviewers.owners.iter().map(ToString::to_string).collect(), reviewers.remarks)
    }

    // Each line's meaning is from GitHub's page named above.
    #[test]
    fn the_last_match_decides_even_where_it_names_nobody() {
        assert_eq!(owners("* @all\n/.portcullis/ @octo-org/security @bob # both\n").0, ["@octo-org/security", "@bob"]);
        assert_eq!(owners("/.portcullis/ @security\n* @all\n").0, ["@all"]);
        assert_eq!(owners("* @all\n/.portcullis/\n").0, [""; 0]);
        assert_eq!(owners("# * @all\n\n").0, [""; 0]);
        assert_eq!(owners("/docs/ @all\n").0, [""; 0]);
        assert_eq!(owners("* @all\r\n").0, ["@all"]);
    }

    #[test]
    fn what_github_does_not_understand_is_skipped_and_said() {
        let (names, remarks) =
            owners("* @all\n!.portcullis/ @mallory\n.portcullis/[a-z]* @mallory\n.portcullis/ mallory\n");
        assert_eq!(names, ["@all"]);
        assert_eq!(remarks, ["CODEOWNERS:2 and 2 more: a line that GitHub does not understand is skipped"]);
        let (names, remarks) = owners("* docs@example.com @bob\n");
        assert_eq!(names, ["@bob"]);
        assert!(
            remarks.iter().any(|remark| remark.starts_with("CODEOWNERS:1: an owner named by e-mail")),
            "{remarks:?}"
        );
        let large = "* @all\n".repeat(500_000);
        assert_eq!(owners(&large).0, [""; 0]);
    }

    #[test]
    fn settings_come_before_codeowners() {
        let configured = ["@alice".to_owned(), "@o/t".to_owned(), "carol".to_owned(), "@alice".to_owned()];
        let reviewers = reviewers(&configured, Some(("CODEOWNERS", "* @mallory")));
        assert_eq!(reviewers.owners.iter().map(ToString::to_string).collect::<Vec<_>>(), ["@alice", "@o/t"]);
        assert_eq!(reviewers.remarks.len(), 1);
        assert_eq!(Owner::parse("@../x"), None);
        assert_eq!(Owner::parse("@a/b/c"), None);
    }
}
