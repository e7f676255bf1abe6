//! Parts that the patterns of one file share: `[parts]` names texts, and `(?&name)` in a pattern stands for one of them,
//! as in Perl, but for recursion: each is put in where it is named, as a group of its own, before anything is compiled.
//! The flags of the pattern hold within it.

/// Parts within parts.
const MAX_DEPTH: usize = 8;

/// A pattern with its parts put in.
///
/// # Errors
/// What is wrong: a name that is not there, parts that name each other in a circle, or more than `most` bytes.
pub(super) fn expand<'p>(pattern: &str, part: &dyn Fn(&str) -> Option<&'p str>, most: usize) -> Result<String, String> {
    let mut whole = String::new();
    put(pattern, part, most, 0, &mut whole)?;
    Ok(whole)
}

fn put<'p>(
    pattern: &str,
    part: &dyn Fn(&str) -> Option<&'p str>,
    most: usize,
    depth: usize,
    whole: &mut String,
) -> Result<(), String> {
    let mut pieces = pattern.split("(?&");
    whole.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once(')').ok_or("(?& without a name and )")?;
        let text = part(name).ok_or_else(|| format!("no part is called {name:?}"))?;
        if depth == MAX_DEPTH {
            return Err(format!("parts stand in each other more than {MAX_DEPTH} times"));
        }
        whole.push_str("(?:");
        put(text, part, most, depth + 1, whole)?;
        whole.push(')');
        whole.push_str(rest);
        if whole.len() > most {
            break;
        }
    }
    if whole.len() > most { Err(format!("a pattern of more than {most} bytes")) } else { Ok(()) }
}
