//! Layout: rows in columns, labelled details, wrapping, colour. Everything printed is escaped here, before it is
//! measured, so that no caller can forget to.

use unicode_width::UnicodeWidthChar;

use super::super::Look;
use super::super::escape;

/// Columns where the sink is no terminal.
const COLUMNS: usize = 100;
/// Columns below which nothing readable fits; a narrower terminal wraps by itself.
const NARROWEST: usize = 40;
/// Where rows begin, where their texts begin, where details begin, and where the text of a labelled detail begins.
const ROW: usize = 2;
const TEXT: usize = 4;
const DETAIL: usize = 6;
const LABELLED: usize = 21;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
}

impl Tone {
    /// The SGR parameter (ECMA-48, 8.3.117).
    const fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Green => "32",
        })
    }
}

/// The sign at the start of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Deny,
    Review,
    Covered,
    Note,
}

impl Mark {
    const fn sign(self) -> &'static str {
        match self {
            Self::Deny => "✗",
            Self::Review => "!",
            Self::Covered => "✓",
            Self::Note => "·",
        }
    }

    /// The colour that goes with the sign.
    pub(super) const fn tone(self) -> Tone {
        match self {
            Self::Deny => Tone::Red,
            Self::Review => Tone::Yellow,
            Self::Covered => Tone::Green,
            Self::Note => Tone::Dim,
        }
    }
}

/// What a row says, cell by cell.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub mark: Mark,
    /// Without an ecosystem the name takes its column too.
    pub ecosystem: Option<&'static str>,
    pub name: String,
    pub place: String,
    pub level: String,
    pub last: String,
}

/// One thing in a section.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Row(Row),
    /// Text under a row, after a label or, with an empty one, at the label's place.
    Detail {
        label: &'static str,
        text: String,
        tone: Tone,
    },
    /// A marked sentence under a row.
    Said {
        mark: Mark,
        text: String,
    },
    /// A marked sentence that stands for rows.
    Line {
        mark: Mark,
        text: String,
    },
    /// A command to copy: never wrapped, because a line break would cut it in two.
    Command {
        label: &'static str,
        text: String,
    },
}

/// A titled part of the report.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub title: &'static str,
    pub items: Vec<Item>,
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Widths of the columns of all rows, so that sections line up with each other.
#[derive(Clone, Copy)]
struct Stops {
    ecosystem: usize,
    name: usize,
    place: usize,
}

impl Stops {
    /// Room for most rows; a longer cell pushes the rest of its own row.
    fn of(sections: &[Section]) -> Self {
        let rows = || {
            sections.iter().flat_map(|section| &section.items).filter_map(|item| match item {
                Item::Row(row) => Some(row),
                _ => None,
            })
        };
        let ecosystem = rows().filter_map(|row| row.ecosystem).map(width).max().unwrap_or(0).max(5);
        let names = rows().filter(|row| row.ecosystem.is_some()).map(|row| width(&escape::terminal(&row.name)));
        Self { ecosystem: ecosystem + 2, name: names.max().unwrap_or(0).clamp(20, 30) + 2, place: 24 }
    }
}

/// The report as it grows.
pub(super) struct Page {
    out: String,
    width: usize,
    colour: bool,
}

