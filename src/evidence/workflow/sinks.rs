//! What commands of a script write to the files that the runner reads: `GITHUB_ENV`, `GITHUB_PATH`, `GITHUB_OUTPUT`
//! (docs.github.com, "Workflow commands"), and what they print.

use super::script::{Command, Inside};

/// Files that the runner reads, worst first.
pub(super) const SINKS: [&str; 4] = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"];

/// Something that is written for the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub sink: &'static str,
    /// What is written, as far as it is known: words of the commands that make it.
    pub text: String,
    /// Whether it is text that stands in the script, without variables, expressions or output of commands.
    pub is_fixed: bool,
    /// Line in the script, from 0.
    pub line: u32,
}

/// Everything that is written for the runner.
pub(super) fn writes(commands: &[Command]) -> Vec<Write> {
    let mut found = Vec::new();
    let mut sent: Vec<Option<&'static str>> = commands.iter().map(sink_of).collect();
    spread(commands, &mut sent);
    let nested = nested_words(commands);
    for (at, command) in commands.iter().enumerate() {
        let Some(sink) = sent.get(at).copied().flatten() else { continue };
        let (program, given) = (command.program(), command.call().1);
        let mut text = match program.as_str() {
            "echo" | "printf" | "write-output" | "write-host" | "add-content" | "tee" | "out-file" => {
                let is_content =
                    |word: &&String| !SINKS.iter().any(|sink| word.contains(sink)) && !word.starts_with('-');
                given.iter().filter(is_content).cloned().collect::<Vec<_>>().join(" ")
            }
            _ => command.words.join(" "),
        };
        if !command.from.is_empty() {
            text = format!("{text} {}", command.from.join(" "));
        }
        text.push_str(&command.here);
        let mut is_fixed = matches!(program.as_str(), "echo" | "printf" | "write-output" | "add-content" | "")
            || (program == "cat" && given.is_empty() && !command.here.is_empty());
        // What a pipe brings, and what `$(…)` puts in.
        let mut from = command.reads;
        for _ in 0..64 {
            let Some(before) = from.and_then(|from| commands.get(from)) else { break };
            is_fixed = matches!(before.program().as_str(), "echo" | "printf" | "write-output");
            // Of what only prints, the words are the text; of others, the program says what the words mean.
            let words = if is_fixed { before.call().1.join(" ") } else { spelt(before) };
            text = format!("{words} {text}");
            from = before.reads;
        }
        if let Some(inner) = nested.get(at) {
            text.push_str(inner);
        }
        is_fixed &= !text.contains(['$', '%']);
        if let Some(legacy) = text.strip_prefix("::set-output name=").or_else(|| text.strip_prefix("::set-env name=")) {
            text = legacy.replacen("::", "=", 1);
        }
        if !text.trim().is_empty() {
            found.push(Write { sink, text, is_fixed, line: command.line });
        }
    }
    found
}

/// The words of a command and where its input comes from.
pub(super) fn spelt(command: &Command) -> String {
    format!("{} {}", command.words.join(" "), command.from.join(" ")).trim_end().to_owned()
}

/// The words of everything in `$(…)` of each command, one level down.
pub(super) fn nested_words(commands: &[Command]) -> Vec<String> {
    let mut nested = vec![String::new(); commands.len()];
    for command in commands {
        if let Some((outer, Inside::Substitution | Inside::Process)) = command.parent
            && let Some(text) = nested.get_mut(outer)
        {
            text.push(' ');
            text.push_str(&spelt(command));
        }
    }
    nested
}

/// The file that one command writes to by itself.
fn sink_of(command: &Command) -> Option<&'static str> {
    let in_words = |words: &[String]| SINKS.iter().find(|sink| words.iter().any(|word| word.contains(**sink))).copied();
    if let Some(sink) = in_words(&command.into) {
        return Some(sink);
    }
    let words = command.words.join(" ");
    if words.contains("::set-output") {
        return Some("GITHUB_OUTPUT");
    }
    if words.contains("::set-env") {
        return Some("GITHUB_ENV");
    }
    if words.contains("::add-path") {
        return Some("GITHUB_PATH");
    }
    match command.program().as_str() {
        "tee" | "out-file" | "add-content" | "set-content" | "cp" | "mv" | "dd" | "install" => in_words(&command.words),
        _ => None,
    }
}

/// Gives what a group, a loop or a condition writes to, to the commands in it.
fn spread(commands: &[Command], sent: &mut [Option<&'static str>]) {
    let mut depth: Vec<&'static str> = Vec::new();
    for (at, command) in commands.iter().enumerate().rev() {
        let opens = command.words.iter().take_while(|word| is_keyword(word)).filter(|word| is_opening(word)).count();
        let closes = command.words.first().is_some_and(|word| matches!(word.as_str(), "}" | "done" | "fi" | "esac"));
        let own = sent.get(at).copied().flatten();
        if closes {
            depth.push(own.or(depth.last().copied()).unwrap_or_default());
        } else if let (None, Some(outer)) = (own, depth.last())
            && let Some(slot) = sent.get_mut(at)
        {
            *slot = SINKS.iter().find(|sink| *sink == outer).copied();
        }
        for _ in 0..opens {
            depth.pop();
        }
        // `(…) >> file`: the group is nested in the command that has the redirect.
        if let (Some((outer, Inside::Group)), None) = (command.parent, sent.get(at).copied().flatten())
            && let Some(sink) = sent.get(outer).copied().flatten()
            && let Some(slot) = sent.get_mut(at)
        {
            *slot = Some(sink);
        }
    }
}

fn is_keyword(word: &str) -> bool {
    is_opening(word) || matches!(word, "then" | "else" | "do" | "!")
}

fn is_opening(word: &str) -> bool {
    matches!(word, "{" | "if" | "for" | "while" | "until" | "case")
}
