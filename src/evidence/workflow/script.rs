//! The text of a `run:`, cut into commands.
//!
//! Enough of the shell's grammar (POSIX.1-2024, "Shell Command Language") to know which program is called with which
//! words, what is piped into what, what stands inside of what (`$(…)`, backquotes, `<(…)`, `(…)`) and where output is
//! sent. PowerShell reads close enough for the same questions. One pass over the bytes; brackets inside brackets are
//! kept on a pile, `MAX_OPEN` of them, and what is deeper is text. Nothing is expanded: `$NAME` stays in its word.

use super::expression;

/// Brackets inside brackets that are told apart.
const MAX_OPEN: usize = 64;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `;`, a line's end.
    End,
    /// `|`
    Pipe,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `&`
    Background,
}

/// What a command stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// `$(…)` or backquotes of another command.
    Substitution,
    /// `<(…)` of another command.
    Process,
    /// `(…)`; of another command where one is open.
    Group,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// Its words, without quotes.
    pub words: Vec<String>,
    /// Where its output goes: `>` and `>>`.
    pub into: Vec<String>,
    /// Where its input comes from: `<`.
    pub from: Vec<String>,
    /// The text of a here-document.
    pub here: String,
    /// How it ends.
    pub joint: Joint,
    /// The line of its first word, counted from 0 in the script.
    pub line: u32,
    /// The command that it stands in, among all, and how.
    pub parent: Option<(usize, Inside)>,
    /// The command before it whose output it reads.
    pub reads: Option<usize>,
}

impl Command {
    /// The program and what it is given: without assignments, keywords and programs that run programs.
    pub fn call(&self) -> (&str, &[String]) {
        let mut words = self.words.as_slice();
        while let Some((first, rest)) = words.split_first() {
            let name = first.as_str();
            let is_assignment = name.split_once('=').is_some_and(|(name, _)| is_name(name));
            let runs = matches!(
                name,
                "if" | "then"
                    | "else"
                    | "elif"
                    | "while"
                    | "until"
                    | "do"
                    | "!"
                    | "{"
                    | "sudo"
                    | "env"
                    | "exec"
                    | "command"
                    | "builtin"
                    | "nohup"
                    | "time"
                    | "nice"
                    | "stdbuf"
                    | "doas"
                    | "&"
                    | "timeout"
                    | "retry"
                    | "busybox"
                    | "xvfb-run"
            );
            if !is_assignment && !runs {
                break;
            }
            words = rest;
            // Options of such a program, and the time that `timeout` is given.
            while let Some((option, rest)) = words.split_first()
                && runs
                && !rest.is_empty()
                && (option.starts_with('-') || (name == "timeout" && option.starts_with(|c: char| c.is_ascii_digit())))
            {
                words = rest;
            }
        }
        words.split_first().map_or(("", &[]), |(first, rest)| (base(first), rest))
    }

    /// The program's name in lower case.
    pub fn program(&self) -> String {
        let name = self.call().0.to_ascii_lowercase();
        name.strip_suffix(".exe").unwrap_or(&name).to_owned()
    }
}

/// The last part of a path.
pub(super) fn base(word: &str) -> &str {
    word.rsplit(['/', '\\']).next().unwrap_or(word)
}

/// Whether a text is the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Names of variables in a word: `$NAME`, `${NAME…}`, `$env:NAME`, `%NAME%`.
pub(super) fn variables(word: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, part) in word.split('$').enumerate() {
        if at > 0 {
            let part = part.strip_prefix('{').unwrap_or(part);
            let part = part.strip_prefix(['!', '#']).unwrap_or(part);
            let part = part.get(4..).filter(|_| part.to_ascii_lowercase().starts_with("env:")).unwrap_or(part);
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            found.extend(part.get(..end).filter(|name| is_name(name)));
        }
    }
    found.extend(word.split('%').skip(1).step_by(2).filter(|name| is_name(name)));
    found
}

/// What is open: whether it is a double-quoted string, and what closes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Quotes,
    Bracket(char, usize),
}

struct Reader {
    commands: Vec<Command>,
    /// The command at hand and the word at hand in it.
    current: usize,
    word: Option<String>,
    /// The line that it begins on.
    word_line: u32,
    /// Whether the next word is where output goes (`Some(true)`) or input comes from.
    redirect: Option<bool>,
    open: Vec<Open>,
    line: u32,
    /// Delimiters of here-documents that begin on the next line, with the command that reads each.
    heres: Vec<(String, usize)>,
    is_here: bool,
}

