"""Measures every figure of a page docs/benchmarks/engine_<processor>_<yyyymm>.md in one go.

usage: .deps/venv/bin/python bench/engine_table.py --compare V [--out runs/engine_table] [--only NAME,...]
                                                   [--link MB/S] [--bf16]

After `make demo`: it builds nothing, makes its prompts from the demo's stages and takes the demo's
model. V is a Python environment with bench/compare/requirements.txt. Each row is one command
(docs/benchmarks/engine.md says what its arms are); its JSON lines go to OUT/<name>.jsonl, and a row
whose file is there is not run again. At the end all rows are printed as a Markdown table.

--link is the rate of the slow link: less than what the layers of a step need to cross it while
they are computed (the row's `link_seconds` against its `seconds`). --bf16 adds the rows that mean
something only on a processor with bf16 instructions. Run it on an otherwise idle machine.
"""

import json
import os
import pathlib
import shutil
import statistics
import sys

from table import RALLREC, measure_page, on_ranks, parser_of, run

MODEL = ".deps/models/SmolLM2-135M-Instruct"
# Prompts of these history lengths, so that token counts spread as those of a data set's users do; of
# the first eight of each with 300 to 1,000 tokens, these of the 32 in all.
HISTORY_LENGTHS = (20, 40, 60, 90)
PROMPTS = (1, 9, 13, 19, 20, 27, 28, 31)
TOKENS = (300, 1000)
NOTES = ("share_of_registers", "share_of_allowed", "link_seconds", "waited_seconds",
         "verified", "since_start")


def prompts_of(history, demo, folder):
    """Training prompts of one history length, made by the demo's stages in a copy of its run."""
    copy = folder / f"demo_k{history}"
    if not copy.exists():
        shutil.copytree(demo, copy, copy_function=os.link)
        for stage in ("retrieve", "prompt", "tune", "infer", "evaluate"):
            shutil.rmtree(copy / stage, ignore_errors=True)
    settings = ["prompt.templates=configs/prompts/movielens.toml", f"prompt.k={history}"]
    line = [RALLREC, "run", "--config", "configs/demo.toml", "--run-dir", copy]
    line += ["--stages", "retrieve,prompt"] + [x for s in settings for x in ("--set", s)]
    run(line)
    return (copy / "prompt" / "train.jsonl").read_text().splitlines()


def token_counts(lines):
    texts = "".join(json.dumps({"text": json.loads(line)["input"]}) + "\n" for line in lines)
    answer = run([RALLREC, "tokenize", "--tokenizer", MODEL], input=texts)
    return [len(json.loads(line)["ids"]) for line in answer.splitlines()]


def make_prompts(demo, folder):
    path = folder / "prompts.jsonl"
    if not path.exists():
        chosen = []
        for history in HISTORY_LENGTHS:
            lines = prompts_of(history, demo, folder)
            fits = [x for x, n in zip(lines, token_counts(lines)) if TOKENS[0] <= n <= TOKENS[1]]
            chosen += fits[:8]
        picked = [chosen[number - 1] for number in PROMPTS]
        path.write_text("".join(line + "\n" for line in picked))
    counts = token_counts(path.read_text().splitlines())
    print(f"{len(counts)} prompts of {min(counts)} to {max(counts)} tokens", file=sys.stderr)
    return path


def make_items(demo, folder):
    """The demo's item texts, short as descriptions are, for what takes seconds per item."""
    path = folder / "items.jsonl"
    texts = (demo / "describe" / "descriptions.jsonl").read_text().splitlines()
    path.write_text("".join(json.dumps({"input": json.loads(x)["prompt"]}) + "\n" for x in texts))
    return path


def tune_seconds(prompts, folder):
    """Steps 2 and 3 of `tune`, two ranks of one thread and one rank of two, twice, in turn."""
    seconds = {1: [], 2: []}
    for ranks in (2, 1, 2, 1):
        output = folder / "tune"
        line = on_ranks(ranks) + [RALLREC, "tune", "--model", MODEL, "--quant", "w8a8"]
        line += ["--train", prompts, "--output", output, "--resume", "never"]
        line += ["--threads", 2 // ranks, "--set", "tune.max_steps=3", "--set", "tune.batch_size=8"]
        run(line)
        steps = (output / "metrics.jsonl").read_text().splitlines()[1:3]
        seconds[ranks] += [json.loads(step)["seconds"] for step in steps]
    median = {ranks: statistics.median(values) for ranks, values in seconds.items()}
    return [
        {
            "bench": "tune",
            "arm": f"{ranks} rank{'s' if ranks > 1 else ''} x {2 // ranks}",
            "seconds": median[ranks],
            "spread": [min(seconds[ranks]), max(seconds[ranks])],
            "ratio": median[1] / median[ranks],
        }
        for ranks in (2, 1)
    ]


def rows_of(args, prompts, items):
    """Name -> command or function, in the order of the page."""
    llm = [f"{args.compare}/bin/python", "bench/compare/llm.py", "--model", MODEL]
    llm += ["--quant", "w8a8", "--threads", 2, "--count", 8]
    ours = ["bench", "--model", MODEL]
    tune = [RALLREC, "bench", "tune", "--model", MODEL, "--input", prompts, "--quant", "w8a8"]
    against = ["--against", "bf16"] if args.bf16 else []
    rows = {}
    for dtype in ("float32", "bfloat16") if args.bf16 else ("float32",):
        work = {
            "tune": [2, "--repeats", 3],
            "tune_sorted": [2, "--repeats", 3],
            "embed": [2, "--repeats", 5],
            "embed_generate": [2, "--repeats", 1, "--generate-items", 8],
            "infer": [2, "--repeats", 5],
        }
        for name, (ranks, *flags) in work.items():
            file = items if name == "embed_generate" else prompts
            line = llm + ["--prompts", file, "--work", name, "--ranks", ranks, "--dtype", dtype]
            rows[f"{name}_{dtype}"] = line + flags
        one_rank = ["--work", "infer", "--ranks", 1, "--dtype", dtype, "--repeats", 5]
        rows[f"infer_{dtype}_one_rank"] = llm + ["--prompts", prompts] + one_rank
    rows["matmul"] = [RALLREC, *ours[:1], "matmul", *ours[1:], "--repeats", 15, "--threads", 1]
    for ranks in (1, 2):
        flags = ["--count", 8, "--repeats", 3, "--threads", 2 // ranks]
        rows[f"step_{ranks}"] = on_ranks(ranks) + tune + flags + against
    slow = ["--count", 4, "--repeats", 5, "--threads", 1, "--link", args.link]
    rows["link"] = on_ranks(2) + tune + slow
    load = [RALLREC, "bench", "load", "--model", MODEL, "--input", prompts, "--quant", "w8a8"]
    load += ["--count", 8, "--threads", 1, "--set", f"model.cache={args.out}/cache"]
    rows["fill_cache"] = on_ranks(2) + load
    rows["load"] = on_ranks(2) + load
    rows["ranks_against_threads"] = lambda: tune_seconds(prompts, args.out)
    return rows


def main():
    parser = parser_of(__doc__, "runs/engine_table")
    parser.add_argument("--compare", required=True, help="environment with transformers and PEFT")
    parser.add_argument("--demo", default="runs/demo", help="run folder of the demo")
    parser.add_argument("--link", type=float, default=30.0)
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    prompts = make_prompts(pathlib.Path(args.demo), args.out)
    items = make_items(pathlib.Path(args.demo), args.out)
    measure_page(rows_of(args, prompts, items), args, NOTES)


if __name__ == "__main__":
    sys.exit(main())
