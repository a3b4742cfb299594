"""The figures of an experiment's page."""
import matplotlib.ticker
import numpy as np

from .figures import PALETTE, smoothed


def draw_systems(figure, colours, rows):
    """A point per seed and a bar at the mean: `rows` are (label, values)."""
    axes = figure.subplots()
    for height, (_, values) in enumerate(reversed(rows)):
        axes.plot([np.mean(values)] * 2, [height - 0.28, height + 0.28], color=colours["tuned"], lw=2.4)
        axes.plot(values, [height] * len(values), "o", color=colours["tuned"], ms=4.5, alpha=0.55, mew=0)
    axes.set_yticks(range(len(rows)), [label for label, _ in reversed(rows)])
    axes.set(xlabel="AUC", ylim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def draw_sweep(figure, colours, key, curves, levels):
    """AUC against a swept number: `curves` is {label: (values, means, deviations or None)}, `levels` {label: AUC}."""
    axes = figure.subplots()
    for i, (label, (values, means, deviations)) in enumerate(curves.items()):
        axes.errorbar(values, means, yerr=deviations, color=PALETTE[i % len(PALETTE)], marker="o", ms=4,
                      lw=1.6, elinewidth=1, label=label)
    for i, (label, level) in enumerate(levels.items()):
        axes.axhline(level, color=PALETTE[(len(curves) + i) % len(PALETTE)], lw=1.2, ls="--", label=label)
    axes.set(xlabel=key, ylabel="AUC")
    shown = sorted({value for values, _, _ in curves.values() for value in values})
    if shown[0] > 0 and shown[-1] / shown[0] > 16:  # such as the powers of a learning curve
        axes.set_xscale("log", base=2)
        axes.set_xticks(shown, [f"{value:g}" for value in shown])
    elif all(value == int(value) for value in shown):
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8)


def draw_grid(figure, colours, rows, columns, values, xlabel):
    """AUC by (row, column); NaN where there is no cell."""
    axes = figure.subplots()
    low, high = np.nanmin(values), np.nanmax(values)
    image = axes.imshow(values, cmap="viridis", aspect="auto", vmin=low, vmax=high if high > low else low + 1)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            middle = (value - low) / (high - low) if high > low else 0.0
            axes.text(column, row, f"{value:.4f}", ha="center", va="center", fontsize=9,
                      color="#000000" if middle > 0.6 else "#ffffff")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel(xlabel)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="AUC", fraction=0.04)


def draw_deviations(figure, colours, rows):
    """What each deviation changes: `rows` are (label, AUC change, interval, log loss change)."""
    panels = figure.subplots(1, 2, sharey=True)
    heights = np.arange(len(rows))[::-1]
    for axes, place, title, sign in ((panels[0], 1, "change of AUC", 1), (panels[1], 3, "change of log loss", -1)):
        values = np.array([np.nan if row[place] is None else row[place] for row in rows])
        better = [colours["baseline"] if sign * value > 0 else colours["zero_shot"] for value in values]
        axes.barh(heights, values, color=better, height=0.6, alpha=0.85)
        axes.axvline(0, color=colours["faint"], lw=1)
        axes.set_xlabel(title)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    for height, row in zip(heights, rows):
        if row[2] is not None:
            panels[0].plot(row[2], [height] * 2, color=colours["ink"], lw=1.2)
    panels[0].set_yticks(heights, [row[0] for row in rows])


def draw_learning(figure, colours, curves):
    """Training losses over steps: {label: [(step, loss)]}."""
    axes = figure.subplots()
    for i, (label, pairs) in enumerate(curves.items()):
        steps, losses = zip(*pairs)
        axes.plot(steps, smoothed(losses), color=PALETTE[i % len(PALETTE)], lw=1.4, label=label)
    axes.set(xlabel="optimizer step", ylabel="loss per answer token, smoothed", ylim=(0, None))
    axes.legend(fontsize=8)


def draw_costs(figure, colours, rows, stages):
    """Seconds of each cell by stage: `rows` are (label, {stage: seconds})."""
    axes = figure.subplots()
    heights = np.arange(len(rows))[::-1]
    left = np.zeros(len(rows))
    for i, stage in enumerate(stages):
        seconds = np.array([costs.get(stage, 0.0) for _, costs in rows])
        axes.barh(heights, seconds, left=left, height=0.7, color=PALETTE[i % len(PALETTE)], label=stage)
        left += seconds
    axes.set_yticks(heights, [label for label, _ in rows])
    axes.set(xlabel="seconds")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=6, fontsize=8)
