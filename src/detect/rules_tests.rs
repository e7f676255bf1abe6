//! Every mistake of a `detectors.toml` is named with its line.

use super::*;
use crate::detect::validator::Validator;
use crate::model::line::{Language, Region};

fn good(more: &str) -> String {
    format!("[[detector]]\nid = \"a\"\ntitle = \"t\"\nabout = \"b\"\nwords = [\"abc\"]\npatterns = ['abc']\n{more}")
}

#[test]
fn a_detector_is_read_with_its_defaults() {
    let all = parse("pack", "detectors.toml", &good(""), true).unwrap();
    let detector = all.first().unwrap();
    assert_eq!(&*detector.id, "pack/a");
    assert_eq!((detector.lines, detector.within, detector.is_secret), (1, 3, false));
    assert_eq!(detector.regions[..], *Region::ALL);
    assert_eq!(parse("pack", "detectors.toml", "", true).unwrap(), []);
}

#[test]
fn all_keys_are_read() {
    let text = good(
        "cwe = [\"CWE-295\"]\nlanguages = [\"python\", \"go\"]\nfiles = [\"**/*.tf\"]\nallow = ['x']\nnear = ['y']\nwithin = 5\n\
         regions = [\"string\"]\nlines = 5\nvalidate = [\"entropy\", \"not-placeholder\"]\nmin-entropy = 3.5\nsecret = true\n",
    );
    let all = parse("p", "f", &text, true).unwrap();
    let detector = all.first().unwrap();
    assert_eq!(detector.languages[..], [Language::Python, Language::Go]);
    assert_eq!(detector.regions[..], [Region::Text]);
    assert_eq!(detector.validators[..], [Validator::Entropy, Validator::NotPlaceholder]);
    assert_eq!((detector.lines, detector.within, detector.min_entropy, detector.is_secret), (5, 5, Some(3.5), true));
}

/// The lines were counted by hand: what is appended to the good detector stands on line 7.
#[test]
fn mistakes_are_named_with_their_line() {
    for (text, line, says) in [
        (good("colour = 1\n"), 7, "unknown field"),
        (good("languages = [\"klingon\"]\n"), 7, "no language is called"),
        (good("regions = [\n\"code\",\n\"header\"]\n"), 9, "no region is called"),
        (good("regions = []\n"), 7, "no regions"),
        (good("validate = \"magic\"\n"), 7, "no validator is called"),
        (good("min-entropy = 3.0\n"), 7, "min-entropy is for"),
        (good("validate = \"entropy\"\nmin-entropy = 9.0\n"), 8, "0 to 8"),
        (good("validate = \"entropy\"\nmin-entropy = nan\n"), 8, "0 to 8"),
        (good("lines = 6\n"), 7, "lines is 1 to 5"),
        (good("lines = 0\n"), 7, "lines is 1 to 5"),
        (good("within = 21\n"), 7, "within is 0 to 20"),
        (good("cwe = [\"295\"]\n"), 7, "CWE-295"),
        (good("files = [\"\"]\n"), 7, "glob"),
        (good("allow = ['(']\n"), 7, "unclosed"),
        (good("allow = ['x*']\n"), 7, "matches nothing"),
        (good("near = ['\\Ax']\n"), 7, "^ and $"),
        (good("allow = ['\\p{Greek}']\n"), 7, "Unicode"),
        (good("allow = ['(a{1000}){1000}']\n"), 7, ""),
        (format!("{}{}", good(""), good("")), 8, "a second detector a"),
        (good("").replace("\"abc\"", "\"ab\""), 5, "shorter than 3"),
        (good("").replace("\"abc\"", "\"a\\nbc\""), 5, "one line"),
        (good("").replace("'abc'", ""), 6, "without patterns"),
        (good("").replace("'abc'", "'a', 'a??'"), 6, "matches nothing"),
        (good("").replace("words = [\"abc\"]\n", "").replace("'abc'", "'a*'"), 5, "no words"),
        (good("").replace("\"a\"", "\"A b\""), 2, "an id is"),
        (good("").replace("\"t\"", "\" \""), 3, "title"),
        (good("").replace("title = \"t\"\n", ""), 1, "title"),
        (good("").replace("'abc'", &format!("'{}'", "(".repeat(100))), 6, ""),
        (good("").replace("'abc'", &format!("'{}a{}'", "(".repeat(100), ")".repeat(100))), 6, "nest"),
        (good("").replace("'abc'", &format!("'{}'", "a".repeat(9000))), 6, "bytes"),
        ("[[detector]\n".to_owned(), 1, ""),
    ] {
        let broken = parse("p", "detectors.toml", &text, true).expect_err(&text);
        assert_eq!((broken.line, broken.file.as_str()), (line, "detectors.toml"), "{text}{broken}");
        assert!(broken.reason.contains(says), "{broken}");
    }
}

/// Half a million states in each of twelve patterns: each passes alone, together they are too much.
#[test]
fn patterns_are_weighed_together() {
    let one = "'[a-c]{9000}', ";
    assert!(parse("p", "f", &good(&format!("allow = [{one}]\n")), true).is_ok());
    let broken = parse("p", "f", &good(&format!("allow = [{}]\n", one.repeat(500))), true).unwrap_err();
    assert!(broken.reason.contains("together"), "{broken}");
}

#[test]
fn too_many_detectors_or_items_are_refused() {
    let many: String = (0..10_001)
        .map(|n| format!("[[detector]]\nid='a{n}'\ntitle='t'\nabout='b'\nwords=['abc']\npatterns=['abc']\n"))
        .collect();
    assert!(parse("p", "f", &many, false).unwrap_err().reason.contains("10000"));
    let words = vec!["'abc'"; 501].join(",");
    let text = good("").replace("\"abc\"", &words);
    assert!(parse("p", "f", &text, false).unwrap_err().reason.contains("500"));
}

#[test]
fn detectors_are_equal_where_they_say_the_same() {
    let read = |text: &str| parse("p", "f", text, false).unwrap();
    let (a, b) = (read(&good("")), read(&good("")));
    a.first().unwrap().patterns.get(0).unwrap();
    assert_eq!(a, b);
    assert_ne!(a, read(&good("allow = ['x']\n")));
}
