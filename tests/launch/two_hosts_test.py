"""launch/run_hostfile.sh over two hosts, which are namespaces of this machine joined by a cable: the same bits as on
one host, gathers over a slow cable that hide behind computing, and a cut cable that ends the job with the lost host named.

usage: two_hosts_test.py PROGRAM
Skipped, with the reason as last line and exit code 77, where namespaces are not permitted; RALLREC_REQUIRE_CLUSTER=1 makes
that a failure.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import process_group
import tuning_data
import two_hosts

PROGRAM = pathlib.Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else None
SHARE = 0.6


class TwoHostsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="rallrec_hosts_")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        tuning_data.write_model(cls.folder / "model")
        tuning_data.write_prompts(cls.folder / "train.jsonl", 64)
        os.environ.update({"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})

    def setUp(self):
        self.hosts = self.enterContext(two_hosts.TwoHosts(self.folder))

    def line(self, *words):
        """run_hostfile.sh with these words, on the first host."""
        return self.hosts.line(0, tuning_data.ROOT / "launch/run_hostfile.sh", self.folder / "hosts.txt", *words)

    def environment(self):
        own = {"RALLREC": str(PROGRAM), "RSH_AGENT": str(self.folder / "agent"), "INTERFACE": two_hosts.SUBNET}
        return {**os.environ, **own, "THREADS": "1", "LOST_AFTER": "12"}

    def run_on_both(self, *words):
        line = self.line(*words)
        done = subprocess.run(line, env=self.environment(), text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_two_hosts_give_the_bits_of_one(self):
        steps = 10
        alone = [PROGRAM, *tuning_data.tune_words(self.folder, "alone", steps)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(alone, env=environment, check=True, capture_output=True)
        done = self.run_on_both(*tuning_data.tune_words(self.folder, "both", steps))
        for rank, name in enumerate(two_hosts.NAMES):
            self.assertIn(f"[rank {rank}/2] tune on {name}", done.stderr)
        self.assertEqual(
            tuning_data.adapter(self.folder / "alone"), tuning_data.adapter(self.folder / "both")
        )
        self.assertEqual(
            tuning_data.steps_done(self.folder / "alone"), tuning_data.steps_done(self.folder / "both")
        )
        # Layers went over the cable: half of four layers, forward and backward but for those at hand.
        self.assertGreater(self.hosts.received_bytes(1), steps * 4 * 20000)

    def measure(self, repeats):
        words = ["bench", "stage", "--stage", "tune", "--model", self.folder / "wide", "--quant", "w8a8"]
        words += ["--input", self.folder / "train.jsonl", "--count", "48", "--repeats", repeats]
        point = json.loads(self.run_on_both(*words, "--set", "tune.token_budget=256").stdout)
        print(json.dumps(point), file=sys.stderr)
        self.assertEqual((point["nodes"], point["config"]["ranks"]), (2, 2))
        return point

    def test_gathers_hide_behind_computing(self):
        """On a cable so slow that a step's gathers take SHARE of what its computing takes on this machine."""
        tuning_data.write_model(self.folder / "wide", tuning_data.WIDE_SHAPE)
        free = self.measure(1)
        megabits = 8e-6 * free["gathered_bytes"] / (SHARE * free["seconds"])
        hindrance = self.hosts.shape(megabits)
        if hindrance:
            print(f"SKIPPED: tc cannot shape the cable: {hindrance}")
            self.skipTest(hindrance)
        point = self.measure(5)
        # Each gather takes what the cable takes for its bytes, and little of that is waited for.
        self.assertGreater(point["gather_seconds"], 0.8 * SHARE * free["seconds"])
        self.assertLess(point["waited_seconds"], 0.7 * point["gather_seconds"])
        print(f"gathers of {point['gather_seconds']:.2f} s over the cable: a pass takes {point['seconds']:.2f} s, "
              f"{point['seconds_without_overlap']:.2f} s where each is waited for at once")

    def test_a_cut_cable_ends_the_job_and_names_the_host(self):
        log = self.folder / "cut.log"
        line = self.line(*tuning_data.tune_words(self.folder, "cut", 100000))
        job = process_group.start(line, log, env=self.environment())
        process_group.wait_for(lambda: len(tuning_data.steps_done(self.folder / "cut")) >= 2, 60, log)
        start = time.monotonic()
        self.hosts.cut()
        self.assertEqual(job.wait(60), 69, log.read_text())
        self.assertLess(time.monotonic() - start, 30)
        self.assertRegex(log.read_text(), f"(?s)lost communication.*{two_hosts.ADDRESSES[1]}")


if __name__ == "__main__":
    reason = two_hosts.why_not()
    if reason:
        print(f"SKIPPED: the test of two hosts cannot run here: {reason}")
        sys.exit(1 if os.environ.get("RALLREC_REQUIRE_CLUSTER") == "1" else 77)
    unittest.main()