impl Page {
    pub(super) fn new(look: &Look) -> Self {
        let width = if look.width == 0 { COLUMNS } else { look.width.max(NARROWEST) };
        Self { out: String::new(), width, colour: look.colour }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Sections, each with an empty line before it.
    pub(super) fn sections(&mut self, sections: &[Section]) {
        let stops = Stops::of(sections);
        for section in sections {
            self.blank();
            self.line(ROW, TEXT, &[(Tone::Bold, section.title)]);
            for item in &section.items {
                self.item(item, stops);
            }
        }
    }

    fn item(&mut self, item: &Item, stops: Stops) {
        match item {
            Item::Row(row) => self.row(row, stops),
            Item::Detail { label: "", text, tone } => self.line(DETAIL, DETAIL + 2, &[(*tone, text)]),
            Item::Detail { label, text, tone } => {
                let label = pad(label, LABELLED - DETAIL - 1, 0);
                self.line(DETAIL, LABELLED, &[(Tone::Dim, &label), (*tone, text)]);
            }
            Item::Said { mark, text } => {
                let tone = if *mark == Mark::Note { Tone::Dim } else { Tone::Plain };
                self.line(DETAIL, DETAIL + 2, &[(mark.tone(), mark.sign()), (tone, text)]);
            }
            Item::Line { mark, text } => {
                let tone = if *mark == Mark::Note { Tone::Dim } else { Tone::Plain };
                self.line(ROW, TEXT, &[(mark.tone(), mark.sign()), (tone, text)]);
            }
            Item::Command { label, text } => {
                let label = pad(label, LABELLED - DETAIL - 1, 0);
                self.put(vec![
                    (Tone::Plain, " ".repeat(DETAIL)),
                    (Tone::Dim, format!("{label} ")),
                    (Tone::Plain, escape::terminal(text)),
                ]);
            }
        }
    }

    fn row(&mut self, row: &Row, stops: Stops) {
        let (name, place, level, last) =
            (escape::terminal(&row.name), escape::terminal(&row.place), &row.level, escape::terminal(&row.last));
        let level = escape::terminal(level);
        let name_stop = stops.name + if row.ecosystem.is_none() { stops.ecosystem } else { 0 };
        let mut cells = vec![(row.mark.tone(), pad(row.mark.sign(), TEXT - ROW, 1))];
        if let Some(ecosystem) = row.ecosystem {
            cells.push((Tone::Dim, pad(ecosystem, stops.ecosystem, 2)));
        }
        cells.push((Tone::Bold, pad(&name, name_stop, 2)));
        cells.push((Tone::Plain, pad(&place, stops.place, 2)));
        cells.push((row.mark.tone(), pad(&level, 8, 2)));
        cells.push((Tone::Plain, last));
        let total: usize = ROW + cells.iter().map(|(_, cell)| width(cell)).sum::<usize>();
        if total <= self.width {
            let mut line = vec![(Tone::Plain, " ".repeat(ROW))];
            line.append(&mut cells);
            self.put(line);
        } else {
            // Too wide for columns: the same cells as running text, with two blanks between them.
            let cells: Vec<(Tone, &str)> = cells
                .iter()
                .map(|(tone, cell)| (*tone, cell.trim_end()))
                .filter(|(_, cell)| !cell.is_empty())
                .collect();
            let mut words: Vec<(Tone, &str)> = Vec::new();
            for (n, cell) in cells.into_iter().enumerate() {
                if n > 1 {
                    words.push((Tone::Plain, ""));
                }
                words.push(cell);
            }
            self.line(ROW, TEXT, &words);
        }
    }

    /// Pieces with a space between them, wrapped at spaces; later lines begin at `hang`. A word longer than a line is
    /// cut where the line ends.
    pub(super) fn line(&mut self, indent: usize, hang: usize, pieces: &[(Tone, &str)]) {
        let mut line: Vec<(Tone, String)> = vec![(Tone::Plain, " ".repeat(indent))];
        let mut at = indent;
        let mut fresh = true;
        for (tone, piece) in pieces {
            let piece = escape::terminal(piece);
            for word in piece.split(' ') {
                let wide = width(word);
                let gap = usize::from(!fresh);
                if at + gap + wide > self.width && !fresh {
                    self.put(std::mem::replace(&mut line, vec![(Tone::Plain, " ".repeat(hang))]));
                    at = hang;
                    // A second blank between words is no word to begin a line with.
                    fresh = word.is_empty();
                } else {
                    line.push((*tone, " ".repeat(gap)));
                    at += gap;
                    fresh = false;
                }
                let mut rest = String::new();
                for c in word.chars() {
                    if at + columns(c) > self.width {
                        // A runner of builds obeys lines that begin with colons: one never does.
                        let mut carried = String::new();
                        while c == ':' && carried.chars().next().is_none_or(|first| first == ':') {
                            let Some(last) = rest.pop() else { break };
                            carried.insert(0, last);
                        }
                        line.push((*tone, std::mem::replace(&mut rest, carried)));
                        self.put(std::mem::replace(&mut line, vec![(Tone::Plain, " ".repeat(hang))]));
                        at = hang + width(&rest);
                    }
                    rest.push(c);
                    at += columns(c);
                }
                line.push((*tone, rest));
            }
        }
        self.put(line);
    }

    /// One line, cut off where it would pass the width.
    pub(super) fn cut(&mut self, pieces: &[(Tone, &str)]) {
        let mut left = self.width;
        let whole: usize =
            pieces.iter().map(|(_, p)| width(&escape::terminal(p))).sum::<usize>() + pieces.len().saturating_sub(1);
        let mut line = Vec::new();
        if whole > left {
            left = left.saturating_sub(1);
        }
        'pieces: for (n, (tone, piece)) in pieces.iter().enumerate() {
            let space = if n > 0 { " " } else { "" };
            let mut kept = String::new();
            for c in format!("{space}{}", escape::terminal(piece)).chars() {
                if columns(c) > left {
                    line.push((*tone, format!("{}…", kept.trim_end())));
                    break 'pieces;
                }
                left -= columns(c);
                kept.push(c);
            }
            line.push((*tone, kept));
        }
        self.put(line);
    }

