"""Inputs and names in the event: what they do, and that none of them does anything else."""

import os
import shutil

import world
from job import Case, read


class Inputs(Case):
    def test_packs_reports_and_the_rest(self):
        job = self.pull(depth=2)
        result = job.run(
            packs="slsa, hipaa\npci-dss",
            reports="json=out.json\nsarif=sub.sarif\n",
            comment="never",
            base="main~1",
            head="HEAD",
        )
        self.assertEqual(result.code, 0, result.log)
        call = job.called()
        for expected in (
            "--add-pack=slsa",
            "--add-pack=hipaa",
            "--add-pack=pci-dss",
            "--comment=never",
            "--base=main~1",
            "--head=HEAD",
            f"--report=json={job.workspace}/out.json",
            f"--report=sarif={job.workspace}/sub.sarif",
        ):
            self.assertIn(expected, call)

    def test_offline(self):
        job = self.pull(depth=0)
        self.assertEqual(job.run(offline="true").code, 0)
        call = job.called()
        self.assertIn("--offline", call)
        self.assertNotIn("--forge", call)
        self.assertEqual(job.calls(), 1, "no advisories were fetched")
        self.assertEqual([line for line in read(job.git_log).splitlines() if "ls-remote" in line], [])
        environment = job.environment_of()
        self.assertNotIn("GITHUB_TOKEN", environment)

    def test_offline_with_missing_history_names_the_fetch_depth(self):
        result = self.pull().run(offline="true")
        self.assertEqual(result.code, 3)
        self.assertIn("fetch-depth: 0", result.log)

    def test_a_store_of_the_users_own(self):
        job = self.pull(depth=2)
        self.assertEqual(job.run(advisories="/opt/store").code, 0)
        call = job.called()
        self.assertEqual(call[call.index("--advisories") + 1], "/opt/store")
        self.assertEqual(job.calls(), 1)

    def test_no_token_no_forge(self):
        job = self.pull(depth=2)
        self.assertEqual(job.run(token="").code, 0)
        self.assertNotIn("--forge", job.called())

    def test_hostile_inputs_inject_nothing(self):
        spring = self.world.trap
        texts = [
            f"$({spring})",
            f"`{spring}`",
            f"'; {spring}; '",
            f'"; {spring}; "\n{spring}',
            "--policy-from=head",
            "x\n::error::forged\ndecision=allow",
            "::set-output name=decision::forged",
            "##[error]forged",
            "*",
            "%0A::error::forged",
            "\u202e" + "\u00e9" * 300,
        ]
        names = [
            "base",
            "head",
            "packs",
            "reports",
            "comment",
            "sarif_upload",
            "working_directory",
            "version",
            "advisories",
            "offline",
            "token",
        ]
        for name in names:
            job = self.pull(depth=2)
            for text in texts:
                shutil.rmtree(job.stub)
                os.makedirs(job.stub)
                result = job.run(**{name: text})
                with self.subTest(name=name, text=text):
                    self.assertIn(result.code, (0, 2, 3))
                    self.assertEqual(os.listdir(self.world.sprung), [])
                    # Our own line may quote the text, with nothing left in it that the runner reads as a command.
                    lines = [line.removeprefix("::error title=portcullis::") for line in result.commands()]
                    self.assertEqual(
                        [line for line in lines if "forged" in line and ("::" in line or "##[" in line)], []
                    )
                    if result.code == 0:
                        # One argument stays one argument, and never becomes a flag.
                        for argument in job.called():
                            self.assertNotIn(argument, ("--policy-from=head", "-x", spring))
                    elif name != "token":
                        self.assertEqual(result.outputs["decision"], "")

    def test_reports_stay_below_the_workspace(self):
        job = self.pull(depth=2)
        outside = os.path.join(job.folder, "outside")
        os.makedirs(outside)
        os.symlink(outside, os.path.join(job.workspace, "link"))
        for file in (f"{outside}/x", "../x", "link/x", ".git/x", "nowhere/x", "/etc/x", "sub/..", ""):
            result = job.run(reports=f"json={file}")
            self.assertEqual(result.code, 2, file)
        self.assertEqual(os.listdir(outside), [])

    def test_a_folder_of_head_that_looks_like_a_repository(self):
        job = self.pull(depth=2)
        result = job.run(working_directory="app")
        self.assertEqual(result.code, 2, result.log)
        self.assertEqual(job.calls(), 0)
        # A folder below the checkout stands for the checkout.
        self.assertEqual(job.run(working_directory=".github").code, 0)
        self.assertEqual(job.called()[1], job.workspace)

    def test_no_checkout(self):
        job = self.pull(depth=2)
        shutil.rmtree(os.path.join(job.workspace, ".git"))
        result = job.run()
        self.assertEqual(result.code, 2)
        self.assertIn("actions/checkout", result.log)

    def test_names_in_the_event_are_checked(self):
        for name in ("--upload-pack=touch x", "a..b", "a b", "x\ny", "", "$(id)", "a@{1}", "refs:heads"):
            payload = world.pull_payload(self.world, 1, self.world.feature, base=name)
            for event in ("pull_request", "pull_request_target"):
                result = self.pull(event, payload=payload).run()
                self.assertEqual(result.code, 3, name)
        for number in ("1/merge", "-1", "1 2", "x", 0):
            payload = world.pull_payload(self.world, number, self.world.feature)
            self.assertEqual(self.pull("pull_request_target", payload=payload).run().code, 3, number)
