//! What must stand in a text for a pattern to match it, told from the pattern's syntax.
//!
//! Compiling a pattern takes as long as reading many lines, and most patterns have nothing to do with the line on which
//! one of their literals stands. A *formula* says which literals every match holds: `log.*(mail|phone)` needs `log` and
//! one of `mail` and `phone`. Literals are in lower case and so is the text that is asked; a formula may say yes for a
//! text that does not match, and never no for one that does.
//!
//! Two bytes of a literal stand for more than themselves: [`EDGE`] at either end, where the byte beside it is no letter
//! or digit if the one within is one, and [`DIGIT`] for any digit.
//!
//! Formulas are kept as bytes, so that those of the program's own patterns are tables of the program: a byte for the
//! kind, four for the length of what follows (little-endian), and then, for a choice of literals, each with a byte for
//! its length; else more formulas.

use regex_syntax::hir::{Class, ClassBytes, ClassUnicode, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

use super::window::Window;

/// Literals that one part of a pattern may stand for before it counts as anything, and their bytes.
const MAX_EXACT: usize = 64;
const MAX_BYTES: usize = 4 << 10;
/// Bytes of a class that are told one by one, and those of one without letters and digits.
const MAX_CLASS: usize = 16;
const MAX_EDGE: usize = 3;
/// Literals of one choice.
const MAX_CHOICE: usize = 200;
/// Bytes of each literal that are kept where there are too many.
const MAX_BEGINNING: usize = 6;
/// Longest literal, in bytes, its edges aside.
const MAX_LITERAL: usize = 200;
/// Times that a repeated part is asked for.
const MAX_ROW: usize = 4;
/// Literals of one formula: beyond, all that is known is that nothing is known.
const MAX_LITERALS: usize = 2_000;
/// Shortest literal worth a search, in bytes, and signs that are worth one alone.
const MIN_LITERAL: usize = 2;
const SIGNS: &[u8] = b"@%^|&~`$!?{}<>;+*#\\[]";

/// At either end of a literal: a letter or digit beside it has no letter or digit as its neighbour.
pub(super) const EDGE: u8 = 0;
/// In a literal: any digit.
pub(super) const DIGIT: u8 = 1;

const CHOICE: u8 = 1;
const ALL: u8 = 2;
const SOME: u8 = 3;
const BOTH: u8 = 4;

pub(super) type Literals = Vec<Vec<u8>>;

/// What every match holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Formula {
    /// Nothing is known.
    Anything,
    /// One of some literals.
    Choice(Literals),
    /// What all of some formulas say, one after the other.
    All(Vec<Formula>),
    /// What one of some formulas says.
    Some(Vec<Formula>),
    /// What all of some formulas say, wherever.
    Both(Vec<Formula>),
}

impl Formula {
    /// That of a pattern.
    pub(super) fn of(syntax: &Hir) -> Self {
        let formula = part(syntax).formula();
        if formula.literals() > MAX_LITERALS { Self::Anything } else { formula }
    }

    /// That of the line on which a match starts: what stands before anything that can be a line end.
    pub(super) fn of_first_line(syntax: &Hir) -> Self {
        let formula = first_line(syntax);
        if formula.literals() > MAX_LITERALS { Self::Anything } else { formula }
    }

    fn literals(&self) -> usize {
        match self {
            Self::Anything => 0,
            Self::Choice(literals) => literals.len(),
            Self::All(parts) | Self::Some(parts) | Self::Both(parts) => parts.iter().map(Self::literals).sum(),
        }
    }

