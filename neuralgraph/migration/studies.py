"""Saved graphs as studies, as far as their meaning allows.

A study places every patch in a grid and gives it an attention score, and every concept a text and a label. The
published code saves none of these, and nothing in its files lets them be recovered: it is not even certain which
patches they were. So a migrated study has the labels, no film and no concepts, and carries the graph whole, as an
extension (``neuralgraph.graph.carried``): nothing is lost, nothing is made up, and every checksum of the format
protects it. ``provenance`` names the origin, and ``to_data`` gives the graph back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import SourceError
from neuralgraph.graph.carried import CARRIED, ORIGIN
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.wire.npz import write_npz

__all__ = ["migrated_study"]

_DEFAULT_LABELS = ("y",)


def migrated_study(
    number: int, arrays: Mapping[str, NDArray[Any]], *, labels: Sequence[str] = (), bfloat16: Sequence[str] = ()
) -> Study:
    """The study of a saved graph.

    Parameters
    ----------
    number : place in the file; the study is called ``graph-<number>``, with seven digits.
    arrays : of the graph, from ``graph_arrays``.
    labels : names of the values of ``y``, in order. Without names a single value is called "y", and several stay in the
        extension only. Values that are not finite are unknown and become no label.
    bfloat16 : names of the arrays that are bfloat16 in the file.

    Raises
    ------
    SourceError (E_SOURCE_CONTENT) : names are given, and ``y`` does not have as many values.
    StudyError (E_TEXT) : a name is not one a label can have.
    """
    content = BytesIO()
    write_npz(content, arrays.items())
    none = np.empty(0, np.float32)
    facts: dict[str, Any] = {
        "from": "torch.save list of PyG Data",
        "nodes": len(arrays["x"]),
        "edges": int(arrays["edge_index"].shape[1]),
        "width": int(arrays["x"].shape[1]),
    }
    facts |= {name: int(arrays[name]) for name in ("n_patches",) if name in arrays}
    facts |= {"bfloat16": list(bfloat16)} if bfloat16 else {}
    return Study(
        study_id=f"graph-{number:07d}",
        views=(),
        patches=Patches(none.astype(np.int32), none.astype(np.int32), none, none.reshape(0, 0)),
        labels=_labels(number, arrays.get("y"), labels),
        provenance={ORIGIN: facts},
        extensions={CARRIED: content.getvalue()},
    )


def _labels(number: int, y: NDArray[Any] | None, names: Sequence[str]) -> dict[str, float]:
    count = 0 if y is None else y.size
    if names and count != len(names):
        reason = f"y has {count} values, {len(names)} label names were given"
        raise SourceError(reason, code="E_SOURCE_CONTENT", where=f"graph[{number}].y")
    chosen = names or _DEFAULT_LABELS
    if y is None or count != len(chosen) or y.dtype.kind not in "fiub":
        return {}
    values = y.astype(np.float64).ravel().tolist()
    return {name: value for name, value in zip(chosen, values, strict=True) if np.isfinite(value)}
