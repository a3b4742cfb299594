"""Compares ingest, tokenize and auc with what a person would use instead, in one run.

usage: data.py [--work ingest,tokenize,auc] [--rallrec BINARY] [--repeats 5] [--threads 2] [--ranks 1]
               [--ml1m DIR] [--tokenizer DIR --texts F.jsonl] [--scores 10000000]

ingest    the raw MovieLens-1M folder DIR to histories, samples and splits, against pandas: one pass
          of iterrows over the ratings in time order (the authors' notebook makes four)
tokenize  the {"text"} lines of F.jsonl on one thread, against Hugging Face's tokenizers
auc       random scores with ties, against scikit-learn's roc_auc_score; --ranks shares them out

Arms alternate. Each prints one JSON line with median seconds, spread, work, rate, the difference of
the results and the ratio; no time is printed where results differ.

Install: python3 -m venv V && V/bin/pip install -r bench/compare/requirements.txt
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

MIN_HISTORY = 5
LABEL_ABOVE = 3


class Ours:
    """The program's own bench; one timed run per call, so that arms alternate."""

    def __init__(self, args):
        self.args = args

    def run(self, name, *options, threads=None, ranks=1):
        line = ["mpirun", "-n", str(ranks), "--bind-to", "none"] if ranks > 1 else []
        line += [self.args.rallrec, "bench", name, "--repeats", "1"]
        line += ["--threads", str(threads or self.args.threads // ranks), *map(str, options)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(line)}\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[0])


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def iterrows_samples(folder):
    """Histories and samples as a script with iterrows makes them: (users, items, samples)."""
    import pandas as pd

    ratings = pd.read_csv(
        folder / "ratings.dat",
        sep="::",
        engine="python",
        encoding="latin-1",
        names=["user", "item", "rating", "timestamp"],
    )
    ratings = ratings.sort_values(["timestamp", "user", "item"], kind="stable")
    histories, samples = {}, []
    for _, row in ratings.iterrows():
        history = histories.setdefault(row["user"], [])
        if len(history) >= MIN_HISTORY:
            label = int(row["rating"] > LABEL_ABOVE)
            samples.append((row["user"], row["item"], label, len(history)))
        history.append(row["item"])
    return len(histories), len(samples)


def ingest(args, ours):
    folder = pathlib.Path(args.ml1m)
    settings = ["data.dataset=movielens-1m", f"data.path={folder}"]
    settings += [f"data.min_history={MIN_HISTORY}", f"data.label_threshold={LABEL_ABOVE}"]
    options = [x for setting in settings for x in ("--set", setting)]

    def mine():
        line = ours.run("ingest", *options)
        return (line["users"], line["samples"]), line["seconds"], line["work"]

    return mine, lambda: timed(lambda: iterrows_samples(folder)), "pandas iterrows"


def tokenize(args, ours):
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts = [json.loads(x)["text"] for x in pathlib.Path(args.texts).read_text().splitlines()]
    theirs = Tokenizer.from_file(f"{args.tokenizer}/tokenizer.json")
    options = ["--model", args.tokenizer, "--input", args.texts, "--count", len(texts)]

    def mine():
        line = ours.run("tokenize", *options, threads=1)
        return (line["tokens"], line["sum_of_ids"]), line["seconds"], line["work"]

    def encode():
        tokens = total = 0
        for text in texts:
            ids = theirs.encode(text, add_special_tokens=False).ids
            tokens += len(ids)
            total += sum(ids)
        return tokens, total

    return mine, lambda: timed(encode), "tokenizers"


def auc(args, ours):
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(1)
    labels = (random.random(args.scores) < 0.4).astype(np.float32)
    scores = 1 / (1 + np.exp(-(random.normal(size=args.scores) + labels)))
    samples = np.stack([scores.astype(np.float32), labels], axis=1)
    path = pathlib.Path(args.folder) / "samples.npy"
    np.save(path, samples)
    wide, narrow = samples[:, 0].astype(np.float64), samples[:, 1].astype(np.int64)

    def mine():
        line = ours.run("auc", "--input", path, ranks=args.ranks)
        return (line["auc"],), line["seconds"], line["work"]

    return mine, lambda: timed(lambda: (roc_auc_score(narrow, wide),)), "scikit-learn"


def compare(name, args, ours):
    mine, theirs, peer = {"ingest": ingest, "tokenize": tokenize, "auc": auc}[name](args, ours)
    seconds = {"rallrec": [], peer: []}
    for _ in range(args.repeats):
        my_result, my_seconds, work = mine()
        their_result, their_seconds = theirs()
        apart = max(abs(a - b) for a, b in zip(my_result, their_result))
        if not apart <= 1e-12:
            raise SystemExit(f"{name}: {my_result} here, {their_result} there: no time is printed")
        seconds["rallrec"].append(my_seconds)
        seconds[peer].append(their_seconds)
    medians = {arm: statistics.median(values) for arm, values in seconds.items()}
    for arm, median in medians.items():
        line = {"bench": name, "arm": arm, "seconds": median}
        line["spread"] = [min(seconds[arm]), max(seconds[arm])]
        line.update({"work": work, "rate": work / median, "verified": apart})
        line.update({"ratio": medians[peer] / median, "threads": args.threads})
        line["ranks"] = args.ranks if arm == "rallrec" and name == "auc" else 1
        print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", default="auc")
    parser.add_argument("--rallrec", default="build/rallrec")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--ml1m", help="folder with ratings.dat, movies.dat, users.dat")
    parser.add_argument("--tokenizer", help="folder with tokenizer.json")
    parser.add_argument("--texts", help="JSON lines with a text each")
    parser.add_argument("--scores", type=int, default=10_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args.folder = folder
        for name in args.work.split(","):
            compare(name, args, Ours(args))


if __name__ == "__main__":
    sys.exit(main())
