//! `advisories update` as a person runs it, against a server on loopback.

use std::io::{Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::harness::{Machine, NOW, PROGRAM, TempDir};

/// Serves what a function says of each path, for a bounded number of requests. `None`: nothing, until the client goes.
fn server(answer: impl Fn(&str, &str) -> Option<Vec<u8>> + Send + 'static) -> (String, Receiver<String>) {
    fn one(
        stream: &mut TcpStream,
        asked: &Sender<String>,
        answer: &impl Fn(&str, &str) -> Option<Vec<u8>>,
    ) -> std::io::Result<()> {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
            text.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&text).to_lowercase();
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        let bytes = answer(&path, &text);
        asked.send(path).unwrap();
        match bytes {
            Some(bytes) => stream.write_all(&bytes),
            None => stream.read(&mut byte).map(|_| ()),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(64) {
            // A client that hangs up is one that was killed.
            let _gone = one(&mut stream.unwrap(), &send, &answer);
        }
    });
    (address, requests)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body.to_vec()].concat()
}

fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn archive(ecosystem: &str, name: &str, count: usize) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..count {
        zip.start_file(format!("T-{n}.json"), zip::write::SimpleFileOptions::default()).unwrap();
        let record = format!(
            r#"{{"id": "T-{n}", "modified": "2026-11-20T00:00:00Z", "affected": [{{"package":
               {{"ecosystem": "{ecosystem}", "name": "{name}"}}, "versions": ["1.0.{n}"]}}]}}"#
        );
        zip.write_all(record.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_ecosystems_in_use_are_fetched_and_asked_about_afterwards() {
    let (base, requests) = server(|path, request| {
        if request.contains("if-none-match: \"1\"") {
            return Some(status("304 Not Modified"));
        }
        Some(match path {
            "/crates.io/all.zip" => ok(&archive("crates.io", "pebblemap", 3)),
            "/pypi/all.zip" => ok(&archive("PyPI", "pebble", 2)),
            _ => status("404 Not Found"),
        })
    });
    let (machine, project) = (Machine::new(), TempDir::new());
    std::fs::write(project.path().join("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"0.1.0\"\n").unwrap();
    let update = |more: &[&str]| {
        let args = ["advisories", "update", "--from", &base, "--now", NOW];
        machine.run(project.path(), &[&args[..], more].concat())
    };
    update(&[]).exits(0).says("cargo: 3 records, 0 skipped").says("wrote");
    assert_eq!(requests.try_iter().collect::<Vec<_>>(), ["/crates.io/all.zip"]);
    update(&["--ecosystem", "pypi"]).exits(0).says("pypi: 2 records");
    // What the store holds is kept up to date as well, and asked about before it is sent again.
    update(&[]).exits(0).says("cargo: unchanged").says("pypi: unchanged");
    let status = machine.run(project.path(), &["advisories", "status", "--now", NOW]).exits(0);
    status.says("pypi").says("(0 days old)").says("whole");
    machine.run(project.path(), &["explain", "T-2", "--now", NOW]).exits(0).says("pebble");
    let left: Vec<_> =
        std::fs::read_dir(machine.cache().join("downloads")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().ends_with(".zip")), "{left:?}");
}

#[test]
fn what_fails_leaves_the_rest_and_the_old_store_in_use() {
    let (base, _requests) = server(|path, _| {
        Some(match path {
            "/crates.io/all.zip" => ok(&archive("crates.io", "pebblemap", 3)),
            // The right name, and the records of another ecosystem.
            "/npm/all.zip" => ok(&archive("PyPI", "pebble", 2)),
            "/pypi/all.zip" => ok(b"PK\x03\x04 no archive at all"),
            _ => status("404 Not Found"),
        })
    });
    let (machine, folder) = (Machine::new(), TempDir::new());
    let run = |args: &[&str]| {
        machine.run(folder.path(), &[&["advisories", "update", "--now", NOW, "--from", &base], args].concat())
    };
    let out = run(&["--ecosystem", "cargo", "--ecosystem", "npm", "--ecosystem", "pypi", "--ecosystem", "go"]).exits(3);
    let out = out.says("cargo: 3 records").says("npm: the archive holds no record of npm").says("404 Not Found");
    assert_eq!(out.stderr.lines().count(), 1, "{}", out.stderr);
    out.says("what was known before stays in use");
    let store = machine.cache().join("advisories.store");
    let before = std::fs::read(&store).unwrap();
    run(&["--ecosystem", "npm"]).exits(3).says("stays in use");
    assert_eq!(std::fs::read(&store).unwrap(), before);
    // Wrong usage asks nobody.
    run(&["--ecosystem", "docker"]).exits(2).says("one of cargo, npm");
    run(&["--all", "--offline"]).exits(2).says("--offline");
    machine.run(folder.path(), &["advisories", "update", "--from", "http://mirror.example"]).exits(2).says("https");
    run(&["--all", "--advisories", text(&store)]).exits(2).says("import --output");
    std::fs::remove_file(&store).unwrap();
    run(&[]).exits(2).says("no ecosystem is in use here");
}

#[test]
fn a_kill_in_the_middle_and_a_full_disk_leave_the_old_store() {
    let (base, _requests) = server(|path, _| {
        Some(if path.starts_with("/pypi") { ok(&archive("PyPI", "pebble", 1)) } else { status("404 Not Found") })
    });
    let (machine, folder) = (Machine::new(), TempDir::new());
    let ecosystem = ["--ecosystem", "pypi"];
    let args = [&["advisories", "update", "--now", NOW, "--from", &base][..], &ecosystem].concat();
    machine.run(folder.path(), &args).exits(0);
    let store = machine.cache().join("advisories.store");
    let before = std::fs::read(&store).unwrap();

    let (stalls, requests) = server(|_, _| None);
    let mut child = Command::new(PROGRAM)
        .args(["advisories", "update", "--from", &stalls])
        .args(ecosystem)
        .env_clear()
        .env("PORTCULLIS_CACHE", machine.cache())
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    requests.recv_timeout(Duration::from_secs(20)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read(&store).unwrap(), before);
    // Its lock went with it.
    machine.run(folder.path(), &args).exits(0);

    if cfg!(unix) {
        // A limit on the size of files ends writing as a full disk does.
        let (large, _requests) = server(|_, _| Some(ok(&archive("npm", "pebble", 3_000))));
        let before = std::fs::read(&store).unwrap();
        let script =
            format!("trap '' XFSZ; ulimit -f 64; exec '{PROGRAM}' advisories update --from {large} --ecosystem npm");
        let out = Command::new("sh")
            .args(["-c", &script])
            .env("PORTCULLIS_CACHE", machine.cache())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.code(), said.lines().count()), (Some(3), 1), "{said}");
        assert_eq!(std::fs::read(&store).unwrap(), before);
        machine.run(folder.path(), &["advisories", "status", "--now", NOW]).exits(0).says("whole");
    }
}
