//! What ids, references, repositories and logins may look like. They end up in refspecs, addresses and comments.

/// Longer names of references are refused. Git's own limit is that of the file system, and GitHub's is lower.
const MAX_REFERENCE: usize = 1_024;

/// Longer owners and repositories are refused. Logins end at 39 characters (docs.github.com, "Username considerations
/// for external authentication") and repositories at 100; apps have longer names than people.
const MAX_NAME: usize = 100;

/// Of a value that is refused, this much is shown.
const MAX_SHOWN: usize = 60;

/// A full commit id in lower case: 40 hex digits for SHA-1, 64 for SHA-256. The id of nothing is none.
pub fn is_sha(text: &str) -> bool {
    is_id(text) && !is_zero(text)
}

/// As [`is_sha`], and the id of nothing is one too.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id that stands for no object.
pub(super) fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// A full reference name: `git help check-ref-format`, rules 1 to 10; and nothing that a terminal would obey.
pub fn is_reference(text: &str) -> bool {
    let forbidden = |c: char| {
        c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\' | '\u{2028}' | '\u{2029}')
    };
    text.len() <= MAX_REFERENCE
        && text.contains('/')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.ends_with('.')
        && !text.contains(forbidden)
        // An empty part is a slash too many.
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

/// The short name of a branch: as `git check-ref-format --branch`, which refuses a leading dash and the name HEAD.
pub fn is_branch(text: &str) -> bool {
    !text.starts_with('-') && text != "HEAD" && text != "@" && is_reference(&format!("refs/heads/{text}"))
}

/// The short name of the branch that a full reference names.
pub(super) fn branch(reference: &str) -> Option<&str> {
    reference.strip_prefix("refs/heads/").filter(|name| is_branch(name))
}

/// The short name of the tag that a full reference names.
pub(super) fn tag(reference: &str) -> Option<&str> {
    reference.strip_prefix("refs/tags/").filter(|name| !name.starts_with('-') && is_reference(reference))
}

/// `owner/name`.
pub fn is_repository(text: &str) -> bool {
    let Some((owner, name)) = text.split_once('/') else { return false };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    is_account(owner)
        && (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(is_part)
        && !matches!(name, "." | "..")
}

/// The login of a person, an organisation or, with `[bot]` at its end, an app.
pub fn is_login(text: &str) -> bool {
    is_account(text.strip_suffix("[bot]").unwrap_or(text))
}

/// Letters, digits and dashes; managed users have an underscore before the short code of their enterprise. A dash at
/// the end is left over from earlier rules.
fn is_account(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() <= MAX_NAME
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(is_part)
}

/// `submitted`, `checks_requested`, `workflow_dispatch`.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A value as a message shows it: on one line, and not all of it.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every answer is that of git 2.47 (`git check-ref-format --branch`), but for `@` and the control characters and
    /// line ends beyond ASCII at the end, which git takes.
    #[test]
    fn branches_are_named_as_git_names_them() {
        for good in
            ["main", "a/b", "release-1.0", "ä", "a@b", "@a", "a{b", "x'$(id)`\";|&<>", "a.lock.b", "refs/heads/x"]
        {
            assert!(is_branch(good), "{good}");
        }
        let bad = [
            "",
            "-main",
            "HEAD",
            "@",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            "a.",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a@{b",
            "a\nb",
            "a\u{7f}",
            "a\tb",
            "a\u{85}b",
            "a\u{9b}31m",
            "a\u{2028}b",
        ];
        for bad in bad {
            assert!(!is_branch(bad), "{bad:?}");
        }
        assert!(!is_branch(&"a".repeat(MAX_REFERENCE)));
    }

    #[test]
    fn full_references_have_a_kind() {
        assert!(is_reference("refs/heads/main"));
        assert!(!is_reference("main"));
        assert_eq!(branch("refs/heads/a/b"), Some("a/b"));
        assert_eq!(branch("refs/tags/a"), None);
        assert_eq!(branch("refs/heads/-a"), None);
        assert_eq!(tag("refs/tags/v1"), Some("v1"));
        assert_eq!(tag("refs/tags/v1..2"), None);
        assert_eq!(tag("refs/tags/--all"), None);
    }

    #[test]
    fn ids_are_whole_and_in_lower_case() {
        assert!(is_sha("6113728f27ae82c7b1a177c8d03f9e96e0adf246"));
        assert!(is_sha(&"a".repeat(64)));
        for bad in ["", "6113728", "6113728F27AE82C7B1A177C8D03F9E96E0ADF246", &"0".repeat(40), &"g".repeat(40)] {
            assert!(!is_sha(bad), "{bad}");
        }
        assert!(is_id(&"0".repeat(40)));
    }

    #[test]
    fn repositories_and_logins() {
        for good in ["Codertocat/Hello-World", "a/.github", "a_corp/x.y_z-", "a/..."] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "a", "/a", "a/", "a/b/c", "a/..", "a/.", "-a/b", "a/b c", "a/ä", "a/b?x", "a[bot]/b", "a/b\n"]
        {
            assert!(!is_repository(bad), "{bad}");
        }
        for good in ["octocat", "dependabot[bot]", "mona-cat_octo", "a-", "1a", "Copilot"] {
            assert!(is_login(good), "{good}");
        }
        for bad in ["", "[bot]", "-a", "a b", "a/b", "@a", "a[bot]b", "a[BOT]", "ä", "a\n"] {
            assert!(!is_login(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_refused_is_shown_on_one_line() {
        assert_eq!(shown("a\n\u{1b}[31m\u{202e}"), "a\\n\\u{1b}[31m\\u{202e}");
        assert_eq!(shown(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }
}
