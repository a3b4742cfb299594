#!/usr/bin/env python3
"""R2: hours of `rallrec tune` on several ranks with random kills, each followed by another start.

usage: soak_run.py --rallrec FILE --folder DIR [--minutes 120] [--ranks 4] [--steps 20000] [--kill-every 30 90] [--seed 1]

First an unbroken run, in which every rank's memory (VmRSS) and open files are read every two seconds: neither may be
larger in its last 40 % than in the 40 % before, memory by 1 % at most. Then runs in which a random rank is killed with
SIGKILL after 30 to 90 s, again and again; what is started again must go on from the newest checkpoint, nobody may be
left ten seconds after a kill, and the end must be the unbroken run's, byte for byte: adapter, and log but for times.
Runs are added until the minutes are over.

The model is small and random (tools/small_llm.py). DIR must not exist; it receives the runs, and soak_run.json with
what was seen, anew after each run.

ends with  0 all held · 1 something did not
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

import small_llm

SECONDS_IN_LOG = re.compile(r', "seconds": [^}]*')
START_SECONDS = 120  # a start that has logged nothing new for so long, and does not end, has failed


class Job:
    """One `mpirun` of tune, going on where its folder has a checkpoint."""

    def __init__(self, options, output, log):
        folder = options.folder
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        if os.getuid() == 0:
            environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        line = ["mpirun", "-n", str(options.ranks), "--bind-to", "none"]
        line += ["--oversubscribe"] if options.ranks > os.cpu_count() else []
        line += [str(options.rallrec), "tune", "--model", str(folder / "model"), "--train", str(folder / "prompts.jsonl"),
                 "--output", str(output), "--quant", "w8a8", "--quiet"]
        for setting in (f"tune.max_steps={options.steps}", "tune.batch_size=8", "tune.token_budget=256",
                        "tune.checkpoint_every=100"):
            line += ["--set", setting]
        self.program = options.rallrec.name[:15]  # as /proc shows it
        self.process = subprocess.Popen(line, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def ranks(self):
        """Process ids of the ranks that are there, in the order of their start."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                name, rest = (entry / "stat").read_text().rsplit(")", 1)
            except OSError:
                continue
            if int(rest.split()[1]) == self.process.pid and name.endswith(f"({self.program}"):
                found.append(int(entry.name))
        return sorted(found)


def usage_of(pid):
    """(VmRSS in KiB, open files), or nothing where the process has gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    return (int(resident[1]), files) if resident else None


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def steps_logged(output):
    log = output / "metrics.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def result_of(output):
    log = (output / "metrics.jsonl").read_text(encoding="utf-8")
    return (output / "adapter/adapter_model.safetensors").read_bytes(), SECONDS_IN_LOG.sub("", log)


def growth_of(samples):
    """Of one rank: how much larger memory and files are in the last 40 % than in the 40 % before."""
    fifth = len(samples) // 5
    before, after = samples[fifth:3 * fifth], samples[3 * fifth:]
    memory = max(s[0] for s in after) / max(s[0] for s in before) - 1.0
    files = statistics.median(s[1] for s in after) - statistics.median(s[1] for s in before)
    return {"memory_mib": max(s[0] for s in samples) >> 10, "memory_growth": round(memory, 4),
            "files": int(statistics.median(s[1] for s in after)), "files_growth": files}


def unbroken_run(options, log):
    output = options.folder / "unbroken"
    job, samples, start = Job(options, output, log), {}, time.monotonic()
    while job.process.poll() is None:
        time.sleep(2.0)
        for pid in job.ranks():
            if (usage := usage_of(pid)) is not None:
                samples.setdefault(pid, []).append(usage)
    if job.process.returncode != 0:
        sys.exit(f"the unbroken run ended with {job.process.returncode}; see {log.name}")
    if len(samples) != options.ranks:
        sys.exit(f"{len(samples)} processes were seen where {options.ranks} ranks ran")
    if min(map(len, samples.values())) < 20:
        sys.exit("the unbroken run was too short to watch its memory; more --steps")
    ranks = [growth_of(samples[pid]) for pid in sorted(samples)]
    steady = all(rank["memory_growth"] < 0.01 and rank["files_growth"] == 0 for rank in ranks)
    return output, {"seconds": round(time.monotonic() - start), "steady": steady, "ranks": ranks}


def wait_for_progress(job, output, before):
    """Until the job has gone beyond `before` steps, or has ended."""
    start = time.monotonic()
    while job.process.poll() is None and steps_logged(output) <= before:
        if time.monotonic() - start > START_SECONDS:
            return False
        time.sleep(0.2)
    return True


def kill_one(job, draw):
    """Kills a rank; the seconds until all were gone, or nothing where the job had ended before."""
    ranks = job.ranks()
    if job.process.poll() is not None or not ranks:
        return None
    start = time.monotonic()
    os.kill(draw.choice(ranks), signal.SIGKILL)
    while (job.process.poll() is None or any(map(alive, ranks))) and time.monotonic() - start < 60.0:
        time.sleep(0.05)
    return time.monotonic() - start


def killed_run(options, output, log, draw):
    """One run to its end, however often it is killed."""
    kills, gone, start = 0, [], time.monotonic()
    while True:
        before = steps_logged(output)
        job = Job(options, output, log)
        if not wait_for_progress(job, output, min(before, options.steps - 1)):
            job.process.terminate()
            sys.exit(f"{output}: no new step within {START_SECONDS} s of a start; see {log.name}")
        limit = time.monotonic() + draw.uniform(*options.kill_every)
        while job.process.poll() is None and time.monotonic() < limit:
            time.sleep(0.2)
        if job.process.poll() is None and (seconds := kill_one(job, draw)) is not None:
            kills += 1
            gone.append(seconds)
            if job.process.poll() == 0:
                sys.exit(f"{output}: a job with a killed rank ended with 0")
            continue
        if job.process.wait() != 0:
            sys.exit(f"{output}: ended with {job.process.returncode} without a kill; see {log.name}")
        return {"kills": kills, "slowest_end": round(max(gone, default=0.0), 1),
                "seconds": round(time.monotonic() - start)}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rallrec", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--kill-every", type=float, nargs=2, default=(30.0, 90.0), metavar=("FROM", "TO"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.rallrec, options.folder = options.rallrec.resolve(), options.folder.resolve()
    return options


def main():
    options = parse()
    options.folder.mkdir(parents=True)
    small_llm.write_model(options.folder / "model")
    small_llm.write_prompts(options.folder / "prompts.jsonl", 400)
    draw, end = random.Random(options.seed), time.monotonic() + 60.0 * options.minutes
    with open(options.folder / "output.txt", "w", encoding="utf-8") as log:
        unbroken, watched = unbroken_run(options, log)
        print(json.dumps({"unbroken": watched}), flush=True)
        expected, runs = result_of(unbroken), []
        while not runs or time.monotonic() < end:
            output = options.folder / f"killed{len(runs)}"
            run = killed_run(options, output, log, draw)
            runs.append({**run, "identical": result_of(output) == expected})
            print(json.dumps(runs[-1]), flush=True)
            (options.folder / "soak_run.json").write_text(
                json.dumps({"ranks": options.ranks, "steps": options.steps, "unbroken": watched, "runs": runs}, indent=1))
    good = watched["steady"] and all(run["identical"] and run["slowest_end"] <= 10.0 for run in runs)
    print(f"{sum(run['kills'] for run in runs)} kills in {len(runs)} runs: {'all held' if good else 'NOT all held'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
