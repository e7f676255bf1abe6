//! Downloads against a server on loopback that answers as it is told to, honestly or not.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::advisory::update::{Downloads, Held, Outcome, Pace, Wanted};
use crate::world::net::{Net, Patience};

/// What the server does with one request.
enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and says no more.
    Stall(Vec<u8>),
    /// Sends these bytes over and over.
    Endless(Vec<u8>, Vec<u8>),
}

struct Server {
    address: String,
    requests: Receiver<String>,
}

/// Serves one answer a connection, in order, and then no more.
fn server(answers: Vec<Answer>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            send.send(request(&mut stream)).unwrap();
            let done = match answer {
                Answer::Bytes(bytes) => stream.write_all(&bytes),
                Answer::Stall(bytes) => {
                    stream.write_all(&bytes).unwrap();
                    // Until the client hangs up.
                    stream.read(&mut [0]).map(|_| ())
                }
                Answer::Endless(head, body) => {
                    stream.write_all(&head).unwrap();
                    (0..1_000_000).try_for_each(|_| stream.write_all(&body))
                }
            };
            let _hung_up = done;
        }
    });
    Server { address, requests }
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap().to_lowercase()
}

fn head(status: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    Answer::Bytes([head(status, headers, body.len()), body.to_vec()].concat())
}

/// Looks like an archive to whoever sees its start alone.
const ZIP: &[u8] = b"PK\x03\x04 and what follows";

const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(2), silence: Duration::from_millis(400), whole: Duration::from_secs(5) };
const PACE: Pace = Pace { tries: 3, first: Duration::from_millis(1), longest: Duration::from_millis(20) };

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portcullis-update-{name}-{}", std::process::id()));
        let _not_there = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "lock")
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _not_there = std::fs::remove_dir_all(&self.0);
    }
}

fn fetch(folder: &Path, base: &str, stands: bool) -> Result<Outcome, String> {
    let net = Net::new(PATIENCE).unwrap();
    let held = Held::take(folder)?;
    let store = if stands { Some("one") } else { None };
    Downloads::new(&held, &net, base, PACE).fetch(&Wanted { ecosystem: "GitHub Actions", store }, &mut |_, _, _| {})
}

