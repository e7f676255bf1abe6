//! Escaping, for every sink. Names, paths, versions, messages and addresses come from a repository that may be
//! hostile: its text must neither steer the sink nor look like something it is not.
//!
//! - Terminal: [`terminal`], and [`clipped`] where length is the attacker's too.
//! - A command that people copy into a shell: [`shell_word`].
//! - Markdown on GitHub: [`markdown_code`] for names and paths, [`markdown`] for sentences.
//! - A workflow command, which the runner of a build reads from the log: [`workflow_message`], [`workflow_property`].
//! - A message of SARIF, whose viewers make links: [`sarif`].
//! - JSON: serde_json quotes what JSON requires, and [`json`] what a terminal or a log would obey. The text stays data:
//!   a consumer gets the true name.

use unicode_width::UnicodeWidthChar;

pub use crate::text::is_unsafe;

/// Marks that may stand on one base character. More of them climb over the neighbouring lines.
const MARKS: usize = 2;

/// Text for a terminal, on one line: unsafe characters become visible, `\n` and `\u{202e}`. Escaping twice changes
/// nothing, so a layout may escape all it prints.
///
/// A terminal may be the log of a build, where a runner obeys lines: `::name::` at the start of a line, blanks aside,
/// and `##[name]` or `##vso[name]` anywhere in it. So two colons are escaped unless they follow a letter or digit, as
/// in `a::b`, and so is the second of two number signs. A layout that cuts words must not begin a line with a colon.
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // A text that begins with a mark would put it on whatever is printed before.
    let mut marks = MARKS;
    let (mut before, mut colons, mut is_path) = (' ', 0, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_mark = c.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        if c == ':' && before != ':' {
            (colons, is_path) = (0, before.is_alphanumeric() || before == '_');
        }
        let is_command = match c {
            ':' => {
                colons += 1;
                colons > 2 || (!is_path && (colons == 2 || chars.peek() == Some(&':')))
            }
            '#' => before == '#',
            _ => false,
        };
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_unsafe(c) || is_command || (is_mark && marks > MARKS) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
        // What was printed counts, not what it stands for; of an escaped colon or number sign, that it was one.
        before = if is_command { c } else { out.chars().next_back().unwrap_or(c) };
    }
    out
}

/// As [`terminal`], and of a text of more than `max` characters only the beginning and how many were left out.
#[must_use]
pub fn clipped(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => terminal(text),
        Some((at, _)) => {
            let (head, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            format!("{}… (+{})", terminal(head), rest.chars().count())
        }
    }
}

/// Text as one word of a POSIX shell command that is shown on a terminal, to be copied and run: a name must not
/// become a command of its own.
#[must_use]
pub fn shell_word(text: &str) -> String {
    crate::text::shell_word(&terminal(text))
}

/// JSON text with the same meaning and nothing in it that steers the terminal or the log it may be printed to.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        // Between strings JSON has none of these but the line feed, and within them that one is escaped already.
        if (is_unsafe(c) && c != '\n') || (c == '#' && before == '#') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// Backticks in a row that a code span may hold. GitHub's parser reads no fence of more than 80 (`MAXBACKTICKS` in
/// cmark-gfm), so a longer run of them would lay the span open.
const TICKS: usize = 8;

/// A name, a path or any other text for Markdown, as a code span of at most `max` characters: nothing is obeyed in one,
/// neither by a parser (CommonMark 6.1) nor by what GitHub does afterwards, which leaves out code when it looks for
/// mentions, references, addresses, emoji and formulas. Steering and hidden characters become visible as in
/// [`terminal`], line breaks among them, so that no text leaves its line.
#[must_use]
pub fn markdown_code(text: &str, max: usize) -> String {
    let shown = clip(text, max, calm);
    if shown.is_empty() { "(empty)".to_owned() } else { code_span(&shown) }
}

