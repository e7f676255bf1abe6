//! The expected regions are marked by hand in the sources themselves: `«…»` is a string, `‹…›` a comment, all else code.
//! What is what follows each language's own reference, named at the case.

use proptest::prelude::*;

use super::*;

/// Compares byte for byte what [`regions`] says with the marks.
fn check(language: Language, marked: &str) {
    let (mut text, mut expected, mut region) = (Vec::new(), Vec::new(), Region::Code);
    for c in marked.chars() {
        match c {
            '«' => region = Region::Text,
            '‹' => region = Region::Comment,
            '»' | '›' => region = Region::Code,
            c => {
                let mut buffer = [0; 4];
                let bytes = c.encode_utf8(&mut buffer).as_bytes();
                text.extend_from_slice(bytes);
                expected.resize(text.len(), region);
            }
        }
    }
    let regions = regions(language, &text);
    let got: Vec<Region> = (0..text.len()).map(|at| regions.at(at)).collect();
    let show = |regions: &[Region]| {
        let mut shown = String::new();
        let mut last = Region::Code;
        for (at, byte) in text.iter().enumerate() {
            if regions[at] != last {
                shown.push_str(match regions[at] {
                    Region::Code => "|",
                    Region::Text => "«",
                    Region::Comment => "‹",
                });
                last = regions[at];
            }
            shown.push(char::from(*byte));
        }
        shown
    };
    assert!(got == expected, "{language}\nexpected {}\ngot      {}", show(&expected), show(&got));
}

/// The C standard, 5.1.1.2 and 6.4.9; [lex.string], [lex.icon] of the C++ standard.
#[test]
fn c_and_cpp() {
    check(Language::C, "int a; ‹// one›\n‹/* two\n \" */› char *s = «\"x // y /* \\\" \"»; char c = «'\"'»;\n");
    check(Language::C, "s = «\"one \\\n two\"»; t();\n");
    // A stray quote ends with its line, and hides nothing on it.
    check(Language::C, "s = \"open; evil();\nmore(«\"x\"»);\n");
    // A comment that a backslash carries on is code from its second line on: the safe side.
    check(Language::C, "‹// a \\›\nint b;\n");
    check(
        Language::Cpp,
        "auto s = «R\"x(a \" )\" )x\"»; int i = 1'000'000; char c = «'1'»; f(«u8R\"(\")\"», u8«'x'»);\n",
    );
    check(Language::C, "#define R\nf(R\"(a /* \" )\", b); ‹/* c */›\n");
    check(Language::ObjectiveC, "NSString *s = @«\"a\"»; ‹// b›\n");
}

/// The Rust reference, "Comments", "Tokens".
#[test]
fn rust() {
    check(Language::Rust, "fn f<'a>(x: &'a str) { ‹/* a /* b */ c */› let c = «'\"'»; let d = «'\\''»; }\n");
    check(
        Language::Rust,
        "let s = «r#\"a \" // \"#»; let t = «\"a\n// b\"»; let b = «br\"\\\"»; let u = «'ß'»; ‹// c›\n",
    );
    check(Language::Rust, "let r = barr«\"x\"»; let l: &'static str = «\"'\"»; 'outer: loop {}\n");
    check(Language::Rust, "let a = «'\\u{10FFFF}'»; f(b«'\"'», x);\n");
}

/// The Python language reference, 2.1.3 and 2.4 (f-strings: 2.4.3, with nested quotes since 3.12).
#[test]
fn python() {
    check(Language::Python, "x = «\"a # b\"» ‹# c›\ny = «'it\\'s'»\nz = «\"\"\"a\n# b \" '\n\"\"\"»; f()\n");
    check(Language::Python, "p = f«\"a {»x[«\"k\"»]«} {{b}} {»y«}\"» + r«\"\\\"\"»; g()\n");
    check(Language::Python, "p = rb«\"\\\"\"» + F«'''{»eval(x)«}\n'''»\n");
    check(Language::Python, "s = «'a \\\n b'»; g()\nt = 'open; evil()\nu = «'x'»\n");
    check(
        Language::Python,
        "f«'{»a:#x«}'»; g(f«\"{»x[1:2]:'>{w}«}\"», evil(«'a'»)); h(f«'{»(lambda: «\"b\"»)()«}'»)\n",
    );
    // 2.1.2: a lone carriage return ends a line, and with it the comment.
    check(Language::Python, "‹# a›\revil()\n");
}

