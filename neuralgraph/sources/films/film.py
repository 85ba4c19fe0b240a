"""A film: one grey radiograph as the compressor wants it, and the little that may be known of its source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.facts import FACT_WORDS, Fact, is_allowed_fact
from neuralgraph.sources.films.quality import quality_facts
from neuralgraph.wire.vocabulary import VIEW_POSITIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FACT_WORDS",
    "Fact",
    "Film",
    "FilmLimits",
    "check_dimensions",
    "check_expansion",
    "film_from_array",
    "in_unit_range",
]

# Lossy JPEG 2000 of a plain film reaches 900 to 1, but not on a picture this large.
_LARGE_BYTES = 32 * 1024 * 1024
_MAX_EXPANSION = 500
_ONE_AS_BITS = 0x3F800000
"""1.0 as float32, its bits read as a whole number."""


@dataclass(frozen=True)
class FilmLimits:
    """Bounds that are checked before anything is decoded."""

    max_file_bytes: int = 256 * 1024 * 1024
    """Largest file that is opened, in bytes."""
    max_pixels: int = 64 * 1024 * 1024
    """Largest height x width that is decoded."""
    min_side: int = 16
    """Smallest height and smallest width that make sense as a film, in pixels."""


@dataclass(frozen=True, eq=False)
class Film:
    """One grey radiograph.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : pixels, position or a fact break these rules.
    """

    pixels: NDArray[np.float32]
    """float32 [height, width], 0..1, row 0 at the top, bones bright."""
    position: str = "unknown"
    """How it was taken, one of ``neuralgraph.wire.vocabulary.VIEW_POSITIONS``."""
    facts: dict[str, Fact] = field(default_factory=dict)
    """What is known of the source, and what was done to it; ``neuralgraph.sources.films.facts`` lists every one. A key
    that nothing is known about is absent. Names, dates, UIDs and free text have no place here."""

    def __post_init__(self) -> None:
        if not isinstance(self.pixels, np.ndarray) or self.pixels.dtype != np.float32 or self.pixels.ndim != 2:
            raise SourceError("pixels must be float32 [height, width]", code="E_SOURCE_KIND", where="pixels")
        if self.pixels.size == 0 or not in_unit_range(self.pixels):
            raise SourceError("pixels must be finite numbers in 0..1", code="E_SOURCE_KIND", where="pixels")
        if self.position not in VIEW_POSITIONS:
            raise SourceError(
                f"the position must be one of {', '.join(VIEW_POSITIONS)}", code="E_SOURCE_KIND", where="position"
            )
        for name, value in self.facts.items():
            if not is_allowed_fact(name, value):
                raise SourceError(
                    "not an allowed fact, or a value it may not have", code="E_SOURCE_KIND", where="facts"
                )

    @classmethod
    def of_table(
        cls, table: NDArray[np.float32], pixels: NDArray[np.float32], position: str, facts: dict[str, Fact]
    ) -> Film:
        """A film of pixels looked up in a table, which is checked in their place: it is far smaller.

        Parameters
        ----------
        table : float32 [n].
        pixels : float32 [height, width], each an entry of ``table``.
        position, facts : as those of a film.
        """
        film = cls(table[np.newaxis], position, facts)
        object.__setattr__(film, "pixels", pixels)
        return film


def in_unit_range(pixels: NDArray[np.floating[Any]]) -> bool:
    """Whether all pixels, at least one, are numbers from 0 to 1."""
    # Read as whole numbers, float32 from 0 to 1 are the smallest of all: one pass, where two comparisons take two.
    if pixels.dtype == np.float32 and int(pixels.view(np.uint32).max()) <= _ONE_AS_BITS:
        return True
    # min() and max() carry a NaN through, and no comparison with NaN holds.
    return bool(pixels.min() >= 0.0 and pixels.max() <= 1.0)


def check_dimensions(height: int, width: int, limits: FilmLimits) -> None:
    """Refuse an image whose header states an unusable size; called before decoding.

    Parameters
    ----------
    height, width : pixels, as the header states them.
    limits : the bounds.

    Raises
    ------
    SourceError (E_SOURCE_SIZE)
    """
    if height < limits.min_side or width < limits.min_side:
        raise SourceError(
            f"the image is {width} x {height} pixels; at least {limits.min_side} x {limits.min_side} are needed",
            code="E_SOURCE_SIZE",
        )
    if height * width > limits.max_pixels:
        raise SourceError(
            f"the image is {width} x {height} = {height * width} pixels, more than the limit of {limits.max_pixels}",
            code="E_SOURCE_SIZE",
        )


def check_expansion(packed: int, unpacked: int) -> None:
    """Refuse compressed pixels that would become far more than any film's do; called before decoding.

    Parameters
    ----------
    packed, unpacked : bytes of the compressed pixels, and of the pixels.

    Raises
    ------
    SourceError (E_SOURCE_SIZE)
    """
    if unpacked > _LARGE_BYTES and unpacked > _MAX_EXPANSION * packed:
        raise SourceError(
            f"{packed} bytes of compressed pixels would become {unpacked}; no film is packed as tightly",
            code="E_SOURCE_SIZE",
        )


def film_from_array(
    array: NDArray[Any],
    *,
    position: str = "unknown",
    value_range: tuple[float, float] | None = None,
    facts: Mapping[str, Fact] | None = None,
    limits: FilmLimits | None = None,
) -> Film:
    """A film from pixels that are already in memory.

    Parameters
    ----------
    array : uint8, uint16, float16, float32 or float64 [height, width]; row 0 at the top, bones bright.
    position : one of ``VIEW_POSITIONS``.
    value_range : the values that become 0 and 1; values outside are clipped. By default 0..255 for uint8, 0..65535
        for uint16, and for floats 0..1, outside of which they are refused rather than guessed at. (12-bit pixels in
        uint16 want ``(0, 4095)``.) Where both ends are equal, as ``(a.min(), a.max())`` of a constant image is, all
        pixels become 0.
    facts : more facts; ``format`` is "array" unless given.
    limits : bounds on the size.

    Returns
    -------
    Film : its pixels never share memory with ``array``. The facts ``quality`` and ``grey_span`` say whether it shows
        anything; a blank one is marked, not refused.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : not two axes, another dtype, not finite, outside 0..1, or a bad range.
    SourceError (E_SOURCE_SIZE) : too small or too large.
    """
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        raise SourceError("a film is a numpy array [height, width]", code="E_SOURCE_KIND", where="array")
    is_float = array.dtype.kind == "f" and array.dtype.itemsize <= 8
    if not is_float and array.dtype.name not in ("uint8", "uint16"):
        raise SourceError(
            f"dtype {array.dtype.name} is not one of uint8, uint16, float16, float32, float64",
            code="E_SOURCE_KIND",
            where="array",
        )
    check_dimensions(array.shape[0], array.shape[1], limits or FilmLimits())
    if is_float and not np.isfinite(array).all():
        raise SourceError("some pixels are NaN or infinite", code="E_SOURCE_KIND", where="array")
    if value_range is None:
        low, high = (0.0, 1.0) if is_float else (0.0, float(np.iinfo(array.dtype).max))
        if is_float and (array.min() < low or array.max() > high):
            raise SourceError(
                "float pixels must lie in 0..1; say which values mean black and white with value_range=(low, high)",
                code="E_SOURCE_KIND",
                where="array",
            )
    else:
        low, high = float(value_range[0]), float(value_range[1])
    if not (math.isfinite(low) and math.isfinite(high - low) and low <= high):
        raise SourceError("the range must be two finite numbers, low first", code="E_SOURCE_KIND", where="value_range")
    if low == high:
        pixels = np.zeros(array.shape, np.float32)
    else:
        pixels = np.clip((array.astype(np.float64) - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return Film(pixels, position, {"format": "array", **quality_facts(pixels), **(facts or {})})
