use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::language::lex::regions;
use crate::model::line::Language;

fn diff(before: &str, after: &str) -> (Vec<Range<u32>>, Vec<Range<u32>>) {
    let Changed { added, removed } = changed(before.as_bytes(), after.as_bytes());
    (added, removed)
}

/// Counted by hand.
#[test]
fn lines_end_as_people_count_them() {
    let index = LineIndex::new(b"a\r\n\nbc");
    assert_eq!((index.len(), index.line(0), index.line(1), index.line(2)), (3, &b"a"[..], &b""[..], &b"bc"[..]));
    assert_eq!(index.line(3), b"");
    assert_eq!([0, 1, 2, 3, 4, 5, 99].map(|at| index.line_at(at)), [0, 0, 0, 1, 2, 2, 2]);
    assert_eq!(LineIndex::new(b"a\n").len(), 1);
    assert_eq!(LineIndex::new(b"\n").len(), 1);
    assert!(LineIndex::new(b"").is_empty());
    assert_eq!(LineIndex::new(b"").line_at(0), 0);
    assert_eq!(index.range(2), 4..6);
}

/// Counted by hand.
#[test]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is compared")]
fn what_is_new_and_what_is_gone() {
    assert_eq!(diff("a\nb\nc\n", "a\nb\nc\n"), (vec![], vec![]));
    assert_eq!(diff("a\nc\n", "a\nb\nc\nd"), (vec![1..2, 3..4], vec![]));
    assert_eq!(diff("a\nb\nc\n", "a\nx\ny\nc\n"), (vec![1..3], vec![1..2]));
    assert_eq!(diff("", "a\nb\n"), (vec![0..2], vec![]));
    assert_eq!(diff("a\nb\n", ""), (vec![], vec![0..2]));
    assert_eq!(diff("a", "a\n"), (vec![], vec![]));
}

#[test]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is compared")]
fn white_space_at_the_ends_of_a_line_does_not_count_and_within_it_does() {
    assert_eq!(diff("a\nb c\n\n", "  a\r\n\tb c \r\n \r\n"), (vec![], vec![]));
    assert_eq!(diff("a b\n", "a  b\n"), (vec![0..1], vec![0..1]));
    assert_eq!(diff("ab\n", "a b\n"), (vec![0..1], vec![0..1]));
}

/// The line was comment and is code, although it was not touched.
#[test]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is compared")]
fn a_line_whose_comment_was_opened_is_changed() {
    let (before, after) = ("/*\n  verify = false;\n*/\nb();\n", "verify = false;\nb();\n");
    let rules = |text: &str| regions(Language::C, text.as_bytes());
    let mut changed = changed(before.as_bytes(), after.as_bytes());
    assert_eq!((&changed.added, &changed.removed), (&vec![], &vec![0..1, 2..3]));
    let (old, new) = (LineIndex::new(before.as_bytes()), LineIndex::new(after.as_bytes()));
    add_rezoned(&mut changed, (&old, &rules(before)), (&new, &rules(after)));
    assert_eq!((changed.added, changed.removed), (vec![0..1], vec![0..3]));
    // Nothing else moved.
    let mut same = Changed::default();
    add_rezoned(&mut same, (&old, &rules(before)), (&old, &rules(before)));
    assert_eq!(same, Changed::default());
}

/// A large change in the middle of equal lines, with anchors and without.
#[test]
fn large_gaps_are_cut_at_lines_that_occur_once() {
    let line = |at: usize| format!("line {at}\n");
    let before: String = (0..20_000).map(line).collect();
    let after: String = (0..20_000).map(|at| if at % 5_000 == 7 { format!("new {at}\n") } else { line(at) }).collect();
    let changed = changed(before.as_bytes(), after.as_bytes());
    let expected: Vec<Range<u32>> = [7, 5_007, 10_007, 15_007].map(|at| at..at + 1).to_vec();
    assert_eq!((&changed.added, &changed.removed), (&expected, &expected));
}

