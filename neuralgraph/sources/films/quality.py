"""Whether a film says anything: how much of the grey scale it uses once every transformation has been applied.

A window of another picture, a table that declares more bits than it uses, 12 bits stored as 16: each leaves a film that
is read without an error and is black, white, or squeezed into a few per cent of the scale. Steps of the scale are
counted, not the darkest and the brightest pixel: a letter "L" and a black frame alone would stretch to both ends.

The bounds are far from what films do: of 462 public films the plainest but one uses 25 steps, and none has more than
0.46 of its pixels in two neighbouring ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "QUALITIES",
    "GreyUse",
    "grey_use",
    "grey_use_of_pixels",
    "is_doubtful",
    "narrowed",
    "quality_facts",
    "sampled",
]

QUALITIES: tuple[str, ...] = ("good", "rescued", "doubtful", "blank")
"""What the fact ``quality`` may say.

good: the film uses the grey scale. rescued: not as its header first asks for it, but by another transformation, which
the fact ``rescue`` names. doubtful: squeezed into less than a quarter of the scale, or of hardly any steps, and nothing
helps. blank: nearly all of it is one grey; such a file is refused, such an array marked."""

_STEPS = 128
_MOST_SAMPLES = 1 << 20
_LEAST_SHARE = 1 / 2000
"""Of the pixels that a step must hold to count: stray pixels, letters and dust do not make a picture."""
MARKERS = 0.005
"""Of the pixels at either end that may be a marker or a letter put in at full depth."""
_NARROW = 0.25
_FEWEST_STEPS = 8
_MOSTLY_ONE = 0.85
_ALL_ONE = 0.97


class GreyUse(NamedTuple):
    """How a picture uses the grey scale of 128 steps."""

    steps: int
    """Steps that hold at least one pixel in 2,000."""
    span: float
    """From the lowest step to the highest that all but the outermost pixels take, as a share of the scale: 0..1."""
    in_two: float
    """Largest share of the pixels within two neighbouring steps: 0..1."""

    @property
    def quality(self) -> str:
        """ "good", "doubtful" or "blank"."""
        if self.in_two >= _ALL_ONE:
            return "blank"
        if self.span <= _NARROW or self.steps < _FEWEST_STEPS or self.in_two >= _MOSTLY_ONE:
            return "doubtful"
        return "good"


def grey_use(levels: NDArray[np.floating[Any]], counts: NDArray[np.integer[Any]]) -> GreyUse:
    """The use of the scale by a picture that has ``counts[i]`` pixels of the grey level ``levels[i]``.

    Parameters
    ----------
    levels : [n] floats in 0..1.
    counts : [n] whole numbers, at least one of them above 0.
    """
    return _use_of(np.bincount(_steps(levels), weights=counts, minlength=_STEPS))


def _steps(levels: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    # As float32, which the pixels will be: a level between two steps falls on the same side.
    scaled = np.multiply(levels, np.float32(_STEPS), dtype=np.float32, casting="same_kind")
    steps: NDArray[np.uint8] = np.minimum(scaled, np.float32(_STEPS - 1)).astype(np.uint8)
    return steps


def _use_of(held: NDArray[Any]) -> GreyUse:
    """The use of the scale, from the pixels of each step."""
    total = float(held.sum())
    steps = int((held >= max(1.0, _LEAST_SHARE * total)).sum())
    first, last = np.searchsorted(np.cumsum(held), [MARKERS * total, (1 - MARKERS) * total])
    return GreyUse(steps, (int(last) - int(first) + 1) / _STEPS, float((held[:-1] + held[1:]).max()) / total)


def grey_use_of_pixels(pixels: NDArray[np.float32]) -> GreyUse:
    """The use of the scale by pixels [height, width] in 0..1, from about a million of them at most."""
    return _use_of(np.bincount(_steps(sampled(pixels)).ravel(), minlength=_STEPS))


def narrowed(pixels: NDArray[np.float32], *, bits: int) -> tuple[NDArray[np.float32], int] | None:
    """Pixels over as many bits as they use, and how many; None unless they show next to nothing and then show more.

    Parameters
    ----------
    pixels : float32 [height, width], k / (2^bits - 1).
    bits : of a sample.
    """
    if grey_use_of_pixels(pixels).quality == "good":
        return None
    part = np.sort(sampled(pixels), axis=None)
    # The brightest pixels may be letters put in at full depth.
    for brightest in (float(pixels.max()), float(part[int((1 - MARKERS) * (len(part) - 1))])):
        used = max(8, round(brightest * (2**bits - 1)).bit_length())
        if used < bits:
            wider = np.minimum(pixels * np.float32((2**bits - 1) / (2**used - 1)), np.float32(1))
            if grey_use_of_pixels(wider).quality == "good":
                return wider, used
    return None


def quality_facts(pixels: NDArray[np.float32]) -> dict[str, str | float]:
    """The facts ``quality`` and ``grey_span`` of pixels [height, width] in 0..1."""
    use = grey_use_of_pixels(pixels)
    return {"quality": use.quality, "grey_span": round(use.span, 3)}


def sampled(pixels: NDArray[Any]) -> NDArray[Any]:
    """Every n-th pixel of every n-th row, n the smallest that leaves a million at most; a view."""
    stride = int(np.ceil(np.sqrt(max(1.0, pixels.size / _MOST_SAMPLES))))
    return pixels[::stride, ::stride]


def is_doubtful(facts: Any) -> bool:
    """Whether somebody should look at a film with these facts: anything but a good one.

    Parameters
    ----------
    facts : of a ``Film``, or its map in a study's provenance.
    """
    return bool(facts.get("quality", "good") != "good")
