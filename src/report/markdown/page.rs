//! The page: blocks of Markdown under a budget of bytes.
//!
//! Every line begins with a sign or a word of ours, and what is shown of others stands on one line, in code or in plain
//! words; so nothing from outside ever begins a line, where Markdown looks for blocks.

/// Bytes that the whole text may have. A comment takes 65,536 characters, a job summary 1 MiB; no character is shorter
/// than a byte.
pub(super) const BYTES: usize = 60_000;

/// Entries of a list that are in view. The others are one click away.
const IN_VIEW: usize = 15;

/// Commands that are shown. Who has more to clear does it by other means than copying.
const COMMANDS: usize = 20;

/// The text so far.
pub(super) struct Page {
    out: String,
}

/// One thing said in a list: a first line and lines below it, each without its bullet.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) first: String,
    pub(super) below: Vec<String>,
}

impl Entry {
    pub(super) fn new(first: String) -> Self {
        Self { first, below: Vec::new() }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!("- {}\n", self.first));
        for line in &self.below {
            out.push_str(&format!("  - {line}\n"));
        }
    }
}

impl Page {
    pub(super) fn new(marker: &str) -> Self {
        Self { out: format!("{marker}\n") }
    }

    /// A line of our own as its own paragraph.
    pub(super) fn paragraph(&mut self, line: &str) {
        self.out.push_str(&format!("{line}\n\n"));
    }

    /// A list in view under a title; its end is folded away where it is long. Nothing where there are no entries.
    /// `until`: the bytes of the page that may be used up to here.
    pub(super) fn list(&mut self, title: &str, entries: Vec<impl FnOnce() -> Entry>, until: usize) {
        if entries.is_empty() {
            return;
        }
        self.paragraph(&format!("**{title}**"));
        let folded = entries.len().saturating_sub(IN_VIEW);
        let mut entries = entries.into_iter();
        let left = self.entries(entries.by_ref().take(IN_VIEW), until);
        if left > 0 {
            self.more(left + folded);
        } else if folded > 0 {
            self.details(&format!("{folded} more"), entries.collect(), until);
        }
    }

    /// A list that is folded away.
    pub(super) fn details(&mut self, summary: &str, entries: Vec<impl FnOnce() -> Entry>, until: usize) {
        if entries.is_empty() {
            return;
        }
        self.out.push_str(&format!("<details><summary>{summary}</summary>\n\n"));
        let left = self.entries(entries.into_iter(), until);
        if left > 0 {
            self.more(left);
        }
        self.out.push_str("</details>\n\n");
    }

    /// Writes entries as long as they fit, and says how many do not.
    fn entries(&mut self, entries: impl Iterator<Item = impl FnOnce() -> Entry>, until: usize) -> usize {
        let mut left = 0;
        let mut text = String::new();
        for entry in entries {
            // Once one does not fit, those behind it are only counted: their order is their importance.
            if left == 0 {
                text.clear();
                entry().write(&mut text);
                if self.out.len() + text.len() <= until {
                    self.out.push_str(&text);
                    continue;
                }
            }
            left += 1;
        }
        self.out.push('\n');
        left
    }

    fn more(&mut self, n: usize) {
        self.paragraph(&format!("… and {n} more (see the JSON report)"));
    }

    /// Commands to copy, each on one line. They begin with a word of ours, so none can close the block.
    pub(super) fn commands(&mut self, commands: &[String], until: usize) {
        self.out.push_str("```sh\n");
        let mut left = 0;
        for (index, command) in commands.iter().enumerate() {
            if left == 0 && index < COMMANDS && self.out.len() + command.len() < until {
                self.out.push_str(&format!("{command}\n"));
            } else {
                left += 1;
            }
        }
        self.out.push_str("```\n\n");
        if left > 0 {
            self.more(left);
        }
    }

    pub(super) fn finish(self, last: &str) -> String {
        format!("{}{last}\n", self.out)
    }
}
