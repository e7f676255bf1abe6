"""A server with pull requests, made from a history bundle, and checkouts of it as actions/checkout leaves them.

What head brings is hostile: everything that a gate's steps could stumble over is planted in it, and each trap that is
sprung leaves a file in the folder `sprung`.
"""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ZERO = "0" * 40
VERSION = "9.9.9"
NAME = "octo/judged"
SYSTEM_PATH = os.environ["PATH"]

# A toolchain that does not exist, a compiler wrapper and a linker: whoever obeys them fails or springs the trap.
TRAPS = {
    "rust-toolchain.toml": '[toolchain]\nchannel = "1.0.0"\n',
    ".cargo/config.toml": '[build]\nrustc-wrapper = "{trap}"\n[alias]\nbuild = "!{trap}"\n',
    "Cargo.toml": '[package]\nname = "portcullis"\nversion = "0.0.1"\nbuild = "build.rs"\n',
    "build.rs": 'fn main() {{ std::process::Command::new("{trap}").status().unwrap(); }}\n',
    ".github/action/run.sh": "#!/bin/sh\n{trap}\n",
    ".github/action/common.sh": "#!/bin/sh\n{trap}\n",
    ".bashrc": "{trap}\n",
    "git": "#!/bin/sh\n{trap}\n",
    "curl": "#!/bin/sh\n{trap}\n",
    "cargo": "#!/bin/sh\n{trap}\n",
    "portcullis": "#!/bin/sh\n{trap}\n",
    # A folder that looks like a bare repository, with a command in its configuration.
    "app/HEAD": "ref: refs/heads/main\n",
    "app/config": '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = "{trap}"\n',
    "app/objects/keep": "",
    "app/refs/keep": "",
}


def write(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if executable:
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)


