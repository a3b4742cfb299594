"""Writes a made-up but complete run folder: rows, titles and scores from a seeded generator.

    python tests/tools/made_up_run.py FOLDER
"""
import json
import math
import os
import random
import sys

import made_up_tables

STAGES = {
    "ingest": (0.4, {"interactions": 20000, "users": 500, "items": 800, "samples": 17500, "train": 14000,
                     "valid": 1750, "test": 1750, "test positive rate": 0.5617}),
    "describe": (95.2, {"items": 800, "tokens": 38400}),
    "embed": (20.8, {"texts": 1600, "tokens": 90210}),
    "light_gcn": (12.5, {"epochs": 60, "edges": 12000}),
    "align": (3.1, {"steps": 300, "loss": 4.512345}),
    "retrieve": (0.9, {"samples": 3000}),
    "prompt": (1.7, {"train prompts": 1024, "test prompts": 600}),
    "tune": (182.4, {"steps": 64, "prompts": 512}),
    "infer": (81.0, {"prompts": 600, "zero-shot prompts": 600}),
    "evaluate": (0.2, {"prompts": 600}),
}
HOSTILE = "<script>alert('x')</script> & \"quotes\" \x07 {{ 7 * 7 }}"


def put(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def write_scores(folder, rng, count):
    tuned, zero_shot = [], []
    for i in range(count):
        quality = rng.gauss(0.3, 1)
        label = int(rng.random() < sigmoid(quality))
        items = [f"Made-up film {rng.randrange(800)} (19{rng.randrange(60, 99)}) ({rng.randrange(1, 6)} stars)"
                 for _ in range(10)]
        title = HOSTILE if i == 7 else f"Invented picture {i}"
        prompt = ("The user is female. The user's job is: writer.\nThese are films seen by the user that "
                  f"are relevant here, each with the user's rating:\n{items!r}\n"
                  f"Judging by this list, will the user like the film ***{title}***, yes or no?")
        record = {"input": prompt, "output": "Yes." if label else "No.", "label": label,
                  "user": f"u{i % 97}", "item": f"i{i % 311}", "timestamp": 880000000 + 86400 * i,
                  "sample": i % 140, "view": "rerank"}
        hostile_score = {7: 0.999}.get(i)
        tuned.append({**record, "score": hostile_score or sigmoid(1.1 * quality + rng.gauss(0, 0.6))})
        zero_shot.append({**record, "score": sigmoid(0.9 + 0.3 * quality + rng.gauss(0, 0.8))})
    for name, rows in (("scores", tuned), ("zero_shot_scores", zero_shot)):
        put(folder, f"infer/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def main(folder):
    rng = random.Random(7)
    put(folder, "config.resolved.toml",
        'mode = "clean"\n\n[data]\ndataset = "atomic"\n\n[model]\npath = "models/made-up-135m"\nquant = "auto"\n'
        '\n[prompt]\nk = 3\n')
    put(folder, "environment.json", json.dumps({
        "rallrec": {"version": "0.1.0", "commit": "0123abc"}, "libtorch": "2.11.0", "ranks": 2,
        "threads_per_rank": 1, "hosts": ["node1", "node1"], "cpu": {"model": "made-up CPU", "cores": 2, "instructions": ["fma", "avx2"]}}))
    for stage, (seconds, summary) in STAGES.items():
        put(folder, f"{stage}/manifest.json", json.dumps({
            "format_version": 1, "stage": stage, "seconds": seconds, "ranks": 2, "threads": 1,
            "summary": summary}))
    steps = [{"step": i + 1, "epoch": i / 32, "loss": 0.25 + 2.2 * math.exp(-i / 9) + rng.gauss(0, 0.04),
              "learning_rate": 5e-4 * (1 - i / 64), "tokens": 4096, "seconds": 2.8,
              **({"valid_loss": 0.3 + 2.0 * math.exp(-i / 9)} if i % 8 == 7 else {})} for i in range(64)]
    put(folder, "tune/metrics.jsonl", "".join(json.dumps(row) + "\n" for row in steps))
    write_scores(folder, rng, 600)
    made_up_tables.main(folder)
    put(folder, "evaluate/metrics.json", json.dumps({
        "tuned": {"n": 600, "positive_rate": 0.56, "auc": 0.7312, "log_loss": 0.6021, "accuracy": 0.671,
                  "intervals": {"auc": [0.69, 0.7702], "log_loss": [0.57, 0.634], "accuracy": [0.634, 0.708]}},
        "zero_shot": {"n": 600, "positive_rate": 0.56, "auc": 0.5624, "log_loss": 0.7423, "accuracy": 0.568,
                      "intervals": {"auc": [0.519, 0.608], "log_loss": None, "accuracy": [0.53, 0.607]}},
        "tuned_minus_zero_shot": {"n": 600, "auc": 0.1688, "log_loss": -0.1402, "accuracy": 0.103,
                                  "intervals": {"auc": [0.1203, 0.2211], "log_loss": None,
                                                "accuracy": [0.0521, 0.1517]}}}))


if __name__ == "__main__":
    main(sys.argv[1])
