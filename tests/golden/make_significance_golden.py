"""Writes significance.json: tests of two systems, as scipy and the textbook double sums have them.

Usage: python make_significance_golden.py > significance.json   (numpy, scipy 1.10 or newer)
"""
import json
import sys

import numpy as np
from scipy import special, stats

SEED = 20250210


def psi(positives, negatives):
    """Of every pair: 1 where the positive stands above, 1/2 where they tie."""
    return np.sign(positives[:, None] - negatives[None, :]) / 2.0 + 0.5


def delong(labels, before, after):
    pairs = [psi(s[labels == 1], s[labels == 0]) for s in (before, after)]
    by_positive = np.cov([p.mean(axis=1) for p in pairs])
    by_negative = np.cov([p.mean(axis=0) for p in pairs])
    covariance = by_positive / pairs[0].shape[0] + by_negative / pairs[0].shape[1]
    difference = pairs[1].mean() - pairs[0].mean()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    z = difference / error
    return {"errors": [np.sqrt(covariance[0, 0]), np.sqrt(covariance[1, 1])], "difference": difference,
            "standard_error": error, "z": z, "p": 2.0 * stats.norm.sf(abs(z))}


def delong_case(rng, coarse):
    n = int(rng.integers(8, 60))
    labels = rng.integers(0, 2, n)
    labels[:4] = [0, 1, 0, 1]
    before = rng.random(n)
    after = np.clip(before + rng.normal(0.0, 0.2, n) + 0.2 * labels, 0.0, 1.0)
    if coarse:
        before, after = np.round(before * 4.0) / 4.0, np.round(after * 4.0) / 4.0
    return {"labels": labels.tolist(), "before": before.tolist(), "after": after.tolist(),
            **delong(labels, before, after)}


def t_case(rng, pairs):
    before = rng.normal(0.7, 0.01, pairs)
    after = before + rng.normal(0.005, 0.004, pairs)
    found = stats.ttest_rel(after, before)
    return {"before": before.tolist(), "after": after.tolist(), "t": found.statistic, "p": found.pvalue}


def beta_case(rng):
    a, b = 10.0 ** rng.uniform(-1.5, 2.5, 2)
    x = float(rng.random())
    return {"a": a, "b": b, "x": x, "value": special.betainc(a, b, x)}


def main():
    rng = np.random.default_rng(SEED)
    json.dump({
        "seed": SEED,
        "delong": [delong_case(rng, i % 2 == 0) for i in range(20)],
        "t_tests": [t_case(rng, pairs) for pairs in (2, 3, 5, 5, 10, 40)],
        "beta": [beta_case(rng) for _ in range(60)],
    }, sys.stdout)
    print()


if __name__ == "__main__":
    main()
