"""A codebook: the Karhunen-Loeve basis of a whole collection, which the form ``klt`` refers to (FORMAT.md section 7.5).

It is fitted once, to the embeddings of one model, and named by its digest. An archive carries the codebooks its studies
need as sections; a single file may leave its codebook with the model.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.errors import CodecError, FormatError, StudyError
from neuralgraph.wire.checksums import sha256

__all__ = ["MAX_COMPONENTS", "UNIT", "Codebook", "CodebookLookup", "fit_codebook", "load_codebook", "no_codebook"]

MAX_COMPONENTS = 1_024
UNIT = 1 << 14
"""What 1 is in the whole numbers of a basis."""

_MAGIC = b"NGRKLT\x1a\n"
_HEAD = 16


@dataclass(frozen=True, eq=False)
class Codebook:
    """Mean and deviation of every channel, and the principal directions of the normalised channels.

    Raises
    ------
    CodecError (E_FILTER) : a number is out of range.
    """

    mean: NDArray[np.float32]
    """float32 [width]."""
    deviation: NDArray[np.float32]
    """float32 [width], positive."""
    basis: NDArray[np.int16]
    """int16 [components, width]: nearly orthonormal rows in units of 1 / 16,384, largest variance first."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        components, width = self.basis.shape
        if not 0 < components <= min(width, MAX_COMPONENTS):
            raise CodecError("the number of components is out of range", code="E_FILTER", where="codebook")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.deviation).all() and (self.deviation > 0).all()):
            raise CodecError("a mean or a deviation is out of range", code="E_FILTER", where="codebook")
        if (self.basis == -32768).any():
            raise CodecError("the number -32768 is not used", code="E_FILTER", where="codebook")

    @property
    def width(self) -> int:
        """Values of an embedding."""
        return int(self.basis.shape[1])

    @cached_property
    def digest(self) -> bytes:
        """32 bytes, by which files name it."""
        return sha256(self.to_bytes())

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """float64 [components, width]: the basis as it takes part in products."""
        return self.basis.astype(np.float64)

    def to_bytes(self) -> bytes:
        """The payload of its section, and the content of its file."""
        components, width = self.basis.shape
        head = _MAGIC + np.array([width, components], "<u4").tobytes()
        return head + self.mean.astype("<f4").tobytes() + self.deviation.astype("<f4").tobytes() + self._basis_bytes()

    def _basis_bytes(self) -> bytes:
        return self.basis.astype("<i2").tobytes()

    @classmethod
    def from_bytes(cls, data: Buffer, *, where: str) -> Codebook:
        """The codebook of a payload.

        Raises
        ------
        CodecError (E_SIZE, E_FILTER) : it is no codebook.
        """
        head = bytes(data[:_HEAD])
        if head[:8] != _MAGIC or len(head) < _HEAD:
            raise CodecError("this is not a codebook", code="E_FILTER", where=where)
        width, components = np.frombuffer(head, "<u4", 2, 8).tolist()
        if len(data) != _HEAD + 8 * width + 2 * width * components:
            raise CodecError("the size is not that of the codebook", code="E_SIZE", where=where)
        mean, deviation = np.frombuffer(data, "<f4", 2 * width, _HEAD).reshape(2, width)
        try:
            basis = np.frombuffer(data, "<i2", width * components, _HEAD + 8 * width).reshape(components, width)
            return cls(mean, deviation, basis)
        except CodecError as error:
            error.where = where
            raise


CodebookLookup: TypeAlias = Callable[[bytes], Codebook | None]
"""The codebook of a digest, or None."""


def no_codebook(digest: bytes) -> Codebook | None:
    """The lookup of a reader that knows none."""
    del digest
    return None


def fit_codebook(embeddings: Matrix, *, components: int = MAX_COMPONENTS) -> Codebook:
    """The codebook of a collection: its channels normalised, then their principal components.

    Parameters
    ----------
    embeddings : float32 [n, width], n > 1: as many patches of as many studies as there are, not the kept ones alone.
    components : directions to keep; no more than ``width`` and 1,024.

    Raises
    ------
    StudyError (E_NUM) : fewer than two rows, or values that are not finite.
    """
    values = np.asarray(embeddings, np.float64)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise StudyError("a codebook is fitted to two or more rows of finite values", code="E_NUM", where="embeddings")
    mean = values.mean(axis=0).astype(np.float32)
    spread = values.std(axis=0)
    # A channel that never changes is stored by its mean; its deviation only must not be zero.
    deviation = np.where(spread > 0, spread, 1.0).astype(np.float32)
    normal = (values - mean) / deviation
    vectors = np.linalg.eigh(normal.T @ normal)[1].T[::-1][: min(components, values.shape[1], MAX_COMPONENTS)]
    strongest = np.abs(vectors).argmax(axis=1)
    signs = np.where(vectors[np.arange(len(vectors)), strongest] < 0, -1, 1)
    return Codebook(mean, deviation, np.rint(vectors * signs[:, None] * UNIT).astype(np.int16))


def load_codebook(path: str | os.PathLike[str]) -> Codebook:
    """The codebook in a file, or in the folder of a model (``codebook.ngrk``).

    Raises
    ------
    FormatError (E_OPEN) : the file cannot be read.
    CodecError (E_SIZE, E_FILTER) : it is no codebook.
    """
    target = Path(path)
    try:
        data = (target / "codebook.ngrk" if target.is_dir() else target).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the codebook ({error.strerror})", code="E_OPEN", where=str(path)) from error
    return Codebook.from_bytes(data, where=str(path))
