//! The languages' lexical rules, as tables that [`super::machine`] runs.

use crate::model::line::Language;

/// What one language's comments and strings look like.
#[derive(Debug)]
pub(super) struct Syntax {
    /// Markers of comments that run to the end of the line.
    pub line: &'static [Line],
    /// Comments between two markers.
    pub block: &'static [Block],
    /// Strings. An opener that begins with another one stands before it.
    pub quotes: &'static [Quote],
    /// What needs more than a table.
    pub special: &'static [Special],
    /// `\` outside of strings takes the next byte's meaning away (shell).
    pub escapes_code: bool,
    /// `\` at the end of a line carries a string on to the next one.
    pub continues: bool,
}

/// A comment to the end of the line.
#[derive(Debug)]
pub(super) struct Line {
    pub open: &'static [u8],
    pub at: At,
}

/// Where a marker begins a comment. Elsewhere it is code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Wherever it stands.
    Anywhere,
    /// At the beginning of a word: at the start of a line, or behind a blank or an operator of the shell.
    Word,
    /// The same, but not before `{`, which begins a hole of a string that was not seen to begin (Ruby).
    WordNotHole,
    /// As the first thing of a line.
    LineStart,
    /// Where a blank, a dash or the line's end follows; MySQL asks for it, and reads `5--3` as a difference.
    BeforeBlank,
    /// Not behind `:`, where it is rather part of an address in text (JSX); then the rest of the line is code.
    NotColon,
    /// Not before `[`, which begins an attribute (PHP).
    NotBracket,
}

/// A comment between two markers.
#[derive(Debug)]
pub(super) struct Block {
    pub open: &'static [u8],
    pub close: &'static [u8],
    pub nests: bool,
    /// Both markers count at the start of a line only, and the closing line is part of the comment.
    pub whole_lines: bool,
}

/// What begins a hole in a string: its opener, the byte that nests within (0: none), and the byte that ends it.
pub(super) type Opener = (&'static [u8], u8, u8);

/// A string.
#[derive(Debug)]
pub(super) struct Quote {
    pub open: &'static [u8],
    pub close: &'static [u8],
    /// The byte that takes the next one's meaning away.
    pub escape: Option<u8>,
    /// Whether it may run over several lines. One that may not, and is not closed on its line, is no string.
    pub lines: bool,
    /// What begins code within it.
    pub hole: Option<Opener>,
    /// A second kind of hole (shell: backticks).
    pub other_hole: Option<Opener>,
    /// Holes count only where one of these letters stands in the prefix (Python's `f`).
    pub hole_prefix: &'static [u8],
    /// More closing quotes right behind the closing ones belong to the string (Kotlin's `""""`).
    pub greedy: bool,
    /// The closing quote written twice is one in the string (C#'s `@"`).
    pub doubles: bool,
    /// It opens only at the beginning of a word (prefix letters).
    pub word: bool,
}

/// Constructs with rules of their own, see [`super::special`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// `r#"…"#`.
    RustRaw,
    /// A quote that is a lifetime or a symbol unless it closes behind one character.
    Char,
    /// `R"x(…)x"`; in C, where a macro may be called `R`, the text inside stays code.
    CppRaw { is_code: bool },
    /// `'` between digits.
    DigitSeparator,
    /// `"""` to as many quotes again (C#).
    QuoteRun,
    /// `#"…"#` (Swift).
    SwiftHash,
    /// `[==[…]==]`, and behind `--` as a comment.
    LuaLong,
    /// `r"(…)"` (R).
    RRaw,
    /// `%q(…)` and its like (Ruby).
    Percent,
    /// `~s(…)` and its like (Elixir).
    Sigil,
    /// `?x`: one character (Ruby, Elixir).
    Question,
    /// `/…/` where a value is expected.
    Regex(Slash),
    /// `<<WORD` (`<<<WORD` in PHP).
    Heredoc(Heredoc),
    /// `<?php … ?>`.
    PhpTags,
    /// `${…}` outside of strings, where `#` is an operator.
    ShellBraces,
    /// `\u0022` means a quote before anything is read (Java).
    UnicodeEscapes,
    /// `/*!` holds what MySQL executes.
    MySqlComment,
}

/// Whose rules say whether `/` divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slash {
    Script,
    Ruby,
}

/// Whose heredocs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heredoc {
    Shell,
    Ruby,
    Perl,
    Php,
    Terraform,
}

