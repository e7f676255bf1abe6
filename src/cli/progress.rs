//! One line on standard error that says what takes long. On a terminal alone, and only once half a second is over.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::report::escape::terminal;

/// A line that is written over.
pub(super) struct Progress {
    begun: Instant,
    said: Option<Instant>,
    is_shown: bool,
}

/// Nothing is said before.
const PATIENCE: Duration = Duration::from_millis(500);

/// Between two lines.
const PACE: Duration = Duration::from_millis(100);

impl Progress {
    /// A line; none where nobody would see it or nobody wants to.
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_shown = !is_quiet && std::io::stderr().is_terminal();
        Self { begun: Instant::now(), said: None, is_shown }
    }

    /// Says what is going on, where it is time to.
    pub(super) fn say(&mut self, text: &str) {
        let now = Instant::now();
        let is_early =
            now.duration_since(self.begun) < PATIENCE || self.said.is_some_and(|said| now.duration_since(said) < PACE);
        if self.is_shown && !is_early {
            self.said = Some(now);
            // Nobody is worse off where the line cannot be written.
            let _ = write!(std::io::stderr(), "\r\x1b[2K{}", terminal(text));
        }
    }

    /// Says how much of something is here.
    pub(super) fn bytes(&mut self, what: &str, here: u64, of: Option<u64>) {
        let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
        let of = of.map_or(String::new(), |of| format!(" of {:.1}", mebibytes(of)));
        self.say(&format!("{what}: {:.1}{of} MiB", mebibytes(here)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
