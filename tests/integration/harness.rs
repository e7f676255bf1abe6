//! Runs the program as a user would, and builds the repositories it is run on.
//!
//! Nothing of the machine leaks in: the environment is empty but for a home, a cache and a user's name of the test's
//! own; git reads no configuration but the repository's; every date is fixed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Once, OnceLock};

use serde_json::Value;

/// The time of every run: a day on which the built-in baseline is fresh, or younger than now.
pub const NOW: &str = "2026-08-21T12:00:00Z";

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_portcullis");

/// Cargo's own identifier of its public registry.
pub const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A folder that goes away with the value.
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new, empty folder.
    pub fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-e2e-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // What a test made read-only must be removable again.
        set_writable(&self.0, true);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Words of a text without the time it took, which also decides where the last line breaks.
pub fn timeless(text: &str) -> Vec<&str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_time = |at: usize| words.get(at + 1).is_some_and(|next| *next == "ms");
    words.iter().enumerate().filter(|(at, _)| !is_time(*at)).map(|(_, word)| *word).collect()
}

/// What a run of a program left behind.
#[derive(Debug)]
pub struct Out {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Out {
    /// Demands an exit code, and shows everything where it is another one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// Demands that a text stands in what was printed, on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "expected {text:?}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Demands that a text stands nowhere in what was printed.
    #[track_caller]
    pub fn stays_silent_about(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!said, "did not expect {text:?}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("no JSON ({e})\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }
}

/// A user's machine: a home, a cache, and nothing else.
pub struct Machine {
    home: TempDir,
    env: BTreeMap<String, String>,
}

impl Machine {
    /// A fresh machine.
    pub fn new() -> Self {
        let home = TempDir::new();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let env = BTreeMap::from([
            ("HOME".to_owned(), text(home.path().to_path_buf())),
            ("PORTCULLIS_CACHE".to_owned(), text(home.path().join("cache"))),
            ("USER".to_owned(), "alice".to_owned()),
        ]);
        Self { home, env }
    }

    /// Where the user's own store lies.
    pub fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    /// A folder outside every repository.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sets an environment variable for every later run.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs the program in a folder with exactly these arguments.
    pub fn run<S: AsRef<OsStr>>(&self, folder: &Path, args: &[S]) -> Out {
        self.run_with_input(folder, args, "")
    }

    /// Runs the program with something on its standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, folder: &Path, args: &[S], input: &str) -> Out {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(folder).env_clear().envs(&self.env);
        finish(command, input)
    }

    /// A command of another program in the same environment, with `PATH`.
    pub fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().envs(&self.env);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Runs git in a folder, with no configuration but the repository's own and with fixed names and dates.
    pub fn git(&self, folder: &Path, args: &[&str]) -> Out {
        let mut command = self.command("git", folder);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_AUTHOR_DATE", "2026-08-20T10:00:00Z")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_DATE", "2026-08-20T10:00:00Z")
            .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
            .args(["-c", "gc.auto=0", "-c", "core.autocrlf=false"])
            .args(args);
        finish(command, "")
    }
}

fn finish(mut command: Command, input: &str) -> Out {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that reads nothing closes the pipe; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Out {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Whether git is there; says once where it is not.
pub fn has_git() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    static SAID: Once = Once::new();
    let found = *FOUND.get_or_init(|| {
        Command::new("git").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    });
    if !found {
        SAID.call_once(|| eprintln!("SKIPPED every test on a git repository: git is not installed"));
    }
    found
}

/// A folder of data, named by a variable; says that the caller is skipped where it is not set.
pub fn data(variable: &str, below: &str, skipped: &str) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(root) => Some(PathBuf::from(root).join(below)),
        None => {
            eprintln!("SKIPPED {skipped}: {variable} is not set");
            None
        }
    }
}

/// A git repository with a machine to work on it.
pub struct Repo {
    /// The machine.
    pub machine: Machine,
    dir: TempDir,
    /// Below the temporary folder, where it has a name of its own.
    root: PathBuf,
}

impl Repo {
    /// An empty repository; `None` where git is absent.
    pub fn empty() -> Option<Self> {
        if !has_git() {
            return None;
        }
        let (machine, dir) = (Machine::new(), TempDir::new());
        let root = dir.path().join("repo");
        std::fs::create_dir(&root).unwrap();
        let repo = Self { machine, dir, root };
        repo.git(&["init", "-q"]);
        Some(repo)
    }

    /// A repository whose one commit holds [`Project::standing`].
    pub fn standing() -> Option<Self> {
        let repo = Self::empty()?;
        repo.put(&Project::standing());
        repo.write("src/main.rs", "fn main() {}\n");
        repo.commit("a project");
        Some(repo)
    }

    /// A clone of [`Repo::standing`] with `origin/main`, on the branch `topic`.
    pub fn cloned() -> Option<Self> {
        let mut repo = Self::standing()?;
        let url = format!("file://{}", repo.root.display());
        let clone = repo.dir.path().join("clone");
        repo.machine.git(repo.dir.path(), &["clone", "-q", &url, clone.to_str().unwrap()]).exits(0);
        repo.root = clone;
        repo.git(&["checkout", "-q", "-b", "topic"]);
        Some(repo)
    }

    /// The work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder beside the work tree.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs git and returns what it printed, without the last line break.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        self.machine.git(&self.root, args).exits(0).stdout.trim_end().to_owned()
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text of a file.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Writes a project's two files.
    pub fn put(&self, project: &Project) {
        self.write("Cargo.toml", project.manifest());
        self.write("Cargo.lock", project.lockfile());
    }

