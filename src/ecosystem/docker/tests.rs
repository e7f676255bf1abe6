//! Tests of images, Dockerfiles and compose files: small trees, and real ones against other readers.

use std::cmp::Ordering;

use super::compose::Compose;
use super::dockerfile::Dockerfile;
use super::image::{self, Image};
use super::variables::{Variables, expand};
use super::{Docker, instructions};
use crate::ecosystem::testing::{corpus, digest, find, folder, labels, read_all, read_one, survives, tree};
use crate::ecosystem::{Format, Rules as _, View};
use crate::model::inventory::{Inventory, Scope, SourceKind};

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn dockerfile(text: &str) -> Inventory {
    read_one(&Dockerfile, &tree(&format!("== Dockerfile\n{}", text.replace("HEX", HEX))))
}

fn compose(text: &str) -> Inventory {
    read_one(&Compose, &tree(&format!("== compose.yml\n{}", text.replace("HEX", HEX))))
}

fn error(text: &str) -> String {
    let files = tree(&format!("== Dockerfile\n{text}"));
    let projects = Dockerfile.projects(&files).unwrap();
    Dockerfile.read(&projects[0], View::new(&files, &[])).unwrap_err().1.to_string()
}

/// `name@version scopes` of each package.
fn scoped(inventory: &Inventory) -> Vec<String> {
    let scopes = |package: &crate::model::inventory::Package| {
        package.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join("+")
    };
    inventory.packages.iter().map(|package| format!("{} {}", package.label(), scopes(package))).collect()
}

fn messages(inventory: &Inventory) -> Vec<(&str, u32)> {
    inventory.disagreements.iter().map(|each| (&*each.message, each.span.line)).collect()
}

#[test]
fn tags_are_no_versions() {
    for (a, b, expected) in [
        ("1.2.3", "1.2.3", Some(Ordering::Equal)),
        ("1.2.3", "1.2.4", None),
        ("latest", "latest", Some(Ordering::Equal)),
        ("", "", None),
    ] {
        assert_eq!(Docker.compare(a, b), expected, "{a} {b}");
    }
}

#[test]
fn references_follow_the_specification() {
    let image = |host: Option<&str>, name: &str, tag: Option<&str>, has_digest: bool| {
        let digest = has_digest.then(|| format!("sha256:{HEX}").into());
        Some(Image { host: host.map(Into::into), name: name.into(), tag: tag.map(Into::into), digest })
    };
    let host = Some("registry.example");
    for (text, expected) in [
        ("nginx", image(None, "nginx", None, false)),
        ("library/nginx:1", image(None, "nginx", Some("1"), false)),
        ("grafana/grafana:10.0", image(None, "grafana/grafana", Some("10.0"), false)),
        ("registry.example/library/x", image(host, "library/x", None, false)),
        ("registry.example:5000/a/b/c:t", image(Some("registry.example:5000"), "a/b/c", Some("t"), false)),
        ("localhost/x", image(Some("localhost"), "x", None, false)),
        ("x@sha256:HEX", image(None, "x", None, true)),
        ("x:1@sha256:HEX", image(None, "x", Some("1"), true)),
        ("x:${T}", image(None, "x", Some("${T}"), false)),
        ("x:1-${T}-slim", image(None, "x", Some("1-${T}-slim"), false)),
        ("x:${T}@sha256:HEX", image(None, "x", Some("${T}"), true)),
        ("x@${D}", image(None, "x", Some("${D}"), false)),
        ("x:1@${D}", image(None, "x", Some("1@${D}"), false)),
        ("x@sha256:12", None),
        ("x@md6:HEX", None),
        ("${X}", None),
        ("a/${X}:1", None),
        ("host:${PORT}/x", None),
        ("x${V}", None),
        ("Nginx", None),
        ("a//b", None),
        ("/a", None),
        ("a/", None),
        ("a/../b", None),
        ("a:", None),
        ("a:-x", None),
        ("a b", None),
        ("a\u{1b}[31m", None),
        ("", None),
        ("@", None),
        (":", None),
    ] {
        assert_eq!(image::parse(&text.replace("HEX", HEX)), expected, "{text:?}");
    }
    for (name, expected) in [
        ("a__b/c-d.e---f", true),
        ("a___b", false),
        ("a..b", false),
        ("-a", false),
        ("a.", false),
        ("a.-b", false),
        ("é", false),
        ("", false),
    ] {
        assert_eq!(Docker.is_name(name), expected, "{name}");
    }
    assert!(Docker.is_name(&"a".repeat(255)) && !Docker.is_name(&"a".repeat(256)));
}

