"""The tables of a run that its pictures are made from: ingest, embeddings, neighbours.

Everything may be missing or damaged; what does not read is None and named in the run's notes.
"""
import os

import numpy as np

EMBEDDINGS = {"text": ("embed/text_embeddings.h5", "text"),
              "title": ("embed/text_embeddings.h5", "title"),
              "colla": ("light_gcn/graph_embeddings.h5", "item"),
              "ssl": ("align/aligned_embeddings.h5", "ssl")}


def read_arrays(run, relative, names):
    """{name: array} of an HDF5 file, or None where one of them cannot be read."""
    path = run.file(relative)
    if not os.path.isfile(path):
        return None
    try:
        import h5py
    except ImportError:
        run.note("h5py is missing, so there are no pictures of data and embeddings; "
                 "tools/setup.sh installs it")
        return None
    try:
        with h5py.File(path, "r") as file:
            return {name: file[name][()] for name in names}
    except (OSError, KeyError, ValueError, TypeError, MemoryError):
        run.note(f"{relative}: not what its stage writes, left out")
        return None


def split_texts(content, offsets):
    raw = content.tobytes()
    return [raw[a:b].decode("utf-8", errors="replace") for a, b in zip(offsets[:-1], offsets[1:])]


class Dataset:
    """ingest/interactions.h5."""

    FILE = "ingest/interactions.h5"

    @classmethod
    def load(cls, run):
        columns = [f"interactions.{name}" for name in ("user", "item", "rating", "timestamp")]
        names = columns + ["samples.row", "samples.position", "samples.label"]
        names += [f"{table}.{part}" for table in ("users", "items") for part in ("bytes", "offsets")]
        arrays = read_arrays(run, cls.FILE, names)
        if arrays is None:
            return None
        try:
            return cls(run, arrays)
        except (ValueError, IndexError, TypeError, KeyError):
            run.note(f"{cls.FILE}: its tables do not belong together, left out")
            return None

    def __init__(self, run, arrays):
        self.user, self.item, self.rating, self.timestamp = (
            arrays[f"interactions.{name}"] for name in ("user", "item", "rating", "timestamp"))
        self.row, self.position, self.label = (
            arrays[f"samples.{name}"] for name in ("row", "position", "label"))
        self.users, self.items = (
            split_texts(arrays[f"{name}.bytes"], arrays[f"{name}.offsets"]) for name in ("users", "items"))
        order = np.argsort(self.user, kind="stable")  # within a user the rows stay in time order
        counts = np.bincount(self.user, minlength=len(self.users))
        self.timelines = np.split(order, np.cumsum(counts)[:-1])
        self.user_fields = field_values(run, "user_fields")
        self.item_fields = field_values(run, "item_fields")

    def history(self, sample):
        """Rows of the interactions before the sample, the oldest first."""
        user = self.user[self.row[sample]]
        return self.timelines[user][:self.position[sample]]

    def target(self, sample):
        return int(self.item[self.row[sample]])

    def title(self, item):
        values = self.item_fields.get("title")
        return (values[item] if values else "") or self.items[item]

    def kinds(self):
        """A word per item to colour it by, the first of its genres or categories; None without."""
        for name in ("genres", "class", "genre", "category", "categories"):
            if name in self.item_fields:
                return [value.split(" ")[0] if name != "category" else value
                        for value in self.item_fields[name]]
        return None


def field_values(run, table):
    """{field: text per row} of the token fields; sequences are joined by blanks."""
    heads = [f"{table}.names.bytes", f"{table}.names.offsets", f"{table}.kinds"]
    arrays = read_arrays(run, Dataset.FILE, heads)
    if arrays is None:
        return {}
    fields = {}
    names = split_texts(arrays[heads[0]], arrays[heads[1]])
    for k, (name, kind) in enumerate(zip(names, arrays[heads[2]])):
        if kind > 1:
            continue
        parts = read_arrays(run, Dataset.FILE, [f"{table}.{k}.{part}" for part in (
            "offsets", "codes", "vocabulary.bytes", "vocabulary.offsets")])
        if parts is None:
            continue
        offsets, codes, content, ends = parts.values()
        words = split_texts(content, ends)
        fields[name] = [" ".join(words[code] for code in codes[a:b])
                        for a, b in zip(offsets[:-1], offsets[1:])]
    return fields


def embedding(run, name, rows):
    """fp32 [items, width] of a block of eq. 7, or None."""
    relative, array = EMBEDDINGS[name]
    arrays = read_arrays(run, relative, [array])
    if arrays is None:
        return None
    matrix = arrays[array]
    if matrix.ndim != 2 or len(matrix) != rows or not np.isfinite(matrix).all():
        run.note(f"{relative}: '{array}' is not a row for each of the {rows} items, left out")
        return None
    return matrix


def unit_rows(matrix):
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
