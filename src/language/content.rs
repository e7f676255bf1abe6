//! Bytes of a file → text to read, or what else they are.
//!
//! UTF-8 and everything that is nearly it (Latin-1 and its like) is read as it stands; UTF-16 and UTF-32 with a byte
//! order mark become UTF-8, so that a script saved that way is read like any other. Lines keep their numbers. What holds
//! a NUL byte besides is binary, whatever its name says: interpreters read over a NUL where tools give up.
//!
//! A binary file is *expected* where its first bytes are those of an image, a font, a sound, a film or a PDF, and its
//! extension says the same. All others (archives, programs, classes, a `.py` with a NUL) were not judged, which the
//! caller has to say.

use std::borrow::Cow;

use crate::model::RepoPath;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'t> {
    /// Text, without a byte order mark. UTF-8, but for what its author wrote otherwise.
    Text(Cow<'t, [u8]>),
    /// No text.
    Binary {
        /// What its first bytes say it is, for people.
        what: &'static str,
        /// Whether it is what its name says, and of a kind that holds no code.
        is_expected: bool,
    },
}

/// One kind of binary file.
struct Kind {
    what: &'static str,
    /// What stands where.
    magic: &'static [(usize, &'static [u8])],
    /// The extensions of kinds that are expected in a repository; none for the others.
    extensions: &'static [&'static str],
}

const fn kind(
    what: &'static str,
    magic: &'static [(usize, &'static [u8])],
    extensions: &'static [&'static str],
) -> Kind {
    Kind { what, magic, extensions }
}

/// First bytes, from the formats' own specifications and the media types registered at IANA.
const KINDS: &[Kind] = &[
    kind("a PNG image", &[(0, b"\x89PNG\r\n\x1a\n")], &["png", "apng"]),
    kind("a JPEG image", &[(0, b"\xff\xd8\xff")], &["jpg", "jpeg", "jpe", "jfif"]),
    kind("a GIF image", &[(0, b"GIF87a")], &["gif"]),
    kind("a GIF image", &[(0, b"GIF89a")], &["gif"]),
    kind("a WebP image", &[(0, b"RIFF"), (8, b"WEBP")], &["webp"]),
    kind("a BMP image", &[(0, b"BM"), (6, b"\0\0\0\0")], &["bmp", "dib"]),
    kind("an icon", &[(0, b"\0\0\x01\0")], &["ico"]),
    kind("a cursor", &[(0, b"\0\0\x02\0")], &["cur"]),
    kind("an icon", &[(0, b"icns")], &["icns"]),
    kind("a TIFF image", &[(0, b"II*\0")], &["tif", "tiff"]),
    kind("a TIFF image", &[(0, b"MM\0*")], &["tif", "tiff"]),
    kind("a JPEG 2000 image", &[(0, b"\0\0\0\x0cjP  \r\n\x87\n")], &["jp2", "jpx"]),
    kind("a Photoshop image", &[(0, b"8BPS\0\x01")], &["psd"]),
    kind("an AVIF image", &[(4, b"ftypavi")], &["avif", "avifs"]),
    kind("an HEIF image", &[(4, b"ftyphe")], &["heic", "heif"]),
    kind("an HEIF image", &[(4, b"ftypmif1")], &["heic", "heif", "avif"]),
    kind("an MPEG-4 or QuickTime file", &[(4, b"ftyp")], &["mp4", "m4a", "m4v", "mov", "3gp", "f4v"]),
    kind("a WOFF font", &[(0, b"wOFF")], &["woff"]),
    kind("a WOFF2 font", &[(0, b"wOF2")], &["woff2"]),
    kind("a TrueType font", &[(0, b"\0\x01\0\0")], &["ttf", "tte"]),
    kind("a TrueType font", &[(0, b"true\0")], &["ttf", "dfont"]),
    kind("an OpenType font", &[(0, b"OTTO")], &["otf"]),
    kind("a font collection", &[(0, b"ttcf")], &["ttc", "otc"]),
    kind("an Embedded OpenType font", &[(34, b"LP")], &["eot"]),
    kind("an Ogg file", &[(0, b"OggS")], &["ogg", "oga", "ogv", "opus", "spx"]),
    kind("a FLAC sound", &[(0, b"fLaC")], &["flac"]),
    kind("a WAVE sound", &[(0, b"RIFF"), (8, b"WAVE")], &["wav"]),
    kind("an AIFF sound", &[(0, b"FORM"), (8, b"AIF")], &["aif", "aiff", "aifc"]),
    kind("an MP3 sound", &[(0, b"ID3")], &["mp3"]),
    kind("an MP3 sound", &[(0, b"\xff\xfb")], &["mp3"]),
    kind("an MP3 sound", &[(0, b"\xff\xf3")], &["mp3"]),
    kind("an AAC sound", &[(0, b"\xff\xf1")], &["aac"]),
    kind("a MIDI sound", &[(0, b"MThd\0\0\0")], &["mid", "midi"]),
    kind("an AVI film", &[(0, b"RIFF"), (8, b"AVI ")], &["avi"]),
    kind("a Matroska or WebM film", &[(0, b"\x1a\x45\xdf\xa3")], &["mkv", "mka", "webm"]),
    kind("an MPEG film", &[(0, b"\0\0\x01\xba")], &["mpg", "mpeg"]),
    kind("a PDF document", &[(0, b"%PDF-")], &["pdf"]),
    kind("a ZIP archive", &[(0, b"PK\x03\x04")], &[]),
    kind("a ZIP archive", &[(0, b"PK\x05\x06")], &[]),
    kind("a gzip archive", &[(0, b"\x1f\x8b")], &[]),
    kind("an xz archive", &[(0, b"\xfd7zXZ\0")], &[]),
    kind("a bzip2 archive", &[(0, b"BZh")], &[]),
    kind("a Zstandard archive", &[(0, b"\x28\xb5\x2f\xfd")], &[]),
    kind("a 7z archive", &[(0, b"7z\xbc\xaf\x27\x1c")], &[]),
    kind("a RAR archive", &[(0, b"Rar!\x1a\x07")], &[]),
    kind("a tar archive", &[(257, b"ustar")], &[]),
    kind("a static library or Debian package", &[(0, b"!<arch>\n")], &[]),
    kind("an RPM package", &[(0, b"\xed\xab\xee\xdb")], &[]),
    kind("an ELF program or library", &[(0, b"\x7fELF")], &[]),
    kind("a Windows program or library", &[(0, b"MZ")], &[]),
    kind("a Mach-O program or library", &[(0, b"\xfe\xed\xfa")], &[]),
    kind("a Mach-O program or library", &[(0, b"\xce\xfa\xed\xfe")], &[]),
    kind("a Mach-O program or library", &[(0, b"\xcf\xfa\xed\xfe")], &[]),
    kind("a Java class or a Mach-O program", &[(0, b"\xca\xfe\xba\xbe")], &[]),
    kind("a WebAssembly module", &[(0, b"\0asm")], &[]),
    kind("a Dalvik program", &[(0, b"dex\n")], &[]),
    kind("an SQLite database", &[(0, b"SQLite format 3\0")], &[]),
    kind("a Java key store", &[(0, b"\xfe\xed\xfe\xed")], &[]),
];

