//! See `rustsec_record` in `bodies.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    // libFuzzer's own hook aborts at every panic, those that are caught too; what is not caught aborts without it.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| portcullis_fuzz::rustsec_record(bytes)
);