def sha256_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class World:
    def __init__(self, root, bundle, program):
        self.root, self.program = root, program
        self.server = os.path.join(root, "server", NAME)
        self.seed = os.path.join(root, "seed")
        self.sprung = os.path.join(root, "sprung")
        self.trap = os.path.join(root, "trap.sh")
        os.makedirs(self.sprung)
        write(self.trap, f'#!/bin/sh\necho "$0 $*" >>"{self.sprung}/$$"\nexit 1\n', True)
        self.make_server(bundle)
        self.make_action(os.path.join(root, "action"))

    def git(self, folder, *arguments):
        environment = dict(
            PATH=SYSTEM_PATH,
            HOME=self.root,
            GIT_CONFIG_GLOBAL="/dev/null",
            GIT_CONFIG_NOSYSTEM="1",
            GIT_AUTHOR_NAME="A",
            GIT_AUTHOR_EMAIL="a@example.com",
            GIT_AUTHOR_DATE="1790000000 +0000",
            GIT_COMMITTER_NAME="A",
            GIT_COMMITTER_EMAIL="a@example.com",
            GIT_COMMITTER_DATE="1790000000 +0000",
        )
        done = subprocess.run(
            [
                "git",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "advice.detachedHead=false",
                "-c",
                "init.defaultBranch=main",
                *arguments,
            ],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"git {arguments}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, files, message):
        for name, text in files.items():
            write(
                os.path.join(self.seed, name),
                text.format(trap=self.trap) if "{trap}" in text else text,
                text.startswith("#!"),
            )
        self.git(self.seed, "add", "--all", "--force")
        self.git(self.seed, "commit", "--quiet", "--message", message)
        return self.git(self.seed, "rev-parse", "HEAD")

    def merge(self, into, what, message):
        self.git(self.seed, "checkout", "--quiet", "--detach", into)
        self.git(self.seed, "merge", "--quiet", "--no-ff", "--message", message, what)
        return self.git(self.seed, "rev-parse", "HEAD")

    def make_server(self, bundle):
        self.git(self.root, "clone", "--quiet", "--bare", bundle, self.server)
        for name in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
            self.git(self.server, "config", name, "true")
        branch = self.git(self.server, "symbolic-ref", "--short", "HEAD")
        if branch != "main":
            self.git(self.server, "branch", "-m", branch, "main")
        self.git(self.root, "clone", "--quiet", self.server, self.seed)
        self.old = self.git(self.seed, "rev-parse", "origin/main~60")
        self.git(self.seed, "checkout", "--quiet", "--detach", self.old)
        self.feature = self.commit(TRAPS | {"new.txt": "new\n"}, "feature")
        self.git(self.seed, "checkout", "--quiet", "--detach", self.old)
        self.fork = self.commit({"fork.txt": "fork\n", "Cargo.toml": TRAPS["Cargo.toml"]}, "fork")
        # The protected branch: the bundle's, less what would conflict.
        self.git(self.seed, "checkout", "--quiet", "--detach", "origin/main")
        self.before = self.git(self.seed, "rev-parse", "HEAD")
        self.git(self.seed, "checkout", "--quiet", self.old, "--", "Cargo.toml")
        self.main = self.commit({"main.txt": "main\n"}, "main")
        self.pull = self.merge(self.main, self.feature, "Merge pull request 1")
        self.forked = self.merge(self.main, self.fork, "Merge pull request 2")
        self.group = self.merge(self.pull, self.fork, "Merge of the queue")
        self.gone = self.commit({"gone.txt": "gone\n"}, "force-pushed away")
        self.git(self.seed, "tag", "--annotate", "--message", "2", "v2", self.feature)
        self.tag = self.git(self.seed, "rev-parse", "refs/tags/v2")
        self.publish(
            {
                "refs/heads/main": self.main,
                "refs/heads/feature": self.feature,
                "refs/heads/release/1.x": self.old,
                "refs/pull/1/head": self.feature,
                "refs/pull/1/merge": self.pull,
                "refs/pull/2/head": self.fork,
                "refs/pull/2/merge": self.forked,
                f"refs/heads/gh-readonly-queue/main/pr-2-{self.pull}": self.group,
                "refs/tags/v1": self.feature,
                "refs/tags/v2": self.tag,
            }
        )

    def publish(self, refs):
        self.git(self.seed, "push", "--quiet", "--force", self.server, *[f"{sha}:{name}" for name, sha in refs.items()])

    def make_action(self, folder):
        self.action = folder
        os.makedirs(folder)
        shutil.copy(os.path.join(TOP, "action.yml"), folder)
        shutil.copytree(os.path.join(TOP, ".github", "action"), os.path.join(folder, ".github", "action"))
        manifest = f'[package]\nname = "portcullis"\nversion = "{VERSION}"\nedition = "2021"\n'
        write(os.path.join(folder, "Cargo.toml"), manifest)
        write(
            os.path.join(folder, "Cargo.lock"),
            f'version = 4\n\n[[package]]\nname = "portcullis"\nversion = "{VERSION}"\n',
        )
        write(os.path.join(folder, "src", "main.rs"), 'fn main() { println!("portcullis: built"); }\n')
        self.record(sha256_of(self.program))

    def record(self, digest):
        path = os.path.join(self.action, ".github", "action", "digests")
        line = f"{digest}  portcullis-{VERSION}-x86_64-unknown-linux-musl\n" if digest else ""
        write(path, "# as a release records it\n" + line)

    def checkout(self, folder, ref, sha, depth):
        """As actions/checkout leaves it, with persist-credentials: false; `depth` 0 is the whole history."""
        os.makedirs(folder)
        url = f"file://{self.server}"
        self.git(folder, "init", "--quiet")
        self.git(folder, "remote", "add", "origin", url)
        if depth == 0:
            refs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
            if sha:
                refs.append(f"+{sha}:{ref}")
            self.git(folder, "fetch", "--quiet", "--no-tags", "origin", *refs)
        else:
            self.git(folder, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", f"+{sha}:{ref}")
        self.git(folder, "checkout", "--quiet", "--force", "--detach", sha)
        for hook in ("reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor-watchman"):
            write(os.path.join(folder, ".git", "hooks", hook), f'#!/bin/sh\n"{self.trap}" {hook}\n', True)

    def make_tools(self, folder):
        """A git that notes its arguments, so that a test can see what was fetched and that no token was among them."""
        real = shutil.which("git", path=SYSTEM_PATH)
        log = os.path.join(folder, "git.log")
        write(
            os.path.join(folder, "bin", "git"),
            f'#!/bin/sh\nprintf "%s " "$@" >>"{log}"\necho >>"{log}"\nexec "{real}" "$@"\n',
            True,
        )
        write(log, "")
        return log


def repository(name=NAME):
    return {"full_name": name, "default_branch": "main", "owner": {"login": name.split("/")[0]}}


def pull_payload(world, number, head, name=NAME, base="main", action="synchronize"):
    """The members of GitHub's pull_request payload that say what is judged."""
    user = {"login": "alice", "type": "User"}
    return {
        "action": action,
        "number": number,
        "repository": repository(),
        "sender": user,
        "pull_request": {
            "number": number,
            "draft": False,
            "user": user,
            "base": {"ref": base, "sha": world.main, "repo": repository()},
            "head": {"ref": "feature", "sha": head, "repo": repository(name) if name else None},
        },
    }


def push_payload(world, ref, before, after, forced=False):
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "forced": forced,
        "created": before == ZERO,
        "deleted": after == ZERO,
        "repository": repository(),
        "pusher": {"name": "alice"},
        "sender": {"login": "alice", "type": "User"},
    }


def event_file(folder, payload):
    path = os.path.join(folder, "event.json")
    write(path, json.dumps(payload))
    return path
