//! Variables in Dockerfiles and compose files: `$X`, `${X}`, `${X:-default}`.

use std::collections::HashMap;

/// Bytes that a text may grow to.
const MAX_TEXT: usize = 4_096;

/// Defaults inside of defaults.
const MAX_DEPTH: usize = 8;

/// Known variables.
pub(super) type Variables = HashMap<String, String>;

/// A text with what is known filled in. What is not known stays, spelt `${X}`. `None` where it grows too long or a brace
/// does not close.
pub(super) fn expand(text: &str, variables: &Variables) -> Option<String> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut out = String::new();
    fill(text, variables, 0, &mut out)?;
    Some(out)
}

fn fill(text: &str, variables: &Variables, depth: usize, out: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(inner) = after.strip_prefix('{') {
            let end = closing(inner)?;
            let (inside, behind) = inner.split_at_checked(end)?;
            rest = behind.strip_prefix('}')?;
            braced(inside, variables, depth, out)?;
        } else {
            let end = after.find(|c: char| !is_name_char(c)).unwrap_or(after.len());
            let (name, behind) = after.split_at_checked(end)?;
            // `$$` is compose's dollar, and no image has one: it stays, and the reference is none.
            match variables.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("${{{name}}}")),
            }
            rest = behind;
        }
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    out.push_str(rest);
    (out.len() <= MAX_TEXT).then_some(())
}

fn braced(inside: &str, variables: &Variables, depth: usize, out: &mut String) -> Option<()> {
    let end = inside.find(|c: char| !is_name_char(c)).unwrap_or(inside.len());
    let (name, operation) = inside.split_at_checked(end)?;
    let value = variables.get(name);
    let (sign, is_colon) = match operation.strip_prefix(':') {
        Some(sign) => (sign, true),
        None => (operation, false),
    };
    let value = value.filter(|value| !is_colon || !value.is_empty());
    let mut word = None;
    match (sign.chars().next(), value) {
        (None | Some('-' | '?'), Some(value)) => out.push_str(value),
        (Some('-'), None) => word = sign.strip_prefix('-'),
        (Some('+'), Some(_)) => word = sign.strip_prefix('+'),
        (Some('+'), None) => {}
        _ => out.push_str(&format!("${{{name}}}")),
    }
    match word {
        Some(_) if depth >= MAX_DEPTH => None,
        Some(word) => fill(word, variables, depth + 1, out),
        None => Some(()),
    }
}

/// Where the brace closes that is open before a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
