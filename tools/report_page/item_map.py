"""Maps of the catalogue: what lies near what, before and after alignment."""
import numpy as np

from . import figures
from .dataset import embedding, unit_rows

MAPS = {"text": "text (before alignment)", "ssl": "text, aligned", "colla": "graph"}
MAX_ITEMS = 600
MAX_KINDS = 8
NEAREST = 10


def pictures(run, dataset):
    """Maps of up to MAX_ITEMS of the most rated items, and how often neighbours are of one kind."""
    kinds = dataset.kinds()
    matrices = {name: embedding(run, name, len(dataset.items)) for name in MAPS}
    matrices = {name: matrix for name, matrix in matrices.items() if matrix is not None}
    counts = np.bincount(dataset.item, minlength=len(dataset.items))
    chosen = np.argsort(-counts, kind="stable")[:MAX_ITEMS]
    chosen = np.sort(chosen[counts[chosen] > 0])
    if not matrices or len(chosen) < 10:
        return None
    names, codes = most_frequent(kinds, chosen)
    points = {MAPS[name]: tsne(unit_rows(matrix[chosen])) for name, matrix in matrices.items()}
    image = figures.both_themes(figures.draw_maps, (9.6, 3.6), as_pixels=True, maps=points, codes=codes,
                                names=names)
    return {"image": image, "items": len(chosen), "of": len(dataset.items),
            "purity": purities(matrices, kinds, counts > 0)}


def most_frequent(kinds, chosen):
    """Names of the kinds that have a colour, and each chosen item's colour (-1 = none of them)."""
    if kinds is None:
        return [], np.full(len(chosen), -1)
    words, counts = np.unique([kinds[i] for i in chosen if kinds[i]], return_counts=True)
    names = [str(word) for word in words[np.argsort(-counts, kind="stable")][:MAX_KINDS]]
    return names, np.array([names.index(kinds[i]) if kinds[i] in names else -1 for i in chosen])


def purities(matrices, kinds, rated):
    """(map, share of the ten nearest rated items that are of the item's own kind) and of chance."""
    if kinds is None:
        return []
    places = np.flatnonzero(rated & np.array([bool(kind) for kind in kinds]))
    if len(places) <= NEAREST:
        return []
    _, codes = np.unique([kinds[i] for i in places], return_inverse=True)
    rows = []
    for name, matrix in matrices.items():
        unit = unit_rows(matrix[places])
        near = unit @ unit.T
        np.fill_diagonal(near, -np.inf)
        best = np.argpartition(-near, NEAREST, axis=1)[:, :NEAREST]
        rows.append((MAPS[name], float((codes[best] == codes[:, None]).mean())))
    shares = np.bincount(codes) / len(codes)
    return rows + [("by chance", float((shares ** 2).sum()))]


def principal(matrix, width):
    centred = matrix - matrix.mean(axis=0)
    left, values, _ = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    return left[:, :width] * values[:width]


def tsne(matrix, perplexity=30.0, steps=300):
    """t-SNE (van der Maaten and Hinton 2008) from the two first principal components: exact, and
    the same picture every time."""
    reduced = principal(matrix, min(30, *matrix.shape))
    affinity = affinities(squares(reduced), min(perplexity, (len(matrix) - 1) / 3))
    y = reduced[:, :2] / (reduced[:, :2].std() or 1.0) * 1e-2
    moved = np.zeros_like(y)
    for step in range(steps):
        weight = 1.0 / (1.0 + squares(y))
        np.fill_diagonal(weight, 0.0)
        pull = ((12.0 if step < 80 else 1.0) * affinity - weight / weight.sum()) * weight
        gradient = 4.0 * (pull.sum(axis=1)[:, None] * y - pull @ y)
        moved = (0.5 if step < 80 else 0.8) * moved - len(y) / 12.0 * gradient
        y = y + moved
        y -= y.mean(axis=0)
    return y


def squares(points):
    norms = (points ** 2).sum(axis=1)
    return np.maximum(norms[:, None] + norms[None, :] - 2.0 * points @ points.T, 0.0)


def affinities(distances, perplexity):
    """Joint probabilities whose rows have that perplexity, by bisection on all rows at once."""
    n = len(distances)
    low, high, beta = np.zeros(n), np.full(n, np.inf), np.full(n, 1.0 / (distances.mean() or 1.0))
    for _ in range(50):
        p = np.exp(-distances * beta[:, None])
        np.fill_diagonal(p, 0.0)
        p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-300)
        entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), beta * 2.0, (low + np.where(np.isinf(high), 0.0, high)) / 2.0)
    p = (p + p.T) / (2.0 * n)
    return np.maximum(p, 1e-12)