/// A sentence for Markdown, of at most `max` characters: words of plain letters and small numbers stay as they are, and
/// everything else goes into code spans as in [`markdown_code`]. What our own messages put in backticks stays so.
///
/// Plain are only words that nothing in Markdown or on GitHub gives a meaning to, wherever they stand: no number with a
/// full stop (a list), no seven letters that could be a commit, nothing with a sign inside but a hyphen or apostrophe.
#[must_use]
pub fn markdown(text: &str, max: usize) -> String {
    let shown = clip(text, max, calm);
    let mut out = String::with_capacity(shown.len() + 8);
    let mut run = String::new();
    let mut is_quoted = false;
    for word in shown.split(' ').filter(|word| !word.is_empty()) {
        let ticks = word.bytes().filter(|byte| *byte == b'`').count();
        let (was_quoted, opens) = (is_quoted, !is_quoted && ticks > 0);
        is_quoted ^= ticks % 2 == 1;
        let is_code = was_quoted || ticks > 0 || !is_plain_word(word);
        if !is_code || opens {
            flush(&mut run, &mut out);
        }
        if is_code {
            run.push_str(if run.is_empty() { "" } else { " " });
            run.push_str(word);
            // A quotation that ends ends its span.
            if ticks > 0 && !is_quoted {
                flush(&mut run, &mut out);
            }
        } else {
            out.push_str(if out.is_empty() { "" } else { " " });
            out.push_str(word);
        }
    }
    flush(&mut run, &mut out);
    // A list's sign with nothing behind it underlines the line above and makes a heading of it (CommonMark 4.3).
    if out.is_empty() { "(empty)".to_owned() } else { out }
}

/// Ends a run of words that are no plain ones: a blank stands before its span, lest two fences become one.
fn flush(run: &mut String, out: &mut String) {
    if run.is_empty() {
        return;
    }
    out.push_str(if out.is_empty() { "" } else { " " });
    // A quotation may stand in brackets and end a part of the sentence: `(…),` is the most there is around it.
    let (start, bare) = run.strip_prefix('(').map_or(("", run.as_str()), |bare| ("(", bare));
    let body = bare.trim_end_matches([')', '.', ',', ';', ':']);
    let end = bare.get(body.len()..).unwrap_or_default();
    let quoted = body.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|_| end.len() < 3);
    match quoted.filter(|inner| !inner.is_empty() && !inner.contains('`')) {
        Some(inner) => {
            out.push_str(start);
            out.push_str(&code_span(inner));
            out.push_str(end);
        }
        None => {
            let body = run.strip_suffix([',', ';', ':']).filter(|body| !body.is_empty()).unwrap_or(run);
            out.push_str(&code_span(body));
            out.push_str(run.get(body.len()..).unwrap_or_default());
        }
    }
    run.clear();
}

fn is_plain_word(word: &str) -> bool {
    let bare = word.strip_prefix('(').unwrap_or(word);
    let bare = bare.strip_suffix([',', ';', ':', '.']).unwrap_or(bare);
    let bare = bare.strip_suffix(')').unwrap_or(bare);
    if bare.len() < 6 && !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return !word.ends_with(['.', ')']);
    }
    let is_commit = bare.len() > 6 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_letters = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    !is_commit && bare.split(['-', '\'']).all(is_letters)
}

/// Text on one line without anything unsafe, of at most `max` characters as it is shown, and how many characters of the
/// text were left out.
#[must_use]
pub fn shown(text: &str, max: usize) -> String {
    clip(text, max, terminal)
}

fn clip(text: &str, max: usize, escape: fn(&str) -> String) -> String {
    let (head, rest) = match text.char_indices().nth(max) {
        None => (text, ""),
        Some((at, _)) => text.split_at_checked(at).unwrap_or((text, "")),
    };
    let mut shown = escape(head);
    // An escape is longer than what it stands for.
    let cut = shown.char_indices().nth(max).map(|(at, _)| at);
    if let Some(at) = cut {
        shown.truncate(at);
    }
    match (cut.is_some(), rest.is_empty()) {
        (false, true) => shown,
        (true, true) => format!("{shown}…"),
        (_, false) => format!("{shown}… (+{})", rest.chars().count()),
    }
}

