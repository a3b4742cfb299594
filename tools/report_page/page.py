"""Assembles the page about a run from what its folder holds."""
import itertools
import math
import os

from . import examples, figures, item_map, retrieval, statistics
from .dataset import Dataset, read_arrays
from .rendering import figure_text, nested, render_template
from .run_folder import STAGES, RunFolder, number
from .scores import Scores

METRICS = [("auc", "AUC", True), ("log_loss", "log loss", False), ("accuracy", "accuracy", True)]
MODELS = ("zero_shot", "baseline", "tuned")
MAX_RETRIEVALS = 3


def render(run_dir):
    run = RunFolder(run_dir)
    models = {name: Scores(run, file) for name, file in score_files(run.config).items()}
    models = {name: scores for name, scores in models.items() if len(scores)}
    dataset = Dataset.load(run)
    return render_template(
        "page.html.j2", name=run.name(), facts=facts(run), stages=stages(run), data=data_figures(run),
        statistics=data_statistics(dataset), training=training(run), losses=stage_losses(run),
        metrics=metric_rows(run.metrics), whose=whose(run), subject=figures.LABELS[subject_of(run.metrics)],
        constant=constant_answer(run.metrics), cards=cards(run.metrics), curves=curve_figures(models),
        retrievals=retrieval_cards(run, dataset, models), item_map=item_map_of(run, dataset),
        examples=example_cards(run, models), config_text=run.config_text,
        notes=run.notes + stale_stages(run))


def score_files(config):
    """{model: its file of scores}, as stages infer and baseline write them."""
    bare = nested(config, "infer", "adapter") == "none"
    files = {"zero_shot" if bare else "tuned": os.path.join("infer", "scores.jsonl")}
    files.setdefault("zero_shot", os.path.join("infer", "zero_shot_scores.jsonl"))
    files["baseline"] = os.path.join("baseline", str(nested(config, "baseline", "model")), "scores.jsonl")
    return files


def uses_model(config):
    stages = config.get("stages")
    return not isinstance(stages, list) or not stages or bool({"embed", "tune", "infer"} & set(map(str, stages)))


def facts(run):
    """(name, value) pairs of what was run."""
    environment, config = run.environment, run.config
    hosts = environment.get("hosts")
    commit = nested(environment, "rallrec", "commit")
    version = nested(environment, "rallrec", "version")
    pairs = [
        ("mode", config.get("mode")),
        ("data set", dataset_text(config.get("data"))),
        ("model", model_of(run) if uses_model(config) else None),
        ("weights computed as", nested(config, "model", "quant") if uses_model(config) else None),
        ("train prompts", nested(run.manifests, "tune", "summary", "prompts")),
        ("ranks", environment.get("ranks")),
        ("threads per rank", environment.get("threads_per_rank")),
        ("hosts", ", ".join(sorted({str(h) for h in hosts})) if isinstance(hosts, list) else None),
        ("CPU", cpu_text(environment.get("cpu"))),
        ("rallrec", " ".join(str(part) for part in (version, commit) if part) or None),
        ("libtorch", environment.get("libtorch")),
    ]
    return [(name, value) for name, value in pairs if value not in (None, "")]


def model_of(run):
    if subject_of(run.metrics) == "baseline":
        return nested(run.config, "baseline", "model")
    return os.path.basename(str(nested(run.config, "model", "path") or "").rstrip("/")) or None


def whose(run):
    """Which model, data and training a number on this page belongs to."""
    prompts = nested(run.manifests, "tune", "summary", "prompts")
    tuned = f"tuned on {figure_text(prompts)} prompts" if number(prompts) is not None else None
    parts = [model_of(run), dataset_text(run.config.get("data")), tuned]
    return ", ".join(str(part) for part in parts if part)


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


def data_statistics(dataset):
    if dataset is None:
        return None
    return {"columns": statistics.COLUMNS, "ours": statistics.table(dataset),
            "published": statistics.PUBLISHED, "more": statistics.more(dataset),
            "image": statistics.picture(dataset)}


def stage_losses(run):
    """Curves of light_gcn and align, which learn the embeddings."""
    graph = read_arrays(run, "light_gcn/graph_embeddings.h5", ["epoch_loss", "valid_recall"]) or {}
    aligned = read_arrays(run, "align/aligned_embeddings.h5", ["loss"]) or {}
    losses = {"graph": finite(graph.get("epoch_loss")), "alignment": finite(aligned.get("loss"))}
    losses["recall"] = [(epoch, value) for epoch, value in
                        enumerate(finite(graph.get("valid_recall")), start=1) if value >= 0]
    if not losses["graph"] and not losses["alignment"]:
        return None
    return figures.both_themes(figures.draw_stage_losses, (7.2, 2.6), **losses)


