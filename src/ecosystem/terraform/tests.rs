//! Tests of Terraform's lockfile: small files, and real ones against another reader.

use std::cmp::Ordering;

use super::Terraform;
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree};
use crate::ecosystem::{Format as _, Rules as _, View};
use crate::model::inventory::{Identity, Scope, Scopes, SourceKind};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn error(text: &str) -> String {
    let files = tree(&format!("== .terraform.lock.hcl\n{text}"));
    let projects = Terraform.projects(&files).unwrap();
    Terraform.read(&projects[0], View::new(&files, &[])).unwrap_err().1.to_string()
}

#[test]
fn providers_have_sources_hashes_and_places() {
    let text = "\
== infra/.terraform.lock.hcl
# A comment
provider \"Registry.example/hashicorp/aws\" {
  version     = \"5.1.0\" // one more
  constraints = \">= 5.0.0, ~> 5.1\"
  hashes = [
    \"h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\",
    \"zh:HEX\",
    \"h9:unknown\", /* and
    another */
  ]
}

provider \"registry.example/acme/one\" {
  version = \"1.0.0-beta1\"
  hashes = [\"zh:HEX\"]
  later = [\"unknown\"]
}
provider \"other.example:8443/acme/one\" {
  version = \"1.0.0\"
}
== infra/.terraform/modules/x/.terraform.lock.hcl
broken
";
    let inventory = read_one(&Terraform, &tree(&text.replace("HEX", EMPTY)));
    assert_eq!(inventory.project.path.as_str(), "infra");
    assert_eq!(labels(&inventory), ["acme/one@1.0.0", "acme/one@1.0.0-beta1", "hashicorp/aws@5.1.0"]);
    let aws = find(&inventory, "hashicorp/aws");
    assert_eq!((aws.source.kind, &*aws.source.address), (SourceKind::Registry, "registry.example"));
    assert_eq!((aws.identity, aws.is_locked, aws.direct), (Identity::Public, true, true));
    assert_eq!((aws.span.line, aws.span.end_line, aws.scopes), (2, 5, Scopes::of(Scope::Build)));
    let hashes: Vec<&str> = aws.files.iter().map(|hash| &**hash).collect();
    assert_eq!(hashes, [format!("h1:{EMPTY}"), format!("sha256:{EMPTY}")]);
    assert!(aws.checksum.as_deref().unwrap().starts_with("files:"));
    let twins = inventory.named(aws.ecosystem, "acme/one");
    let sources: Vec<_> = twins.map(|package| (&*package.source.address, package.checksum.as_deref())).collect();
    let one = format!("sha256:{EMPTY}");
    assert_eq!(sources, [("other.example:8443", None), ("registry.example", Some(&*one))]);
}

#[test]
fn what_is_not_of_the_format_is_refused_with_its_line() {
    let p = "provider \"h/n/t\" {\n";
    let twin = "provider \"H/N/t\" {\nversion = \"2.0.0\"\n}\n";
    for (text, expected) in [
        (format!("{p}version = \"1.0.0\"\nversion = \"2.0.0\"\n}}\n"), "line 3: the attribute `version` stands twice"),
        (format!("{p}version = \"1.0.0\"\n}}\n{twin}"), "line 4: a provider that stands twice"),
        (format!("{p}}}\n"), "line 1: a provider without a version"),
        (format!("{p}version = [\"1\"]\n}}\n"), "line 1: a provider without a version"),
        (format!("{p}version = \"${{x}}\"\n}}\n"), "line 2: a template"),
        (format!("{p}version = \"\\u0031\"\n}}\n"), "line 2: an escape"),
        (format!("{p}version = \"1\"\nhashes = \"x\"\n}}\n"), "line 1: hashes that are no list"),
        (format!("{p}version = \"1\"\nhashes = [\"x\" \"y\"]\n}}\n"), "line 3: expected a text"),
        (format!("{p}version = 1\n}}\n"), "line 2: `1` is not expected here"),
        (format!("{p}version = \"1\"\n"), "line 3: expected an attribute or `}`"),
        (format!("<<<<<<< ours\n{p}"), "line 1: conflict markers"),
        ("provider \"n/t\" {\nversion = \"1\"\n}\n".to_owned(), "line 1: expected a provider's address"),
        ("provider \"h\" \"x\" {\n}\n".to_owned(), "line 1: expected a provider with one"),
        ("module \"x\" {\n}\n".to_owned(), "line 1: a block `module`"),
        ("provider \"h/n/t\" { version = \"1\"\n} x\n".to_owned(), "line 2: expected the line to end"),
        ("/* x\n".to_owned(), "line 1: a comment that has no end"),
        ("x\n".to_owned(), "line 1: expected a label"),
        ("provider \"x\n".to_owned(), "line 1: a text whose quotes"),
    ] {
        assert!(error(&text).starts_with(expected), "{text:?}: {}", error(&text));
    }
}

