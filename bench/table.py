"""What the scripts that measure a whole page have in common: rows, kept in files, and a table."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

RALLREC = "build/rallrec"


def run(line, **options):
    done = subprocess.run([str(x) for x in line], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, line))}\nended with {done.returncode}\n{done.stderr}")
    return done.stdout


def on_ranks(ranks):
    """What starts that many ranks; mpirun wants to be told where they are more than the cores."""
    more = ["--oversubscribe"] if ranks > os.cpu_count() else []
    return ["mpirun", "-n", ranks, "--bind-to", "none", *more] if ranks > 1 else []


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def run_lines(line):
    """The JSON lines of a command, which finds neither a network nor settings of OpenBLAS."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    clean["HF_HUB_OFFLINE"] = "1"
    return json_lines(run(line, env=clean))


def in_turn(commands, rounds):
    """One JSON line per command (arm -> command): the median over rounds in which each runs once.

    `ratio` is the first command's seconds over this one's.
    """
    lines = {arm: [] for arm in commands}
    for _ in range(rounds):
        for arm, command in commands.items():
            lines[arm].append(run_lines(command)[0])
    results = []
    for arm, each in lines.items():
        seconds = [line["seconds"] for line in each]
        result = dict(each[0], arm=arm, seconds=statistics.median(seconds))
        result["spread"] = [min(seconds), max(seconds)]
        result["rate"] = result["work"] / result["seconds"]
        results.append(result)
    for result in results:
        result["ratio"] = results[0]["seconds"] / result["seconds"]
    return results


def measure(name, row, folder):
    """row: a command, or a function that returns lines. What OUT/<name>.jsonl has is not run again."""
    done = folder / f"{name}.jsonl"
    if not done.exists():
        lines = row() if callable(row) else run_lines(row)
        part = folder / f"{name}.part"
        part.write_text("".join(json.dumps(line) + "\n" for line in lines))
        part.replace(done)
    return json_lines(done.read_text())


def text_of(value):
    if isinstance(value, list):
        return " ".join(map(text_of, value))
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)


def show(name, line, notes):
    spread = "–".join(f"{x:.4g}" for x in line.get("spread", []))
    more = ", ".join(f"{key} {text_of(line[key])}" for key in notes if line.get(key) is not None)
    print(
        f"| {name} | {line['arm']} | {line.get('seconds', 0):.4g} ({spread}) "
        f"| {line.get('ratio') or 0:.4g} | {more} |"
    )


def parser_of(documentation, out):
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(out))
    parser.add_argument("--only", default="", help="names of rows, with commas between")
    return parser


def measure_page(rows, args, notes):
    """Runs the rows that --only names, or all, and prints them; notes: which keys to print."""
    chosen = args.only.split(",") if args.only else list(rows)
    for name in chosen:
        if name not in rows:
            raise SystemExit(f"--only: {name} is none of {', '.join(rows)}")
    results = {}
    for number, name in enumerate(chosen, 1):
        start = time.monotonic()
        print(f"row {number} of {len(chosen)}: {name}", file=sys.stderr, flush=True)
        results[name] = measure(name, rows[name], args.out)
        print(f"  {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print("| row | arm | seconds (least–most) | ratio | |\n|---|---|---|---|---|")
    for name, lines in results.items():
        for line in lines:
            show(name, line, notes)
