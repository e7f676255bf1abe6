//! Secrets: how random a text is, whether it only stands for one, and formats with public checksums.

/// Bits per character asked for where the alphabet is that of hexadecimal digits, of which random ones have 4.
const HEX_BITS: f64 = 3.0;
/// The same for everything else; random base64 of 20 characters has about 4.1, words of English under 3.5.
const TEXT_BITS: f64 = 3.5;

/// Shannon's entropy of the bytes, in bits per byte.
fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = text.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}

/// Whether a text looks random: at least `min` bits per character, or what its alphabet makes one expect.
pub(super) fn is_random(text: &[u8], min: Option<f64>) -> bool {
    let is_hex = text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let min = min.unwrap_or(if is_hex { HEX_BITS } else { TEXT_BITS });
    !text.is_empty() && entropy(text) >= min
}

/// Words that say that something is to be filled in, or is made up.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "placeholder",
    "replace",
    "redacted",
    "insert",
    "dummy",
    "sample",
    "your_",
    "your-",
    "yours",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourkey",
    "yourapi",
    "my_secret",
    "mysecret",
    "my-secret",
    "todo",
    "fixme",
    "foobar",
    "not-a-",
    "not_a_",
    "notasecret",
    "notreal",
    "fake",
    "xxxx",
    "****",
    "....",
    "----",
    "____",
    "<",
    ">",
    "lorem",
    "to-be-",
    "undefined",
    "deadbeef",
    "1234567890",
    "0123456789",
    "abcdefg",
    "for-test",
    "testonly",
    "test-only",
    "test_only",
    "s3cr3t-here",
    "secret-here",
    "secret_here",
    "goes-here",
    "goes_here",
    "enter-",
    "enter_",
    "fill-in",
    "fill_in",
    "fillme",
    "removed",
    "masked",
    "hidden",
];

/// Words that, alone, are names of a secret or of nothing.
const EMPTY_WORDS: &[&str] = &[
    "",
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "api_key",
    "api-key",
    "key",
    "none",
    "null",
    "nil",
    "nan",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "test",
    "tests",
    "testing",
    "foo",
    "bar",
    "baz",
    "string",
    "str",
    "text",
    "value",
    "default",
    "empty",
    "unset",
    "unknown",
    "required",
    "optional",
    "credential",
    "credentials",
    "username",
    "user",
    "env",
    "n/a",
    "na",
    "hash",
    "bearer",
    "basic",
    "auth",
    "abc",
    "abcd",
    "abc123",
    "x",
    "xx",
    "xxx",
];

/// What reads a value from somewhere else.
const LOOKUPS: &[&str] = &[
    "${",
    "$(",
    "{{",
    "#{",
    "<%",
    "%(",
    "os.environ",
    "process.env",
    "getenv",
    "env.",
    "env[",
    "env(",
    "secrets.",
    "vault:",
    "ssm:",
    "secretsmanager",
    "keyvault",
    "keychain",
    "var.",
    "local.",
    "data.",
    "!ref",
    "!sub",
    "fn::",
    "arn:",
    "file://",
    "op://",
    "sops",
    "enc[",
    "encrypted:",
];

/// Whether a text stands for a secret instead of being one.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
    let word = lower.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '`' | ':' | '=' | ','));
    let alone = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_shell_variable =
        word.strip_prefix('$').is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let is_percent = word.len() > 2 && word.starts_with('%') && word.ends_with('%');
    EMPTY_WORDS.contains(&alone)
        || PLACEHOLDERS.iter().any(|part| word.contains(part))
        || LOOKUPS.iter().any(|part| word.contains(part))
        || is_shell_variable
        || is_percent
        || (word.starts_with('{') && word.ends_with('}'))
        || (word.starts_with('[') && word.ends_with(']'))
        || is_one_character(alone.as_bytes())
}

/// One character over and over, as in `xxxx` or `0000`.
fn is_one_character(text: &[u8]) -> bool {
    text.windows(2).all(|pair| pair.first() == pair.last())
}

