//! Scripts that are fetched and run unseen.
//!
//! What fetches is known by name, what interprets is known by name; they meet through a pipe, `<(…)`, `"$(…)"`, a
//! bracket of PowerShell, or a file that is run without a checksum or signature looked at in between.

use std::collections::HashMap;

use super::script::{self, Command, Inside, Joint, base};

/// Scripts inside of scripts that are looked into (`bash -c '…'`, here-documents).
const MAX_INNER: usize = 3;

/// Something that is fetched and run: what is told, and its line in the script from 0.
pub(super) type Piped = (String, u32);

/// Everything in a script that is fetched and run.
pub(super) fn find(text: &str) -> Vec<Piped> {
    let mut found = Vec::new();
    let mut open = vec![(text.to_owned(), 0u32, 0usize)];
    while let Some((text, line, depth)) = open.pop() {
        let commands = script::commands(&text);
        found.extend(of_commands(&commands).into_iter().map(|(what, at)| (what, line + at)));
        if depth >= MAX_INNER {
            continue;
        }
        for command in &commands {
            open.extend(scripts_in(command).into_iter().map(|inner| (inner, line + command.line, depth + 1)));
        }
    }
    found.sort_by_key(|(_, line)| *line);
    found
}

/// Scripts that a command is given: what an interpreter or another machine runs, what stands behind `-c`, and a text
/// that stands where a program does (`os.system("…")`).
fn scripts_in(command: &Command) -> Vec<String> {
    let program = command.program();
    let takes_all = is_interpreter(&program) || matches!(program.as_str(), "ssh" | "docker" | "podman");
    let is_option = |word: &str| matches!(word, "-c" | "-lc" | "-ec" | "--command" | "--run" | "-Command" | "/c");
    let is_script = |word: &str| word.contains([' ', '\n', '|']);
    let given = command.call().1;
    let mut found: Vec<String> = Vec::new();
    let mut before = "";
    for word in given {
        if is_script(word) && (takes_all || is_option(before)) {
            found.push(word.clone());
        }
        before = word;
    }
    if let Some(first) = command.words.first()
        && is_script(first)
    {
        found.push(first.trim_end_matches(',').to_owned());
    }
    if takes_all && !command.here.is_empty() {
        found.push(command.here.clone());
    }
    found
}

fn is_fetcher(command: &Command) -> bool {
    let program = command.program();
    matches!(
        program.as_str(),
        "curl"
            | "wget"
            | "wget2"
            | "aria2c"
            | "iwr"
            | "irm"
            | "invoke-webrequest"
            | "invoke-restmethod"
            | "fetch"
            | "lwp-request"
            | "axel"
    ) || command.words.iter().any(|word| {
        let word = word.to_ascii_lowercase();
        word.contains("downloadstring") || (word.contains("urlopen(") && word.contains("exec("))
    })
}

fn is_shell(program: &str) -> bool {
    matches!(program, "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" | "pwsh" | "powershell" | "cmd")
}

fn is_interpreter(program: &str) -> bool {
    let plain = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    is_shell(program)
        || matches!(plain, "python" | "perl" | "ruby" | "php" | "node" | "deno" | "bun" | "lua" | "pypy")
        || matches!(program, "iex" | "invoke-expression" | "eval" | "source" | ".")
}

/// Whether a command runs what it reads.
fn runs_input(command: &Command) -> bool {
    let (program, given) = (command.program(), command.call().1);
    match program.as_str() {
        "iex" | "invoke-expression" | "source" | "." => true,
        "cmd" | "eval" => false,
        name if is_shell(name) => !given.iter().any(|word| word == "-c" || word.eq_ignore_ascii_case("-command")),
        name if is_interpreter(name) => match given.first() {
            None => true,
            Some(first) => first == "-" || (first == "run" && given.get(1).is_some_and(|word| word == "-")),
        },
        // `xargs bash -c`, `xargs sh`.
        "xargs" => given.iter().any(|word| is_shell(base(word))),
        _ => false,
    }
}