const fn anywhere(open: &'static [u8]) -> Line {
    Line { open, at: At::Anywhere }
}

const fn block(open: &'static [u8], close: &'static [u8]) -> Block {
    Block { open, close, nests: false, whole_lines: false }
}

const C_BLOCK: &[Block] = &[block(b"/*", b"*/")];
const NESTED_BLOCK: &[Block] = &[Block { open: b"/*", close: b"*/", nests: true, whole_lines: false }];
const SLASHES: &[Line] = &[anywhere(b"//")];
const HASH: &[Line] = &[anywhere(b"#")];
const HASH_WORD: &[Line] = &[Line { open: b"#", at: At::Word }];

impl Quote {
    /// On one line, with `\` as escape.
    const fn short(mark: &'static [u8]) -> Self {
        Self {
            open: mark,
            close: mark,
            escape: Some(b'\\'),
            lines: false,
            hole: None,
            other_hole: None,
            hole_prefix: b"",
            greedy: false,
            doubles: false,
            word: false,
        }
    }

    /// Whether its holes may end in a format, as those do that a single brace begins (Python, C#).
    pub(super) fn has_formats(&self) -> bool {
        self.hole.is_some_and(|(open, _, _)| open == b"{")
    }

    /// Over several lines, with `\` as escape.
    const fn long(mark: &'static [u8]) -> Self {
        Self { lines: true, ..Self::short(mark) }
    }

    const fn raw(self) -> Self {
        Self { escape: None, ..self }
    }

    const fn opened_by(self, open: &'static [u8]) -> Self {
        Self { open, ..self }
    }

    const fn braces(self, open: &'static [u8]) -> Self {
        Self { hole: Some((open, b'{', b'}')), ..self }
    }

    const fn parens(self, open: &'static [u8]) -> Self {
        Self { hole: Some((open, b'(', b')')), ..self }
    }
}

const DOUBLE: Quote = Quote::short(b"\"");
const SINGLE: Quote = Quote::short(b"'");
const TRIPLE: Quote = Quote::long(b"\"\"\"");
const TRIPLE_SINGLE: Quote = Quote::long(b"'''");

const PLAIN: Syntax =
    Syntax { line: &[], block: &[], quotes: &[], special: &[], escapes_code: false, continues: false };

const C: Syntax = Syntax {
    line: SLASHES,
    block: C_BLOCK,
    quotes: &[DOUBLE, SINGLE],
    special: &[Special::CppRaw { is_code: true }, Special::DigitSeparator],
    continues: true,
    ..PLAIN
};

const CPP: Syntax = Syntax { special: &[Special::CppRaw { is_code: false }, Special::DigitSeparator], ..C };

const CSHARP: Syntax = Syntax {
    line: SLASHES,
    block: C_BLOCK,
    quotes: &[
        Quote { doubles: true, ..Quote::long(b"\"").raw().opened_by(b"$@\"").braces(b"{") },
        Quote { doubles: true, ..Quote::long(b"\"").raw().opened_by(b"@$\"").braces(b"{") },
        Quote { doubles: true, ..Quote::long(b"\"").raw().opened_by(b"@\"") },
        DOUBLE.opened_by(b"$\"").braces(b"{"),
        DOUBLE,
        SINGLE,
    ],
    special: &[Special::QuoteRun],
    ..PLAIN
};

const CSS: Syntax = Syntax { block: C_BLOCK, quotes: &[DOUBLE, SINGLE], continues: true, ..PLAIN };

const DART: Syntax = Syntax {
    line: SLASHES,
    block: NESTED_BLOCK,
    quotes: &[
        Quote { word: true, ..TRIPLE.raw().opened_by(b"r\"\"\"") },
        Quote { word: true, ..TRIPLE_SINGLE.raw().opened_by(b"r'''") },
        Quote { word: true, ..DOUBLE.raw().opened_by(b"r\"") },
        Quote { word: true, ..SINGLE.raw().opened_by(b"r'") },
        TRIPLE.braces(b"${"),
        TRIPLE_SINGLE.braces(b"${"),
        DOUBLE.braces(b"${"),
        SINGLE.braces(b"${"),
    ],
    ..PLAIN
};

const DOCKERFILE: Syntax = Syntax {
    line: &[Line { open: b"#", at: At::LineStart }],
    quotes: &[DOUBLE.parens(b"$("), SINGLE.raw()],
    special: &[Special::Heredoc(Heredoc::Shell)],
    escapes_code: true,
    continues: true,
    ..PLAIN
};

