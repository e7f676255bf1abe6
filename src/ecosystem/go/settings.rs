//! `go.env` and `.go-version`: what the go command is told besides the modules (command go, "Environment variables").

use crate::ecosystem::Redirect;
use crate::ecosystem::syntax::{explain, text, toml};
use crate::model::tree::Unread;

/// Variables that say where modules come from, or which are taken unchecked, and what they send there.
const VARIABLES: &[(&str, &str)] = &[
    ("GOSUMDB", "the check of new checksums"),
    ("GONOSUMDB", "modules whose checksums are not looked up"),
    ("GONOSUMCHECK", "modules whose checksums are not looked up"),
    ("GOPRIVATE", "modules that are fetched from their origin, unchecked"),
    ("GONOPROXY", "modules that are fetched from their origin"),
    ("GOINSECURE", "modules that are fetched without transport security"),
    ("GOVCS", "the programs that fetch modules"),
    ("GOAUTH", "the credentials for modules"),
    ("GOTOOLCHAIN", "the toolchain"),
    ("GOROOT", "the standard library"),
    ("GOMODCACHE", "downloaded modules"),
    ("GOPATH", "downloaded modules and programs"),
    ("GOWORK", "the workspace"),
    ("GOCACHE", "what was built before"),
    ("GOCACHEPROG", "what was built before"),
    ("GOTOOLDIR", "the compiler"),
    ("CC", "the C compiler"),
    ("CXX", "the C++ compiler"),
    ("FC", "the Fortran compiler"),
    ("AR", "the archiver"),
    ("GCCGO", "the compiler"),
    ("PKG_CONFIG", "the flags of C libraries"),
];

/// Flags that take packages or code from elsewhere, and what they send there.
const FLAGS: &[(&str, &str)] = &[
    ("mod", "modules"),
    ("modfile", "go.mod"),
    ("overlay", "source files"),
    ("toolexec", "each program of the build"),
    ("exec", "each program that is run"),
    ("insecure", "modules that are fetched without transport security"),
    ("pkgdir", "packages"),
];

/// Where a file of variables takes modules or code from. Of a variable that stands twice, both count.
pub(super) fn redirects(bytes: &[u8]) -> Result<Vec<Redirect>, Unread> {
    let text = text(bytes, toml::MAX_BYTES)?;
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(explain(text, crate::ecosystem::syntax::malformed(0, "conflict markers")));
    }
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line_number = at as u32 + 1;
        // The go command ignores lines that set nothing.
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let mut add = |from: &str, to: &str| {
            if !to.is_empty() {
                found.push(Redirect { from: from.to_owned(), to: to.to_owned(), line: line_number, is_first: true });
            }
        };
        match key {
            "GOPROXY" => {
                for place in value.split([',', '|']).map(str::trim).filter(|place| *place != "off") {
                    add("modules", place);
                }
            }
            "GOFLAGS" => {
                for flag in value.split_whitespace() {
                    let flag = flag.trim_matches(['\'', '"']).trim_start_matches('-');
                    let (name, to) = flag.split_once('=').unwrap_or((flag, flag));
                    if let Some((_, from)) = FLAGS.iter().find(|(known, _)| *known == name) {
                        add(from, to);
                    }
                }
            }
            _ => {
                if let Some((_, from)) = VARIABLES.iter().find(|(known, _)| *known == key) {
                    add(from, value);
                }
            }
        }
    }
    Ok(found)
}
