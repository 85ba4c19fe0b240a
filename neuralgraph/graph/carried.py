"""Plain graphs: what ``ngr migrate`` takes over from files that say neither where a patch was nor what a concept is.

A plain graph travels in a study without patches and concepts, whole, as the extension ``CARRIED``: by these three it is
told from every other study. Its provenance names, under ``ORIGIN``, what it was and how large it
is. Whatever works on patches and concepts refuses it; what gives graphs gives back the one it carries.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.view import View

__all__ = ["CARRIED", "ORIGIN", "PlainGraph", "StudyFields", "carried_facts", "carried_graph", "refuse_carried"]

CARRIED = "x.org.neuralgraph.reference-graph"
"""The extension that holds the graph: an uncompressed ``.npz`` with ``x``, ``edge_index``, ``y`` and so on."""
ORIGIN = "x.org.neuralgraph.migrated"
"""The member of the provenance that describes it."""

_ORDER = "from nodes edges width n_patches bfloat16"
_FEWEST_BYTES = 10
_KINDS = "biufU"
_COUNT = "n_patches"


class StudyFields(Protocol):
    """What is read of a study by those that ``neuralgraph.graph.study`` itself needs; it describes the fields."""

    @property
    def study_id(self) -> str: ...  # noqa: D102
    @property
    def views(self) -> tuple[View, ...]: ...  # noqa: D102
    @property
    def patches(self) -> Patches: ...  # noqa: D102
    @property
    def concepts(self) -> tuple[Concept, ...]: ...  # noqa: D102
    @property
    def triples(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def fusion(self) -> tuple[int, int] | None: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def extensions(self) -> Mapping[str, bytes]: ...  # noqa: D102
    @property
    def n_cells(self) -> int: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102


class PlainGraph(NamedTuple):
    """A graph as it was saved."""

    arrays: dict[str, NDArray[Any]]
    """By attribute, in the dtypes they were saved in, among them ``x`` (floating [n, d]) and ``edge_index`` (integer
    [2, e]). An array of no dimensions whose name no tensor of such graphs has is a text, number or truth value."""
    n_patches: int | None
    """Nodes that are patches, where the file proved it: the first ones; the others are concepts."""
    bfloat16: frozenset[str]
    """Arrays that were bfloat16 and are float32 here, which holds it exactly."""


def carried_facts(study: StudyFields) -> dict[str, Any] | None:
    """What is said of the graph that a study carries: from, nodes, edges, width, ...; None when it carries none."""
    if not _carries(study):
        return None
    facts = study.provenance.get(ORIGIN)
    if not isinstance(facts, Mapping):
        return {}
    return {name: facts[name] for name in sorted(facts, key=lambda name: (_ORDER.find(name), name))}


def _carries(study: StudyFields) -> bool:
    return CARRIED in study.extensions and not len(study.patches) and not study.concepts


def carried_graph(study: StudyFields) -> PlainGraph | None:
    """The graph that a study carries, or None: then it is a study in the full sense.

    Raises
    ------
    StudyError (E_STUDY) : the extension does not hold a graph.
    """
    if not _carries(study):
        return None
    try:
        arrays = _arrays(study.extensions[CARRIED])
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, NotImplementedError, OverflowError) as error:
        raise _wrong(f"not arrays of numbers ({type(error).__name__})") from error
    count = arrays.pop(_COUNT, None)
    x, edges = arrays.get("x"), arrays.get("edge_index")
    if x is None or x.ndim != 2 or x.dtype.kind != "f":
        raise _wrong("no features x of nodes and values")
    if edges is None or edges.ndim != 2 or edges.shape[0] != 2 or edges.dtype.kind != "i":
        raise _wrong("no edge_index of two rows")
    if edges.size and (edges.min() < 0 or edges.max() >= len(x)):
        raise _wrong("an edge ends outside the nodes")
    if count is not None and (count.ndim or count.dtype.kind != "i" or not 0 <= count <= len(x)):
        raise _wrong("an impossible number of patches")
    halved = (carried_facts(study) or {}).get("bfloat16", ())
    names = frozenset(name for name in halved if name in arrays and arrays[name].dtype == np.float32)
    return PlainGraph(arrays, None if count is None else int(count), names)


def refuse_carried(study: StudyFields, purpose: str) -> None:
    """Refuse a plain graph where patches and concepts are needed.

    Parameters
    ----------
    purpose : what was wanted, in plain words ("a picture").

    Raises
    ------
    StudyError (E_STUDY) : the study carries a plain graph.
    """
    if _carries(study):
        reason = (
            f"a plain graph says neither where a patch was nor what a concept is, so there is no {purpose} of it; "
            "neuralgraph.adapters.pyg.to_data gives it back as it was"
        )
        raise StudyError(reason, code="E_STUDY", where=study.study_id)


def _arrays(payload: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed ``.npz``; no more memory than the payload has bytes is taken."""
    arrays = {}
    with zipfile.ZipFile(BytesIO(payload)) as file:
        for entry in file.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(payload):
                raise ValueError("an entry is compressed, or larger than all of them")
            arrays[entry.filename.removesuffix(".npy")] = _array(file.read(entry))
    return arrays


def _array(data: bytes) -> NDArray[Any]:
    stream = BytesIO(data)
    if len(data) < _FEWEST_BYTES or np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("not an array of version 1.0")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    count = 1
    for side in shape:
        count *= side
    if dtype.kind not in _KINDS or by_columns or min(shape, default=0) < 0:
        raise ValueError("an array of another kind")
    if count * dtype.itemsize != len(data) - stream.tell():
        raise ValueError("an array of another size than it says")
    return np.frombuffer(data, dtype, count, stream.tell()).reshape(shape)


def _wrong(reason: str) -> StudyError:
    return StudyError(f"the extension does not hold a graph: {reason}", code="E_STUDY", where=f"extensions.{CARRIED}")
