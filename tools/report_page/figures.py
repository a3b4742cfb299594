"""The report's figures as SVG in data URIs, each for a light and a dark page."""
import base64
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import matplotlib.ticker  # noqa: E402
import numpy as np  # noqa: E402

from .scores import calibration, roc  # noqa: E402

THEMES = {
    "light": {"ink": "#1f2933", "faint": "#7b8794", "grid": "#e4e7eb", "tuned": "#2563c9",
              "zero_shot": "#c2702a", "baseline": "#1a7f4b", "surface": "#ffffff"},
    "dark": {"ink": "#e4e7eb", "faint": "#9aa5b1", "grid": "#323f4b", "tuned": "#6ea8fe",
             "zero_shot": "#f0a35e", "baseline": "#5fcf95", "surface": "#1b232c"},
}
LABELS = {"tuned": "tuned", "zero_shot": "zero-shot", "baseline": "baseline"}
PALETTE = ["#2563c9", "#c2702a", "#1a7f4b", "#8e44ad", "#b3372f", "#0f8b8d", "#9a7d0a", "#c2185b",
           "#5d6d7e", "#6c8a1f", "#4a3aa7", "#b08968"]


def both_themes(draw, size, as_pixels=False, **data):
    """Calls draw(figure, colours, **data) for each theme; returns {theme: data URI}. Thousands of
    points are smaller as pixels."""
    images = {}
    for theme, colours in THEMES.items():
        style = {
            "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
            "text.color": colours["ink"], "axes.labelcolor": colours["ink"],
            "axes.titlecolor": colours["ink"], "axes.titlesize": 9,
            "axes.edgecolor": colours["faint"], "xtick.color": colours["faint"],
            "ytick.color": colours["faint"], "grid.color": colours["grid"], "axes.grid": True,
            "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
            "font.size": 9, "legend.frameon": False,
            "svg.hashsalt": "rallrec",
        }
        with plt.rc_context(style):
            figure = plt.figure(figsize=size, layout="constrained")
            draw(figure, colours, **data)
            images[theme] = pixels_of(figure) if as_pixels else drawing_of(figure)
            plt.close(figure)
    return images


def drawing_of(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def pixels_of(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def smoothed(values):
    """Mean over a window of about a twentieth of the curve, centred, narrower at both ends."""
    half = max(1, len(values) // 40)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    reach = np.minimum(half, np.minimum(at, len(values) - 1 - at))
    return (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1)


def draw_training(figure, colours, steps, losses, valid, rates):
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    few = len(losses) <= 40
    upper.plot(steps, losses, color=colours["tuned"], alpha=1.0 if few else 0.35,
               lw=1.6 if few else 0.8, marker="o" if few else None, ms=3, label="each step")
    if not few:
        upper.plot(steps, smoothed(losses), color=colours["tuned"], lw=1.8, label="smoothed")
    if valid:
        upper.plot(*zip(*valid), color=colours["zero_shot"], marker="o", ms=4, lw=1.4, label="valid")
    upper.set_ylabel("loss per answer token")
    upper.set_ylim(bottom=0)
    upper.legend(loc="upper right")
    lower.plot(steps, rates, color=colours["faint"], lw=1.4)
    lower.set_ylabel("rate")
    lower.set_xlabel("optimizer step")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    lower.set_ylim(bottom=0)
    lower.xaxis.get_major_locator().set_params(integer=True)


def draw_interval(figure, colours, rows):
    """A point and a bar per model."""
    axes = figure.subplots()
    for height, (model, value, interval) in enumerate(reversed(rows)):
        if interval:
            axes.plot(interval, [height, height], color=colours[model], lw=6, alpha=0.4,
                      solid_capstyle="round")
        axes.plot(value, height, "o", color=colours[model], ms=7)
    axes.set_yticks(range(len(rows)), [LABELS[model] for model, _, _ in reversed(rows)])
    axes.set_ylim(-0.5, len(rows) - 0.5)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))


def draw_roc(figure, colours, models):
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=colours["faint"], lw=1, ls=(0, (4, 4)))
    for model, scores in models.items():
        axes.plot(*roc(scores.labels, scores.scores), color=colours[model], lw=1.8,
                  label=LABELS[model])
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01),
             ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.legend(loc="lower right")


def draw_calibration(figure, colours, models):
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
    upper.plot([0, 1], [0, 1], color=colours["faint"], lw=1, ls=(0, (4, 4)))
    for model, scores in models.items():
        mean, share, error, _ = calibration(scores.labels, scores.scores).T
        upper.errorbar(mean, share, yerr=1.96 * error, color=colours[model], marker="o", ms=4, lw=1.4,
                       elinewidth=1, label=LABELS[model])
        lower.hist(scores.scores, bins=np.linspace(0, 1, 41), color=colours[model], alpha=0.5)
    upper.set(ylabel="share of label 1", xlim=(-0.01, 1.01), ylim=(-0.03, 1.03))
    upper.legend(loc="upper left")
    lower.set(xlabel="score", ylabel="prompts")


def draw_data(figure, colours, ratings, per_user, per_item):
    left, right = figure.subplots(1, 2)
    values, counts = np.unique(ratings, return_counts=True)
    if len(values) > 20:
        left.hist(ratings, bins=20, color=colours["tuned"], alpha=0.8)
    else:
        left.bar([f"{value:g}" for value in values], counts, color=colours["tuned"], alpha=0.8)
    left.set(xlabel="rating", ylabel="interactions")
    for counts, colour, label in ((per_user, "tuned", "users"), (per_item, "zero_shot", "items")):
        falling = np.sort(counts[counts > 0])[::-1]
        right.plot(np.arange(1, len(falling) + 1), falling, color=colours[colour], lw=1.6, label=label)
    right.set(xscale="log", yscale="log", xlabel="place, the busiest first", ylabel="interactions")
    right.legend(loc="lower left")


def draw_stage_losses(figure, colours, graph, recall, alignment):
    """`graph` and `recall` by epoch of light_gcn, `alignment` by step of align; any may be empty."""
    axes = figure.subplots(1, 2 if graph and alignment else 1, squeeze=False)[0]
    if graph:
        draw_graph_loss(axes[0], colours, graph, recall)
    if alignment:
        axes[-1].plot(np.arange(1, len(alignment) + 1), alignment, color=colours["tuned"], lw=1.6)
        axes[-1].set(title="align", xlabel="step", ylabel="contrastive loss")


def draw_graph_loss(axes, colours, graph, recall):
    axes.plot(np.arange(1, len(graph) + 1), graph, color=colours["tuned"], lw=1.6, label="BPR loss")
    axes.set(title="light_gcn", xlabel="epoch", ylabel="BPR loss")
    if recall:
        other = axes.twinx()
        other.plot(*zip(*recall), color=colours["zero_shot"], marker="o", ms=3, lw=1.2)
        other.set_ylabel("valid recall@20", color=colours["zero_shot"])
        other.spines["right"].set_visible(False)
        other.grid(visible=False)


def draw_maps(figure, colours, maps, codes, names):
    grid = figure.subplots(1, len(maps))
    for axes, (title, points) in zip(np.atleast_1d(grid), maps.items()):
        rest = codes < 0
        axes.scatter(*points[rest].T, s=6, color=colours["faint"], alpha=0.35, lw=0)
        for code, name in enumerate(names):
            axes.scatter(*points[codes == code].T, s=9, color=PALETTE[code], alpha=0.85, lw=0, label=name)
        axes.set(title=title, xticks=[], yticks=[])
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    if names:
        handles, labels = np.atleast_1d(grid)[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(names), 8), markerscale=2,
                      fontsize=8)
