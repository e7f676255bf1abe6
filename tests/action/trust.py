"""Where the program comes from, what is cached, and what of its words is passed on."""

import base64
import os
import shutil
import subprocess
import unittest

import private
import runner
import world
from job import TOKEN, Case, without_cargo
from world import ZERO


class Trust(Case):
    def test_the_actions_own_source_may_not_be_heads(self):
        job = self.pull(depth=2)
        inside = os.path.join(job.workspace, "gate")
        shutil.copytree(self.world.action, inside)
        before, self.world.action = self.world.action, inside
        try:
            result = job.run()
        finally:
            self.world.action = before
        self.assertEqual(result.code, 2)
        self.assertIn("protected branch", result.log)

    def test_what_the_program_writes_as_outputs_is_checked(self):
        job = self.pull(depth=2)
        job.say(
            "outputs",
            "decision=allow\nfindings=0\nevil=1\nverdict-file=/etc/passwd\nnew-libraries=[]\x1b\ndecision=allow::x\n",
        )
        result = job.run()
        self.assertEqual(result.outputs["decision"], "allow")
        self.assertEqual(result.outputs["new-libraries"], "")
        self.assertNotEqual(result.outputs["verdict-file"], "/etc/passwd")

    def test_a_long_list_of_libraries_is_passed_on(self):
        # As much as the program writes at most, with a name that is not ASCII.
        job = self.pull(depth=2)
        libraries = "[" + ",".join(f'"pkg:npm/n\u00e4me{number:05}@1.0.0"' for number in range(3600)) + "]"
        job.say("outputs", f"decision=review\nfindings=3600\nnew-libraries={libraries}\n")
        result = job.run()
        self.assertEqual((result.outputs["decision"], result.outputs["findings"]), ("review", "3600"))
        self.assertEqual(result.outputs["new-libraries"], libraries)

    def test_the_report_in_the_log_commands_nothing(self):
        job = self.pull(depth=2)
        job.say("report", "::error::forged\n##[error]forged\n::set-env name=X::y\n::stop-commands::x\n::x::\n")
        self.assertEqual([line for line in job.run().commands() if "forged" in line or "set-env" in line], [])

    def test_a_program_with_another_digest_is_not_run(self):
        job = self.pull(depth=2)
        path = os.path.join(job.environment["RUNNER_TOOL_CACHE"], "portcullis", world.VERSION, "X64", "portcullis")
        world.write(path, f"#!/bin/sh\n{self.world.trap}\n", True)
        # Neither a release (the server is a folder) nor Rust: nothing is left but to say so.
        job.environment["PATH"] = without_cargo(job.folder)
        result = job.run()
        self.assertEqual(result.code, 3)
        self.assertEqual(job.calls(), 0)

    @unittest.skipUnless(os.path.exists(private.BACKEND), "git has no http-backend here")
    def test_a_private_repository_is_fetched_with_the_token_and_it_alone(self):
        header = "basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        with private.Server(os.path.join(self.root, "server"), header) as address:
            for stored in (False, True):
                job = self.pull(GITHUB_SERVER_URL=address)
                if stored:
                    # As actions/checkout leaves it with persist-credentials: true.
                    job.git("config", f"http.{address}/.extraheader", "AUTHORIZATION: basic b2xk")
                result = job.run()
                self.assertEqual(result.code, 0, result.log)
                self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.main)
            for token in ("", "another"):
                result = self.pull(GITHUB_SERVER_URL=address).run(token=token)
                self.assertEqual(result.code, 3)
                self.assertIn("contents: read", result.log)

    def test_a_version_without_a_digest_is_refused(self):
        for version in ("1.2.3", "v0.0.1", "latest"):
            result = self.pull(depth=2).run(version=version)
            self.assertEqual(result.code, 2, version)

    def test_caches_of_pull_requests_are_neither_read_nor_written(self):
        for event in ("pull_request", "pull_request_review"):
            result = self.pull(event, depth=2).run()
            self.assertEqual(result.code, 0)
            self.assertEqual(result.used, [])
        result = self.pull("pull_request_target").run()
        self.assertEqual(len(result.used_with("actions/cache/restore")), 2)
        self.assertEqual(result.used_with("actions/cache/save"), [])

    def test_caches_of_the_default_branch(self):
        job = self.push("refs/heads/main", self.world.before, self.world.main)
        result = job.run()
        self.assertEqual(result.code, 0, result.log)
        saved = result.used_with("actions/cache/save")
        # The binary came from the tool cache and is no news; the store is.
        self.assertEqual([entry["path"].rsplit("/", 1)[1] for entry in saved], ["store"])
        self.assertRegex(saved[0]["key"], "^portcullis-store-1-Linux-X64-[0-9a-f]{64}$")
        # Restored and unchanged, it is not saved again.
        again = self.push("refs/heads/main", self.world.before, self.world.main)
        again.caches = {saved[0]["key"]: {"advisories.store": "store of today\n"}}
        self.assertEqual(again.run().used_with("actions/cache/save"), [])
        # A push to another branch saves nothing.
        other = self.push("refs/heads/feature", ZERO, self.world.feature).run()
        self.assertEqual(other.used, [])

    def test_a_restored_store_with_another_digest_is_thrown_away(self):
        job = self.pull("pull_request_target")
        job.caches = {"portcullis-store-1-Linux-X64-" + "0" * 64: {"advisories.store": "poisoned\n"}}
        job.say("no-update", "")
        result = job.run()
        self.assertEqual(result.code, 0)
        self.assertFalse(os.path.exists(os.path.join(job.machine.temp, "portcullis", "store", "advisories.store")))
        self.assertIn("its digest is another", result.log)

    def test_a_restored_binary_with_another_digest_is_not_run(self):
        job = self.pull("pull_request_target")
        shutil.rmtree(job.environment["RUNNER_TOOL_CACHE"])
        digest = world.sha256_of(self.program)
        job.caches = {f"portcullis-binary-{digest}": {"portcullis": f"#!/bin/sh\n{self.world.trap}\n"}}
        job.environment["PATH"] = without_cargo(job.folder)
        result = job.run()
        self.assertEqual(result.code, 3)
        self.assertIn("not the recorded one", result.log)

    def obtain(self, served):
        """The step that gets the program, alone, with a server that serves that file; its exit code, log and outputs."""
        job = self.pull(depth=2)
        shutil.rmtree(job.environment["RUNNER_TOOL_CACHE"])
        asset = f"portcullis-{world.VERSION}-x86_64-unknown-linux-musl"
        address = f"https://git.example/octo/portcullis/releases/download/v{world.VERSION}/{asset}"
        world.write(
            os.path.join(job.folder, "bin", "curl"),
            '#!/usr/bin/env bash\nwhile [ "$1" != --output ]; do shift; done\n'
            f'[ "$3" = "{address}" ] && [ -n "{served}" ] && cp "{served}" "$2"\n',
            True,
        )
        output = os.path.join(job.folder, "output")
        world.write(output, "")
        environment = job.environment | {
            "GITHUB_OUTPUT": output,
            "GITHUB_ACTION_PATH": self.world.action,
            "RUNNER_TEMP": os.path.join(job.folder, "temp"),
            "GITHUB_SERVER_URL": "https://git.example",
            "ACTION_REPOSITORY": "octo/portcullis",
            "ASSET": asset,
            "DIGEST": world.sha256_of(self.program),
            "VERSION": world.VERSION,
            "PATH": os.path.join(job.folder, "bin") + ":" + without_cargo(job.folder),
        }
        os.makedirs(environment["RUNNER_TEMP"])
        done = subprocess.run(
            ["bash", os.path.join(self.world.action, ".github", "action", "obtain.sh")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, runner.read_outputs(output)

    def test_a_release_is_taken_by_its_digest(self):
        code, log, outputs = self.obtain(self.program)
        self.assertEqual(code, 0, log)
        self.assertEqual(world.sha256_of(outputs["program"]), world.sha256_of(self.program))
        self.assertEqual(outputs["is-new"], "true")

    def test_a_release_with_another_digest_ends_the_step(self):
        code, log, outputs = self.obtain(self.world.trap)
        self.assertEqual((code, outputs), (3, {}))
        self.assertIn("is not the one whose digest", log)

    def test_a_release_that_cannot_be_had_is_built(self):
        code, log, outputs = self.obtain("")
        self.assertEqual((code, outputs), (3, {}))
        self.assertIn("no Rust to build the action with", log)

    @unittest.skipUnless(shutil.which("cargo"), "no cargo")
    def test_the_fallback_obeys_neither_head_nor_the_job(self):
        self.world.record(None)
        job = self.pull(depth=2)
        job.environment.update(
            RUSTFLAGS="--cfg broken --nonsense",
            RUSTC_WRAPPER=self.world.trap,
            CARGO_BUILD_RUSTC_WRAPPER=self.world.trap,
            RUSTUP_TOOLCHAIN="1.0.0",
            CARGO_TARGET_DIR=job.workspace,
            HOME=os.environ["HOME"],
        )
        result = job.run()
        self.assertEqual(result.code, 0, result.log)
        self.assertIn("portcullis: built", result.log)
        self.assertEqual(job.git("status", "--porcelain"), "")
