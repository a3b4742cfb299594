#!/usr/bin/env python3
"""Runs the fuzz targets of build-fuzz on their corpora in tests/fuzz/corpus, several at a time.

Each target first gets every file of its corpus, then what libFuzzer makes of them, for --seconds or for --runs. An
input that ends a target by a crash, an uncaught error, a hang or a leak is a finding: it is kept in build-fuzz/findings,
named, and the exit code is 1. Put it into the corpus together with the mend. Prints one JSON line per target.

usage: tools/fuzz.py [--seconds 60 | --runs 1000000] [--jobs 2] [--seed 1] [TARGET...]
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"


def targets():
    return sorted(path.name[len("fuzz_"):] for path in BUILD.glob("fuzz_*") if path.is_file())


def command(target, options):
    grown = BUILD / "corpus" / target
    findings = BUILD / "findings" / target
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    limit = f"-runs={options.runs}" if options.runs else f"-max_total_time={options.seconds}"
    return [str(BUILD / f"fuzz_{target}"), limit, f"-seed={options.seed}", "-timeout=5", "-rss_limit_mb=2048",
            "-max_len=2048", "-print_final_stats=1", f"-artifact_prefix={findings}/", str(grown), str(CORPUS / target)]


def run(target, options):
    started = time.monotonic()
    ended = subprocess.run(command(target, options), capture_output=True, text=True, errors="replace")
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", ended.stderr)
    covered = re.findall(r"cov: (\d+)", ended.stderr)
    line = {"target": target, "executions": int(executed[1]) if executed else 0,
            "seconds": round(time.monotonic() - started, 1), "edges": int(covered[-1]) if covered else 0,
            "finding": None}
    if ended.returncode != 0:
        kept = re.search(r"Test unit written to (\S+)", ended.stderr)
        line["finding"] = kept[1] if kept else f"exit code {ended.returncode}"
    return line, ended.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="of each target [60]")
    parser.add_argument("--runs", type=int, default=0, help="executions of each target, instead of --seconds")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time [2]")
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer [1]")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="[all]")
    options = parser.parse_args()
    built = targets()
    chosen = options.targets or built
    missing = [target for target in chosen if target not in built]
    if missing or not built:
        sys.exit(f"fuzz: {', '.join(missing) or 'no target'} in {BUILD}: cmake --preset fuzz && "
                 f"cmake --build --preset fuzz; there are {', '.join(built) or 'none'}")
    failed = False
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for line, log in pool.map(lambda target: run(target, options), chosen):
            print(json.dumps(line), flush=True)
            if line["finding"]:
                failed = True
                print(log[-6000:], file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
