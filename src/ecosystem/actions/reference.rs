//! What the text of a `uses` names (GitHub's workflow syntax, `jobs.<job_id>.steps[*].uses`).

/// Bytes of a reference's path and of its ref.
const MAX_TEXT: usize = 1_024;

/// What a `uses` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference<'t> {
    /// An action or workflow of another repository.
    Remote {
        /// `owner/repo`, in lower case.
        name: String,
        /// `owner/repo/path`, as written, where it is not the repository's root.
        path: Option<String>,
        /// A commit, tag or branch.
        at: &'t str,
    },
    /// A file or folder of this repository, without the leading `./`.
    Local(&'t str),
    /// An image.
    Image(&'t str),
}

/// Reads the text of a `uses`.
///
/// # Errors
/// What is wrong with it, as a sentence goes on after the text.
pub fn parse(text: &str) -> Result<Reference<'_>, &'static str> {
    if text.contains("${{") {
        return Err("is an expression, and no file says what it stands for");
    }
    if let Some(path) = text.strip_prefix("./").or_else(|| text.strip_prefix(".\\")) {
        return Ok(Reference::Local(path));
    }
    if let Some(image) = text.strip_prefix("docker://") {
        return Ok(Reference::Image(image));
    }
    remote(text).ok_or("is no `owner/repo@ref`")
}

fn remote(text: &str) -> Option<Reference<'_>> {
    if text.len() > 2 * MAX_TEXT {
        return None;
    }
    // The runner wants exactly one `@`, takes either slash, and drops empty parts.
    let (path, at) = text.split_once('@')?;
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let [owner, repository, rest @ ..] = &*parts else { return None };
    let is_sound = is_owner(owner) && is_repository(repository) && rest.iter().all(|part| is_part(part));
    if !is_sound || !is_ref(at) || path.len() > MAX_TEXT {
        return None;
    }
    let name = format!("{owner}/{repository}").to_ascii_lowercase();
    Some(Reference::Remote { name, path: (!rest.is_empty()).then(|| parts.join("/")), at })
}

/// Whether a text is a login: letters, digits and `-`, and for managed accounts one `_` before a short code.
#[must_use]
pub fn is_owner(text: &str) -> bool {
    (1..=39).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && text.bytes().filter(|byte| *byte == b'_').count() <= 1
}

/// Whether a text is a repository's name: letters, digits, `.`, `-` and `_`.
#[must_use]
pub fn is_repository(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && !matches!(text, "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether a text may be a folder or file below a repository.
#[must_use]
pub fn is_part(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "@\\:\"".contains(c))
}

/// Whether git takes a text as a ref's name or as a commit (`git check-ref-format`).
fn is_ref(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && !text.contains("..")
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "@~^:?*[\\".contains(c))
}

/// Whether a ref is a full commit. Nobody can give that name to a tag or branch on GitHub; a name of 64 hexadecimal
/// digits, as commits of another hash have, anybody can.
#[must_use]
pub fn is_commit(at: &str) -> bool {
    at.len() == 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The version that a comment beside a commit claims: the first word that looks like one.
#[must_use]
pub fn claim(comment: &str) -> Option<&str> {
    let is_between = |c: char| c.is_whitespace() || "#=@:,;()[]\"'".contains(c);
    let words = comment.split(is_between).map(|word| word.trim_start_matches("refs/tags/").trim_end_matches('.'));
    let mut words = words.filter(|word| word.len() <= 100);
    words.find(|word| is_version_like(word))
}

/// `v4`, `v4.1.0-rc.1`, `4.1`: without a `v`, a number alone is a number.
fn is_version_like(word: &str) -> bool {
    let bare = word.strip_prefix(['v', 'V']);
    let numbers = bare.unwrap_or(word);
    let end = numbers.find(['-', '+']).unwrap_or(numbers.len());
    let Some((numbers, rest)) = numbers.split_at_checked(end) else { return false };
    let parts = numbers.split('.').count();
    let is_numbered = numbers.split('.').all(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    is_numbered
        && (bare.is_some() || parts > 1)
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_'))
}

/// The lines of a text as YAML breaks them.
#[must_use]
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        lines.extend(line.split('\r'));
    }
    lines
}

/// The comment that follows a value on its line. Nothing but quotes, brackets and commas may stand between them.
#[must_use]
pub fn comment_after<'l>(line: &'l str, value: &str) -> Option<&'l str> {
    // Lines that long hold many values, and searching each time would take quadratic time.
    if line.len() > 2_048 {
        return None;
    }
    let (_, rest) = line.split_once(value)?;
    let rest = rest.trim_start_matches(['"', '\'', '}', ']', ',']);
    let comment = rest.trim_start();
    if comment.len() == rest.len() {
        return None;
    }
    comment.trim_start_matches(['}', ']', ',', ' ']).strip_prefix('#')
}
