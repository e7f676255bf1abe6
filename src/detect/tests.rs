//! What detectors find in little files, and what hostile ones do to them. Lines and regions were counted by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn detectors(text: &str) -> Detectors {
    Detectors::new(rules::parse("p", "detectors.toml", text, true).unwrap())
}

/// One detector from its id and the keys that matter.
fn one(id: &str, keys: &str) -> String {
    format!("[[detector]]\nid = '{id}'\ntitle = 't'\nabout = 'b'\n{keys}\n")
}

const EVERYTHING: [Range<u32>; 1] = [Range { start: 0, end: u32::MAX }];

fn scan_lines(detectors: &Detectors, path: &str, text: &[u8], lines: &[Range<u32>]) -> Result<Vec<Hit>, Failed> {
    let path = RepoPath::new(path);
    let (language, class) = (crate::language::of(&path, text), crate::language::class(&path));
    detectors.scan(&Side { path: &path, language, class, text, lines })
}

fn scan(detectors: &Detectors, path: &str, text: &str) -> Vec<Hit> {
    scan_lines(detectors, path, text.as_bytes(), &EVERYTHING).unwrap()
}

/// Lines, from 1, on which anything was found.
fn found(hits: &[Hit]) -> Vec<u32> {
    hits.iter().map(|hit| hit.line).collect()
}

#[test]
fn only_changed_lines_count() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']"));
    let text = b"bad\nbad\nfine\nbad\r\nbad";
    for (lines, expected) in [
        (&[(0, 5)][..], vec![1, 2, 4, 5]),
        (&[(1, 2)], vec![2]),
        (&[(4, 9), (3, 4), (3, 5)], vec![4, 5]),
        (&[(2, 3)], vec![]),
        (&[], vec![]),
        (&[(7, 9)], vec![]),
    ] {
        let lines: Vec<Range<u32>> = lines.iter().map(|(from, to)| *from..*to).collect();
        let hits = scan_lines(&detectors, "x.txt", text, &lines).unwrap();
        assert_eq!(found(&hits), expected, "{lines:?}");
    }
    assert_eq!(scan(&detectors, "x.txt", "").len(), 0);
}

#[test]
fn languages_and_files_are_asked_for() {
    let detectors = detectors(
        &(one("a", "words = ['bad']\npatterns = ['bad']\nlanguages = ['python']")
            + &one("b", "words = ['bad']\npatterns = ['bad']\nfiles = ['**/*.tf']")),
    );
    let ids = |path| scan(&detectors, path, "bad").iter().map(|hit| hit.detector.to_string()).collect::<Vec<_>>();
    assert_eq!(ids("x.py"), ["p/a"]);
    assert_eq!(ids("a/b/x.tf"), ["p/b"]);
    assert_eq!(ids("x.go"), [""; 0]);
}

#[test]
fn words_fold_case_and_patterns_do_not() {
    let detectors = detectors(&one("a", "words = ['InsecureSkip']\npatterns = ['InsecureSkipVerify: *true']"));
    assert_eq!(found(&scan(&detectors, "x.go", "insecureskipverify: true\nInsecureSkipVerify: true")), [2]);
}

#[test]
fn ends_of_lines_are_ends_with_either_terminator() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['^bad$']"));
    assert_eq!(found(&scan(&detectors, "x", "bad\nxbad\nbadx\nbad\r\nbad")), [1, 4, 5]);
}

#[test]
fn a_window_starts_on_its_first_line_and_touches_a_change() {
    let detectors = detectors(&one("a", "words = ['ecb']\nlines = 3\npatterns = ['Cipher\\(\\s*AES,\\s*MODE_ECB']"));
    let text = b"one\nCipher(\n  AES,\n  MODE_ECB)\nfive";
    for (lines, expected) in [(0..5, 1), (1..2, 1), (2..3, 1), (3..4, 1), (0..1, 0), (4..5, 0)] {
        let hits = scan_lines(&detectors, "x.py", text, std::slice::from_ref(&lines)).unwrap();
        assert_eq!(hits.len(), expected, "{lines:?}");
        assert!(hits.iter().all(|hit| (hit.line, hit.end_line) == (2, 4)));
    }
    let spread = "Cipher(\n\nAES,\nMODE_ECB)";
    assert_eq!(scan(&detectors, "x.py", spread).len(), 0);
}

