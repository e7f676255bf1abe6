//! Bytes → text, and places in text → lines. Shared by the lockfile, the manifests and cargo's configuration.

use crate::model::tree::Unread;

/// A complaint about a line.
pub(super) fn malformed(line: u32, reason: impl Into<String>) -> Unread {
    Unread::Malformed { line, reason: reason.into() }
}

/// The line of a byte offset, counted from 1. Walks the text: for the one line of an error.
pub(super) fn line_of(text: &str, offset: usize) -> u32 {
    let bytes = text.as_bytes();
    let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// The text of a file, within `cap` bytes.
///
/// # Errors
/// Too large, not UTF-8, or with a NUL byte, which no TOML file may hold.
pub(super) fn text(bytes: &[u8], cap: u64) -> Result<&str, Unread> {
    if bytes.len() as u64 > cap {
        return Err(Unread::TooLarge { what: "the file, in bytes,".to_owned(), size: bytes.len() as u64, cap });
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            return Err(malformed(line, "not UTF-8"));
        }
    };
    if bytes.contains(&0) {
        let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        return Err(malformed(line_of(text, at), "a NUL byte"));
    }
    Ok(text)
}

/// Says by name that a merge was left unfinished, where that is why the text could not be read.
pub(super) fn explain(text: &str, error: Unread) -> Unread {
    if !matches!(error, Unread::Malformed { .. }) {
        return error;
    }
    for (n, line) in text.lines().enumerate() {
        if line.starts_with("<<<<<<<") {
            return malformed(n as u32 + 1, "conflict markers (`<<<<<<<`): a merge was left unfinished");
        }
    }
    error
}
