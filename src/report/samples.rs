//! Verdicts built by hand for the tests of every format.

use crate::model::advisory::{AdvisoryKind, Matched, SourceAge};
use crate::model::change::{Change, ChangeKind, ChecksumMove, Depth, Review, Side};
use crate::model::evidence::{Evidence, Fact, FactValue, Provenance, Reason};
use crate::model::finding::{Finding, Level, Location, Origin, SubjectKind, SubjectRef, Waived};
use crate::model::inventory::{Project, Scope, Scopes, Source, SourceKind};
use crate::model::verdict::{
    AdvisoryData, CheckSkipped, Comparison, ComparisonResult, Coverage, CoveredFile, Decision, Example, FileState,
    LedgerData, Override, PolicyData, PolicyFrom, RevisionName, Verdict,
};
use crate::model::{Ecosystem, RepoPath};

/// Text with one of everything that must not reach a terminal.
pub const HOSTILE: &str = "x\u{1b}[31m\r\n\t\u{7}\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}\u{85}y";

/// An allow with nothing to say.
pub fn clean() -> Verdict {
    let project = |path: &str, ecosystem, manifest: &str, lockfile: &str| {
        let path = RepoPath::new(path);
        Project { manifest: path.join(manifest), lockfile: path.join(lockfile), path, ecosystem }
    };
    Verdict {
        command: "check",
        evaluated_at: "2026-11-22T10:00:00Z".into(),
        decision: Decision::Allow,
        complete: true,
        elapsed_ms: 9,
        base: Some(RevisionName {
            rev: Some("3f1c9a2000000000000000000000000000000000".into()),
            name: "origin/main".into(),
        }),
        head: RevisionName { rev: None, name: "work tree".into() },
        base_note: None,
        policy: PolicyData {
            from: PolicyFrom::Governing,
            rev: None,
            digest: format!("sha256:7be1{:060}", 0),
            comparison: None,
        },
        ledger: LedgerData::default(),
        overrides: Vec::new(),
        advisories: AdvisoryData {
            as_of: Some("2026-11-21T00:00:00Z".into()),
            digest: Some(format!("sha256:{:064}", 1)),
            sources: vec![
                SourceAge {
                    ecosystem: "npm".into(),
                    as_of: "2026-11-22T00:00:00Z".into(),
                    records: 7098,
                    built_in: false,
                },
                SourceAge {
                    ecosystem: "cargo".into(),
                    as_of: "2026-11-21T00:00:00Z".into(),
                    records: 1000,
                    built_in: true,
                },
            ],
        },
        projects: vec![
            project("web", Ecosystem::Npm, "package.json", "package-lock.json"),
            project("services/api", Ecosystem::Cargo, "Cargo.toml", "Cargo.lock"),
            project("", Ecosystem::Cargo, "Cargo.toml", "Cargo.lock"),
        ],
        changes: Vec::new(),
        findings: Vec::new(),
        coverage: Coverage {
            files: vec![CoveredFile { path: RepoPath::new("Cargo.lock"), state: FileState::Read, reason: None }],
            checks_skipped: Vec::new(),
            lines: None,
        },
        reviews: Vec::new(),
    }
}

/// One side of a change.
pub fn side(version: &str) -> Side {
    Side {
        version: version.into(),
        is_locked: true,
        source: Source { kind: SourceKind::Public, address: "registry+https://index.example/".into(), commit: None },
        checksum: Some(format!("sha256:{:064}", 2)),
        is_fixed: true,
        contradiction: None,
        runs_on_install: false,
        scopes: Scopes::of(Scope::Runtime),
        license: None,
        file: RepoPath::new("services/api/Cargo.lock"),
        line: 812,
    }
}

/// A new, uncovered, direct library.
pub fn added(name: &str, version: &str) -> Change {
    Change {
        id: format!("c:{name}"),
        kind: ChangeKind::Added,
        ecosystem: Ecosystem::Cargo,
        name: name.into(),
        alias: None,
        purl: format!("pkg:cargo/{name}@{version}"),
        direct: true,
        scope: Scope::Runtime,
        scope_of_name: None,
        project: RepoPath::new("services/api"),
        lockfile: Some(RepoPath::new("services/api/Cargo.lock")),
        before: None,
        after: Some(side(version)),
        via: vec!["api@0.1.0".into(), format!("{name}@{version}")],
        declared: Some((RepoPath::new("services/api/Cargo.toml"), 31)),
        new_library: true,
        new_to_repository: true,
        bytes_on_base: false,
        checksum: ChecksumMove::Same,
        source_new: false,
        stands_in: false,
        source_changed: false,
        under: Vec::new(),
        closure: Vec::new(),
        confusable_with: None,
        name_valid: true,
        fixes_advisory: false,
        facts: Vec::new(),
        review: Review { required: Depth::Inspected, cleared_by: None, cleared_by_login: None, pending_by: None },
    }
}

