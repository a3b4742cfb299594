#!/usr/bin/env python3
"""How far counting gets: the AUC of the share of Yes among the answers that a prompt shows.

usage: .deps/venv/bin/python tools/history_share.py PROMPTS.jsonl …

The prompts are those of a wording that shows its history as "title: Yes;" or "title: No;"
(configs/prompts/movielens_yes_no.toml), with a label each, as the prompt stage writes test.jsonl. A
tuned model that is no better than this has learnt to count.
"""

import json
import pathlib
import re
import sys

import numpy as np

SHOWN = re.compile(r": (Yes|No);")


def read(path):
    """Share of Yes (one half where nothing is shown) and label of each line."""
    shares, labels = [], []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        shown = SHOWN.findall(record["input"])
        shares.append(shown.count("Yes") / len(shown) if shown else 0.5)
        labels.append(record["label"])
    return np.array(shares), np.array(labels)


def auc(scores, labels):
    """Probability that a positive has the higher score, ties as a half."""
    values, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    positives = labels.sum()
    return (ranks[place][labels == 1].sum() - positives * (positives + 1) / 2) / (
        positives * (len(labels) - positives)
    )


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 64
    for path in sys.argv[1:]:
        shares, labels = read(path)
        print(f"{path}: {len(labels)} prompts, AUC {auc(shares, labels):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
