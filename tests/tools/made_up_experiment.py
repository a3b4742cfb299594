"""Writes the results of a made-up experiment: four systems of a table, one with a failed cell, and
cells that are swept over a number and over a word."""
import json
import os

from made_up_run import HOSTILE, put

PUBLISHED = {"auc": 0.7772, "log_loss": 0.6102, "accuracy": 0.6904, "log_loss_is_squashed": True}
STAGES = {"ingest": {"seconds": 2.0, "shared": True}, "tune": {"seconds": 80.0, "shared": False},
          "infer": {"seconds": 60.0, "shared": False}}


def metric(values):
    return {"mean": sum(values) / len(values), "sd": 0.0042 if len(values) > 1 else None, "values": values}


def row(system, auc, sweep=None, **more):
    return {"system": system, "label": system.upper(), "sweep": sweep or {}, "model": "made-up-135m",
            "baseline": False, "seeds": [1, 2], "failed": 0, "error": "", "train_prompts": 512, "n": 2000,
            "metrics": {"auc": metric([auc - 0.01, auc + 0.01]), "log_loss": metric([1.3 - auc]),
                        "accuracy": metric([auc - 0.1])}, "full": None, "published": None, "seconds": 142.0, **more}


def comparison(system, difference):
    return {"reference": "ours", "system": system, "sweep": {}, "metric": "auc", "n": 2000, "seeds": [1, 2],
            "difference": difference, "bootstrap": [difference - 0.0123, difference + 0.0123],
            "t_test": {"seeds": 2, "t": 3.1, "df": 1, "p": 0.2, "p_holm": 0.4},
            "delong": [{"seed": 1, "z": 2.1, "p": 0.036, "p_holm": 0.072}, {"seed": 2, "z": 0.1, "p": 0.9, "p_holm": 1.0}]}


def cell(number, entry, status="done", error=""):
    return {"experiment": "made_up", "dataset": "small", "system": entry["system"], "label": entry["label"],
            "sweep": entry["sweep"], "seed": 1, "status": status, "error": error, "model": entry["model"],
            "train_prompts": 512, "run_dir": f"cells/{number}", "stages": STAGES if status == "done" else {},
            "seconds": 140.0}


def rows():
    plain = [row("ours", 0.6543, published=PUBLISHED), row("other", 0.6012), row("third", 0.5511),
             row("broken", 0.5, failed=2, metrics={}, published=PUBLISHED)]
    by_k = [row(name, 0.6 + 0.002 * k, {"prompt.k": k}) for name in ("ours_by_k", "other_by_k") for k in (5, 10)]
    by_view = [row(name, 0.61, {"prompt.test_view": view}) for name in ("on_high", "on_simple")
               for view in ("high", "rerank")]
    helper = [row("trains", 0.99, helper=True)]
    return plain + by_k + by_view + helper


def main(folder, table="table1"):
    entries = rows()
    cells = [cell(number, entry) for number, entry in enumerate(entries)]
    cells[3] = cell(3, entries[3], "failed", HOSTILE)
    put(folder, "results.jsonl", "".join(json.dumps(entry) + "\n" for entry in cells))
    steps = "".join(json.dumps({"step": i + 1, "loss": 2.0 / (i + 1)}) + "\n" for i in range(20))
    put(folder, "cells/0/tune/metrics.jsonl", steps)
    put(folder, "cells/0/report.html", "a page")
    put(folder, "summary.json", json.dumps({
        "experiment": "made_up", "title": "A made-up table", "table": table, "reference": "ours", "seeds": [1, 2],
        "source": "a paper", "published_model": "Another-8B", "cells": {"all": 12, "done": 11, "failed": 1},
        "cost": {"seconds": 1562.0, "stages": {"tune": {"ran": 11, "shared": 0, "seconds": 880.0}}},
        "datasets": [{"dataset": "small", "data": "made-up-data", "common_rows": 2000, "published_as": "large",
                      "published_p": {"auc": 3e-6, "log_loss": None, "accuracy": 2.6e-3}, "rows": entries,
                      "comparisons": [comparison("other", 0.0531), comparison("third", 0.1032)],
                      "best_other": {"auc": {"system": "other", "star": True}}}]}))


if __name__ == "__main__":
    import sys
    os.makedirs(sys.argv[1], exist_ok=True)
    main(sys.argv[1])