/// What a file's bytes are.
#[must_use]
pub fn content<'t>(path: &RepoPath, bytes: &'t [u8]) -> Content<'t> {
    if let Some(text) = decoded(bytes) {
        return Content::Text(text);
    }
    let kind = KINDS
        .iter()
        .find(|kind| kind.magic.iter().all(|(at, magic)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic))));
    let extension = path.file_name().rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_expected =
        kind.is_some_and(|kind| kind.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)));
    // Every kind that is expected holds NULs: what has none is a text that begins like one.
    if !bytes.contains(&0) {
        return Content::Text(Cow::Borrowed(bytes));
    }
    Content::Binary { what: kind.map_or("binary data", |kind| kind.what), is_expected }
}

/// Text with a byte order mark (the Unicode standard, 23.8). What UTF-16 or UTF-32 gives may still hold NULs; it is text
/// for those who read it, and so it is here.
fn decoded(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return (!rest.contains(&0)).then_some(Cow::Borrowed(rest));
    }
    if is_plain(bytes.get(2..).unwrap_or_default()) {
        return None;
    }
    // FF FE 00 00 begins UTF-32 as well as UTF-16 with a NUL: no text begins with that.
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\0\0") {
        return Some(Cow::Owned(from_utf32(rest, u32::from_le_bytes)));
    }
    if let Some(rest) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return Some(Cow::Owned(from_utf32(rest, u32::from_be_bytes)));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Some(Cow::Owned(from_utf16(rest, u16::from_le_bytes)));
    }
    let rest = bytes.strip_prefix(b"\xfe\xff")?;
    Some(Cow::Owned(from_utf16(rest, u16::from_be_bytes)))
}

/// Whether bytes are plain text whatever mark stands before them: interpreters skip a mark and read on. In UTF-16 every
/// second byte of such text is NUL, and of other scripts about half are in that range.
fn is_plain(bytes: &[u8]) -> bool {
    let plain = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')).count();
    plain > bytes.len() / 4 * 3
}

