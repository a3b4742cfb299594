#!/usr/bin/env python3
"""Runs the tests that kill, damage and repeat at their full counts and writes what was done.

usage: soak.py BUILD [TEST …]

BUILD/soak.json receives one object per test program: the counts that the tests recorded (kills, flipped bits,
…), seconds, and whether all passed. RALLREC_SOAK_<id> in the environment sets one count, for a shorter run:
RALLREC_SOAK_K1_kills=100.
"""
import json
import os
import subprocess
import sys
import time

TESTS = {
    "checkpoint_test": "*",
    "checkpoint_faults_test": "*",
    "guards_test": "*",
    "rank_counts_test": "*",
    "tune_faults_command_test": "*",
    "tune_resume_command_test": "*KilledAtRandomMoments*",
}


def recorded(report):
    """The numbers that tests left in a report of GoogleTest."""
    usual = {"name", "file", "line", "status", "result", "timestamp", "time", "classname", "failures"}
    counts = {}
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            counts.update({key: int(value) for key, value in test.items() if key not in usual})
    return counts


def run(build, name, tests):
    report = os.path.join(build, "soak_" + name + ".json")
    environment = dict(os.environ, RALLREC_SOAK="full", OMP_NUM_THREADS="1")
    start = time.monotonic()
    with open(os.path.join(build, "soak_" + name + ".log"), "w") as log:
        code = subprocess.run([os.path.join(build, name), "--gtest_filter=" + tests,
                               "--gtest_output=json:" + report],
                              env=environment, stdout=log, stderr=subprocess.STDOUT).returncode
    with open(report) as file:
        counts = recorded(json.load(file))
    return {"test": name, "passed": code == 0, "seconds": round(time.monotonic() - start, 1), **counts}


def main():
    build, chosen = sys.argv[1], sys.argv[2:] or list(TESTS)
    results = []
    for name in chosen:
        results.append(run(build, name, TESTS[name]))
        print(json.dumps(results[-1]), flush=True)
        with open(os.path.join(build, "soak.json"), "w") as file:
            json.dump(results, file, indent=2)
    sys.exit(0 if all(result["passed"] for result in results) else 1)


if __name__ == "__main__":
    main()
