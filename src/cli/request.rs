//! What was typed → what is asked: resolved, valid, with every override noted. In CI flags can only tighten.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::Error;
use crate::cli::args::{Color, Global, PolicyFrom as Whose};
use crate::model::verdict::{Override, PolicyFrom};
use crate::report::{Format, Look};
use crate::revision::{Base, Governing, Head};
use crate::run::Request;
use crate::subject::Command;
use crate::world::Env;

/// Where one report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The format.
    pub format: Format,
    /// The file; `None`: standard output.
    pub file: Option<PathBuf>,
}

/// Whether the run decides for a pipeline.
#[must_use]
pub fn is_ci(env: &Env) -> bool {
    let is_set = |name: &str| env.get(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    // `CI` alone could be unset by the workflow that is judged; what the runner sets of its own cannot.
    ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "TF_BUILD", "CIRCLECI", "JENKINS_URL"].into_iter().any(is_set)
}

/// The request of a check or an audit.
///
/// # Errors
/// A flag that would loosen what the governing revision says, in CI.
pub fn request(global: &Global, env: &Env, command: Command, base: Base, head: Head) -> Result<Request, Error> {
    let ci = is_ci(env);
    let mut overrides = Vec::new();
    let mut note = |flag: &str, value: String| overrides.push(Override { flag: flag.to_owned(), value });
    let policy_from = match global.policy_from {
        Whose::Governing => PolicyFrom::Governing,
        Whose::Base => PolicyFrom::Base,
        Whose::Head => PolicyFrom::Head,
        Whose::BuiltIn => PolicyFrom::BuiltIn,
    };
    if policy_from != PolicyFrom::Governing {
        if ci {
            return Err(Error::Usage(format!(
                "--policy-from {policy_from}: in CI the governing revision's policy decides"
            )));
        }
        note("--policy-from", policy_from.to_string());
    }
    if let Some(now) = &global.now {
        if ci {
            return Err(Error::Usage("--now: in CI the clock decides".to_owned()));
        }
        note("--now", now.clone());
    }
    if let Some(path) = &global.advisories {
        note("--advisories", path.display().to_string());
    }
    if ci {
        if let Base::Rev(base) = &base {
            note("--base", base.clone());
        }
        match &head {
            Head::Rev(rev) if rev != "HEAD" => note("--head", rev.clone()),
            Head::Rev(_) => {}
            Head::Index => note("--index", String::new()),
            Head::WorkTree => note("--worktree", String::new()),
        }
        if let Some(cache) = env.get("PORTCULLIS_CACHE") {
            note("PORTCULLIS_CACHE", cache.clone());
        }
    }
    Ok(Request {
        command,
        base,
        head,
        governing: Governing::Found,
        note: None,
        policy_from,
        ci,
        overrides,
        lockfiles: Vec::new(),
        add_packs: Vec::new(),
        store_is_named: global.advisories.is_some(),
    })
}

/// The time of the run.
///
/// # Errors
/// A text that is no time.
pub fn now(global: &Global) -> Result<jiff::Timestamp, Error> {
    match &global.now {
        None => Ok(jiff::Timestamp::now()),
        Some(text) => text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).map_err(|_| {
            Error::Usage(format!("--now {}: write a time as in 2026-11-22T10:00:00Z", text.escape_debug()))
        }),
    }
}

/// The names of all formats.
fn formats() -> String {
    Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// Where reports go: human to standard output where nothing else is said.
///
/// # Errors
/// An unknown format, or two reports for one place.
pub fn destinations(reports: &[String]) -> Result<Vec<Destination>, Error> {
    if reports.is_empty() {
        return Ok(vec![Destination { format: Format::Human, file: None }]);
    }
    let mut destinations: Vec<Destination> = Vec::new();
    for report in reports {
        let (name, file) = match report.split_once('=') {
            Some((name, file)) if !file.is_empty() => (name, Some(PathBuf::from(file))),
            Some(_) => return Err(Error::Usage(format!("--report {}: name a file", report.escape_debug()))),
            None => (report.as_str(), None),
        };
        let format = Format::from_name(name)
            .ok_or_else(|| Error::Usage(format!("--report {}: one of {}", name.escape_debug(), formats())))?;
        if destinations.iter().any(|known| known.file == file) {
            let place = file.as_deref().unwrap_or(Path::new("standard output"));
            return Err(Error::Usage(format!("two reports go to {}", place.display())));
        }
        destinations.push(Destination { format, file });
    }
    Ok(destinations)
}

/// How a report looks on standard output.
#[must_use]
pub fn look(global: &Global, env: &Env) -> Look {
    let is_terminal = std::io::stdout().is_terminal();
    let set = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
    let colour = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0" && !value.is_empty()) => true,
        Color::Auto => is_terminal && env.get("TERM").is_none_or(|term| term != "dumb"),
    };
    let width = if is_terminal { terminal_width(env) } else { 0 };
    Look { colour, width, verbose: global.verbose, quiet: global.quiet }
}

fn terminal_width(env: &Env) -> usize {
    let columns = env.get("COLUMNS").and_then(|text| text.parse().ok());
    columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(0)
}
