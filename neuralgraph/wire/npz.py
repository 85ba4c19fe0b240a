"""Named arrays as a NumPy archive that ``numpy.load`` reads as it is, without ``allow_pickle``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["write_npz"]

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time a zip entry can name


def write_npz(stream: BinaryIO, members: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """Write arrays by their names, not compressed; the same arrays give the same bytes."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as file:
        for name, array in members:
            entry = zipfile.ZipInfo(f"{name}.npy", _EARLIEST)
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            content = BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            file.writestr(entry, content.getvalue())
