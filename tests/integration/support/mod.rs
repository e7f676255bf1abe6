//! A case is a folder: `case.toml`, trees `base/`, `head/` and perhaps `governing/`, and `expected.toml`.
//!
//! Trees are loaded into memory, never checked out; what a plain folder should not hold (links, submodules, names and
//! bytes that not every system can store) stands in `case.toml`.

pub mod case;
pub mod lock;

pub use case::{Case, Evidence, Side, all, portcullis};

/// Runs `body` for every case on all cores and gathers what went wrong, so that one bad case does not hide another.
pub fn for_each(cases: &[Case], body: impl Fn(&Case) -> Result<(), String> + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let faults = std::sync::Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(case)));
                    let fault = match outcome {
                        Ok(Ok(())) => continue,
                        Ok(Err(fault)) => fault,
                        Err(_) => "panicked (see above)".to_owned(),
                    };
                    faults.lock().unwrap().push(format!("{}: {fault}", case.id));
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.sort();
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

/// Fails with both sides where they differ.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, left: &T, right: &T) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what} differ:\n  {left:#?}\n  {right:#?}")) }
}
