"""What a form is: a way to write a float32 matrix as byte planes that later go through a byte codec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Buffer", "Encoder", "Form", "Matrix"]

Matrix: TypeAlias = NDArray[np.float32]
"""float32 [rows, width], C order."""

Buffer: TypeAlias = bytes | memoryview


class Encoder(Protocol):
    """What writes a matrix in a form."""

    @property
    def name(self) -> str:
        """Name of the form in the book, and the value of ``embedding=`` that selects it."""

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """The planes of ``matrix``, whose values are finite.

        Raises
        ------
        StudyError (E_NUM) : a value is outside the range of the form.
        """

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """The matrix, exactly the same on every machine.

        Raises
        ------
        CodecError (E_FILTER, E_NUM) : the planes hold something the form does not allow.
        """


class Form(Encoder, Protocol):
    """One numeric form of a matrix (codecs/<name>/SPEC.md). Pure: no state, no input but its arguments."""

    @property
    def n_planes(self) -> int:
        """Streams the form writes."""

    @property
    def repeatable(self) -> bool:
        """What it decodes to, encoded once more, decodes to the same values."""

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """Bytes of each plane."""

    def bound(self, matrix: Matrix) -> float:
        """The largest error of a value that the form may cause in ``matrix``; of svd the channel-normalised RMSE."""
