"""Why a prompt shows the items it shows: every channel's view of the user's history."""
import fractions

import numpy as np

from .dataset import embedding, read_arrays, unit_rows
from .rendering import nested

CHANNELS = {"text": "text", "title": "title", "colla": "graph", "ssl": "aligned"}
MAX_ROWS = 14


class Channels:
    """Unit vectors of the blocks that the run retrieves by."""

    def __init__(self, run, items):
        named = nested(run.config, "retrieve", "blocks")
        named = [name for name in named if name in CHANNELS] if isinstance(named, list) else list(CHANNELS)
        blocks = {name: embedding(run, name, items) for name in named}
        self.blocks = {name: unit_rows(block) for name, block in blocks.items() if block is not None}

    def cosines(self, target, items):
        return {name: block[items] @ block[target] for name, block in self.blocks.items()}


class Neighbours:
    """retrieve/neighbours.h5: the nearest places of each sample's history."""

    def __init__(self, run):
        arrays = read_arrays(run, "retrieve/neighbours.h5", ["samples", "offsets", "places", "scores"])
        self.at = {}
        if arrays is not None:
            bounds = zip(arrays["offsets"][:-1], arrays["offsets"][1:])
            self.at = {int(sample): (arrays["places"][a:b], arrays["scores"][a:b])
                       for sample, (a, b) in zip(arrays["samples"], bounds)}


def newest_once(items):
    """Places of a history, the newest first, each item at its newest occurrence."""
    seen, places = set(), []
    for place in range(len(items) - 1, -1, -1):
        if items[place] not in seen:
            seen.add(items[place])
            places.append(place)
    return places


def reranked(similar, newest, options):
    """Eq. 8: {place: (score, channel)} of every candidate, best first. `options` is [prompt]."""
    alpha = fractions.Fraction(str(options.get("rerank_alpha", "2/3")))
    beta = float(options.get("rerank_beta", 1.0))
    scores = {}
    for channel, weight, places in (("similar", alpha, similar), ("recent", 1 - alpha, newest)):
        for rank, place in enumerate(places, start=1):
            value = float(weight) / rank ** beta
            known = scores.get(place)
            if known is None:
                scores[place] = (value, channel)
            elif options.get("rerank_combine") == "sum":
                scores[place] = (known[0] + value, "both")
            elif value > known[0] * (1 + 1e-12):
                scores[place] = (value, channel)
    rank_of = {place: rank for places in (newest, similar) for rank, place in enumerate(places)}
    order = sorted(scores, key=lambda place: (-round(scores[place][0], 12), scores[place][1] == "recent",
                                              rank_of[place], -place))
    return {place: scores[place] for place in order}


def shown_places(view, similar, newest, history, options):
    """The places that the prompt shows, most relevant first, with (score, channel) where eq. 8 chose."""
    k = int(options.get("k", 30))
    if view == "simple":
        return {place: (None, "recent") for place in range(history - 1, max(-1, history - 1 - k), -1)}
    if view in ("high", "sequential"):
        return {place: (None, "similar") for place in similar[:k]}
    return dict(list(reranked(similar[:k], newest[:k], options).items())[:k])


def card(dataset, channels, neighbours, sample, view, options):
    """The table of one prompt, or None where the run does not hold what it needs."""
    if not channels.blocks or not 0 <= sample < len(dataset.row):
        return None
    rows = dataset.history(sample)
    items = dataset.item[rows]
    newest = newest_once(items)
    similar = [int(place) for place in neighbours.at.get(sample, ([], []))[0] if 0 <= place < len(rows)]
    shown = shown_places(view, similar, newest, len(rows), options)
    cosines = channels.cosines(dataset.target(sample), items[newest])
    total = sum(cosines.values())
    columns = {**cosines, "sum": total} if len(cosines) > 1 else dict(cosines)
    ranks = {name: rank_of(values) for name, values in columns.items()}
    wanted = [i for i in range(len(newest)) if newest[i] in shown
              or min(rank[i] for rank in ranks.values()) <= 2 or i < 2]
    wanted.sort(key=lambda i: (newest[i] not in shown, list(shown).index(newest[i]) if newest[i] in shown
                               else -total[i]))
    return {"columns": [CHANNELS.get(name, "sum of cosines") for name in columns],
            "target": dataset.title(dataset.target(sample)), "history": len(newest),
            "rows": [row_of(dataset, rows[newest[i]], i, shown.get(newest[i]), columns, ranks)
                     for i in wanted[:MAX_ROWS]], "left_out": len(newest) - len(wanted[:MAX_ROWS])}


def rank_of(values):
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


def row_of(dataset, row, age, shown, columns, ranks):
    cells = []
    for name, values in columns.items():
        low, high = float(values.min()), float(values.max())
        share = (float(values[age]) - low) / (high - low) if high > low else 0.0
        cells.append({"value": float(values[age]), "rank": int(ranks[name][age]), "share": share})
    return {"title": dataset.title(int(dataset.item[row])), "rating": float(dataset.rating[row]),
            "age": age + 1, "cells": cells, "shown": shown is not None,
            "channel": shown[1] if shown else "", "score": shown[0] if shown else None}
