"""Assembles the page about an experiment."""
import os
from fractions import Fraction

import numpy as np

from . import experiment_figures as drawings
from . import experiment_tables as tables
from .experiment_folder import ExperimentFolder, as_list, label_of, mean_of, rows_of, single_sweep
from .figures import both_themes
from .rendering import nested, render_template, seconds_text
from .run_folder import number

MAX_CURVES = 12
MAX_BARS = 60


def render(path):
    folder = ExperimentFolder(path)
    summary = folder.summary
    reference = summary.get("reference")
    return render_template(
        "experiment.html.j2", name=str(summary.get("title") or folder.name()), facts=facts(folder),
        source=summary.get("source"), published_model=summary.get("published_model"), reference=reference,
        datasets=[dataset_section(dataset, reference, summary.get("table")) for dataset in folder.datasets],
        learning=learning(folder), costs=costs(folder), failed=tables.failed_cells(folder.cells),
        cells=[{**row, "page": page_of(folder, row)} for row in tables.cell_rows(folder)],
        notes=folder.notes)


def facts(folder):
    summary = folder.summary
    models = sorted({str(cell.get("model")) for cell in folder.cells if cell.get("train_prompts") is not None})
    seconds = number(nested(summary, "cost", "seconds"))
    pairs = [("experiment", summary.get("experiment")),
             ("data", ", ".join(str(dataset.get("data")) for dataset in folder.datasets)),
             ("model that was tuned", ", ".join(models)),
             ("seeds", ", ".join(str(seed) for seed in as_list(summary.get("seeds")))),
             ("cells done", nested(summary, "cells", "done")),
             ("cells failed", nested(summary, "cells", "failed")),
             ("cost", seconds_text(seconds) if seconds is not None else None)]
    return [(name, value) for name, value in pairs if value not in (None, "")]


def page_of(folder, row):
    """The path of the page about a cell's run, where there is one."""
    relative = folder.cell_file(row, "report.html")
    return relative if relative and os.path.isfile(folder.file(relative)) else None


def dataset_section(dataset, reference, table):
    rows = [row for row in rows_of(dataset) if mean_of(row, "auc") is not None]
    return {"name": dataset.get("dataset"), "data": dataset.get("data"), "n": dataset.get("common_rows"),
            "published_as": dataset.get("published_as"),
            "published_p": published_p(dataset), "results": tables.results(dataset, reference),
            "whole": tables.whole_splits(dataset), "comparisons": tables.comparisons(dataset),
            "systems": systems(rows), "sweeps": sweeps(rows), "grid": grid(rows),
            "references": references(rows, dataset),
            "deviations": deviations(rows, dataset) if table == "deviations" else None}


def published_p(dataset):
    values = [number(nested(dataset, "published_p", key)) for key, _ in tables.PUBLISHED]
    return values if any(value is not None for value in values) else None


def systems(rows):
    plain = [(label_of(row), [value for value in as_list(nested(row, "metrics", "auc", "values"))
                              if number(value) is not None])
             for row in rows if not row.get("sweep") and row.get("helper") is not True]
    plain = [(label, values) for label, values in plain if values]
    if len(plain) < 2:
        return None
    return both_themes(drawings.draw_systems, (5.6, 0.8 + 0.32 * len(plain)), rows=plain)


def swept(rows, is_wanted):
    """{key: {label: [(value, row)]}} of the rows that are swept over one setting."""
    found = {}
    for row in rows:
        sweep = single_sweep(row)
        if sweep and is_wanted(sweep[1]):
            label = str(row.get("label") or row.get("system"))
            found.setdefault(str(sweep[0]), {}).setdefault(label, []).append((sweep[1], row))
    return found


def as_number(value):
    """A number, or a ratio such as "2/3"."""
    try:
        return number(value) if not isinstance(value, str) else float(Fraction(value))
    except (ValueError, ZeroDivisionError):
        return None