/// An upgrade.
pub fn upgraded(name: &str, from: &str, to: &str) -> Change {
    Change {
        kind: ChangeKind::Upgraded,
        before: Some(side(from)),
        new_library: false,
        new_to_repository: false,
        declared: None,
        review: Review { required: Depth::None, cleared_by: None, cleared_by_login: None, pending_by: None },
        ..added(name, to)
    }
}

/// A package that came with another.
pub fn below(parent: &str, name: &str, version: &str) -> Change {
    Change {
        direct: false,
        declared: None,
        under: vec![format!("c:{parent}")],
        via: vec!["api@0.1.0".into(), format!("{parent}@0.3.1"), format!("{name}@{version}")],
        ..added(name, version)
    }
}

/// A finding about a package.
pub fn finding(rule: &str, level: Level, change: Option<&Change>) -> Finding {
    Finding {
        fingerprint: format!("f:{rule}:{}", change.map_or("", |c| c.name.as_str())),
        rule: rule.into(),
        pack: "baseline".into(),
        level,
        default_level: level,
        blocks: level >= Level::Review,
        origin: None,
        change: change.map(|c| c.id.clone()),
        project: Some(RepoPath::new("services/api")),
        subject: SubjectRef { kind: SubjectKind::Package, purl: change.map(|c| c.purl.clone()) },
        location: None,
        message: format!("message of {rule}"),
        remediation: format!("remedy of {rule}"),
        controls: vec!["NIST SSDF PW.4.4".into()],
        advisory: None,
        waived_by: None,
        cleared_by: None,
    }
}

/// A finding about an advisory.
pub fn advisory(id: &str, origin: Origin) -> Finding {
    Finding {
        origin: Some(origin),
        blocks: origin == Origin::Introduced,
        project: Some(RepoPath::new("web")),
        subject: SubjectRef { kind: SubjectKind::Package, purl: Some("pkg:npm/ws@8.16.0".into()) },
        location: Some(Location { file: RepoPath::new("web/package-lock.json"), line: 412, end_line: 412 }),
        advisory: Some(Matched {
            id: id.into(),
            aliases: vec!["CVE-2024-0001".into()],
            kind: AdvisoryKind::Vulnerability,
            severity: Some(7.5),
            vector: None,
            published: Some("2024-06-17T00:00:00Z".into()),
            fixed: vec!["8.17.1".into()],
            functions: Vec::new(),
            categories: Vec::new(),
        }),
        ..finding("advisory-introduced", Level::Deny, None)
    }
}

/// The facts of a new library.
pub fn facts() -> Vec<Fact> {
    let here = || Provenance { source: "registry index".into(), as_of: Some("2026-11-22T00:00:00Z".into()) };
    vec![
        Fact { name: "age-days", value: Evidence::Found(FactValue::Number(2), here()) },
        Fact { name: "build-script", value: Evidence::Found(FactValue::Flag(true), here()) },
        Fact { name: "license", value: Evidence::Absent(here()) },
        Fact { name: "native-code", value: Evidence::Found(FactValue::Flag(false), here()) },
        Fact { name: "publisher", value: Evidence::Unavailable(Reason::Offline) },
        Fact { name: "provenance", value: Evidence::Unavailable(Reason::Offline) },
        Fact { name: "downloads", value: Evidence::Unavailable(Reason::NotAsked) },
    ]
}