    fn choice(mut literals: Literals) -> Self {
        literals.iter_mut().for_each(tidy);
        if literals.len() > MAX_CHOICE {
            // What holds a literal holds how it begins.
            for literal in &mut literals {
                literal.truncate(usize::from(literal.first() == Some(&EDGE)) + MAX_BEGINNING);
            }
            literals.sort();
            literals.dedup();
        }
        if literals.len() > MAX_CHOICE {
            return Self::Anything;
        }
        let is_long = |literal: &Vec<u8>| match core(literal) {
            [sign] => SIGNS.contains(sign),
            core => core.len() >= MIN_LITERAL,
        };
        if !literals.iter().all(is_long) {
            return Self::Anything;
        }
        literals.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        // What holds a longer one holds the shorter one in it.
        let mut kept = Literals::new();
        for literal in literals {
            if !kept.iter().any(|short| memchr::memmem::find(&literal, short).is_some()) {
                kept.push(literal);
            }
        }
        if kept.is_empty() { Self::Anything } else { Self::Choice(kept) }
    }

    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Anything => {}
                Self::All(parts) => all.extend(parts),
                part => all.push(part),
            }
        }
        match all.len() {
            0 => Self::Anything,
            1 => all.pop().unwrap_or(Self::Anything),
            _ => Self::All(all),
        }
    }

    fn both(a: Self, b: Self) -> Self {
        match (a, b) {
            (Self::Anything, other) | (other, Self::Anything) => other,
            (Self::Both(mut parts), Self::Both(more)) => {
                parts.extend(more);
                Self::Both(parts)
            }
            (Self::Both(mut parts), other) | (other, Self::Both(mut parts)) => {
                parts.push(other);
                Self::Both(parts)
            }
            (a, b) => Self::Both(vec![a, b]),
        }
    }

    fn some(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut literals = Literals::new();
        let mut some = Vec::new();
        for part in parts {
            match part {
                Self::Anything => return Self::Anything,
                Self::Choice(more) => literals.extend(more),
                Self::Some(parts) => some.extend(parts),
                part => some.push(part),
            }
        }
        if !literals.is_empty() {
            match Self::choice(literals) {
                Self::Anything => return Self::Anything,
                choice if some.is_empty() => return choice,
                choice => some.insert(0, choice),
            }
        }
        if some.is_empty() { Self::Anything } else { Self::Some(some) }
    }

    /// The formula as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let (kind, body) = match self {
            Self::Anything => return,
            Self::Choice(literals) => {
                let of = |literal: &Vec<u8>| [&[literal.len() as u8], literal.as_slice()].concat();
                (CHOICE, literals.iter().flat_map(of).collect())
            }
            Self::All(parts) => (ALL, parts.iter().flat_map(Self::bytes).collect()),
            Self::Some(parts) => (SOME, parts.iter().flat_map(Self::bytes).collect()),
            Self::Both(parts) => (BOTH, parts.iter().flat_map(Self::bytes).collect::<Vec<u8>>()),
        };
        bytes.push(kind);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
    }
}

/// Whether a text may match the pattern of a formula; adds up the bytes that were searched.
pub(super) fn may_match(formula: &[u8], window: &Window, searched: &mut usize) -> bool {
    end(formula, window, 0, searched).is_some()
}

/// Where the first text ends that has what a formula asks for, from a place on; none where there is no such. What
/// follows in the pattern follows there: the earliest end leaves most of the text. Recursion is as deep as groups nest.
fn end(formula: &[u8], window: &Window, from: usize, searched: &mut usize) -> Option<usize> {
    let Some((kind, body, _)) = split(formula) else { return Some(from) };
    let mut rest = body;
    let mut first: Option<usize> = None;
    if kind == CHOICE {
        while let Some((literal, after)) = literal(rest) {
            first = window.find(literal, from, first.unwrap_or(usize::MAX), searched).or(first);
            rest = after;
        }
        return first;
    }
    let mut here = from;
    let mut last = from;
    while let Some((_, _, after)) = split(rest) {
        match (kind, end(rest, window, here, searched)) {
            (SOME, Some(end)) => first = Some(first.map_or(end, |first| first.min(end))),
            (SOME, None) => {}
            (BOTH, end) => last = last.max(end?),
            (_, end) => here = end?,
        }
        rest = after;
    }
    if kind == SOME { first } else { Some(here.max(last)) }
}

/// Literals of which every match holds one, and what they cost together.
#[derive(Debug, Clone)]
pub(super) struct Choice<'f> {
    pub(super) cost: f64,
    pub(super) literals: Vec<&'f [u8]>,
}

impl<'f> Choice<'f> {
    fn and(mut self, other: Self) -> Self {
        self.cost += other.cost;
        self.literals.extend(other.literals);
        self
    }

    /// Whether a text that holds one of these holds one of others as well.
    fn implies(&self, other: &Self) -> bool {
        let holds = |long: &&[u8]| other.literals.iter().any(|short| memchr::memmem::find(long, short).is_some());
        self.literals.iter().all(holds)
    }
}

/// The gates of a pattern: every match passes one of them.
pub(super) fn gates<'f>(formula: &'f [u8], cost: &dyn Fn(&[u8]) -> Option<f64>) -> Option<Vec<Gate<'f>>> {
    let (kind, mut rest, _) = split(formula)?;
    if kind != SOME {
        return Some(vec![gate(formula, cost)?]);
    }
    let mut gates = Vec::new();
    while let Some((_, _, after)) = split(rest) {
        gates.push(gate(rest, cost)?);
        rest = after;
    }
    Some(gates)
}

