"""``torch.save`` files by hand: a program, its storages and whatever is wrong with them."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path


def container(program: bytes, storages: dict[str, bytes] | None = None, *, method: int = zipfile.ZIP_STORED) -> bytes:
    """The zip container ``torch.save`` would write around ``program``."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", method) as file:
        file.writestr("graphs/data.pkl", program)
        file.writestr("graphs/byteorder", "little")
        for key, data in (storages or {}).items():
            file.writestr(f"graphs/data/{key}", data)
        file.writestr("graphs/version", "3\n")
    return content.getvalue()


def write(path: Path, program: bytes, storages: dict[str, bytes] | None = None) -> Path:
    path.write_bytes(container(program, storages))
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)


def tuple_of(*values: int) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(
    key: str,
    n_values: int,
    *,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int = 0,
    kind: str = "FloatStorage",
) -> bytes:
    """The instructions that make a tensor."""
    storage = b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + integer(n_values)
    view = storage + b"tQ" + integer(offset) + tuple_of(*size) + tuple_of(*stride)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + view + b"\x89ccollections\nOrderedDict\n)RtR"


def graph(**attributes: bytes) -> bytes:
    """The instructions that make a PyG 1 graph; PyG 2 is covered by files of the real library."""
    items = b"".join(text(name) + value for name, value in attributes.items())
    return b"ctorch_geometric.data.data\nData\n)\x81}(" + items + b"ub"


def program(*graphs: bytes) -> bytes:
    return b"\x80\x02](" + b"".join(graphs) + b"e."


X = bytes(4 * 6)
EDGES = struct.pack("<4q", 0, 1, 1, 2)
"""Storages of ``small_graph``: x [3, 2], edge_index [2, 2]."""


def small_graph(*, x: bytes | None = None, edge_index: bytes | None = None, **more: bytes) -> bytes:
    return graph(
        x=tensor("0", 6, size=(3, 2), stride=(2, 1)) if x is None else x,
        edge_index=tensor("1", 4, size=(2, 2), stride=(2, 1), kind="LongStorage") if edge_index is None else edge_index,
        **more,
    )


STORAGES = {"0": X, "1": EDGES}
