//! The scripts that run the gate, before and after.

use std::collections::HashMap;

use super::super::read::shown;
use super::super::script::{self, Command, Inside, Joint, base};

/// Options that change what is printed, and nothing that is decided. Those with a value take the next word with them.
const HARMLESS: [&str; 4] = ["-q", "-v", "--quiet", "--verbose"];
const HARMLESS_WITH_VALUE: [&str; 2] = ["--report", "--color"];

/// What a run of the gate is told, and what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Run {
    /// Its words, those aside that only change what is printed.
    words: Vec<String>,
    /// What may swallow its exit code, or keep it from running.
    around: Vec<String>,
    line: u32,
}

/// Places of the commands of a script that run the gate.
pub(super) fn runs(text: &str) -> Vec<usize> {
    if !text.to_ascii_lowercase().contains(super::NAME) {
        return Vec::new();
    }
    places(&script::commands(text))
}

fn places(commands: &[Command]) -> Vec<usize> {
    commands.iter().enumerate().filter(|(_, command)| is_run(command)).map(|(at, _)| at).collect()
}

fn is_run(command: &Command) -> bool {
    let is_named = |word: &str| {
        let word = base(word).to_ascii_lowercase();
        word == super::NAME
            || word == "portcullis.exe"
            || word.starts_with("portcullis@")
            || word.starts_with("portcullis:")
    };
    let printed = matches!(
        command.program().as_str(),
        "echo"
            | "printf"
            | "which"
            | "type"
            | "command"
            | "ls"
            | "chmod"
            | "cp"
            | "mv"
            | "ln"
            | "rm"
            | "install"
            | "tar"
            | "unzip"
            | "curl"
            | "wget"
            | "cat"
            | "grep"
            | "test"
            | "["
            | "cargo"
            | "export"
    );
    let (name, given) = command.call();
    let asks =
        command.words.windows(2).any(|pair| matches!(pair, [a, b] if a == "command" && b.eq_ignore_ascii_case("-v")));
    if asks {
        return false;
    }
    is_named(name) && !name.is_empty()
        || (!printed && given.iter().any(|word| is_named(word)))
        || (command.program() == "cargo"
            && given.first().is_some_and(|word| word == "run")
            && given.iter().any(|word| is_named(word)))
}

/// Whether a command only asks where a program is.
fn asks(command: &Command) -> bool {
    command.words.windows(2).any(|pair| matches!(pair, [a, b] if a == "command" && b.eq_ignore_ascii_case("-v")))
}

fn run_of(commands: &[Command], at: usize) -> Option<Run> {
    let command = commands.get(at)?;
    let mut words = Vec::new();
    let mut all = command.words.iter().peekable();
    while let Some(word) = all.next() {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        if HARMLESS.contains(&word.as_str()) {
            continue;
        }
        if HARMLESS_WITH_VALUE.contains(&name) {
            if value.is_none() {
                all.next();
            }
            continue;
        }
        words.push(word.clone());
    }
    let mut around = Vec::new();
    match command.joint {
        Joint::Pipe => around.push("its output is piped: without `pipefail` its exit code is lost".to_owned()),
        Joint::Or => {
            let next = commands.get(at + 1).map(|next| next.words.join(" ")).unwrap_or_default();
            around.push(format!("`|| {}` follows it", shown(&next)));
        }
        Joint::Background => around.push("`&` follows it: nobody waits for it".to_owned()),
        Joint::And | Joint::End => {}
    }
    if let Some(before) = at.checked_sub(1).and_then(|before| commands.get(before))
        && matches!(before.joint, Joint::And | Joint::Or)
        && before.parent == command.parent
    {
        around.push(format!("it runs only as `{}` says", shown(&before.words.join(" "))));
    }
    if let Some((_, inside)) = command.parent {
        around.push(match inside {
            Inside::Group => "it stands in brackets".to_owned(),
            _ => "it stands in `$(…)`".to_owned(),
        });
    }
    Some(Run { words, around, line: command.line })
}

/// What made a script that runs the gate weaker, each with its line in the new one.
pub(super) fn weakened(old: &str, new: &str) -> Vec<(String, u32)> {
    if old == new {
        return Vec::new();
    }
    let (before, after) = (script::commands(old), script::commands(new));
    let all = |commands: &[Command]| -> Vec<Run> {
        places(commands).into_iter().filter_map(|at| run_of(commands, at)).collect()
    };
    let (had, has) = (all(&before), all(&after));
    let mut found = Vec::new();
    let mut free: Vec<&Run> = has.iter().collect();
    let mut open = Vec::new();
    for run in &had {
        match free.iter().position(|other| other.words == run.words && other.around == run.around) {
            Some(at) => drop(free.remove(at)),
            None => open.push(run),
        }
    }
    let mut free = free.into_iter();
    for run in open {
        match free.next() {
            None => found.push((format!("`{}` is no longer run", shown(&run.words.join(" "))), 0)),
            Some(other) => found.extend(differences(run, other).into_iter().map(|detail| (detail, other.line))),
        }
    }
    found.extend(others(&before, &after));
    found
}

