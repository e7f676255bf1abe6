use super::*;
use crate::ecosystem::testing::{
    self, corpus, digest, find, folder, labels, orders, read_all, read_one, survives, tree,
};
use crate::model::inventory::{Identity, Scope, SourceKind};

const LOCK: &str = "\
GIT
  remote: https://git.example/forked.git
  revision: 0123456789abcdef0123456789abcdef01234567
  branch: main
  specs:
    forked (0.9.1)
      shared (>= 1)

PATH
  remote: engines/own
  specs:
    own (0.1.0)

PATH
  remote: .
  specs:
    me (0.0.1)
      app (~> 1.0)

GEM
  remote: https://registry.example/private/
  specs:
    secret (3.0)

GEM
  remote: https://registry.example/
  specs:
    app (1.2.0)
      below (= 2.0.0)
    below (2.0.0)
    native (1.15.4-java)
    native (1.15.4-x86_64-linux)
      below (>= 1)
    shared (1.1)
    tester (4.0.0)
      shared (~> 1.0)
      only-tests
    only-tests (1.0)

PLATFORMS
  java
  x86_64-linux

DEPENDENCIES
  app (~> 1.0)
  forked!
  me!
  native
  own!
  secret!
  tester

CHECKSUMS
  app (1.2.0) sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
  native (1.15.4-java) sha256=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  native (1.15.4-x86_64-linux) sha256=cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
  forked (0.9.1)

RUBY VERSION
   ruby 3.3.0p0

BUNDLED WITH
   2.6.0
";