/// A deny of the sort PRODUCT shows: a new library with its closure, an advisory, upgrades, the gate.
pub fn deny() -> Verdict {
    let mut verdict = Verdict { decision: Decision::Deny, ..clean() };
    let mut library = added("leftpad-rs", "0.3.1");
    let brought: Vec<Change> = (1..=7).map(|n| below("leftpad-rs", &format!("pad-{n}"), "0.2.0")).collect();
    library.closure = brought.iter().map(|c| c.id.clone()).collect();
    library.facts = facts();
    let mut sock = upgraded("ws", "8.15.0", "8.16.0");
    sock.ecosystem = Ecosystem::Npm;
    sock.purl = "pkg:npm/ws@8.16.0".into();
    sock.direct = false;
    sock.via = vec!["web@1.0.0".into(), "express-ws@5.0.0".into(), "ws@8.16.0".into()];
    let mut moved = upgraded("parser", "1.0.0", "1.1.0");
    moved.facts = vec![Fact {
        name: "age-days",
        value: Evidence::Found(FactValue::Number(1), Provenance { source: "registry index".into(), as_of: None }),
    }];
    let mut covered = added("tidy", "1.0.0");
    covered.review.cleared_by = Some("approval-3".into());

    let mut matched = advisory("GHSA-3h5v-q93c-6h6q", Origin::Introduced);
    matched.change = Some(sock.id.clone());
    let mut gate = finding("gate-changed", Level::Review, None);
    gate.subject.kind = SubjectKind::Gate;
    gate.location = Some(Location { file: RepoPath::new(".portcullis/config.toml"), line: 4, end_line: 4 });
    let mut waived = finding("capability-added", Level::Review, Some(&moved));
    waived.blocks = false;
    waived.waived_by = Some(Waived { id: "waiver-1".into(), owner: "bob".into(), expires: "2026-12-15".into() });
    verdict.findings = vec![
        matched,
        finding("library-unreviewed", Level::Review, Some(&library)),
        finding("release-too-young", Level::Review, Some(&moved)),
        gate,
        waived,
        finding("release-too-young", Level::Warn, Some(&library)),
        advisory("GHSA-aaaa-bbbb-cccc", Origin::Inherited),
        advisory("GHSA-aaaa-bbbb-dddd", Origin::Disclosed),
        Finding { level: Level::Note, ..advisory("GHSA-aaaa-bbbb-eeee", Origin::Resolved) },
    ];
    verdict.changes = vec![library];
    verdict.changes.extend(brought);
    verdict.changes.extend([covered, sock, moved, upgraded("quiet", "1.0.0", "1.0.1")]);
    verdict
}

/// An answer that could not be given, with flags in force.
pub fn incomplete() -> Verdict {
    let mut verdict = Verdict { decision: Decision::Incomplete, complete: false, ..clean() };
    verdict.base_note = Some("no upstream branch: base is the first parent".into());
    verdict.advisories = AdvisoryData::default();
    verdict.overrides = vec![Override { flag: "--policy-from".into(), value: "head".into() }];
    verdict.changes = vec![upgraded("quiet", "1.0.0", "1.0.1")];
    verdict.coverage.checks_skipped = vec![CheckSkipped {
        check: "advisories".into(),
        reason: "no advisory data for cargo".into(),
        incomplete: true,
    }];
    verdict.coverage.files.extend((0..8).map(|n| CoveredFile {
        path: RepoPath::new(&format!("legacy/{n}/packages.lock")),
        state: FileState::Unsupported,
        reason: Some("this format is recognised, not read".into()),
    }));
    verdict
}

/// An audit in which everything counts.
pub fn audit() -> Verdict {
    let mut verdict = Verdict { command: "audit", decision: Decision::Deny, base: None, ..clean() };
    verdict.findings = vec![advisory("GHSA-3h5v-q93c-6h6q", Origin::Inherited)];
    for finding in &mut verdict.findings {
        finding.blocks = true;
    }
    verdict.findings.extend((0..41).map(|n| {
        let change = added(&format!("lib-{n}"), "1.0.0");
        Finding { change: None, ..finding("release-too-young", Level::Warn, Some(&change)) }
    }));
    verdict
}

