//! Names that a reader takes for another: one slip of the hand, or letters that look alike.

use std::collections::BTreeSet;

/// Names in use.
#[derive(Debug, Default)]
pub struct Names {
    names: BTreeSet<Box<str>>,
}

/// Shorter names are one slip from too many others to say anything.
const SHORTEST: usize = 5;

impl Names {
    /// Adds a name.
    pub fn add(&mut self, name: &str) {
        if !self.names.contains(name) {
            self.names.insert(Box::from(name));
        }
    }

    /// The name in use that `name` is one slip away from: a letter left out, added, changed or swapped, another
    /// separator, or a look-alike character. Differences in digits alone (`sha2`, `sha3`) are names of families.
    #[must_use]
    pub fn slip(&self, name: &str) -> Option<String> {
        if self.names.contains(name) {
            return None;
        }
        let skeleton = skeleton(name);
        let candidate: Vec<char> = name.chars().collect();
        self.names
            .iter()
            .find(|known| {
                if skeleton == self::skeleton(known) {
                    return true;
                }
                let known: Vec<char> = known.chars().collect();
                known.len().min(candidate.len()) >= SHORTEST && one_slip(&known, &candidate)
            })
            .map(ToString::to_string)
    }
}

/// The name with look-alikes folded: separators dropped, case folded, `0` as `o`, `1` and `l` as `i`, `rn` as `m`.
fn skeleton(name: &str) -> String {
    let folded: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '0' => 'o',
            '1' | 'l' | '|' => 'i',
            other => other,
        })
        .collect();
    folded.replace("rn", "m").replace("vv", "w")
}

/// Whether one insertion, deletion, substitution or swap of neighbours turns one into the other, digits aside.
fn one_slip(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let tail = short.iter().rev().zip(long.iter().rev()).take_while(|(x, y)| x == y).count();
    let tail = tail.min(short.len() - head);
    let (left_short, left_long) = (short.len() - head - tail, long.len() - head - tail);
    let at = |list: &[char], i: usize| list.get(i).copied().unwrap_or('\0');
    match (left_short, left_long) {
        // A plural or a one-letter suffix after a separator (`-c`, `_x`) is how families name their members.
        (0, 1) => !at(long, head).is_ascii_digit() && (head == 0 || !matches!(at(long, head - 1), '-' | '_')),
        (1, 1) => !(at(short, head).is_ascii_digit() && at(long, head).is_ascii_digit()),
        (2, 2) => at(short, head) == at(long, head + 1) && at(short, head + 1) == at(long, head),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Pairs of real incidents on the public registries, and pairs of honest crates.
    #[test]
    fn slips_are_seen_and_families_are_not() {
        for (known, name, slip) in [
            ("rustdecimal", "rust_decimal", true),
            ("serde_json", "serde-json", true),
            ("reqwest", "reqwset", true),
            ("tokio", "tokioo", true),
            ("faster_log", "fasterlog", true),
            ("clap", "c1ap", true),
            ("modern", "modem", true),
            ("sha2", "sha3", false),
            ("windows_x86_64_gnu", "windows_x86_64_msvc", false),
            ("syn", "sync", false),
            ("phf_shared", "phf_macros", false),
            ("base64", "base32", false),
            ("proc-macro2", "proc-macro3", false),
            ("zstd-sys", "lzma-sys", false),
        ] {
            let mut names = Names::default();
            names.add(known);
            assert_eq!(names.slip(name).is_some(), slip, "{known} {name}");
            assert_eq!(names.slip(known), None);
        }
    }
}
