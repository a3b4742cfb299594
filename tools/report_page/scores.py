"""Scores of one model on the test prompts, and the curves drawn from them."""
import numpy as np

from .run_folder import number


class Scores:
    """Labels, scores and where each record lies in its file, in the file's order."""

    def __init__(self, run, relative):
        self.relative = relative
        labels, scores, offsets = [], [], []
        for offset, record in run.numbered_lines(relative):
            label, score = label_of(record), number(record.get("score"))
            if label is not None and score is not None and 0.0 <= score <= 1.0:
                labels.append(label)
                scores.append(score)
                offsets.append(offset)
        self.labels = np.array(labels, dtype=np.int64)
        self.scores = np.array(scores, dtype=np.float64)
        self.offsets = offsets

    def __len__(self):
        return len(self.offsets)

    def has_both_classes(self):
        return len(np.unique(self.labels)) == 2


def label_of(record):
    label = record.get("label")
    if label in (0, 1):
        return int(label)
    output = record.get("output")
    if isinstance(output, str) and "label" not in record:
        return {"yes": 1, "no": 0}.get(output.strip().rstrip(".").lower())
    return None


def roc(labels, scores, points=1000):
    """False and true positive rates over falling thresholds; equal scores make one step."""
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    true = np.cumsum(labels)[ends]
    false = ends + 1 - true
    x = np.append(0.0, false / false[-1])
    y = np.append(0.0, true / true[-1])
    if len(x) > points:
        keep = np.unique(np.linspace(0, len(x) - 1, points).astype(int))
        x, y = x[keep], y[keep]
    return x, y


def calibration(labels, scores, bins=10):
    """Mean score, share of label 1, its standard error and count, per bin of about equal counts."""
    order = np.argsort(scores, kind="stable")
    rows = []
    for part in np.array_split(order, min(bins, len(order))):
        share = labels[part].mean()
        error = np.sqrt(max(share * (1 - share), 1e-12) / len(part))
        rows.append((scores[part].mean(), share, error, len(part)))
    return np.array(rows)