/// Cuts a script into its commands.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader {
        commands: Vec::new(),
        current: 0,
        word: None,
        word_line: 0,
        redirect: None,
        open: Vec::new(),
        line: 0,
        heres: Vec::new(),
        is_here: false,
    };
    reader.start(None, None);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let size = reader.take(c, rest);
        rest = rest.get(size.max(c.len_utf8())..).unwrap_or_default();
    }
    reader.end(Joint::End, None);
    reader.commands
}

impl Reader {
    fn start(&mut self, parent: Option<(usize, Inside)>, reads: Option<usize>) {
        let (line, words, into, from) = (self.line, Vec::new(), Vec::new(), Vec::new());
        self.current = self.commands.len();
        self.commands.push(Command { words, into, from, here: String::new(), joint: Joint::End, line, parent, reads });
    }

    fn push(&mut self, text: &str) {
        if self.word.is_none() {
            self.word_line = self.line;
        }
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let is_here = std::mem::take(&mut self.is_here);
        let redirect = self.redirect.take();
        let (current, line) = (self.current, self.word_line);
        if is_here {
            return self.heres.push((word.trim_start_matches('-').to_owned(), current));
        }
        let Some(command) = self.commands.get_mut(current) else { return };
        match redirect {
            Some(true) => command.into.push(word),
            Some(false) => command.from.push(word),
            None => {
                if command.words.is_empty() {
                    command.line = line;
                }
                command.words.push(word);
            }
        }
    }

    fn end(&mut self, joint: Joint, next: Option<()>) {
        self.end_word();
        let current = self.current;
        let Some(command) = self.commands.get_mut(current) else { return };
        let parent = command.parent;
        let is_empty = command.words.is_empty() && command.into.is_empty();
        if !is_empty {
            command.joint = joint;
        }
        if next.is_some() && !(is_empty && joint == Joint::End) {
            self.start(parent, (joint == Joint::Pipe).then_some(current));
        }
    }

    fn open(&mut self, inside: Inside, closes: char) {
        // What stands in it takes part in a word of the command around it.
        self.push("$()");
        if self.open.len() >= MAX_OPEN {
            return;
        }
        let outer = self.current;
        let word = self.word.take();
        if let (Some(word), Some(command)) = (word, self.commands.get_mut(outer)) {
            if command.words.is_empty() {
                command.line = self.word_line;
            }
            command.words.push(word);
        }
        self.open.push(Open::Bracket(closes, outer));
        self.start(Some((outer, inside)), None);
    }

    /// Closes the innermost bracket, if that is what the character closes.
    fn close(&mut self, c: char) -> bool {
        let Some(Open::Bracket(closes, outer)) = self.open.last().copied() else { return false };
        if closes != c {
            return false;
        }
        self.end(Joint::End, None);
        self.open.pop();
        self.current = outer;
        // What follows belongs to the same word.
        self.word = self.commands.get_mut(outer).and_then(|command| command.words.pop());
        true
    }

