"""What is fetched and how the program is called, on the events that GitHub sends."""

import glob
import os

import world
from job import TOKEN, Case, Job, read
from world import ZERO


class Events(Case):
    def test_pull_request_from_a_shallow_checkout(self):
        job = self.pull()
        result = job.run()
        self.assertEqual(result.code, 0, result.log)
        self.assertEqual(job.has("refs/remotes/origin/main"), self.world.main)
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.main)
        call = job.called()
        self.assertEqual(call[:6], ["--repo", job.workspace, "check", "--forge", "--comment=on-findings", "--report"])
        self.assertEqual(result.outputs["decision"], "allow")
        self.assertEqual(result.outputs["findings"], "0")
        self.assertEqual(result.outputs["new-libraries"], '["pkg:cargo/x@1.0.0"]')
        self.assertTrue(os.path.isfile(result.outputs["verdict-file"]))
        self.assertTrue(os.path.isfile(result.outputs["sarif-file"]))
        self.assertIn("## allow", result.summary)
        # What is printed beside the program's own lines stands between the runner's brackets.
        self.assertEqual([line for line in result.commands() if not line.startswith(("::group::", "::endgroup::"))], [])
        self.assertNotIn(TOKEN, result.log)
        environment = job.environment_of()
        self.assertNotIn("GIT_CONFIG", environment)
        self.assertIn(f"GITHUB_TOKEN={TOKEN}", environment)
        self.assertNotIn(TOKEN, job.environment_of("update"))
        for path in glob.glob(job.stub + "/folder.*"):
            self.assertFalse(read(path).startswith(job.workspace), "head's folder is the program's")

    def test_nothing_is_fetched_that_is_here(self):
        for depth in (0, 2):
            job = self.pull(depth=depth)
            self.assertEqual(job.run().code, 0)
            self.assertEqual(job.fetches(), [], f"depth {depth}")
            self.assertEqual(job.has("refs/remotes/origin/main"), self.world.main)

    def test_the_protected_tip_is_the_servers_and_not_the_clones(self):
        job = self.pull(depth=0)
        job.git("update-ref", "refs/remotes/origin/main", self.world.old)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.has("refs/remotes/origin/main"), self.world.main)

    def test_a_pull_request_to_another_branch(self):
        payload = world.pull_payload(self.world, 1, self.world.feature, base="release/1.x")
        job = self.pull(payload=payload)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.has("refs/remotes/origin/release/1.x"), self.world.old)
        self.meets(job, "refs/remotes/origin/release/1.x", "HEAD", self.world.old)

    def test_exit_codes_pass_through(self):
        # README: 0 allow, 1 review or deny, 2 usage or configuration, 3 could not decide; 101 is a crash.
        for code, decision in ((0, "allow"), (1, "deny"), (2, ""), (3, "incomplete"), (101, "")):
            job = self.pull(depth=2)
            job.say("exit", str(code))
            result = job.run(sarif_upload="true")
            self.assertEqual(result.code, code)
            self.assertEqual(result.outputs["decision"], decision)
            uploads = result.used_with("github/codeql-action/upload-sarif")
            self.assertEqual(len(uploads), 1 if decision else 0)

    def test_pull_request_target_reads_data_only(self):
        for number, merge in ((1, self.world.pull), (2, self.world.forked)):
            job = self.pull("pull_request_target", number)
            result = job.run(sarif_upload="true")
            self.assertEqual(result.code, 0, result.log)
            self.assertEqual(job.has(f"refs/remotes/pull/{number}/merge"), merge)
            self.assertEqual(job.has("HEAD"), self.world.main)
            self.meets(job, "refs/remotes/origin/main", merge, self.world.main)
            self.assertFalse(os.path.exists(os.path.join(job.workspace, "new.txt")))
            self.assertEqual(job.git("status", "--porcelain"), "")
            # Code scanning is told what was judged, not where the run stands.
            upload = result.used_with("github/codeql-action/upload-sarif")[0]
            self.assertEqual((upload["ref"], upload["sha"]), (f"refs/pull/{number}/merge", merge))

    def test_reviews_judge_the_test_merge_again(self):
        for action in ("submitted", "dismissed"):
            payload = world.pull_payload(self.world, 1, self.world.feature, action=action)
            job = self.pull("pull_request_review", payload=payload)
            self.assertEqual(job.run().code, 0)
            self.assertEqual(job.has("refs/remotes/pull/1/merge"), self.world.pull)

    def test_a_test_merge_of_an_older_head_is_said(self):
        payload = world.pull_payload(self.world, 1, self.world.fork)
        result = self.pull("pull_request_target", payload=payload).run()
        self.assertIn("not yet of " + self.world.fork, result.log)
        self.assertEqual(result.code, 0, "the program decides what that means")

    def test_a_pull_request_without_a_test_merge(self):
        payload = world.pull_payload(self.world, 7, self.world.feature)
        result = self.pull("pull_request_target", payload=payload).run()
        self.assertEqual(result.code, 3)
        self.assertIn("has it conflicts", result.log)
        self.assertEqual(result.outputs["decision"], "")

    def test_merge_group(self):
        made = self.world
        ref = f"refs/heads/gh-readonly-queue/main/pr-2-{made.pull}"
        payload = {
            "action": "checks_requested",
            "repository": world.repository(),
            "merge_group": {
                "head_sha": made.group,
                "head_ref": ref,
                "base_sha": made.main,
                "base_ref": "refs/heads/main",
            },
        }
        job = Job(made, "merge_group", payload, ref, made.group)
        result = job.run()
        self.assertEqual(result.code, 0, result.log)
        self.meets(job, "refs/remotes/origin/main", "HEAD", made.main)
        # Both pull requests of the queue are in the group.
        for part in (made.feature, made.fork, made.pull):
            self.assertIsNotNone(job.has(part + "^{commit}"))

    def test_first_push_of_a_branch(self):
        job = self.push("refs/heads/feature", ZERO, self.world.feature)
        self.assertEqual(job.run().code, 0)
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.old)
        self.assertEqual(job.git("symbolic-ref", "refs/remotes/origin/HEAD"), "refs/remotes/origin/main")

    def test_push_to_the_default_branch(self):
        job = self.push("refs/heads/main", self.world.before, self.world.main)
        self.assertEqual(job.run().code, 0)
        self.meets(job, self.world.before, "HEAD", self.world.before)

    def test_force_push(self):
        job = self.push("refs/heads/feature", self.world.fork, self.world.feature)
        self.assertEqual(job.run().code, 0)
        self.meets(job, self.world.fork, "HEAD", self.world.old)
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.old)

    def test_force_push_whose_old_commit_is_gone(self):
        job = self.push("refs/heads/feature", self.world.gone, self.world.feature)
        result = job.run()
        self.assertEqual(result.code, 0)
        self.assertIn("no longer on the server", result.log)
        self.assertIsNone(job.has(self.world.gone + "^{commit}"))
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.old)

    def test_deletion_of_a_branch(self):
        job = self.push("refs/heads/feature", self.world.feature, ZERO)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.fetches(), [])

    def test_push_of_a_tag(self):
        job = self.push("refs/tags/v1", ZERO, self.world.feature)
        self.assertEqual(job.run().code, 0)
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.old)

    def test_push_of_an_annotated_tag(self):
        payload = world.push_payload(self.world, "refs/tags/v2", ZERO, self.world.tag)
        job = Job(self.world, "push", payload, "refs/tags/v2", self.world.feature)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.git("cat-file", "-t", self.world.tag), "tag")
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.old)

    def test_a_merged_pull_request(self):
        payload = world.pull_payload(self.world, 1, self.world.feature, action="closed")
        payload["pull_request"] |= {"merged": True, "merge_commit_sha": self.world.pull}
        payload["pull_request"]["base"]["sha"] = self.world.before
        checkout = ("refs/remotes/origin/main", self.world.main)
        job = Job(self.world, "pull_request", payload, "refs/heads/main", self.world.main, checkout)
        self.assertEqual(job.run().code, 0)
        self.meets(job, self.world.before, self.world.pull, self.world.before)

    def test_schedules_and_dispatches_audit_what_stands(self):
        for event in ("schedule", "workflow_dispatch"):
            payload = (
                {"schedule": "0 4 * * *"} if event == "schedule" else {"inputs": {}, "repository": world.repository()}
            )
            job = Job(self.world, event, payload, "refs/heads/main", self.world.main)
            self.assertEqual(job.run(packs="slsa").code, 0)
            call = job.called("audit")
            self.assertEqual(call[:5], ["--repo", job.workspace, "audit", "--rev", "HEAD"])
            self.assertIn("--add-pack=slsa", call)
            self.assertNotIn("--forge", call)
            self.assertEqual(job.has("refs/remotes/origin/main"), self.world.main)

    def test_workflow_run_of_a_fork_names_no_pull_request(self):
        payload = {
            "action": "completed",
            "repository": world.repository(),
            "workflow_run": {"event": "pull_request", "head_sha": self.world.fork, "pull_requests": []},
        }
        checkout = ("refs/remotes/origin/main", self.world.main)
        job = Job(self.world, "workflow_run", payload, "refs/heads/main", self.world.main, checkout)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), self.world.forked)

    def test_a_fork_with_a_token_that_may_only_read(self):
        job = self.pull(number=2)
        self.assertEqual(job.run().code, 0)
        self.assertIn("--forge", job.called())
        self.meets(job, "refs/remotes/origin/main", "HEAD", self.world.main)

    def test_events_that_are_not_judged_reach_the_program(self):
        job = Job(self.world, "issues", {"repository": world.repository()}, "refs/heads/main", self.world.main)
        self.assertEqual(job.run().code, 0)
        self.assertEqual(job.fetches(), [])