/// Line ends of either kind within a match, and literals that hold them.
#[test]
fn a_match_may_hold_any_line_end() {
    for pattern in ["foo[ \\t\\r]\\nbar", "foo[ \\t\\r]\\s*bar", "foo\\r\\n+bar", "foo\\s+bar", "foo\\r?\\nbar"] {
        let detectors = detectors(&one("a", &format!("words = ['foo']\nlines = 2\npatterns = ['{pattern}']")));
        assert_eq!(found(&scan(&detectors, "x.txt", "foo\r\nbar")), [1], "{pattern}");
    }
    let pattern = "q\\s+(?:mmmmm|zqjz abcd\\nthe).*abcd";
    let detectors = detectors(&one("a", &format!("words = ['abcd']\nlines = 2\npatterns = ['{pattern}']")));
    for text in ["q\nmmmmm zqjz abcd\nthe", "q\nmmmmm zqjz abcd\nthx"] {
        assert_eq!(found(&scan(&detectors, "x.txt", text)), [1], "{text}");
    }
}

/// An excuse is the call's own, however the call is laid out, and no comment's.
#[test]
fn an_excuse_belongs_to_the_call_that_it_stands_in() {
    let keys = "words = ['verify']\npatterns = ['verify=False']\nallow = ['localhost', 'x.*fine']";
    let detectors = detectors(&one("a", keys));
    for (text, expected) in [
        ("get('localhost', verify=False)", vec![]),
        ("get(u, verify=False), get('localhost')", vec![1]),
        ("get(u,\n  verify=False) or f('localhost')", vec![2]),
        ("g(x, fine, verify=False)", vec![]),
        ("x = verify=False  # fine", vec![1]),
    ] {
        assert_eq!(found(&scan(&detectors, "x.py", text)), expected, "{text}");
    }
}

/// Parts are put in as groups of their own, with the flags that hold there.
#[test]
fn parts_stand_for_what_they_name() {
    let file = |parts: &str, pattern: &str| {
        format!("[parts]\n{parts}\n") + &one("a", &format!("words = ['call']\npatterns = ['{pattern}']"))
    };
    let with = detectors(&file("name = 'one|two'\nboth = '(?&name)-(?&name)'", "call (?&both)$"));
    assert_eq!(found(&scan(&with, "x.txt", "call one-two\ncall one\ncall two-one\ncall one-")), [1, 3]);
    let folded = detectors(&file("name = 'one|two'", "(?i)call (?&name)"));
    assert_eq!(found(&scan(&folded, "x.txt", "CALL ONE\ncall six")), [1]);
    for (parts, pattern, reason) in [
        ("name = 'x'", "(?&other)", "no part is called \"other\""),
        ("name = '(?&name)'", "(?&name)", "more than 8 times"),
        ("'a b' = 'x'", "x", "a part is named"),
        ("name = 'x'", "(?&name", "without a name"),
    ] {
        let error = rules::parse("p", "detectors.toml", &file(parts, pattern), true).unwrap_err();
        assert!(error.reason.contains(reason), "{error}");
    }
    // Doubling eight times over is cut off before it is large.
    let mut bomb: String = (1..8).map(|n| format!("p{n} = '{}'\n", format!("(?&p{})", n - 1).repeat(40))).collect();
    bomb += "p0 = 'xxxxxxxxxx'";
    let error = rules::parse("p", "detectors.toml", &file(&bomb, "(?&p7)"), true).unwrap_err();
    assert!(error.reason.contains("more than 8192 bytes"), "{error}");
}

#[test]
fn detectors_without_words_see_every_line() {
    let detectors = detectors(&one("a", "patterns = ['(?u)[\\x{202a}-\\x{202e}]']"));
    let mut text = "fine\n".repeat(40_000);
    text.push_str("x\u{202e}y\n");
    text.push_str(&"fine\n".repeat(40_000));
    let hits = scan(&detectors, "x.py", &text);
    assert_eq!(found(&hits), [40_001]);
    assert_eq!(hits.first().unwrap().excerpt, "x\\u{202e}y");
}

#[test]
fn what_must_stand_nearby_does() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']\nnear = ['tls']\nwithin = 2"));
    for (text, expected) in [("tls\n\nbad", 1), ("bad\n\ntls", 1), ("bad tls", 1), ("tls\n\n\nbad", 0), ("bad", 0)] {
        assert_eq!(scan(&detectors, "x", text).len(), expected, "{text:?}");
    }
}

