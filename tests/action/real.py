"""The same steps with the program itself, where PORTCULLIS_BIN names it."""

import json
import os
import subprocess
import unittest

import world
from job import BUNDLE, REAL, Case, Job, read
from world import ZERO


@unittest.skipUnless(REAL, "PORTCULLIS_BIN names no program")
class Real(Case):
    """The same steps with the program itself: its exit code and its decision agree, whatever they are."""

    program = REAL

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Advisories of the data beside the bundle: no test uses the network.
        cls.store = os.path.join(cls.root, "advisories.store")
        osv = os.path.join(os.path.dirname(os.path.dirname(BUNDLE)), "osv")
        subprocess.run(
            [REAL, "advisories", "import", osv, "--as-of", "2026-11-01T00:00:00Z", "--output", cls.store],
            check=True,
            capture_output=True,
        )

    def decided(self, job):
        result = job.run(advisories=self.store)
        self.assertIn(result.code, (0, 1, 3), result.log)
        expected = {0: ("allow",), 1: ("review", "deny"), 3: ("incomplete",)}[result.code]
        self.assertIn(result.outputs["decision"], expected, result.log)
        verdict = json.loads(read(result.outputs["verdict-file"]))
        self.assertEqual(verdict["decision"], result.outputs["decision"])
        self.assertNotEqual(result.summary, "")
        return result, verdict

    def test_a_change_of_toolchain_and_configuration_is_not_let_through(self):
        # THREATS 3: a changed toolchain file or cargo configuration is at least a review.
        for event, depth in (
            ("pull_request", 0),
            ("pull_request", 1),
            ("pull_request_target", 1),
            ("pull_request_review", 1),
        ):
            result, verdict = self.decided(self.pull(event, depth=depth))
            self.assertNotEqual(result.code, 0, event)
            files = {finding["file"] for finding in verdict["findings"] if finding["blocks"]}
            self.assertLessEqual({"rust-toolchain.toml", ".cargo/config.toml"}, files, event)
            self.assertEqual(verdict["base"]["rev"], self.world.main, event)
            self.assertEqual(verdict["head"]["rev"], self.world.pull, event)

    def test_pushes(self):
        made = self.world
        job = self.push("refs/heads/main", made.before, made.main)
        self.assertEqual(self.decided(job)[1]["base"]["rev"], made.before)
        job = self.push("refs/heads/feature", ZERO, made.feature)
        self.assertEqual(self.decided(job)[1]["base"]["rev"], made.old)

    def test_a_merge_group(self):
        made = self.world
        ref = f"refs/heads/gh-readonly-queue/main/pr-2-{made.pull}"
        group = {"head_sha": made.group, "head_ref": ref, "base_sha": made.main, "base_ref": "refs/heads/main"}
        payload = {"action": "checks_requested", "repository": world.repository(), "merge_group": group}
        result, verdict = self.decided(Job(made, "merge_group", payload, ref, made.group))
        self.assertNotEqual(result.code, 0)
        self.assertEqual((verdict["base"]["rev"], verdict["head"]["rev"]), (made.main, made.group))

    def test_a_schedule(self):
        job = Job(self.world, "schedule", {"schedule": "0 4 * * *"}, "refs/heads/main", self.world.main)
        self.assertEqual(self.decided(job)[1]["command"], "audit")

    def test_deletion(self):
        self.assertEqual(
            self.push("refs/heads/feature", self.world.feature, ZERO, depth=0).run(advisories=self.store).code, 0
        )
