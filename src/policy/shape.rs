//! Bounds on the text of a user's rules, looked at before Cedar reads them: its parser, its validator and the solver's
//! compiler follow a rule's depth with their stack, and head's rules are read where a change to them is compared.

use crate::text::line_of;

/// Largest text of rules, in bytes.
const SIZE: usize = 512 << 10;
/// Deepest nesting of brackets.
const NESTING: usize = 64;
/// Operators in one rule: a chain of them is as deep as it is long.
const OPERATORS: usize = 4_000;

/// Why a text is not read: its line, and the bound that it passes.
///
/// # Errors
/// Line and reason.
pub fn check(text: &str) -> Result<(), (u32, String)> {
    if text.len() > SIZE {
        return Err((0, format!("{} bytes; at most {SIZE} are read", text.len())));
    }
    let (mut nesting, mut operators) = (0_usize, 0_usize);
    let mut word = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        // `if … then … else` nests without a bracket.
        let is_if = c == 'i' && word == 0 && text.get(at..).is_some_and(|rest| rest.starts_with("if"));
        word = if c.is_alphanumeric() || c == '_' { word + 1 } else { 0 };
        match c {
            '/' if chars.next_if(|(_, next)| *next == '/').is_some() => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            '"' => {
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '(' | '[' | '{' => nesting += 1,
            ')' | ']' | '}' => nesting = nesting.saturating_sub(1),
            ';' => operators = 0,
            '&' | '|' | '!' | '.' | '+' | '-' | '*' | '<' | '>' | '=' => operators += 1,
            _ if is_if => operators += 1,
            _ => {}
        }
        if nesting > NESTING {
            return Err((line_of(text, at), format!("nested deeper than {NESTING} brackets")));
        }
        if operators > OPERATORS {
            return Err((line_of(text, at), format!("a rule with more than {OPERATORS} operators")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_rules_are_far_from_every_bound() {
        for pack in crate::policy::BUILT_IN {
            assert_eq!(check(pack.rules), Ok(()));
        }
    }

    #[test]
    fn bounds_hold_outside_of_texts_and_comments() {
        let operators = |n: usize| format!("forbid(a) when {{ {}x }};", "!".repeat(n));
        assert_eq!(check(&operators(4_000)), Ok(()));
        assert_eq!(check(&operators(4_001)).map_err(|e| e.0), Err(1));
        assert_eq!(check(&format!("{}{}", operators(4_000), operators(4_000))), Ok(()));
        assert_eq!(check(&format!("\n{}", "[".repeat(65))).map_err(|e| e.0), Err(2));
        assert_eq!(check(&format!("// {}\n\"\\\"{}\"", "[".repeat(65), "[".repeat(65))), Ok(()));
        assert!(check(&"if a then b else ".repeat(4_001)).is_err());
        assert!(check(&" ".repeat((512 << 10) + 1)).is_err());
    }
}