/// Every field that a repository, a user or a feed can fill, filled with the given text.
pub fn hostile(text: &str) -> Verdict {
    let t = || text.to_owned();
    let path = || RepoPath::from_git(text.as_bytes());
    let mut verdict = Verdict { decision: Decision::Deny, ..clean() };
    let provenance = || Provenance { source: t(), as_of: Some(t()) };
    let hostile_side = || Side {
        version: t(),
        source: Source { kind: SourceKind::Git, address: text.into(), commit: Some(text.into()) },
        checksum: Some(t()),
        license: Some(t()),
        file: path(),
        ..side("1")
    };
    let library = Change {
        id: "a".into(),
        name: t(),
        alias: Some(t()),
        purl: t(),
        project: path(),
        lockfile: Some(path()),
        after: Some(hostile_side()),
        via: vec![t(), t(), t()],
        declared: Some((path(), 1)),
        closure: vec!["b".into()],
        source_new: true,
        confusable_with: Some(t()),
        facts: vec![Fact { name: "license", value: Evidence::Found(FactValue::Text(t()), provenance()) }],
        ..added("x", "1")
    };
    let other = Change {
        id: "b".into(),
        direct: false,
        kind: ChangeKind::Replaced,
        new_library: false,
        before: Some(Side { checksum: None, source: side("1").source, ..hostile_side() }),
        checksum: ChecksumMove::Changed,
        declared: None,
        ..library.clone()
    };
    let place = || Some(Location { file: path(), line: 1, end_line: 2 });
    let base = Finding {
        rule: t(),
        pack: t(),
        project: Some(path()),
        location: place(),
        message: t(),
        remediation: t(),
        controls: vec![t()],
        subject: SubjectRef { kind: SubjectKind::Package, purl: Some(t()) },
        ..finding("x", Level::Deny, None)
    };
    let line = SubjectRef { kind: SubjectKind::Line, purl: None };
    let waived = Waived { id: t(), owner: t(), expires: t() };
    let matched = Matched {
        id: t(),
        aliases: vec![t()],
        published: Some(t()),
        fixed: vec![t()],
        vector: Some(t()),
        ..advisory("x", Origin::Introduced).advisory.unwrap()
    };
    let inherited =
        Finding { advisory: Some(matched.clone()), origin: Some(Origin::Inherited), blocks: false, ..base.clone() };
    let gate = SubjectRef { kind: SubjectKind::Gate, purl: None };
    verdict.findings = vec![
        Finding { change: Some("a".into()), ..base.clone() },
        Finding { change: Some("b".into()), ..base.clone() },
        Finding { advisory: Some(matched), ..base.clone() },
        Finding { subject: gate, location: None, fingerprint: t(), ..base.clone() },
        Finding { level: Level::Warn, blocks: false, ..base.clone() },
        inherited,
        Finding { subject: line, ..base.clone() },
        Finding { change: Some("a".into()), blocks: false, waived_by: Some(waived.clone()), ..base.clone() },
        Finding { blocks: false, waived_by: Some(waived), ..base },
    ];
    let covered = Review { cleared_by: Some(t()), ..library.review.clone() };
    let pending = Review { pending_by: Some(t()), ..library.review.clone() };
    let covered = Change { id: "c".into(), review: covered, ..library.clone() };
    let pending = Change { id: "d".into(), review: pending, declared: None, ..library.clone() };
    let quiet = Change { id: "e".into(), ..other.clone() };
    verdict.changes = vec![library, other, covered, pending, quiet];
    verdict.projects.push(Project {
        path: path(),
        ecosystem: Ecosystem::Cargo,
        manifest: Some(path()),
        lockfile: Some(path()),
    });
    verdict.policy.comparison = Some(Comparison {
        result: ComparisonResult::Weaker,
        examples: vec![Example {
            rule: t(),
            what: t(),
            subject: vec![(t(), t())],
            base: Some(Level::Deny),
            head: None,
        }],
        notes: vec![t()],
        solver: Some(t()),
    });
    verdict.ledger = LedgerData { rev: Some(t()), digest: Some(t()) };
    verdict.advisories.sources.push(SourceAge { ecosystem: t(), as_of: t(), records: 1, built_in: false });
    verdict.base = Some(RevisionName { rev: Some(t()), name: t() });
    verdict.head = RevisionName { rev: None, name: t() };
    verdict.base_note = Some(t());
    verdict.evaluated_at = t();
    verdict.policy.digest = t();
    verdict.policy.rev = Some(t());
    verdict.overrides = vec![Override { flag: t(), value: t() }];
    verdict.advisories.as_of = Some(t());
    verdict.coverage.files = vec![CoveredFile { path: path(), state: FileState::Failed, reason: Some(t()) }];
    verdict.coverage.checks_skipped = vec![
        CheckSkipped { check: t(), reason: t(), incomplete: true },
        CheckSkipped { check: t(), reason: t(), incomplete: false },
    ];
    verdict
}

/// A change of that many packages, each a new library that is in the way, with an advisory for each and as many notes.
pub fn vast(packages: usize) -> Verdict {
    let mut verdict = Verdict { decision: Decision::Deny, ..clean() };
    for n in 0..packages {
        let mut library = added(&format!("library-{n}"), "1.0.0");
        library.facts = facts();
        let matched = Finding {
            change: Some(library.id.clone()),
            ..advisory(&format!("GHSA-aaaa-bbbb-{n:04}"), Origin::Introduced)
        };
        verdict.findings.push(matched);
        verdict.findings.push(finding("library-unreviewed", Level::Review, Some(&library)));
        verdict.findings.push(Finding { change: None, ..finding("noted", Level::Note, Some(&library)) });
        verdict.changes.push(library);
    }
    verdict.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    verdict
}

/// One of each.
pub fn all() -> Vec<Verdict> {
    vec![clean(), deny(), incomplete(), audit(), hostile(HOSTILE)]
}
