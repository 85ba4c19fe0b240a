"""Arrays of whole batches as ``Batch`` objects, equal to what ``Batch.from_data_list`` makes of single graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch_geometric.data import Batch, Data, HeteroData

from neuralgraph.adapters.pyg.graphs import HETERO_EDGE_TYPES, to_data, to_hetero_data
from neuralgraph.batches.arrays import ATTRIBUTES, Allocate, GraphBatch, starts
from neuralgraph.batches.joined import EDGE_TYPES, NODE_TYPES
from neuralgraph.batches.memory import ReusedMemory
from neuralgraph.batches.reader import BatchReader
from neuralgraph.errors import StudyError
from neuralgraph.graph.carried import carried_facts
from neuralgraph.graph.study import Study

__all__ = ["Batcher"]

_DATA_BATCH, _HETERO_BATCH = type(Batch(_base_cls=Data)), type(Batch(_base_cls=HeteroData))
_OF_NODES = ("x", "node_type", "node_view", "pos", "attention")
_OF_PAIRS = ("edge_index", "edge_type")
_OF_GRAPHS = ("y", "y_mask")
_ORDER = (
    "x",
    "edge_index",
    "y",
    "pos",
    "edge_type",
    "node_type",
    "node_view",
    "attention",
    "fusion_edge_index",
    "concept_features",
    "num_nodes",
    "y_mask",
    "study_id",
)
"""Attributes of ``to_data`` in the order of its ``Data``."""


_KINDS: dict[type[np.generic], torch.dtype] = {np.float32: torch.float32, np.int64: torch.int64, np.bool_: torch.bool}
"""What attributes are made of."""


class Batcher:
    """Makes graphs and batches of the studies of a ``BatchReader``.

    Parameters
    ----------
    reader : the studies.
    heterogeneous : batches of ``HeteroData``, whose concepts are as wide as patches.
    concept_width : as for ``to_hetero_data``, for single graphs.
    pin_memory : put the tensors of batches in page-locked memory.
    """

    def __init__(
        self,
        reader: BatchReader,
        *,
        heterogeneous: bool = False,
        concept_width: int | None = None,
        pin_memory: bool = False,
    ) -> None:
        self.reader = reader
        self._heterogeneous, self._concept_width, self._pin = heterogeneous, concept_width, pin_memory
        self._memory = ReusedMemory()

    def batch(self, numbers: ArrayLike) -> Any:
        """One ``Batch`` of the studies at ``numbers``.

        Raises
        ------
        FormatError, StudyError, StudyNotFoundError : as for ``BatchReader.studies``, or a study has no features of the
            kind asked for.
        StudyError (E_SIZE) : an embedding has another width than those of the archive.
        """
        tensors: dict[str, torch.Tensor] = {}
        also = frozenset({"edge_type", "node_type"} if self._heterogeneous else ())
        graphs = self.reader.read(numbers, self._allocator(tensors), also=also)
        if graphs is not None:
            return (_heterogeneous_batch if self._heterogeneous else _homogeneous_batch)(tensors, graphs)
        studies = self.reader.studies(numbers)
        if len({carried_facts(study) is None for study in studies}) > 1:
            reason = "plain graphs and studies have other attributes and form no batch; name one kind in split"
            raise StudyError(reason, code="E_STUDY", where="batch")
        for study in studies:
            self.reader.check_width(study)
        width = self.reader.width
        batch = Batch.from_data_list([self._graph(study, width, width) for study in studies])
        for kind in NODE_TYPES if self._heterogeneous else ():
            # PyG leaves out nodes of which no column was asked for, and cannot take such a batch apart.
            batch._slice_dict.setdefault(kind, {})
            batch._inc_dict.setdefault(kind, {})
        return batch.pin_memory() if self._pin else batch

    def data(self, number: int) -> Any:
        """The graph of one study; errors as for ``batch``, but for its width."""
        if not self._heterogeneous:
            tensors: dict[str, torch.Tensor] = {}
            graph = self.reader.read_single(number, self._allocator(tensors))
            if graph is not None:
                return _data(tensors, graph)
        (study,) = self.reader.studies([number])
        return self._graph(study, None if len(study.patches) else self.reader.width, self._concept_width)

    def several(self, numbers: Sequence[int]) -> list[Any]:
        """The graphs of some studies; of files behind a network with few requests. Errors as for ``data``."""
        self.reader.foresee(numbers)
        return [self.data(number) for number in numbers]

    def _allocator(self, tensors: dict[str, torch.Tensor]) -> Allocate:
        """Makes arrays whose memory is that of tensors."""

        def allocate(name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
            if self._pin:
                tensors[name] = torch.empty(shape, dtype=_KINDS[dtype], pin_memory=True)
                return tensors[name].numpy()
            array = self._memory.array(shape, dtype) if name == "x" else np.empty(shape, dtype)
            tensors[name] = torch.from_numpy(array)
            return array

        return allocate

    def _graph(self, study: Study, width: int | None, concept_width: int | None) -> Data | HeteroData:
        """The graph of a study: what batches are defined by."""
        reader, plain = self.reader, carried_facts(study) is not None
        options: dict[str, Any] = {
            "labels": None if plain and reader.y_as_saved else reader.label_names,
            "uncertain": reader.uncertain,
            "concept_features": reader.concept_features,
            # A plain graph has attributes of its own, too.
            "columns": None if plain and len(reader.columns) == len(ATTRIBUTES) else reader.columns,
            "width": width,
        }
        if self._heterogeneous:
            return to_hetero_data(study, **options, concept_width=concept_width)
        return to_data(study, **options)


def _empty_batch(kind: type) -> Any:
    """A batch of this class: ``Batch`` would look at signatures and make the class anew each time."""
    return type.__call__(kind)


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(array)


def _seal(batch: Any, count: int, slices: dict[Any, Any], increments: dict[Any, Any]) -> None:
    """What ``get_example`` and ``to_data_list`` need to take a batch apart."""
    batch._num_graphs = count
    batch._slice_dict = slices
    batch._inc_dict = increments


def _data(tensors: dict[str, torch.Tensor], graph: GraphBatch) -> Data:
    """The graph of a batch of one."""
    alone = {
        **tensors,
        "concept_features": graph.concept_features[0],
        "num_nodes": len(graph.graph),
        "study_id": graph.study_id[0],
    }
    data = Data()
    data._store._mapping.update({name: alone[name] for name in _ORDER if name in alone})
    return data


def _homogeneous_batch(tensors: dict[str, torch.Tensor], graphs: GraphBatch) -> Any:
    count = len(graphs.study_id)
    node_start, pair_start, fusion_start = map(_tensor, (graphs.node_start, graphs.pair_start, graphs.fusion_start))
    every, nothing = _tensor(np.arange(count + 1)), _tensor(np.zeros(count, np.int64))
    shift = node_start[:-1]
    slices: dict[str, Any] = {
        **dict.fromkeys(_OF_NODES, node_start),
        **dict.fromkeys(_OF_PAIRS, pair_start),
        **dict.fromkeys((*_OF_GRAPHS, "concept_features", "study_id"), every),
        "fusion_edge_index": fusion_start,
    }
    increments: dict[str, Any] = {
        **dict.fromkeys(slices, nothing),
        "edge_index": shift,
        "fusion_edge_index": shift,
        "concept_features": None,
        "study_id": None,
    }
    values: dict[str, Any] = {
        **tensors,
        "concept_features": graphs.concept_features,
        "num_nodes": int(graphs.node_start[-1]),
        "study_id": graphs.study_id,
    }
    batch = _empty_batch(_DATA_BATCH)
    present = [name for name in _ORDER if name in values]
    batch._store._mapping.update({name: values[name] for name in present})
    batch._store._mapping["batch"] = _tensor(graphs.graph)
    batch._store._mapping["ptr"] = node_start
    batch._store._num_nodes = (graphs.node_start[1:] - graphs.node_start[:-1]).tolist()
    sliced = [name for name in present if name != "num_nodes"]
    _seal(batch, count, {name: slices[name] for name in sliced}, {name: increments[name] for name in sliced})
    return batch


def _heterogeneous_batch(tensors: dict[str, torch.Tensor], graphs: GraphBatch) -> Any:
    """The same graph with patches and concepts numbered apart, one store for each type of node and of edge."""
    count = len(graphs.study_id)
    every, nothing = _tensor(np.arange(count + 1)), _tensor(np.zeros(count, np.int64))
    slices: dict[Any, Any] = {}
    increments: dict[Any, Any] = {}
    batch = _empty_batch(_HETERO_BATCH)
    whole: dict[str, Any] = {name: tensors[name] for name in _OF_GRAPHS if name in tensors}
    whole |= {"study_id": graphs.study_id, "concept_features": graphs.concept_features}
    for name, value in whole.items():
        batch[name] = value
        slices[name] = every
        increments[name] = nothing if isinstance(value, torch.Tensor) else None
    is_patch = tensors["node_type"].numpy() == NODE_TYPES.index("patch")
    number = np.where(is_patch, np.cumsum(is_patch), np.cumsum(~is_patch)) - 1
    owner = {"patch": graphs.graph[is_patch], "concept": graphs.graph[~is_patch]}
    sizes = {kind: np.bincount(graph, minlength=count) for kind, graph in owner.items()}
    for kind, chosen in (("patch", is_patch), ("concept", ~is_patch)):
        store, begin = batch[kind], _tensor(starts(sizes[kind]))
        names = ("x", "pos", "attention", "node_view") if kind == "patch" else ("x",)
        present = [name for name in names if name in tensors]
        rows = _tensor(np.flatnonzero(chosen))
        for name in present:
            store[name] = tensors[name].index_select(0, rows)
        store.num_nodes = int(begin[-1])
        store._num_nodes = sizes[kind].tolist()
        store.batch, store.ptr = _tensor(owner[kind]), begin
        slices[kind], increments[kind] = dict.fromkeys(present, begin), dict.fromkeys(present, nothing)
    if "edge_index" in tensors:
        source, target = tensors["edge_index"].numpy()
        code, from_patch = tensors["edge_type"].numpy(), is_patch[source]
        pair_owner = graphs.graph[source]
        for triplet in HETERO_EDGE_TYPES:
            head, name, tail = triplet
            wanted = EDGE_TYPES.index("fused" if name == "rev_fused" else name)
            chosen = (code == wanted) & (from_patch == (head == "patch"))
            ends = np.stack([number[source[chosen]], number[target[chosen]]])
            batch[triplet].edge_index = _tensor(ends)
            held = starts(np.bincount(pair_owner[chosen], minlength=count))
            shift = np.stack([starts(sizes[head])[:-1], starts(sizes[tail])[:-1]], axis=1)[:, :, None]
            slices[triplet] = {"edge_index": _tensor(held)}
            increments[triplet] = {"edge_index": _tensor(shift)}
    _seal(batch, count, slices, increments)
    return batch