/// As [`terminal`], and long runs of backticks become visible too: see [`TICKS`].
fn calm(text: &str) -> String {
    let shown = terminal(text);
    let is_long = shown.split(|c| c != '`').any(|run| run.len() > TICKS);
    if is_long { shown.replace('`', "\\u{60}") } else { shown }
}

/// Text that is safe on one line as a code span: its fence is longer than any run of backticks in it.
fn code_span(shown: &str) -> String {
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let touches = |c: Option<char>| matches!(c, Some('`' | ' '));
    // A parser takes one blank away at both ends, if both are there and there is anything else.
    let pad = if touches(shown.chars().next()) || touches(shown.chars().next_back()) { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// The message of a workflow command. Source: GitHub's runner, which decodes `%25`, `%0D` and `%0A` of a message.
#[must_use]
pub fn workflow_message(text: &str) -> String {
    text.split('\n').map(|line| terminal(line).replace('%', "%25")).collect::<Vec<_>>().join("%0A")
}

/// A property of a workflow command, on one line. Source: GitHub's runner, which also decodes `%3A` and `%2C` there.
#[must_use]
pub fn workflow_property(text: &str) -> String {
    terminal(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

/// A piece of a SARIF message, on one line. Viewers make a link of `[text](address)` (SARIF 2.1.0, 3.11.6), so the two
/// brackets are parted.
#[must_use]
pub fn sarif(text: &str) -> String {
    terminal(text).replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_hides_or_imitates_becomes_visible() {
        for (input, expected) in [
            ("plain name 1.0", "plain name 1.0"),
            ("größe 寸 · → …", "größe 寸 · → …"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("a\u{9b}31mb\u{85}", "a\\u{9b}31mb\\u{85}"),
            ("a\x7f\0", "a\\u{7f}\\u{0}"),
            ("one\ntwo\r\n\tthree", "one\\ntwo\\r\\n\\tthree"),
            ("ab\u{202e}cd\u{2069}", "ab\\u{202e}cd\\u{2069}"),
            ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
            ("a\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}b", "a\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\u{ad}b"),
            ("a\u{e0041}\u{e0100}\u{fe0f}", "a\\u{e0041}\\u{e0100}\\u{fe0f}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            ("a\u{a0}b\u{3000}c\u{2003}", "a\\u{a0}b\\u{3000}c\\u{2003}"),
            ("a\u{3164}\u{2800}\u{e000}\u{10ffff}", "a\\u{3164}\\u{2800}\\u{e000}\\u{10ffff}"),
        ] {
            assert_eq!(terminal(input), expected, "{input:?}");
            assert_eq!(terminal(&terminal(input)), expected, "twice {input:?}");
        }
    }

    #[test]
    fn the_named_ranges_are_unsafe_to_their_ends() {
        for (from, to) in
            [(0x00, 0x1f), (0x7f, 0x9f), (0x200b, 0x200f), (0x202a, 0x202e), (0x2066, 0x2069), (0xe0000, 0xe007f)]
        {
            assert!((from..=to).filter_map(char::from_u32).all(is_unsafe), "{from:x}");
        }
    }

    #[test]
    fn marks_do_not_pile_up_and_do_not_stand_first() {
        assert_eq!(terminal("e\u{301}\u{302}"), "e\u{301}\u{302}");
        assert_eq!(terminal("e\u{301}\u{302}\u{303}"), "e\u{301}\u{302}\\u{303}");
        assert_eq!(terminal("\u{301}e"), "\\u{301}e");
    }

    #[test]
    fn a_build_log_gets_no_commands() {
        for (input, expected) in [
            ("a::b::c", "a::b::c"),
            ("::error::x", "\\u{3a}\\u{3a}error::x"),
            ("a ::set-env name=x::y", "a \\u{3a}\\u{3a}set-env name=x::y"),
            ("a::::b", "a::\\u{3a}\\u{3a}b"),
            ("a: b :c 1:2", "a: b :c 1:2"),
            ("##[group]x ###", "#\\u{23}[group]x #\\u{23}\\u{23}"),
        ] {
            assert_eq!(terminal(input), expected);
            assert_eq!(terminal(expected), expected);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = serde_json::to_string_pretty(&[format!("{}##[x] ä \\", super::super::samples::HOSTILE)]).unwrap();
        let safe = json(&text);
        assert!(!safe.contains("##") && !safe.chars().any(|c| is_unsafe(c) && c != '\n'), "{safe}");
        let read = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
        assert_eq!(read(&safe), read(&text));
    }

    #[test]
    fn overlong_text_says_how_much_is_missing() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abcdefg", 6), "abcdef… (+1)");
        assert_eq!(clipped("ä\u{1b}öü", 2), "ä\\u{1b}… (+2)");
        assert_eq!(clipped("", 0), "");
    }

    #[test]
    fn a_name_cannot_leave_its_word_in_a_shell() {
        for (input, expected) in [
            ("pkg:cargo/pad@0.1.0", "pkg:cargo/pad@0.1.0"),
            ("pkg:cargo/$(x)", "'pkg:cargo/$(x)'"),
            ("a'; x #", r"'a'\''; x #'"),
            ("a\nb", "'a\\nb'"),
            ("a&b?c", "'a&b?c'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(input), expected);
        }
    }

    #[test]
    fn a_code_span_has_a_fence_that_its_text_cannot_close() {
        // CommonMark 0.31.2, section 6.1: equal runs of backticks delimit; one blank is stripped at both ends.
        for (input, expected) in [
            ("ws", "`ws`"),
            ("a`b", "``a`b``"),
            ("`a", "`` `a ``"),
            ("a``b```", "```` a``b``` ````"),
            (" a ", "`  a  `"),
            ("|x|", "`|x|`"),
            ("a\nb", "`a\\nb`"),
            ("", "(empty)"),
        ] {
            assert_eq!(markdown_code(input, 80), expected, "{input:?}");
        }
        assert_eq!(markdown_code(&"`".repeat(100), 9), "`\\u{60}\\u{… (+91)`");
        assert_eq!(markdown_code("abcdef", 4), "`abcd… (+2)`");
        assert_eq!(markdown_code("\u{1b}[2J\u{1b}", 4), "`\\u{1… (+1)`");
    }

    #[test]
    fn only_plain_words_stand_outside_code() {
        for (input, expected) in [
            ("remove it, then look again", "remove it, then look again"),
            ("published 2 days ago (well-known)", "published 2 days ago (well-known)"),
            ("pad 1.0.0: is 2.0.0, new", "pad `1.0.0`: is `2.0.0`, new"),
            ("the file `a b`, and `c` `d`: no", "the file `a b`, and `c` `d`: no"),
            ("say `x", "say `` `x ``"),
            ("@all #1 GH-1 o/r#2 www.x.y", "`@all #1 GH-1 o/r#2 www.x.y`"),
            ("1. a 2) b - c", "`1.` a `2)` b `-` c"),
            ("deadbeef decade 1234567", "`deadbeef` decade `1234567`"),
            ("![x](y) <b> &amp; *a* _b_ ~c~ $x$ :y: [^1]", "`![x](y) <b> &amp; *a* _b_ ~c~ $x$ :y: [^1]`"),
            ("(a`b`)", "``(a`b`)``"),
            ("see (`a b`), or (`c`): `d`.:)", "see (`a b`), or (`c`): `` `d`.:) ``"),
            ("  a   b ", "a b"),
            ("", "(empty)"),
            (" \u{20}", "(empty)"),
        ] {
            assert_eq!(markdown(input, 500), expected, "{input:?}");
        }
    }

    #[test]
    fn a_workflow_command_ends_where_it_should() {
        // Source: the runner's ActionCommand.cs, tables of escapes for data and for properties.
        assert_eq!(workflow_message("50% of\na::b\r"), "50%25 of%0Aa::b\\r");
        assert_eq!(workflow_message("::error::x"), "\\u{3a}\\u{3a}error::x");
        assert_eq!(workflow_property("a,b:c%0A\nx"), "a%2Cb%3Ac%250A\\nx");
    }

    #[test]
    fn a_sarif_message_holds_no_link() {
        assert_eq!(sarif("[a](x) [b] (y) a\nb"), "[a] (x) [b] (y) a\\nb");
    }
}