/// Two choices of which a text holds both; the second only where there is one.
pub(super) type Gate<'f> = (Choice<'f>, Option<Choice<'f>>);

/// The two cheapest choices of which every match holds both. None where nothing is known, or only what has no cost. Recursion is as deep as groups nest.
fn gate<'f>(formula: &'f [u8], cost: &dyn Fn(&[u8]) -> Option<f64>) -> Option<Gate<'f>> {
    let (kind, body, _) = split(formula)?;
    let mut rest = body;
    if kind == CHOICE {
        let mut choice = Choice { cost: 0.0, literals: Vec::new() };
        while let Some((literal, after)) = literal(rest) {
            choice.cost += cost(literal)?;
            choice.literals.push(literal);
            rest = after;
        }
        return Some((choice, None));
    }
    let mut parts = Vec::new();
    while let Some((_, _, after)) = split(rest) {
        parts.push(gate(rest, cost));
        rest = after;
    }
    if kind == SOME {
        // A branch that needs one literal alone has it on both sides.
        let has_second = parts.iter().flatten().any(|(_, second)| second.is_some());
        let both = parts.into_iter().map(|part| part.map(|(first, second)| (first.clone(), second.unwrap_or(first))));
        let (first, second) = both.reduce(|a, b| {
            let ((a1, a2), (b1, b2)) = (a?, b?);
            Some((a1.and(b1), a2.and(b2)))
        })??;
        return Some((first, Some(second).filter(|_| has_second)));
    }
    let each = parts.into_iter().flatten().flat_map(|(first, second)| [Some(first), second]);
    let mut choices: Vec<Choice<'f>> = each.flatten().collect();
    choices.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let mut choices = choices.into_iter();
    let first = choices.next()?;
    let second = choices.find(|choice| !first.implies(choice));
    Some((first, second))
}

/// The first formula of some: kind, body, and what follows.
fn split(formulas: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = formulas.split_first()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    Some((*kind, body, rest))
}

fn literal(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = body.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

/// A literal without what says something of its neighbours.
pub(super) fn core(literal: &[u8]) -> &[u8] {
    let literal = literal.strip_prefix(&[EDGE]).unwrap_or(literal);
    literal.strip_suffix(&[EDGE]).unwrap_or(literal)
}

/// A byte, letters in lower case and all digits as one. Some other bytes are changed alike.
pub(super) fn folded(byte: u8) -> u8 {
    FOLD.get(usize::from(byte)).copied().unwrap_or_default()
}

const FOLD: [u8; 256] = {
    let mut fold = [0; 256];
    let mut byte = 0;
    while byte < fold.len() {
        let is_digit = byte == DIGIT as usize || (byte as u8).is_ascii_digit();
        #[expect(clippy::indexing_slicing, reason = "checked when the program is built")]
        {
            fold[byte] = if is_digit { b'0' } else { byte as u8 | 0x20 };
        }
        byte += 1;
    }
    fold
};

/// Whether a byte of a literal is a letter or a digit.
pub(super) fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == DIGIT
}

/// Leaves edges at the ends alone, where they say something.
fn tidy(literal: &mut Vec<u8>) {
    let starts = literal.first() == Some(&EDGE);
    let ends = literal.last() == Some(&EDGE);
    literal.retain(|byte| *byte != EDGE);
    let is_cut = literal.len() > MAX_LITERAL;
    literal.truncate(MAX_LITERAL);
    if ends && !is_cut && literal.last().is_some_and(|byte| is_of_word(*byte)) {
        literal.push(EDGE);
    }
    if starts && literal.first().is_some_and(|byte| is_of_word(*byte)) {
        literal.insert(0, EDGE);
    }
}

/// What is known of a part of a pattern.
struct Part {
    /// Everything that it matches, letters in lower case; nothing else is said then.
    exact: Option<Literals>,
    /// What every match starts with, what it then holds, and what it ends with: none of them overlaps another.
    head: Literals,
    inner: Formula,
    tail: Literals,
    /// What every match holds, wherever.
    whole: Formula,
}

impl Part {
    fn holding(inner: Formula) -> Self {
        Self { exact: None, head: nothing(), inner, tail: nothing(), whole: Formula::Anything }
    }

    fn exact(literals: Literals) -> Self {
        Self { exact: Some(literals), ..Self::holding(Formula::Anything) }
    }

    /// A byte, or the border of a line, beside which no word goes on.
    fn edge() -> Self {
        Self { head: edge(), tail: edge(), ..Self::holding(Formula::Anything) }
    }

