"""Measures every figure of a page docs/benchmarks/graph_and_data_<processor>_<yyyymm>.md in one go.

usage: .deps/venv/bin/python bench/graph_table.py --compare V --recbole R [--out runs/graph_table]
           [--ml1m DIR] [--tokenizer DIR --texts F.jsonl] [--seeds 3] [--only NAME,...]

After `make setup build`: it builds nothing and takes the demo's data. V is a Python environment with
bench/compare/requirements.txt, R one with bench/compare/requirements_recbole.txt. Without --ml1m (a
folder with ratings.dat, movies.dat and users.dat) the row ingest is left out, without --tokenizer
(a folder with tokenizer.json) and --texts (JSON lines with a "text") the row tokenize. A row is one
or a few commands whose arms ran in turn; its JSON lines go to OUT/<name>.jsonl, and a row whose file
is there is not run again. At the end all rows are printed as a Markdown table. Run it on an
otherwise idle machine; about an hour on two cores, of which RecBole's xDeepFM takes the half.
"""

import os
import random
import shutil
import subprocess
import sys
import time

from table import RALLREC, in_turn, measure_page, on_ranks, parser_of, run_lines

DATA = ".deps/data/ml-100k"
ROWS = 10_000_000
NOTES = ("memory_ratio", "recall@10", "ndcg@10", "each_recall@10", "auc", "each_auc", "log_loss",
         "epochs", "ranks", "threads", "edges", "megabytes", "growth", "rate", "verified")  # fmt: skip


def compare(environment, script, *options):
    return [f"{environment}/bin/python", f"bench/compare/{script}.py", *options]


def graph_bench(edges, batch, ranks, threads, repeats):
    """An epoch of light_gcn on made-up edges: ten steps, whatever their number."""
    line = on_ranks(ranks) + [RALLREC, "bench", "light_gcn", "--edges", edges]
    line += ["--set", "light_gcn.layers=3", "--set", f"light_gcn.batch_size={batch}"]
    return line + ["--repeats", repeats, "--threads", threads]


def growth():
    """Median seconds per epoch, and how much more it is than linear growth from the row before."""
    lines = []
    for edges in (100_000, 1_000_000, 10_000_000):
        line = run_lines(graph_bench(edges, edges // 10, 1, 2, 3))[0]
        line["arm"] = f"{edges} edges drawn"
        if lines:
            more = line["edges"] / lines[-1]["edges"]
            line["growth"] = line["seconds"] / lines[-1]["seconds"] / more
        lines.append(line)
    return lines


def ranks_row(line_of):
    """1 rank of two threads, 2 and 4 ranks of one thread, on the same cores in turn."""
    shapes = {"1 rank x 2 threads": (1, 2), "2 ranks x 1": (2, 1), "4 ranks x 1": (4, 1)}
    return in_turn({arm: line_of(*shape) for arm, shape in shapes.items()}, 3)


def two_ranks_against_threads():
    shapes = {"1 rank x 2 threads": (1, 2), "2 ranks x 1 thread": (2, 1)}
    commands = {
        arm: graph_bench(10_000_000, 1_000_000, ranks, threads, 1)
        for arm, (ranks, threads) in shapes.items()
    }
    return in_turn(commands, 3)


def ml100k_bench(ranks, threads):
    line = on_ranks(ranks) + [RALLREC, "bench", "light_gcn", "--input", f"{DATA}/ml-100k.inter"]
    return line + ["--set", "light_gcn.layers=3", "--repeats", 10, "--threads", threads]


def write_rows(path):
    """ROWS ratings of 60,000 users and 10,000 items, of which some are drawn more often."""
    draw = random.Random(1)
    with path.open("w") as file:
        file.write("user_id:token\titem_id:token\trating:float\ttimestamp:float\n")
        for row in range(ROWS):
            item = int(draw.random() ** 2 * 10_000)
            file.write(f"{row * 7919 % 60_000}\t{item}\t{row % 5 + 1}\t{row // 3}\n")


def ingest_rows(folder):
    """Seconds and peak memory of the busiest process of `run --stages ingest` on ROWS rows."""
    source = folder / "rows"
    source.mkdir(exist_ok=True)
    if not (source / "rows.inter").exists():
        write_rows(source / "rows.part")
        (source / "rows.part").rename(source / "rows.inter")
    lines = []
    for ranks in (1, 2):
        output = folder / f"ingest_{ranks}"
        shutil.rmtree(output, ignore_errors=True)
        line = on_ranks(ranks) + [RALLREC, "run", "--config", "configs/your-data.toml"]
        line += ["--run-dir", output, "--stages", "ingest", "--threads", 2 // ranks]
        line += ["--set", f"data.path={source.resolve()}"]
        start = time.monotonic()
        done = subprocess.Popen([str(x) for x in line], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(done.pid, 0)
        if status != 0:
            raise SystemExit(f"{' '.join(map(str, line))} ended with status {status}")
        seconds = time.monotonic() - start
        arm = f"{ranks} rank{'s' if ranks > 1 else ''}"
        lines.append({"arm": arm, "seconds": seconds, "megabytes": used.ru_maxrss / 1024})
        shutil.rmtree(output)
    return lines


def rows_of(args):
    """Name -> command or function, in the order of the page."""
    seeds = ["--seeds", args.seeds]
    data = os.path.abspath(DATA)
    rows = {
        "light_gcn": compare(
            args.recbole, "recbole_light_gcn", "--data", data, "--epochs", 60, "--repeats", 5, *seeds
        )
    }
    for model in ("deep_fm", "dcn", "auto_int", "x_deep_fm"):
        work = args.out / model
        flags = ["--data", data, "--work", work, "--models", model, *seeds]
        rows[model] = compare(args.recbole, "recbole_ctr", *flags)
    if args.ml1m:
        flags = ["--work", "ingest", "--ml1m", args.ml1m, "--repeats", 3]
        rows["ingest"] = compare(args.compare, "data", *flags)
    rows["ingest_rows"] = lambda: ingest_rows(args.out)
    if args.tokenizer and args.texts:
        flags = ["--work", "tokenize", "--tokenizer", args.tokenizer, "--texts", args.texts]
        rows["tokenize"] = compare(args.compare, "data", *flags)
    for ranks in (1, 2):
        rows[f"auc_{ranks}"] = compare(args.compare, "data", "--work", "auc", "--ranks", ranks)
    size = ["--items", 100_000, "--width", 64, "--count", 1024]
    rows["retrieve"] = [RALLREC, "bench", "retrieve", *size, "--repeats", 5, "--threads", 2]
    rows["info_nce"] = [RALLREC, "bench", "info_nce", "--repeats", 5, "--threads", 2]
    rows["two_ranks_against_threads"] = two_ranks_against_threads
    rows["growth"] = growth
    rows["ranks_one_million"] = lambda: ranks_row(
        lambda ranks, threads: graph_bench(1_000_000, 100_000, ranks, threads, 3)
    )
    rows["ranks_ml100k"] = lambda: ranks_row(ml100k_bench)
    return rows


def main():
    parser = parser_of(__doc__, "runs/graph_table")
    parser.add_argument("--compare", required=True, help="environment with scikit-learn and pandas")
    parser.add_argument("--recbole", required=True, help="environment with RecBole")
    parser.add_argument("--ml1m", help="folder of MovieLens-1M")
    parser.add_argument("--tokenizer", help="folder with tokenizer.json")
    parser.add_argument("--texts", help="JSON lines with a text each")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    measure_page(rows_of(args), args, NOTES)


if __name__ == "__main__":
    sys.exit(main())
