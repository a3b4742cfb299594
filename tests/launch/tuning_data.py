"""A tiny model and made-up prompts whose first word decides the answer, for tune."""

import json
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPE = "--layers 4 --hidden 64 --intermediate 128 --heads 4 --kv-heads 2 --head-dim 16 --vocabulary 300"
# Six layers of 200 KB in int8, against 0.3 MB of everything else that ranks exchange in a step.
WIDE_SHAPE = "--layers 6 --hidden 128 --intermediate 384 --heads 4 --kv-heads 2 --head-dim 32 --vocabulary 300"


def write_model(folder, shape=SHAPE):
    tokenizer = ROOT / "tests" / "fixtures" / "tiny_tokenizer"
    line = [sys.executable, ROOT / "tools" / "write_random_model.py", folder, "--tokenizer", tokenizer]
    line += [*shape.split(), "--shards", "1"]
    subprocess.run([str(word) for word in line], check=True, capture_output=True)
    return folder


def write_prompts(path, count):
    draw = random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(count):
            answer = draw.choice(("Yes.", "No."))
            words = ["good" if answer == "Yes." else "bad"]
            words += draw.choices(("red", "green", "long", "film"), k=draw.randint(3, 14))
            file.write(json.dumps({"input": " ".join(words) + "?", "output": answer}) + "\n")
    return path


def tune_words(folder, output, steps):
    """The words after `rallrec` that train for `steps` steps into folder/output."""
    settings = {"batch_size": 64, "token_budget": 256, "learning_rate": 0.01, "max_steps": steps}
    settings["checkpoint_every"] = 1000000  # none but those that are asked for
    words = ["tune", "--model", folder / "model", "--train", folder / "train.jsonl", "--quant", "w8a8"]
    words += ["--output", folder / output]
    for key, value in settings.items():
        words += ["--set", f"tune.{key}={value}"]
    return [str(word) for word in words]


def steps_done(output):
    """The lines of metrics.jsonl without their times; a line that is being written is left out."""
    path = pathlib.Path(output) / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [line[: line.index(', "seconds"')] for line in lines]


def adapter(output):
    return (pathlib.Path(output) / "adapter" / "adapter_model.safetensors").read_bytes()
