"""A small random Llama with a tokenizer, and inputs for the LLM's commands: the same in every run. For scripts that
drive `rallrec` and need something that trains in milliseconds."""

import json
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "tests/fixtures/tiny_tokenizer"
VOCABULARY = 292  # ids of TOKENIZER
SHAPE = {"layers": 4, "hidden": 256, "intermediate": 704, "heads": 8, "kv-heads": 2, "head-dim": 32}
WORDS = "a an old new story about river winter letter garden who likes it and why not".split()


def write_model(folder):
    shape = [f"--{name}={value}" for name, value in SHAPE.items()]
    subprocess.run([sys.executable, ROOT / "tools/write_random_model.py", folder, "--tokenizer", TOKENIZER,
                    f"--vocabulary={VOCABULARY}", "--shards=1", *shape], check=True)


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def text(draw, words):
    return " ".join(draw.choices(WORDS, k=words))


def write_prompts(path, count, seed=7):
    draw = random.Random(seed)
    write_lines(path, ({"input": text(draw, draw.randrange(5, 60)), "output": draw.choice(("Yes", "No"))}
                       for _ in range(count)))
