#!/usr/bin/env python3
"""Draws what `rallrec bench scaling` measured: rate and efficiency over ranks with the ideal, bytes and overlap.

usage: plot_scaling.py SCALING.json OUTPUT.png

Points whose ranks share cores are hollow: they say nothing about scaling.
"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

INK, IDEAL = "#2563c9", "#9aa5b1"


def draw(axes, ranks, values, hollow, title, ideal=None):
    """A value that is None, where nothing was gathered, has no point."""
    if ideal:
        axes.plot(ranks, ideal, color=IDEAL, linestyle="--", label="ideal")
    points = [(x, y, shared) for x, y, shared in zip(ranks, values, hollow) if y is not None]
    axes.plot([x for x, _, _ in points], [y for _, y, _ in points], color=INK, label="measured")
    for x, y, shared in points:
        axes.plot(x, y, "o", color=INK, markerfacecolor="white" if shared else INK)
    axes.set(title=title, xlabel="ranks", xticks=ranks)
    axes.set_ylim(bottom=0)
    axes.grid(color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    if ideal:
        axes.legend(frameon=False)


def main():
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        points = json.load(file)
    ranks = [point["ranks"] for point in points]
    hollow = [point["oversubscribed"] != 0 for point in points]
    first = points[0]["rate"] / ranks[0]
    figure, ((rate, efficiency), (moved, overlap)) = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    draw(rate, ranks, [p["rate"] for p in points], hollow, "work per second", [first * n for n in ranks])
    draw(efficiency, ranks, [p["efficiency"] for p in points], hollow, "efficiency", [1] * len(ranks))
    megabytes = [(p.get("sent_bytes", 0) + p.get("gathered_bytes", 0)) / 1e6 for p in points]
    draw(moved, ranks, megabytes, hollow, "MB sent and gathered per pass (largest rank)")
    hidden = [p["overlap"] if p.get("gather_seconds") else None for p in points]
    draw(overlap, ranks, hidden, hollow, "part of the gathers that was hidden")
    overlap.set_ylim(0, 1)
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
