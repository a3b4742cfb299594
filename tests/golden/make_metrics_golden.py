"""Writes metrics.json: scores with ties and extremes, and what scikit-learn says about them.

Usage: python make_metrics_golden.py > metrics.json   (scikit-learn 1.5 or newer, numpy)
"""
import json
import sys
import warnings

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

warnings.simplefilter("ignore", FutureWarning)


def make_case(rng, kind):
    n = int(rng.integers(2, 40))
    labels = rng.integers(0, 2, n)
    labels[:2] = [0, 1]
    if kind == "coarse":  # many ties, exact halves
        scores = rng.integers(0, 5, n) / 4.0
    elif kind == "extreme":  # values that the clipping changes
        scores = rng.choice([0.0, 1.0, 1e-300, 1e-17, 1.0 - 2.0**-53, 0.3], n)
    else:
        scores = rng.random(n)
    return labels, scores


def main():
    rng = np.random.default_rng(20240607)
    cases = []
    for i in range(60):
        labels, scores = make_case(rng, ["coarse", "extreme", "smooth"][i % 3])
        cases.append({
            "labels": labels.tolist(),
            "scores": scores.tolist(),
            "auc": roc_auc_score(labels, scores),
            "log_loss": log_loss(labels, scores),
            "accuracy": accuracy_score(labels, scores > 0.5),
        })
    json.dump({"seed": 20240607, "cases": cases}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
