"""One job on one machine, and what every test of the composite steps starts from."""

import base64
import glob
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import runner
import world
from world import NAME, ZERO

TOKEN = "ghs_example0token0of0a0test"
BUNDLE = sys.argv[1]
REAL = os.environ.get("PORTCULLIS_BIN")
STUB = os.path.join(world.HERE, "stub.sh")


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


class Job:
    """One job: a machine, a checkout and the payload of an event."""

    def __init__(self, made, event, payload, ref, sha, checkout=None, depth=1, **environment):
        self.world = made
        self.folder = tempfile.mkdtemp(dir=made.root)
        self.workspace = os.path.join(self.folder, "work", "judged")
        self.stub = os.path.join(self.folder, "stub")
        os.makedirs(self.stub)
        local, commit = checkout or (ref.replace("refs/", "refs/remotes/", 1), sha)
        made.checkout(self.workspace, local, commit, depth)
        self.git_log = made.make_tools(self.folder)
        self.caches = {}
        tools = os.path.join(self.folder, "tools")
        place = os.path.join(tools, "portcullis", world.VERSION, "X64")
        os.makedirs(place)
        shutil.copy(made.program, os.path.join(place, "portcullis"))
        os.makedirs(os.path.join(self.folder, "home"))
        self.environment = {
            "PATH": os.path.join(self.folder, "bin") + ":" + world.SYSTEM_PATH,
            "HOME": os.path.join(self.folder, "home"),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "RUNNER_TOOL_CACHE": tools,
            "GITHUB_WORKSPACE": self.workspace,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": world.event_file(self.folder, payload),
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_SERVER_URL": f"file://{made.root}/server",
            "GITHUB_API_URL": "http://127.0.0.1:9",
            "GITHUB_REF": ref,
            "GITHUB_REF_NAME": ref.split("/", 2)[-1],
            "GITHUB_SHA": sha,
            "STUB": self.stub,
        }
        if "pull_request" in payload:
            self.environment["GITHUB_BASE_REF"] = payload["pull_request"]["base"]["ref"]
        self.environment.update(environment)
        self.github = {
            "event": payload,
            "event_name": event,
            "ref": ref,
            "sha": sha,
            "repository": NAME,
            "token": TOKEN,
            "action_repository": "octo/portcullis",
        }

    def uses(self, name, inputs):
        if name.startswith("actions/cache/restore@"):
            for key, content in self.caches.items():
                if key == inputs["key"] or any(key.startswith(p) for p in inputs.get("restore-keys", "").split() if p):
                    for file, text in content.items():
                        world.write(os.path.join(inputs["path"], file), text)
                    return {"cache-matched-key": key, "cache-hit": "true"}
            return {"cache-hit": "false"}
        return {}

    def run(self, **inputs):
        if REAL and self.world.program == REAL:
            inputs.setdefault("token", "")
        machine = runner.Runner(self.folder, self.world.action, self.workspace, self.environment, self.uses)
        self.machine = machine
        return machine.run(self.github, {name.replace("_", "-"): value for name, value in inputs.items()})

    def git(self, *arguments):
        return self.world.git(self.workspace, *arguments)

    def has(self, name):
        try:
            return self.git("rev-parse", "--verify", "--quiet", name)
        except RuntimeError:
            return None

    def fetches(self):
        return [line for line in read(self.git_log).splitlines() if " fetch " in line]

    def called(self, what="check"):
        """The arguments of the program's only call with that command."""
        calls = [read(path).split("\n")[:-1] for path in glob.glob(self.stub + "/arguments.*")]
        calls = [call for call in calls if what in call]
        if len(calls) != 1:
            raise AssertionError(f"{len(calls)} calls of {what}: {calls}")
        return calls[0]

    def environment_of(self, what="check"):
        """The environment of the program's only call with that command."""
        for path in glob.glob(self.stub + "/arguments.*"):
            if what in read(path).split("\n"):
                return read(path.replace("/arguments.", "/environment."))
        raise AssertionError(f"no call of {what}")

    def calls(self):
        return len(glob.glob(self.stub + "/arguments.*"))

    def say(self, name, text):
        world.write(os.path.join(self.stub, name), text)


class Case(unittest.TestCase):
    program = STUB

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="portcullis-action-")
        cls.world = world.World(cls.root, BUNDLE, cls.program)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root, ignore_errors=True)

    def setUp(self):
        # World is shared: its refs and its record are put back.
        self.world.record(world.sha256_of(self.program))

    def tearDown(self):
        self.assertEqual(os.listdir(self.world.sprung), [], "a trap was sprung")
        logs = "".join(read(path) for path in glob.glob(self.root + "/*/git.log"))
        secret = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        for word in (TOKEN, secret):
            self.assertNotIn(word, logs, "a token in the arguments of a process")

    def pull(self, event="pull_request", number=1, depth=1, payload=None, **environment):
        made = self.world
        head, merge, name = (
            (made.feature, made.pull, NAME) if number == 1 else (made.fork, made.forked, "mallory/judged")
        )
        payload = payload or world.pull_payload(made, number, head, name)
        if event == "pull_request_target":
            checkout = ("refs/remotes/origin/main", made.main)
            return Job(made, event, payload, "refs/heads/main", made.main, checkout, depth, **environment)
        return Job(made, event, payload, f"refs/pull/{number}/merge", merge, None, depth, **environment)

    def push(self, ref, before, after, depth=1, **environment):
        payload = world.push_payload(self.world, ref, before, after)
        sha = after if after != ZERO else self.world.main
        return Job(self.world, "push", payload, ref, sha, None, depth, **environment)

    def meets(self, job, tip, head, base):
        self.assertEqual(job.git("merge-base", tip, head), base)


def without_cargo(folder):
    """A PATH with everything of the machine but Rust."""
    place = os.path.join(folder, "narrow")
    os.makedirs(place)
    for part in world.SYSTEM_PATH.split(":"):
        for name in os.listdir(part) if os.path.isdir(part) else []:
            target = os.path.join(place, name)
            if name not in ("cargo", "rustup", "rustc") and not os.path.lexists(target):
                os.symlink(os.path.join(part, name), target)
    return place