/// Texts made to be slow: few words and many lines, blocks that grow, lines without order. Each ends in time, and what
/// is left out of the ranges is equal.
#[test]
fn hostile_texts_end_in_bounded_time() {
    let mut state = 7u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut lines =
        |count: usize, words: u64| -> String { (0..count).map(|_| format!("{}\n", random(words))).collect() };
    let ladder = |sign: &str| -> String {
        let mut text = String::new();
        for rung in 0..400 {
            (0..rung).for_each(|at| text.push_str(&format!("{rung} {at}\n")));
            text.push_str(&format!("{sign}{rung}\n"));
        }
        text
    };
    let zip = |sign: &str| -> String { (0..4_000).map(|at| format!("{sign}{at}\n{at}\n")).collect() };
    let cases = [
        (lines(100_000, 3), lines(100_000, 3)),
        (lines(100_000, 50_000), lines(100_000, 50_000)),
        (lines(4_000, 60), lines(4_000, 60)),
        (ladder("-"), ladder("+")),
        (zip("-"), zip("+")),
    ];
    for (before, after) in &cases {
        let start = Instant::now();
        let changed = changed(before.as_bytes(), after.as_bytes());
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(rebuilt(before, after, &changed), trimmed(after));
    }
}

/// What `trim` of the oracle takes off is the module's list of white space.
fn trimmed(text: &str) -> Vec<String> {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    lines.split('\n').map(|line| line.trim_matches([' ', '\t', '\u{b}', '\u{c}', '\r']).to_owned()).collect()
}

/// The oracle: takes the removed lines out of a plain list of the lines before, and puts the added ones in.
fn rebuilt(before: &str, after: &str, changed: &Changed) -> Vec<String> {
    let is_in = |ranges: &[Range<u32>], at: usize| ranges.iter().any(|range| range.contains(&(at as u32)));
    let flags = |ranges: &[Range<u32>], len: usize| -> Vec<bool> {
        if len > 5_000 { marks(ranges, len) } else { (0..len).map(|at| is_in(ranges, at)).collect() }
    };
    let (before, after) = (trimmed(before), trimmed(after));
    let gone = flags(&changed.removed, before.len());
    let new = flags(&changed.added, after.len());
    let mut kept = before.into_iter().zip(gone).filter(|(_, is_gone)| !is_gone).map(|(line, _)| line);
    let lines = after.into_iter().zip(new).map(|(line, is_new)| if is_new { Some(line) } else { kept.next() });
    let mut rebuilt: Vec<String> = lines.map(|line| line.unwrap_or_else(|| "missing".to_owned())).collect();
    rebuilt.extend(kept);
    rebuilt
}

fn text() -> impl Strategy<Value = String> {
    let words = ["a", "b", " b", "c\r", "", "{", "\t}", "a b"];
    let line = prop::sample::select(words.to_vec());
    (prop::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, is_ended)| {
        let text = lines.join("\n");
        if is_ended && !text.is_empty() { text + "\n" } else { text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_the_change_to_before_gives_after(before in text(), after in text()) {
        let changed = changed(before.as_bytes(), after.as_bytes());
        prop_assert_eq!(rebuilt(&before, &after, &changed), trimmed(&after));
        for ranges in [&changed.added, &changed.removed] {
            prop_assert!(ranges.iter().all(|range| range.start < range.end));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }

    /// The large-gap road, taken by small texts: the same promise.
    #[test]
    fn cutting_at_anchors_keeps_the_promise(before in text(), after in text()) {
        let (old, new) = (LineIndex::new(before.as_bytes()), LineIndex::new(after.as_bytes()));
        let mut interner: Interner<&[u8]> = Interner::new(0);
        let (old, new) = (numbers(&old, &mut interner), numbers(&new, &mut interner));
        let mut work = Work::new(&old, &new, interner.num_tokens());
        work.budget = 0;
        work.run();
        let changed = Changed { added: ranges(&work.added), removed: ranges(&work.removed) };
        prop_assert_eq!(rebuilt(&before, &after, &changed), trimmed(&after));
    }
}
