"""The picture of bench/results/rate_distortion.json: ``python -m bench.rate_distortion_plot``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.rate_distortion import RESULTS

__all__ = ["PICTURE", "draw", "main"]

PICTURE = Path(__file__).parents[1] / "docs" / "measurements" / "rate_distortion.png"
# Okabe and Ito's colours, told apart by all common kinds of colour vision; marks differ too.
_STYLES = {
    "float32": ("#000000", "s"),
    "float16": ("#E69F00", "^"),
    "bfloat16": ("#56B4E9", "v"),
    "int8": ("#D55E00", "D"),
    "svd": ("#0072B2", "o"),
}


def _panel(axes: Any, rows: list[dict[str, Any]], loss: str) -> None:
    """Points of every form; the Pareto front is a line and its points are filled."""
    for name, (colour, mark) in _STYLES.items():
        own = [row for row in rows if row["setting"].partition(":")[0] == name and row[loss] > 0]
        for row in own:
            face = colour if row["pareto"] else "white"
            axes.plot(row["file_bytes"] / 1000, row[loss], mark, color=colour, markerfacecolor=face, markersize=7)
        if own:
            axes.plot([], [], mark, color=colour, label=name)
    front = sorted((row["file_bytes"] / 1000, row[loss]) for row in rows if row["pareto"] and row[loss] > 0)
    axes.plot(*zip(*front, strict=True), color="0.6", zorder=0, linewidth=1, label="Pareto front")
    axes.set_xlabel("bytes of a file of one study, thousands")
    axes.set_xscale("log")
    axes.grid(visible=True, which="both", color="0.92")


def draw(results: dict[str, Any]) -> Any:
    """The figure: error at 1,024 values, error and drift of the probe on the trained encoder."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(13.5, 4.4), layout="constrained")
    wide, trained, drift = figure.subplots(1, 3)
    phantoms = results["phantoms"]
    first = next(name for name in phantoms if name.startswith("retention"))
    rows = phantoms[first]["settings"]
    _panel(wide, results["wide"]["settings"], "rmse")
    wide.set_title(
        f"{results['wide']['patches']} patches of {results['wide']['width']:,} values, random weights", fontsize=10
    )
    _panel(trained, rows, "rmse")
    trained.set_title(f"{phantoms[first]['patches']:.0f} patches of {phantoms['width']} values, trained", fontsize=10)
    for axes in (wide, trained):
        axes.set_yscale("log")
        axes.set_ylabel("channel-normalised RMSE")
        for target in (0.011, 0.06):
            axes.axhline(target, color="0.5", linestyle=":", linewidth=1)
    for name, (colour, mark) in _STYLES.items():
        own = [row for row in rows if row["setting"].partition(":")[0] == name]
        x = [row["file_bytes"] / 1000 for row in own]
        y = [row["auc_drift"] for row in own]
        below = [max(0.0, row["auc_drift"] - row["auc_drift_low"]) for row in own]
        above = [max(0.0, row["auc_drift_high"] - row["auc_drift"]) for row in own]
        drift.errorbar(x, y, [below, above], fmt=mark, color=colour, label=name, capsize=2, linewidth=1, markersize=6)
    drift.axhspan(-0.005, 0.005, color="0.93", zorder=0)
    drift.set_xscale("log")
    drift.set_xlabel("bytes of a file of one study, thousands")
    drift.set_ylabel("loss of AUC of the probe, 95 % interval")
    drift.set_title(f"probe on the same studies, AUC {phantoms[first]['auc']:.3f}", fontsize=10)
    drift.grid(visible=True, color="0.92")
    for axes in (wide, trained, drift):
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(ScalarFormatter())
        axes.tick_params(axis="x", which="minor", labelsize=7)
    wide.legend(fontsize=8)
    return figure


def main() -> None:
    """Draw the results."""
    figure = draw(json.loads(RESULTS.read_text(encoding="utf-8")))
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})
    print(PICTURE)


if __name__ == "__main__":
    main()