    fn is_edge(&self) -> bool {
        self.exact.is_none() && self.head == edge() && self.tail == edge()
    }

    fn formula(self) -> Formula {
        let (head, tail) = (Formula::choice(self.head), Formula::choice(self.tail));
        let exact = self.exact.map_or(Formula::Anything, Formula::choice);
        Formula::both(Formula::all([exact, head, self.inner, tail]), self.whole)
    }
}

/// The empty text: nothing is known.
fn nothing() -> Literals {
    vec![Vec::new()]
}

fn edge() -> Literals {
    vec![vec![EDGE]]
}

/// Some literals, each followed by each of others; none where these are too many.
fn product(heads: &Literals, tails: &Literals) -> Option<Literals> {
    let size = |literals: &Literals| literals.iter().map(Vec::len).sum::<usize>();
    let is_product = tails.len() > 1 && heads.len() > 1;
    if (is_product && tails.len() * heads.len() > MAX_EXACT)
        || size(heads) * tails.len() + size(tails) * heads.len() > MAX_BYTES
    {
        return None;
    }
    let of = |head: &Vec<u8>, tail: &Vec<u8>| [head.as_slice(), tail].concat();
    Some(heads.iter().flat_map(|head| tails.iter().map(move |tail| of(head, tail))).collect())
}

/// Recursion is as deep as groups nest, which the parser bounds.
fn part(hir: &Hir) -> Part {
    match hir.kind() {
        HirKind::Look(Look::WordAsciiNegate | Look::WordUnicodeNegate) | HirKind::Empty => Part::exact(nothing()),
        HirKind::Look(_) => Part::exact(edge()),
        HirKind::Literal(literal) if literal.0.iter().any(|byte| matches!(*byte, EDGE | DIGIT)) => {
            Part::holding(Formula::Anything)
        }
        HirKind::Literal(literal) => Part::exact(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(Class::Bytes(class)) => one_of(class),
        HirKind::Class(Class::Unicode(class)) => Part::holding(characters(class)),
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = part(&repetition.sub);
            match (repetition.min, repetition.max) {
                (1, Some(1)) => sub,
                (1.., _) if sub.is_edge() => sub,
                (0, Some(1)) => match sub.exact {
                    Some(mut exact) => {
                        exact.push(Vec::new());
                        Part::exact(exact)
                    }
                    None => Part::holding(Formula::Anything),
                },
                (0, _) => Part::holding(Formula::Anything),
                (min, max) => match sub.exact.as_deref() {
                    // One text several times in a row.
                    Some([text]) if text.len().saturating_mul(min as usize) <= MAX_LITERAL => {
                        let row = vec![text.repeat(min as usize)];
                        if max == Some(min) {
                            Part::exact(row)
                        } else {
                            Part { tail: row.clone(), whole: Formula::choice(row), ..Part::holding(Formula::Anything) }
                        }
                    }
                    _ => {
                        // It ends as the last one does.
                        let tail = sub.exact.clone().unwrap_or_else(|| sub.tail.clone());
                        let one = sub.formula();
                        let whole = Formula::all(vec![one; (min as usize).min(MAX_ROW)]);
                        Part { tail, whole, ..Part::holding(Formula::Anything) }
                    }
                },
            }
        }
        HirKind::Alternation(parts) => alternation(parts),
        HirKind::Concat(parts) => concatenation(parts),
    }
}

/// Whether a part can match a line end.
fn breaks(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b'\n'))
        }
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'))
        }
        HirKind::Repetition(repetition) => breaks(&repetition.sub),
        HirKind::Capture(capture) => breaks(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(breaks),
    }
}

