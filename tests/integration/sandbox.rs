//! Watched from outside: a judgement opens no socket and starts no process.

use std::process::{Command, Stdio};

use crate::harness::{NOW, PROGRAM, Project, Repo};

#[test]
fn judging_opens_no_socket_and_starts_no_process() {
    let is_there = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there {
        eprintln!("SKIPPED the watch over sockets and processes: strace is not installed");
        return;
    }
    let Some(repo) = Repo::cloned() else { return };
    // What a careless gate would obey: a toolchain, a wrapper, a build script, a hook, a filter.
    repo.put(&Project::with_new_library().with("time", "0.1.43", &[]));
    repo.write("rust-toolchain.toml", "[toolchain]\nchannel = \"nightly-2020-01-01\"\n");
    repo.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"./evil.sh\"\n");
    repo.write("build.rs", "fn main() { panic!() }\n");
    repo.write(".gitattributes", "* filter=evil\n");
    repo.git(&["config", "filter.evil.clean", "touch evil; cat"]);
    repo.git(&["config", "core.fsmonitor", "touch evil"]);
    let log = repo.beside("trace.log");
    for args in [
        &["check"][..],
        &["check", "--head", "HEAD", "--offline"],
        &["check", "--index"],
        &["audit"],
        &["audit", "--offline"],
    ] {
        let mut command = repo.machine.command("strace", repo.root());
        command.args(["-f", "-e", "trace=network,process", "-o", log.to_str().unwrap(), "--", PROGRAM]);
        let output = command.args(args).args(["--now", NOW]).output().unwrap();
        let trace = std::fs::read_to_string(&log).unwrap_or_default();
        if !trace.contains("execve(") {
            eprintln!("SKIPPED the watch over sockets and processes: strace may not trace here");
            return;
        }
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        let calls = |name: &str| trace.lines().filter(|line| line.contains(&format!("{name}("))).collect::<Vec<_>>();
        for name in ["socket", "socketpair", "connect", "bind", "listen", "sendto", "recvfrom", "fork", "vfork"] {
            assert!(calls(name).is_empty(), "{args:?}: {:?}", calls(name));
        }
        assert_eq!(calls("execve").len(), 1, "{args:?}: {:?}", calls("execve"));
        // Threads are no processes.
        for call in calls("clone").into_iter().chain(calls("clone3")) {
            assert!(call.contains("CLONE_THREAD"), "{args:?}: {call}");
        }
        assert!(!repo.root().join("evil").exists());
    }
}
