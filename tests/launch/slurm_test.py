"""A real Slurm of two nodes on this machine runs launch/run_slurm.sbatch: stopped before the time limit, requeued, resumed,
and the adapter is the one of an unbroken run. With srun and with mpirun.

usage: slurm_test.py PROGRAM
Skipped, with the reason as last line and exit code 77, where Slurm cannot run; RALLREC_REQUIRE_CLUSTER=1 makes that a failure.
"""

import os
import pathlib
import sys
import tempfile
import time
import unittest

import process_group
import slurm_cluster
import tuning_data

PROGRAM = pathlib.Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else None
PROGRAMS = tuning_data.ROOT / ".deps" / "slurm"
STEPS = 500  # many seconds of training, also on a fast machine: it must meet a look at the limits
PATIENCE = 180  # seconds for what takes a few on an idle machine
# slurmctld looks at time limits every 30 s from its start, and sends a signal that is asked for 45 s before a limit of one
# minute at the first look: a job that starts shortly before has to wait least.
LOOK_AT_LIMITS = 30.0
LEAD = 6.0
LIMIT_FLAGS = ("--time=1", "--signal=B:USR1@45")

# Stands in for the program and notes where ranks ran.
WRAPPER = """\
#!/bin/sh
echo "$SLURM_JOB_ID $SLURMD_NODENAME ${{PMIX_RANK-}} ${{OMPI_COMM_WORLD_SIZE-}}" >>{folder}/ranks
exec {program} "$@"
"""


class SlurmTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rallrec_slurm_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "slurm").mkdir()
        self.folder.chmod(0o755)
        tuning_data.write_model(self.folder / "model")
        tuning_data.write_prompts(self.folder / "train.jsonl", 256)
        self.wrapper = self.folder / "rallrec"
        self.wrapper.write_text(WRAPPER.format(folder=self.folder, program=PROGRAM))
        self.wrapper.chmod(0o755)
        os.environ.update({"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})

    def start_unbroken(self):
        line = [PROGRAM, *tuning_data.tune_words(self.folder, "unbroken", STEPS)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return process_group.start(line, self.folder / "unbroken.log", env=environment)

    def submit(self, cluster, launcher, *flags):
        """The number of the job that trains into folder/<launcher>."""
        line = ["sbatch", "--parsable", "--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=1", *flags]
        line += [f"--output={self.folder}/slurm/job_{launcher}.log", tuning_data.ROOT / "launch/run_slurm.sbatch"]
        line += tuning_data.tune_words(self.folder, launcher, STEPS)
        job = cluster.run(
            *line, LAUNCHER=launcher, RALLREC=str(self.wrapper), RALLREC_HOME=str(tuning_data.ROOT)
        )
        self.assertRegex(job, r"^\d+\n$")
        return job.strip()

    def log_of(self, launcher):
        path = self.folder / "slurm" / f"job_{launcher}.log"
        return path.read_text() if path.exists() else ""

    def expect_checkpoint(self, cluster, launcher):
        """Waits for the end of the first life, which leaves a checkpoint of its last step and no adapter."""
        cluster.wait_for(lambda: f"{launcher} ended with" in self.log_of(launcher), PATIENCE)
        self.assertIn(f"{launcher} ended with 75", self.log_of(launcher))
        self.assertIn("USR1: asking for a checkpoint", self.log_of(launcher))
        output = self.folder / launcher
        steps = len(tuning_data.steps_done(output))
        self.assertGreater(steps, 0)
        self.assertLess(steps, STEPS)
        self.assertEqual([path.name for path in (output / "checkpoints").glob("step-*")], [f"step-{steps}"])
        self.assertFalse((output / "adapter").exists())

    def expect_the_same_run(self, cluster, job, launcher):
        """Waits for the end of the second life: by itself, with the bytes of the unbroken run."""
        cluster.wait_for(lambda: cluster.state_of(job)[0] == "COMPLETED", PATIENCE)
        self.assertEqual(cluster.state_of(job), ("COMPLETED", 1, "0:0"))
        self.assertIn(f"start 1 of job {job}", self.log_of(launcher))
        whole, broken = self.folder / "unbroken", self.folder / launcher
        self.assertEqual(tuning_data.adapter(whole), tuning_data.adapter(broken))
        self.assertEqual(len(tuning_data.steps_done(whole)), STEPS)
        self.assertEqual(tuning_data.steps_done(whole), tuning_data.steps_done(broken))

    def expect_ranks_on_both_nodes(self, job):
        lines = [line.split() for line in (self.folder / "ranks").read_text().splitlines()]
        lives = [(node, rank) for number, node, rank, *_ in lines if number == job]
        self.assertEqual(sorted(lives), [("n1", "0"), ("n1", "0"), ("n2", "1"), ("n2", "1")])

    def check_tasks_without_pmix(self, cluster):
        """srun that starts n single ranks ends with the fix, before OpenMPI's pages of text."""
        answer = cluster.run("srun", "--quiet", "-N2", "-n2", "--mpi=none", PROGRAM, "config", "show")
        self.assertRegex(answer, "^exit 64: ")
        self.assertIn("start the program with `srun --mpi=pmix`", answer)
        self.assertNotIn("OPAL", answer)
        self.assertLessEqual(len([line for line in answer.splitlines() if "srun: error" not in line]), 2)

    def test_stopped_requeued_resumed(self):
        with slurm_cluster.SlurmCluster(PROGRAMS, self.folder / "slurm") as cluster:
            unbroken = self.start_unbroken()
            by_hand = self.submit(cluster, "mpirun")
            cluster.wait_for(lambda: len(tuning_data.steps_done(self.folder / "mpirun")) >= 5, PATIENCE)
            self.assertEqual(cluster.run("scancel", "--signal=USR1", "--batch", by_hand), "")
            self.expect_checkpoint(cluster, "mpirun")
            self.check_tasks_without_pmix(cluster)
            passed = time.monotonic() - cluster.started
            time.sleep((LOOK_AT_LIMITS - LEAD - passed) % LOOK_AT_LIMITS)
            by_limit = self.submit(cluster, "srun", *LIMIT_FLAGS)
            self.expect_checkpoint(cluster, "srun")
            # Once is enough: on a slow machine the next look would stop it again.
            longer = ("scontrol", "update", f"JobId={by_limit}", "TimeLimit=30")
            cluster.wait_for(lambda: cluster.run(*longer) == "", 20)
            self.assertEqual(unbroken.wait(PATIENCE), 0, (self.folder / "unbroken.log").read_text())
            for job, launcher in ((by_hand, "mpirun"), (by_limit, "srun")):
                with self.subTest(launcher):
                    self.expect_the_same_run(cluster, job, launcher)
                    self.expect_ranks_on_both_nodes(job)
        self.assertEqual(process_group.descendants(), set())


if __name__ == "__main__":
    reason = slurm_cluster.why_not(PROGRAMS)
    if reason:
        print(f"SKIPPED: the Slurm test cannot run here: {reason}")
        sys.exit(1 if os.environ.get("RALLREC_REQUIRE_CLUSTER") == "1" else 77)
    unittest.main()
