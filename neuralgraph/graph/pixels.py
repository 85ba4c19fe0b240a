"""Pixel patches: the kept patches cut from the film, stored only on request (FORMAT.md section 5.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.frozen import frozen_array

__all__ = ["frozen_pixels", "pixels_from_bytes", "pixels_to_bytes"]

_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<u1"), 2: np.dtype("<u2")}

_LARGEST_SIDE = 65_535


def frozen_pixels(pixels: ArrayLike, n_patches: int) -> NDArray[Any]:
    """A read-only copy, uint8 or uint16 [n_patches, height, width].

    Raises
    ------
    StudyError (E_NUM, E_SIZE) : another dtype, or another shape.
    """
    given = np.asarray(pixels)
    if given.dtype.kind != "u" or given.dtype.itemsize > 2:
        raise StudyError(f"pixels are uint8 or uint16, not {given.dtype}", code="E_NUM", where="pixels")
    return frozen_array(given, f"u{given.dtype.itemsize}", (n_patches, -1, -1), where="pixels")


def pixels_to_bytes(pixels: NDArray[Any]) -> bytes:
    """Blob of uint8 or uint16 [n_patches, height, width]: u16 height, width, bytes per pixel, 0; then the pixels.

    Raises
    ------
    StudyError (E_SIZE) : a patch is higher or wider than 65,535 pixels.
    """
    itemsize = pixels.dtype.itemsize
    if max(pixels.shape[1:]) > _LARGEST_SIDE:
        raise StudyError(f"a pixel patch has at most {_LARGEST_SIDE} rows and columns", code="E_SIZE", where="pixels")
    header = np.array([pixels.shape[1], pixels.shape[2], itemsize, 0], "<u2").tobytes()
    return header + np.ascontiguousarray(pixels, _DTYPES[itemsize]).tobytes()


def pixels_from_bytes(blob: bytes, n_patches: int) -> NDArray[Any]:
    """uint8 or uint16 [n_patches, height, width] of a blob.

    Raises
    ------
    StudyError (E_SIZE) : the blob is not one header and exactly ``n_patches`` patches.
    """
    if len(blob) >= 8:
        height, width, itemsize, zero = np.frombuffer(blob, "<u2", 4).tolist()
        dtype = _DTYPES.get(itemsize)
        if dtype is not None and zero == 0 and len(blob) == 8 + n_patches * height * width * itemsize:
            return np.frombuffer(blob, dtype, offset=8).reshape(n_patches, height, width)
    raise StudyError("the pixel patches do not have the size they state", code="E_SIZE", where="pixels")
