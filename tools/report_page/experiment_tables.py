"""The tables of an experiment's page: our numbers, and the published ones in columns of their own."""
from .experiment_folder import as_list, label_of, mean_of, rows_of
from .rendering import nested
from .run_folder import number

METRICS = [("auc", "AUC", True), ("log_loss", "log loss", False),
           ("log_loss_squashed", "log loss, squashed", False), ("accuracy", "accuracy", True)]
PUBLISHED = [("auc", "AUC"), ("log_loss", "log loss"), ("accuracy", "accuracy")]
TITLES = {key: title for key, title, _ in METRICS}


def results(dataset, reference):
    rows = rows_of(dataset)
    judged = [row for row in rows if row.get("helper") is not True]
    best = {key: best_value([mean_of(row, key) for row in judged], more) for key, _, more in METRICS}
    shown = [metric for metric in METRICS if best[metric[0]] is not None]
    return {"metrics": [title for _, title, _ in shown],
            "rows": [result_row(row, shown, best, dataset, reference) for row in rows],
            "published": [title for _, title in PUBLISHED]
            if any(isinstance(row.get("published"), dict) for row in rows) else []}


def best_value(values, more_is_better):
    known = [value for value in values if value is not None]
    return (max if more_is_better else min)(known) if len(known) > 1 else (known or [None])[0]


def result_row(row, shown, best, dataset, reference):
    stars = {key: nested(dataset, "best_other", key, "star") is True for key, _, _ in shown}
    is_reference = row.get("system") == reference and not row.get("sweep")
    published = row.get("published") if isinstance(row.get("published"), dict) else {}
    squashed = published.get("log_loss_is_squashed") is True
    return {"label": label_of(row), "model": row.get("model"), "seeds": len(as_list(row.get("seeds"))),
            "failed": row.get("failed") or 0, "train_prompts": row.get("train_prompts"), "n": row.get("n"),
            "ours": [{"mean": mean_of(row, key), "sd": number(nested(row, "metrics", key, "sd")),
                      "best": mean_of(row, key) == best[key] is not None and row.get("helper") is not True,
                      "star": is_reference and stars[key]} for key, _, _ in shown],
            "published": [{"value": number(published.get(key)), "squashed": squashed and key == "log_loss"}
                          for key, _ in PUBLISHED]}


def whole_splits(dataset):
    """Systems that have scored more than the rows that all have in common."""
    rows = []
    for row in rows_of(dataset):
        if isinstance(row.get("full"), dict):
            rows.append({"label": label_of(row), "n": row["full"].get("n"),
                         "values": [number(nested(row, "full", key, "mean")) for key, _, _ in METRICS]})
    return rows


def comparisons(dataset):
    labels = {(row.get("system"), str(row.get("sweep"))): label_of(row) for row in rows_of(dataset)}
    names = {row.get("system"): str(row.get("label") or row.get("system")) for row in rows_of(dataset)}
    rows = []
    for entry in as_list(dataset.get("comparisons")):
        if not isinstance(entry, dict):
            continue
        interval = as_list(entry.get("bootstrap"))
        bounds = [number(bound) for bound in interval] if len(interval) == 2 else [None]
        rows.append({"label": labels.get((entry.get("system"), str(entry.get("sweep"))), label_of(entry)),
                     "reference": names.get(entry.get("reference"), entry.get("reference")),
                     "metric": TITLES.get(entry.get("metric"), entry.get("metric")), "n": entry.get("n"),
                     "difference": number(entry.get("difference")),
                     "interval": bounds if None not in bounds else None,
                     "t_test": p_values(entry.get("t_test")),
                     "delong": [{"seed": test.get("seed"), **p_values(test)} for test in as_list(entry.get("delong"))
                                if isinstance(test, dict)]})
    return rows


def p_values(test):
    return {key: number(nested(test, key)) if isinstance(test, dict) else None for key in ("p", "p_holm")}


def failed_cells(cells):
    return [{"label": label_of(cell), "dataset": cell.get("dataset"), "seed": cell.get("seed"),
             "status": cell.get("status"), "error": str(cell.get("error") or "")}
            for cell in cells if cell.get("status") != "done"]


def stage_costs(summary):
    stages = nested(summary, "cost", "stages")
    rows = [{"name": name, "ran": stage.get("ran"), "shared": stage.get("shared"),
             "seconds": number(stage.get("seconds")) or 0.0}
            for name, stage in stages.items() if isinstance(stage, dict)] if isinstance(stages, dict) else []
    longest = max((row["seconds"] for row in rows), default=0.0)
    for row in rows:
        row["share"] = 100.0 * row["seconds"] / longest if longest > 0 else 0.0
    return rows


def cell_rows(folder):
    """Every cell with its cost and, where there is one, the page about its run."""
    rows = []
    for cell in folder.cells:
        stages = cell.get("stages") if isinstance(cell.get("stages"), dict) else {}
        costs = {name: number(stage.get("seconds")) or 0.0 for name, stage in stages.items()
                 if isinstance(stage, dict) and stage.get("shared") is not True}
        rows.append({"label": label_of(cell), "dataset": cell.get("dataset"), "seed": cell.get("seed"),
                     "status": cell.get("status"), "seconds": sum(costs.values()), "costs": costs,
                     "shared": len(stages) - len(costs), "run_dir": cell.get("run_dir")})
    return rows