fn differences(old: &Run, new: &Run) -> Vec<String> {
    let mut found: Vec<String> = new.around.iter().filter(|each| !old.around.contains(each)).cloned().collect();
    if old.words != new.words {
        let minus = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|word| !b.contains(word)).map(|word| shown(word)).collect()
        };
        let (gone, come) = (minus(&old.words, &new.words), minus(&new.words, &old.words));
        let mut detail = "its arguments changed".to_owned();
        if !come.is_empty() {
            detail += &format!("; now `{}`", come.join(" "));
        }
        if !gone.is_empty() {
            detail += &format!("; no longer `{}`", gone.join(" "));
        }
        found.push(detail);
    }
    found
}

/// The other commands of the gate's own script: what is new there may end the script, bend the shell or move the tree,
/// and what is gone may have been what made it strict.
fn others(old: &[Command], new: &[Command]) -> Vec<(String, u32)> {
    let mut count: HashMap<String, i64> = HashMap::new();
    let spelt = |command: &Command| format!("{} {} {}", command.words.join(" "), command.into.join(" "), command.here);
    for command in old.iter().filter(|command| !is_run(command)) {
        *count.entry(spelt(command)).or_default() += 1;
    }
    let mut found = Vec::new();
    // What comes after the gate gives the script its exit code where the shell goes on after a failure.
    let first = places(new).first().copied().unwrap_or(usize::MAX);
    for (at, command) in new.iter().enumerate().filter(|(_, command)| !is_run(command)) {
        let left = count.entry(spelt(command)).or_default();
        *left -= 1;
        if *left < 0 && !command.words.is_empty() && (at > first || !is_idle(command)) {
            let words = shown(&command.words.join(" "));
            found.push((format!("its script now runs `{words}`"), command.line));
        }
    }
    let mut gone: Vec<&String> = count.iter().filter(|(_, left)| **left > 0).map(|(words, _)| words).collect();
    gone.sort();
    let is_strict = |words: &&&String| words.starts_with("set ") || words.starts_with("shopt ");
    found.extend(
        gone.iter().filter(is_strict).map(|words| (format!("its script no longer runs `{}`", shown(words)), 0)),
    );
    found
}

/// Whether a command does nothing to the gate.
fn is_idle(command: &Command) -> bool {
    let program = command.program();
    let is_quiet =
        matches!(program.as_str(), "echo" | "printf" | "pwd" | "date" | "ls" | "uname" | "mkdir" | "true" | ":")
            || (program == "set"
                && command.words.iter().skip(1).all(|word| {
                    matches!(word.as_str(), "-e" | "-u" | "-x" | "-o" | "pipefail" | "-eu" | "-euo" | "-euxo" | "-ex")
                }));
    let is_flow =
        command.words.iter().any(|word| matches!(word.as_str(), "if" | "then" | "else" | "while" | "for" | "!" | "{"));
    let all = format!("{} {}", command.words.join(" "), command.into.join(" "));
    if asks(command) && command.into.is_empty() {
        return !is_flow && !matches!(command.joint, Joint::And | Joint::Or);
    }
    is_quiet && !is_flow && !all.contains("GITHUB_") && !all.contains("::") && !all.contains(super::NAME)
}

/// What a script before the gate does to what the gate runs with, each with its line. What base's script already did
/// is left out.
pub(super) fn meddles(old: &str, new: &str) -> Vec<(String, u32)> {
    let known: Vec<String> = script::commands(old).iter().map(|command| command.words.join(" ")).collect();
    let known: std::collections::HashSet<&String> = known.iter().collect();
    let mut found = Vec::new();
    for command in script::commands(new) {
        let words = command.words.join(" ");
        if known.contains(&words) && old.contains(words.as_str()) {
            continue;
        }
        let all = format!("{words} {} {}", command.into.join(" "), command.here);
        let reason = if all.contains("GITHUB_PATH")
            || all.contains("::add-path")
            || command.words.iter().any(|word| word.starts_with("PATH="))
        {
            "where programs are looked for"
        } else if all.contains("GITHUB_ENV") || all.contains("::set-env") {
            "the environment of what follows"
        } else if command.program() == "git" {
            "git's own state"
        } else if all.to_ascii_lowercase().contains(super::NAME) {
            "the gate's files"
        } else if all.contains("/usr/")
            || all.contains("/bin/")
            || all.contains(".bashrc")
            || all.contains(".bash_profile")
        {
            "the runner's programs"
        } else {
            continue;
        };
        found.push((format!("`{}` before it changes {reason}", shown(&words)), command.line));
    }
    found
}