#[test]
fn modules_from_elsewhere_are_packages() {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let text = format!(
        "== a/main.tf\n/* module \"no\" {{ source = \"x/y/z\" }} */ terraform {{ required_providers {{ aws = {{ source = \"h/aws\" }} }} }}\n\
         locals {{ t = \"${{join(\"}}\", [\"{{\"])}}\"\n d = <<-EOT\n  module \"no\" {{ source = \"x/y/z\" \n  EOT\n}}\n\
         module \"own\" {{ source = \"./own\" }}\nmodule \"near\" {{ source = \"../near\" }}\n\
         module \"g\" {{ source = \"git::https://git.example/o/x.git//sub?ref={COMMIT}\" }}\n\
         module \"h\" {{\n  providers = {{ source = \"n\" }}\n  source = \"git::ssh://git@git.example/o/y.git?ref=v1\" # said\n}}\n\
         module \"r\" {{ source = \"Name/vpc/aws\"\n version = \"1.2.3\" }}\n\
         module \"s\" {{ source = \"registry.example/n/vpc/aws//sub\"\n version = \"~> 1.0\" }}\n\
         module \"t\" {{ source = \"git.example/o/z\" }}\nmodule \"u\" {{ source = \"https://git.example/u.zip\" }}\n\
         module \"v\" {{ source = var.place }}\nmodule \"w\" {{ source = \"../../out\" }}\n"
    );
    let inventory = read_one(&Terraform, &tree(&text));
    let shown: Vec<_> = inventory
        .packages
        .iter()
        .map(|p| format!("{} {} {}", p.label(), p.source.kind.as_str(), p.is_locked))
        .collect();
    assert_eq!(
        shown,
        [
            "git.example/o/x.git/sub@0123456789abcdef0123456789abcdef01234567 git true",
            "git.example/o/y.git@v1 git false",
            "git.example/o/z@* git false",
            "git.example/u.zip@* registry false",
            "n/vpc/aws@~> 1.0 registry false",
            "name/vpc/aws@=1.2.3 public-registry false",
            "out@* path false",
        ]
    );
    assert_eq!(find(&inventory, "git.example/o/y.git").span.line, 12);
    assert_eq!(inventory.disagreements.iter().map(|d| &*d.name).collect::<Vec<_>>(), ["v"]);
    let quiet = tree(
        "== a/main.tf\nmodule \"own\" { source = \"./own\" }\n== b/x.tf\nresource \"x\" \"y\" {\n== .terraform/modules/m/a.tf\nmodule \"m\" { source = \"a/b/c\" }\n",
    );
    assert_eq!(Terraform.projects(&quiet).unwrap(), []);
    for bad in ["module \"a\" {", "module \"a\" ]", "module a {}\nx = <<E\n", "x = \"module", "module { }", "/* module"]
    {
        let files = tree(&format!("== a.tf\n{bad}"));
        let projects = Terraform.projects(&files).unwrap();
        assert!(Terraform.read(&projects[0], View::new(&files, &[])).is_err(), "{bad}");
    }
}

#[test]
fn configuration_says_where_providers_come_from() {
    use crate::ecosystem::Settings as _;
    let path = crate::model::RepoPath::new(".terraformrc");
    let of = |text: &str| {
        let all = Terraform.redirects(&path, text.as_bytes()).unwrap();
        all.iter().map(|r| format!("{} {} -> {}", r.line, r.from, r.to)).collect::<Vec<_>>()
    };
    assert_eq!(
        of(
            "provider_installation {\n network_mirror { url = \"https://m.example/\" }\n dev_overrides {\n \"a/b\" = \"/x\"\n }\n direct {}\n}\n"
        ),
        ["2 network_mirror -> https://m.example/", "4 dev_overrides -> /x"]
    );
    assert_eq!(
        of("host \"h.example\" {\n services = {\n \"modules.v1\" = \"https://e.example/\"\n }\n}"),
        ["3 a host's services -> https://e.example/"]
    );
    assert_eq!(of("plugin_cache_dir = \"x\"\n"), Vec::<String>::new());
    assert!(Terraform.redirects(&path, b"provider_installation {").is_err());
    assert!(crate::ecosystem::settings_of(&path).is_some());
}

