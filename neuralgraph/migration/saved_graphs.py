"""What a saved graph consists of, and which of it is carried over.

The published code stores three tensors per study: ``x`` (patches, then concepts), ``edge_index`` (grid neighbours once
each, concept pairs in both directions, last the fusion edge) and ``y``. It stores neither the grid, nor the place or
the attention of a patch, nor the text of a concept. Files of changed versions hold more; of that, only the numeric
attributes in ``CARRIED`` are taken unasked, because anything else might name a patient or a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import SourceError
from neuralgraph.migration.archive import TorchArchive
from neuralgraph.migration.interpreter import interpret
from neuralgraph.migration.tensors import TensorReader
from neuralgraph.migration.values import Marker, Object, Tensor

__all__ = ["CARRIED", "ReferenceFile", "ReferenceGraph", "open_reference"]

CARRIED: tuple[str, ...] = (
    "x",
    "edge_index",
    "y",
    "edge_attr",
    "edge_type",
    "node_type",
    "pos",
    "attention",
    "fusion_edge_index",
    "y_mask",
)
"""Attributes taken over when they are tensors."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_UNSPEAKABLE = "(a name that is not a plain word)"


@dataclass(frozen=True, eq=False)
class ReferenceGraph:
    """One saved graph."""

    arrays: dict[str, NDArray[Any]]
    """By attribute; ``x`` floating [n, d] and ``edge_index`` integer [2, e] are always there, in the dtypes of the file
    (bfloat16 as float32). A text, number or truth value that was asked for is an array of no dimensions."""
    left_behind: tuple[str, ...]
    """Names of the attributes that were not taken."""
    bfloat16: tuple[str, ...] = ()
    """Names of the arrays that are bfloat16 in the file."""

    @property
    def n_nodes(self) -> int:
        """Nodes: patches and concepts."""
        return int(self.arrays["x"].shape[0])


class ReferenceFile:
    """An open file of graphs; iterating reads them one after another.

    Parameters
    ----------
    archive : the container.
    keep : names of further attributes to take: tensors, texts, numbers and truth values.

    Raises
    ------
    SourceError (E_SOURCE_CONTENT) : the file holds code, or something other than graphs.
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE) : see ``interpret``.
    """

    def __init__(self, archive: TorchArchive, *, keep: Collection[str] = ()) -> None:
        self._archive = archive
        self._wanted = (*CARRIED, *(name for name in keep if name not in CARRIED))
        found = interpret(archive.read("data.pkl"))
        graphs = [found] if isinstance(found, Object) else list(found) if isinstance(found, list | tuple) else []
        if not graphs or not all(isinstance(item, Object) and item.kind is Marker.graph for item in graphs):
            raise _content("the file does not hold a list of PyG graphs", "data.pkl")
        self._graphs: list[Object] = graphs

    def __len__(self) -> int:
        """Number of graphs."""
        return len(self._graphs)

    def __iter__(self) -> Iterator[ReferenceGraph]:
        """The graphs in order.

        Raises
        ------
        SourceError (E_SOURCE_CONTENT, E_SOURCE_DAMAGED, E_SOURCE_SIZE) : a graph lacks ``x`` or ``edge_index``, or a
            tensor is not what it says.
        """
        reader = TensorReader(self._archive)
        for number, graph in enumerate(self._graphs):
            yield self._graph(graph, reader, f"graph[{number}]")

    def _graph(self, graph: Object, reader: TensorReader, where: str) -> ReferenceGraph:
        attributes = _attributes(graph, where)
        arrays: dict[str, NDArray[Any]] = {}
        for name in self._wanted:
            value = attributes.get(name)
            if isinstance(value, Tensor):
                arrays[name] = reader.array(value, where=f"{where}.{name}")
            elif name not in CARRIED and _is_scalar(value):
                arrays[name] = np.array(value)
        _check(arrays, where)
        names = [name for name, value in attributes.items() if name not in arrays and value is not None]
        left_behind = tuple(name if _NAME.fullmatch(name) else _UNSPEAKABLE for name in names)
        halved = [name for name, value in attributes.items() if name in arrays and _is_bfloat16(value)]
        return ReferenceGraph(arrays, left_behind, tuple(halved))

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        self._archive.close()

    def __enter__(self) -> ReferenceFile:
        """The file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def open_reference(path: str | os.PathLike[str], *, keep: Collection[str] = ()) -> ReferenceFile:
    """Open a file that the published code wrote; see ``TorchArchive`` and ``ReferenceFile`` for what can go wrong."""
    archive = TorchArchive(path)
    try:
        return ReferenceFile(archive, keep=keep)
    except BaseException:
        archive.close()
        raise


def _attributes(graph: Object, where: str) -> dict[str, Any]:
    """Attributes of a graph by name: PyG 2 keeps them in a store of their own, PyG 1 in the graph itself."""
    state = graph.state or {}
    store = state.get("_store")
    if store is None:
        return state
    mapping = store.state.get("_mapping") if isinstance(store, Object) and store.state else None
    if not isinstance(mapping, dict):
        raise _content("a graph keeps its attributes in an unknown way", where)
    return mapping


def _is_bfloat16(value: Any) -> bool:
    return isinstance(value, Tensor) and value.storage.kind.name == "BFloat16Storage"


def _is_scalar(value: Any) -> bool:
    # NumPy drops zero characters at the end of a text.
    return type(value) in (bool, int, float) or (type(value) is str and "\0" not in value)


def _check(arrays: dict[str, NDArray[Any]], where: str) -> None:
    x, edges = arrays.get("x"), arrays.get("edge_index")
    if x is None or x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        raise _content("a graph has no node features x of nodes and values", where)
    if edges is None or edges.ndim != 2 or edges.shape[0] != 2 or edges.dtype.kind != "i":
        raise _content("a graph has no edge_index of two rows", where)
    if edges.size and (edges.min() < 0 or edges.max() >= len(x)):
        raise SourceError("an edge ends outside the nodes", code="E_SOURCE_DAMAGED", where=where)


def _content(reason: str, where: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_CONTENT", where=where)
