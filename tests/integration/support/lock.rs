//! Lockfiles written another way: the same data in other bytes.

/// The same lockfile with its entries in reverse order and with other line ends.
pub fn rewrite(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    // `[metadata]` of the oldest form stays behind the entries, where it opens a table of its own.
    let (body, tail) = match text.find("\n[metadata]") {
        Some(at) => (&text[..at], &text[at..]),
        None => (text.as_str(), ""),
    };
    let mut parts = body.split("\n[[package]]\n");
    let head = parts.next().unwrap_or_default();
    let mut entries: Vec<&str> = parts.collect();
    entries.reverse();
    let entries: String = entries.iter().map(|entry| format!("\n[[package]]\n{}\n", entry.trim_end())).collect();
    format!("{}\n{entries}{tail}", head.trim_end()).replace('\n', "\r\n")
}

#[test]
fn rewriting_keeps_every_entry() {
    let entry = |name: &str| format!("\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
    let text = format!("version = 4\n{}{}", entry("a"), entry("b"));
    let text = text.as_str();
    let rewritten = rewrite(text);
    assert!(rewritten.find("\"b\"") < rewritten.find("\"a\""));
    assert_eq!(rewrite(&rewritten).replace("\r\n", "\n"), text);
}
