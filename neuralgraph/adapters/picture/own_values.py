"""Values of one's own on a study: importances of nodes, as GNNExplainer, Captum or another attention give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

__all__ = ["OwnValues", "values_of"]

_POSITIVE, _SIGNED = "viridis", "PuOr_r"
"""Colour maps for values that are all of one sign, and for those of both; both readable with every colour vision."""


@dataclass(frozen=True, eq=False)
class OwnValues:
    """Values by what they belong to."""

    cells: NDArray[np.float32]
    """float32 [n_cells]: of every cell of all views; NaN where there is none, which leaves the film bare."""
    concepts: NDArray[np.float32] | None
    """float32 [n_concepts], or None when none were given."""

    def of_view(self, study: Study, view: int) -> NDArray[np.float32]:
        """float32 [rows, cols] of one view."""
        sizes = [each.rows * each.cols for each in study.views]
        start = sum(sizes[:view])
        return self.cells[start : start + sizes[view]].reshape(study.views[view].rows, study.views[view].cols)

    @property
    def norm(self) -> Normalize:
        """From 0 on when all have one sign, else as far below zero as above it."""
        from matplotlib.colors import Normalize

        parts = [self.cells, np.zeros(1, np.float32) if self.concepts is None else self.concepts]
        every = np.concatenate(parts)
        low, high = float(np.nanmin(every)), float(np.nanmax(every))
        far = max(abs(low), abs(high)) or 1.0
        return Normalize(-far, far) if low < 0 else Normalize(0.0, far)

    @property
    def colours(self) -> str:
        """Name of the colour map."""
        return _SIGNED if self.norm.vmin else _POSITIVE


def values_of(study: Study, values: ArrayLike | Mapping[str, Any]) -> OwnValues:
    """Values of a study, in whichever of four forms they are given.

    Parameters
    ----------
    study : the study.
    values : real numbers, one for each kept patch (in the order of ``study.patches``); or for each node of
        ``adapters.pyg.to_data`` (patches, then concepts); or for each cell of all grids, view by view and row by row
        (of one film also as [rows, cols]). A column of one value may stand around each, as [n, 1]. Or a mapping from
        study id to such values.

    Raises
    ------
    StudyError (E_NOT_FOUND) : the mapping holds none of this study.
    StudyError (E_SIZE) : their number is none of these, or fits two of them.
    StudyError (E_NUM) : they are no real numbers, or not finite.
    """
    if isinstance(values, Mapping):
        if study.study_id not in values:
            reason = f"no values are given for {study.study_id!r}"
            raise StudyError(reason, code="E_NOT_FOUND", where="values")
        values = values[study.study_id]
    detached = values.detach().cpu() if hasattr(values, "detach") else values
    given = np.asarray(detached)
    if given.dtype.kind not in "fiub" or not np.isfinite(given.astype(np.float64)).all():
        raise StudyError("values are finite real numbers", code="E_NUM", where="values")
    n_patches, n_concepts = len(study.patches), len(study.concepts)
    grid = (study.views[0].rows, study.views[0].cols) if len(study.views) == 1 else None
    whole = given.shape == grid
    flat = given.astype(np.float32).ravel() if whole or given.shape[1:] in ((), (1,)) else np.empty(0, np.float32)
    sizes = {"patches": n_patches, "nodes": n_patches + n_concepts, "cells": study.n_cells}
    fits = ["cells"] if whole else [kind for kind, size in sizes.items() if size == len(flat) > 0]
    if "patches" in fits and n_concepts == 0:
        fits = ["patches"]
    if len(fits) != 1:
        counts = ", ".join(f"{size} {kind}" for kind, size in sizes.items())
        reason = f"the study has {counts}; the values have the shape {list(given.shape)}"
        if len(fits) > 1:
            reason += f", which fits {' and '.join(fits)}: give them for the cells as [rows, cols]"
        raise StudyError(reason, code="E_SIZE", where="values")
    if fits == ["cells"]:
        return OwnValues(flat, None)
    cells = np.full(study.n_cells, np.nan, np.float32)
    starts = np.cumsum([0] + [view.rows * view.cols for view in study.views])
    columns = np.array([view.cols for view in study.views], np.int64)
    of = study.patches.view.astype(np.int64)
    cells[starts[of] + study.patches.row * columns[of] + study.patches.col] = flat[:n_patches]
    return OwnValues(cells, flat[n_patches:] if fits == ["nodes"] else None)