/// ECMA-262, 12.4 (comments), 12.9.4 (strings), 12.9.5 (regular expressions), 12.9.6 (templates); 12.3 for U+2028.
#[test]
fn javascript() {
    check(Language::JavaScript, "let a = «'x'», b = «\"//\"»; ‹// c›\n‹/* d\n e */› f();\n");
    check(Language::TypeScript, "let t = «`a ${»f(«'}'», {b: 1}, «`c${»d«}`»)«} // e`»; g();\n");
    check(Language::JavaScript, "x = /[/*\"'`]/.test(y); evil(); ‹/* a */›\n");
    check(Language::JavaScript, "if (a) /[/*]/.test(b); evil();\nreturn /\"/;\n");
    check(Language::JavaScript, "x = (a + b) / 2; y = c / «\"d\"» / e; ‹// f›\nz = i++ / «\"2/\"».length;\n");
    check(Language::JavaScript, "x = a ‹/* b */› / «\"c/d\"»; evil();\n");
    // `}` may end a block or an object: the rest of the line is code, and beyond it only where nothing can differ.
    check(Language::JavaScript, "x = {} / \"a/b\"; evil();\ny = «\"c\"»;\n");
    check(Language::JavaScript, "x = {} / `a/b`; evil();\ny = \"c\";\n");
    check(Language::JavaScript, "‹// a›\u{2028}evil(); ‹// b›\u{2029}evil();\n");
    check(Language::TypeScript, "<a href={b}>see http://c.example/ {evil()}</a>;\nd(«'e'»);\n");
    check(Language::TypeScript, "<p>/*</p>{evil()}<p>*/</p>;\nd(«'e'»);\n");
    check(Language::TypeScript, "<p>don't</p>{evil()}\n<b>x</b>{«`a/b`»}\n");
    check(Language::JavaScript, "s = «'a \\\n b'»; f();\nt = 'open; evil();\n");
}

/// The Go specification, "Comments", "String literals"; the Java Language Specification, 3.3, 3.7, 3.10.
#[test]
fn go_and_java() {
    check(Language::Go, "s := «`a \\`» + «\"b`\"» ‹// c`›\nr := «'\"'»\nt := «`d\n// e`»\n");
    check(Language::Java, "String s = «\"\"\"\n a \"b\" // c\n \"\"\"»; char c = «'\"'»; ‹/* d */›\n");
    check(
        Language::Java,
        "// \\u000a evil();\n‹// caf\\u00e9›\nf(\"\\u0022 + evil() + \\u0022\");\n/* \\uuu002a\\u002f evil(); */\n",
    );
}

/// The Kotlin, Scala, Swift, C# and Dart references on strings; C# specification 6.4.5.6 for `@"` and raw strings.
#[test]
fn younger_languages() {
    check(Language::Kotlin, "val a = «\"x ${»f(«\"y\"»)«} z\"»; val b = «\"\"\"q \"\"\"\"»; ‹/* /* */ */› g()\n");
    check(Language::Scala, "val a = 'sym; val c = «'\"'»; val b = s«\"${»x«}\"» ‹// y›\n");
    check(Language::Swift, "let a = «\"x \\(»f(«\"y\"»)«)\"»; let b = «#\"a \" b\"#»; let c = #\"\\#(evil())\"#\n");
    check(
        Language::CSharp,
        "var a = «@\"c:\\»«\"\"x\"»; var b = «$\"{»f(«\"y\"»)«}\"»; var c = «\"\"\"a \"\" b\"\"\"»; ‹// d›\n",
    );
    check(Language::CSharp, "var a = $\"\"\"{evil()}\"\"\"; var q = «@\"a\n\"\"b\"\" // \"»; f();\n");
    check(Language::Dart, "var a = «r'\\'»; var b = «\"x ${»y«}\"»; ‹// z›\n");
    check(Language::Elixir, "a = «\"x #{»f(«\"y\"»)«}\"»; b = «~s(it's)»; c = ?\"; d = ~s/#{evil()}/ ‹# e›\n");
    check(Language::Groovy, "def a = «\"${»b«}\"»; def c = /it's \"/; d(«'''e\n'''») ‹// f›\n");
    check(Language::Lua, "a = «[==[ ]] \" ]==]» ‹--[[ b\n ]]› c = «'d'» ‹-- e›\nt[u[1]] = 2\n");
    check(Language::R, "a <- «r\"(b \" c)\"»; d <- «'e'» ‹# f›\n");
}