#[test]
fn variables_are_filled_in_where_they_are_known() {
    let known: Variables = [("A", "1"), ("E", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    for (text, expected) in [
        ("x:$A", Some("x:1")),
        ("x:${A}-$B", Some("x:1-${B}")),
        ("${B:-d}${E:-d}${E-d}${A:-d}", Some("dd1")),
        ("${A:+y}${B:+y}${E:+y}", Some("y")),
        ("${B:-${C:-${A}}}", Some("1")),
        ("${B:?must be set}", Some("${B}")),
        ("${A#x}", Some("${A}")),
        ("$$A", Some("${}1")),
        ("${A", None),
        ("$", Some("${}")),
    ] {
        assert_eq!(expand(text, &known).as_deref(), expected, "{text}");
    }
}

#[test]
fn what_the_last_stage_is_made_of_runs() {
    let inventory = dockerfile(
        "\
# syntax=docker/dockerfile:1.7@sha256:HEX
# A comment
ARG VERSION=3.20
ARG NAME=\"debian\" TAG
FROM --platform=$BUILDPLATFORM golang:1.22 AS Build
RUN --mount=type=bind,from=tools:1,target=/x --mount=type=cache,target=/y make
COPY --from=build-only:2 / /
FROM alpine:${VERSION} AS base
FROM ${NAME}:${TAG:-12} AS unused
FROM base AS final
COPY --link --from=build /a /a
COPY --from=0 /a /a
COPY --from=registry.example:5000/grpc/health@sha256:HEX /b /b
FROM scratch
FROM final
",
    );
    let expected = [
        "alpine@3.20 runtime",
        "build-only@2 build",
        "debian@12 build",
        "docker/dockerfile@1.7 build",
        "golang@1.22 build",
        &format!("grpc/health@sha256:{HEX} runtime"),
        "tools@1 build",
    ];
    assert_eq!(scoped(&inventory), expected);
    let health = find(&inventory, "grpc/health");
    assert_eq!((health.is_locked, health.span.line, health.direct), (true, 13, true));
    assert_eq!(health.checksum.as_deref(), Some(&*format!("sha256:{HEX}")));
    assert_eq!((health.source.kind, &*health.source.address), (SourceKind::Registry, "registry.example:5000"));
    let alpine = find(&inventory, "alpine");
    assert_eq!((alpine.is_locked, alpine.source.kind, alpine.span.line), (false, SourceKind::Public, 8));
    assert!(find(&inventory, "docker/dockerfile").is_locked && messages(&inventory).is_empty());
}

#[test]
fn what_is_not_known_is_said_and_not_left_out() {
    let inventory = dockerfile("ARG BASE\nARG TAG\nFROM app:${TAG}\nFROM ${BASE}\nFROM $BASE/x:1\nFROM Bad\n");
    assert_eq!(labels(&inventory), ["app@${TAG}"]);
    assert!(!find(&inventory, "app").is_locked);
    assert_eq!(
        messages(&inventory),
        [
            ("names the image `${BASE}`, and no file says what stands for it", 4),
            ("names the image `${BASE}/x:1`, and no file says what stands for it", 5),
            ("names the image `Bad`, which is no reference of one", 6),
        ]
    );
}

#[test]
fn stages_for_platforms_are_stages() {
    let text = "FROM a AS build-amd64\nFROM b AS build-arm64\nFROM c AS other\nFROM build-${TARGETARCH}\n";
    assert_eq!(scoped(&dockerfile(text)), ["a@latest runtime", "b@latest runtime", "c@latest build"]);
    // What the file's user sets could be any image, and no stage hides it.
    let inventory = dockerfile("FROM a AS x-1\nFROM x-${WHICH}\n");
    assert_eq!(messages(&inventory).len(), 1);
    // A stage is known after it starts, not before, and not to itself.
    assert_eq!(
        labels(&dockerfile("FROM later\nFROM later AS later\nCOPY --from=next / /\nFROM x AS next\n")),
        ["later@latest", "next@latest", "x@latest"]
    );
}

// The instructions of the first text are those that BuildKit's own parser finds (`dockerfile` 3.4.0 on PyPI wraps it).
#[test]
fn continued_lines_comments_and_here_documents_hide_nothing_and_invent_nothing() {
    let inventory = dockerfile(
        "\
FROM \\
  # in between

  one:1 \\
  AS x
RUN echo \\
FROM not:1
RUN <<EOF
FROM not:2
RUN <<EOF
FROM not:2
EOF
RUN cat <<-'A' 3<<B && true
FROM not:3
\tA
FROM not:4
B
COPY <<end.txt /x
FROM not:5
end.txt
RUN echo \"<<EOF\" $((1 << 4)) <<<word
FROM two:2
RUN echo \\\\
FROM three:3
ONBUILD COPY --from=four:4 / /
from five:5
",
    );
    assert_eq!(labels(&inventory), ["five@5", "four@4", "one@1", "three@3", "two@2"]);
    let inventory = dockerfile("# escape=`\nFROM one`\n:1\nRUN dir c:\\\nFROM two:2\n");
    assert_eq!(labels(&inventory), ["one@1", "two@2"]);
    // Not at the top, it is a comment.
    let inventory = dockerfile("\n# escape=`\n# syntax=no/such:1\nFROM a\nRUN x `\nFROM b\n");
    assert_eq!(labels(&inventory), ["a@latest", "b@latest"]);
    for (text, expected) in [
        ("FROM a\nRUN <<EOF\nFROM b\n", "line 2: the here-document `EOF` has no end"),
        ("FROM a\nRUN cat <<EOF # don't\nEOF\n", "line 2: it is in doubt"),
        ("FROM a\nRUN echo 'it <<EOF\nFROM b\nEOF\n", "line 4: `eof` is no instruction"),
        ("FROM a\nRUN cat <<$X\n$X\n", "line 2: a here-document up to `$X` is not read"),
        ("FROM a b\n", "line 1: FROM takes"),
        ("FROM\n", "line 1: FROM takes"),
        ("FROM a\nINCLUDE x\n", "line 2: `include` is no instruction"),
        ("FROM a\n<<<<<<< ours\nFROM b\n", "line 2: conflict markers"),
        ("FROM a\nONBUILD ONBUILD RUN x\n", "line 2: ONBUILD takes an instruction"),
        ("# escape=x\nFROM a\n", "line 1: the directive"),
        ("# syntax=a\n# syntax=b\nFROM a\n", "line 2: the directive"),
        ("{\"syntax\": \"x\"}", "a build definition in JSON"),
        ("FROM {{ image }}\n", "line 1: FROM takes"),
    ] {
        assert!(error(text).starts_with(expected), "{text:?}: {}", error(text));
    }
}

#[test]
fn arguments_have_scopes() {
    let text = "\
ARG A=1
ARG B=x:${A}
FROM ${B} AS s
ARG A=2
ARG C=copied
COPY --from=${C}:${A} / /
FROM y:${A}
ARG B
RUN --mount=from=${B} x
";
    assert_eq!(labels(&dockerfile(text)), ["copied@2", "x@1", "y@1"]);
}

#[test]
fn keys_of_mounts_ignore_case_and_addresses_are_said() {
    let text = "\
ARG URL=https://mirror.example/b
FROM a
RUN --mount=type=bind,FROM=evil.example/x:1,target=/y true
ADD --checksum=sha256:HEX https://files.example/a.tar.gz /a
ADD [\"$URL\", \"git@git.example:a/b.git\", \"/b\"]
ADD app.jar ${JAR} /c@d
";
    let inventory = dockerfile(text);
    assert_eq!(labels(&inventory), ["a@latest", "x@1"]);
    let mut said = messages(&inventory);
    said.sort_by_key(|(message, line)| (*line, *message));
    let first = format!("adds `https://files.example/a.tar.gz (sha256:{HEX})`");
    let expected = [(&*first, 4), ("adds `git@git.example:a/b.git`", 5), ("adds `https://mirror.example/b`", 5)];
    assert_eq!(said, expected);
}

#[test]
fn files_that_make_projects() {
    let files = tree(
        "\
== a/Dockerfile
FROM x
== a/Dockerfile.dev
FROM x
== a/Dockerfile.dockerignore
*
== a/web.Dockerfile
FROM x
== Containerfile
FROM x
== vendor/x/Dockerfile
FROM x
== php/vendor/x/Dockerfile
FROM x
== php/vendor/composer/installed.json
{}
== go/vendor/x/compose.yml
{}
== go/vendor/modules.txt
== node_modules/x/docker-compose.yml
services: {}
== docker-compose.override.yml
services: {}
== compose.prod.yaml
services: {}
== composer.yml
x: y
== compose-dev.yaml
services: {}
== Dockerfile-prod
FROM x
== Dockerfile_test.go
package x
== Containerfile.prod
FROM x
",
    );
    let paths = |format: &dyn Format| -> Vec<String> {
        let projects = format.projects(&files).unwrap();
        projects.iter().map(|p| format!("{} {}", p.path, p.manifest.as_ref().unwrap())).collect()
    };
    let expected = [
        ". Containerfile",
        ". Containerfile.prod",
        ". Dockerfile-prod",
        "a a/Dockerfile",
        "a a/Dockerfile.dev",
        "a a/web.Dockerfile",
        "vendor/x vendor/x/Dockerfile",
    ];
    assert_eq!(paths(&Dockerfile), expected);
    assert_eq!(paths(&Compose), [". compose-dev.yaml", ". compose.prod.yaml", ". docker-compose.override.yml"]);
}

#[test]
fn services_run_images() {
    let inventory = compose(
        "\
x-common: &common
  image: shared:1
services:
  web:
    image: nginx:${TAG:-1.27}
  db:
    image: 'registry.example/db@sha256:HEX'
  built:
    build: .
    image: mine:1
  again:
    image: mine:1
  inline:
    build:
      dockerfile_inline: |
        FROM inner:1
        COPY --from=${UNSET} / /
      additional_contexts:
        base: docker-image://context:2
  other:
    build: {additional_contexts: ['x=docker-image://context:3', 'y=../y']}
  merged:
    <<: *common
  open:
    image: open:${UNSET}
  unknown:
    image: ${UNSET}
",
    );
    let expected = [
        "context@2 build",
        "context@3 build",
        &format!("db@sha256:{HEX} runtime"),
        "inner@1 runtime",
        "nginx@1.27 runtime",
        "open@${UNSET} runtime",
        "shared@1 runtime",
    ];
    assert_eq!(scoped(&inventory), expected);
    assert_eq!((find(&inventory, "db").is_locked, find(&inventory, "nginx").is_locked), (true, false));
    assert_eq!(find(&inventory, "nginx").span.line, 5);
    assert_eq!(messages(&inventory).len(), 2, "{:?}", messages(&inventory));
    // A file without `services` is of the oldest form.
    assert_eq!(labels(&compose("web:\n  image: old:1\n")), ["old@1"]);
    // The environment's file comes before the default.
    let services = "services: {a: {image: 'a:${T:-1}'}, b: {image: 'b:${U:-1}'}}";
    let files = tree(&format!("== compose.yml\n{services}\n== .env\n# x\nexport T=\"2\" # y\n"));
    let inventory = read_one(&Compose, &files);
    assert_eq!(labels(&inventory), ["a@2", "b@1"]);
    assert!(inventory.inputs.iter().any(|input| input.path.as_str() == ".env"));
}

#[test]
fn what_a_compose_file_takes_in_is_read_or_said() {
    let files = tree(
        "\
== app/compose.yml
include:
  - other.txt
  - path: [more.txt, ../../out.yml]
  - oci://registry.example/stack
  - compose.prod.yml
services:
  a: {extends: {file: base.txt, service: x}}
  b: {extends: {file: gone.txt, service: x}}
  c: {extends: a}
  d: {build: {context: ., dockerfile: odd.txt}}
  e: {build: ./web}
  f: {build: 'https://git.example/a/b.git'}
  g: {build: {context: ../..}}
  h: {build: {context: '${WHERE}'}}
  i: {build: {context: '${HERE:-.}', dockerfile: vendor/Dockerfile}}
== app/other.txt
services: {x: {image: 'other:1'}}
include: [compose.yml, other.txt]
== app/more.txt
services: {x: {image: 'more:1'}}
== app/base.txt
services: {x: {image: 'base:1'}}
== app/compose.prod.yml
services: {x: {image: 'own-project:1'}}
== app/odd.txt
FROM odd:1
== app/web/Dockerfile
FROM own-project:2
== app/vendor/modules.txt
== app/vendor/Dockerfile
FROM vendored:1
",
    );
    let all = read_all(&Compose, &files);
    let paths: Vec<&str> = all.iter().map(|each| each.project.manifest.as_ref().unwrap().as_str()).collect();
    assert_eq!(paths, ["app/compose.prod.yml", "app/compose.yml"]);
    assert_eq!(labels(&all[1]), ["base@1", "more@1", "odd@1", "other@1", "vendored@1"]);
    let mut found = messages(&all[1]);
    found.sort_by_key(|(_, line)| *line);
    let expected = [
        ("takes services from `../../out.yml`, which is outside of the repository", 3),
        ("takes services from `oci://registry.example/stack`, which is outside of the repository", 4),
        ("takes services from `gone.txt`, which is not there", 8),
        ("builds `https://git.example/a/b.git`, which is outside of the repository", 12),
        ("builds `../..`, which is outside of the repository", 13),
        ("builds `${WHERE}`, and no file says what stands for it", 14),
    ];
    assert_eq!(found, expected);
}

#[test]
fn files_taken_in_have_variables_of_their_own() {
    let files = tree(
        "\
== compose.yml
include:
  - {path: sub/other.yml, env_file: sub/x.env}
  - {path: [sub/other.yml], env_file: [sub/x.env, sub/y.env]}
services: {}
== sub/other.yml
services: {x: {image: '${IMAGE:-mine}'}}
== sub/x.env
IMAGE=evil/x
== sub/y.env
IMAGE=evil/y
",
    );
    assert_eq!(labels(&read_one(&Compose, &files)), ["evil/x@latest", "evil/y@latest"]);
}

#[test]
fn what_a_build_takes_besides_is_read_or_said() {
    let files = tree(
        "\
== compose.yml
x-args: &args {B: 'evil.example/c:3'}
services:
  a: {build: {context: ., args: {BASE: 'evil.example/x:1', UNSET: '${UNSET}'}}}
  b: {build: {context: ., args: ['BASE=evil.example/y:2', BUILDKIT_SYNTAX=evil/syntax]}}
  c: {build: {args: {<<: *args}, dockerfile_inline: 'ARG B=mine\n\n  FROM $B'}}
  d: {build: ., image: '${REGISTRY:-registry.example}/d:1'}
  e: {build: ., image: 'registry.example/e:1', pull_policy: build}
  f: {build: ., image: mine}
  g: {build: github.com/evil/repo}
  h: {build: {additional_contexts: {x: 'https://git.example/a.git', y: ../y, z: 'service:a'}}}
  i: {image: i, volumes: ['./x:/y', {type: image, source: 'evil.example/v:1', target: /v}]}
== Dockerfile
ARG BASE=mine
ARG UNSET=1
FROM ${BASE}
FROM same:${UNSET}
",
    );
    let inventory = read_one(&Compose, &files);
    let expected = ["c@3", "d@1", "evil/syntax@latest", "i@latest", "v@1", "x@1", "y@2"];
    assert_eq!(labels(&inventory), expected);
    let expected = [
        ("builds `github.com/evil/repo`, which is outside of the repository", 11),
        ("builds `https://git.example/a.git`, which is outside of the repository", 12),
    ];
    let mut said = messages(&inventory);
    said.sort_by_key(|(_, line)| *line);
    assert_eq!(said, expected);
}

#[test]
fn real_files_are_those_of_another_reader() {
    let Some(root) = corpus("lockfiles/docker") else { return };
    let files = folder(&root);
    let all = |format: &dyn Format| {
        let all = read_all(format, &files);
        assert!(all.iter().all(|inventory| messages(inventory).is_empty()));
        let mut found: Vec<String> = all.iter().flat_map(labels).collect();
        found.sort();
        found.dedup();
        found
    };
    // dockerfile-parse 2.0.1, and BuildKit's parser (`dockerfile` 3.4.0 on PyPI) alike: values of FROM, COPY --from and
    // the first comment, stages and `scratch` left out.
    let found = all(&Dockerfile);
    let expected = (32, "4ad037fd7b795364eb26b395851da4a363548eb58d9b2cd9911e312c2ca5fb81");
    assert_eq!((found.len(), &*digest(&found)), expected, "{found:#?}");
    // PyYAML 6.0.3: `services.*.image`, names of what is built left out.
    let found = all(&Compose);
    let expected = (36, "7a3c9fd00c3e5a5abe13224d33b28c98cf2449300fc7b10de78d78e9b2955785");
    assert_eq!((found.len(), &*digest(&found)), expected, "{found:#?}");
}

#[test]
fn hostile_files_end() {
    let doubling: String = (1..60).map(|n| format!("ARG A{n}=$A{0}$A{0}\n", n - 1)).collect();
    let doubling = format!("ARG A0=xxxx\n{doubling}FROM $A59\n");
    let nested = format!("FROM {}x{}\n", "${A:-".repeat(30_000), "}".repeat(30_000));
    let unclosed = format!("FROM {}\n", "${".repeat(200_000));
    let stages: String = (0..60_000).map(|n| format!("FROM s{} AS s{n}\n", n + 1)).collect();
    let platforms: String = (0..60_000).map(|n| format!("FROM a-${{TARGETARCH}} AS a-{n}\n")).collect();
    let lines = "FROM a \\\n".repeat(200_000);
    let heredocs = format!("RUN {}\nEOF\n", "<<EOF ".repeat(100_000));
    let onbuild = "onbuild ".repeat(200_000);
    let mounts = format!("FROM a\nRUN {}\n", "--mount=from=a,from=b ".repeat(100_000));
    let bomb: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let bomb = format!("a0: &a0 [x]\n{bomb}");
    let merges = format!("services: {{a: {}1{}}}", "{<<: ".repeat(100), "}".repeat(100));
    let deep = format!("services: {}", "[".repeat(30_000));
    let sample = "# syntax=a\nARG X=1\nFROM a:${X} AS b\nRUN <<E\n\nE\nCOPY --from=b \"x\nservices: {a: {image: x}}";
    let mut texts: Vec<&[u8]> = [
        &doubling, &nested, &unclosed, &stages, &platforms, &lines, &heredocs, &onbuild, &mounts, &bomb, &merges, &deep,
    ]
    .map(|text| text.as_bytes())
    .to_vec();
    texts.extend([&b"\0"[..], b"\xff", b"FROM \xe2\x80\xae", b"services: 1", b"services: {a: {image: [], build: []}}"]);
    texts.extend((0..sample.len()).map(|end| &sample.as_bytes()[..end]));
    survives(&Dockerfile, &["Dockerfile"], &texts);
    survives(&Compose, &["compose.yml"], &texts);
    assert!(instructions::parse("RUN x\n".repeat(100_000).as_bytes()).unwrap().instructions.len() == 100_000);
}
