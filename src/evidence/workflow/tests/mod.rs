//! Workflows written by hand after docs.github.com ("Security hardening for GitHub Actions", "Script injections",
//! "Securely using pull_request_target", "Workflow syntax"), with what these pages say is weak in them.

mod gates;
mod hostile;
mod mended;
mod parts;
mod weak;

use super::*;

fn path() -> RepoPath {
    RepoPath::new(".github/workflows/x.yml")
}

/// What is weak in a file: `word@line`, with `!` where strangers start it with secrets, and `?` where it is not exposed.
/// Words after `-` are left out, for most small files have them: no permissions, a plain trigger.
fn told(path: &RepoPath, text: &str, around: &Surroundings) -> Vec<String> {
    let all = weaknesses(path, text.as_bytes(), around).unwrap();
    let usual = [Weakness::DefaultPermissions, Weakness::PrivilegedTrigger, Weakness::PersistedCredentials];
    let told = all.iter().filter(|weak| !usual.contains(&weak.weakness));
    told.map(|weak| {
        let (privileged, exposed) = (if weak.is_privileged { "!" } else { "" }, if weak.is_exposed { "" } else { "?" });
        format!("{}@{}{privileged}{exposed}", weak.weakness, weak.line)
    })
    .collect()
}

fn found(text: &str) -> Vec<String> {
    told(&path(), text, &Surroundings::default())
}

/// A workflow of one job with these steps, on that event. The first step stands on line 6.
fn steps(event: &str, steps: &str) -> String {
    format!("on: {event}\npermissions: {{}}\njobs:\n  j:\n    steps:\n{steps}")
}