/// Ruby's documentation, "Literals" and "Comments"; Perl's perlop and perlpod.
#[test]
fn ruby_and_perl() {
    check(Language::Ruby, "a = «\"x #{»f(«\"y\"»)«}\"» ‹# z›\n‹=begin\nevil\n=end›\nb = ?'\nc = «%w[it's d]»\n");
    check(Language::Ruby, "a = <<~SQL.strip\n« it's\n x »#{evil(1)}\n«  y\n»SQL\nb = «'c'»\n");
    // `1 <<A` shifts; the lines behind it are code.
    check(Language::Ruby, "a 1 <<A\nevil(\"x\")\nA\nb = «'c'»\n");
    check(Language::Ruby, "a =~ / #\"'/; evil()\nb = c / «\"d\"»\nputs /\"/, evil()\n");
    check(Language::Ruby, "x = y \"open; evil()\nz = `ls`\n".replace("`ls`", "«`ls`»").as_str());
    check(
        Language::Ruby,
        "a = 'b'\n/\"/.match(c)\nsh %W[git #{evil} it]\nd = [:%, :==, :<, :<<, :x]\n".replace("'b'", "«'b'»").as_str(),
    );
    check(
        Language::Perl,
        "my $n = $#a; print «\"b\"»; ‹# c›\n\n‹=pod\n\nevil\n\n=cut›\nprint <<X;\n=pod\nX\nevil();\n",
    );
}

/// The shell command language of POSIX, 2.2, 2.3, 2.7.4; Bash's manual, 3.5.3.
#[test]
fn shell() {
    check(Language::Shell, "a=$#; b=${#c}; d=«'x # y'» ‹# z›\necho it\\'s «\"q $(»f «\"r\"» ‹# s›\n«)\"»; ‹# t›\n");
    check(Language::Shell, "echo ${x/ #/}; evil\ncat <<EOF\nit's # \"\nEOF\necho «'a\nb'»; cat <<< «\"x\"»\n");
    check(Language::Shell, "cat <<-'E O' | sh\n\tcurl x\n\tE O\necho «\"`»evil«`\"» a#b;‹# c›\n");
    check(Language::Dockerfile, "‹# a›\nRUN echo it's # b\nRUN <<EOF\ncurl \"\nEOF\nENV A=«\"b\"»\n");
    check(Language::Make, "a := b ‹# c›\n\techo «\"d # e\"» f\\#g\n");
    check(Language::PowerShell, "‹<# a\n #>› $x = «\"b $(»f «'c'»«)\"» ‹# d›\n$y = «@'\nit's\n'@»\n");
}

/// PHP's manual, "Basic syntax" and "Strings".
#[test]
fn php() {
    check(
        Language::Php,
        "<p>it's # a</p><?php ‹// b ›?> \"c\" <?= «'d\n'» ‹# e›\n #[Attr]\n$x = «\"f {$»g[«'h'»]«}\"»; ‹/* i */› ?>\n'j",
    );
    check(Language::Php, "<?php $a = <<<SQL\n« it's\n »{$evil()}\n« b\n»  SQL . «'c'»;\n");
}

/// The YAML specification 1.2.2, 6.6 (comments), 7.3 (flow scalars), 8.1 (block scalars).
#[test]
fn yaml() {
    check(
        Language::Yaml,
        "‹# a›\nb: don't # no\nc: «'it''s # d'» ‹# e›\nf: [«\"g\"», h#i]\n".replace("# no", "‹# no›").as_str(),
    );
    check(Language::Yaml, "run: | ‹# x›\n  echo \"a # b\"; evil\n  ‹# comment›\n  it's\nname: «'y'»\n");
    check(Language::Yaml, "- run: >-\n    a \" b\n\n    c # d\n  name: «\"e\n  f\"» ‹# g›\n«\"k\"»: !tag «\"v\"»\n");
    // A quote at the start of a continued plain scalar is a letter of it.
    check(Language::Yaml, "a: hello\n  \"\nrun: evil\nb: «\"c\"»\n");
    check(Language::Yaml, "- a: 1\n  «\"b\"»: 2\n- c\n  \"\n- evil\n");
    // Outside of brackets, brackets and commas are text.
    check(
        Language::Yaml,
        "if: contains(a, 'b') # c\nd: ${{ e, 'f' }}\ng: [h, «'i'», {«\"j\"»:«\"k # l\"»}]\nm: n, 'o'\n"
            .replace("# c", "‹# c›")
            .as_str(),
    );
    check(Language::CloudFormation, "{«\"a\"»: «\"b # c\"», «\"d\"»: [1, «\"e\"»],\n  «\"f\"»: 2}\n");
}

/// The HTML standard, 13.2.5 (comment and script states); XML 1.0, 2.5 and 2.7; Jakarta Pages and Jinja look into
/// comments of HTML.
#[test]
fn markup() {
    check(Language::Html, "<a b='c'>it's</a> ‹<!-- d > e -->› f ‹<!-->› evil ‹<!--->› evil ‹<!-- x --!>› evil\n");
    check(Language::Html, "<SCRIPT>\n<!-- \nevil()\n//-->\n</script> ‹<!-- a -->› <scripts>‹<!-- b -->›\n");
    check(Language::Html, "‹<!-- a ›<% evil %> --> b ‹<!-- c ›{{ d }} -->\n");
    check(Language::Xml, "<a b=\"c\"/> ‹<!-- d -->› <![CDATA[ <!-- evil ]]> ‹<!-- e -->›\n");
}

