//! Extensions and names are those that the languages' own documentation and GitHub's linguist list.

use super::*;

fn named(path: &str) -> Language {
    of(&RepoPath::new(path), b"")
}

#[test]
fn languages_are_told_by_name_and_extension() {
    for (path, expected) in [
        ("src/main.rs", Language::Rust),
        ("a/B.JAVA", Language::Java),
        ("x.tsx", Language::TypeScript),
        ("Dockerfile", Language::Dockerfile),
        ("docker/Dockerfile.prod", Language::Dockerfile),
        ("prod.dockerfile", Language::Dockerfile),
        ("Jenkinsfile", Language::Groovy),
        ("build.gradle.kts", Language::Kotlin),
        (".env", Language::Properties),
        (".env.production", Language::Properties),
        ("deploy.sh.j2", Language::Shell),
        ("nginx.conf.erb", Language::Properties),
        ("page.html.erb", Language::Html),
        ("page.erb", Language::Html),
        ("main.tf", Language::Terraform),
        ("main.tf.json", Language::Terraform),
        ("requirements.txt", Language::Text),
        ("setup.py.bak.orig", Language::Python),
        ("app.config", Language::Xml),
        ("schema.sql", Language::Sql),
        ("Foo.cs", Language::CSharp),
        ("a.unheard-of", Language::Unknown),
        ("BUILD.bazel", Language::Python),
    ] {
        assert_eq!(named(path), expected, "{path}");
    }
}

/// The first line as execve(2) and env(1) read it.
#[test]
fn a_first_line_counts_where_the_name_is_none_of_a_program() {
    for (path, head, expected) in [
        ("bin/run", "#!/bin/sh\n", Language::Shell),
        ("bin/run", "#!/usr/bin/env python3.12\n", Language::Python),
        ("bin/run", "#!/usr/bin/env -S A=b node --x\n", Language::JavaScript),
        ("bin/run", "#! /usr/bin/perl -w\n", Language::Perl),
        ("bin/run", "x\n#!/bin/sh\n", Language::Unknown),
        ("bin/run", "#!/usr/bin/unheard-of\n", Language::Unknown),
        ("bin/run.x", "#!/bin/sh\n", Language::Shell),
        ("deploy.toml", "#!/usr/bin/env python3\n", Language::Python),
        ("style.css", "#!/usr/bin/ruby\n", Language::Ruby),
        ("notes.md", "# Notes\n", Language::Markdown),
        ("bin/run.py", "#!/bin/sh\n", Language::Python),
        (".hook", "#!/bin/bash\n", Language::Shell),
    ] {
        assert_eq!(of(&RepoPath::new(path), head.as_bytes()), expected, "{path} {head}");
    }
}

/// AWS CloudFormation user guide, "Template sections".
#[test]
fn cloud_formation_is_told_by_its_content() {
    let of = |path: &str, head: &str| of(&RepoPath::new(path), head.as_bytes());
    assert_eq!(of("a.yml", "AWSTemplateFormatVersion: '2010-09-09'\n"), Language::CloudFormation);
    assert_eq!(of("a.json", "{\"Type\": \"AWS::S3::Bucket\"}"), Language::CloudFormation);
    assert_eq!(of("a.template", "AWSTemplateFormatVersion: '2010-09-09'\n"), Language::Unknown);
    assert_eq!(of("a.yaml.template", "AWSTemplateFormatVersion: '2010-09-09'\n"), Language::CloudFormation);
    assert_eq!(of("a.yaml", "x: !Ref AWS::Region\ny: AWS::\n"), Language::Yaml);
    assert_eq!(of("a.py", "AWS::S3::Bucket"), Language::Python);
}

#[test]
fn classes_are_told_by_path() {
    for (path, expected) in [
        ("src/main.rs", LineClass::Source),
        ("src/test/java/A.java", LineClass::Test),
        ("Tests/a.swift", LineClass::Test),
        ("pkg/a_test.go", LineClass::Test),
        ("test_a.py", LineClass::Test),
        ("a/latest_b.py", LineClass::Source),
        ("a.spec.ts", LineClass::Test),
        ("openapi.spec.yaml", LineClass::Source),
        ("src/Contest.java", LineClass::Source),
        ("src/OrderTest.java", LineClass::Test),
        ("examples/a.py", LineClass::Source),
        ("contest/a.py", LineClass::Source),
        ("Cargo.lock", LineClass::Generated),
        ("web/app.min.js", LineClass::Generated),
        ("a/b.pb.go", LineClass::Generated),
        ("dist/a.js", LineClass::Generated),
        ("src/__snapshots__/a.snap", LineClass::Generated),
        ("vendor/x/y_test.go", LineClass::Vendored),
        ("web/node_modules/x/dist/a.js", LineClass::Vendored),
        ("third_party/a.c", LineClass::Vendored),
        ("vendor", LineClass::Source),
    ] {
        assert_eq!(class(&RepoPath::new(path)), expected, "{path}");
    }
}

#[test]
fn tables_are_in_lower_case_and_without_doubles() {
    let mut extensions: Vec<&str> = tables::EXTENSIONS.iter().flat_map(|(_, list)| list.iter().copied()).collect();
    let names = tables::NAMES.iter().map(|(name, _)| *name);
    let folders = [tables::VENDORED_FOLDERS, tables::GENERATED_FOLDERS, tables::TEST_FOLDERS].concat();
    for word in extensions.iter().copied().chain(names).chain(folders) {
        assert_eq!(word, word.to_ascii_lowercase());
    }
    let count = extensions.len();
    extensions.sort_unstable();
    extensions.dedup();
    assert_eq!(extensions.len(), count);
}