    /// Writes escaped pieces as one line, without blanks at its end.
    fn put(&mut self, mut line: Vec<(Tone, String)>) {
        while let Some((_, last)) = line.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
            if !last.is_empty() {
                break;
            }
            line.pop();
        }
        let mut current = Tone::Plain;
        for (tone, text) in &line {
            if self.colour && *tone != current {
                if current != Tone::Plain {
                    self.out.push_str("\u{1b}[0m");
                }
                if let Some(code) = tone.code() {
                    self.out.push_str(&format!("\u{1b}[{code}m"));
                }
                current = *tone;
            }
            self.out.push_str(text);
        }
        if current != Tone::Plain {
            self.out.push_str("\u{1b}[0m");
        }
        self.out.push('\n');
    }
}

/// A text filled up to a width, with at least one blank, or two between cells, before what follows.
fn pad(text: &str, to: usize, least: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text)).max(least)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, colour: bool) -> Page {
        Page::new(&Look { width, colour, ..Look::default() })
    }

    #[test]
    fn lines_wrap_at_spaces_and_long_words_are_cut() {
        let mut page = page(40, false);
        page.line(2, 4, &[(Tone::Plain, "one two three four five six seven eight")]);
        page.line(0, 4, &[(Tone::Plain, &"x".repeat(50))]);
        let expected = "  one two three four five six seven\n    eight\n";
        assert_eq!(page.finish(), format!("{expected}{}\n    {}\n", "x".repeat(40), "x".repeat(10)));
    }

    #[test]
    fn no_line_begins_with_colons() {
        for n in 30..50 {
            let mut page = page(40, false);
            page.line(0, 4, &[(Tone::Plain, &format!("{}::stop-commands::x", "x".repeat(n)))]);
            assert!(!page.finish().lines().any(|line| line.trim_start().starts_with("::")), "{n}");
        }
    }

    #[test]
    fn wide_characters_count_as_two() {
        let mut page = page(40, false);
        page.line(0, 0, &[(Tone::Plain, &"寸".repeat(21))]);
        assert_eq!(page.finish(), format!("{}\n寸\n", "寸".repeat(20)));
    }

    #[test]
    fn colour_ends_where_its_text_ends() {
        let mut page = page(40, true);
        page.line(0, 0, &[(Tone::Red, "no"), (Tone::Plain, "more")]);
        assert_eq!(page.finish(), "\u{1b}[31mno\u{1b}[0m more\n");
    }

    #[test]
    fn a_cut_line_says_so() {
        let mut page = page(40, false);
        page.cut(&[(Tone::Red, "deny"), (Tone::Plain, &"word ".repeat(20))]);
        let text = page.finish();
        assert!(text.trim_end().ends_with('…') && width(text.trim_end()) <= 40, "{text}");
    }
}
