//! Checksums as texts: an algorithm, a colon, and the digest in lower-case hex.
//!
//! `sha256:…`, `sha512:…`, `sha384:…`, `sha1:…`, `md5:…` are digests of a package's one archive. `gitCommit:…` is the
//! commit of a git source. `h1:…` is Go's SHA-256 over the names and digests of a module's files. Where a release is
//! several files (wheels of PyPI, platforms of a provider), `files:…` is the SHA-256 over the sorted checksums of all of
//! them, one a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Bytes of the digest of each algorithm, weakest first.
const ALGORITHMS: &[(&str, usize)] =
    &[("md5", 16), ("sha1", 20), ("sha224", 28), ("sha256", 32), ("sha384", 48), ("sha512", 64)];

/// A checksum from an algorithm and hex; `None` where one of them is none.
#[must_use]
pub fn of_hex(algorithm: &str, hex: &str) -> Option<Box<str>> {
    let algorithm = algorithm.to_ascii_lowercase();
    let (name, bytes) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm)?;
    let is_hex = hex.len() == bytes * 2 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| format!("{name}:{}", hex.to_ascii_lowercase()).into())
}

/// A checksum from an algorithm and base64; `None` where one of them is none.
#[must_use]
pub fn of_base64(algorithm: &str, text: &str) -> Option<Box<str>> {
    let bytes = STANDARD.decode(text).ok()?;
    of_hex(algorithm, &hex(&bytes))
}

/// A commit of git as a checksum; `None` where it is not a full one.
#[must_use]
pub fn of_commit(commit: &str) -> Option<Box<str>> {
    let is_full = matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_full.then(|| format!("gitCommit:{}", commit.to_ascii_lowercase()).into())
}

/// Go's `h1:` and base64 as a checksum.
#[must_use]
pub fn of_h1(text: &str) -> Option<Box<str>> {
    let bytes = STANDARD.decode(text.strip_prefix("h1:")?).ok()?;
    (bytes.len() == 32).then(|| format!("h1:{}", hex(&bytes)).into())
}

/// The strongest digest of a subresource integrity text (W3C SRI: `sha512-…` with spaces between); `None` where one of
/// them is none that is known, and where the strongest algorithm stands with two digests: tools take any of them.
#[must_use]
pub fn of_integrity(text: &str) -> Option<Box<str>> {
    let mut best: Option<Box<str>> = None;
    let mut is_one = true;
    for part in text.split_ascii_whitespace() {
        let (algorithm, rest) = part.split_once('-')?;
        let found = of_base64(algorithm, rest.split('?').next().unwrap_or(rest))?;
        match &best {
            Some(known) if strength(known) > strength(&found) => {}
            Some(known) if strength(known) == strength(&found) => is_one &= *known == found,
            _ => (best, is_one) = (Some(found), true),
        }
    }
    best.filter(|_| is_one)
}

/// One checksum for all files of a release, and the sorted list of theirs where there are several.
#[must_use]
pub fn of_files(mut files: Vec<Box<str>>) -> (Option<Box<str>>, Box<[Box<str>]>) {
    files.sort();
    files.dedup();
    match &*files {
        [] => (None, Box::default()),
        [one] => (Some(one.clone()), Box::default()),
        _ => {
            let digest = Sha256::digest(files.join("\n").as_bytes());
            (Some(format!("files:{}", hex(&digest)).into()), files.into())
        }
    }
}

/// How much an algorithm is worth: a move to a smaller number weakens a lock entry.
#[must_use]
pub fn strength(checksum: &str) -> u8 {
    match checksum.split(':').next().unwrap_or_default() {
        "md5" => 1,
        "sha1" => 2,
        "gitCommit" => 3,
        "sha224" => 4,
        "sha256" | "h1" | "files" => 5,
        "sha384" => 6,
        "sha512" => 7,
        _ => 0,
    }
}

/// Whether a text is a checksum as this module writes them.
#[must_use]
pub fn is_checksum(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let sizes: &[usize] = match algorithm {
        "gitCommit" => &[20, 32],
        "h1" | "files" => &[32],
        _ => match ALGORITHMS.iter().find(|(name, _)| *name == algorithm) {
            Some((_, size)) => std::slice::from_ref(size),
            None => return false,
        },
    };
    sizes.iter().any(|size| hex.len() == size * 2) && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // Digests of the empty text, from FIPS 180-4's reference values; base64 by hand with coreutils.
    #[test]
    fn spellings_of_one_digest_are_one_checksum() {
        const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = format!("sha256:{SHA256}");
        assert_eq!(of_hex("SHA256", &SHA256.to_uppercase()).as_deref(), Some(&*expected));
        let sri = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=?x";
        assert_eq!(of_integrity(sri).as_deref(), Some(&*expected));
        let h1 = of_h1("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(h1.as_deref(), Some(&*format!("h1:{SHA256}")));
        assert!(is_checksum(&expected) && is_checksum(&h1.unwrap()));
        // One of the strongest is what tools take, whichever it is; what is weaker does not count.
        let two = sri.replace("sha256", "sha1-dmm9K/g9LIcAaWKFLbLqmHmK5nk= sha256");
        assert_eq!(of_integrity(&two).as_deref(), Some(&*expected));
        let other = format!("{sri} sha256-{}=", "A".repeat(43));
        for bad in [other, format!("{sri} {sri}x sha3-AAAA"), format!("sha256-47DE {sri}")] {
            assert_eq!(of_integrity(&bad), None, "{bad}");
        }
        for bad in ["sha256-", "sha256-47DE", "sha3-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", ""] {
            assert_eq!(of_integrity(bad), None, "{bad}");
        }
        assert!(!is_checksum("sha256:9F2C") && !is_checksum(&expected.to_uppercase()) && !is_checksum(SHA256));
    }

    #[test]
    fn several_files_are_one_checksum_in_any_order() {
        let (a, b): (Box<str>, Box<str>) = ("sha256:aa".into(), "sha256:bb".into());
        let (one, list) = of_files(vec![b.clone(), a.clone(), b.clone()]);
        assert_eq!(of_files(vec![a.clone(), b.clone()]), (one.clone(), list.clone()));
        assert_eq!(&*list, [a.clone(), b]);
        assert!(is_checksum(&one.unwrap()));
        assert_eq!(of_files(vec![a.clone()]), (Some(a), Box::default()));
    }
}