/// What stands on the line on which a part starts. Recursion is as deep as groups nest.
fn first_line(hir: &Hir) -> Formula {
    if !breaks(hir) {
        return part(hir).formula();
    }
    match hir.kind() {
        HirKind::Capture(capture) => first_line(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => first_line(&repetition.sub),
        HirKind::Alternation(parts) => Formula::some(parts.iter().map(first_line)),
        HirKind::Concat(parts) => {
            let whole = parts.iter().take_while(|part| !breaks(part)).count();
            let (before, after) = parts.split_at_checked(whole).unwrap_or((parts, &[]));
            let next = after.first().map_or(Formula::Anything, first_line);
            Formula::both(concatenation(before).formula(), next)
        }
        _ => Formula::Anything,
    }
}

/// What is known of one byte of a class.
fn one_of(class: &ClassBytes) -> Part {
    let ranges = || class.ranges().iter().map(|range| range.start()..=range.end());
    let has = |kinds: &[std::ops::RangeInclusive<u8>]| {
        let meet = |range: &std::ops::RangeInclusive<u8>| {
            kinds.iter().any(|kind| range.start() <= kind.end() && kind.start() <= range.end())
        };
        ranges().any(|range| meet(&range))
    };
    let len: usize = ranges().map(|range| range.len()).sum();
    if len > 1 && ranges().all(|range| range.start() >= &b'0' && range.end() <= &b'9') {
        return Part::exact(vec![vec![DIGIT]]);
    }
    if len > MAX_EDGE && !has(&[b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z']) {
        return Part::edge();
    }
    if len > 2 * MAX_CLASS || has(&[EDGE..=DIGIT]) {
        return Part::holding(Formula::Anything);
    }
    let mut literals: Literals = ranges().flatten().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
    literals.sort();
    literals.dedup();
    if literals.len() <= MAX_CLASS { Part::exact(literals) } else { Part::holding(Formula::Anything) }
}

/// Up to three bytes with which the characters of a class start in UTF-8.
fn characters(class: &ClassUnicode) -> Formula {
    let mut literals = Literals::new();
    for range in class.ranges() {
        for sequence in Utf8Sequences::new(range.start(), range.end()) {
            let mut heads: Literals = vec![Vec::new()];
            for bytes in sequence.as_slice().iter().take(3) {
                heads = (heads.iter())
                    .flat_map(|head| (bytes.start..=bytes.end).map(move |byte| [head.as_slice(), &[byte]].concat()))
                    .take(MAX_CHOICE + 1)
                    .collect();
            }
            literals.extend(heads);
            if literals.len() > MAX_CHOICE {
                return Formula::Anything;
            }
        }
    }
    Formula::choice(literals)
}

fn alternation(parts: &[Hir]) -> Part {
    let parts: Vec<Part> = parts.iter().map(part).collect();
    let count = parts.iter().try_fold(0, |sum: usize, part| Some(sum + part.exact.as_ref()?.len()));
    if count.is_some_and(|count| count <= MAX_CHOICE) {
        return Part::exact(parts.into_iter().filter_map(|part| part.exact).flatten().collect());
    }
    let tails = || parts.iter().flat_map(|part| part.exact.as_ref().unwrap_or(&part.tail));
    let has_tail = tails().all(|tail| !tail.is_empty()) && tails().count() <= MAX_EXACT;
    let tail = if has_tail { tails().cloned().collect() } else { nothing() };
    // Where a part is nothing but one literal, its head would be its tail.
    let heads = || parts.iter().flat_map(|part| &part.head);
    let is_open = parts.iter().all(|part| part.exact.is_none());
    let has_head = is_open && heads().all(|head| !head.is_empty()) && heads().count() <= MAX_EXACT;
    let head = if has_head { heads().cloned().collect() } else { nothing() };
    let whole = Formula::some(parts.into_iter().map(Part::formula));
    // Either end is part of the whole: with one, the place of the whole is not known.
    if has_head || has_tail {
        Part { head, tail, whole, ..Part::holding(Formula::Anything) }
    } else {
        Part::holding(whole)
    }
}

fn concatenation(parts: &[Hir]) -> Part {
    let mut head = None;
    let mut inner = Vec::new();
    let mut whole = Formula::Anything;
    // What the parts since the last gap match.
    let mut run = nothing();
    let mut put = |run: Literals, then: Option<Formula>| {
        match &head {
            None => head = Some(run),
            Some(_) => inner.push(Formula::choice(run)),
        }
        inner.extend(then);
    };
    for part in parts.iter().map(part) {
        let next = part.exact.as_ref().unwrap_or(&part.head);
        let joined = product(&run, next);
        match (joined, part.exact) {
            (Some(joined), Some(_)) => run = joined,
            (Some(joined), None) => {
                put(joined, Some(part.inner));
                run = part.tail;
            }
            (None, Some(exact)) => put(std::mem::replace(&mut run, exact), None),
            (None, None) => {
                put(std::mem::replace(&mut run, part.tail), None);
                put(part.head, Some(part.inner));
            }
        }
        whole = Formula::both(whole, part.whole);
    }
    match head {
        None => Part { whole, ..Part::exact(run) },
        Some(head) => Part { exact: None, head, inner: Formula::all(inner), tail: run, whole },
    }
}

#[cfg(test)]
#[path = "formula_tests.rs"]
mod tests;
