//! Changed files against the detectors, on as many threads as there are cores: what one file holds says nothing of
//! another, and compiling patterns takes longer than most files do.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::difference;
use crate::detect::{Detectors, Failed, Hit, Side, WHOLE};
use crate::language::{self, class};
use crate::model::RepoPath;
use crate::model::line::Language;

/// Threads, at the most.
const MOST_THREADS: usize = 8;
/// Bytes for which another thread is worth its start.
const WORTH_A_THREAD: usize = 16 << 10;

/// A changed file, read.
pub(super) struct Job<'p> {
    pub(super) path: &'p RepoPath,
    /// Base's text; empty where there is none.
    pub(super) before: Vec<u8>,
    /// Head's text; empty where there is none.
    pub(super) after: Vec<u8>,
}

/// What the detectors say of it.
pub(super) struct Scanned {
    /// Lines that head adds.
    pub(super) added: u64,
    /// Whether head's text is in no known language.
    pub(super) is_unknown: bool,
    /// Hits of lines that base alone has, of lines that head alone has, and of head's whole text where it has new ones.
    pub(super) hits: Result<[Vec<Hit>; 3], Failed>,
}

/// Scans files, in order.
pub(super) fn all(detectors: &Detectors, jobs: &[Job<'_>]) -> Vec<Scanned> {
    let bytes: usize = jobs.iter().map(|job| job.before.len() + job.after.len()).sum();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(MOST_THREADS).min(jobs.len()).min(1 + bytes / WORTH_A_THREAD);
    if threads < 2 {
        return jobs.iter().map(|job| one(detectors, job)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { return done };
            done.push((at, one(detectors, job)));
        }
    };
    let mut done: Vec<(usize, Scanned)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            // A detector that panics is caught where it runs; nothing else does.
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, scanned)| scanned).collect()
}

fn one(detectors: &Detectors, job: &Job<'_>) -> Scanned {
    let Job { path, before, after } = job;
    let differs = difference(path, before, after);
    let scan = |text: &[u8], lines: &[Range<u32>]| {
        let side = Side { path, language: language::of(path, text), class: class(path), text, lines };
        // A detector that panics leaves the answer incomplete, and the run alive.
        catch_unwind(AssertUnwindSafe(|| detectors.scan(&side)))
            .unwrap_or_else(|_| Err(Failed { path: (*path).clone(), reason: "a detector failed".to_owned() }))
    };
    let hits = || {
        let (gone, new) = (scan(before, &differs.removed)?, scan(after, &differs.added)?);
        let whole = if new.is_empty() { Vec::new() } else { scan(after, &[WHOLE]).unwrap_or_default() };
        Ok([gone, new, whole])
    };
    Scanned {
        added: differs.added.iter().map(|range| u64::from(range.end - range.start)).sum(),
        is_unknown: !after.is_empty() && language::of(path, after) == Language::Unknown,
        hits: hits(),
    }
}