const GEMFILE: &str = "\
# frozen_string_literal: true
source \"https://registry.example\"
git_source(:mine) { |repo| \"https://git.example/#{repo}.git\" }
ruby \"3.3.0\"
gemspec
gem \"app\",
    \"~> 1.0\", require: false
gem 'native', platforms: %i[jruby mri]
gem(\"forked\", :git => \"https://git.example/forked.git\", branch: 'main')
gem 'own', path: \"engines/own\"
source \"https://registry.example/private\" do
  gem \"secret\"
end
group :development, :test, optional: true do
  gem \"tester\" # not shipped
end
";

fn project(gemfile: &str, lock: &str) -> testing::Tree {
    tree(&format!(
        "== a/Gemfile\n{gemfile}== a/Gemfile.lock\n{lock}== a/me.gemspec\ns.add_dependency \"app\", \"~> 1.0\"\n"
    ))
}

#[test]
fn a_lockfile_and_its_manifest_make_an_inventory() {
    let inventory = read_one(&RubyGems, &project(GEMFILE, LOCK));
    assert_eq!(inventory.disagreements, []);
    assert_eq!(
        labels(&inventory),
        [
            "app@1.2.0",
            "below@2.0.0",
            "bundler@2.6.0",
            "forked@0.9.1",
            "native@1.15.4",
            "only-tests@1.0",
            "own@0.1.0",
            "secret@3.0",
            "shared@1.1",
            "tester@4.0.0"
        ]
    );
    let scopes = |name| find(&inventory, name).scopes.strongest();
    assert_eq!(["tester", "only-tests"].map(scopes), [Scope::Development; 2]);
    assert_eq!(["app", "below", "shared", "secret", "own"].map(scopes), [Scope::Runtime; 5]);
    let app = find(&inventory, "app");
    assert_eq!((app.span.line, app.span.end_line, app.declared.unwrap().line, app.direct), (28, 29, 6, true));
    assert_eq!(inventory.path_of(app.span).unwrap().as_str(), "a/Gemfile.lock");
    assert_eq!(inventory.path_of(app.declared.unwrap()).unwrap().as_str(), "a/Gemfile");
    assert_eq!((&*app.source.address, app.source.kind), ("https://registry.example/", SourceKind::Registry));
    assert_eq!(app.checksum.as_deref(), Some(&*format!("sha256:{}", "a".repeat(64))));
    assert_eq!(&*find(&inventory, "secret").source.address, "https://registry.example/private/");
    let native = find(&inventory, "native");
    assert_eq!((native.files.len(), native.checksum.as_ref().unwrap().split(':').next()), (2, Some("files")));
    let forked = find(&inventory, "forked");
    assert_eq!((forked.source.kind, forked.identity), (SourceKind::Git, Identity::Foreign));
    assert_eq!(&*forked.source.address, "https://git.example/forked.git");
    assert_eq!(forked.checksum.as_deref(), Some("gitCommit:0123456789abcdef0123456789abcdef01234567"));
    let own = find(&inventory, "own");
    assert_eq!(
        (own.source.kind, &*own.source.address, own.identity),
        (SourceKind::Path, "engines/own", Identity::Foreign)
    );
    let me = inventory.roots.iter().find(|root| &*root.name == "me").unwrap();
    assert_eq!((&*me.version, me.folder.as_str()), ("0.0.1", "a"));
    let needs = |name: &str| {
        let at = inventory.packages.iter().position(|p| &*p.name == name).unwrap();
        inventory.needs(at).iter().map(|to| inventory.packages[*to as usize].name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((needs("tester"), needs("native")), (vec!["only-tests".into(), "shared".into()], vec!["below".into()]));
}

#[test]
fn code_weakens_no_scope() {
    for line in [
        "eval_gemfile \"other\"",
        "gem \"tester\" if true",
        "%w[tester].each { |name| gem name }",
        "x = <<~RUBY",
        "gem \"tes\" \"ter\"",
        "gem \"#{name}\"",
        "plugin \"p\"",
        "group(*all) do\n  gem \"x\"\nend",
        "group :test do",
        "def group(*)",
        "`touch x`",
        "gem \"a\\\"\ngem \"tester\"",
    ] {
        let inventory = read_one(&RubyGems, &project(&format!("{GEMFILE}{line}\n"), LOCK));
        assert_eq!(find(&inventory, "tester").scopes.strongest(), Scope::Runtime, "{line}");
        assert!(find(&inventory, "tester").declared.is_some());
    }
    for (line, expected) in [
        ("gem \"tester\", group: :test", Scope::Development),
        ("gem \"tester\", groups: [:test, \"development\"]", Scope::Development),
        ("gem \"tester\"", Scope::Runtime),
        ("gem \"tester\", groups: %i[test ci]", Scope::Runtime),
        ("group :test do\n  gem \"tester\", group: :default\nend", Scope::Runtime),
        ("=begin\ngem \"tester\"\n=end", Scope::Development),
        ("__END__\ngem \"tester\"", Scope::Development),
        ("# gem \"tester\"", Scope::Development),
    ] {
        let inventory = read_one(&RubyGems, &project(&format!("{GEMFILE}{line}\n"), LOCK));
        assert_eq!(find(&inventory, "tester").scopes.strongest(), expected, "{line}");
    }
}

#[test]
fn manifest_and_lockfile_may_disagree() {
    let said = |gemfile: &str, lock: &str| {
        let inventory = read_one(&RubyGems, &project(gemfile, lock));
        let all = inventory.disagreements.iter();
        all.map(|d| format!("{} {} {}", d.name, d.span.line, d.message)).collect::<Vec<_>>()
    };
    let with = |line: &str| said(&format!("{GEMFILE}{line}\n"), LOCK);
    assert_eq!(with("gem \"absent\""), ["absent 17 asks for a gem that the lockfile does not hold"]);
    assert_eq!(
        with("gem \"below\", \"~> 2.0\""),
        ["below 17 asks for a gem that the lockfile does not list as asked for"]
    );
    let computes = "Gemfile 17 computes what it asks for, which may be more than the lockfile holds";
    assert_eq!(with("gem \"absent\" if windows?"), [computes]);
    assert_eq!(with("eval_gemfile \"x.rb\""), [computes]);
    assert_eq!(with("gem \"bundler\"\ngem \"absent\", platforms: :windows"), Vec::<String>::new());
    assert_eq!(
        said(&GEMFILE.replace("\"~> 1.0\", require", "\"~> 1.3\", require"), LOCK),
        ["app 6 asks for ~> 1.3, and the lockfile holds 1.2.0"]
    );
    assert_eq!(
        said(GEMFILE, &LOCK.replace("  app (~> 1.0)\n  forked", "  app (~> 1.0, != 1.2)\n  forked")),
        ["app 45 asks for ~> 1.0, != 1.2, and the lockfile holds 1.2.0"]
    );
}

#[test]
fn a_gem_may_be_asked_for_from_elsewhere_than_the_lockfile_has_it_from() {
    let said = |gemfile: &str, lock: &str| {
        let inventory = read_one(&RubyGems, &project(gemfile, lock));
        inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect::<Vec<_>>()
    };
    let app = |more: &str| said(&GEMFILE.replace("\"~> 1.0\", require: false", &format!("\"~> 1.0\", {more}")), LOCK);
    let from =
        |place: &str| [format!("app asks for it from {place}, and the lockfile has it from https://registry.example")];
    assert_eq!(app("git: \"https://u:pw@git.example/x.git\""), from("git https://git.example/x.git"));
    assert_eq!(app("platforms: :ruby, github: \"x/y\""), from("git github:x/y"));
    assert_eq!(app("path: \"../x\""), from("path ../x"));
    assert_eq!(app("source: \"https://other.example\""), from("source https://other.example"));
    assert_eq!(app("source: \"https://u@registry.example/\""), Vec::<String>::new());
    let conditional = said(&format!("{GEMFILE}gem \"app\", git: \"https://git.example/x\" if x\n"), LOCK);
    assert_eq!(conditional.len(), 2, "{conditional:?}");
    let forked = |place: &str, remote: &str| {
        let gemfile = GEMFILE.replace(":git => \"https://git.example/forked.git\"", place);
        said(&gemfile, &LOCK.replace("https://git.example/forked.git", remote)).len()
    };
    for (place, remote, count) in [
        ("github: 'x/forked'", "https://github.com/x/forked.git", 0),
        ("github: 'forked'", "git://github.com/forked/forked.git", 0),
        ("github: 'https://github.com/x/forked/pull/5'", "https://github.com/x/forked", 0),
        ("github: 'y/forked'", "https://github.com/x/forked.git", 1),
        ("github: 'x/forked'", "https://git.example/x/forked.git", 1),
        ("gitlab: 'x/forked'", "git@gitlab.com:x/forked.git", 0),
        ("git: 'git@git.example:x/forked'", "git@git.example:x/forked.git", 0),
        ("git: 'https://git.example/x'", "https://git.example/y", 1),
        ("path: './forked'", "https://git.example/y", 1),
        ("mine: 'x/y'", "https://git.example/y", 0),
    ] {
        assert_eq!(forked(place, remote), count, "{place} {remote}");
    }
    assert_eq!(said(&GEMFILE.replace("\"engines/own\"", "\"./engines/own/\""), LOCK), Vec::<String>::new());
    let with = |line: &str| said(&format!("{GEMFILE}{line}\n"), LOCK);
    assert_eq!(
        with("source \"https://u:pw@other.example/\""),
        ["Gemfile takes gems from https://other.example, and the lockfile does not name that source"]
    );
    assert_eq!(with("source \"https://registry.example/\"\nsource :rubygems"), Vec::<String>::new());
    let many = with(&"gem \"app\"\n".repeat(100));
    assert_eq!(many, ["app is asked for more than 64 times, and not all of it is compared"]);
}

#[test]
fn plugins_of_bundler_are_packages_that_no_lockfile_fixes() {
    for (line, kind, address) in [
        ("plugin \"evil\"", SourceKind::Registry, "https://registry.example/"),
        ("plugin \"evil\", git: \"https://git.example/evil\"", SourceKind::Git, "https://git.example/evil"),
        ("plugin(\"evil\", :source => \"https://other.example\")", SourceKind::Registry, "https://other.example/"),
        ("plugin \"evil\" if true", SourceKind::Registry, "https://registry.example/"),
    ] {
        let locked = read_one(&RubyGems, &project(&format!("{GEMFILE}{line}\n"), LOCK));
        let bare = read_one(&RubyGems, &tree(&format!("== Gemfile\nsource \"https://registry.example\"\n{line}\n")));
        for inventory in [locked, bare] {
            let evil = find(&inventory, "evil");
            assert_eq!((evil.source.kind, &*evil.source.address), (kind, address), "{line}");
            assert_eq!((evil.is_locked, evil.scopes.strongest()), (false, Scope::Build), "{line}");
        }
    }
    let two = "== Gemfile\nsource 'https://registry.example'\nsource 'https://other.example'\ngem 'a'\n";
    let inventory = read_one(&RubyGems, &tree(two));
    let address = &find(&inventory, "a").source.address;
    assert_eq!(&**address, "https://registry.example/ https://other.example/", "any of them may answer");
}

#[test]
fn the_lockfile_says_which_bundler_runs() {
    let of = |lock: &str| read_one(&RubyGems, &project(GEMFILE, lock));
    let inventory = of(LOCK);
    let bundler = find(&inventory, "bundler");
    assert_eq!((&*bundler.version, bundler.is_locked, bundler.span.line), ("2.6.0", true, 63));
    assert_eq!((bundler.scopes.strongest(), bundler.source.kind), (Scope::Build, SourceKind::Public));
    let sum = format!("CHECKSUMS\n  bundler (2.6.0) sha256={}\n", "d".repeat(64));
    let checked = of(&LOCK.replace("CHECKSUMS\n", &sum));
    assert_eq!(find(&checked, "bundler").checksum.as_deref(), Some(&*format!("sha256:{}", "d".repeat(64))));
    for odd in ["   x\n", "   2.6.0\n   2.7.0\n", "   2.6 0\n"] {
        let files = project(GEMFILE, &LOCK.replace("   2.6.0\n", odd));
        let project = RubyGems.projects(&files).unwrap().remove(0);
        assert!(RubyGems.read(&project, View::new(&files, &[])).is_err(), "{odd}");
    }
}

#[test]
fn a_specification_may_ask_for_more_than_the_lockfile_holds() {
    let said = |line: &str| {
        let mut files = project(GEMFILE, LOCK);
        let text = format!("s.add_dependency \"app\", \"~> 1.0\"\ns.files = Dir[\"x\"] if y\n{line}\n");
        files.0.insert(RepoPath::new("a/me.gemspec"), text.into_bytes());
        let inventory = read_one(&RubyGems, &files);
        inventory.disagreements.iter().map(|d| format!("{} {}", d.name, d.message)).collect::<Vec<_>>()
    };
    let absent = ["evil asks for a gem that the lockfile does not hold"];
    assert_eq!(said("s.add_dependency \"evil\""), absent);
    assert_eq!(said("s.add_development_dependency(\"evil\", version)"), absent);
    assert_eq!(said("s.add_dependency 'below', '> 3'"), ["below asks for > 3, and the lockfile holds 2.0.0"]);
    for quiet in ["", "s.add_dependency 'below', version", "s.add_dependency 'me'", "s.add_dependency 'bundler'"] {
        assert_eq!(said(quiet), Vec::<String>::new(), "{quiet}");
    }
    for hidden in ["s.add_dependency name", "s.send(:add_dependency, 'evil')", "eval File.read('x')"] {
        assert_eq!(said(hidden), ["gemspec computes what it asks for, which may be more than the lockfile holds"]);
    }
}

/// Every gem once repeated all groups of the blocks around it, and its block's address.
#[test]
fn what_blocks_say_is_kept_once() {
    let groups = (0..60).map(|n| format!(":g{n}")).collect::<Vec<_>>().join(", ");
    let gems: String = (0..20).map(|n| format!("gem \"g{n}\"\n")).collect();
    let open = format!("group {groups} do\n").repeat(60);
    let address = format!("https://git.example/{}", "x".repeat(4_000));
    let text = format!("{open}git \"{address}\" do\n{gems}end\n{}", "end\n".repeat(60));
    let found = gemfile::parse(text.as_bytes(), 1 << 20).unwrap();
    assert_eq!((found.computes, found.gems.len()), (None, 20));
    assert!(found.gems.iter().all(|gem| !gem.is_weak && size_of_val(gem) <= 128));
    let place = |gem: &gemfile::Gem| std::sync::Arc::clone(&gem.place.as_ref().unwrap().1);
    assert!(found.gems.iter().all(|gem| std::sync::Arc::ptr_eq(&place(gem), &place(&found.gems[0]))));
    let inventory = read_one(&RubyGems, &tree(&format!("== Gemfile\n{text}")));
    let first = &inventory.packages[0].source.address;
    assert!(inventory.packages.iter().all(|p| std::sync::Arc::ptr_eq(&p.source.address, first)));
    let long = format!("git \"{address}{address}\" do\ngem \"a\"\nend\n");
    assert!(gemfile::parse(long.as_bytes(), 1 << 20).unwrap().computes.is_some());
    let lock = format!("GEM\n{}  specs:\n    a (1)\n    b (1)\n", "  remote: https://registry.example/\n".repeat(9));
    let inventory = read_one(&RubyGems, &tree(&format!("== Gemfile.lock\n{lock}")));
    let [a, b] = ["a", "b"].map(|name| &find(&inventory, name).source.address);
    assert!(std::sync::Arc::ptr_eq(a, b));
}

#[test]
fn several_addresses_of_one_section_are_one_source() {
    let lock = "GEM\n  remote: https://registry.example/\n  remote: https://other.example/\n  specs:\n    a (1)\n";
    let inventory = read_one(&RubyGems, &tree(&format!("== Gemfile.lock\n{lock}")));
    let a = find(&inventory, "a");
    assert_eq!(&*a.source.address, "https://registry.example/ https://other.example/");
    assert!(a.direct && a.scopes.strongest() == Scope::Runtime);
    let none = read_one(&RubyGems, &tree("== Gemfile.lock\nGEM\r\n  specs:\r\n    a (1)\r\n\r\n"));
    assert_eq!(find(&none, "a").source.kind, SourceKind::Public);
}

#[test]
fn projects_are_lockfiles_and_manifests_that_have_none() {
    let files = tree(
        "== Gemfile\ngem \"a\", \"1.2\"\ngem \"b\", \">= 1\", \"< 2\", group: :test\ngem \"c\", git: \"https://git.example/c\"\n\
         == gems/gems.rb\n== gems/gems.locked\n== gemfiles/x.gemfile\n== gemfiles/x.gemfile.lock\n\
         == lib/Gemfile\neval_gemfile \"../Gemfile\"\ngem \"d\", \"= 3\" if x\n\
         == vendor/bundle/ruby/gems/x/Gemfile\n== node_modules/x/Gemfile.lock\n",
    );
    let all = read_all(&RubyGems, &files);
    let shown = |i: &Inventory| {
        let name = |path: &Option<RepoPath>| path.as_ref().map_or("-".to_owned(), |p| p.file_name().to_owned());
        format!("{} {} {}", i.project.path, name(&i.project.manifest), name(&i.project.lockfile))
    };
    assert_eq!(
        all.iter().map(shown).collect::<Vec<_>>(),
        [". Gemfile -", "gemfiles x.gemfile x.gemfile.lock", "gems gems.rb gems.locked", "lib Gemfile -"]
    );
    assert_eq!(labels(&all[0]), ["a@=1.2", "b@>= 1, < 2", "c@*"]);
    assert!(all[0].packages.iter().all(|p| !p.is_locked && p.direct && p.declared.is_some()));
    assert_eq!(find(&all[0], "b").scopes.strongest(), Scope::Development);
    assert_eq!((find(&all[0], "c").source.kind, find(&all[0], "c").identity), (SourceKind::Git, Identity::Foreign));
    assert_eq!(labels(&all[3]), ["d@=3"]);
    assert_eq!(all[3].disagreements.len(), 1);
}

#[test]
fn without_a_lockfile_the_specification_of_a_gem_is_taken_in() {
    let gemspec = "Gem::Specification.new do |s|\n  s.files = Dir[\"lib/**\"]\n  s.add_dependency \"below\", \"~> 2.0\", \">= 2.1\"\n  \
                   s.add_runtime_dependency('other')\n  s.add_development_dependency(\"tester\", \"1.0\")\nend\n";
    let read = |gemspec: &str| {
        read_one(
            &RubyGems,
            &tree(&format!(
                "== Gemfile\ngemspec\n== own.gemspec\n{gemspec}== lib/no.gemspec\ns.add_dependency \"no\"\n"
            )),
        )
    };
    let inventory = read(gemspec);
    assert_eq!(labels(&inventory), ["below@~> 2.0, >= 2.1", "other@*", "tester@=1.0"]);
    assert_eq!(inventory.path_of(find(&inventory, "below").declared.unwrap()).unwrap().as_str(), "own.gemspec");
    assert_eq!(find(&inventory, "below").span.line, 3);
    assert_eq!(find(&inventory, "tester").scopes.strongest(), Scope::Development);
    assert_eq!(inventory.disagreements, []);
    for line in ["s.add_dependency name", "list.each { |x| s.send(:add_dependency, x) }", "s.add_dependency \"a\" if x"]
    {
        let inventory = read(&gemspec.replace("end\n", &format!("{line}\nend\n")));
        assert_eq!(find(&inventory, "tester").scopes.strongest(), Scope::Runtime, "{line}");
        assert_eq!(inventory.disagreements.len(), 1, "{line}");
    }
    // What gems' specifications usually hold is no disagreement, and weakens no scope either.
    let usual = read(&gemspec.replace("end\n", "s.files.reject! { |f| f.empty? } if x\nend\n"));
    assert_eq!((usual.disagreements.len(), find(&usual, "tester").scopes.strongest()), (0, Scope::Runtime));
    for text in ["== Gemfile\ngemspec path: \"absent\"\n", "== Gemfile\ngemspec path: \"../../out\"\n"] {
        assert_eq!(read_one(&RubyGems, &tree(text)).disagreements.len(), 1, "{text}");
    }
}

#[test]
fn lines_that_bundler_does_not_write_are_refused() {
    let refused = |lock: &str| {
        let files = tree(&format!("== Gemfile.lock\n{lock}"));
        let project = RubyGems.projects(&files).unwrap().remove(0);
        RubyGems.read(&project, View::new(&files, &[])).unwrap_err().1.to_string()
    };
    for (lock, expected) in [
        ("GEM\n  specs:\n     a (1)\n", "line 3: a line that bundler"),
        ("GEM\n  specs:\n\ta (1)\n", "line 3: a section"),
        ("GEM\n  specs:\n    a\n", "line 3: a line"),
        ("GEM\n  specs:\n    a (1) x y\n", "line 3: a line"),
        ("GEM\n  specs:\n    a (1\n", "line 3: a line"),
        ("GEM\n  specs:\n      b (1)\n", "line 3: a line"),
        ("GEMS\n  specs:\n    a (1)\n", "line 1: a section that is not known: `GEMS`"),
        ("GIT\n  revision: a\n  revision: b\n", "line 3: the key `revision` stands twice"),
        ("DEPENDENCIES\n  a\n  a\n", "line 3: the dependency a stands twice"),
        ("DEPENDENCIES\n  a\nDEPENDENCIES\n", "line 3: the section DEPENDENCIES stands twice"),
        ("CHECKSUMS\n  a (1) sha256=1\n  a (1) sha256=2\n", "line 3: a second checksum"),
        ("GEM\n  specs:\n<<<<<<< HEAD\n    a (1)\n", "line 3: conflict markers"),
        ("GEM\n  specs:\n    a (1\0)\n", "line 3: a NUL byte"),
    ] {
        assert!(refused(lock).starts_with(expected), "{lock}: {}", refused(lock));
    }
    let files = tree("== Gemfile\n<<<<<<< HEAD\ngem \"a\"\n");
    let project = RubyGems.projects(&files).unwrap().remove(0);
    assert!(RubyGems.read(&project, View::new(&files, &[])).is_err());
}

#[test]
fn configuration_says_where_gems_come_from_and_no_secret() {
    let redirects = |path: &str, text: &str| {
        let all = RubyGems.redirects(&RepoPath::new(path), text.as_bytes()).unwrap();
        all.iter().map(|r| format!("{} {} -> {}", r.line, r.from, r.to)).collect::<Vec<_>>()
    };
    let config = "---\nBUNDLE_PATH: \"vendor\"\nBUNDLE_MIRROR__HTTPS://REGISTRY__EXAMPLE/: \"https://u:pw@mirror.example/x\"\n\
                  BUNDLE_REGISTRY__EXAMPLE: \"u:pw\"\nBUNDLE_LOCAL__MY___GEM: ../x\nBUNDLE_GEMFILE: other\n";
    assert_eq!(
        redirects("a/.bundle/config", config),
        [
            "3 https://registry.example/ -> https://mirror.example/x",
            "5 the gem my-gem -> ../x",
            "6 the Gemfile -> other",
        ]
    );
    assert_eq!(
        redirects(".gemrc", "---\n:sources:\n- https://mirror.example/\n"),
        ["3 gems -> https://mirror.example/"]
    );
    let mise = "[tools]\nruby = '3'\n[plugins]\nx = 'https://git.example/x'\n";
    assert_eq!(redirects("mise.toml", mise), ["4 the tool x -> https://git.example/x"]);
    assert_eq!(redirects(".tool-versions", "ruby 3.3\n"), Vec::<String>::new());
    assert!(RubyGems.redirects(&RepoPath::new(".bundle/config"), b"a: [").is_err());
    let claimed =
        [".bundle/config", "x/.ruby-version", ".gemrc", ".tool-versions", ".mise.toml", ".config/mise/config.toml"];
    for path in claimed {
        let path = RepoPath::new(path);
        assert!(RubyGems.patterns().iter().any(|pattern| crate::ecosystem::matches(pattern, &path)), "{path}");
    }
}

#[test]
fn versions_are_ordered_as_gem_version_orders_them() {
    for (file, expected) in [("rubygems-versions.txt", 20), ("rubygems-versions-generated.txt", 4_000)] {
        let Some(path) = corpus(&format!("vectors/versions/{file}")) else { return };
        let text: String = std::fs::read_to_string(path).unwrap();
        let text: String =
            text.lines().filter(|line| !line.starts_with("//")).map(|line| format!("{line}\n")).collect();
        assert!(orders(&RubyGems, &text) > expected);
    }
}

#[test]
fn versions_that_are_none_do_not_compare_and_long_ones_do() {
    orders(&RubyGems, "1.0 = 1\n1.0.0.a < 1\n1.0-1 < 1.0\n1.a.0 = 1.a\n1.0.b1 > 1.0.a.2\n01 = 1\n");
    for bad in ["", "a", "v1", "1..2", "1.", "1 2", "-1", "1_0", "é1"] {
        assert_eq!(RubyGems.compare(bad, "1"), None, "{bad}");
    }
    let (long, longer) = ("9".repeat(10_000), format!("1{}", "0".repeat(10_000)));
    assert_eq!(RubyGems.compare(&long, &longer), Some(Ordering::Less));
    for (version, requirement, expected) in [
        ("1.9.0", "~> 1.2", Some(true)),
        ("2.0.0", "~> 1.2", Some(false)),
        ("2.0.0.pre", "~> 1.2", Some(false)),
        ("1.2.9", "~> 1.2.3", Some(true)),
        ("1.3.0", "~> 1.2.3", Some(false)),
        ("1.9", "~> 1", Some(true)),
        ("1.5", ">= 1, < 2", Some(true)),
        ("2.0", ">= 1, < 2", Some(false)),
        ("1.5", "!= 1.5", Some(false)),
        ("1.5", "1.5.0", Some(true)),
        ("1.5", "^1", None),
        ("1.5", "", None),
    ] {
        assert_eq!(version::satisfies(version, requirement), expected, "{version} {requirement}");
    }
}

#[test]
fn names_have_a_grammar() {
    for (name, expected) in [
        ("rails", true),
        ("net-http_2.x", true),
        ("RedCloth", true),
        ("_x", true),
        ("", false),
        ("-x", false),
        (".x", false),
        ("a b", false),
        ("a/b", false),
        ("a\u{202e}", false),
        ("é", false),
    ] {
        assert_eq!(RubyGems.is_name(name), expected, "{name}");
    }
    assert!(!RubyGems.is_name(&"a".repeat(256)));
    assert_eq!(RubyGems.normalise("RedCloth"), "RedCloth");
}

/// Counts and digests from `Bundler::LockfileParser` (bundler 2.3.15), `name@version` without the platform, and how many
/// gems its list of dependencies names.
const REAL: &[(&str, usize, &str, usize)] = &[
    ("osv-schema-docs", 96, "cef180d0653def645abb055aa43f1ea75eb93c5f4a0d4bf85142a35be3881d7e", 3),
    ("rubygems-org", 298, "b38533042fd07571b746939c65ffc0824a464166b969178e492f1b20edc2d439", 120),
];

#[test]
fn real_lockfiles_are_read_whole() {
    for (name, count, expected, asked) in REAL {
        let Some(path) = corpus(&format!("lockfiles/rubygems/{name}")) else { return };
        let inventory = read_one(&RubyGems, &folder(&path));
        // The other reader does not count bundler itself.
        let labels: Vec<String> = labels(&inventory).into_iter().filter(|l| !l.starts_with("bundler@")).collect();
        assert_eq!(inventory.packages.len(), labels.len() + 1);
        assert_eq!((labels.len(), &*digest(&labels)), (*count, *expected), "{name}");
        assert_eq!(inventory.packages.iter().filter(|p| p.direct).count(), *asked);
        assert_eq!(inventory.disagreements, []);
        assert!(inventory.packages.iter().all(|p| RubyGems.is_name(&p.name) && p.span.line > 0));
        // `bundler` locks no checksum for the gems of a source that offers none.
        assert!(inventory.packages.iter().filter(|p| p.checksum.is_none()).count() <= 5, "{name}");
    }
}

#[test]
fn hostile_bytes_are_survived() {
    let many: String = (0..200_000).map(|n| format!("    g{n} (1.{n})\n      g{} (>= 1)\n", n / 2)).collect();
    let many = format!("GEM\n  specs:\n{many}\nDEPENDENCIES\n  g1\n");
    let same: String = (0..200_000).map(|n| format!("    g (1.{n})\n      g\n")).collect();
    let same = format!("GEM\n  specs:\n{same}");
    let platforms: String = (0..100_000).map(|n| format!("    g (1-p{n})\n      h\n")).collect();
    let platforms = format!("GEM\n  specs:\n{platforms}    h (1)\n");
    let digits =
        format!("GEM\n  specs:\n    a ({})\n\nDEPENDENCIES\n  a (~> {})\n", "9".repeat(10_000), "8".repeat(10_000));
    // Every requirement would walk the version.
    let long = format!("{}1", "1.".repeat(80_000));
    let walks = format!("GEM\n  specs:\n    a ({long})\n\nDEPENDENCIES\n  a ({})\n", vec!["> 0"; 80_000].join(","));
    survives(&RubyGems, &["Gemfile.lock"], &[walks.as_bytes()]);
    let mut texts: Vec<&[u8]> = vec![b"", b"\0", b"\xff", many.as_bytes(), same.as_bytes(), platforms.as_bytes()];
    texts.extend([digits.as_bytes(), b"PATH\n  remote: ../../../etc\n  specs:\n    a (1)\n"]);
    texts.extend((0..LOCK.len()).step_by(7).map(|end| &LOCK.as_bytes()[..end]));
    survives(&RubyGems, &["Gemfile.lock", "gems.locked"], &texts);

    let brackets = format!("gem {}", "[".repeat(30_000));
    let blocks = "group :a do\n".repeat(100_000);
    let words = "%w[".repeat(1_000_000);
    let quotes = "gem \"a\", '".repeat(200_000);
    let gems: String = (0..100_000).map(|n| format!("gem \"g{n}\", \"1\"\n")).collect();
    let groups = format!("group {} do\n{gems}end\n", vec![":g"; 9_000].join(", "));
    let mut texts: Vec<&[u8]> = vec![b"gem", b"gem(", b"gem \"", b"end", b":", b"%", b"\"#{"];
    texts.extend([brackets.as_bytes(), blocks.as_bytes(), words.as_bytes(), quotes.as_bytes(), groups.as_bytes()]);
    texts.extend((0..GEMFILE.len()).map(|end| &GEMFILE.as_bytes()[..end]));
    survives(&RubyGems, &["Gemfile", "gems.rb", "x.gemfile"], &texts);
}

/// What `Gem::Requirement` (RubyGems 3.3.15) says of every version and every requirement.
#[test]
fn requirements_hold_as_the_tool_has_them() {
    let all = "0.9 1 1.0 1.0.a 1.1.9 1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 2.0.pre 2.0 2 1.2.c 1.0.b";
    for (requirement, expected) in [
        ("~> 1.2", "1.2 1.2.3 1.2.9 1.3.a 1.3 1.9"),
        ("~> 1.2.3", "1.2.3 1.2.9"),
        ("~> 1", "1 1.0 1.1.9 1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 1.2.c"),
        ("~> 1.0.a", "1 1.0 1.0.a 1.1.9 1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 1.2.c 1.0.b"),
        ("~> 1.2.0.pre", "1.2 1.2.0.pre 1.2.3 1.2.9"),
        (">= 1.2", "1.2 1.2.3 1.2.9 1.3.a 1.3 1.9 2.0.pre 2.0 2"),
        ("< 2", "0.9 1 1.0 1.0.a 1.1.9 1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 2.0.pre 1.2.c 1.0.b"),
        ("!= 1.0", "0.9 1.0.a 1.1.9 1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 2.0.pre 2.0 2 1.2.c 1.0.b"),
        ("= 1.0", "1 1.0"),
        ("~> 1.2.b", "1.2 1.2.0.pre 1.2.3 1.2.9 1.3.a 1.3 1.9 1.2.c"),
    ] {
        let held: Vec<&str> = all.split(' ').filter(|v| version::satisfies(v, requirement) == Some(true)).collect();
        assert_eq!(held.join(" "), expected, "{requirement}");
        assert!(all.split(' ').all(|v| version::satisfies(v, requirement).is_some()), "{requirement}");
    }
}

/// Pairs at random, as `Gem::Version` (RubyGems 3.3.15) orders them.
#[test]
fn peculiar_versions_are_ordered_as_the_tool_orders_them() {
    assert_eq!(orders(&RubyGems, ORDERS), 100);
}

const ORDERS: &str = "\
1.0.a < 1.2.a
1.0.a < 01.2
1.a < 1.2.0.a.0
1.0-2 < 1.10
1.0.b1 < 1.2.A
1.10 > 1.2.0.a.0
1.2 > 1.2.a
1.0.0 > 1.0.pre
1.0.pre < 1.2.a
1 > 1.0.0.beta10
1.9 > 0.0.1
1.0.a < 1.9
1.0.b1 < 1.2.a
1.0.a < 1.0-2
1.9 > 1.2.A
1.0 > 1.0.0.beta10
1.a.0 < 1.2
1.a < 1.0.rc1
1.0.rc1 < 1.2.A
1.0-rc.1 < 1.2.0.a.0
1.0.b1 < 01.2
1.0-rc.1 > 1.0.0.beta9
1.a = 1.0.a
1.0 > 1.a.0
2.0 > 1.2
1.0.pre > 1.0.0.beta10
1.0.a.2 > 0.0.1
1.0.a > 0.0.1
1.0.0 < 1.2.a
1.0.0.beta10 < 1.2.A
1.0 > 1.0-2
1 > 1.0.b1
1.10 > 01.2
1.0.0 < 01.2
1.0.0.beta10 < 1.2.a
1.0.0 > 1.a.0
1.a = 1.a.0
1 > 1.a.0
1.a < 1.0-rc.1
1.a.0 < 1.0.0.beta10
1 < 1.9
1.0.a.2 < 1.0.0.beta9
1.0-2 > 0.0.1
1.0.a < 1.0-1
1.0.rc1 > 1.0.0.beta10
1.0.pre < 01.2
1.0 = 1.0.0
1.0 < 1.2.A
1.0.0 < 1.2.A
1.0 > 1.a
1.a.0 < 1.2.0.a.0
1.0.0 > 0.0.1
1.0.0.beta9 < 1.2.a
1 > 1.0.a.2
1.a < 1.2
1.9 > 1.0.0.beta9
1.0.b1 < 1.0.pre
1.0.pre < 1.2.0.a.0
1.0.pre < 1.0-2
1.0 < 01.2
1.0.rc1 < 01.2
1.a > 0.0.1
1.0.pre < 1.9
1 > 0.0.1
1.0.rc1 < 2.0
1.0.b1 < 1.0-2
1.0.0.beta9 < 1.2.0.a.0
1.0-1 > 1.0.0.beta9
1.0.0.beta9 < 01.2
1.0.0 < 1.9
1.0.a.2 < 1.0.rc1
1.0 > 1.0-1
0.0.1 < 1.2.A
1.0 < 1.2.0.a.0
1.0-2 < 1.0.rc1
1.a < 1.2.A
1.10 > 1.9
1.0-1 > 1.0.0.beta10
1.0.0 > 1.a
1.0.0.beta9 < 1.2
1.10 > 1.2
1 > 1.0.a
1.0-2 < 1.2
1.a.0 < 1.0.pre
1.0 < 2.0
1.a < 1.0-2
1.9 > 01.2
1.a.0 < 1.2.A
01.2 > 1.2.a
1.2.0.a.0 > 1.2.A
1 > 1.0-rc.1
1.10 > 1.2.a
1 < 2.0
1.0.rc1 < 1.2.a
1.0.rc1 < 1.2
1.a < 1.0.pre
1.0.a < 1.2.A
1.0-rc.1 > 1.0.0.beta10
1.0-1 < 1.2
1.0.pre < 1.10
";
