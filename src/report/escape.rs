//! Escaping, for every sink. Names, paths, versions, messages and addresses come from a repository that may be
//! hostile: its text must neither steer the sink nor look like something it is not.
//!
//! - Terminal: [`terminal`], and [`clipped`] where length is the attacker's too.
//! - A command that people copy into a shell: [`shell_word`].
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
}