#[test]
fn regions_are_where_a_match_starts() {
    let only =
        |regions: &str| detectors(&one("a", &format!("words = ['bad']\npatterns = ['bad']\nregions = [{regions}]")));
    let text = "bad = 1  # so bad\nx = 'bad'\n# bad\n";
    assert_eq!(found(&scan(&only("'code'"), "x.py", text)), [1]);
    assert_eq!(found(&scan(&only("'string'"), "x.py", text)), [2]);
    assert_eq!(found(&scan(&only("'comment'"), "x.py", text)), [1, 3]);
    // One hit for each region of a line: a comment must not stand for the code beside it.
    let all = scan(&only("'code', 'comment', 'string'"), "x.py", text);
    let told: Vec<_> = all.iter().map(|hit| (hit.line, hit.region)).collect();
    assert_eq!(told, [(1, Region::Code), (1, Region::Comment), (2, Region::Text), (3, Region::Comment)]);
}

/// A pattern that reaches from a comment into the code behind it must not hide what the code says.
#[test]
fn a_decoy_in_a_comment_hides_nothing() {
    let detectors = detectors(&one("a", "words = ['verify']\npatterns = ['verify.*False']\nregions = ['code']"));
    for text in ["/* verify */ verify = False", "/* verify */ verify = False /* False */"] {
        assert_eq!(scan(&detectors, "x.c", text).len(), 1, "{text}");
    }
}

#[test]
fn a_change_cannot_excuse_itself_in_a_comment() {
    let detectors = detectors(&one("a", "words = ['verify']\npatterns = ['verify=False']\nallow = ['localhost']"));
    for (text, expected) in [
        ("get('localhost', verify=False)", 0),
        ("get(u, verify=False)  # localhost", 1),
        ("# get(localhost, verify=False)", 0),
        ("x = 'localhost'\nget(u, verify=False)", 1),
    ] {
        assert_eq!(scan(&detectors, "x.py", text).len(), expected, "{text}");
    }
}

const SECRET: &str = "words = ['password', 'token']\npatterns = ['''(?i)(?:password|token)\\s*=\\s*[\"'](?<secret>[^\"']{6,})[\"']''']\nsecret = true";

#[test]
fn secrets_are_masked_in_every_hit_of_their_line() {
    let detectors = detectors(&(one("s", SECRET) + &one("other", "words = ['connect']\npatterns = ['connect']")));
    let text = "connect(password='short77', token = 'long-enough-secret')";
    let hits = scan(&detectors, "x.py", text);
    let excerpts: Vec<&str> = hits.iter().map(|hit| hit.excerpt.as_str()).collect();
    assert_eq!(excerpts, ["connect(password='…', token = 'long…')"; 2]);
}

#[test]
fn a_key_tells_secrets_apart_and_no_indentation() {
    let detectors = detectors(&one("s", SECRET));
    let key = |text: &str| scan(&detectors, "x.py", text).first().unwrap().key.clone();
    let first = key("password = 'hunter2hunter2'");
    assert_eq!(first, key("\n\n    password = 'hunter2hunter2'\r\n"));
    assert_ne!(first, key("password = 'hunter3hunter3'"));
    assert_ne!(first, key("passwd.password = 'hunter2hunter2'"));
    assert_eq!(first.len(), 32);
}

#[test]
fn excerpts_are_short_and_visible() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']"));
    let excerpt = |text: &str| scan(&detectors, "x", text).first().unwrap().excerpt.clone();
    assert_eq!(excerpt("\t bad\tone \u{202e}\u{1b}[2J"), "bad one \\u{202e}\\u{1b}[2J");
    let early = excerpt(&format!("bad{}", "ä".repeat(500)));
    assert_eq!(early.chars().count(), 120);
    assert!(early.starts_with("bad") && early.ends_with('…'));
    let late = excerpt(&format!("{}bad{}", "ä".repeat(500), "ö".repeat(500)));
    assert_eq!(late.chars().count(), 120);
    assert!(late.starts_with("…ä") && late.contains("bad"), "{late}");
    let bytes = scan_lines(&detectors, "x", b"\xff\xfe bad \xc3", &EVERYTHING).unwrap();
    assert_eq!(bytes.first().unwrap().excerpt, "\u{fffd}\u{fffd} bad \u{fffd}");
}

#[test]
fn moves_are_no_additions() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']"));
    let before = scan(&detectors, "a.py", "bad one\nbad two\n");
    let after = scan(&detectors, "b.py", "if x:\n    bad two\n    bad one\n    bad one\n");
    assert_eq!(found(&cancel(after.clone(), &before)), [4]);
    // The same file first, wherever the other one stands.
    let both: Vec<Hit> =
        scan(&detectors, "0.py", "bad one").into_iter().chain(scan(&detectors, "a.py", "\nbad one")).collect();
    let left = cancel(both, &before);
    assert_eq!(left.iter().map(|hit| hit.path.as_str()).collect::<Vec<_>>(), ["0.py"]);
    // From a test to the source, from one language to another, from a comment to code: all additions.
    for (path, text) in [("src/a.py", "bad one"), ("tests/a.rb", "bad one")] {
        let test = scan(&detectors, "tests/test_a.py", "bad one");
        assert_eq!(cancel(scan(&detectors, path, text), &test).len(), 1, "{path}");
    }
    let comment = scan(&detectors, "a.py", "# bad");
    assert_eq!(cancel(scan(&detectors, "a.py", "bad"), &comment).len(), 1);
}

