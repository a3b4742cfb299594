"""Compares tune, embed and infer with transformers + PEFT on the same prompts in one run.

usage: llm.py --model DIR --prompts F.jsonl [--rallrec BINARY] [--work tune,tune_sorted,embed,infer]
              [--count 64] [--repeats 5] [--threads 2] [--ranks 1] [--dtype float32|bfloat16] [--quant MODE]

--dtype is the competitor's; --quant is ours where it is to be another one (w8a8). --ranks N runs ours under
mpirun on N ranks, which share the threads out; the competitor is one process with all of them.

The competitor runs as its documentation recommends and as people run it: padded batches of 4, full
logits, AdamW for tune; length-sorted batches for embed; one two-token `generate` per prompt for infer.
Two more works: tune_sorted is tune against the competitor's best setting, length-sorted in the largest
batches that fit (--batch-tokens, padded); embed_generate is embed against the authors' `generate` of 256
tokens per item, on the first --generate-items rows, since each takes seconds.
Arms alternate (A B A B …). Each arm prints one JSON line with the median seconds of its timed part
(loading left out on both sides) and the ratio. Before a time is printed the results are compared:
loss of the first step (tune), cosine (embed), P(yes) (infer).

Install: python3 -m venv V && V/bin/pip install -r bench/compare/requirements.txt
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from competitor import Competitor

# Largest accepted difference to the competitor, who has no 8-bit base: relative loss in tune, 1 - cosine
# in embed, P(yes) in infer. At equal fp32 the losses agree to 2e-5; w8a8 moves SmolLM2's zero-shot
# loss by 8 %, which is its rounding and not another computation.
# A work's arm here is the part before the underscore.
TOLERANCE = {"tune": 0.05, "embed": 0.01, "infer": 0.05}
TOLERANCE_W8A8 = {"tune": 0.10, "embed": 0.01, "infer": 0.05}


def read_jsonl(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


class Ours:
    """The program; seconds are those it reports for the work itself, loading left out."""

    def __init__(self, args, folder):
        self.args, self.folder = args, pathlib.Path(folder)
        self.quant = args.quant or {"float32": "fp32", "bfloat16": "bf16"}[args.dtype]

    def run(self, command, *options):
        ranks = self.args.ranks
        line = ["mpirun", "-n", str(ranks), "--bind-to", "none"] if ranks > 1 else []
        line += [self.args.rallrec, command, "--model", self.args.model, "--quant", self.quant]
        line += ["--threads", str(self.args.threads // ranks), *map(str, options)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(line)}\n{done.stderr}")
        work = re.search(r"(\d+) tokens (?:embedded|scored) on \S+ in ([\d.]+) s", done.stderr)
        return {"tokens": int(work[1]), "seconds": float(work[2])} if work else {}

    def write(self, rows):
        path = self.folder / "prompts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def tune(self, rows):
        output = self.folder / "tune"
        settings = {"tune.max_steps": 2, "tune.batch_size": len(rows), "prompt.chat_format": "chatml"}
        options = [x for key, value in settings.items() for x in ("--set", f"{key}={value}")]
        prompts = self.write(rows)
        self.run("tune", "--train", prompts, "--output", output, "--resume", "never", *options)
        first, second = read_jsonl(output / "metrics.jsonl")[:2]
        # The competitor's process has warmed up in loading and in earlier repeats; ours is new.
        return first["loss"], second["seconds"], second["tokens"]

    def embed(self, rows):
        texts = self.folder / "texts.jsonl"
        texts.write_text("".join(json.dumps({"text": row["input"]}) + "\n" for row in rows))
        report = self.run("embed", "--input", texts, "--output", self.folder / "e.npy")
        return np.load(self.folder / "e.npy"), report["seconds"], report["tokens"]

    def infer(self, rows):
        scored = self.folder / "scores.jsonl"
        report = self.run("infer", "--input", self.write(rows), "--output", scored)
        scores = np.array([row["score"] for row in read_jsonl(scored)])
        return scores, report["seconds"], report["tokens"]


def difference(work, ours, theirs):
    if work == "tune":
        return abs(ours - theirs) / abs(theirs)
    if work == "embed":
        norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        return float(1 - ((ours * theirs).sum(1) / norms).min())
    return float(np.abs(ours - theirs).max())


def compare(work, args, competitor, ours, rows):
    kind = work.split("_")[0]
    if work == "embed_generate":
        rows = rows[: args.generate_items]
    seconds = {"rallrec": [], "transformers": []}
    for _ in range(args.repeats):
        mine, mine_seconds, tokens = getattr(ours, kind)(rows)
        theirs, their_seconds, their_tokens = getattr(competitor, work)(rows)
        if tokens != their_tokens:
            raise SystemExit(f"{work}: {tokens} tokens here, {their_tokens} there: not the same work")
        seconds["rallrec"].append(mine_seconds)
        seconds["transformers"].append(their_seconds)
    apart = difference(kind, mine, theirs)
    accepted = TOLERANCE_W8A8 if ours.quant == "w8a8" else TOLERANCE
    if not apart <= accepted[kind]:
        raise SystemExit(f"{work}: results differ by {apart}: no time is printed")
    medians = {arm: statistics.median(values) for arm, values in seconds.items()}
    for arm, median in medians.items():
        line = {
            "bench": work,
            "arm": arm,
            "seconds": median,
            "spread": [min(seconds[arm]), max(seconds[arm])],
            "work": tokens,
            "rate": tokens / median,
            "verified": apart,
            "ratio": medians["transformers"] / median,
            "prompts": len(rows),
            "threads": args.threads,
            "ranks": args.ranks if arm == "rallrec" else 1,
            "dtype": ours.quant if arm == "rallrec" else args.dtype,
        }
        print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--rallrec", default="build/rallrec")
    parser.add_argument("--work", default="tune,embed,infer")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--quant", choices=["fp32", "bf16", "w8a8"])
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--generate-items", type=int, default=4)
    args = parser.parse_args()
    rows = read_jsonl(args.prompts)[: args.count]
    competitor = Competitor(args.model, args.threads, args.dtype, args.batch_tokens)
    with tempfile.TemporaryDirectory() as folder:
        for work in args.work.split(","):
            compare(work, args, competitor, Ours(args, folder), rows)


if __name__ == "__main__":
    sys.exit(main())