const ELIXIR: Syntax = Syntax {
    line: HASH,
    quotes: &[TRIPLE.braces(b"#{"), TRIPLE_SINGLE.braces(b"#{"), DOUBLE.braces(b"#{"), SINGLE.braces(b"#{")],
    special: &[Special::Sigil, Special::Question],
    ..PLAIN
};

const GO: Syntax =
    Syntax { line: SLASHES, block: C_BLOCK, quotes: &[DOUBLE, SINGLE, Quote::long(b"`").raw()], ..PLAIN };

const GROOVY: Syntax = Syntax {
    line: &[Line { open: b"//", at: At::NotColon }],
    block: C_BLOCK,
    quotes: &[TRIPLE.braces(b"${"), TRIPLE_SINGLE, DOUBLE.braces(b"${"), SINGLE],
    special: &[Special::Regex(Slash::Script), Special::UnicodeEscapes],
    ..PLAIN
};

const JAVA: Syntax = Syntax {
    line: SLASHES,
    block: C_BLOCK,
    quotes: &[TRIPLE, DOUBLE, SINGLE],
    special: &[Special::UnicodeEscapes],
    ..PLAIN
};

const SCRIPT: Syntax = Syntax {
    line: &[Line { open: b"//", at: At::NotColon }],
    block: C_BLOCK,
    quotes: &[DOUBLE, SINGLE, Quote::long(b"`").braces(b"${")],
    special: &[Special::Regex(Slash::Script)],
    continues: true,
    ..PLAIN
};

const JSON: Syntax = Syntax { line: SLASHES, block: C_BLOCK, quotes: &[DOUBLE], ..PLAIN };

const KOTLIN: Syntax = Syntax {
    line: SLASHES,
    block: NESTED_BLOCK,
    quotes: &[Quote { greedy: true, ..TRIPLE.raw().braces(b"${") }, DOUBLE.braces(b"${"), SINGLE],
    ..PLAIN
};

const LUA: Syntax = Syntax {
    line: &[anywhere(b"--")],
    quotes: &[DOUBLE, SINGLE],
    special: &[Special::LuaLong],
    continues: true,
    ..PLAIN
};

const MAKE: Syntax =
    Syntax { line: HASH_WORD, quotes: &[DOUBLE, SINGLE.raw()], escapes_code: true, continues: true, ..PLAIN };

const PERL: Syntax = Syntax {
    line: HASH_WORD,
    block: &[Block { open: b"=", close: b"=cut", nests: false, whole_lines: true }],
    quotes: &[DOUBLE, SINGLE],
    special: &[Special::Heredoc(Heredoc::Perl)],
    escapes_code: true,
    ..PLAIN
};

const PHP: Syntax = Syntax {
    line: &[anywhere(b"//"), Line { open: b"#", at: At::NotBracket }],
    block: C_BLOCK,
    quotes: &[Quote::long(b"\"").braces(b"{$"), Quote::long(b"'")],
    special: &[Special::PhpTags, Special::Heredoc(Heredoc::Php)],
    ..PLAIN
};

const POWERSHELL: Syntax = Syntax {
    line: HASH_WORD,
    block: &[block(b"<#", b"#>")],
    quotes: &[
        Quote::long(b"\n\"@").raw().opened_by(b"@\"").parens(b"$("),
        Quote::long(b"\n'@").raw().opened_by(b"@'"),
        Quote { escape: Some(b'`'), ..DOUBLE.parens(b"$(") },
        SINGLE.raw(),
    ],
    ..PLAIN
};

const PYTHON: Syntax = Syntax {
    line: HASH,
    quotes: &[
        Quote { hole_prefix: b"fFtT", ..TRIPLE.braces(b"{") },
        Quote { hole_prefix: b"fFtT", ..TRIPLE_SINGLE.braces(b"{") },
        Quote { hole_prefix: b"fFtT", ..DOUBLE.braces(b"{") },
        Quote { hole_prefix: b"fFtT", ..SINGLE.braces(b"{") },
    ],
    continues: true,
    ..PLAIN
};

const R: Syntax = Syntax {
    line: HASH,
    quotes: &[Quote::long(b"\""), Quote::long(b"'"), Quote::short(b"`")],
    special: &[Special::RRaw],
    ..PLAIN
};

