//! Requirements, poetry's notation and addresses.

use super::requirement::{Requirement, Specifiers};
use super::{poetry, reference};

#[test]
fn versions_meet_requirements_as_pep_440_says() {
    // Expected: `SpecifierSet(…).contains(…, prereleases=True)` of `packaging` 26.3, one digit a version.
    let versions = "0.9 1.0a1.post1 1.0a1+z 1.0.post1.dev1 1.0.post2 1.dev1 1.0a1 1.0rc1 1.0 1.0+x 1.0.post1 1.0.1 1.1 1.1.dev0 1.4.5a4 1.4.5 1.4.9 1.5rc1 1.10 2.0.dev1 2.0 2.0.post1+y 2.0.1 1!1.0 1!2";
    for (specifiers, expected) in [
        ("<1.0.post1", "1110011111000000000000000"),
        ("<=1.0.post1", "1111011111100000000000000"),
        (">1.0.dev1", "0111101111111111111111111"),
        (">1.0a1.post1", "0001100111111111111111111"),
        ("<1.0.dev2", "1000010000000000000000000"),
        ("<1.0a1", "1000010000000000000000000"),
        (">1.0.post1.dev1", "0000100000111111111111111"),
        ("<1.0.post1.dev2", "1111011111000000000000000"),
        ("==1.0", "0000000011000000000000000"),
        ("==1.0.0", "0000000011000000000000000"),
        ("==1.0+x", "0000000001000000000000000"),
        ("==1.*", "0111111111111111111000000"),
        ("==1.0.*", "0111111111110000000000000"),
        ("==1.4.5.*", "0000000000000011000000000"),
        ("==1!1.*", "0000000000000000000000010"),
        ("!=1.0", "1111111100111111111111111"),
        ("!=1.*", "1000000000000000000111111"),
        ("~=1.0", "0001100011111111111000000"),
        ("~=1.4.5", "0000000000000001100000000"),
        ("~=1.4.5a4", "0000000000000011100000000"),
        ("~=1.0.post1", "0000100000111111111000000"),
        ("~=1!1.0", "0000000000000000000000010"),
        ("<=1.0", "1110011111000000000000000"),
        (">=1.0", "0001100011111111111111111"),
        ("<1.0", "1000000000000000000000000"),
        ("<1.0rc1", "1110011000000000000000000"),
        ("<2.0", "1111111111111111111000000"),
        (">1.0", "0000000000011111111111111"),
        (">1.0.post1", "0000100000011111111111111"),
        (">1.0a1", "0001100111111111111111111"),
        (">=1,<2", "0001100011111111111000000"),
        (">=1.0,!=1.4.*,<2.0", "0001100011111100011000000"),
        ("===1.0", "0000000010000000000000000"),
        ("===1.0+x", "0000000001000000000000000"),
        (">=2.0.dev1", "0000000000000000000111111"),
        ("<1.5rc1", "1111111111111111100000000"),
        ("~=1.4,!=1.4.5", "0000000000000010111000000"),
    ] {
        let parsed = Specifiers::parse(specifiers).unwrap();
        let found = versions.split(' ').map(|version| if parsed.satisfies(version).unwrap() { '1' } else { '0' });
        assert_eq!(found.collect::<String>(), expected, "{specifiers}");
    }
    let says = |specifiers: &str, version: &str| Specifiers::parse(specifiers).unwrap().satisfies(version);
    assert_eq!(says("", "1.0"), Some(true));
    for (specifiers, version) in
        [("==1.0", "latest"), (">=2.0.0-final", "1.0"), ("~=1", "1.0"), (">=1.*", "1.0"), ("==1.0a1.*", "1")]
    {
        assert_eq!(says(specifiers, version), None, "{specifiers} {version}");
    }
    for none in ["1.0", "=1.0", "=>1", ">", ">=1 <2", ">=1,,<2", "^1", "> = 1", "==1;", "==1\0"] {
        assert_eq!(Specifiers::parse(none), None, "{none}");
    }
    let pin = |specifiers: &str| Specifiers::parse(specifiers).unwrap().to_version();
    let pins = ["==1.0", "=== 1.0-x", "==1.*", "==1.0,>0", ">=1, <2", "", "==1,==2", "~=1.0"].map(pin);
    assert_eq!(pins, ["=1.0", "=1.0-x", "==1.*", "=1.0", ">=1, <2", "*", "==1,==2", "~=1.0"]);
}