    /// Commits everything and returns the id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the program in the work tree, at [`NOW`].
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Out {
        let mut all: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        all.extend([OsStr::new("--now"), OsStr::new(NOW)]);
        self.machine.run(&self.root, &all)
    }

    /// Runs the program in the work tree with exactly these arguments.
    pub fn run_at_once<S: AsRef<OsStr>>(&self, args: &[S]) -> Out {
        self.machine.run(&self.root, args)
    }

    /// Runs a command with `--report json` and demands its exit code.
    #[track_caller]
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        self.run(&[args, &["--report", "json"]].concat()).exits(code).json()
    }
}

/// A small Cargo project.
#[derive(Clone)]
pub struct Project {
    /// What the manifest asks for.
    pub direct: Vec<(String, String)>,
    /// What the lockfile holds: name, version, names it needs.
    pub packages: Vec<(String, String, Vec<String>)>,
}

impl Project {
    /// `alpha 1.0.0`, which needs `beta 1.0.0`.
    pub fn standing() -> Self {
        Self { direct: Vec::new(), packages: Vec::new() }.with("alpha", "1.0.0", &["beta"]).needing(
            "beta",
            "1.0.0",
            &[],
        )
    }

    /// [`Project::standing`] and `leftpad-rs 0.3.1`, which needs `pad-core 0.2.0`: two new libraries, one alarm.
    pub fn with_new_library() -> Self {
        Self::standing().with("leftpad-rs", "0.3.1", &["pad-core"]).needing("pad-core", "0.2.0", &[])
    }

    /// [`Project::standing`] and a package with a published vulnerability (RUSTSEC-2020-0071), fixed in 0.2.23.
    pub fn with_vulnerability() -> Self {
        Self::standing().with("time", "0.1.43", &[])
    }

    /// With a direct dependency.
    pub fn with(mut self, name: &str, version: &str, needs: &[&str]) -> Self {
        self.direct.push((name.to_owned(), version.to_owned()));
        self.needing(name, version, needs)
    }

    /// With a package that others need.
    pub fn needing(mut self, name: &str, version: &str, needs: &[&str]) -> Self {
        self.packages.push((name.to_owned(), version.to_owned(), needs.iter().map(|n| (*n).to_owned()).collect()));
        self
    }

    /// `Cargo.toml`.
    pub fn manifest(&self) -> String {
        let mut text =
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
        for (name, version) in &self.direct {
            let _ = writeln!(text, "{} = {}", quoted(name), quoted(version));
        }
        text
    }

    /// `Cargo.lock`.
    pub fn lockfile(&self) -> String {
        let mut packages = self.packages.clone();
        packages.sort();
        let mut text = "# This file is automatically @generated by Cargo.\nversion = 4\n".to_owned();
        let mut direct: Vec<&String> = self.direct.iter().map(|(name, _)| name).collect();
        direct.sort();
        let root = ("app".to_owned(), "0.1.0".to_owned(), direct.into_iter().cloned().collect());
        for (name, version, needs) in std::iter::once(&root).chain(&packages) {
            let _ = write!(text, "\n[[package]]\nname = {}\nversion = {}\n", quoted(name), quoted(version));
            if name != "app" {
                let _ = writeln!(text, "source = {}\nchecksum = \"{}\"", quoted(REGISTRY), checksum(name, version));
            }
            if !needs.is_empty() {
                let needs: Vec<String> = needs.iter().map(|n| format!(" {},\n", quoted(n))).collect();
                let _ = writeln!(text, "dependencies = [\n{}]", needs.concat());
            }
        }
        text
    }
}

/// A TOML string that says exactly this.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// A made-up SHA-256 that differs for each name and version (FNV-1a, repeated).
pub fn checksum(name: &str, version: &str) -> String {
    let hash = name
        .bytes()
        .chain([b'@'])
        .chain(version.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}").repeat(4)
}

/// Every file below a folder with its bytes, modification time and mode; `.git` with all the rest.
pub fn snapshot(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime, bool)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let meta = folder.metadata().unwrap();
        found.insert(folder.clone(), (Vec::new(), meta.modified().unwrap(), meta.permissions().readonly()));
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                folders.push(path);
            } else {
                let bytes = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
                found.insert(path, (bytes, meta.modified().unwrap(), meta.permissions().readonly()));
            }
        }
    }
    found
}

/// Takes write permission from a folder and all below it, or gives it back.
pub fn set_writable(root: &Path, writable: bool) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(meta) = root.symlink_metadata() else { return };
        if meta.is_symlink() {
            return;
        }
        let mode = meta.permissions().mode();
        let mode = if writable { mode | 0o200 } else { mode & !0o222 };
        let _ = std::fs::set_permissions(root, std::fs::Permissions::from_mode(mode));
        if meta.is_dir() {
            for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
                set_writable(&entry.path(), writable);
            }
        }
    }
    #[cfg(not(unix))]
    let _ = (root, writable);
}

/// Findings of a verdict that carry a rule.
pub fn findings<'v>(verdict: &'v Value, rule: &str) -> Vec<&'v Value> {
    verdict["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule).collect()
}

/// The change of a verdict that concerns a package.
#[track_caller]
pub fn change<'v>(verdict: &'v Value, name: &str) -> &'v Value {
    let changes = verdict["changes"].as_array().unwrap();
    changes.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("no change of {name} in {verdict:#}"))
}