fn of_commands(commands: &[Command]) -> Vec<Piped> {
    let mut found = Vec::new();
    // For each command, what in it or before it in its pipe fetches.
    let mut fetches: Vec<Option<usize>> = (0..commands.len()).map(|_| None).collect();
    for (at, command) in commands.iter().enumerate() {
        let own = is_fetcher(command).then_some(at);
        let piped = command.reads.and_then(|reads| fetches.get(reads).copied().flatten());
        if let (Some(fetcher), true) = (piped, runs_input(command)) {
            found.push(told(commands, fetcher, command));
        }
        if let (Some(slot), Some(fetcher)) = (fetches.get_mut(at), own.or(piped)) {
            *slot = Some(fetcher);
        }
        // What stands inside of an interpreter's words, however deep.
        let Some(fetcher) = own else { continue };
        let mut outer = command.parent;
        for _ in 0..8 {
            let Some((parent, inside)) = outer else { break };
            let Some(around) = commands.get(parent) else { break };
            let program = around.program();
            let reads_file = matches!(inside, Inside::Process) && is_interpreter(&program);
            let runs_text = is_interpreter(&program)
                && (!is_shell(&program) || !matches!(inside, Inside::Group))
                && (is_shell(&program) || matches!(program.as_str(), "eval" | "iex" | "invoke-expression"));
            if reads_file || runs_text || (is_interpreter(&program) && around.call().1.iter().any(|word| word == "-c"))
            {
                found.push(told(commands, fetcher, around));
                break;
            }
            if let Some(slot) = fetches.get_mut(parent) {
                *slot = Some(fetcher);
            }
            // `(iwr …).Content | iex`: the bracket is what is piped.
            outer = around.parent;
        }
        if command.words.iter().any(|word| word.contains("urlopen(")) && is_interpreter(&command.program()) {
            found.push(told(commands, fetcher, command));
        }
    }
    // A bracket's content is known only after the command around it began.
    for command in commands {
        let piped = command.reads.and_then(|reads| fetches.get(reads).copied().flatten());
        if let (Some(fetcher), true) = (piped, runs_input(command)) {
            found.push(told(commands, fetcher, command));
        }
    }
    found.extend(downloaded(commands));
    found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    found.dedup();
    found
}

fn told(commands: &[Command], fetcher: usize, runner: &Command) -> Piped {
    let fetcher = commands.get(fetcher);
    let name = fetcher.map(Command::program).unwrap_or_default();
    let address = fetcher.and_then(address_of).map(|address| format!(" {}", super::read::shown(address)));
    let line = fetcher.map_or(runner.line, |command| command.line);
    (format!("`{name}`{} is run by `{}`", address.unwrap_or_default(), runner.program()), line)
}

fn address_of(command: &Command) -> Option<&str> {
    let is_address = |word: &&String| word.contains("://") || word.starts_with("$") || word.contains("${{");
    command.call().1.iter().find(is_address).map(String::as_str)
}

/// Files that are fetched and then run, with nothing that checks them in between.
fn downloaded(commands: &[Command]) -> Vec<Piped> {
    let mut files: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let (name, given) = command.call();
        let program = command.program();
        let is_check = program.ends_with("sum")
            || matches!(
                program.as_str(),
                "gpg" | "gpgv" | "cosign" | "minisign" | "openssl" | "get-filehash" | "signify"
            )
            || (program == "gh" && given.first().is_some_and(|word| word == "attestation"))
            || (program == "slsa-verifier");
        if is_check {
            files.clear();
        }
        if is_fetcher(command) {
            files.extend(target_of(command).map(|file| (file, at)));
            continue;
        }
        let run = if is_interpreter(&program) {
            given.iter().find(|word| !word.starts_with('-')).map(|word| base(word))
        } else {
            Some(name).filter(|_| command.words.iter().any(|word| word.contains('/') && base(word) == name))
        };
        if let Some(fetcher) = run.and_then(|run| files.get(run)) {
            found.push(told(commands, *fetcher, command));
        }
    }
    found
}

/// The name of the file that a command fetches to.
fn target_of(command: &Command) -> Option<String> {
    let given = command.call().1;
    let is_wget = command.program().starts_with("wget");
    let mut words = given.iter().peekable();
    let mut named = command.into.first().map(|file| base(file).to_owned());
    let mut is_remote_name = is_wget;
    while let Some(word) = words.next() {
        let is_short = word.starts_with('-') && !word.starts_with("--");
        let takes = matches!(word.as_str(), "--output" | "--output-document" | "-OutFile" | "-outfile")
            || (is_short && word.ends_with(if is_wget { 'O' } else { 'o' }));
        if takes {
            named = words.peek().map(|word| base(word).to_owned()).filter(|name| name != "-");
            is_remote_name = false;
        } else if !is_wget && (word == "--remote-name" || (is_short && word.contains('O') && !word.contains("OutFile")))
        {
            is_remote_name = true;
        } else if let Some(file) = word.strip_prefix("--output=").or_else(|| word.strip_prefix("--output-document=")) {
            named = Some(base(file).to_owned());
        }
    }
    if named.is_none() && is_remote_name {
        named = address_of(command).map(|address| base(address.split(['?', '#']).next().unwrap_or(address)).to_owned());
    }
    named.filter(|name| !name.is_empty() && command.joint != Joint::Pipe)
}
