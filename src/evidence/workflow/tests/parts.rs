//! Expressions and scripts by themselves.

use super::super::{expression, script};

// POSIX.1-2024, "Shell Command Language": what the commands of a text are.
#[test]
fn scripts_are_cut_into_commands() {
    let cut = |text: &str| {
        let all = script::commands(text);
        let words = all.iter().filter(|command| !command.words.is_empty());
        words.map(|command| command.words.join("_")).collect::<Vec<_>>().join(" ")
    };
    for (text, wanted) in [
        ("a b; c", "a_b c"),
        ("a 'b c' \"d e\" f\\ g", "a_b c_d e_f g"),
        ("a | b && c || d & e", "a b c d e"),
        ("a \\\n b\nc", "a_b c"),
        ("a # b\nc", "a c"),
        ("a#b", "a#b"),
        ("a \"x $(b c) y\" d", "a_x $() y_d b_c"),
        ("a `b`", "a_$() b"),
        ("a <(b)", "a_$() b"),
        ("(a; b) > c", "$() a b"),
        ("a > b 2>&1 >> c", "a"),
        ("cat <<E | b\nx | y\nE\nc", "cat b c"),
        ("cat <<-'E'\n\tx\n\tE\nc", "cat c"),
        ("echo ${{ a && 'b | c' }} d", "echo_${{ a && 'b | c' }}_d"),
        ("a 'b\nc' d\ne", "a_b\nc_d e"),
        ("& a b", "a_b"),
    ] {
        assert_eq!(cut(text), wanted, "{text}");
    }
    let lines: Vec<u32> = script::commands("a\n\nb 'x\ny'\nc <<E\n1\nE\nd")
        .iter()
        .filter(|c| !c.words.is_empty())
        .map(|c| c.line)
        .collect();
    assert_eq!(lines, [0, 2, 4, 7]);
    let of = |text: &str| script::commands(text)[0].program();
    assert_eq!(
        [of("sudo -E env A=b /usr/bin/bash x"), of("A=b timeout 5 X.EXE"), of("if ! curl x")].join(" "),
        "bash x curl"
    );
    assert_eq!(script::variables("$A ${B} ${C:-x} $env:D %E% \"$F\"_$1"), ["A", "B", "C", "D", "F", "E"]);
}

// "Evaluate expressions": literals, operators, functions.
#[test]
fn expressions_parse_or_are_said_not_to() {
    for text in ["a", "a.b['c''d'][0].*", "!(a == 'b') && f(1, 'x', true) || null", "-1.5e3 < 0xff", "a.b-c_d"] {
        assert!(expression::parse(text).is_some(), "{text}");
    }
    for text in ["", "a b", "a ==", "f(", "a[", "a]", "\"a\"", "a & b", "a.'b'", "$a"] {
        assert!(expression::parse(text).is_none(), "{text}");
    }
    let all = expression::find("x ${{ a }} y ${{ '}}' }} ${{ c");
    assert_eq!(all.iter().map(|found| found.source.trim()).collect::<Vec<_>>(), ["a", "'}}'", "c"]);
    assert_eq!(all.iter().map(|found| found.offset).collect::<Vec<_>>(), [2, 13, 25]);
}