#[test]
fn hostile_modules_are_survived() {
    let texts = ["module \"a\" {", "\"${", "<<E\n", "<<", "<", "/*", "module \"a\" { source = \"\\\u{e9}\" }\n", "{[("];
    let texts: Vec<String> = texts.iter().map(|text| format!("module{}", text.repeat(50_000))).collect();
    survives(&Terraform, &["a.tf"], &[format!("module{}", "<".repeat(3_000_000)).as_bytes()]);
    survives(&Terraform, &["a.tf"], &texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
}

#[test]
fn names_and_versions_have_rules() {
    for (name, expected) in [
        ("hashicorp/google-beta", true),
        ("a/b", true),
        ("a", false),
        ("a/b/c", true),
        ("git.example/a/b.git", true),
        ("a/../b", false),
        ("a/.b/c", false),
        ("a.b/../c", false),
        ("-a/b", false),
        ("a/", false),
        ("../b", false),
        ("a/b c", false),
        ("a/\u{1b}", false),
    ] {
        assert_eq!(Terraform.is_name(name), expected, "{name:?}");
    }
    assert_eq!(Terraform.normalise("HashiCorp/AWS"), "hashicorp/aws");
    assert_eq!(Terraform.compare("1.0.0-beta1", "1.0.0"), Some(Ordering::Less));
    assert_eq!(Terraform.compare("1.10.0", "1.9.0"), Some(Ordering::Greater));
    assert_eq!(Terraform.compare("1.0", "1.0.0"), None);
    assert_eq!(Terraform.compare(&format!("{}.0.0", "9".repeat(10_000)), "1.0.0"), None);
    let Some(path) = corpus("vectors/versions/semver-versions.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let is_version = |word: &str| Terraform.compare(word, word).is_some();
    let read: Vec<&str> = text
        .lines()
        .filter(|line| line.split_whitespace().step_by(2).all(is_version) && !line.trim().is_empty())
        .collect();
    assert!(orders(&Terraform, &read.join("\n")) >= 50);
}

#[test]
fn real_lockfiles_are_those_of_another_reader() {
    let Some(root) = corpus("lockfiles/terraform/osv-dev") else { return };
    let all = read_all(&Terraform, &folder(&root));
    // python-hcl2 8.1.4: providers, and hashes of all of them.
    let expected = [
        ("oss-vdb", 5, 121, "bc093c6a3855ae0dfc0f99af0a3cf9128e16ec1b6a5d7c575178503c5b43b2e7"),
        ("private-osv", 2, 46, "45edd6b2461f9974aa234da2816891bb5d2a00af0006ef95702b51c5394194c5"),
    ];
    assert_eq!(all.len(), expected.len());
    for (inventory, (folder, count, hashes, expected)) in all.iter().zip(expected) {
        let found = labels(inventory);
        assert_eq!((inventory.project.path.as_str(), found.len(), &*digest(&found)), (folder, count, expected));
        assert_eq!(inventory.packages.iter().map(|package| package.files.len()).sum::<usize>(), hashes);
    }
}

#[test]
fn hostile_files_end() {
    let many: String = (0..200_000).map(|n| format!("provider \"h/n/t{n}\" {{\nversion = \"1.0.{n}\"\n}}\n")).collect();
    let files = tree(&format!("== .terraform.lock.hcl\n{many}"));
    assert_eq!(read_one(&Terraform, &files).packages.len(), 200_000);
    let attributes: String = (0..200_000).map(|n| format!("a{n} = \"\"\n")).collect();
    let attributes = format!("provider \"h/n/t\" {{\n{attributes}}}\n");
    let (climb, digits) = ("../".repeat(10_000), "9".repeat(10_000));
    let long = format!("provider \"h/n/{climb}\" {{\nversion = \"{digits}\"\n}}\n");
    let deep = format!("provider \"h/n/t\" {{\nhashes = {}", "[".repeat(30_000));
    let labels = format!("provider {}", "\"x\" ".repeat(100_000));
    let comments = "/*".repeat(100_000);
    let sample = "provider \"h/n/t\" {\n  version = \"1\" # x\n  hashes = [\n    \"h1:x\",\n  ]\n}\n";
    let mut texts: Vec<&[u8]> = [&attributes, &long, &deep, &labels, &comments].map(|text| text.as_bytes()).to_vec();
    texts.extend([&b"\0"[..], b"\xff", b"/", b"\""]);
    texts.extend((0..sample.len()).map(|end| &sample.as_bytes()[..end]));
    survives(&Terraform, &[".terraform.lock.hcl"], &texts);
}
