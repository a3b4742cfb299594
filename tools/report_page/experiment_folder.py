"""Reads what `rallrec experiment` leaves: results.jsonl, summary.json and the cells' run folders."""
import os

from .rendering import nested
from .run_folder import Folder, number


class ExperimentFolder(Folder):
    def __init__(self, path):
        super().__init__(path)
        self.cells = list(self.lines("results.jsonl"))
        self.summary = self.read_json("summary.json")
        self.datasets = [entry for entry in as_list(self.summary.get("datasets")) if isinstance(entry, dict)]

    def cell_file(self, cell, relative):
        """A path in the cell's run folder, relative to this one; None where the cell names a folder
        elsewhere."""
        folder = os.path.normpath(str(cell.get("run_dir") or ""))
        if os.path.isabs(folder) or folder.split(os.sep)[0] in ("..", "."):
            return None
        return os.path.join(folder, relative)

    def cell_steps(self, cell):
        """(step, loss) of the cell's tuning."""
        relative = self.cell_file(cell, os.path.join("tune", "metrics.jsonl"))
        rows = self.lines(relative) if relative else []
        pairs = [(number(row.get("step")), number(row.get("loss"))) for row in rows]
        return [pair for pair in pairs if None not in pair]


def as_list(value):
    return value if isinstance(value, list) else []


def rows_of(dataset):
    return [row for row in as_list(dataset.get("rows")) if isinstance(row, dict)]


def label_of(row):
    """What the page calls a system, or a cell of one, with the values it is swept over."""
    name = str(row.get("label") or row.get("system") or "?")
    sweep = row.get("sweep")
    values = [f"{str(key).rsplit('.', 1)[-1]} = {value}" for key, value in sweep.items()] \
        if isinstance(sweep, dict) else []
    return name + (f" ({', '.join(values)})" if values else "")


def mean_of(row, metric):
    return number(nested(row, "metrics", metric, "mean"))


def single_sweep(row):
    """(key, value) where exactly one setting is swept, else None."""
    sweep = row.get("sweep")
    return next(iter(sweep.items())) if isinstance(sweep, dict) and len(sweep) == 1 else None