class Sequences(Case):
    """One pull request, and one queue, as they go on: every run sees what the server has then."""

    def run_pull(self, event, action, head, base="main", number=2):
        payload = world.pull_payload(self.world, number, head, "mallory/judged", base, action)
        checkout = ("refs/remotes/origin/main", self.world.main)
        job = Job(self.world, event, payload, "refs/heads/main", self.world.main, checkout)
        result = job.run()
        self.assertEqual(result.code, 0, result.log)
        self.assertNotIn("not yet of", result.log)
        return job

    def test_a_fork_is_approved_pushed_over_dismissed_and_retargeted(self):
        made = self.world
        job = self.run_pull("pull_request_target", "opened", made.fork)
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), made.forked)
        job = self.run_pull("pull_request_review", "submitted", made.fork)
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), made.forked)

        made.git(made.seed, "checkout", "--quiet", "--detach", made.old)
        pushed = made.commit({"other.txt": "other bytes\n"}, "force-pushed")
        merge = made.merge(made.main, pushed, "Merge pull request 2 again")
        made.publish({"refs/pull/2/head": pushed, "refs/pull/2/merge": merge})
        job = self.run_pull("pull_request_target", "synchronize", pushed)
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), merge)
        self.assertIsNone(job.has(made.fork + "^{commit}"), "the old head is not here to be judged")
        job = self.run_pull("pull_request_review", "dismissed", pushed)
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), merge)

        made.git(made.seed, "checkout", "--quiet", "--detach", made.old)
        moved = made.commit({"release.txt": "release\n"}, "release")
        retargeted = made.merge(moved, pushed, "Merge pull request 2 into release/1.x")
        made.publish({"refs/heads/release/1.x": moved, "refs/pull/2/merge": retargeted})
        job = self.run_pull("pull_request_target", "edited", pushed, "release/1.x")
        self.assertEqual(job.has("refs/remotes/pull/2/merge"), retargeted)
        self.assertEqual(job.has("refs/remotes/origin/release/1.x"), moved)
        self.meets(job, "refs/remotes/origin/release/1.x", retargeted, moved)

    def test_a_queue_of_two_pull_requests(self):
        made = self.world
        first = made.merge(made.main, made.feature, "Queue: pull request 1")
        second = made.merge(first, made.fork, "Queue: pull request 2")
        for number, base, head in ((1, made.main, first), (2, first, second)):
            ref = f"refs/heads/gh-readonly-queue/main/pr-{number}-{base}"
            made.publish({ref: head})
            payload = {
                "action": "checks_requested",
                "repository": world.repository(),
                "merge_group": {"head_sha": head, "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/main"},
            }
            job = Job(made, "merge_group", payload, ref, head)
            self.assertEqual(job.run().code, 0)
            # The protected branch governs, not what is queued before.
            self.assertEqual(job.has("refs/remotes/origin/main"), made.main)
            self.meets(job, "refs/remotes/origin/main", "HEAD", made.main)
        # The first one lands while the second is being judged: now it is the protected branch.
        made.publish({"refs/heads/main": first})
        try:
            job = Job(made, "merge_group", payload, ref, second)
            self.assertEqual(job.run().code, 0)
            self.meets(job, "refs/remotes/origin/main", "HEAD", first)
        finally:
            made.publish({"refs/heads/main": made.main})
