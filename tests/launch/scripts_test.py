"""The launch scripts around programs that only write down how they were called: what is passed on, what each exit code
leads to, and that nothing is requeued for ever. slurm_test.py has the real Slurm.

usage: scripts_test.py
"""

import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Notes its words and variables, and the signals that come; ends with $CODE, after a signal where $WAIT is set.
LAUNCHER = """#!/bin/bash
echo "$(basename "$0") $*" >>"$NOTES"
env | grep -E '^(OMPI_MCA_plm_slurm_args|SRUN_CPUS_PER_TASK|OMP_NUM_THREADS)=' >>"$NOTES"
trap 'echo USR1 >>"$NOTES"; exit 75' USR1
trap 'echo USR2 >>"$NOTES"; exit 0' USR2
trap 'echo TERM >>"$NOTES"; exit 143' TERM
if [ -n "$WAIT" ]; then
  echo ready >>"$NOTES"
  for i in $(seq 600); do sleep 0.05; done
fi
exit "${CODE:-0}"
"""
NOTER = """#!/bin/bash
echo "$(basename "$0") $*" >>"$NOTES"
"""


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.notes = self.folder / "notes"
        for name, text in (("srun", LAUNCHER), ("mpirun", LAUNCHER), ("scontrol", NOTER), ("rallrec", NOTER)):
            path = self.folder / name
            path.write_text(text)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def start(self, script, *words, **variables):
        self.notes.write_text("")
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", "NOTES": str(self.notes), "WAIT": "",
                       "HOME": str(self.folder), "RALLREC": str(self.folder / "rallrec"), **variables}
        return subprocess.Popen(["bash", script, *words], cwd=self.folder, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run_script(self, script, *words, **variables):
        """Its exit code, what it said, and the notes."""
        process = self.start(script, *words, **variables)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said, self.notes.read_text()

    def in_slurm(self, **variables):
        """The variables of a job of two nodes with two ranks of three threads each."""
        return {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS": "4", "SLURM_CPUS_PER_TASK": "3",
                "SLURM_SUBMIT_DIR": str(self.folder), "RALLREC_HOME": str(ROOT), **variables}

    def slurm(self, **variables):
        return self.run_script(ROOT / "launch/run_slurm.sbatch", "tune", "--quiet", **self.in_slurm(**variables))

    def signalled(self, script, words, number, variables):
        """The same as run_script, where the signal comes while the launcher waits."""
        process = self.start(script, *words, **variables, WAIT="1")
        deadline = time.monotonic() + 30.0
        while "ready" not in self.notes.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said, self.notes.read_text()


class RunSlurm(Scripts):
    def test_the_launchers_get_ranks_nodes_and_cores(self):
        _, _, notes = self.slurm()
        self.assertRegex(notes, r"srun --mpi=pmix .*--nodes=2 --ntasks=4 --cpus-per-task=3 \S+/rallrec tune --quiet\n")
        self.assertIn("OMP_NUM_THREADS=3", notes)
        _, _, notes = self.slurm(LAUNCHER="mpirun")
        self.assertRegex(notes, r"mpirun -n 4 --bind-to none -x OMP_NUM_THREADS \S+/rallrec tune --quiet\n")
        self.assertIn("OMPI_MCA_plm_slurm_args=--cpus-per-task=6", notes)
        self.assertNotIn("SRUN_CPUS_PER_TASK", notes)

    def test_only_what_may_go_on_is_requeued(self):
        for code, again in ((0, False), (75, True), (69, True), (71, True), (137, True), (253, True), (64, False),
                            (65, False), (76, False)):
            with self.subTest(code=code):
                ended, said, notes = self.slurm(CODE=str(code))
                self.assertEqual(ended, code, said)
                self.assertEqual("scontrol requeue 7" in notes, again, notes)
            (self.folder / ".run_slurm.7.crashes").unlink(missing_ok=True)

    def test_lost_ranks_are_counted_in_a_row(self):
        for code, again in ((137, True), (137, True), (75, True), (137, True), (69, True), (253, True), (137, False)):
            _, said, notes = self.slurm(CODE=str(code))
            self.assertEqual("scontrol requeue 7" in notes, again, said)
        self.assertIn("RETRIES=3", said)

    def test_nothing_is_requeued_for_ever(self):
        code, said, notes = self.slurm(CODE="75", SLURM_RESTART_COUNT="5", RESTARTS="5")
        self.assertEqual(code, 75)
        self.assertNotIn("scontrol", notes)
        self.assertIn("requeued 5 times", said)
        code, said, notes = self.slurm(CODE="137", SLURM_SUBMIT_DIR=str(self.folder / "none"))
        self.assertEqual(code, 137)
        self.assertNotIn("scontrol", notes)
        self.assertIn("cannot count", said)

    def test_signals_reach_the_launcher(self):
        script = ROOT / "launch/run_slurm.sbatch"
        code, _, notes = self.signalled(script, ["tune"], signal.SIGUSR1, self.in_slurm())
        self.assertEqual(code, 75)
        self.assertIn("USR1\n", notes)
        self.assertIn("scontrol requeue 7", notes)
        code, _, notes = self.signalled(script, ["tune"], signal.SIGUSR2, self.in_slurm())
        self.assertEqual(code, 0)
        self.assertIn("USR2\n", notes)
        self.assertNotIn("scontrol", notes)


class RunHostfile(Scripts):
    def setUp(self):
        super().setUp()
        (self.folder / "hosts").write_text("one\ntwo slots=3\n")

    def test_variables_of_the_libraries_travel(self):
        _, said, notes = self.run_script(ROOT / "launch/run_hostfile.sh", self.folder / "hosts", "tune",
                                         NCCL_DEBUG="INFO", THREADS="2")
        self.assertRegex(notes, r"mpirun --hostfile \S+ -n 4 .*-x OMP_NUM_THREADS=2 .*-x NCCL_DEBUG .*rallrec tune\n", said)

    def test_signals_reach_mpirun(self):
        words = [self.folder / "hosts", "tune"]
        for number, name, code in ((signal.SIGUSR1, "USR1", 75), (signal.SIGUSR2, "USR2", 0), (signal.SIGTERM, "TERM", 143)):
            with self.subTest(name):
                ended, said, notes = self.signalled(ROOT / "launch/run_hostfile.sh", words, number, {})
                self.assertEqual(ended, code, said)
                self.assertIn(name + "\n", notes)


class OtherScripts(Scripts):
    def test_scaling_finds_its_folder_from_a_copy_and_asks_for_cores(self):
        spool = self.folder / "slurm_script"
        spool.write_text((ROOT / "launch/scaling.sh").read_text())
        code, said, notes = self.run_script(spool, "strong", "tune", **{**self.in_slurm(), "RALLREC_HOME": "",
                                            "SLURM_SUBMIT_DIR": str(ROOT)}, RANKS="1,2", THREADS="3")
        self.assertEqual(code, 0, said)
        self.assertIn("--launcher srun --mpi=pmix --cpus-per-task=3 --ntasks={ranks}", notes)

    def test_tables_share_their_stages(self):
        code, said, notes = self.run_script(ROOT / "launch/reproduce.sh", "table1", "table4", SCALE="small")
        self.assertEqual(code, 0, said)
        for table in ("table1", "table4"):
            self.assertIn(f"experiment --config configs/experiments/{table}_small.toml --store runs/store", notes)

    def test_a_dry_run_plans_what_has_an_llm_with_the_threads_of_the_run(self):
        local = ROOT / "launch/run_local.sh"
        code, said, notes = self.run_script(local, "--dry-run", "tune", "--train", "t.jsonl", RANKS="2", THREADS="5")
        self.assertEqual(code, 0, said)
        self.assertIn("rallrec plan --train t.jsonl --threads 5 --ranks 2 --nodes 1 --device cpu", notes)
        code, said, notes = self.run_script(local, "--dry-run", "light_gcn")
        self.assertEqual(code, 0, said)
        self.assertNotIn("rallrec plan", notes)
        self.assertIn("no plan of light_gcn", said)


if __name__ == "__main__":
    unittest.main()