const RUBY: Syntax = Syntax {
    line: &[Line { open: b"#", at: At::WordNotHole }],
    block: &[Block { open: b"=begin", close: b"=end", nests: false, whole_lines: true }],
    quotes: &[DOUBLE.braces(b"#{"), SINGLE, Quote::short(b"`").braces(b"#{")],
    special: &[Special::Percent, Special::Question, Special::Regex(Slash::Ruby), Special::Heredoc(Heredoc::Ruby)],
    continues: true,
    ..PLAIN
};

const RUST: Syntax = Syntax {
    line: SLASHES,
    block: NESTED_BLOCK,
    quotes: &[Quote::long(b"\"")],
    special: &[Special::RustRaw, Special::Char],
    ..PLAIN
};

const SCALA: Syntax = Syntax {
    line: SLASHES,
    block: NESTED_BLOCK,
    quotes: &[Quote { greedy: true, ..TRIPLE.raw().braces(b"${") }, DOUBLE.braces(b"${")],
    special: &[Special::Char],
    ..PLAIN
};

const SHELL: Syntax = Syntax {
    line: HASH_WORD,
    quotes: &[
        Quote::long(b"'").opened_by(b"$'"),
        Quote { other_hole: Some((b"`", 0, b'`')), ..Quote::long(b"\"").parens(b"$(") },
        Quote::long(b"'").raw(),
    ],
    special: &[Special::ShellBraces, Special::Heredoc(Heredoc::Shell)],
    escapes_code: true,
    ..PLAIN
};

const SQL: Syntax = Syntax {
    line: &[Line { open: b"--", at: At::BeforeBlank }],
    block: C_BLOCK,
    quotes: &[SINGLE.raw(), DOUBLE.raw(), Quote::short(b"`").raw()],
    special: &[Special::MySqlComment],
    ..PLAIN
};

const SWIFT: Syntax = Syntax {
    line: SLASHES,
    block: NESTED_BLOCK,
    quotes: &[TRIPLE.parens(b"\\("), DOUBLE.parens(b"\\(")],
    special: &[Special::SwiftHash],
    ..PLAIN
};

const TERRAFORM: Syntax = Syntax {
    line: &[anywhere(b"#"), anywhere(b"//")],
    block: C_BLOCK,
    quotes: &[DOUBLE.braces(b"${")],
    special: &[Special::Heredoc(Heredoc::Terraform)],
    ..PLAIN
};

const TOML: Syntax = Syntax {
    line: HASH,
    quotes: &[Quote { greedy: true, ..TRIPLE }, Quote { greedy: true, ..TRIPLE_SINGLE.raw() }, DOUBLE, SINGLE.raw()],
    ..PLAIN
};

const PROPERTIES: Syntax = Syntax {
    line: &[
        Line { open: b"#", at: At::LineStart },
        Line { open: b"!", at: At::LineStart },
        Line { open: b";", at: At::LineStart },
    ],
    ..PLAIN
};

/// The rules of a language that the machine runs; `None` where another lexer reads it, or where all is code.
pub(super) fn of(language: Language) -> Option<&'static Syntax> {
    Some(match language {
        Language::C | Language::ObjectiveC => &C,
        Language::Cpp => &CPP,
        Language::CSharp => &CSHARP,
        Language::Css => &CSS,
        Language::Dart => &DART,
        Language::Dockerfile => &DOCKERFILE,
        Language::Elixir => &ELIXIR,
        Language::Go => &GO,
        Language::Groovy => &GROOVY,
        Language::Java => &JAVA,
        Language::JavaScript | Language::TypeScript => &SCRIPT,
        Language::Json => &JSON,
        Language::Kotlin => &KOTLIN,
        Language::Lua => &LUA,
        Language::Make => &MAKE,
        Language::Perl => &PERL,
        Language::Php => &PHP,
        Language::PowerShell => &POWERSHELL,
        Language::Properties => &PROPERTIES,
        Language::Python => &PYTHON,
        Language::R => &R,
        Language::Ruby => &RUBY,
        Language::Rust => &RUST,
        Language::Scala => &SCALA,
        Language::Shell => &SHELL,
        Language::Sql => &SQL,
        Language::Swift => &SWIFT,
        Language::Terraform => &TERRAFORM,
        Language::Toml => &TOML,
        Language::CloudFormation
        | Language::Html
        | Language::Markdown
        | Language::Text
        | Language::Unknown
        | Language::Xml
        | Language::Yaml => return None,
    })
}
