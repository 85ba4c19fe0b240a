"""Grey films saved as colour: equal channels, a palette of greys, or one tint over the whole picture.

A scanner, a photograph of a light box or a journal lays a tint over a film; letters and arrows are drawn on it. What
makes a picture a film in one tint is that whatever colour there is has one hue, and that pixels of one brightness have
about as much of it. What a picture in one tint shows cannot be told from its colour: a stained slide passes, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grey_of"]

_LUMA = np.array([0.299, 0.587, 0.114])
_STRIPE_ROWS = 256
# A picture below both is grey with a cast or with marks on it, whatever its hues. Chosen above what 25 public films
# reach: a mean spread of 0.04 (tinted scans), strong pixels below 0.2 % (marks).
_MEAN_SPREAD = 0.1
_STRONG_SPREAD = 0.25
_STRONG_SHARE = 0.02

_BLOCKS = 192
"""Blocks along the longer side: JPEG stores colour more coarsely than brightness, and its edges bleed."""
_LEVELS = 32
_FEWEST_LEVELS = 8
"""Brightnesses that a picture must have for its colour to be told from that of a surface."""
# On a scale where black to white is 1. Six films in one tint, three of them photographed with a tint that fades towards
# the corners, reach 0.027 and 0.08; four photographs of other things 0.04 to 0.13 and 0.04 to 0.58.
_BESIDE_HUE = 0.03
_BESIDE_TINT = 0.12
_MARKED_SHARE = 0.04
"""Of the blocks that may be of any colour: letters, arrows, a logo."""


def grey_of(samples: NDArray[Any], alpha: NDArray[Any] | None, maximum: int) -> NDArray[np.float32]:
    """The grey of a film, laid on black where it is transparent. By stripes, to spare memory.

    Parameters
    ----------
    samples : [height, width] or [height, width, 3] whole numbers, 0..``maximum``.
    alpha : [height, width], 0 transparent to ``maximum``, or None.
    maximum : white.

    Returns
    -------
    float32 [height, width] : 0..1: the channels where they are equal, else their luma (ITU-R BT.601).

    Raises
    ------
    SourceError (E_SOURCE_KIND) : a colour picture.
    """
    height, width = samples.shape[:2]
    grey = np.empty((height, width), np.float32)
    spread_sum, strong = 0.0, 0
    for top in range(0, height, _STRIPE_ROWS):
        stripe = samples[top : top + _STRIPE_ROWS].astype(np.float64) / maximum
        opacity = 1.0 if alpha is None else alpha[top : top + _STRIPE_ROWS] / maximum
        if stripe.ndim == 3:
            spread = (stripe.max(axis=-1) - stripe.min(axis=-1)) * opacity
            spread_sum += float(spread.sum())
            strong += int((spread > _STRONG_SPREAD).sum())
            # A sum of weights is not exactly one: equal channels must keep their exact value.
            stripe = np.where(spread == 0, stripe[..., 0], np.minimum(stripe @ _LUMA, 1.0))
        grey[top : top + _STRIPE_ROWS] = stripe * opacity
    coloured = spread_sum > _MEAN_SPREAD * grey.size or strong > _STRONG_SHARE * grey.size
    if coloured and not _has_one_tint(samples, alpha, maximum):
        raise SourceError(
            "a colour picture, not a grey film; if it does show a film, convert it to grey first", code="E_SOURCE_KIND"
        )
    return grey


def _has_one_tint(samples: NDArray[Any], alpha: NDArray[Any] | None, maximum: int) -> bool:
    """Whether all but a few blocks of the picture have one hue, as much of it as their brightness has elsewhere."""
    blocks = _block_means(samples, alpha, maximum)
    luma = blocks @ _LUMA
    colour = blocks - luma[:, np.newaxis]
    level = np.minimum((luma * _LEVELS).astype(np.int64), _LEVELS - 1)
    counts = np.bincount(level, minlength=_LEVELS)
    there = np.flatnonzero(counts)
    if len(there) < _FEWEST_LEVELS:
        return False
    # The colour of a brightness is the median of its blocks, so that marks do not move it.
    tints = np.stack([np.median(colour[level == number], axis=0) for number in there])
    weighted = tints * np.sqrt(counts[there])[:, np.newaxis]
    hue = np.linalg.svd(weighted, full_matrices=False)[2][0]
    hue = hue if float((weighted @ hue).sum()) >= 0 else -hue
    along = colour @ hue
    beside_hue = np.linalg.norm(colour - along[:, np.newaxis] * hue, axis=1)
    beside_tint = np.abs(along - np.interp(luma, (there + 0.5) / _LEVELS, tints @ hue))
    other = (beside_hue > _BESIDE_HUE) | (beside_tint > _BESIDE_TINT) | (along < -_BESIDE_HUE)
    return float(other.mean()) <= _MARKED_SHARE


def _block_means(samples: NDArray[Any], alpha: NDArray[Any] | None, maximum: int) -> NDArray[np.float64]:
    """[n, 3] mean colour of the blocks of a picture; blocks cut by the lower and right edges are left out."""
    height, width = samples.shape[:2]
    side = max(1, -(-max(height, width) // _BLOCKS))
    rows, columns = max(1, height // side), max(1, width // side)
    tall, wide = min(side, height), min(side, width)
    means = np.empty((rows, columns, 3))
    for row in range(rows):
        stripe = samples[row * tall : (row + 1) * tall, : columns * wide].astype(np.float64) / maximum
        if alpha is not None:
            stripe *= (alpha[row * tall : (row + 1) * tall, : columns * wide] / maximum)[..., np.newaxis]
        means[row] = stripe.reshape(tall, columns, wide, 3).mean(axis=(0, 2))
    return means.reshape(-1, 3)
