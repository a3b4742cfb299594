"""Writes the HDF5 tables of a made-up run: a data set whose users like one genre each, embeddings
that know the genres, and the neighbours of its test samples."""
import os

import h5py
import numpy as np

USERS, ITEMS, PER_USER, WIDTH = 20, 60, 12, 8
GENRES = ["Drama", "Comedy", "Crime"]


def texts(name, words):
    raw = [word.encode() for word in words]
    return {f"{name}.bytes": np.frombuffer(b"".join(raw), dtype=np.uint8),
            f"{name}.offsets": np.cumsum([0] + [len(word) for word in raw]).astype(np.int64)}


def token_field(table, k, values):
    words = sorted(set(values))
    return {f"{table}.{k}.offsets": np.arange(len(values) + 1, dtype=np.int64),
            f"{table}.{k}.codes": np.array([words.index(value) for value in values], dtype=np.int32),
            **texts(f"{table}.{k}.vocabulary", words)}


def fields(table, columns):
    arrays = {**texts(f"{table}.names", list(columns)),
              f"{table}.kinds": np.zeros(len(columns), dtype=np.uint8)}
    for k, values in enumerate(columns.values()):
        arrays.update(token_field(table, k, values))
    return arrays


def put_arrays(folder, name, arrays):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            file[key] = value


def interactions(rng):
    """User, item, rating in time order: every user in turn."""
    orders = [rng.permutation(ITEMS)[:PER_USER] for _ in range(USERS)]
    item = np.array([orders[user][row] for row in range(PER_USER) for user in range(USERS)])
    user = np.tile(np.arange(USERS), PER_USER)
    rating = np.where(item % len(GENRES) == user % len(GENRES), 5, 2)
    return user.astype(np.int32), item.astype(np.int32), rating.astype(np.float32)


def main(folder):
    rng = np.random.default_rng(3)
    user, item, rating = interactions(rng)
    row = np.flatnonzero(np.arange(len(user)) >= 5 * USERS).astype(np.int32)
    position = (row // USERS).astype(np.int32)
    put_arrays(folder, "ingest/interactions.h5", {
        "interactions.user": user, "interactions.item": item, "interactions.rating": rating,
        "interactions.timestamp": np.arange(len(user), dtype=np.int64),
        "samples.row": row, "samples.position": position, "samples.label": (rating[row] > 3).astype(np.uint8),
        **texts("users", [f"u{i}" for i in range(USERS)]), **texts("items", [f"i{i}" for i in range(ITEMS)]),
        **fields("user_fields", {"gender": ["F" if i % 2 else "M" for i in range(USERS)]}),
        **fields("item_fields", {"title": [f"Invented {i}" for i in range(ITEMS)],
                                 "genres": [GENRES[i % len(GENRES)] for i in range(ITEMS)]})})
    for name, array, noise in (("embed/text_embeddings.h5", "text", 1.0),
                               ("align/aligned_embeddings.h5", "ssl", 0.2),
                               ("light_gcn/graph_embeddings.h5", "item", 0.1)):
        kinds = np.eye(WIDTH)[np.arange(ITEMS) % len(GENRES)]
        arrays = {array: (kinds + noise * rng.standard_normal((ITEMS, WIDTH))).astype(np.float32)}
        if array == "ssl":
            arrays["loss"] = np.linspace(8, 5, 20)
        if array == "item":
            arrays.update(epoch_loss=np.linspace(0.7, 0.4, 30), valid_recall=np.where(
                np.arange(30) % 5 == 4, 0.1, -1.0))
        put_arrays(folder, name, arrays)
    samples = np.arange(len(row), dtype=np.int32)
    put_arrays(folder, "retrieve/neighbours.h5", {
        "samples": samples, "offsets": np.arange(len(row) + 1, dtype=np.int64) * 3,
        "places": np.tile(np.array([2, 0, 1], dtype=np.int32), len(row)),
        "scores": np.tile(np.array([2.5, 1.5, 0.5], dtype=np.float32), len(row))})
