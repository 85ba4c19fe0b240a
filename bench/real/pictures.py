"""Hits and failures on films of people, drawn without the films, which stay where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuralgraph.compressor.training.seeing import COVERED, RETENTION

__all__ = ["draw"]

_SHOWN = 4
_WIDE = 34
"""Letters of a line of text."""


def draw(rows: Sequence[dict[str, Any]], target: Path) -> None:
    """The films whose area the model keeps best, and worst, with a lesion of at most a tenth of the patches.

    Grey: how much of a patch the readers' outlines cover. Red: the score. Squares: the kept patches.

    Parameters
    ----------
    rows : of ``measure.rows_of_fold``.
    target : the PNG to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Rectangle

    def share(row: dict[str, Any]) -> float:
        """Of what could be kept at best."""
        return row["measures"]["model"][f"area {RETENTION}"] / row["measures"]["oracle"][f"area {RETENTION}"]

    ordered = sorted(rows, key=lambda row: -share(row))
    figure, axes = plt.subplots(2, _SHOWN, figsize=(2.6 * _SHOWN, 6.4))
    for line, chosen, title in zip(axes, (ordered[:_SHOWN], ordered[-_SHOWN:]), ("hit", "failure"), strict=True):
        for axis, row in zip(line, chosen, strict=False):
            score, coverage = np.asarray(row["shown"]["score"]), np.asarray(row["shown"]["coverage"])
            axis.imshow(coverage, cmap="Greys", vmin=0, vmax=1.4)
            axis.imshow(score / score.max(), cmap="Reds", alpha=0.45)
            kept = np.argsort(-score.ravel(), kind="stable")[: math.ceil(RETENTION * score.size)]
            for cell in kept:
                y, x = divmod(int(cell), score.shape[1])
                inside = coverage[y, x] > COVERED
                axis.add_patch(
                    Rectangle(
                        (x - 0.5, y - 0.5), 1, 1, fill=False, lw=1.5, edgecolor="tab:green" if inside else "tab:blue"
                    )
                )
            words = row["shown"]["text"].replace("\n", " ")
            words = words if len(words) <= 3 * _WIDE else words[: 3 * _WIDE - 3] + "..."
            wrapped = "\n".join(words[place : place + _WIDE] for place in range(0, len(words), _WIDE))
            area = row["measures"]["model"][f"area {RETENTION}"]
            axis.set_title(f"{title}: area {area:.2f}\n{wrapped}", fontsize=6)
            axis.set_xticks([])
            axis.set_yticks([])
    figure.tight_layout()
    figure.savefig(target, dpi=110, metadata={"Software": None})
    plt.close(figure)