def finite(values):
    return [] if values is None else [float(value) for value in values.ravel() if math.isfinite(value)]


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
    for model in MODELS:
        scores = metrics.get(model)
        if isinstance(scores, dict):
            rows.append({"model": model, "label": figures.LABELS[model], "n": scores.get("n"),
                         "positive_rate": number(scores.get("positive_rate")),
                         "values": [(number(scores.get(key)), interval_of(scores, key))
                                    for key, _, _ in METRICS]})
    return rows


def subject_of(metrics):
    """The model that the run is about."""
    return next((model for model in reversed(MODELS) if isinstance(metrics.get(model), dict)), "tuned")


def constant_answer(metrics):
    """What the best answer that looks at no prompt reaches: (accuracy, log loss)."""
    share = number(nested(metrics, subject_of(metrics), "positive_rate"))
    if share is None or not 0.0 < share < 1.0:
        return None
    entropy = -share * math.log(share) - (1.0 - share) * math.log(1.0 - share)
    return max(share, 1.0 - share), entropy


def cards(metrics):
    """The metrics of what the run is about, with what tuning changed."""
    result, subject = [], subject_of(metrics)
    for key, title, more_is_better in METRICS:
        value = number(nested(metrics, subject, key))
        before = number(nested(metrics, "zero_shot", key)) if subject == "tuned" else None
        if value is not None:
            change = value - before if before is not None else None
            paired = interval_of(metrics.get("tuned_minus_zero_shot"), key)
            result.append({"title": title, "value": value,
                           "interval": interval_of(metrics.get(subject), key), "change": change,
                           "change_interval": paired,
                           "better": change is not None and (change > 0) == more_is_better,
                           "image": interval_figure(metrics, key)})
    return result


def interval_figure(metrics, key):
    rows = [(model, number(nested(metrics, model, key)), interval_of(metrics.get(model), key))
            for model in MODELS if number(nested(metrics, model, key)) is not None]
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


def prompts_to_show(run, models):
    """(why, record) of test prompts, those worth reading first."""
    scored = models.get("tuned") or models.get("zero_shot")
    if scored is None:
        lines = itertools.islice(run.lines(os.path.join("prompt", "test.jsonl")), MAX_RETRIEVALS)
        return [("not scored yet", record) for record in lines]
    chosen = examples.choose(scored, models.get("zero_shot"))[:MAX_RETRIEVALS]
    return [(why, run.line_at(scored.relative, scored.offsets[i])) for why, i in chosen]


# Deviations of the authors' code under which a prompt shows something else than eq. 7 and 8 say.
OTHER_LISTS = ("description_only", "pca_text", "max_norm", "cosine_ranking", "ml1m_index_shift", "rerank_two_thirds",
               "rerank_repeat_bug", "amazon_hybrid_empty", "drop_last_item")


def deviates(config):
    return any(nested(config, "refcompat", key) for key in OTHER_LISTS)


def stale_stages(run):
    """Stages that were made of other files than other stages of the folder have written since."""
    outputs = {record.get("path"): record.get("sha256") for manifest in run.manifests.values()
               for record in as_records(manifest.get("outputs"))}
    return [f"stage {name} was made of another {record['path']} than is there now: its figures are of earlier data"
            for name, manifest in run.manifests.items() for record in as_records(manifest.get("inputs"))
            if outputs.get(record.get("path"), record.get("sha256")) != record.get("sha256")]


def as_records(value):
    return [record for record in value if isinstance(record, dict) and isinstance(record.get("path"), str)] \
        if isinstance(value, list) else []


def retrieval_cards(run, dataset, models):
    if dataset is None or deviates(run.config):
        return []
    channels = retrieval.Channels(run, len(dataset.items))
    neighbours = retrieval.Neighbours(run)
    options = run.config.get("prompt")
    options = options if isinstance(options, dict) else {}
    found = []
    for why, record in prompts_to_show(run, models):
        sample = record.get("sample")
        if isinstance(sample, int) and not isinstance(sample, bool):
            card = retrieval.card(dataset, channels, neighbours, sample, record.get("view"), options)
            if card is not None:
                found.append({**card, "why": why, "user": examples.printable(str(record.get("user", ""))),
                              "view": record.get("view")})
    return found


def item_map_of(run, dataset):
    return item_map.pictures(run, dataset) if dataset is not None else None


def unscored_cards(run, count=3):
    """Test prompts of a run that has not scored them yet."""
    lines = itertools.islice(run.lines(os.path.join("prompt", "test.jsonl")), count)
    return [examples.describe(record, "not scored yet", None, None) for record in lines]