/// The value of a character of base64url or base64.
fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' | b'+' => 62,
        b'_' | b'/' => 63,
        _ => return None,
    }))
}

/// Decodes base64url without padding (RFC 4648, section 5).
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            bits = bits << 6 | sextet(*byte)?;
        }
        let [_, a, b, c] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        out.extend([a, b, c].iter().take(group.len().saturating_sub(1)));
    }
    (text.len() % 4 != 1).then_some(out)
}

/// Whether a text is a JSON web token: a header that is a JSON object with `alg`, a payload that is one, and a signature
/// (RFC 7519, section 3; RFC 7515, section 4.1.1).
pub(super) fn is_jwt(text: &[u8]) -> bool {
    let mut parts = text.splitn(3, |b| *b == b'.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let object =
        |part: &[u8]| base64url(part).filter(|json| json.starts_with(b"{") && json.trim_ascii_end().ends_with(b"}"));
    let Some(header) = object(header) else { return false };
    memchr::memmem::find(&header, b"\"alg\"").is_some()
        && object(payload).is_some()
        && !signature.is_empty()
        && signature.iter().all(|b| sextet(*b).is_some())
}

/// Characters of base64 that must follow a header for it to hold a key: the smallest private keys (Ed25519, RFC 8410)
/// have 64.
const KEY_CHARACTERS: usize = 40;

/// Whether key material follows a PEM header (RFC 7468, section 2): on the next lines, or on the same one with `\n`
/// written out, as in a JSON or a program's text.
pub(super) fn is_pem(header: &[u8], after: &[u8]) -> bool {
    // A pattern may have matched more than the header.
    let inside = memchr::memmem::find(header, b"KEY-----")
        .or_else(|| memchr::memmem::find(header, b"BLOCK-----"))
        .and_then(|at| header.get(at..))
        .and_then(|rest| memchr::memmem::find(rest, b"-----").and_then(|end| rest.get(end + 5..)))
        .unwrap_or_default();
    let mut key = Vec::with_capacity(256);
    let mut line = Vec::with_capacity(80);
    let mut bytes = inside.iter().chain(after).copied().peekable();
    while let Some(byte) = bytes.next() {
        let is_escape = byte == b'\\' && matches!(bytes.peek(), Some(b'n' | b'r' | b't' | b'\\'));
        match byte {
            _ if is_escape => {
                bytes.next();
                finish_line(&mut line, &mut key);
            }
            b'\n' => finish_line(&mut line, &mut key),
            b'-' if line.ends_with(b"----") => break,
            _ => line.push(byte),
        }
        if key.len() >= 4 * KEY_CHARACTERS {
            break;
        }
    }
    finish_line(&mut line, &mut key);
    key.len() >= KEY_CHARACTERS && entropy(&key) > HEX_BITS
}

/// Takes the base64 of a line, without the quotes, blanks, comment signs and operators that a program puts around it.
/// A line with anything else (`Proc-Type: 4,ENCRYPTED`, words) has none.
fn finish_line(line: &mut Vec<u8>, key: &mut Vec<u8>) {
    let is_around = |b: &u8| b" \t\r\"'`+,;|>#*()\\.&".contains(b);
    let start = line.iter().position(|b| !is_around(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !is_around(b)).map_or(start, |at| at + 1);
    let content = line.get(start..end).unwrap_or_default();
    if content.len() > 7 && content.iter().all(|b| sextet(*b).is_some() && *b != b'_' || *b == b'=') {
        key.extend_from_slice(content);
    }
    line.clear();
}

/// Digits of base 62 in the order of their values.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a text is a token of GitHub. The classic ones are a prefix of four characters, 30 random characters and the
/// CRC-32 of those as six digits of base 62 (GitHub, "Behind GitHub's new authentication token formats", 2021). The
/// other forms, as `github_pat_`, have no published checksum and are taken as they are.
pub(super) fn is_github_token(text: &[u8]) -> bool {
    let is_classic = [b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"].iter().any(|prefix| text.starts_with(*prefix));
    if !is_classic || text.len() != 40 {
        return text.len() >= 40 && !is_placeholder(text);
    }
    let (Some(random), Some(checksum)) = (text.get(4..34), text.get(34..40)) else { return false };
    let mut value = crc32fast::hash(random);
    for digit in checksum.iter().rev() {
        if BASE62.get((value % 62) as usize) != Some(digit) {
            return false;
        }
        value /= 62;
    }
    value == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entropies by hand: one symbol 0 bits, two equally often 1 bit, sixteen once each 4 bits.
    #[test]
    fn entropy_is_shannons() {
        for (text, bits) in [("aaaa", 0.0), ("abab", 1.0), ("0123456789abcdef", 4.0)] {
            assert!((entropy(text.as_bytes()) - bits).abs() < 1e-9, "{text}");
        }
        assert!(is_random(b"0123456789abcdef", None) && !is_random(b"0123456789abcdef", Some(4.1)));
        assert!(!is_random(b"", Some(0.0)) && !is_random(b"password", None));
    }

    #[test]
    fn placeholders_stand_for_a_secret() {
        for text in [
            "changeme",
            "<your-token>",
            "${DB_PASSWORD}",
            "{{ vault_password }}",
            "xxxxxxxxxxxx",
            "YOUR_API_KEY",
            "$PASSWORD",
            "%PASSWORD%",
            "os.environ['X']",
            "process.env.KEY",
            "password",
            "'secret'",
            "AKIAIOSFODNN7EXAMPLE",
            "00000000",
            "",
            "null",
            "{password}",
            "[token]",
            "ENC[PKCS7,abc]",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
            "REDACTED",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["hunter2", "correct horse battery", "Kj8%ksm2", "pa$$w0rd!9", "s3cr3tP4ss"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    /// The token of RFC 7519, section 3.1, and what it is not.
    #[test]
    fn tokens_have_a_header_with_an_algorithm() {
        let good = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(is_jwt(good.as_bytes()));
        let (head, _) = good.rsplit_once('.').unwrap();
        for bad in [
            head.to_owned(),
            format!("{head}."),
            format!("x{good}"),
            "a.b.c".to_owned(),
            "eyJhIjoxfQ.e30.aa".to_owned(),
        ] {
            assert!(!is_jwt(bad.as_bytes()), "{bad}");
        }
    }

    /// The key of RFC 8410, section 10.3.
    const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    const HEADER: &str = "-----BEGIN PRIVATE KEY-----";

    #[test]
    fn key_material_follows_a_header() {
        for after in [
            format!("\n{KEY}\n-----END PRIVATE KEY-----\n"),
            format!("\\n{KEY}\\n-----END PRIVATE KEY-----\\n\""),
            format!("\r\n    {KEY}\r\n"),
            format!("\\n\" +\n  \"{KEY}\\n\" +\n"),
            format!("\n# {}\n# {}\n", KEY.split_at(32).0, KEY.split_at(32).1),
            format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{KEY}\n"),
        ] {
            assert!(is_pem(HEADER.as_bytes(), after.as_bytes()), "{after}");
        }
        assert!(is_pem(format!("{HEADER}{KEY}-----END PRIVATE KEY-----").as_bytes(), b""));
        for after in ["", "\n", "\n...\n-----END", "\n<your key here>\n", " is the header\nof such a file\n"] {
            assert!(!is_pem(HEADER.as_bytes(), after.as_bytes()), "{after}");
        }
        let same = "A".repeat(64);
        assert!(!is_pem(HEADER.as_bytes(), format!("\n{same}\n").as_bytes()));
    }

    /// Made up; the checksums were computed with another implementation of CRC-32 (zlib's).
    #[test]
    fn github_tokens_end_with_their_checksum() {
        assert!(is_github_token(b"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"));
        assert!(is_github_token(b"ghs_dsAXTzVikKUHIUPv97OqYzBexVtLB50ETld3"));
        assert!(!is_github_token(b"ghp_NotARealTokenJustForThisTest0148NSz1"));
        assert!(!is_github_token(b"ghp_short"));
        assert!(is_github_token(format!("github_pat_{}", "Ab3".repeat(27)).as_bytes()));
    }
}