def sweeps(rows):
    """AUC against a swept number, a picture for each setting, with the models of ids as levels."""
    pictures = []
    levels = {label_of(row): mean_of(row, "auc") for row in rows if row.get("baseline") is True and not row.get("sweep")}
    for key, systems_of_key in swept(rows, lambda value: as_number(value) is not None).items():
        curves = {}
        for label, pairs in systems_of_key.items():
            pairs = sorted(pairs, key=lambda pair: as_number(pair[0]))
            deviations_of = [number(nested(row, "metrics", "auc", "sd")) for _, row in pairs]
            curves[label] = ([as_number(value) for value, _ in pairs], [mean_of(row, "auc") for _, row in pairs],
                             deviations_of if None not in deviations_of else None)
        pictures.append({"key": key, "image": both_themes(drawings.draw_sweep, (6.4, 3.6), key=key, curves=curves,
                                                          levels=levels)})
    return pictures


def grid(rows):
    """AUC by system and a swept word, such as the view of the test prompts."""
    found = swept(rows, lambda value: isinstance(value, str) and as_number(value) is None)
    key, by_label = max(found.items(), key=lambda entry: len(entry[1]), default=(None, {}))
    columns = list(dict.fromkeys(value for pairs in by_label.values() for value, _ in pairs))
    if len(by_label) < 2 or len(columns) < 2:
        return None
    values = np.full((len(by_label), len(columns)), np.nan)
    for place, pairs in enumerate(by_label.values()):
        for value, row in pairs:
            values[place, columns.index(value)] = mean_of(row, "auc")
    return both_themes(drawings.draw_grid, (7.6, 1.3 + 0.5 * len(by_label)), rows=list(by_label), columns=columns,
                       values=values, xlabel=key)


def deviations(rows, dataset):
    """What every system's setting does to the metrics of the system that it is compared with."""
    auc = {(entry.get("system"), str(entry.get("sweep"))): entry for entry in as_list(dataset.get("comparisons"))
           if isinstance(entry, dict) and entry.get("metric") == "auc"}
    drawn = []
    for row in rows:
        entry = auc.get((row.get("system"), str(row.get("sweep"))))
        base = next((other for other in rows if entry and other.get("system") == entry.get("reference")), None)
        if base is None:
            continue
        # The comparison is of the reference with the other; the picture shows the other way round.
        bounds = [number(bound) for bound in as_list(entry.get("bootstrap"))]
        interval = [-bound for bound in bounds] if len(bounds) == 2 and None not in bounds else None
        drawn.append((label_of(row), change(row, base, "auc"), interval, change(row, base, "log_loss")))
    if not drawn:
        return None
    return both_themes(drawings.draw_deviations, (7.6, 1.0 + 0.34 * len(drawn)), rows=drawn)


def references(rows, dataset):
    named = [entry.get("reference") for entry in as_list(dataset.get("comparisons")) if isinstance(entry, dict)]
    return [str(row.get("label") or row.get("system")) for row in rows if row.get("system") in named]


def change(row, base, metric):
    value, start = mean_of(row, metric), mean_of(base, metric)
    return value - start if value is not None and start is not None else None


def learning(folder):
    curves = {}
    for cell in folder.cells:
        if nested(cell, "stages", "tune", "shared") is not False or len(curves) == MAX_CURVES:
            continue
        pairs = folder.cell_steps(cell)
        if pairs:
            curves[f"{label_of(cell)}, {cell.get('dataset')}, seed {cell.get('seed')}"] = pairs
    return both_themes(drawings.draw_learning, (7.2, 3.8), curves=curves) if curves else None


def costs(folder):
    rows = [(f"{row['label']}, seed {row['seed']}", row["costs"]) for row in tables.cell_rows(folder)
            if row["seconds"] > 0][:MAX_BARS]
    stages = list(dict.fromkeys(stage for _, per_stage in rows for stage in per_stage))
    image = both_themes(drawings.draw_costs, (7.6, 1.4 + 0.24 * len(rows)), rows=rows, stages=stages) if rows else None
    return {"stages": tables.stage_costs(folder.summary), "image": image}
