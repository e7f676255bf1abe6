//! Replays every fuzz target's seeds, and mutations of them, through its body. libFuzzer is not needed for that.
//!
//! `PORTCULLIS_FUZZ_SECONDS` sets how long the mutations of one body may take (default: half a second, which keeps the
//! whole below ten). The order is fixed, so a longer run begins as a shorter one does. With `PORTCULLIS_FUZZ_KEEP` set,
//! every input is written down before it is tried: a stack that overflows leaves no time for that after.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use bodies::{BODIES, Body};

/// The longest input that mutations grow to, in bytes.
const LONGEST: usize = 128 << 10;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// File names and bytes, sorted.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder().join("seeds").join(name)) else { return Vec::new() };
    let mut seeds: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("a folder that can be listed"))
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("a seed that can be read");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    seeds.sort();
    seeds
}

/// A linear congruential generator (Knuth's MMIX constants): the same numbers in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`; 0 where there is no side.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    /// A range below `length`, most often a short one.
    fn span(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.roll(length + 1);
        let most = if self.roll(4) == 0 { length } else { 24 };
        from..(from + self.roll(most + 1)).min(length)
    }
}

/// Pieces that parsers stumble over.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"'''",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[[",
    b".",
    b",",
    b"=",
    b"\\",
    b"#",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"*",
    b"..",
    b"/",
    b"%",
    b"@",
    b"::",
    b"\x1b[2J",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"<<<<<<< ours\n",
    b"\n[[package]]\n",
    b"\n=== Cargo.lock\n",
    b"\n=== Cargo.toml\n",
    b"#### head\n",
    b"\n=== .cargo/config.toml\n",
    b"version = 4\n",
    b"null",
    b"1e999",
    b"(",
    b")",
    b" AND ",
    b" OR ",
    b"e\xcc\x81",
];

/// One change of some bytes; `other` is another seed.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.roll(bytes.len() + 1);
    match dice.roll(9) {
        0 => bytes.truncate(at),
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.roll(8);
            }
        }
        2 => {
            let value = dice.roll(256) as u8;
            bytes.insert(at, value);
        }
        3 => {
            let span = dice.span(bytes.len());
            bytes.drain(span);
        }
        // A whole line once more, somewhere.
        4 => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let line = lines.get(dice.roll(lines.len())).map(|line| line.to_vec()).unwrap_or_default();
            let to: usize = lines.iter().take(dice.roll(lines.len() + 1)).map(|line| line.len()).sum();
            bytes.splice(to..to, line);
        }
        // A part of another seed.
        5 => {
            let part = other.get(dice.span(other.len())).unwrap_or_default().to_vec();
            let span = dice.span(bytes.len());
            bytes.splice(span, part);
        }
        6 => {
            let piece = PIECES.get(dice.roll(PIECES.len())).copied().unwrap_or_default();
            bytes.splice(at..at, piece.iter().copied());
        }
        // A line left out.
        7 => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let gone = dice.roll(lines.len());
            *bytes = lines.iter().enumerate().filter(|(n, _)| *n != gone).flat_map(|(_, line)| line.to_vec()).collect();
        }
        // Something many times over: depth, and length.
        _ => {
            let piece = match dice.roll(2) {
                0 => PIECES.get(dice.roll(PIECES.len())).map(|piece| piece.to_vec()).unwrap_or_default(),
                _ => bytes.get(dice.span(bytes.len())).unwrap_or_default().to_vec(),
            };
            let times = 1 << dice.roll(14);
            let times = times.min((LONGEST.saturating_sub(bytes.len())) / piece.len().max(1));
            bytes.splice(at..at, piece.repeat(times));
        }
    }
    bytes.truncate(LONGEST);
}

/// Runs one body; a failure names everything that repeats it.
fn run(name: &str, body: Body, bytes: &[u8], what: &str) -> Result<(), String> {
    let path = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    let keeps = std::env::vars().any(|(name, _)| name == "PORTCULLIS_FUZZ_KEEP");
    if keeps {
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    }
    let started = Instant::now();
    let failed = catch_unwind(AssertUnwindSafe(|| body(bytes))).is_err();
    let took = started.elapsed();
    if !failed && took < Duration::from_secs(10) {
        return Ok(());
    }
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    let how = if failed { "fails".to_owned() } else { format!("takes {took:?}") };
    Err(format!("{name}: {what} {how}; the input is in {}: make it a seed", path.display()))
}

fn replay(name: &str, body: Body, budget: Duration) -> Result<usize, String> {
    let seeds = seeds(name);
    for (file, bytes) in &seeds {
        run(name, body, bytes, file)?;
    }
    let started = Instant::now();
    let mut count = 0;
    // Cut short at steps: every file a power cut leaves behind.
    for (file, bytes) in &seeds {
        for step in 0..16 {
            let cut = bytes.len() * step / 16;
            run(name, body, bytes.get(..cut).unwrap_or_default(), &format!("{file} cut at {cut}"))?;
        }
    }
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    while started.elapsed() < budget {
        let Some((file, seed)) = seeds.get(dice.roll(seeds.len())) else { break };
        let other = seeds.get(dice.roll(seeds.len())).map_or(&[][..], |(_, bytes)| bytes);
        let mut bytes = seed.clone();
        for _ in 0..=dice.roll(4) {
            mutate(&mut bytes, other, &mut dice);
        }
        run(name, body, &bytes, &format!("mutation {count} of {file}"))?;
        count += 1;
    }
    Ok(count)
}

#[test]
fn no_input_breaks_a_body() {
    let seconds = std::env::vars().find(|(name, _)| name == "PORTCULLIS_FUZZ_SECONDS");
    let seconds = seconds.and_then(|(_, text)| text.parse::<f64>().ok()).unwrap_or(0.5);
    let mut failures = Vec::new();
    for (name, body) in BODIES {
        match replay(name, *body, Duration::from_secs_f64(seconds)) {
            Ok(count) => println!("{name}: {count} mutations"),
            Err(failure) => failures.push(failure),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_body_has_a_target_and_seeds() {
    let names: BTreeSet<&str> = BODIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), BODIES.len(), "a name is there twice");
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let bins = manifest["bin"].as_array().unwrap();
    let mut targets = BTreeSet::new();
    for bin in bins {
        let (name, path) = (bin["name"].as_str().unwrap(), bin["path"].as_str().unwrap());
        assert_eq!(path, format!("fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(folder().join(path)).unwrap();
        assert!(text.contains(&format!("portcullis_fuzz::{name}(bytes)")), "{path} calls another body");
        targets.insert(name);
    }
    assert_eq!(targets, names, "bins and bodies");
    let listed = |sub: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder().join(sub)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let names: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
    assert_eq!(listed("fuzz_targets"), names, "files and bodies");
    assert_eq!(listed("seeds"), names, "seeds and bodies");
    for name in &names {
        assert!(!seeds(name).is_empty(), "{name} has no seed");
    }
}
