"""What a saved list of graphs can be made of: inert values, and the closed table of names that stand for them.

A name in a file is looked up here and nowhere else. It selects one of these markers; it never becomes an import, a
class or a call.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

__all__ = ["GLOBALS", "STORAGE_TYPES", "Marker", "Object", "Storage", "Tensor"]


class Marker(Enum):
    """What a name that is no storage type stands for."""

    tensor = "a tensor made of a storage, an offset, sizes and strides"
    map = "an ordered map"
    graph = "a PyG graph"
    attributes = "the attributes of a PyG graph"
    description = "a class that describes attributes"


class StorageType(NamedTuple):
    """A kind of number."""

    name: str
    itemsize: int
    dtype: str
    """NumPy dtype of the stored bytes; bfloat16 has none and is stored as its 16 bits."""


STORAGE_TYPES: dict[str, StorageType] = {
    kind.name: kind
    for kind in (
        StorageType("FloatStorage", 4, "<f4"),
        StorageType("DoubleStorage", 8, "<f8"),
        StorageType("HalfStorage", 2, "<f2"),
        StorageType("BFloat16Storage", 2, "<u2"),
        StorageType("LongStorage", 8, "<i8"),
        StorageType("IntStorage", 4, "<i4"),
        StorageType("ShortStorage", 2, "<i2"),
        StorageType("CharStorage", 1, "|i1"),
        StorageType("ByteStorage", 1, "|u1"),
        StorageType("BoolStorage", 1, "|u1"),
    )
}
"""Storage types of torch by name; booleans are bytes that are 0 or 1."""

GLOBALS: dict[tuple[str, str], Marker | StorageType] = {
    ("torch._utils", "_rebuild_tensor_v2"): Marker.tensor,
    ("collections", "OrderedDict"): Marker.map,
    ("torch_geometric.data.data", "Data"): Marker.graph,
    ("torch_geometric.data.storage", "GlobalStorage"): Marker.attributes,
    ("torch_geometric.data.data", "DataEdgeAttr"): Marker.description,
    ("torch_geometric.data.data", "DataTensorAttr"): Marker.description,
    **{("torch", name): kind for name, kind in STORAGE_TYPES.items()},
}
"""Every (module, name) that a file may mention."""


class Storage(NamedTuple):
    """A run of numbers in the container."""

    kind: StorageType
    key: str
    """Name of its entry below ``data/``."""
    n_values: int


class Tensor(NamedTuple):
    """A view of a storage; nothing is proven about it yet."""

    storage: Storage
    offset: int
    """First value."""
    size: tuple[int, ...]
    stride: tuple[int, ...]
    """In values."""


class Object:
    """A graph or the attributes of one: a kind and a state, nothing that runs."""

    __slots__ = ("kind", "state")

    def __init__(self, kind: Marker) -> None:
        self.kind = kind
        self.state: dict[Any, Any] | None = None
