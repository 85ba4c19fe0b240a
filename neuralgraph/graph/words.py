"""Word attention: which patch the decoder looked at for which word, stored only on request (FORMAT.md section 5.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import Problem, StudyError
from neuralgraph.graph.frozen import Immutable, float32, frozen_array
from neuralgraph.graph.view import attention_of_codes, quantised_attention

__all__ = ["INFINITE", "WordAttention", "word_attention_problems"]

_STEP_BYTES = 4
_SPAN_BYTES = 8
INFINITE = 2.0**128 - 2.0**103
"""From here on numbers round to infinity in float32."""


@dataclass(frozen=True, eq=False)
class WordAttention(Immutable):
    """A map for every word of the report, in the form the file has: one byte per cell on a square-root scale."""

    start: NDArray[np.uint32]
    """uint32 [w]: first code point of the word in the report."""
    end: NDArray[np.uint32]
    """uint32 [w]: code point behind the word."""
    code: NDArray[np.uint8]
    """uint8 [w, n_cells]: attention is float32(code^2 * step); cells of all views, as in the study's maps."""
    step: float
    """Unit of the codes (float32)."""

    def __post_init__(self) -> None:
        """Fix dtypes and shapes."""
        n = len(np.asarray(self.start))
        for name in ("start", "end"):
            values = np.asarray(getattr(self, name))
            if values.size and (values.min() < 0 or values.max() >= 1 << 32):
                raise StudyError("a span does not fit 32 bits", code="E_IDX", where="word_attention")
            object.__setattr__(self, name, frozen_array(values, "u4", (n,), where="word_attention"))
        object.__setattr__(self, "code", frozen_array(self.code, "u1", (n, -1), where="word_attention"))
        object.__setattr__(self, "step", float32(self.step))
        if 0 in self.code.shape:
            raise StudyError("at least one word and one cell", code="E_SIZE", where="word_attention")

    def __len__(self) -> int:
        """Number of words."""
        return len(self.start)

    @classmethod
    def from_maps(cls, start: ArrayLike, end: ArrayLike, attention: ArrayLike) -> WordAttention:
        """Quantised from float maps.

        Parameters
        ----------
        start, end : int [w], spans in the report; words ascend and do not overlap.
        attention : float [w, n_cells], not negative.

        Raises
        ------
        StudyError (E_NUM) : an attention is negative or not finite.
        """
        code, step = quantised_attention(frozen_array(attention, "f4", (-1, -1), where="word_attention"))
        return cls(np.asarray(start), np.asarray(end), code, step)

    @property
    def attention(self) -> NDArray[np.float32]:
        """float32 [w, n_cells]."""
        return attention_of_codes(self.code, self.step)

    def within(self, start: int, end: int) -> NDArray[np.float32]:
        """float32 [n_cells]: attention of the words that share a code point with a span, summed."""
        mine = (self.start < end) & (self.end > start)
        total: NDArray[np.float32] = self.attention[mine].sum(axis=0, dtype=np.float32)
        return total

    def to_bytes(self) -> bytes:
        """The stream."""
        parts = (np.float32(self.step).astype("<f4"), self.start.astype("<u4"), self.end.astype("<u4"), self.code)
        return b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, stream: bytes, n_cells: int) -> WordAttention:
        """The maps of a stream.

        Raises
        ------
        StudyError (E_SIZE) : the stream is not a whole number of words.
        """
        n = _word_count(len(stream), n_cells)
        start, end = np.frombuffer(stream, "<u4", 2 * n, _STEP_BYTES).reshape(2, n)
        code = np.frombuffer(stream, np.uint8, offset=_STEP_BYTES + _SPAN_BYTES * n).reshape(n, n_cells)
        return cls(start, end, code, float(np.frombuffer(stream, "<f4", 1)[0]))


def _word_count(size: int, n_cells: int) -> int:
    """Words of a stream of ``size`` bytes.

    Raises
    ------
    StudyError (E_SIZE) : it is not a whole number of them, or none.
    """
    words, rest = divmod(size - _STEP_BYTES, _SPAN_BYTES + n_cells)
    if rest or words < 1 or n_cells < 1:
        raise StudyError("the stream is not a whole number of words", code="E_SIZE", where="word_attention")
    return words


def word_attention_problems(stream: bytes, n_cells: int) -> Iterator[Problem]:
    """Broken rules of the stream, in the order of FORMAT.md (F31, F32)."""
    try:
        n = _word_count(len(stream), n_cells)
    except StudyError as error:
        yield error.problem
        return
    start, end = np.frombuffer(stream, "<u4", 2 * n, _STEP_BYTES).reshape(2, n).astype(np.int64)
    step = float(np.frombuffer(stream, "<f4", 1)[0])
    largest = int(np.frombuffer(stream, np.uint8, offset=_STEP_BYTES + _SPAN_BYTES * n).max())
    where = "word_attention"
    if (start >= end).any():
        yield Problem("E_TEXT", where, "a word has no letter")
    if (start[1:] < end[:-1]).any():
        yield Problem("E_ORDER", where, "words do not ascend, or overlap")
    if not 0 <= step < np.inf or np.signbit(step):
        yield Problem("E_NUM", where, "the step is negative or not finite")
    elif largest * largest * step >= INFINITE:
        yield Problem("E_NUM", where, "an attention is larger than a float32 can be")