/// What is no character becomes U+FFFD, half a unit at the end too.
fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let (units, rest) = bytes.as_chunks::<2>();
    let characters = char::decode_utf16(units.iter().map(|pair| unit(*pair)));
    let text: String = characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    with_rest(text, rest)
}

fn from_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Vec<u8> {
    let (units, rest) = bytes.as_chunks::<4>();
    let characters = units.iter().map(|four| char::from_u32(unit(*four)));
    with_rest(characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(), rest)
}

fn with_rest(mut text: String, rest: &[u8]) -> Vec<u8> {
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'t>(path: &str, bytes: &'t [u8]) -> Content<'t> {
        content(&RepoPath::new(path), bytes)
    }

    fn text(path: &str, bytes: &[u8]) -> String {
        match of(path, bytes) {
            Content::Text(text) => String::from_utf8_lossy(&text).into_owned(),
            binary @ Content::Binary { .. } => format!("{binary:?}"),
        }
    }

    fn is_expected(path: &str, bytes: &[u8]) -> Option<bool> {
        match of(path, bytes) {
            Content::Text(_) => None,
            Content::Binary { is_expected, .. } => Some(is_expected),
        }
    }

    /// The byte sequences of U+FEFF, "a" and U+1F600 are those of the Unicode standard, 3.10 (tables 3-5 to 3-7).
    #[test]
    fn byte_order_marks_are_taken_off_and_wide_text_becomes_utf8() {
        assert_eq!(text("a.py", b"\xef\xbb\xbfa\nb"), "a\nb");
        assert_eq!(text("a.py", b"\xff\xfea\0\n\0\x3d\xd8\x00\xde"), "a\n\u{1f600}");
        assert_eq!(text("a.py", b"\xfe\xff\0a\0\n\xd8\x3d\xde\x00"), "a\n\u{1f600}");
        assert_eq!(text("a.py", b"\xff\xfe\0\0a\0\0\0\x00\xf6\x01\0"), "a\u{1f600}");
        assert_eq!(text("a.py", b"\0\0\xfe\xff\0\0\0a\0\x01\xf6\0"), "a\u{1f600}");
        assert_eq!(text("a.py", b"\xff\xfe\x00\xd8a\0b"), "\u{fffd}a\u{fffd}");
        assert_eq!(text("a.py", b""), "");
        assert_eq!(of("a.c", b"caf\xe9"), Content::Text(Cow::Borrowed(b"caf\xe9")));
    }

    /// A PNG's signature: RFC 2083, 3.1; a class file's: the JVM specification, 4.1.
    #[test]
    fn binary_files_are_expected_only_where_name_and_bytes_agree() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(is_expected("logo.PNG", png), Some(true));
        assert_eq!(is_expected("logo.jpg", png), Some(false));
        assert_eq!(is_expected("logo.png", b"MZ\x90\0"), Some(false));
        assert_eq!(is_expected("A.class", b"\xca\xfe\xba\xbe\0\0\0\x41"), Some(false));
        assert_eq!(is_expected("a.zip", b"PK\x03\x04\x14\0"), Some(false));
        assert_eq!(is_expected("setup.py", b"import os\n\0"), Some(false));
        assert_eq!(is_expected("setup.py", b"\xef\xbb\xbfimport os\n\0"), Some(false));
        assert_eq!(is_expected("a.pdf", b"%PDF-1.7\n\0"), Some(true));
        assert_eq!(is_expected("a.gif", b"GIF89a=1;fetch(x)"), None);
        // Text that merely begins like one is text: nothing is hidden by five letters.
        assert_eq!(is_expected("a.py", b"%PDF-1.7\n"), None);
        assert_eq!(is_expected("a.txt", b"BZh, said the bee"), None);
        assert_eq!(is_expected("png", png), Some(false));
    }

    /// PHP skips what stands before its opening tag, and shells go on after a line that they cannot run.
    #[test]
    fn a_mark_before_plain_text_is_no_disguise() {
        for mark in [&b"\xff\xfe"[..], b"\xfe\xff", b"\0\0\xfe\xff"] {
            let bytes = [mark, b"<?php eval($_GET['x']);"].concat();
            assert!(!matches!(of("a.php", &bytes), Content::Text(text) if !text.ends_with(b"eval($_GET['x']);")));
        }
    }

    #[test]
    fn every_kind_that_is_expected_names_its_extensions_in_lower_case() {
        for kind in KINDS {
            assert!(kind.extensions.iter().all(|known| *known == known.to_ascii_lowercase()), "{}", kind.what);
            assert!(kind.magic.iter().any(|(_, magic)| magic.len() >= 2), "{}", kind.what);
        }
    }
}
