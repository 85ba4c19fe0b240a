"""Form ``klt``: embeddings in the basis of a codebook (codecs/klt/SPEC.md).

What a model's embeddings have in common over a whole collection is in the codebook; a study keeps the coefficients,
all quantised with one step, so that bits go where the variance is (reverse water-filling). The smallest form there is,
and the only one that needs something outside the record.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuralgraph.codecs.codebook import UNIT, Codebook, CodebookLookup, no_codebook
from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.codecs.loss import coarsest, normalised_rmse
from neuralgraph.codecs.parts import MAX_CODE, join, shifts_of, split
from neuralgraph.errors import CodecError, StudyError

__all__ = ["KLT", "Klt"]

_DIGEST = 32


@dataclass(frozen=True)
class Klt:
    """The form, with the codebook a writer uses and those a reader knows.

    Parameters
    ----------
    loss : largest RMSE of the decoded matrix, normalised by the deviations of the codebook; for writers.
    codebook : for writers.
    find : for readers, the codebook of a digest.

    Raises
    ------
    StudyError (E_FILTER) : ``loss`` is not a positive number below 1.
    """

    loss: float = 0.011
    codebook: Codebook | None = None
    find: CodebookLookup = no_codebook
    name = "klt"
    n_planes = 4
    interleaved = False
    loss_measure = "rmse"

    def __post_init__(self) -> None:
        """Refuse a loss that cannot be."""
        if not 1e-4 <= self.loss < 1:
            reason = f"the loss of klt is a number from 0.0001 to below 1, not {self.loss}"
            raise StudyError(reason, code="E_FILTER", where="embedding")

    def for_reader(self, find: CodebookLookup) -> Klt:
        """The form for a reader that finds codebooks like this."""
        return replace(self, find=find)

    @staticmethod
    def codebook_digest(head: Buffer) -> bytes:
        """The digest in the first plane."""
        return bytes(head[:_DIGEST])

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """Digest and base; a shift per component; upper parts; lower parts."""
        return _DIGEST + 4, width, rows * width, rows * width

    def bound(self, matrix: Matrix) -> float:
        """The loss asked for."""
        return self.loss if matrix.size else 0.0

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """The planes with the coarsest step whose measured loss is within ``loss``.

        Raises
        ------
        StudyError (E_DICT) : there is no codebook, or one of another width.
        StudyError (E_NUM) : the codebook is of other embeddings than these: no step keeps the loss.
        """
        book = self.codebook
        values = np.ascontiguousarray(matrix, "<f4")
        if book is None:
            raise StudyError("klt needs a codebook; give codebook=", code="E_DICT", where="embedding")
        if book.width != values.shape[1]:
            reason = f"the codebook is for {book.width} values, the embedding has {values.shape[1]}"
            raise StudyError(reason, code="E_DICT", where="embedding")
        normal = (values.astype(np.float64) - book.mean) / book.deviation
        # Divided by the unit of the basis twice: it is in this product, and in the one that decodes.
        projected = normal @ book.matrix.T / (float(UNIT) * UNIT)
        reader = self.for_reader({book.digest: book}.get)

        def attempt(step: float) -> tuple[tuple[bytes, ...], float] | None:
            base = np.float32(step / UNIT)
            codes = np.zeros(values.shape[::-1], np.int64)
            quotients = np.rint(projected / float(base))
            if not np.abs(quotients).max(initial=0) <= MAX_CODE:
                return None
            codes[: len(book.basis)] = quotients.astype(np.int64).T
            shifts = shifts_of(codes)
            planes = (book.digest + base.astype("<f4").tobytes(), shifts.tobytes(), *split(codes, shifts))
            decoded = reader.decode(planes, *values.shape, where="embedding")
            return planes, normalised_rmse(values, decoded, book.deviation.astype(np.float64))

        best = coarsest(attempt, self.loss)
        if best is None:
            reason = (
                f"the codebook cannot hold these values within a loss of {self.loss}; fit one to this model, or use svd"
            )
            raise StudyError(reason, code="E_NUM", where="embedding")
        return best

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """float32(sum over components of code * basis, times base, times deviation, plus mean), in float64 until then.

        Raises
        ------
        CodecError (E_DICT) : the codebook is not at hand, or is of another width.
        CodecError (E_FILTER) : base, a shift or a code is out of range.
        CodecError (E_NUM) : a value is not finite.
        """
        head = bytes(planes[0])
        base = float(np.frombuffer(head, "<f4", 1, _DIGEST)[0])
        if not math.isfinite(base) or math.copysign(1, base) < 0:
            raise CodecError("the base is negative or not finite", code="E_FILTER", where=where)
        book = self.find(head[:_DIGEST])
        if book is None or book.width != width:
            need = f"the codebook {head[:_DIGEST].hex()} is needed: give it with codebooks=, it belongs to the model"
            raise CodecError(need if book is None else "the codebook is of another width", code="E_DICT", where=where)
        codes = join(planes[2], planes[3], np.frombuffer(planes[1], "u1"), rows, where=where)
        used = len(book.basis)
        if codes[used:].any():
            raise CodecError("a code of a component that the codebook does not have", code="E_FILTER", where=where)
        sums = codes[:used].T @ book.matrix
        with np.errstate(over="ignore", under="ignore"):
            scaled = sums * base * book.deviation.astype(np.float64) + book.mean.astype(np.float64)
            decoded: Matrix = scaled.astype("<f4")
        if not np.isfinite(decoded).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return decoded + np.float32(0)


KLT = Klt()