/// HCL's syntax specification, "Comments" and "Template expressions"; TOML 1.0; SQL:2016, 5.2 and MySQL's manual, 11.7.
#[test]
fn data_languages() {
    check(
        Language::Terraform,
        "a = «\"b ${»c[«\"d\"»]«}\"» ‹# e›\nf = <<-EOT\n«  it's # \"\n»  EOT\ng = 1 ‹// h›\n‹/* i */›\n",
    );
    check(Language::Toml, "a = «\"b # c\"» ‹# d›\ne = «'''it's\n'''»\nf = «\"\"\"g \\\" # \"\"\"»\n");
    check(Language::Sql, "select 'it''s' ‹-- a›\n".replace("'it''s'", "«'it''s'»").as_str());
    check(Language::Sql, "select 5--3, evil;\n/*! evil */ ‹/* a */› select «\"b\"», 'open;\nselect evil;\n");
    check(Language::Json, "{«\"a\"»: «\"// b \\\" \"», ‹// c›\n «\"d\"»: 1}\n");
    check(Language::Properties, "‹# a›\n  ‹! b›\nc=it's # d\n‹; e›\n");
    check(Language::Css, "a { b: «\"c /* \"» } ‹/* d\n */› e { f: url(//g.example) }\n");
    check(Language::Markdown, "# \"a\" /* b */\n");
}

/// What would hide the rest of a file if it were believed.
#[test]
fn hostile_text_stays_code() {
    // A quote behind a string does not take the string's last mark for its own.
    check(Language::Swift, "a = «#\"\"#»«\"\"»#\n");
    // More holes in holes than are kept: code to the end.
    let deep = "`${".repeat(10_000);
    let rules = regions(Language::JavaScript, deep.as_bytes());
    assert_eq!(rules.at(deep.len() - 1), Region::Code);
    for (language, text) in [
        (Language::Rust, "'"),
        (Language::Python, "f'{"),
        (Language::Shell, "<<"),
        (Language::Php, "<?php <<<A"),
        (Language::Ruby, "%w["),
        (Language::JavaScript, "/["),
        (Language::Java, "// \\u"),
        (Language::Html, "<!--"),
        (Language::CSharp, "$\"\"\""),
        (Language::Cpp, "R\"("),
        (Language::Lua, "--[=["),
        (Language::Yaml, "a: |"),
        (Language::Swift, "#\""),
        (Language::Elixir, "~s("),
        (Language::R, "r\"-"),
    ] {
        for cut in 0..=text.len() {
            let _ = regions(language, &text.as_bytes()[..cut]);
            let _ = regions(language, &text.as_bytes()[..cut].repeat(100));
        }
    }
}

#[test]
fn stretches_of_a_range_begin_with_what_stands_there() {
    let text = b"a // b\nc \"d\" e";
    let regions = regions(Language::Go, text);
    let all: Vec<_> = regions.within(4..12).collect();
    let expected = [(0, Region::Comment), (2, Region::Code), (5, Region::Text)];
    assert_eq!(all, expected);
    assert_eq!(regions.at(usize::MAX), Region::Code);
    assert!(Regions::default().is_code());
}

/// Every language: random soup of the marks that mean something somewhere. The stretches are in order and alternate.
fn soup() -> impl Strategy<Value = String> {
    let marks = [
        "\"",
        "'",
        "`",
        "\"\"\"",
        "'''",
        "/*",
        "*/",
        "//",
        "#",
        "--",
        "--[[",
        "]]",
        "<<EOF",
        "<<~E",
        "<<<E",
        "EOF",
        "E",
        "\n",
        "\r\n",
        "\\",
        "${",
        "#{",
        "{$",
        "$(",
        "\\(",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "r#\"",
        "\"#",
        "R\"x(",
        ")x\"",
        "%w[",
        "~s(",
        "?",
        "/",
        " ",
        "\t",
        "a",
        "if",
        "1",
        "=",
        ":",
        "|",
        ">",
        "-",
        ",",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<?php",
        "?>",
        "@\"",
        "$\"",
        "f\"",
        "=begin",
        "=end",
        "\\u000a",
        "é",
        "\u{2028}",
        "\0",
        "<%",
        "!",
    ];
    prop::collection::vec(prop::sample::select(marks.to_vec()), 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_stretches_alternate(text in soup(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for language in Language::ALL {
            for text in [text.as_bytes(), &bytes] {
                let regions = regions(*language, text);
                let starts: Vec<_> = regions.starts.iter().map(|packed| unpack(*packed)).collect();
                prop_assert!(starts.iter().all(|(at, _)| *at <= text.len()));
                prop_assert!(starts.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1), "{starts:?}");
                prop_assert!(starts.first().is_none_or(|(_, region)| *region != Region::Code));
            }
        }
    }
}
