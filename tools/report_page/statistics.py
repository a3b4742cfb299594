"""Figures of the data set, beside those that the paper prints of its own."""
import numpy as np

from . import figures

# Table 2 of RALLRec (arXiv 2502.06101): users, items, samples, fields, features. What it calls the samples of
# BookCrossing are its ratings; one per user, 8,723, is a sample in the authors' code.
PUBLISHED = [("BookCrossing (ratings, not samples)", (8723, 3547, 227735, 10, 14279)),
             ("MovieLens-1M", (6040, 3952, 970009, 9, 15905)),
             ("Amazon Movies & TV", (14386, 5000, 141829, 6, 22387))]
COLUMNS = ["users", "items", "samples", "fields", "feature values"]


def table(dataset):
    """Our row of Table 2. Fields: ids and token columns; feature values: different ones in them."""
    columns = [dataset.users, dataset.items, *dataset.user_fields.values(), *dataset.item_fields.values()]
    values = sum(len(set(column) - {""}) for column in columns)
    return (len(dataset.users), len(dataset.items), len(dataset.row), len(columns), values)


def more(dataset):
    """(name, value) pairs that the table has no column for."""
    counts = np.bincount(dataset.user, minlength=1)
    pairs = len(dataset.users) * len(dataset.items)
    return [("interactions", len(dataset.user)),
            ("share of all pairs", float(len(dataset.user) / pairs) if pairs else None),
            ("share of label 1", float(dataset.label.mean()) if len(dataset.label) else None),
            ("interactions per user, median", int(np.median(counts))),
            ("history of a sample, mean", float(dataset.position.mean()) if len(dataset.row) else None)]


def picture(dataset):
    return figures.both_themes(figures.draw_data, (7.2, 2.4), ratings=dataset.rating,
                               per_user=np.bincount(dataset.user), per_item=np.bincount(dataset.item))