    /// Takes what begins with `c`; how many bytes that is.
    fn take(&mut self, c: char, rest: &str) -> usize {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\n' {
            self.line += 1;
        }
        if rest.starts_with("${{") {
            let size = 3 + expression::length_of(after.get(2..).unwrap_or_default()) + 2;
            let text = rest.get(..size).unwrap_or(rest);
            self.line += text.bytes().filter(|b| *b == b'\n').count() as u32;
            self.push(text);
            return text.len();
        }
        let in_quotes = self.open.last() == Some(&Open::Quotes);
        match c {
            '\\' => self.backslash(after),
            '"' => {
                if in_quotes {
                    self.open.pop();
                } else if self.open.len() < MAX_OPEN {
                    self.open.push(Open::Quotes);
                }
                self.push("");
                1
            }
            '$' if after.starts_with("((") => {
                self.push("$");
                1
            }
            '$' if after.starts_with('(') => {
                self.open(Inside::Substitution, ')');
                2
            }
            '`' => {
                // PowerShell's line continuation, not the start of a command.
                if after.starts_with('\n') || after.starts_with("\r\n") {
                    self.line += 1;
                    return after.find('\n').map_or(1, |at| at + 2);
                }
                if !self.close('`') {
                    self.open(Inside::Substitution, '`');
                }
                1
            }
            _ if in_quotes => {
                self.push(rest.get(..c.len_utf8()).unwrap_or_default());
                c.len_utf8()
            }
            '\'' => {
                let size = after.find('\'').unwrap_or(after.len());
                let text = after.get(..size).unwrap_or_default();
                self.line += text.bytes().filter(|b| *b == b'\n').count() as u32;
                self.push(text);
                (size + 2).min(rest.len())
            }
            _ => self.bare(c, rest, after),
        }
    }

    /// Takes a backslash with what it quotes; how many bytes that is.
    fn backslash(&mut self, after: &str) -> usize {
        let next = after.chars().next().unwrap_or_default();
        let line = u32::from(next == '\n');
        self.line += line;
        // A backslash before a word's middle of Windows' paths stays.
        if line == 0 && next.is_ascii_alphanumeric() {
            self.push("\\");
            return 1;
        }
        if line == 0 {
            self.push(after.get(..next.len_utf8()).unwrap_or_default());
        }
        1 + next.len_utf8().min(after.len())
    }

    /// What stands outside of quotes.
    fn bare(&mut self, c: char, rest: &str, after: &str) -> usize {
        match c {
            '\n' => {
                self.end(Joint::End, Some(()));
                1 + self.here_documents(after)
            }
            '#' if self.word.is_none() => after.find('\n').map_or(rest.len(), |at| at + 1),
            '<' | '>' => self.angle(c, after),
            ';' => {
                self.end(Joint::End, Some(()));
                1
            }
            '&' if after.starts_with('>') => {
                self.end_word();
                1
            }
            '|' | '&' => {
                let is_twice = after.starts_with(c);
                let joint = match (c, is_twice) {
                    ('|', true) => Joint::Or,
                    ('|', false) => Joint::Pipe,
                    (_, true) => Joint::And,
                    _ => Joint::Background,
                };
                // PowerShell's call operator stands before a word.
                let is_call = joint == Joint::Background
                    && self.word.is_none()
                    && self.commands.get(self.current).is_some_and(|command| command.words.is_empty());
                if !is_call {
                    self.end(joint, Some(()));
                }
                1 + usize::from(is_twice) + usize::from(joint == Joint::Pipe && after.starts_with('&'))
            }
            '(' => {
                self.open(Inside::Group, ')');
                1
            }
            ')' => {
                if !self.close(')') {
                    self.end(Joint::End, Some(()));
                }
                1
            }
            _ if c.is_whitespace() => {
                self.end_word();
                c.len_utf8()
            }
            _ => {
                self.push(rest.get(..c.len_utf8()).unwrap_or_default());
                c.len_utf8()
            }
        }
    }

    /// `<`, `>` and what they begin; how many bytes that is.
    fn angle(&mut self, c: char, after: &str) -> usize {
        match c {
            _ if after.starts_with('(') => {
                self.end_word();
                self.open(Inside::Process, ')');
                2
            }
            '<' if after.starts_with("<<") => {
                // A here-string is a word that is read.
                self.end_word();
                3
            }
            '<' if after.starts_with('<') => {
                self.end_word();
                self.is_here = true;
                2 + usize::from(after.starts_with("<-"))
            }
            _ => {
                // `2>` and `&>`: a digit before it is no word.
                if self.word.as_deref().is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()) && word.len() == 1)
                {
                    self.word = None;
                }
                self.end_word();
                self.redirect = Some(c == '>');
                let more = after.bytes().take_while(|b| matches!(b, b'>' | b'|')).count();
                if after.starts_with('&') { 2 } else { 1 + more }
            }
        }
    }

    /// Takes the here-documents that begin here; how many bytes they are.
    fn here_documents(&mut self, after: &str) -> usize {
        let mut size = 0;
        for (delimiter, command) in std::mem::take(&mut self.heres) {
            let mut body = String::new();
            for line in after.get(size..).unwrap_or_default().split_inclusive('\n') {
                size += line.len();
                self.line += u32::from(line.ends_with('\n'));
                if line.trim() == delimiter {
                    break;
                }
                body.push_str(line);
            }
            if let Some(command) = self.commands.get_mut(command) {
                command.here.push_str(&body);
            }
        }
        size
    }
}
