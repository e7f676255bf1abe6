//! The solver as a process: found on the user's path, started with nothing of the environment, talked to over pipes.
//!
//! It is not looked for in folders that are relative or lie inside the judged repository: head could have put a program
//! there. A thread of its own reads what it says, so that silence can be bounded.
#![expect(clippy::disallowed_types, reason = "the one place that starts the one program: see `Process`")]

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;

use super::{Dialogue, Env, Process};

/// The solver's name on the path.
const SOLVER: &str = "cvc5";
/// Longest silence. The solver's own limit for each question is shorter.
const SILENCE: Duration = Duration::from_secs(10);
/// Longest line that is read, in bytes.
const LINE: u64 = 4 << 20;
/// Lines that wait to be read.
const WAITING: usize = 1024;
/// Memory it may take, in KiB.
#[cfg(unix)]
const MEMORY: &str = "2097152";

/// Programs on the user's path. Nothing is looked up before it is asked for.
#[derive(Debug, Clone)]
pub struct Programs {
    path: Option<String>,
    judged: Option<PathBuf>,
}

impl Programs {
    /// Looks along `PATH`. `judged` is the folder of the judged repository.
    #[must_use]
    pub fn new(env: &Env, judged: Option<&Path>) -> Self {
        Self { path: env.get("PATH").cloned(), judged: judged.map(Path::to_path_buf) }
    }

    fn find(&self) -> Option<PathBuf> {
        let judged = self.judged.as_ref().and_then(|folder| folder.canonicalize().ok());
        let name = format!("{SOLVER}{}", std::env::consts::EXE_SUFFIX);
        let is_outside = |file: &PathBuf| judged.as_ref().is_none_or(|judged| !file.starts_with(judged));
        std::env::split_paths(self.path.as_ref()?)
            .filter(|folder| folder.is_absolute())
            .filter_map(|folder| folder.join(&name).canonicalize().ok())
            .find(|file| file.is_file() && is_outside(file))
    }
}

impl Process for Programs {
    fn solver(&self, arguments: &[&str]) -> Result<Option<Box<dyn Dialogue>>> {
        let Some(path) = self.find() else { return Ok(None) };
        Ok(Some(Box::new(Running::start(limited(&path, arguments))?)))
    }
}

/// The command, with a bound on its memory where the system's shell can set one.
#[cfg(unix)]
fn limited(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -v \"$0\"; ulimit -c 0; exec \"$@\"", MEMORY]).arg(path).args(arguments);
    command
}

#[cfg(not(unix))]
fn limited(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments);
    command
}

struct Running {
    child: Child,
    /// To the thread that writes: a solver that stops reading must not stop the run.
    input: Sender<Vec<u8>>,
    lines: Receiver<Result<String>>,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        command.env_clear().current_dir(std::env::temp_dir());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::other("the solver has no pipes"));
        };
        let input = writing(input);
        let (sender, lines) = sync_channel(WAITING);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let line = line(&mut output);
                let is_last = line.is_err();
                if sender.send(line).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Self { child, input, lines })
    }
}

/// Writes what it is sent, until one end hangs up.
fn writing(mut input: ChildStdin) -> Sender<Vec<u8>> {
    let (sender, texts) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for text in texts {
            if input.write_all(&text).and_then(|()| input.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

fn line(output: &mut impl BufRead) -> Result<String> {
    let mut bytes = Vec::new();
    let read = output.take(LINE).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the solver ended"));
    }
    if bytes.pop_if(|last| *last == b'\n').is_none() {
        return Err(Error::new(ErrorKind::InvalidData, "the solver's answer is cut off or too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "the solver wrote no text"))?;
    Ok(text.trim_end_matches('\r').to_owned())
}

impl Dialogue for Running {
    fn send(&mut self, text: &[u8]) -> Result<()> {
        self.input.send(text.to_vec()).map_err(|_| Error::new(ErrorKind::BrokenPipe, "the solver ended"))
    }

    fn line(&mut self) -> Result<String> {
        match self.lines.recv_timeout(SILENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => Err(Error::new(ErrorKind::TimedOut, "the solver is silent for too long")),
            Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::UnexpectedEof, "the solver ended")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::super::real::tests::TempDir;
    use super::*;

    fn env(path: &str) -> Env {
        Env::from([("PATH".to_owned(), path.to_owned())])
    }

    /// A solver that repeats what it hears.
    fn parrot(dir: &TempDir, path: &str) {
        use std::os::unix::fs::PermissionsExt;
        dir.write(path, "#!/bin/sh\necho \"args $*\"\nwhile read -r line; do echo \"$line\"; done\n");
        std::fs::set_permissions(dir.path().join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn it_is_talked_to_line_by_line_and_ends_with_the_value() {
        let dir = TempDir::new();
        parrot(&dir, "bin/cvc5");
        let programs = Programs::new(&env(dir.path().join("bin").to_str().unwrap()), None);
        let mut solver = programs.solver(&["--x", "--y"]).unwrap().unwrap();
        assert_eq!(solver.line().unwrap(), "args --x --y");
        solver.send(b"one\ntwo\n").unwrap();
        assert_eq!((solver.line().unwrap(), solver.line().unwrap()), ("one".to_owned(), "two".to_owned()));
    }

    #[test]
    fn one_that_reads_nothing_stops_nobody() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        dir.write("bin/cvc5", "#!/bin/sh\necho deaf\nexec sleep 600\n");
        let path = dir.path().join("bin/cvc5");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Programs::new(&env(dir.path().join("bin").to_str().unwrap()), None);
        let mut solver = programs.solver(&[]).unwrap().unwrap();
        // More than a pipe holds.
        solver.send(&vec![b' '; 1 << 22]).unwrap();
        assert_eq!(solver.line().unwrap(), "deaf");
        drop(solver);
    }

    #[test]
    fn none_is_taken_from_the_judged_repository_or_a_relative_folder() {
        let dir = TempDir::new();
        parrot(&dir, "repo/bin/cvc5");
        let inside = dir.path().join("repo/bin");
        for (path, judged) in [
            (inside.to_str().unwrap().to_owned(), Some(dir.path().join("repo"))),
            ("bin:.".to_owned(), None),
            (dir.path().join("nowhere").to_str().unwrap().to_owned(), None),
        ] {
            let programs = Programs::new(&env(&path), judged.as_deref());
            assert!(programs.solver(&[]).unwrap().is_none(), "{path}");
        }
        // A link elsewhere that leads back inside is inside.
        std::fs::create_dir_all(dir.path().join("links")).unwrap();
        std::os::unix::fs::symlink(inside.join("cvc5"), dir.path().join("links/cvc5")).unwrap();
        let links = env(dir.path().join("links").to_str().unwrap());
        assert!(Programs::new(&links, Some(&dir.path().join("repo"))).find().is_none());
    }
}
