#!/usr/bin/env python3
"""The page of launch/verify_gpu.sh: its steps, and each GPU target with what was reached.

usage: gpu_report.py --results DIR --gpu NAME --targets FILE.toml
       gpu_report.py --list-benches FILE.toml

Reads DIR/steps.tsv, DIR/tests.xml and DIR/<target>.jsonl (what `rallrec bench` printed) or DIR/<target>.err, writes
docs/benchmarks/gpu_<device>_<yyyymm>.md, or DIR/gpu_none_<yyyymm>.md where NAME is none, and prints its path. Nothing
counts as reached that no GPU has shown.
"""

import argparse
import datetime
import json
import pathlib
import platform
import re
import subprocess
import tomllib
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


def targets_of(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))["target"]


def bound(target):
    return f"≤ {target['at_most']:g}" if "at_most" in target else f"≥ {target['at_least']:g}"


def met(target, ratio):
    return ratio <= target["at_most"] if "at_most" in target else ratio >= target["at_least"]


def arm_of(target, path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{") and (found := json.loads(line))["arm"] == target["arm"]:
            return found
    return None


def target_row(target, results, gpu):
    """One row: id, what, target, reached, parity error, state."""
    reached, parity, state = "–", "–", "no bench yet"
    if "bench" in target:
        lines, errors = results / f"{target['id']}.jsonl", results / f"{target['id']}.err"
        refusal = errors.read_text(encoding="utf-8") if errors.exists() else ""
        arm = arm_of(target, lines) if lines.exists() else None
        if gpu == "none":
            state = "no GPU"
        elif arm is not None:
            reached, parity = f"{arm['ratio']:.3g}", f"{arm['verified']:.1e}"
            state = "met" if met(target, arm["ratio"]) else "not met"
        elif "cannot run on CUDA yet" in refusal:
            state = "no bench on a GPU yet"
        else:
            state = "failed" if lines.exists() else "not run"
    return f"| {target['id']} | {target['what']} | {bound(target)} | {reached} | {parity} | {state} |"


def step_rows(results):
    for line in (results / "steps.tsv").read_text(encoding="utf-8").splitlines():
        name, outcome, seconds, last = line.split("\t", 3)
        note = last.replace("|", "\\|") if outcome != "passed" or name in ("driver", "repeat", "llm") else ""
        yield f"| {name} | {outcome} | {seconds} | {note} |"


def counted_tests(results):
    path = results / "tests.xml"
    if not path.exists():
        return "No tests were run."
    suite = xml.etree.ElementTree.parse(path).getroot()
    said = "".join(suite.itertext())
    skipped = len(set(re.findall(r"\[  SKIPPED \] (\S+)", said)))
    return (f"{suite.get('tests')} test programs, {suite.get('failures')} failed; in them {skipped} tests of "
            "Google Test were skipped.")


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    stated = ROOT / "COMMIT"
    return done.stdout.strip() or (stated.read_text(encoding="utf-8").strip() if stated.exists() else "unknown")


def page(results, gpu, targets):
    hardware = "no GPU" if gpu == "none" else gpu
    lines = [
        f"# Verification on {hardware}", "",
        f"`launch/verify_gpu.sh` at commit {commit()}, {datetime.date.today():%Y-%m-%d}, {platform.platform()}.", ""]
    if gpu == "none":
        lines += ["**There was no GPU: nothing here says anything about one.**", ""]
    lines += [counted_tests(results), "", "| step | outcome | seconds | |", "|---|---|---|---|", *step_rows(results), "",
              "Ratios are of two arms in one run, which agreed (parity error: the largest difference) before they were "
              "timed.", "",
              "| | ratio | target | reached | parity error | |", "|---|---|---|---|---|---|"]
    lines += [target_row(target, results, gpu) for target in targets]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--gpu", default="none")
    parser.add_argument("--targets", type=pathlib.Path)
    parser.add_argument("--list-benches", type=pathlib.Path)
    options = parser.parse_args()
    if options.list_benches:
        for target in targets_of(options.list_benches):
            if "bench" in target:
                print(f"{target['id']}\t{target['bench']}")
        return
    device = re.sub(r"\W+", "_", options.gpu.lower()).strip("_")
    folder = options.results if options.gpu == "none" else ROOT / "docs/benchmarks"
    path = folder / f"gpu_{device}_{datetime.date.today():%Y%m}.md"
    path.write_text(page(options.results, options.gpu, targets_of(options.targets)), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