#[test]
fn hits_that_are_too_many_are_counted() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']"));
    let text = |n: u32| {
        (0..n).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "bad {n}");
            text
        })
    };
    let hits = scan(&detectors, "x", &text(250));
    assert_eq!(hits.len(), 101);
    let last = hits.last().unwrap();
    assert_eq!((last.more, last.line), (150, 101));
    assert_eq!(cancel(hits.clone(), &scan(&detectors, "y", &text(250))), []);
    // Counted once each, whatever the patterns and windows that find them.
    let twice = self::detectors(&one("a", "words = ['bad']\nlines = 3\npatterns = ['bad', 'ad']"));
    let many = scan(&twice, "x", &text(70_000));
    assert_eq!((many.len(), many.last().unwrap().more), (101, 69_900));
    // One of those that are only counted differs: the count stays.
    let other = text(250).replace("bad 200", "bad two hundred");
    assert_eq!(cancel(scan(&detectors, "y", &other), &hits).len(), 1);
}

#[test]
fn a_line_of_ten_megabytes_ends_soon_and_hides_nothing() {
    let detectors = detectors(
        &(one("s", SECRET)
            + &one("w", "patterns = ['(?u)\\x{202e}']")
            + &one("m", "words = ['ecb']\nlines = 5\npatterns = ['MODE\\s*_ECB']\nnear = ['aes']\nwithin = 20")),
    );
    let half = "aes ecb password = x; ".repeat(5 << 20 >> 4);
    let text = format!("{half}token = 'Kj8%ksm2Kj8%ksm2'\u{202e}MODE_ECB{half}");
    assert!(text.len() > 10 << 20);
    let start = Instant::now();
    let hits = scan(&detectors, "x.js", &text);
    let took = start.elapsed();
    let ids: BTreeSet<&str> = hits.iter().map(|hit| &*hit.detector).collect();
    assert_eq!(ids, BTreeSet::from(["p/m", "p/s", "p/w"]));
    assert!(hits.iter().all(|hit| hit.excerpt.contains("Kj8%…") && !hit.excerpt.contains("ksm2")), "{hits:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// Wherever a token stands in a long line, also across the borders of zones.
#[test]
fn zones_have_no_gaps() {
    let detectors = detectors(&one("a", "words = ['token-']\npatterns = ['token-[0-9]{8}']"));
    let zone = 32 << 10;
    for at in [0, zone - 14, zone - 13, zone - 7, zone - 1, zone, 2 * zone - 5, 3 * zone - 14, 3 * zone] {
        let mut text = "x".repeat(at);
        text.push_str("token-12345678");
        for tail in [0, 1, zone, 3 * zone] {
            let text = format!("one\n{text}{}\nthree", "y".repeat(tail));
            assert_eq!(found(&scan(&detectors, "x", &text)), [2], "{at} {tail}");
        }
    }
}

#[test]
fn work_beyond_the_budget_is_an_incomplete_answer() {
    // Every line has all words, and every pattern reads it in full.
    let many: String = (0..600).map(|n| one(&format!("a{n}"), "words = ['aaa']\npatterns = ['a[^z]*z']")).collect();
    let text = format!("{}\n", "a".repeat(1000)).repeat(1000);
    let failed = scan_lines(&detectors(&many), "x", text.as_bytes(), &EVERYTHING).unwrap_err();
    assert!(failed.reason.contains("too much work"), "{failed}");
    // Decoys that a validator refuses, without end.
    let decoys = detectors(&one("s", &format!("{SECRET}\nvalidate = 'not-placeholder'")));
    let failed = scan_lines(&decoys, "x", "token='changeme';".repeat(1500).as_bytes(), &EVERYTHING).unwrap_err();
    assert!(failed.reason.contains("line 1: too many places look like p/s"), "{failed}");
}

/// A run that has seen much uses other automata than one that has seen little: both find the same.
#[test]
fn much_text_is_judged_as_little_text_is() {
    let text = one("a", "words = ['abc', 'xyz']\npatterns = ['abc\\d', 'd?e+fg', '(?i)(?:xyz|zyx) *=', '[a-z]\\d{4}']")
        + &one("w", "patterns = ['\\d{6}']")
        + &one("m", "words = ['abc']\nlines = 3\npatterns = ['abc\\s+xyz', 'q{2}']");
    let sample = "abc1\nabc efg\nABC efg\nXyZ =\nxyz\nabc\n\nxyz\n123456\nabc qq a1234\n";
    let fresh = detectors(&text);
    let little = scan(&fresh, "x", sample);
    // By hand: 1 abc1; 2 and 3 efg after the word abc in either case; 4 XyZ =; 6 abc to xyz; 9 six digits; 10 a1234 and
    // qq, which the window of line 10 holds and none before it starts with.
    assert_eq!(found(&little), [1, 2, 3, 4, 6, 9, 10, 10]);
    let filler = "xyz or abc and nothing else on this line of words\n".repeat(40_000);
    assert_eq!(scan(&fresh, "x", &filler), []);
    assert_eq!(scan(&fresh, "x", sample), little);
}

proptest! {
    /// The oracle tries every pattern on every changed line, one after the other.
    #[test]
    fn prefilters_lose_nothing(
        lines in proptest::collection::vec("[abc \u{e9}'#]{0,12}", 0..30),
        from in 0_u32..30, len in 0_u32..30,
    ) {
        let text = lines.join("\n");
        let detectors = detectors(
            &(one("a", "words = ['abc']\npatterns = ['abc$', '^ *abc']") + &one("b", "patterns = ['(?u)c\u{e9}+a']")),
        );
        let patterns = [
            ("p/a", regex::Regex::new("abc$").unwrap()),
            ("p/a", regex::Regex::new("^ *abc").unwrap()),
            ("p/b", regex::Regex::new("c\u{e9}+a").unwrap()),
        ];
        let mut expected = BTreeSet::new();
        for (line, content) in (0_u32..).zip(text.split('\n')) {
            for (id, pattern) in &patterns {
                if (from..from + len).contains(&line) && pattern.is_match(content) {
                    expected.insert((line + 1, (*id).to_owned()));
                }
            }
        }
        let hits = scan_lines(&detectors, "x.txt", text.as_bytes(), std::slice::from_ref(&(from..from + len))).unwrap();
        let told: BTreeSet<_> = hits.iter().map(|hit| (hit.line, hit.detector.to_string())).collect();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..400), lines in proptest::collection::vec((0_u32..40, 0_u32..40), 0..4)) {
        let detectors = detectors(&(one("s", SECRET) + &one("x", "patterns = ['(?u)[^a]', 'a.b']\nlines = 3\nnear = ['b']\nallow = ['c']\nsecret = true")));
        let lines: Vec<_> = lines.into_iter().map(|(a, b)| a..b).collect();
        let hits = scan_lines(&detectors, "x.py", &text, &lines).unwrap();
        for hit in hits {
            prop_assert!(hit.excerpt.chars().count() <= 130 && !hit.excerpt.chars().any(crate::text::is_unsafe));
        }
    }
}

#[test]
fn examples_are_tried_and_named_with_their_line() {
    let detectors = detectors(&one("a", "words = ['bad']\npatterns = ['bad']\nlanguages = ['python']"));
    let text = "[[case]]\nname = 'x'\n[[lines]]\ndetector = 'a'\nfile = 'x.py'\ncatches = ['bad', 'good']\npasses = [\n'good',\n\
                {file = 'x.go', text = 'bad'},\n'bad']\n";
    let outcomes = cases::run(text, "cases/lines.toml", &detectors).unwrap();
    let told: Vec<_> = outcomes.iter().map(|o| (o.line, o.is_catch, o.is_as_expected())).collect();
    assert_eq!(told, [(6, true, true), (6, true, false), (8, false, true), (9, false, true), (10, false, false)]);
    for (text, line, says) in [
        ("[[lines]]\ndetector = 'b'\n", 2, "no detector is called b"),
        ("[[lines]]\ndetector = 'a'\ncatches = ['x']\n", 3, "has no file"),
        ("[[lines]]\ndetector = 'a'\nfile = 'x'\ncatch = ['x']\n", 4, "unknown field"),
        ("[[line]]\n", 1, "unknown field"),
    ] {
        let broken = cases::run(text, "c.toml", &detectors).unwrap_err();
        assert_eq!(broken.line, line, "{broken}");
        assert!(broken.reason.contains(says), "{broken}");
    }
}
