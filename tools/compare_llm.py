#!/usr/bin/env python3
"""The LLM's commands on a GPU against the same commands on the CPU, on a small random model.

usage: compare_llm.py --rallrec FILE --folder DIR [--device cuda|cpu]

logits in every quantisation, embed, tune and infer. The device's run twice must give the same bytes (D1), and what the
CPU gives to within a bound: of the largest value in the comparison for logits and vectors, as such for scores. Prints a
line per comparison with what was found, and one that sums up. DIR must not exist. With --device cpu the two sides are
the same computation, which shows that this script works and nothing more.

ends with  0 all agree · 1 a command failed or a difference is over its bound
"""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys

import numpy as np

import small_llm

# Of the largest logit. Where inputs of products are rounded to 8 or 16 bits, they may go the other way where a sum's
# last bit is another one.
LOGIT_BOUNDS = {"fp32": 1e-4, "bf16": 1e-2, "w8a8": 1.5e-2, "w8a16": 1.5e-2, "llm_int8": 1.5e-2}
VECTOR_BOUND = 1.5e-2
SCORE_BOUND = 2e-2


def write_inputs(folder):
    small_llm.write_model(folder / "model")
    draw = random.Random(7)
    lengths = [1, 2, 63, 64, 65, 300, *(draw.randrange(1, 200) for _ in range(18))]
    small_llm.write_lines(folder / "ids.jsonl",
                          ({"ids": [draw.randrange(small_llm.VOCABULARY) for _ in range(length)]}
                           for length in lengths))
    small_llm.write_lines(folder / "texts.jsonl",
                          ({"text": small_llm.text(draw, draw.randrange(1, 60))} for _ in range(20)))
    small_llm.write_prompts(folder / "prompts.jsonl", 32)


class Commands:
    def __init__(self, rallrec, folder):
        self.rallrec, self.folder = rallrec, folder

    def run(self, command, device, *arguments):
        line = [str(self.rallrec), command, "--model", str(self.folder / "model"), "--device", device, "--quiet",
                *map(str, arguments)]
        print("$", *line, flush=True)
        if subprocess.run(line, check=False).returncode != 0:
            sys.exit(f"failed: {' '.join(line)}")

    def logits(self, device, quant, output):
        self.run("logits", device, "--quant", quant, "--input", self.folder / "ids.jsonl", "--output", output)
        data = output.read_bytes()
        (size,) = struct.unpack_from("<Q", data)
        return np.frombuffer(data, "<f4", offset=8 + size)

    def embed(self, device, output):
        self.run("embed", device, "--quant", "w8a8", "--input", self.folder / "texts.jsonl", "--output", output)
        return np.load(output)

    def adapter(self, device, output):
        """Two optimizer steps; the adapter's file."""
        self.run("tune", device, "--quant", "w8a8", "--train", self.folder / "prompts.jsonl", "--output", output,
                 "--set", "tune.batch_size=16", "--set", "tune.max_steps=2", "--set", "tune.learning_rate=1e-2")
        return output / "adapter"

    def scores(self, device, adapter, output):
        self.run("infer", device, "--quant", "w8a8", "--adapter", adapter, "--input", self.folder / "prompts.jsonl",
                 "--output", output)
        return np.array([json.loads(line)["score"] for line in output.read_text(encoding="utf-8").splitlines()])


class Findings:
    def __init__(self):
        self.bad, self.count = 0, 0

    def near(self, what, got, want, scale, bound):
        self.count += 1
        error = float(np.abs(got - want).max() / scale) if got.shape == want.shape else float("inf")
        good = error <= bound  # not so for a NaN
        self.bad += not good
        print(f"{what}: largest difference {error:.1e}, bound {bound:g}{'' if good else '  FAILED'}", flush=True)

    def same_bytes(self, what, one, other):
        self.count += 1
        good = one.read_bytes() == other.read_bytes()
        self.bad += not good
        print(f"{what}: {'the same bytes twice' if good else 'other bytes the second time  FAILED'}", flush=True)


def compare(commands, device, findings):
    folder = commands.folder
    for quant, bound in LOGIT_BOUNDS.items():
        files = [folder / f"logits_{quant}_{run}.safetensors" for run in ("cpu", "1", "2")]
        want, got, _ = (commands.logits(place, quant, file) for place, file in zip(("cpu", device, device), files))
        findings.near(f"logits, {quant}", got, want, np.abs(want).max(), bound)
        findings.same_bytes(f"logits, {quant}", *files[1:])
    files = [folder / f"vectors_{run}.npy" for run in ("cpu", "1", "2")]
    want, got, _ = (commands.embed(place, file) for place, file in zip(("cpu", device, device), files))
    findings.near("embed", got, want, np.abs(want).max(), VECTOR_BOUND)
    findings.same_bytes("embed", *files[1:])
    adapters = [commands.adapter(place, folder / f"tune_{run}")
                for place, run in (("cpu", "cpu"), (device, "1"), (device, "2"))]
    findings.same_bytes("tune", *(adapter / "adapter_model.safetensors" for adapter in adapters[1:]))
    # Each adapter scored on the CPU, so that what differs comes from tune alone; then infer's own difference.
    want, got = (commands.scores("cpu", adapter, folder / f"scores_{i}.jsonl")
                 for i, adapter in enumerate(adapters[:2]))
    findings.near("tune, by its adapter's scores", got, want, 1.0, SCORE_BOUND)
    findings.near("infer", commands.scores(device, adapters[0], folder / "scores_device.jsonl"), want, 1.0, SCORE_BOUND)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rallrec", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    write_inputs(options.folder)
    findings = Findings()
    compare(Commands(options.rallrec.resolve(), options.folder), options.device, findings)
    if findings.bad:
        sys.exit(f"{findings.bad} of {findings.count} comparisons of {options.device} with the CPU failed")
    print(f"logits in {len(LOGIT_BOUNDS)} quantisations, embed, tune, infer: {findings.count} comparisons hold")


if __name__ == "__main__":
    main()
