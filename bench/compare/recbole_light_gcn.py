"""Compares light_gcn with RecBole's LightGCN on one split of one data set, in one run.

usage: recbole_light_gcn.py --data DIR [--rallrec BINARY] [--repeats 3] [--epochs 200] [--threads 2]
                           [--ranks 1] [--seeds 1]

DIR holds <name>.inter as RecBole ships it (.deps/data/ml-100k). RecBole splits it, 80/10/10 per user;
both train on the same edges with the same settings (64 wide, 3 layers, batches of 2,048), choose
their epoch on the same valid edges every ten epochs, and one function ranks all items for both.
Speed first: blocks of RecBole's epochs and runs of ours alternate. Quality is the mean over --seeds
trainings of each, from other first vectors and samples; each_recall@10 has them one by one. One JSON
line per arm.

Install: python3 -m venv V && V/bin/pip install -r bench/compare/requirements_recbole.txt
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.general_recommender import LightGCN
from recbole.trainer import Trainer
from recbole.utils import init_seed

BLOCK = 3
OUR_EPOCHS = 10
FIRST_SEED = 2020
SETTINGS = {
    "embedding_size": 64,
    "n_layers": 3,
    "train_batch_size": 2048,
    "learning_rate": 2e-3,
    "reg_weight": 1e-5,
    "eval_step": 10,
    "stopping_step": 10,
    "topk": [10],
    "metrics": ["Recall", "NDCG"],
    "valid_metric": "Recall@10",
    "load_col": {"inter": ["user_id", "item_id"]},
    "show_progress": False,
    "state": "ERROR",
    "use_gpu": False,
}


class Theirs:
    def __init__(self, args, folder):
        data = pathlib.Path(args.data)
        settings = dict(SETTINGS, data_path=str(data.parent), checkpoint_dir=str(folder))
        settings["epochs"] = args.epochs
        self.config = Config(model="LightGCN", dataset=data.name, config_dict=settings)
        init_seed(FIRST_SEED, True)
        torch.set_num_threads(args.threads)
        self.dataset = create_dataset(self.config)
        self.train, self.valid, self.test = data_preparation(self.config, self.dataset)
        self.start()

    def start(self):
        self.model = LightGCN(self.config, self.train.dataset)
        self.trainer = Trainer(self.config, self.model)

    def epochs(self, count):
        start = time.perf_counter()
        for epoch in range(count):
            self.trainer._train_epoch(self.train, epoch)
        return (time.perf_counter() - start) / count

    def vectors(self, seed):
        init_seed(seed, True)
        self.start()
        # Its checkpoints hold more than tensors.
        load = torch.load
        torch.load = lambda *a, **k: load(*a, **dict(k, weights_only=False))
        self.trainer.fit(self.train, self.valid, verbose=False, saved=True)
        best = torch.load(self.trainer.saved_model_file)
        self.model.load_state_dict(best["state_dict"])
        torch.load = load
        with torch.no_grad():
            users, items = self.model.forward()
        return users.numpy(), items.numpy()

    def edges(self, part):
        features = part.dataset.inter_feat
        return features["user_id"].numpy(), features["item_id"].numpy()


class Ours:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder

    def write(self, name, edges):
        rows = "".join(f"{user}\t{item}\n" for user, item in zip(*edges))
        (self.folder / name).write_text("user_id:token\titem_id:token\n" + rows)

    def run(self, epochs, *options):
        ranks = self.args.ranks
        line = ["mpirun", "-n", str(ranks), "--bind-to", "none"] if ranks > 1 else []
        line += [self.args.rallrec, "light_gcn", "--threads", str(self.args.threads // ranks)]
        line += ["--interactions", self.folder / "train.inter", "--output", self.folder / "out"]
        settings = {key: SETTINGS[key] for key in ("embedding_size", "learning_rate", "reg_weight")}
        settings.update(layers=SETTINGS["n_layers"], batch_size=SETTINGS["train_batch_size"])
        settings.update(epochs=epochs, evaluate_every=SETTINGS["eval_step"])
        settings.update(patience=SETTINGS["stopping_step"])
        line += [x for k, v in settings.items() for x in ("--set", f"light_gcn.{k}={v}")]
        done = subprocess.run([str(x) for x in [*line, *options]], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return json.loads((self.folder / "out" / "metrics.json").read_text())

    def vectors(self, users, items, seed):
        options = ("--valid", self.folder / "valid.inter", "--set", f"light_gcn.seed={seed}")
        self.run(self.args.epochs, *options)
        found = []
        for kind, count in (("user", users), ("item", items)):
            names = (self.folder / "out" / f"{kind}s.txt").read_text().split()
            rows = np.load(self.folder / "out" / f"{kind}_embeddings.npy")
            placed = np.zeros((count, rows.shape[1]), dtype=np.float32)
            placed[[int(name) for name in names]] = rows
            found.append(placed)
        return found


def quality(vectors, masked, relevant):
    """Mean recall@10 and ndcg@10 over users with a relevant item; masked items are not ranked."""
    users, items = vectors
    scores = users @ items.T
    scores[:, 0] = -np.inf  # RecBole's padding item
    scores[masked] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    gains = 1 / np.log2(np.arange(2, 12))
    wanted = {}
    for user, item in zip(*relevant):
        wanted.setdefault(user, set()).add(item)
    recalls, ndcgs = [], []
    for user, items_of in wanted.items():
        hits = np.array([item in items_of for item in best[user]])
        recalls.append(hits.sum() / len(items_of))
        ndcgs.append((hits * gains).sum() / gains[: len(items_of)].sum())
    return float(np.mean(recalls)), float(np.mean(ndcgs))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--rallrec", default="build/rallrec")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    sys.argv = sys.argv[:1]  # RecBole reads the command line, too
    args.data, args.rallrec = os.path.abspath(args.data), os.path.abspath(args.rallrec)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chdir(folder)  # RecBole leaves logs where it is started
        theirs, ours = Theirs(args, folder), Ours(args, folder)
        parts = {p: theirs.edges(getattr(theirs, p)) for p in ("train", "valid", "test")}
        for part, edges in parts.items():
            ours.write(f"{part}.inter", edges)
        seconds = {"rallrec": [], "recbole": []}
        theirs.epochs(1)
        for _ in range(args.repeats):
            seconds["recbole"].append(theirs.epochs(BLOCK))
            seconds["rallrec"].append(ours.run(OUR_EPOCHS)["seconds_per_epoch"])
        sizes = theirs.dataset.user_num, theirs.dataset.item_num
        masked = tuple(np.concatenate([parts["train"][i], parts["valid"][i]]) for i in (0, 1))
        found = {"rallrec": [], "recbole": []}
        for seed in range(FIRST_SEED, FIRST_SEED + args.seeds):
            found["rallrec"].append(quality(ours.vectors(*sizes, seed), masked, parts["test"]))
            found["recbole"].append(quality(theirs.vectors(seed), masked, parts["test"]))
        medians = {arm: statistics.median(values) for arm, values in seconds.items()}
        for arm, median in medians.items():
            recall, ndcg = (statistics.mean(values) for values in zip(*found[arm]))
            line = {"bench": "light_gcn", "arm": arm, "seconds": median}
            line["spread"] = [min(seconds[arm]), max(seconds[arm])]
            line.update({"work": len(parts["train"][0]), "ratio": medians["recbole"] / median})
            line.update({"recall@10": recall, "ndcg@10": ndcg, "threads": args.threads})
            line["each_recall@10"] = [each for each, _ in found[arm]]
            line["ranks"] = args.ranks if arm == "rallrec" else 1
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
