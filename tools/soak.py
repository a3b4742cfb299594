#!/usr/bin/env python3
"""Runs the tests that kill, damage and repeat at their full counts and writes what was done.

BUILD/soak.json receives one object per test program: the counts that the tests recorded (kills, flipped bits,
…), seconds, and whether all passed. RALLREC_SOAK_<id> in the environment sets one count, for a shorter run:
RALLREC_SOAK_K1_kills=100.

Each kill of K1, and of each of its runs whether it ended the same, is a line of BUILD/soak_events.jsonl as soon
as it happened. A later call does only the kills that are missing there, so K1 may be broken off, or cut into calls
of --minutes N each; --fresh begins again.
"""
import argparse
import json
import os
import subprocess
import sys
import time

EVENTS = "soak_events.jsonl"
TESTS = {
    "checkpoint_test": "*",
    "checkpoint_faults_test": "*",
    "checkpoint_crash_test": "*",
    "guards_test": "*",
    "rank_counts_test": "*",
    "rank_failure_test": "*",
    "thread_communicator_test": "*",
    "watchdog_test": "*",
    "watched_job_test": "*",
    "io_hdf5_test": "Hdf5Mutation.*",
    "tune_faults_command_test": "*",
    "watchdog_command_test": "*",
    "tune_signals_command_test": "*",
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


def kills_done(path):
    """Kills of runs that ended like the unbroken one, and runs that did not."""
    kills = broken = 0
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                event = json.loads(line)
                if "identical" in event:
                    kills += event["kills"] if event["identical"] else 0
                    broken += 0 if event["identical"] else 1
    return kills, broken


def environment_of(events, minutes):
    """What the tests are told: full counts, of K1's kills those that are missing, at other moments."""
    environment = dict(os.environ, RALLREC_SOAK="full", OMP_NUM_THREADS="1", RALLREC_SOAK_EVENTS=events)
    done = kills_done(events)[0]
    wanted = int(os.environ.get("RALLREC_SOAK_K1_kills", 500))
    environment["RALLREC_SOAK_K1_kills"] = str(max(0, wanted - done))
    environment["RALLREC_SOAK_K1_seed"] = str(done)
    if minutes is not None:
        environment["RALLREC_SOAK_MINUTES"] = str(minutes)
    return environment


def run(build, name, tests, minutes):
    report = os.path.join(build, "soak_" + name + ".json")
    events = os.path.abspath(os.path.join(build, EVENTS))
    start = time.monotonic()
    with open(os.path.join(build, "soak_" + name + ".log"), "w") as log:
        code = subprocess.run([os.path.join(build, name), "--gtest_filter=" + tests,
                               "--gtest_output=json:" + report],
                              env=environment_of(events, minutes), stdout=log,
                              stderr=subprocess.STDOUT).returncode
    with open(report) as file:
        counts = recorded(json.load(file))
    passed = code == 0
    if "K1_kills" in counts:
        counts["K1_kills_of_all_calls"], counts["K1_runs_not_identical"] = kills_done(events)
        passed = passed and counts["K1_runs_not_identical"] == 0
    return {"test": name, "passed": passed, "seconds": round(time.monotonic() - start, 1), **counts}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="of " + ", ".join(TESTS) + "; all without any")
    parser.add_argument("--minutes", type=float, help="end K1 after so long")
    parser.add_argument("--fresh", action="store_true", help="forget the kills of earlier calls")
    arguments = parser.parse_intermixed_args()
    events = os.path.join(arguments.build, EVENTS)
    if arguments.fresh and os.path.exists(events):
        os.remove(events)
    results = []
    for name in arguments.tests or TESTS:
        results.append(run(arguments.build, name, TESTS[name], arguments.minutes))
        print(json.dumps(results[-1]), flush=True)
        with open(os.path.join(arguments.build, "soak.json"), "w") as file:
            json.dump(results, file, indent=2)
    sys.exit(0 if all(result["passed"] for result in results) else 1)


if __name__ == "__main__":
    main()
