#!/usr/bin/env python3
"""Draws the results of study.py: test accuracy against seconds of training. Needs matplotlib."""

import argparse

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from runs import NONE, load  # noqa: E402

# Okabe and Ito's colours, which the colour-blind can tell apart; markers help them too.
LINES = {NONE: ("#000000", "o"), "element": ("#0072B2", "s"), "neuron": ("#D55E00", "^"),
         "neuron/32": ("#009E73", "D")}


def curve(results):
    """Mean over the seeds of seconds and of accuracy, epoch by epoch."""
    seconds = [sum(t) / len(t) for t in zip(*[[e["train_seconds"] for e in r.epochs]
                                              for r in results])]
    accuracy = [100 * sum(a) / len(a) for a in zip(*[[e["test_accuracy"] for e in r.epochs]
                                                     for r in results])]
    return seconds, accuracy


def limits(groups, images):
    """Of accuracy, the same in a row of panels: the first epochs would squeeze the rest."""
    curves = [curve(results)[1] for key, results in groups.items()
              if key[0] == images and key[2] in LINES]
    late = [a for accuracy in curves for a in accuracy[len(accuracy) // 4:]]
    margin = 0.08 * (max(late) - min(late)) + 0.1
    return min(late) - margin, max(late) + margin


def draw_panel(axes, groups, images, width):
    handles = {}
    for name, (colour, marker) in LINES.items():
        results = groups.get((images, width, name))
        if not results:
            continue
        if len(results) > 1:
            for result in results:
                axes.plot(*curve([result]), color=colour, linewidth=0.6, alpha=0.35)
        seconds, accuracy = curve(results)
        handles[name] = axes.plot(
            seconds, accuracy, color=colour, linewidth=1.8, marker=marker, markersize=4,
            markevery=max(1, len(seconds) // 8))[0]
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=5)
    axes.set_ylim(*limits(groups, images))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return handles


def draw(groups, path):
    rows = sorted({key[0] for key in groups})
    columns = sorted({key[1] for key in groups})
    figure, panels = plt.subplots(
        len(rows), len(columns), squeeze=False, dpi=140, facecolor="white",
        figsize=(10, 2.5 * len(rows) + 0.9), layout="constrained", sharey="row")
    handles = {}
    for r, images in enumerate(rows):
        for c, width in enumerate(columns):
            handles |= draw_panel(panels[r][c], groups, images, width)
            if r == 0:
                panels[r][c].set_title(f"784-{width}-{width}-10", fontsize=11)
        panels[r][0].set_ylabel(f"{images:,} images\ntest accuracy, %", fontsize=10)
    for axes in panels[-1]:
        axes.set_xlabel("seconds of training", fontsize=10)
    # The panels leave room at the top (matplotlib 3.6 knows no "outside").
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.4 / figure.get_figheight()))
    figure.legend(handles.values(), handles.keys(), loc="upper center", ncols=len(handles),
                  frameon=False, fontsize=11)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="what study.py wrote (--out)")
    parser.add_argument("--out", default="study.png", metavar="PNG")
    arguments = parser.parse_args()
    draw(load(arguments.directory), arguments.out)


if __name__ == "__main__":
    main()
