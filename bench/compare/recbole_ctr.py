"""The four id-feature baselines beside RecBole's, on one split of one data set.

usage: recbole_ctr.py --data DIR --work DIR [--models deep_fm,…] [--threads N] [--ranks N] [--epochs N] [--seeds N]

--data is a folder with RecBole atomic files of one name that have ratings and timestamps (ml-100k). The rows in the
order of (timestamp, user, item) are cut 80/10/10, a rating of 4 or more is label 1, and all columns but the title
and the zip code are features. Both programs read these very files. RecBole runs with its own defaults per model,
batch 2048, embedding 16 and early stopping on valid AUC after 5 epochs; ours with our defaults. Prints one JSON line
per arm: seconds of a training epoch (RecBole's median, our mean), test AUC and log loss, and the ratio of the seconds,
RecBole's over this arm's. With --seeds both train in turn from that many; seconds are the median over them, the rest the
mean, and each_auc has them one by one.

Needs a Python environment with recbole 1.2.1 (bench/compare/requirements_recbole.txt).
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

NAMES = {"deep_fm": "DeepFM", "x_deep_fm": "xDeepFM", "dcn": "DCN", "auto_int": "AutoInt"}
LEFT_OUT = {"movie_title", "zip_code"}
SHARES = (0.8, 0.1)
FIRST_SEED = 42
ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_atomic(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return rows[0], rows[1:]


def write_atomic(path, header, rows):
    path.write_text("".join("\t".join(row) + "\n" for row in [header, *rows]), encoding="utf-8")


def number_or_text(text):
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def write_split(source, folder):
    """The three .inter files and the two side files under folder/ctr; their names by part."""
    name = next(source.glob("*.inter")).stem
    header, rows = read_atomic(source / f"{name}.inter")
    user, item, rating, stamp = (
        header.index(column)
        for column in ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    )
    rows.sort(key=lambda row: (float(row[stamp]), number_or_text(row[user]), number_or_text(row[item])))
    labelled = [[row[user], row[item], "1" if float(row[rating]) >= 4 else "0"] for row in rows]
    first = int(len(rows) * SHARES[0])
    second = first + int(len(rows) * SHARES[1])
    folder = folder / "ctr"
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for part, begin, end in (("train", 0, first), ("valid", first, second), ("test", second, len(rows))):
        files[part] = folder / f"ctr.{part}.inter"
        write_atomic(files[part], ["user_id:token", "item_id:token", "label:float"], labelled[begin:end])
    for part, suffix in (("users", "user"), ("items", "item")):
        header, rows = read_atomic(source / f"{name}.{suffix}")
        kept = [i for i, column in enumerate(header) if column.split(":")[0] not in LEFT_OUT]
        files[part] = folder / f"ctr.{suffix}"
        write_atomic(files[part], [header[i] for i in kept], [[row[i] for i in kept] for row in rows])
    return files


def run_ours(model, files, options, seed):
    output = options.work / f"ours_{model}"
    command = ["mpirun", "-n", str(options.ranks), "--bind-to", "none"] if options.ranks > 1 else []
    command += [str(ROOT / "build" / "rallrec"), "baseline", "--model", model, "--output", str(output)]
    command += ["--threads", str(options.threads // options.ranks), "--set", f"baseline.seed={seed}"]
    for part, path in files.items():
        command += [f"--{part}", str(path)]
    if options.epochs:
        command += ["--set", f"baseline.epochs={options.epochs}"]
    subprocess.run(command, check=True)
    metrics = json.loads((output / "metrics.json").read_text())
    return {
        "seconds": metrics["seconds_per_epoch"],
        "auc": metrics["auc"],
        "log_loss": metrics["log_loss"],
        "epochs": metrics["epochs"],
    }


def recbole_config(model, files, options, seed):
    from recbole.config import Config

    columns = {part: [cell.split(":")[0] for cell in read_atomic(files[part])[0]] for part in ("users", "items")}
    settings = {
        "data_path": str(files["train"].parent.parent),
        "benchmark_filename": ["train", "valid", "test"],
        "load_col": {
            "inter": ["user_id", "item_id", "label"],
            "user": columns["users"],
            "item": columns["items"],
        },
        "LABEL_FIELD": "label",
        "train_neg_sample_args": None,
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "mode": "labeled", "group_by": None},
        "metrics": ["AUC", "LogLoss"],
        "valid_metric": "AUC",
        "train_batch_size": 2048,
        "eval_batch_size": 2048,
        "embedding_size": 16,
        "epochs": options.epochs or 50,
        "stopping_step": 5,
        "checkpoint_dir": str(options.work / "recbole"),
        "show_progress": False,
        "use_gpu": False,
        "seed": seed,
    }
    return Config(model=NAMES[model], dataset="ctr", config_dict=settings)


def run_recbole(model, files, options, seed):
    import torch
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_logger, init_seed

    torch.set_num_threads(options.threads)
    # Its checkpoints hold objects of its own, which torch no longer loads unasked.
    load = torch.load
    torch.load = lambda *arguments, **named: load(*arguments, **{"weights_only": False, **named})
    sys.argv = sys.argv[:1]  # RecBole reads the command line as well
    config = recbole_config(model, files, options, seed)
    init_seed(config["seed"], config["reproducibility"])
    init_logger(config)
    train, valid, test = data_preparation(config, create_dataset(config))
    network = get_model(config["model"])(config, train.dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    seconds = []
    one_epoch = trainer._train_epoch

    def timed(*arguments, **named):
        start = time.perf_counter()
        loss = one_epoch(*arguments, **named)
        seconds.append(time.perf_counter() - start)
        return loss

    trainer._train_epoch = timed
    trainer.fit(train, valid, saved=True, show_progress=False)
    result = trainer.evaluate(test, load_best_model=True, show_progress=False)
    torch.load = load
    return {
        "seconds": statistics.median(seconds),
        "auc": float(result["auc"]),
        "log_loss": float(result["logloss"]),
        "epochs": len(seconds),
    }


def over_seeds(results):
    """One arm's figures: median seconds, the mean of the others, and each AUC."""
    mean = {key: statistics.mean(result[key] for result in results) for key in results[0]}
    seconds = [result["seconds"] for result in results]
    mean.update(seconds=statistics.median(seconds), spread=[min(seconds), max(seconds)])
    mean["each_auc"] = [result["auc"] for result in results]
    return mean


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--models", default=",".join(NAMES))
    parser.add_argument("--threads", type=int, default=2, help="cores of either program")
    parser.add_argument("--ranks", type=int, default=1, help="ranks of ours, which share the cores")
    parser.add_argument("--epochs", type=int, default=0, help="the most epochs of either [50]")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    options.data, options.work = options.data.resolve(), options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    os.chdir(options.work)  # RecBole leaves logs where it is started
    files = write_split(options.data, options.work)
    for model in options.models.split(","):
        results = {"ours": [], "recbole": []}
        for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
            results["ours"].append(run_ours(model, files, options, seed))
            results["recbole"].append(run_recbole(model, files, options, seed))
        arms = {arm: over_seeds(each) for arm, each in results.items()}
        for arm, figures in arms.items():
            ratio = arms["recbole"]["seconds"] / figures["seconds"]
            line = {"bench": "recbole_ctr", "arm": f"{arm} {model}", **figures, "ratio": ratio}
            line["config"] = {"threads": options.threads, "ranks": options.ranks if arm == "ours" else 1}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
