"""Puts the report together."""
import datetime
import itertools
import math
import os

import jinja2

from . import examples, figures
from .run_folder import STAGES, RunFolder, number
from .scores import Scores

MODELS = {"tuned": "scores.jsonl", "zero_shot": "zero_shot_scores.jsonl"}
METRICS = [("auc", "AUC", True), ("log_loss", "log loss", False), ("accuracy", "accuracy", True)]


def render(run_dir):
    run = RunFolder(run_dir)
    models = {name: Scores(run, os.path.join("infer", file)) for name, file in MODELS.items()}
    models = {name: scores for name, scores in models.items() if len(scores)}
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True)
    environment.filters.update(figure=figure_text, seconds=seconds_text)
    return environment.get_template("page.html.j2").render(
        name=run.name(), facts=facts(run), stages=stages(run), data=data_figures(run),
        training=training(run), metrics=metric_rows(run.metrics),
        constant=constant_answer(run.metrics), cards=cards(run.metrics),
        curves=curve_figures(models),
        examples=example_cards(run, models), config_text=run.config_text, notes=run.notes,
        made=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"))


def nested(mapping, *keys):
    for key in keys:
        mapping = mapping.get(key) if isinstance(mapping, dict) else None
    return mapping


def facts(run):
    """(name, value) pairs of what was run."""
    environment, config = run.environment, run.config
    hosts = environment.get("hosts")
    commit = nested(environment, "rallrec", "commit")
    version = nested(environment, "rallrec", "version")
    pairs = [
        ("mode", config.get("mode")),
        ("data set", dataset_text(config.get("data"))),
        ("model", os.path.basename(str(nested(config, "model", "path") or "").rstrip("/")) or None),
        ("weights computed as", nested(config, "model", "quant")),
        ("ranks", environment.get("ranks")),
        ("threads per rank", environment.get("threads_per_rank")),
        ("hosts", ", ".join(sorted({str(h) for h in hosts})) if isinstance(hosts, list) else None),
        ("CPU", cpu_text(environment.get("cpu"))),
        ("rallrec", " ".join(str(part) for part in (version, commit) if part) or None),
        ("libtorch", environment.get("libtorch")),
    ]
    return [(name, value) for name, value in pairs if value not in (None, "")]


def dataset_text(data):
    """The folder says more than the reader: "ml-100k (atomic)"."""
    if not isinstance(data, dict):
        return None
    folder = os.path.basename(str(data.get("path") or "").rstrip("/"))
    reader = data.get("dataset")
    return f"{folder} ({reader})" if folder and reader else folder or reader


def cpu_text(cpu):
    if not isinstance(cpu, dict):
        return None
    instructions = cpu.get("instructions")
    widest = instructions[-1:] if isinstance(instructions, list) else []
    cores = [f"{cpu['cores']} cores"] if "cores" in cpu else []
    return ", ".join(str(part) for part in [cpu.get("model", "unknown"), *cores, *widest])


def stages(run):
    rows = []
    for stage in STAGES:
        manifest = run.manifests.get(stage)
        if manifest is None:
            continue
        summary = manifest.get("summary")
        rows.append({"name": stage, "seconds": number(manifest.get("seconds")) or 0.0,
                     "ranks": manifest.get("ranks", ""), "threads": manifest.get("threads", ""),
                     "summary": list(summary.items()) if isinstance(summary, dict) else []})
    longest = max((row["seconds"] for row in rows), default=0.0)
    for row in rows:
        row["share"] = 100.0 * row["seconds"] / longest if longest > 0 else 0.0
    return {"rows": rows, "total": sum(row["seconds"] for row in rows)}


def data_figures(run):
    summary = nested(run.manifests, "ingest", "summary")
    return list(summary.items()) if isinstance(summary, dict) else []


def training(run):
    rows = [row for row in run.steps
            if number(row.get("step")) is not None and number(row.get("loss")) is not None]
    if not rows:
        return None
    valid = [(row["step"], row["valid_loss"]) for row in rows if number(row.get("valid_loss")) is not None]
    rates = [number(row.get("learning_rate")) or 0.0 for row in rows]
    image = figures.both_themes(figures.draw_training, (5.4, 3.4), steps=[row["step"] for row in rows],
                                losses=[row["loss"] for row in rows], valid=valid, rates=rates)
    tokens = sum(number(row.get("tokens")) or 0 for row in rows)
    seconds = sum(number(row.get("seconds")) or 0 for row in rows)
    return {"image": image, "steps": len(rows), "first": rows[0]["loss"], "last": rows[-1]["loss"],
            "best_valid": min((loss for _, loss in valid), default=None), "tokens": int(tokens),
            "rate": tokens / seconds if seconds > 0 else None}


def interval_of(scores, metric):
    pair = nested(scores, "intervals", metric)
    if isinstance(pair, list) and len(pair) == 2 and None not in map(number, pair):
        return [float(bound) for bound in pair]
    return None


def metric_rows(metrics):
    rows = []
    for model in ("zero_shot", "tuned"):
        scores = metrics.get(model)
        if isinstance(scores, dict):
            rows.append({"model": model, "label": figures.LABELS[model], "n": scores.get("n"),
                         "positive_rate": number(scores.get("positive_rate")),
                         "values": [(number(scores.get(key)), interval_of(scores, key))
                                    for key, _, _ in METRICS]})
    return rows


def constant_answer(metrics):
    """What the best answer that looks at no prompt reaches: (accuracy, log loss)."""
    share = number(nested(metrics, "tuned", "positive_rate"))
    if share is None or not 0.0 < share < 1.0:
        return None
    entropy = -share * math.log(share) - (1.0 - share) * math.log(1.0 - share)
    return max(share, 1.0 - share), entropy


def cards(metrics):
    """The tuned model's metrics with what tuning changed."""
    result = []
    for key, title, more_is_better in METRICS:
        tuned, before = (number(nested(metrics, model, key)) for model in ("tuned", "zero_shot"))
        if tuned is not None:
            change = tuned - before if before is not None else None
            paired = interval_of(metrics.get("tuned_minus_zero_shot"), key)
            result.append({"title": title, "value": tuned,
                           "interval": interval_of(metrics.get("tuned"), key), "change": change,
                           "change_interval": paired,
                           "better": change is not None and (change > 0) == more_is_better,
                           "image": interval_figure(metrics, key)})
    return result


def interval_figure(metrics, key):
    rows = [(model, number(nested(metrics, model, key)), interval_of(metrics.get(model), key))
            for model in ("zero_shot", "tuned") if number(nested(metrics, model, key)) is not None]
    return figures.both_themes(figures.draw_interval, (3.2, 1.1), rows=rows)


def curve_figures(models):
    models = {name: scores for name, scores in models.items() if scores.has_both_classes()}
    if not models:
        return None
    return {"roc": figures.both_themes(figures.draw_roc, (4.4, 4.2), models=models),
            "calibration": figures.both_themes(figures.draw_calibration, (4.4, 4.2), models=models)}


def example_cards(run, models):
    tuned, zero_shot = models.get("tuned"), models.get("zero_shot")
    if tuned is None:
        tuned, zero_shot = zero_shot, None
    if tuned is None:
        return unscored_cards(run)
    both = examples.aligned(tuned, zero_shot)
    return [examples.describe(run.line_at(tuned.relative, tuned.offsets[i]), why,
                              float(tuned.scores[i]), float(zero_shot.scores[i]) if both else None)
            for why, i in examples.choose(tuned, zero_shot)]


def unscored_cards(run, count=3):
    """Test prompts of a run that has not scored them yet."""
    lines = itertools.islice(run.lines(os.path.join("prompt", "test.jsonl")), count)
    return [examples.describe(record, "not scored yet", None, None) for record in lines]


def figure_text(value):
    """A key figure: whole numbers with thin spaces between thousands, others to four digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{value:.4g}"


def seconds_text(seconds):
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
