//! Formulas say yes for everything that matches.

use super::*;
use crate::detect::weigh;

fn lines(formula: &Formula) -> String {
    let all = |parts: &[Formula], sign: &str| parts.iter().map(lines).collect::<Vec<String>>().join(sign);
    match formula {
        Formula::Anything => "any".to_owned(),
        Formula::Choice(literals) => {
            literals.iter().map(|literal| literal.escape_ascii().to_string()).collect::<Vec<String>>().join("|")
        }
        Formula::All(parts) => format!("({})", all(parts, " then ")),
        Formula::Some(parts) => format!("({})", all(parts, " or ")),
        Formula::Both(parts) => format!("({})", all(parts, " and ")),
    }
}

/// Read off the patterns by hand.
#[test]
fn every_match_has_what_its_formula_says() {
    for (pattern, expected) in [
        ("verify", "verify"),
        ("(?i)Verify\\s*=\\s*False", "(verify then false)"),
        ("a.*(?:foo|bars?)\\b", "bar\\x00|foo\\x00|bars\\x00"),
        ("(?:^|[^\\n\\w-])key\\s", "\\x00key\\x00"),
        ("[0-9]{3,}-[1-5]x", "(\\x01\\x01\\x01-\\x01x and \\x01\\x01\\x01)"),
        ("a\\b-b\\bé", "a-b\\xc3\\xa9"),
        ("(?:ab)+x", "(abx and ab)"),
        ("[a-z]+", "any"),
        ("(?:foo|.)x", "any"),
        ("x?y*abc", "abc"),
        ("(?:abc)?d", "any"),
        ("(?i)k(?-i)K", "kk"),
        ("(?:\\w*log|print)\\(.*(?:mail|phone)", "((log(|print( then mail|phone) and log|print)"),
    ] {
        let syntax = weigh::syntax(pattern, 40).unwrap();
        assert_eq!(lines(&Formula::of(&syntax)), expected, "{pattern}");
    }
    // Nothing before `\s`, which may be a line end, is lost.
    for (pattern, expected) in [("ab\\s+cd", "ab"), ("(?:ab\\s|cd)ef", "ab|cd"), ("\\nab", "any"), ("ab[^x]*cd", "ab")]
    {
        let syntax = weigh::syntax(pattern, 40).unwrap();
        assert_eq!(lines(&Formula::of_first_line(&syntax)), expected, "{pattern}");
    }
}

/// Kinds of patterns that detectors use.
const PATTERNS: &[&str] = &[
    "(?i)ab+c?",
    "a[bc]d",
    "(?:ab|cd)+e",
    "a.{0,3}b",
    "x?y*abc",
    "(?i)(?:key|k) *= *[a-c]",
    "\\bab\\b|^cd$",
    "[^a]b{2,3}c",
    "(?:a|b|)cd",
    "(?:[ab][cd]){1,2}e",
    "(?s)ab.cd",
    "(?:ab){0}cd",
    "(?:.*ab|cd)c.*(?:de|ab)",
    "(?:ab.|.cd)(?:ab|.e)+bc",
    "ab\\s+(?:cd|[ab]e)",
    "(?:ab|c.d)\\sa(?:bc|cd)*e",
];

proptest::proptest! {
    #[test]
    fn no_match_is_without_it(text in "[abcdekyABK =\n]{0,24}") {
        let window = Window::new(text.as_bytes());
        for pattern in PATTERNS {
            let syntax = weigh::syntax(pattern, 40).unwrap();
            let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).multi_line(true).crlf(true).build().unwrap();
            let Some(found) = regex.find(text.as_bytes()) else { continue };
            let formula = Formula::of(&syntax).bytes();
            proptest::prop_assert!(may_match(&formula, &window, &mut 0), "{}", pattern);
            let line = text.as_bytes().get(found.start()..).unwrap().split(|byte| *byte == b'\n').next().unwrap();
            let first = Formula::of_first_line(&syntax).bytes();
            proptest::prop_assert!(may_match(&first, &Window::new(line), &mut 0), "{} starts", pattern);
        }
    }
}
