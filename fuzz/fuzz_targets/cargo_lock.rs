//! `Cargo.lock` and its manifests, from arbitrary bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = portcullis::ecosystem::cargo::lockfile::parse(bytes);
});
