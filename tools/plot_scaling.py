#!/usr/bin/env python3
"""Draws what `rallrec bench scaling` measured: rate and efficiency over ranks, with the ideal.

usage: plot_scaling.py SCALING.json OUTPUT.png

Points whose ranks share cores are hollow: they say nothing about scaling.
"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

INK, IDEAL = "#2563c9", "#9aa5b1"


def draw(axes, ranks, values, hollow, ideal, title):
    axes.plot(ranks, ideal, color=IDEAL, linestyle="--", label="ideal")
    axes.plot(ranks, values, color=INK, label="measured")
    for x, y, shared in zip(ranks, values, hollow):
        axes.plot(x, y, "o", color=INK, markerfacecolor="white" if shared else INK)
    axes.set(title=title, xlabel="ranks", xticks=ranks)
    axes.set_ylim(bottom=0)
    axes.grid(color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def main():
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        points = json.load(file)
    ranks = [point["ranks"] for point in points]
    hollow = [point["oversubscribed"] != 0 for point in points]
    first = points[0]["rate"] / ranks[0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    draw(left, ranks, [p["rate"] for p in points], hollow, [first * n for n in ranks], "work per second")
    draw(right, ranks, [p["efficiency"] for p in points], hollow, [1] * len(ranks), "efficiency")
    cores = points[0]["cores_per_node"]
    shared = " · hollow: more threads than cores" if any(hollow) else ""
    figure.suptitle(
        f"{points[0]['stage']}, {points[0]['mode']} · {points[0]['hardware']['cpu']}, "
        f"{cores:g} cores per node{shared}",
        fontsize=9,
    )
    figure.savefig(output, dpi=150)


if __name__ == "__main__":
    main()
