//! Versions as PEP 440 has them: read, and put in order.
//!
//! Numbers are kept as texts and compared by length first: a version may hold more digits than any machine word.

use std::cmp::Ordering;

/// A number of any length, without leading zeros; zero is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits<'v>(&'v str);

impl<'v> Digits<'v> {
    fn new(text: &'v str) -> Self {
        Self(text.trim_start_matches('0'))
    }

    const ZERO: Self = Self("");

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_empty()
    }

    /// The digits; `0` for zero.
    #[must_use]
    pub const fn as_str(self) -> &'v str {
        if self.0.is_empty() { "0" } else { self.0 }
    }
}

impl Ord for Digits<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Digits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The phase of a pre-release, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// Spellings of the phases, the longer ones first where one starts with another.
const PHASES: &[(&str, Phase)] = &[
    ("alpha", Phase::Alpha),
    ("a", Phase::Alpha),
    ("beta", Phase::Beta),
    ("b", Phase::Beta),
    ("preview", Phase::Candidate),
    ("pre", Phase::Candidate),
    ("rc", Phase::Candidate),
    ("c", Phase::Candidate),
];

/// A version.
#[derive(Debug, Clone)]
pub struct Version<'v> {
    epoch: Digits<'v>,
    /// The numbers between the dots, trailing zeros included.
    release: Vec<Digits<'v>>,
    pre: Option<(Phase, Digits<'v>)>,
    post: Option<Digits<'v>>,
    dev: Option<Digits<'v>>,
    /// What follows the plus sign.
    local: Option<&'v str>,
}

impl<'v> Version<'v> {
    /// Reads a version by the permissive grammar (PEP 440, appendix B); `None` where it is none.
    #[must_use]
    pub fn parse(text: &'v str) -> Option<Self> {
        let text = text.trim_ascii();
        let (public, local) = match text.split_once('+') {
            Some((public, local)) if is_local(local) => (public, Some(local)),
            Some(_) => return None,
            None => (text, None),
        };
        let mut rest = public.strip_prefix(['v', 'V']).unwrap_or(public);
        let epoch = match rest.split_once('!') {
            Some((epoch, after)) if is_digits(epoch) => {
                rest = after;
                Digits::new(epoch)
            }
            Some(_) => return None,
            None => Digits::ZERO,
        };
        let mut release = vec![Digits::new(digits(&mut rest)?)];
        while let Some(after) = rest.strip_prefix('.')
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            rest = after;
            release.push(Digits::new(digits(&mut rest)?));
        }
        let pre = PHASES.iter().find_map(|(word, phase)| labelled(&mut rest, word).map(|number| (*phase, number)));
        let post =
            implicit_post(&mut rest).or_else(|| ["post", "rev", "r"].iter().find_map(|word| labelled(&mut rest, word)));
        let dev = labelled(&mut rest, "dev");
        rest.is_empty().then_some(Self { epoch, release, pre, post, dev, local })
    }

    /// Whether it is a pre-release or a developmental one.
    #[must_use]
    pub const fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// Whether it is a post-release.
    #[must_use]
    pub const fn is_post(&self) -> bool {
        self.post.is_some()
    }

    /// Whether it has a local part.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// The numbers between the dots.
    #[must_use]
    pub fn release(&self) -> &[Digits<'v>] {
        &self.release
    }

    /// The epoch; zero where none is written.
    #[must_use]
    pub const fn epoch(&self) -> Digits<'v> {
        self.epoch
    }

    /// The version without its local part.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.local = None;
        self
    }

    /// Whether epoch and release are equal.
    #[must_use]
    pub fn has_base_of(&self, other: &Self) -> bool {
        self.epoch == other.epoch && trimmed(&self.release) == trimmed(&other.release)
    }

    /// Whether it can be a pre-release of another version: of its release, or the developmental one of its post-release.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        self.has_base_of(other) && (other.post.is_none() || (self.post, self.pre) == (other.post, other.pre))
    }

    /// Whether it is the other version but for its post-release.
    #[must_use]
    pub fn has_post_of(&self, other: &Self) -> bool {
        self.has_base_of(other) && self.pre == other.pre && other.dev.is_none()
    }

    /// Whether the first numbers of the release are these, zeros standing in for missing ones.
    #[must_use]
    pub fn starts_with(&self, prefix: &[Digits<'_>]) -> bool {
        let own = self.release.iter().copied().chain(std::iter::repeat(Digits::ZERO));
        prefix.iter().zip(own).all(|(wanted, own)| *wanted == own)
    }
}

impl Ord for Version<'_> {
    /// The order of PEP 440's summary: developmental releases before alphas, the release before its post-releases.
    fn cmp(&self, other: &Self) -> Ordering {
        /// Before every phase, a phase, or after all of them.
        fn phase<'v>(version: &Version<'v>) -> (u8, Option<(Phase, Digits<'v>)>) {
            match version.pre {
                Some(pre) => (1, Some(pre)),
                None if version.post.is_none() && version.dev.is_some() => (0, None),
                None => (2, None),
            }
        }
        let dev = |version: &Self| version.dev.is_none();
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| trimmed(&self.release).cmp(trimmed(&other.release)))
            .then_with(|| phase(self).cmp(&phase(other)))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| match (self.dev, other.dev) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => dev(self).cmp(&dev(other)),
            })
            .then_with(|| compare_local(self.local, other.local))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version<'_> {}

/// Whether a text is a number.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_local(text: &str) -> bool {
    text.split(['.', '-', '_']).all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Takes the number at the start.
fn digits<'v>(rest: &mut &'v str) -> Option<&'v str> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at_checked(end)?;
    *rest = after;
    (!number.is_empty()).then_some(number)
}

fn separator(text: &str) -> &str {
    text.strip_prefix(['-', '_', '.']).unwrap_or(text)
}

/// Takes a word and its number, each with a separator before it if there is one. No number is zero.
fn labelled<'v>(rest: &mut &'v str, word: &str) -> Option<Digits<'v>> {
    let (found, after) = separator(rest).split_at_checked(word.len())?;
    if !found.eq_ignore_ascii_case(word) {
        return None;
    }
    *rest = separator(after);
    Some(digits(rest).map_or(Digits::ZERO, Digits::new))
}

/// Takes the short form of a post-release, a hyphen and a number.
fn implicit_post<'v>(rest: &mut &'v str) -> Option<Digits<'v>> {
    let mut after = rest.strip_prefix('-')?;
    let number = digits(&mut after)?;
    *rest = after;
    Some(Digits::new(number))
}

/// The release without trailing zeros.
fn trimmed<'r, 'v>(release: &'r [Digits<'v>]) -> &'r [Digits<'v>] {
    let end = release.iter().rposition(|number| !number.is_zero()).map_or(0, |at| at + 1);
    release.get(..end).unwrap_or_default()
}

/// Numbers sort after words, more parts after fewer.
fn compare_local(a: Option<&str>, b: Option<&str>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else {
        return a.is_some().cmp(&b.is_some());
    };
    let part = |a: &str, b: &str| match (is_digits(a), is_digits(b)) {
        (true, true) => Digits::new(a).cmp(&Digits::new(b)),
        (false, false) => {
            let lower = |text: &'_ str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
            lower(a).cmp(&lower(b))
        }
        (is_number, _) => {
            if is_number {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
    };
    let (mut left, mut right) = (a.split(['.', '-', '_']), b.split(['.', '-', '_']));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match part(a, b) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}