#[test]
fn requirements_have_the_grammar_of_pep_508() {
    let read = |text: &str| {
        let text = Requirement::parse(text).map_err(|error| error.len())?;
        let (url, marker) = (text.url.unwrap_or("-"), text.marker.unwrap_or("-"));
        Ok::<_, usize>(format!("{}|{}|{}|{url}|{marker}", text.name, text.extras.join("+"), text.specifiers.text))
    };
    for (text, expected) in [
        ("A", "A|||-|-"),
        (" A.B-C_D ", "A.B-C_D|||-|-"),
        ("name<=1", "name||<=1|-|-"),
        ("name >= 3 , < 4", "name||>= 3 , < 4|-|-"),
        ("name(>=3,<4)", "name||>=3,<4|-|-"),
        ("name[fred,Bar_x] >=3;python_version<'2.7'", "name|fred+Bar_x|>=3|-|python_version<'2.7'"),
        ("name [ ] ; os_name == 'a;b'", "name|||-|os_name == 'a;b'"),
        ("name @ https://registry.example/a;b ; x=='1'", "name|||https://registry.example/a;b|x=='1'"),
        ("name[quux]@http://registry.example", "name|quux||http://registry.example|-"),
        ("n>=1,", "n||>=1,|-|-"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
    for bad in [
        "",
        "-a",
        "a-",
        "a b",
        "a[b",
        "a[b,-]",
        "a @",
        "a >= 1 < 2",
        "a>=1;",
        "a;",
        "a @ https://registry.example/x y",
        "a (>=1",
        "../a",
        "a\n-r x",
        "a==1\0",
        "<<<<<<< HEAD",
        "https://registry.example/a",
        "a>=1 --hash=x",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let error = Requirement::parse("a b https://me:secret@registry.example/").unwrap_err();
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn poetry_has_a_notation_of_its_own() {
    // From poetry's documentation of caret, tilde, wildcard and exact requirements.
    for (constraint, inside, outside) in [
        ("^1.2.3", "1.2.3 1.9 1.2.3.post1", "1.2.2 2.0.0 2.0rc1 1.2.3rc1 1!1.2.3"),
        ("^1.2", "1.2 1.99", "2.0"),
        ("^1", "1.0 1.9", "2 0.9"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3 0.0.3.1", "0.0.4"),
        ("^0.0", "0.0.1", "0.1"),
        ("^0", "0.9", "1.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3 1.2.2"),
        ("~1.2", "1.2.0 1.2.9", "1.3"),
        ("~1", "1.9", "2.0"),
        ("~=1.2", "1.9", "2.0"),
        ("1.2.*", "1.2.0", "1.3"),
        ("*", "0 9", ""),
        ("", "0 9", ""),
        ("1.2.3", "1.2.3 1.2.3.0", "1.2.4"),
        ("=1.2.3", "1.2.3", "1.2.4"),
        (">= 1.2, < 1.5", "1.2 1.4", "1.5 1.1"),
        (">=1.2 <1.5", "1.2 1.4", "1.5 1.1"),
        ("^2.1 || ^3.0", "2.5 3.9", "1.0 4.0"),
        ("!=1.0", "1.1", "1.0"),
        ("<2.*", "1.9", "2.1"),
    ] {
        for (list, expected) in [(inside, true), (outside, false)] {
            for version in list.split(' ').filter(|version| !version.is_empty()) {
                assert_eq!(poetry::satisfies(constraint, version), Some(expected), "{constraint} {version}");
            }
        }
    }
    for odd in ["latest", "^x", "~=1", "a || b"] {
        assert_eq!(poetry::satisfies(odd, "1.0"), None, "{odd}");
    }
    let pins = ["1.2.3", "==1.2", "= 1.2", "^1", "1.*", "*", "", ">=1,<2", "1.0 || 2.0"].map(poetry::exact);
    assert_eq!(pins, [Some("1.2.3"), Some("1.2"), Some("1.2"), None, None, None, None, None, None]);
}

#[test]
fn addresses_are_read() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let read = |text: &str| {
        let d = reference::direct(text);
        let option = |text: &Option<Box<str>>| text.as_deref().unwrap_or("-").to_owned();
        format!("{} {} {} {} {}", d.source.kind, d.source, d.is_locked, option(&d.egg), option(&d.checksum))
    };
    let hex = "ab".repeat(32);
    for (text, expected) in [
        (
            format!("git+https://u:p@registry.example/a.git@{commit}#egg=A&subdirectory=x"),
            format!("git https://registry.example/a.git#{commit} true A gitCommit:{commit}"),
        ),
        (
            "git+ssh://git@registry.example/a.git@v1".to_owned(),
            "git ssh://git@registry.example/a.git false - -".to_owned(),
        ),
        ("git+https://registry.example/a@0123456".to_owned(), "git https://registry.example/a false - -".to_owned()),
        (
            "hg+https://registry.example/a@x#egg=b[c]".to_owned(),
            "registry hg+https://registry.example/a@x false b -".to_owned(),
        ),
        (
            format!("https://t@registry.example/a-1.0.tar.gz#md5=x&sha256={hex}"),
            format!("registry https://registry.example/a-1.0.tar.gz true - sha256:{hex}"),
        ),
        ("file:///opt/a.whl".to_owned(), "path /opt/a.whl false - -".to_owned()),
        ("file:./a".to_owned(), "path ./a false - -".to_owned()),
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }
    let parts = |text: &str| reference::archive_parts(text).map(|(name, version)| format!("{name} {version}"));
    let wheel = "https://registry.example/x/My_Pkg-1.0%2Bcpu-py3-none-any.whl#a";
    assert_eq!(parts(wheel).as_deref(), Some("My_Pkg 1.0+cpu"));
    assert_eq!(parts("https://registry.example/my-pkg-1.0.tar.gz").as_deref(), Some("my-pkg 1.0"));
    assert_eq!(parts("https://registry.example/archive/main.zip"), None);
    for (text, expected) in [
        ("git+https://x", true),
        ("https://x", true),
        ("file:x", true),
        ("a:b", false),
        ("./a", false),
        ("C:\\a", false),
        ("a @ https://x", false),
    ] {
        assert_eq!(reference::is_address(text), expected, "{text}");
    }
}
