"""A study as PyTorch Geometric data: one homogeneous graph, or one heterogeneous graph.

Every graph has the same attributes whatever the study lacks, so that any studies form a batch. No name holds ``batch``,
and the only ones with ``index`` are meant: PyG adds node offsets to those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data, HeteroData

from neuralgraph.batches.arrays import NO_PLACE, chosen_attributes
from neuralgraph.batches.features import concept_matrix, feature_origin
from neuralgraph.batches.joined import EDGE_TYPES, NODE_TYPES, both_directions, joined_edges, patch_centres
from neuralgraph.batches.targets import target_row
from neuralgraph.graph.carried import PlainGraph, carried_graph, refuse_carried
from neuralgraph.graph.study import Study

__all__ = ["EDGE_TYPES", "HETERO_EDGE_TYPES", "NODE_TYPES", "to_data", "to_hetero_data"]

HETERO_EDGE_TYPES: tuple[tuple[str, str, str], ...] = (
    ("patch", "adjacent", "patch"),
    ("patch", "fused", "concept"),
    ("concept", "rev_fused", "patch"),
    *(("concept", name, "concept") for name in EDGE_TYPES[2:]),
)
"""Edge types of ``to_hetero_data``, all present in every graph."""

_ALWAYS = frozenset({"concept_features", "num_nodes", "study_id"})
"""Attributes that are made whatever is asked for."""
_SAVED_TENSORS = frozenset({"y", "y_mask", "pos", "attention", "edge_attr", "edge_type", "node_type"})
"""Attributes of plain graphs that are tensors even where they are a single number."""


def to_data(
    study: Study,
    *,
    labels: Sequence[str] | None = None,
    uncertain: str = "mask",
    concept_features: str = "auto",
    width: int | None = None,
    columns: Iterable[str] | None = None,
) -> Data:
    """A study as one homogeneous graph.

    The n nodes are the patches, strongest first, then the concepts, in order of their spans. Each edge is there in both
    directions; the e edges are sorted by source, then target, then type.

    ============================ ================ =====================================================================
    ``x``                        float32 [n, d]   patch embeddings; concept features
    ``edge_index``               int64 [2, e]     source, target
    ``edge_type``                int64 [e]        position in ``EDGE_TYPES``: 0 adjacent, 1 fused, 2 + 2r relation r
                                                  from head to tail, 3 + 2r from tail to head
    ``node_type``                int64 [n]        position in ``NODE_TYPES``: 0 patch, 1 concept
    ``node_view``                int64 [n]        film of a patch; -1 for concepts (``view`` is a method of ``Data``)
    ``pos``                      float32 [n, 2]   row and column of a patch's centre, as shares of the height and width
                                                  of its film; -1, -1 for concepts, which have no place
    ``attention``                float32 [n]      score of a patch; 0 for concepts
    ``fusion_edge_index``        int64 [2, 1]     patch node, concept node; [2, 0] without a fusion edge
    ``y``                        float32 [1, L]   label values, 0 where the mask is false
    ``y_mask``                   bool [1, L]      which values are known
    ``concept_features``         str              "stored", or the name of the recipe that made the concepts' ``x``
    ``study_id``                 str              identifier of the study
    ============================ ================ =====================================================================

    After ``Data.subgraph`` the ends of ``fusion_edge_index`` have to be numbered anew (docs/how-to/workers.md): PyG
    does that for ``edge_index`` alone.

    Of a study that carries a plain graph (``ngr migrate``; ``neuralgraph.graph.carried``) this is that graph: the
    attributes it was saved with, in their dtypes, ``study_id`` and ``num_nodes``; with ``labels``, ``y`` and ``y_mask``
    are made of the study's labels instead.

    Parameters
    ----------
    study : the study; the tensors are copies and may be changed.
    labels : names of the L labels, in this order. None takes the study's own, sorted by name, which suits a single
        study: the columns of studies with different labels mean different things and must not form a batch.
    uncertain : what becomes of a label of -1: "mask" hides it, "zeros", "ones" and "keep" set it to 0, 1 and -1.
    concept_features : "auto" takes stored vectors where the study has them and hashed text otherwise; "stored" and
        "hash" take one of the two. Stored vectors must have the width d of the patches.
    width : d where the study has no patches; None is the width that the study states, which may be 0 then.
    columns : the attributes to make; None makes all. ``concept_features``, ``num_nodes`` and ``study_id`` are always
        there.

    Raises
    ------
    StudyError (E_IDX, E_DUP, E_STUDY) : ``labels``, ``uncertain``, ``concept_features`` or ``columns`` cannot be meant.
    StudyError (E_SIZE) : stored vectors are absent though asked for, or have another width than the patches.
    StudyError (E_NUM) : text would have to be hashed to fewer than 16 values.
    """
    chosen = chosen_attributes(columns)
    plain = carried_graph(study)
    if plain is not None:
        return _plain_data(study, plain, labels, uncertain, None if columns is None else chosen)
    patches, n_patches, n_concepts = study.patches, len(study.patches), len(study.concepts)
    origin, embedding = feature_origin(study, concept_features), _embedding(study, width)
    pairs, kinds = both_directions(*joined_edges(study))
    labelled = _targets(study, labels, uncertain)
    values: dict[str, Callable[[], Any]] = {
        "x": lambda: _tensor(
            np.concatenate([embedding, concept_matrix(study, origin, width=embedding.shape[1])]), np.float32
        ),
        "edge_index": lambda: _tensor(pairs.T, np.int64),
        "y": lambda: labelled["y"],
        "pos": lambda: _tensor(np.concatenate([patch_centres(study), np.full((n_concepts, 2), NO_PLACE)]), np.float32),
        "edge_type": lambda: _tensor(kinds, np.int64),
        "node_type": lambda: _tensor(np.repeat([0, 1], [n_patches, n_concepts]), np.int64),
        "node_view": lambda: _tensor(np.concatenate([patches.view, np.full(n_concepts, NO_PLACE)]), np.int64),
        "attention": lambda: _tensor(np.concatenate([patches.score, np.zeros(n_concepts)]), np.float32),
        "fusion_edge_index": lambda: _tensor((_fusion(study) + np.array([0, n_patches])).T, np.int64),
        "concept_features": lambda: origin,
        "num_nodes": lambda: n_patches + n_concepts,
        "y_mask": lambda: labelled["y_mask"],
        "study_id": lambda: study.study_id,
    }
    return Data(**{name: value() for name, value in values.items() if name in chosen | _ALWAYS})


def to_hetero_data(
    study: Study,
    *,
    labels: Sequence[str] | None = None,
    uncertain: str = "mask",
    concept_features: str = "auto",
    width: int | None = None,
    concept_width: int | None = None,
    columns: Iterable[str] | None = None,
) -> HeteroData:
    """A study as one heterogeneous graph.

    Node types ``patch`` (``x`` [n_patches, d], ``pos``, ``attention``, ``node_view``) and ``concept`` (``x``
    [n_concepts, w]); the edge types are ``HETERO_EDGE_TYPES``, each with an ``edge_index`` even when empty. ("patch",
    "adjacent", "patch") holds both directions; the others have a type of their own for the reverse direction, ``rev_``
    before the name. ``y``, ``y_mask``, ``concept_features`` and ``study_id`` belong to the graph. Dtypes
    and meanings are those of ``to_data``.

    Parameters
    ----------
    study, labels, uncertain, concept_features, width : as for ``to_data``; stored vectors may have a width of their
        own.
    concept_width : w. None is the width of stored vectors, and that of the patches where none are used; give it when
        stored vectors are narrower or wider than patches, or a study without concepts will not fit the others.
    columns : as for ``to_data``; edges are made with "edge_index", and what this graph does not have is left out.

    Raises
    ------
    StudyError (E_IDX, E_DUP, E_STUDY, E_SIZE, E_NUM) : as for ``to_data``; E_SIZE when stored vectors do not have
        ``concept_width``, E_STUDY also for a plain graph, whose edges have no types.
    """
    chosen = chosen_attributes(columns)
    refuse_carried(study, "heterogeneous graph")
    patches, embedding = study.patches, _embedding(study, width)
    origin = feature_origin(study, concept_features)
    wanted = embedding.shape[1] if concept_width is None and origin != "stored" else concept_width
    data = HeteroData()
    places: dict[str, Callable[[], torch.Tensor]] = {
        "x": lambda: _tensor(embedding, np.float32),
        "pos": lambda: _tensor(patch_centres(study), np.float32),
        "attention": lambda: _tensor(patches.score, np.float32),
        "node_view": lambda: _tensor(patches.view, np.int64),
    }
    for name, value in places.items():
        if name in chosen:
            data["patch"][name] = value()
    data["patch"].num_nodes = len(patches)
    if "x" in chosen:
        data["concept"].x = _tensor(concept_matrix(study, origin, width=wanted), np.float32)
    data["concept"].num_nodes = len(study.concepts)
    if "edge_index" in chosen:
        _add_edges(data, study)
    for name, target in _targets(study, labels, uncertain).items():
        if name in chosen:
            data[name] = target
    data["study_id"] = study.study_id
    data["concept_features"] = origin
    return data


def _plain_data(
    study: Study, plain: PlainGraph, labels: Sequence[str] | None, uncertain: str, chosen: frozenset[str] | None
) -> Data:
    """A plain graph as it was saved."""
    values: dict[str, Any] = {}
    for name, array in plain.arrays.items():
        if array.dtype.kind == "U" or (array.ndim == 0 and name not in _SAVED_TENSORS):
            values[name] = array.item()
        else:
            values[name] = torch.from_numpy(np.array(array, order="C", copy=True))
            if name in plain.bfloat16:
                values[name] = values[name].to(torch.bfloat16)
    if labels is not None:
        values |= _targets(study, labels, uncertain)
    values |= {"num_nodes": len(plain.arrays["x"]), "study_id": study.study_id}
    return Data(**{name: value for name, value in values.items() if chosen is None or name in chosen | _ALWAYS})


def _add_edges(data: HeteroData, study: Study) -> None:
    """The edges of the joined graph, by their types and the types of their ends."""
    pairs, kinds = both_directions(*joined_edges(study))
    n_patches = len(study.patches)
    first = {"patch": 0, "concept": n_patches}
    for source, name, target in HETERO_EDGE_TYPES:
        # Both directions of the fusion edge have one code in the joined graph; here their ends tell them apart.
        code = EDGE_TYPES.index("fused" if name == "rev_fused" else name)
        chosen = (kinds == code) & ((pairs[:, 0] < n_patches) == (source == "patch"))
        data[source, name, target].edge_index = _tensor((pairs[chosen] - [first[source], first[target]]).T, np.int64)


def _embedding(study: Study, width: int | None) -> NDArray[np.float32]:
    """float32 [n_patches, d] of the patches; d is ``width`` where there are none."""
    if len(study.patches) or width is None:
        return study.patches.embedding
    return np.empty((0, width), np.float32)


def _targets(study: Study, labels: Sequence[str] | None, uncertain: str) -> dict[str, torch.Tensor]:
    names = list(study.labels) if labels is None else labels
    values, mask = target_row(study.labels, names, uncertain=uncertain)
    return {"y": _tensor(values[None], np.float32), "y_mask": _tensor(mask[None], np.bool_)}


def _fusion(study: Study) -> NDArray[np.int64]:
    return np.array([study.fusion] if study.fusion else [], np.int64).reshape(-1, 2)


def _tensor(array: Any, dtype: type) -> torch.Tensor:
    # A copy: a study's arrays are read-only, which tensors cannot be.
    return torch.from_numpy(np.array(array, dtype, order="C", copy=True))