fn new(outcome: Result<Outcome, String>) -> crate::advisory::update::Archive {
    match outcome {
        Ok(Outcome::New(archive)) => archive,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_is_fetched_once_and_asked_about_afterwards() {
    let folder = Folder::new("once");
    let tagged = "ETag: \"a1\"\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n";
    let server = server(vec![
        answer("200 OK", tagged, ZIP),
        answer("304 Not Modified", tagged, b""),
        answer("200 OK", tagged, ZIP),
        answer("200 OK", tagged, ZIP),
    ]);
    let archive = new(fetch(&folder.0, &server.address, false));
    assert_eq!(std::fs::read(&archive.path).unwrap(), ZIP);
    let first = server.requests.recv().unwrap();
    assert!(first.starts_with("get /github%20actions/all.zip ") && !first.contains("if-"), "{first}");
    archive.done("one").unwrap();
    assert_eq!(folder.files(), ["GitHub%20Actions.toml"]);
    assert!(matches!(fetch(&folder.0, &server.address, true), Ok(Outcome::Unchanged(_))));
    let second = server.requests.recv().unwrap();
    assert!(second.contains("if-none-match: \"a1\"") && second.contains("if-modified-since: sun, 22 nov"), "{second}");
    // Where another store stands than the one that took it in, "unchanged" would be no answer.
    new(fetch(&folder.0, &server.address, false));
    assert!(!server.requests.recv().unwrap().contains("if-none-match"));
    // Another base has other archives.
    new(fetch(&folder.0, &format!("{}/mirror/", server.address), true));
    let moved = server.requests.recv().unwrap();
    assert!(moved.starts_with("get /mirror/github%20actions/all.zip ") && !moved.contains("if-"), "{moved}");
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let folder = Folder::new("resume");
    let (start, rest) = ZIP.split_at(9);
    let broken = [head("200 OK", "ETag: \"a1\"\r\n", ZIP.len()), start.to_vec()].concat();
    let range = format!("Content-Range: bytes 9-{}/{}\r\nETag: \"a1\"\r\n", ZIP.len() - 1, ZIP.len());
    let server = server(vec![Answer::Bytes(broken.clone()), answer("206 Partial Content", &range, rest)]);
    let archive = new(fetch(&folder.0, &server.address, false));
    assert_eq!(std::fs::read(&archive.path).unwrap(), ZIP);
    let second = server.requests.iter().nth(1).unwrap();
    assert!(second.contains("range: bytes=9-") && second.contains("if-range: \"a1\""), "{second}");
    // A server that has another archive by now sends all of it, and one that lies about the part is refused.
    let folder = Folder::new("resume-other");
    let other = self::server(vec![Answer::Bytes(broken.clone()), answer("200 OK", "ETag: \"b2\"\r\n", ZIP)]);
    assert_eq!(std::fs::read(new(fetch(&folder.0, &other.address, false)).path).unwrap(), ZIP);
    let folder = Folder::new("resume-lie");
    let lie = self::server(vec![
        Answer::Bytes(broken.clone()),
        answer("206 Partial Content", "Content-Range: bytes 2-8/30\r\n", rest),
    ]);
    assert!(fetch(&folder.0, &lie.address, false).unwrap_err().contains("nobody asked for"));
    // The tag of a weak comparison promises nothing.
    let folder = Folder::new("resume-weak");
    let weak = [head("200 OK", "ETag: W/\"a1\"\r\n", ZIP.len()), start.to_vec()].concat();
    let server = self::server(vec![Answer::Bytes(weak), answer("200 OK", "", ZIP)]);
    new(fetch(&folder.0, &server.address, false));
    assert!(!server.requests.iter().nth(1).unwrap().contains("range:"));
}

#[test]
fn what_passes_is_waited_for_and_what_lasts_is_said_in_one_line() {
    let cases: Vec<(&str, Vec<Answer>, &str)> = vec![
        ("404", vec![answer("404 Not Found", "", b"no")], "404 Not Found"),
        ("html", vec![answer("200 OK", "Content-Type: text/html\r\n", b"<html>PK")], "a page of text"),
        ("no-zip", vec![answer("200 OK", "", b"{\"id\": 1}")], "no zip archive"),
        ("empty", vec![answer("200 OK", "", b"")], "no zip archive"),
        ("elsewhere", vec![answer("302 Found", "Location: http://localhost:1/all.zip\r\n", b"")], "another host"),
        ("too-large", vec![Answer::Bytes(head("200 OK", "", 2 << 30))], "more than 1073741824 bytes"),
        (
            "refusing",
            (0..3).map(|_| answer("503 Service Unavailable", "Retry-After: 0\r\n", b"")).collect(),
            "503 Service Unavailable (3 times)",
        ),
        (
            "stalling",
            (0..3).map(|_| Answer::Stall(head("200 OK", "", 100))).collect(),
            "no answer for 0.4 seconds (3 times)",
        ),
        ("silent", (0..3).map(|_| Answer::Stall(Vec::new())).collect(), "no answer for 0.4 seconds (3 times)"),
        (
            "truncated",
            (0..3).map(|_| Answer::Bytes([head("200 OK", "", 100), ZIP.to_vec()].concat())).collect(),
            "(3 times)",
        ),
        ("nonsense", (0..3).map(|_| Answer::Bytes(b"hello\r\n\r\n".to_vec())).collect(), "(3 times)"),
    ];
    for (name, answers, expected) in cases {
        let folder = Folder::new(name);
        let server = server(answers);
        let error = fetch(&folder.0, &server.address, true).unwrap_err();
        assert!(error.contains(expected) && error.starts_with(&server.address), "{name}: {error}");
        assert!(!error.contains('\n') && error.len() < 300, "{name}: {error}");
        assert!(!folder.files().iter().any(|file| file.ends_with(".zip")), "{name}");
    }
    let folder = Folder::new("recovers");
    let server = server(vec![
        answer("429 Too Many Requests", "Retry-After: 3600\r\n", b""),
        answer("500 Internal Server Error", "", b""),
        answer("200 OK", "", ZIP),
    ]);
    new(fetch(&folder.0, &server.address, true));
}

#[test]
fn an_endless_body_ends() {
    let folder = Folder::new("endless");
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let server = server(vec![Answer::Endless([head, ZIP.to_vec()].concat(), vec![0; 1 << 20])]);
    let net = Net::new(Patience { whole: Duration::from_millis(300), ..PATIENCE }).unwrap();
    let held = Held::take(&folder.0).unwrap();
    let downloads = Downloads::new(&held, &net, &server.address, PACE);
    let seen = RefCell::new(0);
    let wanted = Wanted { ecosystem: "npm", store: None };
    let error = downloads.fetch(&wanted, &mut |_, here, _| *seen.borrow_mut() = here).unwrap_err();
    assert!(error.contains("not done after 0.3 seconds") || error.contains("more than"), "{error}");
    assert!(*seen.borrow() > 0);
}

#[test]
fn two_updates_do_not_run_at_once() {
    let folder = Folder::new("lock");
    let first = Held::take(&folder.0).unwrap();
    assert!(Held::take(&folder.0).is_err_and(|error| error.contains("another update is running")));
    drop(first);
    assert!(Held::take(&folder.0).is_ok());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = Folder::new("full");
    let server = server(vec![answer("200 OK", "", ZIP)]);
    std::fs::create_dir_all(folder.0.join("GitHub%20Actions.part")).unwrap();
    let error = fetch(&folder.0, &server.address, false).unwrap_err();
    assert!(error.starts_with(&server.address) && !error.contains('\n'), "{error}");
}
