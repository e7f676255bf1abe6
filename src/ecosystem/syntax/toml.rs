//! A TOML file as a tree of values with places, and typed questions to it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Lines, explain, line_of, malformed, text};
use crate::model::tree::Unread;

/// The largest manifest or configuration file that is read, in bytes.
pub const MAX_BYTES: u64 = 4 << 20;

/// Reads a file of at most `cap` bytes and hands its root table to `digest`.
///
/// # Errors
/// What no TOML file may be: too large, not UTF-8, malformed, a key twice, nested too deep; and what `digest` refuses.
pub(crate) fn read<T>(
    bytes: &[u8],
    cap: u64,
    digest: impl FnOnce(Table<'_, '_>) -> Result<T, Unread>,
) -> Result<T, Unread> {
    let text = text(bytes, cap)?;
    crate::text::bound_dots(text).map_err(|mistake| malformed(mistake.line, mistake.reason))?;
    // The parser skips a byte order mark itself, and counts its bytes.
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        explain(text, malformed(line, error.message()))
    })?;
    let lines = Lines::new(text);
    digest(Table { table: root.get_ref(), lines: &lines })
}

/// A table with places.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t, 'i> {
    table: &'t DeTable<'i>,
    lines: &'t Lines,
}

/// A value with its key and place.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'t, 'i> {
    /// The key; the key of the list for an item of one.
    pub key: &'t str,
    /// The line of the key, or of the item.
    pub line: u32,
    value: &'t Spanned<DeValue<'i>>,
    lines: &'t Lines,
}

impl<'t, 'i> Table<'t, 'i> {
    /// Every entry, by key.
    pub fn entries(self) -> impl Iterator<Item = Entry<'t, 'i>> {
        self.table.iter().map(move |(key, value)| self.entry(key, value))
    }

    fn entry(self, key: &'t Spanned<std::borrow::Cow<'i, str>>, value: &'t Spanned<DeValue<'i>>) -> Entry<'t, 'i> {
        let Range { start, .. } = key.span();
        Entry { key: key.get_ref(), line: self.lines.of(start), value, lines: self.lines }
    }

    /// The entry of that key.
    pub fn get(self, key: &str) -> Option<Entry<'t, 'i>> {
        self.table.get_key_value(key).map(|(key, value)| self.entry(key, value))
    }

    /// The table of that key.
    pub fn table(self, key: &str) -> Result<Option<Self>, Unread> {
        self.get(key).map(Entry::table).transpose()
    }

    /// The text of that key.
    pub fn text(self, key: &str) -> Result<Option<&'t str>, Unread> {
        self.get(key).map(Entry::text).transpose()
    }

    /// The boolean of that key; false where there is none.
    pub fn is(self, key: &str) -> Result<bool, Unread> {
        self.get(key)
            .map_or(Ok(false), |entry| entry.value.get_ref().as_bool().ok_or_else(|| entry.wrong("true or false")))
    }

    /// The list of texts of that key, each with its line; empty where there is none.
    pub fn texts(self, key: &str) -> Result<Vec<(&'t str, u32)>, Unread> {
        let Some(entry) = self.get(key) else {
            return Ok(Vec::new());
        };
        entry.items()?.map(|item| Ok((item.text()?, item.line))).collect()
    }
}

impl<'t, 'i> Entry<'t, 'i> {
    /// A complaint about the type of the value.
    pub fn wrong(self, wanted: &str) -> Unread {
        let key: String = self.key.chars().take(80).flat_map(char::escape_debug).collect();
        malformed(self.line, format!("`{key}` is a {}, not {wanted}", self.value.get_ref().type_str()))
    }

    /// The value as a table.
    pub fn table(self) -> Result<Table<'t, 'i>, Unread> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Table { table, lines: self.lines }),
            _ => Err(self.wrong("a table")),
        }
    }

    /// The value as text.
    pub fn text(self) -> Result<&'t str, Unread> {
        self.as_text().ok_or_else(|| self.wrong("a string"))
    }

    /// The value as text, where it is one.
    pub fn as_text(self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    /// The value as a whole number; `None` where it is none, or too large.
    pub fn as_integer(self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// Whether the value is a list.
    pub fn is_list(self) -> bool {
        self.value.get_ref().is_array()
    }

    /// The items of the value as a list.
    pub fn items(self) -> Result<impl Iterator<Item = Entry<'t, 'i>>, Unread> {
        let DeValue::Array(array) = self.value.get_ref() else {
            return Err(self.wrong("a list"));
        };
        Ok(array.iter().map(move |value| Entry { line: self.lines.of(value.span().start), value, ..self }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_and_broken_files_are_refused_and_do_not_overflow_the_stack() {
        for text in [
            "a.".repeat(2 << 20),
            format!("[{}a]", "a.".repeat(1 << 20)),
            format!("{}a=1", "a . ".repeat(1 << 19)),
            format!("a={}", "{a.a.a.a=".repeat(100_000)),
            format!("a={}", "[".repeat(1 << 20)),
            "[[a]]\n".repeat(20) + &"a={".repeat(200_000),
        ] {
            assert!(read(text.as_bytes(), MAX_BYTES, |_| Ok(())).is_err(), "{text:.40}");
        }
        let deep = format!("x = {}1{}", "{a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=".repeat(79), "}".repeat(79));
        let _either_way = read(deep.as_bytes(), MAX_BYTES, |_| Ok(()));
        assert!(read(format!("x = [{}]", "1.5, ".repeat(100_000)).as_bytes(), MAX_BYTES, |_| Ok(())).is_ok());
    }

    #[test]
    fn complaints_name_the_line() {
        let error = |text: &str| read(text.as_bytes(), MAX_BYTES, |t| t.text("a").map(|_| ())).unwrap_err().to_string();
        assert_eq!(error("\n\na = 1"), "line 3: `a` is a integer, not a string");
        assert!(error("a = 1\na = 2").starts_with("line 2: duplicate key"));
        assert!(error("\n<<<<<<< HEAD\n").starts_with("line 2: conflict markers"));
        assert!(error("\u{feff}\r\na = 1").starts_with("line 2: `a`"));
    }
}
